//! One thread that keeps what was changed: it collects the writes that wait, commits them together, and only then tells the
//! connections and acknowledges. Since jobs arrive in the order of the registry's lock, commits, notifications and
//! acknowledgements of one twin keep that order.

use super::events::Log;
use super::mqtt::{Sessions, kept};
use super::registry::{Kept, Notice};
use super::store::Store;
use crate::twin::TwinId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;

/// Writes that share one transaction at most.
const GROUP_MAX: usize = 1024;

/// Why a write was not kept; the text is for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotKept(pub String);

/// Something kept beside identities: a kept MQTT session, a waiting message, a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// A word for the kind, `/`, and what tells it from others of its kind: `session/dev1/mod1`.
    pub key: String,
    /// `None` removes it.
    pub value: Option<Vec<u8>>,
}

/// What one change, or a group of them, has kept.
#[derive(Clone, Default)] // Not Debug: a record holds keys.
pub struct Writes {
    pub identities: Vec<(TwinId, Kept)>,
    pub items: Vec<Item>,
}

/// Keeps a group of writes; the error says why it could not.
pub type Keep = Box<dyn FnMut(&[&Writes]) -> Result<(), String> + Send>;

struct Job {
    writes: Writes,
    notices: Vec<Notice>,
    done: oneshot::Sender<Result<(), NotKept>>,
}

enum Message {
    Job(Job),
    /// Close the file; the answer comes when it is closed.
    Close(oneshot::Sender<()>),
}

/// The near end of the committing thread; it ends when this is dropped.
#[derive(Debug, Clone)]
pub struct Committer {
    jobs: Sender<Message>,
    /// Set once: the file is closed, could not be written, or the thread is gone.
    ended: Arc<AtomicBool>,
    keeps: bool,
}

impl Committer {
    /// Starts the thread. Without a store nothing is kept, and order and notifications are the same.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(store: Option<Store>, sessions: Arc<Sessions>, events: Arc<Log>) -> std::io::Result<Self> {
        let keep = store.map(|mut store| -> Keep { Box::new(move |group| store.commit(group)) });
        Self::start_with(keep, sessions, events)
    }

    /// As [`Committer::start`], with something else than a store that keeps; it is dropped when the committer is closed.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start_with(keep: Option<Keep>, sessions: Arc<Sessions>, events: Arc<Log>) -> std::io::Result<Self> {
        let (jobs, waiting) = channel();
        let (ended, keeps) = (Arc::new(AtomicBool::new(false)), keep.is_some());
        let end = ended.clone();
        std::thread::Builder::new()
            .name("hub-commit".to_owned())
            .spawn(move || run(&waiting, keep, (&sessions, &events), &End(end)))?;
        Ok(Self { jobs, ended, keeps })
    }

    /// Whether a change made now could be kept. What is known to be lost should not be made at all.
    #[must_use]
    pub fn takes_writes(&self) -> bool {
        !self.ended.load(Ordering::Acquire)
    }

    /// Whether writes are kept anywhere. If not, their stored form need not be made.
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.keeps
    }

    /// Queues a change; call it while holding the registry's lock, so that the order is that of the changes.
    pub fn submit(&self, mut writes: Writes, notices: Vec<Notice>) -> oneshot::Receiver<Result<(), NotKept>> {
        // The session of an identity that is gone goes with it, in one transaction.
        let gone = notices.iter().filter_map(|notice| match notice {
            Notice::Forget(id) => Some(kept::removal(id)),
            _ => None,
        });
        writes.items.extend(gone);
        let (done, answer) = oneshot::channel();
        // When the thread is gone the sender inside the job is dropped, and the receiver reports it.
        drop(self.jobs.send(Message::Job(Job { writes, notices, done })));
        answer
    }

    /// Waits until everything queued is kept and the file is closed. Later changes are refused.
    pub async fn close(&self) {
        let (closed, answer) = oneshot::channel();
        if self.jobs.send(Message::Close(closed)).is_ok() {
            // An error means that the thread has ended, which is what was asked for.
            drop(answer.await);
        }
    }
}

/// Says that nothing is kept any more, also when the thread panics: what would be lost must not be made.
struct End(Arc<AtomicBool>);

impl End {
    fn say(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.say();
    }
}

fn run(waiting: &Receiver<Message>, mut keep: Option<Keep>, listeners: (&Sessions, &Log), end: &End) {
    // After one failed commit memory and file differ; nothing more may be acknowledged.
    let mut broken: Option<NotKept> = None;
    while let Ok(first) = waiting.recv() {
        let mut group = Vec::new();
        let mut next = Some(first);
        let mut close = None;
        while let Some(message) = next {
            match message {
                Message::Job(job) => group.push(job),
                Message::Close(closed) => {
                    close = Some(closed);
                    break;
                }
            }
            next = if group.len() < GROUP_MAX { waiting.try_recv().ok() } else { None };
        }
        if broken.is_none()
            && let Some(keep) = &mut keep
            && let Err(reason) = keep(&group.iter().map(|job| &job.writes).collect::<Vec<_>>())
        {
            tracing::error!(%reason, "cannot write the data file; the hub takes no more writes");
            broken = Some(NotKept(reason));
            end.say();
        }
        for job in group {
            let outcome = broken.clone().map_or(Ok(()), Err);
            if outcome.is_ok() {
                job.notices.into_iter().for_each(|notice| tell(listeners, notice));
            }
            // The caller may have gone away; the change stands all the same.
            drop(job.done.send(outcome));
        }
        if let Some(closed) = close {
            end.say();
            drop(keep);
            // Whoever asked may have given up waiting.
            closed.send(()).unwrap_or_default();
            return;
        }
    }
}

fn tell((sessions, events): (&Sessions, &Log), notice: Notice) {
    match notice {
        Notice::Desired { id, version, patch } => sessions.desired_changed(&id, version, &patch),
        Notice::Drop(id) => sessions.evict(&id),
        Notice::Forget(id) => sessions.forget(&id),
        Notice::Happened { id, time, what } => events.note(&id, time, *what),
    }
}
