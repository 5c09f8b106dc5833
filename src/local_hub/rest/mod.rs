//! The HTTPS face: the service API, and MQTT over WebSocket. This file accepts and bounds connections; `service` answers requests,
//! `websocket` makes an MQTT connection of one; `faulty` and `cut` let answers go wrong on purpose.

mod answer;
mod cut;
mod faulty;
mod jobs;
mod messages;
mod methods;
mod own;
mod paging;
mod service;
pub mod stall;
mod websocket;

use super::handshake;
use super::hub::Hub;
use super::listen::Listeners;
use super::mqtt;
use super::x509::ClientCertificates;
use cut::{Cut, Knife};
use faulty::{Dropped, Reply};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use stall::Stall;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncBufReadExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Bounds on what one peer, and all of them together, may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open at once; one more is closed at the door.
    pub connections: usize,
    /// From the TCP connection to the end of the handshake.
    pub handshake: Duration,
    /// For the head of a request; also how long a connection may be idle.
    pub head: Duration,
    /// For the whole body of a request.
    pub body: Duration,
    /// How long the peer may take none of an answer.
    pub stall: Duration,
    /// How long a query that counts over all twins may take.
    pub aggregate: Duration,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Header lines of a request.
    pub headers: usize,
    /// For MQTT connections, on this listener and on their own.
    pub mqtt: mqtt::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            handshake: Duration::from_secs(10),
            head: Duration::from_mins(1),
            body: Duration::from_secs(30),
            stall: Duration::from_secs(30),
            // Clients give an answer half a minute; a count beyond that would only be asked for again.
            aggregate: Duration::from_secs(20),
            head_bytes: 32 * 1024,
            headers: 256,
            mqtt: mqtt::Limits::default(),
        }
    }
}

/// After an error of `accept` (no file handles left, say) the listener pauses instead of spinning.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long requests that are under way may take to finish when the hub stops.
const FINISH: Duration = Duration::from_secs(2);

/// Serves the service API over TLS until `stop`; returns when the last connection is closed.
pub async fn serve(
    listeners: Listeners,
    tls: TlsAcceptor,
    hub: Arc<Hub>,
    limits: Limits,
    mqtt: mqtt::Door,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    let service = Arc::new(service::Service::new(hub, limits.body, limits.aggregate));
    loop {
        let accepted = tokio::select! {
            accepted = listeners.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            tracing::warn!(limit = limits.connections, "too many connections, one is refused");
            continue;
        };
        let (tls, service, mqtt, stop) = (tls.clone(), service.clone(), mqtt.clone(), stop.clone());
        connections.spawn(async move {
            connection(stream, tls, service, limits, mqtt, stop).await;
            drop(place);
        });
    }
    drop(listeners);
    connections.close();
    connections.wait().await;
}

async fn connection(
    stream: TcpStream,
    tls: TlsAcceptor,
    service: Arc<service::Service>,
    limits: Limits,
    mqtt: mqtt::Door,
    stop: CancellationToken,
) {
    // Small answers must not wait for the peer's acknowledgement of the last one.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot switch off Nagle's algorithm");
    }
    // Boxed: a connection keeps room for all it ever awaits, and thousands of them wait at once.
    let Some(stream) = Box::pin(opened(stream, tls, limits, &stop)).await else { return };
    Box::pin(serve_requests(stream, service, limits, mqtt, stop)).await;
}

/// The connection behind the handshake, when the first bytes of a request are there. What serves requests takes several times the
/// memory of the connection itself, so an idle one does without. `None` when there will be none.
async fn opened(
    stream: TcpStream,
    tls: TlsAcceptor,
    limits: Limits,
    stop: &CancellationToken,
) -> Option<Box<TlsStream<TcpStream>>> {
    let handshake = tokio::select! {
        handshake = handshake::accept(stream, &tls, limits.handshake) => handshake,
        () = stop.cancelled() => return None,
    };
    let mut stream = Box::new(handshake.inspect_err(|failed| failed.tell("HTTPS")).ok()?);
    let first = tokio::select! {
        first = tokio::time::timeout(limits.head, stream.fill_buf()) => first,
        () = stop.cancelled() => return None,
    };
    let is_there = matches!(first, Ok(Ok(bytes)) if !bytes.is_empty());
    is_there.then_some(stream)
}

async fn serve_requests(
    stream: Box<TlsStream<TcpStream>>,
    service: Arc<service::Service>,
    limits: Limits,
    mqtt: mqtt::Door,
    stop: CancellationToken,
) {
    // What the client shows of itself in TLS; MQTT over WebSocket is told too.
    let certificates = ClientCertificates::of(stream.get_ref().1);
    let shown = certificates.clone();
    let (hub, mqtt_limits) = (service.hub.clone(), mqtt.limits);
    let upgrade = websocket::Upgrade::default();
    let promised = upgrade.clone();
    let knife = Knife::default();
    let drawn = knife.clone();
    let service = service_fn(move |mut request| {
        let (service, promised, mqtt, knife) = (service.clone(), promised.clone(), mqtt.clone(), drawn.clone());
        request.extensions_mut().insert(shown.clone());
        async move {
            if websocket::is_asked(&request) {
                return Ok(websocket::answer(request, &promised, &mqtt, &service.hub));
            }
            match service.answer(request).await {
                Reply::Whole(answer) => Ok(answer),
                Reply::Halfway(answer) => {
                    knife.draw();
                    Ok(answer)
                }
                Reply::Nothing => Err(Dropped),
            }
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_headers(limits.headers)
        .max_buf_size(limits.head_bytes)
        .serve_connection(TokioIo::new(Stall::new(Cut::new(stream, knife), limits.stall)), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(FINISH, connection).await {
                Ok(served) => served,
                Err(_) => return,
            }
        }
    };
    match served {
        Ok(()) => upgrade.serve(hub, certificates, mqtt_limits, stop).await,
        Err(error) => tracing::debug!(%error, "a connection ended"),
    }
}
