//! The editor of one section: text with line numbers and colours, problems underlined.

mod gutter;

use super::find::Find;
use super::laid::Laid;
use crate::twin::text::Problem;
use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{Event, Id, Key, Margin, Modifiers, ScrollArea, TextBuffer, TextEdit, Ui, Vec2};
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
}

impl EditorView {
    /// Puts the caret on a byte range and shows it.
    pub fn go(&mut self, ctx: &egui::Context, id: Id, text: &str, range: Range<usize>) {
        let chars = |to: usize| text.get(..to.min(text.len())).map_or(0, |before| before.chars().count());
        let start = chars(range.start);
        // A long range would hide what is wrong with it: only its first line is selected.
        let first_line = text.get(range.clone()).and_then(|t| t.lines().next()).map_or(0, |line| line.chars().count());
        let mut state = TextEditState::load(ctx, id).unwrap_or_default();
        state.cursor.set_char_range(Some(CCursorRange::two(CCursor::new(start), CCursor::new(start + first_line))));
        state.store(ctx, id);
        self.reveal = Some((id, Focus::Take));
        ctx.request_repaint();
    }

    /// Where the caret stands in an editor, as a byte offset.
    pub fn offset(ctx: &egui::Context, id: Id, text: &str) -> usize {
        let caret = TextEditState::load(ctx, id).and_then(|state| state.cursor.char_range());
        let chars = caret.map_or(0, |range| range.primary.index.0);
        text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at)
    }

    /// Paints the editor over all the space there is. Returns the text when it was changed.
    pub fn ui(&mut self, ui: &mut Ui, sheet: &Sheet) -> Option<String> {
        if self.find.open {
            self.find_ui(ui, sheet);
        }
        let mut text = sheet.text.to_owned();
        keep_indent(ui, sheet.id, &text);
        let lines = sheet.text.split('\n').count();
        let gutter = gutter::width(ui, lines);
        let whole = ui.available_rect_before_wrap();
        let field = whole.with_min_x(whole.left() + gutter);
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(field));
        let output = ScrollArea::both().id_salt(sheet.id.value()).auto_shrink(false).show(&mut child, |ui| {
            let size = ui.available_size();
            let output = self.text_ui(ui, sheet, &mut text, size);
            gutter::underline(ui, &output.galley, output.galley_pos, sheet.problems);
            if let Some((_, focus)) = self.reveal.filter(|(id, _)| *id == sheet.id)
                && let Some(range) = output.state.cursor.char_range()
            {
                self.reveal = None;
                // Only now: the click that led here was beside the editor and would take the focus away again.
                if focus == Focus::Take {
                    ui.memory_mut(|m| m.request_focus(sheet.id));
                }
                let rect = output.galley.pos_from_cursor(range.primary).translate(output.galley_pos.to_vec2());
                ui.scroll_to_rect(rect.expand2(Vec2::new(40.0, 60.0)), None);
            }
            output
        });
        let field = output.inner;
        self.caret = field.cursor_range.map(|range| {
            let at = field.galley.layout_from_cursor(range.primary);
            (at.row + 1, at.column.0 + 1)
        });
        let strip = whole.with_max_x(whole.left() + gutter);
        gutter::numbers(ui, strip, &field.galley, field.galley_pos.y, sheet.problems);
        ui.allocate_rect(whole, egui::Sense::hover());
        field.response.response.changed().then_some(text)
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
        ui.ctx().accesskit_node_builder(output.response.response.id, |node| node.set_label(sheet.name));
        output
    }

    fn find_ui(&mut self, ui: &mut Ui, sheet: &Sheet) {
        let from = Self::offset(ui.ctx(), sheet.id, sheet.text);
        if let Some(hit) = self.find.ui(ui, sheet.text, from) {
            self.go(ui.ctx(), sheet.id, sheet.text, hit.range);
            if hit.by_enter {
                self.reveal = Some((sheet.id, Focus::Leave));
            }
        }
    }
}

/// Tab indents by two spaces, Enter keeps the indentation of the line and adds to it behind a bracket. Each key is replaced where
/// it stands among the events: what was typed around it in the same frame keeps its order.
fn keep_indent(ui: &Ui, id: Id, text: &str) {
    if !ui.memory(|m| m.has_focus(id)) {
        return;
    }
    let selected = TextEditState::load(ui.ctx(), id).and_then(|state| state.cursor.char_range());
    let chars = selected.map_or(0, |range| range.primary.index.0.min(range.secondary.index.0));
    let at = text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
    // The line up to the caret, as it will be when each event is taken.
    let mut line = text[..at].rsplit('\n').next().unwrap_or("").to_owned();
    ui.input_mut(|i| {
        for event in &mut i.events {
            match event {
                Event::Key { key: Key::Tab, pressed: true, modifiers, .. } if modifiers.is_none() => {
                    *event = Event::Text("  ".to_owned());
                }
                Event::Key { key: Key::Enter, pressed: true, modifiers, .. }
                    if modifiers.matches_logically(Modifiers::NONE) =>
                {
                    let mut indent: String = line.chars().take_while(|c| *c == ' ').collect();
                    if line.trim_end().ends_with(['{', '[']) {
                        indent.push_str("  ");
                    }
                    // As a paste: a text event of a bare line break would be dropped.
                    *event = Event::Paste(format!("\n{indent}"));
                }
                Event::Key { key: Key::Backspace, pressed: true, .. } => {
                    line.pop();
                }
                _ => {}
            }
            if let Event::Text(typed) | Event::Paste(typed) = event {
                line.push_str(typed);
                if let Some(end) = line.rfind('\n') {
                    line.drain(..=end);
                }
            }
        }
    });
}
