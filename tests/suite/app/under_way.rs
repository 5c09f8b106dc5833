//! What happens between a click and its answer: typing on, leaving, coming back.

use super::{Desk, load_key, parse, twin};
use serde_json::json;
use twinscope::app::dialog::{Check, Dialog};
use twinscope::app::tab::SaveState;
use twinscope::app::{Action, HubState};
use twinscope::client::HubError;
use twinscope::client::link::LinkState;
use twinscope::protocol::secret::Secret;
use twinscope::twin::{Section, TwinId};
use twinscope::worker::event::{CheckReport, HubEntry, HubInfo, Outcome, Reachability, SecretStore, Source};
use twinscope::worker::{Command, Connect, Fact, Failure, HubRef, Key};

fn type_desired(desk: &mut Desk, id: &TwinId, text: &str) {
    desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text: text.to_owned() });
}

fn save(desk: &mut Desk, id: &TwinId) -> Key {
    match desk.act(Action::Save(id.clone())).pop() {
        Some(Command::PatchTwin { key, .. }) => key,
        other => panic!("expected a PATCH, got {other:?}"),
    }
}

fn start(desired: serde_json::Value) -> (Desk, TwinId) {
    Desk::with_twin(twin("E1", 2, desired, json!({})))
}

fn watch(desk: &mut Desk, etag: &str, version: u64, desired: serde_json::Value) {
    let twin = parse(twin(etag, version, desired, json!({})));
    desk.fact(Fact::TwinSeen { twin, source: Source::Watch });
}

