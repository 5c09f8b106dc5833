//! Faults on demand: the small language they are written in, and the JSON in which a hub is told of them.
//!
//! One fault is one line: what goes wrong, then the conditions, in any order, divided by blanks. All conditions must hold.
//!
//! | what goes wrong | |
//! | --- | --- |
//! | `latency=200ms`, `latency=200ms..2s` | The hub waits before it does what it is asked |
//! | `429`, `503`, `429:retry-after=10s` | It answers with this status (429 or any 5xx) and does nothing |
//! | `drop=before` | It closes the connection and does nothing |
//! | `drop=after` | It does what it is asked, then closes the connection without an answer |
//! | `drop=halfway` | It does what it is asked, then closes the connection in the middle of the answer |
//! | `lose=response` | A device's twin request is carried out and acknowledged, its answer is lost |
//! | `lose=puback` | What a device publishes at `QoS` 1 is carried out, the PUBACK is lost |
//! | `evict=30s`, `evict=10s..1m` | An MQTT connection is closed when it has lasted that long |
//! | `skew=-10m` | The hub's clock is wrong by that much |
//!
//! | condition | |
//! | --- | --- |
//! | `on=twin-write`, `on=query,connect` | Only there, see [`Scope`] |
//! | `id=dev1/mod1`, `id=dev*` | Only for this identity, or for those that begin so |
//! | `p=0.1` | With this probability |
//! | `nth=3`, `every=5`, `first=2` | Only the third time, every fifth, the first two |
//! | `times=10` | At most so often |
//! | `for=30s` | Only so long after the fault was set |
//!
//! `nth`, `every`, `first` and `times` count for each identity by itself, and so are chances drawn: what befalls one identity
//! depends on the seed and on what it did itself, not on how others come in between. What concerns no identity (queries, jobs)
//! counts together. Latencies that strike at once add up; of statuses and drops only the first one written strikes. A leading
//! `off` keeps a fault in its place without effect.

mod parse;
mod scope;
mod wire;

pub use parse::{FaultError, STATUSES};
pub use scope::{Occasion, Scope};
pub use wire::{Counted, FAULTS_MAX, Plan, PlanError, Report};

use super::duration;
use crate::twin::TwinId;
use core::time::Duration;
use std::fmt;

/// The parts of one in a million: how finely a probability is written.
pub const MILLION: u32 = 1_000_000;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub switch: Switch,
    pub kind: Kind,
    /// Where; empty: wherever the kind can strike.
    pub on: Vec<Scope>,
    /// `None`: whoever.
    pub who: Option<Who>,
    /// In millionths, 1 to 1,000,000; `None`: always.
    pub chance: Option<u32>,
    pub turn: Option<Turn>,
    /// How often at most, for each identity.
    pub times: Option<u64>,
    /// How long after it was set.
    pub lasts: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Switch {
    #[default]
    On,
    Off,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Latency(Span),
    /// 429 or 500 to 599; `retry_after_s` is what the header says, `None` leaves it out.
    Status {
        status: u16,
        retry_after_s: Option<u64>,
    },
    Drop(When),
    Lose(Lost),
    /// How long a connection lasts.
    Evict(Span),
    /// Seconds the hub's clock is ahead; negative: behind. Not 0.
    Skew {
        ahead_s: i64,
    },
}

/// A length of time, drawn anew each time from `from` to `to`; whole milliseconds, above 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: Duration,
    pub to: Duration,
}

/// When a connection breaks, seen from what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Before,
    After,
    /// When it is done and half of the answer is written.
    Halfway,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The publish on a `res` topic.
    Response,
    Puback,
}

/// Whom a fault strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// `dev1` or `dev1/mod1`. One that ends in a star, which is legal, cannot be written: it would read as the beginning of others.
    Is(TwinId),
    /// Those whose text begins so; written with a `*` behind it.
    Begins(String),
}

/// Which of the matching occasions, counted from 1; the number is not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Nth(u64),
    Every(u64),
    First(u64),
}

