//! The stream of the hub's events: newest first, filtered by identity and kind, one of them in detail beside the list.
//! Away from the top the rows stand still while newer ones come.

use super::describe::describe;
use super::press::{self, Arrows};
use super::theme::{self, palette};
use super::widgets::Tone;
use super::{Frame, Line, clear_of, json_colours, when, widgets};
use crate::app::events::{Absence, Chosen, Entry, EventsAct, Form, KINDS, Row, Stream, clock, word};
use crate::app::{Action, Events, HubState};
use crate::protocol::event::What;
use egui::accesskit::Role;
use egui::{Id, RichText, ScrollArea, Sense, Ui, Vec2, WidgetInfo};

/// Height of a row, as of those of the other lists of what happened.
const ROW: f32 = 20.0;
/// What is over sooner would only flicker.
const PATIENCE_MS: u64 = 150;
/// Below this width the details take the place of the list.
const NARROW: f32 = 480.0;

/// What the list remembers.
#[derive(Default)]
pub(super) struct EventsView {
    /// How far it is scrolled from the newest, in points.
    offset: f32,
    /// The newest row when it was last painted.
    newest: u64,
    /// A row to bring into view and to give the focus.
    reveal: Option<u64>,
    to_top: bool,
}

fn push(f: &mut Frame, act: EventsAct) {
    f.push(Action::Events(act));
}

pub(super) fn ui(f: &mut Frame, ui: &mut Ui) {
    let app = f.app;
    let events = &app.events;
    if !matches!(app.hub, HubState::Open(_)) {
        widgets::weak(ui, "No hub is open");
        return;
    }
    if let Stream::Absent(absence) = &events.stream {
        absent_ui(ui, *absence);
        return;
    }
    controls_ui(f, ui, events);
    trouble_ui(f, ui, events);
    match &events.chosen {
        Some(chosen) if ui.available_width() < NARROW => detail_ui(f, ui, chosen),
        Some(chosen) => {
            let width = ui.available_width();
            egui::Panel::right("event-details")
                .frame(egui::Frame::new().inner_margin(egui::Margin { left: 8, ..egui::Margin::ZERO }))
                .default_size(width * 0.42)
                .size_range(220.0..=(width * 0.7).max(221.0))
                .show(ui, |ui| detail_ui(f, ui, chosen));
            egui::CentralPanel::default().frame(clear_of(&[Line::Right])).show(ui, |ui| list_ui(f, ui, events));
        }
        None => list_ui(f, ui, events),
    }
}

fn absent_ui(ui: &mut Ui, absence: Absence) {
    let (head, why) = match absence {
        Absence::Azure => (
            "A hub in Azure has no event stream to show here",
            "It sends telemetry and events to its endpoint for Event Hubs, which speaks another protocol and takes another \
             key. The local hub shows here what happens on it",
        ),
        Absence::NotFound => (
            "This hub has no event stream",
            "It answered that it knows no such path. Hubs of this program have one, those of Azure send their events \
             through Event Hubs",
        ),
    };
    ui.add_space(4.0);
    widgets::heading(ui, head);
    let color = palette(ui).weak;
    ui.add(egui::Label::new(RichText::new(why).color(color)).wrap());
}

