//! Messages over HTTPS: a service sends to devices and reads feedback; a device sends telemetry and receives.

use super::answer::Answer;
use super::service::Needs;
use crate::local_hub::hub::{Hub, Refused};
use crate::protocol::rest::Route;
use http::Method;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {}

impl Operation {
    /// `None` when the method and route are none of these.
    pub fn of(_method: &Method, _route: &Route) -> Option<Self> {
        None
    }

    /// Who may call.
    pub fn needs(&self) -> Needs {
        match *self {}
    }

    /// How many bytes of body it takes; `None` when it takes none.
    pub fn body_max(&self) -> Option<usize> {
        match *self {}
    }
}

/// Does it.
///
/// # Errors
/// What the hub refuses.
#[allow(clippy::unused_async)]
pub async fn run(
    _hub: &Hub,
    operation: Operation,
    _headers: &http::HeaderMap,
    _body: &[u8],
) -> Result<Answer, Refused> {
    match operation {}
}
