//! Several sides: a row per path that differs, a column per side.

use super::super::theme::{self, palette};
use super::super::{Frame, when, widgets};
use super::{again_ui, known, line_ui, push, ready, stand_ui, whole_ui};
use crate::app::Tab;
use crate::app::compare::{CompareAct, OWN, Stand};
use crate::twin::hunks::{self, Row};
use crate::twin::text::compact;
use crate::twin::{Json, JsonMap};
use egui::accesskit::Role;
use egui::{Color32, Id, Pos2, Rect, ScrollArea, Sense, Ui, Vec2, WidgetInfo};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

const LINE: f32 = 24.0;
/// A column's name, and below it how old what it shows is.
const HEAD: f32 = 40.0;
const PATH: f32 = 200.0;
const COLUMN: f32 = 140.0;
/// Of a value in a cell no more than this is laid out.
const CELL_MAX: usize = 200;

pub(super) fn ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    for number in tab.compare.numbers() {
        let stand = f.app.stand(tab, number);
        if !matches!(stand, Stand::Ready { .. }) {
            stand_ui(f, ui, tab, number, stand);
        }
        again_ui(f, ui, tab, number);
    }
    let ready = ready(f, tab);
    let mut hasher = DefaultHasher::new();
    for (number, _, key) in &ready {
        (number, key).hash(&mut hasher);
    }
    if !f.view.compare.holds(hasher.finish(), u64::MAX) {
        let documents: Vec<&JsonMap> = ready.iter().map(|(_, document, _)| *document).collect();
        f.view.compare.rows = Arc::new(hunks::table(&documents));
    }
    let rows = f.view.compare.rows.clone();
    let numbers: Vec<u64> = ready.iter().map(|(number, ..)| *number).collect();
    egui::Frame::new().inner_margin(egui::Margin::symmetric(12, 0)).show(ui, |ui| {
        let said = match (rows.len(), numbers.len()) {
            (_, ..=1) => "There is nothing to compare with".to_owned(),
            (0, _) => format!("Nothing differs in {}", tab.compare.section.word()),
            (n, all) => format!("{} of {} differ", when::count(n, "path"), when::count(all, "twin")),
        };
        widgets::weak(ui, said);
    });
    grid_ui(f, ui, tab, &numbers, &rows);
}

#[allow(clippy::cast_precision_loss)] // A handful of columns, some thousand rows.
fn grid_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, numbers: &[u64], rows: &[Row]) {
    let room = ui.available_width() - 24.0;
    let path = PATH.min(room * 0.4);
    let column = ((room - path) / numbers.len().max(1) as f32).max(COLUMN);
    let size = Vec2::new(path + column * numbers.len() as f32, HEAD + LINE * rows.len() as f32);
    ui.spacing_mut().item_spacing = Vec2::ZERO;
    let scroll = ScrollArea::both().id_salt(("compare-table", tab.id.to_string())).min_scrolled_height(16.0);
    scroll.auto_shrink(false).show_viewport(ui, |ui, viewport| {
        ui.set_min_size(size + Vec2::new(24.0, 8.0));
        let origin = ui.min_rect().min + Vec2::new(12.0, 0.0);
        for (n, number) in numbers.iter().enumerate() {
            let at = origin + Vec2::new(path + column * n as f32, 0.0);
            title_ui(f, ui, tab, Rect::from_min_size(at, Vec2::new(column, HEAD)), *number);
        }
        for (n, row) in rows.iter().enumerate() {
            let y = HEAD + LINE * n as f32;
            if y + LINE < viewport.top() || y > viewport.bottom() {
                continue;
            }
            let rect = Rect::from_min_size(origin + Vec2::new(0.0, y), Vec2::new(size.x, LINE));
            if n % 2 == 0 {
                ui.painter().rect_filled(rect, 0.0, palette(ui).panel);
            }
            let name = row.path.to_string();
            let head = rect.with_max_x(rect.left() + path);
            cell_ui(ui, Id::unique(("compare-path", n)), head, &name, palette(ui).text, &name, &name);
            for (side, value) in row.values.iter().enumerate() {
                let left = rect.left() + path + column * side as f32;
                let cell = rect.with_min_x(left).with_max_x(left + column);
                let title = numbers.get(side).map(|number| tab.side_name(*number)).unwrap_or_default();
                value_ui(ui, cell, (n, side), &format!("{name} of {title}"), value.as_ref(), row.values.first());
            }
        }
    });
}

/// Whose column it is, and taking it away.
fn title_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, rect: Rect, number: u64) {
    let p = palette(ui);
    let name = tab.side_name(number);
    let room = if number == OWN { rect.width() - 12.0 } else { rect.width() - 36.0 };
    let galley = widgets::clipped(ui, &name, theme::strong(), p.text, room);
    let (line, left) = (rect.top() + LINE / 2.0, rect.left() + 6.0);
    ui.painter().galley(Pos2::new(left, line - galley.size().y / 2.0), galley, p.text);
    let known = known(f, ui.ctx(), tab, number).unwrap_or_default();
    let place = rect.with_min_x(left).with_min_y(rect.top() + LINE - 4.0);
    line_ui(ui, Id::unique(("compare-known", number)), place, &known, p.weak);
    let rect = rect.with_max_y(rect.top() + LINE);
    let response =
        ui.interact(rect.with_max_x(rect.left() + room), Id::unique(("compare-column", number)), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::ColumnHeader, true, &name));
    response.on_hover_text(&name);
    if number == OWN {
        return;
    }
    let place = Rect::from_center_size(Pos2::new(rect.right() - 16.0, rect.center().y), Vec2::splat(20.0));
    let close = ui.interact(place, Id::unique(("compare-drop", number)), Sense::click());
    let color = if close.hovered() || close.has_focus() { p.text } else { p.weak };
    ui.painter().text(place.center(), egui::Align2::CENTER_CENTER, "×", theme::body(), color);
    let words = format!("Remove {name}");
    close.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
    if close.on_hover_text(words).clicked() {
        push(f, tab, CompareAct::Drop(number));
    }
}

fn value_ui(ui: &Ui, rect: Rect, at: (usize, usize), name: &str, value: Option<&Json>, first: Option<&Option<Json>>) {
    let p = palette(ui);
    let differs = first.is_some_and(|first| first.as_ref() != value);
    let (text, color) = match value {
        Some(value) => (compact(value), p.text),
        None => ("absent".to_owned(), p.weak),
    };
    let shown: String = text.chars().take(CELL_MAX).collect();
    let shown = if differs { format!("≠ {shown}") } else { shown };
    cell_ui(ui, Id::unique(("compare-cell", at)), rect, &shown, color, &format!("{name}: {shown}"), &text);
}

/// A cell that is copied by a click or Enter.
fn cell_ui(ui: &Ui, id: Id, rect: Rect, shown: &str, color: Color32, name: &str, whole: &str) {
    let p = palette(ui);
    let response = ui.interact(rect, id, Sense::click());
    if response.has_focus() {
        ui.painter().rect_stroke(rect, 2.0, egui::Stroke::new(1.0, p.accent), egui::StrokeKind::Inside);
    }
    let galley = widgets::clipped(ui, shown, theme::mono(), color, rect.width() - 12.0);
    ui.painter().galley(Pos2::new(rect.left() + 6.0, rect.center().y - galley.size().y / 2.0), galley, color);
    response.widget_info(|| WidgetInfo::labeled(Role::Cell, true, name));
    if response.clicked() {
        ui.ctx().copy_text(whole.to_owned());
    }
    response.on_hover_ui(|ui| {
        whole_ui(ui, whole);
        widgets::weak(ui, "A click copies it");
    });
}
