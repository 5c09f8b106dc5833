//! MQTT topics, client ids and user names, both directions.
//!
//! Ids stand in topics and user names as they are, not percent-encoded; `/` is legal in no id, so segments are unambiguous.

use super::percent;
use crate::twin::TwinId;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

pub const TWIN_RESPONSES: &str = "$iothub/twin/res/#";
pub const DESIRED_PATCHES: &str = "$iothub/twin/PATCH/properties/desired/#";
pub const METHODS: &str = "$iothub/methods/POST/#";

/// The filter for the messages to a device.
#[must_use]
pub fn device_bound(device: &str) -> String {
    format!("{DEVICE}{device}/messages/devicebound/#")
}

/// A topic a device publishes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromDevice {
    /// `$iothub/twin/GET/?$rid={rid}`.
    GetTwin { rid: Option<String> },
    /// `$iothub/twin/PATCH/properties/reported/?$rid={rid}[&$version={n}]`.
    PatchReported { rid: Option<String>, version: Option<u64> },
    /// The same with a `$version` that is no number: a precondition that cannot be read must not be taken for none.
    PatchUnreadable { rid: Option<String> },
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
        if let Some(rest) = topic.strip_prefix(GET) {
            return Some(Self::GetTwin { rid: Parameters::read(rest).rid });
        }
        if let Some(rest) = topic.strip_prefix(REPORTED) {
            let Parameters { rid, version } = Parameters::read(rest);
            return Some(match version {
                Ok(version) => Self::PatchReported { rid, version },
                Err(Unreadable) => Self::PatchUnreadable { rid },
            });
        }
        if let Some(rest) = topic.strip_prefix(METHOD_RESPONSE) {
            let (status, rest) = rest.split_once('/').unwrap_or((rest, ""));
            return Some(Self::MethodResponse { status: status.parse().ok()?, rid: Parameters::read(rest).rid });
        }
        let mut parts = topic.strip_prefix(DEVICE)?.splitn(6, '/');
        let device = parts.next().filter(|id| !id.is_empty())?;
        let (module, messages) = match parts.next()? {
            "modules" => (Some(parts.next().filter(|id| !id.is_empty())?), parts.next()?),
            word => (None, word),
        };
        if messages != "messages" || parts.next()? != "events" {
            return None;
        }
        let id = TwinId { device: device.to_owned(), module: module.map(str::to_owned) };
        // All that follows, slashes included: `splitn` may have cut the bag of a device, which has two segments less.
        let bag: Vec<&str> = parts.collect();
        Some(Self::Telemetry { id, bag: bag.join("/") })
    }

    #[must_use]
    pub fn topic(&self) -> String {
        match self {
            Self::GetTwin { rid } => format!("{GET}{}", parameters(rid.as_deref(), None)),
            Self::PatchReported { rid, version } => format!("{REPORTED}{}", parameters(rid.as_deref(), *version)),
            Self::PatchUnreadable { rid } => format!("{REPORTED}{}&$version=", parameters(rid.as_deref(), None)),
            Self::MethodResponse { status, rid } => {
                format!("{METHOD_RESPONSE}{status}/{}", parameters(rid.as_deref(), None))
            }
            Self::Telemetry { id, bag } => match &id.module {
                Some(module) => format!("{DEVICE}{}/modules/{module}/messages/events/{bag}", id.device),
                None => format!("{DEVICE}{}/messages/events/{bag}", id.device),
            },
        }
    }
}

impl ToDevice {
    /// `None` for a topic the device does not know. Parameters in any order; a method's name comes back decoded.
    #[must_use]
    pub fn parse(topic: &str) -> Option<Self> {
        if let Some(rest) = topic.strip_prefix(TWIN_RESPONSE) {
            let (status, rest) = rest.split_once('/')?;
            let Parameters { rid, version } = Parameters::read(rest);
            return Some(Self::TwinResponse { status: status.parse().ok()?, rid: rid?, version: version.ok()? });
        }
        if let Some(rest) = topic.strip_prefix(DESIRED) {
            return Some(Self::DesiredPatch { version: Parameters::read(rest).version.ok()?? });
        }
        if let Some(rest) = topic.strip_prefix(METHOD) {
            let (name, rest) = rest.split_once('/').filter(|(name, _)| !name.is_empty())?;
            return Some(Self::Method { name: percent::decode(name), rid: Parameters::read(rest).rid? });
        }
        let (device, rest) = topic.strip_prefix(DEVICE)?.split_once('/').filter(|(id, _)| !id.is_empty())?;
        let bag = rest.strip_prefix("messages/devicebound")?;
        let bag = if bag.is_empty() { bag } else { bag.strip_prefix('/')? };
        Some(Self::CloudToDevice { device: device.to_owned(), bag: bag.to_owned() })
    }

    #[must_use]
    pub fn topic(&self) -> String {
        match self {
            Self::TwinResponse { status, rid, version } => {
                format!("{TWIN_RESPONSE}{status}/{}", parameters(Some(rid), *version))
            }
            Self::DesiredPatch { version } => format!("{DESIRED}{}", parameters(None, Some(*version))),
            Self::Method { name, rid } => {
                format!("{METHOD}{}/{}", utf8_percent_encode(name, NOT_IN_METHOD_NAME), parameters(Some(rid), None))
            }
            Self::CloudToDevice { device, bag } => format!("{DEVICE}{device}/messages/devicebound/{bag}"),
        }
    }
}

