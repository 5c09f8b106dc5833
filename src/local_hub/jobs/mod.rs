//! Jobs: a twin update or a direct method for every device a query finds, at a time. Here is what is known of them and how it
//! may change; `record` is one job and how it is kept; `run` waits for start times and does the work.
//!
//! Jobs outlive the hub where it keeps data. One that ran when the hub ended goes on: devices that are done stay done, the
//! condition is asked again for the rest. A twin update whose end was not kept is made once more, which changes nothing but
//! versions; a method whose answer was not kept is not called again, as it may not bear it, and counts as failed.

mod record;
mod run;

pub use run::run;

use super::clock::{Moment, TICKS_PER_SECOND};
use super::commit::Item;
use super::hub::{Hub, Refused};
use super::registry::check_patch;
use super::store::Items;
use crate::protocol::error::ErrorCode;
use crate::protocol::job::{
    DeviceJob, DeviceJobStatus, JobProblem, JobRequest, JobResponse, JobStatus, JobType, Work, check_id,
};
use record::{Job, Row, start_ticks};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Jobs that have not ended, as in the largest tier; the free and the smallest tier take one.
const ACTIVE_MAX: usize = 10;
/// How far ahead a job may start.
const AHEAD_MAX_S: u64 = 168 * 3600;
/// How long a job is remembered after its end.
const HISTORY_S: u64 = 30 * 24 * 3600;
/// Ended jobs that are remembered; the oldest go first.
const HISTORY_MAX: usize = 1000;
/// Bytes of requests and answers that are remembered.
const HISTORY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Rows of all jobs. Every device of the largest fleet twice.
const ROWS_MAX: usize = 2_000_000;
/// Rows changed, or removed, in one go.
const ROWS_AT_ONCE: usize = 1024;

/// All jobs.
#[derive(Debug, Default)]
pub struct Jobs {
    state: Mutex<State>,
    /// Told when there is something new to wait for.
    wake: Notify,
}

#[derive(Debug, Default)]
struct State {
    jobs: BTreeMap<String, Job>,
    /// Jobs that ran when the hub ended last.
    resume: Vec<String>,
    /// Of all jobs.
    rows: usize,
    /// Requests and answers of all jobs.
    bytes: usize,
}

/// Which jobs a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    pub job_type: Option<JobType>,
    pub status: Option<JobStatus>,
}

/// Whether a row is kept in the data file too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    Yes,
    No,
}

/// Why a job as a whole ends.
enum End {
    /// Every device had its turn.
    Done,
    Failed(String),
    /// Its time is up.
    Late,
}

impl Jobs {
    /// What was kept: items `job/{id}` and `job/{id}/{device}[/{module}]`.
    #[must_use]
    pub fn restore(items: &Items) -> Self {
        let mut state = State::default();
        let of_jobs =
            items.range("job/".to_owned()..).map_while(|(key, value)| Some((key.strip_prefix("job/")?, value)));
        for (key, value) in of_jobs {
            if state.restore(key, value).is_none() {
                tracing::warn!(key, "a job, or a row of one, cannot be read and is left out");
            }
        }
        Self { state: Mutex::new(state), wake: Notify::new() }
    }

    /// Takes a job; returns when it is kept.
    ///
    /// # Errors
    /// 400 for a bad id, start time or patch; 409 for an id that is taken; 429 when too many have not ended; 500001.
    pub async fn create(&self, hub: &Hub, id: &str, request: JobRequest) -> Result<JobResponse, Refused> {
        check_id(id).map_err(|problem| refuse(&problem))?;
        if let Work::UpdateTwin(patch) = &request.work {
            check_patch(patch)?;
        }
        hub.takes_changes().await?;
        let now = hub.clock().now();
        let start = request.start_time.map_or(now.ticks, start_ticks);
        if start > now.ticks + AHEAD_MAX_S * TICKS_PER_SECOND {
            return Err(invalid("startTime is more than 168 hours ahead"));
        }
        let (answer, kept) = {
            let mut state = self.lock();
            if state.jobs.contains_key(id) {
                let message = format!("A job with ID '{id}' exists already.");
                return Err(Refused { code: ErrorCode::JOB_ALREADY_EXISTS, message });
            }
            if state.jobs.values().filter(|job| job.status.is_active()).count() >= ACTIVE_MAX {
                // The service wraps the answer of its job service in one of its own.
                let code = ErrorCode::THROTTLING_MAX_ACTIVE_JOB_COUNT_EXCEEDED;
                return Err(Refused { code, message: wrapped("429", code, "429") });
            }
            let job = Job::new(id, request, start, &now);
            let pruned = state.prune(hub, &now);
            hub.owe(pruned);
            let (items, answer) = (vec![job.item()], job.answer());
            state.bytes += job.size;
            state.jobs.insert(id.to_owned(), job);
            (answer, hub.keep(items))
        };
        if let Err(refused) = kept.await {
            hub.owe(self.lock().remove(id));
            return Err(refused);
        }
        self.wake.notify_one();
        Ok(answer)
    }

