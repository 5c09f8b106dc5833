//! Action → state and commands, for one open twin.

use super::action::Watching;
use super::discard::Goes;
use super::tab::{Pane, SaveState, Sent, Texts, Tried};
use super::{Action, App, Dialog, Matter, NoticeKind, Purpose, Tab};
use crate::client::link::LinkState;
use crate::protocol::secret::Secret;
use crate::twin::rules::{self, Form};
use crate::twin::{Section, Status, Twin, TwinId, text};
use crate::worker::{Command, command::Guard};
use std::sync::Arc;

impl App {
    pub(super) fn update_twin(&mut self, action: Action) -> Vec<Command> {
        match action {
            Action::ShowPane(id, pane) => self.show_pane(&id, pane),
            Action::ShowFace(id, face) => self.show_face(&id, face),
            Action::Edit { id, section, text } => self.edit(&id, section, text),
            Action::RevertChange { id, section, change } => {
                self.with_draft(&id, |draft| draft.revert(section, &change));
                if let Some(tab) = self.tab_mut(&id) {
                    tab.text_acts += 1;
                }
                Vec::new()
            }
            Action::Save(id) => self.save(&id),
            Action::ShowReplace(id) => self.show_replace(id),
            Action::Replace { id, shown } => self.replace(&id, &shown),
            Action::CopyAs { id, method, language } => self.copy_as(&id, method, language),
            Action::Caret { id, section } => {
                if let Some(tab) = self.tab_mut(&id) {
                    tab.caret_moved(section);
                }
                Vec::new()
            }
            Action::DismissSave(id) => {
                if let Some(tab) = self.tab_mut(&id)
                    && matches!(tab.save, SaveState::Failed { .. } | SaveState::Refused { .. })
                {
                    tab.save = SaveState::Idle;
                }
                Vec::new()
            }
            Action::Discard(id) => {
                if self.tab(&id).is_some_and(Tab::is_dirty) {
                    self.dialog = Some(Dialog::Discard { id });
                    return Vec::new();
                }
                self.discard(&id)
            }
            Action::DiscardNow(id) => self.discard(&id),
            Action::Refresh(id) => self.refresh(&id),
            Action::SetWatch { id, on } => self.set_watch(id, on),
            Action::LoadIdentity(id) => self.load_identity(&id),
            Action::SetStatus { id, status } => self.set_status(&id, status),
            Action::ReloadFromHub(id) => {
                self.dialog = Some(Dialog::ReloadFromHub { id });
                Vec::new()
            }
            Action::ShowActAs(id) => {
                let mqtt_port = self.usual_mqtt_port();
                self.dialog = Some(Dialog::ActAs { id, mqtt_port, problem: None });
                Vec::new()
            }
            Action::ActAs(id) => self.act_as(id),
            Action::StopActing(id) => self.stop_acting(id),
            Action::EditReport { id, text } => self.edit_report(&id, text),
            Action::SendReport(id) => self.send_report(&id),
            Action::EditReply { id, field, text } => {
                self.edit_reply(&id, field, text);
                Vec::new()
            }
            Action::EditCall { id, field, text } => {
                self.edit_call(&id, field, text);
                Vec::new()
            }
            Action::CallMethod(id) => self.call_method(&id),
            Action::RecallMethod { id, number } => {
                self.recall_method(&id, number);
                Vec::new()
            }
            Action::History { id, act } => self.history_act(&id, act),
            Action::Compare { id, act } => self.compare_act(&id, act),
            Action::CopyConnectionString(id) => self.copy_connection_string(&id),
            // Concerns a hub that moved, or messages.
            other => self.update_conflict(other),
        }
    }

    pub(super) fn load_twin(&mut self, id: &TwinId) -> Vec<Command> {
        let key = self.start(format!("Reading {id}"), Purpose::Load(id.clone()));
        let now = self.now;
        if let Some(tab) = self.tab_mut(id) {
            tab.twin.load(key, now);
        }
        vec![Command::LoadTwin { key, id: id.clone() }]
    }

    pub(super) fn load_identity(&mut self, id: &TwinId) -> Vec<Command> {
        let key = self.start(format!("Reading the identity of {id}"), Purpose::Identity(id.clone()));
        let now = self.now;
        if let Some(tab) = self.tab_mut(id) {
            tab.identity.load(key, now);
        }
        vec![Command::LoadIdentity { key, id: id.clone() }]
    }

