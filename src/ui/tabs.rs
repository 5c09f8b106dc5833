//! The row of open twins.

use super::theme::{self, palette};
use super::{Frame, icons, widgets};
use crate::app::{Action, Tab};
use egui::accesskit::Role;
use egui::{Rect, ScrollArea, Sense, Ui, Vec2, WidgetInfo};

pub(super) fn ui(f: &mut Frame, ui: &mut Ui) {
    let app = f.app;
    if app.tabs.is_empty() {
        return;
    }
    let shown = app.active_tab().map(|tab| tab.id.clone());
    let moved = f.view.shown_tab != shown;
    f.view.shown_tab = shown;
    let p = palette(ui);
    let frame = egui::Frame::new().fill(p.frame).inner_margin(egui::Margin { top: 2, ..egui::Margin::ZERO });
    egui::Panel::top("tabs").frame(frame).resizable(false).show_separator_line(false).show(ui, |ui| {
        let builder = egui::UiBuilder::new().accessibility_role(Role::TabList).accessibility_label("Open twins");
        ui.scope_builder(builder, |ui| {
            ScrollArea::horizontal()
                .id_salt("tabs")
                .auto_shrink([false, true])
                .scroll_bar_visibility(egui::scroll_area::ScrollBarVisibility::AlwaysHidden)
                .show(ui, |ui| {
                    ui.horizontal(|ui| {
                        ui.spacing_mut().item_spacing.x = 0.0;
                        for (n, tab) in app.tabs.iter().enumerate() {
                            let place = tab_ui(f, ui, n, tab);
                            if moved && app.active == Some(n) {
                                ui.scroll_to_rect(place, None);
                            }
                        }
                    });
                });
        });
    });
}

/// Returns the place the tab takes.
fn tab_ui(f: &mut Frame, ui: &mut Ui, n: usize, tab: &Tab) -> Rect {
    const CROSS: f32 = 20.0;
    let p = palette(ui);
    let selected = f.app.active == Some(n);
    let title = tab.title();
    let dirty = tab.is_dirty();
    let color = if selected { p.text } else { p.weak };
    let galley = widgets::clipped(ui, &title, theme::body(), color, 320.0);
    let width = 12.0 + galley.size().x + if dirty { 14.0 } else { 4.0 } + CROSS + 4.0;
    let (rect, response) = ui.allocate_exact_size(Vec2::new(width, 28.0), Sense::click());
    let fill = match (selected, response.hovered()) {
        (true, _) => p.panel,
        (_, true) => p.hover,
        _ => p.frame,
    };
    ui.painter().rect_filled(rect, egui::CornerRadius { nw: 4, ne: 4, sw: 0, se: 0 }, fill);
    if selected {
        ui.painter().hline(rect.x_range(), rect.top() + 1.0, egui::Stroke::new(2.0, p.accent));
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect.shrink(1.0), 4.0, egui::Stroke::new(1.0, p.accent), egui::StrokeKind::Inside);
    }
    let text_at = egui::pos2(rect.left() + 12.0, rect.center().y - galley.size().y / 2.0);
    let dot_x = text_at.x + galley.size().x + 8.0;
    ui.painter().galley(text_at, galley, color);
    if dirty {
        ui.painter().circle_filled(egui::pos2(dot_x, rect.center().y), 3.0, p.accent);
    }
    let name = if dirty { format!("{title}, unsaved") } else { title.clone() };
    widgets::as_tab(ui, &response, selected, &name);
    if response.clicked() {
        f.push(Action::SelectTab(n));
    }
    let middle = response.middle_clicked();
    let hover = if dirty { format!("{title}, with edits that are not on the hub") } else { title.clone() };
    response.on_hover_text(widgets::shown(hover));

    let place = Rect::from_center_size(egui::pos2(rect.right() - 14.0, rect.center().y), Vec2::splat(CROSS));
    let close = ui.interact(place, ui.scope_id().with(("close", n)), Sense::click());
    if close.hovered() || close.has_focus() {
        ui.painter().rect_filled(place.shrink(2.0), 4.0, p.button_hover);
    }
    icons::cross(ui.painter(), place, color);
    close.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Close {title}")));
    if close.clicked() || middle {
        f.push(Action::CloseTab(tab.id.clone()));
    }
    rect
}
