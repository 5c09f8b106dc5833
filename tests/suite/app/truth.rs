//! No word stays on the screen after what made it untrue.

use super::{Desk, parse, twin};
use serde_json::json;
use std::time::Duration;
use twinscope::app::activity::{PatchKind, PatchSeen};
use twinscope::app::dialog::{Dialog, Field};
use twinscope::app::tab::{Pane, SaveState};
use twinscope::app::{Action, Remote};
use twinscope::client::HubError;
use twinscope::client::hub::RequestRecord;
use twinscope::protocol::error::ServiceError;
use twinscope::protocol::event::EventPage;
use twinscope::protocol::identity;
use twinscope::twin::{Section, Status, TwinId, wire};
use twinscope::worker::event::{HubEntry, HubInfo, Outcome, SecretStore, Source};
use twinscope::worker::{Command, Fact, Failure, HubRef};

fn failed() -> HubError {
    HubError::HubFailed { status: 503, service: ServiceError::default() }
}

#[test]
fn what_a_watch_failed_with_goes_when_it_reads_again() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})));
    desk.fact(Fact::WatchFailed { id: id.clone(), error: failed() });
    assert!(desk.app.tab(&id).unwrap().watch_problem.is_some());
    desk.fact(Fact::TwinLooked { id: id.clone() });
    assert_eq!(desk.app.tab(&id).unwrap().watch_problem, None);
}

#[test]
fn an_age_counts_from_the_last_look() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})));
    desk.later(60_000);
    desk.fact(Fact::TwinLooked { id: id.clone() });
    assert_eq!(desk.app.tab(&id).unwrap().seen.unwrap().1, desk.now);
    // A refresh that failed is no word any more once the watch has read the same.
    let commands = desk.act(Action::Refresh(id.clone()));
    let key = super::load_key(&commands);
    desk.done(key, Err(Failure::Hub(failed())));
    assert!(desk.app.tab(&id).unwrap().twin.failure().is_some());
    desk.fact(Fact::TwinLooked { id: id.clone() });
    assert!(matches!(desk.app.tab(&id).unwrap().twin, Remote::Ready { .. }));
}

fn record(status: &str, etag: &str) -> Box<identity::Identity> {
    Box::new(
        identity::from_json(&json!({
            "deviceId": "d", "generationId": "1", "etag": etag, "status": status, "connectionState": "Disconnected",
            "authentication": {"type": "sas", "symmetricKey": {"primaryKey": "AAAA", "secondaryKey": "AAAA"}}
        }))
        .unwrap(),
    )
}

fn device(status: &str, record: &str) -> serde_json::Value {
    json!({
        "deviceId": "d", "etag": "E1", "deviceEtag": record, "status": status, "connectionState": "Disconnected",
        "version": 2, "properties": {"desired": {"$version": 1}, "reported": {"$version": 1}}
    })
}

#[test]
fn header_and_record_say_the_same_of_an_identity() {
    let (mut desk, id) = Desk::with_twin(device("enabled", "MQ=="));
    let Some(Command::LoadIdentity { key, .. }) = desk.act(Action::ShowPane(id.clone(), Pane::Identity)).pop() else {
        panic!("the record is not read")
    };
    // Somebody disabled it since the twin was read.
    desk.done(key, Ok(Outcome::Identity(record("disabled", "Mg=="))));
    assert_eq!(desk.app.tab(&id).unwrap().current().unwrap().status, Some(Status::Disabled));
    // Somebody enables it again, and the watch sees it: the record is read again, for it is in view.
    let twin = parse(device("enabled", "Mw=="));
    desk.fact(Fact::TwinSeen { twin, source: Source::Watch });
    assert_eq!(desk.app.tab(&id).unwrap().current().unwrap().status, Some(Status::Enabled));
    let now = desk.now;
    let commands = desk.app.tick(now).commands;
    assert!(commands.iter().any(|command| matches!(command, Command::LoadIdentity { .. })), "{commands:?}");
    let old = desk.app.tab(&id).unwrap().identity.value().map(|record| record.status);
    assert_ne!(old, Some(Status::Disabled), "what is out of date is not shown");
}

