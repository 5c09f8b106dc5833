//! Twins: the counters, merge and replace, what is ignored, what is refused.

use crate::support::TestHub;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;

/// The counter behind an etag: base64 of 8 bytes.
fn number(etag: &Value) -> u64 {
    let bytes = STANDARD.decode(etag.as_str().unwrap()).unwrap();
    u64::from_be_bytes(bytes.try_into().unwrap())
}

/// How far the etag is from `first`; version, desired and reported `$version`.
fn counters(twin: &Value, first: u64) -> [u64; 4] {
    let number = |value: &Value| value.as_u64().unwrap();
    let properties = &twin["properties"];
    [
        self::number(&twin["etag"]) - first,
        number(&twin["version"]),
        number(&properties["desired"]["$version"]),
        number(&properties["reported"]["$version"]),
    ]
}

/// Desired or reported without the hub's own keys.
fn plain(twin: &Value, section: &str) -> Value {
    let mut values = twin["properties"][section].clone();
    values.as_object_mut().unwrap().retain(|key, _| !key.starts_with('$'));
    values
}

#[tokio::test]
async fn the_counters_move_as_on_the_service() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    owner.device("d").await;
    let fresh = owner.get("/twins/d").await;
    let etag = fresh.ok()["etag"].as_str().unwrap().to_owned();
    assert_eq!(fresh.header("etag"), Some(format!("\"{etag}\"").as_str()));
    let first = number(&fresh.ok()["etag"]);
    assert_eq!(counters(&fresh.ok(), first), [0, 2, 1, 1]);
    assert!(fresh.ok().get("tags").is_none());
    let twin = owner.patch("/twins/d", json!({"properties": {"desired": {"a": 1}}})).await.ok();
    assert_eq!(counters(&twin, first), [1, 3, 2, 1]);
    let twin = owner.patch("/twins/d", json!({"tags": {"site": "A"}})).await.ok();
    assert_eq!(counters(&twin, first), [2, 4, 2, 1]);
    let id = TwinId::device("d");
    assert_eq!(hub.hub.hub().report(&id, br#"{"t":1}"#, None).await.unwrap(), 2);
    let twin = owner.get("/twins/d").await.ok();
    assert_eq!(counters(&twin, first), [2, 5, 2, 2]);
    let twin = owner.patch("/twins/d", json!({"tags": {"x": 1}, "properties": {"desired": {"b": 1}}})).await.ok();
    assert_eq!(counters(&twin, first), [3, 6, 3, 2], "both sections in one write count once");
    let before = twin;
    let identity = owner.get("/devices/d").await.ok();
    owner.put_if("/devices/d", "*", identity).await.ok();
    let twin = owner.get("/twins/d").await.ok();
    assert_eq!(counters(&twin, first), counters(&before, first), "identity writes leave the twin's counters alone");
    assert_ne!(twin["deviceEtag"], before["deviceEtag"]);
}

#[tokio::test]
async fn a_patch_merges() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    owner.device("d").await;
    let mut check = async |patch: Value, expected: Value| {
        let twin = owner.patch("/twins/d", json!({"properties": {"desired": patch}})).await.ok();
        assert_eq!(plain(&twin, "desired"), expected);
    };
    check(json!({"a": {"b": 1, "c": 2}, "n": 1}), json!({"a": {"b": 1, "c": 2}, "n": 1})).await;
    check(json!({"a": {"b": null, "d": [1, {"x": 2}]}}), json!({"a": {"c": 2, "d": [1, {"x": 2}]}, "n": 1})).await;
    check(json!({"n": {"x": null}, "gone": null}), json!({"a": {"c": 2, "d": [1, {"x": 2}]}, "n": {}})).await;
    check(json!({"a": "text"}), json!({"a": "text", "n": {}})).await;
    check(Value::Null, json!({})).await;
}

