//! Many identities in one call. Each item stands or falls for itself.

use super::identities::{already_there, fits, missing, precondition, refuse_system_module};
use super::twins::{Mode, checked_document, seed_desired};
use super::{Change, Registry, invalid, no_twin};
use crate::local_hub::clock::Moment;
use crate::local_hub::hub::Refused;
use crate::protocol::identity::{BulkError, BulkItem, BulkWarning, ImportMode, bulk_from_json, bulk_result};
use crate::protocol::rest::IfMatch;
use crate::twin::{Etag, Json, JsonMap, Section};

/// What became of the items.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BulkOutcome {
    /// One for each item that was not done.
    pub errors: Vec<BulkError>,
    /// One for each identity that was made without the twin it came with.
    pub warnings: Vec<BulkWarning>,
}

impl BulkOutcome {
    /// The body of the answer.
    #[must_use]
    pub fn to_json(&self) -> Json {
        bulk_result(&self.errors, &self.warnings)
    }
}

impl Registry {
    /// Does the items in order.
    ///
    /// # Errors
    /// 400 when the body is no list of items; then nothing was done.
    pub fn bulk(&mut self, body: &Json, now: &Moment) -> Result<(BulkOutcome, Change), Refused> {
        let items = bulk_from_json(body).map_err(|error| invalid(error.to_string()))?;
        let (mut outcome, mut change) = (BulkOutcome::default(), Change::default());
        for item in items {
            match self.bulk_item(&item, &mut outcome.warnings, now) {
                Ok(done) => {
                    change.writes.extend(done.writes);
                    change.notices.extend(done.notices);
                }
                Err(Refused { code, message }) => {
                    let error = BulkError { id: item.identity.id, code, status: message, operation: item.mode };
                    outcome.errors.push(error);
                }
            }
        }
        Ok((outcome, change))
    }

    fn bulk_item(&mut self, item: &BulkItem, warnings: &mut Vec<BulkWarning>, now: &Moment) -> Result<Change, Refused> {
        let id = &item.identity.id;
        if matches!(item.mode, ImportMode::UpdateTwin | ImportMode::UpdateTwinIfMatchEtag) {
            return self.bulk_twin(item, now);
        }
        self.reachable(id)?;
        refuse_system_module(id)?;
        let present = self.record(id).map(|record| record.identity_etag());
        if item.mode == ImportMode::Create {
            return if present.is_some() { Err(already_there(id)) } else { self.bulk_create(item, warnings, now) };
        }
        let present = present.ok_or_else(|| missing(id))?;
        if matches!(item.mode, ImportMode::UpdateIfMatchEtag | ImportMode::DeleteIfMatchEtag) {
            fits(&condition(item.identity.etag.as_ref())?, &present)?;
        }
        match item.mode {
            ImportMode::Delete | ImportMode::DeleteIfMatchEtag => Ok(self.remove_identity(id, now)),
            _ => self.update_identity(&item.identity, now),
        }
    }

    /// A create may bring the first tags and desired properties of the twin along. If those break a rule the identity is made
    /// all the same, its twin empty, and a warning says so.
    fn bulk_create(
        &mut self,
        item: &BulkItem,
        warnings: &mut Vec<BulkWarning>,
        now: &Moment,
    ) -> Result<Change, Refused> {
        let change = self.create_identity(&item.identity, now)?;
        let document = |section, given: Option<&JsonMap>| {
            given.map(|given| checked_document(section, given)).transpose().map(Option::unwrap_or_default)
        };
        let tags = document(Section::Tags, item.tags.as_ref());
        let sections = tags.and_then(|tags| Ok((tags, document(Section::Desired, item.desired.as_ref())?)));
        match sections {
            Ok((tags, desired)) => {
                if let Some(record) = self.record_mut(&item.identity.id) {
                    record.tags = tags;
                    seed_desired(record, desired, now);
                }
            }
            Err(refused) => warnings.push(BulkWarning {
                device: item.identity.id.device.clone(),
                code: "DeviceRegisteredWithoutTwin",
                status: refused.message,
            }),
        }
        Ok(change)
    }

    fn bulk_twin(&mut self, item: &BulkItem, now: &Moment) -> Result<Change, Refused> {
        let id = &item.identity.id;
        if self.record(id).is_none() {
            return Err(no_twin(id));
        }
        let if_match = match item.mode {
            ImportMode::UpdateTwinIfMatchEtag => condition(item.twin_etag.as_ref())?,
            _ => IfMatch::Any,
        };
        let mut body = JsonMap::new();
        if let Some(tags) = &item.tags {
            body.insert("tags".to_owned(), Json::Object(tags.clone()));
        }
        if let Some(desired) = &item.desired {
            // Not by `json!`, which respells numbers.
            let desired = std::iter::once(("desired".to_owned(), Json::Object(desired.clone()))).collect();
            body.insert("properties".to_owned(), Json::Object(desired));
        }
        self.write_twin(id, &Json::Object(body), &if_match, Mode::Merge, now)
    }
}

/// The condition an item carries in its body.
fn condition(etag: Option<&Etag>) -> Result<IfMatch, Refused> {
    match etag {
        None => Err(precondition("Etag missing: this import mode compares it")),
        Some(etag) if etag.0 == "*" => Ok(IfMatch::Any),
        Some(etag) => Ok(IfMatch::Quoted(etag.clone())),
    }
}
