//! Two hubs may have twins of the same name: what egui keeps of one is not found in the other.

use super::scene::{Scene, module, twin_json};
use super::{find, window};
use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use twinscope::app::Action;
use twinscope::worker::event::{HubInfo, Outcome};
use twinscope::worker::{Command, HubRef};

fn go_to(harness: &mut Harness<'_, Scene>, hub: HubRef, host: &str) {
    let scene = harness.state_mut();
    scene.act(Action::OpenHub(hub.clone()));
    let key = scene.key(|command| match command {
        Command::Open { key, .. } => Some(*key),
        _ => None,
    });
    let info = HubInfo {
        hub,
        name: "A hub".to_owned(),
        host: host.to_owned(),
        policy: "service".to_owned(),
        api_version: "2021-04-12",
    };
    scene.answer(key, Outcome::Connected(info));
    harness.run();
}

fn text(harness: &Harness<'_, Scene>) -> String {
    harness.state().app.tab(&module()).unwrap().draft.as_ref().unwrap().desired.text.clone()
}

/// Focuses the editor without a click, and types.
fn type_at_the_caret(harness: &mut Harness<'_, Scene>, letter: &str) {
    find(harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    harness.event(egui::Event::Text(letter.to_owned()));
    harness.run();
}

#[test]
fn the_caret_of_a_twin_is_not_found_in_the_twin_of_that_name_on_another_hub() {
    let mut harness = window(Scene::twin());
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    harness.key_press(Key::End);
    harness.run();
    type_at_the_caret(&mut harness, "z");
    assert!(text(&harness).starts_with("{z"), "{}", text(&harness));

    go_to(&mut harness, HubRef::Saved("plant".to_owned()), "plant-north.azure-devices.net");
    harness.state_mut().open(&module(), &twin_json(&module(), 60, 3));
    harness.run();
    type_at_the_caret(&mut harness, "y");
    assert!(text(&harness).starts_with('y'), "the caret of the other hub's twin: {}", text(&harness));

    // Back on the first hub it stands where it was.
    go_to(&mut harness, HubRef::Local, "localhost:8443");
    type_at_the_caret(&mut harness, "x");
    assert!(text(&harness).starts_with("{zx"), "{}", text(&harness));
}
