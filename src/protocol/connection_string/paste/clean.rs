//! Undoes what stands for another character or for none: escapes, entities, invisible characters, signs of continuation.

use super::{Healing, is_base64};
use crate::protocol::percent;
use base64::Engine as _;

/// Escapes within escapes are undone so often: JSON in a string of JSON.
const ROUNDS: usize = 3;

/// The characters that count, and what was undone.
pub(super) fn clean(text: &str) -> (Vec<char>, Vec<Healing>) {
    let mut healed = Vec::new();
    let mut text = text.replace("\r\n", "\n").replace('\r', "\n");
    if is_quoted_printable(&text) {
        text = text.replace("=\n", "").replace("=3D", "=").replace("=3d", "=");
        healed.push(Healing::Escapes);
    }
    for _ in 0..ROUNDS {
        let next = unescape(&text);
        if next == text {
            break;
        }
        healed.push(Healing::Escapes);
        text = next;
    }
    let mut chars: Vec<char> = Vec::with_capacity(text.len());
    let mut line_start = true;
    for c in text.chars() {
        if is_invisible(c) {
            healed.push(Healing::Invisible);
            continue;
        }
        // A reply quotes each line with it, and no part has it.
        if line_start && c == '>' {
            continue;
        }
        let sign = c;
        let c = plain(c);
        healed.extend((c != sign && c != '\n').then_some(Healing::Escapes));
        line_start = c == '\n' || line_start && c.is_whitespace();
        // Signs that a line goes on in the next one, of PowerShell and of cmd.
        if c == '\n' && matches!(chars.last(), Some('`' | '^')) {
            chars.pop();
        }
        chars.push(c);
    }
    (chars, healed)
}

/// A text that carries another one: as percent-encoding, or as base64 as a whole.
pub(super) fn unwrapped(cleaned: &[char]) -> Option<String> {
    let text: String = cleaned.iter().filter(|c| !c.is_whitespace()).collect();
    let is_it = |text: &str| text.to_ascii_lowercase().contains("hostname=");
    if text.to_ascii_lowercase().contains("hostname%3d") {
        return percent::decode_exact(&text).filter(|inner| is_it(inner));
    }
    let word = text.trim_matches(is_quote);
    let word = word.rsplit_once(':').map_or(word, |(_, value)| value.trim_matches(is_quote));
    if word.is_empty() || !word.chars().all(is_base64) {
        return None;
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(word).ok()?;
    String::from_utf8(bytes).ok().filter(|inner| is_it(inner))
}

/// Mail in which every `=` is written `=3D` and long lines end with one.
fn is_quoted_printable(text: &str) -> bool {
    let squeezed: String = text.split_whitespace().collect::<String>().to_ascii_lowercase();
    squeezed.contains("hostname=3d") && squeezed.contains("key=3d")
}

/// Escapes of JSON and of programming languages, and entities of HTML. No part of a connection string has a backslash, and none
/// an `&` that a name and a `;` follow.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (undone, length) = if rest.starts_with('\\') { backslash(rest) } else { entity(rest).unwrap_or(('&', 1)) };
        // A backslash at the end of a line says that it goes on.
        if undone != '\\' {
            out.push(undone);
        }
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

/// The character that an escape at the start of a text stands for, and how many bytes it takes. Alone it stands for none.
fn backslash(text: &str) -> (char, usize) {
    let code = |digits: usize| {
        let hex = text.get(2..2 + digits)?;
        let code = u32::from_str_radix(hex, 16).ok()?;
        Some((char::from_u32(code)?, 2 + digits))
    };
    match text[1..].chars().next() {
        Some('u') => code(4).unwrap_or(('\\', 1)),
        Some('x') => code(2).unwrap_or(('\\', 1)),
        Some('n' | 'r' | 't') => ('\n', 2),
        Some(c @ ('"' | '\'' | '/' | '`' | '=' | ';' | '&')) => (c, 2),
        _ => ('\\', 1),
    }
}

fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.get(..10.min(text.len())).or_else(|| text.get(..1))?.find(';')?;
    let name = &text[1..end];
    let c = match name {
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "equals" => '=',
        "semi" => ';',
        "nbsp" => ' ',
        "lt" => '<',
        "gt" => '>',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((c, end + 1))
}

/// Signs that keyboards of East Asia type for ours, and line separators.
fn plain(c: char) -> char {
    match c {
        '\u{FF1D}' => '=',
        '\u{FF1B}' => ';',
        '\u{2028}' | '\u{2029}' | '\u{85}' => '\n',
        other => other,
    }
}

/// Takes no room, or shows nothing: marks of byte order and direction, joiners, soft hyphens, control characters.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFD}' | '\u{E0000}'..='\u{E0FFF}')
        || c.is_control() && !c.is_whitespace()
}

/// Quotes of every kind.
pub(super) fn is_quote(c: char) -> bool {
    "\"'`´‘’‚‛“”„‟′″«»‹›「」『』＂＇".contains(c)
}

/// Whether the second quote ends what the first began.
pub(super) fn closes(open: char, c: char) -> bool {
    let straight = |c: char| "\"'`".contains(c);
    // Typographic ones are mixed up by every tool that makes them.
    is_quote(c) && if straight(open) || straight(c) { open == c } else { true }
}
