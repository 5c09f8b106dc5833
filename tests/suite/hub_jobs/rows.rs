//! Lists of jobs, and rows of `devices.jobs`: filters, pages, item types.

use super::{from_now, hub_with, method, rows, schedule, until, update};
use crate::support::Caller;
use serde_json::{Value, json};

const TYPE: &str = "x-ms-item-type";
const NEXT: &str = "x-ms-continuation";
const SIZE: &str = "x-ms-max-item-count";

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|job| job["jobId"].as_str().unwrap()).collect()
}

/// A completed update, a method job that found nobody online, one that failed, one that waits.
async fn four(owner: &mut Caller) {
    schedule(owner, "update", update("*", json!({"n": 1}))).await;
    schedule(owner, "method", method("deviceId = 'b'", json!(null))).await;
    schedule(owner, "broken", update("what", json!({}))).await;
    let mut waits = update("*", json!({}));
    waits["startTime"] = json!(from_now(3600));
    schedule(owner, "waits", waits).await;
    for (id, status) in [("update", "completed"), ("method", "completed"), ("broken", "failed"), ("waits", "scheduled")]
    {
        until(owner, id, status).await;
    }
}

#[tokio::test]
async fn lists_by_type_and_status() {
    let (_hub, mut owner) = hub_with(&["a", "b"]).await;
    four(&mut owner).await;
    for (filter, expected) in [
        ("", vec!["broken", "method", "update", "waits"]),
        ("?jobType=scheduleUpdateTwin", vec!["broken", "update", "waits"]),
        ("?jobType=SCHEDULEDEVICEMETHOD", vec!["method"]),
        ("?jobStatus=completed", vec!["method", "update"]),
        ("?jobStatus=Completed&jobType=scheduleUpdateTwin", vec!["update"]),
        ("?jobStatus=scheduled", vec!["waits"]),
        ("?jobStatus=&jobType=", vec!["broken", "method", "update", "waits"]),
        ("?jobType=export", vec![]),
        ("?jobStatus=cancelled", vec![]),
    ] {
        let reply = owner.get(&format!("/jobs/v2/query{filter}")).await;
        assert_eq!(ids(&reply.ok()), expected, "{filter}");
        assert_eq!((reply.header(TYPE), reply.header(NEXT)), (Some("JobResponse"), None), "{filter}");
    }
    let one = owner.get("/jobs/v2/query?jobStatus=failed").await.ok();
    assert_eq!(one[0], owner.get("/jobs/v2/broken").await.ok(), "an item is what GET says");
    for bad in ["jobType=x", "jobStatus=done"] {
        owner.get(&format!("/jobs/v2/query?{bad}")).await.refused(400, "ArgumentInvalid");
    }
    let mut next: Option<String> = None;
    let mut pages = Vec::new();
    loop {
        let mut headers = vec![(SIZE, "3")];
        headers.extend(next.as_deref().map(|next| (NEXT, next)));
        let reply = owner.call("GET", "/jobs/v2/query", &headers, None).await;
        pages.push(ids(&reply.ok()).into_iter().map(str::to_owned).collect::<Vec<_>>());
        next = reply.header(NEXT).map(str::to_owned);
        if next.is_none() {
            break;
        }
        assert!(pages.len() < 4, "the pages end");
    }
    assert_eq!(pages, [vec!["broken", "method", "update"], vec!["waits"]]);
    owner.call("GET", "/jobs/v2/query", &[(SIZE, "0")], None).await.refused(400, "ArgumentInvalid");
    owner.call("GET", "/jobs/v2/query", &[(NEXT, "%")], None).await.refused(400, "ArgumentInvalid");
}

