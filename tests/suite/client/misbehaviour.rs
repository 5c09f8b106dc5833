//! Servers that answer nonsense, throttle, fail, break off or are not believed.

use super::bad_server::{BadServer, JSON, Reply, STATISTICS, answer, connection, hasty, unobserved};
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use twinscope::client::hub::Statistics;
use twinscope::client::trust::TrustError;
use twinscope::client::{HubClient, HubError, Trust, Verdict, probe};
use twinscope::protocol::rest::IfMatch;
use twinscope::twin::{Etag, Json, JsonMap, TwinId};

const GOOD: Statistics = Statistics { total: 3, enabled: 2, disabled: 1 };

fn patch() -> JsonMap {
    let Json::Object(patch) = serde_json::json!({"properties": {"desired": {"telemetryInterval": 122}}}) else {
        unreachable!("an object was written")
    };
    patch
}

/// Reads once from a server with these replies, and tells how many requests it took.
async fn read(replies: Vec<Reply>) -> (Result<Statistics, HubError>, usize) {
    let server = BadServer::start(replies).await;
    let outcome = server.client().statistics().await;
    (outcome, server.requests().len())
}

async fn check_nonsense(reply: Reply, expected: &str) {
    let (outcome, requests) = read(vec![reply]).await;
    let Err(HubError::Nonsense { what }) = outcome else { panic!("{expected}: {outcome:?}") };
    assert!(what.contains(expected), "{what:?} should tell of {expected:?}");
    assert_eq!(requests, 1, "{expected}: nonsense is not asked for again");
}

