//! Cloud-to-device messages of one tab: the one being typed, the one under way, those that were sent and what became of them;
//! and the messages received while a person acts as the device.

mod typed;

pub use typed::{MessageField, PropertyPart, Typed};

use super::activity::MessageSeen;
use super::{Action, App, Dialog, HubState, Moment, Purpose, Tab};
use crate::client::link::Receipt;
use crate::protocol::feedback::FeedbackRecord;
use crate::protocol::message::{Ack, Outcome as Fate, Properties};
use crate::protocol::policy::DEFAULT_POLICIES;
use crate::twin::TwinId;
use crate::twin::text::Problem;
use crate::worker::command::ToSend;
use crate::worker::event::Outcome;
use crate::worker::{Command, Failure, Key};
use std::collections::VecDeque;

/// Messages a tab remembers.
const SENT_MAX: usize = 100;
/// Feedback about other messages that is kept.
const HEARD_MAX: usize = 500;

/// What a tab knows of messages.
#[derive(Debug)]
pub struct Messages {
    pub typed: Typed,
    /// Where the body is no JSON though it looks so: at most one, and only a hint.
    pub body_hints: Vec<Problem>,
    /// The message as typed, or why it cannot be sent.
    pub message: Result<ToSend, String>,
    pub running: Option<Underway>,
    /// What came of the last send or purge, in a sentence.
    pub result: Option<(Moment, Result<String, Failure>)>,
    /// Newest first, bounded.
    pub sent: VecDeque<Sent>,
    pub fetching: Option<(Key, Moment)>,
    /// What came of the last fetch of feedback, in a sentence.
    pub fetched: Option<(Moment, Result<String, Failure>)>,
    last_number: u64,
}

/// A message that waits for the hub's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Underway {
    pub key: Key,
    pub since: Moment,
    typed: Typed,
}

/// A message the hub took.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// Counted up within the tab.
    pub number: u64,
    pub typed: Typed,
    pub message_id: String,
    pub at: Moment,
    /// What became of it, once feedback said so.
    pub feedback: Option<Heard>,
}

/// A record of feedback, and when it was fetched.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    pub at: Moment,
    pub record: FeedbackRecord,
}

impl Heard {
    /// What became of the message, in a word or two.
    #[must_use]
    pub fn word(&self) -> &str {
        match self.record.outcome() {
            Some(Fate::Success) => "Delivered",
            Some(Fate::Expired) => "Expired",
            Some(Fate::DeliveryCountExceeded) => "Delivered too often without success",
            Some(Fate::Rejected) => "Rejected",
            Some(Fate::Purged) => "Purged",
            None => &self.record.status,
        }
    }
}

impl Default for Messages {
    fn default() -> Self {
        let mut messages = Self {
            typed: Typed::default(),
            body_hints: Vec::new(),
            message: Err(String::new()),
            running: None,
            result: None,
            sent: VecDeque::new(),
            fetching: None,
            fetched: None,
            last_number: 0,
        };
        messages.check();
        messages
    }
}

impl Messages {
    fn check(&mut self) {
        self.body_hints = self.typed.body_hints();
        self.message = self.typed.read();
    }

    /// Another hub comes to the front: what was under way ends untold.
    pub(super) fn leave(&mut self, now: Moment) {
        if self.running.take().is_some() {
            let why = "The hub was left before it answered: the message may have been queued all the same".to_owned();
            self.result = Some((now, Err(Failure::Local(why))));
        }
        self.fetching = None;
    }
}

/// `3 messages wait`.
#[must_use]
pub fn waiting_words(count: u64) -> String {
    match count {
        0 => "none waits".to_owned(),
        1 => "1 message waits".to_owned(),
        n => format!("{n} messages wait"),
    }
}

impl App {
    /// Why messages are off for this identity and this hub; `None` when they can be sent.
    #[must_use]
    pub fn messages_off(&self, id: &TwinId) -> Option<String> {
        if id.module.is_some() {
            return Some("Over this path a hub sends messages to devices only, not to modules".to_owned());
        }
        let HubState::Open(info) = &self.hub else { return Some("No hub is open".to_owned()) };
        let lacks = DEFAULT_POLICIES.iter().any(|(name, rights)| *name == info.policy && !rights.service_connect);
        lacks.then(|| format!("The policy {} lacks ServiceConnect, which messages need", info.policy))
    }

