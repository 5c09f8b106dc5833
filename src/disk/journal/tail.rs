//! The file of one twin's lines: taking a turn at it, and reading its end.

use super::line::Line;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Where the newest lines are looked for.
const TAIL_MAX: u64 = 4 * 1024 * 1024;
/// So many of them tell what was seen lately.
const NEWEST: usize = 16;

/// The lines of one twin, locked: windows take turns, so that the last line read is the last one.
pub(super) fn open_lines(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    file.lock()?;
    Ok(file)
}

/// The last whole lines that can be read and tell of a version, newest first.
pub(super) fn newest_versions(file: &mut File) -> std::io::Result<Vec<Line>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_MAX)))?;
    let mut tail = Vec::new();
    file.take(TAIL_MAX).read_to_end(&mut tail)?;
    let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines = tail[..whole].split(|byte| *byte == b'\n').rev().filter_map(Line::read);
    Ok(lines.filter(|line| !line.is_discarded()).take(NEWEST).collect())
}

/// Adds a line, whole or not at all: where the disk fills up in the middle of it, what was written of it is taken back.
pub(super) fn append(file: &mut File, line: &Line) -> std::io::Result<()> {
    // What a crash cut short must not swallow this line.
    let mut text = if ends_a_line(file)? { Vec::new() } else { vec![b'\n'] };
    text.extend_from_slice(line.text().as_bytes());
    text.push(b'\n');
    let before = file.metadata()?.len();
    file.write_all(&text).inspect_err(|_| {
        if let Err(error) = file.set_len(before) {
            tracing::warn!(%error, "a part of a line stays in the journal");
        }
    })
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
