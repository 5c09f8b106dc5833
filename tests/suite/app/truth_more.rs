//! Notices, dialogs and lists after what made them untrue.

use super::{Desk, parse, twin};
use serde_json::{Value, json};
use std::sync::Arc;
use twinscope::app::{Action, Dialog};
use twinscope::client::HubError;
use twinscope::protocol::error::ServiceError;
use twinscope::protocol::identity::{self, Identity};
use twinscope::twin::{ConnectionState, Section, Status, TwinId, wire};
use twinscope::worker::event::{DeviceRow, Outcome, Source};
use twinscope::worker::{Command, Fact, Failure, Key};

fn failed() -> Failure {
    Failure::Hub(HubError::HubFailed { status: 503, service: ServiceError::default() })
}

fn record(device: &str, status: &str) -> Box<Identity> {
    let record = json!({
        "deviceId": device, "generationId": "1", "etag": "MQ==", "status": status, "connectionState": "Disconnected",
        "authentication": {"type": "sas", "symmetricKey": {"primaryKey": "AAAA", "secondaryKey": "AAAA"}}
    });
    Box::new(identity::from_json(&record).unwrap())
}

fn device(status: &str, etag: &str, version: u64) -> Value {
    json!({
        "deviceId": "d", "etag": etag, "deviceEtag": "MQ==", "status": status, "connectionState": "Disconnected",
        "version": version, "properties": {"desired": {"$version": 1}, "reported": {"$version": 1}}
    })
}

fn said(desk: &Desk) -> Vec<&str> {
    desk.app.notices.iter().map(|notice| notice.text.as_str()).collect()
}

/// Asks to delete a device whose record is read, and confirms.
fn delete(desk: &mut Desk, device: &str) -> Key {
    ask_to_delete(desk, device);
    match desk.act(Action::Delete(TwinId::device(device))).pop() {
        Some(Command::DeleteIdentity { key, .. }) => key,
        other => panic!("it is not deleted: {other:?}"),
    }
}

fn ask_to_delete(desk: &mut Desk, device: &str) {
    let commands = desk.act(Action::ShowDelete(TwinId::device(device)));
    let Some(Command::LoadIdentity { key, .. }) = commands.first() else { panic!("the record is not read") };
    desk.done(*key, Ok(Outcome::Identity(record(device, "enabled"))));
}

fn create(desk: &mut Desk, device: &str) -> Key {
    desk.act(Action::ShowAddDevice);
    match desk.act(Action::Create(TwinId::device(device))).pop() {
        Some(Command::CreateIdentity { key, .. }) => key,
        other => panic!("it is not created: {other:?}"),
    }
}

#[test]
fn a_delete_that_failed_is_no_word_in_the_question_about_another() {
    let mut desk = Desk::open();
    let first = delete(&mut desk, "a");
    desk.act(Action::CloseDialog);
    ask_to_delete(&mut desk, "b");
    desk.done(first, Err(failed()));
    let Some(Dialog::Delete { id, etag, problem, .. }) = &desk.app.dialog else { panic!("the question went") };
    assert_eq!((id, problem), (&TwinId::device("b"), &None));
    assert!(etag.is_some());
    assert!(said(&desk).iter().any(|text| text.starts_with("a was not deleted")), "{:?}", said(&desk));
}

#[test]
fn one_word_at_a_time_on_whether_an_identity_exists() {
    let mut desk = Desk::open();
    let key = create(&mut desk, "a");
    desk.act(Action::CloseDialog);
    desk.done(key, Err(failed()));
    assert_eq!(said(&desk).len(), 1);
    let key = create(&mut desk, "a");
    desk.done(key, Ok(Outcome::Created { identity: record("a", "enabled"), existed: false }));
    assert_eq!(said(&desk), ["Created a with keys made by the hub"]);
    let key = delete(&mut desk, "a");
    desk.done(key, Ok(Outcome::Deleted { id: TwinId::device("a") }));
    assert_eq!(said(&desk), ["Deleted a"]);
}

#[test]
fn what_came_of_one_new_device_leaves_the_form_of_the_next_alone() {
    for answer in [Ok(Outcome::Created { identity: record("a", "enabled"), existed: false }), Err(failed())] {
        let mut desk = Desk::open();
        let key = create(&mut desk, "a");
        desk.act(Action::CloseDialog);
        desk.act(Action::ShowAddDevice);
        desk.act(Action::DialogText { field: twinscope::app::dialog::Field::Text, text: "next".to_owned() });
        desk.done(key, answer);
        let Some(Dialog::AddDevice { text, problem, .. }) = &desk.app.dialog else { panic!("the form went") };
        assert_eq!((text.as_str(), problem), ("next", &None));
    }
}

