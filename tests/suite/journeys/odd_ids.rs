//! Ids with every odd character that is legal: made, opened, edited, saved and deleted.

use super::program::Program;
use super::second::Second;
use crate::worker::rig::OwnHub;
use egui::accesskit::Role;
use serde_json::json;
use twinscope::client::HubError;
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;

fn delete(program: &mut Program, id: &TwinId) {
    program.click(Role::Button, "More");
    program.click(Role::Button, "Delete…");
    program.click(Role::Button, &format!("Delete {id}"));
    program.until("the end of it", |program| !program.has(Role::ListItem, &id.to_string()));
    assert!(program.says(&format!("Deleted {id}")), "{:?}", program.said());
    assert!(!program.has(Role::Tab, &id.to_string()));
}

#[test]
fn odd_ids_work_everywhere() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let second = Second::at(&hub);
    let mut program = Program::on(&hub);
    for (device, module) in [("a%b#c?d'e.f", "m%1#2?3'4.5"), ("%2F..%", ".."), ("$!*()@=;:_+-", "m$")] {
        let id = TwinId::device(device);
        program.click(Role::Button, "Add device…");
        program.type_into("Device id", device);
        program.click(Role::Button, "Create");
        program.until(device, |program| program.has(Role::ListItem, device) && program.has(Role::Tab, device));
        program.open(device);
        program.edit("{\n  \"of\": \"the device\"\n}");
        program.save();
        assert_eq!(second.desired(&id), json!({ "of": "the device" }), "{device}");

        let child = TwinId::module(device, module);
        program.click(Role::Button, "More");
        program.click(Role::Button, "Add module…");
        program.type_into("Module id", module);
        program.click(Role::Button, "Create");
        program.until(module, |program| program.has(Role::Tab, &child.to_string()));
        program.open(&child.to_string());
        program.edit("{\n  \"of\": \"the module\"\n}");
        program.save();
        assert_eq!(second.desired(&child), json!({ "of": "the module" }), "{child}");
        assert_eq!(second.desired(&id), json!({ "of": "the device" }), "{device}");

        delete(&mut program, &child);
        assert!(matches!(second.identity(&child), Err(HubError::NotFound { .. })), "{child}");
        program.open(device);
        delete(&mut program, &id);
        assert!(matches!(second.identity(&id), Err(HubError::NotFound { .. })), "{device}");
    }
}

#[test]
fn an_illegal_id_is_refused_in_the_dialog() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let second = Second::at(&hub);
    let mut program = Program::on(&hub);
    program.click(Role::Button, "Add device…");
    for (typed, reason) in [("a b", "' ' is not allowed"), ("a/b", "'/' is not allowed"), ("ä", "'ä' is not allowed")]
    {
        program.type_into("Device id", typed);
        program.until(reason, |program| program.says(reason));
    }
    program.type_into("Device id", &"x".repeat(129));
    program.until("the length", |program| program.says("An id has at most 128 characters, this one has 129"));
    program.click(Role::Button, "Create");
    program.type_into("Device id", "gateway");
    program.click(Role::Button, "Create");
    program.until("the device", |program| program.has(Role::Tab, "gateway"));
    assert!(program.has(Role::ListItem, "gateway"));

    program.click(Role::Button, "More");
    program.click(Role::Button, "Add module…");
    program.type_into("Module id", "$edgeAgent");
    program.click(Role::Button, "Create");
    program.until("the reason", |program| program.says("Modules that begin with `$` are the hub's own"));
    let module = TwinId::module("gateway", "$edgeAgent");
    assert!(matches!(second.identity(&module), Err(HubError::NotFound { .. })));
}
