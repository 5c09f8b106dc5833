//! The service API's routes, headers and precondition values, both directions.
//!
//! Ids are percent-encoded in paths. Azure IoT Explorer encodes the whole path instead (`/twins%2Fdev1`), and the hub takes
//! it: Twinscope uses the same form for the two ids a URL library would otherwise swallow, see [`Route::target`].

use super::percent;
use crate::twin::{Etag, TwinId};

/// What this program sends.
pub const API_VERSION: &str = "2021-04-12";
pub const MAX_ITEM_COUNT: &str = "x-ms-max-item-count";
pub const CONTINUATION: &str = "x-ms-continuation";
pub const ITEM_TYPE: &str = "x-ms-item-type";
pub const ERROR_CODE: &str = "iothub-errorcode";
pub const REQUEST_ID: &str = "x-ms-request-id";

/// One addressable thing of the service API; the method says what is done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `GET /devices?top=`, `POST /devices` (bulk).
    Devices { top: Option<i64> },
    /// `POST /devices/query`.
    Query,
    /// `/devices/{d}`.
    Device { device: String },
    /// `GET /devices/{d}/modules`.
    Modules { device: String },
    /// `/devices/{d}/modules/{m}`.
    Module { device: String, module: String },
    /// `/twins/{d}` or `/twins/{d}/modules/{m}`.
    Twin(TwinId),
    /// `POST /twins/{…}/methods`.
    Methods(TwinId),
    /// `GET /statistics/devices`.
    DeviceStatistics,
    /// `GET /statistics/service`.
    ServiceStatistics,
}

/// Why a target is no route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    #[error("no such path")]
    NoSuchPath,
    #[error("api-version is missing or not supported")]
    ApiVersion,
    #[error("bad id: {0}")]
    Id(#[from] crate::twin::IdProblem),
}

impl Route {
    /// Path and query for a request line, ids percent-encoded: `/twins/dev%231?api-version=2021-04-12`.
    ///
    /// `.` and `..` are legal ids. URL libraries that follow the WHATWG standard (the `url` crate, and so reqwest) remove
    /// them as dot segments, and `%2E` no less: `/twins/%2E%2E` becomes `/`. A path with such an id is therefore encoded as
    /// a whole, `/twins%2F..`, one segment that is no dot segment and that hubs read like `/twins/..`.
    ///
    /// A device called `query` is written `%71uery`, so that `/devices/query` stays the query.
    #[must_use]
    pub fn target(&self) -> String {
        let segments = self.segments();
        let path = if segments.iter().any(|segment| matches!(*segment, "." | "..")) {
            percent::encode(&segments.join("/"))
        } else {
            let device_query = matches!(self, Self::Device { device } if is_literal(device, QUERY))
                .then(|| query_device_segment(segments[1]));
            let encoded: Vec<String> = match device_query {
                Some(id) => vec![percent::encode(segments[0]), id],
                None => segments.iter().map(|segment| percent::encode(segment)).collect(),
            };
            encoded.join("/")
        };
        match self {
            Self::Devices { top: Some(top) } => format!("/{path}?top={top}&api-version={API_VERSION}"),
            _ => format!("/{path}?api-version={API_VERSION}"),
        }
    }

