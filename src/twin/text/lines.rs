//! What can be done with whole lines, and with the text as a whole.

use super::splice::Edit;
use super::typing::STEP;
use std::ops::Range;

/// What is selected, as byte offsets: where it began and where the caret stands. Equal when nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    pub anchor: usize,
    pub caret: usize,
}

impl Selection {
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.anchor.min(self.caret)..self.anchor.max(self.caret)
    }

    fn shifted(self, by: isize) -> Self {
        Self { anchor: self.anchor.saturating_add_signed(by), caret: self.caret.saturating_add_signed(by) }
    }
}

/// What is done with the lines a selection touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineAct {
    /// Once more, below; the selection goes along.
    Duplicate,
    MoveUp,
    MoveDown,
    /// Selects them with their breaks; where they are selected already, the next one too.
    Select,
    Indent,
    Outdent,
}

/// The edits of an act in text order, and the selection after it. `None` where there is nothing to do.
#[must_use]
pub fn act(text: &str, selection: Selection, act: LineAct) -> Option<(Vec<Edit>, Selection)> {
    let lines = touched(text, &selection.range());
    let whole = &text[lines.clone()];
    match act {
        LineAct::Duplicate => {
            let put_in = Edit { range: lines.end..lines.end, text: format!("\n{whole}") };
            let by = isize::try_from(put_in.text.len()).ok()?;
            Some((vec![put_in], selection.shifted(by)))
        }
        LineAct::MoveUp => {
            let above = line_start(text, lines.start.checked_sub(1)?)..lines.start - 1;
            let swapped = format!("{whole}\n{}", &text[above.clone()]);
            let by = isize::try_from(above.len() + 1).ok()?;
            Some((vec![Edit { range: above.start..lines.end, text: swapped }], selection.shifted(-by)))
        }
        LineAct::MoveDown => {
            let start = (lines.end < text.len()).then_some(lines.end + 1)?;
            let below = start..line_end(text, start);
            let swapped = format!("{}\n{whole}", &text[below.clone()]);
            let by = isize::try_from(below.len() + 1).ok()?;
            let moved = selection.shifted(by);
            // A selection up to the beginning of the line below, which has none behind it now, ends with the text.
            let end = |at: usize| at.min(text.len());
            let after = Selection { anchor: end(moved.anchor), caret: end(moved.caret) };
            Some((vec![Edit { range: lines.start..below.end, text: swapped }], after))
        }
        LineAct::Select => {
            let with_break = |end: usize| (end + 1).min(text.len());
            let mut end = with_break(lines.end);
            if selection.range() == (lines.start..end) && end < text.len() {
                end = with_break(line_end(text, end));
            }
            let selected = Selection { anchor: lines.start, caret: end };
            (selected != selection).then_some((Vec::new(), selected))
        }
        LineAct::Indent | LineAct::Outdent => indent(text, selection, &lines, act),
    }
}

fn indent(text: &str, selection: Selection, lines: &Range<usize>, act: LineAct) -> Option<(Vec<Edit>, Selection)> {
    let mut edits = Vec::new();
    let mut start = lines.start;
    for line in text[lines.clone()].split('\n') {
        let spaces = line.bytes().take(STEP).take_while(|byte| *byte == b' ').count();
        match act {
            LineAct::Indent if !line.is_empty() => {
                edits.push(Edit { range: start..start, text: " ".repeat(STEP) });
            }
            LineAct::Outdent if spaces > 0 => edits.push(Edit { range: start..start + spaces, text: String::new() }),
            _ => {}
        }
        start += line.len() + 1;
    }
    let moved = |offset| super::splice::moved(&edits, offset);
    let after = Selection { anchor: moved(selection.anchor), caret: moved(selection.caret) };
    (!edits.is_empty()).then_some((edits, after))
}

/// The lines a range touches, without the last one's break. A range that ends at the beginning of a line leaves it out.
#[must_use]
pub fn touched(text: &str, range: &Range<usize>) -> Range<usize> {
    let start = line_start(text, range.start);
    let last = if range.end > range.start && text[..range.end].ends_with('\n') { range.end - 1 } else { range.end };
    start..line_end(text, last.max(start))
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |found| found + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |found| at + found)
}

/// The byte offset where a line begins, counted from 1; the last line's for a number beyond.
#[must_use]
pub fn start_of(text: &str, line: usize) -> usize {
    let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(breaks).take(line.max(1)).last().unwrap_or(0)
}

/// The byte offset of a line and a column, both from 1, the column in characters. A column behind the line is its end.
#[must_use]
pub fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start = start_of(text, line);
    let inside = &text[start..line_end(text, start)];
    start + inside.char_indices().nth(column.saturating_sub(1)).map_or(inside.len(), |(at, _)| at)
}

/// A text that parses with every value on its own line and two spaces per level. Strings and numbers keep their spelling, keys
/// their order.
#[must_use]
pub fn formatted(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut level = 0_usize;
    let mut at = 0;
    let mut opened = false;
    let new_line = |out: &mut String, level: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', level * STEP));
    };
    while at < bytes.len() {
        let start = at;
        at += 1;
        match bytes[start] {
            b' ' | b'\n' | b'\r' | b'\t' | 0xEF if text[start..].starts_with(['\u{feff}', ' ', '\n', '\r', '\t']) => {
                at = start + text[start..].chars().next().map_or(1, char::len_utf8);
                continue;
            }
            close @ (b'}' | b']') => {
                level = level.saturating_sub(1);
                if !opened {
                    new_line(&mut out, level);
                }
                out.push(char::from(close));
                opened = false;
                continue;
            }
            b':' => {
                out.push_str(": ");
                continue;
            }
            b',' => {
                out.push(',');
                new_line(&mut out, level);
                continue;
            }
            _ => {}
        }
        if opened {
            new_line(&mut out, level);
            opened = false;
        }
        match bytes[start] {
            open @ (b'{' | b'[') => {
                out.push(char::from(open));
                level += 1;
                opened = true;
            }
            b'"' => {
                at = string_end(bytes, start);
                out.push_str(&text[start..at]);
            }
            _ => {
                let end = |byte: &u8| b" \n\r\t,:{}[]\"".contains(byte);
                at = bytes[start..].iter().position(end).map_or(bytes.len(), |n| start + n.max(1));
                out.push_str(&text[start..at]);
            }
        }
    }
    out
}

/// Where an offset of a text stands in the same text with other white space: before the same letter.
#[must_use]
pub fn same_place(text: &str, other: &str, offset: usize) -> usize {
    let solid = |(_, c): &(usize, char)| !c.is_whitespace() && *c != '\u{feff}';
    let offset = text.floor_char_boundary(offset);
    let before = text[..offset].char_indices().filter(solid).count();
    let beside = text[offset..].char_indices().next().is_some_and(|next| solid(&next));
    let mut letters = other.char_indices().filter(solid);
    if beside {
        return letters.nth(before).map_or(other.len(), |(at, _)| at);
    }
    let last = before.checked_sub(1).and_then(|last| letters.nth(last));
    last.map_or(0, |(at, c)| at + c.len_utf8())
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}
