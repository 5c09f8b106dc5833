//! A message's properties in the three forms they travel in: HTTP headers (`iothub-messageid`, `iothub-app-{key}`), the property
//! bag of an MQTT topic (`%24.mid=…&key=value`), and names for people.
//!
//! Header names come in any case and say nothing about the case of a key: HTTP does not tell `iothub-app-Alert` from
//! `iothub-app-alert`. Keys that came by header are therefore in lower case here.

use super::bag;

/// What the headers of application properties begin with.
pub const APP_PREFIX: &str = "iothub-app-";
/// Bytes of a cloud-to-device message, body and properties together.
pub const DEVICE_BOUND_MAX: usize = 64 * 1024;
/// Asks for feedback; stands in a bag under this name too.
const ACK: &str = "iothub-ack";

/// The properties the hub itself knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum System {
    MessageId,
    CorrelationId,
    UserId,
    To,
    ContentType,
    ContentEncoding,
    /// UTC, ISO 8601.
    Expiry,
    CreationTime,
    /// `none`, `positive`, `negative` or `full`.
    Ack,
    /// Of a module's message: the output it left by.
    Output,
    /// The component of a Plug and Play device.
    Component,
    Schema,
    InterfaceId,
}

impl System {
    /// Each with its header, its key in a bag and its name for people.
    const ALL: [(Self, &'static str, &'static str, &'static str); 13] = [
        (Self::MessageId, "iothub-messageid", "$.mid", "message-id"),
        (Self::CorrelationId, "iothub-correlationid", "$.cid", "correlation-id"),
        (Self::UserId, "iothub-userid", "$.uid", "user-id"),
        (Self::To, "iothub-to", "$.to", "to"),
        (Self::ContentType, "iothub-contenttype", "$.ct", "content-type"),
        (Self::ContentEncoding, "iothub-contentencoding", "$.ce", "content-encoding"),
        (Self::Expiry, "iothub-expiry", "$.exp", "expiry"),
        (Self::CreationTime, "iothub-creationtimeutc", "$.ctime", "creation-time-utc"),
        (Self::Ack, ACK, ACK, "ack"),
        (Self::Output, "iothub-outputname", "$.on", "output"),
        (Self::Component, "dt-subject", "$.sub", "component"),
        (Self::Schema, "iothub-message-schema", "$.schema", "schema"),
        (Self::InterfaceId, "iothub-interface-id", "$.ifid", "interface-id"),
    ];

    fn row(self) -> (&'static str, &'static str, &'static str) {
        let row = Self::ALL.iter().find(|row| row.0 == self);
        row.map_or(("", "", ""), |(_, header, key, name)| (header, key, name))
    }

    /// The HTTP header, in lower case.
    #[must_use]
    pub fn header(self) -> &'static str {
        self.row().0
    }

    /// The key in a property bag, decoded.
    #[must_use]
    pub fn key(self) -> &'static str {
        self.row().1
    }

    /// For people and for the events of the local hub.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().2
    }

    fn find(matches: impl Fn(&str, &str, &str) -> bool) -> Option<Self> {
        Self::ALL.iter().find(|(_, header, key, name)| matches(header, key, name)).map(|row| row.0)
    }

    #[must_use]
    pub fn by_name(text: &str) -> Option<Self> {
        Self::find(|_, _, name| name == text)
    }
}

/// The properties of one message, in the order they came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Properties {
    pub system: Vec<(System, String)>,
    /// The sender's own; `None` is null, which only MQTT can say.
    pub app: Vec<(String, Option<String>)>,
}

impl Properties {
    #[must_use]
    pub fn get(&self, property: System) -> Option<&str> {
        self.system.iter().find(|(known, _)| *known == property).map(|(_, value)| value.as_str())
    }

    /// Puts a value in the place of the one there was.
    pub fn set(&mut self, property: System, value: impl Into<String>) {
        match self.system.iter_mut().find(|(known, _)| *known == property) {
            Some((_, present)) => *present = value.into(),
            None => self.system.push((property, value.into())),
        }
    }

