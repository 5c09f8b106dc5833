//! Colours for JSON text, also while it is broken. A string ends at its line's end at the latest, so every line can be
//! coloured by itself.

use super::theme::{self, Palette};
use egui::text::{LayoutJob, TextFormat};
use egui::{Color32, FontId};

/// The text with its colours, not wrapped.
pub fn job(text: &str, font: &FontId, p: &Palette) -> LayoutJob {
    let mut job = LayoutJob { keep_trailing_whitespace: true, ..LayoutJob::default() };
    job.wrap.max_width = f32::INFINITY;
    let format = |color: Color32| TextFormat {
        font_id: font.clone(),
        color,
        line_height: Some(theme::LINE),
        ..TextFormat::default()
    };
    // Neighbours of one colour become one section: fewer sections, cheaper layout.
    let mut start = 0;
    let mut current = p.text;
    let mut at = 0;
    while at < text.len() {
        let (end, color) = token(text, at, p);
        if let Some(color) = color
            && color != current
        {
            if start < at {
                job.append(&text[start..at], 0.0, format(current));
            }
            start = at;
            current = color;
        }
        at = end;
    }
    if start < text.len() || text.is_empty() {
        job.append(&text[start..], 0.0, format(current));
    }
    job
}

/// The end of the token at a byte offset, and its colour; `None` for white space, which takes any.
fn token(text: &str, at: usize, p: &Palette) -> (usize, Option<Color32>) {
    let bytes = text.as_bytes();
    match bytes[at] {
        b'"' => {
            let end = string_end(bytes, at);
            let key = bytes[end..].iter().find(|b| !b.is_ascii_whitespace()) == Some(&b':');
            (end, Some(if key { p.json_key } else { p.json_string }))
        }
        b'-' | b'0'..=b'9' => {
            let number = |b: &u8| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-');
            (run(bytes, at, number), Some(p.json_number))
        }
        b if b.is_ascii_alphabetic() => (run(bytes, at, u8::is_ascii_alphabetic), Some(p.json_word)),
        b if b.is_ascii_whitespace() => (run(bytes, at, u8::is_ascii_whitespace), None),
        b if b.is_ascii() => (at + 1, Some(p.weak)),
        _ => (run(bytes, at, |b| !b.is_ascii()), Some(p.bad)),
    }
}

fn run(bytes: &[u8], at: usize, wanted: impl Fn(&u8) -> bool) -> usize {
    bytes[at..].iter().position(|b| !wanted(b)).map_or(bytes.len(), |n| at + n)
}

/// Just behind the closing quote, or at the line's end.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut n = at + 1;
    while n < bytes.len() {
        match bytes[n] {
            b'"' => return n + 1,
            b'\n' => return n,
            b'\\' if n + 1 < bytes.len() && bytes[n + 1].is_ascii() && bytes[n + 1] != b'\n' => n += 2,
            _ => n += 1,
        }
    }
    bytes.len()
}
