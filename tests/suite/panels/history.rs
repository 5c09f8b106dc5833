//! The section History: what a screen reader finds there, by mouse and by keyboard, with much room and with little.

use super::scene::{Scene, module, parsed, twin_json};
use super::{find, is_disabled, sized, try_find, window};
use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use std::sync::Arc;
use twinscope::app::Action;
use twinscope::app::history::HistoryAct;
use twinscope::app::tab::Pane;
use twinscope::disk::Journal;
use twinscope::disk::journal::{EntryKey, SavedPatch, Seen, Timeline};
use twinscope::twin::{Json, Section};
use twinscope::worker::event::Outcome;
use twinscope::worker::{Command, Failure};

const DAY_MS: u64 = 1_790_000_000_000;

/// Versions 1 (loaded), 2 (saved here) and 6 (seen by the watch), with three between that nobody saw; the twin is at 7.
fn journal() -> (tempfile::TempDir, Journal) {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    let twin = |interval, version| parsed(&twin_json(&module(), interval, version));
    let map = |json: Json| json.as_object().cloned().unwrap_or_default();
    let desired = |interval: u32| map(serde_json::json!({"properties": {"desired": {"telemetryInterval": interval}}}));
    let saved = SavedPatch { patch: desired(60), inverse: desired(30) };
    journal.record("local", &twin(30, 1), Seen::Load, DAY_MS, None).unwrap();
    journal.record("local", &twin(60, 2), Seen::Save, DAY_MS + 61_000, Some(&saved)).unwrap();
    journal.record("local", &twin(90, 6), Seen::Watch, DAY_MS + 3_600_000, None).unwrap();
    journal.record("local", &twin(60, 7), Seen::Event, DAY_MS + 3_700_000, None).unwrap();
    (dir, journal)
}

/// Answers what was asked of the journal, until nothing more is asked.
fn serve(scene: &mut Scene, journal: &Journal) {
    loop {
        let asked = scene
            .commands
            .iter()
            .position(|command| matches!(command, Command::LoadTimeline { .. } | Command::LoadVersions { .. }));
        let Some(at) = asked else { return };
        match scene.commands.remove(at) {
            Command::LoadTimeline { key, id } => {
                let timeline = journal.timeline("local", &id).unwrap();
                scene.answer(key, Outcome::Timeline(Arc::new(timeline)));
            }
            Command::LoadVersions { key, entries } => {
                let versions = entries.iter().map(|entry| journal.twin(entry).map(Arc::new)).collect();
                scene.answer(key, Outcome::Versions(versions));
            }
            other => panic!("{other:?}"),
        }
    }
}

fn scene(journal: &Journal) -> Scene {
    let mut scene = Scene::fleet();
    scene.open(&module(), &twin_json(&module(), 60, 7));
    scene.act(Action::ShowPane(module(), Pane::History));
    serve(&mut scene, journal);
    scene
}

/// With a version in detail.
pub(super) fn chosen() -> Scene {
    let (_dir, journal) = journal();
    let mut scene = scene(&journal);
    let key = EntryKey { version: 6, at_ms: DAY_MS + 3_600_000 };
    scene.act(Action::History { id: module(), act: HistoryAct::Choose(key) });
    serve(&mut scene, &journal);
    scene
}

fn settle(harness: &mut Harness<'_, Scene>, journal: &Journal) {
    harness.run();
    serve(harness.state_mut(), journal);
    harness.run();
}

fn says(harness: &Harness<'_, Scene>, text: &str) -> bool {
    harness.root().children_recursive().any(|node| {
        let node = node.accesskit_node();
        [node.label(), node.value()].into_iter().flatten().any(|said| said.contains(text))
    })
}

fn rows(harness: &Harness<'_, Scene>) -> Vec<String> {
    let mut rows: Vec<(f32, String)> = harness
        .root()
        .children_recursive()
        .filter(|node| matches!(node.accesskit_node().role(), Role::ListItem | Role::Label))
        .filter_map(|node| {
            let node_of = node.accesskit_node();
            // A label's text is its value.
            let label = node_of.label().or(node_of.value())?;
            let wanted = node.accesskit_node().role() == Role::ListItem && label.starts_with("Version")
                || label.ends_with("not seen");
            wanted.then(|| (node.rect().top(), label))
        })
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    rows.into_iter().map(|(_, row)| row).collect()
}

