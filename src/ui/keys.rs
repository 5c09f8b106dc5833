//! Every key that works anywhere in the window. Listened to before anything is painted, so that no field swallows them.

use super::{Frame, act, editing, press, tree};
use crate::app::settings::SettingsAct;
use crate::app::tab::Pane;
use crate::app::{Action, Tab};
use egui::{Context, Id, Key, KeyboardShortcut, Modifiers};

pub const SAVE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::S);
pub const REFRESH: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::R);
const REFRESH_TOO: KeyboardShortcut = KeyboardShortcut::new(Modifiers::NONE, Key::F5);
pub const PALETTE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::K);
const PALETTE_TOO: KeyboardShortcut = KeyboardShortcut::new(Modifiers { shift: true, ..Modifiers::COMMAND }, Key::P);
pub const GO_TO: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::P);
const COMPARE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::D);
pub const SEND: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Enter);
pub const CLOSE_TAB: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::W);
pub const NEXT_TAB: KeyboardShortcut = KeyboardShortcut::new(Modifiers::CTRL, Key::Tab);
pub const PREVIOUS_TAB: KeyboardShortcut =
    KeyboardShortcut::new(Modifiers { shift: true, ..Modifiers::CTRL }, Key::Tab);
const NEXT_PANE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::NONE, Key::F6);
pub const ZOOM_IN: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Plus);
const ZOOM_IN_TOO: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Equals);
pub const ZOOM_OUT: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Minus);
pub const ZOOM_RESET: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Num0);
pub(super) const FACE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::T);
pub const SETTINGS: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Comma);
pub const ALL_KEYS: KeyboardShortcut = KeyboardShortcut::new(Modifiers::NONE, Key::F1);

pub const ZOOM_MIN: f32 = 0.5;
pub const ZOOM_MAX: f32 = 3.0;

/// What F1 shows.
pub(super) fn table(ctx: &Context) -> Vec<(String, &'static str)> {
    let one = |keys: &KeyboardShortcut| ctx.format_shortcut(keys);
    let two = |a: &KeyboardShortcut, b: &KeyboardShortcut| format!("{} or {}", one(a), one(b));
    let text = editing::COMMANDS.iter().map(|(_, words, keys)| (one(keys), *words));
    let mut table = vec![
        (one(&SAVE), "Save"),
        (two(&REFRESH, &REFRESH_TOO), "Refresh, keeping edits"),
        (two(&PALETTE, &PALETTE_TOO), "Commands"),
        (one(&GO_TO), "Go to a device or module"),
        (one(&COMPARE), "Changes beside the text"),
        (one(&FACE), "Desired and tags as text or as a tree"),
        ("Enter, F2, Insert, Delete".to_owned(), "In the tree: edit the value, rename, add, delete"),
        (one(&SEND), "Send reported or the message, call the method, run the query"),
        (one(&CLOSE_TAB), "Close the tab"),
        (two(&NEXT_TAB, &PREVIOUS_TAB), "Next and previous tab"),
        (one(&NEXT_PANE), "Next pane"),
        (format!("{}, {}, {}", one(&ZOOM_IN), one(&ZOOM_OUT), one(&ZOOM_RESET)), "Zoom in, out, to 100 %"),
        ("Up, Down, Page up, Page down, Home, End".to_owned(), "Walk in a list; Left and Right close and open in it"),
        ("Esc".to_owned(), "Leave a dialog or a field"),
        (one(&SETTINGS), "Settings"),
        (one(&ALL_KEYS), "All keys"),
    ];
    table.splice(4..4, text);
    table
}

/// Ten percent more or less.
pub(super) fn zoomed(zoom: f32, steps: i8) -> f32 {
    (((zoom * 10.0).round() + f32::from(steps)) / 10.0).clamp(ZOOM_MIN, ZOOM_MAX)
}

