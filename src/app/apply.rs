//! Event → state: hubs, fleet, requests. What concerns one twin is in `apply_twin`.

use super::dialog::{AddConnection, Check, Field, Then};
use super::fleet::QueryAnswer;
use super::update::hub_word;
use super::{App, Dialog, HubState, Matter, Moment, NoticeKind, Purpose, Running};
use crate::client::HubError;
use crate::client::hub::RequestRecord;
use crate::twin::{Status, TwinId};
use crate::worker::event::{DeviceRow, HubEntry, HubInfo, Outcome, Reachability};
use crate::worker::{Command, Event, Fact, Failure, HubRef, Key};
use std::sync::Arc;

/// The key of the hub that the background half opens by itself at the start.
pub const FIRST_KEY: Key = Key(0);

impl App {
    /// Takes what the background half told. An answer nobody waits for any more is dropped. May ask for follow-up work.
    #[must_use]
    pub fn apply(&mut self, now: Moment, event: Event) -> Vec<Command> {
        self.now = now;
        let commands = self.take_event(event);
        self.see_bases();
        self.leave_moot_dialog();
        commands
    }

    fn take_event(&mut self, event: Event) -> Vec<Command> {
        if let Event::Done { key, .. } = &event
            && let Some((id, section)) = self.end_reading(*key)
        {
            return self.settle_reading(&id, section, event);
        }
        if !self.is_apart(&event) {
            self.settle_drafts();
        }
        let commands = match event {
            Event::Fact(fact) => self.take_fact(fact),
            Event::Done { key, outcome } => {
                let (purpose, unsent) =
                    self.running.remove(&key).map(|Running { purpose, unsent, .. }| (purpose, unsent)).unzip();
                match (purpose, outcome) {
                    (Some(purpose @ Purpose::Save(_)), Err(Failure::Cancelled)) if unsent == Some(true) => {
                        let why = "it was cancelled while it waited, so nothing was written".to_owned();
                        self.settle(key, purpose, Err(Failure::Local(why)))
                    }
                    (None, outcome) => self.settle_first(key, outcome),
                    (Some(purpose), outcome) => self.settle(key, purpose, outcome),
                }
            }
        };
        self.tell_back();
        commands
    }

    /// The hub that the background half opened by itself; once the person chose another it is of no interest.
    fn settle_first(&mut self, key: Key, outcome: Result<Outcome, Failure>) -> Vec<Command> {
        if key != FIRST_KEY || self.hub != HubState::Starting {
            return Vec::new();
        }
        match outcome {
            Ok(Outcome::Connected(info)) => self.opened(info),
            Ok(_) => Vec::new(),
            Err(failure) => {
                let given = self.hubs.iter().any(|entry| entry.hub == HubRef::Environment);
                let hub = if given { HubRef::Environment } else { HubRef::Local };
                self.hub = HubState::Failed { hub, failure };
                Vec::new()
            }
        }
    }

