//! The service API: one async method per operation. Dropping a future cancels its request.

use super::http::{Answer, Ask, Wire, header};
use super::{HubError, RetryPolicy, Trust};
use crate::protocol::connection_string::ConnectionString;
use crate::protocol::identity::{self, Identity, IdentityRequest};
use crate::protocol::rest::{CONTINUATION, ITEM_TYPE, IfMatch, Route};
use crate::query::ItemType;
use crate::twin::{Json, JsonMap, Twin, TwinId, wire};
use http::header::HeaderName;
use std::sync::Arc;
use std::time::Duration;

/// What one HTTP exchange was: for the Activity pane. Holds no header and no body.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestRecord {
    pub method: &'static str,
    /// Host and port it went to.
    pub host: String,
    /// Path without the query.
    pub path: String,
    /// `None` when no answer came.
    pub status: Option<u16>,
    pub duration: Duration,
    /// Bytes of the answer's body.
    pub bytes: usize,
    /// 1 for the first try.
    pub attempt: u32,
    /// Why no answer came.
    pub failure: Option<String>,
    /// It is tried again after this wait.
    pub again: Option<Duration>,
}

/// Called after every exchange, from any thread; must be quick.
pub type Observer = Arc<dyn Fn(RequestRecord) + Send + Sync>;

/// A hub reached by a service connection string. Cheap to clone; clones share the connection pool.
#[derive(Clone)]
pub struct HubClient {
    wire: Wire,
}

/// One page of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub item_type: ItemType,
    pub rows: Vec<Json>,
    /// `None` on the last page.
    pub continuation: Option<String>,
}

/// Counts of the identity registry; the real hub's lag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    pub total: u64,
    pub enabled: u64,
    pub disabled: u64,
}

impl HubClient {
    /// # Errors
    /// When the string is not a service string, or TLS cannot be set up. Nothing is sent yet.
    pub fn new(connection: &ConnectionString, trust: &Trust, observer: Observer) -> Result<Self, HubError> {
        Ok(Self { wire: Wire::new(connection, trust, observer)? })
    }

