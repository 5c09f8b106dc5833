//! One HTTP exchange with a hub, bounded and recorded, and its repetition where that is safe (the table is at [`RetryPolicy`]).

use super::cause;
use super::hub::{Observer, RequestRecord};
use super::token::Signer;
use super::{HubError, RetryPolicy, Trust};
use crate::protocol::connection_string::ConnectionString;
use crate::protocol::error::{self as wire_error, ErrorCode, ServiceError};
use crate::protocol::rest::{ERROR_CODE, IfMatch, MAX_ITEM_COUNT, Route};
use crate::twin::{Json, wire};
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Bodies of twins, identities and statistics.
pub(super) const DOCUMENT_MAX: usize = 2 << 20;
/// Pages of a query, lists of modules.
pub(super) const PAGE_MAX: usize = 32 << 20;
/// Of an error's body no more is read than this.
const ERROR_MAX: usize = 64 << 10;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(30);
/// Shorter than servers keep idle connections, so that a write rarely meets one that is just being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// The hub tolerates about five minutes; beyond this a refused signature is put down to the clock.
const CLOCK_TOLERANCE_S: u64 = 240;

/// Whether carrying the request out twice would change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Read,
    Write,
    /// As a write, but a 5xx in the hub's own words is its word about the device that was called.
    Call,
}

pub(super) struct Ask<'a> {
    pub method: http::Method,
    pub route: &'a Route,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Option<Vec<u8>>,
    pub limit: usize,
    pub effect: Effect,
    /// From sending to the end of the answer.
    pub patience: Duration,
}

impl<'a> Ask<'a> {
    pub(super) fn get(route: &'a Route) -> Self {
        Self {
            method: http::Method::GET,
            route,
            headers: Vec::new(),
            body: None,
            limit: DOCUMENT_MAX,
            effect: Effect::Read,
            patience: TOTAL_TIMEOUT,
        }
    }

    /// One page of a query. Asking twice changes nothing, though it is a POST.
    pub(super) fn query(text: &str, page_size: u32) -> Self {
        Self {
            method: http::Method::POST,
            route: &Route::Query,
            headers: vec![(HeaderName::from_static(MAX_ITEM_COUNT), HeaderValue::from(page_size))],
            body: Some(serde_json::json!({ "query": text }).to_string().into_bytes()),
            limit: PAGE_MAX,
            effect: Effect::Read,
            patience: TOTAL_TIMEOUT,
        }
    }

    /// A call of a method, which takes as long as it may.
    pub(super) fn call(route: &'a Route, body: &Json, patience: Duration) -> Self {
        Self {
            method: http::Method::POST,
            route,
            headers: Vec::new(),
            body: Some(body.to_string().into_bytes()),
            limit: DOCUMENT_MAX,
            effect: Effect::Call,
            patience,
        }
    }

    /// # Errors
    /// When the etag cannot stand in a header.
    pub(super) fn write(
        method: http::Method,
        route: &'a Route,
        body: Option<&Json>,
        if_match: &IfMatch,
    ) -> Result<Self, HubError> {
        let mut headers = Vec::new();
        if let IfMatch::Quoted(etag) | IfMatch::Unquoted(etag) = if_match {
            etag.check().map_err(HubError::Unguarded)?;
        }
        if let Some(text) = if_match.header() {
            headers.push((http::header::IF_MATCH, header(&text, "the etag")?));
        }
        let body = body.map(|body| body.to_string().into_bytes());
        let (limit, effect) = (DOCUMENT_MAX, Effect::Write);
        Ok(Self { method, route, headers, body, limit, effect, patience: TOTAL_TIMEOUT })
    }
}

/// A value that can stand in a header.
pub(super) fn header(text: &str, what: &str) -> Result<HeaderValue, HubError> {
    HeaderValue::from_str(text).map_err(|error| HubError::Refused {
        status: 0,
        service: super::error::said(&format!("{what} cannot stand in a header: {error}")),
    })
}

