//! The one task behind a link: connects, serves, judges why a connection ended, and tries again or ends.

use super::live::{Ask, Live, Meaning};
use super::mqtt::{self, End, Incoming, Target};
use super::{LinkEvent, LinkState, LinkTiming, Reconnect};
use crate::client::retry::backoff;
use crate::client::token::{MARGIN, Signer, now_s};
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// Events kept for a reader that is behind.
const OUTBOX_MAX: usize = 256;
/// Counts the connections of all links: a receipt of one link must not fit the next link of the same device.
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);
/// A connection that held this long was a good one: the backoff starts anew.
const GOOD_CONNECTION: Duration = Duration::from_secs(20);
/// For SUBACK, and between two attempts to fetch the view.
const PATIENCE: Duration = Duration::from_secs(10);
const GOODBYE: Duration = Duration::from_secs(1);
const PROBE: Duration = Duration::from_secs(5);
/// Far enough away to mean never.
const NEVER: Duration = Duration::from_hours(24 * 365);
const NOT_CONNECTED: &str = "the link is not connected";

pub(super) struct Runner {
    target: Target,
    /// `None` with a certificate, which needs no tokens.
    signer: Option<Signer>,
    reconnect: Reconnect,
    timing: LinkTiming,
    asks: mpsc::Receiver<Ask>,
    events: mpsc::Sender<LinkEvent>,
    outbox: VecDeque<LinkEvent>,
    /// Events had to be thrown away; a fresh view is due once the reader has caught up.
    overflowed: bool,
    cancel: CancellationToken,
}

/// Closed by us: asked to, or the last handle is gone.
struct Stop;

/// Why one connection is over.
enum Over {
    Stop,
    Renew,
    End(End),
}

/// What the serving loop woke up for.
enum Wake {
    Packet(Result<mqtt::Packet, End>),
    Over(Over),
}

/// How far one connection has come.
struct Stand {
    /// When the hub accepted it.
    opened: Option<Instant>,
    session_present: bool,
    /// Subscribed: operations can be taken up.
    online: bool,
    /// When something must have happened: SUBACK, or a view.
    tick: Instant,
}

impl Stand {
    /// Something did not come in time.
    fn overdue(&mut self, live: &mut Live) -> Result<(), End> {
        if !self.online {
            return Err(End::Trouble("the hub does not answer the subscription".to_owned()));
        }
        if live.is_behind() {
            live.fetch();
            self.tick = Instant::now() + PATIENCE;
        } else {
            self.tick = Instant::now() + NEVER;
        }
        Ok(())
    }
}

impl Runner {
    pub(super) fn new(
        target: Target,
        signer: Option<Signer>,
        reconnect: Reconnect,
        timing: LinkTiming,
        asks: mpsc::Receiver<Ask>,
        events: mpsc::Sender<LinkEvent>,
        cancel: CancellationToken,
    ) -> Self {
        Self { target, signer, reconnect, timing, asks, events, outbox: VecDeque::new(), overflowed: false, cancel }
    }

    pub(super) async fn run(mut self) {
        let last = self.until_the_end().await;
        self.put(LinkEvent::State(last));
        // The last state reaches the reader, unless nobody holds the link any more.
        let cancel = self.cancel.clone();
        let drain = async {
            while let Some(event) = self.outbox.pop_front() {
                if self.events.send(event).await.is_err() {
                    break;
                }
            }
        };
        tokio::select! {
            () = drain => {}
            () = cancel.cancelled() => {
                while let Some(event) = self.outbox.pop_front() {
                    if self.events.try_send(event).is_err() {
                        break;
                    }
                }
            }
        }
    }