    fn take_fact(&mut self, fact: Fact) -> Vec<Command> {
        match fact {
            Fact::Hubs { hubs, secrets } => {
                // The first hub may have failed before it was told which one that was.
                if let HubState::Failed { hub, .. } = &mut self.hub
                    && self.hubs.is_empty()
                    && hubs.iter().any(|entry| entry.hub == HubRef::Environment)
                {
                    *hub = HubRef::Environment;
                }
                self.hubs = hubs;
                self.secrets = Some(secrets);
            }
            Fact::Settings(settings) => self.settings = settings,
            Fact::LocalHub(state) => {
                if let Err(why) = &state {
                    self.notice(NoticeKind::Problem, "The local hub did not start", Some(why.clone()));
                }
                self.local_hub = Some(state);
            }
            Fact::FleetPage { key, rows } => {
                if self.fleet.state.waits_for(key) {
                    self.fleet.take_page(rows);
                }
            }
            Fact::HubReachable(reach) => {
                let came_back =
                    matches!(self.reach, Some(Reachability::Offline { .. })) && reach == Reachability::Online;
                self.reach = Some(reach);
                if came_back {
                    self.tabs.iter_mut().for_each(|tab| tab.watch_problem = None);
                    // What became of a save without an answer can be read now.
                    let doubts = self.tabs.iter().filter(|tab| tab.in_doubt.is_some());
                    let doubts: Vec<TwinId> = doubts.map(|tab| tab.id.clone()).collect();
                    let mut commands: Vec<Command> = doubts.iter().flat_map(|id| self.load_twin(id)).collect();
                    if self.fleet.failure().is_some() {
                        commands.extend(self.load_fleet());
                    }
                    return commands;
                }
            }
            Fact::Waiting { key, wait, status } => self.take_wait(key, wait, status),
            Fact::Requests(records) => {
                // What went to another hub, to compare with it or to try it out, is none of this hub's activity.
                let host = self.host_in_front();
                let here = |record: &RequestRecord| host.as_ref().is_none_or(|host| *host == record.host);
                for record in records.into_iter().filter(here) {
                    self.activity.push_request(self.now, record);
                }
            }
            Fact::HubEvents { after, page } => self.take_events(after, *page),
            Fact::EventsFailed { error, then } => self.events_failed(error, then),
            Fact::MethodCalled { id, name, rid, payload } => return self.answer_call(id, &name, rid, &payload),
            Fact::MessageReceived { id, receipt, properties, body } => {
                return self.receive_message(id, receipt, &properties, &body);
            }
            Fact::Feedback(records) => self.take_feedback(records),
            Fact::Drafts(drafts) => return self.take_drafts(drafts),
            Fact::DraftsUnkept(why) => self.take_unkept(why),
            Fact::Notice(text) => self.notice(NoticeKind::Problem, text, None),
            other => self.take_twin_fact(other),
        }
        Vec::new()
    }

    /// Host and port of the hub in front, open or not; `None` before it is known which one that is.
    fn host_in_front(&self) -> Option<String> {
        let hub = match &self.hub {
            HubState::Open(info) => return Some(info.host.clone()),
            HubState::Opening { hub, .. } | HubState::Failed { hub, .. } => hub,
            HubState::Starting => return None,
        };
        self.hubs.iter().find(|entry| entry.hub == *hub).map(|entry| entry.host.clone())
    }

    fn opened(&mut self, info: HubInfo) -> Vec<Command> {
        let hub = info.hub.clone();
        self.hub = HubState::Open(info);
        self.reach = Some(Reachability::Online);
        self.opened_at = self.now;
        let word = hub_word(&hub);
        self.settings.last_hub = Some(word.clone());
        let mut commands = self.keep_settings();
        commands.extend(self.load_fleet());
        commands.extend(self.events_of_hub());
        commands.extend(self.faults_of_hub());
        if let Some(mut activity) = self.parked_activity.remove(&hub) {
            // What was asked of it while it was being opened comes last.
            activity.requests.extend(std::mem::take(&mut self.activity.requests));
            self.activity = activity;
        }
        if let Some((tabs, active)) = self.parked.remove(&hub) {
            self.recent = tabs.iter().map(|tab| tab.id.clone()).collect();
            self.tabs = tabs;
            self.active = active;
            for id in self.tabs.iter().map(|tab| tab.id.clone()).collect::<Vec<_>>() {
                commands.extend(self.load_twin(&id));
                if self.tab(&id).is_some_and(|tab| tab.watching) {
                    commands.push(Command::Watch { id });
                }
            }
            commands.extend(self.load_sides_in_front());
            return commands;
        }
        let comparisons = self.settings.comparisons.get(&word).cloned().unwrap_or_default();
        let titles = self.settings.open_tabs.get(&word).cloned().unwrap_or_default();
        for id in titles.iter().filter_map(|title| title.parse::<TwinId>().ok()) {
            commands.extend(self.update(self.now, super::Action::OpenTwin(id)));
        }
        commands.extend(self.take_comparisons(&comparisons));
        let places = self.settings.places.get(&word).cloned().unwrap_or_default();
        commands.extend(self.take_places(&places));
        commands
    }

