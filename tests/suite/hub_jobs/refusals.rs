//! What is refused, and what fails later.

use super::{from_now, hub_with, method, schedule, until, update};
use crate::support::Caller;
use serde_json::{Value, json};

#[tokio::test]
async fn bad_requests() {
    let (_hub, mut owner) = hub_with(&["a"]).await;
    let with = |mut body: Value, pointer: &str, value: Value| {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[key] = value;
        body
    };
    let good = || update("*", json!({"n": 1}));
    let call = || method("*", json!(1));
    let cases = [
        json!([]),
        json!({}),
        with(good(), "/type", json!("scheduleTwinUpdate")),
        with(good(), "/type", json!("export")),
        with(good(), "/updateTwin", Value::Null),
        with(good(), "/updateTwin/etag", Value::Null),
        with(good(), "/updateTwin/etag", json!("")),
        with(good(), "/updateTwin/desired", json!({"a": 1})),
        with(good(), "/updateTwin/reported", Value::Null),
        with(good(), "/updateTwin/properties/desired", json!(1)),
        with(good(), "/updateTwin/properties/desired", json!({"a.b": 1})),
        with(good(), "/updateTwin/tags", json!({"a": {"$b": 1}})),
        with(good(), "/queryCondition", json!(7)),
        with(good(), "/startTime", json!("tomorrow")),
        with(good(), "/startTime", json!(7)),
        with(good(), "/startTime", json!(from_now(168 * 3600 + 60))),
        with(good(), "/maxExecutionTimeInSeconds", json!(0)),
        with(good(), "/maxExecutionTimeInSeconds", json!(-1)),
        with(call(), "/cloudToDeviceMethod", Value::Null),
        with(call(), "/cloudToDeviceMethod/methodName", json!("")),
        with(call(), "/cloudToDeviceMethod/responseTimeoutInSeconds", json!(4)),
        with(call(), "/cloudToDeviceMethod/responseTimeoutInSeconds", json!(301)),
        with(call(), "/cloudToDeviceMethod/connectTimeoutInSeconds", json!(31)),
    ];
    for body in cases {
        let reply = owner.put("/jobs/v2/bad", body.clone()).await;
        assert_eq!(reply.status, 400, "{body} {}", reply.text());
        reply.refused(400, "ArgumentInvalid");
    }
    assert_eq!(owner.get("/jobs/v2/bad").await.ok()["status"], "unknown", "nothing was made");
    let mut edge = good();
    edge["startTime"] = json!(from_now(168 * 3600 - 60));
    schedule(&mut owner, "edge", edge).await;
    for (member, value) in [("etag", Value::Null), ("desired", json!({"a": 1}))] {
        let bad = owner.put("/jobs/v2/bad", with(good(), &format!("/updateTwin/{member}"), value)).await.json();
        let message = bad["Message"].as_str().unwrap();
        assert!(message.starts_with("ErrorCode:ArgumentInvalid;Error: BadRequest {\"Message\":"), "{message}");
    }
    // That of a twin that was read, stale or not.
    let twin = owner.get("/twins/a").await.ok();
    for etag in [twin["etag"].clone(), json!("AAAAAAAAAAE="), json!("x")] {
        let reply = owner.put("/jobs/v2/bad", with(good(), "/updateTwin/etag", etag)).await;
        reply.refused(412, "PreconditionFailed");
        assert!(reply.text().contains("does not match the etag of the existing resource"), "{}", reply.text());
    }
    assert_eq!(owner.get("/jobs/v2/bad").await.ok()["status"], "unknown", "nothing was made");
}

#[tokio::test]
async fn ids() {
    let (_hub, mut owner) = hub_with(&["a"]).await;
    for id in ["A", "a_b", "a.b", "a%20b", "%C3%A4", &"a".repeat(65)] {
        owner.put(&format!("/jobs/v2/{id}"), update("*", json!({}))).await.refused(400, "ArgumentInvalid");
        owner.get(&format!("/jobs/v2/{id}")).await.refused(400, "ArgumentInvalid");
        owner.call("POST", &format!("/jobs/v2/{id}/cancel"), &[], None).await.refused(400, "ArgumentInvalid");
    }
    for id in ["a", "0-9'az", "query", "cancel", &"a".repeat(64)] {
        assert_eq!(schedule(&mut owner, id, update("*", json!({}))).await["jobId"], id);
        until_ended(&mut owner, id).await;
        owner.put(&format!("/jobs/v2/{id}"), update("*", json!({}))).await.refused(409, "JobAlreadyExists");
    }
}

