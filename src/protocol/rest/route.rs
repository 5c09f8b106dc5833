//! Paths of the service API, of the device API, and of what the local hub adds, both directions.
//!
//! Ids are percent-encoded in paths. Azure IoT Explorer encodes the whole path instead (`/twins%2Fdev1`), and the hub takes
//! it: Twinscope uses the same form for the two ids a URL library would otherwise swallow, see [`Route::target`].

use super::API_VERSION;
use crate::protocol::percent;
use crate::twin::TwinId;

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
    /// `/devices/{d}/messages/deviceBound`: a service posts a message to the device, the device gets its next one.
    DeviceBound { device: String },
    /// `DELETE /devices/{d}/messages/deviceBound/{lock}`: the device has done with a message, or with `?reject` refuses it.
    LockedMessage { device: String, lock: String, reject: bool },
    /// `POST /devices/{d}/messages/deviceBound/{lock}/abandon`.
    AbandonMessage { device: String, lock: String },
    /// `POST /devices/{d}/messages/events`: telemetry of a device over HTTPS.
    DeviceEvents { device: String },
    /// `DELETE /devices/{d}/commands`: throws away what waits for the device.
    Commands { device: String },
    /// `GET /messages/serviceBound/feedback`.
    Feedback,
    /// `DELETE /messages/serviceBound/feedback/{lock}`.
    LockedFeedback { lock: String },
    /// `POST /messages/serviceBound/feedback/{lock}/abandon`.
    AbandonFeedback { lock: String },
    /// `/jobs/v2/{id}`.
    Job { job: String },
    /// `POST /jobs/v2/{id}/cancel`.
    CancelJob { job: String },
    /// `GET /jobs/v2/query?jobType=&jobStatus=`.
    JobQuery { job_type: Option<String>, job_status: Option<String> },
    /// `/jobs`, `/jobs/create`, `/jobs/{id}`: import and export, which need a storage account.
    ImportExport {
        /// `create` to make one.
        job: Option<String>,
    },
    /// `GET /$twinscope/events?after=&wait=`: what happened on the local hub; not in Azure. `wait_s` in seconds.
    Events { after: Option<u64>, wait_s: Option<u64> },
    /// `/$twinscope/faults`: the faults of the local hub; not in Azure.
    Faults,
}

