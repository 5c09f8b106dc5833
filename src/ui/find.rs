//! The search strip over a text. Where the text can be edited, what is found can be replaced.

use super::theme::{self, palette};
use super::{icons, press, when, widgets};
use crate::twin::text::search::{Case, Kind, Search};
use crate::twin::text::splice::{self, Edit};
use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{Context, Id, Key, Label, Margin, Modifiers, RichText, Ui};
use std::ops::Range;

/// Room for the count of matches behind the signs.
const COUNT: f32 = 108.0;
/// Room for the two buttons behind what takes the place.
const BUTTONS: f32 = 168.0;
/// Between two signs.
const GAP: f32 = 2.0;

/// The field for what is looked for.
pub(super) fn field_id() -> Id {
    Id::unique("find")
}

/// The search in the text, when it is open.
#[derive(Default)]
pub(super) struct Find {
    pub open: bool,
    pub text: String,
    pub focus: bool,
    /// Whether there is a field for what takes the place, where the text can be edited.
    pub replacing: bool,
    with: String,
    kind: Kind,
    case: Case,
    /// What was looked for, in which text, and what came of it.
    asked: Option<(String, Kind, Case, String)>,
    outcome: Outcome,
    search: Option<Search>,
    /// The hit last gone to. A text without the focus keeps only the end of what is selected in it.
    at: Option<Range<usize>>,
}

/// What was found, or what is wrong with the expression.
struct Outcome(Result<Vec<Range<usize>>, String>);

impl Default for Outcome {
    fn default() -> Self {
        Self(Ok(Vec::new()))
    }
}

/// What may be done with the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Read,
    Edit,
}

/// What came of the strip in this frame.
pub(super) enum Found {
    Go(Hit),
    /// Edits in text order, and what is selected after them.
    Replace(Vec<Edit>, Range<usize>),
    /// The strip was closed from within: the text has the focus again.
    Left,
}

/// A place to go to.
pub(super) struct Hit {
    pub range: Range<usize>,
    /// It was asked for by Enter in the field, which keeps the focus so that Enter goes on.
    pub keeps_focus: bool,
}

/// What is asked for by a button or a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Next,
    Previous,
    Replace,
    ReplaceAll,
    Leave,
}

/// Whether the strip keeps the focus after a step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// In one of its fields: it does.
    Key,
    Button,
}

struct Pressed {
    step: Step,
    by: By,
}

impl Find {
    /// What was found in the text last painted, in order.
    pub fn hits(&self) -> &[Range<usize>] {
        self.outcome.0.as_deref().unwrap_or_default()
    }

    /// Opens the strip with the field in focus and all of it selected, so that what is typed takes its place. A text given is
    /// looked for, such as what is selected.
    pub fn show(&mut self, wanted: Option<&str>) {
        self.open = true;
        self.focus = true;
        if let Some(wanted) = wanted.filter(|text| !text.is_empty() && !text.contains('\n')) {
            wanted.clone_into(&mut self.text);
            self.kind = Kind::Words;
        }
    }

    /// What is selected: the hit last gone to while the caret stands at its end.
    fn selected(&self, selected: &Range<usize>) -> Range<usize> {
        let at =
            self.at.as_ref().filter(|at| selected.is_empty() && at.end == selected.end && self.hits().contains(at));
        at.unwrap_or(selected).clone()
    }

    /// Paints the strip. The next hit is looked for behind what is selected, the one before in front of it.
    pub fn ui(&mut self, ui: &mut Ui, text: &str, selected: &Range<usize>, purpose: Purpose) -> Option<Found> {
        let frame = egui::Frame::new().inner_margin(Margin::symmetric(8, 4));
        let strip = egui::Panel::top("find").resizable(false).frame(frame);
        let step = strip.show(ui, |ui| {
            let step = ui.horizontal_wrapped(|ui| self.search_ui(ui, text, selected, purpose)).inner;
            if let Err(problem) = &self.outcome.0 {
                let color = palette(ui).bad;
                ui.label(RichText::new(format!("Not a regular expression: {problem}")).color(color));
            }
            if purpose == Purpose::Edit && self.replacing {
                return ui.horizontal_wrapped(|ui| self.replace_ui(ui)).inner.or(step);
            }
            step
        });
        let Pressed { step, by } = step.inner?;
        self.take(step, by, text, selected)
    }

