//! *Replace…* on real sockets: asked, sent, refused by a hub that moved.

use super::program::Program;
use super::second::Second;
use crate::worker::rig::OwnHub;
use egui::accesskit::Role;
use serde_json::json;
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;

fn start() -> (Program, Second, OwnHub, TwinId) {
    let hub = OwnHub::start(FleetChoice::Empty);
    let second = Second::at(&hub);
    let id = TwinId::device("thermostat");
    second.create(&id);
    second.patch(&id, json!({ "telemetryInterval": 60, "mode": "auto", "limits": { "low": 1, "high": 2 } }));
    let mut program = Program::on(&hub);
    program.open("thermostat");
    // So that the refusal of the hub is what tells, not the watch.
    program.click(Role::Button, "Watch");
    program.until("the watch to end", |program| !program.said().contains(&"watching".to_owned()));
    program.edit(r#"{"telemetryInterval": 122, "limits": {"low": 1}}"#);
    (program, second, hub, id)
}

fn ask(program: &mut Program) {
    program.click(Role::Button, "More");
    program.click(Role::Button, "Replace…");
    program.until("the question", |program| program.has(Role::Dialog, "Replace…"));
}

#[test]
fn the_text_takes_the_place_of_the_twin() {
    let (mut program, second, _hub, id) = start();
    let before = second.twin(&id);
    ask(&mut program);
    assert!(program.says("− desired mode") && program.says("− desired limits.high"), "{:?}", program.said());
    assert_eq!(second.twin(&id), before, "asking wrote something");
    program.click(Role::Button, "Replace twin");
    program.until("the save", |program| program.said_after("Saved").is_some() && !program.can(Role::Button, "Save"));
    assert_eq!(second.desired(&id), json!({ "telemetryInterval": 122, "limits": { "low": 1 } }));
    let stamps = second.twin(&id).desired.metadata;
    let newest = &stamps["$lastUpdatedVersion"];
    assert_eq!(&stamps["limits"]["low"]["$lastUpdatedVersion"], newest, "a PUT stamps what did not change too");
}

#[test]
fn a_hub_that_moved_is_not_replaced() {
    let (mut program, second, _hub, id) = start();
    let mine = program.text("Desired JSON");
    ask(&mut program);
    let theirs = second.patch(&id, json!({ "telemetryInterval": 90 }));
    program.click(Role::Button, "Replace twin");
    program.until("the conflict", |program| program.has(Role::Dialog, "The hub has a newer version"));
    assert_eq!(second.twin(&id).version, theirs.version, "something was overwritten");
    assert_eq!(program.text("Desired JSON"), mine);
}
