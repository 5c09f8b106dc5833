//! What a query brings along from a mail, a chat or a web page and is no part of the language.

use std::borrow::Cow;

/// The text as it was meant: outside of texts and names, byte order marks, zero-width and direction characters go, the spaces of
/// typesetting become plain ones, a typographic minus becomes `-`, and so do typographic quotes become straight ones. What stands
/// between quotes or in `[[ ]]` stays to the letter. A `;` at the end goes.
#[must_use]
pub fn heal(text: &str) -> Cow<'_, str> {
    let suspicious = !text.is_ascii() || text.trim_end().ends_with(';');
    if !suspicious {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut inside = Inside::Nothing;
    let mut escaped = false;
    // Where the text is plain to its end, from here on.
    let mut plain_from = 0;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let here = rest;
        rest = &rest[c.len_utf8()..];
        let was_escaped = std::mem::take(&mut escaped);
        inside = match inside {
            Inside::Nothing => outside(c, here, &mut out),
            Inside::Name => {
                out.push(c);
                if out.ends_with("]]") { Inside::Nothing } else { inside }
            }
            Inside::Text { quote, ending } => {
                let ends = !was_escaped && (c == quote || (ending == Ending::Alike && straight(c) == Some(quote)));
                escaped = c == '\\' && !was_escaped;
                out.push(if ends { quote } else { c });
                if ends { Inside::Nothing } else { inside }
            }
        };
        if inside != Inside::Nothing || !out.ends_with([';', ' ', '\t', '\r', '\n']) {
            plain_from = out.len();
        }
    }
    if inside == Inside::Nothing && out[plain_from..].contains(';') {
        out.truncate(plain_from);
    }
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Nothing,
    /// Between `[[` and `]]`.
    Name,
    Text {
        quote: char,
        ending: Ending,
    },
}

/// What ends a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The quote it began with.
    Same,
    /// Any quote of the kind, straight or typographic.
    Alike,
}

/// A character outside of texts and names, at the start of `here`; says what follows it.
fn outside(c: char, here: &str, out: &mut String) -> Inside {
    if let Some(quote) = straight(c) {
        out.push(quote);
        // A straight quote whose fellow was made typographic.
        let closed = c == quote && here[c.len_utf8()..].contains(quote);
        return Inside::Text { quote, ending: if closed { Ending::Same } else { Ending::Alike } };
    }
    match c {
        '\u{2212}' | '\u{2010}'..='\u{2014}' | '\u{ff0d}' => out.push('-'),
        '\u{ff1b}' => out.push(';'),
        c if is_nothing(c) => {}
        c if c.is_whitespace() && !c.is_ascii() => out.push(' '),
        c => out.push(c),
    }
    if here.starts_with('[') && out.ends_with("[[") { Inside::Name } else { Inside::Nothing }
}

/// The straight quote that a quote stands for.
fn straight(c: char) -> Option<char> {
    match c {
        '\'' | '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{2035}' | '\u{2039}' | '\u{203a}' | '\u{ff07}' | '\u{b4}' => {
            Some('\'')
        }
        '"' | '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{ff02}' | '\u{ab}' | '\u{bb}' => Some('"'),
        _ => None,
    }
}

/// Characters that are not seen.
fn is_nothing(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}