    /// Connections one after the other; the state in which the link ends.
    async fn until_the_end(&mut self) -> LinkState {
        let mut attempt = 0;
        loop {
            self.put(LinkEvent::State(LinkState::Connecting));
            let token = match self.signer.as_ref().map(Signer::token).transpose() {
                Ok(token) => token,
                Err(error) => return LinkState::Refused { reason: error.to_string() },
            };
            let (outgoing, incoming) = mqtt::open(&self.target, token.as_ref().map(|token| &token.text));
            let expiry = token.and_then(|token| token.expiry);
            let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
            let live = Live::new(outgoing, self.target.dial.host.clone(), self.target.messages.clone(), number);
            let (over, opened) = self.serve(live, incoming, expiry).await;
            let end = match over {
                Over::Stop => return LinkState::Closed,
                Over::Renew => continue,
                Over::End(End::Refused(reason)) => {
                    let super::Dial { host, port } = &self.target.dial;
                    return LinkState::Refused { reason: format!("{host}:{port}: {reason}") };
                }
                Over::End(end) => end,
            };
            let expired = expiry.is_some_and(|expiry| now_s() >= expiry);
            if opened.is_some() && !expired && self.means_pushed_out(&end) {
                let looking = self.meanwhile(hub_answers(self.target.dial.clone(), self.timing.settle));
                match looking.await {
                    Ok(true) => return LinkState::PushedOut,
                    Ok(false) => {}
                    Err(Stop) => return LinkState::Closed,
                }
            }
            attempt = if opened.is_some_and(|at: Instant| at.elapsed() >= GOOD_CONNECTION) { 1 } else { attempt + 1 };
            let wait = backoff(self.timing.backoff, self.timing.backoff_max, attempt);
            let in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            let mut reason = reason(&end);
            if opened.is_none() {
                // Nothing of a hub answered there: the port may be another one.
                let super::Dial { host, port } = &self.target.dial;
                reason = format!("{host}:{port}: {reason}");
            }
            self.put(LinkEvent::State(LinkState::Retrying { reason, in_ms }));
            if self.meanwhile(sleep(wait)).await.is_err() {
                return LinkState::Closed;
            }
        }
    }

    /// Whether an end could mean that another client took over; see the table at [`Reconnect`].
    fn means_pushed_out(&self, end: &End) -> bool {
        match end {
            End::Closed => true,
            End::Reset => self.reconnect == Reconnect::UnlessPushedOut,
            End::Refused(_) | End::Trouble(_) => false,
        }
    }

    /// One connection, from dialling to its end; and when the hub accepted it, if it did.
    async fn serve(&mut self, mut live: Live, mut incoming: Incoming, expiry: Option<u64>) -> (Over, Option<Instant>) {
        let mut renewal = pin!(sleep(renewal(expiry)));
        let mut stand = Stand { opened: None, session_present: false, online: false, tick: Instant::now() + NEVER };
        let over = loop {
            // This future is only dropped when the connection is given up.
            let mut next = pin!(incoming.next());
            let wake = loop {
                tokio::select! {
                    packet = &mut next => break Wake::Packet(packet),
                    ask = self.asks.recv() => match self.heed(ask, &mut live, &stand) {
                        Ok(()) => {}
                        Err(Stop) => break Wake::Over(Over::Stop),
                    },
                    permit = self.events.reserve(), if !self.outbox.is_empty() || (stand.online && self.overflowed) => {
                        match (permit, self.outbox.pop_front()) {
                            (Ok(permit), Some(event)) => permit.send(event),
                            (Ok(_), None) => {}
                            (Err(_), _) => self.outbox.clear(),
                        }
                        if stand.online && self.outbox.is_empty() && std::mem::take(&mut self.overflowed) {
                            live.lost_events();
                            stand.tick = Instant::now();
                        }
                    }
                    () = &mut renewal => break Wake::Over(Over::Renew),
                    () = sleep_until(stand.tick) => match stand.overdue(&mut live) {
                        Ok(()) => {}
                        Err(end) => break Wake::Over(Over::End(end)),
                    },
                    () = self.cancel.cancelled() => break Wake::Over(Over::Stop),
                }
            };
            let outcome = match wake {
                Wake::Packet(packet) => packet.and_then(|packet| self.follow(packet, &mut live, &mut stand)),
                Wake::Over(over) => break over,
            };
            if let Err(end) = outcome {
                return (Over::End(end), stand.opened);
            }
        };
        if stand.online {
            say_goodbye(&live, incoming).await;
        }
        (over, stand.opened)
    }

    /// Takes up an operation; `None` when nobody can ask any more.
    fn heed(&self, ask: Option<Ask>, live: &mut Live, stand: &Stand) -> Result<(), Stop> {
        match ask {
            Some(Ask::Close(reply)) => {
                reply.send(()).ok();
                return Err(Stop);
            }
            Some(ask) if stand.online => live.take(ask),
            // A kept session has its subscriptions: what waited in it comes before SUBACK, and so may the word about it.
            Some(ask @ (Ask::Acknowledge { .. } | Ask::Answer { .. })) if stand.opened.is_some() => live.take(ask),
            Some(ask) => ask.reject(&self.target.dial.host, NOT_CONNECTED),
            None => return Err(Stop),
        }
        Ok(())
    }

