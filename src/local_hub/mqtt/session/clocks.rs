//! The deadlines of a connection: how long its client may be silent, how long it may leave unread what it is sent, and when its
//! token ends.
//!
//! Nothing runs while there is nothing to wait for. In particular the time for a client to read begins when there is something to
//! read, not when it was last sent something: a client that is idle for an hour has its whole time for the next packet.

use super::Appetite;
use crate::local_hub::hub::Hub;
use crate::local_hub::mqtt::Limits;
use std::time::Duration;
use tokio::time::Instant;

/// What is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    Token,
    /// Nothing came from the client.
    Silence,
    /// The client took nothing of what waits for it.
    Stall,
}

pub(super) struct Clocks {
    /// When the last whole packet came.
    heard: Instant,
    /// Since when the client has taken nothing of what waits for it; `None` while nothing waits.
    waiting: Option<Instant>,
    silence: Duration,
    stall: Duration,
    /// Seconds since 1970 when the token ends, and when to look at the clock for it.
    expiry: Option<(u64, Instant)>,
}

impl Clocks {
    /// Of a connection that begins now. `expires_s` is in seconds since 1970.
    pub(super) fn new(hub: &Hub, limits: &Limits, silence: Duration, expires_s: Option<u64>) -> Self {
        let expiry = expires_s.map(|expires_s| (expires_s, next_look(hub, expires_s)));
        Self { heard: Instant::now(), waiting: None, silence, stall: limits.stall, expiry }
    }

    /// A packet came, or the client can be heard again.
    pub(super) fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// The client took some of what waits for it.
    pub(super) fn took(&mut self) {
        self.waiting = None;
    }

    /// Starts and stops the time for reading. To be called when something was added to what waits, before [`Clocks::deadline`].
    pub(super) fn note(&mut self, has_unsent: bool) {
        self.waiting = has_unsent.then(|| self.waiting.unwrap_or_else(Instant::now));
    }

    /// The hub's clock may have been set.
    pub(super) fn look_at_token(&mut self) {
        if let Some((_, look)) = &mut self.expiry {
            *look = Instant::now();
        }
    }

    /// The moment something is to be looked after, if nothing happens before.
    pub(super) fn deadline(&self, appetite: Appetite) -> Instant {
        let silent = match appetite {
            Appetite::Hungry => self.heard + self.silence,
            // A client that is not read cannot be heard.
            Appetite::Full => Instant::now() + self.silence,
        };
        let others = [self.waiting.map(|since| since + self.stall), self.expiry.map(|(_, look)| look)];
        others.into_iter().flatten().fold(silent, Instant::min)
    }

    /// What is over by now.
    pub(super) fn check(&mut self, hub: &Hub, appetite: Appetite) -> Option<Overdue> {
        let now = Instant::now();
        if let Some((expires_s, look)) = &mut self.expiry
            && now >= *look
        {
            if hub.now_s() >= *expires_s {
                return Some(Overdue::Token);
            }
            *look = next_look(hub, *expires_s);
        }
        if self.waiting.is_some_and(|since| now >= since + self.stall) {
            return Some(Overdue::Stall);
        }
        (appetite == Appetite::Hungry && now >= self.heard + self.silence).then_some(Overdue::Silence)
    }
}

/// When the token's end has come, by the clock of now. Looked at once an hour at least: clocks are set, and a token may last for centuries.
fn next_look(hub: &Hub, expires_s: u64) -> Instant {
    Instant::now() + Duration::from_secs(expires_s.saturating_sub(hub.now_s()).clamp(1, 3600))
}
