//! What goes wrong on purpose, for people who test their own clients: decides which fault strikes, and counts. What it then
//! looks like on the wire is for the two faces; the words are those of [`protocol::fault`](crate::protocol::fault).
//!
//! Nothing here depends on the order in which identities come: each has its own counts, and what is drawn is a function of the
//! seed, the fault, the identity and its count. The same seed and the same doings of a client meet the same faults.

mod draw;

use super::clock::Clock;
use super::hub::Refused;
use super::random;
use crate::protocol::error::ErrorCode;
use crate::protocol::fault::{Counted, Fault, Kind, Lost, Occasion, Plan, Report, Span, Turn, When};
use crate::twin::TwinId;
use draw::Draw;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Identities whose counts one fault keeps apart. All beyond count together: ids come from the network.
const TALLIES_MAX: usize = 100_000;

/// The faults in force.
#[derive(Debug)]
pub struct Faults {
    state: Mutex<State>,
    /// Whether any is switched on. Most hubs have none, and ask at each packet.
    any: AtomicBool,
    /// The number of times they were set.
    set: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    seed: u64,
    since: Instant,
    faults: Vec<Armed>,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    matched: u64,
    struck: u64,
    /// By identity; `None` for what concerns none, and for identities beyond [`TALLIES_MAX`].
    tallies: HashMap<Option<TwinId>, Tally>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    matched: u64,
    struck: u64,
}

/// What befalls one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fate {
    /// To be waited before anything is done.
    pub latency: Duration,
    /// At most one of this and `drop` is there.
    pub status: Option<Status>,
    pub drop: Option<When>,
    pub response: Delivery,
    pub puback: Delivery,
}

/// The answer in place of what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// 429 or 500 to 599.
    pub status: u16,
    pub retry_after_s: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    #[default]
    Sent,
    Lost,
}

/// How long a connection may last, and which fault says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// From its CONNECT.
    pub after: Duration,
    index: usize,
    /// Which setting of the faults it is of.
    set: u64,
}

impl Faults {
    #[must_use]
    pub fn new(plan: &Plan, clock: &Clock) -> Self {
        let faults = Self {
            state: Mutex::new(State { seed: 0, since: Instant::now(), faults: Vec::new() }),
            any: AtomicBool::new(false),
            set: watch::Sender::new(0),
        };
        faults.set(plan, clock);
        faults
    }

    /// These and no others from now on, the clock included; all counts begin anew. Without a seed one is drawn.
    pub fn set(&self, plan: &Plan, clock: &Clock) {
        let armed = |fault: &Fault| Armed { fault: fault.clone(), matched: 0, struck: 0, tallies: HashMap::new() };
        let mut state = self.lock();
        *state = State {
            seed: plan.seed.unwrap_or_else(random::seed),
            since: Instant::now(),
            faults: plan.faults.iter().map(armed).collect(),
        };
        self.any.store(plan.in_force().next().is_some(), Ordering::Relaxed);
        // Under the lock: clock and number belong to what was set.
        clock.skew(plan.ahead_s());
        self.set.send_modify(|set| *set += 1);
    }

    /// None from now on. The seed stays.
    pub fn clear(&self, clock: &Clock) {
        let seed = self.lock().seed;
        self.set(&Plan { seed: Some(seed), faults: Vec::new() }, clock);
    }

    /// What they are, and what became of them.
    #[must_use]
    pub fn report(&self) -> Report {
        let state = self.lock();
        let counted =
            |armed: &Armed| Counted { fault: armed.fault.clone(), matched: armed.matched, struck: armed.struck };
        Report { seed: state.seed, faults: state.faults.iter().map(counted).collect() }
    }

