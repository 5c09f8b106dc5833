//! A connection's right to its identity. Held while the connection lives; giving it back tells everybody, also when the
//! connection's task panics or is thrown away.

use super::outbox::{self, Inbox};
use super::packet::CleanSession;
use super::sessions::{Claim, Connection};
use crate::local_hub::hub::Hub;
use crate::twin::TwinId;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub struct Lease {
    pub hub: Arc<Hub>,
    pub id: TwinId,
    connection: Connection,
    /// The identity's generation when the hub was told that it is connected.
    told_connected: Option<String>,
}

impl Lease {
    /// Takes the identity over from the connection that has it, if one has, and waits until that one is gone. `None` when an even newer
    /// connection, or the hub, told this one to go meanwhile.
    pub async fn take(hub: Arc<Hub>, id: TwinId) -> Option<(Self, Inbox)> {
        let (outbox, inbox) = outbox::channel();
        let Claim { connection, before } = hub.sessions().claim(&id, outbox);
        let lease = Self { hub, id, connection, told_connected: None };
        // Also when told to go: whoever comes next waits for this lease alone, so it must not end before the one it waits for.
        // That one's end is a matter of moments: it closes its socket and applies what it had already read.
        if let Some(before) = before {
            before.cancelled().await;
        }
        (!lease.connection.evict.is_cancelled()).then_some((lease, inbox))
    }

    /// Begins the session and tells the hub; whether a kept one was resumed. `None` as in [`Lease::take`].
    pub fn open(&mut self, clean: CleanSession) -> Option<bool> {
        let present = self.hub.sessions().open(&self.id, self.connection.generation, clean)?;
        self.told_connected = self.hub.connected(&self.id);
        Some(present)
    }

    pub fn generation(&self) -> u64 {
        self.connection.generation
    }

    /// Cancelled when the connection must go.
    pub fn evicted(&self) -> &CancellationToken {
        &self.connection.evict
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // In this order: the next connection of the identity says "connected" only after this one said "disconnected".
        if let Some(generation) = &self.told_connected {
            self.hub.disconnected(&self.id, generation);
        }
        self.hub.sessions().release(&self.id, self.connection.generation);
        self.connection.gone.cancel();
    }
}