/// Why a target is no route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    #[error("no such path at this hub")]
    NoSuchPath,
    #[error("api-version is missing or not supported: add ?api-version=2021-04-12")]
    ApiVersion,
    /// Azure has it, a local hub does not.
    #[error("the local hub has no {0}")]
    NotHere(&'static str),
    #[error("{0} is no whole number")]
    Number(&'static str),
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
        let mut pairs: Vec<String> =
            self.parameters().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.push(format!("api-version={API_VERSION}"));
        format!("/{path}?{}", pairs.join("&"))
    }

    /// Query parameters beside `api-version`, values encoded.
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let number = |name, value: &Option<u64>| value.map(|value| (name, value.to_string()));
        let word = |name, value: &Option<String>| value.as_deref().map(|value| (name, percent::encode(value)));
        match self {
            Self::Devices { top: Some(top) } => vec![("top", top.to_string())],
            Self::LockedMessage { reject: true, .. } => vec![("reject", String::new())],
            Self::JobQuery { job_type, job_status } => {
                [word("jobType", job_type), word("jobStatus", job_status)].into_iter().flatten().collect()
            }
            Self::Events { after, wait_s } => {
                [number("after", after), number("wait", wait_s)].into_iter().flatten().collect()
            }
            _ => Vec::new(),
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
            Self::DeviceBound { device } => vec![DEVICES, device, MESSAGES, DEVICE_BOUND],
            Self::LockedMessage { device, lock, .. } => vec![DEVICES, device, MESSAGES, DEVICE_BOUND, lock],
            Self::AbandonMessage { device, lock } => vec![DEVICES, device, MESSAGES, DEVICE_BOUND, lock, ABANDON],
            Self::DeviceEvents { device } => vec![DEVICES, device, MESSAGES, EVENTS],
            Self::Commands { device } => vec![DEVICES, device, COMMANDS],
            Self::Feedback => vec![MESSAGES, SERVICE_BOUND, FEEDBACK],
            Self::LockedFeedback { lock } => vec![MESSAGES, SERVICE_BOUND, FEEDBACK, lock],
            Self::AbandonFeedback { lock } => vec![MESSAGES, SERVICE_BOUND, FEEDBACK, lock, ABANDON],
            Self::Job { job } => vec![JOBS, V2, job],
            Self::CancelJob { job } => vec![JOBS, V2, job, CANCEL],
            Self::JobQuery { .. } => vec![JOBS, V2, QUERY],
            Self::ImportExport { job } => std::iter::once(JOBS).chain(job.as_deref()).collect(),
            Self::Events { .. } => vec![LOCAL, EVENTS],
            Self::Faults => vec![LOCAL, FAULTS],
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
        let is_query = match method {
            "POST" => raw.get(1).is_some_and(|segment| is_literal(segment, QUERY)),
            // A job may be called `query` too.
            "GET" => raw.get(2).is_some_and(|segment| is_literal(segment, QUERY)),
            _ => false,
        };
        let route = Self::from_segments(&decoded, query, if is_query { Asked::Query } else { Asked::Other })?;
        if !parameter(query, "api-version").is_some_and(|version| is_api_version(&version)) {
            return Err(RouteError::ApiVersion);
        }
        Ok(route)
    }

    fn from_segments(segments: &[String], query: &str, asked: Asked) -> Result<Self, RouteError> {
        let words: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (root, rest) = words.split_first().ok_or(RouteError::NoSuchPath)?;
        match root.to_ascii_lowercase().as_str() {
            DEVICES => Self::devices(rest, query, asked),
            TWINS => Self::twins(rest),
            STATISTICS => match rest {
                [kind] if is_literal(kind, DEVICES) => Ok(Self::DeviceStatistics),
                [kind] if is_literal(kind, "service") => Ok(Self::ServiceStatistics),
                _ => Err(RouteError::NoSuchPath),
            },
            MESSAGES => Self::feedback(rest),
            JOBS => Self::jobs(rest, query, asked),
            LOCAL => match rest {
                [events] if is_literal(events, EVENTS) => {
                    let number = |name| {
                        let text = parameter(query, name);
                        text.map(|text| text.parse().map_err(|_problem| RouteError::Number(name))).transpose()
                    };
                    Ok(Self::Events { after: number("after")?, wait_s: number("wait")? })
                }
                [faults] if is_literal(faults, FAULTS) => Ok(Self::Faults),
                _ => Err(RouteError::NoSuchPath),
            },
            "configurations" => Err(RouteError::NotHere("automatic configurations")),
            "digitaltwins" => Err(RouteError::NotHere("digital twins")),
            _ => Err(RouteError::NoSuchPath),
        }
    }

    fn devices(rest: &[&str], query: &str, asked: Asked) -> Result<Self, RouteError> {
        match (rest, asked) {
            ([], _) => Ok(Self::Devices { top: parameter(query, "top").and_then(|top| top.parse().ok()) }),
            ([_], Asked::Query) => Ok(Self::Query),
            ([device], _) => Ok(Self::Device { device: id(device)? }),
            ([device, modules], _) if is_literal(modules, MODULES) => Ok(Self::Modules { device: id(device)? }),
            ([device, modules, module], _) if is_literal(modules, MODULES) => {
                Ok(Self::Module { device: id(device)?, module: id(module)? })
            }
            ([device, commands], _) if is_literal(commands, COMMANDS) => Ok(Self::Commands { device: id(device)? }),
            ([device, messages, events], _) if is_literal(messages, MESSAGES) && is_literal(events, EVENTS) => {
                Ok(Self::DeviceEvents { device: id(device)? })
            }
            ([device, messages, bound, rest @ ..], _)
                if is_literal(messages, MESSAGES) && is_literal(bound, DEVICE_BOUND) =>
            {
                let device = id(device)?;
                match rest {
                    [] => Ok(Self::DeviceBound { device }),
                    [lock] => {
                        let reject = parameter(query, "reject").is_some_and(|text| !is_literal(&text, "false"));
                        Ok(Self::LockedMessage { device, lock: (*lock).to_owned(), reject })
                    }
                    [lock, abandon] if is_literal(abandon, ABANDON) => {
                        Ok(Self::AbandonMessage { device, lock: (*lock).to_owned() })
                    }
                    _ => Err(RouteError::NoSuchPath),
                }
            }
            _ => Err(RouteError::NoSuchPath),
        }
    }

    fn twins(rest: &[&str]) -> Result<Self, RouteError> {
        match rest {
            [device] => Ok(Self::Twin(TwinId::device(id(device)?))),
            [device, methods] if is_literal(methods, METHODS) => Ok(Self::Methods(TwinId::device(id(device)?))),
            [device, modules, module] if is_literal(modules, MODULES) => {
                Ok(Self::Twin(TwinId::module(id(device)?, id(module)?)))
            }
            [device, modules, module, methods] if is_literal(modules, MODULES) && is_literal(methods, METHODS) => {
                Ok(Self::Methods(TwinId::module(id(device)?, id(module)?)))
            }
            _ => Err(RouteError::NoSuchPath),
        }
    }

    fn feedback(rest: &[&str]) -> Result<Self, RouteError> {
        match rest {
            [bound, feedback, rest @ ..] if is_literal(bound, SERVICE_BOUND) && is_literal(feedback, FEEDBACK) => {
                match rest {
                    [] => Ok(Self::Feedback),
                    [lock] => Ok(Self::LockedFeedback { lock: (*lock).to_owned() }),
                    [lock, abandon] if is_literal(abandon, ABANDON) => {
                        Ok(Self::AbandonFeedback { lock: (*lock).to_owned() })
                    }
                    _ => Err(RouteError::NoSuchPath),
                }
            }
            _ => Err(RouteError::NoSuchPath),
        }
    }

    fn jobs(rest: &[&str], query: &str, asked: Asked) -> Result<Self, RouteError> {
        match rest {
            [v2, rest @ ..] if is_literal(v2, V2) => match (rest, asked) {
                ([_], Asked::Query) => {
                    let (job_type, job_status) = (parameter(query, "jobType"), parameter(query, "jobStatus"));
                    Ok(Self::JobQuery { job_type, job_status })
                }
                ([job], _) => Ok(Self::Job { job: (*job).to_owned() }),
                ([job, cancel], _) if is_literal(cancel, CANCEL) => Ok(Self::CancelJob { job: (*job).to_owned() }),
                _ => Err(RouteError::NoSuchPath),
            },
            [] => Ok(Self::ImportExport { job: None }),
            [job] => Ok(Self::ImportExport { job: Some((*job).to_owned()) }),
            _ => Err(RouteError::NoSuchPath),
        }
    }
}

const DEVICES: &str = "devices";
const QUERY: &str = "query";
const TWINS: &str = "twins";
const MODULES: &str = "modules";
const METHODS: &str = "methods";
const STATISTICS: &str = "statistics";
const MESSAGES: &str = "messages";
const DEVICE_BOUND: &str = "deviceBound";
const SERVICE_BOUND: &str = "serviceBound";
const FEEDBACK: &str = "feedback";
const ABANDON: &str = "abandon";
const EVENTS: &str = "events";
const COMMANDS: &str = "commands";
const JOBS: &str = "jobs";
const V2: &str = "v2";
const CANCEL: &str = "cancel";
const LOCAL: &str = "$twinscope";
const FAULTS: &str = "faults";

/// Whether a last segment `query` is the query, or a device or job of that name.
#[derive(Clone, Copy)]
enum Asked {
    Query,
    Other,
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
