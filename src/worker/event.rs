//! What the background half tells. Plain data.

use super::{HubRef, Key};
use crate::client::HubError;
use crate::client::hub::RequestRecord;
use crate::client::link::{LinkState, Receipt};
use crate::disk::journal::Timeline;
use crate::protocol::event::EventPage;
use crate::protocol::fault::Report;
use crate::protocol::feedback::FeedbackRecord;
use crate::protocol::identity::Identity;
use crate::protocol::message::Properties;
use crate::protocol::method::MethodAnswer;
use crate::query::ItemType;
use crate::twin::draft::SectionDraft;
use crate::twin::{ConnectionState, Json, JsonMap, Status, Twin, TwinId};
use std::sync::Arc;

/// One thing the background half tells.
#[derive(Debug, Clone)]
pub enum Event {
    /// Ends the request with this key.
    Done { key: Key, outcome: Result<Outcome, Failure> },
    /// Something happened; no request ends with it.
    Fact(Fact),
}

/// How a request went well.
#[derive(Debug, Clone)]
pub enum Outcome {
    Connected(HubInfo),
    Checked(CheckReport),
    /// `None` when the person chose none, or the system has no such dialog.
    FilePicked(Option<std::path::PathBuf>),
    Hubs(Vec<HubEntry>),
    /// What a text says, with the text itself: it may be another one by now.
    TextRead(Box<SectionDraft>),
    FleetDone {
        devices: usize,
        complete: bool,
    },
    Modules {
        device: String,
        modules: Vec<ModuleRow>,
    },
    QueryRows {
        item_type: ItemType,
        rows: Vec<Json>,
        more: bool,
        ms: u64,
    },
    Twin(Arc<Twin>),
    Saved(Arc<Twin>),
    /// 412: the hub's version, read right after.
    Conflict {
        theirs: Arc<Twin>,
    },
    Timeline(Arc<Timeline>),
    /// Twins of any hub, those seen last first.
    Past(Arc<Vec<PastTwin>>),
    /// A draft that was thrown away, and the twin it is compared with, or a sentence why that cannot be read.
    Discarded {
        draft: Box<crate::disk::KeptDraft>,
        other: Option<Result<Arc<Twin>, String>>,
    },
    /// A sentence where one cannot be read any more.
    Versions(Vec<Result<Arc<Twin>, String>>),
    Identity(Box<Identity>),
    /// `existed`: it was there already and has been fetched.
    Created {
        identity: Box<Identity>,
        existed: bool,
    },
    Deleted {
        id: TwinId,
    },
    ActStarted {
        id: TwinId,
    },
    Reported {
        id: TwinId,
        version: u64,
    },
    /// What the device answered, whatever its status.
    Called(MethodAnswer),
    Faults(Report),
    /// The hub queued it. `waiting`: how many wait for the device now, where that could be read.
    MessageSent {
        message_id: String,
        waiting: Option<u64>,
    },
    MessagesWaiting(u64),
    /// How many were thrown away.
    MessagesPurged(u64),
    /// `more`: there may be further feedback.
    FeedbackFetched {
        records: usize,
        more: bool,
    },
}

/// How a request went wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    Hub(HubError),
    /// A save whose outcome was unknown, resolved by reading the twin: `landed` says whether our values are there.
    Unknown {
        landed: Option<bool>,
        now: Option<Arc<Twin>>,
        reason: String,
    },
    /// A local matter: file, settings. A sentence.
    Local(String),
    /// The keyring does not take the key of a connection, which is therefore not kept. Why, in plain words.
    KeyNotKept {
        why: String,
    },
    /// There is no key for a kept connection.
    NoKey {
        /// The connection's.
        id: String,
        name: String,
        /// Why the keyring could not be read; `None` where it has none.
        why: Option<String>,
    },
    Cancelled,
    /// A bug in this program; the sentence says what broke.
    Panicked(String),
}

