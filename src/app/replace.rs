//! *Replace…*: the text takes the place of what the hub has. And *Copy as*: the same save, or this one, as a program.

use super::tab::{SaveState, Tried};
use super::{App, Dialog, HubState, NoticeKind};
use crate::copy_as::{Authority, Language, Method, Save};
use crate::twin::{Etag, TwinId};
use crate::worker::{Command, command::Guard};

impl App {
    /// Asks. Where there is nothing to send, or the hub is known to have moved, it goes as with a save.
    pub(super) fn show_replace(&mut self, id: TwinId) -> Vec<Command> {
        self.dialog = None;
        let Some(tab) = self.tab_mut(&id) else { return Vec::new() };
        let Some(draft) = &tab.draft else { return Vec::new() };
        if matches!(tab.save, SaveState::Sending { .. }) {
            return Vec::new();
        }
        match draft.replacement() {
            Err(refusal) => tab.save = SaveState::Refused { why: refusal.to_string() },
            Ok(_) if tab.moved.as_ref().is_some_and(|moved| moved.by_save) => {
                tab.show_conflict();
                tab.refused(Tried::Replace);
            }
            Ok(replacement) => {
                let shown = replacement.outgoing.if_match;
                self.dialog = Some(Dialog::Replace { id, shown, moved: false });
            }
        }
        Vec::new()
    }

    /// Sends it, guarded by the etag that was shown. When the base moved since, the question is asked anew.
    pub(super) fn replace(&mut self, id: &TwinId, shown: &Etag) -> Vec<Command> {
        let commands = self.show_replace(id.clone());
        match &mut self.dialog {
            Some(Dialog::Replace { shown: now, moved, .. }) if now != shown => {
                *moved = true;
                return commands;
            }
            Some(Dialog::Replace { .. }) => self.dialog = None,
            _ => return commands,
        }
        let draft = self.tab(id).and_then(|tab| tab.draft.as_ref());
        let Some(Ok(replacement)) = draft.map(crate::twin::draft::Draft::replacement) else { return Vec::new() };
        let body = replacement.outgoing.body.clone();
        let (key, over) = self.begin_save(id, replacement.outgoing, Tried::Replace, None);
        vec![Command::ReplaceTwin { key, id: id.clone(), body, guard: Guard::Etag(shown.clone()), over }]
    }

    pub(super) fn copy_as(&mut self, id: &TwinId, method: Method, language: Language) -> Vec<Command> {
        let HubState::Open(info) = &self.hub else { return Vec::new() };
        let Some(draft) = self.tab(id).and_then(|tab| tab.draft.as_ref()) else { return Vec::new() };
        let outgoing = match method {
            Method::Patch => draft.outgoing(),
            Method::Put => draft.replacement().map(|replacement| replacement.outgoing),
        };
        match outgoing {
            Err(refusal) => self.notice(NoticeKind::Problem, format!("Nothing was copied: {refusal}"), None),
            Ok(outgoing) => {
                let authority = if info.is_azure() { Authority::Public } else { Authority::Private };
                let save = Save {
                    host: &info.host,
                    authority,
                    id,
                    method,
                    body: &outgoing.body,
                    if_match: &outgoing.if_match,
                };
                self.copied = Some(save.written_in(language));
                let text = format!("Copied for {}, without a secret: it says which variables to set", language.word());
                self.notice(NoticeKind::Good, text, None);
            }
        }
        Vec::new()
    }
}
