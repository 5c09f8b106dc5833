//! Cloud-to-device messages: what waits for a device, and the feedback about it.
//!
//! A message waits in its device's queue until the device takes it (over MQTT by PUBACK, over HTTPS by its lock token), refuses
//! it, or its time or its deliveries run out. The queue belongs to the device, not to a way of receiving. One rule is MQTT's:
//! the hub queues nothing for a client over MQTT before that had its first persistent session, nor shows a clean session what
//! was sent before it subscribed; Microsoft's C SDK says so. Such messages wait all the same, for HTTPS and for their end.
//!
//! `queue` is one device's, `feedback` what its senders are told, `kept` the form in the data file, `run` the timer.

mod feedback;
mod kept;
mod queue;
mod run;

pub use feedback::FeedbackBatch;
pub use queue::{Message, Taken};
pub use run::run;

use super::clock::{Moment, TICKS_PER_SECOND};
use super::commit::Item;
use super::hub::{Hub, Refused};
use super::registry::Registry;
use super::store::Items;
use crate::protocol::error::ErrorCode;
use crate::protocol::event::What;
use crate::protocol::message::{Ack, Outcome, Properties, System};
use crate::protocol::mqtt::ToDevice;
use crate::twin::TwinId;
use bytes::Bytes;
use feedback::Feedback;
use queue::{Held, Queue};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// Bytes of a message's body and properties together.
pub const MESSAGE_MAX: usize = 64 * 1024;
/// Messages that wait for one device.
const PENDING_MAX: usize = 50;
/// Bytes that wait for all devices.
const BYTES_MAX: usize = 256 * 1024 * 1024;
/// How long a message lives that says nothing about it.
const LIFE_S: u64 = 3600;
/// The longest it may ask for.
const LIFE_MAX_S: u64 = 2 * 24 * 3600;
/// Deliveries of one message.
const DELIVERIES_MAX: u32 = 10;
/// Seconds that a receiver over HTTPS has for a message.
const LOCK_S: u64 = 60;
/// The longest topic MQTT can carry.
const TOPIC_MAX: usize = 65_535;

/// The queues of all devices.
#[derive(Debug, Default)]
pub struct Messages {
    state: Mutex<State>,
    /// Told when the timer may have something earlier to wait for.
    wake: Notify,
}

#[derive(Debug, Default)]
struct State {
    queues: HashMap<String, Queue>,
    last_sequence: u64,
    /// Of all queues.
    bytes: usize,
    /// When a message expires or its lock ends: ticks, sequence, device.
    due: BTreeSet<(u64, u64, String)>,
    /// Connections that deliver, by device.
    listeners: HashMap<String, watch::Sender<()>>,
    feedback: Feedback,
}

/// How a receiver gives a message back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Complete,
    Reject,
    Abandon,
}

/// Which messages a connection may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All that were meant for MQTT: the session was there before.
    Kept,
    /// Those after this sequence number: a clean session begins with its SUBSCRIBE.
    After(u64),
}

impl Messages {
    /// What was kept: items `message/{device}/{sequence}` and `feedback/{sequence}`.
    #[must_use]
    pub fn restore(items: &Items) -> Self {
        let mut state = State::default();
        for message in kept::messages(items) {
            state.last_sequence = state.last_sequence.max(message.message.sequence);
            state.insert(message);
        }
        for record in kept::feedback(items) {
            state.last_sequence = state.last_sequence.max(record.sequence);
            state.feedback.push(record);
        }
        Self { state: Mutex::new(state), wake: Notify::new() }
    }

    /// After a restart: lets go of messages whose device is gone, and tells the registry how many wait. What it returns is to
    /// be kept.
    pub fn settle(&self, registry: &mut Registry) -> Vec<Item> {
        let mut state = self.lock();
        let devices: Vec<String> = state.queues.keys().cloned().collect();
        let mut gone = Vec::new();
        for device in devices {
            let id = TwinId::device(&device);
            let generation = registry.generation(&id);
            let queue = state.queues.get(&device);
            if queue.is_some_and(|queue| Some(&queue.generation) != generation.as_ref()) {
                gone.extend(state.drop_queue(&device));
            } else if let (Some(queue), Some(record)) = (queue, registry.record_mut(&id)) {
                record.messages = queue.messages.len();
            }
        }
        gone
    }

