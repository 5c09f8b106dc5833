//! One connection per identity, and what is kept of it.

use super::place::{KEY, OTHER_KEY, Over, Place, eventually, greeting, kept, token};
use super::wire::{self, DISCONNECT, Got, PATIENCE};
use futures_util::FutureExt;
use serde_json::json;
use twinscope::local_hub::mqtt::{End, Limits};
use twinscope::twin::{ConnectionState, TwinId};

const DESIRED: &str = "$iothub/twin/PATCH/properties/desired/#";

#[tokio::test]
async fn a_new_connection_closes_the_old_one_before_it_is_greeted() {
    let (place, id) = Place::with_device().await;
    let (mut old, old_end) = place.pipe(Limits::default(), 4096);
    old.ask(&greeting(&id).bytes(), Got::ConnAck(0, 0)).await;
    let mut new = place.connect_pipe(&id).await;
    // The pipe has no delay: what the server did before the new one's CONNACK can be seen at once.
    assert_eq!(old.get().now_or_never(), Some(Got::End));
    assert_eq!(old_end.await.unwrap(), End::Evicted);
    new.expect_quiet().await;
    assert!(place.is_connected(&id));
    assert_eq!(place.connection_state(&id), ConnectionState::Connected);
    assert_eq!(place.local.hub().sessions().connected_count(), 1);
}

