//! The hub's version moved under an edit: what differs, what was chosen, and what a save of the choices would send.

use super::Moment;
pub use super::followed::Followed;
use super::tab::{SaveState, Tab, Tried};
use crate::twin::diff::{self, Change};
use crate::twin::draft::{Draft, Outgoing, Refusal};
use crate::twin::merge::{self, Choice, Clash};
use crate::twin::text::splice::Edit;
use crate::twin::{Etag, JsonMap, Path, Section, Twin, life};
use crate::worker::event::Source;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

pub(super) const EDITABLE: [Section; 2] = [Section::Desired, Section::Tags];

/// The hub's version moved under an edit.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    pub theirs: Arc<Twin>,
    /// The twin's version that brought the newest of it, and when that was seen. A report alone makes a newer version and leaves both.
    pub version: u64,
    pub at: Moment,
    /// A save would go over something that the base does not show: it would meet 412, or another life of the id.
    pub by_save: bool,
    /// The identity was deleted and created again since the base was read.
    pub recreated: bool,
    /// What they changed in each editable section, against the base.
    pub changes: Vec<(Section, Change)>,
    /// What only I changed, only they changed, and both changed alike: nothing to decide. `after` is the value that will stand.
    pub mine: Vec<(Section, Change)>,
    pub theirs_only: Vec<(Section, Change)>,
    pub alike: Vec<(Section, Change)>,
    /// A section of mine does not parse: nothing can be compared or rebased before it does.
    pub unparsed: bool,
    /// Paths both sides changed.
    pub clashes: Vec<(Section, Clash)>,
    /// What was chosen for each of `clashes`; `None` is open.
    pub chosen: Vec<Option<Choice>>,
    /// The draft with everything as chosen, on the hub's version. `None` while a clash is open or the view is closed.
    pub ready: Option<Ready>,
    /// The hub moved again after choices had been made, and what that asks has no answer yet.
    pub again: Option<Again>,
    /// What the person had asked for when the hub was found to have moved.
    pub refused: Option<Tried>,
    pub follows: Follows,
    /// What of theirs *Overwrite hub version* would take back.
    pub takes_back: Vec<(Section, Path)>,
    /// What came into the text by itself before and still stands in it.
    pub taken: Vec<(Section, Change)>,
    /// What taking over `theirs_only` would change in the texts; empty while a text does not parse.
    pub edits: Vec<(Section, Vec<Edit>)>,
    /// Every choice made, with the clash it was made for: it holds for that clash alone.
    decided: BTreeMap<(Section, Path), (Clash, Choice)>,
}

/// Whether what touches no edit goes into the text without being asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    ByItself,
    /// Not the watch brought the hub's version, or all of it is to be overwritten: nothing moves before the person says so, or the
    /// watch sees the hub move again.
    WhenAsked,
}

/// What one more move of the hub did to the choices made before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// Choices that hold, for the hub left those clashes as they were.
    pub held: usize,
    /// Clashes the move brought or changed.
    pub asked: Vec<Asked>,
}

/// A clash that asks since the hub moved again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub section: Section,
    pub path: Path,
    /// What was chosen there before; it does not hold for what stands there now.
    pub before: Option<Choice>,
}

/// What *Save merged* would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Ready {
    pub draft: Draft,
    pub outgoing: Result<Outgoing, Refusal>,
}

/// What stood before the person at a click: it is sent in this form or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Of the hub's version.
    pub etag: Etag,
    /// A fingerprint of the draft's texts.
    pub draft: u64,
}

impl Moved {
    /// Choices made about an earlier version stay with those clashes that are still the same.
    pub(super) fn new(theirs: Arc<Twin>, now: Moment, follows: Follows, earlier: Option<Self>) -> Self {
        let mut moved = Self {
            version: theirs.version,
            theirs,
            at: now,
            by_save: true,
            recreated: false,
            changes: Vec::new(),
            mine: Vec::new(),
            theirs_only: Vec::new(),
            alike: Vec::new(),
            unparsed: false,
            clashes: Vec::new(),
            chosen: Vec::new(),
            ready: None,
            again: None,
            refused: None,
            follows,
            takes_back: Vec::new(),
            taken: Vec::new(),
            edits: Vec::new(),
            decided: BTreeMap::new(),
        };
        if let Some(earlier) = earlier {
            moved.recreated = earlier.recreated;
            if moved.recreated {
                moved.follows = Follows::WhenAsked;
            }
            if life::is_as_seen(&earlier.theirs, &moved.theirs) {
                (moved.version, moved.at) = (earlier.version, earlier.at);
            }
            moved.again = earlier.again;
            moved.refused = earlier.refused;
            moved.decided = earlier.decided;
        }
        moved
    }

