//! One thread that keeps what was changed: it collects the writes that wait, commits them together, and only then tells the
//! connections and acknowledges. Since jobs arrive in the order of the registry's lock, commits, notifications and
//! acknowledgements of one twin keep that order.
//!
//! When the file cannot be written, nothing of the group is acknowledged, and its callers get an error. Changes of identities
//! are taken back by the hub (see [`Committer::fallen`]), also those that were made on top of them. What nobody waits for is owed:
//! it is kept when that is possible again, which the thread tries until it is.

mod owed;

use super::events::Log;
use super::mqtt::{Sessions, kept};
use super::registry::{Kept, Notice};
use super::store::Store;
use crate::twin::TwinId;
use owed::Owed;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tokio::sync::oneshot;

/// Writes that share one transaction at most.
const GROUP_MAX: usize = 1024;
/// How long the thread waits before it tries again to write to a file that could not be written, the first time and at most.
/// Whoever writes makes it try at once.
const RETRY: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(4);

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

/// What writes are kept in.
trait Keeper: Send {
    /// Keeps all of them or none, or cannot say.
    fn keep(&mut self, group: &[&Writes]) -> Result<(), String>;

    /// Whether there is room for so many bytes more.
    fn try_room(&mut self, bytes: usize) -> Result<(), String>;
}

impl Keeper for Store {
    fn keep(&mut self, group: &[&Writes]) -> Result<(), String> {
        self.commit(group)
    }

    fn try_room(&mut self, bytes: usize) -> Result<(), String> {
        Store::try_room(self, bytes)
    }
}

struct Function(Keep);

impl Keeper for Function {
    fn keep(&mut self, group: &[&Writes]) -> Result<(), String> {
        (self.0)(group)
    }

    fn try_room(&mut self, _bytes: usize) -> Result<(), String> {
        Ok(())
    }
}

/// A change of identities, as the hub counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// Changes of the same epoch are built on one another.
    pub epoch: u64,
    /// Rises with each change.
    pub change: u64,
}

/// What becomes of items that could not be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfFailed {
    /// Whoever waits for them takes back what they tell of.
    Drop,
    /// They are kept later.
    Owe,
}

struct Job {
    /// `None`: of no identity.
    number: Option<Number>,
    writes: Writes,
    notices: Vec<Notice>,
    if_failed: IfFailed,
    done: Option<oneshot::Sender<Result<(), NotKept>>>,
}

enum Message {
    Job(Job),
    /// Try to write, if that failed before; the answer is whether it works.
    Try(oneshot::Sender<bool>),
    /// Close the file; the answer comes when it is closed.
    Close(oneshot::Sender<()>),
}

/// What the thread tells everybody.
#[derive(Debug, Default)]
struct Progress {
    /// One of the three below.
    state: AtomicU8,
    /// The number of the newest change that is kept.
    kept: AtomicU64,
    /// Changes of this epoch and those before that are not kept will never be.
    fallen: AtomicU64,
}

const WORKS: u8 = 0;
const FAILS: u8 = 1;
const ENDED: u8 = 2;

/// The near end of the committing thread; it ends when this is dropped.
#[derive(Debug, Clone)]
pub struct Committer {
    jobs: Sender<Message>,
    progress: Arc<Progress>,
    keeps: bool,
}

