//! Action → state and commands: hubs, fleet, tabs, dialogs. What concerns one twin is in `update_twin`.

use super::dialog::{AddConnection, Check, Field, Renewal, Then};
use super::discard::Goes;
use super::{Action, App, Dialog, HubState, Moment, Purpose, Remote, Tab};
use crate::query;
use crate::twin::TwinId;
use crate::worker::{Command, HubRef};

/// Rows of a query answer that are asked for.
const QUERY_LIMIT: usize = 1000;

/// Ids remembered for Ctrl+P.
const RECENT_MAX: usize = 50;

impl App {
    /// Takes an intention. Pure but for `self`.
    #[must_use]
    pub fn update(&mut self, now: Moment, action: Action) -> Vec<Command> {
        self.now = now;
        let commands = self.take_action(action);
        self.see_bases();
        self.leave_moot_dialog();
        commands
    }

    fn take_action(&mut self, action: Action) -> Vec<Command> {
        if !Self::is_typing(&action) {
            self.settle_drafts();
        }
        match action {
            Action::OpenHub(hub) => self.open_hub(hub),
            Action::ShowConnections => self.show(Dialog::Connections),
            Action::ShowNewKey { id } => self.show_new_key(id),
            Action::ShowAddConnection => self.show(Dialog::AddConnection(AddConnection::default())),
            Action::BrowseCertificate => {
                let key = self.start("Choosing a file".to_owned(), Purpose::PickFile);
                vec![Command::PickFile { key }]
            }
            Action::CheckConnection(connect) => self.check_connection(connect, Then::Tell),
            Action::AddConnection(connect) => self.check_connection(connect, Then::Add),
            Action::KeepConnection(connect) => self.add_connection(connect),
            Action::RemoveConnection { id } => self.remove_connection(id),

            Action::RefreshFleet => self.load_fleet(),
            Action::Filter(text) => {
                self.fleet.filter = text;
                self.fleet.refresh_visible();
                Vec::new()
            }
            Action::Expand { device, open } => self.expand(device, open),
            Action::ShowGoToLine => self.show(Dialog::GoToLine { text: String::new() }),
            Action::ShowGoTo => {
                self.dialog = Some(Dialog::GoTo { text: String::new() });
                self.look_for("")
            }
            Action::FindAgain => self.find_again(),
            Action::RunQuery(text) => self.run_query(&text),

            Action::OpenTwin(id) => self.open_twin(id),
            Action::CloseTab(id) => self.close_tab(id),
            Action::CloseTabAndDiscard(id) => self.drop_tab(&id),
            Action::CloseTabAndKeep(id) => self.close_and_keep(&id),
            Action::SelectTab(index) => self.select_tab(index),
            Action::NextTab => self.turn_tab(1),
            Action::PreviousTab => self.turn_tab(self.tabs.len().saturating_sub(1)),

            Action::ShowAddDevice => self.show(Dialog::AddDevice { text: String::new(), problem: None, running: None }),
            Action::ShowAddModule { device } => {
                self.show(Dialog::AddModule { device, text: String::new(), problem: None, running: None })
            }
            Action::Create(id) => self.create(id),
            Action::ShowDelete(id) => self.show_delete(id),
            Action::Delete(id) => self.delete(&id),

            Action::ShowPalette => self.show(Dialog::Palette { text: String::new() }),
            Action::ShowKeys => self.show(Dialog::Keys),
            Action::CloseDialog => self.close_dialog(),
            Action::DialogText { field, text } => self.dialog_text(field, text),
            Action::SecretText(secret) => self.secret_text(secret),
            Action::Dismiss(number) => {
                self.notices.retain(|notice| notice.number != number);
                Vec::new()
            }
            Action::DismissAll => {
                self.notices.clear();
                Vec::new()
            }
            Action::Cancel(key) => {
                self.note_cancel(key);
                vec![Command::Cancel { key }]
            }
            Action::Settings(act) => self.settings_act(act),
            Action::SetTheme(theme) => {
                self.settings.theme = theme;
                self.keep_settings()
            }
            Action::SetZoom(zoom) => {
                self.settings.zoom = Some(zoom.clamp(0.5, 3.0));
                self.keep_settings()
            }
            Action::SetWindow { width, height } => {
                self.settings.window = Some((width, height));
                self.keep_settings()
            }
            Action::SetLayout(layout) => {
                self.settings.layout = layout;
                self.keep_settings()
            }
            Action::ClearActivity => {
                self.activity = super::Activity::default();
                self.events_act(super::events::EventsAct::Clear)
            }
            Action::ShowFaults => self.show_faults(),
            Action::Faults(act) => self.faults_act(act),
            Action::Events(act) => self.events_act(act),
            Action::Quit => self.quit(),
            Action::QuitAndKeep => {
                self.quitting = true;
                self.keep_drafts()
            }
            Action::QuitAndDiscard => {
                self.quitting = true;
                let mut commands = self.discard_all();
                commands.extend(self.forget_drafts());
                commands
            }
            other => self.update_twin(other),
        }
    }

