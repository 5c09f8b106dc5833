//! The hub has a newer version: what merges by itself, a choice for each clash, and acts that are never confused.

mod acts;
mod clash;
mod clean;
mod lead;

use super::dialogs::{self, Leave, modal};
use super::{Frame, keys, press};
use crate::app::tab::Moved;
use crate::app::{Action, Moment, Tab};
use crate::twin::merge::Choice;
use crate::twin::{Etag, Path, Section};
use egui::{Context, FocusDirection, Id, Key, Modifiers, Ui};
use std::collections::HashSet;
use std::time::Duration;

pub(super) const NAME: &str = "The hub has a newer version";

/// What came in by itself.
const TAKEN: &str = "Already in your text";

/// Why nothing can be compared.
pub(super) const UNPARSED: &str = "your text does not parse, so it cannot be compared yet; correct it first";

/// Nobody asked for this dialog: keys pressed so soon after it came were meant for the text.
const TYPED_ELSEWHERE_MS: u64 = 500;

/// A click so soon after the hub moved under the view was meant for what stood there before.
const UNSEEN_MS: u64 = 700;

/// Below this width in points the buttons take more than one row, and below this height everything scrolls as one.
const NARROW: f32 = 600.0;
const LOW: f32 = 440.0;

/// In points: the margin of the dialog and that of the window, and the most a list of clashes takes.
const BELOW: f32 = 16.0 + 12.0;
const LIST_MAX: f32 = 800.0;
/// And the least it comes up with, for clashes may come.
const LIST_MIN: f32 = 240.0;

/// What the view remembers between frames.
#[derive(Default)]
pub(super) struct ConflictView {
    /// When it came up.
    since: Option<Moment>,
    /// The hub's version in view, and when another came under it; `None` for the one it came up with.
    version: Option<(Etag, Option<Moment>)>,
    /// The clash the keys act on, and where it is: others may come before it.
    at: usize,
    place: Option<(Section, Path)>,
    /// It was walked to by key: into view with it, and the focus with it.
    reveal: bool,
    /// What a key just chose there.
    pressed: Option<Choice>,
    /// It is to come into view, and the focus stays where it is.
    scroll: bool,
    /// The side that has the focus: Enter is no choice.
    radio: Option<Id>,
    /// Height of what is below the list, as last painted.
    foot: f32,
    /// Height of the list: it stays as it came up, so that nothing moves under the pointer.
    list: Option<f32>,
    unfolded: HashSet<(Section, Path)>,
    /// Heights of the clashes as last painted, in order: those out of view are not painted.
    heights: Vec<f32>,
}

/// The three values of a clash in the order they stand in, and of the keys 1, 2, 3.
const CHOICES: [(Choice, &str, Key); 3] =
    [(Choice::Base, "Base", Key::Num1), (Choice::Mine, "Mine", Key::Num2), (Choice::Theirs, "Theirs", Key::Num3)];

pub(super) fn ui(f: &mut Frame, ctx: &Context) {
    let Some(tab) = f.app.active_tab().filter(|tab| tab.conflict_open) else { return };
    let Some(moved) = &tab.moved else { return };
    // Under a question of its own it keeps still.
    let front = f.app.dialog.is_none();
    if front && f.view.take_fresh(NAME) {
        let at = next_open(moved, 0).unwrap_or(0);
        let version = Some((moved.theirs.etag.clone(), None));
        let (since, foot) = (Some(f.app.now), f.view.conflict.foot);
        f.view.conflict = ConflictView { since, at, version, foot, scroll: true, ..ConflictView::default() };
    }
    watch_version(f, ctx, moved);
    keep_place(f, moved);
    let since = f.view.conflict.since;
    let hold = front && since.is_some_and(|at| f.app.now.ms.saturating_sub(at.ms) < TYPED_ELSEWHERE_MS);
    if hold {
        // Esc only leaves, and loses nothing.
        let other = |event: &egui::Event| matches!(event, egui::Event::Key { key, .. } if *key != egui::Key::Escape);
        ctx.input_mut(|i| i.events.retain(|event| !other(event)));
    } else if front {
        listen(f, ctx, tab, moved);
    }
    let screen = ctx.content_rect();
    let left = modal(ctx, NAME, 960.0, Leave::OnBackdrop, |ui| {
        if screen.height() < LOW || ui.available_width() < NARROW {
            dialogs::list((screen.height() - 120.0).max(80.0)).id_salt("conflict").show(ui, |ui| {
                lead::ui(f, ui, tab, moved);
                body_ui(f, ui, moved, tab);
                acts::ui(f, ui, tab, moved, hold);
            });
            return;
        }
        lead::ui(f, ui, tab, moved);
        // However much is said above and below, the acts stay in view.
        let room = (screen.bottom() - ui.cursor().top() - f.view.conflict.foot - BELOW).max(80.0);
        let height = f.view.conflict.list;
        let list = dialogs::list(height.unwrap_or(LIST_MAX).min(room)).id_salt("conflict");
        let shown = list.auto_shrink([false, height.is_none()]).show(ui, |ui| body_ui(f, ui, moved, tab));
        if height.is_none() {
            f.view.conflict.list = Some(shown.content_size.y.clamp(LIST_MIN, LIST_MAX));
        }
        let top = ui.cursor().top();
        acts::ui(f, ui, tab, moved, hold);
        let foot = ui.min_rect().bottom() - top;
        if (foot - f.view.conflict.foot).abs() > 0.5 {
            f.view.conflict.foot = foot;
            ui.ctx().request_discard("the acts below the clashes take another room");
        }
    });
    note_place(f, moved);
    if left && f.app.dialog.is_none() {
        f.push(Action::LeaveConflict(tab.id.clone()));
    }
}

