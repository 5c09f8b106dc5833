//! Caret and view stay where they are, whatever comes: typing, a refresh, a save, the hub's changes, other panes and tabs.

use super::editor::{caret, letters, press, text};
use super::scene::{Scene, module, parsed, twin_json};
use super::{find, window};
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, OutputCommand, PointerButton, Pos2};
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use serde_json::{Value, json};
use twinscope::app::Action;
use twinscope::app::tree::Face;
use twinscope::twin::TwinId;
use twinscope::worker::event::{Outcome, Source};
use twinscope::worker::{Command, Fact};

/// The edited line, with enough above and below to scroll.
const MINE: &str = "k100";

/// A twin with `k000` to `k199`, all 1, changed as said; `null` takes a key away.
fn body(version: u64, changes: &[(&str, Value)]) -> String {
    let mut twin: Value = serde_json::from_str(&twin_json(&module(), 60, version)).unwrap();
    let desired = twin["properties"]["desired"].as_object_mut().unwrap();
    desired.retain(|key, _| key.starts_with('$'));
    let mut keys: Vec<(String, Value)> = (0..200).map(|n| (format!("k{n:03}"), json!(1))).collect();
    for (key, value) in changes {
        keys.iter_mut().find(|(k, _)| k == key).unwrap().1 = value.clone();
    }
    desired.extend(keys.into_iter().filter(|(_, value)| !value.is_null()));
    twin.to_string()
}

fn opened<'a>() -> Harness<'a, Scene> {
    let mut scene = Scene::fleet();
    scene.open(&module(), &body(3, &[]));
    window(scene)
}

/// The line of the caret and where in it, and how high on the screen it stands.
#[derive(Debug, Clone, PartialEq)]
struct Stand {
    line: String,
    column: usize,
    y: f32,
}

