//! Two documents laid out beside each other, and several in a table: what differs, path by path, and what does not.

use super::diff::{Change, both};
use super::{Json, JsonMap, Path, Segment, text};
use std::collections::HashSet;

/// A piece of the layout of two documents.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Lines both have, with their indentation, in the order of the second document.
    Same(Vec<String>),
    Hunk(Hunk),
}

/// One difference, which can be taken for itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Hunk {
    pub change: Change,
    /// The property as the first document has it, line by line; none when it has none.
    pub before: Vec<String>,
    /// The same of the second.
    pub after: Vec<String>,
}

/// One path at which documents differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub path: Path,
    /// What each document has there, in their order; `None` where it has nothing.
    pub values: Vec<Option<Json>>,
}

/// Two documents as one run of pieces. The hunks are the changes of [`diff`](super::diff::diff), in its order; two runs of
/// same lines never follow each other. The lines have no commas: what stands in another order on the two sides would
/// otherwise differ by them.
#[must_use]
pub fn parts(before: &JsonMap, after: &JsonMap) -> Vec<Part> {
    let mut layout = Layout { parts: Vec::new(), path: Path::root() };
    layout.object(before, after);
    layout.parts
}

struct Layout {
    parts: Vec<Part>,
    path: Path,
}

impl Layout {
    fn object(&mut self, before: &JsonMap, after: &JsonMap) {
        for (key, old, new) in both(before, after) {
            match (old, new) {
                (Some(Json::Object(old)), Some(Json::Object(new))) if old != new => {
                    self.same(&format!("{}: {{", Json::from(key.as_str())));
                    self.path.0.push(Segment::Key(key.clone()));
                    self.object(old, new);
                    self.path.0.pop();
                    self.same("}");
                }
                (Some(old), Some(new)) if old == new => {
                    for line in property(key, new) {
                        self.same(&line);
                    }
                }
                (old, new) => {
                    let lines = |value: Option<&Json>| value.map(|value| property(key, value)).unwrap_or_default();
                    let change = Change { path: self.path.key(key), before: old.cloned(), after: new.cloned() };
                    self.parts.push(Part::Hunk(Hunk { change, before: lines(old), after: lines(new) }));
                }
            }
        }
    }

    fn same(&mut self, line: &str) {
        let line = format!("{:indent$}{line}", "", indent = self.path.0.len() * 2);
        match self.parts.last_mut() {
            Some(Part::Same(lines)) => lines.push(line),
            _ => self.parts.push(Part::Same(vec![line])),
        }
    }
}

/// A property as it is printed, without the comma and the indentation of the whole.
fn property(key: &str, value: &Json) -> Vec<String> {
    let printed = text::pretty(&JsonMap::from_iter([(key.to_owned(), value.clone())]));
    let lines: Vec<&str> = printed.lines().collect();
    let inner = lines.get(1..lines.len().saturating_sub(1)).unwrap_or_default();
    inner.iter().map(|line| line.strip_prefix("  ").unwrap_or(line).to_owned()).collect()
}

/// Where documents differ: a row per path, in the order of the first document that has it. Objects are descended into where
/// all of them have one, arrays and scalars are atomic, as in [`diff`](super::diff::diff): of two documents these are its paths.
#[must_use]
pub fn table(documents: &[&JsonMap]) -> Vec<Row> {
    let mut rows = Vec::new();
    descend(documents, &Path::root(), &mut rows);
    rows
}

fn descend(documents: &[&JsonMap], path: &Path, rows: &mut Vec<Row>) {
    let mut known = HashSet::new();
    for key in documents.iter().flat_map(|document| document.keys()).filter(|key| known.insert(key.as_str())) {
        let values: Vec<Option<&Json>> = documents.iter().map(|document| document.get(key)).collect();
        if values.windows(2).all(|pair| pair.first() == pair.last()) {
            continue;
        }
        let objects: Option<Vec<&JsonMap>> = values.iter().map(|value| value.and_then(Json::as_object)).collect();
        let path = path.key(key);
        match objects {
            Some(objects) => descend(&objects, &path, rows),
            None => rows.push(Row { path, values: values.into_iter().map(Option::<&Json>::cloned).collect() }),
        }
    }
}
