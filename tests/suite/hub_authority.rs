//! The hub's CA: what a certificate from it is good for, who may get at it, and what becomes of one that is damaged.

use rcgen::{CertificateParams, Issuer, KeyPair, SanType};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;
use twinscope::local_hub::HubName;
use twinscope::local_hub::certs;

/// A certificate for these names, made with the key of the CA in this folder, PEM.
fn stolen(ca: &Path, names: Vec<SanType>) -> (rcgen::Certificate, String) {
    let authority = std::fs::read_to_string(ca.join("ca.pem")).unwrap();
    let key = std::fs::read_to_string(ca.join("ca-key.pem")).unwrap();
    let issuer = Issuer::from_ca_cert_pem(&authority, KeyPair::from_pem(&key).unwrap()).unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names = names;
    let leaf = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
    let pem = leaf.pem();
    (leaf, pem)
}

/// What openssl says of a certificate as one of a server or a client; `None` where there is no openssl.
fn openssl(ca: &Path, leaf: &str, purpose: &str) -> Option<(bool, String)> {
    let file = ca.join("leaf.pem");
    std::fs::write(&file, leaf).unwrap();
    let mut verify = Command::new("openssl");
    verify.args(["verify", "-purpose", purpose, "-CAfile"]).arg(ca.join("ca.pem")).arg(file);
    let output = verify.output().ok()?;
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    Some((output.status.success(), text))
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

#[test]
fn a_certificate_from_it_is_a_loopback_servers_and_nothing_elses() {
    let dir = TempDir::new().unwrap();
    let named = [HubName::Dns("hub.test".to_owned()), HubName::Address("10.1.2.3".parse().unwrap())];
    for names in [&[][..], &named] {
        let ca_file = certs::prepare(dir.path(), names).unwrap().ca_file;
        let ca = ca_file.parent().unwrap();
        let uri = |text: &str| SanType::URI(text.try_into().unwrap());
        let email = |text: &str| SanType::Rfc822Name(text.try_into().unwrap());
        let within = [vec![dns("localhost")], vec![SanType::IpAddress("127.0.0.1".parse().unwrap()), dns("localhost")]];
        let beyond = [
            dns("example.org"),
            email("someone@example.org"),
            email("someone@hub.test"),
            uri("https://example.org/x"),
            uri("spiffe://example.org/workload"),
            uri("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
            SanType::IpAddress("10.0.0.1".parse().unwrap()),
            SanType::IpAddress("2001:db8::1".parse().unwrap()),
        ];
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&ca_file).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
        let judge = |leaf: &rcgen::Certificate| {
            let name = "localhost".try_into().unwrap();
            verifier.verify_server_cert(leaf.der(), &[], &name, &[], UnixTime::now()).map(drop)
        };
        for names in within {
            let (leaf, pem) = stolen(ca, names);
            judge(&leaf).unwrap();
            let Some((is_good, said)) = openssl(ca, &pem, "sslserver") else { continue };
            assert!(is_good, "{said}");
            for purpose in ["sslclient", "smimesign", "timestampsign"] {
                let (is_good, said) = openssl(ca, &pem, purpose).unwrap();
                assert!(!is_good, "{purpose}: {said}");
            }
        }
        for name in beyond {
            let (leaf, pem) = stolen(ca, vec![dns("localhost"), name.clone()]);
            let error = judge(&leaf).unwrap_err().to_string();
            assert!(error.contains("NameConstraint"), "{name:?}: {error}");
            if let Some((is_good, said)) = openssl(ca, &pem, "sslserver") {
                assert!(!is_good, "{name:?}: {said}");
            }
        }
    }
}

#[test]
fn one_that_is_damaged_is_set_aside_and_made_anew() {
    let dir = TempDir::new().unwrap();
    certs::prepare(dir.path(), &[]).unwrap();
    let file = dir.path().join("ca-key.pem");
    let good = std::fs::read(&file).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let mut damaged: Vec<Vec<u8>> =
        vec![Vec::new(), b"nothing".to_vec(), good[..good.len() / 2].to_vec(), vec![0xff; 600]];
    for _ in 0..60 {
        let mut flipped = good.clone();
        let at = random.usize(..flipped.len());
        flipped[at] ^= 1 << random.u8(..8);
        damaged.push(flipped);
    }
    // A key and a certificate that do not belong together.
    let other = TempDir::new().unwrap();
    certs::prepare(other.path(), &[]).unwrap();
    let theirs = std::fs::read_to_string(other.path().join("ca-key.pem")).unwrap();
    let ours = String::from_utf8(good.clone()).unwrap();
    let certificate = |text: &str| text[text.find("-----BEGIN CERTIFICATE").unwrap()..].to_owned();
    damaged.push(ours.replace(&certificate(&ours), &certificate(&theirs)).into_bytes());
    for content in damaged {
        std::fs::write(&file, &content).unwrap();
        std::fs::write(dir.path().join("ca.pem"), certificate(&ours)).unwrap();
        let prepared = certs::prepare(dir.path(), &[]).unwrap();
        let pem = std::fs::read_to_string(&prepared.ca_file).unwrap();
        let Some(notice) = prepared.notice else {
            // A bit that says nothing: a line's end, say.
            let der = |pem: &[u8]| CertificateDer::from_pem_slice(pem).unwrap().to_vec();
            assert_eq!(der(pem.as_bytes()), der(&good));
            continue;
        };
        assert!(notice.contains("ca-key.pem is damaged") && notice.contains("new CA"), "{notice}");
        assert!(!pem.contains("PRIVATE") && pem != certificate(&ours));
        let aside: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().contains("ca-key.pem.damaged-"))
            .collect();
        let [aside] = aside.as_slice() else { panic!("{aside:?}") };
        assert_eq!(std::fs::read(aside).unwrap(), content);
        std::fs::remove_file(aside).unwrap();
        assert_eq!(certs::prepare(dir.path(), &[]).unwrap().notice, None, "it is said once");
    }
}

#[cfg(unix)]
#[test]
fn its_folder_and_key_are_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let named = [HubName::Dns("hub.test".to_owned())];
    for names in [&[][..], &named] {
        for open in [0o777, 0o755, 0o1777, 0o770] {
            let dir = TempDir::new().unwrap();
            let ca = dir.path().join("ca");
            let folder = certs::prepare(&ca, names).unwrap().ca_file.parent().unwrap().to_owned();
            let key = folder.join("ca-key.pem");
            for path in [&ca, &folder] {
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(open)).unwrap();
            }
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o666)).unwrap();
            certs::prepare(&ca, names).unwrap();
            for path in [&ca, &folder] {
                assert_eq!(mode(path), 0o700, "{} was {open:o}", path.display());
            }
            assert_eq!(mode(&key), 0o600);
        }
    }
}
