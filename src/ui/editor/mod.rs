//! The editor of one section: text with line numbers and colours, problems underlined.

mod command;
mod folding;
pub(super) mod foot;
mod gutter;
mod marks;
mod past;
mod place;
pub(super) mod squiggles;
mod typing;

pub(super) use command::{Change, FoldAct, LineCommand};
pub(super) use folding::apply;
pub(super) use gutter::shown;
pub(super) use past::{Elsewhere, Stand};
pub(super) use place::{char_of, selection};

use super::field;
use super::find::{Find, Found, Purpose};
use super::laid::{self, Laid};
use crate::app::tab::Mark;
use crate::twin::text::Problem;
use crate::twin::text::folding::Touch;
use crate::twin::text::history::{Kind, Way};
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
    /// Where the caret was painted last, and the part of the window its text is seen in.
    pub caret_seen: Option<(egui::Rect, egui::Rect)>,
    /// A change of the text as the editor shows it now, made when it is painted next.
    pub put: Option<(Id, Change)>,
    /// A command waits for its editor to be painted.
    waiting: Option<(Id, LineCommand)>,
    pasts: past::Pasts,
    held: folding::Held,
    pairs: typing::Waiting,
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
    pub elsewhere: Elsewhere<'a>,
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

    /// The editors that follow are those of this hub.
    pub fn enter(&mut self, hub: Id) {
        self.pasts.enter(hub);
    }

    /// Looks whether the text of an editor, painted or not, was changed elsewhere.
    pub fn look(&mut self, ctx: &Context, id: Id, text: &str, elsewhere: Elsewhere) {
        self.pasts.of(id, text).look(ctx, id, text, elsewhere);
    }

    /// Makes a change in the text of an editor that need not be painted, as one step of its past. Returns the text.
    pub fn act(&mut self, ctx: &Context, id: Id, text: &str, change: &Change) -> String {
        let before = selection(ctx, id, text);
        let mut made = text.to_owned();
        command::make(ctx, id, &mut made, change);
        self.pasts.of(id, text).record(&made, before, change.1, Kind::Act);
        made
    }

    /// A step in the past of such an editor. Returns the text; `None` where there is no step.
    pub fn step(&mut self, ctx: &Context, id: Id, text: &str, way: Way) -> Option<String> {
        let change = self.pasts.of(id, text).step(way, selection(ctx, id, text))?;
        let mut made = text.to_owned();
        command::make(ctx, id, &mut made, &change);
        Some(made)
    }

    /// An editor was closed with all that was typed in it.
    pub fn forget(&mut self, id: Id) {
        self.pasts.forget(id);
    }

    /// Paints the editor over all the space there is. Returns the text when it was changed.
    pub fn ui(&mut self, ui: &mut Ui, sheet: &Sheet) -> Option<String> {
        self.look(ui.ctx(), sheet.id, sheet.text, sheet.elsewhere);
        let arrow = self.arrow(ui, sheet);
        let mut ways = past::keys(ui, sheet.id);
        let mut change = self.find_ui(ui, sheet);
        let before = selection(ui.ctx(), sheet.id, sheet.text);
        match self.waiting.take().filter(|(id, _)| *id == sheet.id) {
            Some((_, LineCommand::Step(way))) => ways.push(way),
            Some((_, LineCommand::Fold(act))) => self.fold(ui.ctx(), sheet.id, sheet.text, act),
            Some((_, command)) => change = self.change(ui.ctx(), sheet, command),
            None => {}
        }
        change = self.put.take().filter(|(id, _)| *id == sheet.id).map(|(_, put)| put).or(change);
        let mut text = sheet.text.to_owned();
        if let Some(change) = change {
            self.make(ui.ctx(), sheet.id, &mut text, &change);
            let kind = Kind::Act;
            self.pasts.of(sheet.id, sheet.text).record(&text, before, change.1, kind);
        }
        for way in ways {
            let selected = selection(ui.ctx(), sheet.id, &text);
            if let Some(change) = self.pasts.of(sheet.id, sheet.text).step(way, selected) {
                self.make(ui.ctx(), sheet.id, &mut text, &change);
            }
        }
        if let Some(command) = typing::rewrite(ui, sheet.id, &text, &mut self.pairs) {
            self.order(ui.ctx(), sheet.id, command);
        }
        let (before, kind) = (selection(ui.ctx(), sheet.id, &text), past::kind(ui));
        if self.sheet_ui(ui, sheet, &mut text, arrow) {
            let now = selection(ui.ctx(), sheet.id, &text);
            self.pasts.of(sheet.id, sheet.text).record(&text, before, now, kind);
            forget_field_steps(ui.ctx(), sheet.id);
        }
        (text != sheet.text).then_some(text)
    }

    fn make(&mut self, ctx: &Context, id: Id, text: &mut String, change: &Change) {
        command::make(ctx, id, text, change);
        self.reveal = self.reveal.or(Some((id, Focus::Leave)));
    }

    fn sheet_ui(&mut self, ui: &mut Ui, sheet: &Sheet, text: &mut String, arrow: Option<folding::Arrow>) -> bool {
        self.show_caret(ui.ctx(), sheet.id, text);
        let gutter = gutter::width(ui, laid::count(text));
        let whole = ui.available_rect_before_wrap();
        let field = whole.with_min_x(whole.left() + gutter);
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(field));
        let mut area = ScrollArea::both().id_salt(sheet.id.value()).auto_shrink(false);
        let past = self.pasts.of(sheet.id, sheet.text);
        let shift = std::mem::take(&mut past.shift);
        if shift != 0.0 {
            area = area.vertical_scroll_offset((past.scrolled + shift).max(0.0));
            // An offset beyond the end is taken back in the next frame: until then a click would fall on another line.
            ui.ctx().request_repaint();
        }
        let output = area.show(&mut child, |ui| {
            let size = ui.available_size();
            let behind = ui.painter().add(Shape::Noop);
            let output = self.text_ui(ui, sheet, text, size);
            self.step_across(ui.ctx(), sheet.id, text, &output, arrow);
            let marks = self.marks(ui, sheet.id, text, &output);
            ui.painter().set(behind, Shape::Vec(marks));
            let field = &output.response.response;
            squiggles::ui(ui, &output.galley, output.galley_pos, text, sheet.problems, field);
            self.stubs_ui(ui, sheet, text, &output.galley, output.galley_pos);
            self.scroll(ui, sheet.id, &output);
            output
        });
        let past = self.pasts.of(sheet.id, sheet.text);
        (past.scrolled, past.height) = (output.state.clamped_offset().y, output.inner_rect.height());
        let field = output.inner;
        if let Some(range) = field.cursor_range {
            let caret = field.galley.pos_from_cursor(range.primary).translate(field.galley_pos.to_vec2());
            self.caret_seen = Some((caret, output.inner_rect));
        }
        self.caret = field.cursor_range.map(|range| {
            let at = field.galley.layout_from_cursor(range.primary);
            (at.row + 1, at.column.0 + 1)
        });
        let strip = whole.with_max_x(whole.left() + gutter);
        gutter::numbers(ui, strip, &field.galley, field.galley_pos.y, sheet.problems);
        self.signs_ui(ui, sheet, text, strip, &field.galley, field.galley_pos.y);
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
        let (laid, folding) = (&mut self.laid, &mut self.pasts.of(sheet.id, sheet.text).folding);
        let mut layouter = |ui: &Ui, buffer: &dyn TextBuffer, _width: f32| {
            folding.follow(buffer.as_str(), Touch::Open);
            laid.galley(ui, buffer.as_str(), folding.hidden())
        };
        let output = TextEdit::multiline(text)
            .id(sheet.id)
            .code_editor()
            .frame(egui::Frame::new().inner_margin(Margin { left: 4, right: 12, top: 6, bottom: 12 }))
            .desired_width(f32::INFINITY)
            .min_size(size)
            .cursor_at_end(false)
            .layouter(&mut layouter)
            .show(ui);
        field::settle(ui, &output, text);
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

/// The field keeps steps of its own, which nothing leads to.
fn forget_field_steps(ctx: &Context, id: Id) {
    if let Some(mut state) = TextEditState::load(ctx, id) {
        state.clear_undoer();
        state.store(ctx, id);
    }
}
