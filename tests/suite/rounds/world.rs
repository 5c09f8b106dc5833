//! Two people at one twin of one hub, and what chance lets them do.

use super::account::Account;
use super::docs::{Docs, Leaves};
use super::seat::Seat;
use crate::journeys::Second;
use crate::restarting::Restarting;
use crate::worker::rig::{OwnHub, object};
use serde_json::json;
use std::time::Duration;
use twinscope::app::Action;
use twinscope::client::HubClient;
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::fault::Plan;
use twinscope::protocol::identity::IdentityRequest;
use twinscope::protocol::rest::IfMatch;
use twinscope::twin::merge::{Choice, Clash};
use twinscope::twin::{Json, Section, TwinId, text};
use twinscope::worker::Command;

/// Whether a third one writes without looking, between everybody's look and save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    Calm,
    Storm,
}

/// Whether the device is deleted and created again now and then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lives {
    One,
    /// Each life's counters begin anywhere.
    Many,
    /// Each life has the etags of the one before.
    ManyAlike,
}

pub struct World {
    hub: OwnHub,
    /// What the two programs reach the hub by, where its counters restart.
    restarting: Option<Restarting>,
    /// What the two programs read.
    reader: HubClient,
    lives: Lives,
    second: Second,
    client: HubClient,
    pub id: TwinId,
    pub seats: [Seat; 2],
    pub account: Account,
    pub random: fastrand::Rng,
    weather: Weather,
    values: usize,
    pub faulty: bool,
}

impl World {
    pub fn start(seed: u64, weather: Weather, lives: Lives) -> Self {
        let hub = OwnHub::start(FleetChoice::Empty);
        let second = Second::at(&hub);
        let id = TwinId::device("shared");
        second.create(&id);
        let restarting = (lives == Lives::ManyAlike).then(|| Restarting::start(&hub));
        if let Some(restarting) = &restarting {
            restarting.born(&second.twin(&id));
        }
        let (connection, ca_file) = match &restarting {
            Some(restarting) => (restarting.connection(&hub), restarting.ca_file()),
            None => (hub.connection(), hub.ca_file()),
        };
        let seats = ['A', 'B'].map(|name| Seat::take(&connection, ca_file.clone(), name, &id));
        let (client, reader) = (hub.client(), crate::worker::rig::client(&connection, &ca_file));
        let random = fastrand::Rng::with_seed(seed);
        Self {
            restarting,
            reader,
            lives,
            hub,
            second,
            client,
            id,
            seats,
            account: Account::default(),
            random,
            weather,
            values: 0,
            faulty: false,
        }
    }

    pub fn strike(&mut self, faults: &[&str], seed: u64) {
        let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
        self.faulty = true;
        self.hub.runtime.block_on(self.client.set_faults(&Plan { seed: Some(seed), faults })).unwrap();
    }

