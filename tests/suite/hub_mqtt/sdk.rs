//! What Microsoft's own SDKs send, packet by packet as recorded from them, and the answers they go on with.

use super::place::{KEY, Over, Place, now_s, token};
use super::wire::{self, Connect, DISCONNECT, Got};
use serde_json::json;
use twinscope::local_hub::Limits;
use twinscope::twin::{Json, TwinId};

fn connect(id: &TwinId, keep_alive_s: u16, parameters: &str) -> Connect {
    Connect {
        name: "MQTT",
        level: 4,
        client_id: id.to_string(),
        user_name: Some(format!("localhost/{id}/?{parameters}")),
        password: Some(token(id, KEY, now_s() + 3600)),
        clean: false,
        keep_alive_s,
        will: None,
    }
}

fn telemetry_topic(id: &TwinId, bag: &str) -> String {
    match &id.module {
        Some(module) => format!("devices/{}/modules/{module}/messages/events/{bag}", id.device),
        None => format!("devices/{}/messages/events/{bag}", id.device),
    }
}

/// An acknowledgement and a PUBLISH, whichever comes first: the publish's topic and body.
async fn acknowledged(wire: &mut super::place::Tls, packet_id: u16) -> (String, Vec<u8>) {
    let (mut acknowledgements, mut published) = (0, None);
    while acknowledgements == 0 || published.is_none() {
        match wire.get().await {
            Got::PubAck(got) if got == packet_id => acknowledgements += 1,
            Got::Publish(0x30, topic, body) => published = Some((topic, body)),
            other => panic!("{other:?}"),
        }
    }
    published.unwrap()
}

fn json(bytes: &[u8]) -> Json {
    serde_json::from_slice(bytes).unwrap()
}