    fn search_ui(&mut self, ui: &mut Ui, text: &str, selected: &Range<usize>, purpose: Purpose) -> Option<Pressed> {
        let id = field_id();
        if std::mem::take(&mut self.focus) {
            ui.memory_mut(|m| m.request_focus(id));
            select_all(ui.ctx(), id, &self.text);
        }
        let mut step = field_keys(ui, id, [(Modifiers::SHIFT, Step::Previous), (Modifiers::NONE, Step::Next)]);
        ui.spacing_mut().item_spacing.x = GAP;
        let signs = if purpose == Purpose::Edit { 6.0 } else { 5.0 };
        let width = (ui.available_width() - signs * (theme::ROW + GAP) - COUNT).clamp(72.0, 260.0);
        let (field, wanted) = widgets::field(ui, id, "Find", &self.text, "Find", width);
        step = step.or_else(|| left(ui, &field));
        if let Some(wanted) = wanted {
            self.text = wanted;
        }
        if widgets::switch_sign(ui, "Match case", self.case == Case::Matched, icons::letters("Aa")) {
            self.case = if self.case == Case::Matched { Case::Ignored } else { Case::Matched };
        }
        if widgets::switch_sign(ui, "Regex", self.kind == Kind::Expression, icons::letters(".*")) {
            self.kind = if self.kind == Kind::Expression { Kind::Words } else { Kind::Expression };
        }
        self.look(text);
        if let Err(problem) = &self.outcome.0 {
            ui.ctx().accesskit_node_builder(field.id, |node| {
                node.set_description(problem.as_str());
                node.set_invalid(egui::accesskit::Invalid::True);
            });
        }
        let off = self.hits().is_empty().then_some("Nothing is found");
        if widgets::act_sign(ui, "Previous", off, icons::chevron(icons::Way::Up)) {
            step = Some(Pressed { step: Step::Previous, by: By::Button });
        }
        if widgets::act_sign(ui, "Next", off, icons::chevron(icons::Way::Down)) {
            step = Some(Pressed { step: Step::Next, by: By::Button });
        }
        if purpose == Purpose::Edit && widgets::switch_sign(ui, "Replace…", self.replacing, icons::swap) {
            self.replacing = !self.replacing;
        }
        if widgets::sign(ui, "Close", |painter, rect, p| icons::cross(painter, rect, p.text)).clicked() {
            step = Some(Pressed { step: Step::Leave, by: By::Button });
        }
        // Last, so that no sign moves when it gets longer.
        if self.outcome.0.is_ok() {
            let count = RichText::new(self.count(&self.selected(selected))).color(palette(ui).weak);
            ui.add_space(6.0);
            ui.add(Label::new(count).truncate());
        }
        step
    }

    fn replace_ui(&mut self, ui: &mut Ui) -> Option<Pressed> {
        let id = Id::unique("replace");
        let mut step = field_keys(ui, id, [(Modifiers::COMMAND, Step::ReplaceAll), (Modifiers::NONE, Step::Replace)]);
        ui.spacing_mut().item_spacing.x = 6.0;
        let width = (ui.available_width() - BUTTONS).clamp(72.0, 260.0);
        let hint = if self.kind == Kind::Expression { "Replace with, $1 is a group" } else { "Replace with" };
        let (response, typed) = widgets::field(ui, id, "Replace with", &self.with, hint, width);
        step = step.or_else(|| left(ui, &response));
        if let Some(typed) = typed {
            self.with = typed;
        }
        let off = self.hits().is_empty().then_some("Nothing is found");
        if widgets::act(ui, "Replace", off).clicked() {
            step = Some(Pressed { step: Step::Replace, by: By::Button });
        }
        if widgets::act(ui, "Replace all", off).clicked() {
            step = Some(Pressed { step: Step::ReplaceAll, by: By::Button });
        }
        step
    }

