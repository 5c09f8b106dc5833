//! The strip on top: which hub, search and commands, theme, settings.

use super::icons::{self, Dot};
use super::theme::{self, palette};
use super::widgets::Tone;
use super::{Frame, widgets};
use crate::app::settings::SettingsAct;
use crate::app::{Action, HubState};
use crate::disk::ThemeChoice;
use crate::worker::event::Reachability;
use egui::accesskit::Role;
use egui::{Align, Layout, RichText, Sense, Ui, Vec2, WidgetInfo};

pub(super) fn ui(f: &mut Frame, ui: &mut Ui) {
    let back = palette(ui).frame;
    let frame = egui::Frame::new().fill(back).inner_margin(egui::Margin::symmetric(8, 4));
    egui::Panel::top("top").frame(frame).resizable(false).show(ui, |ui| {
        ui.horizontal(|ui| {
            hub_ui(f, ui);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if widgets::sign(ui, "Settings…", icons::sliders).clicked() {
                    f.push(Action::Settings(SettingsAct::Show));
                }
                theme_ui(f, ui);
                if widgets::sign(ui, "All keys", |painter, rect, p| {
                    painter.text(rect.center(), egui::Align2::CENTER_CENTER, "?", theme::strong(), p.text);
                })
                .clicked()
                {
                    f.push(Action::ShowKeys);
                }
                ui.add_space(theme::STEP);
                search_ui(f, ui);
            });
        });
    });
}

/// Says that the hub does not answer, for as long as it does not.
pub(super) fn offline_ui(f: &mut Frame, ui: &mut Ui) {
    let (HubState::Open(_), Some(Reachability::Offline { reason })) = (&f.app.hub, &f.app.reach) else { return };
    let text = format!("Offline: {reason}; trying again");
    egui::Panel::top("offline").frame(egui::Frame::new()).resizable(false).show(ui, |ui| {
        widgets::banner(ui, Tone::Warn, &text, |ui| {
            if ui.button("Try now").clicked() {
                f.push(Action::RefreshFleet);
            }
        });
    });
}

/// Name of the open hub, its state as a word and as a shape.
fn hub_words(f: &Frame) -> (String, &'static str, Dot) {
    let name_of = |hub: &crate::worker::HubRef| {
        f.app.hubs.iter().find(|entry| entry.hub == *hub).map_or_else(|| "Hub".to_owned(), |entry| entry.name.clone())
    };
    match &f.app.hub {
        HubState::Starting => ("Local hub".to_owned(), "starting", Dot::Half),
        HubState::Opening { hub, .. } => (name_of(hub), "connecting", Dot::Half),
        HubState::Failed { hub, .. } => (name_of(hub), "failed", Dot::Hollow),
        HubState::Open(info) => match &f.app.reach {
            Some(Reachability::Offline { .. }) => (info.name.clone(), "offline", Dot::Hollow),
            _ => (info.name.clone(), "online", Dot::Filled),
        },
    }
}

fn hub_ui(f: &mut Frame, ui: &mut Ui) {
    let (name, state, dot) = hub_words(f);
    let p = palette(ui);
    let name = widgets::clipped(ui, &name, theme::strong(), p.text, 220.0);
    let state_text = widgets::clipped(ui, state, theme::body(), p.weak, 120.0);
    let width = 8.0 + 12.0 + 6.0 + name.size().x + 8.0 + state_text.size().x + 20.0;
    let (rect, response) = ui.allocate_exact_size(Vec2::new(width, theme::ROW), Sense::click());
    let visuals = ui.style().interact(&response);
    ui.painter().rect(rect, 4.0, visuals.weak_bg_fill, visuals.bg_stroke, egui::StrokeKind::Inside);
    let mid = rect.center().y;
    icons::dot(ui.painter(), egui::pos2(rect.left() + 14.0, mid), dot, p);
    let mut x = rect.left() + 26.0;
    for (galley, gap) in [(name, 8.0), (state_text, 8.0)] {
        let size = galley.size();
        ui.painter().galley(egui::pos2(x, mid - size.y / 2.0), galley, p.text);
        x += size.x + gap;
    }
    icons::arrow(ui.painter(), egui::pos2(rect.right() - 10.0, mid), true, p.weak);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), "Connections"));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(format!("{state}: open or add a hub")));
    let hover = match (&f.app.hub, &f.app.reach) {
        (_, Some(Reachability::Offline { reason })) => format!("Offline: {reason}"),
        (HubState::Open(info), _) => format!("{} · policy {}", info.host, info.policy),
        _ => "Choose or add a hub".to_owned(),
    };
    if response.on_hover_text(hover).clicked() {
        f.push(Action::ShowConnections);
    }
}

fn search_ui(f: &mut Frame, ui: &mut Ui) {
    let p = palette(ui);
    let width = (ui.available_width() - 16.0).clamp(96.0, 360.0);
    let keys = ui.ctx().format_shortcut(&super::keys::PALETTE);
    let text = if width > 240.0 { "Search or run a command" } else { "Search" };
    let button = egui::Button::new(RichText::new(text).color(p.weak))
        .right_text(RichText::new(keys).color(p.weak).font(theme::small()))
        .fill(p.paper)
        .min_size(Vec2::new(width, theme::ROW));
    ui.with_layout(Layout::centered_and_justified(egui::Direction::TopDown), |ui| {
        ui.set_max_width(width);
        let response = ui.add(button).accessible_name("Search or run a command");
        if response.clicked() {
            f.push(Action::ShowPalette);
        }
    });
}

fn theme_ui(f: &mut Frame, ui: &mut Ui) {
    let choice = f.app.settings.theme;
    let (word, next) = match choice {
        ThemeChoice::System => ("as the system", ThemeChoice::Light),
        ThemeChoice::Light => ("light", ThemeChoice::Dark),
        ThemeChoice::Dark => ("dark", ThemeChoice::System),
    };
    let clicked = widgets::sign(ui, &format!("Theme, {word}"), |painter, rect, p| {
        icons::theme(painter, rect.center(), choice, p.text);
    })
    .clicked();
    if clicked {
        f.push(Action::SetTheme(next));
    }
    let hidden = f.view.layout.fleet_hidden;
    let name = if hidden { "Show the fleet" } else { "Hide the fleet" };
    if widgets::sign(ui, name, |painter, rect, p| {
        let frame = egui::Rect::from_center_size(rect.center(), Vec2::new(14.0, 12.0));
        let stroke = egui::Stroke::new(1.25, p.text);
        painter.rect_stroke(frame, 2.0, stroke, egui::StrokeKind::Inside);
        painter.vline(frame.left() + 5.0, frame.y_range(), stroke);
        if !hidden {
            painter.rect_filled(frame.with_max_x(frame.left() + 5.0), 2.0, p.text);
        }
    })
    .clicked()
    {
        f.view.layout.fleet_hidden = !hidden;
    }
}
