//! Reads what a hub, or a proxy in front of it, says went wrong. Everything here is hostile: sizes are bounded, nothing panics.

use super::ErrorCode;
use crate::twin::{Json, JsonMap};

/// No error body of a hub is near this long; the rest of a longer one is not looked at.
const BODY_BYTES: usize = 64 * 1024;
const MESSAGE_CHARS: usize = 2_000;
/// For text that is no error body of a hub.
const LINE_CHARS: usize = 200;
const NAME_CHARS: usize = 64;
const TRACKING_CHARS: usize = 100;

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

/// Reads an error body of any shape; text that is none of them (HTML from a proxy) gives its first line as the message, at
/// most 200 characters of it. The header's name goes before the body's; some senders put the number there.
#[must_use]
pub fn read(error_code_header: Option<&str>, body: &[u8]) -> ServiceError {
    let mut error = ServiceError::default();
    take_code(&mut error, error_code_header.unwrap_or_default());
    let body = &body[..body.len().min(BODY_BYTES)];
    match serde_json::from_slice::<Json>(body) {
        Ok(Json::Object(map)) => read_object(&mut error, &map),
        Ok(Json::String(text)) => error.message = first_line(&text),
        Ok(_) => {}
        Err(_) => error.message = first_line(&String::from_utf8_lossy(body)),
    }
    if error.number.is_none() {
        error.number = error.name.as_deref().and_then(ErrorCode::by_name).map(|code| code.number);
    }
    if error.name.is_none() {
        error.name = error.number.and_then(ErrorCode::by_number).map(|code| code.name.to_owned());
    }
    error
}

fn read_object(error: &mut ServiceError, map: &JsonMap) {
    if get(map, "errorCode").is_some() {
        read_flat(error, map);
    } else if let Some(text) = string(map, "Message") {
        // The nested shape: JSON inside the string. One level and no more, however deep somebody nests.
        match serde_json::from_str::<Json>(text) {
            Ok(Json::Object(inner)) => {
                read_flat(error, &inner);
                error.message = error.message.take().or_else(|| Some(bounded(text, MESSAGE_CHARS)));
            }
            _ => take_message(error, text),
        }
    } else if let Some(Json::Array(errors)) = get(map, "errors") {
        // A bulk answer: the first item that failed speaks for all.
        if let Some(Json::Object(first)) = errors.first() {
            if let Some(code) = get(first, "errorCode") {
                take_code(error, &plain(code));
            }
            error.message = string(first, "errorStatus").map(|text| bounded(text, MESSAGE_CHARS));
        }
    }
    for field in ["ExceptionMessage", "Message"] {
        if error.tracking_id.is_none() {
            error.tracking_id = string(map, field).and_then(find_tracking);
        }
    }
}

fn read_flat(error: &mut ServiceError, map: &JsonMap) {
    if let Some(code) = get(map, "errorCode") {
        take_code(error, &plain(code));
    }
    if let Some(text) = string(map, "message") {
        take_message(error, text);
    }
    error.tracking_id = string(map, "trackingId").and_then(tracking);
}

/// Takes a name or a number, where none is known yet.
fn take_code(error: &mut ServiceError, text: &str) {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        error.number = error.number.or_else(|| text.parse().ok());
    } else if is_name(text) && error.name.is_none() {
        error.name = Some(text.to_owned());
    }
}

/// Takes the message, and the name out of an `ErrorCode:Name;` in front of it.
fn take_message(error: &mut ServiceError, text: &str) {
    let mut message = text;
    if let Some(rest) = text.strip_prefix("ErrorCode:") {
        let (name, rest) = rest.split_once(';').unwrap_or((rest, ""));
        if is_name(name.trim()) {
            take_code(error, name);
            message = rest;
        }
    }
    if !message.is_empty() {
        error.message = Some(bounded(message, MESSAGE_CHARS));
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME_CHARS && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The id after `Tracking ID:` in a sentence.
fn find_tracking(text: &str) -> Option<String> {
    ["Tracking ID:", "TrackingId:"]
        .into_iter()
        .find_map(|label| text.split_once(label))
        .and_then(|(_, rest)| tracking(rest))
}

/// The id alone: the service appends `-G:{gateway}` and `-TimeStamp:{time}` to it, in the field of its own too.
fn tracking(text: &str) -> Option<String> {
    let text = text.split("-G:").next().unwrap_or_default();
    let text = text.split("-TimeStamp:").next().unwrap_or_default();
    let id: String =
        text.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').take(TRACKING_CHARS).collect();
    (!id.is_empty()).then_some(id)
}

/// A member by name in any case, the exact one first; null is absent.
fn get<'a>(map: &'a JsonMap, name: &str) -> Option<&'a Json> {
    map.get(name)
        .or_else(|| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
        .filter(|value| !value.is_null())
}

fn string<'a>(map: &'a JsonMap, name: &str) -> Option<&'a str> {
    get(map, name).and_then(Json::as_str)
}

/// A scalar as text without quotes.
fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

fn bounded(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

/// The first line with a letter or digit in it, tags and control characters removed.
fn first_line(text: &str) -> Option<String> {
    let looks_like_html = text.contains("</") || text.trim_start().starts_with('<');
    let text = if looks_like_html { strip_tags(text) } else { text.to_owned() };
    text.lines().find_map(|line| {
        let line: String = line.chars().filter(|c| !c.is_control() && *c != '\u{FFFD}').collect();
        let line = line.trim();
        line.contains(char::is_alphanumeric).then(|| bounded(line, LINE_CHARS))
    })
}

/// Text between tags, each tag a line break; what scripts and styles hold is no text.
fn strip_tags(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push('\n');
        let hidden = ["script", "style", "!--"].into_iter().find(|name| starts_with_ignore_case(tag, name));
        rest = match hidden {
            Some("!--") => tag.split_once("-->").map_or("", |(_, after)| after),
            Some(name) => after_close(tag, name),
            None => tag.split_once('>').map_or("", |(_, after)| after),
        };
    }
    text.push_str(rest);
    let entities = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    entities.into_iter().fold(text, |text, (entity, plain)| text.replace(entity, plain))
}

/// What follows `</name…>`.
fn after_close<'a>(text: &'a str, name: &str) -> &'a str {
    text.match_indices("</")
        .find(|(at, _)| starts_with_ignore_case(&text[at + 2..], name))
        .and_then(|(at, _)| text[at..].split_once('>'))
        .map_or("", |(_, after)| after)
}

fn starts_with_ignore_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
