//! The pane Compare: this twin beside others, what differs path by path, and taking it over into the draft.

mod ask;
mod hunks;
mod table;

pub(super) use ask::ui as ask_ui;

use super::describe::describe;
use super::editing::Command;
use super::theme::{self, palette};
use super::widgets::{self, Tone};
use super::{Frame, when};
use crate::app::compare::{CompareAct, Face, Freshness, OWN, Origin, Stand};
use crate::app::tab::Pane;
use crate::app::{Action, Tab};
use crate::twin::diff::Change;
use crate::twin::hunks::{Part, Row};
use crate::twin::{JsonMap, Section, hunks as layout};
use egui::accesskit::Role;
use egui::{ComboBox, Ui, WidgetInfo};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Below this width two columns would say nothing.
const BESIDE_MIN: f32 = 460.0;
/// Of a long value this many bytes are shown in full when the pointer rests on it.
const HOVER_MAX: usize = 4 * 1024;

/// Of an etag this many characters are shown.
const ETAG_MAX: usize = 32;

/// What the pane remembers: the layout, made once per pair of documents, and what is unfolded.
#[derive(Default)]
pub(super) struct CompareView {
    key: u64,
    parts: Arc<Vec<Part>>,
    rows: Arc<Vec<Row>>,
    /// Runs of same lines that are shown.
    open: HashSet<usize>,
    /// The hunk the person is at.
    current: Option<usize>,
    /// One on or one back, asked for by keys.
    pub step: i8,
    /// The hunk is to come into view and to take the focus.
    reveal: bool,
}

impl CompareView {
    /// Whether the layout is that of these documents; makes room for a new one otherwise.
    fn holds(&mut self, key: u64, pair: u64) -> bool {
        let mut hasher = DefaultHasher::new();
        (key, pair).hash(&mut hasher);
        let key = hasher.finish();
        let holds = self.key == key;
        if !holds {
            self.key = key;
            self.open.clear();
        }
        holds
    }
}

fn push(f: &mut Frame, tab: &Tab, act: CompareAct) {
    f.push(Action::Compare { id: tab.id.clone(), act });
}

pub(super) fn ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let compare = &tab.compare;
    if compare.sides.is_empty() {
        let why =
            "Another device or module, of this hub or another one, or a version of the past is put beside this twin";
        widgets::empty(ui, "Nothing to compare with yet", why, |ui| {
            if ui.button("Compare with…").clicked() {
                push(f, tab, CompareAct::Ask(None));
            }
        });
        return;
    }
    let face = match compare.face {
        Face::Beside if ui.available_width() < BESIDE_MIN => Face::Inline,
        face => face,
    };
    if face == Face::Table {
        bar(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                add_ui(f, ui, tab);
                shown_ui(f, ui, tab, face);
            });
        });
        table::ui(f, ui, tab);
        return;
    }
    let (left, right) = (f.app.stand(tab, compare.left), f.app.stand(tab, compare.right));
    let pair = left.document().zip(right.document());
    if let (Some((before, after)), Stand::Ready { key: a, .. }, Stand::Ready { key: b, .. }) = (pair, left, right)
        && !f.view.compare.holds(a, b)
    {
        f.view.compare.parts = Arc::new(layout::parts(before, after));
    }
    let parts = f.view.compare.parts.clone();
    bar(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            sides_ui(f, ui, tab);
            add_ui(f, ui, tab);
        });
        // Where room is little it stands in the tip of each side.
        if ui.available_width() >= BESIDE_MIN {
            ui.horizontal_wrapped(|ui| {
                for (side, number) in [("Left", compare.left), ("Right", compare.right)] {
                    if let Some(known) = known(f, ui.ctx(), tab, number) {
                        ui.spacing_mut().item_spacing.x = 16.0;
                        ui.add(egui::Label::new(
                            crate::ui::widgets::shown(format!("{side}: {known}")).color(palette(ui).weak),
                        ));
                    }
                }
            });
        }
        ui.horizontal_wrapped(|ui| {
            shown_ui(f, ui, tab, face);
            if pair.is_some() {
                walk_ui(f, ui, tab, &parts);
            }
        });
    });
    for number in [compare.left, compare.right] {
        again_ui(f, ui, tab, number);
    }
    if pair.is_some() {
        hunks::ui(f, ui, tab, &parts, face);
        return;
    }
    for (number, stand) in [(compare.left, left), (compare.right, right)] {
        stand_ui(f, ui, tab, number, stand);
    }
}

