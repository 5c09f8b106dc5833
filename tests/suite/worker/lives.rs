//! An id that was deleted and created again: its new twin may have the etag and the version of the one before.

use super::rig::{OwnHub, Rig, desired, number};
use crate::restarting::Restarting;
use serde_json::{Value, json};
use std::sync::Arc;
use twinscope::client::HubClient;
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::identity::IdentityRequest;
use twinscope::protocol::rest::IfMatch;
use twinscope::twin::{Section, Status, Twin, TwinId};
use twinscope::worker::command::Guard;
use twinscope::worker::event::Outcome;
use twinscope::worker::{Command, Event, Fact, Failure};

/// A window on a hub whose counters restart, and another client.
struct Lives {
    hub: OwnHub,
    restarting: Restarting,
    rig: Rig,
    other: HubClient,
    id: TwinId,
}

impl Lives {
    fn start() -> Self {
        let hub = OwnHub::start(FleetChoice::Empty);
        let restarting = Restarting::start(&hub);
        let mut rig = Rig::start_with(tempfile::tempdir().unwrap(), |options| {
            options.connection_string = Some(restarting.connection(&hub).reveal());
            options.extra_ca = vec![restarting.ca_file()];
        });
        rig.connected();
        let other = hub.client();
        let mut lives = Self { hub, restarting, rig, other, id: TwinId::device("d1") };
        lives.create();
        lives
    }

    fn create(&mut self) {
        let request = IdentityRequest::new(self.id.clone());
        self.hub.runtime.block_on(self.other.create_or_get(&request)).unwrap();
        let twin = self.hub.runtime.block_on(self.other.twin(&self.id)).unwrap();
        self.restarting.born(&twin);
    }

    fn create_again(&mut self) {
        self.hub.runtime.block_on(self.other.delete_identity(&self.id, &IfMatch::Any)).unwrap();
        self.create();
    }

    fn write(&self, values: Value) -> Twin {
        self.hub.runtime.block_on(self.other.patch_twin(&self.id, &desired(values), &IfMatch::Any)).unwrap()
    }

    fn now(&self) -> Twin {
        self.hub.runtime.block_on(self.other.twin(&self.id)).unwrap()
    }

    /// Saves as the window does: over what is on the screen.
    fn save(&mut self, body: Value, over: &Arc<Twin>) -> Result<Outcome, Failure> {
        let (id, guard, over) = (self.id.clone(), Guard::Etag(over.etag.clone()), Some(over.clone()));
        self.rig.ask(|key| Command::PatchTwin { key, id, body: desired(body), guard, over })
    }

    fn replace(&mut self, body: Value, over: &Arc<Twin>) -> Result<Outcome, Failure> {
        let (id, guard, over) = (self.id.clone(), Guard::Etag(over.etag.clone()), Some(over.clone()));
        self.rig.ask(|key| Command::ReplaceTwin { key, id, body: desired(body), guard, over })
    }

    fn recreated(&mut self) -> Arc<Twin> {
        let id = self.id.clone();
        self.rig.fact("the word of another life", |fact| match fact {
            Fact::TwinRecreated { twin } if twin.id == id => Some(twin.clone()),
            _ => None,
        })
    }
}

fn owner(twin: &Twin) -> Option<&str> {
    twin.desired.values.get("owner")?.as_str()
}

#[test]
fn a_save_does_not_go_over_another_life_with_the_same_etag() {
    let mut lives = Lives::start();
    lives.write(json!({"a": 1, "owner": "gen1"}));
    let base = lives.rig.load(&lives.id.clone());
    lives.create_again();
    lives.write(json!({"a": 2, "owner": "gen2"}));
    for attempt in [Lives::save, Lives::replace] {
        match attempt(&mut lives, json!({"a": 100}), &base) {
            Ok(Outcome::Conflict { theirs }) => {
                let same = (&theirs.etag, theirs.version, &theirs.device_etag);
                assert_eq!(same, (&base.etag, base.version, &base.device_etag), "the twins must look alike");
                assert_eq!(owner(&theirs), Some("gen2"));
            }
            other => panic!("no conflict: {other:?}"),
        }
    }
    let now = lives.now();
    assert_eq!((number(&now, Section::Desired, "a"), owner(&now)), (Some(2), Some("gen2")));
    assert_eq!(owner(&lives.recreated()), Some("gen2"));
    // Over the new life, once it was shown, a save goes through.
    let base = lives.rig.load(&lives.id.clone());
    assert!(matches!(lives.save(json!({"a": 3}), &base), Ok(Outcome::Saved(_))));
    assert_eq!(number(&lives.now(), Section::Desired, "a"), Some(3));
}

#[test]
fn the_watch_sees_another_life_with_the_same_etag_and_version() {
    let mut lives = Lives::start();
    lives.write(json!({"owner": "gen1"}));
    let id = lives.id.clone();
    lives.rig.load(&id);
    lives.rig.send(Command::Watch { id: id.clone() });
    lives.create_again();
    lives.write(json!({"owner": "gen2"}));
    // A watch may read between the two writes: then the life is told first and its owner later.
    lives.recreated();
    assert_eq!(owner(&lives.rig.seen(&id, |twin| owner(twin) == Some("gen2"))), Some("gen2"));
}

#[test]
fn a_life_whose_counters_are_ahead_is_told_by_its_generation() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let mut rig = Rig::start_on(&hub);
    let id = TwinId::device("d1");
    rig.create(&id);
    rig.load(&id);
    rig.send(Command::Watch { id: id.clone() });
    let other = hub.client();
    let write = |n: i64| {
        hub.runtime.block_on(other.patch_twin(&id, &desired(json!({ "n": n })), &IfMatch::Any)).unwrap();
    };
    let read = |rig: &mut Rig| {
        rig.fact("a read of the record", |fact| match fact {
            Fact::Requests(records) => records
                .iter()
                .any(|r| r.method == "GET" && r.path == "/devices/d1" && r.status == Some(200))
                .then_some(()),
            _ => None,
        });
    };
    read(&mut rig);
    // An update of the record moves its etag, and is no other life.
    let identity = hub.runtime.block_on(other.identity(&id)).unwrap();
    let disabled = rig.ask(|key| Command::SetStatus {
        key,
        id: id.clone(),
        etag: identity.etag.clone(),
        status: Status::Disabled,
    });
    assert!(matches!(disabled, Ok(Outcome::Identity(_))), "{disabled:?}");
    write(1);
    rig.seen(&id, |twin| number(twin, Section::Desired, "n") == Some(1));
    let told = rig.rest();
    let again = |event: &Event| matches!(event, Event::Fact(Fact::TwinRecreated { .. }));
    assert!(!told.iter().any(again), "an update is taken for another life: {told:?}");

    // All counters go ahead of the old ones before anybody looks.
    rig.send(Command::Unwatch { id: id.clone() });
    let request = IdentityRequest::new(id.clone());
    hub.runtime.block_on(other.delete_identity(&id, &IfMatch::Any)).unwrap();
    hub.runtime.block_on(other.create_or_get(&request)).unwrap();
    for n in 1..=9 {
        write(n);
    }
    let loaded = rig.load(&id);
    let recreated = rig.fact("the word of another life", |fact| match fact {
        Fact::TwinRecreated { twin } => Some(twin.clone()),
        _ => None,
    });
    assert_eq!(recreated, loaded);
}
