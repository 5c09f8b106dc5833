//! Somebody else saves between our load and our save: nothing is lost, nothing is overwritten, and there are three ways out.

use super::program::Program;
use super::second::Second;
use crate::worker::rig::OwnHub;
use egui::accesskit::Role;
use serde_json::json;
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;

const QUESTION: &str = "The hub has a newer version";

fn thermostat() -> TwinId {
    TwinId::device("thermostat")
}

/// The save was refused and the question is in front. Base, mine and theirs differ in `telemetryInterval`; `site` is theirs
/// alone.
struct Conflict {
    program: Program,
    second: Second,
    mine: String,
    _hub: OwnHub,
}

fn conflict() -> Conflict {
    let hub = OwnHub::start(FleetChoice::Empty);
    let second = Second::at(&hub);
    second.create(&thermostat());
    second.patch(&thermostat(), json!({ "telemetryInterval": 60, "mode": "auto" }));
    let mut program = Program::on(&hub);
    program.open("thermostat");
    // So that the refusal of the hub is what tells, not the watch.
    program.click(Role::Button, "Watch");
    program.until("the watch to end", |program| !program.said().contains(&"watching".to_owned()));
    let mine = program.text("Desired JSON").replace("60", "122");
    program.edit(&mine);
    second.patch(&thermostat(), json!({ "telemetryInterval": 90, "site": "north" }));
    program.press(egui::Modifiers::COMMAND, egui::Key::S);
    program.until("the question", |program| program.has(Role::Dialog, QUESTION));
    for way_out in ["Reload from hub", "Rebase my edits", "Overwrite hub version"] {
        assert!(program.can(Role::Button, way_out), "{way_out}");
    }
    for value in ["60", "122", "90"] {
        assert!(program.said().contains(&value.to_owned()), "{value} is not among {:?}", program.said());
    }
    assert_eq!(program.text("Desired JSON"), mine);
    let theirs = json!({ "telemetryInterval": 90, "mode": "auto", "site": "north" });
    assert_eq!(second.desired(&thermostat()), theirs, "something was overwritten");
    Conflict { program, second, mine, _hub: hub }
}

#[test]
fn reload_takes_theirs_after_asking() {
    let Conflict { mut program, second, mine, _hub } = conflict();
    let before = second.twin(&thermostat());
    program.click(Role::Button, "Reload from hub");
    program.until("the second question", |program| program.has(Role::Dialog, "Discard the edits?"));
    assert_eq!(program.text("Desired JSON"), mine, "the edits went before the answer");
    program.click(Role::Button, "Discard edits");
    let theirs = json!({ "telemetryInterval": 90, "mode": "auto", "site": "north" });
    program.until("their text", |program| program.json("Desired JSON") == theirs);
    assert!(!program.has(Role::Dialog, QUESTION));
    assert!(!program.can(Role::Button, "Save"));
    assert_eq!(second.twin(&thermostat()), before, "reloading wrote something");
}

#[test]
fn rebase_merges_and_waits_for_a_save() {
    let Conflict { mut program, second, _hub, .. } = conflict();
    let before = second.twin(&thermostat());
    program.click(Role::Button, "Rebase my edits");
    let merged = json!({ "telemetryInterval": 122, "mode": "auto", "site": "north" });
    program.until("both edits in one text", |program| program.json("Desired JSON") == merged);
    assert!(!program.has(Role::Dialog, QUESTION));
    assert!(program.says("1 path was changed by both sides and has your value"), "{:?}", program.said());
    assert!(program.says("telemetryInterval changed: 90 → 122"), "{:?}", program.said());
    assert_eq!(second.twin(&thermostat()), before, "rebasing wrote something");
    program.save();
    assert_eq!(second.desired(&thermostat()), merged);
}

#[test]
fn overwrite_makes_the_hub_say_what_the_draft_says() {
    let Conflict { mut program, second, mine, _hub } = conflict();
    program.click(Role::Button, "Overwrite hub version");
    program.until("the save", |program| program.said_after("Saved").is_some() && !program.can(Role::Button, "Save"));
    assert!(!program.has(Role::Dialog, QUESTION));
    assert_eq!(program.text("Desired JSON"), mine);
    assert_eq!(second.desired(&thermostat()), json!({ "telemetryInterval": 122, "mode": "auto" }));
}

#[test]
fn an_overwrite_meets_a_hub_that_moved_again() {
    let Conflict { mut program, second, mine, _hub } = conflict();
    second.patch(&thermostat(), json!({ "telemetryInterval": 91 }));
    program.click(Role::Button, "Overwrite hub version");
    program.until("the question again", |program| {
        program.has(Role::Dialog, QUESTION) && program.said().contains(&"91".to_owned())
    });
    assert_eq!(program.text("Desired JSON"), mine);
    assert_eq!(second.desired(&thermostat())["telemetryInterval"], 91);
}
