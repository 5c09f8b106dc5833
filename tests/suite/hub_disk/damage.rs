//! Data files with damage of every kind: nothing acknowledged is lost, and nothing altered is served, without a word.

use super::flaky::Disk;
use super::ledger::{Ledger, open, shown};
use proptest::prelude::*;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What happens to a hub and its file, one after another.
#[derive(Debug, Clone)]
enum Step {
    /// So many changes.
    Changes(usize),
    /// The disk is full after so many steps of writing.
    Fill(i64),
    Free,
    /// The hub stops, and starts again.
    Restart,
    /// The plug is pulled: the file is as it is this moment.
    Kill,
    /// One bit, at this share of the file.
    Flip(u32, u8),
    /// The file ends at this share.
    Truncate(u32),
    /// 64 bytes from this share on.
    Scribble(u32, u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..6_usize).prop_map(Step::Changes),
        2 => (0..30_i64).prop_map(Step::Fill),
        2 => Just(Step::Free),
        2 => Just(Step::Restart),
        1 => Just(Step::Kill),
        2 => (any::<u32>(), 0..8_u8).prop_map(|(at, bit)| Step::Flip(at, bit)),
        1 => any::<u32>().prop_map(Step::Truncate),
        1 => (any::<u32>(), any::<u64>()).prop_map(|(at, seed)| Step::Scribble(at, seed)),
    ]
}

fn place(share: u32, length: usize) -> usize {
    usize::try_from((u64::from(share) * length as u64) >> 32).unwrap()
}

fn data(dir: &Path) -> PathBuf {
    dir.join("hub.redb")
}

/// The files as they are, in a folder of their own, as if the machine had ended this moment.
fn snapshot(dir: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for name in ["hub.redb", "hub.mark"] {
        std::fs::copy(dir.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

async fn play(steps: Vec<Step>) {
    let mut dir = TempDir::new().unwrap();
    let disk = Disk::new();
    let mut ledger = Ledger::default();
    let mut hub = open(dir.path(), &disk).unwrap().0;
    let mut n = 0;
    for step in steps {
        match step {
            Step::Changes(count) => {
                for _ in 0..count {
                    n += 1;
                    // Whether it is refused depends on the disk; the ledger checks what that means.
                    ledger.change(&hub, n).await.unwrap_or_default();
                }
                continue;
            }
            Step::Fill(after) => {
                disk.fill_after(after);
                continue;
            }
            Step::Free => {
                disk.free();
                n += 1;
                if let Err(refused) = ledger.change(&hub, n).await {
                    assert_ne!(refused.code.name, "ServerError", "with room it goes on: {refused:?}");
                }
                continue;
            }
            Step::Restart => hub.close().await,
            Step::Kill => {
                let copy = snapshot(dir.path());
                hub.close().await;
                dir = copy;
            }
            damage => {
                let copy = if n.is_multiple_of(2) { Some(snapshot(dir.path())) } else { None };
                hub.close().await;
                // Of a hub that was stopped, or of one that was killed.
                dir = copy.unwrap_or(dir);
                let mut bytes = std::fs::read(data(dir.path())).unwrap();
                match damage {
                    Step::Flip(at, bit) => {
                        let at = place(at, bytes.len());
                        bytes[at] ^= 1 << bit;
                    }
                    Step::Truncate(at) => bytes.truncate(place(at, bytes.len())),
                    Step::Scribble(at, seed) => {
                        let (at, mut random) = (place(at, bytes.len()), fastrand::Rng::with_seed(seed));
                        bytes.iter_mut().skip(at).take(64).for_each(|byte| *byte = random.u8(..));
                    }
                    other => unreachable!("{other:?}"),
                }
                std::fs::write(data(dir.path()), bytes).unwrap();
            }
        }
        drop(hub);
        disk.free();
        let (opened, damage) =
            open(dir.path(), &disk).unwrap_or_else(|error| panic!("the hub does not start: {error}"));
        hub = opened;
        ledger.check(&hub, damage.as_ref());
    }
    hub.close().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.min(60).max(
        std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(0)), ..ProptestConfig::default() })]

    #[test]
    fn what_is_acknowledged_is_kept_and_what_is_altered_is_said(steps in prop::collection::vec(step(), 3..14)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(steps));
    }
}

/// A file with several devices, of a hub that was stopped.
async fn filled(disk: &Disk) -> (TempDir, Ledger) {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::default();
    let (hub, damage) = open(dir.path(), disk).unwrap();
    assert_eq!(damage, None);
    for n in 1..20 {
        ledger.change(&hub, n).await.unwrap();
    }
    hub.close().await;
    (dir, ledger)
}

#[tokio::test]
async fn a_file_that_is_empty_or_no_data_at_all_is_no_new_hub_unsaid() {
    let disk = Disk::new();
    for content in [&b""[..], b"this is no database", &[0; 8192], &[0xff; 9000]] {
        let (dir, mut ledger) = filled(&disk).await;
        std::fs::write(data(dir.path()), content).unwrap();
        let (hub, damage) = open(dir.path(), &disk).unwrap();
        let damage = damage.expect("it is said");
        assert_eq!(std::fs::read(&damage.aside).unwrap(), content, "set aside as it was");
        assert!(damage.to_string().contains("keys are new"), "{damage}");
        ledger.check(&hub, Some(&damage));
        hub.close().await;
        let (_, damage) = open(dir.path(), &disk).unwrap();
        assert_eq!(damage, None, "it is said once");
    }
}

