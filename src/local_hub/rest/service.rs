//! One request, one answer: which operation it is, whether the caller may, what comes of it.

use super::answer::{self, Answer};
use super::paging::{self, PageRequest};
use super::{faulty, jobs, messages, methods, own};
use crate::local_hub::UnquotedIfMatch;
use crate::local_hub::clock::Moment;
use crate::local_hub::faults::Fate;
use crate::local_hub::hub::{Hub, Refused};
use crate::local_hub::registry::Mode;
use crate::local_hub::x509::ClientCertificates;
use crate::protocol::error::{ErrorCode, Shape};
use crate::protocol::identity;
use crate::protocol::policy::Permission;
use crate::protocol::rest::{CONTINUATION, IfMatch, MAX_ITEM_COUNT, Route, RouteError};
use crate::twin::{Json, TwinId, wire};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, IF_MATCH};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a body that holds one identity or query.
const BODY_MAX: usize = 256 * 1024;
/// Bytes of a body that holds a twin. Clients send the whole of what they read back, `$metadata` included; the registry's bounds
/// on a section keep every twin below this.
const TWIN_BODY_MAX: usize = 2 * 1024 * 1024;
/// Bytes of a body that holds up to 100 identities with first tags and desired properties.
const BULK_BODY_MAX: usize = 8 * 1024 * 1024;
/// Bytes beyond a limit that are read and thrown away, so that the peer gets to see why.
const DISCARD_MAX: usize = 4 * 1024 * 1024;
/// Bytes that are reserved for a body before it comes.
const BODY_FIRST: usize = 64 * 1024;
/// Devices in one list.
const LIST_MAX: usize = 1000;

/// What a method means on a route.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Operation {
    ListDevices { top: usize },
    Bulk,
    Query,
    GetIdentity(TwinId),
    PutIdentity(TwinId),
    DeleteIdentity(TwinId),
    ListModules { device: String },
    GetTwin(TwinId),
    WriteTwin(TwinId, Mode),
    DeviceStatistics,
    ServiceStatistics,
    CallMethod(TwinId),
    Message(messages::Operation),
    Job(jobs::Operation),
    Own(own::Operation),
}

/// Who may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needs {
    /// A service with this right on this path.
    Service(Permission, String),
    /// The device itself, or a service that may speak for devices.
    Device(TwinId),
}

pub struct Service {
    pub(super) hub: Arc<Hub>,
    body_time: Duration,
    queries: paging::Queries,
}

impl Service {
    pub fn new(hub: Arc<Hub>, body_time: Duration, aggregate_time: Duration) -> Self {
        Self { queries: paging::Queries::new(hub.clone(), aggregate_time), hub, body_time }
    }

    pub async fn answer(&self, request: Request<Incoming>) -> faulty::Reply {
        let (mut shape, mut fate) = (Shape::Named, Fate::default());
        let answer = match self.try_answer(request, &mut shape, &mut fate).await {
            Ok(answer) => answer,
            Err(refused) => {
                tracing::debug!(code = refused.code.name, message = %refused.message, "a request is refused");
                answer::refused(shape, &refused, &self.hub.now_text())
            }
        };
        faulty::reply(answer, &fate)
    }

    async fn try_answer(
        &self,
        request: Request<Incoming>,
        shape: &mut Shape,
        fate: &mut Fate,
    ) -> Result<Answer, Refused> {
        let (head, body) = request.into_parts();
        let target = head.uri.path_and_query().map_or_else(|| head.uri.path(), |target| target.as_str());
        let route = Route::parse_for(head.method.as_str(), target).map_err(|error| route_error(&error))?;
        let occasion = faulty::occasion(&head.method, &route);
        let operation = operation(&head.method, route)?;
        if matches!(operation, Operation::CallMethod(_)) {
            *shape = Shape::Nested;
        }
        let token = text(&head.headers, AUTHORIZATION);
        match operation.needs() {
            Needs::Service(permission, path) => {
                // A clock that is wrong on purpose must not lock out who is to put it right.
                let is_own = matches!(operation, Operation::Own(_));
                let now_s = if is_own { Moment::now().seconds } else { self.hub.now_s() };
                self.hub.policies().authorise(token, &path, permission, now_s)?;
            }
            Needs::Device(id) => {
                // The connection puts them beside each of its requests.
                let certificates = head.extensions.get::<ClientCertificates>().cloned().unwrap_or_default();
                self.hub.admit_call(&id, token, &certificates)?;
            }
        }
        let if_match = if_match(&head.headers)?;
        if matches!(&operation, Operation::PutIdentity(id) if id.module.is_some()) && if_match == IfMatch::Absent {
            // Creating a module is the one call whose errors the service answers in the flat shape.
            *shape = Shape::Flat;
        }
        let body = match operation.body_max() {
            Some(max) => {
                operation.check_type(&head.headers)?;
                self.read_body(body, max).await?
            }
            None => Bytes::new(),
        };
        if let Some(instead) = faulty::meet(&self.hub, occasion, fate).await {
            return instead;
        }
        self.run(operation, &head.headers, &if_match, &body).await
    }

