//! Surprises a device or module meets over MQTT.

use super::{connect, dial, greeting, plain, with_device};
use crate::hub_mqtt::wire::{DISCONNECT, Got, publish, subscribe};
use serde_json::json;
use twinscope::twin::TwinId;

const ANSWERS: &str = "$iothub/twin/res/#";
const CHANGES: &str = "$iothub/twin/PATCH/properties/desired/#";

fn report(rid: &str, patch: &str) -> Vec<u8> {
    publish(0x30, 0, &format!("$iothub/twin/PATCH/properties/reported/?$rid={rid}"), patch.as_bytes())
}

#[tokio::test]
async fn a_device_sees_less_of_its_twin() {
    let (hub, mut owner, device) = with_device().await;
    owner.patch("/twins/d", json!({"tags": {"a": 1}, "properties": {"desired": {"b": 2}}})).await.ok();
    let mut wire = connect(&hub, &device).await;
    wire.ask(&subscribe(1, &[(ANSWERS, 0)]), Got::SubAck(1, vec![0])).await;
    // No tags, no $metadata, no `properties` around it; and the body of the request is one space or nothing.
    for (rid, body) in [("1", &b" "[..]), ("2", b"")] {
        wire.send(&publish(0x30, 0, &format!("$iothub/twin/GET/?$rid={rid}"), body)).await;
        let view = json!({"desired": {"b": 2, "$version": 2}, "reported": {"$version": 1}});
        assert_eq!(wire.message().await, (format!("$iothub/twin/res/200/?$rid={rid}"), view));
    }
}

#[tokio::test]
async fn a_desired_change_tells_its_version_twice() {
    let (hub, mut owner, device) = with_device().await;
    let mut wire = connect(&hub, &device).await;
    wire.ask(&subscribe(1, &[(CHANGES, 1)]), Got::SubAck(1, vec![1])).await;
    owner.patch("/twins/d", json!({"tags": {"nobody": "is told"}})).await.ok();
    owner.patch("/twins/d", json!({"properties": {"desired": {"a": 1, "gone": null}}})).await.ok();
    let change = json!({"a": 1, "gone": null, "$version": 2});
    let topic = "$iothub/twin/PATCH/properties/desired/?$version=2".to_owned();
    // At QoS 0, whatever was granted; the patch as it was submitted.
    assert_eq!(wire.message().await, (topic, change));
}

#[tokio::test]
async fn a_report_is_answered_with_nothing_but_its_version() {
    let (hub, mut owner, device) = with_device().await;
    let mut wire = connect(&hub, &device).await;
    wire.ask(&subscribe(1, &[(ANSWERS, 0)]), Got::SubAck(1, vec![0])).await;
    let done = Got::Publish(0x30, "$iothub/twin/res/204/?$rid=a%20b&$version=2".to_owned(), Vec::new());
    wire.ask(&report("a%20b", r#"{"t":1}"#), done).await;
    // A refusal has a body: Node's client looks there and not at the topic. The connection lives on, and nothing was kept.
    wire.send(&report("2", r#"{"good":1,"a.b":1}"#)).await;
    let (topic, body) = wire.message().await;
    assert_eq!(topic, "$iothub/twin/res/400/?$rid=2");
    assert_eq!(body["errorCode"], 400_004);
    assert!(body["message"].as_str().unwrap().contains("a.b") && body["trackingId"].is_string());
    wire.expect_quiet().await;
    assert_eq!(plain(&owner.get("/twins/d").await.ok(), "reported"), json!({"t": 1}));
}

#[tokio::test]
async fn qos_1_is_acknowledged_and_answered_and_qos_2_ends_it() {
    let (hub, _owner, device) = with_device().await;
    let mut wire = connect(&hub, &device).await;
    // Asked for QoS 2, it grants 1.
    wire.ask(&subscribe(1, &[(ANSWERS, 2)]), Got::SubAck(1, vec![1])).await;
    wire.send(&publish(0x32, 9, "$iothub/twin/GET/?$rid=1", b" ")).await;
    let mut both = [wire.get().await, wire.get().await];
    both.sort_by_key(|got| matches!(got, Got::Publish(..)));
    assert_eq!(both[0], Got::PubAck(9));
    assert!(matches!(&both[1], Got::Publish(0x30, topic, _) if topic == "$iothub/twin/res/200/?$rid=1"), "{both:?}");
    wire.send(&publish(0x34, 10, "devices/d/messages/events/", b"x")).await;
    wire.expect_end().await;
}

#[tokio::test]
async fn subscriptions_outlive_the_connection() {
    let (hub, mut owner, device) = with_device().await;
    let mut wire = connect(&hub, &device).await;
    wire.ask(&subscribe(1, &[(CHANGES, 0)]), Got::SubAck(1, vec![0])).await;
    wire.send(DISCONNECT).await;
    wire.expect_end().await;
    owner.patch("/twins/d", json!({"properties": {"desired": {"missed": 1}}})).await.ok();
    let mut wire = dial(&hub).await;
    wire.ask(&greeting(&TwinId::device("d"), &device).bytes(), Got::ConnAck(1, 0)).await;
    owner.patch("/twins/d", json!({"properties": {"desired": {"a": 1}}})).await.ok();
    // Without a SUBSCRIBE. What changed meanwhile is not told later.
    assert_eq!(wire.message().await.1, json!({"a": 1, "$version": 3}));
}

#[tokio::test]
async fn the_second_connection_of_an_identity_ends_the_first() {
    let (hub, _owner, device) = with_device().await;
    let mut first = connect(&hub, &device).await;
    let mut second = dial(&hub).await;
    second.ask(&greeting(&TwinId::device("d"), &device).bytes(), Got::ConnAck(1, 0)).await;
    first.expect_end().await;
    second.expect_quiet().await;
}

#[tokio::test]
async fn a_refused_device_gets_5_whatever_the_reason() {
    let (hub, mut owner, device) = with_device().await;
    let id = TwinId::device("d");
    let wrong_key =
        json!({"authentication": {"symmetricKey": {"primaryKey": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}});
    dial(&hub).await.ask(&greeting(&id, &wrong_key).bytes(), Got::ConnAck(0, 5)).await;
    dial(&hub).await.ask(&greeting(&TwinId::device("nobody"), &device).bytes(), Got::ConnAck(0, 5)).await;
    let mut disabled = device.clone();
    disabled["status"] = json!("disabled");
    owner.put_if("/devices/d", "*", disabled).await.ok();
    dial(&hub).await.ask(&greeting(&id, &device).bytes(), Got::ConnAck(0, 5)).await;
}

#[tokio::test]
async fn a_connection_ends_without_a_word() {
    let (hub, mut owner, device) = with_device().await;
    let mut wire = connect(&hub, &device).await;
    let mut disabled = device.clone();
    disabled["status"] = json!("disabled");
    owner.put_if("/devices/d", "*", disabled).await.ok();
    wire.expect_end().await;
    owner.put_if("/devices/d", "*", device.clone()).await.ok();
    let mut wire = dial(&hub).await;
    wire.ask(&greeting(&TwinId::device("d"), &device).bytes(), Got::ConnAck(1, 0)).await;
    owner.delete("/devices/d").await;
    wire.expect_end().await;
}
