//! What the local hub adds to Azure's paths: what happened on it, and what goes wrong on purpose.

use super::answer::Answer;
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
pub async fn run(_hub: &Hub, operation: Operation, _body: &[u8]) -> Result<Answer, Refused> {
    match operation {}
}
