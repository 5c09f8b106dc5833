//! One open connection: questions that wait for their answers, by request id, and what the hub tells unasked.

use super::mqtt::{Outgoing, Packet};
use super::sync::{Step, Sync};
use super::{DeviceView, LinkEvent, Receipt};
use crate::client::HubError;
use crate::protocol::error as wire_error;
use crate::protocol::message::Properties;
use crate::protocol::method;
use crate::protocol::mqtt::{DESIRED_PATCHES, FromDevice, METHODS, TWIN_RESPONSES, ToDevice};
use crate::twin::{Json, wire};
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use tokio::sync::oneshot;

/// Answers awaited at once, by all callers together.
const WAITING_MAX: usize = 256;

pub(super) type Reply<T> = oneshot::Sender<Result<T, HubError>>;

/// An operation of the public face.
pub(super) enum Ask {
    Get(Reply<DeviceView>),
    Report(Vec<u8>, Reply<u64>),
    Send { topic: String, payload: Vec<u8>, reply: Reply<()> },
    Answer { topic: String, payload: Vec<u8>, reply: Reply<()> },
    Acknowledge { receipt: Receipt, reply: Reply<()> },
    Close(oneshot::Sender<()>),
}

impl Ask {
    /// Nothing was sent.
    pub(super) fn reject(self, host: &str, reason: &str) {
        let error = HubError::Unreachable { host: host.to_owned(), reason: reason.to_owned() };
        match self {
            Self::Get(reply) => tell(reply, Err(error)),
            Self::Report(_, reply) => tell(reply, Err(error)),
            Self::Send { reply, .. } | Self::Answer { reply, .. } | Self::Acknowledge { reply, .. } => {
                tell(reply, Err(error));
            }
            Self::Close(reply) => {
                reply.send(()).ok();
            }
        }
    }
}

/// A caller that went away does not want the outcome any more.
fn tell<T>(reply: Reply<T>, outcome: Result<T, HubError>) {
    reply.send(outcome).ok();
}

/// Who waits for the answer with a request id.
enum Waiting {
    Get(Reply<DeviceView>),
    Report(Reply<u64>),
    /// The link itself, for its view.
    View,
}

impl Waiting {
    fn is_gone(&self) -> bool {
        match self {
            Self::Get(reply) => reply.is_closed(),
            Self::Report(reply) => reply.is_closed(),
            Self::View => false,
        }
    }
}

/// The state of one connection. Dropping it tells all who wait that no answer will come.
pub(super) struct Live {
    outgoing: Outgoing,
    host: String,
    waiting: HashMap<String, Waiting>,
    /// Queued and not yet numbered, oldest first.
    unsent: VecDeque<Reply<()>>,
    unacknowledged: HashMap<u16, Reply<()>>,
    last_rid: u64,
    sync: Sync,
    /// Which of the program's connections this is.
    number: u64,
    /// The filter for messages, for who gets some.
    messages: Option<String>,
}

/// What a packet means for the link's task.
pub(super) enum Meaning {
    Nothing,
    Accepted {
        session_present: bool,
    },
    Subscribed,
    Denied,
    Disconnected,
    /// For the reader, in this order.
    Events(Vec<LinkEvent>),
}

impl Live {
    pub(super) fn new(outgoing: Outgoing, host: String, messages: Option<String>, number: u64) -> Self {
        Self {
            outgoing,
            host,
            waiting: HashMap::new(),
            unsent: VecDeque::new(),
            unacknowledged: HashMap::new(),
            last_rid: 0,
            sync: Sync::default(),
            number,
            messages,
        }
    }

    pub(super) fn subscribe(&self) -> bool {
        let mut filters = vec![TWIN_RESPONSES, DESIRED_PATCHES, METHODS];
        filters.extend(self.messages.as_deref());
        self.outgoing.subscribe(&filters).is_ok()
    }

    pub(super) fn disconnect(&self) -> bool {
        self.outgoing.disconnect().is_ok()
    }

    /// Whether the view is not up to date: none has come yet, or patches were missed.
    pub(super) fn is_behind(&self) -> bool {
        self.sync.is_behind()
    }

