//! The plug is pulled again and again, in the middle of random writes: every acknowledged write is there afterwards, whole.

use super::command::{Running, start};
use crate::support::{Caller, PATIENCE};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tempfile::TempDir;

const ROUNDS: u64 = 5;
const WRITERS: usize = 6;

/// What one writer knows of its device.
#[derive(Debug, Clone, Default)]
struct Known {
    /// The last state that was acknowledged; `None` when the device is not there.
    acknowledged: Option<Twin>,
    /// What the write that was never answered would have made of it.
    #[allow(clippy::option_option)] // Outside: whether there is such a write. Inside: whether it leaves a device.
    unanswered: Option<Option<Twin>>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Twin {
    version: u64,
    desired: BTreeMap<String, Value>,
    tags: BTreeMap<String, Value>,
}

impl Twin {
    fn read(twin: &Value) -> Self {
        let plain = |value: &Value| {
            let map = value.as_object().cloned().unwrap_or_default();
            map.into_iter().filter(|(key, _)| !key.starts_with('$')).collect()
        };
        Self {
            version: twin["version"].as_u64().unwrap(),
            desired: plain(&twin["properties"]["desired"]),
            tags: plain(&twin["tags"]),
        }
    }
}

/// Writes until the connection ends.
async fn write_on(mut caller: Caller, device: String, known: &mut Known, mut random: fastrand::Rng) -> usize {
    let mut written = 0;
    loop {
        let mut next = known.acknowledged.clone();
        let reply = match &mut next {
            None => {
                next = Some(Twin { version: 2, ..Twin::default() });
                let body = json!({"deviceId": device});
                known.unanswered = Some(next.clone());
                caller.try_call("PUT", &format!("/devices/{device}"), &[], Some(&body)).await
            }
            Some(_) if random.u32(0..20) == 0 => {
                next = None;
                known.unanswered = Some(None);
                caller.try_call("DELETE", &format!("/devices/{device}"), &[("If-Match", "*")], None).await
            }
            Some(twin) => {
                let (key, value) = (format!("k{}", random.u32(0..30)), json!("v".repeat(random.usize(0..2000))));
                let body = if random.bool() {
                    twin.tags.clear();
                    twin.tags.insert(key.clone(), json!(1));
                    twin.desired = BTreeMap::from([(key.clone(), value.clone())]);
                    ("PUT", json!({"tags": {&key: 1}, "properties": {"desired": {&key: value}}}))
                } else {
                    twin.desired.insert(key.clone(), value.clone());
                    ("PATCH", json!({"properties": {"desired": {&key: value}}}))
                };
                twin.version += 1;
                known.unanswered = Some(next.clone());
                caller.try_call(body.0, &format!("/twins/{device}"), &[], Some(&body.1)).await
            }
        };
        let Some(reply) = reply else { return written };
        // A refusal cannot happen: each writer has its device for itself and stays below every limit.
        assert!(matches!(reply.status, 200 | 204), "{}", reply.text());
        known.acknowledged = next;
        known.unanswered = None;
        written += 1;
    }
}

/// Compares the hub with what is known, and takes over what it has.
async fn check(running: &Running, known: &mut BTreeMap<String, Known>) {
    let mut owner = running.owner().await;
    for (device, known) in known {
        let reply = owner.get(&format!("/twins/{device}")).await;
        let found = (reply.status == 200).then(|| Twin::read(&reply.json()));
        let unanswered = known.unanswered.take();
        assert!(
            found == known.acknowledged || Some(&found) == unanswered.as_ref(),
            "{device}: found {found:?}, acknowledged {:?}, unanswered {unanswered:?}",
            known.acknowledged
        );
        known.acknowledged = found;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_write_survives_the_plug() {
    let dir = TempDir::new().unwrap();
    let mut known: BTreeMap<String, Known> = (0..WRITERS).map(|n| (format!("d{n}"), Known::default())).collect();
    let mut written = 0;
    for round in 0..ROUNDS {
        let mut running = start(dir.path(), &["--fleet", "3"]);
        check(&running, &mut known).await;
        let mut writers = Vec::new();
        for (n, (device, mut known)) in std::mem::take(&mut known).into_iter().enumerate() {
            let caller = running.owner().await;
            let random = fastrand::Rng::with_seed(round * 100 + n as u64);
            writers.push(tokio::spawn(async move {
                let count = write_on(caller, device.clone(), &mut known, random).await;
                (device, known, count)
            }));
        }
        // Not to wait for anything: the moment of the kill is what varies.
        tokio::time::sleep(Duration::from_millis(150 + 130 * round)).await;
        running.child.kill().unwrap();
        running.child.wait().unwrap();
        for writer in writers {
            let (device, state, count) = tokio::time::timeout(PATIENCE, writer).await.unwrap().unwrap();
            known.insert(device, state);
            written += count;
        }
    }
    let running = start(dir.path(), &[]);
    check(&running, &mut known).await;
    assert!(written > WRITERS * 5, "only {written} writes were acknowledged: the test shows little");
}
