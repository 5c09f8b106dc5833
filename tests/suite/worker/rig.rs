//! A worker with a folder of its own, and whatever it told so far.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use twinscope::client::{HubClient, Trust};
use twinscope::disk::KeyringChoice;
use twinscope::local_hub::{Exposure, FleetChoice, HubOptions, LocalHub, Tuning};
use twinscope::protocol::connection_string::ConnectionString;
use twinscope::twin::{Etag, JsonMap, Section, Twin, TwinId};
use twinscope::worker::command::Guard;
use twinscope::worker::event::{HubInfo, Outcome, Source};
use twinscope::worker::{Command, Event, Fact, Failure, Key, Wake, Worker, WorkerOptions};

/// No event takes longer, on a machine with many tests at once.
pub const LIMIT: Duration = Duration::from_mins(1);

pub struct Rig {
    pub worker: Option<Worker>,
    pub dir: TempDir,
    next: u64,
    /// Told, and not yet asked for.
    told: Vec<Event>,
}

/// Options for a worker that touches nothing but its folder.
pub fn options(dir: &Path) -> WorkerOptions {
    WorkerOptions {
        data: Some(dir.to_path_buf()),
        fleet: Some(FleetChoice::Empty),
        keyring: KeyringChoice::SessionOnly,
        ..WorkerOptions::default()
    }
}

impl Rig {
    pub fn start() -> Self {
        Self::start_with(tempfile::tempdir().unwrap(), |_| {})
    }

    pub fn start_with(dir: TempDir, change: impl FnOnce(&mut WorkerOptions)) -> Self {
        Self::start_waking(dir, Arc::new(|| {}), change)
    }

    pub fn start_waking(dir: TempDir, wake: Wake, change: impl FnOnce(&mut WorkerOptions)) -> Self {
        let mut options = options(dir.path());
        change(&mut options);
        let worker = Worker::start(options, wake);
        Self { worker: Some(worker), dir, next: 1, told: Vec::new() }
    }

    /// A worker whose first hub is one of the test's own.
    pub fn start_on(hub: &OwnHub) -> Self {
        Self::start_at(hub, &hub.connection())
    }

    pub fn start_at(hub: &OwnHub, connection: &ConnectionString) -> Self {
        let mut rig = Self::start_with(tempfile::tempdir().unwrap(), |options| {
            options.connection_string = Some(connection.reveal());
            options.extra_ca = vec![hub.ca_file()];
        });
        rig.connected();
        rig
    }

    /// Waits until the first hub is open.
    pub fn connected(&mut self) -> HubInfo {
        match self.done(Key(0)) {
            Ok(Outcome::Connected(info)) => info,
            other => panic!("not connected: {other:?}"),
        }
    }

    pub fn key(&mut self) -> Key {
        self.next += 1;
        Key(self.next)
    }

    pub fn send(&mut self, command: Command) {
        self.worker.as_ref().unwrap().send(command);
    }

    /// Sends a request and waits for its end.
    pub fn ask(&mut self, command: impl FnOnce(Key) -> Command) -> Result<Outcome, Failure> {
        let key = self.key();
        self.send(command(key));
        self.done(key)
    }

    pub fn done(&mut self, wanted: Key) -> Result<Outcome, Failure> {
        self.wait(&format!("the end of {wanted:?}"), |event| match event {
            Event::Done { key, outcome } if *key == wanted => Some(outcome.clone()),
            _ => None,
        })
    }

    /// The first fact, told already or yet to come, that `pick` takes; it is not told again.
    pub fn fact<T>(&mut self, what: &str, pick: impl Fn(&Fact) -> Option<T>) -> T {
        self.wait(what, |event| match event {
            Event::Fact(fact) => pick(fact),
            Event::Done { .. } => None,
        })
    }

    fn wait<T>(&mut self, what: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
        if let Some((at, found)) = self.told.iter().enumerate().find_map(|(at, event)| Some((at, pick(event)?))) {
            self.told.remove(at);
            return found;
        }
        let end = Instant::now() + LIMIT;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Some(event) = self.worker.as_mut().unwrap().next_within(left) else {
                panic!("waited in vain for {what}; told: {:#?}", self.told);
            };
            match pick(&event) {
                Some(found) => return found,
                None => self.told.push(event),
            }
        }
    }

    /// Everything told and not asked for; waits for nothing.
    pub fn rest(&mut self) -> Vec<Event> {
        while let Some(event) = self.worker.as_mut().unwrap().try_next() {
            self.told.push(event);
        }
        std::mem::take(&mut self.told)
    }

    pub fn load(&mut self, id: &TwinId) -> Arc<Twin> {
        match self.ask(|key| Command::LoadTwin { key, id: id.clone() }) {
            Ok(Outcome::Twin(twin)) => twin,
            other => panic!("{id} not loaded: {other:?}"),
        }
    }

    pub fn patch(&mut self, id: &TwinId, body: JsonMap, etag: &Etag) -> Result<Outcome, Failure> {
        let guard = Guard::Etag(etag.clone());
        self.ask(|key| Command::PatchTwin { key, id: id.clone(), body, guard, over: None })
    }

    /// Waits for a version that the watch saw and `wanted` takes.
    pub fn seen(&mut self, id: &TwinId, wanted: impl Fn(&Twin) -> bool) -> Arc<Twin> {
        self.fact("a watched twin", |fact| match fact {
            Fact::TwinSeen { twin, source: Source::Watch } if twin.id == *id && wanted(twin) => Some(twin.clone()),
            _ => None,
        })
    }

    pub fn create(&mut self, id: &TwinId) {
        match self.ask(|key| Command::CreateIdentity { key, id: id.clone() }) {
            Ok(Outcome::Created { existed: false, .. }) => {}
            other => panic!("{id} not created: {other:?}"),
        }
    }

    /// Stops the worker and hands its folder back.
    pub fn stop(mut self) -> TempDir {
        self.worker.take().unwrap().stop();
        self.dir
    }
}

