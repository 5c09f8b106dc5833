//! The background half: commands in, events out, one tokio runtime on threads of its own. The window never waits for it.
//!
//! Every [`Command`] that carries a [`Key`] ends in exactly one terminal [`Event`] with that key, also on error, cancel and
//! panic. Commands travel over an unbounded channel, events over a bounded one.

pub mod command;
pub mod event;

pub use command::{Command, Connect, HubRef, Key};
pub use event::{Event, Fact, Failure};

use std::path::PathBuf;
use std::sync::Arc;

/// What the program was started with.
#[derive(Debug, Clone, Default)]
pub struct WorkerOptions {
    /// `--data DIR`: all state of the program there; `None` uses the platform's folders.
    pub data: Option<PathBuf>,
    /// `--ca FILE` / `TWINSCOPE_CA`.
    pub extra_ca: Vec<PathBuf>,
    /// `TWINSCOPE_CONNECTION_STRING`: a hub for this run only, never stored.
    pub connection_string: Option<crate::protocol::secret::Secret>,
    /// Fleet of the local hub.
    pub fleet: Option<crate::local_hub::FleetChoice>,
}

/// Called whenever an event was queued: wakes the window.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// The handle the window holds. Dropping it stops the runtime, its hub and its connections.
pub struct Worker {
    _private: (),
}

impl Worker {
    /// Starts the runtime on its own threads and returns at once. The local hub is started in the background as the first act;
    /// [`Event::Hubs`] and [`Event::Connected`] tell how it went.
    #[must_use]
    pub fn start(options: WorkerOptions, wake: Wake) -> Self {
        let _ = (options, wake);
        todo!()
    }

    /// Queues a command; never blocks.
    pub fn send(&self, command: Command) {
        let _ = command;
        todo!()
    }

    /// The next event, if one is waiting; never blocks.
    pub fn try_next(&mut self) -> Option<Event> {
        todo!()
    }

    /// Waits for the next event, for tests.
    pub fn next_within(&mut self, limit: std::time::Duration) -> Option<Event> {
        let _ = limit;
        todo!()
    }

    /// Stops the work and waits (bounded) for the last writes.
    pub fn stop(self) {
        todo!()
    }
}
