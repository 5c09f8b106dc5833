//! A module of a device that was never unfolded, gone to by its id alone.

use super::program::Program;
use super::second::Second;
use crate::worker::rig::OwnHub;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;

#[test]
fn a_module_is_found_in_a_fresh_window() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let second = Second::at(&hub);
    for id in [TwinId::device("dock"), TwinId::device("yard")] {
        second.create(&id);
        second.create(&TwinId::module(id.device, "edgeCam"));
    }
    second.create(&TwinId::module("yard", "other"));
    let mut program = Program::on(&hub);
    program.until("the fleet", |program| program.has(Role::ListItem, "yard"));
    program.press(Modifiers::COMMAND, Key::P);
    program.type_into("Device or module", "edgeCam");
    program.until("both modules", |program| {
        ["dock/edgeCam", "yard/edgeCam"].iter().all(|id| program.has(Role::ListItem, id))
    });
    assert!(!program.has(Role::ListItem, "yard/other"));
    program.click(Role::ListItem, "yard/edgeCam");
    program.until("its text", |program| {
        program.has(Role::Tab, "yard/edgeCam") && !program.text("Desired JSON").is_empty()
    });
}
