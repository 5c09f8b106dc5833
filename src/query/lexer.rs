//! Words, numbers, texts and signs of a query, each with its place; and how a text is written as a literal.

use super::QueryError;
use std::ops::Range;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A keyword, a function or a name: which, only the parser knows.
    Word,
    /// Decimal digits, with fraction and exponent if any, or `0x` and hexadecimal ones; never a sign.
    Number,
    /// A name in `[[ ]]`: it may be a reserved word or hold any character.
    Name(String),
    /// A text, without its quotes and escapes.
    Text(String),
    Sign(&'static str),
    /// The end of the query, or the place from which it cannot be read.
    End,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Byte range in the query text.
    pub(super) span: Range<usize>,
}

/// Longest first, so that `<=` is not read as `<`.
const SIGNS: &[&str] =
    &["<=", ">=", "<>", "!=", "==", "&&", "||", "=", "<", ">", "+", "-", "*", "/", "%", "(", ")", "[", "]", ",", "."];

/// Splits the text up to its end or to the first place that cannot be read; the last token is always [`Kind::End`].
pub(super) fn lex(text: &str) -> (Vec<Token>, Option<QueryError>) {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else {
            tokens.push(Token { kind: Kind::End, span: at..at });
            return (tokens, None);
        };
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        match token(rest, first, at) {
            Ok((kind, length)) => {
                tokens.push(Token { kind, span: at..at + length });
                at += length;
            }
            Err(error) => {
                tokens.push(Token { kind: Kind::End, span: error.span.start..error.span.start });
                return (tokens, Some(error));
            }
        }
    }
}

/// One token at the start of `rest`, and its length in bytes.
fn token(rest: &str, first: char, at: usize) -> Result<(Kind, usize), QueryError> {
    if starts_word(first) {
        return Ok((Kind::Word, word_length(rest)));
    }
    if first.is_ascii_digit() {
        let length = number_length(rest);
        return match rest[length..].chars().next() {
            Some(c) if goes_on_word(c) => Err(QueryError {
                span: at..at + length + word_length(&rest[length..]),
                message: "a number cannot go on with a letter; a key that starts with a digit is written ['1a']".into(),
            }),
            _ => Ok((Kind::Number, length)),
        };
    }
    if matches!(first, '\'' | '"') {
        return quoted(rest, first, at);
    }
    if let Some(inner) = rest.strip_prefix("[[") {
        return name(rest, inner, at);
    }
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        return Ok((Kind::Sign(sign), sign.len()));
    }
    let message = match first {
        ';' => "a query does not end with `;`".to_owned(),
        _ => format!("`{}` has no place in a query", first.escape_debug()),
    };
    Err(QueryError { span: at..at + first.len_utf8(), message })
}

pub(super) fn starts_word(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '$')
}

pub(super) fn goes_on_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

fn word_length(text: &str) -> usize {
    text.find(|c| !goes_on_word(c)).unwrap_or(text.len())
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn number_length(text: &str) -> usize {
    if let Some(hexadecimal) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let count = hexadecimal.bytes().take_while(u8::is_ascii_hexdigit).count();
        return if count > 0 { 2 + count } else { 1 };
    }
    let mut length = digits(text);
    if let Some(fraction) = text[length..].strip_prefix('.') {
        let count = digits(fraction);
        length += if count > 0 { 1 + count } else { 0 };
    }
    if let Some(exponent) = text[length..].strip_prefix(['e', 'E']) {
        let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let count = digits(unsigned);
        length += if count > 0 { 1 + exponent.len() - unsigned.len() + count } else { 0 };
    }
    length
}

/// A name between `[[` and the next `]]`; `inner` is what follows the opening brackets.
fn name(rest: &str, inner: &str, at: usize) -> Result<(Kind, usize), QueryError> {
    let Some(length) = inner.find("]]") else {
        return Err(QueryError {
            span: at..at + rest.len(),
            message: "the name that starts here has no closing ]]".into(),
        });
    };
    let name = &inner[..length];
    if name.trim().is_empty() {
        return Err(QueryError { span: at..at + length + 4, message: "there is no name between [[ and ]]".into() });
    }
    Ok((Kind::Name(name.to_owned()), length + 4))
}

/// A text in `quote`s. Inside, a doubled quote is one quote, and a backslash escapes as in JSON.
fn quoted(rest: &str, quote: char, at: usize) -> Result<(Kind, usize), QueryError> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((offset, c)) = chars.next() {
        if c == quote {
            if chars.next_if(|(_, next)| *next == quote).is_none() {
                return Ok((Kind::Text(text), offset + 1));
            }
            text.push(quote);
        } else if c == '\\' {
            let Some((c, length)) = escape(&rest[offset..]) else {
                let end = rest[offset + 1..].chars().next().map_or(offset + 1, |next| offset + 1 + next.len_utf8());
                return Err(QueryError {
                    span: at + offset..at + end,
                    message: format!("unknown escape `{}`; a backslash is written `\\\\`", &rest[offset..end]),
                });
            };
            text.push(c);
            while chars.next_if(|(next, _)| *next < offset + length).is_some() {}
        } else {
            text.push(c);
        }
    }
    Err(QueryError { span: at..at + rest.len(), message: format!("the text that starts here has no closing {quote}") })
}

/// What an escape at the start of the text stands for, and its length in bytes.
fn escape(text: &str) -> Option<(char, usize)> {
    let c = match text.as_bytes().get(1)? {
        b'\'' => '\'',
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'u' => {
            let digits = text.get(2..6).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
            return Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, 6));
        }
        _ => return None,
    };
    Some((c, 2))
}

/// A text as a literal of the query language, quotes included, safe to put into any query. Ids may contain `'`; they are
/// then put in `"`, so that no id needs an escape.
#[must_use]
pub fn quote(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push(quote);
    for c in text.chars() {
        match c {
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            c if c.is_control() => {
                let escaped = format!("\\u{:04x}", u32::from(c));
                literal.push_str(&escaped);
            }
            c if c == quote => literal.extend(['\\', c]),
            c => literal.push(c),
        }
    }
    literal.push(quote);
    literal
}