    /// What a packet changes.
    fn follow(&mut self, packet: mqtt::Packet, live: &mut Live, stand: &mut Stand) -> Result<(), End> {
        match live.understand(packet) {
            Meaning::Accepted { session_present } => {
                stand.opened = Some(Instant::now());
                stand.session_present = session_present;
                stand.tick = Instant::now() + PATIENCE;
                if !live.subscribe() {
                    return Err(End::Trouble("nothing can be sent".to_owned()));
                }
            }
            Meaning::Subscribed if !stand.online => {
                stand.online = true;
                self.put(LinkEvent::State(LinkState::Online { session_present: stand.session_present }));
                live.fetch();
            }
            Meaning::Denied => return Err(End::Refused("the hub denies the twin's topics".to_owned())),
            Meaning::Events(events) => {
                for event in events {
                    self.put(event);
                }
            }
            Meaning::Nothing | Meaning::Subscribed | Meaning::Disconnected => {}
        }
        if stand.online {
            // As long as the view is not up to date it is asked for again and again, at this pace.
            stand.tick =
                if live.is_behind() { stand.tick.min(Instant::now() + PATIENCE) } else { Instant::now() + NEVER };
        }
        Ok(())
    }

    /// Waits for something while the link is down: operations are refused, events still reach their reader.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Stop> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                ask = self.asks.recv() => match ask {
                    Some(Ask::Close(reply)) => {
                        reply.send(()).ok();
                        return Err(Stop);
                    }
                    Some(ask) => ask.reject(&self.target.dial.host, NOT_CONNECTED),
                    None => return Err(Stop),
                },
                permit = self.events.reserve(), if !self.outbox.is_empty() => {
                    match (permit, self.outbox.pop_front()) {
                        (Ok(permit), Some(event)) => permit.send(event),
                        _ => self.outbox.clear(),
                    }
                }
                () = self.cancel.cancelled() => return Err(Stop),
            }
        }
    }

    /// Keeps an event for the reader. When too many wait, patches, views, calls and messages go, and so do those that follow,
    /// until the reader has caught up and a fresh view makes up for them; states stay. Messages come again over a later connection.
    fn put(&mut self, event: LinkEvent) {
        if self.events.is_closed() {
            return;
        }
        if self.outbox.len() >= OUTBOX_MAX {
            self.outbox.retain(|kept| matches!(kept, LinkEvent::State(_)));
            // A reader that never reads: of the states the latest are enough.
            while self.outbox.len() >= OUTBOX_MAX / 2 {
                self.outbox.pop_front();
            }
            self.overflowed = true;
        }
        if !self.overflowed || matches!(event, LinkEvent::State(_)) {
            self.outbox.push_back(event);
        }
    }
}

/// Until the token is replaced: a while after its margin begins, spread so that a fleet does not reconnect all at once.
fn renewal(expiry: Option<u64>) -> Duration {
    match expiry {
        Some(expiry) => {
            let margin_begins = expiry.saturating_sub(MARGIN.as_secs()).saturating_sub(now_s());
            Duration::from_secs(margin_begins + 1) + (MARGIN / 2).mul_f64(fastrand::f64())
        }
        None => NEVER,
    }
}

/// Sends DISCONNECT, so that the hub need not guess.
async fn say_goodbye(live: &Live, mut incoming: Incoming) {
    if !live.disconnect() {
        return;
    }
    let gone = async {
        while let Ok(packet) = incoming.next().await {
            if matches!(packet, mqtt::Packet::Disconnected) {
                break;
            }
        }
    };
    if timeout(GOODBYE, gone).await.is_err() {
        tracing::debug!("DISCONNECT did not go out in time");
    }
}

/// Whether something accepts connections where the hub was.
async fn hub_answers(dial: super::Dial, settle: Duration) -> bool {
    sleep(settle).await;
    matches!(timeout(PROBE, TcpStream::connect((dial.host.as_str(), dial.port))).await, Ok(Ok(_)))
}

fn reason(end: &End) -> String {
    match end {
        End::Closed => "the hub closed the connection".to_owned(),
        End::Reset => "the connection was reset".to_owned(),
        End::Trouble(reason) | End::Refused(reason) => reason.clone(),
    }
}
