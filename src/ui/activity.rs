//! At the bottom: what went over the wire, patches, requests and method calls; and what happened on the hub.

use super::theme::{self, palette};
use super::{Frame, when, widgets};
use crate::app::Action;
use crate::app::activity::{CallSide, PatchKind};
use crate::app::events::EventsAct;
use crate::twin::Json;
use crate::twin::text::compact;
use egui::{RichText, ScrollArea, Ui};

/// What the panel remembers.
#[derive(Default)]
pub(super) struct ActivityView {
    kind: Kind,
    pub(super) events: super::events::EventsView,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[default]
    Patches,
    Requests,
    Calls,
    Events,
}

/// Where there is less room than this, in points, there is no pane.
const LOW: f32 = 300.0;

pub(super) fn ui(f: &mut Frame, ui: &mut Ui) {
    let room = ui.available_height();
    let looked_at = room >= LOW && f.view.layout.activity_open && f.view.activity.kind == Kind::Events;
    if looked_at != f.app.events.is_looked_at() {
        f.push(Action::Events(if looked_at { EventsAct::Look } else { EventsAct::LookAway }));
    }
    // At high zoom in a small window the text comes first.
    if room < LOW {
        return;
    }
    let open = f.view.layout.activity_open;
    let usual = f.app.settings.layout.activity_height.unwrap_or((room * 0.3).clamp(96.0, 200.0));
    let mut panel = egui::Panel::bottom(if open { "activity-open" } else { "activity-closed" })
        .frame(egui::Frame::new().fill(palette(ui).panel).inner_margin(egui::Margin::symmetric(8, 2)))
        .resizable(open);
    panel = if open {
        panel.default_size(usual).size_range(72.0..=(room * 0.6).max(73.0))
    } else {
        panel.exact_size(theme::ROW + 4.0)
    };
    let shown = panel.show(ui, |ui| {
        heads_ui(f, ui);
        if open {
            ui.separator();
            // Else a pane that has little to say would shrink to it, and stay so.
            ui.set_min_height(ui.available_height());
            match f.view.activity.kind {
                Kind::Patches => patches_ui(f, ui),
                Kind::Requests => requests_ui(f, ui),
                Kind::Calls => calls_ui(f, ui),
                Kind::Events => super::events::ui(f, ui),
            }
        }
    });
    if open {
        super::keep_size(ui, "activity-open", &mut f.view.layout.activity_height, shown.response.rect.height());
    }
}

fn heads_ui(f: &mut Frame, ui: &mut Ui) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let open = f.view.layout.activity_open;
        let name = if open { "Hide activity" } else { "Show activity" };
        let arrow = widgets::sign(ui, name, |painter, rect, p| {
            super::icons::arrow(painter, rect.center(), open, p.weak);
        });
        f.view.panes.activity = Some(arrow.id);
        if arrow.clicked() {
            f.view.layout.activity_open = !open;
        }
        let counts = [
            (Kind::Patches, "Patches", f.app.activity.patches.len()),
            (Kind::Requests, "Requests", f.app.activity.requests.len()),
            (Kind::Calls, "Method calls", f.app.activity.calls.len()),
            (Kind::Events, "Events", f.app.events.len()),
        ];
        for (kind, name, count) in counts {
            let chosen = open && f.view.activity.kind == kind;
            if widgets::tab(ui, chosen, name).clicked() {
                f.view.layout.activity_open = !chosen;
                f.view.activity.kind = kind;
            }
            let color = palette(ui).weak;
            ui.label(RichText::new(when::grouped(count)).font(theme::small()).color(color));
            ui.add_space(8.0);
        }
        if open {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let (name, act) = match f.view.activity.kind {
                    Kind::Events => ("Clear events", Action::Events(EventsAct::Clear)),
                    _ => ("Clear activity", Action::ClearActivity),
                };
                if widgets::quiet(ui, "Clear").accessible_name(name).clicked() {
                    f.push(act);
                }
            });
        }
    });
}