    /// Notes what the hub's move makes of the choices made about `before`, the clashes as they were.
    fn moved_again(&mut self, before: &[(Section, Clash)]) {
        let mut asked = self.again.take().map(|again| again.asked).unwrap_or_default();
        let open =
            self.clashes.iter().zip(&self.chosen).filter(|(one, chosen)| chosen.is_none() && !before.contains(one));
        for ((section, clash), _) in open {
            let (section, path) = (*section, clash.path.clone());
            asked.retain(|asked| (asked.section, &asked.path) != (section, &path));
            let before = self.decided.get(&(section, path.clone())).map(|(_, choice)| *choice);
            asked.push(Asked { section, path, before });
        }
        let held = self.chosen.iter().flatten().count();
        self.again = Some(Again { held, asked });
        self.drop_answered();
    }

    /// What is answered, and what no longer clashes, asks no more. With the last of it goes what was said of the move; where it
    /// asked nothing that stays until the person does something about it.
    fn drop_answered(&mut self) {
        let Some(mut again) = self.again.take() else { return };
        let nothing = again.asked.is_empty();
        again.asked.retain(|asked| {
            let open = self.clashes.iter().zip(&self.chosen).filter(|(_, chosen)| chosen.is_none());
            open.map(|(one, _)| one).any(|(section, clash)| (asked.section, &asked.path) == (*section, &clash.path))
        });
        if nothing || !again.asked.is_empty() {
            self.again = Some(again);
        }
    }

    /// The person did something with the view: that the choices hold was read.
    fn read(&mut self) {
        if self.again.as_ref().is_some_and(|again| again.asked.is_empty()) {
            self.again = None;
        }
    }

    /// The question a clash asks since the hub moved again.
    #[must_use]
    pub fn asked(&self, section: Section, path: &Path) -> Option<&Asked> {
        let again = self.again.as_ref()?;
        again.asked.iter().find(|asked| (asked.section, &asked.path) == (section, path))
    }

    /// Clashes nothing was chosen for.
    #[must_use]
    pub fn open(&self) -> usize {
        self.chosen.iter().filter(|choice| choice.is_none()).count()
    }

    /// Works out what differs between base, draft and hub.
    fn compare(&mut self, draft: &Draft) {
        for list in [&mut self.changes, &mut self.mine, &mut self.theirs_only, &mut self.alike] {
            list.clear();
        }
        self.clashes.clear();
        self.unparsed = false;
        let hub = self.theirs.clone();
        for section in EDITABLE {
            let (base, theirs) = (draft.base.section(section), hub.section(section));
            self.changes.extend(diff::diff(base, theirs).into_iter().map(|change| (section, change)));
            match &draft.section(section).parsed.document {
                Some(mine) => self.compare_section(section, base, mine, theirs),
                None => self.unparsed = true,
            }
        }
        self.takes_back = self.taken_back(draft);
        self.by_save = !life::is_as_seen(&draft.base, &self.theirs);
        let may_follow = self.follows == Follows::ByItself && !self.unparsed;
        self.edits = if may_follow { draft.following(&self.theirs).unwrap_or_default() } else { Vec::new() };
        self.look_up();
        self.drop_answered();
        self.ready = None;
    }

    /// A section whose text is not edited becomes theirs by an overwrite, and takes nothing back.
    fn taken_back(&self, draft: &Draft) -> Vec<(Section, Path)> {
        let goes = |(section, change): &&(Section, Change)| {
            let part = draft.section(*section);
            let mine = part.parsed.document.as_ref().filter(|_| part.is_dirty());
            mine.is_some_and(|mine| change.path.find(mine) != change.after.as_ref())
        };
        self.changes.iter().filter(goes).map(|(section, change)| (*section, change.path.clone())).collect()
    }

