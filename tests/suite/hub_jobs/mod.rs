//! Jobs v2, through real sockets.

// Clippy's own allowance for tests reaches only the functions marked as such, not what they share.
#![allow(clippy::unwrap_used)]

mod methods;
mod refusals;
mod restart;
mod rows;
mod twins;

use crate::support::{Caller, PATIENCE, TestHub};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use twinscope::local_hub::FleetChoice;

/// A hub with devices of these ids, every other one at site A.
pub async fn hub_with(ids: &[&str]) -> (TestHub, Caller) {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    for (n, id) in ids.iter().enumerate() {
        owner.device(id).await;
        let site = if n % 2 == 0 { "A" } else { "B" };
        owner.patch(&format!("/twins/{id}"), json!({"tags": {"site": site}})).await.ok();
    }
    (hub, owner)
}

/// A twin update for the devices that meet a condition, at once.
pub fn update(condition: &str, desired: Value) -> Value {
    json!({
        "type": "scheduleUpdateTwin",
        "updateTwin": {"etag": "*", "properties": {"desired": desired}},
        "queryCondition": condition,
        "maxExecutionTimeInSeconds": 300,
    })
}

/// A call of `ping` on the devices that meet a condition, at once.
pub fn method(condition: &str, payload: Value) -> Value {
    json!({
        "type": "scheduleDeviceMethod",
        "cloudToDeviceMethod": {"methodName": "ping", "payload": payload, "responseTimeoutInSeconds": 30},
        "queryCondition": condition,
    })
}

/// UTC, ISO 8601, so many seconds from now.
pub fn from_now(seconds: i64) -> String {
    let time = time::OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
    time.format(&time::format_description::well_known::Rfc3339).unwrap()
}

pub async fn schedule(owner: &mut Caller, id: &str, body: Value) -> Value {
    owner.put(&format!("/jobs/v2/{id}"), body).await.ok()
}

/// Asks until the job has this status.
pub async fn until(owner: &mut Caller, id: &str, status: &str) -> Value {
    let begun = Instant::now();
    loop {
        let job = owner.get(&format!("/jobs/v2/{id}")).await.ok();
        if job["status"] == status {
            return job;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain until it is {status}: {job}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Device count, failed, succeeded, running, pending.
pub fn counts(job: &Value) -> [u64; 5] {
    ["deviceCount", "failedCount", "succeededCount", "runningCount", "pendingCount"]
        .map(|name| job["deviceJobStatistics"][name].as_u64().unwrap_or_else(|| panic!("{name} in {job}")))
}

/// The rows of a query on `devices.jobs`.
pub async fn rows(owner: &mut Caller, condition: &str) -> Vec<Value> {
    let text = format!("SELECT * FROM devices.jobs WHERE {condition}");
    owner.query(&text, &[]).await.ok().as_array().unwrap().clone()
}
