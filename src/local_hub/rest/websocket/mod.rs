//! MQTT over WebSocket, on the HTTPS listener: which request asks for it, how it is answered, and what is served after that.
//! `stream` makes bytes of the frames; from there on it is the session that TCP has too.
//!
//! Clients offer the subprotocol `mqtt`. The path's query says nothing: some clients write `?iothub-no-client-cert=true` there.

mod stream;

use super::answer::{self, Answer};
use crate::local_hub::hub::{Hub, Refused};
use crate::local_hub::mqtt::{Door, Limits, session};
use crate::local_hub::x509::ClientCertificates;
use crate::protocol::error::{ErrorCode, Shape};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    ALLOW, CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use stream::MqttStream;
use tokio::io::AsyncWriteExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_util::sync::CancellationToken;

/// Decoded; any case.
const PATH: &str = "/$iothub/websocket";
/// The subprotocol spoken here, and the one that Azure speaks on the same path besides.
const MQTT: &str = "mqtt";
const AMQP: &str = "AMQPWSB10";
/// The one version of the WebSocket protocol there is (RFC 6455).
const VERSION: &str = "13";
const WEBSOCKET: &str = "websocket";
/// Bytes in a handshake's key, before base64.
const KEY_BYTES: usize = 16;
/// How long a close may take to leave when the peer does not read.
const FAREWELL: Duration = Duration::from_millis(250);

/// A connection that was promised to become a WebSocket, and its place among the MQTT connections.
struct Promised {
    upgrade: OnUpgrade,
    place: OwnedSemaphorePermit,
}

/// Where a connection's last request leaves what comes after it.
#[derive(Clone, Default)]
pub struct Upgrade(Arc<Mutex<Option<Promised>>>);

/// Whether the request is for the WebSocket's path, whatever else it is.
pub fn is_asked(request: &Request<Incoming>) -> bool {
    let path = percent_decode_str(request.uri().path()).decode_utf8();
    path.is_ok_and(|path| path.eq_ignore_ascii_case(PATH))
}

/// 101 to a request that can be a WebSocket's first, and `upgrade` then holds the promise; else why not.
pub fn answer(mut request: Request<Incoming>, upgrade: &Upgrade, door: &Door, hub: &Hub) -> Answer {
    let agreed = check(&request).and_then(|agreed| {
        let place = door.enter().ok_or_else(|| refuse(ErrorCode::SERVICE_UNAVAILABLE, "too many MQTT connections"))?;
        Ok((agreed, place))
    });
    match agreed {
        Ok((Agreed { accept, subprotocol }, place)) => {
            *upgrade.lock() = Some(Promised { upgrade: hyper::upgrade::on(&mut request), place });
            let mut answer = Response::new(Full::new(Bytes::new()));
            *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            answer::put(&mut answer, UPGRADE, WEBSOCKET);
            answer::put(&mut answer, CONNECTION, "Upgrade");
            answer::put(&mut answer, SEC_WEBSOCKET_ACCEPT, &accept);
            if let Some(subprotocol) = subprotocol {
                answer::put(&mut answer, SEC_WEBSOCKET_PROTOCOL, &subprotocol);
            }
            answer
        }
        Err(Unfit { refused, status, header }) => {
            tracing::debug!(message = %refused.message, "a WebSocket is refused");
            let mut answer = answer::refused(Shape::Named, &refused, &hub.now_text());
            if let Some(status) = status {
                *answer.status_mut() = status;
            }
            if let Some((name, value)) = header {
                answer::put(&mut answer, name, value);
            }
            answer
        }
    }
}

