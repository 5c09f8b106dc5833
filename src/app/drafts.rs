//! What was typed goes to disk as it is typed, and comes back.

use super::tab::Tab;
use super::{App, HubState, Matter, NoticeKind};
use crate::disk::KeptDraft;
use crate::twin::draft::Draft;
use crate::twin::{Etag, Section, TwinId};
use crate::worker::Command;
use crate::worker::event::Source;

/// What it means that drafts cannot be kept, and the next step.
const SAFE: &str = "What you type is safe as long as the program runs: save it, make room there, or start with --data DIR for another folder";

/// What the disk was last told of a tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    base: (Etag, u64),
    desired: Option<String>,
    tags: Option<String>,
    report: Option<String>,
}

impl Tab {
    /// What is typed and on no hub: texts of desired and tags, and a report that was not sent. `None` when there is nothing. A
    /// text that says what the hub says in another form is nothing to keep.
    fn typed(&self) -> Option<(&Draft, [Option<&str>; 3])> {
        let draft = self.draft.as_ref()?;
        let dirty = draft.is_dirty();
        let text =
            |section| Some(draft.section(section)).filter(|part| dirty && part.edited).map(|part| part.text.as_str());
        let report = self.has_unsent_report().then_some(self.report_text.as_str());
        let texts = [text(Section::Desired), text(Section::Tags), report];
        texts.iter().any(Option::is_some).then_some((draft, texts))
    }

    /// What the disk must be told, if anything.
    fn draft_news(&mut self, hub: &str, at_ms: u64) -> Option<Command> {
        let Some((draft, [desired, tags, report])) = self.typed() else {
            // A tab that was never loaded has nothing to say about what is kept.
            let forgotten = self.draft.is_some() && self.kept.take().is_some();
            return forgotten.then(|| Command::ForgetDraft { hub: hub.to_owned(), id: self.id.clone() });
        };
        let same = self.kept.as_ref().is_some_and(|kept| {
            kept.base.0 == draft.base.etag
                && kept.base.1 == draft.base.version
                && kept.desired.as_deref() == desired
                && kept.tags.as_deref() == tags
                && kept.report.as_deref() == report
        });
        if same {
            return None;
        }
        let kept = self.kept_draft(hub, at_ms)?;
        self.kept = Some(Kept::of(&kept));
        Some(Command::KeepDraft { draft: Box::new(kept) })
    }

    pub(super) fn kept_draft(&self, hub: &str, at_ms: u64) -> Option<KeptDraft> {
        let (draft, texts) = self.typed()?;
        let [desired, tags, report] = texts.map(|text| text.map(str::to_owned));
        Some(KeptDraft { hub: hub.to_owned(), base: draft.base.clone(), desired, tags, report, at_ms })
    }

    /// Puts a kept draft into the tab, over whatever the hub has now.
    pub(super) fn restore(&mut self, kept: KeptDraft, now: super::Moment) {
        self.kept = Some(Kept::of(&kept));
        let mut draft = Draft::new(kept.base);
        for (section, text) in [(Section::Desired, kept.desired), (Section::Tags, kept.tags)] {
            if let Some(text) = text {
                draft.set_text(section, text);
            }
        }
        self.put_draft(draft);
        if let Some(report) = kept.report {
            self.report_text = report;
        }
        // Read already: the draft is checked against it; else it will be when it is.
        if let Some(newest) = self.newest() {
            self.take(newest, Source::Load, now);
        }
    }
}

impl Kept {
    fn of(draft: &KeptDraft) -> Self {
        Self {
            base: (draft.base.etag.clone(), draft.base.version),
            desired: draft.desired.clone(),
            tags: draft.tags.clone(),
            report: draft.report.clone(),
        }
    }
}

impl App {
    /// What the disk must be told of the tabs in front.
    pub(super) fn keep_drafts(&mut self) -> Vec<Command> {
        let HubState::Open(info) = &self.hub else { return Vec::new() };
        let (hub, now_ms) = (info.drafts(), self.now.unix_s * 1000);
        self.tabs.iter_mut().filter_map(|tab| tab.draft_news(&hub, now_ms)).collect()
    }

    /// A tab goes, and what was typed in it with the person's consent.
    pub(super) fn forget_draft(&self, tab: &Tab) -> Option<Command> {
        let HubState::Open(info) = &self.hub else { return None };
        tab.kept.is_some().then(|| Command::ForgetDraft { hub: info.drafts(), id: tab.id.clone() })
    }