/// News that nobody asked for at this moment.
#[derive(Debug, Clone)]
pub enum Fact {
    /// The hubs the program knows, at start and after changes; where secrets are kept.
    Hubs {
        hubs: Vec<HubEntry>,
        secrets: SecretStore,
    },
    Settings(crate::disk::Settings),
    /// The local hub is up, or why not.
    LocalHub(Result<LocalHubInfo, String>),
    /// What was typed on the open hub and never saved, kept from an earlier run or before the hub was left.
    Drafts(Vec<crate::disk::KeptDraft>),
    /// Why what is typed cannot be kept on disk; `None` when it can again.
    DraftsUnkept(Option<String>),
    /// A page of the running `LoadFleet`.
    FleetPage {
        key: Key,
        rows: Vec<DeviceRow>,
    },
    /// A watched twin moved.
    TwinSeen {
        twin: Arc<Twin>,
        source: Source,
    },
    /// The identity was deleted and created again: this is the twin of its new life. Comes before any other word of that life.
    TwinRecreated {
        twin: Arc<Twin>,
    },
    /// A watched twin was read, and shows nothing new. Told at once after a failure, else every few seconds.
    TwinLooked {
        id: TwinId,
    },
    /// A watch could not read; it goes on.
    WatchFailed {
        id: TwinId,
        error: HubError,
    },
    /// The connection opened by `ActAs`.
    Link {
        id: TwinId,
        state: LinkState,
    },
    /// A desired patch arrived over the link.
    DesiredPatch {
        id: TwinId,
        version: u64,
        patch: JsonMap,
    },
    /// Somebody called a method over the link; an `AnswerMethod` with this request id is waited for.
    MethodCalled {
        id: TwinId,
        name: String,
        rid: String,
        payload: Json,
    },
    /// What happened on the hub behind event `after`, by its event stream. The first page is told even when it is empty.
    HubEvents {
        after: u64,
        page: Box<EventPage>,
    },
    /// The event stream cannot be read.
    EventsFailed {
        error: HubError,
        then: Then,
    },
    /// A message came over the link; an `AcknowledgeMessage` with this receipt is waited for.
    MessageReceived {
        id: TwinId,
        receipt: Receipt,
        properties: Properties,
        body: Vec<u8>,
    },
    /// Feedback that the hub does not hand out again.
    Feedback(Vec<FeedbackRecord>),
    /// A request waits so long before it is sent again; `status` is what the hub answered, where it did.
    Waiting {
        key: Key,
        wait: std::time::Duration,
        status: Option<u16>,
    },
    /// HTTP exchanges, batched.
    Requests(Vec<RequestRecord>),
    /// Whether the open hub answers at the moment.
    HubReachable(Reachability),
    /// Something worth a notice: settings could not be written, keyring locked.
    Notice(String),
}

/// What a stream does after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It goes on by itself, and says so by its next page.
    TriesAgain,
    /// It has ended: the answer would be the same.
    GaveUp,
}

/// A twin that the journal has something of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastTwin {
    /// What its hub is filed under; `None` for the open hub.
    pub hub: Option<String>,
    /// What people call its hub; empty for the open hub.
    pub hub_name: String,
    pub id: TwinId,
    /// Milliseconds since 1970 when something was last written of it.
    pub at_ms: u64,
}

/// Whether the open hub answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Reachability {
    Online,
    /// The last request got no answer.
    Offline {
        reason: String,
    },
}

/// Where a version of a twin was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Read because it was opened or refreshed.
    Load,
    /// The answer to our own save.
    Save,
    /// The watch read it.
    Watch,
}

/// A hub that is open now.
#[derive(Debug, Clone, PartialEq)]
pub struct HubInfo {
    pub hub: HubRef,
    pub name: String,
    pub host: String,
    pub policy: String,
    pub api_version: &'static str,
}

impl HubInfo {
    /// What drafts are filed under.
    #[must_use]
    pub fn drafts(&self) -> String {
        self.hub.filed(&self.host)
    }
}

impl HubInfo {
    /// Whether the name is one that Azure gives its hubs. Any other may be a hub of this program, in another process or on
    /// another machine.
    #[must_use]
    pub fn is_azure(&self) -> bool {
        let name = self.host.split(':').next().unwrap_or_default();
        self.hub != HubRef::Local && name.split('.').any(|label| label.eq_ignore_ascii_case("azure-devices"))
    }
}

/// The local hub's face to the outside.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalHubInfo {
    pub https: std::net::SocketAddr,
    pub mqtts: std::net::SocketAddr,
    pub ca_file: std::path::PathBuf,
}

/// One hub of the picker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubEntry {
    pub hub: HubRef,
    pub name: String,
    pub host: String,
    pub policy: String,
    /// The secret is at hand (keyring or this session).
    pub has_secret: bool,
}

/// Where secrets go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretStore {
    Keyring,
    /// There is no keyring: for this session only; the sentence says why.
    SessionOnly {
        why: String,
    },
}

/// What the check of a connection string found. Each `Result`'s error is a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    pub host: String,
    pub policy: String,
    /// What the key is good for, as far as harmless reads tell: (permission, `Some(yes/no)`, `None` = cannot be told).
    pub permissions: Vec<(&'static str, Option<bool>)>,
    /// This machine minus the hub, in seconds, where the hub told its time.
    pub clock_ahead_s: Option<i64>,
    pub ms: u64,
}

/// A device in the fleet list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    pub id: String,
    pub status: Status,
    pub connection_state: ConnectionState,
    /// Number of modules where known.
    pub modules: Option<usize>,
    pub iot_edge: bool,
}

/// A module under its device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleRow {
    pub id: TwinId,
    pub connection_state: ConnectionState,
}
