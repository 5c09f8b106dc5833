//! The panel on the left: devices, and under them their modules; or a query.

use super::describe::describe;
use super::icons::{self, Dot};
use super::press::{self, Arrows};
use super::theme::{self, palette};
use super::{Frame, query, rows, when, widgets};
use crate::app::fleet::{Fleet, Row};
use crate::app::{Action, HubState, Moment, Remote};
use crate::twin::{ConnectionState, Status, TwinId};
use crate::worker::event::DeviceRow;
use egui::accesskit::Role;
use egui::{Id, Key, Modifiers, Rect, ScrollArea, Sense, Ui, Vec2, WidgetInfo};

/// What the panel remembers.
#[derive(Default)]
pub(super) struct FleetView {
    query: bool,
    /// The row the arrow keys stand on, as an index into the visible rows.
    cursor: usize,
    /// Its row, which stays the one while rows come and go above it.
    on: Option<Id>,
    /// What the list was last filtered by, and of which hub it was: another list is shown from its top.
    of: Option<(Option<Id>, String)>,
    /// Bring the cursor's row into view in the next frame, and give it the focus.
    reveal: bool,
    /// When the list was last complete.
    loaded: Option<Moment>,
}

pub(super) const FILTER: &str = "fleet-filter";

pub(super) fn ui(f: &mut Frame, ui: &mut Ui) {
    if f.view.layout.fleet_hidden {
        return;
    }
    let widest = (ui.available_width() * 0.4).max(200.0);
    let usual = f.app.settings.layout.fleet_width.unwrap_or(264.0);
    let shown = egui::Panel::left("fleet")
        .resizable(true)
        .default_size(usual.min(widest))
        .size_range(180.0..=widest.min(560.0))
        .frame(egui::Frame::new().fill(palette(ui).panel).inner_margin(egui::Margin::symmetric(8, 8)))
        .show(ui, |ui| {
            filter_ui(f, ui);
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 0.0;
                for (query, name) in [(false, "Devices"), (true, "Query")] {
                    if widgets::tab(ui, f.view.fleet.query == query, name).clicked() {
                        f.view.fleet.query = query;
                    }
                }
            });
            if f.view.fleet.query {
                query::ui(f, ui);
            } else {
                egui::Panel::bottom("fleet-count")
                    .frame(egui::Frame::new().inner_margin(egui::Margin { top: 4, ..egui::Margin::ZERO }))
                    .resizable(false)
                    .show(ui, |ui| count_ui(f, ui));
                list_ui(f, ui);
            }
        });
    super::keep_size(ui, "fleet", &mut f.view.layout.fleet_width, shown.response.rect.width());
}

fn filter_ui(f: &mut Frame, ui: &mut Ui) {
    let id = Id::unique(FILTER);
    f.view.panes.fleet = Some(id);
    let app = f.app;
    // Down leaves the field for the list; must be taken before the field sees it.
    let down = ui.memory(|m| m.has_focus(id)) && ui.input_mut(|i| press::take(i, Modifiers::NONE, Key::ArrowDown));
    let width = ui.available_width();
    let (response, changed) =
        widgets::search_field(ui, id, "Search devices", &app.fleet.filter, "Search devices", width);
    if let Some(text) = changed {
        f.view.fleet.query = false;
        f.push(Action::Filter(text));
    }
    let enter = press::entered(ui, &response);
    if (down || enter) && !app.fleet.visible.is_empty() {
        (f.view.fleet.cursor, f.view.fleet.on) = (0, None);
        f.view.fleet.reveal = true;
        ui.ctx().request_repaint();
    }
}

/// Loading that takes less long is not spoken of.
const PATIENCE_MS: u64 = 1000;