impl Committer {
    /// Starts the thread. Without a store nothing is kept, and order and notifications are the same.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(store: Option<Store>, sessions: Arc<Sessions>, events: Arc<Log>) -> std::io::Result<Self> {
        Self::start_keeper(store.map(|store| -> Box<dyn Keeper> { Box::new(store) }), sessions, events)
    }

    /// As [`Committer::start`], with something else than a store that keeps; it is dropped when the committer is closed.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start_with(keep: Option<Keep>, sessions: Arc<Sessions>, events: Arc<Log>) -> std::io::Result<Self> {
        Self::start_keeper(keep.map(|keep| -> Box<dyn Keeper> { Box::new(Function(keep)) }), sessions, events)
    }

    fn start_keeper(
        keeper: Option<Box<dyn Keeper>>,
        sessions: Arc<Sessions>,
        events: Arc<Log>,
    ) -> std::io::Result<Self> {
        let (jobs, waiting) = channel();
        let (progress, keeps) = (Arc::new(Progress::default()), keeper.is_some());
        let end = End(progress.clone());
        let mut thread = Thread {
            keeper,
            sessions,
            events,
            progress: progress.clone(),
            failing: None,
            owed: Owed::default(),
            room: 0,
        };
        std::thread::Builder::new().name("hub-commit".to_owned()).spawn(move || {
            thread.run(&waiting);
            drop(end);
        })?;
        Ok(Self { jobs, progress, keeps })
    }

    /// Whether a change made now could be kept. What is known to be lost should not be made at all.
    #[must_use]
    pub fn takes_writes(&self) -> bool {
        self.progress.state.load(Ordering::Acquire) == WORKS
    }

    /// Whether the file is closed, or the thread is gone: then nothing will ever be kept again.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.progress.state.load(Ordering::Acquire) == ENDED
    }

    /// As [`Committer::takes_writes`], after another try if the last one failed.
    pub async fn tries_to_write(&self) -> bool {
        if self.takes_writes() {
            return true;
        }
        let (answer, works) = oneshot::channel();
        self.jobs.send(Message::Try(answer)).is_ok() && works.await.unwrap_or(false)
    }

    /// Whether writes are kept anywhere. If not, their stored form need not be made.
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.keeps
    }

    /// The newest change that is kept, and the epoch up to which all changes that are not kept have to be taken back.
    #[must_use]
    pub fn fallen(&self) -> (u64, u64) {
        // In this order: what was kept before others fell must be seen as kept.
        let fallen = self.progress.fallen.load(Ordering::Acquire);
        (self.progress.kept.load(Ordering::Acquire), fallen)
    }

    /// Queues a change; call it while holding the registry's lock, so that the order is that of the changes.
    pub fn submit(
        &self,
        number: Number,
        mut writes: Writes,
        notices: Vec<Notice>,
    ) -> oneshot::Receiver<Result<(), NotKept>> {
        // The session of an identity that is gone goes with it, in one transaction.
        let gone = notices.iter().filter_map(|notice| match notice {
            Notice::Forget(id) => Some(kept::removal(id)),
            _ => None,
        });
        writes.items.extend(gone);
        self.queue(Some(number), writes, notices, IfFailed::Drop)
    }

    /// Queues items; call it under the lock that guards what they tell of.
    pub fn keep(&self, items: Vec<Item>, if_failed: IfFailed) -> oneshot::Receiver<Result<(), NotKept>> {
        self.queue(None, Writes { identities: Vec::new(), items }, Vec::new(), if_failed)
    }

    /// Queues what nobody waits for: it is kept now or later.
    pub fn owe(&self, writes: Writes) {
        if !(writes.identities.is_empty() && writes.items.is_empty()) {
            drop(self.queue(None, writes, Vec::new(), IfFailed::Owe));
        }
    }

    fn queue(
        &self,
        number: Option<Number>,
        writes: Writes,
        notices: Vec<Notice>,
        if_failed: IfFailed,
    ) -> oneshot::Receiver<Result<(), NotKept>> {
        let (done, answer) = oneshot::channel();
        // When the thread is gone the sender inside the job is dropped, and the receiver reports it.
        drop(self.jobs.send(Message::Job(Job { number, writes, notices, if_failed, done: Some(done) })));
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
struct End(Arc<Progress>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.state.store(ENDED, Ordering::Release);
    }
}

/// What waited when the thread looked.
#[derive(Default)]
struct Batch {
    group: Vec<Job>,
    tries: Vec<oneshot::Sender<bool>>,
    close: Option<oneshot::Sender<()>>,
}

struct Thread {
    keeper: Option<Box<dyn Keeper>>,
    sessions: Arc<Sessions>,
    events: Arc<Log>,
    progress: Arc<Progress>,
    /// Why the last try to write failed.
    failing: Option<NotKept>,
    owed: Owed,
    /// Bytes that did not find room.
    room: usize,
}

