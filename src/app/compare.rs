//! The comparison in one tab: its twin, as it is typed, beside other twins, versions of the past and twins of other hubs.

use super::sources::Source;
use super::{App, Moment, Remote, Tab};
use crate::disk::KeptComparison;
use crate::disk::journal::{EntryKey, Seen};
use crate::twin::diff::Change;
use crate::twin::{JsonMap, Section, Twin, TwinId};
use crate::worker::event::Reachability;
use crate::worker::{Failure, HubRef};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Documents compared at once, at most, the tab's own included.
pub const SIDES_MAX: usize = 8;

/// The number of the tab's own twin among the sides.
pub const OWN: u64 = 0;

/// An intention in the pane.
#[derive(Debug, Clone, PartialEq)]
pub enum CompareAct {
    /// Asks what to compare with; for a version of this twin instead of the draft, where one is given.
    Ask(Option<EntryKey>),
    /// Looks elsewhere for what to compare with; `version` as in [`CompareAct::Ask`].
    From {
        source: Source,
        version: Option<EntryKey>,
    },
    /// Adds a side and puts it in front, beside the version where one is given, else beside the draft.
    With {
        other: Other,
        version: Option<EntryKey>,
    },
    /// An entry of this twin's history beside its draft.
    WithVersion(EntryKey),
    /// Takes a side away.
    Drop(u64),
    /// Which side stands on the left.
    Left(u64),
    /// Which side stands on the right.
    Right(u64),
    Section(Section),
    Face(Face),
    /// Reads a side again.
    Load(u64),
    /// Reads again what stands beside each other, as far as it can be another by now.
    Refresh,
    /// Makes the draft, which stands on the right, say what the left side says at these places.
    Take(Vec<Change>),
    /// Opens the twin on the right and compares it there with the left side, so that it can be changed.
    Turn,
}

/// What can be compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Other {
    /// A twin of the open hub, as the hub has it.
    Twin(TwinId),
    /// What is typed in the tab of another twin.
    Draft(TwinId),
    /// An entry of the journal: `hub` as filed there, `None` for the open hub, and what people call it.
    Past { hub: Option<String>, hub_name: String, id: TwinId, key: EntryKey, seen: Seen },
    /// A twin of another hub, as that hub has it.
    Elsewhere { hub: HubRef, id: TwinId },
}

/// How differences are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Face {
    #[default]
    Beside,
    Inline,
    /// A row per path, a column per side.
    Table,
}

/// Where a side comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    Twin(TwinId),
    Draft(TwinId),
    /// An entry of the journal; `hub` as filed there and what people call it, `None` for the open hub.
    Version {
        hub: Option<(String, String)>,
        of: TwinId,
        key: EntryKey,
        seen: Seen,
    },
    Elsewhere {
        hub: HubRef,
        hub_name: String,
        id: TwinId,
    },
}

impl Origin {
    /// Whether both lead to the same: names may have changed meanwhile.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Version { hub, of, key, .. }, Self::Version { hub: hub2, of: of2, key: key2, .. }) => {
                hub.as_ref().map(|hub| &hub.0) == hub2.as_ref().map(|hub| &hub.0) && of == of2 && key == key2
            }
            (Self::Elsewhere { hub, id, .. }, Self::Elsewhere { hub: hub2, id: id2, .. }) => hub == hub2 && id == id2,
            _ => self == other,
        }
    }

    /// Whether reading it again may bring something else: the past does not change.
    pub(super) fn is_live(&self) -> bool {
        matches!(self, Self::Twin(_) | Self::Elsewhere { .. })
    }
}

/// One of the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    pub number: u64,
    pub origin: Origin,
    pub twin: Remote<Arc<Twin>>,
    /// When it was read last.
    pub read_at: Option<Moment>,
}

impl Side {
    /// Its name, unlike the names of the others: what it is and, where that is not now and here, when or where.
    pub fn name(&self) -> String {
        match &self.origin {
            Origin::Twin(id) => id.to_string(),
            Origin::Draft(id) => format!("{id} as edited"),
            Origin::Version { hub, of, key, seen } => {
                let at = hub.as_ref().map(|(_, name)| format!(" at {name}")).unwrap_or_default();
                match seen {
                    Seen::Discarded => format!("{of}{at} discarded draft of {}", hour(key.at_ms)),
                    _ => format!("{of}{at} version {}", key.version),
                }
            }
            Origin::Elsewhere { hub_name, id, .. } => format!("{id} at {hub_name}"),
        }
    }
}

