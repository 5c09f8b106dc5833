//! One open twin: what was loaded, what was typed, where its save stands.

use super::compare::Compare;
pub use super::conflict::{Again, Asked, Followed, Moved};
use super::history::History;
pub use super::marks::{Mark, MarkKind};
use super::messages::Messages;
use super::methods::Methods;
use super::tree::Face;
use super::{Moment, Remote};
use crate::client::link::LinkState;
use crate::protocol::identity::Identity;
use crate::twin::diff::Change;
use crate::twin::draft::{Draft, Outgoing};
use crate::twin::moves::Moves;
use crate::twin::patch::Write;
use crate::twin::text::Parsed;
use crate::twin::{JsonMap, Section, Twin, TwinId};
use crate::worker::event::Source;
use crate::worker::{Failure, Key};
use std::sync::Arc;

/// What a tab shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Pane {
    #[default]
    Desired,
    Reported,
    Tags,
    /// The whole twin, read-only.
    Document,
    /// The identity record.
    Identity,
    /// Direct methods.
    Methods,
    /// Cloud-to-device messages.
    Messages,
    /// Every version that was seen.
    History,
    /// Beside other twins.
    Compare,
}

/// One open twin.
#[derive(Debug)]
pub struct Tab {
    pub id: TwinId,
    /// The newest version seen, and how it was asked for.
    pub twin: Remote<Arc<Twin>>,
    /// Where the newest version came from, and when.
    pub seen: Option<(Source, Moment)>,
    /// `None` until the twin was first loaded. Its base may be older than `twin` while edits are on it.
    pub draft: Option<Draft>,
    pub pane: Pane,
    /// How desired and tags are shown.
    pub face: Face,
    /// Texts of the read-only panes, made once per version: reported and the whole document.
    pub reported_text: String,
    pub document_text: String,
    pub watching: bool,
    pub watch_problem: Option<String>,
    pub save: SaveState,
    /// What the save under way sent.
    pub sent: Option<Sent>,
    /// A save whose answer never came and of which nothing is known yet: the next version seen tells.
    pub in_doubt: Option<Sent>,
    /// The editor the caret is in: its text is not replaced by the watch.
    pub caret: Option<Section>,
    /// The reported patch being typed; it outlives the connection.
    pub report_text: String,
    /// The text of the report that was sent last.
    pub report_sent: String,
    /// The hub moved while there were edits: what it has now.
    pub moved: Option<Moved>,
    /// The conflict view is open.
    pub conflict_open: bool,
    /// What others changed and the text took over by itself, until the person puts it away.
    pub followed: Option<Followed>,
    /// Lines the hub changed, in the order of each text.
    pub marks: Vec<Mark>,
    pub landing: Option<Landing>,
    pub identity: Remote<Box<Identity>>,
    pub act: Option<Act>,
    pub methods: Methods,
    pub messages: Messages,
    pub history: History,
    /// How often the person changed a text by an act that is no typing, and may take it back like typing.
    pub text_acts: u64,
    /// What became of the version the draft stands on.
    pub moves: Moves,
    pub compare: Compare,
    /// What the disk was last told of this tab's edits; `None` when there are none.
    pub kept: Option<super::drafts::Kept>,
    /// What the device side or somebody else changed lately, newest first, bounded.
    pub news: Vec<News>,
}

/// Where a save stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum SaveState {
    #[default]
    Idle,
    Sending {
        key: Key,
        since: Moment,
    },
    /// Nothing was lost: the text stays. What was tried is tried again as the same write.
    Failed {
        failure: Failure,
        at: Moment,
        write: Write,
    },
    /// Refused here, before sending: problems or nothing to save.
    Refused {
        why: String,
    },
    /// Sent at that moment, whenever its answer came.
    Saved {
        at: Moment,
    },
}

/// What a person asked the hub for with a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    Save,
    /// What was chosen between mine and theirs.
    Merged,
    Overwrite,
    Replace,
}

