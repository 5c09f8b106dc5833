//! What the local hub's certificates are good for, and which versions of TLS it speaks.

use super::local::{TestHub, options, unobserved};
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use twinscope::client::{HubClient, HubError, Trust};
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::connection_string::ConnectionString;

/// A server with a certificate for these names, signed with the key of the hub's CA; it greets and hangs up. Its port.
async fn impostor(hub: &TestHub, names: &[&str]) -> u16 {
    let ca = std::fs::read_to_string(hub.hub.ca_file()).unwrap();
    let stolen =
        std::fs::read_to_string(options(hub.dir.path(), FleetChoice::Empty).ca_dir.join("ca-key.pem")).unwrap();
    let issuer = Issuer::from_ca_cert_pem(&ca, KeyPair::from_pem(&stolen).unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            // A client that does not believe it breaks off, which is what is looked for at its end.
            drop(acceptor.accept(socket).await);
        }
    });
    port
}

#[tokio::test]
async fn whoever_steals_the_ca_gets_loopback_names_and_nothing_else() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let ask = async |port: u16| {
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let text = format!("HostName=localhost:{port};SharedAccessKeyName=iothubowner;SharedAccessKey={key}");
        let trust = Trust::new(&[hub.hub.ca_file().to_owned()]).unwrap();
        let client = HubClient::new(&ConnectionString::parse(&text).unwrap(), &trust, unobserved()).unwrap();
        client.with_retry(super::bad_server::hasty()).statistics().await.unwrap_err()
    };
    // The constraint is on every name of a certificate, so the foreign one spoils it for the good one.
    let error = ask(impostor(&hub, &["localhost", "example.org"]).await).await;
    assert!(matches!(&error, HubError::Tls { .. }), "{error:?}");
    let error = ask(impostor(&hub, &["localhost", "10.0.0.1"]).await).await;
    assert!(matches!(&error, HubError::Tls { .. }), "{error:?}");
    let error = ask(impostor(&hub, &["localhost", "127.0.0.1"]).await).await;
    assert!(!matches!(&error, HubError::Tls { .. }), "a certificate within the constraint is believed: {error:?}");

    let port = impostor(&hub, &["example.org"]).await;
    let socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = "example.org".try_into().unwrap();
    let error = crate::support::tls(hub.hub.ca_file()).connect(name, socket).await.unwrap_err();
    assert!(error.to_string().contains("NameConstraint"), "{error}");
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_on_both_ports() {
    use rustls::pki_types::pem::PemObject;
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_file(hub.hub.ca_file()).unwrap()).unwrap();
    for addr in [hub.hub.https(), hub.hub.mqtts()] {
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = rustls::ClientConfig::builder_with_provider(provider)
                .with_protocol_versions(&[version])
                .unwrap()
                .with_root_certificates(roots.clone())
                .with_no_client_auth();
            let socket = TcpStream::connect(addr).await.unwrap();
            let name = "localhost".try_into().unwrap();
            let stream = TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap();
            assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version), "{addr}");
        }
    }
}
