//! Two programs on one data folder, as processes of their own: both write drafts and journal as fast as they can, and one is
//! killed in the middle. What either had kept is there afterwards, and the one that lives noticed nothing.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use twinscope::disk::journal::Seen;
use twinscope::disk::{Drafts, Journal, KeptDraft};
use twinscope::twin::{Twin, TwinId, wire};

/// `WINDOW FOLDER` for the process that is started below.
const INSIDE: &str = "TWINSCOPE_TEST_HAMMER";
/// Versions that each writes, if it is let live.
const ROUNDS: u64 = 120;
/// So many are kept before the kill.
const BEFORE_THE_KILL: u64 = 25;

fn version(id: &str, version: u64) -> Twin {
    let body = format!(
        r#"{{"deviceId":"{id}","etag":"{version}","version":{version},"tags":{{"site":"A"}},
        "properties":{{"desired":{{"n":{version},"$version":{version}}},"reported":{{"$version":1}}}}}}"#
    );
    wire::parse(body.as_bytes()).unwrap()
}

/// A twin of its own, and one that both edit.
fn names(window: &str) -> [String; 2] {
    [format!("of-{window}"), "shared".to_owned()]
}

/// In both windows the versions of the shared twin differ, for each sees it at other moments.
fn number(window: &str, id: &str, round: u64) -> u64 {
    if id == "shared" { round * 2 + u64::from(window == "b") } else { round }
}

#[test]
fn hammer() {
    let Ok(inside) = std::env::var(INSIDE) else { return };
    let (window, folder) = inside.split_once(' ').unwrap();
    let folder = Path::new(folder);
    let (drafts, journal) = (Drafts::open(&folder.join("drafts")).unwrap(), Journal::new(&folder.join("journal")));
    for round in 1..=ROUNDS {
        for id in names(window) {
            let twin = version(&id, number(window, &id, round));
            journal.record("local", &twin, Seen::Watch, round, None).unwrap();
            let desired = Some(format!("{{\"typed in {window}\": {round}"));
            let base = Arc::new(twin);
            drafts
                .keep(&KeptDraft { hub: "local".to_owned(), base, desired, tags: None, report: None, at_ms: round })
                .unwrap();
        }
        println!("kept {round}");
    }
}

fn start(window: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "disk_processes::hammer", "--nocapture"])
        .env(INSIDE, format!("{window} {}", folder.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The rounds a process says it has kept, up to one of them or to its end.
fn kept(lines: &mut impl Iterator<Item = std::io::Result<String>>, until: u64) -> u64 {
    let mut last = 0;
    for line in lines {
        if let Some(round) = line.unwrap().rsplit("kept ").next().and_then(|round| round.parse().ok()) {
            last = round;
            if last >= until {
                break;
            }
        }
    }
    last
}

fn typed(text: &str, window: &str) -> u64 {
    let round =
        text.strip_prefix(&format!("{{\"typed in {window}\": ")).unwrap_or_else(|| panic!("not of {window}: {text}"));
    round.parse().unwrap()
}

#[test]
fn one_of_two_processes_is_killed_and_nothing_kept_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let [mut a, mut b] = ["a", "b"].map(|window| start(window, dir.path()));
    let [mut said_a, mut said_b] = [&mut a, &mut b].map(|child| BufReader::new(child.stdout.take().unwrap()).lines());
    assert!(kept(&mut said_a, 1) == 1, "the other one does not write");
    kept(&mut said_b, BEFORE_THE_KILL);
    b.kill().unwrap();
    b.wait().unwrap();
    let by_b = kept(&mut said_b, u64::MAX).max(BEFORE_THE_KILL);
    assert_eq!(kept(&mut said_a, u64::MAX), ROUNDS);
    assert!(a.wait().unwrap().success(), "the one that lives was hurt");

    let drafts = Drafts::open(&dir.path().join("drafts")).unwrap();
    let found = drafts.found("local").unwrap();
    let text = |id: &str| {
        let draft = found.drafts.iter().find(|draft| draft.base.id == TwinId::device(id));
        draft.unwrap_or_else(|| panic!("the draft of {id} is lost")).desired.clone().unwrap()
    };
    assert_eq!(typed(&text("of-a"), "a"), ROUNDS);
    assert!(typed(&text("of-b"), "b") >= by_b, "{} after {by_b}", text("of-b"));
    // Of the twin that both edited, the newer draft goes on and the older one is beside it, which is told.
    assert_eq!(typed(&text("shared"), "a"), ROUNDS);
    let [older] = &found.older[..] else { panic!("{found:?}") };
    assert_eq!(older.draft.base.id, TwinId::device("shared"));
    let aside = std::fs::read_to_string(&older.file).unwrap();
    assert!(aside.contains("typed in b"), "{aside}");

    let journal = Journal::new(&dir.path().join("journal"));
    let numbers = |window: &str, id: &str, last: u64| (1..=last).map(|n| number(window, id, n)).collect::<Vec<_>>();
    for (window, last) in [("a", ROUNDS), ("b", by_b)] {
        for id in names(window) {
            let timeline = journal.timeline("local", &TwinId::device(&*id)).unwrap();
            assert!(timeline.unreadable <= 1, "more than the line the kill cut short: {}", timeline.unreadable);
            let seen: Vec<u64> = timeline.entries.iter().map(|entry| entry.version).collect();
            for number in numbers(window, &id, last) {
                assert!(seen.contains(&number), "version {number} of {id} is lost, of {seen:?}");
            }
            for entry in &timeline.entries {
                assert_eq!(journal.twin(entry).unwrap().desired.values["n"], entry.version);
            }
        }
    }
}