#[tokio::test]
async fn number_spelling_and_key_order_survive() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    hub.owner().await.device("d").await;
    let policy = hub.hub.hub().policies().by_name("iothubowner").unwrap().clone();
    let token = crate::support::token("localhost", &policy.primary, Some("iothubowner"));
    let body = r#"{"properties":{"desired":{"z":1.0,"a":4503599627370495,"m":1e2,"f":0.10}}}"#;
    let mut raw = hub.raw().await;
    let head = format!("PATCH /twins/d?api-version=2021-04-12 HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n");
    raw.send(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
    let reply = raw.read().await.unwrap();
    assert!(reply.text().contains(r#""z":1.0,"a":4503599627370495,"m":1e2,"f":0.10"#), "{}", reply.text());
}

#[tokio::test]
async fn a_put_replaces() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    owner.device("d").await;
    let first = number(&owner.get("/twins/d").await.ok()["etag"]);
    owner.patch("/twins/d", json!({"tags": {"a": 1}, "properties": {"desired": {"x": 1, "y": 2}}})).await.ok();
    hub.hub.hub().report(&TwinId::device("d"), br#"{"r":1}"#, None).await.unwrap();
    let body = json!({"properties": {"desired": {"y": 3, "o": {}}, "reported": {"r": 9}}});
    let twin = owner.put("/twins/d", body).await.ok();
    assert_eq!(plain(&twin, "desired"), json!({"y": 3, "o": {}}));
    assert_eq!(plain(&twin, "reported"), json!({"r": 1}), "reported is left alone");
    assert!(twin.get("tags").is_none_or(|tags| *tags == json!({})), "an absent section is emptied");
    assert_eq!(counters(&twin, first), [2, 5, 3, 2]);
    let metadata = &twin["properties"]["desired"]["$metadata"];
    assert_eq!(metadata["y"]["$lastUpdatedVersion"], 3);
    assert!(metadata.get("x").is_none());
}

#[tokio::test]
async fn a_whole_twin_sent_back_changes_only_what_may_change() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    owner.device("d").await;
    owner.patch("/twins/d", json!({"tags": {"a": 1}, "properties": {"desired": {"x": 1}}})).await.ok();
    let mut twin = owner.get("/twins/d").await.ok();
    twin["properties"]["desired"]["x"] = json!(2);
    twin["status"] = json!("disabled");
    twin["version"] = json!(77);
    twin["etag"] = json!("nonsense");
    twin["deviceId"] = json!("other");
    for method in ["PATCH", "PUT"] {
        let saved = owner.call(method, "/twins/d", &[], Some(&twin)).await.ok();
        assert_eq!(plain(&saved, "desired"), json!({"x": 2}));
        assert_eq!((&saved["deviceId"], &saved["status"]), (&json!("d"), &json!("enabled")));
        assert_eq!(saved["tags"], json!({"a": 1}));
    }
}

#[tokio::test]
async fn preconditions() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    owner.device("d").await;
    let patch = json!({"properties": {"desired": {"a": 1}}});
    let fresh = owner.get("/twins/d").await.ok()["etag"].clone();
    let (first, fresh) = (number(&fresh), fresh.to_string());
    owner.patch_if("/twins/d", &fresh, patch.clone()).await.ok();
    let stale = owner.patch_if("/twins/d", &fresh, patch.clone()).await;
    stale.refused(412, "PreconditionFailed");
    assert_eq!(stale.status_line, "HTTP/1.1 412 Precondition Failed");
    owner
        .call("PUT", "/twins/d", &[("If-Match", &format!("W/{fresh}"))], Some(&patch))
        .await
        .refused(412, "PreconditionFailed");
    assert_eq!(counters(&owner.get("/twins/d").await.ok(), first), [1, 3, 2, 1], "a refused write changes nothing");
    owner.patch_if("/twins/d", "\"*\"", patch.clone()).await.ok();
    owner.patch_if("/twins/d", "*", patch.clone()).await.ok();
    // Unquoted: ignored on twin writes.
    owner.patch_if("/twins/d", fresh.trim_matches('"'), patch.clone()).await.ok();
    assert_eq!(counters(&owner.get("/twins/d").await.ok(), first), [4, 6, 5, 1]);
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_whole() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    owner.device("d").await;
    let first = number(&owner.get("/twins/d").await.ok()["etag"]);
    let mut deep = json!(1);
    for _ in 0..12 {
        deep = json!({"k": deep});
    }
    for desired in [
        json!({"good": 1, "bad.key": 1}),
        json!({"$else": 1}),
        json!({"a": {"$version": 1}}),
        json!({"a b": 1}),
        json!({"a": [1, null]}),
        json!({"a": [{"b": null}]}),
        json!({"a": 4_503_599_627_370_496_i64}),
        json!({"a": "x".repeat(4097)}),
        json!({"x".repeat(1025): 1}),
        deep,
        json!([1]),
        json!("text"),
    ] {
        for method in ["PATCH", "PUT"] {
            let body = json!({"tags": {"t": 1}, "properties": {"desired": desired}});
            owner.call(method, "/twins/d", &[], Some(&body)).await.refused(400, "ArgumentInvalid");
        }
    }
    for body in [
        json!([]),
        json!(3),
        json!({"properties": []}),
        json!({"tags": 1}),
        json!({"desired": {"a": 1}}),
        json!({"tags": {"a": 1}, "reported": {"a": 1}}),
        json!({"properties": {"desired": {"a": 1}}, "desired": null}),
    ] {
        for method in ["PATCH", "PUT"] {
            owner.call(method, "/twins/d", &[], Some(&body)).await.refused(400, "ArgumentInvalid");
        }
    }
    let bulk = json!([{"id": "d", "importMode": "updateTwin", "desired": {"a": 1}}]);
    owner.post("/devices", bulk).await.refused(400, "ArgumentInvalid");
    // A null deletes in a patch only.
    for (body, key) in [
        (json!({"tags": {"my-tag": null}}), "my-tag"),
        (json!({"tags": {"t": 1}, "properties": {"desired": {"a": {"b": {"c": null}}}}}), "a.b.c"),
        (json!({"properties": {"desired": {"x": 1, "y": null}}}), "y"),
    ] {
        let refused = owner.put("/twins/d", body).await;
        refused.refused(400, "ArgumentInvalid");
        let expected = format!("Value of Property or Tag cannot be null. Error in Property/Tag {key}");
        assert!(refused.text().contains(&expected), "{}", refused.text());
    }
    assert_eq!(counters(&owner.get("/twins/d").await.ok(), first), [0, 2, 1, 1]);
    owner.patch("/twins/no", json!({})).await.refused(404, "DeviceNotFound");
    owner.patch("/twins/d/modules/no", json!({})).await.refused(404, "DeviceNotFound");
}

