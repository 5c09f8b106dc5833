//! When an exchange is repeated, and after how long: exponential backoff with full jitter.

use std::time::Duration;

/// How often and how patiently. The default suits a person waiting at a window.
///
/// What may be repeated at all is decided by what is known of the first try:
///
/// | first try | reads (GET, query) | writes (PATCH, PUT, DELETE) |
/// | --- | --- | --- |
/// | no connection: nothing was sent | again | again |
/// | certificate not believed | no | no |
/// | connection broke, no status line | again | no: `OutcomeUnknown` |
/// | no answer within the total time | no | no: `OutcomeUnknown` |
/// | 429: the hub did not carry it out | again, after the wait | again, after the wait |
/// | 500, 502, 503, 504 | again | no: `OutcomeUnknown`, or `HubFailed` for a 503 the hub itself signed |
/// | any other status, an unreadable body | no | no |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The wait before the second try is random between zero and this; it doubles with each further one.
    pub base: Duration,
    /// The upper end never grows beyond this.
    pub cap: Duration,
    /// The wait after a 429 that names none, plus up to half as much again. The hub's own text advises ten seconds.
    pub throttled: Duration,
    /// A `Retry-After` beyond this is not waited for: the error says how long it would be.
    pub retry_after_max: Duration,
    /// All tries together; 1 means never again.
    pub tries: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(500),
            cap: Duration::from_secs(10),
            throttled: Duration::from_secs(10),
            retry_after_max: Duration::from_mins(1),
            tries: 3,
        }
    }
}

impl RetryPolicy {
    /// One try only.
    #[must_use]
    pub fn never() -> Self {
        Self { tries: 1, ..Self::default() }
    }

    /// The wait after the `attempt`-th try (1 for the first) failed.
    #[must_use]
    pub fn backoff(&self, attempt: u32) -> Duration {
        backoff(self.base, self.cap, attempt)
    }

    /// The wait after a 429; `None` when the server asks for more patience than the policy has.
    #[must_use]
    pub fn after_throttling(&self, retry_after: Option<Duration>) -> Option<Duration> {
        match retry_after {
            Some(wait) if wait > self.retry_after_max => None,
            // Said to everybody who is throttled: not all of them at the same moment.
            Some(Duration::ZERO) => Some(random_up_to(self.base)),
            Some(wait) => Some(wait),
            None => Some(self.throttled + random_up_to(self.throttled / 2)),
        }
    }
}

/// Full jitter: random between zero and `base · 2^(attempt − 1)`, at most `cap`.
#[must_use]
pub fn backoff(base: Duration, cap: Duration, attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    random_up_to(base.saturating_mul(1 << doublings).min(cap))
}

fn random_up_to(limit: Duration) -> Duration {
    limit.mul_f64(fastrand::f64())
}
