//! The background half: commands in, events out, one tokio runtime on threads of its own. The window never waits for it.
//!
//! Every [`Command`] that carries a [`Key`] ends in exactly one terminal [`Event`] with that key, also on error, cancel and
//! panic. Commands travel over an unbounded channel, events over a bounded one.
//!
//! `run` is the loop: it starts a task per request and says how each ended. `session` is the one open hub; dropping it ends
//! its tasks and sockets. `open`, `fleet`, `twins`, `identities`, `checks` are the requests, `reading` what a large text asks for; `watch`, `events` and `act`
//! go on by themselves; `keep` holds settings and secrets, `drafts` and `journal` what was typed and seen, `past` reads that again; `local` holds the hub inside the program; `out` leads to the window.

mod act;
mod checks;
pub mod command;
mod drafts;
pub mod event;
mod events;
mod faults;
mod fleet;
mod identities;
mod journal;
mod keep;
mod lives;
mod local;
mod messages;
mod methods;
mod open;
mod out;
mod past;
mod reading;
mod run;
mod session;
mod twins;
mod watch;

pub use command::{Command, Connect, HubRef, Key, KeyPlace};
pub use event::{Event, Fact, Failure};

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Events waiting for the window at most; a producer of more waits.
const EVENTS_MAX: usize = 1024;
/// How long [`Worker::stop`] waits for the last writes.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// What the program was started with.
#[derive(Debug, Clone, Default)]
pub struct WorkerOptions {
    /// `--data DIR`: all state of the program there; `None` uses the platform's folders.
    pub data: Option<PathBuf>,
    /// `--ca FILE` / `TWINSCOPE_CA`.
    pub extra_ca: Vec<PathBuf>,
    /// `TWINSCOPE_CONNECTION_STRING`: a hub for this run only, never stored.
    pub connection_string: Option<crate::protocol::secret::Secret>,
    /// Fleet of the local hub; `None` is the demo fleet.
    pub fleet: Option<crate::local_hub::FleetChoice>,
    /// Whether secrets go to the OS keyring.
    pub keyring: crate::disk::KeyringChoice,
}

/// Called whenever an event was queued: wakes the window.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// The handle the window holds. Dropping it stops the runtime, its hub and its connections.
pub struct Worker {
    commands: mpsc::UnboundedSender<Command>,
    events: mpsc::Receiver<Event>,
    /// Rings after each event, for whoever waits without a window.
    bell: std::sync::mpsc::Receiver<()>,
    /// Closes when the runtime has ended.
    ended: std::sync::mpsc::Receiver<()>,
}

impl Worker {
    /// Starts the runtime on its own threads and returns at once. In the background it then tells [`Fact::Settings`],
    /// [`Fact::Hubs`] and, once the local hub is up or not, [`Fact::LocalHub`], and opens the first hub by itself: the one
    /// of the environment if there is one, else the local one. That ends like an [`Command::Open`] with `Key(0)`.
    #[must_use]
    pub fn start(options: WorkerOptions, wake: Wake) -> Self {
        let (commands, inbox) = mpsc::unbounded_channel();
        let (outbox, events) = mpsc::channel(EVENTS_MAX);
        let (ring, bell) = std::sync::mpsc::sync_channel(1);
        let (ending, ended) = std::sync::mpsc::channel();
        let out = out::Out::new(outbox, ring, wake);
        let told = out.clone();
        let thread = std::thread::Builder::new().name("twinscope-worker".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .thread_name("twinscope-runtime")
                .enable_all()
                .build();
            match runtime {
                Ok(runtime) => {
                    runtime.block_on(run::run(options, inbox, out));
                    // What still blocks (a keyring prompt, a name lookup) must not hold up the end.
                    runtime.shutdown_timeout(Duration::from_millis(500));
                }
                Err(error) => out.stillborn(&format!("the background half cannot start: {error}")),
            }
            drop(ending);
        });
        if let Err(error) = thread {
            told.stillborn(&format!("the background half cannot start: {error}"));
        }
        Self { commands, events, bell, ended }
    }

    /// Queues a command; never blocks.
    pub fn send(&self, command: Command) {
        if let Err(unsent) = self.commands.send(command) {
            tracing::error!(command = ?unsent.0, "the background half has ended");
        }
    }

    /// The next event, if one is waiting; never blocks.
    pub fn try_next(&mut self) -> Option<Event> {
        self.events.try_recv().ok()
    }

    /// Waits for the next event, for tests.
    pub fn next_within(&mut self, limit: Duration) -> Option<Event> {
        let end = Instant::now() + limit;
        loop {
            if let Some(event) = self.try_next() {
                return Some(event);
            }
            let left = end.saturating_duration_since(Instant::now());
            // A bell that is gone means that the runtime has ended; what it queued before is still there.
            if left.is_zero() || self.bell.recv_timeout(left).is_err() {
                return self.try_next();
            }
        }
    }

    /// Stops the work and waits (bounded) for the last writes.
    pub fn stop(self) {
        let Self { commands, events, bell, ended } = self;
        // Without a receiver nobody waits for room in the channel, so nothing holds up the end.
        drop((commands, events, bell));
        if ended.recv_timeout(STOP_LIMIT) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!("the background half did not end within {} s", STOP_LIMIT.as_secs());
        }
    }
}
