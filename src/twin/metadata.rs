//! Who wrote a value last, as far as the hub's `$metadata` tells.

use super::{Json, Path, Segment};

/// The stamp at a path of `$metadata`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// `$lastUpdated`: UTC, ISO 8601 as sent.
    pub at: String,
    /// `$lastUpdatedVersion`: the `$version` of the section that brought it; `None` in reported, and in a fresh section.
    pub version: Option<u64>,
    /// `$lastUpdatedBy`: the automatic device configuration that wrote it; `None` for a client of the service, which the hub does
    /// not name.
    pub by: Option<String>,
    /// Whether the stamp is of the path itself. Else the value is gone and the stamp is of the nearest object around it, which
    /// the hub stamps anew when something in it goes.
    pub own: bool,
}

/// The stamp of a path, or of the nearest object around it that has one. `None` where there is no metadata: in tags, and
/// in the device's own view.
#[must_use]
pub fn written(metadata: &Json, path: &Path) -> Option<Written> {
    let mut node = metadata;
    let mut found = stamp(node);
    for segment in &path.0 {
        // Arrays are stamped as a whole.
        let Segment::Key(key) = segment else { break };
        let Some(inner) = node.get(key) else {
            return found.map(|found| Written { own: false, ..found });
        };
        node = inner;
        found = stamp(node).or(found);
    }
    found
}

fn stamp(node: &Json) -> Option<Written> {
    let text = |key: &str| node.get(key).and_then(Json::as_str).map(str::to_owned);
    let version = node.get("$lastUpdatedVersion").and_then(Json::as_u64);
    Some(Written { at: text("$lastUpdated")?, version, by: text("$lastUpdatedBy"), own: true })
}
