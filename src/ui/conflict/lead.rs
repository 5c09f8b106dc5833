//! Above the clashes: where the edits began and where the hub is, what was not done for it, how many choices are to be made.

use super::UNPARSED;
use crate::app::tab::{Again, Moved, Tried};
use crate::app::{Action, Tab};
use crate::twin::merge::Choice;
use crate::ui::theme::{self, palette};
use crate::ui::{Frame, when, widgets};
use egui::Ui;

/// Of the clashes that ask again so many are named.
const ASKED: usize = 3;

pub(super) fn ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, moved: &Moved) {
    let Some(draft) = &tab.draft else { return };
    let (base, etag) = (draft.base.version, draft.base.etag.quoted());
    let text = if moved.recreated {
        format!(
            "{} was deleted and created again. Your edits began at version {base}, etag {etag}, of the twin before; the new one is at version {}, etag {}. Nothing was overwritten and nothing you typed is lost.",
            tab.id,
            moved.theirs.version,
            moved.theirs.etag.quoted()
        )
    } else if moved.by_save {
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
    if let Some(words) = moved.refused.and_then(refused_words) {
        ui.add(egui::Label::new(crate::ui::widgets::shown(words).color(palette(ui).warn)).wrap());
    }
    ui.add_space(4.0);
    let count = moved.clashes.len();
    if moved.unparsed || count == 0 {
        let advice = if moved.unparsed {
            crate::ui::describe::sentence(UNPARSED)
        } else {
            "Your paths and theirs do not touch each other: they merge by themselves.".to_owned()
        };
        widgets::weak(ui, advice);
        ui.add_space(8.0);
        return;
    }
    choices_ui(f, ui, tab, moved);
    news_ui(ui, moved);
    ui.add_space(4.0);
}

fn choices_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, moved: &Moved) {
    let (open, count) = (moved.open(), moved.clashes.len());
    ui.horizontal_wrapped(|ui| {
        let p = palette(ui);
        let off = super::unseen(f);
        // First, so that they stay where they are whatever the words are.
        for (name, choice) in [("All mine", Choice::Mine), ("All theirs", Choice::Theirs)] {
            if widgets::act(ui, name, off.as_deref()).clicked() {
                f.push(Action::ChooseAll { id: tab.id.clone(), choice });
            }
        }
        let words = match open {
            0 => "No clash is open".to_owned(),
            open => format!("Open clashes: {open} of {count}"),
        };
        let color = if open == 0 { p.good } else { p.bad };
        ui.label(crate::ui::widgets::shown(words).font(theme::strong()).color(color));
    });
}

/// One line in every case: what comes up while somebody aims at a button must not push it away.
fn news_ui(ui: &mut Ui, moved: &Moved) {
    let p = palette(ui);
    let (words, color) = match &moved.again {
        Some(again) => (again_words(again), p.warn),
        None => ("Up, Down: clash by clash · 1 base, 2 mine, 3 theirs · F8: next open".to_owned(), p.weak),
    };
    ui.add(egui::Label::new(crate::ui::widgets::shown(words).color(color)).truncate());
}

/// What the person asked for and did not get.
fn refused_words(tried: Tried) -> Option<&'static str> {
    match tried {
        Tried::Save => None,
        Tried::Merged => Some("What you chose was not sent: the hub had moved from the version you looked at."),
        Tried::Overwrite => {
            Some("The overwrite was not done: the hub had moved from the version you looked at. Look once more.")
        }
        Tried::Replace => Some(
            "You meant to replace the twin, and it was not done: the hub has moved. Rebase and replace… puts your edits onto its version and asks anew.",
        ),
    }
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
    let first = again.asked.iter().take(ASKED).map(|asked| format!("{} {}", asked.section.word(), asked.path));
    let mut names = first.collect::<Vec<_>>().join(", ");
    if asked > ASKED {
        names = format!("{names} and {} more", asked - ASKED);
    }
    format!("The hub moved again meanwhile: {held}, {asked} to make: {names}.")
}
