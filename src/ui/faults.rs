//! The dialog *Faults*: what goes wrong on purpose at a hub of ours, typed one fault a line, and how often each struck.

use super::dialogs::{self, Leave, acts, modal};
use super::editor::{EditorView, Elsewhere, Sheet};
use super::theme::{self, palette};
use super::{Frame, when, widgets};
use crate::app::faults::{FaultsAct, PRESETS};
use crate::app::{Action, Faults};
use crate::protocol::fault::{Counted, Report, Switch};
use crate::worker::Failure;
use egui::{Context, Id, Layout, RichText, Ui, Vec2};

/// Height of the text.
const TEXT: f32 = 104.0;
/// Problems that are listed; the others show when these are mended.
const LISTED: usize = 3;

/// What the dialog remembers.
#[derive(Default)]
pub(super) struct FaultsView {
    editor: EditorView,
}

fn push(f: &mut Frame, act: FaultsAct) {
    f.push(Action::Faults(act));
}

/// In the status bar: how many are on, and the way to them.
pub(super) fn badge_ui(f: &mut Frame, ui: &mut Ui) {
    let on = f.app.faults.in_force();
    if !f.app.has_faults() {
        return;
    }
    let p = palette(ui);
    let clicked = if on > 0 {
        let text = RichText::new(format!("Faults on: {on}")).font(theme::small()).color(p.warn);
        let button = egui::Button::new(text).fill(p.warn_back).min_size(Vec2::new(0.0, 18.0));
        ui.add(button).on_hover_text("This hub fails on purpose: click to see how").clicked()
    } else {
        widgets::quiet(ui, "Faults…").on_hover_text("Let this hub fail on purpose, to test its clients").clicked()
    };
    if clicked {
        f.push(Action::ShowFaults);
    }
}

/// Whether it was left.
pub(super) fn ui(f: &mut Frame, ctx: &Context) -> bool {
    let faults = &f.app.faults;
    let fresh = f.view.take_fresh("Faults");
    modal(ctx, "Faults", 680.0, Leave::OnBackdrop, |ui| {
        if faults.absent {
            ui.label("This hub has no faults to set: only the hubs of this program fail on purpose");
            acts(ui, |ui| close_ui(f, ui));
            return;
        }
        let height = (ui.ctx().content_rect().height() - 190.0).max(160.0);
        dialogs::list(height).show(ui, |ui| {
            widgets::weak(
                ui,
                "What goes wrong on purpose at this hub, one fault a line, for every client: this window too",
            );
            presets_ui(f, ui);
            let id = Id::unique("faults");
            text_ui(f, ui, faults, id);
            if fresh {
                ui.memory_mut(|m| m.request_focus(id));
            }
            problems_ui(f, ui, faults, id);
            seed_ui(f, ui, faults);
            counts_ui(ui, faults);
        });
        if let Some(failure) = &faults.failure {
            ui.add_space(4.0);
            widgets::failure_banner(ui, &super::describe::describe(failure), |_| {});
        }
        acts(ui, |ui| {
            let off = if faults.running.is_some() {
                Some("The hub is being told")
            } else if !faults.problems.is_empty() {
                Some("A fault cannot be read: see below the text")
            } else {
                faults.seed_problem
            };
            if widgets::primary(ui, "Apply", off).clicked() {
                push(f, FaultsAct::Apply);
            }
            let nothing = faults.known.value().is_some_and(|report| report.faults.is_empty()) && faults.text.is_empty();
            let off = if nothing { Some("No faults are set") } else { faults.running.map(|_| "The hub is being told") };
            if widgets::act(ui, "Clear all", off).clicked() {
                push(f, FaultsAct::Clear);
            }
            close_ui(f, ui);
        });
    })
}

fn close_ui(f: &mut Frame, ui: &mut Ui) {
    if ui.button("Close").clicked() {
        f.push(Action::CloseDialog);
    }
}

fn presets_ui(f: &mut Frame, ui: &mut Ui) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(4.0);
        widgets::weak(ui, "Add");
        for (name, line) in PRESETS {
            if ui.button(name).accessible_name(format!("Add fault: {name}")).on_hover_text(line).clicked() {
                push(f, FaultsAct::Add(line));
            }
        }
    });
}

