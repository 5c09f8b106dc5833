//! The hub's limits, every violation at once, each with its path.

use super::{Json, JsonMap, Path, Section, Segment};

/// Characters by the hub's formula, not bytes of JSON text: 8 KB = 8192.
pub const TAGS_MAX: usize = 8 * 1024;
/// 32 KB each for desired and reported.
pub const PROPERTIES_MAX: usize = 32 * 1024;
/// Bytes of UTF-8.
pub const KEY_MAX: usize = 1024;
/// Bytes of UTF-8.
pub const STRING_MAX: usize = 4096;
/// Bytes of a number's spelling. The service documents none; what keeps its spelling must have an end.
pub const NUMBER_MAX: usize = 4096;
/// Levels of nesting below the section's root.
pub const DEPTH_MAX: usize = 10;
/// Inclusive.
pub const INTEGER_MIN: i64 = -(1 << 52);
/// Inclusive.
pub const INTEGER_MAX: i64 = (1 << 52) - 1;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    KeyTooLong {
        bytes: usize,
    },
    KeyCharacter {
        character: char,
    },
    StringTooLong {
        bytes: usize,
    },
    NumberTooLong {
        bytes: usize,
    },
    IntegerRange,
    NumberNotFinite,
    TooDeep,
    NullInArray,
    SectionTooLarge {
        size: usize,
        max: usize,
    },
    /// A `null` outside an array in a whole document (not in a patch, where it deletes).
    NullValue,
}

/// One broken rule. `Display` of it is a sentence a person can act on, without the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub path: Path,
    pub rule: Rule,
}

/// Whether `null` deletes (a patch) or is a mistake (a whole document).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Document,
    Patch,
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::KeyTooLong { bytes } => write!(f, "a key has at most {KEY_MAX} bytes, this one has {bytes}"),
            Self::KeyCharacter { character: ' ' } => f.write_str("a key cannot contain a space"),
            Self::KeyCharacter { character } if character.is_control() => {
                write!(f, "a key cannot contain the control character U+{:04X}", u32::from(*character))
            }
            Self::KeyCharacter { character } => write!(f, "a key cannot contain `{character}`"),
            Self::StringTooLong { bytes } => write!(f, "a string has at most {STRING_MAX} bytes, this one has {bytes}"),
            Self::NumberTooLong { bytes } => {
                write!(f, "a number is spelled with at most {NUMBER_MAX} characters, this one with {bytes}")
            }
            Self::IntegerRange => write!(f, "an integer lies between {INTEGER_MIN} and {INTEGER_MAX}"),
            Self::NumberNotFinite => f.write_str("this number is too large to be a finite one"),
            Self::TooDeep => write!(f, "nesting ends at level {DEPTH_MAX}, this is deeper"),
            Self::NullInArray => f.write_str("`null` cannot stand inside an array"),
            Self::SectionTooLarge { size, max } => {
                write!(f, "the section has at most {max} characters as the hub counts them, this one has {size}")
            }
            Self::NullValue => f.write_str("`null` is no value here: delete the line to delete the property"),
        }
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.rule.fmt(f)
    }
}

/// Values nested deeper than this are not looked at: that they are too deep is already said.
const WALK_MAX: usize = 128;

/// Everything the hub would refuse, in document order, the section's size last. `$version` and `$metadata` at the root
/// of desired and reported are skipped, as the hub ignores them there.
///
/// A patch has no size rule of its own: what counts is the size of the section after it.
#[must_use]
pub fn check(section: Section, document: &JsonMap, form: Form) -> Vec<Violation> {
    let mut walk = Walk { form, arrays: 0, path: Path::root(), violations: Vec::new() };
    walk.object(document, 0, |key| section != Section::Tags && is_kept_by_hub(key));
    let mut violations = walk.violations;
    if form == Form::Document {
        let (size, max) = (size(document), max_size(section));
        if size > max {
            violations.push(Violation { path: Path::root(), rule: Rule::SectionTooLarge { size, max } });
        }
    }
    violations
}

/// The keys the hub itself writes at the root of desired and reported.
fn is_kept_by_hub(key: &str) -> bool {
    matches!(key, "$version" | "$metadata")
}

