//! One hub, shared by its sockets: takes the lock, changes the registry, commits, then tells the connections that must know.
//!
//! This is the seam between the REST face and the MQTT face.

use super::clock::Moment;
use super::commit::Committer;
use super::mqtt::Sessions;
use super::policies::{self, Policies, unauthorized};
use super::registry::{Change, Record, Registry};
use crate::protocol::error::ErrorCode;
use crate::protocol::mqtt::UserName;
use crate::protocol::policy::Permission;
use crate::protocol::sas;
use crate::twin::{AuthKind, ConnectionState, Json, Status, TwinId};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Messages the ring keeps.
const TELEMETRY_MAX: usize = 1000;
/// Bytes kept of one payload, and of its properties.
const TELEMETRY_PAYLOAD_MAX: usize = 4096;
/// Bytes of a model id worth keeping: the DTMI of an interface has at most 128 characters, all ASCII.
const MODEL_ID_MAX: usize = 256;

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

/// One message a device sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telemetry {
    pub id: TwinId,
    /// UTC, ISO 8601.
    pub arrived: String,
    /// The topic's property bag as written, cut at 4096 bytes.
    pub bag: String,
    /// Cut at 4096 bytes.
    pub payload: Vec<u8>,
    /// Bytes of the payload as it came.
    pub bytes: usize,
}

pub struct Hub {
    registry: Mutex<Registry>,
    policies: Policies,
    committer: Committer,
    sessions: Arc<Sessions>,
    telemetry: Mutex<VecDeque<Telemetry>>,
    telemetry_count: AtomicU64,
}

impl Hub {
    /// A hub over what was loaded or seeded. `sessions` is shared with the committer, which tells it what changed.
    #[must_use]
    pub fn new(registry: Registry, policies: Policies, committer: Committer, sessions: Arc<Sessions>) -> Self {
        Self {
            registry: Mutex::new(registry),
            policies,
            committer,
            sessions,
            telemetry: Mutex::new(VecDeque::new()),
            telemetry_count: AtomicU64::new(0),
        }
    }

    /// The MQTT side's state: who is connected, kept subscriptions.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    #[must_use]
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Seconds since 1970, from the one clock the hub uses.
    #[must_use]
    pub fn now_s(&self) -> u64 {
        Moment::now().seconds
    }

    /// UTC now, ISO 8601 with 7 fractional digits and `Z`.
    #[must_use]
    pub fn now_text(&self) -> String {
        Moment::now().text
    }

    /// Looks something up. The work is done under the lock: keep it short.
    pub fn read<T>(&self, look: impl FnOnce(&Registry) -> T) -> T {
        look(&self.lock())
    }

    /// Whether what is in memory is what is kept. After a write that could not be kept it is not, and nobody may rely on it.
    ///
    /// # Errors
    /// 500001 when the data file could not be written, or the hub is stopping.
    pub fn sound(&self) -> Result<(), Refused> {
        if self.committer.takes_writes() { Ok(()) } else { Err(lost()) }
    }

    /// Changes something; returns when the change is kept and the connections were told. If the caller goes away meanwhile,
    /// the change stands.
    ///
    /// # Errors
    /// What `work` refuses; 500001 when the data file cannot be written, or the hub is stopping.
    pub async fn write<T>(
        &self,
        work: impl FnOnce(&mut Registry, &Moment) -> Result<(T, Change), Refused>,
    ) -> Result<T, Refused> {
        let (value, kept) = {
            let mut registry = self.lock();
            self.sound()?;
            let (value, change) = work(&mut registry, &Moment::now())?;
            let writes = change.writes.into_iter().filter(|_| self.committer.keeps()).map(|id| {
                let kept = registry.kept(&id);
                (id, kept)
            });
            // Under the lock still: the committer's order is the order of the changes.
            (value, self.committer.submit(writes.collect(), change.notices))
        };
        match kept.await {
            Ok(Ok(())) => Ok(value),
            Ok(Err(_)) | Err(_) => Err(lost()),
        }
    }

    /// Everything acknowledged is on disk and the data file is closed; later writes are refused.
    pub async fn close(&self) {
        self.committer.close().await;
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
        if !user.names(id) {
            return Err(unauthorized("the user name names another identity than the client id"));
        }
        let authentication = self.may_connect(id)?;
        let Some(password) = password.filter(|password| !password.is_empty()) else {
            // Identities with certificates are known to the registry, but their proof is not checked yet: none gets in.
            let message = if certificate.is_some() {
                "client certificates are not accepted"
            } else {
                "neither a token nor a client certificate was given"
            };
            return Err(unauthorized(message));
        };
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
        Ok(Admission { expires: Some(token.expiry) })
    }

