//! A watched twin: what somebody else changes is told, what did not move is not.

use super::rig::{OwnHub, Rig, desired, number};
use serde_json::json;
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::fault::Plan;
use twinscope::protocol::rest::IfMatch;
use twinscope::twin::{Section, TwinId};
use twinscope::worker::event::Outcome;
use twinscope::worker::{Command, Event, Fact};

#[test]
fn the_change_of_another_client_is_seen() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let mut rig = Rig::start_on(&hub);
    let id = TwinId::device("d1");
    rig.create(&id);
    let base = rig.load(&id);
    rig.send(Command::Watch { id: id.clone() });
    let other = hub.client();
    hub.runtime.block_on(other.patch_twin(&id, &desired(json!({ "n": 7 })), &IfMatch::Any)).unwrap();
    let seen = rig.seen(&id, |_| true);
    assert_eq!(number(&seen, Section::Desired, "n"), Some(7));
    assert!(seen.version > base.version);

    // After Unwatch nothing more is told: a second twin, watched, serves as the clock.
    rig.send(Command::Unwatch { id: id.clone() });
    let clock = TwinId::device("clock");
    rig.create(&clock);
    rig.load(&clock);
    rig.send(Command::Watch { id: clock.clone() });
    hub.runtime.block_on(other.patch_twin(&id, &desired(json!({ "n": 8 })), &IfMatch::Any)).unwrap();
    for n in 1..=2 {
        hub.runtime.block_on(other.patch_twin(&clock, &desired(json!({ "n": n })), &IfMatch::Any)).unwrap();
        rig.seen(&clock, |twin| number(twin, Section::Desired, "n") == Some(n));
    }
    let told = rig.rest();
    let again = |event: &Event| matches!(event, Event::Fact(Fact::TwinSeen { twin, .. }) if twin.id == id);
    assert!(!told.iter().any(again), "told after Unwatch");
}

#[test]
fn our_own_save_is_no_news() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let mut rig = Rig::start_on(&hub);
    let id = TwinId::device("d1");
    rig.create(&id);
    let base = rig.load(&id);
    rig.send(Command::Watch { id: id.clone() });
    assert!(matches!(rig.patch(&id, desired(json!({ "n": 1 })), &base.etag), Ok(Outcome::Saved(_))));
    // The next thing the watch tells is the change after ours, never ours again.
    let reads = |rig: &mut Rig| {
        rig.fact("a read of the watch", |fact| match fact {
            Fact::Requests(records) => records.iter().any(|record| record.method == "GET").then_some(()),
            _ => None,
        });
    };
    reads(&mut rig);
    reads(&mut rig);
    hub.runtime.block_on(hub.client().patch_twin(&id, &desired(json!({ "n": 2 })), &IfMatch::Any)).unwrap();
    let first = rig.seen(&id, |_| true);
    assert_eq!(number(&first, Section::Desired, "n"), Some(2));
}

#[test]
fn a_twin_that_is_gone_fails_once_and_comes_back() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let mut rig = Rig::start_on(&hub);
    let id = TwinId::device("d1");
    rig.create(&id);
    rig.load(&id);
    rig.send(Command::Watch { id: id.clone() });
    let other = hub.client();
    hub.runtime.block_on(other.delete_identity(&id, &IfMatch::Any)).unwrap();
    rig.fact("a failing watch", |fact| {
        matches!(fact, Fact::WatchFailed { id: failed, .. } if *failed == id).then_some(())
    });
    rig.create(&id);
    hub.runtime.block_on(other.patch_twin(&id, &desired(json!({ "again": 1 })), &IfMatch::Any)).unwrap();
    rig.seen(&id, |twin| number(twin, Section::Desired, "again") == Some(1));
    let failed = |event: &Event| matches!(event, Event::Fact(Fact::WatchFailed { .. }));
    assert!(!rig.rest().iter().any(failed), "one row of failures is told once");
}

/// The first read after a failure is told, though it shows nothing new.
#[test]
fn a_watch_that_reads_again_says_so() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let mut rig = Rig::start_on(&hub);
    let id = TwinId::device("d1");
    rig.create(&id);
    rig.load(&id);
    rig.send(Command::Watch { id: id.clone() });
    let plan = Plan { seed: None, faults: vec!["503 on=twin-read".parse().unwrap()] };
    rig.ask(|key| Command::SetFaults { key, plan }).unwrap();
    rig.fact("a failing watch", |fact| matches!(fact, Fact::WatchFailed { .. }).then_some(()));
    rig.ask(|key| Command::ClearFaults { key }).unwrap();
    rig.fact("a look", |fact| matches!(fact, Fact::TwinLooked { id: looked } if *looked == id).then_some(()));
}
