//! How long and how much the MQTT face puts up with. A value, so that tests can be impatient.

use std::time::Duration;

/// See [`Limits::default`] for what a hub uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the accepted socket to the end of the TLS handshake.
    pub tls_handshake: Duration,
    /// From there to the whole CONNECT.
    pub connect: Duration,
    /// The longest silence of a client, whatever keep-alive it asked for. The service's own cap is 1767 s.
    pub silence: Duration,
    /// The longest time without progress while bytes wait for a peer that does not read.
    pub stall: Duration,
    /// How long reports that arrived before a connection's end may take to be applied after it.
    pub drain: Duration,
    /// Open sockets at once, whether admitted or not.
    pub max_connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tls_handshake: Duration::from_secs(10),
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(1767),
            stall: Duration::from_secs(30),
            drain: Duration::from_secs(5),
            max_connections: 10_000,
        }
    }
}

impl Limits {
    /// The silence after which a client that announced this keep-alive is given up: one and a half times of it.
    #[must_use]
    pub fn silence_of(&self, keep_alive_s: u16) -> Duration {
        match keep_alive_s {
            0 => self.silence,
            s => self.silence.min(Duration::from_millis(u64::from(s) * 1500)),
        }
    }
}

/// Filters one session may hold. The service's documents say five; clients of it hold six at most.
pub const MAX_SUBSCRIPTIONS: usize = 50;
/// The longest filter worth keeping: two ids of 128 bytes and the words around them, with room. Longer ones match nothing.
pub const MAX_FILTER: usize = 512;
/// Sessions kept while their client is away; beyond, the one that is away longest is forgotten.
pub const MAX_KEPT_SESSIONS: usize = 100_000;
/// Notifications that wait for one connection.
pub const OUTBOX_MESSAGES: usize = 256;
/// Bytes of notifications that wait for one connection.
pub const OUTBOX_BYTES: usize = 1024 * 1024;
/// Encoded bytes for the socket beyond which a connection takes no further packet and no further notification.
pub const MAX_UNSENT: usize = 64 * 1024;
/// Twin operations of one connection that wait for an earlier one.
pub const MAX_PENDING: usize = 16;
/// Bytes of them.
pub const MAX_PENDING_BYTES: usize = 256 * 1024;
/// Messages to a device that its connection has not acknowledged.
pub const MAX_IN_FLIGHT: usize = 16;
/// The longest request id that is answered; SDKs send 36 characters.
pub const MAX_REQUEST_ID: usize = 1024;
