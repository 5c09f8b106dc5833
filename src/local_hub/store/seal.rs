//! The form of a record in the data file: what it says about itself, so that an altered one is never taken for a whole one, and
//! so that whole ones are found in a file whose other parts are damaged.
//!
//! `TwSv`, 16 bytes of SHA-256 over all that follows, the number of the commit (8 bytes), the table (1), bytes of the key (2) and of
//! the value (4), the key, the value; numbers little-endian.

use sha2::{Digest, Sha256};

const MAGIC: &[u8; 4] = b"TwSv";
const DIGEST: usize = 16;
/// Bytes before the key.
const HEAD: usize = MAGIC.len() + DIGEST + 8 + 1 + 2 + 4;

/// Which table a record is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Table {
    Hub = b'h',
    Identities = b'i',
    Items = b't',
}

/// A record that is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed<'a> {
    pub table: u8,
    /// The number of the commit that wrote it.
    pub sequence: u64,
    pub key: &'a str,
    pub value: &'a [u8],
}

/// Seals a value; `None` for a key or value too long for a record, which the hub's limits rule out.
#[must_use]
pub fn seal(table: Table, sequence: u64, key: &str, value: &[u8]) -> Option<Vec<u8>> {
    let mut rest = Vec::with_capacity(HEAD + key.len() + value.len());
    rest.extend(sequence.to_le_bytes());
    rest.push(table as u8);
    rest.extend(u16::try_from(key.len()).ok()?.to_le_bytes());
    rest.extend(u32::try_from(value.len()).ok()?.to_le_bytes());
    rest.extend(key.as_bytes());
    rest.extend(value);
    let digest = Sha256::digest(&rest);
    let mut sealed = Vec::with_capacity(MAGIC.len() + DIGEST + rest.len());
    sealed.extend(MAGIC);
    sealed.extend(&digest[..DIGEST]);
    sealed.append(&mut rest);
    Some(sealed)
}

/// Reads what [`seal`] wrote, from the start of `bytes`; `None` for anything else. Beside it how long it is.
#[must_use]
pub fn open(bytes: &[u8]) -> Option<(Sealed<'_>, usize)> {
    let digest = bytes.strip_prefix(MAGIC)?.get(..DIGEST)?;
    let rest = &bytes[MAGIC.len() + DIGEST..];
    let sequence = u64::from_le_bytes(rest.get(..8)?.try_into().ok()?);
    let table = *rest.get(8)?;
    let key_len = usize::from(u16::from_le_bytes(rest.get(9..11)?.try_into().ok()?));
    let value_len = usize::try_from(u32::from_le_bytes(rest.get(11..15)?.try_into().ok()?)).ok()?;
    let key = rest.get(15..15 + key_len)?;
    let end = (15 + key_len).checked_add(value_len)?;
    let value = rest.get(15 + key_len..end)?;
    if Sha256::digest(&rest[..end])[..DIGEST] != *digest {
        return None;
    }
    let key = std::str::from_utf8(key).ok()?;
    Some((Sealed { table, sequence, key, value }, MAGIC.len() + DIGEST + end))
}

/// Every whole record within bytes of any kind.
pub fn find(bytes: &[u8]) -> impl Iterator<Item = Sealed<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(found) = bytes[at..].windows(MAGIC.len()).position(|window| window == MAGIC) {
            at += found;
            if let Some((sealed, length)) = open(&bytes[at..]) {
                at += length;
                return Some(sealed);
            }
            at += MAGIC.len();
        }
        None
    })
}
