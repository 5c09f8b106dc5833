//! `POST /twins/{…}/methods`: calls a direct method and answers what the identity answered.

use super::answer::{self, Answer};
use super::service::{bad, parse};
use crate::local_hub::hub::{Hub, Refused};
use crate::local_hub::methods;
use crate::protocol::error::ErrorCode;
use crate::protocol::method::{CallProblem, MethodCall};
use crate::twin::TwinId;

/// Bytes of a call. A payload has at most 128 KB as compact UTF-8; a client that escapes all that is not ASCII (Python's does)
/// writes up to three times as much.
pub const BODY_MAX: usize = 512 * 1024;

/// Calls the method. The answer is 200 whatever status the device gave.
///
/// # Errors
/// 400 for a call that cannot be made, 413 for a payload that is too large (unconfirmed), else as [`methods::call`].
pub async fn call(hub: &Hub, id: &TwinId, body: &[u8]) -> Result<Answer, Refused> {
    let call = MethodCall::from_json(&parse(body)?).map_err(|problem| match problem {
        CallProblem::LargePayload(_) => Refused { code: ErrorCode::MESSAGE_TOO_LARGE, message: problem.to_string() },
        _ => bad(&problem.to_string()),
    })?;
    Ok(answer::json(&methods::call(hub, id, &call).await?.to_json()))
}
