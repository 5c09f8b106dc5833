//! Packets in any fragmentation: cut anywhere, over TCP and in frames, the hub hears the same.

use super::frames::Framing;
use super::place::{Place, greeting};
use super::wire::{self, Got, PATIENCE, PING, Wire};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use twinscope::local_hub::mqtt::Limits;
use twinscope::twin::TwinId;

const EVENTS: &str = "devices/d/messages/events/";

/// CONNECT, SUBSCRIBE, a report, telemetry of more than 127 bytes, a ping.
fn conversation(id: &TwinId) -> Vec<u8> {
    [
        greeting(id).bytes(),
        wire::subscribe(1, &[("$iothub/twin/res/#", 1)]),
        wire::publish(0x32, 2, "$iothub/twin/PATCH/properties/reported/?$rid=r", br#"{"a":"b"}"#),
        wire::publish(0x32, 3, EVENTS, &[b'x'; 300]),
        PING.to_vec(),
    ]
    .concat()
}

/// What the hub answers to it. The report is answered when it is committed, whatever comes meanwhile.
async fn expect_answers<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>) {
    wire.expect(Got::ConnAck(0, 0)).await;
    wire.expect(Got::SubAck(1, vec![1])).await;
    let mut rest = Vec::new();
    for _ in 0..4 {
        rest.push(wire.get().await);
    }
    let is_report = |got: &Got| matches!(got, Got::Publish(0x30, topic, body) if topic.starts_with("$iothub/twin/res/204/?$rid=r&$version=") && body.is_empty());
    for expected in [Got::PubAck(2), Got::PubAck(3), Got::Pong] {
        assert!(rest.contains(&expected), "{expected:?} is not in {rest:?}");
    }
    assert!(rest.iter().any(is_report), "{rest:?}");
}

#[tokio::test]
async fn a_conversation_may_be_cut_anywhere() {
    let (place, id) = Place::with_device().await;
    let length = conversation(&id).len();
    assert!(length > 500, "{length}");
    for at in 1..length {
        let bytes = conversation(&id);
        let (mut pipe, _end) = place.pipe(Limits::default(), 4096);
        let (first, rest) = bytes.split_at(at.min(bytes.len()));
        pipe.send(first).await;
        // The hub reads the first part before there is a second.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        pipe.send(rest).await;
        expect_answers(&mut pipe).await;
    }
    assert!(place.telemetry().iter().all(|(bag, body)| bag.is_empty() && *body == [b'x'; 300]));
}

#[tokio::test]
async fn a_conversation_may_come_through_a_pipe_of_any_width() {
    let (place, id) = Place::with_device().await;
    for room in [1, 2, 3, 7, 100] {
        let (mut pipe, _end) = place.pipe(Limits::default(), room);
        let bytes = conversation(&id);
        timeout(PATIENCE, pipe.send(&bytes)).await.unwrap();
        expect_answers(&mut pipe).await;
    }
}

#[tokio::test]
async fn a_conversation_may_be_cut_into_frames_anywhere() {
    let (place, id) = Place::with_device().await;
    let length = conversation(&id).len();
    for at in (1..length).step_by(5) {
        let mut ws = place.web_socket().await;
        let bytes = conversation(&id);
        let (first, rest) = bytes.split_at(at.min(bytes.len()));
        ws.send(&super::frames::frame(super::frames::FIN | super::frames::BINARY, first)).await;
        ws.send(&super::frames::frame(super::frames::FIN | super::frames::BINARY, rest)).await;
        expect_answers(&mut Wire::new(ws.carry(Framing::AsSent))).await;
    }
}

/// Both carriers, cut at random; the hub and its runtime serve all cases.
#[test]
fn a_conversation_may_be_cut_into_any_pieces() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (place, id) = runtime.block_on(Place::with_device());
    let pieces = vec(prop_oneof![1..4_usize, 1..60_usize, 1..800_usize], 1..40);
    proptest!(ProptestConfig::with_cases(40), |(pieces in pieces)| {
        runtime.block_on(async {
            let mut over_tcp = place.dial().await;
            let bytes = conversation(&id);
            let mut rest = bytes.as_slice();
            for piece in pieces.iter().cycle() {
                let (now, later) = rest.split_at((*piece).min(rest.len()));
                over_tcp.send(now).await;
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            expect_answers(&mut over_tcp).await;
            let framed = place.web_socket().await.carry(Framing::Cut(pieces));
            let mut framed = Wire::new(framed);
            framed.send(&conversation(&id)).await;
            expect_answers(&mut framed).await;
        });
    });
}
