//! The index that queries and statistics read. The real hub's is eventually consistent: a new device was seen in it after
//! about 1.4 s, and a deleted one still after 25 minutes. Ours follows at once, or on request so much later.
//!
//! A late index is a registry of its own, brought up to date by a queue of what changed and when that is due. Nothing runs in
//! the background: whoever writes or reads moves it on. Synthetic devices cost nothing here either, until they are touched.

use super::registry::{Record, Registry};
use crate::twin::TwinId;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Changes that may wait. Beyond, the oldest show early: a lag is no reason to fill the memory.
const WAITING_MAX: usize = 100_000;

/// The fleet as it was a while ago.
pub struct Index {
    lag: Duration,
    late: Mutex<Late>,
}

struct Late {
    registry: Registry,
    /// In the order of the changes, which is that of the times they are due.
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    due: Instant,
    id: TwinId,
    /// What the identity became; `None` when it went away.
    record: Option<Box<Record>>,
}

impl Index {
    /// An index that begins with what the registry holds and stays `lag` behind it; `None` for a lag of zero, which needs
    /// none.
    #[must_use]
    pub fn behind(registry: &Registry, lag: Duration) -> Option<Self> {
        let late = || Late { registry: registry.clone(), waiting: VecDeque::new() };
        (!lag.is_zero()).then(|| Self { lag, late: Mutex::new(late()) })
    }

    /// Takes down what became of identities. Call it while holding the registry's lock, so that the order is that of the
    /// changes.
    pub fn note<'a>(&self, registry: &Registry, ids: impl IntoIterator<Item = &'a TwinId>, now: Instant) {
        let due = now + self.lag;
        self.with(now, |late| {
            for id in ids {
                let record = registry.record(id).map(|record| Box::new(record.into_owned()));
                late.waiting.push_back(Waiting { due, id: id.clone(), record });
            }
        });
    }

    /// Looks something up in the fleet as it was. The work is done under a lock of the index: keep it short.
    pub fn read<T>(&self, now: Instant, look: impl FnOnce(&Registry) -> T) -> T {
        self.with(now, |late| look(&late.registry))
    }

    /// Shows what is due, before and after the work.
    fn with<T>(&self, now: Instant, work: impl FnOnce(&mut Late) -> T) -> T {
        // Every step either finishes or changes nothing, so one that panicked left it whole.
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        late.show(now);
        let value = work(&mut late);
        late.show(now);
        value
    }
}

impl Late {
    fn show(&mut self, now: Instant) {
        while self.waiting.len() > WAITING_MAX || self.waiting.front().is_some_and(|first| first.due <= now) {
            let Some(Waiting { id, record, .. }) = self.waiting.pop_front() else { return };
            self.registry.follow(&id, record.map(|record| *record));
        }
    }
}
