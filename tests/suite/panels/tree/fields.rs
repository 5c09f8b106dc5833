//! What is typed in a field stays until it is taken.

use super::*;

/// `{"mode": …` is being edited and says something that is no JSON.
fn refused<'a>() -> Harness<'a, Scene> {
    let mut harness = shown();
    stand_on(&mut harness, "mode");
    key(&mut harness, Key::Enter);
    retype(&mut harness, "\"eco");
    key(&mut harness, Key::Enter);
    harness
}

#[test]
fn bad_input_stays_with_its_error() {
    let mut harness = refused();
    let before = text(&harness);
    let field = find(&harness, Role::TextInput, "Value of mode");
    assert!(field.is_focused());
    assert_eq!(field.value().as_deref(), Some("\"eco"));
    let data = field.accesskit_node();
    assert_eq!(data.data().invalid(), Some(Invalid::True));
    assert_eq!(data.data().description(), Some("column 1: this string is not closed"));
    let said: Vec<String> =
        harness.root().children_recursive().filter_map(|node| node.accesskit_node().value()).collect();
    assert!(said.contains(&"Not taken: column 1: this string is not closed".to_owned()), "{said:?}");
    harness.event(Event::Text("\"".to_owned()));
    harness.run();
    key(&mut harness, Key::Enter);
    assert_eq!(text(&harness), before.replace("auto", "eco"));
    assert!(try_find(&harness, Role::TextInput, "Value of mode").is_none());
}

#[test]
fn esc_leaves_the_field_and_the_text() {
    let mut harness = refused();
    let before = text(&harness);
    key(&mut harness, Key::Escape);
    assert!(try_find(&harness, Role::TextInput, "Value of mode").is_none());
    assert_eq!(text(&harness), before);
    assert!(find(&harness, Role::TreeItem, "mode").is_focused());
}

#[test]
fn a_field_outlives_other_panes_a_refresh_and_its_row() {
    let mut harness = refused();
    harness.state_mut().act(Action::ShowPane(module(), Pane::Reported));
    harness.run();
    harness.state_mut().act(Action::ShowPane(module(), Pane::Desired));
    harness.state_mut().act(Action::Edit { id: module(), section: Section::Desired, text: "{\"a\": 1}".to_owned() });
    harness.run();
    let field = find(&harness, Role::TextInput, "Value of mode");
    assert_eq!(field.value().as_deref(), Some("\"eco"));
}

#[test]
fn leaving_a_field_takes_what_is_right_in_it() {
    let mut harness = shown();
    let before = text(&harness);
    stand_on(&mut harness, "mode");
    key(&mut harness, Key::Enter);
    retype(&mut harness, "\"eco\"");
    find(&harness, Role::TextInput, "Search devices").focus();
    harness.run();
    assert_eq!(text(&harness), before.replace("auto", "eco"));
}

#[test]
fn a_save_takes_what_stands_in_a_field() {
    let mut harness = shown();
    stand_on(&mut harness, "mode");
    key(&mut harness, Key::Enter);
    retype(&mut harness, "\"eco\"");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::S);
    harness.run_steps(4);
    let saved = harness.state().commands.iter().find_map(|command| match command {
        twinscope::worker::Command::PatchTwin { body, .. } => Some(serde_json::json!(body)),
        _ => None,
    });
    assert_eq!(saved, Some(serde_json::json!({"properties": {"desired": {"mode": "eco"}}})));

    let mut harness = refused();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::S);
    harness.run_steps(4);
    assert!(!harness.state().actions.iter().any(|action| matches!(action, Action::Save(_))));
    find(&harness, Role::TextInput, "Value of mode");
}

#[test]
fn a_new_key_that_is_taken_says_where() {
    let mut harness = shown();
    stand_on(&mut harness, "mode");
    key(&mut harness, Key::Insert);
    harness.event(Event::Text("limits".to_owned()));
    harness.run();
    key(&mut harness, Key::Tab);
    harness.event(Event::Text("1".to_owned()));
    harness.run();
    key(&mut harness, Key::Enter);
    let field = find(&harness, Role::TextInput, "New key");
    assert!(field.is_focused());
    let expected = "`limits` is there already, at line 4, column 3: choose another key";
    assert_eq!(field.accesskit_node().data().description(), Some(expected));
    assert_eq!(find(&harness, Role::TextInput, "New value").value().as_deref(), Some("1"));
}

/// A new property behind `mode`, with these keys typed one after the other.
fn adding<'a>() -> Harness<'a, Scene> {
    let mut harness = shown();
    stand_on(&mut harness, "mode");
    key(&mut harness, Key::Insert);
    harness
}

fn type_on(harness: &mut Harness<'_, Scene>, text: &str) {
    harness.event(Event::Text(text.to_owned()));
    harness.run();
}

fn scolded(harness: &Harness<'_, Scene>) -> Option<String> {
    let mut said = harness.root().children_recursive().filter_map(|node| node.accesskit_node().value());
    said.find_map(|text| text.strip_prefix("Not taken: ").map(str::to_owned))
}

#[test]
fn enter_in_a_new_key_goes_on_and_scolds_only_what_is_whole() {
    let mut harness = adding();
    let before = text(&harness);
    key(&mut harness, Key::Enter);
    assert!(find(&harness, Role::TextInput, "New key").is_focused(), "nothing is typed: nothing is said");
    assert_eq!(scolded(&harness), None);
    type_on(&mut harness, "zone");
    key(&mut harness, Key::Enter);
    assert!(find(&harness, Role::TextInput, "New value").is_focused(), "the value is what is missing");
    assert_eq!(scolded(&harness), None);
    key(&mut harness, Key::Enter);
    let said = scolded(&harness).expect("Enter without a value is a try");
    assert!(said.contains("type a number"), "{said}");
    assert!(find(&harness, Role::TextInput, "New value").is_focused());
    type_on(&mut harness, "7");
    assert_eq!(scolded(&harness), None);
    key(&mut harness, Key::Enter);
    assert_eq!(text(&harness), before.replace("\"auto\",", "\"auto\",\n  \"zone\": 7,"));
}

#[test]
fn a_taken_key_is_said_before_its_value_is_typed() {
    let mut harness = adding();
    type_on(&mut harness, "limits");
    key(&mut harness, Key::Enter);
    assert!(find(&harness, Role::TextInput, "New key").is_focused());
    let said = scolded(&harness).expect("it is taken");
    assert!(said.ends_with("choose another key"), "{said}");
}

#[test]
fn a_value_without_a_key_says_what_to_type() {
    let mut harness = adding();
    key(&mut harness, Key::Tab);
    type_on(&mut harness, "7");
    key(&mut harness, Key::Enter);
    assert_eq!(scolded(&harness).as_deref(), Some("the key is missing: type a name for the property"));
    assert!(find(&harness, Role::TextInput, "New key").is_focused());
}
