//! What can be done to the text of an editor as a whole or line by line: one step back undoes it.

use super::place;
use crate::twin::text::history::Way;
use crate::twin::text::lines::{self, LineAct, Selection};
use crate::twin::text::splice::{self, Edit};
use crate::twin::text::{change, parse};
use egui::text_edit::TextEditState;
use egui::{Context, Id};

/// A change of the text that a key or the palette asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ui) enum LineCommand {
    Lines(LineAct),
    /// Every value on a line of its own.
    Format,
    /// A step back or forth.
    Step(Way),
}

/// Edits in text order, and what is selected after them.
pub(in crate::ui) type Change = (Vec<Edit>, Selection);

/// What a command does to a text; `None` where there is nothing to do.
pub(super) fn change(text: &str, selection: Selection, command: LineCommand) -> Option<Change> {
    match command {
        LineCommand::Lines(act) => lines::act(text, selection, act),
        // Of the past, not of the text.
        LineCommand::Step(_) => None,
        LineCommand::Format => {
            // What breaks a rule of the hub can be formatted, what is no JSON cannot.
            parse(text).document.as_ref()?;
            let formatted = lines::formatted(text);
            let edits = change::between(text, &formatted);
            let moved = |offset| lines::same_place(text, &formatted, offset);
            let after = Selection { anchor: moved(selection.anchor), caret: moved(selection.caret) };
            (!edits.is_empty()).then_some((edits, after))
        }
    }
}

/// Makes a change in a field's text.
pub(super) fn make(ctx: &Context, id: Id, text: &mut String, (edits, after): &Change) {
    let made = splice::made(text, edits);
    let mut state = TextEditState::load(ctx, id).unwrap_or_default();
    let range = place::range(&made, *after);
    state.cursor.set_char_range(Some(range));
    state.store(ctx, id);
    *text = made;
}