    fn compare_section(&mut self, section: Section, base: &JsonMap, mine: &JsonMap, theirs: &JsonMap) {
        let merge = merge::three_way(base, mine, theirs);
        let between = |path: Path, after: &JsonMap| {
            let (before, after) = (path.find(base).cloned(), path.find(after).cloned());
            (section, Change { path, before, after })
        };
        self.mine.extend(merge.mine.into_iter().map(|path| between(path, mine)));
        self.theirs_only.extend(merge.theirs.into_iter().map(|path| between(path, theirs)));
        let alike =
            diff::diff(base, mine).into_iter().filter(|change| change.path.find(theirs) == change.after.as_ref());
        self.alike.extend(alike.map(|change| (section, change)));
        self.clashes.extend(merge.clashes.into_iter().map(|clash| (section, clash)));
    }

    fn look_up(&mut self) {
        let held = |(section, clash): &(Section, Clash)| {
            let (about, choice) = self.decided.get(&(*section, clash.path.clone()))?;
            (about == clash).then_some(*choice)
        };
        self.chosen = self.clashes.iter().map(held).collect();
    }

    fn choose(&mut self, index: usize, choice: Choice) {
        let Some((section, clash)) = self.clashes.get(index) else { return };
        self.decided.insert((*section, clash.path.clone()), (clash.clone(), choice));
        if let Some(chosen) = self.chosen.get_mut(index) {
            *chosen = Some(choice);
        }
        self.read();
        self.drop_answered();
    }

    /// What stands for a clash; mine where nothing was chosen.
    pub(super) fn choice(&self, section: Section, clash: &Clash) -> Choice {
        let held = self.decided.get(&(section, clash.path.clone())).filter(|(about, _)| about == clash);
        held.map_or(Choice::Mine, |(_, choice)| *choice)
    }

    /// The draft on the hub's version, with every clash as chosen.
    pub(super) fn merged(&self, draft: &Draft) -> Draft {
        let mut merged = draft.clone();
        merged.rebase_chosen(self.theirs.clone(), |section, clash| self.choice(section, clash));
        merged
    }

    /// The base is of a twin that is gone: nothing of the new one comes into the text by itself.
    pub(super) fn another_life(&mut self) {
        self.recreated = true;
        self.follows = Follows::WhenAsked;
    }

    fn prepare(&mut self, draft: &Draft) {
        let whole = self.by_save && !self.unparsed && self.open() == 0;
        self.ready = whole.then(|| {
            let merged = self.merged(draft);
            Ready { outgoing: merged.outgoing(), draft: merged }
        });
    }
}

impl Tab {
    /// What stands before the person now; `None` while nothing moved.
    #[must_use]
    pub fn shown(&self) -> Option<Shown> {
        let (moved, draft) = (self.moved.as_ref()?, self.draft.as_ref()?);
        let mut hasher = DefaultHasher::new();
        for section in EDITABLE {
            draft.section(section).text.hash(&mut hasher);
        }
        moved.theirs.device_etag.hash(&mut hasher);
        moved.theirs.desired.version.hash(&mut hasher);
        Some(Shown { etag: moved.theirs.etag.clone(), draft: hasher.finish() })
    }

    /// What goes into the texts by itself as soon as no caret stands in it: `None` when nothing does.
    #[must_use]
    pub fn to_follow(&self) -> Option<&[(Section, Vec<Edit>)]> {
        let moved = self.moved.as_ref()?;
        // What a save made of the text is told by comparing with what stood there when it left.
        let saving = matches!(self.save, SaveState::Sending { .. }) || self.in_doubt.is_some();
        let busy = self.conflict_open || saving;
        // A text nobody edited waits for the caret to leave it, and is replaced whole.
        let wanted = !moved.theirs_only.is_empty() || moved.clashes.is_empty();
        // Places in a text that is not read yet are of the text before.
        let read = self.draft.as_ref().is_some_and(|draft| !draft.is_pending());
        (!busy && read && wanted && moved.by_save && self.is_dirty() && !moved.edits.is_empty()).then_some(&moved.edits)
    }

    /// The hub has this version, and the base cannot simply become it.
    pub(super) fn moved_to(&mut self, theirs: Arc<Twin>, source: Source, now: Moment) {
        let follows = if source == Source::Watch { Follows::ByItself } else { Follows::WhenAsked };
        let earlier = self.moved.take();
        let again =
            earlier.as_ref().filter(|moved| !life::is_as_seen(&moved.theirs, &theirs) && !moved.decided.is_empty());
        let before = again.map(|moved| moved.clashes.clone());
        self.moved = Some(Moved::new(theirs, now, follows, earlier));
        self.compare_with_hub();
        if let (Some(moved), Some(before)) = (&mut self.moved, before) {
            moved.moved_again(&before);
        }
    }

