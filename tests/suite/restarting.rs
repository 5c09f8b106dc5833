//! A hub whose counters restart: stands before the local hub and gives every life of an identity the same etags again, so that a
//! device that was deleted and created again has the etag, and the etag of the record, of the one before.
//!
//! The local hub draws where its counters begin; the real one promises nothing about it.

use crate::client::bad_server::certificates;
use crate::worker::rig::OwnHub;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use twinscope::protocol::connection_string::ConnectionString;
use twinscope::twin::Twin;

/// Stops with the runtime of its hub.
pub struct Restarting {
    port: u16,
    dir: tempfile::TempDir,
    way: Arc<Way>,
}

/// To the hub.
struct Way {
    hub: u16,
    tls: TlsConnector,
    /// Path of a twin → the counter behind its first etag.
    births: Mutex<HashMap<String, u64>>,
}

impl Restarting {
    pub fn start(hub: &OwnHub) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let acceptor = certificates(&dir.path().join("ca.pem"));
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(hub.ca_file()).unwrap() {
            roots.add(certificate.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let way =
            Arc::new(Way { hub: hub.port(), tls: TlsConnector::from(Arc::new(config)), births: Mutex::default() });
        let listener = hub.runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        hub.runtime.spawn(serve(listener, acceptor, way.clone()));
        Self { port, dir, way }
    }

    /// The hub's rights, through this.
    pub fn connection(&self, hub: &OwnHub) -> ConnectionString {
        hub.connection_at(self.port)
    }

    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// A life begins: `twin` as the hub itself has it, before the first write.
    pub fn born(&self, twin: &Twin) {
        let path = format!("/twins/{}", twin.id.device);
        self.way.births.lock().unwrap().insert(path, counter(&twin.etag.0).unwrap());
    }
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, way: Arc<Way>) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let (tls, way) = (tls.clone(), way.clone());
        // A client that goes away in the middle is none of the hub's trouble.
        tokio::spawn(async move { converse(socket, tls, &way).await.ok() });
    }
}

/// One request; the connection is closed behind its answer.
async fn converse(socket: TcpStream, tls: TlsAcceptor, way: &Way) -> std::io::Result<()> {
    let mut client = tls.accept(socket).await?;
    let (head, body) = read_message(&mut client).await?;
    let path = head.split(['?', ' ']).nth(1).unwrap_or_default().to_owned();
    let mut lines = head.split("\r\n");
    let mut request = format!("{}\r\nConnection: close\r\n", lines.next().unwrap_or_default());
    for line in lines.filter(|line| !line.is_empty()) {
        match line.split_once(": ") {
            Some((name, tag)) if name.eq_ignore_ascii_case("if-match") => {
                request.extend(["If-Match: \"", &way.told(&path, tag.trim_matches('"')), "\"\r\n"]);
            }
            _ => request.extend([line, "\r\n"]),
        }
    }
    let hub = TcpStream::connect(("127.0.0.1", way.hub)).await?;
    let mut hub = way.tls.connect(ServerName::try_from("localhost").unwrap(), hub).await?;
    hub.write_all(format!("{request}\r\n").as_bytes()).await?;
    hub.write_all(&body).await?;
    let (head, body) = read_message(&mut hub).await?;
    let body = way.restarted(&path, String::from_utf8(body).unwrap());
    let kept = head.split("\r\n").filter(|line| {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        !line.is_empty() && !["content-length", "etag", "connection"].contains(&name.as_str())
    });
    let head = kept.collect::<Vec<_>>().join("\r\n");
    let answer = format!("{head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}

/// Head and body of a request or an answer that says how long it is.
async fn read_message(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let body = bytes.split_off(end);
    let head = String::from_utf8(bytes).unwrap();
    let length = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
    });
    let mut body = body;
    while body.len() < length.unwrap_or(0) {
        if stream.read_buf(&mut body).await? == 0 {
            break;
        }
    }
    Ok((head, body))
}

impl Way {
    /// The hub's own etag for one that was given out.
    fn told(&self, path: &str, tag: &str) -> String {
        match (self.births.lock().unwrap().get(path), counter(tag)) {
            (Some(birth), Some(counter)) => etag(counter.wrapping_add(*birth).wrapping_sub(1)),
            _ => tag.to_owned(),
        }
    }

    /// The body with the etags of a first life.
    fn restarted(&self, path: &str, mut body: String) -> String {
        if !path.starts_with("/twins/") {
            return body;
        }
        if let Some(range) = value_of(&body, "\"etag\":\"")
            && let Some(now) = counter(&body[range.clone()])
        {
            let birth = *self.births.lock().unwrap().entry(path.to_owned()).or_insert(now);
            body.replace_range(range, &etag(now.wrapping_sub(birth).wrapping_add(1)));
        }
        if let Some(range) = value_of(&body, "\"deviceEtag\":\"") {
            body.replace_range(range, "MTAwMDAwMDAx");
        }
        body
    }
}

fn value_of(body: &str, key: &str) -> Option<std::ops::Range<usize>> {
    let start = body.find(key)? + key.len();
    Some(start..start + body[start..].find('"')?)
}

fn counter(etag: &str) -> Option<u64> {
    Some(u64::from_be_bytes(STANDARD.decode(etag).ok()?.try_into().ok()?))
}

fn etag(counter: u64) -> String {
    STANDARD.encode(counter.to_be_bytes())
}
