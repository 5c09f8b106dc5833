//! Direct methods.

use crate::hub_methods::{ask, called, invoke, listen, listener, refused, response};
use crate::hub_mqtt::place::{Place, eventually};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use twinscope::twin::TwinId;

#[tokio::test]
async fn a_call_is_200_whatever_the_device_answers() {
    let (place, id) = Place::with_device().await;
    let mut client = listener(&place, &id).await;
    for status in ["404", "500", "-1"] {
        let reply = invoke(&place, &id, json!({"methodName": "m"})).await;
        let (_, rid, _) = called(&mut client).await;
        client.send(&response(&rid, status, r#"{"why":1}"#)).await;
        let reply = reply.await.unwrap();
        let expected = format!(r#"{{"status":{status},"payload":{{"why":1}}}}"#);
        assert_eq!((reply.status, reply.text()), (200, expected));
    }
}

#[tokio::test]
async fn the_error_of_a_call_is_json_within_a_text() {
    let (place, id) = Place::with_device().await;
    let nobody = ask(&place, &TwinId::device("nobody"), json!({"methodName": "m"})).await;
    let offline = ask(&place, &id, json!({"methodName": "m"})).await;
    for (reply, number) in [(nobody, 404_001), (offline, 404_103)] {
        assert_eq!(reply.status, 404);
        let outer = reply.json();
        assert_eq!(outer["ExceptionMessage"], "");
        let inner: Value = serde_json::from_str(outer["Message"].as_str().unwrap()).unwrap();
        assert_eq!(inner["errorCode"], number);
        assert!(inner["message"].is_string() && inner["trackingId"].is_string(), "{inner}");
    }
}

#[tokio::test]
async fn a_call_is_not_queued() {
    let (place, id) = Place::with_device().await;
    let begun = Instant::now();
    let reply = ask(&place, &id, json!({"methodName": "m", "responseTimeoutInSeconds": 300})).await;
    let inner = refused(&reply, 404, 404_103, "DeviceNotOnline");
    assert!(inner["message"].as_str().unwrap().contains("Timed out") && begun.elapsed() < Duration::from_mins(1));
    let mut client = listener(&place, &id).await;
    client.expect_quiet().await;
    // A client that is there without a subscription is not there.
    let module = TwinId::module("d", "m");
    place.create(&module).await;
    let mut silent = place.connect(&module).await;
    refused(&ask(&place, &module, json!({"methodName": "m"})).await, 404, 404_103, "DeviceNotOnline");
    // With a connect timeout the call waits until it is.
    let call = json!({"methodName": "m", "responseTimeoutInSeconds": 60, "connectTimeoutInSeconds": 60});
    let reply = invoke(&place, &module, call).await;
    eventually("the call waits", || place.local.hub().calls().in_flight() == 1).await;
    listen(&mut silent, crate::hub_methods::METHODS).await;
    let (_, rid, _) = called(&mut silent).await;
    silent.send(&response(&rid, "200", "1")).await;
    assert_eq!(reply.await.unwrap().ok()["payload"], 1);
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_a_bad_gateway() {
    let (place, id) = Place::with_device().await;
    let mut client = listener(&place, &id).await;
    for (payload, good) in [("done", false), ("\"done\"", true), ("", true)] {
        let reply = invoke(&place, &id, json!({"methodName": "m"})).await;
        let (_, rid, _) = called(&mut client).await;
        client.send(&response(&rid, "200", payload)).await;
        let reply = reply.await.unwrap();
        if good {
            assert_eq!(reply.ok()["status"], 200, "{payload}");
        } else {
            refused(&reply, 502, 502_101, "InvalidResponseWhileProxying");
        }
    }
}
