//! What does the query ask? The hub's query language: parser with spans, evaluator over twins, completion.
//!
//! ```text
//! SELECT [TOP n] ( * | item [, item]* ) FROM source [WHERE condition] [GROUP BY path [, path]*]
//! item      := path [AS name] | COUNT() [AS name] | AVG|SUM|MIN|MAX ( path ) [AS name]
//! source    := devices | devices.modules | devices.jobs
//! condition := condition AND|OR condition | NOT condition | ( condition ) | value =|!=|<>|<|<=|>|>= value
//!            | value [NOT] IN list | value NIN list | function ( value [, value]* )
//! list      := [ value [, value]* ] | path
//! value     := literal | path | function ( … ) | value +|-|*|/|% value | - value | ( value )
//! path      := [devices. | devices.modules. | devices.jobs.] name ( . name | [number] | ['key'] )*
//! name      := word | [[any characters]]
//! ```
//!
//! Keywords, functions and the document's own field names match in any case; keys people wrote match exactly.

mod answer;
mod complete;
mod condition;
mod eval;
mod field;
mod function;
mod heal;
mod lexer;
mod number;
mod parser;

pub use answer::Tally;
pub use complete::{Completion, CompletionKind, complete, property_path};
pub use heal::heal;
pub use lexer::quote;

use crate::twin::{Json, JsonMap, Twin};
use answer::{Select, What};
use std::ops::Range;

/// Query text is at most this many characters.
pub const TEXT_MAX: usize = 8192;

/// Brackets, NOT, signs and calls may stand inside each other this deep.
pub const DEPTH_MAX: usize = 64;

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
    /// Byte range in the query text; empty at the end of the text.
    pub span: Range<usize>,
    /// What was expected and what stands there, for a person.
    pub message: String,
}

impl QueryError {
    /// The place in the query text as people count it: line and column from 1, columns in characters.
    #[must_use]
    pub fn place(&self, text: &str) -> (usize, usize) {
        let before = text.get(..self.span.start).unwrap_or(text);
        let line = before.rfind('\n').map_or(before, |end| &before[end + 1..]);
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }

    /// The message with its place in front.
    #[must_use]
    pub fn with_place(&self, text: &str) -> String {
        let (line, column) = self.place(text);
        format!("line {line} column {column}: {}", self.message)
    }
}

/// A query understood.
#[derive(Debug, Clone)]
pub struct Query {
    pub source: Source,
    top: Option<usize>,
    select: Select,
    condition: Option<eval::Expr>,
    group_by: Vec<field::FieldPath>,
    /// The first field it names that no document of the source has.
    doubt: Option<QueryError>,
}

/// Reads a query.
///
/// # Errors
/// The first place where it cannot be understood.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    parser::parse(text)
}

/// Reads a query that also names only fields which documents of its source have. [`parse`] lets others pass, as a service
/// newer than this program may know them.
///
/// # Errors
/// The first place where it cannot be understood, or the first field that does not exist.
pub fn checked(text: &str) -> Result<Query, QueryError> {
    let mut query = parse(text)?;
    query.doubt.take().map_or(Ok(query), Err)
}

impl Query {
    /// `Twin` for `SELECT *`, `Raw` for columns, `DeviceJob` for anything about jobs.
    #[must_use]
    pub fn item_type(&self) -> ItemType {
        match (self.source, &self.select) {
            (Source::Jobs, _) => ItemType::DeviceJob,
            (_, Select::Everything) => ItemType::Twin,
            (_, Select::Items(_)) => ItemType::Raw,
        }
    }

    /// Whether the twin belongs to the source (a device's or a module's; jobs are no twins) and meets the WHERE clause.
    #[must_use]
    pub fn matches(&self, twin: &Twin) -> bool {
        let of_source = match self.source {
            Source::Devices => twin.id.module.is_none(),
            Source::Modules => twin.id.module.is_some(),
            Source::Jobs => false,
        };
        of_source && self.condition.as_ref().is_none_or(|condition| condition.holds(twin))
    }

    /// Whether a row of `devices.jobs` meets the WHERE clause. Its fields match in any case, like those of a twin.
    #[must_use]
    pub fn matches_job(&self, row: &JsonMap) -> bool {
        self.source == Source::Jobs && self.condition.as_ref().is_none_or(|condition| condition.holds(row))
    }

    /// Whether the answer needs all rows at once (aggregates, GROUP BY), so that it cannot be paged by row.
    #[must_use]
    pub fn is_aggregate(&self) -> bool {
        match &self.select {
            Select::Everything => false,
            Select::Items(items) => {
                !self.group_by.is_empty() || items.iter().any(|item| !matches!(item.what, What::Field(_)))
            }
        }
    }

    /// `TOP n`, if given.
    #[must_use]
    pub fn top(&self) -> Option<usize> {
        self.top
    }

    /// One surviving row as it is answered: the whole twin for `SELECT *`, else its columns, a missing one left out.
    /// Numbers keep the spelling they have in the twin. Aggregates have no row per twin: see [`Self::run`].
    #[must_use]
    pub fn project(&self, twin: &Twin) -> Json {
        match &self.select {
            Select::Everything => crate::twin::wire::to_json(twin),
            Select::Items(items) => answer::project(items, twin),
        }
    }

    /// The whole answer over all twins of the source: filter, project or aggregate, `TOP`. Groups stand in the order
    /// they are first seen. SUM and AVG pass over what is no number; AVG, MIN and MAX of nothing are left out.
    #[must_use]
    pub fn run<'a>(&self, twins: impl Iterator<Item = &'a Twin>) -> Vec<Json> {
        if self.source == Source::Jobs {
            return Vec::new();
        }
        if let Some(mut tally) = self.tally() {
            twins.for_each(|twin| tally.take(twin));
            return tally.finish();
        }
        let top = self.top.unwrap_or(usize::MAX);
        twins.filter(|twin| self.matches(twin)).take(top).map(|twin| self.project(twin)).collect()
    }

    /// An aggregate to be fed twin by twin, for sources too large to hold; `None` when the query is no aggregate.
    #[must_use]
    pub fn tally(&self) -> Option<Tally<'_>> {
        match &self.select {
            Select::Items(items) if self.is_aggregate() => Some(Tally::new(self, items)),
            _ => None,
        }
    }
}
