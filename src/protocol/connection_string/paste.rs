//! Finds a connection string in what a person pasted: in quotes, in JSON or YAML, in an assignment, wrapped, with invisible
//! characters, escaped. What was lost on the way is undone; no letter of a part is ever changed.

use super::{ConnectionString, ConnectionStringError, GATEWAY, HOST_NAME, KEY, PARTS, Parts, TOKEN, Who};
use super::{DEVICE_ID, MODULE_ID};
use crate::protocol::percent;

mod clean;

/// Longer texts are not searched: the longest legal connection string has some hundred characters.
const LENGTH_MAX: usize = 256 * 1024;

/// A connection string as it was pasted, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pasted {
    pub connection: ConnectionString,
    /// What was undone, each once.
    pub healed: Vec<Healing>,
}

/// Something about a pasted text that was undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Healing {
    /// Text before or after it: quotes, an assignment, the rest of a file.
    Surroundings,
    /// Line breaks and spaces within it.
    Breaks,
    /// Characters that cannot be seen.
    Invisible,
    /// `\u003d`, `&amp;`, `%3D` and their like.
    Escapes,
    /// Parts that no `;` stood between.
    Separators,
    /// There was more than one, of the same hub and policy.
    Repeated,
}

/// Why no connection string was found. Names the part and what to do; shows no value of a secret part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasteError {
    #[error("nothing is in it")]
    Empty,
    #[error(
        "there is no connection string in it: one looks like HostName=…;SharedAccessKeyName=…;SharedAccessKey=…. Copy it with the \
         copy button of a policy under Shared access policies in the portal"
    )]
    NoString,
    #[error("there is only a key in it: copy the connection string instead, which begins with HostName=")]
    BareKey,
    #[error("there is only a SAS token in it: copy the connection string instead, which begins with HostName=")]
    BareToken,
    #[error(
        "this is an Event Hubs-compatible string, which only reads events: copy the one of a policy under Shared access policies, \
         which begins with HostName="
    )]
    EventHubs,
    #[error(
        "this is the connection string of a storage account: copy the one of the IoT Hub, which begins with HostName="
    )]
    Storage,
    #[error(
        "this is the connection string of a Device Provisioning Service: copy the one of the IoT Hub it provisions to, under \
         Shared access policies"
    )]
    Provisioning,
    #[error("there are several connection strings in it: {0}. Paste one")]
    Several(String),
    #[error("the key was hidden when it was copied: use the copy button beside it")]
    HiddenKey,
    #[error("{error}{}", remedy(error))]
    Part { error: ConnectionStringError },
}

impl From<ConnectionStringError> for PasteError {
    fn from(error: ConnectionStringError) -> Self {
        Self::Part { error }
    }
}

fn remedy(error: &ConnectionStringError) -> &'static str {
    match error {
        ConnectionStringError::Missing(HOST_NAME) => ": copy the whole connection string, which begins with it",
        ConnectionStringError::Missing(_) | ConnectionStringError::EmptyPart(_) => {
            ": copy the whole connection string once more"
        }
        _ => "",
    }
}

impl ConnectionString {
    /// Reads a connection string as people paste it. Tolerated around it: quotes of every kind, JSON, YAML, assignments, other
    /// text. Undone within it: line breaks, spaces, continuation signs, invisible characters, escapes of JSON, HTML and URLs,
    /// missing `;`. A string without any of that is read as by [`ConnectionString::parse`].
    ///
    /// # Errors
    /// Says which part is wrong or missing, or what else the text seems to be.
    pub fn read(text: &str) -> Result<Pasted, PasteError> {
        if text.len() > LENGTH_MAX {
            return Err(PasteError::NoString);
        }
        // Nothing that looks like an escape or a break is undone in a string that is whole.
        let strict = Self::parse(text).map(|connection| Pasted { connection, healed: Vec::new() });
        let read = if strict.is_ok() && is_untouched(text.trim()) {
            strict?
        } else {
            match (read_cleaned(text), strict) {
                // What only the strict reader takes is taken as it stands.
                (Err(_), Ok(strict)) => strict,
                (read, _) => read?,
            }
        };
        if read.connection.host().to_ascii_lowercase().ends_with(".azure-devices-provisioning.net") {
            return Err(PasteError::Provisioning);
        }
        Ok(read)
    }
}

