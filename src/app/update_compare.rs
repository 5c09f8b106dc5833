//! Action → state and commands, and answers → state, for comparisons.

use super::compare::{CompareAct, OWN, Origin, Other, Side, Stand};
use super::tab::Pane;
use super::{App, Dialog, NoticeKind, Purpose, Remote};
use crate::disk::journal::EntryKey;
use crate::twin::TwinId;
use crate::twin::diff::Change;
use crate::worker::event::Outcome;
use crate::worker::{Command, Failure, Key};
use std::sync::Arc;

impl App {
    pub(super) fn compare_act(&mut self, id: &TwinId, act: CompareAct) -> Vec<Command> {
        let Some(tab) = self.tab_mut(id) else { return Vec::new() };
        let compare = &mut tab.compare;
        match act {
            CompareAct::Ask(version) => {
                self.dialog = Some(Dialog::Compare { id: id.clone(), version, text: String::new() });
                let unread = self.tab(id).is_some_and(|tab| matches!(tab.history.timeline, Remote::Idle));
                // Versions are offered too.
                return if unread { self.load_timeline(id) } else { Vec::new() };
            }
            CompareAct::With { other, version } => return self.compare_with(id, other, version),
            CompareAct::WithVersion(key) => {
                self.dialog = None;
                let Some(origin) = self.version(id, key) else { return Vec::new() };
                let (number, commands) = self.add_side(id, origin);
                self.put_in_front(id, number, OWN);
                return commands;
            }
            CompareAct::Drop(number) => {
                compare.sides.retain(|side| side.number != number);
                let other = compare.sides.last().map_or(OWN, |side| side.number);
                if compare.left == number {
                    compare.left = other;
                }
                if compare.right == number {
                    compare.right = OWN;
                }
            }
            CompareAct::Left(number) => {
                if compare.right == number {
                    compare.right = compare.left;
                }
                compare.left = number;
            }
            CompareAct::Right(number) => {
                if compare.left == number {
                    compare.left = compare.right;
                }
                compare.right = number;
            }
            CompareAct::Section(section) => compare.section = section,
            CompareAct::Face(face) => compare.face = face,
            CompareAct::Load(number) => return self.load_side(id, number),
            CompareAct::Take(changes) => self.take_over(id, changes),
            CompareAct::Turn => return self.turn_comparison(id),
        }
        Vec::new()
    }

    fn compare_with(&mut self, id: &TwinId, other: Other, version: Option<EntryKey>) -> Vec<Command> {
        self.dialog = None;
        let origin = match other {
            Other::Twin(id) => Origin::Twin(id),
            Other::Elsewhere { hub, id } => Origin::Elsewhere { hub_name: self.hub_name(&hub), hub, id },
        };
        let (mut commands, mut right) = (Vec::new(), OWN);
        if let Some(origin) = version.and_then(|key| self.version(id, key)) {
            let (number, asked) = self.add_side(id, origin);
            (commands, right) = (asked, number);
        }
        let (left, asked) = self.add_side(id, origin);
        commands.extend(asked);
        self.put_in_front(id, left, right);
        commands
    }

    fn version(&self, id: &TwinId, key: EntryKey) -> Option<Origin> {
        let entry = self.tab(id)?.history.entry(key)?;
        Some(Origin::Version { of: id.clone(), entry: Box::new(entry.clone()) })
    }

    fn put_in_front(&mut self, id: &TwinId, left: u64, right: u64) {
        if let Some(tab) = self.tab_mut(id) {
            tab.pane = Pane::Compare;
            (tab.compare.left, tab.compare.right) = (left, right);
        }
    }

    /// The number of a side with this origin, made if there is none; where there is no room, the tab's own.
    fn add_side(&mut self, id: &TwinId, origin: Origin) -> (u64, Vec<Command>) {
        let Some(tab) = self.tab_mut(id) else { return (OWN, Vec::new()) };
        if matches!(&origin, Origin::Twin(other) if other == id) {
            return (OWN, Vec::new());
        }
        let compare = &mut tab.compare;
        if let Some(side) = compare.sides.iter().find(|side| side.origin == origin) {
            let number = side.number;
            return (number, self.load_side(id, number));
        }
        if compare.is_full() {
            let text = format!(
                "No more than {} documents are compared at once: take one away first",
                super::compare::SIDES_MAX
            );
            self.notice(NoticeKind::Info, text, None);
            return (OWN, Vec::new());
        }
        compare.last += 1;
        let number = compare.last;
        compare.sides.push(Side { number, origin, twin: Remote::Idle });
        (number, self.load_side(id, number))
    }

