//! The dialog *Settings*: theme, zoom, and how much of the past is kept.

use super::dialogs::{Leave, acts, modal};
use super::theme::palette;
use super::{Frame, keys, when, widgets};
use crate::app::Action;
use crate::app::settings::{SettingsAct, SettingsForm};
use crate::disk::{JournalBounds, ThemeChoice};
use egui::{Context, Id, Key, RichText, Ui};

const NAME: &str = "Settings";

fn push(f: &mut Frame, act: SettingsAct) {
    f.push(Action::Settings(act));
}

/// Whether it was left.
pub(super) fn ui(f: &mut Frame, ctx: &Context, form: &SettingsForm) -> bool {
    let fresh = f.view.take_fresh(NAME);
    modal(ctx, NAME, 480.0, Leave::OnBackdrop, |ui| {
        widgets::heading(ui, "Look");
        egui::Grid::new("look").num_columns(2).spacing([16.0, 8.0]).min_col_width(96.0).show(ui, |ui| {
            theme_ui(f, ui, fresh);
            ui.end_row();
            zoom_ui(f, ui);
            ui.end_row();
        });
        ui.add_space(12.0);
        widgets::heading(ui, "History");
        let text = "Every version of a twin that is seen is kept on this machine. What is older goes, then the oldest until the rest has room. The newest version of a twin stays";
        let color = palette(ui).weak;
        ui.add(egui::Label::new(RichText::new(text).color(color)).wrap());
        ui.add_space(4.0);
        egui::Grid::new("history-bounds").num_columns(2).spacing([16.0, 8.0]).min_col_width(96.0).show(ui, |ui| {
            let megabytes = Bound {
                name: "History size, MB",
                word: "Size, at most",
                unit: "MB",
                text: &form.megabytes,
                problem: form.megabytes().err(),
            };
            bound_ui(f, ui, &megabytes, SettingsAct::Megabytes);
            ui.end_row();
            let days = Bound {
                name: "History age, days",
                word: "Age, at most",
                unit: "days",
                text: &form.days,
                problem: form.days().err(),
            };
            bound_ui(f, ui, &days, SettingsAct::Days);
            ui.end_row();
        });
        if let Some(bounds) = form.lower {
            lower_ui(f, ui, bounds);
        }
        acts(ui, |ui| {
            if ui.button("Close").clicked() {
                f.push(Action::CloseDialog);
            }
            if ui.button("Connections…").clicked() {
                f.push(Action::ShowConnections);
            }
        });
    })
}

fn theme_ui(f: &mut Frame, ui: &mut Ui, fresh: bool) {
    widgets::weak(ui, "Theme");
    ui.horizontal(|ui| {
        let now = f.app.settings.theme;
        for (theme, word) in
            [(ThemeChoice::System, "As the system"), (ThemeChoice::Light, "Light"), (ThemeChoice::Dark, "Dark")]
        {
            let choice = ui.radio(now == theme, word);
            if fresh && now == theme {
                choice.request_focus();
            }
            if choice.clicked() {
                f.push(Action::SetTheme(theme));
            }
        }
    });
}

fn zoom_ui(f: &mut Frame, ui: &mut Ui) {
    widgets::weak(ui, "Zoom");
    ui.horizontal(|ui| {
        let zoom = f.app.settings.zoom.unwrap_or(1.0);
        for (word, name, to) in [
            ("−", "Zoom out", keys::zoomed(zoom, -1)),
            ("+", "Zoom in", keys::zoomed(zoom, 1)),
            ("100 %", "Zoom to 100 %", 1.0),
        ] {
            let off = ((zoom - to).abs() < 0.001).then_some("It is there already");
            let button = ui.add_enabled(off.is_none(), egui::Button::new(word)).accessible_name(name);
            if button.on_hover_text(name).clicked() {
                f.push(Action::SetZoom(to));
            }
        }
        ui.label(format!("{:.0} %", zoom * 100.0));
    });
}

/// A number that is typed.
struct Bound<'a> {
    /// With its unit, for a screen reader.
    name: &'static str,
    word: &'static str,
    unit: &'static str,
    text: &'a str,
    problem: Option<String>,
}

fn bound_ui(f: &mut Frame, ui: &mut Ui, bound: &Bound, typed: impl Fn(String) -> SettingsAct) {
    widgets::weak(ui, bound.word);
    ui.horizontal(|ui| {
        let id = Id::unique(("setting", bound.name));
        let (field, text) = widgets::field(ui, id, bound.name, bound.text, "", 80.0);
        if let Some(text) = text {
            push(f, typed(text));
        }
        // Esc leaves the dialog, and what is half typed with it.
        if field.lost_focus() && !ui.input(|i| i.key_pressed(Key::Escape)) {
            push(f, SettingsAct::Leave);
        }
        widgets::weak(ui, bound.unit);
        if let Some(problem) = &bound.problem {
            ui.ctx().accesskit_node_builder(field.id, |node| {
                node.set_invalid(egui::accesskit::Invalid::True);
                node.set_description(problem.as_str());
            });
            let color = palette(ui).bad;
            ui.add(egui::Label::new(RichText::new(problem).color(color)).wrap());
        }
    });
}

/// Lower bounds delete: asked about, and the safe answer first.
fn lower_ui(f: &mut Frame, ui: &mut Ui, bounds: JournalBounds) {
    let now = f.app.settings.journal;
    let said = |bounds: JournalBounds| {
        let (megabytes, days) = (when::grouped(bounds.megabytes as usize), when::count(bounds.days as usize, "day"));
        format!("{megabytes} MB and {days}")
    };
    let text = format!(
        "The bounds are {} now. With {} instead, what is beyond them is deleted from this machine and does not come back",
        said(now),
        said(bounds)
    );
    ui.add_space(4.0);
    let back = palette(ui).warn_back;
    egui::Frame::new().fill(back).inner_margin(egui::Margin::symmetric(12, 8)).corner_radius(4).show(ui, |ui| {
        ui.add(egui::Label::new(text).wrap());
        ui.horizontal(|ui| {
            if ui.button("Keep older versions").clicked() {
                push(f, SettingsAct::Keep);
            }
            if ui.button("Delete older versions").clicked() {
                push(f, SettingsAct::Lower);
            }
        });
    });
}
