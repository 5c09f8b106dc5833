//! Keys and values other twins have, offered at the caret.

use super::super::scene::{Scene, module, twin_json};
use super::super::{find, sized, try_find};
use super::{editing, letters, marked, press, text};
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use twinscope::app::Action;
use twinscope::app::tab::Pane;
use twinscope::query::ItemType;
use twinscope::twin::{Section, TwinId};
use twinscope::worker::Command;
use twinscope::worker::event::Outcome;

const LIST: (Role, &str) = (Role::ListBox, "Suggestions");

/// What is offered, with `>` at the chosen one; `None` while there is no list.
fn offered(harness: &Harness<'_, Scene>) -> Option<Vec<String>> {
    let list = try_find(harness, LIST.0, LIST.1)?;
    let options = list.children_recursive().filter(|node| node.accesskit_node().role() == Role::ListBoxOption);
    let said = |node: egui_kittest::Node<'_>| {
        let node = node.accesskit_node();
        let chosen = if node.is_selected() == Some(true) { ">" } else { "" };
        format!("{chosen}{}", node.label().unwrap_or_default())
    };
    Some(options.map(said).collect())
}

fn first(harness: &Harness<'_, Scene>) -> String {
    offered(harness).and_then(|list| list.into_iter().next()).unwrap_or_default()
}

fn ask(harness: &mut Harness<'_, Scene>) {
    press(harness, Modifiers::CTRL, Key::Space);
}

/// An open tab of another twin whose desired section is this.
fn taught<'a>(marked: &str, others: &[&str]) -> Harness<'a, Scene> {
    let mut harness = editing(marked);
    for (n, desired) in others.iter().enumerate() {
        let pump = TwinId::device(format!("pump-{n}"));
        let body = twin_json(&pump, 60, 5);
        let start = body.find("\"telemetryInterval\"").unwrap_or_default();
        let end = body.find("\"$metadata\"").unwrap_or_default();
        let scene = harness.state_mut();
        scene.open(&pump, &format!("{}{desired},{}", &body[..start], &body[end..]));
        scene.act(Action::OpenTwin(module()));
    }
    harness.run();
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    harness
}

#[test]
fn a_quote_opens_the_list_and_tab_takes_a_key_as_one_step() {
    let mut harness =
        taught("{\n  \"mode\": \"auto\"\n  |\n}", &["\"speed\": 5, \"limits\": {\"low\": 1}", "\"speed\": 5"]);
    assert_eq!(offered(&harness), None);
    letters(&mut harness, "\"");
    let all = [
        ">limits, object, in 2 twins",
        "speed, number, in 2 twins",
        "telemetryInterval, number, in 1 twin",
        "firmware, text, reported",
    ];
    assert_eq!(offered(&harness).as_deref(), Some(&all.map(String::from)[..]));
    letters(&mut harness, "sp");
    assert_eq!(offered(&harness).as_deref(), Some(&[">speed, number, in 2 twins".to_owned()][..]));
    press(&mut harness, Modifiers::NONE, Key::Tab);
    assert_eq!(text(&harness), "{\n  \"mode\": \"auto\",\n  \"speed\": 5\n}");
    // The example value is selected, and is what others have.
    assert_eq!(offered(&harness).as_deref(), Some(&[">5, 2 twins".to_owned()][..]));
    press(&mut harness, Modifiers::NONE, Key::Escape);
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    assert_eq!(text(&harness), "{\n  \"mode\": \"auto\"\n  \"sp\"\n}");
    press(&mut harness, Modifiers::COMMAND, Key::Y);
    letters(&mut harness, "7");
    assert_eq!(
        text(&harness),
        "{\n  \"mode\": \"auto\",\n  \"speed\": 7\n}",
        "what was selected is typed over, once redone"
    );
}

#[test]
fn enter_is_the_lines_until_the_list_is_meant() {
    let start = "{\"mode\": \"auto\",\n  \"te|\"}";
    // It came by itself.
    let mut harness = editing(start);
    letters(&mut harness, "l");
    assert!(offered(&harness).is_some());
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(marked(&harness), "{\"mode\": \"auto\",\n  \"tel\n  |\"}");
    assert_eq!(offered(&harness), None);
    // It was asked for, or somebody chose in it.
    for (by, key) in [(Modifiers::CTRL, Key::Space), (Modifiers::NONE, Key::ArrowDown)] {
        let mut harness = editing(start);
        letters(&mut harness, "l");
        press(&mut harness, by, key);
        press(&mut harness, Modifiers::NONE, Key::Enter);
        assert_eq!(text(&harness), "{\"mode\": \"auto\",\n  \"telemetryInterval\": 60}", "{key:?}");
        // The value there is counts as chosen: a new line would take it away.
        press(&mut harness, Modifiers::NONE, Key::Enter);
        assert_eq!(marked(&harness), "{\"mode\": \"auto\",\n  \"telemetryInterval\": 60|}");
        press(&mut harness, Modifiers::NONE, Key::Enter);
        assert_eq!(marked(&harness), "{\"mode\": \"auto\",\n  \"telemetryInterval\": 60\n  |}");
    }
    // Between the braces of a new object it makes a line.
    let mut harness = editing("{|}");
    letters(&mut harness, "\"lim");
    press(&mut harness, Modifiers::NONE, Key::Tab);
    assert_eq!(
        offered(&harness).as_deref(),
        Some(&[">high, number, in 1 twin", "low, number, in 1 twin"].map(String::from)[..])
    );
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(marked(&harness), "{\"limits\": {\n  |\n}}");
}

