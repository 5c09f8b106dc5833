//! Three-way merge by path: what both sides made of a common base.

use super::{Json, JsonMap, Path};

/// One path both sides changed, differently. `None` means absent there.
#[derive(Debug, Clone, PartialEq)]
pub struct Clash {
    pub path: Path,
    pub base: Option<Json>,
    pub mine: Option<Json>,
    pub theirs: Option<Json>,
}

/// The outcome: `merged` takes every change that only one side made; at a clash it holds *mine*.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Merge {
    pub merged: JsonMap,
    /// Paths only I changed, against the base.
    pub mine: Vec<Path>,
    /// Paths only the other side changed, against the base.
    pub theirs: Vec<Path>,
    pub clashes: Vec<Clash>,
}

/// Arrays and scalars are atomic; delete against change and a change of type are clashes; both sides making the same
/// change is none.
#[must_use]
pub fn three_way(base: &JsonMap, mine: &JsonMap, theirs: &JsonMap) -> Merge {
    let _ = (base, mine, theirs);
    todo!()
}
