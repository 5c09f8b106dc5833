//! Steps back and forth by key: mine, and never what came from the hub.

use super::super::scene::{Scene, module, parsed, twin_json};
use super::super::{find, window};
use super::{caret, editing, letters, marked, press, text};
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers};
use egui_kittest::Harness;
use twinscope::app::Action;
use twinscope::app::Tab;
use twinscope::app::tab::Pane;
use twinscope::twin::Section;
use twinscope::twin::merge::Choice;
use twinscope::worker::event::{Outcome, Source};
use twinscope::worker::{Command, Fact};

const COMMAND_SHIFT: Modifiers = Modifiers { shift: true, ..Modifiers::COMMAND };

fn back(harness: &mut Harness<'_, Scene>) {
    press(harness, Modifiers::COMMAND, Key::Z);
}

fn hub_has(harness: &mut Harness<'_, Scene>, interval: u32, version: u64) {
    let twin = parsed(&twin_json(&module(), interval, version));
    harness.state_mut().tell(Fact::TwinSeen { twin, source: Source::Watch });
    harness.run();
}

/// The twin as loaded, the caret behind `"auto`.
fn in_auto<'a>() -> Harness<'a, Scene> {
    let mut harness = window(Scene::twin());
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    press(&mut harness, Modifiers::COMMAND, Key::Home);
    for key in [Key::ArrowDown, Key::ArrowDown, Key::End, Key::ArrowLeft, Key::ArrowLeft] {
        press(&mut harness, Modifiers::NONE, key);
    }
    assert_eq!(caret(&harness), (3, 16));
    harness
}

#[test]
fn letters_of_a_word_go_together() {
    let mut harness = editing("{\"a\": \"|\"}");
    for letter in "one two".chars() {
        harness.input_mut().events.push(Event::Text(letter.to_string()));
        harness.step();
    }
    harness.run();
    assert_eq!(marked(&harness), "{\"a\": \"one two|\"}");
    back(&mut harness);
    assert_eq!(marked(&harness), "{\"a\": \"one |\"}");
    back(&mut harness);
    assert_eq!(marked(&harness), "{\"a\": \"|\"}");
    back(&mut harness);
    assert_eq!(marked(&harness), "{\"a\": \"|\"}");
    press(&mut harness, COMMAND_SHIFT, Key::Z);
    assert_eq!(marked(&harness), "{\"a\": \"one |\"}");
    press(&mut harness, Modifiers::COMMAND, Key::Y);
    assert_eq!(marked(&harness), "{\"a\": \"one two|\"}");
}

#[test]
fn what_the_hub_changed_stays_when_mine_is_taken_back() {
    let mut harness = in_auto();
    letters(&mut harness, "X");
    hub_has(&mut harness, 90, 7);
    assert!(text(&harness).contains("90") && text(&harness).contains("autoX"), "{}", text(&harness));
    assert_eq!(caret(&harness), (3, 17));
    back(&mut harness);
    assert!(text(&harness).contains("90") && text(&harness).contains("\"auto\""), "{}", text(&harness));
    assert_eq!(caret(&harness), (3, 16));
    back(&mut harness);
    assert!(text(&harness).contains("90"), "{}", text(&harness));
    press(&mut harness, Modifiers::COMMAND, Key::Y);
    assert!(text(&harness).contains("90") && text(&harness).contains("autoX"), "{}", text(&harness));
}

#[test]
fn nothing_is_taken_back_where_nothing_was_typed() {
    let mut harness = window(Scene::twin());
    hub_has(&mut harness, 90, 7);
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    back(&mut harness);
    assert!(text(&harness).contains("90"), "{}", text(&harness));
    assert!(!harness.state().app.tab(&module()).expect("a tab").is_dirty());
}

#[test]
fn a_save_leaves_the_steps() {
    let mut harness = in_auto();
    letters(&mut harness, "X");
    press(&mut harness, Modifiers::COMMAND, Key::S);
    let key = harness.state().key(|command| match command {
        Command::PatchTwin { key, .. } => Some(*key),
        _ => None,
    });
    let saved = twin_json(&module(), 60, 4).replace("\"auto\"", "\"autoX\"");
    harness.state_mut().answer(key, Outcome::Saved(parsed(&saved)));
    harness.run();
    assert!(!harness.state().app.tab(&module()).expect("a tab").is_dirty());
    back(&mut harness);
    assert!(text(&harness).contains("\"auto\""), "{}", text(&harness));
    assert!(harness.state().app.tab(&module()).expect("a tab").is_dirty(), "an edit again");
}

#[test]
fn a_change_reverted_or_discarded_comes_back() {
    for discard in [false, true] {
        let mut harness = in_auto();
        letters(&mut harness, "X");
        let edited = text(&harness);
        if discard {
            harness.state_mut().act(Action::DiscardNow(module()));
        } else {
            let change = harness.state().app.tab(&module()).and_then(|tab| tab.draft.clone()).expect("a draft");
            let change = change.section(Section::Desired).changes[0].clone();
            harness.state_mut().act(Action::RevertChange { id: module(), section: Section::Desired, change });
        }
        harness.run();
        assert!(!text(&harness).contains("autoX"));
        back(&mut harness);
        assert_eq!(text(&harness), edited, "discarded: {discard}");
    }
}

