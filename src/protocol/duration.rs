//! Lengths of time as people write them, on the command line and in faults: `1.5s`, `500ms`, `2m`, `1h`.

use core::time::Duration;

/// The longest that may be written: a day. Nothing that is waited for here takes longer.
pub const LONGEST: Duration = Duration::from_hours(24);

/// A unit and its milliseconds, the longest first.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Reads a number, with a fraction if need be, and its unit: `ms`, `s`, `m` or `h`. A bare `0` needs none.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_number = [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    let unit_ms = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, ms)| *ms);
    let (true, Some(unit_ms)) = (is_number, unit_ms) else {
        return Err("not a number with ms, s, m or h after it, such as 1.5s, 500ms or 2m".to_owned());
    };
    let too_long = || format!("longer than {}", print(LONGEST));
    // At most a day, so that a float holds every microsecond exactly enough.
    let seconds: f64 = number.parse().ok().filter(|seconds: &f64| seconds.is_finite()).ok_or_else(too_long)?;
    #[allow(clippy::cast_precision_loss)] // At most 3,600,000.
    let length = Duration::try_from_secs_f64(seconds * unit_ms as f64 / 1000.0).map_err(|error| error.to_string())?;
    if length > LONGEST { Err(too_long()) } else { Ok(length) }
}

/// The shortest spelling that [`parse`] reads back, to the millisecond: `1500ms`, `2m`, `0s`.
#[must_use]
pub fn print(length: Duration) -> String {
    let ms = length.as_millis();
    if ms == 0 {
        return "0s".to_owned();
    }
    let unit = UNITS.iter().find(|(_, unit_ms)| ms.is_multiple_of(u128::from(*unit_ms)));
    let (name, unit_ms) = unit.copied().unwrap_or(("ms", 1));
    format!("{}{name}", ms / u128::from(unit_ms))
}
