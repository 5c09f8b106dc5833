//! What the hub knows: identities and twins. Every mutation is a synchronous function that is given the time and returns
//! what changed; it knows no socket, no disk, no lock.
//!
//! A mutation that fails has changed nothing.

mod bulk;
mod identities;
mod metadata;
mod record;
mod synthetic;
mod twins;
mod undo;

pub use bulk::BulkOutcome;
pub use record::{Counters, Device, Document, Record};
pub use synthetic::{Keys, Synthetic};
pub use twins::{Mode, check_patch, seed_desired};
pub use undo::Before;

use super::clock::Moment;
use super::hub::Refused;
use crate::protocol::error::ErrorCode;
use crate::protocol::event::What;
use crate::protocol::identity::Identity;
use crate::protocol::secret::Secret;
use crate::twin::{JsonMap, Status, Twin, TwinId};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Devices and modules together.
pub const IDENTITIES_MAX: usize = 1_000_000;
/// Modules of one device, system modules included.
pub const MODULES_MAX: usize = 50;

/// What a mutation changed, for whoever keeps it and whoever must hear of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Change {
    /// Identities whose stored form is no longer right; one that is gone from the registry is to be removed.
    pub writes: Vec<TwinId>,
    /// What connections must be told once the writes are kept, in order.
    pub notices: Vec<Notice>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// Desired changed; the patch as submitted, without `$version`.
    Desired { id: TwinId, version: u64, patch: JsonMap },
    /// Disabled or given other keys: its connection must end. What it subscribed to is kept for when it comes back.
    Drop(TwinId),
    /// Deleted: its connection must end, and another identity of that id begins anew.
    Forget(TwinId),
    /// For the log.
    Happened {
        id: TwinId,
        /// UTC, ISO 8601.
        time: String,
        what: Box<What>,
    },
}

impl Notice {
    /// The device that is gone, if it tells of one.
    #[must_use]
    pub fn deleted_device(&self) -> Option<String> {
        match self {
            Self::Forget(TwinId { device, module: None }) => Some(device.clone()),
            _ => None,
        }
    }
}

/// What is to be kept of an identity.
#[derive(Clone, PartialEq, Eq)] // Not Debug: a record holds keys.
pub enum Kept {
    /// The record, as JSON.
    Record(Vec<u8>),
    /// Nothing, and the synthetic device of that id must not come back.
    Tombstone,
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    pub total: usize,
    pub disabled: usize,
    /// Devices, not modules, that hold a connection.
    pub connected: usize,
}

#[derive(Clone)]
pub struct Registry {
    devices: BTreeMap<String, Box<Device>>,
    synthetic: Synthetic,
    /// Entries of `devices` that stand for a synthetic one.
    shadowed: usize,
    /// Modules of all devices.
    modules: usize,
    last_generation: u64,
    mint: Mint,
    /// What changed since [`Registry::begin`], while somebody wants to know.
    journal: Option<Vec<Before>>,
}

/// Where new keys and the starts of counters come from.
#[derive(Debug, Clone, Copy)]
pub struct Mint {
    /// A shared access key.
    pub key: fn() -> Secret,
    /// 64 random bits.
    pub number: fn() -> u64,
}

impl Mint {
    fn counters(self) -> Counters {
        Counters::of_random((self.number)(), (self.number)())
    }
}

impl Registry {
    #[must_use]
    pub fn new(synthetic: Synthetic, mint: Mint) -> Self {
        let last_generation = synthetic.last_generation();
        Self { devices: BTreeMap::new(), synthetic, shadowed: 0, modules: 0, last_generation, mint, journal: None }
    }

    /// Puts a kept record back, at start. Devices come before their modules; a module without a device is dropped
    /// and answers `false`.
    pub fn restore(&mut self, id: &TwinId, record: Record) -> bool {
        let generation = record.generation.parse().unwrap_or(0);
        self.last_generation = self.last_generation.max(generation);
        match &id.module {
            None => {
                self.insert_device(&id.device, Device { record, modules: BTreeMap::new() });
                true
            }
            Some(module) => {
                let Some(device) = self.device_mut(&id.device) else { return false };
                let fresh = device.modules.insert(module.clone(), record).is_none();
                self.modules += usize::from(fresh);
                true
            }
        }
    }

    /// Takes a synthetic device out for good, at start.
    pub fn restore_gone(&mut self, id: &str) {
        if let Some(number) = self.synthetic.number(id) {
            self.synthetic.gone.insert(number);
        }
    }

