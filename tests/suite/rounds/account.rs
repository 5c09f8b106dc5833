//! The account of every value: who typed it where, what its author knew then, which version of the hub brought it, who gave it up.

use super::docs::{Docs, Leaf, Leaves, differing, keys, under};
use std::collections::{BTreeMap, BTreeSet};
use twinscope::protocol::event::{EventPage, What};
use twinscope::twin::diff::Change;
use twinscope::twin::merge::{Choice, Clash};
use twinscope::twin::patch::Write;
use twinscope::twin::{Json, JsonMap, Path, Section, patch};

/// All that somebody saw at places since typing there.
type Seen = BTreeMap<Leaf, BTreeSet<Option<String>>>;

/// What one person wants that is not on the hub yet.
#[derive(Debug, Default)]
struct Page {
    /// What the person's last word is, place by place.
    wanted: Leaves,
    /// What the person has seen of the hub there: what the text said before it was typed over, and what clashes showed.
    over: Seen,
    /// Where the text says again what the base says while a save of something else is on its way: a wish only if that one lands.
    back: BTreeSet<Leaf>,
}

/// A PATCH or PUT on its way, with what its author knew when it was sent.
#[derive(Debug)]
struct Save {
    author: char,
    body: JsonMap,
    write: Write,
    /// The paths that the author was told a PUT removes.
    told: Vec<(Section, Vec<String>)>,
    /// `None`: somebody who does not look.
    over: Option<Seen>,
    wanted: Leaves,
    /// Wanted, and given up for another value by this save.
    dropped: Leaves,
    landed: bool,
}

/// What a program says became of a save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    Saved,
    NotSaved,
    /// It cannot tell, and shows what there is.
    Unknown,
    /// It goes on asking.
    InDoubt,
}

/// How often something happened: what never happens is not proved.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    pub typed: usize,
    pub landed: usize,
    pub given_up: usize,
    pub conflicts: usize,
    pub mine: usize,
    pub theirs: usize,
    pub merged: usize,
    pub overwritten: usize,
    pub rebased: usize,
    pub discarded: usize,
    pub followed: usize,
    pub meanwhile: usize,
    pub refused: usize,
    pub unknown: usize,
    /// A PUT landed.
    pub replaced: usize,
    /// Values that a PUT removed, each of them announced.
    pub removed: usize,
    /// The hub moved while somebody was asked about a PUT, and the question came anew.
    pub asked_anew: usize,
    /// A version of the past became a draft; values of it that the hub had no more were saved again.
    pub reverted: usize,
    pub brought_back: usize,
    /// The device was deleted and created again.
    pub lives: usize,
}

#[derive(Debug, Default)]
pub struct Account {
    /// The newest version that is accounted for.
    pub hub: Docs,
    version: u64,
    /// Every value that any version of the hub had, at its place.
    ever: BTreeSet<(Leaf, String)>,
    pages: BTreeMap<char, Page>,
    typed: Vec<(char, Leaf, String)>,
    given: BTreeSet<String>,
    saves: Vec<Save>,
    next: u64,
    pub tally: Tally,
    log: Vec<String>,
}

impl Account {
    pub fn note(&mut self, line: String) {
        self.log.push(line);
    }

    fn fail(&self, what: &str) -> ! {
        let from = self.log.len().saturating_sub(60);
        panic!("{what}\nwhat happened last:\n{}\nthe hub has: {:?}", self.log[from..].join("\n"), self.hub);
    }

    #[track_caller]
    pub fn ensure(&self, holds: bool, what: &str) {
        if !holds {
            self.fail(what);
        }
    }

    fn page(&mut self, author: char) -> &mut Page {
        self.pages.entry(author).or_default()
    }

    /// The next number of the event stream to ask for.
    pub fn next_event(&self) -> u64 {
        self.next
    }

    /// Somebody typed: the text went from one state to another, over this base.
    pub fn types(&mut self, author: char, base: &Docs, before: &Docs, after: &Docs) {
        let (base, before, after) = (base.leaves(), before.leaves(), after.leaves());
        for leaf in differing(&before, &after) {
            let (was, is) = (before.get(&leaf).cloned(), after.get(&leaf).cloned());
            self.log.push(format!("{author} types {leaf:?}: {was:?} → {is:?}"));
            let page = self.pages.entry(author).or_default();
            if base.get(&leaf) == was.as_ref() {
                page.over.insert(leaf.clone(), BTreeSet::from([was.clone()]));
            } else {
                page.over.entry(leaf.clone()).or_insert_with(|| BTreeSet::from([was.clone()]));
            }
            if let Some(Some(earlier)) = page.wanted.insert(leaf.clone(), is.clone()) {
                self.given.insert(earlier);
            }
            // Taken back, it is nobody's wish any more; unless the save of it is on its way.
            let sent = |save: &Save| {
                save.author == author && (save.wanted.contains_key(&leaf) || save.dropped.contains_key(&leaf))
            };
            page.back.remove(&leaf);
            if base.get(&leaf) == is.as_ref() {
                if self.saves.iter().any(sent) {
                    page.back.insert(leaf.clone());
                } else {
                    page.wanted.remove(&leaf);
                }
            }
            // One that is already known is taken back, not typed.
            if let Some(value) = is.filter(|value| value.starts_with(author) && !self.is_typed(value)) {
                self.typed.push((author, leaf, value));
                self.tally.typed += 1;
            }
        }
    }

