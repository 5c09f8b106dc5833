//! What a service asks for: `PUT /jobs/v2/{id}`.

use super::JobType;
use crate::protocol::method::MethodCall;
use crate::twin::{Json, JsonMap};
use serde_json::json;
use time::format_description::well_known::Iso8601;
use time::{OffsetDateTime, PrimitiveDateTime};

/// Characters of a job's id.
const ID_MAX: usize = 64;
/// Seconds a job may take when it does not say; what Microsoft's Node client sends then.
const MAX_EXECUTION_DEFAULT_S: u64 = 3600;
const START_TIME: &str = "startTime is not an ISO 8601 time such as 2026-08-15T09:07:13Z";
/// What is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobProblem {
    #[error("a job id has 1 to {ID_MAX} characters of a-z, 0-9, - and '")]
    Id,
    #[error("{0}")]
    Argument(String),
    /// Apart from the others, since the service words its answer in another way.
    #[error("updateTwin.etag must be \"*\": a job cannot tell versions of many twins apart")]
    NoEtag,
    /// 412: an etag other than `*`, such as that of a twin that was read. Azure/azure-iot-sdk-csharp issue 1680; by a comment in
    /// Azure/azure-iot-sdk-java pull request 969 no other is accepted.
    #[error(
        "The etag in the request does not match the etag of the existing resource: updateTwin.etag of a job must be \"*\""
    )]
    OtherEtag,
    /// 400: Azure/azure-iot-sdk-node issue 44.
    #[error("updateTwin.{0} does not stand at the root of a twin but inside updateTwin.properties")]
    AtRoot(&'static str),
}

/// Whether the text can be a job's id.
///
/// # Errors
/// [`JobProblem::Id`].
pub fn check_id(id: &str) -> Result<(), JobProblem> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'\'');
    if (1..=ID_MAX).contains(&id.len()) && id.bytes().all(legal) { Ok(()) } else { Err(JobProblem::Id) }
}

/// A job to be scheduled.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRequest {
    pub work: Work,
    /// The condition of a WHERE clause; `None`, nothing and `*` are all devices.
    pub query_condition: Option<String>,
    /// `None`: at once.
    pub start_time: Option<OffsetDateTime>,
    pub max_execution_s: u64,
}

/// What is done to each device.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// The twin patch as it came: `tags` and `properties.desired` count.
    UpdateTwin(JsonMap),
    DeviceMethod(MethodCall),
}

impl JobRequest {
    /// # Errors
    /// What the hub answers with 400 or 412, but for the condition and the twin's rules, which are not looked at here.
    pub fn from_json(json: &Json) -> Result<Self, JobProblem> {
        let json = json.as_object().ok_or_else(|| argument("the body is not a JSON object"))?;
        // Some pages of the documentation call it jobType.
        let job_type = member(json, "type").or_else(|| member(json, "jobType")).and_then(Json::as_str);
        let work = match job_type.and_then(JobType::parse) {
            Some(JobType::ScheduleUpdateTwin) => Work::UpdateTwin(twin_patch(member(json, "updateTwin"))?),
            Some(JobType::ScheduleDeviceMethod) => {
                let call =
                    member(json, "cloudToDeviceMethod").ok_or_else(|| argument("cloudToDeviceMethod is missing"))?;
                Work::DeviceMethod(MethodCall::from_json(call).map_err(|problem| argument(&problem.to_string()))?)
            }
            _ => return Err(argument("type must be scheduleUpdateTwin or scheduleDeviceMethod")),
        };
        let query_condition = match member(json, "queryCondition") {
            None => None,
            Some(Json::String(condition)) => Some(condition.clone()),
            Some(_) => return Err(argument("queryCondition is not a text")),
        };
        let start_time = match member(json, "startTime") {
            None => None,
            Some(Json::String(text)) if text.trim().is_empty() => None,
            Some(Json::String(text)) => Some(time(text.trim()).ok_or_else(|| argument(START_TIME))?),
            Some(_) => return Err(argument(START_TIME)),
        };
        let max_execution_s = seconds(json, "maxExecutionTimeInSeconds", MAX_EXECUTION_DEFAULT_S)?;
        if max_execution_s == 0 {
            return Err(argument("maxExecutionTimeInSeconds must be positive"));
        }
        Ok(Self { work, query_condition, start_time, max_execution_s })
    }

    #[must_use]
    pub fn job_type(&self) -> JobType {
        match self.work {
            Work::UpdateTwin(_) => JobType::ScheduleUpdateTwin,
            Work::DeviceMethod(_) => JobType::ScheduleDeviceMethod,
        }
    }

    /// The members of the request, without the job's id.
    #[must_use]
    pub fn to_map(&self) -> JsonMap {
        let mut map = JsonMap::new();
        map.insert("type".to_owned(), json!(self.job_type().word()));
        match &self.work {
            Work::UpdateTwin(patch) => map.insert("updateTwin".to_owned(), Json::Object(patch.clone())),
            Work::DeviceMethod(method) => map.insert("cloudToDeviceMethod".to_owned(), method.to_json()),
        };
        if let Some(condition) = &self.query_condition {
            map.insert("queryCondition".to_owned(), json!(condition));
        }
        if let Some(text) = self.start_time.and_then(|time| time.format(&Iso8601::DEFAULT).ok()) {
            map.insert("startTime".to_owned(), json!(text));
        }
        map.insert("maxExecutionTimeInSeconds".to_owned(), json!(self.max_execution_s));
        map
    }
}

fn twin_patch(json: Option<&Json>) -> Result<JsonMap, JobProblem> {
    let Some(Json::Object(twin)) = json else { return Err(argument("updateTwin is missing")) };
    match member(twin, "etag").map(|etag| etag.as_str().map(str::trim)) {
        Some(Some("*" | "\"*\"")) => {}
        None | Some(None | Some("")) => return Err(JobProblem::NoEtag),
        Some(Some(_)) => return Err(JobProblem::OtherEtag),
    }
    if let Some(key) = ["desired", "reported"].into_iter().find(|key| twin.contains_key(*key)) {
        return Err(JobProblem::AtRoot(key));
    }
    // Clients send a whole twin object; what a job does not write is not worth keeping.
    Ok(twin.iter().filter(|(key, _)| matches!(key.as_str(), "etag" | "tags" | "properties")).map(own).collect())
}

fn own((key, value): (&String, &Json)) -> (String, Json) {
    (key.clone(), value.clone())
}

/// A member that is there and not null.
fn member<'a>(json: &'a JsonMap, name: &str) -> Option<&'a Json> {
    json.get(name).filter(|value| !value.is_null())
}

fn seconds(json: &JsonMap, name: &str, default: u64) -> Result<u64, JobProblem> {
    match member(json, name) {
        None => Ok(default),
        Some(value) => crate::protocol::lenient::whole(value)
            .ok_or_else(|| argument(&format!("{name} is not a number of seconds"))),
    }
}

/// A time without a zone is UTC.
fn time(text: &str) -> Option<OffsetDateTime> {
    let zoned = OffsetDateTime::parse(text, &Iso8601::DEFAULT).ok();
    zoned.or_else(|| PrimitiveDateTime::parse(text, &Iso8601::DEFAULT).ok().map(PrimitiveDateTime::assume_utc))
}

fn argument(message: &str) -> JobProblem {
    JobProblem::Argument(message.to_owned())
}
