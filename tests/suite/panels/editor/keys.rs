//! Letters, brackets, Enter, Tab and pasted texts.

use super::{editing, letters, marked, paste, press, text};
use egui::{Event, Key, Modifiers};

#[track_caller]
fn check(before: &str, typed: &str, expected: &str) {
    let mut harness = editing(before);
    letters(&mut harness, typed);
    assert_eq!(marked(&harness), expected, "{typed} in {before:?}");
}

#[test]
fn brackets_and_quotes_come_in_pairs() {
    check("|", "{", "{|}");
    check("|", "{\"a\": [1]}", "{\"a\": [1]}|");
    check("{\"a\": |}", "\"x\"", "{\"a\": \"x\"|}");
    check("{\"a\": \"|\"}", "{", "{\"a\": \"{|\"}");
    check("{|\"a\": 1}", "{", "{{|\"a\": 1}");
}

#[test]
fn letters_of_one_frame_pair_too() {
    let mut harness = editing("|");
    for letter in "{\"ä\":[".chars() {
        harness.input_mut().events.push(Event::Text(letter.to_string()));
    }
    harness.run();
    assert_eq!(marked(&harness), "{\"ä\":[|]}");
}

#[test]
fn what_is_selected_is_replaced_and_not_paired() {
    let mut harness = editing("{\"a\": |1}");
    press(&mut harness, Modifiers::SHIFT, Key::ArrowRight);
    letters(&mut harness, "[");
    assert_eq!(marked(&harness), "{\"a\": [|}");
}

#[test]
fn an_empty_pair_is_deleted_as_one() {
    for (before, expected) in [("{|}", "|"), ("{\"a\": [|]}", "{\"a\": |}"), ("{\"|\"}", "{|}"), ("{1|}", "{|}")] {
        let mut harness = editing(before);
        press(&mut harness, Modifiers::NONE, Key::Backspace);
        assert_eq!(marked(&harness), expected, "{before}");
    }
}

#[test]
fn enter_between_brackets_opens_them() {
    for (before, expected) in [
        ("{|}", "{\n  |\n}"),
        ("{\n  \"a\": [|]\n}", "{\n  \"a\": [\n    |\n  ]\n}"),
        ("{\n  \"a\": 1,|\n}", "{\n  \"a\": 1,\n  |\n}"),
    ] {
        let mut harness = editing(before);
        press(&mut harness, Modifiers::NONE, Key::Enter);
        assert_eq!(marked(&harness), expected, "{before:?}");
    }
}

#[test]
fn tab_indents_the_lines_that_are_selected() {
    let mut harness = editing("|a\nb\nc");
    press(&mut harness, Modifiers::SHIFT, Key::ArrowDown);
    press(&mut harness, Modifiers::SHIFT, Key::End);
    press(&mut harness, Modifiers::NONE, Key::Tab);
    assert_eq!(text(&harness), "  a\n  b\nc");
    press(&mut harness, Modifiers::SHIFT, Key::Tab);
    assert_eq!(text(&harness), "a\nb\nc");
}

#[test]
fn a_pasted_text_is_cleaned_and_one_step_back_takes_it() {
    let mut harness = editing("|");
    paste(&mut harness, "\u{feff}{\r\n  “a”:\u{a0}1\r\n}");
    assert_eq!(text(&harness), "{\n  \"a\": 1\n}");
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    assert_eq!(text(&harness), "");
    // Into a string it goes to the letter.
    let mut harness = editing("{\"say\": \"|\"}");
    paste(&mut harness, "“hi”");
    assert_eq!(text(&harness), "{\"say\": \"“hi”\"}");
}
