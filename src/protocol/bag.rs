//! Property bags at the end of MQTT topics: `k=v&k2=v2`, each side percent-encoded, `k` alone for null.
//!
//! System properties have keys that begin with `$.` (`$.mid` is the message id), which clients send as `%24.`: keys are
//! decoded here, so compare with the plain form.

use super::percent;

/// Reads a bag; a leading `?` and empty parts are tolerated. `None` is a bare key.
///
/// A raw `/` at the end belongs to the topic, not to the last value: Node writes one after the bag of a module's output,
/// and inside a value it would have come as `%2F`.
#[must_use]
pub fn parse(text: &str) -> Vec<(String, Option<String>)> {
    let text = text.strip_prefix('?').unwrap_or(text);
    let text = text.strip_suffix('/').unwrap_or(text);
    text.split('&')
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once('=') {
            Some((key, value)) => (percent::decode(key), Some(percent::decode(value))),
            None => (percent::decode(part), None),
        })
        .collect()
}

/// Writes a bag: everything but unreserved characters encoded, space as `%20`.
#[must_use]
pub fn format(pairs: &[(&str, Option<&str>)]) -> String {
    let mut bag = String::new();
    for (key, value) in pairs {
        if !bag.is_empty() {
            bag.push('&');
        }
        bag.push_str(&percent::encode(key));
        if let Some(value) = value {
            bag.push('=');
            bag.push_str(&percent::encode(value));
        }
    }
    bag
}
