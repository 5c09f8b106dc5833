//! Drafts on their way to disk: what was typed is kept within a fraction of a second, the newest text of each twin.

use super::event::Fact;
use super::journal::JournalDesk;
use super::out::Out;
use crate::disk::{Drafts, KeptDraft, Older};
use crate::twin::TwinId;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// The first key after a pause is on its way to disk this much later: a word that is pasted or typed by a program comes as one.
const WRITE_AFTER: Duration = Duration::from_millis(10);
/// Between the end of a write and the next one while typing goes on. With the time of a write this bounds what a crash takes: well
/// under 0.2 s of typing on a disk that syncs a file within 50 ms.
const WRITE_EVERY: Duration = Duration::from_millis(50);

type Waiting = BTreeMap<(String, TwinId), Option<Box<KeptDraft>>>;

/// The desk where drafts wait to be written.
pub(super) struct DraftDesk {
    /// `None` when the folder cannot be used.
    drafts: Option<Arc<Drafts>>,
    /// What is to be written, by hub and twin; `None` forgets.
    waiting: Mutex<Waiting>,
    /// One write at a time, in the order of typing.
    writing: tokio::sync::Mutex<()>,
    changed: Notify,
    /// The last failure told, so that it is told once.
    told: Mutex<Option<String>>,
    /// It keeps what was thrown away: before it does, no draft is forgotten.
    journal: Arc<JournalDesk>,
    out: Out,
}

/// What could not be written is tried again this often.
const AGAIN_AFTER: Duration = Duration::from_secs(5);
/// The journal is waited for so long before a draft is forgotten that it is to keep.
const JOURNAL_WAIT: Duration = Duration::from_secs(1);

impl DraftDesk {
    /// Opens the folder. Why it cannot be used is told.
    pub(super) async fn open(folder: &Path, journal: Arc<JournalDesk>, out: Out) -> Self {
        let folder = folder.to_path_buf();
        let drafts = match tokio::task::spawn_blocking(move || Drafts::open(&folder)).await {
            Ok(Ok(drafts)) => Some(Arc::new(drafts)),
            Ok(Err(why)) => {
                out.fact(Fact::DraftsUnkept(Some(why))).await;
                None
            }
            Err(error) => {
                tracing::error!(%error, "opening the drafts broke");
                None
            }
        };
        Self {
            drafts,
            waiting: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            changed: Notify::new(),
            told: Mutex::default(),
            journal,
            out,
        }
    }

    pub(super) fn keep(&self, draft: Box<KeptDraft>) {
        let place = (draft.hub.clone(), draft.base.id.clone());
        lock(&self.waiting).insert(place, Some(draft));
        self.changed.notify_one();
    }

    pub(super) fn forget(&self, hub: String, id: TwinId) {
        lock(&self.waiting).insert((hub, id), None);
        self.changed.notify_one();
    }

    /// Writes what changes, without end.
    pub(super) async fn write_changes(self: Arc<Self>) {
        loop {
            let unwritten = !lock(&self.waiting).is_empty();
            let unkept = lock(&self.told).is_some();
            tokio::select! {
                () = self.changed.notified() => {}
                () = tokio::time::sleep(AGAIN_AFTER), if unwritten || unkept => {}
            }
            tokio::time::sleep(WRITE_AFTER).await;
            let begun = Instant::now();
            self.flush().await;
            // A slow disk is not kept busy all the time.
            tokio::time::sleep(WRITE_EVERY.max(begun.elapsed())).await;
        }
    }

    /// It is not known whether the journal has what was thrown away: all of it comes back.
    pub(super) fn forget_nothing(&self) {
        lock(&self.waiting).retain(|_, draft| draft.is_some());
    }

    /// Drafts that were thrown away and that the journal could not keep stay: they come back at the next start.
    async fn hold_back(&self, waiting: &mut Waiting) {
        let mut owed = Vec::new();
        for (hub, id) in waiting.iter().filter(|(_, draft)| draft.is_none()).map(|(place, _)| place) {
            let answer = tokio::time::timeout(JOURNAL_WAIT, self.journal.owes(hub, id)).await;
            if answer.unwrap_or(true) {
                owed.push((hub.clone(), id.clone()));
            }
        }
        for place in owed {
            waiting.remove(&place);
            // What was typed since is newer.
            lock(&self.waiting).entry(place).or_insert(None);
        }
    }

