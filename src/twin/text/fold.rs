//! What of a JSON text can be folded: objects and arrays over several lines, also while the text does not parse. A string ends
//! at its line's end at the latest, as in the colours.

use std::ops::Range;

/// An object or array whose lines can be hidden behind the one it begins on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Byte offset of the bracket that opens it.
    pub open: usize,
    /// The line of that bracket, from 0: it stays.
    pub head: usize,
    /// The lines that go, from 0. Never empty.
    pub hidden: Range<usize>,
    pub kind: Kind,
    /// Properties or items, the innermost ones not counted.
    pub count: usize,
    /// The closing bracket, with the comma behind it. Empty where its line stays, because more stands on it.
    pub tail: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Object,
    Array,
}

impl Kind {
    /// A count of what stands in it.
    #[must_use]
    pub fn word(self, count: usize) -> &'static str {
        match (self, count) {
            (Self::Object, 1) => "property",
            (Self::Object, _) => "properties",
            (Self::Array, 1) => "item",
            (Self::Array, _) => "items",
        }
    }
}

/// What of a text can be folded, and where its lines end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folds {
    /// In text order, one for a line at most: of several that begin on it, the outermost. Each lies wholly inside another one's
    /// hidden lines or wholly outside.
    pub list: Vec<Fold>,
    /// Byte offsets of the line breaks, and the end of the text.
    pub ends: Vec<usize>,
}

/// One pass over the text.
#[must_use]
pub fn folds(text: &str) -> Folds {
    let bytes = text.as_bytes();
    let mut scan = Scan { bytes, ends: Vec::new(), open: Vec::new(), objects: 0, arrays: 0, list: Vec::new() };
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\n' => scan.ends.push(at),
            b' ' | b'\t' | b'\r' => {}
            b',' => {
                if let Some(top) = scan.open.last_mut() {
                    top.in_member = false;
                }
            }
            b'"' => {
                scan.member();
                at = string_end(bytes, at);
                continue;
            }
            b'{' => scan.open(at, Kind::Object),
            b'[' => scan.open(at, Kind::Array),
            b'}' => scan.close(at, Kind::Object),
            b']' => scan.close(at, Kind::Array),
            _ => scan.member(),
        }
        at += 1;
    }
    scan.ends.push(bytes.len());
    let Scan { mut list, ends, .. } = scan;
    list.sort_unstable_by_key(|fold| fold.open);
    list.dedup_by_key(|fold| fold.head);
    Folds { list, ends }
}

/// A bracket not closed yet.
struct Open {
    at: usize,
    line: usize,
    kind: Kind,
    count: usize,
    /// Something stands behind the last comma.
    in_member: bool,
}

struct Scan<'t> {
    bytes: &'t [u8],
    ends: Vec<usize>,
    open: Vec<Open>,
    /// How many of `open` are of each kind: a closing bracket without partner is known at once.
    objects: usize,
    arrays: usize,
    list: Vec<Fold>,
}

impl Scan<'_> {
    fn member(&mut self) {
        if let Some(top) = self.open.last_mut().filter(|top| !top.in_member) {
            top.in_member = true;
            top.count += 1;
        }
    }

    fn open(&mut self, at: usize, kind: Kind) {
        self.member();
        *self.of(kind) += 1;
        self.open.push(Open { at, line: self.ends.len(), kind, count: 0, in_member: false });
    }

    fn of(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Object => &mut self.objects,
            Kind::Array => &mut self.arrays,
        }
    }

    fn close(&mut self, at: usize, kind: Kind) {
        if *self.of(kind) == 0 {
            return;
        }
        // What was opened inside and never closed is given up.
        while let Some(top) = self.open.pop() {
            *self.of(top.kind) -= 1;
            if top.kind == kind {
                self.fold(&top, at);
                return;
            }
        }
    }

    fn fold(&mut self, open: &Open, close: usize) {
        let line = self.ends.len();
        if line == open.line {
            return;
        }
        let tail = tail(self.bytes, close, open.kind);
        let hidden = open.line + 1..if tail.is_empty() { line } else { line + 1 };
        if !hidden.is_empty() {
            let Open { at, line, kind, count, .. } = *open;
            self.list.push(Fold { open: at, head: line, hidden, kind, count, tail });
        }
    }
}

/// A closing bracket with its comma; empty where more stands behind it on its line.
fn tail(bytes: &[u8], close: usize, kind: Kind) -> &'static str {
    let solid = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r')).map(|n| from + n)
    };
    let is_end = |at: Option<usize>| at.is_none_or(|at| bytes[at] == b'\n');
    let next = solid(close + 1);
    let comma = next.filter(|at| bytes[*at] == b',');
    match (kind, comma) {
        (Kind::Object, None) if is_end(next) => "}",
        (Kind::Array, None) if is_end(next) => "]",
        (Kind::Object, Some(comma)) if is_end(solid(comma + 1)) => "},",
        (Kind::Array, Some(comma)) if is_end(solid(comma + 1)) => "],",
        _ => "",
    }
}

/// Behind the string that begins at an offset, or at its line's end.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\n' => return at,
            // An escaped line break ends the line too.
            b'\\' if bytes.get(at + 1) != Some(&b'\n') => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}
