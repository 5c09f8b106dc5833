//! The acts that take the place of a whole text: *Replace…*, and a version of the past as a draft.

use super::docs::Docs;
use super::world::World;
use twinscope::app::history::HistoryAct;
use twinscope::app::{Action, Dialog};
use twinscope::disk::journal::EntryKey;
use twinscope::twin::{Etag, Path, Section};
use twinscope::worker::Command;

impl World {
    /// Asks, reads what goes, and mostly says yes; asks again as long as the hub moves under the question.
    pub(super) fn replace(&mut self, who: usize, depth: u32) {
        let id = self.id.clone();
        if self.chance(70) {
            self.delete_some(who);
        }
        self.seats[who].act(Action::ShowReplace(id.clone()));
        for _ in 0..4 {
            let Some((shown, told)) = self.question(who) else { break };
            if self.chance(10) {
                break;
            }
            if depth == 0 && self.chance(40) {
                self.turn(1 - who, depth + 1);
                self.watch(who);
            }
            // With faults about, whose write was lost would not be known.
            if self.chance(25) && !self.faulty {
                self.tag_between();
                self.watch(who);
            }
            self.blow();
            let commands = self.seats[who].act(Action::Replace { id: id.clone(), shown });
            let body = commands.iter().find_map(|command| match command {
                Command::ReplaceTwin { body, .. } => Some(body.clone()),
                _ => None,
            });
            if let Some(body) = body {
                self.account.replaces(self.seats[who].name, &body, &told);
                return self.await_save(who, depth);
            }
            self.account.ensure(commands.is_empty(), "something else than a PUT was sent");
            self.account.tally.asked_anew += usize::from(self.question(who).is_some());
        }
        self.seats[who].act(Action::CloseDialog);
        if self.seats[who].tab().conflict_open {
            self.resolve(who, depth);
        }
    }

    /// What stands in the question: the version it is about, and the paths it says are removed.
    fn question(&self, who: usize) -> Option<(Etag, Vec<(Section, Path)>)> {
        match &self.seats[who].app.dialog {
            Some(Dialog::Replace { shown, .. }) => {
                let replacement = self.seats[who].draft().replacement().ok()?;
                Some((shown.clone(), replacement.removed))
            }
            _ => None,
        }
    }

    /// One of the versions in the history becomes a draft; where there are edits, that is asked first.
    pub(super) fn revert_to_the_past(&mut self, who: usize, depth: u32) {
        let id = self.id.clone();
        let Some(key) = self.version_of_the_past(who) else { return };
        let act = |act| Action::History { id: id.clone(), act };
        self.seats[who].act(act(HistoryAct::Revert(key)));
        if matches!(self.seats[who].app.dialog, Some(Dialog::Revert { .. })) {
            if depth == 0 && self.chance(35) {
                self.turn(1 - who, depth + 1);
                self.pass();
            }
            if self.chance(20) {
                self.seats[who].act(Action::CloseDialog);
                return;
            }
            // Asked anew where it can be done no more: another one did it, or a version came back.
            if self.refused(who, key) {
                self.seats[who].act(act(HistoryAct::RevertNow(key)));
                return;
            }
            self.seats[who].act(act(HistoryAct::RevertNow(key)));
        }
        let seat = &self.seats[who];
        let (base, after) = (Docs::of(&seat.draft().base), Docs::typed(seat.draft()));
        self.account.ensure(after.is_some(), "a version of the past does not parse");
        self.account.note(format!("{} reverts", seat.name));
        self.account.reverts(seat.name, &base, &after.unwrap_or_default());
    }

    /// Chooses one of the last versions in the history that can be made a draft; `None` where the one chosen cannot.
    fn version_of_the_past(&mut self, who: usize) -> Option<EntryKey> {
        let id = self.id.clone();
        let act = |act| Action::History { id: id.clone(), act };
        self.seats[who].act(act(HistoryAct::Load));
        self.seats[who].until("the history", |app| !app.tab(&id).unwrap().history.timeline.is_loading());
        let timeline = self.seats[who].tab().history.timeline.value().unwrap().clone();
        let last = timeline.entries.len().checked_sub(1)?;
        let key = timeline.entries[last - self.random.usize(..=last.min(9))].key();
        self.seats[who].act(act(HistoryAct::Choose(key)));
        let read = |app: &twinscope::app::App| !app.tab(&id).unwrap().history.shown.is_loading();
        self.seats[who].until("the version", read);
        (!self.refused(who, key)).then_some(key)
    }

    fn refused(&self, who: usize, key: EntryKey) -> bool {
        let tab = self.seats[who].tab();
        let shown = tab.history.shown.value().filter(|shown| shown.key == key);
        let twin = shown.and_then(|shown| shown.twin.as_ref().ok());
        twin.is_none_or(|twin| tab.revert_refusal(twin).is_some())
    }
}