#[test]
fn versions_stand_newest_first_with_source_changes_and_what_was_not_seen() {
    let (_dir, journal) = journal();
    let harness = window(scene(&journal));
    assert_eq!(
        rows(&harness),
        [
            "Version 7, told by an event, 1 path changed, 2026-09-21 15:15:00 UTC",
            "Version 6, seen by the watch, 1 path changed, 2026-09-21 15:13:20 UTC",
            "3 versions not seen",
            "Version 2, saved here, 1 path changed, 2026-09-21 14:14:21 UTC",
            "Version 1, loaded, first one seen, 2026-09-21 14:13:20 UTC",
        ]
    );
}

#[test]
fn the_newest_version_is_chosen_until_another_is() {
    let (_dir, journal) = journal();
    let mut harness = window(scene(&journal));
    settle(&mut harness, &journal);
    let selected = |harness: &Harness<'_, Scene>, name: &str| {
        find(harness, Role::ListItem, name).accesskit_node().is_selected() == Some(true)
    };
    assert!(selected(&harness, "Version 7"));
    assert!(says(&harness, "Version 6 → version 7: 1 path"));
    // A newer one changes nothing under the eyes; opened again, it is the newest.
    let seen = |version: u64| {
        let twin = parsed(&twin_json(&module(), 70, version));
        journal.record("local", &twin, Seen::Watch, DAY_MS + version * 1_000_000, None).unwrap();
    };
    let reopen = |harness: &mut Harness<'_, Scene>| {
        for pane in [Pane::Desired, Pane::History] {
            harness.state_mut().act(Action::ShowPane(module(), pane));
            settle(harness, &journal);
        }
    };
    seen(8);
    harness.state_mut().act(Action::History { id: module(), act: HistoryAct::Load });
    settle(&mut harness, &journal);
    find(&harness, Role::ListItem, "Version 8");
    assert!(selected(&harness, "Version 7"));
    reopen(&mut harness);
    assert!(selected(&harness, "Version 8"));
    assert!(says(&harness, "Version 7 → version 8: "));
    // What the person chose stays.
    find(&harness, Role::ListItem, "Version 2").click();
    settle(&mut harness, &journal);
    seen(9);
    reopen(&mut harness);
    find(&harness, Role::ListItem, "Version 9");
    assert!(selected(&harness, "Version 2"));
}

#[test]
fn the_keyboard_walks_and_the_version_says_what_it_changed() {
    let (_dir, journal) = journal();
    let mut harness = window(scene(&journal));
    find(&harness, Role::ListItem, "Version 7").click();
    settle(&mut harness, &journal);
    harness.key_press(Key::ArrowDown);
    settle(&mut harness, &journal);
    let six = find(&harness, Role::ListItem, "Version 6");
    assert!(six.is_focused() && six.accesskit_node().is_selected() == Some(true));
    assert!(says(&harness, "Version 2 → version 6: 1 path"));
    assert!(says(&harness, "telemetryInterval changed: 60 → 90"));
    harness.key_press(Key::End);
    settle(&mut harness, &journal);
    assert!(says(&harness, "This is the first version seen"));
    harness.key_press(Key::Home);
    settle(&mut harness, &journal);
    assert!(find(&harness, Role::ListItem, "Version 7").is_focused());
    assert!(is_disabled(&find(&harness, Role::Button, "Revert to this version")), "the hub has this");
}

#[test]
fn the_whole_version_and_the_patch_can_be_read_and_copied() {
    let (_dir, journal) = journal();
    let mut harness = window(scene(&journal));
    find(&harness, Role::ListItem, "Version 2").click();
    settle(&mut harness, &journal);
    find(&harness, Role::Button, "Copy JSON").click();
    harness.step();
    let copied = harness.output().platform_output.commands.iter().any(
        |command| matches!(command, egui::OutputCommand::CopyText(text) if text.contains("\"telemetryInterval\": 60")),
    );
    assert!(copied);
    find(&harness, Role::Tab, "Whole version").click();
    harness.run();
    let text = find(&harness, Role::MultilineTextInput, "Version JSON").value().unwrap();
    assert!(text.contains("\"telemetryInterval\": 60") && text.contains("\"version\": 2"), "{text}");
    find(&harness, Role::Tab, "Saved patch").click();
    harness.run();
    let text = find(&harness, Role::MultilineTextInput, "Patch JSON").value().unwrap();
    assert!(text.contains("\"sent\"") && text.contains("\"takes it back\""), "{text}");
    // A version that no patch of ours led to has none to show.
    find(&harness, Role::ListItem, "Version 6").click();
    settle(&mut harness, &journal);
    assert!(try_find(&harness, Role::Tab, "Saved patch").is_none());
    assert!(says(&harness, "telemetryInterval changed: 60 → 90"));
}

