//! The MQTT face: listener, one session per identity, kept subscriptions.

use super::hub::Hub;
use crate::twin::{JsonMap, TwinId};
use std::sync::Arc;

/// Who is connected, and what was subscribed. Kept sessions outlive their connection (clean session 0).
#[derive(Default)]
pub struct Sessions {
    _private: (),
}

impl Sessions {
    /// Tells the identity, if it is connected and subscribed, that desired changed: `patch` as submitted, `version` put into body and topic.
    pub fn desired_changed(&self, id: &TwinId, version: u64, patch: &JsonMap) {
        let _ = (id, version, patch);
        todo!()
    }

    /// Closes the identity's connection and forgets its session: deleted, disabled or with other keys.
    pub fn drop_identity(&self, id: &TwinId) {
        let _ = id;
        todo!()
    }

    #[must_use]
    pub fn is_connected(&self, id: &TwinId) -> bool {
        let _ = id;
        todo!()
    }

    /// Open connections.
    #[must_use]
    pub fn connected_count(&self) -> usize {
        todo!()
    }
}

/// Serves MQTT over TLS until `stop`.
pub async fn serve(
    listener: tokio::net::TcpListener,
    tls: tokio_rustls::TlsAcceptor,
    hub: Arc<Hub>,
    stop: tokio_util::sync::CancellationToken,
) {
    let _ = (listener, tls, hub, stop);
    todo!()
}
