//! Conditions on rows of `devices.jobs`.

use super::{device, object};
use twinscope::query::{self, ItemType};

const ROW: &str = r#"{
    "deviceId": "d1", "jobId": "j1", "jobType": "scheduleDeviceMethod", "status": "completed",
    "startTimeUtc": "2026-08-15T09:00:01.0000000Z", "createdDateTimeUtc": "2026-08-15T09:00:00.0000000Z",
    "outcome": {"deviceMethodResponse": {"status": 200, "payload": {"list": [1, 2.50], "Key": null}}}
}"#;

fn check(condition: &str, expected: bool) {
    let text = format!("SELECT * FROM devices.jobs WHERE {condition}");
    let query = query::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(query.item_type(), ItemType::DeviceJob);
    assert_eq!(query.matches_job(&object(ROW)), expected, "{condition}");
}

#[test]
fn fields_in_any_case_and_with_their_source() {
    for condition in [
        "jobId = 'j1'",
        "devices.jobs.jobId = 'j1'",
        "DEVICES.JOBS.JOBID = 'j1'",
        "deviceid = 'd1' AND JobType = 'scheduleDeviceMethod'",
        "devices.jobs.status IN ['completed', 'failed']",
        "devices.jobs.createdTimeUtc > '2026-08-15T09:00'",
        "createdDateTimeUtc < startTimeUtc",
        "outcome.deviceMethodResponse.status >= 200",
        "outcome.deviceMethodResponse.payload.list[1] = 2.5",
        "2 IN outcome.deviceMethodResponse.payload.list OR STARTSWITH(jobId, 'j')",
        "outcome.deviceMethodResponse.payload.Key = null",
        "NOT IS_DEFINED(error)",
    ] {
        check(condition, true);
    }
}

#[test]
fn what_does_not_hold() {
    for condition in [
        "jobId = 'J1'",
        "jobId != 'j1'",
        "status = 'Completed'",
        "error.code = '404103'",
        "error.code != '404103'",
        "outcome.deviceMethodResponse.payload.key = null",
        "tags.site = 'A'",
        "moduleId = ''",
        "version > 0",
    ] {
        check(condition, false);
    }
}

#[test]
fn rows_and_twins_do_not_mix() {
    let jobs = query::parse("SELECT * FROM devices.jobs").unwrap();
    let devices = query::parse("SELECT * FROM devices").unwrap();
    assert!(jobs.matches_job(&object(ROW)) && !devices.matches_job(&object(ROW)));
    let twin = device("d1").0;
    assert!(devices.matches(&twin) && !jobs.matches(&twin));
}
