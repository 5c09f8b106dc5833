//! What happened on the local hub, as its event stream tells it. Azure has no such path: its events go through Event Hubs.
//!
//! Twin changes have the body of the service's `twinChangeEvents`: `{"version":4,"tags":{…},"properties":{"desired":{…,"$version":3}}}`,
//! only the sections touched.

use super::bag;
use crate::twin::{Json, JsonMap, TwinId};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct HubEvent {
    /// Counted up from 1 since the hub started.
    pub number: u64,
    /// UTC, ISO 8601, by the hub's clock.
    pub time: String,
    pub id: TwinId,
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A device sent a message.
    Telemetry {
        /// The property bag as in its topic, percent-encoded; system properties begin with `$.`, some clients write `%24.`.
        bag: String,
        /// May be cut: `bytes` tells how many there were.
        payload: Vec<u8>,
        bytes: usize,
    },
    /// A write to the twin took effect.
    Twin {
        replaced: bool,
        /// The twin's version behind it.
        version: u64,
        tags: Option<JsonMap>,
        /// As submitted, and the `$version` behind it.
        desired: Option<(JsonMap, u64)>,
        reported: Option<(JsonMap, u64)>,
    },
    Created,
    Deleted,
    Connected,
    Disconnected,
    /// A direct method was called: the status of the device, or the hub's error code; milliseconds it took.
    Method {
        name: String,
        outcome: Result<i64, u32>,
        ms: u64,
    },
    /// A cloud-to-device message went a step: `enqueued`, `delivered`, `completed`, `expired`, `rejected`, `purged` …
    Message {
        step: String,
        message_id: Option<String>,
    },
    /// A job went a step on this device: its status word.
    Job {
        job: String,
        step: String,
    },
}

impl What {
    /// The kind, as in the stream and for people.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Telemetry { .. } => "telemetry",
            Self::Twin { .. } => "twin",
            Self::Created | Self::Deleted => "lifecycle",
            Self::Connected | Self::Disconnected => "connection",
            Self::Method { .. } => "method",
            Self::Message { .. } => "message",
            Self::Job { .. } => "job",
        }
    }
}

