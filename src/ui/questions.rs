//! Dialogs that create, delete, or ask before something goes. The safe answer is the default.

use super::dialogs::{self, Leave, acts, modal};
use super::theme::palette;
use super::{Frame, press, when, widgets};
use crate::app::Action;
use crate::app::dialog::Field;
use crate::twin::{ConnectionState, TwinId};
use crate::worker::Key;
use egui::{Context, Id, RichText, Ui};

pub(super) fn wrapped(ui: &mut Ui, text: impl Into<String>) {
    ui.add(egui::Label::new(widgets::shown(text.into())).wrap());
}

fn problem_ui(ui: &mut Ui, problem: Option<&str>) {
    if let Some(problem) = problem {
        let color = palette(ui).bad;
        let text = RichText::new(super::describe::sentence(problem)).color(color);
        ui.add(egui::Label::new(text).wrap().selectable(true));
    }
}

/// *Add device…* (without a device) or *Add module…*.
pub(super) fn add_ui(
    f: &mut Frame,
    ctx: &Context,
    device: Option<&str>,
    text: &str,
    problem: Option<&str>,
    running: Option<Key>,
) -> bool {
    let (name, label) = match device {
        None => ("Add device…", "Device id"),
        Some(_) => ("Add module…", "Module id"),
    };
    let fresh = f.view.take_fresh(name);
    modal(ctx, name, 440.0, Leave::Deliberately, |ui| {
        if let Some(device) = device {
            wrapped(ui, format!("A module of {device}, with keys made by the hub"));
        } else {
            wrapped(ui, "A device with keys made by the hub");
        }
        ui.add_space(4.0);
        let id = Id::unique("new-id");
        let width = ui.available_width();
        let (response, changed) = widgets::field(ui, id, label, text, label, width);
        if fresh {
            response.request_focus();
        }
        let enter = press::entered(ui, &response);
        // The id as it stands now: letters and Enter may arrive in one frame.
        let text = changed.clone().unwrap_or_else(|| text.to_owned());
        if let Some(text) = changed {
            f.push(Action::DialogText { field: Field::Text, text });
        }
        problem_ui(ui, problem);
        let off = match (text.is_empty(), problem, running) {
            (_, _, Some(_)) => Some("Creating"),
            (true, ..) => Some("Type an id first"),
            _ => None,
        };
        acts(ui, |ui| {
            let clicked = widgets::primary(ui, "Create", off).clicked();
            if (clicked || enter) && off.is_none() {
                f.push(Action::Create(match device {
                    None => TwinId::device(text),
                    Some(device) => TwinId::module(device, text),
                }));
            }
            if ui.button("Cancel").clicked() {
                f.push(Action::CloseDialog);
            }
        });
    })
}

/// What *Delete…* asks about.
pub(super) struct Delete<'a> {
    pub id: &'a TwinId,
    /// The record was read, so the delete can be guarded by its etag.
    pub known: bool,
    /// Modules that go with the device; `None` while unknown.
    pub modules: Option<usize>,
    pub problem: Option<&'a str>,
    pub running: Option<Key>,
}

pub(super) fn delete_ui(f: &mut Frame, ctx: &Context, question: &Delete) -> bool {
    let fresh = f.view.take_fresh("Delete…");
    let id = question.id;
    let goes = |other: &TwinId| other.device == id.device && (id.module.is_none() || other.module == id.module);
    let unsaved = f.app.tabs.iter().filter(|tab| goes(&tab.id) && tab.would_lose()).count();
    let what = if id.module.is_some() { "the module" } else { "the device" };
    modal(ctx, "Delete…", 460.0, Leave::OnBackdrop, |ui| {
        let with = match (&id.module, question.modules) {
            (Some(_), _) => String::new(),
            (None, Some(0)) => ", which has no modules,".to_owned(),
            (None, Some(n)) => format!(" and its {}", when::count(n, "module")),
            (None, None) => " and all its modules".to_owned(),
        };
        wrapped(ui, format!("Delete {what} {id}{with} from the hub? Twin, keys and history there are gone for good."));
        if unsaved > 0 {
            let text = format!("Edits of {} that are not on the hub go too.", when::count(unsaved, "open twin"));
            ui.add(egui::Label::new(RichText::new(text).color(palette(ui).warn)).wrap());
        }
        problem_ui(ui, question.problem);
        let off = match (question.running, question.known) {
            (Some(_), _) => Some("Deleting"),
            (None, false) => Some("Reading the identity"),
            _ => None,
        };
        let keep = answer(ui, f, &format!("Delete {id}"), off, Action::Delete(id.clone()), "Keep");
        if fresh {
            keep.request_focus();
        }
    })
}

