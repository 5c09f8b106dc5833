//! What others have where the caret stands, and what taking it does to the text.

use super::{Known, Node};
use crate::twin::Json;
use crate::twin::text::lines::Selection;
use crate::twin::text::splice::Edit;
use crate::twin::text::spot::{self, Place, Spot};
use crate::twin::tree::kind::Kind;
use std::cmp::Reverse;

/// More are not offered at once: another letter narrows them.
pub const OFFERED_MAX: usize = 100;

/// Something that can be put at the caret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The key as it is; the value as JSON.
    pub name: String,
    /// Of the value that stands there.
    pub kind: Kind,
    /// How many twins have it.
    pub twins: u32,
    /// What comes in: the value; of a key the one that is put behind it.
    value: Json,
}

/// What is offered at a caret, the likeliest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub spot: Spot,
    pub list: Vec<Suggestion>,
}

/// Why something is to be offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Somebody wants to see what there is: what does not fit what is typed follows what does.
    Asked,
    /// Somebody wanted to see it, and types on.
    Narrowed,
    /// What was typed is the beginning of something, as it seems.
    Typed,
}

/// What can be put at a byte offset of a text, broken or not. `beside` is the same twin's other section: what only it has is in 0
/// twins. `None` where nothing can stand; if nobody asked, also where nothing fits and where all that fits stands there already.
#[must_use]
pub fn suggest(text: &str, caret: usize, known: &Known, beside: Option<&Known>, why: Why) -> Option<Offer> {
    let spot = spot::spot(text, caret)?;
    if why == Why::Typed && !is_begun(&spot) {
        return None;
    }
    let nodes: Vec<(&Node, bool)> = [(Some(known), true), (beside, false)]
        .into_iter()
        .filter_map(|(known, counts)| Some((known?.node(&spot.path)?, counts)))
        .collect();
    let mut list: Vec<(u8, Suggestion)> = Vec::new();
    let mut add = |suggestion: Suggestion| {
        let rank = rank(&suggestion, &spot, why);
        let known = || list.iter().any(|(_, known)| known.name == suggestion.name);
        if let Some(rank) = rank.filter(|_| suggestion.twins > 0 || !known()) {
            list.push((rank, suggestion));
        }
    };
    for (node, counts) in nodes {
        match &spot.place {
            Place::Key { taken, .. } => keys(node, counts).filter(|key| !taken.contains(&key.name)).for_each(&mut add),
            Place::Value => values(node, counts).for_each(&mut add),
        }
    }
    list.sort_by(|(rank, a), (other, b)| (rank, Reverse(a.twins), &a.name).cmp(&(other, Reverse(b.twins), &b.name)));
    list.truncate(OFFERED_MAX);
    let list: Vec<Suggestion> = list.into_iter().map(|(_, suggestion)| suggestion).collect();
    let news = list.iter().any(|suggestion| !stands(suggestion, &spot));
    (why == Why::Asked || news).then_some(Offer { spot, list })
}

/// Whether a key's name is being typed between its quotes, or a value.
fn is_begun(spot: &Spot) -> bool {
    match spot.place {
        Place::Key { .. } => spot.inside && spot.quoted,
        Place::Value => spot.inside || spot.whole.is_empty() && !spot.quoted && spot.comma_before.is_none(),
    }
}

/// Whether taking it would change nothing.
fn stands(suggestion: &Suggestion, spot: &Spot) -> bool {
    let lacks_value = matches!(spot.place, Place::Key { has_colon: false, .. });
    !lacks_value && bare(suggestion, spot) == spot.whole
}

/// What a suggestion looks like while it is typed, without quotes.
fn bare<'s>(suggestion: &'s Suggestion, spot: &Spot) -> &'s str {
    match (&spot.place, &suggestion.value) {
        (Place::Value, Json::String(text)) => text,
        _ => &suggestion.name,
    }
}

