//! Connection strings of every kind: of a hub's policy, a device or a module; with a key, a ready token or a certificate.
//!
//! | kind | shape |
//! | --- | --- |
//! | service | `HostName=…;SharedAccessKeyName=…;SharedAccessKey=…` (or `SharedAccessSignature=…`) |
//! | device, module | `HostName=…;DeviceId=…[;ModuleId=…];SharedAccessKey=…` (or `SharedAccessSignature=…`, or `x509=true`) |
//! | any, via a gateway | `…;GatewayHostName=…` |

pub mod paste;

use super::sas;
use super::secret::Secret;
use crate::twin::TwinId;

const HOST_NAME: &str = "HostName";
const POLICY: &str = "SharedAccessKeyName";
const KEY: &str = "SharedAccessKey";
const TOKEN: &str = "SharedAccessSignature";
const DEVICE_ID: &str = "DeviceId";
const MODULE_ID: &str = "ModuleId";
const GATEWAY: &str = "GatewayHostName";
const X509: &str = "x509";

/// Every part there is, in the order they are written.
const PARTS: [&str; 8] = [HOST_NAME, DEVICE_ID, MODULE_ID, POLICY, KEY, TOKEN, X509, GATEWAY];

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
    #[error("there is no {0}= part")]
    Missing(&'static str),
    #[error("{0} is empty")]
    EmptyPart(&'static str),
    #[error("{part} {problem}")]
    Bad { part: &'static str, problem: String },
    #[error("{0} and {1} exclude each other")]
    Conflict(&'static str, &'static str),
}

impl ConnectionString {
    /// Reads any form in the table above. Splits at `;`, then at the first `=` (keys are base64 and end with `=`). Tolerated:
    /// surrounding white space, line breaks from wrapped mail, one trailing `;`, names of parts in any case.
    ///
    /// # Errors
    /// The first part that is wrong, by name.
    pub fn parse(text: &str) -> Result<Self, ConnectionStringError> {
        Self::of(&Parts::split(text)?)
    }

    fn of(parts: &Parts) -> Result<Self, ConnectionStringError> {
        let host_name = parts.need(HOST_NAME)?.to_owned();
        check_host(HOST_NAME, &host_name)?;
        let gateway_host_name = parts.get(GATEWAY)?.map(str::to_owned);
        if let Some(gateway) = &gateway_host_name {
            check_host(GATEWAY, gateway)?;
        }
        let who = parts.who()?;
        Ok(Self { host_name, gateway_host_name, who })
    }

    /// The string again, secret included: for the clipboard and the keyring only. Reads back as the same value, except for an
    /// id with a `;` in it, which this format cannot carry.
    #[must_use]
    pub fn reveal(&self) -> Secret {
        let mut text = format!("{HOST_NAME}={}", self.host_name);
        let mut add = |name: &str, value: &str| {
            text.push(';');
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        };
        let proof = match &self.who {
            Who::Service { policy, proof } => {
                add(POLICY, policy);
                proof
            }
            Who::Identity { id, proof } => {
                add(DEVICE_ID, &id.device);
                if let Some(module) = &id.module {
                    add(MODULE_ID, module);
                }
                proof
            }
        };
        match proof {
            Proof::Key(key) => add(KEY, key.reveal()),
            Proof::Token(token) => add(TOKEN, token.reveal()),
            Proof::X509 => add(X509, "true"),
        }
        if let Some(gateway) = &self.gateway_host_name {
            add(GATEWAY, gateway);
        }
        Secret::new(text)
    }

    /// Host without the port, and without the brackets of an IPv6 address.
    #[must_use]
    pub fn host(&self) -> &str {
        split_port(&self.host_name).0
    }

    /// The port in `HostName`, if it carries one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        split_port(&self.host_name).1
    }
}

/// Splits `host:port`. `[::1]:8443` gives `::1`; a bare `::1` has no port; what follows the colon and is no port stays with
/// the host.
#[must_use]
pub fn split_port(host: &str) -> (&str, Option<u16>) {
    if let Some((address, rest)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (address, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') && is_digits(port) => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (host, None),
        },
        _ => (host, None),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The parts as given, nothing understood yet; at the index each name has in [`PARTS`].
struct Parts([Option<String>; PARTS.len()]);

impl Parts {
    fn split(text: &str) -> Result<Self, ConnectionStringError> {
        let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
        let text = text.trim();
        let text = text.strip_suffix(';').unwrap_or(text).trim_end();
        if text.is_empty() {
            return Err(ConnectionStringError::Empty);
        }
        let mut found: [Option<String>; PARTS.len()] = Default::default();
        for (position, part) in text.split(';').enumerate().map(|(index, part)| (index + 1, part)) {
            let (name, value) = part.split_once('=').ok_or(ConnectionStringError::NotAPair { position })?;
            let name = name.trim();
            let Some(index) = PARTS.iter().position(|known| known.eq_ignore_ascii_case(name)) else {
                return Err(unknown(name, position));
            };
            if found[index].replace(value.trim().to_owned()).is_some() {
                return Err(ConnectionStringError::Duplicate(PARTS[index]));
            }
        }
        Ok(Self(found))
    }

    /// A part that may be absent, but not empty.
    fn get(&self, name: &'static str) -> Result<Option<&str>, ConnectionStringError> {
        let value = PARTS.iter().position(|known| *known == name).and_then(|index| self.0[index].as_deref());
        match value {
            Some("") => Err(ConnectionStringError::EmptyPart(name)),
            value => Ok(value),
        }
    }

    fn need(&self, name: &'static str) -> Result<&str, ConnectionStringError> {
        self.get(name)?.ok_or(ConnectionStringError::Missing(name))
    }

    fn who(&self) -> Result<Who, ConnectionStringError> {
        let (device, module, policy) = (self.get(DEVICE_ID)?, self.get(MODULE_ID)?, self.get(POLICY)?);
        let proof = self.proof()?;
        match (device, module, policy) {
            (Some(_), _, Some(_)) => Err(ConnectionStringError::Conflict(DEVICE_ID, POLICY)),
            (Some(device), module, None) => {
                check_id(DEVICE_ID, device)?;
                if let Some(module) = module {
                    check_id(MODULE_ID, module)?;
                }
                let id = TwinId { device: device.to_owned(), module: module.map(str::to_owned) };
                Ok(Who::Identity { id, proof: proof.ok_or(ConnectionStringError::Missing(KEY))? })
            }
            (None, Some(_), _) => Err(ConnectionStringError::Missing(DEVICE_ID)),
            (None, None, Some(policy)) => match proof {
                Some(Proof::X509) => Err(ConnectionStringError::Conflict(POLICY, X509)),
                Some(proof) => Ok(Who::Service { policy: policy.to_owned(), proof }),
                None => Err(ConnectionStringError::Missing(KEY)),
            },
            (None, None, None) if proof == Some(Proof::X509) => Err(ConnectionStringError::Missing(DEVICE_ID)),
            (None, None, None) => Err(ConnectionStringError::Missing(POLICY)),
        }
    }

    fn proof(&self) -> Result<Option<Proof>, ConnectionStringError> {
        let x509 = match self.get(X509)? {
            None => false,
            Some(word) if word.eq_ignore_ascii_case("true") => true,
            Some(word) if word.eq_ignore_ascii_case("false") => false,
            Some(_) => return Err(bad(X509, "is neither true nor false")),
        };
        match (self.get(KEY)?, self.get(TOKEN)?, x509) {
            (Some(_), Some(_), _) => Err(ConnectionStringError::Conflict(KEY, TOKEN)),
            (Some(_), None, true) => Err(ConnectionStringError::Conflict(KEY, X509)),
            (None, Some(_), true) => Err(ConnectionStringError::Conflict(TOKEN, X509)),
            (Some(key), None, false) => {
                let key = Secret::new(key);
                if sas::key_bytes(&key).is_none_or(|bytes| bytes.is_empty()) {
                    return Err(bad(KEY, "is not base64"));
                }
                Ok(Some(Proof::Key(key)))
            }
            (None, Some(token), false) => match sas::parse(token) {
                Ok(_) => Ok(Some(Proof::Token(Secret::new(token)))),
                Err(error) => Err(bad(TOKEN, &format!("cannot be read: {error}"))),
            },
            (None, None, true) => Ok(Some(Proof::X509)),
            (None, None, false) => Ok(None),
        }
    }
}

fn bad(part: &'static str, problem: &str) -> ConnectionStringError {
    ConnectionStringError::Bad { part, problem: problem.to_owned() }
}

/// A name nobody knows is shown only when it looks like a name: whoever pastes a bare key has the key in front of its `=`.
/// The longest real name has 21 letters, the shortest legal key 22 characters.
fn unknown(name: &str, position: usize) -> ConnectionStringError {
    if !name.is_empty() && name.len() <= TOKEN.len() && name.chars().all(|c| c.is_ascii_alphanumeric()) {
        ConnectionStringError::UnknownPart(name.to_owned())
    } else {
        ConnectionStringError::NotAPair { position }
    }
}

fn check_host(part: &'static str, host: &str) -> Result<(), ConnectionStringError> {
    if host.contains("://") {
        return Err(bad(part, "is a host name, without https:// in front"));
    }
    if let Some(c) = host.chars().find(|c| !(c.is_ascii_alphanumeric() || "-._:[]".contains(*c))) {
        return Err(bad(part, &format!("has {c:?} in it, which no host name has")));
    }
    let (name, number) = split_port(host);
    if name.is_empty() || name.contains(['[', ']']) {
        return Err(bad(part, "has no host in it"));
    }
    let is_address = name.parse::<std::net::Ipv6Addr>().is_ok();
    let carries_port = if host.starts_with('[') { !host.ends_with(']') } else { host.contains(':') && !is_address };
    if number == Some(0) || (carries_port && number.is_none()) || (host.starts_with('[') && !is_address) {
        return Err(bad(part, "has a port that is no number from 1 to 65535"));
    }
    Ok(())
}

fn check_id(part: &'static str, id: &str) -> Result<(), ConnectionStringError> {
    TwinId::check(id).map_err(|problem| bad(part, &format!("is no id: {problem}")))
}
