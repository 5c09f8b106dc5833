//! A data folder that cannot be used: each thing that is not kept is said once, and nothing outside of it is touched.

use super::rig::Rig;
use std::path::Path;
use twinscope::disk::Settings;
use twinscope::twin::TwinId;
use twinscope::worker::{Command, Event, Fact};

/// What is told of a path by itself: once, in words that tell of nothing but it.
fn said(fact: &Fact, path: &Path) -> Option<String> {
    let (Fact::Notice(text) | Fact::DraftsUnkept(Some(text))) = fact else { return None };
    text.contains(&path.display().to_string()).then(|| text.clone())
}

/// Starts on the folder, uses it, and expects each of these to be said once.
fn each_is_said_once(dir: tempfile::TempDir, word: &str) -> tempfile::TempDir {
    let paths = ["settings.json", "drafts", "journal", "local-hub"].map(|name| dir.path().join(name));
    let mut rig = Rig::start_with(dir, |_| {});
    rig.connected();
    let id = TwinId::device("d");
    rig.create(&id);
    rig.load(&id);
    for zoom in [1.25, 1.5] {
        rig.send(Command::SaveSettings { settings: Settings { zoom: Some(zoom), ..Settings::default() } });
    }
    for path in &paths {
        let text = rig.fact(&path.display().to_string(), |fact| said(fact, path));
        assert!(text.contains(word), "{text}");
    }
    // The same again brings no news.
    rig.load(&id);
    rig.send(Command::SaveSettings { settings: Settings::default() });
    let other = TwinId::device("e");
    rig.create(&other);
    rig.load(&other);
    for event in rig.rest() {
        let Event::Fact(fact) = event else { continue };
        for path in &paths {
            assert_eq!(said(&fact, path), None, "said twice");
        }
    }
    rig.stop()
}

#[test]
fn what_stands_in_the_way_is_said_once_each() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["drafts", "journal", "local-hub"] {
        std::fs::write(dir.path().join(name), "a file").unwrap();
    }
    std::fs::create_dir(dir.path().join("settings.json")).unwrap();
    let dir = each_is_said_once(dir, "cannot");
    for name in ["drafts", "journal", "local-hub"] {
        assert_eq!(std::fs::read(dir.path().join(name)).unwrap(), b"a file");
    }
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_and_said_once_each() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(elsewhere.path().join("file"), "mine").unwrap();
    for name in ["drafts", "journal", "local-hub"] {
        std::os::unix::fs::symlink(elsewhere.path(), dir.path().join(name)).unwrap();
    }
    std::os::unix::fs::symlink(elsewhere.path().join("file"), dir.path().join("settings.json")).unwrap();
    let _dir = each_is_said_once(dir, "is a link");
    let left: Vec<_> = std::fs::read_dir(elsewhere.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["file"]);
    assert_eq!(std::fs::read(elsewhere.path().join("file")).unwrap(), b"mine");
}

#[test]
fn a_damaged_history_is_said_and_set_aside() {
    let mut rig = Rig::start();
    rig.connected();
    let id = TwinId::device("d");
    rig.create(&id);
    rig.load(&id);
    let dir = rig.stop();
    let twins = dir.path().join("journal/twins");
    let file = std::fs::read_dir(&twins).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(&file).unwrap().replace("\"deviceId\":\"d\"", "\"deviceId\":\"x\"");
    std::fs::write(&file, text).unwrap();
    let mut rig = Rig::start_with(dir, |_| {});
    let aside = file.with_extension("jsonl.unreadable");
    let text = rig.fact("the damage", |fact| said(fact, &aside));
    assert!(text.contains("cannot be read"), "{text}");
    assert!(aside.exists());
}
