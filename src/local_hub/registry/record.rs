//! One identity with its twin, as the hub keeps it, and the views others get of it.

use crate::local_hub::clock::Moment;
use crate::protocol::identity::{Authentication, Identity, NEVER};
use crate::protocol::secret::Secret;
use crate::twin::{AuthKind, ConnectionState, Etag, Json, JsonMap, Properties, Status, Twin, TwinId, wire};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The smallest counter behind an identity's etag.
const IDENTITY_COUNTER_MIN: u64 = 100_000_000_000_000_000;
/// How many values it may begin with. What it begins with and what it grows to have 18 digits.
const IDENTITY_COUNTER_STARTS: u64 = 800_000_000_000_000_000;

/// A device and its modules.
#[derive(Debug, Clone)]
pub struct Device {
    pub record: Record,
    pub modules: BTreeMap<String, Record>,
}

/// What the hub keeps of a device or a module. Serialises to what the data file holds; whether it is connected is not
/// kept, since after a restart nobody is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    pub generation: String,
    /// Behind the identity's etag; moves with identity writes only.
    pub identity_counter: u64,
    #[serde(with = "StatusDef")]
    pub status: Status,
    pub status_reason: Option<String>,
    pub status_updated: String,
    #[serde(skip)]
    pub connected: bool,
    /// Cloud-to-device messages that wait; their queue says how many.
    #[serde(skip)]
    pub messages: usize,
    pub connection_updated: String,
    pub last_activity: String,
    #[serde(with = "AuthenticationDef")]
    pub authentication: Authentication,
    pub iot_edge: bool,
    pub device_scope: Option<String>,
    pub parent_scopes: Vec<String>,
    pub managed_by: Option<String>,
    pub model_id: Option<String>,
    /// Behind the twin's etag: one more for each service write. Begins anywhere, see [`Counters`].
    pub twin_counter: u64,
    /// 2 and one more for each write of any kind.
    pub twin_version: u64,
    pub tags: JsonMap,
    pub desired: Document,
    pub reported: Document,
}

/// Where the counters behind the etags of a new identity begin: anywhere, so that an etag of a deleted identity does not fit
/// the next one of that id. A guarded write that was prepared for the first is then refused with 412.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    identity: u64,
    twin: u64,
}

impl Counters {
    /// From two numbers of 64 random bits.
    #[must_use]
    pub fn of_random(identity: u64, twin: u64) -> Self {
        // Neither can overflow afterwards.
        Self { identity: IDENTITY_COUNTER_MIN + identity % IDENTITY_COUNTER_STARTS, twin: twin >> 1 }
    }
}

/// Desired or reported with what the hub adds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Document {
    pub values: JsonMap,
    pub metadata: JsonMap,
    pub version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Status")]
enum StatusDef {
    Enabled,
    Disabled,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AuthKind")]
enum AuthKindDef {
    Sas,
    SelfSigned,
    CertificateAuthority,
    None,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Authentication")]
struct AuthenticationDef {
    #[serde(with = "AuthKindDef")]
    kind: AuthKind,
    #[serde(with = "secret_text")]
    primary_key: Option<Secret>,
    #[serde(with = "secret_text")]
    secondary_key: Option<Secret>,
    primary_thumbprint: Option<String>,
    secondary_thumbprint: Option<String>,
}

/// Keys in the clear: the data file must hold them, nothing else may.
mod secret_text {
    use super::Secret;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[allow(clippy::ref_option)] // The signature serde's `with` asks for.
    pub fn serialize<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Secret::reveal).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
    }
}

impl Document {
    /// A fresh section: version 1, stamped with its creation and no `$lastUpdatedVersion`.
    #[must_use]
    pub fn fresh(created: &str) -> Self {
        let mut metadata = JsonMap::new();
        metadata.insert("$lastUpdated".to_owned(), Json::from(created));
        Self { values: JsonMap::new(), metadata, version: 1 }
    }

    fn properties(&self) -> Properties {
        Properties { values: self.values.clone(), version: self.version, metadata: Json::Object(self.metadata.clone()) }
    }

    fn take_properties(&mut self) -> Properties {
        let metadata = Json::Object(std::mem::take(&mut self.metadata));
        Properties { values: std::mem::take(&mut self.values), version: self.version, metadata }
    }

    /// The values with `$version` beside them, as a device sees a section.
    fn for_device(&self) -> Json {
        let mut view = self.values.clone();
        view.insert("$version".to_owned(), Json::from(self.version));
        Json::Object(view)
    }
}

impl Record {
    /// An identity just made, its twin empty: version 2, both sections at 1.
    #[must_use]
    pub fn fresh(generation: u64, counters: Counters, authentication: Authentication, now: &Moment) -> Self {
        Self {
            generation: generation.to_string(),
            identity_counter: counters.identity,
            status: Status::Enabled,
            status_reason: None,
            status_updated: NEVER.to_owned(),
            connected: false,
            messages: 0,
            connection_updated: NEVER.to_owned(),
            last_activity: NEVER.to_owned(),
            authentication,
            iot_edge: false,
            device_scope: None,
            parent_scopes: Vec::new(),
            managed_by: None,
            model_id: None,
            twin_counter: counters.twin,
            twin_version: 2,
            tags: JsonMap::new(),
            desired: Document::fresh(&now.text),
            reported: Document::fresh(&now.text),
        }
    }

