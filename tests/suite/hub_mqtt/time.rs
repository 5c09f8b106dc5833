//! Silence, expiry and peers that do not read.

use super::place::{KEY, Over, Place, greeting, now_s, token};
use super::wire::{self, Got, PING};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use twinscope::local_hub::mqtt::{Door, End, Limits, serve};
use twinscope::protocol::fault::Plan;
use twinscope::twin::TwinId;

const SHORT: Duration = Duration::from_millis(100);

#[test]
fn one_and_a_half_keep_alives_up_to_the_cap() {
    let limits = Limits::default();
    let check = |keep_alive_s, ms| assert_eq!(limits.silence_of(keep_alive_s), Duration::from_millis(ms));
    check(1, 1_500);
    check(60, 90_000);
    check(1177, 1_765_500);
    check(1178, 1_767_000);
    check(u16::MAX, 1_767_000);
    check(0, 1_767_000);
}

#[tokio::test]
async fn a_client_that_falls_silent_is_given_up() {
    for over in Over::BOTH {
        let (place, id) = Place::with_device_over(over).await;
        let mut wire = place.dial().await;
        let mut connect = greeting(&id);
        connect.keep_alive_s = 1;
        wire.ask(&connect.bytes(), Got::ConnAck(0, 0)).await;
        // Pings keep it alive beyond its time.
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(2) {
            wire.ask(PING, Got::Pong).await;
            sleep(Duration::from_millis(200)).await;
        }
        // Half a packet does not.
        let quiet = Instant::now();
        wire.send(&[0x30]).await;
        wire.expect_end().await;
        let lasted = quiet.elapsed();
        assert!(lasted > Duration::from_millis(1_200) && lasted < Duration::from_secs(3), "{lasted:?}");
        place.wait_gone(&id).await;
    }
}

#[tokio::test]
async fn a_token_that_ends_ends_the_connection() {
    let (place, id) = Place::with_device().await;
    let connect = |expires_s| wire::Connect { password: Some(token(&id, KEY, expires_s)), ..greeting(&id) };
    let begun = now_s();
    // It was refused if it ended earlier by as much as clocks may differ.
    let (mut late, refused) = place.pipe(Limits::default(), 4096);
    late.ask(&connect(begun - 300).bytes(), Got::ConnAck(0, 5)).await;
    drop(late);
    assert!(matches!(refused.await.unwrap(), End::Refused(_)));
    let (mut pipe, end) = place.pipe(Limits::default(), 4096);
    pipe.ask(&connect(begun - 290).bytes(), Got::ConnAck(0, 0)).await;
    // The connection ends ten minutes after the token, which the hub's clock says is in two seconds.
    let ahead = 310 - 2;
    let hub = place.local.hub();
    let skewed = Plan { seed: None, faults: vec![format!("skew={ahead}s").parse().unwrap()] };
    hub.faults().set(&skewed, hub.clock());
    // Activity does not help.
    while !end.is_finished() {
        if pipe.try_send(PING).await.is_err() {
            break;
        }
        sleep(SHORT).await;
    }
    assert_eq!(timeout(wire::PATIENCE, end).await.unwrap().unwrap(), End::Expired);
    assert!((begun + 1..=begun + 5).contains(&now_s()));
    hub.faults().set(&Plan { seed: None, faults: Vec::new() }, hub.clock());
    // A token for longer than the clock can count is no trouble.
    let mut wire = place.dial().await;
    wire.ask(&connect(u64::MAX).bytes(), Got::ConnAck(0, 0)).await;
    wire.expect_quiet().await;
}

#[tokio::test]
async fn who_never_says_connect_is_closed() {
    let (place, _) = Place::with_device().await;
    let limits = Limits { connect: SHORT, ..Limits::default() };
    for first in [&b""[..], &[0x10], &greeting(&TwinId::device("d")).bytes()[..40]] {
        let (mut pipe, end) = place.pipe(limits, 4096);
        pipe.send(first).await;
        pipe.expect_end().await;
        assert_eq!(end.await.unwrap(), End::Silent);
    }
}

#[tokio::test]
async fn who_never_says_hello_in_tls_is_closed() {
    use tokio::io::AsyncReadExt;
    let (place, id) = Place::with_device().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let certificates = twinscope::local_hub::certs::prepare(place.folder.path(), &[]).unwrap();
    let stop = CancellationToken::new();
    let limits = Limits { tls_handshake: SHORT, max_connections: 2, ..Limits::default() };
    let serving = tokio::spawn(serve(
        Door::new(limits),
        listener.into(),
        certificates.mqtts.into(),
        place.local.hub().clone(),
        stop.clone(),
    ));
    let mut silent = tokio::net::TcpStream::connect(addr).await.unwrap();
    assert_eq!(timeout(wire::PATIENCE, silent.read(&mut [0; 8])).await.unwrap().unwrap(), 0);

    // Two are served, the third finds the door shut, and open again when one has left.
    let _first = place.dial_at(addr).await;
    let mut second = place.dial_at(addr).await;
    second.ask(&greeting(&id).bytes(), Got::ConnAck(0, 0)).await;
    let mut third = tokio::net::TcpStream::connect(addr).await.unwrap();
    let end = timeout(wire::PATIENCE, third.read(&mut [0; 8])).await.unwrap();
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    drop(second);
    place.wait_gone(&id).await;
    stop.cancel();
    timeout(wire::PATIENCE, serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn who_does_not_read_is_closed() {
    let (place, id) = Place::with_device().await;
    let limits = Limits { stall: SHORT, ..Limits::default() };
    let (mut pipe, end) = place.pipe(limits, 256);
    pipe.ask(&greeting(&id).bytes(), Got::ConnAck(0, 0)).await;
    pipe.ask(&wire::subscribe(1, &[("$iothub/twin/res/#", 0)]), Got::SubAck(1, vec![0])).await;
    // The hub stops taking requests when too many answers wait; the writing ends with the connection.
    let request = wire::publish(0x30, 0, "$iothub/twin/GET/?$rid=1", b"");
    while pipe.try_send(&request).await.is_ok() {}
    assert_eq!(end.await.unwrap(), End::Stalled);
}

#[tokio::test]
async fn who_lets_notifications_pile_up_is_closed() {
    let (place, id) = Place::with_device().await;
    let (mut pipe, end) = place.pipe(Limits::default(), 256);
    pipe.ask(&greeting(&id).bytes(), Got::ConnAck(0, 0)).await;
    let subscribe = wire::subscribe(1, &[("$iothub/twin/PATCH/properties/desired/#", 0)]);
    pipe.ask(&subscribe, Got::SubAck(1, vec![0])).await;
    let patch = json!({"text": "x".repeat(4000)});
    for version in 2..1000 {
        place.local.hub().sessions().desired_changed(&id, version, patch.as_object().unwrap());
        if end.is_finished() {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(timeout(wire::PATIENCE, end).await.unwrap().unwrap(), End::Evicted);
    place.wait_gone(&id).await;
}