#[tokio::test]
async fn answers_that_are_none() {
    check_nonsense(answer("200 OK", "Content-Type: text/html\r\n", "<html>Please log in</html>"), "text/html").await;
    check_nonsense(answer("200 OK", JSON, r#"{"totalDeviceCount":3,"enab"#), "not JSON").await;
    check_nonsense(answer("200 OK", JSON, r#"{"totalDeviceCount":"three"}"#), "totalDeviceCount").await;
    check_nonsense(answer("200 OK", JSON, &"[".repeat(5000)), "not JSON").await;
    check_nonsense(Reply::Endless, "more than 2 MB").await;
    let stated = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{JSON}\r\n{{", 3 << 20);
    check_nonsense(Reply::Bytes(stated.into_bytes()), "more than 2 MB").await;
    let long = format!("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n{JSON}\r\n{STATISTICS}");
    check_nonsense(Reply::Bytes(long.into_bytes()), "broke off").await;
    let short = format!("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n{JSON}\r\n{STATISTICS}");
    check_nonsense(Reply::Bytes(short.into_bytes()), "not JSON").await;
    check_nonsense(answer("302 Found", "Location: https://localhost/elsewhere\r\n", ""), "redirect").await;
    check_nonsense(Reply::Bytes(b"220 mail.example.com ESMTP\r\n".to_vec()), "not HTTP").await;
}

#[tokio::test]
async fn reads_are_repeated_while_that_may_help() {
    let good = || answer("200 OK", JSON, STATISTICS);
    let cases = [
        ("throttled", vec![answer("429 Too Many Requests", "Retry-After: 0\r\n", ""), good()], 2),
        ("throttled without a time", vec![answer("429 Too Many Requests", "", ""), good()], 2),
        ("unavailable, twice", vec![answer("503 Service Unavailable", "", ""), answer("500 Oops", "", ""), good()], 3),
        ("closed without an answer", vec![Reply::Close, good()], 2),
    ];
    for (name, replies, expected) in cases {
        let (outcome, requests) = read(replies).await;
        assert_eq!(outcome, Ok(GOOD), "{name}");
        assert_eq!(requests, expected, "{name}");
    }
}

#[tokio::test]
async fn repeating_ends() {
    let (outcome, requests) = read(vec![answer("503 Service Unavailable", "", "busy")]).await;
    assert!(matches!(outcome, Err(HubError::HubFailed { status: 503, .. })), "{outcome:?}");
    assert_eq!(requests, 3);

    let (outcome, requests) = read(vec![answer("429 Too Many Requests", "Retry-After: 3600\r\n", "")]).await;
    let hour = Some(Duration::from_hours(1));
    assert!(matches!(outcome, Err(HubError::Throttled { retry_after, .. }) if retry_after == hour), "{outcome:?}");
    assert_eq!(requests, 1, "an hour is not waited for");

    let (outcome, requests) = read(vec![answer("501 Not Implemented", "", "")]).await;
    assert!(matches!(outcome, Err(HubError::HubFailed { status: 501, .. })), "{outcome:?}");
    assert_eq!(requests, 1);
}

/// Patches once; the error and the number of requests the server saw.
async fn write(replies: Vec<Reply>) -> (HubError, usize) {
    let server = BadServer::start(replies).await;
    let if_match = IfMatch::Quoted(Etag("AAAAAAAAAAE=".to_owned()));
    let error = server.client().patch_twin(&TwinId::device("d"), &patch(), &if_match).await.unwrap_err();
    let requests = server.requests();
    for request in &requests {
        assert!(request.starts_with("PATCH /twins/d?api-version=2021-04-12 HTTP/1.1\r\n"), "{request}");
        let head = request.to_ascii_lowercase();
        assert!(head.contains("\r\nif-match: \"aaaaaaaaaae=\"\r\n"), "{request}");
        assert!(request.ends_with(r#"{"properties":{"desired":{"telemetryInterval":122}}}"#), "{request}");
    }
    (error, requests.len())
}

#[tokio::test]
async fn a_write_whose_outcome_is_unknown_is_not_repeated() {
    let signed = "iothub-errorcode: ServerBusy\r\n";
    let cases = [
        ("closed after the request", Reply::Close),
        (
            "half an answer",
            Reply::Bytes(format!("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n{JSON}\r\n{{").into_bytes()),
        ),
        ("a web page", answer("200 OK", "Content-Type: text/html\r\n", "<html>")),
        ("half a twin", answer("200 OK", JSON, r#"{"deviceId":"d""#)),
        ("endless", Reply::Endless),
        ("500", answer("500 Internal Server Error", "", "")),
        ("503 of a gateway", answer("503 Service Unavailable", "", "<html>")),
        ("504", answer("504 Gateway Timeout", signed, "")),
    ];
    for (name, reply) in cases {
        let (error, requests) = write(vec![reply]).await;
        assert!(matches!(error, HubError::OutcomeUnknown { .. }), "{name}: {error:?}");
        assert_eq!(requests, 1, "{name}");
    }
    let (error, requests) = write(vec![answer("503 Service Unavailable", signed, "")]).await;
    assert!(matches!(error, HubError::HubFailed { status: 503, .. }), "{error:?}");
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_throttled_write_was_not_carried_out_and_is_repeated() {
    let stale = r#"{"Message":"ErrorCode:PreconditionFailed;ETag may be invalid.","ExceptionMessage":"Tracking ID:0"}"#;
    let replies = vec![
        answer("429 Too Many Requests", "", ""),
        answer("412 Precondition Failed", &format!("{JSON}iothub-errorcode: PreconditionFailed\r\n"), stale),
    ];
    let (error, requests) = write(replies).await;
    let HubError::Conflict { service } = error else { panic!("{error:?}") };
    assert_eq!(service.message.as_deref(), Some("ETag may be invalid."));
    assert_eq!(requests, 2);
}

#[tokio::test]
async fn a_refused_signature_with_a_clock_apart_is_the_clocks_fault() {
    let date = |time| format!("Date: {}\r\n", httpdate::fmt_http_date(time));
    let hour = Duration::from_hours(1);
    let (outcome, requests) = read(vec![answer("401 Unauthorized", &date(SystemTime::now() - hour), "")]).await;
    let Err(HubError::ClockOff { ahead_s }) = outcome else { panic!("{outcome:?}") };
    assert!((3590..3700).contains(&ahead_s), "{ahead_s}");
    assert_eq!(requests, 1);

    let (outcome, _) = read(vec![answer("401 Unauthorized", &date(SystemTime::now() + hour), "")]).await;
    assert!(matches!(outcome, Err(HubError::ClockOff { ahead_s: ..-3500 })), "{outcome:?}");

    // A reason that has nothing to do with time stays the reason.
    for (code, clock) in [
        ("IotHubUnauthorized", true),
        ("401003", true),
        ("IotHubUnauthorizedAccess", false),
        ("401002", false),
        ("SomethingElse", false),
    ] {
        let headers = format!("{}iothub-errorcode: {code}\r\n", date(SystemTime::now() - hour));
        let (outcome, _) = read(vec![answer("401 Unauthorized", &headers, "")]).await;
        match outcome {
            Err(HubError::ClockOff { .. }) => assert!(clock, "{code}"),
            Err(HubError::Unauthorized { .. }) => assert!(!clock, "{code}"),
            other => panic!("{code}: {other:?}"),
        }
    }

    let (outcome, _) = read(vec![answer("401 Unauthorized", &date(SystemTime::now()), "")]).await;
    assert!(matches!(outcome, Err(HubError::Unauthorized { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_ca_is_not_believed() {
    let server = BadServer::start(vec![answer("200 OK", JSON, STATISTICS)]).await;
    let client = HubClient::new(&server.connection(), &Trust::new(&[]).unwrap(), server.observer()).unwrap();
    let error = client.with_retry(hasty()).statistics().await.unwrap_err();
    let HubError::Tls { host, reason } = &error else { panic!("{error:?}") };
    assert_eq!(host, &format!("localhost:{}", server.port));
    assert_eq!(reason, "no authority that this machine believes has signed its certificate");
    assert!(error.advice().contains("CA"), "{}", error.advice());
    assert!(server.requests().is_empty(), "nothing was said to a stranger");
    assert_eq!(server.records().len(), 1, "not tried again");
}

async fn closed_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_closed_port_is_unreachable_also_for_writes() {
    let server = BadServer::start(vec![Reply::Close]).await;
    let connection = connection(closed_port().await);
    let client = HubClient::new(&connection, &server.trust(), server.observer()).unwrap().with_retry(hasty());
    let error = client.patch_twin(&TwinId::device("d"), &patch(), &IfMatch::Any).await.unwrap_err();
    let HubError::Unreachable { reason, .. } = &error else { panic!("{error:?}") };
    // The cause itself, not what each layer calls it.
    assert!(reason.contains("refused") && !reason.contains("client error"), "{reason}");
    let records = server.records();
    assert_eq!(records.iter().map(|record| record.attempt).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(records.iter().all(|record| record.status.is_none() && record.failure.is_some()), "{records:?}");
}

#[tokio::test]
async fn plain_http_behind_the_port_is_no_matter_of_trust() {
    use tokio::io::AsyncWriteExt;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.ok();
        }
    });
    let client = HubClient::new(&connection(port), &Trust::new(&[]).unwrap(), unobserved()).unwrap();
    let error = client.with_retry(hasty()).statistics().await.unwrap_err();
    assert!(matches!(&error, HubError::Unreachable { reason, .. } if reason.contains("TLS")), "{error:?}");
    server.abort();
}

#[tokio::test]
async fn every_exchange_is_recorded() {
    let replies = vec![answer("503 Service Unavailable", "", "busy"), answer("200 OK", JSON, STATISTICS)];
    let server = BadServer::start(replies).await;
    server.client().statistics().await.unwrap();
    let records = server.records();
    let seen: Vec<_> = records
        .iter()
        .map(|record| (record.method, record.path.as_str(), record.status, record.bytes, record.attempt))
        .collect();
    assert_eq!(
        seen,
        [
            ("GET", "/statistics/devices", Some(503), 4, 1),
            ("GET", "/statistics/devices", Some(200), STATISTICS.len(), 2)
        ]
    );
}

#[tokio::test]
async fn ids_of_any_legal_character_reach_the_right_path() {
    let cases = [
        (TwinId::device("a b".replace(' ', "+")), "/twins/a%2Bb?"),
        (TwinId::device("50%"), "/twins/50%25?"),
        (TwinId::device("a#b?c"), "/twins/a%23b%3Fc?"),
        (TwinId::device("it's"), "/twins/it"),
        (TwinId::device("."), "/twins%2F.?"),
        (TwinId::device(".."), "/twins%2F..?"),
        (TwinId::module("d", ".."), "/twins%2Fd%2Fmodules%2F..?"),
        (TwinId::module("..", "m"), "/twins%2F..%2Fmodules%2Fm?"),
        (TwinId::module("a.b", "m:1;2"), "/twins/a.b/modules/m"),
    ];
    let server = BadServer::start(vec![answer("404 Not Found", "", "")]).await;
    let client = server.client();
    for (id, expected) in cases {
        let outcome = client.twin(&id).await;
        assert!(matches!(outcome, Err(HubError::NotFound { .. })), "{id}: {outcome:?}");
        let request = server.requests().pop().unwrap();
        let target = request.split(' ').nth(1).unwrap();
        assert!(target.starts_with(expected), "{id}: {target}");
    }
}

#[tokio::test]
async fn an_answer_about_another_twin_is_not_shown() {
    let body = r#"{"deviceId":"other","etag":"AAAAAAAAAAE=","version":2,"properties":{"desired":{"$version":1},"reported":{"$version":1}}}"#;
    let server = BadServer::start(vec![answer("200 OK", JSON, body)]).await;
    let outcome = server.client().twin(&TwinId::device("d")).await;
    assert!(matches!(&outcome, Err(HubError::Nonsense { what }) if what.contains("other")), "{outcome:?}");
}

#[tokio::test]
async fn a_probe_tells_what_stands_in_the_way() {
    let server = BadServer::start(vec![
        answer("200 OK", JSON, "[]"),
        answer("401 Unauthorized", "iothub-errorcode: IotHubUnauthorizedAccess\r\n", ""),
    ])
    .await;
    let report = probe(&server.connection(), &server.trust(), server.observer()).await.unwrap();
    assert_eq!((report.reachable, report.trusted, report.key), (Verdict::Yes, Verdict::Yes, Verdict::Yes));
    assert_eq!((report.service_connect, report.registry_read), (Verdict::Yes, Verdict::No));
    assert_eq!(report.registry_write, Verdict::Unknown);

    let report = probe(&server.connection(), &Trust::new(&[]).unwrap(), server.observer()).await.unwrap();
    assert_eq!((report.reachable, report.trusted, report.key), (Verdict::Yes, Verdict::No, Verdict::Unknown));
    assert!(matches!(report.problem, Some(HubError::Tls { .. })), "{report:?}");

    let report = probe(&connection(closed_port().await), &server.trust(), server.observer()).await.unwrap();
    assert_eq!((report.reachable, report.key), (Verdict::No, Verdict::Unknown));
    assert!(matches!(report.problem, Some(HubError::Unreachable { .. })), "{report:?}");
}

#[test]
fn certificate_files_that_are_none() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.pem");
    assert!(
        matches!(Trust::new(std::slice::from_ref(&missing)), Err(TrustError::File { path, .. }) if path == missing)
    );
    let empty = dir.path().join("empty.pem");
    std::fs::write(&empty, "no certificate here").unwrap();
    assert!(
        matches!(Trust::new(std::slice::from_ref(&empty)), Err(TrustError::NoCertificate { path }) if path == empty)
    );
    let broken = dir.path().join("broken.pem");
    std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    assert!(matches!(Trust::new(std::slice::from_ref(&broken)), Err(TrustError::File { path, .. }) if path == broken));
}
