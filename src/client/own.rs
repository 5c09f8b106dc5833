//! What only a hub of this program has, beside what Azure offers: its event stream, and its faults on demand.

use super::http::{Ask, PAGE_MAX};
use super::hub::unread_after_write;
use super::{HubClient, HubError};
use crate::protocol::event::EventPage;
use crate::protocol::fault::{Plan, Report};
use crate::protocol::rest::{IfMatch, Route};
use crate::twin::Json;
use std::sync::Arc;
use std::time::Duration;

impl HubClient {
    /// The same client, of whose exchanges the observer learns nothing: for what goes on by itself many times a minute.
    #[must_use]
    pub fn unobserved(mut self) -> Self {
        self.wire_mut().observer = Arc::new(|_| {});
        self
    }

    /// `GET /$twinscope/events`: what happened behind event `after`. When there is nothing yet the hub waits for news, up to
    /// `wait` (whole seconds, a minute at most), and then answers with an empty page.
    ///
    /// # Errors
    /// As [`HubClient::twin`]; `NotFound` on a hub that has no such stream, as those of Azure.
    pub async fn events(&self, after: u64, wait: Duration) -> Result<EventPage, HubError> {
        let route = Route::Events { after: Some(after), wait_s: Some(wait.as_secs()) };
        let mut ask = Ask::get(&route);
        ask.limit = PAGE_MAX;
        ask.patience += wait;
        let page = self.wire().send(ask).await?.json()?;
        EventPage::from_json(&page).ok_or_else(|| HubError::Nonsense { what: "no page of events".to_owned() })
    }

    /// `GET /$twinscope/faults`: what goes wrong on purpose, and how often it did.
    ///
    /// # Errors
    /// As [`HubClient::events`].
    pub async fn faults(&self) -> Result<Report, HubError> {
        let answer = self.wire().send(Ask::get(&Route::Faults)).await?;
        read_report(&answer.json()?)
    }

    /// `PUT /$twinscope/faults`: these faults in place of those in force; the counts begin anew.
    ///
    /// # Errors
    /// As [`HubClient::patch_twin`]; `Refused` names the fault that the hub cannot read.
    pub async fn set_faults(&self, plan: &Plan) -> Result<Report, HubError> {
        let ask = Ask::write(http::Method::PUT, &Route::Faults, Some(&plan.to_json()), &IfMatch::Absent)?;
        let answer = self.wire().send(ask).await?;
        answer.json().and_then(|value| read_report(&value)).map_err(unread_after_write)
    }

    /// `DELETE /$twinscope/faults`: nothing goes wrong on purpose any more.
    ///
    /// # Errors
    /// As [`HubClient::patch_twin`].
    pub async fn clear_faults(&self) -> Result<(), HubError> {
        self.wire().send(Ask::write(http::Method::DELETE, &Route::Faults, None, &IfMatch::Absent)?).await?;
        Ok(())
    }
}

fn read_report(value: &Json) -> Result<Report, HubError> {
    Report::from_json(value).map_err(|error| HubError::Nonsense { what: error.to_string().chars().take(300).collect() })
}
