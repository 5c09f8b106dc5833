//! The file of one twin's lines: taking a turn at it, and reading its end.

use super::line::Line;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
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

/// The last whole lines that can be read, newest first.
pub(super) fn newest_lines(file: &mut File) -> std::io::Result<Vec<Line>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_MAX)))?;
    let mut tail = Vec::new();
    file.take(TAIL_MAX).read_to_end(&mut tail)?;
    let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    Ok(tail[..whole].split(|byte| *byte == b'\n').rev().filter_map(Line::read).take(NEWEST).collect())
}

pub(super) fn ends_a_line(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last[0] == b'\n')
}
