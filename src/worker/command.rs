//! What the window asks for. Plain data: no closures, senders or locks.

use crate::client::link::Receipt;
use crate::protocol::fault::Plan;
use crate::protocol::message::Properties;
use crate::protocol::method::{MethodAnswer, MethodCall};
use crate::protocol::secret::Secret;
use crate::twin::{Etag, JsonMap, Twin, TwinId};
use std::sync::Arc;

/// Names one request, so that its answer can be told from older ones. Made by the window, counted up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub u64);

/// Which hub, among those the program knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HubRef {
    /// The one inside the program.
    Local,
    /// Given by `TWINSCOPE_CONNECTION_STRING`, for this run.
    Environment,
    /// A kept connection, by its id in the settings.
    Saved(String),
}

impl HubRef {
    /// What is kept of a hub is filed under: the host, whichever policy leads to it; the local hub has another port each time.
    #[must_use]
    pub fn filed(&self, host: &str) -> String {
        match self {
            Self::Local => "local".to_owned(),
            Self::Environment | Self::Saved(_) => host.to_ascii_lowercase(),
        }
    }
}

/// A connection to be added, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connect {
    /// What to call it; empty takes the host's first label.
    pub name: String,
    pub connection_string: Secret,
    /// A PEM file with a further root, if one is needed.
    pub ca_file: Option<std::path::PathBuf>,
    /// The id of the kept connection that gets another key; it keeps its name and certificate. `None` adds a connection.
    pub renews: Option<String>,
    pub key: KeyPlace,
}

/// Where the key of a connection is to be kept, as the person was told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeyPlace {
    /// In the keyring, or the connection is not kept.
    #[default]
    Keyring,
    /// For this session where the keyring does not take it.
    Session,
}

/// Whether a precondition guards a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// `If-Match: "etag"`.
    Etag(Etag),
    /// Only after the words *Overwrite hub version* were chosen for exactly this draft: the etag the person saw. The worker still
    /// sends `If-Match` with that etag, so that a hub that moved again is noticed.
    Overwrite(Etag),
}

/// A message to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToSend {
    /// Without an id one is made; the expiry is made of `life_s`.
    pub properties: Properties,
    pub body: Vec<u8>,
    /// Seconds from when it is sent; `None` leaves it to the hub.
    pub life_s: Option<u64>,
}

