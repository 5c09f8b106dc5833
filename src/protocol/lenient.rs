//! Numbers as clients write them into JSON.

use crate::twin::Json;

/// A whole number: as a number, with an empty fraction too, or as a text of one. `az iot hub invoke-device-method` sends
/// `"responseTimeoutInSeconds": "30"`, and the service, which reads bodies with Json.NET, takes it.
#[must_use]
pub fn whole(value: &Json) -> Option<u64> {
    match value {
        Json::Number(number) => digits(&number.to_string()),
        Json::String(text) => digits(text.trim()),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

fn digits(text: &str) -> Option<u64> {
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() && fraction.bytes().all(|b| b == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    // A sign or an exponent is not among what is read here.
    if whole.bytes().all(|b| b.is_ascii_digit()) { whole.parse().ok() } else { None }
}
