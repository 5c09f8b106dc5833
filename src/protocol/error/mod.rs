//! The hub's error codes and the three shapes of its error bodies, both directions. The codes are those of Microsoft's page
//! "Understand and resolve IoT Hub error codes" and of its C# SDK; 403100 is on neither and known from Azure/iotedge issues 1694
//! and 7035.

mod read;

pub use read::{ServiceError, read};

use serde_json::json;

/// An error of the service: HTTP status, numeric code and name. One table for both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorCode {
    /// Six digits: HTTP status × 1000 + n.
    pub number: u32,
    /// As in `iothub-errorcode`.
    pub name: &'static str,
}

macro_rules! codes {
    ($($konst:ident = $number:literal $name:literal;)*) => {
        impl ErrorCode {
            $(pub const $konst: Self = Self { number: $number, name: $name };)*
        }
        /// Every code this program knows.
        pub const ALL: &[ErrorCode] = &[$(ErrorCode::$konst,)*];
    };
}

codes! {
    GENERIC_BAD_REQUEST = 400_000 "GenericBadRequest";
    INVALID_PROTOCOL_VERSION = 400_001 "InvalidProtocolVersion";
    ARGUMENT_INVALID = 400_004 "ArgumentInvalid";
    ARGUMENT_NULL = 400_005 "ArgumentNull";
    IOT_HUB_FORMAT_ERROR = 400_006 "IotHubFormatError";
    BULK_REGISTRY_OPERATION_FAILURE = 400_013 "BulkRegistryOperationFailure";
    DEVICE_AUTHENTICATION_TYPE_IS_MISSING = 400_030 "DeviceAuthenticationTypeIsMissing";
    GENERIC_UNAUTHORIZED = 401_000 "GenericUnauthorized";
    IOT_HUB_NOT_FOUND = 401_001 "IotHubNotFound";
    IOT_HUB_UNAUTHORIZED_ACCESS = 401_002 "IotHubUnauthorizedAccess";
    IOT_HUB_UNAUTHORIZED = 401_003 "IotHubUnauthorized";
    IOT_HUB_QUOTA_EXCEEDED = 403_002 "IotHubQuotaExceeded";
    DEVICE_MAXIMUM_QUEUE_DEPTH_EXCEEDED = 403_004 "DeviceMaximumQueueDepthExceeded";
    INVALID_MESSAGE_EXPIRY_TIME = 403_009 "InvalidMessageExpiryTime";
    OPERATION_NOT_AVAILABLE_IN_CURRENT_TIER = 403_010 "OperationNotAvailableInCurrentTier";
    DEVICE_DISABLED = 403_012 "DeviceDisabled";
    DEVICE_MODEL_MAX_PROPERTIES_EXCEEDED = 403_100 "DeviceModelMaxPropertiesExceeded";
    DEVICE_MAXIMUM_INFLIGHT_METHOD_EXCEEDED = 403_800 "DeviceMaximumInflightMethodExceeded";
    GENERIC_NOT_FOUND = 404_000 "GenericNotFound";
    DEVICE_NOT_FOUND = 404_001 "DeviceNotFound";
    JOB_NOT_FOUND = 404_002 "JobNotFound";
    MODULE_NOT_FOUND = 404_010 "ModuleNotFound";
    DEVICE_NOT_ONLINE = 404_103 "DeviceNotOnline";
    DEVICE_CONNECTION_CLOSED_REMOTELY = 404_104 "DeviceConnectionClosedRemotely";
    GENERIC_METHOD_NOT_ALLOWED = 405_000 "GenericMethodNotAllowed";
    OPERATION_NOT_ALLOWED_IN_CURRENT_STATE = 405_102 "OperationNotAllowedInCurrentState";
    DEVICE_ALREADY_EXISTS = 409_001 "DeviceAlreadyExists";
    JOB_ALREADY_EXISTS = 409_104 "JobAlreadyExists";
    MODULE_ALREADY_EXISTS_ON_DEVICE = 409_301 "ModuleAlreadyExistsOnDevice";
    PRECONDITION_FAILED = 412_001 "PreconditionFailed";
    DEVICE_MESSAGE_LOCK_LOST = 412_002 "DeviceMessageLockLost";
    MESSAGE_TOO_LARGE = 413_001 "MessageTooLarge";
    TOO_MANY_DEVICES = 413_002 "TooManyDevices";
    TOO_MANY_MODULES_ON_DEVICE = 413_003 "TooManyModulesOnDevice";
    GENERIC_UNSUPPORTED_MEDIA_TYPE = 415_000 "GenericUnsupportedMediaType";
    THROTTLING_EXCEPTION = 429_001 "ThrottlingException";
    THROTTLING_MAX_ACTIVE_JOB_COUNT_EXCEEDED = 429_004 "ThrottlingMaxActiveJobCountExceeded";
    SERVER_ERROR = 500_001 "ServerError";
    INVALID_RESPONSE_WHILE_PROXYING = 502_101 "InvalidResponseWhileProxying";
    SERVICE_UNAVAILABLE = 503_001 "ServiceUnavailable";
    GATEWAY_TIMEOUT = 504_101 "GatewayTimeout";
}

impl ErrorCode {
    /// The HTTP status that goes with it.
    #[must_use]
    pub fn status(self) -> u16 {
        u16::try_from(self.number / 1000).unwrap_or(500)
    }

    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        ALL.iter().copied().find(|code| code.name == name)
    }

    #[must_use]
    pub fn by_number(number: u32) -> Option<Self> {
        ALL.iter().copied().find(|code| code.number == number)
    }
}

/// Which of the three shapes a body takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `{"Message":"ErrorCode:Name;text","ExceptionMessage":"Tracking ID:…"}`: registry and twins.
    Named,
    /// `{"errorCode":409301,"message":…,"trackingId":…,"timestampUtc":…}`: module create, and MQTT.
    Flat,
    /// `{"Message":"{\"errorCode\":…}","ExceptionMessage":""}`: methods.
    Nested,
}

/// Writes a body. `now` is UTC, ISO 8601 with 7 fractional digits; `tracking` is 32 hex digits.
#[must_use]
pub fn body(shape: Shape, code: ErrorCode, message: &str, tracking: &str, now: &str) -> Vec<u8> {
    let value = match shape {
        Shape::Named => json!({
            "Message": format!("ErrorCode:{};{message}", code.name),
            "ExceptionMessage": format!("Tracking ID:{tracking}-G:0-TimeStamp:{}", american(now)),
        }),
        Shape::Flat => json!({
            "errorCode": code.number,
            "message": message,
            "trackingId": tracking,
            "timestampUtc": now,
        }),
        Shape::Nested => {
            let inner = json!({
                "errorCode": code.number,
                "trackingId": tracking,
                "message": message,
                "info": {},
                "timestampUtc": now,
            });
            json!({ "Message": inner.to_string(), "ExceptionMessage": "" })
        }
    };
    value.to_string().into_bytes()
}

/// `2026-08-15T09:07:13.1Z` as the service prints it after `TimeStamp:`, `08/15/2026 09:07:13`. Text of another form stays.
fn american(now: &str) -> String {
    let parts = (now.get(0..4), now.get(5..7), now.get(8..10), now.get(11..19));
    match parts {
        (Some(year), Some(month), Some(day), Some(time)) => format!("{month}/{day}/{year} {time}"),
        _ => now.to_owned(),
    }
}
