//! A device's or module's own connection over MQTT: twin, reported patches, desired patches, connection state.
//!
//! `run` is the one task behind a link and its state machine, `live` one open connection with its questions and answers,
//! `sync` decides which desired patches are news, `mqtt` is the only file that knows the MQTT library.

mod live;
mod mqtt;
mod run;
mod sync;

use super::token::Signer;
use super::{ClientCertificate, HubError, Trust};
use crate::protocol::bag;
use crate::protocol::connection_string::{ConnectionString, Proof, Who};
use crate::protocol::message::Properties;
use crate::protocol::method::{self, MethodAnswer};
use crate::protocol::mqtt::{self as words, FromDevice, UserName};
use crate::twin::{Json, JsonMap, TwinId};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The same api-version as the SDKs that speak these topics.
const API_VERSION: &str = "2021-04-12";
pub const MQTT_PORT: u16 = 8883;
/// Events that wait for a slow reader, before the link keeps them itself.
const EVENTS: usize = 64;
/// Operations that wait to be taken up.
const ASKS: usize = 32;

/// Where a link stands. One value, never three booleans.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkState {
    Connecting,
    /// Session present as the hub said.
    Online {
        session_present: bool,
    },
    /// Lost; tries again after this many milliseconds.
    Retrying {
        reason: String,
        in_ms: u64,
    },
    /// The hub closed the connection while it went on serving: most likely another client with the same identity took it, or
    /// the identity was disabled or deleted. This one does not fight back.
    PushedOut,
    /// Bad credentials, unknown or disabled identity: no retry.
    Refused {
        reason: String,
    },
    /// Closed by us.
    Closed,
}

/// A fact from the connection.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkEvent {
    State(LinkState),
    /// The whole view, fetched by the link itself: after every (re)connect, and when patches were missed. Patches up to its
    /// `desired_version` are not delivered any more.
    Twin(DeviceView),
    /// A patch with its `$version` lifted out; always the version after the last one delivered.
    Desired {
        version: u64,
        patch: JsonMap,
    },
    /// A direct method call; answer with [`DeviceLink::answer_method`].
    Method {
        name: String,
        rid: String,
        payload: Json,
    },
    /// A cloud-to-device message, for devices only. The hub keeps it, and brings it again over a later connection, until
    /// [`DeviceLink::acknowledge`] says that it was taken.
    Message {
        receipt: Receipt,
        properties: Properties,
        body: Bytes,
    },
}

/// Names a message on the connection it came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Of all links of the program, no two connections have the same.
    connection: u64,
    packet: u16,
}

/// The device's own view of its twin.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeviceView {
    pub desired: JsonMap,
    pub desired_version: u64,
    pub reported: JsonMap,
    pub reported_version: u64,
}

/// What a link does when the connection ends without its doing.
///
/// A hub has no word for "somebody else has connected with your identity": it closes the old connection. So does a hub that is
/// shut down, that deletes or disables the identity, or whose token has run out. How they are told apart:
///
/// | what ends an open connection | taken as |
/// | --- | --- |
/// | closed or reset, the token had run out (a machine that slept) | network trouble |
/// | closed, and half a second later the hub's port cannot be dialled | the hub went away: network trouble |
/// | closed, and the port can be dialled | pushed out |
/// | reset by the peer, and the port can be dialled | as [`Reconnect`] says |
/// | anything else: time-outs, unanswered pings, no route | network trouble |
///
/// Network trouble is tried again with backoff and jitter; being pushed out ends the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconnect {
    /// A reset is network trouble (a simulated device, whose owner looks at the hub before it starts another link).
    Always,
    /// A reset is taken as being pushed out too: a person who acts as a module must never fight the real one.
    UnlessPushedOut,
}

/// One MQTT connection as a device or module. Dropping the last clone closes the connection and ends its task. Cheap to clone.
#[derive(Clone)]
pub struct DeviceLink {
    asks: mpsc::Sender<live::Ask>,
    id: TwinId,
    host: String,
    answer_timeout: Duration,
    /// Cancels the task when the last clone goes.
    _guard: Arc<DropGuard>,
}

/// How long a link waits for what. Tests shorten it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkTiming {
    /// For an answer of the hub.
    pub answer: Duration,
    /// The wait before the first new try is random up to this; it doubles with each further one.
    pub backoff: Duration,
    pub backoff_max: Duration,
    /// Between a connection's end and the look whether the hub is still there.
    pub settle: Duration,
}

