//! Connections, identities, dialogs.

use super::{Desk, twin};
use serde_json::json;
use twinscope::app::dialog::{Check, Dialog, Field};
use twinscope::app::{Action, App, HubState, Moment};
use twinscope::protocol::identity;
use twinscope::protocol::secret::Secret;
use twinscope::twin::TwinId;
use twinscope::worker::event::{HubEntry, Outcome, SecretStore};
use twinscope::worker::{Command, Connect, Fact, Failure, HubRef, Key};

const GOOD: &str = "HostName=h.azure-devices.net;SharedAccessKeyName=service;SharedAccessKey=AAAA";

fn entry(hub: HubRef) -> HubEntry {
    HubEntry { hub, name: "n".to_owned(), host: "h".to_owned(), policy: "service".to_owned(), has_secret: true }
}

#[test]
fn a_typed_connection_string_is_checked_as_it_is_typed_and_never_printed() {
    let mut desk = Desk::open();
    desk.act(Action::ShowAddConnection);
    let problem = |desk: &Desk| match &desk.app.dialog {
        Some(Dialog::AddConnection(form)) => form.problem.clone(),
        other => panic!("{other:?}"),
    };
    desk.act(Action::SecretText(Secret::new("HostName=h;SharedAccessKeyName=service")));
    assert!(problem(&desk).unwrap().contains("SharedAccessKey"));
    desk.act(Action::SecretText(Secret::new(GOOD)));
    assert_eq!(problem(&desk), None);
    assert!(!format!("{:?}", desk.app.dialog).contains("AAAA"));
}

#[test]
fn adding_a_connection_opens_it() {
    let mut desk = Desk::open();
    desk.fact(Fact::Hubs { hubs: vec![entry(HubRef::Local)], secrets: SecretStore::Keyring });
    desk.act(Action::ShowAddConnection);
    let connect =
        Connect { name: "n".to_owned(), connection_string: Secret::new(GOOD), ca_file: None, ..Connect::default() };
    let Some(Command::Check { key, .. }) = desk.act(Action::CheckConnection(connect.clone())).pop() else { panic!() };
    desk.done(key, Err(Failure::Local("no".to_owned())));
    assert!(matches!(&desk.app.dialog, Some(Dialog::AddConnection(form)) if matches!(form.check, Check::Bad { .. })));

    // Connecting is checking first; what the check does not like is kept only by name.
    assert!(matches!(desk.act(Action::AddConnection(connect.clone()))[..], [Command::Check { .. }]));
    let Some(Command::Add { key, .. }) = desk.act(Action::KeepConnection(connect)).pop() else { panic!() };
    let new = HubRef::Saved("1".to_owned());
    let commands = desk.done(key, Ok(Outcome::Hubs(vec![entry(HubRef::Local), entry(new.clone())])));
    assert!(commands.iter().any(|command| matches!(command, Command::Open { hub, .. } if *hub == new)));
    assert!(matches!(&desk.app.hub, HubState::Opening { hub, .. } if *hub == new));
    assert_eq!(desk.app.dialog, None);
}

/// A hub of the environment may fail before the list of hubs is told: its name stands there, and trying again opens it.
#[test]
fn the_hub_that_failed_first_is_the_one_that_is_named() {
    for (given, failed) in [
        (vec![entry(HubRef::Local)], HubRef::Local),
        (vec![entry(HubRef::Local), entry(HubRef::Environment)], HubRef::Environment),
    ] {
        let mut desk = Desk { app: App::new(), now: Moment::default() };
        desk.done(Key(0), Err(Failure::Local("no".to_owned())));
        let hubs = given.clone();
        desk.fact(Fact::Hubs { hubs, secrets: SecretStore::Keyring });
        assert!(matches!(&desk.app.hub, HubState::Failed { hub, .. } if *hub == failed), "{:?}", desk.app.hub);
        // Told again, as after a slow keyring, the list changes nothing of it.
        desk.app.hub = HubState::Failed { hub: HubRef::Local, failure: Failure::Cancelled };
        desk.fact(Fact::Hubs { hubs: given, secrets: SecretStore::Keyring });
        assert!(matches!(&desk.app.hub, HubState::Failed { hub: HubRef::Local, .. }));
    }
}

