//! Whatever becomes of the files between two starts: what comes back is what was written, or it is said that it is not. And links
//! are not followed.

use proptest::prelude::*;
use proptest::sample::Index;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use twinscope::disk::journal::{Entry, Limits, SavedPatch, Seen, Timeline};
use twinscope::disk::{Drafts, Journal, KeptDraft, SavedConnection, Settings, SettingsFile, ThemeChoice};
use twinscope::twin::{JsonMap, Twin, TwinId, wire};

fn twin(version: u64) -> Twin {
    let body = format!(
        r#"{{"deviceId":"d","etag":"e{version}","version":{version},"tags":{{"site":"A{version}"}},
        "properties":{{"desired":{{"interval":{version}0,"$version":{version}}},"reported":{{"t":1E5,"$version":7}}}}}}"#
    );
    wire::parse(body.as_bytes()).unwrap()
}

fn settings() -> Settings {
    Settings {
        theme: ThemeChoice::Dark,
        zoom: Some(1.25),
        connections: vec![SavedConnection {
            id: "0b5c".to_owned(),
            name: "Plant north".to_owned(),
            host: "plant-north.azure-devices.net".to_owned(),
            policy: "iothubowner".to_owned(),
            ca_file: Some("/etc/ca.pem".into()),
        }],
        last_hub: Some("0b5c".to_owned()),
        ..Settings::default()
    }
}

