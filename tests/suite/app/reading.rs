//! A large text is read in the background, and nothing acts on what it was.

use super::{Desk, parse, twin};
use serde_json::{Value, json};
use twinscope::app::tab::SaveState;
use twinscope::app::tree::Face;
use twinscope::app::{Action, Dialog};
use twinscope::twin::draft::{AT_ONCE_MAX, Draft, Reading, SectionDraft};
use twinscope::twin::{Section, TwinId};
use twinscope::worker::event::{Outcome, Source};
use twinscope::worker::{Command, Fact, Failure, Key};

/// Large enough to be read elsewhere.
fn large(members: &str) -> String {
    format!("{{{}{members}}}", " ".repeat(AT_ONCE_MAX))
}

fn desk() -> (Desk, TwinId) {
    Desk::with_twin(twin("E1", 2, json!({"a": 1, "b": 1}), json!({})))
}

fn type_members(desk: &mut Desk, id: &TwinId, members: &str) -> Vec<Command> {
    desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text: large(members) })
}

fn desired<'d>(desk: &'d Desk, id: &TwinId) -> &'d SectionDraft {
    &desk.app.tab(id).unwrap().draft.as_ref().unwrap().desired
}

#[track_caller]
fn reading(commands: Vec<Command>) -> (Key, Reading) {
    match <[Command; 1]>::try_from(commands) {
        Ok([Command::ReadText { key, reading }]) => (key, *reading),
        other => panic!("expected one reading, got {other:?}"),
    }
}

fn answer(desk: &mut Desk, (key, reading): (Key, Reading)) -> Vec<Command> {
    desk.done(key, Ok(Outcome::TextRead(Box::new(reading.read()))))
}

/// What a save sends for desired.
#[track_caller]
fn sent(commands: &[Command]) -> Value {
    match commands {
        [Command::PatchTwin { body, .. } | Command::ReplaceTwin { body, .. }] => body["properties"]["desired"].clone(),
        other => panic!("expected a save, got {other:?}"),
    }
}

