//! The older keys of the clipboard: Ctrl+Insert copies, Shift+Insert pastes, Shift+Delete cuts, wherever text is selected
//! or typed. egui knows them on Windows alone.

use egui::{Context, Event, Key, Modifiers, Plugin, RawInput, ViewportCommand};

/// Turns these keys into what egui knows.
pub(super) struct InsertKeys;

impl Plugin for InsertKeys {
    fn debug_name(&self) -> &'static str {
        "insert keys"
    }

    fn input_hook(&mut self, ctx: &Context, input: &mut RawInput) {
        let typing = ctx.text_edit_focused();
        input.events.retain_mut(|event| {
            let Event::Key { key, pressed: true, modifiers, .. } = event else { return true };
            let only = |wanted: Modifiers| modifiers.matches_exact(wanted);
            match key {
                Key::Insert if only(Modifiers::COMMAND) => *event = Event::Copy,
                // The clipboard is read by the native window, which answers with the text in the next frame.
                Key::Insert if typing && only(Modifiers::SHIFT) => {
                    ctx.send_viewport_cmd(ViewportCommand::RequestPaste);
                    return false;
                }
                Key::Delete if typing && only(Modifiers::SHIFT) => *event = Event::Cut,
                _ => {}
            }
            true
        });
    }
}
