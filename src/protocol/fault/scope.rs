//! What a fault can strike: the occasions, and the words that name one or several of them.

/// One kind of exchange between a client and the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Occasion {
    /// `GET` of an identity or of a list of them.
    IdentityRead,
    /// `PUT`, `DELETE` or a bulk operation.
    IdentityWrite,
    TwinRead,
    TwinWrite,
    Query,
    Statistics,
    /// The call of a direct method by a service.
    Method,
    /// Messages and telemetry over HTTPS.
    Message,
    Job,
    /// MQTT CONNECT.
    Connect,
    /// A device asks for its twin over MQTT.
    TwinGet,
    /// A device reports over MQTT.
    Report,
    /// Telemetry over MQTT.
    Telemetry,
    /// A device answers a method over MQTT.
    MethodAnswer,
}

impl Occasion {
    /// Whether it is a request over HTTPS.
    #[must_use]
    pub fn is_rest(self) -> bool {
        Scope::Rest.occasions().contains(&self)
    }

    /// What the service calls it when it throttles.
    #[must_use]
    pub fn operation(self) -> &'static str {
        match self {
            Self::IdentityRead => "IdentityRead",
            Self::IdentityWrite => "IdentityWrite",
            Self::TwinRead | Self::TwinGet => "TwinRead",
            Self::TwinWrite | Self::Report => "TwinUpdate",
            Self::Query => "Query",
            Self::Statistics => "StatisticsRead",
            Self::Method | Self::MethodAnswer => "DirectMethod",
            Self::Message => "CloudToDeviceMessage",
            Self::Job => "JobOperation",
            Self::Connect => "DeviceConnect",
            Self::Telemetry => "DeviceToCloudMessage",
        }
    }
}

/// A word behind `on=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    Rest,
    Mqtt,
    Devices,
    DeviceRead,
    DeviceWrite,
    Twins,
    TwinRead,
    TwinWrite,
    Query,
    Statistics,
    Methods,
    Messages,
    Jobs,
    Connect,
    TwinGet,
    Report,
    Telemetry,
    MethodAnswer,
}

impl Scope {
    pub const ALL: [Self; 18] = [
        Self::Rest,
        Self::Mqtt,
        Self::Devices,
        Self::DeviceRead,
        Self::DeviceWrite,
        Self::Twins,
        Self::TwinRead,
        Self::TwinWrite,
        Self::Query,
        Self::Statistics,
        Self::Methods,
        Self::Messages,
        Self::Jobs,
        Self::Connect,
        Self::TwinGet,
        Self::Report,
        Self::Telemetry,
        Self::MethodAnswer,
    ];

    /// As written behind `on=`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Mqtt => "mqtt",
            Self::Devices => "devices",
            Self::DeviceRead => "device-read",
            Self::DeviceWrite => "device-write",
            Self::Twins => "twins",
            Self::TwinRead => "twin-read",
            Self::TwinWrite => "twin-write",
            Self::Query => "query",
            Self::Statistics => "statistics",
            Self::Methods => "methods",
            Self::Messages => "messages",
            Self::Jobs => "jobs",
            Self::Connect => "connect",
            Self::TwinGet => "twin-get",
            Self::Report => "report",
            Self::Telemetry => "telemetry",
            Self::MethodAnswer => "method-answer",
        }
    }

    /// For people, to be read behind "strikes".
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Rest => "everything over HTTPS",
            Self::Mqtt => "everything over MQTT",
            Self::Devices => "device and module identities over HTTPS",
            Self::DeviceRead => "reads of identities over HTTPS",
            Self::DeviceWrite => "writes of identities over HTTPS, bulk operations too",
            Self::Twins => "twins over HTTPS",
            Self::TwinRead => "reads of twins over HTTPS",
            Self::TwinWrite => "writes of twins over HTTPS",
            Self::Query => "queries",
            Self::Statistics => "statistics",
            Self::Methods => "calls of direct methods",
            Self::Messages => "messages over HTTPS",
            Self::Jobs => "jobs",
            Self::Connect => "CONNECT over MQTT",
            Self::TwinGet => "a device that reads its twin",
            Self::Report => "a device that reports",
            Self::Telemetry => "telemetry over MQTT",
            Self::MethodAnswer => "a device that answers a method",
        }
    }

    #[must_use]
    pub fn by_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.word() == word)
    }

    #[must_use]
    pub fn occasions(self) -> &'static [Occasion] {
        use Occasion::{
            Connect, IdentityRead, IdentityWrite, Job, Message, Method, MethodAnswer, Query, Report, Statistics,
            Telemetry, TwinGet, TwinRead, TwinWrite,
        };
        match self {
            Self::Rest => &[IdentityRead, IdentityWrite, TwinRead, TwinWrite, Query, Statistics, Method, Message, Job],
            Self::Mqtt => &[Connect, TwinGet, Report, Telemetry, MethodAnswer],
            Self::Devices => &[IdentityRead, IdentityWrite],
            Self::DeviceRead => &[IdentityRead],
            Self::DeviceWrite => &[IdentityWrite],
            Self::Twins => &[TwinRead, TwinWrite],
            Self::TwinRead => &[TwinRead],
            Self::TwinWrite => &[TwinWrite],
            Self::Query => &[Query],
            Self::Statistics => &[Statistics],
            Self::Methods => &[Method],
            Self::Messages => &[Message],
            Self::Jobs => &[Job],
            Self::Connect => &[Connect],
            Self::TwinGet => &[TwinGet],
            Self::Report => &[Report],
            Self::Telemetry => &[Telemetry],
            Self::MethodAnswer => &[MethodAnswer],
        }
    }
}
