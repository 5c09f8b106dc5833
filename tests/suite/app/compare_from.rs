//! Where the sides of a comparison come from: other hubs, the journal of any hub, drafts; and what of it outlives the program.

use super::compare::{compare, desk, differences, draft, other, other_twin, paths, tab, with};
use super::{Desk, load_key, parse, twin};
use serde_json::{Value, json};
use std::sync::Arc;
use twinscope::app::compare::{CompareAct, Face, OWN, Other, Stand};
use twinscope::app::dialog::Dialog;
use twinscope::app::sources::Source;
use twinscope::app::tab::Pane;
use twinscope::app::{Action, HubState, Remote};
use twinscope::disk::journal::{EntryKey, Seen};
use twinscope::disk::{Journal, Settings};
use twinscope::twin::{Section, TwinId};
use twinscope::worker::event::{HubEntry, HubInfo, Outcome, PastTwin, SecretStore};
use twinscope::worker::{Command, Fact, Failure, HubRef, Key};

fn plant() -> HubRef {
    HubRef::Saved("plant".to_owned())
}

const PLANT: &str = "Plant.azure-devices.net";

fn entry(hub: HubRef, name: &str, host: &str) -> HubEntry {
    let policy = "iothubowner".to_owned();
    HubEntry { hub, name: name.to_owned(), host: host.to_owned(), policy, has_secret: true }
}

fn know_hubs(desk: &mut Desk) {
    let hubs = vec![entry(HubRef::Local, "Local hub", "localhost"), entry(plant(), "Plant north", PLANT)];
    desk.fact(Fact::Hubs { hubs, secrets: SecretStore::Keyring });
}

fn elsewhere() -> CompareAct {
    CompareAct::With { other: Other::Elsewhere { hub: plant(), id: other() }, version: None }
}

fn read_elsewhere(commands: &[Command]) -> (Key, HubRef, TwinId) {
    let asked = commands.iter().find_map(|command| match command {
        Command::ReadElsewhere { key, hub, id } => Some((*key, hub.clone(), id.clone())),
        _ => None,
    });
    asked.expect("the other hub is asked")
}

fn saved(commands: &[Command]) -> Option<Settings> {
    commands.iter().rev().find_map(|command| match command {
        Command::SaveSettings { settings } => Some(settings.clone()),
        _ => None,
    })
}

fn edit(desk: &mut Desk, id: &TwinId, text: &str) {
    desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text: text.to_owned() });
}

#[test]
fn a_twin_of_a_saved_hub_is_asked_of_that_hub() {
    let (mut desk, id) = desk();
    know_hubs(&mut desk);
    let commands = compare(&mut desk, &id, elsewhere());
    let (key, hub, asked) = read_elsewhere(&commands);
    assert_eq!((hub, asked), (plant(), other()));
    assert!(matches!(desk.app.stand(tab(&desk, &id), 1), Stand::Loading { .. }));
    assert!(matches!(&desk.app.hub, HubState::Open(info) if info.hub == HubRef::Local), "the open hub stays");
    desk.done(key, Ok(Outcome::Twin(other_twin("o1", 5, json!({"interval": 90})))));
    assert_eq!(paths(&desk, &id), ["interval", "mode"]);
    assert_eq!(tab(&desk, &id).side_name(1), "other at Plant north");
    let all = differences(&desk, &id);
    compare(&mut desk, &id, CompareAct::Take(all));
    assert_eq!(draft(&desk, &id), json!({"interval": 90}));
}