#[tokio::test]
async fn a_refused_connection_takes_nothing_over() {
    for over in Over::BOTH {
        let (place, id) = Place::with_device_over(over).await;
        let mut good = place.connect(&id).await;
        let mut thief = place.dial().await;
        let mut connect = greeting(&id);
        connect.password = Some(token(&id, OTHER_KEY, super::place::now_s() + 60));
        thief.ask(&connect.bytes(), Got::ConnAck(0, 5)).await;
        good.expect_quiet().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_stays() {
    let (place, id) = Place::with_device().await;
    let mut pipes = Vec::new();
    for _ in 0..30 {
        let (mut pipe, end) = place.pipe(Limits::default(), 4096);
        pipe.send(&kept(&id).bytes()).await;
        pipes.push((pipe, end));
    }
    let sessions = place.local.hub().sessions();
    eventually("29 connections ended", || pipes.iter().filter(|(_, end)| end.is_finished()).count() == 29).await;
    eventually("one is connected", || place.is_connected(&id)).await;
    assert_eq!(sessions.connected_count(), 1);
    assert_eq!(place.connection_state(&id), ConnectionState::Connected);
    pipes.retain(|(_, end)| !end.is_finished());
    let (mut last, end) = pipes.pop().unwrap();
    last.send(DISCONNECT).await;
    assert_eq!(end.await.unwrap(), End::Disconnected);
    assert_eq!(sessions.connected_count(), 0);
    assert_eq!(place.connection_state(&id), ConnectionState::Disconnected);
}

/// Connects so, subscribes to desired changes, and leaves.
async fn subscribed(place: &Place, id: &TwinId, connect: wire::Connect) {
    let mut wire = place.dial().await;
    wire.ask(&connect.bytes(), Got::ConnAck(0, 0)).await;
    wire.ask(&wire::subscribe(1, &[(DESIRED, 1)]), Got::SubAck(1, vec![1])).await;
    wire.send(DISCONNECT).await;
    wire.expect_end().await;
    place.wait_gone(id).await;
}

#[tokio::test]
async fn subscriptions_are_kept_for_who_asks_for_it() {
    for over in Over::BOTH {
        let (place, id) = Place::with_device_over(over).await;
        let cases = [
            // First connection, second connection, session present, subscribed.
            (kept(&id), kept(&id), 1, true),
            (kept(&id), greeting(&id), 0, false),
            (greeting(&id), kept(&id), 0, false),
            (greeting(&id), greeting(&id), 0, false),
        ];
        for (n, (first, second, present, hears)) in cases.into_iter().enumerate() {
            // Without a trace of the case before.
            subscribed(&place, &id, greeting(&id)).await;
            subscribed(&place, &id, first).await;
            let mut wire = place.dial().await;
            wire.ask(&second.bytes(), Got::ConnAck(present, 0)).await;
            place.desire(&id, json!({"n": n})).await;
            if hears {
                assert_eq!(wire.message().await.1["n"], n, "case {n}");
            }
            wire.expect_quiet().await;
        }
    }
}

#[tokio::test]
async fn a_kept_session_outlives_takeover_and_loss() {
    for over in Over::BOTH {
        let (place, id) = Place::with_device_over(over).await;
        subscribed(&place, &id, kept(&id)).await;
        let mut first = place.dial().await;
        first.ask(&kept(&id).bytes(), Got::ConnAck(1, 0)).await;
        let mut second = place.dial().await;
        second.ask(&kept(&id).bytes(), Got::ConnAck(1, 0)).await;
        first.expect_end().await;
        drop(second);
        place.wait_gone(&id).await;
        let mut third = place.dial().await;
        third.ask(&kept(&id).bytes(), Got::ConnAck(1, 0)).await;
        place.desire(&id, json!({"a": 1})).await;
        assert_eq!(third.message().await.1, json!({"a": 1, "$version": 2}));
    }
}

#[tokio::test]
async fn what_was_unsubscribed_stays_unsubscribed() {
    for over in Over::BOTH {
        let (place, id) = Place::with_device_over(over).await;
        let mut wire = place.connect_twin(&id).await;
        wire.ask(&wire::unsubscribe(9, &[DESIRED, "never/had"]), Got::UnsubAck(9)).await;
        place.desire(&id, json!({"a": 1})).await;
        wire.expect_quiet().await;
        wire.ask(&wire::subscribe(10, &[(DESIRED, 0)]), Got::SubAck(10, vec![0])).await;
        place.desire(&id, json!({"a": 2})).await;
        assert_eq!(wire.message().await.1["$version"], 3);
    }
}

#[tokio::test]
async fn an_identity_that_loses_its_right_is_cut_off() {
    for over in Over::BOTH {
        let (place, id) = Place::with_device_over(over).await;
        let module = TwinId::module("d", "m");
        place.create(&module).await;
        let refused = |code| Got::ConnAck(0, code);

        let mut wire = place.connect(&id).await;
        let mut of_module = place.connect(&module).await;
        place.update(&id, "disabled", KEY).await;
        wire.expect_end().await;
        of_module.expect_end().await;
        place.dial().await.ask(&greeting(&id).bytes(), refused(5)).await;
        place.update(&id, "enabled", KEY).await;

        subscribed(&place, &id, kept(&id)).await;
        let mut wire = place.dial().await;
        wire.ask(&kept(&id).bytes(), Got::ConnAck(1, 0)).await;
        place.update(&id, "enabled", OTHER_KEY).await;
        wire.expect_end().await;
        place.dial().await.ask(&kept(&id).bytes(), refused(5)).await;
        place.update(&id, "enabled", KEY).await;

        place.delete(&id).await;
        place.dial().await.ask(&greeting(&id).bytes(), refused(5)).await;
        eventually("nobody is connected", || place.local.hub().sessions().connected_count() == 0).await;
    }
}

#[tokio::test]
async fn a_hub_that_stops_closes_its_connections() {
    for over in Over::BOTH {
        let (place, id) = Place::with_device_over(over).await;
        let mut wire = place.connect(&id).await;
        let mut silent = place.dial().await;
        tokio::time::timeout(PATIENCE, place.local.stop()).await.unwrap();
        wire.expect_end().await;
        silent.expect_end().await;
    }
}

#[tokio::test]
async fn what_was_subscribed_outlives_everything_but_the_identity() {
    for over in Over::BOTH {
        let (place, id) = Place::with_device_over(over).await;
        subscribed(&place, &id, kept(&id)).await;
        // While it is connected, and while it is away.
        for connected in [true, false] {
            for status in ["disabled", "enabled"] {
                let mut wire = place.dial().await;
                wire.ask(&kept(&id).bytes(), Got::ConnAck(1, 0)).await;
                if !connected {
                    wire.send(DISCONNECT).await;
                    wire.expect_end().await;
                    place.wait_gone(&id).await;
                }
                place.update(&id, status, OTHER_KEY).await;
                if connected {
                    wire.expect_end().await;
                }
                place.update(&id, "enabled", KEY).await;
            }
        }
        let mut wire = place.dial().await;
        wire.ask(&kept(&id).bytes(), Got::ConnAck(1, 0)).await;
        place.desire(&id, json!({"heard": true})).await;
        assert_eq!(wire.message().await.1["heard"], true);

        place.delete(&id).await;
        wire.expect_end().await;
        place.create(&id).await;
        place.dial().await.ask(&kept(&id).bytes(), Got::ConnAck(0, 0)).await;
    }
}

#[tokio::test]
async fn a_farewell_does_not_touch_another_identity_of_that_name() {
    let (place, id) = Place::with_device().await;
    let hub = place.local.hub();
    let first = hub.connected(&id).expect("it is there");
    place.delete(&id).await;
    place.create(&id).await;
    let second = hub.connected(&id).expect("it is there again");
    hub.disconnected(&id, &first);
    assert_eq!(place.connection_state(&id), ConnectionState::Connected);
    hub.disconnected(&id, &second);
    assert_eq!(place.connection_state(&id), ConnectionState::Disconnected);
}
