//! Lays out text so that every character has a place of its own, in the order of the text, from left to right. egui shapes
//! a text as it is read: in some scripts there are fewer, more or other glyphs than characters, or they stand in another
//! order, while its carets, clicks and selections count glyphs. So a text that is not plain ASCII is laid out piece by piece
//! ([`visible::pieces`]), and the pieces are put side by side. What has no picture is shown by its code point.

use super::theme::{self, palette};
use crate::twin::text::visible::{self, Look};
use egui::epaint::text::{Glyph, PlacedRow, RowVisuals};
use egui::epaint::{Mesh, Vertex};
use egui::text::{ByteIndex, LayoutJob, LayoutSection, TextFormat};
use egui::{Align, Color32, Galley, Pos2, Rect, Ui, Vec2};
use std::ops::Range;
use std::sync::Arc;

/// Space before and behind a code point in its box, in points.
const BOX: f32 = 2.0;

/// Lays out a job: as egui does where that is right, by cells elsewhere.
pub(super) fn lay(ui: &Ui, job: &LayoutJob) -> Arc<Galley> {
    let plain = |text: &str| text.split('\n').all(visible::is_ascii);
    let simple = if job.break_on_newline { plain(&job.text) } else { visible::is_ascii(&job.text) };
    if simple {
        let galley = ui.painter().layout_job(job.clone());
        // Some fonts draw signs like arrows as one, and shift their parts.
        if galley.rows.iter().all(|row| in_order(&row.row.glyphs)) {
            return galley;
        }
    }
    let format = job.sections.first().map(|section| section.format.clone()).unwrap_or_default();
    let model = ui.painter().layout_job(single("0", &format));
    // One letter always has a row and a glyph.
    let Some((row, glyph)) = model.rows.first().and_then(|row| Some((row, *row.row.glyphs.first()?))) else {
        return ui.painter().layout_job(job.clone());
    };
    let maker = Maker { ui, job, glyph, height: row.row.size.y, scale: model.pixels_per_point };
    let mut rows = Vec::new();
    let end = job.text.len();
    let mut start = 0;
    for line in job.text.split(|c| c == '\n' && job.break_on_newline) {
        let range = start..start + line.len();
        start = range.end + 1;
        let last = range.end == end;
        broken(maker.cells(range), job.wrap.max_width, |cells| rows.push(maker.row(row, &cells)));
        if let Some(row) = rows.last_mut() {
            row.ends_with_newline = !last;
        }
    }
    stacked(&model, job.clone(), rows)
}

fn single(text: &str, format: &TextFormat) -> LayoutJob {
    let mut job = LayoutJob::single_section(text.to_owned(), format.clone());
    job.break_on_newline = false;
    job.keep_trailing_whitespace = true;
    job.wrap.max_width = f32::INFINITY;
    job.halign = Align::LEFT;
    job
}

/// One row under the other.
fn stacked(model: &Galley, job: LayoutJob, mut rows: Vec<PlacedRow>) -> Arc<Galley> {
    let mut galley = model.clone();
    let (mut y, mut width, mut bounds) = (0.0, 0.0_f32, Rect::NOTHING);
    (galley.num_vertices, galley.num_indices) = (0, 0);
    for row in &mut rows {
        row.pos = Pos2::new(0.0, y);
        y += row.row.size.y;
        width = width.max(row.row.size.x);
        bounds |= row.row.visuals.mesh_bounds.translate(row.pos.to_vec2());
        galley.num_vertices += row.row.visuals.mesh.vertices.len();
        galley.num_indices += row.row.visuals.mesh.indices.len();
    }
    (galley.rect, galley.mesh_bounds) = (Rect::from_min_size(Pos2::ZERO, Vec2::new(width, y)), bounds);
    (galley.job, galley.rows, galley.elided) = (Arc::new(job), rows, false);
    Arc::new(galley)
}

/// What stands or falls together: some characters and their picture.
struct Cell {
    chars: Vec<char>,
    /// Four for each glyph, from the left edge of the cell.
    vertices: Vec<Vertex>,
    width: f32,
    back: Option<Color32>,
}

/// Hands out cells row by row: behind a space where there is one, else where the width ends.
fn broken(cells: Vec<Cell>, width: f32, mut give: impl FnMut(Vec<Cell>)) {
    let mut row: Vec<Cell> = Vec::new();
    let mut x = 0.0;
    for cell in cells {
        let space = cell.chars == [' '];
        if x + cell.width > width + 0.5 && !row.is_empty() && !space {
            let at = row.iter().rposition(|cell| cell.chars == [' ']).map_or(row.len(), |at| at + 1);
            let rest = row.split_off(at);
            give(std::mem::replace(&mut row, rest));
            x = row.iter().map(|cell| cell.width).sum();
        }
        x += cell.width;
        row.push(cell);
    }
    give(row);
}

