//! Above the sections: who this is and how it stands, what can be done, which section is shown.

use super::theme::{self, palette};
use super::{Frame, changes, icons, waiting, when, widgets};
use crate::app::action::Watching;
use crate::app::compare::CompareAct;
use crate::app::tab::{Pane, SaveState};
use crate::app::{Action, Moment, Remote, Tab};
use crate::client::link::LinkState;
use crate::twin::{ConnectionState, Status, Twin, TwinId};
use crate::worker::Key;
use egui::{Align, Layout, ScrollArea, Ui};

pub(super) fn ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let frame = egui::Frame::new().inner_margin(egui::Margin { left: 12, right: 12, top: 8, bottom: 0 });
    egui::Panel::top("twin-header").frame(frame).resizable(false).show(ui, |ui| {
        if f.view.narrow {
            // One line that can be pushed aside leaves the text its room.
            ScrollArea::horizontal().id_salt("facts").auto_shrink([false, true]).show(ui, |ui| facts_ui(f, ui, tab));
        } else {
            facts_ui(f, ui, tab);
        }
        acts_ui(f, ui, tab);
        sections_ui(f, ui, tab);
    });
}

fn facts_ui(f: &Frame, ui: &mut Ui, tab: &Tab) {
    let line = Layout::left_to_right(Align::Center).with_main_wrap(!f.view.narrow);
    ui.allocate_ui_with_layout(egui::vec2(ui.available_width(), 20.0), line, |ui| {
        ui.set_min_height(20.0);
        ui.spacing_mut().item_spacing = egui::vec2(14.0, 2.0);
        let Some(twin) = tab.current() else {
            widgets::weak(ui, "not loaded yet");
            return;
        };
        let offline = f.app.is_offline();
        state_ui(ui, twin, offline);
        fact(ui, "etag", &twin.etag.quoted());
        let sections = format!(
            "Of the whole twin: a change of any section counts. Desired is at v{}, reported at v{}",
            twin.desired.version, twin.reported.version
        );
        fact(ui, "version", &twin.version.to_string()).on_hover_text(sections);
        if let Some((_, at)) = tab.seen {
            let ago = when::ago(ui.ctx(), f.app.now, at);
            let waits = match &tab.twin {
                Remote::Loading { key, .. } => waiting::words(f, ui.ctx(), *key),
                _ => None,
            };
            widgets::weak(
                ui,
                match waits {
                    _ if offline => format!("as of {ago}"),
                    Some(waits) => format!("loaded {ago}. {waits}"),
                    None if tab.twin.is_loading() => format!("loading {ago}"),
                    None => format!("loaded {ago}"),
                },
            );
        }
        if tab.watching && !offline {
            widgets::weak(ui, "watching");
        }
        if let Some(act) = &tab.act {
            link_ui(ui, &act.state);
        }
    });
}

/// A dot with its word, as one piece that a line breaks around, not inside.
fn chip(ui: &mut Ui, dot: icons::Dot, text: &str) {
    let p = palette(ui);
    let widest = ui.max_rect().width() - 20.0;
    let galley = widgets::clipped(ui, text, theme::body(), p.text, widest);
    let size = egui::vec2(14.0 + galley.size().x, 18.0);
    let (rect, response) = ui.allocate_exact_size(size, egui::Sense::hover());
    icons::dot(ui.painter(), egui::pos2(rect.left() + 5.0, rect.center().y), dot, p);
    let elided = galley.elided;
    let at = egui::pos2(rect.left() + 14.0, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, p.text);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Label, true, text));
    if elided {
        response.on_hover_text(text);
    }
}

