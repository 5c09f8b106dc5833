//! Cloud-to-device messages: the message, its properties, what was sent and what became of it.

use super::describe::describe;
use super::theme::{self, palette};
use super::{Frame, Line, clear_of, editor, when, widgets};
use crate::app::messages::{Heard, MessageField, PropertyPart, Sent, unheard};
use crate::app::{Action, Tab};
use crate::client::HubError;
use crate::protocol::message::{Ack, Outcome};
use crate::protocol::policy::Permission;
use crate::twin::TwinId;
use crate::worker::Failure;
use egui::accesskit::Role;
use egui::{Color32, ScrollArea, Sense, Ui, Vec2, WidgetInfo};

/// What is over sooner would only flicker.
const PATIENCE_MS: u64 = 150;
/// Where there is less room than this, in points, all of it scrolls.
const LOW: f32 = 300.0;
/// Of the choice of feedback, in points.
const ACK_WIDTH: f32 = 72.0;
/// What is taken from others by reading it.
const FEEDBACK_WARNING: &str =
    "A hub has one queue of feedback for all senders: what is fetched here, nobody else gets";

pub(super) fn ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    if let Some(why) = f.app.messages_off(&tab.id) {
        widgets::empty(ui, "No messages from here", &why, |ui| {
            if tab.id.module.is_some() && ui.button("Open the device").clicked() {
                f.push(Action::OpenTwin(TwinId::device(tab.id.device.clone())));
            }
        });
        return;
    }
    let margin = egui::Frame::new().inner_margin(egui::Margin { left: 12, right: 12, top: 8, bottom: 4 });
    if ui.available_height() < LOW {
        ScrollArea::vertical().id_salt("messages").auto_shrink(false).show(ui, |ui| {
            margin.show(ui, |ui| message_ui(f, ui, tab));
            let width = ui.available_width();
            ui.allocate_ui(Vec2::new(width, 112.0), |ui| body_ui(f, ui, tab));
            ui.allocate_ui(Vec2::new(width, 96.0), |ui| properties_ui(f, ui, tab));
            ui.allocate_ui(Vec2::new(width, 112.0), |ui| sent_ui(f, ui, tab));
        });
        return;
    }
    egui::Panel::top("message-head").frame(margin).resizable(false).show(ui, |ui| message_ui(f, ui, tab));
    let most = (ui.available_height() * 0.6).max(64.0);
    egui::Panel::bottom("messages-sent")
        .resizable(true)
        .default_size(120.0_f32.min(most))
        .size_range(56.0..=most)
        .frame(egui::Frame::new().inner_margin(egui::Margin::symmetric(0, 4)))
        .show(ui, |ui| sent_ui(f, ui, tab));
    let beside: &[Line] = if f.view.narrow { &[Line::Below] } else { &[Line::Right, Line::Below] };
    let none = clear_of(&[Line::Below]);
    if f.view.narrow {
        let half = (ui.available_height() / 2.0).max(48.0);
        egui::Panel::bottom("message-properties")
            .frame(none)
            .resizable(false)
            .exact_size(half)
            .show(ui, |ui| properties_ui(f, ui, tab));
    } else {
        let width = ui.available_width();
        egui::Panel::right("message-properties")
            .frame(none)
            .default_size((width * 0.45).max(200.0))
            .size_range(160.0..=(width - 120.0).max(161.0))
            .show(ui, |ui| properties_ui(f, ui, tab));
    }
    egui::CentralPanel::default().frame(clear_of(beside)).show(ui, |ui| body_ui(f, ui, tab));
}

fn message_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let (messages, id) = (&tab.messages, &tab.id);
    let typed = &messages.typed;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::new(6.0, 4.0);
        for (field, name, text, hint, width) in [
            (MessageField::ContentType, "Content type", &typed.content_type, "application/json", 120.0),
            (MessageField::ContentEncoding, "Content encoding", &typed.content_encoding, "utf-8", 48.0),
            (MessageField::MessageId, "Message id", &typed.message_id, "made if empty", 104.0),
            (MessageField::CorrelationId, "Correlation id", &typed.correlation_id, "none", 80.0),
            (MessageField::Expiry, "Expiry", &typed.expiry, "1 h", 48.0),
        ] {
            let (response, changed) = labelled_ui(ui, tab, name, text, hint, width);
            if field == MessageField::Expiry {
                response.on_hover_text(
                    "How long the message waits: 30 s, 5 min, 1 h, at most 2 d; empty leaves it to the hub",
                );
            }
            if let Some(text) = changed {
                f.push(Action::EditMessage { id: id.clone(), field, text });
            }
        }
        ack_ui(f, ui, tab);
        let off = match (&messages.running, &messages.message) {
            (Some(_), _) => Some("A message is under way"),
            (None, Err(why)) => Some(why.as_str()),
            (None, Ok(_)) => None,
        };
        let key = ui.ctx().format_shortcut(&super::keys::SEND);
        if widgets::primary(ui, "Send message", off).on_hover_text(key).clicked() {
            f.push(Action::SendMessage(id.clone()));
        }
        if ui.button("Purge…").on_hover_text("Throw away what waits for this device").clicked() {
            f.push(Action::ShowPurge(id.clone()));
        }
    });
    result_ui(f, ui, tab);
}

