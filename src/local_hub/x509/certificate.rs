//! One certificate, read: whose it is, how long it is valid, what it may sign. Of version 1 as well as 3.

use super::Unfit;
use crate::protocol::x509::Parts;
use ring::digest;
use rustls::crypto::WebPkiSupportedAlgorithms;
use std::fmt::Write;
use std::sync::OnceLock;
use x509_parser::asn1_rs::{Any, Tag};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Version;

pub struct Certificate<'a> {
    der: &'a [u8],
    read: X509Certificate<'a>,
    parts: Parts<'a>,
}

impl<'a> Certificate<'a> {
    /// `None` for anything that is not one whole certificate.
    pub fn read(der: &'a [u8]) -> Option<Self> {
        let (rest, read) = X509Certificate::from_der(der).ok()?;
        let parts = Parts::of(der)?;
        rest.is_empty().then_some(Self { der, read, parts })
    }

    /// From the first to the last second it names, both included.
    pub fn valid_at(&self, now_s: u64) -> Result<(), Unfit> {
        let now_s = i64::try_from(now_s).unwrap_or(i64::MAX);
        let validity = self.read.validity();
        if now_s < validity.not_before.timestamp() {
            Err(Unfit::NotYetValid)
        } else if now_s > validity.not_after.timestamp() {
            Err(Unfit::Expired)
        } else {
            Ok(())
        }
    }

    /// SHA-1 in 40 or SHA-256 in 64 hex digits, in any case.
    pub fn has_thumbprint(&self, thumbprint: &str) -> bool {
        let algorithm = match thumbprint.len() {
            40 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            64 => &digest::SHA256,
            _ => return false,
        };
        let digest = digest::digest(algorithm, self.der);
        let hex = digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            write!(hex, "{byte:02x}").ok();
            hex
        });
        hex.eq_ignore_ascii_case(thumbprint)
    }

    /// Every common name of the subject: whoever signs the certificate vouches for all of them.
    pub fn common_names(&self) -> impl Iterator<Item = String> {
        self.read.subject().iter_common_name().filter_map(|name| text(name.attr_value()))
    }

    /// The subject for people.
    pub fn subject(&self) -> String {
        self.read.subject().to_string().chars().filter(|c| !c.is_control()).take(200).collect()
    }

    /// Whether its key is this one (`SubjectPublicKeyInfo`, DER).
    pub fn has_key(&self, key_info: &[u8]) -> bool {
        self.parts.key_info == key_info
    }

    pub fn is_self_signed(&self) -> bool {
        self.is_issued_by(self)
    }

    /// Names fit, and the signature is right. Names are compared byte for byte: every tool copies them as they are.
    pub fn is_issued_by(&self, issuer: &Certificate<'_>) -> bool {
        self.read.issuer().as_raw() == issuer.read.subject().as_raw()
            && self.parts.is_signed_by(&issuer.parts, algorithms().all)
    }

    /// Whether it may sign others, with this many certificates between it and the device's. One of version 1 does not say;
    /// that is enough for one that a person named as an authority, if it signed itself, and for no other.
    pub fn may_sign(&self, between: usize) -> bool {
        if self.read.version() != X509Version::V3 {
            return false;
        }
        let Ok(Some(constraints)) = self.read.basic_constraints() else { return false };
        let depth = constraints.value.path_len_constraint;
        let signs = match self.read.key_usage() {
            Ok(usage) => usage.is_none_or(|usage| usage.value.key_cert_sign()),
            Err(_) => false,
        };
        let reaches = depth.is_none_or(|depth| usize::try_from(depth).is_ok_and(|depth| between <= depth));
        constraints.value.ca && signs && reaches
    }

    /// Version 1 or 2, which say nothing about what a certificate is for.
    pub fn is_silent(&self) -> bool {
        self.read.version() != X509Version::V3
    }
}

/// What rustls itself takes: no SHA-1, no RSA below 2048 bits.
fn algorithms() -> WebPkiSupportedAlgorithms {
    static ALGORITHMS: OnceLock<WebPkiSupportedAlgorithms> = OnceLock::new();
    *ALGORITHMS.get_or_init(|| rustls::crypto::ring::default_provider().signature_verification_algorithms)
}

/// A directory string; `None` when it is of no type known or holds what its type does not allow.
fn text(value: &Any<'_>) -> Option<String> {
    match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::VisibleString | Tag::NumericString => {
            String::from_utf8(value.data.to_vec()).ok()
        }
        // By the standard T.61; everybody writes Latin-1.
        Tag::TeletexString => Some(value.data.iter().copied().map(char::from).collect()),
        Tag::BmpString => {
            let (units, rest) = value.data.as_chunks::<2>();
            let units = units.iter().map(|unit| u16::from_be_bytes(*unit));
            char::decode_utf16(units).collect::<Result<_, _>>().ok().filter(|_| rest.is_empty())
        }
        Tag::UniversalString => {
            let (units, rest) = value.data.as_chunks::<4>();
            let units = units.iter().map(|unit| char::from_u32(u32::from_be_bytes(*unit)));
            units.collect::<Option<_>>().filter(|_| rest.is_empty())
        }
        _ => None,
    }
}
