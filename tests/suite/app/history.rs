//! The history of a twin: read when it is looked at, compared, and brought back only as a draft.

use super::{Desk, parse, twin};
use serde_json::json;
use std::sync::Arc;
use twinscope::app::Action;
use twinscope::app::dialog::Dialog;
use twinscope::app::history::{Against, Comparison, HistoryAct};
use twinscope::app::tab::{Pane, SaveState};
use twinscope::disk::Journal;
use twinscope::disk::journal::{EntryKey, Seen};
use twinscope::twin::{Section, Twin, TwinId};
use twinscope::worker::command::Guard;
use twinscope::worker::event::{Outcome, Source};
use twinscope::worker::{Command, Fact};

/// A tab at version 3 with the journal of its three versions, answered from the disk.
struct Past {
    desk: Desk,
    id: TwinId,
    journal: Journal,
    _dir: tempfile::TempDir,
}

fn version(version: u64, interval: u64) -> Arc<Twin> {
    parse(twin(&format!("e{version}"), version, json!({"interval": interval, "mode": "auto"}), json!({"interval": 60})))
}

impl Past {
    fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(dir.path());
        for (number, interval) in [(1, 60), (2, 90), (3, 120)] {
            journal.record("local", &version(number, interval), Seen::Load, number * 1000, None).unwrap();
        }
        let (desk, id) =
            Desk::with_twin(twin("e3", 3, json!({"interval": 120, "mode": "auto"}), json!({"interval": 60})));
        let mut past = Self { desk, id, journal, _dir: dir };
        past.act(Action::ShowPane(past.id.clone(), Pane::History));
        past
    }

    /// Does what the worker would, until nothing is asked for any more. The commands that are not the journal's.
    fn act(&mut self, action: Action) -> Vec<Command> {
        let commands = self.desk.act(action);
        self.answer(commands)
    }

    fn history(&mut self, act: HistoryAct) -> Vec<Command> {
        self.act(Action::History { id: self.id.clone(), act })
    }

    fn answer(&mut self, commands: Vec<Command>) -> Vec<Command> {
        let mut rest = Vec::new();
        for command in commands {
            let (key, outcome) = match command {
                Command::LoadTimeline { key, id } => {
                    (key, Outcome::Timeline(Arc::new(self.journal.timeline("local", &id).unwrap())))
                }
                Command::LoadVersions { key, entries } => {
                    let versions = entries.iter().map(|entry| self.journal.twin(entry).map(Arc::new)).collect();
                    (key, Outcome::Versions(versions))
                }
                other => {
                    rest.push(other);
                    continue;
                }
            };
            let more = self.desk.done(key, Ok(outcome));
            rest.extend(self.answer(more));
        }
        rest
    }

    fn tab(&self) -> &twinscope::app::Tab {
        self.desk.app.tab(&self.id).unwrap()
    }

    fn compared(&self) -> (String, Vec<String>) {
        match &self.tab().history.shown.value().expect("a version is shown").comparison {
            Comparison::Changes { title, changes } => (
                title.clone(),
                changes.iter().map(|(section, change)| format!("{} {}", section.word(), change.path)).collect(),
            ),
            other => (format!("{other:?}"), Vec::new()),
        }
    }
}

fn key(version: u64) -> EntryKey {
    EntryKey { version, at_ms: version * 1000 }
}

#[test]
fn the_section_reads_the_journal_and_follows_what_is_seen() {
    let mut past = Past::open();
    assert_eq!(past.tab().history.timeline.value().unwrap().entries.len(), 3);
    let now = past.desk.now;
    assert!(past.desk.app.tick(now).commands.iter().all(|command| !matches!(command, Command::LoadTimeline { .. })));
    past.journal.record("local", &version(4, 121), Seen::Watch, 4000, None).unwrap();
    past.desk.fact(Fact::TwinSeen { twin: version(4, 121), source: Source::Watch });
    let commands = past.desk.app.tick(now).commands;
    assert!(commands.iter().any(|command| matches!(command, Command::LoadTimeline { .. })));
    // Asked once, however often the clock ticks.
    assert!(past.desk.app.tick(now).commands.iter().all(|command| !matches!(command, Command::LoadTimeline { .. })));
    past.answer(commands);
    assert_eq!(past.tab().history.timeline.value().unwrap().entries.len(), 4);
}

#[test]
fn a_version_compares_with_the_one_before_with_any_other_and_with_the_draft() {
    let mut past = Past::open();
    past.history(HistoryAct::Choose(key(2)));
    assert_eq!(past.compared(), ("Version 1 → version 2".to_owned(), vec!["desired interval".to_owned()]));
    past.history(HistoryAct::Compare(Against::Version(key(3))));
    // From the older to the newer, whichever was chosen first.
    assert_eq!(past.compared().0, "Version 2 → version 3");
    past.history(HistoryAct::Choose(key(3)));
    past.history(HistoryAct::Compare(Against::Version(key(1))));
    assert_eq!(past.compared().0, "Version 1 → version 3");
    let text = r#"{"interval": 120, "mode": "eco"}"#.to_owned();
    past.act(Action::Edit { id: past.id.clone(), section: Section::Desired, text });
    past.history(HistoryAct::Compare(Against::Draft));
    assert_eq!(past.compared(), ("Version 3 → your draft".to_owned(), vec!["desired mode".to_owned()]));
    // What was typed on since shows when the pane is looked at again.
    let text = "{ half".to_owned();
    past.act(Action::Edit { id: past.id.clone(), section: Section::Desired, text });
    past.act(Action::ShowPane(past.id.clone(), Pane::History));
    assert!(past.compared().0.contains("does not parse"), "{:?}", past.compared());
    past.history(HistoryAct::Compare(Against::Previous));
    past.history(HistoryAct::Choose(key(1)));
    assert_eq!(past.compared().0, "NothingBefore");
}

