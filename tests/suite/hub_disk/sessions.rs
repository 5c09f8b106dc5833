//! Kept MQTT sessions across a stop and across a kill: clients subscribe once in their life.

use super::command::{Running, start};
use crate::hub_mqtt::place::{greeting, now_s};
use crate::hub_mqtt::wire::{self, Connect, DISCONNECT, Got, Wire};
use crate::support::{Caller, options, tls, token};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use twinscope::local_hub::{FleetChoice, HubOptions, LocalHub};
use twinscope::protocol::sas;
use twinscope::protocol::secret::Secret;
use twinscope::twin::TwinId;

const DESIRED: &str = "$iothub/twin/PATCH/properties/desired/#";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clean {
    Yes,
    No,
}

/// A hub in this process or in another, as clients see it.
struct Seen {
    owner: Caller,
    mqtts: SocketAddr,
    ca_file: PathBuf,
}

impl Seen {
    async fn here(hub: &LocalHub) -> Self {
        let key = hub.hub().policies().by_name("iothubowner").unwrap().primary.clone();
        let owner = Caller::connect(hub.https(), hub.ca_file(), &token("localhost", &key, Some("iothubowner"))).await;
        Self { owner, mqtts: hub.mqtts(), ca_file: hub.ca_file().to_owned() }
    }

    async fn there(running: &Running) -> Self {
        let text = |key: &str| running.ready[key].as_str().unwrap().to_owned();
        Self {
            owner: running.owner().await,
            mqtts: text("mqtts").parse().unwrap(),
            ca_file: PathBuf::from(text("caFile")),
        }
    }

    /// Connects; the first answer beside the connection.
    async fn connect(&mut self, id: &TwinId, clean: Clean) -> (Wire<TlsStream<TcpStream>>, Got) {
        let identity = self.owner.get(&path("devices", id)).await.ok();
        let key = Secret::new(identity["authentication"]["symmetricKey"]["primaryKey"].as_str().unwrap());
        let token = sas::sign(&sas::resource("localhost", Some(id)), &key, now_s() + 600, None).unwrap();
        let connect = Connect { clean: clean == Clean::Yes, password: Some(token.reveal().to_owned()), ..greeting(id) };
        let socket = TcpStream::connect(self.mqtts).await.unwrap();
        let stream = tls(&self.ca_file).connect("localhost".try_into().unwrap(), socket).await.unwrap();
        let mut wire = Wire::new(stream);
        wire.send(&connect.bytes()).await;
        let answer = wire.get().await;
        (wire, answer)
    }

    /// The new `$version`.
    async fn desire(&mut self, id: &TwinId, desired: Value) -> u64 {
        let twin = self.owner.patch(&path("twins", id), json!({"properties": {"desired": desired}})).await.ok();
        twin["properties"]["desired"]["$version"].as_u64().unwrap()
    }
}

fn path(root: &str, id: &TwinId) -> String {
    match &id.module {
        Some(module) => format!("/{root}/{}/modules/{module}", id.device),
        None => format!("/{root}/{}", id.device.replace('#', "%23")),
    }
}

fn ids() -> [TwinId; 3] {
    // Ids with characters that mean something in keys and paths.
    [TwinId::device("d"), TwinId::module("d", "m"), TwinId::device("d+x'#")]
}

async fn create(seen: &mut Seen) {
    seen.owner.device("d").await;
    seen.owner.module("d", "m").await;
    seen.owner.put("/devices/d+x'%23", json!({"deviceId": "d+x'#"})).await.ok();
}

fn kept(dir: &Path) -> HubOptions {
    HubOptions { data: Some(dir.join("data")), ..options(dir, FleetChoice::Empty) }
}

