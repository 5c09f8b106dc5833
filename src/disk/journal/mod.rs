//! The journal: every version of a twin that was ever seen, with its source and time, so that any two can be compared and any
//! one brought back.
//!
//! Per twin a file of lines, one for each version; the sections stand in files named after the hash of their content, so that
//! what did not change is kept once. Lines are only added, under a lock that other windows honour; a line that a crash cut
//! short is passed over. `prune` takes the oldest away when the journal grows too large. `discarded` keeps drafts that were
//! thrown away, `listing` tells of which twins there is anything.

mod discarded;
mod line;
mod listing;
mod prune;
mod tail;

pub use listing::PastTwin;
pub use prune::{Limits, Pruned};

use super::drafts::twin_name;
use super::file;
use crate::twin::{Etag, Json, JsonMap, Twin, TwinId, wire};
use line::Line;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use tail::{append, newest_versions, open_lines};

/// One section with its metadata, or the texts of a draft; the hub's own bounds are far below this.
const OBJECT_MAX: u64 = 32 * 1024 * 1024;
/// The lines of one twin; pruning keeps it far below.
const LINES_MAX: u64 = 256 * 1024 * 1024;

/// How the name of a hub begins that lives no longer than its program: a local hub that keeps nothing. No host has a space.
const PASSING: &str = "local ";

/// What a local hub that keeps nothing is filed under: the next one is another hub, whatever its twins are called.
#[must_use]
pub fn passing(instance: &str) -> String {
    format!("{PASSING}{instance}")
}

/// Whether a hub of this name is gone with its program.
#[must_use]
pub fn is_passing(hub: &str) -> bool {
    hub.starts_with(PASSING)
}

/// How a version came to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    Load,
    Save,
    /// Read after the answer to a save was lost: it has what was saved, and perhaps more.
    Found,
    Watch,
    /// By way of a device's own connection or the hub's events.
    Event,
    /// It never was on the hub: a draft that was thrown away, on the version it was typed at.
    Discarded,
}

impl Seen {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Load, "load"),
        (Self::Save, "save"),
        (Self::Found, "found"),
        (Self::Watch, "watch"),
        (Self::Event, "event"),
        (Self::Discarded, "discarded"),
    ];

    /// As in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(seen, _)| *seen == self).map_or("load", |(_, word)| word)
    }

    /// `None` for a word that is none of ours.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(seen, _)| *seen)
    }
}

/// A patch that was saved, and the one that takes it back.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedPatch {
    /// As sent: `{"tags":…,"properties":{"desired":…}}`.
    pub patch: JsonMap,
    pub inverse: JsonMap,
}

/// One version on the timeline of a twin.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Milliseconds since 1970 when it was seen.
    pub at_ms: u64,
    pub seen: Seen,
    pub version: u64,
    pub etag: Etag,
    pub desired_version: u64,
    pub reported_version: u64,
    /// Versions between the entry before and this one that nobody saw. `None` when the count began anew: the twin was deleted and
    /// made again.
    pub unseen: Option<u64>,
    /// Paths that differ from the entry before; `None` for the first one, or where that could not be read.
    pub changed: Option<Changed>,
    pub saved: Option<SavedPatch>,
    line: Line,
}

/// Counts of changed paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changed {
    pub tags: usize,
    pub desired: usize,
    pub reported: usize,
}

impl Changed {
    #[must_use]
    pub fn total(self) -> usize {
        self.tags + self.desired + self.reported
    }
}

/// Tells an entry from the others of its twin, also after the journal was read again or pruned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntryKey {
    pub version: u64,
    pub at_ms: u64,
}

impl Entry {
    #[must_use]
    pub fn key(&self) -> EntryKey {
        EntryKey { version: self.version, at_ms: self.at_ms }
    }

    /// Whether it is a draft that was thrown away, and no version of the hub.
    #[must_use]
    pub fn is_discarded(&self) -> bool {
        self.seen == Seen::Discarded
    }
}

/// The entries of a twin, oldest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timeline {
    pub entries: Vec<Entry>,
    /// Lines that could not be read, a last one cut short not counted.
    pub unreadable: usize,
}

