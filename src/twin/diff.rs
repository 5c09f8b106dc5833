//! What differs between two documents, path by path.

use super::{Json, JsonMap, Path, Segment};
use std::collections::HashMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    Added,
    Removed,
    Changed,
}

/// One difference. Arrays and scalars are atomic; objects are descended into, except where a whole object was added or
/// removed, which is one change.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub path: Path,
    /// `None` when added.
    pub before: Option<Json>,
    /// `None` when removed.
    pub after: Option<Json>,
}

impl Change {
    #[must_use]
    pub fn kind(&self) -> ChangeKind {
        match (&self.before, &self.after) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            _ => ChangeKind::Changed,
        }
    }
}

/// The differences from `before` to `after`, in the order of `after`, removals where the key stood in `before`.
/// Numbers are compared by spelling; the order of keys is no difference.
#[must_use]
pub fn diff(before: &JsonMap, after: &JsonMap) -> Vec<Change> {
    let mut changes = Vec::new();
    walk(before, after, &mut Path::root(), &mut changes);
    changes
}

fn walk(before: &JsonMap, after: &JsonMap, path: &mut Path, changes: &mut Vec<Change>) {
    for (key, old, new) in both(before, after) {
        match (old, new) {
            (Some(Json::Object(old)), Some(Json::Object(new))) => {
                path.0.push(Segment::Key(key.clone()));
                walk(old, new, path, changes);
                path.0.pop();
            }
            (old, new) if old == new => {}
            (old, new) => changes.push(Change { path: path.key(key), before: old.cloned(), after: new.cloned() }),
        }
    }
}

/// A key with what the first and the second of two documents have there.
type Pair<'d> = (&'d String, Option<&'d Json>, Option<&'d Json>);

/// The keys of two documents: in the order of `after`, one that is gone behind the surviving key it stood behind.
pub(super) fn both<'d>(before: &'d JsonMap, after: &'d JsonMap) -> Vec<Pair<'d>> {
    let mut removed: HashMap<Option<&str>, Vec<Pair<'d>>> = HashMap::new();
    let mut behind = None;
    for (key, value) in before {
        if after.contains_key(key) {
            behind = Some(key.as_str());
        } else {
            removed.entry(behind).or_default().push((key, Some(value), None));
        }
    }
    let mut pairs = removed.remove(&None).unwrap_or_default();
    for (key, value) in after {
        pairs.push((key, before.get(key), Some(value)));
        pairs.extend(removed.remove(&Some(key.as_str())).unwrap_or_default());
    }
    pairs
}

/// Puts one change back: afterwards `document` holds at that path what `base`, the document the change is measured
/// against, holds there. A reverted removal returns behind the neighbour it had in `base`. An object emptied by the revert
/// of an addition stays: it stood in `base`, for otherwise the object itself would be the addition.
pub fn revert(document: &mut JsonMap, base: &JsonMap, change: &Change) {
    let Some((Segment::Key(key), parents)) = change.path.0.split_last() else { return };
    let mut place = document;
    let mut model = Some(base);
    for segment in parents {
        // Arrays are atomic in a diff, so no path of a change leads through one.
        let Segment::Key(parent) = segment else { return };
        let inner = model.and_then(|model| model.get(parent)).and_then(Json::as_object);
        if !matches!(place.get(parent), Some(Json::Object(_))) {
            if change.before.is_none() {
                return;
            }
            put(place, model, parent, Json::Object(JsonMap::new()));
        }
        let Some(Json::Object(next)) = place.get_mut(parent) else { return };
        place = next;
        model = inner;
    }
    match &change.before {
        Some(value) => put(place, model, key, value.clone()),
        None => {
            place.shift_remove(key);
        }
    }
}

/// Sets a key; a new one goes behind the nearest key that precedes it in `model`.
pub(super) fn put(document: &mut JsonMap, model: Option<&JsonMap>, key: &str, value: Json) {
    if let Some(existing) = document.get_mut(key) {
        *existing = value;
        return;
    }
    let position = match model.and_then(|model| model.keys().position(|candidate| candidate == key).zip(Some(model))) {
        None => document.len(),
        Some((index, model)) => model
            .keys()
            .take(index)
            .rev()
            .find_map(|neighbour| document.keys().position(|candidate| candidate == neighbour))
            .map_or(0, |position| position + 1),
    };
    document.shift_insert(position, key.to_owned(), value);
}
