//! The hub's error codes and the three shapes of its error bodies (protocol §2.10), both directions.

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
    OPERATION_NOT_AVAILABLE_IN_CURRENT_TIER = 403_010 "OperationNotAvailableInCurrentTier";
    DEVICE_DISABLED = 403_012 "DeviceDisabled";
    GENERIC_NOT_FOUND = 404_000 "GenericNotFound";
    DEVICE_NOT_FOUND = 404_001 "DeviceNotFound";
    MODULE_NOT_FOUND = 404_010 "ModuleNotFound";
    DEVICE_NOT_ONLINE = 404_103 "DeviceNotOnline";
    GENERIC_METHOD_NOT_ALLOWED = 405_000 "GenericMethodNotAllowed";
    DEVICE_ALREADY_EXISTS = 409_001 "DeviceAlreadyExists";
    MODULE_ALREADY_EXISTS_ON_DEVICE = 409_301 "ModuleAlreadyExistsOnDevice";
    PRECONDITION_FAILED = 412_001 "PreconditionFailed";
    MESSAGE_TOO_LARGE = 413_001 "MessageTooLarge";
    TOO_MANY_DEVICES = 413_002 "TooManyDevices";
    TOO_MANY_MODULES_ON_DEVICE = 413_003 "TooManyModulesOnDevice";
    GENERIC_UNSUPPORTED_MEDIA_TYPE = 415_000 "GenericUnsupportedMediaType";
    THROTTLING_EXCEPTION = 429_001 "ThrottlingException";
    SERVER_ERROR = 500_001 "ServerError";
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
    let _ = (shape, code, message, tracking, now);
    todo!()
}

/// What could be read of an error answer, whatever its shape.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceError {
    /// The name, from the header or the body.
    pub name: Option<String>,
    /// The six-digit number, where given or known by name.
    pub number: Option<u32>,
    /// The text for people, without the `ErrorCode:…;` in front. Bounded to 2,000 characters.
    pub message: Option<String>,
    pub tracking_id: Option<String>,
}

/// Reads an error body of any shape; text that is none of them (HTML from a proxy) gives its first line as the message.
#[must_use]
pub fn read(error_code_header: Option<&str>, body: &[u8]) -> ServiceError {
    let _ = (error_code_header, body);
    todo!()
}
