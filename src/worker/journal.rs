//! Versions on their way into the journal: whatever is seen of a twin is kept, and every draft that is thrown away, in the
//! order it happened, and nobody waits for it.

use super::out::Out;
use super::session::OpenHub;
use crate::disk::journal::{Limits, SavedPatch, Seen};
use crate::disk::{Journal, KeptDraft};
use crate::twin::{Etag, Json, JsonMap, Twin, TwinId, patch};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::Notify;

/// What the hub inside the program is filed under, like its drafts.
const LOCAL: &str = "local";
/// Versions that could not be written yet, at most; beyond that the oldest is given up, drafts last.
const WAITING_MAX: usize = 200;
/// The bounds are held this often, and after so many versions.
const TIDY_EVERY: Duration = Duration::from_hours(1);
const TIDY_AFTER: usize = 1_000;

/// What waits to be written.
enum Waiting {
    Version(Version),
    /// A draft that was thrown away, and what its hub is filed under.
    Discarded {
        hub: String,
        draft: Box<KeptDraft>,
    },
}

/// A version that was seen and is to be kept.
struct Version {
    hub: String,
    twin: Arc<Twin>,
    seen: Seen,
    /// Milliseconds since 1970.
    at_ms: u64,
    saved: Option<Saved>,
}

/// A patch that led to a version, and the etag it was guarded by.
#[derive(Clone)]
struct Saved {
    patch: JsonMap,
    before: Etag,
}

/// The desk where versions wait to be written.
pub(super) struct JournalDesk {
    journal: Journal,
    limits: Mutex<Limits>,
    waiting: Mutex<VecDeque<Waiting>>,
    /// One write at a time, in the order of seeing.
    writing: tokio::sync::Mutex<()>,
    changed: Notify,
    /// Versions kept since the bounds were last held.
    kept: Mutex<usize>,
    tidy: Notify,
    /// What the local hub is filed under when it keeps nothing: it is another one than that of the other window.
    passing: Mutex<Option<String>>,
    /// The last failure told, so that it is told once.
    told: Mutex<Option<String>>,
    out: Out,
}

impl JournalDesk {
    pub(super) fn new(folder: &Path, limits: Limits, out: Out) -> Self {
        Self {
            journal: Journal::new(folder),
            limits: Mutex::new(limits),
            waiting: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            changed: Notify::new(),
            kept: Mutex::default(),
            tidy: Notify::new(),
            passing: Mutex::default(),
            told: Mutex::default(),
            out,
        }
    }

    /// New bounds, held at once.
    pub(super) fn set_limits(&self, limits: Limits) {
        if std::mem::replace(&mut *lock(&self.limits), limits) != limits {
            self.tidy.notify_one();
        }
    }

    pub(super) fn journal(&self) -> Journal {
        self.journal.clone()
    }

    /// The local hub of this program keeps nothing: what is seen of it goes under a name of its own.
    pub(super) fn pass_as(&self, name: &str) {
        *lock(&self.passing) = Some(name.to_owned());
    }

    /// What the journal files a hub under that drafts know by this name.
    pub(super) fn filed(&self, hub: String) -> String {
        if hub == LOCAL { lock(&self.passing).clone().unwrap_or(hub) } else { hub }
    }

    /// A version of a twin of a hub that drafts know by this name.
    pub(super) fn seen(&self, hub: String, twin: &Arc<Twin>, seen: Seen) {
        let (hub, twin) = (self.filed(hub), twin.clone());
        self.take(Waiting::Version(Version { hub, twin, seen, at_ms: now_ms(), saved: None }));
    }

    /// A draft that was thrown away.
    pub(super) fn discard(&self, mut draft: Box<KeptDraft>) {
        let hub = self.filed(draft.hub.clone());
        draft.at_ms = now_ms();
        self.take(Waiting::Discarded { hub, draft });
    }

