//! Devices and modules: create, update, delete, list.

use crate::support::TestHub;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use twinscope::local_hub::FleetChoice;

fn keys(identity: &Value) -> [String; 2] {
    ["primaryKey", "secondaryKey"]
        .map(|name| identity["authentication"]["symmetricKey"][name].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_device_lives() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;

    let reply = owner.put("/devices/d", json!({"deviceId": "d", "statusReason": "new"})).await;
    let made = reply.ok();
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(reply.header("etag").unwrap().trim_matches('"'), made["etag"].as_str().unwrap());
    assert!(reply.header("etag").unwrap().starts_with('"'));
    assert!(reply.header("date").is_some() && reply.header("x-ms-request-id").is_some());
    assert_eq!(made["status"], "enabled");
    assert_eq!(made["statusReason"], "new");
    assert_eq!(made["connectionState"], "Disconnected");
    assert_eq!(made["authentication"]["type"], "sas");
    let [primary, secondary] = keys(&made);
    assert_ne!(primary, secondary);
    assert!([&primary, &secondary].iter().all(|key| STANDARD.decode(key).unwrap().len() == 32));

    owner.put("/devices/d", json!({"deviceId": "d"})).await.refused(409, "DeviceAlreadyExists");
    let whole = made.clone();
    owner.put("/devices/d", whole.clone()).await.refused(409, "DeviceAlreadyExists");
    assert_eq!(owner.get("/devices/d").await.ok(), made);

    // Update: the whole record with a change, the etag bare or quoted.
    let mut disabled = whole;
    disabled["status"] = json!("disabled");
    let etag = made["etag"].as_str().unwrap();
    let updated = owner.put_if("/devices/d", etag, disabled.clone()).await.ok();
    assert_eq!(updated["status"], "disabled");
    assert_ne!(updated["statusUpdatedTime"], made["statusUpdatedTime"]);
    assert_eq!(keys(&updated), keys(&made));
    assert_eq!(updated["generationId"], made["generationId"]);
    assert_ne!(updated["etag"], made["etag"]);
    let stale = owner.put_if("/devices/d", &format!("\"{etag}\""), disabled.clone()).await;
    stale.refused(412, "PreconditionFailed");
    let number = |etag: &str| String::from_utf8(STANDARD.decode(etag).unwrap()).unwrap();
    let versions = format!("existingVersion:{} newVersion:{}", number(updated["etag"].as_str().unwrap()), number(etag));
    assert!(stale.text().contains(&versions), "{}", stale.text());
    owner.put_if("/devices/d", "\"*\"", disabled.clone()).await.ok();
    let minted = owner.put_if("/devices/d", "*", json!({"deviceId": "d"})).await.ok();
    assert_ne!(keys(&minted), keys(&made), "an update without authentication makes new keys");
    assert_eq!(minted["status"], "enabled");

    owner.call("DELETE", "/devices/d", &[], None).await.refused(412, "PreconditionFailed");
    owner.call("DELETE", "/devices/d", &[("If-Match", etag)], None).await.refused(412, "PreconditionFailed");
    let gone = owner.delete("/devices/d").await;
    assert_eq!((gone.status, gone.body.len()), (204, 0));
    owner.delete("/devices/d").await.refused(404, "DeviceNotFound");
    owner.get("/devices/d").await.refused(404, "DeviceNotFound");
    assert_eq!(owner.get("/devices/d").await.json()["Message"], "ErrorCode:DeviceNotFound;d");
    owner.put_if("/devices/d", "*", json!({"deviceId": "d"})).await.refused(404, "DeviceNotFound");

    let again = owner.device("d").await;
    assert_ne!(again["generationId"], made["generationId"]);
    assert_ne!(again["etag"], made["etag"]);
}

#[tokio::test]
async fn keys_given_are_kept_and_bad_requests_refused() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    let key = STANDARD.encode([7; 32]);
    let sas = |primary: &str, secondary: &str| json!({"type": "sas", "symmetricKey": {"primaryKey": primary, "secondaryKey": secondary}});
    let made = owner.put("/devices/k", json!({"deviceId": "k", "authentication": sas(&key, &key)})).await.ok();
    assert_eq!(keys(&made), [key.clone(), key.clone()]);
    let made = owner.put("/devices/e", json!({"deviceId": "e", "authentication": sas("", "")})).await.ok();
    assert!(keys(&made).iter().all(|key| !key.is_empty()), "empty keys mean: make them");
    let thumbprint = "A".repeat(40);
    let x509 = json!({"type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": thumbprint}});
    let made = owner.put("/devices/x", json!({"deviceId": "x", "authentication": x509})).await.ok();
    assert_eq!(made["authentication"]["type"], "selfSigned");
    assert!(made.to_string().contains(&thumbprint));

    for (body, code) in [
        (json!({"deviceId": "other"}), "ArgumentInvalid"),
        (json!([1]), "ArgumentInvalid"),
        (json!({"deviceId": "b", "status": "asleep"}), "ArgumentInvalid"),
        (json!({"deviceId": "b", "statusReason": "x".repeat(129)}), "ArgumentInvalid"),
        (json!({"deviceId": "b", "authentication": sas(&key, "")}), "ArgumentInvalid"),
        (json!({"deviceId": "b", "authentication": sas("a", "b")}), "ArgumentInvalid"),
        (json!({"deviceId": "b", "authentication": {"type": "none"}}), "DeviceAuthenticationTypeIsMissing"),
    ] {
        owner.put("/devices/b", body).await.refused(400, code);
    }
    owner.get("/devices/b").await.refused(404, "DeviceNotFound");
}

