//! *Compare with…*: this hub, another hub and the past, as a screen reader finds them; discarded drafts in History.

use super::scene::{Scene, module, parsed, twin_json};
use super::{find, is_disabled, try_find, window};
use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use std::sync::Arc;
use twinscope::app::Action;
use twinscope::app::compare::CompareAct;
use twinscope::app::sources::Source;
use twinscope::app::tab::Pane;
use twinscope::disk::journal::Seen;
use twinscope::disk::{Journal, KeptDraft};
use twinscope::twin::{Section, TwinId};
use twinscope::worker::event::{Outcome, PastTwin};
use twinscope::worker::{Command, Failure, HubRef};

const DAY_MS: u64 = 1_790_000_000_000;
const PLANT: &str = "plant-north.azure-devices.net";

fn says(harness: &Harness<'_, Scene>, text: &str) -> bool {
    harness.root().children_recursive().any(|node| {
        let node = node.accesskit_node();
        [node.label(), node.value()].into_iter().flatten().any(|said| said.contains(text))
    })
}

/// The module is open and it is asked what to compare it with.
pub(super) fn asked() -> Scene {
    let mut scene = Scene::fleet();
    scene.open(&module(), &twin_json(&module(), 60, 3));
    scene.act(Action::Compare { id: module(), act: CompareAct::Ask(None) });
    scene
}

fn pump() -> TwinId {
    TwinId::device("pump-07")
}

/// The same with what the journal has: a twin of the plant, and this one.
pub(super) fn past() -> Scene {
    let mut scene = asked();
    scene.act(Action::Compare { id: module(), act: CompareAct::From { source: Source::Past, version: None } });
    let key = scene.key(|command| match command {
        Command::ListPast { key } => Some(*key),
        _ => None,
    });
    let there = PastTwin { hub: Some(PLANT.to_owned()), hub_name: "Plant north".to_owned(), id: pump(), at_ms: DAY_MS };
    let here = PastTwin { hub: None, hub_name: String::new(), id: module(), at_ms: DAY_MS - 1000 };
    scene.answer(key, Outcome::Past(Arc::new(vec![there, here])));
    scene
}

fn type_on(harness: &mut Harness<'_, Scene>, text: &str) {
    harness.event(egui::Event::Text(text.to_owned()));
    harness.run();
}

fn press(harness: &mut Harness<'_, Scene>, key: Key) {
    harness.key_press(key);
    harness.run();
}

#[test]
fn a_twin_of_another_hub_is_chosen_by_keyboard_from_what_is_known_or_typed() {
    let mut harness = window(asked());
    find(&harness, Role::Dialog, "Compare with");
    find(&harness, Role::Tab, "Another hub").click();
    harness.run();
    find(&harness, Role::Dialog, "Compare with another hub");
    assert!(try_find(&harness, Role::ListItem, "Local hub").is_none(), "the open hub is no other hub");
    find(&harness, Role::ListItem, "Plant north");
    press(&mut harness, Key::Enter);
    assert!(says(&harness, "Plant north: that hub is asked once a twin is chosen"));
    let listed = harness.state().key(|command| match command {
        Command::ListPast { key } => Some(*key),
        _ => None,
    });
    let hub_name = "Plant north".to_owned();
    let seen = PastTwin { hub: Some(PLANT.to_owned()), hub_name, id: pump(), at_ms: DAY_MS };
    harness.state_mut().answer(listed, Outcome::Past(Arc::new(vec![seen])));
    harness.run();
    find(&harness, Role::ListItem, "pump-07");
    type_on(&mut harness, "hall/7");
    find(&harness, Role::ListItem, "hall/7, as typed");
    press(&mut harness, Key::Enter);
    assert!(harness.state().app.dialog.is_none());
    let asked = harness.state().commands.iter().rev().find_map(|command| match command {
        Command::ReadElsewhere { key, hub, id } => Some((*key, hub.clone(), id.to_string())),
        _ => None,
    });
    let (key, hub, id) = asked.expect("that hub is asked");
    assert_eq!((hub, id.as_str()), (HubRef::Saved("plant".to_owned()), "hall/7"));
    harness.state_mut().fail(key, Failure::Local("the cable is out".to_owned()));
    harness.run();
    assert!(says(&harness, "hall/7 at Plant north could not be read"));
    find(&harness, Role::Button, "Try again").click();
    harness.run();
    let again = harness.state().key(|command| match command {
        Command::ReadElsewhere { key, .. } => Some(*key),
        _ => None,
    });
    assert_ne!(again, key);
    harness.state_mut().answer(again, Outcome::Twin(parsed(&twin_json(&TwinId::module("hall", "7"), 90, 1))));
    harness.run();
    find(&harness, Role::ListItem, "telemetryInterval, differs");
    // Read again in vain, it stands as it was, and says so.
    find(&harness, Role::Button, "Read again").click();
    harness.run();
    let again = harness.state().key(|command| match command {
        Command::ReadElsewhere { key, .. } => Some(*key),
        _ => None,
    });
    harness.state_mut().fail(again, Failure::Local("the cable is out".to_owned()));
    harness.run();
    assert!(says(&harness, "hall/7 at Plant north is shown as it was read before: The cable is out"));
    find(&harness, Role::ListItem, "telemetryInterval, differs");
}

