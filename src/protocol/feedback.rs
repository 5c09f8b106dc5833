//! Feedback about cloud-to-device messages, as the service hands it out: an array of records, each about one message.

use super::message::Outcome;
use crate::twin::Json;

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackRecord {
    /// `None` for a message that was sent without an id.
    pub message_id: Option<String>,
    pub device: String,
    /// Of the device: another one of the same name has another.
    pub generation: String,
    /// UTC, ISO 8601, as sent.
    pub time: String,
    /// `statusCode` as sent; [`FeedbackRecord::outcome`] reads it.
    pub status: String,
}

impl FeedbackRecord {
    /// Reads one record; `None` without a device or a status. Texts are cut where no hub would write more.
    #[must_use]
    pub fn read(value: &Json) -> Option<Self> {
        const TEXT_MAX: usize = 256;
        let text = |key: &str| {
            let text = value.get(key)?.as_str()?;
            Some(text.chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect::<String>())
        };
        Some(Self {
            message_id: text("originalMessageId").filter(|id| !id.is_empty()),
            device: text("deviceId")?,
            generation: text("deviceGenerationId").unwrap_or_default(),
            time: text("enqueuedTimeUtc").unwrap_or_default(),
            status: text("statusCode")?,
        })
    }

    /// `None` for a word this program does not know.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|outcome| outcome.word().eq_ignore_ascii_case(&self.status))
    }
}
