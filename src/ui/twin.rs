//! The twin in front: header, the section shown, and around it changes, problems, banners and the acting panel.

use super::describe::{self, describe};
use super::editor::{Elsewhere, Stand};
use super::theme::palette;
use super::widgets;
use super::{
    Frame, Line, act, changes, clear_of, compare, complete, editor, editor_id, hints, history, identity, messages,
    methods, moved, reader, tree, twin_header, waiting, when,
};
use crate::app::tab::{Mark, Pane, SaveState};
use crate::app::tree::Face;
use crate::app::{Action, HubState, Remote, Tab};
use crate::twin::Section;
use crate::twin::draft::Draft;
use crate::twin::patch::Write;
use egui::{RichText, Ui};

/// Where there is less room than this, in points, text and changes are not shown side by side.
const NARROW: f32 = 400.0;

pub(super) fn ui(f: &mut Frame, ui: &mut Ui) {
    let app = f.app;
    let Some(tab) = app.active_tab() else {
        welcome_ui(f, ui);
        return;
    };
    f.view.narrow = ui.available_width() < NARROW;
    // Both sections, whichever is painted: whose doing a change was is known now.
    for section in [Section::Desired, Section::Tags] {
        if let Some(draft) = &tab.draft {
            let (id, text) = (editor_id(&tab.id, section), &draft.section(section).text);
            f.view.editor.look(ui.ctx(), id, text, elsewhere(tab, draft, section));
        }
    }
    twin_header::ui(f, ui, tab);
    if tab.pane == Pane::History {
        // The journal is here, whether the hub answers or not.
        banners_ui(f, ui, tab);
        let paper = palette(ui).paper;
        egui::CentralPanel::default().frame(egui::Frame::new().fill(paper)).show(ui, |ui| history::ui(f, ui, tab));
        return;
    }
    if tab.pane == Pane::Compare {
        banners_ui(f, ui, tab);
        let paper = palette(ui).paper;
        egui::CentralPanel::default().frame(egui::Frame::new().fill(paper)).show(ui, |ui| compare::ui(f, ui, tab));
        return;
    }
    let Some(twin) = tab.current() else {
        egui::CentralPanel::default().frame(pane_frame()).show(ui, |ui| not_loaded_ui(f, ui, tab));
        return;
    };
    if tab.act.is_some() {
        act::ui(f, ui, tab);
    }
    banners_ui(f, ui, tab);
    let section = match tab.pane {
        Pane::Desired => Some(Section::Desired),
        Pane::Tags => Some(Section::Tags),
        _ => None,
    };
    if let (Some(section), Some(draft)) = (section, &tab.draft) {
        super::problems::ui(f, ui, tab, section, draft.section(section));
        hints::ui(f, ui, tab, draft, section);
    }
    let has_changes = matches!(tab.pane, Pane::Desired | Pane::Tags | Pane::Reported);
    if has_changes {
        changes::ui(f, ui, tab);
    }
    let instead = has_changes && f.view.narrow && f.view.changes_instead;
    let paper = palette(ui).paper;
    let mut lines = Vec::new();
    lines.extend((has_changes && changes::is_beside(f, tab)).then_some(Line::Right));
    lines.extend(tab.act.is_some().then_some(Line::Below));
    egui::CentralPanel::default().frame(clear_of(&lines).fill(paper)).show(ui, |ui| match (tab.pane, section) {
        _ if instead => changes::instead_ui(f, ui, tab),
        (_, Some(section)) => section_ui(f, ui, tab, section),
        (Pane::Reported, _) => {
            let key = reader::Key { version: twin.reported.version, text: &tab.reported_text };
            reader_ui(f, ui, tab, "Reported JSON", key);
        }
        (Pane::Identity, _) => identity::ui(f, ui, tab),
        (Pane::Methods, _) => methods::ui(f, ui, tab),
        (Pane::Messages, _) => messages::ui(f, ui, tab),
        _ => {
            let key = reader::Key { version: twin.version, text: &tab.document_text };
            reader_ui(f, ui, tab, "Document JSON", key);
        }
    });
    if let (Some(section), Some(draft)) = (section, &tab.draft) {
        hints::settle(f, ui.ctx(), tab, draft, section);
        super::problems::settle(f, ui.ctx(), tab, draft, section);
    }
    moved::follow(f, ui.ctx(), tab);
}

fn reader_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, name: &str, key: reader::Key) {
    let id = reader::id(&tab.id, tab.pane);
    let view = &mut *f.view;
    view.panes.editor = Some(id);
    reader::ui(&mut view.reader, &mut view.editor.find, ui, id, name, key);
}

fn pane_frame() -> egui::Frame {
    egui::Frame::new().inner_margin(egui::Margin::same(12))
}

fn welcome_ui(f: &mut Frame, ui: &mut Ui) {
    if let HubState::Failed { hub, failure } = &f.app.hub {
        let said = describe(failure);
        widgets::empty(ui, "The hub cannot be opened", &said.sentence, |ui| {
            if let Some(advice) = &said.advice {
                widgets::weak(ui, super::describe::sentence(advice));
            }
            if ui.button("Try again").clicked() {
                f.push(Action::OpenHub(hub.clone()));
            }
            super::connections::paste_key_ui(f, ui, failure);
            if ui.button("Connections…").clicked() {
                f.push(Action::ShowConnections);
            }
            widgets::copy_details(ui, &said.detail);
        });
        return;
    }
    let keys = ui.ctx().format_shortcut(&super::keys::GO_TO);
    let why = format!("Choose a device or module on the left, or press {keys} and type its id");
    widgets::empty(ui, "No twin is open", &why, |ui| {
        if ui.button("Go to…").clicked() {
            f.push(Action::ShowGoTo);
        }
    });
}

