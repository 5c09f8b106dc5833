//! Messages and feedback outlive the hub.

use super::{BOUND, lock, numbered, send, waiting};
use crate::support::{Caller, options, token};
use serde_json::json;
use tempfile::TempDir;
use twinscope::local_hub::{FleetChoice, HubOptions, LocalHub};
use twinscope::protocol::secret::Secret;

async fn start(dir: &TempDir) -> (LocalHub, Caller) {
    let options = HubOptions { data: Some(dir.path().join("data")), ..options(dir.path(), FleetChoice::Empty) };
    let hub = LocalHub::start(options).await.unwrap();
    let key = hub.hub().policies().by_name("iothubowner").unwrap().primary.clone();
    let owner = Caller::connect(hub.https(), hub.ca_file(), &token("localhost", &key, Some("iothubowner"))).await;
    (hub, owner)
}

#[tokio::test]
async fn over_a_restart() {
    let dir = TempDir::new().unwrap();
    let (hub, mut owner) = start(&dir).await;
    for id in ["d", "gone"] {
        owner.device(id).await;
    }
    let headers = [("iothub-ack", "full"), ("iothub-messageid", "m")];
    for n in 0..3 {
        send(&mut owner, &headers, numbered(n)).await;
    }
    assert_eq!(owner.post("/devices/gone/messages/deviceBound", json!(1)).await.status, 204);
    owner.delete("/devices/gone").await;
    owner.device("gone").await;
    let key = Secret::new(
        owner.get("/devices/d").await.ok()["authentication"]["symmetricKey"]["primaryKey"].as_str().unwrap(),
    );
    let device_token = token("localhost/devices/d", &key, None);
    let mut device = Caller::connect(hub.https(), hub.ca_file(), &device_token).await;
    let first = device.get(BOUND).await;
    assert_eq!(device.call("DELETE", &format!("{BOUND}/{}", lock(&first)), &[], None).await.status, 204);
    hub.stop().await;

    let (hub, mut owner) = start(&dir).await;
    assert_eq!(waiting(&mut owner).await, 2);
    assert_eq!(owner.get("/devices/gone").await.ok()["cloudToDeviceMessageCount"], 0);
    let (records, _) = super::feedback(&mut owner).await.unwrap();
    assert_eq!(records[0]["statusCode"], "Success");
    let mut device = Caller::connect(hub.https(), hub.ca_file(), &device_token).await;
    for n in 1..3 {
        let taken = device.get(BOUND).await;
        assert_eq!((taken.ok(), taken.header("iothub-messageid")), (numbered(n), Some("m")));
    }
    // Numbers go on after the highest that was kept.
    send(&mut owner, &[], numbered(3)).await;
    assert_eq!(device.get(BOUND).await.header("iothub-sequencenumber"), Some("4"));
    hub.stop().await;
}
