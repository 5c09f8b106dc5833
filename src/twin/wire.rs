//! The one JSON boundary of the twin: text of the service API to `Twin` and back, both ends' only reader and writer.

use super::{AuthKind, ConnectionState, Etag, Json, JsonMap, Properties, Status, Twin, TwinId, text};

/// Why a body is no twin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    #[error("not JSON: {0}")]
    NotJson(String),
    #[error("not a twin: {field} {problem}")]
    NotATwin { field: &'static str, problem: String },
}

/// Reads a twin as the service API sends it: unknown fields go to `extra`, thumbprint keys in any
/// case, `tags` possibly absent. Missing optional fields get neutral values; `deviceId`, `etag` and `properties` must be there.
///
/// # Errors
/// When the text is not JSON or lacks what makes a twin.
pub fn parse(body: &[u8]) -> Result<Twin, WireError> {
    from_json(json(body)?)
}

/// Any JSON body, every number spelled as it was sent. Whoever reads twins or sections from a socket reads them with this.
///
/// # Errors
/// [`WireError::NotJson`] with the place of the first problem.
pub fn json(body: &[u8]) -> Result<Json, WireError> {
    let body = std::str::from_utf8(body)
        .map_err(|error| WireError::NotJson(format!("byte {} is not UTF-8", error.valid_up_to())))?;
    text::value(body).map_err(|problem| {
        WireError::NotJson(format!("line {} column {}: {}", problem.line, problem.column, problem.message))
    })
}

/// The same from a value already read (a row of a query answer).
///
/// # Errors
/// As [`parse`].
pub fn from_json(value: Json) -> Result<Twin, WireError> {
    let Json::Object(fields) = value else {
        return Err(WireError::NotATwin { field: "the body", problem: "is not an object".to_owned() });
    };
    let mut read = Read::default();
    for (key, value) in fields {
        // `null` is how the hub writes an optional field it has no value for; of an unknown field it may mean anything.
        if value.is_null() && KNOWN.contains(&key.as_str()) {
            continue;
        }
        read.field(key, value)?;
    }
    read.twin()
}

const KNOWN: [&str; 17] = [
    "deviceId",
    "moduleId",
    "etag",
    "deviceEtag",
    "status",
    "statusReason",
    "statusUpdateTime",
    "connectionState",
    "lastActivityTime",
    "cloudToDeviceMessageCount",
    "authenticationType",
    "x509Thumbprint",
    "modelId",
    "version",
    "tags",
    "properties",
    "capabilities",
];

/// A twin half read.
#[derive(Default)]
struct Read {
    device: Option<String>,
    module: Option<String>,
    etag: Option<String>,
    device_etag: Option<String>,
    status: Option<Status>,
    status_reason: Option<String>,
    status_update_time: Option<String>,
    connection_state: Option<ConnectionState>,
    last_activity_time: Option<String>,
    message_count: u64,
    authentication: Option<AuthKind>,
    primary_thumbprint: Option<String>,
    secondary_thumbprint: Option<String>,
    model_id: Option<String>,
    iot_edge: bool,
    version: u64,
    tags: JsonMap,
    properties: Option<(Properties, Properties)>,
    extra: JsonMap,
}

impl Read {
    fn field(&mut self, key: String, value: Json) -> Result<(), WireError> {
        match key.as_str() {
            "deviceId" => self.device = Some(string("deviceId", value)?),
            "moduleId" => self.module = Some(string("moduleId", value)?).filter(|id| !id.is_empty()),
            "etag" => self.etag = Some(string("etag", value)?),
            "deviceEtag" => self.device_etag = Some(string("deviceEtag", value)?),
            "status" => {
                let word = string("status", value)?;
                self.status = [Status::Enabled, Status::Disabled].into_iter().find(|known| known.word() == word);
            }
            "statusReason" => self.status_reason = Some(string("statusReason", value)?),
            "statusUpdateTime" => self.status_update_time = Some(string("statusUpdateTime", value)?),
            "connectionState" => {
                let word = string("connectionState", value)?;
                self.connection_state = (word == "Connected").then_some(ConnectionState::Connected);
            }
            "lastActivityTime" => self.last_activity_time = Some(string("lastActivityTime", value)?),
            "cloudToDeviceMessageCount" => self.message_count = count("cloudToDeviceMessageCount", &value)?,
            "authenticationType" => {
                let word = string("authenticationType", value)?;
                let kinds = [AuthKind::Sas, AuthKind::SelfSigned, AuthKind::CertificateAuthority, AuthKind::None];
                self.authentication = kinds.into_iter().find(|kind| kind.word() == word);
            }
            "x509Thumbprint" => self.thumbprints(value)?,
            "modelId" => self.model_id = Some(string("modelId", value)?).filter(|id| !id.is_empty()),
            "version" => self.version = count("version", &value)?,
            "tags" => self.tags = object("tags", value)?,
            "properties" => {
                let mut both = object("properties", value)?;
                let desired = section("properties.desired", both.swap_remove("desired"))?;
                self.properties = Some((desired, section("properties.reported", both.swap_remove("reported"))?));
            }
            "capabilities" => {
                self.iot_edge = object("capabilities", value)?.get("iotEdge").and_then(Json::as_bool).unwrap_or(false);
            }
            _ => {
                self.extra.insert(key, value);
            }
        }
        Ok(())
    }

