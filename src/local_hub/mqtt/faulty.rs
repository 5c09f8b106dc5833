//! Faults over MQTT: what they do to a CONNECT, to what a client publishes, and to how long its connection lasts.

use super::connect::put;
use super::packet::Outgoing;
use super::session::End;
use super::twin::Operation;
use crate::local_hub::faults::{Fate, Faults, Term};
use crate::local_hub::hub::Hub;
use crate::protocol::fault::{Occasion, When};
use crate::twin::TwinId;
use bytes::BytesMut;
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long what came before a fault may take to leave, when the peer does not read.
const FAREWELL: Duration = Duration::from_millis(250);
/// Bytes of a client that talks on while its CONNECT is delayed; more are left to wait in the network.
const EARLY_MAX: usize = 64 * 1024;

/// How long a connection lasts, by the faults in force.
pub struct Lifetime {
    opened: Instant,
    term: Option<Term>,
    watch: watch::Receiver<u64>,
}

impl Lifetime {
    /// Of a connection that opens now.
    pub fn new(faults: &Faults, id: &TwinId) -> Self {
        // Before the question: what is set after it is seen then.
        let watch = faults.watch();
        Self { opened: Instant::now(), term: faults.term(id), watch }
    }

    /// Returns when the faults are set anew.
    pub async fn news(&mut self) {
        if self.watch.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// By the faults as they are now.
    pub fn renew(&mut self, faults: &Faults, id: &TwinId) {
        self.term = faults.term(id);
    }

    /// The moment the connection is to be closed.
    pub fn end(&self) -> Option<Instant> {
        self.term.map(|term| self.opened + term.after)
    }

    /// The connection's end, if that has come; counts it.
    pub fn check(&self, faults: &Faults, id: &TwinId, now: Instant) -> Result<(), End> {
        match (self.term, self.end()) {
            (Some(term), Some(end)) if now >= end => {
                faults.evicted(id, term);
                Err(End::Evicted)
            }
            _ => Ok(()),
        }
    }
}

/// A twin operation that is held back for a while.
pub struct Delayed {
    pub operation: Operation,
    pub packet_id: Option<u16>,
    pub fate: Fate,
    timer: Pin<Box<Sleep>>,
}

impl Delayed {
    pub fn new(operation: Operation, packet_id: Option<u16>, fate: Fate) -> Box<Self> {
        Box::new(Self { operation, packet_id, fate, timer: Box::pin(sleep(fate.latency)) })
    }
}

/// Returns when it has been held back long enough; never, when nothing is.
pub async fn delay(delayed: &mut Option<Box<Delayed>>) {
    match delayed {
        Some(delayed) => delayed.timer.as_mut().await,
        None => std::future::pending().await,
    }
}

/// What befalls a twin operation.
pub fn of_twin(hub: &Hub, id: &TwinId, operation: &Operation) -> Fate {
    hub.faults().strike(occasion(operation), Some(id))
}

/// What a twin operation is to the faults.
pub fn occasion(operation: &Operation) -> Occasion {
    match operation {
        Operation::Get { .. } => Occasion::TwinGet,
        Operation::Report { .. } | Operation::Refuse { .. } => Occasion::Report,
    }
}

/// Ends the connection, when that is to happen before anything is done.
pub fn before(fate: &Fate) -> Result<(), End> {
    if fate.drop == Some(When::Before) { Err(End::Dropped) } else { Ok(()) }
}

/// Appends the first half of a packet.
pub fn put_half(packet: &Outgoing, out: &mut BytesMut) {
    let from = out.len();
    put(packet, out);
    let half = (out.len() - from) / 2;
    out.truncate(from + half);
}

/// Gets out what came before the drop; then the socket may close, without a word of parting.
pub async fn let_out<W: AsyncWrite + Unpin>(writer: &mut W, unsent: &[u8]) {
    let sent = timeout(FAREWELL, async {
        writer.write_all(unsent).await?;
        writer.flush().await
    });
    if !matches!(sent.await, Ok(Ok(()))) {
        tracing::trace!("the peer did not take what came before the drop");
    }
}

/// What befalls a CONNECT that would be let in: waits, and ends the connection if that is to be. Strangers are refused as ever.
pub async fn of_connect<S: AsyncRead + Unpin>(
    io: &mut S,
    received: &mut BytesMut,
    (hub, id): (&Hub, &TwinId),
    is_welcome: impl FnOnce() -> bool,
    stop: &CancellationToken,
) -> Result<Fate, End> {
    if !hub.faults().is_any() || !is_welcome() {
        return Ok(Fate::default());
    }
    let fate = hub.faults().strike(Occasion::Connect, Some(id));
    if !fate.latency.is_zero() {
        tokio::select! {
            () = sleep(fate.latency) => {}
            () = stop.cancelled() => return Err(End::Stopped),
            () = gone(io, received) => return Err(End::Lost),
        }
    }
    before(&fate).map(|()| fate)
}

/// Returns when the client gives up waiting.
async fn gone<S: AsyncRead + Unpin>(io: &mut S, received: &mut BytesMut) {
    while received.len() < EARLY_MAX {
        received.reserve(1024);
        if !matches!(io.read_buf(received).await, Ok(1..)) {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// Ends a connection whose CONNECT was carried out.
pub async fn after_connect<S: AsyncWrite + Unpin>(io: &mut S, fate: &Fate, connack: &Outgoing) -> Result<(), End> {
    let Some(when) = fate.drop else { return Ok(()) };
    if when == When::Halfway {
        let mut half = BytesMut::new();
        put_half(connack, &mut half);
        let_out(io, &half).await;
    }
    Err(End::Dropped)
}
