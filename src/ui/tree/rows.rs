//! The rows of a tree: only those in view are painted.

use super::act::{self, Command};
use super::field::{self, Places, What};
use super::{Page, Sheet, detail};
use crate::twin::Path;
use crate::twin::tree::kind::Kind;
use crate::twin::tree::{Agreement, Mark, Row};
use crate::ui::theme::{self, Palette, palette};
use crate::ui::{Frame, icons, widgets};
use egui::accesskit::Role;
use egui::{Align2, Color32, Id, Rect, ScrollArea, Sense, Ui, Vec2, WidgetInfo, pos2};

/// Points a level of nesting goes in.
const INDENT: f32 = 14.0;
/// In the place of a value.
const NOT_DESIRED: &str = "not desired";
const NOT_REPORTED: &str = "not reported";
/// Room for marks before the first level.
const MARGIN: f32 = 18.0;

fn row_id(sheet: &Sheet, path: &Path) -> Id {
    let twin = &sheet.tab.id;
    super::super::ids::of_twin(("tree-row", twin.device.as_str(), twin.module.as_deref(), sheet.section.word(), path))
}

/// The row that takes part in Tab.
pub(super) fn cursor_id(sheet: &Sheet, page: &Page) -> Id {
    row_id(sheet, &page.cursor)
}

/// How wide the columns would be if nothing were cut off.
#[derive(Clone, Copy)]
struct Needs {
    name: f32,
    value: f32,
    /// `None` for tags.
    reported: Option<f32>,
}

impl Needs {
    fn of(ui: &Ui, sheet: &Sheet) -> Self {
        let digit = ui.ctx().fonts_mut(|fonts| fonts.glyph_width(&theme::mono(), '0'));
        #[allow(clippy::cast_precision_loss)] // A text of 16 million characters is cut off all the same.
        let wide = |text: &str| text.chars().count() as f32 * digit + 8.0;
        let widest = |width: &dyn Fn(&Row) -> f32, least: f32| sheet.rows.iter().map(width).fold(least, f32::max);
        let has_reported = sheet.section != crate::twin::Section::Tags;
        Self {
            name: widest(&|row| MARGIN + 14.0 + indent(row.depth) + wide(&row.name), 84.0),
            // A field to type in has room at least.
            value: widest(&|row| wide(row.value.as_deref().unwrap_or(NOT_DESIRED)), 96.0),
            reported: has_reported
                .then(|| widest(&|row| 14.0 + wide(row.reported.as_deref().unwrap_or(NOT_REPORTED)), 72.0)),
        }
    }
}

/// Where the columns begin.
#[derive(Clone, Copy)]
struct Columns {
    value: f32,
    /// `None` for tags.
    reported: Option<f32>,
    right: f32,
}

impl Columns {
    /// Names and reported values have the room they need, up to a share of it; the value has the rest, and gives back what it
    /// does not need.
    fn of(needs: Needs, left: f32, width: f32) -> Self {
        let told = needs.reported.unwrap_or(0.0);
        let (mut name, mut reported) = (needs.name.min(width * 0.36), told.min(width * 0.28));
        let mut spare = (width - name - reported - needs.value).max(0.0);
        for (column, need) in [(&mut name, needs.name), (&mut reported, told)] {
            let more = (need - *column).clamp(0.0, spare);
            *column += more;
            spare -= more;
        }
        let right = left + width;
        Self { value: left + name, reported: needs.reported.map(|_| right - reported), right }
    }

    fn value_end(self) -> f32 {
        self.reported.unwrap_or(self.right)
    }
}

pub(super) fn ui(f: &mut Frame, ui: &mut Ui, page: &mut Page, sheet: &Sheet) {
    rows_ui(f, ui, page, sheet);
    page.reveal |= std::mem::take(&mut page.later);
}

