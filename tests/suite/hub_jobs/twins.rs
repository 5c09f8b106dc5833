//! Twin updates by jobs: which devices, what they become, when.

use super::{counts, from_now, hub_with, schedule, until, update};
use crate::support::{Caller, TestHub, options};
use serde_json::{Value, json};
use twinscope::local_hub::{FleetChoice, LocalHub};

async fn twin(owner: &mut Caller, id: &str) -> Value {
    owner.get(&format!("/twins/{id}")).await.ok()
}

#[tokio::test]
async fn updates_the_twins_that_meet_the_condition() {
    let (_hub, mut owner) = hub_with(&["a", "b", "c"]).await;
    owner.patch("/twins/a", json!({"properties": {"desired": {"old": 1, "kept": 2}}})).await.ok();
    let spelled: Value = serde_json::from_str("5.50").unwrap();
    let body = json!({
        "jobId": "ignored",
        "type": "ScheduleUpdateTwin",
        "updateTwin": {
            "deviceId": "ignored", "etag": "*",
            "tags": {"fw": "2"}, "properties": {"desired": {"interval": spelled, "old": null}},
        },
        "queryCondition": "tags.site = 'A'",
        "startTime": from_now(-60),
        "maxExecutionTimeInSeconds": 300,
    });
    let made = schedule(&mut owner, "job-1", body).await;
    assert_eq!((&made["jobId"], &made["status"]), (&json!("job-1"), &json!("queued")));
    assert_eq!(made["type"], "scheduleUpdateTwin");
    assert_eq!(made["queryCondition"], "tags.site = 'A'");
    assert_eq!(made["maxExecutionTimeInSeconds"], 300);
    assert_eq!(made["updateTwin"]["etag"], "*");
    assert_eq!(made["updateTwin"]["properties"]["desired"]["old"], Value::Null);
    let done = until(&mut owner, "job-1", "completed").await;
    assert_eq!(counts(&done), [2, 0, 2, 0, 0]);
    for time in ["createdTime", "startTime", "endTime"] {
        assert!(done[time].as_str().is_some_and(|time| time.ends_with('Z')), "{time} in {done}");
    }
    assert!(done.get("failureReason").is_none());

    let a = twin(&mut owner, "a").await;
    assert_eq!(a["tags"], json!({"site": "A", "fw": "2"}));
    let desired = a["properties"]["desired"].as_object().unwrap();
    assert!(!desired.contains_key("old") && desired["kept"] == 2, "{a}");
    assert_eq!(desired["interval"].to_string(), "5.50", "numbers keep their spelling");
    assert_eq!(desired["$version"], 3);
    assert_eq!(twin(&mut owner, "c").await["tags"]["fw"], "2");
    assert!(twin(&mut owner, "b").await["tags"].get("fw").is_none());
}

#[tokio::test]
async fn every_device_where_the_condition_is_missing_or_a_star() {
    let (_hub, mut owner) = hub_with(&["a", "b", "c"]).await;
    owner.module("a", "m").await;
    for (n, condition) in [json!("*"), json!(""), json!(null), json!(" * ")].into_iter().enumerate() {
        let mut body = update("", json!({"n": n}));
        body["queryCondition"] = condition;
        let id = format!("all-{n}");
        schedule(&mut owner, &id, body).await;
        assert_eq!(counts(&until(&mut owner, &id, "completed").await), [3, 0, 3, 0, 0]);
        assert_eq!(twin(&mut owner, "c").await["properties"]["desired"]["n"], n);
    }
    let mut body = update("", json!({"n": 9}));
    body.as_object_mut().unwrap().remove("queryCondition");
    schedule(&mut owner, "none", body).await;
    assert_eq!(counts(&until(&mut owner, "none", "completed").await)[2], 3);
    assert!(owner.get("/twins/a/modules/m").await.ok()["properties"]["desired"].get("n").is_none(), "devices only");
    schedule(&mut owner, "nobody", update("deviceId = 'x'", json!({"n": 1}))).await;
    assert_eq!(counts(&until(&mut owner, "nobody", "completed").await), [0; 5]);
    schedule(&mut owner, "modules", update("FROM devices.modules WHERE moduleId = 'm'", json!({"n": 1}))).await;
    assert_eq!(counts(&until(&mut owner, "modules", "completed").await), [1, 0, 1, 0, 0]);
    assert_eq!(owner.get("/twins/a/modules/m").await.ok()["properties"]["desired"]["n"], 1);
}

#[tokio::test]
async fn a_fleet_larger_than_what_is_done_at_once() {
    let hub = TestHub::start(FleetChoice::Synthetic(1000)).await;
    let mut owner = hub.owner().await;
    schedule(&mut owner, "fleet", update("*", json!({"job": "done"}))).await;
    assert_eq!(counts(&until(&mut owner, "fleet", "completed").await), [1000, 0, 1000, 0, 0]);
    let text = "SELECT COUNT() AS n FROM devices WHERE properties.desired.job = 'done'";
    assert_eq!(owner.query(text, &[]).await.ok(), json!([{"n": 1000}]));
}

