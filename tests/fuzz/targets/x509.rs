//! Client certificates: certificates one behind the other, as a client would show them, for every kind of identity. Nobody gets in
//! with one that the authority did not sign or whose thumbprint is another.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use twinscope::local_hub::x509::{Authorities, ClientCertificates, Unfit, check};
use twinscope::protocol::identity::Authentication;
use twinscope::protocol::sas;
use twinscope::protocol::secret::Secret;
use twinscope::protocol::x509::Parts;
use twinscope::twin::{AuthKind, TwinId};

/// In the year 2100, when the certificates of the fixtures are still valid.
const NOW_S: u64 = 4_102_444_800;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/x509")
}

/// One of version 3, and one of version 1 that signed itself.
static AUTHORITIES: LazyLock<Authorities> = LazyLock::new(|| {
    let files = ["authority", "v1-self"].map(|name| fixtures().join(format!("{name}.pem")));
    Authorities::read(&files).expect("authorities")
});

/// What stands in the certificates they signed: no other may count as signed.
static SIGNED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let signed =
        |name: &str| Parts::of(&der(&fixtures().join(format!("{name}.pem")))).map(|parts| parts.signed.to_vec());
    ["v1-rsa", "v1-ec", "under-v1"].into_iter().map(|name| signed(name).expect("a certificate")).collect()
});

/// The one certificate of a PEM file.
fn der(path: &Path) -> Vec<u8> {
    let text = fs::read_to_string(path).expect("a fixture");
    let base64: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    // What reads the base64 of keys reads any.
    sas::key_bytes(&Secret::new(base64)).expect("base64")
}

/// Cuts behind each element of DER; what is none is one piece.
fn pieces(mut data: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    while !data.is_empty() && pieces.len() < 12 {
        let length = match data {
            [_, short @ 0..=0x7f, ..] => 2 + usize::from(*short),
            [_, 0x81, a, ..] => 3 + usize::from(*a),
            [_, 0x82, a, b, ..] => 4 + usize::from(u16::from_be_bytes([*a, *b])),
            _ => data.len(),
        };
        let (piece, rest) = data.split_at(length.min(data.len()));
        pieces.push(piece.to_vec());
        data = rest;
    }
    pieces
}

fn within(part: &[u8], whole: &[u8]) -> bool {
    whole.as_ptr_range().start <= part.as_ptr() && part.as_ptr_range().end <= whole.as_ptr_range().end
}

fuzz_target!(|data: &[u8]| {
    let chain = pieces(data);
    for der in &chain {
        if let Some(parts) = Parts::of(der) {
            for part in [parts.signed, parts.signature_algorithm, parts.signature, parts.key_info, parts.key] {
                assert!(within(part, der));
            }
            let _signed = parts.is_signed_by(&parts, &[]);
        }
    }
    let own = chain.first().cloned().unwrap_or_default();
    let thumbprint: String = Sha256::digest(&own).iter().map(|byte| format!("{byte:02X}")).collect();
    let certificates = ClientCertificates::new(chain);
    let authentication = |kind, thumbprint: &str| Authentication {
        kind,
        primary_key: None,
        secondary_key: None,
        primary_thumbprint: Some("0".repeat(40)),
        secondary_thumbprint: Some(thumbprint.to_owned()),
    };
    for id in [TwinId::device("v1-rsa"), TwinId::module("v1-ec", "m"), TwinId::device("under-v1")] {
        let ask =
            |kind, thumbprint: &str| check(&certificates, &id, &authentication(kind, thumbprint), &AUTHORITIES, NOW_S);
        let wrong = ask(AuthKind::SelfSigned, &"f".repeat(64));
        assert!(wrong.is_err());
        let right = ask(AuthKind::SelfSigned, &thumbprint);
        assert_ne!(right, Err(Unfit::Thumbprint));
        assert!(ask(AuthKind::Sas, &thumbprint).is_err() && ask(AuthKind::None, &thumbprint).is_err());
        if ask(AuthKind::CertificateAuthority, "").is_ok() {
            let parts = Parts::of(&own).expect("it was read");
            assert!(SIGNED.iter().any(|signed| signed == parts.signed), "{id} got in with a certificate nobody signed");
        }
        let nobody = check(
            &certificates,
            &id,
            &authentication(AuthKind::CertificateAuthority, ""),
            &Authorities::default(),
            NOW_S,
        );
        assert!(nobody.is_err());
    }
});
