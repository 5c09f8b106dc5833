//! The largest twin the local hub accepts gets through everything that carries it.

use super::local::{TestHub, view};
use crate::support::{Caller, token};
use serde_json::{Map, Value, json};
use twinscope::client::link::Reconnect;
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;

/// Exactly 256 KB of JSON text, which the formula counts as nearly nothing.
fn widest() -> Map<String, Value> {
    let mut values: Map<String, Value> = (0..10).map(|n| (format!("s{n}"), json!("\u{1}".repeat(4096)))).collect();
    let mut left = 256 * 1024 - Value::Object(values.clone()).to_string().len();
    while left > 0 {
        // A comma, a key of two characters, a colon and the quotes.
        let text = "x".repeat((left - 8).min(4096));
        left -= text.len() + 8;
        values.insert(format!("t{}", values.len() - 10), json!(text));
    }
    assert_eq!(Value::Object(values.clone()).to_string().len(), 256 * 1024);
    values
}

/// With its metadata nearly as large as a section may be.
fn stamped() -> Map<String, Value> {
    let nodes = (0..7_500).map(|n| (format!("{n:04x}"), json!({})));
    nodes.chain((0..6).map(|n| (format!("s{n}"), json!("\u{1}".repeat(4096))))).collect()
}

#[tokio::test]
async fn the_largest_twin_is_read_written_back_and_seen_by_its_device() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let key = hub.hub.hub().policies().by_name("iothubowner").unwrap().primary.clone();
    let token = token("localhost", &key, Some("iothubowner"));
    let mut owner = Caller::connect(hub.hub.https(), hub.hub.ca_file(), &token).await;
    for (name, values) in [("wide", widest()), ("stamped", stamped())] {
        let id = TwinId::device(name);
        let connection = hub.create(&id).await;
        let path = format!("/twins/{name}");
        owner.patch(&path, json!({"properties": {"desired": values}})).await.ok();
        hub.hub.hub().report(&id, Value::Object(values.clone()).to_string().as_bytes(), None).await.unwrap();
        let whole = owner.get(&path).await.ok();
        let bytes = whole.to_string().len();
        assert!(name == "wide" || bytes > 1_400_000, "{bytes}");
        for method in ["PATCH", "PUT"] {
            assert_eq!(owner.call(method, &path, &[], Some(&whole)).await.status, 200, "{method} {bytes}");
        }
        let twin = hub.client.twin(&id).await.unwrap();
        assert_eq!(twin.desired.values.len(), values.len());

        let (link, mut events) = hub.link(&connection, Reconnect::UnlessPushedOut);
        let seen = view(&mut events).await;
        assert_eq!((seen.desired.len(), seen.reported.len()), (values.len(), values.len()));
        assert_eq!(link.twin().await.unwrap(), seen);
    }
}
