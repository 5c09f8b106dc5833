//! The panel of a live connection as this device or module: its state, what arrived, what to report.

use super::theme::{self, palette};
use super::{Frame, twin_header, when, widgets};
use crate::app::activity::{CallSide, PatchKind};
use crate::app::methods::ReplyField;
use crate::app::tab::Act;
use crate::app::{Action, Moment, Tab};
use crate::client::link::LinkState;
use crate::twin::Json;
use crate::twin::text::compact;
use egui::{Id, ScrollArea, Ui};

/// The id of the editor of what is to be reported.
pub(super) fn report_id(tab: &Tab) -> Id {
    super::ids::of_twin(("report", tab.id.to_string()))
}

pub(super) fn ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let Some(act) = &tab.act else { return };
    let room = ui.available_height();
    // The text keeps a few lines; what does not fit here scrolls.
    let most = (room - 80.0).min(room * 0.7).max(48.0);
    egui::Panel::bottom("act")
        .resizable(true)
        .default_size((room * 0.45).clamp(120.0, 220.0).min(most))
        .size_range(most.min(110.0)..=most)
        .frame(egui::Frame::new().inner_margin(egui::Margin::symmetric(12, 8)))
        .show(ui, |ui| {
            if most > 110.0 {
                body_ui(f, ui, tab, act);
                return;
            }
            ScrollArea::vertical().id_salt("act").auto_shrink(false).show(ui, |ui| {
                let size = egui::vec2(ui.available_width(), 130.0);
                ui.allocate_ui(size, |ui| body_ui(f, ui, tab, act));
            });
        });
}

fn body_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, act: &Act) {
    ui.horizontal(|ui| {
        let who = if tab.id.module.is_some() { "module" } else { "device" };
        widgets::heading(ui, &format!("Acting as this {who}"));
        twin_header::link_ui(ui, &act.state);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if ui.button("Stop acting").clicked() {
                f.push(Action::StopActing(tab.id.clone()));
            }
        });
    });
    ui.columns(2, |columns| {
        if let [left, right] = columns {
            let plain = egui::Layout::top_down(egui::Align::Min);
            left.with_layout(plain, |ui| report_ui(f, ui, tab, act));
            right.with_layout(plain, |ui| received_ui(f, ui, tab));
        }
    });
}

fn report_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, act: &Act) {
    let mut text = act.report_text.clone();
    let height = (ui.available_height() - 36.0).max(40.0);
    ScrollArea::both().id_salt("report").max_height(height).min_scrolled_height(height).auto_shrink(false).show(
        ui,
        |ui| {
            let size = ui.available_size() - egui::Vec2::splat(2.0);
            let colours = |ui: &Ui, text: &str| super::json_colours::job(text, &theme::mono(), palette(ui));
            let field = super::field::with_layout(ui, &mut text, report_id(tab), colours, |edit| {
                edit.font(theme::mono()).desired_width(f32::INFINITY).desired_rows(1).min_size(size)
            });
            if field.accessible_name("Reported patch JSON").changed() {
                f.push(Action::EditReport { id: tab.id.clone(), text });
            }
        },
    );
    ui.horizontal(|ui| {
        let off = report_off(act);
        let key = ui.ctx().format_shortcut(&super::keys::SEND);
        if widgets::act(ui, "Send reported", off.as_deref()).on_hover_text(key).clicked() {
            f.push(Action::SendReport(tab.id.clone()));
        }
        let p = palette(ui);
        let (words, color) = match (&act.report_problem, act.last_report) {
            (Some(problem), _) => (problem.clone(), p.bad),
            (None, Some((version, at))) => {
                (format!("reported v{version} {}", when::ago(ui.ctx(), f.app.now, at)), p.weak)
            }
            _ => ("null deletes a key".to_owned(), p.weak),
        };
        ui.add(egui::Label::new(crate::ui::widgets::shown(words).color(color)).truncate());
    });
}

/// Why nothing can be sent now.
fn report_off(act: &Act) -> Option<String> {
    if act.sending.is_some() {
        return Some("Sending".to_owned());
    }
    if !matches!(act.state, LinkState::Online { .. }) {
        return Some("The connection is not online".to_owned());
    }
    if let Some(problem) = &act.report_problem {
        return Some(problem.clone());
    }
    act.report_parsed
        .document
        .as_ref()
        .is_none_or(crate::twin::JsonMap::is_empty)
        .then(|| "There is nothing to send".to_owned())
}

/// What came over the link: desired patches, messages, and method calls with what they are answered with.
fn received_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    reply_ui(f, ui, tab);
    widgets::weak(ui, "Received, newest first");
    ScrollArea::vertical().id_salt("received").min_scrolled_height(16.0).auto_shrink(false).show(ui, |ui| {
        let received = received(f, tab);
        for (at, head, body) in &received {
            let color = palette(ui).weak;
            let head = format!("{}  {head}", when::clock(*at));
            ui.add(egui::Label::new(crate::ui::widgets::shown(head).font(theme::small_mono()).color(color)).wrap());
            widgets::selectable(ui, crate::ui::widgets::shown(body).font(theme::small_mono()));
        }
        if received.is_empty() {
            widgets::weak(
                ui,
                "Nothing yet: save a change of desired, call a method or send a message, and it arrives here",
            );
        }
    });
}

/// How many of each kind are shown.
const SHOWN: usize = 50;

/// When it came, what it was, what it said; newest first.
fn received(f: &Frame, tab: &Tab) -> Vec<(Moment, String, String)> {
    let patches = f.app.activity.patches.iter().rev();
    let patches = patches.filter(|seen| seen.id == tab.id && seen.kind == PatchKind::Received).take(SHOWN);
    let calls = f.app.activity.calls.iter().rev();
    let calls = calls.filter(|seen| seen.id == tab.id && seen.side == CallSide::Answered).take(SHOWN);
    let mut all: Vec<_> = patches
        .map(|seen| (seen.at, format!("desired v{}", seen.version), compact(&Json::Object(seen.patch.clone()))))
        .chain(
            calls.map(|seen| (seen.at, format!("{} answered with {}", seen.name, seen.answer), seen.payload.clone())),
        )
        .collect();
    let messages = f.app.activity.messages.iter().rev().filter(|seen| seen.id == tab.id).take(SHOWN);
    all.extend(messages.map(|seen| {
        let head = seen.properties.iter().map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => name.clone(),
        });
        let head = std::iter::once("message".to_owned()).chain(head).collect::<Vec<_>>().join("  ");
        (seen.at, head, seen.body.clone())
    }));
    all.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
    all
}

/// What whoever calls a method of this identity is answered.
fn reply_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let reply = &tab.methods.reply;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        widgets::weak(ui, "Methods answer");
        for (field, name, text, width) in [
            (ReplyField::Status, "Method answer status", &reply.status, 40.0),
            (ReplyField::Payload, "Method answer JSON", &reply.payload, f32::INFINITY),
        ] {
            let id = super::ids::of_twin((name, tab.id.to_string()));
            let (_, changed) = widgets::field(ui, id, name, text, "null", width);
            if let Some(text) = changed {
                f.push(Action::EditReply { id: tab.id.clone(), field, text });
            }
        }
    });
    if let Some(problem) = &reply.problem {
        let words = format!("{problem}; the last good answer is given");
        ui.add(egui::Label::new(crate::ui::widgets::shown(words).color(palette(ui).bad)).truncate());
    }
}
