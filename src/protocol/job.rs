//! Jobs v2: what a service asks for, how the hub tells of a job, and of a job on one device; both directions. Words are read
//! in any case, as clients write them in several.

mod request;

pub use request::{JobProblem, JobRequest, Work, check_id};

use crate::protocol::method::MethodAnswer;
use crate::twin::{Json, JsonMap, TwinId};
use serde_json::json;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name { $(#[serde(rename = $word)] $variant,)* }

        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As on the wire.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads the word in any case.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.word().eq_ignore_ascii_case(word))
            }
        }
    };
}

words! {
    /// What a job does. Only the two `schedule…` are jobs v2; the others are words that clients may filter by.
    JobType {
        Unknown = "unknown",
        ScheduleUpdateTwin = "scheduleUpdateTwin",
        ScheduleDeviceMethod = "scheduleDeviceMethod",
        Export = "export",
        Import = "import",
        Backup = "backup",
        ReadDeviceProperties = "readDeviceProperties",
        WriteDeviceProperties = "writeDeviceProperties",
        UpdateDeviceConfiguration = "updateDeviceConfiguration",
        RebootDevice = "rebootDevice",
        FactoryResetDevice = "factoryResetDevice",
        FirmwareUpdate = "firmwareUpdate",
        RestoreFromBackup = "restoreFromBackup",
        FailoverDataCopy = "failoverDataCopy",
    }
}

words! {
    /// How far a job is: queued when it is taken, scheduled until its start time, running, and one of the three ends.
    JobStatus {
        Unknown = "unknown",
        Enqueued = "enqueued",
        Queued = "queued",
        Scheduled = "scheduled",
        Running = "running",
        Completed = "completed",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

impl JobStatus {
    /// Whether the job still has something to do.
    #[must_use]
    pub fn is_active(self) -> bool {
        matches!(self, Self::Enqueued | Self::Queued | Self::Scheduled | Self::Running)
    }
}

words! {
    /// How far a job is on one device. Here the word has one `l`, unlike a job's.
    DeviceJobStatus {
        Pending = "pending",
        Scheduled = "scheduled",
        Running = "running",
        Completed = "completed",
        Failed = "failed",
        Canceled = "canceled",
    }
}

/// How many devices of a job are how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobStatistics {
    pub device_count: u64,
    pub failed_count: u64,
    pub succeeded_count: u64,
    pub running_count: u64,
    pub pending_count: u64,
}

/// How a method's payload is told in a job's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadForm {
    /// As it was given: the answer to the request that makes the job.
    AsGiven,
    /// As an array of the bytes of its JSON text: how a hub that is asked later tells of it.
    Bytes,
}

/// A job as the hub tells of it. Times are UTC, ISO 8601.
#[derive(Debug, Clone, PartialEq)]
pub struct JobResponse {
    pub job_id: String,
    /// What was asked for; `None` for a job the hub does not know.
    pub request: Option<JobRequest>,
    pub status: JobStatus,
    pub created_time: Option<String>,
    pub start_time: Option<String>,
    /// `None` until the job has ended.
    pub end_time: Option<String>,
    /// Why it failed as a whole.
    pub failure_reason: Option<String>,
    /// `None` until the devices are known.
    pub statistics: Option<JobStatistics>,
}

impl JobResponse {
    /// What the hub answers about an id it has no job of: 200, and this.
    #[must_use]
    pub fn unknown(job_id: &str) -> Self {
        Self {
            job_id: job_id.to_owned(),
            request: None,
            status: JobStatus::Unknown,
            created_time: None,
            start_time: None,
            end_time: None,
            failure_reason: None,
            statistics: None,
        }
    }

