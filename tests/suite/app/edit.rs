//! The life of an edit: load, type, save, conflict, land.

use super::{Desk, load_key, parse, twin};
use serde_json::json;
use twinscope::app::conflict::Shown;
use twinscope::app::dialog::Dialog;
use twinscope::app::tab::SaveState;
use twinscope::app::{Action, Remote};
use twinscope::client::HubError;
use twinscope::twin::{Etag, Section, TwinId};
use twinscope::worker::command::Guard;
use twinscope::worker::event::{Outcome, Source};
use twinscope::worker::{Command, Fact, Failure, Key};

fn type_desired(desk: &mut Desk, id: &TwinId, text: &str) {
    desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text: text.to_owned() });
}

fn save(desk: &mut Desk, id: &TwinId) -> (Key, serde_json::Map<String, serde_json::Value>, Guard) {
    match desk.act(Action::Save(id.clone())).pop() {
        Some(Command::PatchTwin { key, body, guard, .. }) => (key, body, guard),
        other => panic!("expected a PATCH, got {other:?}; {:?}", desk.app.tab(id).unwrap().save),
    }
}

#[test]
fn an_edit_is_sent_as_the_smallest_patch_with_the_etag_that_was_loaded() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"telemetryInterval": 60, "mode": "eco"}), json!({})));
    type_desired(&mut desk, &id, r#"{"telemetryInterval": 122, "mode": "eco"}"#);
    let (key, body, guard) = save(&mut desk, &id);
    assert_eq!(json!(body), json!({"properties": {"desired": {"telemetryInterval": 122}}}));
    assert_eq!(guard, Guard::Etag(Etag("E1".to_owned())));

    let after = parse(twin("E2", 3, json!({"telemetryInterval": 122, "mode": "eco"}), json!({})));
    desk.done(key, Ok(Outcome::Saved(after)));
    let tab = desk.app.tab(&id).unwrap();
    assert!(matches!(tab.save, SaveState::Saved { .. }));
    assert!(!tab.is_dirty());
    assert_eq!(tab.draft.as_ref().unwrap().base.etag.0, "E2");
    assert_eq!(desk.text(&id), r#"{"telemetryInterval": 122, "mode": "eco"}"#, "the text stays as it was typed");
}

#[test]
fn what_is_typed_while_a_save_is_under_way_stays_typed() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})));
    type_desired(&mut desk, &id, r#"{"a": 2}"#);
    let (key, ..) = save(&mut desk, &id);
    type_desired(&mut desk, &id, r#"{"a": 2, "b": 3}"#);
    desk.done(key, Ok(Outcome::Saved(parse(twin("E2", 3, json!({"a": 2}), json!({}))))));
    assert_eq!(desk.text(&id), r#"{"a": 2, "b": 3}"#);
    let (_, body, guard) = save(&mut desk, &id);
    assert_eq!(json!(body), json!({"properties": {"desired": {"b": 3}}}));
    assert_eq!(guard, Guard::Etag(Etag("E2".to_owned())));
}

#[test]
fn a_save_without_a_change_or_with_a_problem_is_refused_with_the_reason() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})));
    for (text, part) in [
        (r#"{ "a":   1 }"#, "nothing to save"),
        (r#"{"a": 1"#, "line 1"),
        (r#"{"a": 1, "a": 2}"#, "line 1, column 10"),
        (r#"{"a": 9007199254740992}"#, "line 1, column 7"),
        (r#"{"a b": 1}"#, "line 1, column 2"),
    ] {
        type_desired(&mut desk, &id, text);
        assert!(desk.act(Action::Save(id.clone())).is_empty(), "{text} was sent");
        match &desk.app.tab(&id).unwrap().save {
            SaveState::Refused { why } => assert!(why.contains(part), "{text}: {why}"),
            other => panic!("{text}: {other:?}"),
        }
        assert_eq!(desk.text(&id), text);
    }
}

#[test]
fn a_conflict_keeps_the_text_and_shows_base_mine_and_theirs() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1, "b": 1}), json!({})));
    type_desired(&mut desk, &id, r#"{"a": 2, "b": 1}"#);
    let (key, ..) = save(&mut desk, &id);
    let theirs = parse(twin("E2", 3, json!({"a": 3, "b": 9}), json!({})));
    desk.done(key, Ok(Outcome::Conflict { theirs }));

    let tab = desk.app.tab(&id).unwrap();
    assert!(tab.conflict_open);
    let moved = tab.moved.as_ref().unwrap();
    assert_eq!(moved.changes.len(), 2);
    assert_eq!(moved.clashes.len(), 1);
    let (_, clash) = &moved.clashes[0];
    assert_eq!((&clash.base, &clash.mine, &clash.theirs), (&Some(json!(1)), &Some(json!(2)), &Some(json!(3))));
    assert_eq!(desk.text(&id), r#"{"a": 2, "b": 1}"#);
    // Saving again does not send anything before the person has chosen.
    assert!(desk.act(Action::Save(id.clone())).is_empty());

    desk.act(Action::RebaseEdits(id.clone()));
    let (_, body, guard) = save(&mut desk, &id);
    assert_eq!(json!(body), json!({"properties": {"desired": {"a": 2}}}), "their b is not touched");
    assert_eq!(guard, Guard::Etag(Etag("E2".to_owned())));
}

#[test]
fn overwriting_is_bound_to_the_version_that_was_shown() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1, "b": 1}), json!({})));
    type_desired(&mut desk, &id, r#"{"a": 2, "b": 1}"#);
    let (key, ..) = save(&mut desk, &id);
    desk.done(key, Ok(Outcome::Conflict { theirs: parse(twin("E2", 3, json!({"a": 3, "b": 9}), json!({}))) }));
    let shown = desk.app.tab(&id).unwrap().shown().unwrap();
    assert_eq!(shown.etag.0, "E2");
    let overwrite = |shown: Shown| Action::OverwriteHubVersion { id: id.clone(), shown };
    // A version the person has not seen is not overwritten, and a draft that was not shown is not sent.
    assert!(desk.act(overwrite(Shown { etag: Etag("E1".to_owned()), ..shown.clone() })).is_empty());
    assert!(desk.act(overwrite(Shown { draft: shown.draft ^ 1, ..shown.clone() })).is_empty());
    assert!(desk.app.tab(&id).unwrap().conflict_open);
    let commands = desk.act(overwrite(shown));
    let Some(Command::PatchTwin { key, body, guard, .. }) = commands.into_iter().next() else { panic!("no PATCH") };
    assert_eq!(json!(body), json!({"properties": {"desired": {"a": 2, "b": 1}}}));
    assert_eq!(guard, Guard::Overwrite(Etag("E2".to_owned())));

    // The hub moved again: it asks again.
    desk.done(key, Ok(Outcome::Conflict { theirs: parse(twin("E3", 4, json!({"a": 4, "b": 9}), json!({}))) }));
    assert!(desk.app.tab(&id).unwrap().conflict_open);
    assert_eq!(desk.text(&id), r#"{"a": 2, "b": 1}"#);
}

#[test]
fn reloading_from_the_hub_asks_first() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})));
    type_desired(&mut desk, &id, r#"{"a": 2}"#);
    desk.fact(Fact::TwinSeen { twin: parse(twin("E2", 3, json!({"a": 3}), json!({}))), source: Source::Watch });
    desk.act(Action::ReloadFromHub(id.clone()));
    assert_eq!(desk.app.dialog, Some(Dialog::ReloadFromHub { id: id.clone() }));
    assert_eq!(desk.text(&id), r#"{"a": 2}"#);
    desk.act(Action::DiscardNow(id.clone()));
    assert!(desk.text(&id).contains('3'));
    assert!(desk.app.tab(&id).unwrap().moved.is_none());
}

#[test]
fn a_refresh_keeps_edits_and_a_failure_keeps_the_last_good_state() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})));
    type_desired(&mut desk, &id, r#"{"a": 2"#);
    let key = load_key(&desk.act(Action::Refresh(id.clone())));
    let failure = Failure::Hub(HubError::Nonsense { what: "HTML".to_owned() });
    desk.done(key, Err(failure.clone()));
    let tab = desk.app.tab(&id).unwrap();
    assert_eq!(tab.twin.failure(), Some(&failure));
    assert_eq!(tab.current().unwrap().version, 2);
    assert_eq!(desk.text(&id), r#"{"a": 2"#);

    let key = load_key(&desk.act(Action::Refresh(id.clone())));
    desk.done(key, Ok(Outcome::Twin(parse(twin("E1", 2, json!({"a": 1}), json!({}))))));
    assert!(matches!(desk.app.tab(&id).unwrap().twin, Remote::Ready { .. }));
    assert_eq!(desk.text(&id), r#"{"a": 2"#);
}

#[test]
fn an_answer_to_an_older_question_is_dropped() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})));
    let old = load_key(&desk.act(Action::Refresh(id.clone())));
    let new = load_key(&desk.act(Action::Refresh(id.clone())));
    desk.done(new, Ok(Outcome::Twin(parse(twin("E3", 4, json!({"a": 3}), json!({}))))));
    desk.done(old, Ok(Outcome::Twin(parse(twin("E2", 3, json!({"a": 2}), json!({}))))));
    assert_eq!(desk.app.tab(&id).unwrap().current().unwrap().version, 4);
}