/// Cells of a row, each as wide as said, the last as wide as there is room; `None` stands for that.
fn cells(ui: &mut Ui, cells: &[(f32, String, egui::Color32)]) {
    ui.horizontal(|ui| {
        ui.set_min_height(20.0);
        ui.spacing_mut().item_spacing.x = 8.0;
        for (width, text, color) in cells {
            let room = if *width > 0.0 { *width } else { ui.available_width() };
            let (rect, response) = ui.allocate_exact_size(egui::vec2(room, 20.0), egui::Sense::hover());
            let galley = widgets::clipped(ui, text, theme::small_mono(), *color, room);
            let elided = galley.elided;
            ui.painter().galley(egui::pos2(rect.left(), rect.center().y - galley.size().y / 2.0), galley, *color);
            response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Label, true, text));
            if elided {
                response.on_hover_text(widgets::shown(text));
            }
        }
    });
}

fn requests_ui(f: &Frame, ui: &mut Ui) {
    let p = palette(ui);
    let requests = &f.app.activity.requests;
    if requests.is_empty() {
        widgets::weak(ui, "No requests yet: every HTTP exchange with the hub is listed here");
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical().id_salt("requests").min_scrolled_height(16.0).auto_shrink(false).show_rows(
        ui,
        20.0,
        requests.len(),
        |ui, range| {
            for n in range {
                let Some((at, record)) = requests.get(requests.len() - 1 - n) else { continue };
                let (status, color) = match record.status {
                    Some(status) if status < 300 => (status.to_string(), p.good),
                    Some(status) => (status.to_string(), p.bad),
                    None => ("none".to_owned(), p.bad),
                };
                let mut path = record.path.clone();
                if record.attempt > 1 {
                    path = format!("{path}  (try {})", record.attempt);
                }
                if let Some(why) = &record.failure {
                    path = format!("{path}  {why}");
                }
                cells(
                    ui,
                    &[
                        (92.0, when::clock(*at), p.weak),
                        (52.0, record.method.to_owned(), p.text),
                        (36.0, status, color),
                        (64.0, format!("{} ms", record.duration.as_millis()), p.weak),
                        (0.0, path, p.text),
                    ],
                );
            }
        },
    );
}

fn patches_ui(f: &Frame, ui: &mut Ui) {
    let p = palette(ui);
    let patches = &f.app.activity.patches;
    if patches.is_empty() {
        widgets::weak(ui, "No patches yet: what is saved, received, reported or seen is listed here");
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical().id_salt("patches").min_scrolled_height(16.0).auto_shrink(false).show_rows(
        ui,
        20.0,
        patches.len(),
        |ui, range| {
            for n in range {
                let Some(seen) = patches.get(patches.len() - 1 - n) else { continue };
                // Tags have no version of their own: theirs is the twin's.
                let (word, of, color) = match seen.kind {
                    PatchKind::Saved => ("saved", "desired", p.accent),
                    PatchKind::Received => ("received", "desired", p.good),
                    PatchKind::ReportSent => ("reported by us", "reported", p.accent),
                    PatchKind::SeenDesired => ("seen", "desired", p.warn),
                    PatchKind::SeenTags => ("seen in tags", "twin", p.warn),
                    PatchKind::SeenReported => ("seen", "reported", p.good),
                };
                cells(
                    ui,
                    &[
                        (92.0, when::clock(seen.at), p.weak),
                        (96.0, word.to_owned(), color),
                        (96.0, format!("{of} v{}", seen.version), p.weak),
                        (180.0, seen.id.to_string(), p.text),
                        (0.0, compact(&Json::Object(seen.patch.clone())), p.text),
                    ],
                );
            }
        },
    );
}

fn calls_ui(f: &Frame, ui: &mut Ui) {
    let p = palette(ui);
    let calls = &f.app.activity.calls;
    if calls.is_empty() {
        widgets::weak(ui, "No method calls yet: those made here, and those answered while acting, are listed here");
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical().id_salt("calls").min_scrolled_height(16.0).auto_shrink(false).show_rows(
        ui,
        20.0,
        calls.len(),
        |ui, range| {
            for n in range {
                let Some(seen) = calls.get(calls.len() - 1 - n) else { continue };
                let (word, color) = match seen.side {
                    CallSide::Made => ("called", p.accent),
                    CallSide::Answered => ("answered by us", p.good),
                };
                cells(
                    ui,
                    &[
                        (92.0, when::clock(seen.at), p.weak),
                        (112.0, word.to_owned(), color),
                        (180.0, seen.id.to_string(), p.text),
                        (120.0, seen.name.clone(), p.text),
                        (0.0, format!("{} → {}", seen.payload, seen.answer), p.text),
                    ],
                );
            }
        },
    );
}
