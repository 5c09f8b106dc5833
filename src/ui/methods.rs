//! Direct methods: the call, its payload, the answer, and the calls made before.

use super::describe::describe;
use super::find::Find;
use super::theme::{self, palette};
use super::{Frame, Line, clear_of, editor, reader, when, widgets};
use crate::app::methods::{CallField, Made, Methods};
use crate::app::{Action, Tab};
use crate::worker::Failure;
use egui::accesskit::Role;
use egui::{ScrollArea, Sense, Ui, Vec2, WidgetInfo};

/// What is over sooner would only flicker.
const PATIENCE_MS: u64 = 150;

/// Where there is less room than this, in points, all of it scrolls.
const LOW: f32 = 200.0;

pub(super) fn ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let margin = egui::Frame::new().inner_margin(egui::Margin { left: 12, right: 12, top: 8, bottom: 4 });
    if ui.available_height() < LOW {
        ScrollArea::vertical().id_salt("methods").auto_shrink(false).show(ui, |ui| {
            margin.show(ui, |ui| call_ui(f, ui, tab));
            let size = Vec2::new(ui.available_width(), 96.0);
            ui.allocate_ui(size, |ui| payload_ui(f, ui, tab));
            ui.allocate_ui(size, |ui| answer_ui(f, ui, tab));
        });
        return;
    }
    egui::Panel::top("method-call").frame(margin).resizable(false).show(ui, |ui| call_ui(f, ui, tab));
    made_ui(f, ui, tab);
    if f.view.narrow {
        let half = (ui.available_height() / 2.0).max(48.0);
        egui::Panel::top("method-payload").frame(egui::Frame::new()).resizable(false).exact_size(half).show(ui, |ui| {
            payload_ui(f, ui, tab);
        });
    } else {
        let width = ui.available_width();
        egui::Panel::left("method-payload")
            .frame(clear_of(&[Line::Right, Line::Below]))
            .default_size(width / 2.0)
            .size_range(120.0..=(width - 120.0).max(121.0))
            .show(ui, |ui| payload_ui(f, ui, tab));
    }
    egui::CentralPanel::default().frame(clear_of(&[Line::Left, Line::Below])).show(ui, |ui| answer_ui(f, ui, tab));
}

fn call_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let (methods, id) = (&tab.methods, &tab.id);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::new(6.0, 4.0);
        let typed = &methods.typed;
        let width = if f.view.narrow { 120.0 } else { 176.0 };
        field_ui(f, ui, tab, (CallField::Name, "Method name", &typed.name, width));
        widgets::weak(ui, "answer in");
        let (which, name) = (CallField::ResponseTimeout, "Response timeout in seconds");
        field_ui(f, ui, tab, (which, name, &typed.response_timeout, 32.0))
            .on_hover_text("Seconds the device may take, 5 to 300");
        widgets::weak(ui, "s · connect in");
        let (which, name) = (CallField::ConnectTimeout, "Connect timeout in seconds");
        field_ui(f, ui, tab, (which, name, &typed.connect_timeout, 32.0)).on_hover_text(
            "Seconds to wait for a device that is not connected; 0 to 300, and no more than it may take",
        );
        widgets::weak(ui, "s");
        let off = match (&methods.running, &methods.call) {
            (Some(_), _) => Some("A call is under way"),
            (None, Err(why)) => Some(why.as_str()),
            (None, Ok(_)) => None,
        };
        let key = ui.ctx().format_shortcut(&super::keys::SEND);
        if widgets::primary(ui, "Call method", off).on_hover_text(key).clicked() {
            f.push(Action::CallMethod(id.clone()));
        }
    });
    ui.horizontal(|ui| {
        // Always a line, so that nothing below it jumps.
        ui.set_min_height(theme::ROW);
        let p = palette(ui);
        let (words, color) = match (&methods.running, &methods.call) {
            (Some(running), _) => {
                widgets::spinner(ui, f.app.now, running.since, "Waiting for the answer");
                if f.app.now.ms.saturating_sub(running.since.ms) >= PATIENCE_MS && ui.button("Cancel").clicked() {
                    f.push(Action::Cancel(running.key));
                }
                return;
            }
            (None, Err(why)) if !methods.typed.name.is_empty() => (super::describe::sentence(why), p.bad),
            _ => ("Goes to the device at once, or not at all: calls are not queued".to_owned(), p.weak),
        };
        ui.add(egui::Label::new(crate::ui::widgets::shown(words).color(color)).truncate());
    });
}

/// One field of the call: which, its name, its text, its width.
fn field_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, field: (CallField, &str, &str, f32)) -> egui::Response {
    let (field, name, text, width) = field;
    let hint = if field == CallField::Name { name } else { "" };
    let field_id = super::ids::of_twin((name, tab.id.to_string()));
    let (response, changed) = widgets::field(ui, field_id, name, text, hint, width);
    if let Some(text) = changed {
        f.push(Action::EditCall { id: tab.id.clone(), field, text });
    }
    response
}

fn payload_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let methods = &tab.methods;
    head_ui(ui, |ui| {
        widgets::weak(ui, "Payload: any JSON; left empty it is null");
    });
    let id = super::ids::of_twin(("payload", tab.id.to_string()));
    f.view.panes.editor = Some(id);
    let sheet = editor::Sheet {
        id,
        name: "Payload JSON",
        text: &methods.typed.payload,
        problems: &methods.payload_problems,
        marks: &[],
        elsewhere: editor::Elsewhere::Mine,
    };
    if let Some(text) = f.view.editor.ui(ui, &sheet) {
        f.push(Action::EditCall { id: tab.id.clone(), field: CallField::Payload, text });
    }
}

