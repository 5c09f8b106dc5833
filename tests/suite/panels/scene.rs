//! A window's state built by the same events the background half sends.

use std::sync::Arc;
use twinscope::app::{Action, App, Moment};
use twinscope::twin::{ConnectionState, Status, Twin, TwinId, wire};
use twinscope::ui::{self, View};
use twinscope::worker::event::{DeviceRow, HubEntry, HubInfo, ModuleRow, Outcome, SecretStore};
use twinscope::worker::{Command, Event, Fact, Failure, HubRef, Key};

/// App and view together, and what the person meant so far.
pub struct Scene {
    pub app: App,
    pub view: View,
    pub actions: Vec<Action>,
    pub commands: Vec<Command>,
    pub now: Moment,
}

impl Scene {
    /// A window whose hub is not up yet.
    pub fn starting() -> Self {
        let now = Moment { ms: 10_000, unix_s: 1_800_000_000 };
        let mut app = App::new();
        app.now = now;
        Self { app, view: View::default(), actions: Vec::new(), commands: Vec::new(), now }
    }

    /// The local hub is open and lists these devices.
    pub fn with_devices(rows: Vec<DeviceRow>) -> Self {
        let mut scene = Self::starting();
        let entry = |hub, name: &str, host: &str| HubEntry {
            hub,
            name: name.to_owned(),
            host: host.to_owned(),
            policy: "iothubowner".to_owned(),
            has_secret: true,
        };
        scene.tell(Fact::Hubs {
            hubs: vec![
                entry(HubRef::Local, "Local hub", "localhost:8443"),
                entry(HubRef::Saved("plant".to_owned()), "Plant north", "plant-north.azure-devices.net"),
            ],
            secrets: SecretStore::SessionOnly { why: "there is no keyring on this machine".to_owned() },
        });
        scene.answer(
            Key(0),
            Outcome::Connected(HubInfo {
                hub: HubRef::Local,
                name: "Local hub".to_owned(),
                host: "localhost:8443".to_owned(),
                policy: "iothubowner".to_owned(),
                api_version: "2021-04-12",
            }),
        );
        let key = scene.key(|command| match command {
            Command::LoadFleet { key } => Some(*key),
            _ => None,
        });
        let devices = rows.len();
        scene.tell(Fact::FleetPage { key, rows });
        scene.answer(key, Outcome::FleetDone { devices, complete: true });
        scene
    }

    /// A small fleet with every state a row can have; nothing is open.
    pub fn fleet() -> Self {
        let device = |id: &str, connection_state, status, modules| DeviceRow {
            id: id.to_owned(),
            status,
            connection_state,
            modules,
            iot_edge: false,
        };
        let (on, off) = (ConnectionState::Connected, ConnectionState::Disconnected);
        let mut rows = vec![
            device("myFirstDevice", on, Status::Enabled, Some(1)),
            device("pump-07", off, Status::Disabled, Some(0)),
        ];
        for n in 1..=12 {
            let state = if n % 3 == 0 { off } else { on };
            rows.push(device(&format!("thermostat-{n:02}"), state, Status::Enabled, Some(n % 4)));
        }
        Self::with_devices(rows)
    }

    /// The fleet, and the tutorials' module open in a tab.
    pub fn twin() -> Self {
        let mut scene = Self::fleet();
        scene.act(Action::Expand { device: "myFirstDevice".to_owned(), open: true });
        let key = scene.key(|command| match command {
            Command::LoadModules { key, .. } => Some(*key),
            _ => None,
        });
        scene.answer(
            key,
            Outcome::Modules {
                device: "myFirstDevice".to_owned(),
                modules: vec![ModuleRow { id: module(), connection_state: ConnectionState::Connected }],
            },
        );
        scene.open(&module(), &twin_json(&module(), 60, 3));
        scene
    }

    /// Opens a twin and lets the hub answer.
    pub fn open(&mut self, id: &TwinId, body: &str) {
        self.act(Action::OpenTwin(id.clone()));
        let key = self.load_key();
        self.answer(key, Outcome::Twin(parsed(body)));
    }

    pub fn load_key(&self) -> Key {
        self.key(|command| match command {
            Command::LoadTwin { key, .. } => Some(*key),
            _ => None,
        })
    }

    pub fn key(&self, of: impl Fn(&Command) -> Option<Key>) -> Key {
        self.commands.iter().rev().find_map(of).expect("the command was sent")
    }

    pub fn tell(&mut self, fact: Fact) {
        let commands = self.app.apply(self.now, Event::Fact(fact));
        self.commands.extend(commands);
    }

    pub fn answer(&mut self, key: Key, outcome: Outcome) {
        let commands = self.app.apply(self.now, Event::Done { key, outcome: Ok(outcome) });
        self.commands.extend(commands);
    }

    pub fn fail(&mut self, key: Key, failure: Failure) {
        let commands = self.app.apply(self.now, Event::Done { key, outcome: Err(failure) });
        self.commands.extend(commands);
    }

    pub fn act(&mut self, action: Action) {
        let commands = self.app.update(self.now, action);
        self.commands.extend(commands);
    }

    /// One frame, as the native window runs it.
    pub fn frame(&mut self, ui: &mut egui::Ui) {
        let actions = ui::show(&self.app, &mut self.view, ui);
        if !actions.is_empty() {
            ui.ctx().request_repaint();
        }
        for action in actions {
            self.actions.push(action.clone());
            self.act(action);
        }
    }
}

pub fn module() -> TwinId {
    TwinId::module("myFirstDevice", "myFirstModule")
}

pub fn parsed(body: &str) -> Arc<Twin> {
    Arc::new(wire::parse(body.as_bytes()).expect("a twin"))
}

/// A twin as the service answers it.
pub fn twin_json(id: &TwinId, interval: u32, version: u64) -> String {
    let module = id.module.as_ref().map(|m| format!(r#""moduleId":"{m}","#)).unwrap_or_default();
    format!(
        r#"{{"deviceId":"{}",{module}"etag":"AAAAAAAAAA{version}=","deviceEtag":"NTQ5","status":"enabled","connectionState":"Connected",
"lastActivityTime":"2026-01-01T12:00:00.0000000Z","cloudToDeviceMessageCount":0,"authenticationType":"sas","version":{version},
"tags":{{"site":"north","line":4}},
"properties":{{"desired":{{"telemetryInterval":{interval},"mode":"auto","limits":{{"low":2.50,"high":80}},"$metadata":{{"$lastUpdated":"2026-01-01T12:00:00Z"}},"$version":{version}}},
"reported":{{"telemetryInterval":60,"firmware":"1.4.2","$metadata":{{"$lastUpdated":"2026-01-01T12:00:00Z"}},"$version":2}}}}}}"#,
        id.device
    )
}
