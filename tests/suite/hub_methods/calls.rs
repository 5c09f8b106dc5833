//! Calls that are answered, and what both sides get to see.

use super::{METHODS, ask, called, caller, invoke, listen, listener, path, refused, response};
use crate::hub_mqtt::place::{Place, greeting, kept};
use crate::hub_mqtt::wire::{self, DISCONNECT, Got};
use crate::support::Raw;
use serde_json::json;
use twinscope::twin::TwinId;

#[tokio::test]
async fn devices_and_modules_are_called_and_answer() {
    let (place, device) = Place::with_device().await;
    let module = TwinId::module("d", "m");
    place.create(&module).await;
    let mut both = Vec::new();
    for id in [&device, &module] {
        both.push((id, listener(&place, id).await));
    }
    for (id, mut client) in both {
        let call = json!({"methodName": "reboot", "payload": {"delay": [1, 2]}, "responseTimeoutInSeconds": 15});
        let reply = invoke(&place, id, call).await;
        let (name, rid, payload) = called(&mut client).await;
        assert_eq!((name.as_str(), payload.as_str()), ("reboot", r#"{"delay":[1,2]}"#));
        client.send(&response(&rid, "200", r#"{"ok":true}"#)).await;
        let reply = reply.await.unwrap();
        assert_eq!(reply.ok(), json!({"status": 200, "payload": {"ok": true}}));
        assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
        assert!(reply.header("x-ms-request-id").is_some());
        client.expect_quiet().await;
    }
}

#[tokio::test]
async fn the_status_is_the_devices_own() {
    let (place, id) = Place::with_device().await;
    let mut client = listener(&place, &id).await;
    for status in ["500", "404", "0", "-1", "2147483647"] {
        let reply = invoke(&place, &id, json!({"methodName": "m"})).await;
        let (_, rid, _) = called(&mut client).await;
        // Of QoS 1, as Python answers: acknowledged.
        let topic = format!("$iothub/methods/res/{status}/?$rid={rid}");
        client.ask(&wire::publish(0x32, 7, &topic, b""), Got::PubAck(7)).await;
        let expected = format!(r#"{{"status":{status},"payload":null}}"#);
        let reply = reply.await.unwrap();
        assert_eq!((reply.status, reply.text()), (200, expected));
    }
}

#[tokio::test]
async fn payloads_come_as_they_were_spelled() {
    let (place, id) = Place::with_device().await;
    let mut client = listener(&place, &id).await;
    // In the body, to the device, from the device, to the caller.
    let cases = [
        (r#","payload":null"#, "null", "null", "null"),
        ("", "null", "", "null"),
        (r#","payload":"""#, r#""""#, r#""""#, r#""""#),
        (
            r#","payload":[1e+2, 1.50, 12345678901234567890123]"#,
            "[1e+2,1.50,12345678901234567890123]",
            "1.0E-7",
            "1.0E-7",
        ),
        (r#","payload":{"b":"\u00e9","a":{"b":[]}}"#, r#"{"b":"é","a":{"b":[]}}"#, " {\"b\": 1} ", r#"{"b":1}"#),
        (r#","payload":"text""#, r#""text""#, "false", "false"),
    ];
    for (written, told, said, answered) in cases {
        let mut raw = Raw::connect(place.local.https(), place.local.ca_file()).await;
        let key = place.local.hub().policies().by_name("service").unwrap().primary.clone();
        let token = crate::support::token("localhost", &key, Some("service"));
        let body = format!(r#"{{"methodName":"m"{written}}}"#);
        raw.send(
            format!(
                "POST {}?api-version=2021-04-12 HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\nContent-Length: {}\r\n\r\n{body}",
                path(&id),
                body.len()
            )
            .as_bytes(),
        )
        .await;
        let (_, rid, payload) = called(&mut client).await;
        assert_eq!(payload, told, "{body}");
        client.send(&response(&rid, "200", said)).await;
        let reply = raw.read().await.unwrap();
        assert_eq!(reply.text(), format!(r#"{{"status":200,"payload":{answered}}}"#), "{said}");
    }
}

#[tokio::test]
async fn names_stand_in_the_topic_as_they_are_where_they_can() {
    let (place, id) = Place::with_device().await;
    let mut client = listener(&place, &id).await;
    for (name, written) in [
        ("getMaxMinReport", "getMaxMinReport"),
        ("comp*reboot", "comp*reboot"),
        ("a-b_c.d!~'&^`|", "a-b_c.d!~'&^`|"),
        ("50%+#", "50%25%2B%23"),
    ] {
        let reply = invoke(&place, &id, json!({"methodName": name})).await;
        let (in_topic, rid, _) = called(&mut client).await;
        assert_eq!(in_topic, written);
        client.send(&response(&rid, "200", "1")).await;
        assert_eq!(reply.await.unwrap().ok()["payload"], 1);
    }
}

#[tokio::test]
async fn a_client_may_subscribe_to_one_method_alone() {
    let (place, id) = Place::with_device().await;
    let mut client = place.connect(&id).await;
    // Neither a filter that matches nothing here, nor general wildcards, nor the one of another method.
    for filter in
        ["$iothub/methods/#", "$iothub/methods/POST/+/#", "#", "$iothub/methods/POST/other/#", "$iothub/twin/res/#"]
    {
        listen(&mut client, filter).await;
        let reply = ask(&place, &id, json!({"methodName": "one"})).await;
        refused(&reply, 404, 404_103, "DeviceNotOnline");
    }
    listen(&mut client, "$iothub/methods/POST/one/#").await;
    let reply = invoke(&place, &id, json!({"methodName": "one"})).await;
    let (_, rid, _) = called(&mut client).await;
    client.send(&response(&rid, "201", "{}")).await;
    assert_eq!(reply.await.unwrap().ok()["status"], 201);
    client.ask(&wire::unsubscribe(2, &["$iothub/methods/POST/one/#"]), Got::UnsubAck(2)).await;
    refused(&ask(&place, &id, json!({"methodName": "one"})).await, 404, 404_103, "DeviceNotOnline");
}

#[tokio::test]
async fn calls_cross_each_other_and_find_their_answers() {
    let (place, id) = Place::with_device().await;
    let mut client = listener(&place, &id).await;
    let mut replies = Vec::new();
    let mut rids = Vec::new();
    for n in 0..8 {
        replies.push(invoke(&place, &id, json!({"methodName": "echo", "payload": n})).await);
        let (_, rid, payload) = called(&mut client).await;
        rids.push((rid, payload));
    }
    for (rid, payload) in rids.iter().rev() {
        client.send(&response(rid, "200", payload)).await;
    }
    for (n, reply) in replies.into_iter().enumerate() {
        assert_eq!(reply.await.unwrap().ok()["payload"], json!(n));
    }
    assert_eq!(place.local.hub().calls().in_flight(), 0);
}

#[tokio::test]
async fn only_the_called_identity_answers_and_only_once() {
    let (place, id) = Place::with_device().await;
    let other = TwinId::module("d", "m");
    place.create(&other).await;
    let mut client = listener(&place, &id).await;
    let mut stranger = listener(&place, &other).await;
    let reply = invoke(&place, &id, json!({"methodName": "m"})).await;
    let (_, rid, _) = called(&mut client).await;
    stranger.send(&response(&rid, "200", r#""stranger""#)).await;
    stranger.expect_quiet().await;
    for rid in ["0", "ffffffffffffffffff", "%31", "-1", ""] {
        client.send(&response(rid, "200", r#""another call""#)).await;
    }
    client.send(&wire::publish(0x30, 0, &format!("$iothub/methods/res/?$rid={rid}"), b"1")).await;
    client.send(&wire::publish(0x30, 0, &format!("$iothub/methods/res/200a/?$rid={rid}"), b"2")).await;
    client.send(&response(&rid, "200", r#""mine""#)).await;
    client.send(&response(&rid, "200", r#""again""#)).await;
    client.expect_quiet().await;
    assert_eq!(reply.await.unwrap().ok()["payload"], "mine");
}

#[tokio::test]
async fn what_cannot_be_called() {
    let (place, id) = Place::with_device().await;
    let call = json!({"methodName": "m", "connectTimeoutInSeconds": 0});
    let inner = refused(&ask(&place, &id, call.clone()).await, 404, 404_103, "DeviceNotOnline");
    assert_eq!(inner["message"], "Timed out waiting for device to connect.");
    for missing in [TwinId::device("nobody"), TwinId::module("d", "nobody"), TwinId::module("nobody", "m")] {
        refused(&ask(&place, &missing, call.clone()).await, 404, 404_001, "DeviceNotFound");
    }
    // Nothing is queued: a client that comes later hears nothing of it.
    let mut client = listener(&place, &id).await;
    client.expect_quiet().await;
    // A kept subscription is worth nothing without a connection.
    drop(client);
    place.wait_gone(&id).await;
    let mut client = place.dial().await;
    client.ask(&kept(&id).bytes(), Got::ConnAck(0, 0)).await;
    listen(&mut client, METHODS).await;
    client.send(DISCONNECT).await;
    place.wait_gone(&id).await;
    refused(&ask(&place, &id, call.clone()).await, 404, 404_103, "DeviceNotOnline");
    // Connected, and not subscribed.
    let mut client = place.dial().await;
    client.ask(&greeting(&id).bytes(), Got::ConnAck(0, 0)).await;
    refused(&ask(&place, &id, call.clone()).await, 404, 404_103, "DeviceNotOnline");
    // A disabled device is not waited for.
    place.update(&id, "disabled", crate::hub_mqtt::place::KEY).await;
    let patient = json!({"methodName": "m", "responseTimeoutInSeconds": 300, "connectTimeoutInSeconds": 300});
    refused(&ask(&place, &id, patient).await, 404, 404_103, "DeviceNotOnline");
}

#[tokio::test]
async fn it_takes_service_connect() {
    let (place, id) = Place::with_device().await;
    let call = json!({"methodName": "m"});
    for (policy, status, number, name) in [
        ("service", 404, 404_103, "DeviceNotOnline"),
        ("iothubowner", 404, 404_103, "DeviceNotOnline"),
        ("device", 401, 401_002, "IotHubUnauthorizedAccess"),
        ("registryReadWrite", 401, 401_002, "IotHubUnauthorizedAccess"),
    ] {
        let reply = caller(&place, policy).await.post(&path(&id), call.clone()).await;
        refused(&reply, status, number, name);
    }
    let reply = caller(&place, "service").await.get(&path(&id)).await;
    assert_eq!(reply.status, 405);
}