/// Whether a text that can be read has nothing around or in it that came in on the way.
fn is_untouched(text: &str) -> bool {
    !text.starts_with('\'')
        && !text.ends_with('\'')
        && text.chars().all(|c| c == ' ' || c.is_ascii_graphic() && !"\"`".contains(c))
        && text.split(' ').count() <= 1 + text.matches("SharedAccessSignature sr=").count()
}

fn read_cleaned(text: &str) -> Result<Pasted, PasteError> {
    let (cleaned, mut healed) = clean::clean(text);
    if cleaned.iter().all(|c| c.is_whitespace() || *c == ';') {
        return Err(PasteError::Empty);
    }
    let found = Text(&cleaned).strings();
    if found.is_empty() {
        return match clean::unwrapped(&cleaned) {
            Some(inner) => {
                let mut read = read_cleaned(&inner)?;
                read.healed.push(Healing::Escapes);
                Ok(finished(read))
            }
            None => Err(nothing_in(&cleaned)),
        };
    }
    let all: String = cleaned.iter().filter(|c| !c.is_whitespace()).collect();
    let (read, more) = choose(found).map_err(|error| otherwise(error, &all))?;
    healed.extend(read.healed);
    healed.extend(more.then_some(Healing::Repeated));
    let connection = read.connection;
    Ok(finished(Pasted { connection, healed }))
}

fn finished(mut read: Pasted) -> Pasted {
    read.healed.sort_unstable();
    read.healed.dedup();
    read
}

/// What a text is that has no part of a connection string.
fn nothing_in(cleaned: &[char]) -> PasteError {
    let text: String = cleaned.iter().filter(|c| !c.is_whitespace()).collect();
    let bare = text.trim_matches(|c: char| clean::is_quote(c) || c == ';' || c == ',');
    if bare.len() >= 24 && bare.chars().all(is_base64) && bare.chars().any(|c| c.is_ascii_digit() || c == '=') {
        return PasteError::BareKey;
    }
    otherwise(PasteError::NoString, &text)
}

/// Another kind of string, where the text shows that it is one.
fn otherwise(error: PasteError, text: &str) -> PasteError {
    let has = |word: &str| text.to_ascii_lowercase().contains(word);
    match error {
        PasteError::NoString | PasteError::Part { .. } if has("endpoint=sb://") => PasteError::EventHubs,
        PasteError::NoString if has("accountkey=") || has("defaultendpointsprotocol=") => PasteError::Storage,
        PasteError::NoString if has("sharedaccesssignaturesr=") => PasteError::BareToken,
        other => other,
    }
}

/// The one string meant, and whether it stood there more than once.
fn choose(found: Vec<Found>) -> Result<(Pasted, bool), PasteError> {
    let mut good: Vec<Pasted> = Vec::new();
    let mut wrong: Option<(usize, PasteError)> = None;
    let mut repeated = false;
    for one in found {
        let parts = one.parts.iter().flatten().count();
        match one.understood() {
            Ok(read) if good.iter().any(|known| names(&known.connection) == names(&read.connection)) => repeated = true,
            Ok(read) => good.push(read),
            Err(error) if wrong.as_ref().is_none_or(|(most, _)| parts > *most) => wrong = Some((parts, error)),
            Err(_) => {}
        }
    }
    // A hub is opened by a policy: where there is one, that is the one meant.
    if good.iter().any(|read| matches!(read.connection.who, Who::Service { .. })) {
        good.retain(|read| matches!(read.connection.who, Who::Service { .. }));
    }
    if good.len() > 1 {
        let several: Vec<String> = good.iter().take(4).map(|read| names(&read.connection)).collect();
        return Err(PasteError::Several(several.join(", ")));
    }
    match (good.pop(), wrong) {
        (Some(read), _) => Ok((read, repeated)),
        (None, Some((_, error))) => Err(error),
        (None, None) => Err(PasteError::NoString),
    }
}

/// Whose string it is, in words.
fn names(connection: &ConnectionString) -> String {
    match &connection.who {
        Who::Service { policy, .. } => format!("{policy} of {}", connection.host_name),
        Who::Identity { id, .. } => format!("{id} on {}", connection.host_name),
    }
}

/// A connection string in a text, its parts not understood yet.
#[derive(Default)]
struct Found {
    parts: [Option<String>; PARTS.len()],
    healed: Vec<Healing>,
    /// A name in it that no part has.
    unknown: Option<String>,
}

