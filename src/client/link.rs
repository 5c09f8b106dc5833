//! A device's or module's own connection over MQTT: twin, reported patches, desired patches, connection state.

use super::{HubError, Trust};
use crate::protocol::connection_string::ConnectionString;
use crate::twin::{Json, JsonMap};
use tokio::sync::mpsc;

/// Where a link stands. One value, never three booleans.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkState {
    Connecting,
    /// Session present as the hub said.
    Online {
        session_present: bool,
    },
    /// Lost; tries again after this many milliseconds.
    Retrying {
        reason: String,
        in_ms: u64,
    },
    /// Another client with the same identity took the connection; this one does not fight back.
    PushedOut,
    /// Bad credentials, unknown or disabled identity: no retry.
    Refused {
        reason: String,
    },
    /// Closed by us.
    Closed,
}

/// A fact from the connection.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkEvent {
    State(LinkState),
    /// A patch with its `$version` lifted out.
    Desired {
        version: u64,
        patch: JsonMap,
    },
    /// A direct method call; answer with [`DeviceLink::answer_method`].
    Method {
        name: String,
        rid: String,
        payload: Json,
    },
}

/// The device's own view of its twin.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeviceView {
    pub desired: JsonMap,
    pub desired_version: u64,
    pub reported: JsonMap,
    pub reported_version: u64,
}

/// What a link does when the connection ends without its doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconnect {
    /// Tries again with backoff and jitter (a simulated device). Being pushed out still ends it.
    Always,
    /// Tries again after network trouble; a connection closed by the hub while the network is up is taken as being pushed out (a person acting as a module).
    UnlessPushedOut,
}

/// One MQTT connection as a device or module. Dropping it closes the connection and ends its tasks. Cheap to clone.
#[derive(Clone)]
pub struct DeviceLink {
    _private: (),
}

/// Where to dial, when it is not what the connection string says: `host:port` of the MQTT listener. The local hub's ports are free ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dial {
    pub host: String,
    pub port: u16,
}

impl DeviceLink {
    /// Starts connecting. Tokens are minted from the key for an hour and renewed in time. Events are bounded: a slow reader slows the link.
    ///
    /// # Errors
    /// When the string is not of a device or module with a key.
    pub fn connect(
        connection: &ConnectionString,
        dial: Option<Dial>,
        trust: &Trust,
        reconnect: Reconnect,
    ) -> Result<(Self, mpsc::Receiver<LinkEvent>), HubError> {
        let _ = (connection, dial, trust, reconnect);
        todo!()
    }

    /// GET over MQTT.
    ///
    /// # Errors
    /// When the link is down, or no answer comes within 30 s, or the hub answers an error.
    pub async fn twin(&self) -> Result<DeviceView, HubError> {
        todo!()
    }

    /// PATCH of reported; the new reported `$version`.
    ///
    /// # Errors
    /// As [`Self::twin`].
    pub async fn report(&self, patch: &JsonMap) -> Result<u64, HubError> {
        let _ = patch;
        todo!()
    }

    /// Telemetry, QoS 1: returns once the hub has it.
    ///
    /// # Errors
    /// As [`Self::twin`].
    pub async fn send(&self, properties: &[(&str, Option<&str>)], payload: Vec<u8>) -> Result<(), HubError> {
        let _ = (properties, payload);
        todo!()
    }

    /// Answers a direct method.
    ///
    /// # Errors
    /// When the link is down.
    pub async fn answer_method(&self, rid: &str, status: i32, payload: &Json) -> Result<(), HubError> {
        let _ = (rid, status, payload);
        todo!()
    }

    /// Sends DISCONNECT and ends the link.
    pub async fn close(&self) {
        todo!()
    }
}
