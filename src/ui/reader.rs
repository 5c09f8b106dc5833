//! A text to read, select and copy, but not to edit: lays out only what is on screen, so that a document of any size is
//! as quick as a small one.

use super::find::{Find, Found, Purpose};
use super::laid::{Laid, Part};
use super::theme::{self, palette};
use crate::app::tab::Pane;
use crate::twin::TwinId;
use egui::accesskit::Role;
use egui::{
    Event, EventFilter, Galley, Id, Key as Button, Modifiers, Pos2, Rect, ScrollArea, Sense, Ui, Vec2, WidgetInfo,
};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// Up to this many bytes the whole text is laid out and told to screen readers; beyond, what is on screen.
const WHOLE: usize = 48 * 1024;
const MARGIN: f32 = 8.0;
/// Of so many texts is kept where the selection was.
const OTHERS_MAX: usize = 1000;

/// Which text: the version tells a change without comparing.
#[derive(Clone, Copy)]
pub(super) struct Key<'a> {
    pub version: u64,
    pub text: &'a str,
}

/// What the reader remembers of the text it shows.
#[derive(Default)]
pub(super) struct ReaderView {
    of: Option<(Id, u64, usize)>,
    /// Counts the texts.
    number: u64,
    /// Byte ranges of the lines, without their breaks.
    lines: Vec<Range<usize>>,
    widest: usize,
    /// Where the selection began and where it ends: line and column in characters.
    anchor: (usize, usize),
    caret: (usize, usize),
    /// The same of the texts that were shown before.
    others: HashMap<Id, ((usize, usize), (usize, usize))>,
    /// The part that was last laid out.
    laid: Laid,
    /// The caret was moved by a search: bring it into view.
    reveal: bool,
    /// Takes the focus the next time it is painted.
    pub focus: bool,
}

impl ReaderView {
    fn index(&mut self, id: Id, key: Key) {
        let of = (id, key.version, key.text.len());
        if self.of == Some(of) {
            return;
        }
        let number = self.number + 1;
        match self.of {
            Some((before, ..)) if before == id => *self = Self { of: Some(of), number, ..std::mem::take(self) },
            before => {
                let mut others = std::mem::take(&mut self.others);
                if others.len() >= OTHERS_MAX {
                    others.clear();
                }
                if let Some((before, ..)) = before {
                    others.insert(before, (self.anchor, self.caret));
                }
                let (anchor, caret) = others.get(&id).copied().unwrap_or_default();
                *self = Self { of: Some(of), number, anchor, caret, others, ..Self::default() };
            }
        }
        self.lines.clear();
        self.widest = 0;
        let mut start = 0;
        for line in key.text.split('\n') {
            self.lines.push(start..start + line.len());
            self.widest = self.widest.max(line.chars().count());
            start += line.len() + 1;
        }
        for at in [&mut self.anchor, &mut self.caret] {
            at.0 = at.0.min(self.lines.len() - 1);
        }
    }

    fn byte(&self, text: &str, (line, column): (usize, usize)) -> usize {
        let Some(range) = self.lines.get(line) else { return text.len() };
        let inside = &text[range.clone()];
        range.start + inside.char_indices().nth(column).map_or(inside.len(), |(at, _)| at)
    }

    /// Line and column of a byte.
    fn place(&self, text: &str, byte: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|line| line.start <= byte).saturating_sub(1);
        let start = self.lines.get(line).map_or(0, |line| line.start);
        (line, text.get(start..byte).map_or(0, |before| before.chars().count()))
    }

    fn columns(&self, text: &str, line: usize) -> usize {
        self.lines.get(line).map_or(0, |range| text[range.clone()].chars().count())
    }

    /// The bytes that are selected.
    pub fn selection(&self, text: &str) -> Range<usize> {
        let (from, to) = (self.anchor.min(self.caret), self.anchor.max(self.caret));
        self.byte(text, from)..self.byte(text, to)
    }

    /// Selects bytes and shows them.
    pub fn select(&mut self, text: &str, range: &Range<usize>) {
        self.anchor = self.place(text, range.start);
        self.caret = self.place(text, range.end);
        self.reveal = true;
    }

    fn selected<'a>(&self, text: &'a str) -> &'a str {
        &text[self.selection(text)]
    }
}

/// The id of a pane's text.
pub(super) fn id(of: &TwinId, pane: Pane) -> Id {
    Id::unique(("reader", of.device.as_str(), of.module.as_deref(), pane))
}

