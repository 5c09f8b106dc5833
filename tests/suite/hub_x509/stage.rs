//! A hub with authorities, identities in it, and clients that show certificates.

use super::made::{Ca, Shown, fixture_path};
use crate::hub_mqtt::wire::{Connect, Got, Wire};
use crate::support::{TestHub, options};
use rustls::SupportedProtocolVersion;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use twinscope::local_hub::{FleetChoice, LocalHub};
use twinscope::twin::TwinId;

/// Both speak of client certificates, each in its own way.
pub const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

pub struct Stage {
    pub test: TestHub,
}

impl Stage {
    /// With these authorities and those of the fixtures.
    pub async fn start(authorities: &[&Ca]) -> Self {
        let dir = TempDir::new().unwrap();
        let mut options = options(dir.path(), FleetChoice::Empty);
        let bundle = dir.path().join("authorities.pem");
        std::fs::write(&bundle, authorities.iter().map(|ca| ca.pem.as_str()).collect::<String>()).unwrap();
        let mut files: Vec<PathBuf> = ["authority.pem", "v1-self.pem"].into_iter().map(fixture_path).collect();
        if !authorities.is_empty() {
            files.push(bundle);
        }
        options.tuning.x509_ca = files;
        Self { test: TestHub { hub: LocalHub::start(options).await.unwrap(), dir } }
    }

    /// Writes the identity, whether it is there or not; a module's device is made if it is missing.
    pub async fn put(&self, id: &TwinId, authentication: &Value, status: &str) -> Value {
        let mut owner = self.test.owner().await;
        let path = match &id.module {
            None => format!("/devices/{}", id.device),
            Some(module) => {
                let device = format!("/devices/{}", id.device);
                if owner.get(&device).await.status == 404 {
                    owner.device(&id.device).await;
                }
                format!("{device}/modules/{module}")
            }
        };
        let mut body = json!({"deviceId": id.device, "moduleId": id.module, "authentication": authentication});
        if id.module.is_none() {
            body["status"] = json!(status);
        }
        if owner.get(&path).await.status == 200 {
            owner.put_if(&path, "*", body).await.ok()
        } else {
            owner.put(&path, body).await.ok()
        }
    }

    /// What the client is told: 0 or 5; the connection is fine, or ended, accordingly.
    pub async fn connack(
        &self,
        connect: &Connect,
        shown: Option<&Shown>,
        version: &'static SupportedProtocolVersion,
    ) -> u8 {
        let mut wire = self.dial(shown, version).await.unwrap();
        wire.send(&connect.bytes()).await;
        let Got::ConnAck(0, code) = wire.get().await else { panic!("no CONNACK") };
        if code == 0 {
            wire.expect_quiet().await;
        } else {
            wire.expect_end().await;
        }
        code
    }

    pub async fn dial(
        &self,
        shown: Option<&Shown>,
        version: &'static SupportedProtocolVersion,
    ) -> std::io::Result<Wire<TlsStream<TcpStream>>> {
        Ok(Wire::new(self.open(self.test.hub.mqtts(), shown, version).await?))
    }

    pub async fn open(
        &self,
        addr: SocketAddr,
        shown: Option<&Shown>,
        version: &'static SupportedProtocolVersion,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let config = self.config(version);
        let config = match shown {
            Some(shown) => config.with_client_cert_resolver(shown.resolver()),
            None => config.with_no_client_auth(),
        };
        let socket = TcpStream::connect(addr).await.unwrap();
        TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), socket).await
    }

    /// Believes the hub, speaks one version.
    pub fn config(
        &self,
        version: &'static SupportedProtocolVersion,
    ) -> rustls::ConfigBuilder<rustls::ClientConfig, rustls::client::WantsClientCert> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.test.hub.ca_file()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
    }
}

/// A CONNECT as SDKs send it with a certificate: no password.
pub fn greeting(id: &TwinId) -> Connect {
    Connect {
        name: "MQTT",
        level: 4,
        client_id: id.to_string(),
        user_name: Some(format!("localhost/{id}/?api-version=2021-04-12")),
        password: None,
        clean: true,
        keep_alive_s: 60,
        will: None,
    }
}

pub fn by_thumbprint(primary: &str, secondary: &str) -> Value {
    json!({"type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": primary, "secondaryThumbprint": secondary}})
}

pub fn by_authority() -> Value {
    json!({"type": "certificateAuthority"})
}
