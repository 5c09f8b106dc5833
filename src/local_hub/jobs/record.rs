//! One job and its rows, and how they are kept.

use crate::local_hub::clock::Moment;
use crate::local_hub::commit::Item;
use crate::protocol::error::ErrorCode;
use crate::protocol::job::{DeviceJob, DeviceJobStatus, JobRequest, JobResponse, JobStatistics, JobStatus};
use crate::protocol::method::MethodAnswer;
use crate::twin::{Json, TwinId, wire};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use time::OffsetDateTime;

/// Times are 100 ns steps since 0001-01-01: a large job has a million rows.
#[derive(Debug)]
pub struct Job {
    pub id: String,
    pub request: Arc<JobRequest>,
    /// Bytes of the request.
    pub size: usize,
    pub created: u64,
    /// When it is to begin.
    pub start: u64,
    pub begun: Option<u64>,
    pub ended: Option<u64>,
    pub status: JobStatus,
    /// Why it failed as a whole.
    pub failure: Option<String>,
    /// By device, or `device/module`. Change them with [`Job::put_row`].
    pub rows: BTreeMap<String, Row>,
    counts: JobStatistics,
}

/// A job on one device.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    pub status: DeviceJobStatus,
    pub begun: Option<u64>,
    ended: Option<u64>,
    updated: u64,
    /// The `generationId` of the identity that was found. Not kept: after a restart the condition is asked again.
    #[serde(skip)]
    pub generation: u64,
    /// What a method answered.
    answer: Option<Answer>,
    /// Number and text.
    error: Option<(u32, String)>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Answer {
    status: i64,
    /// JSON text: numbers keep their spelling, and no depth of it is too deep for the file.
    payload: String,
}

/// A job in the data file; its rows are beside it.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// JSON text, as with [`Answer`].
    request: String,
    created: u64,
    start: u64,
    begun: Option<u64>,
    ended: Option<u64>,
    status: JobStatus,
    failure: Option<String>,
}

impl Job {
    pub fn new(id: &str, request: JobRequest, start: u64, now: &Moment) -> Self {
        Self {
            id: id.to_owned(),
            size: text(&request).len(),
            request: Arc::new(request),
            created: now.ticks,
            start,
            begun: None,
            ended: None,
            status: JobStatus::Queued,
            failure: None,
            rows: BTreeMap::new(),
            counts: JobStatistics::default(),
        }
    }

    pub fn from_bytes(id: &str, bytes: &[u8]) -> Option<Self> {
        let stored: Stored = serde_json::from_slice(bytes).ok()?;
        Some(Self {
            id: id.to_owned(),
            size: stored.request.len(),
            request: Arc::new(JobRequest::from_json(&wire::json(stored.request.as_bytes()).ok()?).ok()?),
            created: stored.created,
            start: stored.start,
            begun: stored.begun,
            ended: stored.ended,
            status: stored.status,
            failure: stored.failure,
            rows: BTreeMap::new(),
            counts: JobStatistics::default(),
        })
    }

    /// What is to be kept of it, but for its rows.
    pub fn item(&self) -> Item {
        let stored = Stored {
            request: text(&self.request),
            created: self.created,
            start: self.start,
            begun: self.begun,
            ended: self.ended,
            status: self.status,
            failure: self.failure.clone(),
        };
        Item { key: job_key(&self.id), value: serde_json::to_vec(&stored).ok() }
    }

    /// Whether it has not begun.
    pub fn is_waiting(&self) -> bool {
        matches!(self.status, JobStatus::Queued | JobStatus::Scheduled)
    }

    pub fn has_open_rows(&self) -> bool {
        self.counts.pending_count + self.counts.running_count > 0
    }

    /// What stood there before.
    pub fn put_row(&mut self, target: &str, row: Row) -> Option<Row> {
        *self.count(row.status) += 1;
        let before = self.rows.insert(target.to_owned(), row);
        match &before {
            Some(before) => *self.count(before.status) -= 1,
            None => self.counts.device_count += 1,
        }
        before
    }

    fn count(&mut self, status: DeviceJobStatus) -> &mut u64 {
        match status {
            DeviceJobStatus::Pending | DeviceJobStatus::Scheduled => &mut self.counts.pending_count,
            DeviceJobStatus::Running => &mut self.counts.running_count,
            DeviceJobStatus::Completed => &mut self.counts.succeeded_count,
            DeviceJobStatus::Failed | DeviceJobStatus::Canceled => &mut self.counts.failed_count,
        }
    }