#[tokio::test]
async fn a_kept_session_survives_a_restart() {
    let dir = TempDir::new().unwrap();
    let hub = LocalHub::start(kept(dir.path())).await.unwrap();
    let mut seen = Seen::here(&hub).await;
    create(&mut seen).await;
    let connected = TwinId::device("d");
    let mut still_there = None;
    for id in ids().iter().filter(|id| id.device == "d") {
        let (mut wire, answer) = seen.connect(id, Clean::No).await;
        assert_eq!(answer, Got::ConnAck(0, 0));
        wire.ask(&wire::subscribe(1, &[(DESIRED, 1)]), Got::SubAck(1, vec![1])).await;
        if *id == connected {
            // One client is connected when the hub stops, the other has left.
            still_there = Some(wire);
        } else {
            wire.send(DISCONNECT).await;
            wire.expect_end().await;
        }
    }
    hub.stop().await;
    still_there.unwrap().expect_end().await;

    // Twice: what was taken back is not lost by the next restart.
    for round in 0..2 {
        let hub = LocalHub::start(kept(dir.path())).await.unwrap();
        let mut seen = Seen::here(&hub).await;
        for id in ids().iter().filter(|id| id.device == "d") {
            let (mut wire, answer) = seen.connect(id, Clean::No).await;
            assert_eq!(answer, Got::ConnAck(1, 0), "{id}");
            let version = seen.desire(id, json!({"round": round})).await;
            assert_eq!(wire.message().await.1, json!({"round": round, "$version": version}));
        }
        hub.stop().await;
    }

    // Deleted and made again while the hub runs, and a hub started after that.
    let hub = LocalHub::start(kept(dir.path())).await.unwrap();
    let mut seen = Seen::here(&hub).await;
    seen.owner.delete("/devices/d").await;
    seen.owner.device("d").await;
    seen.owner.module("d", "m").await;
    hub.stop().await;
    let hub = LocalHub::start(kept(dir.path())).await.unwrap();
    let mut seen = Seen::here(&hub).await;
    for id in ids().iter().filter(|id| id.device == "d") {
        let (mut wire, answer) = seen.connect(id, Clean::No).await;
        assert_eq!(answer, Got::ConnAck(0, 0), "{id}");
        seen.desire(id, json!({"a": 1})).await;
        wire.expect_quiet().await;
    }
}

#[tokio::test]
async fn what_was_acknowledged_of_a_session_survives_a_kill() {
    let dir = TempDir::new().unwrap();
    let mut running = start(dir.path(), &["--fleet", "empty"]);
    let mut seen = Seen::there(&running).await;
    create(&mut seen).await;
    for id in ids() {
        let (mut wire, answer) = seen.connect(&id, Clean::No).await;
        assert_eq!(answer, Got::ConnAck(0, 0));
        wire.ask(&wire::subscribe(1, &[("$iothub/twin/res/#", 0), (DESIRED, 1)]), Got::SubAck(1, vec![0, 1])).await;
    }
    let again = |running: &mut Running| {
        running.child.kill().unwrap();
        running.child.wait().unwrap();
        *running = start(dir.path(), &[]);
    };
    again(&mut running);
    let mut seen = Seen::there(&running).await;
    for id in ids() {
        let (mut wire, answer) = seen.connect(&id, Clean::No).await;
        assert_eq!(answer, Got::ConnAck(1, 0), "{id}");
        let version = seen.desire(&id, json!({"n": 1})).await;
        assert_eq!(wire.message().await.1, json!({"n": 1, "$version": version}));
        wire.send(&wire::publish(0x30, 0, "$iothub/twin/GET/?$rid=1", b" ")).await;
        assert_eq!(wire.message().await.0, "$iothub/twin/res/200/?$rid=1");
        wire.ask(&wire::unsubscribe(2, &[DESIRED]), Got::UnsubAck(2)).await;
    }
    again(&mut running);
    let mut seen = Seen::there(&running).await;
    for id in ids() {
        let (mut wire, answer) = seen.connect(&id, Clean::No).await;
        assert_eq!(answer, Got::ConnAck(1, 0), "{id}");
        seen.desire(&id, json!({"n": 2})).await;
        wire.expect_quiet().await;
    }
    for id in ids() {
        assert_eq!(seen.connect(&id, Clean::Yes).await.1, Got::ConnAck(0, 0));
    }
    again(&mut running);
    let mut seen = Seen::there(&running).await;
    for id in ids() {
        assert_eq!(seen.connect(&id, Clean::No).await.1, Got::ConnAck(0, 0), "{id}");
    }
}