fn state_ui(ui: &mut Ui, twin: &Twin, offline: bool) {
    let (dot, word) = match (twin.status, twin.connection_state) {
        (Some(Status::Disabled), _) => (icons::Dot::Half, "disabled"),
        (_, ConnectionState::Connected) if offline => (icons::Dot::Past, "was connected"),
        (_, ConnectionState::Disconnected) if offline => (icons::Dot::Hollow, "was disconnected"),
        (_, ConnectionState::Connected) => (icons::Dot::Filled, "connected"),
        (_, ConnectionState::Disconnected) => (icons::Dot::Hollow, "disconnected"),
    };
    chip(ui, dot, word);
    let mut more = Vec::new();
    if let (Some(status), icons::Dot::Filled | icons::Dot::Hollow | icons::Dot::Past) = (twin.status, dot) {
        more.push(status.word());
    }
    if let Some(kind) = twin.authentication {
        more.push(kind.word());
    }
    if twin.iot_edge {
        more.push("edge");
    }
    if !more.is_empty() {
        widgets::weak(ui, more.join(" · "));
    }
}

fn fact(ui: &mut Ui, word: &str, value: &str) -> egui::Response {
    let p = palette(ui);
    let mut job = egui::text::LayoutJob::default();
    // A space, not a gap: the label is also read aloud.
    job.append(&format!("{word} "), 0.0, egui::TextFormat::simple(theme::body(), p.weak));
    job.append(value, 0.0, egui::TextFormat::simple(theme::mono(), p.text));
    ui.add(egui::Label::new(job).selectable(true).extend())
}

/// The link of *Act as…*, as a word with its shape.
pub(super) fn link_ui(ui: &mut Ui, state: &LinkState) {
    let (dot, text) = match state {
        LinkState::Connecting => (icons::Dot::Half, "acting: connecting".to_owned()),
        LinkState::Online { .. } => (icons::Dot::Filled, "acting: online".to_owned()),
        LinkState::Retrying { reason, in_ms } => {
            (icons::Dot::Half, format!("acting: lost ({reason}), next try in {} s", in_ms.div_ceil(1000)))
        }
        LinkState::PushedOut => (icons::Dot::Hollow, "acting: pushed out by another client".to_owned()),
        LinkState::Refused { reason } => (icons::Dot::Hollow, format!("acting: refused ({reason})")),
        LinkState::Closed => (icons::Dot::Hollow, "acting: stopped".to_owned()),
    };
    chip(ui, dot, &text);
}

fn acts_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let id = &tab.id;
    let saving = matches!(tab.save, SaveState::Sending { .. });
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(6.0, 4.0);
        let off = match (&tab.draft, saving) {
            (_, true) => Some("Saving".to_owned()),
            (None, _) => Some("Nothing is loaded yet".to_owned()),
            (Some(draft), _) => f.view.changes.outgoing(id, draft).as_ref().err().map(ToString::to_string),
        };
        let key = ui.ctx().format_shortcut(&super::keys::SAVE);
        if widgets::primary(ui, "Save", off.as_deref()).on_hover_text(key).clicked() {
            f.push(Action::Save(id.clone()));
        }
        if f.view.narrow {
            let has_changes = matches!(tab.pane, Pane::Desired | Pane::Tags | Pane::Reported);
            if has_changes && ui.add(egui::Button::selectable(f.view.changes_instead, "Changes")).clicked() {
                f.view.changes_instead = !f.view.changes_instead;
            }
        } else {
            discard_ui(f, ui, tab);
            reading_ui(f, ui, tab);
        }
        ui.menu_button("More", |ui| more_ui(f, ui, tab));
    });
}

fn discard_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let clean = (!tab.is_dirty()).then_some("There are no edits");
    if widgets::act(ui, "Discard", clean).clicked() {
        f.push(Action::Discard(tab.id.clone()));
    }
}

/// Reading again, watching, acting.
fn reading_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let id = &tab.id;
    let loading = tab.twin.is_loading().then_some("Loading");
    if widgets::act(ui, "Refresh", loading).on_hover_text("Reads the twin again and keeps the edits").clicked() {
        f.push(Action::Refresh(id.clone()));
    }
    let watch = ui.add(egui::Button::selectable(tab.watching, "Watch").frame_when_inactive(true));
    let watch = watch.on_hover_text("Reads the twin again and again and says what changed");
    if watch.clicked() {
        let on = if tab.watching { Watching::Off } else { Watching::On };
        f.push(Action::SetWatch { id: id.clone(), on });
    }
    if tab.act.is_none() {
        let name = if id.module.is_some() { "Act as module…" } else { "Act as device…" };
        if ui.button(name).clicked() {
            f.push(Action::ShowActAs(id.clone()));
        }
    }
}