#[tokio::test]
async fn modules_live_and_die_with_their_device() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    owner.get("/devices/d/modules").await.refused(401, "IotHubUnauthorizedAccess");
    owner.get("/devices/d/modules/m").await.refused(401, "IotHubUnauthorizedAccess");
    let body = json!({"deviceId": "d", "moduleId": "m", "managedBy": "me"});
    owner.put("/devices/d/modules/m", body.clone()).await.refused(401, "IotHubUnauthorizedAccess");
    owner.device("d").await;
    owner.get("/devices/d/modules/m").await.refused(404, "ModuleNotFound");
    let made = owner.put("/devices/d/modules/m", body.clone()).await.ok();
    assert_eq!((&made["moduleId"], &made["managedBy"]), (&json!("m"), &json!("me")));
    assert!(made.get("status").is_none() && made.get("capabilities").is_none());

    let again = owner.put("/devices/d/modules/m", body.clone()).await;
    again.refused(409, "ModuleAlreadyExistsOnDevice");
    assert_eq!(again.json()["errorCode"], 409_301, "module create answers in the flat shape");
    let cleared = owner.put_if("/devices/d/modules/m", "*", json!({"deviceId": "d", "moduleId": "m"})).await.ok();
    assert!(cleared["managedBy"].is_null());
    owner
        .put_if("/devices/d/modules/no", "*", json!({"deviceId": "d", "moduleId": "no"}))
        .await
        .refused(404, "ModuleNotFound");
    let system = json!({"deviceId": "d", "moduleId": "$edgeAgent"});
    owner.put("/devices/d/modules/$edgeAgent", system).await.refused(400, "ArgumentInvalid");

    for n in 1..50 {
        owner.module("d", &format!("m{n:02}")).await;
    }
    let body = json!({"deviceId": "d", "moduleId": "one-more"});
    owner.put("/devices/d/modules/one-more", body).await.refused(413, "TooManyModulesOnDevice");
    assert_eq!(owner.get("/devices/d/modules").await.ok().as_array().unwrap().len(), 50);

    owner.put_if("/devices/d", "*", json!({"deviceId": "d", "status": "disabled"})).await.ok();
    owner.get("/devices/d/modules/m").await.refused(401, "IotHubUnauthorizedAccess");
    assert_eq!(owner.get("/twins/d/modules/m").await.status, 200);

    owner.delete("/devices/d").await;
    owner.device("d").await;
    assert_eq!(owner.get("/devices/d/modules").await.ok(), json!([]));
    owner.get("/twins/d/modules/m").await.refused(404, "DeviceNotFound");
    owner.module("d", "m").await;
    assert_eq!(owner.delete("/devices/d/modules/m").await.status, 204);
    owner.delete("/devices/d/modules/m").await.refused(404, "ModuleNotFound");
}

