//! The service API's routes, headers and precondition values (protocol §2.1–2.3), both directions.

use crate::twin::{Etag, TwinId};

/// What this program sends.
pub const API_VERSION: &str = "2021-04-12";
pub const MAX_ITEM_COUNT: &str = "x-ms-max-item-count";
pub const CONTINUATION: &str = "x-ms-continuation";
pub const ITEM_TYPE: &str = "x-ms-item-type";
pub const ERROR_CODE: &str = "iothub-errorcode";
pub const REQUEST_ID: &str = "x-ms-request-id";

/// One addressable thing of the service API; the method says what is done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `GET /devices?top=`, `POST /devices` (bulk).
    Devices { top: Option<i64> },
    /// `POST /devices/query`.
    Query,
    /// `/devices/{d}`.
    Device { device: String },
    /// `GET /devices/{d}/modules`.
    Modules { device: String },
    /// `/devices/{d}/modules/{m}`.
    Module { device: String, module: String },
    /// `/twins/{d}` or `/twins/{d}/modules/{m}`.
    Twin(TwinId),
    /// `POST /twins/{…}/methods`.
    Methods(TwinId),
    /// `GET /statistics/devices`.
    DeviceStatistics,
    /// `GET /statistics/service`.
    ServiceStatistics,
}

/// Why a target is no route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    #[error("no such path")]
    NoSuchPath,
    #[error("api-version is missing or not supported")]
    ApiVersion,
    #[error("bad id: {0}")]
    Id(#[from] crate::twin::IdProblem),
}

impl Route {
    /// Path and query for a request line, ids percent-encoded: `/twins/dev%231?api-version=2021-04-12`.
    #[must_use]
    pub fn target(&self) -> String {
        todo!()
    }

    /// The path without the query, for people.
    #[must_use]
    pub fn path(&self) -> String {
        todo!()
    }

    /// Reads a request target. Literals in any case, ids case-sensitive; a whole path that came percent-encoded (`/twins%2Fdev1`) and a trailing slash are understood;
    /// any `20dd-dd-dd[-preview]` api-version is accepted.
    ///
    /// # Errors
    /// Unknown paths, missing api-version, ids with illegal characters.
    pub fn parse(target: &str) -> Result<Self, RouteError> {
        let _ = target;
        todo!()
    }
}

/// An If-Match header understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    Absent,
    /// `*` or `"*"`.
    Any,
    /// `"x"` or `W/"x"`.
    Quoted(Etag),
    /// `x`: honoured on identities, ignored on twin writes (protocol §9).
    Unquoted(Etag),
}

impl IfMatch {
    #[must_use]
    pub fn parse(header: Option<&str>) -> Self {
        let _ = header;
        todo!()
    }

    /// The header to send: `"*"` or `"etag"`, always quoted; `None` for absent.
    #[must_use]
    pub fn header(&self) -> Option<String> {
        todo!()
    }
}
