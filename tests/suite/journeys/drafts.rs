//! What was typed and never saved comes back, and meets the hub as it is by then.

use super::program::Program;
use super::second::Second;
use crate::worker::rig::OwnHub;
use egui::accesskit::Role;
use serde_json::json;
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;

const BACK: &str = "Your unsaved edits are back: ";

#[test]
fn edits_survive_the_end_of_the_program() {
    let mut program = Program::first_start();
    program.open("myFirstDevice");
    let before = program.text("Desired JSON");
    // Not even JSON: what is typed is kept as it stands.
    program.type_into("Desired JSON", "{ \"half\": ");
    let mut program = Program::start_again(program.quit());
    program.until("the edits", |program| program.says(BACK));
    program.until("the text", |program| program.text("Desired JSON") == "{ \"half\": ");
    assert!(program.has(Role::Tab, "myFirstDevice, unsaved"), "{:?}", program.said());
    program.edit("{ \"half\": 1 }");
    program.save();
    assert_eq!(program.json("Desired JSON"), json!({ "half": 1 }));
    // Saved is not typed any more, and what was discarded does not come back either.
    let mut program = Program::start_again(program.quit());
    program.until("the saved text", |program| program.json("Desired JSON") == json!({ "half": 1 }));
    program.type_into("Desired JSON", &before);
    program.click(Role::Button, "Discard");
    program.click(Role::Button, "Discard edits");
    program.until("the hub's text", |program| program.json("Desired JSON") == json!({ "half": 1 }));
    let mut program = Program::start_again(program.quit());
    program.until("the saved text", |program| program.json("Desired JSON") == json!({ "half": 1 }));
    assert!(!program.says(BACK) && !program.can(Role::Button, "Save"), "{:?}", program.said());
}

#[test]
fn edits_that_come_back_never_overwrite_what_the_hub_got_meanwhile() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let second = Second::at(&hub);
    let id = TwinId::device("thermostat");
    second.create(&id);
    second.patch(&id, json!({ "interval": 60, "mode": "auto" }));
    let mut program = Program::on(&hub);
    program.open("thermostat");
    let mine = program.text("Desired JSON").replace("60", "122");
    program.edit(&mine);
    let dir = program.quit();
    second.patch(&id, json!({ "interval": 90 }));
    let mut program = Program::on_again(&hub, dir);
    program.until("the edits", |program| program.says(BACK) && program.text("Desired JSON") == mine);
    program.until("what moved", |program| program.says("The hub moved to version"));
    program.press(egui::Modifiers::COMMAND, egui::Key::S);
    program.until("the question", |program| program.has(Role::Dialog, "The hub has a newer version"));
    assert_eq!(second.desired(&id), json!({ "interval": 90, "mode": "auto" }), "something was overwritten");
    program.click(Role::Button, "Rebase my edits");
    program.until("mine on theirs", |program| program.json("Desired JSON")["interval"] == 122);
    program.save();
    assert_eq!(second.desired(&id), json!({ "interval": 122, "mode": "auto" }));
}
