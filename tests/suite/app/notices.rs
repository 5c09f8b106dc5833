//! Notices never contradict each other: the newest word on a matter stands, and none once the matter is settled.

use super::{Desk, parse, twin};
use serde_json::json;
use std::time::Duration;
use twinscope::app::tab::SaveState;
use twinscope::app::{Action, NoticeKind};
use twinscope::client::HubError;
use twinscope::protocol::error::ServiceError;
use twinscope::twin::{Section, TwinId};
use twinscope::worker::event::{Outcome, Source};
use twinscope::worker::{Command, Fact, Failure, Key};

fn type_desired(desk: &mut Desk, id: &TwinId, text: &str) {
    desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text: text.to_owned() });
}

fn save(desk: &mut Desk, id: &TwinId) -> Key {
    match desk.act(Action::Save(id.clone())).pop() {
        Some(Command::PatchTwin { key, .. }) => key,
        other => panic!("expected a PATCH, got {other:?}"),
    }
}

fn texts(desk: &Desk) -> Vec<&str> {
    desk.app.notices.iter().map(|notice| notice.text.as_str()).collect()
}

/// Saves `{"a": value}`; the answer is lost, and the look afterwards finds it with this report.
fn save_and_lose(desk: &mut Desk, id: &TwinId, value: u64, reported: serde_json::Value) {
    type_desired(desk, id, &json!({ "a": value }).to_string());
    let key = save(desk, id);
    desk.later(18_000);
    let now = Some(parse(twin(&format!("E{value}"), value + 1, json!({ "a": value }), reported)));
    desk.done(key, Err(Failure::Unknown { landed: Some(true), now, reason: "lost".to_owned() }));
}

fn start() -> (Desk, TwinId) {
    Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})))
}

