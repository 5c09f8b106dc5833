//! The editor of one section: text with line numbers and colours, problems underlined.

use super::find::Find;
use super::json_colours;
use super::theme::{self, palette};
use crate::app::tab::Mark;
use crate::twin::text::Problem;
use egui::text::{CCursor, CCursorRange, LayoutJob};
use egui::text_edit::TextEditState;
use egui::{Event, Galley, Id, Key, Margin, Modifiers, Rect, ScrollArea, TextBuffer, TextEdit, Ui, Vec2};
use std::ops::Range;
use std::sync::Arc;

/// What the editors remember between frames.
#[derive(Default)]
pub(super) struct EditorView {
    /// Line and column of the caret, both from 1, of the editor that has the focus.
    pub caret: Option<(usize, usize)>,
    /// The colours of the text last painted.
    memo: Option<Memo>,
    /// An editor whose caret was moved from outside: bring it into view, and the focus with it.
    reveal: Option<(Id, Focus)>,
    pub find: Find,
    /// How far down the text stands, in points, and lines that come in above it: the view stays on the text.
    scrolled: f32,
    shift: Option<(Id, f32)>,
}

struct Memo {
    dark: bool,
    job: LayoutJob,
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

    /// Lines come in above the text in view, in the next frame.
    pub fn shift(&mut self, id: Id, lines: f32) {
        self.shift = Some((id, lines)).filter(|(_, lines)| *lines != 0.0);
    }

    /// Paints the editor over all the space there is. Returns the text when it was changed.
    pub fn ui(&mut self, ui: &mut Ui, sheet: &Sheet) -> Option<String> {
        if self.find.open {
            self.find_ui(ui, sheet);
        }
        let mut text = sheet.text.to_owned();
        keep_indent(ui, sheet.id, &text);
        let lines = sheet.text.split('\n').count();
        let gutter = gutter_width(ui, lines);
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
            let output = self.text_ui(ui, sheet, &mut text, size);
            underline(ui, &output.galley, output.galley_pos, sheet.problems);
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
        self.scrolled = output.state.clamped_offset().y;
        let field = output.inner;
        self.caret = field.cursor_range.map(|range| {
            let at = field.galley.layout_from_cursor(range.primary);
            (at.row + 1, at.column.0 + 1)
        });
        let strip = whole.with_max_x(whole.left() + gutter);
        numbers(ui, strip, &field.galley, field.galley_pos.y, sheet.problems);
        Self::marks_ui(ui, strip, &field.galley, field.galley_pos.y, sheet.marks);
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
        let memo = &mut self.memo;
        let mut layouter = |ui: &Ui, buffer: &dyn TextBuffer, _width: f32| coloured(memo, ui, buffer.as_str());
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

fn coloured(memo: &mut Option<Memo>, ui: &Ui, text: &str) -> Arc<Galley> {
    let dark = ui.visuals().dark_mode;
    let fresh = memo.as_ref().is_some_and(|m| m.dark == dark && m.job.text == text);
    if !fresh {
        *memo = None;
    }
    let memo = memo.get_or_insert_with(|| Memo { dark, job: json_colours::job(text, &theme::mono(), palette(ui)) });
    ui.painter().layout_job(memo.job.clone())
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

fn gutter_width(ui: &Ui, lines: usize) -> f32 {
    let digits = lines.to_string().len().max(2);
    let digit = ui.ctx().fonts_mut(|fonts| fonts.glyph_width(&theme::small_mono(), '0'));
    #[allow(clippy::cast_precision_loss)] // A handful of digits.
    let width = digits as f32 * digit;
    (width + 16.0).ceil()
}

fn numbers(ui: &Ui, strip: Rect, galley: &Galley, top: f32, problems: &[Problem]) {
    let p = palette(ui);
    let painter = ui.painter_at(strip);
    painter.rect_filled(strip, 0.0, p.panel);
    for (n, row) in galley.rows.iter().enumerate() {
        let y = top + row.pos.y + row.row.size.y / 2.0;
        if y < strip.top() - theme::LINE {
            continue;
        }
        if y > strip.bottom() + theme::LINE {
            break;
        }
        let bad = problems.iter().any(|problem| problem.line == n + 1);
        let color = if bad { p.bad } else { p.weak };
        let at = egui::pos2(strip.right() - 8.0, y);
        painter.text(at, egui::Align2::RIGHT_CENTER, n + 1, theme::small_mono(), color);
        if bad {
            painter.rect_filled(
                Rect::from_min_size(egui::pos2(strip.left(), y - 9.0), Vec2::new(3.0, 18.0)),
                0.0,
                p.bad,
            );
        }
    }
}

fn underline(ui: &Ui, galley: &Galley, origin: egui::Pos2, problems: &[Problem]) {
    let p = palette(ui);
    for problem in problems.iter().take(200) {
        let Some(row) = galley.rows.get(problem.line.saturating_sub(1)) else { continue };
        let from = problem.column.saturating_sub(1);
        let to = from + problem.range.len().max(1);
        let x = |column: usize| row.pos.x + row.row.x_offset(egui::text::CharIndex(column.min(row.row.glyphs.len())));
        let (left, mut right) = (x(from), x(to));
        right = right.max(left + 7.0);
        let y = origin.y + row.pos.y + row.row.size.y - 1.0;
        ui.painter().hline(origin.x + left..=origin.x + right, y, egui::Stroke::new(2.0, p.bad));
    }
}
