//! The certificates: a CA made once per user, for servers with loopback names and nothing else (`constraints`), and the server's
//! leaf, made at each start. A hub that is known by more names has a CA of its own for them.
//!
//! The CA's key and certificate are one file, so that two programs that start at once can never mix two of them. The
//! certificate alone is written beside it for clients to believe.

mod constraints;

use super::names::{self, HubName};
use super::store::set_aside;
use super::x509::{self, proof::AnyCertificate};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::fs;
use std::io::{self, Write};
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
    /// The CA was damaged: a sentence that says what became of it.
    pub notice: Option<String>,
}

/// Loads or makes the CA in `dir`, and a leaf for `localhost`, `127.0.0.1`, `::1` and these names. Where one of them is beyond
/// loopback the CA is the one for them, in a folder below ([`names::ca_dir`]).
///
/// # Errors
/// A sentence with the file and what is wrong with it.
pub fn prepare(dir: &Path, names: &[HubName]) -> Result<Certificates, String> {
    let (top, dir) = (dir, &names::ca_dir(dir, names));
    for folder in dir.ancestors().take_while(|folder| folder.starts_with(top)) {
        private_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let (Authority { pem, der: ca_der, issuer }, notice) = load_or_make(dir, names)?;
    let ca_file = dir.join(CA_FILE);
    let known = fs::read(&ca_file).ok();
    if known.as_deref() != Some(pem.as_bytes()) {
        if known.is_some() && notice.is_none() {
            tracing::warn!(file = %ca_file.display(), "the CA's certificate was altered and is written anew");
        }
        write_whole(&ca_file, &pem, Readers::Everybody).map_err(|error| format!("{CA_FILE}: {error}"))?;
    }
    let (leaf, key) = leaf(&issuer, names).map_err(|error| error.to_string())?;
    let chain = vec![leaf, ca_der];
    Ok(Certificates {
        https: Arc::new(config(chain.clone(), &key, &[b"http/1.1"])?),
        mqtts: Arc::new(config(chain, &key, &[])?),
        ca_file,
        notice,
    })
}

/// A CA that is whole.
struct Authority {
    /// The certificate.
    pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Reads the content of the key file.
    ///
    /// # Errors
    /// What is wrong with it: a key and a certificate must be there, belong together, and be as they were made.
    fn read(text: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
        let pem = certificate_part(text).ok_or("it holds no certificate")?;
        let key = KeyPair::from_pem(text).map_err(|error| error.to_string())?;
        let der = pem_der(pem).ok_or("its certificate cannot be read")?;
        let now_s = u64::try_from(OffsetDateTime::now_utc().unix_timestamp()).unwrap_or(0);
        x509::check_own_authority(&der, &key.subject_public_key_info(), now_s)?;
        let issuer = Issuer::from_ca_cert_pem(pem, key).map_err(|error| error.to_string())?;
        Ok(Self { pem: pem.to_owned(), der, issuer })
    }
}

/// The CA in `dir`. One that is damaged is set aside and made anew, which the sentence beside it says.
fn load_or_make(dir: &Path, names: &[HubName]) -> Result<(Authority, Option<String>), String> {
    let path = dir.join(KEY_FILE);
    let text = |error: io::Error| format!("{}: {error}", path.display());
    if !path.exists() {
        make(dir, names)?;
    }
    owner_only(&path).map_err(text)?;
    let reason = match Authority::read(&fs::read(&path).map_err(text)?) {
        Ok(authority) => return Ok((authority, None)),
        Err(reason) => reason,
    };
    let aside = set_aside(&path).map_err(text)?;
    let fresh = new_ca(names).map_err(|error| error.to_string())?;
    write_whole(&path, &fresh, Readers::Owner).map_err(text)?;
    let authority = Authority::read(&fs::read(&path).map_err(text)?).map_err(|error| format!("{KEY_FILE}: {error}"))?;
    let notice = format!(
        "{KEY_FILE} is damaged: {reason}. It was set aside as {}. The hub has a new CA: clients that trust the old one must be \
         given {}.",
        aside.display(),
        dir.join(CA_FILE).display()
    );
    Ok((authority, Some(notice)))
}

/// Creates the CA file. If two processes race, the first file wins and both use it.
fn make(dir: &Path, names: &[HubName]) -> Result<(), String> {
    let path = dir.join(KEY_FILE);
    let text = |error: io::Error| format!("{}: {error}", path.display());
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
            write_new(&temporary, &fresh, Readers::Owner).and_then(|()| fs::rename(&temporary, &path)).map_err(text)?;
        }
    }
    removed.map_err(text)
}

fn new_ca(names: &[HubName]) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = validity(CA_DAYS)?;
    // The name is unique per CA: a client that believes two of them must not mix them up.
    let name = format!("Twinscope local hub {}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // A client that trusts this CA, even if its key is stolen, accepts servers of loopback names, of those the hub was given, and nothing
    // else. Clients read the key usage of a CA as the limit of what it signs.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.custom_extensions = vec![constraints::extension(&names::beyond_loopback(names))];
    let certificate = params.self_signed(&key)?;
    Ok(format!("{}{}", key.serialize_pem(), certificate.pem()))
}

fn leaf(
    issuer: &Issuer<'static, KeyPair>,
    names: &[HubName],
) -> Result<(CertificateDer<'static>, Vec<u8>), rcgen::Error> {
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

/// Makes the folder, or takes it from everybody but its owner: who may write to it could put a CA of their own there.
fn private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(dir)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(dir)?.permissions().mode();
        if mode.trailing_zeros() < 6 {
            tracing::warn!(dir = %dir.display(), mode = format!("{:o}", mode & 0o7777), "the folder of the hub's CA was open to others and is closed");
            fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
        }
    }
    Ok(())
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
