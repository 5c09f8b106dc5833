//! Folding: by the signs beside the lines, by key and from the palette. The text stays whole, and the caret is always seen.

use super::super::scene::{Scene, module, parsed, twin_json};
use super::super::{find, try_find, window};
use super::{caret, editing, letters, marked, press, text};
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, OutputCommand};
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use twinscope::app::Action;
use twinscope::app::tab::Pane;
use twinscope::twin::Section;
use twinscope::worker::Fact;
use twinscope::worker::event::Source;

const SHIFT: Modifiers = Modifiers::SHIFT;
const COMMAND_SHIFT: Modifiers = Modifiers { shift: true, ..Modifiers::COMMAND };

/// Lines 2 to 5 and 6 to 9 fold.
const TEXT: &str = "{\n  \"a\": {\n    \"b\": 1,\n    \"c\": 2\n  },\n  \"d\": [\n    1,\n    22\n  ],\n  \"e\": 5\n}";

/// The text with the caret before some words of it.
fn at(words: &str) -> String {
    TEXT.replacen(words, &format!("|{words}"), 1)
}

/// The signs: what is told of each.
fn signs(harness: &Harness<'_, Scene>) -> Vec<String> {
    let named = harness.root().children_recursive().filter(|node| node.accesskit_node().role() == Role::Button);
    named
        .filter_map(|node| node.accesskit_node().label())
        .filter(|name| name.starts_with("Fold line") || name.starts_with("Unfold line"))
        .collect()
}

fn click(harness: &mut Harness<'_, Scene>, name: &str) {
    find(harness, Role::Button, name).click();
    harness.run();
}

fn y(harness: &Harness<'_, Scene>, name: &str) -> f32 {
    find(harness, Role::Button, name).rect().center().y
}

fn is_folded(harness: &Harness<'_, Scene>, line: usize) -> bool {
    signs(harness).contains(&format!("Unfold line {line}"))
}

#[track_caller]
fn is_at(harness: &Harness<'_, Scene>, expected: &str) {
    assert_eq!(marked(harness), expected);
}

#[test]
fn the_signs_fold_and_unfold() {
    let mut harness = editing(&at("\"e\""));
    assert_eq!(signs(&harness), ["Fold line 1", "Fold line 2", "Fold line 6"]);
    let before = y(&harness, "Fold line 6");
    click(&mut harness, "Fold line 2");
    assert_eq!(signs(&harness), ["Fold line 1", "Unfold line 2", "Fold line 6"]);
    // Three lines take no room, and nothing of the text is gone.
    assert!((before - y(&harness, "Fold line 6") - 3.0 * 18.0).abs() < 0.5);
    assert_eq!(text(&harness), TEXT);
    is_at(&harness, &at("\"e\""));
    find(&harness, Role::Button, "Show 2 properties of line 2");

    click(&mut harness, "Fold line 6");
    click(&mut harness, "Show 2 items of line 6");
    assert_eq!(signs(&harness), ["Fold line 1", "Unfold line 2", "Fold line 6"]);
    click(&mut harness, "Unfold line 2");
    assert!((before - y(&harness, "Fold line 6")).abs() < 0.5);
    assert!(try_find(&harness, Role::Button, "Show 2 properties of line 2").is_none());
    // The text has the keys.
    letters(&mut harness, "x");
    is_at(&harness, &at("\"e\"").replace('|', "x|"));
}

#[test]
fn by_key_and_from_the_palette() {
    let mut harness = editing(&at("22"));
    press(&mut harness, COMMAND_SHIFT, Key::OpenBracket);
    assert!(is_folded(&harness, 6));
    // The caret is on the line that stays.
    is_at(&harness, &TEXT.replacen("[\n", "[|\n", 1));
    press(&mut harness, COMMAND_SHIFT, Key::CloseBracket);
    assert!(!is_folded(&harness, 6));
    // As a keyboard calls it while Shift is held.
    press(&mut harness, COMMAND_SHIFT, Key::OpenCurlyBracket);
    assert!(is_folded(&harness, 6));
    press(&mut harness, COMMAND_SHIFT, Key::CloseCurlyBracket);
    assert!(!is_folded(&harness, 6));
    press(&mut harness, COMMAND_SHIFT, Key::J);
    assert_eq!(signs(&harness), ["Fold line 1", "Unfold line 2", "Unfold line 6"]);
    press(&mut harness, Modifiers::COMMAND, Key::J);
    assert_eq!(signs(&harness), ["Fold line 1", "Fold line 2", "Fold line 6"]);
    for (command, expected) in [("fold all", true), ("unfold all", false)] {
        press(&mut harness, Modifiers::COMMAND, Key::K);
        letters(&mut harness, command);
        press(&mut harness, Modifiers::NONE, Key::Enter);
        assert_eq!((is_folded(&harness, 2), is_folded(&harness, 6)), (expected, expected), "{command}");
    }
    // The third level of a keyboard types.
    let third = Modifiers { alt: true, ..COMMAND_SHIFT };
    press(&mut harness, third, Key::OpenCurlyBracket);
    assert!(!is_folded(&harness, 6));
}

