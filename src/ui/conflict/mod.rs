//! The hub has a newer version: what merges by itself, a choice for each clash, and acts that are never confused.

mod clash;
mod clean;

use super::dialogs::{Leave, modal};
use super::theme::{self, palette};
use super::{Frame, keys, when, widgets};
use crate::app::tab::{Again, Moved, SaveState};
use crate::app::{Action, Moment, Tab};
use crate::twin::draft::Refusal;
use crate::twin::merge::Choice;
use crate::twin::{Etag, Path, Section};
use egui::{Context, FocusDirection, Key, Modifiers, RichText, ScrollArea, Ui};
use std::collections::HashSet;
use std::time::Duration;

pub(super) const NAME: &str = "The hub has a newer version";

/// Of the clashes that ask again so many are named.
const ASKED: usize = 3;

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
    /// Height of what is below the list, as last painted.
    foot: f32,
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
            ScrollArea::vertical().id_salt("conflict").max_height((screen.height() - 120.0).max(80.0)).show(ui, |ui| {
                lead_ui(f, ui, tab, moved);
                body_ui(f, ui, moved, tab);
                acts_ui(f, ui, tab, moved, hold);
            });
            return;
        }
        lead_ui(f, ui, tab, moved);
        // However much is said above and below, the acts stay in view.
        let room = screen.bottom() - ui.cursor().top() - f.view.conflict.foot - BELOW;
        let list = ScrollArea::vertical().id_salt("conflict").max_height(room.clamp(80.0, LIST_MAX));
        list.auto_shrink([false, true]).show(ui, |ui| body_ui(f, ui, moved, tab));
        let top = ui.cursor().top();
        acts_ui(f, ui, tab, moved, hold);
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
    }
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
    let pressed = |modifiers, key| ctx.input_mut(|i| i.consume_key(modifiers, key));
    if ctx.input_mut(|i| i.consume_shortcut(&keys::SAVE)) && save_off(f, tab, moved).is_none() {
        save(f, tab);
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
    for (choice, _, key) in CHOICES {
        if pressed(Modifiers::NONE, key)
            && let Some((section, clash)) = moved.clashes.get(at)
        {
            let (id, path) = (tab.id.clone(), clash.path.clone());
            f.push(Action::Choose { id, section: *section, path, choice });
            to = next_open(moved, at + 1).unwrap_or(at);
            f.view.conflict.reveal = true;
            f.view.conflict.pressed = (to == at).then_some(choice);
        }
    }
    f.view.conflict.reveal |= down || up || open;
    f.view.conflict.at = to;
}

fn save(f: &mut Frame, tab: &Tab) {
    if let Some(shown) = tab.shown() {
        f.push(Action::SaveMerged { id: tab.id.clone(), shown });
    }
}

/// Why *Save merged* is off.
fn save_off(f: &Frame, tab: &Tab, moved: &Moved) -> Option<String> {
    if moved.unparsed {
        return Some("Your text does not parse yet".to_owned());
    }
    if matches!(tab.save, SaveState::Sending { .. }) {
        return Some("A save is under way".to_owned());
    }
    match (moved.open(), &moved.ready) {
        (0, Some(ready)) => match &ready.outgoing {
            // Nothing to send is a way out too: the draft then stands on the hub's version.
            Err(Refusal::NoChange) | Ok(_) => unseen(f),
            Err(refusal) => Some(refusal.to_string()),
        },
        (0, None) => Some("There is nothing to decide".to_owned()),
        (1, _) => Some("1 clash is open".to_owned()),
        (n, _) => Some(format!("{n} clashes are open")),
    }
}

fn lead_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, moved: &Moved) {
    let Some(draft) = &tab.draft else { return };
    let (base, etag) = (draft.base.version, draft.base.etag.quoted());
    let text = if moved.by_save {
        format!(
            "Your edits of {} began at version {base}, etag {etag}; the hub is at version {}, etag {} now. Nothing was overwritten and nothing you typed is lost.",
            tab.id,
            moved.theirs.version,
            moved.theirs.etag.quoted()
        )
    } else {
        format!(
            "The hub moved {} from version {base} to {}, but not where a save would meet it. Your text is untouched.",
            tab.id, moved.theirs.version
        )
    };
    ui.add(egui::Label::new(text).wrap());
    ui.add_space(4.0);
    let count = moved.clashes.len();
    if moved.unparsed || count == 0 {
        let advice = if moved.unparsed {
            super::describe::sentence(UNPARSED)
        } else {
            "Your paths and theirs do not touch each other: they merge by themselves.".to_owned()
        };
        widgets::weak(ui, advice);
        ui.add_space(8.0);
        return;
    }
    let open = moved.open();
    ui.horizontal_wrapped(|ui| {
        let p = palette(ui);
        let words = match open {
            0 => "No clash is open".to_owned(),
            open => format!("Open clashes: {open} of {count}"),
        };
        let color = if open == 0 { p.good } else { p.bad };
        ui.label(RichText::new(words).font(theme::strong()).color(color));
        for (name, choice) in [("All mine", Choice::Mine), ("All theirs", Choice::Theirs)] {
            if ui.button(name).clicked() {
                f.push(Action::ChooseAll { id: tab.id.clone(), choice });
            }
        }
        widgets::weak(ui, "Up, Down: clash by clash · 1 base, 2 mine, 3 theirs · F8: next open");
    });
    if let Some(again) = &moved.again {
        ui.add(egui::Label::new(RichText::new(again_words(again)).color(palette(ui).warn)).wrap());
    }
    ui.add_space(4.0);
}

