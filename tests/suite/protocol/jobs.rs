//! Jobs: what is asked for, what is told, and back.

use serde_json::{Value, json};
use twinscope::protocol::job::{
    DeviceJob, DeviceJobStatus, JobProblem, JobRequest, JobResponse, JobStatistics, JobStatus, JobType, PayloadForm,
    Work, check_id,
};
use twinscope::twin::TwinId;

fn update() -> Value {
    json!({
        "type": "scheduleUpdateTwin",
        "updateTwin": {"etag": "*", "tags": {"a": 1}, "properties": {"desired": {"b": null}}},
        "queryCondition": "deviceId IN ['dev1','dev2']",
        "startTime": "2026-08-15T09:00:00.000000000Z",
        "maxExecutionTimeInSeconds": 3600,
    })
}

fn method() -> Value {
    json!({
        "type": "scheduleDeviceMethod",
        "cloudToDeviceMethod": {
            "methodName": "m", "payload": {"x": 1}, "responseTimeoutInSeconds": 30, "connectTimeoutInSeconds": 0,
        },
        "maxExecutionTimeInSeconds": 60,
    })
}

#[test]
fn words_are_read_in_any_case() {
    for job_type in JobType::ALL {
        assert_eq!(JobType::parse(&job_type.word().to_uppercase()), Some(*job_type));
    }
    for status in JobStatus::ALL {
        assert_eq!(JobStatus::parse(&status.word().to_uppercase()), Some(*status));
    }
    for status in DeviceJobStatus::ALL {
        assert_eq!(DeviceJobStatus::parse(&status.word().to_uppercase()), Some(*status));
    }
    assert_eq!((JobStatus::Cancelled.word(), DeviceJobStatus::Canceled.word()), ("cancelled", "canceled"));
    assert_eq!(JobStatus::parse("canceled"), None);
    let active: Vec<_> =
        JobStatus::ALL.iter().filter(|status| status.is_active()).map(|status| status.word()).collect();
    assert_eq!(active, ["enqueued", "queued", "scheduled", "running"]);
}

#[test]
fn a_request_reads_as_it_prints() {
    for body in [update(), method()] {
        let request = JobRequest::from_json(&body).unwrap();
        let printed = Value::Object(request.to_map());
        assert_eq!(printed, body);
        assert_eq!(JobRequest::from_json(&printed).unwrap(), request);
    }
}

#[test]
fn what_clients_leave_out_or_write_otherwise() {
    let body = json!({
        "jobType": "SCHEDULEDEVICEMETHOD", "cloudToDeviceMethod": {"methodName": "m"}, "updateTwin": null,
        "startTime": "", "queryCondition": null, "maxExecutionTimeInSeconds": null,
    });
    let request = JobRequest::from_json(&body).unwrap();
    assert_eq!((request.start_time, &request.query_condition, request.max_execution_s), (None, &None, 3600));
    let Work::DeviceMethod(method) = request.work else { panic!("a method") };
    assert_eq!((method.payload, method.response_timeout_s, method.connect_timeout_s), (Value::Null, 30, 0));
    // A whole twin, as clients have it in hand.
    let mut body = update();
    body["updateTwin"]["deviceId"] = json!("d");
    body["updateTwin"]["version"] = json!(7);
    body["updateTwin"]["etag"] = json!("\"*\"");
    let Work::UpdateTwin(patch) = JobRequest::from_json(&body).unwrap().work else { panic!("a patch") };
    assert_eq!(patch.keys().collect::<Vec<_>>(), ["etag", "tags", "properties"]);
}

#[test]
fn start_times() {
    let start = |text: &str| {
        let mut body = update();
        body["startTime"] = json!(text);
        JobRequest::from_json(&body).map(|request| request.start_time.unwrap().unix_timestamp_nanos())
    };
    let noon = 1_786_795_200_000_000_000;
    for text in
        ["2026-08-15T12:00:00Z", "2026-08-15T12:00:00.0000000Z", "2026-08-15T12:00:00", "2026-08-15T14:00:00+02:00"]
    {
        assert_eq!(start(text), Ok(noon), "{text}");
    }
    assert_eq!(start("2026-08-15T12:00:00.5Z"), Ok(noon + 500_000_000));
    assert!(start("0001-01-01T00:00:00Z").unwrap() < 0);
    for text in ["now", "12:00", "2026-13-01T00:00:00Z", "1786795200"] {
        assert!(matches!(start(text), Err(JobProblem::Argument(_))), "{text}");
    }
}

#[test]
fn ids() {
    for id in ["a", "job-1", "0'9", &"z".repeat(64)] {
        assert_eq!(check_id(id), Ok(()), "{id}");
    }
    for id in ["", "A", "a_b", "a/b", "ä", &"z".repeat(65)] {
        assert_eq!(check_id(id), Err(JobProblem::Id), "{id}");
    }
}

#[test]
fn a_response_reads_as_it_prints() {
    let response = JobResponse {
        job_id: "j".to_owned(),
        request: Some(JobRequest::from_json(&method()).unwrap()),
        status: JobStatus::Running,
        created_time: Some("2026-08-15T09:00:00Z".to_owned()),
        start_time: None,
        end_time: None,
        failure_reason: None,
        statistics: Some(JobStatistics { device_count: 3, failed_count: 1, succeeded_count: 1, ..Default::default() }),
    };
    assert_eq!(JobResponse::from_json(&response.to_json(PayloadForm::AsGiven)), Some(response.clone()));
    let later = response.to_json(PayloadForm::Bytes);
    assert_eq!(later["cloudToDeviceMethod"]["payload"], json!(br#"{"x":1}"#));
    let unknown = JobResponse::unknown("j");
    assert_eq!(unknown.to_json(PayloadForm::Bytes), json!({"jobId": "j", "type": "unknown", "status": "unknown"}));
    assert_eq!(JobResponse::from_json(&json!({"jobId": "j", "type": "unknown", "status": "unknown"})), Some(unknown));
    for bad in [json!(null), json!([]), json!({"jobId": "j"}), json!({"jobId": "j", "status": "x"})] {
        assert_eq!(JobResponse::from_json(&bad), None, "{bad}");
    }
}

#[test]
fn a_row_reads_as_it_prints() {
    let row = json!({
        "deviceId": "d", "jobId": "j", "jobType": "scheduleDeviceMethod", "status": "completed",
        "startTimeUtc": "2026-08-15T09:00:01Z", "endTimeUtc": "2026-08-15T09:00:02Z",
        "createdDateTimeUtc": "2026-08-15T09:00:00Z", "lastUpdatedDateTimeUtc": "2026-08-15T09:00:02Z",
        "outcome": {"deviceMethodResponse": {"status": 200, "payload": {"a": [1]}}},
    });
    let read = DeviceJob::from_json(&row).unwrap();
    assert_eq!(read.outcome.as_ref().unwrap().status, 200);
    assert_eq!(Value::Object(read.to_map()), row);
    let failed = DeviceJob {
        id: TwinId::module("d", "m"),
        status: DeviceJobStatus::Failed,
        outcome: None,
        error: Some(("404103".to_owned(), "offline".to_owned())),
        ..read
    };
    assert_eq!(DeviceJob::from_json(&Value::Object(failed.to_map())), Some(failed));
    for bad in [json!(1), json!({}), json!({"deviceId": "d", "jobId": "j", "jobType": "x", "status": "completed"})] {
        assert_eq!(DeviceJob::from_json(&bad), None, "{bad}");
    }
}