fn hub(n: u8) -> (HubRef, HubInfo, HubEntry) {
    let hub = if n == 0 { HubRef::Local } else { HubRef::Saved(n.to_string()) };
    let host = if n == 0 { "localhost:8443".to_owned() } else { format!("h{n}.azure-devices.net") };
    let info = HubInfo {
        hub: hub.clone(),
        name: format!("Hub {n}"),
        host: host.clone(),
        policy: "service".to_owned(),
        api_version: "2021-04-12",
    };
    let entry =
        HubEntry { hub: hub.clone(), name: format!("Hub {n}"), host, policy: "service".to_owned(), has_secret: true };
    (hub, info, entry)
}

fn go_to(desk: &mut Desk, n: u8) {
    let (hub, info, _) = hub(n);
    let commands = desk.act(Action::OpenHub(hub));
    let key = commands.iter().find_map(|command| match command {
        Command::Open { key, .. } => Some(*key),
        _ => None,
    });
    desk.done(key.expect("it is opened"), Ok(Outcome::Connected(info)));
}

fn request(host: &str) -> RequestRecord {
    RequestRecord {
        method: "GET",
        host: host.to_owned(),
        path: "/twins/d".to_owned(),
        status: Some(200),
        duration: Duration::from_millis(1),
        bytes: 1,
        attempt: 1,
        failure: None,
        again: None,
    }
}

#[test]
fn counters_and_lists_belong_to_the_hub_in_front() {
    let mut desk = Desk::open();
    desk.fact(Fact::Hubs { hubs: vec![hub(0).2, hub(1).2], secrets: SecretStore::Keyring });
    let seen = PatchSeen {
        at: desk.now,
        id: TwinId::device("d"),
        kind: PatchKind::SeenDesired,
        version: 2,
        patch: twinscope::twin::JsonMap::new(),
    };
    desk.app.activity.push_patch(seen);
    desk.fact(Fact::Requests(vec![request("localhost:8443"), request("h1.azure-devices.net")]));
    let counts = |desk: &Desk| (desk.app.activity.patches.len(), desk.app.activity.requests.len());
    assert_eq!(counts(&desk), (1, 1), "what went to another hub is none of this one's");
    desk.act(Action::OpenTwin(TwinId::device("d")));
    go_to(&mut desk, 1);
    // A record of the hub that was left may come late.
    desk.fact(Fact::Requests(vec![request("localhost:8443")]));
    assert_eq!(counts(&desk), (0, 0));
    assert!(desk.app.recent.is_empty(), "ids of another hub are offered");
    desk.fact(Fact::Requests(vec![request("h1.azure-devices.net")]));
    assert_eq!(counts(&desk), (0, 1));
    go_to(&mut desk, 0);
    assert_eq!(counts(&desk), (1, 1), "what was there is there again");
    assert_eq!(desk.app.recent, [TwinId::device("d")]);
}

#[test]
fn a_stream_nobody_followed_has_no_count() {
    let mut desk = Desk::open();
    assert_eq!(desk.app.events.known(), None);
    desk.act(Action::Events(twinscope::app::events::EventsAct::Look));
    assert_eq!(desk.app.events.known(), None, "nothing was answered yet");
    desk.fact(Fact::HubEvents { after: 0, page: Box::new(EventPage { next: 0, dropped: 0, events: Vec::new() }) });
    assert_eq!(desk.app.events.known(), Some(0));
}

#[test]
fn saved_is_not_said_of_a_text_that_is_typed_on() {
    let (mut desk, id) = Desk::with_twin(twin("E1", 2, json!({"a": 1}), json!({})));
    let text = |a: u64| json!({ "a": a }).to_string();
    desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text: text(2) });
    let Some(Command::PatchTwin { key, .. }) = desk.act(Action::Save(id.clone())).pop() else { panic!("no PATCH") };
    let saved = wire::from_json(twin("E2", 3, json!({"a": 2}), json!({}))).unwrap();
    desk.done(key, Ok(Outcome::Saved(std::sync::Arc::new(saved))));
    assert!(matches!(desk.app.tab(&id).unwrap().save, SaveState::Saved { .. }));
    desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text: text(3) });
    assert_eq!(desk.app.tab(&id).unwrap().save, SaveState::Idle);
}

