//! What devices sent, the last of it, for whoever shows it.

use super::Hub;
use crate::twin::TwinId;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Messages the ring keeps.
const TELEMETRY_MAX: usize = 1000;
/// Bytes kept of one payload, and of its properties.
const TELEMETRY_PAYLOAD_MAX: usize = 4096;

/// One message a device sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telemetry {
    pub id: TwinId,
    /// UTC, ISO 8601.
    pub arrived: String,
    /// The topic's property bag as written, cut at 4096 bytes.
    pub bag: String,
    /// Cut at 4096 bytes.
    pub payload: Vec<u8>,
    /// Bytes of the payload as it came.
    pub bytes: usize,
}

/// The last messages, and how many there were.
#[derive(Debug, Default)]
pub struct Ring {
    messages: Mutex<VecDeque<Telemetry>>,
    count: AtomicU64,
}

impl Hub {
    /// Telemetry arrived: moves `lastActivityTime`, counts, and is kept in a bounded ring for whoever shows it.
    pub fn telemetry(&self, id: &TwinId, bag: &str, payload: &[u8]) {
        let arrived = self.now_text();
        self.touch(id, |record| {
            record.last_activity.clone_from(&arrived);
            Some(())
        });
        self.telemetry.count.fetch_add(1, Ordering::Relaxed);
        let kept = payload.get(..TELEMETRY_PAYLOAD_MAX).unwrap_or(payload).to_vec();
        let bag = beginning(bag, TELEMETRY_PAYLOAD_MAX).to_owned();
        let message = Telemetry { id: id.clone(), arrived, bag, payload: kept, bytes: payload.len() };
        let mut ring = self.telemetry.messages.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.len() == TELEMETRY_MAX {
            ring.pop_front();
        }
        ring.push_back(message);
    }

    /// The last messages, oldest first, and how many came since the start.
    #[must_use]
    pub fn recent_telemetry(&self) -> (Vec<Telemetry>, u64) {
        let ring = self.telemetry.messages.lock().unwrap_or_else(PoisonError::into_inner);
        (ring.iter().cloned().collect(), self.telemetry.count.load(Ordering::Relaxed))
    }
}

/// The beginning of a text, not cut within a character.
fn beginning(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
