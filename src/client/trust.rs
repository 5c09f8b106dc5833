//! Which certificates are believed: the system's roots and the extra ones a person names by file. One rustls provider, never switched off.

use std::path::PathBuf;
use std::sync::Arc;

/// Built once, shared by HTTPS and MQTT.
#[derive(Clone)]
pub struct Trust {
    config: Arc<rustls::ClientConfig>,
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
    /// The system's roots (read once per process) and those in the given PEM files.
    ///
    /// # Errors
    /// When a named file cannot be read or holds no certificate.
    pub fn new(extra: &[PathBuf]) -> Result<Self, TrustError> {
        let _ = extra;
        todo!()
    }

    #[must_use]
    pub fn config(&self) -> Arc<rustls::ClientConfig> {
        self.config.clone()
    }
}