    /// Looks again when the text, or what is looked for, is another.
    fn look(&mut self, text: &str) {
        let same = |(wanted, kind, case, of): &(String, Kind, Case, String)| {
            *wanted == self.text && *kind == self.kind && *case == self.case && of == text
        };
        if self.asked.as_ref().is_some_and(same) {
            return;
        }
        self.asked = Some((self.text.clone(), self.kind, self.case, text.to_owned()));
        self.search = None;
        self.outcome = Outcome::default();
        if self.text.is_empty() {
            return;
        }
        match Search::new(&self.text, self.kind, self.case) {
            Ok(search) => {
                self.outcome.0 = Ok(search.hits(text));
                self.search = Some(search);
            }
            Err(problem) => self.outcome.0 = Err(problem),
        }
    }

    fn count(&self, selected: &Range<usize>) -> String {
        let hits = self.hits();
        let matches = match hits.len() {
            1 => "1 match".to_owned(),
            count => format!("{} matches", when::grouped(count)),
        };
        match hits.iter().position(|hit| hit == selected) {
            Some(at) => format!("{} of {matches}", when::grouped(at + 1)),
            None => matches,
        }
    }

    /// Does a step as by its key, where the strip is open.
    pub fn step(&mut self, text: &str, selected: &Range<usize>, step: Step) -> Option<Found> {
        self.look(text);
        self.take(step, By::Button, text, selected)
    }

    fn take(&mut self, step: Step, by: By, text: &str, selected: &Range<usize>) -> Option<Found> {
        let found = self.found(step, by, text, &self.selected(selected));
        self.open &= step != Step::Leave;
        self.at = match &found {
            Some(Found::Go(hit)) => Some(hit.range.clone()),
            Some(Found::Replace(_, next)) => Some(next.clone()),
            Some(Found::Left) | None => None,
        };
        found
    }

    fn found(&self, step: Step, by: By, text: &str, selected: &Range<usize>) -> Option<Found> {
        let hits = self.hits();
        let go = |hit: Option<&Range<usize>>| Some(Found::Go(Hit { range: hit?.clone(), keeps_focus: by == By::Key }));
        match step {
            Step::Leave => Some(Found::Left),
            Step::Next => go(hits.iter().find(|hit| hit.start >= selected.end).or(hits.first())),
            Step::Previous => go(hits.iter().rev().find(|hit| hit.end <= selected.start).or(hits.last())),
            Step::Replace if !hits.contains(selected) => {
                go(hits.iter().find(|hit| hit.start >= selected.start).or(hits.first()))
            }
            Step::Replace => {
                let search = self.search.as_ref()?;
                let edit = search.replacement(text, selected, &self.with);
                let end = edit.range.start + edit.text.len();
                let made = splice::made(text, std::slice::from_ref(&edit));
                let next = search.hits(&made);
                let next = next.iter().find(|hit| hit.start >= end).or(next.first()).cloned().unwrap_or(end..end);
                Some(Found::Replace(vec![edit], next))
            }
            Step::ReplaceAll => {
                let search = self.search.as_ref()?;
                let edits: Vec<Edit> = hits.iter().map(|hit| search.replacement(text, hit, &self.with)).collect();
                let caret = splice::moved(&edits, selected.end);
                (!edits.is_empty()).then_some(Found::Replace(edits, caret..caret))
            }
        }
    }
}

/// Selects the whole text of a field, before it is painted.
fn select_all(ctx: &Context, id: Id, text: &str) {
    let mut state = TextEditState::load(ctx, id).unwrap_or_default();
    let whole = CCursorRange::two(CCursor::new(0), CCursor::new(text.chars().count()));
    state.cursor.set_char_range(Some(whole));
    state.store(ctx, id);
}

/// Esc takes the focus from a field before anything is painted.
fn left(ui: &Ui, field: &egui::Response) -> Option<Pressed> {
    let esc = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Escape));
    esc.then_some(Pressed { step: Step::Leave, by: By::Key })
}

/// What Enter means in a field. It keeps the focus in the field.
fn field_keys(ui: &Ui, id: Id, enter: [(Modifiers, Step); 2]) -> Option<Pressed> {
    if !ui.memory(|m| m.has_focus(id)) {
        return None;
    }
    for (modifiers, step) in enter {
        if ui.input_mut(|i| press::take(i, modifiers, Key::Enter)) {
            return Some(Pressed { step, by: By::Key });
        }
    }
    None
}
