//! Why a TLS handshake failed, as the log tells it: the CA is named only where it can be the reason.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use twinscope::client::Trust;
use twinscope::local_hub::certs;
use twinscope::local_hub::handshake::{Failed, accept};

const LIMIT: Duration = Duration::from_secs(10);

struct Stage {
    folder: tempfile::TempDir,
    tls: TlsAcceptor,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificates = certs::prepare(folder.path(), &[]).unwrap();
        Self { folder, tls: certificates.mqtts.into() }
    }

    /// Why a client that does this has no connection.
    async fn failed<F: Future<Output = ()>>(&self, client: impl FnOnce(DuplexStream) -> F) -> Failed {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let (failed, ()) = tokio::join!(accept(far, &self.tls, LIMIT), client(near));
        failed.expect_err("a handshake that fails")
    }

    fn connector(&self, trusts: &[&str]) -> TlsConnector {
        let files: Vec<_> = trusts.iter().map(|file| self.folder.path().join(file)).collect();
        TlsConnector::from(Trust::new(&files).unwrap().config())
    }
}

fn names_the_ca(failed: &Failed) -> bool {
    failed.to_string().contains("CA")
}

#[tokio::test]
async fn a_port_check_is_no_matter_of_trust() {
    let stage = Stage::new();
    let closed = stage.failed(|client| async { drop(client) }).await;
    assert!(matches!(closed, Failed::Unused) && !names_the_ca(&closed), "{closed}");
    // Half of a first message: a record's head that promises more.
    let half = |mut client: DuplexStream| async move { client.write_all(&[22, 3, 1, 1, 0, 1, 0]).await.unwrap() };
    let closed = stage.failed(half).await;
    assert!(matches!(closed, Failed::Unused) && !names_the_ca(&closed), "{closed}");
}

#[tokio::test]
async fn what_is_not_tls_is_named_so() {
    let stage = Stage::new();
    for first in [
        &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
        b"\x10\x20\0\x04MQTT\x04\x02\0\x3c\0\x01d",
        b"SSH-2.0-x\r\n",
    ] {
        let talk = |mut client: DuplexStream| async move {
            client.write_all(first).await.unwrap();
            // The hub's alert, and its end.
            client.read_to_end(&mut Vec::new()).await.unwrap();
        };
        let failed = stage.failed(talk).await;
        assert!(matches!(failed, Failed::NotTls(_)) && !names_the_ca(&failed), "{failed}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_know_the_ca_is_named_so() {
    let stage = Stage::new();
    let stranger = stage.connector(&[]);
    let failed = stage
        .failed(|client| async move {
            stranger.connect("localhost".try_into().unwrap(), client).await.unwrap_err();
        })
        .await;
    assert!(matches!(failed, Failed::Distrusted(_)), "{failed:?}");
    assert!(failed.to_string().contains("does not trust the hub's CA file"), "{failed}");
}

#[tokio::test]
async fn a_client_that_knows_the_hub_by_another_name_gets_both_reasons() {
    let stage = Stage::new();
    let friend = stage.connector(&["ca.pem"]);
    let failed = stage
        .failed(|client| async move {
            friend.connect("hub.example".try_into().unwrap(), client).await.unwrap_err();
        })
        .await;
    assert!(matches!(failed, Failed::Refused(_)), "{failed:?}");
    assert!(failed.to_string().contains("by a name that the certificate does not have"), "{failed}");
}

#[tokio::test]
async fn a_client_that_leaves_behind_the_certificate_may_have_refused_it() {
    let stage = Stage::new();
    let friend = stage.connector(&["ca.pem"]);
    let leave = |client: DuplexStream| async move {
        // The client's first message goes out whole; it is gone when the hub's answer is there.
        let (mut near, far) = tokio::io::duplex(64 * 1024);
        let hello = tokio::spawn(async move { drop(friend.connect("localhost".try_into().unwrap(), far).await) });
        let mut client = client;
        let mut bytes = [0; 4096];
        let count = near.read(&mut bytes).await.unwrap();
        client.write_all(&bytes[..count]).await.unwrap();
        client.read_exact(&mut bytes[..64]).await.unwrap();
        hello.abort();
    };
    let failed = stage.failed(leave).await;
    assert!(matches!(failed, Failed::Left), "{failed:?}");
    assert!(failed.to_string().contains("some do so when they do not trust the hub's CA file"), "{failed}");
}

#[tokio::test]
async fn no_common_version_of_tls_is_no_matter_of_trust() {
    let stage = Stage::new();
    let only_12 = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let mut hub = (*stage.tls.config().clone()).clone();
    hub.alpn_protocols = vec![b"h2".to_vec()];
    let stage = Stage { tls: TlsAcceptor::from(Arc::new(hub)), ..stage };
    let mut only_12 = only_12;
    only_12.alpn_protocols = vec![b"http/1.1".to_vec()];
    let failed = stage
        .failed(|client| async move {
            let connector = TlsConnector::from(Arc::new(only_12));
            connector.connect("localhost".try_into().unwrap(), client).await.unwrap_err();
        })
        .await;
    assert!(matches!(failed, Failed::Other(_)) && !names_the_ca(&failed), "{failed:?}");
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_or_stops_in_the_middle_has_taken_too_long() {
    let stage = Stage::new();
    for first in [&b""[..], &[22, 3, 1]] {
        let (mut near, far) = tokio::io::duplex(1024);
        near.write_all(first).await.unwrap();
        let failed = accept(far, &stage.tls, LIMIT).await.unwrap_err();
        assert!(matches!(failed, Failed::TooLong) && !names_the_ca(&failed), "{failed}");
    }
}
