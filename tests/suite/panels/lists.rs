//! Lists and what searches them: after a click the arrow keys walk, what is found is in view, and Esc empties the search.

use super::scene::{Scene, module};
use super::{find, sized, try_find, window};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use serde_json::json;
use std::time::Duration;
use twinscope::app::Action;
use twinscope::app::activity::{CallSeen, CallSide, PatchKind, PatchSeen};
use twinscope::client::hub::RequestRecord;
use twinscope::query::ItemType;
use twinscope::twin::{ConnectionState, Status, TwinId};
use twinscope::worker::event::{DeviceRow, Outcome};
use twinscope::worker::{Command, Fact};

fn device(id: &str) -> DeviceRow {
    DeviceRow {
        id: id.to_owned(),
        status: Status::Enabled,
        connection_state: ConnectionState::Disconnected,
        modules: Some(1),
        iot_edge: false,
    }
}

fn many() -> Vec<DeviceRow> {
    (0..10_000).map(|n| device(&format!("device-{n:05}"))).collect()
}

/// The name of the row that has the focus.
fn focused(harness: &Harness<'_, Scene>) -> String {
    let node = harness.root().children_recursive().find(|node| node.accesskit_node().is_focused());
    node.and_then(|node| node.accesskit_node().label()).unwrap_or_default()
}

#[track_caller]
fn press(harness: &mut Harness<'_, Scene>, key: Key, row: &str) {
    harness.key_press(key);
    harness.run();
    assert!(focused(harness).starts_with(row), "after {key:?} the focus is on {:?}, not {row}", focused(harness));
}

fn opened(harness: &Harness<'_, Scene>, id: &TwinId) -> usize {
    harness.state().actions.iter().filter(|action| **action == Action::OpenTwin(id.clone())).count()
}

#[test]
fn after_a_click_the_arrow_keys_walk_the_fleet() {
    let mut harness = window(Scene::fleet());
    find(&harness, Role::ListItem, "thermostat-05").click();
    harness.run_steps(4);
    press(&mut harness, Key::ArrowDown, "thermostat-06");
    press(&mut harness, Key::ArrowUp, "thermostat-05");
    press(&mut harness, Key::Home, "myFirstDevice");
    press(&mut harness, Key::End, "thermostat-12");
    press(&mut harness, Key::PageUp, "myFirstDevice");
    press(&mut harness, Key::PageDown, "thermostat-12");
    press(&mut harness, Key::ArrowRight, "thermostat-12");
    let unfold = Action::Expand { device: "thermostat-12".to_owned(), open: true };
    assert!(harness.state().actions.contains(&unfold));
    press(&mut harness, Key::ArrowUp, "thermostat-11");
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    assert_eq!(opened(&harness, &TwinId::device("thermostat-11")), 1);
    press(&mut harness, Key::ArrowDown, "thermostat-12");
}

#[test]
fn the_sign_of_the_modules_takes_the_arrow_keys_too() {
    let mut harness = window(Scene::fleet());
    find(&harness, Role::Button, "Modules of thermostat-05").click();
    harness.run_steps(4);
    press(&mut harness, Key::ArrowUp, "thermostat-04");
}

#[test]
fn rows_that_come_in_above_do_not_take_the_arrow_keys() {
    let mut harness = window(Scene::fleet());
    find(&harness, Role::ListItem, "thermostat-05").click();
    harness.run_steps(4);
    let scene = harness.state_mut();
    scene.act(Action::RefreshFleet);
    let key = scene.key(|command| match command {
        Command::LoadFleet { key } => Some(*key),
        _ => None,
    });
    let mut rows: Vec<DeviceRow> = ["aaa-1", "aaa-2"].map(device).into();
    rows.extend(scene.app.fleet.devices.iter().cloned());
    let devices = rows.len();
    scene.tell(Fact::FleetPage { key, rows });
    scene.answer(key, Outcome::FleetDone { devices, complete: true });
    harness.run_steps(4);
    assert!(try_find(&harness, Role::ListItem, "aaa-1").is_some());
    press(&mut harness, Key::ArrowDown, "thermostat-06");
}