const GET: &str = "$iothub/twin/GET/";
const REPORTED: &str = "$iothub/twin/PATCH/properties/reported/";
const DESIRED: &str = "$iothub/twin/PATCH/properties/desired/";
const TWIN_RESPONSE: &str = "$iothub/twin/res/";
const METHOD: &str = "$iothub/methods/POST/";
const METHOD_RESPONSE: &str = "$iothub/methods/res/";
const DEVICE: &str = "devices/";

/// What would break a topic, escaped in a method's name and nothing more: Python decodes names, Node does not, so a legal
/// name (`component*command` among them) should look the same encoded.
const NOT_IN_METHOD_NAME: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'+').add(b'/').add(b'<').add(b'>').add(b'?').add(b'\\');

/// What follows `?` in the topics of the hub itself.
struct Parameters {
    /// As written, so that it can be echoed to the letter; `None` when absent or empty.
    rid: Option<String>,
    version: Result<Option<u64>, Unreadable>,
}

/// A `$version` that is no number.
struct Unreadable;

impl Parameters {
    fn read(text: &str) -> Self {
        let mut read = Self { rid: None, version: Ok(None) };
        for pair in text.strip_prefix('?').unwrap_or(text).split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match percent::decode(key).as_str() {
                "$rid" if !value.is_empty() => read.rid = Some(value.to_owned()),
                // Once unreadable, a second one does not mend it.
                "$version" if read.version.is_ok() => {
                    read.version = value.parse().map(Some).map_err(|_no_number| Unreadable);
                }
                _ => {}
            }
        }
        read
    }
}

/// `?$rid=…&$version=…`. Clients match on the `?`, so it is always there.
fn parameters(rid: Option<&str>, version: Option<u64>) -> String {
    match (rid, version) {
        (Some(rid), Some(version)) => format!("?$rid={rid}&$version={version}"),
        (Some(rid), None) => format!("?$rid={rid}"),
        (None, Some(version)) => format!("?$version={version}"),
        (None, None) => "?".to_owned(),
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
        let (path, query) = split_user_name(text);
        let mut segments = path.split('/');
        let host = segments.next().filter(|host| !host.is_empty())?;
        let device = segments.next().filter(|device| !device.is_empty())?;
        let module = segments.next().filter(|module| !module.is_empty());
        if segments.any(|segment| !segment.is_empty()) {
            return None;
        }
        let mut name = Self {
            host: host.to_owned(),
            device: device.to_owned(),
            module: module.map(str::to_owned),
            api_version: None,
            client_type: None,
            model_id: None,
        };
        for (key, value) in super::bag::parse(query) {
            match key.as_str() {
                "api-version" => name.api_version = value,
                "DeviceClientType" => name.client_type = value,
                "model-id" => name.model_id = value,
                _ => {}
            }
        }
        Some(name)
    }

    /// `{host}/{d}[/{m}]/?api-version=…&DeviceClientType=…`, ids as they are, parameters encoded.
    #[must_use]
    pub fn text(&self) -> String {
        let module = self.module.as_ref().map(|module| format!("/{module}")).unwrap_or_default();
        let parameters: Vec<(&str, Option<&str>)> =
            [("api-version", &self.api_version), ("DeviceClientType", &self.client_type), ("model-id", &self.model_id)]
                .into_iter()
                .filter_map(|(key, value)| value.as_deref().map(|value| (key, Some(value))))
                .collect();
        format!("{}/{}{module}/?{}", self.host, self.device, super::bag::format(&parameters))
    }

    /// Whether the segments name this identity, raw or percent-decoded.
    #[must_use]
    pub fn names(&self, id: &TwinId) -> bool {
        let same = |written: &str, id: &str| written == id || percent::decode(written) == id;
        same(&self.device, &id.device)
            && match (&self.module, &id.module) {
                (Some(written), Some(module)) => same(written, module),
                (None, None) => true,
                _ => false,
            }
    }
}

/// Path and parameters. Ids may hold a `?`, so not the first one parts them but the last that follows a slash (encoded
/// parameters hold none); some tools leave out the slash or the question mark.
fn split_user_name(text: &str) -> (&str, &str) {
    if let Some(parts) = text.rsplit_once("/?").or_else(|| split_before(text, "?api-version=")) {
        return parts;
    }
    match text.rsplit_once('/') {
        Some((path, last)) if last.starts_with("api-version=") => (path, last),
        _ => (text, ""),
    }
}

fn split_before<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    text.rfind(mark).map(|at| text.split_at(at))
}

/// `{d}` or `{d}/{m}`.
#[must_use]
pub fn client_id(id: &TwinId) -> String {
    id.to_string()
}

/// Whether a topic filter (with `+` and `#`) matches a topic. As in MQTT 3.1.1: `#` also matches the level above it, and a
/// filter that begins with a wildcard matches no topic that begins with `$`. A `#` before the last level, illegal there, is
/// taken literally: a device may be called `#`.
#[must_use]
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut topic = topic.split('/');
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        if level == "#" && levels.peek().is_none() {
            return true;
        }
        match topic.next() {
            Some(part) if level == "+" || level == part => {}
            _ => return false,
        }
    }
    topic.next().is_none()
}
