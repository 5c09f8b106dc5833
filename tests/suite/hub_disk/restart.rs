//! A hub stopped and started again on the same data.

use crate::support::{Caller, TestHub, options, token};
use serde_json::json;
use std::path::Path;
use tempfile::TempDir;
use twinscope::local_hub::{FleetChoice, HubOptions, LocalHub, StartError, certs};
use twinscope::twin::TwinId;

fn kept(dir: &Path, fleet: FleetChoice) -> HubOptions {
    HubOptions { data: Some(dir.join("data")), ..options(dir, fleet) }
}

async fn start(dir: &Path, fleet: FleetChoice) -> LocalHub {
    LocalHub::start(kept(dir, fleet)).await.unwrap()
}

async fn owner(hub: &LocalHub) -> Caller {
    let key = hub.hub().policies().by_name("iothubowner").unwrap().primary.clone();
    Caller::connect(hub.https(), hub.ca_file(), &token("localhost", &key, Some("iothubowner"))).await
}

#[tokio::test]
async fn a_restart_keeps_everything() {
    let dir = TempDir::new().unwrap();
    let hub = start(dir.path(), FleetChoice::Demo).await;
    let mut caller = owner(&hub).await;
    caller.device("d").await;
    // `+` sorts before the `/` between device and module in the file's keys.
    caller.device("d+x").await;
    caller.module("d", "m").await;
    caller.module("d+x", "m").await;
    let body = json!({"tags": {"a": 1}, "properties": {"desired": {"x": {"y": [1, 2]}, "f": 1.0}}});
    caller.patch("/twins/d/modules/m", body).await.ok();
    hub.hub().report(&TwinId::module("d", "m"), br#"{"r":1E5}"#, None).await.unwrap();
    caller.put_if("/devices/d+x", "*", json!({"deviceId": "d+x", "status": "disabled"})).await.ok();
    caller.delete("/devices/myFirstDevice").await;
    let paths = ["/devices/d", "/devices/d+x", "/devices/d/modules/m", "/twins/d", "/twins/d/modules/m", "/devices"];
    let mut before = Vec::new();
    for path in paths {
        before.push(caller.get(path).await.text());
    }
    assert!(before[4].contains("1E5") && before[4].contains("\"f\":1.0"), "{}", before[4]);
    let (connection, ca) = (hub.connection_string(), std::fs::read(hub.ca_file()).unwrap());
    hub.stop().await;

    let hub = start(dir.path(), FleetChoice::Demo).await;
    let mut caller = owner(&hub).await;
    for (path, before) in paths.iter().zip(before) {
        assert_eq!(caller.get(path).await.text(), before, "{path}");
    }
    caller.get("/devices/myFirstDevice").await.refused(404, "DeviceNotFound");
    assert_eq!(hub.connection_string().who, connection.who, "the keys stay");
    assert_eq!(std::fs::read(hub.ca_file()).unwrap(), ca, "the CA stays");
    let generation = caller.device("later").await["generationId"].as_str().unwrap().parse::<u64>().unwrap();
    let earlier = caller.get("/devices/d").await.ok()["generationId"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(generation > earlier);
}

#[tokio::test]
async fn a_synthetic_fleet_keeps_what_was_touched() {
    let dir = TempDir::new().unwrap();
    let hub = start(dir.path(), FleetChoice::Synthetic(1000)).await;
    let mut caller = owner(&hub).await;
    let untouched = caller.get("/devices/device-0000500").await.ok();
    caller.patch("/twins/device-0000007", json!({"tags": {"touched": true}})).await.ok();
    caller.delete("/devices/device-0000008").await;
    caller.delete("/devices/device-0000009").await;
    caller.device("device-0000009").await;
    caller.module("device-0000010", "m").await;
    hub.stop().await;

    let hub = start(dir.path(), FleetChoice::Empty).await;
    let mut caller = owner(&hub).await;
    assert_eq!(caller.get("/statistics/devices").await.ok()["totalDeviceCount"], 999);
    assert_eq!(caller.get("/devices/device-0000500").await.ok(), untouched);
    assert_eq!(caller.get("/twins/device-0000007").await.ok()["tags"]["touched"], true);
    caller.get("/devices/device-0000008").await.refused(404, "DeviceNotFound");
    assert!(caller.get("/twins/device-0000009").await.ok().get("tags").is_none(), "the new one, not the seeded one");
    assert_eq!(caller.get("/devices/device-0000010/modules/m").await.status, 200);
    caller.delete("/devices/device-0000009").await;
    assert_eq!(caller.get("/statistics/devices").await.ok()["totalDeviceCount"], 998);
}

#[tokio::test]
async fn without_data_nothing_is_kept() {
    let first = TestHub::start(FleetChoice::Empty).await;
    first.owner().await.device("d").await;
    let second = LocalHub::start(options(first.dir.path(), FleetChoice::Empty)).await.unwrap();
    owner(&second).await.get("/devices/d").await.refused(404, "DeviceNotFound");
    assert_ne!(first.hub.connection_string().who, second.connection_string().who);
}

#[tokio::test]
async fn two_hubs_cannot_share_data() {
    let dir = TempDir::new().unwrap();
    let hub = start(dir.path(), FleetChoice::Empty).await;
    let error = LocalHub::start(kept(dir.path(), FleetChoice::Empty)).await.err().unwrap();
    assert!(matches!(&error, StartError::Data { reason, .. } if reason.contains("another hub")), "{error}");
    hub.stop().await;
    start(dir.path(), FleetChoice::Empty).await;
}

#[tokio::test]
async fn a_stopped_hub_answers_nobody_and_frees_its_ports() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut caller = hub.owner().await;
    caller.device("d").await;
    let (https, mqtts) = (hub.hub.https(), hub.hub.mqtts());
    let inner = hub.hub.hub().clone();
    hub.hub.stop().await;
    assert!(caller.try_call("GET", "/devices/d", &[], None).await.is_none());
    for addr in [https, mqtts] {
        assert!(tokio::net::TcpStream::connect(addr).await.is_err());
    }
    let late = inner.report(&TwinId::device("d"), b"{}", None).await;
    assert_eq!(late.unwrap_err().code.name, "ServerError", "nothing is acknowledged after the file is closed");
}

#[test]
fn programs_that_start_at_once_agree_on_one_ca() {
    let dir = TempDir::new().unwrap();
    let ca = dir.path().join("ca");
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let ca = ca.clone();
            std::thread::spawn(move || std::fs::read_to_string(certs::prepare(&ca, &[]).unwrap().ca_file).unwrap())
        })
        .collect();
    let mut files: Vec<String> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    files.dedup();
    assert_eq!(files.len(), 1);
    let names: Vec<_> = std::fs::read_dir(&ca).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "no temporary file is left: {names:?}");
}

#[tokio::test]
async fn the_fleet_is_that_of_the_founding() {
    for (founded, asked) in [
        (FleetChoice::Demo, FleetChoice::Empty),
        (FleetChoice::Empty, FleetChoice::Demo),
        (FleetChoice::Synthetic(7), FleetChoice::Demo),
    ] {
        let dir = TempDir::new().unwrap();
        for choice in [founded, asked] {
            let hub = start(dir.path(), choice).await;
            assert_eq!(hub.fleet(), founded);
            hub.stop().await;
        }
    }
}
