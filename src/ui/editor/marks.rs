//! What stands behind the letters: the guides of the indentation, the two brackets that belong together, what was found.

use super::gutter::rows_in;
use super::place::char_of;
use crate::twin::text::typing::{self, STEP};
use crate::ui::theme::{self, palette};
use egui::epaint::RectShape;
use egui::text::CCursor;
use egui::{Galley, Pos2, Rect, Shape, Stroke, StrokeKind, Ui, Vec2};
use std::ops::Range;

/// Deeper than this nobody counts.
const GUIDES_MAX: usize = 64;

/// A text as it is laid out, and where.
pub(super) struct Sheet<'a> {
    pub text: &'a str,
    pub galley: &'a Galley,
    pub origin: Pos2,
}

impl Sheet<'_> {
    fn visible(&self, ui: &Ui) -> Range<usize> {
        rows_in(self.galley, self.origin.y, ui.clip_rect())
    }

    /// A thin line under each step of indentation.
    pub fn guides(&self, ui: &Ui) -> Vec<Shape> {
        let digit = ui.ctx().fonts_mut(|fonts| fonts.glyph_width(&theme::mono(), '0'));
        let stroke = Stroke::new(1.0, palette(ui).line);
        let mut shapes = Vec::new();
        let mut indent = 0;
        for row in self.galley.rows[self.visible(ui)].iter().filter(|row| row.row.size.y > 0.0) {
            let spaces = row.row.glyphs.iter().take(GUIDES_MAX).take_while(|glyph| glyph.chr == ' ').count();
            // An empty line goes on as the one above it.
            if spaces < row.row.glyphs.len() {
                indent = spaces;
            }
            let top = self.origin.y + row.pos.y;
            for level in (0..indent).step_by(STEP) {
                #[allow(clippy::cast_precision_loss)] // At most a screen wide.
                let x = (self.origin.x + level as f32 * digit).round() + 0.5;
                shapes.push(Shape::line_segment([egui::pos2(x, top), egui::pos2(x, top + row.row.size.y)], stroke));
            }
        }
        shapes
    }

    /// The bracket beside the caret and its partner.
    pub fn brackets(&self, ui: &Ui, caret: usize) -> Vec<Shape> {
        let Some((from, to)) = typing::brackets(self.text, caret) else { return Vec::new() };
        let p = palette(ui);
        [from, to]
            .iter()
            .map(|at| {
                let left = self.place(*at);
                let right = self.place(at + 1);
                Rect::from_min_max(left.min, egui::pos2(right.max.x, left.max.y))
            })
            // One may be folded away.
            .filter(|rect| rect.height() > 0.0)
            .map(|rect| framed(rect, p.chosen, p.accent))
            .collect()
    }

    /// Everything found that is in sight.
    pub fn hits(&self, ui: &Ui, hits: &[Range<usize>]) -> Vec<Shape> {
        if hits.is_empty() {
            return Vec::new();
        }
        let p = palette(ui);
        let rows = self.visible(ui);
        let mut line = start_of_row(self.text, rows.start);
        let mut shapes = Vec::new();
        for row in &self.galley.rows[rows] {
            let end = self.text[line..].find('\n').map_or(self.text.len(), |found| line + found);
            let first = hits.partition_point(|hit| hit.end <= line);
            let shown = row.row.size.y > 0.0;
            for hit in hits[first..].iter().take_while(|hit| shown && hit.start <= end) {
                let column = |byte: usize| char_of(&self.text[line..end], byte.clamp(line, end) - line);
                let x = |column: usize| row.row.x_offset(egui::text::CharIndex(column.min(row.row.glyphs.len())));
                let (left, right) = (x(column(hit.start)), x(column(hit.end)));
                let corner = self.origin + row.pos.to_vec2();
                let size = Vec2::new((right - left).max(2.0), row.row.size.y);
                let rect = Rect::from_min_size(corner + Vec2::new(left, 0.0), size).shrink2(Vec2::new(0.0, 1.0));
                shapes.push(framed(rect, p.warn_back, p.warn));
            }
            line = (end + 1).min(self.text.len());
        }
        shapes
    }

    fn place(&self, byte: usize) -> Rect {
        let cursor = CCursor::new(char_of(self.text, byte));
        self.galley.pos_from_cursor(cursor).translate(self.origin.to_vec2())
    }
}

fn framed(rect: Rect, fill: egui::Color32, edge: egui::Color32) -> Shape {
    Shape::Rect(RectShape::new(rect, 2.0, fill, Stroke::new(1.0, edge), StrokeKind::Inside))
}

/// Where a row begins: no line is wrapped.
fn start_of_row(text: &str, row: usize) -> usize {
    let mut breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
    row.checked_sub(1).map_or(0, |n| breaks.nth(n).map_or(text.len(), |(at, _)| at + 1))
}
