//! The one modal in front, if any.

use super::settings::SettingsForm;
use crate::disk::journal::EntryKey;
use crate::protocol::secret::Secret;
use crate::twin::{Etag, TwinId};
use crate::worker::event::CheckReport;
use crate::worker::{Connect, Failure, Key};

/// What a modal asks or shows. At most one is open.
#[derive(Debug, Clone, PartialEq)]
pub enum Dialog {
    Connections,
    AddConnection(AddConnection),
    RemoveConnection {
        id: String,
        name: String,
    },
    GoTo {
        text: String,
    },
    GoToLine {
        text: String,
    },
    Palette {
        text: String,
    },
    Keys,
    Settings(SettingsForm),
    /// What goes wrong on purpose; its text is in [`Faults`](super::Faults).
    Faults,
    AddDevice {
        text: String,
        problem: Option<String>,
        running: Option<Key>,
    },
    AddModule {
        device: String,
        text: String,
        problem: Option<String>,
        running: Option<Key>,
    },
    /// Names the object and, for a device, how many modules go with it (`None` while unknown). `etag` of the identity once it is loaded.
    Delete {
        id: TwinId,
        etag: Option<Etag>,
        modules: Option<usize>,
        problem: Option<String>,
        running: Option<Key>,
    },
    /// Throwing away what waits for a device. `waiting` once it was read, or why it cannot be.
    Purge {
        id: TwinId,
        waiting: Option<Result<u64, String>>,
        problem: Option<String>,
        running: Option<Key>,
    },
    /// Warns that the real client will be pushed out; names its connection state.
    ActAs {
        id: TwinId,
    },
    /// Edits would be lost by closing this tab.
    CloseTab {
        id: TwinId,
    },
    Discard {
        id: TwinId,
    },
    /// What to compare a twin with, or one of its versions.
    Compare {
        id: TwinId,
        version: Option<EntryKey>,
        text: String,
        from: super::sources::Source,
    },
    /// A version of the past would take the place of my edits.
    Revert {
        id: TwinId,
        version: EntryKey,
    },
    /// The text is to take the place of what the hub has.
    Replace {
        id: TwinId,
        /// The etag of the base the question is about.
        shown: Etag,
        /// The hub moved while it was asked: what is listed is new.
        moved: bool,
    },
    /// Conflict: reload from hub would drop my edits.
    ReloadFromHub {
        id: TwinId,
    },
    /// Edits would be lost by quitting: which twins.
    Quit {
        unsaved: Vec<TwinId>,
    },
}

/// The form *Add connection…*.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AddConnection {
    pub name: String,
    /// Shown masked.
    pub connection_string: Secret,
    pub ca_file: String,
    /// What is wrong with the text as typed; `None` while empty or good.
    pub problem: Option<String>,
    pub check: Check,
}

/// Where the check of a typed connection stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Check {
    #[default]
    NotYet,
    Running {
        key: Key,
        connect: Connect,
        then: Then,
    },
    Good {
        report: CheckReport,
        connect: Connect,
    },
    /// Not added; the person may keep it all the same.
    Bad {
        failure: Failure,
        connect: Option<Connect>,
    },
    Adding {
        key: Key,
    },
}

/// What a check is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The person wants to know.
    Tell,
    /// A good connection is added and opened.
    Add,
}

/// A text field of the dialog in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Name,
    CaFile,
    /// The one field of dialogs that have one.
    Text,
}
