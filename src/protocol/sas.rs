//! Shared access signatures: `SharedAccessSignature sr={resource}&sig={signature}&se={expiry}[&skn={policy}]`, signed and
//! verified.
//!
//! The signature is HMAC-SHA256 over `sr` and `se` **as they stand in the token**, joined by a line break: clients encode
//! `sr` in upper-case hex, lower-case hex or not at all, so a verifier must keep the raw text.

use super::connection_string::split_port;
use super::percent;
use super::secret::Secret;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::fmt;

const SCHEME: &str = "SharedAccessSignature";

/// Standard base64 that reads keys whose padding got lost in a double click.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bytes of a shared key; `None` when it is not base64.
#[must_use]
pub fn key_bytes(key: &Secret) -> Option<Vec<u8>> {
    BASE64.decode(key.reveal()).ok()
}

/// The HMAC state over what was signed.
fn mac(key: &[u8], raw_resource: &str, raw_expiry: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(raw_resource.as_bytes());
    mac.update(b"\n");
    mac.update(raw_expiry.as_bytes());
    Some(mac)
}

/// A token taken apart, nothing verified yet. `Debug` hides the signature: with it the token could be put together again.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// `sr` to the letter: what was signed.
    pub raw_resource: String,
    /// `sr` decoded.
    pub resource: String,
    /// The signature, base64-decoded.
    pub signature: Vec<u8>,
    /// `se` to the letter: what was signed.
    pub raw_expiry: String,
    /// Seconds since 1970; saturates on absurd values.
    pub expiry: u64,
    /// `skn`; `None` when absent or empty.
    pub policy: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SasError {
    #[error("not a shared access signature")]
    NotAToken,
    #[error("the {0} field is missing or malformed")]
    Field(&'static str),
    #[error("the key is not base64")]
    Key,
}

/// The resource URI of the hub (`None`) or of a device or module, unencoded: `host/devices/d/modules/m`.
#[must_use]
pub fn resource(host: &str, id: Option<&crate::twin::TwinId>) -> String {
    let mut uri = host.to_owned();
    if let Some(id) = id {
        uri.push_str("/devices/");
        uri.push_str(&id.device);
        if let Some(module) = &id.module {
            uri.push_str("/modules/");
            uri.push_str(module);
        }
    }
    uri
}

/// Mints a token: `SharedAccessSignature sr=…&sig=…&se=…[&skn=…]`, `%2F` in upper case. `expiry` is seconds since 1970.
///
/// # Errors
/// When the key is not base64.
pub fn sign(resource: &str, key: &Secret, expiry: u64, policy: Option<&str>) -> Result<Secret, SasError> {
    let raw_resource = percent::encode(resource);
    let raw_expiry = expiry.to_string();
    let key = key_bytes(key).ok_or(SasError::Key)?;
    let mac = mac(&key, &raw_resource, &raw_expiry).ok_or(SasError::Key)?;
    let signature = percent::encode(&BASE64.encode(mac.finalize().into_bytes()));
    let mut token = format!("{SCHEME} sr={raw_resource}&sig={signature}&se={raw_expiry}");
    if let Some(policy) = policy {
        token.push_str("&skn=");
        token.push_str(&percent::encode(policy));
    }
    Ok(Secret::new(token))
}

/// Takes a token apart: fields in any order, `+` in an encoded signature is a plus.
///
/// # Errors
/// When it is no token, or lacks `sr`, `sig` or `se`.
pub fn parse(token: &str) -> Result<Token, SasError> {
    let (scheme, fields) = token.trim().split_once(' ').ok_or(SasError::NotAToken)?;
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return Err(SasError::NotAToken);
    }
    let (mut sr, mut sig, mut se, mut skn) = (None, None, None, None);
    for field in fields.trim_start().split('&') {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        let (slot, name) = match name {
            "sr" => (&mut sr, "sr"),
            "sig" => (&mut sig, "sig"),
            "se" => (&mut se, "se"),
            "skn" => (&mut skn, "skn"),
            _ => continue,
        };
        // Two values for one field: what was signed and what is checked could differ.
        if slot.replace(value).is_some() {
            return Err(SasError::Field(name));
        }
    }
    let raw_resource = sr.filter(|text| !text.is_empty()).ok_or(SasError::Field("sr"))?;
    let signature = sig
        .and_then(percent::decode_exact)
        .and_then(|text| BASE64.decode(text).ok())
        .filter(|bytes| !bytes.is_empty())
        .ok_or(SasError::Field("sig"))?;
    let raw_expiry = se
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .ok_or(SasError::Field("se"))?;
    let policy = match skn {
        None | Some("") => None,
        Some(text) => Some(percent::decode_exact(text).ok_or(SasError::Field("skn"))?),
    };
    Ok(Token {
        raw_resource: raw_resource.to_owned(),
        resource: percent::decode_exact(raw_resource).ok_or(SasError::Field("sr"))?,
        signature,
        raw_expiry: raw_expiry.to_owned(),
        // Digits only, so the one thing that can go wrong is that there are too many of them.
        expiry: raw_expiry.parse().unwrap_or(u64::MAX),
        policy,
    })
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("raw_resource", &self.raw_resource)
            .field("raw_expiry", &self.raw_expiry)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl Token {
    /// Whether this key made the signature (constant time). A key that is not base64 made none.
    #[must_use]
    pub fn is_signed_by(&self, key: &Secret) -> bool {
        key_bytes(key)
            .and_then(|key| mac(&key, &self.raw_resource, &self.raw_expiry))
            .is_some_and(|mac| mac.verify_slice(&self.signature).is_ok())
    }

    /// Whether the token's resource is a whole-segment prefix of `uri`, or (tools that append to the device URI) the other way round when
    /// the leading segments agree and the longer tail starts with `api-version=`. Host in any case, with or without port; ids case-sensitive.
    #[must_use]
    pub fn covers(&self, uri: &str) -> bool {
        let token: Vec<&str> = self.resource.trim_matches('/').split('/').collect();
        let uri: Vec<&str> = uri.trim_matches('/').split('/').collect();
        let shared = token.len().min(uri.len());
        if !(0..shared).all(|index| same_segment(index, token[index], uri[index])) {
            return false;
        }
        // `host/devices/d` and `host/devices/d/modules/m` only: after any other URI an id could stand in the tail's place.
        let names_identity = matches!(uri.len(), 3 | 5);
        token.len() <= uri.len() || (names_identity && token[uri.len()].starts_with("api-version="))
    }
}

/// Segments of `host/devices/d/modules/m`: the host in any case and without its port, the words in any case, ids to the letter.
fn same_segment(index: usize, a: &str, b: &str) -> bool {
    match index {
        0 => split_port(a).0.eq_ignore_ascii_case(split_port(b).0),
        1 | 3 => a.eq_ignore_ascii_case(b),
        _ => a == b,
    }
}
