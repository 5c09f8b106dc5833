//! What of a text cannot be seen as it is: characters without a picture, letters that read in another order than they are
//! stored in, marks heaped on one letter, letters that look like those of another script. [`pieces`] cuts a text for a
//! layout that gives each character its own place; [`text`] and [`id`] write the same for lists and sentences.
//!
//! The sources: general categories and extended grapheme clusters of Unicode (UAX 44, UAX 29), the code points without a
//! picture of `Default_Ignorable_Code_Point`, and the confusable letters of UTS 39 as far as they look like ASCII.

use super::names;
use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;
use unicode_properties::{GeneralCategory as Gc, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;

/// More marks than this on one letter are counted and not drawn: a heap of them covers the lines around.
pub const MARKS_MAX: usize = 4;

/// How a piece of a text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// As it is, its letters together.
    Plain,
    /// One letter with its marks, or several that are drawn as one.
    Cluster,
    /// The same of a script that reads from right to left: each stands for itself, in the order of the text.
    Letter,
    /// A letter that looks like an ASCII one beside ASCII ones.
    Alike,
    /// By its code point: one character, or one repeated.
    Named,
}

/// A part of a text that is shown in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Bytes of the text.
    pub range: Range<usize>,
    pub look: Look,
}

/// Whether every character is one of ASCII that can be seen, or a tab.
#[must_use]
pub fn is_ascii(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
}

/// Whether a character is shown by its code point: it has no picture, or one that is a space.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control() && c != '\t';
    }
    // Not all of these are format characters by category: fillers, joiners, selectors, the empty pattern of Braille.
    let blank = matches!(
        c,
        '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{2800}'
            | '\u{3164}' | '\u{FFA0}' | '\u{FE00}'..='\u{FE0F}' | '\u{1D159}' | '\u{E0000}'..='\u{E0FFF}'
    );
    blank
        || matches!(
            c.general_category(),
            Gc::Control
                | Gc::Format
                | Gc::LineSeparator
                | Gc::ParagraphSeparator
                | Gc::SpaceSeparator
                | Gc::PrivateUse
                | Gc::Unassigned
        )
}

pub(super) fn is_mark(c: char) -> bool {
    !c.is_ascii() && matches!(c.general_category(), Gc::NonspacingMark | Gc::SpacingMark | Gc::EnclosingMark)
}

/// Whether a letter is of a script that reads from right to left. The blocks are those Unicode reserves for such scripts.
#[must_use]
pub fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFE}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

/// Scripts whose letters a font joins or reorders beyond what stands alone: from Devanagari to Khmer, and the later blocks of
/// the same family. A letter of theirs is always laid out by itself.
fn is_joined(c: char) -> bool {
    matches!(c, '\u{900}'..='\u{109F}' | '\u{1700}'..='\u{1AAF}' | '\u{1B00}'..='\u{1C4F}' | '\u{1CD0}'..='\u{1CFF}' | '\u{A800}'..='\u{A9FF}' | '\u{AA00}'..='\u{AAFF}' | '\u{ABC0}'..='\u{ABFF}' | '\u{11000}'..='\u{11FFF}' | '\u{16100}'..='\u{1613F}')
}

/// A sign behind which the next letter of the script is written below or into the one before.
fn is_stacker(c: char) -> bool {
    matches!(c, '\u{1039}' | '\u{17D2}' | '\u{1A60}')
}

/// Cuts a text into pieces that follow each other without a gap.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut out = Out { text, pieces: Vec::new() };
    if is_ascii(text) {
        out.push(0..text.len(), Look::Plain);
        return out.pieces;
    }
    let alike = alike(text);
    let mut stacked = false;
    for (start, cluster) in text.grapheme_indices(true) {
        let first = cluster.chars().next().unwrap_or_default();
        let joins = std::mem::replace(&mut stacked, cluster.chars().next_back().is_some_and(is_stacker));
        let of_same = out.pieces.last().is_some_and(|piece| piece.look == Look::Cluster);
        if joins && of_same && is_joined(first) && !is_hidden(first) {
            out.longer(cluster.len());
        } else if cluster.len() == first.len_utf8() {
            out.push(start..start + cluster.len(), look_of(first, alike.binary_search(&start).is_ok()));
        } else {
            out.cluster(start, cluster);
        }
    }
    out.pieces
}

fn look_of(c: char, alike: bool) -> Look {
    if is_hidden(c) || is_mark(c) {
        Look::Named
    } else if is_right_to_left(c) {
        Look::Letter
    } else if alike {
        Look::Alike
    } else if is_joined(c) || names::is_regional(c) {
        Look::Cluster
    } else {
        Look::Plain
    }
}

struct Out<'t> {
    text: &'t str,
    pieces: Vec<Piece>,
}

