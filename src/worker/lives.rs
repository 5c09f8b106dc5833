//! Tells the lives of an id apart: a device or module that was deleted and created again has a new twin, whose etag and versions may
//! have the values of the old one.
//!
//! A twin does not carry `generationId`, so the identity record is read once for every watched twin, and again when its etag moved.
//! A policy that may not read identities leaves what the twins themselves prove, see [`life::continues`].

use super::event::Fact;
use super::session::OpenHub;
use crate::disk::journal::Seen;
use crate::protocol::identity::Identity;
use crate::twin::{Etag, Twin, TwinId, life};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The generation of each identity whose record was read.
#[derive(Default)]
pub(super) struct Lives {
    /// The newest reading of a record last.
    known: Mutex<HashMap<TwinId, Vec<Known>>>,
}

/// Readings of one record that are kept: a twin may be older than the newest.
const KNOWN_MAX: usize = 4;

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    /// `generationId`.
    generation: String,
    /// Of the record, as twins carry it in `deviceEtag`.
    etag: Etag,
}

impl Lives {
    /// A record was read.
    pub(super) fn read(&self, identity: &Identity) {
        if !identity.generation_id.is_empty() {
            let read = Known { generation: identity.generation_id.clone(), etag: identity.etag.clone() };
            let mut known = self.lock();
            let known = known.entry(identity.id.clone()).or_default();
            known.retain(|known| *known != read);
            known.push(read);
            if known.len() > KNOWN_MAX {
                known.remove(0);
            }
        }
    }

    /// The generation of the identity a twin was read of; `None` where its record is not known, or moved since.
    fn of(&self, twin: &Twin) -> Option<String> {
        let etag = twin.device_etag.as_ref()?;
        let known = self.lock();
        let read = known.get(&twin.id)?.iter().rev().find(|known| known.etag == *etag)?;
        Some(read.generation.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TwinId, Vec<Known>>> {
        // A map of plain values is whole even if a thread died holding the lock.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the watch of a twin does to know the life of what it watches.
#[derive(Default)]
pub(super) struct Watched {
    /// The record's etag at the last try. One try for each: a policy that may not read it is not asked again and again.
    tried: Option<Etag>,
}

impl Watched {
    /// Reads the record of a twin whose generation is not known.
    pub(super) async fn learn(&mut self, hub: &OpenHub, id: &TwinId) {
        let Some((mark, _)) = hub.marked(id) else { return };
        let Some(etag) = mark.twin().device_etag.clone() else { return };
        if hub.lives.of(mark.twin()).is_some() || self.tried.as_ref() == Some(&etag) {
            return;
        }
        self.tried = Some(etag);
        hub.limiter.turn().await;
        match hub.heard(hub.once.identity(id).await) {
            Ok(identity) => hub.lives.read(&identity),
            Err(error) => tracing::debug!(%error, %id, "the generation of an identity cannot be read"),
        }
    }
}

impl OpenHub {
    /// What the window is to be told of a reading that was asked for at `asked`, after it was told that the twin is a new one, where
    /// it is. A reading that is older than what was told meanwhile gives way to that.
    pub(super) async fn take_reading(&self, twin: Twin, asked: Instant, seen: Seen) -> Arc<Twin> {
        let twin = Arc::new(twin);
        if let Some((mark, told)) = self.marked(&twin.id) {
            let before = mark.twin();
            if told > asked {
                if !life::continues(before, &twin) {
                    return before.clone();
                }
            } else if self.is_another_life(before, &twin).await {
                self.seen(&twin, seen);
                self.out.fact(Fact::TwinRecreated { twin: twin.clone() }).await;
                return twin;
            }
        }
        self.seen(&twin, seen);
        twin
    }

    /// Whether the identity was deleted and created again between two readings, the second of which is the newer one.
    pub(super) async fn is_another_life(&self, before: &Twin, now: &Twin) -> bool {
        if !life::continues(before, now) {
            return true;
        }
        if !life::identity_moved(before, now) {
            return false;
        }
        let generation = self.lives.of(before);
        match self.heard(self.once.identity(&now.id).await) {
            Ok(identity) => {
                let another = generation.is_some_and(|before| before != identity.generation_id);
                self.lives.read(&identity);
                another
            }
            Err(error) => {
                tracing::debug!(%error, id = %now.id, "whether an identity was created again cannot be read");
                false
            }
        }
    }
}