#[test]
fn escape_closes_the_list_and_nothing_else() {
    let mut harness = editing("{\"|\"}");
    letters(&mut harness, "m");
    assert!(offered(&harness).is_some());
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert_eq!(offered(&harness), None);
    assert!(find(&harness, Role::MultilineTextInput, "Desired JSON").is_focused());
    assert_eq!(marked(&harness), "{\"m|\"}");
    // Letters and Escape in one frame.
    harness.input_mut().events.push(Event::Text("o".to_owned()));
    harness.run();
    assert!(offered(&harness).is_some());
    harness.input_mut().events.push(Event::Text("d".to_owned()));
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!((offered(&harness), text(&harness)), (None, "{\"mod\"}".to_owned()));
    // With no list the field has it back.
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(!find(&harness, Role::MultilineTextInput, "Desired JSON").is_focused());
}

#[test]
fn a_value_is_replaced_by_a_known_one() {
    let mut harness =
        taught("{\"mode\": \"au|to\", \"x\": 1}", &["\"mode\": \"eco\"", "\"mode\": \"eco\"", "\"mode\": \"off\""]);
    ask(&mut harness);
    let all = [">\"auto\", 1 twin", "\"eco\", 2 twins", "\"off\", 1 twin"];
    assert_eq!(offered(&harness).as_deref(), Some(&all.map(String::from)[..]));
    press(&mut harness, Modifiers::NONE, Key::ArrowUp);
    press(&mut harness, Modifiers::NONE, Key::ArrowUp);
    assert_eq!(offered(&harness).unwrap_or_default()[1], ">\"eco\", 2 twins");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(marked(&harness), "{\"mode\": \"eco\"|, \"x\": 1}");
    assert_eq!(offered(&harness), None);

    // By itself behind the colon, and gone once nothing fits.
    let mut harness = editing("{\"mode\"|}");
    letters(&mut harness, ": ");
    assert_eq!(offered(&harness).as_deref(), Some(&[">\"auto\", 1 twin".to_owned()][..]));
    letters(&mut harness, "9");
    assert_eq!((offered(&harness), text(&harness)), (None, "{\"mode\": 9}".to_owned()));
}

/// Press and release, quick as a click is.
fn click(harness: &mut Harness<'_, Scene>, pos: egui::Pos2) {
    harness.event(Event::PointerMoved(pos));
    for pressed in [true, false] {
        let button = egui::PointerButton::Primary;
        harness.event(Event::PointerButton { pos, button, pressed, modifiers: Modifiers::NONE });
    }
    harness.run();
}

#[test]
fn a_click_takes_a_row_and_leaves_the_focus() {
    let mut harness = editing("{|}");
    ask(&mut harness);
    let row = find(&harness, Role::ListBoxOption, "mode").rect().center();
    click(&mut harness, row);
    assert_eq!(text(&harness), "{\"mode\": \"\"}");
    assert_eq!(first(&harness), ">\"auto\", 1 twin");
    // The field has it, and a screen reader is led to the row that Enter would take.
    assert!(find(&harness, Role::ListBoxOption, "\"auto\"").is_focused());
    letters(&mut harness, "a");
    assert_eq!(text(&harness), "{\"mode\": \"a\"}");
    // Beside it, it closes.
    let beside = find(&harness, Role::TextInput, "Search devices").rect().center();
    click(&mut harness, beside);
    assert_eq!((offered(&harness), text(&harness)), (None, "{\"mode\": \"a\"}".to_owned()));
}

#[test]
fn keys_behind_letters_of_the_same_frame_are_for_the_list_they_lead_to() {
    let mut harness = editing("{\"|\"}");
    letters(&mut harness, "l");
    harness.input_mut().events.push(Event::Text("i".to_owned()));
    harness.key_press(Key::Tab);
    harness.event(Event::Text("\"".to_owned()));
    harness.run();
    assert_eq!(text(&harness), "{\"limits\": {\"\"}}");
}

#[test]
fn nothing_known_is_said_only_to_who_asks() {
    let mut harness = editing("{\"new\": {|}}");
    letters(&mut harness, "\"");
    assert_eq!(offered(&harness), None);
    ask(&mut harness);
    assert_eq!(offered(&harness), Some(Vec::new()));
    find(&harness, LIST.0, LIST.1)
        .children_recursive()
        .find(|node| node.accesskit_node().role() == Role::Label)
        .expect("a reason");
    press(&mut harness, Modifiers::NONE, Key::ArrowRight);
    assert_eq!(offered(&harness), None);
}