fn draft() -> KeptDraft {
    KeptDraft {
        hub: "local".to_owned(),
        base: Arc::new(twin(3)),
        desired: Some("{\n  \"interval\": 122\n}".to_owned()),
        tags: Some("{}".to_owned()),
        report: None,
        at_ms: 1_800_000_000_000,
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

fn kept(folder: &Path, end: &str) -> PathBuf {
    files(folder).into_iter().find(|path| path.extension().is_some_and(|found| found == end)).unwrap()
}

/// What a disk does to a file.
#[derive(Debug, Clone)]
enum Damage {
    Flip(Index, u8),
    Cut(Index),
    Overwrite(Index, Vec<u8>),
    Insert(Index, Vec<u8>),
    Zeros(Index, usize),
    Empty,
}

fn damage() -> impl Strategy<Value = Damage> {
    let bytes = || proptest::collection::vec(any::<u8>(), 1..64);
    prop_oneof![
        4 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        2 => any::<Index>().prop_map(Damage::Cut),
        2 => (any::<Index>(), bytes()).prop_map(|(at, bytes)| Damage::Overwrite(at, bytes)),
        1 => (any::<Index>(), bytes()).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        1 => (any::<Index>(), 1..512_usize).prop_map(|(at, count)| Damage::Zeros(at, count)),
        1 => Just(Damage::Empty),
    ]
}

impl Damage {
    fn strike(&self, path: &Path) {
        let mut bytes = std::fs::read(path).unwrap();
        let overwrite = |bytes: &mut Vec<u8>, at: &Index, with: &[u8]| {
            let at = at.index(bytes.len());
            let end = (at + with.len()).min(bytes.len());
            bytes[at..end].copy_from_slice(&with[..end - at]);
        };
        match self {
            Self::Flip(at, bit) => {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Overwrite(at, with) => overwrite(&mut bytes, at, with),
            Self::Insert(at, with) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, with.iter().copied());
            }
            Self::Zeros(at, count) => overwrite(&mut bytes, at, &vec![0; *count]),
            Self::Empty => bytes.clear(),
        }
        std::fs::write(path, bytes).unwrap();
    }
}

proptest! {
    #[test]
    fn settings_are_what_was_written_or_said_not_to_be(damage in damage()) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("settings.json");
        SettingsFile::open(&path).file.save(&settings()).unwrap();
        damage.strike(&path);
        let bytes = std::fs::read(&path).unwrap();
        let opened = SettingsFile::open(&path);
        if opened.settings != settings() {
            let notice = opened.notice.expect("it is said");
            prop_assert_eq!(opened.settings, Settings::default());
            let aside = dir.path().join("settings.json.unreadable");
            prop_assert!(notice.contains(&aside.display().to_string()), "{notice}");
            prop_assert_eq!(std::fs::read(aside).unwrap(), bytes, "nothing of it is lost");
            prop_assert_eq!(SettingsFile::open(&path).notice, None, "it is said once");
        }
    }

    #[test]
    fn drafts_are_what_was_typed_or_said_not_to_be(damage in damage(), older in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        Drafts::open(dir.path()).unwrap().keep(&draft()).unwrap();
        let mut path = kept(dir.path(), "json");
        if older {
            let aside = path.with_extension("x.older");
            std::fs::rename(&path, &aside).unwrap();
            path = aside;
        }
        damage.strike(&path);
        let bytes = std::fs::read(&path).unwrap();
        let drafts = Drafts::open(dir.path()).unwrap();
        let found = drafts.found("local").unwrap();
        let back: Vec<KeptDraft> = found.drafts.into_iter().chain(found.older.into_iter().map(|one| one.draft)).collect();
        if back != [draft()] {
            prop_assert_eq!(back, []);
            prop_assert_eq!(found.notices.len(), 1);
            prop_assert!(files(dir.path()).iter().any(|path| std::fs::read(path).is_ok_and(|kept| kept == bytes)));
            prop_assert_eq!(drafts.found("local").unwrap().notices, Vec::<String>::new(), "it is said once");
        }
    }

    #[test]
    fn history_is_what_was_seen_or_said_not_to_be(damage in damage(), which in any::<Index>(), in_lines in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(dir.path());
        let saved = SavedPatch { patch: map(r#"{"tags":{"site":"A3"}}"#), inverse: map(r#"{"tags":{"site":"A2"}}"#) };
        for version in 1..=4 {
            let patch = (version == 3).then_some(&saved);
            let seen = if version == 3 { Seen::Save } else { Seen::Watch };
            journal.record("local", &twin(version), seen, version, patch).unwrap();
        }
        journal.record_discarded("local", &draft()).unwrap();
        let before = timeline(&journal);
        let all: Vec<PathBuf> = files(dir.path()).into_iter().filter(|path| path.metadata().unwrap().len() > 0).collect();
        let path = &if in_lines { kept(&dir.path().join("twins"), "jsonl") } else { all[which.index(all.len())].clone() };
        damage.strike(path);

        let after = timeline(&journal);
        // One flipped line end makes one line of two.
        let silent = if after.unreadable > 0 { 0 } else { before.entries.len() - after.entries.len() };
        for entry in &after.entries {
            let original = before.entries.iter().find(|one| one.key() == entry.key()).expect("it was written");
            let told = |one: &Entry| (one.seen, one.etag.clone(), one.saved.clone(), one.changed, one.desired_version);
            prop_assert_eq!(told(entry), told(original));
            match journal.twin(entry) {
                Ok(found) if entry.is_discarded() => prop_assert_eq!(found, draft().twin().unwrap()),
                Ok(found) => prop_assert_eq!(found, twin(entry.version)),
                Err(why) => prop_assert!(why.contains("damaged") || why.contains("no longer"), "{why}"),
            }
        }
        // What is cut off at the end leaves no trace in the file.
        let whole = std::fs::read(path).is_ok_and(|bytes| bytes.ends_with(b"\n"));
        prop_assert!(silent == 0 || !whole || matches!(damage, Damage::Cut(_) | Damage::Empty | Damage::Overwrite(..) | Damage::Zeros(..)), "{silent} lost in silence");
        let lines = path.extension().is_some_and(|end| end == "jsonl");
        let pruned = journal.prune(Limits { bytes: u64::MAX, age_ms: u64::MAX }, 10).unwrap();
        prop_assert_eq!(pruned.damaged.len(), usize::from(lines && after.unreadable > 0));
        prop_assert_eq!(timeline(&journal).unreadable, 0, "it is set aside");
        prop_assert_eq!(journal.prune(Limits { bytes: u64::MAX, age_ms: u64::MAX }, 10).unwrap().damaged, Vec::<String>::new());
    }
}

fn map(text: &str) -> JsonMap {
    serde_json::from_str(text).unwrap()
}

fn timeline(journal: &Journal) -> Timeline {
    journal.timeline("local", &TwinId::device("d")).unwrap()
}

#[test]
fn files_of_an_older_program_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("settings.json");
    std::fs::write(&path, r#"{ "theme": "Dark", "zoom": 1.25 }"#).unwrap();
    let opened = SettingsFile::open(&path);
    assert_eq!((opened.notice, opened.settings.theme, opened.settings.zoom), (None, ThemeChoice::Dark, Some(1.25)));
    // What is written now is JSON still.
    opened.file.save(&opened.settings).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(value["theme"], "Dark");
    assert_eq!(SettingsFile::open(&path).settings.zoom, Some(1.25));
}

#[test]
fn a_changed_host_is_not_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("settings.json");
    SettingsFile::open(&path).file.save(&settings()).unwrap();
    let text = std::fs::read_to_string(&path).unwrap().replace("plant-north", "plant-norti");
    std::fs::write(&path, text).unwrap();
    let opened = SettingsFile::open(&path);
    assert_eq!(opened.settings.connections, []);
    assert!(opened.notice.unwrap().contains("its checksum does not fit"));
}

#[test]
fn a_giant_file_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("settings.json");
    std::fs::File::create(&path).unwrap().set_len(8 << 30).unwrap();
    let notice = SettingsFile::open(&path).notice.unwrap();
    assert!(notice.contains("larger than") && notice.contains(".unreadable"), "{notice}");
}

#[cfg(unix)]
mod links {
    use super::{Drafts, Journal, Limits, Seen, SettingsFile, draft, files, kept, settings, timeline, twin};
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use twinscope::twin::TwinId;

