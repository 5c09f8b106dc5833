//! The search strip over a text, whether it can be edited or only read.

use super::{when, widgets};
use egui::{Id, Key, Margin, Modifiers, Ui};
use std::ops::Range;

/// The search in the text, when it is open.
#[derive(Default)]
pub(super) struct Find {
    pub open: bool,
    pub text: String,
    pub focus: bool,
}

/// A place to go to.
pub(super) struct Hit {
    pub range: Range<usize>,
    /// It was asked for by Enter in the field, which keeps the focus so that Enter goes on.
    pub by_enter: bool,
}

impl Find {
    /// Paints the strip; the next hit is looked for behind `from`, a byte offset.
    pub fn ui(&mut self, ui: &mut Ui, text: &str, from: usize) -> Option<Hit> {
        let frame = egui::Frame::new().inner_margin(Margin::symmetric(8, 4));
        let strip = egui::Panel::top("find").resizable(false).frame(frame);
        strip.show(ui, |ui| ui.horizontal_wrapped(|ui| self.line_ui(ui, text, from)).inner).inner
    }

    fn line_ui(&mut self, ui: &mut Ui, text: &str, from: usize) -> Option<Hit> {
        let id = Id::unique("find");
        if std::mem::take(&mut self.focus) {
            ui.memory_mut(|m| m.request_focus(id));
        }
        let focused = ui.memory(|m| m.has_focus(id));
        let enter = focused && ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Enter));
        let esc = focused && ui.input(|i| i.key_pressed(Key::Escape));
        let width = ui.available_width().min(220.0);
        if let (_, Some(wanted)) = widgets::field(ui, id, "Find", &self.text, "Find", width) {
            self.text = wanted;
        }
        let hits = hits(text, &self.text);
        let mut hit = None;
        if ui.button("Next").clicked() || enter {
            let next = hits.iter().find(|hit| hit.start >= from).or(hits.first());
            hit = next.map(|range| Hit { range: range.clone(), by_enter: enter });
        }
        if enter {
            ui.memory_mut(|m| m.request_focus(id));
        }
        widgets::weak(ui, when::count(hits.len(), "match").replace("matchs", "matches"));
        if ui.button("Close").clicked() || esc {
            self.open = false;
        }
        hit
    }
}

/// Where a text occurs, without regard to ASCII case.
fn hits(text: &str, wanted: &str) -> Vec<Range<usize>> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let (text, wanted) = (text.to_ascii_lowercase(), wanted.to_ascii_lowercase());
    text.match_indices(&wanted).map(|(at, hit)| at..at + hit.len()).collect()
}
