//! Places in a text: the field counts characters, everything else bytes.

use crate::twin::text::lines::Selection;
use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{Context, Id};

/// The byte offset of a character; the end for one behind the text.
pub(in crate::ui) fn byte_of(text: &str, chars: usize) -> usize {
    if text.is_ascii() {
        return chars.min(text.len());
    }
    text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at)
}

/// How many characters stand before a byte offset.
pub(in crate::ui) fn char_of(text: &str, byte: usize) -> usize {
    let before = &text[..text.floor_char_boundary(byte)];
    if before.is_ascii() { before.len() } else { before.chars().count() }
}

/// What is selected in a field.
pub(in crate::ui) fn selection(ctx: &Context, id: Id, text: &str) -> Selection {
    let range = TextEditState::load(ctx, id).and_then(|state| state.cursor.char_range()).unwrap_or_default();
    Selection { anchor: byte_of(text, range.secondary.index.0), caret: byte_of(text, range.primary.index.0) }
}

/// The same as the field has it.
pub(super) fn range(text: &str, selection: Selection) -> CCursorRange {
    let cursor = |byte| CCursor::new(char_of(text, byte));
    CCursorRange::two(cursor(selection.anchor), cursor(selection.caret))
}