#[tokio::test]
async fn an_edge_device_has_its_system_modules() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    let body = json!({"deviceId": "e", "capabilities": {"iotEdge": true}});
    let made = owner.put("/devices/e", body).await.ok();
    let scope = made["deviceScope"].as_str().unwrap();
    assert!(scope.starts_with("ms-azure-iot-edge://e-6"), "{scope}");
    let modules = owner.get("/devices/e/modules").await.ok();
    let names: Vec<&str> =
        modules.as_array().unwrap().iter().map(|module| module["moduleId"].as_str().unwrap()).collect();
    assert_eq!(names, ["$edgeAgent", "$edgeHub"]);
    assert_eq!(modules[0]["authentication"]["type"], "none");
    owner.delete("/devices/e/modules/$edgeHub").await.refused(400, "ArgumentInvalid");
    let patch = json!({"properties": {"desired": {"schemaVersion": "1.1"}}});
    owner.patch("/twins/e/modules/$edgeAgent", patch).await.ok();

    let mut changed = made.clone();
    changed["deviceScope"] = json!("ms-azure-iot-edge://e-1");
    owner.put_if("/devices/e", "*", changed).await.refused(400, "ArgumentInvalid");
    owner.put_if("/devices/e", "*", made.clone()).await.ok();
    let leaf = owner.put("/devices/leaf", json!({"deviceId": "leaf", "deviceScope": scope})).await.ok();
    assert_eq!(leaf["parentScopes"], json!([scope]));
}

#[tokio::test]
async fn ids_with_every_legal_character_work_everywhere() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    for (id, path) in [
        ("a%20b", "a%2520b"),
        ("#1?x", "%231%3Fx"),
        ("it's(1)!*", "it%27s%281%29%21%2A"),
        ("a:b@c$d;e,f=g+h", "a%3Ab%40c%24d%3Be%2Cf%3Dg%2Bh"),
        ("Az09-.+%_#*?!(),:=@$';", "Az09-.%2B%25_%23%2A%3F%21%28%29%2C%3A%3D%40%24%27%3B"),
        ("..", "%2E%2E"),
        (".", "."),
        ("query", "query"),
    ] {
        let made = owner.put(&format!("/devices/{path}"), json!({"deviceId": id})).await.ok();
        assert_eq!(made["deviceId"], id);
        let module = json!({"deviceId": id, "moduleId": id});
        owner.put(&format!("/devices/{path}/modules/{path}"), module).await.ok();
        let twin = owner.get(&format!("/twins/{path}/modules/{path}")).await.ok();
        assert_eq!((&twin["deviceId"], &twin["moduleId"]), (&json!(id), &json!(id)));
        for literal in [format!("'{}'", id.replace('\'', "''")), twinscope::query::quote(id)] {
            let rows = owner.query(&format!("SELECT * FROM devices WHERE deviceId = {literal}"), &[]).await;
            assert_eq!(rows.ok()[0]["deviceId"], id, "{literal}");
        }
        assert_eq!(owner.delete(&format!("/devices/{path}")).await.status, 204);
    }
}

#[tokio::test]
async fn lists_and_counts() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    for n in 0..5 {
        owner.device(&format!("d{n}")).await;
    }
    owner.put_if("/devices/d0", "*", json!({"deviceId": "d0", "status": "disabled"})).await.ok();
    owner.module("d1", "m").await;
    for (path, count) in [("/devices", 5), ("/devices/?top=2", 2), ("/devices?top=0", 5), ("/devices?top=-3", 5)] {
        assert_eq!(owner.get(path).await.ok().as_array().unwrap().len(), count, "{path}");
    }
    let counts = owner.get("/statistics/devices").await.ok();
    assert_eq!(counts, json!({"totalDeviceCount": 5, "enabledDeviceCount": 4, "disabledDeviceCount": 1}));
    assert_eq!(owner.get("/statistics/service").await.ok(), json!({"connectedDeviceCount": 0}));
}
