//! Reads an open twin again and again, and tells when it moved.
//!
//! The service offers no push of twin changes to its clients, and a conditional GET is not supported: a watch is a GET on
//! an interval that adapts. It compares everything that a person sees of a twin: `version` counts reported writes too, but begins
//! anew, as the etag does, when an identity is deleted and created again.

use super::event::{Fact, Reachability, Source};
use super::session::OpenHub;
use crate::client::{HubError, retry};
use crate::twin::{Etag, Twin, TwinId};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Between two reads while something happens.
const LIVELY: Duration = Duration::from_secs(1);
/// Lively for so long after the last movement.
const LIVELY_FOR: Duration = Duration::from_secs(30);
/// Between two reads when it has been quiet for a while.
const CALM: Duration = Duration::from_secs(5);
/// Calm for so long after the last movement.
const CALM_FOR: Duration = Duration::from_mins(3);
/// Between two reads of a twin that does not move.
const QUIET: Duration = Duration::from_secs(15);
/// Between two tries at a hub that fails, at most.
const FAILING_MAX: Duration = Duration::from_secs(30);
/// That a twin was looked at is told at most this often while nothing changes: the window shows ages in steps of this.
const LOOKED_EVERY: Duration = Duration::from_secs(5);
/// All watches together read at most five times a second: small hubs allow a hundred, and others read too.
const TURN_EVERY: Duration = Duration::from_millis(200);

/// A reading of a twin that the window was told.
#[derive(Debug, Clone)]
pub(super) struct Mark(Arc<Twin>);

impl Mark {
    pub(super) fn of(twin: &Arc<Twin>) -> Self {
        Self(twin.clone())
    }

    pub(super) fn twin(&self) -> &Arc<Twin> {
        &self.0
    }

    /// The version that had this etag, if it is this one.
    pub(super) fn version_at(&self, etag: &Etag) -> Option<u64> {
        (self.0.etag == *etag).then_some(self.0.version)
    }

    /// Whether a reading shows a person nothing that this one does not. The time of the last activity is no news: it moves with
    /// every message.
    pub(super) fn shows(&self, twin: &Twin) -> bool {
        let before = &*self.0;
        before.version == twin.version
            && before.etag == twin.etag
            && before.device_etag == twin.device_etag
            && before.connection_state == twin.connection_state
            && before.status == twin.status
            && before.tags == twin.tags
            && before.desired == twin.desired
            && before.reported == twin.reported
    }
}

/// Hands out turns, evenly spaced, in the order they were asked for.
#[derive(Default)]
pub(super) struct Limiter {
    next: tokio::sync::Mutex<Option<tokio::time::Instant>>,
}

impl Limiter {
    pub(super) async fn turn(&self) {
        let mine = {
            let mut next = self.next.lock().await;
            let now = tokio::time::Instant::now();
            let mine = next.map_or(now, |next| next.max(now));
            *next = Some(mine + TURN_EVERY);
            mine
        };
        tokio::time::sleep_until(mine).await;
    }
}

/// When to read next.
#[derive(Debug, Clone, Copy)]
struct Pace {
    last_movement: Instant,
    /// Failures in a row.
    failures: u32,
}

impl Pace {
    fn wait(self, now: Instant) -> Duration {
        if self.failures > 0 {
            return retry::backoff(CALM, FAILING_MAX, self.failures).max(LIVELY);
        }
        match now.saturating_duration_since(self.last_movement) {
            still if still < LIVELY_FOR => LIVELY,
            still if still < CALM_FOR => CALM,
            _ => QUIET,
        }
    }
}

/// Goes on until it is aborted. `nudge` makes it lively again.
pub(super) async fn watch(hub: Arc<OpenHub>, id: TwinId, nudge: Arc<Notify>) {
    let mut pace = Pace { last_movement: Instant::now(), failures: 0 };
    let mut reach = hub.reach();
    reach.mark_unchanged();
    let mut lives = super::lives::Watched::default();
    let mut told = Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(pace.wait(Instant::now())) => {}
            () = nudge.notified() => {
                pace.last_movement = Instant::now();
                // A device needs a moment for its answer; reading at once would find nothing.
                tokio::time::sleep(LIVELY).await;
            }
            () = back_online(&mut reach) => {}
        }
        hub.limiter.turn().await;
        let asked = Instant::now();
        match hub.heard(hub.once.twin(&id).await) {
            Ok(twin) => {
                let failed = std::mem::take(&mut pace.failures) > 0;
                if see(&hub, twin, asked).await {
                    pace.last_movement = Instant::now();
                    told = Instant::now();
                } else if failed || told.elapsed() >= LOOKED_EVERY {
                    told = Instant::now();
                    hub.out.fact(Fact::TwinLooked { id: id.clone() }).await;
                }
                lives.learn(&hub, &id).await;
            }
            Err(error) => {
                pace.failures += 1;
                tell_failure(&hub, &id, error, pace.failures).await;
            }
        }
    }
}

/// Tells a reading that is news. One that was asked for before the window was told something newer may be older than
/// that: it is dropped, the next one will tell.
async fn see(hub: &OpenHub, twin: Twin, asked: Instant) -> bool {
    let told = hub.marked(&twin.id);
    let news = told.is_none_or(|(mark, at)| at < asked && !mark.shows(&twin));
    let why = hub.why_read(&twin.id);
    if news {
        let twin = hub.take_reading(twin, asked, why).await;
        hub.out.fact(Fact::TwinSeen { twin, source: Source::Watch }).await;
    }
    news
}

/// Once per row of failures.
async fn tell_failure(hub: &OpenHub, id: &TwinId, error: HubError, failures: u32) {
    if failures == 1 {
        hub.out.fact(Fact::WatchFailed { id: id.clone(), error }).await;
    }
}

/// Returns when the hub answers again after it did not.
async fn back_online(reach: &mut tokio::sync::watch::Receiver<Reachability>) {
    loop {
        if reach.changed().await.is_err() {
            // The hub is closed, and so is this watch, at once.
            return std::future::pending().await;
        }
        if *reach.borrow_and_update() == Reachability::Online {
            return;
        }
    }
}
