//! The history of one tab: what the journal keeps of its twin, the version that is looked at and what it is compared with.

use super::discard::Goes;
use super::tab::{Pane, SaveState};
use super::{App, Dialog, Matter, NoticeKind, Purpose, Remote, Tab};
use crate::disk::KeptDraft;
use crate::disk::journal::{Entry, EntryKey, SavedPatch, Timeline};
use crate::twin::diff::{self, Change};
use crate::twin::draft::Draft;
use crate::twin::{Json, Section, Twin, TwinId, text, wire};
use crate::worker::event::Outcome;
use crate::worker::{Command, Failure, Key};
use std::sync::Arc;

/// An intention in the pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryAct {
    /// Reads the journal again.
    Load,
    Choose(EntryKey),
    /// Nothing is chosen: the newest is, and again whenever the pane is opened, until the person chooses another.
    ChooseNewest,
    /// Back to the list, where there is room for one of the two.
    Leave,
    Compare(Against),
    Show(Face),
    /// The version becomes a draft; asks first when there are edits.
    Revert(EntryKey),
    /// The answer to that question.
    RevertNow(EntryKey),
}

/// What a version is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Against {
    /// The one before it.
    #[default]
    Previous,
    /// What is typed.
    Draft,
    Version(EntryKey),
}

/// What is shown of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Face {
    #[default]
    Changes,
    /// The whole document.
    Document,
    /// The patch that led to it, where that was ours.
    Patch,
}

/// What a tab knows of its history.
#[derive(Debug, Default)]
pub struct History {
    pub timeline: Remote<Arc<Timeline>>,
    pub chosen: Option<EntryKey>,
    pub against: Against,
    pub face: Face,
    /// The chosen version as it was.
    pub shown: Remote<Shown>,
    /// The journal may have more by now.
    stale: bool,
    /// The person chose none: the newest stands in.
    newest: bool,
    /// The pane was opened and its timeline is on its way.
    opening: bool,
}

/// A version read from the journal, and how it compares.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub key: EntryKey,
    /// A sentence when it cannot be read any more.
    pub twin: Result<Arc<Twin>, String>,
    /// The whole document, laid out; empty when it cannot be read.
    pub text: String,
    /// The patch that led to it and its inverse, laid out; empty when that was not ours.
    pub patch_text: String,
    /// As it was typed, where it is a draft that was thrown away.
    pub discarded: Option<Box<KeptDraft>>,
    other: Option<Result<Arc<Twin>, String>>,
    pub comparison: Comparison,
}

/// How a version compares with what was chosen for that.
#[derive(Debug, Clone, PartialEq)]
pub enum Comparison {
    /// It is the first one known.
    NothingBefore,
    /// A sentence.
    Impossible(String),
    Changes {
        /// From the older to the newer, in words: `version 11 → version 12`.
        title: String,
        changes: Vec<(Section, Change)>,
    },
}

const SECTIONS: [Section; 3] = [Section::Desired, Section::Tags, Section::Reported];

impl History {
    pub fn entry(&self, key: EntryKey) -> Option<&Entry> {
        let timeline = self.timeline.value()?;
        timeline.entries.get(timeline.place(key)?)
    }

    pub fn chosen(&self) -> Option<&Entry> {
        self.entry(self.chosen?)
    }

    /// The version before another one. Of a discarded draft none: it was typed at a version of its own.
    pub fn before(&self, key: EntryKey) -> Option<&Entry> {
        let timeline = self.timeline.value()?;
        let place = timeline.place(key)?;
        if timeline.entries.get(place)?.is_discarded() {
            return None;
        }
        timeline.entries.get(..place)?.iter().rev().find(|entry| !entry.is_discarded())
    }

    /// The tab is put aside: what was under way ends untold.
    pub(super) fn park(&mut self) {
        *self = Self { stale: true, ..Self::default() };
    }

    /// Something was seen of the twin that the journal may have by now.
    pub(super) fn outdated(&mut self) {
        self.stale = true;
    }

    /// The pane comes to the front.
    pub(super) fn open(&mut self) {
        self.opening = true;
    }

    fn choose_newest(&mut self) {
        self.chosen = self.timeline.value().and_then(|timeline| timeline.entries.last()).map(Entry::key);
    }

