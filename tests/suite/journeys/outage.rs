//! The hub stops and starts again under an open window.

use super::program::Program;
use super::second::Second;
use crate::worker::rig::OwnHub;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use serde_json::json;
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;

fn hub_is(program: &Program, state: &str) -> bool {
    program.description(Role::Button, "Connections").starts_with(state)
}

#[test]
fn a_draft_outlives_the_hub() {
    let mut hub = OwnHub::start(FleetChoice::Empty);
    let id = TwinId::device("thermostat");
    {
        let second = Second::at(&hub);
        second.create(&id);
        second.patch(&id, json!({ "telemetryInterval": 60 }));
    }
    let mut program = Program::on(&hub);
    program.open("thermostat");
    assert!(hub_is(&program, "online"));
    let mine = "{\n  \"telemetryInterval\": 122\n}";
    program.edit(mine);

    hub.stop();
    program.until("offline", |program| hub_is(program, "offline"));
    assert_eq!(program.text("Desired JSON"), mine);
    assert!(program.has(Role::ListItem, "thermostat"), "the list went with the hub");
    assert!(program.says("telemetryInterval changed: 60 → 122"));

    // A save goes nowhere now, and says so.
    program.press(Modifiers::COMMAND, Key::S);
    program.until("the failure", |program| program.says("Not saved"));
    assert_eq!(program.text("Desired JSON"), mine);
    assert!(program.has(Role::Tab, "thermostat, unsaved"), "{:?}", program.said());

    hub.start_again();
    program.until("online again", |program| hub_is(program, "online"));
    assert_eq!(program.text("Desired JSON"), mine);
    program.save();
    assert_eq!(Second::at(&hub).desired(&id), json!({ "telemetryInterval": 122 }));
}
