//! One device's queue, and what becomes of the messages in it.

use super::feedback::Record;
use super::{BYTES_MAX, DELIVERIES_MAX, Messages, PENDING_MAX, State, keep_all, kept, note};
use crate::local_hub::clock::{Moment, TICKS_PER_SECOND};
use crate::local_hub::commit::Item;
use crate::local_hub::hub::{Hub, Refused};
use crate::protocol::error::ErrorCode;
use crate::protocol::message::{Ack, Outcome, Properties};
use crate::twin::TwinId;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Bytes that a message takes beside its body and properties.
const OVERHEAD: usize = 512;

/// A message as its sender gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Counts up over all devices.
    pub sequence: u64,
    pub device: String,
    /// The `generationId` of the device it was sent to.
    pub generation: String,
    pub properties: Properties,
    pub payload: Bytes,
    /// 100 ns steps since 0001-01-01.
    pub enqueued: u64,
    /// 100 ns steps since 0001-01-01.
    pub expires: u64,
    pub ack: Ack,
    /// Whether a persistent session over MQTT may have it.
    pub over_mqtt: bool,
}

/// A message, and where it is.
#[derive(Debug, Clone)]
pub struct Waiting {
    pub message: Arc<Message>,
    /// How often it was handed out.
    pub deliveries: u32,
    pub held: Held,
    /// The packet id under which it went out without being acknowledged.
    pub sent_as: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// Free to be taken.
    No,
    /// By a receiver over HTTPS, until then (100 ns steps since 0001-01-01).
    Locked { token: String, until: u64 },
    /// By an MQTT connection.
    InFlight,
}

/// A message handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub message: Arc<Message>,
    /// This delivery included.
    pub deliveries: u32,
    /// The lock's token; `None` over MQTT.
    pub token: Option<String>,
    /// How it was sent, as the waiting message keeps it.
    pub sent_as: Option<u16>,
}

/// What waits for one device, in the order it was sent.
#[derive(Debug, Default)]
pub struct Queue {
    /// The `generationId` of the device.
    pub generation: String,
    pub messages: VecDeque<Waiting>,
}

impl Message {
    fn size(&self) -> usize {
        OVERHEAD + self.payload.len() + self.properties.size()
    }
}

impl Waiting {
    pub fn new(message: Arc<Message>) -> Self {
        Self { message, deliveries: 0, held: Held::No, sent_as: None }
    }
}

impl Queue {
    pub fn sequences(&self) -> Vec<u64> {
        self.messages.iter().map(|waiting| waiting.message.sequence).collect()
    }

    fn place(&self, sequence: u64) -> Option<usize> {
        self.messages.binary_search_by_key(&sequence, |waiting| waiting.message.sequence).ok()
    }

    /// The message that a token locks, and until when.
    pub fn locked(&self, wanted: &str) -> Option<(u64, u64)> {
        self.messages.iter().find_map(|waiting| match &waiting.held {
            Held::Locked { token, until } if token == wanted => Some((waiting.message.sequence, *until)),
            _ => None,
        })
    }

    pub fn sent_as(&mut self, sequence: u64, packet_id: u16) {
        if let Some(at) = self.place(sequence) {
            self.messages[at].sent_as = Some(packet_id);
        }
    }
}

impl State {
    /// Puts a message into its queue.
    pub(super) fn insert(&mut self, waiting: Waiting) {
        let message = &waiting.message;
        self.bytes += message.size();
        self.due.insert((message.expires, message.sequence, message.device.clone()));
        let queue = self.queues.entry(message.device.clone()).or_default();
        queue.generation.clone_from(&message.generation);
        let at = queue.messages.partition_point(|other| other.message.sequence < message.sequence);
        queue.messages.insert(at, waiting);
    }