#[test]
fn a_change_of_reported_alone_never_stands_in_the_way() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})));
    type_desired(&mut desk, &id, r#"{"a": 2}"#);
    desk.fact(Fact::TwinSeen { twin: parse(twin("E1", 3, json!({"a": 1}), json!({"t": 5}))), source: Source::Watch });
    let tab = desk.app.tab(&id).unwrap();
    assert!(tab.moved.is_none());
    assert!(tab.reported_text.contains("\"t\": 5"));
    assert_eq!(tab.news.len(), 1);
    let (_, body, _) = save(&mut desk, &id);
    assert_eq!(json!(body), json!({"properties": {"desired": {"a": 2}}}));
}

#[test]
fn an_untouched_pane_follows_the_hub_and_a_touched_one_gets_a_banner() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})));
    desk.fact(Fact::TwinSeen { twin: parse(twin("E2", 3, json!({"a": 5}), json!({}))), source: Source::Watch });
    assert!(desk.text(&id).contains('5'));
    type_desired(&mut desk, &id, r#"{"a": 6}"#);
    desk.later(60_000);
    desk.fact(Fact::TwinSeen { twin: parse(twin("E3", 4, json!({"a": 7}), json!({}))), source: Source::Watch });
    assert_eq!(desk.text(&id), r#"{"a": 6}"#);
    let moved = desk.app.tab(&id).unwrap().moved.as_ref().unwrap();
    assert_eq!(moved.clashes.len(), 1);
    // They took it back: nothing stands between the edit and the hub any more.
    desk.fact(Fact::TwinSeen { twin: parse(twin("E4", 5, json!({"a": 5}), json!({}))), source: Source::Watch });
    assert!(desk.app.tab(&id).unwrap().moved.is_none());
    assert_eq!(desk.text(&id), r#"{"a": 6}"#);
}

#[test]
fn typed_formatting_that_was_saved_does_not_come_back_as_an_edit() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})));
    type_desired(&mut desk, &id, r#"{"a":2}"#);
    let (key, ..) = save(&mut desk, &id);
    desk.done(key, Ok(Outcome::Saved(parse(twin("E2", 3, json!({"a": 2}), json!({}))))));
    desk.later(60_000);
    desk.fact(Fact::TwinSeen { twin: parse(twin("E3", 4, json!({"a": 3}), json!({}))), source: Source::Watch });
    let tab = desk.app.tab(&id).unwrap();
    assert!(!tab.is_dirty());
    assert!(desk.text(&id).contains('3'));
}

