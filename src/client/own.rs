//! What only a hub of this program has, beside what Azure offers: its event stream.

use super::http::{Ask, PAGE_MAX};
use super::{HubClient, HubError};
use crate::protocol::event::EventPage;
use crate::protocol::rest::Route;
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
}