fn queried<'a>(text: &str, devices: &[String]) -> Harness<'a, Scene> {
    let mut harness = window(Scene::fleet());
    find(&harness, Role::Tab, "Query").click();
    harness.run();
    ask(&mut harness, text, devices);
    harness
}

fn ask(harness: &mut Harness<'_, Scene>, text: &str, devices: &[String]) {
    let scene = harness.state_mut();
    scene.act(Action::RunQuery(text.to_owned()));
    let key = scene.key(|command| match command {
        Command::Query { key, .. } => Some(*key),
        _ => None,
    });
    let rows = devices.iter().map(|device| json!({"deviceId": device})).collect();
    scene.answer(key, Outcome::QueryRows { item_type: ItemType::Raw, rows, more: false, ms: 1 });
    harness.run_steps(4);
}

fn named(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{prefix}-{n:04}")).collect()
}

#[test]
fn after_a_click_the_arrow_keys_walk_the_rows_of_a_query() {
    let mut harness = queried("SELECT deviceId FROM devices", &named("row", 500));
    find(&harness, Role::ListItem, "row-0002").click();
    harness.run_steps(4);
    press(&mut harness, Key::ArrowDown, "row-0003");
    press(&mut harness, Key::PageDown, "row-0018");
    press(&mut harness, Key::End, "row-0499");
    press(&mut harness, Key::ArrowUp, "row-0498");
    let before = opened(&harness, &TwinId::device("row-0498"));
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    assert_eq!(opened(&harness, &TwinId::device("row-0498")), before + 1);
    press(&mut harness, Key::Home, "row-0000");
}

#[test]
fn another_answer_is_shown_from_its_top() {
    let mut harness = queried("SELECT deviceId FROM devices", &named("row", 500));
    find(&harness, Role::ListItem, "row-0002").click();
    harness.run_steps(4);
    press(&mut harness, Key::End, "row-0499");
    ask(&mut harness, "SELECT deviceId FROM devices.modules", &named("other", 400));
    assert!(in_view(&harness, "other-0000"));
}

#[test]
fn after_a_click_the_arrow_keys_walk_what_went_over_the_wire() {
    let mut scene = Scene::twin();
    let now = scene.now;
    let seen = |n: u64| PatchSeen {
        at: now,
        id: TwinId::device(format!("patched-{n:03}")),
        kind: PatchKind::SeenDesired,
        version: n,
        patch: twinscope::twin::JsonMap::new(),
    };
    for n in 0..100 {
        scene.app.activity.push_patch(seen(n));
        scene.app.activity.push_request(
            now,
            RequestRecord {
                method: "GET",
                host: "localhost:8443".to_owned(),
                path: format!("/twins/asked-{n:03}"),
                status: Some(200),
                duration: Duration::from_millis(1),
                bytes: 1,
                attempt: 1,
                failure: None,
                again: None,
            },
        );
        let id = TwinId::device(format!("called-{n:03}"));
        scene.app.activity.push_call(CallSeen::new(now, &id, CallSide::Made, "reboot", "{}", "200"));
    }
    let mut harness = window(scene);
    for (tab, word) in [("Patches", "patched"), ("Requests", "asked"), ("Method calls", "called")] {
        if try_find(&harness, Role::Button, "Hide activity").is_none() || tab != "Patches" {
            find(&harness, Role::Tab, tab).click();
            harness.run();
        }
        let on = |harness: &Harness<'_, Scene>| {
            let name = focused(harness);
            let at = name.find(&format!("{word}-")).unwrap_or_else(|| panic!("{tab}: the focus is on {name:?}"));
            name[at + word.len() + 1..at + word.len() + 4].parse::<usize>().expect("a number")
        };
        let top = format!("{word}-098");
        let row = |harness: &Harness<'_, Scene>| {
            let found = harness.root().children_recursive().find(|node| {
                let node = node.accesskit_node();
                node.role() == Role::ListItem && node.label().is_some_and(|label| label.contains(&top))
            });
            found.expect("the row is there").click();
        };
        row(&harness);
        harness.run_steps(4);
        assert_eq!(on(&harness), 98);
        for (key, there) in
            [(Key::ArrowDown, 97), (Key::PageDown, 82), (Key::End, 0), (Key::ArrowUp, 1), (Key::Home, 99)]
        {
            harness.key_press(key);
            harness.run();
            assert_eq!(on(&harness), there, "{tab}: {key:?}");
        }
        // The newest row comes on top: the focus stays on its own.
        harness.state_mut().app.activity.push_patch(seen(100));
        harness.run();
        assert_eq!(on(&harness), 99, "{tab}");
    }
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    assert_eq!(opened(&harness, &TwinId::device("called-099")), 1);
}

