//! JSON Merge Patch (RFC 7396) as the hub applies it, and the smallest patch between two documents.

use super::{Etag, Json, JsonMap, Section, Twin};

/// Applies a patch in place. `null` deletes; an object merges; anything else, arrays included, replaces. An object laid
/// on a scalar or on nothing becomes that object with its nulls dropped.
pub fn apply(target: &mut JsonMap, patch: &JsonMap) {
    // All deletions in one pass: removing keys one by one shifts the rest of the map each time.
    if patch.values().any(Json::is_null) {
        target.retain(|key, _| !matches!(patch.get(key), Some(Json::Null)));
    }
    for (key, value) in patch {
        match value {
            Json::Null => {}
            Json::Object(inner) => {
                if let Some(Json::Object(existing)) = target.get_mut(key) {
                    apply(existing, inner);
                } else {
                    let mut fresh = JsonMap::new();
                    apply(&mut fresh, inner);
                    target.insert(key.clone(), Json::Object(fresh));
                }
            }
            replacement => {
                target.insert(key.clone(), replacement.clone());
            }
        }
    }
}

/// The smallest patch for which `apply(base, patch) == wanted`. A key that is gone becomes `null`; an unchanged value
/// (numbers compared by spelling) does not appear; an array is replaced whole.
///
/// Holds for documents without `null` outside arrays, which is what a twin section is.
#[must_use]
pub fn between(base: &JsonMap, wanted: &JsonMap) -> JsonMap {
    let mut patch = JsonMap::new();
    for (key, after) in wanted {
        match (base.get(key), after) {
            (Some(Json::Object(before)), Json::Object(after)) => {
                let inner = between(before, after);
                if !inner.is_empty() {
                    patch.insert(key.clone(), Json::Object(inner));
                }
            }
            (Some(before), after) if before == after => {}
            _ => {
                patch.insert(key.clone(), after.clone());
            }
        }
    }
    for key in base.keys().filter(|key| !wanted.contains_key(*key)) {
        patch.insert(key.clone(), Json::Null);
    }
    patch
}

/// What the hub does with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Write {
    /// PATCH: merges it.
    #[default]
    Patch,
    /// PUT: it takes the place of tags and desired.
    Replace,
}

/// Whether a twin as read now carries a write whose answer never came: `body` as sent against the etag `before`. The etag moves
/// with every write of tags or desired: while it stands, ours has not happened. Where it moved and every value of ours is there,
/// ours has; otherwise (`None`) somebody else wrote, perhaps over ours.
#[must_use]
pub fn landed(body: &JsonMap, write: Write, before: &Etag, now: &Twin) -> Option<bool> {
    if now.etag == *before {
        return Some(false);
    }
    let desired = body.get("properties").and_then(|properties| properties.get("desired"));
    let there = |section, wanted| match write {
        Write::Patch => holds(now.section(section), wanted),
        Write::Replace => is(now.section(section), wanted),
    };
    (there(Section::Tags, body.get("tags")) && there(Section::Desired, desired)).then_some(true)
}

/// Whether a section says what was put in its place; a section that was left out is emptied.
fn is(section: &JsonMap, wanted: Option<&Json>) -> bool {
    match wanted {
        None | Some(Json::Null) => section.is_empty(),
        Some(wanted) => wanted.as_object() == Some(section),
    }
}

/// Whether a merge patch would change nothing any more.
fn holds(section: &JsonMap, wanted: Option<&Json>) -> bool {
    match wanted {
        None => true,
        // `null` clears the section.
        Some(Json::Null) => section.is_empty(),
        Some(Json::Object(wanted)) => {
            let mut patched = section.clone();
            apply(&mut patched, wanted);
            patched == *section
        }
        // No hub accepts anything else, so it cannot have happened.
        Some(_) => false,
    }
}

/// The patch that takes another back: `apply(apply(base, patch), inverse(base, patch)) == base`, under the condition of [`between`].
#[must_use]
pub fn inverse(base: &JsonMap, patch: &JsonMap) -> JsonMap {
    let mut patched = base.clone();
    apply(&mut patched, patch);
    between(&patched, base)
}
