//! What a client asks for when it creates or updates one identity.

use super::fields::{
    authentication, check_authentication, filled, iot_edge, object, parent_scopes, status, text, wrong,
};
use super::{Authentication, IdentityError, IdentityRequest};
use crate::protocol::secret::Secret;
use crate::twin::{AuthKind, Etag, Json, JsonMap, Status, TwinId};
use serde_json::json;

const MAX_REASON_CHARS: usize = 128;

/// Reads the body of a PUT. Checks: id in the body equals the path's (where it is given), status word, reason ≤ 128
/// characters, both keys or neither and each base64 of 16–64 bytes, thumbprints 40 or 64 hex digits. Absent, null or empty
/// keys and thumbprints are `None`; `type` in any case. A module's status, capabilities and scope are not looked at, as it
/// has none. Fields a client may only read are ignored: clients send back whole records.
///
/// # Errors
/// The first field that is wrong.
pub fn request_from_json(id: &TwinId, value: &Json) -> Result<IdentityRequest, IdentityError> {
    let map = object(value, "the body")?;
    if filled(map, "deviceId")?.is_some_and(|device| device != id.device) {
        return Err(wrong("deviceId", "is not the one in the path"));
    }
    if filled(map, "moduleId")?.is_some_and(|module| Some(module) != id.module) {
        return Err(wrong("moduleId", "is not the one in the path"));
    }
    read_fields(id.clone(), map)
}

/// All but the ids, which have other names in a bulk item.
pub(super) fn read_fields(id: TwinId, map: &JsonMap) -> Result<IdentityRequest, IdentityError> {
    let is_device = id.module.is_none();
    let authentication = authentication(map)?;
    if let Some(authentication) = &authentication {
        check_authentication(authentication)?;
    }
    let status_reason = if is_device { text(map, "statusReason")?.map(str::to_owned) } else { None };
    if status_reason.as_ref().is_some_and(|reason| reason.chars().count() > MAX_REASON_CHARS) {
        return Err(wrong("statusReason", format!("has more than {MAX_REASON_CHARS} characters")));
    }
    Ok(IdentityRequest {
        status: if is_device { status(map)? } else { Status::Enabled },
        status_reason: status_reason.filter(|reason| !reason.is_empty()),
        authentication,
        iot_edge: is_device && iot_edge(map)?,
        device_scope: if is_device { filled(map, "deviceScope")? } else { None },
        parent_scopes: if is_device { parent_scopes(map)? } else { Vec::new() },
        managed_by: if is_device { None } else { filled(map, "managedBy")? },
        etag: filled(map, "etag")?.map(Etag),
        id,
    })
}

/// The body of a PUT. Keys are in it: for the wire only. Absent keys are sent as empty ones, as Microsoft's SDKs do: the hub
/// makes them.
#[must_use]
pub fn request_to_json(request: &IdentityRequest) -> Json {
    let mut map = JsonMap::new();
    let mut put = |name: &str, value: Json| map.insert(name.to_owned(), value);
    put("deviceId", json!(request.id.device));
    if let Some(module) = &request.id.module {
        put("moduleId", json!(module));
        put("managedBy", json!(request.managed_by));
    } else {
        put("status", json!(request.status.word()));
        put("statusReason", json!(request.status_reason));
        put("capabilities", json!({ "iotEdge": request.iot_edge }));
        if let Some(scope) = &request.device_scope {
            put("deviceScope", json!(scope));
        }
        if !request.parent_scopes.is_empty() {
            put("parentScopes", json!(request.parent_scopes));
        }
    }
    if let Some(etag) = &request.etag {
        put("etag", json!(etag.0));
    }
    if let Some(authentication) = &request.authentication {
        put("authentication", authentication_request(authentication));
    }
    Json::Object(map)
}

fn authentication_request(authentication: &Authentication) -> Json {
    let key = |key: &Option<Secret>| json!(key.as_ref().map(Secret::reveal).unwrap_or_default());
    let mut map = JsonMap::new();
    if authentication.kind == AuthKind::Sas || authentication.primary_key.is_some() {
        let keys = json!({
            "primaryKey": key(&authentication.primary_key),
            "secondaryKey": key(&authentication.secondary_key),
        });
        map.insert("symmetricKey".to_owned(), keys);
    }
    if authentication.primary_thumbprint.is_some() || authentication.secondary_thumbprint.is_some() {
        let thumbprints = json!({
            "primaryThumbprint": authentication.primary_thumbprint,
            "secondaryThumbprint": authentication.secondary_thumbprint,
        });
        map.insert("x509Thumbprint".to_owned(), thumbprints);
    }
    map.insert("type".to_owned(), json!(authentication.kind.word()));
    Json::Object(map)
}
