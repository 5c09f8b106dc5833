//! Reading a twin, and writing one against the etag that the person saw.

use super::event::{Fact, Outcome};
use super::open::Opener;
use super::session::OpenHub;
use super::{Failure, HubRef, command::Guard};
use crate::client::HubError;
use crate::disk::journal::Seen;
use crate::protocol::rest::IfMatch;
use crate::twin::patch::{self, Write};
use crate::twin::{Etag, JsonMap, Twin, TwinId, life};
use std::sync::Arc;
use std::time::{Duration, Instant};

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
    let asked = Instant::now();
    let twin = hub.heard(hub.client.twin(id).await)?;
    Ok(hub.take_reading(twin, asked, Seen::Load).await)
}

/// What is to be saved.
pub(super) struct Save {
    pub(super) body: JsonMap,
    pub(super) guard: Guard,
    /// The version that was on the screen.
    pub(super) over: Option<Arc<Twin>>,
    pub(super) write: Write,
}

/// PATCH or PUT, never without a quoted etag. A stale one brings the hub's version along; an outcome that is unknown is
/// looked up.
///
/// An etag tells the versions of one life apart, and not always those of two: a twin that was created again may have the etag of the
/// one that was seen. So the twin is read first, and nothing is sent unless it says what was seen. Between that read and the write
/// an identity could still be deleted, created and brought to the same etag; the answer to the write then shows it, and the window
/// is told.
pub(super) async fn save(hub: &OpenHub, id: &TwinId, save: Save) -> Result<Outcome, Failure> {
    let Save { body, guard, over, write } = save;
    let (Guard::Etag(etag) | Guard::Overwrite(etag)) = guard;
    let if_match = IfMatch::only(etag.clone()).map_err(|problem| Failure::Hub(HubError::Unguarded(problem)))?;
    let mut before = None;
    if let Some(over) = &over {
        let asked = Instant::now();
        let now = hub.heard(hub.client.twin(id).await).map_err(Failure::Hub)?;
        if !life::is_as_seen(over, &now) || !life::continues(over, &now) {
            return Ok(Outcome::Conflict { theirs: hub.take_reading(now, asked, Seen::Load).await });
        }
        before = Some(now);
    }
    let base = hub.marked(id).and_then(|(mark, _)| mark.version_at(&etag));
    let sent = Sent { body: &body, before: &etag, base, write };
    let answer = hub.heard(match write {
        Write::Patch => hub.client.patch_twin(id, &body, &if_match).await,
        Write::Replace => hub.client.replace_twin(id, &body, &if_match).await,
    });
    // Whatever came of it, something may move now.
    hub.nudge(id);
    match answer {
        Ok(twin) => {
            let twin = Arc::new(twin);
            let another = before.is_some_and(|before| !life::continues(&before, &twin));
            sent.keep(hub, &twin);
            if another {
                hub.out.fact(Fact::TwinRecreated { twin: twin.clone() }).await;
            }
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
        let asked = Instant::now();
        match hub.heard(hub.once.twin(id).await) {
            Ok(twin) => {
                let told = hub.marked(id).filter(|(_, at)| *at <= asked);
                let twin = match told {
                    // Of a write to the life before nothing can be told by the new one.
                    Some((mark, _)) if hub.is_another_life(mark.twin(), &twin).await => {
                        let now = Some(hub.take_reading(twin, asked, Seen::Load).await);
                        return Failure::Unknown { landed: None, now, reason };
                    }
                    _ => Arc::new(twin),
                };
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