#[tokio::test]
async fn a_row_for_each_job_on_each_device() {
    let (_hub, mut owner) = hub_with(&["a", "b"]).await;
    four(&mut owner).await;
    let all = owner.query("SELECT * FROM devices.jobs", &[]).await;
    assert_eq!(all.header(TYPE), Some("DeviceJob"));
    let keys = |rows: &[Value]| -> Vec<(String, String)> {
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        rows.iter().map(|row| (text(row, "jobId"), text(row, "deviceId"))).collect()
    };
    let key = |job: &str, device: &str| (job.to_owned(), device.to_owned());
    assert_eq!(keys(all.ok().as_array().unwrap()), [key("method", "b"), key("update", "a"), key("update", "b")]);
    for (condition, expected) in [
        ("devices.jobs.jobId = 'update'", vec![key("update", "a"), key("update", "b")]),
        ("JOBID = 'update' AND DeviceId = 'b'", vec![key("update", "b")]),
        ("devices.jobs.jobType = 'scheduleDeviceMethod'", vec![key("method", "b")]),
        ("devices.jobs.status = 'completed'", vec![key("update", "a"), key("update", "b")]),
        ("devices.jobs.deviceId = 'b' AND devices.jobs.status = 'failed'", vec![key("method", "b")]),
        ("devices.jobs.createdTimeUtc > '2026-01-01' AND deviceId = 'a'", vec![key("update", "a")]),
        ("devices.jobs.createdDateTimeUtc < '2026-01-01'", vec![]),
        ("error.code = '404103'", vec![key("method", "b")]),
        ("IS_DEFINED(outcome) AND STARTSWITH(jobId, 'up')", vec![key("update", "a"), key("update", "b")]),
    ] {
        assert_eq!(keys(&rows(&mut owner, condition).await), expected, "{condition}");
    }
    let row = rows(&mut owner, "jobId = 'update' AND deviceId = 'a'").await.remove(0);
    assert_eq!((&row["jobType"], &row["status"]), (&json!("scheduleUpdateTwin"), &json!("completed")));
    assert_eq!(row["outcome"], json!({"deviceMethodResponse": null}));
    for time in ["startTimeUtc", "endTimeUtc", "createdDateTimeUtc", "lastUpdatedDateTimeUtc"] {
        assert!(row[time].as_str().is_some_and(|time| time.ends_with('Z')), "{time} in {row}");
    }
    assert!(row.get("error").is_none() && row.get("moduleId").is_none(), "{row}");
    for text in [
        "SELECT deviceId FROM devices.jobs",
        "SELECT COUNT() AS n FROM devices.jobs",
        "SELECT * FROM devices.jobs GROUP BY status",
        "SELECT * FROM devices.jobs WHERE",
        // A row of a job has no tags: nothing found would hide the mistake.
        "SELECT * FROM devices.jobs WHERE tags.site = 'A'",
    ] {
        owner.query(text, &[]).await.refused(400, "ArgumentInvalid");
    }
}

#[tokio::test]
async fn rows_come_in_pages() {
    let devices = ["a", "b", "c", "d", "e"];
    let (_hub, mut owner) = hub_with(&devices).await;
    for id in ["one", "two"] {
        schedule(&mut owner, id, update("*", json!({"n": id}))).await;
        until(&mut owner, id, "completed").await;
    }
    let check = async |owner: &mut Caller, text: &str, size: &str, expected: &[usize]| {
        let mut next: Option<String> = None;
        let (mut sizes, mut found) = (Vec::new(), Vec::new());
        loop {
            let mut headers = vec![(SIZE, size)];
            headers.extend(next.as_deref().map(|next| (NEXT, next)));
            let reply = owner.query(text, &headers).await;
            let rows = reply.ok().as_array().unwrap().clone();
            sizes.push(rows.len());
            found.extend(rows.iter().map(|row| format!("{}{}", row["jobId"], row["deviceId"])));
            next = reply.header(NEXT).map(str::to_owned);
            if next.is_none() {
                break;
            }
            assert!(sizes.len() < 20, "the pages end");
        }
        assert_eq!(sizes, expected, "{text}");
        found.dedup();
        assert_eq!(found.len(), sizes.iter().sum::<usize>(), "every row once");
    };
    check(&mut owner, "SELECT * FROM devices.jobs", "4", &[4, 4, 2]).await;
    check(&mut owner, "SELECT * FROM devices.jobs", "5", &[5, 5]).await;
    check(&mut owner, "SELECT * FROM devices.jobs WHERE jobId = 'two'", "3", &[3, 2]).await;
    check(&mut owner, "SELECT TOP 3 * FROM devices.jobs", "2", &[2, 1]).await;
}
