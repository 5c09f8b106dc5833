//! What the senders of messages are told: records, handed out in batches under a lock, as messages are.

use super::queue::Message;
use super::{DELIVERIES_MAX, LIFE_S, LOCK_S, Verdict, kept};
use crate::local_hub::clock::{Moment, TICKS_PER_SECOND};
use crate::local_hub::commit::Item;
use crate::protocol::message::{Outcome, System};
use crate::twin::Json;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::VecDeque;

/// Records that wait; beyond, the oldest are forgotten.
const RECORDS_MAX: usize = 10_000;
/// Records of one batch, as in the service's own.
const BATCH_MAX: usize = 64;

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Of the message.
    pub sequence: u64,
    /// Null when the message had none.
    pub message_id: Option<String>,
    pub device: String,
    pub generation: String,
    /// When the record was made, UTC, ISO 8601.
    pub time: String,
    /// The same in 100 ns steps since 0001-01-01.
    pub ticks: u64,
    /// A word of [`Outcome::word`].
    pub status: String,
    /// How often it was handed out.
    #[serde(default)]
    pub deliveries: u32,
}

/// A batch handed out.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedbackBatch {
    pub token: String,
    /// An array, as the service answers it.
    pub records: Json,
}

#[derive(Debug, Default)]
pub struct Feedback {
    waiting: VecDeque<Record>,
    locked: Vec<Locked>,
}

#[derive(Debug)]
struct Locked {
    token: String,
    /// 100 ns steps since 0001-01-01.
    until: u64,
    records: Vec<Record>,
}

impl Record {
    pub fn of(message: &Message, outcome: Outcome, now: &Moment) -> Self {
        Self {
            sequence: message.sequence,
            message_id: message.properties.get(System::MessageId).map(str::to_owned),
            device: message.device.clone(),
            generation: message.generation.clone(),
            time: now.text.clone(),
            ticks: now.ticks,
            status: outcome.word().to_owned(),
            deliveries: 0,
        }
    }

    fn to_json(&self) -> Json {
        json!({
            "originalMessageId": self.message_id,
            "description": self.status,
            "deviceGenerationId": self.generation,
            "deviceId": self.device,
            "enqueuedTimeUtc": self.time,
            "statusCode": self.status,
        })
    }
}

impl Feedback {
    /// Adds a record; what has to be removed from the file for it.
    pub fn push(&mut self, record: Record) -> Vec<Item> {
        self.waiting.push_back(record);
        let locked: usize = self.locked.iter().map(|locked| locked.records.len()).sum();
        if self.waiting.len() + locked <= RECORDS_MAX {
            return Vec::new();
        }
        tracing::warn!("nobody reads the feedback of messages: the oldest of it is forgotten");
        self.waiting.pop_front().iter().map(kept::feedback_removal).collect()
    }

    /// Locks a batch; `None` when nothing waits. Beside it what is to be kept.
    pub fn receive(&mut self, now: u64) -> (Option<FeedbackBatch>, Vec<Item>) {
        let gone = self.tidy(now);
        if self.waiting.is_empty() {
            return (None, gone);
        }
        let count = self.waiting.len().min(BATCH_MAX);
        let mut records: Vec<Record> = self.waiting.drain(..count).collect();
        for record in &mut records {
            record.deliveries += 1;
        }
        let token = uuid::Uuid::new_v4().to_string();
        let told = records.iter().map(Record::to_json).collect();
        self.locked.push(Locked { token: token.clone(), until: now + LOCK_S * TICKS_PER_SECOND, records });
        (Some(FeedbackBatch { token, records: told }), gone)
    }

    /// What is to be kept; `None` when the lock is gone.
    pub fn settle(&mut self, token: &str, verdict: Verdict, now: u64) -> Option<Vec<Item>> {
        let mut items = self.tidy(now);
        let at = self.locked.iter().position(|locked| locked.token == token)?;
        let batch = self.locked.remove(at);
        match verdict {
            Verdict::Complete | Verdict::Reject => items.extend(batch.records.iter().map(kept::feedback_removal)),
            Verdict::Abandon => {
                self.put_back(batch.records);
                items.extend(self.tidy(now));
            }
        }
        Some(items)
    }

    /// Frees batches whose lock ended and forgets records whose time or deliveries ran out.
    fn tidy(&mut self, now: u64) -> Vec<Item> {
        let (over, held) = std::mem::take(&mut self.locked).into_iter().partition(|locked| locked.until <= now);
        self.locked = held;
        for batch in over as Vec<Locked> {
            self.put_back(batch.records);
        }
        let stays =
            |record: &Record| record.ticks + LIFE_S * TICKS_PER_SECOND > now && record.deliveries < DELIVERIES_MAX;
        let gone = self.waiting.iter().filter(|record| !stays(record)).map(kept::feedback_removal).collect();
        self.waiting.retain(stays);
        gone
    }

    /// The records of a batch that is locked.
    pub fn batch(&self, token: &str) -> Vec<Record> {
        let batch = self.locked.iter().find(|locked| locked.token == token);
        batch.map(|locked| locked.records.clone()).unwrap_or_default()
    }

    /// Takes back what was said of a message; what has to be removed from the file for it.
    pub fn forget(&mut self, sequence: u64) -> Option<Item> {
        let at = self.waiting.iter().position(|record| record.sequence == sequence)?;
        self.waiting.remove(at).map(|record| kept::feedback_removal(&record))
    }

    /// Records wait again that did before, if they do not yet.
    pub fn put_back(&mut self, mut records: Vec<Record>) {
        records.retain(|record| !self.waiting.iter().any(|waiting| waiting.sequence == record.sequence));
        for record in records.into_iter().rev() {
            self.waiting.push_front(record);
        }
    }
}
