//! Twins of hubs that are not open, by sockets and from the journal; drafts thrown away; and two windows on one folder.

use super::rig::{OwnHub, Rig, desired, number};
use serde_json::json;
use std::sync::Arc;
use twinscope::client::HubError;
use twinscope::disk::KeptDraft;
use twinscope::disk::journal::{Seen, Timeline};
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::connection_string::{ConnectionString, Proof, Who};
use twinscope::protocol::secret::Secret;
use twinscope::twin::{Section, Twin, TwinId};
use twinscope::worker::event::{Outcome, PastTwin};
use twinscope::worker::{Command, Connect, Event, Fact, Failure, HubRef, KeyPlace};

/// Keeps a connection; it is not opened.
fn add(rig: &mut Rig, name: &str, connection: &ConnectionString, hub: &OwnHub) -> HubRef {
    let (connection_string, ca_file) = (connection.reveal(), Some(hub.ca_file()));
    let connect =
        Connect { name: name.to_owned(), connection_string, ca_file, key: KeyPlace::Session, ..Connect::default() };
    match rig.ask(|key| Command::Add { key, connect }) {
        Ok(Outcome::Hubs(hubs)) => hubs.into_iter().find(|entry| entry.name == name).expect("it is listed").hub,
        other => panic!("not added: {other:?}"),
    }
}

fn elsewhere(rig: &mut Rig, hub: &HubRef, id: &TwinId) -> Result<Arc<Twin>, Failure> {
    match rig.ask(|key| Command::ReadElsewhere { key, hub: hub.clone(), id: id.clone() }) {
        Ok(Outcome::Twin(twin)) => Ok(twin),
        Ok(other) => panic!("{other:?}"),
        Err(failure) => Err(failure),
    }
}

fn past(rig: &mut Rig) -> Vec<PastTwin> {
    match rig.ask(|key| Command::ListPast { key }) {
        Ok(Outcome::Past(twins)) => twins.to_vec(),
        other => panic!("not listed: {other:?}"),
    }
}

fn timeline(rig: &mut Rig, hub: Option<String>, id: &TwinId) -> Arc<Timeline> {
    match rig.ask(|key| Command::LoadPast { key, hub, id: id.clone() }) {
        Ok(Outcome::Timeline(timeline)) => timeline,
        other => panic!("no timeline of {id}: {other:?}"),
    }
}

#[test]
fn a_twin_of_a_kept_hub_is_read_while_another_one_is_open() {
    let (here, there) = (OwnHub::start(FleetChoice::Empty), OwnHub::start(FleetChoice::Empty));
    let mut rig = Rig::start_on(&here);
    let id = TwinId::device("d1");
    rig.create(&id);
    let other = there.client();
    let request = twinscope::protocol::identity::IdentityRequest::new(id.clone());
    there.runtime.block_on(other.create_or_get(&request)).unwrap();
    let any = twinscope::protocol::rest::IfMatch::Any;
    there.runtime.block_on(other.patch_twin(&id, &desired(json!({ "a": 7 })), &any)).unwrap();
    let plant = add(&mut rig, "Plant", &there.connection(), &there);
    let twin = elsewhere(&mut rig, &plant, &id).unwrap();
    assert_eq!(number(&twin, Section::Desired, "a"), Some(7));
    // The open hub is still the open one.
    assert_eq!(number(&rig.load(&id), Section::Desired, "a"), None);
    let missing = elsewhere(&mut rig, &plant, &TwinId::device("none"));
    assert!(matches!(missing, Err(Failure::Hub(HubError::NotFound { .. }))), "{missing:?}");
    let local = elsewhere(&mut rig, &HubRef::Local, &id);
    assert!(matches!(local, Err(Failure::Hub(HubError::NotFound { .. }))), "the hub inside is asked too: {local:?}");
    let removed = elsewhere(&mut rig, &HubRef::Saved("gone".to_owned()), &id);
    assert!(matches!(removed, Err(Failure::Local(_))), "{removed:?}");

    // What was read is in that hub's history, not in this one's.
    let listed = past(&mut rig);
    let host = there.connection().host_name.to_ascii_lowercase();
    let told: Vec<_> = listed.iter().map(|twin| (twin.hub.clone(), twin.hub_name.as_str(), twin.id.clone())).collect();
    assert!(told.contains(&(Some(host.clone()), "Plant", id.clone())), "{told:?}");
    assert!(told.contains(&(None, "", id.clone())), "{told:?}");
    let theirs = timeline(&mut rig, Some(host.clone()), &id);
    assert_eq!(theirs.entries.len(), 1);
    assert_eq!(theirs.entries[0].version, twin.version);
    let key = theirs.entries[0].key();
    let hub = Some(host);
    let read =
        rig.ask(|request| Command::LoadPastVersion { key: request, hub: hub.clone(), id: id.clone(), version: key });
    let Ok(Outcome::Versions(versions)) = read else { panic!("{read:?}") };
    assert_eq!(versions[0].as_ref().map(|past| number(past, Section::Desired, "a")), Ok(Some(7)));
    // A version that is not there any more says so in a sentence.
    let key = twinscope::disk::journal::EntryKey { version: 99, at_ms: 1 };
    let read = rig.ask(|request| Command::LoadPastVersion { key: request, hub, id: id.clone(), version: key });
    let Ok(Outcome::Versions(versions)) = read else { panic!("{read:?}") };
    assert!(versions[0].as_ref().unwrap_err().contains("no longer in the journal"));
}