    /// The path for people, without the query: ids as they are. Not for a request.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/{}", self.segments().join("/"))
    }

    /// The segments of the path, ids not encoded.
    fn segments(&self) -> Vec<&str> {
        fn twin(id: &TwinId) -> Vec<&str> {
            match &id.module {
                Some(module) => vec![TWINS, &id.device, MODULES, module],
                None => vec![TWINS, &id.device],
            }
        }
        match self {
            Self::Devices { .. } => vec![DEVICES],
            Self::Query => vec![DEVICES, QUERY],
            Self::Device { device } => vec![DEVICES, device],
            Self::Modules { device } => vec![DEVICES, device, MODULES],
            Self::Module { device, module } => vec![DEVICES, device, MODULES, module],
            Self::Twin(id) => twin(id),
            Self::Methods(id) => {
                let mut segments = twin(id);
                segments.push(METHODS);
                segments
            }
            Self::DeviceStatistics => vec![STATISTICS, DEVICES],
            Self::ServiceStatistics => vec![STATISTICS, "service"],
        }
    }

    /// Reads a request target. Literals in any case, ids case-sensitive; a whole path that came percent-encoded (`/twins%2Fdev1`) and a trailing slash are understood;
    /// any `20dd-dd-dd[-preview]` api-version is accepted. `/devices/query` is [`Route::Query`]; where the method is known,
    /// [`Route::parse_for`] tells it from a device of that name.
    ///
    /// # Errors
    /// Unknown paths, missing api-version, ids with illegal characters.
    pub fn parse(target: &str) -> Result<Self, RouteError> {
        Self::parse_for("POST", target)
    }

    /// Reads a request target of a request with this method: `/devices/query` is the query only when posted to, else the
    /// device called `query`.
    ///
    /// # Errors
    /// As [`Route::parse`].
    pub fn parse_for(method: &str, target: &str) -> Result<Self, RouteError> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.strip_prefix('/').ok_or(RouteError::NoSuchPath)?;
        let path = path.strip_suffix('/').unwrap_or(path);
        // A path that came encoded as a whole is one segment with the separators inside. Decoded once, as a whole, its ids are plain.
        let whole = if path.contains('/') { None } else { split_whole(path)? };
        let (raw, decoded) = if let Some(segments) = whole {
            (segments.clone(), segments)
        } else {
            let raw: Vec<String> = path.split('/').map(str::to_owned).collect();
            let decoded = raw.iter().map(|segment| percent::decode_exact(segment).ok_or(RouteError::NoSuchPath));
            let decoded = decoded.collect::<Result<Vec<String>, RouteError>>()?;
            (raw, decoded)
        };
        let is_query = method == "POST" && raw.get(1).is_some_and(|segment| is_literal(segment, QUERY));
        let route = Self::from_segments(&decoded, query, if is_query { Posted::ToQuery } else { Posted::Elsewhere })?;
        if !parameter(query, "api-version").is_some_and(|version| is_api_version(&version)) {
            return Err(RouteError::ApiVersion);
        }
        Ok(route)
    }

    fn from_segments(segments: &[String], query: &str, posted: Posted) -> Result<Self, RouteError> {
        let words: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (root, rest) = words.split_first().ok_or(RouteError::NoSuchPath)?;
        let route = if is_literal(root, DEVICES) {
            match (rest, posted) {
                ([], _) => Self::Devices { top: parameter(query, "top").and_then(|top| top.parse().ok()) },
                ([_], Posted::ToQuery) => Self::Query,
                ([device], _) => Self::Device { device: id(device)? },
                ([device, modules], _) if is_literal(modules, MODULES) => Self::Modules { device: id(device)? },
                ([device, modules, module], _) if is_literal(modules, MODULES) => {
                    Self::Module { device: id(device)?, module: id(module)? }
                }
                _ => return Err(RouteError::NoSuchPath),
            }
        } else if is_literal(root, TWINS) {
            match rest {
                [device] => Self::Twin(TwinId::device(id(device)?)),
                [device, methods] if is_literal(methods, METHODS) => Self::Methods(TwinId::device(id(device)?)),
                [device, modules, module] if is_literal(modules, MODULES) => {
                    Self::Twin(TwinId::module(id(device)?, id(module)?))
                }
                [device, modules, module, methods] if is_literal(modules, MODULES) && is_literal(methods, METHODS) => {
                    Self::Methods(TwinId::module(id(device)?, id(module)?))
                }
                _ => return Err(RouteError::NoSuchPath),
            }
        } else if is_literal(root, STATISTICS) {
            match rest {
                [kind] if is_literal(kind, DEVICES) => Self::DeviceStatistics,
                [kind] if is_literal(kind, "service") => Self::ServiceStatistics,
                _ => return Err(RouteError::NoSuchPath),
            }
        } else {
            return Err(RouteError::NoSuchPath);
        };
        Ok(route)
    }
}

const DEVICES: &str = "devices";
const QUERY: &str = "query";
const TWINS: &str = "twins";
const MODULES: &str = "modules";
const METHODS: &str = "methods";
const STATISTICS: &str = "statistics";

/// Whether a two-segment path is the query or a device.
#[derive(Clone, Copy)]
enum Posted {
    ToQuery,
    Elsewhere,
}

/// `query` with its first letter escaped, in whichever case it came.
fn query_device_segment(id: &str) -> String {
    match id.as_bytes().first() {
        Some(first) => format!("%{first:02X}{}", percent::encode(&id[1..])),
        None => String::new(),
    }
}

fn is_literal(segment: &str, word: &str) -> bool {
    segment.eq_ignore_ascii_case(word)
}

fn id(text: &str) -> Result<String, RouteError> {
    TwinId::check(text)?;
    Ok(text.to_owned())
}

/// The segments of a path that came encoded as a whole; `None` when it did not.
fn split_whole(path: &str) -> Result<Option<Vec<String>>, RouteError> {
    if !path.contains("%2F") && !path.contains("%2f") {
        return Ok(None);
    }
    let decoded = percent::decode_exact(path).ok_or(RouteError::NoSuchPath)?;
    Ok(Some(decoded.trim_matches('/').split('/').map(str::to_owned).collect()))
}

/// The first value of a query parameter, decoded; its name in any case.
fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        percent::decode(key).eq_ignore_ascii_case(name).then(|| percent::decode(value))
    })
}

/// `20dd-dd-dd`, possibly with `-preview`: hubs accept many, and which ones is not written down.
fn is_api_version(text: &str) -> bool {
    let text = text.strip_suffix("-preview").unwrap_or(text).as_bytes();
    text.len() == 10
        && text.starts_with(b"20")
        && text.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

/// An If-Match header understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    Absent,
    /// `*` or `"*"`.
    Any,
    /// `"x"` or `W/"x"`.
    Quoted(Etag),
    /// `x`: honoured on identities; users report that the service ignores it on twin writes and applies the write.
    Unquoted(Etag),
}

impl IfMatch {
    /// Reads the header. The service SDKs send the star in quotes.
    #[must_use]
    pub fn parse(header: Option<&str>) -> Self {
        let text = header.unwrap_or_default().trim();
        let tag = text.strip_prefix("W/").unwrap_or(text);
        match (tag, tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))) {
            ("", _) => Self::Absent,
            ("*", _) | (_, Some("*")) => Self::Any,
            (_, Some(inner)) => Self::Quoted(Etag(inner.to_owned())),
            (bare, None) => Self::Unquoted(Etag(bare.to_owned())),
        }
    }

    /// The header to send: `"*"` or `"etag"`, always quoted; `None` for absent.
    #[must_use]
    pub fn header(&self) -> Option<String> {
        match self {
            Self::Absent => None,
            Self::Any => Some("\"*\"".to_owned()),
            Self::Quoted(etag) | Self::Unquoted(etag) => Some(etag.quoted()),
        }
    }
}
