//! Every field text is typed in or read from, made in one place: so that each gives a character its own place, selects the
//! word under the pointer, says under the pointer what cannot be seen, and tells assistive technologies what is visible of it.

use super::cells;
use super::editor::char_of;
use crate::twin::text::{visible, word};
use egui::accesskit;
use egui::text::{CCursor, CCursorRange, LayoutJob, TextFormat};
use egui::text_edit::{TextEditOutput, TextEditState};
use egui::{Color32, FontId, Galley, Id, Rect, Response, TextBuffer, TextEdit, Ui, Vec2};
use std::sync::Arc;

/// A text of a field as it was last laid out.
#[derive(Clone)]
struct Laid {
    job: LayoutJob,
    /// Another one in its place says that glyphs have moved in their texture: see `Laid` of the editor.
    witness: Arc<Galley>,
    dark: bool,
    galley: Arc<Galley>,
}

/// A field of one line. `dress` gives it what else it needs.
pub(super) fn one_line(
    ui: &mut Ui,
    text: &mut String,
    id: Id,
    font: &FontId,
    dress: impl for<'t> FnOnce(TextEdit<'t>) -> TextEdit<'t>,
) -> Response {
    let mut layouter = |ui: &Ui, buffer: &dyn TextBuffer, _: f32| {
        let mut job = job(ui, buffer.as_str(), font, f32::INFINITY);
        job.break_on_newline = false;
        kept(ui, id, job)
    };
    let output = dress(TextEdit::singleline(text).id(id).font(font.clone()).layouter(&mut layouter)).show(ui);
    settle(ui, &output, text);
    output.response.response
}

/// A field of one line whose letters are masked.
pub(super) fn masked(ui: &mut Ui, text: &mut String, id: Id, font: FontId, width: f32) -> Response {
    ui.add(TextEdit::singleline(text).id(id).password(true).desired_width(width).font(font))
}

/// A field of several lines that are broken where its width ends.
pub(super) fn wrapped(
    ui: &mut Ui,
    text: &mut String,
    id: Id,
    font: &FontId,
    dress: impl for<'t> FnOnce(TextEdit<'t>) -> TextEdit<'t>,
) -> Response {
    let mut layouter = |ui: &Ui, buffer: &dyn TextBuffer, width: f32| {
        let job = job(ui, buffer.as_str(), font, width);
        kept(ui, id, job)
    };
    let output = dress(TextEdit::multiline(text).id(id).font(font.clone()).layouter(&mut layouter)).show(ui);
    settle(ui, &output, text);
    output.response.response
}

/// A field with a layout of its own.
pub(super) fn with_layout(
    ui: &mut Ui,
    text: &mut dyn TextBuffer,
    id: Id,
    mut layout: impl FnMut(&Ui, &str) -> LayoutJob,
    dress: impl for<'t> FnOnce(TextEdit<'t>) -> TextEdit<'t>,
) -> Response {
    let mut layouter = |ui: &Ui, buffer: &dyn TextBuffer, _: f32| {
        let job = layout(ui, buffer.as_str());
        kept(ui, id, job)
    };
    let output = dress(TextEdit::multiline(text).id(id).layouter(&mut layouter)).show(ui);
    settle(ui, &output, text.as_str());
    output.response.response
}

fn job(ui: &Ui, text: &str, font: &FontId, width: f32) -> LayoutJob {
    let line = ui.fonts_mut(|fonts| fonts.row_height(font)) + ui.spacing().extra_text_line_spacing;
    let format = TextFormat {
        font_id: font.clone(),
        color: Color32::PLACEHOLDER,
        line_height: Some(line),
        ..TextFormat::default()
    };
    let mut job = LayoutJob::single_section(text.to_owned(), format);
    job.keep_trailing_whitespace = true;
    job.wrap.max_width = width;
    job
}

/// The layout of a job: the one of the frame before where nothing has changed. egui itself keeps those of ASCII.
fn kept(ui: &Ui, id: Id, job: LayoutJob) -> Arc<Galley> {
    if job.text.is_ascii() {
        return cells::lay(ui, &job);
    }
    let id = id.with("laid");
    let witness = ui.painter().layout_no_wrap("0".to_owned(), super::theme::mono(), Color32::PLACEHOLDER);
    let dark = ui.visuals().dark_mode;
    let before = ui.data(|data| data.get_temp::<Laid>(id));
    if let Some(laid) = before
        && laid.dark == dark
        && Arc::ptr_eq(&laid.witness, &witness)
        && laid.job == job
    {
        return laid.galley;
    }
    let galley = cells::lay(ui, &job);
    ui.data_mut(|data| data.insert_temp(id, Laid { job, witness, dark, galley: Arc::clone(&galley) }));
    galley
}