/// Fills the space with the text, under the search where that is open.
pub(super) fn ui(view: &mut ReaderView, find: &mut Find, ui: &mut Ui, id: Id, name: &str, key: Key) {
    view.index(id, key);
    let text = key.text;
    if find.open {
        let selected = view.selection(text);
        match find.ui(ui, text, &selected, Purpose::Read) {
            Some(Found::Go(hit)) => view.select(text, &hit.range),
            Some(Found::Left) => ui.memory_mut(|m| m.request_focus(id)),
            Some(Found::Replace(..)) | None => {}
        }
    }
    let digit = ui.ctx().fonts_mut(|fonts| fonts.glyph_width(&theme::mono(), '0'));
    let small = ui.ctx().fonts_mut(|fonts| fonts.glyph_width(&theme::small_mono(), '0'));
    let count = view.lines.len();
    #[allow(clippy::cast_precision_loss)] // Lines and columns of a text on screen.
    let (gutter, size) = (
        (count.to_string().len().max(2) as f32 * small + 16.0).ceil(),
        Vec2::new(view.widest as f32 * digit + 2.0 * MARGIN, count as f32 * theme::LINE + 2.0 * MARGIN),
    );
    let whole = ui.available_rect_before_wrap();
    let mut child = ui.new_child(egui::UiBuilder::new().max_rect(whole.with_min_x(whole.left() + gutter)));
    let output = ScrollArea::both().id_salt(id.value()).auto_shrink(false).show_viewport(&mut child, |ui, viewport| {
        ui.set_min_size(size.max(viewport.size()));
        let origin = ui.min_rect().min + Vec2::splat(MARGIN);
        let rows = rows_in(viewport, count);
        let laid = if text.len() <= WHOLE { 0..count } else { rows.clone() };
        let galley = lay_out(view, ui, text, &laid);
        if std::mem::take(&mut view.reveal) {
            let line = Vec2::new(0.0, y_of(view.caret.0));
            ui.scroll_to_rect(Rect::from_min_size(origin + line, Vec2::new(1.0, theme::LINE)), None);
        }
        let area = ui.clip_rect().intersect(whole);
        let response = ui.interact(area, id, Sense::click_and_drag());
        // Only now: the dialog that led here was in front until this frame.
        if std::mem::take(&mut view.focus) {
            response.request_focus();
        }
        listen(view, ui, &response, text, origin, digit);
        paint(view, ui, text, origin, &rows, digit);
        let at = origin + Vec2::new(0.0, y_of(laid.start));
        ui.painter().galley(at, Arc::clone(&galley), palette(ui).text);
        tell(ui, &response, name, text, &galley, at);
        origin.y
    });
    let strip = whole.with_max_x(whole.left() + gutter);
    numbers(ui, strip, output.inner, count);
    ui.allocate_rect(whole, Sense::hover());
}

#[allow(clippy::cast_precision_loss)] // Beyond 16 million points nobody scrolls.
fn y_of(line: usize) -> f32 {
    line as f32 * theme::LINE
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Clamped at zero, and a float that large saturates.
fn rows_in(viewport: Rect, count: usize) -> Range<usize> {
    let first = ((viewport.top() - MARGIN) / theme::LINE).floor().max(0.0) as usize;
    let last = ((viewport.bottom() - MARGIN) / theme::LINE).ceil().max(0.0) as usize + 1;
    first.min(count)..last.min(count)
}

fn lay_out(view: &mut ReaderView, ui: &Ui, text: &str, rows: &Range<usize>) -> Arc<Galley> {
    let start = view.lines.get(rows.start).map_or(0, |line| line.start);
    let end = rows.end.checked_sub(1).and_then(|last| view.lines.get(last)).map_or(start, |line| line.end);
    let part = Part { number: view.number, lines: rows.clone() };
    view.laid.part(ui, &text[start..end.max(start)], part)
}

fn numbers(ui: &Ui, strip: Rect, top: f32, count: usize) {
    let p = palette(ui);
    let painter = ui.painter_at(strip);
    painter.rect_filled(strip, 0.0, p.panel);
    for n in
        rows_in(Rect::from_x_y_ranges(0.0..=1.0, strip.top() - top + MARGIN..=strip.bottom() - top + MARGIN), count)
    {
        let at = egui::pos2(strip.right() - 8.0, top + y_of(n) + theme::LINE / 2.0);
        painter.text(at, egui::Align2::RIGHT_CENTER, n + 1, theme::small_mono(), p.weak);
    }
}

/// The selection behind the text.
#[allow(clippy::cast_precision_loss)] // Columns on screen.
fn paint(view: &ReaderView, ui: &Ui, text: &str, origin: Pos2, rows: &Range<usize>, digit: f32) {
    let (from, to) = (view.anchor.min(view.caret), view.anchor.max(view.caret));
    if from == to {
        return;
    }
    for line in rows.start.max(from.0)..rows.end.min(to.0 + 1) {
        let left = if line == from.0 { from.1 } else { 0 };
        let right = if line == to.0 { to.1 } else { view.columns(text, line) + 1 };
        let rect = Rect::from_min_max(
            origin + Vec2::new(left as f32 * digit, y_of(line)),
            origin + Vec2::new(right as f32 * digit, y_of(line + 1)),
        );
        ui.painter().rect_filled(rect, 0.0, palette(ui).chosen);
    }
}

/// What screen readers learn: a read-only text of several lines.
fn tell(ui: &Ui, response: &egui::Response, name: &str, text: &str, galley: &Galley, at: Pos2) {
    response.widget_info(|| WidgetInfo::labeled(Role::MultilineTextInput, true, name));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_read_only();
        node.set_value(if text.len() <= WHOLE { text } else { &galley.job.text });
    });
    egui::text_selection::accesskit_text::update_accesskit_for_text_widget(
        ui.ctx(),
        response.id,
        None,
        egui::emath::TSTransform::from_translation(at.to_vec2()),
        galley,
    );
}

