//! A text that must not be shown: prints as `***`, everywhere. And secrets within other texts, found and taken out.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// A key, token or password. `Debug` and `Display` print `***`; the text is had only by asking for it by name.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself: for the wire, the keyring, and a person who asked to see it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a text is, which decides where a value in it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A message or a line of a log: a value ends at white space.
    Message,
    /// One argument of a command line: white space may be within a key that was wrapped.
    Argument,
}

/// The text with `***` for every secret in it: what follows `SharedAccessKey=`, `sig=`, `password=` and their like, in JSON, as
/// `Debug` prints it and percent-encoded too; and base64 with padding of 16 bytes or more, or of the length of a key.
#[must_use]
pub fn redacted(text: &str) -> Cow<'_, str> {
    let places = places(text, Unit::Message);
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for place in places {
        out.push_str(&text[at..place.start]);
        out.push_str("***");
        at = place.end;
    }
    out.push_str(&text[at..]);
    Cow::Owned(out)
}

/// Where the secrets of the text are: byte ranges, in order, none of them empty or within another.
#[must_use]
pub fn places(text: &str, unit: Unit) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let found = named(text, at, unit).or_else(|| bare(text, at));
        match found {
            Some(place) if !place.is_empty() => {
                at = place.end;
                places.push(place);
            }
            _ => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    places
}

/// The value whose separator stands at `at`, if its name says that it is secret.
fn named(text: &str, at: usize, unit: Unit) -> Option<Range<usize>> {
    let rest = &text[at..];
    let encoded = ["%3d", "%3a", "%253d", "%253a"].iter().find(|form| starts_with_ignoring_case(rest, form));
    let length = match (rest.as_bytes()[0], encoded) {
        (b'=' | b':', _) => 1,
        (_, Some(form)) => form.len(),
        _ => return None,
    };
    let before = text[..at].trim_end_matches([' ', '"', '\'', '\\', '`']);
    let start = before
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
        .map_or(0, |end| end + before[end..].chars().next().map_or(1, char::len_utf8));
    let name = before[start..].to_ascii_lowercase().replace(['_', '-'], "");
    let strong =
        ["accesskey", "accountkey", "primarykey", "secondarykey", "sharedkey", "password", "passwd", "pwd", "secret"];
    let weak = ["key", "sig", "signature", "token"];
    let is_strong = strong.iter().any(|end| name.ends_with(end));
    let quoted = before.len() < at;
    // `key: ` in a sentence is no value, `"key": ` is.
    let is_weak = weak.iter().any(|end| name.ends_with(end)) && (rest.starts_with(['=', '%']) || quoted);
    if !is_strong && !is_weak {
        return None;
    }
    let begins = text[at + length..].find(|c| !matches!(c, ' ' | '"' | '\'' | '\\' | '`'))? + at + length;
    let value = &text[begins..];
    // A sample: `SharedAccessKey=…`.
    if value.starts_with('…') || value.starts_with("...") {
        return None;
    }
    let end = value.char_indices().find(|(n, c)| ends_value(&value[*n..], *c, unit)).map_or(value.len(), |(n, _)| n);
    let digits = value[..end].bytes().all(|b| b.is_ascii_digit());
    (end > 0 && &value[..end] != "***" && (is_strong || !digits)).then_some(begins..begins + end)
}

fn ends_value(rest: &str, c: char, unit: Unit) -> bool {
    matches!(c, ';' | '&' | '"' | '\'' | '\\' | '`' | '<' | '>' | '(' | ')' | '{' | '}' | '[' | ']')
        || (c.is_whitespace() && unit == Unit::Message)
        || ["%3b", "%26", "%253b", "%2526", "%22"].iter().any(|form| starts_with_ignoring_case(rest, form))
}

/// A key that stands at `at` without a name.
fn bare(text: &str, at: usize) -> Option<Range<usize>> {
    let inner = |rest: &str| {
        let encoded = ["%2b", "%2f", "%252b", "%252f"].iter().find(|form| starts_with_ignoring_case(rest, form));
        let plain = rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/'));
        if plain { Some(1) } else { encoded.map(|form| form.len()) }
    };
    // Only where a run begins.
    if text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/')) {
        return None;
    }
    let (mut end, mut count) = (at, 0_usize);
    while let Some(length) = inner(&text[end..]) {
        end += length;
        count += 1;
    }
    let core = end;
    let mut padding = 0;
    while padding < 2 {
        let rest = &text[end..];
        let form = ["=", "%3d", "%253d"].into_iter().find(|form| starts_with_ignoring_case(rest, form));
        let Some(form) = form else { break };
        end += form.len();
        padding += 1;
    }
    let padded = padding > 0 && count >= 22 && (count + padding).is_multiple_of(4);
    let run = &text[at..core];
    let has = |what: fn(&u8) -> bool| run.bytes().any(|b| what(&b));
    let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    // A key of 32 or 64 bytes whose padding was lost.
    let unpadded = padding == 0 && matches!(count, 43 | 86) && mixed;
    (padded || unpadded).then_some(at..end)
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start))
}
