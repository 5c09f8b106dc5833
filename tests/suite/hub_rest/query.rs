//! Queries: item types, pages, continuations.

use crate::support::{Caller, Reply, TestHub};
use serde_json::{Value, json};
use std::time::Duration;
use twinscope::local_hub::{FleetChoice, Limits};

const TYPE: &str = "x-ms-item-type";
const NEXT: &str = "x-ms-continuation";
const SIZE: &str = "x-ms-max-item-count";

fn ids(reply: &Reply) -> Vec<String> {
    let rows = reply.ok();
    rows.as_array().unwrap().iter().map(|row| row["deviceId"].as_str().unwrap().to_owned()).collect()
}

/// All pages of a query: the ids of each.
async fn pages(owner: &mut Caller, text: &str, size: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let mut headers = vec![(SIZE, size)];
        headers.extend(next.as_deref().map(|next| (NEXT, next)));
        let reply = owner.query(text, &headers).await;
        pages.push(ids(&reply));
        next = reply.header(NEXT).map(str::to_owned);
        if next.is_none() {
            return pages;
        }
        assert!(pages.len() < 1000, "the pages end");
    }
}

#[tokio::test]
async fn pages_hold_every_row_once() {
    let hub = TestHub::start(FleetChoice::Synthetic(250)).await;
    let mut owner = hub.owner().await;
    let all = "SELECT * FROM devices";
    for (size, sizes) in [("100", vec![100, 100, 50]), ("250", vec![250]), ("125", vec![125, 125]), ("5000", vec![250])]
    {
        let pages = pages(&mut owner, all, size).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{size}");
        let mut rows = pages.concat();
        rows.dedup();
        assert_eq!(rows.len(), 250);
    }
    assert_eq!(ids(&owner.query(all, &[]).await).len(), 100, "the page size is 100 by default");
    let top = pages(&mut owner, "SELECT TOP 30 * FROM devices", "20").await;
    assert_eq!(top.iter().map(Vec::len).collect::<Vec<_>>(), [20, 10]);
}

#[tokio::test]
async fn a_continuation_is_stable_while_devices_come_and_go() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    for id in ["b", "d", "f", "h"] {
        owner.device(id).await;
    }
    let all = "SELECT * FROM devices";
    let first = owner.query(all, &[(SIZE, "2")]).await;
    assert_eq!(ids(&first), ["b", "d"]);
    owner.device("a").await;
    owner.device("e").await;
    owner.delete("/devices/d").await;
    let next = first.header(NEXT).unwrap().to_owned();
    assert_eq!(ids(&owner.query(all, &[(NEXT, &next)]).await), ["e", "f", "h"]);
    owner.query("SELECT * FROM devices.modules", &[(NEXT, &next)]).await.refused(400, "ArgumentInvalid");
    for bad in ["x", "e30", "%%%", &"A".repeat(5000)] {
        owner.query(all, &[(NEXT, bad)]).await.refused(400, "ArgumentInvalid");
    }
}

#[tokio::test]
async fn modules_are_rows_of_their_own_source() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    for device in ["a", "b"] {
        owner.device(device).await;
        for module in ["m1", "m2", "m3"] {
            owner.module(device, module).await;
        }
    }
    let reply = owner.query("SELECT * FROM devices.modules WHERE deviceId in ['a']", &[]).await;
    assert_eq!(reply.header(TYPE), Some("Twin"));
    assert_eq!(reply.ok().as_array().unwrap().len(), 3);
    let sizes: Vec<usize> =
        pages(&mut owner, "SELECT * FROM devices.modules", "4").await.iter().map(Vec::len).collect();
    assert_eq!(sizes, [4, 2]);
    assert_eq!(ids(&owner.query("SELECT * FROM devices", &[]).await), ["a", "b"]);
}

