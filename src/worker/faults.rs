//! The faults of the open hub, where it is one of ours.

use super::Failure;
use super::event::Outcome;
use super::session::OpenHub;
use crate::protocol::fault::Plan;

/// The counts are asked for again and again: a window would find little else among its requests.
pub(super) async fn load(hub: &OpenHub) -> Result<Outcome, Failure> {
    let client = hub.once.clone().unobserved();
    hub.heard(client.faults().await).map(Outcome::Faults).map_err(Failure::Hub)
}

pub(super) async fn set(hub: &OpenHub, plan: &Plan) -> Result<Outcome, Failure> {
    hub.heard(hub.client.set_faults(plan).await).map(Outcome::Faults).map_err(Failure::Hub)
}

pub(super) async fn clear(hub: &OpenHub) -> Result<Outcome, Failure> {
    hub.heard(hub.client.clear_faults().await).map_err(Failure::Hub)?;
    load(hub).await
}
