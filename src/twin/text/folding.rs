//! Which objects and arrays of a text are folded, while the text changes under them.

use super::fold::{Fold, Folds, folds};
use super::lines::{self, Selection};
use super::rebase::changes;
use super::splice::Edit;
use std::ops::Range;

/// What a change does to a fold that hides a part of what was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    /// It stays: the change came from elsewhere, or was made in many places at once.
    Keep,
    /// It opens: who types sees what is typed.
    Open,
}

/// What is folded in one text.
#[derive(Debug, Clone, Default)]
pub struct Folding {
    text: String,
    of: Folds,
    /// The brackets of what is folded, in text order.
    closed: Vec<usize>,
    /// The lines hidden, in text order and without overlap: what is folded inside a fold is not listed.
    hidden: Vec<Range<usize>>,
    /// For each of these, how many lines are hidden up to its end.
    gone: Vec<usize>,
}

impl Folding {
    /// Goes along with the text as it is now. A fold goes with its bracket: it is gone where the bracket was taken out, or opens
    /// nothing over several lines any more.
    pub fn follow(&mut self, text: &str, touch: Touch) {
        if self.text == text {
            return;
        }
        let of = folds(text);
        if !self.closed.is_empty() {
            let edits = changes(&self.text, text);
            if touch == Touch::Open {
                let (of, closed) = (&self.of, &mut self.closed);
                closed.retain(|open| find(of, *open).is_none_or(|fold| !is_touched(of, fold, &edits)));
            }
            self.closed = moved(&self.closed, &edits);
            self.closed.retain(|open| find(&of, *open).is_some());
        }
        self.of = of;
        text.clone_into(&mut self.text);
        self.settle();
    }

    /// Everything that can be folded.
    #[must_use]
    pub fn all(&self) -> &[Fold] {
        &self.of.list
    }

    /// What can be folded at a line, from 0.
    #[must_use]
    pub fn at_line(&self, line: usize) -> Option<&Fold> {
        let at = self.of.list.binary_search_by_key(&line, |fold| fold.head).ok()?;
        self.of.list.get(at)
    }

    #[must_use]
    pub fn is_folded(&self, fold: &Fold) -> bool {
        self.closed.binary_search(&fold.open).is_ok()
    }

    /// What is folded at a line, from 0.
    #[must_use]
    pub fn folded_at(&self, line: usize) -> Option<&Fold> {
        self.at_line(line).filter(|fold| self.is_folded(fold))
    }

    /// Whether anything is folded.
    #[must_use]
    pub fn is_any(&self) -> bool {
        !self.closed.is_empty()
    }

    /// The lines hidden, from 0, in text order and without overlap.
    #[must_use]
    pub fn hidden(&self) -> &[Range<usize>] {
        &self.hidden
    }

    /// The lines a line is hidden with; `None` for one that is shown.
    #[must_use]
    pub fn hider(&self, line: usize) -> Option<&Range<usize>> {
        let behind = self.hidden.partition_point(|lines| lines.start <= line);
        self.hidden.get(behind.checked_sub(1)?).filter(|lines| lines.contains(&line))
    }

    /// Folds or unfolds what begins at a line.
    pub fn toggle(&mut self, line: usize) {
        let Some(open) = self.at_line(line).map(|fold| fold.open) else { return };
        match self.closed.binary_search(&open) {
            Ok(at) => drop(self.closed.remove(at)),
            Err(at) => self.closed.insert(at, open),
        }
        self.settle();
    }

    /// Folds the innermost that has this line, begins on it or ends on it, and is not folded yet.
    pub fn fold_at(&mut self, line: usize) {
        let holds = |fold: &&Fold| fold.head <= line && line < fold.hidden.end && !self.is_folded(fold);
        let head = self.of.list.iter().rev().find(holds).map(|fold| fold.head);
        if let Some(head) = head {
            self.toggle(head);
        }
    }

    /// Unfolds what is folded at a line.
    pub fn unfold_at(&mut self, line: usize) {
        if self.folded_at(line).is_some() {
            self.toggle(line);
        }
    }

    /// Folds everything but what holds all the rest: of that, one line would stay.
    pub fn fold_all(&mut self) {
        let list = &self.of.list;
        let is_root = list.len() > 1 && list.iter().all(|fold| fold.head < list[0].hidden.end);
        self.closed = list.iter().skip(usize::from(is_root)).map(|fold| fold.open).collect();
        self.settle();
    }

    pub fn unfold_all(&mut self) {
        self.closed.clear();
        self.settle();
    }

