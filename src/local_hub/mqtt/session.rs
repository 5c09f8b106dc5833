//! One connection from CONNECT to its end, over anything that reads and writes bytes.
//!
//! A single task does everything, so packets are taken in order and answers cannot overtake what caused them. Only a report's
//! commit is waited for beside the rest: pings are answered meanwhile, later twin operations queue up behind it. When too much
//! waits, in either direction, the connection stops reading; a peer that makes no room in time is closed. `carry` carries out
//! what waited; `clocks` are the deadlines.

mod carry;
mod clocks;

use super::connect::{self, Admitted, Reports, put};
use super::delivery::{self, Deliveries};
use super::faulty::{self, Delayed, Lifetime};
use super::lease::Lease;
use super::limits::{Limits, MAX_PENDING, MAX_PENDING_BYTES, MAX_UNSENT};
use super::outbox::Inbox;
use super::packet::{Incoming, MAX_BODY, Malformed, Outgoing, Publish, ReturnCode, decode};
use super::pending::{Busy, Pending, finished};
use super::publish::{self, Meaning};
use crate::local_hub::hub::{Hub, Refused};
use crate::local_hub::x509::ClientCertificates;
use crate::protocol::fault::Occasion;
use crate::protocol::mqtt::TWIN_RESPONSES;
use crate::twin::TwinId;
use bytes::BytesMut;
use clocks::{Clocks, Overdue};
use futures_util::FutureExt;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The client said DISCONNECT.
    Disconnected,
    /// The CONNECT was answered with this code.
    Refused(ReturnCode),
    /// The peer closed, or the network did.
    Lost,
    /// No CONNECT in time, or nothing for one and a half keep-alives.
    Silent,
    /// The peer does not read.
    Stalled,
    /// The token's time is over.
    Expired,
    /// Replaced by a newer connection, or told to go by the hub or a fault.
    Evicted,
    /// What the client asked for could not be kept, and MQTT has no packet that says so.
    NotKept,
    /// Broken off by a fault.
    Dropped,
    Malformed(Malformed),
    Violation(&'static str),
    /// The hub stops.
    Stopped,
}

impl End {
    /// For whoever wonders why a client is gone: MQTT 3.1.1 has no word for it on the wire.
    fn tell(&self, id: Option<&TwinId>) {
        let id = id.map_or_else(|| "nobody yet".to_owned(), TwinId::to_string);
        match self {
            Self::Disconnected | Self::Lost | Self::Stopped => tracing::debug!(id, end = ?self, "a connection ended"),
            _ => tracing::info!(id, end = ?self, "the hub ended an MQTT connection"),
        }
    }
}

/// Serves one client. `certificates` are those it showed in TLS.
pub async fn run<S>(
    mut io: S,
    hub: Arc<Hub>,
    certificates: ClientCertificates,
    limits: Limits,
    stop: CancellationToken,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let admitted = match connect::accept(&mut io, hub, &certificates, &limits, &stop).await {
        Ok(admitted) => admitted,
        Err(end) => {
            // Why a CONNECT was refused is told where that is known.
            if !matches!(end, End::Refused(_)) {
                end.tell(None);
            }
            return end;
        }
    };
    drop(certificates);
    let Admitted { lease, inbox, received, unsent, will, silence, expires_s, reports } = admitted;
    let mut session = Session {
        lease: &lease,
        reports,
        received,
        unsent,
        flushed: Flushed::Yes,
        pending: VecDeque::new(),
        unacknowledged: 0,
        busy: None,
        delayed: None,
        lifetime: Lifetime::new(lease.hub.faults(), &lease.id),
        deliveries: None,
        resubscribed: true,
        clocks: Clocks::new(&lease.hub, &limits, silence, expires_s),
    };
    let end = session.serve(io, inbox, &stop).await;
    end.tell(Some(&lease.id));
    // The socket is closed by now. What the client sent before is still done: a client may report and leave at once.
    if timeout(limits.drain, session.finish()).await.is_err() {
        tracing::warn!(id = %lease.id, "the hub was too slow to apply all reports of a connection that ended");
    }
    if let (Some(will), true) = (will, !matches!(end, End::Disconnected | End::Stopped)) {
        will.publish(&lease);
    }
    end
}