    fn settle(&mut self, key: Key, purpose: Purpose, outcome: Result<Outcome, Failure>) -> Vec<Command> {
        match (purpose, outcome) {
            (Purpose::Open(hub), outcome) => return self.settle_open(key, hub, outcome),
            (Purpose::Check, outcome) => return self.settle_check(key, outcome),
            (Purpose::PickFile, Ok(Outcome::FilePicked(Some(file)))) => {
                let text = file.display().to_string();
                return self.update(self.now, super::Action::DialogText { field: Field::CaFile, text });
            }
            (Purpose::PickFile, _) => {}
            (Purpose::Add, outcome) => return self.settle_add(outcome),
            (Purpose::Remove, Ok(Outcome::Hubs(hubs))) => {
                self.all_settled(Matter::Connections);
                self.hubs = hubs;
            }
            (Purpose::Remove, Err(failure)) => {
                self.say_failure_of(Matter::Connections, "The connection was not removed", &failure);
            }
            (Purpose::Fleet, outcome) => self.settle_fleet(key, outcome),
            (Purpose::Modules(device), outcome) => self.settle_modules(key, &device, outcome),
            (Purpose::Query, outcome) => {
                let answer = match outcome {
                    Ok(Outcome::QueryRows { item_type, rows, more, ms }) => {
                        Ok(Arc::new(QueryAnswer { item_type, rows, more, ms }))
                    }
                    Ok(_) => return Vec::new(),
                    Err(failure) => Err(failure),
                };
                self.fleet.query.answer.settle(key, self.now, answer);
            }
            (Purpose::FindModules, outcome) => self.settle_finding(key, outcome),
            (Purpose::Faults, outcome) => self.settle_faults(key, outcome),
            (purpose @ (Purpose::SetFaults | Purpose::ClearFaults), outcome) => {
                self.settle_set_faults(key, &purpose, outcome);
            }
            (Purpose::Create(id), outcome) => return self.settle_create(key, &id, outcome),
            (Purpose::Delete(id), outcome) => return self.settle_delete(key, &id, outcome),
            (purpose, outcome) => return self.settle_twin(key, purpose, outcome),
        }
        Vec::new()
    }

    fn settle_open(&mut self, key: Key, hub: HubRef, outcome: Result<Outcome, Failure>) -> Vec<Command> {
        if !matches!(self.hub, HubState::Opening { key: waiting, .. } if waiting == key) {
            return Vec::new();
        }
        match outcome {
            Ok(Outcome::Connected(info)) => self.opened(info),
            Ok(_) => Vec::new(),
            Err(failure) => {
                self.hub = HubState::Failed { hub, failure };
                Vec::new()
            }
        }
    }

    fn settle_check(&mut self, key: Key, outcome: Result<Outcome, Failure>) -> Vec<Command> {
        let Some(Dialog::AddConnection(form)) = &mut self.dialog else { return Vec::new() };
        let Check::Running { key: waiting, connect, then } = &form.check else { return Vec::new() };
        if *waiting != key {
            return Vec::new();
        }
        let connect = connect.clone();
        if *then == Then::Add && matches!(outcome, Ok(Outcome::Checked(_))) {
            return self.add_connection(connect);
        }
        form.check = match outcome {
            Ok(Outcome::Checked(report)) => Check::Good { report, connect },
            Ok(_) | Err(Failure::Cancelled) => Check::NotYet,
            Err(failure) => Check::Bad { failure, connect: Some(connect) },
        };
        Vec::new()
    }

    /// The new hub is opened at once: that is what it was added for.
    fn settle_add(&mut self, outcome: Result<Outcome, Failure>) -> Vec<Command> {
        match outcome {
            Ok(Outcome::Hubs(hubs)) => {
                let is_new = |entry: &&HubEntry| !self.hubs.iter().any(|have| have.hub == entry.hub);
                let added = match &self.dialog {
                    Some(Dialog::AddConnection(AddConnection { renews: Some(renewal), .. })) => {
                        Some(HubRef::Saved(renewal.id.clone()))
                    }
                    _ => hubs.iter().find(is_new).or_else(|| hubs.last()).map(|entry| entry.hub.clone()),
                };
                self.all_settled(Matter::Connections);
                self.hubs = hubs;
                self.dialog = None;
                added.map(|hub| self.update(self.now, super::Action::OpenHub(hub))).unwrap_or_default()
            }
            Ok(_) => Vec::new(),
            Err(failure) => {
                if let Some(Dialog::AddConnection(form)) = &mut self.dialog {
                    // What the keyring does not take can be kept for the session.
                    let connect = match (&form.check, &failure) {
                        (Check::Adding { connect, .. }, Failure::KeyNotKept { .. }) => Some(connect.clone()),
                        _ => None,
                    };
                    form.check = Check::Bad { failure, connect };
                } else {
                    self.say_failure_of(Matter::Connections, "The connection was not added", &failure);
                }
                Vec::new()
            }
        }
    }

