//! Waits that the hub imposes, in words that count down.

use super::Frame;
use super::describe::{Said, describe};
use crate::app::Moment;
use crate::client::HubError;
use crate::worker::{Failure, Key};
use egui::Context;
use std::time::Duration;

/// What a request waits for before it is sent again: `The hub throttles; trying again in 12 s`. `None` while it does not wait.
pub(super) fn words(f: &Frame, ctx: &Context, key: Key) -> Option<String> {
    let waiting = f.app.waiting(key)?;
    let why = match waiting.status {
        Some(429) => "The hub throttles".to_owned(),
        Some(status) => format!("The hub failed (status {status})"),
        None => "No connection".to_owned(),
    };
    Some(format!("{why}; trying again in {} s", left_s(ctx, f.app.now, waiting.until.ms)))
}

/// A failure of a moment ago: what the hub asked to wait counts down from then.
pub(super) fn describe_at(ctx: &Context, failure: &Failure, now: Moment, at: Moment) -> Said {
    let mut said = describe(failure);
    if let Failure::Hub(HubError::Throttled { retry_after: Some(wait), .. }) = failure {
        let until = at.ms.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        said.advice = Some(match left_s(ctx, now, until) {
            0 => "The wait it asked for is over: try again".to_owned(),
            s => format!("It asks for {s} s more of waiting before the next try"),
        });
    }
    said
}

/// Whole seconds that are left, rounded up; asks for a repaint when there is one less.
fn left_s(ctx: &Context, now: Moment, until_ms: u64) -> u64 {
    let ms = until_ms.saturating_sub(now.ms);
    if ms > 0 {
        ctx.request_repaint_after(Duration::from_millis((ms - 1) % 1000 + 5));
    }
    ms.div_ceil(1000)
}