fn text_ui(f: &mut Frame, ui: &mut Ui, faults: &Faults, id: Id) {
    ui.add_space(4.0);
    let p = palette(ui);
    let frame = egui::Frame::new().fill(p.paper).stroke(egui::Stroke::new(1.0, p.line)).corner_radius(4);
    frame.show(ui, |ui| {
        ui.allocate_ui_with_layout(Vec2::new(ui.available_width(), TEXT), Layout::top_down(egui::Align::Min), |ui| {
            let sheet = Sheet {
                id,
                name: "Faults, one a line",
                text: &faults.text,
                problems: &faults.problems,
                marks: &[],
                elsewhere: Elsewhere::Mine,
            };
            if let Some(text) = f.view.faults.editor.ui(ui, &sheet) {
                push(f, FaultsAct::Text(text));
            }
        });
    });
}

/// Always a line, so that nothing below it jumps while a fault is typed.
fn problems_ui(f: &mut Frame, ui: &mut Ui, faults: &Faults, id: Id) {
    let p = palette(ui);
    if faults.problems.is_empty() {
        let words =
            "latency, 429, 503, drop, lose, evict or skew; then on=, id=, p=, nth=, every=, first=, times=, for=";
        widgets::weak(ui, words);
        return;
    }
    for problem in faults.problems.iter().take(LISTED) {
        let text = format!("Line {}, column {}: {}", problem.line, problem.column, problem.message);
        let link = egui::Label::new(RichText::new(&text).color(p.bad)).sense(egui::Sense::click()).wrap();
        if ui.add(link).clicked() {
            f.view.faults.editor.go(ui.ctx(), id, &faults.text, problem.range.clone());
        }
    }
    if faults.problems.len() > LISTED {
        widgets::weak(ui, format!("and {} more", faults.problems.len() - LISTED));
    }
}

fn seed_ui(f: &mut Frame, ui: &mut Ui, faults: &Faults) {
    ui.horizontal(|ui| {
        widgets::weak(ui, "Seed");
        let id = Id::unique("faults-seed");
        let (_, changed) = widgets::field(ui, id, "Seed", &faults.seed, "drawn", 168.0);
        if let Some(text) = changed {
            push(f, FaultsAct::Seed(text));
        }
        match faults.seed_problem {
            Some(problem) => {
                let color = palette(ui).bad;
                ui.add(egui::Label::new(RichText::new(problem).color(color)).truncate())
            }
            None => widgets::weak(ui, "The same seed brings the same faults again"),
        };
    });
}

fn counts_ui(ui: &mut Ui, faults: &Faults) {
    let Some(report) = faults.known.value() else {
        if let Some(failure) = faults.known.failure().filter(|failure| **failure != Failure::Cancelled) {
            widgets::failure_banner(ui, &super::describe::describe(failure), |_| {});
        }
        return;
    };
    ui.add_space(4.0);
    if report.faults.is_empty() {
        widgets::heading(ui, "In force: none");
        return;
    }
    widgets::heading(ui, &format!("In force: {}, seed {}", report.in_force(), report.seed));
    if faults.known.failure().is_some() {
        widgets::weak(ui, "The counts are old: the hub did not tell them now");
    }
    grid_ui(ui, report);
}

fn grid_ui(ui: &mut Ui, report: &Report) {
    let p = palette(ui);
    // As wide as leaves room for the counts.
    let width = (ui.available_width() - 190.0).max(120.0);
    egui::Grid::new("faults-counts").num_columns(3).spacing([12.0, 2.0]).show(ui, |ui| {
        for Counted { fault, matched, struck } in &report.faults {
            let off = fault.switch == Switch::Off;
            let color = if off { p.weak } else { p.text };
            let text = fault.to_string();
            let label = egui::Label::new(RichText::new(&text).font(theme::small_mono()).color(color)).truncate();
            ui.scope(|ui| {
                ui.set_max_width(width);
                ui.add(label).on_hover_text(&text);
            });
            widgets::weak(ui, format!("matched {}", count(*matched)));
            let color = if *struck > 0 { p.warn } else { p.weak };
            ui.label(RichText::new(format!("struck {}", count(*struck))).color(color));
            ui.end_row();
        }
    });
}

fn count(n: u64) -> String {
    usize::try_from(n).map_or_else(|_| n.to_string(), when::grouped)
}