/// Nothing was ever loaded: on its way, failed, or never asked for.
fn not_loaded_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    match &tab.twin {
        Remote::Loading { key, since, .. } => {
            let key = *key;
            let words = match waiting::words(f, ui.ctx(), key) {
                Some(waits) => format!("Loading {}. {waits}", tab.id),
                None => format!("Loading {}", tab.id),
            };
            widgets::spinner(ui, f.app.now, *since, &words);
            if f.app.now.seconds_since(*since) >= 1 && ui.button("Cancel").clicked() {
                f.push(Action::Cancel(key));
            }
        }
        Remote::Failed { failure, at, .. } => {
            let said = waiting::describe_at(ui.ctx(), failure, f.app.now, *at);
            widgets::empty(ui, &format!("{} could not be loaded", tab.id), &said.sentence, |ui| {
                if let Some(advice) = &said.advice {
                    widgets::weak(ui, super::describe::sentence(advice));
                }
                if ui.button("Try again").clicked() {
                    f.push(Action::Refresh(tab.id.clone()));
                }
                widgets::copy_details(ui, &said.detail);
            });
        }
        _ => {
            widgets::empty(ui, "Not loaded", "The hub was not asked for this twin yet", |ui| {
                if ui.button("Load").clicked() {
                    f.push(Action::Refresh(tab.id.clone()));
                }
            });
        }
    }
}

/// What happened to the last save or refresh, and what moved on the hub. Below the text, so that no line of it moves.
fn banners_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    moved::banners_ui(f, ui, tab);
    if let SaveState::Failed { failure, at, write } = &tab.save {
        let mut said = waiting::describe_at(ui.ctx(), failure, f.app.now, *at);
        let (age, why) = (when::ago(ui.ctx(), f.app.now, *at), describe::within(&said.sentence));
        said.sentence = format!("{} {age}: {why}", describe::not_done(*write, failure));
        strip(ui, "save-failed", |ui| {
            widgets::failure_banner(ui, &said, |ui| {
                // The same write once more, and no other: what a replacement takes away is asked about again.
                let (name, again) = match write {
                    Write::Patch => ("Try again", Action::Save(tab.id.clone())),
                    Write::Replace => ("Replace again…", Action::ShowReplace(tab.id.clone())),
                };
                if ui.button(name).clicked() {
                    f.push(again);
                }
                if ui.button("Dismiss").clicked() {
                    f.push(Action::DismissSave(tab.id.clone()));
                }
            });
        });
    }
    if let Remote::Failed { failure, at, .. } = &tab.twin {
        let mut said = waiting::describe_at(ui.ctx(), failure, f.app.now, *at);
        let age = when::ago(ui.ctx(), f.app.now, *at);
        let why = describe::within(&said.sentence);
        said.sentence = format!("Not refreshed {age}: {why}; the last good state is shown");
        strip(ui, "refresh-failed", |ui| {
            widgets::failure_banner(ui, &said, |ui| {
                if ui.button("Try again").clicked() {
                    f.push(Action::Refresh(tab.id.clone()));
                }
            });
        });
    }
}

pub(super) fn strip(ui: &mut Ui, salt: &str, contents: impl FnOnce(&mut Ui)) {
    egui::Panel::bottom(("strip", salt))
        .frame(egui::Frame::new())
        .resizable(false)
        .show_separator_line(false)
        .show(ui, contents);
}

fn elsewhere<'a>(tab: &'a Tab, draft: &'a Draft, section: Section) -> Elsewhere<'a> {
    Elsewhere::Draft(Stand { base: &draft.base, section, moves: &tab.moves, acts: tab.text_acts })
}

fn section_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, section: Section) {
    let Some(draft) = &tab.draft else {
        ui.label(RichText::new("Nothing to edit yet").color(palette(ui).weak));
        return;
    };
    let part = draft.section(section);
    if tab.face == Face::Tree {
        tree::ui(f, ui, tab, draft, section);
        return;
    }
    let id = editor_id(&tab.id, section);
    f.view.panes.editor = Some(id);
    let name = match section {
        Section::Tags => "Tags JSON",
        _ => "Desired JSON",
    };
    match editor::foot::ui(ui, id, section, part) {
        Some(editor::foot::Chosen::Place(range)) => f.view.editor.go(ui.ctx(), id, &part.text, range),
        Some(editor::foot::Chosen::Tree) => tree::toggle(f, ui.ctx(), tab),
        None => {}
    }
    let marks: Vec<&Mark> = tab.marks.iter().filter(|mark| mark.section == section).collect();
    let sheet = editor::Sheet {
        id,
        name,
        text: &part.text,
        problems: &part.problems,
        marks: &marks,
        elsewhere: elsewhere(tab, draft, section),
    };
    complete::listen(f, ui, id, &part.text);
    let text = f.view.editor.ui(ui, &sheet);
    complete::ui(f, ui, id, text.as_ref().unwrap_or(&part.text));
    if let Some(text) = text {
        f.push(Action::Edit { id: tab.id.clone(), section, text });
    }
}