/// What all fields do once they are shown.
pub(super) fn settle(ui: &Ui, output: &TextEditOutput, text: &str) {
    let response = &output.response.response;
    let seen = response.rect.intersect(ui.clip_rect());
    tell_bounds(ui, response.id, seen);
    choose_word(ui, output, text);
    if let Some(at) = response.hover_pos().filter(|at| seen.contains(*at))
        && let Some(said) = under(&output.galley, text, at - output.galley_pos)
    {
        response.clone().on_hover_text_at_pointer(said);
    }
}

/// Assistive technologies get to know where the visible part is: a click in its middle reaches it.
pub(super) fn tell_bounds(ui: &Ui, id: Id, seen: Rect) {
    let seen = if seen.is_positive() { seen } else { Rect::from_min_size(seen.min, Vec2::ZERO) };
    let [x0, y0, x1, y1] = [seen.left(), seen.top(), seen.right(), seen.bottom()].map(f64::from);
    ui.ctx().accesskit_node_builder(id, |node| node.set_bounds(accesskit::Rect { x0, y0, x1, y1 }));
}

/// What is to be known of the character at a place of a layout.
pub(super) fn under(galley: &Galley, text: &str, at: Vec2) -> Option<String> {
    if text.split('\n').all(visible::is_ascii) {
        return None;
    }
    let byte = byte_at(galley, text, at, Edge::None)?;
    let line = text[..byte].rfind('\n').map_or(0, |found| found + 1);
    let end = text[byte..].find('\n').map_or(text.len(), |found| byte + found);
    // Of a field of one line a break is a character like any other.
    let whole = galley.rows.iter().all(|row| !row.ends_with_newline);
    if whole { visible::said(text, byte) } else { visible::said(&text[line..end], byte - line) }
}

/// What is taken beside the letters of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    None,
    /// The nearest letter.
    Nearest,
}

/// The byte where the character begins that stands at a place of a layout.
pub(super) fn byte_at(galley: &Galley, text: &str, at: Vec2, edge: Edge) -> Option<usize> {
    let mut before = 0;
    for row in &galley.rows {
        let glyphs = &row.row.glyphs;
        let rect = row.rect();
        if rect.height() > 0.0 && at.y < rect.bottom() {
            let x = at.x - row.pos.x;
            if edge == Edge::None && !(0.0..row.row.size.x).contains(&x) {
                return None;
            }
            let behind = glyphs.partition_point(|glyph| glyph.pos.x <= x);
            let n = before + behind.saturating_sub(1);
            return text.char_indices().nth(n).map(|(byte, _)| byte);
        }
        before += glyphs.len() + usize::from(row.ends_with_newline);
    }
    None
}

/// A double click selects the word of the character under the pointer, and dragged on, whole words. egui takes the word at
/// the nearer edge of the character: beside it on one half.
fn choose_word(ui: &Ui, output: &TextEditOutput, text: &str) {
    let response = &output.response.response;
    let (pressed, shift) = ui.input(|i| (i.pointer.any_pressed(), i.modifiers.shift));
    let held = response.is_pointer_button_down_on();
    let Some(at) = response.interact_pointer_pos().filter(|_| held || response.double_clicked()) else { return };
    let Some(byte) = byte_at(&output.galley, text, at - output.galley_pos, Edge::Nearest) else { return };
    let here = word::at(text, byte);
    let key = response.id.with("word");
    let mut state = TextEditState::load(ui.ctx(), response.id).unwrap_or_default();
    let (mut count, mut first) = ui.data(|data| data.get_temp(key)).unwrap_or((0_u32, here.clone()));
    if pressed {
        // The first press sets a caret, the second selects a word, the third a line.
        let selects = state.cursor.char_range().is_some_and(|range| !range.is_empty());
        (count, first) = if selects && !shift { (count + 1, here.clone()) } else { (1, here.clone()) };
        ui.data_mut(|data| data.insert_temp(key, (count, first.clone())));
    }
    if shift || !(held && count == 2 || response.double_clicked()) {
        return;
    }
    let (anchor, caret) =
        if here.start < first.start { (first.end, here.start) } else { (first.start, here.end.max(first.end)) };
    let cursor = |byte| CCursor::new(char_of(text, byte));
    state.cursor.set_char_range(Some(CCursorRange::two(cursor(anchor), cursor(caret))));
    state.store(ui.ctx(), response.id);
    ui.ctx().request_repaint();
}
