//! What happens on the hub, seen in the window as it happens: telemetry over MQTT, a desired patch, a pause.

use super::program::Program;
use super::second::Second;
use crate::worker::rig::OwnHub;
use egui::accesskit::Role;
use serde_json::json;
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;

#[test]
fn telemetry_and_patches_are_seen_as_they_happen() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let second = Second::at(&hub);
    let id = TwinId::device("sensor");
    second.create(&id);
    let mut program = Program::on(&hub);
    program.until("the fleet", |program| program.has(Role::ListItem, "sensor"));
    program.click(Role::Tab, "Events");
    program.until("what was before", |program| program.has(Role::ListItem, "created, sensor"));

    let device = second.device(&hub, &id);
    program.until("the connection", |program| program.has(Role::ListItem, "connected, sensor"));
    second.send(&device, &[("level", Some("hot"))], br#"{"t": 21.50}"#);
    program.click(Role::ListItem, "telemetry, sensor");
    // Numbers keep their spelling.
    program.until("its payload", |program| program.text("Event payload") == "{\n  \"t\": 21.50\n}");
    assert!(program.says("level") && program.says("hot"), "{:?}", program.said());
    second.patch(&id, json!({ "interval": 5 }));
    program.until("the patch", |program| program.has(Role::ListItem, r#"desired, sensor, v2 {"interval":5}"#));

    program.click(Role::Button, "Pause events");
    program.until("the pause", |program| program.says("paused"));
    second.send(&device, &[], b"while paused");
    second.patch(&id, json!({ "interval": 6 }));
    // Something the program learns after that, so that an event would have had its time.
    program.open("sensor");
    program.until("the later patch by the watch", |program| program.json("Desired JSON") == json!({ "interval": 6 }));
    assert!(!program.says("while paused"), "{:?}", program.said());
    program.click(Role::Button, "Resume events");
    program.until("what was missed", |program| {
        program.has(Role::ListItem, "telemetry, sensor, while paused")
            && program.has(Role::ListItem, r#"desired, sensor, v3 {"interval":6}"#)
    });
}

#[test]
fn a_new_user_sees_the_demo_fleet_come_in() {
    let mut program = Program::first_start();
    program.click(Role::Tab, "Events");
    program.type_into("Filter events", "myFirstDevice");
    program.until("a device", |program| program.has(Role::ListItem, "connected, myFirstDevice"));
    program.type_into("Filter events", "myFirstModule");
    program.until("only the module", |program| {
        program.says("fit the filter") && !program.has(Role::ListItem, "connected, myFirstDevice")
    });
}
