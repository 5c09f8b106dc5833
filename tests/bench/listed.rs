//! A hub with 100,000 devices, listed.

use twinscope::app::{App, HubState, Moment};
use twinscope::twin::{ConnectionState, Status};
use twinscope::worker::event::{DeviceRow, HubInfo, Outcome};
use twinscope::worker::{Command, Event, Fact, HubRef, Key};

const DEVICES: usize = 100_000;
const PAGE: usize = 1_000;

pub fn pages() -> Vec<Vec<DeviceRow>> {
    let row = |n: usize| DeviceRow {
        id: format!("device-{n:06}-site-{}", ["oslo", "turin", "kyoto"][n % 3]),
        status: Status::Enabled,
        connection_state: ConnectionState::Connected,
        modules: None,
        iot_edge: false,
    };
    (0..DEVICES / PAGE).map(|page| (page * PAGE..(page + 1) * PAGE).map(row).collect()).collect()
}

pub fn open() -> (App, Key) {
    let mut app = App::new();
    let info = HubInfo {
        hub: HubRef::Local,
        name: "Local hub".to_owned(),
        host: "localhost".to_owned(),
        policy: "iothubowner".to_owned(),
        api_version: "2021-04-12",
    };
    let event = Event::Done { key: Key(0), outcome: Ok(Outcome::Connected(info)) };
    let commands = app.apply(Moment::default(), event);
    assert!(matches!(app.hub, HubState::Open(_)));
    let key = commands.iter().find_map(|command| match command {
        Command::LoadFleet { key } => Some(*key),
        _ => None,
    });
    (app, key.expect("the fleet is listed"))
}

pub fn listed() -> App {
    let (mut app, key) = open();
    for rows in pages() {
        let commands = app.apply(Moment::default(), Event::Fact(Fact::FleetPage { key, rows }));
        assert!(commands.is_empty());
    }
    assert_eq!(app.fleet.devices.len(), DEVICES);
    app
}
