//! The dialog *Faults*, the way to it, and the badge while faults are on.

use super::scene::Scene;
use super::{find, is_disabled, sized, try_find, window};
use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use twinscope::app::faults::PRESETS;
use twinscope::client::HubError;
use twinscope::protocol::error::ServiceError;
use twinscope::protocol::fault::{Counted, Report};
use twinscope::worker::event::Outcome;
use twinscope::worker::{Command, Failure};

fn says(harness: &Harness<'_, Scene>, text: &str) -> bool {
    harness.root().children_recursive().any(|node| {
        let node = node.accesskit_node();
        [node.label(), node.value()].into_iter().flatten().any(|said| said.contains(text))
    })
}

fn report(faults: &[(&str, u64, u64)]) -> Report {
    let counted = |(text, matched, struck): &(&str, u64, u64)| Counted {
        fault: text.parse().unwrap(),
        matched: *matched,
        struck: *struck,
    };
    Report { seed: 7, faults: faults.iter().map(counted).collect() }
}

fn told(scene: &mut Scene, faults: &[(&str, u64, u64)]) {
    let key = scene.key(|command| match command {
        Command::LoadFaults { key } => Some(*key),
        _ => None,
    });
    scene.answer(key, Outcome::Faults(report(faults)));
}

/// The dialog, opened from the status bar.
fn opened<'a>(size: [f32; 2], faults: &[(&str, u64, u64)]) -> Harness<'a, Scene> {
    let mut scene = Scene::twin();
    told(&mut scene, faults);
    let mut harness = sized(scene, size);
    let on = faults.iter().filter(|(text, ..)| !text.starts_with("off")).count();
    let name = if on == 0 { "Faults…".to_owned() } else { format!("Faults on: {on}") };
    find(&harness, Role::Button, &name).click();
    harness.run();
    find(&harness, Role::Dialog, "Faults");
    harness
}

#[test]
fn a_badge_while_faults_are_on() {
    let mut scene = Scene::twin();
    told(&mut scene, &[]);
    let mut harness = window(scene);
    find(&harness, Role::Button, "Faults…");
    find(&harness, Role::Button, "Faults…").click();
    harness.run();
    told(harness.state_mut(), &[("503", 0, 0), ("429 p=0.1", 0, 0), ("off drop=after", 0, 0)]);
    harness.run();
    find(&harness, Role::Button, "Close").click();
    harness.run();
    find(&harness, Role::Button, "Faults on: 2");
    assert!(try_find(&harness, Role::Button, "Faults…").is_none());
}

#[test]
fn typed_applied_and_cleared_by_keyboard() {
    let mut harness = opened([900.0, 600.0], &[]);
    assert!(find(&harness, Role::MultilineTextInput, "Faults, one a line").is_focused());
    find(&harness, Role::MultilineTextInput, "Faults, one a line").type_text("503 p=2");
    harness.run();
    assert!(says(&harness, "Line 1, column 5: \"p=2\""));
    let apply = find(&harness, Role::Button, "Apply");
    assert!(is_disabled(&apply));
    assert_eq!(apply.accesskit_node().data().description(), Some("A fault cannot be read: see below the text"));
    harness.key_press(Key::Backspace);
    harness.run();
    find(&harness, Role::MultilineTextInput, "Faults, one a line").type_text("0.2");
    harness.run();
    find(&harness, Role::Button, "Add fault: Drop after").click();
    harness.run();
    find(&harness, Role::TextInput, "Seed").focus();
    harness.run();
    find(&harness, Role::TextInput, "Seed").type_text("42");
    harness.run();
    find(&harness, Role::Button, "Apply").click();
    harness.run();
    let Some(Command::SetFaults { key, plan }) = harness.state().commands.last().cloned() else { panic!() };
    assert_eq!(plan.to_json().to_string(), r#"{"seed":42,"faults":["503 p=0.2","drop=after p=0.1"]}"#);
    assert!(is_disabled(&find(&harness, Role::Button, "Apply")));
    harness.state_mut().answer(key, Outcome::Faults(report(&[("503 p=0.2", 1234, 0), ("drop=after p=0.1", 9, 3)])));
    harness.run();
    for words in ["In force: 2, seed 7", "matched 1,234", "struck 0", "struck 3"] {
        assert!(says(&harness, words), "{words}");
    }
    find(&harness, Role::Button, "Clear all").click();
    harness.run();
    let Some(Command::ClearFaults { key }) = harness.state().commands.last().cloned() else { panic!() };
    harness.state_mut().answer(key, Outcome::Faults(report(&[])));
    harness.run();
    assert!(says(&harness, "In force: none"));
    assert_eq!(find(&harness, Role::MultilineTextInput, "Faults, one a line").value().as_deref().unwrap_or(""), "");
    assert!(is_disabled(&find(&harness, Role::Button, "Clear all")));
    harness.key_press(Key::Escape);
    harness.run();
    assert!(try_find(&harness, Role::Dialog, "Faults").is_none());
}

#[test]
fn every_preset_is_a_button() {
    let mut harness = opened([900.0, 600.0], &[]);
    for (name, line) in PRESETS {
        find(&harness, Role::Button, &format!("Add fault: {name}")).click();
        harness.run();
        let text = find(&harness, Role::MultilineTextInput, "Faults, one a line").value().unwrap();
        assert!(text.ends_with(line), "{name}: {text}");
    }
    assert!(!is_disabled(&find(&harness, Role::Button, "Apply")));
}

#[test]
fn a_refusal_is_said_and_the_text_stays() {
    let mut harness = opened([900.0, 600.0], &[("latency=1s", 4, 4)]);
    find(&harness, Role::Button, "Apply").click();
    harness.run();
    let Some(Command::SetFaults { key, .. }) = harness.state().commands.last().cloned() else { panic!() };
    let service =
        ServiceError { message: Some("fault 1: \"latency=1s\" at 1: too long".to_owned()), ..ServiceError::default() };
    harness.state_mut().fail(key, Failure::Hub(HubError::Refused { status: 400, service }));
    harness.run();
    assert!(says(&harness, "The hub refused the request (status 400)"));
    let text = find(&harness, Role::MultilineTextInput, "Faults, one a line").value();
    assert_eq!(text.as_deref(), Some("latency=1s"));
    // All of it can be reached in the smallest window.
    for name in ["Apply", "Clear all", "Close"] {
        let rect = find(&harness, Role::Button, name).rect();
        assert!(rect.bottom() <= 600.0 && rect.right() <= 900.0, "{name} {rect:?}");
    }
}

#[test]
fn the_palette_leads_there() {
    let mut scene = Scene::twin();
    told(&mut scene, &[]);
    scene.act(twinscope::app::Action::ShowPalette);
    let mut harness = window(scene);
    find(&harness, Role::TextInput, "Command").type_text("faults");
    harness.run();
    find(&harness, Role::ListItem, "Faults…").click();
    harness.run();
    find(&harness, Role::Dialog, "Faults");
}
