//! Queries, page by page: a plain query is read from where the last page ended until the page is full, never from the start;
//! an aggregate is computed whole and cut into pages.
//!
//! Rows are ordered by id and a continuation names the last id looked at, so inserts and deletes between two pages neither repeat nor
//! hide any other row.

mod jobs;

use super::answer::{self, Answer};
use crate::local_hub::hub::{Hub, Refused};
use crate::protocol::error::ErrorCode;
use crate::protocol::rest::{CONTINUATION, ITEM_TYPE};
use crate::query::{self, Query, Source};
use crate::twin::{Json, Twin, TwinId};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use http::header::HeaderName;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

const PAGE_DEFAULT: usize = 100;
/// Today's documentation says 100 for twin queries, older text and the Azure CLI use 1000; more is clamped.
const PAGE_MAX: usize = 1000;
/// Bytes of one answer; rows beyond go to the next page.
const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// A page that finds little ends after this time, with a continuation: an empty page with one is legal.
const PAGE_TIME: Duration = Duration::from_secs(2);
/// Twins copied out of the registry per lock.
const CHUNK: usize = 64;
/// Queries that run at once; others wait.
const AT_ONCE: u32 = 4;
/// Places an aggregate takes: it walks all twins of its source, and must leave room for pages.
const AGGREGATE_PLACES: u32 = 2;
const TOKEN_MAX: usize = 2048;

/// A query request understood.
pub struct PageRequest {
    query: Query,
    /// Ties a continuation to its query.
    fingerprint: String,
    page_size: usize,
    from: Position,
}

/// Where a page begins. The wire sees it as base64 of JSON, and is to take it as opaque.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Position {
    /// Fingerprint of the query.
    q: String,
    /// The last id looked at, of a plain query.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    /// Rows answered so far: what `TOP` counts, and where an aggregate goes on.
    rows: usize,
}

impl PageRequest {
    /// # Errors
    /// 400 for a body that holds no query, a query that cannot be understood, a bad page size or continuation.
    pub fn read(body: &Json, page_size: Option<&str>, continuation: Option<&str>) -> Result<Self, Refused> {
        let text = body.get("query").and_then(Json::as_str).ok_or_else(|| bad("the body has no query"))?;
        if text.chars().count() > query::TEXT_MAX {
            return Err(bad(&format!("a query has at most {} characters", query::TEXT_MAX)));
        }
        let query = query::checked(text).map_err(|error| bad(&error.with_place(text)))?;
        let fingerprint = URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..9]);
        let page_size = self::page_size(page_size)?;
        let from = match continuation.map(str::trim).filter(|text| !text.is_empty()) {
            None => Position { q: fingerprint.clone(), ..Position::default() },
            Some(token) => read_token(token)
                .filter(|position| position.q == fingerprint)
                .ok_or_else(|| bad("x-ms-continuation does not belong to this query"))?,
        };
        Ok(Self { query, fingerprint, page_size, from })
    }
}

/// How many rows a page holds.
///
/// # Errors
/// 400 for what is no positive number.
pub(super) fn page_size(header: Option<&str>) -> Result<usize, Refused> {
    match header.map(str::trim).filter(|text| !text.is_empty()) {
        None => Ok(PAGE_DEFAULT),
        Some(text) => {
            let size = text.parse::<i64>().ok().and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0);
            Ok(size.ok_or_else(|| bad("x-ms-max-item-count is not a positive number"))?.min(PAGE_MAX))
        }
    }
}

