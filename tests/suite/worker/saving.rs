//! The main job: start, open, read, save, and every way a save can end.

use super::proxy::{Mode, Proxy};
use super::rig::{OwnHub, Rig, desired, number};
use serde_json::json;
use std::time::Duration;
use twinscope::client::HubError;
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::fault::Plan;
use twinscope::protocol::rest::IfMatch;
use twinscope::twin::{Etag, Section, TwinId};
use twinscope::worker::command::Guard;
use twinscope::worker::event::Outcome;
use twinscope::worker::{Command, Fact, Failure, HubRef};

#[test]
fn first_start_to_saved_twin() {
    let mut rig = Rig::start_with(tempfile::tempdir().unwrap(), |options| options.fleet = None);
    rig.fact("settings", |fact| matches!(fact, Fact::Settings(_)).then_some(()));
    rig.fact("hubs", |fact| matches!(fact, Fact::Hubs { hubs, .. } if hubs[0].hub == HubRef::Local).then_some(()));
    rig.fact("the local hub", |fact| matches!(fact, Fact::LocalHub(Ok(_))).then_some(()));
    let info = rig.connected();
    assert_eq!((info.hub, info.policy.as_str()), (HubRef::Local, "iothubowner"));

    let id = TwinId::module("myFirstDevice", "myFirstModule");
    let before = rig.load(&id);
    let saved = match rig.patch(&id, desired(json!({ "telemetryInterval": 122 })), &before.etag) {
        Ok(Outcome::Saved(saved)) => saved,
        other => panic!("not saved: {other:?}"),
    };
    assert_eq!(number(&saved, Section::Desired, "telemetryInterval"), Some(122));
    assert_ne!(saved.etag, before.etag);
    assert_eq!(saved.desired.version, before.desired.version + 1);
    let patched =
        |record: &twinscope::client::hub::RequestRecord| record.method == "PATCH" && record.status == Some(200);
    rig.fact("the record of the PATCH", |fact| match fact {
        Fact::Requests(records) => records.iter().any(patched).then_some(()),
        _ => None,
    });

    // The window's local hub keeps its state.
    let dir = rig.stop();
    let mut rig = Rig::start_with(dir, |options| options.fleet = None);
    rig.connected();
    assert!(rig.load(&id).desired.version >= saved.desired.version);
    assert_eq!(number(&rig.load(&id), Section::Desired, "telemetryInterval"), Some(122));
}

#[test]
fn a_stale_etag_brings_the_version_that_won() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let mut rig = Rig::start_on(&hub);
    let id = TwinId::device("d1");
    rig.create(&id);
    let base = rig.load(&id);
    let other = hub.client();
    let theirs = desired(json!({ "limit": 2 }));
    hub.runtime.block_on(other.patch_twin(&id, &theirs, &IfMatch::Quoted(base.etag.clone()))).unwrap();

    match rig.patch(&id, desired(json!({ "limit": 1 })), &base.etag) {
        Ok(Outcome::Conflict { theirs }) => assert_eq!(number(&theirs, Section::Desired, "limit"), Some(2)),
        other => panic!("no conflict: {other:?}"),
    }
    let now = hub.runtime.block_on(other.twin(&id)).unwrap();
    assert_eq!(number(&now, Section::Desired, "limit"), Some(2), "nothing may be overwritten");

    // Overwriting takes the etag that was seen, and is refused like any other when that is stale.
    let overwrite = |etag: &Etag| {
        let (id, guard) = (id.clone(), Guard::Overwrite(etag.clone()));
        move |key| Command::PatchTwin { key, id, body: desired(json!({ "limit": 1 })), guard, over: None }
    };
    assert!(matches!(rig.ask(overwrite(&base.etag)), Ok(Outcome::Conflict { .. })));
    assert!(matches!(rig.ask(overwrite(&now.etag)), Ok(Outcome::Saved(_))));
}

#[test]
fn without_an_etag_nothing_is_written() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let mut rig = Rig::start_on(&hub);
    let id = TwinId::device("d1");
    rig.create(&id);
    // `*` stands for any version, in quotes too: the hub would take the write whatever it has.
    for etag in ["", "*", "a\"b", "W/\"a\"", "a\r\nb", "a b", "\u{7f}", "\u{e4}"] {
        let refused = rig.patch(&id, desired(json!({ "a": 1 })), &Etag(etag.to_owned()));
        assert!(matches!(refused, Err(Failure::Hub(HubError::Unguarded(_)))), "{etag:?}: {refused:?}");
    }
    assert!(rig.load(&id).desired.values.is_empty());
}

