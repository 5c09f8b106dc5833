//! What went over the wire lately: requests and patches, newest last, bounded.

use super::Moment;
use crate::client::hub::RequestRecord;
use crate::twin::{JsonMap, TwinId};
use std::collections::VecDeque;

/// Entries kept of each kind.
pub const KEPT: usize = 500;

#[derive(Debug, Default)]
pub struct Activity {
    pub requests: VecDeque<(Moment, RequestRecord)>,
    pub patches: VecDeque<PatchSeen>,
}

/// A patch that somebody sent or received.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchSeen {
    pub at: Moment,
    pub id: TwinId,
    pub kind: PatchKind,
    /// `$version` (desired or reported) or, for tags, the twin's version.
    pub version: u64,
    pub patch: JsonMap,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchKind {
    /// We saved desired or tags.
    Saved,
    /// Our link received a desired patch.
    Received,
    /// We reported over our link.
    ReportSent,
    /// The watch saw desired or tags move.
    SeenDesired,
    SeenTags,
    /// The watch saw reported move.
    SeenReported,
}

impl Activity {
    pub fn push_request(&mut self, at: Moment, record: RequestRecord) {
        if self.requests.len() == KEPT {
            self.requests.pop_front();
        }
        self.requests.push_back((at, record));
    }

    pub fn push_patch(&mut self, patch: PatchSeen) {
        if self.patches.len() == KEPT {
            self.patches.pop_front();
        }
        self.patches.push_back(patch);
    }
}