    fn is_typed(&self, value: &str) -> bool {
        self.typed.iter().any(|(_, _, typed)| typed == value)
    }

    /// Clashes stood before a person, all three values each.
    pub fn sees_clashes(&mut self, author: char, clashes: &[(Section, Clash)]) {
        for (section, clash) in clashes {
            let side = |value: &Option<Json>| under(*section, &clash.path, value.as_ref());
            let (base, mine, theirs) = (side(&clash.base), side(&clash.mine), side(&clash.theirs));
            let page = self.page(author);
            for leaf in base.keys().chain(mine.keys()).chain(theirs.keys()) {
                page.over.entry(leaf.clone()).or_default().insert(theirs.get(leaf).cloned());
            }
        }
    }

    /// What the hub changed stood before a person.
    pub fn sees_changes(&mut self, author: char, changes: &[(Section, Change)]) {
        for (section, change) in changes {
            let before = under(*section, &change.path, change.before.as_ref());
            let after = under(*section, &change.path, change.after.as_ref());
            let page = self.page(author);
            for leaf in before.keys().chain(after.keys()) {
                page.over.entry(leaf.clone()).or_default().insert(after.get(leaf).cloned());
            }
        }
    }

    /// What goes if these clashes end as chosen.
    pub fn would_drop(&mut self, author: char, chosen: &[(Section, Clash, Choice)]) -> Leaves {
        let lost = |(section, path): &Leaf| {
            chosen.iter().any(|(s, clash, choice)| {
                s == section && *choice != Choice::Mine && path.starts_with(&keys(&clash.path))
            })
        };
        let wanted = &self.page(author).wanted;
        wanted.iter().filter(|(leaf, _)| lost(leaf)).map(|(leaf, value)| (leaf.clone(), value.clone())).collect()
    }

    /// A person gave these up, and it took effect at once.
    pub fn gives_up(&mut self, author: char, dropped: &Leaves) {
        for (leaf, value) in dropped {
            let page = self.page(author);
            if page.wanted.get(leaf) == Some(value) {
                page.wanted.remove(leaf);
            }
            self.given.extend(value.clone());
        }
    }

    pub fn discards(&mut self, author: char) {
        let page = std::mem::take(self.page(author));
        self.given.extend(page.wanted.into_values().flatten());
        self.tally.discarded += 1;
    }

    /// A version of the past takes the place of the text; over this base it is now what the person wants, and the edits are gone.
    /// The values of it are seen beside the hub's before anything is sent.
    pub fn reverts(&mut self, author: char, base: &Docs, after: &Docs) {
        let page = std::mem::take(self.page(author));
        self.given.extend(page.wanted.into_values().flatten());
        self.types(author, base, base, after);
        self.tally.reverted += 1;
    }

    /// The device was deleted and created again: the hub has nothing of it any more. What was saved had landed.
    pub fn begins_anew(&mut self) {
        self.log.push("the device is deleted and created again".to_owned());
        (self.hub, self.version) = (Docs::default(), 0);
        self.tally.lives += 1;
    }

    /// A PATCH leaves a program.
    pub fn sends(&mut self, author: char, body: &JsonMap, dropped: Leaves) {
        self.log.push(format!("{author} sends {}", Json::Object(body.clone())));
        let page = self.page(author);
        let (over, mut wanted) = (page.over.clone(), page.wanted.clone());
        wanted.retain(|leaf, _| !dropped.contains_key(leaf));
        let (write, told) = (Write::Patch, Vec::new());
        let save = Save { author, body: body.clone(), write, told, over: Some(over), wanted, dropped, landed: false };
        self.saves.push(save);
    }

    /// A PUT leaves a program, after its author was told that it removes these paths.
    pub fn replaces(&mut self, author: char, body: &JsonMap, told: &[(Section, Path)]) {
        self.sends(author, body, Leaves::new());
        self.log.push(format!("that was a PUT, said to remove {told:?}"));
        if let Some(save) = self.saves.last_mut() {
            save.write = Write::Replace;
            save.told = told.iter().map(|(section, path)| (*section, keys(path))).collect();
        }
    }

