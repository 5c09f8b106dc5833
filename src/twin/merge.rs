//! Three-way merge by path: what both sides made of a common base.

use super::diff::{self, Change};
use super::{Json, JsonMap, Path, Segment};

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
/// change is none. Two objects added at the same path are merged key by key.
///
/// `merged` has the key order of mine, keys of theirs behind the neighbours they have there.
#[must_use]
pub fn three_way(base: &JsonMap, mine: &JsonMap, theirs: &JsonMap) -> Merge {
    let mut merge = Merge::default();
    merge.merged = merge.objects(base, mine, theirs, &mut Path::root());
    merge
}

/// Whose value a clash is to end with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Choice {
    #[default]
    Mine,
    Theirs,
    /// As it was before either side.
    Base,
}

impl Clash {
    /// The value a choice stands for; `None` where that side has none.
    #[must_use]
    pub fn value(&self, choice: Choice) -> Option<&Json> {
        match choice {
            Choice::Mine => self.mine.as_ref(),
            Choice::Theirs => self.theirs.as_ref(),
            Choice::Base => self.base.as_ref(),
        }
    }
}

impl Merge {
    /// The merged document with every clash as chosen. Key order is that of `merged`; a key that only the chosen side has
    /// stands where it stands there.
    #[must_use]
    pub fn resolved(&self, base: &JsonMap, theirs: &JsonMap, choose: impl Fn(&Clash) -> Choice) -> JsonMap {
        let mut resolved = self.merged.clone();
        for clash in &self.clashes {
            let choice = choose(clash);
            let model = match choice {
                Choice::Mine => continue,
                Choice::Theirs => theirs,
                Choice::Base => base,
            };
            let change =
                Change { path: clash.path.clone(), before: clash.value(choice).cloned(), after: clash.mine.clone() };
            diff::revert(&mut resolved, model, &change);
        }
        resolved
    }

    fn objects(&mut self, base: &JsonMap, mine: &JsonMap, theirs: &JsonMap, path: &mut Path) -> JsonMap {
        let mut merged = JsonMap::new();
        for (key, value) in mine {
            let taken = self.value(key, base.get(key), Some(value), theirs.get(key), path);
            if let Some(taken) = taken {
                merged.insert(key.clone(), taken);
            }
        }
        let mut behind = None;
        for (key, value) in theirs {
            if !mine.contains_key(key)
                && let Some(taken) = self.value(key, base.get(key), None, Some(value), path)
            {
                let position = behind.and_then(|behind| merged.keys().position(|known| known == behind));
                merged.shift_insert(position.map_or(0, |position| position + 1), key.clone(), taken);
            }
            if merged.contains_key(key) {
                behind = Some(key);
            }
        }
        merged
    }

    fn value(
        &mut self,
        key: &str,
        base: Option<&Json>,
        mine: Option<&Json>,
        theirs: Option<&Json>,
        path: &mut Path,
    ) -> Option<Json> {
        if let (Some(Json::Object(mine)), Some(Json::Object(theirs)), None | Some(Json::Object(_))) =
            (mine, theirs, base)
        {
            let nothing = JsonMap::new();
            let base = base.and_then(Json::as_object).unwrap_or(&nothing);
            path.0.push(Segment::Key(key.to_owned()));
            let merged = self.objects(base, mine, theirs, path);
            path.0.pop();
            return Some(Json::Object(merged));
        }
        if mine == theirs {
            return mine.cloned();
        }
        if mine == base {
            self.theirs.push(path.key(key));
            return theirs.cloned();
        }
        if theirs == base {
            self.mine.push(path.key(key));
        } else {
            self.clashes.push(Clash {
                path: path.key(key),
                base: base.cloned(),
                mine: mine.cloned(),
                theirs: theirs.cloned(),
            });
        }
        mine.cloned()
    }
}
