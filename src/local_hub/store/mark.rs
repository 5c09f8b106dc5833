//! The number of the last commit that was acknowledged, in a small file beside the data. A data file that has a lower one lacks
//! what was acknowledged, however whole it looks: damage to its head can make redb take the commit before the last, and so can a
//! copy from yesterday.
//!
//! The file is not waited for: after a pulled plug it may be behind the data, never ahead of it.

use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

pub const FILE: &str = "hub.mark";
const DIGEST: usize = 8;

/// Without a file, if that cannot be had: then nothing is known beyond what the data says itself.
#[derive(Debug)]
pub struct Mark(Option<File>);

impl Mark {
    /// Opens or makes the file in `dir`; beside it the number it holds, `None` when it holds none or is damaged.
    pub fn open(dir: &Path) -> (Self, Option<u64>) {
        match Self::try_open(dir) {
            Ok((file, number)) => (Self(Some(file)), number),
            Err(error) => {
                tracing::warn!(file = FILE, %error, "the number of the last commit can be neither read nor kept");
                (Self(None), None)
            }
        }
    }

    fn try_open(dir: &Path) -> io::Result<(File, Option<u64>)> {
        let path = dir.join(FILE);
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        crate::local_hub::certs::owner_only(&path)?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(64).read_to_end(&mut bytes)?;
        let number = number(&bytes);
        if number.is_none() && !bytes.is_empty() {
            tracing::warn!(file = FILE, "the number of the last commit cannot be read and is begun anew");
        }
        Ok((file, number))
    }

    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self, number: u64) -> io::Result<()> {
        let mut bytes = number.to_le_bytes().to_vec();
        bytes.extend(&Sha256::digest(number.to_le_bytes())[..DIGEST]);
        let Some(file) = &mut self.0 else { return Ok(()) };
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&bytes)
    }
}

fn number(bytes: &[u8]) -> Option<u64> {
    let (number, digest) = bytes.split_first_chunk::<8>()?;
    (Sha256::digest(number)[..DIGEST] == *digest).then(|| u64::from_le_bytes(*number))
}
