//! The tree over the draft, by mouse and keys, found by role and name.

mod edit;
mod fields;

use super::scene::{Scene, module};
use super::{find, is_disabled, sized, try_find, window};
use egui::accesskit::{Invalid, Role};
use egui::{Event, Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use twinscope::app::Action;
use twinscope::app::tab::Pane;
use twinscope::app::tree::Face;
use twinscope::twin::Section;

const BODY: &str = r#"{"deviceId":"myFirstDevice","moduleId":"myFirstModule","etag":"AAAAAAAAAAk=","deviceEtag":"NTQ5",
"status":"enabled","connectionState":"Connected","lastActivityTime":"2026-01-01T12:00:00.0000000Z",
"cloudToDeviceMessageCount":0,"authenticationType":"sas","version":9,"tags":{"site":"north","line":4},
"properties":{"desired":{"telemetryInterval":60,"mode":"auto","limits":{"low":2.50,"high":80},"steps":[1,2],
"$metadata":{"$lastUpdated":"2026-02-03T04:05:06.789Z","$lastUpdatedVersion":9,
"telemetryInterval":{"$lastUpdated":"2026-02-03T04:05:06.789Z","$lastUpdatedVersion":7,"$lastUpdatedBy":"winter-rollout"},
"mode":{"$lastUpdated":"2026-01-02T03:04:05Z","$lastUpdatedVersion":4}},"$version":9},
"reported":{"telemetryInterval":60,"mode":"eco","firmware":"1.4.2",
"$metadata":{"$lastUpdated":"2026-01-01T12:00:00Z","telemetryInterval":{"$lastUpdated":"2026-01-01T12:00:00Z"},
"mode":{"$lastUpdated":"2026-01-01T11:00:00Z"},"firmware":{"$lastUpdated":"2025-01-01T11:00:00Z"}},"$version":3}}}"#;

/// The tree of desired is in front.
fn scene() -> Scene {
    let mut scene = Scene::fleet();
    scene.open(&module(), BODY);
    scene.act(Action::ShowFace(module(), Face::Tree));
    scene
}

fn shown<'a>() -> Harness<'a, Scene> {
    window(scene())
}

fn press(harness: &mut Harness<'_, Scene>, modifiers: Modifiers, key: Key) {
    harness.key_press_modifiers(modifiers, key);
    harness.run();
}

fn key(harness: &mut Harness<'_, Scene>, key: Key) {
    press(harness, Modifiers::NONE, key);
}

/// Puts the keys on a row.
fn stand_on(harness: &mut Harness<'_, Scene>, name: &str) {
    find(harness, Role::TreeItem, name).click();
    harness.run();
    assert!(find(harness, Role::TreeItem, name).is_focused(), "{name} has the focus");
}

/// Replaces what stands in the field that has the focus.
fn retype(harness: &mut Harness<'_, Scene>, text: &str) {
    press(harness, Modifiers::COMMAND, Key::A);
    harness.event(Event::Text(text.to_owned()));
    harness.run();
}

fn items(harness: &Harness<'_, Scene>) -> Vec<String> {
    let nodes = harness.root().children_recursive();
    nodes
        .filter(|node| node.accesskit_node().role() == Role::TreeItem)
        .filter_map(|node| node.accesskit_node().label())
        .collect()
}

fn text(harness: &Harness<'_, Scene>) -> String {
    harness.state().app.tab(&module()).unwrap().draft.as_ref().unwrap().section(Section::Desired).text.clone()
}

fn copied(harness: &Harness<'_, Scene>) -> Option<String> {
    harness.output().platform_output.commands.iter().find_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    })
}

#[test]
fn rows_say_desired_reported_and_whether_they_agree() {
    let harness = shown();
    find(&harness, Role::Tree, "Desired tree");
    assert_eq!(
        items(&harness),
        [
            "telemetryInterval, 60, reported 60, agrees",
            "mode, \"auto\", reported \"eco\", differs",
            "limits, 2 properties, not reported",
            "low, 2.50, not reported",
            "high, 80, not reported",
            "steps, 2 elements, not reported",
            "[0], 1, not reported",
            "[1], 2, not reported",
            "firmware, not desired, reported \"1.4.2\"",
        ]
    );
    let node = find(&harness, Role::TreeItem, "telemetryInterval");
    let node = node.accesskit_node();
    let said = "Desired: 60 · updated 2026-02-03 04:05:06 UTC, at desired v7, by winter-rollout; \
                Reported: 60, agrees with desired · updated 2026-01-01 12:00:00 UTC, reported now at v3";
    assert_eq!(node.data().description(), Some(said));
    assert_eq!(
        (node.data().level(), node.data().position_in_set(), node.data().size_of_set()),
        (Some(0), Some(0), Some(5))
    );
    assert_eq!(find(&harness, Role::TreeItem, "limits").accesskit_node().data().is_expanded(), Some(true));
}

