//! Every dialog is named, reachable, and left by Esc.

use super::scene::{Scene, module};
use super::{find, is_disabled, try_find, window};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use twinscope::app::Action;
use twinscope::app::settings::SettingsAct;
use twinscope::protocol::secret::Secret;
use twinscope::twin::{Section, TwinId};

#[test]
fn every_dialog_is_named_and_left_by_esc() {
    let dirty = Action::Edit { id: module(), section: Section::Desired, text: "{}".to_owned() };
    let cases = [
        ("Connections", vec![Action::ShowConnections]),
        ("Add connection…", vec![Action::ShowAddConnection]),
        ("Remove the connection?", vec![Action::RemoveConnection { id: "plant".to_owned() }]),
        ("Go to", vec![Action::ShowGoTo]),
        ("Commands", vec![Action::ShowPalette]),
        ("All keys", vec![Action::ShowKeys]),
        ("Settings", vec![Action::Settings(SettingsAct::Show)]),
        ("Add device…", vec![Action::ShowAddDevice]),
        ("Add module…", vec![Action::ShowAddModule { device: "myFirstDevice".to_owned() }]),
        ("Delete…", vec![Action::ShowDelete(TwinId::device("myFirstDevice"))]),
        ("Act as module…", vec![Action::ShowActAs(module())]),
        ("Close with unsaved edits?", vec![dirty.clone(), Action::CloseTab(module())]),
        ("Discard the edits?", vec![dirty.clone(), Action::Discard(module())]),
        ("Replace…", vec![dirty.clone(), Action::ShowReplace(module())]),
        ("Quit with unsaved edits?", vec![dirty, Action::Quit]),
    ];
    for (name, actions) in cases {
        let mut scene = Scene::twin();
        for action in actions {
            scene.act(action);
        }
        let mut harness = window(scene);
        find(&harness, Role::Dialog, name);
        harness.key_press(Key::Escape);
        harness.run();
        assert!(try_find(&harness, Role::Dialog, name).is_none(), "{name} is still there");
        assert_eq!(harness.state().app.dialog, None, "{name}");
        assert!(!harness.state().app.quitting, "{name}");
        assert_eq!(harness.state().app.tabs.len(), 1, "{name}");
    }
}

#[test]
fn quitting_keeps_drafts_unless_they_cannot_be_kept() {
    let dirty = || {
        let mut scene = Scene::twin();
        scene.act(Action::Edit { id: module(), section: Section::Desired, text: "{}".to_owned() });
        scene.act(Action::Quit);
        scene
    };
    let mut harness = window(dirty());
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    assert!(harness.state().actions.contains(&Action::QuitAndKeep), "what has the focus loses nothing");
    assert!(harness.state().app.quitting);

    let mut scene = dirty();
    scene.app.drafts_unkept = Some("the disk is full".to_owned());
    let mut harness = window(scene);
    harness.run();
    assert!(is_disabled(&find(&harness, Role::Button, "Quit and keep drafts")));
    harness.key_press(Key::Enter);
    harness.run();
    assert!(!harness.state().app.quitting, "the focus is on staying");
    assert_eq!(harness.state().app.dialog, None);
}

#[test]
fn keys_open_dialogs() {
    for (modifiers, key, name) in [
        (Modifiers::COMMAND, Key::K, "Commands"),
        (Modifiers::COMMAND, Key::P, "Go to"),
        (Modifiers::NONE, Key::F1, "All keys"),
        (Modifiers::COMMAND, Key::Comma, "Settings"),
    ] {
        let mut harness = window(Scene::twin());
        find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
        harness.run();
        harness.key_press_modifiers(modifiers, key);
        harness.run();
        find(&harness, Role::Dialog, name);
        harness.key_press(Key::Escape);
        harness.run();
        let editor = find(&harness, Role::MultilineTextInput, "Desired JSON");
        assert!(editor.is_focused(), "after {name} the focus is back");
    }
}

#[test]
fn the_palette_runs_a_command() {
    let mut harness = window(Scene::twin());
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    find(&harness, Role::TextInput, "Command").type_text("add dev");
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    find(&harness, Role::Dialog, "Add device…");
    assert!(find(&harness, Role::TextInput, "Device id").is_focused());
    assert!(is_disabled(&find(&harness, Role::Button, "Create")));
}

#[test]
fn the_connection_string_is_masked() {
    let mut scene = Scene::fleet();
    scene.act(Action::ShowAddConnection);
    scene.act(Action::SecretText(Secret::new("HostName=h;SharedAccessKeyName=owner;SharedAccessKey=c2VjcmV0")));
    let mut harness = window(scene);
    let value = find(&harness, Role::PasswordInput, "Connection string").value().unwrap_or_default();
    assert!(!value.is_empty() && !value.contains("HostName") && !value.contains("c2VjcmV0"), "{value}");
    find(&harness, Role::PasswordInput, "Connection string").focus();
    harness.run();
    find(&harness, Role::PasswordInput, "Connection string").type_text("=");
    harness.run();
    let typed = harness.state().actions.iter().find_map(|action| match action {
        Action::SecretText(secret) => Some(secret.reveal().to_owned()),
        _ => None,
    });
    assert!(typed.is_some_and(|text| text.ends_with("c2VjcmV0=")));
    find(&harness, Role::Button, "Connect");
}

#[test]
fn delete_names_the_object_and_keeps_by_default() {
    let mut scene = Scene::twin();
    scene.act(Action::ShowDelete(TwinId::device("myFirstDevice")));
    let harness = window(scene);
    assert!(find(&harness, Role::Button, "Keep").is_focused());
    // Without the record's etag the delete could not be guarded.
    assert!(is_disabled(&find(&harness, Role::Button, "Delete myFirstDevice")));
}

#[test]
fn connections_opens_from_the_top_bar() {
    let mut harness = window(Scene::fleet());
    find(&harness, Role::Button, "Connections").click();
    harness.run();
    find(&harness, Role::Dialog, "Connections");
    find(&harness, Role::Button, "Open Plant north").click();
    harness.run_steps(4);
    let hub = twinscope::worker::HubRef::Saved("plant".to_owned());
    assert!(harness.state().actions.contains(&Action::OpenHub(hub)));
}
