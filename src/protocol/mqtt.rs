//! MQTT topics, client ids and user names (protocol §4), both directions.

use crate::twin::TwinId;

pub const TWIN_RESPONSES: &str = "$iothub/twin/res/#";
pub const DESIRED_PATCHES: &str = "$iothub/twin/PATCH/properties/desired/#";
pub const METHODS: &str = "$iothub/methods/POST/#";

/// A topic a device publishes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromDevice {
    /// `$iothub/twin/GET/?$rid={rid}`.
    GetTwin { rid: Option<String> },
    /// `$iothub/twin/PATCH/properties/reported/?$rid={rid}[&$version={n}]`.
    PatchReported { rid: Option<String>, version: Option<u64> },
    /// `$iothub/methods/res/{status}/?$rid={rid}`.
    MethodResponse { status: i64, rid: Option<String> },
    /// `devices/{d}[/modules/{m}]/messages/events/{bag}`: the identity as written, and the bag as written.
    Telemetry { id: TwinId, bag: String },
}

/// A topic the hub publishes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToDevice {
    /// `$iothub/twin/res/{status}/?$rid={rid}[&$version={n}]`.
    TwinResponse { status: u16, rid: String, version: Option<u64> },
    /// `$iothub/twin/PATCH/properties/desired/?$version={n}`.
    DesiredPatch { version: u64 },
    /// `$iothub/methods/POST/{name}/?$rid={rid}`.
    Method { name: String, rid: String },
    /// `devices/{d}/messages/devicebound/{bag}`.
    CloudToDevice { device: String, bag: String },
}

impl FromDevice {
    /// `None` for a topic the hub does not know. The request id is kept as it came, still encoded.
    #[must_use]
    pub fn parse(topic: &str) -> Option<Self> {
        let _ = topic;
        todo!()
    }

    #[must_use]
    pub fn topic(&self) -> String {
        todo!()
    }
}

impl ToDevice {
    /// `None` for a topic the device does not know. Parameters in any order.
    #[must_use]
    pub fn parse(topic: &str) -> Option<Self> {
        let _ = topic;
        todo!()
    }

    #[must_use]
    pub fn topic(&self) -> String {
        todo!()
    }
}

/// What a CONNECT's user name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserName {
    /// Host as written, possibly with a port.
    pub host: String,
    /// Segments as written (not decoded): device, then module.
    pub device: String,
    pub module: Option<String>,
    pub api_version: Option<String>,
    /// Decoded.
    pub client_type: Option<String>,
    /// Decoded.
    pub model_id: Option<String>,
}

impl UserName {
    /// `None` when it has no host or no device.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let _ = text;
        todo!()
    }

    /// `{host}/{d}[/{m}]/?api-version=…&DeviceClientType=…`, ids as they are, parameters encoded.
    #[must_use]
    pub fn text(&self) -> String {
        todo!()
    }

    /// Whether the segments name this identity, raw or percent-decoded.
    #[must_use]
    pub fn names(&self, id: &TwinId) -> bool {
        let _ = id;
        todo!()
    }
}

/// `{d}` or `{d}/{m}`.
#[must_use]
pub fn client_id(id: &TwinId) -> String {
    id.to_string()
}

/// Whether a topic filter (with `+` and `#`) matches a topic.
#[must_use]
pub fn matches(filter: &str, topic: &str) -> bool {
    let _ = (filter, topic);
    todo!()
}
