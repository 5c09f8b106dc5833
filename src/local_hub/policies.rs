//! Who may call: the hub's shared access policies with their keys, and the checks of a token.

use super::hub::Refused;
use super::random;
use crate::protocol::error::ErrorCode;
use crate::protocol::policy::{DEFAULT_POLICIES, Permission, Permissions};
use crate::protocol::sas::{self, Token};
use crate::protocol::secret::Secret;
use crate::twin::Json;

/// One policy. Both keys are good at any time, so that one can be rolled while the other is in use.
#[derive(Debug, Clone)]
pub struct Policy {
    pub name: String,
    pub permissions: Permissions,
    pub primary: Secret,
    pub secondary: Secret,
}

/// The five policies every hub starts with. Their keys are random: made once for a data folder, else at each start.
#[derive(Debug, Clone)]
pub struct Policies(Vec<Policy>);

impl Policies {
    #[must_use]
    pub fn new() -> Self {
        Self(
            DEFAULT_POLICIES
                .iter()
                .map(|(name, permissions)| Policy {
                    name: (*name).to_owned(),
                    permissions: *permissions,
                    primary: random::key(),
                    secondary: random::key(),
                })
                .collect(),
        )
    }

    /// Reads what [`Policies::to_json`] wrote; `None` when a policy or key is missing.
    #[must_use]
    pub fn from_json(value: &Json) -> Option<Self> {
        DEFAULT_POLICIES
            .iter()
            .map(|(name, permissions)| {
                let keys = value.get(name)?;
                let key = |n: usize| keys.get(n).and_then(Json::as_str).map(Secret::new);
                Some(Policy {
                    name: (*name).to_owned(),
                    permissions: *permissions,
                    primary: key(0)?,
                    secondary: key(1)?,
                })
            })
            .collect::<Option<Vec<_>>>()
            .map(Self)
    }

    /// Name to `[primary, secondary]`, keys in the clear: for the hub's own data file only.
    #[must_use]
    pub fn to_json(&self) -> Json {
        self.0
            .iter()
            .map(|policy| {
                let keys = [policy.primary.reveal(), policy.secondary.reveal()];
                (policy.name.clone(), Json::from_iter(keys))
            })
            .collect()
    }

    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Policy> {
        self.0.iter().find(|policy| policy.name == name)
    }

    /// Checks the `Authorization` header of a service call that needs `permission` on `path` (`devices`, `devices/d1`).
    /// The host in the token is not insisted on: through forwarders and hosts files a local hub has many names.
    ///
    /// # Errors
    /// 401003 for a token that is malformed, or expired by more than [`CLOCK_SKEW_S`]; 401002 for a missing one, another hub's key, an unknown policy
    /// or a missing permission.
    pub fn authorise(
        &self,
        header: Option<&str>,
        path: &str,
        permission: Permission,
        now_s: u64,
    ) -> Result<(), Refused> {
        let header = header.ok_or_else(|| unauthorized("Unauthorized"))?;
        let token = sas::parse(header).map_err(|error| Refused {
            code: ErrorCode::IOT_HUB_UNAUTHORIZED,
            message: format!("the token cannot be read: {error}"),
        })?;
        self.check(&token, path, permission, now_s)
    }

    /// As [`Policies::authorise`], for a token that was read.
    ///
    /// # Errors
    /// As there.
    pub fn check(&self, token: &Token, path: &str, permission: Permission, now_s: u64) -> Result<(), Refused> {
        // One text for an unknown policy and a wrong key: a caller without a key learns no names.
        let refused = || unauthorized("Unauthorized");
        let policy = token.policy.as_deref().and_then(|name| self.by_name(name)).ok_or_else(refused)?;
        if !(token.is_signed_by(&policy.primary) || token.is_signed_by(&policy.secondary)) {
            return Err(refused());
        }
        covers(token, path)?;
        not_expired(token, now_s)?;
        if policy.permissions.allow(permission) {
            Ok(())
        } else {
            Err(unauthorized(&format!("the policy {} does not carry {}", policy.name, permission.word())))
        }
    }
}

impl Default for Policies {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether the token reaches `path` on the host it names itself.
///
/// # Errors
/// 401002 when it is for something else.
pub fn covers(token: &Token, path: &str) -> Result<(), Refused> {
    let host = token.resource.split('/').next().unwrap_or_default();
    if !host.is_empty() && token.covers(&format!("{host}/{path}")) {
        Ok(())
    } else {
        Err(unauthorized("the token is for another resource"))
    }
}

/// Seconds beyond a token's end in which it is still good, for clocks that differ: the service is said to use a constant of five
/// minutes (Azure/azure-iot-sdk-csharp issue 97), and over HTTPS a token was seen to last so much longer (issue 565 there).
pub const CLOCK_SKEW_S: u64 = 5 * 60;

/// # Errors
/// 401003 when the token's time is over, by [`CLOCK_SKEW_S`].
pub fn not_expired(token: &Token, now_s: u64) -> Result<(), Refused> {
    if token.expiry.saturating_add(CLOCK_SKEW_S) > now_s {
        Ok(())
    } else {
        Err(Refused { code: ErrorCode::IOT_HUB_UNAUTHORIZED, message: "the token has expired".to_owned() })
    }
}

/// 401002 with a text.
#[must_use]
pub fn unauthorized(message: &str) -> Refused {
    Refused { code: ErrorCode::IOT_HUB_UNAUTHORIZED_ACCESS, message: message.to_owned() }
}
