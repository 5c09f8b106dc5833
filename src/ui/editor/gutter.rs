//! What stands beside the lines: their numbers, and which of them have a problem.

use crate::twin::text::Problem;
use crate::ui::folds;
use crate::ui::theme::{self, palette};
use egui::epaint::text::PlacedRow;
use egui::{Galley, Rect, Ui, Vec2};
use std::ops::Range;

pub(super) fn width(ui: &Ui, lines: usize) -> f32 {
    let digits = lines.to_string().len().max(2);
    let digit = ui.ctx().fonts_mut(|fonts| fonts.glyph_width(&theme::small_mono(), '0'));
    #[allow(clippy::cast_precision_loss)] // A handful of digits.
    let width = digits as f32 * digit;
    (width + 16.0 + folds::SIGN).ceil()
}

/// The rows of a galley that lie in a strip of the screen, with one more on each side.
pub(super) fn rows_in(galley: &Galley, top: f32, strip: Rect) -> Range<usize> {
    let first = galley.rows.partition_point(|row| top + row.pos.y < strip.top() - theme::LINE);
    let behind = galley.rows.partition_point(|row| top + row.pos.y < strip.bottom() + theme::LINE);
    first.saturating_sub(1)..behind
}

/// Whether a row is folded away.
pub(super) fn is_hidden(galley: &Galley, row: usize) -> bool {
    galley.rows.get(row).is_some_and(|row| row.row.size.y == 0.0)
}

/// The row itself, or the one it is folded into. `None` beyond the end.
pub(in crate::ui) fn shown(galley: &Galley, row: usize) -> Option<&PlacedRow> {
    let placed = galley.rows.get(row)?;
    if !is_hidden(galley, row) {
        return Some(placed);
    }
    // Hidden rows stand where the next one that is shown begins.
    let first = galley.rows.partition_point(|above| above.pos.y < placed.pos.y);
    galley.rows.get(first.checked_sub(1)?)
}

/// `top` is where the galley begins on the screen.
pub(super) fn numbers(ui: &Ui, strip: Rect, galley: &Galley, top: f32, problems: &[Problem]) {
    let p = palette(ui);
    let painter = ui.painter_at(strip);
    painter.rect_filled(strip, 0.0, p.panel);
    for n in rows_in(galley, top, strip).filter(|n| !is_hidden(galley, *n)) {
        let row = &galley.rows[n];
        let y = top + row.pos.y + row.row.size.y / 2.0;
        // With the lines folded into it.
        let lines = n + 1..=(n + 1..galley.rows.len()).find(|n| !is_hidden(galley, *n)).unwrap_or(galley.rows.len());
        let bad = problems.iter().any(|problem| lines.contains(&problem.line));
        let color = if bad { p.bad } else { p.weak };
        let at = egui::pos2(strip.right() - 8.0 - folds::SIGN, y);
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