/// `telemetryInterval`'s value in the text.
fn interval(harness: &Harness<'_, Scene>) -> String {
    let text = text(harness);
    let (_, rest) = text.split_once("\"telemetryInterval\": ").expect("the key");
    rest.chars().take_while(char::is_ascii_digit).collect()
}

/// 50 typed for the 60 of the base, while the hub went to 90.
fn clash<'a>() -> Harness<'a, Scene> {
    let mut harness = in_auto();
    let edited = text(&harness).replace(": 60", ": 50");
    press(&mut harness, Modifiers::COMMAND, Key::A);
    super::paste(&mut harness, &edited);
    hub_has(&mut harness, 90, 7);
    assert_eq!(interval(&harness), "50");
    harness
}

#[track_caller]
fn assert_taken_back_to_theirs(mut harness: Harness<'_, Scene>) {
    harness.run();
    assert_eq!(interval(&harness), "50");
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    back(&mut harness);
    assert_eq!(interval(&harness), "90");
    press(&mut harness, Modifiers::COMMAND, Key::Y);
    assert_eq!(interval(&harness), "50");
}

#[test]
fn edits_rebased_over_a_clash_are_taken_back_to_theirs() {
    let mut harness = clash();
    harness.state_mut().act(Action::RebaseEdits(module()));
    assert_taken_back_to_theirs(harness);
}

#[test]
fn so_are_edits_saved_over_the_hubs_version() {
    for merged in [false, true] {
        let mut harness = clash();
        harness.state_mut().act(Action::ShowConflict(module()));
        harness.state_mut().act(Action::ChooseAll { id: module(), choice: Choice::Mine });
        let shown = harness.state().app.tab(&module()).and_then(Tab::shown).expect("a clash");
        let id = module();
        let action = if merged { Action::SaveMerged { id, shown } } else { Action::OverwriteHubVersion { id, shown } };
        harness.state_mut().act(action);
        let key = harness.state().key(|command| match command {
            Command::PatchTwin { key, .. } => Some(*key),
            _ => None,
        });
        harness.state_mut().answer(key, Outcome::Saved(parsed(&twin_json(&module(), 50, 8))));
        harness.run();
        assert!(!harness.state().app.tab(&module()).expect("a tab").is_dirty(), "merged: {merged}");
        assert_taken_back_to_theirs(harness);
    }
}

#[test]
fn a_discard_for_the_hubs_version_brings_mine_back_on_that_version() {
    let mut harness = in_auto();
    letters(&mut harness, "X");
    harness.state_mut().tell(Fact::TwinSeen { twin: parsed(&twin_json(&module(), 90, 7)), source: Source::Load });
    harness.state_mut().act(Action::DiscardNow(module()));
    harness.run();
    assert!(text(&harness).contains("\"auto\"") && interval(&harness) == "90", "{}", text(&harness));
    back(&mut harness);
    assert!(text(&harness).contains("autoX") && interval(&harness) == "90", "{}", text(&harness));
    back(&mut harness);
    assert!(text(&harness).contains("\"auto\"") && interval(&harness) == "90", "{}", text(&harness));
}

#[test]
fn a_document_is_typed_over_another_as_it_is() {
    let mut harness = in_auto();
    press(&mut harness, Modifiers::COMMAND, Key::A);
    let document = r#"{"y": [{"a":1}, [2, "]"]]}"#;
    letters(&mut harness, document);
    assert_eq!(text(&harness), document);
    press(&mut harness, Modifiers::COMMAND, Key::A);
    // All in one frame, as a fast typist or a slow machine has it.
    harness.input_mut().events.extend(document.chars().map(|letter| Event::Text(letter.to_string())));
    harness.run();
    assert_eq!(text(&harness), document);
}

#[test]
fn a_closed_tab_is_forgotten() {
    let mut harness = in_auto();
    letters(&mut harness, "X");
    harness.state_mut().act(Action::DiscardNow(module()));
    harness.state_mut().act(Action::CloseTab(module()));
    harness.run();
    harness.state_mut().open(&module(), &twin_json(&module(), 60, 3));
    harness.run();
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    back(&mut harness);
    assert!(text(&harness).contains("\"auto\""), "{}", text(&harness));
}

#[test]
fn the_other_section_keeps_its_own_steps() {
    let mut harness = in_auto();
    letters(&mut harness, "X");
    harness.state_mut().act(Action::ShowPane(module(), Pane::Tags));
    harness.run();
    find(&harness, Role::MultilineTextInput, "Tags JSON").focus();
    harness.run();
    back(&mut harness);
    harness.state_mut().act(Action::ShowPane(module(), Pane::Desired));
    harness.run();
    assert!(text(&harness).contains("autoX"));
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    back(&mut harness);
    assert!(text(&harness).contains("\"auto\""), "{}", text(&harness));
}

#[test]
fn the_palette_and_the_table_of_keys_have_both() {
    let mut harness = editing("{|}");
    letters(&mut harness, "a");
    for (command, expected) in [("undo", "{}"), ("redo", "{a}")] {
        press(&mut harness, Modifiers::COMMAND, Key::K);
        letters(&mut harness, command);
        press(&mut harness, Modifiers::NONE, Key::Enter);
        assert_eq!(text(&harness), expected, "{command}");
    }
    press(&mut harness, Modifiers::NONE, Key::F1);
    let said = super::labels(&harness);
    assert!(said.iter().any(|label| label == "Undo") && said.iter().any(|label| label == "Redo"), "{said:?}");
}
