//! What a connection's packets have asked for and must be waited for, one after another.

use super::packet::{Grant, Outgoing};
use super::twin::Operation;
use crate::local_hub::faults::Fate;
use crate::local_hub::hub::Refused;
use std::pin::Pin;

/// What waits for its turn.
pub enum Pending {
    /// A twin operation, and the acknowledgement its PUBLISH is owed.
    Twin { operation: Operation, packet_id: Option<u16> },
    /// The answer to a change of what is subscribed in a kept session, and whether that is kept.
    Subscription { answer: Outgoing, kept: Pin<Box<dyn Future<Output = Result<(), Refused>> + Send>> },
}

/// What was waited for.
pub enum Done {
    Reported {
        answer: Outgoing,
        packet_id: Option<u16>,
        fate: Fate,
    },
    /// `None` when there is no answer that would be true.
    Subscribed {
        answer: Option<Outgoing>,
    },
}

pub type Busy<'a> = Pin<Box<dyn Future<Output = Done> + Send + 'a>>;

impl Pending {
    /// Bytes held while it waits.
    pub fn size(&self) -> usize {
        match self {
            Self::Twin { operation, .. } => operation.size(),
            Self::Subscription { .. } => 0,
        }
    }
}

/// The answer when the hub cannot keep what was asked for. To UNSUBSCRIBE there is none but that it was done.
pub fn refused(answer: Outgoing) -> Option<Outgoing> {
    match answer {
        Outgoing::SubAck { packet_id, grants } => {
            Some(Outgoing::SubAck { packet_id, grants: vec![Grant::Refused; grants.len()] })
        }
        _ => None,
    }
}

/// What is under way; never, when nothing is.
pub async fn finished(busy: &mut Option<Busy<'_>>) -> Done {
    match busy {
        Some(busy) => busy.await,
        None => std::future::pending().await,
    }
}
