//! Drafts on a disk that fails: the program works on, says so once, and keeps what it cannot read under another name.

use super::rig::{Rig, desired, object};
use serde_json::json;
use twinscope::disk::{Folders, KeptDraft};
use twinscope::twin::TwinId;
use twinscope::worker::event::Outcome;
use twinscope::worker::{Command, Event, Fact};

fn about_drafts(fact: &Fact) -> Option<String> {
    match fact {
        Fact::Notice(text) if text.contains("draft") || text.contains("Drafts") => Some(text.clone()),
        Fact::DraftsUnkept(why) => Some(format!("{why:?}")),
        _ => None,
    }
}

fn keep(rig: &mut Rig, id: &TwinId, text: &str) {
    let (base, desired) = (rig.load(id), Some(text.to_owned()));
    let draft = KeptDraft { hub: "local".to_owned(), base, desired, tags: None, report: None, at_ms: 1 };
    rig.send(Command::KeepDraft { draft: Box::new(draft) });
}

#[test]
fn a_folder_that_cannot_be_used_is_said_once_and_hinders_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folders::find(Some(dir.path())).unwrap().drafts();
    // A file where the folder is to be: also the superuser cannot write below it.
    std::fs::write(&folder, "").unwrap();
    let mut rig = Rig::start_with(dir, |_| {});
    rig.connected();
    let said = rig.fact("the notice", about_drafts);
    assert!(said.contains(&folder.display().to_string()), "{said}");
    let id = TwinId::device("d1");
    rig.create(&id);
    for n in 0..3 {
        keep(&mut rig, &id, &format!("typed {n}"));
        let etag = rig.load(&id).etag.clone();
        let saved = rig.patch(&id, desired(json!({ "n": n })), &etag);
        assert!(matches!(saved, Ok(Outcome::Saved(_))), "{saved:?}");
    }
    assert!(!rig.rest().iter().any(|event| matches!(event, Event::Fact(fact) if about_drafts(fact).is_some())));
}

