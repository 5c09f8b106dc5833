//! The hub's limits (protocol §3.4), every violation at once, each with its path.

use super::{JsonMap, Path, Section};

/// Characters by the hub's formula, not bytes of JSON text: 8 KB = 8192.
pub const TAGS_MAX: usize = 8 * 1024;
/// 32 KB each for desired and reported.
pub const PROPERTIES_MAX: usize = 32 * 1024;
/// Bytes of UTF-8.
pub const KEY_MAX: usize = 1024;
/// Bytes of UTF-8.
pub const STRING_MAX: usize = 4096;
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

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let _ = f;
        todo!()
    }
}

/// Everything the hub would refuse, in document order, the section's size last. `$version` and `$metadata` at the root
/// of desired and reported are skipped, as the hub ignores them there.
#[must_use]
pub fn check(section: Section, document: &JsonMap, form: Form) -> Vec<Violation> {
    let _ = (section, document, form);
    todo!()
}

/// The size the hub counts: for each property the characters of its key and the size of its value; strings count their
/// characters without C0 and C1 controls, numbers 8, booleans 4, objects and arrays their content.
#[must_use]
pub fn size(document: &JsonMap) -> usize {
    let _ = document;
    todo!()
}

/// The limit of a section, in the unit of [`size`].
#[must_use]
pub fn max_size(section: Section) -> usize {
    match section {
        Section::Tags => TAGS_MAX,
        Section::Desired | Section::Reported => PROPERTIES_MAX,
    }
}
