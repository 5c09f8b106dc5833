//! Direct methods of one tab: the call being typed, the one under way, those that were made; and what is answered while a person
//! acts as the identity.

use super::activity::{CallSeen, CallSide};
use super::{App, Moment, Purpose};
use crate::protocol::method::{self, MethodAnswer, MethodCall, PAYLOAD_MAX};
use crate::twin::text::{self, Problem};
use crate::twin::{Json, TwinId};
use crate::worker::event::Outcome;
use crate::worker::{Command, Failure, Key};
use std::collections::VecDeque;

/// Calls a tab remembers.
const MADE_MAX: usize = 20;

/// What a tab knows of methods.
#[derive(Debug)]
pub struct Methods {
    pub typed: Typed,
    /// Where the payload is no JSON: at most one.
    pub payload_problems: Vec<Problem>,
    /// The call as typed, or why it cannot be made.
    pub call: Result<MethodCall, String>,
    pub running: Option<Underway>,
    /// Newest first, bounded.
    pub made: VecDeque<Made>,
    /// The call whose answer is shown, by its number.
    pub shown: Option<u64>,
    /// What is answered while a person acts as this identity.
    pub reply: Reply,
    last_number: u64,
}

/// A call as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    pub name: String,
    /// JSON, or nothing.
    pub payload: String,
    /// Seconds.
    pub response_timeout: String,
    /// Seconds.
    pub connect_timeout: String,
}

/// One of its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallField {
    Name,
    Payload,
    ResponseTimeout,
    ConnectTimeout,
}

/// A call that waits for its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Underway {
    pub key: Key,
    pub since: Moment,
    typed: Typed,
}

/// A call that ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// Counted up within the tab.
    pub number: u64,
    pub typed: Typed,
    /// When it was made.
    pub at: Moment,
    /// How long it took.
    pub ms: u64,
    pub outcome: Result<MethodAnswer, Failure>,
    /// The answer's payload, laid out; empty for a call that failed.
    pub answer_text: String,
}

/// What incoming calls are answered with.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    pub status: String,
    pub payload: String,
    pub problem: Option<String>,
    /// The last one without a problem: what is answered.
    pub answer: MethodAnswer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyField {
    Status,
    Payload,
}

impl Default for Typed {
    fn default() -> Self {
        let call = MethodCall::new("", Json::Null);
        Self {
            name: call.name,
            payload: String::new(),
            response_timeout: call.response_timeout_s.to_string(),
            connect_timeout: call.connect_timeout_s.to_string(),
        }
    }
}

impl Default for Methods {
    fn default() -> Self {
        let mut methods = Self {
            typed: Typed::default(),
            payload_problems: Vec::new(),
            call: Err(String::new()),
            running: None,
            made: VecDeque::new(),
            shown: None,
            reply: Reply::default(),
            last_number: 0,
        };
        methods.check();
        methods
    }
}

impl Default for Reply {
    fn default() -> Self {
        let answer = MethodAnswer { status: 200, payload: Json::Object(crate::twin::JsonMap::new()) };
        Self { status: answer.status.to_string(), payload: answer.payload.to_string(), problem: None, answer }
    }
}

impl Methods {
    /// The call whose answer is shown.
    #[must_use]
    pub fn shown(&self) -> Option<&Made> {
        let number = self.shown?;
        self.made.iter().find(|made| made.number == number)
    }

    fn edit(&mut self, field: CallField, text: String) {
        match field {
            CallField::Name => self.typed.name = text,
            CallField::Payload => self.typed.payload = text,
            CallField::ResponseTimeout => self.typed.response_timeout = text,
            CallField::ConnectTimeout => self.typed.connect_timeout = text,
        }
        self.check();
    }

    fn check(&mut self) {
        let payload = read_payload(&self.typed.payload);
        self.payload_problems = payload.as_ref().err().cloned().into_iter().collect();
        self.call = read_call(&self.typed, payload);
    }

    fn ended(&mut self, key: Key, now: Moment, outcome: Result<MethodAnswer, Failure>) -> Option<&Made> {
        let Underway { since, typed, .. } = self.running.take_if(|running| running.key == key)?;
        self.last_number += 1;
        let answer_text = outcome.as_ref().map(|answer| pretty(&answer.payload)).unwrap_or_default();
        let ms = now.ms.saturating_sub(since.ms);
        self.made.push_front(Made { number: self.last_number, typed, at: since, ms, outcome, answer_text });
        self.made.truncate(MADE_MAX);
        self.shown = Some(self.last_number);
        self.made.front()
    }
}

/// No text is no payload.
fn read_payload(typed: &str) -> Result<Json, Problem> {
    if typed.trim().is_empty() { Ok(Json::Null) } else { text::value(typed) }
}

