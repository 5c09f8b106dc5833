//! The faults of a hub of ours: read, typed, checked, set, ended; nothing typed is lost.

use super::Desk;
use twinscope::app::faults::{FaultsAct, PRESETS};
use twinscope::app::{Action, Dialog};
use twinscope::client::HubError;
use twinscope::protocol::error::ServiceError;
use twinscope::protocol::fault::{Counted, Fault, Plan, Report};
use twinscope::worker::event::{HubInfo, Outcome};
use twinscope::worker::{Command, Failure, HubRef, Key};

fn act(desk: &mut Desk, act: FaultsAct) -> Vec<Command> {
    desk.act(Action::Faults(act))
}

fn typed(desk: &mut Desk, text: &str) {
    assert!(act(desk, FaultsAct::Text(text.to_owned())).is_empty());
}

fn report(seed: u64, faults: &[(&str, u64, u64)]) -> Report {
    let counted = |(text, matched, struck): &(&str, u64, u64)| Counted {
        fault: text.parse().unwrap(),
        matched: *matched,
        struck: *struck,
    };
    Report { seed, faults: faults.iter().map(counted).collect() }
}

fn load_key(commands: &[Command]) -> Option<Key> {
    commands.iter().find_map(|command| match command {
        Command::LoadFaults { key } => Some(*key),
        _ => None,
    })
}

/// The dialog is open, and the hub told its faults.
fn open(told: Report) -> Desk {
    let mut desk = Desk::open();
    // Opening a hub asks for them; that one is answered first.
    let waiting = desk.app.running.keys().copied().collect::<Vec<_>>();
    assert!(load_key(&desk.act(Action::ShowFaults)).is_none(), "asked already");
    assert_eq!(desk.app.dialog, Some(Dialog::Faults));
    for key in waiting {
        desk.done(key, Ok(Outcome::Faults(told.clone())));
    }
    desk
}

#[test]
fn what_is_in_force_is_there_to_be_edited() {
    let desk = open(report(7, &[("429 p=0.1", 12, 1), ("off latency=200ms", 0, 0)]));
    let faults = &desk.app.faults;
    assert_eq!((faults.text.as_str(), faults.seed.as_str()), ("429 p=0.1\noff latency=200ms", "7"));
    assert_eq!(faults.in_force(), 1);
    let plan = faults.plan().unwrap();
    assert_eq!((plan.seed, plan.faults.len()), (Some(7), 2));
    let none = open(report(99, &[]));
    assert_eq!((none.app.faults.text.as_str(), none.app.faults.seed.as_str()), ("", ""));
}

#[test]
fn presets_are_faults_and_are_added_by_line() {
    let mut desk = open(report(0, &[]));
    for (name, line) in PRESETS {
        assert!(line.parse::<Fault>().is_ok(), "{name}: {line}");
        act(&mut desk, FaultsAct::Add(line));
    }
    let lines: Vec<&str> = PRESETS.iter().map(|(_, line)| *line).collect();
    assert_eq!(desk.app.faults.text, lines.join("\n"));
    assert_eq!(desk.app.faults.plan().unwrap().faults.len(), PRESETS.len());
}

#[test]
fn what_is_wrong_is_said_at_its_line() {
    let check = |text: &str, expected: &[(usize, usize, &str)]| {
        let mut desk = open(report(0, &[]));
        typed(&mut desk, text);
        let faults = &desk.app.faults;
        let found: Vec<(usize, usize, &str)> =
            faults.problems.iter().map(|p| (p.line, p.column, &text[p.range.clone()])).collect();
        assert_eq!(found, expected, "{text:?}");
        assert_eq!(faults.plan().is_none(), !expected.is_empty());
        assert_eq!(act(&mut desk, FaultsAct::Apply).is_empty(), !expected.is_empty());
        assert_eq!(desk.app.faults.text, text);
    };
    check("", &[]);
    check("\n  \n503\n", &[]);
    check("503\n  430 p=0.1\nlatency=1s", &[(2, 3, "430")]);
    check("503 p=2\nö", &[(1, 5, "p=2"), (2, 1, "ö")]);
    check("503 id=ö p=x", &[(1, 5, "id=ö")]);
    check("off", &[(1, 4, "")]);
}

#[test]
fn a_seed_is_a_number_or_nothing() {
    for (text, good) in [("", true), (" 42 ", true), ("18446744073709551615", true), ("-1", false), ("x", false)] {
        let mut desk = open(report(0, &[]));
        act(&mut desk, FaultsAct::Seed(text.to_owned()));
        assert_eq!(desk.app.faults.seed_problem.is_none(), good, "{text:?}");
        assert_eq!(desk.app.faults.plan().map(|plan| plan.seed), good.then(|| text.trim().parse().ok()), "{text:?}");
    }
}