impl Timeline {
    /// Where an entry stands in `entries`.
    #[must_use]
    pub fn place(&self, key: EntryKey) -> Option<usize> {
        self.entries.iter().rposition(|entry| entry.key() == key)
    }
}

impl Timeline {
    fn take(&mut self, line: Line) {
        let last = self.entries.iter_mut().rev().find(|entry| !entry.is_discarded());
        let entry = line.entry(last.as_ref().map(|entry| entry.version));
        match last {
            // The watch saw our save before its answer came: one version, with what the save knows of it.
            Some(last) if entry.saved.is_some() && entry.line.says_the_same(&last.line) => {
                (last.seen, last.saved) = (entry.seen, entry.saved);
            }
            _ => self.entries.push(entry),
        }
    }
}

/// The folder of the journal. All its calls block.
#[derive(Debug, Clone)]
pub struct Journal {
    folder: PathBuf,
}

impl Journal {
    /// A journal in this folder, which is made when the first version is kept.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    /// Keeps a version unless it is among the last ones kept: two windows that look at one twin see the same versions, not
    /// always in the same order. Whether it was kept.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn record(
        &self,
        hub: &str,
        twin: &Twin,
        seen: Seen,
        at_ms: u64,
        saved: Option<&SavedPatch>,
    ) -> Result<bool, String> {
        let path = self.twin_file(hub, &twin.id);
        let wrong = |error: std::io::Error| format!("The journal in {} cannot be written: {error}", path.display());
        let _turn = self.turn().map_err(wrong)?;
        self.inside(&path).map_err(wrong)?;
        let mut lines = open_lines(&path).map_err(wrong)?;
        let newest = newest_versions(&mut lines).map_err(wrong)?;
        let (mut line, objects) = Line::of(hub, twin, seen, at_ms, saved);
        self.keep_objects(&objects).map_err(wrong)?;
        if saved.is_none() && newest.iter().any(|known| known.says_the_same(&line)) {
            return Ok(false);
        }
        if let Some(last) = newest.first() {
            line.note_changes(twin, last, |hash| self.object(hash));
        }
        append(&mut lines, &line).map_err(wrong)?;
        if seen == Seen::Save {
            lines.sync_data().map_err(wrong)?;
        }
        Ok(true)
    }

    /// All versions kept of a twin.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn timeline(&self, hub: &str, id: &TwinId) -> Result<Timeline, String> {
        let path = self.twin_file(hub, id);
        let wrong = |error: std::io::Error| format!("The journal in {} cannot be read: {error}", path.display());
        self.inside(&path).map_err(wrong)?;
        let Some(bytes) = file::read(&path, LINES_MAX).map_err(wrong)? else { return Ok(Timeline::default()) };
        let mut timeline = Timeline::default();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let ends = line.strip_suffix(b"\n");
            let whole = ends.unwrap_or(line);
            if whole.is_empty() || ends.is_none() && is_cut_short(whole) {
                continue;
            }
            match Line::read(whole) {
                Some(line) => timeline.take(line),
                None => timeline.unreadable += 1,
            }
        }
        Ok(timeline)
    }

    /// The twin as it was; of a discarded draft, as it would have been.
    ///
    /// # Errors
    /// A sentence: a section's content is gone or damaged, or the text of a draft does not parse.
    pub fn twin(&self, entry: &Entry) -> Result<Twin, String> {
        if entry.is_discarded() { self.discarded(entry)?.twin() } else { self.base(entry) }
    }

    /// The version of an entry; of a discarded draft, the one it was typed at.
    fn base(&self, entry: &Entry) -> Result<Twin, String> {
        entry.line.twin(|hash| self.object(hash))
    }

    /// The newest version kept with this etag: what a write guarded by it was written against, as far as tags and desired go.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn at_etag(&self, hub: &str, id: &TwinId, etag: &Etag) -> Result<Option<Twin>, String> {
        let timeline = self.timeline(hub, id)?;
        timeline
            .entries
            .iter()
            .rev()
            .find(|entry| entry.etag == *etag && !entry.is_discarded())
            .map(|entry| self.twin(entry))
            .transpose()
    }

    fn object(&self, hash: &str) -> Result<Json, String> {
        let path = self.object_file(hash);
        let bytes = self
            .inside(&path)
            .and_then(|()| file::read(&path, OBJECT_MAX))
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?
            .ok_or_else(|| gone(&path))?;
        if file::digest(&bytes) != hash {
            return Err(self.damaged(&path, hash));
        }
        wire::json(&bytes).map_err(|_broken| damaged(&path))
    }

    /// Sets a damaged file aside, so that it is said once, and its content is written anew when it is seen again.
    fn damaged(&self, path: &Path, hash: &str) -> String {
        // Only while nobody adds: another window may be writing it anew.
        let lock = self.lock_file().ok().filter(|lock| lock.try_lock().is_ok());
        let still = || file::read(path, OBJECT_MAX).ok().flatten().is_some_and(|bytes| file::digest(&bytes) != hash);
        match lock.filter(|_| still()).map(|_lock| file::set_aside(path)) {
            Some(Ok(aside)) => kept_aside(path, &aside),
            Some(Err(error)) => {
                tracing::debug!(%error, "a damaged file stays where it is");
                damaged(path)
            }
            None => damaged(path),
        }
    }

    fn keep_objects(&self, objects: &[(String, String)]) -> std::io::Result<()> {
        objects.iter().try_for_each(|(hash, content)| self.keep_object(hash, content))
    }

    fn keep_object(&self, hash: &str, content: &str) -> std::io::Result<()> {
        let path = self.object_file(hash);
        self.inside(&path)?;
        // One that is damaged is written anew.
        let there = file::read(&path, OBJECT_MAX).ok().flatten().is_some_and(|bytes| file::digest(&bytes) == hash);
        if there { Ok(()) } else { file::replace(&path, content.as_bytes()) }
    }

    /// Adding lines goes on beside other windows' adding; pruning waits for them and they for it.
    fn turn(&self) -> std::io::Result<File> {
        let lock = self.lock_file()?;
        lock.lock_shared()?;
        Ok(lock)
    }

    fn lock_file(&self) -> std::io::Result<File> {
        file::not_a_link(&self.folder)?;
        file::make_folder(&self.folder.join("twins"))?;
        file::not_a_link(&self.folder.join("lock"))?;
        OpenOptions::new().create(true).truncate(false).write(true).open(self.folder.join("lock"))
    }

    /// Nothing is read or written by way of a link.
    fn inside(&self, path: &Path) -> std::io::Result<()> {
        file::not_through_a_link(&self.folder, path)
    }

    fn twin_file(&self, hub: &str, id: &TwinId) -> PathBuf {
        self.folder.join("twins").join(format!("{}.jsonl", twin_name(hub, id)))
    }

    fn object_file(&self, hash: &str) -> PathBuf {
        let (folder, name) = hash.split_at_checked(2).unwrap_or(("", hash));
        self.folder.join("objects").join(folder).join(name)
    }
}

/// Whether a last line without an end is one that a crash cut short: the begin of a line. One that is complete, or that was never
/// one of ours, is not.
fn is_cut_short(line: &[u8]) -> bool {
    let mut values = serde_json::Deserializer::from_slice(line).into_iter::<serde_json::Value>();
    values.next().is_none_or(|value| value.is_err_and(|error| error.is_eof()))
}

/// Why a file is not there.
fn gone(path: &Path) -> String {
    let aside = file::last_aside(path);
    let none = || "what that version held is no longer in the journal: choose another one".to_owned();
    aside.map_or_else(none, |aside| kept_aside(path, &aside))
}

fn kept_aside(path: &Path, aside: &Path) -> String {
    format!("{}; the file is kept as {}", damaged(path), aside.display())
}

fn damaged(path: &Path) -> String {
    format!(
        "{} is damaged, so this version cannot be shown; choose another one: those that do not need it can, and this one can again when the hub has the same values once more",
        path.display()
    )
}
