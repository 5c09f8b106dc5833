//! What changed between two texts, so that places beside a change stay places of the same value.

use super::change::{between, common_ends};
use super::splice::Edit;

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
