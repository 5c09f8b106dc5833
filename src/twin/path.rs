//! Where something stands inside a section.

use super::{Json, JsonMap};
use std::fmt;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    Key(String),
    Index(usize),
}

/// A place in a section, from its root. Prints as `a.b[2]`, with keys that are not plain words as `['odd key']`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Path(pub Vec<Segment>);

impl Path {
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn key(&self, key: impl Into<String>) -> Self {
        let mut path = self.clone();
        path.0.push(Segment::Key(key.into()));
        path
    }

    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut path = self.clone();
        path.0.push(Segment::Index(index));
        path
    }

    /// The path in words: that of the root, which prints as nothing, too.
    #[must_use]
    pub fn said(&self) -> String {
        if self.0.is_empty() { "top level".to_owned() } else { self.to_string() }
    }

    /// The value at this place of a document; `None` where there is none, and for the root, which is no `Json` value.
    #[must_use]
    pub fn find<'d>(&self, document: &'d JsonMap) -> Option<&'d Json> {
        let (first, rest) = self.0.split_first()?;
        let Segment::Key(first) = first else { return None };
        rest.iter().try_fold(document.get(first)?, |value, segment| match segment {
            Segment::Key(key) => value.as_object()?.get(key),
            Segment::Index(index) => value.as_array()?.get(*index),
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => {
                    let plain = !key.is_empty()
                        && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'))
                        && !key.starts_with(|c: char| c.is_ascii_digit());
                    match (plain, n) {
                        (true, 0) => f.write_str(key)?,
                        (true, _) => write!(f, ".{key}")?,
                        (false, _) => write!(f, "['{}']", key.replace('\\', "\\\\").replace('\'', "\\'"))?,
                    }
                }
            }
        }
        Ok(())
    }
}
