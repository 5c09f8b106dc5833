//! What several tests need: a hub on free ports, raw sockets.

use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use twinscope::local_hub::{Exposure, FleetChoice, HubOptions, Limits, LocalHub, Tuning};
use twinscope::protocol::event::What;
use twinscope::protocol::sas;
use twinscope::protocol::secret::Secret;

/// No answer takes longer than this on a loaded machine; a test that waits so long fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A hub on free ports with a CA of its own, gone with the value.
pub struct TestHub {
    pub hub: LocalHub,
    /// Where the CA lives, and whatever the test keeps.
    pub dir: TempDir,
}

impl TestHub {
    pub async fn start(fleet: FleetChoice) -> Self {
        Self::start_with(fleet, Limits::default()).await
    }

    pub async fn start_with(fleet: FleetChoice, limits: Limits) -> Self {
        let dir = TempDir::new().unwrap();
        let hub = LocalHub::start_with(options(dir.path(), fleet), limits).await.unwrap();
        Self { hub, dir }
    }

    /// A hub that behaves otherwise than by default.
    pub async fn start_tuned(fleet: FleetChoice, tuning: Tuning) -> Self {
        let dir = TempDir::new().unwrap();
        let hub = LocalHub::start(HubOptions { tuning, ..options(dir.path(), fleet) }).await.unwrap();
        Self { hub, dir }
    }

    /// A caller with the owner's key.
    pub async fn owner(&self) -> Caller {
        self.policy("iothubowner").await
    }

    /// A caller with the key of a policy.
    pub async fn policy(&self, name: &str) -> Caller {
        let policy = self.hub.hub().policies().by_name(name).unwrap();
        Caller::connect(self.hub.https(), self.hub.ca_file(), &token("localhost", &policy.primary, Some(name))).await
    }

    /// A raw connection to the service API.
    pub async fn raw(&self) -> Raw {
        Raw::connect(self.hub.https(), self.hub.ca_file()).await
    }
}

/// In memory, on free loopback ports, the CA in `dir/ca`.
pub fn options(dir: &Path, fleet: FleetChoice) -> HubOptions {
    HubOptions {
        https: "127.0.0.1:0".parse().unwrap(),
        mqtts: "127.0.0.1:0".parse().unwrap(),
        data: None,
        ca_dir: dir.join("ca"),
        fleet,
        exposure: Exposure::LoopbackOnly,
        names: Vec::new(),
        tuning: Tuning::default(),
    }
}

/// The telemetry a hub has seen: bag, payload, bytes of the payload.
pub fn telemetry(hub: &LocalHub) -> Vec<(String, Vec<u8>, usize)> {
    let told = hub.hub().events().page(0).events.into_iter();
    told.filter_map(|event| match event.what {
        What::Telemetry { bag, payload, bytes } => Some((bag, payload, bytes)),
        _ => None,
    })
    .collect()
}

/// A token for `resource` that is good for an hour.
pub fn token(resource: &str, key: &Secret, policy: Option<&str>) -> String {
    token_until(resource, key, policy, now_s() + 3600)
}

pub fn token_until(resource: &str, key: &Secret, policy: Option<&str>, expiry: u64) -> String {
    sas::sign(resource, key, expiry, policy).unwrap().reveal().to_owned()
}