/// What the hub's last move did to the choices made before it.
fn again_words(again: &Again) -> String {
    let held = match again.held {
        0 => "no choice holds".to_owned(),
        1 => "1 choice still holds".to_owned(),
        n => format!("{} still hold", when::count(n, "choice")),
    };
    let asked = again.asked.len();
    if asked == 0 {
        return format!("The hub moved again meanwhile: {held}.");
    }
    let named = again.asked.iter().take(ASKED).map(|asked| format!("{} {}", asked.section.word(), asked.path));
    let mut names = named.collect::<Vec<_>>().join(", ");
    if asked > ASKED {
        names = format!("{names} and {} more", asked - ASKED);
    }
    format!("The hub moved again meanwhile: {held}, {asked} to make: {names}.")
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
    clean::list_ui(ui, "Both changed alike", &moved.alike);
    clean::list_ui(ui, TAKEN, &moved.taken);
}

fn ends_unsent(moved: &Moved) -> bool {
    moved.ready.as_ref().is_some_and(|ready| ready.outgoing == Err(Refusal::NoChange))
}

/// One of the buttons below.
fn act_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, moved: &Moved, act: &str, hold: bool) {
    let id = tab.id.clone();
    match act {
        "Save merged" => {
            let off = save_off(f, tab, moved);
            let version = moved.theirs.version;
            let (name, hover) = if ends_unsent(moved) {
                (
                    "Take the hub's version",
                    format!("Your text becomes version {version}, as you chose. Nothing is sent"),
                )
            } else {
                (act, format!("Sends what you chose over version {version}, and over no other"))
            };
            if widgets::primary(ui, name, off.as_deref()).on_hover_text(hover).clicked() {
                save(f, tab);
            }
        }
        "Rebase my edits" => {
            let off = if moved.unparsed { Some("Your text does not parse yet".to_owned()) } else { unseen(f) };
            let hover =
                "Puts your edits onto the hub's version, open clashes with your value. Nothing is sent until you save";
            if widgets::act(ui, act, off.as_deref()).on_hover_text(hover).clicked() {
                f.push(Action::RebaseEdits(id));
            }
        }
        "Decide later" => {
            let later = ui.button(act).on_hover_text("Your edits stay as they are, and your choices stay chosen");
            if hold {
                later.request_focus();
            }
            if later.clicked() {
                f.push(Action::LeaveConflict(id));
            }
        }
        "Reload from hub" => {
            if ui.button(act).on_hover_text("Asks before your edits go").clicked() {
                f.push(Action::ReloadFromHub(id));
            }
        }
        _ => {
            let taken_back = moved.theirs_only.len() + moved.clashes.len();
            let hover = format!(
                "Sends your draft over version {} with etag {}, and over no other; {} of theirs {} taken back",
                moved.theirs.version,
                moved.theirs.etag.quoted(),
                when::count(taken_back, "change"),
                if taken_back == 1 { "is" } else { "are" },
            );
            let off = unseen(f);
            let button = widgets::act(ui, act, off.as_deref());
            if off.is_none() {
                ui.ctx().accesskit_node_builder(button.id, |node| node.set_description(hover.as_str()));
            }
            if button.on_hover_text(&hover).clicked()
                && let Some(shown) = tab.shown()
            {
                f.push(Action::OverwriteHubVersion { id, shown });
            }
        }
    }
}

fn acts_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, moved: &Moved, hold: bool) {
    ui.add_space(8.0);
    let p = palette(ui);
    let (words, color) = match moved.ready.as_ref().map(|ready| &ready.outgoing) {
        None => (String::new(), p.weak),
        Some(Ok(out)) => {
            let (paths, bytes) = (when::count(out.paths, "path"), when::count(out.bytes, "byte"));
            (format!("Will be sent: {bytes}, {paths}, If-Match {}, the hub's", out.if_match.quoted()), p.weak)
        }
        Some(Err(Refusal::NoChange)) => {
            let what = if moved.clashes.is_empty() { "Your text says" } else { "Every choice is" };
            (format!("{what} what the hub has: there is nothing to send"), p.weak)
        }
        Some(Err(refusal)) => (format!("Cannot be sent: {refusal}"), p.bad),
    };
    if !words.is_empty() {
        ui.add(egui::Label::new(RichText::new(words).color(color)).wrap());
        ui.add_space(4.0);
    }
    let (right, left) =
        (["Save merged", "Rebase my edits", "Decide later"], ["Reload from hub", "Overwrite hub version"]);
    if ui.available_width() < NARROW {
        ui.horizontal_wrapped(|ui| {
            for act in right.into_iter().chain(left) {
                act_ui(f, ui, tab, moved, act, hold);
            }
        });
        return;
    }
    // A row of its own height: as high as all that is left it would never let the dialog become smaller again.
    let row = egui::vec2(ui.available_width(), theme::ROW);
    ui.allocate_ui_with_layout(row, egui::Layout::right_to_left(egui::Align::Center), |ui| {
        for act in right {
            act_ui(f, ui, tab, moved, act, hold);
        }
        ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
            for act in left {
                act_ui(f, ui, tab, moved, act, hold);
            }
        });
    });
}
