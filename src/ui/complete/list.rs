//! How the list looks, and what is chosen in it.

use crate::twin::known::suggest::{Offer, Suggestion, Why};
use crate::twin::text::spot::Place;
use crate::twin::tree::kind::Kind;
use crate::ui::theme::{self, Palette, palette};
use crate::ui::{when, widgets};
use egui::accesskit::Role;
use egui::{
    Area, Color32, Id, LayerId, Order, Pos2, Rect, ScrollArea, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo,
};

/// Rows in sight, and how many a page key goes on.
pub(super) const PAGE: isize = 8;

/// From the edge of the list to its rows, in points.
const MARGIN: f32 = 4.0;
const WIDTH_MIN: f32 = 240.0;
const WIDTH_MAX: f32 = 460.0;

/// What is offered at the caret of an editor.
pub(super) struct List {
    pub id: Id,
    /// The text and the caret it is offered for.
    pub text: String,
    pub caret: usize,
    pub offer: Offer,
    pub why: Why,
    pub chosen: usize,
    /// Somebody went to the row that is chosen.
    moved: bool,
    /// The row that is chosen may be out of sight.
    reveal: bool,
}

/// Says where a node of the tree for screen readers is, which egui does for widgets alone.
fn place_node(ui: &Ui, response: &egui::Response) {
    let rect = response.rect;
    let [x0, y0, x1, y1] = [rect.left(), rect.top(), rect.right(), rect.bottom()].map(f64::from);
    let bounds = egui::accesskit::Rect { x0, y0, x1, y1 };
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_bounds(bounds));
}

fn area_id() -> Id {
    Id::unique("suggestions")
}

/// Whether the pointer is on the list.
pub(super) fn has_pointer(ui: &Ui) -> bool {
    let at = ui.ctx().pointer_interact_pos().and_then(|at| ui.ctx().layer_id_at(at));
    at == Some(LayerId::new(Order::Foreground, area_id()))
}

impl List {
    pub fn new(id: Id, text: &str, caret: usize, offer: Offer, why: Why) -> Self {
        Self { id, text: text.to_owned(), caret, offer, why, chosen: 0, moved: false, reveal: true }
    }

    /// Whether somebody looks at it, not at what is typed.
    pub fn is_meant(&self) -> bool {
        self.moved || self.why == Why::Asked
    }

    /// To another row, around the end.
    pub fn step(&mut self, by: isize) {
        let count = self.offer.list.len().cast_signed().max(1);
        self.chosen = (self.chosen.cast_signed() + by).rem_euclid(count).unsigned_abs();
        (self.moved, self.reveal) = (true, true);
    }

    /// To another row, up to the end.
    pub fn page(&mut self, by: isize) {
        let last = self.offer.list.len().saturating_sub(1);
        self.chosen = self.chosen.saturating_add_signed(by).min(last);
        (self.moved, self.reveal) = (true, true);
    }

    /// Paints it at the caret. Returns the row that was clicked.
    pub fn ui(&mut self, ui: &Ui, caret: Rect) -> Option<usize> {
        let rows = self.offer.list.len().clamp(1, PAGE.unsigned_abs());
        #[allow(clippy::cast_precision_loss)] // At most eight.
        let size = Vec2::new(self.width(ui), rows as f32 * theme::ROW);
        let p = palette(ui);
        let area = Area::new(area_id())
            .order(Order::Foreground)
            .fixed_pos(self.place(ui, caret, size + Vec2::splat(2.0 * MARGIN)))
            .constrain(false);
        let list = egui::UiBuilder::new().accessibility_role(Role::ListBox).accessibility_label("Suggestions");
        let frame = egui::Frame::popup(ui.style()).fill(p.panel).inner_margin(MARGIN);
        let shown = area.show(ui.ctx(), |ui| {
            let in_frame = frame.show(ui, |ui| {
                ui.set_min_size(size);
                ui.set_max_width(size.x);
                ui.spacing_mut().item_spacing.y = 0.0;
                let area = ScrollArea::vertical().id_salt("suggestions").auto_shrink(false);
                let area = area.min_scrolled_height(size.y).max_height(size.y);
                let shown = ui.scope_builder(list, |ui| area.show(ui, |ui| self.rows_ui(ui)).inner);
                place_node(ui, &shown.response);
                shown.inner
            });
            in_frame.inner
        });
        shown.inner
    }

    fn rows_ui(&mut self, ui: &mut Ui) -> Option<usize> {
        if self.offer.list.is_empty() {
            ui.horizontal_centered(|ui| {
                ui.add_space(MARGIN);
                let what = if self.offer.spot.place == Place::Value { "value" } else { "other key" };
                widgets::weak(
                    ui,
                    format!("No twin seen has {} {what} here", if what == "value" { "a" } else { "any" }),
                );
            });
            return None;
        }
        let mut clicked = None;
        let reveal = std::mem::take(&mut self.reveal);
        for (n, suggestion) in self.offer.list.iter().enumerate() {
            let response = self.row_ui(ui, suggestion, n == self.chosen);
            if n == self.chosen && reveal {
                response.scroll_to_me(None);
            }
            if n == self.chosen && self.is_meant() {
                // A screen reader follows the choice, once there is one: while it is not looked at, it hears the letters.
                let row = response.id.accesskit_id();
                ui.ctx().accesskit_node_builder(self.id, |node| node.set_active_descendant(row));
            }
            if response.clicked() {
                clicked = Some(n);
            }
        }
        clicked
    }

