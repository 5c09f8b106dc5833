//! Whoever shows a certificate must have its key; and who is asked for one.

use super::made::{Shown, as_is, authority, fixture, self_signed};
use super::stage::{Stage, VERSIONS, by_authority, by_thumbprint, greeting};
use crate::hub_mqtt::wire::Got;
use rustls::sign::CertifiedKey;
use rustls::{SignatureScheme, pki_types::ServerName};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use twinscope::local_hub::x509::ClientCertificates;
use twinscope::twin::TwinId;

/// The certificate of another is public: showing it must not be enough. TLS itself ends here, as it must.
#[tokio::test]
async fn a_certificate_without_its_key_is_worth_nothing() {
    let stage = Stage::start(&[]).await;
    for (right, wrong) in [
        (self_signed("d", as_is), self_signed("d", as_is)),
        (fixture("v1-rsa"), fixture("v1-self")),
        (fixture("v1-ec"), fixture("req-x509")),
    ] {
        let id = TwinId::device("d");
        stage.put(&id, &by_thumbprint(&right.sha1(), ""), "enabled").await;
        for version in VERSIONS {
            assert_eq!(stage.connack(&greeting(&id), Some(&right), version).await, 0);
            let stolen = Shown { key: wrong.key.clone(), ..right.clone() };
            // In TLS 1.3 the client is done before the server has seen the proof.
            let Ok(mut wire) = stage.dial(Some(&stolen), version).await else { continue };
            wire.try_send(&greeting(&id).bytes()).await.ok();
            assert_eq!(wire.get().await, Got::End, "{:?}", version.version);
        }
    }
}

/// TLS 1.3 has no PKCS #1 v1.5: a client that insists is not let in by it.
#[derive(Debug)]
struct Stubborn(Arc<dyn rustls::sign::SigningKey>);

impl rustls::sign::SigningKey for Stubborn {
    fn choose_scheme(&self, _offered: &[SignatureScheme]) -> Option<Box<dyn rustls::sign::Signer>> {
        self.0.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])
    }

    fn algorithm(&self) -> rustls::SignatureAlgorithm {
        self.0.algorithm()
    }
}

#[tokio::test]
async fn signatures_are_of_a_scheme_of_their_version() {
    let stage = Stage::start(&[]).await;
    let mut shown = fixture("v1-rsa");
    let id = TwinId::device("d");
    stage.put(&id, &by_thumbprint(&shown.sha1(), ""), "enabled").await;
    shown.key = Arc::new(Stubborn(shown.key));
    let [tls12, tls13] = VERSIONS;
    assert_eq!(stage.connack(&greeting(&id), Some(&shown), tls12).await, 0);
    if let Ok(mut wire) = stage.dial(Some(&shown), tls13).await {
        wire.try_send(&greeting(&id).bytes()).await.ok();
        assert_eq!(wire.get().await, Got::End);
    }
}

/// Counts how often it is asked.
#[derive(Debug)]
struct Asked(Arc<CertifiedKey>, AtomicUsize);

