//! What kind of value a property has, and what becomes of it when it is to be another.

use crate::twin::text::{self, compact};
use crate::twin::{Json, JsonMap};

/// The kinds of JSON values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Text,
    Number,
    Boolean,
    Object,
    Array,
    /// No section has one: the hub deletes what is `null`. A text may.
    Null,
}

impl Kind {
    /// Those a property may have.
    pub const ALL: [Self; 5] = [Self::Text, Self::Number, Self::Boolean, Self::Object, Self::Array];

    #[must_use]
    pub fn of(value: &Json) -> Self {
        match value {
            Json::Null => Self::Null,
            Json::Bool(_) => Self::Boolean,
            Json::Number(_) => Self::Number,
            Json::String(_) => Self::Text,
            Json::Array(_) => Self::Array,
            Json::Object(_) => Self::Object,
        }
    }

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Number => "Number",
            Self::Boolean => "True or false",
            Self::Object => "Object",
            Self::Array => "Array",
            Self::Null => "Null",
        }
    }

    /// What a property of this kind begins with.
    fn start(self) -> &'static str {
        match self {
            Self::Text => "\"\"",
            Self::Number => "0",
            Self::Boolean => "false",
            Self::Object => "{}",
            Self::Array => "[]",
            Self::Null => "null",
        }
    }
}

/// A value made into another kind, spelled as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Converted {
    /// It still says what it said.
    Whole(String),
    /// It cannot say it: this is what to begin with, and the person is asked first.
    Start(String),
}

/// Makes a value into another kind: `"60"` and `60` become each other, `1` and `true`, a value and the array of it alone; a text
/// that is JSON becomes what it says, and everything can become a text.
#[must_use]
pub fn converted(value: &Json, to: Kind) -> Converted {
    let whole = match (value, to) {
        (value, to) if Kind::of(value) == to => Some(compact(value)),
        // A text, and an array of one, say the value they hold.
        (Json::String(said), to) if to != Kind::Array => {
            text::value(said.trim()).ok().filter(|v| Kind::of(v) == to).map(|v| compact(&v))
        }
        (Json::Array(items), to) if to != Kind::Text && items.len() == 1 && Kind::of(&items[0]) == to => {
            Some(compact(&items[0]))
        }
        (value, Kind::Text) => Some(compact(&Json::String(compact(value)))),
        (Json::Bool(value), Kind::Number) => Some(u8::from(*value).to_string()),
        (Json::Number(number), Kind::Boolean) => match number.to_string().as_str() {
            "0" => Some("false".to_owned()),
            "1" => Some("true".to_owned()),
            _ => None,
        },
        (Json::Object(map), Kind::Array) if map.is_empty() => Some("[]".to_owned()),
        (Json::Array(items), Kind::Object) if items.is_empty() => Some(compact(&Json::Object(JsonMap::new()))),
        (Json::Null, Kind::Array) => None,
        (value, Kind::Array) => Some(format!("[{}]", compact(value))),
        _ => None,
    };
    whole.map_or_else(|| Converted::Start(to.start().to_owned()), Converted::Whole)
}
