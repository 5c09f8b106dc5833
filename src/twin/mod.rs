//! What is a twin? Pure data and pure functions: no runtime, no clock, no disk, no window.
//!
//! A twin is the JSON document the hub keeps for each device and each module of a device. `tags` and `desired` are
//! written by the back end, `reported` by the device.
//!
//! Numbers keep their spelling and keys their order: `serde_json` is built with `arbitrary_precision` and
//! `preserve_order`, and nothing in here goes through `f64`.

pub mod diff;
pub mod draft;
pub mod hunks;
pub mod id;
pub mod known;
pub mod life;
pub mod merge;
pub mod metadata;
pub mod moves;
pub mod patch;
pub mod path;
pub mod replace;
pub mod rules;
pub mod text;
pub mod tree;
pub mod wire;

pub use id::{IdProblem, TwinId};
pub use path::{Path, Segment};

/// A JSON object in the order it was written.
pub type JsonMap = serde_json::Map<String, serde_json::Value>;
pub use serde_json::Value as Json;

/// The three documents inside a twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Section {
    /// Written and read by the back end alone.
    Tags,
    /// Written by the back end, read by the device.
    Desired,
    /// Written by the device, read by the back end.
    Reported,
}

impl Section {
    /// The word people use: `tags`, `desired`, `reported`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Tags => "tags",
            Self::Desired => "desired",
            Self::Reported => "reported",
        }
    }
}

/// An entity tag as it stands in a body: bare, without quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Etag(pub String);

/// Why an etag cannot guard a write. RFC 9110, section 8.8.3, says what an entity tag may hold; `*` alone stands for any version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EtagProblem {
    #[error("it was read without an etag")]
    Missing,
    #[error("its etag is *, which stands for any version")]
    Any,
    #[error("its etag holds {0:?}, which no etag may hold")]
    Character(char),
    #[error("its etag is longer than 1024 bytes")]
    TooLong,
}

/// Bytes of an etag that is sent back. A real hub's have 12.
pub const ETAG_MAX: usize = 1024;

impl Etag {
    /// Whether a write guarded by this etag goes through for this version alone.
    ///
    /// # Errors
    /// Why it could go through for another version, or cannot be sent at all.
    pub fn check(&self) -> Result<(), EtagProblem> {
        if self.0.is_empty() {
            return Err(EtagProblem::Missing);
        }
        if self.0 == "*" {
            return Err(EtagProblem::Any);
        }
        if self.0.len() > ETAG_MAX {
            return Err(EtagProblem::TooLong);
        }
        // Bytes above ASCII are legal, but obsolete, and servers read them in different encodings.
        match self.0.chars().find(|c| !matches!(c, '!' | '#'..='~')) {
            Some(c) => Err(EtagProblem::Character(c)),
            None => Ok(()),
        }
    }

    /// The form a header carries: `"…"`. An unquoted tag is ignored by the hub on twin writes, so nothing in
    /// Twinscope ever sends one.
    #[must_use]
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }

    /// Reads a header value in any of the forms seen in the field: `x`, `"x"`, `W/"x"`.
    #[must_use]
    pub fn from_header(text: &str) -> Self {
        let text = text.trim();
        let text = text.strip_prefix("W/").unwrap_or(text);
        Self(text.trim_matches('"').to_owned())
    }
}

/// Whether the hub lets the identity connect. Modules have none of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    Enabled,
    Disabled,
}

impl Status {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}

/// Whether the identity holds an MQTT or AMQP connection, as the hub last knew it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectionState {
    Connected,
    Disconnected,
}

impl ConnectionState {
    /// The word on the wire: `Connected`, `Disconnected`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Connected => "Connected",
            Self::Disconnected => "Disconnected",
        }
    }
}

/// How the identity proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthKind {
    Sas,
    SelfSigned,
    CertificateAuthority,
    None,
}

impl AuthKind {
    /// The word on the wire: `sas`, `selfSigned`, `certificateAuthority`, `none`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Sas => "sas",
            Self::SelfSigned => "selfSigned",
            Self::CertificateAuthority => "certificateAuthority",
            Self::None => "none",
        }
    }
}

/// `desired` or `reported`: what people wrote, with the hub's own `$version` and `$metadata` lifted out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Properties {
    /// The properties themselves, without `$version` and `$metadata`.
    pub values: JsonMap,
    /// `$version`; 1 for a fresh section, one more for each write that touches it.
    pub version: u64,
    /// `$metadata` as sent: mirrors the shape of `values`, each node with `$lastUpdated` (and, in desired, `$lastUpdatedVersion`).
    /// `Null` where the hub sent none (the device's own view has none).
    pub metadata: Json,
}

/// One twin, as the service side sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Twin {
    pub id: TwinId,
    /// Moves with each service write of tags or desired, never with reported.
    pub etag: Etag,
    /// The etag of the identity record (of the module's, for a module), where the hub sent one.
    pub device_etag: Option<Etag>,
    /// Moves with every write, reported included: the counter to poll on.
    pub version: u64,
    /// `None` where the hub sent none.
    pub status: Option<Status>,
    pub status_reason: Option<String>,
    /// UTC, ISO 8601 as sent; `None` when absent. `0001-01-01T00:00:00Z` means never.
    pub status_update_time: Option<String>,
    pub connection_state: ConnectionState,
    /// UTC, ISO 8601 as sent; `0001-01-01T00:00:00Z` means never.
    pub last_activity_time: Option<String>,
    pub cloud_to_device_message_count: u64,
    pub authentication: Option<AuthKind>,
    pub primary_thumbprint: Option<String>,
    pub secondary_thumbprint: Option<String>,
    /// The digital twin model the device announced; empty or absent is `None`.
    pub model_id: Option<String>,
    pub iot_edge: bool,
    /// Empty where the hub left the key out.
    pub tags: JsonMap,
    pub desired: Properties,
    pub reported: Properties,
    /// Top-level fields this program does not know, kept for the Document pane.
    pub extra: JsonMap,
}

impl Twin {
    /// The editable or readable document of a section, without the hub's own keys.
    #[must_use]
    pub fn section(&self, section: Section) -> &JsonMap {
        match section {
            Section::Tags => &self.tags,
            Section::Desired => &self.desired.values,
            Section::Reported => &self.reported.values,
        }
    }
}
