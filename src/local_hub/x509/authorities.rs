//! The authorities whose signature on a device's certificate counts, and the way from one to the other.

use super::Unfit;
use super::certificate::Certificate;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// An authority file is at most this long; a bundle of all public roots has about 250 KB.
const FILE_MAX: u64 = 1 << 20;
/// Certificates a client may send besides its own.
const OTHERS_MAX: usize = 8;
/// Certificates between a device's and the authority's.
const BETWEEN_MAX: usize = 6;
/// Steps tried on the way to an authority: certificates that name each other in circles must not keep the hub busy.
const STEPS_MAX: u32 = 16;

/// The certificates named with `--x509-ca`, each DER.
#[derive(Debug, Clone, Default)]
pub struct Authorities(Vec<Vec<u8>>);

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot use the authorities in {}: {problem}", path.display())]
pub struct AuthorityError {
    pub path: PathBuf,
    pub problem: String,
}

impl Authorities {
    /// Reads them from PEM files, as many in each as it holds.
    ///
    /// # Errors
    /// When a file cannot be read, holds no certificate, or holds one that is no authority.
    pub fn read(files: &[PathBuf]) -> Result<Self, AuthorityError> {
        let mut found = Vec::new();
        for path in files {
            let more = read_file(path).map_err(|problem| AuthorityError { path: path.clone(), problem })?;
            found.extend(more);
        }
        Ok(Self(found))
    }

    /// Whether one of them signed this certificate, directly or over others that the client sent. Everything on the way is
    /// valid now and may sign.
    ///
    /// # Errors
    /// When none did.
    pub(super) fn vouch_for(&self, own: &Certificate<'_>, others: &[Vec<u8>], now_s: u64) -> Result<(), Unfit> {
        if self.0.is_empty() {
            return Err(Unfit::NoAuthority);
        }
        let others: Vec<Certificate<'_>> = others
            .iter()
            .take(OTHERS_MAX)
            .filter_map(|der| Certificate::read(der))
            .filter(|certificate| certificate.valid_at(now_s).is_ok())
            .collect();
        let authorities: Vec<Certificate<'_>> = self
            .0
            .iter()
            .filter_map(|der| Certificate::read(der))
            .filter(|certificate| certificate.valid_at(now_s).is_ok())
            .collect();
        let mut search = Search { authorities: &authorities, others: &others, steps: STEPS_MAX };
        if search.reaches(own, 0) { Ok(()) } else { Err(Unfit::Untrusted) }
    }
}

/// The search for a way up.
struct Search<'a> {
    authorities: &'a [Certificate<'a>],
    others: &'a [Certificate<'a>],
    /// How many more may be tried.
    steps: u32,
}

impl Search<'_> {
    /// Whether a way leads from `child` to an authority; `between` certificates lie below its issuer.
    fn reaches(&mut self, child: &Certificate<'_>, between: usize) -> bool {
        let (authorities, others) = (self.authorities, self.others);
        if self.steps == 0 || between > BETWEEN_MAX {
            return false;
        }
        self.steps -= 1;
        let signed = authorities
            .iter()
            .any(|issuer| (issuer.is_silent() || issuer.may_sign(between)) && child.is_issued_by(issuer));
        signed
            || others.iter().any(|issuer| {
                issuer.may_sign(between) && child.is_issued_by(issuer) && self.reaches(issuer, between + 1)
            })
    }
}

fn read_file(path: &Path) -> Result<Vec<Vec<u8>>, String> {
    let mut text = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(FILE_MAX + 1).read_to_end(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > FILE_MAX {
        return Err(format!("the file is longer than {} MB", FILE_MAX >> 20));
    }
    let found = CertificateDer::pem_slice_iter(&text)
        .map(|certificate| certificate.map(|certificate| certificate.to_vec()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("the file is not PEM: {error}"))?;
    if found.is_empty() {
        return Err("the file holds no certificate in PEM form".to_owned());
    }
    for (number, der) in (1..).zip(&found) {
        let certificate = Certificate::read(der).ok_or_else(|| format!("certificate {number} in it cannot be read"))?;
        if !(certificate.may_sign(0) || certificate.is_silent() && certificate.is_self_signed()) {
            let subject = certificate.subject();
            return Err(format!("certificate {number} in it ({subject}) is no CA: it does not say that it may sign"));
        }
    }
    Ok(found)
}
