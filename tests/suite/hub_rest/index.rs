//! The index of queries and statistics, when it is asked to lag.

use crate::support::{Caller, PATIENCE, TestHub};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use twinscope::local_hub::clock::Moment;
use twinscope::local_hub::index::Index;
use twinscope::local_hub::registry::{Mint, Mode, Registry, Statistics, Synthetic};
use twinscope::local_hub::{FleetChoice, Tuning};
use twinscope::protocol::identity::IdentityRequest;
use twinscope::protocol::rest::IfMatch;
use twinscope::protocol::secret::Secret;
use twinscope::twin::{Status, TwinId, wire};

const MINT: Mint = Mint { key: mint, number: || 7 };

fn mint() -> Secret {
    Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
}

/// All that queries and statistics can see.
fn view(registry: &Registry) -> (Vec<Value>, Statistics) {
    let devices = registry.device_twins_after(None, 1000);
    let modules = registry.module_twins_after(None, 1000);
    (devices.iter().chain(&modules).map(wire::to_json).collect(), registry.statistics())
}

/// One change of a small fleet: which of its identities, and what is done to it.
fn change(registry: &mut Registry, (which, deed): (usize, u8), now: &Moment) -> Vec<TwinId> {
    let devices = ["a", "b", "device-0000002", "device-0000003"];
    let device = devices[which % devices.len()];
    let id = if which / devices.len() == 0 { TwinId::device(device) } else { TwinId::module(device, "m") };
    let request = |iot_edge, status| IdentityRequest { iot_edge, status, ..IdentityRequest::new(id.clone()) };
    let made = match deed {
        0 | 1 => registry.put_identity(&request(false, Status::Enabled), &IfMatch::Absent, now),
        2 => registry.put_identity(&request(true, Status::Enabled), &IfMatch::Absent, now),
        3 => registry.put_identity(&request(false, Status::Disabled), &IfMatch::Any, now),
        4 => registry.put_identity(&request(true, Status::Enabled), &IfMatch::Any, now),
        5 => registry.delete_identity(&id, &IfMatch::Any, now),
        6 => registry.write_twin(&id, &json!({"tags": {"at": now.text}}), &IfMatch::Absent, Mode::Merge, now),
        7 => registry.report(&id, br#"{"r":1}"#, None, now).map(|(_, change)| change),
        8 => {
            // Twice over in one change, as a bulk operation may.
            let items = json!([{"id": id.device, "importMode": "delete"}, {"id": id.device, "importMode": "create"}]);
            registry.bulk(&items, now).map(|(_, change)| change)
        }
        _ => {
            let Some(record) = registry.record_mut(&id) else { return Vec::new() };
            record.connected = !record.connected;
            return vec![id];
        }
    };
    made.map(|change| change.writes).unwrap_or_default()
}

proptest! {
    #[test]
    fn it_shows_the_fleet_as_it_was(
        deeds in proptest::collection::vec(((0_usize..8, 0_u8..10), 0_u64..7), 1..60),
        lag_s in 1_u64..10,
    ) {
        let lag = Duration::from_secs(lag_s);
        let synthetic = Synthetic { count: 3, ..Synthetic::none() };
        let mut registry = Registry::new(synthetic, MINT);
        let index = Index::behind(&registry, lag).unwrap();
        let begin = Instant::now();
        let mut now = begin;
        let mut history = vec![(begin, view(&registry))];
        for (n, (deed, wait_s)) in deeds.into_iter().enumerate() {
            now += Duration::from_secs(wait_s);
            let moment = Moment::at(1_700_000_000 + u64::try_from(n).unwrap(), 0);
            let changed = change(&mut registry, deed, &moment);
            index.note(&registry, &changed, now);
            history.push((now, view(&registry)));
            let seen = index.read(now, view);
            let then = history.iter().rev().find(|(at, _)| *at + lag <= now).unwrap_or(&history[0]);
            prop_assert_eq!(&seen, &then.1, "after step {}", n);
        }
        prop_assert_eq!(index.read(now + lag, view), view(&registry), "it comes to the same in the end");
    }
}

#[test]
fn without_a_lag_there_is_none() {
    let registry = Registry::new(Synthetic::none(), MINT);
    assert!(Index::behind(&registry, Duration::ZERO).is_none());
}

#[test]
fn what_waits_is_bounded() {
    let mut registry = Registry::new(Synthetic::none(), MINT);
    let index = Index::behind(&registry, Duration::from_hours(1)).unwrap();
    let now = Instant::now();
    let put = |registry: &mut Registry, id: &TwinId| {
        let request = IdentityRequest::new(id.clone());
        drop(registry.put_identity(&request, &IfMatch::Absent, &Moment::at(1_700_000_000, 0)).unwrap());
    };
    let (first, other) = (TwinId::device("first"), TwinId::device("other"));
    put(&mut registry, &first);
    put(&mut registry, &other);
    index.note(&registry, [&first], now);
    let count = |index: &Index| index.read(now, Registry::device_count);
    for _ in 0..99_999 {
        index.note(&registry, [&other], now);
    }
    assert_eq!(count(&index), 0, "nothing is due");
    index.note(&registry, [&other], now);
    assert_eq!(count(&index), 1, "the oldest made room");
}

fn late(lag: Duration) -> Tuning {
    Tuning { index_lag: lag, ..Tuning::default() }
}

async fn rows(owner: &mut Caller, text: &str) -> Vec<Value> {
    owner.query(text, &[]).await.ok().as_array().unwrap().clone()
}

#[tokio::test]
async fn an_hour_late_nothing_new_is_seen() {
    let hub = TestHub::start_tuned(FleetChoice::Synthetic(999_000), late(Duration::from_hours(1))).await;
    let mut owner = hub.owner().await;
    owner.device("a-new").await;
    owner.module("a-new", "m").await;
    owner.patch("/twins/device-0000001", json!({"tags": {"new": true}})).await.ok();
    owner.delete("/devices/device-0000002").await;
    let id = TwinId::device("device-0000003");
    hub.hub.hub().report(&id, br#"{"r":1}"#, None).await.unwrap();
    assert!(hub.hub.hub().connected(&id).is_some());

    let first = rows(&mut owner, "SELECT TOP 3 * FROM devices").await;
    let ids: Vec<&str> = first.iter().map(|row| row["deviceId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["device-0000001", "device-0000002", "device-0000003"], "neither the new nor the deletion");
    assert!(first[0]["tags"].get("new").is_none(), "{}", first[0]);
    assert_eq!(first[2]["connectionState"], "Disconnected");
    assert!(first[2]["properties"]["reported"].get("r").is_none());
    assert_eq!(rows(&mut owner, "SELECT * FROM devices.modules").await, [] as [Value; 0]);
    let counts = owner.get("/statistics/devices").await.ok();
    assert_eq!(counts["totalDeviceCount"], 999_000);
    assert_eq!(owner.get("/statistics/service").await.ok()["connectedDeviceCount"], 0);

    // The items themselves are never late.
    assert_eq!(owner.get("/devices/a-new").await.status, 200);
    assert_eq!(owner.get("/twins/device-0000001").await.ok()["tags"]["new"], true);
    owner.get("/devices/device-0000002").await.refused(404, "DeviceNotFound");
    assert_eq!(owner.get("/twins/device-0000003").await.ok()["connectionState"], "Connected");
    assert_eq!(owner.get("/devices?top=1").await.ok()[0]["deviceId"], "a-new", "nor is the list");
}

#[tokio::test]
async fn what_changed_shows_after_the_lag_and_not_before() {
    let lag = Duration::from_millis(300);
    let hub = TestHub::start_tuned(FleetChoice::Empty, late(lag)).await;
    let (mut owner, mut other) = (hub.owner().await, hub.owner().await);
    // Asks until the answer is the one waited for; how long that took since the change was sent.
    let mut wait = async |since: Instant, text: &str, expected: usize| {
        while rows(&mut other, text).await.len() != expected {
            assert!(since.elapsed() < PATIENCE, "{text}: never {expected} rows");
        }
        assert!(since.elapsed() >= lag, "{text}: seen too early");
    };
    let id = TwinId::device("d");
    let sent = Instant::now();
    owner.device("d").await;
    wait(sent, "SELECT * FROM devices", 1).await;
    let sent = Instant::now();
    owner.module("d", "m").await;
    wait(sent, "SELECT * FROM devices.modules", 1).await;
    let sent = Instant::now();
    owner.patch("/twins/d", json!({"properties": {"desired": {"n": 1}}})).await.ok();
    wait(sent, "SELECT * FROM devices WHERE properties.desired.n = 1", 1).await;
    let sent = Instant::now();
    hub.hub.hub().report(&id, br#"{"n":2}"#, None).await.unwrap();
    wait(sent, "SELECT * FROM devices WHERE properties.reported.n = 2", 1).await;
    let sent = Instant::now();
    let generation = hub.hub.hub().connected(&id).unwrap();
    wait(sent, "SELECT * FROM devices WHERE connectionState = 'Connected'", 1).await;
    let sent = Instant::now();
    hub.hub.hub().disconnected(&id, &generation);
    wait(sent, "SELECT * FROM devices WHERE connectionState = 'Connected'", 0).await;
    let sent = Instant::now();
    hub.hub.hub().set_model_id(&id, &generation, "dtmi:a;1");
    wait(sent, "SELECT * FROM devices WHERE modelId = 'dtmi:a;1'", 1).await;
    let before = rows(&mut owner, "SELECT lastActivityTime FROM devices").await[0]["lastActivityTime"].clone();
    let sent = Instant::now();
    hub.hub.hub().telemetry(&id, "", b"x");
    let later = format!("SELECT * FROM devices WHERE lastActivityTime > '{}'", before.as_str().unwrap());
    wait(sent, &later, 1).await;
    let sent = Instant::now();
    owner.delete("/devices/d").await;
    wait(sent, "SELECT * FROM devices", 0).await;
    assert_eq!(rows(&mut owner, "SELECT * FROM devices.modules").await.len(), 0, "it took its module along");
}
