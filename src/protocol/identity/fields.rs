//! Reading fields of a record: names in any case, null the same as absent, every complaint with the field's name and never
//! with a key's text.

use super::{Authentication, IdentityError, Secret};
use crate::protocol::sas;
use crate::twin::{AuthKind, Json, JsonMap, Status};

pub(super) fn wrong(field: &'static str, problem: impl Into<String>) -> IdentityError {
    IdentityError::Field { field, problem: problem.into() }
}

/// A member by name, the exact one first, else in any case (a live hub has sent `PrimaryThumbprint`).
pub(super) fn get<'a>(map: &'a JsonMap, name: &str) -> Option<&'a Json> {
    map.get(name)
        .or_else(|| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
        .filter(|value| !value.is_null())
}

pub(super) fn object<'a>(value: &'a Json, field: &'static str) -> Result<&'a JsonMap, IdentityError> {
    value.as_object().ok_or_else(|| wrong(field, "is not an object"))
}

pub(super) fn member<'a>(map: &'a JsonMap, field: &'static str) -> Result<Option<&'a JsonMap>, IdentityError> {
    get(map, field).map(|value| object(value, field)).transpose()
}

pub(super) fn text<'a>(map: &'a JsonMap, field: &'static str) -> Result<Option<&'a str>, IdentityError> {
    match get(map, field) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(field, "is not a string")),
    }
}

/// As [`text`]; an empty one is `None`.
pub(super) fn filled(map: &JsonMap, field: &'static str) -> Result<Option<String>, IdentityError> {
    Ok(text(map, field)?.filter(|text| !text.is_empty()).map(str::to_owned))
}

pub(super) fn status(map: &JsonMap) -> Result<Status, IdentityError> {
    match text(map, "status")? {
        None => Ok(Status::Enabled),
        Some(word) if word.eq_ignore_ascii_case("enabled") => Ok(Status::Enabled),
        Some(word) if word.eq_ignore_ascii_case("disabled") => Ok(Status::Disabled),
        Some(_) => Err(wrong("status", "is neither enabled nor disabled")),
    }
}

/// `capabilities.iotEdge`, false when absent.
pub(super) fn iot_edge(map: &JsonMap) -> Result<bool, IdentityError> {
    match member(map, "capabilities")?.and_then(|capabilities| get(capabilities, "iotEdge")) {
        None => Ok(false),
        Some(Json::Bool(edge)) => Ok(*edge),
        Some(_) => Err(wrong("capabilities.iotEdge", "is not a boolean")),
    }
}

/// `parentScopes`, empty when absent; what is no text in it is passed over.
pub(super) fn parent_scopes(map: &JsonMap) -> Result<Vec<String>, IdentityError> {
    match get(map, "parentScopes") {
        None => Ok(Vec::new()),
        Some(Json::Array(scopes)) => Ok(scopes.iter().filter_map(Json::as_str).map(str::to_owned).collect()),
        Some(_) => Err(wrong("parentScopes", "is not an array")),
    }
}

/// The `authentication` object, contents not checked. Without a `type` it is what its contents say: a certificate when there
/// is a thumbprint, else keys.
pub(super) fn authentication(map: &JsonMap) -> Result<Option<Authentication>, IdentityError> {
    let Some(map) = member(map, "authentication")? else { return Ok(None) };
    let pair = |object: &'static str, primary: &'static str, secondary: &'static str| {
        let Some(pair) = member(map, object)? else { return Ok((None, None)) };
        Ok::<_, IdentityError>((filled(pair, primary)?, filled(pair, secondary)?))
    };
    let (primary_key, secondary_key) = pair("symmetricKey", "primaryKey", "secondaryKey")?;
    let (primary_thumbprint, secondary_thumbprint) =
        pair("x509Thumbprint", "primaryThumbprint", "secondaryThumbprint")?;
    let kinds = [AuthKind::Sas, AuthKind::SelfSigned, AuthKind::CertificateAuthority, AuthKind::None];
    let kind = match text(map, "type")? {
        Some(word) => kinds
            .into_iter()
            .find(|kind| kind.word().eq_ignore_ascii_case(word))
            .ok_or_else(|| wrong("authentication.type", "is none of sas, selfSigned, certificateAuthority and none"))?,
        None if primary_thumbprint.is_some() || secondary_thumbprint.is_some() => AuthKind::SelfSigned,
        None => AuthKind::Sas,
    };
    Ok(Some(Authentication {
        kind,
        primary_key: primary_key.map(Secret::new),
        secondary_key: secondary_key.map(Secret::new),
        primary_thumbprint,
        secondary_thumbprint,
    }))
}

/// The rules for what a client may ask: both keys or neither, each base64 of 16 to 64 bytes; thumbprints SHA-1 or SHA-256.
pub(super) fn check_authentication(authentication: &Authentication) -> Result<(), IdentityError> {
    let keys = [&authentication.primary_key, &authentication.secondary_key];
    if keys.iter().filter(|key| key.is_some()).count() == 1 {
        return Err(wrong("authentication.symmetricKey", "needs both keys or neither"));
    }
    for key in keys.into_iter().flatten() {
        if !sas::key_bytes(key).is_some_and(|bytes| (16..=64).contains(&bytes.len())) {
            return Err(wrong("authentication.symmetricKey", "has a key that is not base64 of 16 to 64 bytes"));
        }
    }
    let thumbprints = [&authentication.primary_thumbprint, &authentication.secondary_thumbprint];
    for thumbprint in thumbprints.into_iter().flatten() {
        if !matches!(thumbprint.len(), 40 | 64) || !thumbprint.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong("authentication.x509Thumbprint", "has a thumbprint that is not 40 or 64 hex digits"));
        }
    }
    Ok(())
}