    /// Keeps a draft that gave way to a newer one, at once; `number` tells those of one moment apart.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub(super) async fn keep_older(&self, mut draft: KeptDraft, number: u64) -> Result<(), String> {
        let hub = self.filed(draft.hub.clone());
        draft.at_ms = now_ms() + number;
        let (journal, turn) = (self.journal.clone(), self.writing.lock().await);
        let kept = tokio::task::spawn_blocking(move || journal.record_discarded(&hub, &draft)).await;
        drop(turn);
        kept.unwrap_or_else(|error| Err(format!("Writing the journal broke: {error}")))
    }

    /// Whether a draft of that twin was thrown away and is not in the journal yet; `hub` as drafts know it.
    pub(super) async fn owes(&self, hub: &str, id: &TwinId) -> bool {
        let turn = self.writing.lock().await;
        let owes = lock(&self.waiting)
            .iter()
            .any(|one| matches!(one, Waiting::Discarded { draft, .. } if draft.hub == hub && draft.base.id == *id));
        drop(turn);
        owes
    }

    fn take(&self, one: Waiting) {
        let mut waiting = lock(&self.waiting);
        if waiting.len() >= WAITING_MAX {
            let version = waiting.iter().position(|one| matches!(one, Waiting::Version(_)));
            waiting.remove(version.unwrap_or(0));
        }
        waiting.push_back(one);
        drop(waiting);
        self.changed.notify_one();
    }

    /// Writes what is seen, without end.
    pub(super) async fn write_versions(self: Arc<Self>) {
        loop {
            self.changed.notified().await;
            self.flush().await;
        }
    }

    /// Holds the bounds, without end: at the start, now and then, and when they change.
    pub(super) async fn hold_bounds(self: Arc<Self>) {
        loop {
            let (journal, limits) = (self.journal.clone(), *lock(&self.limits));
            *lock(&self.kept) = 0;
            match tokio::task::spawn_blocking(move || journal.prune(limits, now_ms())).await {
                Ok(Ok(pruned)) => {
                    tracing::debug!(?pruned, "the journal is within its bounds");
                    for damaged in pruned.damaged {
                        self.out.notice(damaged).await;
                    }
                }
                Ok(Err(why)) => self.tell(Some(why)).await,
                Err(error) => tracing::error!(%error, "tidying the journal broke"),
            }
            tokio::select! {
                () = tokio::time::sleep(TIDY_EVERY) => {}
                () = self.tidy.notified() => {}
            }
        }
    }

    /// Writes what is not written yet. A failure is told once; what could not be written is tried again with the next version.
    pub(super) async fn flush(&self) {
        let turn = self.writing.lock().await;
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        if waiting.is_empty() {
            return;
        }
        let journal = self.journal.clone();
        let written = tokio::task::spawn_blocking(move || write(&journal, waiting)).await;
        let Written { kept, failed } = match written {
            Ok(written) => written,
            Err(error) => {
                tracing::error!(%error, "writing the journal broke");
                return;
            }
        };
        let why = failed.as_ref().map(|(_, why)| why.clone());
        if let Some((left, _)) = failed {
            let mut waiting = lock(&self.waiting);
            for one in left.into_iter().rev().take(WAITING_MAX - waiting.len().min(WAITING_MAX)) {
                waiting.push_front(one);
            }
        }
        let full = {
            let mut count = lock(&self.kept);
            *count += kept;
            *count >= TIDY_AFTER
        };
        if full {
            self.tidy.notify_one();
        }
        drop(turn);
        if kept > 0 || why.is_some() {
            self.tell(why).await;
        }
    }

    async fn tell(&self, why: Option<String>) {
        let before = std::mem::replace(&mut *lock(&self.told), why.clone());
        if let Some(why) = why.filter(|_| before.is_none()) {
            self.out
                .notice(format!("{why}. Everything else goes on; what you see meanwhile may be missing in History, until that is mended or --data DIR names another folder"))
                .await;
        }
    }
}

struct Written {
    kept: usize,
    /// What is left from the first failure on, and why.
    failed: Option<(VecDeque<Waiting>, String)>,
}

fn write(journal: &Journal, mut waiting: VecDeque<Waiting>) -> Written {
    let mut kept = 0;
    while let Some(one) = waiting.front() {
        match write_one(journal, one) {
            Ok(news) => kept += usize::from(news),
            Err(why) => return Written { kept, failed: Some((waiting, why)) },
        }
        waiting.pop_front();
    }
    Written { kept, failed: None }
}

/// Whether it was news.
fn write_one(journal: &Journal, one: &Waiting) -> Result<bool, String> {
    match one {
        Waiting::Version(Version { hub, twin, seen, at_ms, saved }) => {
            let saved = saved.as_ref().and_then(|saved| with_inverse(journal, hub, &twin.id, saved));
            journal.record(hub, twin, *seen, *at_ms, saved.as_ref())
        }
        Waiting::Discarded { hub, draft } => journal.record_discarded(hub, draft).map(|()| true),
    }
}

/// The patch with the one that takes it back, as far as the version it was made against is known.
fn with_inverse(journal: &Journal, hub: &str, id: &TwinId, saved: &Saved) -> Option<SavedPatch> {
    let before = match journal.at_etag(hub, id, &saved.before) {
        Ok(before) => before?,
        Err(why) => {
            tracing::debug!(why, %id, "a save is kept without its inverse");
            return None;
        }
    };
    let desired = JsonMap::from_iter([("desired".to_owned(), Json::Object(before.desired.values))]);
    let base = JsonMap::from_iter([
        ("tags".to_owned(), Json::Object(before.tags)),
        ("properties".to_owned(), Json::Object(desired)),
    ]);
    let inverse = patch::inverse(&base, &saved.patch);
    Some(SavedPatch { patch: saved.patch.clone(), inverse })
}

impl OpenHub {
    /// A version that the window is about to be told.
    pub(super) fn seen(&self, twin: &Arc<Twin>, seen: Seen) {
        self.keep(twin, seen, None);
    }

    /// The version that a patch of ours led to; `before` is the etag it was guarded by.
    pub(super) fn saved(&self, twin: &Arc<Twin>, patch: &JsonMap, before: &Etag) {
        self.keep(twin, Seen::Save, Some(Saved { patch: patch.clone(), before: before.clone() }));
    }

    fn keep(&self, twin: &Arc<Twin>, seen: Seen, saved: Option<Saved>) {
        self.mark(twin);
        let (hub, twin) = (self.filed(), twin.clone());
        self.journal.take(Waiting::Version(Version { hub, twin, seen, at_ms: now_ms(), saved }));
    }

    /// What its versions are filed under.
    pub(super) fn filed(&self) -> String {
        self.journal.filed(self.info.drafts())
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Plain values are whole even if a thread died holding the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