    /// Reads headers; those that are no property of a message are passed over. A value that is no UTF-8 gets replacement
    /// characters. Of two headers for one property the first counts.
    #[must_use]
    pub fn from_headers<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut read = Self::default();
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            let value = String::from_utf8_lossy(value).into_owned();
            if let Some(key) = name.strip_prefix(APP_PREFIX) {
                if !read.app.iter().any(|(known, _)| known == key) {
                    read.app.push((key.to_owned(), Some(value)));
                }
            } else if let Some(property) = System::find(|header, _, _| header == name)
                && read.get(property).is_none()
            {
                read.system.push((property, value));
            }
        }
        read
    }

    /// The headers that say it, names in lower case; null has no form there and becomes empty. Values may be any text: the
    /// caller leaves out what its transport cannot carry.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, String)> {
        let system = self.system.iter().map(|(property, value)| (property.header().to_owned(), value.clone()));
        let app = self.app.iter().map(|(key, value)| (format!("{APP_PREFIX}{key}"), value.clone().unwrap_or_default()));
        system.chain(app).collect()
    }

    /// Reads a bag as it stands in a topic.
    #[must_use]
    pub fn from_bag(text: &str) -> Self {
        let mut read = Self::default();
        for (key, value) in bag::parse(text) {
            match System::find(|_, known, _| known == key) {
                Some(property) if read.get(property).is_none() => {
                    read.system.push((property, value.unwrap_or_default()));
                }
                Some(_) => {}
                None => read.app.push((key, value)),
            }
        }
        read
    }

    /// The bag, system properties first.
    #[must_use]
    pub fn bag(&self) -> String {
        let system = self.system.iter().map(|(property, value)| (property.key(), Some(value.as_str())));
        let app = self.app.iter().map(|(key, value)| (key.as_str(), value.as_deref()));
        bag::format(&system.chain(app).collect::<Vec<_>>())
    }

    /// Bytes of all keys and values of the sender and of the system properties.
    #[must_use]
    pub fn size(&self) -> usize {
        let system: usize = self.system.iter().map(|(property, value)| property.name().len() + value.len()).sum();
        let app: usize = self.app.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, String::len)).sum();
        system + app
    }
}

/// Why a key cannot travel as a header: it becomes a part of a header's name, which has letters, digits and few signs.
#[must_use]
pub fn key_problem(key: &str) -> Option<String> {
    if key.is_empty() {
        return Some("a property needs a name".to_owned());
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let bad = key.chars().find(|c| !legal(*c))?;
    Some(format!(
        "{bad:?} is not allowed in a name, which travels as a header: letters, digits and !#$%&'*+-.^_`|~ are"
    ))
}

/// Why a value cannot travel as a header's.
#[must_use]
pub fn value_problem(value: &str) -> Option<&'static str> {
    if value.chars().any(|c| c.is_control() && c != '\t') {
        Some("has a line break or another control character, which no header carries")
    } else if value.trim_matches([' ', '\t']) != value {
        Some("begins or ends with a space, which headers lose")
    } else {
        None
    }
}

/// Which outcomes of a cloud-to-device message its sender wants to hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ack {
    #[default]
    None,
    /// When the device took it.
    Positive,
    /// When it did not.
    Negative,
    Full,
}

impl Ack {
    pub const ALL: [Self; 4] = [Self::None, Self::Positive, Self::Negative, Self::Full];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Positive => "positive",
            Self::Negative => "negative",
            Self::Full => "full",
        }
    }

    /// In any case; `None` for another word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ack| text.trim().eq_ignore_ascii_case(ack.word()))
    }

    /// Whether an outcome is to be told.
    #[must_use]
    pub fn wants(self, outcome: Outcome) -> bool {
        match self {
            Self::None => false,
            Self::Positive => outcome == Outcome::Success,
            Self::Negative => outcome != Outcome::Success,
            Self::Full => true,
        }
    }
}

/// How a cloud-to-device message ended, with the words of feedback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Expired,
    DeliveryCountExceeded,
    Rejected,
    Purged,
}

impl Outcome {
    pub const ALL: [Self; 5] =
        [Self::Success, Self::Expired, Self::DeliveryCountExceeded, Self::Rejected, Self::Purged];

    /// `statusCode` of feedback.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::Expired => "Expired",
            Self::DeliveryCountExceeded => "DeliveryCountExceeded",
            Self::Rejected => "Rejected",
            Self::Purged => "Purged",
        }
    }
}
