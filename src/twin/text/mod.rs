//! JSON as a person types it: a parse that keeps where everything stands, and says every problem with line, column and path.

pub mod change;
pub mod fold;
pub mod folding;
mod ground;
pub mod history;
pub mod lines;
mod meant;
pub mod member;
mod names;
mod number;
pub mod pairs;
pub mod paste;
mod read;
pub mod rebase;
pub mod search;
pub mod shift;
pub mod splice;
pub mod spot;
mod string;
pub mod typing;
pub mod visible;
pub mod word;

use super::{Json, JsonMap, Path, Segment};
use std::ops::Range;

/// Levels of nesting a typed section may have; the hub itself allows 10.
pub const LEVELS_MAX: usize = 64;

/// Levels of nesting read from the network.
pub const WIRE_LEVELS_MAX: usize = 128;

/// One problem in a typed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Byte range in the text.
    pub range: Range<usize>,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// Where in the document, as far as it could be read.
    pub path: Path,
    /// A sentence without a full stop.
    pub message: String,
    /// What to write in the place of `range`, where it is clear what was meant.
    pub instead: Option<String>,
}

/// Where one value stands. Its path is [`Parsed::path`] of its index: a path per value would cost more than the parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Index in [`Parsed::spans`] of the object or array this value stands in; `None` for the root.
    pub parent: Option<usize>,
    /// The last step of the path; `None` for the root.
    pub segment: Option<Segment>,
    /// Byte range of the key with its quotes; `None` for the root and for array elements.
    pub key: Option<Range<usize>>,
    /// Byte range of the value.
    pub value: Range<usize>,
    /// Index in [`Parsed::spans`] behind the last value inside this one: where the next sibling stands, if there is one.
    pub after: usize,
}

impl Span {
    /// From the key, where there is one, to the end of the value.
    #[must_use]
    pub fn whole(&self) -> Range<usize> {
        self.key.as_ref().map_or(self.value.start, |key| key.start)..self.value.end
    }
}

/// The outcome of a parse: `document` is `Some` only if the text is one JSON object without a syntax error or duplicate key.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parsed {
    pub document: Option<JsonMap>,
    /// In text order. Of a text full of mistakes the first hundred.
    pub problems: Vec<Problem>,
    /// In text order, parents before children.
    pub spans: Vec<Span>,
}

impl Parsed {
    /// The span of a path, if the text has one.
    #[must_use]
    pub fn span(&self, path: &Path) -> Option<&Span> {
        self.spans.get(self.index(path)?)
    }

    /// The index in [`Parsed::spans`] of a path, if the text has one.
    fn index(&self, path: &Path) -> Option<usize> {
        let mut at = 0;
        for segment in &path.0 {
            at = self.children(at).find(|child| self.spans[*child].segment.as_ref() == Some(segment))?;
        }
        Some(at)
    }

    /// The path of the value at an index of [`Parsed::spans`].
    #[must_use]
    pub fn path(&self, index: usize) -> Path {
        path_of(&self.spans, Some(index))
    }

    /// The path of the innermost value at a byte offset, its key and both its ends included; the root elsewhere.
    #[must_use]
    pub fn path_at(&self, offset: usize) -> Path {
        let holds = |index: &usize| {
            let whole = self.spans[*index].whole();
            whole.start <= offset && offset <= whole.end
        };
        let mut at = 0;
        while let Some(child) = self.children(at).find(holds) {
            at = child;
        }
        self.path(at)
    }

    /// The indexes of the values directly inside the one at `index`.
    fn children(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.spans.get(index).map_or(0, |span| span.after);
        let within = move |child: &usize| *child < end;
        std::iter::successors(Some(index + 1).filter(within), move |child| {
            Some(self.spans[*child].after).filter(within)
        })
    }
}

fn path_of(spans: &[Span], index: Option<usize>) -> Path {
    let mut segments = Vec::new();
    let mut next = index;
    while let Some(span) = next.and_then(|index| spans.get(index)) {
        segments.extend(span.segment.clone());
        next = span.parent;
    }
    segments.reverse();
    Path(segments)
}

/// Reads a section as typed. Nesting beyond 64 levels is a problem, not a stack overflow. Empty text is a problem whose
/// message says to write `{}`.
///
/// Reads on behind a mistake where it is clear what was meant, so that several are reported at once.
#[must_use]
pub fn parse(text: &str) -> Parsed {
    read::section(text)
}

/// Reads any JSON value from the network, every number spelled as it was sent (`serde_json` itself writes `1E5` as
/// `1e+5`). A key that stands twice has its last value.
///
/// # Errors
/// The first problem: bad syntax, or more than 128 levels of nesting.
pub fn value(text: &str) -> Result<Json, Problem> {
    read::value(text)
}

/// Two-space indentation, number spelling and key order kept, no trailing newline.
///
/// # Panics
/// Never: a map of JSON values always prints.
#[must_use]
pub fn pretty(document: &JsonMap) -> String {
    serde_json::to_string_pretty(document).expect("a map of JSON values always prints")
}

/// Any value on one line (`{"a":1}`), for diffs and previews.
#[must_use]
pub fn compact(value: &Json) -> String {
    value.to_string()
}

/// Line and column (both 1-based, column in characters) of a byte offset. An offset inside a character counts as its
/// start; one behind the text as its end.
#[must_use]
pub fn line_column(text: &str, offset: usize) -> (usize, usize) {
    Lines::new(text).locate(offset)
}

/// Counts lines and columns on the way through a text: offsets asked for in rising order cost one pass in all.
pub(super) struct Lines<'t> {
    text: &'t str,
    offset: usize,
    line: usize,
    column: usize,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, offset: 0, line: 1, column: 1 }
    }

    pub(super) fn locate(&mut self, offset: usize) -> (usize, usize) {
        let offset = self.text.floor_char_boundary(offset);
        if offset < self.offset {
            *self = Self::new(self.text);
        }
        for byte in &self.text.as_bytes()[self.offset..offset] {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.column = 1;
                }
                // The second and later bytes of a character.
                0x80..=0xBF => {}
                _ => self.column += 1,
            }
        }
        self.offset = offset;
        (self.line, self.column)
    }

    /// Sorts problems by place and gives each its line and column.
    pub(super) fn place(mut self, problems: &mut [Problem]) {
        problems.sort_by_key(|problem| problem.range.start);
        for problem in problems {
            (problem.line, problem.column) = self.locate(problem.range.start);
        }
    }
}
