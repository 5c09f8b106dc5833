//! Desired and tags as a tree over the draft's text: rows to walk through, and fields to edit them in place.

mod act;
mod detail;
mod field;
mod rows;
mod walk;

pub(super) use act::{Command, commands, run, settle};

use super::editing::section_of;
use super::editor::EditorView;
use super::theme::{self, palette};
use super::{Frame, editor_id, keys, widgets};
use crate::app::tree::Face;
use crate::app::{Action, HubState, Tab};
use crate::twin::draft::{Draft, SectionDraft};
use crate::twin::tree::{self, Row, Source};
use crate::twin::{Path, Section, Twin, TwinId};
use crate::worker::HubRef;
use egui::{Align, Context, Layout, RichText, Ui};
use field::Field;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What the trees remember between frames, one by one.
#[derive(Default)]
pub(super) struct TreeView {
    pages: HashMap<Key, Page>,
}

/// Two hubs may have twins of the same name.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    hub: Option<HubRef>,
    id: TwinId,
    section: Section,
}

/// One tree.
#[derive(Default)]
struct Page {
    closed: HashSet<Path>,
    /// The row the keys stand on, and where it was last seen.
    cursor: Path,
    index: usize,
    /// Bring the cursor's row into view in the next frame, and give it the focus.
    reveal: bool,
    /// The same, one frame later: the rows are not those of the text any more.
    later: bool,
    /// What is being typed. It stays until it is taken or left by the person.
    field: Option<Field>,
    made: Option<Made>,
}

/// The rows, and what they were made of.
struct Made {
    text: String,
    base: Arc<Twin>,
    reported: Option<Arc<Twin>>,
    closed: HashSet<Path>,
    rows: Arc<[Row]>,
}

/// What one frame of a tree is about.
struct Sheet<'a> {
    tab: &'a Tab,
    draft: &'a Draft,
    section: Section,
    part: &'a SectionDraft,
    rows: Arc<[Row]>,
}

impl Page {
    fn rows(&mut self, draft: &Draft, section: Section, newest: Option<&Arc<Twin>>) -> Arc<[Row]> {
        let part = draft.section(section);
        let reported = newest.filter(|_| section != Section::Tags);
        let same = |made: &Made| {
            let twin = match (&made.reported, reported) {
                (Some(a), Some(b)) => Arc::ptr_eq(a, b),
                (a, b) => a.is_none() && b.is_none(),
            };
            twin && Arc::ptr_eq(&made.base, &draft.base) && made.text == part.text && made.closed == self.closed
        };
        if let Some(made) = self.made.as_ref().filter(|made| same(made)) {
            return Arc::clone(&made.rows);
        }
        let Some(document) = &part.parsed.document else { return Arc::default() };
        let told = reported.map(|twin| twin.section(Section::Reported));
        let source = Source { document, base: draft.base.section(section), reported: told };
        let rows: Arc<[Row]> = tree::rows(&source, &self.closed).into();
        // Rows of a text that is not read yet are those of the text before: the next frame makes them anew.
        self.made = (!part.pending).then(|| Made {
            text: part.text.clone(),
            base: Arc::clone(&draft.base),
            reported: reported.cloned(),
            closed: self.closed.clone(),
            rows: Arc::clone(&rows),
        });
        rows
    }

    /// Finds the cursor's row; where it is gone, the row that has its place.
    fn place_cursor(&mut self, rows: &[Row]) {
        if let Some(index) = rows.iter().position(|row| row.path == self.cursor) {
            self.index = index;
        } else if let Some(last) = rows.len().checked_sub(1) {
            self.index = self.index.min(last);
            self.cursor = rows[self.index].path.clone();
        }
    }

    /// Puts the cursor on a path, with everything around it open.
    fn go(&mut self, path: Path) {
        for count in 1..path.0.len() {
            self.closed.remove(&Path(path.0[..count].to_vec()));
        }
        self.cursor = path;
        self.reveal = true;
    }
}

fn key(f: &Frame, tab: &Tab, section: Section) -> Key {
    let hub = match &f.app.hub {
        HubState::Open(info) => Some(info.hub.clone()),
        _ => None,
    };
    Key { hub, id: tab.id.clone(), section }
}

/// Does something with the tree of the section in front.
fn with_page<R>(
    f: &mut Frame,
    tab: &Tab,
    section: Section,
    then: impl FnOnce(&mut Frame, &mut Page, &Sheet) -> R,
) -> Option<R> {
    let draft = tab.draft.as_ref()?;
    let key = key(f, tab, section);
    let mut page = f.view.tree.pages.remove(&key).unwrap_or_default();
    let rows = page.rows(draft, section, tab.current());
    page.place_cursor(&rows);
    let sheet = Sheet { tab, draft, section, part: draft.section(section), rows };
    let done = then(f, &mut page, &sheet);
    f.view.tree.pages.insert(key, page);
    Some(done)
}

/// The text takes the tree's place, if that is in front.
pub(super) fn show_text(f: &mut Frame, tab: &Tab) {
    if tab.face == Face::Tree && section_of(tab).is_some() {
        f.push(Action::ShowFace(tab.id.clone(), Face::Text));
    }
}