#[test]
fn enabled_now_is_not_said_of_a_device_seen_disabled() {
    let (mut desk, id) = Desk::with_twin(device("disabled", "E1", 2));
    let commands = desk.act(Action::SetStatus { id, status: Status::Enabled });
    let Some(Command::SetStatus { key, .. }) = commands.last() else { panic!("it is not set: {commands:?}") };
    desk.done(*key, Ok(Outcome::Identity(record("d", "enabled"))));
    assert_eq!(said(&desk), ["d is enabled now"]);
    desk.fact(Fact::TwinSeen { twin: parse(device("enabled", "E2", 3)), source: Source::Watch });
    assert_eq!(said(&desk), ["d is enabled now"]);
    desk.fact(Fact::TwinSeen { twin: parse(device("disabled", "E3", 4)), source: Source::Watch });
    assert!(said(&desk).is_empty(), "{:?}", said(&desk));
}

#[test]
fn a_question_about_edits_goes_when_they_were_saved() {
    let questions: [fn(TwinId) -> Action; 4] =
        [Action::Discard, Action::ReloadFromHub, Action::CloseTab, |_| Action::Quit];
    for question in questions {
        let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})));
        let text = json!({"a": 2}).to_string();
        desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text });
        let Some(Command::PatchTwin { key, .. }) = desk.act(Action::Save(id.clone())).pop() else { panic!("no PATCH") };
        desk.act(question(id));
        assert!(desk.app.dialog.is_some(), "it is asked");
        let saved = wire::from_json(twin("E2", 3, json!({"a": 2}), json!({}))).unwrap();
        desk.done(key, Ok(Outcome::Saved(Arc::new(saved))));
        assert_eq!(desk.app.dialog, None);
    }
}

#[test]
fn an_offer_to_act_goes_with_the_device() {
    let (mut desk, id) = Desk::with_twin(device("enabled", "E1", 2));
    let key = delete(&mut desk, "d");
    desk.act(Action::CloseDialog);
    desk.act(Action::ShowActAs(id.clone()));
    desk.done(key, Ok(Outcome::Deleted { id }));
    assert_eq!(desk.app.dialog, None);
}

#[test]
fn a_list_that_became_whole_is_not_called_incomplete() {
    let mut desk = Desk::open();
    for (complete, notices) in [(false, 1), (false, 1), (true, 0), (false, 1)] {
        list(&mut desk, &["a"], complete);
        assert_eq!(said(&desk).len(), notices, "{:?}", said(&desk));
    }
}

fn list(desk: &mut Desk, ids: &[&str], complete: bool) {
    let commands = desk.act(Action::RefreshFleet);
    let Some(Command::LoadFleet { key }) = commands.first() else { panic!("nothing is listed") };
    let row = |id: &&str| DeviceRow {
        id: (*id).to_owned(),
        status: Status::Enabled,
        connection_state: ConnectionState::Disconnected,
        modules: None,
        iot_edge: false,
    };
    desk.fact(Fact::FleetPage { key: *key, rows: ids.iter().map(row).collect() });
    desk.done(*key, Ok(Outcome::FleetDone { devices: ids.len(), complete }));
}

#[test]
fn modules_of_a_device_that_is_gone_are_not_offered() {
    let mut desk = Desk::open();
    list(&mut desk, &["a", "b"], true);
    let commands = desk.act(Action::Expand { device: "a".to_owned(), open: true });
    let Some(Command::LoadModules { key, .. }) = commands.first() else { panic!("no modules are listed") };
    let module = twinscope::worker::event::ModuleRow {
        id: TwinId::module("a", "m"),
        connection_state: ConnectionState::Disconnected,
    };
    desk.done(*key, Ok(Outcome::Modules { device: "a".to_owned(), modules: vec![module] }));
    assert_eq!(desk.app.fleet.go_to("a/m", &[], 9), [TwinId::module("a", "m")]);
    list(&mut desk, &["b"], true);
    assert!(desk.app.fleet.go_to("a/m", &[], 9).is_empty());
}