fn rows_ui(f: &mut Frame, ui: &mut Ui, page: &mut Page, sheet: &Sheet) {
    let reveal = std::mem::take(&mut page.reveal) && page.field.is_none();
    let rows = sheet.rows.len();
    if rows == 0 && page.field.is_none() {
        empty_ui(f, ui, page, sheet);
        return;
    }
    let extra = page.field.as_ref().and_then(|field| match &field.what {
        What::Add { parent, behind } => Some(place_of_new(sheet, parent, behind.as_ref())),
        _ => None,
    });
    let needs = Needs::of(ui, sheet);
    head_ui(ui, needs);
    ui.spacing_mut().item_spacing.y = 0.0;
    let name = format!("{} tree", if sheet.section == crate::twin::Section::Tags { "Tags" } else { "Desired" });
    let builder = egui::UiBuilder::new().accessibility_role(Role::Tree).accessibility_label(name);
    ui.scope_builder(builder, |ui| {
        let area = ScrollArea::vertical().id_salt(("tree", sheet.section.word())).auto_shrink(false);
        area.min_scrolled_height(16.0).show_rows(ui, theme::ROW, rows + usize::from(extra.is_some()), |ui, range| {
            let left_top = ui.max_rect().left_top();
            let width = ui.available_width();
            let columns = Columns::of(needs, left_top.x, width);
            let place = |n: usize| {
                #[allow(clippy::cast_precision_loss)] // A section has some thousand rows at most.
                let y = (n as f32 - range.start as f32) * theme::ROW;
                Rect::from_min_size(left_top + Vec2::new(0.0, y), Vec2::new(width, theme::ROW))
            };
            // The row a new one stands before moves down.
            let line = |index: usize| index + usize::from(extra.is_some_and(|extra| extra <= index));
            let held = |page: &Page| page.field.as_ref().and_then(|field| field.path().cloned());
            let edited = held(page).and_then(|path| sheet.rows.iter().position(|row| row.path == path));
            let cursor = page.index;
            let seen = |index: &usize| range.contains(&line(*index));
            for (index, row) in sheet.rows.iter().enumerate().skip(range.start.saturating_sub(1)).take(range.len() + 1)
            {
                if seen(&index) {
                    row_ui(f, ui, page, sheet, index, row, place(line(index)), columns);
                }
            }
            // What has the focus is there even when it is scrolled away, or the focus would be lost.
            let focused = ui.memory(|m| m.has_focus(row_id(sheet, &page.cursor))) || reveal;
            let cursor_row = Some(cursor).filter(|_| focused);
            for index in [cursor_row, edited.filter(|edited| Some(*edited) != cursor_row)].into_iter().flatten() {
                if let Some(row) = sheet.rows.get(index).filter(|_| !seen(&index)) {
                    row_ui(f, ui, page, sheet, index, row, place(line(index)), columns);
                }
            }
            if let Some(at) = extra {
                new_ui(f, ui, page, sheet, place(at), columns);
            }
            if reveal && cursor < rows {
                ui.scroll_to_rect(place(line(cursor)), None);
                let id = row_id(sheet, &sheet.rows[cursor].path);
                ui.memory_mut(|m| m.request_focus(id));
            }
        });
    });
}

/// The line a new row stands on: behind its sibling and all that is in it, or at the end of its parent's own.
fn place_of_new(sheet: &Sheet, parent: &Path, behind: Option<&crate::twin::Segment>) -> usize {
    let mut around = parent.clone();
    around.0.extend(behind.cloned());
    let inside = |row: &Row| row.path.0.starts_with(&around.0) && (behind.is_some() || row.value.is_some());
    sheet.rows.iter().rposition(inside).map_or(0, |last| last + 1)
}

fn empty_ui(f: &mut Frame, ui: &mut Ui, page: &mut Page, sheet: &Sheet) {
    let title = if sheet.section == crate::twin::Section::Tags { "No tags" } else { "No properties" };
    widgets::empty(ui, title, "The section is empty", |ui| {
        if ui.button("Add a property…").clicked() {
            act::make(f, ui.ctx(), page, sheet, Command::Add);
        }
    });
}

fn head_ui(ui: &mut Ui, needs: Needs) {
    let p = palette(ui);
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 18.0), Sense::hover());
    // The rows end where the scroll bar may stand.
    let columns = Columns::of(needs, rect.left(), rect.width() - ui.spacing().scroll.bar_width);
    let word = |x: f32, word: &str| {
        ui.painter().text(pos2(x, rect.center().y), Align2::LEFT_CENTER, word, theme::small(), p.weak);
    };
    word(rect.left() + MARGIN + 14.0, "Property");
    match columns.reported {
        Some(reported) => {
            word(columns.value, "Desired");
            word(reported, "Reported");
        }
        None => word(columns.value, "Value"),
    }
    ui.painter().hline(rect.x_range(), rect.bottom(), egui::Stroke::new(1.0, p.line));
}

