//! The hub has a newer version: base, mine and theirs side by side, and three acts that are never confused.

use super::dialogs::{Leave, modal};
use super::theme::{self, palette};
use super::{Frame, widgets};
use crate::app::tab::Moved;
use crate::app::{Action, Tab};
use crate::twin::diff::Change;
use crate::twin::text::compact;
use crate::twin::{Json, Section};
use egui::{Context, RichText, ScrollArea, Ui};

pub(super) const NAME: &str = "The hub has a newer version";

/// Why nothing can be compared.
pub(super) const UNPARSED: &str = "your text does not parse, so it cannot be compared yet; correct it first";

/// Nobody asked for this dialog: keys pressed so soon after it came were meant for the text.
const TYPED_ELSEWHERE_MS: u64 = 500;

pub(super) fn ui(f: &mut Frame, ctx: &Context) {
    let Some(tab) = f.app.active_tab().filter(|tab| tab.conflict_open) else { return };
    let Some(moved) = &tab.moved else { return };
    // Under a question of its own it keeps still.
    let front = f.app.dialog.is_none();
    if front && f.view.take_fresh(NAME) {
        f.view.conflict_since = Some(f.app.now);
    }
    let hold = front && f.view.conflict_since.is_some_and(|at| f.app.now.ms.saturating_sub(at.ms) < TYPED_ELSEWHERE_MS);
    if hold {
        // Esc only leaves, and loses nothing.
        let other = |event: &egui::Event| matches!(event, egui::Event::Key { key, .. } if *key != egui::Key::Escape);
        ctx.input_mut(|i| i.events.retain(|event| !other(event)));
    }
    let left = modal(ctx, NAME, 720.0, Leave::OnBackdrop, |ui| {
        lead_ui(ui, tab, moved);
        table_ui(ui, tab, moved);
        ui.add_space(12.0);
        acts_ui(f, ui, tab, moved, hold);
    });
    if left && f.app.dialog.is_none() {
        f.push(Action::LeaveConflict(tab.id.clone()));
    }
}

fn lead_ui(ui: &mut Ui, tab: &Tab, moved: &Moved) {
    let base = tab.draft.as_ref().map_or(0, |draft| draft.base.version);
    let text = if moved.by_save {
        format!(
            "Your edits of {} began at version {base}; the hub is at version {} now. Nothing was overwritten and nothing you typed is lost.",
            tab.id, moved.theirs.version
        )
    } else {
        format!(
            "The hub moved {} from version {base} to {}, but not where a save would meet it. Your text is untouched.",
            tab.id, moved.theirs.version
        )
    };
    ui.add(egui::Label::new(text).wrap());
    ui.add_space(4.0);
    let advice = match moved.clashes.len() {
        _ if moved.unparsed => super::describe::sentence(UNPARSED),
        0 => "Your paths and theirs do not touch each other: rebasing merges them.".to_owned(),
        1 => "1 path was changed by both sides.".to_owned(),
        n => format!("{n} paths were changed by both sides."),
    };
    widgets::weak(ui, advice);
    ui.add_space(8.0);
}

/// One path of the table.
struct Line<'a> {
    path: String,
    section: Section,
    who: &'static str,
    base: Option<&'a Json>,
    mine: Option<&'a Json>,
    theirs: Option<&'a Json>,
}

