//! What the hub would refuse is shown where it stands, and Save refuses it with the reason.

use super::program::Program;
use super::second::Second;
use crate::worker::rig::OwnHub;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use serde_json::json;
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;

/// A text, where its problem stands, and words of the reason.
fn cases() -> Vec<(String, &'static str, &'static str)> {
    let long: Vec<String> = (0..9).map(|n| format!("\"text{n}\": \"{}\"", "x".repeat(3755))).collect();
    let deep = format!("{{ {}1{} }}", "\"a\": { ".repeat(10) + "\"a\": {\"b\": ", "}".repeat(11));
    vec![
        ("{\n  \"a\": }".to_owned(), "line 2, column 8", ""),
        ("{\n  \"a\": 1,\n  \"a\": 2\n}".to_owned(), "line 3, column 3", "a"),
        (format!("{{ {} }}", long.join(", ")), "line 1, column 1", "at most 32768 characters"),
        (deep, "line 1, column ", "nesting ends at level 10"),
        ("{\n  \"a.b\": 1\n}".to_owned(), "line 2, column 3", "cannot contain `.`"),
        ("{\n  \"$a\": 1\n}".to_owned(), "line 2, column 3", "the hub keeps `$a` and its like itself"),
        ("{\n  \"a b\": 1\n}".to_owned(), "line 2, column 3", "cannot contain a space"),
        ("{\n  \"a\": 9007199254740992\n}".to_owned(), "line 2, column 8", "an integer lies between"),
    ]
}

#[test]
fn bad_input_is_shown_in_place_and_not_saved() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let second = Second::at(&hub);
    let id = TwinId::device("thermostat");
    second.create(&id);
    second.patch(&id, json!({ "a": 0 }));
    let before = second.twin(&id);
    let mut program = Program::on(&hub);
    program.open("thermostat");
    for (text, place, reason) in cases() {
        program.type_into("Desired JSON", &text);
        let listed = |said: &String| said.starts_with(place) && said.contains(": ") && said.contains(reason);
        program.until(&format!("{place} {reason}"), |program| program.said().iter().any(listed));
        assert!(!program.can(Role::Button, "Save"), "{place} {reason}");
        let why = program.description(Role::Button, "Save");
        assert!(why.starts_with(&format!("desired {place}")) && why.contains(reason), "{place} {reason}: {why}");
        program.press(Modifiers::COMMAND, Key::S);
        program.until("the refusal", |program| {
            program.said_after("Not saved: ").is_some_and(|why| why.contains(place) && why.contains(reason))
        });
        assert_eq!(program.text("Desired JSON"), text);
    }
    // Good tags do not carry bad properties along, and a section that is not in front counts too.
    program.type_into("Desired JSON", "{ \"a\": 0 }");
    program.click(Role::Tab, "Tags");
    program.type_into("Tags JSON", &format!("{{ \"site\": \"{}\" }}", "x".repeat(4097)));
    program.until("the long tag", |program| {
        program.says("a string has at most 4096 bytes, this one has 4097") && !program.can(Role::Button, "Save")
    });
    program.click(Role::Tab, "Desired");
    program
        .until("the reason", |program| program.description(Role::Button, "Save").starts_with("tags line 1, column "));
    program.click(Role::Tab, "Tags");
    program.type_into("Tags JSON", "{}");
    program.click(Role::Tab, "Desired");
    assert_eq!(second.twin(&id), before, "something was sent");

    // The largest integer that is one for the hub, and nothing is left of the reasons.
    program.edit("{\n  \"a\": 4503599627370495\n}");
    program.until("no problem", |program| program.can(Role::Button, "Save") && !program.says("Not saved"));
    program.save();
    assert_eq!(second.desired(&id), json!({ "a": 4_503_599_627_370_495_u64 }));
}
