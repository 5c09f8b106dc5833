//! The service's side: makes the fleet, changes desired, reads twins, and judges at the end whether an update was lost.

use super::args::{PATIENCE, Result};
use super::figures::Times;
use super::module::{Module, Pace};
use super::rest::{Door, Rest};
use super::shared::{Shared, key};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use twinscope::twin::TwinId;

/// Kept-alive connections of the writers and readers.
pub const CONNECTIONS: usize = 8;
/// Identities in one request at most.
const BULK: usize = 100;

/// What the connections do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// PATCH of desired.
    Patch,
    /// GET of the twin.
    Get,
}

/// All of them together.
#[derive(Debug, Clone, Copy)]
pub struct Calls {
    pub call: Call,
    pub pace: Pace,
    /// With [`Pace::OnceASecond`]: how many calls a second.
    pub rate: u32,
    pub start: Instant,
    pub until: Instant,
}

fn path(id: &TwinId) -> String {
    format!("/twins/{}/modules/{}", id.device, id.module.as_deref().unwrap_or_default())
}

/// Makes devices and modules.
pub async fn create(door: &Door, shared: &Shared) -> Result<()> {
    let mut rest = Rest::open(door).await?;
    let mut devices: Vec<&str> = shared.ids.iter().map(|id| id.device.as_str()).collect();
    devices.dedup();
    let key = key();
    let keys = json!({"primaryKey": key.reveal(), "secondaryKey": key.reveal()});
    let authentication = json!({"type": "sas", "symmetricKey": keys});
    let devices = devices.iter().map(|device| json!({"id": device, "importMode": "create"}));
    let modules = shared.ids.iter().map(
        |id| json!({"id": id.device, "moduleId": id.module, "importMode": "create", "authentication": authentication}),
    );
    let items: Vec<Value> = devices.chain(modules).collect();
    for items in items.chunks(BULK) {
        let answer = rest.call("POST", "/devices", &serde_json::to_string(items)?).await?;
        if answer["isSuccessful"] != true {
            return Err(format!("the fleet could not be made: {answer}").into());
        }
    }
    Ok(())
}

/// Calls until `calls.until`, each connection its own modules in turn, so that the writes to one module have an order.
/// What goes wrong is a violation: nothing here may fail.
pub async fn call(door: &Door, shared: &Arc<Shared>, calls: Calls) -> Times {
    let mut tasks = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let (door, shared) = (door.clone(), Arc::clone(shared));
        tasks.spawn(async move {
            let mut times = Times::default();
            if let Err(error) = caller(&door, &shared, calls, connection, &mut times).await {
                shared.violation(format!("REST connection {connection}: {error}"));
            }
            times
        });
    }
    let mut times = Times::default();
    for mut some in tasks.join_all().await {
        times.append(&mut some);
    }
    times
}

async fn caller(door: &Door, shared: &Shared, calls: Calls, connection: usize, times: &mut Times) -> Result<()> {
    let mut rest = Rest::open(door).await?;
    let (this, all) = (u32::try_from(connection)?, u32::try_from(CONNECTIONS)?);
    let mine = || (connection..shared.ids.len()).step_by(CONNECTIONS);
    let mut due = calls.start;
    if calls.pace == Pace::OnceASecond {
        due += Duration::from_secs(1) * this / calls.rate;
    }
    for index in mine().cycle() {
        if calls.pace == Pace::OnceASecond {
            sleep_until(due).await;
            due += Duration::from_secs(1) * all / calls.rate;
        }
        if Instant::now() >= calls.until {
            break;
        }
        let sent = Instant::now();
        match calls.call {
            Call::Patch => patch(&mut rest, shared, index).await?,
            Call::Get => {
                rest.call("GET", &path(&shared.ids[index]), "").await?;
            }
        }
        times.add(sent.elapsed());
    }
    Ok(())
}

async fn patch(rest: &mut Rest, shared: &Shared, index: usize) -> Result<()> {
    let set = shared.written[index].load(Relaxed) + 1;
    let body = format!(r#"{{"properties":{{"desired":{{"set":{set},"at":{}}}}}}}"#, shared.now());
    let twin = rest.call("PATCH", &path(&shared.ids[index]), &body).await?;
    shared.written[index].store(set, Relaxed);
    let desired = &twin["properties"]["desired"];
    // The first desired `$version` is 1, and every write adds one.
    if (desired["set"].as_u64(), desired["$version"].as_u64()) != (Some(set), Some(set + 1)) {
        return Err(format!("write {set} to {} was answered by {desired}", shared.ids[index]).into());
    }
    Ok(())
}

/// Reads every twin and holds it against what was acknowledged to its module and to the writers.
pub async fn judge(door: &Door, shared: &Shared, modules: &[Module]) -> Result<()> {
    let mut rest = Rest::open(door).await?;
    for module in modules {
        let id = &shared.ids[module.index];
        let twin = rest.call("GET", &path(id), "").await?;
        let read = |section: &str, key: &str| twin["properties"][section][key].as_u64().unwrap_or(0);
        let written = shared.written[module.index].load(Relaxed);
        let checks = [
            ("reported counter", read("reported", "counter"), module.reported_counter),
            ("reported $version", read("reported", "$version"), module.reported_version),
            ("desired value", read("desired", "set"), written),
            ("desired $version", read("desired", "$version"), written + 1),
            ("desired value received", module.desired_set, written),
            ("desired $version received", module.desired_version, written + 1),
        ];
        for (what, is, acknowledged) in checks {
            if is != acknowledged {
                shared.violation(format!("{id}: {what} is {is}, acknowledged was {acknowledged}"));
            }
        }
    }
    Ok(())
}

/// Times out what must not take for ever.
pub async fn in_time<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE * 4, work).await.map_err(|late| format!("{what} took too long: {late}"))?
}
