//! The fleet list: pages, filter, modules, find by id.

use super::Desk;
use twinscope::app::fleet::Row;
use twinscope::app::{Action, HubState};
use twinscope::client::HubError;
use twinscope::twin::{ConnectionState, Status, TwinId};
use twinscope::worker::event::{DeviceRow, ModuleRow, Outcome};
use twinscope::worker::{Command, Fact, Failure, HubRef, Key};

fn row(id: &str) -> DeviceRow {
    DeviceRow {
        id: id.to_owned(),
        status: Status::Enabled,
        connection_state: ConnectionState::Disconnected,
        modules: None,
        iot_edge: false,
    }
}

fn shown(desk: &Desk) -> Vec<String> {
    let fleet = &desk.app.fleet;
    fleet
        .visible
        .iter()
        .map(|row| match row {
            Row::Device(n) => fleet.devices[*n].id.clone(),
            Row::Module(n, m) => fleet.modules_of(&fleet.devices[*n].id).unwrap()[*m].id.to_string(),
            Row::Note(n) => format!("{} …", fleet.devices[*n].id),
        })
        .collect()
}

fn listing(desk: &mut Desk) -> Key {
    let commands = desk.act(Action::RefreshFleet);
    commands
        .iter()
        .find_map(|command| match command {
            Command::LoadFleet { key } => Some(*key),
            _ => None,
        })
        .unwrap()
}

fn list(desk: &mut Desk, pages: &[&[&str]]) {
    let key = listing(desk);
    let mut devices = 0;
    for page in pages {
        devices += page.len();
        desk.fact(Fact::FleetPage { key, rows: page.iter().map(|id| row(id)).collect() });
    }
    desk.done(key, Ok(Outcome::FleetDone { devices, complete: true }));
}

#[test]
fn pages_in_any_order_end_up_sorted_and_a_refresh_never_blanks() {
    let mut desk = Desk::open();
    list(&mut desk, &[&["b", "d"], &["c", "a"], &["a"]]);
    assert_eq!(shown(&desk), ["a", "b", "c", "d"]);

    let key = listing(&mut desk);
    desk.fact(Fact::FleetPage { key, rows: vec![row("x")] });
    assert_eq!(shown(&desk), ["a", "b", "c", "d"], "the old list stays until the new one is whole");
    desk.done(key, Ok(Outcome::FleetDone { devices: 1, complete: true }));
    assert_eq!(shown(&desk), ["x"]);

    let key = listing(&mut desk);
    let failure = Failure::Hub(HubError::Unreachable { host: "h".to_owned(), reason: "gone".to_owned() });
    desk.done(key, Err(failure));
    assert_eq!(shown(&desk), ["x"], "a failed refresh keeps the last good list");
    assert!(desk.app.fleet.failure().is_some());
}

#[test]
fn the_filter_takes_words_in_any_case_and_shows_modules_that_fit() {
    let mut desk = Desk::open();
    list(&mut desk, &[&["Thermostat-01", "pump-02", "thermostat-02"]]);
    for (filter, expected) in [
        ("THERMO", vec!["Thermostat-01", "thermostat-02"]),
        ("02 thermo", vec!["thermostat-02"]),
        ("  ", vec!["Thermostat-01", "pump-02", "thermostat-02"]),
        ("nothing", vec![]),
    ] {
        desk.act(Action::Filter(filter.to_owned()));
        assert_eq!(shown(&desk), expected, "{filter:?}");
    }
    desk.act(Action::Filter(String::new()));
    let commands = desk.act(Action::Expand { device: "pump-02".to_owned(), open: true });
    let Some(Command::LoadModules { key, .. }) = commands.first() else { panic!("{commands:?}") };
    assert_eq!(shown(&desk), ["Thermostat-01", "pump-02", "pump-02 …", "thermostat-02"]);
    let modules =
        vec![ModuleRow { id: TwinId::module("pump-02", "valve"), connection_state: ConnectionState::Connected }];
    desk.done(*key, Ok(Outcome::Modules { device: "pump-02".to_owned(), modules }));
    assert_eq!(shown(&desk), ["Thermostat-01", "pump-02", "pump-02/valve", "thermostat-02"]);
    desk.act(Action::Filter("valve".to_owned()));
    assert_eq!(shown(&desk), ["pump-02", "pump-02/valve"]);
}

#[test]
fn going_to_an_id_is_fuzzy_and_recent_first() {
    let mut desk = Desk::open();
    list(&mut desk, &[&["alpha", "beta", "thermostat-01", "thermostat-11"]]);
    desk.act(Action::OpenTwin(TwinId::device("thermostat-11")));
    let hits = desk.app.fleet.go_to("thst1", &desk.app.recent, 10);
    assert_eq!(hits.len(), 2);
    assert_eq!(desk.app.fleet.go_to("", &desk.app.recent, 2)[0], TwinId::device("thermostat-11"));
    assert!(desk.app.fleet.go_to("zzz", &desk.app.recent, 10).is_empty());
    // A module nobody has listed yet, typed in full.
    assert_eq!(
        desk.app.fleet.go_to("thermostat-11/cam", &desk.app.recent, 10),
        [TwinId::module("thermostat-11", "cam")]
    );
    assert!(desk.app.fleet.go_to("nowhere/cam", &desk.app.recent, 10).is_empty());
}

#[test]
fn a_query_that_cannot_be_understood_is_not_sent() {
    let mut desk = Desk::open();
    assert!(desk.act(Action::RunQuery("SELECT * FORM devices".to_owned())).is_empty());
    assert_eq!(desk.app.fleet.query.problem.as_ref().unwrap().span, 9..13);
    assert_eq!(desk.act(Action::RunQuery("SELECT * FROM devices".to_owned())).len(), 1);
    assert!(desk.app.fleet.query.problem.is_none());
}

#[test]
fn another_hub_is_asked_whatever_this_program_understands() {
    let mut desk = Desk::open();
    let HubState::Open(info) = &mut desk.app.hub else { panic!("no hub") };
    info.hub = HubRef::Environment;
    for text in ["SELECT * FORM devices", "SELECT * FROM devices WHERE NEW_FUNCTION(x)", "SELECT newField FROM devices"]
    {
        assert_eq!(desk.act(Action::RunQuery(text.to_owned())).len(), 1, "{text}");
        assert!(desk.app.fleet.query.problem.is_none() && desk.app.fleet.query.doubt.is_some(), "{text}");
    }
    desk.act(Action::RunQuery("\u{feff}SELECT * FROM devices;".to_owned()));
    assert_eq!(desk.app.fleet.query.text, "SELECT * FROM devices");
    assert!(desk.app.fleet.query.doubt.is_none());
}