/// What *Purge…* asks about.
pub(super) struct Purge<'a> {
    pub id: &'a TwinId,
    /// How many wait, or why that is not known; `None` while it is read.
    pub waiting: Option<&'a Result<u64, String>>,
    pub problem: Option<&'a str>,
    pub running: Option<Key>,
}

pub(super) fn purge_ui(f: &mut Frame, ctx: &Context, question: &Purge) -> bool {
    let fresh = f.view.take_fresh("Purge messages…");
    let id = question.id;
    modal(ctx, "Purge messages…", 460.0, Leave::OnBackdrop, |ui| {
        let text = match question.waiting {
            None => format!("Counting what waits for {id}"),
            Some(Ok(0)) => format!("No message waits for {id}: there is nothing to purge."),
            Some(Ok(count)) => format!(
                "Throw away what waits for {id}? {}; the device will never see {}, whoever sent {}.",
                crate::app::messages::waiting_words(*count),
                if *count == 1 { "it" } else { "them" },
                if *count == 1 { "it" } else { "them" },
            ),
            Some(Err(why)) => {
                format!("Throw away all that waits for {id}? How much that is could not be read: {why}.")
            }
        };
        wrapped(ui, text);
        problem_ui(ui, question.problem);
        let off = match (question.running, question.waiting) {
            (Some(_), _) => Some("Purging"),
            (None, None) => Some("Counting"),
            (None, Some(Ok(0))) => Some("No message waits"),
            (None, Some(_)) => None,
        };
        let name = match question.waiting {
            Some(Ok(count)) if *count > 0 => format!("Purge {}", messages_word(*count)),
            _ => "Purge all".to_owned(),
        };
        let keep = answer(ui, f, &name, off, Action::PurgeMessages(id.clone()), "Keep");
        if fresh {
            keep.request_focus();
        }
    })
}

fn messages_word(count: u64) -> String {
    when::count(usize::try_from(count).unwrap_or(usize::MAX), "message")
}

/// The two buttons of a question: the act, and the safe one, which is the default. Returns the safe one.
pub(super) fn answer(
    ui: &mut Ui,
    f: &mut Frame,
    act: &str,
    off: Option<&str>,
    action: Action,
    safe: &str,
) -> egui::Response {
    let mut default = None;
    acts(ui, |ui| {
        let keep = widgets::primary(ui, safe, None);
        if keep.clicked() {
            f.push(Action::CloseDialog);
        }
        if widgets::act(ui, act, off).clicked() {
            f.push(action);
        }
        default = Some(keep);
    });
    default.unwrap_or_else(|| ui.response())
}

pub(super) fn act_as_ui(
    f: &mut Frame,
    ctx: &Context,
    id: &TwinId,
    mqtt_port: Option<&str>,
    problem: Option<&str>,
) -> bool {
    let (name, what) =
        if id.module.is_some() { ("Act as module…", "module") } else { ("Act as device…", "device") };
    let fresh = f.view.take_fresh(name);
    let state = f
        .app
        .tab(id)
        .and_then(|tab| tab.current().map(|twin| twin.connection_state))
        .or_else(|| f.app.fleet.connection_of(id));
    modal(ctx, name, 480.0, Leave::OnBackdrop, |ui| {
        wrapped(ui, format!("Twinscope connects over MQTT as {id}, with the {what}'s own key."));
        if id.module.is_none() {
            ui.add_space(4.0);
            wrapped(ui, "Messages that wait for the device are delivered here, and then they are gone for it.");
        }
        ui.add_space(4.0);
        let (text, color) = match state {
            Some(ConnectionState::Connected) => {
                (format!("The {what} is connected now: its real client will be pushed out."), palette(ui).warn)
            }
            Some(ConnectionState::Disconnected) => (
                format!(
                    "The {what} is disconnected now. Should its real client connect, one of the two is pushed out."
                ),
                palette(ui).text,
            ),
            None => (
                format!("Whether the {what} is connected is not known: if it is, its real client will be pushed out."),
                palette(ui).warn,
            ),
        };
        ui.add(egui::Label::new(RichText::new(text).color(color)).wrap());
        if let Some(port) = mqtt_port {
            mqtt_port_ui(f, ui, port, problem);
        }
        let off = mqtt_port.is_some_and(|port| port.trim().is_empty()).then_some("Type the MQTT port of the hub first");
        let keep = answer(ui, f, "Connect", off.or(problem), Action::ActAs(id.clone()), "Cancel");
        if fresh {
            keep.request_focus();
        }
    })
}

