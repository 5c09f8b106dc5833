//! Writes to twins: PATCH and PUT of the service, reported patches of the device.

use super::metadata::{Stamp, stamp};
use super::record::Record;
use super::{Change, Notice, Registry, happened, invalid, no_twin};
use crate::local_hub::clock::Moment;
use crate::local_hub::hub::Refused;
use crate::protocol::error::ErrorCode;
use crate::protocol::event::What;
use crate::protocol::rest::IfMatch;
use crate::twin::rules::{self, Form, Rule, Violation};
use crate::twin::{Json, JsonMap, Section, TwinId, patch, wire};

/// Bytes of JSON text of tags. By the hub's formula empty objects and control characters are free; memory and sockets pay.
const TAGS_TEXT_MAX: usize = 64 * 1024;
/// Bytes of JSON text of desired or reported, as its device is sent it.
const PROPERTIES_TEXT_MAX: usize = 256 * 1024;
/// The same with `$metadata`, as the service sends it. A whole twin so stays below the 2 MB that a body of a twin may have.
const STAMPED_TEXT_MAX: usize = 896 * 1024;
/// Bytes of the longest stamp in `$metadata`: `:{"$lastUpdated":"2026-08-15T09:07:13.1234567Z","$lastUpdatedVersion":1234567890},`.
const STAMP_TEXT: usize = 84;

/// How a service write treats what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// PATCH: merge; a section that is absent stays.
    Merge,
    /// PUT: replace; a section that is absent is emptied.
    Replace,
}

/// What the body says of one section.
enum Given {
    Absent,
    /// `null`.
    Clear,
    /// Without `$version` and `$metadata`.
    Object(JsonMap),
}

impl Registry {
    /// PATCH or PUT of a twin. Only `tags` and `properties.desired` are read; whatever else a client sends back of the
    /// twin it once read is ignored. An unquoted If-Match is ignored, as the service does on twin writes.
    ///
    /// # Errors
    /// 404 for a missing identity, 412 for a stale etag, 403100 for a section that would be too large, 400 for a document that
    /// breaks another rule.
    pub fn write_twin(
        &mut self,
        id: &TwinId,
        body: &Json,
        if_match: &IfMatch,
        mode: Mode,
        now: &Moment,
    ) -> Result<Change, Refused> {
        let body = body.as_object().ok_or_else(|| invalid("the body is not a JSON object"))?;
        // Looked at before it is changed: a refused write must not make a synthetic device real.
        let record = self.record(id).ok_or_else(|| no_twin(id))?;
        if let IfMatch::Quoted(etag) = if_match
            && *etag != record.twin_etag()
        {
            return Err(Refused {
                code: ErrorCode::PRECONDITION_FAILED,
                message: "PreconditionFailed, ETag may be invalid.".to_owned(),
            });
        }
        let (tags, desired) = sections(body)?;
        let tags = changed(Section::Tags, &record.tags, tags, mode)?;
        let desired = changed(Section::Desired, &record.desired.values, desired, mode)?;

        let record = self.record_mut(id).ok_or_else(|| no_twin(id))?;
        let mut change = Change { writes: vec![id.clone()], notices: Vec::new() };
        let (mut tags_told, mut desired_told) = (None, None);
        if let Some((told, tags)) = tags {
            record.tags = tags;
            tags_told = Some(told);
        }
        if let Some((told, values)) = desired {
            let version = set_desired(record, &told, values, mode, now);
            desired_told = Some((told.clone(), version));
            change.notices.push(Notice::Desired { id: id.clone(), version, patch: told });
        }
        record.twin_counter += 1;
        record.twin_version += 1;
        let (replaced, version) = (mode == Mode::Replace, record.twin_version);
        let what = What::Twin { replaced, version, tags: tags_told, desired: desired_told, reported: None };
        change.notices.push(happened(id, now, what));
        Ok(change)
    }

