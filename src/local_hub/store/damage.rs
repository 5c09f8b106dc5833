//! What was found wrong with the hub's own files, and where the damaged file is now. Nothing is ever deleted.

use super::read::Certainty;
use crate::local_hub::clock::Moment;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Names of lost records that are shown.
const SHOWN: usize = 10;

/// A damaged data file, and what became of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file's own name.
    pub file: String,
    pub reason: String,
    /// Where it is now.
    pub aside: PathBuf,
    /// Records that were taken over.
    pub recovered: usize,
    /// What is known to be lost: ids, or what a record was for.
    pub lost: Vec<String>,
    pub certainty: Certainty,
    pub keys: Keys,
}

/// The keys of the hub's policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    Kept,
    New,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, reason, aside, recovered, lost, certainty, keys } = self;
        write!(f, "{file} is damaged: {reason}. It was set aside as {}. ", aside.display())?;
        match recovered {
            0 => f.write_str("Nothing could be recovered: the hub begins anew.")?,
            1 => f.write_str("1 record was recovered.")?,
            count => write!(f, "{count} records were recovered.")?,
        }
        if !lost.is_empty() {
            write!(f, " Lost: {}", lost[..lost.len().min(SHOWN)].join(", "))?;
            match lost.len().saturating_sub(SHOWN) {
                0 => {}
                more => write!(f, " and {more} more")?,
            }
            f.write_str(".")?;
        }
        if *recovered > 0 {
            match certainty {
                Certainty::Sure => {}
                Certainty::MayBeOld => f.write_str(
                    " Check what it has now: some devices may be older than they were, missing, or back after they were deleted.",
                )?,
                Certainty::Unchecked => {
                    f.write_str(" Check what it has now: the file was of an older form, in which altered values are not found.")?;
                }
            }
        }
        match keys {
            Keys::Kept => Ok(()),
            Keys::New => f.write_str(" Its keys are new: clients need new connection strings."),
        }
    }
}

/// Gives a damaged file a name that is free, beside its old one: `hub.redb.damaged-20260815T090713Z`. Where the file system can do
/// that it has both names until another file takes the old one, so that a crash meanwhile hides nothing.
///
/// # Errors
/// When the file cannot be renamed.
pub fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let stamp: String = Moment::now().text.chars().take(19).filter(char::is_ascii_alphanumeric).collect();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for n in 0_u32.. {
        let more = if n == 0 { String::new() } else { format!("-{n}") };
        let aside = path.with_file_name(format!("{name}.damaged-{stamp}Z{more}"));
        if fs::symlink_metadata(&aside).is_err() {
            if fs::hard_link(path, &aside).is_err() {
                fs::rename(path, &aside)?;
            }
            return Ok(aside);
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
