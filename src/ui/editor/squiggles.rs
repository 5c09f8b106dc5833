//! The problems where they stand: a wave under the letters, and what is wrong said under the pointer and to a screen reader.

use super::gutter::rows_in;
use crate::twin::text::Problem;
use crate::ui::theme::{self, palette};
use egui::text::CharIndex;
use egui::{Galley, Pos2, Rect, Response, Shape, Stroke, Ui, Vec2};

/// Half a wave, in points.
const WAVE: f32 = 2.5;

/// Longer waves than a wide screen is are not drawn.
const LONGEST: f32 = 4000.0;

/// Line, column, path and message, as the list of problems says it.
pub(in crate::ui) fn said(problem: &Problem) -> String {
    let Problem { line, column, path, message, .. } = problem;
    format!("line {line}, column {column}: {}: {message}", path.said())
}

/// Draws a wave under every problem in sight. Over one of them, the pointer gets to know what is wrong.
pub(super) fn ui(ui: &Ui, galley: &Galley, origin: Pos2, text: &str, problems: &[Problem], field: &Response) {
    let p = palette(ui);
    let rows = rows_in(galley, origin.y, ui.clip_rect());
    let pointer = field.hover_pos();
    let mut under: Vec<&Problem> = Vec::new();
    for problem in problems.iter().filter(|problem| rows.contains(&(problem.line.saturating_sub(1)))) {
        let Some(place) = place(galley, origin, text, problem) else { continue };
        ui.painter().add(wave(place, p.bad));
        if pointer.is_some_and(|at| place.contains(at)) {
            under.push(problem);
        }
    }
    if under.is_empty() {
        return;
    }
    field.clone().on_hover_ui_at_pointer(|ui| {
        ui.set_max_width(420.0);
        for problem in under {
            let place = format!("line {}, column {}", problem.line, problem.column);
            ui.label(crate::ui::widgets::shown(place).color(p.bad));
            let font = if problem.path.0.is_empty() { theme::body() } else { theme::mono() };
            ui.label(crate::ui::widgets::shown(problem.path.said()).font(font));
            ui.label(crate::ui::widgets::shown(&problem.message));
        }
    });
}

/// The first line of a problem on the screen, and a letter's width at least. `None` for one that is folded away.
fn place(galley: &Galley, origin: Pos2, text: &str, problem: &Problem) -> Option<Rect> {
    let row = galley.rows.get(problem.line.checked_sub(1)?).filter(|row| row.row.size.y > 0.0)?;
    let first_line = text.get(problem.range.clone()).and_then(|text| text.lines().next()).unwrap_or_default();
    let from = problem.column.saturating_sub(1);
    let to = from + first_line.chars().count();
    let x = |column: usize| row.row.x_offset(CharIndex(column.min(row.row.glyphs.len())));
    let width = (x(to) - x(from)).clamp(8.0, LONGEST);
    let corner = origin + row.pos.to_vec2() + Vec2::new(x(from), 0.0);
    Some(Rect::from_min_size(corner, Vec2::new(width, row.row.size.y)))
}

pub(in crate::ui) fn wave(place: Rect, color: egui::Color32) -> Shape {
    let (low, high) = (place.bottom() - 0.5, place.bottom() - WAVE);
    let mut points = Vec::new();
    let (mut x, mut y) = (place.left(), low);
    while x <= place.right() {
        points.push(Pos2::new(x, y));
        x += WAVE;
        y = low + high - y;
    }
    Shape::line(points, Stroke::new(1.5, color))
}
