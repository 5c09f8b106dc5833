//! The way to the window: events one by one, records of HTTP exchanges in batches.

use super::event::{Event, Fact, Failure, Outcome};
use super::{Key, Wake};
use crate::client::hub::{Observer, RequestRecord};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc};
use tokio::task::futures::TaskLocalFuture;

tokio::task_local! {
    /// The request that a task works for.
    static ASKED: Key;
}

/// Whatever waits inside tells that it does so for this request.
pub(super) fn on_behalf<F: Future>(key: Key, work: F) -> TaskLocalFuture<Key, F> {
    ASKED.scope(key, work)
}

fn asked() -> Option<Key> {
    ASKED.try_with(|key| *key).ok()
}

/// Records are told at most this often.
const BATCH_EVERY: Duration = Duration::from_millis(50);
/// Records waiting at most; older ones go first. The window keeps fewer.
const RECORDS_MAX: usize = 2_000;

/// Queues events and wakes the window. Cheap to clone.
#[derive(Clone)]
pub(super) struct Out {
    events: mpsc::Sender<Event>,
    bell: std::sync::mpsc::SyncSender<()>,
    wake: Wake,
}

impl Out {
    pub(super) fn new(events: mpsc::Sender<Event>, bell: std::sync::mpsc::SyncSender<()>, wake: Wake) -> Self {
        Self { events, bell, wake }
    }

    /// Waits for room. When the window is gone, nothing happens.
    pub(super) async fn fact(&self, fact: Fact) {
        self.send(Event::Fact(fact)).await;
    }

    pub(super) async fn notice(&self, sentence: impl Into<String>) {
        self.fact(Fact::Notice(sentence.into())).await;
    }

    /// The request this task works for waits because the hub throttles.
    pub(super) async fn throttled(&self, wait: Duration) {
        if let Some(key) = asked() {
            self.fact(Fact::Waiting { key, wait, status: Some(429) }).await;
        }
    }

    pub(super) async fn done(&self, key: Key, outcome: Result<Outcome, Failure>) {
        self.send(Event::Done { key, outcome }).await;
    }

    /// Tells that nothing will ever be told.
    pub(super) fn stillborn(&self, why: &str) {
        for event in [
            Event::Fact(Fact::LocalHub(Err(why.to_owned()))),
            Event::Done { key: Key(0), outcome: Err(Failure::Local(why.to_owned())) },
        ] {
            if self.events.try_send(event).is_ok() {
                self.ring();
            }
        }
    }

    async fn send(&self, event: Event) {
        tracing::trace!(?event, "to the window");
        if self.events.send(event).await.is_ok() {
            self.ring();
        }
    }

    fn ring(&self) {
        // A full bell is ringing already.
        self.bell.try_send(()).ok();
        (self.wake)();
    }
}

/// A request that waits for its next try: until when, and the status it got.
type Pause = (Key, Instant, Option<u16>);

/// Gathers the records of HTTP exchanges from whichever thread they come.
#[derive(Clone, Default)]
pub(super) struct RequestLog {
    waiting: Arc<Mutex<VecDeque<RequestRecord>>>,
    paused: Arc<Mutex<Vec<Pause>>>,
    arrived: Arc<Notify>,
}

impl RequestLog {
    pub(super) fn observer(&self) -> Observer {
        let log = self.clone();
        Arc::new(move |record| {
            if let (Some(key), Some(wait)) = (asked(), record.again) {
                let mut paused = log.paused.lock().unwrap_or_else(PoisonError::into_inner);
                paused.retain(|(before, ..)| *before != key);
                paused.push((key, Instant::now() + wait, record.status));
            }
            let mut waiting = log.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.len() == RECORDS_MAX {
                waiting.pop_front();
            }
            waiting.push_back(record);
            drop(waiting);
            log.arrived.notify_one();
        })
    }

    /// Tells what was gathered, batch by batch, without end.
    pub(super) async fn tell(self, out: Out) {
        loop {
            self.arrived.notified().await;
            tokio::time::sleep(BATCH_EVERY).await;
            let batch: Vec<_> = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
            let paused = std::mem::take(&mut *self.paused.lock().unwrap_or_else(PoisonError::into_inner));
            for (key, until, status) in paused {
                let wait = until.saturating_duration_since(Instant::now());
                out.fact(Fact::Waiting { key, wait, status }).await;
            }
            if !batch.is_empty() {
                out.fact(Fact::Requests(batch)).await;
            }
        }
    }
}
