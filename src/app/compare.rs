//! The comparison in one tab: its twin, as it is typed, beside other twins, versions of the past and twins of other hubs.

use super::{App, Moment, Remote, Tab};
use crate::disk::journal::{Entry, EntryKey};
use crate::twin::diff::Change;
use crate::twin::{JsonMap, Section, Twin, TwinId};
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
    /// Adds a side and puts it in front, beside the version where one is given, else beside the draft.
    With {
        other: Other,
        version: Option<EntryKey>,
    },
    /// A version of this twin beside its draft.
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
    /// A twin of a hub opened before, as it was read last.
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
    Version { of: TwinId, entry: Box<Entry> },
    Elsewhere { hub: HubRef, hub_name: String, id: TwinId },
}

/// One of the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    pub number: u64,
    pub origin: Origin,
    pub twin: Remote<Arc<Twin>>,
}

impl Side {
    /// Its name, unlike the names of the others: what it is and, where that is not now and here, when or where.
    pub fn name(&self) -> String {
        match &self.origin {
            Origin::Twin(id) => id.to_string(),
            Origin::Version { of, entry } => format!("{of} version {}", entry.version),
            Origin::Elsewhere { hub_name, id, .. } => format!("{id} at {hub_name}"),
        }
    }
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
}

impl Default for Compare {
    fn default() -> Self {
        Self { sides: Vec::new(), left: OWN, right: OWN, section: Section::Desired, face: Face::default(), last: OWN }
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

    /// The hub is left: what was under way ends untold, and is asked for again by the person.
    pub(super) fn park(&mut self, now: Moment) {
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
            Some(side) => side.name(),
            None if self.is_dirty() => format!("{} as edited", self.id),
            None => self.id.to_string(),
        }
    }

    /// Why nothing can be taken over into what stands on the right; `None` when it can.
    pub fn take_refusal(&self) -> Option<&'static str> {
        if self.compare.section == Section::Reported {
            return Some("Reported is the device's own");
        }
        if self.compare.right != OWN {
            return Some("Only the twin of this tab is changed here");
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
            _ => None,
        };
        match (open.or(side.twin.value()), &side.twin) {
            (Some(twin), _) => ready(twin, section),
            (None, Remote::Loading { since, .. }) => Stand::Loading { since: *since },
            (None, Remote::Failed { failure, .. }) => Stand::Failed(failure),
            (None, _) => Stand::Absent("It was not read yet"),
        }
    }

    /// Twins of hubs opened before, with the name of the hub.
    pub fn elsewhere(&self) -> impl Iterator<Item = (&HubRef, String, &TwinId)> {
        let read = |tab: &&Tab| tab.current().is_some();
        self.parked.iter().flat_map(move |(hub, (tabs, _))| {
            tabs.iter().filter(read).map(move |tab| (hub, self.hub_name(hub), &tab.id))
        })
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
