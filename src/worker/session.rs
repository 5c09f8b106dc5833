//! The one open hub: its client, what goes on by itself (watches, links), and whether it answers. Dropping a [`Session`] ends
//! its tasks and closes its sockets.

use super::act::{Acting, Link};
use super::event::{Fact, HubInfo, Reachability};
use super::journal::JournalDesk;
use super::lives::Lives;
use super::out::Out;
use super::watch::{Limiter, Mark};
use crate::client::link::{Dial, Receipt};
use crate::client::{HubClient, HubError, RetryPolicy, Trust, retry};
use crate::disk::journal::Seen;
use crate::protocol::connection_string::ConnectionString;
use crate::protocol::method::MethodAnswer;
use crate::twin::{Twin, TwinId};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinSet};

/// A hub that does not answer is asked again after up to this long, first much sooner.
const KNOCK_EVERY: Duration = Duration::from_secs(10);

/// What requests, watches and links share of an open hub.
pub(super) struct OpenHub {
    pub(super) info: HubInfo,
    /// Repeats what may be repeated: somebody waits for the answer.
    pub(super) client: HubClient,
    /// Tries once: its callers come back by themselves.
    pub(super) once: HubClient,
    pub(super) connection: ConnectionString,
    pub(super) trust: Trust,
    /// Where MQTT is, if not at the host's port 8883.
    pub(super) dial: Option<Dial>,
    pub(super) out: Out,
    pub(super) journal: Arc<JournalDesk>,
    pub(super) limiter: Limiter,
    /// What the window was last told of each twin.
    marks: Mutex<HashMap<TwinId, (Mark, Instant)>>,
    /// Tells the watch of a twin to look soon.
    nudges: Mutex<HashMap<TwinId, Arc<Notify>>>,
    /// Twins of which an event told that they moved, and which were not read since.
    told: Mutex<HashSet<TwinId>>,
    reach: watch::Sender<Reachability>,
    pub(super) lives: Lives,
}

impl OpenHub {
    pub(super) fn new(
        info: HubInfo,
        client: HubClient,
        connection: ConnectionString,
        trust: Trust,
        dial: Option<Dial>,
        journal: Arc<JournalDesk>,
        out: Out,
    ) -> Self {
        Self {
            info,
            once: client.clone().with_retry(RetryPolicy::never()),
            client,
            connection,
            trust,
            dial,
            out,
            journal,
            limiter: Limiter::default(),
            marks: Mutex::default(),
            nudges: Mutex::default(),
            told: Mutex::default(),
            reach: watch::Sender::new(Reachability::Online),
            lives: Lives::default(),
        }
    }

    /// Takes down whether the hub answered, and hands the answer on.
    pub(super) fn heard<T>(&self, answer: Result<T, HubError>) -> Result<T, HubError> {
        let now = match &answer {
            Err(HubError::Unreachable { reason, .. } | HubError::OutcomeUnknown { reason }) => {
                Reachability::Offline { reason: reason.clone() }
            }
            // Nothing was sent.
            Err(HubError::Trust(_) | HubError::NotAService) => return answer,
            Ok(_) | Err(_) => Reachability::Online,
        };
        self.reach.send_if_modified(|before| {
            let differs = std::mem::discriminant(before) != std::mem::discriminant(&now);
            if differs {
                *before = now;
            }
            differs
        });
        answer
    }

    pub(super) fn reach(&self) -> watch::Receiver<Reachability> {
        self.reach.subscribe()
    }

    /// The window is about to be told this version.
    pub(super) fn mark(&self, twin: &Arc<Twin>) {
        lock(&self.marks).insert(twin.id.clone(), (Mark::of(twin), Instant::now()));
    }

    /// What the window was last told of a twin, and when.
    pub(super) fn marked(&self, id: &TwinId) -> Option<(Mark, Instant)> {
        lock(&self.marks).get(id).cloned()
    }

    /// Something is about to happen to this twin: its watch looks soon.
    pub(super) fn nudge(&self, id: &TwinId) {
        if let Some(nudge) = lock(&self.nudges).get(id) {
            nudge.notify_one();
        }
    }

    /// An event told that a twin moved: its watch, if it has one, looks soon.
    pub(super) fn event_told(&self, id: &TwinId) {
        if lock(&self.nudges).contains_key(id) {
            lock(&self.told).insert(id.clone());
            self.nudge(id);
        }
    }

    /// By what way the watch came to look.
    pub(super) fn why_read(&self, id: &TwinId) -> Seen {
        if lock(&self.told).remove(id) { Seen::Event } else { Seen::Watch }
    }

