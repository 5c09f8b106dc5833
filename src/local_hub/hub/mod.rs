//! One hub, shared by its sockets: takes the lock, changes the registry, commits, then tells the connections that must know.
//!
//! This is the seam between the REST face and the MQTT face. `admission` decides who may connect; `telemetry` keeps the last
//! of what devices sent; `write` changes the registry, and takes back what could not be kept.

mod admission;
mod telemetry;
mod write;

pub use admission::Admission;

use super::Tuning;
use super::clock::Clock;
use super::commit::{Committer, Writes};
use super::events::Log;
use super::faults::Faults;
use super::index::Index;
use super::jobs::Jobs;
use super::messages::Messages;
use super::methods::Calls;
use super::mqtt::Sessions;
use super::policies::Policies;
use super::registry::{Record, Registry};
use super::store::Items;
use super::x509::Authorities;
use crate::protocol::error::ErrorCode;
use crate::protocol::event::What;
use crate::twin::{ConnectionState, Json, TwinId};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Bytes of a model id worth keeping: the DTMI of an interface has at most 128 characters, all ASCII.
const MODEL_ID_MAX: usize = 256;

/// Why an operation is refused. `message` is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub code: ErrorCode,
    pub message: String,
}

/// What a hub is made of.
pub struct Parts {
    pub registry: Registry,
    pub policies: Policies,
    /// Tells `sessions` what changed.
    pub committer: Committer,
    pub sessions: Arc<Sessions>,
    /// What the committer tells of twins and identities goes in here too.
    pub events: Arc<Log>,
    pub tuning: Tuning,
    /// What was kept beside identities.
    pub items: Items,
    /// Who signs client certificates.
    pub authorities: Authorities,
}

pub struct Hub {
    registry: Mutex<write::Guarded>,
    /// What queries read; `None` when that is the registry itself.
    index: Option<Index>,
    policies: Policies,
    authorities: Authorities,
    committer: Committer,
    sessions: Arc<Sessions>,
    clock: Clock,
    tuning: Tuning,
    events: Arc<Log>,
    calls: Calls,
    messages: Messages,
    jobs: Jobs,
    faults: Faults,
}

