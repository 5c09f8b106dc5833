//! The word a double click selects.

use super::visible;
use std::ops::Range;

#[derive(PartialEq, Eq, Clone, Copy)]
enum Kind {
    Word,
    Space,
    /// Stands alone.
    Sign,
}

fn kind(c: char) -> Kind {
    if c.is_whitespace() {
        Kind::Space
    } else if c.is_alphanumeric() || c == '_' || visible::is_mark(c) || matches!(c, '\u{200C}' | '\u{200D}') {
        Kind::Word
    } else {
        Kind::Sign
    }
}

/// The bytes of the word that the character at a byte belongs to, on its line: letters, digits and their marks, a number
/// with its decimal point, a run of spaces, or one sign. Empty behind the last character of a line.
#[must_use]
pub fn at(text: &str, byte: usize) -> Range<usize> {
    let Some(c) = text.get(byte..).and_then(|rest| rest.chars().next()).filter(|c| *c != '\n') else {
        return byte..byte;
    };
    let line = text[..byte].rfind('\n').map_or(0, |found| found + 1);
    let end = text[byte..].find('\n').map_or(text.len(), |found| byte + found);
    let kind_at = |at: usize, c: char| {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let point = c == '.' && digit(text[..at].chars().next_back()) && digit(text[at + 1..end].chars().next());
        if point { Kind::Word } else { kind(c) }
    };
    let wanted = kind_at(byte, c);
    if wanted == Kind::Sign {
        return byte..byte + c.len_utf8();
    }
    let before = text[line..byte].char_indices().rev().take_while(|(at, c)| kind_at(line + at, *c) == wanted).last();
    let behind = text[byte..end].char_indices().find(|(at, c)| kind_at(byte + at, *c) != wanted);
    before.map_or(byte, |(at, _)| line + at)..behind.map_or(end, |(at, _)| byte + at)
}