    /// Does what another registry did to an identity: its record became this, or it went away. Devices come before their
    /// modules and go after them.
    pub fn follow(&mut self, id: &TwinId, record: Option<Record>) {
        match (&id.module, record) {
            (None, Some(record)) => match self.devices.get_mut(&id.device) {
                Some(device) => device.record = record,
                None => self.insert_device(&id.device, Device { record, modules: BTreeMap::new() }),
            },
            (None, None) => drop(self.remove_device(&id.device)),
            (Some(module), Some(record)) => {
                let fresh = self.device_mut(&id.device).map(|device| device.modules.insert(module.clone(), record));
                self.modules += usize::from(matches!(fresh, Some(None)));
            }
            (Some(module), None) => {
                // Not by way of a device made real: a synthetic one has no modules.
                let device = self.devices.get_mut(&id.device);
                self.modules -= usize::from(device.and_then(|device| device.modules.remove(module)).is_some());
            }
        }
    }

    /// Every identity that is in memory and not merely computable.
    #[must_use]
    pub fn all_kept(&self) -> Vec<TwinId> {
        self.devices
            .iter()
            .flat_map(|(id, device)| {
                let modules = device.modules.keys().map(move |module| TwinId::module(id, module));
                std::iter::once(TwinId::device(id)).chain(modules)
            })
            .collect()
    }

    #[must_use]
    pub fn synthetic(&self) -> &Synthetic {
        &self.synthetic
    }

    /// What is to be kept of an identity now.
    #[must_use]
    pub fn kept(&self, id: &TwinId) -> Kept {
        let made = self.devices.get(&id.device);
        let record = match &id.module {
            None => made.map(|device| &device.record),
            Some(module) => made.and_then(|device| device.modules.get(module)),
        };
        match record {
            Some(record) => Kept::Record(record.to_bytes()),
            None if id.module.is_none() && self.synthetic.number(&id.device).is_some() => Kept::Tombstone,
            None => Kept::Nothing,
        }
    }

    /// Devices, without their modules.
    #[must_use]
    pub fn device_count(&self) -> usize {
        self.devices.len() + self.synthetic.count as usize - self.synthetic.gone.len() - self.shadowed
    }

    #[must_use]
    pub fn statistics(&self) -> Statistics {
        // Synthetic devices nobody touched are enabled and not connected.
        let count = |which: fn(&Record) -> bool| self.devices.values().filter(|device| which(&device.record)).count();
        Statistics {
            total: self.device_count(),
            disabled: count(|record| record.status == Status::Disabled),
            connected: count(|record| record.connected),
        }
    }