fn read_token(token: &str) -> Option<Position> {
    if token.len() > TOKEN_MAX {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}

/// One page found.
struct Page {
    /// The array of rows, as JSON.
    body: Vec<u8>,
    /// `None` on the last page.
    next: Option<Position>,
}

/// Runs queries beside the sockets, a few at a time.
pub struct Queries {
    hub: Arc<Hub>,
    places: Semaphore,
    aggregate_time: Duration,
}

/// Tells a running query that nobody waits for it any more.
struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Queries {
    pub fn new(hub: Arc<Hub>, aggregate_time: Duration) -> Self {
        Self { hub, aggregate_time, places: Semaphore::new(AT_ONCE as usize) }
    }

    /// Answers a page with its headers.
    ///
    /// # Errors
    /// 503 for an aggregate that takes too long; 500 when the query ended early, which would be a mistake in it.
    pub async fn page(&self, request: PageRequest) -> Result<Answer, Refused> {
        let failed = || Refused { code: ErrorCode::SERVER_ERROR, message: "the query ended early".to_owned() };
        let weight = if request.query.is_aggregate() { AGGREGATE_PLACES } else { 1 };
        let Ok(place) = self.places.acquire_many(weight).await else { return Err(failed()) };
        let abandoned = Abandon(Arc::new(AtomicBool::new(false)));
        let (hub, flag, time) = (self.hub.clone(), abandoned.0.clone(), self.aggregate_time);
        let item_type = request.query.item_type();
        let page = tokio::task::spawn_blocking(move || find(&hub, &request, time, &flag)).await;
        drop((place, abandoned));
        let page = page.map_err(|error| {
            tracing::error!(%error, "a query ended early");
            failed()
        })??;
        let mut answer = answer::json_bytes(StatusCode::OK, page.body);
        answer::put(&mut answer, HeaderName::from_static(ITEM_TYPE), item_type.word());
        if let Some(token) = page.next.and_then(|next| serde_json::to_vec(&next).ok()) {
            answer::put(&mut answer, HeaderName::from_static(CONTINUATION), &URL_SAFE_NO_PAD.encode(token));
        }
        Ok(answer)
    }
}

fn find(hub: &Hub, request: &PageRequest, time: Duration, abandoned: &AtomicBool) -> Result<Page, Refused> {
    if request.query.source == Source::Jobs {
        return Ok(jobs::rows(hub, request, abandoned));
    }
    if request.query.is_aggregate() {
        aggregate(hub, request, time, abandoned)
    } else {
        Ok(rows(hub, request, abandoned))
    }
}

/// The next twins after an id, of the query's source.
fn chunk(hub: &Hub, source: Source, after: Option<&TwinId>) -> Vec<Twin> {
    hub.read_index(|registry| match source {
        Source::Modules => registry.module_twins_after(after, CHUNK),
        Source::Devices | Source::Jobs => registry.device_twins_after(after.map(|after| after.device.as_str()), CHUNK),
    })
}

fn rows(hub: &Hub, request: &PageRequest, abandoned: &AtomicBool) -> Page {
    let started = Instant::now();
    let top = request.query.top().unwrap_or(usize::MAX);
    let mut out = Rows::default();
    let mut after: Option<TwinId> = request.from.after.as_deref().and_then(|after| after.parse().ok());
    let here = |after: &Option<TwinId>, rows: usize| Position {
        q: request.fingerprint.clone(),
        after: after.as_ref().map(ToString::to_string),
        rows: request.from.rows + rows,
    };
    loop {
        let twins = chunk(hub, request.query.source, after.as_ref());
        if twins.is_empty() || request.from.rows + out.count >= top {
            return Page { body: out.finish(), next: None };
        }
        for twin in twins {
            if request.query.matches(&twin) {
                if request.from.rows + out.count >= top {
                    return Page { body: out.finish(), next: None };
                }
                // Only a row that finds no place proves that there is a next page.
                let row = request.query.project(&twin).to_string();
                if !out.has_room(&row, request.page_size) {
                    let next = Some(here(&after, out.count));
                    return Page { body: out.finish(), next };
                }
                out.push(&row);
            }
            after = Some(twin.id);
        }
        if started.elapsed() > PAGE_TIME || abandoned.load(Ordering::Relaxed) {
            let next = Some(here(&after, out.count));
            return Page { body: out.finish(), next };
        }
    }
}

fn aggregate(hub: &Hub, request: &PageRequest, time: Duration, abandoned: &AtomicBool) -> Result<Page, Refused> {
    let started = Instant::now();
    let mut after = None;
    let mut tally = request.query.tally();
    loop {
        let twins = chunk(hub, request.query.source, after.as_ref());
        let Some(last) = twins.last() else { break };
        after = Some(last.id.clone());
        if let Some(tally) = &mut tally {
            for twin in &twins {
                tally.take(twin);
            }
        }
        if abandoned.load(Ordering::Relaxed) {
            break;
        }
        if started.elapsed() >= time {
            let message = format!("the query took more than {} s: ask about fewer devices", time.as_secs());
            return Err(Refused { code: ErrorCode::SERVICE_UNAVAILABLE, message });
        }
    }
    let all = tally.map(query::Tally::finish).unwrap_or_default();
    let mut out = Rows::default();
    let mut rest = all.iter().skip(request.from.rows);
    for row in rest.by_ref().take(request.page_size) {
        out.push(&row.to_string());
    }
    let next = rest.next().map(|_| Position {
        q: request.fingerprint.clone(),
        after: None,
        rows: request.from.rows + out.count,
    });
    Ok(Page { body: out.finish(), next })
}

/// A JSON array being written.
#[derive(Default)]
pub(super) struct Rows {
    bytes: Vec<u8>,
    count: usize,
}

impl Rows {
    /// Whether the row has a place on a page of so many; the first always has.
    pub(super) fn has_room(&self, row: &str, page_size: usize) -> bool {
        self.count == 0 || (self.count < page_size && self.bytes.len() + row.len() <= PAGE_BYTES_MAX)
    }

    pub(super) fn push(&mut self, row: &str) {
        self.bytes.push(if self.count == 0 { b'[' } else { b',' });
        self.bytes.extend_from_slice(row.as_bytes());
        self.count += 1;
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.count == 0 {
            self.bytes.push(b'[');
        }
        self.bytes.push(b']');
        // It may wait for its reader, and has grown by doubling.
        self.bytes.shrink_to_fit();
        self.bytes
    }
}

/// The service says no more than `BadRequest`; the reason after it is for people.
fn bad(message: &str) -> Refused {
    Refused { code: ErrorCode::ARGUMENT_INVALID, message: format!("BadRequest: {message}") }
}
