//! One line of the journal: a version of a twin, its sections by the hash of their content.

use super::{Changed, Entry, SavedPatch, Seen};
use crate::disk::file;
use crate::disk::seal::{seal, unseal};
use crate::twin::{Etag, Json, JsonMap, Section, Twin, TwinId, diff, wire};

/// The parts of a twin that are kept as objects of their own, by their place in the twin's JSON.
const PARTS: [&str; 3] = ["/tags", "/properties/desired", "/properties/reported"];
const SECTIONS: [Section; 3] = [Section::Tags, Section::Desired, Section::Reported];

/// A line as JSON: `hub`, `at` (ms), `seen`, `desired` and `reported` (their versions), `twin` (without its sections), `parts` (hashes in the order of `PARTS`, null where
/// the twin has none), `changed` (paths that differ from the line before, by part; absent on the first), `patch` and `inverse`
/// of a save, and `typed`, the hash of the texts, of a discarded draft, whose version and parts are those it was typed at.
#[derive(Debug, Clone, PartialEq)]
pub struct Line(Json);

impl Line {
    /// The line of a version, and the objects it names with their content.
    pub fn of(
        hub: &str,
        twin: &Twin,
        seen: Seen,
        at_ms: u64,
        saved: Option<&SavedPatch>,
    ) -> (Self, Vec<(String, String)>) {
        let mut rest = wire::to_json(twin);
        let mut objects = Vec::new();
        let mut parts = Vec::new();
        for part in PARTS {
            parts.push(match rest.pointer_mut(part).map(Json::take) {
                None | Some(Json::Null) => Json::Null,
                Some(section) => {
                    let content = section.to_string();
                    let hash = file::digest(content.as_bytes());
                    objects.push((hash.clone(), content));
                    Json::String(hash)
                }
            });
        }
        let mut line = JsonMap::new();
        let mut put = |key: &str, value: Json| drop(line.insert(key.to_owned(), value));
        put("hub", Json::from(hub));
        put("at", Json::from(at_ms));
        put("seen", Json::from(seen.word()));
        put("desired", Json::from(twin.desired.version));
        put("reported", Json::from(twin.reported.version));
        put("twin", rest);
        put("parts", Json::Array(parts));
        if let Some(SavedPatch { patch, inverse }) = saved {
            put("patch", Json::Object(patch.clone()));
            put("inverse", Json::Object(inverse.clone()));
        }
        (Self(Json::Object(line)), objects)
    }

    /// Makes it the line of a draft that was thrown away. `changed`: paths the draft changed, where its texts parse.
    pub fn discarded(mut self, typed: &str, changed: Option<Changed>) -> Self {
        if let Some(line) = self.0.as_object_mut() {
            line.insert("seen".to_owned(), Json::from(Seen::Discarded.word()));
            line.insert("typed".to_owned(), Json::from(typed));
            if let Some(Changed { tags, desired, reported }) = changed {
                line.insert("changed".to_owned(), Json::from(vec![tags, desired, reported]));
            }
        }
        self
    }

    /// Counts the paths in which a twin differs from the version of the line before; nothing is noted where that cannot be read.
    pub fn note_changes(&mut self, twin: &Twin, before: &Self, object: impl Fn(&str) -> Result<Json, String>) {
        let mut counts = Vec::new();
        for (at, section) in SECTIONS.into_iter().enumerate() {
            let place = format!("/parts/{at}");
            let (old, new) = (before.0.pointer(&place), self.0.pointer(&place));
            if old == new {
                counts.push(Json::from(0));
                continue;
            }
            let old = match old.and_then(Json::as_str).map(&object) {
                None => JsonMap::new(),
                Some(Ok(Json::Object(mut old))) => {
                    if section != Section::Tags {
                        old.retain(|key, _| key != "$version" && key != "$metadata");
                    }
                    old
                }
                Some(_) => return,
            };
            counts.push(Json::from(diff::diff(&old, twin.section(section)).len()));
        }
        if let Some(line) = self.0.as_object_mut() {
            line.insert("changed".to_owned(), Json::Array(counts));
        }
    }