/// A field with its name before it; both stay on one line.
fn labelled_ui(
    ui: &mut Ui,
    tab: &Tab,
    name: &str,
    text: &str,
    hint: &str,
    width: f32,
) -> (egui::Response, Option<String>) {
    own_line_if_short(ui, name, width);
    let inner = ui.horizontal(|ui| {
        widgets::weak(ui, name);
        widgets::field(ui, super::ids::of_twin((name, tab.id.to_string())), name, text, hint, width)
    });
    inner.inner
}

/// A group inside a wrapped line does not wrap by itself: it starts a line when it does not fit behind the others.
fn own_line_if_short(ui: &mut Ui, name: &str, width: f32) {
    let words = widgets::clipped(ui, name, theme::body(), Color32::PLACEHOLDER, f32::INFINITY).size().x;
    let padding = 2.0 * (ui.spacing().item_spacing.x + ui.spacing().button_padding.x);
    if ui.available_size_before_wrap().x < words + width + padding {
        ui.end_row();
    }
}

/// Which outcomes are to be told.
fn ack_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let chosen = tab.messages.typed.ack;
    own_line_if_short(ui, "Feedback", ACK_WIDTH + 24.0);
    ui.horizontal(|ui| {
        widgets::weak(ui, "Feedback");
        let combo = egui::ComboBox::from_id_salt(("ack", tab.id.to_string()))
            .selected_text(chosen.word())
            .width(ACK_WIDTH)
            .show_ui(ui, |ui| {
                for ack in Ack::ALL {
                    let (name, what) = match ack {
                        Ack::None => ("none", "The hub tells nothing of this message"),
                        Ack::Positive => ("positive", "The hub tells when the device took it"),
                        Ack::Negative => ("negative", "The hub tells when the device did not take it"),
                        Ack::Full => ("full", "The hub tells either way"),
                    };
                    if ui.selectable_label(ack == chosen, name).on_hover_text(what).clicked() {
                        f.push(Action::SetAck { id: tab.id.clone(), ack });
                    }
                }
            });
        let name = format!("Feedback wanted, {}", chosen.word());
        ui.ctx().accesskit_node_builder(combo.response.id, |node| node.set_label(name));
    });
}

/// What goes on, what came of it, or what is wrong: always a line, so that nothing below it jumps.
fn result_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let messages = &tab.messages;
    let p = palette(ui);
    if let (None, Some((at, Err(failure)))) = (&messages.running, &messages.result)
        && *failure != Failure::Cancelled
    {
        failed_ui(f, ui, "Not sent", failure, *at);
        return;
    }
    ui.horizontal(|ui| {
        ui.set_min_height(theme::ROW);
        let (words, color) = match (&messages.running, &messages.message, &messages.result) {
            (Some(running), ..) => {
                widgets::spinner(ui, f.app.now, running.since, "Sending");
                if f.app.now.ms.saturating_sub(running.since.ms) >= PATIENCE_MS && ui.button("Cancel").clicked() {
                    f.push(Action::Cancel(running.key));
                }
                return;
            }
            (None, Err(why), _) => (why.clone(), p.bad),
            (None, Ok(_), Some((at, Ok(said)))) => (format!("{said}; {}", when::ago(ui.ctx(), f.app.now, *at)), p.good),
            (None, Ok(_), Some((_, Err(_)))) => {
                ("Cancelled; it may have been queued all the same, and nothing typed is lost".to_owned(), p.warn)
            }
            (None, Ok(_), None) => {
                ("The hub keeps it until the device takes it or its time is over".to_owned(), p.weak)
            }
        };
        ui.add(egui::Label::new(crate::ui::widgets::shown(&words).color(color)).truncate().selectable(true))
            .on_hover_text(&words);
    });
}

