//! The main job without a mouse: nothing here is clicked or focused, only typed.

use super::program::Program;
use super::second::Second;
use crate::worker::rig::OwnHub;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use serde_json::json;
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;

#[test]
fn the_main_job_by_keyboard_alone() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let second = Second::at(&hub);
    let module = TwinId::module("gateway", "camera");
    second.create(&module.parent());
    second.create(&module);
    second.patch(&module, json!({ "telemetryInterval": 60 }));
    let mut program = Program::on(&hub);
    program.until("the list", |program| program.has(Role::ListItem, "gateway"));

    program.press(Modifiers::COMMAND, Key::P);
    program.until("the field", |program| program.is_focused("Device or module"));
    program.type_on("gateway/camera");
    program.until("the module", |program| program.text("Device or module") == "gateway/camera");
    program.press(Modifiers::NONE, Key::Enter);
    program.until("the text", |program| program.json("Desired JSON") == json!({ "telemetryInterval": 60 }));
    assert!(program.has(Role::Tab, "gateway/camera"), "{:?}", program.said());

    for _ in 0..4 {
        if !program.is_focused("Desired JSON") {
            program.press(Modifiers::NONE, Key::F6);
            program.round();
        }
    }
    assert!(program.is_focused("Desired JSON"), "F6 does not lead to the text");
    program.press(Modifiers::COMMAND, Key::A);
    program.type_on("{ \"telemetryInterval\": 1x22 }");
    program.until("the problem", |program| program.says("line 1, column "));
    program.press(Modifiers::NONE, Key::F8);
    program.press(Modifiers::COMMAND, Key::A);
    program.type_on("{ \"telemetryInterval\": 122 }");
    program.until("the change", |program| program.says("telemetryInterval changed: 60 → 122"));
    program.save();
    assert_eq!(second.desired(&module), json!({ "telemetryInterval": 122 }));
    assert!(program.is_focused("Desired JSON"), "the save took the keyboard away");

    // Undo reaches back over the save, to what was loaded.
    for _ in 0..8 {
        if program.json("Desired JSON") != json!({ "telemetryInterval": 60 }) {
            program.press(Modifiers::COMMAND, Key::Z);
        }
    }
    assert_eq!(program.json("Desired JSON"), json!({ "telemetryInterval": 60 }), "{}", program.text("Desired JSON"));
    program.until("the change back", |program| program.says("telemetryInterval changed: 122 → 60"));
}