    /// As the hub tells of it.
    pub fn answer(&self) -> JobResponse {
        JobResponse {
            job_id: self.id.clone(),
            request: Some(JobRequest::clone(&self.request)),
            status: self.status,
            created_time: Some(iso(self.created)),
            start_time: Some(iso(self.start)),
            end_time: self.ended.map(iso),
            failure_reason: self.failure.clone(),
            statistics: self.begun.map(|_| self.counts),
        }
    }

    /// A row as the hub tells of it.
    pub fn device_job(&self, target: &str, row: &Row) -> DeviceJob {
        let outcome = row.answer.as_ref().map(|answer| MethodAnswer {
            status: answer.status,
            payload: wire::json(answer.payload.as_bytes()).unwrap_or_default(),
        });
        DeviceJob {
            id: twin_id(target),
            job_id: self.id.clone(),
            job_type: self.request.job_type(),
            status: row.status,
            start_time: row.begun.map(iso),
            end_time: row.ended.map(iso),
            // Rows are made when the job begins.
            created: iso(self.begun.unwrap_or(self.created)),
            last_updated: iso(row.updated),
            outcome,
            error: row.error.as_ref().map(|(number, text)| (number.to_string(), text.clone())),
        }
    }
}

impl Row {
    pub fn pending(generation: u64, now: &Moment) -> Self {
        let status = DeviceJobStatus::Pending;
        Self { status, begun: None, ended: None, updated: now.ticks, generation, answer: None, error: None }
    }

    pub fn running(generation: u64, now: &Moment) -> Self {
        Self { status: DeviceJobStatus::Running, begun: Some(now.ticks), ..Self::pending(generation, now) }
    }

    /// Done; `answer` is what a method answered.
    pub fn completed(begun: u64, now: &Moment, answer: Option<MethodAnswer>) -> Self {
        Self {
            status: DeviceJobStatus::Completed,
            begun: Some(begun),
            ended: Some(now.ticks),
            answer: answer.map(|MethodAnswer { status, payload }| Answer { status, payload: payload.to_string() }),
            ..Self::pending(0, now)
        }
    }

    pub fn failed(begun: Option<u64>, now: &Moment, code: ErrorCode, text: &str) -> Self {
        Self {
            status: DeviceJobStatus::Failed,
            begun,
            ended: Some(now.ticks),
            error: Some((code.number, text.to_owned())),
            ..Self::pending(0, now)
        }
    }

    /// A row that was kept while it ran is one whose method was called and whose answer nobody knows.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut row: Self = serde_json::from_slice(bytes).ok()?;
        if row.is_open() {
            let text = "the hub ended while it waited for the answer".to_owned();
            row.status = DeviceJobStatus::Failed;
            row.ended = Some(row.updated);
            row.error = Some((ErrorCode::SERVER_ERROR.number, text));
        }
        Some(row)
    }

    pub fn item(&self, job: &str, target: &str) -> Item {
        Item { key: row_key(job, target), value: serde_json::to_vec(self).ok() }
    }

    /// Whether it is not at its end.
    pub fn is_open(&self) -> bool {
        matches!(self.status, DeviceJobStatus::Pending | DeviceJobStatus::Scheduled | DeviceJobStatus::Running)
    }

    /// Bytes of what came from elsewhere.
    pub fn size(&self) -> usize {
        self.answer.as_ref().map_or(0, |answer| answer.payload.len())
            + self.error.as_ref().map_or(0, |(_, text)| text.len())
    }

    /// There is no room for what the device said; that it answered still counts.
    pub fn forget_payload(&mut self) {
        if let Some(answer) = &mut self.answer {
            "null".clone_into(&mut answer.payload);
        }
    }
}

pub fn job_key(id: &str) -> String {
    format!("job/{id}")
}

/// Neither the ids of jobs nor those of devices hold a slash.
pub fn row_key(job: &str, target: &str) -> String {
    format!("job/{job}/{target}")
}

pub fn twin_id(target: &str) -> TwinId {
    match target.split_once('/') {
        Some((device, module)) => TwinId::module(device, module),
        None => TwinId::device(target),
    }
}

/// 100 ns steps since 0001-01-01; before 1970 is long ago, however long.
pub fn start_ticks(time: OffsetDateTime) -> u64 {
    let seconds = u64::try_from(time.unix_timestamp()).unwrap_or(0);
    Moment::at(seconds, time.nanosecond()).ticks
}

fn iso(ticks: u64) -> String {
    Moment::of_ticks(ticks).text
}

fn text(request: &JobRequest) -> String {
    Json::Object(request.to_map()).to_string()
}