    /// Live hubs have sent these keys capitalised and not.
    fn thumbprints(&mut self, value: Json) -> Result<(), WireError> {
        for (key, value) in object("x509Thumbprint", value)? {
            if key.eq_ignore_ascii_case("primaryThumbprint") {
                self.primary_thumbprint = optional_string("x509Thumbprint", value)?;
            } else if key.eq_ignore_ascii_case("secondaryThumbprint") {
                self.secondary_thumbprint = optional_string("x509Thumbprint", value)?;
            }
        }
        Ok(())
    }

    fn twin(self) -> Result<Twin, WireError> {
        let missing = |field| WireError::NotATwin { field, problem: "is missing".to_owned() };
        let (desired, reported) = self.properties.ok_or_else(|| missing("properties"))?;
        Ok(Twin {
            id: TwinId { device: self.device.ok_or_else(|| missing("deviceId"))?, module: self.module },
            etag: Etag(self.etag.ok_or_else(|| missing("etag"))?),
            device_etag: self.device_etag.map(Etag),
            version: self.version,
            status: self.status,
            status_reason: self.status_reason,
            status_update_time: self.status_update_time,
            connection_state: self.connection_state.unwrap_or(ConnectionState::Disconnected),
            last_activity_time: self.last_activity_time,
            cloud_to_device_message_count: self.message_count,
            authentication: self.authentication,
            primary_thumbprint: self.primary_thumbprint,
            secondary_thumbprint: self.secondary_thumbprint,
            model_id: self.model_id,
            iot_edge: self.iot_edge,
            tags: self.tags,
            desired,
            reported,
            extra: self.extra,
        })
    }
}

fn string(field: &'static str, value: Json) -> Result<String, WireError> {
    match value {
        Json::String(string) => Ok(string),
        _ => Err(WireError::NotATwin { field, problem: "is not a string".to_owned() }),
    }
}

fn optional_string(field: &'static str, value: Json) -> Result<Option<String>, WireError> {
    if value.is_null() { Ok(None) } else { string(field, value).map(Some) }
}

fn object(field: &'static str, value: Json) -> Result<JsonMap, WireError> {
    match value {
        Json::Object(object) => Ok(object),
        _ => Err(WireError::NotATwin { field, problem: "is not an object".to_owned() }),
    }
}

fn count(field: &'static str, value: &Json) -> Result<u64, WireError> {
    value.as_u64().ok_or_else(|| WireError::NotATwin { field, problem: "is not a whole number".to_owned() })
}

/// A section as sent; an absent one is empty, of version 0.
fn section(field: &'static str, value: Option<Json>) -> Result<Properties, WireError> {
    let mut values = match value {
        None | Some(Json::Null) => return Ok(Properties::default()),
        Some(value) => object(field, value)?,
    };
    let version = match values.shift_remove("$version") {
        None | Some(Json::Null) => 0,
        Some(version) => count(field, &version)?,
    };
    let metadata = values.shift_remove("$metadata").unwrap_or_default();
    Ok(Properties { values, version, metadata })
}

/// The full document as the service API answers it, `$metadata` and `$version` put back, field order as on the real hub.
/// `tags` is left out while it is empty, as the hub leaves it out until a first tag is written.
#[must_use]
pub fn to_json(twin: &Twin) -> Json {
    let mut out = JsonMap::new();
    let mut put = |key: &str, value: Option<Json>| {
        if let Some(value) = value {
            out.insert(key.to_owned(), value);
        }
    };
    let text = |text: &Option<String>| text.clone().map(Json::String);
    put("deviceId", Some(Json::String(twin.id.device.clone())));
    put("moduleId", text(&twin.id.module));
    put("etag", Some(Json::String(twin.etag.0.clone())));
    put("deviceEtag", twin.device_etag.as_ref().map(|etag| Json::String(etag.0.clone())));
    put("status", twin.status.map(|status| status.word().into()));
    put("statusReason", text(&twin.status_reason));
    put("statusUpdateTime", text(&twin.status_update_time));
    put("connectionState", Some(twin.connection_state.word().into()));
    put("lastActivityTime", text(&twin.last_activity_time));
    put("cloudToDeviceMessageCount", Some(twin.cloud_to_device_message_count.into()));
    put("authenticationType", twin.authentication.map(|kind| kind.word().into()));
    let thumbprints = [("primary", &twin.primary_thumbprint), ("secondary", &twin.secondary_thumbprint)]
        .map(|(which, thumbprint)| (format!("{which}Thumbprint"), text(thumbprint).unwrap_or_default()));
    put("x509Thumbprint", Some(Json::Object(thumbprints.into_iter().collect())));
    put("modelId", Some(twin.model_id.clone().unwrap_or_default().into()));
    put("version", Some(twin.version.into()));
    put("tags", (!twin.tags.is_empty()).then(|| Json::Object(twin.tags.clone())));
    let mut properties = JsonMap::new();
    properties.insert("desired".to_owned(), section_json(&twin.desired));
    properties.insert("reported".to_owned(), section_json(&twin.reported));
    put("properties", Some(Json::Object(properties)));
    put("capabilities", Some(Json::Object(std::iter::once(("iotEdge".to_owned(), twin.iot_edge.into())).collect())));
    for (key, value) in &twin.extra {
        put(key, Some(value.clone()));
    }
    Json::Object(out)
}

fn section_json(properties: &Properties) -> Json {
    let mut section = properties.values.clone();
    if !properties.metadata.is_null() {
        section.insert("$metadata".to_owned(), properties.metadata.clone());
    }
    section.insert("$version".to_owned(), properties.version.into());
    Json::Object(section)
}