    /// The wire's `JobResponse`; what has no value is left out.
    #[must_use]
    pub fn to_json(&self, form: PayloadForm) -> Json {
        let mut map = JsonMap::new();
        map.insert("jobId".to_owned(), json!(self.job_id));
        if let Some(request) = &self.request {
            map.extend(request.to_map());
            if form == PayloadForm::Bytes
                && let Some(payload) = map.get_mut("cloudToDeviceMethod").and_then(|method| method.get_mut("payload"))
                && !payload.is_null()
            {
                *payload = payload.to_string().into_bytes().into();
            }
        } else {
            map.insert("type".to_owned(), json!(JobType::Unknown.word()));
        }
        map.insert("status".to_owned(), json!(self.status.word()));
        let texts = [
            ("createdTime", &self.created_time),
            ("startTime", &self.start_time),
            ("endTime", &self.end_time),
            ("failureReason", &self.failure_reason),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                map.insert(name.to_owned(), json!(text));
            }
        }
        if let Some(counts) = &self.statistics {
            let counts = json!({
                "deviceCount": counts.device_count,
                "failedCount": counts.failed_count,
                "succeededCount": counts.succeeded_count,
                "runningCount": counts.running_count,
                "pendingCount": counts.pending_count,
            });
            map.insert("deviceJobStatistics".to_owned(), counts);
        }
        Json::Object(map)
    }

    /// Reads what a hub tells of a job. `None` when there is no id or no status this program knows. A method's payload stays in
    /// the form it came in.
    #[must_use]
    pub fn from_json(json: &Json) -> Option<Self> {
        let text = |name: &str| json.get(name).and_then(Json::as_str).map(str::to_owned);
        let statistics = json.get("deviceJobStatistics").filter(|counts| counts.is_object()).map(|counts| {
            let count = |name: &str| counts.get(name).and_then(Json::as_u64).unwrap_or_default();
            JobStatistics {
                device_count: count("deviceCount"),
                failed_count: count("failedCount"),
                succeeded_count: count("succeededCount"),
                running_count: count("runningCount"),
                pending_count: count("pendingCount"),
            }
        });
        Some(Self {
            job_id: text("jobId")?,
            request: JobRequest::from_json(json).ok(),
            status: JobStatus::parse(&text("status")?)?,
            created_time: text("createdTime"),
            start_time: text("startTime"),
            end_time: text("endTime"),
            failure_reason: text("failureReason"),
            statistics,
        })
    }
}

/// A job on one device: a row of `devices.jobs`. Times are UTC, ISO 8601.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceJob {
    /// The device, or the module when the job's condition reads `devices.modules`.
    pub id: TwinId,
    pub job_id: String,
    pub job_type: JobType,
    pub status: DeviceJobStatus,
    pub start_time: Option<String>,
    pub end_time: Option<String>,
    pub created: String,
    pub last_updated: String,
    /// `None` for twin updates, and where the method was not answered.
    pub outcome: Option<MethodAnswer>,
    /// Code and description of why it failed.
    pub error: Option<(String, String)>,
}

impl DeviceJob {
    /// The wire's `DeviceJob`. A row that has completed has an `outcome`, whose `deviceMethodResponse` is null for twin updates.
    #[must_use]
    pub fn to_map(&self) -> JsonMap {
        let mut map = JsonMap::new();
        let mut put = |name: &str, value: Option<Json>| {
            if let Some(value) = value {
                map.insert(name.to_owned(), value);
            }
        };
        let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
        put("deviceId", Some(json!(self.id.device)));
        put("moduleId", text(&self.id.module));
        put("jobId", Some(json!(self.job_id)));
        put("jobType", Some(json!(self.job_type.word())));
        put("status", Some(json!(self.status.word())));
        put("startTimeUtc", text(&self.start_time));
        put("endTimeUtc", text(&self.end_time));
        put("createdDateTimeUtc", Some(json!(self.created)));
        put("lastUpdatedDateTimeUtc", Some(json!(self.last_updated)));
        let outcome =
            self.outcome.as_ref().map(|outcome| json!({"status": outcome.status, "payload": outcome.payload}));
        if self.status == DeviceJobStatus::Completed {
            put("outcome", Some(json!({"deviceMethodResponse": outcome})));
        }
        put("error", self.error.as_ref().map(|(code, text)| json!({"code": code, "description": text})));
        map
    }

    /// Reads a row. `None` when it lacks an id or a word this program knows.
    #[must_use]
    pub fn from_json(json: &Json) -> Option<Self> {
        let text = |name: &str| json.get(name).and_then(Json::as_str).map(str::to_owned);
        let response = json.get("outcome").and_then(|outcome| outcome.get("deviceMethodResponse"));
        let outcome = response.and_then(|response| MethodAnswer::from_json(response.clone()));
        let error = json.get("error").and_then(|error| {
            let text = |name: &str| error.get(name).and_then(Json::as_str).map(str::to_owned);
            Some((text("code")?, text("description").unwrap_or_default()))
        });
        Some(Self {
            id: TwinId { device: text("deviceId")?, module: text("moduleId") },
            job_id: text("jobId")?,
            job_type: JobType::parse(&text("jobType")?)?,
            status: DeviceJobStatus::parse(&text("status")?)?,
            start_time: text("startTimeUtc"),
            end_time: text("endTimeUtc"),
            created: text("createdDateTimeUtc").unwrap_or_default(),
            last_updated: text("lastUpdatedDateTimeUtc").unwrap_or_default(),
            outcome,
            error,
        })
    }
}