    /// Events were thrown away; the next view makes up for them.
    pub(super) fn lost_events(&mut self) {
        self.sync.forget();
    }

    /// Asks for the view, anew if it was asked for before.
    pub(super) fn fetch(&mut self) {
        self.waiting.retain(|_, waiting| !matches!(waiting, Waiting::View));
        let rid = self.next_rid();
        let topic = FromDevice::GetTwin { rid: Some(rid.clone()) }.topic();
        if self.outgoing.tell(topic, b" ".to_vec()).is_ok() {
            self.waiting.insert(rid, Waiting::View);
        }
    }

    /// Sends what is asked; the answer comes later. [`Ask::Close`] is not for here.
    pub(super) fn take(&mut self, ask: Ask) {
        self.waiting.retain(|_, waiting| !waiting.is_gone());
        if self.waiting.len() >= WAITING_MAX {
            return ask.reject(&self.host, "too many operations wait for their answers");
        }
        match ask {
            Ask::Get(reply) => {
                let rid = self.next_rid();
                let topic = FromDevice::GetTwin { rid: Some(rid.clone()) }.topic();
                match self.outgoing.tell(topic, b" ".to_vec()) {
                    Ok(()) => _ = self.waiting.insert(rid, Waiting::Get(reply)),
                    Err(_) => tell(reply, Err(self.busy())),
                }
            }
            Ask::Report(body, reply) => {
                let rid = self.next_rid();
                let topic = FromDevice::PatchReported { rid: Some(rid.clone()), version: None }.topic();
                match self.outgoing.tell(topic, body) {
                    Ok(()) => _ = self.waiting.insert(rid, Waiting::Report(reply)),
                    Err(_) => tell(reply, Err(self.busy())),
                }
            }
            Ask::Send { topic, payload, reply } => match self.outgoing.assure(topic, payload) {
                Ok(()) => self.unsent.push_back(reply),
                Err(_) => tell(reply, Err(self.busy())),
            },
            Ask::Answer { topic, payload, reply } => {
                let outcome = self.outgoing.tell(topic, payload).map_err(|_busy| self.busy());
                tell(reply, outcome);
            }
            Ask::Acknowledge { receipt, reply } => {
                // Another connection counts its packets anew.
                let same = receipt.connection == self.number;
                let sent = if same && receipt.packet != 0 { self.outgoing.acknowledge(receipt.packet) } else { Ok(()) };
                tell(reply, sent.map_err(|_busy| self.busy()));
            }
            Ask::Close(reply) => _ = reply.send(()),
        }
    }

    fn busy(&self) -> HubError {
        HubError::Unreachable { host: self.host.clone(), reason: "the connection does not keep up".to_owned() }
    }

    fn next_rid(&mut self) -> String {
        self.last_rid += 1;
        format!("{:x}", self.last_rid)
    }

    pub(super) fn understand(&mut self, packet: Packet) -> Meaning {
        match packet {
            Packet::Accepted { session_present } => Meaning::Accepted { session_present },
            Packet::Subscribed { all_granted: true } => Meaning::Subscribed,
            Packet::Subscribed { all_granted: false } => Meaning::Denied,
            Packet::Disconnected => Meaning::Disconnected,
            Packet::Sent(id) => {
                if let Some(reply) = self.unsent.pop_front() {
                    self.unacknowledged.insert(id, reply);
                }
                Meaning::Nothing
            }
            Packet::Acknowledged(id) => {
                if let Some(reply) = self.unacknowledged.remove(&id) {
                    tell(reply, Ok(()));
                }
                Meaning::Nothing
            }
            Packet::Message { topic, payload, id } => self.message(&topic, payload, id),
        }
    }

