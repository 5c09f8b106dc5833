//! Direct methods: one call, one answer.

use super::http::Ask;
use super::{HubClient, HubError};
use crate::protocol::error::{ErrorCode, ServiceError};
use crate::protocol::method::{MethodAnswer, MethodCall};
use crate::protocol::rest::Route;
use crate::twin::TwinId;
use std::time::Duration;

/// What the hub needs beyond the two timeouts of the call to say that they are over.
const MARGIN: Duration = Duration::from_secs(15);

impl HubClient {
    /// `POST /twins/…/methods`; sent once, and waited for as long as the call's timeouts allow. The answer's status is the
    /// device's own.
    ///
    /// # Errors
    /// `NotOnline` when nobody listens to methods; `NoAnswer` when the device gave none that can be used; `OutcomeUnknown` when the
    /// hub said nothing; `Refused` with status 0 for a call that no hub takes; else as [`HubClient::twin`].
    pub async fn call_method(&self, id: &TwinId, call: &MethodCall) -> Result<MethodAnswer, HubError> {
        call.check()
            .map_err(|problem| HubError::Refused { status: 0, service: super::error::said(&problem.to_string()) })?;
        let seconds = u64::from(call.response_timeout_s) + u64::from(call.connect_timeout_s);
        let route = Route::Methods(id.clone());
        let ask = Ask::call(&route, &call.to_json(), Duration::from_secs(seconds) + MARGIN);
        let answer = self.wire().send(ask).await.map_err(of_a_call)?;
        let unread =
            |what: &str| HubError::OutcomeUnknown { reason: format!("the answer is not what a hub sends: {what}") };
        let body = answer.json().map_err(|error| unread(&error.to_string()))?;
        MethodAnswer::from_json(body).ok_or_else(|| unread("no status"))
    }
}

/// What these statuses say of a call, which is not what they say of anything else.
fn of_a_call(error: HubError) -> HubError {
    let is = |service: &ServiceError, code: ErrorCode| super::error::is(service, code);
    match error {
        HubError::NotFound { service } if is(&service, ErrorCode::DEVICE_NOT_ONLINE) => HubError::NotOnline { service },
        HubError::NotFound { service } if is(&service, ErrorCode::DEVICE_CONNECTION_CLOSED_REMOTELY) => {
            HubError::NoAnswer { service }
        }
        HubError::HubFailed { service, .. }
            if is(&service, ErrorCode::GATEWAY_TIMEOUT) || is(&service, ErrorCode::INVALID_RESPONSE_WHILE_PROXYING) =>
        {
            HubError::NoAnswer { service }
        }
        other => other,
    }
}
