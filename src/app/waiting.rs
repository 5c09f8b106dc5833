//! Requests that wait for a hub before they are sent again.

use super::{App, Moment, Purpose};
use crate::worker::Key;
use std::time::Duration;

/// Until when a request waits, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    pub until: Moment,
    /// What the hub answered; `None` where it did not.
    pub status: Option<u16>,
}

/// A shorter wait is over before it is read.
const WORTH_TELLING: Duration = Duration::from_secs(1);
/// What is cancelled later than this before its wait ends may be sent all the same.
const SAFE_MS: u64 = 300;

impl App {
    /// What a request waits for at the moment.
    pub fn waiting(&self, key: Key) -> Option<Waiting> {
        self.running.get(&key)?.waiting.filter(|waiting| waiting.until.ms > self.now.ms)
    }

    pub(super) fn take_wait(&mut self, key: Key, wait: Duration, status: Option<u16>) {
        let Some(running) = self.running.get_mut(&key) else { return };
        let until = Moment {
            ms: self.now.ms.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            unix_s: self.now.unix_s.saturating_add(wait.as_secs()),
        };
        running.waiting = (wait >= WORTH_TELLING).then_some(Waiting { until, status });
        // What was sent before was refused or never arrived: the save leaves anew.
        if let Purpose::Save(id) = running.purpose.clone()
            && let Some(sent) = self.tab_mut(&id).and_then(|tab| tab.sent.as_mut())
        {
            sent.at = until;
        }
    }

    /// Notes what is known of a request at the moment it is cancelled: while it waits nothing of it is on its way.
    pub(super) fn note_cancel(&mut self, key: Key) {
        let unsent = self.waiting(key).is_some_and(|waiting| waiting.until.ms > self.now.ms + SAFE_MS);
        if let Some(running) = self.running.get_mut(&key) {
            running.unsent = unsent;
        }
    }
}
