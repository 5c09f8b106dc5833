//! The editor of one section: text with line numbers and colours, problems underlined.

mod command;
pub(super) mod foot;
mod gutter;
mod marks;
mod place;
pub(super) mod squiggles;
mod typing;

pub(super) use command::{Change, LineCommand, make};
pub(super) use place::{char_of, selection};

use super::find::{Find, Found, Purpose};
use super::laid::Laid;
use super::theme;
use crate::app::tab::Mark;
use crate::twin::text::Problem;
use crate::twin::text::lines::Selection;
use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{Context, Id, Margin, ScrollArea, Shape, TextBuffer, TextEdit, Ui, Vec2};
use std::ops::Range;

/// What the editors remember between frames.
#[derive(Default)]
pub(super) struct EditorView {
    /// Line and column of the caret, both from 1, of the editor that has the focus.
    pub caret: Option<(usize, usize)>,
    laid: Laid,
    /// An editor whose caret was moved from outside: bring it into view, and the focus with it.
    reveal: Option<(Id, Focus)>,
    pub find: Find,
    /// A command waits for its editor to be painted.
    waiting: Option<(Id, LineCommand)>,
    /// How far down the text stands, in points, and lines that come in above it: the view stays on the text.
    scrolled: f32,
    shift: Option<(Id, f32)>,
}

/// Whether the editor takes the focus when its caret is moved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Focus {
    Take,
    Leave,
}

/// What is painted: a text somebody else keeps.
pub(super) struct Sheet<'a> {
    pub id: Id,
    pub name: &'a str,
    pub text: &'a str,
    pub problems: &'a [Problem],
    /// Lines the hub changed, in text order.
    pub marks: &'a [&'a Mark],
}

impl EditorView {
    /// Puts the caret on a byte range and shows it.
    pub fn go(&mut self, ctx: &Context, id: Id, text: &str, range: Range<usize>) {
        let start = char_of(text, range.start);
        // A long range would hide what is wrong with it: only its first line is selected.
        let first_line = text.get(range).and_then(|t| t.lines().next()).map_or(0, |line| line.chars().count());
        let mut state = TextEditState::load(ctx, id).unwrap_or_default();
        let selected = CCursorRange::two(CCursor::new(start), CCursor::new(start + first_line));
        state.cursor.set_char_range(Some(selected));
        state.store(ctx, id);
        self.reveal = Some((id, Focus::Take));
        ctx.request_repaint();
    }

    /// Has a command done the next time the editor is painted.
    pub fn order(&mut self, ctx: &Context, id: Id, command: LineCommand) {
        self.waiting = Some((id, command));
        ctx.request_repaint();
    }

    /// Where the caret stands in an editor, as a byte offset.
    pub fn offset(ctx: &Context, id: Id, text: &str) -> usize {
        selection(ctx, id, text).caret
    }

    /// Lines come in above the text in view, in the next frame.
    pub fn shift(&mut self, id: Id, lines: f32) {
        self.shift = Some((id, lines)).filter(|(_, lines)| *lines != 0.0);
    }

    /// Paints the editor over all the space there is. Returns the text when it was changed.
    pub fn ui(&mut self, ui: &mut Ui, sheet: &Sheet) -> Option<String> {
        let mut change = self.find_ui(ui, sheet);
        if let Some((_, command)) = self.waiting.take().filter(|(id, _)| *id == sheet.id) {
            let selected = selection(ui.ctx(), sheet.id, sheet.text);
            change = command::change(sheet.text, selected, sheet.problems, command);
        }
        let mut text = sheet.text.to_owned();
        let changed = change.as_ref().is_some_and(|(edits, _)| !edits.is_empty());
        if let Some(change) = change {
            command::make(ui.ctx(), sheet.id, &mut text, &change);
            self.reveal = self.reveal.or(Some((sheet.id, Focus::Leave)));
        }
        if let Some(command) = typing::rewrite(ui, sheet.id, &text) {
            self.order(ui.ctx(), sheet.id, command);
        }
        let typed = self.sheet_ui(ui, sheet, &mut text);
        (changed || typed).then_some(text)
    }

