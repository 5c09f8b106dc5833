//! One event in detail: its properties, its payload laid out, and the whole of it as JSON.

use super::{Entry, Row, clock, word};
use crate::protocol::bag;
use crate::protocol::event::{HubEvent, What};
use crate::twin::{Json, JsonMap, wire};
use std::fmt::Write as _;

/// What the details show. Stays when its row goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    pub seq: u64,
    /// `telemetry of myFirstDevice`.
    pub title: String,
    /// Time, sizes, then the properties as the device wrote them.
    pub facts: Vec<(String, String)>,
    /// The payload, laid out.
    pub payload: String,
    pub form: Form,
    /// The event as the stream tells it.
    pub json: String,
}

/// What a payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    None,
    Json,
    Text,
    /// Laid out in hexadecimal.
    Binary,
}

impl Chosen {
    /// `None` for a row that is no event.
    pub(super) fn of(row: &Row) -> Option<Self> {
        let Entry::Event(event) = &row.entry else { return None };
        let mut facts = vec![
            ("time".to_owned(), format!("{} UTC", clock(&event.time))),
            ("number".to_owned(), event.number.to_string()),
        ];
        let (payload, form) = payload(event, &mut facts);
        Some(Self {
            seq: row.seq,
            title: format!("{} of {}", word(&event.what), event.id),
            facts,
            payload,
            form,
            json: pretty(&event.to_json()),
        })
    }
}

fn payload(event: &HubEvent, facts: &mut Vec<(String, String)>) -> (String, Form) {
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    match &event.what {
        What::Telemetry { bag, payload, bytes } => {
            let kept = payload.len();
            if kept < *bytes {
                fact("payload", format!("{kept} of {bytes} bytes are kept"));
            } else {
                fact("payload", format!("{bytes} bytes"));
            }
            for (name, value) in bag::parse(bag) {
                fact(&name, value.unwrap_or_else(|| "no value".to_owned()));
            }
            lay_out(payload)
        }
        What::Twin { version, tags, desired, reported, .. } => {
            fact("version", version.to_string());
            let mut body = JsonMap::new();
            if let Some(tags) = tags {
                body.insert("tags".to_owned(), Json::Object(tags.clone()));
            }
            for (name, section) in [("desired", desired), ("reported", reported)] {
                if let Some((values, version)) = section {
                    fact(name, format!("version {version}"));
                    body.insert(name.to_owned(), Json::Object(values.clone()));
                }
            }
            (pretty(&Json::Object(body)), Form::Json)
        }
        What::Created | What::Deleted | What::Connected | What::Disconnected => (String::new(), Form::None),
        What::Method { name, outcome, ms } => {
            fact("method", name.clone());
            match outcome {
                Ok(status) => fact("status", status.to_string()),
                Err(code) => fact("error code", code.to_string()),
            }
            fact("took", format!("{ms} ms"));
            (String::new(), Form::None)
        }
        What::Message { step, message_id } => {
            fact("step", step.clone());
            if let Some(id) = message_id {
                fact("message id", id.clone());
            }
            (String::new(), Form::None)
        }
        What::Job { job, step } => {
            fact("job", job.clone());
            fact("step", step.clone());
            (String::new(), Form::None)
        }
    }
}

fn lay_out(payload: &[u8]) -> (String, Form) {
    if payload.is_empty() {
        return (String::new(), Form::None);
    }
    if let Ok(value) = wire::json(payload) {
        return (pretty(&value), Form::Json);
    }
    match std::str::from_utf8(payload) {
        Ok(text) => (text.to_owned(), Form::Text),
        Err(_) => (hex(payload), Form::Binary),
    }
}

fn pretty(value: &Json) -> String {
    // What was read can be written.
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Sixteen bytes a line: where, what, and as ASCII.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (n, line) in bytes.chunks(16).enumerate() {
        let shown: String =
            line.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' }).collect();
        let digits: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        // Writing to a string cannot fail.
        writeln!(text, "{:04x}  {:<47}  {shown}", n * 16, digits.join(" ")).ok();
    }
    text.truncate(text.trim_end().len());
    text
}
