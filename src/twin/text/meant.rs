//! What somebody meant who typed something else than JSON: said with the mistake, and offered in its place.

use crate::twin::Json;
use crate::twin::known::near;

/// Longer texts are not said again in the message.
const SAID_CHARS: usize = 40;

/// Where a word stands that is no JSON value: what is wrong, and what to write instead.
pub(super) fn word(word: &str) -> (String, Option<String>) {
    let lower = word.to_ascii_lowercase();
    match lower.as_str() {
        "nan" | "infinity" | "inf" => return ("JSON knows finite numbers only".to_owned(), None),
        "none" | "nil" | "undefined" | "nothing" => return did_you_mean("not a JSON value", "null".to_owned()),
        _ => {}
    }
    let meant = ["true", "false", "null"].into_iter().find(|known| lower == *known || near(&lower, known));
    match meant {
        Some(meant) => did_you_mean("not a JSON value", meant.to_owned()),
        None => did_you_mean("a text needs double quotes", quoted(word)),
    }
}

/// A text in single quotes.
pub(super) fn single_quoted(text: &str) -> (String, Option<String>) {
    did_you_mean("use double quotes", quoted(text))
}

/// A key without quotes.
pub(super) fn bare_key(key: &str) -> (String, Option<String>) {
    ("a key needs double quotes".to_owned(), Some(quoted(key)))
}

fn quoted(text: &str) -> String {
    Json::String(text.to_owned()).to_string()
}

fn did_you_mean(what: &str, instead: String) -> (String, Option<String>) {
    let message = if instead.chars().count() > SAID_CHARS {
        what.to_owned()
    } else {
        format!("{what}: did you mean `{instead}`?")
    };
    (message, Some(instead))
}
