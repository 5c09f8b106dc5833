//! What a click, a key or the palette means.

use super::compare::CompareAct;
use super::conflict::Shown;
use super::events::EventsAct;
use super::faults::FaultsAct;
use super::history::HistoryAct;
use super::messages::{MessageField, PropertyPart};
use super::methods::{CallField, ReplyField};
use super::settings::SettingsAct;
use super::tab::Pane;
use super::tree::Face;
use crate::copy_as::{Language, Method};
use crate::disk::{Layout, ThemeChoice};
use crate::protocol::message::Ack;
use crate::protocol::secret::Secret;
use crate::twin::diff::Change;
use crate::twin::merge::Choice;
use crate::twin::{Etag, Path, Section, TwinId};
use crate::worker::{Connect, HubRef, Key};

/// An intention of the person.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    // Hubs
    OpenHub(HubRef),
    ShowConnections,
    ShowAddConnection,
    /// Asks for the key of a kept connection again.
    ShowNewKey {
        id: String,
    },
    /// Chooses the certificate file of *Add connection…* in the system's dialog.
    BrowseCertificate,
    CheckConnection(Connect),
    /// Checks it, and adds and opens it when the check is good.
    AddConnection(Connect),
    /// Adds it whatever the check said: a hub may be away for the moment.
    KeepConnection(Connect),
    RemoveConnection {
        id: String,
    },

    // Fleet
    RefreshFleet,
    Filter(String),
    /// Opens or closes a device's modules in the list.
    Expand {
        device: String,
        open: bool,
    },
    /// Ctrl+P: go to a device or module by id.
    ShowGoTo,
    /// Asks the hub again for the modules of the id that is typed there.
    FindAgain,
    /// To a line of the text in front.
    ShowGoToLine,
    RunQuery(String),

    // Tabs
    OpenTwin(TwinId),
    /// Asks first when edits would be lost.
    CloseTab(TwinId),
    /// Without asking: the person chose so.
    CloseTabAndDiscard(TwinId),
    /// What is typed comes back when the twin is opened again.
    CloseTabAndKeep(TwinId),
    SelectTab(usize),
    NextTab,
    PreviousTab,
    ShowPane(TwinId, Pane),
    /// Desired and tags as text or as a tree.
    ShowFace(TwinId, Face),

    // One twin
    Edit {
        id: TwinId,
        section: Section,
        text: String,
    },
    /// The caret went into an editor, or left it: its text is not replaced meanwhile.
    Caret {
        id: TwinId,
        section: Option<Section>,
    },
    RevertChange {
        id: TwinId,
        section: Section,
        change: Change,
    },
    Save(TwinId),
    /// Asks, with what would go, before the text takes the place of what the hub has.
    ShowReplace(TwinId),
    /// The answer to that question.
    Replace {
        id: TwinId,
        /// The etag of the base that the question was asked with.
        shown: Etag,
    },
    /// Puts a program that makes this save on the clipboard. Ends in [`App::take_copied`](super::App::take_copied).
    CopyAs {
        id: TwinId,
        method: Method,
        language: Language,
    },
    /// Puts away what a failed save said; the text stays.
    DismissSave(TwinId),
    /// Asks first when there are edits.
    Discard(TwinId),
    /// The answer to that question, and to [`Dialog::ReloadFromHub`](super::Dialog::ReloadFromHub): the hub's newest version is shown.
    DiscardNow(TwinId),
    Refresh(TwinId),
    SetWatch {
        id: TwinId,
        on: Watching,
    },
    LoadIdentity(TwinId),
    SetStatus {
        id: TwinId,
        status: crate::twin::Status,
    },
    /// Conflict: asks whether my edits may go; the answer is [`Action::DiscardNow`].
    ReloadFromHub(TwinId),
    /// Conflict: my edits move onto the hub's version.
    RebaseEdits(TwinId),
    /// Conflict: exactly this draft over exactly the version shown.
    OverwriteHubVersion {
        id: TwinId,
        /// What the person was looking at.
        shown: Shown,
    },
    /// Conflict: one clash is to end with this value.
    Choose {
        id: TwinId,
        section: Section,
        path: Path,
        choice: Choice,
    },
    /// Conflict: every clash.
    ChooseAll {
        id: TwinId,
        choice: Choice,
    },
    /// Conflict: everything as chosen, over exactly the version shown.
    SaveMerged {
        id: TwinId,
        shown: Shown,
    },
    /// What others changed and no edit touches goes into the text; no caret stands in it.
    FollowHub {
        id: TwinId,
        shown: Shown,
    },
    /// Puts away what was said about that.
    DismissFollowed(TwinId),
    /// Closes the conflict view; the draft stays and stays in conflict.
    LeaveConflict(TwinId),
    ShowConflict(TwinId),

    // Acting as a device or module
    ShowActAs(TwinId),
    ActAs(TwinId),
    StopActing(TwinId),
    EditReport {
        id: TwinId,
        text: String,
    },
    SendReport(TwinId),
    /// Concerns the versions that were seen of the twin.
    History {
        id: TwinId,
        act: HistoryAct,
    },
    /// Concerns what the twin is compared with.
    Compare {
        id: TwinId,
        act: CompareAct,
    },
    /// What incoming method calls are answered with.
    EditReply {
        id: TwinId,
        field: ReplyField,
        text: String,
    },

    // Direct methods
    EditCall {
        id: TwinId,
        field: CallField,
        text: String,
    },
    CallMethod(TwinId),
    /// Puts a call that was made back, and shows its answer again.
    RecallMethod {
        id: TwinId,
        number: u64,
    },

    // Messages to devices
    EditMessage {
        id: TwinId,
        field: MessageField,
        text: String,
    },
    /// Which outcomes of the message the person wants to hear of.
    SetAck {
        id: TwinId,
        ack: Ack,
    },
    AddProperty(TwinId),
    EditProperty {
        id: TwinId,
        row: usize,
        part: PropertyPart,
        text: String,
    },
    RemoveProperty {
        id: TwinId,
        row: usize,
    },
    SendMessage(TwinId),
    /// Puts a message that was sent back into the fields.
    RecallMessage {
        id: TwinId,
        number: u64,
    },
    /// Asks first, with how many wait.
    ShowPurge(TwinId),
    PurgeMessages(TwinId),
    /// Takes the hub's feedback away from whoever else reads it.
    FetchFeedback(TwinId),

    // Identities
    ShowAddDevice,
    ShowAddModule {
        device: String,
    },
    /// Creates the device or module; a bad id is said in the dialog.
    Create(TwinId),
    ShowDelete(TwinId),
    Delete(TwinId),
    /// Ends in [`App::take_clipboard`](super::App::take_clipboard), after the record was read if need be.
    CopyConnectionString(TwinId),

    // The program
    ShowPalette,
    ShowKeys,
    CloseDialog,
    /// Changes the text in the dialog in front.
    DialogText {
        field: super::dialog::Field,
        text: String,
    },
    /// The connection string in *Add connection…*, as typed.
    SecretText(Secret),
    Dismiss(u64),
    DismissAll,
    Cancel(Key),
    /// Concerns the dialog of the settings.
    Settings(SettingsAct),
    SetTheme(ThemeChoice),
    SetZoom(f32),
    SetWindow {
        width: f32,
        height: f32,
    },
    SetLayout(Layout),
    ClearActivity,
    ShowFaults,
    /// Concerns the faults of the hub.
    Faults(FaultsAct),
    /// Concerns the stream of the hub's events.
    Events(EventsAct),
    Quit,
    /// What is typed comes back at the next start.
    QuitAndKeep,
    QuitAndDiscard,
}

/// Whether a twin is read again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watching {
    On,
    Off,
}
