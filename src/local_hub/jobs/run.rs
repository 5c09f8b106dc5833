//! Waits for the start times of jobs and does their work.

use super::record::{Row, twin_id};
use super::{End, Jobs, Keep};
use crate::local_hub::clock::TICKS_PER_SECOND;
use crate::local_hub::hub::Hub;
use crate::local_hub::methods;
use crate::local_hub::registry::Mode;
use crate::protocol::event::What;
use crate::protocol::job::{JobRequest, JobStatus, Work};
use crate::protocol::rest::IfMatch;
use crate::query::{self, Query, Source};
use crate::twin::{Json, Twin, TwinId};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Devices of one job that are worked on at once.
const AT_ONCE: usize = 64;
/// Twins copied out of the registry per lock.
const CHUNK: usize = 64;
/// The longest sleep: the clock may be set, or the machine may have slept, and the timer knows nothing of either.
const SLEEP_MAX: Duration = Duration::from_secs(30);
/// Longer than anybody waits, and short enough for a timer.
const EXECUTION_MAX_S: u64 = 365 * 24 * 3600;

/// Runs jobs when they are due, until `stop`.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    let mut under_way = JoinSet::new();
    loop {
        let (due, next) = hub.jobs().due(&hub);
        for id in due {
            under_way.spawn(execute(hub.clone(), stop.clone(), id));
        }
        let next = next.map(|next| tokio::time::sleep(next.min(SLEEP_MAX)));
        tokio::select! {
            () = hub.jobs().wake.notified() => {}
            () = async { if let Some(next) = next { next.await } else { std::future::pending().await } } => {}
            Some(_) = under_way.join_next() => {}
            () = stop.cancelled() => break,
        }
    }
    under_way.shutdown().await;
}

/// Ends the job if its task ends before it does: by a mistake in it, unless the hub is stopping, when the job goes on later.
struct Guard {
    hub: Arc<Hub>,
    stop: CancellationToken,
    id: String,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.stop.is_cancelled() {
            self.hub.jobs().finish(&self.hub, &self.id, End::Failed("the job ended early".to_owned()));
        }
    }
}

/// Tells a search that nobody waits for it any more.
struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn execute(hub: Arc<Hub>, stop: CancellationToken, id: String) {
    let guard = Guard { hub: hub.clone(), stop, id: id.clone() };
    let Some((request, left)) = hub.jobs().running(&hub, &id) else { return };
    tracing::debug!(job = id, "a job begins");
    let end = tokio::select! {
        end = work(&hub, &id, &request) => end,
        () = tokio::time::sleep(left) => End::Late,
    };
    hub.jobs().finish(&hub, &id, end);
    drop(guard);
    tracing::debug!(job = id, "a job has ended");
}

async fn work(hub: &Arc<Hub>, id: &str, request: &Arc<JobRequest>) -> End {
    let abandoned = Abandon(Arc::default());
    let (finder, job, condition, flag) =
        (hub.clone(), id.to_owned(), request.query_condition.clone(), abandoned.0.clone());
    let found = tokio::task::spawn_blocking(move || find(&finder, &job, condition.as_deref(), &flag)).await;
    match found {
        Ok(Ok(())) => {}
        Ok(Err(reason)) => return End::Failed(reason),
        Err(error) => {
            tracing::error!(%error, "the search for a job's devices ended early");
            return End::Failed("the search for devices ended early".to_owned());
        }
    }
    let mut under_way = JoinSet::new();
    let mut last: Option<String> = None;
    loop {
        while under_way.len() < AT_ONCE
            && let Some((target, generation)) = hub.jobs().next_pending(id, last.as_deref())
        {
            under_way.spawn(one(hub.clone(), id.to_owned(), (target.clone(), generation), request.clone()));
            last = Some(target);
        }
        match under_way.join_next().await {
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::error!(%error, job = id, "the work on a device ended early"),
            None => return End::Done,
        }
    }
}

