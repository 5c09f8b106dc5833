//! Discarded drafts in the journal, hubs that pass away with their program, and the list of what the journal has.

use std::sync::Arc;
use twinscope::disk::journal::{Limits, Seen, Timeline, is_passing, passing};
use twinscope::disk::{Journal, KeptDraft};
use twinscope::twin::{Json, Section, Twin, TwinId, wire};

const DAY: u64 = 24 * 60 * 60 * 1000;
const NO_LIMITS: Limits = Limits { bytes: u64::MAX, age_ms: u64::MAX };

fn twin(id: &str, version: u64) -> Twin {
    let (device, module) = id.split_once('/').unwrap_or((id, ""));
    let body = format!(
        r#"{{"deviceId":"{device}","moduleId":"{module}","etag":"e{version}","version":{version},"tags":{{"site":"A"}},
        "properties":{{"desired":{{"a":{version},"$version":{version}}},"reported":{{"$version":1}}}}}}"#
    );
    wire::parse(body.as_bytes()).unwrap()
}

fn draft(version: u64, text: &str, at_ms: u64) -> KeptDraft {
    KeptDraft {
        hub: "local".to_owned(),
        base: Arc::new(twin("d", version)),
        desired: Some(text.to_owned()),
        tags: Some("{\"site\": \"B\"".to_owned()),
        report: Some("{\"r\": 1E2}".to_owned()),
        at_ms,
    }
}

fn timeline(journal: &Journal) -> Timeline {
    journal.timeline("local", &TwinId::device("d")).unwrap()
}

fn told(timeline: &Timeline) -> Vec<(u64, Seen, Option<u64>)> {
    timeline.entries.iter().map(|entry| (entry.version, entry.seen, entry.unseen)).collect()
}

#[test]
fn a_discarded_draft_is_kept_letter_by_letter_on_its_base() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    // Also what does not parse, with any letter.
    let kept = draft(3, "{ \"a\": \"é\u{0}\\\" ,, \r\n", 1000);
    journal.record_discarded("local", &kept).unwrap();
    let timeline = timeline(&journal);
    assert_eq!(told(&timeline), [(3, Seen::Discarded, Some(0))]);
    assert_eq!(journal.discarded(&timeline.entries[0]).unwrap(), kept);
    let why = journal.twin(&timeline.entries[0]).unwrap_err();
    assert!(why.contains("does not parse"), "{why}");
    assert_eq!(timeline.entries[0].changed, None);

    let whole = KeptDraft { tags: None, ..draft(3, "{\"a\": 1E3, \"b\": 1}", 2000) };
    journal.record_discarded("local", &whole).unwrap();
    let entry = self::timeline(&journal).entries.pop().unwrap();
    let typed = journal.twin(&entry).unwrap();
    assert_eq!(typed.section(Section::Desired).get("a").map(Json::to_string).as_deref(), Some("1E3"));
    assert_eq!(typed.tags, kept.base.tags);
    assert_eq!(entry.changed.map(|changed| (changed.desired, changed.tags)), Some((2, 0)));
}

#[test]
fn versions_do_not_notice_the_drafts_between_them() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    journal.record("local", &twin("d", 3), Seen::Load, 1, None).unwrap();
    // Typed at an older version than the newest one, and often: more than the tail is searched for.
    for n in 0..40 {
        journal.record_discarded("local", &draft(2, "{}", 2 + n)).unwrap();
    }
    assert_eq!(journal.record("local", &twin("d", 3), Seen::Watch, 50, None), Ok(false), "it is known");
    assert_eq!(journal.record("local", &twin("d", 4), Seen::Watch, 51, None), Ok(true));
    let timeline = timeline(&journal);
    let versions: Vec<_> = told(&timeline).into_iter().filter(|(_, seen, _)| *seen != Seen::Discarded).collect();
    assert_eq!(versions, [(3, Seen::Load, Some(0)), (4, Seen::Watch, Some(0))]);
    assert_eq!(timeline.entries.last().unwrap().changed.map(|changed| changed.desired), Some(1));
    // A guarded write is matched with the version, not with what was typed at it.
    let etag = twin("d", 2).etag;
    assert_eq!(journal.at_etag("local", &TwinId::device("d"), &etag).unwrap(), None);
}