/// azure-iot-device 2.14.0 (Python): `QoS` 1 throughout, one filter at a time, and nothing subscribed again after a reconnect.
#[tokio::test]
async fn python() {
    let parameters =
        "api-version=2019-10-01&DeviceClientType=azure-iot-device-iothub-py%2F2.14.0%283.11.7%3BLinux%3Bx86_64%29";
    for over in Over::BOTH {
        let place = Place::start_with(over, Limits::default()).await;
        for id in [TwinId::device("pydev"), TwinId::module("pydev", "pymod")] {
            place.create(&id).await;
            let mut wire = place.dial().await;
            wire.ask(&connect(&id, 60, parameters).bytes(), Got::ConnAck(0, 0)).await;
            // get_twin()
            wire.ask(&wire::subscribe(1, &[("$iothub/twin/res/#", 1)]), Got::SubAck(1, vec![1])).await;
            let rid = "c5dae9c2-be45-4469-8c5a-ea1790bb21a6";
            wire.send(&wire::publish(0x32, 2, &format!("$iothub/twin/GET/?$rid={rid}"), b" ")).await;
            let (topic, body) = acknowledged(&mut wire, 2).await;
            assert_eq!(topic, format!("$iothub/twin/res/200/?$rid={rid}"));
            assert_eq!(json(&body), json!({"desired": {"$version": 1}, "reported": {"$version": 1}}));
            // patch_twin_reported_properties(…)
            let rid = "80085f3a-e41c-46a8-99bd-beaa1faa8a62";
            let topic = format!("$iothub/twin/PATCH/properties/reported/?$rid={rid}");
            wire.send(&wire::publish(0x32, 3, &topic, br#"{"temp": 21, "gone": null}"#)).await;
            let answer = acknowledged(&mut wire, 3).await;
            assert_eq!(answer, (format!("$iothub/twin/res/204/?$rid={rid}&$version=2"), Vec::new()));
            // on_twin_desired_properties_patch_received = handler
            let desired = wire::subscribe(4, &[("$iothub/twin/PATCH/properties/desired/#", 1)]);
            wire.ask(&desired, Got::SubAck(4, vec![1])).await;
            place.desire(&id, json!({"telemetryInterval": 122})).await;
            let (topic, body) = wire.message().await;
            assert_eq!(topic, "$iothub/twin/PATCH/properties/desired/?$version=2");
            assert_eq!(body, json!({"telemetryInterval": 122, "$version": 2}));
            // send_message(…), methods and messages, with or without handlers
            let bag = "%24.mid=m1&%24.cid=c1&%24.ct=application%2Fjson&%24.ce=utf-8&alert=yes%20%26%20no";
            for (packet_id, bag) in [(5, ""), (6, bag)] {
                let message = wire::publish(0x32, packet_id, &telemetry_topic(&id, bag), b"hello");
                wire.ask(&message, Got::PubAck(packet_id)).await;
            }
            let inputs = match &id.module {
                Some(_) => "devices/pydev/modules/pymod/inputs/#",
                None => "devices/pydev/messages/devicebound/#",
            };
            wire.ask(&wire::subscribe(7, &[(inputs, 1)]), Got::SubAck(7, vec![1])).await;
            wire.ask(&wire::subscribe(8, &[("$iothub/methods/POST/#", 1)]), Got::SubAck(8, vec![1])).await;
            wire.ask(&wire::unsubscribe(11, &["$iothub/methods/POST/#"]), Got::UnsubAck(11)).await;
            wire.send(DISCONNECT).await;
            wire.expect_end().await;
            // connect(): it counts on its subscriptions, and gets the twin by itself.
            let mut wire = place.dial().await;
            wire.ask(&connect(&id, 60, parameters).bytes(), Got::ConnAck(1, 0)).await;
            wire.send(&wire::publish(0x32, 12, "$iothub/twin/GET/?$rid=4e9a1c8f", b" ")).await;
            let (_, body) = acknowledged(&mut wire, 12).await;
            let twin = json!({
                "desired": {"telemetryInterval": 122, "$version": 2},
                "reported": {"temp": 21, "$version": 2},
            });
            assert_eq!(json(&body), twin);
            place.desire(&id, json!({"telemetryInterval": 7})).await;
            assert_eq!(wire.message().await.1, json!({"telemetryInterval": 7, "$version": 3}));
        }
    }
}

/// azure-iot-device 1.18.4 with azure-iot-device-mqtt 1.16.4 (Node): `QoS` 0 for the twin, the error read from the body alone.
#[tokio::test]
async fn node() {
    let parameters = "api-version=2021-04-12&DeviceClientType=azure-iot-device%2F1.18.4%20(node%20v20.20.2%3B%20Debian%2012%3B%20x64)";
    for over in Over::BOTH {
        let place = Place::start_with(over, Limits::default()).await;
        for id in [TwinId::device("nodedev"), TwinId::module("nodedev", "nodemod")] {
            place.create(&id).await;
            let mut wire = place.dial().await;
            wire.ask(&connect(&id, 180, parameters).bytes(), Got::ConnAck(0, 0)).await;
            wire.ask(&wire::subscribe(27622, &[("$iothub/twin/res/#", 0)]), Got::SubAck(27622, vec![0])).await;
            let rid = "90725dc2-841e-41e6-a7c7-22b3575b2097";
            wire.send(&wire::publish(0x30, 0, &format!("$iothub/twin/GET/?$rid={rid}"), b" ")).await;
            assert_eq!(wire.message().await.0, format!("$iothub/twin/res/200/?$rid={rid}"));
            let report = "$iothub/twin/PATCH/properties/reported/?$rid=76645830";
            let done = Got::Publish(0x30, "$iothub/twin/res/204/?$rid=76645830&$version=2".into(), Vec::new());
            wire.ask(&wire::publish(0x30, 0, report, br#"{"temp":21}"#), done).await;
            wire.send(&wire::publish(0x30, 0, report, br#"{"bad key":21}"#)).await;
            let (topic, body) = wire.message().await;
            assert_eq!(topic, "$iothub/twin/res/400/?$rid=76645830");
            assert!(body["errorCode"].is_u64() && body["message"].is_string(), "{body}");
            let desired = wire::subscribe(27623, &[("$iothub/twin/PATCH/properties/desired/#", 0)]);
            wire.ask(&desired, Got::SubAck(27623, vec![0])).await;
            place.desire(&id, json!({"telemetryInterval": 122})).await;
            assert_eq!(wire.message().await.1, json!({"telemetryInterval": 122, "$version": 2}));
            let message = wire::publish(0x32, 27624, &telemetry_topic(&id, "%24.on=out1/"), b"x");
            wire.ask(&message, Got::PubAck(27624)).await;
            // A renewed token: the same session, a new connection.
            let mut renewed = place.dial().await;
            renewed.ask(&connect(&id, 180, parameters).bytes(), Got::ConnAck(1, 0)).await;
            wire.expect_end().await;
            place.desire(&id, json!({"telemetryInterval": 7})).await;
            assert_eq!(renewed.message().await.1, json!({"telemetryInterval": 7, "$version": 3}));
        }
    }
}