/// The line above a text.
fn head_ui(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 2)).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = Vec2::new(8.0, 0.0);
            ui.set_min_height(20.0);
            contents(ui);
        });
    });
}

fn answer_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let Some(made) = tab.methods.shown() else {
        head_ui(ui, |ui| {
            widgets::weak(ui, "The answer appears here");
        });
        return;
    };
    let age = when::ago(ui.ctx(), f.app.now, made.at);
    match &made.outcome {
        Ok(answer) => {
            head_ui(ui, |ui| {
                let p = palette(ui);
                // The device's own word, which need not mean what HTTP means by it.
                let color = if (200..300).contains(&answer.status) { p.good } else { p.warn };
                ui.label(
                    crate::ui::widgets::shown(format!("Status {}", answer.status)).font(theme::strong()).color(color),
                );
                widgets::weak(ui, format!("{} answered in {} ms, {age}", made.typed.name, made.ms));
            });
            let id = super::ids::of_twin(("answer", tab.id.to_string()));
            let key = reader::Key { version: made.number, text: &made.answer_text };
            reader::ui(&mut f.view.reader, &mut Find::default(), ui, id, "Answer JSON", key);
        }
        Err(failure) => failed_ui(ui, made, failure, &age),
    }
}

fn failed_ui(ui: &mut Ui, made: &Made, failure: &Failure, age: &str) {
    let said = describe(failure);
    ScrollArea::vertical().id_salt("method-failure").auto_shrink(false).show(ui, |ui| {
        egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 4)).show(ui, |ui| {
            let color = palette(ui).bad;
            widgets::selectable(ui, crate::ui::widgets::shown(&said.sentence).font(theme::strong()).color(color));
            widgets::weak(ui, format!("{}, after {} ms, {age}", made.typed.name, made.ms));
            if let Some(advice) = said.advice.as_deref().filter(|_| *failure != Failure::Cancelled) {
                widgets::selectable(ui, crate::ui::widgets::shown(super::describe::sentence(advice)));
            }
            if let Failure::Hub(error) = failure
                && let Some(service) = error.service()
            {
                let code = service.number.map(|number| number.to_string());
                let words: Vec<String> = [
                    code.as_ref().and_then(|code| code.get(..3)).map(|status| format!("HTTP {status}")),
                    code.as_ref().map(|code| format!("code {code}")),
                    service.name.clone(),
                    service.tracking_id.as_ref().map(|id| format!("tracking id {id}")),
                ]
                .into_iter()
                .flatten()
                .collect();
                let color = palette(ui).weak;
                widgets::selectable(ui, crate::ui::widgets::shown(words.join(" · ")).color(color));
            }
            if *failure != Failure::Cancelled {
                widgets::copy_details(ui, &said.detail);
            }
        });
    });
}

/// The calls made, newest first: a click puts one back.
fn made_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let methods = &tab.methods;
    let room = ui.available_height();
    if methods.made.is_empty() || room < 160.0 {
        return;
    }
    let most = (room * 0.4).max(56.0);
    egui::Panel::bottom("methods-made")
        .resizable(true)
        .default_size(96.0_f32.min(most))
        .size_range(48.0..=most)
        .frame(egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 4)))
        .show(ui, |ui| {
            widgets::weak(ui, "Calls made here, newest first; a click puts one back");
            ui.spacing_mut().item_spacing.y = 0.0;
            ScrollArea::vertical().id_salt("methods-made").min_scrolled_height(16.0).auto_shrink(false).show(
                ui,
                |ui| {
                    for made in &methods.made {
                        if row_ui(ui, methods, made) {
                            f.push(Action::RecallMethod { id: tab.id.clone(), number: made.number });
                        }
                    }
                },
            );
        });
}

fn row_ui(ui: &mut Ui, methods: &Methods, made: &Made) -> bool {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), theme::ROW), Sense::click());
    let chosen = methods.shown == Some(made.number);
    if chosen {
        ui.painter().rect_filled(rect, 4.0, p.chosen);
    } else if response.hovered() {
        ui.painter().rect_filled(rect, 4.0, p.hover);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, 4.0, egui::Stroke::new(1.0, p.accent), egui::StrokeKind::Inside);
    }
    let (word, color) = match &made.outcome {
        Ok(answer) if (200..300).contains(&answer.status) => (format!("status {}", answer.status), p.good),
        Ok(answer) => (format!("status {}", answer.status), p.warn),
        Err(Failure::Cancelled) => ("cancelled".to_owned(), p.weak),
        Err(failure) => (failed_word(failure), p.bad),
    };
    let cells = [
        (104.0, when::clock(made.at), p.weak),
        (168.0, word.clone(), color),
        (72.0, format!("{} ms", made.ms), p.weak),
        (f32::INFINITY, made.typed.name.clone(), p.text),
    ];
    let mut left = rect.left() + 4.0;
    for (width, text, color) in cells {
        let width = width.min(rect.right() - 4.0 - left).max(0.0);
        let galley = widgets::clipped(ui, &text, theme::small_mono(), color, width - 8.0);
        ui.painter().galley(egui::pos2(left, rect.center().y - galley.size().y / 2.0), galley, color);
        left += width;
    }
    let name = format!("{}, {word}, {} ms, call {}", made.typed.name, made.ms, made.number);
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &name));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_selected(chosen));
    response.clicked()
}

/// A failure in a word or two, with its code where the hub gave one.
fn failed_word(failure: &Failure) -> String {
    match failure {
        Failure::Hub(error) => match error.service().and_then(|service| service.number) {
            Some(number) => format!("failed, {number}"),
            None => "no answer".to_owned(),
        },
        _ => "failed".to_owned(),
    }
}