#[test]
fn arrows_step_over_a_fold() {
    let mut harness = editing(&at("{\n    \"b\""));
    click(&mut harness, "Fold line 2");
    press(&mut harness, Modifiers::NONE, Key::ArrowDown);
    // In the column it came from.
    is_at(&harness, &at("[\n"));
    press(&mut harness, Modifiers::NONE, Key::ArrowUp);
    is_at(&harness, &at("{\n    \"b\""));
    press(&mut harness, Modifiers::NONE, Key::End);
    press(&mut harness, Modifiers::NONE, Key::ArrowRight);
    is_at(&harness, &at("  \"d\""));
    press(&mut harness, Modifiers::NONE, Key::ArrowLeft);
    is_at(&harness, &at("\n    \"b\""));
    assert!(is_folded(&harness, 2));
    // At the end of the text there is nothing to step to.
    click(&mut harness, "Fold line 1");
    is_at(&harness, &at("\n  \"a\""));
    for key in [Key::ArrowDown, Key::ArrowRight] {
        press(&mut harness, Modifiers::NONE, key);
        is_at(&harness, &at("\n  \"a\""));
        assert!(is_folded(&harness, 1));
    }
}

#[test]
fn keys_of_one_frame_keep_their_order_over_a_fold() {
    let mut harness = editing(&at("\"a\""));
    click(&mut harness, "Fold line 2");
    click(&mut harness, "Fold line 6");
    let key = |key| Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE };
    let typed = |letter: &str| Event::Text(letter.to_owned());
    let events = [key(Key::ArrowDown), key(Key::ArrowDown), typed("x"), key(Key::ArrowUp), typed("y")];
    harness.input_mut().events.extend(events);
    // One for each key that waits.
    harness.run_steps(10);
    is_at(&harness, &TEXT.replace("\"e\"", "x\"e\"").replace("\"d\"", "\"y|d\""));
    assert!(is_folded(&harness, 2) && is_folded(&harness, 6));
}

#[test]
fn whatever_leads_into_a_fold_opens_it() {
    // Go to line.
    let mut harness = editing(&at("\"e\""));
    press(&mut harness, COMMAND_SHIFT, Key::J);
    press(&mut harness, Modifiers::COMMAND, Key::G);
    letters(&mut harness, "4");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!((caret(&harness), is_folded(&harness, 2), is_folded(&harness, 6)), ((4, 1), false, true));

    // Find: F3 and Enter in the field.
    let mut harness = editing(&at("\"e\""));
    press(&mut harness, COMMAND_SHIFT, Key::J);
    press(&mut harness, Modifiers::COMMAND, Key::F);
    letters(&mut harness, "22");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!((is_folded(&harness, 2), is_folded(&harness, 6)), (true, false));

    // Undo.
    let mut harness = editing(&at("22"));
    letters(&mut harness, "7");
    press(&mut harness, COMMAND_SHIFT, Key::OpenBracket);
    assert!(is_folded(&harness, 6));
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    assert_eq!(text(&harness), TEXT);
    assert!(!is_folded(&harness, 6));
    is_at(&harness, &at("22"));

    // The end of a text that is folded whole; all of it selected stays folded.
    let mut harness = editing(&at("\"e\""));
    click(&mut harness, "Fold line 1");
    press(&mut harness, Modifiers::COMMAND, Key::A);
    assert!(is_folded(&harness, 1));
    press(&mut harness, Modifiers { ctrl: true, ..Modifiers::COMMAND }, Key::End);
    assert!(!is_folded(&harness, 1));
    is_at(&harness, &format!("{TEXT}|"));

    // A line that comes to stand behind the closing bracket keeps that one in sight.
    let mut harness = editing(&at("  \"d\""));
    click(&mut harness, "Fold line 2");
    press(&mut harness, Modifiers::NONE, Key::Backspace);
    is_at(&harness, &TEXT.replace("},\n", "},|"));
    assert_eq!(signs(&harness), ["Fold line 1", "Unfold line 2", "Fold line 5"]);
}

#[test]
fn problems_in_a_fold_are_told_on_it() {
    let mut harness = editing("{\n  \"a\": {\n    \"b\": tru,\n    \"c\": 2\n  },\n  \"e\": |5\n}");
    click(&mut harness, "Fold line 2");
    find(&harness, Role::Button, "Show 2 properties of line 2, with 1 problem");
    press(&mut harness, Modifiers::NONE, Key::F8);
    assert!(!is_folded(&harness, 2));
    assert_eq!(caret(&harness).0, 3);
}

