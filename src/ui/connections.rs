//! The hubs the program knows, and adding one by its connection string.

use super::describe::describe;
use super::dialogs::{Leave, acts, modal};
use super::icons::{self, Dot};
use super::theme::{self, palette};
use super::widgets::{self, Tone};
use super::{Frame, describe};
use crate::app::dialog::{AddConnection, Check, Field};
use crate::app::{Action, HubState};
use crate::protocol::secret::Secret;
use crate::worker::event::{CheckReport, HubEntry, SecretStore};
use crate::worker::{Connect, HubRef};
use egui::{Context, Id, Ui};

pub(super) fn list_ui(f: &mut Frame, ctx: &Context) -> bool {
    let fresh = f.view.take_fresh("Connections");
    modal(ctx, "Connections", 560.0, Leave::OnBackdrop, |ui| {
        if f.app.hubs.is_empty() {
            widgets::weak(ui, "The list of hubs is on its way");
        }
        let height = ui.ctx().content_rect().height() - 260.0;
        egui::ScrollArea::vertical().max_height(height.max(80.0)).show(ui, |ui| {
            for (n, entry) in f.app.hubs.iter().enumerate() {
                entry_ui(f, ui, entry, fresh && n == 0);
                ui.separator();
            }
        });
        if let Some(SecretStore::SessionOnly { why }) = &f.app.secrets {
            let color = palette(ui).warn;
            let text = format!("Keys are kept for this session only: {why}");
            ui.add(egui::Label::new(crate::ui::widgets::shown(text).color(color)).wrap());
        } else if f.app.secrets.is_some() {
            widgets::weak(ui, "Keys are kept in the keyring of the operating system");
        }
        if let Some(Err(why)) = &f.app.local_hub {
            widgets::banner(ui, Tone::Bad, &format!("The local hub did not start: {why}"), |_| {});
        }
        acts(ui, |ui| {
            if ui.button("Close").clicked() {
                f.push(Action::CloseDialog);
            }
            if widgets::primary(ui, "Add connection…", None).clicked() {
                f.push(Action::ShowAddConnection);
            }
        });
    })
}

fn entry_ui(f: &mut Frame, ui: &mut Ui, entry: &HubEntry, focus: bool) {
    let open = matches!(&f.app.hub, HubState::Open(info) if info.hub == entry.hub);
    let opening = matches!(&f.app.hub, HubState::Opening { hub, .. } if *hub == entry.hub);
    ui.horizontal(|ui| {
        let p = palette(ui);
        let (rect, _) = ui.allocate_exact_size(egui::vec2(12.0, theme::ROW), egui::Sense::hover());
        let (dot, word) = match (open, opening, entry.has_secret) {
            (true, ..) => (Dot::Filled, "open"),
            (_, true, _) => (Dot::Half, "connecting"),
            (_, _, false) => (Dot::Hollow, "its key is not at hand"),
            _ => (Dot::Hollow, "not open"),
        };
        icons::dot(ui.painter(), rect.center(), dot, p);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.set_width((ui.available_width() - 190.0).max(120.0));
            ui.add(egui::Label::new(crate::ui::widgets::shown(&entry.name).font(theme::strong())).truncate());
            let text = format!("{} · {} · {word}", entry.host, entry.policy);
            ui.add(egui::Label::new(crate::ui::widgets::shown(text).font(theme::small()).color(p.weak)).truncate());
        });
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if let HubRef::Saved(id) = &entry.hub
                && ui.button("Remove…").accessible_name(format!("Remove {}…", entry.name)).clicked()
            {
                f.push(Action::RemoveConnection { id: id.clone() });
            }
            let off = if open { Some("It is open") } else { opening.then_some("It is being opened") };
            let button = widgets::act(ui, "Open", off).accessible_name(format!("Open {}", entry.name));
            if focus && off.is_none() {
                button.request_focus();
            }
            if button.clicked() {
                f.push(Action::OpenHub(entry.hub.clone()));
            }
        });
    });
}

pub(super) fn remove_ui(f: &mut Frame, ctx: &Context, id: &str, name: &str) -> bool {
    let fresh = f.view.take_fresh("Remove the connection?");
    modal(ctx, "Remove the connection?", 440.0, Leave::OnBackdrop, |ui| {
        let text = format!("{name} and its key are forgotten here. The hub itself is not touched.");
        ui.add(egui::Label::new(text).wrap());
        acts(ui, |ui| {
            if ui.button("Remove").clicked() {
                f.push(Action::RemoveConnection { id: id.to_owned() });
            }
            let keep = widgets::primary(ui, "Keep", None);
            if fresh {
                keep.request_focus();
            }
            if keep.clicked() {
                f.push(Action::ShowConnections);
            }
        });
    })
}

pub(super) fn add_ui(f: &mut Frame, ctx: &Context, form: &AddConnection) -> bool {
    let fresh = f.view.take_fresh("Add connection…");
    modal(ctx, "Add connection…", 560.0, Leave::Deliberately, |ui| {
        form_ui(f, ui, form, fresh);
        ui.add_space(8.0);
        check_ui(f, ui, form);
        buttons_ui(f, ui, form);
    })
}

