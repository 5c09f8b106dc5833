//! The section History: every version that was seen, newest first; one of them in detail, compared, and brought back as a draft.

use super::changes::{Revert, change_ui};
use super::describe::describe;
use super::dialogs::{Leave, modal};
use super::find::Find;
use super::seen::{changed_words, gap_words, short_source, source};
use super::theme::{self, palette};
use super::widgets::{self, Tone};
use super::{Frame, questions, reader, when};
use crate::app::compare::CompareAct;
use crate::app::history::{Against, Comparison, Face, HistoryAct, Shown};
use crate::app::{Action, Remote, Tab};
use crate::disk::journal::{Entry, EntryKey, Seen, Timeline};
use crate::twin::{Section, TwinId};
use crate::worker::Failure;
use egui::accesskit::Role;
use egui::{Context, EventFilter, Id, Key, Modifiers, Rect, RichText, ScrollArea, Sense, Ui, Vec2, WidgetInfo};

/// Height of a version in the list: two lines.
const ROW: f32 = 40.0;
/// Height of what is said between two versions.
const GAP: f32 = 20.0;
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
            None => list_ui(f, ui, tab, timeline),
        }
        return;
    }
    let width = ui.available_width();
    egui::Panel::left("history-list")
        .frame(egui::Frame::new().fill(palette(ui).panel).inner_margin(4))
        .default_size((width * 0.34).clamp(220.0, 300.0))
        .size_range(180.0..=(width - 260.0).max(181.0))
        .show(ui, |ui| list_ui(f, ui, tab, timeline));
    egui::CentralPanel::default().frame(egui::Frame::new()).show(ui, |ui| match chosen {
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
        "Every version that is loaded, saved or watched from here on is kept on this machine for {} and listed here",
        when::count(days as usize, "day")
    );
    widgets::empty(ui, "No version was seen yet", &why, |ui| {
        if ui.button("Read again").clicked() {
            push(f, tab, HistoryAct::Load);
        }
    });
}

fn list_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, timeline: &Timeline) {
    if timeline.unreadable > 0 {
        let lines = when::count(timeline.unreadable, "line");
        let text = format!("{lines} of this history cannot be read; the file keeps what is in it");
        widgets::banner(ui, Tone::Warn, &text, |_| {});
    }
    walk(f, ui, tab, timeline);
    ui.spacing_mut().item_spacing = Vec2::ZERO;
    let height: f32 = timeline.entries.iter().map(height_of).sum();
    let reveal = f.view.history.reveal.take();
    ScrollArea::vertical()
        .id_salt(("history", tab.id.to_string()))
        .min_scrolled_height(16.0)
        .auto_shrink(false)
        .show_viewport(ui, |ui, viewport| {
            ui.set_min_height(height);
            let (left, right, top) = (ui.max_rect().left(), ui.max_rect().right(), ui.min_rect().top());
            let mut y = 0.0;
            for entry in timeline.entries.iter().rev() {
                let row = Rect::from_x_y_ranges(left..=right, top + y..=top + y + ROW);
                let next = y + height_of(entry);
                let revealed = reveal == Some(entry.key());
                if revealed {
                    ui.scroll_to_rect(row, None);
                }
                if revealed || next >= viewport.top() && y <= viewport.bottom() {
                    let response = row_ui(ui, row, entry, tab.history.chosen == Some(entry.key()));
                    if revealed {
                        response.request_focus();
                    }
                    if response.clicked() {
                        response.request_focus();
                        push(f, tab, HistoryAct::Choose(entry.key()));
                    }
                    if let Some(words) = gap_words(entry) {
                        gap_ui(ui, row.translate(Vec2::new(0.0, ROW)).with_max_y(row.bottom() + GAP), &words);
                    }
                }
                y = next;
            }
        });
}

fn height_of(entry: &Entry) -> f32 {
    if entry.unseen == Some(0) { ROW } else { ROW + GAP }
}

fn row_id(key: EntryKey) -> Id {
    Id::unique(("version", key.version, key.at_ms))
}

fn row_ui(ui: &Ui, rect: Rect, entry: &Entry, chosen: bool) -> egui::Response {
    let p = palette(ui);
    let response = ui.interact(rect, row_id(entry.key()), Sense::click());
    if chosen {
        ui.painter().rect_filled(rect, 4.0, p.chosen);
    } else if response.hovered() {
        ui.painter().rect_filled(rect, 4.0, p.hover);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, 4.0, egui::Stroke::new(1.0, p.accent), egui::StrokeKind::Inside);
    }
    let inner = rect.shrink2(Vec2::new(8.0, 3.0));
    let stamp = when::stamp(entry.at_ms);
    let title = format!("Version {}", entry.version);
    let paint = |text: &str, font: egui::FontId, color: egui::Color32, at: egui::Pos2, width: f32| {
        let galley = widgets::clipped(ui, text, font, color, width);
        let size = galley.size();
        ui.painter().galley(at, galley, color);
        size.x
    };
    // Without the date where there is no room for both.
    let times = [stamp.as_str(), stamp.split(' ').next_back().unwrap_or_default()];
    let time = times
        .map(|time| widgets::clipped(ui, time, theme::small_mono(), p.weak, f32::INFINITY))
        .into_iter()
        .find(|time| inner.width() > time.size().x + 84.0);
    let time_width = time.as_ref().map_or(0.0, |time| time.size().x + 8.0);
    if let Some(time) = time {
        ui.painter().galley(egui::pos2(inner.right() - time.size().x, inner.top() + 2.0), time, p.weak);
    }
    paint(&title, theme::strong(), p.text, inner.min, inner.width() - time_width);
    let color = if entry.seen == Seen::Save { p.good } else { p.weak };
    let second = egui::pos2(inner.left(), inner.top() + 18.0);
    let taken = paint(short_source(entry.seen), theme::small(), color, second, inner.width());
    let counted = format!(" · {}", changed_words(entry.changed));
    paint(&counted, theme::small(), p.weak, second + Vec2::new(taken, 0.0), inner.width() - taken);
    let name = format!("{title}, {}, {}, {stamp} UTC", source(entry.seen), changed_words(entry.changed));
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &name));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_selected(chosen));
    response.on_hover_text(format!("{stamp} UTC"))
}

