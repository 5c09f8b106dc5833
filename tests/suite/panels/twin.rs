//! One open twin: editor, changes, saving, conflict.

use super::scene::{Scene, module, parsed, twin_json};
use super::{find, is_disabled, try_find, window};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use twinscope::app::Action;
use twinscope::app::tab::Pane;
use twinscope::twin::Section;
use twinscope::worker::event::Source;
use twinscope::worker::{Command, Fact};

const EDITED: &str = "{\n  \"telemetryInterval\": 122,\n  \"mode\": \"auto\",\n  \"fan\": true\n}";

fn edited() -> Scene {
    let mut scene = Scene::twin();
    scene.act(Action::Edit { id: module(), section: Section::Desired, text: EDITED.to_owned() });
    scene
}

fn desired(harness: &Harness<'_, Scene>) -> String {
    find(harness, Role::MultilineTextInput, "Desired JSON").value().unwrap_or_default()
}

#[test]
fn typing_into_the_editor_is_an_edit() {
    let mut harness = window(Scene::twin());
    let before = desired(&harness);
    assert!(before.starts_with("{\n  \"telemetryInterval\": 60"), "{before}");
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    find(&harness, Role::MultilineTextInput, "Desired JSON").type_text(" ");
    harness.run();
    let expected = format!(" {before}");
    assert_eq!(
        harness.state().actions.last(),
        Some(&Action::Edit { id: module(), section: Section::Desired, text: expected.clone() })
    );
    assert_eq!(desired(&harness), expected);
}

#[test]
fn enter_keeps_the_indentation() {
    let mut harness = window(Scene::twin());
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    harness.key_press(Key::ArrowRight);
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    assert!(desired(&harness).starts_with("{\n  \n"), "{:?}", desired(&harness));
}

#[test]
fn save_waits_for_something_to_save() {
    let mut harness = window(Scene::twin());
    assert!(is_disabled(&find(&harness, Role::Button, "Save")));
    assert!(is_disabled(&find(&harness, Role::Button, "Discard")));

    let text = "{ \"a\": }".to_owned();
    harness.state_mut().act(Action::Edit { id: module(), section: Section::Desired, text });
    harness.run();
    let save = find(&harness, Role::Button, "Save");
    assert!(is_disabled(&save));
    let why = save.accesskit_node().data().description().map(str::to_owned);
    assert!(why.as_ref().is_some_and(|why| why.starts_with("desired line 1, column ")), "{why:?}");

    harness.state_mut().act(Action::Edit { id: module(), section: Section::Desired, text: EDITED.to_owned() });
    harness.run();
    assert!(!is_disabled(&find(&harness, Role::Button, "Save")));
}

#[test]
fn control_s_saves() {
    let mut harness = window(edited());
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::S);
    harness.run_steps(4);
    assert!(harness.state().actions.contains(&Action::Save(module())));
    let sent = harness.state().commands.iter().any(|command| {
        matches!(command, Command::PatchTwin { body, .. } if body["properties"]["desired"]["telemetryInterval"] == 122)
    });
    assert!(sent, "{:?}", harness.state().commands);
}

#[test]
fn changes_list_each_path_and_take_one_back() {
    let mut harness = window(edited());
    for name in ["Revert telemetryInterval", "Revert fan", "Revert limits"] {
        find(&harness, Role::Button, name);
    }
    assert!(try_find(&harness, Role::Button, "Revert mode").is_none());
    let said: Vec<String> = harness
        .root()
        .children_recursive()
        .filter_map(|node| node.accesskit_node().value().filter(|_| node.accesskit_node().role() == Role::Label))
        .collect();
    let has = |text: &str| said.iter().any(|label| label.contains(text));
    assert!(has("telemetryInterval changed: 60 → 122"), "{said:?}");
    assert!(has("fan added: true"), "{said:?}");
    let head = "PATCH /twins/myFirstDevice/modules/myFirstModule?api-version=2021-04-12\nHost: localhost:8443\n\
                If-Match: \"AAAAAAAAAA3=\"\nAuthorization: (";
    assert!(has(head), "{said:?}");
    assert!(has("\nContent-Length: 77"), "{said:?}");
    assert!(has("The device will be told: telemetryInterval, "), "{said:?}");

    find(&harness, Role::Button, "Revert fan").click();
    harness.run();
    assert!(try_find(&harness, Role::Button, "Revert fan").is_none());
    assert!(!desired(&harness).contains("fan"));
    assert!(desired(&harness).contains("122"));
}

