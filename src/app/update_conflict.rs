//! Action → state and commands, where the hub moved under an edit: the ways out, each guarded by what was shown.

use super::conflict::Shown;
use super::discard::Goes;
use super::tab::{SaveState, Texts};
use super::{Action, App, Matter, NoticeKind, Tab};
use crate::twin::draft::Refusal;
use crate::twin::merge::Choice;
use crate::twin::{Section, TwinId};
use crate::worker::Command;
use crate::worker::command::Guard;

impl App {
    pub(super) fn update_conflict(&mut self, action: Action) -> Vec<Command> {
        match action {
            Action::RebaseEdits(id) => return self.rebase(&id),
            Action::OverwriteHubVersion { id, shown } => return self.overwrite(&id, &shown),
            Action::SaveMerged { id, shown } => return self.save_merged(&id, &shown),
            Action::LeaveConflict(id) => self.with_tab(&id, Tab::leave_conflict),
            Action::ShowConflict(id) => self.with_tab(&id, Tab::show_conflict),
            Action::Choose { id, section, path, choice } => {
                self.with_tab(&id, |tab| tab.choose(section, &path, choice));
            }
            Action::ChooseAll { id, choice } => self.with_tab(&id, |tab| tab.choose_all(choice)),
            Action::FollowHub { id, shown } => self.with_tab(&id, |tab| {
                if tab.to_follow().is_some() && tab.shown().as_ref() == Some(&shown) {
                    tab.follow();
                }
            }),
            Action::DismissFollowed(id) => self.with_tab(&id, |tab| {
                tab.followed = None;
                tab.mark_lines();
            }),
            other => return self.update_messages(other),
        }
        Vec::new()
    }

    fn with_tab(&mut self, id: &TwinId, change: impl FnOnce(&mut Tab)) {
        if let Some(tab) = self.tab_mut(id) {
            change(tab);
        }
    }

    fn rebase(&mut self, id: &TwinId) -> Vec<Command> {
        self.dialog = None;
        let theirs = |moved: &super::conflict::Moved| {
            moved.clashes.iter().any(|(section, clash)| moved.choice(*section, clash) != Choice::Mine)
        };
        let gives_up =
            self.tab(id).and_then(|tab| tab.moved.as_ref()).is_some_and(|moved| !moved.unparsed && theirs(moved));
        // Some of mine gives way to theirs.
        let kept = if gives_up { self.keep_discarded(id, Goes::Edits) } else { None };
        self.rebase_now(id);
        kept.into_iter().collect()
    }

    fn rebase_now(&mut self, id: &TwinId) {
        let Some(tab) = self.tab_mut(id) else { return };
        if tab.moved.as_ref().is_some_and(|moved| moved.unparsed) {
            let text = format!("The text of {id} does not parse, so its edits cannot be rebased: correct it first");
            self.notice_about(Matter::Edits, std::slice::from_ref(id), NoticeKind::Problem, text, None);
            return;
        }
        let (Some(moved), Some(draft)) = (tab.moved.take(), tab.draft.as_ref()) else { return };
        let mut mine = 0;
        for (section, clash) in &moved.clashes {
            mine += usize::from(moved.choice(*section, clash) == Choice::Mine);
        }
        let clashes = moved.clashes.len();
        let merged = moved.merged(draft);
        tab.put_draft(merged);
        let stand = format!("Your edits of {id} now stand on the hub's newest version");
        let text = match (clashes, mine) {
            (0, _) => format!("{stand}; nothing was changed by both sides"),
            (n, mine) if n == mine => format!(
                "{stand}; {n} {} changed by both sides and {} your value: look at Changes before you save",
                if n == 1 { "path was" } else { "paths were" },
                if n == 1 { "has" } else { "have" },
            ),
            (n, mine) => format!(
                "{stand}; of {n} {} changed by both sides {mine} {} your value: look at Changes before you save",
                if n == 1 { "path" } else { "paths" },
                if mine == 1 { "has" } else { "have" },
            ),
        };
        self.notice_about(Matter::Edits, std::slice::from_ref(id), NoticeKind::Info, text, None);
    }

    /// Whether draft and hub are still what the person saw at the click; says so where they are not.
    fn is_as_shown(&mut self, id: &TwinId, shown: &Shown, what: &str) -> bool {
        let Some(now) = self.tab(id).and_then(Tab::shown) else { return false };
        let moved = match (now.etag == shown.etag, now.draft == shown.draft) {
            (true, true) => return true,
            (false, _) => "The hub has moved again",
            (true, false) => "Your text has changed",
        };
        let text = format!("{moved} since you looked at {id}: look once more before you {what} it");
        self.notice_about(Matter::Edits, std::slice::from_ref(id), NoticeKind::Problem, text, None);
        false
    }

    /// Sends exactly this draft over exactly the version that was shown: still guarded, by that version's etag.
    fn overwrite(&mut self, id: &TwinId, shown: &Shown) -> Vec<Command> {
        if !self.is_as_shown(id, shown, "overwrite") {
            return Vec::new();
        }
        let Some(tab) = self.tab_mut(id) else { return Vec::new() };
        let (Some(moved), Some(draft)) = (&tab.moved, &tab.draft) else { return Vec::new() };
        if matches!(tab.save, SaveState::Sending { .. }) {
            return Vec::new();
        }
        let mut over = draft.clone();
        over.rebase_untouched(moved.theirs.clone());
        match over.outgoing() {
            Ok(outgoing) => {
                tab.leave_to_overwrite();
                let guard = Guard::Overwrite(outgoing.if_match.clone());
                self.send(id, outgoing, guard, None)
            }
            Err(refusal) => {
                tab.save = SaveState::Refused { why: refusal.to_string() };
                Vec::new()
            }
        }
    }

    /// Sends what was chosen, against the version that was shown. The draft stays as it is until the hub has taken it: a refusal, a
    /// failure or another conflict finds everything of mine still there.
    fn save_merged(&mut self, id: &TwinId, shown: &Shown) -> Vec<Command> {
        if !self.is_as_shown(id, shown, "save") {
            return Vec::new();
        }
        let Some(tab) = self.tab_mut(id) else { return Vec::new() };
        if matches!(tab.save, SaveState::Sending { .. }) {
            return Vec::new();
        }
        let Some(ready) = tab.moved.as_ref().and_then(|moved| moved.ready.clone()) else { return Vec::new() };
        match ready.outgoing {
            Ok(outgoing) => {
                tab.leave_conflict();
                let guard = Guard::Etag(outgoing.if_match.clone());
                let text = |section| ready.draft.section(section).text.clone();
                let merged = Texts { desired: text(Section::Desired), tags: text(Section::Tags) };
                self.send(id, outgoing, guard, Some(merged))
            }
            Err(Refusal::NoChange) => {
                // What was theirs was chosen everywhere: mine goes.
                let kept = self.keep_discarded(id, Goes::Edits).into_iter().collect();
                let Some(tab) = self.tab_mut(id) else { return kept };
                tab.put_draft(ready.draft);
                let text = format!("{id} is as you chose on the hub already: there is nothing to send");
                self.notice_about(Matter::Edits, std::slice::from_ref(id), NoticeKind::Info, text, None);
                kept
            }
            Err(refusal) => {
                tab.save = SaveState::Refused { why: refusal.to_string() };
                Vec::new()
            }
        }
    }
}
