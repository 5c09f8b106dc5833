//! What is seen goes into the journal, whichever way it came; and nothing else waits for that or breaks with it.

use super::proxy::{Mode, Proxy};
use super::rig::{OwnHub, Rig, desired, number};
use serde_json::json;
use std::sync::Arc;
use twinscope::disk::journal::{Entry, Seen, Timeline};
use twinscope::disk::{Folders, JournalBounds, Settings};
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::rest::IfMatch;
use twinscope::twin::{Json, Section, Twin, TwinId, patch};
use twinscope::worker::event::Outcome;
use twinscope::worker::{Command, Fact, Failure};

fn timeline(rig: &mut Rig, id: &TwinId) -> Arc<Timeline> {
    match rig.ask(|key| Command::LoadTimeline { key, id: id.clone() }) {
        Ok(Outcome::Timeline(timeline)) => timeline,
        other => panic!("no timeline of {id}: {other:?}"),
    }
}

fn version(rig: &mut Rig, entry: &Entry) -> Arc<Twin> {
    match rig.ask(|key| Command::LoadVersions { key, entries: vec![entry.clone()] }) {
        Ok(Outcome::Versions(versions)) => versions[0].clone().unwrap(),
        other => panic!("no version: {other:?}"),
    }
}

fn sources(timeline: &Timeline) -> Vec<(u64, Seen)> {
    timeline.entries.iter().map(|entry| (entry.version, entry.seen)).collect()
}

#[test]
fn loads_saves_and_what_the_watch_sees_are_kept_with_their_source() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let mut rig = Rig::start_on(&hub);
    let id = TwinId::device("d1");
    rig.create(&id);
    let base = rig.load(&id);
    let Ok(Outcome::Saved(mine)) = rig.patch(&id, desired(json!({ "a": 1, "b": 1 })), &base.etag) else {
        panic!("not saved")
    };
    // One write that nobody sees, and one that the watch sees.
    let other = hub.client();
    let write = |values| hub.runtime.block_on(other.patch_twin(&id, &desired(values), &IfMatch::Any)).unwrap();
    write(json!({ "a": 2 }));
    let theirs = write(json!({ "a": 3, "b": null }));
    rig.send(Command::Watch { id: id.clone() });
    rig.seen(&id, |twin| twin.version == theirs.version);

    let timeline = timeline(&mut rig, &id);
    let expected = [(base.version, Seen::Load), (mine.version, Seen::Save), (theirs.version, Seen::Watch)];
    assert_eq!(sources(&timeline), expected);
    assert_eq!(timeline.entries[2].unseen, Some(1));
    let counts: Vec<_> = timeline.entries.iter().map(|entry| entry.changed.map(|changed| changed.desired)).collect();
    assert_eq!(counts, [None, Some(2), Some(2)]);
    assert_eq!(number(&version(&mut rig, &timeline.entries[1]), Section::Desired, "b"), Some(1));

    // The patch is there, and what takes it back.
    let saved = timeline.entries[1].saved.clone().expect("the patch that was saved");
    assert_eq!(saved.patch, desired(json!({ "a": 1, "b": 1 })));
    let mut document = desired(Json::Object(mine.desired.values.clone()));
    patch::apply(&mut document, &saved.inverse);
    assert_eq!(document, desired(Json::Object(base.desired.values.clone())));

    // It outlives the program.
    let dir = rig.stop();
    let mut rig = Rig::start_with(dir, |options| {
        options.connection_string = Some(hub.connection().reveal());
        options.extra_ca = vec![hub.ca_file()];
    });
    rig.connected();
    assert_eq!(sources(&self::timeline(&mut rig, &id)), expected);
}

#[test]
fn a_version_that_an_event_told_of_says_so() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let mut rig = Rig::start_on(&hub);
    let id = TwinId::device("d1");
    rig.create(&id);
    rig.load(&id);
    rig.send(Command::Watch { id: id.clone() });
    rig.send(Command::FollowEvents { after: 0 });
    rig.fact("the stream", |fact| matches!(fact, Fact::HubEvents { .. }).then_some(()));
    let other = hub.client();
    let wanted = desired(json!({ "a": 1 }));
    // The watch may come first by itself; then the next one is told by an event.
    for n in 2..30 {
        let theirs = desired(json!({ "n": n }));
        let written = hub.runtime.block_on(other.patch_twin(&id, &theirs, &IfMatch::Any)).unwrap();
        rig.seen(&id, |twin| twin.version == written.version);
        if timeline(&mut rig, &id).entries.last().unwrap().seen == Seen::Event {
            return;
        }
    }
    panic!("no event told of {wanted:?}");
}