#[tokio::test]
async fn a_section_may_not_outgrow_its_limit() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    owner.device("d").await;
    let text = "x".repeat(4000);
    for n in 0..8 {
        owner.patch("/twins/d", json!({"properties": {"desired": {format!("k{n}"): text}}})).await.ok();
    }
    let patch = json!({"properties": {"desired": {"k8": text}}});
    let refused = owner.patch("/twins/d", patch).await;
    refused.refused(403, "DeviceModelMaxPropertiesExceeded");
    assert!(
        refused.text().contains("'Properties.Desired' size should be less than 32768 bytes."),
        "{}",
        refused.text()
    );
    let tags = json!({"a": text, "b": text, "c": text});
    for method in ["PATCH", "PUT"] {
        let refused = owner.call(method, "/twins/d", &[], Some(&json!({"tags": tags}))).await;
        refused.refused(403, "DeviceModelMaxPropertiesExceeded");
        assert!(refused.text().contains("'Tags' size should be less than 8192 bytes."), "{}", refused.text());
    }
    let nine: serde_json::Map<_, _> = (0..9).map(|n| (format!("k{n}"), json!(text))).collect();
    let whole = json!({"properties": {"desired": nine}});
    owner.put("/twins/d", whole).await.refused(403, "DeviceModelMaxPropertiesExceeded");
    // In bulk, each for itself.
    let update = json!([{"id": "d", "importMode": "updateTwin", "tags": tags}]);
    let reply = owner.post("/devices", update).await;
    assert_eq!(
        (reply.status, &reply.json()["errors"][0]["errorCode"]),
        (400, &json!("DeviceModelMaxPropertiesExceeded"))
    );
    let fresh = json!([{"id": "new", "tags": tags}]);
    let made = owner.post("/devices", fresh).await.ok();
    let status = made["warnings"][0]["warningStatus"].as_str().unwrap();
    assert!(status.starts_with("'Tags' size should be less than 8192 bytes."), "{status}");
    owner.patch("/twins/d", json!({"properties": {"desired": {"k0": null, "k8": text}}})).await.ok();
}