#[test]
fn a_hub_that_refuses_is_asked_again_and_a_twin_once_read_stays() {
    let (mut desk, id) = desk();
    know_hubs(&mut desk);
    let (key, ..) = read_elsewhere(&compare(&mut desk, &id, elsewhere()));
    desk.done(key, Err(Failure::Local("the key was refused".to_owned())));
    assert!(matches!(desk.app.stand(tab(&desk, &id), 1), Stand::Failed(_)));
    let (key, ..) = read_elsewhere(&compare(&mut desk, &id, CompareAct::Load(1)));
    desk.done(key, Ok(Outcome::Twin(other_twin("o1", 5, json!({"interval": 90})))));
    assert_eq!(desk.app.not_read_again(tab(&desk, &id), 1), None);
    let commands = compare(&mut desk, &id, CompareAct::Refresh);
    assert!(commands.iter().any(|command| matches!(command, Command::LoadTwin { id: own, .. } if *own == id)));
    let (key, ..) = read_elsewhere(&commands);
    desk.done(key, Err(Failure::Local("the cable is out".to_owned())));
    assert_eq!(paths(&desk, &id), ["interval", "mode"], "what was read is still there");
    assert!(
        matches!(desk.app.not_read_again(tab(&desk, &id), 1), Some(Failure::Local(why)) if why == "the cable is out")
    );
}

#[test]
fn closing_the_tab_or_dropping_the_side_stops_the_reading() {
    let (mut desk, id) = desk();
    know_hubs(&mut desk);
    let (key, ..) = read_elsewhere(&compare(&mut desk, &id, elsewhere()));
    let commands = compare(&mut desk, &id, CompareAct::Drop(1));
    assert!(commands.contains(&Command::Cancel { key }), "{commands:?}");
    desk.done(key, Err(Failure::Cancelled));
    let (key, ..) = read_elsewhere(&compare(&mut desk, &id, elsewhere()));
    let done = load_key(&with(&mut desk, &id, TwinId::device("third")));
    desk.done(done, Ok(Outcome::Twin(other_twin("o1", 5, json!({})))));
    let commands = desk.act(Action::CloseTab(id.clone()));
    let cancelled: Vec<&Command> = commands.iter().filter(|one| matches!(one, Command::Cancel { .. })).collect();
    assert_eq!(cancelled, [&Command::Cancel { key }], "only what is under way is stopped");
}

#[test]
fn the_journal_of_another_hub_is_listed_and_one_of_its_versions_compared() {
    let (mut desk, id) = desk();
    know_hubs(&mut desk);
    let from = |source| CompareAct::From { source, version: None };
    let commands = compare(&mut desk, &id, from(Source::Past));
    let [Command::ListPast { key }] = commands.as_slice() else { panic!("{commands:?}") };
    let filed = Some(PLANT.to_ascii_lowercase());
    let past = PastTwin { hub: filed.clone(), hub_name: "Plant north".to_owned(), id: other(), at_ms: 9 };
    desk.done(*key, Ok(Outcome::Past(Arc::new(vec![past]))));
    assert_eq!(desk.app.known_at(&plant()), [other()]);
    assert_eq!(desk.app.known_at(&HubRef::Local), std::slice::from_ref(&id), "the tab of the open hub");
    let hub_name = "Plant north".to_owned();
    let source = Source::PastOf { hub: filed.clone(), hub_name: hub_name.clone(), id: other() };
    let commands = compare(&mut desk, &id, from(source.clone()));
    let [Command::LoadPast { key, hub, id: of }] = commands.as_slice() else { panic!("{commands:?}") };
    assert_eq!((hub, of), (&filed, &other()));
    assert_eq!(
        desk.app.dialog,
        Some(Dialog::Compare { id: id.clone(), version: None, text: String::new(), from: source })
    );
    // Put away, it is not waited for.
    let key = *key;
    assert_eq!(desk.act(Action::CloseDialog), [Command::Cancel { key }]);

    let version = EntryKey { version: 4, at_ms: 1000 };
    let other_side = Other::Past { hub: filed.clone(), hub_name, id: other(), key: version, seen: Seen::Watch };
    let commands = compare(&mut desk, &id, CompareAct::With { other: other_side, version: None });
    let read = commands.iter().find_map(|command| match command {
        Command::LoadPastVersion { key, hub, id, version } => Some((*key, hub.clone(), id.clone(), *version)),
        _ => None,
    });
    let (key, hub, of, asked) = read.expect("the disk is asked");
    assert_eq!((hub, of, asked), (filed, other(), version));
    desk.done(key, Ok(Outcome::Versions(vec![Ok(other_twin("o0", 4, json!({"interval": 60})))])));
    assert_eq!(paths(&desk, &id), ["mode"]);
    assert_eq!(tab(&desk, &id).side_name(1), "other at Plant north version 4");
    // The past is not read again.
    let commands = compare(&mut desk, &id, CompareAct::Refresh);
    assert!(!commands.iter().any(|command| matches!(command, Command::LoadPastVersion { .. })), "{commands:?}");
}