fn lines<'a>(tab: &'a Tab, moved: &'a Moved) -> Vec<Line<'a>> {
    let mut lines: Vec<Line> = moved
        .clashes
        .iter()
        .map(|(section, clash)| Line {
            path: clash.path.to_string(),
            section: *section,
            who: "both",
            base: clash.base.as_ref(),
            mine: clash.mine.as_ref(),
            theirs: clash.theirs.as_ref(),
        })
        .collect();
    let clashing = |section: Section, change: &Change| {
        moved.clashes.iter().any(|(s, clash)| *s == section && clash.path == change.path)
    };
    for (section, change) in &moved.changes {
        if !clashing(*section, change) {
            lines.push(Line {
                path: change.path.to_string(),
                section: *section,
                who: "theirs",
                base: change.before.as_ref(),
                mine: change.before.as_ref(),
                theirs: change.after.as_ref(),
            });
        }
    }
    if let Some(draft) = &tab.draft {
        for section in [Section::Desired, Section::Tags] {
            for change in &draft.section(section).changes {
                if !clashing(section, change) {
                    lines.push(Line {
                        path: change.path.to_string(),
                        section,
                        who: "mine",
                        base: change.before.as_ref(),
                        mine: change.after.as_ref(),
                        theirs: change.before.as_ref(),
                    });
                }
            }
        }
    }
    lines
}

fn table_ui(ui: &mut Ui, tab: &Tab, moved: &Moved) {
    let lines = lines(tab, moved);
    let p = palette(ui);
    let height = (ui.ctx().content_rect().height() - 260.0).clamp(80.0, 320.0);
    ScrollArea::both().id_salt("conflict").max_height(height).auto_shrink([false, true]).show(ui, |ui| {
        egui::Grid::new("conflict").num_columns(5).spacing([16.0, 4.0]).striped(true).show(ui, |ui| {
            for head in ["Changed by", "Path", "Base", "Mine", "Theirs"] {
                ui.label(RichText::new(head).font(theme::strong()));
            }
            ui.end_row();
            for line in lines.iter().take(500) {
                let color = if line.who == "both" { p.bad } else { p.weak };
                ui.label(RichText::new(line.who).color(color));
                let path = format!("{} {}", line.section.word(), line.path);
                ui.add(egui::Label::new(RichText::new(path).font(theme::mono())).selectable(true).extend());
                for (value, own) in [(line.base, "mine"), (line.mine, "theirs"), (line.theirs, "mine")] {
                    let strong = line.who == "both" || own != line.who;
                    value_ui(ui, value, if strong { p.text } else { p.weak });
                }
                ui.end_row();
            }
        });
    });
}

fn value_ui(ui: &mut Ui, value: Option<&Json>, color: egui::Color32) {
    let (text, full) = match value {
        None => ("absent".to_owned(), None),
        Some(json) => {
            let full = compact(json);
            match full.char_indices().nth(48) {
                Some((at, _)) => (format!("{}…", &full[..at]), Some(full)),
                None => (full, None),
            }
        }
    };
    let font = if value.is_some() { theme::mono() } else { theme::body() };
    let label = ui.add(egui::Label::new(RichText::new(text).font(font).color(color)).selectable(true).extend());
    if let Some(full) = full {
        label.on_hover_text(full.chars().take(2000).collect::<String>());
    }
}

fn acts_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, moved: &Moved, hold: bool) {
    let id = &tab.id;
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        let off = moved.unparsed.then_some("Your text does not parse yet");
        let rebase = widgets::primary(ui, "Rebase my edits", off)
            .on_hover_text("Puts your edits onto the hub's version. Nothing is sent until you save");
        if rebase.clicked() {
            f.push(Action::RebaseEdits(id.clone()));
        }
        let later = ui.button("Decide later");
        if hold {
            later.request_focus();
        }
        if later.clicked() {
            f.push(Action::LeaveConflict(id.clone()));
        }
        ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
            if ui.button("Reload from hub").on_hover_text("Asks before your edits go").clicked() {
                f.push(Action::ReloadFromHub(id.clone()));
            }
            let hover = format!(
                "Sends your draft over version {} with etag {}, and over no other",
                moved.theirs.version,
                moved.theirs.etag.quoted()
            );
            if ui.button("Overwrite hub version").on_hover_text(hover).clicked() {
                f.push(Action::OverwriteHubVersion { id: id.clone(), shown: moved.theirs.etag.clone() });
            }
        });
    });
}
