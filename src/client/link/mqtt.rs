//! One MQTT 3.1.1 connection: the only file that knows the MQTT library.
//!
//! Every connection gets a fresh client and event loop: nothing of an old connection may be sent again by itself on a new one,
//! because the caller was already told that the outcome is unknown.

use super::Dial;
use crate::client::cause;
use crate::client::http::tls_error;
use crate::protocol::secret::Secret;
use bytes::Bytes;
use futures_util::FutureExt;
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, QoS, StateError, SubscribeFilter,
    SubscribeReasonCode, TlsConfiguration, Transport,
};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

const KEEP_ALIVE: Duration = Duration::from_mins(1);
const CONNECT_TIMEOUT_S: u64 = 20;
/// A view holds two sections of 32 KB by the hub's count, which JSON can blow up: the local hub lets each have 256 KB of text.
/// Telemetry has 256 KB.
const PACKET_MAX: usize = 1 << 20;
/// Packets under way to the socket.
const QUEUE: usize = 64;

/// Where to, as whom.
pub(super) struct Target {
    pub dial: Dial,
    pub client_id: String,
    pub user: String,
    /// The filter for messages to a device; `None` for who gets none.
    pub messages: Option<String>,
    pub tls: Arc<rustls::ClientConfig>,
}

/// What came over the connection, as far as a link cares.
pub(super) enum Packet {
    Accepted {
        session_present: bool,
    },
    Subscribed {
        all_granted: bool,
    },
    Message {
        topic: String,
        payload: Bytes,
        /// To be acknowledged under this id; `None` at quality 0.
        id: Option<u16>,
    },
    /// A message of quality 1 went out under this id, in the order they were queued.
    Sent(u16),
    Acknowledged(u16),
    Disconnected,
}

/// How a connection ended, or why it never was.
#[derive(Debug)]
pub(super) enum End {
    /// It is no use trying again.
    Refused(String),
    /// Closed by the other side.
    Closed,
    /// Reset by the other side.
    Reset,
    Trouble(String),
}

/// The queue to the socket.
pub(super) struct Outgoing {
    client: AsyncClient,
}

/// The packets from the socket; nothing moves unless [`Incoming::next`] is awaited.
pub(super) struct Incoming {
    event_loop: EventLoop,
    host: String,
}

/// The queue is full: the connection does not keep up.
#[derive(Debug)]
pub(super) struct Busy;

/// Without a token the certificate in the target's TLS speaks: the password is left out.
pub(super) fn open(target: &Target, token: Option<&Secret>) -> (Outgoing, Incoming) {
    let host = target.dial.host.clone();
    let mut options = MqttOptions::new(target.client_id.clone(), host.clone(), target.dial.port);
    options
        .set_keep_alive(KEEP_ALIVE)
        .set_clean_session(false)
        // A message is acknowledged when it was taken, not when it came.
        .set_manual_acks(true)
        .set_max_packet_size(PACKET_MAX, PACKET_MAX)
        .set_credentials(target.user.clone(), token.map_or("", Secret::reveal))
        .set_transport(Transport::Tls(TlsConfiguration::Rustls(target.tls.clone())));
    let (client, mut event_loop) = AsyncClient::new(options, QUEUE);
    event_loop.network_options.set_connection_timeout(CONNECT_TIMEOUT_S).set_tcp_nodelay(true);
    (Outgoing { client }, Incoming { event_loop, host })
}

impl Outgoing {
    pub(super) fn subscribe(&self, filters: &[&str]) -> Result<(), Busy> {
        let filters = filters.iter().map(|filter| SubscribeFilter::new((*filter).to_owned(), QoS::AtLeastOnce));
        self.client.try_subscribe_many(filters).map_err(|_full| Busy)
    }

    /// At most once.
    pub(super) fn tell(&self, topic: String, payload: Vec<u8>) -> Result<(), Busy> {
        self.publish(topic, QoS::AtMostOnce, payload)
    }

