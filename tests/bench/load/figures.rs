//! Figures and how they are written down.

use std::fmt;
use std::time::Duration;

/// Times of single operations, in microseconds.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<u32>);

impl Times {
    pub fn add(&mut self, time: Duration) {
        self.0.push(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
    }

    pub fn append(&mut self, other: &mut Self) {
        self.0.append(&mut other.0);
    }

    /// Forgets them.
    pub fn summary(mut self) -> Summary {
        self.0.sort_unstable();
        let at = |percent: usize| self.0.get((self.0.len() * percent / 100).min(self.0.len().saturating_sub(1)));
        let ms = |time: Option<&u32>| time.map_or(f64::NAN, |us| f64::from(*us) / 1000.0);
        Summary { count: self.0.len(), p50_ms: ms(at(50)), p99_ms: ms(at(99)), max_ms: ms(self.0.last()) }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Summary {
    pub count: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

/// What a server had used up at a moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Bytes of its memory that are in RAM.
    pub resident: u64,
    pub cpu: Duration,
}

/// What one phase came to.
#[derive(Debug, Clone, Copy)]
pub struct Phase {
    pub times: Summary,
    pub took: Duration,
    /// CPU time of the server meanwhile; `None` where the system does not tell.
    pub cpu: Option<Duration>,
}

impl Phase {
    pub fn per_second(&self) -> u128 {
        to_u128(self.times.count) * 1_000_000 / self.took.as_micros().max(1)
    }

    /// Hundredths of one core that the server used.
    pub fn cpu_percent(&self) -> Option<u128> {
        Some(self.cpu?.as_micros() * 100 / self.took.as_micros().max(1))
    }

    /// Microseconds of the server's CPU time for one operation, whatever else it did included.
    pub fn cpu_per_operation(&self) -> Option<u128> {
        self.cpu?.as_micros().checked_div(to_u128(self.times.count))
    }
}

fn to_u128(count: usize) -> u128 {
    u128::try_from(count).unwrap_or(u128::MAX)
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { count, p50_ms, p99_ms, max_ms } = self.times;
        let known = |value: Option<u128>, unit: &str| value.map_or("-".to_owned(), |value| format!("{value}{unit}"));
        write!(
            f,
            "{count:>8} | {:>7} | {p50_ms:>8.2} | {p99_ms:>8.2} | {max_ms:>8.2} | {:>6} | {:>7}",
            self.per_second(),
            known(self.cpu_percent(), " %"),
            known(self.cpu_per_operation(), " µs"),
        )
    }
}

pub const HEAD: &str = "\
| operation                                                |    count |     /s  |  p50 ms  |  p99 ms  |  max ms  |    CPU | CPU/op  |
|----------------------------------------------------------|---------:|--------:|---------:|---------:|---------:|-------:|--------:|";

/// One line of the table under [`HEAD`].
pub fn row(name: &str, phase: &Phase) {
    println!("| {name:<56} | {phase} |");
}

/// Mebibytes with one digit behind the point.
pub fn mib(bytes: u64) -> String {
    let tenths = bytes * 10 / (1024 * 1024);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

/// How many bytes each of `clients` added.
pub fn each(before: Usage, after: Usage, clients: u32) -> u64 {
    after.resident.saturating_sub(before.resident) / u64::from(clients)
}
