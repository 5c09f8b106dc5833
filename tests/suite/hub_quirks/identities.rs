//! Surprises of the identity registry.

use super::{empty, primary_key, with_device};
use crate::support::{Reply, token};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

#[tokio::test]
async fn a_put_creates_or_updates_by_its_if_match() {
    let (_hub, mut owner) = empty().await;
    owner.put_if("/devices/d", "\"*\"", json!({"deviceId": "d"})).await.refused(404, "DeviceNotFound");
    let made = owner.put("/devices/d", json!({"deviceId": "d"})).await;
    assert_eq!(made.status, 200, "created, and not 201");
    owner.put("/devices/d", made.json()).await.refused(409, "DeviceAlreadyExists");
    owner.put_if("/devices/d", "\"MTIz\"", made.json()).await.refused(412, "PreconditionFailed");
    let etag = format!("\"{}\"", made.json()["etag"].as_str().unwrap());
    owner.put_if("/devices/d", &etag, made.json()).await.ok();
}

#[tokio::test]
async fn a_star_comes_in_quotes() {
    let (_hub, mut owner, device) = with_device().await;
    for star in ["\"*\"", "*"] {
        owner.put_if("/devices/d", star, device.clone()).await.ok();
        owner.patch_if("/twins/d", star, json!({"tags": {"a": 1}})).await.ok();
    }
    assert_eq!(owner.call("DELETE", "/devices/d", &[("If-Match", "\"*\"")], None).await.status, 204);
}

#[tokio::test]
async fn a_delete_without_if_match_is_refused() {
    let (_hub, mut owner, _) = with_device().await;
    owner.call("DELETE", "/devices/d", &[], None).await.refused(412, "PreconditionFailed");
    assert_eq!(owner.get("/devices/d").await.status, 200);
    assert_eq!(owner.delete("/devices/d").await.status, 204);
}

#[tokio::test]
async fn an_update_without_authentication_makes_new_keys() {
    let (_hub, mut owner, device) = with_device().await;
    let empty_keys = json!({"type": "sas", "symmetricKey": {"primaryKey": "", "secondaryKey": ""}});
    let mut seen = vec![primary_key(&device)];
    for body in [json!({"deviceId": "d"}), json!({"deviceId": "d", "authentication": empty_keys})] {
        let updated = owner.put_if("/devices/d", "*", body).await.ok();
        assert!(!seen.contains(&primary_key(&updated)));
        seen.push(primary_key(&updated));
    }
}

#[tokio::test]
async fn a_module_of_a_missing_or_disabled_device_is_unauthorized() {
    let (_hub, mut owner, device) = with_device().await;
    owner.module("d", "m").await;
    let mut disabled = device;
    disabled["status"] = json!("disabled");
    owner.put_if("/devices/d", "*", disabled).await.ok();
    for device in ["d", "nobody"] {
        let path = format!("/devices/{device}/modules/m");
        owner.get(&path).await.refused(401, "IotHubUnauthorizedAccess");
        owner.delete(&path).await.refused(401, "IotHubUnauthorizedAccess");
        owner.get(&format!("/devices/{device}/modules")).await.refused(401, "IotHubUnauthorizedAccess");
        let body = json!({"deviceId": device, "moduleId": "m"});
        owner.put(&path, body).await.refused(401, "IotHubUnauthorizedAccess");
    }
    assert_eq!(owner.get("/twins/d/modules/m").await.status, 200, "its twin can be read");
}

#[tokio::test]
async fn the_errors_of_a_module_create_are_flat() {
    let (_hub, mut owner, _) = with_device().await;
    let body = json!({"deviceId": "d", "moduleId": "m"});
    owner.module("d", "m").await;
    let reply = owner.put("/devices/d/modules/m", body.clone()).await;
    assert_eq!((reply.status, reply.header("iothub-errorcode")), (409, Some("ModuleAlreadyExistsOnDevice")));
    let flat = reply.json();
    assert_eq!(flat["errorCode"], 409_301);
    assert!(flat["message"].is_string() && flat["trackingId"].is_string() && flat["timestampUtc"].is_string());
    // An update of the same module is answered as everything else is.
    let reply = owner.put_if("/devices/d/modules/m", "\"MTIz\"", body).await;
    assert!(reply.json()["Message"].as_str().unwrap().starts_with("ErrorCode:PreconditionFailed;"));
}

#[tokio::test]
async fn errors_name_the_id_alone() {
    let (_hub, mut owner) = empty().await;
    for path in ["/devices/nobody", "/twins/nobody"] {
        let reply = owner.get(path).await;
        reply.refused(404, "DeviceNotFound");
        assert_eq!(reply.json()["Message"], "ErrorCode:DeviceNotFound;nobody");
        assert!(reply.json()["ExceptionMessage"].as_str().unwrap().starts_with("Tracking ID:"));
    }
}