    async fn run(
        &self,
        operation: Operation,
        headers: &HeaderMap,
        if_match: &IfMatch,
        body: &[u8],
    ) -> Result<Answer, Refused> {
        self.hub.sound()?;
        match operation {
            Operation::ListDevices { top } => {
                let devices = self.hub.read(|registry| registry.device_identities(top));
                Ok(answer::json(&devices.iter().map(identity::to_json).collect()))
            }
            Operation::ListModules { device } => {
                let modules = self.hub.read(|registry| registry.module_identities(&device))?;
                Ok(answer::json(&modules.iter().map(identity::to_json).collect()))
            }
            Operation::GetIdentity(id) => {
                let found = self.hub.read(|registry| registry.identity(&id))?;
                Ok(answer::json_with_etag(&identity::to_json(&found), &found.etag))
            }
            Operation::PutIdentity(id) => {
                let request =
                    identity::request_from_json(&id, &parse(body)?).map_err(|error| bad(&error.to_string()))?;
                let put = self.hub.write(|registry, now| {
                    let change = registry.put_identity(&request, if_match, now)?;
                    Ok((registry.identity(&id), change))
                });
                match put.await? {
                    Ok(made) => Ok(answer::json_with_etag(&identity::to_json(&made), &made.etag)),
                    Err(refused) => Err(refused),
                }
            }
            Operation::DeleteIdentity(id) => {
                self.hub.write(|registry, now| Ok(((), registry.delete_identity(&id, if_match, now)?))).await?;
                Ok(answer::nothing())
            }
            Operation::GetTwin(id) => {
                let twin = self.hub.read(|registry| registry.twin(&id))?;
                Ok(answer::json_with_etag(&wire::to_json(&twin), &twin.etag))
            }
            Operation::WriteTwin(id, mode) => {
                let body = parse(body)?;
                let if_match = self.twin_condition(if_match);
                let write = self.hub.write(|registry, now| {
                    let change = registry.write_twin(&id, &body, &if_match, mode, now)?;
                    Ok((registry.twin(&id)?, change))
                });
                let twin = write.await?;
                Ok(answer::json_with_etag(&wire::to_json(&twin), &twin.etag))
            }
            Operation::Bulk => self.bulk(&parse(body)?).await,
            Operation::Query => {
                let request = PageRequest::read(
                    &parse(body)?,
                    text(headers, HeaderName::from_static(MAX_ITEM_COUNT)),
                    text(headers, HeaderName::from_static(CONTINUATION)),
                )?;
                self.queries.page(request).await
            }
            Operation::DeviceStatistics | Operation::ServiceStatistics => Ok(self.statistics(&operation)),
            Operation::CallMethod(id) => methods::call(&self.hub, &id, body).await,
            Operation::Message(operation) => messages::run(&self.hub, operation, headers, body).await,
            Operation::Job(operation) => jobs::run(&self.hub, operation, headers, body).await,
            Operation::Own(operation) => own::run(&self.hub, operation, body).await,
        }
    }

    /// The condition of a twin write, which the registry heeds only when it came in quotes.
    fn twin_condition(&self, given: &IfMatch) -> IfMatch {
        match (self.hub.tuning().unquoted_if_match, given) {
            (UnquotedIfMatch::Honoured, IfMatch::Unquoted(etag)) => IfMatch::Quoted(etag.clone()),
            _ => given.clone(),
        }
    }

