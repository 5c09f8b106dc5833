//! A text to read, select and copy, but not to edit: lays out only what is on screen, so that a document of any size is
//! as quick as a small one.

use super::editor::{self, FoldAct};
use super::field;
use super::find::{Find, Found, Purpose};
use super::folds::{self, State};
use super::laid::{Drawn, Laid, Part};
use super::theme::{self, palette};
use crate::app::tab::Pane;
use crate::twin::TwinId;
use crate::twin::text::folding::{Folding, Touch};
use crate::twin::text::lines::Selection;
use crate::twin::text::word;
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
/// Of so many texts not in front it is known what is folded in them.
const FOLDINGS_MAX: usize = 8;

/// Where a selection began and where it ends: line and column in characters.
type Selected = ((usize, usize), (usize, usize));

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
    /// How wide the rows were that have been laid out, in points.
    width: f32,
    /// Where the selection began and where it ends: line and column in characters.
    anchor: (usize, usize),
    caret: (usize, usize),
    /// The same of the texts that were shown before.
    others: HashMap<Id, Selected>,
    /// The part that was last laid out.
    laid: Laid,
    /// The caret was moved by a search: bring it into view.
    reveal: bool,
    /// Takes the focus the next time it is painted.
    pub focus: bool,
    folding: Folding,
    /// What is folded in texts not in front.
    foldings: Vec<(Id, Folding)>,
    /// Waits for the text to be painted.
    fold: Option<FoldAct>,
}

