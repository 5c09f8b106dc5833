//! What the caret stands at in a text that need not parse: a key or a value, of which place, and which bytes are its own.
//!
//! Brackets, strings, commas and colons are told apart, nothing else is judged. A string ends at its line's end at the latest.

use crate::twin::{Path, Segment};
use std::ops::Range;

/// Deeper than this nothing is told.
const LEVELS_MAX: usize = 128;

/// A place where a key or a value can be put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Of the object the key stands in; of the value itself.
    pub path: Path,
    pub place: Place,
    /// The key or value there is, quotes included; empty where there is none.
    pub range: Range<usize>,
    /// What stands in `range` in front of the caret, without quotes and escapes.
    pub typed: String,
    /// The same of all of `range`.
    pub whole: String,
    /// Whether the caret stands in a string or at the end of a bare word: what is typed now goes on with it.
    pub inside: bool,
    /// Whether a string stands there, or the quote that begins one.
    pub quoted: bool,
    /// Where a comma is missing in front of it, if one is.
    pub comma_before: Option<usize>,
    /// Whether a comma is missing behind it.
    pub comma_behind: bool,
}

/// What can be put at a [`Spot`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Key {
        /// The other keys of the object.
        taken: Vec<String>,
        /// A colon follows: the key has its value.
        has_colon: bool,
    },
    Value,
}

/// The place at a byte offset; one inside a character means its start. `None` where neither key nor value can stand, in front of
/// an object or array, and inside a comment.
#[must_use]
pub fn spot(text: &str, caret: usize) -> Option<Spot> {
    let caret = text.floor_char_boundary(caret);
    let mut tokens = Tokens { text, at: 0 };
    let mut scan = Scan { text, frames: Vec::new(), last: None };
    let (current, next) = loop {
        let Some(token) = tokens.next() else { break (None, None) };
        if token.start() >= caret {
            break (None, Some(token));
        }
        if token.is_word() && token.end() >= caret {
            break (Some(token), tokens.next());
        }
        if token.what == What::Comment {
            if token.end() > caret {
                return None;
            }
            continue;
        }
        scan.take(&token)?;
    };
    let next = skip_comments(next, &mut tokens);
    scan.spot(caret, current, next, tokens)
}

fn skip_comments(mut next: Option<Token>, tokens: &mut Tokens) -> Option<Token> {
    while next.as_ref().is_some_and(|token| token.what == What::Comment) {
        next = tokens.next();
    }
    next
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Open(u8),
    Close(u8),
    Comma,
    Colon,
    /// `closed`: with its second quote.
    Text {
        closed: bool,
    },
    /// A number, `true`, or anything else without quotes.
    Bare,
    Comment,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    range: Range<usize>,
    what: What,
}

impl Token {
    fn start(&self) -> usize {
        self.range.start
    }

    fn end(&self) -> usize {
        self.range.end
    }

    /// A key or a value that is neither object nor array.
    fn is_word(&self) -> bool {
        matches!(self.what, What::Text { .. } | What::Bare)
    }

    /// Whether a comma has to stand in front of it.
    fn begins_member(&self) -> bool {
        self.is_word() || matches!(self.what, What::Open(_))
    }

    /// What it says up to an offset, without quotes and escapes.
    fn said(&self, text: &str, to: usize) -> String {
        let What::Text { closed } = self.what else { return text[self.start()..to.min(self.end())].to_owned() };
        let end = self.end() - usize::from(closed);
        let inner = &text[self.start() + 1..to.clamp(self.start() + 1, end)];
        serde_json::from_str(&format!("\"{inner}\"")).unwrap_or_else(|_| inner.to_owned())
    }
}

struct Tokens<'t> {
    text: &'t str,
    at: usize,
}

