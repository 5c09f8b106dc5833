//! An edit in progress: the text a person typed, beside the twin it started from.

mod behind;
mod rebase;

pub use behind::{AT_ONCE_MAX, Reading};

use super::diff::{self, Change};
use super::rules::{self, Form, Rule, Violation};
use super::text::{self, Lines, Parsed, Problem, splice};
use super::{Etag, Json, JsonMap, Path, Section, Segment, Twin, patch};
use std::sync::Arc;

/// Of a text that breaks the rules more often than this, the rest is not listed.
const VIOLATIONS_MAX: usize = 1000;

/// The text of one editable section with everything computed from it once per change.
#[derive(Debug, Clone, PartialEq)]
pub struct SectionDraft {
    pub text: String,
    /// All below but `edited` is of an earlier text, its places moved along: the text is being read elsewhere. What acts on
    /// the meaning of a text calls [`Draft::settle`] first.
    pub pending: bool,
    /// The base as text.
    printed: Arc<str>,
    /// Whether the text is another than the base printed, be it by white space alone.
    pub edited: bool,
    pub parsed: Parsed,
    /// Syntax, duplicate keys and every limit of the hub, in text order.
    pub problems: Vec<Problem>,
    /// Against the base; empty while the text does not parse.
    pub changes: Vec<Change>,
    /// The minimal merge patch that makes the text of the base; empty while the text does not parse.
    patch: JsonMap,
    /// By the hub's formula; `None` while the text does not parse.
    pub size: Option<usize>,
}

impl SectionDraft {
    /// The base as text.
    fn of_base(section: Section, base: &Twin) -> Self {
        let printed: Arc<str> = text::pretty(base.section(section)).into();
        let text = printed.to_string();
        Self::read(section, base, printed, text)
    }

    fn of_text(section: Section, base: &Twin, text: String) -> Self {
        Self::read(section, base, text::pretty(base.section(section)).into(), text)
    }

    /// `printed` is the base as text.
    fn read(section: Section, base: &Twin, printed: Arc<str>, text: String) -> Self {
        let base = base.section(section);
        let edited = *text != *printed;
        let parsed = text::parse(&text);
        let mut problems = parsed.problems.clone();
        let mut changes = Vec::new();
        let mut patch = JsonMap::new();
        let mut size = None;
        if let Some(document) = &parsed.document {
            changes = diff::diff(base, document);
            patch = patch::between(base, document);
            size = Some(rules::size(document));
            problems.extend(hub_problems(section, base, document, &parsed));
            Lines::new(&text).place(&mut problems);
        }
        Self { text, pending: false, printed, edited, parsed, problems, changes, patch, size }
    }

    /// The text with a patch applied and everything else as it is typed; `order` is the document it leads to.
    fn rewritten(&self, patch: &JsonMap, order: &JsonMap) -> String {
        debug_assert!(!self.pending, "a text is rewritten before it is read");
        match splice::splice(&self.text, &self.parsed, patch, order) {
            Some(edits) => splice::made(&self.text, &edits),
            None => self.text.clone(),
        }
    }

    /// Whether a discard would lose something: a change, or text that does not parse. What is not read yet counts as a change.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.edited && (self.pending || !self.changes.is_empty() || self.parsed.document.is_none())
    }
}

/// What the hub would refuse of a document, at the places of the text. Line and column are left to the caller.
///
/// What stands unchanged in the base is not sent and thus not refused: only what an edit brings in counts.
fn hub_problems(section: Section, base: &JsonMap, document: &JsonMap, parsed: &Parsed) -> Vec<Problem> {
    let kept_by_hub = document
        .keys()
        .filter(|key| section != Section::Tags && matches!(key.as_str(), "$version" | "$metadata"))
        .map(|key| Violation { path: Path::root().key(key), rule: Rule::KeyCharacter { character: '$' } });
    let broken = rules::check(section, document, Form::Document);
    let brought_in = |violation: &Violation| match violation.rule {
        Rule::SectionTooLarge { size, .. } => size > rules::size(base),
        _ => is_brought_in(violation, base, document),
    };
    kept_by_hub
        .chain(broken.into_iter().filter(brought_in))
        .take(VIOLATIONS_MAX)
        .map(|violation| {
            let key_rule = is_key_rule(&violation.rule);
            let range = match parsed.span(&violation.path) {
                Some(span) if key_rule => span.key.clone().unwrap_or_else(|| span.value.clone()),
                // The whole section is no place to point at: its first character is.
                Some(span) if violation.path.0.is_empty() => span.value.start..span.value.start + 1,
                Some(span) => span.value.clone(),
                None => 0..0,
            };
            let message = match (&violation.rule, violation.path.0.last()) {
                (Rule::KeyCharacter { character: '$' }, Some(Segment::Key(key))) if key.starts_with('$') => {
                    format!("the hub keeps `{key}` and its like itself: leave it out")
                }
                _ => violation.to_string(),
            };
            Problem { range, line: 1, column: 1, path: violation.path, message }
        })
        .collect()
}