#[test]
fn the_next_save_takes_away_what_was_said_of_the_one_before() {
    let (mut desk, id) = start();
    save_and_lose(&mut desk, &id, 2, json!({}));
    assert_eq!(desk.app.notices.len(), 1);
    save_and_lose(&mut desk, &id, 3, json!({}));
    assert_eq!(desk.app.notices.len(), 1, "{:?}", texts(&desk));
    assert!(texts(&desk)[0].contains("myFirstDevice/myFirstModule"), "it names its twin");
    type_desired(&mut desk, &id, r#"{"a": 4}"#);
    let key = save(&mut desk, &id);
    assert_eq!(texts(&desk), [""; 0]);
    let retry_after = Some(Duration::from_secs(12));
    desk.done(key, Err(Failure::Hub(HubError::Throttled { service: ServiceError::default(), retry_after })));
    assert!(matches!(desk.app.tab(&id).unwrap().save, SaveState::Failed { .. }));
    assert_eq!(texts(&desk), [""; 0]);
}

#[test]
fn what_was_said_of_edits_goes_with_them() {
    let rebased = || {
        let (mut desk, id) = start();
        type_desired(&mut desk, &id, r#"{"a": 1, "b": 2}"#);
        desk.act(Action::Caret { id: id.clone(), section: Some(Section::Desired) });
        let theirs = parse(twin("E2", 3, json!({"a": 5}), json!({})));
        desk.fact(Fact::TwinSeen { twin: theirs, source: Source::Watch });
        desk.act(Action::RebaseEdits(id.clone()));
        assert_eq!(desk.app.notices.len(), 1, "{:?}", texts(&desk));
        assert!(texts(&desk)[0].starts_with("Your edits of"), "{:?}", texts(&desk));
        (desk, id)
    };
    let (mut desk, id) = rebased();
    let key = save(&mut desk, &id);
    desk.done(key, Ok(Outcome::Saved(parse(twin("E3", 4, json!({"a": 5, "b": 2}), json!({}))))));
    assert_eq!(texts(&desk), [""; 0], "saved");

    let (mut desk, id) = rebased();
    desk.act(Action::DiscardNow(id));
    assert_eq!(texts(&desk), [""; 0], "discarded");

    let (mut desk, id) = rebased();
    desk.act(Action::CloseTabAndDiscard(id));
    assert_eq!(texts(&desk), [""; 0], "closed");

    // They do not stand on the newest version any more.
    let (mut desk, _) = rebased();
    let theirs = parse(twin("E4", 5, json!({"a": 5, "b": 9}), json!({})));
    desk.fact(Fact::TwinSeen { twin: theirs, source: Source::Watch });
    assert_eq!(texts(&desk), [""; 0], "moved again");
}

#[test]
fn the_same_words_stand_once() {
    let (mut desk, _) = start();
    desk.fact(Fact::Notice("the disk is full".to_owned()));
    desk.fact(Fact::Notice("something else".to_owned()));
    desk.fact(Fact::Notice("the disk is full".to_owned()));
    assert_eq!(texts(&desk), ["something else", "the disk is full"]);
    assert!(desk.app.notices.iter().all(|notice| notice.kind == NoticeKind::Problem));
}

#[test]
fn a_save_whose_answer_was_lost_counts_from_its_sending() {
    let (mut desk, id) = start();
    let sent = desk.now;
    save_and_lose(&mut desk, &id, 2, json!({"a": 2}));
    let tab = desk.app.tab(&id).unwrap();
    assert_eq!(tab.save, SaveState::Saved { at: sent });
    let landing = tab.landing.as_ref().unwrap();
    assert_eq!(landing.saved_at, sent);
    assert!(landing.already && landing.is_over(), "when it was reported is not known");

    let (mut desk, id) = start();
    save_and_lose(&mut desk, &id, 2, json!({}));
    desk.later(2_000);
    let reported = parse(twin("E2", 4, json!({"a": 2}), json!({"a": 2})));
    desk.fact(Fact::TwinSeen { twin: reported, source: Source::Watch });
    let landing = desk.app.tab(&id).unwrap().landing.as_ref().unwrap();
    assert!(!landing.already);
    assert_eq!(landing.reported_at, Some(desk.now));
}

#[test]
fn a_save_that_waited_for_a_throttled_hub_counts_from_the_try_that_was_taken() {
    let (mut desk, id) = start();
    type_desired(&mut desk, &id, r#"{"a": 2}"#);
    let key = save(&mut desk, &id);
    desk.fact(Fact::Waiting { key, wait: Duration::from_secs(12), status: Some(429) });
    desk.later(12_000);
    drop(desk.app.tick(desk.now));
    assert_eq!(desk.app.waiting(key), None, "the wait is over");
    let again = desk.now;
    desk.later(500);
    desk.done(key, Ok(Outcome::Saved(parse(twin("E2", 3, json!({"a": 2}), json!({}))))));
    let SaveState::Saved { at } = desk.app.tab(&id).unwrap().save else { panic!("not saved") };
    assert_eq!(at.ms, again.ms);
}

#[test]
fn a_save_cancelled_while_it_waits_was_not_written() {
    for (ms, unsent) in [(5_000, true), (12_000, false)] {
        let (mut desk, id) = start();
        type_desired(&mut desk, &id, r#"{"a": 2}"#);
        let key = save(&mut desk, &id);
        desk.fact(Fact::Waiting { key, wait: Duration::from_secs(12), status: Some(429) });
        desk.later(ms);
        desk.act(Action::Cancel(key));
        desk.done(key, Err(Failure::Cancelled));
        let SaveState::Failed { failure, .. } = &desk.app.tab(&id).unwrap().save else { panic!("not failed") };
        assert_eq!(matches!(failure, Failure::Local(_)), unsent, "{failure:?}");
    }
}

#[test]
fn what_came_by_itself_is_told_as_far_as_the_text_has_it() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1, "b": 1, "c": 1}), json!({})));
    type_desired(&mut desk, &id, r#"{"a": 1, "b": 1, "c": 7}"#);
    let theirs = parse(twin("E2", 3, json!({"a": 5, "b": 5, "c": 1}), json!({})));
    desk.fact(Fact::TwinSeen { twin: theirs, source: Source::Watch });
    let shown = desk.app.tab(&id).unwrap().shown().unwrap();
    desk.act(Action::FollowHub { id: id.clone(), shown });
    let told = |desk: &Desk| {
        let tab = desk.app.tab(&id).unwrap();
        (tab.followed.as_ref().map(|followed| followed.there.len()), tab.marks.len())
    };
    assert_eq!(told(&desk), (Some(2), 2));
    type_desired(&mut desk, &id, r#"{"a": 6, "b": 5, "c": 7}"#);
    assert_eq!(told(&desk), (Some(1), 1), "typed over");
    type_desired(&mut desk, &id, r#"{"a": 6, "c": 7}"#);
    assert_eq!(told(&desk), (Some(0), 0), "removed");
    // A step back brings it back.
    type_desired(&mut desk, &id, r#"{"a": 5, "b": 5, "c": 7}"#);
    assert_eq!(told(&desk), (Some(2), 2));
}
