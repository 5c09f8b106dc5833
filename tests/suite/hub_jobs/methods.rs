//! Direct methods by jobs.

use super::{counts, hub_with, method, rows, schedule, until};
use crate::hub_methods::{called, caller, listener, response};
use crate::hub_mqtt::place::Place;
use crate::support::PATIENCE;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use twinscope::twin::TwinId;

#[tokio::test]
async fn offline_devices_count_as_failed() {
    let (_hub, mut owner) = hub_with(&["a", "b"]).await;
    let payload = json!({"text": "ä", "n": 1.50});
    let made = schedule(&mut owner, "offline", method("*", payload.clone())).await;
    assert_eq!(made["cloudToDeviceMethod"]["payload"], payload, "the first answer is what was asked for");
    let done = until(&mut owner, "offline", "completed").await;
    assert_eq!(counts(&done), [2, 2, 0, 0, 0], "the job completes all the same");
    let bytes: Vec<u8> = serde_json::from_value(done["cloudToDeviceMethod"]["payload"].clone()).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), payload.to_string(), "and later its bytes");
    assert_eq!(done["cloudToDeviceMethod"]["methodName"], "ping");
    for row in rows(&mut owner, "jobId = 'offline'").await {
        assert_eq!((&row["status"], &row["error"]["code"]), (&json!("failed"), &json!("404103")), "{row}");
        assert!(row.get("outcome").is_none() && row["endTimeUtc"].is_string(), "{row}");
    }
    schedule(&mut owner, "no-payload", method("*", json!(null))).await;
    assert_eq!(until(&mut owner, "no-payload", "completed").await["cloudToDeviceMethod"]["payload"], json!(null));
}

#[tokio::test]
async fn devices_and_modules_answer() {
    let place = Place::start().await;
    let (device, module) = (TwinId::device("d"), TwinId::module("d", "m"));
    for id in [&device, &module] {
        place.create(id).await;
    }
    let mut owner = caller(&place, "iothubowner").await;
    let conditions =
        [(&device, "device", "deviceId = 'd'"), (&module, "module", "from devices.modules where moduleId = 'm'")];
    for (id, job, condition) in conditions {
        let mut client = listener(&place, id).await;
        schedule(&mut owner, job, method(condition, serde_json::from_str(r#"{"n":1.50}"#).unwrap())).await;
        let (name, rid, payload) = called(&mut client).await;
        assert_eq!((name.as_str(), payload.as_str()), ("ping", r#"{"n":1.50}"#));
        assert_eq!(counts(&owner.get(&format!("/jobs/v2/{job}")).await.ok()), [1, 0, 0, 1, 0], "while it is under way");
        let open = rows(&mut owner, &format!("jobId = '{job}'")).await;
        assert!(open[0]["status"] == "running" && open[0].get("endTimeUtc").is_none(), "{open:?}");
        owner
            .call("POST", &format!("/jobs/v2/{job}/cancel"), &[], None)
            .await
            .refused(405, "OperationNotAllowedInCurrentState");
        client.send(&response(&rid, "500", r#"{"x":2.50}"#)).await;
        // The device's own status says nothing about the job.
        assert_eq!(counts(&until(&mut owner, job, "completed").await), [1, 0, 1, 0, 0]);
        let row = rows(&mut owner, &format!("jobId = '{job}'")).await.remove(0);
        let outcome = row["outcome"].to_string();
        assert_eq!(outcome, r#"{"deviceMethodResponse":{"status":500,"payload":{"x":2.50}}}"#);
        assert_eq!(row["moduleId"].as_str(), id.module.as_deref());
    }
}

/// A call that waits for a device which does not come.
fn patient() -> Value {
    let mut body = method("*", json!(null));
    body["cloudToDeviceMethod"]["connectTimeoutInSeconds"] = json!(30);
    body
}

#[tokio::test]
async fn a_job_whose_time_is_up_fails() {
    let (_hub, mut owner) = hub_with(&["a", "b"]).await;
    let mut body = patient();
    body["maxExecutionTimeInSeconds"] = json!(1);
    schedule(&mut owner, "late", body).await;
    let failed = until(&mut owner, "late", "failed").await;
    assert_eq!(counts(&failed), [2, 2, 0, 0, 0]);
    assert!(failed["failureReason"].as_str().unwrap().contains("maxExecutionTimeInSeconds"), "{failed}");
    for row in rows(&mut owner, "jobId = 'late'").await {
        assert_eq!((&row["status"], &row["error"]["code"]), (&json!("failed"), &json!("504101")), "{row}");
    }
}

#[tokio::test]
async fn a_call_that_waits_when_the_hub_ends_is_not_made_again() {
    let dir = TempDir::new().unwrap();
    let (hub, mut owner) = super::restart::start(dir.path()).await;
    owner.device("a").await;
    schedule(&mut owner, "j", patient()).await;
    let begun = Instant::now();
    while rows(&mut owner, "jobId = 'j' AND status = 'running'").await.is_empty() {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    hub.stop().await;
    let (_hub, mut owner) = super::restart::start(dir.path()).await;
    assert_eq!(counts(&until(&mut owner, "j", "completed").await), [1, 1, 0, 0, 0]);
    let row = rows(&mut owner, "jobId = 'j'").await.remove(0);
    assert!(row["error"]["description"].as_str().unwrap().contains("ended while it waited"), "{row}");
}
