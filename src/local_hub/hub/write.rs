//! Changes: the registry is changed under its lock, the change is queued under it too, and acknowledged when it is kept.
//!
//! What could not be kept is taken back: whoever takes the lock next finds the registry as it was kept last. So nobody is ever
//! shown for long what was not acknowledged, and reads go on while the disk is full.

use super::{Hub, Refused};
use crate::local_hub::clock::Moment;
use crate::local_hub::commit::{IfFailed, Item, NotKept, Number, Writes};
use crate::local_hub::registry::{Before, Change, Notice, Registry};
use crate::protocol::error::ErrorCode;
use crate::twin::TwinId;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{MutexGuard, PoisonError};
use tokio::sync::oneshot::Receiver;

/// The registry, and how to take back what is not kept yet.
pub(super) struct Guarded {
    pub(super) registry: Registry,
    /// Changes under way, the oldest first: their numbers, and how things were before them.
    under_way: VecDeque<(u64, Vec<Before>)>,
    /// Of changes made now.
    number: Number,
}

/// A change on its way to the file.
struct Queued {
    kept: Receiver<Result<(), NotKept>>,
    /// The devices that are gone when it is kept.
    gone: Vec<String>,
}

impl Guarded {
    pub(super) fn new(registry: Registry) -> Self {
        Self { registry, under_way: VecDeque::new(), number: Number { epoch: 1, change: 0 } }
    }
}

impl Hub {
    /// Whether the hub serves at all.
    ///
    /// # Errors
    /// 500001 when it is stopping, or what keeps its data came to an unexpected end.
    pub fn sound(&self) -> Result<(), Refused> {
        if self.committer.has_ended() { Err(stopping()) } else { Ok(()) }
    }

    /// Whether the last try to keep something succeeded.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        self.committer.takes_writes()
    }

    /// Whether changes can be kept; tries it if the last one could not.
    ///
    /// # Errors
    /// 500001 when the data file cannot be written now, or the hub is stopping.
    pub async fn takes_changes(&self) -> Result<(), Refused> {
        if self.committer.tries_to_write().await {
            return Ok(());
        }
        self.sound()?;
        Err(cannot_write())
    }

    /// Changes something; returns when the change is kept and the connections were told. If the caller goes away meanwhile,
    /// the change stands.
    ///
    /// # Errors
    /// What `work` refuses; 500001 when the data file cannot be written, or the hub is stopping: then the change is taken back.
    pub async fn write<T>(
        &self,
        work: impl FnOnce(&mut Registry, &Moment) -> Result<(T, Change), Refused>,
    ) -> Result<T, Refused> {
        self.takes_changes().await?;
        let (value, queued) = self.change(work)?;
        kept_or(queued.kept).await?;
        for device in &queued.gone {
            self.messages.forget(self, device);
        }
        Ok(value)
    }

    /// Changes the registry and queues the change.
    fn change<T>(
        &self,
        work: impl FnOnce(&mut Registry, &Moment) -> Result<(T, Change), Refused>,
    ) -> Result<(T, Queued), Refused> {
        let mut state = self.lock();
        if !self.committer.takes_writes() {
            return Err(cannot_write());
        }
        let keeps = self.committer.keeps();
        if keeps {
            state.registry.begin();
        }
        let worked = work(&mut state.registry, &self.clock.now());
        let before = state.registry.end();
        let (value, change) = worked?;
        self.note(&state.registry, &change.writes);
        let gone: Vec<String> = change.notices.iter().filter_map(Notice::deleted_device).collect();
        let writes = change.writes.into_iter().filter(|_| keeps).map(|id| {
            let kept = state.registry.kept(&id);
            (id, kept)
        });
        let writes = Writes { identities: writes.collect(), items: Vec::new() };
        state.number.change += 1;
        let number = state.number;
        if keeps {
            state.under_way.push_back((number.change, before));
        }
        // Under the lock still: the committer's order is the order of the changes.
        Ok((value, Queued { kept: self.committer.submit(number, writes, change.notices), gone }))
    }

    /// Has something kept beside identities. The order of calls is the order of keeping: call it under the lock that guards what
    /// the items tell of, and wait after giving it back. What is not waited for is kept all the same.
    ///
    /// # Errors
    /// The future's: 500001 when the data file cannot be written, or the hub is stopping. The caller then takes back what the items
    /// tell of.
    pub fn keep(&self, items: Vec<Item>) -> impl Future<Output = Result<(), Refused>> + Send + use<> {
        kept_or(self.committer.keep(items, IfFailed::Drop))
    }

    /// As [`Hub::keep`], for what is not taken back: it is kept later.
    ///
    /// # Errors
    /// The future's: 500001 when it is not kept yet.
    pub fn keep_or_owe(&self, items: Vec<Item>) -> impl Future<Output = Result<(), Refused>> + Send + use<> {
        kept_or(self.committer.keep(items, IfFailed::Owe))
    }

    /// As [`Hub::keep`], for what nobody waits for: it is kept now, or when the data file can be written again.
    pub fn owe(&self, items: Vec<Item>) {
        self.committer.owe(Writes { identities: Vec::new(), items });
    }

    /// The registry changes by functions that either finish or change nothing, so one that panicked left it whole.
    pub(super) fn lock(&self) -> MutexGuard<'_, Guarded> {
        let mut state = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        if self.committer.keeps() {
            self.settle(&mut state);
        }
        state
    }

    /// Lets go of what is kept, and takes back what will never be.
    fn settle(&self, state: &mut Guarded) {
        let (kept, fallen) = self.committer.fallen();
        while state.under_way.front().is_some_and(|(number, _)| *number <= kept) {
            state.under_way.pop_front();
        }
        if state.number.epoch > fallen {
            return;
        }
        state.number.epoch = fallen + 1;
        // A change that panicked may have left its own.
        state.registry.end();
        let mut ids = BTreeSet::new();
        while let Some((_, before)) = state.under_way.pop_back() {
            for before in before.into_iter().rev() {
                ids.extend(state.registry.undo(before));
            }
        }
        for id in &ids {
            self.reconnect(&mut state.registry, id);
        }
        self.note(&state.registry, &ids);
        // The file may have what was reported as failed: what is told to be true is written over it.
        let identities = ids.into_iter().map(|id| {
            let kept = state.registry.kept(&id);
            (id, kept)
        });
        self.committer.owe(Writes { identities: identities.collect(), items: Vec::new() });
    }

    /// A connection may have come or gone while the identity was not there.
    fn reconnect(&self, registry: &mut Registry, id: &TwinId) {
        let Some(record) = registry.record(id) else { return };
        let connected = self.sessions.gone(id, &record.generation).is_some();
        if record.connected != connected
            && let Some(record) = registry.record_mut(id)
        {
            record.connected = connected;
        }
    }
}

async fn kept_or(kept: Receiver<Result<(), NotKept>>) -> Result<(), Refused> {
    match kept.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(cannot_write()),
        Err(_) => Err(stopping()),
    }
}

fn cannot_write() -> Refused {
    let message = "the hub cannot write its data now, and has changed nothing: its log says why".to_owned();
    Refused { code: ErrorCode::SERVER_ERROR, message }
}

fn stopping() -> Refused {
    let message = "the hub keeps nothing any more: it is stopping, or its log says why".to_owned();
    Refused { code: ErrorCode::SERVER_ERROR, message }
}
