//! MQTT over WebSocket: how it begins, how it ends, and what it may take.

use super::frames::{BINARY, CLOSE, FIN, Frame, HANDSHAKE, PING, frame};
use super::place::{Over, Place, greeting, kept};
use super::wire::{self, DISCONNECT, Got, PATIENCE};
use crate::support::Raw;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use twinscope::local_hub::{Limits, mqtt};
use twinscope::protocol::fault::Plan;

const CONNACK: &[u8] = &[0x20, 2, 0, 0];
const SHORT: Duration = Duration::from_millis(200);

/// The request with some text in the place of other.
fn but(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(HANDSHAKE.to_owned(), |request, (from, to)| {
        assert!(request.contains(from), "{from}");
        request.replacen(from, to, 1)
    })
}

/// A request, the status of its answer, and a header of that.
type Case = (String, u16, Option<(&'static str, &'static str)>);

#[tokio::test]
async fn what_is_answered_to_who_asks() {
    const UPGRADE: &str = "Upgrade: websocket\r\n";
    const CONNECTION: &str = "Connection: Upgrade\r\n";
    const VERSION: &str = "Sec-Websocket-Version: 13\r\n";
    const PROTOCOL: &str = "Sec-Websocket-Protocol: mqtt\r\n";
    const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let (place, _) = Place::with_device().await;
    let path = |path| [("/$iothub/websocket", path)];
    let protocol = |offer| [(PROTOCOL, offer)];
    let some = |name, value| Some((name, value));
    let mqtt = some("sec-websocket-protocol", "mqtt");
    let cases: Vec<Case> = vec![
        (but(&[]), 101, mqtt),
        (but(&path("/$iothub/websocket?iothub-no-client-cert=true")), 101, mqtt),
        (but(&path("/$iothub/websocket?")), 101, mqtt),
        (but(&path("/%24iothub/websocket")), 101, mqtt),
        (but(&path("/$IoTHub/WebSocket")), 101, mqtt),
        (but(&path("/%24IOTHUB%2fwebsocket?x=%ff")), 101, mqtt),
        (but(&path("https://localhost:443/$iothub/websocket")), 101, mqtt),
        (but(&path("/$iothub/websockets")), 404, None),
        (but(&path("/iothub/websocket")), 404, None),
        (but(&path("/%ff")), 404, None),
        (but(&protocol("Sec-Websocket-Protocol: AMQPWSB10, mqtt\r\n")), 101, mqtt),
        (but(&protocol("Sec-Websocket-Protocol: mqttv3.1,mqtt , x\r\n")), 101, mqtt),
        (but(&protocol("Sec-Websocket-Protocol: x\r\nSec-Websocket-Protocol: mqtt\r\n")), 101, mqtt),
        (but(&protocol("Sec-Websocket-Protocol: MQTT\r\n")), 101, some("sec-websocket-protocol", "MQTT")),
        (but(&protocol("")), 101, None),
        (but(&protocol("Sec-Websocket-Protocol: AMQPWSB10\r\n")), 400, some("iothub-errorcode", "ArgumentInvalid")),
        (but(&protocol("Sec-Websocket-Protocol: mqttv5\r\n")), 400, None),
        (but(&protocol("Sec-Websocket-Protocol: \r\n")), 400, None),
        (but(&[("Connection: Upgrade", "Connection: keep-alive, upgrade")]), 101, mqtt),
        (but(&[("Upgrade: websocket", "Upgrade: h2c, WebSocket")]), 101, mqtt),
        (but(&[(UPGRADE, "")]), 426, some("upgrade", "websocket")),
        (but(&[("Upgrade: websocket", "Upgrade: h2c")]), 426, some("upgrade", "websocket")),
        (but(&[(CONNECTION, "")]), 426, some("upgrade", "websocket")),
        (but(&[(UPGRADE, ""), (CONNECTION, ""), (KEY, "")]), 426, some("upgrade", "websocket")),
        (but(&[("Version: 13", "Version: 8")]), 426, some("sec-websocket-version", "13")),
        (but(&[(VERSION, "")]), 426, some("sec-websocket-version", "13")),
        (but(&[(KEY, "")]), 400, None),
        (but(&[("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ")]), 400, None),
        (but(&[("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=")]), 400, None),
        (but(&[("dGhlIHNhbXBsZSBub25jZQ==", "")]), 400, None),
        (but(&[("GET", "POST")]), 405, some("allow", "GET")),
        (but(&[("GET", "HEAD")]), 405, some("allow", "GET")),
        (but(&[("HTTP/1.1", "HTTP/1.0")]), 400, None),
        (but(&[("Origin:", "Content-Length: 5\r\nOrigin:"), ("\r\n\r\n", "\r\n\r\nhello")]), 400, None),
        (but(&[("Origin:", "Transfer-Encoding: chunked\r\nOrigin:"), ("\r\n\r\n", "\r\n\r\n0\r\n\r\n")]), 400, None),
    ];
    for (request, status, header) in cases {
        let mut raw = Raw::connect(place.local.https(), place.local.ca_file()).await;
        raw.send(request.as_bytes()).await;
        if request.starts_with("HEAD") {
            // Its answer has a length and no body.
            continue;
        }
        let reply = raw.read().await.unwrap();
        assert_eq!(reply.status, status, "{request}{}", reply.text());
        if let Some((name, value)) = header {
            assert_eq!(reply.header(name), Some(value), "{request}{reply:?}");
        }
        if status == 101 {
            assert_eq!(reply.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
            assert_eq!(
                reply.header("sec-websocket-protocol").is_some(),
                request.contains(PROTOCOL) || header.is_some()
            );
        }
        if request.contains(": AMQPWSB10\r\n") {
            assert!(reply.text().contains("does not speak AMQP"), "{}", reply.text());
        }
    }
}

#[tokio::test]
async fn the_connection_before_may_have_served_requests_and_frames_need_not_wait() {
    let (place, id) = Place::with_device().await;
    let mut raw = Raw::connect(place.local.https(), place.local.ca_file()).await;
    raw.send(b"GET /devices/d?api-version=2021-04-12 HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(raw.read().await.unwrap().status, 401);
    let first = frame(FIN | BINARY, &greeting(&id).bytes());
    raw.send(&[HANDSHAKE.as_bytes(), &first].concat()).await;
    assert_eq!(raw.read().await.unwrap().status, 101);
    super::place::eventually("the client is connected", || place.is_connected(&id)).await;
}

#[tokio::test]
async fn who_is_replaced_is_told_and_closed() {
    let (place, id) = Place::with_device().await;
    for over in Over::BOTH {
        let mut ws = place.web_socket().await;
        ws.send(&frame(FIN | BINARY, &greeting(&id).bytes())).await;
        ws.expect_binary(CONNACK).await;
        let mut newer = place.web_socket().await;
        let mut newer_over_tcp = place.dial().await;
        match over {
            Over::WebSocket => {
                newer.send(&frame(FIN | BINARY, &greeting(&id).bytes())).await;
                newer.expect_binary(CONNACK).await;
            }
            Over::Tcp => newer_over_tcp.ask(&greeting(&id).bytes(), Got::ConnAck(0, 0)).await,
        }
        let begun = Instant::now();
        ws.expect_close(1000).await;
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        assert!(place.is_connected(&id));
        assert_eq!(place.local.hub().sessions().connected_count(), 1);
    }
}

#[tokio::test]
async fn a_close_is_answered_and_a_disconnect_closes() {
    let (place, id) = Place::with_device().await;
    let will = Some(("devices/d/messages/events/".to_owned(), b"gone".to_vec(), 0));
    for (reason, answer) in [(&[][..], &[][..]), (&[3, 232], &[3, 232]), (b"\x03\xe9bye", b"\x03\xe9bye")] {
        let mut ws = place.web_socket().await;
        ws.send(&frame(FIN | BINARY, &wire::Connect { will: will.clone(), ..greeting(&id) }.bytes())).await;
        ws.expect_binary(CONNACK).await;
        ws.send(&frame(FIN | CLOSE, reason)).await;
        assert_eq!(ws.get().await, Some(Frame { first: FIN | CLOSE, payload: answer.to_vec() }));
        assert_eq!(ws.get().await, None);
        place.wait_gone(&id).await;
    }
    // A close is no DISCONNECT.
    assert_eq!(place.telemetry().len(), 3);
    let mut ws = place.web_socket().await;
    ws.send(&frame(FIN | BINARY, &wire::Connect { will, ..greeting(&id) }.bytes())).await;
    ws.expect_binary(CONNACK).await;
    ws.send(&frame(FIN | BINARY, DISCONNECT)).await;
    ws.expect_close(1000).await;
    place.wait_gone(&id).await;
    assert_eq!(place.telemetry().len(), 3);
}

#[tokio::test]
async fn the_times_are_those_of_mqtt() {
    let limits = Limits {
        head: SHORT,
        body: SHORT,
        mqtt: mqtt::Limits { connect: SHORT * 5, ..mqtt::Limits::default() },
        ..Limits::default()
    };
    let (place, id) = Place::with_device_within(Over::WebSocket, limits).await;
    let mut silent = place.web_socket().await;
    let mut wire = place.connect(&id).await;
    // Longer than a head may take, and than a CONNECT may: both concern others.
    sleep(SHORT * 7).await;
    wire.expect_quiet().await;
    silent.expect_close(1000).await;
}

/// A twin whose answer fills buffers.
async fn large_twin(place: &Place, id: &twinscope::twin::TwinId) {
    let desired: serde_json::Map<_, _> = (0..7).map(|n| (format!("k{n}"), "x".repeat(4000).into())).collect();
    place.desire(id, desired.into()).await;
}

#[tokio::test]
async fn who_does_not_read_is_closed_and_holds_little() {
    let limits = Limits { mqtt: mqtt::Limits { stall: SHORT, ..mqtt::Limits::default() }, ..Limits::default() };
    let (place, id) = Place::with_device_within(Over::WebSocket, limits).await;
    large_twin(&place, &id).await;
    let mut ws = place.web_socket().await;
    ws.send(&frame(FIN | BINARY, &greeting(&id).bytes())).await;
    ws.expect_binary(CONNACK).await;
    ws.send(&frame(FIN | BINARY, &wire::subscribe(1, &[("$iothub/twin/res/#", 0)]))).await;
    ws.expect_binary(&[0x90, 3, 0, 1, 0]).await;
    // The hub stops taking requests when too many answers wait, so the requests end with the connection.
    let request = frame(FIN | BINARY, &wire::publish(0x30, 0, "$iothub/twin/GET/?$rid=1", b""));
    let many = request.repeat(100);
    let asking = async { while ws.try_send(&many).await.is_ok() {} };
    timeout(PATIENCE, asking).await.expect("the hub closes");
    place.wait_gone(&id).await;
}

#[tokio::test]
async fn who_pings_and_does_not_read_is_closed() {
    let limits = Limits { stall: SHORT, ..Limits::default() };
    let (place, id) = Place::with_device_within(Over::WebSocket, limits).await;
    let mut ws = place.web_socket().await;
    ws.send(&frame(FIN | BINARY, &greeting(&id).bytes())).await;
    ws.expect_binary(CONNACK).await;
    let many = frame(FIN | PING, &[b'x'; 125]).repeat(200);
    let pinging = async { while ws.try_send(&many).await.is_ok() {} };
    timeout(PATIENCE, pinging).await.expect("the hub closes");
    place.wait_gone(&id).await;
}

#[tokio::test]
async fn it_counts_among_the_listeners_connections_and_among_mqtts() {
    // One connection of the listener.
    let place = Place::start_with(Over::WebSocket, Limits { connections: 1, ..Limits::default() }).await;
    let ws = place.web_socket().await;
    let refused = async {
        let stream = tokio::net::TcpStream::connect(place.local.https()).await.unwrap();
        crate::support::tls(place.local.ca_file()).connect("localhost".try_into().unwrap(), stream).await.is_err()
    };
    assert!(refused.await, "a second connection is let in");
    drop(ws);

    // One MQTT connection, of whichever kind.
    let limits = Limits { mqtt: mqtt::Limits { max_connections: 1, ..mqtt::Limits::default() }, ..Limits::default() };
    let (place, id) = Place::with_device_within(Over::WebSocket, limits).await;
    let mut wire = place.connect(&id).await;
    let ask = async || {
        let mut raw = Raw::connect(place.local.https(), place.local.ca_file()).await;
        raw.send(HANDSHAKE.as_bytes()).await;
        raw.read().await.unwrap().status
    };
    assert_eq!(ask().await, 503);
    let mut over_tcp = tokio::net::TcpStream::connect(place.local.mqtts()).await.unwrap();
    let end = timeout(PATIENCE, tokio::io::AsyncReadExt::read(&mut over_tcp, &mut [0; 8])).await.unwrap();
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    wire.expect_quiet().await;
    wire.send(DISCONNECT).await;
    wire.expect_end().await;
    let again = async {
        while ask().await != 101 {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, again).await.expect("the place is freed");
}

#[tokio::test]
async fn a_token_that_ends_closes_it() {
    let (place, id) = Place::with_device_over(Over::WebSocket).await;
    let begun = super::place::now_s();
    let password = Some(super::place::token(&id, super::place::KEY, begun - 290));
    let mut wire = place.dial().await;
    wire.ask(&wire::Connect { password, ..kept(&id) }.bytes(), Got::ConnAck(0, 0)).await;
    // Ten minutes after the token, by the hub's clock.
    let hub = place.local.hub();
    hub.faults().set(&Plan { seed: None, faults: vec!["skew=309s".parse().unwrap()] }, hub.clock());
    wire.expect_end().await;
    assert!((begun..=begun + 5).contains(&super::place::now_s()));
}
