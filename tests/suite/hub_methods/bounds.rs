//! What is refused for its size, number or form.

use super::{ask, called, invoke, listener, path, refused, response};
use crate::hub_mqtt::place::{Place, eventually, greeting};
use crate::hub_mqtt::wire::{self, Got};
use serde_json::{Value, json};
use std::sync::Arc;
use twinscope::local_hub::methods;
use twinscope::local_hub::mqtt::Limits;
use twinscope::protocol::error::ErrorCode;
use twinscope::protocol::method::{MethodCall, PAYLOAD_MAX};

#[tokio::test]
async fn calls_that_cannot_be_made() {
    let (place, id) = Place::with_device().await;
    let named = |more: Value| {
        let mut call = json!({"methodName": "m"});
        call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call
    };
    let wrong = [
        json!([]),
        json!("m"),
        json!({}),
        json!({"methodName": null}),
        json!({"methodName": ""}),
        json!({"methodName": 5}),
        json!({"methodName": "a b"}),
        json!({"methodName": "a/b"}),
        json!({"methodName": "é"}),
        json!({"methodName": "a\u{0}"}),
        json!({"methodName": "x".repeat(2000)}),
        named(json!({"responseTimeoutInSeconds": 4})),
        named(json!({"responseTimeoutInSeconds": 301})),
        named(json!({"responseTimeoutInSeconds": -30})),
        named(json!({"responseTimeoutInSeconds": "4"})),
        named(json!({"responseTimeoutInSeconds": "30 s"})),
        named(json!({"responseTimeoutInSeconds": 5.5})),
        named(json!({"responseTimeoutInSeconds": 65566})),
        named(json!({"connectTimeoutInSeconds": -1})),
        named(json!({"responseTimeoutInSeconds": 300, "connectTimeoutInSeconds": 301})),
        named(json!({"responseTimeoutInSeconds": 10, "connectTimeoutInSeconds": 11})),
        // More than the 30 s that a call has which names none.
        named(json!({"connectTimeoutInSeconds": 31})),
    ];
    for call in wrong {
        let reply = ask(&place, &id, call).await;
        refused(&reply, 400, 400_004, "ArgumentInvalid");
    }
    for call in [
        named(json!({"responseTimeoutInSeconds": null, "connectTimeoutInSeconds": null})),
        named(json!({"responseTimeoutInSeconds": 5, "other": {"field": 1}})),
        named(json!({"responseTimeoutInSeconds": 300})),
        json!({"methodName": "x".repeat(1025)}),
    ] {
        refused(&ask(&place, &id, call).await, 404, 404_103, "DeviceNotOnline");
    }
    let mut owner = super::caller(&place, "service").await;
    let reply = owner.call("POST", &path(&id), &[], None).await;
    refused(&reply, 400, 400_004, "ArgumentInvalid");
}

/// A string that makes this many bytes of JSON.
fn text(bytes: usize) -> String {
    "x".repeat(bytes - 2)
}

#[tokio::test]
async fn payloads_of_128_kb_and_one_byte_more() {
    let (place, id) = Place::with_device().await;
    let mut client = listener(&place, &id).await;
    let reply = ask(&place, &id, json!({"methodName": "m", "payload": text(PAYLOAD_MAX + 1)})).await;
    refused(&reply, 413, 413_001, "MessageTooLarge");
    let reply = ask(&place, &id, json!({"methodName": "m", "payload": text(600 * 1024)})).await;
    refused(&reply, 413, 413_001, "MessageTooLarge");
    client.expect_quiet().await;
    let largest = text(PAYLOAD_MAX);
    let reply = invoke(&place, &id, json!({"methodName": "m", "payload": largest})).await;
    let (_, rid, payload) = called(&mut client).await;
    assert_eq!(payload.len(), PAYLOAD_MAX);
    client.send(&response(&rid, "200", &payload)).await;
    assert_eq!(reply.await.unwrap().ok()["payload"], json!(largest));
    // The size that counts is that of the text, not of how the caller escaped it.
    let mut caller = super::caller(&place, "service").await;
    let umlauts = "ö".repeat(PAYLOAD_MAX / 2 - 1);
    let call = json!({"methodName": "m", "payload": umlauts});
    let path = path(&id);
    let reply = tokio::spawn(async move { caller.post(&path, call).await });
    let (_, rid, payload) = called(&mut client).await;
    assert_eq!(payload.len(), PAYLOAD_MAX);
    client.send(&response(&rid, "200", "")).await;
    reply.await.unwrap().ok();
}

