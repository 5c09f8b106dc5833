//! Below the text: the path of what the caret stands in, step by step.

use super::EditorView;
use crate::app::tree::Face;
use crate::twin::draft::SectionDraft;
use crate::twin::text::visible;
use crate::twin::{Path, Section};
use crate::ui::theme::{self, palette};
use crate::ui::tree;
use egui::{Align, Context, Id, Layout, RichText, ScrollArea, Ui};
use std::ops::Range;

/// What was chosen below the text.
pub(in crate::ui) enum Chosen {
    /// The place of a step.
    Place(Range<usize>),
    /// The tree in place of the text.
    Tree,
}

/// Paints the steps, and the way to the tree.
pub(in crate::ui) fn ui(ui: &mut Ui, id: Id, section: Section, part: &SectionDraft) -> Option<Chosen> {
    let frame = egui::Frame::new().fill(palette(ui).panel).inner_margin(egui::Margin::symmetric(8, 0));
    let foot = egui::Panel::bottom("path").frame(frame).resizable(false).exact_size(theme::ROW);
    let chosen = foot.show(ui, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if tree::face_button(ui, Face::Tree) {
                return Some(Chosen::Tree);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                // The last step matters most.
                let area = ScrollArea::horizontal().id_salt("path").stick_to_right(true);
                let area = area.scroll_bar_visibility(egui::scroll_area::ScrollBarVisibility::AlwaysHidden);
                area.show(ui, |ui| ui.horizontal_centered(|ui| steps_ui(ui, id, section, part)).inner).inner
            })
            .inner
            .map(Chosen::Place)
        })
    });
    chosen.inner.inner
}

fn steps_ui(ui: &mut Ui, id: Id, section: Section, part: &SectionDraft) -> Option<Range<usize>> {
    let path = path_at_caret(ui.ctx(), id, part);
    ui.spacing_mut().item_spacing.x = 2.0;
    let mut chosen = None;
    for count in 0..=path.0.len() {
        let here = Path(path.0[..count].to_vec());
        let (word, name) = match path.0[..count].last() {
            None => (section.word().to_owned(), format!("Go to {}", section.word())),
            Some(step) => {
                ui.label(RichText::new("›").color(palette(ui).weak));
                (Path(vec![step.clone()]).to_string(), format!("Go to {here}"))
            }
        };
        let last = count == path.0.len();
        let color = if last { palette(ui).text } else { palette(ui).weak };
        let text = crate::ui::widgets::shown(word).font(theme::small_mono()).color(color);
        let button = egui::Button::new(text).frame_when_inactive(false).frame(true).small();
        let response = ui.add(button).accessible_name(&name).on_hover_text(crate::ui::widgets::shown(&name));
        if response.clicked() {
            let span = part.parsed.span(&here);
            chosen = span.map(|span| span.key.clone().unwrap_or(span.value.start..span.value.start));
        }
    }
    hidden_ui(ui, id, part);
    chosen
}

/// What the characters beside the caret are, where they cannot be seen as they are.
fn hidden_ui(ui: &mut Ui, id: Id, part: &SectionDraft) {
    let at = EditorView::offset(ui.ctx(), id, &part.text).min(part.text.len());
    let (before, behind) = part.text.split_at(at);
    let start = before.rfind('\n').map_or(0, |found| found + 1);
    let line = &part.text[start..at + behind.find('\n').unwrap_or(behind.len())];
    if visible::is_ascii(line) {
        return;
    }
    let before = before[start..].chars().next_back().map(|c| at - start - c.len_utf8());
    let mut words: Vec<String> =
        [before, Some(at - start)].into_iter().flatten().filter_map(|byte| visible::said(line, byte)).collect();
    words.dedup();
    if !words.is_empty() {
        let text = RichText::new(words.join("; ")).font(theme::small()).color(palette(ui).warn);
        ui.label(text);
    }
}

fn path_at_caret(ctx: &Context, id: Id, part: &SectionDraft) -> Path {
    part.parsed.path_at(EditorView::offset(ctx, id, &part.text))
}
