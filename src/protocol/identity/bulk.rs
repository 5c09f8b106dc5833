//! Many identities in one request: `POST /devices`, a bare array of at most 100 items, and the result it gets.

use super::fields::{filled, get, member, object, text, wrong};
use super::request::read_fields;
use super::{IdentityError, IdentityRequest};
use crate::protocol::error::ErrorCode;
use crate::twin::{Etag, Json, JsonMap, TwinId};
use serde_json::json;

/// The service takes no more in one request.
pub const MAX_BULK_ITEMS: usize = 100;

/// What is to be done with one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImportMode {
    Create,
    Update,
    UpdateIfMatchEtag,
    Delete,
    DeleteIfMatchEtag,
    UpdateTwin,
    UpdateTwinIfMatchEtag,
}

impl ImportMode {
    const ALL: [Self; 7] = [
        Self::Create,
        Self::Update,
        Self::UpdateIfMatchEtag,
        Self::Delete,
        Self::DeleteIfMatchEtag,
        Self::UpdateTwin,
        Self::UpdateTwinIfMatchEtag,
    ];

    /// As the service spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::UpdateIfMatchEtag => "updateIfMatchETag",
            Self::Delete => "delete",
            Self::DeleteIfMatchEtag => "deleteIfMatchETag",
            Self::UpdateTwin => "updateTwin",
            Self::UpdateTwinIfMatchEtag => "updateTwinIfMatchETag",
        }
    }

    /// In any case: Azure IoT Explorer sends `deleteIfMatchEtag`, Node `Update`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.word().eq_ignore_ascii_case(word))
    }
}

/// One item of a bulk request.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkItem {
    pub mode: ImportMode,
    /// Its `etag` is the identity's, for the modes that compare it; `*` matches any.
    pub identity: IdentityRequest,
    /// For the mode that compares the twin's.
    pub twin_etag: Option<Etag>,
    /// Seeds or patches the twin; `None` when absent.
    pub tags: Option<JsonMap>,
    /// As `tags`. Reported properties are not taken: only a device writes them.
    pub desired: Option<JsonMap>,
}

/// Reads the body of a bulk request. Names and `importMode` in any case; without a mode an item is a create.
///
/// # Errors
/// When it is no array, has more than [`MAX_BULK_ITEMS`] items, or one of them cannot be read: the problem says which, counted
/// from 1.
pub fn bulk_from_json(value: &Json) -> Result<Vec<BulkItem>, IdentityError> {
    let items = value.as_array().ok_or_else(|| wrong("the body", "is not an array"))?;
    if items.len() > MAX_BULK_ITEMS {
        return Err(wrong("the body", format!("has {} items, {MAX_BULK_ITEMS} are the most", items.len())));
    }
    let read = |(index, item)| {
        read_item(item).map_err(|error| match error {
            IdentityError::Field { field, problem } => wrong(field, format!("of item {} {problem}", index + 1)),
            error @ IdentityError::NotJson(_) => error,
        })
    };
    items.iter().enumerate().map(read).collect()
}

fn read_item(value: &Json) -> Result<BulkItem, IdentityError> {
    let map = object(value, "the value")?;
    let device = checked_id(map, "id")?.ok_or_else(|| wrong("id", "is missing"))?;
    let id = TwinId { device, module: checked_id(map, "moduleId")? };
    let mode = match text(map, "importMode")? {
        None => ImportMode::Create,
        Some(word) => ImportMode::from_word(word).ok_or_else(|| wrong("importMode", "is not a known mode"))?,
    };
    if let Some(field) = ["desired", "reported"].into_iter().find(|field| get(map, field).is_some()) {
        return Err(wrong(field, "does not stand at the root of a twin but inside properties"));
    }
    let desired = match member(map, "properties")? {
        Some(properties) => member(properties, "desired")?.cloned(),
        None => None,
    };
    Ok(BulkItem {
        mode,
        identity: read_fields(id, map)?,
        twin_etag: get(map, "twinETag").and_then(Json::as_str).map(Etag::from_header),
        tags: member(map, "tags")?.cloned(),
        desired,
    })
}

fn checked_id(map: &JsonMap, field: &'static str) -> Result<Option<String>, IdentityError> {
    let id = filled(map, field)?;
    if let Some(id) = &id {
        TwinId::check(id).map_err(|problem| wrong(field, format!("is no id: {problem}")))?;
    }
    Ok(id)
}

/// Why one item of a bulk request was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkError {
    pub id: TwinId,
    pub code: ErrorCode,
    /// The text for people.
    pub status: String,
    pub operation: ImportMode,
}

/// What was done, but not quite: `DeviceRegisteredWithoutTwin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkWarning {
    pub device: String,
    pub code: &'static str,
    /// The text for people.
    pub status: String,
}

/// The answer's body: sent with 200 when every item was done, else with 400.
#[must_use]
pub fn bulk_result(errors: &[BulkError], warnings: &[BulkWarning]) -> Json {
    let errors_json: Vec<Json> = errors
        .iter()
        .map(|error| {
            json!({
                "deviceId": error.id.device,
                "moduleId": error.id.module,
                "errorCode": error.code.name,
                "errorStatus": error.status,
                "operation": error.operation.word(),
            })
        })
        .collect();
    let warnings_json: Vec<Json> = warnings
        .iter()
        .map(|warning| {
            json!({
                "deviceId": warning.device,
                "warningCode": warning.code,
                "warningStatus": warning.status,
            })
        })
        .collect();
    json!({ "isSuccessful": errors.is_empty(), "errors": errors_json, "warnings": warnings_json })
}