/// Work for the background half.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Opens a hub; the answer is `Connected` or `Failed`. The hub opened before is closed.
    Open {
        key: Key,
        hub: HubRef,
    },
    /// Checks a connection string: form, reachability, TLS, key, permissions. Ends in `Checked` or `Failed`.
    Check {
        key: Key,
        connect: Connect,
    },
    /// Asks for a certificate file in the system's own dialog. Ends in `FilePicked`.
    PickFile {
        key: Key,
    },
    /// Keeps a connection (secret to the keyring). Ends in `Hubs` with this key, or `Failed`.
    Add {
        key: Key,
        connect: Connect,
    },
    /// Forgets a kept connection and its secret. Ends in `Hubs` with this key, or `Failed`.
    Remove {
        key: Key,
        id: String,
    },
    /// Keeps the settings (theme, zoom, open tabs, panel widths …). No answer unless it fails.
    SaveSettings {
        settings: crate::disk::Settings,
    },

    /// Reads a large text as it is typed: ends in `TextRead`.
    ReadText {
        key: Key,
        reading: Box<crate::twin::draft::Reading>,
    },
    /// Keeps what was typed, in place of what was kept of that twin. No answer unless it fails.
    KeepDraft {
        draft: Box<crate::disk::KeptDraft>,
    },
    /// Nothing typed is left of that twin. `hub` as in [`crate::disk::KeptDraft`].
    ForgetDraft {
        hub: String,
        id: TwinId,
    },

    /// Lists all devices by query pages: `FleetPage` facts, then `FleetDone`. A newer one supersedes it.
    LoadFleet {
        key: Key,
    },
    /// Modules of one device: ends in `Modules`.
    LoadModules {
        key: Key,
        device: String,
    },
    /// Any query, as typed: ends in `QueryRows` (first `limit` rows).
    Query {
        key: Key,
        text: String,
        limit: usize,
    },
    /// Reads a twin: ends in `Twin`.
    LoadTwin {
        key: Key,
        id: TwinId,
    },
    /// PATCH with a precondition: ends in `Saved`, `Conflict` or `Failed`. When the outcome is unknown the worker reads the twin again and says which of the two happened.
    PatchTwin {
        key: Key,
        id: TwinId,
        body: JsonMap,
        guard: Guard,
        /// The version that was on the screen. Another life of the id may have the same etag: nothing is sent unless the hub still
        /// has what this shows. `None`: the etag alone decides.
        over: Option<Arc<Twin>>,
    },
    /// What the journal keeps of a twin of the open hub: ends in `Timeline`.
    LoadTimeline {
        key: Key,
        id: TwinId,
    },
    /// A draft that was thrown away goes into the journal. No answer unless it fails.
    KeepDiscarded {
        draft: Box<crate::disk::KeptDraft>,
    },
    /// Reads a draft that was thrown away, and what it is to be compared with: ends in `Discarded`.
    LoadDiscarded {
        key: Key,
        entry: Box<crate::disk::journal::Entry>,
        other: Option<Box<crate::disk::journal::Entry>>,
    },
    /// Of which twins of any hub the journal has something: ends in `Past`. Nothing is asked of a hub.
    ListPast {
        key: Key,
    },
    /// What the journal keeps of a twin of any hub, by what that is filed under, `None` for the open one: ends in `Timeline`.
    LoadPast {
        key: Key,
        hub: Option<String>,
        id: TwinId,
    },
    /// One of those entries as a twin: ends in `Versions` with one.
    LoadPastVersion {
        key: Key,
        hub: Option<String>,
        id: TwinId,
        version: crate::disk::journal::EntryKey,
    },
    /// Reads a twin of a hub that is not the open one: ends in `Twin`. That hub is not opened for it.
    ReadElsewhere {
        key: Key,
        hub: HubRef,
        id: TwinId,
    },
    /// Twins as they were: ends in `Versions`, in the same order.
    LoadVersions {
        key: Key,
        entries: Vec<crate::disk::journal::Entry>,
    },
    /// PUT with a precondition: `body` takes the place of tags and desired. Ends as [`Command::PatchTwin`].
    ReplaceTwin {
        key: Key,
        id: TwinId,
        body: JsonMap,
        guard: Guard,
        /// As for `PatchTwin`.
        over: Option<Arc<Twin>>,
    },
    /// Reads the identity record, keys included: ends in `Identity`.
    LoadIdentity {
        key: Key,
        id: TwinId,
    },
    /// Creates a device or module with keys made by the hub; an existing one is fetched. Ends in `Created`.
    CreateIdentity {
        key: Key,
        id: TwinId,
    },
    /// Deletes a device (with its modules) or module, guarded by the etag shown. Ends in `Deleted`.
    DeleteIdentity {
        key: Key,
        id: TwinId,
        etag: Etag,
    },
    /// Enables or disables a device, guarded. Ends in `Identity`.
    SetStatus {
        key: Key,
        id: TwinId,
        etag: Etag,
        status: crate::twin::Status,
    },

    /// Reads an open twin again and again (adaptive interval, within the throttle budget); `TwinSeen` facts whenever its version moved.
    Watch {
        id: TwinId,
    },
    Unwatch {
        id: TwinId,
    },

    /// Follows the hub's event stream behind an event's number: `HubEvents` facts. One that is followed already is followed anew from there.
    FollowEvents {
        after: u64,
    },
    /// Nobody looks at the stream any more.
    LeaveEvents,

    /// Connects over MQTT as this identity, with its own key; `Link` facts follow. Replaces an earlier act of the same identity. Ends (key) in `ActStarted` or `Failed`.
    ActAs {
        key: Key,
        id: TwinId,
        /// Where the hub listens for MQTT over TLS. `None`: where this program's own hub does, and on any other hub 8883 unless the
        /// host names a port, which is that of the service API.
        mqtt_port: Option<u16>,
    },
    /// Ends acting.
    StopActing {
        id: TwinId,
    },
    /// A reported patch over the link: ends in `Reported` or `Failed`.
    Report {
        key: Key,
        id: TwinId,
        patch: JsonMap,
    },

    /// Calls a direct method and waits for its answer: ends in `Called` or `Failed`.
    CallMethod {
        key: Key,
        id: TwinId,
        call: MethodCall,
    },
    /// Answers a `MethodCalled` over the link it came by. No answer: a hub confirms none.
    AnswerMethod {
        id: TwinId,
        rid: String,
        answer: MethodAnswer,
    },

    /// Reads the hub's faults and their counts: ends in `Faults`.
    LoadFaults {
        key: Key,
    },
    /// Puts these faults in force, in place of the others: ends in `Faults`.
    SetFaults {
        key: Key,
        plan: Plan,
    },
    /// Ends all faults: ends in `Faults`.
    ClearFaults {
        key: Key,
    },
    /// Queues a message for a device: ends in `MessageSent` or `Failed`.
    SendMessage {
        key: Key,
        device: String,
        message: Box<ToSend>,
    },
    /// How many messages wait for a device: ends in `MessagesWaiting` or `Failed`.
    CountMessages {
        key: Key,
        device: String,
    },
    /// Throws away what waits for a device: ends in `MessagesPurged` or `Failed`.
    PurgeMessages {
        key: Key,
        device: String,
    },
    /// Takes the hub's feedback about messages, whoever sent them: `Feedback` facts, then `FeedbackFetched` or `Failed`.
    FetchFeedback {
        key: Key,
    },
    /// A `MessageReceived` was shown: the hub may let go of it. No answer.
    AcknowledgeMessage {
        id: TwinId,
        receipt: Receipt,
    },

    /// Stops a request; it ends in `Cancelled`.
    Cancel {
        key: Key,
    },
}
