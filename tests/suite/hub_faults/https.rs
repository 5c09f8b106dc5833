//! Faults over HTTPS: each kind, and who is spared.

use super::Stage;
use serde_json::json;
use std::time::{Duration, Instant};
use twinscope::twin::TwinId;

#[tokio::test]
async fn statuses_come_instead_of_the_work() {
    let mut stage = Stage::start().await;
    let version = stage.desired_version(&stage.d);
    for (text, status, code, retry_after) in [
        ("429 on=twin-write", 429, "ThrottlingException", None),
        ("429:retry-after=10s on=twin-write", 429, "ThrottlingException", Some("10")),
        ("500 on=rest", 500, "ServerError", None),
        ("502 on=twins", 502, "InvalidResponseWhileProxying", None),
        ("503", 503, "ServiceUnavailable", None),
        ("503:retry-after=2m", 503, "ServiceUnavailable", Some("120")),
        ("504 id=d", 504, "GatewayTimeout", None),
        ("599", 599, "GenericServerError", None),
    ] {
        stage.set(&[text]).await;
        let mut caller = stage.caller().await;
        let reply = caller.patch("/twins/d", json!({"properties": {"desired": {"a": 1}}})).await;
        reply.refused(status, code);
        assert_eq!(reply.header("retry-after"), retry_after, "{text}");
        assert_eq!(stage.desired_version(&stage.d), version, "{text}: nothing is done");
        assert_eq!(stage.counts().await, [(1, 1)], "{text}");
        // The service was seen to close after a 429, and after nothing else.
        assert_eq!(reply.header("connection"), (status == 429).then_some("close"), "{text}");
        assert_eq!(caller.try_call("GET", "/twins/n", &[], None).await.is_none(), status == 429, "{text}");
    }
    let reply = {
        stage.set(&["429"]).await;
        stage.caller().await.get("/twins/d").await
    };
    let said = reply.json()["Message"].as_str().unwrap().to_owned();
    assert!(said.contains("operation type 'TwinRead'") && said.contains("10 seconds"), "{said}");
}

#[tokio::test]
async fn every_word_names_its_calls() {
    let mut stage = Stage::start().await;
    let calls = [
        ("device-read", "GET", "/devices/d"),
        ("device-read", "GET", "/devices"),
        ("device-read", "GET", "/devices/d/modules"),
        ("device-read", "GET", "/devices/d/modules/m"),
        ("device-write", "DELETE", "/devices/d"),
        ("device-write", "DELETE", "/devices/d/modules/m"),
        ("twin-read", "GET", "/twins/d"),
        ("twin-read", "GET", "/twins/d/modules/m"),
        ("twin-write", "PATCH", "/twins/d"),
        ("twin-write", "PUT", "/twins/d/modules/m"),
        ("query", "POST", "/devices/query"),
        ("statistics", "GET", "/statistics/devices"),
        ("statistics", "GET", "/statistics/service"),
        ("methods", "POST", "/twins/d/methods"),
        ("messages", "DELETE", "/devices/d/commands"),
        ("messages", "GET", "/messages/serviceBound/feedback"),
        ("jobs", "GET", "/jobs/v2/none"),
        ("jobs", "GET", "/jobs/v2/query"),
    ];
    for word in
        ["device-read", "device-write", "twin-read", "twin-write", "query", "statistics", "methods", "messages", "jobs"]
    {
        stage.set(&[&format!("503 on={word}")]).await;
        let mut caller = stage.caller().await;
        for (own, method, path) in calls {
            // Where the fault does not strike nothing is to be done either.
            let body = (method != "GET").then(|| json!({"query": 1}));
            let if_match = if own == word { "*" } else { "\"of another time\"" };
            let reply = caller.call(method, path, &[("If-Match", if_match)], body.as_ref()).await;
            assert_eq!(reply.status == 503, own == word, "on={word}: {method} {path}: {}", reply.status);
        }
        let own = calls.iter().filter(|(own, ..)| *own == word).count() as u64;
        assert_eq!(stage.counts().await, [(own, own)], "{word}");
    }
}

#[tokio::test]
async fn a_write_dropped_before_did_nothing_one_dropped_after_took_effect() {
    let mut stage = Stage::start().await;
    for (text, done) in [("drop=before", 0), ("drop=after", 1), ("drop=halfway", 1)] {
        stage.set(&[&format!("{text} on=twin-write nth=2")]).await;
        let version = stage.desired_version(&stage.d);
        let patch = |n: u64| json!({"properties": {"desired": {"n": n, "text": text}}});
        let mut caller = stage.caller().await;
        caller.patch("/twins/d", patch(1)).await.ok();
        assert!(caller.try_call("PATCH", "/twins/d", &[], Some(&patch(2))).await.is_none(), "{text}");
        assert_eq!(stage.desired_version(&stage.d), version + 1 + done, "{text}");
        let mut caller = stage.caller().await;
        caller.patch("/twins/d", patch(3)).await.ok();
        assert_eq!(stage.desired_version(&stage.d), version + 2 + done, "{text}");
        assert_eq!(stage.counts().await, [(3, 1)], "{text}");
    }
}