/// Whether a row of a list is on the screen, whole.
fn in_view(harness: &Harness<'_, Scene>, name: &str) -> bool {
    let list = try_find(harness, Role::ListItem, name).map(|row| row.rect());
    list.is_some_and(|rect| rect.top() >= 60.0 && rect.bottom() <= 800.0)
}

#[test]
fn the_first_hit_of_a_search_is_in_view() {
    let mut harness = window(Scene::with_devices(many()));
    find(&harness, Role::ListItem, "device-00003").click();
    harness.run_steps(4);
    press(&mut harness, Key::End, "device-09999");
    find(&harness, Role::TextInput, "Search devices").focus();
    harness.run();
    for letters in ["device-0", "00", "1"] {
        find(&harness, Role::TextInput, "Search devices").type_text(letters);
        harness.run();
    }
    assert!(in_view(&harness, "device-00010"), "the first hit is not in view");
    // And what is shown when the search is emptied begins at the top.
    harness.key_press(Key::Escape);
    harness.run();
    assert!(in_view(&harness, "device-00000"));
}

#[test]
fn esc_and_a_cross_empty_a_search() {
    for (field, tab) in [("Search devices", None), ("Filter events", Some("Events"))] {
        let mut harness = window(Scene::twin());
        if let Some(tab) = tab {
            find(&harness, Role::Tab, tab).click();
            harness.run();
        }
        let text = |harness: &Harness<'_, Scene>| find(harness, Role::TextInput, field).value().unwrap_or_default();
        assert!(try_find(&harness, Role::Button, "Clear search").is_none(), "nothing to clear");
        for way in ["Esc", "cross"] {
            find(&harness, Role::TextInput, field).focus();
            harness.run();
            find(&harness, Role::TextInput, field).type_text("first");
            harness.run();
            assert_eq!(text(&harness), "first");
            if way == "Esc" {
                harness.key_press(Key::Escape);
            } else {
                find(&harness, Role::Button, "Clear search").click();
            }
            harness.run();
            assert_eq!(text(&harness), "", "{field} by {way}");
            assert!(find(&harness, Role::TextInput, field).is_focused(), "{field} by {way}");
        }
        // Esc in an empty one leaves it.
        harness.key_press(Key::Escape);
        harness.run();
        assert!(!find(&harness, Role::TextInput, field).is_focused());
    }
}

/// A line of a dialog; the list of devices says the state behind the id.
fn exact<'h>(harness: &'h Harness<'_, Scene>, name: &'h str) -> egui_kittest::Node<'h> {
    let found = harness.root().children_recursive().find(|node| {
        let node = node.accesskit_node();
        node.role() == Role::ListItem && node.label().as_deref() == Some(name)
    });
    found.unwrap_or_else(|| panic!("no line {name:?}"))
}

/// A name near the end of the room a dialog has for its lines: a click on it chooses it only where it is painted.
fn chooses(harness: &mut Harness<'_, Scene>, line: &str, action: impl Fn(&Action) -> bool) -> bool {
    exact(harness, line).click();
    harness.run_steps(4);
    harness.state().actions.iter().any(action)
}

