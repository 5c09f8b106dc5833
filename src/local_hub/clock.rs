//! The hub's one clock. Nothing else in the hub asks the system for the time; the registry is given a [`Moment`].

use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;

/// Seconds between 0001-01-01 and 1970-01-01, both UTC.
const SECONDS_BEFORE_1970: u64 = 62_135_596_800;

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
}