impl Out<'_> {
    fn push(&mut self, range: Range<usize>, look: Look) {
        if range.is_empty() {
            return;
        }
        if let Some(last) = self.pieces.last_mut().filter(|last| last.look == look && last.range.end == range.start) {
            let first = |range: &Range<usize>| self.text[range.clone()].chars().next();
            if look == Look::Plain || look == Look::Named && first(&last.range) == first(&range) {
                last.range.end = range.end;
                return;
            }
        }
        self.pieces.push(Piece { range, look });
    }

    fn longer(&mut self, by: usize) {
        if let Some(last) = self.pieces.last_mut() {
            last.range.end += by;
        }
    }

    /// A cluster of several characters: what has no picture stands for itself, and so do the marks that are too many.
    fn cluster(&mut self, start: usize, cluster: &str) {
        let mut from = start;
        let mut marks = 0;
        let mut base: Option<char> = None;
        for (at, c) in cluster.char_indices() {
            let at = start + at;
            let mark = is_mark(c);
            // On a bracket or a quote a mark would be overlooked.
            let alone = mark
                && (base.is_none_or(|base| base.is_ascii() && !base.is_ascii_alphanumeric()) || marks >= MARKS_MAX);
            if is_hidden(c) || alone {
                self.clustered(from..at);
                self.push(at..at + c.len_utf8(), Look::Named);
                from = at + c.len_utf8();
                base = base.filter(|_| marks >= MARKS_MAX);
                continue;
            }
            base = base.filter(|_| mark).or(Some(c));
            marks = if mark { marks + 1 } else { 0 };
        }
        self.clustered(from..start + cluster.len());
    }

    fn clustered(&mut self, range: Range<usize>) {
        let mut chars = self.text[range.clone()].chars();
        let Some(first) = chars.next() else { return };
        let look = match look_of(first, false) {
            Look::Plain if chars.next().is_some() => Look::Cluster,
            look => look,
        };
        self.push(range, look);
    }
}

/// Where letters stand that look like ASCII ones and pretend to be: in a word with ASCII letters, or in a text whose other
/// letters do not show that it is written in their script. Byte offsets in order.
fn alike(text: &str) -> Vec<usize> {
    let native = |c: char| !c.is_ascii() && c.is_alphabetic() && names::looks_like(c).is_none();
    let native = text.chars().any(native);
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@') || is_mark(c);
    let mut found = Vec::new();
    let mut start = 0;
    for word in text.split_inclusive(|c| !part(c)) {
        let ascii = word.chars().any(|c| c.is_ascii_alphabetic());
        if ascii || !native {
            let places = word.char_indices().filter(|(_, c)| names::looks_like(*c).is_some());
            found.extend(places.map(|(at, _)| start + at));
        }
        start += word.len();
    }
    found
}

/// A code point as Unicode writes it, in brackets: `[U+200B]`, and `[U+0301×1996]` for one that is repeated.
#[must_use]
pub fn named(piece: &str) -> String {
    let mut said = String::new();
    let mut rest = piece.chars();
    while let Some(c) = rest.next() {
        let mut count = 1;
        while rest.clone().next() == Some(c) {
            rest.next();
            count += 1;
        }
        said.push_str("[U+");
        write!(said, "{:04X}", u32::from(c)).ok();
        if count > 1 {
            write!(said, "×{count}").ok();
        }
        said.push(']');
    }
    said
}

/// A text of foreign origin as lists and sentences show it: what cannot be seen is written as its code point. Different
/// texts are shown differently.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    if is_ascii(text) && !text.contains("[U+") {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for piece in pieces(text) {
        let part = &text[piece.range];
        match piece.look {
            Look::Named | Look::Alike => shown.push_str(&named(part)),
            // What reads like a code point and is none.
            Look::Plain | Look::Cluster | Look::Letter => shown.push_str(&part.replace("[U+", "[U+005B]U+")),
        }
    }
    Cow::Owned(shown)
}

/// The same of a text that may have been written so before: what reads like a code point stays.
#[must_use]
pub fn again(text: &str) -> Cow<'_, str> {
    if text.split('\n').all(is_ascii) {
        return Cow::Borrowed(text);
    }
    let line = |line: &str| {
        let piece = |piece: Piece| match piece.look {
            Look::Named | Look::Alike => named(&line[piece.range]),
            Look::Plain | Look::Cluster | Look::Letter => line[piece.range].to_owned(),
        };
        pieces(line).into_iter().map(piece).collect::<String>()
    };
    Cow::Owned(text.split('\n').map(line).collect::<Vec<_>>().join("\n"))
}

/// Several lines of such a text; the breaks between them stay.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    if text.split('\n').all(|line| is_ascii(line) && !line.contains("[U+")) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split('\n').map(self::text).collect::<Vec<_>>().join("\n"))
}

/// The id of a device or module, the name of a hub: IoT Hub takes ASCII alone, so every other character is written as its
/// code point, whatever it looks like.
#[must_use]
pub fn id(id: &str) -> Cow<'_, str> {
    if is_ascii(id) && !id.contains("[U+") {
        return Cow::Borrowed(id);
    }
    let mut shown = String::with_capacity(id.len());
    let mut plain = String::new();
    for c in id.chars() {
        if is_ascii(c.encode_utf8(&mut [0; 4])) {
            plain.push(c);
        } else {
            shown.push_str(&std::mem::take(&mut plain).replace("[U+", "[U+005B]U+"));
            shown.push_str(&named(c.encode_utf8(&mut [0; 4])));
        }
    }
    shown.push_str(&plain.replace("[U+", "[U+005B]U+"));
    Cow::Owned(shown)
}

/// What is to be known of the character at a byte, where it is not shown as it is: its code point and name, what it looks
/// like, or the order it is shown in. `None` for what is plain.
#[must_use]
pub fn said(text: &str, byte: usize) -> Option<String> {
    let piece = pieces(text).into_iter().find(|piece| piece.range.contains(&byte))?;
    let part = &text[piece.range];
    let first = part.chars().next()?;
    match piece.look {
        Look::Plain | Look::Cluster => None,
        Look::Letter => Some("Shown letter by letter, in the order of the text".to_owned()),
        Look::Alike => {
            let like = names::looks_like(first).unwrap_or(first);
            Some(format!("U+{:04X} {}, looks like {like}", u32::from(first), names::name(first)))
        }
        Look::Named => {
            let count = part.chars().count();
            let times = if count > 1 { format!(", {count} times") } else { String::new() };
            Some(format!("U+{:04X} {}{times}", u32::from(first), names::name(first)))
        }
    }
}
