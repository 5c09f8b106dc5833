//! Checksums in what is kept: a flipped bit must not come back as a value. A JSON object gets one more member at its end,
//! `"sha256"`, over all the text before it, so that it stays JSON. What was written by an older program has none, and is read
//! as it is.

use super::file::digest;

const NAME: &str = "\"sha256\":\"";
const DIGITS: usize = 64;
/// So many hexadecimal digits in a row near the end are a checksum, or what is left of one.
const TRACE: usize = 24;

/// What is wrong with a text that carries a checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is damaged or was changed by another program: its checksum does not fit")]
pub struct Damaged;

/// The text of a JSON object with its checksum. Anything else stays as it is.
pub fn seal(text: &str) -> String {
    let Some(open) = text.trim_end().strip_suffix('}') else { return text.to_owned() };
    let open = open.trim_end();
    let comma = if open.ends_with('{') { "" } else { "," };
    let hash = digest(open.as_bytes());
    format!("{open}{comma}{NAME}{hash}\"}}")
}

/// The text without its checksum; as it is where it has none.
///
/// # Errors
/// When the checksum does not fit, or only a part of it is left.
pub fn unseal(bytes: &[u8]) -> Result<Vec<u8>, Damaged> {
    let text = bytes.trim_ascii_end();
    let Some((open, hash)) = taken_apart(text) else {
        return if has_trace(text) { Err(Damaged) } else { Ok(bytes.to_vec()) };
    };
    let open = open.strip_suffix(b",").unwrap_or(open);
    if digest(open).as_bytes() != hash {
        return Err(Damaged);
    }
    Ok([open, b"}"].concat())
}

/// What stands before the checksum, and the checksum.
fn taken_apart(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = text.strip_suffix(b"\"}")?;
    let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
    Some((rest.strip_suffix(NAME.as_bytes())?, hash))
}

fn has_trace(text: &[u8]) -> bool {
    let end = &text[text.len().saturating_sub(NAME.len() + DIGITS + 2)..];
    let mut run = 0;
    end.iter().any(|byte| {
        run = if byte.is_ascii_digit() || (b'a'..=b'f').contains(byte) { run + 1 } else { 0 };
        run >= TRACE
    })
}
