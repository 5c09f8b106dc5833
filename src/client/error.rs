//! What can go wrong between here and a hub, sorted by what the user can do about it.

use crate::protocol::error::{ErrorCode, ServiceError};
use crate::protocol::policy::Permission;
use crate::twin::EtagProblem;
use std::time::Duration;

/// One failed operation. Never carries a secret.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HubError {
    /// Nothing answered: name not found, connection refused, timed out. Check the network, the proxy, the host name.
    #[error("{host} cannot be reached: {reason}")]
    Unreachable { host: String, reason: String },
    /// The certificate is not believed. Add the CA by file.
    #[error("{host} is not trusted: {reason}")]
    Tls { host: String, reason: String },
    /// The signature was refused and the clocks differ. Positive: this machine is ahead.
    #[error("this machine's clock is {} s {} the hub's", ahead_s.abs(), if *ahead_s > 0 { "ahead of" } else { "behind" })]
    ClockOff { ahead_s: i64 },
    /// 401: wrong key, unknown policy, missing permission.
    #[error("the hub refused the key or policy")]
    Unauthorized { service: ServiceError },
    /// 403.
    #[error("{}", forbidden_words(service))]
    Forbidden { service: ServiceError },
    #[error("the hub has no such device or module")]
    NotFound { service: ServiceError },
    /// A method was called and nobody listens: 404103.
    #[error("the device is not connected, or does not listen to methods")]
    NotOnline { service: ServiceError },
    /// A method was called, and its device gave no answer that can be used: 504101, 404104, 502101. It may have carried it out.
    #[error("{}", no_answer(service))]
    NoAnswer { service: ServiceError },
    /// 409 on create.
    #[error("it exists already")]
    AlreadyExists { service: ServiceError },
    /// 412: somebody else was faster.
    #[error("the hub has a newer version")]
    Conflict { service: ServiceError },
    /// 429, after the retries were used up.
    #[error("the hub is throttling")]
    Throttled { service: ServiceError, retry_after: Option<Duration> },
    /// 400 and other 4xx: the request is wrong in itself.
    /// Status 0: refused on this side, nothing was sent.
    #[error("{}", refusal(*status))]
    Refused { status: u16, service: ServiceError },
    /// 5xx, after the retries were used up.
    #[error("the hub failed (status {status})")]
    HubFailed { status: u16, service: ServiceError },
    /// An answer that is none: HTML, half a JSON, too large, a redirect, a wrong length.
    #[error("the answer is not what a hub sends: {what}")]
    Nonsense { what: String },
    /// A write was sent and its answer never came: it may or may not have happened.
    #[error("the connection broke after the request was sent, so it may or may not have been carried out: {reason}")]
    OutcomeUnknown { reason: String },
    /// Its etag would not guard a write: nothing was sent.
    #[error("nothing was sent: {0}")]
    Unguarded(EtagProblem),
    #[error("the connection string is of a device or module; this needs one of a policy")]
    NotAService,
    #[error("TLS cannot be set up: {0}")]
    Trust(#[from] super::trust::TrustError),
}

impl HubError {
    /// What the hub itself said, where it said something.
    #[must_use]
    pub fn service(&self) -> Option<&ServiceError> {
        match self {
            Self::Unauthorized { service }
            | Self::Forbidden { service }
            | Self::NotFound { service }
            | Self::NotOnline { service }
            | Self::NoAnswer { service }
            | Self::AlreadyExists { service }
            | Self::Conflict { service }
            | Self::Throttled { service, .. }
            | Self::Refused { service, .. }
            | Self::HubFailed { service, .. } => Some(service),
            _ => None,
        }
    }