impl Default for LinkTiming {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(30),
            backoff: Duration::from_secs(2),
            backoff_max: Duration::from_mins(1),
            settle: Duration::from_millis(500),
        }
    }
}

/// Where to dial, when it is not what the connection string says: `host:port` of the MQTT listener. The local hub's ports are free ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dial {
    pub host: String,
    pub port: u16,
}

impl DeviceLink {
    /// Starts connecting; must be called inside a tokio runtime. Tokens are minted from the key for an hour and renewed in time,
    /// by a new connection. Events are bounded: when the reader is far behind, desired patches give way to one fresh
    /// [`LinkEvent::Twin`].
    ///
    /// # Errors
    /// When the string is not of a device or module with a key, or its host cannot be dialled.
    pub fn connect(
        connection: &ConnectionString,
        dial: Option<Dial>,
        trust: &Trust,
        reconnect: Reconnect,
    ) -> Result<(Self, mpsc::Receiver<LinkEvent>), HubError> {
        Self::connect_with(connection, dial, trust, reconnect, LinkTiming::default())
    }

    /// As [`Self::connect`], with other waits.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn connect_with(
        connection: &ConnectionString,
        dial: Option<Dial>,
        trust: &Trust,
        reconnect: Reconnect,
        timing: LinkTiming,
    ) -> Result<(Self, mpsc::Receiver<LinkEvent>), HubError> {
        let signer = Signer::identity(connection).ok_or_else(|| local("this needs a key of a device or module"))?;
        Self::start(connection, Some(signer), trust.config(), dial, reconnect, timing)
    }

    /// As [`Self::connect_with`], for a string with `x509=true`: the certificate proves who this is, and nothing has to be renewed.
    ///
    /// # Errors
    /// When the string is of another kind, its host cannot be dialled, or TLS cannot be set up.
    pub fn connect_x509(
        connection: &ConnectionString,
        certificate: &ClientCertificate,
        dial: Option<Dial>,
        trust: &Trust,
        reconnect: Reconnect,
        timing: LinkTiming,
    ) -> Result<(Self, mpsc::Receiver<LinkEvent>), HubError> {
        if !matches!(connection.who, Who::Identity { proof: Proof::X509, .. }) {
            return Err(local("this needs the connection string of a device or module with x509=true"));
        }
        let tls = trust.config_with(certificate)?;
        Self::start(connection, None, tls, dial, reconnect, timing)
    }

    fn start(
        connection: &ConnectionString,
        signer: Option<Signer>,
        tls: Arc<rustls::ClientConfig>,
        dial: Option<Dial>,
        reconnect: Reconnect,
        timing: LinkTiming,
    ) -> Result<(Self, mpsc::Receiver<LinkEvent>), HubError> {
        let Who::Identity { id, .. } = &connection.who else {
            return Err(local("this needs the connection string of a device or module"));
        };
        let dial = dial.unwrap_or_else(|| default_dial(connection));
        if dial.host.contains(':') {
            return Err(local("an IPv6 address cannot be dialled over MQTT: use a name"));
        }
        let user = UserName {
            host: connection.host().to_owned(),
            device: id.device.clone(),
            module: id.module.clone(),
            api_version: Some(API_VERSION.to_owned()),
            client_type: Some(concat!("twinscope/", env!("CARGO_PKG_VERSION")).to_owned()),
            model_id: None,
        };
        let messages = messages_filter(id);
        let target =
            mqtt::Target { dial: dial.clone(), client_id: words::client_id(id), user: user.text(), messages, tls };
        let (asks, asked) = mpsc::channel(ASKS);
        let (events, facts) = mpsc::channel(EVENTS);
        let cancel = CancellationToken::new();
        let runner = run::Runner::new(target, signer, reconnect, timing, asked, events, cancel.clone());
        tokio::spawn(runner.run());
        let guard = Arc::new(cancel.drop_guard());
        Ok((Self { asks, id: id.clone(), host: dial.host, answer_timeout: timing.answer, _guard: guard }, facts))
    }

    /// GET over MQTT.
    ///
    /// # Errors
    /// When the link is down, or no answer comes in time (30 s), or the hub answers an error.
    pub async fn twin(&self) -> Result<DeviceView, HubError> {
        self.ask(live::Ask::Get).await?.map_err(|silence| silence.of_read(&self.host))?
    }

    /// PATCH of reported; the new reported `$version`.
    ///
    /// # Errors
    /// As [`Self::twin`]; `OutcomeUnknown` when it was sent and no answer came.
    pub async fn report(&self, patch: &JsonMap) -> Result<u64, HubError> {
        let body = Json::Object(patch.clone()).to_string().into_bytes();
        self.ask(|reply| live::Ask::Report(body, reply)).await?.map_err(Silence::of_write)?
    }

    /// Telemetry, at least once: returns when the hub has it.
    ///
    /// # Errors
    /// As [`Self::report`].
    pub async fn send(&self, properties: &[(&str, Option<&str>)], payload: Vec<u8>) -> Result<(), HubError> {
        let topic = FromDevice::Telemetry { id: self.id.clone(), bag: bag::format(properties) }.topic();
        self.ask(|reply| live::Ask::Send { topic, payload, reply }).await?.map_err(Silence::of_write)?
    }

    /// Answers a direct method. Returns once the answer is on its way: hubs do not confirm it.
    ///
    /// # Errors
    /// When the link is down.
    pub async fn answer_method(&self, rid: &str, answer: &MethodAnswer) -> Result<(), HubError> {
        let topic = FromDevice::MethodResponse { status: answer.status, rid: Some(rid.to_owned()) }.topic();
        let payload = method::payload_text(&answer.payload).into_bytes();
        self.ask(|reply| live::Ask::Answer { topic, payload, reply }).await?.map_err(Silence::of_write)?
    }

    /// Says that a message was taken: the hub lets go of it. Over a connection that is gone nothing is said, and the message
    /// comes again.
    ///
    /// # Errors
    /// When the link is down.
    pub async fn acknowledge(&self, receipt: Receipt) -> Result<(), HubError> {
        self.ask(|reply| live::Ask::Acknowledge { receipt, reply }).await?.map_err(Silence::of_write)?
    }

    /// Sends DISCONNECT and ends the link.
    pub async fn close(&self) {
        let (reply, done) = oneshot::channel();
        if self.asks.send(live::Ask::Close(reply)).await.is_ok() {
            // An error means that the task has ended already, which is what was wanted.
            done.await.ok();
        }
    }

    /// Hands an operation to the task and waits for its outcome.
    async fn ask<T>(
        &self,
        make: impl FnOnce(oneshot::Sender<Result<T, HubError>>) -> live::Ask,
    ) -> Result<Result<Result<T, HubError>, Silence>, HubError> {
        let (reply, outcome) = oneshot::channel();
        self.asks.send(make(reply)).await.map_err(|ended| HubError::Unreachable {
            host: self.host.clone(),
            reason: format!("the link has ended ({ended})"),
        })?;
        Ok(match tokio::time::timeout(self.answer_timeout, outcome).await {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(_)) => Err(Silence::Lost),
            Err(_) => Err(Silence::Timeout(self.answer_timeout)),
        })
    }
}

