//! A section as a tree: one row per property, with what the device reports at the same place.
//!
//! The tree keeps no document of its own: its rows are made of the draft's text, and its edits ([`edit`]) are edits of that text.

pub mod edit;
pub mod kind;

use super::metadata::{Written, written};
use super::text::compact;
use super::{Json, JsonMap, Path, Section, Segment, Twin};
use kind::Kind;
use std::collections::HashSet;

/// Characters of a value that a row shows.
const SHOWN_CHARS: usize = 200;

/// How desired and reported stand to each other at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// Reported has the same value; of an object, the same for everything that is desired in it.
    Agrees,
    Differs,
    /// Desired alone.
    NotReported,
    /// Reported alone.
    NotDesired,
    /// Nobody reports on tags.
    Unreported,
}

/// What the draft does to a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Added,
    Changed,
}

/// One property or array element that is in view or may be scrolled to.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub path: Path,
    /// 0 for what stands in the section itself.
    pub depth: usize,
    /// The key, or `[2]`.
    pub name: String,
    /// Of the draft's value; of the reported one where there is no other.
    pub kind: Kind,
    /// The draft's value in short; `None` where only the device has one.
    pub value: Option<String>,
    /// The reported value in short.
    pub reported: Option<String>,
    pub agreement: Agreement,
    /// Against what the hub had; `None` where nothing was edited.
    pub mark: Option<Mark>,
    /// Whether the rows inside are shown; `None` where there are none.
    pub open: Option<bool>,
    /// From 1, and of how many, among its siblings.
    pub place: (usize, usize),
}

impl Row {
    /// The row in words, as a screen reader says it: `telemetryInterval, 122, reported 60, differs`.
    #[must_use]
    pub fn spoken(&self) -> String {
        let mut words = vec![self.name.clone(), self.value.clone().unwrap_or_else(|| "not desired".to_owned())];
        match (&self.reported, self.agreement) {
            (_, Agreement::Unreported) => {}
            (None, _) => words.push("not reported".to_owned()),
            (Some(reported), agreement) => {
                words.push(format!("reported {reported}"));
                match agreement {
                    Agreement::Agrees => words.push("agrees".to_owned()),
                    Agreement::Differs => words.push("differs".to_owned()),
                    _ => {}
                }
            }
        }
        match self.mark {
            Some(Mark::Added) => words.push("added".to_owned()),
            Some(Mark::Changed) => words.push("edited".to_owned()),
            None => {}
        }
        words.join(", ")
    }
}

/// What rows are made of.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// What the draft says.
    pub document: &'a JsonMap,
    /// What the hub said when the draft began.
    pub base: &'a JsonMap,
    /// What the device says; `None` for tags.
    pub reported: Option<&'a JsonMap>,
}

/// Rows in the order of the text; behind them, object by object, what only the device has. What stands in one of `closed` is left out.
#[must_use]
#[allow(clippy::implicit_hasher)] // One set in the program, with the usual hasher.
pub fn rows(source: &Source, closed: &HashSet<Path>) -> Vec<Row> {
    let mut walk = Walk { tags: source.reported.is_none(), closed, path: Path::root(), rows: Vec::new() };
    walk.object(Some(source.document), Some(source.base), source.reported);
    walk.rows
}

struct Walk<'a> {
    tags: bool,
    closed: &'a HashSet<Path>,
    path: Path,
    rows: Vec<Row>,
}

impl Walk<'_> {
    fn object(&mut self, mine: Option<&JsonMap>, base: Option<&JsonMap>, reported: Option<&JsonMap>) {
        let own = mine.into_iter().flatten();
        let told = reported.into_iter().flatten().filter(|(key, _)| mine.is_none_or(|mine| !mine.contains_key(*key)));
        let count = own.clone().count() + told.clone().count();
        let keys = own.chain(told).map(|(key, _)| key);
        for (n, key) in keys.enumerate() {
            let three = Three {
                mine: mine.and_then(|map| map.get(key)),
                base: base.and_then(|map| map.get(key)),
                reported: reported.and_then(|map| map.get(key)),
            };
            self.row(Segment::Key(key.clone()), &three, (n + 1, count));
        }
    }

    fn array(&mut self, mine: Option<&[Json]>, base: Option<&[Json]>, reported: Option<&[Json]>) {
        let count = mine.or(reported).map_or(0, <[Json]>::len);
        for n in 0..count {
            let at = |items: Option<&'_ [Json]>| items.and_then(|items| items.get(n)).cloned();
            let (mine, base, reported) = (at(mine), at(base), at(reported));
            let three = Three { mine: mine.as_ref(), base: base.as_ref(), reported: reported.as_ref() };
            self.row(Segment::Index(n), &three, (n + 1, count));
        }
    }

    fn row(&mut self, segment: Segment, three: &Three, place: (usize, usize)) {
        let Some(value) = three.mine.or(three.reported) else { return };
        let name = match &segment {
            Segment::Key(key) => key.clone(),
            Segment::Index(index) => format!("[{index}]"),
        };
        let depth = self.path.0.len();
        self.path.0.push(segment);
        let full = three.holds_rows();
        let open = full.then(|| !self.closed.contains(&self.path));
        self.rows.push(Row {
            path: self.path.clone(),
            depth,
            name,
            kind: Kind::of(value),
            value: three.mine.map(short),
            reported: three.reported.map(short),
            agreement: if self.tags { Agreement::Unreported } else { three.agreement() },
            mark: three.mark(),
            open,
            place,
        });
        if open == Some(true) {
            let objects = [three.mine, three.base, three.reported].map(|value| value.and_then(Json::as_object));
            let arrays =
                [three.mine, three.base, three.reported].map(|value| value.and_then(Json::as_array).map(Vec::as_slice));
            if value.is_array() {
                self.array(arrays[0], arrays[1], arrays[2]);
            } else {
                self.object(objects[0], objects[1], objects[2]);
            }
        }
        self.path.0.pop();
    }
}

