//! The reader behind [`super::parse`] and [`super::value`]: one pass over the bytes, recursion bounded by the levels allowed.

use super::{Lines, Parsed, Problem, Span, meant, number, path_of};
use crate::twin::{Json, JsonMap, Segment};
use serde_json::Number;
use std::ops::Range;

/// Beyond this many, a list of mistakes helps nobody.
const PROBLEMS_MAX: usize = 100;

/// What the reading is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Keeps spans; a duplicate key is a problem.
    Typed,
    /// Keeps values only; of duplicate keys the last counts.
    Wire,
}

pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) bytes: &'t [u8],
    /// Offset of the next byte.
    pub(super) at: usize,
    purpose: Purpose,
    levels_max: usize,
    open_objects: usize,
    open_arrays: usize,
    spans: Vec<Span>,
    /// Index of the span being read.
    here: Option<usize>,
    /// Line and column are filled in at the end.
    problems: Vec<Problem>,
    failed: bool,
    /// The end of the text was already complained about, so brackets left open need no word of their own.
    pub(super) cut: bool,
}

pub(super) fn section(text: &str) -> Parsed {
    let mut reader = Reader::new(text, Purpose::Typed, super::LEVELS_MAX);
    reader.blank();
    if reader.at == text.len() {
        reader.problem(0..text.len(), "nothing here: write `{}` for an empty section");
        return reader.finish(None);
    }
    let start = reader.at;
    let root = reader.open(None, None);
    let value = reader.value();
    reader.close(root, start);
    reader.here = Some(root);
    if !value.is_object() && !reader.failed {
        reader.problem(start..reader.at, "a section is an object: it stands between `{` and `}`");
    }
    reader.end_of_document();
    reader.finish(match value {
        Json::Object(map) => Some(map),
        _ => None,
    })
}

