//! The twin over MQTT: what was asked, and the packet that answers.

use super::connect::Reports;
use super::lease::Lease;
use super::packet::Outgoing;
use crate::local_hub::hub::{Hub, Refused};
use crate::protocol::error::{self, ErrorCode, Shape};
use crate::protocol::mqtt::ToDevice;
use bytes::Bytes;

/// A request for the twin. `rid` is the request id as it came, still encoded, and goes back the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    Get {
        rid: String,
    },
    Report {
        rid: String,
        /// The reported `$version` the device believes to change.
        expected: Option<u64>,
        patch: Bytes,
    },
    /// A report that cannot be one.
    Refuse {
        rid: String,
        why: &'static str,
    },
}

impl Operation {
    /// What is done of it on a connection of this kind.
    #[must_use]
    pub fn allowed(self, reports: Reports) -> Self {
        match (self, reports) {
            (Self::Report { rid, .. }, Reports::Refused) => {
                let why = "reported properties take an api-version in the user name of the CONNECT: {host}/{device}/?api-version=2021-04-12";
                Self::Refuse { rid, why }
            }
            (operation, Reports::Taken | Reports::Refused) => operation,
        }
    }

    /// Bytes held while it waits.
    pub fn size(&self) -> usize {
        match self {
            Self::Get { rid } | Self::Refuse { rid, .. } => rid.len(),
            Self::Report { rid, patch, .. } => rid.len() + patch.len(),
        }
    }
}

/// The answer to a GET: status 200 with `{"desired":…,"reported":…}`. The body of the request means nothing (SDKs send a space).
pub fn get(lease: &Lease, rid: String) -> Outgoing {
    let view = lease.hub.device_view_of(&lease.id, lease.identity()).and_then(|view| {
        serde_json::to_vec(&view).map_err(|error| Refused { code: ErrorCode::SERVER_ERROR, message: error.to_string() })
    });
    match view {
        Ok(body) => answer(200, rid, None, body.into()),
        Err(refused) => refusal(&lease.hub, rid, &refused),
    }
}

/// The answer to a report, once it is committed: status 204, nothing in the body, the new reported `$version` in the topic.
pub async fn report(lease: &Lease, rid: String, expected: Option<u64>, patch: &[u8]) -> Outgoing {
    match lease.hub.report_of(&lease.id, lease.identity(), patch, expected).await {
        Ok(version) => answer(204, rid, Some(version), Bytes::new()),
        Err(refused) => refusal(&lease.hub, rid, &refused),
    }
}

/// The answer to what is refused without asking the hub: status 400.
pub fn refuse(hub: &Hub, rid: String, why: &str) -> Outgoing {
    refusal(hub, rid, &Refused { code: ErrorCode::ARGUMENT_INVALID, message: why.to_owned() })
}

/// The answer to what a fault does not let through.
pub fn instead(hub: &Hub, operation: Operation, refused: &Refused) -> Outgoing {
    let (Operation::Get { rid } | Operation::Report { rid, .. } | Operation::Refuse { rid, .. }) = operation;
    refusal(hub, rid, refused)
}

/// Status in the topic and `errorCode` in the body: some SDKs look at the one alone, some at the other.
fn refusal(hub: &Hub, rid: String, refused: &Refused) -> Outgoing {
    let tracking = uuid::Uuid::new_v4().simple().to_string();
    let body = error::body(Shape::Flat, refused.code, &refused.message, &tracking, &hub.now_text());
    answer(refused.code.status(), rid, None, body.into())
}

fn answer(status: u16, rid: String, version: Option<u64>, payload: Bytes) -> Outgoing {
    Outgoing::Publish { topic: ToDevice::TwinResponse { status, rid, version }.topic(), payload }
}
