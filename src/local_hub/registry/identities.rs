//! The identity registry: create, update, delete devices and modules.

use super::record::{Device, Record};
use super::{Change, IDENTITIES_MAX, MODULES_MAX, Notice, Registry, happened, invalid};
use crate::local_hub::clock::Moment;
use crate::local_hub::hub::Refused;
use crate::local_hub::policies::unauthorized;
use crate::protocol::error::ErrorCode;
use crate::protocol::event::What;
use crate::protocol::identity::{Authentication, Identity, IdentityRequest};
use crate::protocol::rest::IfMatch;
use crate::protocol::secret::Secret;
use crate::twin::{AuthKind, Etag, Status, TwinId};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;

/// What the hub puts on an edge device by itself.
const EDGE_MODULES: [&str; 2] = ["$edgeAgent", "$edgeHub"];

impl Registry {
    /// # Errors
    /// 404 with the code of the kind; for a module 401002 when its device is absent or disabled.
    pub fn identity(&self, id: &TwinId) -> Result<Identity, Refused> {
        self.reachable(id)?;
        self.record(id).map(|record| record.identity(id)).ok_or_else(|| missing(id))
    }

    /// The modules of a device, system modules included, ordered by id.
    ///
    /// # Errors
    /// 401002 when the device is absent or disabled.
    pub fn module_identities(&self, device: &str) -> Result<Vec<Identity>, Refused> {
        self.reachable(&TwinId::module(device, ""))?;
        let Some(device_) = self.device(device) else { return Ok(Vec::new()) };
        Ok(device_.modules.iter().map(|(module, record)| record.identity(&TwinId::module(device, module))).collect())
    }

    /// PUT: without If-Match create only, with it update only.
    ///
    /// # Errors
    /// 409 when it is there already, 404 when it is not, 412 for a stale etag, 400 for a request that cannot be, 413 at a limit.
    pub fn put_identity(
        &mut self,
        request: &IdentityRequest,
        if_match: &IfMatch,
        now: &Moment,
    ) -> Result<Change, Refused> {
        let id = &request.id;
        self.reachable(id)?;
        refuse_system_module(id)?;
        let etag = self.record(id).map(|record| record.identity_etag());
        match (if_match, etag) {
            (IfMatch::Absent, Some(_)) => Err(already_there(id)),
            (IfMatch::Absent, None) => self.create_identity(request, now),
            (_, None) => Err(missing(id)),
            (wanted, Some(present)) => {
                fits(wanted, &present)?;
                self.update_identity(request, now)
            }
        }
    }

    /// DELETE: a device takes its modules along.
    ///
    /// # Errors
    /// 412 without If-Match or with a stale one, 404, 400 for a system module.
    pub fn delete_identity(&mut self, id: &TwinId, if_match: &IfMatch, now: &Moment) -> Result<Change, Refused> {
        self.reachable(id)?;
        refuse_system_module(id)?;
        if *if_match == IfMatch::Absent {
            return Err(precondition("Etag missing: send If-Match with the etag, or with *"));
        }
        let etag = self.record(id).map(|record| record.identity_etag()).ok_or_else(|| missing(id))?;
        fits(if_match, &etag)?;
        Ok(self.remove_identity(id, now))
    }

    /// Adds an identity that is known to be absent.
    pub(super) fn create_identity(&mut self, request: &IdentityRequest, now: &Moment) -> Result<Change, Refused> {
        let id = &request.id;
        let extra = if request.iot_edge && id.module.is_none() { EDGE_MODULES.len() } else { 0 };
        if self.device_count() + self.modules + 1 + extra > IDENTITIES_MAX {
            let message = format!("a hub has at most {IDENTITIES_MAX} devices and modules");
            return Err(Refused { code: ErrorCode::TOO_MANY_DEVICES, message });
        }
        let authentication = authentication(request, self.mint.key)?;
        let mut record = Record::fresh(self.next_generation(now.ticks), self.mint.counters(), authentication, now);
        apply(&mut record, request);
        let created = happened(id, now, What::Created);
        let mut change = Change { writes: vec![id.clone()], notices: vec![created] };
        if let Some(module) = &id.module {
            self.note_record(id);
            let Some(device) = self.device_mut(&id.device) else { return Err(missing(&id.parent())) };
            if device.modules.len() >= MODULES_MAX {
                let message = format!("a device has at most {MODULES_MAX} modules");
                return Err(Refused { code: ErrorCode::TOO_MANY_MODULES_ON_DEVICE, message });
            }
            device.modules.insert(module.clone(), record);
            self.modules += 1;
        } else {
            let mut device = Device { record, modules: BTreeMap::new() };
            if request.iot_edge {
                device.record.device_scope = Some(edge_scope(&id.device, now));
                self.add_edge_modules(&id.device, &mut device, now, &mut change);
            }
            self.insert_device(&id.device, device);
        }
        Ok(change)
    }