    /// The next step, in a sentence without a full stop.
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::Unreachable { host, .. } => {
                format!("Check that {host} is the right name, that the network is up and that a proxy or firewall lets it through")
            }
            Self::Tls { host, .. } => {
                format!("If you run or trust {host}, add the certificate of the CA that signed for it, by file")
            }
            Self::ClockOff { ahead_s } => format!(
                "Set this machine's clock: it is {} s {}",
                ahead_s.unsigned_abs(),
                if *ahead_s > 0 { "fast" } else { "slow" }
            ),
            Self::Unauthorized { service } => unauthorized(service),
            Self::Forbidden { service } => forbidden(service),
            Self::NotFound { .. } => "Refresh the list: it may have been deleted, and ids are case-sensitive".to_owned(),
            Self::NotOnline { .. } => "Start the device's program and let it subscribe to methods, or give it time to come with a connect timeout".to_owned(),
            Self::NoAnswer { service } => advice_without_answer(service),
            Self::AlreadyExists { .. } => "Choose another id, or open the one that exists".to_owned(),
            Self::Conflict { .. } => "Read the hub's version, look at both and save again".to_owned(),
            Self::Throttled { retry_after, .. } => match retry_after {
                Some(wait) => format!("Wait {} s, then try again", wait.as_secs()),
                None => "Wait ten seconds or more, then try again; a free hub allows 20 queries and 100 identity calls a minute".to_owned(),
            },
            Self::Refused { status: 0, .. } => {
                "Nothing was sent. Read it again; if that does not help, what answers is not an IoT Hub".to_owned()
            }
            Self::Refused { service, .. } => refused(service),
            Self::Unguarded(_) => {
                "A write would not be bound to the version you saw. Read it again; if the etag stays like this, what answers is not an IoT Hub, or a proxy changes its answers".to_owned()
            }
            Self::HubFailed { .. } => match self.tracking_id() {
                Some(id) => format!("Try again later; support can find this failure by its tracking id {id}"),
                None => "Try again later".to_owned(),
            },
            Self::Nonsense { .. } => "Check that the host name is a hub's and that no proxy answers in its place".to_owned(),
            Self::OutcomeUnknown { .. } => "Read it again to see whether it was carried out, before repeating it".to_owned(),
            Self::NotAService => "Use a connection string with SharedAccessKeyName, such as the one of iothubowner or service".to_owned(),
            Self::Trust(_) => "Name a readable file with CA certificates in PEM form".to_owned(),
        }
    }

    /// As [`Self::advice`], for a caller who knows which permission the operation needs.
    #[must_use]
    pub fn advice_for(&self, needed: Permission) -> String {
        match self {
            Self::Unauthorized { service } if service.number != Some(ErrorCode::IOT_HUB_UNAUTHORIZED.number) => {
                format!("Check the key; if it is right, the policy lacks {}, which this operation needs", needed.word())
            }
            _ => self.advice(),
        }
    }

    fn tracking_id(&self) -> Option<&str> {
        self.service()?.tracking_id.as_deref()
    }

    /// What a hub's status says. `retry_after` matters for 429 alone.
    pub(super) fn of_status(status: u16, service: ServiceError, retry_after: Option<Duration>) -> Self {
        match status {
            300..400 => Self::Nonsense { what: format!("a redirect (status {status})") },
            401 => Self::Unauthorized { service },
            403 => Self::Forbidden { service },
            404 => Self::NotFound { service },
            409 if is_create_conflict(&service) => Self::AlreadyExists { service },
            412 => Self::Conflict { service },
            429 => Self::Throttled { service, retry_after },
            400..500 => Self::Refused { status, service },
            500..600 => Self::HubFailed { status, service },
            _ => Self::Nonsense { what: format!("status {status}") },
        }
    }
}

fn refusal(status: u16) -> String {
    match status {
        0 => "this cannot be sent".to_owned(),
        _ => format!("the hub refused the request (status {status})"),
    }
}

/// A refusal that this side words itself.
pub(super) fn said(message: &str) -> ServiceError {
    ServiceError { message: Some(message.to_owned()), ..ServiceError::default() }
}

/// 409 has other uses (a locked device, a job); only these two say that the identity exists.
fn is_create_conflict(service: &ServiceError) -> bool {
    match service.name.as_deref().and_then(ErrorCode::by_name).map(|code| code.number).or(service.number) {
        Some(number) => {
            number == ErrorCode::DEVICE_ALREADY_EXISTS.number
                || number == ErrorCode::MODULE_ALREADY_EXISTS_ON_DEVICE.number
        }
        None => service.name.is_none(),
    }
}

