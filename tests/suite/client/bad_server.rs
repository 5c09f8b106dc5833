//! A TLS server that answers what a test tells it to, and remembers what it was asked.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use twinscope::client::hub::{Observer, RequestRecord};
use twinscope::client::{HubClient, RetryPolicy, Trust};
use twinscope::protocol::connection_string::ConnectionString;

/// What the server does after it has read a whole request.
#[derive(Clone)]
pub enum Reply {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// Nothing: the connection is closed.
    Close,
    /// The start of a body that never ends.
    Endless,
}

/// An answer with a matching Content-Length.
pub fn answer(status: &str, headers: &str, body: &str) -> Reply {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    Reply::Bytes(format!("{head}{body}").into_bytes())
}

pub const JSON: &str = "Content-Type: application/json; charset=utf-8\r\n";
pub const STATISTICS: &str = r#"{"totalDeviceCount":3,"enabledDeviceCount":2,"disabledDeviceCount":1}"#;

/// Stops when dropped.
pub struct BadServer {
    pub port: u16,
    dir: tempfile::TempDir,
    requests: Arc<Mutex<Vec<String>>>,
    records: Arc<Mutex<Vec<RequestRecord>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for BadServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl BadServer {
    /// Gives the replies in turn, and the last one for ever.
    pub async fn start(replies: Vec<Reply>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tls = certificates(&dir.path().join("ca.pem"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(serve(listener, tls, replies, requests.clone()));
        Self { port, dir, requests, records: Arc::default(), task }
    }

    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    pub fn connection(&self) -> ConnectionString {
        connection(self.port)
    }

    pub fn trust(&self) -> Trust {
        Trust::new(&[self.ca_file()]).unwrap()
    }

    /// A client that retries at once.
    pub fn client(&self) -> HubClient {
        HubClient::new(&self.connection(), &self.trust(), self.observer()).unwrap().with_retry(hasty())
    }

    pub fn observer(&self) -> Observer {
        let records = self.records.clone();
        Arc::new(move |record| records.lock().unwrap().push(record))
    }

    /// The requests so far, head and body.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// What the client said about its exchanges.
    pub fn records(&self) -> Vec<RequestRecord> {
        self.records.lock().unwrap().clone()
    }
}

pub fn hasty() -> RetryPolicy {
    RetryPolicy {
        base: Duration::from_millis(1),
        cap: Duration::from_millis(2),
        throttled: Duration::from_millis(1),
        ..RetryPolicy::default()
    }
}

pub fn connection(port: u16) -> ConnectionString {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    ConnectionString::parse(&format!("HostName=localhost:{port};SharedAccessKeyName=iothubowner;SharedAccessKey={key}"))
        .unwrap()
}

pub fn unobserved() -> Observer {
    Arc::new(|_| {})
}

/// For `localhost`, of a new CA whose certificate goes into the file.
pub fn certificates(ca_file: &std::path::Path) -> TlsAcceptor {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let ca_key = KeyPair::generate().unwrap();
    let ca = params.self_signed(&ca_key).unwrap();
    std::fs::write(ca_file, ca.pem()).unwrap();
    let issuer = Issuer::new(params, ca_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, replies: Vec<Reply>, requests: Arc<Mutex<Vec<String>>>) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        tokio::spawn(converse(socket, tls.clone(), replies.clone(), requests.clone()));
    }
}

async fn converse(socket: TcpStream, tls: TlsAcceptor, replies: Vec<Reply>, requests: Arc<Mutex<Vec<String>>>) {
    let Ok(mut stream) = tls.accept(socket).await else { return };
    let Some(request) = read_request(&mut stream).await else { return };
    let turn = {
        let mut requests = requests.lock().unwrap();
        requests.push(request);
        requests.len() - 1
    };
    match replies[turn.min(replies.len() - 1)].clone() {
        Reply::Bytes(bytes) => {
            stream.write_all(&bytes).await.ok();
            stream.shutdown().await.ok();
        }
        Reply::Close => {
            stream.shutdown().await.ok();
        }
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[").await.ok();
            while stream.write_all(&[b' '; 16384]).await.is_ok() {}
        }
    }
}

async fn read_request(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok())
                .unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                return Some(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(length) => bytes.extend_from_slice(&chunk[..length]),
        }
    }
}
