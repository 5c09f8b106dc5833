//! A version moved under the steps of a text: what each of the texts they lead to is on the newer one.

use super::rebase::changes;
use super::splice::{self, Edit, made};
use super::{Parsed, parse};
use crate::twin::merge::{self, Choice};
use crate::twin::moves::{Move, Whose};
use crate::twin::{Json, JsonMap, Path, Segment, patch};
use std::sync::Arc;

/// More patches than this become one.
const PATCHES_MAX: usize = 64;

/// Stands between steps: those beneath it lead to texts that were typed on another version. They are brought onto the newest one
/// when they are taken, which most never are.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    /// From the text above to the text beneath.
    pub back: Vec<Edit>,
    /// What the version beneath said.
    from: Arc<JsonMap>,
    /// What others changed since.
    theirs: Vec<Arc<JsonMap>>,
    /// Where what was typed beneath is done with: it was saved, or given up for what others wrote. There theirs stands.
    settled: Vec<Path>,
}

impl Ground {
    pub fn new(from: Arc<JsonMap>) -> Self {
        Self { back: Vec::new(), from, theirs: Vec::new(), settled: Vec::new() }
    }

    pub fn extend(&mut self, moves: &[Move]) {
        self.theirs.extend(of(moves, Whose::Theirs).map(|one| one.patch.clone()));
        self.compact();
    }

    /// What was saved among the moves, and what was given up, is done with.
    pub fn settle(&mut self, moves: &[Move], given_up: &[Path]) {
        of(moves, Whose::Mine).for_each(|one| leaves(&one.patch, &mut Path::root(), &mut self.settled));
        self.settled.extend_from_slice(given_up);
        self.compact();
    }

    pub fn settled(&self) -> &[Path] {
        &self.settled
    }

    /// The ground beneath, once the last step above it was taken and nothing but both stands between it and `text`.
    pub fn onto(&self, beneath: &mut Self, text: &str) {
        let above = made(text, &self.back);
        beneath.back = changes(text, &made(&above, &beneath.back));
        beneath.theirs.extend(self.theirs.iter().cloned());
        beneath.settle(&[], &self.settled);
    }

    /// The text from beneath on the newest version: what it has of the old one is as others left it, what was typed in it stays.
    /// `None` where that cannot be told, for it does not parse.
    pub fn carried(&self, text: &str) -> Option<String> {
        if self.theirs.is_empty() {
            return Some(text.to_owned());
        }
        let (parsed, newest) = (parse(text), self.newest());
        let mine = parsed.document.as_ref()?;
        let merge = merge::three_way(&self.from, mine, &newest);
        let resolved = merge.resolved(&self.from, &newest, |clash| {
            if self.settled.iter().any(|path| meet(path, &clash.path)) { Choice::Theirs } else { Choice::Mine }
        });
        rewritten(text, &parsed, mine, &resolved)
    }

    fn newest(&self) -> JsonMap {
        let mut newest = (*self.from).clone();
        self.theirs.iter().for_each(|theirs| patch::apply(&mut newest, theirs));
        newest
    }

    fn compact(&mut self) {
        if self.theirs.len() > PATCHES_MAX {
            self.theirs = vec![Arc::new(patch::between(&self.from, &self.newest()))];
        }
        self.settled.sort();
        self.settled.dedup();
    }
}

/// The text with `wanted` in place of the document it has, if a text can be made that says exactly that.
fn rewritten(text: &str, parsed: &Parsed, has: &JsonMap, wanted: &JsonMap) -> Option<String> {
    let edits = splice::splice(text, parsed, &patch::between(has, wanted), wanted)?;
    let made = made(text, &edits);
    // A wrong text would be worse than one step less.
    (edits.is_empty() || parse(&made).document.as_ref() == Some(wanted)).then_some(made)
}

/// The moves that make `to` of `from`: those that were told, if they do.
pub(super) fn told(moves: &[Move], from: &JsonMap, to: &JsonMap) -> Vec<Move> {
    let mut led_to = from.clone();
    for one in moves {
        patch::apply(&mut led_to, &one.patch);
    }
    if led_to == *to {
        return moves.to_vec();
    }
    // Nobody knows who did it. What was taken for one's own would be taken back.
    vec![Move { whose: Whose::Theirs, patch: Arc::new(patch::between(from, to)) }]
}

/// Where a text and others changed the same, and the text took over what they wrote.
pub(super) fn given_up(from: &JsonMap, moves: &[Move], old: &str, new: &str) -> Vec<Path> {
    let mut theirs = from.clone();
    of(moves, Whose::Theirs).for_each(|one| patch::apply(&mut theirs, &one.patch));
    if old == new || theirs == *from {
        return Vec::new();
    }
    let (Some(old), Some(new)) = (parse(old).document, parse(new).document) else { return Vec::new() };
    let clashes = merge::three_way(from, &old, &theirs).clashes;
    let taken = clashes.into_iter().filter(|clash| clash.path.find(&new) == clash.theirs.as_ref());
    taken.map(|clash| clash.path).collect()
}

fn of(moves: &[Move], whose: Whose) -> impl Iterator<Item = &Move> {
    moves.iter().filter(move |one| one.whose == whose)
}

/// Whether one path is the other or leads to it.
fn meet(a: &Path, b: &Path) -> bool {
    a.0.starts_with(&b.0) || b.0.starts_with(&a.0)
}

fn leaves(patch: &JsonMap, at: &mut Path, out: &mut Vec<Path>) {
    for (key, value) in patch {
        at.0.push(Segment::Key(key.clone()));
        match value {
            Json::Object(inner) if !inner.is_empty() => leaves(inner, at, out),
            _ => out.push(at.clone()),
        }
        at.0.pop();
    }
}