#[test]
fn a_version_is_compared_with_any_other() {
    let (_dir, journal) = journal();
    let mut harness = window(scene(&journal));
    find(&harness, Role::ListItem, "Version 2").click();
    settle(&mut harness, &journal);
    find(&harness, Role::ComboBox, "Compare with, the one before, 1").click();
    harness.run();
    find(&harness, Role::Button, "Version 6").click();
    settle(&mut harness, &journal);
    assert!(says(&harness, "Version 2 → version 6: 1 path"));
    find(&harness, Role::ComboBox, "Compare with, version 6").click();
    harness.run();
    find(&harness, Role::Button, "Your draft").click();
    settle(&mut harness, &journal);
    assert!(says(&harness, "Version 2 → your draft: 0 paths"), "reported is no part of a draft");
}

#[test]
fn reverting_makes_a_draft_and_asks_when_there_are_edits() {
    let (_dir, journal) = journal();
    let mut state = scene(&journal);
    let text = "{\"telemetryInterval\": 5}".to_owned();
    state.act(Action::Edit { id: module(), section: Section::Desired, text });
    let mut harness = window(state);
    find(&harness, Role::ListItem, "Version 1").click();
    settle(&mut harness, &journal);
    find(&harness, Role::Button, "Revert to this version").click();
    harness.run();
    let keep = find(&harness, Role::Button, "Keep editing");
    assert!(keep.is_focused(), "the safe answer is the default");
    find(&harness, Role::Dialog, "Replace the edits?");
    find(&harness, Role::Button, "Replace the edits").click();
    harness.run();
    let editor = find(&harness, Role::MultilineTextInput, "Desired JSON").value().unwrap();
    assert!(editor.contains("\"telemetryInterval\": 30"), "{editor}");
    assert!(says(&harness, "telemetryInterval changed: 60 → 30"));
    assert!(!is_disabled(&find(&harness, Role::Button, "Save")));
    let sent = harness.state().commands.iter().any(|command| matches!(command, Command::PatchTwin { .. }));
    assert!(!sent, "nothing is sent before Save");
}

#[test]
fn empty_and_unreadable_histories_say_so() {
    let mut state = Scene::fleet();
    state.open(&module(), &twin_json(&module(), 60, 7));
    state.act(Action::ShowPane(module(), Pane::History));
    let key = state.key(|command| match command {
        Command::LoadTimeline { key, .. } => Some(*key),
        _ => None,
    });
    state.fail(key, Failure::Local("the journal in /data/journal cannot be read: permission denied".to_owned()));
    let mut harness = window(state);
    assert!(says(&harness, "The journal in /data/journal cannot be read"));
    find(&harness, Role::Button, "Copy details");
    find(&harness, Role::Button, "Try again").click();
    harness.run();
    let key = harness.state().key(|command| match command {
        Command::LoadTimeline { key, .. } => Some(*key),
        _ => None,
    });
    harness.state_mut().answer(key, Outcome::Timeline(Arc::new(Timeline::default())));
    harness.run();
    assert!(says(&harness, "No version was seen yet"));
    assert!(says(&harness, "for 90 days"));
}

#[test]
fn a_version_that_is_damaged_says_so_and_leaves_the_others() {
    let (dir, journal) = journal();
    let mut harness = window(scene(&journal));
    for folder in std::fs::read_dir(dir.path().join("objects")).unwrap() {
        for object in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let object = object.unwrap().path();
            if std::fs::read_to_string(&object).unwrap().contains("\"telemetryInterval\":90") {
                std::fs::write(object, "{}").unwrap();
            }
        }
    }
    find(&harness, Role::ListItem, "Version 6").click();
    settle(&mut harness, &journal);
    assert!(says(&harness, "is damaged"));
    assert!(is_disabled(&find(&harness, Role::Button, "Revert to this version")));
    find(&harness, Role::ListItem, "Version 2").click();
    settle(&mut harness, &journal);
    assert!(says(&harness, "telemetryInterval changed: 30 → 60"));
}

#[test]
fn with_little_room_the_version_takes_the_place_of_the_list() {
    let (_dir, journal) = journal();
    let mut harness = sized(scene(&journal), [450.0, 480.0]);
    find(&harness, Role::ListItem, "Version 2").click();
    settle(&mut harness, &journal);
    assert!(says(&harness, "telemetryInterval changed: 30 → 60"));
    assert!(try_find(&harness, Role::ListItem, "Version 2").is_none());
    find(&harness, Role::Button, "All versions").click();
    harness.run();
    find(&harness, Role::ListItem, "Version 2");
}
