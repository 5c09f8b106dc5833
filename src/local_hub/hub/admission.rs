//! Which connection may be opened: the checks of a token or a client certificate against the identity.

use super::{Hub, Refused};
use crate::local_hub::policies::{self, unauthorized};
use crate::local_hub::x509::{self, ClientCertificates};
use crate::protocol::error::ErrorCode;
use crate::protocol::identity::Authentication;
use crate::protocol::mqtt::UserName;
use crate::protocol::policy::Permission;
use crate::protocol::sas;
use crate::twin::{AuthKind, Status, TwinId};

/// Seconds an open MQTT connection outlives its token. The service was seen to close it ten minutes after the expiry
/// (Azure/azure-iot-sdk-csharp issue 564); Microsoft's Java tests count on so many (Azure/azure-iot-sdk-java pull request 702).
pub const EXPIRED_GRACE_S: u64 = 10 * 60;

/// A connection that may be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Seconds since 1970 when the connection ends, ten minutes after the token. `None` for certificates: their end is looked at when a connection is opened, as
    /// TLS does, and does not close one that is open. Whether the real hub does is not documented.
    pub expires: Option<u64>,
}

impl Hub {
    /// The checks of a CONNECT that concern the identity : exists, enabled, the token covers it and is signed by its key or by a
    /// policy with `DeviceConnect`, not expired; or the client certificate fits. Which of the two proves it is the identity's choice: one
    /// with certificates is not let in by a token, of whatever key, nor one with keys by a certificate.
    ///
    /// # Errors
    /// The reason, for the log; the wire says 5.
    pub fn admit(
        &self,
        id: &TwinId,
        user: &UserName,
        password: Option<&str>,
        certificates: &ClientCertificates,
    ) -> Result<Admission, Refused> {
        if !user.names(id) {
            return Err(unauthorized("the user name names another identity than the client id"));
        }
        self.admit_identity(id, password, certificates)
    }

    fn admit_identity(
        &self,
        id: &TwinId,
        password: Option<&str>,
        certificates: &ClientCertificates,
    ) -> Result<Admission, Refused> {
        let (authentication, status) = self.proof_of(id)?;
        let admission = self.prove(id, &authentication, password, certificates)?;
        // Told only to who proved to be the device, or to speak for it.
        if status == Status::Disabled {
            let message = format!("{} is disabled", id.device);
            return Err(Refused { code: ErrorCode::DEVICE_DISABLED, message });
        }
        Ok(admission)
    }

    fn prove(
        &self,
        id: &TwinId,
        authentication: &Authentication,
        password: Option<&str>,
        certificates: &ClientCertificates,
    ) -> Result<Admission, Refused> {
        let Some(password) = password.filter(|password| !password.is_empty()) else {
            x509::check(certificates, id, authentication, &self.authorities, self.now_s())
                .map_err(|unfit| unauthorized(&unfit.to_string()))?;
            return Ok(Admission { expires: None });
        };
        if matches!(authentication.kind, AuthKind::SelfSigned | AuthKind::CertificateAuthority) {
            return Err(unauthorized("a token was given, but this identity proves itself with a certificate"));
        }
        let token = sas::parse(password).map_err(|error| Refused {
            code: ErrorCode::IOT_HUB_UNAUTHORIZED,
            message: format!("the password is no token: {error}"),
        })?;
        // The host in the token is not insisted on; what follows it must lead to this identity.
        let uri = sas::resource("", Some(id));
        let path = uri.trim_start_matches('/');
        let now_s = self.now_s();
        if token.policy.is_some() {
            self.policies.check(&token, path, Permission::DeviceConnect, now_s)?;
        } else {
            let keys = [&authentication.primary_key, &authentication.secondary_key];
            let signed =
                authentication.kind == AuthKind::Sas && keys.into_iter().flatten().any(|key| token.is_signed_by(key));
            if !signed {
                return Err(unauthorized("the token is not signed by a key of this identity"));
            }
            policies::covers(&token, path)?;
            policies::not_expired(&token, now_s)?;
        }
        Ok(Admission { expires: Some(token.expiry.saturating_add(EXPIRED_GRACE_S)) })
    }

    /// How it proves itself, and whether its device is enabled. One that does not exist is as unauthorized as one with a wrong key.
    fn proof_of(&self, id: &TwinId) -> Result<(Authentication, Status), Refused> {
        self.read(|registry| {
            let gone = || unauthorized(&format!("{id} does not exist"));
            let device = registry.device(&id.device).ok_or_else(gone)?;
            let record = match &id.module {
                None => Some(&device.record),
                Some(module) => device.modules.get(module),
            };
            record.map(|record| (record.authentication.clone(), device.record.status)).ok_or_else(gone)
        })
    }

    /// As [`Hub::admit`], for a call of the device API: `header` is its `Authorization`, `certificates` those of its TLS session.
    ///
    /// # Errors
    /// 401 with the reason, as the service API answers; 403 for a disabled device that proved to be it.
    pub fn admit_call(
        &self,
        id: &TwinId,
        header: Option<&str>,
        certificates: &ClientCertificates,
    ) -> Result<Admission, Refused> {
        self.admit_identity(id, header, certificates)
    }
}