#[test]
fn typing_keeps_folds() {
    let mut harness = editing(&at("\"a\""));
    press(&mut harness, COMMAND_SHIFT, Key::J);
    press(&mut harness, Modifiers::NONE, Key::ArrowRight);
    letters(&mut harness, "xy");
    assert!(text(&harness).contains("\"xya\": {"));
    assert!(is_folded(&harness, 2) && is_folded(&harness, 6));
    // A line above moves them.
    press(&mut harness, Modifiers::NONE, Key::ArrowUp);
    press(&mut harness, Modifiers::NONE, Key::End);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(signs(&harness), ["Fold line 1", "Unfold line 3", "Unfold line 7"]);
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    assert_eq!(signs(&harness), ["Fold line 1", "Unfold line 2", "Unfold line 6"]);
    // Behind its bracket a line goes into the fold.
    press(&mut harness, Modifiers::NONE, Key::ArrowDown);
    press(&mut harness, Modifiers::NONE, Key::End);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(signs(&harness), ["Fold line 1", "Fold line 2", "Unfold line 7"]);
    assert_eq!(caret(&harness), (3, 5));
    // And what was folded away is not taken out unseen.
    let mut harness = editing(&at("\n    \"b\""));
    click(&mut harness, "Fold line 2");
    press(&mut harness, Modifiers::NONE, Key::Delete);
    assert_eq!(signs(&harness), ["Fold line 1", "Fold line 2", "Fold line 5"]);
}

#[test]
fn a_selection_over_a_fold_has_all_of_it() {
    let mut harness = editing(&at("  \"a\""));
    click(&mut harness, "Fold line 2");
    press(&mut harness, SHIFT, Key::ArrowDown);
    assert!(is_folded(&harness, 2));
    press(&mut harness, Modifiers::NONE, Key::Delete);
    is_at(&harness, "{\n|  \"d\": [\n    1,\n    22\n  ],\n  \"e\": 5\n}");
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    assert_eq!(text(&harness), TEXT);
}

#[test]
fn a_folded_line_moves_with_all_that_is_in_it() {
    let (a, d) = ("  \"a\": {\n    \"b\": 1,\n    \"c\": 2\n  },\n", "  \"d\": [\n    1,\n    22\n  ],\n");
    let rest = "  \"e\": 5\n}";
    for (modifiers, key, expected, signs_after) in [
        (
            COMMAND_SHIFT,
            Key::D,
            format!("{{\n{a}{d}  |{}{rest}", &d[2..]),
            vec!["Fold line 2", "Unfold line 6", "Fold line 10"],
        ),
        (
            COMMAND_SHIFT,
            Key::ArrowDown,
            format!("{{\n{a}  \"e\": 5\n  |{}}}", &d[2..]),
            vec!["Fold line 2", "Unfold line 7"],
        ),
        (Modifiers::NONE, Key::Tab, String::new(), vec!["Fold line 2", "Unfold line 6"]),
    ] {
        let mut harness = editing(&at("\"d\""));
        click(&mut harness, "Fold line 6");
        if key == Key::Tab {
            press(&mut harness, SHIFT, Key::Tab);
            is_at(&harness, &format!("{{\n{a}|\"d\": [\n  1,\n  22\n],\n{rest}"));
        } else {
            press(&mut harness, modifiers, key);
            is_at(&harness, &expected);
        }
        assert_eq!(signs(&harness)[1..], signs_after, "{key:?}");
    }
}

#[test]
fn folds_outlive_a_newer_twin_and_a_look_elsewhere() {
    let mut harness = window(Scene::twin());
    let limits = "Fold line 4";
    click(&mut harness, limits);
    assert!(is_folded(&harness, 4));
    find(&harness, Role::TextInput, "Search devices").focus();
    harness.run();
    // Two lines come in above.
    let body = twin_json(&module(), 90, 7).replace("\"mode\":\"auto\"", "\"mode\":\"auto\",\"one\":1,\"two\":2");
    harness.state_mut().tell(Fact::TwinSeen { twin: parsed(&body), source: Source::Watch });
    harness.run();
    assert!(text(&harness).contains("\"two\": 2"));
    assert_eq!(signs(&harness), ["Fold line 1", "Unfold line 6"]);

    for pane in [Pane::Tags, Pane::Document, Pane::Desired] {
        harness.state_mut().act(Action::ShowPane(module(), pane));
        harness.run();
    }
    assert_eq!(signs(&harness), ["Fold line 1", "Unfold line 6"]);
    // Of the tags nothing is.
    harness.state_mut().act(Action::ShowPane(module(), Pane::Tags));
    harness.run();
    assert_eq!(signs(&harness), ["Fold line 1"]);
}