#[test]
fn set_counted_and_ended() {
    let mut desk = open(report(0, &[]));
    typed(&mut desk, "429 p=0.1\n\ndrop=after");
    act(&mut desk, FaultsAct::Seed("5".to_owned()));
    let plan = Plan { seed: Some(5), faults: vec!["429 p=0.1".parse().unwrap(), "drop=after".parse().unwrap()] };
    let [Command::SetFaults { key, plan: sent }] = &act(&mut desk, FaultsAct::Apply)[..] else { panic!() };
    assert_eq!(*sent, plan);
    assert!(act(&mut desk, FaultsAct::Apply).is_empty(), "one at a time");
    assert!(act(&mut desk, FaultsAct::Clear).is_empty());
    typed(&mut desk, "429 p=0.1\n\ndrop=after\n503");
    desk.done(*key, Ok(Outcome::Faults(report(5, &[("429 p=0.1", 0, 0), ("drop=after", 0, 0)]))));
    assert_eq!(desk.app.faults.in_force(), 2);
    assert_eq!(desk.app.faults.text, "429 p=0.1\n\ndrop=after\n503", "what was typed meanwhile stays");

    // The counts are read again while they are looked at.
    let tick = desk.app.tick(desk.now);
    assert!(load_key(&tick.commands).is_none() && tick.next_ms.is_some_and(|ms| ms <= 1000), "{tick:?}");
    desk.later(1000);
    let key = load_key(&desk.app.tick(desk.now).commands).unwrap();
    desk.done(key, Ok(Outcome::Faults(report(5, &[("429 p=0.1", 9, 2), ("drop=after", 9, 9)]))));
    assert_eq!(desk.app.faults.known.value().unwrap().faults[0].matched, 9);
    assert!(desk.app.faults.text.ends_with("503"));
    // Closed, they are read more rarely, and the text is kept.
    desk.act(Action::CloseDialog);
    desk.later(1000);
    assert!(load_key(&desk.app.tick(desk.now).commands).is_none());
    desk.later(9000);
    let key = load_key(&desk.app.tick(desk.now).commands).unwrap();
    desk.done(key, Ok(Outcome::Faults(report(5, &[("429 p=0.1", 9, 2)]))));
    desk.act(Action::ShowFaults);
    assert!(desk.app.faults.text.ends_with("503"));

    let [Command::ClearFaults { key }] = act(&mut desk, FaultsAct::Clear)[..] else { panic!() };
    desk.done(key, Ok(Outcome::Faults(report(6, &[]))));
    assert_eq!((desk.app.faults.in_force(), desk.app.faults.text.as_str()), (0, ""));
    desk.act(Action::CloseDialog);
    desk.later(60_000);
    assert!(load_key(&desk.app.tick(desk.now).commands).is_none(), "without faults nothing is asked");
}

#[test]
fn a_refusal_loses_nothing() {
    let mut desk = open(report(0, &[]));
    typed(&mut desk, "503 p=0.5");
    let [Command::SetFaults { key, .. }] = act(&mut desk, FaultsAct::Apply)[..] else { panic!() };
    let service = ServiceError { message: Some("fault 1: …".to_owned()), ..ServiceError::default() };
    let failure = Failure::Hub(HubError::Refused { status: 400, service });
    desk.done(key, Err(failure.clone()));
    assert_eq!((desk.app.faults.text.as_str(), &desk.app.faults.failure), ("503 p=0.5", &Some(failure)));
    assert!(!act(&mut desk, FaultsAct::Apply).is_empty());
    assert_eq!(desk.app.faults.failure, None);
}

#[test]
fn other_hubs_have_none() {
    let mut desk = open(report(7, &[("503", 1, 1)]));
    let commands = desk.act(Action::OpenHub(HubRef::Saved("plant".to_owned())));
    assert_eq!((desk.app.faults.in_force(), desk.app.has_faults()), (0, false));
    let key = commands.iter().find_map(|command| match command {
        Command::Open { key, .. } => Some(*key),
        _ => None,
    });
    let info = HubInfo {
        hub: HubRef::Saved("plant".to_owned()),
        name: "Plant".to_owned(),
        host: "plant.azure-devices.net".to_owned(),
        policy: "service".to_owned(),
        api_version: "2021-04-12",
    };
    let commands = desk.done(key.unwrap(), Ok(Outcome::Connected(info)));
    assert!(load_key(&commands).is_none() && !desk.app.has_faults());
    assert!(desk.act(Action::ShowFaults).is_empty());
    assert_eq!(desk.app.dialog, None);

    // One that may be ours is asked, and says that it has none.
    let mut desk = Desk::open();
    let key = *desk.app.running.iter().find(|(_, run)| run.what == "Reading the faults").unwrap().0;
    desk.done(key, Err(Failure::Hub(HubError::NotFound { service: ServiceError::default() })));
    assert!(!desk.app.has_faults());
}
