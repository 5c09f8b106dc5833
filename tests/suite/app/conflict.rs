//! Saves of which nothing is heard, reports that stand in nobody's way, and choices that survive what comes between.

use super::{Desk, load_key, parse, twin};
use serde_json::{Value, json};
use twinscope::app::Action;
use twinscope::app::action::Watching;
use twinscope::app::tab::{Again, Asked, SaveState};
use twinscope::client::HubError;
use twinscope::twin::merge::Choice;
use twinscope::twin::{Etag, Path, Section, Segment, TwinId};
use twinscope::worker::command::Guard;
use twinscope::worker::event::{Outcome, Source};
use twinscope::worker::{Command, Fact, Failure, Key};

fn typed(text: &str) -> (Desk, TwinId) {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1, "b": 1}), json!({})));
    desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text: text.to_owned() });
    (desk, id)
}

#[track_caller]
fn sent(commands: Vec<Command>) -> (Key, Value, Guard) {
    match commands.into_iter().next() {
        Some(Command::PatchTwin { key, body, guard, .. }) => (key, json!(body), guard),
        other => panic!("expected a PATCH, got {other:?}"),
    }
}

fn seen(desk: &mut Desk, etag: &str, version: u64, desired: Value) {
    desk.fact(Fact::TwinSeen { twin: parse(twin(etag, version, desired, json!({}))), source: Source::Watch });
}

fn choose(desk: &mut Desk, id: &TwinId, key: &str, choice: Choice) {
    let path = Path(vec![Segment::Key(key.to_owned())]);
    desk.act(Action::Choose { id: id.clone(), section: Section::Desired, path, choice });
}

fn unknown() -> Failure {
    Failure::Unknown { landed: None, now: None, reason: "reset".to_owned() }
}

