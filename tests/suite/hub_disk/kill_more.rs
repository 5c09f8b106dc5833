//! The plug is pulled in the middle of reports over MQTT, of modules that come and go, and of keys that are rolled.

use super::command::{Running, start};
use crate::client::local::{brisk, identity_connection, map, view};
use crate::support::{Caller, PATIENCE};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;
use twinscope::client::link::{Dial, Reconnect};
use twinscope::client::{DeviceLink, HubError, LinkEvent, Trust};
use twinscope::protocol::secret::Secret;
use twinscope::twin::TwinId;

const ROUNDS: u64 = 4;

/// What a writer knows of its device, in the words of `reported` and `registered`.
struct Known {
    acknowledged: Value,
    /// What the write that was never answered would have made of it.
    unanswered: Option<Value>,
    written: usize,
}

impl Known {
    fn new(state: Value) -> Self {
        Self { acknowledged: state, unanswered: None, written: 0 }
    }

    /// Compares with what the hub has after a restart, and takes that over.
    fn check(&mut self, found: Value) {
        let unanswered = self.unanswered.take();
        assert!(
            found == self.acknowledged || Some(&found) == unanswered.as_ref(),
            "found {found}, acknowledged {}, unanswered {unanswered:?}",
            self.acknowledged
        );
        self.acknowledged = found;
    }

    fn done(&mut self) {
        if let Some(state) = self.unanswered.take() {
            self.acknowledged = state;
            self.written += 1;
        }
    }
}

/// What the device `reports` reported.
async fn reported(owner: &mut Caller) -> Value {
    let mut values = owner.get("/twins/reports").await.ok()["properties"]["reported"].clone();
    values.as_object_mut().unwrap().retain(|key, _| !key.starts_with('$'));
    values
}

/// Key and modules of the device `changes`.
async fn registered(owner: &mut Caller) -> Value {
    let key = owner.get("/devices/changes").await.ok()["authentication"]["symmetricKey"]["primaryKey"].clone();
    let modules = owner.get("/devices/changes/modules").await.ok();
    let ids = modules.as_array().unwrap().iter().map(|module| (module["moduleId"].as_str().unwrap(), true));
    json!({"key": key, "modules": ids.collect::<std::collections::BTreeMap<_, _>>()})
}

/// Connected as the device `reports`.
async fn link(running: &Running) -> (DeviceLink, mpsc::Receiver<LinkEvent>) {
    let device = running.owner().await.get("/devices/reports").await.ok();
    let key = Secret::new(device["authentication"]["symmetricKey"]["primaryKey"].as_str().unwrap());
    let trust = Trust::new(&[PathBuf::from(running.ready["caFile"].as_str().unwrap())]).unwrap();
    let mqtts: std::net::SocketAddr = running.ready["mqtts"].as_str().unwrap().parse().unwrap();
    let dial = Dial { host: "localhost".to_owned(), port: mqtts.port() };
    let connection = identity_connection(&TwinId::device("reports"), key);
    let (link, mut events) =
        DeviceLink::connect_with(&connection, Some(dial), &trust, Reconnect::UnlessPushedOut, brisk()).unwrap();
    view(&mut events).await;
    (link, events)
}

/// Reports until the connection ends.
async fn report_on(
    (link, _events): (DeviceLink, mpsc::Receiver<LinkEvent>),
    mut known: Known,
    mut random: fastrand::Rng,
) -> Known {
    loop {
        let (key, value) = (format!("k{}", random.u32(0..30)), "v".repeat(random.usize(0..900)));
        let mut next = known.acknowledged.clone();
        next[&key] = json!(value);
        known.unanswered = Some(next);
        if let Err(error) = link.report(&map(json!({key: value}))).await {
            assert!(!matches!(error, HubError::Refused { .. }), "{error:?}");
            return known;
        }
        known.done();
    }
}

/// Makes and removes modules of the device `changes` and rolls its key, until the connection ends.
async fn change_on(mut caller: Caller, mut known: Known, mut random: fastrand::Rng) -> Known {
    loop {
        let mut next = known.acknowledged.clone();
        let module = format!("m{}", random.u32(0..5));
        let path = format!("/devices/changes/modules/{module}");
        let modules = next["modules"].as_object_mut().unwrap();
        let is_there = modules.contains_key(&module);
        let (method, path, headers, body) = if is_there {
            modules.remove(&module);
            ("DELETE", path.as_str(), &[("If-Match", "*")][..], None)
        } else if random.bool() {
            modules.insert(module.clone(), json!(true));
            ("PUT", path.as_str(), &[][..], Some(json!({"deviceId": "changes", "moduleId": module})))
        } else {
            let key = STANDARD.encode([random.u8(..); 32]);
            next["key"] = json!(key);
            let keys = json!({"primaryKey": key, "secondaryKey": key});
            let body = json!({"deviceId": "changes", "authentication": {"type": "sas", "symmetricKey": keys}});
            ("PUT", "/devices/changes", &[("If-Match", "*")][..], Some(body))
        };
        known.unanswered = Some(next);
        let Some(reply) = caller.try_call(method, path, headers, body.as_ref()).await else { return known };
        assert!(matches!(reply.status, 200 | 204), "{}", reply.text());
        known.done();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_modules_and_keys_survive_the_plug() {
    let dir = TempDir::new().unwrap();
    let running = start(dir.path(), &["--fleet", "empty"]);
    let mut owner = running.owner().await;
    owner.device("reports").await;
    owner.device("changes").await;
    let (mut reports, mut changes) = (Known::new(reported(&mut owner).await), Known::new(registered(&mut owner).await));
    drop(running);
    for round in 0..ROUNDS {
        let mut running = start(dir.path(), &[]);
        let mut owner = running.owner().await;
        reports.check(reported(&mut owner).await);
        changes.check(registered(&mut owner).await);
        let random = fastrand::Rng::with_seed;
        let reporting = tokio::spawn(report_on(link(&running).await, reports, random(round)));
        let changing = tokio::spawn(change_on(owner, changes, random(round + 100)));
        // Not to wait for anything: the moment of the kill is what varies.
        tokio::time::sleep(Duration::from_millis(150 + 130 * round)).await;
        running.child.kill().unwrap();
        running.child.wait().unwrap();
        reports = tokio::time::timeout(PATIENCE, reporting).await.unwrap().unwrap();
        changes = tokio::time::timeout(PATIENCE, changing).await.unwrap().unwrap();
    }
    let running = start(dir.path(), &[]);
    let mut owner = running.owner().await;
    reports.check(reported(&mut owner).await);
    changes.check(registered(&mut owner).await);
    assert!(reports.written > 20 && changes.written > 20, "only {} and {}", reports.written, changes.written);
}
