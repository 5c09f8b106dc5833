//! Deliveries over MQTT.

use super::{FILTER, acknowledge, delivered, feedback, listen, numbered, send, service, waiting};
use crate::hub_mqtt::place::{Over, Place, Tls, kept};
use crate::hub_mqtt::wire::{self, DISCONNECT, Got};
use serde_json::json;
use twinscope::twin::TwinId;

/// Connects with a session that is kept.
async fn connect_kept(place: &Place, id: &TwinId, was_there: u8) -> Tls {
    let mut client = place.dial().await;
    client.ask(&kept(id).bytes(), Got::ConnAck(was_there, 0)).await;
    client
}

/// A device that had a session once and is offline now.
async fn offline() -> (Place, TwinId) {
    let (place, id) = Place::with_device().await;
    let mut client = connect_kept(&place, &id, 0).await;
    listen(&mut client, 1).await;
    client.send(DISCONNECT).await;
    client.expect_end().await;
    place.wait_gone(&id).await;
    (place, id)
}

#[tokio::test]
async fn a_message_goes_through_with_its_properties() {
    for over in Over::BOTH {
        let (place, id) = Place::with_device_over(over).await;
        let mut client = place.connect(&id).await;
        listen(&mut client, 1).await;
        let mut service = service(&place).await;
        let headers = [
            ("IoTHub-MessageId", "m 1"),
            ("iothub-correlationid", "c/1"),
            ("iothub-contenttype", "application/json"),
            ("iothub-contentencoding", "utf-8"),
            ("iothub-ack", "Full"),
            ("iothub-app-alert", "50% & more"),
            ("iothub-app-empty", ""),
            ("x-other", "not a property"),
        ];
        send(&mut service, &headers, json!({"delay": 5, "text": "ö"})).await;
        let message = delivered(&mut client).await;
        assert_eq!(message.body, json!({"delay": 5, "text": "ö"}));
        assert_eq!(message.first, 0x32);
        assert_ne!(message.packet_id, 0);
        assert_eq!(
            message.topic,
            "devices/d/messages/devicebound/%24.mid=m%201&%24.cid=c%2F1&%24.to=%2Fdevices%2Fd%2Fmessages%2FdeviceBound\
             &%24.ct=application%2Fjson&%24.ce=utf-8&iothub-ack=full&alert=50%25%20%26%20more&empty="
        );
        assert_eq!(waiting(&mut service).await, 1, "until it is acknowledged");
        client.send(&acknowledge(message.packet_id)).await;
        client.expect_quiet().await;
        assert_eq!(waiting(&mut service).await, 0);
    }
}

#[tokio::test]
async fn what_is_sent_meanwhile_waits_for_the_session() {
    let (place, id) = offline().await;
    let mut service = service(&place).await;
    for n in 0..3 {
        send(&mut service, &[], numbered(n)).await;
        assert_eq!(waiting(&mut service).await, n + 1);
    }
    // It subscribed once in its life.
    let mut client = connect_kept(&place, &id, 1).await;
    for n in 0..3 {
        let message = delivered(&mut client).await;
        assert_eq!((message.first, message.body), (0x32, numbered(n)));
        client.send(&acknowledge(message.packet_id)).await;
    }
    client.expect_quiet().await;
    assert_eq!(waiting(&mut service).await, 0);
    // And what comes while it is there comes at once.
    send(&mut service, &[], numbered(3)).await;
    assert_eq!(delivered(&mut client).await.body, numbered(3));
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again() {
    let (place, id) = offline().await;
    let mut service = service(&place).await;
    send(&mut service, &[("iothub-messageid", "m"), ("iothub-ack", "negative")], numbered(0)).await;
    let mut first = None;
    // Ten deliveries, which is all that a message has.
    for round in 0..10 {
        let mut client = connect_kept(&place, &id, 1).await;
        let message = delivered(&mut client).await;
        assert_eq!(message.first, if round == 0 { 0x32 } else { 0x3a }, "DUP from the second on");
        assert_eq!(*first.get_or_insert(message.packet_id), message.packet_id);
        assert_eq!(message.body, numbered(0));
        client.send(DISCONNECT).await;
        client.expect_end().await;
        place.wait_gone(&id).await;
    }
    let mut client = connect_kept(&place, &id, 1).await;
    client.expect_quiet().await;
    assert_eq!(waiting(&mut service).await, 0);
    let (records, _) = feedback(&mut service).await.unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["statusCode"], "DeliveryCountExceeded");
}