#[test]
fn a_bad_id_is_said_in_the_dialog_and_not_sent() {
    let mut desk = Desk::open();
    desk.act(Action::ShowAddDevice);
    desk.act(Action::DialogText { field: Field::Text, text: "a b".to_owned() });
    assert!(matches!(&desk.app.dialog, Some(Dialog::AddDevice { problem: Some(_), .. })));
    assert!(desk.act(Action::Create(TwinId::device("a b"))).is_empty());
    assert_eq!(desk.act(Action::Create(TwinId::device("a%#?'."))).len(), 1);
}

#[test]
fn deleting_names_the_object_and_waits_for_its_etag() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({}), json!({})));
    let commands = desk.act(Action::ShowDelete(id.clone()));
    let Some(Command::LoadIdentity { key, .. }) = commands.first() else { panic!("{commands:?}") };
    assert!(desk.act(Action::Delete(id.clone())).is_empty(), "no etag yet");
    let record = identity::from_json(&json!({
        "deviceId": "myFirstDevice", "moduleId": "myFirstModule", "etag": "abc", "generationId": "1",
        "connectionState": "Disconnected",
        "authentication": {"type": "sas", "symmetricKey": {"primaryKey": "QUFB", "secondaryKey": "QkJC"}}
    }))
    .unwrap();
    desk.done(*key, Ok(Outcome::Identity(Box::new(record))));
    let Some(Command::DeleteIdentity { key, etag, .. }) = desk.act(Action::Delete(id.clone())).pop() else { panic!() };
    assert_eq!(etag.0, "abc");
    desk.done(key, Ok(Outcome::Deleted { id: id.clone() }));
    assert!(desk.app.tab(&id).is_none());
    assert_eq!(desk.app.dialog, None);
}

#[test]
fn the_connection_string_goes_to_the_clipboard_and_nowhere_else() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({}), json!({})));
    let commands = desk.act(Action::CopyConnectionString(id.clone()));
    let Some(Command::LoadIdentity { key, .. }) = commands.first() else { panic!("{commands:?}") };
    assert!(desk.app.take_clipboard().is_none());
    let record = identity::from_json(&json!({
        "deviceId": "myFirstDevice", "moduleId": "myFirstModule", "etag": "abc", "generationId": "1",
        "connectionState": "Disconnected",
        "authentication": {"type": "sas", "symmetricKey": {"primaryKey": "QUFBQQ==", "secondaryKey": "QkJC"}}
    }))
    .unwrap();
    desk.done(*key, Ok(Outcome::Identity(Box::new(record))));
    let copied = desk.app.take_clipboard().unwrap();
    assert_eq!(
        copied.reveal(),
        "HostName=localhost:8443;DeviceId=myFirstDevice;ModuleId=myFirstModule;SharedAccessKey=QUFBQQ=="
    );
    assert!(desk.app.take_clipboard().is_none(), "once");
    assert!(!format!("{:?}", desk.app).contains("QUFBQQ=="));
}

#[test]
fn a_chosen_certificate_file_stands_in_the_form_and_asks_for_a_new_check() {
    let mut desk = Desk::open();
    desk.act(Action::ShowAddConnection);
    let Some(Command::PickFile { key }) = desk.act(Action::BrowseCertificate).pop() else { panic!() };
    desk.done(key, Ok(Outcome::FilePicked(Some("/etc/ssl/mine.pem".into()))));
    assert!(matches!(&desk.app.dialog, Some(Dialog::AddConnection(form)) if form.ca_file == "/etc/ssl/mine.pem"));
    let Some(Command::PickFile { key }) = desk.act(Action::BrowseCertificate).pop() else { panic!() };
    desk.done(key, Ok(Outcome::FilePicked(None)));
    assert!(matches!(&desk.app.dialog, Some(Dialog::AddConnection(form)) if form.ca_file == "/etc/ssl/mine.pem"));
}
