//! JSON as a person types it: a parse that keeps where everything stands, and says every problem with line, column and path.

use super::{Json, JsonMap, Path};
use std::ops::Range;

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
}

/// Where one value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub path: Path,
    /// Byte range of the key with its quotes; `None` for the root and for array elements.
    pub key: Option<Range<usize>>,
    /// Byte range of the value.
    pub value: Range<usize>,
}

/// The outcome of a parse: `document` is `Some` only if the text is one JSON object without a syntax error or duplicate key.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parsed {
    pub document: Option<JsonMap>,
    pub problems: Vec<Problem>,
    /// In text order, parents before children.
    pub spans: Vec<Span>,
}

impl Parsed {
    /// The span of a path, if the text has one.
    #[must_use]
    pub fn span(&self, path: &Path) -> Option<&Span> {
        self.spans.iter().find(|span| span.path == *path)
    }
}

/// Reads a section as typed. Nesting beyond 64 levels is a problem, not a stack overflow. Empty text is a problem whose
/// message says to write `{}`.
#[must_use]
pub fn parse(text: &str) -> Parsed {
    let _ = text;
    todo!()
}

/// Two-space indentation, number spelling and key order kept, no trailing newline.
#[must_use]
pub fn pretty(document: &JsonMap) -> String {
    let _ = document;
    todo!()
}

/// Any value on one line (`{"a":1}`), for diffs and previews.
#[must_use]
pub fn compact(value: &Json) -> String {
    value.to_string()
}

/// Line and column (both 1-based, column in characters) of a byte offset.
#[must_use]
pub fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let _ = (text, offset);
    todo!()
}
