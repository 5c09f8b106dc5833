//! What differs between two documents, path by path.

use super::{Json, JsonMap, Path};

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
#[must_use]
pub fn diff(before: &JsonMap, after: &JsonMap) -> Vec<Change> {
    let _ = (before, after);
    todo!()
}

/// Puts one change back: afterwards `document` holds at that path what `before` held. A reverted removal returns to the
/// position its neighbours suggest. Objects emptied by the revert of an addition stay only if they stood in `before`.
pub fn revert(document: &mut JsonMap, change: &Change) {
    let _ = (document, change);
    todo!()
}
