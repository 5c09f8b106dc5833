//! Jobs outlive the hub.

use super::{counts, from_now, rows, schedule, until, update};
use crate::support::{Caller, options, token};
use serde_json::json;
use std::path::Path;
use tempfile::TempDir;
use twinscope::local_hub::clock::Moment;
use twinscope::local_hub::commit::Item;
use twinscope::local_hub::jobs::{Filter, Jobs};
use twinscope::local_hub::store::Items;
use twinscope::local_hub::{FleetChoice, HubOptions, LocalHub};

pub async fn start(dir: &Path) -> (LocalHub, Caller) {
    let options = HubOptions { data: Some(dir.join("data")), ..options(dir, FleetChoice::Empty) };
    let hub = LocalHub::start(options).await.unwrap();
    let key = hub.hub().policies().by_name("iothubowner").unwrap().primary.clone();
    let token = token("localhost", &key, Some("iothubowner"));
    let caller = Caller::connect(hub.https(), hub.ca_file(), &token).await;
    (hub, caller)
}

#[tokio::test]
async fn jobs_and_rows_are_there_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let (hub, mut owner) = start(dir.path()).await;
    owner.device("a").await;
    owner.device("b").await;
    schedule(&mut owner, "done", update("*", json!({"n": 1.0}))).await;
    until(&mut owner, "done", "completed").await;
    schedule(&mut owner, "broken", update("what", json!({}))).await;
    until(&mut owner, "broken", "failed").await;
    let mut soon = update("deviceId = 'b'", json!({"soon": true}));
    soon["startTime"] = json!(from_now(2));
    schedule(&mut owner, "soon", soon).await;
    let mut later = update("*", json!({"n": 2}));
    later["startTime"] = json!(from_now(3600));
    schedule(&mut owner, "later", later).await;
    let mut before = Vec::new();
    for path in ["/jobs/v2/done", "/jobs/v2/broken", "/twins/a"] {
        before.push((path, owner.get(path).await.text()));
    }
    let rows_before = rows(&mut owner, "jobId = 'done'").await;
    assert_eq!(rows_before.len(), 2);
    hub.stop().await;

    let (hub, mut owner) = start(dir.path()).await;
    for (path, before) in before {
        assert_eq!(owner.get(path).await.text(), before, "{path}");
    }
    assert_eq!(rows(&mut owner, "jobId = 'done'").await, rows_before);
    let soon = until(&mut owner, "soon", "completed").await;
    assert_eq!(counts(&soon), [1, 0, 1, 0, 0]);
    assert_eq!(owner.get("/twins/b").await.ok()["properties"]["desired"]["soon"], true);
    until(&mut owner, "later", "scheduled").await;
    owner.put("/jobs/v2/done", update("*", json!({}))).await.refused(409, "JobAlreadyExists");
    owner.call("POST", "/jobs/v2/later/cancel", &[], None).await.ok();
    hub.stop().await;
    let (_hub, mut owner) = start(dir.path()).await;
    assert_eq!(owner.get("/jobs/v2/later").await.ok()["status"], "cancelled");
}

/// As a hub that was killed in the middle leaves them.
fn running(work: &str, rows: &[(&str, &str)]) -> Items {
    let now = Moment::now().ticks;
    let job = json!({
        "request": work, "created": now, "start": now, "begun": now, "ended": null, "status": "running", "failure": null,
    });
    let row = |status: &str| json!({"status": status, "begun": now, "ended": null, "updated": now, "answer": null, "error": null});
    let mut items = Items::from([("job/j".to_owned(), job.to_string().into_bytes())]);
    for (device, status) in rows {
        items.insert(format!("job/j/{device}"), row(status).to_string().into_bytes());
    }
    items
}

