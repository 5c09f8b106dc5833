//! Action → state and commands.

use super::{Action, App, Moment};
use crate::worker::Command;

impl App {
    /// Takes an intention. Pure but for `self`.
    #[must_use]
    pub fn update(&mut self, now: Moment, action: Action) -> Vec<Command> {
        let _ = (now, action);
        todo!()
    }

    /// Time passed: timeouts of landings, ages. Returns when it wants to be called again at the latest (milliseconds from now), `None` when nothing waits.
    pub fn tick(&mut self, now: Moment) -> Option<u64> {
        let _ = now;
        todo!()
    }
}