pub fn now_s() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// A TLS client that believes one CA file and nothing else.
pub fn tls(ca_file: &Path) -> TlsConnector {
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls::pki_types::CertificateDer::pem_file_iter(ca_file).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

/// A TLS connection that speaks bytes.
pub struct Raw {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
}

impl Raw {
    pub async fn connect(addr: SocketAddr, ca_file: &Path) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        let name = "localhost".try_into().unwrap();
        let stream = tokio::time::timeout(PATIENCE, tls(ca_file).connect(name, stream)).await.unwrap().unwrap();
        Self { stream, buffer: Vec::new() }
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Sends what the peer may refuse half-way.
    pub async fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// The next answer; `None` when the peer closed instead.
    pub async fn read(&mut self) -> Option<Reply> {
        tokio::time::timeout(PATIENCE, self.read_reply()).await.expect("an answer comes in time")
    }

    /// Whether the peer closes without another word.
    pub async fn is_closed(&mut self) -> bool {
        self.read().await.is_none()
    }

    async fn read_reply(&mut self) -> Option<Reply> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8(self.buffer.drain(..end).collect()).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status_line = lines.next().unwrap().to_owned();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, n)| n.parse().unwrap());
        while self.buffer.len() < length {
            self.more().await?;
        }
        let body = self.buffer.drain(..length).collect();
        let status = status_line.split(' ').nth(1).unwrap().parse().unwrap();
        Some(Reply { status, status_line, headers, body })
    }

    async fn more(&mut self) -> Option<()> {
        let mut chunk = vec![0; 16 * 1024];
        match self.stream.read(&mut chunk).await {
            // A reset is a close of the ruder kind.
            Ok(0) | Err(_) => None,
            Ok(n) => {
                self.buffer.extend_from_slice(&chunk[..n]);
                Some(())
            }
        }
    }
}

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    /// With version and reason phrase.
    pub status_line: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The JSON of an answer that is 200.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    /// Asserts a refusal: status, the code in the header, and an envelope that agrees.
    pub fn refused(&self, status: u16, code: &str) -> &Self {
        assert_eq!((self.status, self.header("iothub-errorcode")), (status, Some(code)), "{}", self.text());
        let json = self.json();
        let message = json["Message"].as_str();
        let named = message.is_some_and(|message| message.starts_with(&format!("ErrorCode:{code};")));
        assert!(named || json["errorCode"].is_u64(), "{json}");
        self
    }
}

/// A connection with a token that sends requests as an SDK does.
pub struct Caller {
    raw: Raw,
    token: String,
}

impl Caller {
    pub async fn connect(addr: SocketAddr, ca_file: &Path, token: &str) -> Self {
        Self { raw: Raw::connect(addr, ca_file).await, token: token.to_owned() }
    }

    /// `path` without the api-version.
    pub async fn call(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Reply {
        self.try_call(method, path, headers, body).await.expect("the hub answers")
    }

    /// `None` when the connection ended instead of an answer.
    pub async fn try_call(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Option<Reply> {
        let join = if path.contains('?') { '&' } else { '?' };
        let mut head = format!(
            "{method} {path}{join}api-version=2021-04-12 HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n",
            self.token
        );
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        if !body.is_empty() {
            head.push_str("Content-Type: application/json; charset=utf-8\r\n");
        }
        head.extend(["Content-Length: ", &body.len().to_string(), "\r\n\r\n", &body]);
        self.raw.try_send(head.as_bytes()).await.ok()?;
        self.raw.read().await
    }

    pub async fn get(&mut self, path: &str) -> Reply {
        self.call("GET", path, &[], None).await
    }

    pub async fn put(&mut self, path: &str, body: Value) -> Reply {
        self.call("PUT", path, &[], Some(&body)).await
    }

    pub async fn put_if(&mut self, path: &str, if_match: &str, body: Value) -> Reply {
        self.call("PUT", path, &[("If-Match", if_match)], Some(&body)).await
    }

    pub async fn patch(&mut self, path: &str, body: Value) -> Reply {
        self.call("PATCH", path, &[], Some(&body)).await
    }

    pub async fn patch_if(&mut self, path: &str, if_match: &str, body: Value) -> Reply {
        self.call("PATCH", path, &[("If-Match", if_match)], Some(&body)).await
    }

    pub async fn delete(&mut self, path: &str) -> Reply {
        self.call("DELETE", path, &[("If-Match", "*")], None).await
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Reply {
        self.call("POST", path, &[], Some(&body)).await
    }

    /// A page of a query.
    pub async fn query(&mut self, text: &str, headers: &[(&str, &str)]) -> Reply {
        self.call("POST", "/devices/query", headers, Some(&serde_json::json!({"query": text}))).await
    }

    /// Makes a device, which must not be there.
    pub async fn device(&mut self, id: &str) -> Value {
        self.put(&format!("/devices/{id}"), serde_json::json!({"deviceId": id})).await.ok()
    }

    /// Makes a module, which must not be there.
    pub async fn module(&mut self, device: &str, module: &str) -> Value {
        let body = serde_json::json!({"deviceId": device, "moduleId": module});
        self.put(&format!("/devices/{device}/modules/{module}"), body).await.ok()
    }
}

/// The program under test, as built for this run.
pub fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_twinscope"))
}
