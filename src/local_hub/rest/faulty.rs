//! Faults over HTTPS: which occasion a request is to them, and what they make of its answer.

use super::answer::{self, Answer};
use crate::local_hub::faults::{Fate, Status};
use crate::local_hub::hub::{Hub, Refused};
use crate::protocol::fault::{Occasion, When};
use crate::protocol::rest::Route;
use crate::twin::TwinId;
use http::Method;
use http::header::{CONNECTION, RETRY_AFTER};

/// What goes back over the connection.
pub enum Reply {
    Whole(Answer),
    /// The connection closes in the middle of it.
    Halfway(Answer),
    /// The connection closes.
    Nothing,
}

/// The connection is closed on purpose.
#[derive(Debug, thiserror::Error)]
#[error("a fault drops the connection")]
pub struct Dropped;

/// What a request is to the faults. `None` for the hub's own paths, which are never struck: faults are set and cleared by them.
pub fn occasion(method: &Method, route: &Route) -> Option<(Occasion, Option<TwinId>)> {
    let either = |read, write| if method == Method::GET { read } else { write };
    let identity = either(Occasion::IdentityRead, Occasion::IdentityWrite);
    Some(match route {
        Route::Devices { .. } => (identity, None),
        Route::Device { device } | Route::Modules { device } => (identity, Some(TwinId::device(device))),
        Route::Module { device, module } => (identity, Some(TwinId::module(device, module))),
        Route::Twin(id) => (either(Occasion::TwinRead, Occasion::TwinWrite), Some(id.clone())),
        Route::Methods(id) => (Occasion::Method, Some(id.clone())),
        Route::Query => (Occasion::Query, None),
        Route::DeviceStatistics | Route::ServiceStatistics => (Occasion::Statistics, None),
        Route::DeviceBound { device }
        | Route::LockedMessage { device, .. }
        | Route::AbandonMessage { device, .. }
        | Route::DeviceEvents { device }
        | Route::Commands { device } => (Occasion::Message, Some(TwinId::device(device))),
        Route::Feedback | Route::LockedFeedback { .. } | Route::AbandonFeedback { .. } => (Occasion::Message, None),
        Route::Job { .. } | Route::CancelJob { .. } | Route::JobQuery { .. } | Route::ImportExport { .. } => {
            (Occasion::Job, None)
        }
        Route::Events { .. } | Route::Faults => return None,
    })
}

/// Asks the faults and waits as long as they say. The outcome, when what was asked for is not to be done; `fate` is what
/// [`reply`] wants to know.
pub async fn meet(
    hub: &Hub,
    occasion: Option<(Occasion, Option<TwinId>)>,
    fate: &mut Fate,
) -> Option<Result<Answer, Refused>> {
    let (occasion, id) = occasion?;
    *fate = hub.faults().strike(occasion, id.as_ref());
    if !fate.latency.is_zero() {
        tokio::time::sleep(fate.latency).await;
    }
    if fate.drop == Some(When::Before) {
        return Some(Ok(answer::nothing()));
    }
    fate.status.map(|status| Err(status.refused(occasion)))
}

/// What becomes of the answer.
pub fn reply(mut answer: Answer, fate: &Fate) -> Reply {
    if let Some(Status { status, retry_after_s }) = fate.status {
        if let Some(seconds) = retry_after_s {
            answer::put(&mut answer, RETRY_AFTER, &seconds.to_string());
        }
        if status == 429 {
            // As the service was seen to do.
            answer::put(&mut answer, CONNECTION, "close");
        }
    }
    match fate.drop {
        None => Reply::Whole(answer),
        Some(When::Halfway) => Reply::Halfway(answer),
        Some(When::Before | When::After) => Reply::Nothing,
    }
}
