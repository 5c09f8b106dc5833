//! Drafts and the journal: what comes back, what two windows do to each other, what damage does.

use proptest::prelude::*;
use std::path::{Path, PathBuf};
use twinscope::disk::journal::{Limits, Pruned, SavedPatch, Seen};
use twinscope::disk::{Drafts, Journal, KeptDraft};
use twinscope::twin::{Json, JsonMap, Twin, TwinId, wire};

fn twin(id: &str, version: u64, desired: &str) -> Twin {
    let (device, module) = id.split_once('/').map_or((id, None), |(device, module)| (device, Some(module)));
    let body = format!(
        r#"{{"deviceId":"{device}","etag":"{version}","version":{version},"tags":{{"site":"A"}},
        "properties":{{"desired":{{{desired}"$version":{version}}},"reported":{{"t":1E5,"$version":7}}}}}}"#
    );
    let mut twin = wire::parse(body.as_bytes()).unwrap();
    twin.id.module = module.map(str::to_owned);
    twin
}

fn draft(id: &str, text: &str, at_ms: u64) -> KeptDraft {
    let base = std::sync::Arc::new(twin(id, 3, r#""a":1.50,"#));
    KeptDraft { hub: "local".to_owned(), base, desired: Some(text.to_owned()), tags: None, report: None, at_ms }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

fn json_file(folder: &Path) -> PathBuf {
    files(folder).into_iter().find(|path| path.extension().is_some_and(|end| end == "json")).unwrap()
}

#[test]
fn a_draft_comes_back_to_the_letter() {
    let dir = tempfile::tempdir().unwrap();
    let kept = KeptDraft { report: Some("{ half".to_owned()), ..draft("d#1/m?", "{ \"a\": 1E5,\n\n \"ü\": ", 5) };
    {
        let drafts = Drafts::open(dir.path()).unwrap();
        drafts.keep(&draft("d#1/m?", "{}", 4)).unwrap();
        drafts.keep(&kept).unwrap();
        assert_eq!(drafts.found("local").unwrap().drafts, vec![kept.clone()]);
        assert_eq!(drafts.found("other").unwrap().drafts, []);
    }
    // The next start takes it over; it is there once.
    let drafts = Drafts::open(dir.path()).unwrap();
    assert_eq!(drafts.found("local").unwrap().drafts, vec![kept.clone()]);
    assert_eq!(drafts.found("local").unwrap().drafts, vec![kept.clone()]);
    drafts.forget("local", &kept.base.id).unwrap();
    drafts.forget("local", &kept.base.id).unwrap();
    assert_eq!(drafts.found("local").unwrap().drafts, []);
    drop(drafts);
    assert_eq!(files(dir.path()), Vec::<PathBuf>::new(), "nothing is left behind");
}

#[test]
fn a_window_leaves_the_drafts_of_another_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (Drafts::open(dir.path()).unwrap(), Drafts::open(dir.path()).unwrap());
    one.keep(&draft("d", "of one", 1)).unwrap();
    two.keep(&draft("d", "of two", 2)).unwrap();
    assert_eq!(one.found("local").unwrap().drafts, [draft("d", "of one", 1)]);
    assert_eq!(two.found("local").unwrap().drafts, [draft("d", "of two", 2)]);
    two.forget("local", &TwinId::device("d")).unwrap();
    assert_eq!(one.found("local").unwrap().drafts.len(), 1);
    // Both end with a draft of one twin: the newer one goes on, the older is kept beside, and it is said.
    two.keep(&draft("d", "of two", 2)).unwrap();
    drop((one, two));
    let next = Drafts::open(dir.path()).unwrap();
    let found = next.found("local").unwrap();
    assert_eq!(found.drafts, [draft("d", "of two", 2)]);
    let [older] = found.older.as_slice() else { panic!("{found:?}") };
    assert_eq!(older.draft, draft("d", "of one", 1));
    assert!(std::fs::read_to_string(&older.file).unwrap().contains("of one"));
    // Until it is kept elsewhere it is told again, also by the next program; never of another hub.
    assert_eq!(next.found("other").unwrap().older, []);
    drop(next);
    let next = Drafts::open(dir.path()).unwrap();
    assert_eq!(next.found("local").unwrap(), found);
    older.remove().unwrap();
    assert_eq!(next.found("local").unwrap().older, []);
}

#[test]
fn locks_of_programs_that_were_killed_go_and_those_of_others_stay() {
    let dir = tempfile::tempdir().unwrap();
    let living = Drafts::open(dir.path()).unwrap();
    let age = |path: &Path| {
        let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_hours(1)).unwrap();
    };
    let lock = files(dir.path()).pop().unwrap();
    age(&lock);
    let (killed, young) = (dir.path().join("killed.lock"), dir.path().join("young.lock"));
    std::fs::write(&killed, "").unwrap();
    std::fs::write(&young, "").unwrap();
    age(&killed);
    living.keep(&draft("d", "{}", 1)).unwrap();
    let next = Drafts::open(dir.path()).unwrap();
    assert!(!killed.exists(), "a lock that nobody holds piles up");
    assert!(young.exists() && lock.exists());
    assert_eq!(next.found("local").unwrap().drafts, [], "the living window lost its draft");
}

#[test]
fn a_draft_that_cannot_be_read_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let drafts = Drafts::open(dir.path()).unwrap();
    drafts.keep(&draft("good", "1", 1)).unwrap();
    drafts.keep(&draft("bad", "2", 1)).unwrap();
    let bad = files(dir.path())
        .into_iter()
        .find(|path| std::fs::read_to_string(path).is_ok_and(|text| text.contains("\"bad\"")))
        .unwrap();
    let half = std::fs::read(&bad).unwrap();
    std::fs::write(&bad, &half[..half.len() / 2]).unwrap();
    let found = drafts.found("local").unwrap();
    assert_eq!(found.drafts, [draft("good", "1", 1)]);
    let [notice] = found.notices.as_slice() else { panic!("{:?}", found.notices) };
    assert!(notice.starts_with("The draft of bad cannot be read"), "{notice}");
    assert!(!bad.exists());
    assert!(files(dir.path()).iter().any(|path| std::fs::read(path).unwrap() == half[..half.len() / 2]));
    assert_eq!(drafts.found("local").unwrap().notices, Vec::<String>::new());
}