    fn settle_fleet(&mut self, key: Key, outcome: Result<Outcome, Failure>) {
        if !self.fleet.state.waits_for(key) {
            return;
        }
        match outcome {
            Ok(Outcome::FleetDone { devices, complete }) => {
                self.fleet.finish_listing();
                self.fleet.state.settle(key, self.now, Ok(devices));
                if complete {
                    self.fleet.told_incomplete = false;
                    self.all_settled(Matter::Listing);
                } else if !std::mem::replace(&mut self.fleet.told_incomplete, true) {
                    let text = "This policy may not run queries: only the first 1,000 devices are listed";
                    self.notice_of(Matter::Listing, NoticeKind::Info, text, None);
                }
            }
            Ok(_) => {}
            Err(failure) => {
                self.fleet.state.settle(key, self.now, Err(failure));
                self.fleet.refresh_visible();
            }
        }
    }

    fn settle_modules(&mut self, key: Key, device: &str, outcome: Result<Outcome, Failure>) {
        let answer = match outcome {
            Ok(Outcome::Modules { modules, .. }) => Ok(modules),
            Ok(_) => return,
            Err(failure) => Err(failure),
        };
        let count = answer.as_ref().ok().map(Vec::len);
        let Some(remote) = self.fleet.modules.get_mut(device) else { return };
        if !remote.waits_for(key) {
            return;
        }
        remote.settle(key, self.now, answer);
        if let Some(Dialog::Delete { id, modules, .. }) = &mut self.dialog
            && id.device == device
            && id.module.is_none()
        {
            *modules = count.or(*modules);
        }
        self.fleet.refresh_visible();
    }

    fn settle_create(&mut self, key: Key, id: &TwinId, outcome: Result<Outcome, Failure>) -> Vec<Command> {
        let failure = match outcome {
            Ok(Outcome::Created { identity, existed }) => {
                // Another dialog of the kind may have been opened since.
                if let Some(Dialog::AddDevice { running, .. } | Dialog::AddModule { running, .. }) = &self.dialog
                    && *running == Some(key)
                {
                    self.dialog = None;
                }
                let text = if existed {
                    format!("{id} existed already and was fetched")
                } else {
                    format!("Created {id} with keys made by the hub")
                };
                self.notice_about(Matter::Existence, std::slice::from_ref(id), NoticeKind::Good, text, None);
                let mut commands = self.show_created(id, identity.status, identity.connection_state, identity.iot_edge);
                commands.extend(self.update(self.now, super::Action::OpenTwin(id.clone())));
                let now = self.now;
                if let Some(tab) = self.tab_mut(id) {
                    tab.identity = super::Remote::Ready { value: identity, at: now };
                }
                return commands;
            }
            Ok(_) => return Vec::new(),
            Err(failure) => failure,
        };
        match &mut self.dialog {
            Some(Dialog::AddDevice { problem, running, .. } | Dialog::AddModule { problem, running, .. })
                if *running == Some(key) =>
            {
                *problem = Some(failure_sentence(&failure));
                *running = None;
            }
            _ => {
                self.say_failure_about(Matter::Existence, id, &format!("{id} was not created"), &failure);
            }
        }
        Vec::new()
    }

    fn show_created(
        &mut self,
        id: &TwinId,
        status: Status,
        connection_state: crate::twin::ConnectionState,
        iot_edge: bool,
    ) -> Vec<Command> {
        if id.module.is_some() {
            self.fleet.expanded.insert(id.device.clone());
            return self.load_modules(id.device.clone());
        }
        let row = DeviceRow { id: id.device.clone(), status, connection_state, modules: Some(0), iot_edge };
        self.fleet.put_device(row);
        Vec::new()
    }