impl Found {
    fn understood(mut self) -> Result<Pasted, PasteError> {
        if let Some(name) = self.unknown {
            return Err(ConnectionStringError::UnknownPart(name).into());
        }
        if let Some(token) = self.parts[place(TOKEN)].as_mut() {
            respace(token);
        }
        if let Some(key) = self.parts[place(KEY)].as_mut() {
            let placeholder = |c: char| "*•●…<>{}[]xX.".contains(c);
            if key.chars().count() >= 3 && (key.chars().all(placeholder) || key.starts_with(['<', '*', '•', '●', '{']))
            {
                return Err(PasteError::HiddenKey);
            }
            if key.contains('%')
                && let Some(decoded) = percent::decode_exact(key)
            {
                *key = decoded;
                self.healed.push(Healing::Escapes);
            }
        }
        let connection = ConnectionString::of(&Parts(self.parts))?;
        Ok(Pasted { connection, healed: self.healed })
    }
}

/// The one blank a token has, behind its first word; blanks were taken for breaks.
fn respace(token: &mut String) {
    let word = TOKEN.len();
    if token.get(..word).is_some_and(|start| start.eq_ignore_ascii_case(TOKEN)) && !token[word..].starts_with(' ') {
        token.insert(word, ' ');
    }
}

fn place(name: &str) -> usize {
    PARTS.iter().position(|known| *known == name).unwrap_or_default()
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/=".contains(c)
}

/// Where a value ends.
enum Stop {
    /// The next part begins here.
    Part(usize),
    /// The string ends here.
    End(usize),
    /// A name that no part has.
    Unknown(String),
}

/// Characters with everything that stood for another undone.
struct Text<'a>(&'a [char]);

