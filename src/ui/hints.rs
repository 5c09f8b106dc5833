//! Below the text: keys that are likely a slip of one that other twins have. They stop no save.

use super::editor::{EditorView, selection};
use super::theme::{self, palette};
use super::{Frame, editor_id, tree};
use crate::app::fleet::QueryAnswer;
use crate::app::{Action, App, Tab};
use crate::twin::draft::{Draft, SectionDraft};
use crate::twin::known::{self, Hint, Known};
use crate::twin::text::lines::Selection;
use crate::twin::text::shift::Shift;
use crate::twin::text::splice::Edit;
use crate::twin::{Json, Section, Twin};
use egui::{Align, Context, Id, Layout, ScrollArea, Ui};
use std::sync::Arc;

/// Longer keys are not said on their button.
const SAID_MAX: usize = 40;

/// The slips in the text in front, looked for once per text and per state of what is known.
#[derive(Default)]
pub(super) struct HintsView {
    known: Option<Learnt>,
    made: Option<Made>,
    /// The slip to be mended in an editor, once that was painted with the text as it is and the text was read.
    wanted: Option<(Id, Hint)>,
}

/// What is known, and from what.
struct Learnt {
    section: Section,
    twins: Vec<Arc<Twin>>,
    answer: Option<Arc<QueryAnswer>>,
    known: Known,
}

struct Made {
    id: Id,
    text: String,
    /// They are those of an earlier text, carried along.
    carried: bool,
    hints: Arc<[Hint]>,
    /// A key that is being typed: nothing is said of it before the caret leaves it.
    typing: Option<usize>,
}

/// The twins seen: this one first, so that its own keys are known whatever comes after.
fn twins<'a>(app: &'a App, draft: &'a Draft) -> impl Iterator<Item = &'a Arc<Twin>> {
    std::iter::once(&draft.base).chain(app.tabs.iter().filter_map(Tab::current))
}

impl HintsView {
    /// Learns anew if other twins are here than the last time. Returns whether it did.
    fn learn(&mut self, app: &App, draft: &Draft, section: Section) -> bool {
        let answer = app.fleet.query.answer.value();
        let same = self.known.as_ref().is_some_and(|learnt| {
            learnt.section == section
                && learnt.answer.as_ref().map(Arc::as_ptr) == answer.map(Arc::as_ptr)
                && learnt.twins.iter().map(Arc::as_ptr).eq(twins(app, draft).map(Arc::as_ptr))
        });
        if same {
            return false;
        }
        let mut known = Known::default();
        for twin in twins(app, draft) {
            known.learn(twin.section(section));
        }
        for row in answer.iter().flat_map(|answer| &answer.rows) {
            known.learn_row(section, row);
        }
        let twins = twins(app, draft).cloned().collect();
        self.known = Some(Learnt { section, twins, answer: answer.cloned(), known });
        true
    }

    /// The slips to tell of.
    fn told(&mut self, ctx: &Context, id: Id, part: &SectionDraft, learnt_anew: bool) -> Vec<Hint> {
        let mut made = match self.made.take().filter(|made| made.id == id) {
            Some(made) if part.pending => made.carried_to(&part.text),
            Some(made) if !learnt_anew && !made.carried && made.text == part.text => made,
            _ => {
                let hints = self.known.as_ref().map(|learnt| learnt.known.hints(&part.text, &part.parsed));
                let hints: Arc<[Hint]> = hints.unwrap_or_default().into();
                let typing = hints.iter().position(|hint| is_in(ctx, id, part, hint));
                Made { id, text: part.text.clone(), carried: part.pending, hints, typing }
            }
        };
        made.typing = made.typing.filter(|index| made.hints.get(*index).is_some_and(|hint| is_in(ctx, id, part, hint)));
        let told = made.hints.iter().enumerate().filter(|(index, _)| made.typing != Some(*index));
        let told = told.map(|(_, hint)| hint.clone()).collect();
        self.made = Some(made);
        told
    }
}

impl Made {
    fn carried_to(mut self, text: &str) -> Self {
        self.carried = true;
        if !self.hints.is_empty() && self.text != text {
            let shift = Shift::between(&self.text, text);
            self.hints = known::carried(&self.hints, &shift, text).into();
            text.clone_into(&mut self.text);
        }
        self
    }
}

