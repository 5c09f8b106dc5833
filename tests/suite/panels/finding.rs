//! *Go to* with a module's id alone: what the hub brings stands behind what is known.

use super::scene::Scene;
use super::{find, try_find, window};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use serde_json::json;
use twinscope::client::HubError;
use twinscope::query::ItemType;
use twinscope::twin::TwinId;
use twinscope::worker::event::Outcome;
use twinscope::worker::{Command, Failure};

fn typed<'a>(text: &str) -> Harness<'a, Scene> {
    let mut harness = window(Scene::fleet());
    harness.key_press_modifiers(Modifiers::COMMAND, Key::P);
    harness.run();
    harness.event(egui::Event::Text(text.to_owned()));
    harness.run();
    harness
}

/// Time passes, as it does in the native window.
fn pause(harness: &mut Harness<'_, Scene>) -> twinscope::worker::Key {
    let scene = harness.state_mut();
    scene.now.ms += 1_000;
    let commands = scene.app.tick(scene.now).commands;
    scene.commands.extend(commands);
    // The spinner turns as long as it is waited for.
    harness.run_steps(3);
    harness.state().key(|command| match command {
        Command::Query { key, .. } => Some(*key),
        _ => None,
    })
}

fn says(harness: &Harness<'_, Scene>, text: &str) -> bool {
    harness.root().children_recursive().any(|node| {
        let node = node.accesskit_node();
        [node.label(), node.value()].into_iter().flatten().any(|said| said.contains(text))
    })
}

/// Whether a line of the palette is marked; the list of devices says the state behind the id.
fn marked(harness: &Harness<'_, Scene>, id: &str) -> bool {
    let mut lines = harness.root().children_recursive().filter(|node| {
        let node = node.accesskit_node();
        node.role() == Role::ListItem && node.label().as_deref() == Some(id)
    });
    lines.next().expect("the line is there").accesskit_node().is_selected() == Some(true)
}

fn rows(harness: &mut Harness<'_, Scene>, devices: &[&str], module: &str, more: bool) {
    let key = pause(harness);
    let rows = devices.iter().map(|device| json!({"deviceId": device, "moduleId": module})).collect();
    harness.state_mut().answer(key, Outcome::QueryRows { item_type: ItemType::Raw, rows, more, ms: 1 });
    harness.run();
}

#[test]
fn a_module_by_its_id_alone() {
    let mut harness = typed("edgeCam");
    assert!(says(&harness, "the hub is being asked for modules"));
    assert!(!says(&harness, "No device or module fits"));
    rows(&mut harness, &["pump-07", "thermostat-02"], "edgeCam", false);
    find(&harness, Role::ListItem, "thermostat-02/edgeCam");
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    let opened = TwinId::module("pump-07", "edgeCam");
    assert!(harness.state().app.tab(&opened).is_some(), "the first is marked");
}

#[test]
fn what_is_marked_stays_marked_when_more_comes() {
    let mut harness = typed("pump");
    assert!(marked(&harness, "pump-07"));
    rows(&mut harness, &["thermostat-01"], "pump", true);
    assert!(marked(&harness, "pump-07"));
    find(&harness, Role::ListItem, "thermostat-01/pump");
    assert!(says(&harness, "The first 50 modules named pump are listed"));
}

#[test]
fn nothing_and_failures_are_said() {
    let mut harness = typed("edgeCam");
    rows(&mut harness, &[], "edgeCam", false);
    assert!(says(&harness, "No device or module fits"));

    let mut harness = typed("edgeCam");
    let key = pause(&mut harness);
    let scene = harness.state_mut();
    scene.now.ms += 1_000;
    scene.app.now = scene.now;
    harness.run_steps(3);
    assert!(says(&harness, "Asking the hub for modules named edgeCam"));
    let failure = HubError::Unreachable { host: "localhost:8443".to_owned(), reason: "connection refused".to_owned() };
    harness.state_mut().fail(key, Failure::Hub(failure));
    harness.run();
    assert!(says(&harness, "The hub was asked for modules named edgeCam: "));
    find(&harness, Role::Button, "Ask again").click();
    harness.run();
    assert!(try_find(&harness, Role::Button, "Ask again").is_none());
    rows(&mut harness, &["pump-07"], "edgeCam", false);
    find(&harness, Role::ListItem, "pump-07/edgeCam");
}

#[test]
fn what_to_compare_with_is_found_by_a_modules_id_alone() {
    let mut harness = window(Scene::twin());
    find(&harness, Role::Button, "More").click();
    harness.run();
    find(&harness, Role::Button, "Compare with…").click();
    harness.run();
    harness.event(egui::Event::Text("vibration".to_owned()));
    harness.run();
    rows(&mut harness, &["pump-99"], "vibration", false);
    find(&harness, Role::ListItem, "pump-99/vibration").click();
    harness.run();
    let wanted = TwinId::module("pump-99", "vibration");
    assert!(
        harness.state().commands.iter().any(|command| matches!(command, Command::LoadTwin { id, .. } if *id == wanted))
    );
}
