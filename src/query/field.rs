//! Fields of a twin as a query names them, and what stands there. Nothing is serialised to find a value.

use super::number::Num;
use super::{QueryError, Source};
use crate::twin::{Json, JsonMap, Properties, Segment, Twin};
use std::borrow::Cow;
use std::ops::Range;

/// A top-level field of the twin document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Root {
    DeviceId,
    ModuleId,
    Etag,
    DeviceEtag,
    Version,
    Status,
    StatusReason,
    StatusUpdateTime,
    ConnectionState,
    LastActivityTime,
    CloudToDeviceMessageCount,
    AuthenticationType,
    X509Thumbprint,
    ModelId,
    Capabilities,
    Tags,
    Properties,
    /// A field the twin keeps in `extra`, or none at all.
    Other(String),
}

/// Canonical names. They match in any case, and an answer carries them in this spelling. `statusUpdatedTime` is not the
/// twin's own name for `statusUpdateTime`, but clients send it; `id` is what Microsoft's samples call `deviceId`, as in
/// `STARTSWITH(id, 'dev')`.
pub(super) const FIELDS: &[(&str, Root)] = &[
    ("deviceId", Root::DeviceId),
    ("id", Root::DeviceId),
    ("moduleId", Root::ModuleId),
    ("etag", Root::Etag),
    ("deviceEtag", Root::DeviceEtag),
    ("version", Root::Version),
    ("status", Root::Status),
    ("statusReason", Root::StatusReason),
    ("statusUpdateTime", Root::StatusUpdateTime),
    ("statusUpdatedTime", Root::StatusUpdateTime),
    ("connectionState", Root::ConnectionState),
    ("lastActivityTime", Root::LastActivityTime),
    ("cloudToDeviceMessageCount", Root::CloudToDeviceMessageCount),
    ("authenticationType", Root::AuthenticationType),
    ("x509Thumbprint", Root::X509Thumbprint),
    ("modelId", Root::ModelId),
    ("capabilities", Root::Capabilities),
    ("tags", Root::Tags),
    ("properties", Root::Properties),
];

/// Names of fields kept in `extra` whose spelling is known.
const EXTRA: &[&str] =
    &["deviceScope", "parentScopes", "configurations", "generationId", "managedBy", "connectionStateUpdatedTime"];

/// What a row of `devices.jobs` has. `createdTimeUtc` is the name that the documentation's queries use.
const JOB_FIELDS: &[&str] = &[
    "jobId",
    "deviceId",
    "id",
    "moduleId",
    "jobType",
    "status",
    "startTimeUtc",
    "endTimeUtc",
    "createdDateTimeUtc",
    "createdTimeUtc",
    "lastUpdatedDateTimeUtc",
    "outcome",
    "error",
];

/// A field as a query names it.
#[derive(Debug, Clone)]
pub(super) struct FieldPath {
    pub(super) root: Root,
    pub(super) rest: Vec<Segment>,
    /// The key an answer carries it under when the query gives none: the last name in it.
    pub(super) name: String,
    /// Byte range in the query text.
    pub(super) span: Range<usize>,
}

impl FieldPath {
    /// From the names as written, without `devices.` and its like. `first` is the top-level field.
    pub(super) fn new(first: &str, mut rest: Vec<Segment>, span: Range<usize>) -> Self {
        let known = FIELDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(first));
        let (name, root) = if let Some((name, root)) = known {
            ((*name).to_owned(), root.clone())
        } else {
            let name = EXTRA.iter().find(|name| name.eq_ignore_ascii_case(first)).unwrap_or(&first);
            ((*name).to_owned(), Root::Other((*name).to_owned()))
        };
        if let Some(Segment::Key(key)) = rest.first_mut()
            && let Some(canonical) = root.parts().iter().find(|name| name.eq_ignore_ascii_case(key))
        {
            *key = (*canonical).to_owned();
        }
        let last = rest.iter().rev().find_map(|segment| match segment {
            Segment::Key(key) => Some(key.clone()),
            Segment::Index(_) => None,
        });
        Self { root, rest, name: last.unwrap_or(name), span }
    }

    /// Why no document of the source has such a field: a misspelt name would otherwise be an empty answer.
    pub(super) fn doubt(&self, source: Source) -> Option<QueryError> {
        let error = |message: String| Some(QueryError { span: self.span.clone(), message });
        let name = self.root.name();
        if source == Source::Jobs {
            let known = JOB_FIELDS.iter().any(|field| field.eq_ignore_ascii_case(name));
            return if known {
                None
            } else {
                error(format!("a job has no field `{name}`{}", nearest(name, JOB_FIELDS)))
            };
        }
        if let Root::Other(name) = &self.root {
            let names: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).chain(EXTRA.iter().copied()).collect();
            if names.contains(&name.as_str()) {
                return None;
            }
            let hint = match nearest(name, &names) {
                hint if hint.is_empty() => {
                    format!("; a text is written '{name}', a key of yours after tags. or properties.reported.")
                }
                hint => hint,
            };
            return error(format!("a twin has no field `{name}`{hint}"));
        }
        let parts = self.root.parts();
        match self.rest.first() {
            Some(Segment::Key(key)) if !parts.is_empty() && !parts.contains(&key.as_str()) => {
                error(format!("`{name}` has no `{key}`, only {}", parts.join(" and ")))
            }
            Some(_) if parts.is_empty() && self.root != Root::Tags => {
                error(format!("`{name}` is a single value and has no parts"))
            }
            Some(_) | None => None,
        }
    }

    /// The same place, wherever it is written.
    pub(super) fn same_place(&self, other: &Self) -> bool {
        self.root == other.root && self.rest == other.rest
    }

    /// What stands there.
    pub(super) fn of<'a>(&self, row: &'a impl Fields) -> Value<'a> {
        self.rest.iter().fold(row.top_level(&self.root), Value::step)
    }
}