    /// A reported patch as the device sent it; the new reported `$version`.
    ///
    /// # Errors
    /// 400 for text that is not an object or breaks a rule, 403100 when reported would be too large, 412 when `expected` is not the
    /// present version, 404.
    pub fn report(
        &mut self,
        id: &TwinId,
        patch: &[u8],
        expected: Option<u64>,
        now: &Moment,
    ) -> Result<(u64, Change), Refused> {
        let body = wire::json(patch).map_err(|error| invalid(format!("the patch is {error}")))?;
        let Given::Object(patch) = given("reported", Some(&body))? else {
            return Err(invalid("the patch is not a JSON object"));
        };
        let record = self.record(id).ok_or_else(|| no_twin(id))?;
        if let Some(expected) = expected
            && expected != record.reported.version
        {
            let message = format!("reported is at version {}, not {expected}", record.reported.version);
            return Err(Refused { code: ErrorCode::PRECONDITION_FAILED, message });
        }
        let values = merged(Section::Reported, &record.reported.values, &patch)?;
        let record = self.record_mut(id).ok_or_else(|| no_twin(id))?;
        record.reported.values = values;
        record.reported.version += 1;
        stamp(&mut record.reported.metadata, &patch, Stamp { time: &now.text, version: None });
        record.twin_version += 1;
        record.last_activity.clone_from(&now.text);
        let (version, twin_version) = (record.reported.version, record.twin_version);
        let reported = Some((patch, version));
        let what = What::Twin { replaced: false, version: twin_version, tags: None, desired: None, reported };
        let change = Change { writes: vec![id.clone()], notices: vec![happened(id, now, what)] };
        Ok((version, change))
    }
}

/// Gives a record that nobody has seen yet its first desired properties: stamped at creation, still version 1.
pub fn seed_desired(record: &mut Record, values: JsonMap, created: &Moment) {
    stamp(&mut record.desired.metadata, &values, Stamp { time: &created.text, version: None });
    record.desired.values = values;
}

fn set_desired(record: &mut Record, told: &JsonMap, values: JsonMap, mode: Mode, now: &Moment) -> u64 {
    let desired = &mut record.desired;
    desired.version += 1;
    let mark = Stamp { time: &now.text, version: Some(desired.version) };
    if mode == Mode::Replace {
        desired.metadata.clear();
        stamp(&mut desired.metadata, &values, mark);
    } else {
        stamp(&mut desired.metadata, told, mark);
    }
    desired.values = values;
    desired.version
}

/// What a service's body says of the two sections it may write.
///
/// A `desired` or `reported` beside `properties` instead of inside is refused, not ignored: Azure/azure-iot-sdk-node issue 44.
fn sections(body: &JsonMap) -> Result<(Given, Given), Refused> {
    if let Some(key) = ["desired", "reported"].into_iter().find(|key| body.contains_key(*key)) {
        return Err(invalid(format!("{key} does not stand at the root of a twin but inside properties")));
    }
    let properties = match body.get("properties") {
        None | Some(Json::Null) => None,
        Some(Json::Object(properties)) => Some(properties),
        Some(_) => return Err(invalid("properties is not an object")),
    };
    let tags = given("tags", body.get("tags"))?;
    let desired = given("properties.desired", properties.and_then(|properties| properties.get("desired")))?;
    Ok((tags, desired))
}

/// What a PATCH breaks whatever the twin holds.
///
/// # Errors
/// 400 for a document that breaks a rule other than one of size.
pub fn check_patch(body: &JsonMap) -> Result<(), Refused> {
    let (tags, desired) = sections(body)?;
    for (section, given) in [(Section::Tags, tags), (Section::Desired, desired)] {
        if let Given::Object(patch) = given {
            check(section, &patch)?;
        }
    }
    Ok(())
}

fn given(name: &str, value: Option<&Json>) -> Result<Given, Refused> {
    match value {
        None => Ok(Given::Absent),
        Some(Json::Null) => Ok(Given::Clear),
        Some(Json::Object(map)) => {
            let mut map = map.clone();
            // Clients send back what they read; these two are the hub's own and ignored on the way in.
            map.shift_remove("$version");
            map.shift_remove("$metadata");
            Ok(Given::Object(map))
        }
        Some(_) => Err(invalid(format!("{name} is not an object"))),
    }
}

/// What the device is told and what the section becomes; `None` when the write leaves the section alone.
fn changed(
    section: Section,
    before: &JsonMap,
    given: Given,
    mode: Mode,
) -> Result<Option<(JsonMap, JsonMap)>, Refused> {
    let nulls = |keys: &JsonMap| keys.keys().map(|key| (key.clone(), Json::Null)).collect::<JsonMap>();
    match (mode, given) {
        (Mode::Merge, Given::Absent) => Ok(None),
        // Nothing inside means nothing touched: tools that save tags send an empty desired along.
        (Mode::Merge, Given::Object(patch)) if patch.is_empty() => Ok(None),
        (Mode::Replace, Given::Absent) if before.is_empty() => Ok(None),
        (Mode::Merge, Given::Clear) | (Mode::Replace, Given::Absent | Given::Clear) => {
            Ok(Some((nulls(before), JsonMap::new())))
        }
        (Mode::Merge, Given::Object(patch)) => {
            let values = merged(section, before, &patch)?;
            Ok(Some((patch, values)))
        }
        (Mode::Replace, Given::Object(document)) => {
            let values = whole(section, before, &document)?;
            // The whole of the new section, and a null for each key it lost, so that clients which merge converge.
            let mut told = values.clone();
            for key in before.keys().filter(|key| !values.contains_key(*key)) {
                told.insert(key.clone(), Json::Null);
            }
            Ok(Some((told, values)))
        }
    }
}