    /// The name of the version chosen to compare with.
    fn other_name(&self) -> Option<String> {
        match self.against {
            Against::Version(key) => self.entry(key).map(name),
            Against::Previous | Against::Draft => None,
        }
    }

    /// The versions to be read for what is chosen: it, and what it is compared with.
    fn wanted(&self) -> Vec<Entry> {
        let Some(chosen) = self.chosen() else { return Vec::new() };
        let other = match self.against {
            Against::Previous => self.before(chosen.key()),
            Against::Draft => None,
            Against::Version(key) => self.entry(key),
        };
        std::iter::once(chosen).chain(other).cloned().collect()
    }
}

impl Shown {
    fn read(entry: &Entry, mut versions: Vec<Result<Arc<Twin>, String>>) -> Option<Self> {
        let other = (versions.len() > 1).then(|| versions.pop()).flatten();
        let twin = versions.pop()?;
        let text = match twin.as_deref().map(wire::to_json) {
            Ok(Json::Object(document)) => text::pretty(&document),
            _ => String::new(),
        };
        let patch_text = entry.saved.as_ref().map(patch_text).unwrap_or_default();
        let comparison = Comparison::NothingBefore;
        Some(Self { key: entry.key(), twin, text, patch_text, discarded: None, other, comparison })
    }

    /// The same of a draft that was thrown away; its text is what was typed.
    fn read_discarded(entry: &Entry, draft: Box<KeptDraft>, other: Option<Result<Arc<Twin>, String>>) -> Self {
        let twin = draft.twin().map(Arc::new);
        let comparison = Comparison::NothingBefore;
        let (key, text) = (entry.key(), typed_text(&draft));
        Self { key, twin, text, patch_text: String::new(), discarded: Some(draft), other, comparison }
    }

    /// `other_name` is that of the version it is compared with, where it is one that was chosen.
    fn compare(&mut self, against: Against, other_name: Option<String>, draft: Option<&Draft>) {
        let name = match (&self.discarded, self.key.version) {
            (Some(_), _) => DISCARDED.to_owned(),
            (None, version) => format!("version {version}"),
        };
        self.comparison = match (&self.twin, against, &self.other, &self.discarded) {
            (Err(why), ..) => Comparison::Impossible(why.clone()),
            (Ok(twin), Against::Draft, ..) => with_draft(&name, twin, draft),
            (Ok(twin), Against::Previous, _, Some(draft)) => {
                Comparison::between((&format!("version {}", draft.base.version), &draft.base), (&name, twin))
            }
            (_, Against::Previous, None, None) => Comparison::NothingBefore,
            (_, Against::Version(_), None, _) => {
                Comparison::Impossible("The version to compare with is no longer in the journal".to_owned())
            }
            (Ok(_), _, Some(Err(why)), _) => Comparison::Impossible(why.clone()),
            (Ok(twin), against, Some(Ok(other)), _) => {
                let other_name = other_name.unwrap_or_else(|| format!("version {}", other.version));
                let (this, that) = ((name.as_str(), &**twin), (other_name.as_str(), &**other));
                let swap = matches!(against, Against::Version(key) if key.at_ms > self.key.at_ms);
                if swap { Comparison::between(this, that) } else { Comparison::between(that, this) }
            }
        };
    }
}

/// What an entry is called that was no version of the hub.
const DISCARDED: &str = "discarded draft";

/// An entry in words: `version 12`, `discarded draft`.
fn name(entry: &Entry) -> String {
    if entry.is_discarded() { DISCARDED.to_owned() } else { format!("version {}", entry.version) }
}