fn count_ui(f: &mut Frame, ui: &mut Ui) {
    let fleet = &f.app.fleet;
    let shown = if fleet.filter.is_empty() {
        when::count(fleet.devices.len(), "device")
    } else {
        format!("{} of {}", when::grouped(fleet.matching), when::count(fleet.devices.len(), "device"))
    };
    // The list is read again every few seconds; a word that comes and goes with each reading would only flicker.
    let slow = |since: Moment| f.app.now.ms.saturating_sub(since.ms) >= PATIENCE_MS;
    let loading = matches!(&fleet.state, Remote::Loading { since, .. } if slow(*since));
    if let Remote::Ready { at, .. } = &fleet.state {
        f.view.fleet.loaded = Some(*at);
    }
    let state = match (&fleet.state, f.view.fleet.loaded) {
        (Remote::Idle, _) => String::new(),
        (_, Some(at)) if f.app.is_offline() => format!(" · as of {}", when::ago(ui.ctx(), f.app.now, at)),
        (Remote::Loading { .. }, Some(at)) if !loading => {
            ui.ctx().request_repaint_after(std::time::Duration::from_millis(PATIENCE_MS));
            format!(" · loaded {}", when::ago(ui.ctx(), f.app.now, at))
        }
        (Remote::Loading { key, .. }, _) => match super::waiting::words(f, ui.ctx(), *key) {
            Some(waits) => format!(" · {waits}"),
            None => " · loading".to_owned(),
        },
        (Remote::Ready { at, .. }, _) => format!(" · loaded {}", when::ago(ui.ctx(), f.app.now, *at)),
        (Remote::Failed { at, .. }, _) => format!(" · failed {}", when::ago(ui.ctx(), f.app.now, *at)),
    };
    let words = format!("{shown}{state}");
    ui.horizontal(|ui| {
        ui.style_mut().override_text_style = Some(egui::TextStyle::Small);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            let open = matches!(f.app.hub, HubState::Open(_));
            // There while it loads too: whatever comes and goes here moves *Add* away under the pointer.
            if open && widgets::quiet(ui, "Reload").accessible_name("Reload devices").clicked() {
                f.push(Action::RefreshFleet);
            }
            if open && widgets::quiet(ui, "Add").accessible_name("Add device…").on_hover_text("Add device…").clicked()
            {
                f.push(Action::ShowAddDevice);
            }
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                let text = egui::RichText::new(&words).color(palette(ui).weak);
                ui.add(egui::Label::new(text).truncate()).on_hover_text(&words);
            });
        });
    });
}

fn list_ui(f: &mut Frame, ui: &mut Ui) {
    let app = f.app;
    if app.fleet.visible.is_empty() {
        empty_ui(f, ui);
        return;
    }
    if let Some(failure) = app.fleet.failure() {
        let said = describe(failure);
        widgets::failure_banner(ui, &said, |ui| {
            if ui.button("Try again").clicked() {
                f.push(Action::RefreshFleet);
            }
        });
    }
    let mut area = ScrollArea::vertical().id_salt("fleet-rows").min_scrolled_height(16.0).auto_shrink(false);
    let of = Some((f.view.open.0, app.fleet.filter.clone()));
    if f.view.fleet.of != of {
        f.view.fleet.of = of;
        (f.view.fleet.cursor, f.view.fleet.on) = (0, None);
        area = area.vertical_scroll_offset(0.0);
    }
    walk(f, ui);
    let rows = app.fleet.visible.len();
    ui.spacing_mut().item_spacing.y = 0.0;
    let builder = egui::UiBuilder::new().accessibility_role(Role::List).accessibility_label("Devices");
    ui.scope_builder(builder, |ui| {
        area.show_rows(ui, theme::ROW, rows, |ui, range| {
            let left_top = ui.max_rect().left_top();
            let width = ui.available_width();
            let place = |n: usize| {
                #[allow(clippy::cast_precision_loss)]
                // Rows on screen are few; beyond 16 million points nobody scrolls.
                let y = (n as f32 - range.start as f32) * theme::ROW;
                Rect::from_min_size(left_top + Vec2::new(0.0, y), Vec2::new(width, theme::ROW))
            };
            for n in range.clone() {
                row_ui(f, ui, n, place(n));
            }
            let cursor = f.view.fleet.cursor;
            // The row with the focus is there even when scrolled away, or the focus would be lost.
            if !range.contains(&cursor) && ui.memory(|m| m.has_focus(row_id(&app.fleet, cursor))) {
                row_ui(f, ui, cursor, place(cursor));
            }
            if std::mem::take(&mut f.view.fleet.reveal) {
                ui.scroll_to_rect(place(cursor), None);
                let id = row_id(&app.fleet, cursor);
                if !range.contains(&cursor) {
                    row_ui(f, ui, cursor, place(cursor));
                }
                ui.memory_mut(|m| m.request_focus(id));
            }
        });
    });
}