#[test]
fn a_draft_discarded_while_a_save_is_under_way_does_not_split_it() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    let map = |text: &str| match wire::json(text.as_bytes()) {
        Ok(Json::Object(map)) => map,
        other => panic!("{other:?}"),
    };
    let saved = twinscope::disk::journal::SavedPatch {
        patch: map("{\"tags\":{\"x\":1}}"),
        inverse: map("{\"tags\":{\"x\":null}}"),
    };
    journal.record("local", &twin("d", 2), Seen::Watch, 1, None).unwrap();
    journal.record_discarded("local", &draft(1, "{}", 2)).unwrap();
    journal.record("local", &twin("d", 2), Seen::Save, 3, Some(&saved)).unwrap();
    assert_eq!(told(&timeline(&journal)), [(2, Seen::Save, Some(0)), (1, Seen::Discarded, Some(0))]);
}

#[test]
fn drafts_are_bounded_like_versions_and_the_newest_version_stays() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    journal.record("local", &twin("d", 1), Seen::Load, 1, None).unwrap();
    journal.record("local", &twin("d", 2), Seen::Load, 2, None).unwrap();
    journal.record_discarded("local", &draft(2, "{\"old\": 1}", 3)).unwrap();
    journal.record_discarded("local", &draft(2, "{\"new\": 1}", 3 * DAY)).unwrap();
    let pruned = journal.prune(Limits { bytes: u64::MAX, age_ms: DAY }, 3 * DAY + 1).unwrap();
    assert_eq!(pruned.versions, 2);
    let timeline = timeline(&journal);
    assert_eq!(told(&timeline), [(2, Seen::Load, Some(0)), (2, Seen::Discarded, Some(0))]);
    assert!(
        journal.discarded(&timeline.entries[1]).unwrap().desired.unwrap().contains("new"),
        "its text was swept away"
    );
    // Of nothing but drafts nothing has to stay, and no empty file does.
    let only = Journal::new(&dir.path().join("only"));
    only.record_discarded("local", &draft(1, "{}", 1)).unwrap();
    only.prune(Limits { bytes: 0, age_ms: u64::MAX }, 9).unwrap();
    assert_eq!(only.timeline("local", &TwinId::device("d")).unwrap(), Timeline::default());
    assert_eq!(std::fs::read_dir(dir.path().join("only/twins")).unwrap().count(), 0);
    journal.prune(Limits { bytes: 0, age_ms: u64::MAX }, 9).unwrap();
    assert_eq!(told(&self::timeline(&journal)), [(2, Seen::Load, Some(0))]);
}

#[test]
fn a_hub_that_is_gone_with_its_program_is_forgotten_after_a_day() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    let gone = passing("1f2e");
    assert!(is_passing(&gone) && !is_passing("local") && !is_passing("local-hub.azure-devices.net"));
    journal.record(&gone, &twin("d", 1), Seen::Load, 10, None).unwrap();
    journal.record("local", &twin("d", 1), Seen::Load, 10, None).unwrap();
    let of = |hub: &str| journal.timeline(hub, &TwinId::device("d")).unwrap().entries.len();
    journal.prune(NO_LIMITS, DAY).unwrap();
    assert_eq!((of(&gone), of("local")), (1, 1));
    journal.prune(NO_LIMITS, DAY + 11).unwrap();
    assert_eq!((of(&gone), of("local")), (0, 1));
}

#[test]
fn the_journal_tells_of_which_twins_it_has_something() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    assert_eq!(journal.twins(), Ok(Vec::new()));
    journal.record("plant.azure-devices.net", &twin("pump/motor", 1), Seen::Load, 1, None).unwrap();
    journal.record("local", &twin("d", 1), Seen::Load, 1, None).unwrap();
    journal.record("local", &twin("d", 2), Seen::Load, 2, None).unwrap();
    let twins = dir.path().join("twins");
    // A cut line before the first whole one, and files that are none of ours.
    let torn = twins.join("torn.jsonl");
    let whole = std::fs::read(std::fs::read_dir(&twins).unwrap().next().unwrap().unwrap().path()).unwrap();
    std::fs::write(twins.join("other.jsonl"), "nothing\n").unwrap();
    std::fs::write(twins.join("note.txt"), &whole).unwrap();
    std::fs::create_dir(twins.join("folder.jsonl")).unwrap();
    let past = |journal: &Journal| {
        let mut told: Vec<_> =
            journal.twins().unwrap().into_iter().map(|twin| (twin.hub, twin.id.to_string())).collect();
        told.sort();
        told
    };
    let both = [("local".to_owned(), "d".to_owned()), ("plant.azure-devices.net".to_owned(), "pump/motor".to_owned())];
    assert_eq!(past(&journal), both);
    std::fs::write(&torn, [b"{\"hub\":\"lo\n".as_slice(), whole.as_slice()].concat()).unwrap();
    assert_eq!(past(&journal).len(), 3);
    let newest = journal.twins().unwrap();
    assert!(newest.windows(2).all(|pair| pair[0].at_ms >= pair[1].at_ms), "those seen last come first");
}
