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
const WRAPPERS: [&str; 3] = ["client error (Connect)", "client error (SendRequest)", "tcp connect error"];

/// What a person may be told: the innermost causes, without the URL and bounded.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
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
        parts.push(error.to_string());
    }
    parts.join(": ").chars().filter(|c| !c.is_control()).take(300).collect()
}
