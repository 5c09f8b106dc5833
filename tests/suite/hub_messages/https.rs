//! The device over HTTPS: telemetry, and its messages under a lock.

use super::{BOUND, device, feedback, in_seconds, lock, numbered, send, service, waiting};
use crate::hub_mqtt::place::Place;
use crate::hub_x509::made::self_signed;
use crate::hub_x509::stage::{Stage, VERSIONS, by_thumbprint};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use twinscope::twin::TwinId;

#[tokio::test]
async fn telemetry_with_its_properties() {
    let (place, id) = Place::with_device().await;
    let mut device = device(&place, &id).await;
    let headers = [
        ("iothub-messageid", "m 1"),
        ("iothub-app-level", "5 %"),
        ("iothub-contenttype", "application/json"),
        ("IoTHub-Contentencoding", "utf-8"),
    ];
    let reply = device.call("POST", "/devices/d/messages/events", &headers, Some(&json!({"temperature": 21}))).await;
    assert_eq!((reply.status, reply.body.as_slice()), (204, &[][..]));
    let seen = place.telemetry();
    let bag = "%24.mid=m%201&%24.ct=application%2Fjson&%24.ce=utf-8&level=5%20%25";
    assert_eq!(seen, [(bag.to_owned(), br#"{"temperature":21}"#.to_vec())]);
    // It moves what the hub knows of the device.
    let activity = super::service(&place).await.get("/twins/d").await.ok()["lastActivityTime"].clone();
    assert_ne!(activity, "0001-01-01T00:00:00Z");
}

#[tokio::test]
async fn a_message_is_taken_under_a_lock_and_completed() {
    let (place, id) = Place::with_device().await;
    let (mut service, mut device) = (service(&place).await, device(&place, &id).await);
    assert_eq!(device.get(BOUND).await.status, 204);
    let headers = [("iothub-messageid", "m"), ("iothub-app-key", "value"), ("iothub-ack", "positive")];
    send(&mut service, &headers, numbered(0)).await;
    send(&mut service, &[], numbered(1)).await;
    let first = device.get(BOUND).await;
    assert_eq!(first.ok(), numbered(0));
    let expected = [
        ("iothub-messageid", Some("m")),
        ("iothub-app-key", Some("value")),
        ("iothub-ack", Some("positive")),
        ("iothub-to", Some("/devices/d/messages/deviceBound")),
        ("iothub-deliverycount", Some("1")),
        ("iothub-sequencenumber", Some("1")),
    ];
    for (name, value) in expected {
        assert_eq!(first.header(name), value, "{name}");
    }
    assert!(first.header("iothub-enqueuedtime").unwrap() < first.header("iothub-expiry").unwrap());
    // The next caller gets the next one, and then none.
    let second = device.get(BOUND).await;
    assert_eq!(second.ok(), numbered(1));
    assert_eq!(device.get(BOUND).await.status, 204);
    assert_eq!(waiting(&mut service).await, 2);
    let done = device.call("DELETE", &format!("{BOUND}/{}", lock(&first)), &[], None).await;
    assert_eq!(done.status, 204);
    assert_eq!(waiting(&mut service).await, 1);
    // The lock is gone with the message.
    let again = device.call("DELETE", &format!("{BOUND}/{}", lock(&first)), &[], None).await;
    again.refused(412, "DeviceMessageLockLost");
    let (records, _) = feedback(&mut service).await.unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["statusCode"], "Success");
}

#[tokio::test]
async fn a_message_is_abandoned_or_rejected() {
    let (place, id) = Place::with_device().await;
    let (mut service, mut device) = (service(&place).await, device(&place, &id).await);
    send(&mut service, &[("iothub-ack", "full")], numbered(0)).await;
    let first = device.get(BOUND).await;
    let back = device.call("POST", &format!("{BOUND}/{}/abandon", lock(&first)), &[], None).await;
    assert_eq!(back.status, 204);
    let second = device.get(BOUND).await;
    assert_eq!(second.header("iothub-deliverycount"), Some("2"));
    assert_ne!(lock(&second), lock(&first));
    // The old lock says nothing any more.
    let path = |lock: &str, rest: &str| format!("{BOUND}/{lock}{rest}");
    device.call("DELETE", &path(&lock(&first), "?reject"), &[], None).await.refused(412, "DeviceMessageLockLost");
    assert_eq!(device.call("DELETE", &path(&lock(&second), "?reject"), &[], None).await.status, 204);
    assert_eq!(device.get(BOUND).await.status, 204);
    let (records, _) = feedback(&mut service).await.unwrap();
    assert_eq!(records[0]["statusCode"], "Rejected");
    // Ten deliveries, which is all that a message has.
    send(&mut service, &[("iothub-ack", "negative")], numbered(1)).await;
    for round in 1..=10 {
        let taken = device.get(BOUND).await;
        assert_eq!(taken.header("iothub-deliverycount"), Some(round.to_string().as_str()));
        let back = device.call("POST", &path(&lock(&taken), "/abandon"), &[], None).await;
        assert_eq!(back.status, 204);
    }
    assert_eq!(device.get(BOUND).await.status, 204);
    let (records, _) = feedback(&mut service).await.unwrap();
    assert_eq!(records[0]["statusCode"], "DeliveryCountExceeded");
}

#[tokio::test]
async fn a_lock_ends_and_the_message_comes_again() {
    let (place, id) = Place::with_device().await;
    let (mut service, mut device) = (service(&place).await, device(&place, &id).await);
    send(&mut service, &[], numbered(0)).await;
    let taken = device.call("GET", BOUND, &[("IotHub-MessageLockTimeout", "5")], None).await;
    assert_eq!(taken.ok(), numbered(0));
    assert_eq!(device.get(BOUND).await.status, 204);
    place.local.hub().clock().skew(6);
    let again = device.get(BOUND).await;
    assert_eq!((again.ok(), again.header("iothub-deliverycount")), (numbered(0), Some("2")));
    let late = device.call("DELETE", &format!("{BOUND}/{}", lock(&taken)), &[], None).await;
    late.refused(412, "DeviceMessageLockLost");
}

#[tokio::test]
async fn a_message_expires() {
    let (place, id) = Place::with_device().await;
    let (mut service, mut device) = (service(&place).await, device(&place, &id).await);
    send(&mut service, &[("iothub-ack", "full"), ("iothub-expiry", &in_seconds(100))], numbered(0)).await;
    send(&mut service, &[("iothub-ack", "full")], numbered(1)).await;
    place.local.hub().clock().skew(101);
    // That of the default hour is still there.
    assert_eq!(device.get(BOUND).await.ok(), numbered(1));
    assert_eq!(waiting(&mut service).await, 1);
    let (records, _) = feedback(&mut service).await.unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["statusCode"], "Expired");
}

#[tokio::test]
async fn a_device_calls_with_its_certificate() {
    let stage = Stage::start(&[]).await;
    let [shown, wrong] = ["d", "d"].map(|name| self_signed(name, |_| {}));
    stage.put(&TwinId::device("d"), &by_thumbprint(&shown.sha1(), &shown.sha1()), "enabled").await;
    for version in VERSIONS {
        for (shown, status) in [(Some(&shown), "204"), (Some(&wrong), "401"), (None, "401")] {
            let mut stream = stage.open(stage.test.hub.https(), shown, version).await.unwrap();
            let request = "POST /devices/d/messages/events?api-version=2021-04-12 HTTP/1.1\r\nHost: localhost\r\n\
                           Content-Length: 2\r\nConnection: close\r\n\r\n{}";
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            let answer = String::from_utf8(answer).unwrap();
            assert_eq!(answer.split(' ').nth(1), Some(status), "{answer}");
        }
    }
    assert_eq!(crate::support::telemetry(&stage.test.hub).len(), VERSIONS.len());
}
