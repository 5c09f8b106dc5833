//! The foreground half, without egui and without tokio: what is known and chosen. Panels paint from `&App` and push
//! [`Action`]s; [`App::update`] turns an action into commands, [`App::apply`] an event into state. Both are pure but for
//! the state they change; time comes in as a value.

mod act;
pub mod action;
pub mod activity;
pub mod apply;
mod apply_twin;
pub mod compare;
pub mod conflict;
pub mod dialog;
mod discard;
mod drafts;
pub mod events;
pub mod faults;
pub mod finding;
pub mod fleet;
mod followed;
pub mod history;
mod marks;
pub mod messages;
pub mod methods;
mod moot;
mod moves;
pub mod notices;
mod places;
mod reading;
mod replace;
pub mod settings;
pub mod sources;
pub mod tab;
mod tab_state;
pub mod tick;
pub mod tree;
mod update;
mod update_compare;
mod update_conflict;
mod update_twin;
pub mod waiting;

pub use action::Action;
pub use activity::Activity;
pub use dialog::Dialog;
pub use events::Events;
pub use faults::Faults;
pub use fleet::Fleet;
pub use history::History;
pub use notices::{Matter, Notice, NoticeKind};
pub use tab::Tab;

use crate::disk::{KeptDraft, Settings};
use crate::protocol::secret::Secret;
use crate::twin::{Section, TwinId};
use crate::worker::event::{HubEntry, HubInfo, LocalHubInfo, Reachability, SecretStore};
use crate::worker::{Failure, HubRef, Key};
use std::collections::{BTreeMap, HashMap};

/// A point in time, handed in by the window (tests set it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Moment {
    /// Milliseconds since the program started; for ages and timeouts.
    pub ms: u64,
    /// Seconds since 1970, UTC; for showing.
    pub unix_s: u64,
}

impl Moment {
    /// Whole seconds since an earlier moment.
    pub fn seconds_since(self, earlier: Self) -> u64 {
        self.ms.saturating_sub(earlier.ms) / 1000
    }
}

/// A value that can be refreshed and keeps its last good state: a refresh never blanks the screen.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Remote<T> {
    #[default]
    Idle,
    Loading {
        key: Key,
        since: Moment,
        previous: Option<T>,
    },
    Ready {
        value: T,
        at: Moment,
    },
    Failed {
        failure: Failure,
        at: Moment,
        previous: Option<T>,
    },
}

impl<T> Remote<T> {
    /// The last good value, whatever happened since.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Idle => None,
            Self::Loading { previous, .. } | Self::Failed { previous, .. } => previous.as_ref(),
            Self::Ready { value, .. } => Some(value),
        }
    }

    pub fn is_loading(&self) -> bool {
        matches!(self, Self::Loading { .. })
    }

    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed { failure, .. } => Some(failure),
            _ => None,
        }
    }

    /// Starts a (re)load.
    pub fn load(&mut self, key: Key, since: Moment) {
        let previous = self.take_value();
        *self = Self::Loading { key, since, previous };
    }

    /// Whether this is the request being waited for.
    pub fn waits_for(&self, key: Key) -> bool {
        matches!(self, Self::Loading { key: waiting, .. } if *waiting == key)
    }

    /// Takes an answer; one to an older question is dropped.
    pub fn settle(&mut self, key: Key, at: Moment, answer: Result<T, Failure>) {
        if !self.waits_for(key) {
            return;
        }
        let previous = self.take_value();
        *self = match answer {
            Ok(value) => Self::Ready { value, at },
            Err(failure) => Self::Failed { failure, at, previous },
        };
    }

    fn take_value(&mut self) -> Option<T> {
        match std::mem::take(self) {
            Self::Idle => None,
            Self::Loading { previous, .. } | Self::Failed { previous, .. } => previous,
            Self::Ready { value, .. } => Some(value),
        }
    }
}

/// The hub the window looks at.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum HubState {
    #[default]
    Starting,
    Opening {
        key: Key,
        hub: HubRef,
        since: Moment,
    },
    Open(HubInfo),
    Failed {
        hub: HubRef,
        failure: Failure,
    },
}

/// A request under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    /// What it does, for the status bar: `Loading myFirstDevice`.
    pub what: String,
    pub since: Moment,
    pub purpose: Purpose,
    /// It waits before it is sent again.
    pub(super) waiting: Option<waiting::Waiting>,
    /// It was cancelled while nothing of it was on its way.
    pub(super) unsent: bool,
}

/// What an answer is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Purpose {
    Open(HubRef),
    Check,
    PickFile,
    Add,
    Remove,
    Fleet,
    Modules(String),
    Query,
    /// Modules by their id, for a palette.
    FindModules,
    Load(TwinId),
    Timeline(TwinId),
    Versions(TwinId),
    /// Of which twins the journal has something.
    Past,
    /// What it has of one of them.
    PastTimeline,
    /// A side of the comparison in this tab.
    Compared {
        tab: TwinId,
        side: u64,
    },
    Save(TwinId),
    Identity(TwinId),
    Create(TwinId),
    Delete(TwinId),
    SetStatus(TwinId),
    Act(TwinId),
    Report(TwinId),
    CallMethod(TwinId),
    Faults,
    SetFaults,
    ClearFaults,
    SendMessage(TwinId),
    CountMessages(TwinId),
    PurgeMessages(TwinId),
    /// Asked for in this tab; the feedback is of the whole hub.
    Feedback(TwinId),
}

