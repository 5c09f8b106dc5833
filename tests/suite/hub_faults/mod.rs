//! Faults on demand, as clients meet them over real sockets.

// clippy's own exception for tests sees only functions marked as such, not what they share.
#![allow(clippy::unwrap_used)]

mod connect;
mod https;
mod lifetime;
mod own;
mod program;
mod publish;

use crate::hub_mqtt::place::{Over, Place};
use crate::support::{Caller, PATIENCE, token};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use twinscope::twin::TwinId;

/// A hub with the devices `d` and `n` (the neighbour) and the module `d/m`, and who sets its faults.
pub struct Stage {
    pub place: Place,
    pub d: TwinId,
    pub n: TwinId,
    owner: Caller,
}

impl Stage {
    pub async fn start() -> Self {
        Self::start_over(Over::Tcp).await
    }

    /// With MQTT clients that dial so.
    pub async fn start_over(over: Over) -> Self {
        let (place, d) = Place::with_device_over(over).await;
        let n = TwinId::device("n");
        place.create(&n).await;
        place.create(&TwinId::module("d", "m")).await;
        let owner = caller(&place).await;
        Self { place, d, n, owner }
    }

    /// These faults and no others.
    pub async fn set(&mut self, faults: &[&str]) {
        self.set_with_seed(1, faults).await;
    }

    pub async fn set_with_seed(&mut self, seed: u64, faults: &[&str]) {
        let set = self.owner.put("/$twinscope/faults", json!({"seed": seed, "faults": faults})).await.ok();
        assert_eq!((&set["seed"], set["faults"].as_array().unwrap().len()), (&json!(seed), faults.len()), "{set}");
    }

    pub async fn clear(&mut self) {
        assert_eq!(self.owner.delete("/$twinscope/faults").await.status, 204);
    }

    /// How often each fault matched and struck.
    pub async fn counts(&mut self) -> Vec<(u64, u64)> {
        let report = self.owner.get("/$twinscope/faults").await.ok();
        let count = |fault: &Value, key: &str| fault[key].as_u64().unwrap();
        let faults = report["faults"].as_array().unwrap();
        faults.iter().map(|fault| (count(fault, "matched"), count(fault, "struck"))).collect()
    }

    /// A caller of the service API of its own connection.
    pub async fn caller(&self) -> Caller {
        caller(&self.place).await
    }

    /// What a device reported last as `a`, behind the faults' back.
    pub fn reported(&self, id: &TwinId) -> Value {
        let twin = self.place.local.hub().read(|registry| registry.twin(id)).unwrap();
        twinscope::twin::wire::to_json(&twin)["properties"]["reported"]["a"].clone()
    }

    /// The desired version, behind the faults' back.
    pub fn desired_version(&self, id: &TwinId) -> u64 {
        let twin = self.place.local.hub().read(|registry| registry.twin(id)).unwrap();
        twinscope::twin::wire::to_json(&twin)["properties"]["desired"]["$version"].as_u64().unwrap()
    }

    /// All the bytes that come to one request of the service API, until the hub closes.
    pub async fn bytes_of(&self, method: &str, path: &str, body: &str) -> Vec<u8> {
        let mut stream = self.place.open(self.place.local.https()).await;
        let request = format!(
            "{method} {path}?api-version=2021-04-12 HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            owner_token(&self.place),
            body.len(),
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let end = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the hub closes");
        assert!(end.is_err() || bytes.is_empty(), "TLS ends as if nothing had happened");
        bytes
    }
}

fn owner_token(place: &Place) -> String {
    let policy = place.local.hub().policies().by_name("iothubowner").unwrap();
    token("localhost", &policy.primary, Some("iothubowner"))
}

async fn caller(place: &Place) -> Caller {
    Caller::connect(place.local.https(), place.local.ca_file(), &owner_token(place)).await
}