impl Tokens<'_> {
    fn next(&mut self) -> Option<Token> {
        let bytes = self.text.as_bytes();
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        self.at += bytes[self.at..].iter().take_while(|byte| blank(byte)).count();
        let (start, first) = (self.at, *bytes.get(self.at)?);
        let what = match first {
            b'{' | b'[' => What::Open(first),
            b'}' | b']' => What::Close(first),
            b',' => What::Comma,
            b':' => What::Colon,
            b'"' => {
                let (length, closed) = string(&bytes[start..]);
                self.at += length;
                return Some(Token { range: start..self.at, what: What::Text { closed } });
            }
            b'#' => return Some(self.comment("\n")),
            b'/' if bytes.get(start + 1) == Some(&b'/') => return Some(self.comment("\n")),
            b'/' if bytes.get(start + 1) == Some(&b'*') => return Some(self.comment("*/")),
            _ => {
                let ends = |byte: &u8| blank(byte) || matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':' | b'"');
                self.at += bytes[start..].iter().take_while(|byte| !ends(byte)).count();
                return Some(Token { range: start..self.at, what: What::Bare });
            }
        };
        self.at += 1;
        Some(Token { range: start..self.at, what })
    }

    fn comment(&mut self, end: &str) -> Token {
        let start = self.at;
        self.at = self.text[start..].find(end).map_or(self.text.len(), |found| start + found + end.len());
        Token { range: start..self.at, what: What::Comment }
    }
}

/// How long the string is that bytes begin with, and whether it has its second quote.
fn string(bytes: &[u8]) -> (usize, bool) {
    let mut escaped = false;
    for (n, byte) in bytes.iter().enumerate().skip(1) {
        match byte {
            b'\n' | b'\r' => return (n, false),
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return (n + 1, true),
            _ => {}
        }
    }
    (bytes.len(), false)
}

/// What comes next in an object or array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaits {
    Key,
    Colon,
    Value,
    Comma,
}

struct Frame {
    close: u8,
    awaits: Awaits,
    /// Every key so far.
    keys: Vec<Token>,
    /// The key whose value is read.
    key: Option<Token>,
    index: usize,
}

impl Frame {
    fn is_object(&self) -> bool {
        self.close == b'}'
    }
}

/// The objects and arrays that are open.
struct Scan<'t> {
    text: &'t str,
    frames: Vec<Frame>,
    last: Option<Token>,
}

