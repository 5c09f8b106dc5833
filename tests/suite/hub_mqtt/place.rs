//! A hub of a test's own, devices in it, and connections to it: over TLS, over WebSocket, or over a pipe in memory.

use super::frames::{Framing, Ws};
use super::wire::{Connect, Got, PATIENCE, Wire};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;
use twinscope::local_hub::mqtt::{End, Limits, session};
use twinscope::local_hub::x509::ClientCertificates;
use twinscope::local_hub::{self, Exposure, FleetChoice, HubOptions, LocalHub, Tuning};
use twinscope::protocol::connection_string::{Proof, Who};
use twinscope::protocol::rest::Route;
use twinscope::protocol::sas;
use twinscope::protocol::secret::Secret;
use twinscope::twin::{ConnectionState, Json, TwinId};

/// Every device of these tests has this key, every other key is wrong.
pub const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
pub const OTHER_KEY: &str = "OTg3NjU0MzIxMDk4NzY1NDMyMTA5ODc2NTQzMjEwOTg=";

/// Anything that carries MQTT.
pub trait Carrier: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Carrier for S {}

pub type Tls = Wire<Box<dyn Carrier>>;
pub type Pipe = Wire<DuplexStream>;

/// What [`Place::dial`] dials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    Tcp,
    WebSocket,
}

impl Over {
    pub const BOTH: [Self; 2] = [Self::Tcp, Self::WebSocket];
}

pub struct Place {
    pub local: LocalHub,
    pub folder: tempfile::TempDir,
    over: Over,
    tls: TlsConnector,
}

impl Place {
    pub async fn start() -> Self {
        Self::start_with(Over::Tcp, local_hub::Limits::default()).await
    }

    pub async fn start_with(over: Over, limits: local_hub::Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let options = HubOptions {
            https: any,
            mqtts: any,
            data: None,
            ca_dir: folder.path().to_owned(),
            fleet: FleetChoice::Empty,
            exposure: Exposure::LoopbackOnly,
            names: Vec::new(),
            tuning: Tuning::default(),
        };
        let local = LocalHub::start_with(options, limits).await.unwrap();
        Self::of(local, folder, over)
    }

    /// Around a hub that was started, with its folder.
    pub fn of(local: LocalHub, folder: tempfile::TempDir, over: Over) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(local.ca_file()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { local, folder, over, tls: TlsConnector::from(Arc::new(config)) }
    }

    /// With a device `d`.
    pub async fn with_device() -> (Self, TwinId) {
        Self::with_device_over(Over::Tcp).await
    }

    /// The same, with clients that dial so.
    pub async fn with_device_over(over: Over) -> (Self, TwinId) {
        Self::with_device_within(over, local_hub::Limits::default()).await
    }

    pub async fn with_device_within(over: Over, limits: local_hub::Limits) -> (Self, TwinId) {
        let place = Self::start_with(over, limits).await;
        let id = TwinId::device("d");
        place.create(&id).await;
        (place, id)
    }

    pub async fn open(&self, addr: SocketAddr) -> TlsStream<TcpStream> {
        let socket = TcpStream::connect(addr).await.unwrap();
        self.tls.connect(ServerName::try_from("localhost").unwrap(), socket).await.unwrap()
    }

    /// An open connection that takes MQTT, nothing said yet.
    pub async fn dial(&self) -> Tls {
        match self.over {
            Over::Tcp => self.dial_at(self.local.mqtts()).await,
            Over::WebSocket => Wire::new(Box::new(self.web_socket().await.carry(Framing::AsSent))),
        }
    }

    /// A WebSocket, nothing said in it yet.
    pub async fn web_socket(&self) -> Ws<TlsStream<TcpStream>> {
        Ws::open(self.open(self.local.https()).await).await
    }

    pub async fn dial_at(&self, addr: SocketAddr) -> Tls {
        Wire::new(Box::new(self.open(addr).await))
    }

    /// A session over a pipe in memory, and why it ended. `room` is what the pipe holds in each direction.
    pub fn pipe(&self, limits: Limits, room: usize) -> (Pipe, JoinHandle<End>) {
        let (near, far) = tokio::io::duplex(room);
        let end = session::run(
            far,
            Arc::clone(self.local.hub()),
            ClientCertificates::default(),
            limits,
            CancellationToken::new(),
        );
        (Wire::new(near), tokio::spawn(end))
    }

    /// Connects over TLS, without a session from before.
    pub async fn connect(&self, id: &TwinId) -> Tls {
        let mut wire = self.dial().await;
        wire.ask(&greeting(id).bytes(), Got::ConnAck(0, 0)).await;
        wire
    }

    /// Connects over a pipe.
    pub async fn connect_pipe(&self, id: &TwinId) -> Pipe {
        let (mut wire, _end) = self.pipe(Limits::default(), 64 * 1024);
        wire.ask(&greeting(id).bytes(), Got::ConnAck(0, 0)).await;
        wire
    }

