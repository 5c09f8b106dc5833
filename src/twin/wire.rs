//! The one JSON boundary of the twin: text of the service API to `Twin` and back, both ends' only reader and writer.

use super::{Json, Twin};

/// Why a body is no twin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    #[error("not JSON: {0}")]
    NotJson(String),
    #[error("not a twin: {field} {problem}")]
    NotATwin { field: &'static str, problem: String },
}

/// Reads a twin as the service API sends it (protocol §2.4): unknown fields go to `extra`, thumbprint keys in any
/// case, `tags` possibly absent. Missing optional fields get neutral values; `deviceId`, `etag` and `properties` must be there.
///
/// # Errors
/// When the text is not JSON or lacks what makes a twin.
pub fn parse(body: &[u8]) -> Result<Twin, WireError> {
    let _ = body;
    todo!()
}

/// The same from a value already read (a row of a query answer).
///
/// # Errors
/// As [`parse`].
pub fn from_json(value: Json) -> Result<Twin, WireError> {
    let _ = value;
    todo!()
}

/// The full document as the service API answers it, `$metadata` and `$version` put back, field order as on the real hub.
#[must_use]
pub fn to_json(twin: &Twin) -> Json {
    let _ = twin;
    todo!()
}
