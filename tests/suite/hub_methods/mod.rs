//! Direct methods through the hub: raw HTTP on one side, raw MQTT on the other.

mod bounds;
mod calls;
mod waits;

use crate::hub_mqtt::place::{Place, Tls};
use crate::hub_mqtt::wire::{self, Got};
use crate::support::{Caller, Reply, token};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use twinscope::twin::TwinId;

pub const METHODS: &str = "$iothub/methods/POST/#";

/// A caller with the key of this policy.
pub async fn caller(place: &Place, policy: &str) -> Caller {
    let key = place.local.hub().policies().by_name(policy).unwrap().primary.clone();
    Caller::connect(place.local.https(), place.local.ca_file(), &token("localhost", &key, Some(policy))).await
}

pub fn path(id: &TwinId) -> String {
    match &id.module {
        None => format!("/twins/{}/methods", id.device),
        Some(module) => format!("/twins/{}/modules/{module}/methods", id.device),
    }
}

/// Calls a method; the answer comes when it comes.
pub async fn invoke(place: &Place, id: &TwinId, body: Value) -> JoinHandle<Reply> {
    let (mut caller, path) = (caller(place, "service").await, path(id));
    tokio::spawn(async move { caller.post(&path, body).await })
}

/// Calls a method and waits for the answer.
pub async fn ask(place: &Place, id: &TwinId, body: Value) -> Reply {
    invoke(place, id, body).await.await.unwrap()
}

/// A client that hears of methods.
pub async fn listener(place: &Place, id: &TwinId) -> Tls {
    let mut client = place.connect(id).await;
    listen(&mut client, METHODS).await;
    client
}

pub async fn listen(client: &mut Tls, filter: &str) {
    client.ask(&wire::subscribe(1, &[(filter, 1)]), Got::SubAck(1, vec![1])).await;
}

/// The next call a client gets: name as it stands in the topic, request id, payload as text.
pub async fn called(client: &mut Tls) -> (String, String, String) {
    match client.get().await {
        // QoS 0, whatever was granted.
        Got::Publish(0x30, topic, payload) => {
            let rest = topic.strip_prefix("$iothub/methods/POST/").unwrap();
            let (name, rid) = rest.split_once("/?$rid=").unwrap();
            assert!(!rid.is_empty());
            (name.to_owned(), rid.to_owned(), String::from_utf8(payload).unwrap())
        }
        other => panic!("no call: {other:?}"),
    }
}

pub fn response(rid: &str, status: &str, payload: &str) -> Vec<u8> {
    wire::publish(0x30, 0, &format!("$iothub/methods/res/{status}/?$rid={rid}"), payload.as_bytes())
}

/// Asserts a refusal in the envelope of methods: JSON within the text of `Message`.
pub fn refused(reply: &Reply, status: u16, number: u64, name: &str) -> Value {
    assert_eq!((reply.status, reply.header("iothub-errorcode")), (status, Some(name)), "{}", reply.text());
    let outer = reply.json();
    assert_eq!(outer["ExceptionMessage"], "");
    let inner: Value = serde_json::from_str(outer["Message"].as_str().unwrap()).unwrap();
    assert_eq!(inner["errorCode"], json!(number));
    assert_eq!(inner["trackingId"].as_str().unwrap().len(), 32);
    assert!(inner["message"].is_string() && inner["timestampUtc"].is_string() && inner["info"].is_object());
    inner
}
