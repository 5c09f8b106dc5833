//! Keys that are likely a slip of one that other twins have.

use super::super::scene::{Scene, module, twin_json};
use super::super::{find, try_find, window};
use super::{caret, editing, letters, press, text};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use twinscope::app::Action;
use twinscope::twin::{Section, TwinId};
use twinscope::worker::Command;

const SAID: &str = "telemetryIntervl: no other twin seen has this key: did you mean `telemetryInterval`?";
const USE: &str = "Use telemetryInterval";

fn is_told(harness: &Harness<'_, Scene>) -> bool {
    try_find(harness, Role::Button, USE).is_some()
}

#[test]
fn a_slip_is_told_shown_and_mended_in_one_step() {
    let before = "{\n  \"mode\" : 1,\n    \"telemetryIntervl\":   12.50}";
    let mut harness = editing(&format!("|{before}"));
    find(&harness, Role::Button, &format!("line 3, column 5: {SAID}")).click();
    harness.run();
    assert_eq!(caret(&harness).0, 3);
    assert!(find(&harness, Role::MultilineTextInput, "Desired JSON").is_focused());
    find(&harness, Role::Button, USE).click();
    harness.run();
    assert_eq!(text(&harness), before.replace("Intervl", "Interval"));
    assert!(!is_told(&harness));
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    assert_eq!(text(&harness), before);
    press(&mut harness, Modifiers::COMMAND, Key::Home);
    assert!(is_told(&harness));
}

#[test]
fn a_key_being_typed_is_left_alone() {
    let mut harness = editing("{\"telemetryInter|\": 12}");
    for letter in ["v", "l"] {
        letters(&mut harness, letter);
        assert!(!is_told(&harness));
    }
    for _ in 0..3 {
        press(&mut harness, Modifiers::NONE, Key::ArrowRight);
    }
    assert!(is_told(&harness));
    // Said once, it stays: the text does not jump under a caret that walks by.
    for _ in 0..4 {
        press(&mut harness, Modifiers::NONE, Key::ArrowLeft);
        assert!(is_told(&harness));
    }
    letters(&mut harness, "a");
    assert_eq!(text(&harness), "{\"telemetryInterval\": 12}");
    for _ in 0..3 {
        press(&mut harness, Modifiers::NONE, Key::ArrowRight);
    }
    assert!(!is_told(&harness));
}

#[test]
fn another_open_twin_teaches_and_a_save_goes_its_way() {
    let pump = TwinId::device("pump-07");
    let mut scene = Scene::twin();
    scene.open(&pump, &twin_json(&pump, 60, 5).replace("telemetryInterval", "speed"));
    let edited = "{\"speed\": 60, \"telemetryIntervl\": 5}".to_owned();
    scene.act(Action::Edit { id: pump.clone(), section: Section::Desired, text: edited });
    let mut harness = window(scene);
    find(&harness, Role::Button, &format!("line 1, column 15: {SAID}"));
    harness.state_mut().act(Action::Save(pump));
    harness.run();
    let saves = harness.state().commands.iter().filter(|command| matches!(command, Command::PatchTwin { .. }));
    assert_eq!(saves.count(), 1);

    // Nobody else knows better any more.
    harness.state_mut().act(Action::CloseTab(module()));
    harness.run();
    assert!(!is_told(&harness));
}
