//! The index that queries and statistics read. The real hub's is eventually consistent: a new device was seen in it after
//! about 1.4 s, and a deleted one still after 25 minutes. Ours follows at once, or on request so much later.
//!
//! A late index is a registry of its own, brought up to date by a queue of what changed and when that is due. Nothing runs in
//! the background: whoever writes or reads moves it on. Synthetic devices cost nothing here either, until they are touched.

use super::events::map_size;
use super::registry::{Document, Record, Registry};
use crate::twin::TwinId;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Changes that may wait. Beyond, the oldest show early: a lag is no reason to fill the memory.
const WAITING_MAX: usize = 100_000;
/// Bytes that may wait, roughly counted; beyond, likewise.
const BYTES_MAX: usize = 256 * 1024 * 1024;

/// The fleet as it was a while ago.
pub struct Index {
    lag: Duration,
    late: Mutex<Late>,
}

struct Late {
    registry: Registry,
    /// In the order of the changes, which is that of the times they are due.
    waiting: VecDeque<Waiting>,
    /// Of what waits, roughly.
    bytes: usize,
}

struct Waiting {
    due: Instant,
    id: TwinId,
    what: Became,
    bytes: usize,
}

/// What an identity became.
enum Became {
    This(Box<Record>),
    /// The same, but for what [`Hub::touch`](super::hub::Hub) changes: devices send often, and their twins are large.
    Touched(Box<Touched>),
    Gone,
}

struct Touched {
    connected: bool,
    messages: usize,
    connection_updated: String,
    last_activity: String,
    model_id: Option<String>,
}

impl Touched {
    fn of(record: &Record) -> Self {
        Self {
            connected: record.connected,
            messages: record.messages,
            connection_updated: record.connection_updated.clone(),
            last_activity: record.last_activity.clone(),
            model_id: record.model_id.clone(),
        }
    }

    fn put(self, record: &mut Record) {
        let Self { connected, messages, connection_updated, last_activity, model_id } = self;
        (record.connected, record.messages, record.model_id) = (connected, messages, model_id);
        (record.connection_updated, record.last_activity) = (connection_updated, last_activity);
    }
}

impl Index {
    /// An index that begins with what the registry holds and stays `lag` behind it; `None` for a lag of zero, which needs
    /// none.
    #[must_use]
    pub fn behind(registry: &Registry, lag: Duration) -> Option<Self> {
        let late = || Late { registry: registry.clone(), waiting: VecDeque::new(), bytes: 0 };
        (!lag.is_zero()).then(|| Self { lag, late: Mutex::new(late()) })
    }

    /// Takes down what became of identities. Call it while holding the registry's lock, so that the order is that of the
    /// changes.
    pub fn note<'a>(&self, registry: &Registry, ids: impl IntoIterator<Item = &'a TwinId>, now: Instant) {
        self.with(now, |late| {
            for id in ids {
                let what =
                    registry.record(id).map_or(Became::Gone, |record| Became::This(Box::new(record.into_owned())));
                late.wait(now + self.lag, id, what);
            }
        });
    }

    /// As [`Index::note`], when nothing but connection state, activity, messages and model changed.
    pub fn note_touch(&self, record: &Record, id: &TwinId, now: Instant) {
        self.with(now, |late| late.wait(now + self.lag, id, Became::Touched(Box::new(Touched::of(record)))));
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
    fn wait(&mut self, due: Instant, id: &TwinId, what: Became) {
        let bytes = OVERHEAD + if let Became::This(record) = &what { record_size(record) } else { 0 };
        self.bytes += bytes;
        self.waiting.push_back(Waiting { due, id: id.clone(), what, bytes });
    }

    fn show(&mut self, now: Instant) {
        while self.waiting.len() > WAITING_MAX
            || self.bytes > BYTES_MAX
            || self.waiting.front().is_some_and(|first| first.due <= now)
        {
            let Some(Waiting { id, what, bytes, .. }) = self.waiting.pop_front() else { return };
            self.bytes -= bytes;
            match what {
                Became::This(record) => self.registry.follow(&id, Some(*record)),
                Became::Gone => self.registry.follow(&id, None),
                Became::Touched(touched) => {
                    if let Some(record) = self.registry.record_mut(&id) {
                        touched.put(record);
                    }
                }
            }
        }
    }
}

/// What a change takes beside its twin.
const OVERHEAD: usize = 1024;

fn record_size(record: &Record) -> usize {
    let document = |document: &Document| map_size(&document.values) + map_size(&document.metadata);
    map_size(&record.tags) + document(&record.desired) + document(&record.reported)
}