#[tokio::test]
async fn item_types_projections_and_aggregates() {
    let hub = TestHub::start(FleetChoice::Synthetic(40)).await;
    let mut owner = hub.owner().await;
    let check = async |owner: &mut Caller, text: &str, item_type: &str, expected: Value| {
        let reply = owner.query(text, &[]).await;
        assert_eq!(reply.ok(), expected, "{text}");
        assert_eq!(reply.header(TYPE), Some(item_type), "{text}");
        assert!(reply.header(NEXT).is_none());
    };
    check(&mut owner, "SELECT COUNT() AS n FROM devices", "Raw", json!([{"n": 40}])).await;
    check(&mut owner, "SELECT COUNT() AS n FROM devices.modules", "Raw", json!([{"n": 0}])).await;
    let one = "SELECT deviceId, tags.site FROM devices WHERE deviceId = 'device-0000001'";
    check(&mut owner, one, "Raw", json!([{"deviceId": "device-0000001", "site": "lisbon"}])).await;
    check(&mut owner, "SELECT * FROM devices WHERE deviceId = 'no'", "Twin", json!([])).await;
    check(&mut owner, "SELECT * FROM devices.jobs", "DeviceJob", json!([])).await;
    let groups = "SELECT tags.site, COUNT() AS n FROM devices GROUP BY tags.site";
    let first = owner.query(groups, &[(SIZE, "3")]).await;
    assert_eq!(first.ok().as_array().unwrap().len(), 3);
    let next = first.header(NEXT).unwrap().to_owned();
    let last = owner.query(groups, &[(SIZE, "3"), (NEXT, &next)]).await;
    assert_eq!(last.ok().as_array().unwrap().len(), 1);
    assert!(last.header(NEXT).is_none());
}

#[tokio::test]
async fn bad_queries_are_refused() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    let syntax = owner.query("SELECT FROM WHERE", &[]).await;
    syntax.refused(400, "ArgumentInvalid");
    let message = syntax.json()["Message"].as_str().unwrap().to_owned();
    let place = "ErrorCode:ArgumentInvalid;BadRequest: line 1 column 8: expected ";
    assert!(message.starts_with(place), "{message}");
    let long = format!("SELECT * FROM devices WHERE deviceId = '{}'", "x".repeat(8192));
    owner.query(&long, &[]).await.refused(400, "ArgumentInvalid");
    for body in [json!({}), json!({"query": 1}), json!("SELECT * FROM devices"), json!([])] {
        owner.post("/devices/query", body).await.refused(400, "ArgumentInvalid");
    }
    for size in ["0", "-1", "many"] {
        owner.query("SELECT * FROM devices", &[(SIZE, size)]).await.refused(400, "ArgumentInvalid");
    }
}

#[tokio::test]
async fn a_count_that_takes_too_long_ends() {
    let limits = Limits { aggregate: Duration::from_millis(1), ..Limits::default() };
    let hub = TestHub::start_with(FleetChoice::Synthetic(100_000), limits).await;
    let mut owner = hub.owner().await;
    let reply = owner.query("SELECT COUNT() AS n FROM devices", &[]).await;
    reply.refused(503, "ServiceUnavailable");
    assert!(reply.text().contains("fewer devices"), "{}", reply.text());
    assert_eq!(ids(&owner.query("SELECT * FROM devices", &[(SIZE, "2")]).await).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_answered_beside_a_count() {
    let hub = TestHub::start(FleetChoice::Synthetic(1_000_000)).await;
    let (mut counter, mut owner) = (hub.owner().await, hub.owner().await);
    let count = tokio::spawn(async move { counter.query("SELECT COUNT() AS n FROM devices", &[]).await.status });
    // So many that the count has begun, whichever came first.
    for _ in 0..50 {
        assert_eq!(ids(&owner.query("SELECT * FROM devices", &[(SIZE, "2")]).await).len(), 2);
    }
    assert!(!count.is_finished(), "the count was done before the pages");
    count.abort();
}
