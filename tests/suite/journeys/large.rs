//! A text so large that it is read in the background, saved in the moment after the last key.

use super::program::Program;
use super::second::Second;
use crate::worker::rig::OwnHub;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use serde_json::json;
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;
use twinscope::twin::draft::AT_ONCE_MAX;

#[test]
fn a_save_right_behind_the_last_key_takes_that_key_along() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let second = Second::at(&hub);
    let id = TwinId::device("thermostat");
    second.create(&id);
    second.patch(&id, json!({ "interval": 60, "mode": "auto" }));
    let mut program = Program::on(&hub);
    program.open("thermostat");
    // Lines of blanks: the hub counts none of them.
    let blanks = format!("{}\n", " ".repeat(255)).repeat(AT_ONCE_MAX / 256 + 1);
    program.edit(&format!("{{\n{blanks}\"mode\": \"auto\", \"interval\": 1}}"));
    program.until("what changed", |program| program.says("Changes (1)"));
    program.press(Modifiers::COMMAND, Key::End);
    program.press(Modifiers::NONE, Key::ArrowLeft);
    program.type_and_press("2", Modifiers::COMMAND, Key::S);
    program.until("the save", |program| program.said_after("Saved").is_some());
    assert_eq!(second.desired(&id), json!({ "interval": 12, "mode": "auto" }));
    // What breaks the text is not sent, however fast.
    let before = program.etag();
    program.type_and_press(",", Modifiers::COMMAND, Key::S);
    program.until("the refusal", |program| program.says("Not saved: "));
    assert_eq!(program.etag(), before);
    program.press(Modifiers::NONE, Key::Backspace);
    program.type_and_press("3", Modifiers::COMMAND, Key::S);
    program.until("the second save", |program| program.etag() != before);
    assert_eq!(second.desired(&id), json!({ "interval": 123, "mode": "auto" }));
    program.until("the changes", |program| program.says("Changes (0)") && !program.can(Role::Button, "Save"));
    assert_eq!(program.text("Desired JSON"), format!("{{\n{blanks}\"mode\": \"auto\", \"interval\": 123}}"));
}