/// A failure with its code and what to do about it; what was typed stands above it.
fn failed_ui(f: &Frame, ui: &mut Ui, what: &str, failure: &Failure, at: crate::app::Moment) {
    let said = describe(failure);
    let advice = match failure {
        Failure::Hub(error @ HubError::Unauthorized { .. }) => Some(error.advice_for(Permission::ServiceConnect)),
        _ => said.advice.clone(),
    };
    let age = when::ago(ui.ctx(), f.app.now, at);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::new(8.0, 2.0);
        let p = palette(ui);
        let code = match failure {
            Failure::Hub(error) => error.service().and_then(|service| service.number).map(|n| format!(" (code {n})")),
            _ => None,
        };
        let head = format!("{what} {age}: {}{}", said.sentence, code.unwrap_or_default());
        widgets::selectable(ui, crate::ui::widgets::shown(head).color(p.bad));
        if let Failure::Hub(error) = failure
            && let Some(message) = error.service().and_then(|service| service.message.as_ref())
        {
            widgets::selectable(ui, crate::ui::widgets::shown(message.chars().take(300).collect::<String>()));
        }
        if let Some(advice) = advice {
            widgets::selectable(ui, crate::ui::widgets::shown(super::describe::sentence(&advice)));
        }
        widgets::copy_details(ui, &said.detail);
    });
}

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

fn body_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let messages = &tab.messages;
    head_ui(ui, |ui| match messages.body_hints.first() {
        Some(hint) => {
            let words = format!("Not JSON: line {}, column {}; it can be sent all the same", hint.line, hint.column);
            let color = palette(ui).warn;
            ui.label(crate::ui::widgets::shown(words).color(color)).on_hover_text(&hint.message);
        }
        None => _ = widgets::weak(ui, "Body: any text"),
    });
    let id = super::ids::of_twin(("message-body", tab.id.to_string()));
    f.view.panes.editor = Some(id);
    let sheet = editor::Sheet {
        id,
        name: "Message body",
        text: &messages.typed.body,
        problems: &messages.body_hints,
        marks: &[],
        elsewhere: editor::Elsewhere::Mine,
    };
    if let Some(text) = f.view.editor.ui(ui, &sheet) {
        f.push(Action::EditMessage { id: tab.id.clone(), field: MessageField::Body, text });
    }
}

/// The sender's own properties, a row each.
fn properties_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let typed = &tab.messages.typed;
    head_ui(ui, |ui| {
        widgets::weak(ui, "Properties").on_hover_text("Their names arrive in lower case: they travel as headers");
        if ui.button("Add property").clicked() {
            f.push(Action::AddProperty(tab.id.clone()));
        }
    });
    ScrollArea::vertical().id_salt("message-properties").min_scrolled_height(16.0).auto_shrink(false).show(ui, |ui| {
        egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 0)).show(ui, |ui| {
            if typed.properties.is_empty() {
                widgets::weak(ui, "None");
            }
            for (row, (name, value)) in typed.properties.iter().enumerate() {
                property_ui(f, ui, tab, row, (name, value));
            }
        });
    });
}

fn property_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, row: usize, (name, value): (&str, &str)) {
    let id = &tab.id;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        // Margins of two fields, the sign and the spaces between.
        let room = (ui.available_width() - theme::ROW - 32.0).max(80.0);
        for (part, word, text, share) in
            [(PropertyPart::Name, "name", name, 0.42), (PropertyPart::Value, "value", value, 0.58)]
        {
            let label = format!("Property {} {word}", row + 1);
            let field_id = super::ids::of_twin((word, row, id.to_string()));
            if let (_, Some(text)) = widgets::field(ui, field_id, &label, text, word, room * share) {
                f.push(Action::EditProperty { id: id.clone(), row, part, text });
            }
        }
        let remove = widgets::sign(ui, &format!("Remove property {}", row + 1), |painter, rect, p| {
            let (at, stroke) = (rect.center(), egui::Stroke::new(1.5, p.weak));
            painter.line_segment([at - Vec2::splat(4.0), at + Vec2::splat(4.0)], stroke);
            painter.line_segment([at + Vec2::new(-4.0, 4.0), at + Vec2::new(4.0, -4.0)], stroke);
        });
        if remove.clicked() {
            f.push(Action::RemoveProperty { id: id.clone(), row });
        }
    });
    if let Some(problem) = tab.messages.typed.row_problem(row) {
        let color = palette(ui).bad;
        ui.add(egui::Label::new(crate::ui::widgets::shown(super::describe::sentence(&problem)).color(color)).wrap());
    }
}

