//! JSON text laid out with its colours, line by line: a line that did not change is neither coloured nor laid out again.

use super::theme::{self, palette};
use super::{cells, json_colours};
use crate::twin::text::change::{same_end, same_start};
use egui::epaint::text::{Row, RowVisuals};
use egui::text::{ByteIndex, CharIndex, LayoutJob, LayoutSection, TextFormat};
use egui::{Color32, Galley, Rect, Ui, Vec2};
use std::ops::Range;
use std::sync::Arc;

/// A text as it was last laid out.
#[derive(Default)]
pub(super) struct Laid {
    dark: bool,
    /// A layout of one letter that egui keeps exactly as long as its own: another one in its place says that glyphs have
    /// moved in their texture, or that the scale changed, and that every line here is void.
    witness: Option<Arc<Galley>>,
    text: String,
    /// Which part of a longer text this is.
    part: Option<Part>,
    /// One per line.
    lines: Vec<Arc<Galley>>,
    /// For each of these, what stands in its place while it is hidden, once it was.
    bare: Vec<Option<Arc<Galley>>>,
    hidden: Vec<Range<usize>>,
    whole: Option<Arc<Galley>>,
}

/// Some lines of a text that does not change while its number stays, in text order.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub number: u64,
    pub lines: Vec<usize>,
}

impl Laid {
    /// The layout of a text with a row for every line, the hidden ones without height.
    pub fn galley(&mut self, ui: &Ui, text: &str, hidden: &[Range<usize>]) -> Arc<Galley> {
        self.check(ui);
        if let Some(whole) = self.whole.as_ref().filter(|_| self.text == text && self.hidden == hidden) {
            return Arc::clone(whole);
        }
        if self.lines.is_empty() || self.text != text {
            let (before, behind) = if self.lines.is_empty() { (0, 0) } else { kept_lines(&self.text, text) };
            let new: Vec<_> = text
                .split('\n')
                .skip(before)
                .take(count(text) - before - behind)
                .map(|line| laid_line(ui, line))
                .collect();
            let end = self.lines.len() - behind;
            self.bare.splice(before..end, std::iter::repeat_n(None, new.len()));
            self.lines.splice(before..end, new);
        }
        self.part = None;
        self.hidden = hidden.to_vec();
        if hidden.is_empty() {
            return self.join(ui, text);
        }
        let mut shown = self.lines.clone();
        for line in hidden.iter().cloned().flatten().filter(|line| *line < self.lines.len()) {
            shown[line] = Arc::clone(self.bare[line].get_or_insert_with(|| bare(&self.lines[line])));
        }
        let lines = std::mem::replace(&mut self.lines, shown);
        let whole = self.join(ui, text);
        self.lines = lines;
        whole
    }

    /// The layout of a part of a text, of which `line` knows each: of the lines that were in the part before, the layout is kept.
    pub fn part<'t>(&mut self, ui: &Ui, part: Part, line: impl Fn(usize) -> &'t str) -> Arc<Galley> {
        self.check(ui);
        let old = self.part.take().filter(|old| old.number == part.number);
        if let Some(whole) = self.whole.as_ref().filter(|_| old.as_ref() == Some(&part)) {
            self.part = Some(part);
            return Arc::clone(whole);
        }
        let kept = |line: &usize| self.lines.get(old.as_ref()?.lines.binary_search(line).ok()?);
        let lines: Vec<_> =
            part.lines.iter().map(|n| kept(n).map_or_else(|| laid_line(ui, line(*n)), Arc::clone)).collect();
        let text = part.lines.iter().map(|n| line(*n)).collect::<Vec<_>>().join("\n");
        self.lines = lines;
        if self.lines.is_empty() {
            self.lines.push(laid_line(ui, ""));
        }
        self.bare.clear();
        self.bare.resize(self.lines.len(), None);
        self.hidden.clear();
        self.part = Some(part);
        self.join(ui, &text)
    }

    fn join(&mut self, ui: &Ui, text: &str) -> Arc<Galley> {
        text.clone_into(&mut self.text);
        let mut whole = Galley::concat(Arc::new(plain(text)), &self.lines, ui.ctx().pixels_per_point());
        // Room for every letter is not needed: rows out of sight are not painted.
        whole.num_vertices = whole.num_vertices.min(1 << 16);
        whole.num_indices = whole.num_indices.min(1 << 17);
        let whole = Arc::new(whole);
        self.whole = Some(Arc::clone(&whole));
        whole
    }

    fn check(&mut self, ui: &Ui) {
        let dark = ui.visuals().dark_mode;
        let witness = ui.painter().layout_no_wrap("0".to_owned(), theme::mono(), Color32::PLACEHOLDER);
        let same = self.dark == dark && self.witness.as_ref().is_some_and(|old| Arc::ptr_eq(old, &witness));
        if !same {
            *self = Self { dark, witness: Some(witness), ..Self::default() };
        }
    }
}

