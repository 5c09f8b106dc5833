//! Edits of the tree are edits of the text.

use super::*;

#[test]
fn enter_edits_a_value_in_place() {
    let mut harness = shown();
    let before = text(&harness);
    stand_on(&mut harness, "telemetryInterval");
    key(&mut harness, Key::Enter);
    assert!(find(&harness, Role::TextInput, "Value of telemetryInterval").is_focused());
    retype(&mut harness, "122");
    key(&mut harness, Key::Enter);
    assert_eq!(text(&harness), before.replacen("60", "122", 1));
    let row = find(&harness, Role::TreeItem, "telemetryInterval");
    assert!(row.is_focused());
    assert_eq!(row.accesskit_node().label().as_deref(), Some("telemetryInterval, 122, reported 60, differs, edited"));
    // The same edit as any other: Changes has it.
    let tab = harness.state().app.tab(&module()).unwrap();
    assert_eq!(tab.draft.as_ref().unwrap().desired.changes.len(), 1);
}

#[test]
fn f2_renames_in_place() {
    let mut harness = shown();
    let before = text(&harness);
    stand_on(&mut harness, "limits");
    key(&mut harness, Key::F2);
    retype(&mut harness, "bounds");
    key(&mut harness, Key::Enter);
    assert_eq!(text(&harness), before.replace("limits", "bounds"));
    assert!(find(&harness, Role::TreeItem, "bounds").is_focused());
    stand_on(&mut harness, "[0]");
    assert!(is_disabled(&find(&harness, Role::Button, "Rename property")));
}

#[test]
fn delete_deletes_and_the_keys_stay_near() {
    let mut harness = shown();
    let before = text(&harness);
    stand_on(&mut harness, "low");
    key(&mut harness, Key::Delete);
    assert_eq!(text(&harness), before.replace("\"low\": 2.50,\n    ", ""));
    assert!(find(&harness, Role::TreeItem, "high").is_focused());
    stand_on(&mut harness, "firmware");
    key(&mut harness, Key::Delete);
    assert!(is_disabled(&find(&harness, Role::Button, "Delete property")));
    find(&harness, Role::TreeItem, "firmware");
}

#[test]
fn insert_adds_behind_a_value_and_into_an_object() {
    let mut harness = shown();
    let before = text(&harness);
    stand_on(&mut harness, "telemetryInterval");
    key(&mut harness, Key::Insert);
    assert!(find(&harness, Role::TextInput, "New key").is_focused());
    harness.event(Event::Text("zone".to_owned()));
    harness.run();
    key(&mut harness, Key::Tab);
    assert!(find(&harness, Role::TextInput, "New value").is_focused());
    harness.event(Event::Text("7.0".to_owned()));
    harness.run();
    key(&mut harness, Key::Enter);
    let first = before.replacen("60,", "60,\n  \"zone\": 7.0,", 1);
    assert_eq!(text(&harness), first);
    assert!(find(&harness, Role::TreeItem, "zone").is_focused());

    stand_on(&mut harness, "steps");
    key(&mut harness, Key::Insert);
    assert!(try_find(&harness, Role::TextInput, "New key").is_none());
    harness.event(Event::Text("3".to_owned()));
    harness.run();
    key(&mut harness, Key::Enter);
    assert_eq!(text(&harness), first.replace("2\n  ]", "2,\n    3\n  ]"));
    assert!(find(&harness, Role::TreeItem, "[2]").is_focused());
}

#[test]
fn what_only_the_device_has_is_offered_as_a_new_property() {
    let mut harness = shown();
    stand_on(&mut harness, "firmware");
    key(&mut harness, Key::Enter);
    key(&mut harness, Key::Enter);
    assert!(text(&harness).ends_with(",\n  \"firmware\": \"1.4.2\"\n}"), "{}", text(&harness));
}

#[test]
fn a_type_change_keeps_the_value_or_asks_for_one() {
    let mut harness = shown();
    let before = text(&harness);
    for (row, kind) in [("low", "Text"), ("mode", "Number")] {
        stand_on(&mut harness, row);
        find(&harness, Role::Button, "Type").click();
        harness.run();
        find(&harness, Role::Button, kind).click();
        harness.run();
    }
    let texts = before.replace("2.50", "\"2.50\"");
    assert_eq!(text(&harness), texts);
    // "auto" is no number: one is asked for.
    let field = find(&harness, Role::TextInput, "Value of mode");
    assert_eq!(field.value().as_deref(), Some("0"));
    key(&mut harness, Key::Enter);
    assert_eq!(text(&harness), texts.replace("\"auto\"", "0"));
}

#[test]
fn undo_goes_across_tree_and_text() {
    let mut harness = shown();
    let before = text(&harness);
    stand_on(&mut harness, "mode");
    key(&mut harness, Key::Delete);
    let deleted = text(&harness);
    stand_on(&mut harness, "high");
    key(&mut harness, Key::Delete);
    let both = text(&harness);
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    assert_eq!(text(&harness), deleted);
    press(&mut harness, Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    assert_eq!(text(&harness), both);
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    // The rest is taken back in the text.
    press(&mut harness, Modifiers::COMMAND, Key::T);
    assert!(find(&harness, Role::MultilineTextInput, "Desired JSON").is_focused());
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    if text(&harness) == deleted {
        // The text field counts the way of its caret as a step of its own.
        press(&mut harness, Modifiers::COMMAND, Key::Z);
    }
    assert_eq!(text(&harness), before);
}
