//! *Copy as* beside what will be sent, and *Replace…* with its question.

use super::scene::{Scene, module};
use super::{find, is_disabled, try_find, window};
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use twinscope::app::{Action, Dialog};
use twinscope::client::HubError;
use twinscope::twin::{Etag, Section};
use twinscope::worker::{Command, Failure};

fn edited() -> Scene {
    let mut scene = Scene::twin();
    let text = r#"{"telemetryInterval": 122, "limits": {"low": 2.50}}"#.to_owned();
    scene.act(Action::Edit { id: module(), section: Section::Desired, text });
    scene
}

fn says(harness: &Harness<'_, Scene>, text: &str) -> bool {
    harness.root().children_recursive().any(|node| {
        let node = node.accesskit_node();
        [node.label(), node.value()].into_iter().flatten().any(|said| said.contains(text))
    })
}

#[test]
fn each_language_is_in_the_menu_and_in_the_palette() {
    for name in ["curl", "Azure CLI", "Python", "Node.js", "C#", "Rust"] {
        let mut harness = window(edited());
        find(&harness, Role::Button, "Copy as").click();
        harness.run();
        find(&harness, Role::Button, name).click();
        harness.run();
        let text = harness.state_mut().app.take_copied().unwrap_or_else(|| panic!("{name} copied nothing"));
        assert!(text.contains("IOTHUB_"), "{text}");

        harness.state_mut().act(Action::ShowPalette);
        harness.run();
        find(&harness, Role::TextInput, "Command").type_text(&format!("Copy the save as {name}"));
        harness.run();
        harness.key_press(egui::Key::Enter);
        harness.run();
        assert_eq!(harness.state_mut().app.take_copied(), Some(text), "{name}");
    }
}

#[test]
fn what_the_device_loses_is_told_as_lost() {
    let harness = window(edited());
    assert!(says(&harness, "The device will be told: telemetryInterval, limits, mode removed"));
}

#[test]
fn replacing_lists_what_goes_and_the_safe_answer_is_the_default() {
    let mut harness = window(edited());
    find(&harness, Role::Button, "More").click();
    harness.run();
    find(&harness, Role::Button, "Replace…").click();
    harness.run();
    find(&harness, Role::Dialog, "Replace…");
    assert!(says(&harness, "2 paths are removed"));
    assert!(says(&harness, "− desired mode: \"auto\"") && says(&harness, "− desired limits.high: 80"));
    assert!(says(&harness, "PUT /twins/myFirstDevice/modules/myFirstModule?"));
    assert!(find(&harness, Role::Button, "Keep editing").is_focused());
    harness.key_press(egui::Key::Enter);
    harness.run();
    assert!(try_find(&harness, Role::Dialog, "Replace…").is_none());
    let sent = |harness: &Harness<'_, Scene>| {
        harness.state().commands.iter().filter(|command| matches!(command, Command::ReplaceTwin { .. })).count()
    };
    assert_eq!(sent(&harness), 0);

    harness.state_mut().act(Action::ShowReplace(module()));
    harness.run();
    find(&harness, Role::Button, "Replace twin").click();
    harness.run_steps(4);
    assert_eq!(sent(&harness), 1);
    assert_eq!(harness.state().app.dialog, None);
}

#[test]
fn a_question_asked_anew_says_so() {
    let mut scene = edited();
    scene.app.dialog = Some(Dialog::Replace { id: module(), shown: Etag("AAAAAAAAAA3=".to_owned()), moved: true });
    assert!(says(&window(scene), "The hub moved while you were asked"));
}

#[test]
fn without_an_edit_there_is_nothing_to_replace() {
    let mut harness = window(Scene::twin());
    find(&harness, Role::Button, "More").click();
    harness.run();
    let replace = find(&harness, Role::Button, "Replace…");
    assert!(is_disabled(&replace));
    let why = replace.accesskit_node().data().description().map(str::to_owned);
    assert!(why.is_some_and(|why| why.contains("nothing to save")));
    assert!(try_find(&harness, Role::Button, "Copy as").is_none());
}

#[test]
fn a_replacement_that_failed_is_tried_again_as_one() {
    let mut scene = Scene::twin();
    let text = "{\"telemetryInterval\": 122}".to_owned();
    scene.act(Action::Edit { id: module(), section: Section::Desired, text });
    scene.act(Action::ShowReplace(module()));
    let Some(Dialog::Replace { shown, .. }) = scene.app.dialog.clone() else { panic!("no question") };
    scene.act(Action::Replace { id: module(), shown });
    let put = |scene: &Scene| {
        let puts = scene.commands.iter().filter_map(|command| match command {
            Command::ReplaceTwin { key, body, guard, .. } => Some((*key, body.clone(), guard.clone())),
            _ => None,
        });
        puts.collect::<Vec<_>>()
    };
    let first = put(&scene).pop().expect("a PUT");
    let reason = "timed out".to_owned();
    scene.fail(first.0, Failure::Hub(HubError::Unreachable { host: "localhost:8443".to_owned(), reason }));
    let mut harness = window(scene);
    assert!(says(&harness, "Not replaced just now: "));
    assert!(try_find(&harness, Role::Button, "Try again").is_none(), "it would send a PATCH");
    find(&harness, Role::Button, "Replace again…").click();
    harness.run();
    find(&harness, Role::Dialog, "Replace…");
    find(&harness, Role::Button, "Replace twin").click();
    harness.run_steps(4);
    let puts = put(harness.state());
    assert_eq!(puts.len(), 2);
    assert_eq!((&puts[1].1, &puts[1].2), (&first.1, &first.2));
    assert!(!harness.state().commands.iter().any(|command| matches!(command, Command::PatchTwin { .. })));
}
