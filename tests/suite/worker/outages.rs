//! The hub goes away under an open window and comes back.

use super::rig::{OwnHub, Rig, desired, number};
use serde_json::json;
use twinscope::client::HubError;
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::rest::IfMatch;
use twinscope::twin::{Section, TwinId};
use twinscope::worker::event::Reachability;
use twinscope::worker::{Command, Fact, Failure};

fn wait_for(rig: &mut Rig, online: bool) {
    rig.fact("a change of reachability", |fact| match fact {
        Fact::HubReachable(Reachability::Online) => online.then_some(()),
        Fact::HubReachable(Reachability::Offline { .. }) => (!online).then_some(()),
        _ => None,
    });
}

#[test]
fn a_watch_goes_on_after_an_outage() {
    let mut hub = OwnHub::start(FleetChoice::Empty);
    let mut rig = Rig::start_on(&hub);
    let id = TwinId::device("d1");
    rig.create(&id);
    rig.load(&id);
    rig.send(Command::Watch { id: id.clone() });
    hub.stop();
    wait_for(&mut rig, false);
    rig.fact("a failing watch", |fact| {
        matches!(fact, Fact::WatchFailed { id: failed, .. } if *failed == id).then_some(())
    });
    hub.start_again();
    wait_for(&mut rig, true);
    hub.runtime.block_on(hub.client().patch_twin(&id, &desired(json!({ "n": 3 })), &IfMatch::Any)).unwrap();
    rig.seen(&id, |twin| number(twin, Section::Desired, "n") == Some(3));
}

#[test]
fn without_a_watch_the_hub_is_asked_until_it_answers() {
    let mut hub = OwnHub::start(FleetChoice::Empty);
    let mut rig = Rig::start_on(&hub);
    hub.stop();
    let asked = rig.ask(|key| Command::LoadTwin { key, id: TwinId::device("d1") });
    assert!(matches!(asked, Err(Failure::Hub(HubError::Unreachable { .. }))), "{asked:?}");
    wait_for(&mut rig, false);
    hub.start_again();
    wait_for(&mut rig, true);
}

#[test]
fn why_a_hub_is_offline_is_said_in_plain_words() {
    let mut hub = OwnHub::start(FleetChoice::Empty);
    let client = hub.client();
    hub.stop();
    let error = hub.runtime.block_on(client.twin(&TwinId::device("d1"))).unwrap_err();
    let twinscope::client::HubError::Unreachable { reason, .. } = error else { panic!("not unreachable: {error:?}") };
    assert_eq!(reason, "the connection was refused");
}
