//! The hub's one clock. Nothing else in the hub asks the system for the time; the registry is given a [`Moment`].

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;

/// Seconds between 0001-01-01 and 1970-01-01, both UTC.
const SECONDS_BEFORE_1970: u64 = 62_135_596_800;

/// Steps of 100 ns in a second.
pub const TICKS_PER_SECOND: u64 = 10_000_000;

/// A point in time in the three forms the hub needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970.
    pub seconds: u64,
    /// 100 ns steps since 0001-01-01: what generation ids and device scopes are made of.
    pub ticks: u64,
    /// UTC, ISO 8601, 7 fractional digits and `Z`.
    pub text: String,
}

impl Moment {
    #[must_use]
    pub fn now() -> Self {
        // A clock before 1970 reads as 1970: a hub that refuses every token is easier to understand than one that panics.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::at(since.as_secs(), since.subsec_nanos())
    }

    /// The moment so many seconds and nanoseconds after 1970-01-01.
    #[must_use]
    pub fn at(seconds: u64, nanoseconds: u32) -> Self {
        let hundreds = nanoseconds / 100;
        let date = i64::try_from(seconds)
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let text = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{hundreds:07}Z",
            date.year(),
            u8::from(date.month()),
            date.day(),
            date.hour(),
            date.minute(),
            date.second(),
        );
        let ticks = (SECONDS_BEFORE_1970 + seconds) * 10_000_000 + u64::from(hundreds);
        Self { seconds, ticks, text }
    }

    /// The moment so many 100 ns steps after 0001-01-01; one before 1970 reads as 1970.
    #[must_use]
    pub fn of_ticks(ticks: u64) -> Self {
        let since = ticks.saturating_sub(SECONDS_BEFORE_1970 * TICKS_PER_SECOND);
        let hundreds = u32::try_from(since % TICKS_PER_SECOND).unwrap_or(0);
        Self::at(since / TICKS_PER_SECOND, hundreds * 100)
    }
}

/// A clock that can be told to go wrong, for people who test what their clients do then.
#[derive(Debug, Default)]
pub struct Clock {
    /// Seconds it is ahead of the system's clock; negative: behind.
    skew_s: AtomicI64,
}

impl Clock {
    #[must_use]
    pub fn now(&self) -> Moment {
        let moment = Moment::now();
        match self.skew_s.load(Ordering::Relaxed) {
            0 => moment,
            skew_s => {
                let hundreds = u32::try_from(moment.ticks % 10_000_000).unwrap_or(0);
                Moment::at(moment.seconds.saturating_add_signed(skew_s), hundreds * 100)
            }
        }
    }

    /// Sets how many seconds it is ahead of the system's clock.
    pub fn skew(&self, seconds: i64) {
        self.skew_s.store(seconds, Ordering::Relaxed);
    }
}
