//! Many identities in one call.

use crate::support::TestHub;
use serde_json::json;
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