#[test]
fn one_reading_at_a_time_and_then_one_of_the_newest_text() {
    let (mut desk, id) = desk();
    let first = reading(type_members(&mut desk, &id, r#""a": 2, "b": 1"#));
    assert!(desired(&desk, &id).pending && desired(&desk, &id).edited);
    assert!(desk.app.tab(&id).unwrap().is_dirty());
    for members in [r#""a": 3, "b": 1"#, r#""a": 4, "b": 1"#] {
        assert_eq!(type_members(&mut desk, &id, members), []);
    }
    let second = reading(answer(&mut desk, first.clone()));
    assert!(desired(&desk, &id).pending && desired(&desk, &id).changes.is_empty(), "the answer was of an older text");
    assert_eq!(second.1.clone().read().text, large(r#""a": 4, "b": 1"#));
    assert_eq!(answer(&mut desk, second.clone()), []);
    let mut exact = Draft::new(desk.app.tab(&id).unwrap().draft.as_ref().unwrap().base.clone());
    exact.set_text(Section::Desired, large(r#""a": 4, "b": 1"#));
    assert_eq!(*desired(&desk, &id), exact.desired);
    // Nobody waits for these any more.
    for late in [first, second] {
        assert_eq!(answer(&mut desk, late), []);
        assert_eq!(*desired(&desk, &id), exact.desired);
    }
}

#[test]
fn both_texts_are_read_side_by_side() {
    let (mut desk, id) = desk();
    let one = reading(type_members(&mut desk, &id, r#""a": 2"#));
    let tags = Action::Edit { id: id.clone(), section: Section::Tags, text: large(r#""site": "B""#) };
    let other = reading(desk.act(tags));
    assert_ne!(one.0, other.0);
    assert_eq!(answer(&mut desk, other), []);
    assert!(desired(&desk, &id).pending);
    assert_eq!(answer(&mut desk, one), []);
    assert!(!desk.app.tab(&id).unwrap().draft.as_ref().unwrap().is_pending());
}

#[test]
fn a_save_at_once_sends_the_newest_text() {
    let (mut desk, id) = desk();
    let first = reading(type_members(&mut desk, &id, r#""a": 2, "b": 1"#));
    type_members(&mut desk, &id, r#""a": 3, "b": 1"#);
    let commands = desk.act(Action::Save(id.clone()));
    assert_eq!(sent(&commands), json!({"a": 3}));
    // The answer comes after all.
    assert_eq!(answer(&mut desk, first), []);
    assert_eq!(desired(&desk, &id).changes.len(), 1);
    let [Command::PatchTwin { key, .. }] = commands[..] else { unreachable!("it was looked at") };
    // Typed before the save is answered: neither lost nor taken for saved.
    type_members(&mut desk, &id, r#""a": 3, "b": 7"#);
    desk.done(key, Ok(Outcome::Saved(parse(twin("E2", 3, json!({"a": 3, "b": 1}), json!({}))))));
    assert_eq!(sent(&desk.act(Action::Save(id.clone()))), json!({"b": 7}));
}

#[test]
fn what_stood_there_before_neither_lets_a_bad_text_through_nor_holds_a_good_one_up() {
    let (mut desk, id) = desk();
    let good = reading(type_members(&mut desk, &id, r#""a": 2, "b": 1"#));
    answer(&mut desk, good);
    let bad = reading(type_members(&mut desk, &id, r#""a": 2, "b": "#));
    assert!(desired(&desk, &id).problems.is_empty(), "the last known");
    assert_eq!(desk.act(Action::Save(id.clone())), []);
    let SaveState::Refused { why } = &desk.app.tab(&id).unwrap().save else { panic!("it was not refused") };
    assert!(why.contains("line 1"), "{why}");
    answer(&mut desk, bad);
    type_members(&mut desk, &id, r#""a": 5, "b": 1"#);
    assert!(!desired(&desk, &id).problems.is_empty(), "the last known");
    assert_eq!(sent(&desk.act(Action::Save(id.clone()))), json!({"a": 5}));
}

#[test]
fn whatever_acts_on_a_text_reads_it_first() {
    let base = || json!({"a": 1, "b": 1});
    let acts: Vec<fn(&TwinId) -> Action> = vec![
        |id| Action::Save(id.clone()),
        |id| Action::ShowReplace(id.clone()),
        |id| Action::Discard(id.clone()),
        |id| Action::CloseTab(id.clone()),
        |id| Action::ShowFace(id.clone(), Face::Tree),
        |id| Action::Caret { id: id.clone(), section: None },
        |id| Action::ShowConflict(id.clone()),
        |id| Action::Refresh(id.clone()),
        |_| Action::Quit,
        |_| Action::ShowPalette,
    ];
    for act in acts {
        let (mut desk, id) = desk();
        type_members(&mut desk, &id, r#""a": 2, "b": 1"#);
        desk.act(act(&id));
        assert!(!desired(&desk, &id).pending, "{:?}", act(&id));
        assert_eq!(desired(&desk, &id).changes.len(), 1, "{:?}", act(&id));
    }
    // White space alone is no edit that a question would be asked about.
    let (mut desk, id) = desk();
    type_members(&mut desk, &id, r#""a": 1, "b": 1"#);
    desk.act(Action::CloseTab(id.clone()));
    assert!(desk.app.dialog.is_none() && desk.app.tab(&id).is_none());
    let (mut desk, id) = self::desk();
    type_members(&mut desk, &id, r#""a": 1"#);
    desk.act(Action::CloseTab(id.clone()));
    assert!(matches!(desk.app.dialog, Some(Dialog::CloseTab { .. })));
    // News of the twin as well; those of requests have nothing to do with it.
    let (mut desk, id) = self::desk();
    type_members(&mut desk, &id, r#""a": 1"#);
    desk.fact(Fact::Requests(Vec::new()));
    assert!(desired(&desk, &id).pending);
    desk.fact(Fact::TwinSeen { twin: parse(twin("E2", 3, base(), json!({"r": 1}))), source: Source::Watch });
    assert!(!desired(&desk, &id).pending);
}

#[test]
fn a_reading_that_broke_is_done_here() {
    let (mut desk, id) = desk();
    let (key, _) = reading(type_members(&mut desk, &id, r#""a": 2, "b": 1"#));
    assert_eq!(desk.done(key, Err(Failure::Panicked("out of luck".to_owned()))), []);
    assert!(!desired(&desk, &id).pending);
    assert_eq!(desired(&desk, &id).changes.len(), 1);
}

#[test]
fn a_small_text_and_an_act_in_the_tree_are_read_at_once() {
    let (mut desk, id) = desk();
    let small = Action::Edit { id: id.clone(), section: Section::Desired, text: r#"{"a": 2}"#.to_owned() };
    assert_eq!(desk.act(small), []);
    assert!(!desired(&desk, &id).pending);
    desk.act(Action::ShowFace(id.clone(), Face::Tree));
    assert_eq!(type_members(&mut desk, &id, r#""a": 5, "b": 1"#), []);
    assert!(!desired(&desk, &id).pending);
    assert_eq!(desired(&desk, &id).changes.len(), 1);
}

#[test]
fn an_answer_for_a_tab_that_was_closed_is_not_taken_by_the_next_one() {
    let (mut desk, id) = desk();
    let old = reading(type_members(&mut desk, &id, r#""a": 2, "b": 1"#));
    desk.act(Action::CloseTabAndDiscard(id.clone()));
    let commands = desk.act(Action::OpenTwin(id.clone()));
    let moved = parse(twin("E5", 5, json!({"a": 9, "b": 9}), json!({})));
    desk.done(super::load_key(&commands), Ok(Outcome::Twin(moved)));
    // The same text against another base: what changed is another thing. The old answer is waited for, and not taken.
    assert_eq!(type_members(&mut desk, &id, r#""a": 2, "b": 1"#), []);
    let newest = reading(answer(&mut desk, old));
    assert!(desired(&desk, &id).pending);
    assert_eq!(answer(&mut desk, newest), []);
    assert_eq!(desired(&desk, &id).changes.len(), 2);
}

#[test]
fn others_changes_come_in_only_where_the_text_is_known() {
    let (mut desk, id) = desk();
    let first = reading(type_members(&mut desk, &id, r#""a": 2, "b": 1"#));
    answer(&mut desk, first);
    desk.act(Action::Caret { id: id.clone(), section: Some(Section::Desired) });
    let theirs = parse(twin("E2", 3, json!({"a": 1, "b": 8}), json!({})));
    desk.fact(Fact::TwinSeen { twin: theirs, source: Source::Watch });
    assert!(desk.app.tab(&id).unwrap().to_follow().is_some());
    let newest = reading(type_members(&mut desk, &id, r#""a": 22, "b": 1"#));
    assert!(desk.app.tab(&id).unwrap().to_follow().is_none(), "its places are those of the text before");
    assert!(desk.app.tab(&id).unwrap().marks.iter().all(|mark| mark.line == 1));
    answer(&mut desk, newest);
    assert!(desk.app.tab(&id).unwrap().to_follow().is_some());
    let shown = desk.app.tab(&id).unwrap().shown().unwrap();
    desk.act(Action::FollowHub { id: id.clone(), shown });
    assert_eq!(desk.text(&id), large(r#""a": 22, "b": 8"#));
}