#[test]
fn the_past_of_any_twin_is_two_steps_away() {
    let mut harness = window(past());
    find(&harness, Role::Dialog, "Compare with the past of");
    find(&harness, Role::ListItem, "myFirstDevice/myFirstModule");
    type_on(&mut harness, "plant");
    assert!(try_find(&harness, Role::ListItem, "myFirstDevice/myFirstModule").is_none());
    find(&harness, Role::ListItem, "pump-07 at Plant north, last seen 2026-09-21 14:13:20 UTC");
    press(&mut harness, Key::Enter);
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    for (version, interval) in [(1, 30), (2, 90)] {
        let twin = parsed(&twin_json(&pump(), interval, version));
        journal.record(PLANT, &twin, Seen::Load, DAY_MS + version * 1000, None).unwrap();
    }
    let (key, hub) = harness
        .state()
        .commands
        .iter()
        .rev()
        .find_map(|command| match command {
            Command::LoadPast { key, hub, .. } => Some((*key, hub.clone())),
            _ => None,
        })
        .expect("the disk is asked");
    assert_eq!(hub.as_deref(), Some(PLANT));
    harness.state_mut().answer(key, Outcome::Timeline(Arc::new(journal.timeline(PLANT, &pump()).unwrap())));
    harness.run();
    assert!(says(&harness, "pump-07 at Plant north"));
    find(&harness, Role::ListItem, "Version 2, 2026-09-21 14:13:22 UTC");
    press(&mut harness, Key::ArrowDown);
    press(&mut harness, Key::Enter);
    let (key, version) = harness
        .state()
        .commands
        .iter()
        .rev()
        .find_map(|command| match command {
            Command::LoadPastVersion { key, version, .. } => Some((*key, version.version)),
            _ => None,
        })
        .expect("the version is read");
    assert_eq!(version, 1);
    harness.state_mut().answer(key, Outcome::Versions(vec![Ok(parsed(&twin_json(&pump(), 30, 1)))]));
    harness.run();
    assert!(says(&harness, "pump-07 at Plant north version 1"));
    find(&harness, Role::ListItem, "telemetryInterval, differs");
    assert!(try_find(&harness, Role::Button, "Read again").is_none(), "the past does not change");
}

#[test]
fn a_journal_that_cannot_be_read_says_so() {
    let mut scene = asked();
    let act = CompareAct::From { source: Source::Past, version: None };
    scene.act(Action::Compare { id: module(), act });
    let list = |scene: &Scene| {
        scene.key(|command| match command {
            Command::ListPast { key } => Some(*key),
            _ => None,
        })
    };
    let key = list(&scene);
    scene.fail(key, Failure::Local("The journal in /data cannot be read: permission denied".to_owned()));
    let mut harness = window(scene);
    assert!(says(&harness, "The journal in /data cannot be read"));
    find(&harness, Role::Button, "Try again").click();
    harness.run();
    let key = list(harness.state());
    harness.state_mut().answer(key, Outcome::Past(Arc::default()));
    harness.run();
    assert!(says(&harness, "Nothing was seen yet that fits"));
}

#[test]
fn a_twin_that_is_on_no_list_is_typed() {
    let mut harness = window(asked());
    type_on(&mut harness, "attic/sensor");
    find(&harness, Role::ListItem, "attic/sensor, as typed").click();
    harness.run();
    let id = harness.state().commands.iter().rev().find_map(|command| match command {
        Command::LoadTwin { id, .. } => Some(id.to_string()),
        _ => None,
    });
    assert_eq!(id.as_deref(), Some("attic/sensor"));
}

#[test]
fn the_draft_is_offered_beside_what_the_hub_has() {
    let mut scene = asked();
    let text = "{\"telemetryInterval\": 5}".to_owned();
    scene.act(Action::Edit { id: module(), section: Section::Desired, text });
    let mut harness = window(scene);
    find(&harness, Role::ListItem, "myFirstDevice/myFirstModule on the hub").click();
    harness.run();
    find(&harness, Role::ListItem, "telemetryInterval, differs");
    assert!(says(&harness, "myFirstDevice/myFirstModule as edited"));
}