    /// How often the faults struck, all together; they end.
    pub fn calm(&mut self) -> u64 {
        let report = self.hub.runtime.block_on(self.client.faults()).unwrap();
        self.hub.runtime.block_on(self.client.clear_faults()).unwrap();
        self.faulty = false;
        report.faults.iter().map(|fault| fault.struck).sum()
    }

    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.random.u32(..100) < percent
    }

    /// One of the two has a turn.
    pub fn round(&mut self, number: usize) {
        self.account.note(format!("round {number}"));
        if self.lives != Lives::One && self.chance(5) {
            self.create_again();
        }
        let who = if self.chance(80) { number % 2 } else { self.random.usize(..2) };
        self.turn(who, 0);
        self.pass();
    }

    pub(super) fn turn(&mut self, who: usize, depth: u32) {
        if self.seats[who].is_sending() {
            return;
        }
        self.finish_word(who);
        if self.seats[who].tab().conflict_open {
            return self.resolve(who, depth);
        }
        if self.chance(90) {
            self.type_some(who);
        }
        let id = self.id.clone();
        match self.random.u32(..100) {
            0..44 => self.save(who, depth),
            44..56 => self.replace(who, depth),
            56..62 => self.revert_to_the_past(who, depth),
            62..67 => self.seats[who].refresh(),
            67..71 => self.discard(who, Action::Discard(id)),
            71..78 => self.revert_one(who),
            78..84 => self.stop_in_a_word(who),
            84..88 => drop(self.seats[who].act(Action::DismissSave(id))),
            _ => {}
        }
        self.pass();
    }

    /// News arrive, versions are accounted for, and everybody's screen is looked at.
    pub(super) fn pass(&mut self) {
        for seat in 0..2 {
            self.seats[seat].drain();
            if self.chance(30) {
                self.watch(seat);
            }
        }
        self.take_versions();
        for seat in 0..2 {
            let name = self.seats[seat].name;
            if self.account.is_waiting(name) && !self.seats[seat].is_sending() {
                self.account.says(name, self.seats[seat].said());
            }
            if self.chance(70) {
                self.follow(seat);
            }
            self.look(seat);
        }
    }

    /// The watch reads.
    pub(super) fn watch(&mut self, who: usize) {
        let twin = self.hub.runtime.block_on(self.reader.twin(&self.id)).unwrap();
        self.seats[who].watched(twin);
    }

    fn take_versions(&mut self) {
        let after = self.account.next_event();
        let page = self.hub.runtime.block_on(self.client.events(after, Duration::ZERO)).unwrap();
        self.account.take(&page);
    }

    /// The window does so in every frame, unless a caret stands there.
    fn follow(&mut self, who: usize) {
        let seat = &mut self.seats[who];
        if seat.tab().to_follow().is_some()
            && let Some(shown) = seat.tab().shown()
        {
            seat.act(Action::FollowHub { id: self.id.clone(), shown });
            self.account.tally.followed += 1;
        }
    }

    fn look(&mut self, who: usize) {
        let seat = &self.seats[who];
        let (draft, text) = (seat.draft(), &seat.draft().desired.text);
        if let Some(whole) = &seat.whole {
            let half = *text == half(whole);
            self.account.ensure(half, &format!("{} has another text under the caret: {text}", seat.name));
        }
        self.account.check(seat.name, &Docs::of(&draft.base), Docs::typed(draft).as_ref());
    }

    fn key(&mut self) -> String {
        // Both often reach for the same ones.
        format!("k{}", self.random.usize(..10).min(self.random.usize(..10)))
    }

    fn type_some(&mut self, who: usize) {
        let Some(before) = Docs::typed(self.seats[who].draft()) else { return };
        let section = if self.chance(25) { Section::Tags } else { Section::Desired };
        let mut after = before.clone();
        for _ in 0..self.random.usize(1..=2) {
            let (key, inner) = (self.key(), self.key());
            self.values += 1;
            let value = Json::from(format!("{}{}", self.seats[who].name, self.values));
            let nested = self.chance(45);
            let document = after.section_mut(section);
            match self.random.u32(..100) {
                0..25 if nested => {
                    if let Some(Json::Object(group)) = document.get_mut(&key) {
                        group.shift_remove(&inner);
                    }
                }
                0..25 => drop(document.shift_remove(&key)),
                _ if nested => match document.get_mut(&key) {
                    Some(Json::Object(group)) => drop(group.insert(inner, value)),
                    _ => drop(document.insert(key, json!({ inner: value }))),
                },
                _ => drop(document.insert(key, value)),
            }
        }
        let new = text::pretty(after.section(section));
        self.put_text(who, section, new);
    }

    /// Takes one whole key away.
    pub(super) fn delete_some(&mut self, who: usize) {
        let Some(before) = Docs::typed(self.seats[who].draft()) else { return };
        let section = if self.chance(25) { Section::Tags } else { Section::Desired };
        let mut after = before.section(section).clone();
        let keys: Vec<String> = after.keys().cloned().collect();
        if let Some(key) = self.random.choice(&keys) {
            after.shift_remove(key);
            self.put_text(who, section, text::pretty(&after));
        }
    }

    fn put_text(&mut self, who: usize, section: Section, text: String) {
        let seat = &mut self.seats[who];
        let before = Docs::typed(seat.draft());
        seat.act(Action::Edit { id: self.id.clone(), section, text });
        self.account_for_typing(who, before);
    }

    /// Whatever an act of the person made of the texts.
    fn account_for_typing(&mut self, who: usize, before: Option<Docs>) {
        let draft = self.seats[who].draft();
        if let (Some(before), Some(after)) = (before, Docs::typed(draft)) {
            self.account.types(self.seats[who].name, &Docs::of(&draft.base), &before, &after);
        }
    }

    fn stop_in_a_word(&mut self, who: usize) {
        let text = self.seats[who].draft().desired.text.clone();
        self.seats[who].whole = Some(text.clone());
        self.put_text(who, Section::Desired, half(&text));
        let commands = self.seats[who].act(Action::Save(self.id.clone()));
        self.account.ensure(commands.is_empty(), "half a text is saved");
    }

    fn finish_word(&mut self, who: usize) {
        if let Some(whole) = self.seats[who].whole.take() {
            self.seats[who].act(Action::Edit { id: self.id.clone(), section: Section::Desired, text: whole });
        }
    }

    fn revert_one(&mut self, who: usize) {
        let section = if self.chance(25) { Section::Tags } else { Section::Desired };
        let changes = &self.seats[who].draft().section(section).changes;
        if changes.is_empty() {
            return;
        }
        let change = changes[self.random.usize(..changes.len())].clone();
        let before = Docs::typed(self.seats[who].draft());
        self.seats[who].act(Action::RevertChange { id: self.id.clone(), section, change });
        self.account_for_typing(who, before);
    }

    /// Asks, and answers that all may go.
    fn discard(&mut self, who: usize, ask: Action) {
        self.seats[who].act(ask);
        self.seats[who].act(Action::DiscardNow(self.id.clone()));
        self.account.note(format!("{} discards", self.seats[who].name));
        self.account.discards(self.seats[who].name);
    }

    fn save(&mut self, who: usize, depth: u32) {
        if !self.send(who, Action::Save(self.id.clone()), Leaves::new()) {
            if self.seats[who].tab().conflict_open {
                self.resolve(who, depth);
            }
            return;
        }
        self.await_save(who, depth);
    }

    pub(super) fn await_save(&mut self, who: usize, depth: u32) {
        self.await_answer(who, depth);
        for _ in 0..3 {
            if !self.seats[who].tab().conflict_open {
                return;
            }
            self.account.tally.conflicts += 1;
            self.resolve(who, depth + 1);
        }
    }

    /// A storm strikes between everybody's look and save.
    pub(super) fn blow(&mut self) {
        if self.lives != Lives::One && self.chance(12) {
            self.create_again();
        }
        if self.weather == Weather::Storm && self.chance(60) {
            self.write_between();
        }
    }

    /// Whether a PATCH went out.
    fn send(&mut self, who: usize, action: Action, dropped: Leaves) -> bool {
        self.blow();
        let commands = self.seats[who].act(action);
        let body = commands.iter().find_map(|command| match command {
            Command::PatchTwin { body, .. } => Some(body.clone()),
            _ => None,
        });
        if let Some(body) = &body {
            self.account.sends(self.seats[who].name, body, dropped);
        }
        body.is_some()
    }

    /// Somebody deletes the device and creates it again, and mostly writes a few values.
    fn create_again(&mut self) {
        if self.seats.iter().any(Seat::is_sending) {
            return;
        }
        self.take_versions();
        let request = IdentityRequest::new(self.id.clone());
        self.hub.runtime.block_on(self.client.delete_identity(&self.id, &IfMatch::Any)).unwrap();
        self.hub.runtime.block_on(self.client.create_or_get(&request)).unwrap();
        if let Some(restarting) = &self.restarting {
            restarting.born(&self.second.twin(&self.id));
        }
        self.account.begins_anew();
        self.take_versions();
        for _ in 0..self.random.usize(..6) {
            self.write_between();
        }
    }

    fn write_between(&mut self) {
        self.values += 1;
        let values = json!({ self.key(): format!("C{}", self.values) });
        self.account.writes('C', &object(json!({ "properties": { "desired": values.clone() } })));
        self.second.patch(&self.id, values);
        self.take_versions();
    }

    /// Somebody who does not look sets a tag that nobody else has.
    pub(super) fn tag_between(&mut self) {
        self.values += 1;
        let (key, value) = (format!("c{}", self.values % 3), format!("C{}", self.values));
        let body = object(json!({ "tags": { key: value } }));
        self.account.writes('C', &body);
        self.hub.runtime.block_on(self.client.patch_twin(&self.id, &body, &IfMatch::Any)).unwrap();
        self.take_versions();
    }

    fn await_answer(&mut self, who: usize, depth: u32) {
        if self.chance(25) {
            self.account.tally.meanwhile += 1;
            self.type_some(who);
        }
        if depth == 0 && self.chance(35) {
            self.turn(1 - who, depth + 1);
        }
        self.seats[who].settle();
        self.pass();
    }

    /// Somebody sits before base, mine and theirs.
    pub(super) fn resolve(&mut self, who: usize, depth: u32) {
        self.finish_word(who);
        let (id, name) = (self.id.clone(), self.seats[who].name);
        self.seats[who].act(Action::ShowConflict(id.clone()));
        self.choose(who);
        let Some(moved) = &self.seats[who].tab().moved else { return };
        let (seen, changes) = (moved.clashes.clone(), moved.changes.clone());
        self.account.sees_clashes(name, &seen);
        let Some(shown) = self.seats[who].tab().shown() else { return };
        let chosen = self.chosen(who);
        if depth == 0 && self.chance(20) {
            self.turn(1 - who, depth + 1);
            self.seats[who].drain();
        }
        match self.random.u32(..100) {
            0..60 => {
                let dropped = self.account.would_drop(name, &chosen);
                if self.send(who, Action::SaveMerged { id, shown }, dropped.clone()) {
                    self.account.tally.merged += 1;
                    self.await_answer(who, depth);
                } else if self.seats[who].tab().moved.is_none() {
                    // There was nothing left to send.
                    self.account.gives_up(name, &dropped);
                }
            }
            60..74 => {
                self.account.sees_changes(name, &changes);
                if self.send(who, Action::OverwriteHubVersion { id, shown }, Leaves::new()) {
                    self.account.tally.overwritten += 1;
                    self.await_answer(who, depth);
                }
            }
            74..88 => {
                let chosen = self.chosen(who);
                let seen: Vec<(Section, Clash)> = chosen.iter().map(|(s, clash, _)| (*s, clash.clone())).collect();
                self.account.sees_clashes(name, &seen);
                let dropped = self.account.would_drop(name, &chosen);
                self.seats[who].act(Action::RebaseEdits(id));
                self.account.gives_up(name, &dropped);
                self.account.tally.rebased += 1;
            }
            88..92 => self.discard(who, Action::ReloadFromHub(id)),
            _ => drop(self.seats[who].act(Action::LeaveConflict(id))),
        }
        self.pass();
    }

    fn choose(&mut self, who: usize) {
        let id = self.id.clone();
        let clashes = self.seats[who].tab().moved.as_ref().map(|moved| moved.clashes.clone()).unwrap_or_default();
        if self.chance(10) {
            self.seats[who].act(Action::ChooseAll { id: id.clone(), choice: Choice::Mine });
        }
        for (section, clash) in clashes {
            let choice = match self.random.u32(..100) {
                0..45 => Choice::Mine,
                45..90 => Choice::Theirs,
                _ => Choice::Base,
            };
            self.account.note(format!("{} chooses {choice:?} at {}", self.seats[who].name, clash.path));
            self.account.tally.mine += usize::from(choice == Choice::Mine);
            self.account.tally.theirs += usize::from(choice == Choice::Theirs);
            self.seats[who].act(Action::Choose { id: id.clone(), section, path: clash.path, choice });
        }
    }

    /// The clashes with what is chosen for each; mine where nothing is.
    fn chosen(&self, who: usize) -> Vec<(Section, Clash, Choice)> {
        let Some(moved) = &self.seats[who].tab().moved else { return Vec::new() };
        let clashes = moved.clashes.iter().zip(&moved.chosen);
        clashes.map(|((section, clash), choice)| (*section, clash.clone(), choice.unwrap_or_default())).collect()
    }

    /// Everybody saves what is left, until all screens say what the hub says.
    pub fn close(&mut self) {
        self.weather = Weather::Calm;
        for n in 0..60 {
            self.account.note(format!("closing {n}"));
            for who in 0..2 {
                self.seats[who].settle();
                self.pass();
                self.finish_word(who);
                self.seats[who].refresh();
                if self.seats[who].tab().is_dirty() {
                    self.save(who, 1);
                }
                self.pass();
            }
            if self.seats.iter().all(|seat| !seat.tab().is_dirty() && !seat.is_sending()) {
                break;
            }
        }
        for who in 0..2 {
            self.seats[who].refresh();
        }
        self.take_versions();
        self.account.close();
        let hub = Docs::of(&self.second.twin(&self.id));
        self.account.ensure(hub == self.account.hub, "the event stream told something else than the hub has");
        for seat in &self.seats {
            let text = Docs::typed(seat.draft());
            let same = text.as_ref() == Some(&hub);
            self.account.ensure(same, &format!("the screen of {} says something else: {text:?}", seat.name));
        }
    }
}

fn half(text: &str) -> String {
    format!("{text}\n\"in the midd")
}
