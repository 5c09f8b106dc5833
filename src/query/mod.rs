//! What does the query ask? The hub's query language (protocol §2.5): lexer, parser with spans, evaluator over twins.

use crate::twin::{Json, Twin};
use std::ops::Range;

/// Query text is at most this many characters.
pub const TEXT_MAX: usize = 8192;

/// What the rows of an answer are; the wire's `x-ms-item-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemType {
    Twin,
    Raw,
    DeviceJob,
}

impl ItemType {
    /// As in the header: capitalised, and read case-sensitively by some clients.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Twin => "Twin",
            Self::Raw => "Raw",
            Self::DeviceJob => "DeviceJob",
        }
    }
}

/// What is queried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Devices,
    Modules,
    Jobs,
}

/// Why a text is no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// Byte range in the query text.
    pub span: Range<usize>,
    /// What was expected and what stands there, for a person.
    pub message: String,
}

/// A query understood. (The helper that fills this room decides the private fields.)
#[derive(Debug, Clone)]
pub struct Query {
    pub source: Source,
    _private: (),
}

/// Reads a query.
///
/// # Errors
/// The first place where it cannot be understood.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    let _ = text;
    todo!()
}

impl Query {
    #[must_use]
    pub fn item_type(&self) -> ItemType {
        todo!()
    }

    /// Whether a row survives the WHERE clause.
    #[must_use]
    pub fn matches(&self, twin: &Twin) -> bool {
        let _ = twin;
        todo!()
    }

    /// Whether the answer needs all rows at once (aggregates, GROUP BY), so that it cannot be paged by row.
    #[must_use]
    pub fn is_aggregate(&self) -> bool {
        todo!()
    }

    /// `TOP n`, if given.
    #[must_use]
    pub fn top(&self) -> Option<usize> {
        todo!()
    }

    /// One surviving row as it is answered: the whole twin for `SELECT *`, else the projection.
    #[must_use]
    pub fn project(&self, twin: &Twin) -> Json {
        let _ = twin;
        todo!()
    }

    /// The whole answer over all twins of the source: filter, project or aggregate, `TOP`.
    #[must_use]
    pub fn run<'a>(&self, twins: impl Iterator<Item = &'a Twin>) -> Vec<Json> {
        let _ = twins;
        todo!()
    }
}
