//! What a write looks like on the wire, and the menu that copies it as a program.

use super::theme::{self, palette};
use super::{Frame, widgets};
use crate::app::{Action, HubState};
use crate::copy_as::{Authority, Language, Method, Save};
use crate::twin::TwinId;
use crate::twin::draft::Outgoing;
use egui::{RichText, Ui};

/// Request line and headers, to be read and selected.
pub(super) fn head_ui(f: &Frame, ui: &mut Ui, id: &TwinId, method: Method, outgoing: &Outgoing) {
    let HubState::Open(info) = &f.app.hub else { return };
    let save = Save {
        host: &info.host,
        authority: Authority::Public,
        id,
        method,
        body: &outgoing.body,
        if_match: &outgoing.if_match,
    };
    let color = palette(ui).weak;
    ui.add(egui::Label::new(RichText::new(save.head()).font(theme::small_mono()).color(color)).wrap().selectable(true));
}

/// *Copy as*: one entry for each language.
pub(super) fn menu_ui(f: &mut Frame, ui: &mut Ui, id: &TwinId, method: Method) {
    let menu = ui.menu_button("Copy as", |ui| {
        for language in Language::ALL {
            if ui.button(language.word()).clicked() {
                f.push(Action::CopyAs { id: id.clone(), method, language });
            }
        }
        widgets::weak(ui, "Without a secret");
    });
    menu.response.on_hover_text("Copies a program that makes exactly this save");
}