    fn show_pane(&mut self, id: &TwinId, pane: Pane) -> Vec<Command> {
        let Some(tab) = self.tab_mut(id) else { return Vec::new() };
        tab.pane = pane;
        if pane == Pane::Identity && tab.identity.value().is_none() && !tab.identity.is_loading() {
            return self.load_identity(id);
        }
        if pane == Pane::History {
            tab.history.open();
            return self.load_timeline(id);
        }
        if pane == Pane::Compare {
            return self.load_sides_anew(id);
        }
        Vec::new()
    }

    /// Changes a draft and what follows from it.
    pub(super) fn with_draft(&mut self, id: &TwinId, change: impl FnOnce(&mut crate::twin::draft::Draft)) {
        let Some(tab) = self.tab_mut(id) else { return };
        let Some(draft) = &mut tab.draft else { return };
        change(draft);
        if matches!(tab.save, SaveState::Refused { .. } | SaveState::Saved { .. }) {
            tab.save = SaveState::Idle;
        }
        tab.compare_with_hub();
    }

    fn save(&mut self, id: &TwinId) -> Vec<Command> {
        if self.tab(id).is_none_or(|tab| matches!(tab.save, SaveState::Sending { .. })) {
            return Vec::new();
        }
        self.settled(Matter::Edits, id);
        let Some(tab) = self.tab_mut(id) else { return Vec::new() };
        let Some(draft) = &tab.draft else { return Vec::new() };
        let outgoing = draft.outgoing();
        // The hub is known to have moved: sending would only meet a 412.
        if outgoing.is_ok() && tab.moved.as_ref().is_some_and(|moved| moved.by_save) {
            tab.show_conflict();
            return Vec::new();
        }
        match outgoing {
            Err(refusal) => {
                tab.save = SaveState::Refused { why: refusal.to_string() };
                Vec::new()
            }
            Ok(outgoing) => {
                let guard = Guard::Etag(outgoing.if_match.clone());
                self.send(id, outgoing, guard, None)
            }
        }
    }

    /// `merged` are the texts the save stands for, where those are not the draft's.
    pub(super) fn send(
        &mut self,
        id: &TwinId,
        outgoing: crate::twin::draft::Outgoing,
        guard: Guard,
        merged: Option<Texts>,
    ) -> Vec<Command> {
        let body = outgoing.body.clone();
        let tried = match (&guard, &merged) {
            (Guard::Overwrite(_), _) => Tried::Overwrite,
            (_, Some(_)) => Tried::Merged,
            _ => Tried::Save,
        };
        let (key, over) = self.begin_save(id, outgoing, tried, merged);
        vec![Command::PatchTwin { key, id: id.clone(), body, guard, over }]
    }

    /// From here on the answer with this key is waited for. Returns the version it goes over as well.
    pub(super) fn begin_save(
        &mut self,
        id: &TwinId,
        outgoing: crate::twin::draft::Outgoing,
        tried: Tried,
        merged: Option<Texts>,
    ) -> (crate::worker::Key, Option<Arc<Twin>>) {
        self.settled(Matter::Edits, id);
        let key = self.start(format!("Saving {id}"), Purpose::Save(id.clone()));
        let now = self.now;
        let mut over = None;
        if let Some(tab) = self.tab_mut(id) {
            tab.save = SaveState::Sending { key, since: now };
            tab.in_doubt = None;
            let text =
                |section| tab.draft.as_ref().map(|draft| draft.section(section).text.clone()).unwrap_or_default();
            let typed = Texts { desired: text(Section::Desired), tags: text(Section::Tags) };
            over = tab.version_of(&outgoing.if_match, tried);
            let saved = merged.unwrap_or_else(|| typed.clone());
            tab.sent = Some(Sent { outgoing, tried, over: over.clone(), at: now, saved, typed });
        }
        (key, over)
    }

    /// The hub's newest version takes the place of the edits; the journal keeps those.
    fn discard(&mut self, id: &TwinId) -> Vec<Command> {
        self.dialog = None;
        self.settled(Matter::Edits, id);
        let kept = self.keep_discarded(id, Goes::Edits).into_iter().collect();
        let Some(tab) = self.tab_mut(id) else { return Vec::new() };
        if let Some(twin) = tab.newest() {
            tab.text_acts += 1;
            tab.put_draft(crate::twin::draft::Draft::new(twin));
        }
        kept
    }

