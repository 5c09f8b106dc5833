//! What waits for one connection: encoded packets, bounded in number and bytes, put in without ever waiting.

use super::limits::{OUTBOX_BYTES, OUTBOX_MESSAGES};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;

/// The end the hub puts packets into.
#[derive(Debug, Clone)]
pub struct Outbox {
    packets: mpsc::Sender<Bytes>,
    waiting_bytes: Arc<AtomicUsize>,
}

/// The end the connection empties.
#[derive(Debug)]
pub struct Inbox {
    packets: mpsc::Receiver<Bytes>,
    waiting_bytes: Arc<AtomicUsize>,
}

/// The connection does not keep up, or is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

#[must_use]
pub fn channel() -> (Outbox, Inbox) {
    let (sender, receiver) = mpsc::channel(OUTBOX_MESSAGES);
    let waiting_bytes = Arc::<AtomicUsize>::default();
    (Outbox { packets: sender, waiting_bytes: Arc::clone(&waiting_bytes) }, Inbox { packets: receiver, waiting_bytes })
}

impl Outbox {
    /// # Errors
    /// When there is no room; the packet is lost then.
    pub fn put(&self, packet: Bytes) -> Result<(), Full> {
        let size = packet.len();
        // A single packet may be larger than the bound, else it could never be sent at all.
        let before = self.waiting_bytes.fetch_add(size, Ordering::Relaxed);
        if (before > 0 && before + size > OUTBOX_BYTES) || self.packets.try_send(packet).is_err() {
            self.waiting_bytes.fetch_sub(size, Ordering::Relaxed);
            return Err(Full);
        }
        Ok(())
    }
}

impl Inbox {
    /// The next packet; `None` when every outbox is gone. May be dropped while it waits without losing one.
    pub async fn next(&mut self) -> Option<Bytes> {
        let packet = self.packets.recv().await?;
        self.waiting_bytes.fetch_sub(packet.len(), Ordering::Relaxed);
        Some(packet)
    }
}
