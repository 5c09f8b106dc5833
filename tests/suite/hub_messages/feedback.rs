//! What senders are told.

use super::{BOUND, device, feedback, lock, numbered, send, service, waiting};
use crate::hub_mqtt::place::{Place, eventually};
use crate::support::Caller;
use serde_json::{Value, json};

/// Has the device take its next message and complete or reject it.
async fn settle(device: &mut Caller, rest: &str) {
    let taken = device.get(BOUND).await;
    taken.ok();
    let reply = device.call("DELETE", &format!("{BOUND}/{}{rest}", lock(&taken)), &[], None).await;
    assert_eq!(reply.status, 204);
}

fn told(records: &[Value]) -> Vec<(&str, &str)> {
    let text = |record: &'_ Value, key: &str| record[key].as_str().map(str::to_owned).unwrap_or_default();
    assert!(records.iter().all(|record| text(record, "description") == text(record, "statusCode")));
    let pair = |record| {
        let record: &Value = record;
        (record["originalMessageId"].as_str().unwrap(), record["statusCode"].as_str().unwrap())
    };
    records.iter().map(pair).collect()
}

#[tokio::test]
async fn of_those_who_asked_for_it() {
    let (place, id) = Place::with_device().await;
    let (mut service, mut device) = (service(&place).await, device(&place, &id).await);
    for ack in ["none", "positive", "negative", "full"] {
        for end in ["taken", "refused"] {
            let message_id = format!("{ack} {end}");
            send(&mut service, &[("iothub-ack", ack), ("iothub-messageid", &message_id)], json!(1)).await;
            settle(&mut device, if end == "taken" { "" } else { "?reject" }).await;
        }
    }
    let (records, token) = feedback(&mut service).await.unwrap();
    let expected = [
        ("positive taken", "Success"),
        ("negative refused", "Rejected"),
        ("full taken", "Success"),
        ("full refused", "Rejected"),
    ];
    assert_eq!(told(&records), expected);
    let generation = service.get("/devices/d").await.ok()["generationId"].clone();
    for record in &records {
        assert_eq!((&record["deviceId"], &record["deviceGenerationId"]), (&json!("d"), &generation));
        assert!(record["enqueuedTimeUtc"].as_str().unwrap().ends_with('Z'));
    }
    // While it is locked nobody else gets it.
    assert_eq!(feedback(&mut service).await, None);
    let path = format!("/messages/serviceBound/feedback/{token}");
    assert_eq!(service.call("POST", &format!("{path}/abandon"), &[], None).await.status, 204);
    let (again, second) = feedback(&mut service).await.unwrap();
    assert_eq!(again, records);
    service.call("DELETE", &path, &[], None).await.refused(412, "DeviceMessageLockLost");
    let path = format!("/messages/serviceBound/feedback/{second}");
    assert_eq!(service.call("DELETE", &path, &[], None).await.status, 204);
    assert_eq!(feedback(&mut service).await, None);
}

#[tokio::test]
async fn of_a_purge() {
    let (place, _) = Place::with_device().await;
    let mut service = service(&place).await;
    for n in 0..3 {
        let message_id = format!("m{n}");
        send(&mut service, &[("iothub-ack", "full"), ("iothub-messageid", &message_id)], numbered(n)).await;
    }
    let purged = |count| json!({"totalMessagesPurged": count, "deviceId": "d", "moduleId": null});
    assert_eq!(service.delete("/devices/d/commands").await.ok(), purged(3));
    assert_eq!(waiting(&mut service).await, 0);
    assert_eq!(service.delete("/devices/d/commands").await.ok(), purged(0));
    let (records, _) = feedback(&mut service).await.unwrap();
    assert_eq!(told(&records), [("m0", "Purged"), ("m1", "Purged"), ("m2", "Purged")]);
}

#[tokio::test]
async fn a_batch_whose_lock_ended_is_told_again() {
    let (place, _) = Place::with_device().await;
    let mut service = service(&place).await;
    send(&mut service, &[("iothub-ack", "full")], numbered(0)).await;
    service.delete("/devices/d/commands").await.ok();
    let (records, _) = feedback(&mut service).await.unwrap();
    assert_eq!(records[0]["originalMessageId"], Value::Null);
    assert_eq!(feedback(&mut service).await, None);
    place.local.hub().clock().skew(61);
    assert_eq!(feedback(&mut service).await.unwrap().0, records);
}

/// The timer alone: nobody asks for the message.
#[tokio::test]
async fn of_an_expiry_that_nobody_looks_at() {
    let (place, _) = Place::with_device().await;
    let mut service = service(&place).await;
    let soon = super::in_seconds(2);
    send(&mut service, &[("iothub-ack", "full"), ("iothub-expiry", &soon)], numbered(0)).await;
    let hub = place.local.hub();
    eventually("the message expired", || hub.messages().receive_feedback(hub).is_some()).await;
}
