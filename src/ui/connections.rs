//! The hubs the program knows, and adding one by its connection string.

use super::describe::describe;
use super::dialogs::{self, Leave, acts, modal};
use super::icons::{self, Dot};
use super::theme::{self, palette};
use super::widgets::{self, Tone};
use super::{Frame, describe};
use crate::app::dialog::{AddConnection, Check, Field, Renewal};
use crate::app::{Action, HubState};
use crate::protocol::connection_string::paste::Healing;
use crate::protocol::connection_string::{ConnectionString, Who};
use crate::protocol::secret::Secret;
use crate::worker::event::{CheckReport, HubEntry, SecretStore};
use crate::worker::{Connect, Failure, HubRef, KeyPlace};
use egui::{Context, Id, RichText, Ui};

pub(super) fn list_ui(f: &mut Frame, ctx: &Context) -> bool {
    let fresh = f.view.take_fresh("Connections");
    modal(ctx, "Connections", 560.0, Leave::OnBackdrop, |ui| {
        if f.app.hubs.is_empty() {
            widgets::weak(ui, "The list of hubs is on its way");
        }
        let height = ui.ctx().content_rect().height() - 260.0;
        dialogs::list(height.max(80.0)).show(ui, |ui| {
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
            let acts = if entry.has_secret { 190.0 } else { 290.0 };
            ui.set_width((ui.available_width() - acts).max(120.0));
            ui.add(egui::Label::new(crate::ui::widgets::shown(&entry.name).font(theme::strong())).truncate());
            // What is wrong comes first: there is little room.
            let text = if entry.has_secret {
                format!("{} · {} · {word}", entry.host, entry.policy)
            } else {
                format!("{word} · {} · {}", entry.host, entry.policy)
            };
            ui.add(egui::Label::new(crate::ui::widgets::shown(text).font(theme::small()).color(p.weak)).truncate());
        });
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if let HubRef::Saved(id) = &entry.hub
                && ui.button("Remove…").accessible_name(format!("Remove {}…", entry.name)).clicked()
            {
                f.push(Action::RemoveConnection { id: id.clone() });
            }
            if let HubRef::Saved(id) = &entry.hub
                && !entry.has_secret
                && ui.button("Paste key…").accessible_name(format!("Paste the key of {}…", entry.name)).clicked()
            {
                f.push(Action::ShowNewKey { id: id.clone() });
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

/// Where a hub cannot be opened for want of its key: a way to give it.
pub(super) fn paste_key_ui(f: &mut Frame, ui: &mut Ui, failure: &Failure) {
    if let Failure::NoKey { id, .. } = failure
        && ui.button("Paste the key…").clicked()
    {
        f.push(Action::ShowNewKey { id: id.clone() });
    }
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
    let name = if form.renews.is_some() { "Paste the key" } else { "Add connection…" };
    let fresh = f.view.take_fresh(name);
    modal(ctx, name, 560.0, Leave::Deliberately, |ui| {
        form_ui(f, ui, form, fresh);
        ui.add_space(8.0);
        check_ui(f, ui, form);
        buttons_ui(f, ui, form);
    })
}

fn form_ui(f: &mut Frame, ui: &mut Ui, form: &AddConnection, fresh: bool) {
    let width = ui.available_width();
    match &form.renews {
        None => {
            widgets::weak(ui, "Connection string of a policy: HostName=…;SharedAccessKeyName=…;SharedAccessKey=…");
        }
        Some(renewal) => {
            let Renewal { name, host, policy, .. } = &**renewal;
            let text =
                format!("The key of policy {policy} of {name}, {host}, or a whole connection string of that hub");
            ui.add(egui::Label::new(RichText::new(text).color(palette(ui).weak)).wrap());
        }
    }
    let mut text = form.connection_string.reveal().to_owned();
    let id = Id::unique("connection-string");
    let response = super::field::masked(ui, &mut text, id, theme::mono(), width).accessible_name("Connection string");
    if fresh {
        response.request_focus();
    }
    if response.changed() {
        f.push(Action::SecretText(Secret::new(text)));
    }
    understood_ui(ui, form);
    ui.add_space(4.0);
    if form.renews.is_none() {
        details_ui(f, ui, form);
    }
    let where_to = match &f.app.secrets {
        // Why, and what can be done, is said below.
        _ if matches!(form.check, Check::Bad { failure: Failure::KeyNotKept { .. }, .. }) => {
            "The connection is not kept yet".to_owned()
        }
        Some(SecretStore::SessionOnly { why }) => format!("The key will be kept for this session only: {why}"),
        _ => "The key will be kept in the keyring of the operating system".to_owned(),
    };
    let color = palette(ui).weak;
    ui.add(egui::Label::new(RichText::new(where_to).color(color)).wrap());
}

fn details_ui(f: &mut Frame, ui: &mut Ui, form: &AddConnection) {
    let width = ui.available_width();
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
}

/// Below the field: what was understood of it, or what is wrong with it. The line is there while nothing is typed too.
fn understood_ui(ui: &mut Ui, form: &AddConnection) {
    let p = palette(ui);
    let (said, color) = match (&form.problem, form.understood()) {
        (Some(problem), _) => (describe::sentence(problem), p.bad),
        (None, Ok(read)) => {
            let undone: Vec<&str> = read.healed.iter().map(|healing| healed(*healing)).collect();
            let mut said = names(&read.connection);
            if !undone.is_empty() {
                said = format!("{said}. Left out: {}", undone.join(", "));
            }
            (said, p.text)
        }
        (None, Err(_)) => ("Hub and policy are shown here; the key stays hidden".to_owned(), p.weak),
    };
    ui.add(egui::Label::new(crate::ui::widgets::shown(said).color(color)).wrap());
}

fn names(connection: &ConnectionString) -> String {
    match &connection.who {
        Who::Service { policy, .. } => format!("Hub {}, policy {policy}", connection.host_name),
        Who::Identity { id, .. } => format!("{id} on {}", connection.host_name),
    }
}

/// What was undone in a pasted text.
fn healed(healing: Healing) -> &'static str {
    match healing {
        Healing::Surroundings => "the text around it",
        Healing::Breaks => "line breaks and spaces",
        Healing::Invisible => "invisible characters",
        Healing::Escapes => "escapes",
        Healing::Separators => "what stood between the parts",
        Healing::Repeated => "the other strings of this policy",
    }
}

/// The form as the worker takes it.
fn connect(f: &Frame, form: &AddConnection) -> Connect {
    let ca = form.ca_file.trim();
    // What was understood: of a renewal, the key may stand alone in the field.
    let string = form.understood().map_or_else(|_| form.connection_string.clone(), |read| read.connection.reveal());
    Connect {
        name: form.name.trim().to_owned(),
        connection_string: string,
        ca_file: (!ca.is_empty()).then(|| ca.into()),
        renews: form.renews.as_ref().map(|renewal| renewal.id.clone()),
        key: match f.app.secrets {
            Some(SecretStore::SessionOnly { .. }) => KeyPlace::Session,
            _ => KeyPlace::Keyring,
        },
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
            f.push(Action::AddConnection(connect(f, form)));
        }
        if widgets::act(ui, "Check", off)
            .on_hover_text("Form, reachability, certificate, key and permissions")
            .clicked()
        {
            f.push(Action::CheckConnection(connect(f, form)));
        }
        if ui.button("Cancel").clicked() {
            f.push(Action::CloseDialog);
        }
    });
}

fn check_ui(f: &mut Frame, ui: &mut Ui, form: &AddConnection) {
    match &form.check {
        Check::NotYet => {}
        Check::Running { key, .. } | Check::Adding { key, .. } => {
            let word = if matches!(form.check, Check::Adding { .. }) { "Connecting" } else { "Checking" };
            let since = f.app.running.get(key).map_or(f.app.now, |running| running.since);
            widgets::spinner(ui, f.app.now, since, word);
        }
        Check::Good { report, .. } => report_ui(ui, report),
        Check::Bad { failure, connect } => {
            widgets::failure_banner(ui, &describe(failure), |_| {});
            if let (Failure::KeyNotKept { .. }, Some(connect)) = (failure, connect) {
                not_kept_ui(f, ui, connect);
            } else if let Some(connect) = connect
                && ui.button("Keep it anyway").on_hover_text("Adds the connection although the check failed").clicked()
            {
                f.push(Action::KeepConnection(connect.clone()));
            }
        }
    }
}

/// The keyring did not take the key: the person decides.
fn not_kept_ui(f: &mut Frame, ui: &mut Ui, connect: &Connect) {
    ui.horizontal(|ui| {
        for (name, hint, key) in [
            ("Keep it for this session only", "It has to be pasted again after the next start", KeyPlace::Session),
            ("Try the keyring again", "After it was unlocked or mended", KeyPlace::Keyring),
        ] {
            if ui.button(name).on_hover_text(hint).clicked() {
                f.push(Action::KeepConnection(Connect { key, ..connect.clone() }));
            }
        }
    });
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