#[test]
fn a_dialog_stays_as_high_after_a_search_with_one_hit() {
    let down = |harness: &mut Harness<'_, Scene>, modifiers, key| {
        harness.key_press_modifiers(modifiers, key);
        harness.run();
    };
    for size in [[1280.0, 800.0], [900.0, 600.0]] {
        for (key, field, letters, line) in [
            (Key::P, "Device or module", "pump", "thermostat-07"),
            (Key::P, "Device or module", "nothing like it", "thermostat-07"),
            (Key::K, "Command", "quit", "Copy the save as Python"),
        ] {
            let mut harness = sized(Scene::twin(), size);
            down(&mut harness, Modifiers::COMMAND, key);
            let field_before = find(&harness, Role::TextInput, field).rect();
            find(&harness, Role::TextInput, field).type_text(letters);
            harness.run();
            assert_eq!(find(&harness, Role::TextInput, field).rect(), field_before, "the field moved while typing");
            harness.key_press(Key::Escape);
            harness.run();
            down(&mut harness, Modifiers::COMMAND, key);
            let name = line.to_owned();
            let done = chooses(&mut harness, line, |action| match action {
                Action::OpenTwin(id) => id.to_string() == name,
                Action::CopyAs { .. } => true,
                _ => false,
            });
            assert!(done, "{field} after {letters:?}: {line} is cut off at {size:?}");
        }
    }
}

#[test]
fn a_list_of_hubs_grows_again() {
    let mut scene = Scene::fleet();
    let hubs = scene.app.hubs.clone();
    let more: Vec<_> = (0..12)
        .map(|n| twinscope::worker::event::HubEntry {
            hub: twinscope::worker::HubRef::Saved(format!("id-{n}")),
            name: format!("Plant {n}"),
            ..hubs[1].clone()
        })
        .collect();
    scene.app.hubs.truncate(1);
    scene.act(Action::ShowConnections);
    let mut harness = window(scene);
    harness.key_press(Key::Escape);
    harness.run();
    harness.state_mut().app.hubs.extend(more);
    harness.state_mut().act(Action::ShowConnections);
    harness.run();
    find(&harness, Role::Button, "Open Plant 5").click();
    harness.run_steps(4);
    let wanted = Action::OpenHub(twinscope::worker::HubRef::Saved("id-5".to_owned()));
    assert!(harness.state().actions.contains(&wanted), "the list stayed as low as it was with two hubs");
}

#[test]
fn typing_brings_the_marked_line_of_a_palette_into_view() {
    let mut harness = window(Scene::with_devices(many()));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::P);
    harness.run();
    find(&harness, Role::TextInput, "Device or module").type_text("device-000");
    harness.run();
    let row = exact(&harness, "device-00004").rect().center();
    harness.hover_at(row);
    let wheel = egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, -600.0),
        source: egui::MouseWheelSource::Unknown,
        phase: egui::TouchPhase::Move,
        modifiers: Modifiers::NONE,
    };
    harness.event(wheel);
    harness.run();
    let field = find(&harness, Role::TextInput, "Device or module").rect();
    let top = |harness: &Harness<'_, Scene>, name: &str| {
        let all = harness.root().children_recursive();
        let lines = all.filter(|node| node.accesskit_node().label().as_deref() == Some(name));
        lines.map(|node| node.rect().top()).next().unwrap_or(f32::MIN)
    };
    assert!(top(&harness, "device-00000") < field.bottom(), "the wheel scrolled nothing");
    find(&harness, Role::TextInput, "Device or module").type_text("2");
    harness.run();
    assert!(top(&harness, "device-00020") >= field.bottom(), "the first hit is above the list");
}

#[test]
fn a_click_on_a_row_of_the_tree_takes_the_arrow_keys() {
    let mut harness = window(Scene::twin());
    harness.key_press_modifiers(Modifiers::COMMAND, Key::T);
    harness.run();
    find(&harness, Role::TreeItem, "telemetryInterval").click();
    harness.run();
    harness.key_press(Key::ArrowDown);
    harness.run();
    assert!(focused(&harness).starts_with("mode"), "{}", focused(&harness));
    assert_eq!(harness.state().app.active_tab().map(|tab| tab.id.clone()), Some(module()));
}
