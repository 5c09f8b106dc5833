//! What is known of a text, carried along when the text changes: where each place is until the new text is read itself.

use super::change::common_ends;
use super::{Lines, Problem, Span};
use std::ops::Range;

/// The one place at which two texts differ: what stands before and behind it is the same in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    start: usize,
    /// Where the place ends in the old text, and in the new one.
    old_end: usize,
    new_end: usize,
}

impl Shift {
    #[must_use]
    pub fn between(old: &str, new: &str) -> Self {
        let (start, behind) = common_ends(old, new);
        Self { start, old_end: old.len() - behind, new_end: new.len() - behind }
    }

    /// Where a range of the old text stands in the new one. One that the place touches grows and shrinks with it, one inside is
    /// empty: no range leads out of the text or into a character, and of two ranges one of which holds the other it still does.
    #[must_use]
    pub fn range(&self, old: &Range<usize>) -> Range<usize> {
        // What is put in right before a range or right behind it may belong to it: a digit to its number.
        let start = if old.start <= self.start { old.start } else { self.behind(old.start) };
        let grows = old.end == self.start && self.start == self.old_end;
        let end = if old.end <= self.start && !grows { old.end } else { self.behind(old.end) };
        start..end
    }

    /// Where an offset is that is not before the place.
    fn behind(&self, offset: usize) -> usize {
        offset.max(self.old_end) - self.old_end + self.new_end
    }

    pub(in crate::twin) fn spans(&self, spans: &mut [Span]) {
        for span in spans {
            span.value = self.range(&span.value);
            span.key = span.key.as_ref().map(|key| self.range(key));
        }
    }

    /// `new` is the new text.
    pub(in crate::twin) fn problems(&self, problems: &mut [Problem], new: &str) {
        for problem in &mut *problems {
            problem.range = self.range(&problem.range);
        }
        Lines::new(new).place(problems);
    }
}
