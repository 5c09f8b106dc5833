//! What comes in with text copied from a mail, a chat or a web page and is no JSON: taken out before it is put in.

use std::borrow::Cow;

/// Where a text is put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Between values and keys.
    Outside,
    /// Between two quotes.
    InString,
}

/// The text with nothing outside of its strings that only looks like JSON: byte order marks and zero-width spaces go, the wide and
/// narrow spaces of typesetting become plain ones, and a string in typographic quotes gets straight ones. What stands inside a
/// string stays to the letter. A string ends at its line's end at the latest.
#[must_use]
pub fn cleaned(text: &str, place: Place) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let suspicious = |c: char| !c.is_ascii() || c == '\r';
    if place == Place::InString || !text.contains(suspicious) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut inside = Inside::Nothing;
    let mut escaped = false;
    for c in text.chars() {
        let was_escaped = std::mem::take(&mut escaped);
        match inside {
            _ if c == '\n' => {
                // A line break of Windows.
                if out.ends_with('\r') {
                    out.pop();
                }
                inside = Inside::Nothing;
                out.push(c);
            }
            Inside::Nothing => match c {
                '"' => {
                    inside = Inside::Straight;
                    out.push(c);
                }
                c if is_quote(c) => {
                    inside = Inside::Typographic;
                    out.push('"');
                }
                c if is_space(c) => out.push(' '),
                c if is_nothing(c) => {}
                c => out.push(c),
            },
            // An escaped quote was made typographic too.
            Inside::Typographic if is_quote(c) || c == '"' => {
                out.push('"');
                if !was_escaped {
                    inside = Inside::Nothing;
                }
            }
            Inside::Straight if c == '"' && !was_escaped => {
                inside = Inside::Nothing;
                out.push(c);
            }
            _ => {
                escaped = c == '\\' && !was_escaped;
                out.push(c);
            }
        }
    }
    Cow::Owned(out)
}

/// What a character stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Nothing,
    /// A string as JSON has it.
    Straight,
    /// A string between typographic quotes.
    Typographic,
}

fn is_quote(c: char) -> bool {
    matches!(c, '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{ff02}' | '\u{ab}' | '\u{bb}')
}

fn is_space(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

fn is_nothing(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{ad}')
}