/// What a screen reader says of a row beside its name; the line below the rows says the same.
fn described(harness: &Harness<'_, Scene>, row: &str) -> String {
    let node = find(harness, Role::TreeItem, row);
    node.accesskit_node().data().description().unwrap_or_default().to_owned()
}

#[test]
fn an_edit_is_told_from_what_the_hub_has_and_when_it_took_it() {
    let mut scene = scene();
    let text =
        r#"{"telemetryInterval": 122, "mode": "auto", "limits": {"low": 1, "high": 80}, "steps": [1, 2], "zone": 7}"#;
    scene.act(Action::Edit { id: module(), section: Section::Desired, text: text.to_owned() });
    let mut harness = window(scene);
    let said = described(&harness, "telemetryInterval");
    let expected = "Desired: 122, edited, not saved; the hub has 60 · the hub's updated 2026-02-03 04:05:06 UTC, at desired v7, \
                    by winter-rollout; Reported: 60, differs";
    assert!(said.starts_with(expected), "{said}");
    assert!(described(&harness, "mode").starts_with("Desired: \"auto\" · updated 2026-01-02"));
    assert!(described(&harness, "low").starts_with("Desired: 1, edited, not saved; the hub has 2.50;"));
    assert!(described(&harness, "limits").starts_with("Desired: 2 properties, edited inside, not saved;"));
    assert!(described(&harness, "zone").starts_with("Desired: 7, added, not saved;"));
    stand_on(&mut harness, "low");
    let labels = harness.root().children_recursive().filter_map(|node| node.accesskit_node().value());
    assert!(labels.into_iter().any(|label| label == "Desired: 1, edited, not saved; the hub has 2.50"));
}

/// Lines that only the pointer brings up.
fn hovered(name: &str, size: [f32; 2]) -> Vec<String> {
    let mut scene = scene();
    let text = BODY_LONG.to_owned();
    scene.act(Action::Edit { id: module(), section: Section::Desired, text });
    let mut harness = sized(scene, size);
    let row = find(&harness, Role::TreeItem, name).rect();
    harness.hover_at(row.center());
    for _ in 0..40 {
        harness.step();
    }
    let labels = harness.root().children_recursive().filter_map(|node| node.accesskit_node().value());
    labels.filter(|label| label.starts_with("Desired: ")).collect()
}

const BODY_LONG: &str = r#"{"mode": "auto", "endpoint": "https://example.org/a/rather/long/path/that/has/no/room/in/any/of/the/columns/of/a/small/window"}"#;

#[test]
fn what_has_no_room_in_a_row_is_whole_under_the_pointer() {
    // The line below the rows says it of the row the keys stand on; the pointer brings up the other's.
    let said = hovered("endpoint", [900.0, 600.0]);
    assert!(
        said.iter().any(|line| line.contains("of/a/small/window") && line.ends_with("added, not saved")),
        "{said:?}"
    );
    let said = hovered("mode", [1280.0, 800.0]);
    assert_eq!(said.len(), 1, "{said:?}");
}

#[test]
fn text_and_tree_by_button_key_and_palette() {
    let mut scene = Scene::fleet();
    scene.open(&module(), BODY);
    let mut harness = window(scene);
    let face = |harness: &Harness<'_, Scene>| harness.state().app.tab(&module()).unwrap().face;
    find(&harness, Role::Button, "Show as tree").click();
    harness.run();
    find(&harness, Role::Tree, "Desired tree");
    stand_on(&mut harness, "high");
    press(&mut harness, Modifiers::COMMAND, Key::T);
    assert_eq!(face(&harness), Face::Text);
    // The caret is where the cursor was.
    assert!(find(&harness, Role::MultilineTextInput, "Desired JSON").is_focused());
    press(&mut harness, Modifiers::COMMAND, Key::T);
    assert!(find(&harness, Role::TreeItem, "high").is_focused());
    press(&mut harness, Modifiers::COMMAND, Key::K);
    harness.event(Event::Text("show as text".to_owned()));
    harness.run();
    key(&mut harness, Key::Enter);
    assert_eq!(face(&harness), Face::Text);
    harness.state_mut().act(Action::ShowPane(module(), Pane::Tags));
    harness.run();
    find(&harness, Role::Button, "Show as tree").click();
    harness.run();
    find(&harness, Role::Tree, "Tags tree");
    assert_eq!(items(&harness), ["site, \"north\"", "line, 4"]);
}

