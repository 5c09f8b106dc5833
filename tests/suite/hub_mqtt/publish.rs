//! Telemetry, wills, QoS, and topics that mean nothing.

use super::place::{Over, Place, greeting};
use super::wire::{self, DISCONNECT, Got};
use twinscope::local_hub::mqtt::limits::MAX_SUBSCRIPTIONS;
use twinscope::local_hub::mqtt::packet::MAX_MESSAGE;
use twinscope::twin::TwinId;

const EVENTS: &str = "devices/d/messages/events/";

#[tokio::test]
async fn telemetry_arrives_with_its_bag() {
    let (place, id) = Place::with_device().await;
    let module = TwinId::module("d", "m");
    place.create(&module).await;
    let mut device = place.connect(&id).await;
    let mut of_module = place.connect(&module).await;
    let activity = || place.local.hub().read(|registry| registry.twin(&id).unwrap().last_activity_time);
    // First byte, topic, bag as stored.
    let cases = [
        (0x32, "devices/d/messages/events/", ""),
        (0x32, "devices/d/messages/events", ""),
        (0x32, "devices/d/messages/events/%24.ct=a%2Fb&alert=yes%20no", "%24.ct=a%2Fb&alert=yes%20no"),
        (0x33, "devices/d/messages/events/", "mqtt-retain=true"),
        (0x33, "devices/d/messages/events/k=v", "k=v&mqtt-retain=true"),
        // Sent again because the first was not acknowledged: accepted again.
        (0x3a, "devices/d/messages/events/k=v", "k=v"),
    ];
    for (n, (first, topic, bag)) in (1..).zip(cases) {
        let before = activity();
        device.ask(&wire::publish(first, n, topic, &n.to_be_bytes()), Got::PubAck(n)).await;
        assert!(activity() > before, "{topic}");
        assert_eq!(place.telemetry().pop(), Some((bag.to_owned(), n.to_be_bytes().to_vec())), "{topic}");
    }
    let topic = "devices/d/modules/m/messages/events/%24.on=out1/";
    of_module.ask(&wire::publish(0x32, 1, topic, b"x"), Got::PubAck(1)).await;
    assert_eq!(place.telemetry().pop(), Some(("%24.on=out1/".to_owned(), b"x".to_vec())));
    // Of a long bag the beginning is kept, not cut within a character.
    let long = format!("{EVENTS}{}", "€".repeat(10_000));
    device.ask(&wire::publish(0x32, 9, &long, b"x"), Got::PubAck(9)).await;
    assert_eq!(place.telemetry().pop(), Some(("€".repeat(4096 / 3), b"x".to_vec())));
    // QoS 0: nothing comes back, and it arrived.
    device.send(&wire::publish(0x30, 0, EVENTS, b"quiet")).await;
    device.expect_quiet().await;
    assert_eq!(place.telemetry().pop(), Some((String::new(), b"quiet".to_vec())));
}

#[tokio::test]
async fn what_breaks_a_rule_ends_the_connection() {
    let (place, id) = Place::with_device().await;
    place.create(&TwinId::device("other")).await;
    let large = vec![b'x'; MAX_MESSAGE];
    let bag = "a".repeat(100);
    let cases = [
        ("QoS 2", wire::publish(0x34, 1, EVENTS, b"x")),
        ("QoS 2 to nowhere", wire::publish(0x34, 1, "nowhere", b"x")),
        ("PUBREL", wire::packet(0x62, &[0, 1])),
        ("another device's telemetry", wire::publish(0x32, 1, "devices/other/messages/events/", b"x")),
        ("a module's telemetry", wire::publish(0x32, 1, "devices/d/modules/m/messages/events/", b"x")),
        ("too large", wire::publish(0x30, 0, EVENTS, &[&large[..], b"x"].concat())),
        ("too large with its bag", wire::publish(0x30, 0, &format!("{EVENTS}{bag}"), &large[50..])),
        ("far too large", vec![0x30, 0xff, 0xff, 0xff, 0x7f]),
        ("a packet of the server", vec![0xd0, 0]),
        ("a topic that is not UTF-8", b"\x30\x04\x00\x02\xc3\x28".to_vec()),
        ("no filters", wire::subscribe(1, &[])),
    ];
    for (what, bytes) in cases {
        let mut wire = place.connect(&id).await;
        // The server may close before it has read all of it.
        let _unread = wire.try_send(&bytes).await;
        assert_eq!(wire.get().await, Got::End, "{what}");
    }
    assert_eq!(place.telemetry(), []);
    let mut wire = place.connect(&id).await;
    wire.ask(&wire::publish(0x32, 1, EVENTS, &large), Got::PubAck(1)).await;
    assert_eq!(crate::support::telemetry(&place.local)[0].2, MAX_MESSAGE);
}

