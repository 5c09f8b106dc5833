//! *Compare with…*: every device and module, the versions seen of this twin, and twins of hubs opened before.

use super::super::Frame;
use super::super::palette::{Choice, Line, choose_ui, finding_ui, fitting, fresh_ids, none_of};
use super::super::{dialogs::Leave, dialogs::modal, when};
use crate::app::compare::{CompareAct, Other};
use crate::app::{Action, Tab};
use crate::disk::journal::EntryKey;
use crate::twin::TwinId;
use egui::Context;

const NAME: &str = "Compare with";
/// Lines offered of each kind.
const OFFERED: usize = 50;

pub(in super::super) fn ui(f: &mut Frame, ctx: &Context, id: &TwinId, version: Option<EntryKey>, text: &str) -> bool {
    let fresh = f.view.take_fresh(NAME);
    let offer = |text: String, act: CompareAct| Choice::act(text, Action::Compare { id: id.clone(), act });
    let with = |text: String, other: Other| offer(text, CompareAct::With { other, version });
    let mut choices = Vec::new();
    if let Some(version) = version {
        choices.push(offer(format!("{id} as it is now"), CompareAct::WithVersion(version)));
    }
    let ids = fresh_ids(f, text, OFFERED, fresh);
    choices
        .extend(ids.into_iter().filter(|other| other != id).map(|other| with(other.to_string(), Other::Twin(other))));
    let mut more: Vec<Choice> = f
        .app
        .elsewhere()
        .map(|(hub, name, other)| {
            with(format!("{other} at {name}, as read there"), Other::Elsewhere { hub: hub.clone(), id: other.clone() })
        })
        .collect();
    if version.is_none() {
        more.extend(
            f.app
                .tab(id)
                .map(versions)
                .unwrap_or_default()
                .into_iter()
                .map(|(text, key)| offer(text, CompareAct::WithVersion(key))),
        );
    }
    choices.extend(fitting(more, text));
    modal(ctx, NAME, 520.0, Leave::OnBackdrop, |ui| {
        let field = Line { name: "Twin or version", text, hint: "Type a part of an id, or a version", fresh };
        choose_ui(f, ui, &field, choices, none_of(f.app, "No device, module or version fits"));
        finding_ui(f, ui);
    })
}

/// Newest first.
fn versions(tab: &Tab) -> Vec<(String, EntryKey)> {
    let entries = tab.history.timeline.value().map(|timeline| timeline.entries.as_slice()).unwrap_or_default();
    let word = |entry: &crate::disk::journal::Entry| {
        format!("Version {} of {}, {} UTC", entry.version, tab.id, when::stamp(entry.at_ms))
    };
    entries.iter().rev().take(OFFERED).map(|entry| (word(entry), entry.key())).collect()
}