/// Arrow keys on a row that has the focus.
fn walk(f: &mut Frame, ui: &mut Ui) {
    let app = f.app;
    let count = app.fleet.visible.len();
    let view = &mut f.view.fleet;
    rows::follow(&mut view.cursor, &mut view.on, count, |n| row_id(&app.fleet, n));
    let cursor = view.cursor;
    let id = row_id(&app.fleet, cursor);
    if !ui.memory(|m| m.has_focus(id)) {
        return;
    }
    press::hold(ui, id, Arrows::Both);
    let pressed = |key: Key| ui.input_mut(|i| press::take(i, Modifiers::NONE, key));
    let target = if let Some(target) = press::step(ui, cursor, count) {
        Some(target)
    } else if pressed(Key::ArrowRight) {
        unfold(f, cursor, true)
    } else if pressed(Key::ArrowLeft) {
        unfold(f, cursor, false)
    } else {
        None
    };
    if let Some(target) = target {
        f.view.fleet.cursor = target;
        f.view.fleet.on = Some(row_id(&app.fleet, target));
        f.view.fleet.reveal = true;
    }
}

/// Right opens a device's modules, left closes them or goes to the device they belong to.
fn unfold(f: &mut Frame, cursor: usize, open: bool) -> Option<usize> {
    let fleet = &f.app.fleet;
    match fleet.visible[cursor] {
        Row::Device(n) => {
            let device = fleet.devices[n].id.clone();
            if fleet.expanded.contains(&device) != open {
                f.push(Action::Expand { device, open });
            } else if open {
                return Some((cursor + 1).min(fleet.visible.len() - 1));
            }
            None
        }
        Row::Module(..) | Row::Note(_) if !open => {
            fleet.visible[..cursor].iter().rposition(|row| matches!(row, Row::Device(_)))
        }
        _ => None,
    }
}

fn row_id(fleet: &Fleet, index: usize) -> Id {
    match fleet.visible.get(index) {
        Some(Row::Device(n)) => Id::unique(("fleet-row", fleet.devices[*n].id.as_str())),
        Some(Row::Module(d, m)) => {
            let device = &fleet.devices[*d].id;
            let module = fleet.modules_of(device).and_then(|list| list.get(*m)).map(|row| row.id.module.as_deref());
            Id::unique(("fleet-row", device.as_str(), module))
        }
        Some(Row::Note(n)) => Id::unique(("fleet-note", fleet.devices[*n].id.as_str())),
        None => Id::unique("fleet-row-none"),
    }
}

fn row_ui(f: &mut Frame, ui: &mut Ui, index: usize, rect: Rect) {
    let fleet = &f.app.fleet;
    match fleet.visible.get(index) {
        Some(Row::Device(n)) => device_ui(f, ui, index, rect, &fleet.devices[*n]),
        Some(Row::Module(d, m)) => {
            let module = fleet.modules_of(&fleet.devices[*d].id).and_then(|list| list.get(*m));
            if let Some(module) = module {
                let (dot, word) = connection(module.connection_state, f.app.is_offline());
                let short = module.id.module.clone().unwrap_or_default();
                let line = Line { id: &module.id, text: &short, indent: 36.0, dot, words: word.to_owned() };
                line_ui(f, ui, index, rect, &line);
            }
        }
        Some(Row::Note(n)) => note_ui(f, ui, rect, &fleet.devices[*n].id),
        None => {}
    }
}

