//! Listing: all devices page by page, the modules of one device, and queries as typed.
//!
//! A hub allows few queries (20 a minute on small ones) but answers many rows at once; a listing goes by query pages and
//! never reads device by device.

use super::event::{DeviceRow, Fact, ModuleRow, Outcome};
use super::session::OpenHub;
use super::{Failure, Key};
use crate::client::HubError;
use crate::client::hub::Page;
use crate::protocol::identity::Identity;
use crate::query::{ItemType, quote};
use crate::twin::{ConnectionState, Json, Status, TwinId};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// Small, so that the list is on the screen soon.
const FIRST_PAGE: u32 = 100;
/// What the service documented as the most at one time. Today it documents 100; a hub gives less than is asked for, or
/// refuses, and is then asked for the small page again.
const PAGE: u32 = 1000;
/// `GET /devices` answers no more than this and has no next page.
const REGISTRY_MAX: u16 = 1000;
/// Pages without a new row are legal, for the hub's index moves while it is read; so many in a row are a hub that never ends.
const STALE_PAGES_MAX: u32 = 10;
/// The most devices a hub may hold: an IoT hub has a million by default (quotas and throttling, "Max number of devices").
const DEVICES_MAX: usize = 1_000_000;
/// An id has at most 128 characters. Rows with longer ones count for more devices.
const ID_BYTES: usize = 512;
/// A device has at most 50 modules.
const MODULES_MAX: usize = 1000;
/// Bytes of the rows that a query answers, as JSON.
const ANSWER_MAX: usize = 64 * 1024 * 1024;
/// Throttled after the client's own retries: the listing goes on after a while, so often in a row.
const THROTTLED_MAX: u32 = 10;
const THROTTLED_WAIT: Duration = Duration::from_secs(15);

const FLEET: &str = "SELECT deviceId, status, connectionState, capabilities.iotEdge AS iotEdge FROM devices";

/// Every device, as `FleetPage` facts in the order of the hub's pages.
pub(super) async fn load(hub: &OpenHub, key: Key) -> Result<Outcome, Failure> {
    let mut pages = Pages::new(hub, FLEET.to_owned());
    let mut seen = HashSet::new();
    let (mut devices, mut counted) = (0, 0);
    loop {
        let page = match pages.next(PAGE).await {
            Ok(Some(page)) => page,
            Ok(None) => return Ok(Outcome::FleetDone { devices, complete: true }),
            Err(HubError::Unauthorized { .. } | HubError::Forbidden { .. }) if devices == 0 => {
                return load_from_registry(hub, key).await;
            }
            Err(error) => return Err(Failure::Hub(error)),
        };
        let mut rows: Vec<_> = page.rows.iter().map(device_row).collect::<Result<_, _>>().map_err(Failure::Hub)?;
        rows.retain(|row| seen.insert(row.id.clone()));
        pages.found(rows.len()).map_err(Failure::Hub)?;
        counted += rows.iter().map(|row| 1 + row.id.len() / ID_BYTES).sum::<usize>();
        if counted > DEVICES_MAX {
            let what = format!("more than {DEVICES_MAX} devices; the list ends there");
            return Err(Failure::Hub(nonsense(&what)));
        }
        if !rows.is_empty() {
            devices += rows.len();
            hub.out.fact(Fact::FleetPage { key, rows }).await;
        }
    }
}

/// For a policy that may read the registry but not query: at most a thousand devices.
async fn load_from_registry(hub: &OpenHub, key: Key) -> Result<Outcome, Failure> {
    let identities = hub.heard(hub.client.devices(REGISTRY_MAX).await).map_err(Failure::Hub)?;
    let devices = identities.len();
    let rows = identities
        .into_iter()
        .map(|identity| DeviceRow {
            id: identity.id.device,
            status: identity.status,
            connection_state: identity.connection_state,
            modules: None,
            iot_edge: identity.iot_edge,
        })
        .collect();
    hub.out.fact(Fact::FleetPage { key, rows }).await;
    Ok(Outcome::FleetDone { devices, complete: devices < usize::from(REGISTRY_MAX) })
}

/// The modules of one device, by the registry, or by query where the policy may not read it. (A registry read below a
/// disabled device is refused too.)
pub(super) async fn modules(hub: &OpenHub, device: String) -> Result<Outcome, Failure> {
    let modules = match hub.heard(hub.client.modules(&device).await) {
        Ok(identities) => identities.into_iter().map(module_row).collect(),
        Err(HubError::Unauthorized { .. } | HubError::Forbidden { .. }) => {
            modules_by_query(hub, &device).await.map_err(Failure::Hub)?
        }
        Err(error) => return Err(Failure::Hub(error)),
    };
    Ok(Outcome::Modules { device, modules })
}

fn module_row(identity: Identity) -> ModuleRow {
    ModuleRow { id: identity.id, connection_state: identity.connection_state }
}

async fn modules_by_query(hub: &OpenHub, device: &str) -> Result<Vec<ModuleRow>, HubError> {
    let text = format!("SELECT moduleId, connectionState FROM devices.modules WHERE deviceId = {}", quote(device));
    let mut pages = Pages::new(hub, text);
    let mut modules = Vec::new();
    let mut seen = HashSet::new();
    while let Some(page) = pages.next(PAGE).await? {
        let before = modules.len();
        for row in &page.rows {
            let module =
                text_of(row, "moduleId").ok_or_else(|| nonsense("a row of a module query without a moduleId"))?;
            if seen.insert(module.to_owned()) {
                modules.push(ModuleRow { id: TwinId::module(device, module), connection_state: connection_state(row) });
            }
        }
        pages.found(modules.len() - before)?;
        if modules.len() > MODULES_MAX {
            return Err(nonsense(&format!("a device with more than {MODULES_MAX} modules")));
        }
    }
    Ok(modules)
}