/// From text to tree and back; the caret goes to what the cursor was on, and the other way round.
pub(super) fn toggle(f: &mut Frame, ctx: &Context, tab: &Tab) {
    let Some((section, draft)) = section_of(tab).zip(tab.draft.as_ref()) else { return };
    let part = draft.section(section);
    let id = editor_id(&tab.id, section);
    if tab.face == Face::Tree {
        if !settle(f, ctx, tab) {
            return;
        }
        let range = with_page(f, tab, section, |_, page, _| {
            let span = part.parsed.span(&page.cursor)?;
            Some(span.key.clone().unwrap_or(span.value.start..span.value.start))
        });
        let start = part.problems.first().map_or(0..0, |problem| problem.range.clone());
        f.view.editor.go(ctx, id, &part.text, range.flatten().unwrap_or(start));
    } else {
        let path = part.parsed.path_at(EditorView::offset(ctx, id, &part.text));
        with_page(f, tab, section, |_, page, _| page.go(path));
    }
    f.view.changes_instead = false;
    f.push(Action::ShowFace(tab.id.clone(), tab.face.other()));
    ctx.request_repaint();
}

/// The button that leads to a face.
pub(super) fn face_button(ui: &mut Ui, to: Face) -> bool {
    let (word, name) = match to {
        Face::Text => ("Text", "Show as text"),
        Face::Tree => ("Tree", "Show as tree"),
    };
    let hover = format!("{name} ({})", ui.ctx().format_shortcut(&keys::FACE));
    let button = egui::Button::new(RichText::new(word).font(theme::small())).small();
    ui.add(button).accessible_name(name).on_hover_text(hover).clicked()
}

pub(super) fn ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, draft: &Draft, section: Section) {
    f.view.editor.caret = None;
    if foot_ui(f, ui, tab, section) {
        toggle(f, ui.ctx(), tab);
        return;
    }
    let part = draft.section(section);
    if part.parsed.document.is_none() {
        unreadable_ui(f, ui, tab, part);
        return;
    }
    with_page(f, tab, section, |f, page, sheet| {
        walk::listen(f, ui, page, sheet);
        acts_ui(f, ui, page, sheet);
        detail::ui(ui, page, sheet);
        field::orphan_ui(f, ui, page, sheet);
        rows::ui(f, ui, page, sheet);
        // What was opened, closed or moved in this frame is seen in the next.
        if page.reveal || page.made.as_ref().is_some_and(|made| made.closed != page.closed) {
            ui.ctx().request_repaint();
        }
    });
}

/// The path of the row the keys stand on, and the way back to the text.
fn foot_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, section: Section) -> bool {
    let path = with_page(f, tab, section, |_, page, _| page.cursor.clone()).unwrap_or_default();
    let steps: Vec<String> = path.0.iter().map(|step| Path(vec![step.clone()]).to_string()).collect();
    let words = std::iter::once(section.word()).chain(steps.iter().map(String::as_str)).collect::<Vec<_>>().join(" › ");
    let frame = egui::Frame::new().fill(palette(ui).panel).inner_margin(egui::Margin::symmetric(8, 0));
    let foot = egui::Panel::bottom("path").frame(frame).resizable(false).exact_size(theme::ROW);
    foot.show(ui, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let clicked = face_button(ui, Face::Text);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let text = RichText::new(words).font(theme::small_mono()).color(palette(ui).weak);
                ui.add(egui::Label::new(text).truncate());
            });
            clicked
        })
        .inner
    })
    .inner
}

/// There is no tree of a text that is no JSON: where that is, and the way there.
fn unreadable_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, part: &SectionDraft) {
    let why = match part.problems.first() {
        Some(problem) => format!("Line {}, column {}: {}", problem.line, problem.column, problem.message),
        None => String::new(),
    };
    widgets::empty(ui, "The text is not JSON yet, so there is no tree of it", &why, |ui| {
        if ui.button("Back to the text").clicked() {
            if let (Some(section), Some(problem)) = (section_of(tab), part.problems.first()) {
                f.view.editor.go(ui.ctx(), editor_id(&tab.id, section), &part.text, problem.range.clone());
            }
            show_text(f, tab);
        }
    });
}

/// What can be done with the row the keys stand on.
fn acts_ui(f: &mut Frame, ui: &mut Ui, page: &mut Page, sheet: &Sheet) {
    let frame = egui::Frame::new().fill(palette(ui).panel).inner_margin(egui::Margin::symmetric(8, 2));
    egui::Panel::top("tree-acts").frame(frame).resizable(false).show(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 1.0;
            ui.spacing_mut().button_padding.x = 5.0;
            ui.style_mut().override_text_style = Some(egui::TextStyle::Small);
            for command in [Command::Add, Command::Edit, Command::Rename, Command::Delete] {
                act_ui(f, ui, page, sheet, command);
            }
            ui.menu_button("Type", |ui| {
                for kind in tree::kind::Kind::ALL {
                    act_ui(f, ui, page, sheet, Command::Kind(kind));
                }
            });
            ui.menu_button("Copy", |ui| {
                for command in [Command::CopyPath, Command::CopyValue, Command::CopyQueryPath] {
                    act_ui(f, ui, page, sheet, command);
                }
            });
            for command in [Command::ExpandAll, Command::CollapseAll] {
                act_ui(f, ui, page, sheet, command);
            }
        });
    });
}

fn act_ui(f: &mut Frame, ui: &mut Ui, page: &mut Page, sheet: &Sheet, command: Command) {
    let row = sheet.rows.get(page.index);
    let off = act::off(command, row);
    let button = egui::Button::new(command.word()).frame_when_inactive(false).frame(true);
    let response = ui.add_enabled(off.is_none(), button).accessible_name(command.name());
    if let Some(why) = off {
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(why));
        response.on_disabled_hover_text(why);
        return;
    }
    let hover = command.keys().map(|keys| ui.ctx().format_shortcut(&keys));
    let response = match hover {
        Some(keys) => response.on_hover_text(format!("{} ({keys})", command.name())),
        None => response,
    };
    if response.clicked() {
        act::make(f, ui.ctx(), page, sheet, command);
    }
}
