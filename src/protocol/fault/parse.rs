//! Reads a fault. An error names the word, where it stands, and what would do.

use super::{Fault, Kind, Lost, MILLION, Scope, Span, Switch, Turn, When, Who};
use crate::protocol::duration;
use crate::twin::TwinId;
use core::time::Duration;
use std::str::FromStr;

/// The statuses a fault may answer with.
pub const STATUSES: &str = "429 or 500 to 599";
/// Bytes of a fault: the longest id fits several times.
const TEXT_MAX: usize = 2048;

/// Why a text is no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}at {at}: {problem}", if word.is_empty() { String::new() } else { format!("{word:?} ") })]
pub struct FaultError {
    /// Where the word begins, in characters from 1.
    pub at: usize,
    /// The word that is wrong; empty when one is missing.
    pub word: String,
    /// What is wrong and what would do.
    pub problem: String,
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        if text.len() > TEXT_MAX {
            let problem = format!("a fault has at most {TEXT_MAX} bytes");
            return Err(FaultError { at: 1, word: String::new(), problem });
        }
        let mut words = words(text).peekable();
        let switch = match words.next_if(|word| word.text == "off") {
            Some(_) => Switch::Off,
            None => Switch::On,
        };
        let Some(first) = words.next() else {
            let problem = format!("say what goes wrong: {KINDS}");
            return Err(FaultError { at: text.chars().count() + 1, word: String::new(), problem });
        };
        let mut fault = Self { switch, ..Self::new(first.read(kind)?) };
        for word in words {
            word.read(|text| condition(&mut fault, text))?;
        }
        Ok(fault)
    }
}

const KINDS: &str = "latency=200ms, 429, 503, drop=before, drop=after, drop=halfway, lose=response, lose=puback, evict=30s \
                     or skew=-10m";
const DROPS: &str = "drop=before breaks off before anything is done, drop=after when it is done, drop=halfway in the middle \
                     of the answer";
const CONDITIONS: &str = "on=, id=, p=, nth=, every=, first=, times= or for=";

/// A word and where it stands.
struct Word<'a> {
    at: usize,
    text: &'a str,
}

impl Word<'_> {
    fn read<T>(&self, read: impl FnOnce(&str) -> Result<T, String>) -> Result<T, FaultError> {
        read(self.text).map_err(|problem| FaultError {
            at: self.at,
            word: self.text.chars().take(80).collect(),
            problem,
        })
    }
}

fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    text.split_whitespace().map(move |word| {
        let before = word.as_ptr() as usize - text.as_ptr() as usize;
        Word { at: text[..before].chars().count() + 1, text: word }
    })
}

fn kind(word: &str) -> Result<Kind, String> {
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        return status(word);
    }
    let (name, value) = word.split_once('=').unwrap_or((word, ""));
    match (name, value) {
        ("latency", value) => span(value).map(Kind::Latency),
        ("evict", value) => span(value).map(Kind::Evict),
        ("skew", value) => skew(value),
        ("drop", "before") => Ok(Kind::Drop(When::Before)),
        ("drop", "after") => Ok(Kind::Drop(When::After)),
        ("drop", "halfway") => Ok(Kind::Drop(When::Halfway)),
        ("drop", _) => Err(DROPS.to_owned()),
        ("lose", "response") => Ok(Kind::Lose(Lost::Response)),
        ("lose", "puback") => Ok(Kind::Lose(Lost::Puback)),
        ("lose", _) => Err("lost is either lose=response or lose=puback".to_owned()),
        _ => Err(format!("what goes wrong comes first: {KINDS}")),
    }
}

fn status(word: &str) -> Result<Kind, String> {
    let (number, rest) = word.split_once(':').map_or((word, None), |(number, rest)| (number, Some(rest)));
    let is_number = number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit());
    let status = number.parse().ok().filter(|status| is_number && matches!(status, 429 | 500..=599));
    let status = status.ok_or_else(|| format!("a status is {STATUSES}"))?;
    let retry_after_s = match rest {
        None => None,
        Some(rest) => {
            let wrong =
                || "behind the status only a header may stand, in whole seconds: 429:retry-after=10s".to_owned();
            let length = rest.strip_prefix("retry-after=").ok_or_else(wrong)?;
            Some(seconds(length).map_err(|problem| problem.unwrap_or_else(wrong))?)
        }
    };
    Ok(Kind::Status { status, retry_after_s })
}

fn skew(value: &str) -> Result<Kind, String> {
    let wrong = || "a clock is wrong by whole seconds, such as skew=-10m (behind) or skew=2h (ahead)".to_owned();
    let (sign, length) = match value.as_bytes().first() {
        Some(b'-') => (-1, &value[1..]),
        Some(b'+') => (1, &value[1..]),
        _ => (1, value),
    };
    let length = seconds(length).map_err(|problem| problem.unwrap_or_else(wrong))?;
    match i64::try_from(length) {
        Ok(0) | Err(_) => Err(wrong()),
        Ok(length) => Ok(Kind::Skew { ahead_s: sign * length }),
    }
}