    #[must_use]
    pub fn device(&self, id: &str) -> Option<Cow<'_, Device>> {
        if let Some(device) = self.devices.get(id) {
            return Some(Cow::Borrowed(device));
        }
        self.synthetic.living(id).map(|number| Cow::Owned(self.synthetic.device(number, Keys::Derived)))
    }

    #[must_use]
    pub fn record(&self, id: &TwinId) -> Option<Cow<'_, Record>> {
        let device = self.device(&id.device)?;
        match (&id.module, device) {
            (None, Cow::Borrowed(device)) => Some(Cow::Borrowed(&device.record)),
            (None, Cow::Owned(device)) => Some(Cow::Owned(device.record)),
            (Some(module), Cow::Borrowed(device)) => device.modules.get(module).map(Cow::Borrowed),
            (Some(module), Cow::Owned(mut device)) => device.modules.remove(module).map(Cow::Owned),
        }
    }

    /// # Errors
    /// 404 `DeviceNotFound`, for a missing module too: twin paths use the device's code for both.
    pub fn twin(&self, id: &TwinId) -> Result<Twin, Refused> {
        self.record(id).map(|record| record.twin(id)).ok_or_else(|| no_twin(id))
    }

    /// The `generationId` of an identity that is there: it tells one life of an id from the next.
    #[must_use]
    pub fn generation(&self, id: &TwinId) -> Option<String> {
        match (self.devices.get(&id.device), &id.module) {
            (Some(device), None) => Some(device.record.generation.clone()),
            (Some(device), Some(module)) => device.modules.get(module).map(|record| record.generation.clone()),
            (None, None) => self.synthetic.living(&id.device).map(|n| self.synthetic.generation(n).to_string()),
            (None, Some(_)) => None,
        }
    }

    /// # Errors
    /// 404 when the identity is gone, also when another was made under its id since.
    pub fn check_generation(&self, id: &TwinId, generation: &str) -> Result<(), Refused> {
        if self.generation(id).as_deref() == Some(generation) { Ok(()) } else { Err(no_twin(id)) }
    }

    /// The twins of up to `limit` devices after a device id, ordered by id.
    #[must_use]
    pub fn device_twins_after(&self, after: Option<&str>, limit: usize) -> Vec<Twin> {
        self.devices_after(after, limit, Keys::LeftOut, |id, device| match device {
            Cow::Borrowed(device) => device.record.twin(&TwinId::device(id)),
            Cow::Owned(device) => device.record.into_twin(TwinId::device(id)),
        })
    }

    /// Up to `limit` identity records of devices, ordered by id.
    #[must_use]
    pub fn device_identities(&self, limit: usize) -> Vec<Identity> {
        self.devices_after(None, limit, Keys::Derived, |id, device| device.record.identity(&TwinId::device(id)))
    }

    /// Merges the devices in memory with the synthetic ones nobody touched; both are ordered by id.
    fn devices_after<T>(
        &self,
        after: Option<&str>,
        limit: usize,
        keys: Keys,
        view: impl Fn(&str, Cow<'_, Device>) -> T,
    ) -> Vec<T> {
        let mould = self.synthetic.mould();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut made = self.devices.range::<str, _>((from, Bound::Unbounded)).peekable();
        let mut rest = self
            .synthetic
            .after(after)
            .map(|number| (Synthetic::id(number), number))
            .filter(|(id, _)| !self.devices.contains_key(id))
            .peekable();
        let mut views = Vec::new();
        while views.len() < limit {
            let made_is_next = match (made.peek(), rest.peek()) {
                (None, None) => break,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (Some((made, _)), Some((other, _))) => *made < other,
            };
            if made_is_next {
                views.extend(made.next().map(|(id, device)| view(id, Cow::Borrowed(device))));
            } else {
                let device = |number| Cow::Owned(self.synthetic.device_of(&mould, number, keys));
                views.extend(rest.next().map(|(id, number)| view(&id, device(number))));
            }
        }
        views
    }

    /// The twins of up to `limit` modules after an id, ordered by device and module.
    #[must_use]
    pub fn module_twins_after(&self, after: Option<&TwinId>, limit: usize) -> Vec<Twin> {
        let from = after.map_or(Bound::Unbounded, |after| Bound::Included(after.device.as_str()));
        // Synthetic devices have no modules until they are touched, and are in memory from then on.
        self.devices
            .range::<str, _>((from, Bound::Unbounded))
            .flat_map(|(device, made)| {
                made.modules.iter().map(move |(module, record)| (TwinId::module(device, module), record))
            })
            .filter(|(id, _)| after.is_none_or(|after| id > after))
            .take(limit)
            .map(|(id, record)| record.twin(&id))
            .collect()
    }

    /// The device, made real if it was synthetic.
    fn device_mut(&mut self, id: &str) -> Option<&mut Device> {
        if !self.devices.contains_key(id) {
            let number = self.synthetic.living(id)?;
            let device = self.synthetic.device(number, Keys::Derived);
            self.insert_device(id, device);
        }
        self.devices.get_mut(id).map(Box::as_mut)
    }

    /// For changes that move no counter and need not be kept: connection state, last activity, model id.
    pub fn record_mut(&mut self, id: &TwinId) -> Option<&mut Record> {
        self.note_record(id);
        let device = self.device_mut(&id.device)?;
        match &id.module {
            None => Some(&mut device.record),
            Some(module) => device.modules.get_mut(module),
        }
    }

    fn insert_device(&mut self, id: &str, device: Device) {
        self.note_device(id);
        let modules = device.modules.len();
        if let Some(before) = self.devices.insert(id.to_owned(), Box::new(device)) {
            self.modules -= before.modules.len();
        } else if self.synthetic.living(id).is_some() {
            self.shadowed += 1;
        }
        self.modules += modules;
    }

    fn remove_device(&mut self, id: &str) -> Option<Device> {
        self.note_device(id);
        let device = match self.devices.remove(id) {
            Some(device) => {
                self.modules -= device.modules.len();
                self.shadowed -= usize::from(self.synthetic.living(id).is_some());
                *device
            }
            None => self.synthetic.device(self.synthetic.living(id)?, Keys::LeftOut),
        };
        if let Some(number) = self.synthetic.number(id) {
            self.synthetic.gone.insert(number);
        }
        Some(device)
    }

    /// A generation id no identity had before: the time in ticks, moved on if two share it.
    fn next_generation(&mut self, ticks: u64) -> u64 {
        self.last_generation = ticks.max(self.last_generation + 1);
        self.last_generation
    }
}

/// A notice for the log.
fn happened(id: &TwinId, now: &Moment, what: What) -> Notice {
    Notice::Happened { id: id.clone(), time: now.text.clone(), what: Box::new(what) }
}

fn no_twin(id: &TwinId) -> Refused {
    Refused { code: ErrorCode::DEVICE_NOT_FOUND, message: id.to_string() }
}

fn invalid(message: impl Into<String>) -> Refused {
    Refused { code: ErrorCode::ARGUMENT_INVALID, message: message.into() }
}