#[test]
fn versions_of_two_hubs_are_two_sides_and_the_same_one_is_one() {
    let (mut desk, id) = desk();
    let key = EntryKey { version: 4, at_ms: 1000 };
    let side = |hub: Option<&str>, name: &str| Other::Past {
        hub: hub.map(str::to_owned),
        hub_name: name.to_owned(),
        id: other(),
        key,
        seen: Seen::Load,
    };
    for (other_side, sides) in [
        (side(None, ""), 1),
        (side(Some("a.net"), "A"), 2),
        (side(Some("b.net"), "B"), 3),
        // Under another name it is the same hub.
        (side(Some("a.net"), "Renamed"), 3),
    ] {
        compare(&mut desk, &id, CompareAct::With { other: other_side, version: None });
        assert_eq!(tab(&desk, &id).compare.sides.len(), sides);
    }
    assert_eq!(tab(&desk, &id).compare.left, 2);
}

#[test]
fn the_draft_stands_beside_what_the_hub_has_and_beside_another_draft() {
    let (mut desk, id) = desk();
    let key = load_key(&desk.act(Action::OpenTwin(other())));
    desk.done(key, Ok(Outcome::Twin(other_twin("o1", 5, json!({"interval": 60, "mode": "auto"})))));
    edit(&mut desk, &other(), r#"{"interval": 61, "mode": "auto"}"#);
    edit(&mut desk, &id, r#"{"interval": 60, "mode": "eco"}"#);
    with(&mut desk, &id, id.clone());
    assert_eq!(paths(&desk, &id), ["mode"], "against the hub's own version");
    assert_eq!(
        (tab(&desk, &id).side_name(1), tab(&desk, &id).side_name(OWN)),
        (format!("{id} on the hub"), format!("{id} as edited"))
    );
    let sent = compare(&mut desk, &id, CompareAct::With { other: Other::Draft(other()), version: None });
    assert!(matches!(sent.as_slice(), [Command::SaveSettings { .. }]), "nobody is asked: {sent:?}");
    assert_eq!(paths(&desk, &id), ["interval", "mode"]);
    edit(&mut desk, &other(), r#"{"interval": 60, "mode": "auto"}"#);
    assert_eq!(paths(&desk, &id), ["mode"], "it follows what is typed there");
    desk.act(Action::CloseTab(other()));
    assert!(matches!(desk.app.stand(tab(&desk, &id), 2), Stand::Absent(why) if why.contains("closed")));
}

/// The refusal where this stands on the right.
fn refusal(other_side: Other) -> String {
    let (mut desk, id) = desk();
    know_hubs(&mut desk);
    let commands = compare(&mut desk, &id, CompareAct::With { other: other_side, version: None });
    for command in commands {
        if let Command::LoadTwin { key, .. }
        | Command::ReadElsewhere { key, .. }
        | Command::LoadPastVersion { key, .. } = command
        {
            let outcome = Outcome::Twin(other_twin("o1", 5, json!({"interval": 90})));
            desk.done(key, Ok(outcome));
        }
    }
    compare(&mut desk, &id, CompareAct::Left(OWN));
    let all = differences(&desk, &id);
    compare(&mut desk, &id, CompareAct::Take(all));
    assert!(!tab(&desk, &id).is_dirty(), "it went into the wrong draft");
    assert!(desk.app.tabs.iter().all(|tab| !tab.is_dirty()));
    tab(&desk, &id).take_refusal().expect("it is refused").to_owned()
}

#[test]
fn what_is_not_to_be_changed_from_here_says_why() {
    assert!(refusal(Other::Twin(other())).contains("its own tab"));
    assert!(refusal(Other::Elsewhere { hub: plant(), id: other() }).contains("another hub"));
    let key = EntryKey { version: 4, at_ms: 1000 };
    let past = Other::Past { hub: None, hub_name: String::new(), id: other(), key, seen: Seen::Load };
    assert!(refusal(past).contains("past does not change"));
}

/// The program ends, and another one begins with what it kept, tabs and all.
fn again(settings: Settings) -> Desk {
    let mut desk = Desk { app: twinscope::app::App::new(), now: super::Moment { ms: 0, unix_s: 1_790_000_000 } };
    desk.fact(Fact::Settings(settings));
    know_hubs(&mut desk);
    let info = HubInfo {
        hub: HubRef::Local,
        name: "Local hub".to_owned(),
        host: "localhost:8443".to_owned(),
        policy: "iothubowner".to_owned(),
        api_version: "2021-04-12",
    };
    desk.done(Key(0), Ok(Outcome::Connected(info)));
    desk
}

#[test]
fn what_was_compared_is_compared_again_after_a_restart() {
    let (mut desk, id) = desk();
    know_hubs(&mut desk);
    compare(&mut desk, &id, elsewhere());
    let key = EntryKey { version: 4, at_ms: 1000 };
    let past = Other::Past { hub: None, hub_name: String::new(), id: id.clone(), key, seen: Seen::Watch };
    compare(&mut desk, &id, CompareAct::With { other: past, version: None });
    with(&mut desk, &id, other());
    compare(&mut desk, &id, CompareAct::Left(1));
    compare(&mut desk, &id, CompareAct::Section(Section::Tags));
    let settings = saved(&compare(&mut desk, &id, CompareAct::Face(Face::Inline))).expect("it is kept");
    let text = serde_json::to_string(&settings).unwrap();
    assert!(!text.contains("interval"), "no contents are kept: {text}");
    let settings = serde_json::from_str(&text).unwrap();

    let mut desk = again(settings);
    let there = tab(&desk, &id);
    assert_eq!(there.compare.sides.len(), 3);
    let names: Vec<String> = there.compare.numbers().into_iter().map(|number| there.side_name(number)).collect();
    assert_eq!(
        names,
        [id.to_string(), "other at Plant north".to_owned(), format!("{id} version 4"), "other".to_owned()]
    );
    let face = (there.side_name(there.compare.left), there.compare.right, there.compare.section, there.compare.face);
    assert_eq!(face, ("other at Plant north".to_owned(), OWN, Section::Tags, Face::Inline));
    assert!(there.compare.sides.iter().all(|side| side.twin == Remote::Idle), "nobody is asked before it is looked at");
    let commands = desk.act(Action::ShowPane(id.clone(), Pane::Compare));
    let kinds: Vec<&str> = commands
        .iter()
        .map(|command| match command {
            Command::ReadElsewhere { .. } => "elsewhere",
            Command::LoadPastVersion { .. } => "past",
            Command::LoadTwin { .. } => "twin",
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(kinds, ["elsewhere", "past", "twin"]);
    assert_eq!(desk.act(Action::ShowPane(id.clone(), Pane::Compare)), [], "asked once");
}

#[test]
fn what_is_gone_is_left_out_and_closed_tabs_are_forgotten() {
    let (mut desk, id) = desk();
    know_hubs(&mut desk);
    compare(&mut desk, &id, elsewhere());
    let mut settings = saved(&with(&mut desk, &id, other())).expect("it is kept");
    let kept = settings.comparisons.get_mut("local").and_then(|kept| kept.get_mut(&id.to_string())).unwrap();
    let json = json!({"from": "mirror", "id": "somewhere"});
    kept.sides.insert(0, serde_json::from_value(json).expect("a newer program's side is no damage"));
    (kept.left, kept.right, kept.face) = (2, 9, "holographic".to_owned());
    kept.sides[1] = serde_json::from_value(json!({"from": "elsewhere", "hub": "removed", "id": "x"})).unwrap();
    let desk2 = again(settings.clone());
    let there = tab(&desk2, &id);
    let names: Vec<String> = there.compare.sides.iter().map(twinscope::app::compare::Side::name).collect();
    assert_eq!(names, ["other"]);
    assert_eq!((there.compare.left, there.compare.right, there.compare.face), (OWN, OWN, Face::Beside));

    let settings = saved(&desk.act(Action::CloseTab(id.clone()))).expect("tabs are kept");
    assert_eq!(settings.comparisons["local"].len(), 0);
    assert!(tab_is_gone(&again(settings), &id));
}

fn tab_is_gone(desk: &Desk, id: &TwinId) -> bool {
    desk.app.tab(id).is_none()
}

#[test]
fn the_other_side_is_turned_to_with_what_was_typed_here() {
    let (mut desk, id) = desk();
    let key = load_key(&with(&mut desk, &id, other()));
    desk.done(key, Ok(Outcome::Twin(other_twin("o1", 5, json!({"interval": 60, "mode": "auto"})))));
    edit(&mut desk, &id, r#"{"interval": 60, "mode": "eco"}"#);
    compare(&mut desk, &id, CompareAct::Left(OWN));
    for command in compare(&mut desk, &id, CompareAct::Turn) {
        if let Command::LoadTwin { key, id } = command {
            assert_eq!(id, other(), "what is typed here needs no reading");
            desk.done(key, Ok(Outcome::Twin(other_twin("o1", 5, json!({"interval": 60, "mode": "auto"})))));
        }
    }
    assert_eq!(paths(&desk, &other()), ["mode"]);
    let all = differences(&desk, &other());
    compare(&mut desk, &other(), CompareAct::Take(all));
    assert_eq!(draft(&desk, &other())["mode"], "eco");
    assert_eq!(draft(&desk, &id)["mode"], "eco");
}

#[test]
fn a_discarded_draft_is_a_side_too() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    let (mut desk, id) = desk();
    let base = parse(twin("e1", 1, json!({"interval": 60, "mode": "auto"}), json!({})));
    let desired = Some(r#"{"interval": 60, "mode": "eco"}"#.to_owned());
    let kept = twinscope::disk::KeptDraft {
        hub: "local".to_owned(),
        base,
        desired,
        tags: None,
        report: None,
        at_ms: 3_661_000,
    };
    journal.record_discarded("local", &kept).unwrap();
    let timeline = Arc::new(journal.timeline("local", &id).unwrap());
    let commands = compare(&mut desk, &id, CompareAct::Ask(None));
    let [Command::LoadTimeline { key, .. }] = commands.as_slice() else { panic!("{commands:?}") };
    desk.done(*key, Ok(Outcome::Timeline(timeline.clone())));
    let commands = compare(&mut desk, &id, CompareAct::WithVersion(timeline.entries[0].key()));
    let Some(Command::LoadPastVersion { key, .. }) = commands.first() else { panic!("{commands:?}") };
    desk.done(*key, Ok(Outcome::Versions(vec![journal.twin(&timeline.entries[0]).map(Arc::new)])));
    assert_eq!(tab(&desk, &id).side_name(1), format!("{id} discarded draft of 01:01:01"));
    assert_eq!(paths(&desk, &id), ["mode"]);
    let taken: Value = {
        let all = differences(&desk, &id);
        compare(&mut desk, &id, CompareAct::Take(all));
        draft(&desk, &id)
    };
    assert_eq!(taken["mode"], "eco");
}
