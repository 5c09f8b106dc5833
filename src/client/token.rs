//! Tokens: minted from a key for an hour and used until five minutes before their end, or taken ready-made.

use super::HubError;
use crate::protocol::connection_string::{ConnectionString, Proof, Who};
use crate::protocol::sas;
use crate::protocol::secret::Secret;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a minted token is valid.
pub(super) const LIFETIME: Duration = Duration::from_hours(1);
/// How long before its end it is replaced.
pub(super) const MARGIN: Duration = Duration::from_mins(5);

/// Seconds since 1970 on this machine's clock.
pub(super) fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A token and the second its validity ends; `None` for one given ready-made, whose end is not ours to manage.
#[derive(Clone)]
pub(super) struct Token {
    pub text: Secret,
    pub expiry: Option<u64>,
}

/// Signs for one policy, device or module.
pub(super) struct Signer {
    resource: String,
    policy: Option<String>,
    proof: Proof,
    last: Mutex<Option<Token>>,
}

impl Signer {
    /// For a policy of the hub.
    pub(super) fn service(connection: &ConnectionString) -> Result<Self, HubError> {
        match &connection.who {
            Who::Service { proof: Proof::X509, .. } | Who::Identity { .. } => Err(HubError::NotAService),
            Who::Service { policy, proof } => Ok(Self {
                resource: sas::resource(connection.host(), None),
                policy: Some(policy.clone()),
                proof: proof.clone(),
                last: Mutex::new(None),
            }),
        }
    }

    /// For a device or module; `None` when the string is of a policy or names a certificate.
    pub(super) fn identity(connection: &ConnectionString) -> Option<Self> {
        match &connection.who {
            Who::Identity { proof: Proof::X509, .. } | Who::Service { .. } => None,
            Who::Identity { id, proof } => Some(Self {
                resource: sas::resource(connection.host(), Some(id)),
                policy: None,
                proof: proof.clone(),
                last: Mutex::new(None),
            }),
        }
    }

    /// A token good for at least [`MARGIN`] more.
    pub(super) fn token(&self) -> Result<Token, HubError> {
        let key = match &self.proof {
            Proof::Token(text) => return Ok(Token { text: text.clone(), expiry: None }),
            Proof::Key(key) => key,
            Proof::X509 => return Err(HubError::NotAService),
        };
        let now = now_s();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock set back would keep a token alive for too long, so its start is looked at as well.
        let good = |token: &&Token| {
            token.expiry.is_some_and(|expiry| expiry > now + MARGIN.as_secs() && expiry <= now + LIFETIME.as_secs())
        };
        if let Some(token) = last.as_ref().filter(good) {
            return Ok(token.clone());
        }
        let expiry = now + LIFETIME.as_secs();
        let text = sas::sign(&self.resource, key, expiry, self.policy.as_deref()).map_err(|error| {
            HubError::Refused { status: 0, service: super::error::said(&format!("no token can be signed: {error}")) }
        })?;
        let token = Token { text, expiry: Some(expiry) };
        *last = Some(token.clone());
        Ok(token)
    }
}
