//! What a tab compares, as it is kept with the open tabs: where the sides come from and how they are laid out. No contents.

use serde::{Deserialize, Serialize};

/// The comparison in one tab.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptComparison {
    /// The others; the tab's own twin is always there.
    pub sides: Vec<KeptSide>,
    /// Places in `sides`, counted from 1; 0 is the tab's own twin.
    pub left: usize,
    pub right: usize,
    /// `desired`, `reported` or `tags`; anything else counts as `desired`.
    pub section: String,
    /// `beside`, `inline` or `table`; anything else counts as `beside`.
    pub face: String,
}

/// Where a side comes from. Twins are named as on their tabs: `device` or `device/module`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum KeptSide {
    /// A twin of the hub.
    Twin { id: String },
    /// What is typed in another tab.
    Draft { id: String },
    /// An entry of the journal: `hub` as filed there, `None` for the tab's own; `seen` as in [`crate::disk::journal::Seen::word`].
    Version { hub: Option<String>, id: String, version: u64, at_ms: u64, seen: String },
    /// A twin of another hub, by its key as in [`crate::disk::Settings::open_tabs`].
    Elsewhere { hub: String, id: String },
    /// Written by a newer program.
    #[serde(other)]
    Unknown,
}