    pub(super) fn update_messages(&mut self, action: Action) -> Vec<Command> {
        match action {
            Action::EditMessage { id, field, text } => self.with_typed(&id, |typed| typed.edit(field, text)),
            Action::SetAck { id, ack } => self.with_typed(&id, |typed| typed.ack = ack),
            Action::AddProperty(id) => {
                self.with_typed(&id, |typed| typed.properties.push((String::new(), String::new())));
            }
            Action::EditProperty { id, row, part, text } => self.with_typed(&id, |typed| {
                if let Some((name, value)) = typed.properties.get_mut(row) {
                    match part {
                        PropertyPart::Name => *name = text,
                        PropertyPart::Value => *value = text,
                    }
                }
            }),
            Action::RemoveProperty { id, row } => self.with_typed(&id, |typed| {
                if row < typed.properties.len() {
                    typed.properties.remove(row);
                }
            }),
            Action::RecallMessage { id, number } => {
                let sent = self.tab(&id).and_then(|tab| tab.messages.sent.iter().find(|sent| sent.number == number));
                if let Some(typed) = sent.map(|sent| sent.typed.clone()) {
                    self.with_typed(&id, |now| *now = typed);
                }
            }
            Action::SendMessage(id) => return self.send_message(&id),
            Action::ShowPurge(id) => return self.show_purge(id),
            Action::PurgeMessages(id) => return self.purge(&id),
            Action::FetchFeedback(id) => return self.fetch_feedback(&id),
            // The others were taken before.
            _ => {}
        }
        Vec::new()
    }

    fn with_typed(&mut self, id: &TwinId, change: impl FnOnce(&mut Typed)) {
        if let Some(tab) = self.tab_mut(id) {
            change(&mut tab.messages.typed);
            tab.messages.check();
        }
    }

    fn send_message(&mut self, id: &TwinId) -> Vec<Command> {
        if self.messages_off(id).is_some() {
            return Vec::new();
        }
        let Some(messages) = self.tab(id).map(|tab| &tab.messages) else { return Vec::new() };
        let (Ok(message), None) = (&messages.message, &messages.running) else { return Vec::new() };
        let (message, typed) = (Box::new(message.clone()), messages.typed.clone());
        let key = self.start(format!("Sending a message to {id}"), Purpose::SendMessage(id.clone()));
        let since = self.now;
        if let Some(tab) = self.tab_mut(id) {
            tab.messages.running = Some(Underway { key, since, typed });
        }
        vec![Command::SendMessage { key, device: id.device.clone(), message }]
    }

    pub(super) fn settle_message(&mut self, key: Key, id: &TwinId, outcome: Result<Outcome, Failure>) {
        let now = self.now;
        let Some(messages) = self.tab_mut(id).map(|tab| &mut tab.messages) else { return };
        let Some(Underway { typed, .. }) = messages.running.take_if(|running| running.key == key) else { return };
        let result = match outcome {
            Ok(Outcome::MessageSent { message_id, waiting }) => {
                let wait = waiting.map(|count| format!("; {}", waiting_words(count))).unwrap_or_default();
                let said = format!("Queued for {id} as message {message_id}{wait}");
                messages.last_number += 1;
                let number = messages.last_number;
                messages.sent.push_front(Sent { number, typed, message_id, at: now, feedback: None });
                messages.sent.truncate(SENT_MAX);
                Ok(said)
            }
            Ok(_) => return,
            Err(failure) => Err(failure),
        };
        messages.result = Some((now, result));
    }

    fn show_purge(&mut self, id: TwinId) -> Vec<Command> {
        if self.messages_off(&id).is_some() {
            return Vec::new();
        }
        let device = id.device.clone();
        let key = self.start(format!("Counting the messages of {id}"), Purpose::CountMessages(id.clone()));
        self.dialog = Some(Dialog::Purge { id, waiting: None, problem: None, running: None });
        vec![Command::CountMessages { key, device }]
    }

    pub(super) fn settle_count(&mut self, id: &TwinId, outcome: Result<Outcome, Failure>) {
        if let Some(Dialog::Purge { id: asked, waiting, .. }) = &mut self.dialog
            && asked == id
        {
            *waiting = match outcome {
                Ok(Outcome::MessagesWaiting(count)) => Some(Ok(count)),
                Ok(_) => None,
                Err(failure) => Some(Err(super::apply::failure_sentence(&failure))),
            };
        }
    }