/// The time of day, UTC.
fn hour(unix_ms: u64) -> String {
    let seconds = unix_ms / 1000 % (24 * 60 * 60);
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// What a tab compares.
#[derive(Debug)]
pub struct Compare {
    pub sides: Vec<Side>,
    pub left: u64,
    pub right: u64,
    pub section: Section,
    pub face: Face,
    pub(super) last: u64,
    /// What is taken over once its side is read again.
    pub(super) taking: Option<Taking>,
}

/// Differences to be taken over from a side that is read again first.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Taking {
    pub side: u64,
    pub section: Section,
    pub changes: Vec<Change>,
}

/// Which version of a twin a side shows, and how old that knowledge is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Freshness<'a> {
    pub twin: &'a Twin,
    /// When it was read last; `None` for the past, which does not change.
    pub read: Option<Moment>,
    /// It is watched in a tab of its own: a change shows by itself.
    pub followed: bool,
    /// The text on the screen is typed over that version.
    pub edited: bool,
}

impl Default for Compare {
    fn default() -> Self {
        let (section, face) = (Section::Desired, Face::default());
        Self { sides: Vec::new(), left: OWN, right: OWN, section, face, last: OWN, taking: None }
    }
}

/// What is known of one side in the section that is shown.
#[derive(Debug, Clone, Copy)]
pub enum Stand<'a> {
    Ready {
        document: &'a JsonMap,
        /// Another one as soon as the document may be another.
        key: u64,
    },
    Loading {
        since: Moment,
    },
    Failed(&'a Failure),
    /// A sentence: why there is nothing to compare.
    Absent(&'static str),
}

impl<'a> Stand<'a> {
    pub fn document(self) -> Option<&'a JsonMap> {
        match self {
            Self::Ready { document, .. } => Some(document),
            _ => None,
        }
    }
}

impl Compare {
    pub fn side(&self, number: u64) -> Option<&Side> {
        self.sides.iter().find(|side| side.number == number)
    }

    pub(super) fn side_mut(&mut self, number: u64) -> Option<&mut Side> {
        self.sides.iter_mut().find(|side| side.number == number)
    }

    /// All numbers, the tab's own first.
    pub fn numbers(&self) -> Vec<u64> {
        std::iter::once(OWN).chain(self.sides.iter().map(|side| side.number)).collect()
    }

    pub fn is_full(&self) -> bool {
        self.sides.len() + 1 >= SIDES_MAX
    }

    /// As it is kept with the open tabs; `None` when nothing is compared.
    pub(super) fn kept(&self) -> Option<KeptComparison> {
        super::sources::kept(self)
    }

    /// The hub is left: what was under way ends untold, and is asked for again by the person.
    pub(super) fn park(&mut self, now: Moment) {
        self.taking = None;
        for side in self.sides.iter_mut().filter(|side| side.twin.is_loading()) {
            side.twin = match side.twin.value().cloned() {
                Some(value) => Remote::Ready { value, at: now },
                None => Remote::Idle,
            };
        }
    }
}

impl Tab {
    /// The name of a side in this tab's comparison.
    pub fn side_name(&self, number: u64) -> String {
        match self.compare.side(number) {
            // Beside what is typed in this tab.
            Some(Side { origin: Origin::Twin(id), .. }) if *id == self.id => format!("{id} on the hub"),
            Some(side) => side.name(),
            None if self.is_dirty() => format!("{} as edited", self.id),
            None => self.id.to_string(),
        }
    }

    /// The twin on the right, where it can be changed in a tab of its own.
    pub fn turned(&self) -> Option<&TwinId> {
        match &self.compare.side(self.compare.right)?.origin {
            Origin::Twin(id) | Origin::Draft(id) => Some(id).filter(|id| **id != self.id),
            Origin::Version { .. } | Origin::Elsewhere { .. } => None,
        }
    }

    /// Why nothing can be taken over into what stands on the right; `None` when it can.
    pub fn take_refusal(&self) -> Option<&'static str> {
        if self.compare.section == Section::Reported {
            return Some("Reported is the device's own");
        }
        if let Some(side) = self.compare.side(self.compare.right) {
            return Some(match &side.origin {
                Origin::Twin(id) if *id == self.id => "The right side is what the hub has: put the draft there",
                Origin::Twin(_) | Origin::Draft(_) => "The right side is changed in its own tab: open it there",
                Origin::Version { .. } => "The past does not change: put the draft on the right",
                Origin::Elsewhere { .. } => "The right side is on another hub: open that hub to change it",
            });
        }
        match &self.draft {
            None => Some("The twin is not loaded"),
            Some(draft) if draft.section(self.compare.section).parsed.document.is_none() => {
                Some("The text does not parse: correct it first")
            }
            Some(_) => None,
        }
    }
}

