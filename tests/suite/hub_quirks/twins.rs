//! Surprises of twins over the service API.

use super::{empty, plain, with_device};
use crate::support::TestHub;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use twinscope::local_hub::{FleetChoice, Tuning, UnquotedIfMatch};
use twinscope::twin::TwinId;

/// The counter behind the etag of a twin: 8 bytes in base64.
fn counter(etag: &Value) -> u64 {
    u64::from_be_bytes(STANDARD.decode(etag.as_str().unwrap()).unwrap().try_into().unwrap())
}

fn desired(values: Value) -> Value {
    json!({"properties": {"desired": values}})
}

#[tokio::test]
async fn an_unquoted_if_match_is_ignored_on_twin_writes() {
    let (_hub, mut owner, _) = with_device().await;
    owner.module("d", "m").await;
    for path in ["/twins/d", "/twins/d/modules/m"] {
        for (method, stale) in [("PATCH", "AAAAAAAAAAk="), ("PUT", "nonsense")] {
            let body = desired(json!({"by": method}));
            let twin = owner.call(method, path, &[("If-Match", stale)], Some(&body)).await.ok();
            assert_eq!(plain(&twin, "desired"), json!({"by": method}));
            let quoted = format!("\"{stale}\"");
            let reply = owner.call(method, path, &[("If-Match", &quoted)], Some(&body)).await;
            reply.refused(412, "PreconditionFailed");
        }
    }
    // On identities it counts.
    owner.put_if("/devices/d", "MTIz", json!({"deviceId": "d"})).await.refused(412, "PreconditionFailed");
}

/// The switch of `twinscope hub`, which turns the quirk off.
#[tokio::test]
async fn strict_an_unquoted_if_match_is_honoured() {
    let tuning = Tuning { unquoted_if_match: UnquotedIfMatch::Honoured, ..Tuning::default() };
    let hub = TestHub::start_tuned(FleetChoice::Empty, tuning).await;
    let mut owner = hub.owner().await;
    owner.device("d").await;
    owner.module("d", "m").await;
    for path in ["/twins/d", "/twins/d/modules/m"] {
        for method in ["PATCH", "PUT"] {
            let body = desired(json!({"by": method}));
            let reply = owner.call(method, path, &[("If-Match", "nonsense")], Some(&body)).await;
            reply.refused(412, "PreconditionFailed");
            let etag = owner.get(path).await.ok()["etag"].as_str().unwrap().to_owned();
            owner.call(method, path, &[("If-Match", &etag)], Some(&body)).await.ok();
            owner.call(method, path, &[("If-Match", "*")], Some(&body)).await.ok();
            owner.call(method, path, &[], Some(&body)).await.ok();
        }
    }
}

#[tokio::test]
async fn an_etag_in_the_body_is_no_condition() {
    let (_hub, mut owner, _) = with_device().await;
    let first = counter(&owner.get("/twins/d").await.ok()["etag"]);
    let body = json!({"etag": "AAAAAAAAAAk=", "version": 77, "tags": {"a": 1}});
    assert_eq!(counter(&owner.patch("/twins/d", body).await.ok()["etag"]), first + 1);
}