impl ReaderView {
    fn index(&mut self, id: Id, key: Key) {
        let of = (id, key.version, key.text.len());
        if self.of == Some(of) {
            return;
        }
        let before = self.of.map(|(before, ..)| before);
        if before != Some(id) {
            let (number, fold) = (self.number, self.fold.take());
            let (folding, foldings) = self.other_folding(before, id);
            let (others, (anchor, caret)) = self.other_selection(before, id);
            *self = Self { number, anchor, caret, others, folding, foldings, fold, ..Self::default() };
        }
        self.of = Some(of);
        self.number += 1;
        self.folding.follow(key.text, Touch::Keep);
        self.lines.clear();
        (self.widest, self.width) = (0, 0.0);
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

    /// Puts aside what is selected in the text that was in front, and finds what was in another one.
    fn other_selection(&mut self, before: Option<Id>, id: Id) -> (HashMap<Id, Selected>, Selected) {
        let mut others = std::mem::take(&mut self.others);
        if others.len() >= OTHERS_MAX {
            others.clear();
        }
        if let Some(before) = before {
            others.insert(before, (self.anchor, self.caret));
        }
        let selected = others.get(&id).copied().unwrap_or_default();
        (others, selected)
    }

    /// Puts aside what is folded in the text that was in front, and finds what is in another one.
    fn other_folding(&mut self, before: Option<Id>, id: Id) -> (Folding, Vec<(Id, Folding)>) {
        let mut foldings = std::mem::take(&mut self.foldings);
        if let Some(before) = before.filter(|_| self.folding.is_any()) {
            foldings.push((before, std::mem::take(&mut self.folding)));
        }
        let known = foldings.iter().position(|(of, _)| *of == id);
        let folding = known.map(|at| foldings.remove(at).1).unwrap_or_default();
        if foldings.len() > FOLDINGS_MAX {
            foldings.remove(0);
        }
        (folding, foldings)
    }

    /// Has something folded or unfolded the next time the text is painted.
    pub fn order(&mut self, ctx: &egui::Context, act: FoldAct) {
        self.fold = Some(act);
        ctx.request_repaint();
    }

    /// Does what was asked for. The caret stands in no hidden line: folding takes it out, all else opens what hides it.
    fn settle(&mut self, text: &str) {
        if let Some(act) = self.fold.take() {
            editor::apply(&mut self.folding, self.caret.0, act);
            if let Some(lines) = self.folding.hider(self.caret.0) {
                let line = lines.start - 1;
                self.caret = (line, self.columns(text, line));
                self.anchor = self.caret;
            }
            self.reveal |= !matches!(act, FoldAct::Toggle(_));
        }
        if self.folding.hider(self.caret.0).is_some() {
            let selected = Selection { anchor: self.byte(text, self.anchor), caret: self.byte(text, self.caret) };
            if !self.folding.is_covered(selected) {
                self.folding.reveal(self.caret.0);
            }
        }
    }

    /// How many lines are shown.
    fn rows(&self) -> usize {
        self.folding.row_of(self.lines.len() - 1) + 1
    }

    /// Where a line begins below the first one, in points.
    fn y(&self, line: usize) -> f32 {
        y_of(self.folding.row_of(line))
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
    super::ids::of_twin(("reader", of.device.as_str(), of.module.as_deref(), pane))
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
    view.settle(text);
    let small = ui.ctx().fonts_mut(|fonts| fonts.glyph_width(&theme::small_mono(), '0'));
    #[allow(clippy::cast_precision_loss)] // A handful of digits.
    let gutter = (view.lines.len().to_string().len().max(2) as f32 * small + 16.0 + folds::SIGN).ceil();
    let whole = ui.available_rect_before_wrap();
    let mut child = ui.new_child(egui::UiBuilder::new().max_rect(whole.with_min_x(whole.left() + gutter)));
    let area = ScrollArea::both().id_salt(id.value()).auto_shrink(false);
    let output = area.show_viewport(&mut child, |ui, viewport| sheet_ui(view, ui, id, name, text, viewport, whole));
    let strip = whole.with_max_x(whole.left() + gutter);
    let clicked = gutter_ui(view, ui, id, strip, output.inner.0);
    if let Some(line) = clicked.or(output.inner.1) {
        view.order(ui.ctx(), FoldAct::Toggle(line));
        // The click beside the text took it.
        ui.memory_mut(|m| m.request_focus(id));
    }
    ui.allocate_rect(whole, Sense::hover());
}

/// The text itself. Returns where it begins on the screen, and a folded line that was clicked.
fn sheet_ui(
    view: &mut ReaderView,
    ui: &mut Ui,
    id: Id,
    name: &str,
    text: &str,
    viewport: Rect,
    whole: Rect,
) -> (f32, Option<usize>) {
    let digit = ui.ctx().fonts_mut(|fonts| fonts.glyph_width(&theme::mono(), '0'));
    let count = view.rows();
    #[allow(clippy::cast_precision_loss)] // Columns of a text on screen.
    let width = (view.widest as f32 * digit).max(view.width);
    let size = Vec2::new(width, y_of(count)) + Vec2::splat(2.0 * MARGIN);
    ui.set_min_size(size.max(viewport.size()));
    let origin = ui.min_rect().min + Vec2::splat(MARGIN);
    let rows = rows_in(viewport, count);
    let laid = if text.len() <= WHOLE { 0..count } else { rows.clone() };
    let galley = lay_out(view, ui, text, &laid);
    view.width = view.width.max(galley.rect.width());
    let drawn = Drawn { galley: &galley, first: laid.start, digit };
    if std::mem::take(&mut view.reveal) {
        let line = Vec2::new(0.0, view.y(view.caret.0));
        ui.scroll_to_rect(Rect::from_min_size(origin + line, Vec2::new(1.0, theme::LINE)), None);
    }
    let area = ui.clip_rect().intersect(whole);
    let response = ui.interact(area, id, Sense::click_and_drag());
    // Only now: the dialog that led here was in front until this frame.
    if std::mem::take(&mut view.focus) {
        response.request_focus();
    }
    listen(view, ui, &response, text, origin, &drawn);
    paint(view, ui, origin, &rows, &drawn);
    let at = origin + Vec2::new(0.0, y_of(laid.start));
    ui.painter().galley(at, Arc::clone(&galley), palette(ui).text);
    tell(ui, &response, name, text, &galley, at);
    if let Some(pointer) = response.hover_pos()
        && let Some(said) = field::under(&galley, galley.text(), pointer - at)
    {
        response.clone().on_hover_text_at_pointer(said);
    }
    (origin.y, stubs_ui(view, ui, id, origin, rows, &drawn))
}

/// Behind every folded line in sight: how much is folded into it. Returns the line of one that was clicked.
fn stubs_ui(view: &ReaderView, ui: &mut Ui, id: Id, origin: Pos2, rows: Range<usize>, drawn: &Drawn) -> Option<usize> {
    let mut clicked = None;
    for row in rows {
        let line = view.folding.line_of_row(row);
        let Some(fold) = view.folding.folded_at(line) else { continue };
        let size = Vec2::new(drawn.width(row), theme::LINE);
        let letters = Rect::from_min_size(origin + Vec2::new(0.0, y_of(row)), size);
        if folds::stub_ui(ui, id, letters, fold, &[]) {
            clicked = Some(line);
        }
    }
    clicked
}

#[allow(clippy::cast_precision_loss)] // Beyond 16 million points nobody scrolls.
fn y_of(row: usize) -> f32 {
    row as f32 * theme::LINE
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Clamped at zero, and a float that large saturates.
fn rows_in(viewport: Rect, count: usize) -> Range<usize> {
    let first = ((viewport.top() - MARGIN) / theme::LINE).floor().max(0.0) as usize;
    let last = ((viewport.bottom() - MARGIN) / theme::LINE).ceil().max(0.0) as usize + 1;
    first.min(count)..last.min(count)
}

fn lay_out(view: &mut ReaderView, ui: &Ui, text: &str, rows: &Range<usize>) -> Arc<Galley> {
    let ReaderView { lines, laid, folding, number, .. } = view;
    let part = Part { number: *number, lines: rows.clone().map(|row| folding.line_of_row(row)).collect() };
    laid.part(ui, part, |line| lines.get(line).map_or("", |bytes| &text[bytes.clone()]))
}

/// The numbers of the lines and the signs of folding. Returns a line whose sign was clicked.
fn gutter_ui(view: &ReaderView, ui: &Ui, id: Id, strip: Rect, top: f32) -> Option<usize> {
    let p = palette(ui);
    let painter = ui.painter_at(strip);
    painter.rect_filled(strip, 0.0, p.panel);
    let mut clicked = None;
    let shown = Rect::from_x_y_ranges(0.0..=1.0, strip.top() - top + MARGIN..=strip.bottom() - top + MARGIN);
    for row in rows_in(shown, view.rows()) {
        let line = view.folding.line_of_row(row);
        let y = top + y_of(row) + theme::LINE / 2.0;
        let at = egui::pos2(strip.right() - 8.0 - folds::SIGN, y);
        painter.text(at, egui::Align2::RIGHT_CENTER, line + 1, theme::small_mono(), p.weak);
        let Some(fold) = view.folding.at_line(line) else { continue };
        let state = if view.folding.is_folded(fold) { State::Folded } else { State::Open };
        if folds::sign_ui(ui, id, strip, y, fold, state) {
            clicked = Some(line);
        }
    }
    clicked
}

/// The selection behind the text.
fn paint(view: &ReaderView, ui: &Ui, origin: Pos2, rows: &Range<usize>, drawn: &Drawn) {
    let (from, to) = (view.anchor.min(view.caret), view.anchor.max(view.caret));
    if from == to {
        return;
    }
    for (row, line) in rows.clone().map(|row| (row, view.folding.line_of_row(row))) {
        if line < from.0 || line > to.0 {
            continue;
        }
        let left = if line == from.0 { drawn.x(row, from.1) } else { 0.0 };
        let right = if line == to.0 { drawn.x(row, to.1) } else { drawn.width(row) + drawn.digit };
        let rect = Rect::from_min_max(origin + Vec2::new(left, y_of(row)), origin + Vec2::new(right, y_of(row + 1)));
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

fn listen(view: &mut ReaderView, ui: &Ui, response: &egui::Response, text: &str, origin: Pos2, drawn: &Drawn) {
    if response.hovered() {
        ui.set_cursor_icon(egui::CursorIcon::Text);
    }
    if let Some(at) = response.interact_pointer_pos()
        && (response.drag_started() || response.dragged() || response.clicked())
    {
        response.request_focus();
        let place = place_at(view, text, at - origin, drawn);
        let extend = response.dragged() && !response.drag_started() || ui.input(|i| i.modifiers.shift);
        view.caret = place;
        if !extend {
            view.anchor = place;
        }
        if response.dragged() {
            let line = Rect::from_min_size(origin + Vec2::new(0.0, view.y(place.0)), Vec2::new(1.0, theme::LINE));
            ui.scroll_to_rect(line, None);
        }
    }
    if response.double_clicked()
        && let Some(at) = response.interact_pointer_pos()
    {
        choose_word(view, text, at - origin, drawn);
    }
    if response.triple_clicked() {
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

/// Selects the word of the character under the pointer.
fn choose_word(view: &mut ReaderView, text: &str, at: Vec2, drawn: &Drawn) {
    let row = row_at(view, at);
    let line = view.folding.line_of_row(row);
    let start = view.byte(text, (line, 0));
    let word = word::at(text, view.byte(text, (line, drawn.under(row, at.x))).max(start));
    (view.anchor, view.caret) = (view.place(text, word.start), view.place(text, word.end));
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Clamped at zero.
fn row_at(view: &ReaderView, at: Vec2) -> usize {
    ((at.y / theme::LINE).max(0.0) as usize).min(view.rows() - 1)
}

fn place_at(view: &ReaderView, text: &str, at: Vec2, drawn: &Drawn) -> (usize, usize) {
    let row = row_at(view, at);
    let line = view.folding.line_of_row(row);
    (line, drawn.column(row, at.x).min(view.columns(text, line)))
}

fn keys(view: &mut ReaderView, ui: &Ui, id: Id, text: &str, origin: Pos2) {
    const PAGE: usize = 20;
    let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|m| m.set_focus_lock_filter(id, filter));
    let last = view.lines.len() - 1;
    let end = (last, view.columns(text, last));
    let far = view.rows() - 1;
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
                let row = view.folding.row_of(line);
                let at_row = |row: usize| (view.folding.line_of_row(row), column);
                let command = modifiers.command || modifiers.ctrl;
                if modifiers.alt || command && !matches!(key, Button::A | Button::Home | Button::End) {
                    continue;
                }
                let to = match key {
                    Button::A if command && !modifiers.shift => {
                        view.anchor = (0, 0);
                        view.caret = end;
                        continue;
                    }
                    Button::ArrowUp => at_row(row.saturating_sub(1)),
                    Button::ArrowDown => at_row((row + 1).min(far)),
                    Button::PageUp => at_row(row.saturating_sub(PAGE)),
                    Button::PageDown => at_row((row + PAGE).min(far)),
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
                let rect = Rect::from_min_size(origin + Vec2::new(0.0, view.y(to.0)), Vec2::new(1.0, theme::LINE));
                ui.scroll_to_rect(rect, None);
            }
            _ => {}
        }
    }
}