#[test]
fn what_cannot_be_read_is_kept_beside_and_the_rest_comes_back() {
    let mut rig = Rig::start();
    rig.connected();
    for name in ["good", "bad"] {
        let id = TwinId::device(name);
        rig.create(&id);
        keep(&mut rig, &id, &format!("{{\"typed\": \"{name}\"}}"));
    }
    let dir = rig.stop();
    let folder = Folders::find(Some(dir.path())).unwrap().drafts();
    let files = || std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: &std::path::PathBuf| std::fs::read(path).unwrap_or_default();
    let is_bad = |path: &std::path::PathBuf| String::from_utf8_lossy(&read(path)).contains("\"deviceId\":\"bad\"");
    let bad = files().find(is_bad).expect("it is on disk when the program has stopped");
    let half = read(&bad)[..40].to_vec();
    std::fs::write(&bad, &half).unwrap();

    let mut rig = Rig::start_with(dir, |_| {});
    rig.connected();
    let said = rig.fact("the notice", about_drafts);
    assert!(said.contains("The draft of bad") && said.contains("the file is kept as"), "{said}");
    let back = rig.fact("the drafts", |fact| match fact {
        Fact::Drafts(drafts) => Some(drafts.iter().map(|draft| draft.base.id.to_string()).collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(back, ["good"]);
    assert!(files().any(|path| read(&path) == half), "what cannot be read is gone");
    // What is typed from here on is kept as ever.
    let base = rig.load(&TwinId::device("bad"));
    let etag = base.etag.clone();
    let saved = rig.patch(&base.id, object(json!({ "tags": { "a": 1 } })), &etag);
    assert!(matches!(saved, Ok(Outcome::Saved(_))), "{saved:?}");
    let dir = rig.stop();
    let mut rig = Rig::start_with(dir, |_| {});
    rig.connected();
    assert!(
        !rig.rest().iter().any(|event| matches!(event, Event::Fact(fact) if about_drafts(fact).is_some())),
        "said twice"
    );
}

#[test]
fn a_draft_that_could_be_removed_does_not_make_the_next_failure_news() {
    let mut rig = Rig::start();
    rig.connected();
    let (full, fine) = (TwinId::device("full"), TwinId::device("fine"));
    for id in [&full, &fine] {
        rig.create(id);
    }
    keep(&mut rig, &fine, "{}");
    let folder = Folders::find(Some(rig.dir.path())).unwrap().drafts();
    let kept = || std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let end = std::time::Instant::now() + super::rig::LIMIT;
    let draft_file = loop {
        assert!(std::time::Instant::now() < end, "the draft is not kept");
        if let Some(draft_file) = kept().find(|path| path.extension().is_some_and(|end| end == "json")) {
            break draft_file;
        }
        std::thread::yield_now();
    };
    // A folder where the file is to be: it cannot be written, whoever asks.
    let instance = draft_file.file_name().unwrap().to_str().unwrap().split_once('.').unwrap().1.to_owned();
    let name = twin_name(&rig, &full, &instance);
    std::fs::create_dir_all(name.join("in the way")).unwrap();
    keep(&mut rig, &full, "{\"n\": 1}");
    rig.fact("the notice", about_drafts);
    rig.send(Command::ForgetDraft { hub: "local".to_owned(), id: fine.clone() });
    let end = std::time::Instant::now() + super::rig::LIMIT;
    while draft_file.exists() {
        assert!(std::time::Instant::now() < end, "the draft is not forgotten");
        std::thread::yield_now();
    }
    keep(&mut rig, &full, "{\"n\": 2}");
    // It was tried when the next one of another twin is there.
    keep(&mut rig, &fine, "{\"n\": 3}");
    let end = std::time::Instant::now() + super::rig::LIMIT;
    while !draft_file.exists() {
        assert!(std::time::Instant::now() < end, "the draft is not kept");
        std::thread::yield_now();
    }
    let dir = rig.dir.path().to_owned();
    let told: Vec<Event> = rig.rest();
    assert!(!told.iter().any(|event| matches!(event, Event::Fact(fact) if about_drafts(fact).is_some())), "{told:?}");
    drop((rig, dir));
}

/// Where the draft of a twin of the local hub goes.
fn twin_name(rig: &Rig, id: &TwinId, instance: &str) -> std::path::PathBuf {
    use sha2::{Digest, Sha256};
    use std::fmt::Write;
    let digest = Sha256::digest(format!("local\n{id}").as_bytes());
    let name = digest.iter().take(16).fold(String::new(), |mut name, byte| {
        write!(name, "{byte:02x}").unwrap();
        name
    });
    Folders::find(Some(rig.dir.path())).unwrap().drafts().join(format!("{name}.{instance}"))
}

/// Every file of the drafts with what it holds.
fn on_disk(dir: &std::path::Path) -> Vec<String> {
    let folder = Folders::find(Some(dir)).unwrap().drafts();
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| std::fs::read_to_string(path).unwrap_or_default()).filter(|text| !text.is_empty()).collect()
}

#[test]
fn of_two_drafts_of_one_twin_the_older_is_in_its_history() {
    let mut rig = Rig::start();
    rig.connected();
    let id = TwinId::device("d1");
    rig.create(&id);
    let base = rig.load(&id);
    let dir = rig.stop();
    let kept = |text: &str, at_ms| {
        let (base, desired) = (base.clone(), Some(text.to_owned()));
        KeptDraft { hub: "local".to_owned(), base, desired, tags: None, report: None, at_ms }
    };
    let folder = Folders::find(Some(dir.path())).unwrap().drafts();
    let (one, two) = (twinscope::disk::Drafts::open(&folder).unwrap(), twinscope::disk::Drafts::open(&folder).unwrap());
    one.keep(&kept("{ \"of\": \"one\" }", 1)).unwrap();
    two.keep(&kept("{ \"of\": \"two\" }", 2)).unwrap();
    drop((one, two));
    let mut rig = Rig::start_with(dir, |_| {});
    rig.connected();
    let said = rig.fact("the notice", about_drafts);
    assert!(said.contains("d1") && said.contains("History"), "{said}");
    let back = rig.fact("the drafts", |fact| match fact {
        Fact::Drafts(drafts) => drafts[0].desired.clone(),
        _ => None,
    });
    assert_eq!(back, "{ \"of\": \"two\" }");
    let timeline = rig.ask(|key| Command::LoadTimeline { key, id: id.clone() });
    let Ok(Outcome::Timeline(timeline)) = timeline else { panic!("{timeline:?}") };
    let [discarded] = timeline.entries.iter().filter(|entry| entry.is_discarded()).collect::<Vec<_>>()[..] else {
        panic!("{timeline:?}")
    };
    let journal = twinscope::disk::Journal::new(&Folders::find(Some(rig.dir.path())).unwrap().journal());
    assert_eq!(journal.discarded(discarded).unwrap().desired.as_deref(), Some("{ \"of\": \"one\" }"));
    assert!(!on_disk(rig.dir.path()).iter().any(|text| text.contains("one")), "it is in two places");
}

#[test]
fn what_is_discarded_and_cannot_be_kept_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    // A file where the journal is to be: nothing can be kept there.
    std::fs::write(Folders::find(Some(dir.path())).unwrap().journal(), "").unwrap();
    let mut rig = Rig::start_with(dir, |_| {});
    rig.connected();
    let (lost, saved) = (TwinId::device("lost"), TwinId::device("saved"));
    let drafts = [&lost, &saved].map(|id| {
        rig.create(id);
        let (base, desired) = (rig.load(id), Some(format!("{{ \"{id}\": 1 }}")));
        KeptDraft { hub: "local".to_owned(), base, desired, tags: None, report: None, at_ms: 1 }
    });
    for draft in &drafts {
        rig.send(Command::KeepDraft { draft: Box::new(draft.clone()) });
    }
    let end = std::time::Instant::now() + super::rig::LIMIT;
    while on_disk(rig.dir.path()).len() < 2 {
        assert!(std::time::Instant::now() < end, "the drafts are not kept");
        std::thread::yield_now();
    }
    rig.send(Command::KeepDiscarded { draft: Box::new(drafts[0].clone()) });
    for id in [&lost, &saved] {
        rig.send(Command::ForgetDraft { hub: "local".to_owned(), id: id.clone() });
    }
    let dir = rig.stop();
    let left = on_disk(dir.path());
    assert!(left.iter().any(|text| text.contains("lost")), "what the journal could not keep is gone");
    assert!(!left.iter().any(|text| text.contains("saved")), "what nobody discarded is not forgotten");
}

/// What cannot be kept is said while it is so: also when what was typed is on the hub by the time there is room.
#[test]
fn that_drafts_are_not_kept_is_said_no_longer_than_it_is_so() {
    let mut rig = Rig::start();
    rig.connected();
    let id = TwinId::device("d1");
    rig.create(&id);
    let folder = Folders::find(Some(rig.dir.path())).unwrap().drafts();
    let aside = folder.with_extension("aside");
    std::fs::rename(&folder, &aside).unwrap();
    // A file where the folder was: nobody can write below it.
    std::fs::write(&folder, "").unwrap();
    keep(&mut rig, &id, "typed");
    rig.fact("the failure", |fact| matches!(fact, Fact::DraftsUnkept(Some(_))).then_some(()));
    rig.send(Command::ForgetDraft { hub: "local".to_owned(), id: id.clone() });
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&aside, &folder).unwrap();
    rig.fact("the end of it", |fact| matches!(fact, Fact::DraftsUnkept(None)).then_some(()));
}
