//! Calls that wait: for a client to come, for its answer, and until one of the three goes away.

use super::{METHODS, called, invoke, listen, listener, refused, response};
use crate::hub_mqtt::place::{Place, eventually, greeting, kept};
use crate::hub_mqtt::wire::{self, DISCONNECT, Got};
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn the_connect_timeout_waits_for_a_client_that_comes_and_subscribes() {
    let (place, id) = Place::with_device().await;
    let call = json!({"methodName": "m", "responseTimeoutInSeconds": 60, "connectTimeoutInSeconds": 60});
    let reply = invoke(&place, &id, call).await;
    eventually("the call waits", || place.local.hub().calls().in_flight() == 1).await;
    // Coming is not enough, nor is another subscription.
    let mut client = place.connect_twin(&id).await;
    client.expect_quiet().await;
    assert!(!reply.is_finished());
    listen(&mut client, METHODS).await;
    let (_, rid, _) = called(&mut client).await;
    client.send(&response(&rid, "200", "true")).await;
    assert_eq!(reply.await.unwrap().ok()["payload"], true);
}

#[tokio::test]
async fn the_connect_timeout_waits_for_a_client_with_a_kept_subscription() {
    let (place, id) = Place::with_device().await;
    let mut client = place.dial().await;
    client.ask(&kept(&id).bytes(), Got::ConnAck(0, 0)).await;
    listen(&mut client, METHODS).await;
    client.send(DISCONNECT).await;
    client.expect_end().await;
    place.wait_gone(&id).await;
    let call = json!({"methodName": "m", "responseTimeoutInSeconds": 60, "connectTimeoutInSeconds": 60});
    let replies = [invoke(&place, &id, call.clone()).await, invoke(&place, &id, call).await];
    eventually("the calls wait", || place.local.hub().calls().in_flight() == 2).await;
    // The call follows the CONNACK.
    let mut client = place.dial().await;
    client.ask(&kept(&id).bytes(), Got::ConnAck(1, 0)).await;
    for _ in 0..2 {
        let (_, rid, _) = called(&mut client).await;
        client.send(&response(&rid, "200", "true")).await;
    }
    for reply in replies {
        assert_eq!(reply.await.unwrap().ok()["payload"], true);
    }
}

#[tokio::test]
async fn nobody_comes() {
    let (place, id) = Place::with_device().await;
    let begun = Instant::now();
    let call = json!({"methodName": "m", "responseTimeoutInSeconds": 5, "connectTimeoutInSeconds": 1});
    let reply = invoke(&place, &id, call).await.await.unwrap();
    refused(&reply, 404, 404_103, "DeviceNotOnline");
    assert!((1..4).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!(place.local.hub().calls().in_flight(), 0);
}

#[tokio::test]
async fn no_answer_and_a_late_one() {
    let (place, id) = Place::with_device().await;
    let mut client = listener(&place, &id).await;
    let begun = Instant::now();
    let reply = invoke(&place, &id, json!({"methodName": "m", "responseTimeoutInSeconds": 5})).await;
    let (_, rid, _) = called(&mut client).await;
    let inner = refused(&reply.await.unwrap(), 504, 504_101, "GatewayTimeout");
    assert_eq!(inner["message"], "Timed out waiting for the response from device.");
    assert!((5..8).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    let topic = format!("$iothub/methods/res/200/?$rid={rid}");
    client.ask(&wire::publish(0x32, 3, &topic, b"{}"), Got::PubAck(3)).await;
    // The next call has its own answer.
    let reply = invoke(&place, &id, json!({"methodName": "m"})).await;
    let (_, next, _) = called(&mut client).await;
    assert_ne!(rid, next);
    client.send(&response(&rid, "200", "1")).await;
    client.send(&response(&next, "200", "2")).await;
    assert_eq!(reply.await.unwrap().ok()["payload"], 2);
}

#[tokio::test]
async fn a_caller_that_goes_away_is_forgotten() {
    let (place, id) = Place::with_device().await;
    let mut client = listener(&place, &id).await;
    for call in [
        json!({"methodName": "m", "responseTimeoutInSeconds": 300}),
        // And one that still waits for its device.
        json!({"methodName": "m", "responseTimeoutInSeconds": 300, "connectTimeoutInSeconds": 300}),
    ] {
        let reply = invoke(&place, &id, call).await;
        eventually("the call waits", || place.local.hub().calls().in_flight() == 1).await;
        reply.abort();
        eventually("the call is forgotten", || place.local.hub().calls().in_flight() == 0).await;
        if place.is_connected(&id) {
            let (_, rid, _) = called(&mut client).await;
            client.send(&response(&rid, "200", "1")).await;
            client.send(DISCONNECT).await;
            client.expect_end().await;
            place.wait_gone(&id).await;
        }
    }
}

#[tokio::test]
async fn a_client_that_drops_during_a_call_and_stays_away() {
    let (place, id) = Place::with_device().await;
    let mut client = listener(&place, &id).await;
    let reply = invoke(&place, &id, json!({"methodName": "m", "responseTimeoutInSeconds": 300})).await;
    called(&mut client).await;
    let begun = Instant::now();
    drop(client);
    refused(&reply.await.unwrap(), 404, 404_104, "DeviceConnectionClosedRemotely");
    assert!((4..20).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_client_that_comes_back_during_a_call_still_answers() {
    let (place, id) = Place::with_device().await;
    let mut client = listener(&place, &id).await;
    let reply = invoke(&place, &id, json!({"methodName": "m", "responseTimeoutInSeconds": 60})).await;
    let (_, rid, _) = called(&mut client).await;
    // A takeover, as SDKs do to renew their token, then a plain drop.
    let mut second = place.dial().await;
    second.ask(&greeting(&id).bytes(), Got::ConnAck(0, 0)).await;
    client.expect_end().await;
    drop(second);
    place.wait_gone(&id).await;
    let mut third = place.connect(&id).await;
    // Longer than a client may stay away: it is back, so it has all the time the call has.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(!reply.is_finished());
    third.send(&response(&rid, "200", "3")).await;
    assert_eq!(reply.await.unwrap().ok()["payload"], 3);
}
