//! The program's own client with a certificate.

use super::made::{Ca, Shown, as_is, authority, fixture, self_signed};
use super::stage::{Stage, by_authority, by_thumbprint};
use crate::support::PATIENCE;
use serde_json::json;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;
use twinscope::client::link::{Dial, LinkTiming, Reconnect};
use twinscope::client::{CertificateError, ClientCertificate, DeviceLink, LinkEvent, LinkState, Trust};
use twinscope::protocol::connection_string::ConnectionString;
use twinscope::twin::TwinId;

fn connect(stage: &Stage, string: &str, certificate: &ClientCertificate) -> (DeviceLink, Receiver<LinkEvent>) {
    let trust = Trust::new(&[stage.test.hub.ca_file().to_owned()]).unwrap();
    let dial = Dial { host: "localhost".into(), port: stage.test.hub.mqtts().port() };
    let connection = ConnectionString::parse(string).unwrap();
    let timing = LinkTiming::default();
    DeviceLink::connect_x509(&connection, certificate, Some(dial), &trust, Reconnect::UnlessPushedOut, timing).unwrap()
}

/// The first state that is not *connecting*.
async fn outcome(events: &mut Receiver<LinkEvent>) -> LinkState {
    loop {
        match timeout(PATIENCE, events.recv()).await.unwrap().unwrap() {
            LinkEvent::State(LinkState::Connecting) => {}
            LinkEvent::State(state) => return state,
            other => panic!("{other:?} before a state"),
        }
    }
}

fn read(shown: &Shown) -> ClientCertificate {
    ClientCertificate::from_pem(shown.pem().as_bytes(), shown.key_pem.as_bytes()).unwrap()
}

#[tokio::test]
async fn a_link_by_certificate() {
    let ca: Ca = authority("Authority", as_is);
    let stage = Stage::start(&[&ca]).await;
    let own = self_signed("whoever", as_is);
    let between = ca.below("Between", as_is).sign("d/m", as_is);
    let cases = [
        ("d", by_thumbprint(&own.sha256(), ""), own),
        ("d/m", by_authority(), between),
        ("v1-rsa", by_authority(), fixture("v1-rsa")),
        ("v1-ec/m", by_authority(), fixture("v1-ec")),
    ];
    for (id, authentication, shown) in cases {
        let id: TwinId = id.parse().unwrap();
        stage.put(&id, &authentication, "enabled").await;
        let module = id.module.as_ref().map(|module| format!("ModuleId={module};")).unwrap_or_default();
        let string = format!("HostName=localhost;DeviceId={};{module}x509=true", id.device);
        let (link, mut events) = connect(&stage, &string, &read(&shown));
        assert_eq!(outcome(&mut events).await, LinkState::Online { session_present: false }, "{id}");
        let patch = json!({"by": "certificate"}).as_object().unwrap().clone();
        assert_eq!(link.report(&patch).await.unwrap(), 2);
        link.close().await;

        let (_link, mut events) = connect(&stage, &string, &read(&self_signed(id.to_string(), as_is)));
        let LinkState::Refused { reason } = outcome(&mut events).await else { panic!("{id} was let in") };
        assert!(reason.contains("certificate"), "{reason}");
    }
}

#[test]
fn what_is_wrong_with_the_files_is_named() {
    let (one, other) = (self_signed("one", as_is), self_signed("other", as_is));
    let (pem, key) = (one.pem(), one.key_pem.clone());
    let both = format!("{key}{pem}");
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let older = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let odd = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let v1 = fixture("v1-rsa");
    let cases: [(&str, &str, Option<CertificateError>); 12] = [
        (&pem, &key, None),
        (&both, &both, None),
        (&v1.pem(), &v1.key_pem, None),
        ("", &key, Some(CertificateError::NoCertificate)),
        (&key, &key, Some(CertificateError::NoCertificate)),
        (no_certificate, &key, Some(CertificateError::Unreadable)),
        (&pem, "", Some(CertificateError::NoKey)),
        (&pem, &pem, Some(CertificateError::NoKey)),
        (&pem, encrypted, Some(CertificateError::Encrypted)),
        (&pem, older, Some(CertificateError::Encrypted)),
        (&pem, odd, Some(CertificateError::UnknownKey)),
        (&v1.pem(), &other.key_pem, Some(CertificateError::Mismatch)),
    ];
    for (chain, key, wanted) in cases {
        let found = ClientCertificate::from_pem(chain.as_bytes(), key.as_bytes());
        assert_eq!(found.as_ref().err(), wanted.as_ref(), "{chain}");
        assert!(!format!("{found:?}").contains("PRIVATE"));
    }
    assert_eq!(
        ClientCertificate::from_pem(pem.as_bytes(), other.key_pem.as_bytes()).err(),
        Some(CertificateError::Mismatch)
    );
    // Its own message would hold some of the file.
    let broken = ClientCertificate::from_pem(b"-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n", b"");
    assert!(matches!(broken, Err(CertificateError::NotPem(_))), "{broken:?}");
}

#[tokio::test]
async fn a_string_with_a_key_is_not_for_certificates() {
    let shown = self_signed("d", as_is);
    let trust = Trust::new(&[]).unwrap();
    let string = "HostName=localhost;DeviceId=d;SharedAccessKey=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    let connection = ConnectionString::parse(string).unwrap();
    let timing = LinkTiming::default();
    let link = DeviceLink::connect_x509(&connection, &read(&shown), None, &trust, Reconnect::Always, timing);
    let error = link.err().unwrap();
    assert!(format!("{error:?}").contains("x509=true"), "{error:?}");
    let connection = ConnectionString::parse("HostName=localhost;DeviceId=d;x509=true").unwrap();
    assert!(DeviceLink::connect(&connection, None, &trust, Reconnect::Always).is_err());
}
