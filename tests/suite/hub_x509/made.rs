//! Certificates: made for one test, or once by openssl.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue, IsCa, Issuer, KeyPair, SerialNumber,
};
use ring::digest;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};
use std::path::PathBuf;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

/// What a client shows: certificates, its own first, and the key it signs with.
#[derive(Clone)]
pub struct Shown {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: Arc<dyn SigningKey>,
    /// The key as PEM.
    pub key_pem: String,
}

impl Shown {
    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>, key_pem: String) -> Self {
        Self { chain, key: rustls::crypto::ring::sign::any_supported_type(&key).unwrap(), key_pem }
    }

    pub fn resolver(&self) -> Arc<SingleCertAndKey> {
        Arc::new(SingleCertAndKey::from(CertifiedKey::new(self.chain.clone(), self.key.clone())))
    }

    /// Upper case, as portals show it.
    pub fn sha1(&self) -> String {
        self.hex(&digest::SHA1_FOR_LEGACY_USE_ONLY).to_uppercase()
    }

    /// Lower case, as tools print it.
    pub fn sha256(&self) -> String {
        self.hex(&digest::SHA256)
    }

    fn hex(&self, algorithm: &'static digest::Algorithm) -> String {
        let digest = digest::digest(algorithm, &self.chain[0]);
        digest.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    }

    /// Without the certificates that lead to the authority.
    pub fn alone(mut self) -> Self {
        self.chain.truncate(1);
        self
    }

    pub fn pem(&self) -> String {
        self.chain.iter().map(|der| pem(der)).collect()
    }
}

/// A certificate that signs others, and those above it up to the authority, which itself is not shown.
pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
    above: Vec<CertificateDer<'static>>,
}

/// Changes what is said in a certificate before it is signed.
pub type Change = fn(&mut CertificateParams);

pub fn as_is(_: &mut CertificateParams) {}

pub fn expired(params: &mut CertificateParams) {
    params.not_before = OffsetDateTime::now_utc() - Duration::days(30);
    params.not_after = OffsetDateTime::now_utc() - Duration::minutes(1);
}

pub fn not_yet_valid(params: &mut CertificateParams) {
    params.not_before = OffsetDateTime::now_utc() + Duration::hours(1);
}

pub fn not_a_ca(params: &mut CertificateParams) {
    params.is_ca = IsCa::ExplicitNoCa;
}

pub fn not_for_signing(params: &mut CertificateParams) {
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
}

/// One that allows no other CA below it.
pub fn shallow(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
}

fn params(name: impl Into<DnValue>, change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = OffsetDateTime::now_utc() - Duration::days(1);
    params.not_after = OffsetDateTime::now_utc() + Duration::days(1);
    params.serial_number = Some(SerialNumber::from(u64::from(u32::MAX)));
    change(&mut params);
    params
}

fn shown(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Shown {
    let der = PrivatePkcs8KeyDer::from(key.serialize_der());
    Shown::new(chain, PrivateKeyDer::Pkcs8(der), key.serialize_pem())
}

/// Signed by its own key.
pub fn self_signed(name: impl Into<DnValue>, change: Change) -> Shown {
    let key = KeyPair::generate().unwrap();
    let certificate = params(name, change).self_signed(&key).unwrap();
    shown(vec![certificate.der().clone()], &key)
}

/// An authority.
pub fn authority(name: &str, change: Change) -> Ca {
    let key = KeyPair::generate().unwrap();
    let params = ca_params(name, change);
    let certificate = params.self_signed(&key).unwrap();
    Ca { pem: certificate.pem(), issuer: Issuer::new(params, key), above: Vec::new() }
}

fn ca_params(name: &str, change: Change) -> CertificateParams {
    params(name, |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(params);
    })
}

impl Ca {
    /// A CA that this one signed.
    pub fn below(&self, name: &str, change: Change) -> Ca {
        let key = KeyPair::generate().unwrap();
        let params = ca_params(name, change);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let mut above = vec![certificate.der().clone()];
        above.extend(self.above.iter().cloned());
        Ca { pem: certificate.pem(), issuer: Issuer::new(params, key), above }
    }

    /// The same key under another name.
    pub fn renamed(&self, name: &str) -> Ca {
        let key = KeyPair::from_pem(&self.issuer.key().serialize_pem()).unwrap();
        let params = ca_params(name, as_is);
        Ca { pem: params.self_signed(&key).unwrap().pem(), issuer: Issuer::new(params, key), above: Vec::new() }
    }

    /// So many CAs in a row below this one.
    pub fn deep(&self, count: usize) -> Ca {
        (1..count).fold(self.below("0", as_is), |above, n| above.below(&n.to_string(), as_is))
    }

    /// Shows this many certificates that all could have signed each other.
    pub fn in_circles(mut self, count: usize) -> Ca {
        let certificate = CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap();
        self.above = vec![certificate; count];
        self
    }

    /// A device's certificate, and what leads from it to the authority.
    pub fn sign(&self, name: impl Into<DnValue>, change: Change) -> Shown {
        self.sign_key(KeyPair::generate().unwrap(), name, change)
    }

    pub fn sign_p384(&self, name: &str) -> Shown {
        self.sign_key(KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap(), name, as_is)
    }

    fn sign_key(&self, key: KeyPair, name: impl Into<DnValue>, change: Change) -> Shown {
        let certificate = params(name, change).signed_by(&key, &self.issuer).unwrap();
        let mut chain = vec![certificate.der().clone()];
        chain.extend(self.above.iter().cloned());
        shown(chain, &key)
    }
}

pub fn fixture_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/x509").join(name)
}

/// What openssl made; see `make` beside it.
pub fn fixture(name: &str) -> Shown {
    let certificate = CertificateDer::from_pem_file(fixture_path(&format!("{name}.pem"))).unwrap();
    let key = fixture_path(&format!("{name}.key"));
    Shown::new(vec![certificate], PrivateKeyDer::from_pem_file(&key).unwrap(), std::fs::read_to_string(&key).unwrap())
}

fn pem(der: &CertificateDer<'_>) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