    async fn bulk(&self, body: &Json) -> Result<Answer, Refused> {
        let write = self.hub.write(|registry, now| {
            let (outcome, change) = registry.bulk(body, now)?;
            Ok((outcome, change))
        });
        let outcome = write.await?;
        let status = if outcome.errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
        let mut answer = answer::json_bytes(status, outcome.to_json().to_string().into_bytes());
        if status != StatusCode::OK {
            let code = ErrorCode::BULK_REGISTRY_OPERATION_FAILURE.name;
            answer::put(&mut answer, HeaderName::from_static(crate::protocol::rest::ERROR_CODE), code);
        }
        Ok(answer)
    }

    fn statistics(&self, operation: &Operation) -> Answer {
        let counts = self.hub.read_index(crate::local_hub::registry::Registry::statistics);
        answer::json(&if *operation == Operation::ServiceStatistics {
            serde_json::json!({"connectedDeviceCount": counts.connected})
        } else {
            serde_json::json!({
                "totalDeviceCount": counts.total,
                "enabledDeviceCount": counts.total - counts.disabled,
                "disabledDeviceCount": counts.disabled,
            })
        })
    }

    async fn read_body(&self, body: Incoming, max: usize) -> Result<Bytes, Refused> {
        match tokio::time::timeout(self.body_time, collect(body, max)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(bad("the body did not come in time")),
        }
    }
}

impl Operation {
    /// The right it takes, and the path a token must cover.
    fn needs(&self) -> Needs {
        let (permission, path) = match self {
            Self::ListDevices { .. } | Self::DeviceStatistics => (Permission::RegistryRead, "devices".to_owned()),
            Self::Bulk => (Permission::RegistryWrite, "devices".to_owned()),
            Self::Query | Self::ServiceStatistics => (Permission::ServiceConnect, "devices".to_owned()),
            Self::GetIdentity(id) => (Permission::RegistryRead, path(id)),
            Self::ListModules { device } => (Permission::RegistryRead, format!("devices/{device}")),
            Self::PutIdentity(id) | Self::DeleteIdentity(id) => (Permission::RegistryWrite, path(id)),
            Self::GetTwin(id) | Self::WriteTwin(id, _) | Self::CallMethod(id) => (Permission::ServiceConnect, path(id)),
            Self::Message(operation) => return operation.needs(),
            Self::Job(_) => (Permission::ServiceConnect, "jobs".to_owned()),
            Self::Own(_) => (Permission::ServiceConnect, "$twinscope".to_owned()),
        };
        Needs::Service(permission, path)
    }

    /// Bodies are JSON, but for messages, whose bodies are anything.
    fn check_type(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let content_type = text(headers, CONTENT_TYPE).map(str::to_ascii_lowercase);
        let is_other = content_type.is_some_and(|content_type| !content_type.contains("json"));
        if is_other && !matches!(self, Self::Message(_)) {
            let message = "the body must be application/json".to_owned();
            return Err(Refused { code: ErrorCode::GENERIC_UNSUPPORTED_MEDIA_TYPE, message });
        }
        Ok(())
    }

    /// How many bytes of body it takes; `None` when it takes none.
    fn body_max(&self) -> Option<usize> {
        match self {
            Self::PutIdentity(_) | Self::Query => Some(BODY_MAX),
            Self::WriteTwin(..) => Some(TWIN_BODY_MAX),
            Self::Bulk => Some(BULK_BODY_MAX),
            Self::CallMethod(_) => Some(methods::BODY_MAX),
            Self::Message(operation) => operation.body_max(),
            Self::Job(operation) => operation.body_max(),
            Self::Own(operation) => operation.body_max(),
            _ => None,
        }
    }
}

