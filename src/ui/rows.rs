//! A list of rows of one height. Only those in view are painted; a click gives a row the focus, and from there the arrow keys walk.

use super::press::{self, Arrows};
use super::theme::palette;
use egui::{Id, PointerButton, Rect, Response, ScrollArea, Sense, Ui, Vec2};

/// The row the arrow keys stand on.
#[derive(Default)]
pub(super) struct Cursor {
    /// Counted from the top.
    at: usize,
    /// Its row, which stays the one while rows come and go above it.
    on: Option<Id>,
    reveal: bool,
    /// What the list was an answer to. Another answer is shown from its top.
    of: Option<Id>,
}

/// What a list is made of.
pub(super) struct List<I: Fn(usize) -> Id> {
    pub salt: &'static str,
    /// What the rows are an answer to: a filter, a query.
    pub of: Id,
    pub height: f32,
    pub count: usize,
    /// The id of a row, by its place from the top.
    pub id: I,
}

/// Puts the cursor back on its row when rows came or went above it. `count` is not 0.
pub(super) fn follow(at: &mut usize, on: &mut Option<Id>, count: usize, id: impl Fn(usize) -> Id) {
    *at = (*at).min(count.saturating_sub(1));
    if let Some(row) = *on
        && id(*at) != row
    {
        match (0..count).find(|n| id(*n) == row) {
            Some(place) => *at = place,
            None => *on = None,
        }
    }
}

/// Paints the rows in view by `row`, which is given the place of a row from the top and its response.
pub(super) fn ui<I: Fn(usize) -> Id>(
    ui: &mut Ui,
    cursor: &mut Cursor,
    list: &List<I>,
    mut row: impl FnMut(&mut Ui, usize, &Response),
) {
    let mut area = ScrollArea::vertical().id_salt(list.salt).min_scrolled_height(16.0).auto_shrink(false);
    if cursor.of.replace(list.of) != Some(list.of) {
        *cursor = Cursor { of: Some(list.of), ..Cursor::default() };
        area = area.vertical_scroll_offset(0.0);
    }
    if list.count == 0 {
        return;
    }
    follow(&mut cursor.at, &mut cursor.on, list.count, &list.id);
    let here = (list.id)(cursor.at);
    if ui.memory(|m| m.has_focus(here)) {
        press::hold(ui, here, Arrows::Vertical);
        if let Some(to) = press::step(ui, cursor.at, list.count) {
            cursor.at = to;
            cursor.on = Some((list.id)(to));
            cursor.reveal = true;
        }
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    area.show_rows(ui, list.height, list.count, |ui, range| {
        let (left_top, width) = (ui.max_rect().left_top(), ui.available_width());
        let place = |n: usize| {
            #[allow(clippy::cast_precision_loss)] // Rows on screen are few; beyond 16 million points nobody scrolls.
            let y = (n as f32 - range.start as f32) * list.height;
            Rect::from_min_size(left_top + Vec2::new(0.0, y), Vec2::new(width, list.height))
        };
        let reveal = std::mem::take(&mut cursor.reveal);
        let here = (list.id)(cursor.at);
        // The row with the focus is there even when scrolled away, or the focus would be lost.
        let held = !range.contains(&cursor.at) && (reveal || ui.memory(|m| m.has_focus(here)));
        for n in range.clone().chain(held.then_some(cursor.at)) {
            // One row takes part in Tab; the arrows move between rows.
            let sense = if n == cursor.at { Sense::click() } else { Sense::CLICK };
            let response = ui.interact(place(n), (list.id)(n), sense);
            if response.clicked() {
                cursor.at = n;
                cursor.on = Some(response.id);
                response.request_focus();
            }
            back_ui(ui, &response);
            row(ui, n, &response);
        }
        if reveal {
            ui.scroll_to_rect(place(cursor.at), None);
            ui.memory_mut(|m| m.request_focus(here));
        }
    });
}

fn back_ui(ui: &Ui, response: &Response) {
    let p = palette(ui);
    if response.hovered() {
        ui.painter().rect_filled(response.rect, 4.0, p.hover);
    }
    if response.has_focus() {
        let ring = egui::Stroke::new(1.0, p.accent);
        ui.painter().rect_stroke(response.rect, 4.0, ring, egui::StrokeKind::Inside);
    }
}

/// Whether a row is opened: by Enter, or by a double click. A single click only chooses it.
pub(super) fn is_opened(response: &Response) -> bool {
    response.double_clicked() || response.clicked() && !response.clicked_by(PointerButton::Primary)
}