/// A job called `query` cannot be asked for by GET: that is the query. Its rows say when it is done.
async fn until_ended(owner: &mut Caller, id: &str) {
    if id == "query" {
        let begun = std::time::Instant::now();
        while super::rows(owner, "jobId = 'query' AND status = 'completed'").await.is_empty() {
            assert!(begun.elapsed() < crate::support::PATIENCE);
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    } else {
        until(owner, id, "completed").await;
    }
}

#[tokio::test]
async fn unknown_jobs() {
    let (_hub, mut owner) = hub_with(&[]).await;
    let unknown = owner.get("/jobs/v2/nobody").await.ok();
    assert_eq!(unknown, json!({"jobId": "nobody", "type": "unknown", "status": "unknown"}));
    owner.call("POST", "/jobs/v2/nobody/cancel", &[], None).await.refused(404, "JobNotFound");
    owner.call("DELETE", "/jobs/v2/nobody", &[], None).await.refused(405, "GenericMethodNotAllowed");
    owner.get("/jobs/v2/nobody/rows").await.refused(404, "GenericNotFound");
}

#[tokio::test]
async fn ten_at_once() {
    let (_hub, mut owner) = hub_with(&["a"]).await;
    let mut later = update("*", json!({"n": 1}));
    later["startTime"] = json!(from_now(3600));
    for n in 0..10 {
        schedule(&mut owner, &format!("later-{n}"), later.clone()).await;
    }
    let eleventh = owner.put("/jobs/v2/eleventh", later.clone()).await;
    eleventh.refused(429, "ThrottlingMaxActiveJobCountExceeded");
    assert!(eleventh.header("retry-after").is_none(), "the service sends none");
    owner.call("POST", "/jobs/v2/later-3/cancel", &[], None).await.ok();
    schedule(&mut owner, "eleventh", later).await;
}

#[tokio::test]
async fn a_condition_that_cannot_be_read_fails_later() {
    let (_hub, mut owner) = hub_with(&["a"]).await;
    let conditions =
        ["tags.site = = 'A'", "SELECT * FROM devices", "deviceId = 'a' GROUP BY status", "FROM devices.jobs", "FROM x"];
    for (n, condition) in conditions.into_iter().enumerate() {
        let id = format!("bad-{n}");
        let made = schedule(&mut owner, &id, update(condition, json!({"n": 1}))).await;
        assert_eq!(made["status"], "queued", "it is taken all the same");
        let failed = until(&mut owner, &id, "failed").await;
        let reason = failed["failureReason"].as_str().unwrap();
        assert!(!reason.is_empty() && failed["endTime"].is_string(), "{failed}");
        if n == 0 {
            // The place in the condition as it was given, not in the query that is made of it.
            assert!(reason.contains("queryCondition, line 1 column 13: "), "{reason}");
        }
        owner
            .call("POST", &format!("/jobs/v2/{id}/cancel"), &[], None)
            .await
            .refused(405, "OperationNotAllowedInCurrentState");
    }
    assert!(owner.get("/twins/a").await.ok()["properties"]["desired"].get("n").is_none());
}

#[tokio::test]
async fn import_and_export_say_why_not() {
    let (_hub, mut owner) = hub_with(&[]).await;
    let export = json!({"type": "export", "outputBlobContainerUri": "https://x"});
    let replies = [
        owner.post("/jobs/create", export).await,
        owner.get("/jobs/some-id").await,
        owner.delete("/jobs/some-id").await,
    ];
    // Nobody made any: `az iot hub job list` asks for them beside the others.
    assert_eq!(owner.get("/jobs").await.ok(), json!([]));
    for reply in replies {
        reply.refused(403, "OperationNotAvailableInCurrentTier");
        assert!(reply.text().contains("storage account"), "{}", reply.text());
    }
}

#[tokio::test]
async fn only_who_may_connect_as_a_service() {
    let (hub, _owner) = hub_with(&[]).await;
    let mut device = hub.policy("device").await;
    device.get("/jobs/v2/j").await.refused(401, "IotHubUnauthorizedAccess");
    hub.policy("service").await.get("/jobs/v2/j").await.ok();
}
