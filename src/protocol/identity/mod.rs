//! Device and module identity records on the wire: as a hub answers them, as clients ask for them, one by one and in bulk.

mod bulk;
mod fields;
mod record;
mod request;

use super::secret::Secret;
use crate::twin::{AuthKind, ConnectionState, Etag, Status, TwinId};

pub use bulk::{BulkError, BulkItem, BulkWarning, ImportMode, MAX_BULK_ITEMS, bulk_from_json, bulk_result};
pub use record::{from_json, to_json};
pub use request::{request_from_json, request_to_json};

/// The record of a device or module in the identity registry. Keys stay `***` when printed.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    pub id: TwinId,
    /// New for each create of the same id; empty when sending.
    pub generation_id: String,
    /// Moves with each write of the record; not the twin's etag.
    pub etag: Etag,
    /// Modules have none of their own: `Enabled` for them.
    pub status: Status,
    pub status_reason: Option<String>,
    /// UTC, ISO 8601 as sent; [`NEVER`] when it never was. This holds for every time here.
    pub status_updated_time: String,
    pub connection_state: ConnectionState,
    pub connection_state_updated_time: String,
    pub last_activity_time: String,
    pub cloud_to_device_message_count: u64,
    pub authentication: Authentication,
    pub iot_edge: bool,
    /// `None` when absent or empty.
    pub device_scope: Option<String>,
    pub parent_scopes: Vec<String>,
    /// Modules only; `None` when absent or empty.
    pub managed_by: Option<String>,
}

/// How an identity proves itself, as its record says. Keys are base64; thumbprints hex. Empty texts are read as `None`.
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

/// What a client asks for in a PUT, before the hub fills in the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentityRequest {
    pub id: TwinId,
    pub status: Status,
    pub status_reason: Option<String>,
    /// `None`: absent, so the hub makes new keys. `None` keys inside mean the same.
    pub authentication: Option<Authentication>,
    pub iot_edge: bool,
    pub device_scope: Option<String>,
    /// The edge devices above an edge device; for a leaf the hub takes them from its scope.
    pub parent_scopes: Vec<String>,
    pub managed_by: Option<String>,
    /// Only read by hubs that compare the body's etag; kept for completeness.
    pub etag: Option<Etag>,
}

impl IdentityRequest {
    /// An enabled identity with keys made by the hub.
    #[must_use]
    pub fn new(id: TwinId) -> Self {
        Self {
            id,
            status: Status::Enabled,
            status_reason: None,
            authentication: None,
            iot_edge: false,
            device_scope: None,
            parent_scopes: Vec::new(),
            managed_by: None,
            etag: None,
        }
    }
}
