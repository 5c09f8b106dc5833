//! Find and replace.

use super::super::{find, try_find};
use super::{editing, labels, letters, press, text};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;

type Window<'a> = Harness<'a, super::Scene>;

fn says(harness: &Window<'_>, wanted: &str) -> bool {
    labels(harness).iter().any(|label| label == wanted)
}

fn click(harness: &mut Window<'_>, name: &str) {
    find(harness, Role::Button, name).click();
    harness.run();
}

#[test]
fn matches_are_counted_and_gone_to() {
    let mut harness = editing("|{\n  \"ab\": \"AB\",\n  \"b\": \"ab\"\n}");
    press(&mut harness, Modifiers::COMMAND, Key::F);
    assert!(find(&harness, Role::TextInput, "Find").is_focused());
    letters(&mut harness, "ab");
    assert!(says(&harness, "3 matches"), "{:?}", labels(&harness));
    for said in ["1 of 3 matches", "2 of 3 matches", "3 of 3 matches", "1 of 3 matches"] {
        press(&mut harness, Modifiers::NONE, Key::Enter);
        assert!(says(&harness, said), "{said}: {:?}", labels(&harness));
        assert!(find(&harness, Role::TextInput, "Find").is_focused());
    }
    press(&mut harness, Modifiers::SHIFT, Key::Enter);
    assert!(says(&harness, "3 of 3 matches"));
    click(&mut harness, "Match case");
    assert!(says(&harness, "2 of 2 matches"), "{:?}", labels(&harness));
    press(&mut harness, Modifiers::NONE, Key::F3);
    assert!(says(&harness, "1 of 2 matches"), "{:?}", labels(&harness));
}

#[test]
fn esc_leaves_the_strip_for_the_text() {
    let mut harness = editing("|{}");
    press(&mut harness, Modifiers::COMMAND, Key::F);
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(try_find(&harness, Role::TextInput, "Find").is_none());
    assert!(find(&harness, Role::MultilineTextInput, "Desired JSON").is_focused());
}

#[test]
fn one_is_replaced_then_the_next() {
    let mut harness = editing("|{\"a\": 1, \"b\": 1, \"c\": 1}");
    press(&mut harness, Modifiers::COMMAND, Key::H);
    letters(&mut harness, "1");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    find(&harness, Role::TextInput, "Replace with").focus();
    harness.run();
    letters(&mut harness, "22");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(text(&harness), "{\"a\": 22, \"b\": 1, \"c\": 1}");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(text(&harness), "{\"a\": 22, \"b\": 22, \"c\": 1}");
    assert!(says(&harness, "1 of 1 match"), "{:?}", labels(&harness));
}

#[test]
fn all_are_replaced_by_a_regular_expression_in_one_step() {
    let before = "{\"a\": 1, \"b\": 22}";
    let mut harness = editing(&format!("|{before}"));
    press(&mut harness, Modifiers::COMMAND, Key::H);
    letters(&mut harness, r"(\d+)");
    click(&mut harness, "Regex");
    find(&harness, Role::TextInput, "Replace with").focus();
    harness.run();
    letters(&mut harness, "${1}0");
    click(&mut harness, "Replace all");
    assert_eq!(text(&harness), "{\"a\": 10, \"b\": 220}");
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    assert_eq!(text(&harness), before);
}

#[test]
fn a_bad_expression_is_said_and_finds_nothing() {
    let mut harness = editing("|{}");
    press(&mut harness, Modifiers::COMMAND, Key::F);
    letters(&mut harness, "(");
    click(&mut harness, "Regex");
    assert!(says(&harness, "Not a regular expression: unclosed group"), "{:?}", labels(&harness));
}

fn wanted(harness: &Window<'_>) -> String {
    find(harness, Role::TextInput, "Find").value().unwrap_or_default()
}

#[test]
fn what_is_typed_takes_the_place_of_what_was_looked_for() {
    let mut harness = editing("|{\"mode\": \"eco\"}");
    for _ in 0..2 {
        press(&mut harness, Modifiers::NONE, Key::ArrowRight);
    }
    press(&mut harness, Modifiers::COMMAND | Modifiers::SHIFT, Key::ArrowRight);
    for _ in 0..3 {
        press(&mut harness, Modifiers::SHIFT, Key::ArrowLeft);
    }
    press(&mut harness, Modifiers::COMMAND, Key::F);
    assert!(!wanted(&harness).is_empty(), "the selection is looked for");
    letters(&mut harness, "eco");
    assert_eq!(wanted(&harness), "eco");
    // Again, in the field itself: it is selected whole, and the selection in the text is no news.
    press(&mut harness, Modifiers::COMMAND, Key::F);
    assert_eq!(wanted(&harness), "eco");
    letters(&mut harness, "mo");
    assert_eq!(wanted(&harness), "mo");
    // Left and opened anew, with nothing selected.
    press(&mut harness, Modifiers::NONE, Key::Escape);
    press(&mut harness, Modifiers::NONE, Key::ArrowLeft);
    press(&mut harness, Modifiers::COMMAND, Key::F);
    assert_eq!(wanted(&harness), "mo");
    letters(&mut harness, "x");
    assert_eq!(wanted(&harness), "x");
}

#[test]
fn the_strip_is_one_line_and_replacing_another() {
    let mut scene = super::Scene::twin();
    scene.act(twinscope::app::Action::Edit {
        id: super::module(),
        section: twinscope::twin::Section::Desired,
        text: "{\"a\": 1}".to_owned(),
    });
    let mut harness = super::super::sized(scene, [900.0, 600.0]);
    press(&mut harness, Modifiers::COMMAND, Key::H);
    letters(&mut harness, "a");
    let line = |name: &str, role| find(&harness, role, name).rect().center().y;
    let first = line("Find", Role::TextInput);
    for name in ["Match case", "Regex", "Previous", "Next", "Replace…", "Close"] {
        assert!((line(name, Role::Button) - first).abs() < 4.0, "{name} is on another line");
    }
    let second = line("Replace with", Role::TextInput);
    assert!(second - first < 40.0, "{first} {second}");
    for name in ["Replace", "Replace all"] {
        assert!((line(name, Role::Button) - second).abs() < 4.0, "{name} is on another line");
    }
    assert!(says(&harness, "1 match"), "{:?}", labels(&harness));
}
