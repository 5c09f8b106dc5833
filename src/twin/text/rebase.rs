//! Edits of one text by two: what becomes of the ones when the others go first.

use super::change::{between, common_ends};
use super::splice::Edit;
use std::ops::Range;

/// Which of two texts put in at the same place stands first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tie {
    First,
    Behind,
}

/// What changed between two texts, like [`between`], but lines put in or taken out are whole lines where they can be: an edit
/// that begins in the middle of a line would stand in the way of one that has to do with another line.
#[must_use]
pub fn changes(old: &str, new: &str) -> Vec<Edit> {
    let mut floor = 0;
    let slid = |edit| {
        let edit = slid(old, edit, floor);
        floor = edit.range.end;
        edit
    };
    between(old, new).into_iter().flat_map(|edit| by_lines(old, edit)).map(slid).collect()
}

/// Lines that take the place of as many others, one by one: each has to do with its own value.
fn by_lines(text: &str, edit: Edit) -> Vec<Edit> {
    let taken = &text[edit.range.clone()];
    let breaks = taken.matches('\n').count();
    if breaks == 0 || breaks != edit.text.matches('\n').count() {
        return vec![edit];
    }
    let mut at = edit.range.start;
    let mut edits = Vec::new();
    for (old, new) in taken.split('\n').zip(edit.text.split('\n')) {
        let (start, end) = common_ends(old, new);
        if old != new {
            edits.push(Edit { range: at + start..at + old.len() - end, text: new[start..new.len() - end].to_owned() });
        }
        at += old.len() + 1;
    }
    edits
}

/// Moves an edit back to the beginning of its line, where the text after it is the same.
fn slid(text: &str, edit: Edit, floor: usize) -> Edit {
    let Edit { range, text: put_in } = &edit;
    let piece = match (range.is_empty(), put_in.is_empty()) {
        (true, false) => put_in.as_str(),
        (false, true) => &text[range.clone()],
        _ => return edit,
    };
    if !piece.contains('\n') {
        return edit;
    }
    let (bytes, last) = (text.as_bytes(), piece.as_bytes());
    let mut back = 0;
    while range.start > back && bytes[range.start - back - 1] != b'\n' {
        let differs = back == last.len() || bytes[range.start - back - 1] != last[last.len() - 1 - back];
        if differs || range.start - back <= floor {
            return edit;
        }
        back += 1;
    }
    let start = range.start - back;
    if put_in.is_empty() {
        return Edit { range: start..range.end - back, text: String::new() };
    }
    let text = format!("{}{}", &text[start..range.start], &piece[..piece.len() - back]);
    Edit { range: start..start, text }
}

/// Which of some edits still have their place after others of the same text were made, and where it is then. One that has to do
/// with the same value or key as one of the others falls away: half of each would be what nobody wrote.
#[must_use]
pub fn over(text: &str, edits: &[Edit], others: &[Edit]) -> Vec<Edit> {
    let taken: Vec<Range<usize>> = others.iter().map(|other| widened(text, other)).collect();
    let free = |edit: &&Edit| {
        let here = widened(text, edit);
        taken.iter().zip(others).all(|(there, other)| {
            let apart = here.start >= there.end || there.start >= here.end;
            apart && !is_made(edit, other)
        })
    };
    edits.iter().filter(free).map(|edit| shifted(edit, others, Tie::First)).collect()
}

/// Whether another edit puts in already what this one would put in at the same place.
fn is_made(edit: &Edit, other: &Edit) -> bool {
    let core = edit.text.trim_matches([' ', '\n', '\t', ',']);
    let both_put_in = edit.range.is_empty() && other.range == edit.range;
    both_put_in && !core.is_empty() && other.text.contains(core)
}

/// An edit as it is of the text that others leave which have nothing to do with it.
#[must_use]
pub fn shifted(edit: &Edit, others: &[Edit], tie: Tie) -> Edit {
    let here = &edit.range;
    let (mut added, mut removed) = (0, 0);
    for Edit { range: there, text } in others {
        let both_put_in = here.is_empty() && there.is_empty() && there.start == here.start;
        if there.end <= here.start && !(both_put_in && tie == Tie::First) {
            added += text.len();
            removed += there.len();
        }
    }
    let start = here.start + added - removed;
    Edit { range: start..start + here.len(), text: edit.text.clone() }
}

/// The range of an edit with the whole of each value or key it changes a part of.
fn widened(text: &str, edit: &Edit) -> Range<usize> {
    let Range { mut start, mut end } = edit.range.clone();
    if let Some(token) = token(text, start) {
        let grows = token.end == start && is_bare(text, &token) && edit.text.starts_with(is_word);
        if token.start < start && (start < token.end || grows) {
            start = token.start;
        }
    }
    if let Some(token) = token(text, end) {
        let grows = token.start == end && is_bare(text, &token) && edit.text.ends_with(is_word);
        if token.end > end && (token.start < end || grows) {
            end = token.end;
        }
    }
    start..end
}

/// The string, number or word an offset stands in or at. A string ends at its line's end at the latest.
fn token(text: &str, offset: usize) -> Option<Range<usize>> {
    let mut at = text[..offset].rfind('\n').map_or(0, |found| found + 1);
    let line_end = text[offset..].find('\n').map_or(text.len(), |found| offset + found);
    while at <= offset && at < line_end {
        let rest = &text[at..line_end];
        let length =
            if rest.starts_with('"') { string(rest) } else { rest.find(|c| !is_word(c)).unwrap_or(rest.len()) };
        // Of two that touch, the one behind the offset is asked for only where none ends there.
        if length > 0 && offset <= at + length {
            return Some(at..at + length);
        }
        at += if length > 0 { length } else { rest.chars().next().map_or(1, char::len_utf8) };
    }
    None
}

fn string(line: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in line.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    line.len()
}

fn is_bare(text: &str, token: &Range<usize>) -> bool {
    !text[token.clone()].starts_with('"')
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '+' | '-' | '.' | '_')
}