    /// Somebody writes without looking.
    pub fn writes(&mut self, author: char, body: &JsonMap) {
        self.log.push(format!("{author} writes {}", Json::Object(body.clone())));
        let (wanted, dropped) = (Leaves::new(), Leaves::new());
        let (write, told) = (Write::Patch, Vec::new());
        self.saves.push(Save { author, body: body.clone(), write, told, over: None, wanted, dropped, landed: false });
    }

    pub fn is_waiting(&self, author: char) -> bool {
        self.saves.iter().any(|save| save.author == author)
    }

    /// Takes the versions the hub made since.
    pub fn take(&mut self, page: &EventPage) {
        self.ensure(page.dropped == 0, "the hub's event stream lost something");
        self.next = page.next;
        for event in &page.events {
            if let What::Twin { replaced, version, tags, desired, reported } = &event.what {
                self.ensure(reported.is_none(), "nobody reports here");
                self.ensure(*version > self.version, "versions are counted up");
                self.version = *version;
                let write = if *replaced { Write::Replace } else { Write::Patch };
                let mut after = self.hub.clone();
                for (section, change) in
                    [(Section::Desired, desired.as_ref().map(|d| &d.0)), (Section::Tags, tags.as_ref())]
                {
                    if let Some(change) = change {
                        if write == Write::Replace {
                            after.section_mut(section).clear();
                        }
                        patch::apply(after.section_mut(section), change);
                    }
                }
                self.take_version(after, write);
            }
        }
    }

    fn take_version(&mut self, after: Docs, write: Write) {
        let mine =
            |save: &Save| !save.landed && save.write == write && self.hub.written(&save.body, save.write) == after;
        let Some(index) = self.saves.iter().position(mine) else {
            self.fail(&format!("version {} comes from no save, or from one a second time: {after:?}", self.version));
        };
        let mut save = self.saves.remove(index);
        self.log.push(format!("version {} is of {}", self.version, save.author));
        let (old, new) = (self.hub.leaves(), after.leaves());
        for leaf in differing(&old, &new) {
            let Some(over) = &save.over else { continue };
            let knew = over.get(&leaf);
            if !knew.is_some_and(|knew| knew.contains(&old.get(&leaf).cloned())) {
                self.fail(&format!(
                    "{} overwrote unseen at {leaf:?}: {:?} became {:?}, known there was {knew:?}",
                    save.author,
                    old.get(&leaf),
                    new.get(&leaf),
                ));
            }
        }
        self.see_removals(&save, &old, &new, &after);
        let kept = save.wanted.iter().all(|(leaf, value)| new.get(leaf) == value.as_ref());
        self.ensure(kept, &format!("{} wants {:?}, and the version lacks some of it", save.author, save.wanted));
        let is_gone = |(leaf, value): (&Leaf, &Option<String>)| {
            // Another one may have brought the same value back.
            value.is_none() || new.get(leaf) != value.as_ref() || old.get(leaf) == value.as_ref()
        };
        let gone = save.dropped.iter().all(is_gone);
        self.ensure(gone, &format!("{} gave up {:?}, and it was sent", save.author, save.dropped));
        self.hub = after;
        self.ever.extend(new.clone());
        self.settle(&save, &new);
        // What one's own save made of a place is known, also where something was typed there meanwhile.
        let page = self.pages.entry(save.author).or_default();
        for leaf in differing(&old, &new).into_iter().filter(|leaf| page.wanted.contains_key(leaf)) {
            let now = new.get(&leaf).cloned();
            page.over.entry(leaf).or_default().insert(now);
        }
        save.landed = true;
        if save.over.is_some() {
            self.saves.insert(index, save);
        }
    }

    /// A PUT removes nothing but what was announced. A value whose place is taken by another, above or below, is no removal.
    fn see_removals(&mut self, save: &Save, old: &BTreeMap<Leaf, String>, new: &BTreeMap<Leaf, String>, after: &Docs) {
        if save.author == 'C' {
            return;
        }
        let back = new.iter().filter(|(leaf, value)| {
            old.get(*leaf) != Some(*value) && self.ever.contains(&((*leaf).clone(), (*value).clone()))
        });
        self.tally.brought_back += back.count();
        if save.write == Write::Patch {
            return;
        }
        self.tally.replaced += 1;
        for (section, path) in old.keys().filter(|leaf| !new.contains_key(*leaf)) {
            let taken =
                after.has(*section, path) || new.keys().any(|(s, other)| s == section && path.starts_with(other));
            let told = save.told.iter().any(|(s, above)| s == section && path.starts_with(above));
            if !taken && !told {
                self.fail(&format!("the PUT of {} removed {path:?} untold, told was {:?}", save.author, save.told));
            }
            self.tally.removed += usize::from(told);
        }
    }

