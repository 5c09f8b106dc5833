//! Cloud-to-device messages: sending, counting, purging, and fetching feedback.

use super::Failure;
use super::command::ToSend;
use super::event::{Fact, Outcome};
use super::session::OpenHub;
use crate::client::HubError;
use crate::protocol::message::System;
use crate::twin::TwinId;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

/// Batches of feedback that one request fetches.
const BATCHES: usize = 20;

/// Queues a message, under an id made here if it has none. How many wait is told if it can be read; the message is sent all the
/// same if not.
pub(super) async fn send(hub: &OpenHub, device: &str, message: ToSend) -> Result<Outcome, Failure> {
    let ToSend { mut properties, body, life_s } = message;
    let message_id = if let Some(id) = properties.get(System::MessageId) {
        id.to_owned()
    } else {
        let id = uuid::Uuid::new_v4().to_string();
        properties.set(System::MessageId, id.clone());
        id
    };
    if let Some(life_s) = life_s {
        properties.set(System::Expiry, expiry(life_s)?);
    }
    hub.heard(hub.client.send_message(device, &properties, &body).await).map_err(Failure::Hub)?;
    let waiting = waiting(hub, device).await.ok();
    Ok(Outcome::MessageSent { message_id, waiting })
}

/// So many seconds from now, UTC, ISO 8601 to the second.
fn expiry(life_s: u64) -> Result<String, Failure> {
    let life = i64::try_from(life_s).ok().map(Duration::seconds);
    let at = life.and_then(|life| OffsetDateTime::now_utc().checked_add(life));
    at.and_then(|at| at.replace_nanosecond(0).ok()?.format(&Rfc3339).ok())
        .ok_or_else(|| Failure::Local("The expiry is too far away".to_owned()))
}

pub(super) async fn count(hub: &OpenHub, device: &str) -> Result<Outcome, Failure> {
    waiting(hub, device).await.map(Outcome::MessagesWaiting).map_err(Failure::Hub)
}

/// As the identity's record says; for a policy that may not read it, as the twin says.
async fn waiting(hub: &OpenHub, device: &str) -> Result<u64, HubError> {
    let id = TwinId::device(device);
    match hub.heard(hub.client.identity(&id).await) {
        Err(HubError::Unauthorized { .. }) => Ok(hub.heard(hub.client.twin(&id).await)?.cloud_to_device_message_count),
        record => Ok(record?.cloud_to_device_message_count),
    }
}

pub(super) async fn purge(hub: &OpenHub, device: &str) -> Result<Outcome, Failure> {
    hub.heard(hub.client.purge_messages(device).await).map(Outcome::MessagesPurged).map_err(Failure::Hub)
}

/// Takes the hub's feedback, batch by batch. Each is told before the hub forgets it, so that none is lost in between.
pub(super) async fn feedback(hub: &OpenHub) -> Result<Outcome, Failure> {
    let mut count = 0;
    for _ in 0..BATCHES {
        let batch = match hub.heard(hub.client.feedback().await) {
            Ok(Some(batch)) => batch,
            Ok(None) => return Ok(Outcome::FeedbackFetched { records: count, more: false }),
            // What was told before stands.
            Err(_) if count > 0 => return Ok(Outcome::FeedbackFetched { records: count, more: true }),
            Err(error) => return Err(Failure::Hub(error)),
        };
        count += batch.records.len();
        hub.out.fact(Fact::Feedback(batch.records)).await;
        if let Err(error) = hub.heard(hub.client.complete_feedback(&batch.lock).await) {
            // It comes again when its lock has ended, and says the same.
            tracing::debug!(%error, "a batch of feedback was not completed");
        }
    }
    Ok(Outcome::FeedbackFetched { records: count, more: true })
}
