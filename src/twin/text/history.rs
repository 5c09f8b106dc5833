//! Steps back and forth in a text that others may change in between: a step takes back what was typed here, never what came
//! from elsewhere.

use super::change::inverse;
use super::lines::Selection;
use super::rebase::{self, Tie, changes};
use super::splice::{Edit, made, moved};

/// More steps than this are forgotten, the oldest first.
const STEPS_MAX: usize = 500;

/// So are steps beyond this many bytes of text taken out or put in.
const BYTES_MAX: usize = 4 << 20;

/// Letters typed within this time of each other are one step.
const TOGETHER_MS: u64 = 1000;

/// What a text was and can be again.
#[derive(Debug, Clone, Default)]
pub struct History {
    text: String,
    /// What leads back and what leads forth again, the nearest last. The nearest edits are of `text`, each further one of what
    /// the nearer one leaves.
    back: Vec<Step>,
    forth: Vec<Step>,
    /// The step still typed at.
    open: Option<Open>,
}

#[derive(Debug, Clone)]
struct Step {
    edits: Vec<Edit>,
    /// What is selected afterwards.
    after: Selection,
}

#[derive(Debug, Clone)]
struct Open {
    /// The text before it.
    base: String,
    last_ms: u64,
    caret: usize,
    doing: Doing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Word,
    /// Behind a word or before one: the next letter begins a new step.
    Space,
    Erasing,
}

/// Whether a change may go on with the step before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A letter put in or taken away, at a time in milliseconds.
    Typed { ms: u64 },
    /// One act of its own.
    Act,
}

/// Which way a step goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Back,
    Forth,
}

impl History {
    /// Nothing was done yet.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// The text as last told.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text was changed here: what was selected before and is selected now.
    pub fn record(&mut self, new: &str, before: Selection, now: Selection, kind: Kind) {
        let edits = changes(&self.text, new);
        if edits.is_empty() {
            return;
        }
        self.forth.clear();
        let doing = doing(&self.text, &edits);
        let open = self.open.take();
        let typed = match (kind, doing) {
            (Kind::Typed { ms }, Some(doing)) => Some((ms, doing)),
            _ => None,
        };
        let going_on = open.filter(|open| {
            typed.is_some_and(|(ms, doing)| {
                let in_time = ms.saturating_sub(open.last_ms) <= TOGETHER_MS;
                in_time && before == Selection { anchor: open.caret, caret: open.caret } && open.doing.goes_on(doing)
            })
        });
        let (base, after) = match going_on.and_then(|open| Some((open.base, self.back.pop()?.after))) {
            Some(earlier) => earlier,
            None => (std::mem::take(&mut self.text), before),
        };
        let back = changes(new, &base);
        // Letters typed and taken away again leave no step.
        if !back.is_empty() {
            self.back.push(Step { edits: back, after });
            self.open = typed.map(|(last_ms, doing)| Open { base, last_ms, caret: now.caret, doing });
        }
        new.clone_into(&mut self.text);
        self.forget();
    }

    /// Goes a step. Returns the edits to make and what is selected afterwards; `None` where there is none.
    pub fn step(&mut self, way: Way, selected: Selection) -> Option<(Vec<Edit>, Selection)> {
        self.open = None;
        let (from, to) = match way {
            Way::Back => (&mut self.back, &mut self.forth),
            Way::Forth => (&mut self.forth, &mut self.back),
        };
        let Step { edits, after } = from.pop()?;
        to.push(Step { edits: inverse(&self.text, &edits), after: selected });
        self.text = made(&self.text, &edits);
        Some((edits, after))
    }

    /// The text was changed by somebody else. Every step stays, but for the values the change took over. Returns the edits of
    /// the change.
    pub fn rebase(&mut self, new: &str) -> Vec<Edit> {
        let edits = changes(&self.text, new);
        if !edits.is_empty() {
            self.open = None;
            self.back = rebased(std::mem::take(&mut self.back), &self.text, &edits);
            self.forth = rebased(std::mem::take(&mut self.forth), &self.text, &edits);
            new.clone_into(&mut self.text);
        }
        edits
    }

    fn forget(&mut self) {
        let bytes = |step: &Step| step.edits.iter().map(|edit| edit.text.len() + edit.range.len() + 64).sum::<usize>();
        let mut kept = 0;
        let steps = self.back.iter().rev().take(STEPS_MAX).take_while(|step| {
            kept += bytes(step);
            kept <= BYTES_MAX
        });
        let forgotten = self.back.len() - steps.count();
        self.back.drain(..forgotten);
    }
}

impl Doing {
    fn goes_on(self, next: Self) -> bool {
        self == next || (self, next) == (Self::Word, Self::Space)
    }
}

/// What is typed by a change of one place within a line; `None` for any other change.
fn doing(text: &str, edits: &[Edit]) -> Option<Doing> {
    let [Edit { range, text: put_in }] = edits else { return None };
    let taken = &text[range.clone()];
    if taken.contains('\n') || put_in.contains('\n') {
        return None;
    }
    match (taken.is_empty(), put_in.chars().next_back()) {
        (true, Some(c)) if c.is_whitespace() => Some(Doing::Space),
        (_, Some(_)) => Some(Doing::Word),
        (_, None) => Some(Doing::Erasing),
    }
}

/// The steps as they are of the text after a change, the nearest last.
fn rebased(steps: Vec<Step>, text: &str, change: &[Edit]) -> Vec<Step> {
    let (mut text, mut change) = (text.to_owned(), change.to_vec());
    let mut out = Vec::new();
    for step in steps.into_iter().rev() {
        let edits = rebase::over(&text, &step.edits, &change);
        let before = made(&text, &step.edits);
        change = if edits.len() == step.edits.len() {
            change.iter().map(|edit| rebase::shifted(edit, &step.edits, Tie::Behind)).collect()
        } else {
            // Without the step's edits that fell away, what the change does to the text before the step is another thing.
            changes(&before, &made(&made(&text, &change), &edits))
        };
        let after = Selection { anchor: moved(&change, step.after.anchor), caret: moved(&change, step.after.caret) };
        if !edits.is_empty() {
            out.push(Step { edits, after });
        }
        text = before;
    }
    out.reverse();
    out
}