/// The values at one place.
struct Three<'a> {
    mine: Option<&'a Json>,
    base: Option<&'a Json>,
    reported: Option<&'a Json>,
}

impl Three<'_> {
    fn holds_rows(&self) -> bool {
        let full = |value: &Json| match value {
            Json::Object(map) => !map.is_empty(),
            Json::Array(items) => !items.is_empty(),
            _ => false,
        };
        match (self.mine, self.reported) {
            // What the device has beside an empty object is shown in it.
            (Some(Json::Object(mine)), Some(Json::Object(reported))) => !mine.is_empty() || !reported.is_empty(),
            (mine, reported) => mine.or(reported).is_some_and(full),
        }
    }

    fn agreement(&self) -> Agreement {
        match (self.mine, self.reported) {
            (Some(mine), Some(reported)) if covers(reported, mine) => Agreement::Agrees,
            (Some(_), Some(_)) => Agreement::Differs,
            (Some(_), None) => Agreement::NotReported,
            (None, _) => Agreement::NotDesired,
        }
    }

    fn mark(&self) -> Option<Mark> {
        match (self.mine, self.base) {
            (Some(_), None) => Some(Mark::Added),
            (Some(mine), Some(base)) if mine != base => Some(Mark::Changed),
            _ => None,
        }
    }
}

/// Whether reported says what is desired, whatever else it says. Numbers are compared by spelling, as everywhere.
fn covers(reported: &Json, desired: &Json) -> bool {
    match (reported, desired) {
        (Json::Object(reported), Json::Object(desired)) => {
            desired.iter().all(|(key, value)| reported.get(key).is_some_and(|told| covers(told, value)))
        }
        (reported, desired) => reported == desired,
    }
}

/// A value in short: scalars as JSON, what has members by their count.
#[must_use]
pub fn short(value: &Json) -> String {
    let count = |n: usize, one: &str, many: &str| match n {
        0 => format!("no {many}"),
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    };
    match value {
        Json::Object(map) => count(map.len(), "property", "properties"),
        Json::Array(items) => count(items.len(), "element", "elements"),
        scalar => {
            let text = compact(scalar);
            match text.char_indices().nth(SHOWN_CHARS) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text,
            }
        }
    }
}

/// When the hub last took a value at a path, of desired and of reported; each `None` where it has no value there, and in tags.
#[must_use]
pub fn stamps(base: &Twin, newest: &Twin, section: Section, path: &Path) -> (Option<Written>, Option<Written>) {
    let own = |twin: &super::Properties| {
        path.find(&twin.values)?;
        written(&twin.metadata, path).filter(|stamp| stamp.own)
    };
    match section {
        Section::Tags => (None, None),
        _ => (own(&base.desired), own(&newest.reported)),
    }
}

/// The path as a query names it: `properties.desired.limits.low`; keys that are no plain words in quotes.
#[must_use]
pub fn query_path(section: Section, path: &Path) -> String {
    let root = match section {
        Section::Tags => "tags".to_owned(),
        section => format!("properties.{}", section.word()),
    };
    let steps = path.0.iter().map(|segment| match segment {
        Segment::Index(index) => format!("[{index}]"),
        Segment::Key(key) if is_word(key) => format!(".{key}"),
        Segment::Key(key) => format!("['{}']", key.replace('\\', "\\\\").replace('\'', "''")),
    });
    std::iter::once(root).chain(steps).collect::<Vec<_>>().concat()
}

fn is_word(key: &str) -> bool {
    let mut chars = key.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
