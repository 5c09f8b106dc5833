//! `twinscope token`: a SAS token from a connection string, for curl and other tools that can make none themselves.
//!
//! The string comes from the environment or by stdin, never as an argument: arguments can be read by everybody on the machine.

use crate::args::{CONNECTION_STRING_VARIABLE, TokenArgs};
use crate::protocol::connection_string::paste::PasteError;
use crate::protocol::connection_string::{ConnectionString, Proof, Who};
use crate::protocol::sas::{self, SasError};
use crate::protocol::secret::Secret;
use std::io::{IsTerminal, Read, Write};
use std::time::{SystemTime, UNIX_EPOCH};

/// Bytes of stdin that are read: more than any connection string has.
const STDIN_MAX: u64 = 64 * 1024;

/// Why there is no token; the text says what to do instead.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error(
        "no connection string is taken behind the command, where everybody on the machine can read it: set \
         {CONNECTION_STRING_VARIABLE}, or write it to stdin"
    )]
    Argument,
    #[error("no connection string: set {CONNECTION_STRING_VARIABLE}, or write it to stdin")]
    NoString,
    #[error(
        "the connection string in {source_name} cannot be read: {error}. It looks like \
         'HostName=…;SharedAccessKeyName=…;SharedAccessKey=…', and in a shell it wants the quotes"
    )]
    Unreadable { source_name: &'static str, error: PasteError },
    #[error("{source_name} is not UTF-8: write the connection string there as it was given")]
    NotText { source_name: &'static str },
    #[error("stdin cannot be read: {0}; set {CONNECTION_STRING_VARIABLE} instead")]
    Stdin(std::io::Error),
    #[error("stdin has more than a connection string in it: write that alone")]
    TooLong,
    #[error(
        "the connection string has a token in it already, and no key to make another: use that one, or a string with SharedAccessKey=…"
    )]
    ReadyToken,
    #[error("who proves itself by certificate (x509=true) has no tokens: show the certificate in TLS instead")]
    Certificate,
    #[error("--resource is a path and begins behind the host, such as devices/myFirstDevice: leave the rest out")]
    NoPath,
    #[error(transparent)]
    Sign(#[from] SasError),
    #[error("cannot print to stdout: {0}")]
    Print(std::io::Error),
}

/// Reads the connection string, prints the token.
///
/// # Errors
/// See [`TokenError`].
pub fn run(args: &TokenArgs) -> Result<(), TokenError> {
    if !args.argument.is_empty() {
        return Err(TokenError::Argument);
    }
    let connection = given()?;
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let expiry = now_s.saturating_add(args.lifetime.as_secs());
    let token = mint(&connection, args.resource.as_deref(), expiry)?;
    let mut out = std::io::stdout().lock();
    // Printing it is what was asked for.
    writeln!(out, "{}", token.reveal()).and_then(|()| out.flush()).map_err(TokenError::Print)
}

/// A token good until `expiry`, in seconds since 1970. `resource` is a path behind the host; `None` stands for all of the hub
/// with the string of a policy, else for the device or module.
///
/// # Errors
/// When the string has no key, or the path is none.
pub fn mint(connection: &ConnectionString, resource: Option<&str>, expiry: u64) -> Result<Secret, TokenError> {
    let (id, policy, proof) = match &connection.who {
        Who::Service { policy, proof } => (None, Some(policy.as_str()), proof),
        Who::Identity { id, proof } => (Some(id), None, proof),
    };
    let key = match proof {
        Proof::Key(key) => key,
        Proof::Token(_) => return Err(TokenError::ReadyToken),
        Proof::X509 => return Err(TokenError::Certificate),
    };
    let host = connection.host();
    let resource = match resource.map(|path| path.trim_matches('/')) {
        None | Some("") => sas::resource(host, id),
        Some(path) => {
            let first = path.split('/').next().unwrap_or_default();
            let has_host = [host, &connection.host_name].iter().any(|host| first.eq_ignore_ascii_case(host));
            if has_host || path.contains("://") || path.contains('?') {
                return Err(TokenError::NoPath);
            }
            format!("{host}/{path}")
        }
    };
    Ok(sas::sign(&resource, key, expiry, policy)?)
}

/// From the environment, else from stdin where that is no person at a terminal.
fn given() -> Result<ConnectionString, TokenError> {
    let variable = match std::env::var(CONNECTION_STRING_VARIABLE) {
        Ok(text) => text,
        Err(std::env::VarError::NotPresent) => String::new(),
        Err(std::env::VarError::NotUnicode(_)) => {
            return Err(TokenError::NotText { source_name: CONNECTION_STRING_VARIABLE });
        }
    };
    if !variable.trim().is_empty() {
        return read(&variable, CONNECTION_STRING_VARIABLE);
    }
    let stdin = std::io::stdin().lock();
    if stdin.is_terminal() {
        return Err(TokenError::NoString);
    }
    let mut bytes = Vec::new();
    let length = stdin.take(STDIN_MAX + 1).read_to_end(&mut bytes).map_err(TokenError::Stdin)?;
    if length as u64 > STDIN_MAX {
        return Err(TokenError::TooLong);
    }
    // The error would carry the bytes, which may hold a key.
    let Ok(text) = std::str::from_utf8(&bytes) else { return Err(TokenError::NotText { source_name: "stdin" }) };
    if text.trim().is_empty() { Err(TokenError::NoString) } else { read(text, "stdin") }
}

fn read(text: &str, source_name: &'static str) -> Result<ConnectionString, TokenError> {
    let read = ConnectionString::read(text).map_err(|error| TokenError::Unreadable { source_name, error })?;
    Ok(read.connection)
}
