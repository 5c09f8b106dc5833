//! What is thrown away goes into the journal, and comes back from there as a draft.

use super::conflict::EDITABLE;
use super::history::{HistoryAct, Shown};
use super::tab::{Pane, SaveState, Sent, Texts};
use super::{App, Dialog, HubState, Matter, NoticeKind, Tab};
use crate::disk::KeptDraft;
use crate::disk::journal::EntryKey;
use crate::twin::{Section, TwinId, diff, text};
use crate::worker::{Command, HubRef};

/// What of a tab is thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goes {
    /// The edits of desired and tags.
    Edits,
    /// These, and a report that was not sent.
    All,
}

impl App {
    /// What the hub in front is filed under.
    fn filed(&self) -> Option<String> {
        match &self.hub {
            HubState::Open(info) => Some(info.drafts()),
            _ => None,
        }
    }

    /// What was typed in a tab of the hub in front goes: the journal keeps it.
    pub(super) fn keep_discarded(&mut self, id: &TwinId, goes: Goes) -> Option<Command> {
        let hub = self.filed()?;
        let at_ms = self.now.unix_s * 1000;
        let tab = self.tab_mut(id)?;
        let command = tab.discarded(&hub, at_ms, goes)?;
        tab.history.outdated();
        Some(command)
    }

    /// A save took the place of what was typed, and some of that gave way to the hub's by choice: the journal keeps it as it was
    /// typed.
    pub(super) fn keep_given_up(&self, id: &TwinId, sent: &Sent) -> Option<Command> {
        let (hub, draft) = (self.filed()?, self.tab(id)?.draft.as_ref()?);
        let document = |texts: &Texts, section| text::parse(texts.of(section)).document;
        let gave_up = |section: Section| {
            let (typed, saved) = (document(&sent.typed, section)?, document(&sent.saved, section)?);
            let changes = diff::diff(draft.base.section(section), &typed);
            Some(changes.iter().any(|change| change.path.find(&saved) != change.after.as_ref()))
        };
        if !EDITABLE.into_iter().any(|section| gave_up(section) == Some(true)) {
            return None;
        }
        let (desired, tags) = (Some(sent.typed.desired.clone()), Some(sent.typed.tags.clone()));
        let at_ms = self.now.unix_s * 1000;
        let draft = KeptDraft { hub, base: draft.base.clone(), desired, tags, report: None, at_ms };
        Some(Command::KeepDiscarded { draft: Box::new(draft) })
    }

    /// Everything typed goes, on every hub.
    pub(super) fn discard_all(&self) -> Vec<Command> {
        let at_ms = self.now.unix_s * 1000;
        let here = self.filed().into_iter().flat_map(|hub| {
            let tabs = self.tabs.iter();
            tabs.filter_map(move |tab| tab.discarded(&hub, at_ms, Goes::All)).collect::<Vec<_>>()
        });
        let parked = self.parked.iter().filter_map(|(hub, (tabs, _))| Some((self.filed_as(hub)?, tabs)));
        let there = parked.flat_map(|(hub, tabs)| {
            tabs.iter().filter_map(move |tab| tab.discarded(&hub, at_ms, Goes::All)).collect::<Vec<_>>()
        });
        here.chain(there).collect()
    }

    /// What a known hub is filed under.
    pub(super) fn filed_as(&self, hub: &HubRef) -> Option<String> {
        if *hub == HubRef::Local {
            return Some(hub.filed(""));
        }
        self.hubs.iter().find(|entry| entry.hub == *hub).map(|entry| hub.filed(&entry.host))
    }

    /// A draft that was thrown away takes the place of the text; what stands there is thrown away in its turn.
    pub(super) fn bring_back(&mut self, id: &TwinId, key: EntryKey) -> Vec<Command> {
        let Some(tab) = self.tab(id) else { return Vec::new() };
        let draft = match tab.history.shown.value() {
            Some(Shown { key: shown, discarded: Some(draft), .. }) if *shown == key => draft.clone(),
            _ => return Vec::new(),
        };
        if tab.bring_back_refusal(&draft).is_some() {
            return Vec::new();
        }
        let goes = if draft.report.is_some() { Goes::All } else { Goes::Edits };
        let commands = self.keep_discarded(id, goes).into_iter().collect();
        let now = self.now;
        if let Some(tab) = self.tab_mut(id) {
            let pane = if draft.desired.is_some() { Pane::Desired } else { Pane::Tags };
            tab.text_acts += 1;
            // The disk is told of it as of anything typed.
            let kept = tab.kept.take();
            tab.restore(*draft, now);
            tab.kept = kept;
            tab.pane = pane;
        }
        let text = format!(
            "The discarded draft of {id} is your draft again: look at Changes, then save. Nothing is sent before"
        );
        self.notice_about(Matter::Edits, std::slice::from_ref(id), NoticeKind::Info, text, None);
        commands
    }

    /// Asks first where something typed would have to make room.
    pub(super) fn ask_bring_back(&mut self, id: &TwinId, key: EntryKey) -> Vec<Command> {
        if self.tab(id).is_some_and(Tab::would_lose) {
            self.dialog = Some(Dialog::Revert { id: id.clone(), version: key });
            return Vec::new();
        }
        self.history_act(id, HistoryAct::RevertNow(key))
    }
}

impl Tab {
    /// What the journal is told when the text of this tab goes; `None` when there is nothing to lose.
    fn discarded(&self, hub: &str, at_ms: u64, goes: Goes) -> Option<Command> {
        let mut draft = self.kept_draft(hub, at_ms).filter(|_| self.would_lose())?;
        if !self.is_dirty() {
            // Nothing but white space.
            (draft.desired, draft.tags) = (None, None);
        }
        if goes == Goes::Edits {
            draft.report = None;
        }
        let typed = draft.desired.is_some() || draft.tags.is_some() || draft.report.is_some();
        typed.then(|| Command::KeepDiscarded { draft: Box::new(draft) })
    }

    /// Why a discarded draft cannot be brought back now; `None` when it can.
    pub fn bring_back_refusal(&self, draft: &KeptDraft) -> Option<&'static str> {
        let Some(now) = &self.draft else { return Some("The twin is not loaded") };
        if matches!(self.save, SaveState::Sending { .. }) {
            return Some("Saving");
        }
        let stands = |text: &Option<String>, now: &str| text.as_deref().is_none_or(|text| text == now);
        let same = stands(&draft.desired, &now.desired.text)
            && stands(&draft.tags, &now.tags.text)
            && stands(&draft.report, &self.report_text);
        same.then_some("This is what stands in the text now")
    }
}
