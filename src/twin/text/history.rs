//! Steps back and forth in a text that others may change in between: a step takes back what was typed here, never what came
//! from elsewhere.

use super::change::inverse;
use super::ground::{self, Ground};
use super::lines::Selection;
use super::rebase::changes;
use super::splice::{Edit, made, moved};
use crate::twin::moves::Move;
use crate::twin::{JsonMap, Path};
use std::sync::Arc;

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
    /// What the version says that the text is an edit of; nothing for a text that is none.
    base: Arc<JsonMap>,
    /// What leads back and what leads forth again, the nearest last. The nearest edits are of `text`, each further one of what
    /// the nearer one leaves.
    back: Vec<Entry>,
    forth: Vec<Entry>,
    /// The step still typed at.
    open: Option<Open>,
    /// What was saved between texts that steps have led to and fro since.
    crossed: Vec<Path>,
}

#[derive(Debug, Clone)]
enum Entry {
    Step(Step),
    /// The version moved since the steps beneath were made.
    Moved(Ground),
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

    /// The text is an edit of a version that says this.
    pub fn stand_on(&mut self, base: Arc<JsonMap>) {
        self.base = base;
    }

    /// What the version says that the text is an edit of.
    #[must_use]
    pub fn base(&self) -> &Arc<JsonMap> {
        &self.base
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
        let (base, after) = match going_on.and_then(|open| Some((open.base, self.last_step()?.after))) {
            Some(earlier) => earlier,
            None => (std::mem::take(&mut self.text), before),
        };
        let back = changes(new, &base);
        // Letters typed and taken away again leave no step.
        if !back.is_empty() {
            self.back.push(Entry::Step(Step { edits: back, after }));
            self.open = typed.map(|(last_ms, doing)| Open { base, last_ms, caret: now.caret, doing });
        }
        new.clone_into(&mut self.text);
        self.forget();
    }

    /// Takes the step off that was made last, if nothing came in between.
    fn last_step(&mut self) -> Option<Step> {
        match self.back.pop()? {
            Entry::Step(step) => Some(step),
            moved @ Entry::Moved(_) => {
                self.back.push(moved);
                None
            }
        }
    }

    /// Goes a step. Returns the edits to make and what is selected afterwards; `None` where there is none.
    pub fn step(&mut self, way: Way, selected: Selection) -> Option<(Vec<Edit>, Selection)> {
        self.open = None;
        let (from, to) = match way {
            Way::Back => (&mut self.back, &mut self.forth),
            Way::Forth => (&mut self.forth, &mut self.back),
        };
        let Step { edits, after } = nearest(from, &self.text, &mut self.crossed)?;
        to.push(Entry::Step(Step { edits: inverse(&self.text, &edits), after: selected }));
        self.text = made(&self.text, &edits);
        Some((edits, after))
    }

    /// The version the text is an edit of became another one, by `moves`; and the text, if others changed it too. A step leads from
    /// now on to what was typed on what is there now, never to what was there before. Returns the edits of the text.
    pub fn rebase(&mut self, new: &str, moves: &[Move], base: Arc<JsonMap>) -> Vec<Edit> {
        let edits = changes(&self.text, new);
        let moves = ground::told(moves, &self.base, &base);
        if !edits.is_empty() || !moves.is_empty() {
            self.open = None;
            let given_up = ground::given_up(&self.base, &moves, &self.text, new);
            for (way, steps) in [(Way::Back, &mut self.back), (Way::Forth, &mut self.forth)] {
                let mut ground = match steps.pop() {
                    None => continue,
                    Some(Entry::Moved(ground)) => ground,
                    Some(step) => {
                        steps.push(step);
                        Ground::new(self.base.clone())
                    }
                };
                ground.back = changes(new, &made(&self.text, &ground.back));
                ground.extend(&moves);
                // What was taken back before is neither saved nor given up.
                if way == Way::Back {
                    ground.settle(&moves, &given_up);
                    ground.settle(&[], &self.crossed);
                }
                steps.push(Entry::Moved(ground));
            }
            new.clone_into(&mut self.text);
        }
        self.base = base;
        edits
    }

    fn forget(&mut self) {
        let length = self.text.len();
        let edits = |edits: &[Edit]| edits.iter().map(|edit| edit.text.len() + edit.range.len() + 64).sum::<usize>();
        let bytes = |entry: &Entry| match entry {
            Entry::Step(step) => edits(&step.edits),
            // With the version it keeps.
            Entry::Moved(ground) => edits(&ground.back) + length,
        };
        let mut kept = 0;
        let steps = self.back.iter().rev().take(STEPS_MAX).take_while(|entry| {
            kept += bytes(entry);
            kept <= BYTES_MAX
        });
        let forgotten = self.back.len() - steps.count();
        self.back.drain(..forgotten);
    }
}

/// Takes the nearest step off. One that leads to a text of an older version leads to what that is on the newest; where there is no
/// such text, or it is the one that stands there, the step goes on to the next.
fn nearest(entries: &mut Vec<Entry>, text: &str, crossed: &mut Vec<Path>) -> Option<Step> {
    loop {
        let mut ground = match entries.pop()? {
            Entry::Step(step) => return Some(step),
            Entry::Moved(ground) => ground,
        };
        match entries.pop()? {
            Entry::Moved(mut beneath) => {
                ground.onto(&mut beneath, text);
                entries.push(Entry::Moved(beneath));
            }
            Entry::Step(step) => {
                let old = made(&made(text, &ground.back), &step.edits);
                let carried = ground.carried(&old);
                let leads_on = carried.as_deref().is_some_and(|carried| carried != text);
                let new = carried.unwrap_or_else(|| text.to_owned());
                ground.back = changes(&new, &old);
                let change = changes(&old, &new);
                crossed.extend(
                    ground.settled().iter().filter(|path| !crossed.contains(path)).cloned().collect::<Vec<_>>(),
                );
                if !entries.is_empty() {
                    entries.push(Entry::Moved(ground));
                }
                if leads_on {
                    let place = |offset| moved(&change, offset);
                    let after = Selection { anchor: place(step.after.anchor), caret: place(step.after.caret) };
                    return Some(Step { edits: changes(text, &new), after });
                }
            }
        }
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