fn gap_ui(ui: &Ui, rect: Rect, words: &str) {
    let p = palette(ui);
    let response = ui.interact(rect, Id::unique(("gap", rect.top().to_bits())), Sense::hover());
    ui.painter().rect_filled(rect.shrink2(Vec2::new(4.0, 1.0)), 2.0, p.warn_back);
    let galley = widgets::clipped(ui, words, theme::small(), p.warn, rect.width() - 16.0);
    ui.painter().galley(egui::pos2(rect.left() + 8.0, rect.center().y - galley.size().y / 2.0), galley, p.warn);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
}

/// Arrow keys on the version that is chosen.
fn walk(f: &mut Frame, ui: &mut Ui, tab: &Tab, timeline: &Timeline) {
    let Some(place) = tab.history.chosen.and_then(|key| timeline.place(key)) else { return };
    let Some(here) = timeline.entries.get(place).map(|entry| row_id(entry.key())) else { return };
    if !ui.memory(|m| m.has_focus(here)) {
        return;
    }
    let filter = EventFilter { vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|m| m.set_focus_lock_filter(here, filter));
    let last = timeline.entries.len() - 1;
    let pressed = |key: Key| ui.input_mut(|i| i.consume_key(Modifiers::NONE, key));
    // The newest is the last entry and stands on top.
    let target = if pressed(Key::ArrowDown) {
        place.checked_sub(1)
    } else if pressed(Key::ArrowUp) {
        (place < last).then_some(place + 1)
    } else if pressed(Key::Home) {
        Some(last)
    } else if pressed(Key::End) {
        Some(0)
    } else {
        None
    };
    if let Some(entry) = target.and_then(|at| timeline.entries.get(at)) {
        f.view.history.reveal = Some(entry.key());
        push(f, tab, HistoryAct::Choose(entry.key()));
    }
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
            ui.label(RichText::new(format!("Version {}", entry.version)).font(theme::heading()));
            acts_ui(f, ui, tab, shown);
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

fn acts_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, shown: Option<&Shown>) {
    let off = match shown.map(|shown| &shown.twin) {
        Some(Ok(twin)) => tab.revert_refusal(twin),
        Some(Err(_)) => Some("This version cannot be read any more"),
        None => Some("Reading the version"),
    };
    let hover = "Makes it a draft; nothing is sent until you save";
    if widgets::act(ui, "Revert to this version", off).on_hover_text(hover).clicked()
        && let Some(shown) = shown
    {
        push(f, tab, HistoryAct::Revert(shown.key));
    }
    if let Some(shown) = shown.filter(|shown| !shown.text.is_empty()) {
        let hover = "Puts this version beside the twin as it is now, or beside another one";
        if ui.button("Compare with…").on_hover_text(hover).clicked() {
            f.push(Action::Compare { id: tab.id.clone(), act: CompareAct::Ask(Some(shown.key)) });
        }
        let copy = ui.button("Copy JSON").on_hover_text("The whole version as JSON");
        if copy.clicked() {
            ui.ctx().copy_text(shown.text.clone());
        }
    }
}

fn facts_ui(ui: &mut Ui, entry: &Entry) {
    let p = palette(ui);
    let text = format!(
        "{} {} UTC · etag {} · desired v{} · reported v{}",
        source(entry.seen),
        when::stamp(entry.at_ms),
        entry.etag.quoted(),
        entry.desired_version,
        entry.reported_version
    );
    widgets::selectable(ui, RichText::new(text).font(theme::small()).color(p.weak));
}

/// What it is compared with.
fn compare_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, entry: &Entry) {
    let history = &tab.history;
    let before = history.before(entry.key());
    let word = |against: Against| match against {
        Against::Previous => {
            before.map_or("nothing before it".to_owned(), |b| format!("the one before, {}", b.version))
        }
        Against::Draft => "your draft".to_owned(),
        Against::Version(key) => format!("version {}", key.version),
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
                let text = format!("Version {}, {}", other.version, when::stamp(other.at_ms));
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
    let mut faces = vec![(Face::Changes, "What changed"), (Face::Document, "Whole version")];
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
    if let Err(why) = &shown.twin {
        widgets::banner(ui, Tone::Bad, &sentence(why), |_| {});
        return;
    }
    let (name, text) = match face {
        Face::Changes => {
            changes_ui(ui, shown);
            return;
        }
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
        let text = format!(
            "The edits of {id} go, and what version {} said takes their place as a draft. Nothing is sent until you save.",
            key.version
        );
        questions::wrapped(ui, text);
        let act = Action::History { id: id.clone(), act: HistoryAct::RevertNow(key) };
        let keep = questions::answer(ui, f, "Replace the edits", None, act, "Keep editing");
        if fresh {
            keep.request_focus();
        }
    })
}