#[tokio::test]
async fn one_damaged_record_is_named_and_the_others_stay() {
    let disk = Disk::new();
    let (dir, mut ledger) = filled(&disk).await;
    let mut bytes = std::fs::read(data(dir.path())).unwrap();
    // Within the newest text of one device; older versions of it may stand elsewhere.
    let text = ledger.known["d2"]["tags"]["n"].to_string();
    let wanted = format!("\"tags\":{{\"n\":{text}}}");
    let places: Vec<usize> =
        bytes.windows(wanted.len()).enumerate().filter(|(_, w)| *w == wanted.as_bytes()).map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at + wanted.len() - 3] ^= 1;
    }
    std::fs::write(data(dir.path()), bytes).unwrap();
    let (hub, damage) = open(dir.path(), &disk).unwrap();
    let damage = damage.expect("it is said");
    assert!(damage.lost.iter().any(|lost| lost.starts_with("d2")), "{damage}");
    assert!(!damage.to_string().contains("keys are new"), "{damage}");
    let before = ledger.known.clone();
    ledger.check(&hub, Some(&damage));
    let others = before.keys().filter(|id| !id.starts_with("d2"));
    let after = shown(&hub);
    assert!(others.clone().count() > 2 && others.clone().all(|id| after.contains_key(id)), "{damage}");
}

#[tokio::test]
async fn a_copy_from_yesterday_is_said_to_be_one() {
    let disk = Disk::new();
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::default();
    let (hub, _) = open(dir.path(), &disk).unwrap();
    ledger.change(&hub, 1).await.unwrap();
    let yesterday = snapshot(dir.path());
    ledger.change(&hub, 2).await.unwrap();
    hub.close().await;
    std::fs::copy(data(yesterday.path()), data(dir.path())).unwrap();
    let (hub, damage) = open(dir.path(), &disk).unwrap();
    let damage = damage.expect("it is said");
    assert!(damage.to_string().contains("it lacks the last"), "{damage}");
    ledger.check(&hub, Some(&damage));
}

const TABLES: [&str; 3] = ["hub", "identities", "items"];

fn table(name: &str) -> TableDefinition<'_, &'static str, &'static [u8]> {
    TableDefinition::new(name)
}

/// Takes a file back to the form before records were sealed.
fn without_seals(dir: &Path) {
    let database = Database::create(data(dir)).unwrap();
    let transaction = database.begin_write().unwrap();
    for name in TABLES {
        let mut table = transaction.open_table(table(name)).unwrap();
        let rows: Vec<(String, Vec<u8>)> = table
            .iter()
            .unwrap()
            .map(|row| row.map(|(key, value)| (key.value().to_owned(), value.value().to_vec())).unwrap())
            .collect();
        for (key, sealed) in rows {
            // Behind the key comes the value, to the end; the head has 35 bytes.
            let plain = &sealed[35 + key.len()..];
            match key.as_str() {
                "format" => drop(table.insert("format", b"1".as_slice()).unwrap()),
                "sequence" => drop(table.remove("sequence").unwrap()),
                key => drop(table.insert(key, plain).unwrap()),
            }
        }
    }
    transaction.commit().unwrap();
    drop(database);
    std::fs::remove_file(dir.join("hub.mark")).unwrap();
}

#[tokio::test]
async fn a_file_of_the_form_before_is_read_and_sealed() {
    let disk = Disk::new();
    let (dir, mut ledger) = filled(&disk).await;
    without_seals(dir.path());
    for _ in 0..2 {
        let (hub, damage) = open(dir.path(), &disk).unwrap();
        assert_eq!(damage, None);
        ledger.check(&hub, None);
        hub.close().await;
    }
    let database = Database::open(data(dir.path())).unwrap();
    let transaction = database.begin_read().unwrap();
    for name in TABLES {
        for row in transaction.open_table(table(name)).unwrap().iter().unwrap() {
            assert!(row.unwrap().1.value().starts_with(b"TwSv"), "{name}");
        }
    }
}

#[tokio::test]
async fn a_damaged_file_of_the_form_before_is_recovered_with_a_warning() {
    let disk = Disk::new();
    let (dir, ledger) = filled(&disk).await;
    without_seals(dir.path());
    let good = std::fs::read(data(dir.path())).unwrap();
    let mut random = fastrand::Rng::with_seed(3);
    let mut damaged = 0;
    for _ in 0..40 {
        let copy = TempDir::new().unwrap();
        let mut bytes = good.clone();
        let at = random.usize(..bytes.len());
        bytes[at] ^= 1 << random.u8(..8);
        std::fs::write(data(copy.path()), bytes).unwrap();
        let (hub, damage) = open(copy.path(), &disk).unwrap();
        match damage {
            None => assert_eq!(shown(&hub), ledger.known, "byte {at}"),
            Some(damage) => {
                damaged += 1;
                let text = damage.to_string();
                assert!(text.contains("older form") || damage.recovered == 0, "{text}");
            }
        }
    }
    assert!(damaged > 2, "only {damaged}");
}

/// A newer program's file is not damaged, and not touched.
#[tokio::test]
async fn a_file_of_a_newer_program_is_left_alone() {
    let disk = Disk::new();
    let (dir, _) = filled(&disk).await;
    let database = Database::create(data(dir.path())).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(table("hub")).unwrap().insert("format", b"3".as_slice()).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let before = std::fs::read(data(dir.path())).unwrap();
    let error = open(dir.path(), &disk).err().unwrap();
    assert!(error.contains("newer program"), "{error}");
    assert_eq!(std::fs::read(data(dir.path())).unwrap(), before);
}
