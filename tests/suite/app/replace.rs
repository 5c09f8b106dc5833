//! *Replace…* asks with the etag it is about, goes the way of a save from there, and *Copy as* writes the same down.

use super::{Desk, parse, twin};
use serde_json::json;
use twinscope::app::tab::SaveState;
use twinscope::app::{Action, Dialog};
use twinscope::copy_as::{Language, Method};
use twinscope::twin::merge::Choice;
use twinscope::twin::{Etag, Section, TwinId};
use twinscope::worker::command::Guard;
use twinscope::worker::event::{Outcome, Source};
use twinscope::worker::{Command, Fact, Key};

fn edited() -> (Desk, TwinId) {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1, "b": 1}), json!({})));
    desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text: r#"{"a": 2}"#.to_owned() });
    (desk, id)
}

fn put(commands: Vec<Command>) -> (Key, serde_json::Value, Guard) {
    match commands.into_iter().next() {
        Some(Command::ReplaceTwin { key, body, guard, .. }) => (key, json!(body), guard),
        other => panic!("no PUT: {other:?}"),
    }
}

fn replace(id: &TwinId, shown: &str) -> Action {
    Action::Replace { id: id.clone(), shown: Etag(shown.to_owned()) }
}

#[test]
fn it_asks_and_sends_the_whole_with_the_etag_that_was_shown() {
    let (mut desk, id) = edited();
    assert!(desk.act(Action::ShowReplace(id.clone())).is_empty());
    assert_eq!(desk.app.dialog, Some(Dialog::Replace { id: id.clone(), shown: Etag("E1".to_owned()), moved: false }));
    let (key, body, guard) = put(desk.act(replace(&id, "E1")));
    assert_eq!(desk.app.dialog, None);
    assert_eq!(body, json!({"tags": {"site": "A"}, "properties": {"desired": {"a": 2}}}));
    assert_eq!(guard, Guard::Etag(Etag("E1".to_owned())));
    // A second one waits for the first.
    assert!(desk.act(Action::ShowReplace(id.clone())).is_empty());
    assert_eq!(desk.app.dialog, None);

    desk.done(key, Ok(Outcome::Saved(parse(twin("E2", 3, json!({"a": 2}), json!({}))))));
    let tab = desk.app.tab(&id).unwrap();
    assert!(matches!(tab.save, SaveState::Saved { .. }));
    assert!(!tab.is_dirty());
    assert_eq!(desk.text(&id), r#"{"a": 2}"#);
}

#[test]
fn its_conflict_is_a_saves_conflict() {
    let (mut desk, id) = edited();
    desk.act(Action::ShowReplace(id.clone()));
    let (key, ..) = put(desk.act(replace(&id, "E1")));
    desk.done(key, Ok(Outcome::Conflict { theirs: parse(twin("E2", 3, json!({"a": 3, "b": 1}), json!({}))) }));
    let tab = desk.app.tab(&id).unwrap();
    assert!(tab.conflict_open && tab.moved.is_some());
    assert_eq!(desk.text(&id), r#"{"a": 2}"#);
    // Known to have moved: the question about the conflict comes first, with what the choices make ready to be sent.
    desk.act(Action::ChooseAll { id: id.clone(), choice: Choice::Mine });
    desk.act(Action::LeaveConflict(id.clone()));
    assert!(desk.act(Action::ShowReplace(id.clone())).is_empty());
    assert_eq!(desk.app.dialog, None);
    let tab = desk.app.tab(&id).unwrap();
    assert!(tab.conflict_open && tab.moved.as_ref().unwrap().ready.is_some());
}

#[test]
fn when_the_base_moves_under_the_question_it_is_asked_anew() {
    let (mut desk, id) = edited();
    desk.act(Action::ShowReplace(id.clone()));
    // Desired and tags stand, so the base moves on without a conflict; only the etag is another.
    desk.fact(Fact::TwinSeen { twin: parse(twin("E2", 3, json!({"a": 1, "b": 1}), json!({}))), source: Source::Watch });
    assert!(desk.act(replace(&id, "E1")).is_empty(), "sent over a version nobody was asked about");
    let again = Dialog::Replace { id: id.clone(), shown: Etag("E2".to_owned()), moved: true };
    assert_eq!(desk.app.dialog, Some(again));
    let (_, _, guard) = put(desk.act(replace(&id, "E2")));
    assert_eq!(guard, Guard::Etag(Etag("E2".to_owned())));
}

#[test]
fn nothing_to_replace_is_refused_with_the_reason() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})));
    assert!(desk.act(Action::ShowReplace(id.clone())).is_empty());
    assert_eq!(desk.app.dialog, None);
    let refused = |desk: &Desk, part: &str| match &desk.app.tab(&id).unwrap().save {
        SaveState::Refused { why } => assert!(why.contains(part), "{why}"),
        other => panic!("{other:?}"),
    };
    refused(&desk, "nothing to save");
    desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text: "{".to_owned() });
    desk.act(Action::ShowReplace(id.clone()));
    refused(&desk, "desired line 1");
}

#[test]
fn copies_what_would_be_sent_and_no_secret() {
    let (mut desk, id) = edited();
    let copy = |method| Action::CopyAs { id: id.clone(), method, language: Language::Curl };
    assert!(desk.act(copy(Method::Patch)).is_empty());
    let text = desk.app.take_copied().unwrap();
    assert!(text.contains("--request PATCH"), "{text}");
    assert!(text.contains("--cacert \"$IOTHUB_CA_FILE\""), "a local hub has an authority of its own: {text}");
    assert!(text.contains("'https://localhost:8443/twins/myFirstDevice/modules/myFirstModule?"), "{text}");
    assert!(text.contains(r#"'{"properties":{"desired":{"a":2,"b":null}}}'"#), "{text}");
    assert_eq!(desk.app.take_copied(), None, "once");
    assert!(desk.app.take_clipboard().is_none(), "it is no secret, so it is not cleared");

    desk.act(copy(Method::Put));
    let text = desk.app.take_copied().unwrap();
    assert!(text.contains(r#"'{"tags":{"site":"A"},"properties":{"desired":{"a":2}}}'"#), "{text}");

    desk.act(Action::DiscardNow(id.clone()));
    desk.act(copy(Method::Patch));
    assert_eq!(desk.app.take_copied(), None);
    let notice = desk.app.notices.last().unwrap();
    assert!(notice.text.contains("nothing to save"), "{}", notice.text);
}
