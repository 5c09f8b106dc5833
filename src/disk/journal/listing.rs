//! Of which twins the journal has anything: read from the first line of each file, newest files first.

use super::line::Line;
use super::{Journal, is_passing};
use crate::twin::TwinId;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Twins told at most: those seen last.
const TWINS_MAX: usize = 2_000;
/// Where a first line that can be read is looked for.
const HEAD_MAX: u64 = 1024 * 1024;

/// A twin that something is known of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastTwin {
    /// What its hub is filed under: the host, or `local`.
    pub hub: String,
    pub id: TwinId,
    /// Milliseconds since 1970 when something was last written of it.
    pub at_ms: u64,
}

impl PastTwin {
    /// Whether its hub was one that lived no longer than its program.
    #[must_use]
    pub fn is_of_passing_hub(&self) -> bool {
        is_passing(&self.hub)
    }
}

impl Journal {
    /// The twins that something is known of, those written to last first. What cannot be read is left out.
    ///
    /// # Errors
    /// A sentence that names the folder.
    pub fn twins(&self) -> Result<Vec<PastTwin>, String> {
        let folder = self.folder.join("twins");
        let entries = match self.inside(&folder).and_then(|()| std::fs::read_dir(&folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(format!("The journal in {} cannot be read: {error}", folder.display())),
        };
        let mut files: Vec<(u64, PathBuf)> = entries
            .filter_map(|entry| {
                let entry = entry.ok().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))?;
                let path = entry.path();
                let lines = path.extension().is_some_and(|end| end == "jsonl");
                let written = entry.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
                lines.then(|| (u64::try_from(written.as_millis()).unwrap_or(u64::MAX), path))
            })
            .collect();
        files.sort_by(|a, b| b.cmp(a));
        Ok(files.into_iter().take(TWINS_MAX).filter_map(|(at_ms, path)| first(&path, at_ms)).collect())
    }
}

fn first(path: &Path, at_ms: u64) -> Option<PastTwin> {
    let mut head = BufReader::new(std::fs::File::open(path).ok()?.take(HEAD_MAX));
    let mut bytes = Vec::new();
    while head.read_until(b'\n', &mut bytes).ok()? > 0 {
        if let Some(line) = Line::read(bytes.strip_suffix(b"\n").unwrap_or(&bytes)) {
            return Some(PastTwin { hub: line.hub()?.to_owned(), id: line.id()?, at_ms });
        }
        bytes.clear();
    }
    None
}