#[test]
fn a_method_that_waited_for_its_answer_is_not_called_again() {
    let work = r#"{"type":"scheduleDeviceMethod","cloudToDeviceMethod":{"methodName":"reboot"}}"#;
    let jobs = Jobs::restore(&running(work, &[("a", "completed"), ("b", "running"), ("c", "failed")]));
    let job = jobs.get("j").unwrap().to_json(twinscope::protocol::job::PayloadForm::Bytes);
    assert_eq!(job["status"], "running", "the job itself goes on");
    assert_eq!(counts(&job), [3, 2, 1, 0, 0]);
    let rows: Vec<_> = jobs.rows_after(None, 10).iter().map(|row| json!(row.to_map())).collect();
    assert_eq!((&rows[1]["deviceId"], &rows[1]["status"]), (&json!("b"), &json!("failed")));
    assert!(rows[1]["error"]["description"].as_str().unwrap().contains("ended while it waited"));
}

#[tokio::test]
async fn a_twin_update_in_the_middle_goes_on() {
    let dir = TempDir::new().unwrap();
    let (hub, mut owner) = start(dir.path()).await;
    for id in ["a", "b", "c"] {
        owner.device(id).await;
    }
    let work = json!({"type": "scheduleUpdateTwin", "updateTwin": {"etag": "*", "tags": {"x": 1}}}).to_string();
    let items = running(&work, &[("a", "completed")]);
    let items = items.into_iter().map(|(key, value)| Item { key, value: Some(value) }).collect();
    hub.hub().keep(items).await.unwrap();
    hub.stop().await;
    let (_hub, mut owner) = start(dir.path()).await;
    assert_eq!(counts(&until(&mut owner, "j", "completed").await), [3, 0, 3, 0, 0]);
    assert!(owner.get("/twins/a").await.ok().get("tags").is_none(), "what is done is not done again");
    for id in ["b", "c"] {
        assert_eq!(owner.get(&format!("/twins/{id}")).await.ok()["tags"], json!({"x": 1}));
    }
}

#[test]
fn what_cannot_be_read_is_left_out() {
    let mut items = running("{}", &[("a", "completed")]);
    items.insert("job/k".to_owned(), b"\xff".to_vec());
    items.insert("job/l/a".to_owned(), b"{}".to_vec());
    items.insert("message/d".to_owned(), Vec::new());
    let jobs = Jobs::restore(&items);
    assert_eq!((jobs.list(None, Filter::default(), 10).len(), jobs.rows_after(None, 10).len()), (0, 0));
}

#[tokio::test]
async fn the_past_is_bounded() {
    let dir = TempDir::new().unwrap();
    let (hub, _owner) = start(dir.path()).await;
    let now = Moment::now().ticks;
    let day = 24 * 3600 * 10_000_000;
    let ended = |key: String, at: u64| {
        let job = json!({
            "request": json!({"type": "scheduleUpdateTwin", "updateTwin": {"etag": "*"}}).to_string(),
            "created": at, "start": at, "begun": at, "ended": at, "status": "completed", "failure": null,
        });
        Item { key: format!("job/{key}"), value: Some(job.to_string().into_bytes()) }
    };
    let mut items: Vec<Item> = (0..1003).map(|n| ended(format!("j-{n:04}"), now - 20 * day + n)).collect();
    items.push(ended("old".to_owned(), now - 31 * day));
    let row = running("{}", &[("d", "completed")]).remove("job/j/d");
    items.push(Item { key: "job/old/d".to_owned(), value: row });
    hub.hub().keep(items).await.unwrap();
    hub.stop().await;
    for _ in 0..2 {
        let (hub, mut owner) = start(dir.path()).await;
        for (id, status) in
            [("old", "unknown"), ("j-0002", "unknown"), ("j-0003", "completed"), ("j-1002", "completed")]
        {
            until(&mut owner, id, status).await;
        }
        let jobs = hub.hub().jobs();
        assert_eq!((jobs.list(None, Filter::default(), 2000).len(), jobs.rows_after(None, 10).len()), (1000, 0));
        hub.stop().await;
    }
}
