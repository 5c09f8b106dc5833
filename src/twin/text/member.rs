//! Changes one member of an object or array in a text: set, deleted, renamed, added. Every byte beside it stays.

use super::splice::{Edit, Layout};
use super::{Parsed, Problem, Span, parse, paste};
use crate::twin::{Json, Path, Segment};

/// A value with its spelling.
#[derive(Debug, Clone, PartialEq)]
pub struct Typed {
    spelling: String,
    value: Json,
}

/// What stands around a value while it is read on its own.
const OPENING: &str = "{\"\":";

impl Typed {
    /// Reads one JSON value.
    ///
    /// # Errors
    /// The first mistake, a duplicate key included; its place is that in `text`.
    pub fn read(text: &str) -> Result<Self, Problem> {
        let cleaned = paste::cleaned(text, paste::Place::Outside);
        let spelling = cleaned.trim();
        let before = cleaned.len() - cleaned.trim_start().len();
        let moved = |mut problem: Problem, back: usize| {
            let place = |offset: usize| (offset + before).saturating_sub(back);
            problem.range = place(problem.range.start)..place(problem.range.end);
            (problem.line, problem.column) = super::line_column(&cleaned, problem.range.start);
            problem
        };
        let value = super::value(spelling).map_err(|problem| moved(problem, 0))?;
        // Alone it is read as what comes from the network: a key that stands twice is complained of only in a section.
        match parse(&format!("{OPENING}{spelling}\n}}")).problems.into_iter().next() {
            Some(problem) => Err(moved(problem, OPENING.len())),
            None => Ok(Self { spelling: spelling.to_owned(), value }),
        }
    }

    #[must_use]
    pub fn value(&self) -> &Json {
        &self.value
    }

    /// Scalars as they were typed; what has lines of its own is laid out like its neighbours.
    fn print(&self, layout: &Layout) -> String {
        match &self.value {
            Json::Object(_) | Json::Array(_) => layout.whole(&self.value),
            _ => self.spelling.clone(),
        }
    }
}

/// A change of one member.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Set {
        path: Path,
        value: Typed,
    },
    /// The member with its comma; elements behind it move up.
    Delete {
        path: Path,
    },
    /// It stays in its place.
    Rename {
        path: Path,
        key: String,
    },
    /// A new member.
    Add {
        parent: Path,
        /// The sibling it goes behind; `None` for the end.
        behind: Option<Segment>,
        /// Not used in arrays.
        key: String,
        value: Typed,
    },
}

/// The edit that makes a change. `None` where the text does not parse or has no such member.
#[must_use]
pub fn edit(text: &str, parsed: &Parsed, change: &Change) -> Option<Edit> {
    parsed.document.as_ref()?;
    match change {
        Change::Set { path, value } => {
            let span = parsed.span(path)?;
            let layout = layout(text, parsed, span.parent?);
            Some(Edit { range: span.value.clone(), text: value.print(&layout) })
        }
        Change::Rename { path, key } => {
            let range = parsed.span(path)?.key.clone()?;
            Some(Edit { range, text: Json::String(key.clone()).to_string() })
        }
        Change::Delete { path } => delete(parsed, path),
        Change::Add { parent, behind, key, value } => {
            let at = parsed.index(parent)?;
            let span = &parsed.spans[at];
            let layout = layout(text, parsed, at);
            let entry = match text[span.value.clone()].chars().next()? {
                '{' => format!("{}: {}", Json::String(key.clone()), value.print(&layout)),
                '[' => value.print(&layout),
                _ => return None,
            };
            let siblings: Vec<&Span> = parsed.children(at).map(|child| &parsed.spans[child]).collect();
            let Some(last) = siblings.last() else {
                return Some(Edit { range: span.value.start + 1..span.value.end - 1, text: layout.fill(&[entry]) });
            };
            let behind = match behind {
                Some(_) => siblings.iter().find(|sibling| sibling.segment == *behind)?.value.end,
                None => last.value.end,
            };
            Some(Edit { range: behind..behind, text: format!(",{}{entry}", layout.between) })
        }
    }
}

fn delete(parsed: &Parsed, path: &Path) -> Option<Edit> {
    let at = parsed.index(path)?;
    let parent = parsed.spans[at].parent?;
    let siblings: Vec<usize> = parsed.children(parent).collect();
    let n = siblings.iter().position(|sibling| *sibling == at)?;
    let whole = |n: usize| parsed.spans[siblings[n]].whole();
    let range = if siblings.len() == 1 {
        let outer = &parsed.spans[parent].value;
        outer.start + 1..outer.end - 1
    } else if n == 0 {
        // With the comma behind it; later ones with the comma before them.
        whole(0).start..whole(1).start
    } else {
        whole(n - 1).end..whole(n).end
    };
    Some(Edit { range, text: String::new() })
}

fn layout(text: &str, parsed: &Parsed, at: usize) -> Layout {
    let first = parsed.children(at).next().map(|child| parsed.spans[child].whole().start);
    Layout::of(text, &parsed.spans[at], first)
}