fn indent(depth: usize) -> f32 {
    #[allow(clippy::cast_precision_loss)] // A text has 64 levels at most.
    let levels = depth.min(64) as f32;
    levels * INDENT
}

fn left_of(row: &Row, rect: Rect) -> f32 {
    // Deep down the key stays in its column.
    rect.left() + MARGIN + indent(row.depth).min(rect.width() * 0.25)
}

#[allow(clippy::too_many_arguments)] // Where and what; they have nothing else in common.
fn row_ui(
    f: &mut Frame,
    ui: &mut Ui,
    page: &mut Page,
    sheet: &Sheet,
    index: usize,
    row: &Row,
    rect: Rect,
    columns: Columns,
) {
    let id = row_id(sheet, &row.path);
    // One row takes part in Tab; the arrows move between rows.
    let sense = if index == page.index { Sense::click() } else { Sense::CLICK };
    let response = ui.interact(rect, id, sense);
    let p = palette(ui);
    let fill = if index == page.index { Some(p.chosen) } else { response.hovered().then_some(p.hover) };
    if let Some(fill) = fill {
        ui.painter().rect_filled(rect, 4.0, fill);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect.shrink(1.0), 4.0, egui::Stroke::new(1.0, p.accent), egui::StrokeKind::Inside);
    }
    let cut = paint(ui, row, rect, columns, p);
    let words = detail::words(sheet, row);
    let said = words.join("; ");
    response.widget_info(|| WidgetInfo::labeled(Role::TreeItem, true, row.spoken()));
    ui.ctx().accesskit_node_builder(id, |node| {
        node.set_selected(index == page.index);
        node.set_level(row.depth);
        node.set_position_in_set(row.place.0 - 1);
        node.set_size_of_set(row.place.1);
        node.set_description(said.as_str());
        if let Some(open) = row.open {
            node.set_expanded(open);
        }
    });
    if let Some(open) = row.open {
        arrow_ui(ui, page, sheet, row, rect, open);
    }
    if response.clicked() || response.secondary_clicked() {
        page.cursor = row.path.clone();
        page.index = index;
        page.reveal = true;
    }
    if response.double_clicked() {
        act::make(f, ui.ctx(), page, sheet, Command::Edit);
    }
    menu_ui(f, page, sheet, row, &response);
    if cut == Cut::Off {
        whole_ui(&response, row, &words);
    }
    fields_ui(f, ui, page, sheet, row, rect, columns);
}

/// Under the pointer, what has no room in the row.
fn whole_ui(response: &egui::Response, row: &Row, words: &[String]) {
    response.clone().on_hover_ui_at_pointer(|ui| {
        ui.set_max_width(420.0);
        ui.label(widgets::shown(row.path.to_string()).font(theme::mono()));
        for text in words.iter().chain(row.value.as_ref().filter(|_| words.is_empty())) {
            ui.add(egui::Label::new(widgets::shown(text)).wrap());
        }
    });
}

fn menu_ui(f: &mut Frame, page: &mut Page, sheet: &Sheet, row: &Row, response: &egui::Response) {
    response.context_menu(|ui| {
        for command in [
            Command::Edit,
            Command::Add,
            Command::Rename,
            Command::Delete,
            Command::CopyPath,
            Command::CopyValue,
            Command::CopyQueryPath,
        ] {
            let off = act::off(command, Some(row));
            if widgets::act(ui, command.name(), off).clicked() {
                act::make(f, ui.ctx(), page, sheet, command);
                ui.close();
            }
        }
        ui.menu_button("Change type", |ui| {
            for kind in Kind::ALL {
                if widgets::act(ui, kind.word(), act::off(Command::Kind(kind), Some(row))).clicked() {
                    act::make(f, ui.ctx(), page, sheet, Command::Kind(kind));
                    ui.close();
                }
            }
        });
    });
}