    /// Writes what is not written yet. A failure is told once; what could not be written is tried again.
    pub(super) async fn flush(&self) {
        let Some(drafts) = self.drafts.clone() else { return };
        let turn = self.writing.lock().await;
        let (kept, mut forgotten): (Waiting, Waiting) =
            std::mem::take(&mut *lock(&self.waiting)).into_iter().partition(|(_, draft)| draft.is_some());
        // What is typed does not wait for the journal, which what is thrown away may have to.
        self.write(&drafts, kept).await;
        if !forgotten.is_empty() {
            self.hold_back(&mut forgotten).await;
            self.write(&drafts, forgotten).await;
        }
        self.look_for_room(&drafts).await;
        drop(turn);
    }

    /// After a failure, and when nothing waits any more: whether something could be kept now.
    async fn look_for_room(&self, drafts: &Arc<Drafts>) {
        if lock(&self.told).is_none() || !lock(&self.waiting).is_empty() {
            return;
        }
        let drafts = drafts.clone();
        if matches!(tokio::task::spawn_blocking(move || drafts.try_room()).await, Ok(Ok(()))) {
            *lock(&self.told) = None;
            self.out.fact(Fact::DraftsUnkept(None)).await;
        }
    }

    async fn write(&self, drafts: &Arc<Drafts>, waiting: Waiting) {
        let drafts = drafts.clone();
        let written = tokio::task::spawn_blocking(move || {
            let (mut failed, mut kept) = (Vec::new(), 0);
            for ((hub, id), draft) in waiting {
                let outcome = match &draft {
                    Some(draft) => drafts.keep(draft),
                    None => drafts.forget(&hub, &id),
                };
                match outcome {
                    Ok(()) => kept += usize::from(draft.is_some()),
                    Err(why) => failed.push(((hub, id), draft, why)),
                }
            }
            (failed, kept)
        })
        .await;
        let (failed, kept) = written.unwrap_or_default();
        if failed.is_empty() && kept == 0 {
            // A file that could be removed does not say that one could be written.
            return;
        }
        let why = failed.first().map(|(_, _, why)| why.clone());
        for (place, draft, _) in failed {
            // What was typed since is newer.
            lock(&self.waiting).entry(place).or_insert(draft);
        }
        let before = std::mem::replace(&mut *lock(&self.told), why.clone());
        if before != why {
            self.out.fact(Fact::DraftsUnkept(why)).await;
        }
    }

    /// Drafts that gave way to newer ones go into the history of their twins.
    async fn keep_older(&self, kept: &[KeptDraft], older: Vec<Older>) {
        for (one, number) in older.into_iter().zip(0..) {
            let id = &one.draft.base.id;
            let same = kept.iter().any(|kept| kept.base.id == *id && says_the_same(kept, &one.draft));
            let outcome = if same { Ok(()) } else { self.journal.keep_older(one.draft.clone(), number).await };
            match outcome.and_then(|()| one.remove()) {
                Ok(()) if same => {}
                Ok(()) => {
                    let text = format!(
                        "Two windows left a draft of {id}: the newer one is back, and History of {id} has the older one as a discarded draft that can be brought back"
                    );
                    self.out.notice(text).await;
                }
                Err(why) => {
                    let text = format!(
                        "Two windows left a draft of {id}: the older one is kept as {} and goes into History at a next start ({why})",
                        one.file.display()
                    );
                    self.out.notice(text).await;
                }
            }
        }
    }

    /// What is kept of a hub, with what is still on its way.
    pub(super) async fn found(&self, hub: &str) -> Vec<KeptDraft> {
        self.flush().await;
        let Some(drafts) = self.drafts.clone() else { return Vec::new() };
        let hub = hub.to_owned();
        match tokio::task::spawn_blocking(move || drafts.found(&hub)).await {
            Ok(Ok(found)) => {
                for notice in found.notices {
                    self.out.notice(notice).await;
                }
                self.keep_older(&found.drafts, found.older).await;
                found.drafts
            }
            Ok(Err(why)) => {
                self.out.notice(why).await;
                Vec::new()
            }
            Err(error) => {
                tracing::error!(%error, "reading the drafts broke");
                Vec::new()
            }
        }
    }
}

fn says_the_same(one: &KeptDraft, other: &KeptDraft) -> bool {
    (&one.base.etag, &one.desired, &one.tags, &one.report)
        == (&other.base.etag, &other.desired, &other.tags, &other.report)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Maps of plain values are whole even if a thread died holding the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