impl Thread {
    fn run(&mut self, waiting: &Receiver<Message>) {
        let mut pause = RETRY;
        loop {
            let first = if self.failing.is_some() {
                waiting.recv_timeout(pause)
            } else {
                waiting.recv().map_err(|_gone| RecvTimeoutError::Disconnected)
            };
            let batch = match first {
                Ok(first) => collect(waiting, first),
                Err(RecvTimeoutError::Timeout) => Batch::default(),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if self.failing.is_some() {
                self.recover();
                pause = if self.failing.is_some() { (pause * 2).min(RETRY_MAX) } else { RETRY };
            }
            self.keep(batch.group);
            for waits in batch.tries {
                // Whoever asked may have gone.
                waits.send(self.failing.is_none()).unwrap_or_default();
            }
            if let Some(closed) = batch.close {
                self.progress.state.store(ENDED, Ordering::Release);
                drop(self.keeper.take());
                // Whoever asked may have given up waiting.
                closed.send(()).unwrap_or_default();
                return;
            }
        }
    }

    /// Keeps a group in one transaction, and tells everybody what became of it.
    fn keep(&mut self, group: Vec<Job>) {
        let fallen = self.progress.fallen.load(Ordering::Acquire);
        let (on_fallen, group): (Vec<Job>, Vec<Job>) =
            group.into_iter().partition(|job| job.number.is_some_and(|number| number.epoch <= fallen));
        let earlier = || NotKept("it was made upon a change that was not kept".to_owned());
        let reason = self.failing.clone().unwrap_or_else(earlier);
        self.refuse(on_fallen, &reason);
        if group.is_empty() {
            return;
        }
        if let Some(reason) = self.failing.clone() {
            return self.refuse(group, &reason);
        }
        let writes: Vec<&Writes> = group.iter().map(|job| &job.writes).collect();
        if let Err(reason) = self.try_keep(&writes) {
            self.room = writes.iter().map(|writes| writes.size()).sum();
            tracing::error!(%reason, "cannot write the data file: what was kept last is served, and changes are refused until it can be written");
            self.progress.state.store(FAILS, Ordering::Release);
            let reason = NotKept(reason);
            self.failing = Some(reason.clone());
            return self.refuse(group, &reason);
        }
        for job in group {
            if let Some(number) = job.number {
                self.progress.kept.store(number.change, Ordering::Release);
            }
            job.notices.into_iter().for_each(|notice| self.tell(notice));
            if let Some(done) = job.done {
                // The caller may have gone away; the change stands all the same.
                drop(done.send(Ok(())));
            }
        }
    }

    fn refuse(&mut self, group: Vec<Job>, reason: &NotKept) {
        for job in group {
            if let Some(number) = job.number {
                // Before the answer: who has it must find the change taken back.
                self.progress.fallen.fetch_max(number.epoch, Ordering::AcqRel);
            }
            if job.if_failed == IfFailed::Owe {
                self.owed.add(job.writes);
            }
            if let Some(done) = job.done {
                drop(done.send(Err(reason.clone())));
            }
        }
    }

    /// Tries to write again: what is owed, and whether there is room for as much as there was none for.
    fn recover(&mut self) {
        let room = self.room;
        let tried = match &mut self.keeper {
            Some(keeper) => guarded(|| keeper.try_room(room)),
            None => Ok(()),
        };
        let owed = self.owed.writes();
        let nothing = owed.identities.is_empty() && owed.items.is_empty();
        let tried = tried.and_then(|()| if nothing { Ok(()) } else { self.try_keep(&[&owed]) });
        match tried {
            Ok(()) => {
                self.owed = Owed::default();
                self.failing = None;
                self.progress.state.store(WORKS, Ordering::Release);
                tracing::info!("the data file can be written again: changes are taken");
            }
            Err(reason) => self.failing = Some(NotKept(reason)),
        }
    }

    fn try_keep(&mut self, writes: &[&Writes]) -> Result<(), String> {
        match &mut self.keeper {
            Some(keeper) => guarded(|| keeper.keep(writes)),
            None => Ok(()),
        }
    }

    fn tell(&self, notice: Notice) {
        match notice {
            Notice::Desired { id, version, patch } => self.sessions.desired_changed(&id, version, &patch),
            Notice::Drop(id) => self.sessions.evict(&id),
            Notice::Forget(id) => self.sessions.forget(&id),
            Notice::Happened { id, time, what } => self.events.note(&id, time, *what),
        }
    }
}

/// A keeper that panics has not kept.
fn guarded(work: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("a mistake in the store".to_owned()))
}

fn collect(waiting: &Receiver<Message>, first: Message) -> Batch {
    let mut batch = Batch::default();
    let mut next = Some(first);
    while let Some(message) = next {
        match message {
            Message::Job(job) => batch.group.push(job),
            Message::Try(answer) => batch.tries.push(answer),
            Message::Close(closed) => {
                batch.close = Some(closed);
                break;
            }
        }
        next = if batch.group.len() < GROUP_MAX { waiting.try_recv().ok() } else { None };
    }
    batch
}

impl Writes {
    /// Bytes of keys and values.
    fn size(&self) -> usize {
        let identities = self.identities.iter().map(|(id, kept)| {
            let value = if let Kept::Record(bytes) = kept { bytes.len() } else { 0 };
            id.device.len() + value
        });
        let items = self.items.iter().map(|item| item.key.len() + item.value.as_ref().map_or(0, Vec::len));
        identities.chain(items).sum()
    }
}
