//! Bytes no SDK sends: broken, oversize, slow, split, many at once.

use crate::support::{Raw, TestHub, token};
use serde_json::json;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use twinscope::local_hub::{FleetChoice, Limits};

const PATCH: &str = "PATCH /twins/d?api-version=2021-04-12 HTTP/1.1\r\nHost: localhost\r\n";

/// A hub with a device `d`, and the header line that lets a request in.
async fn hub(limits: Limits) -> (TestHub, String) {
    let hub = TestHub::start_with(FleetChoice::Empty, limits).await;
    hub.owner().await.device("d").await;
    let key = hub.hub.hub().policies().by_name("iothubowner").unwrap().primary.clone();
    let line = format!("Authorization: {}\r\n", token("localhost", &key, Some("iothubowner")));
    (hub, line)
}

#[tokio::test]
async fn chunked_bodies_are_read() {
    let (hub, auth) = hub(Limits::default()).await;
    let mut raw = hub.raw().await;
    raw.send(format!("{PATCH}{auth}Transfer-Encoding: chunked\r\n\r\n8\r\n{{\"tags\":\r\n").as_bytes()).await;
    raw.send(b"a;x=y\r\n{\"a\":\"b\"}}\r\n0\r\n\r\n").await;
    assert_eq!(raw.read().await.unwrap().ok()["tags"], json!({"a": "b"}));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let (hub, auth) = hub(Limits::default()).await;
    let mut raw = hub.raw().await;
    let mut bytes = String::new();
    for n in 0..20 {
        let body = format!("{{\"tags\":{{\"n\":{n}}}}}");
        bytes.extend([format!("{PATCH}{auth}Content-Length: {}\r\n\r\n{body}", body.len())]);
    }
    raw.send(bytes.as_bytes()).await;
    for n in 0..20 {
        assert_eq!(raw.read().await.unwrap().ok()["tags"]["n"], n);
    }
}

#[tokio::test]
async fn a_request_that_comes_byte_by_byte_is_read() {
    let (hub, auth) = hub(Limits::default()).await;
    let mut raw = hub.raw().await;
    for byte in format!("GET /devices/d?api-version=2021-04-12 HTTP/1.1\r\nHost: x\r\n{auth}\r\n").bytes() {
        raw.send(&[byte]).await;
    }
    assert_eq!(raw.read().await.unwrap().ok()["deviceId"], "d");
}