/// Filter, kinds, pause, and where the stream stands.
fn controls_ui(f: &mut Frame, ui: &mut Ui, events: &Events) {
    ui.horizontal(|ui| {
        ui.set_min_height(theme::ROW);
        ui.spacing_mut().item_spacing.x = 8.0;
        let id = Id::unique("filter-events");
        let (_, changed) =
            widgets::search_field(ui, id, "Filter events", &events.filter, "Filter by device or module", 190.0);
        if let Some(text) = changed {
            f.view.activity.events.to_top = true;
            push(f, EventsAct::Filter(text));
        }
        kinds_ui(f, ui, events);
        let (name, act) = if events.is_paused() { ("Resume", EventsAct::Resume) } else { ("Pause", EventsAct::Pause) };
        if ui.button(name).accessible_name(format!("{name} events")).clicked() {
            push(f, act);
        }
        if f.view.activity.events.offset > 0.5 && !events.is_empty() {
            let button = ui.button("Newest").accessible_name("Go to the newest event");
            if button.on_hover_text("Away from the top the rows stand still while newer ones come").clicked() {
                f.view.activity.events.to_top = true;
            }
        }
        let mut words = match &events.stream {
            Stream::Live => "live".to_owned(),
            Stream::Paused => "paused: nothing moves until you resume".to_owned(),
            Stream::Failing(_) => "trying again".to_owned(),
            Stream::Refused(_) => "stopped".to_owned(),
            Stream::Idle | Stream::Asked { .. } | Stream::Absent(_) => String::new(),
        };
        if events.is_filtered() {
            let shown = when::grouped(events.visible_len());
            words = format!("{words} · {shown} of {} fit the filter", when::grouped(events.len()));
        }
        let color = palette(ui).weak;
        ui.add(egui::Label::new(RichText::new(words).color(color)).truncate());
    });
}

fn kinds_ui(f: &mut Frame, ui: &mut Ui, events: &Events) {
    let shown = KINDS.len() - events.hidden.len();
    let text = if events.hidden.is_empty() { "All kinds".to_owned() } else { format!("{shown} of 7 kinds") };
    let config =
        egui::containers::menu::MenuConfig::new().close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    let (button, _) = egui::containers::menu::MenuButton::new(text.as_str()).config(config).ui(ui, |ui| {
        for (kind, name) in KINDS {
            let mut on = !events.hidden.contains(kind);
            if ui.checkbox(&mut on, name).changed() {
                f.view.activity.events.to_top = true;
                push(f, EventsAct::Toggle(kind));
            }
        }
    });
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Kinds of events, {text}")));
}

fn trouble_ui(f: &mut Frame, ui: &mut Ui, events: &Events) {
    match &events.stream {
        Stream::Failing(failure) => {
            let text = format!("{}; trying again", describe(failure).sentence);
            widgets::banner(ui, Tone::Warn, &text, |_| {});
        }
        Stream::Refused(failure) => widgets::failure_banner(ui, &describe(failure), |ui| {
            if ui.button("Try again").clicked() {
                push(f, EventsAct::TryAgain);
            }
        }),
        _ => {}
    }
}

fn list_ui(f: &mut Frame, ui: &mut Ui, events: &Events) {
    if events.visible_len() == 0 {
        empty_ui(f, ui, events);
        return;
    }
    walk(f, ui, events);
    ui.spacing_mut().item_spacing.y = 0.0;
    let view = &mut f.view.activity.events;
    let mut area = ScrollArea::vertical().id_salt("events").min_scrolled_height(16.0).auto_shrink(false);
    let newer = events.newer_than(view.newest);
    if let Some(place) = view.reveal.and_then(|seq| events.place(seq)) {
        let (top, room) = (height(place), ui.available_height());
        if top < view.offset {
            area = area.vertical_scroll_offset(top);
        } else if top + ROW > view.offset + room {
            area = area.vertical_scroll_offset(top + ROW - room);
        }
    } else if std::mem::take(&mut view.to_top) {
        area = area.vertical_scroll_offset(0.0);
    } else if view.offset > 0.5 && newer > 0 {
        area = area.vertical_scroll_offset(view.offset + height(newer));
    }
    view.newest = events.newest_seq();
    let mut reveal = view.reveal.take();
    let shown = area.show_rows(ui, ROW, events.visible_len(), |ui, range| {
        for n in range {
            let Some(row) = events.newest(n) else { continue };
            let Entry::Event(event) = &row.entry else {
                gap_ui(ui, row);
                continue;
            };
            let chosen = events.chosen.as_ref().is_some_and(|chosen| chosen.seq == row.seq);
            let response = row_ui(ui, row, event, chosen);
            if reveal.take_if(|seq| *seq == row.seq).is_some() {
                response.request_focus();
            }
            if response.clicked() {
                response.request_focus();
                push(f, EventsAct::Choose((!chosen).then_some(row.seq)));
            }
        }
    });
    f.view.activity.events.offset = shown.state.clamped_offset().y;
}