impl Comparison {
    fn between(before: (&str, &Twin), after: (&str, &Twin)) -> Self {
        let title = format!("{} → {}", capital(before.0), after.0);
        Self::Changes { title, changes: changes(before.1, after.1) }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn changes(before: &Twin, after: &Twin) -> Vec<(Section, Change)> {
    let of = |section| diff::diff(before.section(section), after.section(section)).into_iter();
    SECTIONS.into_iter().flat_map(|section| of(section).map(move |change| (section, change))).collect()
}

fn with_draft(name: &str, twin: &Twin, draft: Option<&Draft>) -> Comparison {
    let Some(draft) = draft else {
        return Comparison::Impossible("The twin was not loaded yet, so there is no draft".to_owned());
    };
    let mut changes = Vec::new();
    for section in [Section::Desired, Section::Tags] {
        let Some(document) = &draft.section(section).parsed.document else {
            let word = section.word();
            return Comparison::Impossible(format!("The text of {word} does not parse, so it cannot be compared yet"));
        };
        let found = diff::diff(twin.section(section), document);
        changes.extend(found.into_iter().map(|change| (section, change)));
    }
    Comparison::Changes { title: format!("{} → your draft", capital(name)), changes }
}

/// One text as it was typed; of several each under its name.
fn typed_text(draft: &KeptDraft) -> String {
    let texts = [("desired", &draft.desired), ("tags", &draft.tags), ("report", &draft.report)];
    let texts: Vec<(&str, &String)> = texts.into_iter().filter_map(|(key, text)| Some((key, text.as_ref()?))).collect();
    match texts.as_slice() {
        [(_, text)] => (*text).clone(),
        texts => texts.iter().map(|(key, text)| format!("{key}\n{text}\n")).collect::<Vec<_>>().join("\n"),
    }
}

fn patch_text(saved: &SavedPatch) -> String {
    let pair = [("sent", &saved.patch), ("takes it back", &saved.inverse)];
    text::pretty(&pair.into_iter().map(|(key, map)| (key.to_owned(), Json::Object(map.clone()))).collect())
}

impl Tab {
    /// Why a version cannot be made a draft now; `None` when it can.
    pub fn revert_refusal(&self, version: &Twin) -> Option<&'static str> {
        let Some(newest) = self.newest() else { return Some("The twin is not loaded") };
        if matches!(self.save, SaveState::Sending { .. }) {
            return Some("Saving");
        }
        let same = |section| newest.section(section) == version.section(section);
        if same(Section::Desired) && same(Section::Tags) {
            return Some("Desired and tags are what the hub has now; reported is the device's own");
        }
        None
    }

    /// A draft that makes the newest version say what an older one said. Reported is the device's own and stays.
    fn revert_to(&mut self, version: &Twin) {
        let Some(newest) = self.newest() else { return };
        self.text_acts += 1;
        let mut draft = Draft::new(newest);
        for section in [Section::Desired, Section::Tags] {
            if draft.base.section(section) != version.section(section) {
                draft.set_text(section, text::pretty(version.section(section)));
            }
        }
        self.pane = if draft.desired.is_dirty() { Pane::Desired } else { Pane::Tags };
        self.put_draft(draft);
    }
}

impl App {
    pub(super) fn history_act(&mut self, id: &TwinId, act: HistoryAct) -> Vec<Command> {
        let Some(tab) = self.tab_mut(id) else { return Vec::new() };
        let history = &mut tab.history;
        match act {
            HistoryAct::Load => return self.load_timeline(id),
            HistoryAct::Choose(key) => {
                history.chosen = Some(key);
                history.newest = false;
                return self.load_versions(id);
            }
            HistoryAct::ChooseNewest => {
                history.choose_newest();
                history.newest = true;
                return self.load_versions(id);
            }
            HistoryAct::Leave => {
                history.chosen = None;
                history.shown = Remote::Idle;
            }
            HistoryAct::Compare(against) => {
                history.against = against;
                return self.load_versions(id);
            }
            HistoryAct::Show(face) => history.face = face,
            HistoryAct::Revert(key) if history.entry(key).is_some_and(Entry::is_discarded) => {
                return self.ask_bring_back(id, key);
            }
            HistoryAct::Revert(version) => {
                if tab.is_dirty() {
                    self.dialog = Some(Dialog::Revert { id: id.clone(), version });
                } else {
                    return self.revert(id, version);
                }
            }
            HistoryAct::RevertNow(version) => {
                self.dialog = None;
                let tab = self.tab(id);
                let discarded = tab.and_then(|tab| tab.history.entry(version)).is_some_and(Entry::is_discarded);
                return if discarded { self.bring_back(id, version) } else { self.revert(id, version) };
            }
        }
        Vec::new()
    }

    pub(super) fn load_timeline(&mut self, id: &TwinId) -> Vec<Command> {
        let key = self.start(format!("Reading the history of {id}"), Purpose::Timeline(id.clone()));
        let now = self.now;
        if let Some(tab) = self.tab_mut(id) {
            tab.history.stale = false;
            tab.history.timeline.load(key, now);
        }
        vec![Command::LoadTimeline { key, id: id.clone() }]
    }

