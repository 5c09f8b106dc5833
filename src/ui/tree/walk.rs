//! Keys on a row that has the focus.

use super::act::{self, Command};
use super::{Page, Sheet, rows};
use crate::ui::Frame;
use crate::ui::press::{self, Arrows};
use egui::{Key, KeyboardShortcut, Modifiers, Ui};

pub(super) fn listen(f: &mut Frame, ui: &mut Ui, page: &mut Page, sheet: &Sheet) {
    let id = rows::cursor_id(sheet, page);
    f.view.panes.editor = Some(id);
    if !ui.memory(|m| m.has_focus(id)) {
        return;
    }
    press::hold(ui, id, Arrows::Both);
    walk(ui, page, sheet);
    for command in [Command::Redo, Command::Undo, Command::Edit, Command::Rename, Command::Add, Command::Delete] {
        let Some(keys) = command.keys() else { continue };
        let pressed = |keys: &KeyboardShortcut| ui.input_mut(|i| press::take_shortcut(i, *keys));
        let too = KeyboardShortcut::new(Modifiers::COMMAND, Key::Y);
        let is_pressed = pressed(&keys) || command == Command::Redo && pressed(&too);
        if is_pressed && act::off(command, sheet.rows.get(page.index)).is_none() {
            act::make(f, ui.ctx(), page, sheet, command);
        }
    }
    if ui.input(|i| i.events.contains(&egui::Event::Copy)) {
        act::make(f, ui.ctx(), page, sheet, Command::CopyValue);
    }
}

fn walk(ui: &mut Ui, page: &mut Page, sheet: &Sheet) {
    let rows = &sheet.rows;
    let Some(last) = rows.len().checked_sub(1) else { return };
    let at = page.index.min(last);
    let pressed = |key: Key| ui.input_mut(|i| press::take(i, Modifiers::NONE, key));
    let target = if let Some(target) = press::step(ui, at, rows.len()) {
        target
    } else if pressed(Key::ArrowRight) {
        right(page, sheet, at, last)
    } else if pressed(Key::ArrowLeft) {
        left(page, sheet, at)
    } else {
        return;
    };
    page.index = target;
    page.cursor = rows[target].path.clone();
    page.reveal = true;
}

/// Opens what is closed; goes into what is open.
fn right(page: &mut Page, sheet: &Sheet, at: usize, last: usize) -> usize {
    match sheet.rows[at].open {
        Some(false) => {
            page.closed.remove(&sheet.rows[at].path);
            at
        }
        Some(true) => (at + 1).min(last),
        None => at,
    }
}

/// Closes what is open; goes to what the row stands in.
fn left(page: &mut Page, sheet: &Sheet, at: usize) -> usize {
    let row = &sheet.rows[at];
    if row.open == Some(true) {
        page.closed.insert(row.path.clone());
        return at;
    }
    sheet.rows[..at].iter().rposition(|other| other.depth < row.depth).unwrap_or(at)
}
