//! Below the clashes: what would be sent, what an overwrite takes back, and the ways out.

use super::{NARROW, unseen};
use crate::app::tab::{Moved, SaveState, Tried};
use crate::app::{Action, Tab};
use crate::twin::draft::Refusal;
use crate::ui::theme::{self, palette};
use crate::ui::{Frame, when, widgets};
use egui::{RichText, Ui};

const OVERWRITE: &str = "Overwrite hub version";

/// Of the paths an overwrite takes back so many are named.
const BACK: usize = 4;

pub(super) fn save(f: &mut Frame, tab: &Tab) {
    if let Some(shown) = tab.shown() {
        f.push(Action::SaveMerged { id: tab.id.clone(), shown });
    }
}

/// Why *Save merged* is off.
pub(super) fn save_off(f: &Frame, tab: &Tab, moved: &Moved) -> Option<String> {
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
        "Rebase and replace…" => {
            let off = if moved.unparsed { Some("Your text does not parse yet".to_owned()) } else { unseen(f) };
            let hover = "Puts your edits onto the hub's version as chosen, and asks before the whole takes its place";
            if widgets::act(ui, act, off.as_deref()).on_hover_text(hover).clicked() {
                f.push(Action::RebaseEdits(id.clone()));
                f.push(Action::ShowReplace(id));
            }
        }
        _ => {
            let (version, etag) = (moved.theirs.version, moved.theirs.etag.quoted());
            let hover = format!(
                "Sends your draft over version {version} with etag {etag}, and over no other. {}",
                back_words(moved)
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

pub(super) fn ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, moved: &Moved, hold: bool) {
    ui.add_space(8.0);
    let p = palette(ui);
    for (words, color) in [(sent_words(f, tab, moved), p.weak), (back_words(moved), p.warn)] {
        if !words.is_empty() {
            ui.add(egui::Label::new(RichText::new(words).color(color)).truncate());
        }
    }
    ui.add_space(4.0);
    let right = ["Save merged", "Rebase my edits", "Decide later"];
    let mut left = vec!["Reload from hub", OVERWRITE];
    if moved.refused == Some(Tried::Replace) {
        left.push("Rebase and replace…");
    }
    if ui.available_width() < NARROW {
        ui.horizontal_wrapped(|ui| {
            for act in right.into_iter().chain(left.iter().copied()) {
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
            for act in &left {
                act_ui(f, ui, tab, moved, act, hold);
            }
        });
    });
}

/// What *Save merged* would do, or why it does nothing now.
fn sent_words(f: &Frame, tab: &Tab, moved: &Moved) -> String {
    match moved.ready.as_ref().map(|ready| &ready.outgoing) {
        None => save_off(f, tab, moved).map(|why| format!("Nothing is sent yet: {}", lower(&why))).unwrap_or_default(),
        Some(Ok(out)) => {
            let (paths, bytes) = (when::count(out.paths, "path"), when::count(out.bytes, "byte"));
            format!("Save merged sends {bytes}, {paths}, If-Match {}, the hub's", out.if_match.quoted())
        }
        Some(Err(Refusal::NoChange)) => {
            let what = if moved.clashes.is_empty() { "Your text says" } else { "Every choice is" };
            format!("{what} what the hub has: there is nothing to send")
        }
        Some(Err(refusal)) => format!("Cannot be sent: {refusal}"),
    }
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// What an overwrite would undo of others, by path.
fn back_words(moved: &Moved) -> String {
    let paths = &moved.takes_back;
    if paths.is_empty() {
        return String::new();
    }
    let first = paths.iter().take(BACK).map(|(section, path)| format!("{} {path}", section.word()));
    let mut names = first.collect::<Vec<_>>().join(", ");
    if paths.len() > BACK {
        names = format!("{names} and {} more", when::grouped(paths.len() - BACK));
    }
    format!("{OVERWRITE} takes back {} of theirs: {names}", when::count(paths.len(), "change"))
}
