//! Which desired patches are news: those after the view that was fetched, without a gap. Pure.
//!
//! After each connect the view is fetched; patches that arrive meanwhile are held back, and those the view already contains are
//! dropped. A gap in the versions means that something was missed, and the view is fetched again.

use crate::twin::JsonMap;
use std::collections::BTreeMap;

/// Held-back patches are at most this many; beyond it the oldest goes, which shows as a gap.
const HELD_MAX: usize = 64;

/// What to do about a patch.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    Deliver(JsonMap),
    /// Something was missed: fetch the view.
    Fetch,
    Nothing,
}

/// The desired versions as far as they are known on this connection.
#[derive(Debug, Default)]
pub(super) struct Sync {
    /// The version last delivered; `None` while a fetch is under way.
    known: Option<u64>,
    held: BTreeMap<u64, JsonMap>,
}

impl Sync {
    /// A patch arrived.
    pub(super) fn patch(&mut self, version: u64, patch: JsonMap) -> Step {
        match self.known {
            Some(known) if version <= known => Step::Nothing,
            Some(known) if version == known.saturating_add(1) => {
                self.known = Some(version);
                Step::Deliver(patch)
            }
            Some(_) => {
                self.known = None;
                self.hold(version, patch);
                Step::Fetch
            }
            None => {
                self.hold(version, patch);
                Step::Nothing
            }
        }
    }

    fn hold(&mut self, version: u64, patch: JsonMap) {
        self.held.insert(version, patch);
        if self.held.len() > HELD_MAX {
            self.held.pop_first();
        }
    }

    /// The view arrived, with desired at `version`: the held-back patches that follow it. A patch beyond a gap stays held, and
    /// [`Self::is_behind`] says so.
    pub(super) fn fetched(&mut self, version: u64) -> Vec<(u64, JsonMap)> {
        let mut known = version;
        let mut news = Vec::new();
        self.held = self.held.split_off(&version.saturating_add(1));
        while let Some(patch) = self.held.remove(&known.saturating_add(1)) {
            known += 1;
            news.push((known, patch));
        }
        self.known = if self.held.is_empty() { Some(known) } else { None };
        news
    }

    /// Events were thrown away: what is known no longer counts.
    pub(super) fn forget(&mut self) {
        self.known = None;
    }

    /// Whether a view is needed.
    pub(super) fn is_behind(&self) -> bool {
        self.known.is_none()
    }
}