    /// Tells when the hub stops answering and when it answers again; asks by itself while it does not.
    async fn mind_reachability(self: Arc<Self>) {
        let mut reach = self.reach();
        while reach.changed().await.is_ok() {
            let now = reach.borrow_and_update().clone();
            let offline = matches!(now, Reachability::Offline { .. });
            self.out.fact(Fact::HubReachable(now)).await;
            let mut attempt = 1;
            while offline && !reach.has_changed().unwrap_or(true) {
                tokio::select! {
                    () = tokio::time::sleep(retry::backoff(Duration::from_secs(1), KNOCK_EVERY, attempt)) => {
                        // Whatever it answers, it answers.
                        drop(self.heard(self.once.statistics().await));
                    }
                    // A clone sees the change; the original still has it before it, for the outer loop.
                    () = changed(reach.clone()) => {}
                }
                attempt += 1;
            }
        }
    }
}

async fn changed(mut reach: watch::Receiver<Reachability>) {
    drop(reach.changed().await);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Maps of plain values are whole even if a thread died holding the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An open hub and everything that lives as long as it is open.
pub(super) struct Session {
    pub(super) hub: Arc<OpenHub>,
    watches: HashMap<TwinId, AbortHandle>,
    acting: HashMap<TwinId, Acting>,
    /// Follows the event stream.
    events: Option<AbortHandle>,
    /// Watches, links and the reachability: dropping the set ends them.
    tasks: JoinSet<()>,
}

impl Session {
    pub(super) fn new(hub: Arc<OpenHub>) -> Self {
        let mut tasks = JoinSet::new();
        tasks.spawn(hub.clone().mind_reachability());
        Self { hub, watches: HashMap::new(), acting: HashMap::new(), events: None, tasks }
    }

    /// Watches a twin; one that is watched already goes on undisturbed.
    pub(super) fn watch(&mut self, id: TwinId) {
        self.reap();
        if self.watches.get(&id).is_some_and(|watch| !watch.is_finished()) {
            return;
        }
        let nudge = Arc::new(Notify::new());
        lock(&self.hub.nudges).insert(id.clone(), nudge.clone());
        let task = self.tasks.spawn(super::watch::watch(self.hub.clone(), id.clone(), nudge));
        self.watches.insert(id, task);
    }

    pub(super) fn unwatch(&mut self, id: &TwinId) {
        lock(&self.hub.nudges).remove(id);
        lock(&self.hub.told).remove(id);
        if let Some(task) = self.watches.remove(id) {
            task.abort();
        }
    }

    /// Follows the event stream behind this event, in place of what was followed before.
    pub(super) fn follow_events(&mut self, after: u64) {
        self.leave_events();
        self.reap();
        self.events = Some(self.tasks.spawn(super::events::follow(self.hub.clone(), after)));
    }

    pub(super) fn leave_events(&mut self) {
        if let Some(task) = self.events.take() {
            task.abort();
        }
    }

    /// Takes over a link that was just started and passes on what it says.
    pub(super) fn act(&mut self, link: Link) {
        self.reap();
        let id = link.id.clone();
        self.acting.insert(id, super::act::follow(link, self.hub.clone(), &mut self.tasks));
    }

    /// The link that acts as this identity, if there is one.
    pub(super) fn acting(&self, id: &TwinId) -> Option<&Acting> {
        self.acting.get(id)
    }

    /// Answers a method call over the link that acts as this identity, if it still does.
    pub(super) fn answer(&mut self, id: TwinId, rid: String, answer: MethodAnswer) {
        self.reap();
        if let Some(link) = self.acting.get(&id).map(Acting::link) {
            self.tasks.spawn(super::act::answer(link, id, rid, answer));
        }
    }

    /// Tells the hub over the link that acts as this device that a message was taken, if it still does.
    pub(super) fn acknowledge(&mut self, id: TwinId, receipt: Receipt) {
        self.reap();
        if let Some(link) = self.acting.get(&id).map(Acting::link) {
            self.tasks.spawn(super::act::acknowledge(link, id, receipt));
        }
    }

    pub(super) fn stop_acting(&mut self, id: &TwinId) -> Option<Acting> {
        self.acting.remove(id)
    }

    /// Ends everything and waits for it: afterwards nothing more is told of this hub.
    pub(super) async fn close(mut self) {
        self.acting.clear();
        self.tasks.shutdown().await;
    }

    fn reap(&mut self) {
        while let Some(ended) = self.tasks.try_join_next() {
            if let Err(error) = ended
                && error.is_panic()
            {
                tracing::error!(%error, "a background task broke");
            }
        }
    }
}