/// What was sent, newest first, with what became of it; then what others sent to this device.
fn sent_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let messages = &tab.messages;
    head_ui(ui, |ui| {
        widgets::weak(ui, "Sent").on_hover_text("Newest first; a click puts a message back into the fields");
        let busy = f.app.tabs.iter().any(|tab| tab.messages.fetching.is_some());
        let off = busy.then_some("Feedback is being fetched");
        if widgets::act(ui, "Fetch feedback", off).on_hover_text(FEEDBACK_WARNING).clicked() {
            f.push(Action::FetchFeedback(tab.id.clone()));
        }
        match (&messages.fetching, &messages.fetched) {
            (Some((key, since)), _) => {
                widgets::spinner(ui, f.app.now, *since, "Fetching");
                if f.app.now.ms.saturating_sub(since.ms) >= PATIENCE_MS && ui.button("Cancel").clicked() {
                    f.push(Action::Cancel(*key));
                }
            }
            (None, Some((at, Ok(said)))) => {
                let words = format!("{said}, {}", when::ago(ui.ctx(), f.app.now, *at));
                ui.add(egui::Label::new(crate::ui::widgets::shown(words).color(palette(ui).weak)).truncate());
            }
            (None, Some((at, Err(failure)))) if *failure != Failure::Cancelled => {
                failed_ui(f, ui, "No feedback", failure, *at);
            }
            (None, _) => {
                let words = crate::ui::widgets::shown(FEEDBACK_WARNING).color(palette(ui).weak);
                ui.add(egui::Label::new(words).truncate()).on_hover_text(FEEDBACK_WARNING);
            }
        }
    });
    let margin = egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 0));
    ScrollArea::vertical().id_salt("messages-sent").min_scrolled_height(16.0).auto_shrink(false).show(ui, |ui| {
        margin.show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for sent in &messages.sent {
                if sent_row_ui(ui, sent) {
                    f.push(Action::RecallMessage { id: tab.id.clone(), number: sent.number });
                }
            }
            for heard in f.app.other_feedback(tab) {
                other_row_ui(ui, heard);
            }
            if messages.sent.is_empty() && f.app.other_feedback(tab).next().is_none() {
                widgets::weak(ui, "Nothing was sent from here yet");
            }
        });
    });
}

/// A word and its colour.
fn fate(ui: &Ui, heard: &Heard) -> (String, Color32) {
    let p = palette(ui);
    let color = match heard.record.outcome() {
        Some(Outcome::Success) => p.good,
        Some(Outcome::Purged) | None => p.warn,
        Some(Outcome::Expired | Outcome::DeliveryCountExceeded | Outcome::Rejected) => p.bad,
    };
    (heard.word().to_owned(), color)
}

fn sent_row_ui(ui: &mut Ui, sent: &Sent) -> bool {
    let p = palette(ui);
    let (word, color) = match &sent.feedback {
        Some(heard) => fate(ui, heard),
        None => (unheard(sent.typed.ack).to_owned(), p.weak),
    };
    let body = sent.typed.body.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = format!("{}, {word}, message {}", sent.message_id, sent.number);
    let cells = [(104.0, when::clock(sent.at), p.weak), (152.0, word, color), (280.0, sent.message_id.clone(), p.text)];
    row_ui(ui, &cells, (&body, p.weak), &name, Sense::click())
}

fn other_row_ui(ui: &mut Ui, heard: &Heard) {
    let p = palette(ui);
    let (word, color) = fate(ui, heard);
    let id = heard.record.message_id.as_deref().unwrap_or("without an id");
    let name = format!("{id}, {word}, not sent here");
    let cells = [(104.0, when::clock(heard.at), p.weak), (152.0, word, color), (280.0, id.to_owned(), p.text)];
    row_ui(ui, &cells, ("not sent here", p.weak), &name, Sense::hover());
}

/// A row of cells, each as wide as said, and a last one for the rest.
fn row_ui(
    ui: &mut Ui,
    cells: &[(f32, String, Color32)],
    (said, tint): (&str, Color32),
    name: &str,
    sense: Sense,
) -> bool {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), theme::ROW), sense);
    if sense.senses_click() && response.hovered() {
        ui.painter().rect_filled(rect, 4.0, p.hover);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, 4.0, egui::Stroke::new(1.0, p.accent), egui::StrokeKind::Inside);
    }
    let mut left = rect.left() + 4.0;
    let last = (f32::INFINITY, said.to_owned(), tint);
    for (width, text, color) in cells.iter().chain([&last]) {
        let width = width.min(rect.right() - 4.0 - left).max(0.0);
        let galley = widgets::clipped(ui, text, theme::small_mono(), *color, width - 8.0);
        ui.painter().galley(egui::pos2(left, rect.center().y - galley.size().y / 2.0), galley, *color);
        left += width;
    }
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, name));
    response.on_hover_text(name).clicked()
}
