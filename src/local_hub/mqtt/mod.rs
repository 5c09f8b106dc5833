//! The MQTT face: listener, one session per identity, kept subscriptions.
//!
//! `packet` knows the bytes; `connect` lets a client in; `session` is one connection; `publish` and `twin` say what its packets
//! mean; `sessions` remembers who is connected and what was subscribed, `kept` what of that outlives the hub, `lease` is a
//! connection's place in it, `outbox` what waits for it, `pending` what it waits for, `delivery` brings it its messages,
//! `arrivals` wakes who waits for a client to come; `limits` bounds all of that; `faulty` is what
//! goes wrong on purpose.

mod arrivals;
mod connect;
mod delivery;
mod faulty;
pub mod kept;
mod lease;
pub mod limits;
mod outbox;
pub mod packet;
mod pending;
mod publish;
pub mod session;
mod sessions;
mod twin;

pub use limits::Limits;
pub use session::End;
pub use sessions::{NotSent, Sessions};

use super::handshake;
use super::hub::Hub;
use super::listen::Listeners;
use super::x509::ClientCertificates;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What MQTT connections are held to, and how many more there may be: over TCP and over WebSocket together.
#[derive(Debug, Clone)]
pub struct Door {
    pub limits: Limits,
    room: Arc<Semaphore>,
}

impl Door {
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, room: Arc::new(Semaphore::new(limits.max_connections)) }
    }

    /// A connection's place, to be given back at its end; `None` when all are taken.
    #[must_use]
    pub fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).try_acquire_owned().ok()
    }
}

/// Serves MQTT over TLS until `stop`; ends after that, when every connection has ended.
pub async fn serve(door: Door, listeners: Listeners, tls: TlsAcceptor, hub: Arc<Hub>, stop: CancellationToken) {
    let limits = door.limits;
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listeners.accept() => accepted,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, or the peer has gone already: the listener itself is well.
                tracing::warn!(%error, "an MQTT connection could not be accepted");
                sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Some(place) = door.enter() else {
            tracing::warn!(%peer, "an MQTT connection too many is closed");
            continue;
        };
        let (tls, hub, stop) = (tls.clone(), Arc::clone(&hub), stop.clone());
        connections.spawn(async move {
            connection(limits, socket, tls, hub, stop).await;
            drop(place);
        });
    }
    drop(listeners);
    connections.close();
    connections.wait().await;
}

async fn connection(limits: Limits, socket: TcpStream, tls: TlsAcceptor, hub: Arc<Hub>, stop: CancellationToken) {
    // Boxed, as is the stream: a connection keeps room for all it ever awaits, and thousands of them wait at once.
    let Some(stream) = Box::pin(shake_hands(limits, socket, tls, &stop)).await else { return };
    let certificates = ClientCertificates::of(stream.get_ref().1);
    let end = session::run(stream, hub, certificates, limits, stop).await;
    tracing::trace!(?end, "an MQTT socket is closed");
}

/// The stream behind the handshake; `None` when that failed or the hub stops.
async fn shake_hands(
    limits: Limits,
    socket: TcpStream,
    tls: TlsAcceptor,
    stop: &CancellationToken,
) -> Option<Box<TlsStream<TcpStream>>> {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::trace!(%error, "small packets may be delayed");
    }
    let handshake = tokio::select! {
        () = stop.cancelled() => return None,
        handshake = handshake::accept(socket, &tls, limits.tls_handshake) => handshake,
    };
    handshake.map(Box::new).inspect_err(|failed| failed.tell("MQTT")).ok()
}
