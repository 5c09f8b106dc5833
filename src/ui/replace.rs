//! *Replace…*: says what goes when the text takes the place of what the hub has, and asks.

use super::copy_as;
use super::dialogs::{self, Leave, acts, modal};
use super::theme::{self, palette};
use super::{Frame, when, widgets};
use crate::app::Action;
use crate::copy_as::Method;
use crate::twin::draft::Draft;
use crate::twin::replace::Replacement;
use crate::twin::text::compact;
use crate::twin::{Etag, TwinId};
use egui::{Context, RichText, Ui};

/// Paths that are listed; of more, the count is said.
const LISTED: usize = 500;

/// Of a value that goes so many characters are shown.
const VALUE_CHARS: usize = 80;

pub(super) fn ui(f: &mut Frame, ctx: &Context, id: &TwinId, shown: &Etag, moved: bool) -> bool {
    let fresh = f.view.take_fresh("Replace…");
    let draft = f.app.tab(id).and_then(|tab| tab.draft.as_ref());
    let replacement = draft.map(Draft::replacement);
    modal(ctx, "Replace…", 520.0, Leave::OnBackdrop, |ui| {
        match (&replacement, draft) {
            (Some(Ok(replacement)), Some(draft)) => question_ui(f, ui, draft, replacement, moved),
            (Some(Err(refusal)), _) => wrapped(ui, refusal.to_string()),
            _ => wrapped(ui, "Nothing is loaded yet"),
        }
        let off = (!matches!(replacement, Some(Ok(_)))).then_some("There is nothing to send");
        acts(ui, |ui| {
            let keep = widgets::primary(ui, "Keep editing", None);
            if keep.clicked() {
                f.push(Action::CloseDialog);
            }
            if fresh {
                keep.request_focus();
            }
            // It writes over everything: not a button like the others.
            if danger(ui, "Replace twin", off).clicked() {
                f.push(Action::Replace { id: id.clone(), shown: shown.clone() });
            }
            if off.is_none() {
                copy_as::menu_ui(f, ui, id, Method::Put);
            }
        });
    })
}

fn wrapped(ui: &mut Ui, text: impl Into<String>) {
    ui.add(egui::Label::new(text.into()).wrap());
}

fn danger(ui: &mut Ui, name: &str, off: Option<&str>) -> egui::Response {
    let Some(why) = off else {
        let bad = palette(ui).bad;
        let name = RichText::new(name).color(bad);
        return ui.add(egui::Button::new(name).stroke(egui::Stroke::new(1.0, bad)));
    };
    widgets::act(ui, name, Some(why))
}

fn question_ui(f: &Frame, ui: &mut Ui, draft: &Draft, replacement: &Replacement, moved: bool) {
    let id = &draft.base.id;
    let p = palette(ui);
    if moved {
        let text = "The hub moved while you were asked: this is the question anew";
        ui.add(egui::Label::new(RichText::new(text).color(p.warn)).wrap());
        ui.add_space(4.0);
    }
    let out = &replacement.outgoing;
    let bytes = when::count(out.bytes, "byte");
    let what = format!(
        "The whole of tags and desired of {id} is written anew, as both texts say: {bytes}, by PUT. Save would send only the {} that changed.",
        when::count(out.paths, "path")
    );
    wrapped(ui, what);
    ui.add_space(4.0);
    wrapped(ui, "Every property counts as updated now, and a connected device is sent all of desired. Reported stays.");
    ui.add_space(8.0);
    if replacement.removed.is_empty() {
        widgets::heading(ui, "Nothing is removed");
    } else {
        widgets::heading(ui, &format!("{} removed", goes(replacement.removed.len())));
        let height = (ui.ctx().content_rect().height() - 420.0).clamp(48.0, 160.0);
        dialogs::list(height).id_salt("removed").show(ui, |ui| {
            for (section, path) in replacement.removed.iter().take(LISTED) {
                let value =
                    path.find(draft.base.section(*section)).map(|value| cut(&compact(value))).unwrap_or_default();
                let text = format!("− {} {path}: {value}", section.word());
                let text = RichText::new(text).font(theme::mono()).color(p.bad);
                ui.add(egui::Label::new(text).wrap().selectable(true));
            }
            if replacement.removed.len() > LISTED {
                widgets::weak(ui, format!("and {} more", when::grouped(replacement.removed.len() - LISTED)));
            }
        });
    }
    ui.add_space(8.0);
    copy_as::head_ui(f, ui, id, Method::Put, out);
}

fn goes(count: usize) -> String {
    format!("{} {}", when::count(count, "path"), if count == 1 { "is" } else { "are" })
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