pub(super) fn value(text: &str) -> Result<Json, Problem> {
    let mut reader = Reader::new(text, Purpose::Wire, super::WIRE_LEVELS_MAX);
    reader.blank();
    let value = reader.value();
    reader.end_of_document();
    match reader.finish(None).problems.into_iter().next() {
        Some(problem) => Err(problem),
        None => Ok(value),
    }
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, purpose: Purpose, levels_max: usize) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            // Some editors begin a file with a byte order mark.
            at: if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 },
            purpose,
            levels_max,
            open_objects: 0,
            open_arrays: 0,
            spans: Vec::new(),
            here: None,
            problems: Vec::new(),
            failed: false,
            cut: false,
        }
    }

    fn finish(mut self, document: Option<JsonMap>) -> Parsed {
        Lines::new(self.text).place(&mut self.problems);
        Parsed { document: document.filter(|_| !self.failed), problems: self.problems, spans: self.spans }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn problem(&mut self, range: Range<usize>, message: impl Into<String>) {
        self.mendable(range, (message.into(), None));
    }

    /// A problem with what was meant, where that is clear.
    fn mendable(&mut self, range: Range<usize>, (message, instead): (String, Option<String>)) {
        self.failed = true;
        if self.problems.len() < PROBLEMS_MAX {
            let path = path_of(&self.spans, self.here);
            self.problems.push(Problem { range, line: 1, column: 1, path, message, instead });
        }
    }

    fn open(&mut self, segment: Option<Segment>, key: Option<Range<usize>>) -> usize {
        let index = self.spans.len();
        self.spans.push(Span { parent: self.here, segment, key, value: self.at..self.at, after: index + 1 });
        self.here = Some(index);
        index
    }

    fn close(&mut self, index: usize, start: usize) {
        let after = self.spans.len();
        let span = &mut self.spans[index];
        span.value = start..self.at;
        span.after = after;
        self.here = span.parent;
    }

    /// Skips white space, and comments with a complaint.
    fn blank(&mut self) {
        loop {
            match (self.peek(), self.bytes.get(self.at + 1)) {
                (Some(b' ' | b'\n' | b'\r' | b'\t'), _) => self.at += 1,
                (Some(b'/'), Some(b'/')) | (Some(b'#'), _) => self.comment("\n"),
                (Some(b'/'), Some(b'*')) => self.comment("*/"),
                _ => return,
            }
        }
    }

    fn comment(&mut self, end: &str) {
        let start = self.at;
        let rest = &self.text[start..];
        let length = match (rest.find(end), end) {
            (Some(found), "\n") => found,
            (Some(found), _) => found + end.len(),
            (None, _) => rest.len(),
        };
        self.at += length;
        self.problem(start..self.at, "comments are not JSON");
    }

    fn end_of_document(&mut self) {
        self.blank();
        if let Some(c) = self.text[self.at..].chars().next()
            && !self.cut
        {
            self.problem(
                self.at..self.at + c.len_utf8(),
                format!("the document ends before this `{}`", c.escape_debug()),
            );
        }
    }

    /// One value; where none can be read, a problem and `null` in its place.
    fn value(&mut self) -> Json {
        let start = self.at;
        match self.peek() {
            Some(b'{' | b'[') => self.nested(),
            Some(b'"') => Json::String(self.string(b'"')),
            Some(b'\'') => Json::String(self.single_quoted()),
            Some(b'-' | b'+' | b'.' | b'0'..=b'9') => self.number(),
            Some(c) if c.is_ascii_alphabetic() || c == b'_' => self.word(),
            Some(c @ (b',' | b'}' | b']')) => {
                self.problem(start..start + 1, format!("expected a value before this `{}`", char::from(c)));
                Json::Null
            }
            Some(_) => {
                self.unexpected("a value");
                Json::Null
            }
            None => {
                if !self.cut {
                    self.cut = true;
                    self.problem(start..start, "the text ends where a value should stand");
                }
                Json::Null
            }
        }
    }

    fn nested(&mut self) -> Json {
        if self.open_objects + self.open_arrays >= self.levels_max {
            self.problem(self.at..self.at + 1, format!("nested deeper than {} levels", self.levels_max));
            self.skip_nested();
            return Json::Null;
        }
        if self.peek() == Some(b'{') {
            self.open_objects += 1;
            let map = self.object();
            self.open_objects -= 1;
            Json::Object(map)
        } else {
            self.open_arrays += 1;
            let items = self.array();
            self.open_arrays -= 1;
            Json::Array(items)
        }
    }

    fn object(&mut self) -> JsonMap {
        let open = self.at;
        self.at += 1;
        let mut map = JsonMap::new();
        let mut comma = None;
        while self.more(open, b'}', comma) {
            let Some((key, range)) = self.key() else {
                comma = None;
                continue;
            };
            self.blank();
            let colon = self.colon();
            let start = self.at;
            let span = (self.purpose == Purpose::Typed)
                .then(|| self.open(Some(Segment::Key(key.clone())), Some(range.clone())));
            let value = if colon { self.value() } else { Json::Null };
            if map.insert(key, value).is_some() && self.purpose == Purpose::Typed {
                self.problem(range, "this key already stands above in the same object");
            }
            if let Some(span) = span {
                self.close(span, start);
            }
            comma = self.separator(b'}');
        }
        map
    }

    fn array(&mut self) -> Vec<Json> {
        let open = self.at;
        self.at += 1;
        let mut items = Vec::new();
        let mut comma = None;
        while self.more(open, b']', comma) {
            let start = self.at;
            let span = (self.purpose == Purpose::Typed).then(|| self.open(Some(Segment::Index(items.len())), None));
            items.push(self.value());
            if let Some(span) = span {
                self.close(span, start);
            }
            comma = self.separator(b']');
        }
        items
    }

    /// Whether another item follows. Consumes the closing bracket, and what cannot begin an item.
    fn more(&mut self, open: usize, close: u8, comma: Option<usize>) -> bool {
        loop {
            self.blank();
            let at = self.at;
            match self.peek() {
                None => {
                    if !self.cut {
                        self.cut = true;
                        let opened = char::from(self.bytes[open]);
                        self.problem(open..open + 1, format!("this `{opened}` is never closed"));
                    }
                    return false;
                }
                Some(c) if c == close => {
                    if let Some(comma) = comma {
                        self.problem(comma..comma + 1, format!("a comma before `{}` is not JSON", char::from(close)));
                    }
                    self.at += 1;
                    return false;
                }
                Some(c @ (b'}' | b']')) => {
                    let (found, wanted) = (char::from(c), char::from(close));
                    self.problem(at..at + 1, format!("expected `{wanted}` before this `{found}`"));
                    // The bracket belongs to something further out, if there is one: leave it to that.
                    if (if c == b'}' { self.open_objects } else { self.open_arrays }) > 0 {
                        return false;
                    }
                    self.at += 1;
                }
                Some(b',') => {
                    let what = if close == b'}' { "a key" } else { "a value" };
                    self.problem(at..at + 1, format!("expected {what} before this `,`"));
                    self.at += 1;
                }
                Some(_) => return true,
            }
        }
    }

    /// What stands between two items; gives the offset of the comma.
    fn separator(&mut self, close: u8) -> Option<usize> {
        let end = self.at;
        self.blank();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Some(self.at - 1)
            }
            Some(b'}' | b']') | None => None,
            Some(c) => {
                // A value ends with an ASCII character; behind a mistake any character may stand here.
                let last = self.text.floor_char_boundary(end - 1);
                self.problem(last..end, format!("expected `,` or `{}` after this value", char::from(close)));
                if !(c.is_ascii_alphanumeric() || b"\"'{[-_$".contains(&c)) {
                    self.skip_junk();
                }
                None
            }
        }
    }

    fn key(&mut self) -> Option<(String, Range<usize>)> {
        let start = self.at;
        let key = match self.peek() {
            Some(b'"') => self.string(b'"'),
            Some(b'\'') => self.single_quoted(),
            Some(c) if c.is_ascii_alphanumeric() || b"_$-".contains(&c) => {
                let key = self.run(|c| c.is_ascii_alphanumeric() || b"_$-.".contains(&c)).to_owned();
                self.mendable(start..self.at, meant::bare_key(&key));
                key
            }
            _ => {
                self.unexpected("a key in double quotes");
                return None;
            }
        };
        Some((key, start..self.at))
    }

    /// Whether a value can be read behind the key.
    fn colon(&mut self) -> bool {
        let at = self.at;
        match self.peek() {
            Some(b':') => {
                self.at += 1;
                self.blank();
                return true;
            }
            Some(b'=') => {
                self.problem(at..at + 1, "a key and its value are joined by `:`");
                self.at += 1;
                self.blank();
                return true;
            }
            None if self.cut => {}
            None => {
                self.cut = true;
                self.problem(at..at, "the text ends where `:` should stand");
            }
            Some(_) => self.problem(at..at, "expected `:` after this key"),
        }
        !matches!(self.peek(), None | Some(b',' | b'}' | b']'))
    }

    fn number(&mut self) -> Json {
        let start = self.at;
        let spelled = self.run(|c| c.is_ascii_alphanumeric() || b"+-._".contains(&c));
        match number::check(spelled) {
            // The parsing constructor would respell the exponent; this one keeps the text, which is checked.
            Ok(()) => Json::Number(Number::from_string_unchecked(spelled.to_owned())),
            Err(message) => {
                self.problem(start..self.at, message);
                Json::Null
            }
        }
    }

    fn word(&mut self) -> Json {
        let start = self.at;
        let word = self.run(|c| c.is_ascii_alphanumeric() || c == b'_');
        match word {
            "true" => return Json::Bool(true),
            "false" => return Json::Bool(false),
            "null" => return Json::Null,
            _ => {}
        }
        let (message, instead) = meant::word(word);
        // A word that goes on is not all of what was meant.
        let ends = self.text[self.at..].trim_start_matches([' ', '\t']).bytes().next();
        let instead = instead.filter(|_| ends.is_none_or(|next| b",}]\r\n".contains(&next)));
        self.mendable(start..self.at, (message, instead));
        Json::Null
    }

    fn single_quoted(&mut self) -> String {
        let (start, before) = (self.at, self.problems.len());
        let string = self.string(b'\'');
        if self.problems.len() == before {
            self.mendable(start..self.at, meant::single_quoted(&string));
        } else {
            self.problem(start..self.at, "use double quotes");
        }
        string
    }

    fn run(&mut self, part: impl Fn(u8) -> bool) -> &'t str {
        let start = self.at;
        while self.peek().is_some_and(&part) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    /// Complains about the character here and moves on to where reading can resume. Consumes at least one character.
    fn unexpected(&mut self, expected: &str) {
        let Some(c) = self.text[self.at..].chars().next() else { return };
        let message = match c {
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2018}' | '\u{2019}' => {
                format!("{c} is a typographic quote: JSON uses the straight double quote")
            }
            c if c.is_whitespace() || c.is_control() || c == '\u{feff}' => {
                format!("the invisible character U+{:04X} cannot stand here", u32::from(c))
            }
            _ => format!("expected {expected}, found `{c}`"),
        };
        self.problem(self.at..self.at + c.len_utf8(), message);
        if matches!(c, '{' | '[') {
            self.skip_nested();
        } else {
            self.at += c.len_utf8();
        }
        self.skip_junk();
    }

    fn skip_junk(&mut self) {
        while self.peek().is_some_and(|c| !b",{}[]\"\n".contains(&c)) {
            self.at += 1;
        }
    }

    /// Past the bracket that closes the one here, without recursion.
    fn skip_nested(&mut self) {
        let mut open = 0usize;
        let mut in_string = false;
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                b'\\' if in_string => self.at = self.text.ceil_char_boundary(self.at + 1),
                b'"' => in_string = !in_string,
                b'{' | b'[' if !in_string => open += 1,
                b'}' | b']' if !in_string => {
                    open -= 1;
                    if open == 0 {
                        return;
                    }
                }
                _ => {}
            }
        }
        // The bracket is open still, but too deep is what was to be said of it.
        self.cut = true;
    }
}