/// History with a version, a draft that was discarded and one that does not parse.
fn history() -> (tempfile::TempDir, Journal, Scene) {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    let base = parsed(&twin_json(&module(), 60, 7));
    journal.record("local", &base, Seen::Load, DAY_MS, None).unwrap();
    for (n, text) in [(1, "{\n  \"telemetryInterval\": 5\n}"), (2, "{ \"half\"")] {
        let draft = KeptDraft {
            hub: "local".to_owned(),
            base: base.clone(),
            desired: Some(text.to_owned()),
            tags: None,
            report: None,
            at_ms: DAY_MS + n * 1000,
        };
        journal.record_discarded("local", &draft).unwrap();
    }
    let mut scene = Scene::fleet();
    scene.open(&module(), &twin_json(&module(), 60, 7));
    scene.act(Action::ShowPane(module(), Pane::History));
    serve(&mut scene, &journal);
    (dir, journal, scene)
}

/// With the discarded draft in detail.
pub(super) fn discarded() -> Scene {
    let (_dir, journal, mut scene) = history();
    let key = twinscope::disk::journal::EntryKey { version: 7, at_ms: DAY_MS + 1000 };
    let act = twinscope::app::history::HistoryAct::Choose(key);
    scene.act(Action::History { id: module(), act });
    serve(&mut scene, &journal);
    scene
}

/// Does what the worker would.
fn serve(scene: &mut Scene, journal: &Journal) {
    let twin = |entry: &_| journal.twin(entry).map(Arc::new);
    while let Some(at) = scene.commands.iter().position(|command| {
        matches!(command, Command::LoadTimeline { .. } | Command::LoadVersions { .. } | Command::LoadDiscarded { .. })
    }) {
        match scene.commands.remove(at) {
            Command::LoadTimeline { key, id } => {
                let timeline = journal.timeline("local", &id).unwrap();
                scene.answer(key, Outcome::Timeline(Arc::new(timeline)));
            }
            Command::LoadVersions { key, entries } => {
                scene.answer(key, Outcome::Versions(entries.iter().map(twin).collect()));
            }
            Command::LoadDiscarded { key, entry, other } => {
                let draft = Box::new(journal.discarded(&entry).unwrap());
                scene.answer(key, Outcome::Discarded { draft, other: other.map(|other| twin(&other)) });
            }
            other => panic!("{other:?}"),
        }
    }
}

fn settle(harness: &mut Harness<'_, Scene>, journal: &Journal) {
    harness.run();
    serve(harness.state_mut(), journal);
    harness.run();
}

#[test]
fn a_discarded_draft_stands_in_history_and_is_brought_back() {
    let (_dir, journal, scene) = history();
    let mut harness = window(scene);
    find(&harness, Role::ListItem, "Discarded draft of version 7, discarded here, does not parse");
    find(&harness, Role::ListItem, "Discarded draft of version 7, discarded here, 3 paths changed").click();
    settle(&mut harness, &journal);
    assert!(says(&harness, "Version 7 → discarded draft: 3 paths"));
    assert!(says(&harness, "telemetryInterval changed: 60 → 5"));
    find(&harness, Role::Tab, "What was typed").click();
    harness.run();
    let text = find(&harness, Role::MultilineTextInput, "Discarded text").value().unwrap();
    assert_eq!(text, "{\n  \"telemetryInterval\": 5\n}");
    find(&harness, Role::Button, "Bring back as draft").click();
    harness.run();
    let editor = find(&harness, Role::MultilineTextInput, "Desired JSON").value().unwrap();
    assert_eq!(editor, text);
    let sent = harness.state().commands.iter().any(|command| matches!(command, Command::PatchTwin { .. }));
    assert!(!sent, "nothing is sent before Save");
}

#[test]
fn one_that_does_not_parse_is_read_and_brought_back_all_the_same() {
    let (_dir, journal, mut scene) = history();
    let text = "{\"telemetryInterval\": 8}".to_owned();
    scene.act(Action::Edit { id: module(), section: Section::Desired, text });
    let mut harness = window(scene);
    find(&harness, Role::ListItem, "Discarded draft of version 7, discarded here, does not parse").click();
    settle(&mut harness, &journal);
    assert!(says(&harness, "does not parse, so it cannot be compared"));
    find(&harness, Role::Tab, "What was typed").click();
    harness.run();
    assert_eq!(find(&harness, Role::MultilineTextInput, "Discarded text").value().as_deref(), Some("{ \"half\""));
    let bring = find(&harness, Role::Button, "Bring back as draft");
    assert!(!is_disabled(&bring));
    bring.click();
    harness.run();
    find(&harness, Role::Dialog, "Replace the edits?");
    assert!(says(&harness, "go to its history as a discarded draft, and the discarded draft takes their place"));
    find(&harness, Role::Button, "Replace the edits").click();
    harness.run();
    assert_eq!(find(&harness, Role::MultilineTextInput, "Desired JSON").value().as_deref(), Some("{ \"half\""));
    let kept = harness.state().commands.iter().any(|command| matches!(command, Command::KeepDiscarded { .. }));
    assert!(kept, "what stood there is not lost");
}
