//! The one modal in front, if any.

use super::settings::SettingsForm;
use crate::disk::journal::EntryKey;
use crate::protocol::connection_string::paste::{PasteError, Pasted};
use crate::protocol::connection_string::{ConnectionString, Who};
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
        /// Where the hub listens for MQTT, as typed; `None` on this program's own hub, which says so itself.
        mqtt_port: Option<String>,
        problem: Option<String>,
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
    /// The kept connection that gets another key; `None` adds one.
    pub renews: Option<Box<Renewal>>,
    /// Shown masked. For a renewal the key alone will do.
    pub connection_string: Secret,
    pub ca_file: String,
    /// What is wrong with the text as typed; `None` while empty or good.
    pub problem: Option<String>,
    pub check: Check,
}

/// A kept connection whose key is not at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewal {
    pub id: String,
    pub name: String,
    pub host: String,
    pub policy: String,
}

impl AddConnection {
    /// The connection that was typed, where it can be used for what the form is about.
    ///
    /// # Errors
    /// A sentence for the person: what is wrong with it.
    pub fn understood(&self) -> Result<Pasted, String> {
        let text = self.connection_string.reveal();
        let read = match (ConnectionString::read(text), &self.renews) {
            (Err(PasteError::BareKey), Some(renewal)) => {
                let key = text.trim().trim_matches(|c: char| !c.is_ascii_alphanumeric() && !"+/=".contains(c));
                let Renewal { host, policy, .. } = &**renewal;
                ConnectionString::read(&format!("HostName={host};SharedAccessKeyName={policy};SharedAccessKey={key}"))
            }
            (read, _) => read,
        };
        let read = read.map_err(|error| error.to_string())?;
        if let Who::Identity { id, .. } = &read.connection.who {
            return Err(format!(
                "this is the connection string of {id}, not that of a policy of the hub: copy the one of a policy, such as \
                 iothubowner, under Shared access policies"
            ));
        }
        match &self.renews {
            Some(renewal) if !renewal.host.eq_ignore_ascii_case(&read.connection.host_name) => Err(format!(
                "this is of {}, and {} is on {}: add it as a connection of its own",
                read.connection.host_name, renewal.name, renewal.host
            )),
            _ => Ok(read),
        }
    }
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
        connect: Connect,
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