#[allow(clippy::cast_precision_loss)] // There are at most some thousand rows.
fn height(rows: usize) -> f32 {
    rows as f32 * ROW
}

fn empty_ui(f: &mut Frame, ui: &mut Ui, events: &Events) {
    if !events.is_empty() {
        ui.horizontal(|ui| {
            widgets::weak(ui, "No event fits the filter");
            if ui.button("Show all events").clicked() {
                f.view.activity.events.to_top = true;
                push(f, EventsAct::ShowAll);
            }
        });
        return;
    }
    match &events.stream {
        Stream::Asked { since } => {
            let ms = f.app.now.ms.saturating_sub(since.ms);
            if ms >= PATIENCE_MS {
                widgets::weak(ui, "Asking the hub for its events");
            } else {
                ui.ctx().request_repaint_after(std::time::Duration::from_millis(PATIENCE_MS - ms));
            }
        }
        Stream::Live => {
            widgets::weak(
                ui,
                "No events yet: telemetry, twin changes, connections and method calls show here as they happen",
            );
        }
        Stream::Paused => {
            widgets::weak(ui, "Paused: what happens meanwhile is fetched when you resume");
        }
        _ => {}
    }
}

/// Arrow keys on the row that is chosen.
fn walk(f: &mut Frame, ui: &mut Ui, events: &Events) {
    let Some(chosen) = &events.chosen else { return };
    let Some(place) = events.place(chosen.seq) else { return };
    let id = row_id(chosen.seq);
    if !ui.memory(|m| m.has_focus(id)) {
        return;
    }
    press::hold(ui, id, Arrows::Vertical);
    let count = events.visible_len();
    // Over gaps, which cannot be chosen: to the next event behind the gap, or else the last one before it.
    let event = |n: &usize| events.newest(*n).is_some_and(|row| matches!(row.entry, Entry::Event(_)));
    let target = press::step(ui, place, count).and_then(|to| {
        if to > place {
            (to..count).find(event).or_else(|| (place + 1..to).rev().find(event))
        } else {
            (0..=to).rev().find(event).or_else(|| (to..place).find(event))
        }
    });
    if let Some(row) = target.and_then(|n| events.newest(n)) {
        f.view.activity.events.reveal = Some(row.seq);
        push(f, EventsAct::Choose(Some(row.seq)));
    }
}

fn row_id(seq: u64) -> Id {
    Id::unique(("event", seq))
}

fn row_ui(ui: &mut Ui, row: &Row, event: &crate::protocol::event::HubEvent, chosen: bool) -> egui::Response {
    let p = palette(ui);
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), ROW), Sense::hover());
    let response = ui.interact(rect, row_id(row.seq), Sense::click());
    if chosen {
        ui.painter().rect_filled(rect, 4.0, p.chosen);
    } else if response.hovered() {
        ui.painter().rect_filled(rect, 4.0, p.hover);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, 4.0, egui::Stroke::new(1.0, p.accent), egui::StrokeKind::Inside);
    }
    let word = word(&event.what);
    let color = match &event.what {
        What::Telemetry { .. }
        | What::Twin { reported: Some(_), .. }
        | What::Method { outcome: Ok(_), .. }
        | What::Connected => p.good,
        What::Twin { .. } | What::Message { .. } | What::Job { .. } | What::Created => p.accent,
        What::Method { outcome: Err(_), .. } | What::Deleted => p.bad,
        What::Disconnected => p.warn,
    };
    // The id gives way first: its end tells least where there is little room.
    let id_width = (rect.width() * 0.26).clamp(96.0, 200.0);
    let cells = [
        (96.0, clock(&event.time), p.weak),
        (96.0, word, color),
        (id_width, &event.id.to_string(), p.text),
        (f32::INFINITY, row.line.as_str(), p.text),
    ];
    let mut left = rect.left() + 4.0;
    for (width, text, color) in cells {
        let width = width.min(rect.right() - 4.0 - left).max(0.0);
        let galley = widgets::clipped(ui, text, theme::small_mono(), color, (width - 8.0).max(0.0));
        ui.painter().galley(egui::pos2(left, rect.center().y - galley.size().y / 2.0), galley, color);
        left += width;
    }
    let name = match row.line.as_str() {
        "" => format!("{word}, {}", event.id),
        line => format!("{word}, {}, {line}", event.id),
    };
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &name));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_selected(chosen));
    response
}

