//! The pane Compare: what a screen reader finds there, by mouse and by keyboard, with much room and with little.

use super::scene::{Scene, module, parsed, twin_json};
use super::{find, is_disabled, sized, try_find, window};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use twinscope::app::Action;
use twinscope::app::compare::{CompareAct, Face, Other};
use twinscope::client::HubError;
use twinscope::twin::{Section, TwinId};
use twinscope::worker::event::Outcome;
use twinscope::worker::{Fact, Failure};

fn pump() -> TwinId {
    TwinId::device("pump-07")
}

fn compare(act: CompareAct) -> Action {
    Action::Compare { id: module(), act }
}

fn with(other: TwinId) -> Action {
    compare(CompareAct::With { other: Other::Twin(other), version: None })
}

/// The module beside a device with another interval, no `low` and a long note.
pub(super) fn compared() -> Scene {
    let mut scene = Scene::fleet();
    scene.open(&module(), &twin_json(&module(), 60, 3));
    scene.act(with(pump()));
    let key = scene.load_key();
    let long = format!(r#""high":80,"note":"{}""#, "long ".repeat(200));
    let body = twin_json(&pump(), 90, 7).replace(r#""low":2.50,"high":80"#, &long);
    scene.answer(key, Outcome::Twin(parsed(&body)));
    scene
}

fn says(harness: &Harness<'_, Scene>, text: &str) -> bool {
    harness.root().children_recursive().any(|node| {
        let node = node.accesskit_node();
        [node.label(), node.value()].into_iter().flatten().any(|said| said.contains(text))
    })
}

fn desired(harness: &Harness<'_, Scene>) -> String {
    harness.state().app.tab(&module()).unwrap().draft.as_ref().unwrap().desired.text.clone()
}

fn copied(harness: &Harness<'_, Scene>) -> Option<String> {
    harness.output().platform_output.commands.iter().find_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    })
}

#[test]
fn each_difference_stands_under_its_path_and_the_rest_is_folded() {
    let mut harness = window(compared());
    for head in ["telemetryInterval, differs", "limits.low, only on the right", "limits.note, only on the left"] {
        find(&harness, Role::ListItem, head);
    }
    assert!(says(&harness, "\"telemetryInterval\": 90") && says(&harness, "\"telemetryInterval\": 60"));
    assert!(says(&harness, "3 differences"));
    assert!(!says(&harness, "\"mode\": \"auto\""), "it is the same on both sides");
    find(&harness, Role::Button, "Show 2 unchanged lines").click();
    harness.run();
    assert!(says(&harness, "\"mode\": \"auto\""));
    find(&harness, Role::Button, "Hide 2 unchanged lines").click();
    harness.run();
    assert!(!says(&harness, "\"mode\": \"auto\""));
}

#[test]
fn keys_go_from_difference_to_difference_and_one_is_taken() {
    let mut harness = window(compared());
    let step = |harness: &mut Harness<'_, Scene>, key| {
        harness.key_press_modifiers(Modifiers::ALT, key);
        harness.run();
    };
    step(&mut harness, Key::ArrowDown);
    let first = find(&harness, Role::ListItem, "telemetryInterval");
    assert!(first.is_focused() && first.accesskit_node().is_selected() == Some(true));
    assert!(says(&harness, "1 of 3 differences"));
    step(&mut harness, Key::ArrowUp);
    assert!(says(&harness, "3 of 3 differences"), "it goes round");
    step(&mut harness, Key::ArrowDown);
    assert!(find(&harness, Role::ListItem, "telemetryInterval").is_focused());
    // Tab goes to what can be done with it.
    harness.key_press(Key::Tab);
    harness.run();
    let before = desired(&harness);
    let focused = |harness: &Harness<'_, Scene>, name: &str| find(harness, Role::Button, name).is_focused();
    if !focused(&harness, "Take from left: telemetryInterval") {
        harness.key_press(Key::Tab);
        harness.run();
    }
    assert!(focused(&harness, "Take from left: telemetryInterval"), "the keyboard does not reach it");
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(desired(&harness), before.replace("60", "90"), "only the number is another");
    assert!(says(&harness, "of 2 differences") && says(&harness, "as edited"));
    assert!(try_find(&harness, Role::ListItem, "telemetryInterval").is_none());
    find(&harness, Role::Button, "Take all from left").click();
    harness.run();
    assert!(says(&harness, "Nothing differs in desired"));
}

#[test]
fn values_are_copied_whole() {
    let mut harness = window(compared());
    find(&harness, Role::Button, "Copy of limits.note").click();
    harness.run();
    assert!(is_disabled(&find(&harness, Role::Button, "Right value")));
    find(&harness, Role::Button, "Left value").click();
    harness.step();
    assert_eq!(copied(&harness).map(|text| text.len()), Some(1002));
}