/// A save without an answer, of which nothing could be read either; then a version is seen.
fn in_doubt(etag: &str, version: u64, desired: Value) -> (Desk, TwinId) {
    let (mut desk, id) = typed(r#"{"a": 2, "b": 1}"#);
    let (key, ..) = sent(desk.act(Action::Save(id.clone())));
    desk.done(key, Err(unknown()));
    assert!(matches!(&desk.app.tab(&id).unwrap().save, SaveState::Failed { failure, .. } if *failure == unknown()));
    assert!(desk.app.tab(&id).unwrap().in_doubt.is_some());
    seen(&mut desk, etag, version, desired);
    assert!(desk.app.tab(&id).unwrap().in_doubt.is_none());
    (desk, id)
}

#[test]
fn the_next_version_tells_what_became_of_a_save_without_an_answer() {
    let (desk, id) = in_doubt("E2", 3, json!({"a": 2, "b": 1}));
    assert!(matches!(desk.app.tab(&id).unwrap().save, SaveState::Saved { .. }));
    assert!(desk.app.notices.iter().any(|notice| notice.text.contains("the hub has your values: it is saved")));
    assert!(!desk.app.tab(&id).unwrap().is_dirty());

    let (desk, id) = in_doubt("E1", 2, json!({"a": 1, "b": 1}));
    let tab = desk.app.tab(&id).unwrap();
    assert!(matches!(tab.save, SaveState::Failed { failure: Failure::Unknown { landed: Some(false), .. }, .. }));
    assert_eq!(desk.text(&id), r#"{"a": 2, "b": 1}"#);

    // Somebody wrote over it, or before it: the person decides.
    let (desk, id) = in_doubt("E3", 4, json!({"a": 7, "b": 1}));
    let tab = desk.app.tab(&id).unwrap();
    assert!(matches!(tab.save, SaveState::Failed { failure: Failure::Unknown { landed: None, now: Some(_), .. }, .. }));
    assert!(tab.conflict_open);
    assert_eq!(tab.moved.as_ref().unwrap().clashes.len(), 1);
    assert_eq!(desk.text(&id), r#"{"a": 2, "b": 1}"#);
}

#[test]
fn a_save_without_an_answer_is_read_again_when_the_hub_comes_back() {
    use twinscope::worker::event::Reachability;
    let (mut desk, id) = typed(r#"{"a": 2, "b": 1}"#);
    let (key, ..) = sent(desk.act(Action::Save(id.clone())));
    desk.done(key, Err(unknown()));
    desk.fact(Fact::HubReachable(Reachability::Offline { reason: "reset".to_owned() }));
    let commands = desk.fact(Fact::HubReachable(Reachability::Online));
    let key = load_key(&commands);
    desk.done(key, Ok(Outcome::Twin(parse(twin("E2", 3, json!({"a": 2, "b": 1}), json!({}))))));
    assert!(matches!(desk.app.tab(&id).unwrap().save, SaveState::Saved { .. }));
}

#[test]
fn a_cancelled_save_is_read_again() {
    let (mut desk, id) = typed(r#"{"a": 2, "b": 1}"#);
    let (key, ..) = sent(desk.act(Action::Save(id.clone())));
    let commands = desk.done(key, Err(Failure::Cancelled));
    let key = load_key(&commands);
    desk.done(key, Ok(Outcome::Twin(parse(twin("E1", 2, json!({"a": 1, "b": 1}), json!({}))))));
    let tab = desk.app.tab(&id).unwrap();
    assert!(matches!(tab.save, SaveState::Failed { failure: Failure::Unknown { landed: Some(false), .. }, .. }));
    assert!(tab.is_dirty());
}

#[test]
fn a_report_stands_in_nobodys_way() {
    let (mut desk, id) = typed(r#"{"a": 2, "b": 1}"#);
    // Version and reported move, the etag does not.
    let reported = parse(twin("E1", 5, json!({"a": 1, "b": 1}), json!({"seen": 1})));
    desk.fact(Fact::TwinSeen { twin: reported, source: Source::Watch });
    assert!(desk.app.tab(&id).unwrap().moved.is_none());
    let (_, body, guard) = sent(desk.act(Action::Save(id.clone())));
    assert_eq!(body, json!({"properties": {"desired": {"a": 2}}}));
    assert_eq!(guard, Guard::Etag(Etag("E1".to_owned())));
}

#[test]
fn choices_survive_a_failure_and_what_the_hub_does_elsewhere() {
    let (mut desk, id) = typed(r#"{"a": 2, "b": 2}"#);
    seen(&mut desk, "E2", 3, json!({"a": 3, "b": 3}));
    desk.act(Action::ShowConflict(id.clone()));
    choose(&mut desk, &id, "a", Choice::Theirs);
    assert!(desk.app.tab(&id).unwrap().moved.as_ref().unwrap().ready.is_none());
    let shown = |desk: &Desk| desk.app.tab(&id).unwrap().shown().unwrap();
    // An open clash is never sent, however it is asked for.
    let action = Action::SaveMerged { id: id.clone(), shown: shown(&desk) };
    assert!(desk.act(action).is_empty());
    choose(&mut desk, &id, "b", Choice::Mine);

    let action = Action::SaveMerged { id: id.clone(), shown: shown(&desk) };
    let (key, body, guard) = sent(desk.act(action));
    assert_eq!(body, json!({"properties": {"desired": {"b": 2}}}));
    assert_eq!(guard, Guard::Etag(Etag("E2".to_owned())));
    let reason = "timed out".to_owned();
    desk.done(key, Err(Failure::Hub(HubError::Unreachable { host: "localhost".to_owned(), reason })));
    assert_eq!(desk.text(&id), r#"{"a": 2, "b": 2}"#, "nothing was decided until it is saved");

    // What is new elsewhere leaves both choices; what is new at a path takes its choice back.
    desk.act(Action::ShowConflict(id.clone()));
    seen(&mut desk, "E3", 4, json!({"a": 3, "b": 3, "c": 1}));
    let chosen = |desk: &Desk| desk.app.tab(&id).unwrap().moved.as_ref().unwrap().chosen.clone();
    assert_eq!(chosen(&desk), [Some(Choice::Theirs), Some(Choice::Mine)]);
    seen(&mut desk, "E4", 5, json!({"a": 3, "b": 4, "c": 1}));
    assert_eq!(chosen(&desk), [Some(Choice::Theirs), None]);
    let again = desk.app.tab(&id).unwrap().moved.as_ref().unwrap().again.clone().unwrap();
    let b = Path(vec![Segment::Key("b".to_owned())]);
    let asked = Asked { section: Section::Desired, path: b, before: Some(Choice::Mine) };
    assert_eq!(again, Again { held: 1, asked: vec![asked] });
    choose(&mut desk, &id, "b", Choice::Mine);
    let action = Action::SaveMerged { id: id.clone(), shown: shown(&desk) };
    let (key, ..) = sent(desk.act(action));
    desk.done(key, Ok(Outcome::Saved(parse(twin("E5", 6, json!({"a": 3, "b": 2, "c": 1}), json!({}))))));
    let tab = desk.app.tab(&id).unwrap();
    assert!(tab.moved.is_none() && !tab.is_dirty() && !tab.conflict_open);
    assert_eq!(
        tab.draft.as_ref().unwrap().desired.parsed.document.as_ref().map(|d| json!(d)),
        Some(json!({"a": 3, "b": 2, "c": 1}))
    );
}

#[test]
fn every_choice_the_hubs_own_sends_nothing() {
    let (mut desk, id) = typed(r#"{"a": 2, "b": 1}"#);
    seen(&mut desk, "E2", 3, json!({"a": 3, "b": 1}));
    desk.act(Action::ShowConflict(id.clone()));
    desk.act(Action::ChooseAll { id: id.clone(), choice: Choice::Theirs });
    let shown = desk.app.tab(&id).unwrap().shown().unwrap();
    let commands = desk.act(Action::SaveMerged { id: id.clone(), shown });
    assert!(matches!(commands.as_slice(), [Command::KeepDiscarded { .. }]), "only the journal is told: {commands:?}");
    let tab = desk.app.tab(&id).unwrap();
    assert!(!tab.is_dirty() && tab.moved.is_none() && !tab.conflict_open);
    assert_eq!(tab.draft.as_ref().unwrap().base.etag.0, "E2");
    assert!(desk.app.notices.iter().any(|notice| notice.text.contains("there is nothing to send")));
}

#[test]
fn what_was_typed_since_it_was_shown_is_not_sent_unseen() {
    let (mut desk, id) = typed(r#"{"a": 2, "b": 1}"#);
    seen(&mut desk, "E2", 3, json!({"a": 3, "b": 1}));
    desk.act(Action::ShowConflict(id.clone()));
    desk.act(Action::ChooseAll { id: id.clone(), choice: Choice::Mine });
    let shown = desk.app.tab(&id).unwrap().shown().unwrap();
    seen(&mut desk, "E3", 4, json!({"a": 4, "b": 1}));
    assert!(desk.act(Action::SaveMerged { id: id.clone(), shown: shown.clone() }).is_empty());
    assert!(desk.act(Action::OverwriteHubVersion { id: id.clone(), shown }).is_empty());
    assert!(desk.app.tab(&id).unwrap().conflict_open);
    assert!(desk.app.notices.iter().any(|notice| notice.text.contains("The hub has moved again since you looked")));
}

/// A merged save is under way; the text still shows what it was before, and somebody types on.
fn typed_while_merging(text: &str) -> (Desk, TwinId) {
    let (mut desk, id) = typed(r#"{"a": 2, "b": 1}"#);
    seen(&mut desk, "E2", 3, json!({"a": 3, "b": 9}));
    desk.act(Action::ShowConflict(id.clone()));
    desk.act(Action::ChooseAll { id: id.clone(), choice: Choice::Mine });
    let shown = desk.app.tab(&id).unwrap().shown().unwrap();
    let (key, body, _) = sent(desk.act(Action::SaveMerged { id: id.clone(), shown }));
    assert_eq!(body, json!({"properties": {"desired": {"a": 2}}}));
    desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text: text.to_owned() });
    desk.done(key, Ok(Outcome::Saved(parse(twin("E3", 4, json!({"a": 2, "b": 9}), json!({}))))));
    (desk, id)
}

#[test]
fn what_is_typed_during_a_save_over_what_others_changed_is_asked_about() {
    let (mut desk, id) = typed_while_merging(r#"{"a": 2, "b": 5}"#);
    let tab = desk.app.tab(&id).unwrap();
    assert_eq!(desk.text(&id), r#"{"a": 2, "b": 5}"#);
    let clashes = &tab.moved.as_ref().expect("the hub has another value").clashes;
    assert_eq!((clashes.len(), &clashes[0].1.theirs), (1, &Some(json!(9))));
    assert!(desk.act(Action::Save(id.clone())).is_empty(), "9 would be overwritten, and nobody saw it");
    assert!(desk.app.tab(&id).unwrap().conflict_open);

    // What touches nothing of others needs no question.
    let (mut desk, id) = typed_while_merging(r#"{"a": 7, "b": 1}"#);
    assert!(desk.app.tab(&id).unwrap().moved.is_none());
    assert_eq!(desk.text(&id), r#"{"a": 7, "b": 9}"#);
    let (_, body, guard) = sent(desk.act(Action::Save(id.clone())));
    assert_eq!((body, guard), (json!({"properties": {"desired": {"a": 7}}}), Guard::Etag(Etag("E3".to_owned()))));
}

#[test]
fn a_text_left_half_typed_during_a_save_takes_nobodys_change_back() {
    let (mut desk, id) = typed_while_merging(r#"{"a": 2, "b": 1, "c"#);
    assert_eq!(desk.text(&id), r#"{"a": 2, "b": 1, "c"#);
    let text = r#"{"a": 2, "b": 1, "c": 1}"#.to_owned();
    desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text });
    assert!(desk.act(Action::Save(id.clone())).is_empty());
    desk.act(Action::ShowConflict(id.clone()));
    let shown = desk.app.tab(&id).unwrap().shown().unwrap();
    let (_, body, _) = sent(desk.act(Action::SaveMerged { id, shown }));
    assert_eq!(body, json!({"properties": {"desired": {"c": 1}}}));
}

/// What the window does in every frame in which no caret stands there.
#[track_caller]
fn follow(desk: &mut Desk, id: &TwinId) {
    let tab = desk.app.tab(id).unwrap();
    assert!(tab.to_follow().is_some());
    let shown = tab.shown().unwrap();
    desk.act(Action::FollowHub { id: id.clone(), shown });
}

fn follows(desk: &Desk, id: &TwinId) -> bool {
    desk.app.tab(id).unwrap().to_follow().is_some()
}

#[test]
fn the_watch_follows_again_once_the_view_is_closed_and_choices_stay() {
    let (mut desk, id) = typed(r#"{"a": 2, "b": 2, "c": 1}"#);
    seen(&mut desk, "E2", 3, json!({"a": 3, "b": 3, "d": 1}));
    desk.act(Action::ShowConflict(id.clone()));
    choose(&mut desk, &id, "a", Choice::Theirs);
    assert!(!follows(&desk, &id), "under the question nothing moves");
    seen(&mut desk, "E3", 4, json!({"a": 3, "b": 3, "d": 2}));
    assert!(!follows(&desk, &id), "under the question nothing moves");

    desk.act(Action::LeaveConflict(id.clone()));
    follow(&mut desk, &id);
    assert_eq!(desk.text(&id), r#"{"a": 2, "b": 2, "d": 2, "c": 1}"#);
    // And what comes after that, too.
    seen(&mut desk, "E4", 5, json!({"a": 3, "b": 3, "d": 5}));
    follow(&mut desk, &id);
    assert_eq!(desk.text(&id), r#"{"a": 2, "b": 2, "d": 5, "c": 1}"#);
    let moved = desk.app.tab(&id).unwrap().moved.as_ref().unwrap();
    assert_eq!(moved.chosen, [Some(Choice::Theirs), None], "a choice got lost");
    // A save still asks before it overwrites anything.
    assert!(desk.act(Action::Save(id.clone())).is_empty());
    assert!(desk.app.tab(&id).unwrap().conflict_open);
}

#[test]
fn nothing_follows_that_is_not_watched() {
    let (mut desk, id) = typed(r#"{"a": 2, "b": 1}"#);
    desk.act(Action::SetWatch { id: id.clone(), on: Watching::Off });
    let (key, ..) = sent(desk.act(Action::Save(id.clone())));
    desk.done(key, Ok(Outcome::Conflict { theirs: parse(twin("E2", 3, json!({"a": 3, "b": 9}), json!({}))) }));
    desk.act(Action::LeaveConflict(id.clone()));
    assert!(!follows(&desk, &id));
    assert_eq!(desk.text(&id), r#"{"a": 2, "b": 1}"#);
}

#[test]
fn a_refused_save_does_not_end_the_following() {
    let (mut desk, id) = typed(r#"{"a": 2, "b": 1}"#);
    let (key, ..) = sent(desk.act(Action::Save(id.clone())));
    desk.done(key, Ok(Outcome::Conflict { theirs: parse(twin("E2", 3, json!({"a": 3, "b": 9}), json!({}))) }));
    assert!(!follows(&desk, &id));
    desk.act(Action::LeaveConflict(id.clone()));
    follow(&mut desk, &id);
    assert_eq!(desk.text(&id), r#"{"a": 2, "b": 9}"#);
}

#[test]
fn an_overwrite_that_fails_leaves_the_text_as_it_was_sent() {
    let (mut desk, id) = typed(r#"{"a": 2, "b": 1}"#);
    seen(&mut desk, "E2", 3, json!({"a": 3, "b": 9}));
    desk.act(Action::ShowConflict(id.clone()));
    let shown = desk.app.tab(&id).unwrap().shown().unwrap();
    let (key, body, _) = sent(desk.act(Action::OverwriteHubVersion { id: id.clone(), shown }));
    assert_eq!(body, json!({"properties": {"desired": {"a": 2, "b": 1}}}));
    let reason = "timed out".to_owned();
    desk.done(key, Err(Failure::Hub(HubError::Unreachable { host: "localhost".to_owned(), reason })));
    assert!(!follows(&desk, &id), "their b would be in the text that was to overwrite it");
}

#[test]
fn nothing_follows_while_it_is_not_known_what_a_save_did() {
    let (mut desk, id) = typed(r#"{"a": 2, "b": 1}"#);
    seen(&mut desk, "E2", 3, json!({"a": 3, "b": 9}));
    desk.act(Action::ShowConflict(id.clone()));
    desk.act(Action::ChooseAll { id: id.clone(), choice: Choice::Mine });
    let shown = desk.app.tab(&id).unwrap().shown().unwrap();
    let (key, ..) = sent(desk.act(Action::SaveMerged { id: id.clone(), shown }));
    desk.done(key, Err(unknown()));
    assert!(!follows(&desk, &id));
    seen(&mut desk, "E3", 4, json!({"a": 2, "b": 9}));
    let tab = desk.app.tab(&id).unwrap();
    assert!(matches!(tab.save, SaveState::Saved { .. }) && !tab.is_dirty());
}

#[test]
fn version_and_age_belong_together() {
    let (mut desk, id) = typed(r#"{"a": 2, "b": 1}"#);
    desk.later(60_000);
    seen(&mut desk, "E2", 3, json!({"a": 3, "b": 1}));
    let told =
        |desk: &Desk| desk.app.tab(&id).unwrap().moved.as_ref().map(|moved| (moved.version, moved.at.ms)).unwrap();
    assert_eq!(told(&desk), (3, 60_000));
    // A report makes a newer version; what moved under the edits is as old as it was.
    desk.later(60_000);
    let reported = parse(twin("E2", 4, json!({"a": 3, "b": 1}), json!({"seen": 1})));
    desk.fact(Fact::TwinSeen { twin: reported, source: Source::Watch });
    assert_eq!(told(&desk), (3, 60_000));
    desk.later(60_000);
    seen(&mut desk, "E3", 5, json!({"a": 3, "b": 9}));
    assert_eq!(told(&desk), (5, 180_000));
    // What came into the text is as old as the version that brought it, whenever the caret left it.
    desk.later(60_000);
    follow(&mut desk, &id);
    let followed = desk.app.tab(&id).unwrap().followed.as_ref().unwrap();
    assert_eq!((followed.version, followed.at.ms), (5, 180_000));
}

#[test]
fn what_came_in_by_itself_is_known_until_it_is_typed_over() {
    let (mut desk, id) = typed(r#"{"a": 2, "b": 1}"#);
    seen(&mut desk, "E2", 3, json!({"a": 3, "b": 9, "c": 9}));
    follow(&mut desk, &id);
    let taken = |desk: &Desk| {
        let moved = desk.app.tab(&id).unwrap().moved.as_ref().unwrap();
        moved.taken.iter().map(|(_, change)| change.path.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(taken(&desk), ["b", "c"]);
    let text = r#"{"a": 2, "b": 5, "c": 9}"#.to_owned();
    desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text });
    assert_eq!(taken(&desk), ["c"]);
}

#[test]
fn that_the_hub_moved_again_is_said_until_it_is_answered() {
    let (mut desk, id) = typed(r#"{"a": 2, "b": 2, "c": 1}"#);
    let again = |desk: &Desk| desk.app.tab(&id).unwrap().moved.as_ref().unwrap().again.clone();
    seen(&mut desk, "E2", 3, json!({"a": 3, "b": 3}));
    desk.act(Action::ShowConflict(id.clone()));
    choose(&mut desk, &id, "a", Choice::Mine);
    assert_eq!(again(&desk), None);
    // It asks nothing new: said until something is done about the view.
    seen(&mut desk, "E3", 4, json!({"a": 3, "b": 3, "z": 1}));
    assert_eq!(again(&desk), Some(Again { held: 1, asked: Vec::new() }));
    choose(&mut desk, &id, "b", Choice::Theirs);
    assert_eq!(again(&desk), None);

    // One row is changed, one is new; each asks until it is answered, and the line goes with the last.
    seen(&mut desk, "E4", 5, json!({"a": 3, "b": 4, "c": 4, "z": 1}));
    let asked =
        |key: &str, before| Asked { section: Section::Desired, path: Path(vec![Segment::Key(key.to_owned())]), before };
    let both = vec![asked("b", Some(Choice::Theirs)), asked("c", None)];
    assert_eq!(again(&desk), Some(Again { held: 1, asked: both }));
    choose(&mut desk, &id, "b", Choice::Mine);
    assert_eq!(again(&desk), Some(Again { held: 1, asked: vec![asked("c", None)] }));
    // An answer by typing is one too.
    let text = r#"{"a": 2, "b": 2, "c": 4}"#.to_owned();
    desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text });
    assert_eq!(again(&desk), None);
}

#[test]
fn a_hub_that_takes_its_change_back_says_why_the_question_goes() {
    let (mut desk, id) = typed(r#"{"a": 2, "b": 1}"#);
    seen(&mut desk, "E2", 3, json!({"a": 3, "b": 1}));
    desk.act(Action::ShowConflict(id.clone()));
    seen(&mut desk, "E3", 4, json!({"a": 1, "b": 1}));
    assert!(!desk.app.tab(&id).unwrap().conflict_open);
    assert!(desk.app.notices.iter().any(|notice| notice.text.contains("Nothing is left to decide")));
    let (_, _, guard) = sent(desk.act(Action::Save(id.clone())));
    assert_eq!(guard, Guard::Etag(Etag("E3".to_owned())));
}
