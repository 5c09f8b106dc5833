//! Acting as a module of the local hub: pushed patches, reported patches, being pushed out.

use super::rig::{OwnHub, Rig, desired, number, object};
use serde_json::json;
use twinscope::client::link::{Dial, Reconnect};
use twinscope::client::{DeviceLink, LinkState, Trust};
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::connection_string::{ConnectionString, Proof, Who};
use twinscope::protocol::method::{MethodAnswer, MethodCall};
use twinscope::twin::{Section, TwinId};
use twinscope::worker::event::{LocalHubInfo, Outcome};
use twinscope::worker::{Command, Event, Fact, Failure};

fn module() -> TwinId {
    TwinId::module("myFirstDevice", "myFirstModule")
}

/// A local hub with one module that nobody plays.
fn start() -> (Rig, LocalHubInfo) {
    let mut rig = Rig::start_with(tempfile::tempdir().unwrap(), |options| options.fleet = Some(FleetChoice::Empty));
    rig.connected();
    let info = rig.fact("the local hub", |fact| match fact {
        Fact::LocalHub(Ok(info)) => Some(info.clone()),
        _ => None,
    });
    rig.create(&module().parent());
    rig.create(&module());
    (rig, info)
}

fn act(rig: &mut Rig) {
    match rig.ask(|key| Command::ActAs { key, id: module(), mqtt_port: None }) {
        Ok(Outcome::ActStarted { id }) => assert_eq!(id, module()),
        other => panic!("not acting: {other:?}"),
    }
    rig.fact("the link online", |fact| {
        matches!(fact, Fact::Link { id, state: LinkState::Online { .. } } if *id == module()).then_some(())
    });
}

fn link_state(rig: &mut Rig, wanted: &LinkState) {
    rig.fact(&format!("{wanted:?}"), |fact| {
        matches!(fact, Fact::Link { id, state } if *id == module() && state == wanted).then_some(())
    });
}

#[test]
fn desired_is_pushed_and_reported_arrives() {
    let (mut rig, _) = start();
    let before = rig.load(&module());
    act(&mut rig);
    // The link begins by reading its view, and a patch that is in there already is not pushed. Answers come in order: once
    // a report is answered, the view is too.
    let ready = object(json!({ "ready": true }));
    assert!(rig.ask(|key| Command::Report { key, id: module(), patch: ready }).is_ok());
    let patched = rig.patch(&module(), desired(json!({ "telemetryInterval": 122 })), &before.etag);
    let Ok(Outcome::Saved(saved)) = patched else { panic!("{patched:?}") };
    let (version, patch) = rig.fact("the pushed patch", |fact| match fact {
        Fact::DesiredPatch { id, version, patch } if *id == module() => Some((*version, patch.clone())),
        _ => None,
    });
    assert_eq!(version, saved.desired.version);
    assert_eq!(patch, object(json!({ "telemetryInterval": 122 })));

    rig.send(Command::Watch { id: module() });
    let patch = object(json!({ "telemetryInterval": 122 }));
    match rig.ask(|key| Command::Report { key, id: module(), patch }) {
        Ok(Outcome::Reported { version, .. }) => assert_eq!(version, before.reported.version + 2),
        other => panic!("not reported: {other:?}"),
    }
    rig.seen(&module(), |twin| number(twin, Section::Reported, "telemetryInterval") == Some(122));

    rig.send(Command::StopActing { id: module() });
    link_state(&mut rig, &LinkState::Closed);
    let after = rig.ask(|key| Command::Report { key, id: module(), patch: object(json!({ "a": 1 })) });
    assert!(matches!(after, Err(Failure::Local(_))), "{after:?}");
}

