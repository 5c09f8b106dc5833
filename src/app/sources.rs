//! Where the sides of a comparison come from: what is offered to choose from, and how the choice outlives the program.

use super::compare::{Compare, Face, OWN, Origin, Side};
use super::update::hub_word;
use super::{App, Dialog, Purpose, Remote};
use crate::disk::journal::{EntryKey, Seen, Timeline};
use crate::disk::{KeptComparison, KeptSide};
use crate::twin::{Section, TwinId};
use crate::worker::event::{HubEntry, Outcome, PastTwin};
use crate::worker::{Command, Failure, HubRef, Key};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where to look for what to compare with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Source {
    /// Twins of the open hub, drafts in other tabs, and the past of this twin.
    #[default]
    Here,
    /// Which other hub.
    Hubs,
    /// Twins of another hub.
    Hub(HubRef),
    /// Of which twin the past.
    Past,
    /// The past of one twin: `hub` as filed in the journal, `None` for the open hub, and what people call it.
    PastOf { hub: Option<String>, hub_name: String, id: TwinId },
}

/// What the journal offers.
#[derive(Debug, Default)]
pub struct Sources {
    /// Twins it has something of.
    pub twins: Remote<Arc<Vec<PastTwin>>>,
    /// What it has of the one that is looked at.
    pub timeline: Remote<Arc<Timeline>>,
}

impl App {
    /// Asks what to compare a twin with, and reads what is offered for that.
    pub(super) fn choose_from(&mut self, id: &TwinId, source: Source, version: Option<EntryKey>) -> Vec<Command> {
        let mut commands = Vec::new();
        match &source {
            Source::Here => {
                let unread = self.tab(id).is_some_and(|tab| matches!(tab.history.timeline, Remote::Idle));
                if unread {
                    commands.extend(self.load_timeline(id));
                }
            }
            Source::Hubs => {}
            Source::Hub(_) | Source::Past => {
                let key = self.start("Reading the journal".to_owned(), Purpose::Past);
                self.sources.twins.load(key, self.now);
                commands.push(Command::ListPast { key });
            }
            Source::PastOf { hub, id, .. } => {
                let key = self.start(format!("Reading the history of {id}"), Purpose::PastTimeline);
                self.sources.timeline = Remote::Idle;
                self.sources.timeline.load(key, self.now);
                commands.push(Command::LoadPast { key, hub: hub.clone(), id: id.clone() });
            }
        }
        self.dialog = Some(Dialog::Compare { id: id.clone(), version, text: String::new(), from: source });
        commands
    }

    /// The question is put away: nobody waits for the journal.
    pub(super) fn stop_choosing(&self) -> Vec<Command> {
        self.cancel(|purpose| matches!(purpose, Purpose::Past | Purpose::PastTimeline))
    }

    pub(super) fn settle_past(&mut self, key: Key, outcome: Result<Outcome, Failure>) {
        let answer = match outcome {
            Ok(Outcome::Past(twins)) => Ok(twins),
            Ok(_) => return,
            Err(failure) => Err(failure),
        };
        self.sources.twins.settle(key, self.now, answer);
    }

    pub(super) fn settle_past_timeline(&mut self, key: Key, outcome: Result<Outcome, Failure>) {
        let answer = match outcome {
            Ok(Outcome::Timeline(timeline)) => Ok(timeline),
            Ok(_) => return,
            Err(failure) => Err(failure),
        };
        self.sources.timeline.settle(key, self.now, answer);
    }

    /// The hubs that are not open.
    pub fn other_hubs(&self) -> impl Iterator<Item = &HubEntry> {
        let open = self.open_hub_ref();
        self.hubs.iter().filter(move |entry| Some(&entry.hub) != open)
    }

    fn open_hub_ref(&self) -> Option<&HubRef> {
        match &self.hub {
            super::HubState::Open(info) => Some(&info.hub),
            _ => None,
        }
    }

    /// Twins of another hub that this program has met: open there, or in the journal. That hub is not asked.
    pub fn known_at(&self, hub: &HubRef) -> Vec<TwinId> {
        let mut known = BTreeSet::new();
        if let Some((tabs, _)) = self.parked.get(hub) {
            known.extend(tabs.iter().map(|tab| tab.id.clone()));
        }
        let titles = self.settings.open_tabs.get(&hub_word(hub)).into_iter().flatten();
        known.extend(titles.filter_map(|title| title.parse().ok()));
        let filed = self.filed_as(hub);
        let past = self.sources.twins.value().map(|twins| twins.as_slice()).unwrap_or_default();
        known.extend(past.iter().filter(|twin| twin.hub.is_some() && twin.hub == filed).map(|twin| twin.id.clone()));
        known.into_iter().collect()
    }

    /// Twins of hubs opened before in this run, with the name of the hub.
    pub fn elsewhere(&self) -> impl Iterator<Item = (&HubRef, String, &TwinId)> {
        self.parked
            .iter()
            .flat_map(move |(hub, (tabs, _))| tabs.iter().map(move |tab| (hub, self.hub_name(hub), &tab.id)))
    }