#[tokio::test]
async fn a_created_again_device_is_another() {
    let (_hub, mut owner, first) = with_device().await;
    owner.module("d", "m").await;
    owner.patch("/twins/d", json!({"tags": {"a": 1}})).await.ok();
    owner.delete("/devices/d").await;
    let second = owner.device("d").await;
    assert_ne!((&second["generationId"], &second["etag"]), (&first["generationId"], &first["etag"]));
    assert!(owner.get("/twins/d").await.ok().get("tags").is_none());
    assert_eq!(owner.get("/devices/d/modules").await.ok(), json!([]));
}

#[tokio::test]
async fn an_edge_device_must_send_its_scope_back() {
    let (_hub, mut owner) = empty().await;
    let edge = owner.put("/devices/e", json!({"deviceId": "e", "capabilities": {"iotEdge": true}})).await.ok();
    assert!(edge["deviceScope"].as_str().unwrap().starts_with("ms-azure-iot-edge://e-"));
    let refused = async |owner: &mut crate::support::Caller, body: Value| {
        let reply: Reply = owner.put_if("/devices/e", "*", body).await;
        reply.refused(400, "ArgumentInvalid");
        assert!(reply.text().contains("Device scope is immutable"), "{}", reply.text());
    };
    let mut left_out = edge.clone();
    left_out.as_object_mut().unwrap().remove("deviceScope");
    refused(&mut owner, left_out).await;
    let mut other = edge.clone();
    other["deviceScope"] = json!("ms-azure-iot-edge://e-1");
    refused(&mut owner, other).await;
    let mut child = edge.clone();
    child["parentScopes"] = json!(["ms-azure-iot-edge://parent-1"]);
    let child = owner.put_if("/devices/e", "*", child).await.ok();
    assert_eq!(
        (&child["deviceScope"], &child["parentScopes"][0]),
        (&edge["deviceScope"], &json!("ms-azure-iot-edge://parent-1"))
    );
    let twin = owner.get("/twins/e").await.ok();
    assert_eq!((&twin["deviceScope"], &twin["parentScopes"]), (&edge["deviceScope"], &child["parentScopes"]));
    // A leaf names its parent's scope, and the hub fills in the rest.
    let leaf = owner.put("/devices/leaf", json!({"deviceId": "leaf", "deviceScope": edge["deviceScope"]})).await.ok();
    assert_eq!(leaf["parentScopes"], json!([edge["deviceScope"]]));
    let only_parents = json!({"deviceId": "other", "parentScopes": [edge["deviceScope"]]});
    let other = owner.put("/devices/other", only_parents).await.ok();
    assert_eq!((&other["deviceScope"], &other["parentScopes"]), (&json!(""), &json!([])));
}

#[tokio::test]
async fn an_edge_device_brings_modules_nobody_made() {
    let (_hub, mut owner) = empty().await;
    owner.put("/devices/e", json!({"deviceId": "e", "capabilities": {"iotEdge": true}})).await.ok();
    let modules = owner.get("/devices/e/modules").await.ok();
    let found: Vec<_> = modules.as_array().unwrap().iter().map(|module| &module["moduleId"]).collect();
    assert_eq!(found, ["$edgeAgent", "$edgeHub"]);
    assert_eq!((&modules[0]["managedBy"], &modules[0]["authentication"]["type"]), (&json!("iotEdge"), &json!("none")));
    let mine = json!({"deviceId": "e", "moduleId": "$mine"});
    assert_eq!(owner.put("/devices/e/modules/$mine", mine).await.status, 400);
    owner.delete("/devices/e/modules/$edgeHub").await.refused(400, "ArgumentInvalid");
    let manifest = json!({"properties": {"desired": {"schemaVersion": "1.1"}}});
    owner.patch("/twins/e/modules/$edgeAgent", manifest).await.ok();
}

#[tokio::test]
async fn authentication_none_is_refused_on_devices_and_sas_on_modules() {
    let (_hub, mut owner, _) = with_device().await;
    let none = json!({"type": "none"});
    let device = json!({"deviceId": "n", "authentication": none});
    owner.put("/devices/n", device).await.refused(400, "DeviceAuthenticationTypeIsMissing");
    let module = json!({"deviceId": "d", "moduleId": "m", "authentication": none});
    let made = owner.put("/devices/d/modules/m", module).await.ok();
    assert_eq!(made["authentication"]["type"], "sas");
    assert_eq!(STANDARD.decode(primary_key(&made).reveal()).unwrap().len(), 32);
}

#[tokio::test]
async fn an_update_of_a_module_without_managed_by_clears_it() {
    let (_hub, mut owner, _) = with_device().await;
    let body = json!({"deviceId": "d", "moduleId": "m", "managedBy": "me"});
    let mut made = owner.put("/devices/d/modules/m", body).await.ok();
    made.as_object_mut().unwrap().remove("managedBy");
    let updated = owner.put_if("/devices/d/modules/m", "*", made).await.ok();
    assert_eq!(updated["managedBy"], Value::Null);
    assert!(updated.get("status").is_none(), "a module has no status of its own");
}