    /// Exists, and its device is enabled.
    fn may_connect(&self, id: &TwinId) -> Result<crate::protocol::identity::Authentication, Refused> {
        self.read(|registry| {
            let gone = || Refused { code: ErrorCode::DEVICE_NOT_FOUND, message: format!("{id} does not exist") };
            let device = registry.device(&id.device).ok_or_else(gone)?;
            if device.record.status == Status::Disabled {
                let message = format!("{} is disabled", id.device);
                return Err(Refused { code: ErrorCode::DEVICE_DISABLED, message });
            }
            let record = match &id.module {
                None => Some(&device.record),
                Some(module) => device.modules.get(module),
            };
            record.map(|record| record.authentication.clone()).ok_or_else(gone)
        })
    }

    /// The identity's own view: `{"desired":{…,"$version":n},"reported":{…,"$version":n}}`.
    ///
    /// # Errors
    /// When the identity is gone, and as [`Hub::sound`].
    pub fn device_view(&self, id: &TwinId) -> Result<Json, Refused> {
        self.sound()?;
        self.read(|registry| registry.record(id).map(|record| record.device_view()))
            .ok_or_else(|| Refused { code: ErrorCode::DEVICE_NOT_FOUND, message: id.to_string() })
    }

    /// A reported PATCH as the device sent it; the new reported `$version`, once committed.
    ///
    /// # Errors
    /// 400 for malformed JSON or a broken rule, 412 for a stale `expected` version.
    pub async fn report(&self, id: &TwinId, patch: &[u8], expected: Option<u64>) -> Result<u64, Refused> {
        self.write(|registry, now| registry.report(id, patch, expected, now)).await
    }

    /// The identity's connection opened; moves `connectionState` and `lastActivityTime`, no counter. The generation of the
    /// identity it opened for, which [`Hub::disconnected`] wants back; `None` when the identity is gone.
    pub fn connected(&self, id: &TwinId) -> Option<String> {
        let mut registry = self.lock();
        let record = registry.record_mut(id)?;
        set_connected(record, ConnectionState::Connected);
        Some(record.generation.clone())
    }

    /// The connection closed. Its farewell may come after the identity was deleted and another made under its name, which then
    /// is none of its business.
    pub fn disconnected(&self, id: &TwinId, generation: &str) {
        if let Some(record) = self.lock().record_mut(id).filter(|record| record.generation == generation) {
            set_connected(record, ConnectionState::Disconnected);
        }
    }

    /// The model id a device announced in its user name; one that is too long to be one is ignored.
    pub fn set_model_id(&self, id: &TwinId, model_id: &str) {
        if model_id.len() > MODEL_ID_MAX {
            tracing::debug!(%id, bytes = model_id.len(), "a model id that is too long is ignored");
            return;
        }
        if let Some(record) = self.lock().record_mut(id) {
            record.model_id = Some(model_id.to_owned()).filter(|model_id| !model_id.is_empty());
        }
    }

    /// Telemetry arrived: moves `lastActivityTime`, counts, and is kept in a bounded ring for whoever shows it.
    pub fn telemetry(&self, id: &TwinId, bag: &str, payload: &[u8]) {
        let arrived = self.now_text();
        if let Some(record) = self.lock().record_mut(id) {
            record.last_activity.clone_from(&arrived);
        }
        self.telemetry_count.fetch_add(1, Ordering::Relaxed);
        let kept = payload.get(..TELEMETRY_PAYLOAD_MAX).unwrap_or(payload).to_vec();
        let bag = beginning(bag, TELEMETRY_PAYLOAD_MAX).to_owned();
        let message = Telemetry { id: id.clone(), arrived, bag, payload: kept, bytes: payload.len() };
        let mut ring = self.telemetry.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.len() == TELEMETRY_MAX {
            ring.pop_front();
        }
        ring.push_back(message);
    }

    /// The last messages, oldest first, and how many came since the start.
    #[must_use]
    pub fn recent_telemetry(&self) -> (Vec<Telemetry>, u64) {
        let ring = self.telemetry.lock().unwrap_or_else(PoisonError::into_inner);
        (ring.iter().cloned().collect(), self.telemetry_count.load(Ordering::Relaxed))
    }

    /// The registry changes by functions that either finish or change nothing, so one that panicked left it whole.
    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lost() -> Refused {
    let message = "the hub keeps nothing any more: it is stopping, or its log says why".to_owned();
    Refused { code: ErrorCode::SERVER_ERROR, message }
}

fn set_connected(record: &mut Record, state: ConnectionState) {
    let now = Moment::now().text;
    record.connected = state == ConnectionState::Connected;
    record.connection_updated.clone_from(&now);
    record.last_activity = now;
}

/// The beginning of a text, not cut within a character.
fn beginning(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
