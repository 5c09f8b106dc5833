//! What happened on the hub, the last of it, numbered, for whoever follows the stream. Nothing is made into JSON before
//! somebody reads it.

use crate::protocol::event::{EventPage, HubEvent, What};
use crate::twin::{Json, JsonMap, TwinId};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Events kept.
const EVENTS_MAX: usize = 10_000;
/// Bytes of them, as far as they are counted: payloads, bags, patches.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes kept of one payload, and of its properties.
const PAYLOAD_MAX: usize = 4096;
/// Events of one page.
const PAGE_EVENTS: usize = 1000;
/// Bytes of one page, counted like those kept.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// What an event takes beside what is counted.
const OVERHEAD: usize = 200;

/// The log. Cheap to write to.
#[derive(Debug)]
pub struct Log {
    state: Mutex<State>,
    /// The number of the newest event.
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// Each with the bytes it was counted for.
    events: VecDeque<(HubEvent, usize)>,
    bytes: usize,
    last: u64,
    telemetry: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self { state: Mutex::default(), newest: watch::Sender::new(0) }
    }
}

impl Log {
    /// Something happened. `time` is UTC, ISO 8601.
    pub fn note(&self, id: &TwinId, time: String, what: What) {
        let size = OVERHEAD + size(&what);
        let mut state = self.lock();
        state.last += 1;
        state.telemetry += u64::from(matches!(what, What::Telemetry { .. }));
        let number = state.last;
        state.events.push_back((HubEvent { number, time, id: id.clone(), what }, size));
        state.bytes += size;
        while state.events.len() > EVENTS_MAX || state.bytes > BYTES_MAX {
            let Some((_, size)) = state.events.pop_front() else { break };
            state.bytes -= size;
        }
        drop(state);
        self.newest.send_replace(number);
    }

    /// A device sent a message; what is too long of it is cut.
    pub fn telemetry(&self, id: &TwinId, time: String, bag: &str, payload: &[u8]) {
        let what = What::Telemetry {
            bag: bag[..bag.floor_char_boundary(PAYLOAD_MAX)].to_owned(),
            payload: payload.get(..PAYLOAD_MAX).unwrap_or(payload).to_vec(),
            bytes: payload.len(),
        };
        self.note(id, time, what);
    }

    /// What happened behind an event, as far as it is kept and fits a page. A number that lies ahead is of a hub that was started
    /// anew since: the page begins with the oldest.
    #[must_use]
    pub fn page(&self, after: u64) -> EventPage {
        let state = self.lock();
        let after = if after > state.last { 0 } else { after };
        let first = state.events.front().map_or(state.last + 1, |(event, _)| event.number);
        let dropped = first.saturating_sub(after + 1);
        let mut page = EventPage { next: after + dropped, dropped, events: Vec::new() };
        let mut bytes = 0;
        let skip = usize::try_from((after + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        for (event, size) in state.events.iter().skip(skip).take(PAGE_EVENTS) {
            bytes += size;
            if bytes > PAGE_BYTES && !page.events.is_empty() {
                break;
            }
            page.next = event.number;
            page.events.push(event.clone());
        }
        page
    }

    /// Returns when there is something behind an event.
    pub async fn wait(&self, after: u64) {
        let mut newest = self.newest.subscribe();
        // The sender lives as long as the log.
        drop(newest.wait_for(|newest| *newest != after).await);
    }

    /// The number of the newest event; 0 before the first.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.lock().last
    }

    /// Messages devices sent since the start.
    #[must_use]
    pub fn telemetry_count(&self) -> u64 {
        self.lock().telemetry
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes an event holds, roughly.
fn size(what: &What) -> usize {
    let section = |section: &Option<(JsonMap, u64)>| section.as_ref().map_or(0, |(values, _)| map_size(values));
    match what {
        What::Telemetry { bag, payload, .. } => bag.len() + payload.len(),
        What::Twin { tags, desired, reported, .. } => {
            tags.as_ref().map_or(0, map_size) + section(desired) + section(reported)
        }
        What::Method { name, .. } => name.len(),
        What::Message { message_id, .. } => message_id.as_ref().map_or(0, String::len),
        What::Job { job, .. } => job.len(),
        What::Created | What::Deleted | What::Connected | What::Disconnected => 0,
    }
}

/// A map's keys and values with what holds them; the depth is bounded by the rules of a section.
pub(super) fn map_size(map: &JsonMap) -> usize {
    map.iter().map(|(key, value)| 64 + key.len() + value_size(value)).sum()
}

fn value_size(value: &Json) -> usize {
    match value {
        Json::Object(map) => map_size(map),
        Json::Array(items) => items.iter().map(|item| 32 + value_size(item)).sum(),
        Json::String(text) => text.len(),
        Json::Number(number) => number.as_str().len(),
        Json::Null | Json::Bool(_) => 0,
    }
}
