//! Characters that cannot be seen, and letters that look like others, are named wherever they stand.

use super::scene::{Scene, module};
use super::{find, try_find, window};
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use twinscope::app::Action;
use twinscope::twin::{ConnectionState, Section, Status, TwinId};
use twinscope::worker::event::DeviceRow;

fn says(harness: &Harness<'_, Scene>, text: &str) -> bool {
    harness.root().children_recursive().any(|node| {
        let node = node.accesskit_node();
        [node.label(), node.value()].into_iter().flatten().any(|said| said.contains(text))
    })
}

fn device(id: &str) -> DeviceRow {
    DeviceRow {
        id: id.to_owned(),
        status: Status::Enabled,
        connection_state: ConnectionState::Disconnected,
        modules: Some(0),
        iot_edge: false,
    }
}

#[test]
fn ids_that_look_genuine_are_told_apart() {
    let ids = ["pump", "pump\u{200b}", "p\u{443}mp", "\u{ff50}ump", "pump\u{202e}", "pu\0mp"];
    let mut harness = window(Scene::with_devices(ids.map(device).to_vec()));
    for shown in ["pump", "pump[U+200B]", "p[U+0443]mp", "[U+FF50]ump", "pump[U+202E]", "pu[U+0000]mp"] {
        find(&harness, Role::ListItem, shown);
    }
    harness.state_mut().act(Action::OpenTwin(TwinId::device("pump\u{200b}")));
    harness.run();
    assert!(try_find(&harness, Role::Tab, "pump[U+200B]").is_some());
    harness.state_mut().act(Action::ShowDelete(TwinId::device("pump\u{200b}")));
    harness.run();
    assert!(says(&harness, "Delete the device pump[U+200B]"), "the question names it");
    assert!(says(&harness, "Delete pump[U+200B]"), "and so does its button");
}

#[test]
fn keys_that_look_the_same_are_told_apart() {
    let mut scene = Scene::twin();
    let text = format!("{{\"a\": 1, \"\u{200b}a\": 2, \"b{}\": 3}}", "\u{301}".repeat(2000));
    scene.act(Action::Edit { id: module(), section: Section::Desired, text: text.clone() });
    let harness = window(scene);
    assert!(says(&harness, "[U+200B]a"), "a change names it");
    assert!(says(&harness, "[U+0301×1996]"), "and how many marks there are");
    let editor = find(&harness, Role::MultilineTextInput, "Desired JSON");
    let runs: Vec<_> = editor.accesskit_node().children().filter(|run| run.role() == Role::TextRun).collect();
    let told: String = runs.iter().filter_map(|run| run.data().value()).collect();
    assert_eq!(told, text);
    let wide = runs[0].data();
    let at = |c: char| wide.value().unwrap_or_default().chars().position(|other| other == c).expect("it");
    let widths = wide.character_widths().expect("widths");
    assert!(widths[at('\u{200b}')] > 20.0, "it has a box: {widths:?}");
}
