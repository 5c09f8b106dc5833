//! What could stand at the caret of a query being typed.

use super::field::FIELDS;
use super::function::FUNCTIONS;
use super::lexer::{Kind, Token, goes_on_word, lex, starts_word};
use super::parser::is_reserved;
use super::quote;
use crate::twin::{Path, Section, Segment};
use std::ops::Range;

/// What a completion is, for its icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompletionKind {
    Keyword,
    Source,
    /// A top-level field of the twin document.
    Field,
    /// A path somebody's twins are known to have.
    Property,
    Function,
}

/// One proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What to put in place of `replace`. A function with arguments ends with `(`.
    pub insert: String,
    pub kind: CompletionKind,
    /// Byte range of the query text: the word under the caret, empty between words.
    pub replace: Range<usize>,
}

/// At most this many proposals are made.
const COMPLETIONS_MAX: usize = 64;

/// Second names of fields, which are understood and not proposed.
const ALIASES: &[&str] = &["statusUpdatedTime", "id"];

/// Fields of the document that are objects, with the part people ask for.
const INNER_FIELDS: &[&str] = &[
    "capabilities.iotEdge",
    "properties.desired",
    "properties.reported",
    "x509Thumbprint.primaryThumbprint",
    "x509Thumbprint.secondaryThumbprint",
];

/// A place in a section as a query names it: `properties.reported.battery`, `tags.[[odd key]][0]`. The hub's reference puts
/// reserved words and names with special characters in `[[ ]]`.
#[must_use]
pub fn property_path(section: Section, path: &Path) -> String {
    let mut text = match section {
        Section::Tags => "tags".to_owned(),
        Section::Desired | Section::Reported => format!("properties.{}", section.word()),
    };
    for segment in &path.0 {
        let step = match segment {
            Segment::Key(key) if is_word(key) && !is_reserved(key) => format!(".{key}"),
            Segment::Key(key) if fits_brackets(key) => format!(".[[{key}]]"),
            Segment::Key(key) => format!("[{}]", quote(key)),
            Segment::Index(index) => format!("[{index}]"),
        };
        text.push_str(&step);
    }
    text
}

fn fits_brackets(key: &str) -> bool {
    !key.contains(']') && !key.trim().is_empty() && !key.contains(char::is_control)
}

fn is_word(key: &str) -> bool {
    key.starts_with(starts_word) && key.chars().all(goes_on_word)
}

/// What could stand at the caret (a byte offset; one inside a character means its start). `known_paths` are paths in the
/// spelling of [`property_path`]. Inside a text nothing is proposed.
#[must_use]
pub fn complete<P: AsRef<str>>(text: &str, caret: usize, known_paths: &[P]) -> Vec<Completion> {
    let caret = text.floor_char_boundary(caret);
    let (mut tokens, unreadable) = lex(&text[..caret]);
    if unreadable.is_some() {
        return Vec::new();
    }
    tokens.pop();
    let start = word_start(&tokens, caret);
    let before: Vec<&Token> = tokens.iter().filter(|token| token.span.end <= start).collect();
    let words: Vec<Seen> = before.iter().map(|token| Seen::of(text, token)).collect();
    let rest = text[caret..].find(|c| !goes_on_word(c)).unwrap_or(text.len() - caret);
    let end = if start < caret { caret + rest } else { caret };
    // `devices.` in front of a field only repeats the source: it stays, and what follows is completed.
    let place = place(&words);
    let skipped = if place == Place::Source { 0 } else { prefix_length(&text[start..caret]) };
    let replace = start + skipped..end;
    let typed = &text[replace.start..caret];
    let mut proposals: Vec<Completion> = Vec::new();
    for (insert, kind) in candidates(place, known_paths) {
        let fits = insert.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed));
        let new = *insert != text[replace.clone()] && proposals.iter().all(|other| other.insert != insert);
        if fits && new {
            proposals.push(Completion { insert: insert.to_owned(), kind, replace: replace.clone() });
        }
        if proposals.len() == COMPLETIONS_MAX {
            break;
        }
    }
    proposals
}

/// Where the path or word that ends at the caret starts; the caret itself if none does.
fn word_start(tokens: &[Token], caret: usize) -> usize {
    let mut start = caret;
    for token in tokens.iter().rev() {
        let part = matches!(token.kind, Kind::Word | Kind::Name(_) | Kind::Sign("." | "[" | "]"));
        let in_brackets = matches!(token.kind, Kind::Text(_) | Kind::Number) && start < caret;
        if token.span.end != start || !(part || in_brackets) {
            break;
        }
        start = token.span.start;
    }
    let opens = tokens.iter().find(|token| token.span.start == start);
    match opens.map(|token| &token.kind) {
        Some(Kind::Word) | None => start,
        Some(_) => caret,
    }
}

fn prefix_length(typed: &str) -> usize {
    let prefixes = ["devices.modules.", "devices.jobs.", "devices."];
    let matching = |prefix: &&&str| typed.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    prefixes.iter().find(matching).map_or(0, |prefix| prefix.len())
}