fn stand(harness: &mut Harness<'_, Scene>) -> Stand {
    find(harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    let (row, column) = caret(harness);
    let text = text(harness);
    let node = find(harness, Role::MultilineTextInput, "Desired JSON");
    let run = node.accesskit_node().children().filter(|run| run.role() == Role::TextRun).nth(row - 1);
    #[allow(clippy::cast_possible_truncation)] // It was an f32.
    let y = run.and_then(|run| run.data().bounds()).map_or(0.0, |bounds| bounds.y0 as f32);
    Stand { line: text.split('\n').nth(row - 1).unwrap().to_owned(), column, y: y.round() }
}

/// The caret behind the value of the edited line, which is scrolled to the middle of the pane.
fn editing<'a>() -> Harness<'a, Scene> {
    let mut harness = opened();
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    press(&mut harness, Modifiers::COMMAND, Key::Home);
    let row = text(&harness).split('\n').position(|line| line.contains(MINE)).unwrap();
    for key in std::iter::repeat_n(Key::ArrowDown, row + 12).chain(std::iter::repeat_n(Key::ArrowUp, 12)) {
        harness.key_press(key);
        harness.step();
    }
    press(&mut harness, Modifiers::NONE, Key::End);
    press(&mut harness, Modifiers::NONE, Key::ArrowLeft);
    let stand = stand(&mut harness);
    assert_eq!(stand.line, format!("  \"{MINE}\": 1,"));
    assert!(stand.y > 200.0 && stand.y < 650.0, "not in the middle: {stand:?}");
    harness
}

fn watched(harness: &mut Harness<'_, Scene>, version: u64, changes: &[(&str, Value)]) {
    harness.state_mut().tell(Fact::TwinSeen { twin: parsed(&body(version, changes)), source: Source::Watch });
    harness.run();
}

#[track_caller]
fn same(harness: &mut Harness<'_, Scene>, before: &Stand, what: &str) {
    let now = stand(harness);
    assert_eq!(&now, before, "after {what}");
}

#[test]
fn the_editor_stands_still() {
    let mut harness = editing();
    let clean = stand(&mut harness);
    letters(&mut harness, "22");
    let typed = Stand { line: clean.line.replace("1,", "122,"), column: clean.column + 2, ..clean };
    same(&mut harness, &typed, "typing");

    harness.state_mut().act(Action::Refresh(module()));
    let key = harness.state().load_key();
    harness.run();
    harness.state_mut().answer(key, Outcome::Twin(parsed(&body(3, &[]))));
    harness.run();
    same(&mut harness, &typed, "a refresh");

    // A change above, a line less above, and one below.
    let theirs = [("k010", json!(7)), ("k020", Value::Null), ("k150", Value::Null)];
    watched(&mut harness, 4, &theirs);
    same(&mut harness, &typed, "changes of the hub");
    assert!(!text(&harness).contains("k020") && text(&harness).contains("\"k010\": 7"), "they did not come in");

    harness.state_mut().act(Action::Save(module()));
    harness.run();
    same(&mut harness, &typed, "sending");
    let key = harness.state().key(|command| match command {
        Command::PatchTwin { key, .. } => Some(*key),
        _ => None,
    });
    let saved = [theirs.as_slice(), &[(MINE, json!(122))]].concat();
    harness.state_mut().answer(key, Outcome::Saved(parsed(&body(5, &saved))));
    harness.run();
    same(&mut harness, &typed, "a save");
}

#[test]
fn a_refused_save_and_its_rebase_leave_the_view() {
    let mut harness = editing();
    letters(&mut harness, "22");
    let typed = stand(&mut harness);
    harness.state_mut().act(Action::Save(module()));
    let key = harness.state().key(|command| match command {
        Command::PatchTwin { key, .. } => Some(*key),
        _ => None,
    });
    let theirs = parsed(&body(4, &[("k010", json!(7)), ("k020", Value::Null), ("k021", Value::Null)]));
    harness.state_mut().answer(key, Outcome::Conflict { theirs });
    harness.run();
    find(&harness, Role::Dialog, "The hub has a newer version");
    harness.state_mut().act(Action::RebaseEdits(module()));
    harness.run();
    assert!(!text(&harness).contains("k020"), "not rebased");
    same(&mut harness, &typed, "a rebase");
}

#[test]
fn other_panes_and_tabs_leave_the_editor() {
    let mut harness = editing();
    let before = stand(&mut harness);
    for pane in ["Tags", "Document", "History"] {
        find(&harness, Role::Tab, pane).click();
        harness.run();
        find(&harness, Role::Tab, "Desired").click();
        harness.run();
        same(&mut harness, &before, pane);
    }
    for face in [Face::Tree, Face::Text] {
        harness.state_mut().act(Action::ShowFace(module(), face));
        harness.run();
    }
    same(&mut harness, &before, "the tree");

    let other = TwinId::device("pump-07");
    harness.state_mut().open(&other, &twin_json(&other, 60, 3));
    harness.run();
    harness.state_mut().act(Action::OpenTwin(module()));
    harness.run();
    same(&mut harness, &before, "another tab");
}

/// The line of a read-only text under a place of the screen, by a triple click and a copy.
fn line_at(harness: &mut Harness<'_, Scene>, at: Pos2) -> String {
    // Not to be taken for a fourth click.
    harness.run_steps(4);
    let button =
        |pressed| Event::PointerButton { pos: at, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE };
    harness.event(Event::PointerMoved(at));
    harness.step();
    harness.input_mut().events.extend([true, false, true, false, true, false].map(button));
    harness.step();
    copied(harness)
}

fn copied(harness: &mut Harness<'_, Scene>) -> String {
    harness.event(Event::Copy);
    harness.step();
    let commands = &harness.output().platform_output.commands;
    let copied = commands.iter().find_map(|command| match command {
        OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    });
    harness.run();
    copied.unwrap_or_default()
}

#[test]
fn a_text_to_read_stands_still() {
    let mut harness = opened();
    find(&harness, Role::Tab, "Document").click();
    harness.run();
    let place = find(&harness, Role::MultilineTextInput, "Document JSON").rect().center();
    harness.input_mut().events.push(Event::PointerMoved(place));
    harness.step();
    for _ in 0..10 {
        harness.input_mut().events.push(Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, -80.0),
            phase: egui::TouchPhase::Move,
            modifiers: Modifiers::NONE,
            source: egui::MouseWheelSource::Unknown,
        });
        harness.step();
    }
    harness.run();
    let line = line_at(&mut harness, place);
    assert!(line.trim_start().starts_with("\"k0"), "not scrolled to the desired properties: {line:?}");
    let kept = |harness: &mut Harness<'_, Scene>, what: &str| {
        find(harness, Role::MultilineTextInput, "Document JSON").focus();
        harness.run();
        assert_eq!(copied(harness), line, "the selection after {what}");
        assert_eq!(line_at(harness, place), line, "the view after {what}");
    };
    kept(&mut harness, "nothing");
    harness.state_mut().act(Action::Refresh(module()));
    let key = harness.state().load_key();
    harness.run();
    harness.state_mut().answer(key, Outcome::Twin(parsed(&body(3, &[]))));
    harness.run();
    kept(&mut harness, "a refresh");
    watched(&mut harness, 4, &[("k190", json!(7))]);
    kept(&mut harness, "a change of the hub");
    for pane in ["Reported", "Desired", "History"] {
        find(&harness, Role::Tab, pane).click();
        harness.run();
        find(&harness, Role::Tab, "Document").click();
        harness.run();
        kept(&mut harness, pane);
    }
    let other = TwinId::device("pump-07");
    harness.state_mut().open(&other, &twin_json(&other, 60, 3));
    harness.run();
    find(&harness, Role::Tab, "Document").click();
    harness.run();
    harness.state_mut().act(Action::OpenTwin(module()));
    harness.run();
    kept(&mut harness, "another tab");
}
