//! Little room, no connection, many tabs: what matters stays on screen.

use super::scene::{Scene, module, parsed, twin_json};
use super::{find, sized, try_find, window};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use twinscope::app::tab::Pane;
use twinscope::app::{Action, HubState};
use twinscope::twin::{Section, TwinId};
use twinscope::worker::event::{Outcome, Reachability};
use twinscope::worker::{Command, Fact, Failure, HubRef};

/// 900×600 at 200 %.
const SMALL: [f32; 2] = [450.0, 300.0];

fn says(harness: &Harness<'_, Scene>, text: &str) -> bool {
    harness.root().children_recursive().any(|node| {
        let node = node.accesskit_node();
        [node.label(), node.value()].into_iter().flatten().any(|said| said.contains(text))
    })
}

fn edited() -> Scene {
    let mut scene = Scene::twin();
    let text = "{\"telemetryInterval\": 122}".to_owned();
    scene.act(Action::Edit { id: module(), section: Section::Desired, text });
    scene
}

#[test]
fn in_a_small_window_changes_take_the_place_of_the_text() {
    let mut harness = sized(edited(), SMALL);
    let editor = find(&harness, Role::MultilineTextInput, "Desired JSON").rect();
    // Above the status bar, which is 28 points high.
    assert!(300.0 - 28.0 - editor.top() >= 80.0, "{editor:?}");
    assert!(try_find(&harness, Role::Button, "Revert telemetryInterval").is_none());
    find(&harness, Role::Button, "Changes").click();
    harness.run();
    assert!(try_find(&harness, Role::Button, "Revert telemetryInterval").is_some());
    assert!(try_find(&harness, Role::MultilineTextInput, "Desired JSON").is_none());
    harness.key_press_modifiers(Modifiers::COMMAND, Key::D);
    harness.run();
    assert!(try_find(&harness, Role::MultilineTextInput, "Desired JSON").is_some());
    assert!(!harness.state().app.settings.layout.changes_hidden, "what a wide window shows is another choice");
}

#[test]
fn in_a_small_window_a_save_says_what_became_of_it() {
    let mut scene = edited();
    scene.act(Action::Save(module()));
    let key = scene.key(|command| match command {
        Command::PatchTwin { key, .. } => Some(*key),
        _ => None,
    });
    scene.answer(key, Outcome::Saved(parsed(&twin_json(&module(), 122, 4))));
    let mut harness = sized(scene, SMALL);
    let inside = |harness: &Harness<'_, Scene>, text: &str| {
        harness.root().children_recursive().any(|node| {
            let said = node.accesskit_node().value().is_some_and(|said| said.starts_with(text));
            said && node.rect().right() <= 450.5 && node.rect().bottom() <= 300.5
        })
    };
    assert!(inside(&harness, "Saved, desired v4"));
    harness.state_mut().act(Action::Edit { id: module(), section: Section::Desired, text: "{".to_owned() });
    harness.state_mut().act(Action::Save(module()));
    harness.run();
    assert!(inside(&harness, "Not saved: "));
}

#[test]
fn in_a_small_window_the_other_acts_are_under_more() {
    let mut harness = sized(Scene::twin(), SMALL);
    find(&harness, Role::Button, "Save");
    assert!(try_find(&harness, Role::Button, "Refresh").is_none());
    find(&harness, Role::Button, "More").click();
    harness.run();
    for name in ["Refresh", "Watch", "Act as module…", "Delete…"] {
        find(&harness, Role::Button, name);
    }
}

#[test]
fn acting_leaves_the_text_some_lines() {
    let mut scene = Scene::twin();
    scene.act(Action::ActAs(module()));
    let harness = sized(scene, [900.0, 420.0]);
    let report = find(&harness, Role::Button, "Stop acting").rect();
    let tabs = find(&harness, Role::Tab, "Desired").rect();
    assert!(report.top() - tabs.bottom() >= 78.0, "{tabs:?} {report:?}");
}

#[test]
fn being_offline_is_said_with_a_way_to_try_now() {
    let mut scene = Scene::twin();
    scene.tell(Fact::HubReachable(Reachability::Offline { reason: "connection refused".to_owned() }));
    let mut harness = window(scene);
    assert!(says(&harness, "Offline: connection refused; trying again"));
    find(&harness, Role::Button, "Try now").click();
    harness.run_steps(3);
    assert!(harness.state().actions.contains(&Action::RefreshFleet));
    harness.state_mut().tell(Fact::HubReachable(Reachability::Online));
    harness.run_steps(3);
    assert!(try_find(&harness, Role::Button, "Try now").is_none());
}

#[test]
fn a_hub_that_cannot_be_opened_is_said_without_the_list_too() {
    let mut scene = Scene::fleet();
    scene.app.settings.layout.fleet_hidden = true;
    let failure = Failure::Local("localhost:8443 cannot be reached".to_owned());
    scene.app.hub = HubState::Failed { hub: HubRef::Local, failure };
    let mut harness = window(scene);
    assert!(says(&harness, "localhost:8443 cannot be reached"), "a host keeps its letters");
    find(&harness, Role::Button, "Try again").click();
    harness.run_steps(3);
    assert!(harness.state().actions.contains(&Action::OpenHub(HubRef::Local)));
}

#[test]
fn the_tab_in_front_is_in_view() {
    let mut scene = Scene::fleet();
    for n in 1..=12 {
        let id = TwinId::device(format!("thermostat-{n:02}"));
        scene.open(&id, &twin_json(&id, 60, 3));
    }
    let mut harness = sized(scene, [900.0, 600.0]);
    for (index, name) in [(11, "thermostat-12"), (0, "thermostat-01"), (6, "thermostat-07")] {
        harness.state_mut().act(Action::SelectTab(index));
        harness.run();
        let rect = find(&harness, Role::Tab, name).rect();
        assert!(rect.left() >= 200.0 && rect.right() <= 900.5, "{name} at {rect:?}");
    }
}

#[test]
fn finding_works_in_texts_that_are_only_read() {
    for (pane, name) in [(Pane::Reported, "Reported JSON"), (Pane::Document, "Document JSON")] {
        let mut scene = Scene::twin();
        scene.act(Action::ShowPane(module(), pane));
        let mut harness = window(scene);
        find(&harness, Role::MultilineTextInput, name).focus();
        harness.run();
        harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
        harness.run();
        let field = find(&harness, Role::TextInput, "Find");
        assert!(field.is_focused());
        field.type_text("FIRMWARE");
        harness.run();
        assert!(says(&harness, "1 match"));
        find(&harness, Role::Button, "Next").click();
        harness.run();
        find(&harness, Role::MultilineTextInput, name).focus();
        harness.run();
        harness.event(egui::Event::Copy);
        harness.step();
        let commands = &harness.output().platform_output.commands;
        let copied =
            |text: &str| matches!(&commands[..], [.., egui::OutputCommand::CopyText(copied)] if copied == text);
        assert!(copied("firmware"), "{name}: {commands:?}");
    }
}