fn listen(view: &mut ReaderView, ui: &Ui, response: &egui::Response, text: &str, origin: Pos2, digit: f32) {
    if response.hovered() {
        ui.set_cursor_icon(egui::CursorIcon::Text);
    }
    if let Some(at) = response.interact_pointer_pos()
        && (response.drag_started() || response.dragged() || response.clicked())
    {
        response.request_focus();
        let place = place_at(view, text, at - origin, digit);
        let extend = response.dragged() && !response.drag_started() || ui.input(|i| i.modifiers.shift);
        view.caret = place;
        if !extend {
            view.anchor = place;
        }
        if response.dragged() {
            let line = Rect::from_min_size(origin + Vec2::new(0.0, y_of(place.0)), Vec2::new(1.0, theme::LINE));
            ui.scroll_to_rect(line, None);
        }
    }
    if response.double_clicked() {
        view.anchor = (view.caret.0, 0);
        view.caret = (view.caret.0, view.columns(text, view.caret.0));
    }
    if response.has_focus() {
        ui.painter().rect_stroke(
            response.rect,
            0.0,
            egui::Stroke::new(1.0, palette(ui).accent),
            egui::StrokeKind::Inside,
        );
        keys(view, ui, response.id, text, origin);
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Clamped at zero.
fn place_at(view: &ReaderView, text: &str, at: Vec2, digit: f32) -> (usize, usize) {
    let line = ((at.y / theme::LINE).max(0.0) as usize).min(view.lines.len() - 1);
    let column = (at.x / digit).round().max(0.0) as usize;
    (line, column.min(view.columns(text, line)))
}

fn keys(view: &mut ReaderView, ui: &Ui, id: Id, text: &str, origin: Pos2) {
    const PAGE: usize = 20;
    let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|m| m.set_focus_lock_filter(id, filter));
    let last = view.lines.len() - 1;
    let end = (last, view.columns(text, last));
    for event in ui.input(|i| i.filtered_events(&filter)) {
        match event {
            Event::Copy => {
                let selected = view.selected(text);
                if !selected.is_empty() {
                    ui.ctx().copy_text(selected.to_owned());
                }
            }
            Event::Key { key, pressed: true, modifiers, .. } => {
                let (line, column) = view.caret;
                let columns = view.columns(text, line);
                let to = match key {
                    Button::A if modifiers.command => {
                        view.anchor = (0, 0);
                        view.caret = end;
                        continue;
                    }
                    Button::ArrowUp => (line.saturating_sub(1), column),
                    Button::ArrowDown => ((line + 1).min(last), column),
                    Button::PageUp => (line.saturating_sub(PAGE), column),
                    Button::PageDown => ((line + PAGE).min(last), column),
                    Button::ArrowLeft => (line, column.min(columns).saturating_sub(1)),
                    Button::ArrowRight => (line, (column + 1).min(columns)),
                    Button::Home if modifiers.command => (0, 0),
                    Button::End if modifiers.command => end,
                    Button::Home => (line, 0),
                    Button::End => (line, columns),
                    _ => continue,
                };
                view.caret = to;
                if !modifiers.contains(Modifiers::SHIFT) {
                    view.anchor = to;
                }
                let rect = Rect::from_min_size(origin + Vec2::new(0.0, y_of(to.0)), Vec2::new(1.0, theme::LINE));
                ui.scroll_to_rect(rect, None);
            }
            _ => {}
        }
    }
}