    /// A folder with a stranger's file in it, which must be as it was in the end.
    fn elsewhere() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in ["precious", "ab", "twins.jsonl"] {
            std::fs::write(dir.path().join(name), "mine\n").unwrap();
        }
        dir
    }

    fn untouched(dir: &Path) {
        let found = files(dir);
        assert_eq!(found.len(), 3, "{found:?}");
        for path in found {
            assert_eq!(std::fs::read(&path).unwrap(), b"mine\n", "{}", path.display());
        }
    }

    #[track_caller]
    fn refused<T: std::fmt::Debug>(outcome: Result<T, String>, link: &Path) {
        let why = outcome.expect_err("a link was followed");
        assert!(why.contains("is a link") && why.contains(&link.display().to_string()), "{why}");
    }

    const ALL: Limits = Limits { bytes: 0, age_ms: 0 };

    #[test]
    fn a_journal_elsewhere_is_not_followed() {
        for inner in ["", "twins", "lock"] {
            let (dir, other) = (tempfile::tempdir().unwrap(), elsewhere());
            let link = dir.path().join("journal").join(inner);
            std::fs::create_dir_all(link.parent().unwrap()).unwrap();
            let target = if inner == "lock" { other.path().join("precious") } else { other.path().to_owned() };
            let link = if inner.is_empty() { dir.path().join("journal") } else { link };
            symlink(target, &link).unwrap();
            let journal = Journal::new(&dir.path().join("journal"));
            refused(journal.record("local", &twin(1), Seen::Load, 1, None), &link);
            refused(journal.record_discarded("local", &draft()), &link);
            refused(journal.prune(ALL, 10), &link);
            if inner != "lock" {
                refused(journal.timeline("local", &TwinId::device("d")), &link);
                refused(journal.twins(), &link);
            }
            untouched(other.path());
        }
    }

    #[test]
    fn nothing_inside_the_journal_is_followed() {
        for object in [true, false] {
            let (dir, other) = (tempfile::tempdir().unwrap(), elsewhere());
            let journal = Journal::new(dir.path());
            for version in 1..=2 {
                journal.record("local", &twin(version), Seen::Load, version, None).unwrap();
            }
            if object {
                // All objects are elsewhere now: they are neither read nor cleared away.
                let objects = dir.path().join("objects");
                std::fs::remove_dir_all(&objects).unwrap();
                std::fs::create_dir(&objects).unwrap();
                for prefix in 0..256 {
                    symlink(other.path(), objects.join(format!("{prefix:02x}"))).unwrap();
                }
                let entry = timeline(&journal).entries.pop().unwrap();
                assert!(journal.twin(&entry).unwrap_err().contains("is a link"));
                journal.prune(ALL, 10).unwrap();
                assert!(journal.record("local", &twin(3), Seen::Load, 3, None).unwrap_err().contains("is a link"));
            } else {
                let lines = kept(&dir.path().join("twins"), "jsonl");
                std::fs::remove_file(&lines).unwrap();
                symlink(other.path().join("twins.jsonl"), &lines).unwrap();
                refused(journal.record("local", &twin(3), Seen::Load, 3, None), &lines);
                refused(journal.timeline("local", &TwinId::device("d")), &lines);
                assert_eq!(journal.twins().unwrap(), []);
                journal.prune(ALL, 10).unwrap();
            }
            untouched(other.path());
        }
    }

    #[test]
    fn drafts_and_settings_elsewhere_are_not_followed() {
        let (dir, other) = (tempfile::tempdir().unwrap(), elsewhere());
        let link = dir.path().join("drafts");
        symlink(other.path(), &link).unwrap();
        refused(Drafts::open(&link), &link);
        untouched(other.path());

        let folder = dir.path().join("own");
        let drafts = Drafts::open(&folder).unwrap();
        drafts.keep(&draft()).unwrap();
        let file = kept(&folder, "json");
        std::fs::remove_file(&file).unwrap();
        symlink(other.path().join("precious"), &file).unwrap();
        let found = drafts.found("local").unwrap();
        assert!(found.drafts.is_empty() && found.notices[0].contains("is a link"), "{found:?}");
        refused(drafts.keep(&draft()), &file);
        untouched(other.path());

        let path = dir.path().join("settings.json");
        symlink(other.path().join("precious"), &path).unwrap();
        let opened = SettingsFile::open(&path);
        assert!(opened.notice.unwrap().contains("is a link"));
        refused(opened.file.save(&settings()), &path);
        untouched(other.path());
    }

    #[test]
    fn the_data_folder_itself_may_be_a_link() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let data = dir.path().join("data");
        symlink(other.path(), &data).unwrap();
        SettingsFile::open(&data.join("settings.json")).file.save(&settings()).unwrap();
        assert_eq!(SettingsFile::open(&data.join("settings.json")).settings, settings());
        Drafts::open(&data.join("drafts")).unwrap().keep(&draft()).unwrap();
        let journal = Journal::new(&data.join("journal"));
        journal.record("local", &twin(1), Seen::Load, 1, None).unwrap();
        assert_eq!(timeline(&journal).entries.len(), 1);
        assert_eq!(
            journal.prune(Limits { bytes: u64::MAX, age_ms: u64::MAX }, 10).unwrap().damaged,
            Vec::<String>::new()
        );
    }
}