    /// The same client with another patience. The default suits a person waiting.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.wire.retry = retry;
        self
    }

    pub(super) fn wire_mut(&mut self) -> &mut Wire {
        &mut self.wire
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// `GET /twins/…`.
    ///
    /// # Errors
    /// Any of [`HubError`]; this holds for every method below.
    pub async fn twin(&self, id: &TwinId) -> Result<Twin, HubError> {
        let answer = self.wire.send(Ask::get(&Route::Twin(id.clone()))).await?;
        read_twin(id, &answer)
    }

    /// `PATCH /twins/…`; sent once, never repeated unless the hub throttled it or no connection came about.
    ///
    /// # Errors
    /// As [`Self::twin`]; `Conflict` when the etag is stale, `OutcomeUnknown` when no usable answer came.
    pub async fn patch_twin(&self, id: &TwinId, body: &JsonMap, if_match: &IfMatch) -> Result<Twin, HubError> {
        self.write_twin(http::Method::PATCH, id, body, if_match).await
    }

    /// `PUT /twins/…`; sent once, as [`Self::patch_twin`].
    ///
    /// # Errors
    /// As [`Self::patch_twin`].
    pub async fn replace_twin(&self, id: &TwinId, body: &JsonMap, if_match: &IfMatch) -> Result<Twin, HubError> {
        self.write_twin(http::Method::PUT, id, body, if_match).await
    }

    async fn write_twin(
        &self,
        method: http::Method,
        id: &TwinId,
        body: &JsonMap,
        if_match: &IfMatch,
    ) -> Result<Twin, HubError> {
        let route = Route::Twin(id.clone());
        let ask = Ask::write(method, &route, Some(&Json::Object(body.clone())), if_match)?;
        let answer = self.wire.send(ask).await?;
        read_twin(id, &answer).map_err(unread_after_write)
    }

    /// `POST /devices/query`, one page of at most `page_size` rows.
    ///
    /// # Errors
    /// As [`Self::twin`].
    pub async fn query(&self, text: &str, page_size: u32, continuation: Option<&str>) -> Result<Page, HubError> {
        let mut ask = Ask::query(text, page_size);
        if let Some(continuation) = continuation {
            ask.headers.push((HeaderName::from_static(CONTINUATION), header(continuation, "the continuation")?));
        }
        let answer = self.wire.send(ask).await?;
        let item_type = match answer.header(ITEM_TYPE) {
            Some(word) if word.eq_ignore_ascii_case("twin") => ItemType::Twin,
            Some(word) if word.eq_ignore_ascii_case("devicejob") => ItemType::DeviceJob,
            _ => ItemType::Raw,
        };
        let continuation = answer.header(CONTINUATION).filter(|text| !text.is_empty()).map(str::to_owned);
        Ok(Page { item_type, rows: array(&answer)?, continuation })
    }

    /// `GET /devices/{d}` or `/devices/{d}/modules/{m}`: the record with its keys.
    ///
    /// # Errors
    /// As [`Self::twin`].
    pub async fn identity(&self, id: &TwinId) -> Result<Identity, HubError> {
        let answer = self.wire.send(Ask::get(&record(id))).await?;
        read_identity(id, &answer.json()?)
    }

    /// `GET /devices?top=`: at most 1000 records, in no order, and no next page. For a policy that may not query.
    ///
    /// # Errors
    /// As [`Self::twin`].
    pub async fn devices(&self, top: u16) -> Result<Vec<Identity>, HubError> {
        let answer = self.wire.send(Ask::get(&Route::Devices { top: Some(i64::from(top)) })).await?;
        array(&answer)?.iter().map(|value| identity::from_json(value).map_err(|error| nonsense(&error))).collect()
    }

    /// `GET /devices/{d}/modules`.
    ///
    /// # Errors
    /// As [`Self::twin`].
    pub async fn modules(&self, device: &str) -> Result<Vec<Identity>, HubError> {
        let answer = self.wire.send(Ask::get(&Route::Modules { device: device.to_owned() })).await?;
        array(&answer)?
            .iter()
            .map(|value| {
                let identity = identity::from_json(value).map_err(|error| nonsense(&error))?;
                match &identity.id {
                    TwinId { device: theirs, module: Some(_) } if theirs == device => Ok(identity),
                    other => Err(HubError::Nonsense { what: format!("{other} among the modules of {device}") }),
                }
            })
            .collect()
    }

    /// Creates a device or module; one that exists is fetched instead. The flag says whether it is new.
    ///
    /// # Errors
    /// As [`Self::twin`].
    pub async fn create_or_get(&self, request: &IdentityRequest) -> Result<(Identity, Created), HubError> {
        let body = identity::request_to_json(request);
        match self.put_identity(&request.id, &body, &IfMatch::Absent).await {
            Ok(identity) => Ok((identity, Created::New)),
            Err(HubError::AlreadyExists { .. }) => Ok((self.identity(&request.id).await?, Created::Existed)),
            Err(error) => Err(error),
        }
    }

    /// `PUT` with a precondition: update of an existing record.
    ///
    /// # Errors
    /// As [`Self::patch_twin`].
    pub async fn update_identity(&self, identity: &Identity, if_match: &IfMatch) -> Result<Identity, HubError> {
        self.put_identity(&identity.id, &identity::to_json(identity), if_match).await
    }

    async fn put_identity(&self, id: &TwinId, body: &Json, if_match: &IfMatch) -> Result<Identity, HubError> {
        let route = record(id);
        let ask = Ask::write(http::Method::PUT, &route, Some(body), if_match)?;
        let answer = self.wire.send(ask).await?;
        answer.json().and_then(|value| read_identity(id, &value)).map_err(unread_after_write)
    }

    /// `DELETE` with a precondition.
    ///
    /// # Errors
    /// As [`Self::patch_twin`].
    pub async fn delete_identity(&self, id: &TwinId, if_match: &IfMatch) -> Result<(), HubError> {
        let route = record(id);
        self.wire.send(Ask::write(http::Method::DELETE, &route, None, if_match)?).await?;
        Ok(())
    }

    /// `GET /statistics/devices`.
    ///
    /// # Errors
    /// As [`Self::twin`].
    pub async fn statistics(&self) -> Result<Statistics, HubError> {
        let value = self.wire.send(Ask::get(&Route::DeviceStatistics)).await?.json()?;
        let count = |key: &str| {
            value.get(key).and_then(Json::as_u64).ok_or_else(|| HubError::Nonsense { what: format!("no number {key}") })
        };
        Ok(Statistics {
            total: count("totalDeviceCount")?,
            enabled: count("enabledDeviceCount")?,
            disabled: count("disabledDeviceCount")?,
        })
    }
}

/// The route of an identity record.
fn record(id: &TwinId) -> Route {
    match &id.module {
        None => Route::Device { device: id.device.clone() },
        Some(module) => Route::Module { device: id.device.clone(), module: module.clone() },
    }
}

fn read_twin(id: &TwinId, answer: &Answer) -> Result<Twin, HubError> {
    let twin = wire::parse(answer.json_bytes()?).map_err(|error| nonsense(&error))?;
    same(id, &twin.id)?;
    Ok(twin)
}

fn read_identity(id: &TwinId, value: &Json) -> Result<Identity, HubError> {
    let identity = identity::from_json(value).map_err(|error| nonsense(&error))?;
    same(id, &identity.id)?;
    Ok(identity)
}

/// An answer about something else would be shown, and saved, under the wrong name.
fn same(asked: &TwinId, answered: &TwinId) -> Result<(), HubError> {
    if asked == answered {
        Ok(())
    } else {
        let answered: String = answered.to_string().chars().filter(|c| !c.is_control()).take(260).collect();
        Err(HubError::Nonsense { what: format!("asked for {asked}, got {answered}") })
    }
}

fn array(answer: &Answer) -> Result<Vec<Json>, HubError> {
    match answer.json()? {
        Json::Array(rows) => Ok(rows),
        _ => Err(HubError::Nonsense { what: "no JSON array".to_owned() }),
    }
}

fn nonsense(error: &dyn std::error::Error) -> HubError {
    HubError::Nonsense { what: error.to_string().chars().take(300).collect() }
}

/// A write that was answered 2xx with something unreadable: it may have been the hub, so it may have happened.
pub(super) fn unread_after_write(error: HubError) -> HubError {
    match error {
        HubError::Nonsense { what } => {
            HubError::OutcomeUnknown { reason: format!("the answer is not what a hub sends: {what}") }
        }
        other => other,
    }
}

/// Whether [`HubClient::create_or_get`] made the identity or found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    New,
    Existed,
}
