//! Two twins beside each other through real sockets: one difference is taken over, saved, and the other twin stays as it was.

use super::program::Program;
use super::second::Second;
use crate::worker::rig::OwnHub;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use serde_json::json;
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;

#[test]
fn one_twin_is_made_like_another_path_by_path() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let second = Second::at(&hub);
    let (hall, cellar) = (TwinId::device("hall"), TwinId::device("cellar"));
    second.create(&hall);
    second.create(&cellar);
    second.patch(&hall, json!({ "interval": 60, "mode": "auto", "limits": { "low": 2.5 } }));
    second.patch(&cellar, json!({ "interval": 60, "mode": "eco", "extra": true }));
    let mut program = Program::on(&hub);
    program.open("cellar");
    program.click(Role::Button, "More");
    program.click(Role::Button, "Compare with…");
    program.until("the question", |program| program.has(Role::Dialog, "Compare with"));
    program.type_on("hall");
    program.until("the line", |program| program.has(Role::ListItem, "hall"));
    program.press(Modifiers::NONE, Key::Enter);
    program.until("the differences", |program| program.says("3 differences"));
    for head in ["limits, only on the left", "mode, differs", "extra, only on the right"] {
        assert!(program.has(Role::ListItem, head), "{head}: {:?}", program.said());
    }
    program.click(Role::Button, "Take from left: mode");
    program.until("two are left", |program| program.says("2 differences"));
    program.click(Role::Button, "Add here: limits");
    program.until("one is left", |program| program.says("1 difference"));
    assert_eq!(second.desired(&cellar), json!({ "interval": 60, "mode": "eco", "extra": true }), "nothing is sent yet");
    program.save();
    let made = json!({ "interval": 60, "mode": "auto", "extra": true, "limits": { "low": 2.5 } });
    assert_eq!(second.desired(&cellar), made);
    assert_eq!(second.desired(&hall), json!({ "interval": 60, "mode": "auto", "limits": { "low": 2.5 } }));

    // A version of the past beside the draft.
    program.click(Role::Tab, "History");
    let first = second.twin(&cellar).version - 1;
    program.click(Role::ListItem, &format!("Version {first}"));
    program.click(Role::Button, "Compare with…");
    program.click(Role::ListItem, "cellar as it is now");
    program.until("what was saved", |program| {
        program.says("2 differences") && program.has(Role::ListItem, "mode, differs")
    });
    program.click(Role::Button, "Take from left: mode");
    program.until("one is left", |program| program.says("1 difference"));
    program.save();
    assert_eq!(second.desired(&cellar)["mode"], "eco");
}
