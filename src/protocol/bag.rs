//! Property bags at the end of MQTT topics: `k=v&k2=v2`, percent-encoded, `k` alone for null (protocol §4.4).

/// Reads a bag; a leading `?` and empty parts are tolerated. `None` is a bare key.
#[must_use]
pub fn parse(text: &str) -> Vec<(String, Option<String>)> {
    let _ = text;
    todo!()
}

/// Writes a bag: everything but unreserved characters encoded, space as `%20`.
#[must_use]
pub fn format(pairs: &[(&str, Option<&str>)]) -> String {
    let _ = pairs;
    todo!()
}
