//! A twin beside others: what is read for it, what is taken over, and that nothing of it goes to the hub by itself.

use super::{Desk, load_key, parse, twin};
use serde_json::{Value, json};
use std::sync::Arc;
use twinscope::app::compare::{CompareAct, Face, OWN, Other, SIDES_MAX, Stand};
use twinscope::app::dialog::Dialog;
use twinscope::app::sources::Source;
use twinscope::app::tab::Pane;
use twinscope::app::{Action, Tab};
use twinscope::disk::Journal;
use twinscope::disk::journal::{EntryKey, Seen};
use twinscope::twin::diff::{Change, diff};
use twinscope::twin::{Section, Twin, TwinId};
use twinscope::worker::command::Guard;
use twinscope::worker::event::{self, Outcome};
use twinscope::worker::{Command, Fact, Failure};

pub(super) fn other() -> TwinId {
    TwinId::device("other")
}

pub(super) fn other_twin(etag: &str, version: u64, desired: Value) -> Arc<Twin> {
    let mut body = twin(etag, version, desired, json!({"interval": 7}));
    body["deviceId"] = json!("other");
    body.as_object_mut().unwrap().remove("moduleId");
    parse(body)
}

/// A twin with `interval` and `mode`.
pub(super) fn desk() -> (Desk, TwinId) {
    Desk::with_twin(twin("e1", 1, json!({"interval": 60, "mode": "auto"}), json!({"interval": 60})))
}

pub(super) fn compare(desk: &mut Desk, id: &TwinId, act: CompareAct) -> Vec<Command> {
    desk.act(Action::Compare { id: id.clone(), act })
}

pub(super) fn with(desk: &mut Desk, id: &TwinId, other: TwinId) -> Vec<Command> {
    compare(desk, id, CompareAct::With { other: Other::Twin(other), version: None })
}

/// Beside `other`, which has another interval, no mode and `limits`.
fn compared() -> (Desk, TwinId) {
    let (mut desk, id) = desk();
    let commands = with(&mut desk, &id, other());
    let key = load_key(&commands);
    let body = json!({"interval": 90, "limits": {"low": 1}});
    desk.done(key, Ok(Outcome::Twin(other_twin("o1", 5, body))));
    (desk, id)
}

pub(super) fn tab<'a>(desk: &'a Desk, id: &TwinId) -> &'a Tab {
    desk.app.tab(id).unwrap()
}

pub(super) fn differences(desk: &Desk, id: &TwinId) -> Vec<Change> {
    let tab = tab(desk, id);
    let document = |number| desk.app.stand(tab, number).document().expect("a side is there");
    diff(document(tab.compare.left), document(tab.compare.right))
}

pub(super) fn paths(desk: &Desk, id: &TwinId) -> Vec<String> {
    differences(desk, id).iter().map(|change| change.path.to_string()).collect()
}

pub(super) fn draft(desk: &Desk, id: &TwinId) -> Value {
    serde_json::from_str(desk.text(id)).unwrap()
}

#[test]
fn the_other_twin_is_read_and_stands_on_the_left() {
    let (desk, id) = compared();
    let tab = tab(&desk, &id);
    assert_eq!(tab.pane, Pane::Compare);
    assert_eq!((tab.compare.left, tab.compare.right), (1, OWN));
    assert_eq!(tab.side_name(1), "other");
    assert_eq!(paths(&desk, &id), ["interval", "limits", "mode"]);
    assert!(desk.app.tab(&other()).is_none(), "no tab is opened for it");
}

#[test]
fn one_difference_is_taken_into_the_draft_and_saved_with_the_etag() {
    let (mut desk, id) = compared();
    let limits = differences(&desk, &id).remove(1);
    let sent = compare(&mut desk, &id, CompareAct::Take(vec![limits]));
    assert_eq!(sent, [], "nothing goes to the hub");
    assert_eq!(draft(&desk, &id), json!({"interval": 60, "mode": "auto", "limits": {"low": 1}}));
    assert_eq!(paths(&desk, &id), ["interval", "mode"]);
    let sent = desk.act(Action::Save(id.clone()));
    let [Command::PatchTwin { body, guard, id: to, .. }] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(*to, id);
    assert_eq!(Value::Object(body.clone()), json!({"properties": {"desired": {"limits": {"low": 1}}}}));
    assert!(matches!(guard, Guard::Etag(_)));
}