#[test]
fn inline_reads_one_below_the_other_also_where_room_is_little() {
    let mut scene = compared();
    scene.act(compare(CompareAct::Face(Face::Inline)));
    let wide = window(scene);
    let narrow = sized(compared(), [600.0, 480.0]);
    let check = |harness: &Harness<'_, Scene>| {
        let top = |text: &str| {
            let node = harness.root().children_recursive().find(|node| {
                let data = node.accesskit_node();
                [data.label(), data.value()].into_iter().flatten().any(|said| said == text)
            });
            node.map(|node| node.rect().top()).expect("the line is there")
        };
        assert!(top("\"telemetryInterval\": 90") < top("\"telemetryInterval\": 60"));
    };
    check(&wide);
    check(&narrow);
}

#[test]
fn the_table_has_a_column_for_each_twin() {
    let mut scene = compared();
    scene.act(with(TwinId::device("thermostat-01")));
    let key = scene.load_key();
    scene.answer(key, Outcome::Twin(parsed(&twin_json(&TwinId::device("thermostat-01"), 60, 1))));
    let mut harness = window(scene);
    find(&harness, Role::Button, "Table").click();
    harness.run();
    for name in ["pump-07", "thermostat-01", "myFirstDevice/myFirstModule"] {
        find(&harness, Role::ColumnHeader, name);
    }
    assert!(says(&harness, "3 paths of 3 twins differ"));
    find(&harness, Role::Cell, "telemetryInterval of myFirstDevice/myFirstModule: 60");
    find(&harness, Role::Cell, "limits.low of pump-07: ≠ absent");
    find(&harness, Role::Cell, "limits.low of thermostat-01: 2.50");
    find(&harness, Role::Cell, "telemetryInterval of pump-07: ≠ 90").click();
    harness.step();
    assert_eq!(copied(&harness).as_deref(), Some("90"));
    find(&harness, Role::Button, "Remove pump-07").click();
    harness.run();
    assert!(says(&harness, "Nothing differs in desired"));
    assert!(try_find(&harness, Role::ColumnHeader, "pump-07").is_none());
}

/// Where the line, cell or heading with this text stands.
fn place(harness: &Harness<'_, Scene>, text: &str) -> egui::Rect {
    let said = harness.root().children_recursive().find(|node| {
        let data = node.accesskit_node();
        [data.label(), data.value()].into_iter().flatten().any(|said| said == text)
    });
    said.unwrap_or_else(|| panic!("{text:?} is not there")).rect()
}

#[test]
fn side_by_side_the_left_side_stands_on_the_left() {
    let harness = window(compared());
    let (left, right) = (place(&harness, "\"telemetryInterval\": 90"), place(&harness, "\"telemetryInterval\": 60"));
    assert!(left.right() < right.left(), "{left:?} {right:?}");
    assert!((left.top() - right.top()).abs() < 1.0);
    let head = find(&harness, Role::ListItem, "telemetryInterval").rect();
    assert!(head.bottom() <= left.top(), "the path stands above its lines");
    let order = ["telemetryInterval", "limits.low", "limits.note"]
        .map(|path| find(&harness, Role::ListItem, path).rect().top());
    assert!(order[0] < order[1] && order[0] < order[2], "{order:?}");
}

#[test]
fn previous_begins_at_the_end_and_a_place_that_is_gone_is_the_last_one() {
    let mut harness = window(compared());
    find(&harness, Role::Button, "Previous").click();
    harness.run();
    assert!(says(&harness, "3 of 3 differences"));
    let last = harness
        .root()
        .children_recursive()
        .find(|node| {
            let node = node.accesskit_node();
            node.role() == Role::ListItem
                && node.is_selected() == Some(true)
                && node.label().is_some_and(|l| l.contains("only on the"))
        })
        .and_then(|node| node.accesskit_node().label())
        .expect("the last one is marked");
    let path = last.split(',').next().unwrap().to_owned();
    let act = if last.contains("right") { "Remove here" } else { "Add here" };
    find(&harness, Role::Button, &format!("{act}: {path}")).click();
    harness.run();
    assert!(says(&harness, "2 of 2 differences"));
    find(&harness, Role::Button, "Next").click();
    harness.run();
    assert!(says(&harness, "1 of 2 differences"), "it goes round");
}

