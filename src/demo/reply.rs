//! What a simulated device says about what is desired of it, and to those who call its methods. Pure.

use crate::local_hub::fleet::Behaviour;
use crate::protocol::method::MethodAnswer;
use crate::twin::{Json, JsonMap, TwinId};
use serde_json::json;
use std::ops::Range;
use std::time::Duration;

/// The most a refusing device takes, by property.
const LIMITS: [(&str, f64); 3] = [("telemetryInterval", 3600.0), ("maxForce", 1000.0), ("setpoint", 12.0)];
/// How far a drifting value may be from what is desired before it is set anew, as a share of it.
const DRIFT: f64 = 0.1;

/// The reported document a device of this behaviour wants, when `desired` at `version` is asked of it and `reported` is what it
/// last said. `gone` are the keys that were just removed from desired. Reported keys that nobody desires stay.
#[must_use]
pub fn wanted(behaviour: Behaviour, desired: &JsonMap, version: u64, reported: &JsonMap, gone: &[String]) -> JsonMap {
    let mut wanted = reported.clone();
    wanted.retain(|key, _| !gone.contains(key));
    for (key, value) in desired {
        let old = reported.get(key);
        let said = match behaviour {
            Behaviour::Prompt | Behaviour::Offline | Behaviour::Disabled => value.clone(),
            Behaviour::Acknowledges => acknowledged(value, version, old),
            Behaviour::Refuses => match excess(key, value) {
                Some(limit) => refused(value, limit, version, old),
                None => acknowledged(value, version, old),
            },
            Behaviour::Drifts => drifted(value, old),
        };
        wanted.insert(key.clone(), said);
    }
    wanted
}

/// As IoT Plug and Play devices answer: the value, status, version and a word. An answer already given stays.
fn acknowledged(value: &Json, version: u64, old: Option<&Json>) -> Json {
    match old {
        Some(old) if old.get("value") == Some(value) && old.get("ac") == Some(&json!(200)) => old.clone(),
        _ => json!({ "value": value, "ac": 200, "av": version, "ad": "taken" }),
    }
}

/// The limit a value exceeds.
fn excess(key: &str, value: &Json) -> Option<f64> {
    let limit = LIMITS.iter().find(|(name, _)| *name == key)?.1;
    value.as_f64().filter(|value| *value > limit).map(|_| limit)
}

/// The old value stays in force; a device that never had one runs at its limit.
fn refused(value: &Json, limit: f64, version: u64, old: Option<&Json>) -> Json {
    let why = format!("{value} is more than {limit}");
    match old {
        Some(old) if old.get("ad") == Some(&json!(why)) => old.clone(),
        _ => {
            let kept = old.and_then(|old| old.get("value")).cloned().unwrap_or_else(|| json!(limit));
            json!({ "value": kept, "ac": 400, "av": version, "ad": why })
        }
    }
}

/// A fraction comes out a little off; everything else as it is.
fn drifted(value: &Json, old: Option<&Json>) -> Json {
    let Some(desired) = value.as_f64().filter(|number| number.fract() != 0.0) else { return value.clone() };
    match old {
        // Off, but not by more than a drift.
        Some(old)
            if old != value && old.as_f64().is_some_and(|old| (old - desired).abs() <= (desired * DRIFT).abs()) =>
        {
            old.clone()
        }
        _ => hundredths(desired * 1.02 + 0.01),
    }
}

/// The next value of each drifting property: up to 3 % off what is desired, never on it. Empty for what does not drift.
#[must_use]
pub fn drift(desired: &JsonMap) -> JsonMap {
    let off = |desired: f64| {
        let off = desired * (fastrand::f64() - 0.5) * 0.06;
        hundredths(desired + off + 0.01_f64.copysign(off))
    };
    desired
        .iter()
        .filter_map(|(key, value)| {
            let number = value.as_f64().filter(|number| number.fract() != 0.0)?;
            Some((key.clone(), off(number)))
        })
        .collect()
}

/// A temperature of a machine that is running.
#[must_use]
pub fn temperature() -> Json {
    hundredths(18.0 + fastrand::f64() * 9.0)
}

/// How long a device waits before its `count`-th measurement: spread over the range by the device's name, so that they do not
/// all speak at once, and the same in every run.
#[must_use]
pub fn pause(range: &Range<Duration>, id: &TwinId, count: u64) -> Duration {
    // FNV-1a: enough to scatter some dozen names.
    let bytes = id.to_string().into_bytes().into_iter().chain(count.to_le_bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    let share = u32::try_from(hash >> 32).unwrap_or_default();
    range.start + range.end.saturating_sub(range.start).mul_f64(f64::from(share) / f64::from(u32::MAX))
}

fn hundredths(number: f64) -> Json {
    json!((number * 100.0).round() / 100.0)
}

/// The methods a simulated device has.
const METHODS: [&str; 3] = ["ping", "reboot", "getMaxMinReport"];

/// What a simulated device answers to a call. It knows the methods of the tutorials; any other is 404 with the names of those.
#[must_use]
pub fn method(id: &TwinId, name: &str, payload: &Json, desired: &JsonMap) -> MethodAnswer {
    let (status, payload) = match name {
        "ping" => (200, json!({ "pong": id.to_string(), "payload": payload })),
        "reboot" => (200, json!({ "result": "reboot begins", "delaySeconds": delay(payload) })),
        "getMaxMinReport" => {
            let mut three = [temperature(), temperature(), temperature()];
            three.sort_by(|a, b| a.as_f64().unwrap_or_default().total_cmp(&b.as_f64().unwrap_or_default()));
            let [low, middle, high] = three;
            let interval = desired.get("telemetryInterval").cloned().unwrap_or(Json::Null);
            (200, json!({ "maxTemp": high, "minTemp": low, "avgTemp": middle, "telemetryInterval": interval }))
        }
        _ => (404, json!({ "error": format!("this device has no method {name}"), "methods": METHODS })),
    };
    MethodAnswer { status, payload }
}

/// The delay a call asks for, as a number or as `{"delay": n}`.
fn delay(payload: &Json) -> u64 {
    payload.as_u64().or_else(|| payload.get("delay")?.as_u64()).unwrap_or_default()
}