#[test]
fn problems_are_listed_and_lead_to_their_place() {
    let mut scene = Scene::twin();
    let text = "{\n  \"a\": 1,\n  \"b\": 9007199254740992\n}".to_owned();
    scene.act(Action::Edit { id: module(), section: Section::Desired, text });
    let mut harness = window(scene);
    let name = harness
        .root()
        .children_recursive()
        .filter(|node| node.accesskit_node().role() == Role::Button)
        .filter_map(|node| node.accesskit_node().label())
        .find(|label| label.starts_with("line 3, column 8: b: "))
        .expect("the problem is listed");
    find(&harness, Role::Button, &name).click();
    harness.run();
    let editor = find(&harness, Role::MultilineTextInput, "Desired JSON");
    assert!(editor.is_focused());
}

#[test]
fn reported_and_document_are_read_only() {
    for (pane, name, inside) in
        [(Pane::Reported, "Reported JSON", "\"firmware\""), (Pane::Document, "Document JSON", "\"$metadata\"")]
    {
        let mut scene = Scene::twin();
        scene.act(Action::ShowPane(module(), pane));
        let mut harness = window(scene);
        let node = find(&harness, Role::MultilineTextInput, name);
        assert!(node.accesskit_node().data().is_read_only(), "{name}");
        assert!(node.value().unwrap_or_default().contains(inside), "{name}");
        node.focus();
        harness.run();
        harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        harness.run();
        harness.event(egui::Event::Copy);
        harness.step();
        let copied = harness.output().platform_output.commands.iter().any(
            |command| matches!(command, egui::OutputCommand::CopyText(text) if text.contains(inside) && text.ends_with('}')),
        );
        assert!(copied, "{name}: {:?}", harness.output().platform_output.commands);
        find(&harness, Role::MultilineTextInput, name).type_text("x");
        harness.run();
        assert!(!harness.state().actions.iter().any(|action| matches!(action, Action::Edit { .. })));
    }
}

#[test]
fn a_version_that_moved_keeps_the_text_and_offers_three_acts() {
    let mut scene = edited();
    scene.tell(Fact::TwinSeen { twin: parsed(&twin_json(&module(), 90, 7)), source: Source::Watch });
    let mut harness = window(scene);
    assert_eq!(desired(&harness), EDITED);
    find(&harness, Role::Button, "Resolve…").click();
    harness.run();
    find(&harness, Role::Dialog, "The hub has a newer version");
    for name in ["Reload from hub", "Overwrite hub version"] {
        find(&harness, Role::Button, name);
    }
    assert!(find(&harness, Role::Button, "Decide later").is_focused());

    // Reloading asks first, and leaving the question loses nothing.
    find(&harness, Role::Button, "Reload from hub").click();
    harness.run();
    find(&harness, Role::Dialog, "Discard the edits?");
    harness.key_press(Key::Escape);
    harness.run();
    assert!(try_find(&harness, Role::Dialog, "Discard the edits?").is_none());
    harness.key_press(Key::Escape);
    harness.run();
    assert!(try_find(&harness, Role::Dialog, "The hub has a newer version").is_none());
    assert_eq!(desired(&harness), EDITED);
}

#[test]
fn acts_have_their_names() {
    let mut harness = window(Scene::twin());
    for name in ["Refresh", "Watch", "Act as module…", "More"] {
        find(&harness, Role::Button, name);
    }
    for name in ["Desired", "Reported", "Tags", "Document", "Identity", "Methods", "myFirstDevice/myFirstModule"] {
        find(&harness, Role::Tab, name);
    }
    find(&harness, Role::Button, "More").click();
    harness.run();
    for name in ["Copy connection string", "Delete…"] {
        find(&harness, Role::Button, name);
    }
}

#[test]
fn acting_shows_its_state_and_takes_a_report() {
    let mut scene = Scene::twin();
    scene.act(Action::ActAs(module()));
    let mut harness = window(scene);
    find(&harness, Role::MultilineTextInput, "Reported patch JSON");
    assert!(is_disabled(&find(&harness, Role::Button, "Send reported")));
    harness
        .state_mut()
        .tell(Fact::Link { id: module(), state: twinscope::client::LinkState::Online { session_present: false } });
    harness.state_mut().act(Action::EditReport { id: module(), text: "{\"on\": true}".to_owned() });
    harness.run();
    find(&harness, Role::Button, "Send reported").click();
    harness.run_steps(4);
    assert!(harness.state().commands.iter().any(|command| matches!(command, Command::Report { .. })));
    find(&harness, Role::Button, "Stop acting");
}