    fn sheet_ui(&mut self, ui: &mut Ui, sheet: &Sheet, text: &mut String) -> bool {
        let lines = text.split('\n').count();
        let gutter = gutter::width(ui, lines);
        let whole = ui.available_rect_before_wrap();
        let field = whole.with_min_x(whole.left() + gutter);
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(field));
        let mut area = ScrollArea::both().id_salt(sheet.id.value()).auto_shrink(false);
        if let Some((_, lines)) = self.shift.take_if(|(id, _)| *id == sheet.id) {
            let line = ui.ctx().fonts_mut(|fonts| fonts.row_height(&theme::mono()));
            area = area.vertical_scroll_offset((self.scrolled + lines * line).max(0.0));
        }
        let output = area.show(&mut child, |ui| {
            let size = ui.available_size();
            let behind = ui.painter().add(Shape::Noop);
            let output = self.text_ui(ui, sheet, text, size);
            let marks = self.marks(ui, sheet.id, text, &output);
            ui.painter().set(behind, Shape::Vec(marks));
            let field = &output.response.response;
            squiggles::ui(ui, &output.galley, output.galley_pos, text, sheet.problems, field);
            self.scroll(ui, sheet.id, &output);
            output
        });
        self.scrolled = output.state.clamped_offset().y;
        let field = output.inner;
        self.caret = field.cursor_range.map(|range| {
            let at = field.galley.layout_from_cursor(range.primary);
            (at.row + 1, at.column.0 + 1)
        });
        let strip = whole.with_max_x(whole.left() + gutter);
        gutter::numbers(ui, strip, &field.galley, field.galley_pos.y, sheet.problems);
        Self::marks_ui(ui, strip, &field.galley, field.galley_pos.y, sheet.marks);
        ui.allocate_rect(whole, egui::Sense::hover());
        field.response.response.changed()
    }

    fn marks(&self, ui: &Ui, id: Id, text: &str, output: &egui::text_edit::TextEditOutput) -> Vec<Shape> {
        let sheet = marks::Sheet { text, galley: &output.galley, origin: output.galley_pos };
        let mut shapes = sheet.guides(ui);
        if self.find.open {
            shapes.extend(sheet.hits(ui, self.find.hits()));
        }
        let caret = output.cursor_range.filter(|range| range.is_empty() && ui.memory(|m| m.has_focus(id)));
        if let Some(range) = caret {
            shapes.extend(sheet.brackets(ui, place::byte_of(text, range.primary.index.0)));
        }
        shapes
    }

    /// Brings a caret that was moved from outside into view.
    fn scroll(&mut self, ui: &Ui, id: Id, output: &egui::text_edit::TextEditOutput) {
        if let Some((_, focus)) = self.reveal.filter(|(of, _)| *of == id)
            && let Some(range) = output.state.cursor.char_range()
        {
            self.reveal = None;
            // Only now: the click that led here was beside the editor and would take the focus away again.
            if focus == Focus::Take {
                ui.memory_mut(|m| m.request_focus(id));
            }
            let rect = output.galley.pos_from_cursor(range.primary).translate(output.galley_pos.to_vec2());
            ui.scroll_to_rect(rect.expand2(Vec2::new(40.0, 60.0)), None);
        }
    }

    fn text_ui(
        &mut self,
        ui: &mut Ui,
        sheet: &Sheet,
        text: &mut String,
        size: Vec2,
    ) -> egui::text_edit::TextEditOutput {
        let laid = &mut self.laid;
        let mut layouter = |ui: &Ui, buffer: &dyn TextBuffer, _width: f32| laid.galley(ui, buffer.as_str());
        let output = TextEdit::multiline(text)
            .id(sheet.id)
            .code_editor()
            .frame(egui::Frame::new().inner_margin(Margin { left: 4, right: 12, top: 6, bottom: 12 }))
            .desired_width(f32::INFINITY)
            .min_size(size)
            .cursor_at_end(false)
            .layouter(&mut layouter)
            .show(ui);
        // The problem of the caret's line before any other one.
        let line = output.cursor_range.map_or(0, |range| output.galley.layout_from_cursor(range.primary).row + 1);
        let problem = sheet.problems.iter().find(|problem| problem.line == line).or(sheet.problems.first());
        ui.ctx().accesskit_node_builder(output.response.response.id, |node| {
            node.set_label(sheet.name);
            if let Some(problem) = problem {
                node.set_invalid(egui::accesskit::Invalid::True);
                node.set_description(squiggles::said(problem));
            }
        });
        output
    }

    fn find_ui(&mut self, ui: &mut Ui, sheet: &Sheet) -> Option<Change> {
        if !self.find.open {
            return None;
        }
        let selected = selection(ui.ctx(), sheet.id, sheet.text);
        match self.find.ui(ui, sheet.text, &selected.range(), Purpose::Edit)? {
            Found::Go(hit) => {
                self.go(ui.ctx(), sheet.id, sheet.text, hit.range);
                if hit.keeps_focus {
                    self.reveal = Some((sheet.id, Focus::Leave));
                }
                None
            }
            Found::Replace(edits, caret) => {
                self.reveal = Some((sheet.id, Focus::Leave));
                Some((edits, Selection { anchor: caret.start, caret: caret.end }))
            }
            Found::Left => {
                self.reveal = Some((sheet.id, Focus::Take));
                None
            }
        }
    }
}