/// An answer with a status line and its whole body.
pub(super) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How far this machine's clock is ahead of the server's, by its Date header.
    pub(super) fn clock_ahead_s(&self) -> Option<i64> {
        let theirs = httpdate::parse_http_date(self.headers.get(DATE)?.to_str().ok()?).ok()?;
        let now = SystemTime::now();
        match now.duration_since(theirs) {
            Ok(ahead) => i64::try_from(ahead.as_secs()).ok(),
            Err(behind) => i64::try_from(behind.duration().as_secs()).ok().map(|seconds| -seconds),
        }
    }

    /// The body, refused early when it calls itself something that is not JSON.
    pub(super) fn json_bytes(&self) -> Result<&[u8], HubError> {
        let kind =
            self.headers.get(CONTENT_TYPE).map(|kind| String::from_utf8_lossy(kind.as_bytes()).to_ascii_lowercase());
        match kind {
            Some(kind) if !kind.contains("json") && !kind.starts_with("text/plain") => {
                let kind: String = kind.chars().filter(|c| !c.is_control()).take(60).collect();
                Err(HubError::Nonsense { what: format!("{kind} instead of JSON") })
            }
            _ => Ok(&self.body),
        }
    }

    pub(super) fn json(&self) -> Result<Json, HubError> {
        wire::json(self.json_bytes()?).map_err(|error| HubError::Nonsense { what: error.to_string() })
    }
}

/// Why there is no answer to look at.
enum Failure {
    /// No connection came about: nothing of the request was sent.
    NotSent(HubError),
    /// It was sent, wholly or in part, and no status line came back.
    Broken {
        reason: String,
    },
    TimedOut {
        after: Duration,
    },
    /// There was an answer, but none that can be used.
    Unusable {
        status: Option<u16>,
        what: String,
    },
}

impl Failure {
    fn reason(&self) -> String {
        match self {
            Self::NotSent(HubError::Unreachable { reason, .. } | HubError::Tls { reason, .. })
            | Self::Broken { reason } => reason.clone(),
            Self::NotSent(error) => error.to_string(),
            Self::TimedOut { after } => timed_out(*after),
            Self::Unusable { what, .. } => what.clone(),
        }
    }
}

fn timed_out(after: Duration) -> String {
    format!("no answer within {} s", after.as_secs())
}

/// A hub's address, the pool of connections to it and the key.
#[derive(Clone)]
pub(super) struct Wire {
    client: reqwest::Client,
    base: url::Url,
    host: String,
    signer: Arc<Signer>,
    pub observer: Observer,
    pub retry: RetryPolicy,
}

