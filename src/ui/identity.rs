//! The identity record: who this is to the hub, with its keys masked until they are held open.

use super::describe::describe;
use super::theme::{self, palette};
use super::{Frame, widgets};
use crate::app::{Action, Remote, Tab};
use crate::protocol::identity::{Identity, NEVER};
use crate::protocol::secret::Secret;
use egui::{Key, ScrollArea, Ui};

pub(super) fn ui(f: &mut Frame, ui: &mut Ui, tab: &Tab) {
    egui::Frame::new().inner_margin(egui::Margin::same(12)).show(ui, |ui| {
        if let Remote::Failed { failure, .. } = &tab.identity {
            let said = describe(failure);
            widgets::failure_banner(ui, &said, |ui| {
                if ui.button("Try again").clicked() {
                    f.push(Action::LoadIdentity(tab.id.clone()));
                }
            });
        }
        match (&tab.identity, tab.identity.value()) {
            (_, Some(identity)) => {
                ScrollArea::both()
                    .id_salt("identity")
                    .auto_shrink(false)
                    .show(ui, |ui| record_ui(f, ui, tab, identity));
            }
            (Remote::Loading { since, .. }, None) => widgets::spinner(ui, f.app.now, *since, "Loading the record"),
            (Remote::Failed { .. }, None) => {}
            _ => {
                widgets::empty(
                    ui,
                    "Not loaded",
                    "The record holds the keys, so it is read only when asked for",
                    |ui| {
                        if ui.button("Load the record").clicked() {
                            f.push(Action::LoadIdentity(tab.id.clone()));
                        }
                    },
                );
            }
        }
    });
}

fn record_ui(f: &mut Frame, ui: &mut Ui, tab: &Tab, record: &Identity) {
    egui::Grid::new("identity").num_columns(2).spacing([24.0, 6.0]).min_col_width(140.0).show(ui, |ui| {
        row(ui, "Device", &record.id.device);
        if let Some(module) = &record.id.module {
            row(ui, "Module", module);
        }
        row(ui, "Generation", &record.generation_id);
        row(ui, "Etag of the record", &record.etag.quoted());
        if record.id.module.is_none() {
            row(ui, "Status", record.status.word());
            row(ui, "Status reason", record.status_reason.as_deref().unwrap_or("none"));
            row(ui, "Status since", moment(&record.status_updated_time));
        }
        row(ui, "Connection", record.connection_state.word());
        row(ui, "Connection since", moment(&record.connection_state_updated_time));
        row(ui, "Last activity", moment(&record.last_activity_time));
        row(ui, "Messages waiting", &record.cloud_to_device_message_count.to_string());
        row(ui, "Authentication", record.authentication.kind.word());
        if record.iot_edge {
            row(ui, "Edge", "yes");
        }
        for (word, value) in [
            ("Device scope", record.device_scope.as_ref()),
            ("Managed by", record.managed_by.as_ref()),
            ("Primary thumbprint", record.authentication.primary_thumbprint.as_ref()),
            ("Secondary thumbprint", record.authentication.secondary_thumbprint.as_ref()),
        ] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                row(ui, word, value);
            }
        }
        for (word, key) in [
            ("Primary key", record.authentication.primary_key.as_ref()),
            ("Secondary key", record.authentication.secondary_key.as_ref()),
        ] {
            if let Some(key) = key {
                key_row(f, ui, word, key);
            }
        }
    });
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        if record.authentication.primary_key.is_some() && ui.button("Copy connection string").clicked() {
            f.push(Action::CopyConnectionString(tab.id.clone()));
        }
        if ui.button("Reload the record").clicked() {
            f.push(Action::LoadIdentity(tab.id.clone()));
        }
    });
}

fn moment(text: &str) -> &str {
    if text.starts_with(NEVER.trim_end_matches('Z')) { "never" } else { text }
}

fn row(ui: &mut Ui, word: &str, value: &str) {
    widgets::weak(ui, word);
    ui.add(egui::Label::new(crate::ui::widgets::shown(value).font(theme::mono())).selectable(true).extend());
    ui.end_row();
}

fn key_row(f: &mut Frame, ui: &mut Ui, word: &str, key: &Secret) {
    widgets::weak(ui, word);
    ui.horizontal(|ui| {
        let id = egui::Id::unique(("reveal", word));
        let shown = ui.data(|d| d.get_temp::<bool>(id)).unwrap_or(false);
        let masked = "•".repeat(24);
        let text = if shown { key.reveal() } else { masked.as_str() };
        let color = palette(ui).text;
        let width = 360.0_f32.min(ui.available_width() - 200.0).max(120.0);
        let galley = widgets::clipped(ui, text, theme::mono(), color, width);
        let (rect, response) = ui.allocate_exact_size(egui::vec2(width, theme::ROW), egui::Sense::hover());
        ui.painter().galley(egui::pos2(rect.left(), rect.center().y - galley.size().y / 2.0), galley, color);
        let name = format!("{word}, {}", if shown { "revealed" } else { "masked" });
        response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Label, true, &name));
        let reveal = ui.button("Hold to reveal").accessible_name(format!("Hold to reveal the {}", word.to_lowercase()));
        let held = reveal.is_pointer_button_down_on() || reveal.has_focus() && ui.input(|i| i.key_down(Key::Space));
        if held != shown {
            ui.data_mut(|d| d.insert_temp(id, held));
            ui.ctx().request_repaint();
        }
        if ui.button("Copy").accessible_name(format!("Copy the {}", word.to_lowercase())).clicked() {
            f.copy_secret(ui.ctx(), key.reveal());
        }
    });
    ui.end_row();
}
