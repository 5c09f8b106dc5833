//! What the local hub adds to Azure's paths: what happened on it, and what goes wrong on purpose.

use super::answer::{self, Answer};
use super::service::{bad, parse};
use crate::local_hub::hub::{Hub, Refused};
use crate::protocol::fault::Plan;
use crate::protocol::rest::Route;
use http::Method;
use std::time::Duration;

/// The longest a reader of the stream may wait for news; clients and proxies give up on an answer not much later.
const WAIT_MAX_S: u64 = 60;
/// Bytes of a list of faults: a hundred of the longest.
const FAULTS_BODY_MAX: usize = 256 * 1024;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// What happened behind the event of that number; waits when there is nothing yet.
    Events {
        after: u64,
        wait_s: u64,
    },
    /// The faults in force, and their counts.
    Faults,
    /// Other faults, in place of those; answers as [`Operation::Faults`] does then.
    SetFaults,
    ClearFaults,
}

impl Operation {
    /// `None` when the method and route are none of these.
    pub fn of(method: &Method, route: &Route) -> Option<Self> {
        match (method, route) {
            (&Method::GET, Route::Events { after, wait_s }) => {
                Some(Self::Events { after: after.unwrap_or(0), wait_s: wait_s.unwrap_or(0).min(WAIT_MAX_S) })
            }
            (&Method::GET, Route::Faults) => Some(Self::Faults),
            (&Method::PUT, Route::Faults) => Some(Self::SetFaults),
            (&Method::DELETE, Route::Faults) => Some(Self::ClearFaults),
            _ => None,
        }
    }

    /// How many bytes of body it takes; `None` when it takes none.
    pub fn body_max(&self) -> Option<usize> {
        match self {
            Self::Events { .. } | Self::Faults | Self::ClearFaults => None,
            Self::SetFaults => Some(FAULTS_BODY_MAX),
        }
    }
}

/// Does it.
///
/// # Errors
/// What the hub refuses; 400 for faults that cannot be read, with the place and what would do.
pub async fn run(hub: &Hub, operation: Operation, body: &[u8]) -> Result<Answer, Refused> {
    match operation {
        Operation::Events { after, wait_s } => {
            if wait_s > 0 && hub.events().newest() == after {
                let news = tokio::time::timeout(Duration::from_secs(wait_s), hub.events().wait(after));
                // Nothing in time is an answer too: an empty page.
                drop(news.await);
            }
            Ok(answer::json(&hub.events().page(after).to_json()))
        }
        Operation::Faults => Ok(answer::json(&hub.faults().report().to_json())),
        Operation::SetFaults => {
            let plan = Plan::from_json(&parse(body)?).map_err(|error| bad(&error.to_string()))?;
            hub.faults().set(&plan, hub.clock());
            Ok(answer::json(&hub.faults().report().to_json()))
        }
        Operation::ClearFaults => {
            hub.faults().clear(hub.clock());
            Ok(answer::nothing())
        }
    }
}
