//! Action → state and commands, and answers → state, for comparisons.

use super::compare::{CompareAct, OWN, Origin, Other, Side, Stand, Taking};
use super::sources::Source;
use super::tab::Pane;
use super::{App, Matter, Moment, NoticeKind, Purpose, Remote};
use crate::disk::journal::EntryKey;
use crate::twin::TwinId;
use crate::twin::diff::Change;
use crate::worker::event::Outcome;
use crate::worker::{Command, Failure, Key};

/// What was read longer ago is read again before it is relied on.
const FRESH_MS: u64 = 5_000;

fn is_old(read: Option<Moment>, now: Moment) -> bool {
    read.is_none_or(|at| now.ms.saturating_sub(at.ms) >= FRESH_MS)
}

impl App {
    pub(super) fn compare_act(&mut self, id: &TwinId, act: CompareAct) -> Vec<Command> {
        let kept = |app: &Self| app.tabs.iter().map(|tab| tab.compare.kept()).collect::<Vec<_>>();
        let before = kept(self);
        let mut commands = self.compare_now(id, act);
        // What is compared is kept with the tabs.
        if kept(self) != before {
            commands.extend(self.keep_tabs());
        }
        commands
    }

    fn compare_now(&mut self, id: &TwinId, act: CompareAct) -> Vec<Command> {
        let Some(tab) = self.tab_mut(id) else { return Vec::new() };
        let compare = &mut tab.compare;
        let mut commands = Vec::new();
        match act {
            CompareAct::Ask(version) => return self.choose_from(id, Source::Here, version),
            CompareAct::From { source, version } => return self.choose_from(id, source, version),
            CompareAct::With { other, version } => return self.compare_with(id, other, version),
            CompareAct::WithVersion(key) => {
                self.dialog = None;
                let Some(origin) = self.version(id, key) else { return Vec::new() };
                let Some((number, commands)) = self.add_side(id, origin) else { return Vec::new() };
                self.put_in_front(id, number, OWN);
                return commands;
            }
            CompareAct::Drop(number) => {
                commands = self.stop_comparing(id, Some(number));
                let Some(tab) = self.tab_mut(id) else { return commands };
                let compare = &mut tab.compare;
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
            CompareAct::Refresh => return self.refresh_sides(id),
            CompareAct::Take(changes) => return self.take_when_fresh(id, changes),
            CompareAct::Turn => return self.turn_comparison(id),
        }
        commands
    }

    fn compare_with(&mut self, id: &TwinId, other: Other, version: Option<EntryKey>) -> Vec<Command> {
        self.dialog = None;
        let origin = match other {
            Other::Twin(id) => Origin::Twin(id),
            Other::Draft(id) => Origin::Draft(id),
            Other::Past { hub, hub_name, id, key, seen } => {
                Origin::Version { hub: hub.map(|hub| (hub, hub_name)), of: id, key, seen }
            }
            Other::Elsewhere { hub, id } => Origin::Elsewhere { hub_name: self.hub_name(&hub), hub, id },
        };
        let (mut commands, mut right) = (Vec::new(), OWN);
        if let Some(origin) = version.and_then(|key| self.version(id, key)) {
            let Some((number, asked)) = self.add_side(id, origin) else { return Vec::new() };
            (commands, right) = (asked, number);
        }
        let Some((left, asked)) = self.add_side(id, origin) else { return commands };
        commands.extend(asked);
        self.put_in_front(id, left, right);
        commands
    }

    fn version(&self, id: &TwinId, key: EntryKey) -> Option<Origin> {
        let entry = self.tab(id)?.history.entry(key)?;
        Some(Origin::Version { hub: None, of: id.clone(), key, seen: entry.seen })
    }

    fn put_in_front(&mut self, id: &TwinId, left: u64, right: u64) {
        if let Some(tab) = self.tab_mut(id) {
            tab.pane = Pane::Compare;
            (tab.compare.left, tab.compare.right) = (left, right);
        }
    }

    /// The number of a side with this origin, made if there is none; `None` where there is no room, which is told.
    fn add_side(&mut self, id: &TwinId, origin: Origin) -> Option<(u64, Vec<Command>)> {
        let tab = self.tab_mut(id)?;
        if matches!(&origin, Origin::Draft(other) if other == id) {
            return Some((OWN, Vec::new()));
        }
        let compare = &mut tab.compare;
        if let Some(side) = compare.sides.iter().find(|side| side.origin.is(&origin)) {
            let number = side.number;
            return Some((number, self.load_side(id, number)));
        }
        if compare.is_full() {
            let text = format!(
                "No more than {} documents are compared with {id} at once: take one away first",
                super::compare::SIDES_MAX
            );
            self.notice_about(Matter::Compare, std::slice::from_ref(id), NoticeKind::Info, text, None);
            return None;
        }
        compare.last += 1;
        let number = compare.last;
        compare.sides.push(Side { number, origin, twin: Remote::Idle, read_at: None });
        Some((number, self.load_side(id, number)))
    }

    fn load_side(&mut self, id: &TwinId, number: u64) -> Vec<Command> {
        let Some(side) = self.tab(id).and_then(|tab| tab.compare.side(number)) else { return Vec::new() };
        if side.twin.is_loading() {
            return Vec::new();
        }
        let (origin, what) = (side.origin.clone(), format!("Reading {}", side.name()));
        if matches!(origin, Origin::Draft(_)) {
            return Vec::new();
        }
        let key = self.start(what, Purpose::Compared { tab: id.clone(), side: number });
        let now = self.now;
        if let Some(side) = self.side_mut(id, number) {
            side.twin.load(key, now);
        }
        vec![match origin {
            Origin::Version { hub, of, key: version, .. } => {
                Command::LoadPastVersion { key, hub: hub.map(|(filed, _)| filed), id: of, version }
            }
            Origin::Elsewhere { hub, id, .. } => Command::ReadElsewhere { key, hub, id },
            Origin::Twin(other) | Origin::Draft(other) => Command::LoadTwin { key, id: other },
        }]
    }

    /// The comparison comes to the front: what it shows is read again where it can be another by now.
    pub(super) fn load_sides_anew(&mut self, id: &TwinId) -> Vec<Command> {
        let now = self.now;
        self.load_where(id, |side| match &side.twin {
            Remote::Ready { .. } => side.origin.is_live() && is_old(side.read_at, now),
            Remote::Idle | Remote::Failed { .. } | Remote::Loading { .. } => true,
        })
    }

    /// The same for the tab in front, where it shows its comparison.
    pub(super) fn load_sides_in_front(&mut self) -> Vec<Command> {
        match self.active_tab().filter(|tab| tab.pane == Pane::Compare).map(|tab| tab.id.clone()) {
            Some(id) => self.load_sides_anew(&id),
            None => Vec::new(),
        }
    }

    /// A twin is read again, and what stands beside it where that is in view.
    pub(super) fn refresh(&mut self, id: &TwinId) -> Vec<Command> {
        match self.tab(id) {
            Some(tab) if tab.pane == Pane::Compare => self.refresh_sides(id),
            _ => self.load_twin(id),
        }
    }

    /// What can be another by now is read again.
    fn refresh_sides(&mut self, id: &TwinId) -> Vec<Command> {
        let mut commands = self.load_where(id, |side| side.origin.is_live() || side.twin.value().is_none());
        commands.extend(self.load_twin(id));
        commands
    }

    /// Taking over from a side that was read a while ago reads it again first: what nobody has seen is not taken.
    fn take_when_fresh(&mut self, id: &TwinId, changes: Vec<Change>) -> Vec<Command> {
        let Some(tab) = self.tab(id) else { return Vec::new() };
        let (left, section) = (tab.compare.left, tab.compare.section);
        let live = tab.compare.side(left).is_some_and(|side| side.origin.is_live());
        let read = self.freshness(tab, left).and_then(|fresh| fresh.read);
        if !live || !is_old(read, self.now) || tab.take_refusal().is_some() {
            self.take_over(id, changes);
            return Vec::new();
        }
        let commands = self.load_side(id, left);
        if let Some(tab) = self.tab_mut(id) {
            match &mut tab.compare.taking {
                // One after the other, while it is read.
                Some(taking) if (taking.side, taking.section) == (left, section) => taking.changes.extend(changes),
                taking => *taking = Some(Taking { side: left, section, changes }),
            }
        }
        commands
    }

    fn load_where(&mut self, id: &TwinId, wanted: impl Fn(&Side) -> bool) -> Vec<Command> {
        let Some(tab) = self.tab(id) else { return Vec::new() };
        let numbers: Vec<u64> = tab.compare.sides.iter().filter(|side| wanted(side)).map(|side| side.number).collect();
        numbers.into_iter().flat_map(|number| self.load_side(id, number)).collect()
    }

    /// Nobody waits any more for a side of this tab, or for any of them.
    pub(super) fn stop_comparing(&self, id: &TwinId, number: Option<u64>) -> Vec<Command> {
        self.cancel(|purpose| {
            matches!(purpose, Purpose::Compared { tab, side } if tab == id && number.is_none_or(|number| number == *side))
        })
    }

    /// Ends the requests for a purpose.
    pub(super) fn cancel(&self, which: impl Fn(&Purpose) -> bool) -> Vec<Command> {
        let running = self.running.iter().filter(|(_, running)| which(&running.purpose));
        running.map(|(key, _)| Command::Cancel { key: *key }).collect()
    }

    fn side_mut(&mut self, id: &TwinId, number: u64) -> Option<&mut Side> {
        self.tab_mut(id)?.compare.side_mut(number)
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
        if !side.twin.waits_for(key) {
            return;
        }
        let origin = side.origin.clone();
        side.twin.settle(key, now, answer.clone());
        if answer.is_ok() {
            side.read_at = Some(now);
        }
        // A twin that is open in a tab is shown as that tab knows it: it knows it now.
        if let (Origin::Twin(_), Ok(twin)) = (&origin, &answer) {
            self.see(twin, crate::worker::event::Source::Load);
        }
        self.take_what_waited(id, number, answer.is_ok());
    }

    /// A side was read again to take something over from it.
    fn take_what_waited(&mut self, id: &TwinId, number: u64, read: bool) {
        let Some(tab) = self.tab_mut(id) else { return };
        let Some(Taking { side, section, changes }) = tab.compare.taking.take_if(|taking| taking.side == number) else {
            return;
        };
        let asked = (tab.compare.left, tab.compare.section) == (side, section);
        if read && asked {
            self.take_over(id, changes);
        } else if asked {
            let text = "Nothing was taken over: what the other side has now could not be read";
            self.notice(NoticeKind::Problem, text, None);
        }
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
            let text = format!("What {id} is compared with has moved meanwhile: look once more and take it again");
            self.notice_about(Matter::Compare, std::slice::from_ref(id), NoticeKind::Info, text, None);
        }
        self.with_draft(id, |draft| draft.take(section, &from, &changes));
    }

    fn turn_comparison(&mut self, id: &TwinId) -> Vec<Command> {
        let Some(tab) = self.tab(id) else { return Vec::new() };
        let compare = &tab.compare;
        let Some(target) = tab.turned().cloned() else { return Vec::new() };
        let (section, face) = (compare.section, compare.face);
        let own = if tab.is_dirty() { Origin::Draft(id.clone()) } else { Origin::Twin(id.clone()) };
        let left = compare.side(compare.left).map_or(own, |side| side.origin.clone());
        let mut commands = self.update(self.now, super::Action::OpenTwin(target.clone()));
        let Some((number, asked)) = self.add_side(&target, left) else { return commands };
        commands.extend(asked);
        self.put_in_front(&target, number, OWN);
        if let Some(tab) = self.tab_mut(&target) {
            (tab.compare.section, tab.compare.face) = (section, face);
        }
        commands
    }
}