    /// Whether any is in force.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Tells when they are set anew.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.set.subscribe()
    }

    /// What befalls this exchange, which counts as one more of its kind.
    #[must_use]
    pub fn strike(&self, occasion: Occasion, id: Option<&TwinId>) -> Fate {
        let mut fate = Fate::default();
        if !self.is_any() {
            return fate;
        }
        let mut state = self.lock();
        let (seed, elapsed) = (state.seed, state.since.elapsed());
        for (index, armed) in state.faults.iter_mut().enumerate() {
            let kind = armed.fault.kind;
            if matches!(kind, Kind::Evict(_)) {
                continue;
            }
            let Some(draw) = armed.meets(occasion, id, elapsed, Draw::new(seed, index)) else { continue };
            let is_answered = fate.status.is_some() || fate.drop.is_some();
            if is_answered && matches!(kind, Kind::Status { .. } | Kind::Drop(_)) {
                continue;
            }
            match kind {
                Kind::Latency(span) => fate.latency = fate.latency.saturating_add(length(span, draw)),
                Kind::Status { status, retry_after_s } => fate.status = Some(Status { status, retry_after_s }),
                Kind::Drop(when) => fate.drop = Some(when),
                Kind::Lose(Lost::Response) => fate.response = Delivery::Lost,
                Kind::Lose(Lost::Puback) => fate.puback = Delivery::Lost,
                Kind::Evict(_) | Kind::Skew { .. } => continue,
            }
            armed.strikes(id);
        }
        fate
    }

    /// How long the connection of this identity may last; `None`: for ever. Counts as one more CONNECT, and as struck only when
    /// the connection is closed for it, see [`Faults::evicted`].
    #[must_use]
    pub fn term(&self, id: &TwinId) -> Option<Term> {
        if !self.is_any() {
            return None;
        }
        let mut state = self.lock();
        let (seed, elapsed) = (state.seed, state.since.elapsed());
        let set = *self.set.borrow();
        let terms = state.faults.iter_mut().enumerate().filter_map(|(index, armed)| {
            let Kind::Evict(span) = armed.fault.kind else { return None };
            let draw = armed.meets(Occasion::Connect, Some(id), elapsed, Draw::new(seed, index))?;
            Some(Term { after: length(span, draw), index, set })
        });
        terms.min_by_key(|term| term.after)
    }

    /// The connection was closed because its term was over.
    pub fn evicted(&self, id: &TwinId, term: Term) {
        let mut state = self.lock();
        if *self.set.borrow() == term.set
            && let Some(armed) = state.faults.get_mut(term.index)
        {
            armed.strikes(Some(id));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Counts that a panic left half done are still counts.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Status {
    /// The refusal that goes with it; the words of a 429 are close to the service's.
    #[must_use]
    pub fn refused(self, occasion: Occasion) -> Refused {
        let code = match self.status {
            429 => ErrorCode::THROTTLING_EXCEPTION,
            500 => ErrorCode::SERVER_ERROR,
            502 => ErrorCode::INVALID_RESPONSE_WHILE_PROXYING,
            503 => ErrorCode::SERVICE_UNAVAILABLE,
            504 => ErrorCode::GATEWAY_TIMEOUT,
            other => ErrorCode { number: u32::from(other) * 1000, name: "GenericServerError" },
        };
        let message = match self.status {
            429 => format!(
                "Throttling operation on IotHub for the operation type '{}'; Please wait {} seconds before retrying",
                occasion.operation(),
                self.retry_after_s.unwrap_or(10),
            ),
            other => format!("a fault of the local hub answers {other}"),
        };
        Refused { code, message }
    }
}

impl Armed {
    /// Counts the occasion, if it is one of this fault's. Whether the fault strikes, and what to draw its measure from.
    fn meets(&mut self, occasion: Occasion, id: Option<&TwinId>, elapsed: Duration, draw: Draw) -> Option<Draw> {
        let fault = &self.fault;
        if !fault.concerns(occasion, id) || fault.lasts.is_some_and(|lasts| elapsed > lasts) {
            return None;
        }
        let (turn, times, chance) = (fault.turn, fault.times, fault.chance);
        self.matched += 1;
        let tally = self.tally(id);
        tally.matched += 1;
        let Tally { matched, struck } = *tally;
        let draw = draw.of(id, matched);
        let has_turn = match turn {
            None => true,
            Some(Turn::Nth(n)) => matched == n,
            Some(Turn::Every(n)) => matched.is_multiple_of(n),
            Some(Turn::First(n)) => matched <= n,
        };
        let is_due = has_turn && times.is_none_or(|times| struck < times) && chance.is_none_or(|p| draw.chance(p));
        is_due.then_some(draw)
    }

    fn strikes(&mut self, id: Option<&TwinId>) {
        self.struck += 1;
        self.tally(id).struck += 1;
    }

    fn tally(&mut self, id: Option<&TwinId>) -> &mut Tally {
        let id = id.cloned();
        let is_known = self.tallies.contains_key(&id);
        let key = if is_known || self.tallies.len() < TALLIES_MAX { id } else { None };
        self.tallies.entry(key).or_default()
    }
}

/// Whole milliseconds of a span.
fn length(span: Span, draw: Draw) -> Duration {
    let ms = |length: Duration| u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    let (from, to) = (ms(span.from), ms(span.to));
    Duration::from_millis(from + draw.below(to.saturating_sub(from).saturating_add(1)))
}
