//! Jobs.

use crate::hub_jobs::{counts, from_now, hub_with, method, rows, schedule, until, update};
use crate::support::{Caller, Reply};
use serde_json::{Value, json};

async fn cancel(owner: &mut Caller, id: &str) -> Reply {
    owner.call("POST", &format!("/jobs/v2/{id}/cancel"), &[], None).await
}

/// The same an hour later.
fn later(mut body: Value) -> Value {
    body["startTime"] = json!(from_now(3600));
    body
}

#[tokio::test]
async fn an_unknown_job_is_200() {
    let (_hub, mut owner) = hub_with(&[]).await;
    let unknown = owner.get("/jobs/v2/nobody").await.ok();
    assert_eq!(unknown, json!({"jobId": "nobody", "type": "unknown", "status": "unknown"}));
}

#[tokio::test]
async fn a_condition_is_read_when_the_job_runs() {
    let (_hub, mut owner) = hub_with(&["a"]).await;
    let made = schedule(&mut owner, "j", update("tags.site = = 'A'", json!({"n": 1}))).await;
    assert_eq!(made["status"], "queued");
    assert!(until(&mut owner, "j", "failed").await["failureReason"].is_string());
    assert!(owner.get("/twins/a").await.ok()["properties"]["desired"].get("n").is_none());
}

#[tokio::test]
async fn a_job_whose_devices_all_fail_is_completed() {
    let (_hub, mut owner) = hub_with(&["a", "b"]).await;
    schedule(&mut owner, "j", method("*", json!(1))).await;
    let job = until(&mut owner, "j", "completed").await;
    assert_eq!(counts(&job), [2, 2, 0, 0, 0]);
    let rows = rows(&mut owner, "jobId = 'j'").await;
    assert_eq!(rows.iter().map(|row| row["status"].as_str().unwrap()).collect::<Vec<_>>(), ["failed"; 2]);
}

#[tokio::test]
async fn the_payload_of_a_job_comes_back_as_bytes() {
    let (_hub, mut owner) = hub_with(&[]).await;
    let payload = json!({"text": "ä"});
    let made = schedule(&mut owner, "j", later(method("*", payload.clone()))).await;
    assert_eq!(made["cloudToDeviceMethod"]["payload"], payload, "but for the first answer");
    let listed = owner.get("/jobs/v2/query").await.ok()[0].clone();
    for job in [owner.get("/jobs/v2/j").await.ok(), listed, cancel(&mut owner, "j").await.ok()] {
        let bytes: Vec<u8> = serde_json::from_value(job["cloudToDeviceMethod"]["payload"].clone()).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), payload);
    }
}

#[tokio::test]
async fn the_twin_of_a_job_has_a_star_for_an_etag() {
    let (_hub, mut owner) = hub_with(&["a"]).await;
    for (etag, status) in [(Value::Null, 400), (json!("AAAAAAAAAAE="), 412), (json!("*"), 200)] {
        let mut body = update("*", json!({"n": 1}));
        body["updateTwin"]["etag"] = etag.clone();
        assert_eq!(owner.put("/jobs/v2/j", body).await.status, status, "{etag}");
    }
}

#[tokio::test]
async fn jobs_that_only_wait_count_as_active() {
    let (_hub, mut owner) = hub_with(&[]).await;
    for n in 0..10 {
        schedule(&mut owner, &format!("j{n}"), later(update("*", json!({})))).await;
    }
    let refused = owner.put("/jobs/v2/eleventh", update("*", json!({}))).await;
    refused.refused(429, "ThrottlingMaxActiveJobCountExceeded");
    assert_eq!(refused.header("retry-after"), None);
    cancel(&mut owner, "j3").await.ok();
    schedule(&mut owner, "eleventh", update("*", json!({}))).await;
}

#[tokio::test]
async fn only_a_job_that_waits_can_be_cancelled() {
    let (_hub, mut owner) = hub_with(&["a"]).await;
    schedule(&mut owner, "waits", later(update("*", json!({})))).await;
    assert_eq!(cancel(&mut owner, "waits").await.ok()["status"], "cancelled");
    schedule(&mut owner, "done", update("*", json!({}))).await;
    until(&mut owner, "done", "completed").await;
    for id in ["waits", "done"] {
        cancel(&mut owner, id).await.refused(405, "OperationNotAllowedInCurrentState");
    }
}

#[tokio::test]
async fn the_id_of_a_job_has_no_capitals() {
    let (_hub, mut owner) = hub_with(&[]).await;
    for (id, status) in [("Job", 400), ("my_job", 400), ("it's-1", 200)] {
        assert_eq!(owner.put(&format!("/jobs/v2/{id}"), update("*", json!({}))).await.status, status, "{id}");
    }
}
