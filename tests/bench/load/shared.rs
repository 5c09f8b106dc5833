//! What clients, writers and the judge share: who there is, what was written, what was violated.

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use twinscope::protocol::secret::Secret;
use twinscope::twin::TwinId;

/// A device has no more.
const MODULES_OF_A_DEVICE: usize = 50;
/// Violations that are told in full.
const TOLD: usize = 20;

/// The key of every module of the run: base64 of 32 bytes.
pub fn key() -> Secret {
    Secret::new("bG9hZGxvYWRsb2FkbG9hZGxvYWRsb2FkbG9hZGxvYWQ=")
}

pub struct Shared {
    pub ids: Vec<TwinId>,
    origin: Instant,
    /// For each module: how many desired patches the hub acknowledged, which is also the value of the last.
    pub written: Vec<AtomicU64>,
    /// Reports answered by now.
    pub answered: AtomicU64,
    /// Desired patches received by now.
    pub delivered: AtomicU64,
    violations: Mutex<Vec<String>>,
}

impl Shared {
    pub fn new(clients: u32) -> Self {
        let clients = usize::try_from(clients).unwrap_or(usize::MAX);
        let id = |index: usize| TwinId {
            device: format!("load-{:03}", index / MODULES_OF_A_DEVICE),
            module: Some(format!("module-{:02}", index % MODULES_OF_A_DEVICE)),
        };
        Self {
            ids: (0..clients).map(id).collect(),
            origin: Instant::now(),
            written: (0..clients).map(|_| AtomicU64::new(0)).collect(),
            answered: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            violations: Mutex::default(),
        }
    }

    /// Microseconds since the beginning of the run.
    pub fn now(&self) -> u128 {
        self.origin.elapsed().as_micros()
    }

    /// The time since a moment of [`Shared::now`].
    pub fn since(&self, at: u64) -> Duration {
        self.origin.elapsed().saturating_sub(Duration::from_micros(at))
    }

    pub fn violation(&self, what: String) {
        let mut violations = self.violations.lock().unwrap_or_else(PoisonError::into_inner);
        if violations.len() < TOLD {
            eprintln!("VIOLATION: {what}");
        }
        violations.push(what);
    }

    pub fn violations(&self) -> usize {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