#[test]
fn pushed_out_and_not_fighting_back() {
    let (mut rig, info) = start();
    act(&mut rig);
    let Ok(Outcome::Identity(identity)) = rig.ask(|key| Command::LoadIdentity { key, id: module() }) else {
        panic!("no identity")
    };
    let connection = ConnectionString {
        host_name: "localhost".to_owned(),
        gateway_host_name: None,
        who: Who::Identity { id: module(), proof: Proof::Key(identity.authentication.primary_key.unwrap()) },
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let trust = Trust::new(&[info.ca_file]).unwrap();
    let dial = Dial { host: "localhost".to_owned(), port: info.mqtts.port() };
    let guard = runtime.enter();
    let (real, _events) = DeviceLink::connect(&connection, Some(dial), &trust, Reconnect::UnlessPushedOut).unwrap();
    drop(guard);
    link_state(&mut rig, &LinkState::PushedOut);

    // The real client stays: it can still talk, and our link tells no further attempt.
    runtime.block_on(real.report(&object(json!({ "real": true })))).unwrap();
    let attempts = |event: &Event| {
        matches!(
            event,
            Event::Fact(Fact::Link {
                state: LinkState::Connecting | LinkState::Retrying { .. } | LinkState::Online { .. },
                ..
            })
        )
    };
    let told = rig.rest();
    let last = told.iter().rev().find(|event| attempts(event));
    // What was told before the push is Connecting; anything after it would be the last.
    assert!(
        last.is_none() || matches!(last, Some(Event::Fact(Fact::Link { state: LinkState::Connecting, .. }))),
        "{told:?}"
    );

    // Acting again takes the connection back, once, because somebody said so.
    act(&mut rig);
}

#[test]
fn acting_twice_replaces_the_first() {
    let (mut rig, _) = start();
    act(&mut rig);
    act(&mut rig);
    // The first link said goodbye before the second began.
    link_state(&mut rig, &LinkState::Closed);
    let report = rig.ask(|key| Command::Report { key, id: module(), patch: object(json!({ "a": 1 })) });
    assert!(matches!(report, Ok(Outcome::Reported { .. })), "{report:?}");
    let pushed = |event: &Event| matches!(event, Event::Fact(Fact::Link { state: LinkState::PushedOut, .. }));
    assert!(!rig.rest().iter().any(pushed), "our links push each other out");
}

#[test]
fn who_cannot_be_acted_is_said() {
    let (mut rig, _) = start();
    let nobody = rig.ask(|key| Command::ActAs { key, id: TwinId::device("nobody"), mqtt_port: None });
    assert!(matches!(nobody, Err(Failure::Hub(twinscope::client::HubError::NotFound { .. }))), "{nobody:?}");
    let idle = rig.ask(|key| Command::Report { key, id: module(), patch: object(json!({})) });
    assert!(matches!(idle, Err(Failure::Local(_))), "{idle:?}");
}

#[test]
fn methods_are_called_and_answered() {
    let (mut rig, _) = start();
    let call = MethodCall::new("reboot", json!({ "delay": 5 }));
    let offline = rig.ask(|key| Command::CallMethod { key, id: module(), call: call.clone() });
    assert!(matches!(offline, Err(Failure::Hub(twinscope::client::HubError::NotOnline { .. }))), "{offline:?}");
    act(&mut rig);
    let called = |rig: &mut Rig| {
        rig.fact("the call", |fact| match fact {
            Fact::MethodCalled { id, name, rid, payload } if *id == module() => {
                Some((name.clone(), rid.clone(), payload.clone()))
            }
            _ => None,
        })
    };
    let key = rig.key();
    rig.send(Command::CallMethod { key, id: module(), call: call.clone() });
    let (name, rid, payload) = called(&mut rig);
    assert_eq!((name.as_str(), payload), ("reboot", json!({ "delay": 5 })));
    let answer = MethodAnswer { status: 503, payload: json!(["later"]) };
    rig.send(Command::AnswerMethod { id: module(), rid, answer: answer.clone() });
    match rig.done(key) {
        Ok(Outcome::Called(answered)) => assert_eq!(answered, answer),
        other => panic!("not answered: {other:?}"),
    }
    // A call that is not waited for any more, and an answer that nobody can carry.
    let key = rig.key();
    rig.send(Command::CallMethod { key, id: module(), call });
    let (_, rid, _) = called(&mut rig);
    rig.send(Command::Cancel { key });
    assert!(matches!(rig.done(key), Err(Failure::Cancelled)));
    rig.send(Command::StopActing { id: module() });
    link_state(&mut rig, &LinkState::Closed);
    rig.send(Command::AnswerMethod { id: module(), rid, answer });
    rig.load(&module());
}

/// The port in the name of a hub is that of the service API: where devices connect is asked for, not guessed.
#[test]
fn the_mqtt_port_of_another_hub_is_given_and_never_guessed() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let mut rig = Rig::start_on(&hub);
    rig.create(&module().parent());
    rig.create(&module());
    match rig.ask(|key| Command::ActAs { key, id: module(), mqtt_port: None }) {
        Err(Failure::Local(said)) => assert!(said.contains("MQTT port") && said.contains("mqtts"), "{said}"),
        other => panic!("a port was guessed: {other:?}"),
    }
    let port = hub.mqtts().port();
    let started = rig.ask(|key| Command::ActAs { key, id: module(), mqtt_port: Some(port) });
    assert!(matches!(started, Ok(Outcome::ActStarted { .. })), "{started:?}");
    rig.fact("the link", |fact| matches!(fact, Fact::Link { state: LinkState::Online { .. }, .. }).then_some(()));
    rig.send(Command::StopActing { id: module() });

    // Where nobody listens the words name the place.
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    rig.ask(|key| Command::ActAs { key, id: module(), mqtt_port: Some(free) }).unwrap();
    let said = rig.fact("why not", |fact| match fact {
        Fact::Link { state: LinkState::Retrying { reason, .. }, .. } => Some(reason.clone()),
        _ => None,
    });
    assert!(said.contains(&format!("localhost:{free}")), "{said}");
}
