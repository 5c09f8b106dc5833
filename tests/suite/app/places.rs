//! The tab in front, its section and what is unfolded come back at the next start, hub by hub.

use super::Desk;
use std::collections::BTreeMap;
use twinscope::app::tab::Pane;
use twinscope::app::tree::Face;
use twinscope::app::{Action, App, Moment};
use twinscope::disk::{Places, Settings};
use twinscope::twin::TwinId;
use twinscope::worker::event::{HubInfo, Outcome};
use twinscope::worker::{Command, Event, Fact, HubRef, Key};

fn ids() -> [TwinId; 3] {
    [TwinId::device("a"), TwinId::module("a", "m"), TwinId::device("b")]
}

fn kept(desk: &mut Desk) -> Settings {
    let commands = desk.app.tick(desk.now).commands;
    let settings = commands.into_iter().rev().find_map(|command| match command {
        Command::SaveSettings { settings } => Some(settings),
        _ => None,
    });
    settings.unwrap_or_else(|| desk.app.settings.clone())
}

/// The next start with these settings.
fn started(settings: Settings) -> (App, Vec<Command>) {
    let mut app = App::new();
    let now = Moment { ms: 0, unix_s: 1_790_000_000 };
    let mut commands = app.apply(now, Event::Fact(Fact::Settings(settings)));
    let info = HubInfo {
        hub: HubRef::Local,
        name: "Local hub".to_owned(),
        host: "localhost:8443".to_owned(),
        policy: "iothubowner".to_owned(),
        api_version: "2021-04-12",
    };
    commands.extend(app.apply(now, Event::Done { key: Key(0), outcome: Ok(Outcome::Connected(info)) }));
    (app, commands)
}

#[test]
fn the_next_start_shows_what_this_one_showed_last() {
    let mut desk = Desk::open();
    for id in ids() {
        desk.act(Action::OpenTwin(id));
    }
    let [a, module, _] = ids();
    desk.act(Action::ShowPane(a.clone(), Pane::Tags));
    desk.act(Action::ShowFace(a.clone(), Face::Tree));
    desk.act(Action::ShowPane(module.clone(), Pane::History));
    desk.act(Action::SelectTab(1));
    desk.act(Action::Expand { device: "a".to_owned(), open: true });
    let settings = kept(&mut desk);
    let now = desk.now;
    assert!(
        !desk.app.tick(now).commands.iter().any(|command| matches!(command, Command::SaveSettings { .. })),
        "kept once"
    );

    let (app, commands) = started(settings);
    assert_eq!(app.active_tab().map(|tab| &tab.id), Some(&module));
    let pane = |id: &TwinId| app.tab(id).map(|tab| (tab.pane, tab.face));
    assert_eq!(pane(&a), Some((Pane::Tags, Face::Tree)));
    assert_eq!(pane(&module), Some((Pane::History, Face::Text)));
    assert!(app.fleet.expanded.contains("a"));
    assert!(commands.iter().any(|command| matches!(command, Command::LoadModules { device, .. } if device == "a")));
}

#[test]
fn places_that_are_none_are_passed_over() {
    let sections = [("a", "nonsense"), ("nowhere", "tags"), ("b", " tree"), ("a/m", "tags")];
    let places = Places {
        active: Some("gone".to_owned()),
        sections: sections.map(|(id, section)| (id.to_owned(), section.to_owned())).into(),
        unfolded: (0..1_000).map(|n| format!("d{n}")).chain(["no device".to_owned()]).collect(),
    };
    let tabs = ids().map(|id| id.to_string()).to_vec();
    let settings = Settings {
        open_tabs: BTreeMap::from([("local".to_owned(), tabs)]),
        places: BTreeMap::from([("local".to_owned(), places)]),
        ..Settings::default()
    };
    let (app, commands) = started(settings);
    assert_eq!(app.tabs.len(), 3);
    assert!(app.active_tab().is_some());
    assert_eq!(app.tab(&TwinId::module("a", "m")).unwrap().pane, Pane::Tags);
    let asked = commands.iter().filter(|command| matches!(command, Command::LoadModules { .. })).count();
    assert!(asked <= 50, "{asked} requests at the start");
}
