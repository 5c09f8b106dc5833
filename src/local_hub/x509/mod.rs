//! Client certificates: whether the one that came with a connection proves an identity.
//!
//! TLS lets every certificate through whose key the client has (`proof`); what it is worth is decided here, at CONNECT or at a
//! call, where a refusal has words. A refusal in TLS would leave some clients waiting for ever. `certificate` reads one;
//! `authorities` are the ones the hub was told to believe, and the way from a device's certificate to them.

mod authorities;
mod certificate;
pub mod proof;

pub use authorities::{Authorities, AuthorityError};
use certificate::Certificate;

use crate::protocol::identity::Authentication;
use crate::twin::{AuthKind, TwinId};
use std::fmt;
use std::sync::Arc;

/// What a client showed in TLS: its own certificate first, then those that lead to an authority, each DER. Empty when it
/// showed none. Cheap to clone.
#[derive(Clone, Default)]
pub struct ClientCertificates(Arc<[Vec<u8>]>);

impl ClientCertificates {
    #[must_use]
    pub fn new(chain: Vec<Vec<u8>>) -> Self {
        Self(chain.into())
    }

    /// Those of a connection whose handshake is done, resumed ones included. rustls takes no more than 64 KB of them.
    #[must_use]
    pub fn of(connection: &rustls::ServerConnection) -> Self {
        let chain = connection.peer_certificates().unwrap_or_default();
        Self(chain.iter().map(|certificate| certificate.to_vec()).collect())
    }
}

impl fmt::Debug for ClientCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} certificates", self.0.len())
    }
}

/// Why a certificate does not prove an identity; for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("neither a token nor a client certificate was given")]
    Missing,
    #[error("a client certificate was given, but this identity proves itself with a key")]
    NotAsked,
    #[error("the client certificate cannot be read")]
    Unreadable,
    #[error("the client certificate is not valid yet")]
    NotYetValid,
    #[error("the client certificate has expired")]
    Expired,
    #[error("the client certificate has neither of the identity's thumbprints")]
    Thumbprint,
    #[error("the client certificate is not made out to CN={wanted}")]
    Name { wanted: String },
    #[error("no authority is known that could have signed the client certificate: name one with --x509-ca")]
    NoAuthority,
    #[error("no known authority signed the client certificate, or not with valid certificates in between")]
    Untrusted,
}

/// Whether a CA of the hub's own is as it was made: signed by itself, for this public key (DER), and valid at this second since
/// 1970.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn check_own_authority(der: &[u8], public_key: &[u8], now_s: u64) -> Result<(), String> {
    let own = Certificate::read(der).ok_or("its certificate cannot be read")?;
    if !own.has_key(public_key) {
        return Err("its key and its certificate do not belong together".to_owned());
    }
    if !own.is_self_signed() {
        return Err("its certificate is altered".to_owned());
    }
    own.valid_at(now_s).map_err(|_unfit| "its certificate has expired".to_owned())
}

/// Whether these certificates prove the identity, at this second since 1970.
///
/// `selfSigned`: one of the two thumbprints, and not expired. That is all the real hub looks at for a device (Azure/iotedge
/// #621 says so), so the name in it is free; `certificateAuthority`: signed by a known authority and made out to the device id.
/// A module's certificate is made out to `deviceid/moduleid` in either case, as Microsoft's articles about modules demand.
///
/// What a certificate may be used for (extended key usage) is not looked at: those made by the articles' commands say nothing,
/// or name servers.
///
/// # Errors
/// The first thing that does not fit.
pub fn check(
    certificates: &ClientCertificates,
    id: &TwinId,
    authentication: &Authentication,
    authorities: &Authorities,
    now_s: u64,
) -> Result<(), Unfit> {
    let (own, others) = certificates.0.split_first().ok_or(Unfit::Missing)?;
    if matches!(authentication.kind, AuthKind::Sas | AuthKind::None) {
        return Err(Unfit::NotAsked);
    }
    let own = Certificate::read(own).ok_or(Unfit::Unreadable)?;
    own.valid_at(now_s)?;
    let by_thumbprint = authentication.kind == AuthKind::SelfSigned;
    if by_thumbprint {
        let thumbprints = [&authentication.primary_thumbprint, &authentication.secondary_thumbprint];
        if !thumbprints.into_iter().flatten().any(|thumbprint| own.has_thumbprint(thumbprint)) {
            return Err(Unfit::Thumbprint);
        }
    }
    let wanted = id.to_string();
    if (!by_thumbprint || id.module.is_some()) && !own.common_names().any(|name| name == wanted) {
        return Err(Unfit::Name { wanted });
    }
    if by_thumbprint { Ok(()) } else { authorities.vouch_for(&own, others, now_s) }
}