#[test]
fn a_lost_answer_is_told_apart_and_the_text_stays() {
    let lost = |landed, now| Failure::Unknown { landed, now, reason: "reset".to_owned() };
    let newer = || Some(parse(twin("E2", 3, json!({"a": 2}), json!({}))));
    let older = || Some(parse(twin("E1", 2, json!({"a": 1}), json!({}))));

    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})));
    type_desired(&mut desk, &id, r#"{"a": 2}"#);
    let (key, ..) = save(&mut desk, &id);
    desk.done(key, Err(lost(Some(true), newer())));
    assert!(matches!(desk.app.tab(&id).unwrap().save, SaveState::Saved { .. }));
    assert!(!desk.app.tab(&id).unwrap().is_dirty());

    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})));
    type_desired(&mut desk, &id, r#"{"a": 2}"#);
    let (key, ..) = save(&mut desk, &id);
    desk.done(key, Err(lost(Some(false), older())));
    assert!(matches!(desk.app.tab(&id).unwrap().save, SaveState::Failed { .. }));
    assert!(desk.app.tab(&id).unwrap().is_dirty());
    assert_eq!(desk.text(&id), r#"{"a": 2}"#);
}

#[test]
fn a_saved_patch_is_watched_until_the_device_agrees_or_refuses() {
    let start = |desired: &str| {
        let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({"a": 1})));
        type_desired(&mut desk, &id, desired);
        let (key, ..) = save(&mut desk, &id);
        desk.done(key, Ok(Outcome::Saved(parse(twin("E2", 3, json!({"a": 2}), json!({"a": 1}))))));
        assert!(desk.app.tab(&id).unwrap().landing.as_ref().unwrap().reported_at.is_none());
        desk.later(1_000);
        (desk, id)
    };
    let seen = |desk: &mut Desk, version, reported| {
        let twin = parse(twin("E2", version, json!({"a": 2}), reported));
        desk.fact(Fact::TwinSeen { twin, source: Source::Watch });
    };
    let (mut desk, id) = start(r#"{"a": 2}"#);
    seen(&mut desk, 4, json!({"a": 2}));
    assert_eq!(desk.app.tab(&id).unwrap().landing.as_ref().unwrap().reported_at, Some(desk.now));

    let (mut desk, id) = start(r#"{"a": 2}"#);
    seen(&mut desk, 4, json!({"a": {"value": 2, "ac": 200, "av": 2, "ad": "old"}}));
    assert!(!desk.app.tab(&id).unwrap().landing.as_ref().unwrap().is_over(), "an older version was acknowledged");
    seen(&mut desk, 5, json!({"a": {"value": 1, "ac": 400, "av": 3, "ad": "too hot"}}));
    let landing = desk.app.tab(&id).unwrap().landing.as_ref().unwrap();
    assert!(landing.refusal.as_ref().unwrap().contains("too hot"));

    let (mut desk, id) = start(r#"{"a": 2}"#);
    assert!(desk.app.tick(desk.now).next_ms.is_some());
    desk.later(60_000);
    let tick = desk.app.tick(desk.now);
    assert_eq!((tick.commands.len(), tick.next_ms), (0, None));
    assert!(desk.app.tab(&id).unwrap().landing.as_ref().unwrap().timed_out);
}

#[test]
fn closing_quitting_and_switching_hubs_lose_nothing() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})));
    type_desired(&mut desk, &id, r#"{"a": 2}"#);
    desk.act(Action::CloseTab(id.clone()));
    assert_eq!(desk.app.dialog, Some(Dialog::CloseTab { id: id.clone() }));
    desk.act(Action::CloseDialog);
    desk.act(Action::Quit);
    assert!(!desk.app.quitting);
    assert_eq!(desk.app.dialog, Some(Dialog::Quit { unsaved: vec![id.clone()] }));
    desk.act(Action::CloseDialog);

    desk.act(Action::OpenHub(twinscope::worker::HubRef::Saved("other".to_owned())));
    assert!(desk.app.tabs.is_empty());
    assert_eq!(desk.app.unsaved().count(), 1);
    desk.act(Action::Quit);
    assert!(!desk.app.quitting, "drafts of a hub that is not in front count too");
    desk.act(Action::QuitAndDiscard);
    assert!(desk.app.quitting);
}