impl Upgrade {
    /// Serves MQTT on what the HTTP connection has become, if it has; returns when that is over.
    pub async fn serve(self, hub: Arc<Hub>, certificates: ClientCertificates, limits: Limits, stop: CancellationToken) {
        let Some(Promised { upgrade, place }) = self.lock().take() else { return };
        let upgraded = match upgrade.await {
            Ok(upgraded) => upgraded,
            Err(error) => return tracing::debug!(%error, "a connection ended before it was a WebSocket"),
        };
        let mut stream = MqttStream::new(TokioIo::new(upgraded)).await;
        let end = session::run(&mut stream, hub, certificates, limits, stop).await;
        // Not every session that ends says so itself: one without a CONNECT does not. Twice does no harm.
        // One that is dropped on purpose says nothing.
        if end != session::End::Dropped
            && !matches!(tokio::time::timeout(FAREWELL, stream.shutdown()).await, Ok(Ok(())))
        {
            tracing::trace!("the peer did not take the end of the WebSocket");
        }
        tracing::trace!(?end, "a WebSocket is closed");
        drop(place);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Promised>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What both ends agree on.
struct Agreed {
    accept: String,
    /// As the client spelled it; `None` when it offered none.
    subprotocol: Option<String>,
}

/// Why there is no WebSocket.
struct Unfit {
    refused: Refused,
    /// When it is another than the code's.
    status: Option<StatusCode>,
    /// What would have been right.
    header: Option<(HeaderName, &'static str)>,
}

fn refuse(code: ErrorCode, message: &str) -> Unfit {
    Unfit { refused: Refused { code, message: message.to_owned() }, status: None, header: None }
}

fn check(request: &Request<Incoming>) -> Result<Agreed, Unfit> {
    let bad = |message| refuse(ErrorCode::ARGUMENT_INVALID, message);
    let upgrade_required = |message, name, value| Unfit {
        status: Some(StatusCode::UPGRADE_REQUIRED),
        header: Some((name, value)),
        ..bad(message)
    };
    let headers = request.headers();
    if request.method() != Method::GET {
        return Err(Unfit {
            header: Some((ALLOW, "GET")),
            ..refuse(ErrorCode::GENERIC_METHOD_NOT_ALLOWED, "a WebSocket is asked for by GET")
        });
    }
    if request.version() < Version::HTTP_11 {
        return Err(bad("a WebSocket takes HTTP/1.1"));
    }
    let has = |name, wanted: &str| words(headers, name).any(|word| word.eq_ignore_ascii_case(wanted));
    if !has(UPGRADE, WEBSOCKET) || !has(CONNECTION, "upgrade") {
        return Err(upgrade_required("this path speaks WebSocket only", UPGRADE, WEBSOCKET));
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != VERSION) {
        return Err(upgrade_required("the version of WebSocket must be 13", SEC_WEBSOCKET_VERSION, VERSION));
    }
    // Bytes behind the head would be taken for a body by the one and for frames by the other.
    if !request.body().is_end_stream() {
        return Err(bad("a request for a WebSocket has no body"));
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes);
    let key = key.filter(|key| STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == KEY_BYTES));
    let key = key.ok_or_else(|| bad("Sec-WebSocket-Key is no key"))?;
    Ok(Agreed { accept: derive_accept_key(key), subprotocol: subprotocol(headers)? })
}

/// Of what the client offers, what is spoken. A client that offers nothing is let in: there is but one thing it can mean.
fn subprotocol(headers: &HeaderMap) -> Result<Option<String>, Unfit> {
    let offered: Vec<&str> = words(headers, SEC_WEBSOCKET_PROTOCOL).collect();
    let find = |wanted: &str| offered.iter().find(|word| word.eq_ignore_ascii_case(wanted));
    if let Some(mqtt) = find(MQTT) {
        return Ok(Some((*mqtt).to_owned()));
    }
    if offered.is_empty() && !headers.contains_key(SEC_WEBSOCKET_PROTOCOL) {
        return Ok(None);
    }
    Err(refuse(
        ErrorCode::ARGUMENT_INVALID,
        match find(AMQP) {
            Some(_) => "this hub does not speak AMQP; over WebSocket it speaks the subprotocol mqtt",
            None => "the subprotocol spoken here is mqtt",
        },
    ))
}

/// The words of a list of headers separated by commas.
fn words(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|word| !word.is_empty())
}