    fn purge(&mut self, id: &TwinId) -> Vec<Command> {
        let Some(Dialog::Purge { id: asked, waiting: Some(_), running: None, .. }) = &self.dialog else {
            return Vec::new();
        };
        if asked != id {
            return Vec::new();
        }
        let key = self.start(format!("Purging the messages of {id}"), Purpose::PurgeMessages(id.clone()));
        if let Some(Dialog::Purge { running, problem, .. }) = &mut self.dialog {
            (*running, *problem) = (Some(key), None);
        }
        vec![Command::PurgeMessages { key, device: id.device.clone() }]
    }

    pub(super) fn settle_purge(&mut self, id: &TwinId, outcome: Result<Outcome, Failure>) {
        let now = self.now;
        let asked = matches!(&self.dialog, Some(Dialog::Purge { id: asked, .. }) if asked == id);
        let result = match outcome {
            Ok(Outcome::MessagesPurged(count)) => {
                let what = if count == 1 { "1 message".to_owned() } else { format!("{count} messages") };
                Ok(format!("Purged {what} that waited for {id}"))
            }
            Ok(_) => return,
            Err(failure) => Err(failure),
        };
        match (&result, &mut self.dialog) {
            (Err(failure), Some(Dialog::Purge { problem, running, .. })) if asked => {
                *problem = Some(super::apply::failure_sentence(failure));
                *running = None;
            }
            _ => {
                if asked {
                    self.dialog = None;
                }
                if let Some(tab) = self.tab_mut(id) {
                    tab.messages.result = Some((now, result));
                }
            }
        }
    }

    fn fetch_feedback(&mut self, id: &TwinId) -> Vec<Command> {
        // One queue for the whole hub: two fetches at once would only divide it.
        if self.messages_off(id).is_some() || self.tabs.iter().any(|tab| tab.messages.fetching.is_some()) {
            return Vec::new();
        }
        let key = self.start("Fetching feedback".to_owned(), Purpose::Feedback(id.clone()));
        let now = self.now;
        if let Some(tab) = self.tab_mut(id) {
            tab.messages.fetching = Some((key, now));
        }
        vec![Command::FetchFeedback { key }]
    }

    /// Finds the messages it is about; what is about others is kept beside them.
    pub(super) fn take_feedback(&mut self, records: Vec<FeedbackRecord>) {
        let at = self.now;
        for record in records {
            let of_it = |sent: &&mut Sent| Some(&sent.message_id) == record.message_id.as_ref();
            let device = TwinId::device(&record.device);
            let tabs = self.tabs.iter_mut().filter(|tab| tab.id == device);
            let sent = tabs.flat_map(|tab| &mut tab.messages.sent).find(of_it);
            let heard = Heard { at, record };
            if let Some(sent) = sent {
                sent.feedback = Some(heard);
            } else {
                self.feedback.push_back(heard);
                if self.feedback.len() > HEARD_MAX {
                    self.feedback.pop_front();
                }
            }
        }
    }

    pub(super) fn settle_feedback(&mut self, key: Key, id: &TwinId, outcome: Result<Outcome, Failure>) {
        let now = self.now;
        let Some(messages) = self.tab_mut(id).map(|tab| &mut tab.messages) else { return };
        if messages.fetching.take_if(|(waiting, _)| *waiting == key).is_none() {
            return;
        }
        let result = match outcome {
            Ok(Outcome::FeedbackFetched { records, more }) => {
                let what = match records {
                    0 => "The hub has no feedback".to_owned(),
                    1 => "1 record of feedback came, about messages to any device".to_owned(),
                    n => format!("{n} records of feedback came, about messages to any device"),
                };
                Ok(if more { format!("{what}; there may be more") } else { what })
            }
            Ok(_) => return,
            Err(failure) => Err(failure),
        };
        messages.fetched = Some((now, result));
    }

    /// Feedback about messages to this device that were not sent from its tab, newest first.
    pub fn other_feedback(&self, tab: &Tab) -> impl Iterator<Item = &Heard> {
        self.feedback.iter().rev().filter(move |heard| tab.id == TwinId::device(&heard.record.device))
    }

    /// A message came to the device we act as. It is in the list from here on, so the hub may let go of it.
    pub(super) fn receive_message(
        &mut self,
        id: TwinId,
        receipt: Receipt,
        properties: &Properties,
        body: &[u8],
    ) -> Vec<Command> {
        self.activity.push_message(MessageSeen::new(self.now, id.clone(), properties, body));
        vec![Command::AcknowledgeMessage { id, receipt }]
    }
}

/// What stands for a message without feedback.
#[must_use]
pub fn unheard(ack: Ack) -> &'static str {
    match ack {
        Ack::None => "no feedback wanted",
        Ack::Positive | Ack::Negative | Ack::Full => "no feedback yet",
    }
}
