//! The MQTT 3.1.1 packets a server meets, on the wire: what a client sends is decoded here, what the server answers is encoded.
//!
//! Decoding is strict and bounded: a packet's size is judged from its first bytes, before anything of it is buffered, and
//! malformed bytes are an error, never a panic. One thing is laxer than the standard on purpose: `#` and `+` may stand in
//! the topic of a PUBLISH, because the hub allows them in device ids and clients write ids into topics as they are.

mod decode;
mod encode;
mod fields;

pub use decode::decode;
pub use encode::{TooLarge, encode};

use crate::protocol::secret::Secret;
use bytes::Bytes;

/// Room in a packet beside the 256 KB a message may have: the longest topic there is, and the packet id.
pub const OVERHEAD: usize = 65_535 + 4;

/// A message's body and property bag together: 256 KB.
pub const MAX_MESSAGE: usize = 256 * 1024;

/// The largest packet body taken from a client that was admitted.
pub const MAX_BODY: usize = MAX_MESSAGE + OVERHEAD;

/// The largest CONNECT: a will takes up to 64 KB, everything else in it is short.
pub const MAX_CONNECT_BODY: usize = 80 * 1024;

/// Delivery assurance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Qos {
    AtMostOnce,
    AtLeastOnce,
    /// Legal in MQTT, but the hub does not know it.
    ExactlyOnce,
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    Connect(Box<Connect>),
    Publish(Publish),
    PubAck {
        packet_id: u16,
    },
    /// At least one filter, each with the `QoS` asked for.
    Subscribe {
        packet_id: u16,
        filters: Vec<(String, Qos)>,
    },
    /// At least one filter.
    Unsubscribe {
        packet_id: u16,
        filters: Vec<String>,
    },
    PingReq,
    Disconnect,
}

/// A CONNECT of protocol `MQTT`, level 4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// May be empty.
    pub client_id: String,
    pub clean_session: CleanSession,
    /// Seconds; 0 asks for none.
    pub keep_alive_s: u16,
    pub will: Option<Will>,
    pub user_name: Option<String>,
    /// Bytes that are no UTF-8 are replaced: no password the hub knows has any.
    pub password: Option<Secret>,
}

/// Whether the session's subscriptions outlive the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CleanSession {
    /// Forget what was kept, keep nothing.
    Clean,
    /// Resume what was kept, and keep it.
    Kept,
}

/// What is to be published when the connection ends without a DISCONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    pub topic: String,
    pub payload: Bytes,
    pub qos: Qos,
    pub retain: bool,
}

/// A PUBLISH of a client. `packet_id` is there exactly when the `QoS` is above 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    pub topic: String,
    pub payload: Bytes,
    pub qos: Qos,
    pub packet_id: Option<u16>,
    pub retain: bool,
    /// Sent again, because the first was not acknowledged.
    pub dup: bool,
}

/// What the server sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    ConnAck {
        session_present: bool,
        code: ReturnCode,
    },
    /// Of `QoS` 0: twin answers, notifications, methods.
    Publish {
        topic: String,
        payload: Bytes,
    },
    /// A PUBLISH of `QoS` 1: a message to the device. `again` marks one that was sent before.
    Delivery {
        topic: String,
        payload: Bytes,
        packet_id: u16,
        again: bool,
    },
    PubAck {
        packet_id: u16,
    },
    SubAck {
        packet_id: u16,
        grants: Vec<Grant>,
    },
    UnsubAck {
        packet_id: u16,
    },
    PingResp,
}

/// The answer to a CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnCode {
    Accepted = 0,
    UnacceptableProtocol = 1,
    IdentifierRejected = 2,
    ServerUnavailable = 3,
    NotAuthorized = 5,
}

/// The answer to one filter of a SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    AtMostOnce = 0,
    AtLeastOnce = 1,
    Refused = 0x80,
}

/// Why bytes are no packet the server takes. The connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("packet type {0} is not one a client may send")]
    Type(u8),
    #[error("the flags of packet type {kind} are {flags:#06b}")]
    Flags { kind: u8, flags: u8 },
    #[error("the length has more than four bytes")]
    Length,
    #[error("the packet has {length} bytes, at most {max} are taken")]
    TooLarge { length: usize, max: usize },
    #[error("a field runs past the end of the packet")]
    Truncated,
    #[error("{0} bytes are left over behind the last field")]
    Trailing(usize),
    #[error("a text is not UTF-8, or holds a NUL")]
    Text,
    #[error("a packet id is 0")]
    PacketId,
    #[error("there is no QoS 3")]
    Qos,
    #[error("a subscription request without filters")]
    NoFilters,
    #[error("an empty topic")]
    Topic,
    #[error("the connect flags {0:#010b} contradict themselves")]
    ConnectFlags(u8),
    /// Its own variant, because it is answered with CONNACK 1.
    #[error("not MQTT 3.1.1, but level {level}")]
    Protocol { level: u8 },
}
