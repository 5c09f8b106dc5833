//! The list of versions, newest first, with what was not seen between them, and the keys that walk it.

use super::super::press::{self, Arrows};
use super::super::theme::{self, palette};
use super::super::widgets::{self, Tone};
use super::super::{Frame, when};
use super::push;
use crate::app::Tab;
use crate::app::history::HistoryAct;
use crate::disk::journal::{Changed, Entry, EntryKey, Seen, Timeline};
use egui::accesskit::Role;
use egui::{Id, Rect, ScrollArea, Sense, Ui, Vec2, WidgetInfo};

/// Height of a version in the list: two lines.
const ROW: f32 = 40.0;
/// Height of what is said between two versions.
const GAP: f32 = 20.0;

/// What stands between a version and the one before it.
fn gap_words(entry: &Entry) -> Option<String> {
    match entry.unseen {
        Some(0) => None,
        Some(1) => Some("1 version not seen".to_owned()),
        Some(n) => Some(format!("{} versions not seen", when::grouped(usize::try_from(n).unwrap_or(usize::MAX)))),
        None => Some("deleted and made again".to_owned()),
    }
}

pub(super) fn ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, timeline: &Timeline) {
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

/// The same where there is little room.
fn short_source(seen: Seen) -> &'static str {
    match seen {
        Seen::Watch => "watched",
        Seen::Found => "found",
        Seen::Event => "by event",
        Seen::Load | Seen::Save | Seen::Discarded => source(seen),
    }
}

/// By what way a version was seen.
pub(super) fn source(seen: Seen) -> &'static str {
    match seen {
        Seen::Load => "loaded",
        Seen::Save => "saved here",
        Seen::Found => "found after a lost answer",
        Seen::Watch => "seen by the watch",
        Seen::Event => "told by an event",
        Seen::Discarded => "discarded here",
    }
}

/// What an entry is called.
pub(super) fn title(entry: &Entry) -> String {
    if entry.is_discarded() {
        format!("Discarded draft of version {}", entry.version)
    } else {
        format!("Version {}", entry.version)
    }
}

fn changed_words(entry: &Entry) -> String {
    match entry.changed {
        None if entry.is_discarded() => "does not parse".to_owned(),
        None => "first one seen".to_owned(),
        Some(changed) => match Changed::total(changed) {
            0 => "nothing changed".to_owned(),
            n => format!("{} changed", when::count(n, "path")),
        },
    }
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
    let title = title(entry);
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
    // Of which version it is said where there is room for it.
    let shown = if entry.is_discarded() { "Discarded draft" } else { &title };
    paint(shown, theme::strong(), p.text, inner.min, inner.width() - time_width);
    let color = match entry.seen {
        Seen::Save => p.good,
        Seen::Discarded => p.warn,
        Seen::Load | Seen::Found | Seen::Watch | Seen::Event => p.weak,
    };
    let second = egui::pos2(inner.left(), inner.top() + 18.0);
    let taken = paint(short_source(entry.seen), theme::small(), color, second, inner.width());
    let counted = format!(" · {}", changed_words(entry));
    paint(&counted, theme::small(), p.weak, second + Vec2::new(taken, 0.0), inner.width() - taken);
    let name = format!("{title}, {}, {}, {stamp} UTC", source(entry.seen), changed_words(entry));
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
    press::hold(ui, here, Arrows::Vertical);
    let count = timeline.entries.len();
    // The newest is the last entry and stands on top.
    let target = press::step(ui, count - 1 - place, count).map(|from_top| count - 1 - from_top);
    if let Some(entry) = target.filter(|at| *at != place).and_then(|at| timeline.entries.get(at)) {
        f.view.history.reveal = Some(entry.key());
        push(f, tab, HistoryAct::Choose(entry.key()));
    }
}