    /// Cancels a job that has not begun; returns when that is kept.
    ///
    /// # Errors
    /// 404 for an unknown job, 405 for one that runs or has ended, 500001.
    pub async fn cancel(&self, hub: &Hub, id: &str) -> Result<JobResponse, Refused> {
        check_id(id).map_err(|problem| refuse(&problem))?;
        hub.takes_changes().await?;
        let (answer, before, kept) = {
            let mut state = self.lock();
            let Some(job) = state.jobs.get_mut(id) else {
                return Err(Refused { code: ErrorCode::JOB_NOT_FOUND, message: id.to_owned() });
            };
            if !job.is_waiting() {
                let message =
                    format!("The job is {}: only one that has not begun can be cancelled.", job.status.word());
                return Err(Refused { code: ErrorCode::OPERATION_NOT_ALLOWED_IN_CURRENT_STATE, message });
            }
            let before = std::mem::replace(&mut job.status, JobStatus::Cancelled);
            job.ended = Some(hub.clock().now().ticks);
            (job.answer(), before, hub.keep(vec![job.item()]))
        };
        if let Err(refused) = kept.await {
            let mut state = self.lock();
            if let Some(job) = state.jobs.get_mut(id) {
                (job.status, job.ended) = (before, None);
                hub.owe(vec![job.item()]);
            }
            self.wake.notify_one();
            return Err(refused);
        }
        Ok(answer)
    }

    /// # Errors
    /// 400 for what cannot be an id. An id nobody used is no error: the answer's status is `unknown`.
    pub fn get(&self, id: &str) -> Result<JobResponse, Refused> {
        check_id(id).map_err(|problem| refuse(&problem))?;
        Ok(self.lock().jobs.get(id).map_or_else(|| JobResponse::unknown(id), Job::answer))
    }

