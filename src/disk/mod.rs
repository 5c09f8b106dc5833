//! Remembers: settings and connections in a file (`settings`), secrets in the OS keyring or for this session only
//! (`secrets`), which sides a tab compares (`comparison`), what was typed and not saved (`drafts`), every version of a twin that was seen (`journal`), all of it in the
//! folders that `folders` names. `file` writes files whole or not at all.
//!
//! A secret never goes into a file.

pub mod comparison;
pub mod drafts;
mod file;
pub mod folders;
pub mod journal;
mod seal;
pub mod secrets;
pub mod settings;

pub use comparison::{KeptComparison, KeptSide};
pub use drafts::{Drafts, KeptDraft, Older};
pub use folders::Folders;
pub use journal::Journal;
pub use secrets::{Keyring, KeyringChoice, SecretStorage, SecretsError};
pub use settings::SettingsFile;

/// What the program keeps between starts. Written atomically; a file that cannot be read is kept under another name.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Settings {
    pub theme: ThemeChoice,
    /// 1.0 = 100 %.
    pub zoom: Option<f32>,
    pub connections: Vec<SavedConnection>,
    /// Tabs open at the last exit, per hub key (`local`, `environment`, or the connection's id).
    pub open_tabs: std::collections::BTreeMap<String, Vec<String>>,
    /// What the tabs open at the last exit compared, per hub key and twin.
    pub comparisons: std::collections::BTreeMap<String, std::collections::BTreeMap<String, KeptComparison>>,
    /// Where hubs listen for MQTT, as it was given for acting as their devices, per hub key.
    pub mqtt_ports: std::collections::BTreeMap<String, u16>,
    /// Where the person was, per hub key.
    pub places: std::collections::BTreeMap<String, Places>,
    /// The hub opened last.
    pub last_hub: Option<String>,
    /// How the panels stand.
    pub layout: Layout,
    /// Window size in points.
    pub window: Option<(f32, f32)>,
    pub journal: JournalBounds,
}

/// Where a person was on a hub when the program ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Places {
    /// The tab in front: `device` or `device/module`.
    pub active: Option<String>,
    /// The section of each tab that does not show desired, with ` tree` behind it where the tree is shown.
    pub sections: std::collections::BTreeMap<String, String>,
    /// Devices whose modules are shown in the list.
    pub unfolded: Vec<String>,
}

/// How much of the history of twins is kept: what is older goes, then the oldest until the rest fits. The newest version of a twin stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct JournalBounds {
    /// All files together, in units of 1024 × 1024 bytes.
    pub megabytes: u32,
    pub days: u32,
}

impl Default for JournalBounds {
    fn default() -> Self {
        Self { megabytes: 256, days: 90 }
    }
}

impl JournalBounds {
    #[must_use]
    pub fn limits(self) -> journal::Limits {
        journal::Limits {
            bytes: u64::from(self.megabytes) * 1024 * 1024,
            age_ms: u64::from(self.days) * 24 * 60 * 60 * 1000,
        }
    }
}

/// Which panels are shown, and how large people made them, in points; `None` leaves it to the program.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Layout {
    pub fleet_width: Option<f32>,
    pub changes_width: Option<f32>,
    pub activity_height: Option<f32>,
    pub fleet_hidden: bool,
    pub changes_hidden: bool,
    pub activity_open: bool,
}

/// Light, dark, or as the OS says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum ThemeChoice {
    #[default]
    System,
    Light,
    Dark,
}

/// A kept connection. Its secret is not in here.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SavedConnection {
    pub id: String,
    pub name: String,
    pub host: String,
    pub policy: String,
    pub ca_file: Option<std::path::PathBuf>,
}
