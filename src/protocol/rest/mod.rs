//! The service API's routes, headers and precondition values, both directions.
//!
//! `route` reads and writes paths; here are the names of headers and the condition of a write.

mod route;

pub use route::{Route, RouteError};

use crate::twin::{Etag, EtagProblem};

/// What this program sends.
pub const API_VERSION: &str = "2021-04-12";
pub const MAX_ITEM_COUNT: &str = "x-ms-max-item-count";
pub const CONTINUATION: &str = "x-ms-continuation";
pub const ITEM_TYPE: &str = "x-ms-item-type";
pub const ERROR_CODE: &str = "iothub-errorcode";
pub const REQUEST_ID: &str = "x-ms-request-id";

/// An If-Match header understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    Absent,
    /// `*` or `"*"`.
    Any,
    /// `"x"` or `W/"x"`.
    Quoted(Etag),
    /// `x`: honoured on identities; users report that the service ignores it on twin writes and applies the write.
    Unquoted(Etag),
}

impl IfMatch {
    /// The condition of a write that goes through for this version alone.
    ///
    /// # Errors
    /// When the etag could match another version, or cannot be sent.
    pub fn only(etag: Etag) -> Result<Self, EtagProblem> {
        etag.check().map(|()| Self::Quoted(etag))
    }

    /// Reads the header. The service SDKs send the star in quotes.
    #[must_use]
    pub fn parse(header: Option<&str>) -> Self {
        let text = header.unwrap_or_default().trim();
        let tag = text.strip_prefix("W/").unwrap_or(text);
        match (tag, tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))) {
            ("", _) => Self::Absent,
            ("*", _) | (_, Some("*")) => Self::Any,
            (_, Some(inner)) => Self::Quoted(Etag(inner.to_owned())),
            (bare, None) => Self::Unquoted(Etag(bare.to_owned())),
        }
    }

    /// The header to send: `"*"` or `"etag"`, always quoted; `None` for absent.
    #[must_use]
    pub fn header(&self) -> Option<String> {
        match self {
            Self::Absent => None,
            Self::Any => Some("\"*\"".to_owned()),
            Self::Quoted(etag) | Self::Unquoted(etag) => Some(etag.quoted()),
        }
    }
}
