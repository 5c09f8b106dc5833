//! What can go wrong between here and a hub, sorted by what the user can do about it.

use crate::protocol::error::ServiceError;
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
    #[error("the hub forbids this")]
    Forbidden { service: ServiceError },
    #[error("the hub has no such device or module")]
    NotFound { service: ServiceError },
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
    #[error("the hub refused the request (status {status})")]
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
            | Self::AlreadyExists { service }
            | Self::Conflict { service }
            | Self::Throttled { service, .. }
            | Self::Refused { service, .. }
            | Self::HubFailed { service, .. } => Some(service),
            _ => None,
        }
    }

    /// The next step, in a sentence without a full stop. (The client helper writes one per variant; with the missing permission, limit or wait where known.)
    #[must_use]
    pub fn advice(&self) -> String {
        todo!()
    }
}
