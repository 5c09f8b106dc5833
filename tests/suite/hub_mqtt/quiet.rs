//! Connections on which nothing was said for a while: the next packet is as good as any. The time between is virtual.

use super::place::{Over, Pipe, Place, eventually, greeting};
use super::wire::{self, Got, PING, Wire};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::JoinHandle;
use tokio::time::{advance, pause, resume};
use twinscope::local_hub::hub::Hub;
use twinscope::local_hub::mqtt::{End, Limits};
use twinscope::local_hub::rest::stall::Stall;
use twinscope::protocol::message::Properties;
use twinscope::protocol::method::MethodCall;
use twinscope::twin::TwinId;

/// The hub gives a client 30 s to read.
const STALL: Duration = Duration::from_secs(30);
const NEAR: Duration = Duration::from_millis(1);
/// A little less than [`STALL`].
const BEFORE: Duration = Duration::from_millis(29_999);
const ROOM: usize = 256 * 1024;

/// Each is tried on a quiet connection, and answered with, or seen as, what comes next.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Ping,
    Telemetry,
    Unknown,
    GetTwin,
    Report,
    Subscribe,
    Unsubscribe,
    Desired,
    Method,
    Message,
}

const KINDS: [Kind; 10] = [
    Kind::Ping,
    Kind::Telemetry,
    Kind::Unknown,
    Kind::GetTwin,
    Kind::Report,
    Kind::Subscribe,
    Kind::Unsubscribe,
    Kind::Desired,
    Kind::Method,
    Kind::Message,
];

/// Lets virtual time pass while the client says, as often as it must to be held for alive, what has no answer: telemetry of QoS 0.
async fn quiet<S: AsyncRead + AsyncWrite + Unpin>(pipe: &mut Wire<S>, id: &TwinId, time: Duration) {
    let breath = Duration::from_mins(1);
    let mut left = time;
    pause();
    while left > breath {
        advance(breath).await;
        left -= breath;
        pipe.send(&wire::publish(0x30, 0, &format!("devices/{id}/messages/events/"), b"1")).await;
        tokio::task::yield_now().await;
    }
    advance(left).await;
    resume();
}

async fn connected(place: &Place, id: &TwinId) -> (Pipe, JoinHandle<End>) {
    let (mut pipe, end) = place.pipe(Limits::default(), ROOM);
    greet(&mut pipe, id).await;
    (pipe, end)
}

/// Connects without a keep-alive, with every subscription there is.
async fn greet<S: AsyncRead + AsyncWrite + Unpin>(pipe: &mut Wire<S>, id: &TwinId) {
    let mut connect = greeting(id);
    connect.keep_alive_s = 0;
    pipe.ask(&connect.bytes(), Got::ConnAck(0, 0)).await;
    let filters = [
        ("$iothub/twin/res/#", 0),
        ("$iothub/twin/PATCH/properties/desired/#", 0),
        ("$iothub/methods/POST/#", 0),
        (&format!("devices/{id}/messages/devicebound/#"), 1),
    ];
    pipe.ask(&wire::subscribe(1, &filters), Got::SubAck(1, vec![0, 0, 0, 1])).await;
}