/// What is missing between two rows.
fn gap_ui(ui: &mut Ui, row: &Row) {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), ROW), Sense::hover());
    ui.painter().rect_filled(rect, 0.0, p.warn_back);
    let galley = widgets::clipped(ui, &row.line, theme::small(), p.warn, rect.width() - 16.0);
    ui.painter().galley(egui::pos2(rect.left() + 8.0, rect.center().y - galley.size().y / 2.0), galley, p.warn);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &row.line));
}

fn detail_ui(f: &mut Frame, ui: &mut Ui, chosen: &Chosen) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if widgets::sign(ui, "Close the event", |painter, rect, p| {
                super::icons::cross(painter, rect, p.weak);
            })
            .clicked()
            {
                push(f, EventsAct::Choose(None));
            }
            if widgets::quiet(ui, "Copy JSON")
                .accessible_name("Copy event")
                .on_hover_text("The whole event as JSON")
                .clicked()
            {
                ui.ctx().copy_text(chosen.json.clone());
            }
            let payload = chosen.form != Form::None;
            if payload
                && widgets::quiet(ui, "Copy")
                    .accessible_name("Copy payload")
                    .on_hover_text("The payload as shown")
                    .clicked()
            {
                ui.ctx().copy_text(chosen.payload.clone());
            }
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                let title = egui::Label::new(widgets::shown(&chosen.title).font(theme::strong())).truncate();
                ui.add(title);
            });
        });
    });
    let area = ScrollArea::both().id_salt(("event-detail", chosen.seq)).min_scrolled_height(16.0).auto_shrink(false);
    area.show(ui, |ui| {
        if chosen.form != Form::None {
            payload_ui(ui, chosen);
            ui.add_space(4.0);
        }
        facts_ui(ui, chosen);
    });
}

fn payload_ui(ui: &mut Ui, chosen: &Chosen) {
    let layout = |ui: &Ui, text: &str| {
        let (font, p) = (theme::small_mono(), palette(ui));
        if chosen.form == Form::Json {
            json_colours::job(text, &font, p)
        } else {
            egui::text::LayoutJob::simple(text.to_owned(), font, p.text, f32::INFINITY)
        }
    };
    let id = Id::unique(("event-payload", chosen.seq));
    super::field::with_layout(ui, &mut chosen.payload.as_str(), id, layout, |edit| {
        edit.frame(egui::Frame::new()).desired_rows(1).desired_width(f32::INFINITY)
    });
    ui.ctx().accesskit_node_builder(id, |node| {
        node.set_label("Event payload");
        node.set_value(chosen.payload.as_str());
        node.set_read_only();
    });
}

/// Name and value by line; each can be selected.
fn facts_ui(ui: &mut Ui, chosen: &Chosen) {
    egui::Grid::new(("event-facts", chosen.seq)).num_columns(2).spacing([12.0, 0.0]).min_row_height(18.0).show(
        ui,
        |ui| {
            let p = palette(ui);
            for (name, value) in &chosen.facts {
                ui.label(RichText::new(name).font(theme::small()).color(p.weak));
                let text = widgets::shown(value).font(theme::small_mono()).color(p.text);
                ui.add(egui::Label::new(text).selectable(true).extend());
                ui.end_row();
            }
        },
    );
}
