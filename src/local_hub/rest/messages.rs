//! Messages over HTTPS: a service sends to devices and reads feedback; a device sends telemetry and receives. Paths of modules
//! do not exist here, as on the service: 404.

use super::answer::{self, Answer};
use super::service::Needs;
use crate::local_hub::clock::Moment;
use crate::local_hub::hub::{Hub, Refused};
use crate::local_hub::messages::{MESSAGE_MAX, Taken, Verdict};
use crate::protocol::error::ErrorCode;
use crate::protocol::message::Properties;
use crate::protocol::policy::Permission;
use crate::protocol::rest::Route;
use crate::twin::TwinId;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Response};
use http_body_util::Full;
use serde_json::json;

/// Bytes of telemetry, body and properties together.
const TELEMETRY_MAX: usize = 256 * 1024;
/// Seconds a receiver may ask to have a message for, in this header.
const LOCK_TIMEOUT: &str = "iothub-messagelocktimeout";
const LOCK_SECONDS: std::ops::RangeInclusive<u64> = 5..=300;
const FEEDBACK_TYPE: HeaderValue = HeaderValue::from_static("application/vnd.microsoft.iothub.feedback.json");

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    Send { device: String },
    Purge { device: String },
    GetFeedback,
    SettleFeedback { lock: String, verdict: Verdict },
    Telemetry { device: String },
    Receive { device: String },
    Settle { device: String, lock: String, verdict: Verdict },
}

impl Operation {
    /// `None` when the method and route are none of these.
    pub fn of(method: &Method, route: &Route) -> Option<Self> {
        // Clients quote a lock as they got it, or do not.
        let bare = |lock: &String| lock.trim_matches('"').to_owned();
        Some(match (method.as_str(), route) {
            ("POST", Route::DeviceBound { device }) => Self::Send { device: device.clone() },
            ("GET", Route::DeviceBound { device }) => Self::Receive { device: device.clone() },
            ("DELETE", Route::LockedMessage { device, lock, reject }) => {
                let verdict = if *reject { Verdict::Reject } else { Verdict::Complete };
                Self::Settle { device: device.clone(), lock: bare(lock), verdict }
            }
            ("POST", Route::AbandonMessage { device, lock }) => {
                Self::Settle { device: device.clone(), lock: bare(lock), verdict: Verdict::Abandon }
            }
            ("POST", Route::DeviceEvents { device }) => Self::Telemetry { device: device.clone() },
            ("DELETE", Route::Commands { device }) => Self::Purge { device: device.clone() },
            ("GET", Route::Feedback) => Self::GetFeedback,
            ("DELETE", Route::LockedFeedback { lock }) => {
                Self::SettleFeedback { lock: bare(lock), verdict: Verdict::Complete }
            }
            ("POST", Route::AbandonFeedback { lock }) => {
                Self::SettleFeedback { lock: bare(lock), verdict: Verdict::Abandon }
            }
            _ => return None,
        })
    }

    /// Who may call.
    pub fn needs(&self) -> Needs {
        match self {
            Self::Send { device } | Self::Purge { device } => {
                Needs::Service(Permission::ServiceConnect, format!("devices/{device}"))
            }
            Self::GetFeedback | Self::SettleFeedback { .. } => {
                Needs::Service(Permission::ServiceConnect, "messages".to_owned())
            }
            Self::Telemetry { device } | Self::Receive { device } | Self::Settle { device, .. } => {
                Needs::Device(TwinId::device(device))
            }
        }
    }

    /// How many bytes of body it takes; `None` when it takes none.
    pub fn body_max(&self) -> Option<usize> {
        match self {
            Self::Send { .. } => Some(MESSAGE_MAX),
            Self::Telemetry { .. } => Some(TELEMETRY_MAX),
            _ => None,
        }
    }
}

/// Does it.
///
/// # Errors
/// What the hub refuses.
pub async fn run(hub: &Hub, operation: Operation, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Refused> {
    match operation {
        Operation::Send { device } => {
            hub.messages().send(hub, &device, properties(headers), body).await?;
            Ok(answer::nothing())
        }
        Operation::Purge { device } => {
            let count = hub.messages().purge(hub, &device).await?;
            Ok(answer::json(&json!({"totalMessagesPurged": count, "deviceId": device, "moduleId": null})))
        }
        Operation::GetFeedback => Ok(match hub.messages().receive_feedback(hub) {
            None => answer::nothing(),
            Some(batch) => {
                let mut answer = answer::json(&batch.records);
                answer.headers_mut().insert(CONTENT_TYPE, FEEDBACK_TYPE);
                answer::put(&mut answer, ETAG, &format!("\"{}\"", batch.token));
                answer
            }
        }),
        Operation::SettleFeedback { lock, verdict } => {
            hub.messages().settle_feedback(hub, &lock, verdict).await?;
            Ok(answer::nothing())
        }
        Operation::Telemetry { device } => {
            let properties = properties(headers);
            let bag = properties.bag();
            if body.len() + bag.len() > TELEMETRY_MAX {
                let message = format!("a message has at most {TELEMETRY_MAX} bytes, its properties included");
                return Err(Refused { code: ErrorCode::MESSAGE_TOO_LARGE, message });
            }
            hub.telemetry(&TwinId::device(device), &bag, body);
            Ok(answer::nothing())
        }
        Operation::Receive { device } => {
            let asked = headers.get(LOCK_TIMEOUT).and_then(|value| value.to_str().ok());
            let lock_s = asked.and_then(|text| text.trim().parse::<u64>().ok());
            let lock_s = lock_s.map(|s| s.clamp(*LOCK_SECONDS.start(), *LOCK_SECONDS.end()));
            Ok(hub.messages().receive(hub, &device, lock_s).map_or_else(answer::nothing, |taken| message(&taken)))
        }
        Operation::Settle { device, lock, verdict } => {
            hub.messages().settle_lock(hub, &device, &lock, verdict).await?;
            Ok(answer::nothing())
        }
    }
}

fn properties(headers: &HeaderMap) -> Properties {
    Properties::from_headers(headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())))
}

/// 200 with the body as it was sent, everything else in headers. A property whose key or value no header can carry is left
/// out: over MQTT it would have come.
fn message(taken: &Taken) -> Answer {
    let message = &taken.message;
    let mut answer: Answer = Response::new(Full::new(Bytes::clone(&message.payload)));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    let facts = [
        ("iothub-sequencenumber".to_owned(), message.sequence.to_string()),
        ("iothub-enqueuedtime".to_owned(), Moment::of_ticks(message.enqueued).text),
        ("iothub-expiry".to_owned(), Moment::of_ticks(message.expires).text),
        ("iothub-deliverycount".to_owned(), taken.deliveries.to_string()),
    ];
    for (name, value) in facts.into_iter().chain(message.properties.headers()) {
        let name = HeaderName::try_from(name);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            headers.insert(name, value);
        }
    }
    if let Some(token) = &taken.token {
        answer::put(&mut answer, ETAG, &format!("\"{token}\""));
    }
    answer
}