/// A token as far as the place depends on it.
enum Seen {
    Keyword(String),
    /// The end of a path or a literal, or a closing bracket.
    Operand,
    Number,
    Sign(&'static str),
}

impl Seen {
    fn of(text: &str, token: &Token) -> Self {
        match &token.kind {
            Kind::Word => {
                let word = text[token.span.clone()].to_ascii_uppercase();
                let literal = matches!(word.as_str(), "TRUE" | "FALSE" | "NULL" | "UNDEFINED");
                if is_reserved(&word) && !literal { Self::Keyword(word) } else { Self::Operand }
            }
            Kind::Number => Self::Number,
            Kind::Text(_) | Kind::Name(_) | Kind::End | Kind::Sign(")" | "]") => Self::Operand,
            Kind::Sign(sign) => Self::Sign(sign),
        }
    }
}

/// What the grammar allows at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    /// Right after SELECT.
    Columns,
    /// After SELECT TOP n, or a comma in the columns.
    Column,
    AfterColumn,
    /// After `*`.
    From,
    Source,
    AfterSource,
    /// Where a condition or its left side stands.
    Condition,
    /// The right side of a comparison, an argument, an element of a list.
    Value,
    AfterValue,
    By,
    /// A path alone: after GROUP BY, inside an aggregate.
    Field,
    AfterGroup,
    /// A name or a number the user makes up.
    Nothing,
}

/// Walks over what stands before the caret; lenient, for the text is unfinished.
fn place(words: &[Seen]) -> Place {
    let mut clause = Place::Start;
    let mut place = Place::Start;
    let mut top = false;
    for word in words {
        place = match word {
            Seen::Keyword(keyword) => match keyword.as_str() {
                "SELECT" => {
                    clause = Place::Column;
                    Place::Columns
                }
                "TOP" => {
                    top = true;
                    Place::Nothing
                }
                "FROM" => {
                    clause = Place::Source;
                    Place::Source
                }
                "WHERE" => {
                    clause = Place::Condition;
                    Place::Condition
                }
                "GROUP" => Place::By,
                "BY" => {
                    clause = Place::Field;
                    Place::Field
                }
                "AND" | "OR" | "NOT" => Place::Condition,
                "IN" | "NIN" => Place::Value,
                _ => Place::Nothing,
            },
            Seen::Number if top => {
                top = false;
                Place::Column
            }
            Seen::Operand | Seen::Number => after_operand(clause),
            Seen::Sign("*") if matches!(place, Place::Columns | Place::Column) => Place::From,
            Seen::Sign("(") if clause == Place::Column => Place::Field,
            Seen::Sign("(") if place == Place::Condition => Place::Condition,
            Seen::Sign(",") if clause != Place::Condition => clause,
            Seen::Sign("." | "[") if clause != Place::Condition => Place::Nothing,
            Seen::Sign(_) => Place::Value,
        };
    }
    place
}

fn after_operand(clause: Place) -> Place {
    match clause {
        Place::Column => Place::AfterColumn,
        Place::Source => Place::AfterSource,
        Place::Condition => Place::AfterValue,
        Place::Field => Place::AfterGroup,
        other => other,
    }
}

/// Proposals for a place, the likeliest first.
fn candidates<P: AsRef<str>>(place: Place, known_paths: &[P]) -> Vec<(&str, CompletionKind)> {
    let keywords =
        |words: &[&'static str]| words.iter().map(|word| (*word, CompletionKind::Keyword)).collect::<Vec<_>>();
    let mut found = Vec::new();
    match place {
        Place::Start => found = keywords(&["SELECT"]),
        Place::From => found = keywords(&["FROM"]),
        Place::AfterColumn => found = keywords(&["FROM", "AS"]),
        Place::AfterSource => found = keywords(&["WHERE", "GROUP BY"]),
        Place::AfterValue => found = keywords(&["AND", "OR", "IN [", "NOT IN [", "GROUP BY"]),
        Place::By => found = keywords(&["BY"]),
        Place::Source => {
            found.extend(["devices", "devices.modules", "devices.jobs"].map(|word| (word, CompletionKind::Source)));
        }
        Place::Nothing | Place::AfterGroup => {}
        Place::Columns | Place::Column | Place::Condition | Place::Value | Place::Field => {
            if place == Place::Columns {
                found = keywords(&["* FROM devices", "TOP"]);
            }
            let fields = FIELDS.iter().map(|(name, _)| *name).filter(|name| !ALIASES.contains(name));
            found.extend(fields.chain(INNER_FIELDS.iter().copied()).map(|name| (name, CompletionKind::Field)));
            found.extend(known_paths.iter().map(|path| (path.as_ref(), CompletionKind::Property)));
        }
    }
    match place {
        Place::Columns | Place::Column => {
            let calls = ["COUNT()", "AVG(", "SUM(", "MIN(", "MAX("];
            found.extend(calls.map(|name| (name, CompletionKind::Function)));
        }
        Place::Condition | Place::Value => {
            found.extend(FUNCTIONS.iter().map(|signature| (signature.call, CompletionKind::Function)));
            let words: &[&str] = if place == Place::Condition { &["NOT"] } else { &["true", "false", "null"] };
            found.extend(keywords(words));
        }
        _ => {}
    }
    found
}
