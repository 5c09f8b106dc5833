//! Faults at CONNECT.

use super::Stage;
use crate::hub_mqtt::place::{OTHER_KEY, Over, greeting, now_s, token};
use crate::hub_mqtt::wire::{Connect, Got};
use crate::support::PATIENCE;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use twinscope::protocol::event::What;
use twinscope::twin::TwinId;

/// Whether the hub had the identity connected, and disconnected again.
fn came_and_went(stage: &Stage, id: &TwinId) -> (usize, usize) {
    let events = stage.place.local.hub().events().page(0).events;
    let count = |what: &What| events.iter().filter(|event| event.id == *id && event.what == *what).count();
    (count(&What::Connected), count(&What::Disconnected))
}

#[tokio::test]
async fn a_status_is_a_server_that_is_unavailable() {
    for over in Over::BOTH {
        let mut stage = Stage::start_over(over).await;
        for text in ["429 on=connect", "503 on=connect", "500 on=mqtt id=d"] {
            stage.set(&[text]).await;
            let mut wire = stage.place.dial().await;
            wire.ask(&greeting(&stage.d).bytes(), Got::ConnAck(0, 3)).await;
            wire.expect_end().await;
            assert!(!stage.place.is_connected(&stage.d), "{text}");
            assert_eq!(stage.counts().await, [(1, 1)], "{text}");
        }
        // The first time only: who tries again gets in. A neighbour gets in at once.
        stage.set(&["503 on=connect first=1 id=d"]).await;
        stage.place.dial().await.ask(&greeting(&stage.n).bytes(), Got::ConnAck(0, 0)).await;
        stage.place.dial().await.ask(&greeting(&stage.d).bytes(), Got::ConnAck(0, 3)).await;
        stage.place.connect(&stage.d).await.expect_quiet().await;
        assert_eq!(stage.counts().await, [(2, 1)]);
    }
}

#[tokio::test]
async fn dropped_before_and_after() {
    for over in Over::BOTH {
        let mut stage = Stage::start_over(over).await;
        for (text, times) in [("drop=before", 0), ("drop=after", 1), ("drop=halfway", 2)] {
            stage.set(&[&format!("{text} on=connect times=1")]).await;
            let mut wire = stage.place.dial().await;
            wire.ask(&greeting(&stage.d).bytes(), Got::End).await;
            stage.place.wait_gone(&stage.d).await;
            assert_eq!(came_and_went(&stage, &stage.d), (times, times), "{over:?} {text}");
        }
        stage.place.connect(&stage.d).await.expect_quiet().await;
    }
}

#[tokio::test]
async fn half_a_connack() {
    let mut stage = Stage::start().await;
    stage.set(&["drop=halfway on=connect"]).await;
    let mut stream = stage.place.open(stage.place.local.mqtts()).await;
    stream.write_all(&greeting(&stage.d).bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let end = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap();
    assert!(end.is_err(), "TLS ends as if nothing had happened");
    assert_eq!(bytes, [0x20, 2]);
}

#[tokio::test]
async fn latency_delays_the_connack() {
    let mut stage = Stage::start().await;
    stage.set(&["latency=300ms on=connect id=d", "latency=1h on=connect id=n"]).await;
    let begun = Instant::now();
    let mut wire = stage.place.connect(&stage.d).await;
    assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
    wire.expect_quiet().await;
    // Who gives up waiting is not waited for: the hub stops at once, too.
    let mut waiting = stage.place.dial().await;
    waiting.send(&greeting(&stage.n).bytes()).await;
    let begun = Instant::now();
    while stage.counts().await[1] != (1, 1) {
        assert!(begun.elapsed() < PATIENCE);
        tokio::task::yield_now().await;
    }
    assert!(!stage.place.is_connected(&stage.n));
    stage.place.local.stop().await;
    waiting.expect_end().await;
}

#[tokio::test]
async fn strangers_are_refused_as_ever() {
    let mut stage = Stage::start().await;
    stage.set(&["503 on=connect", "latency=24h on=connect"]).await;
    let stranger = Connect { password: Some(token(&stage.d, OTHER_KEY, now_s() + 600)), ..greeting(&stage.d) };
    stage.place.dial().await.ask(&stranger.bytes(), Got::ConnAck(0, 5)).await;
    assert_eq!(stage.counts().await, [(0, 0), (0, 0)]);
}