/// Does it, and takes what it causes.
async fn happens<S: AsyncRead + AsyncWrite + Unpin>(
    kind: Kind,
    hub: &Arc<Hub>,
    pipe: &mut Wire<S>,
    id: &TwinId,
    round: u16,
) {
    let number = round + 10;
    let publish = |topic: &str| wire::publish(0x32, number, topic, b"{\"a\":1}");
    match kind {
        Kind::Ping => pipe.ask(PING, Got::Pong).await,
        Kind::Telemetry => {
            pipe.ask(&publish(&format!("devices/{id}/messages/events/")), Got::PubAck(number)).await;
        }
        Kind::Unknown => pipe.ask(&publish("some/topic"), Got::PubAck(number)).await,
        Kind::GetTwin => {
            pipe.send(&wire::publish(0x30, 0, "$iothub/twin/GET/?$rid=7", b"")).await;
            assert_eq!(pipe.message().await.0, "$iothub/twin/res/200/?$rid=7");
        }
        Kind::Report => {
            pipe.ask(&publish("$iothub/twin/PATCH/properties/reported/?$rid=8"), Got::PubAck(number)).await;
            let Got::Publish(_, topic, _) = pipe.get().await else { panic!("no answer to a report") };
            assert!(topic.starts_with("$iothub/twin/res/204/?$rid=8"), "{topic}");
        }
        Kind::Subscribe => pipe.ask(&wire::subscribe(number, &[("a/#", 0)]), Got::SubAck(number, vec![0])).await,
        Kind::Unsubscribe => pipe.ask(&wire::unsubscribe(number, &["a/#"]), Got::UnsubAck(number)).await,
        Kind::Desired => {
            let patch = json!({"n": round});
            hub.sessions().desired_changed(id, u64::from(number), patch.as_object().unwrap());
            assert_eq!(pipe.message().await.1["n"], json!(round));
        }
        Kind::Method => {
            let call =
                MethodCall { name: "m".to_owned(), payload: json!(1), response_timeout_s: 30, connect_timeout_s: 0 };
            let (hub, id) = (hub.clone(), id.clone());
            let answer = tokio::spawn(async move { twinscope::local_hub::methods::call(&hub, &id, &call).await });
            let (topic, _) = pipe.message().await;
            let rid = topic.rsplit_once("$rid=").unwrap().1;
            pipe.send(&wire::publish(0x30, 0, &format!("$iothub/methods/res/200/?$rid={rid}"), b"2")).await;
            assert_eq!(answer.await.unwrap().unwrap().payload, json!(2));
        }
        Kind::Message => {
            hub.messages().send(hub, &id.device, Properties::default(), b"3").await.unwrap();
            let Got::Publish(0x32, _, body) = pipe.get().await else { panic!("no message of QoS 1") };
            pipe.send(&[0x40, 2, body[0], body[1]]).await;
        }
    }
}

#[tokio::test]
async fn a_client_is_not_cut_for_what_comes_after_a_quiet_time() {
    let (place, id) = Place::with_device().await;
    let times = [
        BEFORE,
        STALL,
        STALL + NEAR,
        2 * STALL,
        Duration::from_secs(90),
        Duration::from_secs(1766),
        Duration::from_hours(1),
    ];
    for time in times {
        for kind in KINDS {
            // A race is lost now and then only.
            let (mut pipe, end) = connected(&place, &id).await;
            for round in 0..4 {
                quiet(&mut pipe, &id, time).await;
                happens(kind, place.local.hub(), &mut pipe, &id, round).await;
                pipe.expect_quiet().await;
            }
            assert!(!end.is_finished(), "{kind:?} after {time:?}");
            pipe.send(wire::DISCONNECT).await;
            assert_eq!(end.await.unwrap(), End::Disconnected, "{kind:?} after {time:?}");
        }
    }
}

#[tokio::test]
async fn nor_over_a_socket_of_either_kind() {
    for over in Over::BOTH {
        let (place, id) = Place::with_device_over(over).await;
        for time in [STALL + NEAR, Duration::from_mins(10)] {
            for kind in KINDS {
                let mut wire = place.dial().await;
                greet(&mut wire, &id).await;
                for round in 0..2 {
                    quiet(&mut wire, &id, time).await;
                    happens(kind, place.local.hub(), &mut wire, &id, round).await;
                    wire.expect_quiet().await;
                }
                wire.send(wire::DISCONNECT).await;
                place.wait_gone(&id).await;
            }
        }
    }
}

#[tokio::test]
async fn an_hour_of_a_quiet_fleet_without_a_cut() {
    let place = Place::start().await;
    let mut fleet = Vec::new();
    for n in 0..30 {
        let id = TwinId::device(format!("d{n}"));
        place.create(&id).await;
        let (mut pipe, end) = place.pipe(Limits::default(), ROOM);
        pipe.ask(&greeting(&id).bytes(), Got::ConnAck(0, 0)).await;
        fleet.push((id, pipe, end));
    }
    for _minute in 0..60 {
        pause();
        advance(Duration::from_mins(1)).await;
        resume();
        for (_, pipe, _) in &mut fleet {
            pipe.ask(PING, Got::Pong).await;
        }
    }
    for (id, _, end) in &fleet {
        assert!(!end.is_finished() && place.is_connected(id), "{id}");
    }
}

/// A connection whose client stopped reading: what the pipe holds is full, and more waits.
async fn not_reading(place: &Place, id: &TwinId, pings: usize) -> (Pipe, JoinHandle<End>) {
    let (mut pipe, end) = place.pipe(Limits::default(), 256);
    let mut connect = greeting(id);
    connect.keep_alive_s = 0;
    pipe.ask(&connect.bytes(), Got::ConnAck(0, 0)).await;
    pause();
    advance(Duration::from_mins(20)).await;
    resume();
    for _ in 0..pings {
        pipe.send(PING).await;
    }
    (pipe, end)
}

