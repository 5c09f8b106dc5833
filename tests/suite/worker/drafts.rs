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
    assert!(said.contains(&folder.display().to_string()) && said.contains("safe as long as"), "{said}");
    rig.fact("that nothing is kept", |fact| match fact {
        Fact::DraftsUnkept(Some(why)) => Some(why.clone()),
        _ => None,
    });
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
    assert!(said.contains("the file is kept as"), "{said}");
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
    let file = loop {
        assert!(std::time::Instant::now() < end, "the draft is not kept");
        if let Some(file) = kept().find(|path| path.extension().is_some_and(|end| end == "json")) {
            break file;
        }
        std::thread::yield_now();
    };
    // A folder where the file is to be: it cannot be written, whoever asks.
    let instance = file.file_name().unwrap().to_str().unwrap().split_once('.').unwrap().1.to_owned();
    let name = twin_name(&rig, &full, &instance);
    std::fs::create_dir_all(name.join("in the way")).unwrap();
    keep(&mut rig, &full, "{\"n\": 1}");
    rig.fact("the notice", about_drafts);
    rig.send(Command::ForgetDraft { hub: "local".to_owned(), id: fine.clone() });
    let end = std::time::Instant::now() + super::rig::LIMIT;
    while file.exists() {
        assert!(std::time::Instant::now() < end, "the draft is not forgotten");
        std::thread::yield_now();
    }
    keep(&mut rig, &full, "{\"n\": 2}");
    // It was tried when the next one of another twin is there.
    keep(&mut rig, &fine, "{\"n\": 3}");
    let end = std::time::Instant::now() + super::rig::LIMIT;
    while !file.exists() {
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
    let digest = Sha256::digest(format!("local\n{id}").as_bytes());
    let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Folders::find(Some(rig.dir.path())).unwrap().drafts().join(format!("{name}.{instance}"))
}
