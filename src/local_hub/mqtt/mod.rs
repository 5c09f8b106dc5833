//! The MQTT face: listener, one session per identity, kept subscriptions.
//!
//! `packet` knows the bytes; `connect` lets a client in; `session` is one connection; `publish` and `twin` say what its packets
//! mean; `sessions` remembers who is connected and what was subscribed, `lease` is a connection's place in it, `outbox` what
//! waits for it, `arrivals` wakes who waits for a client to come; `delivery` brings it its messages; `limits` bounds all of that.

mod arrivals;
mod connect;
mod delivery;
mod lease;
pub mod limits;
mod outbox;
pub mod packet;
mod publish;
pub mod session;
mod sessions;
mod twin;

pub use limits::Limits;
pub use session::End;
pub use sessions::{NotSent, Sessions};

use super::hub::Hub;
use super::x509::ClientCertificates;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Serves MQTT over TLS until `stop`.
pub async fn serve(listener: TcpListener, tls: TlsAcceptor, hub: Arc<Hub>, stop: CancellationToken) {
    serve_within(Limits::default(), listener, tls, hub, stop).await;
}

/// The same with other limits. Ends after `stop`, when every connection has ended.
pub async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    tls: TlsAcceptor,
    hub: Arc<Hub>,
    stop: CancellationToken,
) {
    let room = Arc::new(Semaphore::new(limits.max_connections));
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
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
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            tracing::warn!(%peer, "an MQTT connection too many is closed");
            continue;
        };
        let (tls, hub, stop) = (tls.clone(), Arc::clone(&hub), stop.clone());
        connections.spawn(async move {
            connection(limits, socket, tls, hub, stop).await;
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn connection(limits: Limits, socket: TcpStream, tls: TlsAcceptor, hub: Arc<Hub>, stop: CancellationToken) {
    // Boxed, as is the stream: a connection keeps room for all it ever awaits, and thousands of them wait at once.
    let Some(stream) = Box::pin(handshake(limits, socket, tls, &stop)).await else { return };
    let certificates = ClientCertificates::of(stream.get_ref().1);
    let end = session::run(stream, hub, certificates, limits, stop).await;
    tracing::trace!(?end, "an MQTT socket is closed");
}

/// The stream behind the handshake; `None` when that failed or the hub stops.
async fn handshake(
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
        handshake = timeout(limits.tls_handshake, tls.accept(socket)) => handshake,
    };
    match handshake {
        Ok(Ok(stream)) => Some(Box::new(stream)),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            None
        }
        Err(_elapsed) => {
            tracing::debug!("a TLS handshake took too long");
            None
        }
    }
}
