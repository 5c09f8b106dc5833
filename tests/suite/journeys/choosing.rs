//! Both sides changed the same paths: a choice for each by keyboard, a hub that moves once more meanwhile, and nothing lost. And
//! saves of which the answer never comes.

use super::program::Program;
use super::second::Second;
use crate::worker::rig::{LIMIT, OwnHub};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use serde_json::{Value, json};
use std::time::Instant;
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;

const QUESTION: &str = "The hub has a newer version";

fn thermostat() -> TwinId {
    TwinId::device("thermostat")
}

fn open(values: Value) -> (OwnHub, Second, Program) {
    let hub = OwnHub::start(FleetChoice::Empty);
    let second = Second::at(&hub);
    second.create(&thermostat());
    second.patch(&thermostat(), values);
    let mut program = Program::on(&hub);
    program.open("thermostat");
    (hub, second, program)
}

/// So that the refusal of the hub is what tells, not the watch.
fn end_watch(program: &mut Program) {
    program.click(Role::Button, "Watch");
    program.until("the watch to end", |program| !program.said().contains(&"watching".to_owned()));
}

/// Keys are not taken in the moment the question comes up, for it comes unasked: pressed until it says so.
fn press_until(program: &mut Program, key: Key, says: &str) {
    let end = Instant::now() + LIMIT;
    while !program.says(says) {
        assert!(Instant::now() < end, "{key:?} never led to {says:?}: {:#?}", program.said());
        program.press(Modifiers::NONE, key);
        program.round();
    }
}

#[test]
fn chosen_by_keyboard_met_by_another_conflict_and_saved() {
    let (_hub, second, mut program) =
        open(json!({ "interval": 60, "mode": "auto", "limits": { "low": 1, "high": 9 }, "name": "x" }));
    end_watch(&mut program);
    let mine = program.text("Desired JSON").replace("60", "122").replace("auto", "eco").replace('9', "8");
    program.edit(&mine);
    second.patch(&thermostat(), json!({ "interval": 90, "mode": "turbo", "site": "north" }));

    program.press(Modifiers::COMMAND, Key::S);
    program.until("the question", |program| program.has(Role::Dialog, QUESTION));
    assert!(program.says("Open clashes: 2 of 2"), "{:#?}", program.said());
    assert!(!program.can(Role::Button, "Save merged"));
    assert_eq!(program.description(Role::Button, "Save merged"), "2 clashes are open");
    press_until(&mut program, Key::Num2, "mine chosen");
    assert!(program.says("Open clashes: 1 of 2"), "{:#?}", program.said());
    program.press(Modifiers::NONE, Key::ArrowDown);
    program.press(Modifiers::NONE, Key::Num3);
    program.until("both choices", |program| program.says("theirs chosen") && program.says("No clash is open"));

    // Somebody is faster once more, with one of the two.
    let theirs = second.patch(&thermostat(), json!({ "mode": "off" }));
    program.press(Modifiers::COMMAND, Key::S);
    program.until("the question again", |program| program.says("The hub moved again meanwhile"));
    assert!(program.says("1 choice still holds, 1 to make"), "{:#?}", program.said());
    assert!(program.says("mine chosen") && !program.says("theirs chosen"), "{:#?}", program.said());
    assert!(!program.can(Role::Button, "Save merged"));
    assert_eq!(program.text("Desired JSON"), mine, "the text moved before anything was saved");
    assert_eq!(second.twin(&thermostat()).etag, theirs.etag, "something was overwritten");

    press_until(&mut program, Key::Num1, "base chosen");
    program.press(Modifiers::COMMAND, Key::S);
    program.until("the save", |program| program.said_after("Saved").is_some() && !program.can(Role::Button, "Save"));
    assert!(!program.has(Role::Dialog, QUESTION));
    let merged =
        json!({ "interval": 122, "mode": "auto", "limits": { "low": 1, "high": 8 }, "name": "x", "site": "north" });
    assert_eq!(second.desired(&thermostat()), merged);
    assert_eq!(program.json("Desired JSON"), merged);
}

#[test]
fn what_touches_no_edit_comes_in_around_the_caret() {
    let (_hub, second, mut program) = open(json!({ "first": 1, "last": 2 }));
    program.edit("{\n  \"first\": 1,\n  \"last\": 22\n}");
    assert!(program.is_focused("Desired JSON"));
    // The caret is behind the last brace; it stays there, whatever comes in above.
    second.patch(&thermostat(), json!({ "first": { "a": 1, "b": 2 } }));
    let merged = "{\n  \"first\": {\n    \"a\": 1,\n    \"b\": 2\n  },\n  \"last\": 22\n}";
    program.until("their value", |program| program.text("Desired JSON") == merged);
    program.type_on(" ");
    program.until("the typed letter", |program| program.text("Desired JSON") == format!("{merged} "));
    // It stands on the hub's version now: no question comes.
    program.press(Modifiers::COMMAND, Key::S);
    program.until("the save", |program| program.said_after("Saved").is_some() && !program.can(Role::Button, "Save"));
    assert_eq!(second.desired(&thermostat()), json!({ "first": { "a": 1, "b": 2 }, "last": 22 }));
}

/// A save whose exchange is broken off by the hub, before or after it was done.
fn save_broken_off(fault: &str) -> (OwnHub, Second, Program) {
    let (hub, second, mut program) = open(json!({ "interval": 60 }));
    end_watch(&mut program);
    program.edit("{\n  \"interval\": 122\n}");
    program.click(Role::Button, "Faults…");
    program.type_into("Faults, one a line", &format!("{fault} on=twin-write id=thermostat"));
    program.click(Role::Button, "Apply");
    program.until("that it is in force", |program| program.says("In force: 1"));
    program.click(Role::Button, "Close");
    program.click(Role::Button, "Save");
    (hub, second, program)
}

#[test]
fn an_answer_that_is_lost_after_the_write_is_found_out() {
    let (_hub, second, mut program) = save_broken_off("drop=after nth=1");
    program.until("which of the two happened", |program| program.says("but the hub has your values: it is saved"));
    assert!(!program.can(Role::Button, "Save"));
    assert_eq!(second.desired(&thermostat()), json!({ "interval": 122 }));
}

#[test]
fn a_write_that_is_lost_is_found_out() {
    let (_hub, second, mut program) = save_broken_off("drop=before");
    program.until("which of the two happened", |program| program.says("and the values are not on the hub"));
    assert_eq!(program.text("Desired JSON"), "{\n  \"interval\": 122\n}");
    assert_eq!(second.desired(&thermostat()), json!({ "interval": 60 }));
    assert!(program.can(Role::Button, "Save"), "{:#?}", program.said());
}
