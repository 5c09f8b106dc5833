//! The last line: where the caret is, whether the text is right, what is running, which hub.

use super::theme::{self, palette};
use super::{Frame, when, widgets};
use crate::app::tab::Pane;
use crate::app::{Action, HubState, Running};
use crate::twin::{Section, rules};
use crate::worker::Key;
use egui::{Align, Layout, RichText, Ui};

pub(super) fn ui(f: &mut Frame, ui: &mut Ui) {
    let back = palette(ui).frame;
    let frame = egui::Frame::new().fill(back).inner_margin(egui::Margin::symmetric(12, 0));
    egui::Panel::bottom("status").frame(frame).resizable(false).exact_size(theme::ROW).show(ui, |ui| {
        ui.style_mut().override_text_style = Some(egui::TextStyle::Small);
        ui.horizontal_centered(|ui| {
            ui.spacing_mut().item_spacing.x = 16.0;
            text_ui(f, ui);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.add(egui::Label::new(weak(ui, hub_words(f))).truncate());
                super::faults::badge_ui(f, ui);
                running_ui(f, ui);
            });
        });
    });
}

fn weak(ui: &Ui, text: String) -> RichText {
    RichText::new(text).color(palette(ui).weak)
}

fn hub_words(f: &Frame) -> String {
    match &f.app.hub {
        HubState::Open(info) => format!("{}, api {}", info.name, info.api_version),
        HubState::Starting => "local hub starting".to_owned(),
        HubState::Opening { .. } => "connecting".to_owned(),
        HubState::Failed { .. } => "no hub".to_owned(),
    }
}

fn text_ui(f: &mut Frame, ui: &mut Ui) {
    let p = palette(ui);
    let Some(tab) = f.app.active_tab() else {
        ui.label(weak(ui, "no twin open".to_owned()));
        return;
    };
    let section = match tab.pane {
        Pane::Desired => Section::Desired,
        Pane::Tags => Section::Tags,
        Pane::Messages | Pane::Methods | Pane::History | Pane::Compare => return,
        _ => {
            ui.label(weak(ui, "read-only".to_owned()));
            return;
        }
    };
    let Some(draft) = &tab.draft else { return };
    let part = draft.section(section);
    if let Some((line, column)) = f.view.editor.caret {
        ui.label(weak(ui, format!("line {line}, column {column}")));
    }
    match part.problems.len() {
        0 => ui.label(RichText::new("JSON valid").color(p.good)),
        n => ui.label(RichText::new(when::count(n, "problem")).color(p.bad)),
    };
    if let Some(size) = part.size {
        let max = rules::max_size(section);
        let color = if size > max { p.bad } else { p.weak };
        let words = format!("{} {} of {} KB", section.word(), when::kb(size), max / 1024);
        ui.label(RichText::new(words).color(color));
    }
}

/// What is over sooner would only flicker.
const PATIENCE_MS: u64 = 300;

fn running_ui(f: &mut Frame, ui: &mut Ui) {
    let mut running: Vec<(&Key, &Running)> = f.app.running.iter().collect();
    running.sort_by_key(|(key, _)| **key);
    let Some((key, first)) = running.first() else { return };
    let ms = f.app.now.ms.saturating_sub(first.since.ms);
    if ms < PATIENCE_MS {
        ui.ctx().request_repaint_after(std::time::Duration::from_millis(PATIENCE_MS - ms));
        return;
    }
    if running.len() == 1 {
        if widgets::quiet(ui, "Cancel").on_hover_text(&first.what).clicked() {
            f.push(Action::Cancel(**key));
        }
        let waits = super::waiting::words(f, ui.ctx(), **key).map(|waits| format!(". {waits}")).unwrap_or_default();
        ui.add(egui::Label::new(weak(ui, format!("{}{waits}", first.what))).truncate());
        return;
    }
    ui.menu_button(RichText::new(format!("{} requests running", running.len())).font(theme::small()), |ui| {
        for (key, run) in running {
            let waits = super::waiting::words(f, ui.ctx(), *key).map(|waits| format!(". {waits}")).unwrap_or_default();
            if ui.button(format!("Cancel: {}{waits}", run.what)).clicked() {
                f.push(Action::Cancel(*key));
            }
        }
    });
}
