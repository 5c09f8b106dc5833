//! Direct methods: the call of a service, what the device is sent of it, and the answer; both directions.
//!
//! The shapes and bounds are those of Microsoft's page "Understand and invoke direct methods from IoT Hub". Payloads keep the
//! spelling of their numbers.

use super::lenient;
use super::mqtt::METHODS;
use super::percent;
use crate::twin::{Json, JsonMap, wire};

/// Bytes of a payload as JSON text, in each direction.
pub const PAYLOAD_MAX: usize = 128 * 1024;
/// Bytes of a method's name. No document says how long one may be; a Plug and Play command, `component*command`, has up to 1025.
pub const NAME_MAX: usize = 1025;
/// Seconds that the device may take.
pub const RESPONSE_TIMEOUT_S: std::ops::RangeInclusive<u16> = 5..=300;
pub const RESPONSE_TIMEOUT_DEFAULT_S: u16 = 30;
/// Seconds that the hub waits for the device to come; 0: it must be there already.
pub const CONNECT_TIMEOUT_S: std::ops::RangeInclusive<u16> = 0..=300;

const NAME: &str = "methodName";
const PAYLOAD: &str = "payload";
const RESPONSE: &str = "responseTimeoutInSeconds";
const CONNECT: &str = "connectTimeoutInSeconds";
const STATUS: &str = "status";

/// One call. What [`MethodCall::check`] accepts can be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct MethodCall {
    pub name: String,
    /// `null` when there is none. Python's service client sends `""` for none, which the device gets as it is.
    pub payload: Json,
    /// Seconds from the moment the device was told.
    pub response_timeout_s: u16,
    /// Seconds before that, when the device is not connected.
    pub connect_timeout_s: u16,
}

/// What the device said. `status` is the device's own and says nothing about the hub: HTTP is 200 whatever it is.
#[derive(Debug, Clone, PartialEq)]
pub struct MethodAnswer {
    pub status: i64,
    /// `null` when there is none.
    pub payload: Json,
}

/// Why a call cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallProblem {
    #[error("the body is not a JSON object")]
    NotAnObject,
    #[error("the name of the method is missing")]
    NoName,
    #[error("the name of the method has {0} bytes, at most {NAME_MAX} are allowed")]
    LongName(usize),
    #[error("{0:?} is not allowed in the name of a method")]
    NameCharacter(char),
    #[error("{field} must be a whole number of seconds from {min} to {max}")]
    Seconds { field: &'static str, min: u16, max: u16 },
    #[error("connectTimeoutInSeconds ({connect_s}) is more than responseTimeoutInSeconds ({response_s})")]
    ConnectBeyondResponse { connect_s: u16, response_s: u16 },
    #[error("the payload has {0} bytes, at most {PAYLOAD_MAX} are allowed")]
    LargePayload(usize),
}

impl MethodCall {
    /// With the timeouts a call has that names none.
    #[must_use]
    pub fn new(name: impl Into<String>, payload: Json) -> Self {
        Self { name: name.into(), payload, response_timeout_s: RESPONSE_TIMEOUT_DEFAULT_S, connect_timeout_s: 0 }
    }