    fn quit(&mut self) -> Vec<Command> {
        let unsaved: Vec<TwinId> = self.unsaved().map(|tab| tab.id.clone()).collect();
        if unsaved.is_empty() {
            self.quitting = true;
            return Vec::new();
        }
        self.show(Dialog::Quit { unsaved })
    }

    fn show(&mut self, dialog: Dialog) -> Vec<Command> {
        self.dialog = Some(dialog);
        Vec::new()
    }

    /// A dialog that is left stops what it was waiting for, as far as nothing is written by it.
    fn close_dialog(&mut self) -> Vec<Command> {
        match self.dialog.take() {
            Some(Dialog::AddConnection(AddConnection { check: Check::Running { key, .. }, .. })) => {
                vec![Command::Cancel { key }]
            }
            Some(Dialog::Compare { .. }) => self.stop_choosing(),
            _ => Vec::new(),
        }
    }

    pub(super) fn keep_settings(&self) -> Vec<Command> {
        vec![Command::SaveSettings { settings: self.settings.clone() }]
    }

    fn open_hub(&mut self, hub: HubRef) -> Vec<Command> {
        self.dialog = None;
        if matches!(&self.hub, HubState::Open(info) if info.hub == hub) {
            return Vec::new();
        }
        let mut commands = self.park_tabs();
        // An answer of the hub that is left says nothing of a twin of that name on the next one.
        self.running.retain(|_, running| running.purpose.outlives_its_hub());
        let name = self.hubs.iter().find(|entry| entry.hub == hub).map_or("the hub", |entry| entry.name.as_str());
        let key = self.start(format!("Opening {name}"), Purpose::Open(hub.clone()));
        self.hub = HubState::Opening { key, hub: hub.clone(), since: self.now };
        self.fleet = super::Fleet::default();
        self.feedback.clear();
        self.reach = None;
        self.forget_events();
        // Counters and lists belong to the hub in front.
        self.activity = super::Activity::default();
        self.recent.clear();
        self.faults = super::Faults::default();
        commands.push(Command::Open { key, hub });
        commands
    }

    /// Puts the tabs of the hub in front aside, drafts and all.
    fn park_tabs(&mut self) -> Vec<Command> {
        let HubState::Open(info) = &self.hub else { return Vec::new() };
        let hub = info.hub.clone();
        self.forget_all_about_twins();
        let commands = self.tabs.iter().map(|tab| Command::Unwatch { id: tab.id.clone() }).collect();
        for tab in &mut self.tabs {
            tab.park(self.now);
        }
        let tabs = std::mem::take(&mut self.tabs);
        // They are on disk, and found there when the hub is opened again.
        self.set_aside.clear();
        self.parked_activity.insert(hub.clone(), std::mem::take(&mut self.activity));
        self.parked.insert(hub, (tabs, self.active.take()));
        commands
    }