/// What a save took with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    pub outgoing: Outgoing,
    pub tried: Tried,
    /// The version it goes over.
    pub over: Option<Arc<Twin>>,
    /// When it left, for the last time.
    pub at: Moment,
    /// The texts at that moment: what differs from them afterwards was typed meanwhile.
    pub typed: Texts,
    /// The texts the save stands for: those, or what was made of them by choosing between mine and theirs.
    pub saved: Texts,
}

/// The texts of both editable sections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    pub desired: String,
    pub tags: String,
}

impl Texts {
    pub(super) fn of(&self, section: Section) -> &str {
        if section == Section::Tags { &self.tags } else { &self.desired }
    }
}

/// What becomes of a saved desired patch: saved → (notified) → reported.
#[derive(Debug, Clone, PartialEq)]
pub struct Landing {
    /// When the save was sent.
    pub saved_at: Moment,
    /// Desired `$version` of the save.
    pub version: u64,
    /// What was sent for desired.
    pub patch: JsonMap,
    /// Our own link received the patch.
    pub notified_at: Option<Moment>,
    /// Reported agrees with desired at every path sent, or acknowledges this version (`av`).
    pub reported_at: Option<Moment>,
    /// It did so in the first version seen after the save: when it began to is not known.
    pub already: bool,
    /// The device acknowledged the version with a refusal (`ac` outside 200–299): its `ad`, or the code.
    pub refusal: Option<String>,
    /// Nobody agreed within [`LANDING_LIMIT_S`].
    pub timed_out: bool,
}

/// How long a saved patch is watched for.
pub const LANDING_LIMIT_S: u64 = 60;

/// A live connection as this identity.
#[derive(Debug)]
pub struct Act {
    pub state: LinkState,
    pub since: Moment,
    /// The reported patch being typed.
    pub report_text: String,
    pub report_parsed: Parsed,
    pub report_problem: Option<String>,
    pub sending: Option<Key>,
    /// New reported `$version` of the last report.
    pub last_report: Option<(u64, Moment)>,
}

/// A change that came from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    pub at: Moment,
    pub source: Source,
    pub section: Section,
    pub changes: Vec<Change>,
    pub version: u64,
}

/// What stands in an empty report.
pub const EMPTY_REPORT: &str = "{\n  \n}";

impl Tab {
    #[must_use]
    pub fn new(id: TwinId) -> Self {
        Self {
            id,
            twin: Remote::Idle,
            seen: None,
            draft: None,
            pane: Pane::default(),
            face: Face::default(),
            reported_text: String::new(),
            document_text: String::new(),
            watching: true,
            watch_problem: None,
            save: SaveState::Idle,
            sent: None,
            in_doubt: None,
            caret: None,
            report_text: EMPTY_REPORT.to_owned(),
            report_sent: String::new(),
            moved: None,
            conflict_open: false,
            followed: None,
            marks: Vec::new(),
            landing: None,
            identity: Remote::Idle,
            act: None,
            methods: Methods::default(),
            messages: Messages::default(),
            history: History::default(),
            text_acts: 0,
            moves: Moves::default(),
            compare: Compare::default(),
            kept: None,
            news: Vec::new(),
        }
    }

    /// The name on the tab: the id.
    #[must_use]
    pub fn title(&self) -> String {
        self.id.to_string()
    }

    /// There are edits that are not on the hub.
    pub fn is_dirty(&self) -> bool {
        self.draft.as_ref().is_some_and(Draft::is_dirty)
    }

    /// A report was typed that was not sent.
    pub fn has_unsent_report(&self) -> bool {
        self.report_text != self.report_sent && self.report_text.split_whitespace().collect::<String>() != "{}"
    }

    /// Closing this tab would lose something that was typed.
    pub fn would_lose(&self) -> bool {
        self.is_dirty() || self.has_unsent_report()
    }

    /// The newest version known.
    pub fn current(&self) -> Option<&Arc<Twin>> {
        self.twin.value()
    }
}
