//! The history of one tab: what the journal keeps of its twin, the version that is looked at and what it is compared with.

use super::tab::{Pane, SaveState};
use super::{App, Dialog, NoticeKind, Purpose, Remote, Tab};
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

    /// The entry before another one.
    pub fn before(&self, key: EntryKey) -> Option<&Entry> {
        let timeline = self.timeline.value()?;
        timeline.entries.get(timeline.place(key)?.checked_sub(1)?)
    }

    /// The tab is put aside: what was under way ends untold.
    pub(super) fn park(&mut self) {
        *self = Self { stale: true, ..Self::default() };
    }

    /// Something was seen of the twin that the journal may have by now.
    pub(super) fn outdated(&mut self) {
        self.stale = true;
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
        Some(Self { key: entry.key(), twin, text, patch_text, other, comparison })
    }

    fn compare(&mut self, against: Against, draft: Option<&Draft>) {
        self.comparison = match (&self.twin, against, &self.other) {
            (Err(why), ..) => Comparison::Impossible(why.clone()),
            (Ok(twin), Against::Draft, _) => with_draft(twin, draft),
            (_, Against::Previous, None) => Comparison::NothingBefore,
            (_, Against::Version(_), None) => {
                Comparison::Impossible("The version to compare with is no longer in the journal".to_owned())
            }
            (Ok(_), _, Some(Err(why))) => Comparison::Impossible(why.clone()),
            (Ok(twin), against, Some(Ok(other))) => {
                let swap = matches!(against, Against::Version(key) if key.at_ms > self.key.at_ms);
                let (before, after) = if swap { (twin, other) } else { (other, twin) };
                Comparison::Changes {
                    title: format!("Version {} → version {}", before.version, after.version),
                    changes: changes(before, after),
                }
            }
        };
    }
}

fn changes(before: &Twin, after: &Twin) -> Vec<(Section, Change)> {
    let of = |section| diff::diff(before.section(section), after.section(section)).into_iter();
    SECTIONS.into_iter().flat_map(|section| of(section).map(move |change| (section, change))).collect()
}

fn with_draft(twin: &Twin, draft: Option<&Draft>) -> Comparison {
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
    Comparison::Changes { title: format!("Version {} → your draft", twin.version), changes }
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
        self.draft = Some(draft);
        self.moved = None;
        self.conflict_open = false;
        self.save = SaveState::Idle;
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
            HistoryAct::Revert(version) => {
                if tab.is_dirty() {
                    self.dialog = Some(Dialog::Revert { id: id.clone(), version });
                } else {
                    self.revert(id, version);
                }
            }
            HistoryAct::RevertNow(version) => {
                self.dialog = None;
                self.revert(id, version);
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
        let Some(version) = entries.first().map(|entry| entry.version) else { return Vec::new() };
        let key = self.start(format!("Reading version {version} of {id}"), Purpose::Versions(id.clone()));
        let now = self.now;
        if let Some(tab) = self.tab_mut(id) {
            tab.history.shown.load(key, now);
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
                shown.compare(history.against, tab.draft.as_ref());
                Ok(shown)
            }
            Ok(_) => return,
            Err(failure) => Err(failure),
        };
        history.shown.settle(key, now, answer);
    }

    fn revert(&mut self, id: &TwinId, key: EntryKey) {
        let Some(tab) = self.tab_mut(id) else { return };
        let version = match tab.history.shown.value() {
            Some(Shown { key: shown, twin: Ok(twin), .. }) if *shown == key => twin.clone(),
            _ => return,
        };
        if tab.revert_refusal(&version).is_some() {
            return;
        }
        tab.revert_to(&version);
        let text = format!(
            "What version {} of {id} said is your draft now: look at Changes, then save. Nothing is sent before",
            version.version
        );
        self.notice(NoticeKind::Info, text, None);
    }
}