    /// Whether a hub takes it.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), CallProblem> {
        check_name(&self.name)?;
        let (response_s, connect_s) = (self.response_timeout_s, self.connect_timeout_s);
        within(RESPONSE, response_s.into(), &RESPONSE_TIMEOUT_S)?;
        within(CONNECT, connect_s.into(), &CONNECT_TIMEOUT_S)?;
        if connect_s > response_s {
            return Err(CallProblem::ConnectBeyondResponse { connect_s, response_s });
        }
        match payload_text(&self.payload).len() {
            bytes if bytes > PAYLOAD_MAX => Err(CallProblem::LargePayload(bytes)),
            _ => Ok(()),
        }
    }

    /// Reads and checks the body of a call. Fields it does not know are ignored; a timeout that is absent or null is the default.
    ///
    /// # Errors
    /// As [`MethodCall::check`].
    pub fn from_json(body: &Json) -> Result<Self, CallProblem> {
        let body = body.as_object().ok_or(CallProblem::NotAnObject)?;
        let name = body.get(NAME).and_then(Json::as_str).ok_or(CallProblem::NoName)?;
        let seconds = |field, default, range| match body.get(field) {
            None | Some(Json::Null) => Ok(default),
            Some(value) => within(field, lenient::whole(value).unwrap_or(u64::MAX), range),
        };
        let call = Self {
            name: name.to_owned(),
            payload: body.get(PAYLOAD).cloned().unwrap_or_default(),
            response_timeout_s: seconds(RESPONSE, RESPONSE_TIMEOUT_DEFAULT_S, &RESPONSE_TIMEOUT_S)?,
            connect_timeout_s: seconds(CONNECT, 0, &CONNECT_TIMEOUT_S)?,
        };
        call.check()?;
        Ok(call)
    }

    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut body = JsonMap::new();
        body.insert(NAME.to_owned(), Json::from(self.name.as_str()));
        body.insert(PAYLOAD.to_owned(), self.payload.clone());
        body.insert(RESPONSE.to_owned(), Json::from(self.response_timeout_s));
        body.insert(CONNECT.to_owned(), Json::from(self.connect_timeout_s));
        Json::Object(body)
    }
}

impl MethodAnswer {
    /// `{"status":200,"payload":{…}}`; `None` for anything else.
    #[must_use]
    pub fn from_json(body: Json) -> Option<Self> {
        let Json::Object(mut body) = body else { return None };
        let status = body.get(STATUS)?.as_i64()?;
        Some(Self { status, payload: body.swap_remove(PAYLOAD).unwrap_or_default() })
    }

    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut body = JsonMap::new();
        body.insert(STATUS.to_owned(), Json::from(self.status));
        body.insert(PAYLOAD.to_owned(), self.payload.clone());
        Json::Object(body)
    }
}

/// Checks a method's name: printable ASCII without `$ ( ) < > @ , ; : \ " / [ ] ? = { }` and space. The service's documents give
/// this alphabet; whether it refuses what is outside is unconfirmed.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check_name(name: &str) -> Result<(), CallProblem> {
    if name.is_empty() {
        return Err(CallProblem::NoName);
    }
    if let Some(c) = name.chars().find(|c| !c.is_ascii_graphic() || "$()<>@,;:\\\"/[]?={}".contains(*c)) {
        return Err(CallProblem::NameCharacter(c));
    }
    if name.len() > NAME_MAX { Err(CallProblem::LongName(name.len())) } else { Ok(()) }
}

fn within(field: &'static str, seconds: u64, range: &std::ops::RangeInclusive<u16>) -> Result<u16, CallProblem> {
    u16::try_from(seconds).ok().filter(|seconds| range.contains(seconds)).ok_or(CallProblem::Seconds {
        field,
        min: *range.start(),
        max: *range.end(),
    })
}

/// A payload as it stands in an MQTT message.
#[must_use]
pub fn payload_text(payload: &Json) -> String {
    payload.to_string()
}

/// A payload out of an MQTT message: JSON, or nothing at all, which is `null`. `None` for what is neither.
#[must_use]
pub fn read_payload(bytes: &[u8]) -> Option<Json> {
    if bytes.is_empty() { Some(Json::Null) } else { wire::json(bytes).ok() }
}

/// Whether a client that subscribed to `filter` gets calls of this method: `$iothub/methods/POST/#`, or
/// `$iothub/methods/POST/{name}/#` for one method alone.
#[must_use]
pub fn is_for(filter: &str, name: &str) -> bool {
    let topics = METHODS.trim_end_matches('#');
    let one = || filter.strip_prefix(topics).and_then(|rest| rest.strip_suffix("/#"));
    filter == METHODS || one().is_some_and(|written| written == name || percent::decode(written) == name)
}