    /// Takes a message for a device; its sequence number, once it is kept.
    ///
    /// # Errors
    /// 404 for an unknown device, 413 for too large a message, 403004 when too many wait, 403009 for an expiry too far ahead,
    /// 400 for one in the past or an unknown ack, 500001.
    pub async fn send(&self, hub: &Hub, device: &str, properties: Properties, payload: &[u8]) -> Result<u64, Refused> {
        let now = hub.clock().now();
        let message = prepare(device, properties, payload, &now)?;
        hub.takes_changes().await?;
        let (sequence, kept) = {
            let mut state = self.lock();
            let id = TwinId::device(device);
            let generation = hub.read(|registry| registry.generation(&id));
            let generation =
                generation.ok_or_else(|| Refused { code: ErrorCode::DEVICE_NOT_FOUND, message: device.to_owned() })?;
            let mut items = Vec::new();
            if state.queues.get(device).is_some_and(|queue| queue.generation != generation) {
                items.extend(state.drop_queue(device));
            }
            items.extend(state.expire(hub, device, &now));
            keep_all(hub, items);
            state.check_room(device, &message)?;
            state.last_sequence += 1;
            let sequence = state.last_sequence;
            let over_mqtt = hub.sessions().takes_messages(&id, &generation);
            let message = Message { sequence, generation, over_mqtt, ..message };
            let waiting = queue::Waiting::new(Arc::new(message));
            let items = vec![kept::item(&waiting)];
            note(hub, &waiting, "enqueued");
            state.insert(waiting);
            state.count(hub, device);
            state.wake(device);
            (sequence, hub.keep(items))
        };
        self.wake.notify_one();
        if let Err(refused) = kept.await {
            self.take_back(hub, device, sequence);
            return Err(refused);
        }
        Ok(sequence)
    }

    /// A message was not kept, and its sender is told so: it leaves its queue as if it had never come.
    fn take_back(&self, hub: &Hub, device: &str, sequence: u64) {
        let mut state = self.lock();
        let items: Vec<Item> = state.remove(device, sequence).iter().map(|w| kept::removal(&w.message)).collect();
        state.count(hub, device);
        hub.owe(items);
    }

    /// The next message for a receiver over HTTPS, locked for it.
    pub fn receive(&self, hub: &Hub, device: &str, lock_s: Option<u64>) -> Option<Taken> {
        let now = hub.clock().now();
        let mut state = self.lock();
        let items = state.expire(hub, device, &now);
        let token = uuid::Uuid::new_v4().to_string();
        let until = now.ticks + lock_s.unwrap_or(LOCK_S) * TICKS_PER_SECOND;
        let identity = hub.read(|registry| registry.generation(&TwinId::device(device)));
        let wanted = |message: &Message| Some(&message.generation) == identity.as_ref();
        let given = state.take(hub, device, wanted, Held::Locked { token, until });
        if let Some(taken) = &given {
            state.due.insert((until, taken.message.sequence, device.to_owned()));
        }
        drop(state);
        self.wake.notify_one();
        keep_all(hub, items);
        given
    }

    /// Gives back a message that was locked.
    ///
    /// # Errors
    /// 412002 when the lock is another's or has ended; 500001.
    pub async fn settle_lock(&self, hub: &Hub, device: &str, token: &str, verdict: Verdict) -> Result<(), Refused> {
        hub.takes_changes().await?;
        let kept = {
            let now = hub.clock().now();
            let mut state = self.lock();
            let items = state.expire(hub, device, &now);
            let Some((sequence, until)) = state.queues.get(device).and_then(|queue| queue.locked(token)) else {
                keep_all(hub, items);
                let message = format!("no message of {device} is locked by this token any more");
                return Err(Refused { code: ErrorCode::DEVICE_MESSAGE_LOCK_LOST, message });
            };
            state.due.remove(&(until, sequence, device.to_owned()));
            keep_all(hub, items);
            let before = state.copies(device, &[sequence]);
            let items = match verdict {
                Verdict::Complete => state.end(hub, device, sequence, Outcome::Success, &now),
                Verdict::Reject => state.end(hub, device, sequence, Outcome::Rejected, &now),
                Verdict::Abandon => state.release(hub, device, sequence, &now),
            };
            (before, hub.keep(items))
        };
        self.or_put_back(hub, device, kept).await
    }

