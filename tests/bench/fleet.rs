//! The fleet list: filtering 100,000 ids as one types, finding one by a few letters, taking pages while the list grows.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use twinscope::app::{Action, App, HubState, Moment};
use twinscope::twin::{ConnectionState, Status};
use twinscope::worker::event::{DeviceRow, HubInfo, Outcome};
use twinscope::worker::{Command, Event, Fact, HubRef, Key};

const DEVICES: usize = 100_000;
const PAGE: usize = 1_000;

fn pages() -> Vec<Vec<DeviceRow>> {
    let row = |n: usize| DeviceRow {
        id: format!("device-{n:06}-site-{}", ["oslo", "turin", "kyoto"][n % 3]),
        status: Status::Enabled,
        connection_state: ConnectionState::Connected,
        modules: None,
        iot_edge: false,
    };
    (0..DEVICES / PAGE).map(|page| (page * PAGE..(page + 1) * PAGE).map(row).collect()).collect()
}

fn open() -> (App, Key) {
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

fn listed() -> App {
    let (mut app, key) = open();
    for rows in pages() {
        let commands = app.apply(Moment::default(), Event::Fact(Fact::FleetPage { key, rows }));
        assert!(commands.is_empty());
    }
    assert_eq!(app.fleet.devices.len(), DEVICES);
    app
}

fn fleet(c: &mut Criterion) {
    let mut app = listed();
    for (name, text) in [("one word", "kyoto"), ("two words", "oslo 0999"), ("no match", "zzz")] {
        c.bench_function(&format!("filter 100,000 ids, {name}"), |b| {
            b.iter(|| black_box(app.update(Moment::default(), Action::Filter(text.to_owned()))));
        });
    }
    c.bench_function("go to an id among 100,000", |b| b.iter(|| black_box(app.fleet.go_to("dev42kyo", &[], 20))));
    c.bench_function("take 100 pages of 1,000 devices", |b| {
        b.iter_batched(
            || (open(), pages()),
            |((mut app, key), pages)| {
                for rows in pages {
                    black_box(app.apply(Moment::default(), Event::Fact(Fact::FleetPage { key, rows })));
                }
                app
            },
            BatchSize::LargeInput,
        );
    });
}

criterion_group!(benches, fleet);
criterion_main!(benches);
