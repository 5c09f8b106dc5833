//! Pairs while typing: which closing brackets and quotes the editor put in by itself and the person has yet to type.

use super::change::common_ends;
use super::typing;
use std::ops::Range;

/// The pairs an editor closed by itself around its caret.
#[derive(Debug, Clone, Default)]
pub struct Pairs {
    /// As last told.
    text: String,
    /// Byte offsets of what opens and what closes, the outermost first.
    open: Vec<(usize, usize)>,
}

/// What a typed letter does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// It stands there already, behind so many characters of white space: the caret goes behind it.
    Over { white: usize },
    /// It comes with what closes it, and the caret goes between.
    Pair(&'static str),
    /// It takes the place of what is selected.
    Plain,
}

impl Pairs {
    /// The text as it is now, whoever changed it.
    pub fn see(&mut self, text: &str) {
        if self.open.is_empty() {
            self.text.clear();
            return;
        }
        if self.text == text {
            return;
        }
        let (start, behind) = common_ends(&self.text, text);
        let end = self.text.len() - behind;
        let place = |at: usize| match at {
            _ if at < start => Some(at),
            _ if at >= end => Some(at - end + text.len() - behind),
            _ => None,
        };
        self.open = self.open.iter().filter_map(|(from, to)| place(*from).zip(place(*to))).collect();
        self.follow(text);
    }

    /// What is typed at a selection of the text last seen.
    #[must_use]
    pub fn stroke(&self, text: &str, selected: &Range<usize>, typed: &str) -> Stroke {
        let at = selected.start;
        if !selected.is_empty() {
            return Stroke::Plain;
        }
        if let Some(white) = self.waits(text, at, typed) {
            return Stroke::Over { white };
        }
        if typing::steps_over(text, at, typed) {
            return Stroke::Over { white: 0 };
        }
        typing::closer(text, at, typed).map_or(Stroke::Plain, Stroke::Pair)
    }

    /// Makes a change of the text and keeps the pairs around the caret, which goes to its end.
    pub fn insert(&mut self, text: &mut String, selected: &Range<usize>, typed: &str) {
        text.replace_range(selected.clone(), typed);
        let place = |at: usize| match at {
            _ if at < selected.start => Some(at),
            _ if at >= selected.end => Some(at - selected.len() + typed.len()),
            _ => None,
        };
        self.open = self.open.iter().filter_map(|(from, to)| place(*from).zip(place(*to))).collect();
        self.follow(text);
        self.leave(selected.start + typed.len());
    }

    /// A pair was put in, what closes it at an offset.
    pub fn opened(&mut self, text: &str, from: usize, to: usize) {
        self.open.push((from, to));
        self.follow(text);
    }

    /// The caret stands here: what it left waits no longer.
    pub fn leave(&mut self, caret: usize) {
        self.open.retain(|(from, to)| *from < caret && caret <= *to);
    }

    /// White space between an offset and the innermost of what waits, if that is what was typed.
    fn waits(&self, text: &str, at: usize, typed: &str) -> Option<usize> {
        let (_, to) = *self.open.iter().rfind(|(from, to)| *from < at && at <= *to)?;
        let (white, rest) = (text.get(at..to)?, &text[to..]);
        // White space in a string is a part of it, and an escaped quote too.
        let is_bracket = matches!(typed, "}" | "]") && !typing::is_in_string(text, at);
        let fits = if is_bracket { white.chars().all(char::is_whitespace) } else { white.is_empty() };
        let waits = fits && rest.starts_with(typed) && (is_bracket || typing::steps_over(text, at, typed));
        waits.then(|| white.chars().count())
    }

    fn follow(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        let pair = |from: usize, to: usize| Some((*text.as_bytes().get(from)?, *text.as_bytes().get(to)?));
        let is_pair = |pair| matches!(pair, Some((b'{', b'}') | (b'[', b']') | (b'"', b'"')));
        self.open.retain(|(from, to)| is_pair(pair(*from, *to)));
        if self.open.is_empty() {
            self.text.clear();
        }
    }
}
