//! Cloud-to-device messages.

use crate::hub_messages::{BOUND, acknowledge, delivered, device, feedback, listen, numbered, send, service, waiting};
use crate::hub_mqtt::place::{Place, kept};
use crate::hub_mqtt::wire::{DISCONNECT, Got};
use serde_json::json;
use twinscope::twin::TwinId;

#[tokio::test]
async fn mqtt_brings_nothing_from_before_the_first_kept_session() {
    let (place, id) = Place::with_device().await;
    let mut service = service(&place).await;
    send(&mut service, &[], numbered(0)).await;
    let mut client = place.dial().await;
    client.ask(&kept(&id).bytes(), Got::ConnAck(0, 0)).await;
    listen(&mut client, 1).await;
    client.expect_quiet().await;
    client.send(DISCONNECT).await;
    client.expect_end().await;
    place.wait_gone(&id).await;
    // From now on they wait for it.
    send(&mut service, &[], numbered(1)).await;
    let mut client = place.dial().await;
    client.ask(&kept(&id).bytes(), Got::ConnAck(1, 0)).await;
    let message = delivered(&mut client).await;
    assert_eq!(message.body, numbered(1));
    client.send(&acknowledge(message.packet_id)).await;
    client.expect_quiet().await;
    assert_eq!(waiting(&mut service).await, 1);
    assert_eq!(device(&place, &id).await.get(BOUND).await.ok(), numbered(0), "HTTPS brings it");
}

#[tokio::test]
async fn feedback_comes_in_batches_of_64_under_a_lock() {
    let (place, _) = Place::with_device().await;
    place.create(&TwinId::device("e")).await;
    let mut service = service(&place).await;
    assert!(feedback(&mut service).await.is_none());
    for device in ["d", "e"] {
        for n in 0..33 {
            let path = format!("/devices/{device}/messages/deviceBound");
            let reply = service.call("POST", &path, &[("iothub-ack", "full")], Some(&json!(n))).await;
            assert_eq!(reply.status, 204);
        }
        assert_eq!(service.delete(&format!("/devices/{device}/commands")).await.ok()["totalMessagesPurged"], 33);
    }
    let (first, lock) = feedback(&mut service).await.unwrap();
    let (second, _) = feedback(&mut service).await.unwrap();
    assert_eq!((first.len(), second.len()), (64, 2));
    assert!(feedback(&mut service).await.is_none(), "both are locked");
    let abandon = format!("/messages/serviceBound/feedback/{lock}/abandon");
    assert_eq!(service.call("POST", &abandon, &[], None).await.status, 204);
    assert_eq!(feedback(&mut service).await.unwrap().0, first, "given back");
}
