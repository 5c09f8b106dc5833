//! Cloud-to-device messages over HTTPS: sending, purging, and feedback. Devices only: over this path modules get none.

use super::http::{Ask, Effect};
use super::{HubClient, HubError};
use crate::protocol::feedback::FeedbackRecord;
use crate::protocol::message::{APP_PREFIX, DEVICE_BOUND_MAX, Properties, key_problem};
use crate::protocol::rest::Route;
use crate::twin::Json;
use http::Method;
use http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue};
use std::time::Duration;

/// For the hub to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Of a batch of feedback no more is read than this.
const BATCH_MAX: usize = 2 << 20;
/// As in other answers.
const ANSWER_MAX: usize = 64 << 10;

/// Feedback that the hub handed out and keeps from other readers until it is completed or abandoned, or its lock ends.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedbackBatch {
    /// Bare, without quotes.
    pub lock: String,
    pub records: Vec<FeedbackRecord>,
}

impl HubClient {
    /// `POST /devices/{d}/messages/deviceBound`: queues a message; whether the device ever takes it, feedback tells if it was
    /// asked for (`System::Ack`). Sent once. The keys of application properties arrive in lower case: they travel as headers.
    ///
    /// # Errors
    /// `Refused` with status 0 for what no header carries or more than 64 KB, and nothing was sent; `Forbidden` with 403004 when
    /// too many wait and 403009 for an expiry out of range; `OutcomeUnknown` when the hub said nothing; else as
    /// [`HubClient::twin`].
    pub async fn send_message(&self, device: &str, properties: &Properties, body: &[u8]) -> Result<(), HubError> {
        if body.len() + properties.size() > DEVICE_BOUND_MAX {
            return Err(refused("a message has at most 64 KB, its properties included"));
        }
        let mut headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))];
        for (name, value) in properties.headers() {
            if let Some(problem) = name.strip_prefix(APP_PREFIX).and_then(key_problem) {
                return Err(refused(&problem));
            }
            let unfit = |what: &str| refused(&format!("{name:?} cannot stand in a header: {what}"));
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|error| unfit(&error.to_string()))?;
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| unfit(&error.to_string()))?;
            headers.push((name, value));
        }
        let route = Route::DeviceBound { device: device.to_owned() };
        let ask = Ask { headers, body: Some(body.to_vec()), ..write(Method::POST, &route) };
        self.wire().send(ask).await?;
        Ok(())
    }

    /// `DELETE /devices/{d}/commands`: throws away all that waits for a device; how many that were.
    ///
    /// # Errors
    /// As [`HubClient::patch_twin`].
    pub async fn purge_messages(&self, device: &str) -> Result<u64, HubError> {
        let route = Route::Commands { device: device.to_owned() };
        let answer = self.wire().send(write(Method::DELETE, &route)).await?;
        let count = answer.json().ok().and_then(|body| body.get("totalMessagesPurged").and_then(Json::as_u64));
        count.ok_or_else(|| HubError::OutcomeUnknown {
            reason: "the answer is not what a hub sends: it does not say how many were purged".to_owned(),
        })
    }

    /// `GET /messages/serviceBound/feedback`: a batch of it, locked for a while; `None` when there is none. There is one queue of
    /// feedback per hub, whoever sent the messages.
    ///
    /// # Errors
    /// As [`HubClient::twin`].
    pub async fn feedback(&self) -> Result<Option<FeedbackBatch>, HubError> {
        let answer = self.wire().send(Ask { limit: BATCH_MAX, ..Ask::get(&Route::Feedback) }).await?;
        if answer.status == 204 || answer.body.is_empty() {
            return Ok(None);
        }
        let nonsense = |what: &str| HubError::Nonsense { what: what.to_owned() };
        let lock = answer.header(ETAG.as_str()).map(|etag| etag.trim_matches('"').to_owned());
        let lock = lock.filter(|lock| !lock.is_empty()).ok_or_else(|| nonsense("feedback without a lock token"))?;
        let Json::Array(records) = answer.json()? else { return Err(nonsense("feedback that is no JSON array")) };
        Ok(Some(FeedbackBatch { lock, records: records.iter().filter_map(FeedbackRecord::read).collect() }))
    }

    /// `DELETE /messages/serviceBound/feedback/{lock}`: the hub forgets a batch.
    ///
    /// # Errors
    /// As [`HubClient::patch_twin`]; `Conflict` with 412002 when its lock has ended.
    pub async fn complete_feedback(&self, lock: &str) -> Result<(), HubError> {
        let route = Route::LockedFeedback { lock: lock.to_owned() };
        self.wire().send(write(Method::DELETE, &route)).await?;
        Ok(())
    }

    /// `POST /messages/serviceBound/feedback/{lock}/abandon`: others may have a batch.
    ///
    /// # Errors
    /// As [`HubClient::complete_feedback`].
    pub async fn abandon_feedback(&self, lock: &str) -> Result<(), HubError> {
        let route = Route::AbandonFeedback { lock: lock.to_owned() };
        self.wire().send(write(Method::POST, &route)).await?;
        Ok(())
    }
}

fn write(method: Method, route: &Route) -> Ask<'_> {
    Ask { method, limit: ANSWER_MAX, effect: Effect::Write, patience: PATIENCE, ..Ask::get(route) }
}

fn refused(message: &str) -> HubError {
    HubError::Refused { status: 0, service: super::error::said(message) }
}
