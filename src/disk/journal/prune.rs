//! Keeps the journal within its bounds: the oldest versions go first, then the objects no line names any more.

use super::line::Line;
use super::{Journal, LINES_MAX, file, is_cut_short, is_passing};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// What was seen of a hub that is gone with its program is kept for a day, in milliseconds.
const PASSING_MS: u64 = 24 * 60 * 60 * 1000;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all files together.
    pub bytes: u64,
    /// Milliseconds a version is kept; the newest version of a twin stays whatever its age.
    pub age_ms: u64,
}

/// What was taken away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    pub versions: usize,
    /// Bytes the journal takes now.
    pub bytes: u64,
    /// What was damaged and where it is kept now, a sentence each.
    pub damaged: Vec<String>,
}

/// The lines of one twin.
struct TwinLines {
    path: PathBuf,
    lines: Vec<Line>,
    /// What is none of ours, as it stands there.
    unreadable: Vec<u8>,
    dropped: usize,
}

impl Journal {
    /// Takes away what is too old, then the oldest versions until the rest fits; `now_ms` since 1970.
    ///
    /// # Errors
    /// A sentence that names the folder.
    pub fn prune(&self, limits: Limits, now_ms: u64) -> Result<Pruned, String> {
        let wrong =
            |error: std::io::Error| format!("The journal in {} cannot be tidied: {error}", self.folder.display());
        if !self.folder.exists() {
            return Ok(Pruned::default());
        }
        let lock = self.lock_file().map_err(wrong)?;
        lock.lock().map_err(wrong)?;
        let (mut twins, mut damaged) = self.all_lines().map_err(wrong)?;
        let oldest = now_ms.saturating_sub(limits.age_ms);
        let passed = oldest.max(now_ms.saturating_sub(PASSING_MS));
        for twin in &mut twins {
            let oldest = if twin.is_passing() { passed } else { oldest };
            twin.forget(|at_ms| at_ms < oldest);
        }
        let mut bytes = self.size(&twins).map_err(wrong)?;
        while bytes > limits.bytes {
            // A tenth at a time: counting anew after every version would take for ever.
            let versions: usize = twins.iter().map(|twin| twin.lines.len()).sum();
            let spare: usize = twins.iter().map(|twin| twin.spare().count()).sum();
            if spare == 0 {
                break;
            }
            drop_oldest(&mut twins, (versions / 10).clamp(1, spare));
            bytes = self.size(&twins).map_err(wrong)?;
        }
        let versions = twins.iter().map(|twin| twin.dropped).sum();
        for twin in twins.iter().filter(|twin| twin.dropped > 0 || !twin.unreadable.is_empty()) {
            if !twin.unreadable.is_empty() {
                // The file is written anew without them; what cannot be read is kept beside.
                let aside = file::free_name(&twin.path);
                file::replace(&aside, &twin.unreadable).map_err(wrong)?;
                damaged.push(twin.damaged_words(&aside));
            }
            if twin.lines.is_empty() {
                std::fs::remove_file(&twin.path).map_err(wrong)?;
                continue;
            }
            let mut lines: Vec<String> = twin.lines.iter().map(Line::text).collect();
            // So that the last one ends too.
            lines.push(String::new());
            let text = lines.join("\n");
            file::replace(&twin.path, text.as_bytes()).map_err(wrong)?;
        }
        self.drop_objects(&named(&twins)).map_err(wrong)?;
        Ok(Pruned { versions, bytes, damaged })
    }

