//! The service API: one async method per operation. Dropping a future cancels its request.

use super::{HubError, Trust};
use crate::protocol::connection_string::ConnectionString;
use crate::protocol::identity::{Identity, IdentityRequest};
use crate::protocol::rest::IfMatch;
use crate::query::ItemType;
use crate::twin::{Json, JsonMap, Twin, TwinId};
use std::sync::Arc;
use std::time::Duration;

/// What one HTTP exchange was: for the Activity pane. Holds no header and no body.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestRecord {
    pub method: &'static str,
    /// Path without the query.
    pub path: String,
    /// `None` when no answer came.
    pub status: Option<u16>,
    pub duration: Duration,
    /// Bytes of the answer's body.
    pub bytes: usize,
    /// 1 for the first try.
    pub attempt: u32,
    /// Why no answer came.
    pub failure: Option<String>,
}

/// Called after every exchange, from any thread; must be quick.
pub type Observer = Arc<dyn Fn(RequestRecord) + Send + Sync>;

/// A hub reached by a service connection string. Cheap to clone; clones share the connection pool.
#[derive(Clone)]
pub struct HubClient {
    _private: (),
}

/// One page of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub item_type: ItemType,
    pub rows: Vec<Json>,
    /// `None` on the last page.
    pub continuation: Option<String>,
}

/// Counts of the identity registry; the real hub's lag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    pub total: u64,
    pub enabled: u64,
    pub disabled: u64,
}

impl HubClient {
    /// # Errors
    /// When the string is not a service string, or TLS cannot be set up. Nothing is sent yet.
    pub fn new(connection: &ConnectionString, trust: &Trust, observer: Observer) -> Result<Self, HubError> {
        let _ = (connection, trust, observer);
        todo!()
    }

    /// `GET /twins/…`.
    ///
    /// # Errors
    /// Any of [`HubError`]; this holds for every method below.
    pub async fn twin(&self, id: &TwinId) -> Result<Twin, HubError> {
        let _ = id;
        todo!()
    }

    /// `PATCH /twins/…`; sent once, never repeated.
    ///
    /// # Errors
    /// As [`Self::twin`]; `Conflict` when the etag is stale, `OutcomeUnknown` when the answer never came.
    pub async fn patch_twin(&self, id: &TwinId, body: &JsonMap, if_match: &IfMatch) -> Result<Twin, HubError> {
        let _ = (id, body, if_match);
        todo!()
    }

    /// `PUT /twins/…`; sent once, never repeated.
    ///
    /// # Errors
    /// As [`Self::patch_twin`].
    pub async fn replace_twin(&self, id: &TwinId, body: &JsonMap, if_match: &IfMatch) -> Result<Twin, HubError> {
        let _ = (id, body, if_match);
        todo!()
    }

    /// `POST /devices/query`, one page of at most `page_size` rows.
    ///
    /// # Errors
    /// As [`Self::twin`].
    pub async fn query(&self, text: &str, page_size: u32, continuation: Option<&str>) -> Result<Page, HubError> {
        let _ = (text, page_size, continuation);
        todo!()
    }

    /// `GET /devices/{d}` or `/devices/{d}/modules/{m}`: the record with its keys.
    ///
    /// # Errors
    /// As [`Self::twin`].
    pub async fn identity(&self, id: &TwinId) -> Result<Identity, HubError> {
        let _ = id;
        todo!()
    }

    /// `GET /devices/{d}/modules`.
    ///
    /// # Errors
    /// As [`Self::twin`].
    pub async fn modules(&self, device: &str) -> Result<Vec<Identity>, HubError> {
        let _ = device;
        todo!()
    }

    /// Creates a device or module; one that exists is fetched instead. The flag says whether it is new.
    ///
    /// # Errors
    /// As [`Self::twin`].
    pub async fn create_or_get(&self, request: &IdentityRequest) -> Result<(Identity, Created), HubError> {
        let _ = request;
        todo!()
    }

    /// `PUT` with a precondition: update of an existing record.
    ///
    /// # Errors
    /// As [`Self::patch_twin`].
    pub async fn update_identity(&self, identity: &Identity, if_match: &IfMatch) -> Result<Identity, HubError> {
        let _ = (identity, if_match);
        todo!()
    }

    /// `DELETE` with a precondition.
    ///
    /// # Errors
    /// As [`Self::patch_twin`].
    pub async fn delete_identity(&self, id: &TwinId, if_match: &IfMatch) -> Result<(), HubError> {
        let _ = (id, if_match);
        todo!()
    }

    /// `GET /statistics/devices`.
    ///
    /// # Errors
    /// As [`Self::twin`].
    pub async fn statistics(&self) -> Result<Statistics, HubError> {
        todo!()
    }
}

/// Whether [`HubClient::create_or_get`] made the identity or found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    New,
    Existed,
}