fn keys(node: &Node, counts: bool) -> impl Iterator<Item = Suggestion> + '_ {
    node.keys.iter().map(move |(key, inner)| {
        let kind = inner.seen.kind().unwrap_or(Kind::Null);
        let of_kind = inner.seen.values().map(|(value, _)| value).find(|value| Kind::of(value) == kind);
        let value = match kind {
            Kind::Number | Kind::Boolean => of_kind.cloned().unwrap_or_else(|| empty(kind)),
            _ => empty(kind),
        };
        let twins = if counts { inner.seen.twins() } else { 0 };
        Suggestion { name: key.clone(), kind, twins, value }
    })
}

fn values(node: &Node, counts: bool) -> impl Iterator<Item = Suggestion> + '_ {
    let scalars = node.seen.values().map(|(value, twins)| (value.clone(), twins));
    let nested = node.seen.kinds().filter(|(kind, _)| matches!(kind, Kind::Object | Kind::Array));
    scalars.chain(nested.map(|(kind, twins)| (empty(kind), twins))).map(move |(value, twins)| {
        let twins = if counts { twins } else { 0 };
        Suggestion { name: value.to_string(), kind: Kind::of(&value), twins, value }
    })
}

fn empty(kind: Kind) -> Json {
    match kind {
        Kind::Text => Json::String(String::new()),
        Kind::Number => Json::from(0),
        Kind::Boolean => Json::Bool(false),
        Kind::Object => Json::Object(crate::twin::JsonMap::new()),
        Kind::Array => Json::Array(Vec::new()),
        Kind::Null => Json::Null,
    }
}

/// How well a suggestion goes on with what is typed, 0 best; `None` where it does not and nobody asked.
fn rank(suggestion: &Suggestion, spot: &Spot, why: Why) -> Option<u8> {
    let other = (why == Why::Asked).then_some(4);
    // Between quotes only a text can be meant.
    if spot.place == Place::Value && spot.quoted && suggestion.kind != Kind::Text {
        return other;
    }
    let (name, typed) = (bare(suggestion, spot), spot.typed.as_str());
    if name == typed {
        return Some(0);
    }
    let (name, typed) = (name.to_lowercase(), typed.to_lowercase());
    if name.starts_with(&typed) {
        return Some(1);
    }
    if name.contains(&typed) {
        return Some(2);
    }
    let mut letters = name.chars();
    if typed.chars().count() > 1 && typed.chars().all(|c| letters.any(|letter| letter == c)) {
        return Some(3);
    }
    other
}

/// The edits that put a suggestion at its spot, with the commas that are missing beside it, and what is selected after them: an
/// example value, to be typed over; else the caret where the value goes on.
#[must_use]
pub fn accept(text: &str, spot: &Spot, chosen: &Suggestion) -> (Vec<Edit>, Selection) {
    let mut edits = Vec::new();
    if let Some(at) = spot.comma_before {
        edits.push(Edit { range: at..at, text: ",".to_owned() });
    }
    let beside = text.get(..spot.range.start).is_some_and(|before| before.ends_with([':', ',']));
    let close = beside || spot.comma_before == Some(spot.range.start);
    let mut put = String::from(if spot.range.is_empty() && close { " " } else { "" });
    let mut selected = None;
    match spot.place {
        Place::Key { has_colon, .. } => {
            put.push_str(&Json::String(chosen.name.clone()).to_string());
            if !has_colon {
                put.push_str(": ");
                let start = put.len();
                put.push_str(&chosen.value.to_string());
                selected = Some(match chosen.kind {
                    Kind::Text | Kind::Object | Kind::Array => (start + 1, start + 1),
                    Kind::Number | Kind::Boolean | Kind::Null => (start, put.len()),
                });
            }
        }
        Place::Value => {
            put.push_str(&chosen.value.to_string());
            if matches!(chosen.kind, Kind::Object | Kind::Array) {
                selected = Some((put.len() - 1, put.len() - 1));
            }
        }
    }
    let (anchor, caret) = selected.unwrap_or((put.len(), put.len()));
    if spot.comma_behind {
        let spaced = text.get(spot.range.end..).is_none_or(|behind| behind.starts_with(char::is_whitespace));
        put.push_str(if spaced { "," } else { ", " });
    }
    let start = spot.range.start + edits.len();
    edits.push(Edit { range: spot.range.clone(), text: put });
    (edits, Selection { anchor: start + anchor, caret: start + caret })
}
