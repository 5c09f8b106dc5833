//! Direct methods: calling one.

use super::Failure;
use super::event::Outcome;
use super::session::OpenHub;
use crate::protocol::method::MethodCall;
use crate::twin::TwinId;

pub(super) async fn call(hub: &OpenHub, id: &TwinId, call: &MethodCall) -> Result<Outcome, Failure> {
    let answer = hub.heard(hub.client.call_method(id, call).await);
    // Devices often report what a call changed.
    hub.nudge(id);
    answer.map(Outcome::Called).map_err(Failure::Hub)
}