impl Scan<'_> {
    /// `None` past the levels allowed.
    fn take(&mut self, token: &Token) -> Option<()> {
        match token.what {
            What::Open(open) => self.open(open)?,
            What::Close(close) => self.close(close),
            What::Comma => self.comma(),
            What::Colon => self.colon(),
            What::Text { .. } | What::Bare => self.word(token),
            What::Comment => return Some(()),
        }
        self.last = Some(token.clone());
        Some(())
    }

    fn open(&mut self, open: u8) -> Option<()> {
        if self.frames.len() >= LEVELS_MAX {
            return None;
        }
        let (close, awaits) = if open == b'{' { (b'}', Awaits::Key) } else { (b']', Awaits::Value) };
        self.frames.push(Frame { close, awaits, keys: Vec::new(), key: None, index: 0 });
        Some(())
    }

    /// One that closes nothing is passed over; one that closes something further out closes what is in it, too.
    fn close(&mut self, close: u8) {
        if let Some(depth) = self.frames.iter().rposition(|frame| frame.close == close) {
            self.frames.truncate(depth);
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.awaits = Awaits::Comma;
        }
    }

    fn comma(&mut self) {
        let Some(frame) = self.frames.last_mut() else { return };
        if frame.is_object() {
            (frame.awaits, frame.key) = (Awaits::Key, None);
        } else {
            frame.awaits = Awaits::Value;
            frame.index += 1;
        }
    }

    fn colon(&mut self) {
        let Some(frame) = self.frames.last_mut().filter(|frame| frame.is_object()) else { return };
        // What looked like a value was the next key: the one before has no value yet.
        if let Some(last) = self.last.take().filter(|last| frame.awaits == Awaits::Comma && last.is_word()) {
            frame.keys.push(last.clone());
            frame.key = Some(last);
        }
        frame.awaits = Awaits::Value;
    }

    fn word(&mut self, token: &Token) {
        let Some(frame) = self.frames.last_mut() else { return };
        if frame.is_object() && frame.awaits != Awaits::Value {
            frame.keys.push(token.clone());
            frame.key = Some(token.clone());
            frame.awaits = Awaits::Colon;
        } else {
            frame.awaits = Awaits::Comma;
        }
    }

    fn spot(mut self, caret: usize, current: Option<Token>, next: Option<Token>, mut tokens: Tokens) -> Option<Spot> {
        let frame = self.frames.last()?;
        let (awaits, is_object) = (frame.awaits, frame.is_object());
        let is_colon = |token: Option<&Token>| token.is_some_and(|token| token.what == What::Colon);
        let is_key = match &current {
            Some(_) => is_object && (awaits != Awaits::Value || is_colon(next.as_ref())),
            None => is_object && matches!(awaits, Awaits::Key | Awaits::Comma),
        };
        if current.is_none() && awaits == Awaits::Colon {
            return None;
        }
        // In the gap between a colon and its value, the value is meant; but not the next key, which only looks like it.
        let (current, next) = match (current, next) {
            (None, Some(value)) if is_object && !is_key && value.is_word() => {
                let behind = skip_comments(tokens.next(), &mut tokens);
                if is_colon(behind.as_ref()) {
                    tokens.at = value.end();
                    (None, Some(value))
                } else {
                    (Some(value), behind)
                }
            }
            (None, Some(value)) if is_object && !is_key && matches!(value.what, What::Open(_)) => return None,
            (current, next) => (current, skip_comments(next, &mut tokens)),
        };
        let range = current.as_ref().map_or(caret..caret, |token| token.range.clone());
        let said = |to: usize| current.as_ref().map_or_else(String::new, |token| token.said(self.text, to));
        let path = self.path(!is_key)?;
        let spot = Spot {
            path,
            range,
            typed: current.as_ref().filter(|token| token.start() < caret).map_or_else(String::new, |_| said(caret)),
            whole: said(usize::MAX),
            inside: current.as_ref().is_some_and(|token| match token.what {
                What::Text { closed: true } => token.start() < caret && caret < token.end(),
                _ => token.start() < caret,
            }),
            quoted: current.as_ref().is_some_and(|token| matches!(token.what, What::Text { .. })),
            comma_before: self.last.as_ref().filter(|_| awaits == Awaits::Comma).map(Token::end),
            comma_behind: next.as_ref().is_some_and(Token::begins_member),
            place: Place::Value,
        };
        if !is_key {
            return Some(spot);
        }
        let has_colon = is_colon(next.as_ref());
        let taken = self.taken(current.as_ref(), next, tokens);
        Some(Spot { place: Place::Key { taken, has_colon }, ..spot })
    }

    /// Of the innermost object or array, or of the value that is read in it. `None` where a key on the way is missing.
    fn path(&self, of_value: bool) -> Option<Path> {
        let steps = if of_value { &self.frames[..] } else { &self.frames[..self.frames.len().checked_sub(1)?] };
        let step = |frame: &Frame| {
            let key = || Some(Segment::Key(frame.key.as_ref()?.said(self.text, usize::MAX)));
            if frame.is_object() { key() } else { Some(Segment::Index(frame.index)) }
        };
        steps.iter().map(step).collect::<Option<Vec<_>>>().map(Path)
    }

    /// The keys of the innermost object but the one at the caret: those in front, then those behind.
    fn taken(&mut self, current: Option<&Token>, next: Option<Token>, mut tokens: Tokens) -> Vec<String> {
        let depth = self.frames.len();
        let mut waiting = [current.cloned(), next].into_iter().flatten();
        while let Some(token) = waiting.next().or_else(|| tokens.next()) {
            let ends = |close| self.frames.iter().rposition(|frame| frame.close == close).is_some_and(|at| at < depth);
            // Past the levels allowed the rest is not told.
            if matches!(token.what, What::Close(close) if ends(close)) || self.take(&token).is_none() {
                break;
            }
        }
        let keys = self.frames.get(depth - 1).map_or(&[][..], |frame| &frame.keys);
        let others = keys.iter().filter(|key| Some(*key) != current);
        others.map(|key| key.said(self.text, usize::MAX)).collect()
    }
}