/// Whole seconds; the inner error is a better sentence than the caller's, if there is one.
fn seconds(text: &str) -> Result<u64, Option<String>> {
    let length = duration::parse(text).map_err(Some)?;
    if length.subsec_nanos() == 0 { Ok(length.as_secs()) } else { Err(None) }
}

fn span(value: &str) -> Result<Span, String> {
    let (from, to) = value.split_once("..").unwrap_or((value, value));
    let span = Span { from: length(from)?, to: length(to)? };
    if span.from > span.to { Err("the shorter time comes first, such as 200ms..2s".to_owned()) } else { Ok(span) }
}

/// Whole milliseconds, at least one.
fn length(text: &str) -> Result<Duration, String> {
    let ms = duration::parse(text)?.as_millis();
    match u64::try_from(ms) {
        Ok(0) | Err(_) => Err("too short: at least 1ms".to_owned()),
        Ok(ms) => Ok(Duration::from_millis(ms)),
    }
}

fn condition(fault: &mut Fault, word: &str) -> Result<(), String> {
    let Some((name, value)) = word.split_once('=') else {
        return Err(format!("behind what goes wrong come conditions: {CONDITIONS}"));
    };
    if matches!(fault.kind, Kind::Skew { .. }) {
        return Err("a wrong clock is wrong for everybody and always: skew has no conditions".to_owned());
    }
    match name {
        "on" if fault.on.is_empty() => fault.on = scopes(fault.kind, value)?,
        "id" if fault.who.is_none() => fault.who = Some(who(value)?),
        "p" if fault.chance.is_none() => fault.chance = Some(chance(value)?),
        "nth" | "every" | "first" if fault.turn.is_some() => {
            return Err("one of nth=, every= and first= is enough".to_owned());
        }
        "nth" => fault.turn = Some(Turn::Nth(count(value)?)),
        "every" => fault.turn = Some(Turn::Every(count(value)?)),
        "first" => fault.turn = Some(Turn::First(count(value)?)),
        "times" if fault.times.is_none() => fault.times = Some(count(value)?),
        "for" if fault.lasts.is_none() => fault.lasts = Some(length(value)?),
        "on" => return Err("on= stands there already: write both as on=query,report".to_owned()),
        "id" | "p" | "times" | "for" => return Err(format!("{name}= stands there already: once is enough")),
        _ => return Err(format!("no such condition, there are {CONDITIONS}")),
    }
    Ok(())
}

fn scopes(kind: Kind, value: &str) -> Result<Vec<Scope>, String> {
    let can = |scope: &Scope| scope.occasions().iter().any(|occasion| kind.strikes(*occasion));
    let words = || -> String {
        let words: Vec<&str> = Scope::ALL.iter().filter(|scope| can(scope)).map(|scope| scope.word()).collect();
        words.join(", ")
    };
    let mut scopes = Vec::new();
    for word in value.split(',') {
        let scope = Scope::by_word(word).ok_or_else(|| format!("{kind} strikes on {}", words()))?;
        if !can(&scope) {
            return Err(format!("{kind} means nothing on {word}, but on {}", words()));
        }
        if scopes.contains(&scope) {
            return Err(format!("{word} stands there already: once is enough"));
        }
        scopes.push(scope);
    }
    Ok(scopes)
}

fn who(value: &str) -> Result<Who, String> {
    let wrong = || "an id is a device (dev1), a module (dev1/mod1), or how either begins (dev*)".to_owned();
    if let Some(start) = value.strip_suffix('*') {
        let legal = |part: &str| part.is_empty() || TwinId::check(part).is_ok();
        let fits = start.split('/').count() <= 2 && start.split('/').all(legal) && !start.starts_with('/');
        return if fits { Ok(Who::Begins(start.to_owned())) } else { Err(wrong()) };
    }
    value.parse().map(Who::Is).map_err(|_problem| wrong())
}

fn chance(value: &str) -> Result<u32, String> {
    let wrong = || "a probability is above 0 and at most 1, with up to six digits: p=0.1".to_owned();
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let digits = |text: &str, max| (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole, 1) || !digits(fraction, 6) {
        return Err(wrong());
    }
    let millionths = format!("{fraction:0<6}").parse::<u32>().ok().zip(whole.parse::<u32>().ok());
    let millionths = millionths.map(|(fraction, whole)| whole * MILLION + fraction);
    millionths.filter(|millionths| (1..=MILLION).contains(millionths)).ok_or_else(wrong)
}

fn count(value: &str) -> Result<u64, String> {
    let number = Some(value).filter(|value| value.bytes().all(|b| b.is_ascii_digit())).and_then(|v| v.parse().ok());
    number.filter(|number| *number > 0).ok_or_else(|| "how often is a whole number from 1".to_owned())
}