#[test]
fn a_journal_that_cannot_be_written_is_said_once_and_hinders_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folders::find(Some(dir.path())).unwrap().journal();
    // A file where the folder is to be: also the superuser cannot write below it.
    std::fs::write(&folder, "").unwrap();
    let mut rig = Rig::start_with(dir, |_| {});
    rig.connected();
    let id = TwinId::device("d1");
    rig.create(&id);
    let mut etag = rig.load(&id).etag.clone();
    for n in 0..5 {
        match rig.patch(&id, desired(json!({ "n": n })), &etag) {
            Ok(Outcome::Saved(twin)) => etag = twin.etag.clone(),
            other => panic!("not saved: {other:?}"),
        }
    }
    let about = |fact: &Fact| match fact {
        Fact::Notice(text) if text.contains("journal") => Some(text.clone()),
        _ => None,
    };
    let said = rig.fact("the notice", about);
    assert!(said.contains(&folder.display().to_string()), "{said}");
    assert!(rig.ask(|key| Command::LoadTimeline { key, id: id.clone() }).is_err());
    let again =
        rig.rest().iter().any(|event| matches!(event, twinscope::worker::Event::Fact(fact) if about(fact).is_some()));
    assert!(!again, "said twice");

    // Mended, it goes on with what waited.
    std::fs::remove_file(&folder).unwrap();
    rig.load(&id);
    let Ok(Outcome::Saved(_)) = rig.patch(&id, desired(json!({ "n": 9 })), &etag) else { panic!("not saved") };
    assert_eq!(timeline(&mut rig, &id).entries.len(), 7);
}

#[test]
fn the_bounds_of_the_settings_are_held() {
    let mut rig = Rig::start();
    rig.connected();
    let id = TwinId::device("d1");
    rig.create(&id);
    let mut etag = rig.load(&id).etag.clone();
    for n in 0..5 {
        match rig.patch(&id, desired(json!({ "n": n })), &etag) {
            Ok(Outcome::Saved(twin)) => etag = twin.etag.clone(),
            other => panic!("not saved: {other:?}"),
        }
    }
    assert_eq!(timeline(&mut rig, &id).entries.len(), 6);
    let settings = Settings { journal: JournalBounds { megabytes: 0, days: 1 }, ..Settings::default() };
    rig.send(Command::SaveSettings { settings });
    let end = std::time::Instant::now() + super::rig::LIMIT;
    while timeline(&mut rig, &id).entries.len() > 1 {
        assert!(std::time::Instant::now() < end, "the bounds are not held");
    }
    assert_eq!(timeline(&mut rig, &id).entries[0].etag, etag, "the newest one stays");
}

#[test]
fn what_is_found_after_a_lost_answer_is_ours_only_where_that_is_sure() {
    for (others_between, expected) in [(false, Seen::Save), (true, Seen::Found)] {
        let hub = OwnHub::start(FleetChoice::Empty);
        let proxy = Proxy::start(hub.port());
        let mut rig = Rig::start_at(&hub, &hub.connection_at(proxy.port()));
        let id = TwinId::device("d1");
        rig.create(&id);
        let base = rig.load(&id);
        if others_between {
            // A report makes a version and leaves the etag.
            hub.report(&id, json!({ "t": 1 }));
        }
        proxy.lose_next(Mode::LoseAnswer);
        let Err(Failure::Unknown { landed: Some(true), now: Some(now), .. }) =
            rig.patch(&id, desired(json!({ "a": 1 })), &base.etag)
        else {
            panic!("the answer was not lost")
        };
        let timeline = timeline(&mut rig, &id);
        let last = timeline.entries.last().unwrap();
        assert_eq!((last.version, last.seen), (now.version, expected));
        assert_eq!(last.saved.is_some(), expected == Seen::Save, "the patch stands beside the version it made");
    }
}
