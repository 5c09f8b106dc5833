//! The part of client certificates that belongs in TLS: any certificate is taken, but its owner must show that it has the key.

use crate::protocol::x509::Parts;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use std::sync::Arc;

/// Takes any certificate a client shows, or none, but makes the client prove that it holds its key.
///
/// rustls's own check of that proof reads the certificate with webpki and so fails for those of version 1; this one needs
/// the key in it alone.
#[derive(Debug)]
pub struct AnyCertificate {
    pub provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let parts = parts(cert)?;
        // In TLS 1.2 a scheme names a hash and a kind of key, but no curve: there may be several algorithms for one.
        let mapping = self.provider.signature_verification_algorithms.mapping;
        let (_, algorithms) = mapping
            .iter()
            .find(|(scheme, _)| *scheme == dss.scheme)
            .ok_or(rustls::PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
        if parts.has_signed(message, dss.signature(), algorithms) {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }

    /// Refuses the schemes that TLS 1.3 has abolished, PKCS #1 v1.5 among them.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = SubjectPublicKeyInfoDer::from(parts(cert)?.key_info);
        verify_tls13_signature_with_raw_key(message, &key, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn parts<'a>(certificate: &'a CertificateDer<'_>) -> Result<Parts<'a>, Error> {
    Parts::of(certificate).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))
}