#[tokio::test]
async fn the_etag_does_not_move_on_reported_writes() {
    let (hub, mut owner, _) = with_device().await;
    let id = TwinId::device("d");
    let fresh = owner.get("/twins/d").await.ok()["etag"].clone();
    hub.hub.hub().report(&id, br#"{"t":1}"#, None).await.unwrap();
    hub.hub.hub().connected(&id).unwrap();
    let twin = owner.get("/twins/d").await.ok();
    assert_eq!((&twin["etag"], &twin["version"]), (&fresh, &json!(3)), "the version did");
    let patched = owner.patch_if("/twins/d", &fresh.to_string(), desired(json!({"a": 1}))).await.ok();
    assert_eq!((counter(&patched["etag"]), &patched["version"]), (counter(&fresh) + 1, &json!(4)));
}

#[tokio::test]
async fn three_etags_are_three_things() {
    let (_hub, mut owner, device) = with_device().await;
    let module = owner.module("d", "m").await;
    let number = |etag: &Value| String::from_utf8(STANDARD.decode(etag.as_str().unwrap()).unwrap()).unwrap();
    assert!(number(&device["etag"]).parse::<u64>().is_ok(), "a decimal number in base64");
    let reply = owner.get("/twins/d").await;
    let twin = reply.ok();
    assert_ne!(counter(&twin["etag"]), counter(&owner.get("/twins/d/modules/m").await.ok()["etag"]));
    assert_eq!(reply.header("etag"), Some(twin["etag"].to_string().as_str()), "quoted in the header, bare in the body");
    assert_eq!(twin["deviceEtag"], device["etag"]);
    assert_eq!(owner.get("/twins/d/modules/m").await.ok()["deviceEtag"], module["etag"]);
    let device = owner.put_if("/devices/d", "*", device).await.ok();
    let after = owner.get("/twins/d").await.ok();
    assert_eq!((&after["etag"], &after["deviceEtag"]), (&twin["etag"], &device["etag"]));
}

#[tokio::test]
async fn a_whole_twin_may_be_sent_back() {
    let (hub, mut owner, _) = with_device().await;
    hub.hub.hub().report(&TwinId::device("d"), br#"{"r":1}"#, None).await.unwrap();
    let mut twin = owner.patch("/twins/d", json!({"tags": {"a": 1}, "properties": {"desired": {"x": 1}}})).await.ok();
    twin["properties"]["desired"]["x"] = json!(2);
    twin["properties"]["reported"]["r"] = json!(9);
    twin["status"] = json!("disabled");
    for method in ["PATCH", "PUT"] {
        let saved = owner.call(method, "/twins/d", &[], Some(&twin)).await.ok();
        assert_eq!((plain(&saved, "desired"), plain(&saved, "reported")), (json!({"x": 2}), json!({"r": 1})));
        assert_eq!(saved["status"], "enabled");
    }
    // Any other key that begins with `$` is refused.
    for section in [json!({"$mine": 1}), json!({"a": {"$version": 1}})] {
        owner.patch("/twins/d", desired(section)).await.refused(400, "ArgumentInvalid");
    }
}

#[tokio::test]
async fn the_twin_of_a_missing_module_is_a_missing_device() {
    let (_hub, mut owner, _) = with_device().await;
    owner.get("/twins/d/modules/nobody").await.refused(404, "DeviceNotFound");
    owner.patch("/twins/d/modules/nobody", json!({})).await.refused(404, "DeviceNotFound");
    owner.get("/devices/d/modules/nobody").await.refused(404, "ModuleNotFound");
}

#[tokio::test]
async fn tags_are_not_there_until_one_is_written() {
    let (_hub, mut owner, _) = with_device().await;
    assert!(owner.get("/twins/d").await.ok().get("tags").is_none());
    let twin = owner.patch("/twins/d", json!({"tags": {"a": 1}})).await.ok();
    assert_eq!(twin["tags"], json!({"a": 1}), "without $version and $metadata");
}

#[tokio::test]
async fn a_fresh_twin_is_of_version_2() {
    let (_hub, mut owner, _) = with_device().await;
    let twin = owner.get("/twins/d").await.ok();
    let section = |name: &str| twin["properties"][name]["$version"].clone();
    assert_eq!((&twin["version"], section("desired"), section("reported")), (&json!(2), json!(1), json!(1)));
}

#[tokio::test]
async fn deleting_the_last_key_leaves_an_empty_object() {
    let (_hub, mut owner, _) = with_device().await;
    owner.patch("/twins/d", desired(json!({"a": {"b": 1}, "n": 1}))).await.ok();
    let twin = owner.patch("/twins/d", desired(json!({"a": {"b": null}, "fresh": {"c": null}}))).await.ok();
    assert_eq!(plain(&twin, "desired"), json!({"a": {}, "n": 1, "fresh": {}}));
}

#[tokio::test]
async fn null_clears_a_whole_section() {
    let (_hub, mut owner, _) = with_device().await;
    owner.patch("/twins/d", json!({"tags": {"a": 1}, "properties": {"desired": {"b": 1, "c": 2}}})).await.ok();
    let twin = owner.patch("/twins/d", json!({"tags": null, "properties": {"desired": null}})).await.ok();
    assert_eq!(plain(&twin, "desired"), json!({}));
    assert!(twin.get("tags").is_none_or(|tags| *tags == json!({})));
    assert_eq!(twin["properties"]["desired"]["$version"], 3);
}

#[tokio::test]
async fn arrays_are_replaced_whole_and_hold_no_null() {
    let (_hub, mut owner, _) = with_device().await;
    owner.patch("/twins/d", desired(json!({"a": [1, 2, {"b": 3}]}))).await.ok();
    let twin = owner.patch("/twins/d", desired(json!({"a": [4]}))).await.ok();
    assert_eq!(plain(&twin, "desired"), json!({"a": [4]}));
    let stamp = &twin["properties"]["desired"]["$metadata"]["a"];
    assert_eq!(stamp.as_object().unwrap().len(), 2, "an array is one leaf: {stamp}");
    for null in [json!([null]), json!([{"b": null}])] {
        owner
            .patch("/twins/d", desired(json!({"good": 1, "a": null, "b": null_in(null)})))
            .await
            .refused(400, "ArgumentInvalid");
    }
    assert_eq!(plain(&owner.get("/twins/d").await.ok(), "desired"), json!({"a": [4]}), "refused whole");
}

fn null_in(array: Value) -> Value {
    json!({"deep": array})
}

#[tokio::test]
async fn numbers_keep_their_spelling() {
    let (hub, mut owner, _) = with_device().await;
    hub.hub.hub().report(&TwinId::device("d"), br#"{"a":1.0,"b":1e2,"c":4503599627370495}"#, None).await.unwrap();
    let text = owner.get("/twins/d").await.text();
    assert!(text.contains(r#""a":1.0,"b":1e2,"c":4503599627370495"#), "{text}");
    owner.patch("/twins/d", desired(json!({"a": 4_503_599_627_370_496_i64}))).await.refused(400, "ArgumentInvalid");
}

#[tokio::test]
async fn sizes_are_counted_by_a_formula() {
    let (_hub, mut owner, _) = with_device().await;
    // Four bytes of UTF-8 each, one character to the hub: eight thousand of them are tags of 8 KB.
    let wide = "\u{1F600}".repeat(1000);
    let tags: serde_json::Map<_, _> = (0..8).map(|n| (format!("{n}"), json!(wide))).collect();
    owner.patch("/twins/d", json!({"tags": tags})).await.ok();
    let more = json!({"tags": {"more": "x".repeat(200)}});
    owner.patch("/twins/d", more).await.refused(403, "DeviceModelMaxPropertiesExceeded");
    // A single text is measured in bytes.
    owner.patch("/twins/d", desired(json!({"a": "\u{1F600}".repeat(1025)}))).await.refused(400, "ArgumentInvalid");
    // Only growth is refused.
    owner.patch("/twins/d", json!({"tags": {"0": "x"}})).await.ok();
}

#[tokio::test]
async fn deep_is_ten_levels() {
    let (_hub, mut owner) = empty().await;
    owner.device("d").await;
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({"k": inner}));
    owner.patch("/twins/d", desired(nested(11))).await.ok();
    owner.patch("/twins/d", desired(nested(12))).await.refused(400, "ArgumentInvalid");
}