/// Of a hub that does not answer, as it was when it last did.
fn connection(state: ConnectionState, offline: bool) -> (Dot, &'static str) {
    match (state, offline) {
        (ConnectionState::Connected, false) => (Dot::Filled, "connected"),
        (ConnectionState::Disconnected, false) => (Dot::Hollow, "disconnected"),
        (ConnectionState::Connected, true) => (Dot::Past, "was connected"),
        (ConnectionState::Disconnected, true) => (Dot::Hollow, "was disconnected"),
    }
}

fn device_ui(f: &mut Frame, ui: &mut Ui, index: usize, rect: Rect, device: &DeviceRow) {
    let (dot, word) = match device.status {
        Status::Disabled => (Dot::Half, "disabled"),
        Status::Enabled => connection(device.connection_state, f.app.is_offline()),
    };
    let id = TwinId::device(device.id.clone());
    let modules = f.app.fleet.modules_of(&device.id).map(<[_]>::len).or(device.modules);
    let mut words = word.to_owned();
    if let Some(n) = modules {
        words = format!("{words}, {}", when::count(n, "module"));
    }
    if device.iot_edge {
        words.push_str(", edge");
    }
    line_ui(f, ui, index, rect, &Line { id: &id, text: &device.id, indent: 20.0, dot, words });
    let open = f.app.fleet.expanded.contains(&device.id);
    if modules != Some(0) || open {
        arrow_ui(f, ui, index, rect, device, open);
    }
}

/// The arrow keys go on from this row.
fn stand(f: &mut Frame, ui: &Ui, index: usize) {
    let id = row_id(&f.app.fleet, index);
    f.view.fleet.cursor = index;
    f.view.fleet.on = Some(id);
    ui.memory_mut(|m| m.request_focus(id));
}

fn arrow_ui(f: &mut Frame, ui: &mut Ui, index: usize, rect: Rect, device: &DeviceRow, open: bool) {
    let place = Rect::from_min_size(rect.min, Vec2::new(20.0, rect.height()));
    let id = Id::unique(("fleet-arrow", device.id.as_str()));
    let response = ui.interact(place, id, Sense::CLICK);
    let p = palette(ui);
    let color = if response.hovered() { p.text } else { p.weak };
    icons::arrow(ui.painter(), place.center(), open, color);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Modules of {}", device.id)));
    ui.ctx().accesskit_node_builder(id, |node| node.set_expanded(open));
    if response.clicked() {
        stand(f, ui, index);
        f.push(Action::Expand { device: device.id.clone(), open: !open });
    }
}

/// One selectable line of the list.
struct Line<'a> {
    id: &'a TwinId,
    text: &'a str,
    indent: f32,
    dot: Dot,
    words: String,
}

fn line_ui(f: &mut Frame, ui: &mut Ui, index: usize, rect: Rect, line: &Line) {
    let id = row_id(&f.app.fleet, index);
    // One row of the list takes part in Tab; the arrows move between rows.
    let sense = if index == f.view.fleet.cursor { Sense::click() } else { Sense::CLICK };
    let response = ui.interact(rect, id, sense);
    let chosen = f.app.active_tab().is_some_and(|tab| tab.id == *line.id);
    let p = palette(ui);
    let fill = if chosen {
        Some(p.chosen)
    } else if response.hovered() {
        Some(p.hover)
    } else {
        None
    };
    if let Some(fill) = fill {
        ui.painter().rect_filled(rect, 4.0, fill);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect.shrink(1.0), 4.0, egui::Stroke::new(1.0, p.accent), egui::StrokeKind::Inside);
    }
    let color = if line.dot == Dot::Half { p.weak } else { p.text };
    let left = rect.left() + line.indent + 2.0;
    let galley = widgets::clipped(ui, line.text, theme::body(), color, rect.right() - 22.0 - left);
    let elided = galley.elided;
    ui.painter().galley(egui::pos2(left, rect.center().y - galley.size().y / 2.0), galley, color);
    icons::dot(ui.painter(), egui::pos2(rect.right() - 10.0, rect.center().y), line.dot, p);
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, format!("{}, {}", line.id, line.words)));
    ui.ctx().accesskit_node_builder(id, |node| node.set_selected(chosen));
    if response.clicked() {
        stand(f, ui, index);
        f.push(Action::OpenTwin(line.id.clone()));
    }
    let hover = if elided { format!("{}: {}", line.id, line.words) } else { line.words.clone() };
    response.on_hover_text(widgets::shown(&hover));
}