#[tokio::test]
async fn answers_that_are_none() {
    let (place, id) = Place::with_device().await;
    let mut client = listener(&place, &id).await;
    let deep = "[".repeat(50_000);
    let large = format!("\"{}\"", text(PAYLOAD_MAX + 1));
    for payload in ["text", "{", "{} {}", "\"\\ud800\"", "\u{0}", &deep, &large] {
        let reply = invoke(&place, &id, json!({"methodName": "m"})).await;
        let (_, rid, _) = called(&mut client).await;
        client.send(&response(&rid, "200", payload)).await;
        refused(&reply.await.unwrap(), 502, 502_101, "InvalidResponseWhileProxying");
    }
    // The connection is none the worse for it.
    client.expect_quiet().await;
    let reply = invoke(&place, &id, json!({"methodName": "m"})).await;
    let (_, rid, _) = called(&mut client).await;
    client.send(&wire::publish(0x30, 0, &format!("$iothub/methods/res/200/?$rid={rid}"), b"\xff")).await;
    refused(&reply.await.unwrap(), 502, 502_101, "InvalidResponseWhileProxying");
}

#[tokio::test]
async fn too_many_calls_of_one_identity() {
    let (place, id) = Place::with_device().await;
    let other = twinscope::twin::TwinId::module("d", "m");
    place.create(&other).await;
    let mut client = listener(&place, &id).await;
    let mut waiting = Vec::new();
    for n in 0..100 {
        let (hub, id) = (Arc::clone(place.local.hub()), id.clone());
        waiting.push(tokio::spawn(async move { methods::call(&hub, &id, &MethodCall::new("m", json!(n))).await }));
    }
    eventually("all wait", || place.local.hub().calls().in_flight() == 100).await;
    refused(&ask(&place, &id, json!({"methodName": "m"})).await, 403, 403_800, "DeviceMaximumInflightMethodExceeded");
    // Not the module's.
    refused(&ask(&place, &other, json!({"methodName": "m"})).await, 404, 404_103, "DeviceNotOnline");
    for _ in 0..100 {
        let (_, rid, payload) = called(&mut client).await;
        client.send(&response(&rid, "200", &payload)).await;
    }
    for (n, answer) in waiting.into_iter().enumerate() {
        assert_eq!(answer.await.unwrap().unwrap().payload, json!(n));
    }
    refused(&ask(&place, &other, json!({"methodName": "m"})).await, 404, 404_103, "DeviceNotOnline");
    assert_eq!(place.local.hub().calls().in_flight(), 0);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_called_no_more() {
    let (place, id) = Place::with_device().await;
    let (mut client, _end) = place.pipe(Limits::default(), 1024);
    client.ask(&greeting(&id).bytes(), Got::ConnAck(0, 0)).await;
    client.ask(&wire::subscribe(1, &[(super::METHODS, 0)]), Got::SubAck(1, vec![0])).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (hub, id) = (Arc::clone(place.local.hub()), id.clone());
        let call = MethodCall::new("m", json!(text(PAYLOAD_MAX)));
        calls.spawn(async move { methods::call(&hub, &id, &call).await });
    }
    // Some wait for an answer; those beyond what may wait for one connection are refused at once.
    let refused = calls.join_next().await.unwrap().unwrap().unwrap_err();
    assert_eq!(refused.code, ErrorCode::DEVICE_MAXIMUM_INFLIGHT_METHOD_EXCEEDED);
    calls.shutdown().await;
    assert_eq!(place.local.hub().calls().in_flight(), 0);
}