fn more_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    let id = &tab.id;
    if f.view.narrow {
        discard_ui(f, ui, tab);
        reading_ui(f, ui, tab);
        ui.separator();
    }
    if id.module.is_none() && ui.button("Add module…").clicked() {
        f.push(Action::ShowAddModule { device: id.device.clone() });
    }
    if ui.button("Compare with…").clicked() {
        f.push(Action::Compare { id: id.clone(), act: CompareAct::Ask(None) });
    }
    if ui.button("Copy connection string").clicked() {
        f.push(Action::CopyConnectionString(id.clone()));
    }
    if id.module.is_none()
        && let Some(status) = tab.current().and_then(|twin| twin.status)
    {
        let (name, status) = match status {
            Status::Enabled => ("Disable", Status::Disabled),
            Status::Disabled => ("Enable", Status::Enabled),
        };
        if ui.button(name).clicked() {
            f.push(Action::SetStatus { id: id.clone(), status });
        }
    }
    if id.module.is_some() && ui.button("Open the device").clicked() {
        f.push(Action::OpenTwin(TwinId::device(id.device.clone())));
    }
    ui.separator();
    let off = match &tab.draft {
        None => Some("Nothing is loaded yet".to_owned()),
        Some(draft) => f.view.changes.outgoing(id, draft).as_ref().err().map(ToString::to_string),
    };
    let replace = widgets::act(ui, "Replace…", off.as_deref());
    if replace.on_hover_text("Writes tags and desired whole instead of what changed").clicked() {
        f.push(Action::ShowReplace(id.clone()));
    }
    if ui.button("Delete…").clicked() {
        f.push(Action::ShowDelete(id.clone()));
    }
}

fn sections_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    const PANES: [(Pane, &str); 9] = [
        (Pane::Desired, "Desired"),
        (Pane::Reported, "Reported"),
        (Pane::Tags, "Tags"),
        (Pane::Document, "Document"),
        (Pane::Identity, "Identity"),
        (Pane::Methods, "Methods"),
        (Pane::Messages, "Messages"),
        (Pane::History, "History"),
        (Pane::Compare, "Compare"),
    ];
    let tab_ui = if f.view.narrow { widgets::small_tab } else { widgets::tab };
    let panes_ui = |f: &mut Frame, ui: &mut Ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        for (pane, name) in PANES {
            if pane == Pane::Compare && tab.pane != pane && tab.compare.sides.is_empty() {
                continue;
            }
            if tab_ui(ui, tab.pane == pane, name).clicked() {
                f.push(Action::ShowPane(tab.id.clone(), pane));
            }
        }
    };
    let progress = progress(f, ui, tab);
    let has_changes = matches!(tab.pane, Pane::Desired | Pane::Tags | Pane::Reported);
    // At high zoom in a small window they break into lines, and the changes take the place of the text.
    if f.view.narrow {
        ui.horizontal_wrapped(|ui| {
            // Closer together: one line less is one line more of text.
            ui.spacing_mut().button_padding.x = 3.0;
            panes_ui(f, ui);
        });
        own_line_ui(f, ui, progress);
        return;
    }
    let left = ui.horizontal(|ui| {
        panes_ui(f, ui);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            if has_changes {
                hide_changes_ui(f, ui);
            }
            beside_ui(f, ui, progress)
        })
        .inner
    });
    own_line_ui(f, ui, left.inner);
}

fn hide_changes_ui(f: &mut Frame, ui: &mut Ui) {
    let hidden = f.view.layout.changes_hidden;
    let name = if hidden { "Show changes" } else { "Hide changes" };
    // Where the words do not fit, a sign stands for them.
    let clicked = if ui.available_width() > 104.0 {
        widgets::quiet(ui, name).clicked()
    } else {
        widgets::sign(ui, name, |painter, rect, p| {
            super::icons::arrow(painter, rect.center(), !hidden, p.weak);
        })
        .clicked()
    };
    if clicked {
        f.view.layout.changes_hidden = !hidden;
    }
}

