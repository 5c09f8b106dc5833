//! What went over the wire lately: requests, patches, method calls and messages, newest last, bounded.

use super::Moment;
use crate::client::hub::RequestRecord;
use crate::protocol::message::Properties;
use crate::twin::{JsonMap, TwinId};
use std::collections::VecDeque;

/// Entries kept of each kind.
pub const KEPT: usize = 500;

#[derive(Debug, Default)]
pub struct Activity {
    pub requests: VecDeque<(Moment, RequestRecord)>,
    pub patches: VecDeque<PatchSeen>,
    pub calls: VecDeque<CallSeen>,
    pub messages: VecDeque<MessageSeen>,
}

/// A cloud-to-device message that came over our link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageSeen {
    pub at: Moment,
    pub id: TwinId,
    /// Names and values; system properties first, under their names for people.
    pub properties: Vec<(String, Option<String>)>,
    /// In one line, cut; for what is no text, its length.
    pub body: String,
}

impl MessageSeen {
    #[must_use]
    pub fn new(at: Moment, id: TwinId, properties: &Properties, body: &[u8]) -> Self {
        let system = properties.system.iter().map(|(known, value)| (known.name().to_owned(), Some(line(value))));
        let own = properties.app.iter().map(|(key, value)| (line(key), value.as_deref().map(line)));
        let text = std::str::from_utf8(body).ok().filter(|text| !text.contains('\0'));
        let body = text.map_or_else(|| format!("{} bytes, no text", body.len()), line);
        Self { at, id, properties: system.chain(own).collect(), body }
    }
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

    pub fn push_message(&mut self, message: MessageSeen) {
        if self.messages.len() == KEPT {
            self.messages.pop_front();
        }
        self.messages.push_back(message);
    }

    pub fn push_patch(&mut self, patch: PatchSeen) {
        if self.patches.len() == KEPT {
            self.patches.pop_front();
        }
        self.patches.push_back(patch);
    }
}
