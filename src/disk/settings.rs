//! The settings file: read once at start, written whole and atomically.

use super::seal::{seal, unseal};
use super::{Settings, file};
use std::path::{Path, PathBuf};

/// A file larger than this is not ours.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

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

    /// After a crash there is the old file or the new one, never half of one. Only the owner may read it.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn save(&self, settings: &Settings) -> Result<(), String> {
        if let Some(why) = &self.sealed {
            return Err(why.clone());
        }
        let text = serde_json::to_string_pretty(settings).map(|text| format!("{}\n", seal(&text)));
        text.map_err(std::io::Error::from)
            .and_then(|text| file::replace(&self.path, text.as_bytes()))
            .map_err(|error| format!("The settings in {} cannot be written: {error}", self.path.display()))
    }

    /// Why nothing may be written: what stands there could neither be read nor set aside.
    #[must_use]
    pub fn why_sealed(&self) -> Option<&str> {
        self.sealed.as_deref()
    }

    fn set_aside(self, reason: &str) -> Opened {
        match file::set_aside(&self.path) {
            Ok(aside) => {
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
    let Some(bytes) = file::read(path, BYTES_MAX).map_err(|error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => Unreadable::NotSettings(error.to_string()),
        _ => Unreadable::Io(error.to_string()),
    })?
    else {
        return Ok(None);
    };
    let bytes = unseal(&bytes).map_err(|damaged| {
        Unreadable::NotSettings(format!("{damaged}; without its member sha256 it would be taken as it stands"))
    })?;
    // By way of an object: a list would pass for settings too, field by field.
    serde_json::from_slice::<serde_json::Map<_, _>>(&bytes)
        .and_then(|object| serde_json::from_value(object.into()))
        .map(Some)
        .map_err(|error| Unreadable::NotSettings(error.to_string()))
}
