//! Failures in words: a sentence, what to do about it, and a detail worth copying.

use crate::twin::patch::Write;
use crate::worker::Failure;
use std::fmt::Write as _;

/// A failure as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What happened, one sentence without a full stop.
    pub sentence: String,
    /// The next step.
    pub advice: Option<String>,
    /// Status, the hub's error code and its tracking id, for a report. Never holds a secret.
    pub detail: String,
}

#[must_use]
pub fn describe(failure: &Failure) -> Said {
    match failure {
        Failure::Hub(error) => {
            let advice = error.advice();
            let mut detail = error.to_string();
            if let Some(service) = error.service() {
                for (word, value) in [
                    ("error code", service.number.map(|n| n.to_string())),
                    ("name", service.name.clone()),
                    ("message", service.message.clone()),
                    ("tracking id", service.tracking_id.clone()),
                ] {
                    if let Some(value) = value {
                        // Writing to a string cannot fail.
                        write!(detail, "\n{word}: {value}").ok();
                    }
                }
            }
            Said { sentence: sentence(&error.to_string()), advice: (!advice.is_empty()).then_some(advice), detail }
        }
        Failure::Unknown { landed, now, reason } => Said {
            sentence: match (landed, now) {
                (Some(true), _) => "The answer never came, but the values are on the hub".to_owned(),
                (Some(false), _) => "The answer never came, and the values are not on the hub".to_owned(),
                (None, Some(_)) => {
                    "The answer never came, and the hub has moved since: whether your save was among it cannot be told"
                        .to_owned()
                }
                (None, None) => "The answer never came: whether the values are on the hub is not known".to_owned(),
            },
            advice: match (landed, now) {
                (Some(true), _) => None,
                (Some(false), _) => Some("Nothing typed is lost: save again".to_owned()),
                (None, Some(_)) => Some("Nothing typed is lost: compare your text with the hub's and save".to_owned()),
                (None, None) => Some("Refresh shows what the hub has, and which of the two happened".to_owned()),
            },
            detail: reason.clone(),
        },
        Failure::KeyNotKept { why } => Said {
            sentence: format!("The key could not be kept in the keyring: {why}"),
            advice: None,
            detail: why.clone(),
        },
        Failure::NoKey { name, why, .. } => Said {
            sentence: match why {
                None => format!("The keyring has no key for {name}"),
                Some(why) => format!("The key of {name} cannot be read: {why}"),
            },
            advice: Some("Paste the key or the connection string again".to_owned()),
            detail: why.clone().unwrap_or_else(|| "no key".to_owned()),
        },
        Failure::Local(text) => Said { sentence: sentence(text), advice: None, detail: text.clone() },
        Failure::Cancelled => Said {
            sentence: "Cancelled".to_owned(),
            advice: Some("Refresh starts it again".to_owned()),
            detail: "cancelled".to_owned(),
        },
        Failure::Panicked(text) => Said {
            sentence: "A fault in Twinscope stopped this request".to_owned(),
            advice: Some("Copy the details and report them".to_owned()),
            detail: text.clone(),
        },
    }
}

/// Words our sentences begin with. Anything else may be an id or a host, whose letters mean what they are.
const OPENINGS: &[&str] = &[
    "a",
    "an",
    "another",
    "asked",
    "bad",
    "cancelled",
    "cannot",
    "could",
    "devices",
    "every",
    "in",
    "it",
    "keys",
    "modules",
    "names",
    "no",
    "none",
    "not",
    "nothing",
    "one",
    "only",
    "part",
    "some",
    "that",
    "the",
    "there",
    "this",
    "type",
    "what",
    "your",
];

/// With a capital first letter, unless it begins with a name.
pub fn sentence(text: &str) -> String {
    let first = text.split(' ').next().unwrap_or_default();
    let word = first.split('\'').next().unwrap_or_default();
    if !OPENINGS.contains(&word) {
        return text.to_owned();
    }
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |letter| letter.to_uppercase().chain(chars).collect())
}

/// The other way round, for a sentence that stands behind a colon.
pub fn within(text: &str) -> String {
    let mut chars = text.chars();
    let lower = chars.next().map_or_else(String::new, |letter| letter.to_lowercase().chain(chars).collect());
    if sentence(&lower) == text { lower } else { text.to_owned() }
}

/// What became of a save that failed: nobody says "not saved" of one that may have been.
pub fn not_done(write: Write, failure: &Failure) -> &'static str {
    match (write, failure) {
        (Write::Patch, Failure::Unknown { landed: None, .. }) => "Perhaps saved",
        (Write::Patch, _) => "Not saved",
        (Write::Replace, Failure::Unknown { landed: None, .. }) => "Perhaps replaced",
        (Write::Replace, _) => "Not replaced",
    }
}
