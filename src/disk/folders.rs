//! Where the program keeps its files.

use std::path::{Path, PathBuf};

/// The two folders of the program. Nothing is created by naming them.
///
/// On Linux `~/.config/twinscope` and `~/.local/share/twinscope`, elsewhere what the platform prescribes. `--data DIR`
/// makes both of them `DIR`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// What a person chose: settings.
    pub config: PathBuf,
    /// What the program makes: the local hub's state and its certificates.
    pub data: PathBuf,
}

impl Folders {
    /// The folder given by `--data`, else the platform's. `None` when the platform knows no home folder.
    #[must_use]
    pub fn find(data: Option<&Path>) -> Option<Self> {
        if let Some(data) = data {
            return Some(Self { config: data.to_path_buf(), data: data.to_path_buf() });
        }
        let dirs = directories::ProjectDirs::from("", "", "twinscope")?;
        Some(Self { config: dirs.config_dir().to_path_buf(), data: dirs.data_local_dir().to_path_buf() })
    }

    /// Refuses a file or folder of ours that is a link: what it leads to is not ours. The two folders themselves may be links.
    ///
    /// # Errors
    /// A sentence that names it.
    pub fn refuse_link(path: &Path) -> Result<(), String> {
        super::file::not_a_link(path).map_err(|error| error.to_string())
    }

    /// Settings and kept connections, without their secrets.
    #[must_use]
    pub fn settings_file(&self) -> PathBuf {
        self.config.join("settings.json")
    }

    /// The state of the window's own local hub.
    #[must_use]
    pub fn local_hub(&self) -> PathBuf {
        self.data.join("local-hub")
    }

    /// What was typed and not saved.
    #[must_use]
    pub fn drafts(&self) -> PathBuf {
        self.data.join("drafts")
    }

    /// Every version of a twin that was seen.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.data.join("journal")
    }

    /// The certificate authority of the local hub and its key.
    #[must_use]
    pub fn ca_dir(&self) -> PathBuf {
        self.data.join("ca")
    }
}
