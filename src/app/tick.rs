//! Time passes: what was typed is kept, landings time out, the fleet list is read again.

use super::tab::{LANDING_LIMIT_S, Pane};
use super::{App, HubState, Moment, Remote, Tab};
use crate::worker::{Command, HubRef};

/// What time brought, and when to ask again.
#[derive(Debug, Default, PartialEq)]
pub struct Tick {
    pub commands: Vec<Command>,
    /// At the latest in so many milliseconds; `None` when nothing waits.
    pub next_ms: Option<u64>,
}

/// The local hub costs nothing to ask; while its devices connect the list is read often.
const LOCAL_EVERY_MS: u64 = 10_000;
const LOCAL_FIRST_MS: u64 = 2_000;
/// A small hub allows 20 queries a minute, and everybody shares them.
const REMOTE_EVERY_MS: u64 = 60_000;
/// A longer list is read again only when the person asks: each thousand devices are a query.
const FOLLOWED_DEVICES: usize = 1_000;
/// How long a list counts as fresh from the start.
const FIRST_MS: u64 = 15_000;

impl App {
    /// Takes the time.
    #[must_use]
    pub fn tick(&mut self, now: Moment) -> Tick {
        self.now = now;
        let mut tick = Tick::default();
        for tab in &mut self.tabs {
            let Some(landing) = &mut tab.landing else { continue };
            if landing.is_over() {
                continue;
            }
            let age = now.ms.saturating_sub(landing.saved_at.ms);
            if age >= LANDING_LIMIT_S * 1000 {
                landing.timed_out = true;
            } else {
                tick.wait(LANDING_LIMIT_S * 1000 - age);
            }
        }
        tick.commands.extend(self.keep_drafts());
        tick.commands.extend(self.follow_history());
        tick.commands.extend(self.follow_record());
        tick.commands.extend(self.keep_places());
        self.follow_fleet(&mut tick);
        self.follow_finding(&mut tick);
        let (commands, next_ms) = self.follow_faults();
        tick.commands.extend(commands);
        if let Some(ms) = next_ms {
            tick.wait(ms);
        }
        tick
    }

    /// A record in view that is out of date is read again.
    fn follow_record(&mut self) -> Vec<Command> {
        let wanted = |tab: &&Tab| tab.pane == Pane::Identity && tab.identity == Remote::Idle && tab.current().is_some();
        match self.active_tab().filter(wanted).map(|tab| tab.id.clone()) {
            Some(id) if !self.is_offline() => self.load_identity(&id),
            _ => Vec::new(),
        }
    }

    /// Connection states and new devices show without a reload, within the hub's budget for queries.
    fn follow_fleet(&mut self, tick: &mut Tick) {
        let HubState::Open(info) = &self.hub else { return };
        // A listing that failed is tried again in the same rhythm.
        let (Remote::Ready { at, .. } | Remote::Failed { at, .. }) = &self.fleet.state else { return };
        if self.fleet.devices.len() > FOLLOWED_DEVICES {
            return;
        }
        let young = at.ms.saturating_sub(self.opened_at.ms) < FIRST_MS;
        // A local hub of another process is as near as our own.
        let name = info.host.rsplit_once(':').map_or(info.host.as_str(), |(name, _)| name);
        let near = info.hub == HubRef::Local || ["localhost", "127.0.0.1", "[::1]"].contains(&name);
        let every = match (near, young) {
            (true, true) => LOCAL_FIRST_MS,
            (true, false) => LOCAL_EVERY_MS,
            (false, _) => REMOTE_EVERY_MS,
        };
        let age = self.now.ms.saturating_sub(at.ms);
        if age >= every {
            tick.commands.extend(self.load_fleet());
        } else {
            tick.wait(every - age);
        }
    }
}

impl Tick {
    pub(super) fn wait(&mut self, ms: u64) {
        self.next_ms = Some(self.next_ms.map_or(ms, |have| have.min(ms)));
    }
}
