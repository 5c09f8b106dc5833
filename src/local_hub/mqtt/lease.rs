//! A connection's right to its identity. Held while the connection lives; giving it back tells everybody, also when the
//! connection's task panics or is thrown away.

use super::outbox::{self, Inbox};
use super::packet::{CleanSession, Qos};
use super::sessions::{Begun, Claim, Connection};
use crate::local_hub::commit::Item;
use crate::local_hub::hub::{Hub, Refused};
use crate::twin::TwinId;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub struct Lease {
    pub hub: Arc<Hub>,
    pub id: TwinId,
    connection: Connection,
    /// The `generationId` of the identity the session was opened for; empty before.
    identity: String,
    /// Whether the hub was told that the identity is connected.
    told: Told,
}

/// Why a session did not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotOpened {
    /// The identity, or the right to it, is another's by now.
    Gone,
    /// It would have ended a kept session, and that cannot be kept.
    NotKept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Connected,
}

impl Lease {
    /// Takes the identity over from the connection that has it, if one has, and waits until that one is gone. `None` when an even newer
    /// connection, or the hub, told this one to go meanwhile.
    pub async fn take(hub: Arc<Hub>, id: TwinId) -> Option<(Self, Inbox)> {
        let (outbox, inbox) = outbox::channel();
        let Claim { connection, before } = hub.sessions().claim(&id, outbox);
        let lease = Self { hub, id, connection, identity: String::new(), told: Told::Nothing };
        // Also when told to go: whoever comes next waits for this lease alone, so it must not end before the one it waits for.
        // That one's end is a matter of moments: it closes its socket and applies what it had already read.
        if let Some(before) = before {
            before.cancelled().await;
        }
        (!lease.connection.evict.is_cancelled()).then_some((lease, inbox))
    }

    /// Begins the session and tells the hub; whether a kept one was resumed. Returns when the end of one that was not is kept.
    ///
    /// # Errors
    /// When the connection has to go instead.
    pub async fn open(&mut self, clean: CleanSession) -> Result<bool, NotOpened> {
        let identity = self.hub.read(|registry| registry.generation(&self.id)).ok_or(NotOpened::Gone)?;
        let keep = |items| self.hub.keep(items);
        let generation = self.connection.generation;
        let opened = self.hub.sessions().open(&self.id, generation, clean, identity.clone(), keep);
        let Begun { present, ended } = opened.ok_or(NotOpened::Gone)?;
        if let Some((kept, before)) = ended
            && let Err(refused) = kept.await
        {
            tracing::debug!(id = %self.id, why = %refused.message, "the end of a session is not kept");
            self.hub.sessions().restore_ended(&self.id, generation, before);
            return Err(NotOpened::NotKept);
        }
        if !self.hub.connected_as(&self.id, &identity) {
            // Deleted this very moment.
            return Err(NotOpened::Gone);
        }
        (self.identity, self.told) = (identity, Told::Connected);
        Ok(present)
    }

    /// Has changed subscriptions kept; when they cannot be, they are again what they were before.
    pub fn keep_subscriptions(
        &self,
        items: Vec<Item>,
        before: Vec<(String, Qos)>,
    ) -> impl Future<Output = Result<(), Refused>> + Send + use<> {
        let (hub, id, generation) = (self.hub.clone(), self.id.clone(), self.connection.generation);
        let kept = hub.keep(items);
        async move {
            let kept = kept.await;
            if kept.is_err() {
                hub.sessions().revert(&id, generation, before, |items| hub.owe(items));
            }
            kept
        }
    }

    /// The `generationId` of the identity the session is of. What the connection does is done to that identity and to no other
    /// of its id.
    pub fn identity(&self) -> &str {
        &self.identity
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
        if self.told == Told::Connected {
            self.hub.disconnected(&self.id, &self.identity);
        }
        // What is not waited for is kept all the same.
        self.hub.sessions().release(&self.id, self.connection.generation, |items| self.hub.owe(items));
        self.connection.gone.cancel();
    }
}
