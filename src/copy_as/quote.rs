//! A text as a literal of each language, so that the language reads exactly that text again.

/// Whether a character shows nothing, or changes the direction of what stands beside it: control, format and separator
/// characters.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// For `sh` and its descendants: nothing in single quotes is special but the quote itself. A NUL cannot be written.
#[must_use]
pub fn sh(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// In single quotes, where JSON needs few escapes.
#[must_use]
pub fn python(text: &str) -> String {
    escaped(text, '\'', |c| match u32::from(c) {
        code @ 0..=0xff => format!("\\x{code:02x}"),
        code @ 0x100..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    })
}

/// In single quotes, where JSON needs few escapes.
#[must_use]
pub fn javascript(text: &str) -> String {
    escaped(text, '\'', |c| format!("\\u{{{:x}}}", u32::from(c)))
}

/// A raw literal where that can be read more easily (C# 11), else a regular one.
#[must_use]
pub fn csharp(text: &str) -> String {
    let raw = text.contains(['"', '\\']) && !text.starts_with('"') && !text.ends_with('"');
    if raw && !text.contains(is_unseen) {
        let quotes = "\"".repeat((longest_run(text, '"') + 1).max(3));
        return format!("{quotes}{text}{quotes}");
    }
    escaped(text, '"', |c| match u32::from(c) {
        code @ 0..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    })
}

/// A raw literal where that can be read more easily, else one with escapes.
#[must_use]
pub fn rust(text: &str) -> String {
    if text.contains(['"', '\\']) && !text.contains(is_unseen) {
        let hashes = "#".repeat(longest_run(text, '#') + 1);
        return format!("r{hashes}\"{text}\"{hashes}");
    }
    escaped(text, '"', |c| format!("\\u{{{:x}}}", u32::from(c)))
}

/// The most of these characters that stand in a row.
fn longest_run(text: &str, counted: char) -> usize {
    text.split(|c| c != counted).map(str::len).max().unwrap_or(0)
}

fn escaped(text: &str, quote: char, unseen: impl Fn(char) -> String) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push(quote);
    for c in text.chars() {
        match c {
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '\\' => literal.push_str("\\\\"),
            c if c == quote => {
                literal.push('\\');
                literal.push(c);
            }
            c if is_unseen(c) => literal.push_str(&unseen(c)),
            c => literal.push(c),
        }
    }
    literal.push(quote);
    literal
}
