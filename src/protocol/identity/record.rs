//! The record as a hub answers it.

use super::fields::{authentication, filled, get, iot_edge, object, parent_scopes, status, text, wrong};
use super::{Authentication, Identity, IdentityError, NEVER};
use crate::protocol::secret::Secret;
use crate::twin::{AuthKind, ConnectionState, Etag, Json, JsonMap, TwinId};
use serde_json::json;

/// Reads a device or module record as a hub answers it. Field names and thumbprint keys in any case; what is missing gets a
/// neutral value. Ids are not held against the alphabet: what a hub has, it has.
///
/// # Errors
/// When it is no object, lacks the device id, or a field is of another type than it should be.
pub fn from_json(value: &Json) -> Result<Identity, IdentityError> {
    let map = object(value, "the record")?;
    let device = filled(map, "deviceId")?.ok_or_else(|| wrong("deviceId", "is missing"))?;
    let time = |field| Ok::<_, IdentityError>(filled(map, field)?.unwrap_or_else(|| NEVER.to_owned()));
    let is_connected = text(map, "connectionState")?.is_some_and(|word| word.eq_ignore_ascii_case("Connected"));
    Ok(Identity {
        id: TwinId { device, module: filled(map, "moduleId")? },
        generation_id: filled(map, "generationId")?.unwrap_or_default(),
        etag: Etag(filled(map, "etag")?.unwrap_or_default()),
        status: status(map)?,
        status_reason: filled(map, "statusReason")?,
        status_updated_time: time("statusUpdatedTime")?,
        connection_state: if is_connected { ConnectionState::Connected } else { ConnectionState::Disconnected },
        connection_state_updated_time: time("connectionStateUpdatedTime")?,
        last_activity_time: time("lastActivityTime")?,
        cloud_to_device_message_count: get(map, "cloudToDeviceMessageCount").and_then(Json::as_u64).unwrap_or(0),
        authentication: authentication(map)?.unwrap_or(Authentication {
            kind: AuthKind::None,
            primary_key: None,
            secondary_key: None,
            primary_thumbprint: None,
            secondary_thumbprint: None,
        }),
        iot_edge: iot_edge(map)?,
        device_scope: filled(map, "deviceScope")?,
        parent_scopes: parent_scopes(map)?,
        managed_by: filled(map, "managedBy")?,
    })
}

/// The record as a hub answers it, and as a client sends it (a module's has no status, capabilities or scope). Keys are in it:
/// for the wire only. Where there are no scopes they are empty, as on the real hub.
#[must_use]
pub fn to_json(identity: &Identity) -> Json {
    let mut map = JsonMap::new();
    let mut put = |name: &str, value: Json| map.insert(name.to_owned(), value);
    if let Some(module) = &identity.id.module {
        put("moduleId", json!(module));
        put("managedBy", json!(identity.managed_by));
    }
    put("deviceId", json!(identity.id.device));
    put("generationId", json!(identity.generation_id));
    put("etag", json!(identity.etag.0));
    put("connectionState", json!(identity.connection_state.word()));
    if identity.id.module.is_none() {
        put("status", json!(identity.status.word()));
        put("statusReason", json!(identity.status_reason));
        put("statusUpdatedTime", json!(identity.status_updated_time));
    }
    put("connectionStateUpdatedTime", json!(identity.connection_state_updated_time));
    put("lastActivityTime", json!(identity.last_activity_time));
    put("cloudToDeviceMessageCount", json!(identity.cloud_to_device_message_count));
    put("authentication", authentication_to_json(&identity.authentication));
    if identity.id.module.is_none() {
        put("capabilities", json!({ "iotEdge": identity.iot_edge }));
        put("deviceScope", json!(identity.device_scope.as_deref().unwrap_or_default()));
        put("parentScopes", json!(identity.parent_scopes));
    }
    Json::Object(map)
}

/// Both pairs are always there, null where there is nothing: clients index into them.
fn authentication_to_json(authentication: &Authentication) -> Json {
    json!({
        "symmetricKey": {
            "primaryKey": authentication.primary_key.as_ref().map(Secret::reveal),
            "secondaryKey": authentication.secondary_key.as_ref().map(Secret::reveal),
        },
        "x509Thumbprint": {
            "primaryThumbprint": authentication.primary_thumbprint,
            "secondaryThumbprint": authentication.secondary_thumbprint,
        },
        "type": authentication.kind.word(),
    })
}
