//! The settings file: read once at start, written whole and atomically.

use super::Settings;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// A file larger than this is not ours.
const BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Unreadable files kept side by side; beyond that the newest one replaces the last.
const KEPT_ASIDE: u32 = 9;

/// The file with the settings. All its calls block; a failure is a sentence that names the file.
#[derive(Debug)]
pub struct SettingsFile {
    path: PathBuf,
    /// Why nothing may be written: what stands there could neither be read nor set aside.
    sealed: Option<String>,
}

/// What [`SettingsFile::open`] found.
#[derive(Debug)]
pub struct Opened {
    pub file: SettingsFile,
    /// The defaults when there is no file, or none that can be read.
    pub settings: Settings,
    /// What the person should know: a file could not be read and where it is now.
    pub notice: Option<String>,
}

impl SettingsFile {
    /// Reads the settings. A file that does not parse is moved to `settings.json.unreadable` (`…-2`, `…-3`), so that
    /// nothing a person wrote is overwritten; if it cannot be moved, nothing is written in its place either.
    #[must_use]
    pub fn open(path: &Path) -> Opened {
        let file = Self { path: path.to_path_buf(), sealed: None };
        match read(path) {
            Ok(None) => Opened { file, settings: Settings::default(), notice: None },
            Ok(Some(settings)) => Opened { file, settings, notice: None },
            Err(Unreadable::NotSettings(reason)) => file.set_aside(&reason),
            Err(Unreadable::Io(reason)) => {
                file.sealed(format!("The settings in {} cannot be read: {reason}", path.display()))
            }
        }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a neighbour file, brings it to disk, renames it over the old one and brings the folder to disk: after a
    /// crash there is the old file or the new one, never half of one. Only the owner may read it.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn save(&self, settings: &Settings) -> Result<(), String> {
        if let Some(why) = &self.sealed {
            return Err(why.clone());
        }
        write(&self.path, settings)
            .map_err(|error| format!("The settings in {} cannot be written: {error}", self.path.display()))
    }

    fn set_aside(self, reason: &str) -> Opened {
        let aside = free_name(&self.path);
        match std::fs::rename(&self.path, &aside) {
            Ok(()) => {
                let notice = format!(
                    "The settings in {} cannot be read ({reason}); the file is kept as {}",
                    self.path.display(),
                    aside.display()
                );
                Opened { file: self, settings: Settings::default(), notice: Some(notice) }
            }
            Err(error) => {
                let why = format!(
                    "The settings in {} cannot be read ({reason}) nor set aside ({error}), so none are kept",
                    self.path.display()
                );
                self.sealed(why)
            }
        }
    }

    fn sealed(mut self, why: String) -> Opened {
        self.sealed = Some(why.clone());
        Opened { file: self, settings: Settings::default(), notice: Some(why) }
    }
}

enum Unreadable {
    /// The file is there but does not hold settings.
    NotSettings(String),
    /// The file could not be looked at: it may be good.
    Io(String),
}

fn read(path: &Path) -> Result<Option<Settings>, Unreadable> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Unreadable::Io(error.to_string())),
    };
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| Unreadable::Io(error.to_string()))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(Unreadable::NotSettings(format!("it is larger than {} MB", BYTES_MAX / 1024 / 1024)));
    }
    // By way of an object: a list would pass for settings too, field by field.
    serde_json::from_slice::<serde_json::Map<_, _>>(&bytes)
        .and_then(|object| serde_json::from_value(object.into()))
        .map(Some)
        .map_err(|error| Unreadable::NotSettings(error.to_string()))
}

fn free_name(path: &Path) -> PathBuf {
    let named = |n: u32| {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(if n == 1 { ".unreadable".to_owned() } else { format!(".unreadable-{n}") });
        path.with_file_name(name)
    };
    (1..=KEPT_ASIDE).map(named).find(|candidate| !candidate.exists()).unwrap_or_else(|| named(KEPT_ASIDE))
}

fn write(path: &Path, settings: &Settings) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut text = serde_json::to_vec_pretty(settings)?;
    text.push(b'\n');
    // Two windows writing at once must not share a temporary file; one left behind by a crash is overwritten.
    let temporary = path.with_extension(format!("json.{}.tmp", std::process::id()));
    let written = write_through(&temporary, &text).and_then(|()| std::fs::rename(&temporary, path));
    if let Err(error) = written {
        if let Err(left) = std::fs::remove_file(&temporary) {
            tracing::debug!(%left, "a temporary settings file stays behind");
        }
        return Err(error);
    }
    sync_folder(folder)
}

fn write_through(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Brings the rename itself to disk. Only Unix opens folders; elsewhere the rename is as durable as the platform makes it.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}