#[test]
fn the_arrows_walk_open_and_close() {
    let mut harness = shown();
    stand_on(&mut harness, "mode");
    key(&mut harness, Key::ArrowDown);
    assert!(find(&harness, Role::TreeItem, "limits").is_focused());
    key(&mut harness, Key::ArrowRight);
    key(&mut harness, Key::ArrowDown);
    assert!(find(&harness, Role::TreeItem, "high").is_focused());
    key(&mut harness, Key::ArrowLeft);
    key(&mut harness, Key::ArrowLeft);
    assert!(find(&harness, Role::TreeItem, "limits").is_focused());
    assert!(try_find(&harness, Role::TreeItem, "high").is_none());
    assert_eq!(find(&harness, Role::TreeItem, "limits").accesskit_node().data().is_expanded(), Some(false));
    key(&mut harness, Key::ArrowRight);
    find(&harness, Role::TreeItem, "high");
    find(&harness, Role::Button, "Collapse all properties").click();
    harness.run();
    assert_eq!(items(&harness).len(), 5);
    find(&harness, Role::Button, "Expand all properties").click();
    harness.run();
    assert_eq!(items(&harness).len(), 9);
    find(&harness, Role::Button, "Collapse steps").click();
    harness.run();
    assert_eq!(items(&harness).len(), 7);
}

#[test]
fn a_text_that_is_no_json_is_said_with_the_way_back() {
    let mut scene = scene();
    scene.act(Action::Edit { id: module(), section: Section::Desired, text: "{\n  \"a\": tru\n}".to_owned() });
    let mut harness = window(scene);
    assert!(try_find(&harness, Role::Tree, "Desired tree").is_none());
    let labels: Vec<String> =
        harness.root().children_recursive().filter_map(|node| node.accesskit_node().value()).collect();
    assert!(labels.iter().any(|label| label.starts_with("Line 2, column 8: a: ")), "{labels:?}");
    find(&harness, Role::Button, "Back to the text").click();
    harness.run_steps(6);
    assert!(find(&harness, Role::MultilineTextInput, "Desired JSON").is_focused());
    let labels = harness.root().children_recursive().filter_map(|node| node.accesskit_node().value());
    assert!(labels.into_iter().any(|label| label.starts_with("line 2, column ")));
}

#[test]
fn only_rows_in_view_are_painted() {
    let mut scene = scene();
    let members: Vec<String> = (0..5000).map(|n| format!("\"k{n}\": {n}")).collect();
    let text = format!("{{{}}}", members.join(", "));
    scene.act(Action::Edit { id: module(), section: Section::Desired, text });
    let mut harness = sized(scene, [900.0, 600.0]);
    let count = items(&harness).len();
    assert!((5..40).contains(&count), "{count} rows");
    stand_on(&mut harness, "k0");
    key(&mut harness, Key::End);
    assert!(find(&harness, Role::TreeItem, "firmware").is_focused());
    assert!(items(&harness).len() < 40);
}

#[test]
fn what_is_copied() {
    for (command, row, expected) in [
        ("Copy path", "low", "limits.low"),
        ("Copy value", "low", "2.50"),
        ("Copy as query path", "low", "properties.desired.limits.low"),
        ("Copy as query path", "firmware", "properties.reported.firmware"),
        ("Copy value", "firmware", "\"1.4.2\""),
    ] {
        let mut harness = shown();
        stand_on(&mut harness, row);
        find(&harness, Role::Button, "Copy").click();
        harness.run();
        find(&harness, Role::Button, command).click();
        harness.step();
        assert_eq!(copied(&harness).as_deref(), Some(expected), "{command}");
    }
}