#[tokio::test]
async fn what_arrives_of_a_dropped_answer() {
    let mut stage = Stage::start().await;
    for (text, is_begun) in [("drop=before", false), ("drop=after", false), ("drop=halfway", true)] {
        stage.set(&[text]).await;
        let bytes = stage.bytes_of("GET", "/twins/d", "").await;
        let begun = String::from_utf8(bytes).unwrap();
        assert_eq!(begun.starts_with("HTTP/1.1 200 OK\r\n"), is_begun, "{text}: {begun}");
        assert!(!begun.ends_with('}'), "{text}: {begun}");
    }
    // Also one that has no body, and one that is refused.
    stage.set(&["drop=halfway"]).await;
    for (method, path, line) in
        [("DELETE", "/devices/d/commands", "HTTP/1.1 200 OK\r\n"), ("GET", "/twins/nobody", "HTTP/1.1 404 ")]
    {
        let begun = String::from_utf8(stage.bytes_of(method, path, "").await).unwrap();
        assert!(begun.starts_with(line), "{method} {path}: {begun}");
    }
    assert_eq!(stage.counts().await, [(3 - 1, 3 - 1)]);
}

#[tokio::test]
async fn latency_is_waited_before_the_answer() {
    let mut stage = Stage::start().await;
    stage.set(&["latency=300ms on=twin-read id=d", "latency=1h on=query"]).await;
    let mut caller = stage.caller().await;
    let begun = Instant::now();
    caller.get("/twins/d").await.ok();
    assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
    caller.get("/twins/n").await.ok();
    assert_eq!(stage.counts().await, [(1, 1), (0, 0)]);
    // A wait without end holds up nobody else, nor the stop of the hub.
    let query = tokio::spawn(async move { caller.query("SELECT * FROM devices", &[]).await.status });
    let begun = Instant::now();
    while stage.counts().await[1] != (1, 1) {
        assert!(begun.elapsed() < crate::support::PATIENCE);
        tokio::task::yield_now().await;
    }
    assert!(!query.is_finished());
    query.abort();
    stage.place.local.stop().await;
}

#[tokio::test]
async fn neighbours_are_spared() {
    let mut stage = Stage::start().await;
    let module = TwinId::module("d", "m");
    let paths = [("/twins/d", &stage.d), ("/twins/d/modules/m", &module), ("/twins/n", &stage.n)];
    let paths = paths.map(|(path, id)| (path, id.clone()));
    for (text, struck) in [
        ("503 id=d", [true, false, false]),
        ("503 id=d/m", [false, true, false]),
        ("503 id=d*", [true, true, false]),
        ("503 id=d/*", [false, true, false]),
        ("503 id=*", [true, true, true]),
        ("503 id=nobody", [false, false, false]),
        ("off 503", [false, false, false]),
        ("503 on=twin-write", [false, false, false]),
        ("503 on=mqtt", [false, false, false]),
        ("lose=response", [false, false, false]),
    ] {
        stage.set(&[text]).await;
        let mut caller = stage.caller().await;
        for ((path, id), struck) in paths.iter().zip(struck) {
            assert_eq!(caller.get(path).await.status == 503, struck, "{text}: {id}");
        }
        // A query is nobody's: a fault for an id spares it.
        assert_eq!(caller.query("SELECT * FROM devices", &[]).await.status, 200, "{text}");
    }
}

#[tokio::test]
async fn the_same_seed_strikes_the_same_requests() {
    let mut stage = Stage::start().await;
    let mut rounds = Vec::new();
    for (seed, between) in [(7, false), (7, true), (8, false)] {
        stage.set_with_seed(seed, &["503 p=0.5 on=twin-read", "latency=1ms..2ms p=0.5"]).await;
        let mut caller = stage.caller().await;
        let mut statuses = Vec::new();
        for _ in 0..48 {
            statuses.push(caller.get("/twins/d").await.status);
            if between {
                caller.get("/twins/n").await;
            }
        }
        rounds.push(statuses);
    }
    assert_eq!(rounds[0], rounds[1], "what others do in between moves nothing");
    assert_ne!(rounds[0], rounds[2]);
    let struck = rounds[0].iter().filter(|status| **status == 503).count();
    assert!((10..=38).contains(&struck), "{struck} of 48");
}

#[tokio::test]
async fn strangers_learn_nothing_of_faults() {
    let mut stage = Stage::start().await;
    stage.set(&["drop=before"]).await;
    let mut raw = crate::support::Raw::connect(stage.place.local.https(), stage.place.local.ca_file()).await;
    raw.send(b"GET /twins/d?api-version=2021-04-12 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(raw.read().await.unwrap().status, 401);
    assert_eq!(stage.counts().await, [(0, 0)]);
}