    /// At least once: [`Packet::Sent`] and [`Packet::Acknowledged`] follow.
    pub(super) fn assure(&self, topic: String, payload: Vec<u8>) -> Result<(), Busy> {
        self.publish(topic, QoS::AtLeastOnce, payload)
    }

    /// The library's other call refuses topics with `#` and `+`, which are legal in device ids. This one waits for room in the
    /// queue, and polling it once is how not to wait.
    fn publish(&self, topic: String, qos: QoS, payload: Vec<u8>) -> Result<(), Busy> {
        match self.client.publish_bytes(topic, qos, false, payload.into()).now_or_never() {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err(Busy),
        }
    }

    /// Acknowledges a message of quality 1.
    pub(super) fn acknowledge(&self, id: u16) -> Result<(), Busy> {
        // Of the whole message the library only looks at these two.
        let mut message = rumqttc::Publish::new("", QoS::AtLeastOnce, Vec::new());
        message.pkid = id;
        self.client.try_ack(&message).map_err(|_full| Busy)
    }

    pub(super) fn disconnect(&self) -> Result<(), Busy> {
        self.client.try_disconnect().map_err(|_full| Busy)
    }
}

impl Incoming {
    /// The next packet. A future dropped half-way may lose one, so it is only dropped when the connection is given up.
    pub(super) async fn next(&mut self) -> Result<Packet, End> {
        loop {
            let event = self.event_loop.poll().await.map_err(|error| sort(&error, &self.host))?;
            let packet = match event {
                Event::Incoming(rumqttc::Packet::ConnAck(answer)) => {
                    Packet::Accepted { session_present: answer.session_present }
                }
                Event::Incoming(rumqttc::Packet::SubAck(answer)) => {
                    Packet::Subscribed { all_granted: !answer.return_codes.contains(&SubscribeReasonCode::Failure) }
                }
                Event::Incoming(rumqttc::Packet::Publish(message)) => {
                    let id = (message.qos != QoS::AtMostOnce).then_some(message.pkid);
                    Packet::Message { topic: message.topic, payload: message.payload, id }
                }
                Event::Incoming(rumqttc::Packet::PubAck(answer)) => Packet::Acknowledged(answer.pkid),
                Event::Outgoing(rumqttc::Outgoing::Publish(id)) if id != 0 => Packet::Sent(id),
                Event::Outgoing(rumqttc::Outgoing::Disconnect) => Packet::Disconnected,
                _ => continue,
            };
            return Ok(packet);
        }
    }
}

fn sort(error: &ConnectionError, host: &str) -> End {
    match error {
        ConnectionError::ConnectionRefused(ConnectReturnCode::ServiceUnavailable) => {
            End::Trouble("the hub says that it is unavailable".to_owned())
        }
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::NotAuthorized | ConnectReturnCode::BadUserNamePassword,
        ) => End::Refused(
            "the hub refused: wrong key or certificate, wrong clock, or the identity is unknown or disabled".to_owned(),
        ),
        ConnectionError::ConnectionRefused(code) => End::Refused(format!("the hub refused the connection ({code:?})")),
        ConnectionError::MqttState(StateError::ConnectionAborted) => End::Closed,
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => {
            End::Trouble(format!("{host} does not answer in time"))
        }
        ConnectionError::MqttState(StateError::AwaitPingResp) => End::Trouble("the hub stopped answering".to_owned()),
        other => match (tls_error(other), io_kind(other)) {
            (Some(rustls::Error::InvalidCertificate(why)), _) => {
                End::Refused(format!("{host} is not trusted: {}", cause::distrust(why)))
            }
            // TLS without its own goodbye ends in an unexpected end of file: closed all the same.
            (_, Some(ErrorKind::UnexpectedEof)) => End::Closed,
            (_, Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted)) => End::Reset,
            _ => End::Trouble(cause::chain(other)),
        },
    }
}

fn io_kind(error: &ConnectionError) -> Option<ErrorKind> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        next = cause.source();
    }
    None
}
