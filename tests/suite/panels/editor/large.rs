//! A text that is read elsewhere, while that takes its time: everything around the text stays, and leads to its place.

use super::super::scene::{Scene, module};
use super::super::{find, is_disabled, try_find, window};
use super::{caret, letters, paste, press, text};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use twinscope::app::Action;
use twinscope::app::tree::Face;
use twinscope::twin::Section;
use twinscope::twin::draft::AT_ONCE_MAX;
use twinscope::worker::Command;
use twinscope::worker::event::Outcome;

/// Behind what a test looks at.
fn blanks() -> String {
    format!("{}\n", " ".repeat(255)).repeat(AT_ONCE_MAX / 256 + 1)
}

/// A window whose desired section has this and a lot of blanks, all of it read; the caret at the beginning.
fn editing<'a>(members: &str) -> Harness<'a, Scene> {
    let mut scene = Scene::twin();
    let text = format!("{{\n{members}\n{}}}", blanks());
    scene.act(Action::Edit { id: module(), section: Section::Desired, text });
    answer(&mut scene);
    let mut harness = window(scene);
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    press(&mut harness, Modifiers::COMMAND, Key::Home);
    harness
}

/// Reads as the background does.
fn answer(scene: &mut Scene) {
    let asked = scene.commands.iter().rposition(|command| matches!(command, Command::ReadText { .. }));
    let Command::ReadText { key, reading } = scene.commands.remove(asked.expect("it was asked for")) else {
        unreachable!("it was found as one")
    };
    scene.answer(key, Outcome::TextRead(Box::new(reading.read())));
}

fn is_pending(harness: &Harness<'_, Scene>) -> bool {
    let tab = harness.state().app.tab(&module()).expect("it is open");
    tab.draft.as_ref().expect("it is loaded").is_pending()
}

/// Until what is read is the text that stands there.
fn read(harness: &mut Harness<'_, Scene>) {
    assert!(is_pending(harness));
    while is_pending(harness) {
        answer(harness.state_mut());
    }
    harness.run();
}

#[test]
fn problems_and_changes_stay_and_lead_to_their_places() {
    let mut harness = editing("\"é\": 1, \"no good\": 2,\n\"mode\": null");
    press(&mut harness, Modifiers::NONE, Key::ArrowDown);
    paste(&mut harness, "\"x\": 5,\n");
    press(&mut harness, Modifiers::NONE, Key::F8);
    assert_eq!(caret(&harness), (3, 18));
    press(&mut harness, Modifiers::NONE, Key::F8);
    assert_eq!(caret(&harness), (4, 13));
    press(&mut harness, Modifiers::ALT, Key::ArrowUp);
    assert_eq!(caret(&harness).0, 4);
    assert!(is_pending(&harness));
    find(&harness, Role::Button, "line 3, column 9: ['no good']: a key cannot contain a space").click();
    harness.run();
    assert_eq!(caret(&harness), (3, 18));
    read(&mut harness);
    find(&harness, Role::Button, "line 3, column 9: ['no good']: a key cannot contain a space");
}

#[test]
fn save_goes_by_the_text_and_not_by_the_button() {
    let mut harness = editing("\"mode\": 1");
    assert!(!is_disabled(&find(&harness, Role::Button, "Save")));
    press(&mut harness, Modifiers::NONE, Key::ArrowDown);
    letters(&mut harness, ",");
    assert!(is_pending(&harness));
    assert!(!is_disabled(&find(&harness, Role::Button, "Save")), "the last known");
    find(&harness, Role::Button, "Save").click();
    harness.run();
    let saves = |harness: &Harness<'_, Scene>| {
        harness.state().commands.iter().filter(|command| matches!(command, Command::PatchTwin { .. })).count()
    };
    assert_eq!(saves(&harness), 0);
    assert!(is_disabled(&find(&harness, Role::Button, "Save")));
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    press(&mut harness, Modifiers::NONE, Key::Backspace);
    assert!(is_pending(&harness));
    press(&mut harness, Modifiers::COMMAND, Key::S);
    assert_eq!(saves(&harness), 1);
}

#[test]
fn a_slip_is_mended_where_it_stands_by_then() {
    let mut harness = editing("\"telemetryIntervl\": 12.50");
    press(&mut harness, Modifiers::NONE, Key::ArrowDown);
    paste(&mut harness, "\"é\": 1, ");
    assert!(is_pending(&harness));
    find(&harness, Role::Button, "Use telemetryInterval").click();
    harness.run();
    assert!(text(&harness).starts_with("{\n\"é\": 1, \"telemetryInterval\": 12.50\n"));
    read(&mut harness);
    assert!(try_find(&harness, Role::Button, "Use telemetryInterval").is_none());
}

#[test]
fn the_tree_shows_what_was_typed() {
    let mut harness = editing("\"mode\": 1");
    press(&mut harness, Modifiers::NONE, Key::ArrowDown);
    paste(&mut harness, "\"speed\": 7, ");
    assert!(is_pending(&harness));
    find(&harness, Role::Button, "Show as tree").click();
    harness.run();
    assert!(!is_pending(&harness));
    assert_eq!(harness.state().app.tab(&module()).expect("it is open").face, Face::Tree);
    find(&harness, Role::TreeItem, "speed");
}
