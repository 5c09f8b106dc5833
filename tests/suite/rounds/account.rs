//! The account of every value: who typed it where, what its author knew then, which version of the hub brought it, who gave it up.

use std::collections::{BTreeMap, BTreeSet};
use twinscope::protocol::event::{EventPage, What};
use twinscope::twin::diff::Change;
use twinscope::twin::draft::Draft;
use twinscope::twin::merge::{Choice, Clash};
use twinscope::twin::{Json, JsonMap, Path, Section, Segment, Twin, patch};

/// A place that holds a value which is no object. Objects without any value in them do not count.
pub type Leaf = (Section, Vec<String>);
/// What stands at places; `None` where nothing does.
pub type Leaves = BTreeMap<Leaf, Option<String>>;
/// All that somebody saw at places since typing there.
type Seen = BTreeMap<Leaf, BTreeSet<Option<String>>>;

const EDITABLE: [Section; 2] = [Section::Desired, Section::Tags];

/// Both sections that people edit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Docs {
    pub desired: JsonMap,
    pub tags: JsonMap,
}

impl Docs {
    pub fn of(twin: &Twin) -> Self {
        Self { desired: twin.desired.values.clone(), tags: twin.tags.clone() }
    }

    /// `None` while one of the texts does not parse.
    pub fn typed(draft: &Draft) -> Option<Self> {
        let document = |section| draft.section(section).parsed.document.clone();
        Some(Self { desired: document(Section::Desired)?, tags: document(Section::Tags)? })
    }

    pub fn section(&self, section: Section) -> &JsonMap {
        if section == Section::Tags { &self.tags } else { &self.desired }
    }

    pub fn section_mut(&mut self, section: Section) -> &mut JsonMap {
        if section == Section::Tags { &mut self.tags } else { &mut self.desired }
    }

    pub fn leaves(&self) -> BTreeMap<Leaf, String> {
        let mut leaves = BTreeMap::new();
        for section in EDITABLE {
            for (key, value) in self.section(section) {
                collect(section, &mut vec![key.clone()], value, &mut leaves);
            }
        }
        leaves
    }

    fn patched(&self, body: &JsonMap) -> Self {
        let mut docs = self.clone();
        let desired = body.get("properties").and_then(|properties| properties.get("desired"));
        for (section, change) in [(Section::Desired, desired), (Section::Tags, body.get("tags"))] {
            if let Some(Json::Object(change)) = change {
                patch::apply(docs.section_mut(section), change);
            }
        }
        docs
    }
}

fn collect(section: Section, path: &mut Vec<String>, value: &Json, leaves: &mut BTreeMap<Leaf, String>) {
    match value {
        Json::Object(map) => {
            for (key, value) in map {
                path.push(key.clone());
                collect(section, path, value, leaves);
                path.pop();
            }
        }
        other => {
            leaves.insert((section, path.clone()), other.as_str().map_or_else(|| other.to_string(), str::to_owned));
        }
    }
}

fn keys(path: &Path) -> Vec<String> {
    let key = |segment: &Segment| match segment {
        Segment::Key(key) => key.clone(),
        Segment::Index(index) => panic!("no arrays here: {index}"),
    };
    path.0.iter().map(key).collect()
}

fn under(section: Section, path: &Path, value: Option<&Json>) -> BTreeMap<Leaf, String> {
    let mut leaves = BTreeMap::new();
    if let Some(value) = value {
        collect(section, &mut keys(path), value, &mut leaves);
    }
    leaves
}

/// Where two states differ, with what stood there in the first.
fn differing(before: &BTreeMap<Leaf, String>, after: &BTreeMap<Leaf, String>) -> Vec<Leaf> {
    let places: BTreeSet<&Leaf> = before.keys().chain(after.keys()).collect();
    places.into_iter().filter(|leaf| before.get(*leaf) != after.get(*leaf)).cloned().collect()
}

/// What one person wants that is not on the hub yet.
#[derive(Debug, Default)]
struct Page {
    /// What the person's last word is, place by place.
    wanted: Leaves,
    /// What the person has seen of the hub there: what the text said before it was typed over, and what clashes showed.
    over: Seen,
}

/// A PATCH on its way, with what its author knew when it was sent.
#[derive(Debug)]
struct Save {
    author: char,
    body: JsonMap,
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
            if base.get(&leaf) == is.as_ref() && !self.saves.iter().any(sent) {
                page.wanted.remove(&leaf);
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

    /// A PATCH leaves a program.
    pub fn sends(&mut self, author: char, body: &JsonMap, dropped: Leaves) {
        self.log.push(format!("{author} sends {}", Json::Object(body.clone())));
        let page = self.page(author);
        let (over, mut wanted) = (page.over.clone(), page.wanted.clone());
        wanted.retain(|leaf, _| !dropped.contains_key(leaf));
        let save = Save { author, body: body.clone(), over: Some(over), wanted, dropped, landed: false };
        self.saves.push(save);
    }

    /// Somebody writes without looking.
    pub fn writes(&mut self, author: char, body: &JsonMap) {
        self.log.push(format!("{author} writes {}", Json::Object(body.clone())));
        let (wanted, dropped) = (Leaves::new(), Leaves::new());
        self.saves.push(Save { author, body: body.clone(), over: None, wanted, dropped, landed: false });
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
                self.ensure(!replaced && reported.is_none(), "nobody replaces or reports here");
                self.ensure(*version > self.version, "versions are counted up");
                self.version = *version;
                let mut after = self.hub.clone();
                for (section, change) in
                    [(Section::Desired, desired.as_ref().map(|d| &d.0)), (Section::Tags, tags.as_ref())]
                {
                    if let Some(change) = change {
                        patch::apply(after.section_mut(section), change);
                    }
                }
                self.take_version(after);
            }
        }
    }

    fn take_version(&mut self, after: Docs) {
        let mine = |save: &Save| !save.landed && self.hub.patched(&save.body) == after;
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
        let kept = save.wanted.iter().all(|(leaf, value)| new.get(leaf) == value.as_ref());
        self.ensure(kept, &format!("{} wants {:?}, and the version lacks some of it", save.author, save.wanted));
        let gone = save.dropped.iter().all(|(leaf, value)| value.is_none() || new.get(leaf) != value.as_ref());
        self.ensure(gone, &format!("{} gave up {:?}, and it was sent", save.author, save.dropped));
        self.hub = after;
        self.ever.extend(new.clone());
        self.settle(&save, &new);
        save.landed = true;
        if save.over.is_some() {
            self.saves.insert(index, save);
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
            Said::Unknown => self.tally.unknown += 1,
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
