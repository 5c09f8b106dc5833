//! The section History: every version that was seen and every draft that was thrown away, newest first; one of them in detail,
//! compared, and brought back as a draft.

mod list;

use super::changes::{Revert, change_ui};
use super::describe::describe;
use super::dialogs::{Leave, modal};
use super::find::Find;
use super::theme::{self, palette};
use super::widgets::{self, Tone};
use super::{Frame, Line, clear_of, questions, reader, when};
use crate::app::compare::CompareAct;
use crate::app::history::{Against, Comparison, Face, HistoryAct, Shown};
use crate::app::{Action, Remote, Tab};
use crate::disk::journal::{Entry, EntryKey};
use crate::twin::{Section, TwinId};
use crate::worker::Failure;
use egui::accesskit::Role;
use egui::{Context, ScrollArea, Ui, WidgetInfo};

/// Below this width the version takes the place of the list.
const NARROW: f32 = 520.0;
/// Versions offered to compare with.
const OFFERED: usize = 100;
/// Changes painted of one comparison.
const CHANGES_MAX: usize = 500;

/// What the list remembers.
#[derive(Default)]
pub(super) struct HistoryView {
    /// A version to bring into view and to give the focus.
    reveal: Option<EntryKey>,
}

fn push(f: &mut Frame, tab: &Tab, act: HistoryAct) {
    f.push(Action::History { id: tab.id.clone(), act });
}

/// The text to search in, if one is shown.
pub(super) fn text_of(tab: &Tab) -> Option<&str> {
    let shown = tab.history.shown.value()?;
    match tab.history.face {
        Face::Document => Some(&shown.text),
        Face::Patch if !shown.patch_text.is_empty() => Some(&shown.patch_text),
        Face::Changes | Face::Patch => None,
    }
}

pub(super) fn ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let history = &tab.history;
    let Some(timeline) = history.timeline.value() else {
        absent_ui(f, ui, tab);
        return;
    };
    if let Some(failure) = history.timeline.failure() {
        failed_ui(f, ui, tab, failure);
    }
    if timeline.entries.is_empty() {
        empty_ui(f, ui, tab);
        return;
    }
    let chosen = history.chosen();
    if ui.available_width() < NARROW {
        match chosen {
            Some(entry) => detail_ui(f, ui, tab, entry, Room::Little),
            None => list::ui(f, ui, tab, timeline),
        }
        return;
    }
    let width = ui.available_width();
    egui::Panel::left("history-list")
        .frame(egui::Frame::new().fill(palette(ui).panel).inner_margin(4))
        .default_size((width * 0.34).clamp(220.0, 300.0))
        .size_range(180.0..=(width - 260.0).max(181.0))
        .show(ui, |ui| list::ui(f, ui, tab, timeline));
    egui::CentralPanel::default().frame(clear_of(&[Line::Left])).show(ui, |ui| match chosen {
        Some(entry) => detail_ui(f, ui, tab, entry, Room::Enough),
        None => {
            push(f, tab, HistoryAct::ChooseNewest);
        }
    });
}

/// Nothing was read yet.
fn absent_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    match &tab.history.timeline {
        Remote::Loading { since, .. } => widgets::spinner(ui, f.app.now, *since, "Reading the history"),
        Remote::Failed { failure, .. } => failed_ui(f, ui, tab, failure),
        Remote::Idle | Remote::Ready { .. } => empty_ui(f, ui, tab),
    }
}

fn failed_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, failure: &Failure) {
    widgets::failure_banner(ui, &describe(failure), |ui| {
        if ui.button("Try again").clicked() {
            push(f, tab, HistoryAct::Load);
        }
    });
}

fn empty_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let days = f.app.settings.journal.days;
    let why = format!(
        "Every version that is loaded, saved or watched from here on, and every draft that is discarded, is kept on this machine for {} and listed here",
        when::count(days as usize, "day")
    );
    widgets::empty(ui, "No version was seen yet", &why, |ui| {
        if ui.button("Read again").clicked() {
            push(f, tab, HistoryAct::Load);
        }
    });
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    Enough,
    /// The list is not beside it.
    Little,
}

