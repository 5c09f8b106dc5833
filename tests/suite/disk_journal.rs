//! The journal between two windows, and what it notes of each version.

use std::path::{Path, PathBuf};
use twinscope::disk::Journal;
use twinscope::disk::journal::{Changed, Limits, SavedPatch, Seen};
use twinscope::twin::{Etag, Json, JsonMap, Twin, TwinId, wire};

const NO_LIMITS: Limits = Limits { bytes: u64::MAX, age_ms: u64::MAX };

fn twin(id: &str, version: u64, tags: &str, desired: &str) -> Twin {
    let body = format!(
        r#"{{"deviceId":"{id}","etag":"e{version}","version":{version},"tags":{tags},"properties":{{"desired":{{{desired}
        "$metadata":{{"$lastUpdated":"2026-01-01T00:00:{version:02}Z"}},"$version":{version}}},"reported":{{"t":1E5,"$version":7}}}}}}"#
    );
    wire::parse(body.as_bytes()).unwrap()
}

fn simple(id: &str, version: u64) -> Twin {
    twin(id, version, r#"{"site":"A"}"#, &format!(r#""a":{version},"#))
}

fn patch(text: &str) -> JsonMap {
    let Json::Object(map) = wire::json(text.as_bytes()).unwrap() else { panic!("{text} is no object") };
    map
}

fn saved() -> SavedPatch {
    SavedPatch {
        patch: patch(r#"{"properties":{"desired":{"a":2}}}"#),
        inverse: patch(r#"{"properties":{"desired":{"a":1}}}"#),
    }
}

fn versions(journal: &Journal, id: &str) -> Vec<u64> {
    journal.timeline("local", &TwinId::device(id)).unwrap().entries.iter().map(|entry| entry.version).collect()
}

fn only_file(folder: &Path) -> PathBuf {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[test]
fn two_windows_that_see_the_same_versions_keep_them_once() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (Journal::new(dir.path()), Journal::new(dir.path()));
    assert_eq!(one.record("local", &simple("d", 5), Seen::Watch, 1, None), Ok(true));
    assert_eq!(one.record("local", &simple("d", 6), Seen::Watch, 2, None), Ok(true));
    // The other window is a moment late with both.
    assert_eq!(two.record("local", &simple("d", 5), Seen::Watch, 3, None), Ok(false));
    assert_eq!(two.record("local", &simple("d", 6), Seen::Watch, 4, None), Ok(false));
    assert_eq!(versions(&one, "d"), [5, 6]);
}

#[test]
fn two_windows_write_at_once_and_every_version_can_be_read() {
    const TWINS: u64 = 6;
    let dir = tempfile::tempdir().unwrap();
    // The sections are the same in all of them: every window wants to write the same objects at the same moment.
    let version = |window: u64, n: u64| {
        let id = format!("d{}", n % TWINS);
        twin(&id, window * 1000 + n, r#"{"site":"A"}"#, &format!(r#""a":{n},"#))
    };
    std::thread::scope(|scope| {
        for window in 0..4 {
            let journal = Journal::new(dir.path());
            scope.spawn(move || {
                for n in 0..60 {
                    journal.record("local", &version(window, n), Seen::Watch, n, None).unwrap();
                    if n % 25 == 0 {
                        journal.prune(NO_LIMITS, n).unwrap();
                    }
                }
            });
        }
    });
    let journal = Journal::new(dir.path());
    for n in 0..TWINS {
        let timeline = journal.timeline("local", &TwinId::device(format!("d{n}"))).unwrap();
        assert_eq!((timeline.entries.len(), timeline.unreadable), (40, 0), "d{n}");
        for entry in &timeline.entries {
            assert_eq!(journal.twin(entry).unwrap().version, entry.version);
        }
    }
}

#[test]
fn each_version_knows_how_many_paths_it_changed() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    let versions = [
        twin("d", 1, r#"{"site":"A"}"#, r#""a":1,"b":{"c":1,"d":2},"#),
        // Only the hub's own counters moved.
        twin("d", 2, r#"{"site":"A"}"#, r#""a":1,"b":{"c":1,"d":2},"#),
        twin("d", 3, r#"{"site":"B","line":4}"#, r#""b":{"c":1,"d":3},"#),
    ];
    for (at, version) in versions.iter().enumerate() {
        journal.record("local", version, Seen::Watch, at as u64, None).unwrap();
    }
    let changed: Vec<_> =
        journal.timeline("local", &TwinId::device("d")).unwrap().entries.iter().map(|entry| entry.changed).collect();
    let none = Changed { tags: 0, desired: 0, reported: 0 };
    assert_eq!(changed, [None, Some(none), Some(Changed { tags: 2, desired: 2, reported: 0 })]);
}

#[test]
fn a_save_that_the_watch_saw_first_is_one_version() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    journal.record("local", &simple("d", 1), Seen::Load, 1, None).unwrap();
    journal.record("local", &simple("d", 2), Seen::Watch, 2, None).unwrap();
    journal.record("local", &simple("d", 2), Seen::Save, 3, Some(&saved())).unwrap();
    journal.record("local", &simple("d", 2), Seen::Watch, 4, None).unwrap();
    let timeline = journal.timeline("local", &TwinId::device("d")).unwrap();
    let told: Vec<_> =
        timeline.entries.iter().map(|entry| (entry.version, entry.seen, entry.saved.is_some(), entry.unseen)).collect();
    assert_eq!(told, [(1, Seen::Load, false, Some(0)), (2, Seen::Save, true, Some(0))]);
    assert_eq!(timeline.entries[1].changed.map(Changed::total), Some(1));
}

#[test]
fn the_version_behind_an_etag_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    for version in 1..=3 {
        journal.record("local", &simple("d", version), Seen::Load, version, None).unwrap();
    }
    let at = |etag: &str| journal.at_etag("local", &TwinId::device("d"), &Etag(etag.to_owned())).unwrap();
    assert_eq!(at("e2").map(|twin| twin.version), Some(2));
    assert_eq!(at("e9"), None);
}

#[test]
fn what_cannot_be_read_is_kept_when_the_rest_is_tidied() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    for version in 1..=3 {
        journal.record("local", &simple("d", version), Seen::Load, version, None).unwrap();
    }
    let file = only_file(&dir.path().join("twins"));
    let mut bytes = b"somebody's own words\n".to_vec();
    bytes.extend(std::fs::read(&file).unwrap());
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(journal.timeline("local", &TwinId::device("d")).unwrap().unreadable, 1);
    journal.prune(Limits { bytes: u64::MAX, age_ms: 0 }, 10).unwrap();
    assert_eq!(versions(&journal, "d"), [3]);
    let kept = std::fs::read_to_string(
        dir.path().join("twins").join(format!("{}.unreadable", file.file_name().unwrap().to_str().unwrap())),
    );
    assert_eq!(kept.unwrap(), "somebody's own words\n");
    // It is no twin's file: the next time around it is left alone.
    journal.prune(Limits { bytes: 0, age_ms: 0 }, 10).unwrap();
    assert_eq!(versions(&journal, "d"), [3]);
}
