//! One hub, shared by its sockets: takes the lock, changes the registry, commits, then tells the connections that must know.
//!
//! This is the seam between the REST face and the MQTT face. `admission` decides who may connect; `telemetry` keeps the last
//! of what devices sent.

mod admission;
mod telemetry;

pub use admission::Admission;

use super::Tuning;
use super::clock::{Clock, Moment};
use super::commit::{Committer, Item, Writes};
use super::events::Log;
use super::faults::Faults;
use super::index::Index;
use super::jobs::Jobs;
use super::messages::Messages;
use super::methods::Calls;
use super::mqtt::Sessions;
use super::policies::Policies;
use super::registry::{Change, Notice, Record, Registry};
use super::store::Items;
use super::x509::Authorities;
use crate::protocol::error::ErrorCode;
use crate::protocol::event::What;
use crate::twin::{ConnectionState, Json, TwinId};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    registry: Mutex<Registry>,
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
            drop(committer.submit(Writes { identities: Vec::new(), items: gone }, Vec::new()));
        }
        let clock = Clock::default();
        let faults = Faults::new(&tuning.faults, &clock);
        Self {
            index: Index::behind(&registry, tuning.index_lag),
            registry: Mutex::new(registry),
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
        look(&self.lock())
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
        let mut registry = self.lock();
        let record = registry.record_mut(id)?;
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

    /// Whether what is in memory is what is kept. After a write that could not be kept it is not, and nobody may rely on it.
    ///
    /// # Errors
    /// 500001 when the data file could not be written, or the hub is stopping.
    pub fn sound(&self) -> Result<(), Refused> {
        if self.committer.takes_writes() { Ok(()) } else { Err(lost()) }
    }

    /// Changes something; returns when the change is kept and the connections were told. If the caller goes away meanwhile,
    /// the change stands.
    ///
    /// # Errors
    /// What `work` refuses; 500001 when the data file cannot be written, or the hub is stopping.
    pub async fn write<T>(
        &self,
        work: impl FnOnce(&mut Registry, &Moment) -> Result<(T, Change), Refused>,
    ) -> Result<T, Refused> {
        let (value, kept, gone) = {
            let mut registry = self.lock();
            self.sound()?;
            let (value, change) = work(&mut registry, &self.clock.now())?;
            self.note(&registry, &change.writes);
            let gone: Vec<String> = change.notices.iter().filter_map(Notice::deleted_device).collect();
            let writes = change.writes.into_iter().filter(|_| self.committer.keeps()).map(|id| {
                let kept = registry.kept(&id);
                (id, kept)
            });
            // Under the lock still: the committer's order is the order of the changes.
            let writes = Writes { identities: writes.collect(), items: Vec::new() };
            (value, self.committer.submit(writes, change.notices), gone)
        };
        for device in &gone {
            self.messages.forget(self, device);
        }
        match kept.await {
            Ok(Ok(())) => Ok(value),
            Ok(Err(_)) | Err(_) => Err(lost()),
        }
    }

    /// Has something kept beside identities. The order of calls is the order of keeping: call it under the lock that guards what
    /// the items tell of, and wait after giving it back. What is not waited for is kept all the same.
    ///
    /// # Errors
    /// The future's: 500001 when the data file cannot be written, or the hub is stopping.
    pub fn keep(&self, items: Vec<Item>) -> impl Future<Output = Result<(), Refused>> + Send + use<> {
        let kept = self.committer.submit(Writes { identities: Vec::new(), items }, Vec::new());
        async move {
            match kept.await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) | Err(_) => Err(lost()),
            }
        }
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

    /// The registry changes by functions that either finish or change nothing, so one that panicked left it whole.
    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lost() -> Refused {
    let message = "the hub keeps nothing any more: it is stopping, or its log says why".to_owned();
    Refused { code: ErrorCode::SERVER_ERROR, message }
}

fn set_connected(record: &mut Record, state: ConnectionState, now: String) {
    record.connected = state == ConnectionState::Connected;
    record.connection_updated.clone_from(&now);
    record.last_activity = now;
}