impl Hub {
    /// A hub over what was loaded or seeded.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { mut registry, policies, committer, sessions, events, tuning, items, authorities } = parts;
        let mut gone = sessions.restore(&items, |id| registry.record(id).map(|record| record.generation.clone()));
        let messages = Messages::restore(&items);
        gone.extend(messages.settle(&mut registry));
        if !gone.is_empty() {
            // Nobody waits for it: what stays in the file is told apart at the next start too.
            committer.owe(Writes { identities: Vec::new(), items: gone });
        }
        let clock = Clock::default();
        let faults = Faults::new(&tuning.faults, &clock);
        Self {
            index: Index::behind(&registry, tuning.index_lag),
            registry: Mutex::new(write::Guarded::new(registry)),
            policies,
            authorities,
            committer,
            sessions,
            clock,
            events,
            calls: Calls::default(),
            messages,
            jobs: Jobs::restore(&items),
            faults,
            tuning,
        }
    }

    /// Direct methods that wait for an answer.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Cloud-to-device messages, and the feedback about them.
    #[must_use]
    pub fn messages(&self) -> &Messages {
        &self.messages
    }

    #[must_use]
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// What goes wrong on purpose.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    #[must_use]
    pub fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    /// What happened, the last of it.
    #[must_use]
    pub fn events(&self) -> &Log {
        &self.events
    }

    /// Something happened just now.
    pub fn happened(&self, id: &TwinId, what: What) {
        self.events.note(id, self.now_text(), what);
    }

    /// The one clock of the hub, which may be told to go wrong.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The MQTT side's state: who is connected, kept subscriptions.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    #[must_use]
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Seconds since 1970, from the one clock the hub uses.
    #[must_use]
    pub fn now_s(&self) -> u64 {
        self.clock.now().seconds
    }

    /// UTC now, ISO 8601 with 7 fractional digits and `Z`.
    #[must_use]
    pub fn now_text(&self) -> String {
        self.clock.now().text
    }

    /// Looks something up. The work is done under the lock: keep it short.
    pub fn read<T>(&self, look: impl FnOnce(&Registry) -> T) -> T {
        look(&self.lock().registry)
    }

    /// As [`Hub::read`], in the fleet as queries see it: [`Tuning::index_lag`] ago.
    pub fn read_index<T>(&self, look: impl FnOnce(&Registry) -> T) -> T {
        match &self.index {
            Some(index) => index.read(Instant::now(), look),
            None => self.read(look),
        }
    }

    /// Tells the index what became of identities.
    fn note<'a>(&self, registry: &Registry, ids: impl IntoIterator<Item = &'a TwinId>) {
        if let Some(index) = &self.index {
            index.note(registry, ids, Instant::now());
        }
    }

    /// Changes what moves no counter and need not be kept: connection state, last activity, model id. `None` when the
    /// identity is gone, or the work has nothing to do.
    pub(in crate::local_hub) fn touch<T>(&self, id: &TwinId, work: impl FnOnce(&mut Record) -> Option<T>) -> Option<T> {
        let mut state = self.lock();
        let record = state.registry.record_mut(id)?;
        let done = work(record)?;
        if let Some(index) = &self.index {
            index.note_touch(record, id, Instant::now());
        }
        Some(done)
    }

    /// As [`Hub::touch`], if the identity is of this generation still; whether it is.
    pub(in crate::local_hub) fn touch_as(&self, id: &TwinId, generation: &str, work: impl FnOnce(&mut Record)) -> bool {
        self.touch(id, |record| (record.generation == generation).then(|| work(record))).is_some()
    }

    /// Everything acknowledged is on disk and the data file is closed; later writes are refused.
    pub async fn close(&self) {
        self.committer.close().await;
    }

    /// The identity's own view: `{"desired":{…,"$version":n},"reported":{…,"$version":n}}`.
    ///
    /// # Errors
    /// When the identity is gone, and as [`Hub::sound`].
    pub fn device_view(&self, id: &TwinId) -> Result<Json, Refused> {
        self.sound()?;
        self.read(|registry| registry.record(id).map(|record| record.device_view()))
            .ok_or_else(|| Refused { code: ErrorCode::DEVICE_NOT_FOUND, message: id.to_string() })
    }

    /// As [`Hub::device_view`], for a connection that was opened for this generation of the identity.
    ///
    /// # Errors
    /// As there; 404 also when another identity was made under that id since.
    pub fn device_view_of(&self, id: &TwinId, generation: &str) -> Result<Json, Refused> {
        self.read(|registry| registry.check_generation(id, generation))?;
        self.device_view(id)
    }

    /// As [`Hub::report`], for a connection that was opened for this generation of the identity: its end may be a moment away when
    /// another identity has its id already.
    ///
    /// # Errors
    /// As there; 404 also when another identity was made under that id since.
    pub async fn report_of(
        &self,
        id: &TwinId,
        generation: &str,
        patch: &[u8],
        expected: Option<u64>,
    ) -> Result<u64, Refused> {
        let write = self.write(|registry, now| {
            registry.check_generation(id, generation)?;
            registry.report(id, patch, expected, now)
        });
        write.await
    }

    /// A reported PATCH as the device sent it; the new reported `$version`, once committed.
    ///
    /// # Errors
    /// 400 for malformed JSON or a broken rule, 412 for a stale `expected` version.
    pub async fn report(&self, id: &TwinId, patch: &[u8], expected: Option<u64>) -> Result<u64, Refused> {
        self.write(|registry, now| registry.report(id, patch, expected, now)).await
    }

    /// The identity's connection opened; moves `connectionState` and `lastActivityTime`, no counter. The generation of the
    /// identity it opened for, which [`Hub::disconnected`] wants back; `None` when the identity is gone.
    pub fn connected(&self, id: &TwinId) -> Option<String> {
        let generation = self.read(|registry| registry.generation(id))?;
        self.connected_as(id, &generation).then_some(generation)
    }

    /// As [`Hub::connected`], for this generation of the identity; `false` when that is gone.
    pub fn connected_as(&self, id: &TwinId, generation: &str) -> bool {
        let now = self.now_text();
        let opened = self.touch_as(id, generation, |record| {
            set_connected(record, ConnectionState::Connected, now.clone());
        });
        if opened {
            self.events.note(id, now, What::Connected);
        }
        opened
    }

    /// The connection closed. Its farewell may come after the identity was deleted and another made under its name, which then
    /// is none of its business.
    pub fn disconnected(&self, id: &TwinId, generation: &str) {
        let now = self.now_text();
        let closed = self.touch_as(id, generation, |record| {
            set_connected(record, ConnectionState::Disconnected, now.clone());
        });
        if closed {
            self.events.note(id, now, What::Disconnected);
        }
    }

    /// The model id a device announced in its user name; one that is too long to be one is ignored.
    pub fn set_model_id(&self, id: &TwinId, generation: &str, model_id: &str) {
        if model_id.len() > MODEL_ID_MAX {
            tracing::debug!(%id, bytes = model_id.len(), "a model id that is too long is ignored");
            return;
        }
        self.touch_as(id, generation, |record| {
            record.model_id = Some(model_id.to_owned()).filter(|model_id| !model_id.is_empty());
        });
    }
}

fn set_connected(record: &mut Record, state: ConnectionState, now: String) {
    record.connected = state == ConnectionState::Connected;
    record.connection_updated.clone_from(&now);
    record.last_activity = now;
}
