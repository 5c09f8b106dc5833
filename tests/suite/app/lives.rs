//! An id that was deleted and created again: the new twin is shown, and edits of the old one go into it by nobody's doing but the
//! person's.

use super::{Desk, parse, twin};
use serde_json::{Value, json};
use twinscope::app::Action;
use twinscope::app::tab::SaveState;
use twinscope::twin::{Section, TwinId};
use twinscope::worker::event::{Outcome, Source};
use twinscope::worker::{Command, Fact, Failure};

/// At version 3 with etag E2, as every life of this hub is after its first write.
fn life(desired: Value) -> Value {
    twin("E2", 3, desired, json!({}))
}

fn typed(text: &str) -> (Desk, TwinId) {
    let (mut desk, id) = Desk::with_twin(life(json!({"a": 1, "owner": "gen1"})));
    desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text: text.to_owned() });
    (desk, id)
}

/// The worker tells the life before it tells the version.
fn another_life(desk: &mut Desk, twin: Value) {
    let twin = parse(twin);
    desk.fact(Fact::TwinRecreated { twin: twin.clone() });
    desk.fact(Fact::TwinSeen { twin, source: Source::Watch });
}

#[test]
fn an_untouched_text_shows_the_new_life_at_once() {
    let (mut desk, id) = Desk::with_twin(life(json!({"a": 1, "owner": "gen1"})));
    // A lower version within a moment would be taken as a late answer of the same life.
    another_life(&mut desk, twin("E1", 2, json!({}), json!({})));
    assert_eq!(desk.text(&id), "{}");
    another_life(&mut desk, life(json!({"a": 2, "owner": "gen2"})));
    assert!(desk.text(&id).contains("gen2"));
    assert!(!desk.app.tab(&id).unwrap().is_dirty());
    assert!(desk.app.notices.iter().any(|notice| notice.text.contains("deleted and created again")));
}

#[test]
fn edits_of_the_old_life_are_kept_and_asked_about() {
    for (text, waits) in [(r#"{"a": 100, "owner": "gen1"}"#, true), (r#"{"a": 1, "owner": "gen1", "mine": 1}"#, true)] {
        let (mut desk, id) = typed(text);
        another_life(&mut desk, life(json!({"a": 2, "owner": "gen2"})));
        let tab = desk.app.tab(&id).unwrap();
        assert_eq!(desk.text(&id), text, "nothing typed goes");
        let moved = tab.moved.as_ref().expect("the twin moved under the edits");
        let said = desk.app.notices.iter().any(|notice| notice.text.contains("this is the new twin"));
        assert!(!said, "the text is that of the one before, and the banner says so");
        assert!(moved.recreated && moved.by_save);
        assert_eq!(tab.to_follow(), None, "nothing of another life comes in by itself");
        let commands = desk.act(Action::Save(id.clone()));
        assert_eq!(commands.is_empty(), waits, "{commands:?}");
        assert!(desk.app.tab(&id).unwrap().conflict_open);
        // A further version of the new life does not change that.
        let later = parse(twin("E3", 4, json!({"a": 2, "owner": "gen2", "more": 1}), json!({})));
        desk.fact(Fact::TwinSeen { twin: later, source: Source::Watch });
        desk.act(Action::LeaveConflict(id.clone()));
        let tab = desk.app.tab(&id).unwrap();
        assert!(tab.moved.as_ref().is_some_and(|moved| moved.recreated));
        assert_eq!(tab.to_follow(), None);
    }
}

#[test]
fn an_overwrite_is_bound_to_the_life_that_was_shown() {
    let (mut desk, id) = typed(r#"{"a": 100, "owner": "gen1"}"#);
    another_life(&mut desk, life(json!({"a": 2, "owner": "gen2"})));
    desk.act(Action::ShowConflict(id.clone()));
    let shown = desk.app.tab(&id).unwrap().shown().unwrap();
    let mut third = life(json!({"a": 3, "owner": "gen3"}));
    third["deviceEtag"] = json!("Mg==");
    another_life(&mut desk, third.clone());
    assert!(desk.act(Action::OverwriteHubVersion { id: id.clone(), shown }).is_empty());
    let shown = desk.app.tab(&id).unwrap().shown().unwrap();
    let commands = desk.act(Action::OverwriteHubVersion { id: id.clone(), shown });
    let [Command::PatchTwin { over: Some(over), .. }] = commands.as_slice() else { panic!("{commands:?}") };
    assert_eq!(**over, *parse(third), "the version that was on the screen goes along");
}

#[test]
fn a_save_in_doubt_is_not_found_in_another_life() {
    let (mut desk, id) = typed(r#"{"a": 2, "owner": "gen1"}"#);
    let commands = desk.act(Action::Save(id.clone()));
    let Some(Command::PatchTwin { key, .. }) = commands.into_iter().next() else { panic!("no PATCH") };
    desk.done(key, Err(Failure::Unknown { landed: None, now: None, reason: "reset".to_owned() }));
    // The new life has by chance what was sent.
    another_life(&mut desk, twin("E9", 9, json!({"a": 2, "owner": "gen1"}), json!({})));
    let tab = desk.app.tab(&id).unwrap();
    assert!(tab.in_doubt.is_none());
    assert!(
        matches!(&tab.save, SaveState::Failed { failure: Failure::Unknown { landed: None, .. }, .. }),
        "{:?}",
        tab.save
    );
}

#[test]
fn a_conflict_with_another_life_of_the_same_etag_is_shown() {
    let (mut desk, id) = typed(r#"{"a": 100, "owner": "gen1"}"#);
    let commands = desk.act(Action::Save(id.clone()));
    let Some(Command::PatchTwin { key, over: Some(over), .. }) = commands.into_iter().next() else {
        panic!("no PATCH")
    };
    assert_eq!(*over, *parse(life(json!({"a": 1, "owner": "gen1"}))));
    let theirs = parse(life(json!({"a": 2, "owner": "gen2"})));
    desk.fact(Fact::TwinRecreated { twin: theirs.clone() });
    desk.done(key, Ok(Outcome::Conflict { theirs }));
    let tab = desk.app.tab(&id).unwrap();
    assert!(tab.conflict_open && tab.moved.as_ref().is_some_and(|moved| moved.clashes.len() == 1), "{:?}", tab.save);
}

#[test]
fn edits_of_an_earlier_run_are_held_against_the_twin_of_now() {
    let (mut desk, id) = typed(r#"{"a": 100, "owner": "gen1"}"#);
    let kept = desk.app.tick(desk.now).commands.into_iter().find_map(|command| match command {
        Command::KeepDraft { draft } => Some(*draft),
        _ => None,
    });
    let mut later = Desk::open();
    later.fact(Fact::Drafts(vec![kept.expect("the draft is kept")]));
    let commands = later.act(Action::OpenTwin(id.clone()));
    let key = commands.iter().find_map(|command| match command {
        Command::LoadTwin { key, .. } => Some(*key),
        _ => None,
    });
    let key = key.or_else(|| {
        later.app.tab(&id).and_then(|tab| match &tab.twin {
            twinscope::app::Remote::Loading { key, .. } => Some(*key),
            _ => None,
        })
    });
    later.done(key.expect("the twin is loaded"), Ok(Outcome::Twin(parse(life(json!({"a": 2, "owner": "gen2"}))))));
    let tab = later.app.tab(&id).unwrap();
    assert!(tab.moved.as_ref().is_some_and(|moved| moved.recreated && moved.by_save));
    assert!(later.act(Action::Save(id.clone())).is_empty(), "nothing goes out unseen");
}