#[test]
fn a_closed_tab_keeps_its_draft_until_its_twin_is_opened_again() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})));
    type_desired(&mut desk, &id, r#"{"a": 2}"#);
    let commands = desk.act(Action::CloseTabAndKeep(id.clone()));
    assert!(desk.app.tabs.is_empty());
    let kept = |command: &Command| matches!(command, Command::KeepDraft { draft } if draft.base.id == id);
    assert!(commands.iter().any(kept), "{commands:?}");
    assert!(!commands.iter().any(|command| matches!(command, Command::ForgetDraft { .. })), "{commands:?}");
    desk.act(Action::Quit);
    assert!(desk.app.quitting, "nothing is in danger");

    desk.act(Action::OpenTwin(id.clone()));
    let tab = desk.app.tab(&id).unwrap();
    assert_eq!(tab.draft.as_ref().unwrap().section(Section::Desired).text, r#"{"a": 2}"#);
    assert!(tab.would_lose());
}

#[test]
fn quitting_can_keep_what_was_typed() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})));
    type_desired(&mut desk, &id, r#"{"a": 2}"#);
    desk.act(Action::Quit);
    let commands = desk.act(Action::QuitAndKeep);
    assert!(desk.app.quitting);
    let forgets = |command: &Command| matches!(command, Command::ForgetDraft { .. });
    assert!(!commands.iter().any(forgets), "{commands:?}");
}
