//! Frames that are wrong, huge, empty or of the protocol's own: what they do to a WebSocket, and that others do not notice.

use super::frames::{BINARY, CLOSE, CONTINUATION, FIN, Frame, PING, PONG, TEXT, frame, head};
use super::place::{Place, greeting};
use super::wire;
use twinscope::local_hub::mqtt::packet::MAX_BODY;

const CONNACK: &[u8] = &[0x20, 2, 0, 0];
const PONG_PACKET: &[u8] = &[0xd0, 0];
/// The longest message that is taken.
const LONGEST: usize = MAX_BODY + 5;

#[tokio::test]
async fn what_no_client_may_send_ends_the_web_socket_with_the_reason() {
    let (place, id) = Place::with_device().await;
    let mut good = place.connect(&id).await;
    let unmasked = [head(FIN | BINARY, 2, false), vec![0xc0, 0]].concat();
    let half = vec![b'x'; LONGEST / 2];
    // No more than a head: what it announces is not waited for.
    let announced = |length| [head(FIN | BINARY, length, true), vec![0; 4]].concat();
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("text", frame(FIN | TEXT, b"hello"), 1003),
        ("text in pieces", [frame(TEXT, b"hel"), frame(FIN, b"lo")].concat(), 1003),
        ("text that is none", frame(FIN | TEXT, &[0xff]), 1007),
        ("an unmasked frame", unmasked, 1002),
        ("a frame of 2^63 bytes", announced(1 << 63), 1009),
        ("a frame of all the bytes there are", announced(u64::MAX), 1009),
        ("a frame one byte too long", announced(LONGEST as u64 + 1), 1009),
        (
            "a message too long in pieces",
            [frame(BINARY, &half), frame(CONTINUATION, &half), frame(CONTINUATION, b"xyz")].concat(),
            1009,
        ),
        ("a continuation of nothing", frame(FIN, b"x"), 1002),
        ("a message within a message", [frame(BINARY, b"x"), frame(FIN | BINARY, b"y")].concat(), 1002),
        ("an extension nobody agreed on", frame(FIN | 0x40 | BINARY, b"x"), 1002),
        ("a kind of frame that does not exist", frame(FIN | 3, b"x"), 1002),
        ("a kind of control that does not exist", frame(FIN | 0x0b, b"x"), 1002),
        ("a ping in pieces", frame(PING, b"x"), 1002),
        ("a ping that is too long", frame(FIN | PING, &[b'x'; 126]), 1002),
        ("a close of half a reason", frame(FIN | CLOSE, &[3]), 1002),
    ];
    for (what, bytes, code) in cases {
        let mut ws = place.web_socket().await;
        ws.send(&bytes).await;
        let said = ws.get().await;
        assert_eq!(said, Some(Frame { first: FIN | CLOSE, payload: code.to_be_bytes().to_vec() }), "{what}");
        assert_eq!(ws.get().await, None, "{what}");
    }
    good.expect_quiet().await;
}

#[tokio::test]
async fn what_is_no_mqtt_ends_the_web_socket() {
    let (place, id) = Place::with_device().await;
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 64], &[0x10, 0xff, 0xff, 0xff, 0x7f], wire::PING] {
        let mut ws = place.web_socket().await;
        ws.send(&frame(FIN | BINARY, bytes)).await;
        ws.expect_close(1000).await;
    }
    // The largest message there can be is read before it is judged.
    let mut ws = place.web_socket().await;
    ws.send(&frame(FIN | BINARY, &greeting(&id).bytes())).await;
    ws.expect_binary(CONNACK).await;
    ws.send(&frame(FIN | BINARY, &vec![0xff; LONGEST])).await;
    ws.expect_close(1000).await;
}

#[tokio::test]
async fn pings_are_answered_and_empty_frames_mean_nothing() {
    let (place, id) = Place::with_device().await;
    let mut ws = place.web_socket().await;
    let pong = |payload: &[u8]| Some(Frame { first: FIN | PONG, payload: payload.to_vec() });
    ws.send(&frame(FIN | PING, b"before anything")).await;
    assert_eq!(ws.get().await, pong(b"before anything"));
    let connect = greeting(&id).bytes();
    ws.send(&[frame(BINARY, &connect[..20]), frame(FIN | PING, &[b'x'; 125]), frame(FIN, &connect[20..])].concat())
        .await;
    assert_eq!(ws.get().await, pong(&[b'x'; 125]));
    ws.expect_binary(CONNACK).await;
    for _ in 0..100 {
        ws.send(
            &[frame(FIN | BINARY, b""), frame(FIN | PONG, b"unasked"), frame(BINARY, b""), frame(FIN, b"")].concat(),
        )
        .await;
    }
    ws.send(&frame(FIN | BINARY, wire::PING)).await;
    ws.expect_binary(PONG_PACKET).await;
}

#[tokio::test]
async fn each_packet_of_the_hub_is_a_frame() {
    let (place, id) = Place::with_device().await;
    let mut ws = place.web_socket().await;
    let at_once = [
        greeting(&id).bytes(),
        wire::subscribe(1, &[("$iothub/twin/res/#", 0)]),
        wire::publish(0x30, 0, "$iothub/twin/GET/?$rid=1", b" "),
        wire::PING.to_vec(),
        wire::PING.to_vec(),
    ];
    ws.send(&frame(FIN | BINARY, &at_once.concat())).await;
    ws.expect_binary(CONNACK).await;
    ws.expect_binary(&[0x90, 3, 0, 1, 0]).await;
    let twin = wire::publish(
        0x30,
        0,
        "$iothub/twin/res/200/?$rid=1",
        br#"{"desired":{"$version":1},"reported":{"$version":1}}"#,
    );
    let mut rest = Vec::new();
    for _ in 0..3 {
        rest.push(ws.get().await.unwrap().payload);
    }
    rest.sort();
    assert_eq!(rest, [twin, PONG_PACKET.to_vec(), PONG_PACKET.to_vec()]);
}

#[tokio::test]
async fn large_packets_go_both_ways() {
    let (place, id) = Place::with_device().await;
    let text = "x".repeat(4000);
    let desired: serde_json::Map<_, _> = (0..7).map(|n| (format!("k{n}"), text.clone().into())).collect();
    place.desire(&id, desired.into()).await;
    let mut ws = place.web_socket().await;
    ws.send(&frame(FIN | BINARY, &greeting(&id).bytes())).await;
    ws.expect_binary(CONNACK).await;
    ws.send(&frame(FIN | BINARY, &wire::subscribe(1, &[("$iothub/twin/res/#", 0)]))).await;
    ws.expect_binary(&[0x90, 3, 0, 1, 0]).await;
    let get = wire::publish(0x30, 0, "$iothub/twin/GET/?$rid=1", b" ");
    for _ in 0..20 {
        ws.send(&frame(FIN | BINARY, &get)).await;
    }
    for _ in 0..20 {
        let frame = ws.get().await.unwrap();
        assert!(frame.first == FIN | BINARY && frame.payload.len() > 28_000, "{}", frame.payload.len());
    }
    let body = vec![b'y'; 256 * 1024 - 100];
    ws.send(&frame(FIN | BINARY, &wire::publish(0x32, 9, "devices/d/messages/events/", &body))).await;
    ws.expect_binary(&[0x40, 2, 0, 9]).await;
    assert_eq!(crate::support::telemetry(&place.local).pop().unwrap().2, body.len());
}
