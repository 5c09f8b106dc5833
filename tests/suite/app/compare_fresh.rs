//! A comparison does not stand on what is old: its sides are read again, and what nobody has seen is not taken over.

use super::compare::{compare, desk, differences, draft, other, other_twin, paths, tab, with};
use super::{Desk, load_key};
use serde_json::json;
use twinscope::app::Action;
use twinscope::app::compare::{CompareAct, OWN};
use twinscope::app::tab::Pane;
use twinscope::twin::TwinId;
use twinscope::worker::event::Outcome;
use twinscope::worker::{Command, Failure, Key};

/// Beside `other`, which has another interval, read just now.
fn beside() -> (Desk, TwinId) {
    let (mut desk, id) = desk();
    let commands = with(&mut desk, &id, other());
    desk.done(load_key(&commands), Ok(Outcome::Twin(other_twin("o1", 5, json!({"interval": 90, "mode": "auto"})))));
    assert_eq!(paths(&desk, &id), ["interval"]);
    (desk, id)
}

fn key_of(commands: &[Command], wanted: &TwinId) -> Option<Key> {
    commands.iter().find_map(|command| match command {
        Command::LoadTwin { key, id } if id == wanted => Some(*key),
        _ => None,
    })
}

#[test]
fn the_other_side_is_read_again_on_refresh_and_when_it_comes_to_the_front() {
    let refresh: fn(&mut Desk, &TwinId) -> Vec<Command> = |desk, id| desk.act(Action::Refresh(id.clone()));
    let pane: fn(&mut Desk, &TwinId) -> Vec<Command> = |desk, id| {
        desk.act(Action::ShowPane(id.clone(), Pane::Desired));
        desk.act(Action::ShowPane(id.clone(), Pane::Compare))
    };
    let tab: fn(&mut Desk, &TwinId) -> Vec<Command> = |desk, _| {
        desk.act(Action::OpenTwin(TwinId::device("third")));
        desk.act(Action::SelectTab(0))
    };
    let opened: fn(&mut Desk, &TwinId) -> Vec<Command> = |desk, id| {
        desk.act(Action::OpenTwin(TwinId::device("third")));
        desk.act(Action::OpenTwin(id.clone()))
    };
    for (what, way) in [("refresh", refresh), ("pane", pane), ("tab", tab), ("opened", opened)] {
        let (mut desk, id) = beside();
        desk.later(60_000);
        let commands = way(&mut desk, &id);
        let key = key_of(&commands, &other()).unwrap_or_else(|| panic!("{what}: {commands:?}"));
        assert_eq!(paths(&desk, &id), ["interval"], "{what}: what was read stays meanwhile");
        desk.done(key, Ok(Outcome::Twin(other_twin("o2", 6, json!({"interval": 60, "mode": "eco"})))));
        assert_eq!(paths(&desk, &id), ["mode"], "{what}");
        // Just read, it is not asked for again.
        let commands = pane(&mut desk, &id);
        assert_eq!(key_of(&commands, &other()), None, "{what}: {commands:?}");
    }
}

#[test]
fn a_twin_open_in_a_tab_takes_what_was_read_for_the_comparison() {
    let (mut desk, id) = beside();
    let commands = desk.act(Action::OpenTwin(other()));
    let body = json!({"interval": 90, "mode": "auto"});
    desk.done(load_key(&commands), Ok(Outcome::Twin(other_twin("o1", 5, body))));
    desk.later(60_000);
    let commands = desk.act(Action::Refresh(id.clone()));
    // It is the other tab that is in front, and its comparison that is refreshed.
    let key = key_of(&commands, &other()).expect("the side is read again");
    desk.done(key, Ok(Outcome::Twin(other_twin("o2", 6, json!({"interval": 60, "mode": "auto"})))));
    assert_eq!(paths(&desk, &id), [""; 0]);
    assert_eq!(draft(&desk, &other()), json!({"interval": 60, "mode": "auto"}));
}

#[test]
fn taking_from_a_side_read_long_ago_reads_it_first() {
    // Moved meanwhile: what is on the screen is not taken, and the new state is shown.
    let (mut desk, id) = beside();
    desk.later(60_000);
    let shown = differences(&desk, &id);
    let commands = compare(&mut desk, &id, CompareAct::Take(shown.clone()));
    let key = key_of(&commands, &other()).expect("it is read first");
    assert!(!tab(&desk, &id).is_dirty(), "something unseen was taken");
    desk.done(key, Ok(Outcome::Twin(other_twin("o2", 6, json!({"interval": 95, "mode": "auto"})))));
    assert!(!tab(&desk, &id).is_dirty(), "something unseen was taken");
    assert!(desk.app.notices.iter().any(|notice| notice.text.contains("moved meanwhile")));
    // As it was shown: taken as soon as that is known; from then on at once.
    let (mut desk, id) = beside();
    desk.later(60_000);
    let commands = compare(&mut desk, &id, CompareAct::Take(shown.clone()));
    let key = key_of(&commands, &other()).expect("it is read first");
    desk.done(key, Ok(Outcome::Twin(other_twin("o1", 5, json!({"interval": 90, "mode": "auto"})))));
    assert_eq!(draft(&desk, &id), json!({"interval": 90, "mode": "auto"}));
    // Not read: nothing is taken, and it is said.
    let (mut desk, id) = beside();
    desk.later(60_000);
    let commands = compare(&mut desk, &id, CompareAct::Take(shown));
    let key = key_of(&commands, &other()).expect("it is read first");
    desk.done(key, Err(Failure::Local("gone".to_owned())));
    assert!(!tab(&desk, &id).is_dirty());
    assert!(desk.app.notices.iter().any(|notice| notice.text.starts_with("Nothing was taken over")));
}

#[test]
fn a_side_knows_its_version_and_when_it_was_read() {
    let (mut desk, id) = beside();
    let read = desk.now;
    desk.later(60_000);
    let side = desk.app.freshness(tab(&desk, &id), 1).unwrap();
    assert_eq!((side.twin.version, side.read, side.followed, side.edited), (5, Some(read), false, false));
    compare(&mut desk, &id, CompareAct::Load(1));
    let side = desk.app.freshness(tab(&desk, &id), 1).unwrap();
    assert_eq!(side.read, Some(read), "being read it is as old as before");
    let own = desk.app.freshness(tab(&desk, &id), OWN).unwrap();
    assert_eq!((own.twin.version, own.followed), (1, true));
}