/// Loses either the answer or the request of a save, and expects the worker to find out which.
fn check_lost(mode: Mode, expected: Option<bool>) {
    let hub = OwnHub::start(FleetChoice::Empty);
    let proxy = Proxy::start(hub.port());
    let mut rig = Rig::start_at(&hub, &hub.connection_at(proxy.port()));
    let id = TwinId::device("d1");
    rig.create(&id);
    let base = rig.load(&id);
    proxy.lose_next(mode);
    match rig.patch(&id, desired(json!({ "a": { "b": 1 }, "gone": null })), &base.etag) {
        Err(Failure::Unknown { landed, now: Some(now), .. }) => {
            assert_eq!(landed, expected);
            assert_eq!(now.desired.values.contains_key("a"), expected == Some(true));
        }
        other => panic!("the outcome was not unknown: {other:?}"),
    }
}

#[test]
fn a_lost_answer_is_found_out() {
    check_lost(Mode::LoseAnswer, Some(true));
}

#[test]
fn a_lost_request_is_found_out() {
    check_lost(Mode::LoseRequest, Some(false));
}

/// A PUT: what is not in it goes, and the etag guards it like a PATCH.
#[test]
fn a_replacement_is_guarded_and_its_lost_answer_found_out() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let proxy = Proxy::start(hub.port());
    let mut rig = Rig::start_at(&hub, &hub.connection_at(proxy.port()));
    let id = TwinId::device("d1");
    rig.create(&id);
    let empty = rig.load(&id).etag.clone();
    assert!(matches!(rig.patch(&id, desired(json!({ "a": 1, "old": 2 })), &empty), Ok(Outcome::Saved(_))));
    let base = rig.load(&id);
    let mut put = |etag: &Etag, values: serde_json::Value| {
        let (id, guard) = (id.clone(), Guard::Etag(etag.clone()));
        rig.ask(|key| Command::ReplaceTwin { key, id, body: desired(values), guard, over: None })
    };
    match put(&empty, json!({ "a": 9 })) {
        Ok(Outcome::Conflict { theirs }) => assert_eq!(theirs.etag, base.etag),
        other => panic!("no conflict: {other:?}"),
    }
    let saved = match put(&base.etag, json!({ "a": 3 })) {
        Ok(Outcome::Saved(saved)) => saved,
        other => panic!("not saved: {other:?}"),
    };
    assert_eq!(serde_json::Value::Object(saved.desired.values.clone()), json!({ "a": 3 }));

    for (mode, expected) in [(Mode::LoseRequest, Some(false)), (Mode::LoseAnswer, Some(true))] {
        proxy.lose_next(mode);
        match put(&saved.etag, json!({ "b": { "c": 1 } })) {
            Err(Failure::Unknown { landed, .. }) => assert_eq!(landed, expected),
            other => panic!("the outcome was not unknown: {other:?}"),
        }
    }
}

#[test]
fn a_request_that_waits_for_a_throttled_hub_says_so() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let mut rig = Rig::start_on(&hub);
    let id = TwinId::device("d1");
    rig.create(&id);
    let base = rig.load(&id);
    let plan = Plan { seed: None, faults: vec!["429:retry-after=30s".parse().unwrap()] };
    rig.ask(|key| Command::SetFaults { key, plan }).unwrap();
    let (saving, guard) = (rig.key(), Guard::Etag(base.etag.clone()));
    rig.send(Command::PatchTwin { key: saving, id: id.clone(), body: desired(json!({ "a": 1 })), guard, over: None });
    let reading = rig.key();
    rig.send(Command::LoadTwin { key: reading, id });
    for waiting in [saving, reading] {
        let wait = rig.fact("the wait", |fact| match fact {
            Fact::Waiting { key, wait, status: Some(429) } if *key == waiting => Some(*wait),
            _ => None,
        });
        assert!(wait > Duration::from_secs(20) && wait <= Duration::from_secs(30), "{wait:?}");
        rig.send(Command::Cancel { key: waiting });
        assert!(matches!(rig.done(waiting), Err(Failure::Cancelled)));
    }
}
