//! The journal: every version of a twin that was ever seen, with its source and time, so that any two can be compared and any
//! one brought back.
//!
//! Per twin a file of lines, one for each version; the sections stand in files named after the hash of their content, so that
//! what did not change is kept once. Lines are only added, under a lock that other windows honour; a line that a crash cut
//! short is passed over. `prune` takes the oldest away when the journal grows too large.

mod line;
mod prune;

pub use prune::{Limits, Pruned};

use super::drafts::twin_name;
use super::file;
use crate::twin::{Etag, Json, JsonMap, Twin, TwinId, wire};
use line::Line;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// One section with its metadata; the hub's own bound on it is below this.
const OBJECT_MAX: u64 = 4 * 1024 * 1024;
/// The lines of one twin; pruning keeps it far below.
const LINES_MAX: u64 = 256 * 1024 * 1024;
/// Where the last line is looked for.
const TAIL_MAX: u64 = 4 * 1024 * 1024;

/// How a version came to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    Load,
    Save,
    Watch,
    /// By way of a device's own connection or the hub's events.
    Event,
}

impl Seen {
    const ALL: [(Self, &'static str); 4] =
        [(Self::Load, "load"), (Self::Save, "save"), (Self::Watch, "watch"), (Self::Event, "event")];

    /// As in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(seen, _)| *seen == self).map_or("load", |(_, word)| word)
    }

    fn read(word: &str) -> Option<Self> {
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
    pub saved: Option<SavedPatch>,
    line: Line,
}

/// The entries of a twin, oldest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timeline {
    pub entries: Vec<Entry>,
    /// Lines that could not be read, a last one cut short not counted.
    pub unreadable: usize,
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

    /// Keeps a version unless the last one kept is the same. Whether it was kept.
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
        let mut lines = open_lines(&path).map_err(wrong)?;
        let last = last_line(&mut lines).map_err(wrong)?;
        let (line, objects) = Line::of(hub, twin, seen, at_ms, saved);
        if saved.is_none() && last.as_ref().is_some_and(|last| last.says_the_same(&line)) {
            return Ok(false);
        }
        for (hash, content) in &objects {
            self.keep_object(hash, content).map_err(wrong)?;
        }
        // What a crash cut short must not swallow this line.
        let mut text = if ends_a_line(&mut lines).map_err(wrong)? { Vec::new() } else { vec![b'\n'] };
        text.extend_from_slice(line.text().as_bytes());
        text.push(b'\n');
        lines.write_all(&text).map_err(wrong)?;
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
        let Some(bytes) = file::read(&path, LINES_MAX).map_err(wrong)? else { return Ok(Timeline::default()) };
        let mut timeline = Timeline::default();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let Some(whole) = line.strip_suffix(b"\n") else { continue };
            if whole.is_empty() {
                continue;
            }
            match Line::read(whole) {
                Some(line) => {
                    let before = timeline.entries.last().map(|entry: &Entry| entry.version);
                    timeline.entries.push(line.entry(before));
                }
                None => timeline.unreadable += 1,
            }
        }
        Ok(timeline)
    }

    /// The twin as it was.
    ///
    /// # Errors
    /// A sentence: a section's content is gone or damaged.
    pub fn twin(&self, entry: &Entry) -> Result<Twin, String> {
        entry.line.twin(|hash| self.object(hash))
    }

    fn object(&self, hash: &str) -> Result<Json, String> {
        let path = self.object_file(hash);
        let bytes = file::read(&path, OBJECT_MAX)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?
            .ok_or_else(|| "that version is no longer in the journal".to_owned())?;
        if file::digest(&bytes) != hash {
            return Err(format!("{} is damaged", path.display()));
        }
        wire::json(&bytes).map_err(|error| format!("{} is damaged: {error}", path.display()))
    }

    fn keep_object(&self, hash: &str, content: &str) -> std::io::Result<()> {
        let path = self.object_file(hash);
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
        std::fs::create_dir_all(self.folder.join("twins"))?;
        OpenOptions::new().create(true).truncate(false).write(true).open(self.folder.join("lock"))
    }

    fn twin_file(&self, hub: &str, id: &TwinId) -> PathBuf {
        self.folder.join("twins").join(format!("{}.jsonl", twin_name(hub, id)))
    }

    fn object_file(&self, hash: &str) -> PathBuf {
        let (folder, name) = hash.split_at_checked(2).unwrap_or(("", hash));
        self.folder.join("objects").join(folder).join(name)
    }
}

/// The lines of one twin, locked: windows take turns, so that the last line read is the last one.
fn open_lines(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    file.lock()?;
    Ok(file)
}

/// The last whole line that can be read.
fn last_line(file: &mut File) -> std::io::Result<Option<Line>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_MAX)))?;
    let mut tail = Vec::new();
    file.take(TAIL_MAX).read_to_end(&mut tail)?;
    let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    Ok(tail[..whole].split(|byte| *byte == b'\n').rev().find_map(Line::read))
}

fn ends_a_line(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last[0] == b'\n')
}
