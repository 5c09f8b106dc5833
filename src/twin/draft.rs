//! An edit in progress: the text a person typed, beside the twin it started from.

use super::diff::Change;
use super::text::{Parsed, Problem};
use super::{Etag, JsonMap, Section, Twin};
use std::sync::Arc;

/// The text of one editable section with everything computed from it once per change.
#[derive(Debug, Clone, PartialEq)]
pub struct SectionDraft {
    pub text: String,
    pub parsed: Parsed,
    /// Syntax, duplicate keys and every limit of the hub, in text order.
    pub problems: Vec<Problem>,
    /// Against the base; empty while the text does not parse.
    pub changes: Vec<Change>,
    /// By the hub's formula; `None` while the text does not parse.
    pub size: Option<usize>,
}

/// An edit of desired and tags against a *base*: the twin as it was loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub base: Arc<Twin>,
    pub desired: SectionDraft,
    pub tags: SectionDraft,
}

/// What a save would send.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// `{"tags":{…},"properties":{"desired":{…}}}`, only the sections that change.
    pub body: JsonMap,
    pub if_match: Etag,
    /// Bytes of the body as sent.
    pub bytes: usize,
    /// Paths that change, over both sections.
    pub paths: usize,
    /// The patch as the device will see it, without `$version`; `None` when desired is untouched.
    pub device_told: Option<JsonMap>,
}

/// Why a draft is not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("nothing to save: the text says what the hub already has")]
    NoChange,
    /// The first problem, and how many there are in all.
    #[error("{} line {line}, column {column}: {message}", section.word())]
    Problem { section: Section, line: usize, column: usize, message: String, count: usize },
}

impl Draft {
    /// A draft that says what the twin says.
    #[must_use]
    pub fn new(base: Arc<Twin>) -> Self {
        let _ = base;
        todo!()
    }

    /// The draft of an editable section.
    ///
    /// # Panics
    /// Never: reported is not editable and gives desired's draft only by mistake of the caller, which debug builds refuse.
    #[must_use]
    pub fn section(&self, section: Section) -> &SectionDraft {
        debug_assert!(section != Section::Reported);
        if section == Section::Tags { &self.tags } else { &self.desired }
    }

    /// Takes a new text for a section and recomputes what follows from it.
    pub fn set_text(&mut self, section: Section, text: String) {
        let _ = (section, text);
        todo!()
    }

    /// Whether anything was typed that a discard would lose: a change, or text that does not parse.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        todo!()
    }

    /// Moves the draft onto a newer base. A section whose text is untouched shows the new base; an edited one keeps its
    /// text to the letter and is compared with the new base from now on.
    pub fn rebase_untouched(&mut self, base: Arc<Twin>) {
        let _ = base;
        todo!()
    }

    /// Three-way merge of the edits onto a newer base (mine wins a clash; the clashes are returned for the caller to ask about).
    /// A section that does not parse is left as it is.
    pub fn rebase_merged(&mut self, base: Arc<Twin>) -> Vec<(Section, super::merge::Clash)> {
        let _ = base;
        todo!()
    }

    /// Takes one change back, in the text. Keeps the rest of the document's order; the text is formatted anew.
    pub fn revert(&mut self, section: Section, change: &Change) {
        let _ = (section, change);
        todo!()
    }

    /// Back to what the base says.
    pub fn discard(&mut self) {
        todo!()
    }

    /// The minimal merge patch and its precondition.
    ///
    /// # Errors
    /// When there is a problem in a section or nothing changes.
    pub fn outgoing(&self) -> Result<Outgoing, Refusal> {
        todo!()
    }
}
