//! Two programs edit one twin of one hub, and everything typed is accounted for.
//!
//! The law: every value typed is in some version of the hub, or on its author's screen, or was given up by its author's own doing.
//! No save replaces what its author has not seen, and no PUT removes what it did not announce. No save
//! is carried out twice. What a program says of a save is true.

mod account;
mod acts;
mod docs;
mod seat;
mod world;

use account::Tally;
use std::panic::{AssertUnwindSafe, catch_unwind};
use world::{Lives, Weather, World};

/// Plays so many rounds; the faults are in force in all but the last ones. What happened, and how often a fault struck.
fn play(seed: u64, rounds: usize, weather: Weather, lives: Lives, faults: &[&str]) -> (Tally, u64) {
    let played = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::start(seed, weather, lives);
        if !faults.is_empty() {
            world.strike(faults, seed);
        }
        for round in 0..rounds {
            world.round(round);
        }
        let struck = if faults.is_empty() { 0 } else { world.calm() };
        world.close();
        (world.account.tally.clone(), struck)
    }));
    played.unwrap_or_else(|panic| {
        eprintln!("the seed was {seed}, the faults {faults:?}");
        std::panic::resume_unwind(panic)
    })
}

/// A seed of one's own: `TWINSCOPE_ROUNDS_SEED=7`.
fn seed() -> u64 {
    std::env::var("TWINSCOPE_ROUNDS_SEED").map_or(20_261_121, |seed| seed.parse().unwrap())
}

#[test]
fn two_people_edit_one_twin_and_nothing_is_lost() {
    let (tally, _) = play(seed(), 200, Weather::Calm, Lives::One, &[]);
    // What never happened is not proved.
    let often = [
        (tally.typed, 100),
        (tally.landed, 40),
        (tally.given_up, 10),
        (tally.conflicts, 5),
        (tally.mine, 2),
        (tally.theirs, 2),
        (tally.merged, 4),
        (tally.overwritten, 1),
        (tally.rebased, 1),
        (tally.discarded, 1),
        (tally.followed, 2),
        (tally.meanwhile, 5),
        (tally.refused, 5),
        (tally.replaced, 1),
        (tally.removed, 1),
        (tally.asked_anew, 1),
        (tally.reverted, 3),
        (tally.brought_back, 3),
    ];
    assert!(often.iter().all(|(happened, at_least)| happened >= at_least), "{tally:?}");
}

#[test]
fn a_hub_with_faults_loses_nothing() {
    let worlds: [(&[&str], Weather, usize); 8] = [
        (&[], Weather::Storm, 40),
        (&["drop=before on=twin-write every=2 times=4"], Weather::Calm, 12),
        (&["drop=after on=twin-write every=2 times=6"], Weather::Calm, 14),
        (&["drop=halfway on=twin-write every=2 times=6"], Weather::Calm, 14),
        (&["429:retry-after=1s on=twin-write every=3 times=3"], Weather::Calm, 14),
        (&["429 on=twin-write nth=3"], Weather::Calm, 12),
        (&["503 on=twin-write every=2", "latency=1ms..60ms on=twins p=0.5"], Weather::Calm, 30),
        (&["drop=after on=twin-write every=3 times=2", "drop=before on=twin-read every=4 times=5"], Weather::Calm, 12),
    ];
    let seed = seed();
    let ends: Vec<_> = std::thread::scope(|scope| {
        let play = |(faults, weather, rounds): (&'static [&'static str], Weather, usize)| {
            scope.spawn(move || play(seed, rounds, weather, Lives::One, faults))
        };
        worlds.map(play).map(std::thread::ScopedJoinHandle::join).into_iter().collect()
    });
    let ends: Vec<_> = ends.into_iter().zip(worlds).map(|(end, (faults, ..))| (end.unwrap(), faults)).collect();
    let told = |mode: &str| {
        ends.iter().any(|((tally, _), faults)| faults[..].iter().any(|f| f.contains(mode)) && tally.landed > 0)
    };
    for ((tally, struck), faults) in &ends {
        assert!(faults.is_empty() || *struck >= 1, "{faults:?} never struck: {tally:?}");
    }
    assert!(told("drop=after") && told("drop=before"));
    assert!(ends[0].0.0.conflicts >= 3, "no storm: {:?}", ends[0].0.0);
}

/// The account of every value goes on through the lives of the device; no save goes over one that its author was not shown.
#[test]
fn a_device_that_is_deleted_and_created_again_is_never_overwritten_unseen() {
    let mut all = Tally::default();
    for lives in [Lives::Many, Lives::ManyAlike] {
        for weather in [Weather::Calm, Weather::Storm] {
            let (tally, _) = play(seed(), 50, weather, lives, &[]);
            all.lives += tally.lives;
            all.landed += tally.landed;
            all.conflicts += tally.conflicts;
        }
    }
    assert!(all.lives >= 12 && all.landed >= 20 && all.conflicts >= 4, "{all:?}");
}