    fn message(&mut self, topic: &str, payload: Bytes, packet: Option<u16>) -> Meaning {
        let parsed = ToDevice::parse(topic);
        if let Some(ToDevice::CloudToDevice { bag, .. }) = &parsed {
            let receipt = Receipt { connection: self.number, packet: packet.unwrap_or(0) };
            let properties = Properties::from_bag(bag);
            return Meaning::Events(vec![LinkEvent::Message { receipt, properties, body: payload }]);
        }
        // All else is taken as it comes. A hub whose acknowledgement finds no room sends it again.
        if let Some(packet) = packet
            && self.outgoing.acknowledge(packet).is_err()
        {
            tracing::debug!(topic, "an acknowledgement finds no room");
        }
        match parsed {
            Some(ToDevice::TwinResponse { status, rid, version }) => self.answer(status, &rid, version, &payload),
            Some(ToDevice::DesiredPatch { version }) => self.desired(version, &payload),
            Some(ToDevice::Method { name, rid }) => match method::read_payload(&payload) {
                Some(payload) => Meaning::Events(vec![LinkEvent::Method { name, rid, payload }]),
                None => Meaning::Nothing,
            },
            Some(ToDevice::CloudToDevice { .. }) | None => Meaning::Nothing,
        }
    }

    fn answer(&mut self, status: u16, rid: &str, version: Option<u64>, payload: &[u8]) -> Meaning {
        match self.waiting.remove(rid) {
            Some(Waiting::Get(reply)) => tell(reply, read_view(status, payload)),
            Some(Waiting::Report(reply)) => tell(reply, read_report(status, version, payload)),
            Some(Waiting::View) => return self.view(read_view(status, payload)),
            None => {}
        }
        Meaning::Nothing
    }

    fn view(&mut self, view: Result<DeviceView, HubError>) -> Meaning {
        match view {
            Ok(view) => {
                let news = self.sync.fetched(view.desired_version);
                let mut events = vec![LinkEvent::Twin(view)];
                events.extend(news.into_iter().map(|(version, patch)| LinkEvent::Desired { version, patch }));
                Meaning::Events(events)
            }
            Err(error) => {
                tracing::debug!(%error, "the view cannot be fetched");
                Meaning::Nothing
            }
        }
    }

    fn desired(&mut self, version: u64, payload: &[u8]) -> Meaning {
        let Ok(Json::Object(mut patch)) = wire::json(payload) else {
            tracing::debug!(version, "a desired patch that is no JSON object");
            return Meaning::Nothing;
        };
        patch.shift_remove("$version");
        match self.sync.patch(version, patch) {
            Step::Deliver(patch) => Meaning::Events(vec![LinkEvent::Desired { version, patch }]),
            Step::Fetch => {
                self.fetch();
                Meaning::Nothing
            }
            Step::Nothing => Meaning::Nothing,
        }
    }
}

/// Reads `{"desired":{…,"$version":n},"reported":{…,"$version":n}}`.
fn read_view(status: u16, payload: &[u8]) -> Result<DeviceView, HubError> {
    if status != 200 {
        return Err(HubError::of_status(status, wire_error::read(None, payload), None));
    }
    let nonsense = |what: String| HubError::Nonsense { what };
    let whole = wire::json(payload).map_err(|error| nonsense(format!("not a twin: {error}")))?;
    let Json::Object(mut whole) = whole else { return Err(nonsense("not a twin: no object".to_owned())) };
    let mut section = |name: &str| match whole.shift_remove(name) {
        Some(Json::Object(mut values)) => {
            values.shift_remove("$metadata");
            let version = values.shift_remove("$version").and_then(|version| version.as_u64());
            version.map(|version| (values, version)).ok_or_else(|| nonsense(format!("{name} has no $version")))
        }
        _ => Err(nonsense(format!("no {name}"))),
    };
    let (desired, desired_version) = section("desired")?;
    let (reported, reported_version) = section("reported")?;
    Ok(DeviceView { desired, desired_version, reported, reported_version })
}

/// 204 with the new version in the topic.
fn read_report(status: u16, version: Option<u64>, payload: &[u8]) -> Result<u64, HubError> {
    match (status, version) {
        (200..300, Some(version)) => Ok(version),
        (200..300, None) => Err(HubError::Nonsense { what: "reported was accepted without a $version".to_owned() }),
        _ => Err(HubError::of_status(status, wire_error::read(None, payload), None)),
    }
}