#[tokio::test]
async fn a_bulk_that_fails_in_part_is_400_with_the_result() {
    let (_hub, mut owner, _) = with_device().await;
    let items = json!([{"id": "new", "importMode": "CREATE"}, {"id": "d", "importMode": "create"}]);
    let reply = owner.post("/devices", items).await;
    assert_eq!(reply.status, 400);
    let result = reply.json();
    assert_eq!((&result["isSuccessful"], &result["warnings"]), (&json!(false), &json!([])));
    assert_eq!(
        (&result["errors"][0]["deviceId"], &result["errors"][0]["errorCode"]),
        (&json!("d"), &json!("DeviceAlreadyExists"))
    );
    assert_eq!(owner.get("/devices/new").await.status, 200, "the others are done");
    // As Azure IoT Explorer deletes.
    let odd = json!([{"id": "new", "etag": "*", "importMode": "deleteIfMatchEtag"}]);
    assert_eq!(owner.post("/devices", odd).await.ok()["isSuccessful"], true);
}

#[tokio::test]
async fn a_list_has_no_pages() {
    let (_hub, mut owner) = empty().await;
    for n in 0..3 {
        owner.device(&format!("d{n}")).await;
    }
    for (top, count) in [("2", 2), ("0", 3), ("-1", 3), ("1001", 3), ("x", 3)] {
        let reply = owner.get(&format!("/devices?top={top}")).await;
        assert_eq!(reply.ok().as_array().unwrap().len(), count, "{top}");
        assert!(reply.header("x-ms-continuation").is_none());
    }
}

#[tokio::test]
async fn a_path_may_come_encoded_as_a_whole() {
    let (_hub, mut owner, _) = with_device().await;
    owner.module("d", "m").await;
    assert_eq!(owner.get("/twins%2Fd").await.ok()["deviceId"], "d");
    assert_eq!(owner.get("/TWINS%2fd%2Fmodules%2Fm").await.ok()["moduleId"], "m");
    assert_eq!(owner.get("/devices/?top=1").await.ok().as_array().unwrap().len(), 1);
    owner.get("/twins/D").await.refused(404, "DeviceNotFound");
}

#[tokio::test]
async fn never_is_the_first_of_january_of_the_year_1() {
    let (_hub, mut owner, device) = with_device().await;
    for field in ["connectionStateUpdatedTime", "statusUpdatedTime", "lastActivityTime"] {
        assert_eq!(device[field], "0001-01-01T00:00:00Z", "{field}");
    }
    assert_eq!(owner.get("/twins/d").await.ok()["lastActivityTime"], "0001-01-01T00:00:00Z");
}

#[tokio::test]
async fn a_twin_needs_another_right_than_its_identity() {
    let (hub, _owner, _) = with_device().await;
    let mut registry = hub.policy("registryReadWrite").await;
    assert_eq!(registry.get("/devices/d").await.status, 200);
    registry.get("/twins/d").await.refused(401, "IotHubUnauthorizedAccess");
    let mut service = hub.policy("service").await;
    assert_eq!(service.get("/twins/d").await.status, 200);
    service.get("/devices/d").await.refused(401, "IotHubUnauthorizedAccess");
}

#[tokio::test]
async fn a_token_is_checked_as_it_was_written() {
    let (hub, mut owner, device) = with_device().await;
    let policy = hub.hub.hub().policies().by_name("iothubowner").unwrap().clone();
    // The host as it is, with a port, encoded in either case: what is signed is the text that was sent.
    for resource in ["localhost", "localhost:8443", "LOCALHOST", "example.azure-devices.net"] {
        let plain = token(resource, &policy.primary, Some("iothubowner"));
        let fields: Vec<&str> = plain.strip_prefix("SharedAccessSignature ").unwrap().split('&').collect();
        let turned: Vec<&str> = fields.iter().rev().copied().collect();
        let turned = format!("SharedAccessSignature {}", turned.join("&"));
        for text in [plain.clone(), turned] {
            let mut caller = crate::support::Caller::connect(hub.hub.https(), hub.hub.ca_file(), &text).await;
            assert_eq!(caller.get("/devices/d").await.status, 200, "{resource}");
        }
    }
    // For MQTT tools sign more than the path of the device.
    let id = twinscope::twin::TwinId::device("d");
    let resource = "localhost/devices/d/api-version=2016-11-14";
    let connect = crate::hub_mqtt::wire::Connect {
        password: Some(token(resource, &primary_key(&device), None)),
        ..super::greeting(&id, &device)
    };
    super::dial(&hub).await.ask(&connect.bytes(), crate::hub_mqtt::wire::Got::ConnAck(0, 0)).await;
    assert_eq!(owner.get("/devices/d").await.status, 200);
}