/// A query as typed, up to `limit` rows.
pub(super) async fn query(hub: &OpenHub, text: String, limit: usize) -> Result<Outcome, Failure> {
    let start = Instant::now();
    let mut pages = Pages::new(hub, text);
    let mut rows: Vec<Json> = Vec::new();
    let mut item_type = ItemType::Raw;
    let mut bytes = 0;
    while rows.len() < limit {
        let wanted = u32::try_from(limit - rows.len()).unwrap_or(PAGE).min(PAGE);
        let Some(page) = pages.next(wanted).await.map_err(Failure::Hub)? else { break };
        item_type = page.item_type;
        pages.found(page.rows.len()).map_err(Failure::Hub)?;
        bytes += page.rows.iter().map(|row| row.to_string().len()).sum::<usize>();
        rows.extend(page.rows);
        if bytes > ANSWER_MAX {
            break;
        }
    }
    let more = pages.more() || rows.len() > limit;
    rows.truncate(limit);
    let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Outcome::QueryRows { item_type, rows, more, ms })
}

/// Walks through the pages of one query.
struct Pages<'a> {
    hub: &'a OpenHub,
    text: String,
    at: Position,
    /// Rows asked for at most from the second page on.
    page: u32,
    /// Pages in a row that brought nothing new.
    stale: u32,
}

enum Position {
    Start,
    After(String),
    End,
}

impl<'a> Pages<'a> {
    fn new(hub: &'a OpenHub, text: String) -> Self {
        Self { hub, text, at: Position::Start, page: PAGE, stale: 0 }
    }

    /// Whether the hub has told that there is more.
    fn more(&self) -> bool {
        matches!(self.at, Position::After(_))
    }

    /// The next page of at most `wanted` rows, possibly empty; `None` after the last one. The first is a small one.
    async fn next(&mut self, wanted: u32) -> Result<Option<Page>, HubError> {
        let continuation = match &self.at {
            Position::Start => None,
            Position::After(token) => Some(token.as_str()),
            Position::End => return Ok(None),
        };
        let size = wanted.min(if continuation.is_some() { self.page } else { FIRST_PAGE });
        let page = match patiently(self.hub, &self.text, size, continuation).await {
            Err(HubError::Refused { .. }) if size > FIRST_PAGE => {
                self.page = FIRST_PAGE;
                patiently(self.hub, &self.text, FIRST_PAGE, continuation).await?
            }
            answer => answer?,
        };
        let next = page.continuation.clone().map_or(Position::End, Position::After);
        if let (Position::After(before), Position::After(after)) = (&self.at, &next)
            && before == after
        {
            return Err(nonsense("a query page that continues with itself"));
        }
        self.at = next;
        Ok(Some(page))
    }
}

impl Pages<'_> {
    /// Counts the rows of the last page that were not there before.
    fn found(&mut self, fresh: usize) -> Result<(), HubError> {
        self.stale = if fresh == 0 { self.stale + 1 } else { 0 };
        if self.stale > STALE_PAGES_MAX && self.more() {
            return Err(nonsense(&format!(
                "{STALE_PAGES_MAX} pages in a row that brought nothing new, and still another one"
            )));
        }
        Ok(())
    }
}

/// One page, waiting out a throttled hub: a large fleet takes more queries than a small hub allows in a minute.
async fn patiently(hub: &OpenHub, text: &str, size: u32, continuation: Option<&str>) -> Result<Page, HubError> {
    let mut throttled = 0;
    loop {
        match hub.heard(hub.client.query(text, size, continuation).await) {
            // The first page answers a person: it says at once what is wrong.
            Err(HubError::Throttled { retry_after, .. }) if continuation.is_some() && throttled < THROTTLED_MAX => {
                throttled += 1;
                let wait = retry_after.unwrap_or(THROTTLED_WAIT).min(4 * THROTTLED_WAIT);
                hub.out.throttled(wait).await;
                tokio::time::sleep(wait).await;
            }
            answer => return answer,
        }
    }
}

fn device_row(row: &Json) -> Result<DeviceRow, HubError> {
    let id = text_of(row, "deviceId").ok_or_else(|| nonsense("a row of a device query without a deviceId"))?;
    let disabled = text_of(row, "status").is_some_and(|status| status.eq_ignore_ascii_case(Status::Disabled.word()));
    Ok(DeviceRow {
        id: id.to_owned(),
        status: if disabled { Status::Disabled } else { Status::Enabled },
        connection_state: connection_state(row),
        modules: None,
        iot_edge: row.get("iotEdge").and_then(Json::as_bool).unwrap_or(false),
    })
}

fn connection_state(row: &Json) -> ConnectionState {
    match text_of(row, "connectionState") {
        Some(word) if word.eq_ignore_ascii_case(ConnectionState::Connected.word()) => ConnectionState::Connected,
        _ => ConnectionState::Disconnected,
    }
}

fn text_of<'a>(row: &'a Json, field: &str) -> Option<&'a str> {
    row.get(field).and_then(Json::as_str)
}

fn nonsense(what: &str) -> HubError {
    HubError::Nonsense { what: what.to_owned() }
}