fn is_key_rule(rule: &Rule) -> bool {
    matches!(rule, Rule::KeyTooLong { .. } | Rule::KeyCharacter { .. })
}

fn is_brought_in(violation: &Violation, base: &JsonMap, document: &JsonMap) -> bool {
    let segments = &violation.path.0;
    // An array is sent whole, with all that is wrong in it, as soon as anything in it changes.
    let array = segments.iter().position(|segment| matches!(segment, Segment::Index(_)));
    let sent = Path(segments[..array.unwrap_or(segments.len())].to_vec());
    let before = sent.find(base);
    if array.is_none() && is_key_rule(&violation.rule) {
        return before.is_none();
    }
    if array.is_none() && violation.rule == Rule::TooDeep {
        return !matches!(before, Some(Json::Object(_) | Json::Array(_)));
    }
    before != sent.find(document)
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
    /// What the hub is to do with the body.
    pub write: super::patch::Write,
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
        let desired = SectionDraft::of_base(Section::Desired, &base);
        let tags = SectionDraft::of_base(Section::Tags, &base);
        Self { base, desired, tags }
    }

    /// The draft of an editable section.
    ///
    /// # Panics
    /// Never: reported is not editable and gives desired's draft only by mistake of the caller, which debug builds refuse.
    #[must_use]
    pub fn section(&self, section: Section) -> &SectionDraft {
        debug_assert!(section != Section::Reported, "reported is not editable");
        if section == Section::Tags { &self.tags } else { &self.desired }
    }

    fn section_mut(&mut self, section: Section) -> &mut SectionDraft {
        if section == Section::Tags { &mut self.tags } else { &mut self.desired }
    }

    fn put(&mut self, section: Section, draft: SectionDraft) {
        *self.section_mut(section) = draft;
    }

    /// Takes a new text for a section and recomputes what follows from it. A text for reported, which is not editable,
    /// is dropped, and refused by debug builds.
    pub fn set_text(&mut self, section: Section, text: String) {
        debug_assert!(section != Section::Reported, "reported is not editable");
        let part = self.section(section);
        if section != Section::Reported && (part.pending || part.text != text) {
            let draft = SectionDraft::read(section, &self.base, part.printed.clone(), text);
            self.put(section, draft);
        }
    }

    /// Whether anything was typed that a discard would lose: a change, or text that does not parse.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.desired.is_dirty() || self.tags.is_dirty()
    }

    /// Takes one change back, in the text; the rest keeps every letter. Does nothing while the text does not parse.
    pub fn revert(&mut self, section: Section, change: &Change) {
        let base = self.base.clone();
        self.take(section, base.section(section), std::slice::from_ref(change));
    }

    /// Takes over what another document has: `changes` are some of those from `from` to the text as it stands. The rest
    /// keeps every letter. Does nothing while the text does not parse.
    pub fn take(&mut self, section: Section, from: &JsonMap, changes: &[Change]) {
        let draft = self.section(section);
        if let Some(document) = &draft.parsed.document {
            let mut taken = document.clone();
            for change in changes {
                diff::revert(&mut taken, from, change);
            }
            let text = draft.rewritten(&patch::between(document, &taken), &taken);
            self.set_text(section, text);
        }
    }

    /// Back to what the base says.
    pub fn discard(&mut self) {
        *self = Self::new(self.base.clone());
    }

    /// The minimal merge patch and its precondition. A section nobody edited is not sent and cannot be refused.
    ///
    /// # Errors
    /// When there is a problem in a section or nothing changes.
    pub fn outgoing(&self) -> Result<Outgoing, Refusal> {
        if self.is_pending() {
            return self.settled().outgoing();
        }
        let edited = || {
            [(Section::Tags, &self.tags), (Section::Desired, &self.desired)]
                .into_iter()
                .filter(|(_, draft)| draft.edited)
        };
        let count = edited().map(|(_, draft)| draft.problems.len()).sum();
        if let Some((section, problem)) = edited().find_map(|(section, draft)| Some((section, draft.problems.first()?)))
        {
            let (line, column, message) = (problem.line, problem.column, problem.message.clone());
            return Err(Refusal::Problem { section, line, column, message, count });
        }
        let mut body = JsonMap::new();
        let mut device_told = None;
        for (section, draft) in edited() {
            let patch = draft.patch.clone();
            if patch.is_empty() {
                continue;
            }
            if section == Section::Tags {
                body.insert("tags".to_owned(), Json::Object(patch));
            } else {
                device_told = Some(patch.clone());
                let properties = std::iter::once(("desired".to_owned(), Json::Object(patch))).collect();
                body.insert("properties".to_owned(), Json::Object(properties));
            }
        }
        if body.is_empty() {
            return Err(Refusal::NoChange);
        }
        let bytes = Json::Object(body.clone()).to_string().len();
        let paths = edited().map(|(_, draft)| draft.changes.len()).sum();
        Ok(Outgoing {
            body,
            if_match: self.base.etag.clone(),
            bytes,
            paths,
            device_told,
            write: super::patch::Write::Patch,
        })
    }
}