#[test]
fn what_moves_above_a_fold_moves_no_line_in_view() {
    let many =
        |from: usize, to: usize| (from..to).map(|n| format!("    \"k{n:03}\": {n},\n")).collect::<Vec<_>>().concat();
    let around = |inner: &str| {
        format!(
            "{{\n  \"a\": {{\n{inner}    \"z\": 0\n  }},\n{}  \"last\": 1\n}}",
            many(500, 600).replace("    ", "  ")
        )
    };
    let old = around(&many(0, 100));
    let mut scene = Scene::twin();
    scene.act(Action::Edit { id: module(), section: Section::Desired, text: old });
    let mut harness = window(scene);
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    press(&mut harness, Modifiers::COMMAND, Key::Home);
    click(&mut harness, "Fold line 2");
    press(&mut harness, Modifiers { ctrl: true, ..Modifiers::COMMAND }, Key::End);
    let y_of_field =
        |harness: &Harness<'_, Scene>| find(harness, Role::MultilineTextInput, "Desired JSON").rect().bottom();
    let before = (y_of_field(&harness), caret(&harness));
    assert_eq!(before.1.0, 206);
    // As a step in the tree does: lines go out of what is folded away.
    harness.state_mut().act(Action::Edit { id: module(), section: Section::Desired, text: around(&many(50, 100)) });
    harness.run();
    // The line at the bottom says where the caret was a frame ago.
    harness.run();
    assert_eq!(caret(&harness).0, before.1.0 - 50);
    assert!((y_of_field(&harness) - before.0).abs() < 0.5);
}

/// The last text put into the clipboard.
fn copied(harness: &Harness<'_, Scene>) -> Option<String> {
    harness.output().platform_output.commands.iter().find_map(|command| match command {
        OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    })
}

#[test]
fn a_text_that_is_only_read_folds_too() {
    let mut scene = Scene::twin();
    scene.act(Action::ShowPane(module(), Pane::Document));
    let mut harness = window(scene);
    let whole = find(&harness, Role::MultilineTextInput, "Document JSON").value().unwrap_or_default();
    let line = |words: &str| whole[..whole.find(words).unwrap()].matches('\n').count() + 1;
    let (tags, properties) = (line("\"tags\""), line("\"properties\""));
    let before = y(&harness, &format!("Fold line {properties}"));
    click(&mut harness, &format!("Fold line {tags}"));
    assert!(is_folded(&harness, tags));
    let gone = 18.0 * 3.0;
    assert!((before - y(&harness, &format!("Fold line {properties}")) - gone).abs() < 0.5);
    assert_eq!(find(&harness, Role::MultilineTextInput, "Document JSON").value().as_deref(), Some(&*whole));

    // One step of the key crosses it, and takes all of it along.
    press(&mut harness, Modifiers::COMMAND, Key::Home);
    for _ in 1..tags {
        press(&mut harness, Modifiers::NONE, Key::ArrowDown);
    }
    press(&mut harness, SHIFT, Key::ArrowDown);
    harness.event(Event::Copy);
    harness.step();
    let lines: Vec<&str> = whole.lines().collect();
    assert_eq!(copied(&harness), Some(lines[tags - 1..tags + 3].join("\n") + "\n"));
    assert!(is_folded(&harness, tags));

    // What is found in it opens it; the keys fold it again.
    press(&mut harness, Modifiers::COMMAND, Key::F);
    letters(&mut harness, "\"site\"");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert!(!is_folded(&harness, tags));
    press(&mut harness, Modifiers::NONE, Key::Escape);
    press(&mut harness, COMMAND_SHIFT, Key::OpenBracket);
    assert!(is_folded(&harness, tags));
    press(&mut harness, COMMAND_SHIFT, Key::CloseBracket);
    assert!(!is_folded(&harness, tags));
    press(&mut harness, COMMAND_SHIFT, Key::J);
    assert!(is_folded(&harness, tags) && is_folded(&harness, properties));
    click(&mut harness, &format!("Show 2 properties of line {tags}"));
    assert!(!is_folded(&harness, tags));

    // It is known when the text comes back.
    press(&mut harness, Modifiers::COMMAND, Key::J);
    click(&mut harness, &format!("Fold line {tags}"));
    for pane in [Pane::Reported, Pane::Document] {
        harness.state_mut().act(Action::ShowPane(module(), pane));
        harness.run();
        assert_eq!(is_folded(&harness, tags), pane == Pane::Document, "{pane:?}");
    }
}