/// A section that starts its life with this document, `$version` and `$metadata` ignored.
///
/// # Errors
/// 400 for a broken rule, 403100 for too large a section.
pub fn checked_document(section: Section, document: &JsonMap) -> Result<JsonMap, Refused> {
    match given(section.word(), Some(&Json::Object(document.clone())))? {
        Given::Object(document) => whole(section, &JsonMap::new(), &document),
        Given::Absent | Given::Clear => Ok(JsonMap::new()),
    }
}

/// A null deletes in a patch, and has no place in a whole document, at any depth: Azure/azure-iot-cli-extension issue 693.
fn whole(section: Section, before: &JsonMap, document: &JsonMap) -> Result<JsonMap, Refused> {
    check(section, document)?;
    let is_null = |violation: &Violation| violation.rule == Rule::NullValue;
    if let Some(Violation { path, .. }) = rules::check(section, document, Form::Document).into_iter().find(is_null) {
        let message = format!("Value of Property or Tag cannot be null. Error in Property/Tag {path}");
        return Err(invalid(message));
    }
    bounded(section, before, document)?;
    Ok(document.clone())
}

fn merged(section: Section, before: &JsonMap, patch: &JsonMap) -> Result<JsonMap, Refused> {
    check(section, patch)?;
    let mut values = before.clone();
    patch::apply(&mut values, patch);
    bounded(section, before, &values)?;
    Ok(values)
}

/// Every rule but the section's size, which concerns the result.
fn check(section: Section, patch: &JsonMap) -> Result<(), Refused> {
    let broken: Vec<String> = rules::check(section, patch, Form::Patch)
        .into_iter()
        .filter(|violation| !matches!(violation.rule, Rule::SectionTooLarge { .. }))
        .take(5)
        .map(|violation| format!("{}: {violation}", violation.path))
        .collect();
    if broken.is_empty() { Ok(()) } else { Err(invalid(format!("{}: {}", section.word(), broken.join(", ")))) }
}

/// Only growth beyond a limit is refused; a section that is too large may shrink.
fn bounded(section: Section, before: &JsonMap, after: &JsonMap) -> Result<(), Refused> {
    let (max, size) = (rules::max_size(section), rules::size(after));
    if size > max && size > rules::size(before) {
        return Err(too_large(section, max, &format!("{size} characters as the hub counts them")));
    }
    let (text_max, stamped_max) = match section {
        Section::Tags => (TAGS_TEXT_MAX, usize::MAX),
        Section::Desired | Section::Reported => (PROPERTIES_TEXT_MAX, STAMPED_TEXT_MAX),
    };
    let text = text_len(after);
    if text > text_max && text > text_len(before) {
        return Err(too_large(section, text_max, &format!("{text} bytes of JSON text")));
    }
    let stamped = |text: usize, values: &JsonMap| text + stamps_len(values);
    let size = stamped(text, after);
    if size > stamped_max && size > stamped(text_len(before), before) {
        return Err(too_large(section, stamped_max, &format!("{size} bytes with its $metadata")));
    }
    Ok(())
}

/// The service's own words, and what the section would have. Azure/iotedge issues 1694 (HTTPS) and 7035 (MQTT, 403100).
fn too_large(section: Section, max: usize, would_have: &str) -> Refused {
    let name = match section {
        Section::Tags => "Tags",
        Section::Desired => "Properties.Desired",
        Section::Reported => "Properties.Reported",
    };
    let message = format!("'{name}' size should be less than {max} bytes. It would have {would_have}.");
    Refused { code: ErrorCode::DEVICE_MODEL_MAX_PROPERTIES_EXCEEDED, message }
}

/// Bytes of the compact text. Only maps with other than text keys have none.
fn text_len(values: &JsonMap) -> usize {
    serde_json::to_vec(values).map_or(usize::MAX, |text| text.len())
}

/// At least the bytes of the `$metadata` that goes with these values: a stamp for each node, an array being one.
fn stamps_len(values: &JsonMap) -> usize {
    let of_node = |(key, value): (&String, &Json)| {
        // As long as the text, escapes included: the longest escape of a byte has six.
        let key = serde_json::to_vec(key).map_or(key.len() * 6, |text| text.len());
        key + value.as_object().map_or(STAMP_TEXT, stamps_len)
    };
    STAMP_TEXT + values.iter().map(of_node).sum::<usize>()
}
