//! The form of messages and feedback in the data file: items `message/{device}/{sequence}` and `feedback/{sequence}`, both
//! JSON, with numbers in hexadecimal so that their order is that of the keys.

use super::feedback::Record;
use super::queue::{Held, Message, Waiting};
use crate::local_hub::clock::TICKS_PER_SECOND;
use crate::local_hub::commit::Item;
use crate::local_hub::store::Items;
use crate::protocol::message::{Ack, Properties, System};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// 100 ns steps from 0001-01-01 to 1970-01-01.
const TICKS_BEFORE_1970: i128 = 62_135_596_800 * 10_000_000;

#[derive(Serialize, Deserialize)]
struct Stored {
    generation: String,
    /// By name.
    system: Vec<(String, String)>,
    app: Vec<(String, Option<String>)>,
    /// Base64.
    payload: String,
    enqueued: u64,
    expires: u64,
    over_mqtt: bool,
    deliveries: u32,
    sent_as: Option<u16>,
}

fn key(message: &Message) -> String {
    format!("message/{}/{:016x}", message.device, message.sequence)
}

pub fn item(waiting: &Waiting) -> Item {
    let message = &waiting.message;
    let system = &message.properties.system;
    let stored = Stored {
        generation: message.generation.clone(),
        system: system.iter().map(|(property, value)| (property.name().to_owned(), value.clone())).collect(),
        app: message.properties.app.clone(),
        payload: STANDARD.encode(&message.payload),
        enqueued: message.enqueued,
        expires: message.expires,
        over_mqtt: message.over_mqtt,
        deliveries: waiting.deliveries,
        sent_as: waiting.sent_as,
    };
    Item { key: key(message), value: serde_json::to_vec(&stored).ok() }
}

pub fn removal(message: &Message) -> Item {
    Item { key: key(message), value: None }
}

/// What was kept; what cannot be read is left out with a word in the log.
pub fn messages(items: &Items) -> Vec<Waiting> {
    let all = items.range("message/".to_owned()..).take_while(|(key, _)| key.starts_with("message/"));
    all.filter_map(|(key, value)| {
        let read = read(key, value);
        if read.is_none() {
            tracing::warn!(key, "a message cannot be read and is left out");
        }
        read
    })
    .collect()
}

fn read(key: &str, value: &[u8]) -> Option<Waiting> {
    let (device, sequence) = key.strip_prefix("message/")?.rsplit_once('/')?;
    let stored: Stored = serde_json::from_slice(value).ok()?;
    let system = stored.system.into_iter().filter_map(|(name, value)| Some((System::by_name(&name)?, value)));
    let properties = Properties { system: system.collect(), app: stored.app };
    let ack = properties.get(System::Ack).and_then(Ack::parse).unwrap_or_default();
    let message = Message {
        sequence: u64::from_str_radix(sequence, 16).ok()?,
        device: device.to_owned(),
        generation: stored.generation,
        properties,
        payload: STANDARD.decode(stored.payload).ok()?.into(),
        enqueued: stored.enqueued,
        expires: stored.expires,
        ack,
        over_mqtt: stored.over_mqtt,
    };
    let (deliveries, sent_as) = (stored.deliveries, stored.sent_as);
    Some(Waiting { message: Arc::new(message), deliveries, held: Held::No, sent_as })
}

fn feedback_key(record: &Record) -> String {
    format!("feedback/{:016x}", record.sequence)
}

pub fn feedback_item(record: &Record) -> Item {
    Item { key: feedback_key(record), value: serde_json::to_vec(record).ok() }
}

pub fn feedback_removal(record: &Record) -> Item {
    Item { key: feedback_key(record), value: None }
}

pub fn feedback(items: &Items) -> Vec<Record> {
    let all = items.range("feedback/".to_owned()..).take_while(|(key, _)| key.starts_with("feedback/"));
    all.filter_map(|(key, value)| {
        let read = serde_json::from_slice(value);
        if let Err(error) = &read {
            tracing::warn!(key, %error, "a record of feedback cannot be read and is left out");
        }
        read.ok()
    })
    .collect()
}

/// The time a text says, in 100 ns steps since 0001-01-01: ISO 8601 (without an offset: UTC), or the form of HTTP's own dates.
pub fn ticks(text: &str) -> Option<u64> {
    let text = text.trim();
    let iso = OffsetDateTime::parse(text, &Rfc3339).or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339));
    if let Ok(time) = iso {
        return u64::try_from(time.unix_timestamp_nanos() / 100 + TICKS_BEFORE_1970).ok();
    }
    let since = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    let seconds = u64::try_from(TICKS_BEFORE_1970).ok()?;
    since.as_secs().checked_mul(TICKS_PER_SECOND)?.checked_add(seconds)
}