/// Adds every device that meets the condition to the job, as queries see them: behind by the lag of the index.
fn find(hub: &Hub, id: &str, condition: Option<&str>, abandoned: &AtomicBool) -> Result<(), String> {
    let query = read(condition.unwrap_or_default())?;
    if query.source == Source::Jobs {
        return Err("a job runs on devices or modules, not on devices.jobs".to_owned());
    }
    let mut after: Option<TwinId> = None;
    while !abandoned.load(Ordering::Relaxed) {
        let twins: Vec<(Twin, u64)> = hub.read_index(|registry| {
            let twins = match query.source {
                Source::Devices => registry.device_twins_after(after.as_ref().map(|id| id.device.as_str()), CHUNK),
                Source::Modules => registry.module_twins_after(after.as_ref(), CHUNK),
                Source::Jobs => Vec::new(),
            };
            let generation = |id: &TwinId| registry.generation(id).and_then(|text| text.parse().ok()).unwrap_or(0);
            twins
                .into_iter()
                .map(|twin| (generation(&twin.id), twin))
                .map(|(generation, twin)| (twin, generation))
                .collect()
        });
        let Some((last, _)) = twins.last() else { break };
        after = Some(last.id.clone());
        let found = twins.iter().filter(|(twin, _)| query.matches(twin));
        let found = found.map(|(twin, generation)| (twin.id.to_string(), *generation));
        hub.jobs().add(hub, id, found)?;
    }
    Ok(())
}

/// A job's condition is what stands behind WHERE, or begins with FROM: users report that the service takes
/// `FROM devices.modules WHERE …` for jobs on modules.
///
/// # Errors
/// A sentence with the place in the condition as it was given.
fn read(condition: &str) -> Result<Query, String> {
    let trimmed = condition.trim();
    let from = trimmed.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("from "));
    let (before, condition) = match trimmed {
        "" | "*" => ("SELECT * FROM devices", ""),
        _ if from => ("SELECT * ", condition),
        _ => ("SELECT * FROM devices WHERE ", condition),
    };
    query::checked(&format!("{before}{condition}")).map_err(|mut error| {
        let place = |at: usize| at.saturating_sub(before.len());
        error.span = place(error.span.start)..place(error.span.end);
        format!("SQL query parse failed: queryCondition, {}", error.with_place(condition))
    })
}

/// The work on one device, of the generation that was found: another of that id need not meet the condition.
async fn one(hub: Arc<Hub>, id: String, (target, generation): (String, u64), request: Arc<JobRequest>) {
    let begun = hub.clock().now();
    // A method may be called once only, so that it was called is kept before it is.
    let keep = if matches!(request.work, Work::DeviceMethod(_)) { Keep::Yes } else { Keep::No };
    let running = hub.jobs().set_row(&hub, &id, &target, Row::running(generation, &begun), keep);
    let (twin, identity) = (twin_id(&target), generation.to_string());
    let outcome = match &request.work {
        Work::UpdateTwin(patch) => {
            let patch = Json::Object(patch.clone());
            let write = hub.write(|registry, now| {
                registry.check_generation(&twin, &identity)?;
                Ok(((), registry.write_twin(&twin, &patch, &IfMatch::Any, Mode::Merge, now)?))
            });
            write.await.map(|()| None)
        }
        Work::DeviceMethod(method) => match running.await {
            Ok(()) => methods::call_as(&hub, &twin, &identity, method).await.map(Some),
            Err(refused) => Err(refused),
        },
    };
    let now = hub.clock().now();
    let row = match outcome {
        Ok(answer) => Row::completed(begun.ticks, &now, answer),
        Err(refused) => Row::failed(Some(begun.ticks), &now, refused.code, &refused.message),
    };
    hub.happened(&twin_id(&target), What::Job { job: id.clone(), step: row.status.word().to_owned() });
    drop(hub.jobs().set_row(&hub, &id, &target, row, Keep::Yes));
}

impl Jobs {
    /// What a job that runs is to do, and how long it may take from now on.
    fn running(&self, hub: &Hub, id: &str) -> Option<(Arc<JobRequest>, Duration)> {
        let now = hub.clock().now();
        let state = self.lock();
        let job = state.jobs.get(id).filter(|job| job.status == JobStatus::Running)?;
        let allowed = job.request.max_execution_s.min(EXECUTION_MAX_S);
        let gone = now.ticks.saturating_sub(job.begun.unwrap_or(now.ticks));
        let left = (allowed * TICKS_PER_SECOND).saturating_sub(gone);
        Some((job.request.clone(), Duration::from_nanos(left.saturating_mul(100))))
    }
}
