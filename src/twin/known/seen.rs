//! What stood at one place of the twins seen: in how many, of which kind, and the values most of them have.

use crate::twin::Json;
use crate::twin::tree::kind::Kind;

/// Different values counted at one place; those that come when it is full are not.
const COUNTED_MAX: usize = 64;

/// Of those counted, the most frequent that are told.
pub const VALUES_MAX: usize = 20;

/// Longer texts are not kept, in bytes: nobody picks them from a list.
pub const TEXT_MAX: usize = 256;

/// All values kept of one section, in bytes.
const BYTES_MAX: usize = 1 << 20;

/// How much was taken in.
#[derive(Debug, Default)]
pub(super) struct Budget {
    pub paths: usize,
    bytes: usize,
    /// Counts the twins: the number of the one that is taken in now.
    pub turn: u32,
}

#[derive(Debug, Default)]
pub(super) struct Seen {
    count: Count,
    kinds: Vec<(Kind, Count)>,
    /// The most frequent first.
    values: Vec<(Json, Count)>,
}

/// Twins, each counted once however often it has something.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    twins: u32,
    turn: u32,
}

impl Count {
    fn take(&mut self, turn: u32) {
        if self.twins == 0 || self.turn != turn {
            *self = Self { twins: self.twins.saturating_add(1), turn };
        }
    }
}

impl Seen {
    pub fn take(&mut self, value: &Json, budget: &mut Budget) {
        self.count.take(budget.turn);
        let kind = Kind::of(value);
        let at = self.kinds.iter().position(|(known, _)| *known == kind).unwrap_or_else(|| {
            self.kinds.push((kind, Count::default()));
            self.kinds.len() - 1
        });
        self.kinds[at].1.take(budget.turn);
        let bytes = match value {
            Json::String(text) => text.len(),
            Json::Bool(_) => 0,
            Json::Number(number) => number.as_str().len(),
            _ => return,
        };
        if bytes > TEXT_MAX {
            return;
        }
        let at = self.values.iter().position(|(known, _)| known == value);
        let room = self.values.len() < COUNTED_MAX && budget.bytes + bytes <= BYTES_MAX;
        let Some(mut at) = at.or_else(|| room.then_some(self.values.len())) else { return };
        if at == self.values.len() {
            budget.bytes += bytes;
            self.values.push((value.clone(), Count::default()));
        }
        self.values[at].1.take(budget.turn);
        // Kept in order, so that the frequent ones are found first.
        while at > 0 && self.values[at - 1].1.twins < self.values[at].1.twins {
            self.values.swap(at - 1, at);
            at -= 1;
        }
    }

    /// Twins that have something here.
    pub fn twins(&self) -> u32 {
        self.count.twins
    }

    /// The kind most twins have here.
    pub fn kind(&self) -> Option<Kind> {
        // Of several the one seen first.
        self.kinds.iter().rev().max_by_key(|(_, count)| count.twins).map(|(kind, _)| *kind)
    }

    /// Kinds and in how many twins.
    pub fn kinds(&self) -> impl Iterator<Item = (Kind, u32)> + '_ {
        self.kinds.iter().map(|(kind, count)| (*kind, count.twins))
    }

    /// Texts, numbers, true and false, the most frequent first, with how many twins have each.
    pub fn values(&self) -> impl Iterator<Item = (&Json, u32)> {
        self.values.iter().take(VALUES_MAX).map(|(value, count)| (value, count.twins))
    }
}