    /// A tab goes, and what was typed in it waits for the twin to be opened again, in this run or another.
    pub(super) fn close_and_keep(&mut self, id: &TwinId) -> Vec<Command> {
        let HubState::Open(info) = &self.hub else { return Vec::new() };
        let (hub, at_ms) = (info.drafts(), self.now.unix_s * 1000);
        let Some(tab) = self.tab_mut(id) else { return Vec::new() };
        let kept = tab.kept_draft(&hub, at_ms);
        // Not forgotten with the tab.
        tab.kept = None;
        let mut commands = self.remove_tab(id);
        if let Some(kept) = kept {
            commands.push(Command::KeepDraft { draft: Box::new(kept.clone()) });
            self.set_aside.retain(|other| other.base.id != *id);
            self.set_aside.push(kept);
        }
        commands
    }

    /// What was typed in a tab that was closed, into the one just opened.
    pub(super) fn take_back(&mut self, id: &TwinId) {
        let Some(at) = self.set_aside.iter().position(|kept| kept.base.id == *id) else { return };
        let (kept, now) = (self.set_aside.remove(at), self.now);
        if let Some(tab) = self.tab_mut(id) {
            tab.restore(kept, now);
        }
    }

    /// Everything typed goes, on every hub.
    pub(super) fn forget_drafts(&self) -> Vec<Command> {
        let mut commands: Vec<Command> = self.tabs.iter().filter_map(|tab| self.forget_draft(tab)).collect();
        // Those set aside were not asked about: they stay.
        for (hub, (tabs, _)) in &self.parked {
            let Some(name) = self.filed_as(hub) else { continue };
            let kept = tabs.iter().filter(|tab| tab.kept.is_some());
            commands.extend(kept.map(|tab| Command::ForgetDraft { hub: name.clone(), id: tab.id.clone() }));
        }
        commands
    }

    /// Drafts of the hub in front come back, each into its tab. One that holds edits of this run keeps those.
    pub(super) fn take_drafts(&mut self, drafts: Vec<KeptDraft>) -> Vec<Command> {
        let HubState::Open(info) = &self.hub else { return Vec::new() };
        let hub = info.drafts();
        let mut commands = Vec::new();
        let mut back: Vec<TwinId> = Vec::new();
        let active = self.active;
        for kept in drafts.into_iter().filter(|kept| kept.hub == hub) {
            let id = kept.base.id.clone();
            if self.tab(&id).is_some_and(|tab| tab.kept.is_some() || tab.would_lose()) {
                continue;
            }
            if self.tab(&id).is_none() {
                commands.extend(self.update(self.now, super::Action::OpenTwin(id.clone())));
            }
            let now = self.now;
            if let Some(tab) = self.tab_mut(&id) {
                tab.restore(kept, now);
                back.push(id);
            }
        }
        if let (Some(active), Some(_)) = (active, back.first()) {
            self.active = Some(active);
        }
        self.coming_back.extend(back);
        self.tell_back();
        commands
    }

    /// What is typed cannot be kept on disk, or can again: the person is told as long as it is so.
    pub(super) fn take_unkept(&mut self, why: Option<String>) {
        let told = self.unkept_notice.take();
        match &why {
            None => self.notices.retain(|notice| Some(notice.number) != told),
            Some(why) => {
                let text = format!("{why}. {SAFE}");
                match self.notices.iter_mut().find(|notice| Some(notice.number) == told) {
                    Some(notice) => {
                        notice.text = text;
                        self.unkept_notice = told;
                    }
                    // Put away while it is so, it is not said anew.
                    None if self.drafts_unkept.is_some() => {}
                    None => {
                        self.notice(NoticeKind::Problem, text, None);
                        self.unkept_notice = Some(self.last_notice);
                    }
                }
            }
        }
        self.drafts_unkept = why;
    }

    /// Says which edits are back once each was held against what the hub has now: one that the hub has by then is none, and one
    /// that differs in its form alone never was one.
    pub(super) fn tell_back(&mut self) {
        let unread = |tab: &Tab| tab.twin.value().is_none() && tab.twin.failure().is_none();
        if self.coming_back.is_empty() || self.coming_back.iter().filter_map(|id| self.tab(id)).any(unread) {
            return;
        }
        let mut back = std::mem::take(&mut self.coming_back);
        back.retain(|id| self.tab(id).is_some_and(Tab::would_lose));
        if back.is_empty() {
            return;
        }
        let names: Vec<String> = back.iter().take(5).map(ToString::to_string).collect();
        let more = if back.len() > 5 { format!(" and {} more", back.len() - 5) } else { String::new() };
        let text = format!(
            "Your unsaved edits are back: {}{more}. Changes lists what differs from the hub; nothing was sent",
            names.join(", ")
        );
        self.notice_about(Matter::Edits, &back, NoticeKind::Info, text, None);
    }
}
