//! Identity records: read, create, delete, enable and disable.

use super::Failure;
use super::event::Outcome;
use super::session::OpenHub;
use crate::client::HubError;
use crate::client::hub::Created;
use crate::protocol::identity::IdentityRequest;
use crate::protocol::rest::IfMatch;
use crate::twin::{Etag, Status, TwinId};

pub(super) async fn load(hub: &OpenHub, id: &TwinId) -> Result<Outcome, Failure> {
    let identity = hub.heard(hub.client.identity(id).await).map_err(Failure::Hub)?;
    hub.lives.read(&identity);
    Ok(Outcome::Identity(Box::new(identity)))
}

/// With keys made by the hub.
pub(super) async fn create(hub: &OpenHub, id: &TwinId) -> Result<Outcome, Failure> {
    for part in std::iter::once(&id.device).chain(&id.module) {
        TwinId::check(part).map_err(|problem| Failure::Local(problem.to_string()))?;
    }
    let request = IdentityRequest::new(id.clone());
    let (identity, created) = hub.heard(hub.client.create_or_get(&request).await).map_err(Failure::Hub)?;
    Ok(Outcome::Created { identity: Box::new(identity), existed: created == Created::Existed })
}

/// Only the version that was shown. Without an answer, a record that is gone is taken as deleted.
pub(super) async fn delete(hub: &OpenHub, id: TwinId, etag: Etag) -> Result<Outcome, Failure> {
    match hub.heard(hub.client.delete_identity(&id, &guard(etag)?).await) {
        Ok(()) => Ok(Outcome::Deleted { id }),
        Err(unknown @ HubError::OutcomeUnknown { .. }) => match hub.heard(hub.client.identity(&id).await) {
            Err(HubError::NotFound { .. }) => Ok(Outcome::Deleted { id }),
            Ok(_) | Err(_) => Err(Failure::Hub(unknown)),
        },
        Err(error) => Err(Failure::Hub(error)),
    }
}

/// Reads the whole record and writes it back with the other status: what a PUT leaves out the hub would reset, keys
/// included.
pub(super) async fn set_status(hub: &OpenHub, id: &TwinId, etag: Etag, status: Status) -> Result<Outcome, Failure> {
    if id.module.is_some() {
        return Err(Failure::Local("A module has no status of its own".to_owned()));
    }
    let guard = guard(etag)?;
    let mut identity = hub.heard(hub.client.identity(id).await).map_err(Failure::Hub)?;
    identity.status = status;
    let updated = hub.heard(hub.client.update_identity(&identity, &guard).await).map_err(Failure::Hub)?;
    if updated.generation_id == identity.generation_id {
        hub.lives.read(&updated);
    }
    hub.nudge(id);
    Ok(Outcome::Identity(Box::new(updated)))
}

fn guard(etag: Etag) -> Result<IfMatch, Failure> {
    IfMatch::only(etag).map_err(|problem| Failure::Hub(HubError::Unguarded(problem)))
}
