//! Listings: everything page by page, whatever the policy allows.

use super::rig::{OwnHub, Rig};
use std::collections::BTreeSet;
use twinscope::local_hub::FleetChoice;
use twinscope::twin::TwinId;
use twinscope::worker::event::Outcome;
use twinscope::worker::{Command, Event, Fact};

/// The ids of one complete listing, and whether the hub told them all.
fn list(rig: &mut Rig) -> (BTreeSet<String>, usize, bool) {
    let wanted = rig.key();
    rig.send(Command::LoadFleet { key: wanted });
    let Ok(Outcome::FleetDone { devices, complete }) = rig.done(wanted) else { panic!("no listing") };
    let ids = rig.rest().into_iter().filter_map(|event| match event {
        Event::Fact(Fact::FleetPage { key, rows }) if key == wanted => Some(rows),
        _ => None,
    });
    (ids.flatten().map(|row| row.id).collect(), devices, complete)
}

#[test]
fn every_device_once() {
    let hub = OwnHub::start(FleetChoice::Synthetic(1234));
    let mut rig = Rig::start_on(&hub);
    let (ids, devices, complete) = list(&mut rig);
    assert_eq!((ids.len(), devices, complete), (1234, 1234, true));
}

#[test]
fn a_policy_that_may_only_query_sees_everything() {
    let hub = OwnHub::start(FleetChoice::Demo);
    let mut rig = Rig::start_at(&hub, &hub.connection_as("service"));
    let (ids, _, complete) = list(&mut rig);
    assert!(complete && ids.contains("myFirstDevice"));
    let modules = rig.ask(|key| Command::LoadModules { key, device: "myFirstDevice".to_owned() });
    let Ok(Outcome::Modules { modules, .. }) = modules else { panic!("{modules:?}") };
    assert_eq!(
        modules.iter().map(|row| &row.id).collect::<Vec<_>>(),
        [&TwinId::module("myFirstDevice", "myFirstModule")]
    );
}

#[test]
fn a_policy_that_may_not_query_lists_the_registry() {
    let hub = OwnHub::start(FleetChoice::Synthetic(1500));
    let mut rig = Rig::start_at(&hub, &hub.connection_as("registryRead"));
    let (ids, devices, complete) = list(&mut rig);
    assert_eq!((ids.len(), devices, complete), (1000, 1000, false));
}

#[test]
fn modules_whatever_the_id_and_the_policy() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let device = "d'%#?.(1)$*";
    let mut owner = Rig::start_on(&hub);
    for id in
        [TwinId::device(device), TwinId::module(device, "m'1"), TwinId::device("other"), TwinId::module("other", "m2")]
    {
        owner.create(&id);
    }
    for policy in ["iothubowner", "service", "registryRead"] {
        let mut rig = Rig::start_at(&hub, &hub.connection_as(policy));
        let modules = rig.ask(|key| Command::LoadModules { key, device: device.to_owned() });
        let Ok(Outcome::Modules { modules, .. }) = modules else { panic!("{policy}: {modules:?}") };
        assert_eq!(modules.iter().map(|row| &row.id).collect::<Vec<_>>(), [&TwinId::module(device, "m'1")], "{policy}");
    }
}

#[test]
fn a_query_stops_at_its_limit_and_says_so() {
    let hub = OwnHub::start(FleetChoice::Synthetic(250));
    let mut rig = Rig::start_on(&hub);
    for (limit, expected, expected_more) in [(10, 10, true), (240, 240, true), (250, 250, false), (9999, 250, false)] {
        let text = "SELECT * FROM devices".to_owned();
        match rig.ask(|key| Command::Query { key, text, limit }) {
            Ok(Outcome::QueryRows { rows, more, .. }) => assert_eq!((rows.len(), more), (expected, expected_more)),
            other => panic!("{other:?}"),
        }
    }
    let wrong = rig.ask(|key| Command::Query { key, text: "SELEKT".to_owned(), limit: 1 });
    assert!(matches!(wrong, Err(twinscope::worker::Failure::Hub(_))), "{wrong:?}");
}