    /// Throws away what waits for a device; how many that were.
    ///
    /// # Errors
    /// 404 for an unknown device; 500001.
    pub async fn purge(&self, hub: &Hub, device: &str) -> Result<usize, Refused> {
        let id = TwinId::device(device);
        hub.takes_changes().await?;
        hub.read(|registry| registry.record(&id).is_some())
            .then_some(())
            .ok_or_else(|| Refused { code: ErrorCode::DEVICE_NOT_FOUND, message: device.to_owned() })?;
        let (count, kept) = {
            let now = hub.clock().now();
            let mut state = self.lock();
            let expired = state.expire(hub, device, &now);
            keep_all(hub, expired);
            let all: Vec<u64> = state.queues.get(device).map(Queue::sequences).unwrap_or_default();
            let before = state.copies(device, &all);
            let mut items = Vec::new();
            for sequence in &all {
                items.extend(state.end(hub, device, *sequence, Outcome::Purged, &now));
            }
            (all.len(), (before, hub.keep(items)))
        };
        self.or_put_back(hub, device, kept).await?;
        Ok(count)
    }

    /// Waits until something that took messages out of their queue is kept. If it cannot be, they are in it again.
    async fn or_put_back(
        &self,
        hub: &Hub,
        device: &str,
        (before, kept): (Vec<queue::Waiting>, impl Future<Output = Result<(), Refused>>),
    ) -> Result<(), Refused> {
        let kept = kept.await;
        if kept.is_err() {
            let mut state = self.lock();
            let items = state.put_back(before);
            state.count(hub, device);
            state.wake(device);
            hub.owe(items);
        }
        kept
    }

    /// A device was deleted: what waited for it goes with it, without feedback.
    pub fn forget(&self, hub: &Hub, device: &str) {
        let mut state = self.lock();
        let generation = hub.read(|registry| registry.generation(&TwinId::device(device)));
        // Another of that name may be there by now, with messages of its own.
        if state.queues.get(device).is_some_and(|queue| Some(&queue.generation) != generation.as_ref()) {
            let items = state.drop_queue(device);
            keep_all(hub, items);
        }
    }

