//! Many identities in one call.

use crate::support::{Caller, TestHub};
use serde_json::{Value, json};
use twinscope::local_hub::FleetChoice;

#[tokio::test]
async fn items_stand_or_fall_for_themselves() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    owner.device("there").await;
    let body = json!([
        {"id": "new", "importMode": "Create", "tags": {"a": 1}, "properties": {"desired": {"x": 1}}},
        {"id": "there", "importMode": "create"},
        {"id": "new", "moduleId": "m", "importMode": "create"},
        {"id": "absent", "importMode": "delete"},
    ]);
    let reply = owner.post("/devices", body).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.header("iothub-errorcode"), Some("BulkRegistryOperationFailure"));
    let result = reply.json();
    assert_eq!(result["isSuccessful"], false);
    let errors: Vec<_> = result["errors"].as_array().unwrap().iter().map(|error| &error["errorCode"]).collect();
    assert_eq!(errors, ["DeviceAlreadyExists", "DeviceNotFound"]);
    let twin = owner.get("/twins/new").await.ok();
    assert_eq!((&twin["tags"], &twin["properties"]["desired"]["x"]), (&json!({"a": 1}), &json!(1)));
    assert_eq!((&twin["version"], &twin["properties"]["desired"]["$version"]), (&json!(2), &json!(1)));
    assert_eq!(owner.get("/devices/new/modules/m").await.status, 200);

    let body = json!([
        {"id": "new", "importMode": "updateTwin", "properties": {"desired": {"x": null, "y": 2}}},
        {"id": "there", "importMode": "Update", "status": "disabled"},
    ]);
    let reply = owner.post("/devices", body).await;
    assert_eq!(reply.ok(), json!({"isSuccessful": true, "errors": [], "warnings": []}));
    assert_eq!(owner.get("/devices/there").await.ok()["status"], "disabled");
    let twin = owner.get("/twins/new").await.ok();
    assert_eq!(twin["properties"]["desired"]["y"], 2);
    assert!(twin["properties"]["desired"].get("x").is_none());

    // As Azure IoT Explorer deletes: odd cases in the mode and the etag's name.
    let body = json!([{"id": "new", "etag": "*", "importMode": "deleteIfMatchEtag"}]);
    owner.post("/devices", body).await.ok();
    owner.get("/devices/new").await.refused(404, "DeviceNotFound");
    let body = json!([{"id": "there", "eTag": "MQ==", "importMode": "deleteIfMatchEtag"}]);
    assert_eq!(owner.post("/devices", body).await.json()["errors"][0]["errorCode"], "PreconditionFailed");
}

#[tokio::test]
async fn what_is_no_list_of_items_is_refused_whole() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    let item = |n: usize| json!({"id": format!("d{n}"), "importMode": "create"});
    for body in [
        json!({}),
        (0..101).map(item).collect(),
        json!([{"id": "a b"}]),
        json!([item(0), {"id": "d", "importMode": "dance"}]),
    ] {
        owner.post("/devices", body).await.refused(400, "ArgumentInvalid");
    }
    assert_eq!(owner.get("/devices").await.ok(), json!([]));
    owner.post("/devices", (0..100).map(item).collect()).await.ok();
    assert_eq!(owner.get("/devices").await.ok().as_array().unwrap().len(), 100);
}

/// What became of the items: the code of each error, and the warnings.
async fn bulk(owner: &mut Caller, items: Value) -> (Vec<String>, Value) {
    let reply = owner.post("/devices", items).await;
    let result = reply.json();
    let errors = result["errors"].as_array().unwrap();
    assert_eq!((reply.status == 200, &result["isSuccessful"]), (errors.is_empty(), &json!(errors.is_empty())));
    let codes = errors.iter().map(|error| error["errorCode"].as_str().unwrap().to_owned()).collect();
    (codes, result["warnings"].clone())
}

#[tokio::test]
async fn each_mode_does_its_work_and_heeds_its_etag() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    let done = (Vec::new(), json!([]));
    let stale = (vec!["PreconditionFailed".to_owned()], json!([]));
    assert_eq!(bulk(&mut owner, json!([{"id": "d", "importMode": "create"}])).await, done);
    let etag = owner.get("/devices/d").await.ok()["etag"].clone();
    let item = |mode: &str, more: Value| {
        let mut item = json!({"id": "d", "importMode": mode});
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([item])
    };
    assert_eq!(bulk(&mut owner, item("updateIfMatchETag", json!({"eTag": etag, "statusReason": "a"}))).await, done);
    for old in [json!({"eTag": etag}), json!({})] {
        assert_eq!(bulk(&mut owner, item("updateIfMatchETag", old.clone())).await, stale);
        assert_eq!(bulk(&mut owner, item("deleteIfMatchETag", old)).await, stale);
    }
    assert_eq!(bulk(&mut owner, item("update", json!({"eTag": etag, "statusReason": "b"}))).await, done);
    assert_eq!(owner.get("/devices/d").await.ok()["statusReason"], "b", "an update without a condition");

    let first = owner.get("/twins/d").await.ok();
    let twin = json!({"twinETag": first["etag"], "properties": {"desired": {"a": 1}}});
    assert_eq!(bulk(&mut owner, item("updateTwinIfMatchETag", twin.clone())).await, done);
    assert_eq!(bulk(&mut owner, item("updateTwinIfMatchETag", twin.clone())).await, stale);
    assert_eq!(bulk(&mut owner, item("updateTwinIfMatchETag", json!({"tags": {}}))).await, stale);
    assert_eq!(bulk(&mut owner, item("updateTwin", twin)).await, done, "without a condition the etag is not looked at");
    let broken = item("updateTwin", json!({"tags": {"a.b": 1}}));
    assert_eq!(bulk(&mut owner, broken).await.0, ["ArgumentInvalid"]);
    assert_eq!(owner.get("/twins/d").await.ok()["version"], first["version"].as_u64().unwrap() + 2);
    assert_eq!(bulk(&mut owner, item("deleteIfMatchETag", json!({"eTag": "*"}))).await, done);
    for mode in ["update", "updateIfMatchETag", "delete", "deleteIfMatchETag", "updateTwin", "updateTwinIfMatchETag"] {
        assert_eq!(bulk(&mut owner, item(mode, json!({"eTag": "*"}))).await.0, ["DeviceNotFound"], "{mode}");
    }
}

#[tokio::test]
async fn a_device_whose_twin_breaks_a_rule_is_made_without_it() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    let items = json!([
        {"id": "a", "importMode": "create", "tags": {"good": 1}, "properties": {"desired": {"a.b": 1}}},
        {"id": "b", "importMode": "create", "tags": {"good": 1}},
    ]);
    let (errors, warnings) = bulk(&mut owner, items).await;
    assert_eq!(errors, [] as [&str; 0]);
    let warning = &warnings[0];
    assert_eq!((&warning["deviceId"], &warning["warningCode"]), (&json!("a"), &json!("DeviceRegisteredWithoutTwin")));
    assert!(warning["warningStatus"].as_str().unwrap().contains("a.b"), "{warning}");
    assert_eq!(warnings.as_array().unwrap().len(), 1);
    let twin = owner.get("/twins/a").await.ok();
    assert!(twin.get("tags").is_none() && twin["version"] == 2, "{twin}");
    assert_eq!(owner.get("/twins/b").await.ok()["tags"], json!({"good": 1}));
}
