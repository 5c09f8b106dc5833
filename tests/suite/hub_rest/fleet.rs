//! The fleets a hub starts with.

use crate::support::TestHub;
use serde_json::json;
use std::collections::HashSet;
use std::time::{Duration, Instant};
use twinscope::local_hub::FleetChoice;
use twinscope::local_hub::fleet::{Behaviour, demo_identities};

#[tokio::test]
async fn the_demo_fleet_shows_every_behaviour() {
    let hub = TestHub::start(FleetChoice::Demo).await;
    let mut owner = hub.owner().await;
    let cast = demo_identities();
    let behaviours: HashSet<Behaviour> = cast.iter().map(|identity| identity.behaviour).collect();
    assert_eq!(behaviours.len(), 6);
    let devices = cast.iter().filter(|identity| identity.id.module.is_none()).count();
    assert_eq!(devices, 25);
    let counts = owner.get("/statistics/devices").await.ok();
    assert_eq!((&counts["totalDeviceCount"], &counts["disabledDeviceCount"]), (&json!(25), &json!(1)));
    let modules = owner.query("SELECT * FROM devices.modules", &[]).await.ok();
    assert_eq!(modules.as_array().unwrap().len(), cast.len() - devices);
    for identity in &cast {
        let path = match &identity.id.module {
            None => format!("/twins/{}", identity.id.device),
            Some(module) => format!("/twins/{}/modules/{module}", identity.id.device),
        };
        let twin = owner.get(&path).await.ok();
        assert!(twin["tags"].is_object() && twin["version"] == 2, "{twin}");
    }
    let twin = owner.get("/twins/myFirstDevice/modules/myFirstModule").await.ok();
    assert_eq!(twin["properties"]["desired"]["telemetryInterval"], 60);
    let sites = owner.query("SELECT tags.site, COUNT() AS n FROM devices GROUP BY tags.site", &[]).await.ok();
    assert_eq!(sites.as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_million_devices_cost_nothing_until_touched() {
    let started = Instant::now();
    let hub = TestHub::start(FleetChoice::Synthetic(1_000_000)).await;
    let mut owner = hub.owner().await;
    assert_eq!(owner.get("/statistics/devices").await.ok()["totalDeviceCount"], 1_000_000);
    // Bounded generously: building or scanning a million twins would take far longer in a debug build.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let page = owner.query("SELECT * FROM devices", &[("x-ms-max-item-count", "10")]).await;
    assert_eq!(page.ok()[9]["deviceId"], "device-0000010");
    let last = owner.get("/devices/device-1000000").await.ok();
    assert_eq!(owner.get("/devices/device-1000000").await.ok(), last, "the same each time");
    owner.get("/devices/device-1000001").await.refused(404, "DeviceNotFound");
    owner.get("/devices/device-0000000").await.refused(404, "DeviceNotFound");
    owner.put("/devices/new", json!({"deviceId": "new"})).await.refused(413, "TooManyDevices");

    owner.patch("/twins/device-0000003", json!({"tags": {"site": "moon"}})).await.ok();
    owner.delete("/devices/device-0000002").await;
    owner.device("a-new-one").await;
    let next = page.header("x-ms-continuation").unwrap().to_owned();
    let again = owner.query("SELECT * FROM devices", &[("x-ms-max-item-count", "3")]).await.ok();
    let ids: Vec<_> = again.as_array().unwrap().iter().map(|twin| &twin["deviceId"]).collect();
    assert_eq!(ids, ["a-new-one", "device-0000001", "device-0000003"]);
    assert_eq!(again[2]["tags"]["site"], "moon");
    let second = owner.query("SELECT * FROM devices", &[("x-ms-continuation", &next)]).await;
    assert_eq!(second.ok()[0]["deviceId"], "device-0000011");
    assert_eq!(owner.get("/statistics/devices").await.ok()["totalDeviceCount"], 1_000_000);
    owner.get("/twins/device-0000002").await.refused(404, "DeviceNotFound");
}

#[tokio::test]
async fn a_device_is_the_same_alone_and_among_others() {
    let hub = TestHub::start(FleetChoice::Synthetic(200)).await;
    let mut owner = hub.owner().await;
    owner.patch("/twins/device-0000007", json!({"tags": {"site": "moon"}})).await.ok();
    owner.delete("/devices/device-0000130").await;
    owner.device("device-0000065x").await;
    let mut from = None;
    let mut seen = Vec::new();
    loop {
        let chunk = hub.hub.hub().read(|registry| registry.device_twins_after(from.as_deref(), 64));
        let Some(last) = chunk.last() else { break };
        from = Some(last.id.device.clone());
        seen.extend(chunk);
    }
    assert_eq!(seen.len(), 200);
    assert!(seen.is_sorted_by(|a, b| a.id.device < b.id.device));
    for twin in &seen {
        assert_eq!(hub.hub.hub().read(|registry| registry.twin(&twin.id)).as_ref(), Ok(twin));
        let number: Option<u64> = twin.id.device.strip_prefix("device-").and_then(|digits| digits.parse().ok());
        if let Some(number) = number.filter(|number| *number != 7) {
            let site = ["amsterdam", "lisbon", "osaka", "quito"][usize::try_from(number).unwrap() % 4];
            let tags = json!({"site": site, "line": number / 100 % 20, "batch": number / 1000});
            assert_eq!(serde_json::Value::Object(twin.tags.clone()), tags);
            assert_eq!(
                serde_json::Value::Object(twin.desired.values.clone()),
                json!({"telemetryInterval": 60, "firmware": "1.4.2"})
            );
        }
    }
}