    fn load_side(&mut self, id: &TwinId, number: u64) -> Vec<Command> {
        let Some(side) = self.tab(id).and_then(|tab| tab.compare.side(number)) else { return Vec::new() };
        if side.twin.is_loading() {
            return Vec::new();
        }
        let (origin, what) = (side.origin.clone(), format!("Reading {}", side.name()));
        if let Origin::Elsewhere { hub, id: other, .. } = &origin {
            let value = self.parked_twin(hub, other);
            let now = self.now;
            if let (Some(value), Some(side)) = (value, self.side_mut(id, number)) {
                side.twin = Remote::Ready { value, at: now };
            }
            return Vec::new();
        }
        let key = self.start(what, Purpose::Compared { tab: id.clone(), side: number });
        let now = self.now;
        if let Some(side) = self.side_mut(id, number) {
            side.twin.load(key, now);
        }
        vec![match origin {
            Origin::Version { entry, .. } => Command::LoadVersions { key, entries: vec![*entry] },
            Origin::Twin(other) | Origin::Elsewhere { id: other, .. } => Command::LoadTwin { key, id: other },
        }]
    }

    fn side_mut(&mut self, id: &TwinId, number: u64) -> Option<&mut Side> {
        self.tab_mut(id)?.compare.side_mut(number)
    }

    fn parked_twin(&self, hub: &crate::worker::HubRef, id: &TwinId) -> Option<Arc<crate::twin::Twin>> {
        let (tabs, _) = self.parked.get(hub)?;
        tabs.iter().find(|tab| tab.id == *id)?.newest()
    }

    pub(super) fn settle_compared(&mut self, key: Key, id: &TwinId, number: u64, outcome: Result<Outcome, Failure>) {
        let now = self.now;
        let Some(side) = self.side_mut(id, number) else { return };
        let answer = match outcome {
            Ok(Outcome::Twin(twin)) => Ok(twin),
            Ok(Outcome::Versions(mut versions)) => match versions.pop() {
                Some(Ok(twin)) => Ok(twin),
                Some(Err(why)) => Err(Failure::Local(why)),
                None => return,
            },
            Ok(_) => return,
            Err(failure) => Err(failure),
        };
        side.twin.settle(key, now, answer);
    }

    /// Only what is on the screen is taken: a change whose two sides moved meanwhile is left alone.
    fn take_over(&mut self, id: &TwinId, changes: Vec<Change>) {
        let Some(tab) = self.tab(id) else { return };
        if tab.take_refusal().is_some() {
            return;
        }
        let section = tab.compare.section;
        let sides = (self.stand(tab, tab.compare.left), self.stand(tab, OWN));
        let (Stand::Ready { document: from, .. }, Stand::Ready { document: into, .. }) = sides else { return };
        let asked = changes.len();
        let stands = |change: &Change| {
            change.path.find(from) == change.before.as_ref() && change.path.find(into) == change.after.as_ref()
        };
        let changes: Vec<Change> = changes.into_iter().filter(stands).collect();
        let from = from.clone();
        if changes.len() < asked {
            let text = "What was compared has moved meanwhile: look once more and take it again";
            self.notice(NoticeKind::Info, text, None);
        }
        self.with_draft(id, |draft| draft.take(section, &from, &changes));
    }

    fn turn_comparison(&mut self, id: &TwinId) -> Vec<Command> {
        let Some(compare) = self.tab(id).map(|tab| &tab.compare) else { return Vec::new() };
        let Some(Origin::Twin(target)) = compare.side(compare.right).map(|side| side.origin.clone()) else {
            return Vec::new();
        };
        let (section, face) = (compare.section, compare.face);
        let left = compare.side(compare.left).map_or_else(|| Origin::Twin(id.clone()), |side| side.origin.clone());
        let mut commands = self.update(self.now, super::Action::OpenTwin(target.clone()));
        let (number, asked) = self.add_side(&target, left);
        commands.extend(asked);
        self.put_in_front(&target, number, OWN);
        if let Some(tab) = self.tab_mut(&target) {
            (tab.compare.section, tab.compare.face) = (section, face);
        }
        commands
    }
}