#[tokio::test]
async fn metadata_says_when_each_node_was_written() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    owner.device("d").await;
    let fresh = owner.get("/twins/d").await.ok();
    let root = &fresh["properties"]["desired"]["$metadata"];
    assert!(root["$lastUpdated"].as_str().unwrap().ends_with('Z') && root.get("$lastUpdatedVersion").is_none());
    owner.patch("/twins/d", json!({"properties": {"desired": {"a": {"b": 1, "c": [1]}, "d": 1}}})).await.ok();
    let twin = owner.patch("/twins/d", json!({"properties": {"desired": {"a": {"b": 2}, "d": null}}})).await.ok();
    let root = &twin["properties"]["desired"]["$metadata"];
    let version = |node: &Value| node["$lastUpdatedVersion"].as_u64();
    assert_eq!(version(root), Some(3));
    assert_eq!(version(&root["a"]), Some(3));
    assert_eq!(version(&root["a"]["b"]), Some(3));
    assert_eq!(version(&root["a"]["c"]), Some(2));
    assert!(root.get("d").is_none());
    let stamp = root["$lastUpdated"].as_str().unwrap();
    assert_eq!(stamp.len(), "2026-08-15T09:07:13.1234567Z".len());
    hub.hub.hub().report(&TwinId::device("d"), br#"{"r":{"s":1}}"#, None).await.unwrap();
    let twin = owner.get("/twins/d").await.ok();
    let root = &twin["properties"]["reported"]["$metadata"];
    assert!(root["r"]["s"]["$lastUpdated"].is_string());
    assert!(version(&root["r"]).is_none(), "reported has no versions in its metadata");
}

#[tokio::test]
async fn the_device_reports() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    owner.device("d").await;
    let id = TwinId::device("d");
    let hub_ = hub.hub.hub();
    let view = |hub: &twinscope::local_hub::hub::Hub| hub.device_view(&TwinId::device("d")).unwrap();
    assert_eq!(view(hub_), json!({"desired": {"$version": 1}, "reported": {"$version": 1}}));
    assert_eq!(hub_.report(&id, br#"{"a":1,"$version":9}"#, Some(1)).await.unwrap(), 2);
    let stale = hub_.report(&id, br#"{"a":2}"#, Some(1)).await.unwrap_err();
    assert_eq!(stale.code.number, 412_001);
    for bad in [&b"{"[..], b"[]", b"null", br#"{"a.b":1}"#, br#"{"a":[null]}"#] {
        assert_eq!(hub_.report(&id, bad, None).await.unwrap_err().code.number, 400_004);
    }
    assert_eq!(view(hub_), json!({"desired": {"$version": 1}, "reported": {"a": 1, "$version": 2}}));
    let missing = hub_.report(&TwinId::device("no"), b"{}", None).await.unwrap_err();
    assert_eq!(missing.code.name, "DeviceNotFound");
}