pub(super) fn listen(f: &mut Frame, ctx: &Context) {
    let pressed = |keys: &KeyboardShortcut| ctx.input_mut(|i| press::take_shortcut(i, *keys));
    let zoom = f.app.settings.zoom.unwrap_or(1.0);
    let sign = |keys: &KeyboardShortcut| ctx.input_mut(|i| press::take_sign(i, *keys));
    if sign(&ZOOM_IN) || sign(&ZOOM_IN_TOO) {
        f.push(Action::SetZoom(zoomed(zoom, 1)));
    }
    if pressed(&ZOOM_OUT) {
        f.push(Action::SetZoom(zoomed(zoom, -1)));
    }
    if pressed(&ZOOM_RESET) {
        f.push(Action::SetZoom(1.0));
    }
    let conflict = f.app.active_tab().is_some_and(|tab| tab.conflict_open && tab.moved.is_some());
    if f.app.dialog.is_some() || conflict {
        return;
    }
    if pressed(&ALL_KEYS) {
        f.push(Action::ShowKeys);
    }
    if pressed(&SETTINGS) {
        f.push(Action::Settings(SettingsAct::Show));
    }
    if pressed(&PALETTE) || pressed(&PALETTE_TOO) {
        f.push(Action::ShowPalette);
    }
    if pressed(&GO_TO) {
        f.push(Action::ShowGoTo);
    }
    if pressed(&PREVIOUS_TAB) {
        f.push(Action::PreviousTab);
    }
    if pressed(&NEXT_TAB) {
        f.push(Action::NextTab);
    }
    let refresh = pressed(&REFRESH) || pressed(&REFRESH_TOO);
    match f.app.active_tab() {
        Some(tab) => twin_keys(f, ctx, tab, refresh),
        None if refresh => f.push(Action::RefreshFleet),
        None => {}
    }
}

fn twin_keys(f: &mut Frame, ctx: &Context, tab: &Tab, refresh: bool) {
    let pressed = |keys: &KeyboardShortcut| ctx.input_mut(|i| press::take_shortcut(i, *keys));
    let id = &tab.id;
    if refresh {
        f.push(Action::Refresh(id.clone()));
    }
    editing::listen(f, ctx, tab);
    // What stands in a field of the tree is part of what is saved.
    if pressed(&SAVE) && tree::settle(f, ctx, tab) {
        f.push(Action::Save(id.clone()));
    }
    if pressed(&FACE) {
        tree::toggle(f, ctx, tab);
    }
    if pressed(&CLOSE_TAB) {
        f.push(Action::CloseTab(id.clone()));
    }
    if pressed(&COMPARE) {
        if f.view.narrow {
            f.view.changes_instead = !f.view.changes_instead;
        } else {
            f.view.layout.changes_hidden = !f.view.layout.changes_hidden;
        }
    }
    let typing_query = ctx.memory(|m| m.has_focus(super::query::line_id()));
    let typing_report = ctx.memory(|m| m.has_focus(act::report_id(tab)));
    if tab.act.is_some() && typing_report && pressed(&SEND) {
        f.push(Action::SendReport(id.clone()));
    } else if tab.pane == Pane::Methods && !typing_query && pressed(&SEND) {
        f.push(Action::CallMethod(id.clone()));
    } else if tab.pane == Pane::Messages && !typing_query && pressed(&SEND) {
        f.push(Action::SendMessage(id.clone()));
    }
}

/// F6 walks through the panes that were painted in this frame.
pub(super) fn panes(f: &mut Frame, ctx: &Context) {
    if f.app.dialog.is_some() || !ctx.input_mut(|i| press::take_shortcut(i, NEXT_PANE)) {
        return;
    }
    let panes = f.view.panes;
    let order: Vec<Id> = [panes.fleet, panes.editor, panes.changes, panes.activity].into_iter().flatten().collect();
    let focused = ctx.memory(egui::Memory::focused);
    let here = order.iter().position(|id| Some(*id) == focused);
    let next = here.map_or(0, |n| (n + 1) % order.len().max(1));
    if let Some(id) = order.get(next) {
        ctx.memory_mut(|m| m.request_focus(*id));
        ctx.request_repaint();
    }
}