    /// Connects and subscribes to all of the twin's topics.
    pub async fn connect_twin(&self, id: &TwinId) -> Tls {
        let mut wire = self.connect(id).await;
        wire.ask(
            &super::wire::subscribe(1, &[("$iothub/twin/res/#", 0), ("$iothub/twin/PATCH/properties/desired/#", 0)]),
            Got::SubAck(1, vec![0, 0]),
        )
        .await;
        wire
    }

    pub async fn create(&self, id: &TwinId) {
        self.create_with(id, [KEY, KEY]).await;
    }

    /// With a primary and a secondary key.
    pub async fn create_with(&self, id: &TwinId, keys: [&str; 2]) {
        let answer = self.put(id, None, "enabled", keys).await;
        assert_eq!(answer.0, 200, "{answer:?}");
    }

    /// Writes the identity again.
    pub async fn update(&self, id: &TwinId, status: &str, key: &str) {
        let answer = self.put(id, Some("\"*\""), status, [key, key]).await;
        assert_eq!(answer.0, 200, "{answer:?}");
    }

    async fn put(&self, id: &TwinId, if_match: Option<&str>, status: &str, keys: [&str; 2]) -> (u16, String) {
        let mut body = json!({
            "deviceId": id.device,
            "authentication": {"type": "sas", "symmetricKey": {"primaryKey": keys[0], "secondaryKey": keys[1]}},
        });
        match &id.module {
            Some(module) => body["moduleId"] = json!(module),
            None => body["status"] = json!(status),
        }
        self.rest("PUT", &identity(id), if_match, Some(&body)).await
    }

    pub async fn delete(&self, id: &TwinId) {
        let answer = self.rest("DELETE", &identity(id), Some("*"), None).await;
        assert_eq!(answer.0, 204, "{answer:?}");
    }

    /// PATCHes desired over REST.
    pub async fn desire(&self, id: &TwinId, desired: Json) {
        let body = json!({"properties": {"desired": desired}});
        let answer = self.rest("PATCH", &Route::Twin(id.clone()).target(), Some("\"*\""), Some(&body)).await;
        assert_eq!(answer.0, 200, "{answer:?}");
    }

    /// One HTTPS request by raw bytes: status and body.
    async fn rest(&self, method: &str, target: &str, if_match: Option<&str>, body: Option<&Json>) -> (u16, String) {
        let Who::Service { policy, proof: Proof::Key(key) } = self.local.connection_string().who else {
            panic!("the hub's own connection string is a service's")
        };
        let token = sas::sign("localhost", &key, now_s() + 600, Some(&policy)).unwrap();
        let body = body.map(Json::to_string).unwrap_or_default();
        let if_match = if_match.map(|value| format!("If-Match: {value}\r\n")).unwrap_or_default();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n{if_match}\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            token.reveal(),
            body.len(),
        );
        let mut stream = self.open(self.local.https()).await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    }

    pub fn is_connected(&self, id: &TwinId) -> bool {
        self.local.hub().sessions().is_connected(id)
    }

    /// What the registry says.
    pub fn connection_state(&self, id: &TwinId) -> ConnectionState {
        self.local.hub().read(|registry| registry.twin(id).unwrap().connection_state)
    }

    /// Waits until neither sessions nor registry hold the identity for connected.
    pub async fn wait_gone(&self, id: &TwinId) {
        eventually("the connection is gone", || {
            !self.is_connected(id) && self.connection_state(id) == ConnectionState::Disconnected
        })
        .await;
    }

    /// Bags and bodies of the telemetry so far.
    pub fn telemetry(&self) -> Vec<(String, Vec<u8>)> {
        crate::support::telemetry(&self.local).into_iter().map(|(bag, payload, _)| (bag, payload)).collect()
    }
}

fn identity(id: &TwinId) -> String {
    match &id.module {
        Some(module) => Route::Module { device: id.device.clone(), module: module.clone() },
        None => Route::Device { device: id.device.clone() },
    }
    .target()
}

pub fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A token for the identity.
pub fn token(id: &TwinId, key: &str, expires_s: u64) -> String {
    sas::sign(&sas::resource("localhost", Some(id)), &Secret::new(key), expires_s, None).unwrap().reveal().to_owned()
}

/// A CONNECT that is let in, as SDKs write it, with a clean session.
pub fn greeting(id: &TwinId) -> Connect {
    Connect {
        name: "MQTT",
        level: 4,
        client_id: id.to_string(),
        user_name: Some(format!("localhost/{id}/?api-version=2021-04-12&DeviceClientType=test%2F1")),
        password: Some(token(id, KEY, now_s() + 600)),
        clean: true,
        keep_alive_s: 60,
        will: None,
    }
}

/// The same, for a session that is kept.
pub fn kept(id: &TwinId) -> Connect {
    Connect { clean: false, ..greeting(id) }
}

/// Looks again and again, up to the test's patience.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