    fn settle_delete(&mut self, key: Key, id: &TwinId, outcome: Result<Outcome, Failure>) -> Vec<Command> {
        let failure = match outcome {
            Ok(Outcome::Deleted { .. }) => {
                if matches!(&self.dialog, Some(Dialog::Delete { id: asked, .. }) if asked == id) {
                    self.dialog = None;
                }
                let text = format!("Deleted {id}");
                self.notice_about(Matter::Existence, std::slice::from_ref(id), NoticeKind::Good, text, None);
                self.fleet.remove(id);
                let gone: Vec<TwinId> = self
                    .tabs
                    .iter()
                    .map(|tab| tab.id.clone())
                    .filter(|tab| tab == id || (id.module.is_none() && tab.device == id.device))
                    .collect();
                self.recent.retain(|have| !gone.contains(have));
                return gone.iter().flat_map(|id| self.drop_tab(id)).collect();
            }
            Ok(_) => return Vec::new(),
            Err(failure) => failure,
        };
        if let Some(Dialog::Delete { problem, running, etag, .. }) = &mut self.dialog
            && *running == Some(key)
        {
            *problem = Some(failure_sentence(&failure));
            *running = None;
            // A record that moved is shown anew before it can be deleted.
            if matches!(failure, Failure::Hub(HubError::Conflict { .. })) {
                *etag = None;
                return self.load_identity(id);
            }
        } else {
            self.say_failure_about(Matter::Existence, id, &format!("{id} was not deleted"), &failure);
        }
        Vec::new()
    }

    /// The same as the newest word on a matter of one twin.
    pub(super) fn say_failure_about(&mut self, matter: Matter, id: &TwinId, what: &str, failure: &Failure) {
        if *failure == Failure::Cancelled {
            return;
        }
        let text = format!("{what}: {}", failure_sentence(failure));
        self.notice_about(matter, std::slice::from_ref(id), NoticeKind::Problem, text, failure_detail(failure));
    }

    /// The same on a matter that is not one twin's.
    fn say_failure_of(&mut self, matter: Matter, what: &str, failure: &Failure) {
        if *failure == Failure::Cancelled {
            return;
        }
        let text = format!("{what}: {}", failure_sentence(failure));
        self.notice_of(matter, NoticeKind::Problem, text, failure_detail(failure));
    }
}

/// What went wrong, in a sentence without a full stop.
pub fn failure_sentence(failure: &Failure) -> String {
    match failure {
        Failure::Hub(error) => match error.service().and_then(|service| service.message.as_ref()) {
            Some(message) if !message.is_empty() => format!("{error} ({message})"),
            _ => error.to_string(),
        },
        Failure::Unknown { landed: Some(true), .. } => {
            "the answer was lost, but the hub has your values: the save was carried out".to_owned()
        }
        Failure::Unknown { landed: Some(false), .. } => {
            "the answer was lost and the hub still has the old version: the save was not carried out".to_owned()
        }
        Failure::Unknown { landed: None, reason, .. } => {
            format!("the answer was lost and the hub could not tell whether the save was carried out: {reason}")
        }
        Failure::Local(sentence) => sentence.clone(),
        Failure::KeyNotKept { why } => format!("the key could not be kept in the keyring: {why}"),
        Failure::NoKey { name, why: None, .. } => format!("the keyring has no key for {name}"),
        Failure::NoKey { name, why: Some(why), .. } => format!("the key of {name} cannot be read: {why}"),
        Failure::Cancelled => "cancelled".to_owned(),
        Failure::Panicked(sentence) => format!("this program made a mistake: {sentence}"),
    }
}

/// What is worth copying into a report: advice, error code, tracking id.
pub fn failure_detail(failure: &Failure) -> Option<String> {
    let Failure::Hub(error) = failure else { return None };
    let mut lines = vec![error.advice()];
    if let Some(service) = error.service() {
        if let Some(name) = &service.name {
            lines.push(format!("Error code: {name}{}", service.number.map(|n| format!(" ({n})")).unwrap_or_default()));
        }
        if let Some(id) = &service.tracking_id {
            lines.push(format!("Tracking id: {id}"));
        }
    }
    Some(lines.join("\n"))
}