fn read_call(typed: &Typed, payload: Result<Json, Problem>) -> Result<MethodCall, String> {
    if typed.name.is_empty() {
        return Err("Type the name of a method first".to_owned());
    }
    let payload = payload.map_err(|problem| {
        format!("The payload: line {}, column {}: {}", problem.line, problem.column, problem.message)
    })?;
    let seconds = |text: &str, which: &str| {
        text.trim().parse().map_err(|_no_number| format!("The {which} timeout is a whole number of seconds"))
    };
    let call = MethodCall {
        name: typed.name.clone(),
        payload,
        response_timeout_s: seconds(&typed.response_timeout, "response")?,
        connect_timeout_s: seconds(&typed.connect_timeout, "connect")?,
    };
    call.check().map_err(|problem| problem.to_string())?;
    Ok(call)
}

impl Reply {
    fn edit(&mut self, field: ReplyField, text: String) {
        match field {
            ReplyField::Status => self.status = text,
            ReplyField::Payload => self.payload = text,
        }
        match self.read() {
            Ok(answer) => (self.answer, self.problem) = (answer, None),
            Err(problem) => self.problem = Some(problem),
        }
    }

    fn read(&self) -> Result<MethodAnswer, String> {
        let status: i32 = self.status.trim().parse().map_err(|_no_number| "The status is a whole number".to_owned())?;
        let payload = read_payload(&self.payload)
            .map_err(|problem| format!("The answer: column {}: {}", problem.column, problem.message))?;
        if method::payload_text(&payload).len() > PAYLOAD_MAX {
            return Err("The answer has more than 128 KB".to_owned());
        }
        Ok(MethodAnswer { status: status.into(), payload })
    }
}

fn pretty(value: &Json) -> String {
    match value {
        Json::Object(map) => text::pretty(map),
        // What was read can be written.
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}

impl App {
    pub(super) fn edit_call(&mut self, id: &TwinId, field: CallField, text: String) {
        if let Some(tab) = self.tab_mut(id) {
            tab.methods.edit(field, text);
        }
    }

    pub(super) fn edit_reply(&mut self, id: &TwinId, field: ReplyField, text: String) {
        if let Some(tab) = self.tab_mut(id) {
            tab.methods.reply.edit(field, text);
        }
    }

    pub(super) fn call_method(&mut self, id: &TwinId) -> Vec<Command> {
        let Some(methods) = self.tab(id).map(|tab| &tab.methods) else { return Vec::new() };
        let (Ok(call), None) = (&methods.call, &methods.running) else { return Vec::new() };
        let (call, typed) = (call.clone(), methods.typed.clone());
        let key = self.start(format!("Calling {} on {id}", call.name), Purpose::CallMethod(id.clone()));
        let since = self.now;
        if let Some(tab) = self.tab_mut(id) {
            tab.methods.running = Some(Underway { key, since, typed });
        }
        vec![Command::CallMethod { key, id: id.clone(), call }]
    }

    /// Puts a call that was made back, and shows what came of it.
    pub(super) fn recall_method(&mut self, id: &TwinId, number: u64) {
        let Some(tab) = self.tab_mut(id) else { return };
        let methods = &mut tab.methods;
        if let Some(made) = methods.made.iter().find(|made| made.number == number) {
            methods.typed = made.typed.clone();
            methods.shown = Some(number);
            methods.check();
        }
    }

    pub(super) fn settle_call(&mut self, key: Key, id: &TwinId, outcome: Result<Outcome, Failure>) {
        let now = self.now;
        let outcome = match outcome {
            Ok(Outcome::Called(answer)) => Ok(answer),
            Ok(_) => return,
            Err(failure) => Err(failure),
        };
        let Some(made) = self.tab_mut(id).and_then(|tab| tab.methods.ended(key, now, outcome)) else { return };
        let seen = CallSeen::new(
            made.at,
            id,
            CallSide::Made,
            &made.typed.name,
            if made.typed.payload.trim().is_empty() { "null" } else { &made.typed.payload },
            &match &made.outcome {
                Ok(answer) => format!("{} {}", answer.status, text::compact(&answer.payload)),
                Err(failure) => super::apply::failure_sentence(failure),
            },
        );
        self.activity.push_call(seen);
    }

    /// Somebody calls a method of the identity we act as: it is answered at once with what the panel says.
    pub(super) fn answer_call(&mut self, id: TwinId, name: &str, rid: String, payload: &Json) -> Vec<Command> {
        let reply = self.tab(&id).map(|tab| tab.methods.reply.answer.clone());
        let answer = reply.unwrap_or_else(|| Reply::default().answer);
        let said = format!("{} {}", answer.status, text::compact(&answer.payload));
        let seen = CallSeen::new(self.now, &id, CallSide::Answered, name, &text::compact(payload), &said);
        self.activity.push_call(seen);
        vec![Command::AnswerMethod { id, rid, answer }]
    }
}