impl Wire {
    pub(super) fn new(connection: &ConnectionString, trust: &Trust, observer: Observer) -> Result<Self, HubError> {
        let signer = Arc::new(Signer::service(connection)?);
        let host = connection.host_name.clone();
        let base = url::Url::parse(&format!("https://{host}/"))
            .ok()
            .filter(|url| url.path() == "/" && url.username().is_empty() && url.query().is_none())
            .ok_or_else(|| HubError::Unreachable { host: host.clone(), reason: "this is no host name".to_owned() })?;
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(trust.config().as_ref().clone())
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .user_agent(concat!("twinscope/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&base) {
            // A company's proxy cannot reach this machine's own loopback.
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| super::trust::TrustError::Tls(cause::chain(&error)))?;
        Ok(Self { client, base, host, signer, observer, retry: RetryPolicy::default() })
    }

    /// Sends it, again where the table at [`RetryPolicy`] allows, until a 2xx comes or the tries are used up.
    pub(super) async fn send(&self, ask: Ask<'_>) -> Result<Answer, HubError> {
        let mut attempt = 1;
        loop {
            let (outcome, mut record) = self.exchange(&ask, attempt).await?;
            let (error, wait) = match outcome {
                Ok(answer) if (200..300).contains(&answer.status) => {
                    (self.observer)(record);
                    return Ok(answer);
                }
                Ok(answer) => self.refused(&ask, &answer, attempt),
                Err(failure) => self.failed(&ask, failure, attempt),
            };
            record.again = wait.filter(|_| attempt < self.retry.tries);
            let again = record.again;
            (self.observer)(record);
            match again {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(error),
            }
            attempt += 1;
        }
    }

    /// One exchange, whatever its status, and its record. The outer error is of this side: nothing was tried.
    async fn exchange(
        &self,
        ask: &Ask<'_>,
        attempt: u32,
    ) -> Result<(Result<Answer, Failure>, RequestRecord), HubError> {
        let url = self.address(ask.route)?;
        let mut token = header(self.signer.token()?.text.reveal(), "the token")?;
        token.set_sensitive(true);
        let mut request = self.client.request(ask.method.clone(), url).header(AUTHORIZATION, token);
        request = request.header(http::header::ACCEPT, "application/json");
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &ask.body {
            // What is no JSON says itself what it is.
            if !ask.headers.iter().any(|(name, _)| name == CONTENT_TYPE) {
                request = request.header(CONTENT_TYPE, "application/json; charset=utf-8");
            }
            request = request.body(body.clone());
        }
        let started = Instant::now();
        let outcome = self.receive(request.timeout(ask.patience), ask.limit, ask.patience).await;
        let record = RequestRecord {
            method: method_word(&ask.method),
            host: self.host.clone(),
            path: ask.route.path(),
            status: match &outcome {
                Ok(answer) => Some(answer.status),
                Err(Failure::Unusable { status, .. }) => *status,
                Err(_) => None,
            },
            duration: started.elapsed(),
            bytes: outcome.as_ref().map_or(0, |answer| answer.body.len()),
            attempt,
            failure: outcome.as_ref().err().map(Failure::reason),
            again: None,
        };
        Ok((outcome, record))
    }

    async fn receive(
        &self,
        request: reqwest::RequestBuilder,
        limit: usize,
        patience: Duration,
    ) -> Result<Answer, Failure> {
        let mut response = request.send().await.map_err(|error| self.no_answer(&error, patience))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let success = (200..300).contains(&status);
        let unusable = |what: String| Failure::Unusable { status: Some(status), what };
        let stated = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if success && stated.is_some_and(|stated| stated > limit) {
            return Err(unusable(too_large(limit)));
        }
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= limit => body.extend_from_slice(&chunk),
                Ok(Some(_)) if success => return Err(unusable(too_large(limit))),
                Err(error) if success && error.is_timeout() => {
                    return Err(unusable(format!("the body did not end: {}", timed_out(patience))));
                }
                Err(error) if success => return Err(unusable(format!("the body broke off: {}", cause::chain(&error)))),
                // What is known of an error is its status; its text is welcome as far as it goes.
                Ok(Some(_) | None) | Err(_) => break,
            }
            if !success && body.len() >= ERROR_MAX {
                break;
            }
        }
        Ok(Answer { status, headers, body })
    }

    /// Sorts the ways of getting no status line.
    fn no_answer(&self, error: &reqwest::Error, patience: Duration) -> Failure {
        let host = self.host.clone();
        if error.is_connect() {
            let reason = if error.is_timeout() {
                format!("no connection within {} s", CONNECT_TIMEOUT.as_secs())
            } else {
                cause::chain(error)
            };
            return Failure::NotSent(match tls_error(error) {
                Some(rustls::Error::InvalidCertificate(why)) => HubError::Tls { host, reason: cause::distrust(why) },
                Some(tls) => HubError::Unreachable { host, reason: format!("the TLS handshake failed: {tls}") },
                None => HubError::Unreachable { host, reason },
            });
        }
        if error.is_timeout() {
            return Failure::TimedOut { after: patience };
        }
        match find::<hyper::Error>(error) {
            Some(hyper) if hyper.is_parse() => Failure::Unusable { status: None, what: format!("not HTTP: {hyper}") },
            _ => Failure::Broken { reason: cause::chain(error) },
        }
    }

    /// A status other than 2xx: the error, and the wait before it may be tried again.
    fn refused(&self, ask: &Ask<'_>, answer: &Answer, attempt: u32) -> (HubError, Option<Duration>) {
        let service = wire_error::read(answer.header(ERROR_CODE), &answer.body);
        let retry_after = answer.headers.get(RETRY_AFTER).and_then(|value| read_retry_after(value.to_str().ok()?));
        match (answer.status, ask.effect) {
            (401, _) => match answer.clock_ahead_s() {
                Some(ahead_s) if ahead_s.unsigned_abs() > CLOCK_TOLERANCE_S && may_be_the_clock(&service) => {
                    (HubError::ClockOff { ahead_s }, None)
                }
                _ => (HubError::of_status(401, service, None), None),
            },
            (429, _) => (HubError::of_status(429, service, retry_after), self.retry.after_throttling(retry_after)),
            (status @ (500 | 502 | 503 | 504), Effect::Read) => {
                let wait = match retry_after {
                    Some(_) => self.retry.after_throttling(retry_after),
                    None => Some(self.retry.backoff(attempt)),
                };
                (HubError::of_status(status, service, None), wait)
            }
            // A 503 in the hub's own words is a refusal at the door. Any other 5xx, and any 503 of something in between, may
            // come after the write was carried out.
            (503, Effect::Write) if answer.headers.contains_key(ERROR_CODE) => {
                (HubError::of_status(503, service, None), None)
            }
            (status @ 500..600, Effect::Call) if answer.headers.contains_key(ERROR_CODE) => {
                (HubError::of_status(status, service, None), None)
            }
            (status @ 500..600, Effect::Write | Effect::Call) => {
                let said = service.message.map(|message| format!(": {message}")).unwrap_or_default();
                (HubError::OutcomeUnknown { reason: format!("the hub answered with status {status}{said}") }, None)
            }
            (status, _) => (HubError::of_status(status, service, None), None),
        }
    }

    /// No usable answer: the error, and the wait before it may be tried again.
    fn failed(&self, ask: &Ask<'_>, failure: Failure, attempt: u32) -> (HubError, Option<Duration>) {
        let again = Some(self.retry.backoff(attempt));
        match (failure, ask.effect) {
            (Failure::NotSent(error @ HubError::Unreachable { .. }), _) => (error, again),
            (Failure::NotSent(error), _) => (error, None),
            (failure, Effect::Write | Effect::Call) => (HubError::OutcomeUnknown { reason: failure.reason() }, None),
            (Failure::Broken { reason }, Effect::Read) => {
                (HubError::Unreachable { host: self.host.clone(), reason }, again)
            }
            (Failure::TimedOut { after }, Effect::Read) => {
                (HubError::Unreachable { host: self.host.clone(), reason: timed_out(after) }, None)
            }
            (Failure::Unusable { what, .. }, Effect::Read) => (HubError::Nonsense { what }, None),
        }
    }

    /// The URL of a route.
    ///
    /// URL parsers take `.` and `..` out of a path and would so address another resource. [`Route::target`] writes such ids in a
    /// form that survives; what would not arrive as it was meant is not sent.
    fn address(&self, route: &Route) -> Result<url::Url, HubError> {
        let target = route.target();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut url = self.base.clone();
        url.set_path(path);
        url.set_query(Some(query));
        if url.path() == path && url.query() == Some(query) {
            Ok(url)
        } else {
            Err(HubError::Refused { status: 0, service: super::error::said("this id cannot stand in a URL") })
        }
    }
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref() {
            return Some(found);
        }
        next = cause.source();
    }
    None
}

/// The handshake's error, which hides inside an I/O error.
pub(super) fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => cause.source(),
        };
    }
    None
}

fn too_large(limit: usize) -> String {
    format!("more than {} MB", limit >> 20)
}

/// Seconds, or a date.
fn read_retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text.trim()).ok()?;
    Some(until.duration_since(SystemTime::now()).unwrap_or_default())
}

/// Whether a 401 may be for an expired token: refused as such, or without a reason.
fn may_be_the_clock(service: &ServiceError) -> bool {
    match service.number {
        Some(number) => number == ErrorCode::IOT_HUB_UNAUTHORIZED.number,
        None => service.name.is_none(),
    }
}

fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn method_word(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        _ => "POST",
    }
}