    /// Up to `limit` jobs after an id, ordered by id.
    #[must_use]
    pub fn list(&self, after: Option<&str>, filter: Filter, limit: usize) -> Vec<JobResponse> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.lock();
        let jobs = state.jobs.range::<str, _>((from, Bound::Unbounded)).map(|(_, job)| job);
        let wanted = jobs.filter(|job| {
            filter.job_type.is_none_or(|wanted| wanted == job.request.job_type())
                && filter.status.is_none_or(|wanted| wanted == job.status)
        });
        wanted.take(limit).map(Job::answer).collect()
    }

    /// Up to `limit` rows of `devices.jobs` after one named by its job and its device, ordered by them.
    #[must_use]
    pub fn rows_after(&self, after: Option<(&str, &str)>, limit: usize) -> Vec<DeviceJob> {
        let state = self.lock();
        let from = after.map_or(Bound::Unbounded, |(job, _)| Bound::Included(job));
        let jobs = state.jobs.range::<str, _>((from, Bound::Unbounded));
        let rows = jobs.flat_map(|(id, job)| {
            let from = match after {
                Some((of, target)) if of == id => Bound::Excluded(target),
                _ => Bound::Unbounded,
            };
            job.rows.range::<str, _>((from, Bound::Unbounded)).map(move |(target, row)| job.device_job(target, row))
        });
        rows.take(limit).collect()
    }

    /// Begins what is due, and says which jobs those are and how long it is until the next.
    fn due(&self, hub: &Hub) -> (Vec<String>, Option<Duration>) {
        let now = hub.clock().now();
        let mut state = self.lock();
        let mut items = state.prune(hub, &now);
        let mut due = std::mem::take(&mut state.resume);
        let mut next: Option<u64> = None;
        for job in state.jobs.values_mut().filter(|job| job.is_waiting()) {
            if job.start <= now.ticks {
                job.status = JobStatus::Running;
                job.begun = Some(now.ticks);
                due.push(job.id.clone());
                items.push(job.item());
                continue;
            }
            if job.status != JobStatus::Scheduled {
                job.status = JobStatus::Scheduled;
                items.push(job.item());
            }
            let wait = job.start - now.ticks;
            next = Some(next.map_or(wait, |next| next.min(wait)));
        }
        hub.owe(items);
        (due, next.map(|ticks| Duration::from_nanos(ticks.saturating_mul(100))))
    }

    /// Adds devices that are to be worked on, each with its generation; those that are there already stay as they are.
    ///
    /// # Errors
    /// A sentence, when there are too many.
    fn add(&self, hub: &Hub, id: &str, targets: impl Iterator<Item = (String, u64)>) -> Result<(), String> {
        let now = hub.clock().now();
        let mut state = self.lock();
        for (target, generation) in targets {
            if state.rows >= ROWS_MAX {
                let items = state.prune(hub, &now);
                hub.owe(items);
                if state.rows >= ROWS_MAX {
                    return Err(format!("all jobs together find more than {ROWS_MAX} devices"));
                }
            }
            if state.jobs.get(id).is_some_and(|job| !job.rows.contains_key(&target)) {
                // Not kept: the condition finds it again.
                drop(state.set_row(id, &target, Row::pending(generation, &now)));
            }
        }
        Ok(())
    }

    /// The next device to be worked on, with its generation.
    fn next_pending(&self, id: &str, after: Option<&str>) -> Option<(String, u64)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.lock();
        let mut rows = state.jobs.get(id)?.rows.range::<str, _>((from, Bound::Unbounded));
        rows.find(|(_, row)| row.status == DeviceJobStatus::Pending)
            .map(|(target, row)| (target.clone(), row.generation))
    }

    /// Changes a row. The future resolves when that is kept, and need not be waited for.
    fn set_row(
        &self,
        hub: &Hub,
        id: &str,
        target: &str,
        row: Row,
        keep: Keep,
    ) -> impl Future<Output = Result<(), Refused>> + Send + use<> {
        let mut state = self.lock();
        let item = state.set_row(id, target, row).filter(|_| keep == Keep::Yes);
        let kept = item.map(|item| hub.keep_or_owe(vec![item]));
        async move {
            match kept {
                Some(kept) => kept.await,
                None => Ok(()),
            }
        }
    }

    /// Ends a job that runs; devices that had no turn, or are not done, fail.
    fn finish(&self, hub: &Hub, id: &str, end: End) {
        let (code, text) = match &end {
            End::Done | End::Failed(_) => (ErrorCode::SERVER_ERROR, "the work ended early"),
            End::Late => (ErrorCode::GATEWAY_TIMEOUT, "maxExecutionTimeInSeconds passed"),
        };
        // A part at a time: a job of a million devices must not hold up who asks about another.
        let mut last = None;
        while let Some(failed) = self.fail_some(hub, id, last.as_deref(), code, text) {
            last = Some(failed);
        }
        let now = hub.clock().now();
        let mut state = self.lock();
        if let Some(job) = state.jobs.get_mut(id).filter(|job| job.status == JobStatus::Running) {
            (job.status, job.failure) = match end {
                End::Done => (JobStatus::Completed, None),
                End::Failed(reason) => (JobStatus::Failed, Some(reason)),
                End::Late => (JobStatus::Failed, Some(text.to_owned())),
            };
            job.ended = Some(now.ticks);
            let mut items = vec![job.item()];
            items.extend(state.prune(hub, &now));
            hub.owe(items);
        }
    }

    /// Fails some of the rows after a device that are not at their end; the last of them.
    fn fail_some(&self, hub: &Hub, id: &str, after: Option<&str>, code: ErrorCode, text: &str) -> Option<String> {
        let now = hub.clock().now();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut state = self.lock();
        let job = state.jobs.get(id).filter(|job| job.has_open_rows())?;
        let rows = job.rows.range::<str, _>((from, Bound::Unbounded)).filter(|(_, row)| row.is_open());
        let open: Vec<_> = rows.take(ROWS_AT_ONCE).map(|(target, row)| (target.clone(), row.begun)).collect();
        let last = open.last().map(|(target, _)| target.clone());
        let failed = |(target, begun): (String, _)| state.set_row(id, &target, Row::failed(begun, &now, code, text));
        hub.owe(open.into_iter().filter_map(failed).collect());
        last
    }

    /// What is in here changes by functions that either finish or change nothing, so one that panicked left it whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes what was kept of a job, or of a row, whose key sorts behind that of its job.
    fn restore(&mut self, key: &str, value: &[u8]) -> Option<()> {
        if let Some((id, target)) = key.split_once('/') {
            let row = Row::from_bytes(value)?;
            return self.set_row(id, target, row).map(drop);
        }
        let job = Job::from_bytes(key, value)?;
        if job.status == JobStatus::Running {
            self.resume.push(job.id.clone());
        }
        self.bytes += job.size;
        self.jobs.insert(key.to_owned(), job);
        Some(())
    }

    fn set_row(&mut self, id: &str, target: &str, mut row: Row) -> Option<Item> {
        let job = self.jobs.get_mut(id)?;
        if self.bytes + row.size() > HISTORY_BYTES_MAX {
            row.forget_payload();
        }
        self.bytes += row.size();
        let item = row.item(id, target);
        match job.put_row(target, row) {
            Some(before) => self.bytes -= before.size(),
            None => self.rows += 1,
        }
        Some(item)
    }

    /// Forgets ended jobs that are too old or too many; what is to be kept of that.
    fn prune(&mut self, hub: &Hub, now: &Moment) -> Vec<Item> {
        let mut ended: Vec<(u64, String)> =
            self.jobs.values().filter_map(|job| Some((job.ended?, job.id.clone()))).collect();
        ended.sort_unstable();
        let oldest = now.ticks.saturating_sub(HISTORY_S * TICKS_PER_SECOND);
        let mut count = ended.len();
        let mut items = Vec::new();
        for (at, id) in ended {
            // Half of the room is for jobs that run.
            let full = count > HISTORY_MAX || self.bytes > HISTORY_BYTES_MAX / 2 || self.rows > ROWS_MAX / 2;
            if at >= oldest && !full {
                break;
            }
            count -= 1;
            for item in self.remove(&id) {
                items.push(item);
                if items.len() == ROWS_AT_ONCE {
                    hub.owe(std::mem::take(&mut items));
                }
            }
        }
        items
    }

    /// Forgets a job; what is to be kept of that.
    fn remove(&mut self, id: &str) -> Vec<Item> {
        let Some(job) = self.jobs.remove(id) else { return Vec::new() };
        self.bytes -= job.size + job.rows.values().map(Row::size).sum::<usize>();
        self.rows -= job.rows.len();
        let rows = job.rows.keys().map(|target| Item { key: record::row_key(id, target), value: None });
        // The job last, so that no row is ever without it.
        rows.chain(std::iter::once(Item { key: record::job_key(id), value: None })).collect()
    }
}

/// How a request that cannot be a job is refused.
pub fn refuse(problem: &JobProblem) -> Refused {
    match problem {
        JobProblem::NoEtag | JobProblem::AtRoot(_) => {
            let code = ErrorCode::ARGUMENT_INVALID;
            Refused { code, message: wrapped("BadRequest", code, &problem.to_string()) }
        }
        JobProblem::OtherEtag => Refused { code: ErrorCode::PRECONDITION_FAILED, message: problem.to_string() },
        JobProblem::Id | JobProblem::Argument(_) => invalid(&problem.to_string()),
    }
}

/// The answer of the service's job service, as the service passes it on inside its own.
fn wrapped(status: &str, code: ErrorCode, message: &str) -> String {
    let inner = serde_json::json!({"Message": format!("ErrorCode:{};{message}", code.name), "ExceptionMessage": ""});
    format!("Error: {status} {inner}")
}

fn invalid(message: &str) -> Refused {
    Refused { code: ErrorCode::ARGUMENT_INVALID, message: message.to_owned() }
}