    fn row_ui(&self, ui: &mut Ui, suggestion: &Suggestion, chosen: bool) -> egui::Response {
        let p = palette(ui);
        let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), theme::ROW), Sense::CLICK);
        let (kind, detail) = (self.kind(suggestion), self.detail(suggestion));
        if ui.is_rect_visible(rect) {
            if chosen && self.is_meant() {
                ui.painter().rect_filled(rect, 4.0, p.chosen);
            } else if response.hovered() {
                ui.painter().rect_filled(rect, 4.0, p.hover);
            }
            if chosen {
                ui.painter().rect_stroke(rect, 4.0, Stroke::new(1.0, p.accent), StrokeKind::Inside);
            }
            let inner = rect.shrink2(Vec2::new(8.0, 0.0));
            let right = egui::pos2(inner.right(), inner.center().y);
            let detail = ui.painter().text(right, egui::Align2::RIGHT_CENTER, &detail, theme::small(), p.weak);
            let room = detail.left() - 12.0 - inner.left();
            let color = self.color(p, suggestion);
            let name = widgets::clipped(ui, &suggestion.name, theme::mono(), color, room);
            let at = egui::pos2(inner.left(), inner.center().y - name.size().y / 2.0);
            let room = room - name.size().x - 12.0;
            if room > 24.0 && !kind.is_empty() {
                let word = widgets::clipped(ui, &kind, theme::small(), p.weak, room);
                let at = egui::pos2(at.x + name.size().x + 12.0, inner.center().y - word.size().y / 2.0);
                ui.painter().galley(at, word, p.weak);
            }
            ui.painter().galley(at, name, color);
        }
        let name = [suggestion.name.as_str(), &kind, &detail];
        let name = name.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        response.widget_info(|| WidgetInfo::labeled(Role::ListBoxOption, true, &name));
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_selected(chosen));
        response
    }

    /// The kind of a key's value; a value shows its own.
    fn kind(&self, suggestion: &Suggestion) -> String {
        if self.offer.spot.place == Place::Value { String::new() } else { suggestion.kind.word().to_lowercase() }
    }

    fn detail(&self, suggestion: &Suggestion) -> String {
        let twins = when::count(usize::try_from(suggestion.twins).unwrap_or(usize::MAX), "twin");
        match (suggestion.twins, &self.offer.spot.place) {
            (0, _) => "reported".to_owned(),
            (_, Place::Value) => twins,
            (_, Place::Key { .. }) => format!("in {twins}"),
        }
    }

    fn color(&self, p: &Palette, suggestion: &Suggestion) -> Color32 {
        match (&self.offer.spot.place, suggestion.kind) {
            (Place::Key { .. }, _) => p.json_key,
            (_, Kind::Text) => p.json_string,
            (_, Kind::Number) => p.json_number,
            (_, Kind::Boolean | Kind::Null) => p.json_word,
            (_, Kind::Object | Kind::Array) => p.text,
        }
    }

    /// Wide enough for the widest row, within bounds.
    fn width(&self, ui: &Ui) -> f32 {
        const SMALL_LETTER: f32 = 6.5;
        let letter = ui.ctx().fonts_mut(|fonts| fonts.glyph_width(&theme::mono(), '0'));
        #[allow(clippy::cast_precision_loss)] // Lengths of what is short or cut off.
        let widths = self.offer.list.iter().map(|suggestion| {
            let small = self.kind(suggestion).len() + self.detail(suggestion).len();
            suggestion.name.chars().take(200).count() as f32 * letter + small as f32 * SMALL_LETTER + 52.0
        });
        let width = widths.fold(0.0, f32::max).clamp(WIDTH_MIN, WIDTH_MAX);
        width.min(ui.ctx().content_rect().width() - 4.0 * MARGIN)
    }

    /// Below the line where the word at the caret begins; above it where there is more room.
    fn place(&self, ui: &Ui, caret: Rect, size: Vec2) -> Pos2 {
        const GAP: f32 = 2.0;
        let letter = ui.ctx().fonts_mut(|fonts| fonts.glyph_width(&theme::mono(), '0'));
        let word = self.text.get(self.offer.spot.range.start..self.caret).unwrap_or_default();
        #[allow(clippy::cast_precision_loss)] // Letters of one line.
        let left = caret.left() - word.chars().count() as f32 * letter - 8.0 - MARGIN;
        let window = ui.ctx().content_rect();
        let (below, above) = (window.bottom() - caret.bottom() - GAP, caret.top() - window.top() - GAP);
        let top = if below >= size.y || below >= above { caret.bottom() + GAP } else { caret.top() - GAP - size.y };
        let most = (window.right() - size.x - 2.0).max(window.left());
        egui::pos2(left.clamp(window.left(), most), top.max(window.top()))
    }
}
