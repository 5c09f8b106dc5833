//! Jobs v2 over HTTPS.

use super::answer::{self, Answer};
use super::paging::{self, Rows};
use super::service::{bad, parse, text};
use crate::local_hub::hub::{Hub, Refused};
use crate::local_hub::jobs::{Filter, refuse};
use crate::protocol::error::ErrorCode;
use crate::protocol::job::{JobRequest, JobStatus, JobType, PayloadForm};
use crate::protocol::rest::{CONTINUATION, ITEM_TYPE, MAX_ITEM_COUNT, Route};
use crate::twin::Json;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::HeaderName;
use http::{HeaderMap, Method, StatusCode};

/// Bytes of a job. A method's payload has at most 128 KB as compact UTF-8; a client that escapes all that is not ASCII (Python's
/// does) writes up to three times as much.
const BODY_MAX: usize = 512 * 1024;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    Create {
        job: String,
    },
    Get {
        job: String,
    },
    Cancel {
        job: String,
    },
    List {
        job_type: Option<String>,
        job_status: Option<String>,
    },
    /// All import and export jobs. There are none, and `az iot hub job list` asks for both kinds.
    ListImportExport,
    ImportExport,
}

impl Operation {
    /// `None` when the method and route are none of these.
    pub fn of(method: &Method, route: &Route) -> Option<Self> {
        match (method, route) {
            (&Method::PUT, Route::Job { job }) => Some(Self::Create { job: job.clone() }),
            (&Method::GET, Route::Job { job }) => Some(Self::Get { job: job.clone() }),
            (&Method::POST, Route::CancelJob { job }) => Some(Self::Cancel { job: job.clone() }),
            (&Method::GET, Route::JobQuery { job_type, job_status }) => {
                Some(Self::List { job_type: job_type.clone(), job_status: job_status.clone() })
            }
            (&Method::GET, Route::ImportExport { job: None }) => Some(Self::ListImportExport),
            (_, Route::ImportExport { .. }) => Some(Self::ImportExport),
            _ => None,
        }
    }

    /// How many bytes of body it takes; `None` when it takes none.
    pub fn body_max(&self) -> Option<usize> {
        matches!(self, Self::Create { .. }).then_some(BODY_MAX)
    }
}

/// Does it.
///
/// # Errors
/// What the hub refuses.
pub async fn run(hub: &Hub, operation: Operation, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Refused> {
    match operation {
        Operation::Create { job } => {
            // The id in the path counts, whatever the body says.
            let request = JobRequest::from_json(&parse(body)?).map_err(|problem| refuse(&problem))?;
            let made = hub.jobs().create(hub, &job, request).await?;
            Ok(answer::json(&made.to_json(PayloadForm::AsGiven)))
        }
        Operation::Get { job } => Ok(answer::json(&hub.jobs().get(&job)?.to_json(PayloadForm::Bytes))),
        Operation::Cancel { job } => {
            let cancelled = hub.jobs().cancel(hub, &job).await?;
            Ok(answer::json(&cancelled.to_json(PayloadForm::Bytes)))
        }
        Operation::List { job_type, job_status } => {
            let job_type = word("jobType", job_type.as_deref(), JobType::parse)?;
            let filter = Filter { job_type, status: word("jobStatus", job_status.as_deref(), JobStatus::parse)? };
            list(hub, filter, headers)
        }
        Operation::ListImportExport => Ok(answer::json(&Json::Array(Vec::new()))),
        Operation::ImportExport => Err(Refused {
            code: ErrorCode::OPERATION_NOT_AVAILABLE_IN_CURRENT_TIER,
            message:
                "Import and export jobs read and write blobs of a storage account, and a local hub has none. Use bulk \
                      operations (POST /devices) and queries."
                    .to_owned(),
        }),
    }
}

/// A filter; nothing filters nothing.
fn word<T>(name: &str, word: Option<&str>, parse: fn(&str) -> Option<T>) -> Result<Option<T>, Refused> {
    match word.map(str::trim).filter(|word| !word.is_empty()) {
        None => Ok(None),
        Some(word) => parse(word).map(Some).ok_or_else(|| bad(&format!("{name} is none that jobs have"))),
    }
}

/// A page of jobs, ordered by id. A continuation names the last one answered.
fn list(hub: &Hub, filter: Filter, headers: &HeaderMap) -> Result<Answer, Refused> {
    let size = paging::page_size(text(headers, HeaderName::from_static(MAX_ITEM_COUNT)))?;
    let token = text(headers, HeaderName::from_static(CONTINUATION)).map(str::trim).filter(|token| !token.is_empty());
    let after = match token {
        None => None,
        Some(token) => {
            let decoded = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            Some(decoded.ok_or_else(|| bad("x-ms-continuation does not belong to this query"))?)
        }
    };
    let mut out = Rows::default();
    let mut next = None;
    let mut last = after;
    // One more than the page holds tells whether there is another page.
    for job in hub.jobs().list(last.as_deref(), filter, size + 1) {
        let row = job.to_json(PayloadForm::Bytes).to_string();
        if !out.has_room(&row, size) {
            next.clone_from(&last);
            break;
        }
        out.push(&row);
        last = Some(job.job_id);
    }
    let mut answer = answer::json_bytes(StatusCode::OK, out.finish());
    answer::put(&mut answer, HeaderName::from_static(ITEM_TYPE), "JobResponse");
    if let Some(next) = next {
        answer::put(&mut answer, HeaderName::from_static(CONTINUATION), &URL_SAFE_NO_PAD.encode(next));
    }
    Ok(answer)
}
