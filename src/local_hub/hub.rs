//! One hub, shared by its sockets: takes the lock, changes the registry, commits, then tells the connections that must know.
//!
//! This is the seam between the REST face and the MQTT face.

use super::mqtt::Sessions;
use crate::protocol::error::ErrorCode;
use crate::protocol::mqtt::UserName;
use crate::twin::{Json, TwinId};

/// Why an operation is refused. `message` is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub code: ErrorCode,
    pub message: String,
}

/// A connection that may be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Seconds since 1970 when the token ends; `None` for certificates.
    pub expires: Option<u64>,
}

pub struct Hub {
    sessions: Sessions,
}

impl Hub {
    /// The MQTT side's state: who is connected, kept subscriptions.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Seconds since 1970, from the one clock the hub uses.
    #[must_use]
    pub fn now_s(&self) -> u64 {
        todo!()
    }

    /// UTC now, ISO 8601 with 7 fractional digits and `Z`.
    #[must_use]
    pub fn now_text(&self) -> String {
        todo!()
    }

    /// The checks of a CONNECT that concern the identity (protocol §4.2): exists, enabled, the token covers it and is signed by its key or by a
    /// policy with `DeviceConnect`, not expired; or the client certificate (DER) fits.
    ///
    /// # Errors
    /// The reason, for the log; the wire says 5.
    pub fn admit(
        &self,
        id: &TwinId,
        user: &UserName,
        password: Option<&str>,
        certificate: Option<&[u8]>,
    ) -> Result<Admission, Refused> {
        let _ = (id, user, password, certificate);
        todo!()
    }

    /// The identity's own view: `{"desired":{…,"$version":n},"reported":{…,"$version":n}}`.
    ///
    /// # Errors
    /// When the identity is gone.
    pub fn device_view(&self, id: &TwinId) -> Result<Json, Refused> {
        let _ = id;
        todo!()
    }

    /// A reported PATCH as the device sent it; the new reported `$version`, once committed.
    ///
    /// # Errors
    /// 400 for malformed JSON or a broken rule, 412 for a stale `expected` version.
    pub async fn report(&self, id: &TwinId, patch: &[u8], expected: Option<u64>) -> Result<u64, Refused> {
        let _ = (id, patch, expected);
        todo!()
    }

    /// The identity's connection opened or closed; moves `connectionState` and `lastActivityTime`, no counter.
    pub fn set_connected(&self, id: &TwinId, state: crate::twin::ConnectionState) {
        let _ = (id, state);
        todo!()
    }

    /// The model id a device announced in its user name.
    pub fn set_model_id(&self, id: &TwinId, model_id: &str) {
        let _ = (id, model_id);
        todo!()
    }

    /// Telemetry arrived: moves `lastActivityTime`, counts, and is kept in a bounded ring for whoever shows it.
    pub fn telemetry(&self, id: &TwinId, bag: &str, payload: &[u8]) {
        let _ = (id, bag, payload);
        todo!()
    }
}
