//! Which keys twins have, place by place, and whether a key typed is a slip of one of them.

use super::text::shift::Shift;
use super::text::{Lines, Parsed};
use super::{Json, JsonMap, Path, Section, Segment};
use std::collections::BTreeMap;
use std::ops::Range;

/// Of a fleet with more paths than this, the rest is not learnt.
pub const PATHS_MAX: usize = 2000;

/// Of a text with more slips than this, the rest is not told.
pub const HINTS_MAX: usize = 20;

/// Pairs of keys compared for one text: it is done after a keystroke.
const PAIRS_MAX: usize = 20_000;

/// The keys seen in one section of several twins. All elements of an array are one place.
#[derive(Debug, Default)]
pub struct Known {
    root: Node,
    paths: usize,
}

#[derive(Debug, Default)]
struct Node {
    keys: BTreeMap<String, Node>,
    items: Option<Box<Node>>,
    /// Keys were left out here: what is not among the others may be known all the same.
    partial: bool,
}

/// A key that no twin has at its place, one edit away from one that others have there and this text does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    pub path: Path,
    /// The key as typed.
    pub typed: String,
    /// The key others have.
    pub meant: String,
    /// Byte range of the key in the text, quotes included.
    pub range: Range<usize>,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
}

impl Known {
    /// Takes in the keys of a section, without the hub's own.
    pub fn learn(&mut self, document: &JsonMap) {
        learn_object(&mut self.root, document, &mut self.paths);
    }

    /// Takes in the keys of a section of a query's row, if the row is a whole twin: a projection may give any name to anything.
    pub fn learn_row(&mut self, section: Section, row: &Json) {
        let is_twin = ["deviceId", "etag", "properties"].iter().all(|key| row.get(key).is_some());
        let part = match section {
            Section::Tags => row.get("tags"),
            _ => row.get("properties").and_then(|properties| properties.get(section.word())),
        };
        if let Some(Json::Object(document)) = part.filter(|_| is_twin) {
            learn_object(&mut self.root, document, &mut self.paths);
        }
    }

    /// The slips in a text, in text order; none while it does not parse.
    #[must_use]
    pub fn hints(&self, text: &str, parsed: &Parsed) -> Vec<Hint> {
        let Some(document) = &parsed.document else { return Vec::new() };
        let mut search = Search { at: Vec::new(), found: Vec::new(), pairs: PAIRS_MAX };
        search.object(&self.root, document);
        let mut hints: Vec<Hint> = search
            .found
            .into_iter()
            .filter_map(|(path, typed, meant)| {
                let range = parsed.span(&path)?.key.clone()?;
                Some(Hint { path, typed, meant, range, line: 1, column: 1 })
            })
            .collect();
        hints.sort_by_key(|hint| hint.range.start);
        let mut lines = Lines::new(text);
        for hint in &mut hints {
            (hint.line, hint.column) = lines.locate(hint.range.start);
        }
        hints
    }
}

/// Slips told of a text before, where they stand in the text it became.
#[must_use]
pub fn carried(hints: &[Hint], shift: &Shift, text: &str) -> Vec<Hint> {
    let mut lines = Lines::new(text);
    let carried = hints.iter().map(|hint| {
        let range = shift.range(&hint.range);
        let (line, column) = lines.locate(range.start);
        Hint { range, line, column, ..hint.clone() }
    });
    carried.collect()
}

fn learn_object(node: &mut Node, object: &JsonMap, paths: &mut usize) {
    // `$version` and `$metadata` are the hub's, and nobody may type such a key.
    for (key, value) in object.iter().filter(|(key, _)| !key.starts_with('$')) {
        if !node.keys.contains_key(key) {
            if *paths >= PATHS_MAX {
                node.partial = true;
                continue;
            }
            *paths += 1;
        }
        learn_value(node.keys.entry(key.clone()).or_default(), value, paths);
    }
}

fn learn_value(node: &mut Node, value: &Json, paths: &mut usize) {
    match value {
        Json::Object(object) => learn_object(node, object, paths),
        Json::Array(items) => {
            let place = node.items.get_or_insert_default();
            for item in items {
                learn_value(place, item, paths);
            }
        }
        _ => {}
    }
}

/// A walk over a document beside what is known.
struct Search<'d> {
    at: Vec<Step<'d>>,
    found: Vec<(Path, String, String)>,
    pairs: usize,
}

#[derive(Clone, Copy)]
enum Step<'d> {
    Key(&'d str),
    Index(usize),
}

impl<'d> Search<'d> {
    fn object(&mut self, node: &Node, object: &'d JsonMap) {
        for (key, value) in object {
            self.at.push(Step::Key(key));
            match node.keys.get(key) {
                Some(inner) => self.value(inner, value),
                None if !node.partial && !key.starts_with('$') && self.found.len() < HINTS_MAX => {
                    if let Some(meant) = self.meant(node, object, key) {
                        let path = Path(self.at.iter().map(|step| step.segment()).collect());
                        self.found.push((path, key.clone(), meant));
                    }
                }
                None => {}
            }
            self.at.pop();
        }
    }

    fn value(&mut self, node: &Node, value: &'d Json) {
        match (value, &node.items) {
            (Json::Object(object), _) => self.object(node, object),
            (Json::Array(items), Some(place)) => {
                for (index, item) in items.iter().enumerate() {
                    self.at.push(Step::Index(index));
                    self.value(place, item);
                    self.at.pop();
                }
            }
            _ => {}
        }
    }

    fn meant(&mut self, node: &Node, object: &JsonMap, key: &str) -> Option<String> {
        let pairs = self.pairs;
        self.pairs = pairs.saturating_sub(node.keys.len());
        node.keys.keys().take(pairs).find(|known| near(key, known) && !object.contains_key(*known)).cloned()
    }
}

impl Step<'_> {
    fn segment(self) -> Segment {
        match self {
            Self::Key(key) => Segment::Key(key.to_owned()),
            Self::Index(index) => Segment::Index(index),
        }
    }
}

/// Whether one character inserted, left out, changed, or two neighbours swapped make one key of the other.
///
/// Names that differ in a digit are numbered (`rule1`, `rule2`), and short ones differ by meaning (`a`, `b`): no slips.
#[must_use]
pub fn near(typed: &str, known: &str) -> bool {
    // A character has four bytes at most.
    if typed.len().abs_diff(known.len()) > 4 || typed.len().max(known.len()) < 4 {
        return false;
    }
    let (typed, known): (Vec<char>, Vec<char>) = (typed.chars().collect(), known.chars().collect());
    if typed.len().max(known.len()) < 4 {
        return false;
    }
    let same = typed.iter().zip(&known).take_while(|(a, b)| a == b).count();
    let (typed, known) = (&typed[same..], &known[same..]);
    let same = typed.iter().rev().zip(known.iter().rev()).take_while(|(a, b)| a == b).count();
    let (typed, known) = (&typed[..typed.len() - same], &known[..known.len() - same]);
    let edited = match (typed, known) {
        ([_], [] | [_]) | ([], [_]) => true,
        ([a, b], [c, d]) => (a, b) == (d, c),
        _ => false,
    };
    edited && !typed.iter().chain(known).any(char::is_ascii_digit)
}
