//! One simulated device or module: connects, takes what is desired, waits a moment, reports; measures now and then.

use super::{Pace, reply};
use crate::client::link::{Dial, LinkEvent, LinkState, Reconnect};
use crate::client::{DeviceLink, HubClient, Trust};
use crate::local_hub::fleet::{Behaviour, DemoIdentity};
use crate::protocol::connection_string::{ConnectionString, Proof, Who};
use crate::twin::{ConnectionState, Json, JsonMap, Status, TwinId, patch};
use serde_json::json;
use std::ops::Range;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

/// What all devices share.
pub(super) struct Stage {
    pub client: HubClient,
    pub host_name: String,
    pub dial: Dial,
    pub trust: Trust,
    pub pace: Pace,
}

/// Plays one part until the future is dropped.
///
/// Who takes over the identity of a simulated device, a person who acts as the module or an SDK's client, keeps it: the device
/// stays away as long as the hub says that somebody is connected, and only then takes its part, at first and again.
pub(super) async fn play(part: DemoIdentity, stage: std::sync::Arc<Stage>, entrance: Duration) {
    sleep(entrance).await;
    loop {
        while is_taken(&part.id, &stage.client).await {
            sleep(stage.pace.away).await;
        }
        if let Some((link, events)) = connect(&part.id, &stage).await {
            Device::new(&part, &stage, link).serve(events).await;
        }
        sleep(stage.pace.away).await;
    }
}

/// The key is asked for each time: it may have been rolled. `None` when the identity is gone or disabled, or the hub is down.
async fn connect(id: &TwinId, stage: &Stage) -> Option<(DeviceLink, mpsc::Receiver<LinkEvent>)> {
    let identity = match stage.client.identity(id).await {
        Ok(identity) => identity,
        Err(error) => {
            tracing::debug!(%id, %error, "a simulated device stays away");
            return None;
        }
    };
    if id.module.is_none() && identity.status == Status::Disabled {
        return None;
    }
    let key = identity.authentication.primary_key.filter(|key| !key.is_empty())?;
    let connection = ConnectionString {
        host_name: stage.host_name.clone(),
        gateway_host_name: None,
        who: Who::Identity { id: id.clone(), proof: Proof::Key(key) },
    };
    DeviceLink::connect(&connection, Some(stage.dial.clone()), &stage.trust, Reconnect::Always).ok()
}

/// Whether somebody else holds the identity's connection. A hub that does not answer is asked again later.
async fn is_taken(id: &TwinId, client: &HubClient) -> bool {
    client.twin(id).await.is_ok_and(|twin| twin.connection_state == ConnectionState::Connected)
}

/// A device while it is connected.
struct Device<'a> {
    part: &'a DemoIdentity,
    pace: &'a Pace,
    link: DeviceLink,
    desired: JsonMap,
    version: u64,
    reported: JsonMap,
    /// Top-level keys that went from desired since the last report.
    gone: Vec<String>,
    /// When the report about what is desired is due.
    due: Option<Instant>,
}

impl<'a> Device<'a> {
    fn new(part: &'a DemoIdentity, stage: &'a Stage, link: DeviceLink) -> Self {
        Self {
            part,
            pace: &stage.pace,
            link,
            desired: JsonMap::new(),
            version: 0,
            reported: JsonMap::new(),
            gone: Vec::new(),
            due: None,
        }
    }

    /// Until the link has ended.
    async fn serve(mut self, mut events: mpsc::Receiver<LinkEvent>) {
        let mut known = false;
        let mut count = 0;
        let mut measurement = Instant::now() + reply::pause(&self.pace.measure, &self.part.id, count);
        loop {
            let due = self.due;
            tokio::select! {
                event = events.recv() => match event {
                    Some(LinkEvent::Twin(_)) if !known => known = self.take(event).await,
                    Some(_) => _ = self.take(event).await,
                    None => return,
                },
                () = sleep_until(due.unwrap_or(measurement)), if due.is_some() => self.answer().await,
                () = sleep_until(measurement) => {
                    count += 1;
                    measurement = Instant::now() + reply::pause(&self.pace.measure, &self.part.id, count);
                    if known {
                        self.measure().await;
                    }
                }
            }
        }
    }

    /// Takes a fact in; whether it was a view.
    async fn take(&mut self, event: Option<LinkEvent>) -> bool {
        match event {
            Some(LinkEvent::Twin(view)) => {
                (self.desired, self.version, self.reported) = (view.desired, view.desired_version, view.reported);
                self.soon();
                return true;
            }
            Some(LinkEvent::Desired { version, patch: news }) => {
                patch::apply(&mut self.desired, &news);
                self.version = version;
                self.gone.extend(news.into_iter().filter(|(_, value)| value.is_null()).map(|(key, _)| key));
                self.soon();
            }
            Some(LinkEvent::Method { name, rid, payload }) => {
                let answer = reply::method(&self.part.id, &name, &payload, &self.desired);
                if let Err(error) = self.link.answer_method(&rid, &answer).await {
                    tracing::debug!(id = %self.part.id, %error, "a method's answer did not go out");
                }
            }
            // Whatever it says, it was delivered.
            Some(LinkEvent::Message { receipt, .. }) => {
                if let Err(error) = self.link.acknowledge(receipt).await {
                    tracing::debug!(id = %self.part.id, %error, "a message stays unacknowledged");
                }
            }
            Some(LinkEvent::State(LinkState::Refused { reason })) => {
                tracing::info!(id = %self.part.id, reason, "a simulated device is refused");
            }
            Some(LinkEvent::State(_)) | None => {}
        }
        false
    }

    /// More patches within the moment are answered together.
    fn soon(&mut self) {
        if self.due.is_none() {
            self.due = Some(Instant::now() + random(&self.pace.reply));
        }
    }

    async fn answer(&mut self) {
        self.due = None;
        let gone: Vec<String> = self.gone.drain(..).filter(|key| !self.desired.contains_key(key)).collect();
        let wanted = reply::wanted(self.part.behaviour, &self.desired, self.version, &self.reported, &gone);
        let news = patch::between(&self.reported, &wanted);
        self.report(news).await;
    }

    /// What does not get through is made up for after the next view.
    async fn report(&mut self, news: JsonMap) {
        if news.is_empty() {
            return;
        }
        match self.link.report(&news).await {
            Ok(_) => patch::apply(&mut self.reported, &news),
            Err(error) => tracing::debug!(id = %self.part.id, %error, "a simulated device could not report"),
        }
    }

    async fn measure(&mut self) {
        if self.part.behaviour == Behaviour::Drifts {
            self.report(reply::drift(&self.desired)).await;
        }
        if measures(&self.part.id) {
            let temperature = reply::temperature();
            let message = json!({ "temperature": temperature }).to_string().into_bytes();
            let properties = [("$.ct", Some("application/json")), ("$.ce", Some("utf-8"))];
            if let Err(error) = self.link.send(&properties, message).await {
                tracing::debug!(id = %self.part.id, %error, "a simulated device could not send");
            }
            let news: JsonMap = [("temperature".to_owned(), Json::clone(&temperature))].into_iter().collect();
            self.report(news).await;
        }
    }
}

/// A few devices have a thermometer: enough to see life, little enough to idle.
fn measures(id: &TwinId) -> bool {
    id.module.is_none() && (id.device == "myFirstDevice" || id.device.contains("chiller"))
}

fn random(range: &Range<Duration>) -> Duration {
    range.start + range.end.saturating_sub(range.start).mul_f64(fastrand::f64())
}
