//! Key presses, compared with all their modifiers: Ctrl+Shift+X is not Ctrl+X. egui's own `consume_key` ignores Shift and Alt that
//! are held besides.

use egui::{Event, EventFilter, Id, InputState, Key, KeyboardShortcut, Modifiers, Response, Ui};

/// Rows that Page up and Page down go.
const PAGE: usize = 15;

/// Whether the key was pressed in this frame with exactly these modifiers. The press is taken out of the input.
pub(super) fn take(i: &mut InputState, modifiers: Modifiers, key: Key) -> bool {
    take_where(i, key, |held| held.matches_exact(modifiers))
}

/// The same for a shortcut.
pub(super) fn take_shortcut(i: &mut InputState, keys: KeyboardShortcut) -> bool {
    take(i, keys.modifiers, keys.logical_key)
}

/// The same for a sign that some keyboard layouts have on Shift and others have not, such as + and =.
pub(super) fn take_sign(i: &mut InputState, keys: KeyboardShortcut) -> bool {
    let shifted = Modifiers { shift: true, ..keys.modifiers };
    take_where(i, keys.logical_key, |held| held.matches_exact(keys.modifiers) || held.matches_exact(shifted))
}

fn take_where(i: &mut InputState, wanted: Key, fits: impl Fn(&Modifiers) -> bool) -> bool {
    let before = i.events.len();
    i.events.retain(
        |event| !matches!(event, Event::Key { key, modifiers, pressed: true, .. } if *key == wanted && fits(modifiers)),
    );
    i.events.len() != before
}

/// Whether a field of one line was left by a plain Enter. By Enter with a modifier it is not left.
pub(super) fn entered(ui: &Ui, field: &Response) -> bool {
    if !field.lost_focus() {
        return false;
    }
    let held = ui.input(|i| {
        i.events.iter().find_map(|event| match event {
            Event::Key { key: Key::Enter, modifiers, pressed: true, .. } => Some(*modifiers),
            _ => None,
        })
    });
    if held.is_some_and(|held| !held.matches_exact(Modifiers::NONE)) {
        field.request_focus();
    }
    held.is_some_and(|held| held.matches_exact(Modifiers::NONE))
}

/// Which arrow keys belong to a list and not to the way from widget to widget.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrows {
    Vertical,
    Both,
}

/// Keeps the arrow keys for a row that has the focus.
pub(super) fn hold(ui: &Ui, row: Id, arrows: Arrows) {
    let filter =
        EventFilter { vertical_arrows: true, horizontal_arrows: arrows == Arrows::Both, ..EventFilter::default() };
    ui.memory_mut(|m| m.set_focus_lock_filter(row, filter));
}

/// Where Up, Down, Page up, Page down, Home and End lead from a row of a list that is not empty.
pub(super) fn step(ui: &Ui, at: usize, count: usize) -> Option<usize> {
    let last = count.checked_sub(1)?;
    let pressed = |key| ui.input_mut(|i| take(i, Modifiers::NONE, key));
    Some(if pressed(Key::ArrowDown) {
        (at + 1).min(last)
    } else if pressed(Key::ArrowUp) {
        at.saturating_sub(1)
    } else if pressed(Key::PageDown) {
        (at + PAGE).min(last)
    } else if pressed(Key::PageUp) {
        at.saturating_sub(PAGE)
    } else if pressed(Key::Home) {
        0
    } else if pressed(Key::End) {
        last
    } else {
        return None;
    })
}
