//! What is done with whole lines, with the whole text, and the way to a line: by key and from the palette.

use super::super::{find, try_find};
use super::{caret, editing, letters, marked, press, text};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use twinscope::app::Action;
use twinscope::app::tab::Pane;

const COMMAND_SHIFT: Modifiers = Modifiers { shift: true, ..Modifiers::COMMAND };

#[track_caller]
fn check(before: &str, modifiers: Modifiers, key: Key, expected: &str) {
    let mut harness = editing(before);
    press(&mut harness, modifiers, key);
    assert_eq!(marked(&harness), expected, "{key:?} in {before:?}");
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    assert_eq!(text(&harness), before.replacen('|', "", 1), "one step back from {key:?}");
}

#[test]
fn lines_by_key() {
    check("a\nb|\nc", COMMAND_SHIFT, Key::D, "a\nb\nb|\nc");
    check("a\nb|\nc", COMMAND_SHIFT, Key::ArrowUp, "b|\na\nc");
    check("a\nb|\nc", COMMAND_SHIFT, Key::ArrowDown, "a\nc\nb|");
    check("{\"a\":[1,|2]}", COMMAND_SHIFT, Key::I, "{\n  \"a\": [\n    1,\n    |2\n  ]\n}");
}

#[test]
fn what_does_not_parse_is_not_formatted() {
    let mut harness = editing("{\"a\":|,}");
    press(&mut harness, COMMAND_SHIFT, Key::I);
    assert_eq!(text(&harness), "{\"a\":,}");
}

#[test]
fn the_palette_knows_what_the_keys_do() {
    for (command, expected) in
        [("duplicate line", "a\nb\nb\nc"), ("move line up", "b\na\nc"), ("move line down", "a\nc\nb")]
    {
        let mut harness = editing("a\nb|\nc");
        press(&mut harness, Modifiers::COMMAND, Key::K);
        letters(&mut harness, command);
        press(&mut harness, Modifiers::NONE, Key::Enter);
        assert_eq!(text(&harness), expected, "{command}");
    }
    let mut harness = editing("{\"a\":1|}");
    press(&mut harness, Modifiers::COMMAND, Key::K);
    for name in [
        "Find in the text",
        "Replace in the text",
        "Go to line…",
        "Format document",
        "Next problem",
        "Previous problem",
        "Duplicate line",
        "Select line",
    ] {
        harness.state_mut().act(Action::DialogText {
            field: twinscope::app::dialog::Field::Text,
            text: name.trim_end_matches('…').to_owned(),
        });
        harness.run();
        find(&harness, Role::ListItem, name);
    }
}

#[test]
fn a_line_is_gone_to() {
    let mut harness = editing("|{\n  \"a\": 1,\n  \"b\": 2\n}");
    press(&mut harness, Modifiers::COMMAND, Key::G);
    find(&harness, Role::Dialog, "Go to line");
    letters(&mut harness, "3:7");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert!(try_find(&harness, Role::Dialog, "Go to line").is_none());
    assert!(find(&harness, Role::MultilineTextInput, "Desired JSON").is_focused());
    assert_eq!(caret(&harness), (3, 7));
}

#[test]
fn a_line_that_is_not_there_is_said_and_the_dialog_stays() {
    let mut harness = editing("|{\n}");
    press(&mut harness, Modifiers::COMMAND, Key::G);
    for (typed, said) in [("7", "The text has 2 lines"), ("x", "Not a line, or a line and a column such as 12:5")] {
        letters(&mut harness, typed);
        press(&mut harness, Modifiers::NONE, Key::Enter);
        find(&harness, Role::Dialog, "Go to line");
        assert!(super::labels(&harness).iter().any(|label| label == said), "{:?}", super::labels(&harness));
        press(&mut harness, Modifiers::COMMAND, Key::A);
    }
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(try_find(&harness, Role::Dialog, "Go to line").is_none());
}

#[test]
fn a_text_to_read_has_lines_too() {
    let mut harness = editing("|{}");
    let id = super::module();
    harness.state_mut().act(Action::ShowPane(id, Pane::Document));
    harness.run();
    press(&mut harness, Modifiers::COMMAND, Key::G);
    letters(&mut harness, "2");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert!(find(&harness, Role::MultilineTextInput, "Document JSON").is_focused());
}

#[test]
fn the_path_of_the_caret_leads_to_its_steps() {
    let mut harness = editing("{\n  \"fan\": {\n    \"speed\": [1, |2]\n  }\n}");
    for name in ["Go to desired", "Go to fan", "Go to fan.speed", "Go to fan.speed[1]"] {
        find(&harness, Role::Button, name);
    }
    find(&harness, Role::Button, "Go to fan").click();
    harness.run();
    assert!(find(&harness, Role::MultilineTextInput, "Desired JSON").is_focused());
    assert_eq!(caret(&harness).0, 2);
    assert!(try_find(&harness, Role::Button, "Go to fan.speed").is_none());
}