impl App {
    /// How a side of this tab's comparison stands. A twin that is open in a tab of its own is shown as it is known there.
    pub fn stand<'a>(&'a self, tab: &'a Tab, number: u64) -> Stand<'a> {
        let section = tab.compare.section;
        if number == OWN {
            return own_stand(tab, section);
        }
        let Some(side) = tab.compare.side(number) else { return Stand::Absent("It is no longer compared") };
        let open = match &side.origin {
            Origin::Twin(id) => self.tab(id).and_then(newest),
            Origin::Draft(id) => {
                return self.tab(id).map_or(Stand::Absent("Its tab was closed"), |tab| own_stand(tab, section));
            }
            Origin::Version { .. } | Origin::Elsewhere { .. } => None,
        };
        match (open.or(side.twin.value()), &side.twin) {
            (Some(twin), _) => ready(twin, section),
            (None, Remote::Loading { since, .. }) => Stand::Loading { since: *since },
            (None, Remote::Failed { failure, .. }) => Stand::Failed(failure),
            (None, _) => Stand::Absent("It was not read yet"),
        }
    }

    /// Which version stands on a side, and since when that is known; `None` while there is none.
    pub fn freshness<'a>(&'a self, tab: &'a Tab, number: u64) -> Option<Freshness<'a>> {
        let side = tab.compare.side(number);
        let open = match side.map(|side| &side.origin) {
            None => Some(tab),
            Some(Origin::Twin(id) | Origin::Draft(id)) => self.tab(id),
            Some(Origin::Version { .. } | Origin::Elsewhere { .. }) => None,
        };
        let texts =
            tab.compare.section != Section::Reported && side.is_none_or(|side| matches!(side.origin, Origin::Draft(_)));
        let read = side.and_then(|side| side.read_at.filter(|_| side.origin.is_live()));
        if let Some(open) = open {
            let draft = open.draft.as_ref().filter(|_| texts);
            let twin = draft.map_or_else(|| newest(open), |draft| Some(&draft.base))?;
            let seen = open.seen.map(|(_, at)| at);
            let read = if read.is_none_or(|at| seen.is_some_and(|seen| seen.ms > at.ms)) { seen } else { read };
            let reachable = !matches!(self.reach, Some(Reachability::Offline { .. }));
            let followed = open.watching && open.watch_problem.is_none() && reachable;
            let edited = draft.is_some_and(crate::twin::draft::Draft::is_dirty);
            return Some(Freshness { twin, read, followed, edited });
        }
        let side = side?;
        let twin = side.twin.value()?;
        Some(Freshness { twin, read, followed: false, edited: false })
    }

    /// Why a side that stands there could not be read again; it is shown as it was read before.
    pub fn not_read_again<'a>(&'a self, tab: &'a Tab, number: u64) -> Option<&'a Failure> {
        let side = tab.compare.side(number)?;
        let shown = matches!(self.stand(tab, number), Stand::Ready { .. });
        side.twin.failure().filter(|failure| shown && **failure != Failure::Cancelled)
    }

    pub(super) fn hub_name(&self, hub: &HubRef) -> String {
        let entry = self.hubs.iter().find(|entry| entry.hub == *hub);
        entry.map_or_else(|| super::update::hub_word(hub), |entry| entry.name.clone())
    }
}

/// The newest version a tab knows, by reference.
fn newest(tab: &Tab) -> Option<&Arc<Twin>> {
    tab.moved.as_ref().map(|moved| &moved.theirs).or(tab.current())
}

fn ready(twin: &Arc<Twin>, section: Section) -> Stand<'_> {
    let mut hasher = DefaultHasher::new();
    (&twin.id, twin.version, &twin.etag, twin.reported.version, section, Arc::as_ptr(twin)).hash(&mut hasher);
    Stand::Ready { document: twin.section(section), key: hasher.finish() }
}

fn own_stand(tab: &Tab, section: Section) -> Stand<'_> {
    if section == Section::Reported {
        return newest(tab).map_or(Stand::Absent("The twin is not loaded"), |twin| ready(twin, section));
    }
    let Some(draft) = &tab.draft else { return Stand::Absent("The twin is not loaded") };
    let part = draft.section(section);
    let Some(document) = &part.parsed.document else {
        return Stand::Absent("The text of this section does not parse, so it cannot be compared yet");
    };
    let mut hasher = DefaultHasher::new();
    (&tab.id, &part.text, part.pending, section).hash(&mut hasher);
    Stand::Ready { document, key: hasher.finish() }
}