    /// What a save brought is wanted no more, but for what was typed since.
    fn settle(&mut self, save: &Save, now: &BTreeMap<Leaf, String>) {
        let page = self.pages.entry(save.author).or_default();
        for (leaf, value) in save.wanted.iter().chain(&save.dropped) {
            match page.wanted.get(leaf) {
                Some(wanted) if wanted == value => {
                    page.wanted.remove(leaf);
                    page.over.remove(leaf);
                }
                Some(_) => drop(page.over.entry(leaf.clone()).or_default().insert(now.get(leaf).cloned())),
                None => {}
            }
        }
        self.given.extend(save.dropped.values().flatten().cloned());
    }

    /// What a program says of its save, after all versions of the hub were taken.
    pub fn says(&mut self, author: char, said: Said) {
        let Some(index) = self.saves.iter().position(|save| save.author == author) else { return };
        if said == Said::InDoubt {
            return;
        }
        let save = self.saves.remove(index);
        self.log.push(format!("{author} is told {said:?}, and the hub took it: {}", save.landed));
        let page = self.pages.entry(author).or_default();
        for leaf in std::mem::take(&mut page.back) {
            if said != Said::Saved {
                page.wanted.remove(&leaf);
            }
        }
        match said {
            Said::Saved if !save.landed => {
                let hub = self.hub.leaves();
                let there = |(leaf, value): (&Leaf, &Option<String>)| match value {
                    Some(value) => self.ever.contains(&(leaf.clone(), value.clone())),
                    None => !hub.contains_key(leaf),
                };
                self.ensure(
                    save.wanted.iter().all(there),
                    &format!("{author} is told that it is saved, and it is not"),
                );
                self.settle(&save, &hub);
            }
            Said::NotSaved => {
                self.ensure(!save.landed, &format!("{author} is told that it is not saved, and it is"));
                self.tally.refused += 1;
            }
            Said::Unknown => {
                self.tally.unknown += 1;
                // It stays on the screen as typed, over what its author knew.
                let page = self.pages.entry(author).or_default();
                for (leaf, seen) in save.over.into_iter().flatten() {
                    if save.wanted.contains_key(&leaf) {
                        page.over.entry(leaf).or_insert(seen);
                    }
                }
            }
            Said::Saved | Said::InDoubt => self.tally.landed += 1,
        }
    }

    /// Holds a person's screen against what the person wants, and every value typed against where it went.
    pub fn check(&mut self, author: char, base: &Docs, text: Option<&Docs>) {
        let (base, text) = (base.leaves(), text.map(Docs::leaves));
        let waiting = self.is_waiting(author);
        for (leaf, value) in self.page(author).wanted.clone() {
            if let Some(text) = &text
                && text.get(&leaf) != value.as_ref()
            {
                self.fail(&format!("{author} wants {value:?} at {leaf:?}, and the screen has {:?}", text.get(&leaf)));
            }
            // Somebody else's doing, or our own that was found out: it stands on the hub.
            let on_hub = value.as_ref().is_none_or(|value| self.ever.contains(&(leaf.clone(), value.clone())));
            // While a save is on its way the base is older than what the person thinks to have.
            if on_hub && !waiting && base.get(&leaf) == value.as_ref() {
                let page = self.page(author);
                page.wanted.remove(&leaf);
                page.over.remove(&leaf);
            }
        }
        let wanted = &self.pages[&author].wanted;
        let lost = self.typed.iter().find(|(by, leaf, value)| {
            *by == author
                && wanted.get(leaf) != Some(&Some(value.clone()))
                && !self.ever.contains(&(leaf.clone(), value.clone()))
                && !self.given.contains(value)
        });
        if let Some((_, leaf, value)) = lost {
            self.fail(&format!(
                "{value} of {author} at {leaf:?} is lost: not on the hub, not on the screen, not given up"
            ));
        }
    }

    /// Nothing waits any more: every value typed has landed or was given up.
    pub fn close(&mut self) {
        for (author, page) in &self.pages {
            self.ensure(page.wanted.is_empty(), &format!("{author} still wants {:?}", page.wanted));
        }
        for (_, leaf, value) in &self.typed {
            let landed = self.ever.contains(&(leaf.clone(), value.clone()));
            self.ensure(landed || self.given.contains(value), &format!("{value} is nowhere"));
        }
        self.tally.given_up = self.given.len();
    }
}