/// Why an operation that was taken up has no answer.
enum Silence {
    Lost,
    Timeout(Duration),
}

impl Silence {
    fn text(&self) -> String {
        match self {
            Self::Lost => "the connection ended before the answer came".to_owned(),
            Self::Timeout(after) => format!("no answer within {} s", after.as_secs_f32()),
        }
    }

    fn of_read(&self, host: &str) -> HubError {
        HubError::Unreachable { host: host.to_owned(), reason: self.text() }
    }

    fn of_write(self) -> HubError {
        HubError::OutcomeUnknown { reason: self.text() }
    }
}

/// What to subscribe to for messages. Only devices get them, and an id with a wildcard in it is no filter.
fn messages_filter(id: &TwinId) -> Option<String> {
    (id.module.is_none() && !id.device.contains(['#', '+'])).then(|| words::device_bound(&id.device))
}

/// The gateway, if one is named, else the hub; a port in either is the MQTT port.
fn default_dial(connection: &ConnectionString) -> Dial {
    let (host, port) = match &connection.gateway_host_name {
        Some(gateway) => match gateway.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()),
            None => (gateway.as_str(), None),
        },
        None => (connection.host(), connection.port()),
    };
    Dial { host: host.to_owned(), port: port.unwrap_or(MQTT_PORT) }
}

/// A refusal on this side: nothing was tried.
fn local(message: &str) -> HubError {
    HubError::Refused { status: 0, service: super::error::said(message) }
}
