//! What the real hub does that surprises, reproduced: one test for each row of the README's table, and one that holds the two
//! together.

// clippy's own exception for tests sees only functions marked as such, not what they share.
#![allow(clippy::unwrap_used)]

mod certificates;
mod devices;
mod identities;
mod jobs;
mod messages;
mod methods;
mod queries;
mod readme;
mod twins;

use crate::hub_mqtt::wire::{Connect, Got, Wire};
use crate::support::{Caller, TestHub, tls, token};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::sas;
use twinscope::protocol::secret::Secret;
use twinscope::twin::TwinId;

type Tls = Wire<TlsStream<TcpStream>>;

/// A hub with nothing in it, and a caller with the owner's key.
async fn empty() -> (TestHub, Caller) {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let owner = hub.owner().await;
    (hub, owner)
}

/// The same with a device `d`: its record.
async fn with_device() -> (TestHub, Caller, Value) {
    let (hub, mut owner) = empty().await;
    let device = owner.device("d").await;
    (hub, owner, device)
}

fn primary_key(identity: &Value) -> Secret {
    Secret::new(identity["authentication"]["symmetricKey"]["primaryKey"].as_str().unwrap())
}

/// A CONNECT with a token of the identity's own key, for a session that is kept.
fn greeting(id: &TwinId, identity: &Value) -> Connect {
    Connect {
        name: "MQTT",
        level: 4,
        client_id: id.to_string(),
        user_name: Some(format!("localhost/{id}/?api-version=2021-04-12")),
        password: Some(token(&sas::resource("localhost", Some(id)), &primary_key(identity), None)),
        clean: false,
        keep_alive_s: 60,
        will: None,
    }
}

/// A TLS connection to the MQTT port, nothing said yet.
async fn dial(hub: &TestHub) -> Tls {
    let socket = TcpStream::connect(hub.hub.mqtts()).await.unwrap();
    Wire::new(tls(hub.hub.ca_file()).connect("localhost".try_into().unwrap(), socket).await.unwrap())
}

/// The device `d`, connected for the first time.
async fn connect(hub: &TestHub, device: &Value) -> Tls {
    let mut wire = dial(hub).await;
    wire.ask(&greeting(&TwinId::device("d"), device).bytes(), Got::ConnAck(0, 0)).await;
    wire
}

/// Desired or reported of a twin without the hub's own keys.
fn plain(twin: &Value, section: &str) -> Value {
    let mut values = twin["properties"][section].clone();
    values.as_object_mut().unwrap().retain(|key, _| !key.starts_with('$'));
    values
}
