//! A message as typed, and what it says when it is read: the message to send, or why there is none.

use crate::protocol::message::{Ack, DEVICE_BOUND_MAX, Properties, System, key_problem, value_problem};
use crate::twin::text::{self, Problem};
use crate::worker::command::ToSend;

/// The longest a hub keeps a message.
const LIFE_MAX_S: u64 = 2 * 24 * 3600;

/// A message as typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Typed {
    pub body: String,
    pub content_type: String,
    pub content_encoding: String,
    /// Empty: one is made when it is sent.
    pub message_id: String,
    pub correlation_id: String,
    /// A length of time; empty leaves it to the hub.
    pub expiry: String,
    pub ack: Ack,
    /// Names and values.
    pub properties: Vec<(String, String)>,
}

/// One of its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageField {
    Body,
    ContentType,
    ContentEncoding,
    MessageId,
    CorrelationId,
    Expiry,
}

/// Which half of a property's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyPart {
    Name,
    Value,
}

impl Typed {
    pub(super) fn edit(&mut self, field: MessageField, text: String) {
        match field {
            MessageField::Body => self.body = text,
            MessageField::ContentType => self.content_type = text,
            MessageField::ContentEncoding => self.content_encoding = text,
            MessageField::MessageId => self.message_id = text,
            MessageField::CorrelationId => self.correlation_id = text,
            MessageField::Expiry => self.expiry = text,
        }
    }

    /// Where the body is no JSON though it looks as if it should be: a hint, for any text can be sent.
    pub(super) fn body_hints(&self) -> Vec<Problem> {
        let says_json = self.content_type.to_ascii_lowercase().contains("json");
        let looks_like_it = self.body.trim_start().starts_with(['{', '[']);
        let wanted = !self.body.trim().is_empty() && (says_json || looks_like_it);
        let problem = if wanted { text::value(&self.body).err() } else { None };
        problem.into_iter().collect()
    }

    /// What is wrong with a row of the properties; a row without a name and a value is none.
    #[must_use]
    pub fn row_problem(&self, row: usize) -> Option<String> {
        let (name, value) = self.properties.get(row)?;
        if name.is_empty() && value.is_empty() {
            return None;
        }
        if let Some(problem) = key_problem(name) {
            return Some(problem);
        }
        let before = self.properties.iter().take(row);
        if let Some((other, _)) = before.clone().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
            let same = if other == name { String::new() } else { format!(" as {other:?}: headers tell no case") };
            return Some(format!("The name {name:?} is there already{same}"));
        }
        value_problem(value).map(|problem| format!("The value of {name:?} {problem}"))
    }

    /// The message it says.
    ///
    /// # Errors
    /// The first thing that is wrong, in a sentence.
    pub(super) fn read(&self) -> Result<ToSend, String> {
        let mut properties = Properties::default();
        for (property, word, text) in [
            (System::MessageId, "message id", &self.message_id),
            (System::CorrelationId, "correlation id", &self.correlation_id),
            (System::ContentType, "content type", &self.content_type),
            (System::ContentEncoding, "content encoding", &self.content_encoding),
        ] {
            let text = text.trim();
            if let Some(problem) = value_problem(text) {
                return Err(format!("The {word} {problem}"));
            }
            if property == System::MessageId && text.chars().count() > 128 {
                return Err("The message id has more than 128 characters".to_owned());
            }
            if !text.is_empty() {
                properties.set(property, text);
            }
        }
        if self.ack != Ack::None {
            properties.set(System::Ack, self.ack.word());
        }
        for (row, (name, value)) in self.properties.iter().enumerate() {
            if let Some(problem) = self.row_problem(row) {
                return Err(problem);
            }
            if !name.is_empty() {
                properties.app.push((name.to_ascii_lowercase(), Some(value.clone())));
            }
        }
        let life_s = read_life(&self.expiry)?;
        let size = self.body.len() + properties.size();
        if size > DEVICE_BOUND_MAX {
            return Err(format!("The message has {size} bytes with its properties; a hub takes {DEVICE_BOUND_MAX}"));
        }
        Ok(ToSend { properties, body: self.body.clone().into_bytes(), life_s })
    }
}

/// Reads `30 s`, `5 min`, `1.5 h`, `2 d`; seconds. No text is `None`.
fn read_life(text: &str) -> Result<Option<u64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let form = || "The expiry is a length of time such as 30 s, 5 min, 1 h or 2 d".to_owned();
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit_s = match unit.trim().to_ascii_lowercase().as_str() {
        "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => 86_400,
        _ => return Err(form()),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |part: &str| part.len() <= 6 && part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(form());
    }
    let whole: u64 = whole.parse().map_err(|_no_number| form())?;
    // At most six digits: millionths hold every one of them.
    let millionths: u64 = format!("{fraction:0<6}").parse().map_err(|_no_number| form())?;
    let life_s = whole * unit_s + millionths * unit_s / 1_000_000;
    match life_s {
        0 => Err("The expiry must lie ahead: at least one second".to_owned()),
        1..=LIFE_MAX_S => Ok(Some(life_s)),
        _ => Err("The expiry is more than 2 d: a hub keeps no message longer".to_owned()),
    }
}
