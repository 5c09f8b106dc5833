//! Somebody else changes an open twin: an untouched text follows by itself, a touched one is never replaced.

use super::program::Program;
use super::second::Second;
use crate::worker::rig::OwnHub;
use egui::accesskit::Role;
use serde_json::json;
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;

fn open() -> (OwnHub, Second, Program, TwinId) {
    let hub = OwnHub::start(FleetChoice::Empty);
    let second = Second::at(&hub);
    let id = TwinId::device("thermostat");
    second.create(&id);
    second.patch(&id, json!({ "telemetryInterval": 60, "mode": "auto" }));
    let mut program = Program::on(&hub);
    program.open("thermostat");
    (hub, second, program, id)
}

#[test]
fn an_untouched_text_follows() {
    let (_hub, second, mut program, id) = open();
    let saved = second.patch(&id, json!({ "telemetryInterval": 90, "mode": null }));
    program.until("their change", |program| program.json("Desired JSON") == json!({ "telemetryInterval": 90 }));
    assert_eq!(program.version(), saved.version);
    assert_eq!(program.etag(), saved.etag.quoted());
    assert!(!program.can(Role::Button, "Save"));
    assert!(program.says("seen by the watch"), "{:?}", program.said());
    assert!(program.says("telemetryInterval changed: 60 → 90"), "{:?}", program.said());
    assert!(program.says("mode removed: \"auto\""), "{:?}", program.said());
}

#[test]
fn an_edit_stays_under_a_banner_and_the_rest_of_the_text_follows() {
    let (_hub, second, mut program, id) = open();
    let text = |interval: u32| format!("{{\n  \"telemetryInterval\": {interval},\n  \"mode\": \"eco\"\n}}");
    program.edit(&text(60));
    second.patch(&id, json!({ "telemetryInterval": 90 }));
    program.until("the banner", |program| program.says("The hub moved to version"));
    assert!(program.says("none of them yours"), "{:?}", program.said());
    program.until("their value", |program| program.text("Desired JSON") == text(90));
    assert!(program.says("Line 2, telemetryInterval changed on the hub: 60 → 90"), "{:?}", program.said());

    second.patch(&id, json!({ "mode": "turbo" }));
    program.until("the clash", |program| program.says("1 of them edited here too"));
    assert_eq!(program.text("Desired JSON"), text(90));
    program.click(Role::Button, "Resolve…");
    program.until("the comparison", |program| program.has(Role::Dialog, "The hub has a newer version"));
    assert_eq!(second.desired(&id), json!({ "telemetryInterval": 90, "mode": "turbo" }));
}

#[test]
fn an_unfinished_text_stays_too() {
    let (_hub, second, mut program, id) = open();
    let mine = "{\n  \"telemetryInterval\": ";
    program.type_into("Desired JSON", mine);
    second.patch(&id, json!({ "telemetryInterval": 90 }));
    program.until("the banner", |program| program.says("The hub moved to version"));
    assert_eq!(program.text("Desired JSON"), mine);
}

#[test]
fn refreshing_keeps_the_edits() {
    let (_hub, second, mut program, id) = open();
    program.click(Role::Button, "Watch");
    let mine = "{\n  \"telemetryInterval\": 122,\n  \"mode\": \"auto\"\n}";
    program.edit(mine);
    second.patch(&id, json!({ "telemetryInterval": 90 }));
    program.press(egui::Modifiers::COMMAND, egui::Key::R);
    program.until("the banner", |program| program.says("The hub moved to version"));
    assert_eq!(program.text("Desired JSON"), mine);
}

#[test]
fn a_twin_that_is_deleted_under_an_edit_keeps_the_edit() {
    let (_hub, second, mut program, id) = open();
    let mine = "{\n  \"telemetryInterval\": 122\n}";
    program.edit(mine);
    second.delete(&id);
    program.until("the watch to tell", |program| program.says("Watch: "));
    assert_eq!(program.text("Desired JSON"), mine);
    program.press(egui::Modifiers::COMMAND, egui::Key::S);
    program.until("the refusal", |program| program.says("Not saved"));
    assert_eq!(program.text("Desired JSON"), mine);
    assert!(second.identity(&id).is_err(), "the save made it again");
}
