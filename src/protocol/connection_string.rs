//! Connection strings of every kind (protocol §1.1).

use super::secret::Secret;
use crate::twin::TwinId;

/// `Key=Value;Key=Value` understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionString {
    /// `HostName` as given, possibly with `:port`.
    pub host_name: String,
    /// Where a device or module dials instead; ignored on service strings.
    pub gateway_host_name: Option<String>,
    pub who: Who,
}

/// Whose string it is, and how they prove it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A shared access policy of the hub.
    Service { policy: String, proof: Proof },
    /// A device or module.
    Identity { id: TwinId, proof: Proof },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Base64 of the key.
    Key(Secret),
    /// A ready token, `SharedAccessSignature sr=…`.
    Token(Secret),
    /// `x509=true`: a client certificate given elsewhere.
    X509,
}

/// What is wrong with a connection string; names the part, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionStringError {
    #[error("the connection string is empty")]
    Empty,
    #[error("part {position} is not Key=Value")]
    NotAPair { position: usize },
    #[error("{0:?} is not a part of a connection string")]
    UnknownPart(String),
    #[error("{0} is given twice")]
    Duplicate(&'static str),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} is empty")]
    EmptyPart(&'static str),
    #[error("{part} {problem}")]
    Bad { part: &'static str, problem: String },
    #[error("{0} and {1} exclude each other")]
    Conflict(&'static str, &'static str),
}

impl ConnectionString {
    /// Reads any form of §1.1. Splits at `;`, then at the first `=`; surrounding white space, line breaks and one trailing `;` are tolerated.
    ///
    /// # Errors
    /// The first part that is wrong, by name.
    pub fn parse(text: &str) -> Result<Self, ConnectionStringError> {
        let _ = text;
        todo!()
    }

    /// The string again, secret included: for the clipboard and the keyring only.
    #[must_use]
    pub fn reveal(&self) -> Secret {
        todo!()
    }

    /// Host without the port.
    #[must_use]
    pub fn host(&self) -> &str {
        todo!()
    }

    /// The port in `HostName`, if it carries one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        todo!()
    }
}