/// The rows that are laid out.
pub(super) struct Drawn<'a> {
    pub galley: &'a Galley,
    /// The row that the first of them is of all.
    pub first: usize,
    /// The width of a digit.
    pub digit: f32,
}

impl Drawn<'_> {
    fn row(&self, row: usize) -> Option<&Row> {
        Some(&self.galley.rows.get(row.checked_sub(self.first)?)?.row)
    }

    pub fn width(&self, row: usize) -> f32 {
        self.row(row).map_or(0.0, |row| row.size.x)
    }

    #[allow(clippy::cast_precision_loss)] // Columns of a text on screen.
    pub fn x(&self, row: usize, column: usize) -> f32 {
        self.row(row).map_or(column as f32 * self.digit, |row| row.x_offset(CharIndex(column.min(row.glyphs.len()))))
    }

    /// The nearest place between two characters.
    pub fn column(&self, row: usize, x: f32) -> usize {
        self.row(row).map_or(0, |row| row.char_at(x).0)
    }

    /// The character at a place.
    pub fn under(&self, row: usize, x: f32) -> usize {
        self.row(row).map_or(0, |row| row.glyphs.partition_point(|glyph| glyph.pos.x <= x).saturating_sub(1))
    }
}

/// The job of the whole, which egui asks for its text alone: the colours are in the lines.
fn plain(text: &str) -> LayoutJob {
    let format = TextFormat { font_id: theme::mono(), line_height: Some(theme::LINE), ..TextFormat::default() };
    let section = LayoutSection { leading_space: 0.0, byte_range: ByteIndex(0)..ByteIndex(text.len()), format };
    let mut job = LayoutJob { text: text.to_owned(), sections: vec![section], ..LayoutJob::default() };
    job.keep_trailing_whitespace = true;
    job.wrap.max_width = f32::INFINITY;
    job
}

fn laid_line(ui: &Ui, line: &str) -> Arc<Galley> {
    cells::lay(ui, &json_colours::job(line, &theme::mono(), palette(ui)))
}

/// How many lines a text has.
pub(super) fn count(text: &str) -> usize {
    breaks(text.as_bytes()) + 1
}

fn breaks(text: &[u8]) -> usize {
    text.iter().map(|byte| usize::from(*byte == b'\n')).sum()
}

/// A hidden line: all its letters, so that every place in the text keeps its number, and nothing to see.
fn bare(line: &Galley) -> Arc<Galley> {
    let mut bare = line.clone();
    for placed in &mut bare.rows {
        let row = Arc::make_mut(&mut placed.row);
        row.size = Vec2::ZERO;
        row.visuals = RowVisuals::default();
        for glyph in &mut row.glyphs {
            // A selection colours the vertices of its letters: here are none.
            glyph.first_vertex = 0;
        }
    }
    (bare.num_vertices, bare.num_indices) = (0, 0);
    (bare.rect, bare.mesh_bounds) = (Rect::ZERO, Rect::NOTHING);
    Arc::new(bare)
}

/// How many whole lines at the beginning and at the end are the same in both texts.
fn kept_lines(old: &str, new: &str) -> (usize, usize) {
    let (old, new) = (old.as_bytes(), new.as_bytes());
    let start = same_start(old, new);
    let end = same_end(&old[start..], &new[start..]);
    (breaks(&new[..start]), breaks(&new[new.len() - end..]))
}