#[test]
fn a_version_comes_back_as_a_draft_that_is_saved_with_the_etag_of_now() {
    let mut past = Past::open();
    past.history(HistoryAct::Choose(key(1)));
    let sent = past.history(HistoryAct::Revert(key(1)));
    assert_eq!(sent, [], "nothing goes to the hub");
    let tab = past.tab();
    assert!(tab.is_dirty());
    assert_eq!(tab.pane, Pane::Desired);
    assert_eq!(tab.save, SaveState::Idle);
    let sent = past.act(Action::Save(past.id.clone()));
    let [Command::PatchTwin { body, guard, .. }] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(serde_json::Value::Object(body.clone()), json!({"properties": {"desired": {"interval": 60}}}));
    assert_eq!(*guard, Guard::Etag(version(3, 120).etag.clone()));
}

#[test]
fn edits_are_asked_about_before_a_version_replaces_them() {
    let mut past = Past::open();
    let mine = r#"{"interval": 7}"#;
    past.act(Action::Edit { id: past.id.clone(), section: Section::Desired, text: mine.to_owned() });
    past.history(HistoryAct::Choose(key(2)));
    past.history(HistoryAct::Revert(key(2)));
    assert_eq!(past.desk.app.dialog, Some(Dialog::Revert { id: past.id.clone(), version: key(2) }));
    assert_eq!(past.desk.text(&past.id), mine);
    past.act(Action::CloseDialog);
    assert_eq!(past.desk.text(&past.id), mine);
    past.history(HistoryAct::RevertNow(key(2)));
    let text: serde_json::Value = serde_json::from_str(past.desk.text(&past.id)).unwrap();
    assert_eq!(text, json!({"interval": 90, "mode": "auto"}));
    assert_eq!(past.desk.app.dialog, None);
}

#[test]
fn what_the_hub_has_now_is_no_version_to_revert_to() {
    let mut past = Past::open();
    past.history(HistoryAct::Choose(key(3)));
    past.history(HistoryAct::Revert(key(3)));
    assert!(!past.tab().is_dirty());
    assert!(past.tab().revert_refusal(&version(3, 120)).is_some());
    assert!(past.tab().revert_refusal(&version(1, 60)).is_none());
}

#[test]
fn a_late_answer_to_another_choice_is_dropped() {
    let mut past = Past::open();
    let id = past.id.clone();
    let act = |act| Action::History { id: id.clone(), act };
    let first = past.desk.act(act(HistoryAct::Choose(key(1))));
    let second = past.desk.act(act(HistoryAct::Choose(key(2))));
    past.answer(second);
    past.answer(first);
    assert_eq!(past.tab().history.shown.value().unwrap().key, key(2));
    // Left, it is gone; and a version that was pruned meanwhile goes by itself.
    past.history(HistoryAct::Leave);
    assert_eq!(past.tab().history.chosen, None);
    past.history(HistoryAct::Choose(key(1)));
    past.journal.prune(twinscope::disk::journal::Limits { bytes: 0, age_ms: 0 }, 9000).unwrap();
    past.history(HistoryAct::Load);
    assert_eq!(past.tab().history.chosen, None);
    assert!(matches!(past.tab().history.shown, twinscope::app::Remote::Idle));
}

/// What others changed had come into the text by itself; another text has nothing of it.
#[test]
fn nothing_that_was_said_of_the_text_before_is_said_of_the_one_that_takes_its_place() {
    let mut past = Past::open();
    let edited = r#"{"interval": 120, "mode": "eco"}"#.to_owned();
    past.act(Action::Edit { id: past.id.clone(), section: Section::Desired, text: edited });
    let theirs = parse(twin("e4", 4, json!({"interval": 150, "mode": "auto", "zz": 1}), json!({"interval": 60})));
    past.journal.record("local", &theirs, Seen::Watch, 4000, None).unwrap();
    past.desk.fact(Fact::TwinSeen { twin: theirs, source: Source::Watch });
    let shown = past.tab().shown().expect("the hub moved");
    past.act(Action::FollowHub { id: past.id.clone(), shown });
    assert_eq!(past.tab().followed.as_ref().unwrap().there.len(), 2);
    assert_eq!(past.tab().marks.len(), 2);
    past.act(Action::ShowPane(past.id.clone(), Pane::History));
    past.history(HistoryAct::Choose(key(3)));
    past.history(HistoryAct::RevertNow(key(3)));
    let tab = past.tab();
    assert!(!past.desk.text(&past.id).contains("zz"));
    assert_eq!((tab.followed.as_ref(), tab.marks.as_slice(), tab.moved.as_ref()), (None, [].as_slice(), None));
}
