//! Every request ends exactly once: also when it is cancelled, when its hub is closed under it, when there is no hub.

use super::rig::{OwnHub, Rig, desired, object};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::secret::Secret;
use twinscope::twin::{Etag, Status, TwinId};
use twinscope::worker::command::Guard;
use twinscope::worker::event::Outcome;
use twinscope::worker::{Command, Connect, Event, Failure, HubRef, Key, Wake};

/// A worker whose first hub accepts connections and then says nothing.
fn start_on_a_silent_hub() -> (Rig, TcpListener) {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let text = format!(
        "HostName=localhost:{};SharedAccessKeyName=iothubowner;SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        silent.local_addr().unwrap().port()
    );
    let rig =
        Rig::start_with(tempfile::tempdir().unwrap(), |options| options.connection_string = Some(Secret::new(text)));
    (rig, silent)
}

#[test]
fn a_cancelled_request_ends_as_cancelled() {
    let (mut rig, _silent) = start_on_a_silent_hub();
    rig.send(Command::Cancel { key: Key(0) });
    assert!(matches!(rig.done(Key(0)), Err(Failure::Cancelled)));
    // Nothing is open then, and requests say so.
    let load = rig.ask(|key| Command::LoadTwin { key, id: TwinId::device("d") });
    assert!(matches!(load, Err(Failure::Local(_))), "{load:?}");
    // Cancelling what is over, or never was, is nothing.
    rig.send(Command::Cancel { key: Key(0) });
    rig.send(Command::Cancel { key: Key(999) });
    assert!(matches!(rig.ask(|key| Command::Open { key, hub: HubRef::Local }), Ok(Outcome::Connected(_))));
    assert_eq!(ends(&rig.rest()), BTreeMap::new());
}

#[test]
fn a_newer_open_ends_the_older() {
    let (mut rig, _silent) = start_on_a_silent_hub();
    assert!(matches!(rig.ask(|key| Command::Open { key, hub: HubRef::Local }), Ok(Outcome::Connected(_))));
    assert!(matches!(rig.done(Key(0)), Err(Failure::Cancelled)));
}

#[test]
fn an_open_that_fails_ends_once() {
    let mut rig = Rig::start_with(tempfile::tempdir().unwrap(), |options| {
        options.connection_string = Some(Secret::new("HostName=h;SharedAccessKeyName=p;SharedAccessKey=topSecret!"));
    });
    match rig.done(Key(0)) {
        Err(Failure::Local(sentence)) => {
            assert!(sentence.contains("SharedAccessKey"), "the part is named: {sentence}");
            assert!(!sentence.contains("topSecret"), "the value is not: {sentence}");
        }
        other => panic!("{other:?}"),
    }
    let missing = rig.ask(|key| Command::Open { key, hub: HubRef::Saved("nothing".to_owned()) });
    assert!(matches!(missing, Err(Failure::Local(_))), "{missing:?}");
    assert_eq!(ends(&rig.rest()), BTreeMap::new());
}

#[test]
fn a_request_that_breaks_ends_too() {
    // A wake that panics in the task of a request stands for any bug there. The loop has a thread of another name.
    let armed = Arc::new(AtomicBool::new(false));
    let breaks = armed.clone();
    let wake: Wake = Arc::new(move || {
        let in_a_task = std::thread::current().name() == Some("twinscope-runtime");
        assert!(!(in_a_task && breaks.load(Ordering::SeqCst)), "broken on purpose");
    });
    let mut rig = Rig::start_waking(tempfile::tempdir().unwrap(), wake, |options| {
        options.fleet = Some(FleetChoice::Synthetic(3));
    });
    rig.connected();
    armed.store(true, Ordering::SeqCst);
    match rig.ask(|key| Command::LoadFleet { key }) {
        Err(Failure::Panicked(why)) => assert!(why.contains("broken on purpose"), "{why}"),
        other => panic!("{other:?}"),
    }
    armed.store(false, Ordering::SeqCst);
    let again = rig.ask(|key| Command::LoadFleet { key });
    assert!(matches!(again, Ok(Outcome::FleetDone { devices: 3, complete: true })), "{again:?}");
}

/// How often each key ended.
fn ends(events: &[Event]) -> BTreeMap<Key, u32> {
    let mut ends = BTreeMap::new();
    for event in events {
        if let Event::Done { key, .. } = event {
            *ends.entry(*key).or_default() += 1;
        }
    }
    ends
}

fn any_request(random: &mut fastrand::Rng, key: Key) -> Command {
    let id = TwinId::device(format!("d{}", random.u8(0..4)));
    let etag = Etag("AAAAAAAAAAE=".to_owned());
    match random.u8(0..14) {
        0 => Command::Open { key, hub: HubRef::Local },
        1 => Command::Open { key, hub: HubRef::Environment },
        2 => Command::Open { key, hub: HubRef::Saved("nothing".to_owned()) },
        3 | 4 => Command::LoadFleet { key },
        5 => Command::LoadModules { key, device: id.device },
        6 => Command::Query { key, text: "SELECT * FROM devices".to_owned(), limit: 10 },
        7 => Command::LoadTwin { key, id },
        8 => Command::PatchTwin { key, id, body: desired(json!({ "n": key.0 })), guard: Guard::Etag(etag), over: None },
        9 => Command::CreateIdentity { key, id },
        10 => Command::DeleteIdentity { key, id, etag },
        11 => Command::SetStatus { key, id, etag, status: Status::Enabled },
        12 => Command::ActAs { key, id, mqtt_port: None },
        _ => Command::Report { key, id, patch: object(json!({ "n": key.0 })) },
    }
}

#[test]
fn whatever_is_asked_in_whatever_order() {
    let hub = OwnHub::start(FleetChoice::Synthetic(300));
    for seed in 0..4 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut rig = Rig::start_on(&hub);
        let mut asked = Vec::new();
        for _ in 0..150 {
            let key = rig.key();
            asked.push(key);
            rig.send(any_request(&mut random, key));
            if random.u8(0..4) == 0 {
                rig.send(Command::Cancel { key: asked[random.usize(0..asked.len())] });
            }
            if random.u8(0..8) == 0 {
                rig.send(Command::Watch { id: TwinId::device("d1") });
                rig.send(Command::StopActing { id: TwinId::device("d1") });
            }
            if random.u8(0..3) == 0 {
                // Lets some of it run: to the end of the one just asked.
                rig.done(key).ok();
                asked.pop();
            }
        }
        for key in &asked {
            rig.done(*key).ok();
        }
        // A check needs no hub: its end is the last, and no key has ended a second time before it.
        let connect = Connect {
            name: String::new(),
            connection_string: Secret::new("nonsense"),
            ca_file: None,
            ..Connect::default()
        };
        assert!(rig.ask(|key| Command::Check { key, connect }).is_err());
        assert_eq!(ends(&rig.rest()), BTreeMap::new(), "seed {seed}");
    }
}