fn fields_ui(f: &mut Frame, ui: &mut Ui, page: &mut Page, sheet: &Sheet, row: &Row, rect: Rect, columns: Columns) {
    if page.field.as_ref().and_then(field::Field::path) == Some(&row.path) {
        let key = rect.with_min_x(left_of(row, rect) + 12.0).with_max_x(columns.value - 4.0);
        let value = rect.with_min_x(columns.value - 4.0).with_max_x(columns.value_end() - 4.0);
        field::ui(f, ui, page, sheet, Places { key, value });
    }
}

fn new_ui(f: &mut Frame, ui: &mut Ui, page: &mut Page, sheet: &Sheet, rect: Rect, columns: Columns) {
    let fresh = page.field.as_ref().is_some_and(|field| field.fresh);
    let depth = page.field.as_ref().map_or(0, |field| match &field.what {
        What::Add { parent, .. } => parent.0.len(),
        _ => 0,
    });
    let indent = indent(depth).min(rect.width() * 0.25);
    let p = palette(ui);
    ui.painter().rect_filled(rect, 4.0, p.hover);
    ui.painter().text(pos2(rect.left() + 4.0, rect.center().y), Align2::LEFT_CENTER, "+", theme::mono(), p.accent);
    let key = rect.with_min_x(rect.left() + MARGIN + indent + 12.0).with_max_x(columns.value - 8.0);
    let value = rect.with_min_x(columns.value - 4.0).with_max_x(columns.value_end() - 4.0);
    field::ui(f, ui, page, sheet, Places { key, value });
    if fresh {
        ui.scroll_to_rect(rect, None);
    }
}

fn arrow_ui(ui: &mut Ui, page: &mut Page, sheet: &Sheet, row: &Row, rect: Rect, open: bool) {
    let place = Rect::from_min_size(pos2(left_of(row, rect) - 6.0, rect.top()), Vec2::new(18.0, rect.height()));
    let id = row_id(sheet, &row.path).with("arrow");
    let response = ui.interact(place, id, Sense::CLICK);
    let p = palette(ui);
    icons::arrow(ui.painter(), place.center(), open, if response.hovered() { p.text } else { p.weak });
    let name = format!("{} {}", if open { "Collapse" } else { "Expand" }, row.path);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    if response.clicked() && !page.closed.remove(&row.path) {
        page.closed.insert(row.path.clone());
    }
}

/// Whether something of a row had no room.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Nothing,
    Off,
}

fn paint(ui: &Ui, row: &Row, rect: Rect, columns: Columns, p: &Palette) -> Cut {
    let mut cut = Cut::Nothing;
    let mut text = |x: f32, end: f32, text: &str, color: Color32| {
        let galley = widgets::clipped(ui, text, theme::mono(), color, end - x - 6.0);
        if galley.elided {
            cut = Cut::Off;
        }
        ui.painter().galley(pos2(x, rect.center().y - galley.size().y / 2.0), galley, color);
    };
    let sign = match row.mark {
        Some(Mark::Added) => Some("+"),
        Some(Mark::Changed) => Some("~"),
        None => None,
    };
    if let Some(sign) = sign {
        text(rect.left() + 4.0, rect.left() + MARGIN + 6.0, sign, p.accent);
    }
    let own = row.agreement != Agreement::NotDesired;
    text(left_of(row, rect) + 14.0, columns.value, &row.name, if own { p.json_key } else { p.weak });
    let color = colour(row.kind, p);
    match &row.value {
        Some(value) => text(columns.value, columns.value_end(), value, color),
        None => text(columns.value, columns.value_end(), NOT_DESIRED, p.weak),
    }
    let Some(x) = columns.reported else { return cut };
    let (sign, color) = match row.agreement {
        Agreement::Agrees => ("=", p.good),
        Agreement::Differs => ("≠", p.warn),
        _ => ("", p.weak),
    };
    text(x, columns.right, sign, color);
    match &row.reported {
        Some(reported) => text(x + 14.0, columns.right, reported, p.text),
        None => text(x + 14.0, columns.right, NOT_REPORTED, p.weak),
    }
    cut
}

fn colour(kind: Kind, p: &Palette) -> Color32 {
    match kind {
        Kind::Text => p.json_string,
        Kind::Number => p.json_number,
        Kind::Boolean | Kind::Null => p.json_word,
        Kind::Object | Kind::Array => p.weak,
    }
}