/// What a condition can be asked of.
pub(super) trait Fields {
    /// What stands at a top-level field.
    fn top_level(&self, root: &Root) -> Value<'_>;
}

impl Fields for Twin {
    fn top_level(&self, root: &Root) -> Value<'_> {
        top_level(root, self)
    }
}

/// A row of `devices.jobs`.
impl Fields for JsonMap {
    fn top_level(&self, root: &Root) -> Value<'_> {
        let name = root.name();
        // Not the row's own name for it, but what the documentation's queries say.
        let name = if name.eq_ignore_ascii_case("createdTimeUtc") { "createdDateTimeUtc" } else { name };
        let found = self
            .get(name)
            .or_else(|| self.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value));
        found.map_or(Value::Missing, Value::from)
    }
}

/// The name somebody probably meant, as the end of a message; empty if none is near.
fn nearest(name: &str, names: &[&str]) -> String {
    super::function::nearest_of(name, names.iter().copied())
        .map_or_else(String::new, |near| format!(", did you mean {near}?"))
}

impl Root {
    /// The keys of a field that is an object of the document's frame.
    fn parts(&self) -> &'static [&'static str] {
        match self {
            Self::Properties => &["desired", "reported"],
            Self::Capabilities => &["iotEdge"],
            Self::X509Thumbprint => &["primaryThumbprint", "secondaryThumbprint"],
            _ => &[],
        }
    }

    /// The canonical name, or the one that was written.
    fn name(&self) -> &str {
        match self {
            Self::Other(name) => name,
            known => FIELDS.iter().find(|(_, root)| root == known).map_or("", |(name, _)| name),
        }
    }
}

fn top_level<'a>(root: &Root, twin: &'a Twin) -> Value<'a> {
    match root {
        Root::DeviceId => Value::text(&twin.id.device),
        Root::ModuleId => Value::optional(twin.id.module.as_deref()),
        Root::Etag => Value::text(&twin.etag.0),
        Root::DeviceEtag => Value::optional(twin.device_etag.as_ref().map(|etag| etag.0.as_str())),
        Root::Version => Value::count(twin.version),
        Root::Status => Value::optional(twin.status.map(crate::twin::Status::word)),
        Root::StatusReason => Value::optional(twin.status_reason.as_deref()),
        Root::StatusUpdateTime => Value::optional(twin.status_update_time.as_deref()),
        Root::ConnectionState => Value::text(twin.connection_state.word()),
        Root::LastActivityTime => Value::optional(twin.last_activity_time.as_deref()),
        Root::CloudToDeviceMessageCount => Value::count(twin.cloud_to_device_message_count),
        Root::AuthenticationType => Value::optional(twin.authentication.map(crate::twin::AuthKind::word)),
        Root::X509Thumbprint => Value::Object(Object::Thumbprints(twin)),
        // The document has an empty text where no model was announced.
        Root::ModelId => Value::text(twin.model_id.as_deref().unwrap_or_default()),
        Root::Capabilities => Value::Object(Object::Capabilities(twin)),
        // The hub leaves the key out until a first tag is written.
        Root::Tags if twin.tags.is_empty() => Value::Missing,
        Root::Tags => Value::Object(Object::Written(&twin.tags)),
        Root::Properties => Value::Object(Object::Properties(twin)),
        Root::Other(name) => {
            let found = twin
                .extra
                .get(name)
                .or_else(|| twin.extra.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value));
            found.map_or(Value::Missing, Value::from)
        }
    }
}