impl rustls::client::ResolvesClientCert for Asked {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn https_asks_for_a_certificate_and_takes_any_or_none() {
    let stage = Stage::start(&[]).await;
    let https = stage.test.hub.https();
    let shown = fixture("v1-rsa");
    for version in VERSIONS {
        for shown in [Some(&shown), None] {
            let mut stream = stage.open(https, shown, version).await.unwrap();
            stream
                .write_all(
                    b"GET /devices?api-version=2021-04-12 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                )
                .await
                .unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            // A certificate is no token of a service.
            assert!(answer.starts_with(b"HTTP/1.1 401 "), "{}", String::from_utf8_lossy(&answer));
        }
        let certified = Arc::new(CertifiedKey::new(shown.chain.clone(), shown.key.clone()));
        let asked = Arc::new(Asked(certified, AtomicUsize::new(0)));
        let config = stage.config(version).with_client_cert_resolver(asked.clone());
        let socket = TcpStream::connect(https).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap();
        assert_eq!(asked.1.load(Ordering::SeqCst), 1);
    }
}

/// A second connection of the same client resumes the session of TLS: the hub must still know whose it is.
#[tokio::test]
async fn a_resumed_session_still_has_its_certificate() {
    let ca = authority("Authority", as_is);
    let stage = Stage::start(&[&ca]).await;
    let (id, other) = (TwinId::device("d"), TwinId::device("e"));
    stage.put(&id, &by_authority(), "enabled").await;
    stage.put(&other, &by_authority(), "enabled").await;
    for version in VERSIONS {
        let config = stage.config(version).with_client_cert_resolver(ca.sign("d", as_is).resolver());
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let mut resumed = 0;
        for _ in 0..3 {
            for (id, code) in [(&id, 0), (&other, 5)] {
                let socket = TcpStream::connect(stage.test.hub.mqtts()).await.unwrap();
                let stream = connector.connect(ServerName::try_from("localhost").unwrap(), socket).await.unwrap();
                let kind = stream.get_ref().1.handshake_kind();
                resumed += usize::from(kind == Some(rustls::HandshakeKind::Resumed));
                let mut wire = crate::hub_mqtt::wire::Wire::new(stream);
                wire.ask(&greeting(id).bytes(), Got::ConnAck(0, code)).await;
            }
        }
        assert!(resumed > 0, "{:?} resumes", version.version);
    }
}

/// As HTTPS calls of a device are judged.
#[tokio::test]
async fn a_call_is_judged_as_a_connection_is() {
    let ca = authority("Authority", as_is);
    let stage = Stage::start(&[&ca]).await;
    let id = TwinId::device("d");
    stage.put(&id, &by_authority(), "enabled").await;
    let shown = |name: &str| {
        ClientCertificates::new(ca.sign(name, as_is).chain.iter().map(|certificate| certificate.to_vec()).collect())
    };
    let hub = stage.test.hub.hub();
    assert_eq!(hub.admit_call(&id, None, &shown("d")).unwrap().expires, None);
    for (what, header, certificates) in [
        ("nothing", None, ClientCertificates::default()),
        ("another's", None, shown("e")),
        ("no token", Some("SharedAccessSignature sr=x"), shown("d")),
        ("bytes", None, ClientCertificates::new(vec![vec![0x30, 0x82, 0xff, 0xff, 0]])),
        ("nothing at all", None, ClientCertificates::new(vec![Vec::new()])),
    ] {
        assert!(hub.admit_call(&id, header, &certificates).is_err(), "{what}");
    }
    assert_eq!(
        stage.put(&id, &by_authority(), "enabled").await["authentication"]["type"],
        json!("certificateAuthority")
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Damaged certificates are refused, or still good; never the end of the hub.
    #[test]
    fn damaged_certificates_end_nothing(at: proptest::sample::Index, byte: u8, cut: proptest::sample::Index) {
        use twinscope::local_hub::x509::{Authorities, check};
        use twinscope::protocol::identity::Authentication;
        use twinscope::twin::AuthKind;
        let authorities = Authorities::read(&[super::made::fixture_path("authority.pem")]).unwrap();
        let authentication = Authentication {
            kind: AuthKind::CertificateAuthority,
            primary_key: None,
            secondary_key: None,
            primary_thumbprint: None,
            secondary_thumbprint: None,
        };
        let good = fixture("v1-rsa").chain[0].to_vec();
        let id = TwinId::device("v1-rsa");
        let judge = |der: Vec<u8>, others: Vec<u8>| {
            check(&ClientCertificates::new(vec![der, others]), &id, &authentication, &authorities, 1_800_000_000)
        };
        proptest::prop_assert_eq!(judge(good.clone(), Vec::new()), Ok(()));
        let mut damaged = good.clone();
        let at = at.index(good.len());
        damaged[at] = byte;
        proptest::prop_assert_eq!(judge(damaged.clone(), good.clone()).is_ok(), byte == good[at]);
        proptest::prop_assert!(judge(good[..cut.index(good.len())].to_vec(), damaged.clone()).is_err());
        proptest::prop_assert_eq!(judge(good, damaged), Ok(()));
    }
}
