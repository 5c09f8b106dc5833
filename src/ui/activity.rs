//! At the bottom: what went over the wire, patches, requests and method calls; and what happened on the hub.

use super::theme::{self, palette};
use super::{Frame, rows, when, widgets};
use crate::app::Action;
use crate::app::activity::{CallSide, PatchKind};
use crate::app::events::EventsAct;
use crate::twin::Json;
use crate::twin::TwinId;
use crate::twin::text::compact;
use egui::{Id, Response, RichText, Ui};

/// What the panel remembers.
#[derive(Default)]
pub(super) struct ActivityView {
    kind: Kind,
    pub(super) events: super::events::EventsView,
    cursor: rows::Cursor,
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
            (Kind::Patches, "Patches", Some(f.app.activity.patches.len())),
            (Kind::Requests, "Requests", Some(f.app.activity.requests.len())),
            (Kind::Calls, "Method calls", Some(f.app.activity.calls.len())),
            (Kind::Events, "Events", f.app.events.known()),
        ];
        for (kind, name, count) in counts {
            let chosen = open && f.view.activity.kind == kind;
            if widgets::tab(ui, chosen, name).clicked() {
                f.view.layout.activity_open = !chosen;
                f.view.activity.kind = kind;
            }
            let color = palette(ui).weak;
            if let Some(count) = count {
                ui.label(RichText::new(when::grouped(count)).font(theme::small()).color(color));
            }
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

/// Height of a row.
const ROW: f32 = 20.0;

/// A cell: its width, or 0 for what room there is; its text.
type Cell = (f32, String, egui::Color32);

/// One line of a list.
struct Line {
    cells: Vec<Cell>,
    /// The twin it speaks of.
    id: Option<TwinId>,
}

fn line_ui(ui: &Ui, response: &Response, cells: &[Cell]) {
    let rect = response.rect;
    let mut left = rect.left();
    for (n, (width, text, color)) in cells.iter().enumerate() {
        let room = if *width > 0.0 { *width } else { rect.right() - left };
        let place = rect.with_min_x(left).with_max_x(left + room.max(0.0));
        let galley = widgets::clipped(ui, text, theme::small_mono(), *color, room);
        let elided = galley.elided;
        ui.painter().galley(egui::pos2(left, rect.center().y - galley.size().y / 2.0), galley, *color);
        let cell = ui.interact(place, response.id.with(n), egui::Sense::hover());
        cell.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Label, true, text));
        if elided {
            cell.on_hover_text(widgets::shown(text));
        }
        left += room + 8.0;
    }
    let words: Vec<&str> = cells.iter().map(|(_, text, _)| text.as_str()).collect();
    let name = words.join(", ");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::ListItem, true, &name));
}

/// The lines of a list, the newest on top; `line` is given a place from the oldest on.
fn lines_ui(f: &mut Frame, ui: &mut Ui, salt: &'static str, count: usize, line: impl Fn(usize) -> Option<Line>) {
    // By the place from the oldest on, so that the focus stays on its line when newer ones come.
    let id = |n: usize| Id::unique((salt, count - 1 - n));
    let list = rows::List { salt, of: Id::unique(salt), height: ROW, count, id };
    let mut cursor = std::mem::take(&mut f.view.activity.cursor);
    rows::ui(ui, &mut cursor, &list, |ui, n, response| {
        let Some(Line { cells, id }) = line(count - 1 - n) else { return };
        line_ui(ui, response, &cells);
        if let Some(id) = id.filter(|_| rows::is_opened(response)) {
            f.push(Action::OpenTwin(id));
        }
    });
    f.view.activity.cursor = cursor;
}

fn requests_ui(f: &mut Frame, ui: &mut Ui) {
    let p = palette(ui);
    let requests = &f.app.activity.requests;
    if requests.is_empty() {
        widgets::weak(ui, "No requests yet: every HTTP exchange with the hub is listed here");
        return;
    }
    lines_ui(f, ui, "requests", requests.len(), |n| {
        let (at, record) = requests.get(n)?;
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
        let cells = vec![
            (92.0, when::clock(*at), p.weak),
            (52.0, record.method.to_owned(), p.text),
            (36.0, status, color),
            (64.0, format!("{} ms", record.duration.as_millis()), p.weak),
            (0.0, path, p.text),
        ];
        Some(Line { cells, id: None })
    });
}

fn patches_ui(f: &mut Frame, ui: &mut Ui) {
    let p = palette(ui);
    let patches = &f.app.activity.patches;
    if patches.is_empty() {
        widgets::weak(ui, "No patches yet: what is saved, received, reported or seen is listed here");
        return;
    }
    lines_ui(f, ui, "patches", patches.len(), |n| {
        let seen = patches.get(n)?;
        // Tags have no version of their own: theirs is the twin's.
        let (word, of, color) = match seen.kind {
            PatchKind::Saved => ("saved", "desired", p.accent),
            PatchKind::Received => ("received", "desired", p.good),
            PatchKind::ReportSent => ("reported by us", "reported", p.accent),
            PatchKind::SeenDesired => ("seen", "desired", p.warn),
            PatchKind::SeenTags => ("seen in tags", "twin", p.warn),
            PatchKind::SeenReported => ("seen", "reported", p.good),
        };
        let cells = vec![
            (92.0, when::clock(seen.at), p.weak),
            (96.0, word.to_owned(), color),
            (96.0, format!("{of} v{}", seen.version), p.weak),
            (180.0, seen.id.to_string(), p.text),
            (0.0, compact(&Json::Object(seen.patch.clone())), p.text),
        ];
        Some(Line { cells, id: Some(seen.id.clone()) })
    });
}

fn calls_ui(f: &mut Frame, ui: &mut Ui) {
    let p = palette(ui);
    let calls = &f.app.activity.calls;
    if calls.is_empty() {
        widgets::weak(ui, "No method calls yet: those made here, and those answered while acting, are listed here");
        return;
    }
    lines_ui(f, ui, "calls", calls.len(), |n| {
        let seen = calls.get(n)?;
        let (word, color) = match seen.side {
            CallSide::Made => ("called", p.accent),
            CallSide::Answered => ("answered by us", p.good),
        };
        let columns = vec![
            (92.0, when::clock(seen.at), p.weak),
            (112.0, word.to_owned(), color),
            (180.0, seen.id.to_string(), p.text),
            (120.0, seen.name.clone(), p.text),
            (0.0, format!("{} → {}", seen.payload, seen.answer), p.text),
        ];
        Some(Line { cells: columns, id: Some(seen.id.clone()) })
    });
}
