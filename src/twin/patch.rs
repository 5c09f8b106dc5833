//! JSON Merge Patch (RFC 7396) as the hub applies it (protocol §3.3), and the smallest patch between two documents.

use super::JsonMap;

/// Applies a patch in place. `null` deletes; an object merges; anything else, arrays included, replaces. An object laid
/// on a scalar or on nothing becomes that object with its nulls dropped.
pub fn apply(target: &mut JsonMap, patch: &JsonMap) {
    let _ = (target, patch);
    todo!()
}

/// The smallest patch for which `apply(base, patch) == wanted`. A key that is gone becomes `null`; an unchanged value
/// (numbers compared by spelling) does not appear; an array is replaced whole.
///
/// Holds for documents without `null` outside arrays, which is what a twin section is.
#[must_use]
pub fn between(base: &JsonMap, wanted: &JsonMap) -> JsonMap {
    let _ = (base, wanted);
    todo!()
}
