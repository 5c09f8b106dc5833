//! Certificates as both ends must read them: the parts of one that signatures are about, of any version of X.509.
//!
//! webpki, which rustls reads certificates with, knows version 3 alone. What `openssl x509 -req` and the `pem` package of npm make
//! is of version 1, and devices do come with such.

use rustls::pki_types::SignatureVerificationAlgorithm;
use x509_parser::asn1_rs::{Any, Class, FromDer, Tag};

/// A certificate taken apart no further than its signature and its key. All of it is DER that stands in the certificate.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// What the issuer signed, tag and length included.
    pub signed: &'a [u8],
    /// Content of the `AlgorithmIdentifier` of the issuer's signature.
    pub signature_algorithm: &'a [u8],
    pub signature: &'a [u8],
    /// `SubjectPublicKeyInfo`, tag and length included.
    pub key_info: &'a [u8],
    /// Content of the `AlgorithmIdentifier` of the key.
    pub key_algorithm: &'a [u8],
    pub key: &'a [u8],
}

impl<'a> Parts<'a> {
    /// `None` when the bytes have not the shape of a certificate. What stands in the other parts is not looked at.
    #[must_use]
    pub fn of(der: &'a [u8]) -> Option<Self> {
        let mut rest = der;
        let (_, mut certificate) = sequence(&mut rest)?;
        if !rest.is_empty() {
            return None;
        }
        let (signed, mut body) = sequence(&mut certificate)?;
        let (_, signature_algorithm) = sequence(&mut certificate)?;
        let signature = bits(&mut certificate)?;
        let (_, mut next) = element(&mut body)?;
        if next.class() == Class::ContextSpecific {
            // The version; where there is none it is 1.
            next = element(&mut body)?.1;
        }
        if next.tag() != Tag::Integer {
            return None;
        }
        for _algorithm_issuer_validity_subject in 0..4 {
            sequence(&mut body)?;
        }
        let (key_info, mut key_parts) = sequence(&mut body)?;
        let (_, key_algorithm) = sequence(&mut key_parts)?;
        let key = bits(&mut key_parts)?;
        Some(Self { signed, signature_algorithm, signature, key_info, key_algorithm, key })
    }

    /// Whether this certificate's key made `signature` over `message`, by one of these algorithms.
    #[must_use]
    pub fn has_signed(
        &self,
        message: &[u8],
        signature: &[u8],
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> bool {
        algorithms
            .iter()
            .filter(|algorithm| algorithm.public_key_alg_id().as_ref() == self.key_algorithm)
            .any(|algorithm| algorithm.verify_signature(self.key, message, signature).is_ok())
    }

    /// Whether the key of `issuer` made this certificate's signature, by one of these algorithms.
    #[must_use]
    pub fn is_signed_by(&self, issuer: &Parts<'_>, algorithms: &[&'static dyn SignatureVerificationAlgorithm]) -> bool {
        let named: Vec<&dyn SignatureVerificationAlgorithm> = algorithms
            .iter()
            .filter(|algorithm| algorithm.signature_alg_id().as_ref() == self.signature_algorithm)
            .map(|algorithm| *algorithm as &dyn SignatureVerificationAlgorithm)
            .collect();
        issuer.has_signed(self.signed, self.signature, &named)
    }
}

/// The next element, whole and taken apart.
fn element<'a>(input: &mut &'a [u8]) -> Option<(&'a [u8], Any<'a>)> {
    let (rest, element) = Any::from_der(input).ok()?;
    let whole = &input[..input.len() - rest.len()];
    *input = rest;
    Some((whole, element))
}

/// The next element, which must be a sequence: whole, and its content.
fn sequence<'a>(input: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (whole, element) = element(input)?;
    (element.class() == Class::Universal && element.tag() == Tag::Sequence).then_some((whole, element.data))
}

/// The next element, which must be a string of whole bytes in bits.
fn bits<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (_, element) = element(input)?;
    match element.data.split_first() {
        Some((0, bytes)) if element.tag() == Tag::BitString => Some(bytes),
        _ => None,
    }
}