/// Another hub than the program's own: only the person knows where it listens.
fn mqtt_port_ui(f: &mut Frame, ui: &mut Ui, port: &str, problem: Option<&str>) {
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        let label = ui.label("MQTT port");
        let id = egui::Id::unique("mqtt-port");
        let (response, changed) = widgets::field(ui, id, "MQTT port", port, "", 80.0);
        response.labelled_by(label.id);
        if let Some(text) = changed {
            f.push(Action::DialogText { field: Field::Text, text });
        }
    });
    // The line is there in every case: nothing moves while somebody types.
    let p = palette(ui);
    let (text, color) = match problem {
        Some(problem) => (problem, p.bad),
        None => ("8883 on hubs in Azure; twinscope hub prints its port as mqtts", p.weak),
    };
    ui.label(RichText::new(text).font(super::theme::small()).color(color));
}

pub(super) fn close_tab_ui(f: &mut Frame, ctx: &Context, id: &TwinId) -> bool {
    let fresh = f.view.take_fresh("Close with unsaved edits?");
    modal(ctx, "Close with unsaved edits?", 440.0, Leave::OnBackdrop, |ui| {
        let fate = fate(f, "come back as a draft when it is opened again, if they are kept");
        wrapped(ui, format!("The edits of {id} are not on the hub, and {fate}."));
        let acts = [
            ("Close and keep draft", Action::CloseTabAndKeep(id.clone())),
            ("Close and discard", Action::CloseTabAndDiscard(id.clone())),
        ];
        keep_or_stay_ui(f, ui, acts, fresh);
    })
}

/// What becomes of edits that are kept; lost where they cannot be.
fn fate(f: &Frame, kept: &str) -> String {
    match &f.app.drafts_unkept {
        Some(why) => format!("would be lost: {why}"),
        None => kept.to_owned(),
    }
}

/// To go and keep what was typed, to stay, or to go and discard. The default loses nothing.
fn keep_or_stay_ui(f: &mut Frame, ui: &mut Ui, [(keep, keeps), (discard, discards)]: [(&str, Action); 2], fresh: bool) {
    acts(ui, |ui| {
        let off = f.app.drafts_unkept.clone();
        let keep = widgets::primary(ui, keep, off.as_deref());
        if keep.clicked() {
            f.push(keeps);
        }
        let stay = widgets::act(ui, "Keep editing", None);
        if stay.clicked() {
            f.push(Action::CloseDialog);
        }
        if widgets::act(ui, discard, None).clicked() {
            f.push(discards);
        }
        if fresh {
            let safe = if off.is_some() { stay } else { keep };
            safe.request_focus();
        }
    });
}

pub(super) fn discard_ui(f: &mut Frame, ctx: &Context, id: &TwinId) -> bool {
    let fresh = f.view.take_fresh("Discard the edits?");
    modal(ctx, "Discard the edits?", 440.0, Leave::OnBackdrop, |ui| {
        let history = match &f.app.drafts_unkept {
            // One disk holds both.
            Some(why) => format!("History may not be able to keep them, for drafts cannot be kept either: {why}."),
            None => "History keeps them as a discarded draft that can be brought back.".to_owned(),
        };
        wrapped(ui, format!("What the hub has takes the place of the edits of {id}. {history}"));
        let keep = answer(ui, f, "Discard edits", None, Action::DiscardNow(id.clone()), "Keep editing");
        if fresh {
            keep.request_focus();
        }
    })
}

pub(super) fn quit_ui(f: &mut Frame, ctx: &Context, unsaved: &[TwinId]) -> bool {
    let fresh = f.view.take_fresh("Quit with unsaved edits?");
    modal(ctx, "Quit with unsaved edits?", 440.0, Leave::OnBackdrop, |ui| {
        let count = when::count(unsaved.len(), "twin");
        let fate = fate(f, "come back as drafts at the next start if they are kept");
        wrapped(ui, format!("The edits of {count} are not on the hub, and {fate}."));
        dialogs::list(160.0).show(ui, |ui| {
            for id in unsaved {
                ui.label(widgets::shown(id.to_string()));
            }
        });
        let acts = [("Quit and keep drafts", Action::QuitAndKeep), ("Quit and discard", Action::QuitAndDiscard)];
        keep_or_stay_ui(f, ui, acts, fresh);
    })
}
