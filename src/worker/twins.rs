//! Reading a twin, and writing one against the etag that the person saw.

use super::event::Outcome;
use super::session::OpenHub;
use super::{Failure, command::Guard};
use crate::client::HubError;
use crate::protocol::rest::IfMatch;
use crate::twin::{Etag, Json, JsonMap, Section, Twin, TwinId, patch};
use std::sync::Arc;
use std::time::Duration;

/// After a write without an answer: the waits before each look at the twin. The first one lets a write arrive that is
/// still on its way.
const LOOK_AFTER: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

pub(super) async fn load(hub: &OpenHub, id: &TwinId) -> Result<Outcome, Failure> {
    read(hub, id).await.map(Outcome::Twin).map_err(Failure::Hub)
}

async fn read(hub: &OpenHub, id: &TwinId) -> Result<Arc<Twin>, HubError> {
    let twin = hub.heard(hub.client.twin(id).await)?;
    hub.mark(&twin);
    Ok(Arc::new(twin))
}

/// What the hub does with the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    /// PATCH: merges it.
    Patch,
    /// PUT: it takes the place of tags and desired.
    Replace,
}

/// PATCH or PUT, never without a quoted etag. A stale one brings the hub's version along; an outcome that is unknown is
/// looked up.
pub(super) async fn save(
    hub: &OpenHub,
    id: &TwinId,
    body: &JsonMap,
    guard: Guard,
    write: Write,
) -> Result<Outcome, Failure> {
    let (Guard::Etag(etag) | Guard::Overwrite(etag)) = guard;
    if etag.0.is_empty() {
        // An empty tag guards nothing.
        return Err(Failure::Local("The twin was read without an etag: refresh it first".to_owned()));
    }
    let if_match = IfMatch::Quoted(etag.clone());
    let answer = hub.heard(match write {
        Write::Patch => hub.client.patch_twin(id, body, &if_match).await,
        Write::Replace => hub.client.replace_twin(id, body, &if_match).await,
    });
    // Whatever came of it, something may move now.
    hub.nudge(id);
    match answer {
        Ok(twin) => {
            hub.mark(&twin);
            Ok(Outcome::Saved(Arc::new(twin)))
        }
        Err(conflict @ HubError::Conflict { .. }) => match read(hub, id).await {
            Ok(theirs) => Ok(Outcome::Conflict { theirs }),
            Err(error) => {
                tracing::debug!(%error, %id, "the version that won cannot be read");
                Err(Failure::Hub(conflict))
            }
        },
        Err(HubError::OutcomeUnknown { reason }) => {
            Err(look(hub, id, &Sent { body, before: &etag, write }, reason).await)
        }
        Err(error) => Err(Failure::Hub(error)),
    }
}

/// Reads the twin until it tells what became of the write, or patience ends.
async fn look(hub: &OpenHub, id: &TwinId, sent: &Sent<'_>, reason: String) -> Failure {
    let mut unmoved = None;
    for wait in LOOK_AFTER {
        tokio::time::sleep(wait).await;
        match hub.heard(hub.once.twin(id).await) {
            Ok(twin) => {
                hub.mark(&twin);
                let landed = sent.landed(&twin);
                let now = Some(Arc::new(twin));
                // A write still on its way may land between two looks: one look at an unmoved twin proves little.
                if landed == Some(false) && unmoved.is_none() {
                    unmoved = now;
                    continue;
                }
                return Failure::Unknown { landed, now, reason };
            }
            Err(error @ HubError::NotFound { .. }) => return Failure::Hub(error),
            Err(error) => tracing::debug!(%error, %id, "the twin cannot be read after a write without an answer"),
        }
    }
    Failure::Unknown { landed: None, now: unmoved, reason }
}

/// A write whose answer was lost.
struct Sent<'a> {
    body: &'a JsonMap,
    /// The etag it was guarded with.
    before: &'a Etag,
    write: Write,
}

impl Sent<'_> {
    /// Whether a twin as read now carries our write. The etag moves with every write of tags or desired: while it stands,
    /// ours has not happened. Where it moved and every value of ours is there, ours has; otherwise somebody else wrote,
    /// perhaps over ours.
    fn landed(&self, now: &Twin) -> Option<bool> {
        if now.etag == *self.before {
            return Some(false);
        }
        let desired = self.body.get("properties").and_then(|properties| properties.get("desired"));
        let there = |section, wanted| match self.write {
            Write::Patch => holds(now.section(section), wanted),
            Write::Replace => is(now.section(section), wanted),
        };
        (there(Section::Tags, self.body.get("tags")) && there(Section::Desired, desired)).then_some(true)
    }
}

/// Whether a section says what was put in its place; a section that was left out is emptied.
fn is(section: &JsonMap, wanted: Option<&Json>) -> bool {
    match wanted {
        None | Some(Json::Null) => section.is_empty(),
        Some(wanted) => wanted.as_object() == Some(section),
    }
}

/// Whether a merge patch would change nothing any more.
fn holds(section: &JsonMap, wanted: Option<&Json>) -> bool {
    match wanted {
        None => true,
        // `null` clears the section.
        Some(Json::Null) => section.is_empty(),
        Some(Json::Object(wanted)) => {
            let mut patched = section.clone();
            patch::apply(&mut patched, wanted);
            patched == *section
        }
        // No hub accepts anything else, so it cannot have happened.
        Some(_) => false,
    }
}
