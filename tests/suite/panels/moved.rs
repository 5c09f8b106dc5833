//! The hub has something newer: what is said, and what stays under the caret.

use super::scene::{Scene, module, parsed, twin_json};
use super::{find, is_disabled, try_find, window};
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use twinscope::app::Action;
use twinscope::app::tab::SaveState;
use twinscope::client::HubError;
use twinscope::query::ItemType;
use twinscope::twin::{Section, TwinId};
use twinscope::worker::event::{Outcome, Source};
use twinscope::worker::{Command, Fact, Failure};

fn says(harness: &Harness<'_, Scene>, text: &str) -> bool {
    harness.root().children_recursive().any(|node| {
        let node = node.accesskit_node();
        [node.label(), node.value()].into_iter().flatten().any(|said| said.contains(text))
    })
}

fn moved(interval: u32, version: u64) -> Fact {
    Fact::TwinSeen { twin: parsed(&twin_json(&module(), interval, version)), source: Source::Watch }
}

fn desired(harness: &Harness<'_, Scene>) -> String {
    find(harness, Role::MultilineTextInput, "Desired JSON").value().unwrap_or_default()
}

#[test]
fn the_text_under_the_caret_stands_still() {
    for by_button in [true, false] {
        let mut harness = window(Scene::twin());
        find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
        harness.run();
        let went_in = Action::Caret { id: module(), section: Some(Section::Desired) };
        assert_eq!(harness.state().actions.iter().filter(|action| **action == went_in).count(), 1);
        let before = desired(&harness);
        harness.state_mut().tell(moved(90, 7));
        harness.run();
        assert_eq!(desired(&harness), before);
        assert!(says(&harness, "The hub has a newer version of this text"));
        assert!(says(&harness, "1 path changed"));
        if by_button {
            find(&harness, Role::Button, "Show it").click();
        } else {
            find(&harness, Role::TextInput, "Search devices").focus();
        }
        harness.run();
        assert!(desired(&harness).contains("90"), "by button: {by_button}");
        assert!(try_find(&harness, Role::Button, "Show it").is_none());
        assert!(harness.state().actions.contains(&Action::Caret { id: module(), section: None }));
    }
}

#[test]
fn a_text_that_does_not_parse_is_not_compared() {
    let mut scene = Scene::twin();
    scene.act(Action::Edit { id: module(), section: Section::Desired, text: "{ \"a\": ".to_owned() });
    scene.tell(moved(90, 7));
    let mut harness = window(scene);
    assert!(says(&harness, "your text does not parse, so it cannot be compared yet; correct it first"));
    find(&harness, Role::Button, "Resolve…").click();
    harness.run();
    assert!(says(&harness, "Your text does not parse, so it cannot be compared yet"));
    assert!(is_disabled(&find(&harness, Role::Button, "Rebase my edits")));
    find(&harness, Role::Button, "Overwrite hub version");
}

#[test]
fn what_a_failed_save_said_can_be_put_away() {
    let mut scene = Scene::twin();
    let text = "{\"telemetryInterval\": 122}".to_owned();
    scene.act(Action::Edit { id: module(), section: Section::Desired, text: text.clone() });
    scene.act(Action::Save(module()));
    let key = scene.key(|command| match command {
        Command::PatchTwin { key, .. } => Some(*key),
        _ => None,
    });
    let failure = Failure::Local("the disk is full".to_owned());
    scene.fail(key, failure);
    let mut harness = window(scene);
    assert!(says(&harness, "Not saved just now: the disk is full"));
    find(&harness, Role::Button, "Dismiss").click();
    harness.run();
    assert_eq!(harness.state().app.tab(&module()).map(|tab| &tab.save), Some(&SaveState::Idle));
    assert_eq!(desired(&harness), text);
}

#[test]
fn deleting_a_device_says_which_edits_go_with_it() {
    let mut scene = Scene::twin();
    scene.act(Action::Edit { id: module(), section: Section::Desired, text: "{}".to_owned() });
    scene.act(Action::ShowDelete(TwinId::device("pump-07")));
    let mut harness = window(scene);
    assert!(!says(&harness, "that are not on the hub go too"));
    harness.state_mut().act(Action::CloseDialog);
    harness.state_mut().act(Action::ShowDelete(TwinId::device("myFirstDevice")));
    harness.run();
    assert!(says(&harness, "Edits of 1 open twin that are not on the hub go too."));
}

/// Runs a query as the field does and hands its key to the answer.
fn ask(scene: &mut Scene, text: &str) -> twinscope::worker::Key {
    scene.act(Action::RunQuery(text.to_owned()));
    scene.key(|command| match command {
        Command::Query { key, .. } => Some(*key),
        _ => None,
    })
}

#[test]
fn rows_of_a_query_show_their_columns() {
    let mut scene = Scene::fleet();
    let key = ask(&mut scene, "SELECT deviceId, tags.site AS site FROM devices");
    let rows = vec![
        serde_json::json!({ "deviceId": "pump-07", "site": "north", "line": 4 }),
        serde_json::json!({ "site": "south", "n": 2 }),
    ];
    scene.answer(key, Outcome::QueryRows { item_type: ItemType::Raw, rows, more: false, ms: 3 });
    let mut harness = window(scene);
    find(&harness, Role::Tab, "Query").click();
    harness.run();
    assert!(says(&harness, "site: south, n: 2, row 2"));
    let row = find(&harness, Role::ListItem, "pump-07  site: north, line: 4, row 1");
    row.click();
    harness.run_steps(3);
    assert!(harness.state().actions.contains(&Action::OpenTwin(TwinId::device("pump-07"))));

    harness.state_mut().act(Action::RunQuery("SELECT * FROM".to_owned()));
    harness.run_steps(3);
    assert!(!says(&harness, "row 2"), "an old answer under a new problem");
}

#[test]
fn a_failed_query_can_be_asked_again() {
    let mut scene = Scene::fleet();
    let text = "SELECT * FROM devices";
    let key = ask(&mut scene, text);
    let reason = "timed out".to_owned();
    let failure = Failure::Hub(HubError::Unreachable { host: "localhost:8443".to_owned(), reason });
    scene.fail(key, failure);
    let mut harness = window(scene);
    find(&harness, Role::Tab, "Query").click();
    harness.run();
    assert!(says(&harness, "localhost:8443 cannot be reached: timed out"));
    find(&harness, Role::Button, "Try again").click();
    harness.run_steps(3);
    assert!(harness.state().actions.contains(&Action::RunQuery(text.to_owned())));
}

/// Nobody says "not saved" of a save that may have been.
#[test]
fn a_save_without_an_end_is_not_called_failed() {
    for (landed, word) in [(None, "Perhaps saved"), (Some(false), "Not saved")] {
        let mut scene = Scene::twin();
        scene.act(Action::Edit { id: module(), section: Section::Desired, text: "{\"a\": 1}".to_owned() });
        scene.act(Action::Save(module()));
        let key = scene.key(|command| match command {
            Command::PatchTwin { key, .. } => Some(*key),
            _ => None,
        });
        let now = landed.map(|_| parsed(&twin_json(&module(), 60, 3)));
        scene.fail(key, Failure::Unknown { landed, now, reason: "cut off".to_owned() });
        let harness = window(scene);
        assert!(says(&harness, &format!("{word} just now: the answer never came")), "{word}");
        assert_eq!(says(&harness, "Not saved"), landed.is_some());
    }
}