    /// The number of the newest message.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        self.lock().last_sequence
    }

    /// Wakes when there may be something new for a device.
    pub(super) fn listen(&self, device: &str) -> watch::Receiver<()> {
        self.lock().listeners.entry(device.to_owned()).or_default().subscribe()
    }

    /// The listener is about to go.
    pub(super) fn unlisten(&self, device: &str) {
        let mut state = self.lock();
        if state.listeners.get(device).is_some_and(|listener| listener.receiver_count() <= 1) {
            state.listeners.remove(device);
        }
    }

    /// The next message for a connection over MQTT, which is of this generation of the device; it is in flight until it is
    /// acknowledged or given back.
    pub(super) fn next(&self, hub: &Hub, (device, identity): (&str, &str), scope: Scope) -> Option<Taken> {
        let now = hub.clock().now();
        let mut state = self.lock();
        let items = state.expire(hub, device, &now);
        let wanted = |message: &Message| {
            message.generation == identity
                && match scope {
                    Scope::Kept => message.over_mqtt,
                    Scope::After(mark) => message.sequence > mark,
                }
        };
        let taken = state.take(hub, device, wanted, Held::InFlight);
        keep_all(hub, items);
        taken
    }

    /// The device has a message that was in flight.
    pub(super) fn acknowledged(&self, hub: &Hub, device: &str, sequence: u64) {
        let mut state = self.lock();
        let items = state.end(hub, device, sequence, Outcome::Success, &hub.clock().now());
        keep_all(hub, items);
    }

    /// A connection ended before these were acknowledged, each with the packet id it went out under.
    pub(super) fn give_back(&self, hub: &Hub, device: &str, sent: &[(u16, u64)]) {
        let now = hub.clock().now();
        let mut state = self.lock();
        let mut items = Vec::new();
        for (packet_id, sequence) in sent {
            if let Some(queue) = state.queues.get_mut(device) {
                queue.sent_as(*sequence, *packet_id);
            }
            items.extend(state.release(hub, device, *sequence, &now));
        }
        keep_all(hub, items);
    }

    /// What senders are told, a batch at a time, locked for who asks.
    pub fn receive_feedback(&self, hub: &Hub) -> Option<FeedbackBatch> {
        let now = hub.clock().now();
        let (batch, items) = self.lock().feedback.receive(now.ticks);
        keep_all(hub, items);
        batch
    }

    /// Gives a batch of feedback back, or lets it go.
    ///
    /// # Errors
    /// 412002 when the lock is another's or has ended; 500001.
    pub async fn settle_feedback(&self, hub: &Hub, token: &str, verdict: Verdict) -> Result<(), Refused> {
        hub.takes_changes().await?;
        let kept = {
            let now = hub.clock().now();
            let mut state = self.lock();
            let before = state.feedback.batch(token);
            let items = state.feedback.settle(token, verdict, now.ticks).ok_or_else(|| Refused {
                code: ErrorCode::DEVICE_MESSAGE_LOCK_LOST,
                message: "no feedback is locked by this token any more".to_owned(),
            })?;
            (before, hub.keep(items))
        };
        let (before, kept) = kept;
        let kept = kept.await;
        if kept.is_err() {
            hub.owe(before.iter().map(kept::feedback_item).collect());
            self.lock().feedback.put_back(before);
        }
        kept
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change below is finished before anything that could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has items kept without waiting for it.
fn keep_all(hub: &Hub, items: Vec<Item>) {
    hub.owe(items);
}

/// Checks what can be checked of a message alone. Sequence and generation are given later.
fn prepare(device: &str, mut properties: Properties, payload: &[u8], now: &Moment) -> Result<Message, Refused> {
    let refuse = |code, message: String| Err(Refused { code, message });
    if payload.len() + properties.size() > MESSAGE_MAX {
        return refuse(
            ErrorCode::MESSAGE_TOO_LARGE,
            format!("a message has at most {MESSAGE_MAX} bytes, its properties included"),
        );
    }
    let ack = match properties.get(System::Ack) {
        None | Some("") => Ack::None,
        Some(word) => {
            let Some(ack) = Ack::parse(word) else {
                let message = format!("iothub-ack is {word:?}, not none, positive, negative or full");
                return refuse(ErrorCode::ARGUMENT_INVALID, message);
            };
            ack
        }
    };
    let expires = match properties.get(System::Expiry) {
        None | Some("") => now.ticks + LIFE_S * TICKS_PER_SECOND,
        Some(text) => {
            let Some(expires) = kept::ticks(text) else {
                return refuse(ErrorCode::ARGUMENT_INVALID, format!("iothub-expiry is no time: {text:?}"));
            };
            // Which error the hub has for a time that is over is not documented; a message that could never be delivered is
            // an argument that cannot be meant.
            if expires <= now.ticks {
                return refuse(ErrorCode::ARGUMENT_INVALID, "iothub-expiry is in the past".to_owned());
            }
            if expires > now.ticks + LIFE_MAX_S * TICKS_PER_SECOND {
                let message = "iothub-expiry is more than two days ahead".to_owned();
                return refuse(ErrorCode::INVALID_MESSAGE_EXPIRY_TIME, message);
            }
            let normal = Moment::of_ticks(expires).text;
            properties.set(System::Expiry, normal);
            expires
        }
    };
    properties.set(System::To, format!("/devices/{device}/messages/deviceBound"));
    properties.set(System::Ack, ack.word());
    properties.system.sort_by_key(|(property, _)| *property);
    let message = Message {
        sequence: 0,
        device: device.to_owned(),
        generation: String::new(),
        properties,
        payload: Bytes::copy_from_slice(payload),
        enqueued: now.ticks,
        expires,
        ack,
        over_mqtt: false,
    };
    if topic(&message).len() > TOPIC_MAX {
        return refuse(ErrorCode::MESSAGE_TOO_LARGE, "the properties do not fit into an MQTT topic".to_owned());
    }
    Ok(message)
}

/// Where it is published.
pub(super) fn topic(message: &Message) -> String {
    ToDevice::CloudToDevice { device: message.device.clone(), bag: message.properties.bag() }.topic()
}

/// Notes a step of a message.
fn note(hub: &Hub, waiting: &queue::Waiting, step: &str) {
    let message_id = waiting.message.properties.get(System::MessageId).map(str::to_owned);
    hub.happened(&TwinId::device(&waiting.message.device), What::Message { step: step.to_owned(), message_id });
}