    /// Unfolds all that hides a line.
    pub fn reveal(&mut self, line: usize) {
        let of = &self.of;
        self.closed.retain(|open| find(of, *open).is_some_and(|fold| !fold.hidden.contains(&line)));
        self.settle();
    }

    /// The line of a byte offset, from 0.
    #[must_use]
    pub fn line_of(&self, offset: usize) -> usize {
        self.of.ends.partition_point(|end| *end < offset)
    }

    /// The bytes of a line, without its break.
    #[must_use]
    pub fn line(&self, line: usize) -> Range<usize> {
        let end = self.of.ends.get(line).copied().unwrap_or(self.text.len());
        let start = line.checked_sub(1).and_then(|above| self.of.ends.get(above)).map_or(0, |end| end + 1);
        start.min(end)..end
    }

    /// How many lines are shown above a line; for a hidden one, above the line it is folded into.
    #[must_use]
    pub fn row_of(&self, line: usize) -> usize {
        let behind = self.hidden.partition_point(|lines| lines.start <= line);
        match behind.checked_sub(1).map(|at| (&self.hidden[at], self.gone_above(at))) {
            Some((lines, gone)) if lines.contains(&line) => lines.start - 1 - gone,
            _ => line - self.gone_above(behind),
        }
    }

    /// The line that is shown below so many others.
    #[must_use]
    pub fn line_of_row(&self, row: usize) -> usize {
        let (mut low, mut high) = (0, self.hidden.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.hidden[middle].start - self.gone_above(middle) <= row {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        row + self.gone_above(low)
    }

    /// Where a caret goes out of hidden lines: the end of the line they are folded into. `None` for a caret that is seen.
    #[must_use]
    pub fn way_out(&self, offset: usize) -> Option<usize> {
        let lines = self.hider(self.line_of(offset))?;
        Some(self.line(lines.start - 1).end)
    }

    /// Whether a selection holds all that is hidden where its caret stands: nobody looks for that caret.
    #[must_use]
    pub fn is_covered(&self, selection: Selection) -> bool {
        let Some(lines) = self.hider(self.line_of(selection.caret)) else { return false };
        let range = selection.range();
        range.start <= self.line(lines.start - 1).end && range.end >= self.line(lines.end - 1).end
    }

    /// A selection whose last line is folded, with what is hidden there.
    #[must_use]
    pub fn widened(&self, selection: Selection) -> Selection {
        let last = self.line_of(lines::touched(&self.text, &selection.range()).end);
        let Some(hidden) = self.hider(last + 1).filter(|lines| lines.start == last + 1) else { return selection };
        let end = self.line(hidden.end - 1).end;
        match selection {
            Selection { anchor, caret } if anchor > caret => Selection { anchor: end, caret },
            Selection { anchor, .. } => Selection { anchor, caret: end },
        }
    }

    /// How many lines are hidden by the first so many of `hidden`.
    fn gone_above(&self, count: usize) -> usize {
        count.checked_sub(1).map_or(0, |last| self.gone[last])
    }

    fn settle(&mut self) {
        self.hidden.clear();
        self.gone.clear();
        let mut gone = 0;
        for open in &self.closed {
            let Some(fold) = find(&self.of, *open) else { continue };
            if self.hidden.last().is_none_or(|before| fold.head >= before.end) {
                gone += fold.hidden.len();
                self.hidden.push(fold.hidden.clone());
                self.gone.push(gone);
            }
        }
    }
}

fn find(of: &Folds, open: usize) -> Option<&Fold> {
    let at = of.list.binary_search_by_key(&open, |fold| fold.open).ok()?;
    of.list.get(at)
}

/// Whether an edit takes a part of what a fold hides, or puts something into it.
fn is_touched(of: &Folds, fold: &Fold, edits: &[Edit]) -> bool {
    let (start, end) = (of.ends[fold.head], of.ends[fold.hidden.end - 1]);
    edits.iter().any(|edit| edit.range.start < end && edit.range.end > start)
}

/// Where brackets stand after edits, without those taken out. Both in text order.
fn moved(brackets: &[usize], edits: &[Edit]) -> Vec<usize> {
    let mut edits = edits.iter().peekable();
    let (mut added, mut removed) = (0, 0);
    let mut kept = Vec::new();
    for at in brackets {
        while let Some(edit) = edits.next_if(|edit| edit.range.end <= *at) {
            added += edit.text.len();
            removed += edit.range.len();
        }
        if edits.peek().is_none_or(|edit| edit.range.start > *at) {
            kept.push(at + added - removed);
        }
    }
    kept
}
