//! Acting as a device or module: a connection of its own, with its own key, until it is stopped or pushed out.

use super::Failure;
use super::event::{Fact, Outcome};
use super::session::OpenHub;
use crate::client::DeviceLink;
use crate::client::link::{Dial, LinkEvent, LinkState, MQTT_PORT, Receipt, Reconnect};
use crate::protocol::connection_string::{ConnectionString, Proof, Who};
use crate::protocol::method::MethodAnswer;
use crate::twin::{JsonMap, TwinId};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// DISCONNECT is a courtesy: a network that does not carry it is not waited for.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// A link just started, not yet followed.
pub(super) struct Link {
    pub(super) id: TwinId,
    device: DeviceLink,
    events: mpsc::Receiver<LinkEvent>,
}

/// A link that is followed. Dropping it ends the following and the link.
pub(super) struct Acting {
    link: DeviceLink,
    /// Dropping it stops too.
    stop: oneshot::Sender<()>,
    /// Closes when nothing more is told of this link.
    ended: oneshot::Receiver<()>,
}

impl Acting {
    pub(super) fn link(&self) -> DeviceLink {
        self.link.clone()
    }

    /// Disconnects; a last `Link` fact says `Closed`.
    pub(super) fn stop(self) {
        if self.stop.send(()).is_err() {
            tracing::debug!("the link had ended before it was stopped");
        }
    }

    /// Stops and waits until its last fact is told, so that none of it comes after those of its successor.
    async fn end(self) {
        let Self { link, stop, ended } = self;
        drop((link, stop));
        drop(tokio::time::timeout(2 * CLOSE_LIMIT, ended).await);
    }
}

/// Fetches the identity's key and starts connecting. An earlier link of the same identity ends first, in order that the two
/// do not push each other out.
pub(super) async fn start(
    hub: &OpenHub,
    id: &TwinId,
    mqtt_port: Option<u16>,
    earlier: Option<Acting>,
) -> Result<Link, Failure> {
    let host = hub.connection.host().to_owned();
    let dial = match (mqtt_port, &hub.dial) {
        (Some(port), _) => Dial { host, port },
        (None, Some(own)) => own.clone(),
        // A stranger may listen there.
        (None, None) if hub.connection.host_name != host => {
            return Err(Failure::Local(format!(
                "The MQTT port of {} is not known: the port in its name is that of the service API. Give the port that the hub says as mqtts",
                hub.connection.host_name
            )));
        }
        (None, None) => Dial { host, port: MQTT_PORT },
    };
    if let Some(earlier) = earlier {
        earlier.end().await;
    }
    let identity = hub.heard(hub.client.identity(id).await).map_err(Failure::Hub)?;
    let authentication = identity.authentication;
    let key =
        [authentication.primary_key, authentication.secondary_key].into_iter().flatten().find(|key| !key.is_empty());
    let Some(key) = key else {
        return Err(Failure::Local(format!(
            "{id} has no key of its own: only with a symmetric key can Twinscope act as it. Its own program can, with its certificate"
        )));
    };
    let connection = ConnectionString {
        host_name: hub.connection.host_name.clone(),
        gateway_host_name: None,
        who: Who::Identity { id: id.clone(), proof: Proof::Key(key) },
    };
    let (device, events) =
        DeviceLink::connect(&connection, Some(dial), &hub.trust, Reconnect::UnlessPushedOut).map_err(Failure::Hub)?;
    Ok(Link { id: id.clone(), device, events })
}

/// Passes on what a link says, in a task of the session.
pub(super) fn follow(link: Link, hub: Arc<OpenHub>, tasks: &mut JoinSet<()>) -> Acting {
    let (stop, stopped) = oneshot::channel();
    let (ending, ended) = oneshot::channel();
    let acting = Acting { link: link.device.clone(), stop, ended };
    tasks.spawn(async move {
        pass_on(link, &hub, stopped).await;
        drop::<oneshot::Sender<()>>(ending);
    });
    acting
}

async fn pass_on(link: Link, hub: &OpenHub, mut stopped: oneshot::Receiver<()>) {
    let Link { id, device: link, mut events } = link;
    let mut last = None;
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => tell(&id, event, hub, &mut last).await,
                None => return,
            },
            _ = &mut stopped => break,
        }
    }
    if tokio::time::timeout(CLOSE_LIMIT, link.close()).await.is_err() {
        tracing::debug!(%id, "the hub was not told that the link closes");
    }
    if last != Some(LinkState::Closed) {
        hub.out.fact(Fact::Link { id, state: LinkState::Closed }).await;
    }
}

async fn tell(id: &TwinId, event: LinkEvent, hub: &OpenHub, last: &mut Option<LinkState>) {
    match event {
        LinkEvent::State(state) => {
            *last = Some(state.clone());
            hub.out.fact(Fact::Link { id: id.clone(), state }).await;
            // The hub notes who is connected: the watch will see that.
            hub.nudge(id);
        }
        LinkEvent::Desired { version, patch } => {
            hub.out.fact(Fact::DesiredPatch { id: id.clone(), version, patch }).await;
            hub.event_told(id);
        }
        // The service side's view says more; the watch reads it.
        LinkEvent::Twin(_) => hub.nudge(id),
        // The window knows what the person wants to answer.
        LinkEvent::Method { name, rid, payload } => {
            hub.out.fact(Fact::MethodCalled { id: id.clone(), name, rid, payload }).await;
        }
        LinkEvent::Message { receipt, properties, body } => {
            hub.out.fact(Fact::MessageReceived { id: id.clone(), receipt, properties, body: body.to_vec() }).await;
        }
    }
}

/// The answer to a method call over the link.
pub(super) async fn answer(link: DeviceLink, id: TwinId, rid: String, answer: MethodAnswer) {
    if let Err(error) = link.answer_method(&rid, &answer).await {
        tracing::debug!(%error, %id, "a method call stays without an answer");
    }
}

/// A message was shown: the hub may let go of it.
pub(super) async fn acknowledge(link: DeviceLink, id: TwinId, receipt: Receipt) {
    if let Err(error) = link.acknowledge(receipt).await {
        tracing::debug!(%error, %id, "a message stays unacknowledged and comes again");
    }
}

/// A reported patch over the link.
pub(super) async fn report(hub: &OpenHub, link: DeviceLink, id: TwinId, patch: JsonMap) -> Result<Outcome, Failure> {
    let version = link.report(&patch).await.map_err(Failure::Hub)?;
    hub.nudge(&id);
    Ok(Outcome::Reported { id, version })
}

/// What a report gets when nobody acts as the identity.
pub(super) fn not_acting(id: &TwinId) -> Failure {
    Failure::Local(format!("Nobody acts as {id} here: start with Act as module… or Act as device…"))
}