impl Fault {
    /// This kind, always and everywhere.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self { switch: Switch::On, kind, on: Vec::new(), who: None, chance: None, turn: None, times: None, lasts: None }
    }

    /// Whether it can strike there and then at all, chances and turns aside.
    #[must_use]
    pub fn concerns(&self, occasion: Occasion, id: Option<&TwinId>) -> bool {
        self.switch == Switch::On
            && self.kind.strikes(occasion)
            && (self.on.is_empty() || self.on.iter().any(|scope| scope.occasions().contains(&occasion)))
            && self.who.as_ref().is_none_or(|who| id.is_some_and(|id| who.fits(id)))
    }
}

impl Kind {
    /// Whether it means something there.
    #[must_use]
    pub fn strikes(self, occasion: Occasion) -> bool {
        use Occasion::{Connect, MethodAnswer, Report, Telemetry, TwinGet};
        match self {
            Self::Latency(_) | Self::Status { .. } => {
                occasion.is_rest() || matches!(occasion, Connect | TwinGet | Report)
            }
            Self::Drop(_) => true,
            Self::Lose(Lost::Response) => matches!(occasion, TwinGet | Report),
            Self::Lose(Lost::Puback) => matches!(occasion, TwinGet | Report | Telemetry | MethodAnswer),
            Self::Evict(_) => occasion == Connect,
            Self::Skew { .. } => false,
        }
    }
}

impl Who {
    #[must_use]
    pub fn fits(&self, id: &TwinId) -> bool {
        match self {
            Self::Is(own) => own == id,
            Self::Begins(start) => id.to_string().starts_with(start),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.switch == Switch::Off {
            f.write_str("off ")?;
        }
        write!(f, "{}", self.kind)?;
        if !self.on.is_empty() {
            let words: Vec<&str> = self.on.iter().map(|scope| scope.word()).collect();
            write!(f, " on={}", words.join(","))?;
        }
        match &self.who {
            Some(Who::Is(id)) => write!(f, " id={id}")?,
            Some(Who::Begins(start)) => write!(f, " id={start}*")?,
            None => {}
        }
        if let Some(millionths) = self.chance {
            write!(f, " p={}", probability(millionths))?;
        }
        match self.turn {
            Some(Turn::Nth(n)) => write!(f, " nth={n}")?,
            Some(Turn::Every(n)) => write!(f, " every={n}")?,
            Some(Turn::First(n)) => write!(f, " first={n}")?,
            None => {}
        }
        if let Some(times) = self.times {
            write!(f, " times={times}")?;
        }
        match self.lasts {
            Some(lasts) => write!(f, " for={}", duration::print(lasts)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latency(span) => write!(f, "latency={span}"),
            Self::Status { status, retry_after_s: None } => write!(f, "{status}"),
            Self::Status { status, retry_after_s: Some(s) } => {
                write!(f, "{status}:retry-after={}", duration::print(Duration::from_secs(*s)))
            }
            Self::Drop(When::Before) => f.write_str("drop=before"),
            Self::Drop(When::After) => f.write_str("drop=after"),
            Self::Drop(When::Halfway) => f.write_str("drop=halfway"),
            Self::Lose(Lost::Response) => f.write_str("lose=response"),
            Self::Lose(Lost::Puback) => f.write_str("lose=puback"),
            Self::Evict(span) => write!(f, "evict={span}"),
            Self::Skew { ahead_s } => {
                let sign = if *ahead_s < 0 { "-" } else { "" };
                write!(f, "skew={sign}{}", duration::print(Duration::from_secs(ahead_s.unsigned_abs())))
            }
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&duration::print(self.from))?;
        if self.to == self.from { Ok(()) } else { write!(f, "..{}", duration::print(self.to)) }
    }
}

/// `100000` as `0.1`.
fn probability(millionths: u32) -> String {
    let text = format!("{}.{:06}", millionths / MILLION, millionths % MILLION);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