/// Whether the caret stands in the key, with nothing selected.
fn is_in(ctx: &Context, id: Id, part: &SectionDraft, hint: &Hint) -> bool {
    let range = selection(ctx, id, &part.text).range();
    let caret = EditorView::offset(ctx, id, &part.text);
    ctx.memory(|m| m.has_focus(id)) && range.is_empty() && hint.range.start <= caret && caret <= hint.range.end
}

/// Paints a line for each.
pub(super) fn ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, draft: &Draft, section: Section) {
    let (id, part) = (editor_id(&tab.id, section), draft.section(section));
    let learnt_anew = f.view.hints.learn(f.app, draft, section);
    let hints = f.view.hints.told(ui.ctx(), id, part, learnt_anew);
    if hints.is_empty() {
        return;
    }
    #[allow(clippy::cast_precision_loss)] // At most three rows.
    let height = hints.len().min(3) as f32 * theme::ROW + 8.0;
    let height = height.min((ui.available_height() * 0.3).max(theme::ROW));
    egui::Panel::bottom("hints")
        .frame(egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 4)))
        .resizable(false)
        .exact_size(height)
        .show(ui, |ui| {
            ScrollArea::vertical().id_salt("hints").min_scrolled_height(16.0).auto_shrink(false).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                for hint in &hints {
                    match hint_ui(ui, hint) {
                        Some(Wanted::Go) => {
                            tree::show_text(f, tab);
                            f.view.editor.go(ui.ctx(), id, &part.text, hint.range.clone());
                        }
                        Some(Wanted::Use) => f.view.hints.wanted = Some((id, hint.clone())),
                        None => {}
                    }
                }
            });
        });
}

/// Mends what was asked for, as one step of the text's past. After the editor: it would take the step for somebody else's.
pub(super) fn settle(f: &mut Frame, ctx: &Context, tab: &Tab, draft: &Draft, section: Section) {
    let (id, part) = (editor_id(&tab.id, section), draft.section(section));
    let hints = &mut f.view.hints;
    let Some((_, wanted)) = hints.wanted.take_if(|_| !part.pending).filter(|(of, _)| *of == id) else { return };
    // Where it stands may be another place than when it was asked for, or none any more.
    let same = |hint: &&Hint| hint.path == wanted.path && hint.meant == wanted.meant;
    let Some(hint) = hints.made.iter().flat_map(|made| &*made.hints).find(same).cloned() else { return };
    let text = f.view.editor.act(ctx, id, &part.text, &renamed(&hint));
    f.push(Action::Edit { id: tab.id.clone(), section, text });
}

enum Wanted {
    Go,
    Use,
}

/// The edit that makes the key the one others have; the value keeps every letter.
fn renamed(hint: &Hint) -> (Vec<Edit>, Selection) {
    let text = Json::String(hint.meant.clone()).to_string();
    let caret = hint.range.start + text.len();
    (vec![Edit { range: hint.range.clone(), text }], Selection { anchor: caret, caret })
}

fn hint_ui(ui: &mut Ui, hint: &Hint) -> Option<Wanted> {
    let p = palette(ui);
    let place = format!("line {}, column {}", hint.line, hint.column);
    let path = hint.path.to_string();
    let message = format!("no other twin seen has this key: did you mean `{}`?", hint.meant);
    let mut job = egui::text::LayoutJob::default();
    job.append(&place, 0.0, egui::TextFormat::simple(theme::body(), p.warn));
    job.append(&path, 12.0, egui::TextFormat::simple(theme::mono(), p.text));
    job.append(&message, 12.0, egui::TextFormat::simple(theme::body(), p.text));
    let mut wanted = None;
    let size = egui::Vec2::new(ui.available_width(), theme::ROW);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        let name = format!("Use {}", hint.meant);
        let said = if hint.meant.chars().count() > SAID_MAX { "Use the other" } else { &name };
        if ui.add(egui::Button::new(said).small()).accessible_name(&name).clicked() {
            wanted = Some(Wanted::Use);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let line = egui::Button::new(job).frame_when_inactive(false).frame(true).small().truncate();
            if ui.add(line).accessible_name(format!("{place}: {path}: {message}")).clicked() {
                wanted = Some(Wanted::Go);
            }
        });
    });
    wanted
}