    pub(super) fn load_fleet(&mut self) -> Vec<Command> {
        let key = self.start("Listing devices".to_owned(), Purpose::Fleet);
        self.fleet.state.load(key, self.now);
        self.fleet.begin_listing();
        let mut commands = vec![Command::LoadFleet { key }];
        for device in self.fleet.expanded.clone() {
            commands.extend(self.load_modules(device));
        }
        commands
    }

    pub(super) fn load_modules(&mut self, device: String) -> Vec<Command> {
        let key = self.start(format!("Listing modules of {device}"), Purpose::Modules(device.clone()));
        self.fleet.modules.entry(device.clone()).or_default().load(key, self.now);
        vec![Command::LoadModules { key, device }]
    }

    fn expand(&mut self, device: String, open: bool) -> Vec<Command> {
        let mut commands = Vec::new();
        if open {
            self.fleet.expanded.insert(device.clone());
            if !matches!(self.fleet.modules.get(&device), Some(Remote::Ready { .. } | Remote::Loading { .. })) {
                commands = self.load_modules(device);
            }
        } else {
            self.fleet.expanded.remove(&device);
        }
        self.fleet.refresh_visible();
        commands
    }

    fn run_query(&mut self, text: &str) -> Vec<Command> {
        let text = query::heal(text).into_owned();
        let unclear = query::checked(&text).err();
        self.fleet.query.text.clone_from(&text);
        // The local hub has this very parser. What another hub understands, only that hub knows: it is asked in any case.
        let ours = matches!(&self.hub, HubState::Open(info) if info.hub == HubRef::Local);
        (self.fleet.query.problem, self.fleet.query.doubt) = if ours { (unclear, None) } else { (None, unclear) };
        if self.fleet.query.problem.is_some() {
            return Vec::new();
        }
        let key = self.start("Running the query".to_owned(), Purpose::Query);
        self.fleet.query.answer.load(key, self.now);
        vec![Command::Query { key, text, limit: QUERY_LIMIT }]
    }

    fn open_twin(&mut self, id: TwinId) -> Vec<Command> {
        if matches!(self.dialog, Some(Dialog::GoTo { .. } | Dialog::Palette { .. })) {
            self.dialog = None;
        }
        self.remember(&id);
        if let Some(index) = self.tabs.iter().position(|tab| tab.id == id) {
            return self.select_tab(index);
        }
        self.tabs.push(Tab::new(id.clone()));
        self.active = Some(self.tabs.len() - 1);
        self.take_back(&id);
        let mut commands = self.load_twin(&id);
        commands.push(Command::Watch { id });
        commands.extend(self.keep_tabs());
        commands
    }

    fn remember(&mut self, id: &TwinId) {
        self.recent.retain(|have| have != id);
        self.recent.insert(0, id.clone());
        self.recent.truncate(RECENT_MAX);
    }

    /// Which tabs are open is remembered per hub, and what they compare.
    pub(super) fn keep_tabs(&mut self) -> Vec<Command> {
        let HubState::Open(info) = &self.hub else { return Vec::new() };
        let word = hub_word(&info.hub);
        let tabs = self.tabs.iter().map(Tab::title).collect();
        let comparisons = self.tabs.iter().filter_map(|tab| Some((tab.title(), tab.compare.kept()?))).collect();
        self.settings.comparisons.insert(word.clone(), comparisons);
        self.settings.open_tabs.insert(word, tabs);
        self.keep_settings()
    }

    fn close_tab(&mut self, id: TwinId) -> Vec<Command> {
        if self.tab(&id).is_some_and(Tab::would_lose) {
            return self.show(Dialog::CloseTab { id });
        }
        self.drop_tab(&id)
    }

