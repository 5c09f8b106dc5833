//! The storage redb works on. [`Held`] is the data file with its lock, which stays when redb closes the file and opens it again
//! after an error. [`Overlay`] is the file as it is read by somebody who may change nothing of it: writes stay in memory.

use redb::{BackendError, StorageBackend};
use std::collections::{BTreeMap, HashSet};
use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of a block that an overlay keeps.
const BLOCK: u64 = 4096;

type Range = (Bound<u64>, Bound<u64>);

/// A file, open and locked until the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Held(Arc<File>);

#[derive(Debug)]
struct File {
    backend: Box<dyn StorageBackend>,
    locked: Mutex<HashSet<Range>>,
}

impl Held {
    #[must_use]
    pub fn new(backend: Box<dyn StorageBackend>) -> Self {
        Self(Arc::new(File { backend, locked: Mutex::default() }))
    }

    fn locked(&self) -> MutexGuard<'_, HashSet<Range>> {
        self.0.locked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every byte of the file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.len()?).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        self.read(0, &mut bytes)?;
        Ok(bytes)
    }
}

impl StorageBackend for Held {
    fn len(&self) -> io::Result<u64> {
        self.0.backend.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.backend.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.backend.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.backend.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.backend.write(offset, data)
    }

    /// Nothing: another process must not get between two openings of one hub.
    fn close(&self) -> io::Result<()> {
        Ok(())
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        let mut locked = self.locked();
        if locked.contains(&(start, end)) {
            return Ok(true);
        }
        let is_ours = self.0.backend.try_lock_range(start, end)?;
        if is_ours {
            locked.insert((start, end));
        }
        Ok(is_ours)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.locked().remove(&(start, end));
        self.0.backend.unlock_range(start, end)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if let Err(error) = self.backend.close() {
            tracing::debug!(%error, "the data file was not closed as it should");
        }
    }
}

/// A file under what was written to it since, which is in memory alone.
#[derive(Debug)]
pub struct Overlay {
    base: Held,
    over: Mutex<Over>,
}

#[derive(Debug)]
struct Over {
    len: u64,
    /// Bytes of the base that still show.
    base_len: u64,
    /// By number.
    blocks: BTreeMap<u64, Vec<u8>>,
}

impl Overlay {
    /// # Errors
    /// When the file's length cannot be read.
    pub fn new(base: Held) -> io::Result<Self> {
        let len = base.len()?;
        Ok(Self { base, over: Mutex::new(Over { len, base_len: len, blocks: BTreeMap::new() }) })
    }

    fn over(&self) -> MutexGuard<'_, Over> {
        self.over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What shows of the base at an offset; zeros beyond.
    fn read_base(&self, over: &Over, offset: u64, out: &mut [u8]) -> io::Result<()> {
        out.fill(0);
        let shown = over.base_len.saturating_sub(offset).min(out.len() as u64);
        let shown = usize::try_from(shown).map_err(io::Error::other)?;
        if shown == 0 { Ok(()) } else { self.base.read(offset, &mut out[..shown]) }
    }
}

/// The parts of a range that lie in one block each: number, place in the block, place in the range, length.
fn parts(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, usize, usize)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done >= length {
            return None;
        }
        let at = offset + done as u64;
        let within = usize::try_from(at % BLOCK).unwrap_or(0);
        let count = (usize::try_from(BLOCK).unwrap_or(0) - within).min(length - done);
        let part = (at / BLOCK, within, done, count);
        done += count;
        Some(part)
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.over().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let over = self.over();
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > over.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read_base(&over, offset, out)?;
        for (number, within, at, count) in parts(offset, out.len()) {
            if let Some(block) = over.blocks.get(&number) {
                out[at..at + count].copy_from_slice(&block[within..within + count]);
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut over = self.over();
        over.len = len;
        over.base_len = over.base_len.min(len);
        over.blocks.retain(|number, _| number * BLOCK < len);
        if let Some(block) = over.blocks.get_mut(&(len / BLOCK)) {
            let within = usize::try_from(len % BLOCK).unwrap_or(0);
            block[within..].fill(0);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut over = self.over();
        for (number, within, at, count) in parts(offset, data.len()) {
            if !over.blocks.contains_key(&number) {
                let mut block = vec![0; usize::try_from(BLOCK).map_err(io::Error::other)?];
                self.read_base(&over, number * BLOCK, &mut block)?;
                over.blocks.insert(number, block);
            }
            if let Some(block) = over.blocks.get_mut(&number) {
                block[within..within + count].copy_from_slice(&data[at..at + count]);
            }
        }
        Ok(())
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.base.try_lock_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.base.unlock_range(start, end)
    }
}
