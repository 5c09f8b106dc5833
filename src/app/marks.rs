//! Lines beside which stands what the hub changed.

use super::conflict::EDITABLE;
use super::tab::Tab;
use crate::twin::diff::Change;
use crate::twin::text::Parsed;
use crate::twin::{Json, Path, Section};

/// Lines marked beside a text.
const MARKS_MAX: usize = 200;

/// A line beside which stands that the hub changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub section: Section,
    /// From 1.
    pub line: usize,
    pub kind: MarkKind,
    /// `telemetryInterval changed on the hub: 60 → 90`.
    pub words: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// The text has their value.
    Followed,
    /// The text has the old value.
    Waiting,
    /// Both sides changed it; the text has mine.
    Clash,
}

impl Tab {
    pub(super) fn mark_lines(&mut self) {
        self.marks.clear();
        let Some(draft) = &self.draft else { return };
        if let Some(followed) = &mut self.followed {
            followed.look_at(draft);
        }
        let mut wanted: Vec<(Section, &Change, MarkKind)> = Vec::new();
        if let Some(moved) = &self.moved {
            let clashes = |section: Section, path: &Path| {
                moved.clashes.iter().any(|(s, clash)| *s == section && path.0.starts_with(&clash.path.0))
            };
            wanted.extend(moved.changes.iter().take(MARKS_MAX).map(|(section, change)| {
                let kind = if clashes(*section, &change.path) { MarkKind::Clash } else { MarkKind::Waiting };
                (*section, change, kind)
            }));
        }
        if let Some(followed) = &self.followed {
            let changes = followed.there.iter().take(MARKS_MAX);
            wanted.extend(changes.map(|(section, change)| (*section, change, MarkKind::Followed)));
        }
        for section in EDITABLE {
            let part = draft.section(section);
            let mut places: Vec<(usize, &Change, MarkKind)> = wanted
                .iter()
                .filter(|(s, ..)| *s == section)
                .map(|(_, change, kind)| (place(&part.parsed, &change.path), *change, *kind))
                .collect();
            places.sort_by_key(|(at, ..)| *at);
            let (mut line, mut from) = (1, 0);
            for (at, change, kind) in places.into_iter().take(MARKS_MAX) {
                let between = part.text.get(from..at).unwrap_or_default();
                line += between.matches('\n').count();
                from = from.max(at);
                self.marks.push(Mark { section, line, kind, words: words(change) });
            }
        }
    }
}

/// The byte offset at which a path begins; of one that the text does not have, the object it is missing from.
fn place(parsed: &Parsed, path: &Path) -> usize {
    let mut path = path.clone();
    loop {
        if let Some(span) = parsed.span(&path) {
            return span.whole().start;
        }
        if path.0.pop().is_none() {
            return 0;
        }
    }
}

fn words(change: &Change) -> String {
    let value = |json: &Option<Json>| json.as_ref().map(|json| cut(&crate::twin::text::compact(json)));
    let path = &change.path;
    match (value(&change.before), value(&change.after)) {
        (None, Some(after)) => format!("{path} added on the hub: {after}"),
        (Some(before), None) => format!("{path} removed on the hub: {before}"),
        (before, after) => {
            format!("{path} changed on the hub: {} → {}", before.unwrap_or_default(), after.unwrap_or_default())
        }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
