//! Times in words, and when they next read differently.

use crate::app::Moment;
use std::time::Duration;

/// Under a minute ages go in steps: a window in which nothing happens is not painted every second for a digit.
const STEP_S: u64 = 5;

/// `now`, `5 s`, `3 min`, `2 h`; asks for a repaint when the words change.
pub fn age(ctx: &egui::Context, now: Moment, then: Moment) -> String {
    let ms = now.ms.saturating_sub(then.ms);
    let unit = if ms < 60_000 { STEP_S * 1_000 } else { 60_000 };
    ctx.request_repaint_after(Duration::from_millis(unit - ms % unit + 5));
    words(ms)
}

/// The same with *ago*.
pub fn ago(ctx: &egui::Context, now: Moment, then: Moment) -> String {
    match age(ctx, now, then).as_str() {
        "now" => "just now".to_owned(),
        words => format!("{words} ago"),
    }
}

fn words(ms: u64) -> String {
    match ms / 1000 {
        0..STEP_S => "now".to_owned(),
        s @ STEP_S..60 => format!("{} s", s - s % STEP_S),
        s @ 60..3600 => format!("{} min", s / 60),
        s => format!("{} h", s / 3600),
    }
}

/// How long something took: `45 ms`, `1.3 s`.
pub fn span(from: Moment, to: Moment) -> String {
    let ms = to.ms.saturating_sub(from.ms);
    if ms < 1000 { format!("{ms} ms") } else { format!("{}.{} s", ms / 1000, ms % 1000 / 100) }
}

/// Time of day: `14:03:59 UTC`.
pub fn clock(at: Moment) -> String {
    let s = at.unix_s % 86_400;
    format!("{:02}:{:02}:{:02} UTC", s / 3600, s / 60 % 60, s % 60)
}

/// Date and time of a moment given in milliseconds since 1970: `2026-11-21 14:03:59`, UTC.
pub fn stamp(unix_ms: u64) -> String {
    let seconds = i64::try_from(unix_ms / 1000).unwrap_or(i64::MAX);
    let Ok(at) = time::OffsetDateTime::from_unix_timestamp(seconds) else { return String::new() };
    let (date, clock) = (at.date(), at.time());
    let (hour, minute, second) = clock.as_hms();
    format!("{date} {hour:02}:{minute:02}:{second:02}")
}

/// `12,345`.
pub fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 device`, `2 devices`.
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{} {noun}s", grouped(n)) }
}

/// Sizes by the hub's formula, in KB with one decimal, rounded up: `1.2`; nothing that is there reads as 0.
pub fn kb(size: usize) -> String {
    let tenths = (size * 10).div_ceil(1024);
    format!("{}.{}", tenths / 10, tenths % 10)
}
