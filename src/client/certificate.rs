//! The certificate of a device or module, with its key: read from PEM, held to each other, shown in TLS.

use crate::protocol::x509::Parts;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use std::fmt;
use std::sync::Arc;

/// A certificate chain and the key of its first certificate. Cheap to clone.
#[derive(Clone)]
pub struct ClientCertificate {
    resolver: Arc<SingleCertAndKey>,
}

/// What is wrong with the two files; never shows any of the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("the certificate file is not PEM: {0}")]
    NotPem(String),
    #[error("the certificate file holds no certificate in PEM form")]
    NoCertificate,
    #[error("the certificate file holds a certificate that cannot be read")]
    Unreadable,
    #[error("the key file holds a key with a passphrase: take that off first")]
    Encrypted,
    #[error("the key file holds no private key in PEM form")]
    NoKey,
    #[error("the key is of a kind that TLS here does not know: use RSA, P-256 or P-384")]
    UnknownKey,
    #[error("the key does not belong to the certificate")]
    Mismatch,
}

impl ClientCertificate {
    /// From the content of two PEM files, or of one that holds both, given twice. The device's certificate comes first in
    /// `chain`, then those that lead to its authority. Certificates of version 1 will do.
    ///
    /// # Errors
    /// What is missing, or does not fit.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| CertificateError::NotPem(error.to_string()))?;
        let own = chain.first().ok_or(CertificateError::NoCertificate)?;
        let parts = Parts::of(own).ok_or(CertificateError::Unreadable)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_unread| {
            if says_encrypted(key) { CertificateError::Encrypted } else { CertificateError::NoKey }
        })?;
        let key =
            rustls::crypto::ring::sign::any_supported_type(&key).map_err(|_unknown| CertificateError::UnknownKey)?;
        // Not rustls's own comparison, which cannot read certificates of version 1.
        if key.public_key().is_some_and(|public| public.as_ref() != parts.key_info) {
            return Err(CertificateError::Mismatch);
        }
        Ok(Self { resolver: Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key))) })
    }

    pub(super) fn resolver(&self) -> Arc<dyn ResolvesClientCert> {
        self.resolver.clone()
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate(***)")
    }
}

/// `BEGIN ENCRYPTED PRIVATE KEY`, or the older `Proc-Type: 4,ENCRYPTED`.
fn says_encrypted(key: &[u8]) -> bool {
    const WORD: &[u8] = b"ENCRYPTED";
    key.windows(WORD.len()).any(|window| window == WORD)
}