/// A value while a query is evaluated; borrowed from the twin or the query as far as possible.
#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    /// Nothing stands there.
    Missing,
    Null,
    Bool(bool),
    Number(Num),
    /// A number of the twin, in its own spelling.
    Written(&'a serde_json::Number),
    Text(Cow<'a, str>),
    Array(&'a [Json]),
    Object(Object<'a>),
}

/// An object of the twin document. The document's frame is not stored as JSON and is built only when it is answered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Object<'a> {
    Written(&'a JsonMap),
    Properties(&'a Twin),
    Section(&'a Properties),
    Thumbprints(&'a Twin),
    Capabilities(&'a Twin),
}

impl<'a> From<&'a Json> for Value<'a> {
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(bool) => Self::Bool(*bool),
            Json::Number(number) => Self::Written(number),
            Json::String(text) => Self::text(text),
            Json::Array(array) => Self::Array(array),
            Json::Object(object) => Self::Object(Object::Written(object)),
        }
    }
}

impl<'a> Value<'a> {
    pub(super) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    fn optional(text: Option<&'a str>) -> Self {
        text.map_or(Self::Missing, Self::text)
    }

    fn count(count: u64) -> Self {
        Self::Number(Num::Int(count.into()))
    }

    /// The value of a number, however it is spelled.
    pub(super) fn number(&self) -> Option<Num> {
        match self {
            Self::Number(num) => Some(*num),
            Self::Written(number) => Num::parse(number.as_str()),
            _ => None,
        }
    }

    /// Neither an object nor an array, and there at all.
    pub(super) fn is_primitive(&self) -> bool {
        !matches!(self, Self::Missing | Self::Array(_) | Self::Object(_))
    }

    fn step(self, segment: &Segment) -> Self {
        match (self, segment) {
            (Self::Object(object), Segment::Key(key)) => object.get(key),
            (Self::Array(array), Segment::Index(index)) => array.get(*index).map_or(Self::Missing, Self::from),
            _ => Self::Missing,
        }
    }

    /// As it is answered; `None` where nothing stands.
    pub(super) fn to_json(&self) -> Option<Json> {
        Some(match self {
            Self::Missing => return None,
            Self::Null => Json::Null,
            Self::Bool(bool) => Json::Bool(*bool),
            Self::Number(num) => num.to_json(),
            Self::Written(number) => Json::Number((*number).clone()),
            Self::Text(text) => Json::String(text.clone().into_owned()),
            Self::Array(array) => Json::Array(array.to_vec()),
            Self::Object(object) => Json::Object(object.to_map()),
        })
    }
}

impl<'a> Object<'a> {
    fn get(self, key: &str) -> Value<'a> {
        let written = |found: Option<&'a Json>| found.map_or(Value::Missing, Value::from);
        match (self, key) {
            (Self::Written(map), key) => written(map.get(key)),
            (Self::Section(section), "$version") => Value::count(section.version),
            (Self::Section(section), "$metadata") => written(Some(&section.metadata).filter(|json| !json.is_null())),
            (Self::Section(section), key) => written(section.values.get(key)),
            (Self::Properties(twin), "desired") => Value::Object(Self::Section(&twin.desired)),
            (Self::Properties(twin), "reported") => Value::Object(Self::Section(&twin.reported)),
            (Self::Thumbprints(twin), "primaryThumbprint") => thumbprint(twin.primary_thumbprint.as_deref()),
            (Self::Thumbprints(twin), "secondaryThumbprint") => thumbprint(twin.secondary_thumbprint.as_deref()),
            (Self::Capabilities(twin), "iotEdge") => Value::Bool(twin.iot_edge),
            _ => Value::Missing,
        }
    }

    fn to_map(self) -> JsonMap {
        let keys: &[&str] = match self {
            Self::Written(map) => return map.clone(),
            Self::Section(section) => {
                let mut map = section.values.clone();
                for key in ["$metadata", "$version"] {
                    map.extend(self.get(key).to_json().map(|json| (key.to_owned(), json)));
                }
                return map;
            }
            Self::Properties(_) => &["desired", "reported"],
            Self::Thumbprints(_) => &["primaryThumbprint", "secondaryThumbprint"],
            Self::Capabilities(_) => &["iotEdge"],
        };
        keys.iter().filter_map(|key| Some(((*key).to_owned(), self.get(key).to_json()?))).collect()
    }
}

/// The document has `null` where an identity has no certificate.
fn thumbprint(text: Option<&str>) -> Value<'_> {
    text.map_or(Value::Null, Value::text)
}