#[tokio::test]
async fn a_device_that_cannot_take_it_fails_alone() {
    let (_hub, mut owner) = hub_with(&["a", "b"]).await;
    // Two sections that fit, and do not fit together.
    let half = |name: &str| -> Value {
        (0..5).map(|n| (format!("{name}{n}"), json!("x".repeat(3500)))).collect::<serde_json::Map<_, _>>().into()
    };
    owner.patch("/twins/a", json!({"properties": {"desired": half("left")}})).await.ok();
    schedule(&mut owner, "large", update("*", half("right"))).await;
    let done = until(&mut owner, "large", "completed").await;
    assert_eq!(counts(&done), [2, 1, 1, 0, 0], "the job completes all the same");
    let rows = super::rows(&mut owner, "devices.jobs.jobId = 'large' AND devices.jobs.status = 'failed'").await;
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["deviceId"], &rows[0]["error"]["code"]), (&json!("a"), &json!("403100")));
}

#[tokio::test]
async fn waits_for_its_start_time() {
    let (_hub, mut owner) = hub_with(&["a"]).await;
    let mut later = update("*", json!({"n": 1}));
    later["startTime"] = json!(from_now(3600));
    assert_eq!(schedule(&mut owner, "later", later).await["status"], "queued");
    let waiting = until(&mut owner, "later", "scheduled").await;
    assert!(waiting.get("deviceJobStatistics").is_none() && waiting.get("endTime").is_none(), "{waiting}");
    let mut soon = update("*", json!({"n": 2}));
    let start = from_now(1);
    soon["startTime"] = json!(start);
    schedule(&mut owner, "soon", soon).await;
    let done = until(&mut owner, "soon", "completed").await;
    let row = &super::rows(&mut owner, "jobId = 'soon'").await[0];
    assert!(row["startTimeUtc"].as_str().unwrap()[..23] >= start[..23], "not before {start}: {row}");
    assert!(done["endTime"].as_str() >= row["endTimeUtc"].as_str());
    assert_eq!(twin(&mut owner, "a").await["properties"]["desired"]["n"], 2);
    assert_eq!(owner.get("/jobs/v2/later").await.ok()["status"], "scheduled");
}

#[tokio::test]
async fn follows_a_clock_that_is_set() {
    let (hub, mut owner) = hub_with(&["a"]).await;
    hub.hub.hub().clock().skew(3000);
    let mut body = update("*", json!({"n": 1}));
    body["startTime"] = json!(from_now(2990));
    schedule(&mut owner, "ahead", body).await;
    until(&mut owner, "ahead", "completed").await;
}

#[tokio::test]
async fn is_cancelled_before_it_begins() {
    let (_hub, mut owner) = hub_with(&["a"]).await;
    let mut later = update("*", json!({"n": 1}));
    later["startTime"] = json!(from_now(2));
    schedule(&mut owner, "later", later).await;
    let cancelled = owner.call("POST", "/jobs/v2/later/cancel", &[], None).await.ok();
    assert_eq!(cancelled["status"], "cancelled");
    assert!(cancelled["endTime"].is_string());
    // A job behind it in time, so that its own time has passed when that one is done.
    let mut after = update("deviceId = 'nobody'", json!({"n": 1}));
    after["startTime"] = json!(from_now(3));
    schedule(&mut owner, "after", after).await;
    until(&mut owner, "after", "completed").await;
    assert_eq!(owner.get("/jobs/v2/later").await.ok()["status"], "cancelled");
    assert!(twin(&mut owner, "a").await["properties"]["desired"].get("n").is_none());
    for id in ["later", "after"] {
        let again = owner.call("POST", &format!("/jobs/v2/{id}/cancel"), &[], None).await;
        again.refused(405, "OperationNotAllowedInCurrentState");
    }
}

#[tokio::test]
async fn finds_what_queries_find() {
    let dir = tempfile::TempDir::new().unwrap();
    let mut options = options(dir.path(), FleetChoice::Demo);
    options.tuning.index_lag = std::time::Duration::from_hours(1);
    let local = LocalHub::start(options).await.unwrap();
    let hub = TestHub { hub: local, dir };
    let mut owner = hub.owner().await;
    owner.device("late").await;
    let condition = "deviceId IN ['late', 'myFirstDevice']";
    schedule(&mut owner, "lag", update(condition, json!({"n": 1}))).await;
    assert_eq!(counts(&until(&mut owner, "lag", "completed").await), [1, 0, 1, 0, 0]);
}