#[test]
fn a_hub_that_does_not_answer_or_refuses_is_told_without_its_secret_and_can_be_left() {
    let (here, mut there) = (OwnHub::start(FleetChoice::Empty), OwnHub::start(FleetChoice::Empty));
    let mut rig = Rig::start_on(&here);
    let id = TwinId::device("d1");
    let wrong_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let proof = Proof::Key(Secret::new(wrong_key));
    let who = Who::Service { policy: "iothubowner".to_owned(), proof };
    let wrong = add(&mut rig, "Wrong key", &ConnectionString { who, ..there.connection() }, &there);
    let plant = add(&mut rig, "Plant", &there.connection(), &there);
    let refused = elsewhere(&mut rig, &wrong, &id);
    assert!(matches!(refused, Err(Failure::Hub(HubError::Unauthorized { .. }))), "{refused:?}");
    assert!(!format!("{refused:?}").contains(wrong_key));
    there.stop();
    let key = rig.key();
    rig.send(Command::ReadElsewhere { key, hub: plant, id: id.clone() });
    rig.send(Command::Cancel { key });
    match rig.done(key) {
        Err(Failure::Cancelled | Failure::Hub(HubError::Unreachable { .. })) => {}
        other => panic!("{other:?}"),
    }
    // That the other hub is away says nothing about the open one.
    rig.create(&id);
    rig.load(&id);
    let offline = |event: &Event| matches!(event, Event::Fact(Fact::HubReachable(_)));
    assert!(!rig.rest().iter().any(offline));
}

#[test]
fn a_draft_that_is_thrown_away_is_in_the_history_at_once_and_after_a_restart() {
    let mut rig = Rig::start();
    rig.connected();
    let id = TwinId::device("d1");
    rig.create(&id);
    let base = rig.load(&id);
    let text = "{\n \"a\": 1 ".to_owned();
    let draft = KeptDraft { hub: "local".to_owned(), base, desired: Some(text), tags: None, report: None, at_ms: 1 };
    rig.send(Command::KeepDiscarded { draft: Box::new(draft.clone()) });
    let check = |rig: &mut Rig| {
        let entries = match rig.ask(|key| Command::LoadTimeline { key, id: id.clone() }) {
            Ok(Outcome::Timeline(timeline)) => timeline.entries.clone(),
            other => panic!("{other:?}"),
        };
        let seen: Vec<Seen> = entries.iter().map(|entry| entry.seen).collect();
        assert_eq!(seen, [Seen::Load, Seen::Discarded]);
        assert!(entries[1].at_ms >= entries[0].at_ms && entries[1].at_ms > 1_700_000_000_000, "when it happened");
        let (entry, other) = (Box::new(entries[1].clone()), Some(Box::new(entries[0].clone())));
        match rig.ask(|key| Command::LoadDiscarded { key, entry, other }) {
            Ok(Outcome::Discarded { draft: back, other: Some(Ok(other)) }) => {
                assert_eq!((&back.desired, &back.base.etag), (&draft.desired, &draft.base.etag));
                assert_eq!(other.etag, draft.base.etag);
            }
            other => panic!("{other:?}"),
        }
    };
    check(&mut rig);
    let mut rig = Rig::start_with(rig.stop(), |_| {});
    rig.connected();
    check(&mut rig);
}

#[test]
fn two_windows_with_a_local_hub_each_do_not_mix_their_histories() {
    let mut one = Rig::start();
    one.connected();
    let data = one.dir.path().to_path_buf();
    // The second one finds the folder of the local hub taken: its hub keeps nothing.
    let mut two = Rig::start_with(tempfile::tempdir().unwrap(), |options| options.data = Some(data));
    two.connected();
    let id = TwinId::device("d1");
    let mut twins = Vec::new();
    for rig in [&mut one, &mut two] {
        rig.create(&id);
        twins.push(rig.load(&id));
    }
    let etag = twins[1].etag.clone();
    let saved = two.patch(&id, desired(json!({ "a": 2 })), &etag);
    assert!(matches!(saved, Ok(Outcome::Saved(_))), "{saved:?}");
    let versions = |timeline: &Timeline| timeline.entries.len();
    assert_eq!(versions(&timeline(&mut one, None, &id)), 1, "the other window's versions are here");
    assert_eq!(versions(&timeline(&mut two, None, &id)), 2);
    let there = past(&mut two);
    let names: Vec<(Option<&str>, &str)> =
        there.iter().map(|twin| (twin.hub.as_deref(), twin.hub_name.as_str())).collect();
    assert!(names.contains(&(Some("local"), "Local hub of another window")), "{names:?}");
    // Its drafts are no hub's but the person's: they come back in the next window.
    let draft = KeptDraft {
        hub: "local".to_owned(),
        base: twins[1].clone(),
        desired: Some("{}".to_owned()),
        tags: None,
        report: None,
        at_ms: 1,
    };
    two.send(Command::KeepDraft { draft: Box::new(draft) });
    two.stop();
    let mut next = Rig::start_with(one.stop(), |_| {});
    next.connected();
    let back = next.fact("the draft", |fact| match fact {
        Fact::Drafts(drafts) => Some(drafts.iter().filter_map(|draft| draft.desired.clone()).collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(back, ["{}"]);
    assert_eq!(versions(&timeline(&mut next, None, &id)), 1);
    let gone = past(&mut next).into_iter().find(|twin| twin.hub_name == "Local hub of another run").expect("listed");
    assert_eq!(versions(&timeline(&mut next, gone.hub, &id)), 2);
}
