//! What went over the wire lately: requests, patches and method calls, newest last, bounded.

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
    pub calls: VecDeque<CallSeen>,
}

/// A method that was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSeen {
    pub at: Moment,
    pub id: TwinId,
    pub side: CallSide,
    pub name: String,
    /// In one line, cut.
    pub payload: String,
    /// Status and payload, or why there is none; in one line, cut.
    pub answer: String,
}

/// Which part in it was ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallSide {
    Made,
    Answered,
}

impl CallSeen {
    #[must_use]
    pub fn new(at: Moment, id: &TwinId, side: CallSide, name: &str, payload: &str, answer: &str) -> Self {
        Self { at, id: id.clone(), side, name: name.to_owned(), payload: line(payload), answer: line(answer) }
    }
}

/// The longest part of a payload worth a line.
const LINE_CHARS: usize = 400;

fn line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(LINE_CHARS).collect()
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

    pub fn push_call(&mut self, call: CallSeen) {
        if self.calls.len() == KEPT {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }

    pub fn push_patch(&mut self, patch: PatchSeen) {
        if self.patches.len() == KEPT {
            self.patches.pop_front();
        }
        self.patches.push_back(patch);
    }
}