impl Purpose {
    /// Whether an answer still means something once another hub is in front. What belongs to a hub ends with it: the background half
    /// cancels it, and a save whose answer is missed is looked up when the hub is opened again.
    fn outlives_its_hub(&self) -> bool {
        match self {
            Self::Open(_)
            | Self::Check
            | Self::PickFile
            | Self::Add
            | Self::Remove
            | Self::Past
            | Self::PastTimeline => true,
            Self::Fleet
            | Self::Modules(_)
            | Self::Query
            | Self::FindModules
            | Self::Load(_)
            | Self::Timeline(_)
            | Self::Versions(_)
            | Self::Compared { .. }
            | Self::Save(_)
            | Self::Identity(_)
            | Self::Create(_)
            | Self::Delete(_)
            | Self::SetStatus(_)
            | Self::Act(_)
            | Self::Report(_)
            | Self::CallMethod(_)
            | Self::Faults
            | Self::SetFaults
            | Self::ClearFaults
            | Self::SendMessage(_)
            | Self::CountMessages(_)
            | Self::PurgeMessages(_)
            | Self::Feedback(_) => false,
        }
    }
}

/// Everything the window knows.
#[derive(Debug, Default)]
pub struct App {
    pub now: Moment,
    pub settings: Settings,
    pub hubs: Vec<HubEntry>,
    pub secrets: Option<SecretStore>,
    pub local_hub: Option<Result<LocalHubInfo, String>>,
    pub hub: HubState,
    /// When the hub in front was opened.
    pub opened_at: Moment,
    pub reach: Option<Reachability>,
    pub fleet: Fleet,
    pub tabs: Vec<Tab>,
    /// Index into `tabs`.
    pub active: Option<usize>,
    /// Twins in the order they were last looked at, for Ctrl+P.
    pub recent: Vec<TwinId>,
    pub activity: Activity,
    pub events: Events,
    pub faults: Faults,
    /// Modules looked for by what is typed in a palette.
    pub finding: finding::Finding,
    /// Drafts of tabs of the open hub that were closed; they come back when their twin is opened, and they are on disk.
    pub(super) set_aside: Vec<KeptDraft>,
    /// Twins whose edits came back from disk and were not held against the hub yet.
    pub(super) coming_back: Vec<TwinId>,
    /// Why what is typed cannot be kept on disk.
    pub drafts_unkept: Option<String>,
    /// The notice that says so, as long as nobody put it away.
    pub(super) unkept_notice: Option<u64>,
    /// Feedback about messages that were not sent from an open tab, oldest first, bounded.
    pub feedback: std::collections::VecDeque<messages::Heard>,
    pub dialog: Option<Dialog>,
    /// What the journal offers to compare with, while that is asked.
    pub sources: sources::Sources,
    pub notices: Vec<Notice>,
    pub running: HashMap<Key, Running>,
    /// Large texts that are being read.
    readings: HashMap<Key, (TwinId, Section)>,
    /// Set when the person asked to quit and nothing stands in the way.
    pub quitting: bool,
    /// A text the window is to put on the clipboard; it takes it with [`App::take_clipboard`].
    clipboard: Option<Secret>,
    /// The same without a secret in it; see [`App::take_copied`].
    copied: Option<String>,
    /// The connection string of this identity is to be copied once its record is here.
    copy_when_loaded: Option<TwinId>,
    /// Tabs of hubs that are not in front: switching hubs loses nothing.
    parked: BTreeMap<HubRef, (Vec<Tab>, Option<usize>)>,
    /// What went over the wire of hubs that are not in front.
    parked_activity: BTreeMap<HubRef, Activity>,
    last_key: u64,
    last_notice: u64,
}

impl App {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The open hub does not answer: what is shown of it is as last known.
    pub fn is_offline(&self) -> bool {
        let offline = matches!(self.reach, Some(crate::worker::event::Reachability::Offline { .. }));
        offline && matches!(self.hub, HubState::Open(_))
    }

    /// The tab in front.
    pub fn active_tab(&self) -> Option<&Tab> {
        self.active.and_then(|index| self.tabs.get(index))
    }

    pub fn tab(&self, id: &TwinId) -> Option<&Tab> {
        self.tabs.iter().find(|tab| tab.id == *id)
    }

    fn tab_mut(&mut self, id: &TwinId) -> Option<&mut Tab> {
        self.tabs.iter_mut().find(|tab| tab.id == *id)
    }

    /// Tabs with edits that are not on the hub, those of hubs not in front included.
    pub fn unsaved(&self) -> impl Iterator<Item = &Tab> {
        let parked = self.parked.values().flat_map(|(tabs, _)| tabs);
        self.tabs.iter().chain(parked).filter(|tab| tab.would_lose())
    }

    /// A secret the person asked to have on the clipboard, once.
    pub fn take_clipboard(&mut self) -> Option<Secret> {
        self.clipboard.take()
    }

    /// A text the person asked to have on the clipboard, once.
    pub fn take_copied(&mut self) -> Option<String> {
        self.copied.take()
    }

    fn next_key(&mut self) -> Key {
        self.last_key += 1;
        Key(self.last_key)
    }

    fn start(&mut self, what: String, purpose: Purpose) -> Key {
        let key = self.next_key();
        self.running.insert(key, Running { what, since: self.now, purpose, waiting: None, unsent: false });
        key
    }
}