fn operation(method: &Method, route: Route) -> Result<Operation, Refused> {
    let wrong_method =
        || Refused { code: ErrorCode::GENERIC_METHOD_NOT_ALLOWED, message: format!("{method} is not for this path") };
    let identity = |id: TwinId| match *method {
        Method::GET => Ok(Operation::GetIdentity(id)),
        Method::PUT => Ok(Operation::PutIdentity(id)),
        Method::DELETE => Ok(Operation::DeleteIdentity(id)),
        _ => Err(wrong_method()),
    };
    match (method, route) {
        (&Method::GET, Route::Devices { top }) => Ok(Operation::ListDevices { top: list_length(top) }),
        (&Method::POST, Route::Devices { .. }) => Ok(Operation::Bulk),
        (&Method::POST, Route::Query) => Ok(Operation::Query),
        (_, Route::Device { device }) => identity(TwinId::device(device)),
        (_, Route::Module { device, module }) => identity(TwinId::module(device, module)),
        (&Method::GET, Route::Modules { device }) => Ok(Operation::ListModules { device }),
        (&Method::GET, Route::Twin(id)) => Ok(Operation::GetTwin(id)),
        (&Method::PATCH, Route::Twin(id)) => Ok(Operation::WriteTwin(id, Mode::Merge)),
        (&Method::PUT, Route::Twin(id)) => Ok(Operation::WriteTwin(id, Mode::Replace)),
        (&Method::GET, Route::DeviceStatistics) => Ok(Operation::DeviceStatistics),
        (&Method::GET, Route::ServiceStatistics) => Ok(Operation::ServiceStatistics),
        (&Method::POST, Route::Methods(id)) => Ok(Operation::CallMethod(id)),
        (method, route) => messages::Operation::of(method, &route)
            .map(Operation::Message)
            .or_else(|| jobs::Operation::of(method, &route).map(Operation::Job))
            .or_else(|| own::Operation::of(method, &route).map(Operation::Own))
            .ok_or_else(wrong_method),
    }
}

/// `top` outside 1 to 1000 behaves as 1000.
fn list_length(top: Option<i64>) -> usize {
    top.and_then(|top| usize::try_from(top).ok()).filter(|top| (1..=LIST_MAX).contains(top)).unwrap_or(LIST_MAX)
}

fn path(id: &TwinId) -> String {
    match &id.module {
        None => format!("devices/{}", id.device),
        Some(module) => format!("devices/{}/modules/{module}", id.device),
    }
}

/// Reads the body up to `max` bytes; what comes beyond is thrown away for a while, so that the answer is not lost in a reset.
async fn collect(mut body: Incoming, max: usize) -> Result<Bytes, Refused> {
    let too_large =
        || Refused { code: ErrorCode::MESSAGE_TOO_LARGE, message: format!("the body has more than {max} bytes") };
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > max + DISCARD_MAX {
        return Err(too_large());
    }
    // Grows with what comes, not with what is announced.
    let (mut bytes, mut total) = (Vec::with_capacity(announced.min(max).min(BODY_FIRST)), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| bad(&format!("the body cannot be read: {error}")))?;
        let Some(data) = frame.data_ref() else { continue };
        total += data.len();
        if total > max + DISCARD_MAX {
            return Err(too_large());
        }
        if total <= max {
            bytes.extend_from_slice(data);
        }
    }
    if total > max { Err(too_large()) } else { Ok(Bytes::from(bytes)) }
}

/// Numbers keep the spelling they came with.
pub(super) fn parse(body: &[u8]) -> Result<Json, Refused> {
    wire::json(body).map_err(|error| bad(&format!("the body is {error}")))
}

/// The condition of a write. One that cannot be understood must not count as none: the write would go through.
fn if_match(headers: &HeaderMap) -> Result<IfMatch, Refused> {
    let mut lines = headers.get_all(IF_MATCH).iter();
    let Some(line) = lines.next() else { return Ok(IfMatch::Absent) };
    if lines.next().is_some() {
        return Err(bad("If-Match is there more than once"));
    }
    match line.to_str().map(|text| IfMatch::parse(Some(text))) {
        Ok(IfMatch::Absent) | Err(_) => Err(bad("If-Match cannot be read as an etag")),
        Ok(if_match) => Ok(if_match),
    }
}

/// A header as text; one that is not ASCII counts as absent.
pub(super) fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

pub(super) fn bad(message: &str) -> Refused {
    Refused { code: ErrorCode::ARGUMENT_INVALID, message: message.to_owned() }
}

fn route_error(error: &RouteError) -> Refused {
    let code = match error {
        RouteError::NoSuchPath | RouteError::NotHere(_) => ErrorCode::GENERIC_NOT_FOUND,
        RouteError::ApiVersion => ErrorCode::INVALID_PROTOCOL_VERSION,
        RouteError::Id(_) | RouteError::Number(_) => ErrorCode::ARGUMENT_INVALID,
    };
    Refused { code, message: error.to_string() }
}