    /// The journal has more than the pane in front shows: it is read again.
    pub(super) fn follow_history(&mut self) -> Vec<Command> {
        let outdated =
            |tab: &&Tab| tab.pane == Pane::History && tab.history.stale && !tab.history.timeline.is_loading();
        match self.active_tab().filter(outdated).map(|tab| tab.id.clone()) {
            Some(id) => self.load_timeline(&id),
            None => Vec::new(),
        }
    }

    fn load_versions(&mut self, id: &TwinId) -> Vec<Command> {
        let Some(entries) = self.tab(id).map(|tab| tab.history.wanted()) else { return Vec::new() };
        let Some(first) = entries.first() else { return Vec::new() };
        let key = self.start(format!("Reading {} of {id}", name(first)), Purpose::Versions(id.clone()));
        let now = self.now;
        if let Some(tab) = self.tab_mut(id) {
            tab.history.shown.load(key, now);
        }
        if entries.first().is_some_and(Entry::is_discarded) {
            let mut entries = entries.into_iter().map(Box::new);
            let Some(entry) = entries.next() else { return Vec::new() };
            return vec![Command::LoadDiscarded { key, entry, other: entries.next() }];
        }
        vec![Command::LoadVersions { key, entries }]
    }

    pub(super) fn settle_timeline(&mut self, key: Key, id: &TwinId, outcome: Result<Outcome, Failure>) -> Vec<Command> {
        let now = self.now;
        let Some(tab) = self.tab_mut(id) else { return Vec::new() };
        let history = &mut tab.history;
        let answer = match outcome {
            Ok(Outcome::Timeline(timeline)) => Ok(timeline),
            Ok(_) => return Vec::new(),
            Err(failure) => Err(failure),
        };
        history.timeline.settle(key, now, answer);
        if !history.timeline.is_loading() && std::mem::take(&mut history.opening) && history.newest {
            history.choose_newest();
        }
        let Some(timeline) = history.timeline.value() else { return Vec::new() };
        let gone = |key: EntryKey| timeline.place(key).is_none();
        if history.chosen.is_some_and(gone) {
            history.chosen = None;
            history.shown = Remote::Idle;
        }
        if matches!(history.against, Against::Version(other) if gone(other)) {
            history.against = Against::Previous;
        }
        // What was typed meanwhile is compared anew.
        let read = history.shown.value().map(|shown| shown.key);
        if history.chosen.is_some() && (read != history.chosen || history.against == Against::Draft) {
            return self.load_versions(id);
        }
        Vec::new()
    }

    pub(super) fn settle_versions(&mut self, key: Key, id: &TwinId, outcome: Result<Outcome, Failure>) {
        let now = self.now;
        let Some(tab) = self.tab_mut(id) else { return };
        let history = &mut tab.history;
        let answer = match outcome {
            Ok(Outcome::Versions(versions)) => {
                let Some(mut shown) = history.chosen().and_then(|entry| Shown::read(entry, versions)) else { return };
                shown.compare(history.against, history.other_name(), tab.draft.as_ref());
                Ok(shown)
            }
            Ok(Outcome::Discarded { draft, other }) => {
                let Some(entry) = history.chosen() else { return };
                let mut shown = Shown::read_discarded(entry, draft, other);
                shown.compare(history.against, history.other_name(), tab.draft.as_ref());
                Ok(shown)
            }
            Ok(_) => return,
            Err(failure) => Err(failure),
        };
        history.shown.settle(key, now, answer);
    }

    fn revert(&mut self, id: &TwinId, key: EntryKey) -> Vec<Command> {
        let Some(tab) = self.tab(id) else { return Vec::new() };
        let version = match tab.history.shown.value() {
            Some(Shown { key: shown, twin: Ok(twin), .. }) if *shown == key => twin.clone(),
            _ => return Vec::new(),
        };
        if tab.revert_refusal(&version).is_some() {
            return Vec::new();
        }
        let kept = self.keep_discarded(id, Goes::Edits).into_iter().collect();
        if let Some(tab) = self.tab_mut(id) {
            tab.revert_to(&version);
        }
        let text = format!(
            "What version {} of {id} said is your draft now: look at Changes, then save. Nothing is sent before",
            version.version
        );
        self.notice_about(Matter::Edits, std::slice::from_ref(id), NoticeKind::Info, text, None);
        kept
    }
}