/// A hub of the test's own, kept on disk so that it can come back with the same keys at the same port.
pub struct OwnHub {
    pub runtime: tokio::runtime::Runtime,
    dir: TempDir,
    hub: Option<LocalHub>,
    https: std::net::SocketAddr,
    connection: ConnectionString,
    ca_file: PathBuf,
}

impl OwnHub {
    pub fn start(fleet: FleetChoice) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let hub =
            runtime.block_on(LocalHub::start(hub_options(dir.path(), ([127, 0, 0, 1], 0).into(), fleet))).unwrap();
        let (https, connection, ca_file) = (hub.https(), hub.connection_string(), hub.ca_file().to_path_buf());
        Self { runtime, dir, hub: Some(hub), https, connection, ca_file }
    }

    pub fn connection(&self) -> ConnectionString {
        self.connection.clone()
    }

    /// The same rights, but another port: through a forwarder.
    pub fn connection_at(&self, port: u16) -> ConnectionString {
        ConnectionString { host_name: format!("localhost:{port}"), ..self.connection() }
    }

    /// The string of one of the hub's other policies.
    pub fn connection_as(&self, policy: &str) -> ConnectionString {
        use twinscope::protocol::connection_string::{Proof, Who};
        let key = self.hub.as_ref().unwrap().hub().policies().by_name(policy).unwrap().primary.clone();
        let who = Who::Service { policy: policy.to_owned(), proof: Proof::Key(key) };
        ConnectionString { who, ..self.connection() }
    }

    pub fn ca_file(&self) -> PathBuf {
        self.ca_file.clone()
    }

    pub fn mqtts(&self) -> std::net::SocketAddr {
        self.hub.as_ref().unwrap().mqtts()
    }

    pub fn port(&self) -> u16 {
        self.https.port()
    }

    /// A client beside the worker's.
    pub fn client(&self) -> HubClient {
        client(&self.connection(), &self.ca_file())
    }

    /// As the device itself would.
    pub fn report(&self, id: &TwinId, patch: serde_json::Value) {
        let hub = self.hub.as_ref().unwrap().hub();
        self.runtime.block_on(hub.report(id, patch.to_string().as_bytes(), None)).unwrap();
    }

    pub fn stop(&mut self) {
        self.runtime.block_on(self.hub.take().unwrap().stop());
    }

    /// Again at the same port.
    pub fn start_again(&mut self) {
        let options = hub_options(self.dir.path(), self.https, FleetChoice::Empty);
        self.hub = Some(self.runtime.block_on(LocalHub::start(options)).unwrap());
    }
}

fn hub_options(dir: &Path, https: std::net::SocketAddr, fleet: FleetChoice) -> HubOptions {
    HubOptions {
        https,
        mqtts: ([127, 0, 0, 1], 0).into(),
        data: Some(dir.join("hub")),
        ca_dir: dir.join("ca"),
        fleet,
        exposure: Exposure::LoopbackOnly,
        names: Vec::new(),
        tuning: Tuning::default(),
    }
}

pub fn client(connection: &ConnectionString, ca_file: &Path) -> HubClient {
    let trust = Trust::new(&[ca_file.to_path_buf()]).unwrap();
    HubClient::new(connection, &trust, Arc::new(|_| {})).unwrap()
}

/// `{"properties":{"desired":…}}`.
pub fn desired(values: serde_json::Value) -> JsonMap {
    let properties = JsonMap::from_iter([("desired".to_owned(), values)]);
    JsonMap::from_iter([("properties".to_owned(), properties.into())])
}

pub fn object(value: serde_json::Value) -> JsonMap {
    match value {
        serde_json::Value::Object(map) => map,
        other => panic!("not an object: {other}"),
    }
}

pub fn number(twin: &Twin, section: Section, key: &str) -> Option<i64> {
    twin.section(section).get(key).and_then(serde_json::Value::as_i64)
}