fn form_ui(f: &mut Frame, ui: &mut Ui, form: &AddConnection, fresh: bool) {
    let width = ui.available_width();
    widgets::weak(ui, "Connection string of a policy: HostName=…;SharedAccessKeyName=…;SharedAccessKey=…");
    let mut text = form.connection_string.reveal().to_owned();
    let id = Id::unique("connection-string");
    let response = super::field::masked(ui, &mut text, id, theme::mono(), width).accessible_name("Connection string");
    if fresh {
        response.request_focus();
    }
    if response.changed() {
        f.push(Action::SecretText(Secret::new(text)));
    }
    if let Some(problem) = &form.problem {
        let color = palette(ui).bad;
        ui.add(egui::Label::new(crate::ui::widgets::shown(describe::sentence(problem)).color(color)).wrap());
    }
    ui.add_space(4.0);
    for (salt, name, hint, field, value) in [
        ("connection-name", "Name", "The host's first label, if left empty", Field::Name, &form.name),
        (
            "connection-ca",
            "Certificate file",
            "Only for a hub with its own root: a PEM file",
            Field::CaFile,
            &form.ca_file,
        ),
    ] {
        widgets::weak(ui, name);
        let (_, changed) = widgets::field(ui, Id::unique(salt), name, value, hint, width);
        if let Some(text) = changed {
            f.push(Action::DialogText { field, text });
        }
    }
    if ui.button("Browse…").on_hover_text("Choose the certificate file").clicked() {
        f.push(Action::BrowseCertificate);
    }
    let where_to = match &f.app.secrets {
        Some(SecretStore::SessionOnly { why }) => format!("The key will be kept for this session only: {why}"),
        _ => "The key will be kept in the keyring of the operating system".to_owned(),
    };
    let color = palette(ui).weak;
    ui.add(egui::Label::new(crate::ui::widgets::shown(where_to).color(color)).wrap());
}

/// The form as the worker takes it.
fn connect(form: &AddConnection) -> Connect {
    let ca = form.ca_file.trim();
    Connect {
        name: form.name.trim().to_owned(),
        connection_string: form.connection_string.clone(),
        ca_file: (!ca.is_empty()).then(|| ca.into()),
    }
}

fn buttons_ui(f: &mut Frame, ui: &mut Ui, form: &AddConnection) {
    let off = match &form.check {
        _ if form.connection_string.is_empty() => Some("Paste a connection string first"),
        _ if form.problem.is_some() => Some("The connection string is not right yet"),
        Check::Running { .. } => Some("Checking"),
        Check::Adding { .. } => Some("Connecting"),
        _ => None,
    };
    acts(ui, |ui| {
        if widgets::primary(ui, "Connect", off).clicked() {
            f.push(Action::AddConnection(connect(form)));
        }
        if widgets::act(ui, "Check", off)
            .on_hover_text("Form, reachability, certificate, key and permissions")
            .clicked()
        {
            f.push(Action::CheckConnection(connect(form)));
        }
        if ui.button("Cancel").clicked() {
            f.push(Action::CloseDialog);
        }
    });
}

fn check_ui(f: &mut Frame, ui: &mut Ui, form: &AddConnection) {
    match &form.check {
        Check::NotYet => {}
        Check::Running { key, .. } | Check::Adding { key } => {
            let word = if matches!(form.check, Check::Adding { .. }) { "Connecting" } else { "Checking" };
            let since = f.app.running.get(key).map_or(f.app.now, |running| running.since);
            widgets::spinner(ui, f.app.now, since, word);
        }
        Check::Good { report, .. } => report_ui(ui, report),
        Check::Bad { failure, connect } => {
            widgets::failure_banner(ui, &describe(failure), |_| {});
            if let Some(connect) = connect
                && ui.button("Keep it anyway").on_hover_text("Adds the connection although the check failed").clicked()
            {
                f.push(Action::KeepConnection(connect.clone()));
            }
        }
    }
}

fn report_ui(ui: &mut Ui, report: &CheckReport) {
    let text = format!("{} answered in {} ms as policy {}", report.host, report.ms, report.policy);
    widgets::banner(ui, Tone::Good, &text, |_| {});
    ui.horizontal_wrapped(|ui| {
        for (permission, allowed) in &report.permissions {
            let p = palette(ui);
            let (word, color) = match allowed {
                Some(true) => ("yes", p.good),
                Some(false) => ("no", p.bad),
                None => ("cannot be told", p.weak),
            };
            ui.label(crate::ui::widgets::shown(format!("{permission}: {word}")).color(color));
        }
    });
    if let Some(ahead) = report.clock_ahead_s.filter(|ahead| ahead.abs() > 60) {
        let side = if ahead > 0 { "ahead of" } else { "behind" };
        let text = format!("This machine's clock is {} s {side} the hub's", ahead.abs());
        widgets::banner(ui, Tone::Warn, &text, |_| {});
    }
}