#[test]
fn rows_of_a_query_teach_and_an_open_twin_counts_once() {
    let mut harness = editing("{|}");
    let scene = harness.state_mut();
    scene.act(Action::RunQuery("SELECT * FROM devices".to_owned()));
    let key = scene.key(|command| match command {
        Command::Query { key, .. } => Some(*key),
        _ => None,
    });
    let row = |id: &TwinId| serde_json::from_str(&twin_json(id, 60, 3)).expect("a row");
    let rows = [module(), TwinId::device("pump-07"), TwinId::device("myFirstDevice")].iter().map(row).collect();
    scene.answer(key, Outcome::QueryRows { item_type: ItemType::Twin, rows, more: false, ms: 3 });
    harness.run();
    ask(&mut harness);
    assert_eq!(first(&harness), ">limits, object, in 3 twins");
}

#[test]
fn the_caret_leaves_and_the_list_goes() {
    let mut harness = editing("{\"|\": 1, \"x\": 2}");
    letters(&mut harness, "m");
    assert!(offered(&harness).is_some());
    press(&mut harness, Modifiers::NONE, Key::Backspace);
    assert!(offered(&harness).is_some(), "the same key, one letter less");
    press(&mut harness, Modifiers::NONE, Key::ArrowLeft);
    assert_eq!(offered(&harness), None);
    // Backspace alone opens nothing.
    let mut harness = editing("{\"mo|\": 1}");
    press(&mut harness, Modifiers::NONE, Key::Backspace);
    assert_eq!(offered(&harness), None);
}

fn choose_command(harness: &mut Harness<'_, Scene>) {
    press(harness, Modifiers::COMMAND, Key::K);
    harness.event(Event::Text("suggest keys".to_owned()));
    harness.run();
    press(harness, Modifiers::NONE, Key::Enter);
}

#[test]
fn asked_from_elsewhere_the_editor_takes_the_focus() {
    let mut harness = editing("{|}");
    find(&harness, Role::TextInput, "Search devices").focus();
    harness.run();
    ask(&mut harness);
    assert_eq!(offered(&harness), None, "the key is the editor's");
    choose_command(&mut harness);
    assert!(offered(&harness).is_some());
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(find(&harness, Role::MultilineTextInput, "Desired JSON").is_focused());
}

#[test]
fn the_palette_asks_too_and_tags_have_their_own() {
    let mut harness = editing("{|}");
    harness.state_mut().act(Action::ShowPane(module(), Pane::Tags));
    harness.state_mut().act(Action::Edit { id: module(), section: Section::Tags, text: "{}".to_owned() });
    harness.run();
    find(&harness, Role::MultilineTextInput, "Tags JSON").focus();
    harness.run();
    press(&mut harness, Modifiers::COMMAND, Key::Home);
    press(&mut harness, Modifiers::NONE, Key::ArrowRight);
    choose_command(&mut harness);
    assert_eq!(
        offered(&harness).as_deref(),
        Some(&[">line, number, in 1 twin", "site, text, in 1 twin"].map(String::from)[..])
    );
}

#[test]
fn a_long_list_scrolls_in_eight_rows_and_finds_room() {
    let keys: Vec<String> = (0..30).map(|n| format!("\"key{n:02}\": {n}")).collect();
    let mut harness = taught("{|}", &[&keys.join(",")]);
    ask(&mut harness);
    let height = |harness: &Harness<'_, Scene>| find(harness, LIST.0, LIST.1).rect().height();
    assert!((8.0 * 24.0..8.0 * 24.0 + 16.0).contains(&height(&harness)), "{}", height(&harness));
    for (key, expected) in [(Key::PageDown, 8), (Key::PageDown, 16), (Key::PageUp, 8), (Key::ArrowUp, 7)] {
        press(&mut harness, Modifiers::NONE, key);
        assert_eq!(
            offered(&harness).unwrap_or_default().iter().position(|row| row.starts_with('>')),
            Some(expected),
            "{key:?}"
        );
    }
    for _ in 0..9 {
        press(&mut harness, Modifiers::NONE, Key::PageDown);
    }
    let rows = offered(&harness).unwrap_or_default();
    let end = rows.last().expect("a row").trim_start_matches('>').to_owned();
    assert!(rows.last().is_some_and(|row| row.starts_with('>')));
    let list = find(&harness, LIST.0, LIST.1).rect();
    assert!(list.contains_rect(find(&harness, Role::ListBoxOption, &end).rect()), "the chosen row is in sight");

    // At the end of a window there is no room below.
    let text = format!("{{{}}}", "\n".repeat(40));
    let mut scene = Scene::twin();
    scene.act(Action::Edit { id: module(), section: Section::Desired, text });
    let mut harness = sized(scene, [900.0, 600.0]);
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    for _ in 0..40 {
        harness.key_press(Key::ArrowDown);
    }
    harness.run();
    ask(&mut harness);
    let list = find(&harness, LIST.0, LIST.1).rect();
    assert!(list.top() >= 0.0 && list.bottom() <= 600.0, "{list:?}");
}