    /// `None` for a line that is none of ours, or damaged.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let line = Self(wire::json(&unseal(bytes).ok()?).ok()?);
        line.checked().then_some(line)
    }

    /// Whether everything an entry needs is there.
    fn checked(&self) -> bool {
        let parts = self.0.get("parts").and_then(Json::as_array);
        self.number("/at").is_some()
            && self.word("/seen").and_then(Seen::read).is_some()
            && self.number("/twin/version").is_some()
            && self.word("/twin/etag").is_some()
            && (!self.is_discarded() || self.typed().is_some())
            && parts.is_some_and(|parts| parts.len() == PARTS.len())
    }

    /// As in the file, with its checksum.
    pub fn text(&self) -> String {
        seal(&self.0.to_string())
    }

    fn number(&self, pointer: &str) -> Option<u64> {
        self.0.pointer(pointer)?.as_u64()
    }

    fn word(&self, pointer: &str) -> Option<&str> {
        self.0.pointer(pointer)?.as_str()
    }

    /// Milliseconds since 1970.
    pub fn at_ms(&self) -> u64 {
        self.number("/at").unwrap_or(0)
    }

    /// What the hub is filed under.
    pub fn hub(&self) -> Option<&str> {
        self.word("/hub")
    }

    pub fn id(&self) -> Option<TwinId> {
        let device = self.word("/twin/deviceId")?.to_owned();
        Some(TwinId { device, module: self.word("/twin/moduleId").map(str::to_owned) })
    }

    pub fn is_discarded(&self) -> bool {
        self.word("/seen") == Some(Seen::Discarded.word())
    }

    /// The hash of the texts of a discarded draft.
    pub fn typed(&self) -> Option<&str> {
        self.word("/typed")
    }

    /// The hashes of the objects it needs.
    pub fn objects(&self) -> impl Iterator<Item = &str> {
        let parts = self.0.get("parts").and_then(Json::as_array);
        parts.into_iter().flatten().filter_map(Json::as_str).chain(self.typed())
    }

    /// Whether it tells of the version the other tells of, with the same content. Connection state and activity move without a
    /// version and are no news.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let same = |pointer: &str| self.0.pointer(pointer) == other.0.pointer(pointer);
        same("/hub") && same("/twin/version") && same("/twin/etag") && same("/parts") && same("/typed")
    }

    fn changed(&self) -> Option<Changed> {
        let counts = self.0.get("changed")?.as_array()?;
        let count = |at: usize| usize::try_from(counts.get(at)?.as_u64()?).ok();
        Some(Changed { tags: count(0)?, desired: count(1)?, reported: count(2)? })
    }

    pub fn entry(self, before: Option<u64>) -> Entry {
        let map = |key: &str| self.0.get(key).and_then(Json::as_object).cloned();
        let version = self.number("/twin/version").unwrap_or(0);
        Entry {
            at_ms: self.at_ms(),
            seen: self.word("/seen").and_then(Seen::read).unwrap_or(Seen::Load),
            version,
            etag: Etag(self.word("/twin/etag").unwrap_or_default().to_owned()),
            desired_version: self.number("/desired").unwrap_or(0),
            reported_version: self.number("/reported").unwrap_or(0),
            unseen: match before {
                _ if self.is_discarded() => Some(0),
                None => Some(0),
                Some(before) if before <= version => Some((version - before).saturating_sub(1)),
                Some(_) => None,
            },
            changed: self.changed(),
            saved: map("patch").zip(map("inverse")).map(|(patch, inverse)| SavedPatch { patch, inverse }),
            line: self,
        }
    }

    /// The twin, its sections read by their hashes.
    pub fn twin(&self, object: impl Fn(&str) -> Result<Json, String>) -> Result<Twin, String> {
        let mut twin = self.0.get("twin").cloned().unwrap_or_default();
        let parts = self.0.get("parts").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        for (place, hash) in PARTS.iter().zip(parts) {
            if let (Some(hash), Some(place)) = (hash.as_str(), twin.pointer_mut(place)) {
                *place = object(hash)?;
            }
        }
        wire::from_json(twin).map_err(|error| format!("that version is damaged: {error}"))
    }
}
