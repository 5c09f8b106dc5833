//! The certificates: a CA made once per user, name-constrained to loopback names, and the server's leaf, made at each start. A hub
//! that is known by more names has a CA of its own for them.
//!
//! The CA's key and certificate are one file, so that two programs that start at once can never mix two of them. The
//! certificate alone is written beside it for clients to believe.

use super::names::{self, HubName};
use super::x509::proof::AnyCertificate;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::fs;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

/// Key and certificate of the CA, PEM, readable by its owner alone.
const KEY_FILE: &str = "ca-key.pem";
/// The certificate alone, PEM, for clients.
const CA_FILE: &str = "ca.pem";
const CA_DAYS: i64 = 3650;
const LEAF_DAYS: i64 = 365;

/// What the sockets need. Both take any client certificate, or none; whether one is good is decided where it can be refused in
/// the protocol.
pub struct Certificates {
    pub https: Arc<ServerConfig>,
    pub mqtts: Arc<ServerConfig>,
    pub ca_file: PathBuf,
}

/// Loads or makes the CA in `dir`, and a leaf for `localhost`, `127.0.0.1`, `::1` and these names. Where one of them is beyond
/// loopback the CA is the one for them, in a folder below ([`names::ca_dir`]).
///
/// # Errors
/// A sentence with the file and what is wrong with it.
pub fn prepare(dir: &Path, names: &[HubName]) -> Result<Certificates, String> {
    let dir = &names::ca_dir(dir, names);
    let ca = load_or_make(dir, names)?;
    let pem = certificate_part(&ca).ok_or_else(|| damaged(dir, "it holds no certificate"))?;
    let key = KeyPair::from_pem(&ca).map_err(|error| damaged(dir, &error.to_string()))?;
    let issuer = Issuer::from_ca_cert_pem(pem, key).map_err(|error| damaged(dir, &error.to_string()))?;
    let ca_file = dir.join(CA_FILE);
    if fs::read_to_string(&ca_file).ok().as_deref() != Some(pem) {
        write_whole(&ca_file, pem, Readers::Everybody).map_err(|error| format!("{CA_FILE}: {error}"))?;
    }
    let ca_der = pem_der(pem).ok_or_else(|| damaged(dir, "its certificate cannot be read"))?;
    let (leaf, key) = leaf(&issuer, names).map_err(|error| error.to_string())?;
    let chain = vec![leaf, ca_der];
    Ok(Certificates {
        https: Arc::new(config(chain.clone(), &key, &[b"http/1.1"])?),
        mqtts: Arc::new(config(chain, &key, &[])?),
        ca_file,
    })
}

fn damaged(dir: &Path, reason: &str) -> String {
    format!("{}: {reason}; delete the file to have a new one made", dir.join(KEY_FILE).display())
}

/// The content of the CA file; whoever makes it first wins, everybody uses that one.
fn load_or_make(dir: &Path, names: &[HubName]) -> Result<String, String> {
    let path = dir.join(KEY_FILE);
    let text = |error: io::Error| format!("{}: {error}", path.display());
    if !path.exists() {
        private_dir(dir).map_err(text)?;
        let fresh = new_ca(names).map_err(|error| error.to_string())?;
        let temporary = dir.join(format!(".{KEY_FILE}.{}", uuid::Uuid::new_v4().simple()));
        write_new(&temporary, &fresh, Readers::Owner).map_err(text)?;
        // A hard link appears whole or not at all, and never replaces what another program just made.
        let linked = fs::hard_link(&temporary, &path);
        let removed = fs::remove_file(&temporary);
        match linked {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            // File systems without hard links: a rename is atomic too; the later of two programs wins there.
            Err(_) => {
                write_new(&temporary, &fresh, Readers::Owner)
                    .and_then(|()| fs::rename(&temporary, &path))
                    .map_err(text)?;
            }
        }
        removed.map_err(text)?;
    }
    owner_only(&path).map_err(text)?;
    fs::read_to_string(&path).map_err(text)
}