    pub(super) fn check_room(&self, device: &str, message: &Message) -> Result<(), Refused> {
        let refuse = |code, message: String| Err(Refused { code, message });
        if self.queues.get(device).is_some_and(|queue| queue.messages.len() >= PENDING_MAX) {
            let text = format!("{PENDING_MAX} messages wait for {device} already");
            return refuse(ErrorCode::DEVICE_MAXIMUM_QUEUE_DEPTH_EXCEEDED, text);
        }
        if self.bytes + message.size() > BYTES_MAX {
            return refuse(ErrorCode::IOT_HUB_QUOTA_EXCEEDED, "too much waits for all devices together".to_owned());
        }
        Ok(())
    }

    /// Hands out the first message that is free and wanted.
    pub(super) fn take(
        &mut self,
        hub: &Hub,
        device: &str,
        wanted: impl Fn(&Message) -> bool,
        held: Held,
    ) -> Option<Taken> {
        let queue = self.queues.get_mut(device)?;
        let waiting = queue.messages.iter_mut().find(|w| w.held == Held::No && wanted(&w.message))?;
        waiting.deliveries += 1;
        let token = match &held {
            Held::Locked { token, .. } => Some(token.clone()),
            Held::InFlight | Held::No => None,
        };
        waiting.held = held;
        note(hub, waiting, "delivered");
        let (message, deliveries, sent_as) = (waiting.message.clone(), waiting.deliveries, waiting.sent_as);
        Some(Taken { message, deliveries, token, sent_as })
    }

    /// Frees a message that was held, or ends it when its time or its deliveries have run out.
    pub(super) fn release(&mut self, hub: &Hub, device: &str, sequence: u64, now: &Moment) -> Vec<Item> {
        let Some(waiting) = self.waiting(device, sequence).filter(|waiting| waiting.held != Held::No) else {
            return Vec::new();
        };
        if waiting.message.expires <= now.ticks {
            return self.end(hub, device, sequence, Outcome::Expired, now);
        }
        if waiting.deliveries >= DELIVERIES_MAX {
            return self.end(hub, device, sequence, Outcome::DeliveryCountExceeded, now);
        }
        waiting.held = Held::No;
        note(hub, waiting, "abandoned");
        let item = kept::item(waiting);
        self.wake(device);
        vec![item]
    }

    /// Takes a message out of its queue and tells of it. What it returns is to be kept.
    pub(super) fn end(&mut self, hub: &Hub, device: &str, sequence: u64, outcome: Outcome, now: &Moment) -> Vec<Item> {
        let Some(waiting) = self.remove(device, sequence) else { return Vec::new() };
        note(hub, &waiting, step(outcome));
        self.count(hub, device);
        let message = &waiting.message;
        let mut items = vec![kept::removal(message)];
        if message.ack.wants(outcome) {
            let record = Record::of(message, outcome, now);
            items.push(kept::feedback_item(&record));
            items.extend(self.feedback.push(record));
        }
        items
    }

    pub(super) fn remove(&mut self, device: &str, sequence: u64) -> Option<Waiting> {
        let queue = self.queues.get_mut(device)?;
        let waiting = queue.messages.remove(queue.place(sequence)?)?;
        if queue.messages.is_empty() {
            self.queues.remove(device);
        }
        let message = &waiting.message;
        self.bytes -= message.size();
        self.due.remove(&(message.expires, sequence, device.to_owned()));
        if let Held::Locked { until, .. } = waiting.held {
            self.due.remove(&(until, sequence, device.to_owned()));
        }
        Some(waiting)
    }

    /// Messages as they are now.
    pub(super) fn copies(&self, device: &str, sequences: &[u64]) -> Vec<Waiting> {
        let queue = self.queues.get(device);
        let all = queue.into_iter().flat_map(|queue| &queue.messages);
        all.filter(|waiting| sequences.contains(&waiting.message.sequence)).cloned().collect()
    }

    /// Takes back that messages left their queue. What it returns is to be kept.
    pub(super) fn put_back(&mut self, before: Vec<Waiting>) -> Vec<Item> {
        let mut items = Vec::new();
        for waiting in before {
            let message = waiting.message.clone();
            // Given back, not taken out: then it is there as it is now.
            drop(self.remove(&message.device, message.sequence));
            if let Held::Locked { until, .. } = waiting.held {
                self.due.insert((until, message.sequence, message.device.clone()));
            }
            items.push(kept::item(&waiting));
            items.extend(self.feedback.forget(message.sequence));
            self.insert(waiting);
        }
        items
    }