/// Notes when another version of the hub came under the view.
fn watch_version(f: &mut Frame, ctx: &Context, moved: &Moved) {
    let now = f.app.now;
    let Some((etag, came)) = &mut f.view.conflict.version else { return };
    if *etag != moved.theirs.etag {
        (*etag, *came) = (moved.theirs.etag.clone(), Some(now));
        let asks = |at: &usize| {
            let clash = moved.clashes.get(*at);
            clash.is_some_and(|(section, clash)| moved.asked(*section, &clash.path).is_some())
        };
        if let Some(at) = (0..moved.clashes.len()).find(asks) {
            (f.view.conflict.at, f.view.conflict.place, f.view.conflict.scroll) = (at, None, true);
        }
    }
    let Some((_, came)) = &mut f.view.conflict.version else { return };
    if let Some(at) = *came {
        let age = now.ms.saturating_sub(at.ms);
        if age < UNSEEN_MS {
            ctx.request_repaint_after(Duration::from_millis(UNSEEN_MS - age));
        } else {
            *came = None;
        }
    }
}

/// The keys stay on their clash when the hub's move brings others before it, or takes some away.
fn keep_place(f: &mut Frame, moved: &Moved) {
    let view = &mut f.view.conflict;
    let is = |at: &usize, (section, path): &(Section, Path)| {
        moved.clashes.get(*at).is_some_and(|(s, clash)| s == section && clash.path == *path)
    };
    if let Some(place) = view.place.take_if(|place| !is(&view.at, place)) {
        let found = (0..moved.clashes.len()).find(|at| is(at, &place));
        view.at = found.or_else(|| next_open(moved, 0)).unwrap_or(0);
    }
}

fn note_place(f: &mut Frame, moved: &Moved) {
    let view = &mut f.view.conflict;
    let Some((section, clash)) = moved.clashes.get(view.at) else { return };
    if view.place.as_ref().is_none_or(|(s, path)| s != section || *path != clash.path) {
        view.place = Some((*section, clash.path.clone()));
    }
}

/// Why nothing is sent over the version in view, for a moment: nobody can have seen it.
fn unseen(f: &Frame) -> Option<String> {
    let (_, came) = f.view.conflict.version.as_ref()?;
    came.map(|_| "The hub moved just now: look once more".to_owned())
}

/// The first clash from `from` on that is open, from the top again if need be.
fn next_open(moved: &Moved, from: usize) -> Option<usize> {
    let count = moved.chosen.len();
    (from..count).chain(0..from.min(count)).find(|at| moved.chosen.get(*at) == Some(&None))
}

fn listen(f: &mut Frame, ctx: &Context, tab: &Tab, moved: &Moved) {
    let pressed = |modifiers, key| ctx.input_mut(|i| press::take(i, modifiers, key));
    if ctx.input_mut(|i| press::take_shortcut(i, keys::SAVE)) && acts::save_off(f, tab, moved).is_none() {
        acts::save(f, tab);
    }
    let last = moved.clashes.len().saturating_sub(1);
    let at = f.view.conflict.at.min(last);
    let down = pressed(Modifiers::NONE, Key::ArrowDown) || pressed(Modifiers::ALT, Key::ArrowDown);
    let up = pressed(Modifiers::NONE, Key::ArrowUp) || pressed(Modifiers::ALT, Key::ArrowUp);
    let open = pressed(Modifiers::NONE, Key::F8);
    let mut to = at;
    if down || up {
        to = if down { (at + 1).min(last) } else { at.saturating_sub(1) };
        // Not the focus too, by its own rules.
        ctx.memory_mut(|m| m.move_focus(FocusDirection::None));
    }
    if open {
        to = next_open(moved, at + 1).unwrap_or(at);
    }
    f.view.conflict.pressed = None;
    // Enter on a side would choose it as Space does: but it is pressed to go on, by one who has chosen already.
    let focused = ctx.memory(egui::Memory::focused);
    if focused.is_some() && focused == f.view.conflict.radio {
        pressed(Modifiers::NONE, Key::Enter);
    }
    let seen = unseen(f).is_none();
    for (choice, _, key) in CHOICES {
        if pressed(Modifiers::NONE, key)
            && seen
            && let Some((section, clash)) = moved.clashes.get(at)
        {
            let (id, path) = (tab.id.clone(), clash.path.clone());
            f.push(Action::Choose { id, section: *section, path, choice });
            f.view.conflict.reveal = true;
            f.view.conflict.pressed = Some(choice);
        }
    }
    f.view.conflict.reveal |= down || up || open;
    f.view.conflict.at = to;
}

fn body_ui(f: &mut Frame, ui: &mut Ui, moved: &Moved, tab: &Tab) {
    ui.set_max_width(ui.available_width());
    clash::list_ui(f, ui, tab, moved);
    if moved.unparsed {
        clean::list_ui(ui, "Changed on the hub", &moved.changes);
        clean::list_ui(ui, TAKEN, &moved.taken);
        return;
    }
    clean::list_ui(ui, "Only you changed", &moved.mine);
    clean::list_ui(ui, "Only the hub changed", &moved.theirs_only);
    if !moved.theirs_only.is_empty() {
        super::widgets::weak(ui, "Save merged and Rebase my edits keep these");
    }
    clean::list_ui(ui, "Both changed alike", &moved.alike);
    clean::list_ui(ui, TAKEN, &moved.taken);
}
