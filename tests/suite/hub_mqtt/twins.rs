//! The twin over MQTT, as SDKs ask and as they do not.

use super::place::{Place, kept};
use super::wire::{self, DISCONNECT, Got};
use serde_json::json;
use twinscope::twin::{Json, TwinId};

const RESPONSES: &str = "$iothub/twin/res/#";
const DESIRED: &str = "$iothub/twin/PATCH/properties/desired/#";

fn get(rid: &str) -> Vec<u8> {
    wire::publish(0x30, 0, &format!("$iothub/twin/GET/?$rid={rid}"), b" ")
}

fn report(parameters: &str, patch: &str) -> Vec<u8> {
    wire::publish(0x30, 0, &format!("$iothub/twin/PATCH/properties/reported/?{parameters}"), patch.as_bytes())
}

fn answer(topic: &str) -> Got {
    Got::Publish(0x30, format!("$iothub/twin/res/{topic}"), Vec::new())
}

#[tokio::test]
async fn a_whole_life() {
    let (place, device) = Place::with_device().await;
    let module = TwinId::module("d", "m");
    place.create(&module).await;
    for id in [device, module] {
        let mut wire = place.connect_twin(&id).await;
        wire.send(&get("a1b2")).await;
        let fresh = json!({"desired": {"$version": 1}, "reported": {"$version": 1}});
        assert_eq!(wire.message().await, ("$iothub/twin/res/200/?$rid=a1b2".to_owned(), fresh));

        wire.ask(&report("$rid=c3d4", r#"{"t":1.0,"gone":null}"#), answer("204/?$rid=c3d4&$version=2")).await;

        place.desire(&id, json!({"interval": 5, "gone": null})).await;
        let (topic, body) = wire.message().await;
        assert_eq!(topic, "$iothub/twin/PATCH/properties/desired/?$version=2");
        assert_eq!(body, json!({"interval": 5, "gone": null, "$version": 2}));

        wire.send(&get("e%20f")).await;
        let (topic, body) = wire.message().await;
        assert_eq!(topic, "$iothub/twin/res/200/?$rid=e%20f");
        let expected = r#"{"desired":{"interval":5,"$version":2},"reported":{"t":1.0,"$version":2}}"#;
        assert_eq!(body, serde_json::from_str::<Json>(expected).unwrap());
    }
}

#[tokio::test]
async fn requests_of_qos_1_are_acknowledged_and_answered() {
    let (place, id) = Place::with_device().await;
    let mut wire = place.connect_twin(&id).await;
    let requests = [
        ("$iothub/twin/GET/?$rid=1", " ", "$iothub/twin/res/200/?$rid=1"),
        ("$iothub/twin/PATCH/properties/reported/?$rid=2", "{}", "$iothub/twin/res/204/?$rid=2&$version=2"),
        ("$iothub/twin/PATCH/properties/reported/?$rid=3", "[]", "$iothub/twin/res/400/?$rid=3"),
    ];
    for (packet_id, (topic, payload, answered)) in (5..).zip(requests) {
        wire.send(&wire::publish(0x32, packet_id, topic, payload.as_bytes())).await;
        // Either may come first.
        let mut got = [wire.get().await, wire.get().await];
        got.sort_by_key(|got| matches!(got, Got::Publish(..)));
        assert_eq!(got[0], Got::PubAck(packet_id));
        // Answers are of QoS 0 whatever was granted.
        assert!(matches!(&got[1], Got::Publish(0x30, topic, _) if topic == answered), "{got:?}");
    }
}

#[tokio::test]
async fn refused_reports_say_why_and_change_nothing() {
    let (place, id) = Place::with_device().await;
    let mut wire = place.connect_twin(&id).await;
    let cases = [
        ("$rid=1", "", 400, 400_004),
        ("$rid=1", "{", 400, 400_004),
        ("$rid=1", "[1]", 400, 400_004),
        ("$rid=1", "null", 400, 400_004),
        ("$rid=1", r#"{"good":1,"bad.key":1}"#, 400, 400_004),
        ("$rid=1", r#"{"$key":1}"#, 400, 400_004),
        ("$rid=1", r#"{"list":[null]}"#, 400, 400_004),
        ("$rid=1", r#"{"large":4503599627370497}"#, 400, 400_004),
        ("$rid=1&$version=7", r#"{"good":1}"#, 412, 412_001),
        ("$rid=1&$version=latest", r#"{"good":1}"#, 400, 400_004),
        ("$version=-1&$rid=1", r#"{"good":1}"#, 400, 400_004),
        ("$rid=1&$version=", r#"{"good":1}"#, 400, 400_004),
    ];
    let large = json!({"a": "x".repeat(4000)}).as_object().unwrap().clone();
    let large: serde_json::Map<_, _> = (0..9).map(|n| (format!("k{n}"), large["a"].clone())).collect();
    let large = serde_json::Value::Object(large).to_string();
    let cases = cases.into_iter().chain([("$rid=1", large.as_str(), 403, 403_100)]);
    for (parameters, patch, status, code) in cases {
        wire.send(&report(parameters, patch)).await;
        let (topic, body) = wire.message().await;
        assert_eq!(topic, format!("$iothub/twin/res/{status}/?$rid=1"), "{patch}");
        assert_eq!(body["errorCode"], code, "{patch}");
        for field in ["message", "trackingId", "timestampUtc"] {
            assert!(body[field].as_str().is_some_and(|text| !text.is_empty()), "{field} in {body}");
        }
    }
    wire.send(&get("2")).await;
    assert_eq!(wire.message().await.1, json!({"desired": {"$version": 1}, "reported": {"$version": 1}}));
    wire.ask(&report("$version=1&$rid=3", r#"{"good":1}"#), answer("204/?$rid=3&$version=2")).await;
}

#[tokio::test]
async fn reports_take_an_api_version_and_nothing_else_does() {
    let (place, id) = Place::with_device().await;
    for (user_name, status) in [
        ("localhost/d", 400),
        ("localhost/d/", 400),
        ("localhost/d/?DeviceClientType=x", 400),
        ("localhost/d/?api-version=", 400),
        ("localhost/d/?api-version=2018-06-30", 204),
        ("localhost/d/api-version=2016-11-14", 204),
    ] {
        let mut wire = place.dial().await;
        let mut connect = crate::hub_mqtt::place::greeting(&id);
        connect.user_name = Some(user_name.to_owned());
        wire.ask(&connect.bytes(), Got::ConnAck(0, 0)).await;
        wire.ask(&wire::subscribe(1, &[(RESPONSES, 0)]), Got::SubAck(1, vec![0])).await;
        wire.send(&get("1")).await;
        assert_eq!(wire.message().await.0, "$iothub/twin/res/200/?$rid=1", "{user_name}");
        wire.send(&report("$rid=2", r#"{"a":1}"#)).await;
        let Got::Publish(_, topic, body) = wire.get().await else { panic!("no answer") };
        assert!(topic.starts_with(&format!("$iothub/twin/res/{status}/?$rid=2")), "{user_name}: {topic}");
        assert!(status == 204 || String::from_utf8(body).unwrap().contains("api-version"), "{user_name}");
        wire.send(wire::DISCONNECT).await;
        place.wait_gone(&id).await;
    }
}

#[tokio::test]
async fn answers_nobody_subscribed_to_are_lost_and_what_cannot_be_answered_is_dropped() {
    let (place, id) = Place::with_device().await;
    let mut wire = place.connect(&id).await;
    wire.send(&get("lost")).await;
    // Done all the same.
    wire.send(&report("$rid=lost", r#"{"done":1}"#)).await;
    wire.ask(&wire::publish(0x32, 3, "$iothub/twin/GET/?$rid=lost", b""), Got::PubAck(3)).await;
    wire.ask(&wire::subscribe(1, &[(RESPONSES, 1)]), Got::SubAck(1, vec![1])).await;
    let long = "r".repeat(2000);
    for topic in ["$iothub/twin/GET/", "$iothub/twin/GET/?$rid=", &format!("$iothub/twin/GET/?$rid={long}")] {
        wire.ask(&wire::publish(0x32, 4, topic, b""), Got::PubAck(4)).await;
    }
    wire.ask(&wire::publish(0x32, 5, "$iothub/twin/PATCH/properties/reported/", br#"{"dropped":1}"#), Got::PubAck(5))
        .await;
    wire.send(&get("heard")).await;
    let (topic, body) = wire.message().await;
    assert_eq!(topic, "$iothub/twin/res/200/?$rid=heard");
    assert_eq!(body["reported"], json!({"done": 1, "$version": 2}));
    wire.expect_quiet().await;
}

#[tokio::test]
async fn a_burst_is_applied_in_order_and_pings_come_through() {
    let (place, id) = Place::with_device().await;
    let mut wire = place.connect_twin(&id).await;
    let mut burst = Vec::new();
    for n in 0..200 {
        burst.extend(report(&format!("$rid=r{n}"), &format!(r#"{{"n":{n}}}"#)));
        burst.extend(get(&format!("g{n}")));
    }
    burst.extend(wire::PING);
    wire.send(&burst).await;
    let (mut n, mut pongs) = (0, 0);
    while n < 200 {
        match wire.get().await {
            Got::Pong => pongs += 1,
            got => {
                assert_eq!(got, answer(&format!("204/?$rid=r{n}&$version={}", n + 2)));
                let (topic, body) = loop {
                    match wire.get().await {
                        Got::Pong => pongs += 1,
                        Got::Publish(_, topic, body) => break (topic, serde_json::from_slice::<Json>(&body).unwrap()),
                        other => panic!("{other:?}"),
                    }
                };
                assert_eq!(
                    (topic, body["reported"]["n"].as_i64()),
                    (format!("$iothub/twin/res/200/?$rid=g{n}"), Some(n))
                );
                n += 1;
            }
        }
    }
    if pongs == 0 {
        wire.expect(Got::Pong).await;
    }
}

#[tokio::test]
async fn a_report_before_leaving_is_kept() {
    let (place, id) = Place::with_device().await;
    for n in 0..20_u64 {
        let mut wire = place.connect(&id).await;
        let mut both = report("$rid=1", &format!(r#"{{"n":{n}}}"#));
        both.extend(report("$rid=2", r#"{"last":true}"#));
        both.extend(DISCONNECT);
        wire.send(&both).await;
        wire.expect_end().await;
        place.wait_gone(&id).await;
        let twin = place.local.hub().read(|registry| registry.twin(&id).unwrap());
        assert_eq!((twin.reported.values["n"].as_u64(), twin.reported.version), (Some(n), 3 + 2 * n));
    }
}

#[tokio::test]
async fn desired_changes_come_in_order_to_those_alone_who_subscribed() {
    let (place, id) = Place::with_device().await;
    let other = TwinId::device("other");
    place.create(&other).await;
    let mut other_wire = place.connect_twin(&other).await;
    let mut wire = place.connect(&id).await;
    place.desire(&id, json!({"before": true})).await;
    wire.ask(&wire::subscribe(1, &[(DESIRED, 1)]), Got::SubAck(1, vec![1])).await;
    for n in 0..50 {
        place.desire(&id, json!({"n": n})).await;
    }
    for n in 0..50 {
        let (topic, body) = wire.message().await;
        assert_eq!(topic, format!("$iothub/twin/PATCH/properties/desired/?$version={}", n + 3));
        assert_eq!(body, json!({"n": n, "$version": n + 3}));
    }
    wire.expect_quiet().await;
    other_wire.expect_quiet().await;
}

#[tokio::test]
async fn what_changes_while_away_is_not_told_later() {
    let (place, id) = Place::with_device().await;
    let mut wire = place.dial().await;
    wire.ask(&kept(&id).bytes(), Got::ConnAck(0, 0)).await;
    wire.ask(&wire::subscribe(1, &[(DESIRED, 1), (RESPONSES, 1)]), Got::SubAck(1, vec![1, 1])).await;
    drop(wire);
    place.wait_gone(&id).await;
    place.desire(&id, json!({"missed": 1})).await;
    let mut wire = place.dial().await;
    wire.ask(&kept(&id).bytes(), Got::ConnAck(1, 0)).await;
    wire.send(&get("1")).await;
    assert_eq!(wire.message().await.1["desired"], json!({"missed": 1, "$version": 2}));
    wire.expect_quiet().await;
}

#[tokio::test]
async fn versions_never_fall() {
    let (place, id) = Place::with_device().await;
    let mut wire = place.connect_twin(&id).await;
    let sessions = place.local.hub().sessions();
    for version in [5, 4, 5, 6] {
        sessions.desired_changed(&id, version, &twinscope::twin::JsonMap::new());
    }
    assert_eq!(wire.message().await.1, json!({"$version": 5}));
    assert_eq!(wire.message().await.1, json!({"$version": 6}));
    wire.expect_quiet().await;
}