#[tokio::test]
async fn another_connection_takes_over_what_the_first_did_not_acknowledge() {
    let (place, id) = offline().await;
    let mut service = service(&place).await;
    let mut first = connect_kept(&place, &id, 1).await;
    for n in 0..2 {
        send(&mut service, &[], numbered(n)).await;
    }
    let message = delivered(&mut first).await;
    first.send(&acknowledge(message.packet_id)).await;
    assert_eq!(delivered(&mut first).await.body, numbered(1));
    let mut second = connect_kept(&place, &id, 1).await;
    let again = delivered(&mut second).await;
    assert_eq!((again.first, again.body), (0x3a, numbered(1)));
    second.send(&acknowledge(again.packet_id)).await;
    second.expect_quiet().await;
    first.expect_end().await;
    assert_eq!(waiting(&mut service).await, 0);
}

#[tokio::test]
async fn a_clean_session_gets_what_is_sent_after_it_subscribed() {
    let (place, id) = offline().await;
    let mut service = service(&place).await;
    send(&mut service, &[], numbered(0)).await;
    let mut client = place.connect(&id).await;
    listen(&mut client, 1).await;
    client.expect_quiet().await;
    send(&mut service, &[], numbered(1)).await;
    assert_eq!(delivered(&mut client).await.body, numbered(1));
    // The other still waits, for a receiver over HTTPS or its end.
    assert_eq!(waiting(&mut service).await, 2);
}

#[tokio::test]
async fn by_qos_0_a_message_is_done_when_it_is_sent() {
    let (place, id) = Place::with_device().await;
    let mut client = place.connect(&id).await;
    listen(&mut client, 0).await;
    let mut service = service(&place).await;
    send(&mut service, &[], numbered(0)).await;
    let (topic, body) = client.message().await;
    assert_eq!(topic, "devices/d/messages/devicebound/%24.to=%2Fdevices%2Fd%2Fmessages%2FdeviceBound&iothub-ack=none");
    assert_eq!(body, numbered(0));
    assert_eq!(waiting(&mut service).await, 0);
}

#[tokio::test]
async fn a_bounded_number_is_in_flight() {
    let (place, id) = offline().await;
    let mut service = service(&place).await;
    for n in 0..20 {
        send(&mut service, &[], numbered(n)).await;
    }
    let mut client = connect_kept(&place, &id, 1).await;
    let mut ids = Vec::new();
    for n in 0..16 {
        let message = delivered(&mut client).await;
        assert_eq!(message.body, numbered(n));
        assert!(!ids.contains(&message.packet_id));
        ids.push(message.packet_id);
    }
    client.expect_quiet().await;
    // Acknowledged out of order, by an id that is not in flight, and twice.
    for id in [ids[5], 9999, ids[5]] {
        client.send(&acknowledge(id)).await;
    }
    let next = delivered(&mut client).await;
    assert_eq!(next.body, numbered(16));
    client.expect_quiet().await;
    assert_eq!(waiting(&mut service).await, 19);
    for id in ids.iter().filter(|id| **id != ids[5]) {
        client.send(&acknowledge(*id)).await;
    }
    for n in 17..20 {
        assert_eq!(delivered(&mut client).await.body, numbered(n));
    }
    client.expect_quiet().await;
    assert_eq!(waiting(&mut service).await, 4);
}

#[tokio::test]
async fn after_unsubscribe_nothing_more_comes() {
    let (place, id) = Place::with_device().await;
    let mut client = connect_kept(&place, &id, 0).await;
    listen(&mut client, 1).await;
    let mut service = service(&place).await;
    send(&mut service, &[], numbered(0)).await;
    let message = delivered(&mut client).await;
    client.ask(&wire::unsubscribe(2, &[FILTER]), Got::UnsubAck(2)).await;
    send(&mut service, &[], numbered(1)).await;
    // What was in flight is still acknowledged.
    client.send(&acknowledge(message.packet_id)).await;
    client.expect_quiet().await;
    assert_eq!(waiting(&mut service).await, 1);
    client.send(&wire::subscribe(3, &[(FILTER, 1)])).await;
    client.expect(Got::SubAck(3, vec![1])).await;
    assert_eq!(delivered(&mut client).await.body, numbered(1));
}

#[tokio::test]
async fn the_messages_of_a_deleted_device_go_with_it() {
    let (place, id) = offline().await;
    let mut service = service(&place).await;
    send(&mut service, &[("iothub-ack", "full")], numbered(0)).await;
    place.delete(&id).await;
    place.create(&id).await;
    assert_eq!(waiting(&mut service).await, 0);
    let mut client = connect_kept(&place, &id, 0).await;
    listen(&mut client, 1).await;
    client.expect_quiet().await;
    assert_eq!(feedback(&mut service).await, None);
    send(&mut service, &[], numbered(1)).await;
    assert_eq!(delivered(&mut client).await.body, numbered(1));
}