pub(super) fn is(service: &ServiceError, code: ErrorCode) -> bool {
    service.number == Some(code.number) || service.name.as_deref() == Some(code.name)
}

fn no_answer(service: &ServiceError) -> &'static str {
    if is(service, ErrorCode::DEVICE_CONNECTION_CLOSED_REMOTELY) {
        "the device's connection ended before it answered"
    } else if is(service, ErrorCode::INVALID_RESPONSE_WHILE_PROXYING) {
        "the device's answer cannot be used"
    } else {
        "the device did not answer in time"
    }
}

fn advice_without_answer(service: &ServiceError) -> String {
    let advice = if is(service, ErrorCode::DEVICE_CONNECTION_CLOSED_REMOTELY) {
        "Look why the device dropped its connection; it may have carried out the call all the same"
    } else if is(service, ErrorCode::INVALID_RESPONSE_WHILE_PROXYING) {
        "The device's program must answer with JSON of at most 128 KB; it has carried out the call all the same"
    } else {
        "Allow more time with the response timeout, or look whether the device's program knows this method; it may have carried \
         out the call all the same"
    };
    advice.to_owned()
}

fn unauthorized(service: &ServiceError) -> String {
    if is(service, ErrorCode::IOT_HUB_NOT_FOUND) {
        "Check that the connection string is of this hub".to_owned()
    } else if is(service, ErrorCode::IOT_HUB_UNAUTHORIZED) {
        "The token has expired or is malformed: paste a fresh connection string".to_owned()
    } else {
        "Check the policy's name and key; twins and queries need ServiceConnect, identities RegistryRead and, to change them, \
         RegistryWrite. For a module it can also mean that its device is missing or disabled"
            .to_owned()
    }
}

fn forbidden_words(service: &ServiceError) -> &'static str {
    if is(service, ErrorCode::DEVICE_MODEL_MAX_PROPERTIES_EXCEEDED) {
        "a section of the twin would be too large"
    } else {
        "the hub forbids this"
    }
}

fn forbidden(service: &ServiceError) -> String {
    let advice = if is(service, ErrorCode::IOT_HUB_QUOTA_EXCEEDED) {
        "The hub's daily quota of messages is used up: wait until midnight UTC or add a unit"
    } else if is(service, ErrorCode::OPERATION_NOT_AVAILABLE_IN_CURRENT_TIER) {
        "The basic tier has no twins, modules, methods or messages to devices: use a standard or free hub"
    } else if is(service, ErrorCode::DEVICE_MAXIMUM_QUEUE_DEPTH_EXCEEDED) {
        "50 messages wait for this device already: let it fetch them or purge the queue"
    } else if is(service, ErrorCode::INVALID_MESSAGE_EXPIRY_TIME) {
        "Choose an expiry that lies ahead, by two days at most"
    } else if is(service, ErrorCode::DEVICE_MAXIMUM_INFLIGHT_METHOD_EXCEEDED) {
        "Too many calls wait for this device already: let some of them end first"
    } else if is(service, ErrorCode::DEVICE_DISABLED) {
        "Enable the device first"
    } else if is(service, ErrorCode::DEVICE_MODEL_MAX_PROPERTIES_EXCEEDED) {
        "Make the section smaller: tags hold 8 KB, desired and reported 32 KB each, counted without spaces and line breaks"
    } else {
        "Check the hub's network rules (IP filter, private endpoint) and its state in the portal"
    };
    advice.to_owned()
}

fn refused(service: &ServiceError) -> String {
    let advice = if is(service, ErrorCode::TOO_MANY_MODULES_ON_DEVICE) {
        "A device has at most 50 modules: delete one first"
    } else if is(service, ErrorCode::TOO_MANY_DEVICES) {
        "The hub holds as many devices as it can: delete some first"
    } else if is(service, ErrorCode::MESSAGE_TOO_LARGE) {
        "Make it smaller: tags hold 8 KB, desired and reported 32 KB each, a message 64 KB with its properties"
    } else if is(service, ErrorCode::INVALID_PROTOCOL_VERSION) {
        "The hub does not know this version of the service API"
    } else {
        "Change the request as the hub's message says"
    };
    advice.to_owned()
}