struct Maker<'a> {
    ui: &'a Ui,
    job: &'a LayoutJob,
    /// The glyph of a digit: what all have in common.
    glyph: Glyph,
    height: f32,
    /// Pixels per point.
    scale: f32,
}

impl Maker<'_> {
    fn cells(&self, range: Range<usize>) -> Vec<Cell> {
        let text = &self.job.text[range.clone()];
        let mut cells = Vec::new();
        for piece in visible::pieces(text) {
            let part = &text[piece.range.clone()];
            let at = range.start + piece.range.start;
            match piece.look {
                Look::Plain => self.plain(at..at + part.len(), &mut cells),
                Look::Cluster | Look::Letter => self.cluster(part, self.format(at), &mut cells),
                Look::Alike => {
                    let p = palette(self.ui);
                    let format = TextFormat { color: p.warn, ..self.format(at).clone() };
                    let from = cells.len();
                    self.cluster(part, &format, &mut cells);
                    for cell in &mut cells[from..] {
                        cell.back = Some(p.warn_back);
                    }
                }
                Look::Named => cells.push(self.named(part)),
            }
        }
        cells
    }

    fn format(&self, byte: usize) -> &TextFormat {
        self.job.format_at_byte(ByteIndex(byte))
    }

    /// Letters laid out together, in as many parts as they have formats.
    fn plain(&self, range: Range<usize>, cells: &mut Vec<Cell>) {
        let mut start = range.start;
        let ends = self.job.sections.iter().map(|section: &LayoutSection| section.byte_range.end.0);
        for end in ends.filter(|end| *end > range.start) {
            let end = end.min(range.end);
            if start < end {
                self.run(&self.job.text[start..end], self.format(start), cells);
            }
            start = end.max(start);
        }
    }

    fn run(&self, text: &str, format: &TextFormat, cells: &mut Vec<Cell>) {
        if !self.has(text, format) {
            for c in text.chars() {
                self.cluster(c.encode_utf8(&mut [0; 4]), format, cells);
            }
            return;
        }
        let galley = self.ui.painter().layout_job(single(text, format));
        let Some(row) = galley.rows.first().filter(|row| is_sound(&row.row.glyphs, text)) else {
            for c in text.chars() {
                self.cluster(c.encode_utf8(&mut [0; 4]), format, cells);
            }
            return;
        };
        let glyphs = &row.row.glyphs;
        for (n, glyph) in glyphs.iter().enumerate() {
            let next = glyphs.get(n + 1);
            let end = next.map_or(row.row.visuals.glyph_vertex_range.end, |next| next.first_vertex as usize);
            let mut vertices = row.row.visuals.mesh.vertices[glyph.first_vertex as usize..end].to_vec();
            for vertex in &mut vertices {
                vertex.pos.x -= glyph.pos.x;
            }
            let width = next.map_or(row.row.size.x, |next| next.pos.x) - glyph.pos.x;
            cells.push(Cell { chars: vec![glyph.chr], vertices, width, back: None });
        }
    }

    /// A letter with its marks. What of it changes nothing in the picture is named.
    fn cluster(&self, text: &str, format: &TextFormat, cells: &mut Vec<Cell>) {
        // A space is drawn by its width alone.
        if let Some(rest) = text.strip_prefix(' ') {
            let width = self.ui.fonts_mut(|fonts| fonts.glyph_width(&format.font_id, ' '));
            cells.push(Cell { chars: vec![' '], vertices: Vec::new(), width, back: None });
            if !rest.is_empty() {
                self.cluster(rest, format, cells);
            }
            return;
        }
        let (mut vertices, mut width) = (Vec::new(), 0.0);
        let mut seen = 0;
        for (at, c) in text.char_indices() {
            let end = at + c.len_utf8();
            if at == 0 && !self.has(&text[..end], format) {
                break;
            }
            let (drawn, wide) = self.picture(&text[..end], format);
            if drawn.is_empty() || drawn == vertices {
                break;
            }
            (vertices, width, seen) = (drawn, wide, end);
        }
        let (shown, rest) = text.split_at(seen);
        if !shown.is_empty() {
            cells.push(Cell { chars: shown.chars().collect(), vertices, width, back: None });
        }
        let Some(first) = rest.chars().next() else { return };
        let (hidden, rest) = rest.split_at(first.len_utf8());
        cells.push(self.named(hidden));
        self.cluster(rest, format, cells);
    }

    /// Whether there are glyphs for all characters: the box that stands for any other says nothing.
    fn has(&self, text: &str, format: &TextFormat) -> bool {
        let seen = |c: char| !matches!(c, ' ' | '\t');
        self.ui.fonts_mut(|fonts| text.chars().filter(|c| seen(*c)).all(|c| fonts.has_glyph(&format.font_id, c)))
    }

    fn picture(&self, text: &str, format: &TextFormat) -> (Vec<Vertex>, f32) {
        let galley = self.ui.painter().layout_job(single(text, format));
        let Some(row) = galley.rows.first() else { return (Vec::new(), 0.0) };
        let visuals = &row.row.visuals;
        let mut vertices = visuals.mesh.vertices[visuals.glyph_vertex_range.clone()].to_vec();
        // What hangs over to the left begins where its place begins.
        let left = vertices.iter().map(|vertex| vertex.pos.x).fold(0.0, f32::min);
        for vertex in &mut vertices {
            vertex.pos.x -= left;
        }
        let right = vertices.iter().map(|vertex| vertex.pos.x).fold(0.0, f32::max);
        (vertices, row.row.size.x.max(right))
    }

    /// Code points in a box.
    fn named(&self, text: &str) -> Cell {
        let p = palette(self.ui);
        let words = visible::named(text);
        let format = TextFormat {
            font_id: theme::small_mono(),
            color: p.warn,
            line_height: Some(self.height),
            ..TextFormat::default()
        };
        let (mut vertices, width) = self.picture(words.trim_matches(['[', ']']), &format);
        for vertex in &mut vertices {
            vertex.pos.x += BOX;
        }
        Cell { chars: text.chars().collect(), vertices, width: width + 2.0 * BOX, back: Some(p.warn_back) }
    }

    fn row(&self, model: &PlacedRow, cells: &[Cell]) -> PlacedRow {
        let mut placed = model.clone();
        let row = Arc::make_mut(&mut placed.row);
        row.glyphs.clear();
        let mut mesh = Mesh::default();
        let lefts: Vec<f32> = cells
            .iter()
            .scan(0.0, |x, cell| Some((*x * self.scale).round() / self.scale).inspect(|_| *x += cell.width))
            .collect();
        for (cell, left) in cells.iter().zip(&lefts) {
            if let Some(color) = cell.back {
                let rect = Rect::from_min_size(Pos2::new(*left, 1.0), Vec2::new(cell.width - 1.0, self.height - 2.0));
                mesh.add_colored_rect(rect, color);
            }
        }
        let (glyph_index_start, first) = (mesh.indices.len(), mesh.vertices.len());
        for (n, cell) in cells.iter().enumerate() {
            let left = lefts[n];
            let width = lefts.get(n + 1).map_or(cell.width, |next| next - left);
            row.size.x = left + width;
            for (k, c) in cell.chars.iter().enumerate() {
                let mut glyph = self.glyph;
                (glyph.chr, glyph.first_vertex) = (*c, at(&mesh));
                // A click takes the nearer edge of the cell and never falls between its characters; a caret that stands
                // between them is drawn in its middle.
                (glyph.pos.x, glyph.advance_width) = if k == 0 { (left, width) } else { (left + width / 2.0, 0.0) };
                row.glyphs.push(glyph);
                if k == 0 {
                    add(&mut mesh, &cell.vertices, left);
                }
            }
        }
        if cells.is_empty() {
            row.size.x = 0.0;
        }
        let glyph_vertex_range = first..mesh.vertices.len();
        row.visuals = RowVisuals { mesh_bounds: mesh.calc_bounds(), mesh, glyph_index_start, glyph_vertex_range };
        placed
    }
}

#[allow(clippy::cast_possible_truncation)] // A row has no four thousand million vertices.
fn at(mesh: &Mesh) -> u32 {
    mesh.vertices.len() as u32
}

fn add(mesh: &mut Mesh, vertices: &[Vertex], left: f32) {
    for quad in vertices.chunks_exact(4) {
        let first = at(mesh);
        mesh.add_triangle(first, first + 1, first + 2);
        mesh.add_triangle(first + 2, first + 1, first + 3);
        mesh.vertices.extend(quad.iter().map(|vertex| Vertex { pos: vertex.pos + Vec2::new(left, 0.0), ..*vertex }));
    }
}

/// Whether there is one glyph for each character, each behind the one before, and something to see of each.
fn is_sound(glyphs: &[Glyph], text: &str) -> bool {
    glyphs.len() == text.chars().count()
        && glyphs.iter().zip(text.chars()).all(|(glyph, c)| {
            glyph.chr == c && (matches!(c, ' ' | '\t') || !glyph.uv_rect.is_nothing() && glyph.advance_width > 0.0)
        })
        && in_order(glyphs)
}

fn in_order(glyphs: &[Glyph]) -> bool {
    glyphs.windows(2).all(|two| two[0].pos.x <= two[1].pos.x)
}
