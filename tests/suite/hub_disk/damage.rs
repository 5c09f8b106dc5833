//! Data files with damage of every kind: nothing acknowledged is lost, and nothing altered is served, without a word.

use super::flaky::Disk;
use super::ledger::{Ledger, open, shown};
use proptest::prelude::*;
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
    usize::try_from(u64::from(share) * length as u64 >> 32).unwrap()
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
                let copy = if n % 2 == 0 { Some(snapshot(dir.path())) } else { None };
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
    for content in [&b""[..], b"this is no database", &[0; 8192], &[0xff; 100_000]] {
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
