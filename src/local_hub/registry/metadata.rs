//! `$metadata`: when each node of desired and reported was last written.

use crate::twin::{Json, JsonMap};

/// The stamp of one write.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'a> {
    /// UTC, ISO 8601.
    pub time: &'a str,
    /// The section's new `$version`; in desired only.
    pub version: Option<u64>,
}

/// Carries a merge patch over to the metadata of its section: every node on the way to a touched leaf gets the stamp, a
/// deleted node vanishes, an array is one leaf.
pub fn stamp(metadata: &mut JsonMap, patch: &JsonMap, stamp_: Stamp<'_>) {
    put(metadata, stamp_);
    for (key, value) in patch {
        match value {
            Json::Null => {
                metadata.shift_remove(key);
            }
            Json::Object(inner) => {
                let child = metadata.entry(key.clone()).or_insert_with(|| Json::Object(JsonMap::new()));
                if !child.is_object() {
                    *child = Json::Object(JsonMap::new());
                }
                if let Json::Object(child) = child {
                    stamp(child, inner, stamp_);
                }
            }
            _ => {
                let mut leaf = JsonMap::new();
                put(&mut leaf, stamp_);
                metadata.insert(key.clone(), Json::Object(leaf));
            }
        }
    }
}

fn put(node: &mut JsonMap, stamp: Stamp<'_>) {
    node.insert("$lastUpdated".to_owned(), Json::from(stamp.time));
    if let Some(version) = stamp.version {
        node.insert("$lastUpdatedVersion".to_owned(), Json::from(version));
    }
}
