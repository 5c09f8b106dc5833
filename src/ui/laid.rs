//! JSON text laid out with its colours, line by line: a line that did not change is neither coloured nor laid out again.

use super::json_colours;
use super::theme::{self, palette};
use crate::twin::text::change::{same_end, same_start};
use egui::text::{ByteIndex, LayoutJob, LayoutSection, TextFormat};
use egui::{Color32, Galley, Ui};
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
    whole: Option<Arc<Galley>>,
}

/// Some lines of a text that does not change while its number stays.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub number: u64,
    pub lines: Range<usize>,
}

impl Laid {
    /// The layout of a text.
    pub fn galley(&mut self, ui: &Ui, text: &str) -> Arc<Galley> {
        self.check(ui);
        if let Some(whole) = self.whole.as_ref().filter(|_| self.text == text) {
            return Arc::clone(whole);
        }
        let (before, behind) = if self.lines.is_empty() { (0, 0) } else { kept_lines(&self.text, text) };
        let new: Vec<_> =
            text.split('\n').skip(before).take(count(text) - before - behind).map(|line| laid_line(ui, line)).collect();
        let end = self.lines.len() - behind;
        self.lines.splice(before..end, new);
        self.part = None;
        self.join(ui, text)
    }

    /// The layout of a part of a text: of the lines that were in the part before, the layout is kept.
    pub fn part(&mut self, ui: &Ui, text: &str, part: Part) -> Arc<Galley> {
        self.check(ui);
        let old = self.part.take().filter(|old| old.number == part.number);
        if let Some(whole) = self.whole.as_ref().filter(|_| old.as_ref() == Some(&part)) {
            self.part = Some(part);
            return Arc::clone(whole);
        }
        let kept = |line: usize| {
            let old = old.as_ref().filter(|old| old.lines.contains(&line))?;
            self.lines.get(line - old.lines.start)
        };
        let numbered = part.lines.clone().zip(text.split('\n'));
        let lines = numbered.map(|(n, line)| kept(n).map_or_else(|| laid_line(ui, line), Arc::clone)).collect();
        self.lines = lines;
        if self.lines.is_empty() {
            self.lines.push(laid_line(ui, ""));
        }
        self.part = Some(part);
        self.join(ui, text)
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
    ui.painter().layout_job(json_colours::job(line, &theme::mono(), palette(ui)))
}

/// How many lines a text has.
pub(super) fn count(text: &str) -> usize {
    breaks(text.as_bytes()) + 1
}

fn breaks(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}

/// How many whole lines at the beginning and at the end are the same in both texts.
fn kept_lines(old: &str, new: &str) -> (usize, usize) {
    let (old, new) = (old.as_bytes(), new.as_bytes());
    let start = same_start(old, new);
    let end = same_end(&old[start..], &new[start..]);
    (breaks(&new[..start]), breaks(&new[new.len() - end..]))
}