struct Walk {
    form: Form,
    /// How many arrays enclose the value.
    arrays: usize,
    path: Path,
    violations: Vec<Violation>,
}

impl Walk {
    fn violation(&mut self, rule: Rule) {
        self.violations.push(Violation { path: self.path.clone(), rule });
    }

    fn object(&mut self, object: &JsonMap, depth: usize, skip: impl Fn(&str) -> bool) {
        for (key, value) in object.iter().filter(|(key, _)| !skip(key)) {
            self.path.0.push(Segment::Key(key.clone()));
            if key.len() > KEY_MAX {
                self.violation(Rule::KeyTooLong { bytes: key.len() });
            }
            if let Some(character) = key.chars().find(|c| c.is_control() || matches!(c, '.' | '$' | ' ' | '#')) {
                self.violation(Rule::KeyCharacter { character });
            }
            self.value(value, depth + 1);
            self.path.0.pop();
        }
    }

    fn value(&mut self, value: &Json, depth: usize) {
        if depth == DEPTH_MAX + 1 && (value.is_object() || value.is_array()) {
            self.violation(Rule::TooDeep);
        }
        match value {
            Json::Null if self.arrays > 0 => self.violation(Rule::NullInArray),
            Json::Null if self.form == Form::Document => self.violation(Rule::NullValue),
            Json::Number(number) => self.number(number.as_str()),
            Json::String(string) if string.len() > STRING_MAX => {
                self.violation(Rule::StringTooLong { bytes: string.len() });
            }
            Json::Null | Json::Bool(_) | Json::String(_) => {}
            Json::Object(_) | Json::Array(_) if depth > WALK_MAX => {}
            Json::Object(object) => self.object(object, depth, |_| false),
            Json::Array(items) => {
                self.arrays += 1;
                for (index, item) in items.iter().enumerate() {
                    self.path.0.push(Segment::Index(index));
                    self.value(item, depth + 1);
                    self.path.0.pop();
                }
                self.arrays -= 1;
            }
        }
    }

    /// By spelling: `1.0` and `1e3` are floats, `9007199254740993` is an integer of any length.
    fn number(&mut self, spelled: &str) {
        if spelled.len() > NUMBER_MAX {
            self.violation(Rule::NumberTooLong { bytes: spelled.len() });
        } else if spelled.contains(['.', 'e', 'E']) {
            if !spelled.parse::<f64>().is_ok_and(f64::is_finite) {
                self.violation(Rule::NumberNotFinite);
            }
        } else if !spelled.parse().is_ok_and(|value: i64| (INTEGER_MIN..=INTEGER_MAX).contains(&value)) {
            self.violation(Rule::IntegerRange);
        }
    }
}

/// The size the hub counts: for each property the characters of its key and the size of its value; strings count their
/// characters without C0 and C1 controls, numbers 8, booleans 4, objects and arrays their content. `$version` and
/// `$metadata` at the root do not count.
#[must_use]
pub fn size(document: &JsonMap) -> usize {
    document.iter().filter(|(key, _)| !is_kept_by_hub(key)).map(|(key, value)| property_size(key, value, 1)).sum()
}

fn property_size(key: &str, value: &Json, depth: usize) -> usize {
    key.chars().count() + value_size(value, depth)
}

fn value_size(value: &Json, depth: usize) -> usize {
    match value {
        Json::Null => 0,
        Json::Bool(_) => 4,
        Json::Number(_) => 8,
        Json::String(string) => string.chars().filter(|c| !c.is_control()).count(),
        Json::Object(_) | Json::Array(_) if depth > WALK_MAX => 0,
        Json::Object(object) => object.iter().map(|(key, value)| property_size(key, value, depth + 1)).sum(),
        Json::Array(items) => items.iter().map(|item| value_size(item, depth + 1)).sum(),
    }
}

/// The limit of a section, in the unit of [`size`].
#[must_use]
pub fn max_size(section: Section) -> usize {
    match section {
        Section::Tags => TAGS_MAX,
        Section::Desired | Section::Reported => PROPERTIES_MAX,
    }
}
