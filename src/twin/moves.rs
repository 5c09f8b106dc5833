//! What became of the version an edit stands on: which of its changes others made and which were a save of one's own. Steps
//! back in a text have to tell these apart.

use super::{JsonMap, Section, Twin, patch};
use std::collections::VecDeque;
use std::sync::Arc;

/// Of more than this the oldest are forgotten.
const MOVES_MAX: usize = 128;

/// Who changed a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// A save from here.
    Mine,
    Theirs,
}

/// One change of a section of the version an edit stands on.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    pub whose: Whose,
    /// A merge patch, not empty.
    pub patch: Arc<JsonMap>,
}

/// The moves of one twin's version, in their order.
#[derive(Debug, Default)]
pub struct Moves {
    /// `None` before the first.
    now: Option<Arc<Twin>>,
    /// How many were forgotten.
    forgotten: u64,
    list: VecDeque<(Section, Move)>,
}

impl Moves {
    /// The edit stands on this version now. What differs from what was seen last is of others.
    pub fn see(&mut self, base: &Arc<Twin>) {
        self.go(base, Whose::Theirs);
    }

    /// A save from here made `after` of `before`. How `before` came about is of others.
    pub fn saved(&mut self, before: &Arc<Twin>, after: &Arc<Twin>) {
        self.go(before, Whose::Theirs);
        self.go(after, Whose::Mine);
    }

    fn go(&mut self, to: &Arc<Twin>, whose: Whose) {
        let Some(from) = self.now.replace(to.clone()) else { return };
        if Arc::ptr_eq(&from, to) {
            return;
        }
        for section in [Section::Desired, Section::Tags] {
            let patch = patch::between(from.section(section), to.section(section));
            if !patch.is_empty() {
                self.list.push_back((section, Move { whose, patch: Arc::new(patch) }));
            }
        }
        while self.list.len() > MOVES_MAX {
            self.list.pop_front();
            self.forgotten += 1;
        }
    }

    /// How many there were so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.forgotten + self.list.len() as u64
    }

    /// Those of a section behind the first `count` of all; fewer where they were forgotten.
    #[must_use]
    pub fn since(&self, count: u64, section: Section) -> Vec<Move> {
        let known = usize::try_from(count.saturating_sub(self.forgotten)).unwrap_or(usize::MAX);
        let of_section = |(of, one): &(Section, Move)| (*of == section).then(|| one.clone());
        self.list.iter().skip(known).filter_map(of_section).collect()
    }
}
