//! Reading a twin, and writing one against the etag that the person saw.

use super::event::Outcome;
use super::open::Opener;
use super::session::OpenHub;
use super::{Failure, HubRef, command::Guard};
use crate::client::HubError;
use crate::disk::journal::Seen;
use crate::protocol::rest::IfMatch;
use crate::twin::patch::{self, Write};
use crate::twin::{Etag, JsonMap, Twin, TwinId};
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

/// How long a hub that is not the open one may take, its keyring and retries included.
const ELSEWHERE_LIMIT: Duration = Duration::from_secs(45);

pub(super) async fn load(hub: &OpenHub, id: &TwinId) -> Result<Outcome, Failure> {
    read(hub, id).await.map(Outcome::Twin).map_err(Failure::Hub)
}

/// A twin of a hub that is not the open one: one read by a client of its own, which is gone afterwards.
pub(super) async fn elsewhere(opener: &Opener, hub: &HubRef, id: &TwinId) -> Result<Outcome, Failure> {
    let read = async {
        let (client, filed) = opener.client(hub).await?;
        let twin = Arc::new(client.twin(id).await.map_err(Failure::Hub)?);
        opener.journal.seen(filed, &twin, Seen::Load);
        Ok(Outcome::Twin(twin))
    };
    tokio::time::timeout(ELSEWHERE_LIMIT, read).await.unwrap_or_else(|_| {
        Err(Failure::Local(format!("That hub gave no answer within {} seconds", ELSEWHERE_LIMIT.as_secs())))
    })
}

async fn read(hub: &OpenHub, id: &TwinId) -> Result<Arc<Twin>, HubError> {
    let twin = Arc::new(hub.heard(hub.client.twin(id).await)?);
    hub.seen(&twin, Seen::Load);
    Ok(twin)
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
    let base = hub.marked(id).and_then(|(mark, _)| mark.version_at(&etag));
    let sent = Sent { body, before: &etag, base, write };
    let answer = hub.heard(match write {
        Write::Patch => hub.client.patch_twin(id, body, &if_match).await,
        Write::Replace => hub.client.replace_twin(id, body, &if_match).await,
    });
    // Whatever came of it, something may move now.
    hub.nudge(id);
    match answer {
        Ok(twin) => {
            let twin = Arc::new(twin);
            sent.keep(hub, &twin);
            Ok(Outcome::Saved(twin))
        }
        Err(conflict @ HubError::Conflict { .. }) => match read(hub, id).await {
            Ok(theirs) => Ok(Outcome::Conflict { theirs }),
            Err(error) => {
                tracing::debug!(%error, %id, "the version that won cannot be read");
                Err(Failure::Hub(conflict))
            }
        },
        Err(HubError::OutcomeUnknown { reason }) => Err(look(hub, id, &sent, reason).await),
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
                let twin = Arc::new(twin);
                let landed = patch::landed(sent.body, sent.write, sent.before, &twin);
                match landed {
                    Some(true) if sent.led_to(&twin) => sent.keep(hub, &twin),
                    Some(true) => hub.seen(&twin, Seen::Found),
                    _ => hub.seen(&twin, Seen::Load),
                }
                let now = Some(twin);
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

/// A write and what it was guarded with.
struct Sent<'a> {
    body: &'a JsonMap,
    before: &'a Etag,
    /// The newest version known with that etag.
    base: Option<u64>,
    write: Write,
}

impl Sent<'_> {
    /// Whether a version that has its values is the very next one. Any later one may be somebody else's: a device's report makes a
    /// version too.
    fn led_to(&self, twin: &Twin) -> bool {
        self.base.is_some_and(|base| twin.version == base + 1)
    }

    /// What it led to goes into the journal.
    fn keep(&self, hub: &OpenHub, twin: &Arc<Twin>) {
        match self.write {
            Write::Patch => hub.saved(twin, self.body, self.before),
            Write::Replace => hub.seen(twin, Seen::Save),
        }
    }
}