/// Whether everything written has also left the TLS layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flushed {
    Yes,
    No,
}

struct Session<'a> {
    lease: &'a Lease,
    reports: Reports,
    received: BytesMut,
    unsent: BytesMut,
    flushed: Flushed,
    pending: VecDeque<Pending>,
    /// Subscriptions that are not acknowledged yet. What comes by them waits: MQTT lets it come before, but few clients expect it.
    unacknowledged: usize,
    /// The report, or the subscription, that is being committed.
    busy: Option<Busy<'a>>,
    /// The twin operation that a fault holds back. What came behind it waits too.
    delayed: Option<Box<Delayed>>,
    lifetime: Lifetime,
    /// The messages to its device, while it is subscribed to them. Boxed: most connections never are.
    deliveries: Option<Box<Deliveries>>,
    /// Whether the subscriptions may be others than those that `deliveries` goes by.
    resubscribed: bool,
    clocks: Clocks,
}

/// Why `take_packets` stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Appetite {
    /// Everything whole was taken.
    Hungry,
    /// Earlier work, or unsent bytes, must go first.
    Full,
}

impl Session<'_> {
    async fn serve<S>(&mut self, io: S, mut inbox: Inbox, stop: &CancellationToken) -> End
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (mut reader, mut writer) = tokio::io::split(io);
        let end = match self.exchange(&mut reader, &mut writer, &mut inbox, stop).await {
            Ok(never) => match never {},
            Err(End::Dropped) => {
                faulty::let_out(&mut writer, &self.unsent).await;
                return End::Dropped;
            }
            Err(end) => end,
        };
        // A word of parting for TLS, if the peer takes it at once.
        if !matches!(timeout(Duration::from_millis(250), writer.shutdown()).await, Ok(Ok(()))) {
            tracing::trace!(id = %self.lease.id, "the peer did not take the end of the stream");
        }
        end
    }

    async fn exchange<S>(
        &mut self,
        reader: &mut ReadHalf<S>,
        writer: &mut WriteHalf<S>,
        inbox: &mut Inbox,
        stop: &CancellationToken,
    ) -> Result<std::convert::Infallible, End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut timer = std::pin::pin!(sleep_until(self.deadline(Appetite::Hungry)));
        let mut before = Appetite::Hungry;
        loop {
            let appetite = self.take_packets()?;
            if before == Appetite::Full && appetite == Appetite::Hungry {
                // Who is not read cannot be heard: the silence was ours.
                self.clocks.heard();
            }
            before = appetite;
            self.deliver();
            self.rearm(timer.as_mut(), appetite);
            // None of these goes first: a flood on one side must not silence the other.
            tokio::select! {
                () = self.lease.evicted().cancelled() => return Err(End::Evicted),
                () = stop.cancelled() => return Err(End::Stopped),
                () = timer.as_mut() => self.check_time(appetite, reader, writer)?,
                done = finished(&mut self.busy) => {
                    self.busy = None;
                    self.done(done)?;
                }
                () = faulty::delay(&mut self.delayed) => self.carry_out_delayed()?,
                () = self.lifetime.news() => self.faults_set(),
                written = write(writer, &mut self.unsent), if self.has_unsent() => self.written(written)?,
                Some(packet) = inbox.next(), if self.unsent.len() < MAX_UNSENT && self.unacknowledged == 0 => self.unsent.extend_from_slice(&packet),
                () = delivery::news(self.deliveries.as_deref_mut()), if self.unsent.len() < MAX_UNSENT => {}
                read = read(reader, &mut self.received), if appetite == Appetite::Hungry => match read {
                    Ok(1..) => {}
                    Ok(0) | Err(_) => return Err(End::Lost),
                },
            }
        }
    }

    /// Takes what is whole, as long as there is room for what it causes.
    fn take_packets(&mut self) -> Result<Appetite, End> {
        loop {
            self.start_pending()?;
            let waiting: usize = self.pending.iter().map(Pending::size).sum();
            if self.unsent.len() >= MAX_UNSENT || self.pending.len() >= MAX_PENDING || waiting >= MAX_PENDING_BYTES {
                return Ok(Appetite::Full);
            }
            let Some(packet) = decode(&mut self.received, MAX_BODY).map_err(End::Malformed)? else {
                release_if_large(&mut self.received);
                return Ok(Appetite::Hungry);
            };
            self.clocks.heard();
            self.take(packet)?;
        }
    }

    fn take(&mut self, packet: Incoming) -> Result<(), End> {
        let lease = self.lease;
        let (hub, id, generation) = (&lease.hub, &lease.id, lease.generation());
        match packet {
            Incoming::Connect(_) => return Err(End::Violation("a second CONNECT")),
            Incoming::Disconnect => return Err(End::Disconnected),
            Incoming::PingReq => self.send(&Outgoing::PingResp),
            Incoming::Subscribe { packet_id, filters } => {
                self.resubscribed = true;
                let keep = |items, before| lease.keep_subscriptions(items, before);
                let (grants, kept) = hub.sessions().subscribe(id, generation, filters, keep);
                self.subscribed(Outgoing::SubAck { packet_id, grants }, kept);
            }
            Incoming::Unsubscribe { packet_id, filters } => {
                self.resubscribed = true;
                let keep = |items, before| lease.keep_subscriptions(items, before);
                let kept = hub.sessions().unsubscribe(id, generation, &filters, keep);
                self.subscribed(Outgoing::UnsubAck { packet_id }, kept);
            }
            Incoming::Publish(publish) => self.publish(publish)?,
            Incoming::PubAck { packet_id } => {
                if let Some(deliveries) = &mut self.deliveries {
                    deliveries.acknowledged(packet_id);
                }
            }
        }
        Ok(())
    }

    fn publish(&mut self, publish: Publish) -> Result<(), End> {
        let packet_id = publish.packet_id;
        match publish::meaning(publish, &self.lease.id) {
            Meaning::Violation(why) => return Err(End::Violation(why)),
            Meaning::Twin(operation) => {
                let operation = operation.allowed(self.reports);
                self.pending.push_back(Pending::Twin { operation, packet_id });
            }
            Meaning::Telemetry(message) => {
                let fate = self.lease.hub.faults().strike(Occasion::Telemetry, Some(&self.lease.id));
                faulty::before(&fate)?;
                let lease = self.lease;
                lease.hub.telemetry_of(&lease.id, lease.identity(), &message.bag, &message.payload);
                self.conclude(packet_id, None, &fate)?;
            }
            Meaning::MethodAnswer { rid, status, payload } => {
                let fate = self.lease.hub.faults().strike(Occasion::MethodAnswer, Some(&self.lease.id));
                faulty::before(&fate)?;
                let lease = self.lease;
                lease.hub.calls().answered(&lease.id, lease.identity(), (&rid, status, &payload));
                self.conclude(packet_id, None, &fate)?;
            }
            Meaning::Nothing => self.acknowledge(packet_id),
        }
        Ok(())
    }

    /// What is subscribed holds from now on; it is acknowledged when a restart of the hub would not undo it.
    fn subscribed(
        &mut self,
        answer: Outgoing,
        kept: Option<impl Future<Output = Result<(), Refused>> + Send + 'static>,
    ) {
        match kept {
            Some(kept) => {
                self.unacknowledged += 1;
                self.pending.push_back(Pending::Subscription { answer, kept: Box::pin(kept) });
            }
            None => self.send(&answer),
        }
    }

    /// Sends a twin answer to a client that subscribed to such; else it is lost.
    fn respond(&mut self, answer: &Outgoing) {
        let lease = self.lease;
        if lease.hub.sessions().is_subscribed(&lease.id, lease.generation(), TWIN_RESPONSES) {
            self.send(answer);
        }
    }

    /// Brings the device its messages, when the subscription to them is acknowledged.
    fn deliver(&mut self) {
        if self.resubscribed && self.pending.is_empty() && self.busy.is_none() {
            self.resubscribed = false;
            delivery::follow(&mut self.deliveries, self.lease);
        }
        if let Some(deliveries) = self.deliveries.as_mut().filter(|_| self.unacknowledged == 0) {
            deliveries.fill(&mut self.unsent);
        }
    }

    fn acknowledge(&mut self, packet_id: Option<u16>) {
        if let Some(packet_id) = packet_id {
            self.send(&Outgoing::PubAck { packet_id });
        }
    }

    fn send(&mut self, packet: &Outgoing) {
        put(packet, &mut self.unsent);
    }

    fn written(&mut self, written: io::Result<Flushed>) -> Result<(), End> {
        self.flushed = written.map_err(|_broken| End::Lost)?;
        self.clocks.took();
        release_if_large(&mut self.unsent);
        Ok(())
    }

    fn has_unsent(&self) -> bool {
        !self.unsent.is_empty() || self.flushed == Flushed::No
    }

    /// The moment something is to be looked after, if nothing happens before.
    fn deadline(&self, appetite: Appetite) -> Instant {
        let at = self.clocks.deadline(appetite);
        self.lifetime.end().map_or(at, |end| at.min(end))
    }

    /// Only forwards in haste: a timer that goes off early is set anew by the same look at the clock.
    fn rearm(&mut self, timer: Pin<&mut Sleep>, appetite: Appetite) {
        self.clocks.note(self.has_unsent());
        let at = self.deadline(appetite);
        if timer.is_elapsed() || at < timer.deadline() {
            timer.reset(at);
        }
    }

    /// Ends what is over. The hub itself may have been late, on a machine that slept or was busy: a client that wrote or read in
    /// time by then is not blamed for it.
    fn check_time<S: AsyncRead + AsyncWrite>(
        &mut self,
        appetite: Appetite,
        reader: &mut ReadHalf<S>,
        writer: &mut WriteHalf<S>,
    ) -> Result<(), End> {
        self.lifetime.check(self.lease.hub.faults(), &self.lease.id, Instant::now())?;
        match self.clocks.check(&self.lease.hub, appetite) {
            None => Ok(()),
            Some(Overdue::Token) => Err(End::Expired),
            Some(Overdue::Stall) => match unconstrained(write(writer, &mut self.unsent)).now_or_never() {
                Some(written) => self.written(written),
                None => Err(End::Stalled),
            },
            Some(Overdue::Silence) => match unconstrained(read(reader, &mut self.received)).now_or_never() {
                // Half a packet is none: the next look at the clock comes soon, and finds nothing more to read.
                Some(Ok(1..)) => Ok(()),
                Some(Ok(0) | Err(_)) => Err(End::Lost),
                None => Err(End::Silent),
            },
        }
    }
}

/// One large packet must not cost an idle connection its size for ever.
fn release_if_large(buffer: &mut BytesMut) {
    if buffer.is_empty() && buffer.capacity() > MAX_UNSENT {
        *buffer = BytesMut::new();
    }
}

/// Writes some of `unsent`, or flushes when all is written. May be dropped at any await without losing bytes.
async fn write<W: AsyncWrite + Unpin>(writer: &mut W, unsent: &mut BytesMut) -> io::Result<Flushed> {
    if unsent.is_empty() {
        writer.flush().await?;
        return Ok(Flushed::Yes);
    }
    match writer.write_buf(unsent).await? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        _ => Ok(Flushed::No),
    }
}

/// Reads some; 0 is the end. The buffer grows with what came, not with what a header claims.
async fn read<R: AsyncRead + Unpin>(reader: &mut R, received: &mut BytesMut) -> io::Result<usize> {
    received.reserve(if received.is_empty() { 1024 } else { 8 * 1024 });
    reader.read_buf(received).await
}
