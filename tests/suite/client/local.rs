//! A local hub for a test, reached through its sockets.

use std::time::Duration;
use tokio::sync::mpsc;
use twinscope::client::hub::Observer;
use twinscope::client::link::{DeviceView, Dial, LinkTiming, Reconnect};
use twinscope::client::{DeviceLink, HubClient, LinkEvent, LinkState, Trust};
use twinscope::local_hub::{Exposure, FleetChoice, HubOptions, LocalHub, Tuning};
use twinscope::protocol::connection_string::{ConnectionString, Proof, Who};
use twinscope::protocol::identity::IdentityRequest;
use twinscope::protocol::secret::Secret;
use twinscope::twin::{Json, JsonMap, TwinId};

/// Nothing in these tests takes as long; what does is broken.
pub const LONG: Duration = Duration::from_secs(20);

pub struct TestHub {
    pub hub: LocalHub,
    pub dir: tempfile::TempDir,
    pub trust: Trust,
    pub client: HubClient,
}

pub fn options(dir: &std::path::Path, fleet: FleetChoice) -> HubOptions {
    let free = "127.0.0.1:0".parse().unwrap();
    HubOptions {
        https: free,
        mqtts: free,
        data: Some(dir.join("data")),
        ca_dir: dir.join("ca"),
        fleet,
        exposure: Exposure::LoopbackOnly,
        names: Vec::new(),
        tuning: Tuning::default(),
    }
}

impl TestHub {
    pub async fn start(fleet: FleetChoice) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let hub = LocalHub::start(options(dir.path(), fleet)).await.unwrap();
        let trust = Trust::new(&[hub.ca_file().to_owned()]).unwrap();
        let client = HubClient::new(&hub.connection_string(), &trust, unobserved()).unwrap();
        Self { hub, dir, trust, client }
    }

    /// The client of another of the default policies.
    pub fn client_of(&self, policy: &str) -> HubClient {
        HubClient::new(&self.connection_of(policy), &self.trust, unobserved()).unwrap()
    }

    pub fn connection_of(&self, policy: &str) -> ConnectionString {
        let key = self.hub.hub().policies().by_name(policy).unwrap().primary.clone();
        ConnectionString {
            who: Who::Service { policy: policy.to_owned(), proof: Proof::Key(key) },
            ..self.hub.connection_string()
        }
    }

    pub fn dial(&self) -> Dial {
        Dial { host: "localhost".to_owned(), port: self.hub.mqtts().port() }
    }

    /// Makes the identity, and tells how it connects.
    pub async fn create(&self, id: &TwinId) -> ConnectionString {
        let (identity, _) = self.client.create_or_get(&request(id)).await.unwrap();
        identity_connection(id, identity.authentication.primary_key.unwrap())
    }

    pub fn link(&self, connection: &ConnectionString, reconnect: Reconnect) -> (DeviceLink, mpsc::Receiver<LinkEvent>) {
        DeviceLink::connect_with(connection, Some(self.dial()), &self.trust, reconnect, brisk()).unwrap()
    }
}

pub fn identity_connection(id: &TwinId, key: Secret) -> ConnectionString {
    ConnectionString {
        host_name: "localhost".to_owned(),
        gateway_host_name: None,
        who: Who::Identity { id: id.clone(), proof: Proof::Key(key) },
    }
}

pub fn brisk() -> LinkTiming {
    LinkTiming {
        backoff: Duration::from_millis(20),
        backoff_max: Duration::from_millis(100),
        settle: Duration::from_millis(50),
        ..LinkTiming::default()
    }
}

pub fn unobserved() -> Observer {
    std::sync::Arc::new(|_| {})
}

pub fn request(id: &TwinId) -> IdentityRequest {
    IdentityRequest::new(id.clone())
}

pub fn map(value: Json) -> JsonMap {
    match value {
        Json::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

/// `{"properties":{"desired":…}}`.
pub fn desired(value: Json) -> JsonMap {
    map(serde_json::json!({ "properties": { "desired": value } }))
}

pub async fn next(events: &mut mpsc::Receiver<LinkEvent>) -> LinkEvent {
    tokio::time::timeout(LONG, events.recv()).await.expect("an event in time").expect("the link is alive")
}

/// The next state for which `wanted` holds; other events on the way are skipped.
pub async fn state(events: &mut mpsc::Receiver<LinkEvent>, wanted: fn(&LinkState) -> bool) -> LinkState {
    loop {
        if let LinkEvent::State(state) = next(events).await
            && wanted(&state)
        {
            return state;
        }
    }
}

/// The next view.
pub async fn view(events: &mut mpsc::Receiver<LinkEvent>) -> DeviceView {
    loop {
        if let LinkEvent::Twin(view) = next(events).await {
            return view;
        }
    }
}

/// No more events will come.
pub async fn ended(events: &mut mpsc::Receiver<LinkEvent>) {
    let last = tokio::time::timeout(LONG, events.recv()).await.expect("the end in time");
    assert_eq!(last, None);
}