/// Where the save stands and what became of it.
enum Progress {
    Nothing,
    /// Since when, and what it waits for.
    Saving(Key, Moment, Option<String>),
    Words(String, egui::Color32),
}

fn progress(f: &Frame, ui: &Ui, tab: &Tab) -> Progress {
    let p = palette(ui);
    let now = f.app.now;
    let (text, color) = match &tab.save {
        SaveState::Sending { key, since } => {
            return Progress::Saving(*key, *since, waiting::words(f, ui.ctx(), *key));
        }
        SaveState::Refused { why } => (format!("Not saved: {why}"), p.bad),
        SaveState::Failed { failure, write, .. } => (super::describe::not_done(*write, failure).to_owned(), p.bad),
        SaveState::Idle | SaveState::Saved { .. } => match (&tab.landing, &tab.watch_problem, &tab.save) {
            // What was saved before says nothing of what is typed now.
            (Some(landing), _, _) if !(tab.is_dirty() && landing.is_over()) => {
                let offline = f.app.is_offline();
                let color = match landing {
                    landing if landing.refusal.is_some() => p.warn,
                    landing if landing.reported_at.is_some() => p.good,
                    _ if offline => p.weak,
                    landing if landing.timed_out => p.warn,
                    _ => p.good,
                };
                (changes::landing_words(ui.ctx(), now, landing, offline), color)
            }
            (_, Some(problem), _) => (format!("Watch: {problem}; trying again"), p.warn),
            (_, None, SaveState::Saved { at }) if !tab.is_dirty() => {
                (format!("Saved {}", when::ago(ui.ctx(), now, *at)), p.good)
            }
            _ => return Progress::Nothing,
        },
    };
    Progress::Words(text, color)
}

/// Beside the sections, so that nothing jumps. Returns what did not fit there.
fn beside_ui(f: &mut Frame, ui: &mut Ui, progress: Progress) -> Progress {
    match progress {
        Progress::Saving(_, since, None) => widgets::spinner(ui, f.app.now, since, "Saving"),
        Progress::Saving(key, since, Some(waits)) => {
            const SPINNER_AND_CANCEL: f32 = 96.0;
            let width = widgets::clipped(ui, &waits, theme::body(), palette(ui).weak, f32::INFINITY).size().x;
            if width + SPINNER_AND_CANCEL > ui.available_width() {
                return Progress::Saving(key, since, Some(waits));
            }
            // From the right.
            cancel_ui(f, ui, key);
            widgets::spinner(ui, f.app.now, since, &waits);
        }
        Progress::Words(text, color) => {
            let width = widgets::clipped(ui, &text, theme::body(), color, f32::INFINITY).size().x;
            if width > ui.available_width() {
                return Progress::Words(text, color);
            }
            ui.label(crate::ui::widgets::shown(text).color(color));
        }
        Progress::Nothing => {}
    }
    Progress::Nothing
}

fn cancel_ui(f: &mut Frame, ui: &mut Ui, key: Key) {
    if ui.button("Cancel").accessible_name("Cancel saving").clicked() {
        f.push(Action::Cancel(key));
    }
}

fn own_line_ui(f: &mut Frame, ui: &mut Ui, progress: Progress) {
    match progress {
        Progress::Saving(_, since, None) => widgets::spinner(ui, f.app.now, since, "Saving"),
        Progress::Saving(key, since, Some(waits)) => {
            ui.horizontal(|ui| {
                widgets::spinner(ui, f.app.now, since, &waits);
                cancel_ui(f, ui, key);
            });
        }
        Progress::Words(text, color) => {
            ui.add(egui::Label::new(crate::ui::widgets::shown(text).color(color)).wrap());
        }
        Progress::Nothing => {}
    }
}