    /// Replaces the writable part of an identity that is known to be there.
    pub(super) fn update_identity(&mut self, request: &IdentityRequest, now: &Moment) -> Result<Change, Refused> {
        let id = &request.id;
        let authentication = authentication(request, self.mint.key)?;
        let before = self.record(id).ok_or_else(|| missing(id))?.into_owned();
        // The hub's own, to be sent back as it was read: one that is left out counts as another.
        if before.iot_edge && request.iot_edge && request.device_scope != before.device_scope {
            return Err(invalid("Device scope is immutable"));
        }
        let mut after = before.clone();
        after.identity_counter += 1;
        if after.status != request.status {
            after.status_updated.clone_from(&now.text);
        }
        after.authentication = authentication;
        apply(&mut after, request);
        let mut change = Change { writes: vec![id.clone()], notices: Vec::new() };
        let cut_off = after.status == Status::Disabled && before.status == Status::Enabled;
        if cut_off || after.authentication != before.authentication {
            change.notices.push(Notice::Drop(id.clone()));
        }
        if id.module.is_none() && cut_off {
            let modules = self.device(&id.device).map(|device| device.modules.keys().cloned().collect::<Vec<_>>());
            for module in modules.unwrap_or_default() {
                change.notices.push(Notice::Drop(TwinId::module(&id.device, module)));
            }
        }
        if id.module.is_none() && after.iot_edge != before.iot_edge {
            self.change_edge(id, &mut after, now, &mut change);
        } else if after.iot_edge {
            after.device_scope = before.device_scope;
        }
        *self.record_mut(id).ok_or_else(|| missing(id))? = after;
        Ok(change)
    }

    /// Takes out an identity that is known to be there.
    pub(super) fn remove_identity(&mut self, id: &TwinId, now: &Moment) -> Change {
        let mut gone = Vec::new();
        if let Some(module) = &id.module {
            self.note_record(id);
            let removed = self.device_mut(&id.device).and_then(|device| device.modules.remove(module));
            self.modules -= usize::from(removed.is_some());
            gone.push(id.clone());
        } else {
            let modules = self.remove_device(&id.device).map(|device| device.modules).unwrap_or_default();
            gone.extend(modules.into_keys().map(|module| TwinId::module(&id.device, module)));
            gone.push(id.clone());
        }
        let forget = |id: &TwinId| [Notice::Forget(id.clone()), happened(id, now, What::Deleted)];
        Change { notices: gone.iter().flat_map(forget).collect(), writes: gone }
    }

    /// Module identity calls on a device that is absent or disabled are answered as if the key were wrong.
    pub(super) fn reachable(&self, id: &TwinId) -> Result<(), Refused> {
        if id.module.is_none() {
            return Ok(());
        }
        match self.device(&id.device) {
            Some(device) if device.record.status == Status::Enabled => Ok(()),
            _ => Err(unauthorized("Unauthorized")),
        }
    }

    fn change_edge(&mut self, id: &TwinId, after: &mut Record, now: &Moment, change: &mut Change) {
        if after.iot_edge {
            after.device_scope = Some(edge_scope(&id.device, now));
            let Some(mut device) = self.device(&id.device).map(std::borrow::Cow::into_owned) else { return };
            self.add_edge_modules(&id.device, &mut device, now, change);
            self.insert_device(&id.device, device);
        } else {
            after.device_scope = None;
            for module in EDGE_MODULES {
                let gone = self.remove_identity(&TwinId::module(&id.device, module), now);
                change.writes.extend(gone.writes);
                change.notices.extend(gone.notices);
            }
        }
    }

    fn add_edge_modules(&mut self, id: &str, device: &mut Device, now: &Moment, change: &mut Change) {
        for module in EDGE_MODULES {
            let (generation, counters) = (self.next_generation(now.ticks), self.mint.counters());
            let mut record = Record::fresh(generation, counters, no_authentication(), now);
            record.managed_by = Some("iotEdge".to_owned());
            device.modules.insert(module.to_owned(), record);
            let id = TwinId::module(id, module);
            change.notices.push(happened(&id, now, What::Created));
            change.writes.push(id);
        }
    }
}

