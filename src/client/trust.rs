//! Which certificates are believed: the system's roots and the extra ones a person names by file. One rustls provider, never switched off.

use super::ClientCertificate;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// A certificate file is at most this long: a bundle of all public roots has about 250 KB.
const FILE_MAX: u64 = 4 << 20;

/// Built once, shared by HTTPS and MQTT.
#[derive(Clone)]
pub struct Trust {
    config: Arc<rustls::ClientConfig>,
    roots: Arc<rustls::RootCertStore>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    #[error("cannot read the certificate file {}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
    #[error("{} holds no certificate in PEM form", path.display())]
    NoCertificate { path: PathBuf },
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

impl Trust {
    /// The system's roots (read once per process) and those in the given PEM files. TLS 1.2 and 1.3.
    ///
    /// A system without readable roots is no error: with a CA file of one's own nothing else is needed, and without one
    /// the handshake says so.
    ///
    /// # Errors
    /// When a named file cannot be read or holds no certificate.
    pub fn new(extra: &[PathBuf]) -> Result<Self, TrustError> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(system_roots().iter().cloned());
        for path in extra {
            for certificate in read_pem(path)? {
                roots
                    .add(certificate)
                    .map_err(|error| TrustError::File { path: path.clone(), reason: error.to_string() })?;
            }
        }
        let roots = Arc::new(roots);
        let config = builder(&roots)?.with_no_client_auth();
        Ok(Self { config: Arc::new(config), roots })
    }

    #[must_use]
    pub fn config(&self) -> Arc<rustls::ClientConfig> {
        self.config.clone()
    }

    /// The same for a device or module that shows a certificate.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn config_with(&self, certificate: &ClientCertificate) -> Result<Arc<rustls::ClientConfig>, TrustError> {
        Ok(Arc::new(builder(&self.roots)?.with_client_cert_resolver(certificate.resolver())))
    }
}

fn builder(
    roots: &Arc<rustls::RootCertStore>,
) -> Result<rustls::ConfigBuilder<rustls::ClientConfig, rustls::client::WantsClientCert>, TrustError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TrustError::Tls(error.to_string()))?
        .with_root_certificates(roots.clone()))
}

/// Reading them takes tens of milliseconds on some systems, so it is done once.
fn system_roots() -> &'static [CertificateDer<'static>] {
    static ROOTS: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::debug!(%error, "a part of the system's certificate store cannot be read");
        }
        found.certs
    })
}

fn read_pem(path: &Path) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let failed = |reason: String| TrustError::File { path: path.to_owned(), reason };
    let file = std::fs::File::open(path).map_err(|error| failed(super::cause::plain(&error.to_string())))?;
    let mut text = Vec::new();
    file.take(FILE_MAX + 1).read_to_end(&mut text).map_err(|error| failed(super::cause::plain(&error.to_string())))?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > FILE_MAX {
        return Err(failed(format!("it is longer than {} MB", FILE_MAX >> 20)));
    }
    let certificates = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| failed(super::cause::plain(&error.to_string())))?;
    if certificates.is_empty() {
        return Err(TrustError::NoCertificate { path: path.to_owned() });
    }
    Ok(certificates)
}
