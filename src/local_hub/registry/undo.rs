//! What a change found before it, so that a change that could not be kept can be taken back.

use super::record::{Device, Record};
use super::{Registry, Synthetic};
use crate::twin::TwinId;

/// How something was before it was changed.
#[derive(Debug, Clone)]
pub enum Before {
    /// The record of an identity; `None`: there was no such module.
    Record(TwinId, Option<Box<Record>>),
    /// A device with its modules; `None`: it was not in memory, and a synthetic one is computed.
    Device {
        id: String,
        device: Option<Box<Device>>,
        /// Whether the synthetic device of that id was deleted.
        gone: bool,
    },
}

impl Registry {
    /// Takes down from now on how things were before they are changed.
    pub fn begin(&mut self) {
        self.journal = Some(Vec::new());
    }

    /// What changed since [`Registry::begin`], the oldest change first.
    pub fn end(&mut self) -> Vec<Before> {
        self.journal.take().unwrap_or_default()
    }

    pub(super) fn note_record(&mut self, id: &TwinId) {
        let Some(journal) = &self.journal else { return };
        let known = |before: &Before| matches!(before, Before::Record(known, _) if known == id);
        // The first is what counts, unless the device around it was replaced since.
        if journal.last().is_some_and(known) {
            return;
        }
        let device = self.devices.get(&id.device);
        let record = match &id.module {
            None => device.map(|device| &device.record),
            Some(module) => device.and_then(|device| device.modules.get(module)),
        };
        // A synthetic device that is not in memory is noted as a device when it is made real.
        let before = match (record, &id.module) {
            (Some(record), _) => Some(Some(Box::new(record.clone()))),
            (None, Some(_)) => Some(None),
            (None, None) => None,
        };
        if let (Some(journal), Some(before)) = (&mut self.journal, before) {
            journal.push(Before::Record(id.clone(), before));
        }
    }

    pub(super) fn note_device(&mut self, id: &str) {
        if self.journal.is_none() {
            return;
        }
        let device = self.devices.get(id).cloned();
        let gone = self.synthetic.number(id).is_some_and(|number| self.synthetic.gone.contains(&number));
        if let Some(journal) = &mut self.journal {
            journal.push(Before::Device { id: id.to_owned(), device, gone });
        }
    }

    /// Takes a change back: the last one first. What moves without being kept (connection state, activity, waiting messages)
    /// stays as it is now. The ids whose records are others now.
    pub fn undo(&mut self, before: Before) -> Vec<TwinId> {
        match before {
            Before::Record(id, record) => {
                self.undo_record(&id, record.map(|record| *record));
                vec![id]
            }
            Before::Device { id, device, gone } => self.undo_device(&id, device, gone),
        }
    }

    fn undo_record(&mut self, id: &TwinId, before: Option<Record>) {
        let Some(device) = self.devices.get_mut(&id.device) else { return };
        match (&id.module, before) {
            (None, Some(before)) => device.record = before.with_state_of(&device.record),
            (None, None) => {}
            (Some(module), Some(mut before)) => {
                if let Some(now) = device.modules.get(module) {
                    before = before.with_state_of(now);
                }
                let was_there = device.modules.insert(module.clone(), before).is_some();
                self.modules += usize::from(!was_there);
            }
            (Some(module), None) => self.modules -= usize::from(device.modules.remove(module).is_some()),
        }
    }

    fn undo_device(&mut self, id: &str, before: Option<Box<Device>>, gone: bool) -> Vec<TwinId> {
        let stands_for = |devices: bool, synthetic: &Synthetic| usize::from(devices && synthetic.living(id).is_some());
        let shadowed = stands_for(self.devices.contains_key(id), &self.synthetic);
        let now = self.devices.remove(id);
        let mut ids: Vec<TwinId> = vec![TwinId::device(id)];
        for device in now.iter().chain(&before) {
            ids.extend(device.modules.keys().map(|module| TwinId::module(id, module)));
        }
        ids.sort_unstable();
        ids.dedup();
        self.modules -= now.as_ref().map_or(0, |device| device.modules.len());
        if let Some(number) = self.synthetic.number(id) {
            if gone {
                self.synthetic.gone.insert(number);
            } else {
                self.synthetic.gone.remove(&number);
            }
        }
        if let Some(mut device) = before {
            if let Some(now) = now {
                device.record = device.record.with_state_of(&now.record);
                device.modules = std::mem::take(&mut device.modules)
                    .into_iter()
                    .map(|(id, record)| match now.modules.get(&id) {
                        Some(now) => (id, record.with_state_of(now)),
                        None => (id, record),
                    })
                    .collect();
            }
            self.modules += device.modules.len();
            self.devices.insert(id.to_owned(), device);
        }
        self.shadowed -= shadowed;
        self.shadowed += stands_for(self.devices.contains_key(id), &self.synthetic);
        ids
    }
}