/// Which version a side shows, and how old that knowledge is.
fn known(f: &Frame, ctx: &egui::Context, tab: &Tab, number: u64) -> Option<String> {
    let Freshness { twin, read, followed, edited } = f.app.freshness(tab, number)?;
    let seen = match read {
        _ if followed => "watched, ".to_owned(),
        Some(at) => format!("read {}, ", when::ago(ctx, f.app.now, at)),
        None => String::new(),
    };
    let edits = if edited { " with your edits" } else { "" };
    // A hub may call its versions anything.
    let etag: String = twin.etag.quoted().chars().take(ETAG_MAX).collect();
    Some(format!("{seen}version {}{edits}, etag {etag}", twin.version))
}

fn bar(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    egui::Frame::new().inner_margin(egui::Margin { left: 12, right: 12, top: 8, bottom: 4 }).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.spacing_mut().item_spacing = egui::vec2(6.0, 4.0);
        contents(ui);
    });
}

/// A side that stands as it was read before, because reading it again failed.
fn again_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, number: u64) {
    let Some(failure) = f.app.not_read_again(tab, number) else { return };
    let mut said = describe(failure);
    said.sentence = format!("{} is shown as it was read before: {}", tab.side_name(number), said.sentence);
    widgets::failure_banner(ui, &said, |ui| {
        if ui.button("Try again").clicked() {
            push(f, tab, CompareAct::Load(number));
        }
    });
}

/// Why a side is not there, and the next step.
fn stand_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, number: u64, stand: Stand) {
    let name = tab.side_name(number);
    match stand {
        Stand::Ready { .. } => {}
        Stand::Loading { since } => widgets::spinner(ui, f.app.now, since, &format!("Reading {name}")),
        Stand::Failed(failure) => {
            let mut said = describe(failure);
            said.sentence = format!("{name} could not be read: {}", super::describe::within(&said.sentence));
            widgets::failure_banner(ui, &said, |ui| {
                if ui.button("Try again").clicked() {
                    push(f, tab, CompareAct::Load(number));
                }
            });
        }
        Stand::Absent(why) => widgets::banner(ui, Tone::Warn, &format!("{name}: {why}"), |ui| {
            if number == OWN {
                let (pane, button) = match tab.compare.section {
                    Section::Tags => (Pane::Tags, "Show tags"),
                    _ => (Pane::Desired, "Show desired"),
                };
                if ui.button(button).clicked() {
                    f.push(Action::ShowPane(tab.id.clone(), pane));
                }
            } else if let Some(Origin::Draft(id)) = tab.compare.side(number).map(|side| &side.origin) {
                if ui.button("Open it").clicked() {
                    f.push(Action::OpenTwin(id.clone()));
                }
            } else if ui.button("Read it").clicked() {
                push(f, tab, CompareAct::Load(number));
            }
        }),
    }
}

/// Which two stand beside each other.
fn sides_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let compare = &tab.compare;
    let width = ((ui.available_width() - 180.0) / 2.0).clamp(110.0, 240.0);
    if let Some(number) = side_box(f, ui, tab, "Left", compare.left, width) {
        push(f, tab, CompareAct::Left(number));
    }
    widgets::weak(ui, "→");
    if let Some(number) = side_box(f, ui, tab, "Right", compare.right, width) {
        push(f, tab, CompareAct::Right(number));
    }
}

fn side_box(f: &Frame, ui: &mut Ui, tab: &Tab, name: &'static str, now: u64, width: f32) -> Option<u64> {
    let mut wanted = None;
    let shown = tab.side_name(now);
    let chooser = ComboBox::from_id_salt(("compare-side", name)).selected_text(&shown).width(width).truncate();
    let response = chooser.show_ui(ui, |ui| {
        for number in tab.compare.numbers() {
            if ui.selectable_label(number == now, tab.side_name(number)).clicked() {
                wanted = Some(number);
            }
        }
    });
    response.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, format!("{name}, {shown}")));
    let known = known(f, ui.ctx(), tab, now);
    response.response.on_hover_text(known.map_or_else(|| shown.clone(), |known| format!("{shown}: {known}")));
    wanted.filter(|number| *number != now)
}

/// Another side, one less, and the other way round.
fn add_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let full = tab.compare.is_full().then_some("No more are compared at once: take one away first");
    if widgets::act(ui, "Add…", full).on_hover_text("One more to compare with").clicked() {
        push(f, tab, CompareAct::Ask(None));
    }
    if tab.compare.face == Face::Table {
        return;
    }
    let left = tab.compare.left;
    let hover = format!("{} is no longer compared", tab.side_name(left));
    let own = (left == OWN).then_some("The tab's own twin stays");
    if widgets::act(ui, "Remove left", own).on_hover_text(hover).clicked() {
        push(f, tab, CompareAct::Drop(left));
    }
    let live = tab.compare.sides.iter().any(|side| !matches!(side.origin, Origin::Version { .. } | Origin::Draft(_)));
    if live && ui.button("Read again").on_hover_text("Asks the hubs for these twins anew, as F5 does").clicked() {
        push(f, tab, CompareAct::Refresh);
    }
    if let Some(id) = tab.turned() {
        let name = format!("Open {id} to change it");
        if ui.button(name).on_hover_text("Compares there, so that what differs can be taken over").clicked() {
            push(f, tab, CompareAct::Turn);
        }
    }
}