#[test]
fn in_the_table_each_value_stands_under_its_twin_and_is_told_from_the_first() {
    let mut scene = compared();
    scene.act(with(TwinId::device("thermostat-02")));
    let key = scene.load_key();
    let body = twin_json(&TwinId::device("thermostat-02"), 75, 1).replace("\"high\":80", "\"high\":81");
    scene.answer(key, Outcome::Twin(parsed(&body)));
    scene.act(compare(CompareAct::Face(Face::Table)));
    let harness = window(scene);
    let own = "myFirstDevice/myFirstModule";
    for (title, interval, high) in [(own, "60", "80"), ("pump-07", "≠ 90", "80"), ("thermostat-02", "≠ 75", "≠ 81")]
    {
        let column = find(&harness, Role::ColumnHeader, title).rect();
        let cell = |name: String| find(&harness, Role::Cell, &name).rect();
        let first = cell(format!("telemetryInterval of {title}: {interval}"));
        let second = cell(format!("limits.high of {title}: {high}"));
        assert!((first.left() - column.left()).abs() < 8.0, "{title}: {first:?} under {column:?}");
        assert!(
            column.bottom() <= first.top() + 1.0 && first.top() < second.top(),
            "rows in the order of the document"
        );
        let path = cell("limits.high".to_owned());
        assert!((path.top() - second.top()).abs() < 1.0 && path.right() <= second.left() + 1.0, "beside its path");
    }
}

#[test]
fn what_to_compare_with_is_asked_by_the_palette_and_the_menu() {
    let mut scene = Scene::fleet();
    scene.open(&module(), &twin_json(&module(), 60, 3));
    let mut harness = window(scene);
    assert!(try_find(&harness, Role::Tab, "Compare").is_none());
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text("compare with".to_owned()));
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    find(&harness, Role::Dialog, "Compare with");
    harness.key_press(Key::Escape);
    harness.run();
    find(&harness, Role::Button, "More").click();
    harness.run();
    find(&harness, Role::Button, "Compare with…").click();
    harness.run();
    find(&harness, Role::Dialog, "Compare with");
    harness.event(egui::Event::Text("pump".to_owned()));
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    find(&harness, Role::Tab, "Compare");
    let key = harness.state().load_key();
    harness.state_mut().fail(key, Failure::Local("the cable is out".to_owned()));
    harness.run();
    assert!(
        says(&harness, "pump-07 could not be read: The cable is out")
            || says(&harness, "pump-07 could not be read: the cable is out")
    );
    find(&harness, Role::Button, "Try again").click();
    harness.run();
    let key = harness.state().load_key();
    harness.state_mut().answer(key, Outcome::Twin(parsed(&twin_json(&pump(), 60, 3))));
    harness.run();
    assert!(says(&harness, "Nothing differs in desired"));
}

#[test]
fn what_cannot_be_taken_says_why() {
    let mut harness = window(compared());
    find(&harness, Role::Tab, "Compare reported").click();
    harness.run();
    let off = find(&harness, Role::Button, "Take all from left");
    assert!(is_disabled(&off));
    harness.state_mut().act(compare(CompareAct::Section(Section::Desired)));
    let text = "{ half".to_owned();
    harness.state_mut().act(Action::Edit { id: module(), section: Section::Desired, text });
    harness.run();
    assert!(says(&harness, "does not parse"));
    find(&harness, Role::Button, "Show desired").click();
    harness.run();
    find(&harness, Role::MultilineTextInput, "Desired JSON");
}

#[test]
fn nothing_to_compare_with_offers_to_choose() {
    let mut scene = compared();
    scene.act(compare(CompareAct::Drop(1)));
    let mut harness = window(scene);
    assert!(says(&harness, "Nothing to compare with yet"));
    find(&harness, Role::Button, "Compare with…").click();
    harness.run();
    find(&harness, Role::Dialog, "Compare with");
}

#[test]
fn an_act_is_called_what_it_does_to_the_draft() {
    let mut harness = window(compared());
    for name in ["Take from left: telemetryInterval", "Remove here: limits.low", "Add here: limits.note"] {
        find(&harness, Role::Button, name);
    }
    find(&harness, Role::Button, "Remove here: limits.low").click();
    harness.run();
    assert!(!desired(&harness).contains("low"), "{}", desired(&harness));
    find(&harness, Role::Button, "Add here: limits.note").click();
    harness.run();
    assert!(desired(&harness).contains("long long"));
}

#[test]
fn each_side_says_its_version_and_when_it_was_read() {
    let mut scene = compared();
    scene.now.ms += 12_000;
    scene.tell(Fact::WatchFailed { id: module(), error: HubError::ClockOff { ahead_s: 1 } });
    let mut harness = window(scene);
    harness.run();
    assert!(says(&harness, "Left: read 10 s ago, version 7, etag \"AAAAAAAAAA7=\""));
    assert!(says(&harness, "Right: read 10 s ago, version 3, etag \"AAAAAAAAAA3=\""));
    find(&harness, Role::Button, "Remove here: limits.low");
    harness.state_mut().act(compare(CompareAct::Face(Face::Table)));
    harness.run();
    assert!(says(&harness, "read 10 s ago, version 7"));
    // F5 reads both again.
    let commands = harness.state().commands.len();
    harness.key_press(Key::F5);
    harness.run();
    let read: Vec<String> = harness.state().commands[commands..]
        .iter()
        .filter_map(|command| match command {
            twinscope::worker::Command::LoadTwin { id, .. } => Some(id.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(read, ["pump-07", "myFirstDevice/myFirstModule"]);
}
