//! The foreground half: intentions become commands, facts become state, and nothing typed is ever lost.

mod back;
mod compare;
mod compare_fresh;
mod compare_from;
mod conflict;
mod discard;
mod edit;
mod events;
mod faults;
mod finding;
mod fleet;
mod history;
mod hubs;
mod lives;
mod messages;
mod methods;
mod notices;
mod places;
mod reading;
mod replace;
mod settings;
mod truth;
mod truth_more;
mod under_way;

use serde_json::{Value, json};
use std::sync::Arc;
use twinscope::app::{Action, App, HubState, Moment};
use twinscope::twin::{Twin, TwinId, wire};
use twinscope::worker::event::{HubInfo, Outcome};
use twinscope::worker::{Command, Event, Fact, Failure, HubRef, Key};

/// An app with the clock in the test's hand.
struct Desk {
    app: App,
    now: Moment,
}

impl Desk {
    /// On the open local hub, with the first listing asked for.
    fn open() -> Self {
        let mut desk = Self { app: App::new(), now: Moment { ms: 0, unix_s: 1_790_000_000 } };
        let info = HubInfo {
            hub: HubRef::Local,
            name: "Local hub".to_owned(),
            host: "localhost:8443".to_owned(),
            policy: "iothubowner".to_owned(),
            api_version: "2021-04-12",
        };
        let commands = desk.done(Key(0), Ok(Outcome::Connected(info)));
        assert!(commands.iter().any(|command| matches!(command, Command::LoadFleet { .. })));
        assert!(matches!(desk.app.hub, HubState::Open(_)));
        desk
    }

    fn act(&mut self, action: Action) -> Vec<Command> {
        self.app.update(self.now, action)
    }

    fn done(&mut self, key: Key, outcome: Result<Outcome, Failure>) -> Vec<Command> {
        self.app.apply(self.now, Event::Done { key, outcome })
    }

    fn fact(&mut self, fact: Fact) -> Vec<Command> {
        self.app.apply(self.now, Event::Fact(fact))
    }

    fn later(&mut self, ms: u64) {
        self.now.ms += ms;
        self.now.unix_s += ms / 1000;
    }

    /// Opens a twin and answers its load.
    fn with_twin(twin: Value) -> (Self, TwinId) {
        let mut desk = Self::open();
        let twin = parse(twin);
        let id = twin.id.clone();
        let commands = desk.act(Action::OpenTwin(id.clone()));
        let key = load_key(&commands);
        desk.done(key, Ok(Outcome::Twin(twin)));
        (desk, id)
    }

    fn text(&self, id: &TwinId) -> &str {
        &self.app.tab(id).unwrap().draft.as_ref().unwrap().desired.text
    }
}

fn load_key(commands: &[Command]) -> Key {
    commands
        .iter()
        .find_map(|command| match command {
            Command::LoadTwin { key, .. } => Some(*key),
            _ => None,
        })
        .expect("a twin is loaded")
}

fn parse(twin: Value) -> Arc<Twin> {
    Arc::new(wire::from_json(twin).unwrap())
}

/// A module twin with these counters and sections.
fn twin(etag: &str, version: u64, desired: Value, reported: Value) -> Value {
    let mut desired = desired;
    desired["$version"] = json!(version);
    let mut reported = reported;
    reported["$version"] = json!(1);
    json!({
        "deviceId": "myFirstDevice", "moduleId": "myFirstModule", "etag": etag, "deviceEtag": "MQ==",
        "status": "enabled", "connectionState": "Disconnected", "lastActivityTime": "0001-01-01T00:00:00Z",
        "cloudToDeviceMessageCount": 0, "authenticationType": "sas", "version": version,
        "tags": {"site": "A"},
        "properties": {"desired": desired, "reported": reported}
    })
}
