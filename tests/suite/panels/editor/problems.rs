//! Problems where they stand: from one to the next, and said in words.

use super::super::find;
use super::{caret, editing, press};
use egui::accesskit::{Invalid, Role};
use egui::{Key, Modifiers};
use egui_kittest::kittest::NodeT;

const TWO: &str = "|{\n  \"a\": 9007199254740992,\n  \"b\": 1,\n  \"c\": 9007199254740993\n}";

#[test]
fn f8_goes_from_problem_to_problem_around_the_end() {
    let mut harness = editing(TWO);
    for (modifiers, line) in [
        (Modifiers::NONE, 2),
        (Modifiers::NONE, 4),
        (Modifiers::NONE, 2),
        (Modifiers::SHIFT, 4),
        (Modifiers::SHIFT, 2),
        (Modifiers::SHIFT, 4),
    ] {
        press(&mut harness, modifiers, Key::F8);
        assert_eq!(caret(&harness).0, line);
        assert!(find(&harness, Role::MultilineTextInput, "Desired JSON").is_focused());
    }
}

#[test]
fn a_screen_reader_hears_the_problem_of_the_line() {
    let mut harness = editing(TWO);
    for line in [2, 4] {
        press(&mut harness, Modifiers::NONE, Key::F8);
        let editor = find(&harness, Role::MultilineTextInput, "Desired JSON");
        let data = editor.accesskit_node().data().clone();
        assert_eq!(data.invalid(), Some(Invalid::True));
        let said = data.description().unwrap_or_default().to_owned();
        assert!(said.starts_with(&format!("line {line}, column 8: ")), "{said}");
    }
    let fine = editing("|{}");
    let editor = find(&fine, Role::MultilineTextInput, "Desired JSON");
    assert_eq!(editor.accesskit_node().data().invalid(), None);
}

#[test]
fn the_pointer_over_a_problem_gets_its_message() {
    let mut harness = editing(TWO);
    let editor = find(&harness, Role::MultilineTextInput, "Desired JSON").rect();
    let places = |harness: &egui_kittest::Harness<'_, _>| {
        let labels: Vec<String> = super::labels(harness);
        labels.iter().filter(|label| *label == "line 2, column 8").count()
    };
    assert_eq!(places(&harness), 0);
    // The second row, behind the key.
    harness.hover_at(editor.left_top() + egui::vec2(120.0, 6.0 + 1.5 * 20.0));
    for _ in 0..40 {
        harness.step();
    }
    assert_eq!(places(&harness), 1, "{:?}", super::labels(&harness));
}

#[test]
fn what_was_meant_is_written_by_one_click() {
    let mut harness = editing("|{\n  \"a\": {\"b\": nul},\n  c: 'x'\n}");
    find(&harness, Role::Button, "line 2, column 14: a.b: not a JSON value: did you mean `null`?");
    // What stands in no property says so.
    find(&harness, Role::Button, "line 3, column 3: top level: a key needs double quotes");
    for name in ["Use null", "Use \"c\"", "Use \"x\""] {
        find(&harness, Role::Button, name).click();
        harness.run();
    }
    let mended = "{\n  \"a\": {\"b\": null},\n  \"c\": \"x\"\n}";
    assert_eq!(super::text(&harness), mended);
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    assert_eq!(super::text(&harness), mended.replace("\"x\"", "'x'"), "one step of the past");
}