#[test]
fn a_folder_that_is_none_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, "").unwrap();
    let error = Drafts::open(&path).unwrap_err();
    assert!(error.contains(&path.display().to_string()), "{error}");
    let error = Journal::new(&path).record("local", &twin("d", 1, ""), Seen::Load, 1, None).unwrap_err();
    assert!(error.contains(&path.display().to_string()), "{error}");
}

fn journal() -> (tempfile::TempDir, Journal) {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(&dir.path().join("journal"));
    (dir, journal)
}

fn map(text: &str) -> JsonMap {
    let Json::Object(map) = wire::json(text.as_bytes()).unwrap() else { panic!("{text} is no object") };
    map
}

#[test]
fn every_version_comes_back_as_it_was() {
    let (_dir, journal) = journal();
    let id = TwinId::module("d", "m");
    assert_eq!(journal.timeline("local", &id).unwrap().entries.len(), 0);
    let versions = [twin("d/m", 2, r#""a":1E5,"#), twin("d/m", 3, r#""a":2,"#), twin("d/m", 7, r#""a":1E5,"#)];
    let saved = SavedPatch { patch: map(r#"{"properties":{"desired":{"a":2}}}"#), inverse: map(r#"{"x":1.50}"#) };
    assert_eq!(journal.record("local", &versions[0], Seen::Load, 10, None), Ok(true));
    assert_eq!(journal.record("local", &versions[0], Seen::Watch, 11, None), Ok(false), "seen already");
    assert_eq!(journal.record("local", &versions[1], Seen::Save, 20, Some(&saved)), Ok(true));
    assert_eq!(journal.record("local", &versions[2], Seen::Watch, 30, None), Ok(true));
    // Another hub, another twin: another timeline.
    journal.record("other", &versions[0], Seen::Load, 1, None).unwrap();
    journal.record("local", &twin("d", 1, ""), Seen::Load, 1, None).unwrap();
    let timeline = journal.timeline("local", &id).unwrap();
    assert_eq!(timeline.unreadable, 0);
    let told: Vec<_> =
        timeline.entries.iter().map(|e| (e.at_ms, e.seen, e.version, e.desired_version, e.unseen)).collect();
    assert_eq!(
        told,
        [(10, Seen::Load, 2, 2, Some(0)), (20, Seen::Save, 3, 3, Some(0)), (30, Seen::Watch, 7, 7, Some(3))]
    );
    assert_eq!(timeline.entries[1].saved, Some(saved));
    for (entry, version) in timeline.entries.iter().zip(&versions) {
        assert_eq!(&journal.twin(entry).unwrap(), version);
    }
    // A twin made anew counts from the beginning.
    journal.record("local", &twin("d/m", 2, r#""a":0,"#), Seen::Load, 40, None).unwrap();
    assert_eq!(journal.timeline("local", &id).unwrap().entries[3].unseen, None);
}

#[test]
fn what_did_not_change_is_kept_once() {
    let (dir, journal) = journal();
    for version in 1..=50 {
        let twin = twin("d", version, r#""a":1,"#);
        journal.record("local", &twin, Seen::Watch, version, None).unwrap();
    }
    // One tags, one reported, fifty desired (their $version moves).
    assert_eq!(files(&dir.path().join("journal/objects")).len(), 52);
}

#[test]
fn a_line_cut_short_or_damaged_costs_that_line() {
    let (dir, journal) = journal();
    let id = TwinId::device("d");
    for version in 1..=3 {
        journal.record("local", &twin("d", version, ""), Seen::Load, version, None).unwrap();
    }
    let path = files(&dir.path().join("journal/twins")).pop().unwrap();
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
    assert_eq!(journal.timeline("local", &id).unwrap().entries.len(), 2);
    assert_eq!(journal.record("local", &twin("d", 4, ""), Seen::Load, 4, None), Ok(true));
    let timeline = journal.timeline("local", &id).unwrap();
    assert_eq!(timeline.entries.iter().map(|entry| entry.version).collect::<Vec<_>>(), [1, 2, 4]);
    assert_eq!(timeline.unreadable, 1);
    // A section whose content is gone or damaged is said, and the others stay readable.
    let entry = &timeline.entries[0];
    for object in files(&dir.path().join("journal/objects")) {
        if std::fs::read_to_string(&object).unwrap().contains("\"$version\":1}") {
            std::fs::write(&object, "{}").unwrap();
        }
    }
    let said = journal.twin(entry).unwrap_err();
    assert!(said.contains("damaged") && said.contains("choose another") && said.contains(".unreadable"), "{said}");
    assert_eq!(journal.twin(entry).unwrap_err(), said, "it is the same the next time, and set aside once");
    assert!(journal.twin(&timeline.entries[2]).is_ok());
    let limits = Limits { bytes: u64::MAX, age_ms: u64::MAX };
    journal.prune(limits, 9).unwrap();
    let aside = |path: &PathBuf| path.to_string_lossy().ends_with(".unreadable");
    assert!(files(&dir.path().join("journal/objects")).iter().any(aside), "what was said to be kept is gone");
    // Seen again, it is whole again.
    journal.record("local", &twin("d", 1, ""), Seen::Load, 5, None).unwrap();
    assert_eq!(journal.twin(entry).unwrap().version, 1);
}

#[test]
fn two_windows_add_to_one_journal() {
    let (dir, journal) = journal();
    std::thread::scope(|scope| {
        for window in 0..4_u64 {
            let journal = Journal::new(&dir.path().join("journal"));
            scope.spawn(move || {
                for n in 0..50 {
                    let version = window * 1000 + n;
                    journal.record("local", &twin("d", version, r#""a":1,"#), Seen::Watch, n, None).unwrap();
                    if n % 20 == 0 {
                        journal.prune(Limits { bytes: u64::MAX, age_ms: u64::MAX }, n).unwrap();
                    }
                }
            });
        }
    });
    let timeline = journal.timeline("local", &TwinId::device("d")).unwrap();
    assert_eq!((timeline.entries.len(), timeline.unreadable), (200, 0));
    assert!(timeline.entries.iter().all(|entry| journal.twin(entry).is_ok()));
}

#[test]
fn the_oldest_versions_go_first_and_the_newest_of_a_twin_stays() {
    let (_dir, journal) = journal();
    for version in 1..=20 {
        journal.record("local", &twin("old", version, r#""a":1,"#), Seen::Watch, version, None).unwrap();
        journal.record("local", &twin("new", version, r#""a":1,"#), Seen::Watch, 1000 + version, None).unwrap();
    }
    let (old, new) = (TwinId::device("old"), TwinId::device("new"));
    let versions = |id| journal.timeline("local", id).unwrap().entries.iter().map(|e| e.version).collect::<Vec<_>>();
    // By age.
    let pruned = journal.prune(Limits { bytes: u64::MAX, age_ms: 1000 }, 1010).unwrap();
    assert_eq!((pruned.versions, versions(&old).len(), versions(&new).len()), (9, 11, 20));
    // By size: the older twin's go before any of the newer's.
    let limit = pruned.bytes * 7 / 10;
    let pruned = journal.prune(Limits { bytes: limit, age_ms: u64::MAX }, 2000).unwrap();
    assert!(pruned.bytes <= limit);
    assert_eq!(versions(&new).last(), Some(&20));
    assert!(versions(&old).len() < 11 && versions(&old).last() == Some(&20));
    let all = |id| journal.timeline("local", id).unwrap().entries.iter().all(|entry| journal.twin(entry).is_ok());
    assert!(all(&old) && all(&new), "what is listed can be read");
    let pruned = journal.prune(Limits { bytes: 0, age_ms: u64::MAX }, 2000).unwrap();
    assert!(pruned.bytes > 0);
    assert_eq!((versions(&old), versions(&new)), (vec![20], vec![20]));
    assert_eq!(
        Journal::new(Path::new("/nowhere/at/all")).prune(Limits { bytes: 0, age_ms: 0 }, 0),
        Ok(Pruned::default())
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_in_the_files_nothing_breaks(garbage in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let (dir, journal) = journal();
        journal.record("local", &twin("d", 1, ""), Seen::Load, 1, None).unwrap();
        let path = files(&dir.path().join("journal/twins")).pop().unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend(&garbage);
        std::fs::write(&path, bytes).unwrap();
        journal.record("local", &twin("d", 2, ""), Seen::Load, 2, None).unwrap();
        let timeline = journal.timeline("local", &TwinId::device("d")).unwrap();
        prop_assert_eq!(timeline.entries.first().map(|entry| entry.version), Some(1));
        prop_assert_eq!(timeline.entries.last().map(|entry| entry.version), Some(2));
        let drafts = Drafts::open(&dir.path().join("drafts")).unwrap();
        drafts.keep(&draft("d", "x", 1)).unwrap();
        std::fs::write(json_file(&dir.path().join("drafts")), &garbage).unwrap();
        prop_assert_eq!(drafts.found("local").unwrap().drafts, vec![]);
    }
}