/// The field says what is known, and nothing where nothing is.
#[test]
fn where_to_act_is_asked_for_on_other_hubs() {
    let asked = |desk: &Desk| match &desk.app.dialog {
        Some(Dialog::ActAs { mqtt_port, problem, .. }) => (mqtt_port.clone(), problem.is_some()),
        other => panic!("{other:?}"),
    };
    let id = TwinId::device("d");
    let mut desk = Desk::open();
    desk.fact(Fact::Hubs { hubs: vec![hub(0).2, hub(1).2], secrets: SecretStore::Keyring });
    desk.act(Action::OpenTwin(id.clone()));
    desk.act(Action::ShowActAs(id.clone()));
    assert_eq!(asked(&desk), (None, false), "our own hub says it itself");
    let commands = desk.act(Action::ActAs(id.clone()));
    assert!(matches!(commands[..], [Command::ActAs { mqtt_port: None, .. }]), "{commands:?}");

    go_to(&mut desk, 1);
    desk.act(Action::OpenTwin(id.clone()));
    desk.act(Action::ShowActAs(id.clone()));
    assert_eq!(asked(&desk), (Some("8883".to_owned()), false));
    for bad in ["0", "65536", "-1", "mqtt", "88 83"] {
        desk.act(Action::DialogText { field: Field::Text, text: bad.to_owned() });
        assert_eq!(asked(&desk), (Some(bad.to_owned()), true));
        assert!(desk.act(Action::ActAs(id.clone())).is_empty(), "{bad} is dialled");
    }
    desk.act(Action::DialogText { field: Field::Text, text: " 18883 ".to_owned() });
    let commands = desk.act(Action::ActAs(id.clone()));
    assert!(
        matches!(commands[..], [Command::SaveSettings { .. }, Command::ActAs { mqtt_port: Some(18_883), .. }]),
        "{commands:?}"
    );
    assert_eq!(desk.app.settings.mqtt_ports.get("1"), Some(&18_883), "it is remembered");

    // A port in the name says that this is no hub in Azure: nothing is guessed.
    let (other, mut info, _) = hub(2);
    info.host = "localhost:9443".to_owned();
    let key = desk.act(Action::OpenHub(other)).iter().find_map(|command| match command {
        Command::Open { key, .. } => Some(*key),
        _ => None,
    });
    desk.done(key.unwrap(), Ok(Outcome::Connected(info)));
    desk.act(Action::OpenTwin(id.clone()));
    desk.act(Action::ShowActAs(id.clone()));
    assert_eq!(asked(&desk), (Some(String::new()), false));
    assert!(desk.act(Action::ActAs(id)).is_empty());
    assert!(asked(&desk).1);
}

/// An answer of the hub that was left may be on its way already when another one is opened.
#[test]
fn an_answer_of_the_hub_before_says_nothing_of_its_namesake() {
    let id = TwinId::device("d");
    let mut desk = Desk::open();
    desk.fact(Fact::Hubs { hubs: vec![hub(0).2, hub(1).2], secrets: SecretStore::Keyring });
    desk.act(Action::OpenTwin(id.clone()));
    desk.act(Action::ShowDelete(id.clone()));
    let commands = desk.act(Action::LoadIdentity(id.clone()));
    let Some(Command::LoadIdentity { key, .. }) = commands.last() else { panic!("{commands:?}") };
    desk.done(*key, Ok(Outcome::Identity(record("enabled", "MQ=="))));
    let commands = desk.act(Action::Delete(id.clone()));
    let Some(Command::DeleteIdentity { key, .. }) = commands.last() else { panic!("{commands:?}") };
    let key = *key;
    go_to(&mut desk, 1);
    desk.act(Action::OpenTwin(id.clone()));
    desk.done(key, Ok(Outcome::Deleted { id: id.clone() }));
    assert!(desk.app.tab(&id).is_some(), "the tab of the other hub's device is closed");
}