#[tokio::test]
async fn unknown_topics_are_acknowledged_and_forgotten() {
    let (place, id) = Place::with_device().await;
    let mut wire = place.connect(&id).await;
    let topics = [
        "a",
        "$iothub/twin/DELETE/?$rid=1",
        "$iothub/methods/res/200/?$rid=1",
        "devices/d/messages/devicebound/",
        "$SYS/broker",
        "devices//messages/events/",
    ];
    for topic in topics {
        wire.ask(&wire::publish(0x32, 8, topic, b"{}"), Got::PubAck(8)).await;
        wire.send(&wire::publish(0x30, 0, topic, b"{}")).await;
    }
    wire.send(&wire::packet(0x40, &[0, 9])).await;
    wire.expect_quiet().await;
    assert_eq!(place.telemetry(), []);
}

#[tokio::test]
async fn subscriptions_are_granted_at_most_at_qos_1() {
    let (place, id) = Place::with_device().await;
    let mut wire = place.connect(&id).await;
    let filters = [("$iothub/methods/POST/#", 0), ("devices/d/messages/devicebound/#", 1), ("#", 2), ("a/+/b", 0)];
    wire.ask(&wire::subscribe(7, &filters), Got::SubAck(7, vec![0, 1, 1, 0])).await;
    // No general wildcards: `#` is granted and never matches.
    place.desire(&id, serde_json::json!({"a": 1})).await;
    wire.expect_quiet().await;
    let names: Vec<String> = (filters.len()..=MAX_SUBSCRIPTIONS).map(|n| format!("filter/{n}")).collect();
    let many: Vec<(&str, u8)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    let mut grants = vec![1; many.len()];
    *grants.last_mut().unwrap() = 0x80;
    wire.ask(&wire::subscribe(8, &many), Got::SubAck(8, grants)).await;
    // One it has already is no further one.
    wire.ask(&wire::subscribe(9, &[("#", 0)]), Got::SubAck(9, vec![0])).await;
}

#[tokio::test]
async fn a_will_is_telemetry_when_the_connection_ends_without_a_word() {
    for over in Over::BOTH {
        let (place, id) = Place::with_device_over(over).await;
        let will = |topic: &str, bits| wire::Connect {
            will: Some((topic.to_owned(), b"gone".to_vec(), bits)),
            ..greeting(&id)
        };
        let cases = [
            (will(EVENTS, 0), "iothub-MessageType=Will"),
            (will("devices/d/messages/events/k=v", 1 << 3), "k=v&iothub-MessageType=Will"),
            (will(EVENTS, 1 << 5), "mqtt-retain=true&iothub-MessageType=Will"),
        ];
        for (n, (connect, bag)) in (1..).zip(cases) {
            let mut wire = place.dial().await;
            wire.ask(&connect.bytes(), Got::ConnAck(0, 0)).await;
            drop(wire);
            place.wait_gone(&id).await;
            assert_eq!(place.telemetry().len(), n);
            assert_eq!(place.telemetry().pop(), Some((bag.to_owned(), b"gone".to_vec())));
        }
        // Who says goodbye leaves no will.
        let mut wire = place.dial().await;
        wire.ask(&will(EVENTS, 0).bytes(), Got::ConnAck(0, 0)).await;
        wire.send(DISCONNECT).await;
        wire.expect_end().await;
        place.wait_gone(&id).await;
        assert_eq!(place.telemetry().len(), 3);
        // Who is thrown out does, before the successor is greeted.
        let mut old = place.dial().await;
        old.ask(&will(EVENTS, 0).bytes(), Got::ConnAck(0, 0)).await;
        let _new = place.connect(&id).await;
        old.expect_end().await;
        assert_eq!(place.telemetry().len(), 4);
    }
}