#[test]
fn all_differences_taken_leave_none() {
    let (mut desk, id) = compared();
    let all = differences(&desk, &id);
    compare(&mut desk, &id, CompareAct::Take(all));
    assert_eq!(paths(&desk, &id), [""; 0]);
    assert_eq!(draft(&desk, &id), json!({"interval": 90, "limits": {"low": 1}}));
    assert_eq!(tab(&desk, &id).side_name(OWN), format!("{id} as edited"));
}

#[test]
fn what_moved_since_it_was_shown_is_not_taken() {
    let (mut desk, id) = compared();
    let all = differences(&desk, &id);
    let text = r#"{"interval": 61, "mode": "auto"}"#.to_owned();
    desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text });
    compare(&mut desk, &id, CompareAct::Take(all));
    assert_eq!(draft(&desk, &id), json!({"interval": 61, "limits": {"low": 1}}), "what was typed was overwritten");
    assert!(desk.app.notices.iter().any(|notice| notice.text.contains("moved meanwhile")));
}

#[test]
fn only_a_draft_that_parses_and_stands_on_the_right_takes() {
    let (mut desk, id) = compared();
    let all = differences(&desk, &id);
    compare(&mut desk, &id, CompareAct::Section(Section::Reported));
    assert!(tab(&desk, &id).take_refusal().is_some());
    compare(&mut desk, &id, CompareAct::Take(all.clone()));
    compare(&mut desk, &id, CompareAct::Section(Section::Desired));
    // The other way round: the other twin is not changed from here.
    compare(&mut desk, &id, CompareAct::Left(OWN));
    assert_eq!((tab(&desk, &id).compare.left, tab(&desk, &id).compare.right), (OWN, 1));
    assert!(tab(&desk, &id).take_refusal().is_some());
    compare(&mut desk, &id, CompareAct::Take(all.clone()));
    assert!(!tab(&desk, &id).is_dirty());
    compare(&mut desk, &id, CompareAct::Right(OWN));
    desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text: "{ half".to_owned() });
    assert!(tab(&desk, &id).take_refusal().is_some());
    assert!(matches!(desk.app.stand(tab(&desk, &id), OWN), Stand::Absent(why) if why.contains("does not parse")));
    compare(&mut desk, &id, CompareAct::Take(all));
    assert_eq!(desk.text(&id), "{ half");
}

#[test]
fn a_twin_that_is_open_is_compared_as_it_is_known_there() {
    let (mut desk, id) = compared();
    let commands = desk.act(Action::OpenTwin(other()));
    let key = load_key(&commands);
    desk.done(key, Ok(Outcome::Twin(other_twin("o2", 6, json!({"interval": 60, "mode": "auto"})))));
    assert_eq!(paths(&desk, &id), [""; 0]);
    desk.fact(Fact::TwinSeen {
        twin: other_twin("o3", 7, json!({"interval": 1, "mode": "auto"})),
        source: event::Source::Watch,
    });
    assert_eq!(paths(&desk, &id), ["interval"]);
}

#[test]
fn a_side_that_cannot_be_read_says_so_and_is_tried_again() {
    let (mut desk, id) = desk();
    let commands = with(&mut desk, &id, other());
    assert!(matches!(desk.app.stand(tab(&desk, &id), 1), Stand::Loading { .. }));
    desk.done(load_key(&commands), Err(Failure::Local("gone".to_owned())));
    assert!(matches!(desk.app.stand(tab(&desk, &id), 1), Stand::Failed(Failure::Local(why)) if why == "gone"));
    let again = compare(&mut desk, &id, CompareAct::Load(1));
    // While it is under way it is not asked for twice.
    assert_eq!(compare(&mut desk, &id, CompareAct::Load(1)), []);
    desk.done(load_key(&again), Ok(Outcome::Twin(other_twin("o1", 1, json!({})))));
    assert_eq!(paths(&desk, &id), ["interval", "mode"]);
}