    /// The hub refused the etag: shows base, mine and theirs.
    pub(super) fn conflict(&mut self, theirs: Arc<Twin>, now: Moment) {
        if self.is_dirty() && self.draft.as_ref().is_some_and(|draft| !life::is_as_seen(&draft.base, &theirs)) {
            self.moved_to(theirs, Source::Load, now);
        }
        self.conflict_open = true;
        self.compare_with_hub();
        if self.moved.is_none() {
            // The draft could be moved onto the hub's version without touching an edit: nothing is left to decide.
            self.conflict_open = false;
            let why = "the hub had a newer version that does not touch your edits; they stand on it now, save again";
            self.save = SaveState::Refused { why: why.to_owned() };
        }
    }

    /// Works out what the hub changed against the base, where both sides did, and the lines to mark. While a text is not read
    /// yet only the lines: the rest is worked out when it is.
    pub(super) fn compare_with_hub(&mut self) {
        if let (Some(moved), Some(draft)) = (&mut self.moved, &self.draft)
            && !draft.is_pending()
        {
            moved.compare(draft);
            moved.taken = self.followed.as_ref().map(|followed| followed.standing(draft)).unwrap_or_default();
            if self.conflict_open {
                moved.prepare(draft);
            }
        }
        self.mark_lines();
    }

    /// It was not done, for the hub had moved.
    pub(super) fn refused(&mut self, tried: Tried) {
        if let Some(moved) = &mut self.moved {
            moved.refused = Some(tried);
        }
    }

    pub(super) fn show_conflict(&mut self) {
        self.conflict_open = self.moved.is_some();
        self.compare_with_hub();
    }

    /// The view closes, whatever was chosen in it; what touches no edit comes in by itself again where the twin is watched.
    pub(super) fn leave_conflict(&mut self) {
        self.conflict_open = false;
        if let Some(moved) = &mut self.moved {
            moved.read();
            moved.refused = None;
            if self.watching && !moved.recreated {
                moved.follows = Follows::ByItself;
            }
        }
        self.compare_with_hub();
    }

    /// The view closes over a save of the whole text: if that fails, nothing of theirs is in the text that was not when it was sent.
    pub(super) fn leave_to_overwrite(&mut self) {
        self.conflict_open = false;
        if let Some(moved) = &mut self.moved {
            moved.read();
            moved.refused = None;
            moved.follows = Follows::WhenAsked;
        }
        self.compare_with_hub();
    }

    pub(super) fn choose(&mut self, section: Section, path: &Path, choice: Choice) {
        self.change_choices(|moved| {
            if let Some(index) = moved.clashes.iter().position(|(s, clash)| *s == section && clash.path == *path) {
                moved.choose(index, choice);
            }
        });
    }

    pub(super) fn choose_all(&mut self, choice: Choice) {
        self.change_choices(|moved| (0..moved.clashes.len()).for_each(|index| moved.choose(index, choice)));
    }

    fn change_choices(&mut self, change: impl FnOnce(&mut Moved)) {
        let (Some(moved), Some(draft)) = (&mut self.moved, &self.draft) else { return };
        change(moved);
        moved.prepare(draft);
    }

    /// What touches no edit goes into the texts.
    pub(super) fn follow(&mut self) {
        let (Some(moved), Some(draft)) = (&mut self.moved, &mut self.draft) else { return };
        let (version, at, taken) = (moved.version, moved.at, std::mem::take(&mut moved.theirs_only));
        draft.follow(&moved.theirs);
        self.followed.get_or_insert_default().take(version, at, taken);
        if moved.clashes.is_empty() {
            self.moved = None;
        }
        self.compare_with_hub();
    }

    /// Another draft takes the place of the one before: nothing that was said of that one, of what the hub changed under it or of
    /// its save, holds any longer. Every act that replaces what was typed goes through here.
    pub(super) fn put_draft(&mut self, draft: Draft) {
        self.settle_moved();
        self.draft = Some(draft);
        if !matches!(self.save, SaveState::Sending { .. }) {
            self.save = SaveState::Idle;
        }
        self.mark_lines();
    }

    /// Nothing stands between the draft and the hub any more.
    pub(super) fn settle_moved(&mut self) {
        self.moved = None;
        self.followed = None;
        self.conflict_open = false;
        self.marks.clear();
    }
}
