//! The list of devices and the query line.

use super::scene::{Scene, module};
use super::{find, sized, try_find, window};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::NodeT;
use twinscope::app::Action;
use twinscope::twin::{ConnectionState, Status, TwinId};
use twinscope::worker::event::DeviceRow;

#[test]
fn rows_say_how_they_stand() {
    let harness = window(Scene::twin());
    for name in [
        "myFirstDevice, connected, 1 module",
        "myFirstDevice/myFirstModule, connected",
        "pump-07, disabled, 0 modules",
        "thermostat-01, connected, 1 module",
        "thermostat-03, disconnected, 3 modules",
    ] {
        assert!(try_find(&harness, Role::ListItem, name).is_some(), "{name}");
    }
    let chosen = find(&harness, Role::ListItem, "myFirstDevice/myFirstModule");
    assert_eq!(chosen.accesskit_node().is_selected(), Some(true));
    assert_eq!(find(&harness, Role::ListItem, "pump-07").accesskit_node().is_selected(), Some(false));
}

#[test]
fn a_click_opens_the_twin() {
    let mut harness = window(Scene::fleet());
    find(&harness, Role::ListItem, "thermostat-05").click();
    harness.run_steps(3);
    assert!(harness.state().actions.contains(&Action::OpenTwin(TwinId::device("thermostat-05"))));
}

#[test]
fn typing_filters_and_down_then_enter_opens() {
    let mut harness = window(Scene::fleet());
    find(&harness, Role::TextInput, "Search devices").focus();
    harness.run();
    find(&harness, Role::TextInput, "Search devices").type_text("t-07");
    harness.run();
    assert!(harness.state().actions.contains(&Action::Filter("t-07".to_owned())), "{:?}", harness.state().actions);
    assert!(try_find(&harness, Role::ListItem, "thermostat-07").is_some());
    assert!(try_find(&harness, Role::ListItem, "thermostat-08").is_none());

    harness.key_press(Key::ArrowDown);
    harness.run();
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    assert!(harness.state().actions.contains(&Action::OpenTwin(TwinId::device("thermostat-07"))));
}

#[test]
fn arrows_walk_and_unfold() {
    let mut harness = window(Scene::twin());
    find(&harness, Role::TextInput, "Search devices").focus();
    harness.run();
    for key in [Key::ArrowDown, Key::ArrowDown] {
        harness.key_press(key);
        harness.run();
    }
    assert!(find(&harness, Role::ListItem, "myFirstDevice/myFirstModule").is_focused());
    harness.key_press(Key::ArrowLeft);
    harness.run();
    assert!(find(&harness, Role::ListItem, "myFirstDevice").is_focused());
    harness.key_press(Key::ArrowLeft);
    harness.run();
    let fold = Action::Expand { device: "myFirstDevice".to_owned(), open: false };
    assert_eq!(harness.state().actions.last(), Some(&fold));
    assert!(try_find(&harness, Role::ListItem, "myFirstDevice/myFirstModule").is_none());
}

#[test]
fn a_hundred_thousand_devices_are_a_screenful() {
    let rows = (0..100_000)
        .map(|n| DeviceRow {
            id: format!("device-{n:06}"),
            status: Status::Enabled,
            connection_state: ConnectionState::Disconnected,
            modules: Some(0),
            iot_edge: false,
        })
        .collect();
    let mut harness = window(Scene::with_devices(rows));
    let painted = |harness: &egui_kittest::Harness<'_, Scene>| {
        harness.root().children_recursive().filter(|node| node.accesskit_node().role() == Role::ListItem).count()
    };
    assert!((10..100).contains(&painted(&harness)), "{} rows", painted(&harness));
    assert!(try_find(&harness, Role::Label, "100,000 devices").is_none());

    find(&harness, Role::TextInput, "Search devices").focus();
    harness.run();
    harness.key_press(Key::ArrowDown);
    harness.run();
    harness.key_press(Key::End);
    harness.run();
    assert!(find(&harness, Role::ListItem, "device-099999").is_focused());
    assert!((10..100).contains(&painted(&harness)), "{} rows", painted(&harness));
}

#[test]
fn a_list_without_rows_says_why() {
    let mut filtered = Scene::fleet();
    filtered.act(Action::Filter("nowhere".to_owned()));
    let check = |scene: Scene, button: Option<&str>| {
        let harness = sized(scene, [900.0, 600.0]);
        if let Some(button) = button {
            find(&harness, Role::Button, button);
        }
        assert!(try_find(&harness, Role::ListItem, "thermostat-01").is_none());
    };
    check(Scene::starting(), None);
    check(Scene::with_devices(Vec::new()), Some("Add a device…"));
    check(filtered, Some("Clear the search"));
}

#[test]
fn the_query_line_has_its_name() {
    let mut harness = window(Scene::fleet());
    find(&harness, Role::Tab, "Query").click();
    harness.run();
    find(&harness, Role::MultilineTextInput, "Query");
    find(&harness, Role::Button, "Run query");
}

#[test]
fn the_keyboard_goes_to_a_module_by_id() {
    let mut harness = window(Scene::twin());
    harness.key_press_modifiers(Modifiers::COMMAND, Key::P);
    harness.run();
    find(&harness, Role::Dialog, "Go to");
    find(&harness, Role::TextInput, "Device or module").type_text("first");
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    assert!(try_find(&harness, Role::Dialog, "Go to").is_none());
    assert!(
        harness
            .state()
            .actions
            .iter()
            .any(|action| matches!(action, Action::OpenTwin(id) if id.device == module().device))
    );
}
