//! What the size formula lets through and memory, sockets and files would pay for; conditions that cannot be read.

use crate::support::{TestHub, token};
use serde_json::{Map, Value, json};
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;

/// Bytes of JSON text that the formula does not count: strings of control characters, six bytes each.
fn free(bytes: usize) -> Map<String, Value> {
    let strings = (0..bytes / (6 * 4096)).map(|n| (format!("s{n}"), json!("\u{1}".repeat(4096))));
    strings.collect()
}

/// So many properties that count three each and are stamped each.
fn nodes(count: usize) -> Map<String, Value> {
    let letter = |n: usize| char::from(b'A' + u8::try_from(n % 25).unwrap());
    (0..count).map(|n| ([letter(n / 625), letter(n / 25), letter(n)].iter().collect(), json!({}))).collect()
}

#[tokio::test]
async fn what_the_formula_does_not_count_is_bounded_too() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    owner.device("d").await;
    let too_much = [
        json!({"tags": free(80 * 1024)}),
        json!({"tags": {"empty": vec![json!({}); 30_000]}}),
        json!({"properties": {"desired": free(300 * 1024)}}),
        json!({"properties": {"desired": {"empty": vec![json!([]); 100_000]}}}),
        // Small as text; not with the metadata that each node gets.
        json!({"properties": {"desired": nodes(10_900)}}),
    ];
    for body in too_much {
        for method in ["PATCH", "PUT"] {
            let reply = owner.call(method, "/twins/d", &[], Some(&body)).await;
            reply.refused(403, "DeviceModelMaxPropertiesExceeded");
            assert!(reply.text().contains("bytes"), "{}", reply.text());
        }
    }
    let id = TwinId::device("d");
    let report = async |values: Map<String, Value>| {
        hub.hub.hub().report(&id, Value::Object(values).to_string().as_bytes(), None).await
    };
    assert_eq!(report(free(300 * 1024)).await.unwrap_err().code.number, 403_100);
    assert_eq!(report(nodes(10_900)).await.unwrap_err().code.number, 403_100);
    assert_eq!(owner.get("/twins/d").await.ok()["version"], 2, "refused writes change nothing");

    report(free(200 * 1024)).await.unwrap();
    let body = json!({"tags": free(50 * 1024), "properties": {"desired": free(200 * 1024)}});
    owner.patch("/twins/d", body).await.ok();
    // What grows together is bounded together.
    let more = json!({"properties": {"desired": {"more": free(80 * 1024)}}});
    owner.patch("/twins/d", more).await.refused(403, "DeviceModelMaxPropertiesExceeded");
}

#[tokio::test]
async fn a_number_is_not_spelled_without_end() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    hub.owner().await.device("d").await;
    let key = hub.hub.hub().policies().by_name("iothubowner").unwrap().primary.clone();
    let token = token("localhost", &key, Some("iothubowner"));
    let head = format!("PATCH /twins/d?api-version=2021-04-12 HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n");
    let mut raw = hub.raw().await;
    for (digits, status) in [(4094, 200), (4095, 400), (200_000, 400)] {
        let body = format!(r#"{{"tags":{{"n":0.{}}}}}"#, "3".repeat(digits));
        raw.send(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
        let reply = raw.read().await.unwrap();
        assert_eq!(reply.status, status, "{digits} digits");
        if status == 400 {
            assert!(reply.text().contains("4096"), "{}", reply.text());
        }
    }
}

#[tokio::test]
async fn a_condition_that_cannot_be_read_is_not_none() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    hub.owner().await.device("d").await;
    let key = hub.hub.hub().policies().by_name("iothubowner").unwrap().primary.clone();
    let token = token("localhost", &key, Some("iothubowner"));
    let body = r#"{"tags":{"a":1}}"#;
    let lines: [&[u8]; 4] = [
        b"If-Match: \"\xff\"\r\n",
        b"If-Match:\r\n",
        b"If-Match: \"AAAAAAAAAAE=\"\r\nIf-Match: \"AAAAAAAAAAI=\"\r\n",
        b"If-Match: *\r\nif-match: *\r\n",
    ];
    for line in lines {
        for target in ["PATCH /twins/d", "PUT /twins/d", "DELETE /devices/d", "PUT /devices/new"] {
            let mut raw = hub.raw().await;
            let head = format!("{target}?api-version=2021-04-12 HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n");
            let rest = format!("Content-Length: {}\r\n\r\n{body}", body.len());
            raw.send(&[head.as_bytes(), line, rest.as_bytes()].concat()).await;
            raw.read().await.unwrap().refused(400, "ArgumentInvalid");
        }
    }
    let mut owner = hub.owner().await;
    assert_eq!(owner.get("/twins/d").await.ok()["version"], 2);
    owner.get("/devices/new").await.refused(404, "DeviceNotFound");
}

#[tokio::test]
async fn a_refused_write_leaves_a_synthetic_device_uncounted() {
    let hub = TestHub::start(FleetChoice::Synthetic(10)).await;
    let mut owner = hub.owner().await;
    let path = "/twins/device-0000001";
    owner.patch(path, json!({"tags": {"a.b": 1}})).await.refused(400, "ArgumentInvalid");
    owner.patch_if(path, "\"stale\"", json!({"tags": {"a": 1}})).await.refused(412, "PreconditionFailed");
    let id = TwinId::device("device-0000001");
    for (patch, expected) in [(&b"[]"[..], None), (b"{}", Some(9)), (br#"{"a b":1}"#, None)] {
        hub.hub.hub().report(&id, patch, expected).await.unwrap_err();
    }
    let kept = || hub.hub.hub().read(twinscope::local_hub::registry::Registry::all_kept);
    assert_eq!(kept(), []);
    owner.patch(path, json!({"tags": {"a": 1}})).await.ok();
    assert_eq!(kept(), [id]);
}
