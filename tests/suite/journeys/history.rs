//! Versions come and go, seen here by a load, a save and the watch; one of the past comes back as a draft and is saved.

use super::program::Program;
use super::second::Second;
use crate::worker::rig::OwnHub;
use egui::accesskit::Role;
use serde_json::json;
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;

#[test]
fn a_version_of_the_past_comes_back_guarded() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let second = Second::at(&hub);
    let id = TwinId::device("thermostat");
    second.create(&id);
    let first = second.patch(&id, json!({ "interval": 60, "mode": "auto" })).version;
    let mut program = Program::on(&hub);
    program.open("thermostat");
    let mine = program.text("Desired JSON").replace("60", "90");
    program.edit(&mine);
    program.save();
    let theirs = second.patch(&id, json!({ "interval": 7, "mode": null })).version;
    // The caret stands in the text, so that it does not follow.
    program.until("their change", |program| program.says("The hub has a newer version of this text"));

    program.click(Role::Tab, "History");
    let rows = [
        format!("Version {theirs}, seen by the watch, 2 paths changed"),
        format!("Version {}, saved here, 1 path changed", first + 1),
        format!("Version {first}, loaded, first one seen"),
    ];
    program.until("the three versions", |program| rows.iter().all(|row| program.has(Role::ListItem, row)));
    assert!(!program.says("not seen"), "{:?}", program.said());

    // Another one while the pane is open: it shows by itself.
    let last = second.patch(&id, json!({ "interval": 8 })).version;
    program.until("the newest", |program| program.has(Role::ListItem, &format!("Version {last}")));

    program.click(Role::ListItem, &format!("Version {}", first + 1));
    program.until("what it changed", |program| program.says("interval changed: 60 → 90"));
    program.click(Role::Button, "Revert to this version");
    program.until("the draft", |program| {
        program.json("Desired JSON") == json!({ "interval": 90, "mode": "auto" }) && program.can(Role::Button, "Save")
    });
    assert_eq!(second.twin(&id).version, last, "nothing was sent yet");
    program.save();
    assert_eq!(second.desired(&id), json!({ "interval": 90, "mode": "auto" }));
    program.click(Role::Tab, "History");
    let row = format!("Version {}, saved here, 2 paths changed", last + 1);
    program.until("the save in the history", |program| program.has(Role::ListItem, &row));

    // It is there after a restart, and known without a new version.
    let mut program = Program::on_again(&hub, program.quit());
    // The tab and its section are as they were left.
    program.until("the history", |program| rows.iter().chain([&row]).all(|row| program.has(Role::ListItem, row)));
}

#[test]
fn a_revert_that_the_hub_outruns_meets_the_conflict() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let second = Second::at(&hub);
    let id = TwinId::device("thermostat");
    second.create(&id);
    let first = second.patch(&id, json!({ "interval": 60 })).version;
    let mut program = Program::on(&hub);
    program.open("thermostat");
    second.patch(&id, json!({ "interval": 70 }));
    program.until("their change", |program| program.json("Desired JSON") == json!({ "interval": 70 }));
    program.click(Role::Button, "Watch");
    program.click(Role::Tab, "History");
    program.click(Role::ListItem, &format!("Version {first}"));
    program.click(Role::Button, "Revert to this version");
    program.until("the draft", |program| program.json("Desired JSON") == json!({ "interval": 60 }));
    second.patch(&id, json!({ "interval": 80 }));
    program.press(egui::Modifiers::COMMAND, egui::Key::S);
    program.until("the question", |program| program.has(Role::Dialog, "The hub has a newer version"));
    assert_eq!(second.desired(&id), json!({ "interval": 80 }), "something was overwritten");
}