impl Text<'_> {
    fn at(&self, at: usize) -> Option<char> {
        self.0.get(at).copied()
    }

    fn skip_blank(&self, mut at: usize) -> usize {
        while self.at(at).is_some_and(char::is_whitespace) {
            at += 1;
        }
        at
    }

    /// Every connection string there is.
    fn strings(&self) -> Vec<Found> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.0.len() {
            let begins =
                at == 0 || self.at(at - 1).is_none_or(|before| !before.is_ascii_alphanumeric() && before != '_');
            if begins && self.name(at).is_some() {
                let (mut one, next) = self.string(at);
                let blank = |range: &[char]| range.iter().all(|c| c.is_whitespace() || *c == ';');
                if !blank(&self.0[..at]) || !blank(&self.0[next..]) {
                    one.healed.push(Healing::Surroundings);
                }
                found.push(one);
                at = next.max(at + 1);
            } else {
                at += 1;
            }
        }
        found
    }

    /// The part whose name and `=` stand here, and where its value begins. Blanks in the name are breaks.
    fn name(&self, at: usize) -> Option<(usize, usize)> {
        let matches = |name: &str| {
            let mut at = at;
            for (n, letter) in name.chars().enumerate() {
                if n > 0 {
                    at = self.skip_blank(at);
                }
                if !self.at(at)?.eq_ignore_ascii_case(&letter) {
                    return None;
                }
                at += 1;
            }
            at = self.skip_blank(at);
            (self.at(at)? == '=').then_some(at + 1)
        };
        PARTS.iter().enumerate().find_map(|(index, name)| Some((index, matches(name)?)))
    }

    /// One string from the name of its first part on, and where it ends.
    fn string(&self, start: usize) -> (Found, usize) {
        let mut found = Found::default();
        let before = self.0[..start].iter().rev().find(|c| !c.is_whitespace());
        let quote = before.copied().filter(|c| clean::is_quote(*c));
        let mut at = start;
        while let Some((index, value)) = self.name(at) {
            // The same part again: another string begins.
            if found.parts[index].is_some() {
                return (found, at);
            }
            if self.0[at..value].iter().any(|c| c.is_whitespace()) {
                found.healed.push(Healing::Breaks);
            }
            match self.value(&mut found, index, value, quote) {
                Stop::Part(next) => at = next,
                Stop::End(next) => return (found, next),
                Stop::Unknown(name) => {
                    found.unknown = Some(name);
                    return (found, self.0.len());
                }
            }
        }
        (found, at)
    }

    fn value(&self, found: &mut Found, index: usize, start: usize, quote: Option<char>) -> Stop {
        let mut value = String::new();
        let mut at = start;
        let stop = loop {
            let Some(c) = self.at(at) else { break Stop::End(at) };
            if quote.is_some_and(|quote| clean::closes(quote, c)) && self.ends_quoted(index, at) {
                match self.goes_on(at + 1) {
                    Some(next) => {
                        found.healed.push(Healing::Breaks);
                        at = next;
                        continue;
                    }
                    None => break Stop::End(at + 1),
                }
            }
            if c == ';' {
                break self.after(found, at, quote);
            }
            if c.is_whitespace() {
                let next = self.skip_blank(at);
                if self.name(next).is_some() {
                    found.healed.push(Healing::Separators);
                    break Stop::Part(next);
                }
                if next == self.0.len() || quote.is_none() && index == place(KEY) && !self.is_key(next) {
                    break Stop::End(at);
                }
                if !value.is_empty() && self.at(next) != Some(';') {
                    found.healed.push(Healing::Breaks);
                }
                at = next;
                continue;
            }
            if c == ',' && self.name(self.skip_blank(at + 1)).is_some() {
                found.healed.push(Healing::Separators);
                break Stop::Part(self.skip_blank(at + 1));
            }
            // What stands behind a key that is complete is not its own.
            let complete = index == place(KEY) && value.ends_with('=') && value.len().is_multiple_of(4) && c != '=';
            if complete || quote.is_none() && self.is_outside(index, at, &value) {
                break Stop::End(at);
            }
            value.push(c);
            at += 1;
        };
        found.parts[index] = Some(value);
        stop
    }

    /// Behind a `;`: the next part, a name nobody knows, or the end.
    fn after(&self, found: &mut Found, semicolon: usize, quote: Option<char>) -> Stop {
        let mut next = self.skip_blank(semicolon + 1);
        if let Some(quote) = quote
            && self.at(next).is_some_and(|c| clean::closes(quote, c))
            && let Some(inside) = self.goes_on(next + 1)
        {
            found.healed.push(Healing::Breaks);
            next = self.skip_blank(inside);
        }
        if self.name(next).is_some() {
            return Stop::Part(next);
        }
        let word: String =
            self.0[next..].iter().take_while(|c| c.is_ascii_alphanumeric()).take(TOKEN.len() + 1).collect();
        let same_line = !self.0[semicolon..next].contains(&'\n');
        if same_line && !word.is_empty() && word.len() <= TOKEN.len() && self.at(next + word.len()) == Some('=') {
            return Stop::Unknown(word);
        }
        Stop::End(next)
    }

    /// A `'` may be a letter of an id: there it ends the string only where nothing goes on behind it.
    fn ends_quoted(&self, index: usize, at: usize) -> bool {
        if self.at(at) != Some('\'') || ![DEVICE_ID, MODULE_ID].contains(&PARTS[index]) {
            return true;
        }
        let next = self.skip_blank(at + 1);
        let part = self.at(next) == Some(';') && self.name(self.skip_blank(next + 1)).is_some();
        !part && self.at(next).is_none_or(|c| next > at + 1 || ",;)}]+\"".contains(c))
    }

    /// Where a string that was cut into several literals goes on: `"…" + "…"`, or a literal on the next line.
    fn goes_on(&self, at: usize) -> Option<usize> {
        let mut next = self.skip_blank(at);
        let joined = self.at(next).is_some_and(|c| "+&._".contains(c));
        if joined {
            next = self.skip_blank(next + 1);
        }
        let broken = self.0[at..next].contains(&'\n');
        (self.at(next).is_some_and(clean::is_quote) && (joined || broken)).then_some(next + 1)
    }

    /// Whether what stands here up to the next blank can be the rest of a key.
    fn is_key(&self, at: usize) -> bool {
        let word: String = self.0[at..].iter().take_while(|c| !c.is_whitespace() && **c != ';').collect();
        let word = word.trim_end_matches(|c: char| clean::is_quote(c) || ",)}]".contains(c));
        let letters = word.trim_end_matches('=');
        (word.is_empty() || word.len() - letters.len() <= 2)
            && letters.chars().all(|c| is_base64(c) && c != '=' || c == '%')
    }

    /// Whether a character outside of quotes belongs to the text around the string.
    fn is_outside(&self, index: usize, at: usize, value: &str) -> bool {
        let Some(c) = self.at(at) else { return true };
        let id = [DEVICE_ID, MODULE_ID].contains(&PARTS[index]);
        let address = [HOST_NAME, GATEWAY].contains(&PARTS[index]) && value.starts_with('[');
        match c {
            '\'' => !id,
            c if clean::is_quote(c) => true,
            ']' if address => false,
            ')' | ',' if id => false,
            '}' | ']' | ')' | ',' => {
                let rest = self.0[at..].iter().find(|c| !"}]),;".contains(**c) && !clean::is_quote(**c));
                rest.is_none_or(|c| c.is_whitespace())
            }
            _ => false,
        }
    }
}