fn detail_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, entry: &Entry, room: Room) {
    let key = entry.key();
    // While another one is read the last one stands, but never under a wrong name.
    let shown = tab.history.shown.value().filter(|shown| shown.key == key);
    egui::Frame::new().inner_margin(egui::Margin { left: 12, right: 12, top: 8, bottom: 4 }).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.horizontal_wrapped(|ui| {
            if room == Room::Little && ui.button("All versions").clicked() {
                push(f, tab, HistoryAct::Leave);
            }
            ui.label(crate::ui::widgets::shown(list::title(entry)).font(theme::heading()));
            acts_ui(f, ui, tab, entry, shown);
        });
        facts_ui(ui, entry);
        ui.horizontal_wrapped(|ui| faces_ui(f, ui, tab, entry));
        if shown_face(tab, entry) == Face::Changes {
            ui.horizontal_wrapped(|ui| compare_ui(f, ui, tab, entry));
        }
    });
    match (shown, &tab.history.shown) {
        (Some(shown), _) => face_ui(f, ui, tab, shown),
        (None, Remote::Loading { since, .. }) => {
            widgets::spinner(ui, f.app.now, *since, "Reading the version");
        }
        (None, Remote::Failed { failure, .. }) => widgets::failure_banner(ui, &describe(failure), |ui| {
            if ui.button("Try again").clicked() {
                push(f, tab, HistoryAct::Choose(key));
            }
        }),
        (None, _) => {}
    }
}

fn acts_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, entry: &Entry, shown: Option<&Shown>) {
    let off = match shown.map(|shown| (&shown.discarded, &shown.twin)) {
        Some((Some(draft), _)) => tab.bring_back_refusal(draft),
        Some((None, Ok(twin))) => tab.revert_refusal(twin),
        Some((None, Err(_))) => Some("This version cannot be read any more"),
        None => Some("Reading the version"),
    };
    let name = if entry.is_discarded() { "Bring back as draft" } else { "Revert to this version" };
    let hover = "Makes it a draft; nothing is sent until you save";
    if widgets::act(ui, name, off).on_hover_text(hover).clicked()
        && let Some(shown) = shown
    {
        push(f, tab, HistoryAct::Revert(shown.key));
    }
    if let Some(shown) = shown.filter(|shown| !shown.text.is_empty()) {
        let hover = "Puts it beside the twin as it is now, or beside another one";
        if ui.button("Compare with…").on_hover_text(hover).clicked() {
            f.push(Action::Compare { id: tab.id.clone(), act: CompareAct::Ask(Some(shown.key)) });
        }
        let (name, hover) = if entry.is_discarded() {
            ("Copy text", "What was typed, letter by letter")
        } else {
            ("Copy JSON", "The whole version as JSON")
        };
        let copy = ui.button(name).on_hover_text(hover);
        if copy.clicked() {
            ui.ctx().copy_text(shown.text.clone());
        }
    }
}

fn facts_ui(ui: &mut Ui, entry: &Entry) {
    let p = palette(ui);
    let typed = if entry.is_discarded() { "typed at " } else { "" };
    let text = format!(
        "{} {} UTC · {typed}etag {} · desired v{} · reported v{}",
        list::source(entry.seen),
        when::stamp(entry.at_ms),
        entry.etag.quoted(),
        entry.desired_version,
        entry.reported_version
    );
    widgets::selectable(ui, crate::ui::widgets::shown(text).font(theme::small()).color(p.weak));
}

/// What it is compared with.
fn compare_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, entry: &Entry) {
    let history = &tab.history;
    let before = history.before(entry.key());
    let word = |against: Against| match against {
        Against::Previous if entry.is_discarded() => format!("version {}, where it was typed", entry.version),
        Against::Previous => {
            before.map_or("nothing before it".to_owned(), |b| format!("the one before, {}", b.version))
        }
        Against::Draft => "your draft".to_owned(),
        Against::Version(key) => match history.entry(key).filter(|entry| entry.is_discarded()) {
            Some(_) => "a discarded draft".to_owned(),
            None => format!("version {}", key.version),
        },
    };
    let now = word(history.against);
    let mut wanted = None;
    widgets::weak(ui, "compared with");
    let shown =
        egui::ComboBox::from_id_salt("compare-with").selected_text(&now).width(160.0).height(320.0).show_ui(ui, |ui| {
            let mut offer = |ui: &mut Ui, against: Against, text: String| {
                if ui.selectable_label(history.against == against, text).clicked() {
                    wanted = Some(against);
                }
            };
            offer(ui, Against::Previous, sentence(&word(Against::Previous)));
            offer(ui, Against::Draft, "Your draft".to_owned());
            let entries = history.timeline.value().map(|timeline| timeline.entries.as_slice()).unwrap_or_default();
            for other in entries.iter().rev().filter(|other| other.key() != entry.key()).take(OFFERED) {
                let text = format!("{}, {}", list::title(other), when::stamp(other.at_ms));
                offer(ui, Against::Version(other.key()), text);
            }
        });
    shown.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, format!("Compare with, {now}")));
    if let Some(against) = wanted {
        push(f, tab, HistoryAct::Compare(against));
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn faces_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, entry: &Entry) {
    let whole = if entry.is_discarded() { "What was typed" } else { "Whole version" };
    let mut faces = vec![(Face::Changes, "What changed"), (Face::Document, whole)];
    if entry.saved.is_some() {
        faces.push((Face::Patch, "Saved patch"));
    }
    ui.spacing_mut().item_spacing.x = 0.0;
    for (face, name) in faces {
        if widgets::tab(ui, shown_face(tab, entry) == face, name).clicked() {
            push(f, tab, HistoryAct::Show(face));
        }
    }
}