/// The writable fields, authentication apart.
fn apply(record: &mut Record, request: &IdentityRequest) {
    if request.id.module.is_some() {
        record.managed_by.clone_from(&request.managed_by);
        return;
    }
    record.status = request.status;
    record.status_reason.clone_from(&request.status_reason);
    record.iot_edge = request.iot_edge;
    if request.iot_edge {
        record.parent_scopes.clone_from(&request.parent_scopes);
    } else {
        record.device_scope = request.device_scope.clone().filter(|scope| !scope.is_empty());
        record.parent_scopes = record.device_scope.iter().cloned().collect();
    }
}

fn edge_scope(device: &str, now: &Moment) -> String {
    format!("ms-azure-iot-edge://{device}-{}", now.ticks)
}

/// How the identity will prove itself: keys are made where none are given.
fn authentication(request: &IdentityRequest, mint: fn() -> Secret) -> Result<Authentication, Refused> {
    let given =
        request.authentication.clone().unwrap_or_else(|| Authentication { kind: AuthKind::Sas, ..no_authentication() });
    let kind = match given.kind {
        AuthKind::None if request.id.module.is_some() => AuthKind::Sas,
        AuthKind::None => {
            let message = "a device needs an authentication type".to_owned();
            return Err(Refused { code: ErrorCode::DEVICE_AUTHENTICATION_TYPE_IS_MISSING, message });
        }
        kind => kind,
    };
    let key = |key: Option<Secret>| Some(key.filter(|key| !key.is_empty()).unwrap_or_else(mint));
    Ok(match kind {
        AuthKind::Sas => Authentication {
            kind,
            primary_key: key(given.primary_key),
            secondary_key: key(given.secondary_key),
            ..no_authentication()
        },
        AuthKind::SelfSigned => Authentication { kind, primary_key: None, secondary_key: None, ..given },
        AuthKind::CertificateAuthority | AuthKind::None => Authentication { kind, ..no_authentication() },
    })
}

fn no_authentication() -> Authentication {
    Authentication {
        kind: AuthKind::None,
        primary_key: None,
        secondary_key: None,
        primary_thumbprint: None,
        secondary_thumbprint: None,
    }
}

/// Whether an If-Match lets a write to an identity through; quoted or not makes no difference here.
pub(super) fn fits(if_match: &IfMatch, present: &Etag) -> Result<(), Refused> {
    match if_match {
        IfMatch::Absent | IfMatch::Any => Ok(()),
        IfMatch::Quoted(etag) | IfMatch::Unquoted(etag) if etag == present => Ok(()),
        IfMatch::Quoted(etag) | IfMatch::Unquoted(etag) => {
            let (existing, new) = (version(present), version(etag));
            Err(precondition(&format!(
                "Precondition failed: Device version did not match, existingVersion:{existing} newVersion:{new}"
            )))
        }
    }
}

/// The number behind an identity's etag; of a text that is no such etag, the text.
fn version(etag: &Etag) -> String {
    let decoded = STANDARD.decode(&etag.0).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or_else(|| etag.0.clone())
}

pub(super) fn precondition(message: &str) -> Refused {
    Refused { code: ErrorCode::PRECONDITION_FAILED, message: message.to_owned() }
}

pub(super) fn refuse_system_module(id: &TwinId) -> Result<(), Refused> {
    match &id.module {
        Some(module) if module.starts_with('$') => {
            Err(invalid(format!("{module} is a system module: the hub makes and removes it with its edge device")))
        }
        _ => Ok(()),
    }
}

pub(super) fn missing(id: &TwinId) -> Refused {
    let code = if id.module.is_some() { ErrorCode::MODULE_NOT_FOUND } else { ErrorCode::DEVICE_NOT_FOUND };
    Refused { code, message: id.to_string() }
}

pub(super) fn already_there(id: &TwinId) -> Refused {
    match &id.module {
        None => Refused {
            code: ErrorCode::DEVICE_ALREADY_EXISTS,
            message: format!("A device with ID '{}' is already registered.", id.device),
        },
        Some(module) => Refused {
            code: ErrorCode::MODULE_ALREADY_EXISTS_ON_DEVICE,
            message: format!("A module with ID '{module}' is already registered on device '{}'.", id.device),
        },
    }
}
