//! The names a hub is known by beside those of loopback, as `--name` gives them: for its certificate, and for the connection
//! strings it hands out.

use sha2::{Digest, Sha256};
use std::fmt;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The name every hub has.
pub const LOCALHOST: &str = "localhost";
/// Characters of a whole DNS name, and of one of its labels (RFC 1035).
const NAME_MAX: usize = 253;
const LABEL_MAX: usize = 63;
/// Where the authorities for more than loopback live, below the folder of the plain one.
const FOLDER: &str = "names";
/// Bytes of a folder's name that every file system takes; more names than fit are called by their hash.
const FOLDER_MAX: usize = 200;

/// A name by which clients reach the hub.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HubName {
    /// In lower case, ASCII.
    Dns(String),
    Address(IpAddr),
}

impl HubName {
    /// As it stands in `HostName`: an IPv6 address in brackets.
    #[must_use]
    pub fn in_host_name(&self) -> String {
        match self {
            Self::Address(IpAddr::V6(address)) => format!("[{address}]"),
            _ => self.to_string(),
        }
    }

    /// Whether the authority for loopback names may vouch for it too.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Dns(name) => name == LOCALHOST || name.ends_with(".localhost"),
            Self::Address(address) => address.is_loopback(),
        }
    }
}

impl fmt::Display for HubName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl FromStr for HubName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        read(text)
            .map_err(|why| format!("{why}; give a name or an address alone, such as hub.example.com or 192.168.1.5"))
    }
}

fn read(text: &str) -> Result<HubName, String> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        let address = address.to_canonical();
        if address.is_unspecified() || address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST) {
            return Err(format!("{address} is no address of one machine"));
        }
        return Ok(HubName::Address(address));
    }
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if text.contains('/') {
        return Err("a name has no slash in it, nor https:// in front".to_owned());
    }
    if text.contains(':') {
        return Err("a name has no port, and this is no IPv6 address".to_owned());
    }
    if text.contains('*') {
        return Err("a name stands for one machine, without a star".to_owned());
    }
    if !text.is_ascii() {
        return Err("a name with other letters than a to z is to be written as DNS has it (xn--…)".to_owned());
    }
    if let Some(c) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || "-._".contains(*c))) {
        return Err(format!("no name has {c:?} in it"));
    }
    if text.len() > NAME_MAX {
        return Err(format!("a name has at most {NAME_MAX} characters"));
    }
    let is_label =
        |label: &str| (1..=LABEL_MAX).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
    if !text.split('.').all(is_label) {
        return Err(format!(
            "between its dots a name has 1 to {LABEL_MAX} characters, and no - at the beginning or end of them"
        ));
    }
    if text.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
        return Err("it ends in a number, as addresses do, and is none".to_owned());
    }
    Ok(HubName::Dns(text.to_ascii_lowercase()))
}

/// The folder of the authority for these names: `dir` itself where loopback's does, else one below it for each set of names. An
/// authority vouches for its names alone, so other names take another one.
#[must_use]
pub fn ca_dir(dir: &Path, names: &[HubName]) -> PathBuf {
    let beyond = beyond_loopback(names);
    if beyond.is_empty() {
        return dir.to_owned();
    }
    // Not every file system takes a colon; neither sign is in any name.
    let words: Vec<String> = beyond.iter().map(|name| name.to_string().replace(':', "~")).collect();
    let mut folder = words.join("+");
    if folder.len() > FOLDER_MAX {
        let hash = Sha256::digest(&folder);
        folder = hash.iter().fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            write!(text, "{byte:02x}").ok();
            text
        });
    }
    dir.join(FOLDER).join(folder)
}

/// Those that loopback's authority does not cover, each once, in an order of their own.
#[must_use]
pub fn beyond_loopback(names: &[HubName]) -> Vec<&HubName> {
    let mut beyond: Vec<&HubName> = names.iter().filter(|name| !name.is_loopback()).collect();
    beyond.sort_unstable();
    beyond.dedup();
    beyond
}
