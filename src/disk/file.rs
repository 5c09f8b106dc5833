//! Files that are there whole or not at all, and files that cannot be read set aside under another name.

use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Unreadable files kept side by side; beyond that the newest one replaces the last.
const KEPT_ASIDE: u32 = 9;

/// Numbers the temporary files of this program.
static TEMPORARY: AtomicU64 = AtomicU64::new(0);

/// The SHA-256 of some bytes in 64 hexadecimal digits: a name any file system takes.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        text
    })
}

/// The content of a file; `None` when there is none.
///
/// # Errors
/// When it cannot be read; of kind `FileTooLarge` when it has more bytes than `max`, and then is not ours.
pub fn read(path: &Path, max: u64) -> std::io::Result<Option<Vec<u8>>> {
    not_a_link(path)?;
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        let words = format!("it is larger than {} MB", max / 1024 / 1024);
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, words));
    }
    Ok(Some(bytes))
}

/// Refuses a link: what it leads to is not ours to read, to write or to remove.
///
/// # Errors
/// When a link stands there. What is not there is none.
pub fn not_a_link(path: &Path) -> std::io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_symlink() => {
            let words = format!(
                "{} is a link, and links in the data folder are not followed: put what it leads to in its place",
                path.display()
            );
            Err(std::io::Error::other(words))
        }
        // What cannot be looked at is refused by what is done to it.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The same for a folder and everything between it and a file in it.
///
/// # Errors
/// When one of them is a link.
pub fn not_through_a_link(folder: &Path, path: &Path) -> std::io::Result<()> {
    not_a_link(folder)?;
    let inside: Vec<&Path> = path.ancestors().take_while(|above| *above != folder).collect();
    inside.into_iter().rev().try_for_each(not_a_link)
}

/// Makes a folder of ours, which is no link.
///
/// # Errors
/// When a link stands there, or it cannot be made.
pub fn make_folder(path: &Path) -> std::io::Result<()> {
    not_a_link(path)?;
    std::fs::create_dir_all(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists | std::io::ErrorKind::NotADirectory => {
            std::io::Error::other("a file stands where the folder should be")
        }
        _ => error,
    })
}

/// Moves a file that cannot be used to `NAME.unreadable` (`…-2`, `…-3`), so that nothing in it is overwritten. The new name.
///
/// # Errors
/// When it cannot be renamed.
pub fn set_aside(path: &Path) -> std::io::Result<PathBuf> {
    let aside = free_name(path);
    std::fs::rename(path, &aside)?;
    Ok(aside)
}

/// The name that a file takes when it is set aside.
pub fn free_name(path: &Path) -> PathBuf {
    let free = (1..=KEPT_ASIDE).map(|n| aside_name(path, n)).find(|candidate| !candidate.exists());
    free.unwrap_or_else(|| aside_name(path, KEPT_ASIDE))
}

/// Under which name a file was set aside last; `None` when it never was.
pub fn last_aside(path: &Path) -> Option<PathBuf> {
    (1..=KEPT_ASIDE).map(|n| aside_name(path, n)).take_while(|name| name.exists()).last()
}

fn aside_name(path: &Path, n: u32) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(if n == 1 { ".unreadable".to_owned() } else { format!(".unreadable-{n}") });
    path.with_file_name(name)
}

/// Writes a neighbour file, brings it to disk, renames it over the old one and brings the folder to disk: after a crash there is
/// the old file or the new one, never half of one. Makes the folder. Only the owner may read the file.
///
/// # Errors
/// When a step fails; the old file stands then.
pub fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    not_a_link(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    // Two windows, or two threads of one, that write the same file at once must not share a temporary one.
    let number = TEMPORARY.fetch_add(1, Ordering::Relaxed);
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}-{number}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = write_through(&temporary, bytes).and_then(|()| std::fs::rename(&temporary, path));
    if let Err(error) = written {
        if let Err(left) = std::fs::remove_file(&temporary) {
            tracing::debug!(%left, "a temporary file stays behind");
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
pub(super) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}
