//! What is typed in a tree, checked and made an edit of the text. What is refused says where and what to do instead.

use crate::twin::rules::{self, Form, Rule, Violation};
use crate::twin::text::member::{self, Change, Typed};
use crate::twin::text::splice::{self, Edit};
use crate::twin::text::{self, Parsed, Problem};
use crate::twin::{Json, JsonMap, Path, Section, Segment};

/// An act on one property, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    Set {
        path: Path,
        /// A JSON value.
        value: String,
    },
    Delete {
        path: Path,
    },
    Rename {
        path: Path,
        key: String,
    },
    Add {
        parent: Path,
        /// The sibling it goes behind; `None` for the end.
        behind: Option<Segment>,
        /// Not used in arrays.
        key: String,
        /// A JSON value.
        value: String,
    },
}

/// Which of the two fields a fault is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Key,
    Value,
}

/// Why an act is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    pub part: Part,
    /// A sentence without a full stop: where, what, and what to do instead.
    pub message: String,
}

impl Fault {
    fn key(message: impl Into<String>) -> Self {
        Self { part: Part::Key, message: message.into() }
    }

    fn value(message: impl Into<String>) -> Self {
        Self { part: Part::Value, message: message.into() }
    }
}

/// The edits of the text that make an act; none where it changes nothing.
///
/// # Errors
/// Where the text does not parse or has no such property, where the key is taken, where the value is no JSON, and where the hub
/// would refuse what is new. A section that gets too large is not refused: something else can still go.
pub fn edits(section: Section, text: &str, parsed: &Parsed, act: &Act) -> Result<Vec<Edit>, Fault> {
    let Some(document) = &parsed.document else {
        return Err(Fault::value("the text does not parse any more: go back to the text and mend it first"));
    };
    let (change, target) = change(text, parsed, document, section, act)?;
    let Some(edit) = member::edit(text, parsed, &change) else { return Err(gone()) };
    if text[edit.range.clone()] == edit.text {
        return Ok(Vec::new());
    }
    let edits = vec![edit];
    let after = text::parse(&splice::made(text, &edits));
    let Some(made) = &after.document else {
        return Err(Fault::value(after.problems.first().map_or_else(String::new, |problem| problem.message.clone())));
    };
    match target {
        Some(target) => refused(section, document, made, &target, act).map_or(Ok(edits), Err),
        None => Ok(edits),
    }
}

fn gone() -> Fault {
    Fault::value("this property is not there any more: copy what you typed, and add it anew")
}

/// The change, and the path of what is new in it.
fn change(
    text: &str,
    parsed: &Parsed,
    document: &JsonMap,
    section: Section,
    act: &Act,
) -> Result<(Change, Option<Path>), Fault> {
    match act {
        Act::Delete { path } => Ok((Change::Delete { path: path.clone() }, None)),
        Act::Set { path, value } => Ok((Change::Set { path: path.clone(), value: typed(value)? }, Some(path.clone()))),
        Act::Rename { path, key } => {
            let Some((Segment::Key(old), parent)) = path.0.split_last() else {
                return Err(Fault::key("an element of an array has no key: its place is its name"));
            };
            let parent = Path(parent.to_vec());
            if old != key {
                free(text, parsed, section, &parent, key)?;
            }
            let target = (old != key).then(|| parent.key(key));
            Ok((Change::Rename { path: path.clone(), key: key.clone() }, target))
        }
        Act::Add { parent, behind, key, value } => {
            let target = match at(document, parent) {
                Some(Inside::Object) => {
                    free(text, parsed, section, parent, key)?;
                    parent.key(key)
                }
                Some(Inside::Array(count)) => {
                    let place = match behind {
                        Some(Segment::Index(index)) => index + 1,
                        _ => count,
                    };
                    parent.index(place)
                }
                None => return Err(gone()),
            };
            let value = typed(value)?;
            let change = Change::Add { parent: parent.clone(), behind: behind.clone(), key: key.clone(), value };
            Ok((change, Some(target)))
        }
    }
}

enum Inside {
    Object,
    Array(usize),
}

fn at(document: &JsonMap, path: &Path) -> Option<Inside> {
    if path.0.is_empty() {
        return Some(Inside::Object);
    }
    match path.find(document)? {
        Json::Object(_) => Some(Inside::Object),
        Json::Array(items) => Some(Inside::Array(items.len())),
        _ => None,
    }
}

/// Whether a new property of `parent` may have this key, before its value is typed.
///
/// # Errors
/// Where it is missing, taken, or the hub's own.
pub fn check_key(section: Section, text: &str, parsed: &Parsed, parent: &Path, key: &str) -> Result<(), Fault> {
    free(text, parsed, section, parent, key)
}

/// Whether a key may be given to something in `parent`.
fn free(text: &str, parsed: &Parsed, section: Section, parent: &Path, key: &str) -> Result<(), Fault> {
    if key.is_empty() {
        return Err(Fault::key("the key is missing: type a name for the property"));
    }
    if parent.0.is_empty() && section != Section::Tags && matches!(key, "$version" | "$metadata") {
        return Err(Fault::key(format!("the hub keeps `{key}` itself: choose another key")));
    }
    match parsed.span(&parent.key(key)) {
        None => Ok(()),
        Some(taken) => {
            let (line, column) = text::line_column(text, taken.whole().start);
            Err(Fault::key(format!("`{key}` is there already, at line {line}, column {column}: choose another key")))
        }
    }
}

fn typed(value: &str) -> Result<Typed, Fault> {
    if value.trim().is_empty() {
        return Err(Fault::value(
            "the value is missing: type a number, `true`, or a text in quotes; `\"\"` is an empty one",
        ));
    }
    Typed::read(value).map_err(|Problem { column, message, .. }| Fault::value(format!("column {column}: {message}")))
}

/// What the hub would refuse at or below `target` and did not have to refuse before.
fn refused(section: Section, before: &JsonMap, after: &JsonMap, target: &Path, act: &Act) -> Option<Fault> {
    let old = rules::check(section, before, Form::Document);
    // What stands under a key that is renamed stood there before.
    let inside = |violation: &Violation| match act {
        Act::Rename { .. } => violation.path == *target && is_key(violation),
        _ => violation.path.0.starts_with(&target.0),
    };
    let is_new = |violation: &Violation| {
        inside(violation) && !old.contains(violation) && !matches!(violation.rule, Rule::SectionTooLarge { .. })
    };
    let violation = rules::check(section, after, Form::Document).into_iter().find(is_new)?;
    let below = &violation.path.0[target.0.len()..];
    Some(match (is_key(&violation), below) {
        (true, []) => Fault::key(violation.to_string()),
        (_, []) => Fault::value(violation.to_string()),
        (_, below) => Fault::value(format!("at {}: {violation}", Path(below.to_vec()))),
    })
}

fn is_key(violation: &Violation) -> bool {
    matches!(violation.rule, Rule::KeyTooLong { .. } | Rule::KeyCharacter { .. })
}
