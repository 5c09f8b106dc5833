//! Device and module identity records on the wire (protocol §2.3), both directions.

use super::secret::Secret;
use crate::twin::{AuthKind, ConnectionState, Etag, Json, Status, TwinId};

/// The record of a device or module in the identity registry. Keys stay `***` when printed.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    pub id: TwinId,
    /// New for each create of the same id; empty when sending.
    pub generation_id: String,
    pub etag: Etag,
    pub status: Status,
    pub status_reason: Option<String>,
    pub status_updated_time: String,
    pub connection_state: ConnectionState,
    pub connection_state_updated_time: String,
    pub last_activity_time: String,
    pub cloud_to_device_message_count: u64,
    pub authentication: Authentication,
    pub iot_edge: bool,
    pub device_scope: Option<String>,
    pub parent_scopes: Vec<String>,
    /// Modules only.
    pub managed_by: Option<String>,
}

/// How an identity proves itself, as its record says. Keys are base64; thumbprints hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authentication {
    pub kind: AuthKind,
    pub primary_key: Option<Secret>,
    pub secondary_key: Option<Secret>,
    pub primary_thumbprint: Option<String>,
    pub secondary_thumbprint: Option<String>,
}

/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    #[error("not JSON: {0}")]
    NotJson(String),
    #[error("{field} {problem}")]
    Field { field: &'static str, problem: String },
}

/// A time that never was.
pub const NEVER: &str = "0001-01-01T00:00:00Z";

/// Reads a device or module record as a hub answers it. Field names and thumbprint keys in any case.
///
/// # Errors
/// When it is not JSON or lacks the ids.
pub fn from_json(value: &Json) -> Result<Identity, IdentityError> {
    let _ = value;
    todo!()
}

/// The record as a hub answers it, and as a client sends it (a module's has no status, capabilities or scope).
#[must_use]
pub fn to_json(identity: &Identity) -> Json {
    let _ = identity;
    todo!()
}

/// What a client asks for in a PUT, before the hub fills in the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentityRequest {
    pub id: TwinId,
    pub status: Status,
    pub status_reason: Option<String>,
    /// `None`: absent, so the hub makes new keys. Empty keys inside mean the same.
    pub authentication: Option<Authentication>,
    pub iot_edge: bool,
    pub device_scope: Option<String>,
    pub managed_by: Option<String>,
    /// Only read by hubs that compare the body's etag; kept for completeness.
    pub etag: Option<Etag>,
}

/// Reads the body of a PUT. Checks: id in the body equals the path's, status word, reason ≤ 128 characters, both keys or neither and each base64 of
/// 16–64 bytes, thumbprints 40 or 64 hex digits.
///
/// # Errors
/// The first field that is wrong.
pub fn request_from_json(id: &TwinId, value: &Json) -> Result<IdentityRequest, IdentityError> {
    let _ = (id, value);
    todo!()
}
