//! Drafts on their way to disk: what was typed is kept within a fraction of a second, the newest text of each twin.

use super::event::Fact;
use super::out::Out;
use crate::disk::{Drafts, KeptDraft};
use crate::twin::TwinId;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Typing goes on: what is kept is what stands this long after the first key.
const WRITE_AFTER: Duration = Duration::from_millis(300);

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
    out: Out,
}

/// What it means, and the next step.
const SAFE: &str = "What you type is safe as long as the program runs: save it, make room there, or start with --data DIR for another folder";

impl DraftDesk {
    /// Opens the folder. Why it cannot be used is told.
    pub(super) async fn open(folder: &Path, out: Out) -> Self {
        let folder = folder.to_path_buf();
        let drafts = match tokio::task::spawn_blocking(move || Drafts::open(&folder)).await {
            Ok(Ok(drafts)) => Some(Arc::new(drafts)),
            Ok(Err(why)) => {
                out.notice(format!("{why}. {SAFE}")).await;
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
            self.changed.notified().await;
            tokio::time::sleep(WRITE_AFTER).await;
            self.flush().await;
        }
    }

    /// Writes what is not written yet. A failure is told once; what could not be written is tried again with the next change.
    pub(super) async fn flush(&self) {
        let Some(drafts) = self.drafts.clone() else { return };
        let turn = self.writing.lock().await;
        let waiting = std::mem::take(&mut *lock(&self.waiting));
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
        drop(turn);
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
            self.out.fact(Fact::DraftsUnkept(why.clone())).await;
        }
        if let Some(why) = why.filter(|_| before.is_none()) {
            self.out.notice(format!("{why}. {SAFE}")).await;
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Maps of plain values are whole even if a thread died holding the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
