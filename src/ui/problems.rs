//! Below the text: every problem with its place, its path and what to do. A click goes there; where it is clear what was meant,
//! another one writes it.

use super::editor::squiggles::said;
use super::theme::{self, palette};
use super::{Frame, editor_id, tree};
use crate::app::{Action, Tab};
use crate::twin::Section;
use crate::twin::draft::{Draft, SectionDraft};
use crate::twin::text::Problem;
use crate::twin::text::lines::Selection;
use crate::twin::text::splice::Edit;
use egui::{Align, Context, Layout, ScrollArea, Ui};

/// Longer texts are not said on their button.
const SAID_MAX: usize = 24;
/// Problems that are listed; the others show when these are mended.
const LISTED: usize = 200;

/// What the list remembers.
#[derive(Default)]
pub(super) struct ProblemsView {
    /// What was meant in the place of a problem, to be written once the editor was painted with the text as it is.
    wanted: Option<Mend>,
}

struct Mend {
    /// The text it is an edit of, and of no other.
    text: String,
    edit: Edit,
}

enum Wanted {
    Go,
    Mend,
}

pub(super) fn ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, section: Section, draft: &SectionDraft) {
    if draft.problems.is_empty() {
        return;
    }
    #[allow(clippy::cast_precision_loss)] // At most five rows.
    let height = draft.problems.len().min(5) as f32 * theme::ROW + 12.0;
    // In a small window the text keeps most of the room.
    let height = height.min((ui.available_height() * 0.4).max(34.0));
    egui::Panel::bottom("problems")
        .frame(egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 4)))
        .resizable(false)
        .exact_size(height)
        .show(ui, |ui| {
            ScrollArea::vertical().id_salt("problems").min_scrolled_height(16.0).auto_shrink(false).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                for problem in draft.problems.iter().take(LISTED) {
                    match problem_ui(ui, problem) {
                        Some(Wanted::Go) => {
                            tree::show_text(f, tab);
                            let id = editor_id(&tab.id, section);
                            f.view.editor.go(ui.ctx(), id, &draft.text, problem.range.clone());
                        }
                        Some(Wanted::Mend) => f.view.problems.wanted = Mend::of(&draft.text, problem),
                        None => {}
                    }
                }
            });
        });
}

impl Mend {
    fn of(text: &str, problem: &Problem) -> Option<Self> {
        let edit = Edit { range: problem.range.clone(), text: problem.instead.clone()? };
        Some(Self { text: text.to_owned(), edit })
    }
}

/// Writes what was meant, as one step of the text's past. After the editor: it would take the step for somebody else's.
pub(super) fn settle(f: &mut Frame, ctx: &Context, tab: &Tab, draft: &Draft, section: Section) {
    let part = draft.section(section);
    let Some(Mend { edit, .. }) = f.view.problems.wanted.take().filter(|mend| mend.text == part.text) else { return };
    let caret = edit.range.start + edit.text.len();
    let change = (vec![edit], Selection { anchor: caret, caret });
    let text = f.view.editor.act(ctx, editor_id(&tab.id, section), &part.text, &change);
    f.push(Action::Edit { id: tab.id.clone(), section, text });
}

fn problem_ui(ui: &mut Ui, problem: &Problem) -> Option<Wanted> {
    let p = palette(ui);
    let mut job = egui::text::LayoutJob::default();
    let place = format!("line {}, column {}", problem.line, problem.column);
    job.append(&place, 0.0, egui::TextFormat::simple(theme::body(), p.bad));
    let font = if problem.path.0.is_empty() { theme::body() } else { theme::mono() };
    job.append(&problem.path.said(), 12.0, egui::TextFormat::simple(font, p.text));
    job.append(&problem.message, 12.0, egui::TextFormat::simple(theme::body(), p.text));
    let mut wanted = None;
    let size = egui::Vec2::new(ui.available_width(), theme::ROW);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        if let Some(instead) = &problem.instead {
            let name = format!("Use {instead}");
            let word = if instead.chars().count() > SAID_MAX { "Use it" } else { &name };
            let button = egui::Button::new(word).small();
            if ui.add(button).accessible_name(&name).on_hover_text(&name).clicked() {
                wanted = Some(Wanted::Mend);
            }
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let line = egui::Button::new(job).frame_when_inactive(false).frame(true).small().truncate();
            if ui.add(line).accessible_name(said(problem)).on_hover_text(&problem.message).clicked() {
                wanted = Some(Wanted::Go);
            }
        });
    });
    wanted
}