    /// The lines of every twin, and what was set aside whole.
    fn all_lines(&self) -> std::io::Result<(Vec<TwinLines>, Vec<String>)> {
        let (mut twins, mut damaged) = (Vec::new(), Vec::new());
        for path in files(&self.folder.join("twins"))? {
            if path.extension().is_none_or(|end| end != "jsonl") {
                continue;
            }
            let bytes = match file::read(&path, LINES_MAX) {
                Ok(bytes) => bytes.unwrap_or_default(),
                Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
                    let aside = file::set_aside(&path)?;
                    damaged.push(format!(
                        "A file of the history of twins is too large to be ours ({error}); it is kept as {}",
                        aside.display()
                    ));
                    continue;
                }
                Err(error) => return Err(error),
            };
            let (mut lines, mut unreadable) = (Vec::new(), Vec::new());
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                let ends = line.strip_suffix(b"\n");
                let bytes = ends.unwrap_or(line);
                // What a crash cut short holds nothing whole; the next line begins behind it.
                if bytes.is_empty() || ends.is_none() && is_cut_short(bytes) {
                    continue;
                }
                match Line::read(bytes) {
                    Some(line) => lines.push(line),
                    None => unreadable.extend(bytes.iter().chain(b"\n")),
                }
            }
            twins.push(TwinLines { path, lines, unreadable, dropped: 0 });
        }
        Ok((twins, damaged))
    }

    /// Bytes of the lines, and of the objects they name.
    fn size(&self, twins: &[TwinLines]) -> std::io::Result<u64> {
        let lines: usize = twins.iter().flat_map(|twin| &twin.lines).map(|line| line.text().len() + 1).sum();
        let mut bytes = lines as u64;
        for hash in named(twins) {
            bytes += match std::fs::metadata(self.object_file(&hash)) {
                Ok(file) => file.len(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
                Err(error) => return Err(error),
            };
        }
        Ok(bytes)
    }

    fn drop_objects(&self, needed: &HashSet<String>) -> std::io::Result<()> {
        let objects = self.folder.join("objects");
        if !objects.exists() {
            return Ok(());
        }
        self.inside(&objects)?;
        for folder in std::fs::read_dir(objects)? {
            let folder = folder?;
            // What a link leads to is not ours.
            if !folder.file_type()?.is_dir() {
                continue;
            }
            let folder = folder.path();
            let prefix = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            for path in files(&folder)? {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if !needed.contains(&format!("{prefix}{name}")) && !name.contains(".unreadable") {
                    std::fs::remove_file(path)?;
                }
            }
        }
        Ok(())
    }
}

impl TwinLines {
    /// What is said of the lines that cannot be read.
    fn damaged_words(&self, aside: &Path) -> String {
        let lines = self.unreadable.split(|byte| *byte == b'\n').count() - 1;
        let whose = self.lines.iter().find_map(Line::id).map_or_else(|| "a twin".to_owned(), |id| id.to_string());
        let words = if lines == 1 { "1 version".to_owned() } else { format!("{lines} versions") };
        format!(
            "{words} in the history of {whose} cannot be read: damaged on disk. They are kept as {}",
            aside.display()
        )
    }

    fn is_passing(&self) -> bool {
        self.lines.first().and_then(Line::hub).is_some_and(is_passing)
    }

    /// The line that stays whatever happens: the newest version. Of a hub that is gone with its program none does.
    fn kept(&self) -> Option<usize> {
        if self.is_passing() { None } else { self.lines.iter().rposition(|line| !line.is_discarded()) }
    }

    /// The times of the lines that may go.
    fn spare(&self) -> impl Iterator<Item = u64> {
        let kept = self.kept();
        self.lines.iter().enumerate().filter(move |(at, _)| Some(*at) != kept).map(|(_, line)| line.at_ms())
    }

    /// Drops lines by their time, as far as they may go.
    fn forget(&mut self, old: impl Fn(u64) -> bool) {
        let (kept, before) = (self.kept(), self.lines.len());
        let mut at = 0;
        self.lines.retain(|line| {
            at += 1;
            Some(at - 1) == kept || !old(line.at_ms())
        });
        self.dropped += before - self.lines.len();
    }
}

/// Drops so many of the oldest lines, of whichever twin, as far as they may go.
fn drop_oldest(twins: &mut [TwinLines], count: usize) {
    let mut times: Vec<u64> = twins.iter().flat_map(TwinLines::spare).collect();
    times.sort_unstable();
    let Some(limit) = times.get(count.saturating_sub(1)).copied() else { return };
    for twin in twins {
        twin.forget(|at_ms| at_ms <= limit);
    }
}

fn named(twins: &[TwinLines]) -> HashSet<String> {
    twins.iter().flat_map(|twin| &twin.lines).flat_map(Line::objects).map(str::to_owned).collect()
}

fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}