/// A version that no patch of ours led to shows its changes in the place of the patch.
fn shown_face(tab: &Tab, entry: &Entry) -> Face {
    match tab.history.face {
        Face::Patch if entry.saved.is_none() => Face::Changes,
        face => face,
    }
}

fn face_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, shown: &Shown) {
    let face = match tab.history.face {
        Face::Patch if shown.patch_text.is_empty() => Face::Changes,
        face => face,
    };
    if let Err(why) = &shown.twin
        && (shown.discarded.is_none() || face == Face::Changes)
    {
        // The text of a draft is there all the same.
        let tone = if shown.discarded.is_some() { Tone::Warn } else { Tone::Bad };
        widgets::banner(ui, tone, &sentence(why), |_| {});
        return;
    }
    let (name, text) = match face {
        Face::Changes => {
            changes_ui(ui, shown);
            return;
        }
        Face::Document if shown.discarded.is_some() => ("Discarded text", &shown.text),
        Face::Document => ("Version JSON", &shown.text),
        Face::Patch => ("Patch JSON", &shown.patch_text),
    };
    let id = reader::id(&tab.id, tab.pane);
    f.view.panes.editor = Some(id);
    let view = &mut *f.view;
    let key = reader::Key { version: shown.key.at_ms * 2 + u64::from(face == Face::Patch), text };
    let find: &mut Find = &mut view.editor.find;
    reader::ui(&mut view.reader, find, ui, id, name, key);
}

fn changes_ui(ui: &mut Ui, shown: &Shown) {
    let margin = egui::Margin { left: 12, right: 8, top: 4, bottom: 4 };
    ScrollArea::vertical().id_salt("history-changes").min_scrolled_height(16.0).auto_shrink(false).show(ui, |ui| {
        egui::Frame::new().inner_margin(margin).show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            let (title, changes) = match &shown.comparison {
                Comparison::NothingBefore => {
                    widgets::weak(ui, "This is the first version seen: nothing before it is known");
                    return;
                }
                Comparison::Impossible(why) => {
                    widgets::weak(ui, sentence(why));
                    return;
                }
                Comparison::Changes { title, changes } => (title, changes),
            };
            widgets::heading(ui, &format!("{title}: {}", when::count(changes.len(), "path")));
            if changes.is_empty() {
                widgets::weak(ui, "They say the same; only the hub's own counters moved");
            }
            let mut section: Option<Section> = None;
            for (of, change) in changes.iter().take(CHANGES_MAX) {
                if section != Some(*of) {
                    section = Some(*of);
                    widgets::weak(ui, of.word());
                }
                change_ui(ui, change, Revert::Absent);
            }
            if changes.len() > CHANGES_MAX {
                widgets::weak(ui, format!("and {} more", when::grouped(changes.len() - CHANGES_MAX)));
            }
        });
    });
}

/// Edits stand where a version is to go.
pub(super) fn revert_ui(f: &mut Frame, ctx: &Context, id: &TwinId, key: EntryKey) -> bool {
    const NAME: &str = "Replace the edits?";
    let fresh = f.view.take_fresh(NAME);
    modal(ctx, NAME, 440.0, Leave::OnBackdrop, |ui| {
        let entry = f.app.tab(id).and_then(|tab| tab.history.entry(key));
        let what = match entry.filter(|entry| entry.is_discarded()) {
            Some(_) => "the discarded draft".to_owned(),
            None => format!("what version {} said", key.version),
        };
        let text = format!(
            "The edits of {id} go to its history as a discarded draft, and {what} takes their place as a draft. Nothing is sent until you save."
        );
        questions::wrapped(ui, text);
        let act = Action::History { id: id.clone(), act: HistoryAct::RevertNow(key) };
        let keep = questions::answer(ui, f, "Replace the edits", None, act, "Keep editing");
        if fresh {
            keep.request_focus();
        }
    })
}