    /// Closes a tab; what is typed in it goes into the journal.
    pub(super) fn drop_tab(&mut self, id: &TwinId) -> Vec<Command> {
        let discarded = self.keep_discarded(id, Goes::All);
        let mut commands = self.remove_tab(id);
        commands.extend(discarded);
        commands
    }

    pub(super) fn remove_tab(&mut self, id: &TwinId) -> Vec<Command> {
        let unread = self.stop_comparing(id, None);
        if matches!(&self.dialog, Some(Dialog::CloseTab { id: asked }) if asked == id) {
            self.dialog = None;
        }
        let Some(index) = self.tabs.iter().position(|tab| tab.id == *id) else { return Vec::new() };
        let tab = self.tabs.remove(index);
        self.forget_notices(id);
        let forgotten = self.forget_draft(&tab);
        self.active = match self.active {
            _ if self.tabs.is_empty() => None,
            Some(active) if active > index || active == self.tabs.len() => Some(active - 1),
            other => other,
        };
        let mut commands = vec![Command::Unwatch { id: id.clone() }];
        commands.extend(unread);
        commands.extend(forgotten);
        if tab.act.is_some() {
            commands.extend(self.cancel_act(id));
            commands.push(Command::StopActing { id: id.clone() });
        }
        commands.extend(self.keep_tabs());
        commands
    }

    pub(super) fn select_tab(&mut self, index: usize) -> Vec<Command> {
        if let Some(tab) = self.tabs.get(index) {
            let id = tab.id.clone();
            let front = self.active == Some(index);
            self.active = Some(index);
            self.remember(&id);
            if !front {
                return self.load_sides_in_front();
            }
        }
        Vec::new()
    }

    fn turn_tab(&mut self, by: usize) -> Vec<Command> {
        match self.active {
            Some(active) if !self.tabs.is_empty() => self.select_tab((active + by) % self.tabs.len()),
            _ => Vec::new(),
        }
    }

    /// Asks for the key of a kept connection.
    fn show_new_key(&mut self, id: String) -> Vec<Command> {
        let hub = HubRef::Saved(id.clone());
        let Some(entry) = self.hubs.iter().find(|entry| entry.hub == hub) else { return Vec::new() };
        let renewal =
            Box::new(Renewal { id, name: entry.name.clone(), host: entry.host.clone(), policy: entry.policy.clone() });
        self.show(Dialog::AddConnection(AddConnection { renews: Some(renewal), ..AddConnection::default() }))
    }

    fn check_connection(&mut self, connect: crate::worker::Connect, then: Then) -> Vec<Command> {
        let key = self.start("Checking the connection".to_owned(), Purpose::Check);
        if let Some(Dialog::AddConnection(form)) = &mut self.dialog {
            form.check = Check::Running { key, connect: connect.clone(), then };
        }
        vec![Command::Check { key, connect }]
    }

    pub(super) fn add_connection(&mut self, connect: crate::worker::Connect) -> Vec<Command> {
        let key = self.start("Adding the connection".to_owned(), Purpose::Add);
        if let Some(Dialog::AddConnection(form)) = &mut self.dialog {
            form.check = Check::Adding { key, connect: connect.clone() };
        }
        vec![Command::Add { key, connect }]
    }

    fn remove_connection(&mut self, id: String) -> Vec<Command> {
        if matches!(&self.dialog, Some(Dialog::RemoveConnection { id: asked, .. }) if *asked == id) {
            self.dialog = Some(Dialog::Connections);
            let key = self.start("Removing the connection".to_owned(), Purpose::Remove);
            return vec![Command::Remove { key, id }];
        }
        let hub = HubRef::Saved(id.clone());
        let name = self.hubs.iter().find(|entry| entry.hub == hub).map_or_else(|| id.clone(), |e| e.name.clone());
        self.show(Dialog::RemoveConnection { id, name })
    }

