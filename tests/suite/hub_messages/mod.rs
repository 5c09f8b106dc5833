//! Cloud-to-device messages and telemetry over HTTPS: raw HTTP on one side, raw MQTT or raw HTTP on the other.

mod bounds;
mod feedback;
mod https;
mod kept;
mod mqtt;

use crate::hub_mqtt::place::{KEY, Place, Tls, now_s, token as device_token};
use crate::hub_mqtt::wire::{self, Got};
use crate::support::{Caller, Reply, token};
use serde_json::{Value, json};
use twinscope::local_hub::clock::Moment;
use twinscope::twin::TwinId;

pub const BOUND: &str = "/devices/d/messages/deviceBound";
pub const FILTER: &str = "devices/d/messages/devicebound/#";

/// A caller that may do everything.
pub async fn service(place: &Place) -> Caller {
    policy(place, "iothubowner").await
}

/// A caller with this policy's key.
pub async fn policy(place: &Place, name: &str) -> Caller {
    let key = place.local.hub().policies().by_name(name).unwrap().primary.clone();
    Caller::connect(place.local.https(), place.local.ca_file(), &token("localhost", &key, Some(name))).await
}

/// The device itself, over HTTPS.
pub async fn device(place: &Place, id: &TwinId) -> Caller {
    Caller::connect(place.local.https(), place.local.ca_file(), &device_token(id, KEY, now_s() + 600)).await
}

/// Sends a JSON value to `d`; it is taken.
pub async fn send(caller: &mut Caller, headers: &[(&str, &str)], body: Value) {
    let reply = caller.call("POST", BOUND, headers, Some(&body)).await;
    assert_eq!((reply.status, reply.body.as_slice()), (204, &[][..]), "{}", reply.text());
}

/// How many wait for `d`, as its identity tells.
pub async fn waiting(caller: &mut Caller) -> u64 {
    caller.get("/devices/d").await.ok()["cloudToDeviceMessageCount"].as_u64().unwrap()
}

/// Subscribes `d` to its messages.
pub async fn listen(client: &mut Tls, qos: u8) {
    client.ask(&wire::subscribe(1, &[(FILTER, qos)]), Got::SubAck(1, vec![qos])).await;
}

/// A delivery as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivered {
    /// 0x32, or 0x3a with DUP.
    pub first: u8,
    pub packet_id: u16,
    pub topic: String,
    pub body: Value,
}

/// The next message a client gets by QoS 1.
pub async fn delivered(client: &mut Tls) -> Delivered {
    match client.get().await {
        Got::Publish(first @ (0x32 | 0x3a), topic, payload) => Delivered {
            first,
            packet_id: u16::from_be_bytes([payload[0], payload[1]]),
            topic,
            body: serde_json::from_slice(&payload[2..]).unwrap(),
        },
        other => panic!("no message: {other:?}"),
    }
}

pub fn acknowledge(packet_id: u16) -> Vec<u8> {
    wire::packet(0x40, &packet_id.to_be_bytes())
}

/// The records of a batch of feedback, and its lock; `None` when there is none.
pub async fn feedback(caller: &mut Caller) -> Option<(Vec<Value>, String)> {
    let reply = caller.get("/messages/serviceBound/feedback").await;
    if reply.status == 204 {
        assert_eq!(reply.body, b"");
        return None;
    }
    assert_eq!(reply.header("content-type"), Some("application/vnd.microsoft.iothub.feedback.json"));
    let records = reply.ok().as_array().unwrap().clone();
    Some((records, lock(&reply)))
}

/// The token in the answer's `ETag`, without its quotes.
pub fn lock(reply: &Reply) -> String {
    let etag = reply.header("etag").unwrap();
    etag.strip_prefix('"').and_then(|etag| etag.strip_suffix('"')).unwrap().to_owned()
}

/// So many seconds from now, as a header says it.
pub fn in_seconds(seconds: u64) -> String {
    Moment::at(now_s() + seconds, 0).text
}

/// Body of the message number `n`.
pub fn numbered(n: u64) -> Value {
    json!({ "n": n })
}