#[tokio::test]
async fn bodies_that_are_no_document_are_refused_and_the_connection_goes_on() {
    let (hub, auth) = hub(Limits::default()).await;
    let mut raw = hub.raw().await;
    let deep = "[".repeat(100_000);
    for body in ["", "{", "nonsense", "\u{0}", "{\"a\":1}}", "{\"a\":1e999999}", "\"\\ud800\"", &deep] {
        raw.send(format!("{PATCH}{auth}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
        let reply = raw.read().await.unwrap();
        if reply.status != 200 {
            reply.refused(400, "ArgumentInvalid");
        }
    }
    raw.send(format!("{PATCH}{auth}Content-Length: 2\r\n\r\n\u{7f}\u{7f}").as_bytes()).await;
    raw.read().await.unwrap().refused(400, "ArgumentInvalid");
    raw.send(format!("{PATCH}{auth}Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{{}}").as_bytes()).await;
    raw.read().await.unwrap().refused(415, "GenericUnsupportedMediaType");
}

#[tokio::test]
async fn bodies_are_bounded() {
    let (hub, auth) = hub(Limits::default()).await;
    let body = format!("{{\"x\":\"{}\"}}", "y".repeat(3_000_000));
    let mut raw = hub.raw().await;
    raw.send(format!("{PATCH}{auth}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
    raw.read().await.unwrap().refused(413, "MessageTooLarge");
    // Chunked: the length is not known before it has come.
    let mut raw = hub.raw().await;
    let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    raw.send(format!("{PATCH}{auth}Transfer-Encoding: chunked\r\n\r\n{chunk}").as_bytes()).await;
    raw.read().await.unwrap().refused(413, "MessageTooLarge");
    // A length that is announced only to frighten is not waited for.
    let mut raw = hub.raw().await;
    raw.send(format!("{PATCH}{auth}Content-Length: 99999999999\r\n\r\n").as_bytes()).await;
    raw.read().await.unwrap().refused(413, "MessageTooLarge");
}

#[tokio::test]
async fn heads_are_bounded() {
    let (hub, auth) = hub(Limits::default()).await;
    let many = "X-Header: y\r\n".repeat(200);
    let long = format!("X: {}\r\n", "y".repeat(100_000));
    let target = format!("GET /devices/{} HTTP/1.1\r\n", "x".repeat(100_000));
    for head in [format!("{PATCH}{auth}{many}\r\n"), format!("{PATCH}{auth}{long}\r\n"), format!("{target}\r\n")] {
        let mut raw = hub.raw().await;
        // The hub may stop reading before all of it is sent.
        let sent = raw.try_send(head.as_bytes()).await;
        let status = raw.read().await.map(|reply| reply.status);
        assert!(matches!(status, Some(400 | 414 | 431)) || sent.is_err() || status.is_none(), "{status:?}");
    }
    assert_eq!(hub.owner().await.get("/devices/d").await.status, 200, "the hub goes on");
}

#[tokio::test]
async fn what_is_no_http_ends_the_connection() {
    let (hub, _) = hub(Limits::default()).await;
    for bytes in [&b"\0\0\0\0\r\n\r\n"[..], b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n"] {
        let mut raw = hub.raw().await;
        raw.send(bytes).await;
        let reply = raw.read().await;
        assert!(reply.is_none_or(|reply| reply.status >= 400), "{bytes:?}");
    }
    // No TLS at all.
    let mut plain = TcpStream::connect(hub.hub.https()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut plain, b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    drop(tokio::time::timeout(crate::support::PATIENCE, plain.read_to_end(&mut answer)).await.unwrap());
    assert!(!answer.starts_with(b"HTTP"));
    assert_eq!(hub.owner().await.get("/devices/d").await.status, 200, "the hub goes on");
}

/// Short enough for a test, long enough for a busy machine to send a request.
const SHORT: Duration = Duration::from_millis(400);

#[tokio::test]
async fn slow_and_silent_peers_are_dropped() {
    let limits = Limits { handshake: SHORT, head: SHORT, body: SHORT, ..Limits::default() };
    let (hub, auth) = hub(limits).await;
    let mut silent = hub.raw().await;
    assert!(silent.is_closed().await, "no request");
    let mut half = hub.raw().await;
    half.send(PATCH.as_bytes()).await;
    assert!(half.read().await.is_none_or(|reply| reply.status == 408), "half a head");
    let mut body = hub.raw().await;
    body.send(format!("{PATCH}{auth}Content-Length: 10\r\n\r\n{{").as_bytes()).await;
    body.read().await.unwrap().refused(400, "ArgumentInvalid");
    let mut no_tls = TcpStream::connect(hub.hub.https()).await.unwrap();
    let mut answer = [0; 16];
    let read = tokio::time::timeout(crate::support::PATIENCE, no_tls.read(&mut answer)).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "no handshake");
}

#[tokio::test]
async fn a_connection_too_many_is_refused_and_a_place_is_freed() {
    let hub = TestHub::start_with(FleetChoice::Empty, Limits { connections: 1, ..Limits::default() }).await;
    let first = hub.raw().await;
    let mut second = TcpStream::connect(hub.hub.https()).await.unwrap();
    let mut answer = [0; 16];
    let read = tokio::time::timeout(crate::support::PATIENCE, second.read(&mut answer)).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)));
    drop(first);
    // The place is free once the hub has noticed; until then connections are refused.
    let connector = crate::support::tls(hub.hub.ca_file());
    let again = async {
        loop {
            let stream = TcpStream::connect(hub.hub.https()).await.unwrap();
            if connector.connect("localhost".try_into().unwrap(), stream).await.is_ok() {
                break;
            }
        }
    };
    tokio::time::timeout(crate::support::PATIENCE, again).await.expect("the place is freed");
}

#[tokio::test]
async fn many_callers_at_once_lose_nothing() {
    let (hub, _) = hub(Limits::default()).await;
    let writers = (0..8).map(|n| {
        let hub = &hub;
        async move {
            let mut owner = hub.owner().await;
            for m in 0..10 {
                let patch = json!({"properties": {"desired": {format!("k{n}-{m}"): m}}});
                assert_eq!(owner.patch("/twins/d", patch).await.status, 200);
            }
        }
    });
    futures_util::future::join_all(writers).await;
    let twin = hub.owner().await.get("/twins/d").await.ok();
    assert_eq!(twin["properties"]["desired"]["$version"], 81);
    assert_eq!(twin["properties"]["desired"].as_object().unwrap().len(), 82);
}

#[tokio::test]
async fn the_certificate_is_for_loopback_names() {
    let (hub, _) = hub(Limits::default()).await;
    let connector = crate::support::tls(hub.hub.ca_file());
    for (name, good) in [("localhost", true), ("127.0.0.1", true), ("::1", true), ("example.org", false)] {
        let stream = TcpStream::connect(hub.hub.https()).await.unwrap();
        let name_ = rustls::pki_types::ServerName::try_from(name).unwrap();
        assert_eq!(connector.connect(name_, stream).await.is_ok(), good, "{name}");
    }
    let _: Raw = Raw::connect(hub.hub.mqtts(), hub.hub.ca_file()).await;
}