    /// This record with what of `now` moves without being kept, if that is of the same life.
    #[must_use]
    pub fn with_state_of(self, now: &Self) -> Self {
        if self.generation != now.generation {
            return self;
        }
        Self {
            connected: now.connected,
            messages: now.messages,
            connection_updated: now.connection_updated.clone(),
            last_activity: now.last_activity.clone(),
            model_id: now.model_id.clone(),
            ..self
        }
    }

    /// What the data file keeps.
    ///
    /// # Panics
    /// Never: a record is text, numbers and maps with text keys, which JSON can always say.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a record is text, numbers and maps with text keys")
    }

    /// Reads what [`Record::to_bytes`] wrote.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let mut json = wire::json(bytes).map_err(|error| error.to_string())?;
        // What people wrote goes round serde, which would respell the exponents of numbers.
        let mut lift = |pointer: &str| match json.pointer_mut(pointer).map(Json::take) {
            Some(Json::Object(map)) => {
                if let Some(place) = json.pointer_mut(pointer) {
                    *place = Json::Object(JsonMap::new());
                }
                map
            }
            _ => JsonMap::new(),
        };
        let [tags, desired, reported] = [lift("/tags"), lift("/desired/values"), lift("/reported/values")];
        let mut record: Self = serde_json::from_value(json).map_err(|error| error.to_string())?;
        record.tags = tags;
        record.desired.values = desired;
        record.reported.values = reported;
        Ok(record)
    }

    /// Base64 of a decimal counter.
    #[must_use]
    pub fn identity_etag(&self) -> Etag {
        Etag(STANDARD.encode(self.identity_counter.to_string()))
    }

    /// Base64 of an 8-byte big-endian counter.
    #[must_use]
    pub fn twin_etag(&self) -> Etag {
        Etag(STANDARD.encode(self.twin_counter.to_be_bytes()))
    }

    fn connection_state(&self) -> ConnectionState {
        if self.connected { ConnectionState::Connected } else { ConnectionState::Disconnected }
    }

    #[must_use]
    pub fn identity(&self, id: &TwinId) -> Identity {
        Identity {
            id: id.clone(),
            generation_id: self.generation.clone(),
            etag: self.identity_etag(),
            status: self.status,
            status_reason: self.status_reason.clone(),
            status_updated_time: self.status_updated.clone(),
            connection_state: self.connection_state(),
            connection_state_updated_time: self.connection_updated.clone(),
            last_activity_time: self.last_activity.clone(),
            cloud_to_device_message_count: self.messages as u64,
            authentication: self.authentication.clone(),
            iot_edge: self.iot_edge,
            device_scope: self.device_scope.clone(),
            parent_scopes: self.parent_scopes.clone(),
            managed_by: self.managed_by.clone(),
        }
    }

    #[must_use]
    pub fn twin(&self, id: &TwinId) -> Twin {
        let (tags, desired, reported) = (self.tags.clone(), self.desired.properties(), self.reported.properties());
        self.twin_of(id.clone(), (tags, desired, reported))
    }

    /// The same of a record that is not needed any more.
    #[must_use]
    pub fn into_twin(mut self, id: TwinId) -> Twin {
        let tags = std::mem::take(&mut self.tags);
        let [desired, reported] = [&mut self.desired, &mut self.reported].map(Document::take_properties);
        self.twin_of(id, (tags, desired, reported))
    }

    fn twin_of(&self, id: TwinId, (tags, desired, reported): (JsonMap, Properties, Properties)) -> Twin {
        Twin {
            id,
            etag: self.twin_etag(),
            device_etag: Some(self.identity_etag()),
            version: self.twin_version,
            status: Some(self.status),
            status_reason: self.status_reason.clone(),
            status_update_time: Some(self.status_updated.clone()),
            connection_state: self.connection_state(),
            last_activity_time: Some(self.last_activity.clone()),
            cloud_to_device_message_count: self.messages as u64,
            authentication: Some(self.authentication.kind),
            primary_thumbprint: self.authentication.primary_thumbprint.clone(),
            secondary_thumbprint: self.authentication.secondary_thumbprint.clone(),
            model_id: self.model_id.clone(),
            iot_edge: self.iot_edge,
            tags,
            desired,
            reported,
            extra: self.scopes(),
        }
    }

    /// The scopes as a twin shows them: left out where there are none.
    fn scopes(&self) -> JsonMap {
        let mut scopes = JsonMap::new();
        if let Some(scope) = &self.device_scope {
            scopes.insert("deviceScope".to_owned(), Json::from(scope.as_str()));
        }
        if !self.parent_scopes.is_empty() {
            scopes.insert("parentScopes".to_owned(), self.parent_scopes.iter().map(String::as_str).collect());
        }
        scopes
    }

    /// What the identity itself may see: desired and reported with their versions, no tags, no metadata.
    #[must_use]
    pub fn device_view(&self) -> Json {
        let mut view = JsonMap::new();
        view.insert("desired".to_owned(), self.desired.for_device());
        view.insert("reported".to_owned(), self.reported.for_device());
        Json::Object(view)
    }
}