/// Which section, in which layout.
fn shown_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, face: Face) {
    let compare = &tab.compare;
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        for (section, name) in [(Section::Desired, "Desired"), (Section::Reported, "Reported"), (Section::Tags, "Tags")]
        {
            let response = widgets::tab(ui, compare.section == section, name);
            widgets::as_tab(ui, &response, compare.section == section, &format!("Compare {}", section.word()));
            if response.clicked() {
                push(f, tab, CompareAct::Section(section));
            }
        }
    });
    ui.separator();
    for (of, name) in [(Face::Beside, "Side by side"), (Face::Inline, "Inline"), (Face::Table, "Table")] {
        let button = egui::Button::selectable(face == of, name).frame_when_inactive(true);
        if ui.add(button).clicked() {
            push(f, tab, CompareAct::Face(of));
        }
    }
}

fn changes(parts: &[Part]) -> impl Iterator<Item = &Change> {
    parts.iter().filter_map(|part| match part {
        Part::Hunk(hunk) => Some(&hunk.change),
        Part::Same(_) => None,
    })
}

/// From one difference to the next, and all of them at once.
fn walk_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, parts: &[Part]) {
    let count = changes(parts).count();
    let view = &mut f.view.compare;
    let mut step = std::mem::take(&mut view.step);
    let none = (count == 0).then_some("Nothing differs");
    ui.separator();
    let keys = Command::PreviousChange.keys(ui.ctx());
    if widgets::act(ui, "Previous", none).on_hover_text(keys).clicked() {
        step = -1;
    }
    let keys = Command::NextChange.keys(ui.ctx());
    if widgets::act(ui, "Next", none).on_hover_text(keys).clicked() {
        step = 1;
    }
    // Where one was taken the next one has its place.
    let here = view.current.map(|at| at.min(count.saturating_sub(1)));
    let next = match (step, here) {
        (0, here) => here,
        (_, None) => Some(if step > 0 { 0 } else { count.saturating_sub(1) }),
        (1.., Some(at)) => Some((at + 1) % count.max(1)),
        (_, Some(at)) => Some((at + count.max(1) - 1) % count.max(1)),
    };
    view.current = next.filter(|_| count > 0);
    view.reveal |= step != 0 && count > 0;
    let words = match view.current {
        Some(at) => format!("{} of {}", when::grouped(at + 1), when::count(count, "difference")),
        None => when::count(count, "difference"),
    };
    // In one piece: a line breaks around it, not inside.
    let color = palette(ui).weak;
    ui.add(egui::Label::new(crate::ui::widgets::shown(words).color(color)).extend());
    let off = none.or(tab.take_refusal());
    let hover = format!(
        "Makes the draft of {} say what {} says everywhere here: adds, removes and changes; nothing is sent",
        tab.id,
        tab.side_name(tab.compare.left)
    );
    if widgets::act(ui, "Take all from left", off).on_hover_text(hover).clicked() {
        push(f, tab, CompareAct::Take(changes(parts).cloned().collect()));
    }
}

/// As much of a value as a person reads in passing.
fn hover(text: &str) -> String {
    if text.len() <= HOVER_MAX {
        return text.to_owned();
    }
    let cut = (0..=HOVER_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}\n… and {} bytes more", &text[..cut], when::grouped(text.len() - cut))
}

/// A clipped line at a place, with its name for screen readers and the whole when the pointer rests on it.
fn line_ui(ui: &Ui, id: egui::Id, rect: egui::Rect, text: &str, color: egui::Color32) -> egui::Response {
    let galley = widgets::clipped(ui, text, theme::mono(), color, rect.width());
    let response = ui.interact(rect, id, egui::Sense::hover());
    let elided = galley.elided;
    ui.painter().galley(egui::pos2(rect.left(), rect.center().y - galley.size().y / 2.0), galley, color);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    if elided { response.on_hover_ui(|ui| whole_ui(ui, text)) } else { response }
}

fn whole_ui(ui: &mut Ui, text: &str) {
    let color = palette(ui).text;
    ui.label(crate::ui::widgets::shown(hover(text)).font(theme::small_mono()).color(color));
}

/// The documents of all sides that are there.
fn ready<'a>(f: &Frame<'a>, tab: &'a Tab) -> Vec<(u64, &'a JsonMap, u64)> {
    let stand = |number| match f.app.stand(tab, number) {
        Stand::Ready { document, key } => Some((number, document, key)),
        _ => None,
    };
    tab.compare.numbers().into_iter().filter_map(stand).collect()
}