    fn set_watch(&mut self, id: TwinId, on: Watching) -> Vec<Command> {
        let Some(tab) = self.tab_mut(&id) else { return Vec::new() };
        tab.watching = on == Watching::On;
        tab.watch_problem = None;
        match on {
            Watching::On => vec![Command::Watch { id }],
            Watching::Off => vec![Command::Unwatch { id }],
        }
    }

    fn set_status(&mut self, id: &TwinId, status: Status) -> Vec<Command> {
        let Some(etag) = self.tab(id).and_then(Tab::identity_etag) else {
            let text = format!("the identity of {id} has not been read yet");
            self.notice_about(Matter::Status, std::slice::from_ref(id), NoticeKind::Problem, text, None);
            return self.load_identity(id);
        };
        self.settled(Matter::Status, id);
        let key = self.start(format!("Setting {id} to {}", status.word()), Purpose::SetStatus(id.clone()));
        vec![Command::SetStatus { key, id: id.clone(), etag, status }]
    }

    /// A link that ended by itself tells nothing more: its panel goes at once.
    fn stop_acting(&mut self, id: TwinId) -> Vec<Command> {
        let mut commands = self.cancel_act(&id);
        if let Some(tab) = self.tab_mut(&id) {
            tab.act.take_if(|act| matches!(act.state, LinkState::PushedOut | LinkState::Refused { .. }));
        }
        commands.push(Command::StopActing { id });
        commands
    }

    /// A connection that is only being made has nothing to stop yet: its making is cancelled.
    pub(super) fn cancel_act(&self, id: &TwinId) -> Vec<Command> {
        let making = self.running.iter().filter(|(_, running)| running.purpose == Purpose::Act(id.clone()));
        making.map(|(key, _)| Command::Cancel { key: *key }).collect()
    }

    fn edit_report(&mut self, id: &TwinId, new: String) -> Vec<Command> {
        let Some(tab) = self.tab_mut(id) else { return Vec::new() };
        tab.report_text.clone_from(&new);
        let Some(act) = &mut tab.act else { return Vec::new() };
        act.report_parsed = text::parse(&new);
        act.report_problem = if let Some(problem) = act.report_parsed.problems.first() {
            let path = problem.path.said();
            Some(format!("line {}, column {}, {path}: {}", problem.line, problem.column, problem.message))
        } else {
            let document = act.report_parsed.document.as_ref();
            document.and_then(|patch| {
                let broken = rules::check(Section::Reported, patch, Form::Patch);
                broken.first().map(|violation| format!("{}: {violation}", violation.path))
            })
        };
        act.report_text = new;
        Vec::new()
    }

    fn send_report(&mut self, id: &TwinId) -> Vec<Command> {
        let Some(act) = self.tab(id).and_then(|tab| tab.act.as_ref()) else { return Vec::new() };
        let (None, None, Some(patch)) = (&act.report_problem, act.sending, &act.report_parsed.document) else {
            return Vec::new();
        };
        if patch.is_empty() {
            return Vec::new();
        }
        let patch = patch.clone();
        let key = self.start(format!("Reporting as {id}"), Purpose::Report(id.clone()));
        if let Some(act) = self.tab_mut(id).and_then(|tab| tab.act.as_mut()) {
            act.sending = Some(key);
        }
        vec![Command::Report { key, id: id.clone(), patch }]
    }

    fn copy_connection_string(&mut self, id: &TwinId) -> Vec<Command> {
        if self.put_connection_string(id) {
            return Vec::new();
        }
        self.copy_when_loaded = Some(id.clone());
        self.load_identity(id)
    }

    /// Puts the identity's connection string on its way to the clipboard, if its record is here.
    pub(super) fn put_connection_string(&mut self, id: &TwinId) -> bool {
        let super::HubState::Open(info) = &self.hub else { return false };
        let Some(identity) = self.tab(id).and_then(|tab| tab.identity.value()) else { return false };
        let Some(key) = &identity.authentication.primary_key else {
            let text = format!("{id} has no key: it proves itself by certificate");
            self.notice_about(Matter::ConnectionString, std::slice::from_ref(id), NoticeKind::Problem, text, None);
            return true;
        };
        let module = id.module.as_ref().map(|module| format!(";ModuleId={module}")).unwrap_or_default();
        let text = format!("HostName={};DeviceId={}{module};SharedAccessKey={}", info.host, id.device, key.reveal());
        self.clipboard = Some(Secret::new(text));
        self.notice_about(
            Matter::ConnectionString,
            std::slice::from_ref(id),
            NoticeKind::Good,
            format!("Copied the connection string of {id}; it is cleared after a while"),
            None,
        );
        true
    }
}