impl HubEvent {
    /// `{"number","time","deviceId","moduleId"?,"kind",…}`. Telemetry has `properties` (a key without a value is null), `bytes`, and
    /// `body` as text or `bodyBase64`; twin changes, lifecycle and connections have `opType` as the service spells it.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut event = JsonMap::new();
        let mut put = |key: &str, value: Json| drop(event.insert(key.to_owned(), value));
        put("number", Json::from(self.number));
        put("time", Json::from(self.time.as_str()));
        put("deviceId", Json::from(self.id.device.as_str()));
        if let Some(module) = &self.id.module {
            put("moduleId", Json::from(module.as_str()));
        }
        put("kind", Json::from(self.what.kind()));
        let noun = if self.id.module.is_some() { "module" } else { "device" };
        let noun_identity = if self.id.module.is_some() { "ModuleIdentity" } else { "DeviceIdentity" };
        match &self.what {
            What::Telemetry { bag, payload, bytes } => {
                let pairs = bag::parse(bag).into_iter();
                put("properties", pairs.map(|(key, value)| (key, value.map_or(Json::Null, Json::from))).collect());
                put("bytes", Json::from(*bytes));
                match std::str::from_utf8(payload) {
                    Ok(text) => put("body", Json::from(text)),
                    Err(_) => put("bodyBase64", Json::from(STANDARD.encode(payload))),
                }
            }
            What::Twin { replaced, version, tags, desired, reported } => {
                put("opType", Json::from(if *replaced { "replaceTwin" } else { "updateTwin" }));
                put("body", twin_body(*version, tags.as_ref(), desired.as_ref(), reported.as_ref()));
            }
            What::Created => put("opType", Json::from(format!("create{noun_identity}"))),
            What::Deleted => put("opType", Json::from(format!("delete{noun_identity}"))),
            What::Connected => put("opType", Json::from(format!("{noun}Connected"))),
            What::Disconnected => put("opType", Json::from(format!("{noun}Disconnected"))),
            What::Method { name, outcome, ms } => {
                put("method", Json::from(name.as_str()));
                match outcome {
                    Ok(status) => put("status", Json::from(*status)),
                    Err(code) => put("errorCode", Json::from(*code)),
                }
                put("ms", Json::from(*ms));
            }
            What::Message { step, message_id } => {
                put("step", Json::from(step.as_str()));
                if let Some(message_id) = message_id {
                    put("messageId", Json::from(message_id.as_str()));
                }
            }
            What::Job { job, step } => {
                put("jobId", Json::from(job.as_str()));
                put("step", Json::from(step.as_str()));
            }
        }
        Json::Object(event)
    }

    /// Reads what [`HubEvent::to_json`] wrote; `None` for an event this program does not know.
    #[must_use]
    pub fn from_json(event: &Json) -> Option<Self> {
        let text = |key: &str| event.get(key).and_then(Json::as_str);
        let number = |key: &str| event.get(key).and_then(Json::as_u64);
        let op = text("opType").unwrap_or_default();
        let what = match text("kind")? {
            "telemetry" => {
                let pairs: Vec<(&str, Option<&str>)> = event
                    .get("properties")?
                    .as_object()?
                    .iter()
                    .map(|(key, value)| (key.as_str(), value.as_str()))
                    .collect();
                let payload = match (text("body"), text("bodyBase64")) {
                    (Some(body), _) => body.as_bytes().to_vec(),
                    (None, Some(body)) => STANDARD.decode(body).ok()?,
                    (None, None) => Vec::new(),
                };
                let bytes = number("bytes").and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(payload.len());
                What::Telemetry { bag: bag::format(&pairs), payload, bytes }
            }
            "twin" => {
                let body = event.get("body")?;
                let section = |name: &str| {
                    let mut section = body.get("properties")?.get(name)?.as_object()?.clone();
                    let version = section.shift_remove("$version").and_then(|version| version.as_u64())?;
                    Some((section, version))
                };
                What::Twin {
                    replaced: op == "replaceTwin",
                    version: body.get("version").and_then(Json::as_u64)?,
                    tags: body.get("tags").and_then(Json::as_object).cloned(),
                    desired: section("desired"),
                    reported: section("reported"),
                }
            }
            "lifecycle" if op.starts_with("create") => What::Created,
            "lifecycle" => What::Deleted,
            "connection" if op.ends_with("Disconnected") => What::Disconnected,
            "connection" => What::Connected,
            "method" => What::Method {
                name: text("method")?.to_owned(),
                outcome: match event.get("status").and_then(Json::as_i64) {
                    Some(status) => Ok(status),
                    None => Err(u32::try_from(number("errorCode")?).ok()?),
                },
                ms: number("ms").unwrap_or(0),
            },
            "message" => {
                What::Message { step: text("step")?.to_owned(), message_id: text("messageId").map(str::to_owned) }
            }
            "job" => What::Job { job: text("jobId")?.to_owned(), step: text("step")?.to_owned() },
            _ => return None,
        };
        let id = TwinId { device: text("deviceId")?.to_owned(), module: text("moduleId").map(str::to_owned) };
        Some(Self { number: number("number")?, time: text("time")?.to_owned(), id, what })
    }
}

fn twin_body(
    version: u64,
    tags: Option<&JsonMap>,
    desired: Option<&(JsonMap, u64)>,
    reported: Option<&(JsonMap, u64)>,
) -> Json {
    let mut body = JsonMap::new();
    body.insert("version".to_owned(), Json::from(version));
    if let Some(tags) = tags {
        body.insert("tags".to_owned(), Json::Object(tags.clone()));
    }
    let mut properties = JsonMap::new();
    for (name, section) in [("desired", desired), ("reported", reported)] {
        if let Some((values, version)) = section {
            let mut section = values.clone();
            section.insert("$version".to_owned(), Json::from(*version));
            properties.insert(name.to_owned(), Json::Object(section));
        }
    }
    if !properties.is_empty() {
        body.insert("properties".to_owned(), Json::Object(properties));
    }
    Json::Object(body)
}

/// A page of the stream.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventPage {
    /// What to ask for next, as `after`.
    pub next: u64,
    /// Events behind `after` that are no longer kept.
    pub dropped: u64,
    pub events: Vec<HubEvent>,
}

impl EventPage {
    /// `{"next":n,"dropped":k,"events":[…]}`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut page = JsonMap::new();
        page.insert("next".to_owned(), Json::from(self.next));
        page.insert("dropped".to_owned(), Json::from(self.dropped));
        page.insert("events".to_owned(), self.events.iter().map(HubEvent::to_json).collect());
        Json::Object(page)
    }

    /// Reads what [`EventPage::to_json`] wrote; events this program does not know are left out. `None` for anything else.
    #[must_use]
    pub fn from_json(page: &Json) -> Option<Self> {
        Some(Self {
            next: page.get("next")?.as_u64()?,
            dropped: page.get("dropped")?.as_u64()?,
            events: page.get("events")?.as_array()?.iter().filter_map(HubEvent::from_json).collect(),
        })
    }
}