/// The line under an open device whose modules are not there.
fn note_ui(f: &mut Frame, ui: &mut Ui, rect: Rect, device: &str) {
    let (text, retry) = match f.app.fleet.modules.get(device) {
        Some(Remote::Failed { failure, .. }) => (describe(failure).sentence, true),
        Some(Remote::Ready { .. }) => ("No modules".to_owned(), false),
        _ => ("Loading modules".to_owned(), false),
    };
    let p = palette(ui);
    let mut child = ui.new_child(
        egui::UiBuilder::new()
            .max_rect(rect.with_min_x(rect.left() + 38.0))
            .layout(egui::Layout::left_to_right(egui::Align::Center)),
    );
    let color = if retry { p.bad } else { p.weak };
    child.add(egui::Label::new(egui::RichText::new(text).color(color).font(theme::small())).truncate());
    if retry && child.small_button("Try again").clicked() {
        f.push(Action::Expand { device: device.to_owned(), open: true });
    }
}

/// No rows: loading, empty, failed, offline, or filtered away; each with a reason and a next step.
fn empty_ui(f: &mut Frame, ui: &mut Ui) {
    let app = f.app;
    let fleet = &app.fleet;
    match &app.hub {
        HubState::Starting => {
            widgets::empty(ui, "Starting the local hub", "Its fleet appears here in a moment", |_| {});
            return;
        }
        HubState::Opening { since, .. } => {
            widgets::spinner(ui, app.now, *since, "Connecting");
            return;
        }
        HubState::Failed { failure, hub } => {
            let said = describe(failure);
            let hub = hub.clone();
            widgets::empty(ui, "The hub cannot be opened", &said.sentence, |ui| {
                if let Some(advice) = &said.advice {
                    widgets::weak(ui, super::describe::sentence(advice));
                }
                if ui.button("Try again").clicked() {
                    f.push(Action::OpenHub(hub));
                }
                super::connections::paste_key_ui(f, ui, failure);
                if ui.button("Connections…").clicked() {
                    f.push(Action::ShowConnections);
                }
                widgets::copy_details(ui, &said.detail);
            });
            return;
        }
        HubState::Open(_) => {}
    }
    if let Remote::Loading { since, previous: None, key } = &fleet.state {
        let waits = super::waiting::words(f, ui.ctx(), *key);
        widgets::spinner(ui, app.now, *since, waits.as_deref().unwrap_or("Loading devices"));
    } else if let Some(failure) = fleet.failure() {
        let said = describe(failure);
        widgets::empty(ui, "The devices could not be loaded", &said.sentence, |ui| {
            if let Some(advice) = &said.advice {
                widgets::weak(ui, super::describe::sentence(advice));
            }
            if ui.button("Try again").clicked() {
                f.push(Action::RefreshFleet);
            }
            widgets::copy_details(ui, &said.detail);
        });
    } else if fleet.filter.is_empty() {
        widgets::empty(ui, "No devices", "This hub has none yet", |ui| {
            if ui.button("Add a device…").clicked() {
                f.push(Action::ShowAddDevice);
            }
        });
    } else {
        let why = format!("None of {} has {:?} in its id", when::count(fleet.devices.len(), "device"), fleet.filter);
        widgets::empty(ui, "Nothing matches", &why, |ui| {
            if ui.button("Clear the search").clicked() {
                f.push(Action::Filter(String::new()));
            }
        });
    }
}
