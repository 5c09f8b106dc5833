//! Event → state.

use super::{App, Moment};
use crate::worker::{Command, Event};

impl App {
    /// Takes what the background half told. An answer nobody waits for any more is dropped. May ask for follow-up work.
    #[must_use]
    pub fn apply(&mut self, now: Moment, event: Event) -> Vec<Command> {
        let _ = (now, event);
        todo!()
    }
}
