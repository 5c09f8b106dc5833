//! What stands beside the lines: their numbers, and which of them have a problem.

use crate::twin::text::Problem;
use crate::ui::theme::{self, palette};
use egui::{Galley, Rect, Ui, Vec2};
use std::ops::Range;

pub(super) fn width(ui: &Ui, lines: usize) -> f32 {
    let digits = lines.to_string().len().max(2);
    let digit = ui.ctx().fonts_mut(|fonts| fonts.glyph_width(&theme::small_mono(), '0'));
    #[allow(clippy::cast_precision_loss)] // A handful of digits.
    let width = digits as f32 * digit;
    (width + 16.0).ceil()
}

/// The rows of a galley that lie in a strip of the screen, with one more on each side.
pub(super) fn rows_in(galley: &Galley, top: f32, strip: Rect) -> Range<usize> {
    let first = galley.rows.partition_point(|row| top + row.pos.y < strip.top() - theme::LINE);
    let behind = galley.rows.partition_point(|row| top + row.pos.y < strip.bottom() + theme::LINE);
    first.saturating_sub(1)..behind
}

/// `top` is where the galley begins on the screen.
pub(super) fn numbers(ui: &Ui, strip: Rect, galley: &Galley, top: f32, problems: &[Problem]) {
    let p = palette(ui);
    let painter = ui.painter_at(strip);
    painter.rect_filled(strip, 0.0, p.panel);
    for n in rows_in(galley, top, strip) {
        let row = &galley.rows[n];
        let y = top + row.pos.y + row.row.size.y / 2.0;
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
