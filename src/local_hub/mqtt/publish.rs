//! What a PUBLISH of a client means: telemetry, a twin operation, the answer to a method, or nothing the hub knows.

use super::lease::Lease;
use super::limits::MAX_REQUEST_ID;
use super::packet::{MAX_MESSAGE, Publish, Qos, Will};
use super::twin::Operation;
use crate::protocol::mqtt::FromDevice;
use crate::twin::TwinId;
use bytes::Bytes;
use percent_encoding::percent_decode_str;

/// Bytes of a topic that are logged.
const TOPIC_SHOWN: usize = 200;

/// What the connection has to do about it.
pub enum Meaning {
    Telemetry(Message),
    Twin(Operation),
    /// The answer to the call of a method with this request id.
    MethodAnswer {
        rid: String,
        status: i64,
        payload: Bytes,
    },
    /// Acknowledged and forgotten: unknown topics, and twin requests that leave no way to answer.
    Nothing,
    /// The connection ends.
    Violation(&'static str),
}

/// Telemetry: the property bag as written, still encoded, and the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub bag: String,
    pub payload: Bytes,
}

/// Reads a PUBLISH of this identity.
pub fn meaning(publish: Publish, id: &TwinId) -> Meaning {
    let Publish { topic, payload, qos, retain, .. } = publish;
    if qos == Qos::ExactlyOnce {
        return Meaning::Violation("a PUBLISH of QoS 2");
    }
    if payload.len() > MAX_MESSAGE {
        return Meaning::Violation("a message beyond 256 KB");
    }
    match FromDevice::parse(&topic) {
        Some(FromDevice::Telemetry { id: named, bag }) => {
            if !same(&named, id) {
                return Meaning::Violation("telemetry in the name of another identity");
            }
            if payload.len() + bag.len() > MAX_MESSAGE {
                return Meaning::Violation("a message beyond 256 KB with its properties");
            }
            let bag = if retain { with(bag, "mqtt-retain=true") } else { bag };
            Meaning::Telemetry(Message { bag, payload })
        }
        Some(FromDevice::GetTwin { rid }) => {
            answerable(rid).map_or(Meaning::Nothing, |rid| Meaning::Twin(Operation::Get { rid }))
        }
        Some(FromDevice::PatchReported { rid, version }) => answerable(rid).map_or(Meaning::Nothing, |rid| {
            Meaning::Twin(Operation::Report { rid, expected: version, patch: payload })
        }),
        Some(FromDevice::PatchUnreadable { rid }) => answerable(rid)
            .map_or(Meaning::Nothing, |rid| Meaning::Twin(Operation::Refuse { rid, why: "$version is no number" })),
        Some(FromDevice::MethodResponse { status, rid }) => {
            answerable(rid).map_or(Meaning::Nothing, |rid| Meaning::MethodAnswer { rid, status, payload })
        }
        None => {
            let shown = &topic[..topic.floor_char_boundary(TOPIC_SHOWN)];
            tracing::info!(%id, topic = shown, "published to a topic without a meaning");
            Meaning::Nothing
        }
    }
}

/// Without a request id there is no topic to answer on: the request is dropped, as Microsoft's own gateway does.
fn answerable(rid: Option<String>) -> Option<String> {
    rid.filter(|rid| !rid.is_empty() && rid.len() <= MAX_REQUEST_ID)
}

/// Ids stand in topics as they are; a client that encodes them is understood too.
fn same(named: &TwinId, id: &TwinId) -> bool {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned).ok();
    named == id
        || (decoded(&named.device).as_deref() == Some(&id.device)
            && named.module.as_deref().map(decoded) == id.module.clone().map(Some))
}

fn with(bag: String, property: &str) -> String {
    // Some clients end the bag with a slash.
    let bag = bag.strip_suffix('/').map(str::to_owned).unwrap_or(bag);
    if bag.is_empty() { property.to_owned() } else { format!("{bag}&{property}") }
}

/// A will that is telemetry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WillMessage(Message);

impl WillMessage {
    /// `None` for a topic without a meaning.
    ///
    /// # Errors
    /// For telemetry in the name of another identity.
    pub fn read(will: Will, id: &TwinId) -> Result<Option<Self>, &'static str> {
        let Will { topic, payload, qos, retain } = will;
        match meaning(Publish { topic, payload, qos, packet_id: None, retain, dup: false }, id) {
            Meaning::Telemetry(Message { bag, payload }) => {
                Ok(Some(Self(Message { bag: with(bag, "iothub-MessageType=Will"), payload })))
            }
            Meaning::Violation(_) => Err("a will in the name of another identity"),
            Meaning::Twin(_) | Meaning::MethodAnswer { .. } | Meaning::Nothing => Ok(None),
        }
    }

    pub fn publish(&self, lease: &Lease) {
        lease.hub.telemetry_of(&lease.id, lease.identity(), &self.0.bag, &self.0.payload);
    }
}
