//! What is refused, and where the bounds are.

use super::{BOUND, device, in_seconds, numbered, policy, send, service, waiting};
use crate::hub_mqtt::place::{OTHER_KEY, Place, now_s, token};
use crate::support::Caller;
use serde_json::{Value, json};
use twinscope::twin::TwinId;

/// A string that makes this many bytes of JSON.
fn text(bytes: usize) -> Value {
    json!("x".repeat(bytes - 2))
}

#[tokio::test]
async fn sizes() {
    let (place, id) = Place::with_device().await;
    let mut service = service(&place).await;
    // The hub's own `to` and `ack` are not the sender's and do not count.
    send(&mut service, &[], text(64 * 1024)).await;
    let reply = service.call("POST", BOUND, &[], Some(&text(64 * 1024 + 1))).await;
    reply.refused(413, "MessageTooLarge");
    let reply = service.call("POST", BOUND, &[("iothub-app-k", "v")], Some(&text(64 * 1024 - 1))).await;
    reply.refused(413, "MessageTooLarge");
    send(&mut service, &[("iothub-app-k", "v")], text(64 * 1024 - 2)).await;
    let reply = service.call("POST", BOUND, &[], None).await;
    assert_eq!(reply.status, 204, "a message may be empty: {}", reply.text());
    let mut device = device(&place, &id).await;
    let events = "/devices/d/messages/events";
    assert_eq!(device.post(events, text(256 * 1024)).await.status, 204);
    device.post(events, text(256 * 1024 + 1)).await.refused(413, "MessageTooLarge");
    assert_eq!(waiting(&mut service).await, 3);
}

#[tokio::test]
async fn fifty_wait_for_a_device() {
    let (place, id) = Place::with_device().await;
    let other = TwinId::device("other");
    place.create(&other).await;
    let mut service = service(&place).await;
    for n in 0..50 {
        send(&mut service, &[], numbered(n)).await;
    }
    let reply = service.post(BOUND, numbered(50)).await;
    reply.refused(403, "DeviceMaximumQueueDepthExceeded");
    assert_eq!(service.post("/devices/other/messages/deviceBound", numbered(0)).await.status, 204);
    // One done makes room for one.
    let mut device = device(&place, &id).await;
    let taken = device.get(BOUND).await;
    assert_eq!(taken.ok(), numbered(0));
    service.post(BOUND, numbered(50)).await.refused(403, "DeviceMaximumQueueDepthExceeded");
    let done = device.call("DELETE", &format!("{BOUND}/{}", super::lock(&taken)), &[], None).await;
    assert_eq!(done.status, 204);
    send(&mut service, &[], numbered(50)).await;
    assert_eq!(waiting(&mut service).await, 50);
}

#[tokio::test]
async fn properties_that_are_refused() {
    let (place, _) = Place::with_device().await;
    let mut service = service(&place).await;
    let (past, far) = (in_seconds(0), in_seconds(2 * 24 * 3600 + 60));
    let cases = [
        ("iothub-ack", "maybe", 400, "ArgumentInvalid"),
        ("iothub-expiry", "tomorrow", 400, "ArgumentInvalid"),
        ("iothub-expiry", past.as_str(), 400, "ArgumentInvalid"),
        ("iothub-expiry", far.as_str(), 403, "InvalidMessageExpiryTime"),
    ];
    for (name, value, status, code) in cases {
        let reply = service.call("POST", BOUND, &[(name, value)], Some(&json!(1))).await;
        reply.refused(status, code);
        if value.len() > 1 {
            assert!(reply.text().contains(name), "the text names the header: {}", reply.text());
        }
    }
    assert_eq!(waiting(&mut service).await, 0);
    for (name, value) in [("iothub-ack", "POSITIVE"), ("iothub-ack", ""), ("iothub-expiry", &in_seconds(3600))] {
        send(&mut service, &[(name, value)], json!(1)).await;
    }
}

#[tokio::test]
async fn who_may_do_what() {
    let (place, id) = Place::with_device().await;
    let module = TwinId::module("d", "m");
    let other = TwinId::device("other");
    place.create(&module).await;
    place.create(&other).await;
    let mut service = policy(&place, "service").await;
    service.post("/devices/gone/messages/deviceBound", json!(1)).await.refused(404, "DeviceNotFound");
    service.delete("/devices/gone/commands").await.refused(404, "DeviceNotFound");
    // Not a path of the service, as modules take no such messages here.
    assert_eq!(service.post("/devices/d/modules/m/messages/deviceBound", json!(1)).await.status, 404);
    // A device sends no messages to devices, and a service takes none of theirs.
    let mut itself = device(&place, &id).await;
    itself.post(BOUND, json!(1)).await.refused(401, "IotHubUnauthorizedAccess");
    itself.get("/messages/serviceBound/feedback").await.refused(401, "IotHubUnauthorizedAccess");
    itself.delete("/devices/d/commands").await.refused(401, "IotHubUnauthorizedAccess");
    service.get(BOUND).await.refused(401, "IotHubUnauthorizedAccess");
    // Nor does one device take those of another.
    let mut neighbour = device(&place, &other).await;
    neighbour.get(BOUND).await.refused(401, "IotHubUnauthorizedAccess");
    neighbour.post("/devices/d/messages/events", json!(1)).await.refused(401, "IotHubUnauthorizedAccess");
    let forged = token(&id, OTHER_KEY, now_s() + 600);
    let late = token(&id, crate::hub_mqtt::place::KEY, now_s() - 600);
    for (token, code) in [(forged, "IotHubUnauthorizedAccess"), (late, "IotHubUnauthorized")] {
        let mut caller = Caller::connect(place.local.https(), place.local.ca_file(), &token).await;
        caller.get(BOUND).await.refused(401, code);
    }
    assert_eq!(itself.get(BOUND).await.status, 204);
    place.update(&id, "disabled", crate::hub_mqtt::place::KEY).await;
    itself.get(BOUND).await.refused(403, "DeviceDisabled");
    // Who proves nothing learns neither that it is disabled nor which devices there are.
    let forged = token(&id, OTHER_KEY, now_s() + 600);
    let mut stranger = Caller::connect(place.local.https(), place.local.ca_file(), &forged).await;
    for path in [BOUND, "/devices/nobody/messages/deviceBound"] {
        stranger.get(path).await.refused(401, "IotHubUnauthorizedAccess");
    }
    assert_eq!(place.telemetry(), []);
}