    fn create(&mut self, id: TwinId) -> Vec<Command> {
        let broken = TwinId::check(id.module.as_deref().unwrap_or(&id.device)).err();
        let reserved = id.module.as_ref().is_some_and(|module| module.starts_with('$'));
        let bad = broken.map(|broken| broken.to_string()).or_else(|| {
            reserved.then(|| "Modules that begin with `$` are the hub's own and cannot be made by hand".to_owned())
        });
        let key = bad.is_none().then(|| self.start(format!("Creating {id}"), Purpose::Create(id.clone())));
        if let Some(Dialog::AddDevice { problem, running, .. } | Dialog::AddModule { problem, running, .. }) =
            &mut self.dialog
        {
            *problem = bad;
            *running = key;
        }
        key.map(|key| Command::CreateIdentity { key, id }).into_iter().collect()
    }

    fn show_delete(&mut self, id: TwinId) -> Vec<Command> {
        let modules = if id.module.is_some() { Some(0) } else { self.fleet.modules_of(&id.device).map(<[_]>::len) };
        let key = self.start(format!("Reading the identity of {id}"), Purpose::Identity(id.clone()));
        self.dialog = Some(Dialog::Delete { id: id.clone(), etag: None, modules, problem: None, running: None });
        let mut commands = vec![Command::LoadIdentity { key, id: id.clone() }];
        if modules.is_none() {
            commands.extend(self.load_modules(id.device));
        }
        commands
    }

    fn delete(&mut self, id: &TwinId) -> Vec<Command> {
        let Some(Dialog::Delete { id: asked, etag: Some(etag), running: None, .. }) = &self.dialog else {
            return Vec::new();
        };
        if asked != id {
            return Vec::new();
        }
        let etag = etag.clone();
        let key = self.start(format!("Deleting {id}"), Purpose::Delete(id.clone()));
        if let Some(Dialog::Delete { running, problem, .. }) = &mut self.dialog {
            *running = Some(key);
            *problem = None;
        }
        vec![Command::DeleteIdentity { key, id: id.clone(), etag }]
    }

    fn dialog_text(&mut self, field: Field, new: String) -> Vec<Command> {
        match (&mut self.dialog, field) {
            (Some(Dialog::AddConnection(form)), Field::Name) => form.name = new,
            (Some(Dialog::AddConnection(form)), Field::CaFile) => {
                form.ca_file = new;
                form.check = Check::NotYet;
            }
            (Some(Dialog::ActAs { mqtt_port: Some(text), problem, .. }), Field::Text) => {
                *problem = if new.is_empty() { None } else { super::act::mqtt_port(&new).err() };
                *text = new;
            }
            (Some(Dialog::GoToLine { text } | Dialog::Palette { text }), Field::Text) => *text = new,
            (Some(Dialog::GoTo { text } | Dialog::Compare { text, .. }), Field::Text) => {
                text.clone_from(&new);
                return self.look_for(&new);
            }
            (Some(Dialog::AddDevice { text, problem, .. } | Dialog::AddModule { text, problem, .. }), Field::Text) => {
                *problem = if new.is_empty() { None } else { TwinId::check(&new).err().map(|bad| bad.to_string()) };
                *text = new;
            }
            _ => {}
        }
        Vec::new()
    }

    fn secret_text(&mut self, secret: crate::protocol::secret::Secret) -> Vec<Command> {
        if let Some(Dialog::AddConnection(form)) = &mut self.dialog {
            form.connection_string = secret;
            let is_blank = form.connection_string.reveal().trim().is_empty();
            form.problem = if is_blank { None } else { form.understood().err() };
            form.check = Check::NotYet;
        }
        Vec::new()
    }
}

/// The word the settings know a hub by.
pub(super) fn hub_word(hub: &HubRef) -> String {
    match hub {
        HubRef::Local => "local".to_owned(),
        HubRef::Environment => "environment".to_owned(),
        HubRef::Saved(id) => id.clone(),
    }
}