#[test]
fn typing_back_to_the_old_value_while_saving_is_an_edit_too() {
    let (mut desk, id) = start(json!({"c": 3}));
    type_desired(&mut desk, &id, r#"{"c": 77}"#);
    let key = save(&mut desk, &id);
    type_desired(&mut desk, &id, r#"{"c": 3}"#);
    desk.done(key, Ok(Outcome::Saved(parse(twin("E2", 3, json!({"c": 77}), json!({}))))));
    assert_eq!(desk.text(&id), r#"{"c": 3}"#);
    assert!(desk.app.tab(&id).unwrap().is_dirty());
}

#[test]
fn typing_on_does_not_undo_what_others_wrote_right_after_the_save() {
    let (mut desk, id) = start(json!({"a": 1, "b": 1}));
    type_desired(&mut desk, &id, r#"{"a": 2, "b": 1}"#);
    let key = save(&mut desk, &id);
    type_desired(&mut desk, &id, r#"{"a": 2, "b": 1, "c": 3}"#);
    let now = Some(parse(twin("E3", 4, json!({"a": 2, "b": 9}), json!({}))));
    desk.done(key, Err(Failure::Unknown { landed: Some(true), now, reason: "lost".to_owned() }));
    let Some(Command::PatchTwin { body, .. }) = desk.act(Action::Save(id)).pop() else { panic!("no PATCH") };
    assert_eq!(json!(body), json!({"properties": {"desired": {"c": 3}}}));
}

#[test]
fn a_text_that_does_not_parse_is_not_rebased_over_their_change() {
    let (mut desk, id) = start(json!({"a": 1, "b": 2}));
    type_desired(&mut desk, &id, r#"{"a": 1000, "b": 2"#);
    watch(&mut desk, "E2", 3, json!({"a": 555, "b": 2}));
    assert!(desk.app.tab(&id).unwrap().moved.as_ref().unwrap().unparsed);
    desk.act(Action::RebaseEdits(id.clone()));
    assert!(desk.app.tab(&id).unwrap().moved.is_some(), "nothing was decided");
    type_desired(&mut desk, &id, r#"{"a": 1000, "b": 2}"#);
    let moved = desk.app.tab(&id).unwrap().moved.as_ref().unwrap();
    assert!(!moved.unparsed);
    assert_eq!(moved.clashes.len(), 1);
}

#[test]
fn the_text_under_the_caret_waits_until_the_caret_leaves() {
    let (mut desk, id) = start(json!({"a": 1}));
    let before = desk.text(&id).to_owned();
    desk.act(Action::Caret { id: id.clone(), section: Some(Section::Desired) });
    watch(&mut desk, "E2", 3, json!({"a": 5}));
    assert_eq!(desk.text(&id), before);
    assert!(desk.app.tab(&id).unwrap().moved.is_some());
    desk.act(Action::Caret { id: id.clone(), section: None });
    assert!(desk.text(&id).contains('5'));
    assert!(desk.app.tab(&id).unwrap().moved.is_none());
    // A refresh is asked for by name: it shows what the hub has.
    desk.act(Action::Caret { id: id.clone(), section: Some(Section::Desired) });
    let key = load_key(&desk.act(Action::Refresh(id.clone())));
    desk.done(key, Ok(Outcome::Twin(parse(twin("E3", 4, json!({"a": 6}), json!({}))))));
    assert!(desk.text(&id).contains('6'));
}

#[test]
fn the_same_change_by_both_sides_is_no_conflict() {
    let (mut desk, id) = start(json!({"a": 1}));
    type_desired(&mut desk, &id, r#"{"a": 4000}"#);
    watch(&mut desk, "E2", 3, json!({"a": 4000}));
    let tab = desk.app.tab(&id).unwrap();
    assert!(tab.moved.is_none() && !tab.is_dirty());
    assert_eq!(desk.text(&id), r#"{"a": 4000}"#);
}

#[test]
fn leaving_a_hub_in_the_middle_of_a_save_does_not_leave_the_tab_waiting() {
    let (mut desk, id) = start(json!({"a": 1}));
    type_desired(&mut desk, &id, r#"{"a": 2}"#);
    let key = save(&mut desk, &id);
    let Some(Command::Open { key: other, .. }) = desk.act(Action::OpenHub(HubRef::Environment)).pop() else { panic!() };
    desk.done(key, Err(Failure::Cancelled));
    let info = |hub| HubInfo {
        hub,
        name: "n".to_owned(),
        host: "h".to_owned(),
        policy: "p".to_owned(),
        api_version: "2021-04-12",
    };
    desk.done(other, Ok(Outcome::Connected(info(HubRef::Environment))));
    let Some(Command::Open { key: back, .. }) = desk.act(Action::OpenHub(HubRef::Local)).pop() else { panic!() };
    let commands = desk.done(back, Ok(Outcome::Connected(info(HubRef::Local))));
    let tab = desk.app.tab(&id).unwrap();
    assert!(matches!(tab.save, SaveState::Failed { failure: Failure::Unknown { landed: None, .. }, .. }));
    assert!(commands.iter().any(|command| matches!(command, Command::Watch { id: watched } if *watched == id)));
    // It had landed: the reading says so, and nothing is left to save.
    desk.done(load_key(&commands), Ok(Outcome::Twin(parse(twin("E2", 3, json!({"a": 2}), json!({}))))));
    assert!(!desk.app.tab(&id).unwrap().is_dirty());
}

#[test]
fn an_older_answer_never_takes_the_place_of_a_newer_one() {
    let (mut desk, id) = start(json!({"a": 1}));
    let key = load_key(&desk.act(Action::Refresh(id.clone())));
    watch(&mut desk, "E2", 3, json!({"a": 2}));
    desk.done(key, Ok(Outcome::Twin(parse(twin("E1", 2, json!({"a": 1}), json!({}))))));
    assert_eq!(desk.app.tab(&id).unwrap().current().unwrap().version, 3);
    assert!(desk.text(&id).contains('2'));
}

#[test]
fn an_outage_is_forgotten_when_it_is_over() {
    let (mut desk, id) = start(json!({"a": 1}));
    let gone = || HubError::Unreachable { host: "h".to_owned(), reason: "gone".to_owned() };
    desk.fact(Fact::HubReachable(Reachability::Offline { reason: "gone".to_owned() }));
    desk.fact(Fact::WatchFailed { id: id.clone(), error: gone() });
    let Some(Command::LoadFleet { key }) = desk.act(Action::RefreshFleet).into_iter().next() else { panic!() };
    desk.done(key, Err(Failure::Hub(gone())));
    assert!(desk.app.fleet.failure().is_some());
    let commands = desk.fact(Fact::HubReachable(Reachability::Online));
    assert!(matches!(commands[..], [Command::LoadFleet { .. }]));
    assert_eq!(desk.app.tab(&id).unwrap().watch_problem, None);
}

#[test]
fn a_listing_that_failed_is_tried_again_by_itself() {
    let mut desk = Desk::open();
    let Some(Command::LoadFleet { key }) = desk.act(Action::RefreshFleet).into_iter().next() else { panic!() };
    desk.done(key, Err(Failure::Hub(HubError::Nonsense { what: "HTML".to_owned() })));
    let wait = desk.app.tick(desk.now).next_ms.unwrap();
    desk.later(wait);
    assert!(matches!(desk.app.tick(desk.now).commands[..], [Command::LoadFleet { .. }]));
}

#[test]
fn the_hub_opened_by_itself_does_not_push_aside_the_one_that_was_chosen() {
    let mut desk = Desk { app: twinscope::app::App::new(), now: twinscope::app::Moment::default() };
    let entry = HubEntry {
        hub: HubRef::Environment,
        name: "n".to_owned(),
        host: "h".to_owned(),
        policy: "p".to_owned(),
        has_secret: true,
    };
    desk.fact(Fact::Hubs { hubs: vec![entry], secrets: SecretStore::Keyring });
    desk.act(Action::OpenHub(HubRef::Local));
    desk.done(Key(0), Err(Failure::Cancelled));
    assert!(matches!(&desk.app.hub, HubState::Opening { hub: HubRef::Local, .. }));

    let mut first = Desk { app: twinscope::app::App::new(), now: twinscope::app::Moment::default() };
    first.fact(Fact::Hubs { hubs: desk.app.hubs.clone(), secrets: SecretStore::Keyring });
    first.done(Key(0), Err(Failure::Local("no".to_owned())));
    assert!(matches!(&first.app.hub, HubState::Failed { hub: HubRef::Environment, .. }));
}

#[test]
fn a_report_that_was_not_sent_is_not_lost_unasked() {
    let (mut desk, id) = start(json!({}));
    let Some(Command::ActAs { key, .. }) = desk.act(Action::ActAs(id.clone())).pop() else { panic!() };
    // Stopping what is only being made cancels it.
    let stop = desk.act(Action::StopActing(id.clone()));
    assert!(stop.iter().any(|command| matches!(command, Command::Cancel { key: cancelled } if *cancelled == key)));
    desk.done(key, Ok(Outcome::ActStarted { id: id.clone() }));
    desk.fact(Fact::Link { id: id.clone(), state: LinkState::Online { session_present: false } });
    desk.act(Action::EditReport { id: id.clone(), text: r#"{"t": 1}"#.to_owned() });
    desk.fact(Fact::Link { id: id.clone(), state: LinkState::Closed });
    desk.act(Action::CloseTab(id.clone()));
    assert_eq!(desk.app.dialog, Some(Dialog::CloseTab { id: id.clone() }));
    desk.act(Action::CloseDialog);
    desk.act(Action::ActAs(id.clone()));
    assert_eq!(desk.app.tab(&id).unwrap().act.as_ref().unwrap().report_text, r#"{"t": 1}"#);
    let Some(Command::Report { key, .. }) = desk.act(Action::SendReport(id.clone())).pop() else { panic!() };
    desk.done(key, Ok(Outcome::Reported { id: id.clone(), version: 2 }));
    assert!(!desk.app.tab(&id).unwrap().would_lose());
}

#[test]
fn connecting_checks_first_and_a_device_string_is_refused_as_typed() {
    let mut desk = Desk::open();
    desk.act(Action::ShowAddConnection);
    desk.act(Action::SecretText(Secret::new("HostName=h;DeviceId=d;SharedAccessKey=AAAA")));
    let Some(Dialog::AddConnection(form)) = &desk.app.dialog else { panic!() };
    assert!(form.problem.as_ref().unwrap().contains("Shared access policies"));

    let connection_string = Secret::new("HostName=h;SharedAccessKeyName=service;SharedAccessKey=AAAA");
    let connect = Connect { name: String::new(), connection_string, ca_file: None, ..Connect::default() };
    let Some(Command::Check { key, .. }) = desk.act(Action::AddConnection(connect.clone())).pop() else { panic!() };
    desk.done(key, Err(Failure::Local("no".to_owned())));
    let Some(Dialog::AddConnection(form)) = &desk.app.dialog else { panic!("the dialog went away") };
    assert!(matches!(&form.check, Check::Bad { connect: Some(_), .. }));

    let Some(Command::Check { key, .. }) = desk.act(Action::AddConnection(connect)).pop() else { panic!() };
    let report = CheckReport {
        host: "h".to_owned(),
        policy: "service".to_owned(),
        permissions: Vec::new(),
        clock_ahead_s: None,
        ms: 1,
    };
    assert!(matches!(desk.done(key, Ok(Outcome::Checked(report)))[..], [Command::Add { .. }]));
}