#[test]
fn sides_are_bounded_and_leave_one_by_one() {
    let (mut desk, id) = desk();
    for n in 1..SIDES_MAX {
        let commands = with(&mut desk, &id, TwinId::device(format!("d{n}")));
        assert!(
            matches!(commands.as_slice(), [Command::LoadTwin { .. }, Command::SaveSettings { .. }]),
            "{commands:?}"
        );
    }
    let front = (tab(&desk, &id).compare.left, tab(&desk, &id).compare.right);
    assert_eq!(with(&mut desk, &id, TwinId::device("one-more")), []);
    assert_eq!((tab(&desk, &id).compare.left, tab(&desk, &id).compare.right), front, "the twin beside itself");
    assert!(desk.app.notices.iter().any(|notice| notice.text.contains("take one away")));
    assert_eq!(tab(&desk, &id).compare.numbers().len(), SIDES_MAX);
    let last = u64::try_from(SIDES_MAX).unwrap() - 1;
    compare(&mut desk, &id, CompareAct::Left(3));
    compare(&mut desk, &id, CompareAct::Drop(3));
    assert_eq!(tab(&desk, &id).compare.left, last);
    assert_eq!(tab(&desk, &id).side_name(last), "d7");
    // The same twin twice is one side.
    with(&mut desk, &id, TwinId::device("d1"));
    assert_eq!(tab(&desk, &id).compare.left, 1);
    assert_eq!(tab(&desk, &id).compare.numbers().len(), SIDES_MAX - 1);
}

#[test]
fn a_version_of_the_past_stands_beside_the_draft_or_another_twin() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    let (mut desk, id) = desk();
    let past = parse(twin("e0", 0, json!({"interval": 30, "mode": "auto"}), json!({})));
    journal.record("local", &past, Seen::Load, 1000, None).unwrap();
    let version = EntryKey { version: 0, at_ms: 1000 };
    let commands = compare(&mut desk, &id, CompareAct::Ask(Some(version)));
    let from = Source::Here;
    let asked = Dialog::Compare { id: id.clone(), version: Some(version), text: String::new(), from };
    assert_eq!(desk.app.dialog, Some(asked));
    let [Command::LoadTimeline { key, .. }] = commands.as_slice() else { panic!("{commands:?}") };
    desk.done(*key, Ok(Outcome::Timeline(Arc::new(journal.timeline("local", &id).unwrap()))));
    let commands = compare(&mut desk, &id, CompareAct::WithVersion(version));
    assert_eq!(desk.app.dialog, None);
    let [Command::LoadPastVersion { key, hub: None, id: of, version: asked }, Command::SaveSettings { .. }] =
        commands.as_slice()
    else {
        panic!("{commands:?}")
    };
    assert_eq!((of, *asked), (&id, version));
    desk.done(*key, Ok(Outcome::Versions(vec![Ok(past)])));
    assert_eq!(paths(&desk, &id), ["interval"]);
    assert_eq!(tab(&desk, &id).side_name(1), format!("{id} version 0"));
    let act = CompareAct::With { other: Other::Twin(other()), version: Some(version) };
    let commands = compare(&mut desk, &id, act);
    let load = commands.iter().find(|command| matches!(command, Command::LoadTwin { .. })).cloned();
    desk.done(load_key(&[load.unwrap()]), Ok(Outcome::Twin(other_twin("o1", 5, json!({"interval": 31})))));
    assert_eq!((tab(&desk, &id).compare.left, tab(&desk, &id).compare.right), (2, 1));
    assert_eq!(paths(&desk, &id), ["interval", "mode"]);
    assert!(tab(&desk, &id).take_refusal().is_some(), "the past is not changed");
}

#[test]
fn the_other_twin_is_changed_in_its_own_tab() {
    let (mut desk, id) = compared();
    compare(&mut desk, &id, CompareAct::Face(Face::Inline));
    compare(&mut desk, &id, CompareAct::Left(OWN));
    let commands = compare(&mut desk, &id, CompareAct::Turn);
    assert_eq!(desk.app.active_tab().unwrap().id, other());
    for command in commands {
        if let Command::LoadTwin { key, id } = command {
            let own = id == other();
            let body = if own { json!({"interval": 90}) } else { json!({"interval": 60, "mode": "auto"}) };
            let twin = if own { other_twin("o1", 5, body) } else { parse(twin("e1", 1, body, json!({}))) };
            desk.done(key, Ok(Outcome::Twin(twin)));
        }
    }
    let there = tab(&desk, &other());
    assert_eq!((there.pane, there.compare.face, there.take_refusal()), (Pane::Compare, Face::Inline, None));
    let all = differences(&desk, &other());
    compare(&mut desk, &other(), CompareAct::Take(all));
    assert_eq!(draft(&desk, &other()), json!({"interval": 60, "mode": "auto"}));
    assert!(!tab(&desk, &id).is_dirty());
}