    /// Lets a whole queue go, silently.
    pub(super) fn drop_queue(&mut self, device: &str) -> Vec<Item> {
        let all = self.queues.get(device).map(Queue::sequences).unwrap_or_default();
        let gone = all.into_iter().filter_map(|sequence| self.remove(device, sequence));
        gone.map(|waiting| kept::removal(&waiting.message)).collect()
    }

    /// Ends what expired, and frees what was locked too long, of one device. What it returns is to be kept.
    pub(super) fn expire(&mut self, hub: &Hub, device: &str, now: &Moment) -> Vec<Item> {
        if self.is_of_another(hub, device) {
            return self.drop_queue(device);
        }
        let Some(queue) = self.queues.get(device) else { return Vec::new() };
        let over = |waiting: &&Waiting| match waiting.held {
            Held::No => waiting.message.expires <= now.ticks,
            Held::Locked { until, .. } => until <= now.ticks,
            // The connection ends, or the device acknowledges.
            Held::InFlight => false,
        };
        let over: Vec<u64> = queue.messages.iter().filter(over).map(|waiting| waiting.message.sequence).collect();
        let mut items = Vec::new();
        for sequence in over {
            let Some(waiting) = self.waiting(device, sequence) else { continue };
            if let Held::Locked { until, .. } = waiting.held {
                self.due.remove(&(until, sequence, device.to_owned()));
                items.extend(self.release(hub, device, sequence, now));
            } else {
                items.extend(self.end(hub, device, sequence, Outcome::Expired, now));
            }
        }
        items
    }

    /// Whether the queue is that of a device that was deleted, and another has its id now.
    fn is_of_another(&self, hub: &Hub, device: &str) -> bool {
        let Some(queue) = self.queues.get(device) else { return false };
        let generation = hub.read(|registry| registry.generation(&TwinId::device(device)));
        generation.is_some_and(|generation| generation != queue.generation)
    }

    /// Tells the registry how many wait.
    pub(super) fn count(&self, hub: &Hub, device: &str) {
        let queue = self.queues.get(device);
        hub.touch(&TwinId::device(device), |record| {
            let own = queue.filter(|queue| queue.generation == record.generation);
            record.messages = own.map_or(0, |queue| queue.messages.len());
            Some(())
        });
    }

    /// Wakes the connection that delivers, if there is one.
    pub(super) fn wake(&self, device: &str) {
        if let Some(listener) = self.listeners.get(device) {
            listener.send_replace(());
        }
    }

    fn waiting(&mut self, device: &str, sequence: u64) -> Option<&mut Waiting> {
        let queue = self.queues.get_mut(device)?;
        let at = queue.place(sequence)?;
        queue.messages.get_mut(at)
    }
}

impl Messages {
    /// Does what is due for all devices; how long it is until the next.
    pub(super) fn expire_all(&self, hub: &Hub) -> Option<Duration> {
        let now = hub.clock().now();
        let mut state = self.lock();
        let mut items = Vec::new();
        while let Some((_, _, device)) = state.due.first().filter(|(at, ..)| *at <= now.ticks).cloned() {
            items.extend(state.expire(hub, &device, &now));
            // A message in flight stays beyond its end; whoever holds it looks again when it comes back.
            while state.due.first().is_some_and(|(at, _, of)| *at <= now.ticks && *of == device) {
                state.due.pop_first();
            }
        }
        keep_all(hub, items);
        let next = state.due.first().map(|(at, ..)| at - now.ticks);
        next.map(|ticks| Duration::from_nanos(ticks.saturating_mul(1_000_000_000 / TICKS_PER_SECOND)))
    }
}

/// As the stream of events says it.
fn step(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "completed",
        Outcome::Expired => "expired",
        Outcome::DeliveryCountExceeded => "deliveryCountExceeded",
        Outcome::Rejected => "rejected",
        Outcome::Purged => "purged",
    }
}