    /// What tabs compared when the program ended is compared again; read when it is looked at.
    pub(super) fn take_comparisons(&mut self, kept: &BTreeMap<String, KeptComparison>) -> Vec<Command> {
        let mut taken = false;
        for (title, kept) in kept {
            let Some(id) = title.parse::<TwinId>().ok().filter(|id| self.tab(id).is_some()) else { continue };
            let compare = self.restored(kept);
            if let Some(tab) = self.tab_mut(&id).filter(|tab| tab.compare.sides.is_empty()) {
                tab.compare = compare;
                taken = true;
            }
        }
        if taken { self.keep_tabs() } else { Vec::new() }
    }

    fn restored(&self, kept: &KeptComparison) -> Compare {
        let mut compare = Compare::default();
        // A side that is gone leaves its number: the others keep theirs.
        let origins = kept.sides.iter().take(super::compare::SIDES_MAX - 1).map(|side| self.origin(side));
        for origin in origins {
            compare.last += 1;
            let number = compare.last;
            compare.sides.extend(origin.map(|origin| Side { number, origin, twin: Remote::Idle, read_at: None }));
        }
        let number = |place: usize| {
            let number = u64::try_from(place).unwrap_or(OWN);
            compare.side(number).map_or(OWN, |side| side.number)
        };
        (compare.left, compare.right) = (number(kept.left), number(kept.right));
        compare.section = read(&SECTIONS, &kept.section);
        compare.face = read(&FACES, &kept.face);
        compare
    }

    fn origin(&self, side: &KeptSide) -> Option<Origin> {
        Some(match side {
            KeptSide::Twin { id } => Origin::Twin(id.parse().ok()?),
            KeptSide::Draft { id } => Origin::Draft(id.parse().ok()?),
            KeptSide::Version { hub, id, version, at_ms, seen } => {
                let key = EntryKey { version: *version, at_ms: *at_ms };
                let hub = hub.clone().map(|filed| (filed.clone(), self.name_of_filed(&filed)));
                Origin::Version { hub, of: id.parse().ok()?, key, seen: Seen::read(seen)? }
            }
            KeptSide::Elsewhere { hub, id } => {
                let entry = self.hubs.iter().find(|entry| hub_word(&entry.hub) == *hub)?;
                Origin::Elsewhere { hub: entry.hub.clone(), hub_name: entry.name.clone(), id: id.parse().ok()? }
            }
            KeptSide::Unknown => return None,
        })
    }

    /// What people call a hub that is filed so.
    fn name_of_filed(&self, filed: &str) -> String {
        let known = self.hubs.iter().find(|entry| entry.hub.filed(&entry.host) == filed);
        known.map_or_else(|| filed.to_owned(), |entry| entry.name.clone())
    }
}

const SECTIONS: [(Section, &str); 3] =
    [(Section::Desired, "desired"), (Section::Reported, "reported"), (Section::Tags, "tags")];
const FACES: [(Face, &str); 3] = [(Face::Beside, "beside"), (Face::Inline, "inline"), (Face::Table, "table")];

/// The first one where the word is none of ours.
fn read<T: Copy, const N: usize>(words: &[(T, &str); N], word: &str) -> T {
    words.iter().find(|(_, known)| *known == word).unwrap_or(&words[0]).0
}

fn word<T: PartialEq, const N: usize>(words: &[(T, &'static str); N], value: &T) -> String {
    words.iter().find(|(known, _)| known == value).map(|(_, word)| (*word).to_owned()).unwrap_or_default()
}

/// Which sides are compared, and how they are laid out; `None` where there are none.
pub(super) fn kept(compare: &Compare) -> Option<KeptComparison> {
    if compare.sides.is_empty() {
        return None;
    }
    let place = |number: u64| compare.sides.iter().position(|side| side.number == number).map_or(0, |at| at + 1);
    Some(KeptComparison {
        sides: compare.sides.iter().map(|side| kept_side(&side.origin)).collect(),
        left: place(compare.left),
        right: place(compare.right),
        section: word(&SECTIONS, &compare.section),
        face: word(&FACES, &compare.face),
    })
}

fn kept_side(origin: &Origin) -> KeptSide {
    match origin {
        Origin::Twin(id) => KeptSide::Twin { id: id.to_string() },
        Origin::Draft(id) => KeptSide::Draft { id: id.to_string() },
        Origin::Version { hub, of, key, seen } => KeptSide::Version {
            hub: hub.as_ref().map(|(filed, _)| filed.clone()),
            id: of.to_string(),
            version: key.version,
            at_ms: key.at_ms,
            seen: seen.word().to_owned(),
        },
        Origin::Elsewhere { hub, id, .. } => KeptSide::Elsewhere { hub: hub_word(hub), id: id.to_string() },
    }
}