/// The session runs as far as it can.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_in_its_time() {
    let (place, id) = Place::with_device().await;
    let (_pipe, end) = not_reading(&place, &id, 200).await;
    settle().await;
    pause();
    advance(BEFORE).await;
    settle().await;
    assert!(!end.is_finished(), "it has its whole time, however long nothing was sent before");
    advance(Duration::from_secs(1)).await;
    resume();
    assert_eq!(end.await.unwrap(), End::Stalled);
}

#[tokio::test]
async fn a_client_that_reads_a_little_now_and_then_is_not_cut() {
    let (place, id) = Place::with_device().await;
    // The pipe holds 256 bytes, which the client takes at once.
    let (mut pipe, end) = not_reading(&place, &id, 5000).await;
    let mut left = 5000;
    while left > 128 {
        settle().await;
        pause();
        advance(BEFORE).await;
        resume();
        for _ in 0..128 {
            pipe.expect(Got::Pong).await;
        }
        left -= 128;
    }
    assert!(!end.is_finished());
}

#[tokio::test]
async fn a_client_is_not_blamed_when_the_hub_itself_was_late() {
    let (place, id) = Place::with_device().await;
    // It read in time, and the hub slept.
    let (mut pipe, end) = not_reading(&place, &id, 200).await;
    settle().await;
    pipe.expect(Got::Pong).await;
    pause();
    advance(2 * STALL).await;
    resume();
    for _ in 1..200 {
        pipe.expect(Got::Pong).await;
    }
    // It said something in time, and the hub slept.
    for _ in 0..8 {
        pipe.send(PING).await;
        pause();
        advance(Duration::from_hours(2)).await;
        resume();
        pipe.expect(Got::Pong).await;
    }
    assert!(!end.is_finished());
    // One that says half of something and no more is given up.
    pipe.send(&[0x30]).await;
    pause();
    advance(Duration::from_hours(2)).await;
    resume();
    assert_eq!(end.await.unwrap(), End::Silent);
}

#[tokio::test(start_paused = true)]
async fn an_answer_over_https_has_its_whole_time_after_a_quiet_time() {
    for time in [BEFORE, STALL, STALL + NEAR, Duration::from_hours(1)] {
        let (near, mut far) = tokio::io::duplex(16);
        let mut near = Stall::new(near, STALL);
        near.write_all(&[1; 16]).await.unwrap();
        far.read_exact(&mut [0; 16]).await.unwrap();
        advance(time).await;
        let writing = tokio::spawn(async move { near.write_all(&[2; 64]).await });
        // Each piece that is read renews it.
        for _ in 0..2 {
            settle().await;
            advance(BEFORE).await;
            settle().await;
            assert!(!writing.is_finished(), "after {time:?}");
            far.read_exact(&mut [0; 8]).await.unwrap();
        }
        settle().await;
        advance(STALL + NEAR).await;
        assert_eq!(writing.await.unwrap().unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    }
}

#[tokio::test]
async fn a_connection_may_wait_with_its_first_request_as_long_as_with_the_next() {
    let (place, _) = Place::with_device().await;
    for (time, is_served) in [(STALL, true), (Duration::from_secs(59), true), (Duration::from_secs(61), false)] {
        let mut stream = place.open(place.local.https()).await;
        // A round trip, so that the hub has finished the handshake too before time passes.
        let mut other = crate::hub_messages::service(&place).await;
        other.get("/twins/d").await.ok();
        pause();
        advance(time).await;
        settle().await;
        resume();
        let request = b"GET /twins/d?api-version=2021-04-12 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let mut answer = Vec::new();
        let sent = stream.write_all(request).await;
        let read = stream.read_to_end(&mut answer).await;
        assert_eq!(answer.starts_with(b"HTTP/1.1 401 "), is_served, "after {time:?}: {sent:?} {read:?}");
    }
}

#[tokio::test]
async fn a_call_of_the_service_after_a_quiet_time_has_its_whole_time() {
    let (place, id) = Place::with_device().await;
    let mut caller = crate::hub_messages::service(&place).await;
    for time in [BEFORE, STALL, STALL + NEAR, Duration::from_secs(59)] {
        pause();
        advance(time).await;
        resume();
        caller.get(&format!("/twins/{id}")).await.ok();
    }
    eventually("nothing is left of it", || !place.is_connected(&id)).await;
}
