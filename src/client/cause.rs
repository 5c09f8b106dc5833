//! Why no answer came, in words: what the layers below say, without their own names for it.

use std::error::Error;

/// Why a certificate is not believed.
pub(super) fn distrust(why: &rustls::CertificateError) -> String {
    use rustls::CertificateError as Why;
    match why {
        Why::UnknownIssuer => "no authority that this machine believes has signed its certificate".to_owned(),
        Why::Expired | Why::ExpiredContext { .. } => "its certificate has expired".to_owned(),
        Why::NotValidYet | Why::NotValidYetContext { .. } => {
            "its certificate is not valid yet, or this machine's clock is slow".to_owned()
        }
        Why::NotValidForName | Why::NotValidForNameContext { .. } => {
            "its certificate is for another name, so this may be another machine".to_owned()
        }
        Why::Revoked => "its certificate was revoked".to_owned(),
        other => other.to_string(),
    }
}

/// What the layers say of themselves: that a connection failed, which the sentence around it says already.
const WRAPPERS: [&str; 5] =
    ["client error (Connect)", "client error (SendRequest)", "tcp connect error", "connection error", "dns error"];

/// What the common ways to lose a connection are called here.
fn usual(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut found = None;
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            found = lost(io.kind()).or(found);
        } else if cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message) {
            found = Some("the connection ended before the answer");
        }
        if cause.to_string().starts_with("failed to lookup address information") {
            found = Some("its name cannot be looked up");
        }
        next = cause.source();
    }
    found
}

fn lost(kind: std::io::ErrorKind) -> Option<&'static str> {
    use std::io::ErrorKind as Kind;
    Some(match kind {
        Kind::ConnectionRefused => "the connection was refused",
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => "the connection was cut",
        Kind::UnexpectedEof => "the connection ended too early",
        Kind::TimedOut => "no answer in time",
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown => "there is no way to it from here",
        _ => return None,
    })
}

/// A text of a library or the system without its number and without pages to read.
pub(super) fn plain(text: &str) -> String {
    let text = text.split("https://").next().unwrap_or_default();
    let numbered = |text: &str| text.rsplit_once(" (os error ").map(|(words, _)| words.to_owned());
    let text = numbered(text).unwrap_or_else(|| text.to_owned());
    text.trim_end_matches([' ', ':', ',']).chars().filter(|c| !c.is_control()).take(300).collect()
}

/// What a person may be told: the innermost causes, without the URL and bounded.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    if let Some(words) = usual(error) {
        return words.to_owned();
    }
    let mut parts: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = plain(&cause.to_string());
        // Wrappers often repeat what they wrap.
        parts.retain(|part| !text.contains(part.as_str()));
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = cause.source();
    }
    if parts.iter().any(|part| !WRAPPERS.contains(&part.as_str())) {
        parts.retain(|part| !WRAPPERS.contains(&part.as_str()));
    }
    if parts.is_empty() {
        parts.push(plain(&error.to_string()));
    }
    parts.join(": ").chars().take(300).collect()
}
