//! A disk that fills up and is given room again, between a hub and its data file.

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};
use std::io;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use twinscope::local_hub::store::Layer;

/// What the system says of a full disk.
const ENOSPC: i32 = 28;

/// A handle on the disk. It has room to begin with.
#[derive(Debug, Clone)]
pub struct Disk {
    /// Steps that still succeed: writes, changes of length and syncs.
    left: Arc<AtomicI64>,
}

impl Disk {
    pub fn new() -> Self {
        Self { left: Arc::new(AtomicI64::new(i64::MAX)) }
    }

    pub fn layer(&self) -> Layer {
        let left = self.left.clone();
        Arc::new(move |file| Box::new(Flaky { file, left: left.clone() }))
    }

    /// So many steps succeed, and none after them.
    pub fn fill_after(&self, steps: i64) {
        self.left.store(steps, Ordering::SeqCst);
    }

    pub fn free(&self) {
        self.left.store(i64::MAX, Ordering::SeqCst);
    }
}

#[derive(Debug)]
struct Flaky {
    file: FileBackend,
    left: Arc<AtomicI64>,
}

impl Flaky {
    fn step(&self) -> io::Result<()> {
        let spent = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
            i64::MAX => Some(left),
            left => Some((left - 1).max(-1)),
        });
        if spent.is_ok_and(|left| left > 0) { Ok(()) } else { Err(io::Error::from_raw_os_error(ENOSPC)) }
    }
}

impl StorageBackend for Flaky {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.step()?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.step()?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if let Err(full) = self.step() {
            // Some of it may have found room.
            self.file.write(offset, &data[..data.len() / 2])?;
            return Err(full);
        }
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }
}