fn new_ca(names: &[HubName]) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = validity(CA_DAYS)?;
    // The name is unique per CA: a client that believes two of them must not mix them up.
    let name = format!("Twinscope local hub {}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Whoever believes this CA, and whoever steals its key, gets loopback names, those the hub was given, and nothing else.
    let mut permitted = vec![
        GeneralSubtree::DnsName(names::LOCALHOST.to_owned()),
        GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
        only(std::net::Ipv6Addr::LOCALHOST.into()),
    ];
    permitted.extend(names::beyond_loopback(names).into_iter().map(|name| match name {
        HubName::Dns(name) => GeneralSubtree::DnsName(name.clone()),
        HubName::Address(address) => only(*address),
    }));
    params.name_constraints = Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: Vec::new() });
    let certificate = params.self_signed(&key)?;
    Ok(format!("{}{}", key.serialize_pem(), certificate.pem()))
}

/// This address and no other.
fn only(address: IpAddr) -> GeneralSubtree {
    GeneralSubtree::IpAddress(match address {
        IpAddr::V4(address) => CidrSubnet::V4(address.octets(), [0xff; 4]),
        IpAddr::V6(address) => CidrSubnet::V6(address.octets(), [0xff; 16]),
    })
}

fn leaf(issuer: &Issuer<'_, KeyPair>, names: &[HubName]) -> Result<(CertificateDer<'static>, Vec<u8>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = validity(LEAF_DAYS)?;
    let mut subjects = [names::LOCALHOST, "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    for name in names {
        let name = name.to_string();
        if !subjects.contains(&name) {
            subjects.push(name);
        }
    }
    params.subject_alt_names = CertificateParams::new(subjects)?.subject_alt_names;
    params.distinguished_name.push(DnType::CommonName, names::LOCALHOST);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, issuer)?;
    Ok((certificate.der().clone(), key.serialize_der()))
}

/// From yesterday, for clocks that differ, to so many days from now.
fn validity(days: i64) -> Result<CertificateParams, rcgen::Error> {
    let now = OffsetDateTime::now_utc();
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = now - Duration::days(1);
    params.not_after = now + Duration::days(days);
    Ok(params)
}

fn config(chain: Vec<CertificateDer<'static>>, key: &[u8], alpn: &[&[u8]]) -> Result<ServerConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    // TLS 1.2 stays on: Microsoft's Python device client offers nothing else.
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| error.to_string())?;
    let builder = builder.with_client_cert_verifier(Arc::new(AnyCertificate { provider }));
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_vec()));
    let mut config = builder.with_single_cert(chain, key).map_err(|error| error.to_string())?;
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}

fn certificate_part(pem: &str) -> Option<&str> {
    pem.find("-----BEGIN CERTIFICATE-----").map(|start| &pem[start..])
}

fn pem_der(pem: &str) -> Option<CertificateDer<'static>> {
    use rustls::pki_types::pem::PemObject;
    CertificateDer::from_pem_slice(pem.as_bytes()).ok()
}

/// Who may read a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readers {
    Owner,
    Everybody,
}

/// Replaces a file in one step.
fn write_whole(path: &Path, text: &str, readers: Readers) -> io::Result<()> {
    let temporary = path.with_extension(uuid::Uuid::new_v4().simple().to_string());
    write_new(&temporary, text, readers)?;
    fs::rename(&temporary, path)
}

fn write_new(path: &Path, text: &str, readers: Readers) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(if readers == Readers::Owner { 0o600 } else { 0o644 });
    }
    #[cfg(not(unix))]
    let _ = readers; // The user's own folder is private there.
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(dir)
}

/// Takes a file from everybody but its owner.
///
/// # Errors
/// When the file is not ours.
#[cfg(unix)]
pub fn owner_only(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode.trailing_zeros() >= 6 { Ok(()) } else { fs::set_permissions(path, fs::Permissions::from_mode(0o600)) }
}

/// Takes a file from everybody but its owner; folders of a user are private on this system.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn owner_only(_path: &Path) -> io::Result<()> {
    Ok(())
}
