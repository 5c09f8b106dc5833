//! Changes a text by as little as a patch asks for: every byte the patch does not touch stays, white space and order included.

use super::{Parsed, Span, compact};
use crate::twin::{Json, JsonMap, Segment, patch};
use std::ops::Range;

/// One replacement in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Byte range of the text before any edit.
    pub range: Range<usize>,
    pub text: String,
}

/// The edits that apply a merge patch to a text, in text order and without overlap. A new key goes behind the key that precedes
/// it in `order`, a document that has it; else behind the last. `None` while the text does not parse.
///
/// What the edits leave is the document [`patch::apply`] makes: the laws hold it.
#[must_use]
pub fn splice(text: &str, parsed: &Parsed, patch: &JsonMap, order: &JsonMap) -> Option<Vec<Edit>> {
    parsed.document.as_ref()?;
    let mut splice = Splice { text, parsed, edits: Vec::new() };
    splice.object(0, patch, Some(order));
    Some(splice.edits)
}

/// The text with the edits made.
#[must_use]
pub fn made(text: &str, edits: &[Edit]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        out.push_str(text.get(at..edit.range.start).unwrap_or_default());
        out.push_str(&edit.text);
        at = edit.range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// Where a byte offset of the text before stands after the edits: a place that was replaced is its end.
#[must_use]
pub fn moved(edits: &[Edit], offset: usize) -> usize {
    let (mut added, mut removed) = (0, 0);
    for edit in edits {
        // What is put in right at the place stands behind it: the caret stays with what it was behind.
        if edit.range.start >= offset {
            break;
        }
        if edit.range.end > offset {
            return edit.range.start + added + edit.text.len() - removed;
        }
        added += edit.text.len();
        removed += edit.range.len();
    }
    offset + added - removed
}

struct Splice<'t> {
    text: &'t str,
    parsed: &'t Parsed,
    edits: Vec<Edit>,
}

/// A member of an object in the text.
struct Member<'t> {
    key: &'t str,
    index: usize,
    whole: Range<usize>,
    /// `None`: it goes.
    kept: Option<()>,
}

/// How the members of an object stand in the text.
pub(super) struct Layout {
    /// Between the comma and the next member.
    pub between: String,
    /// Before the closing brace, when the object is filled for the first time.
    pub closing: String,
    /// Of a value's further lines; `None` for an object on one line, whose values are on one line too.
    pub indent: Option<String>,
}

impl<'t> Splice<'t> {
    fn object(&mut self, at: usize, patch: &JsonMap, order: Option<&JsonMap>) {
        let Some(span) = self.parsed.spans.get(at) else { return };
        let members = self.members(at, patch);
        let layout = Layout::of(self.text, span, members.first().map(|first| first.whole.start));
        let added: Vec<(&String, &Json)> = patch
            .iter()
            .filter(|(key, value)| !value.is_null() && !members.iter().any(|member| member.key == *key))
            .collect();
        let Some(first_kept) = members.iter().position(|member| member.kept.is_some()) else {
            self.refill(span, &members, &added, &layout);
            return;
        };
        // For each kept member the new ones behind it; the very first place is before the first kept one.
        let mut places: Vec<Vec<(&String, &Json)>> = members.iter().map(|_| Vec::new()).collect();
        let mut before_all = Vec::new();
        for entry in added {
            match place(&members, &places, order, entry.0) {
                Some(place) => places[place].push(entry),
                None => before_all.push(entry),
            }
        }
        for (n, member) in members.iter().enumerate() {
            if member.kept.is_none() {
                // With the comma it brings: the one behind it before the first kept member, later the one before it.
                let range = if n < first_kept {
                    member.whole.start..members[n + 1].whole.start
                } else {
                    members[n - 1].whole.end..member.whole.end
                };
                self.edits.push(Edit { range, text: String::new() });
                continue;
            }
            if n == first_kept && !before_all.is_empty() {
                let text = before_all.iter().map(|entry| format!("{},{}", layout.print(entry), layout.between));
                self.edits.push(Edit { range: member.whole.start..member.whole.start, text: text.collect() });
            }
            if let Some(value) = patch.get(member.key) {
                self.value(member.index, value, order.and_then(|order| order.get(member.key)), &layout);
            }
            if !places[n].is_empty() {
                let text = places[n].iter().map(|entry| format!(",{}{}", layout.between, layout.print(entry)));
                self.edits.push(Edit { range: member.whole.end..member.whole.end, text: text.collect() });
            }
        }
    }

    fn value(&mut self, at: usize, value: &Json, order: Option<&Json>, layout: &Layout) {
        let Some(span) = self.parsed.spans.get(at) else { return };
        let is_object = self.text[span.value.clone()].starts_with('{');
        match value {
            Json::Object(patch) if is_object => self.object(at, patch, order.and_then(Json::as_object)),
            value => self.edits.push(Edit { range: span.value.clone(), text: layout.value(value) }),
        }
    }

    /// Nothing of the object stays: new members take the place of the old ones, or nothing does.
    fn refill(&mut self, span: &Span, members: &[Member], added: &[(&String, &Json)], layout: &Layout) {
        if members.is_empty() && added.is_empty() {
            return;
        }
        let range = span.value.start + 1..span.value.end - 1;
        let entries: Vec<String> = added.iter().map(|entry| layout.print(entry)).collect();
        let text = if entries.is_empty() { String::new() } else { layout.fill(&entries) };
        self.edits.push(Edit { range, text });
    }

    fn members(&self, at: usize, patch: &JsonMap) -> Vec<Member<'t>> {
        let parsed = self.parsed;
        parsed
            .children(at)
            .filter_map(|index| {
                let span = &parsed.spans[index];
                let Some(Segment::Key(key)) = &span.segment else { return None };
                let kept = (!patch.get(key).is_some_and(Json::is_null)).then_some(());
                Some(Member { key, index, whole: span.whole(), kept })
            })
            .collect()
    }
}

/// The member a new key goes behind: its nearest kept predecessor in `order`, else the last kept one; `None` for the very
/// first place.
fn place(members: &[Member], places: &[Vec<(&String, &Json)>], order: Option<&JsonMap>, key: &str) -> Option<usize> {
    let last = members.iter().rposition(|member| member.kept.is_some());
    let Some((order, index)) = order.and_then(|order| Some((order, order.keys().position(|known| known == key)?)))
    else {
        return last;
    };
    order.keys().take(index).rev().find_map(|known| {
        let behind_new = || places.iter().position(|new| new.iter().any(|(key, _)| *key == known));
        members.iter().position(|member| member.kept.is_some() && member.key == known).or_else(behind_new)
    })
}

impl Layout {
    /// Of the object or array at `span`, from where its first member stands.
    pub fn of(text: &str, span: &Span, first: Option<usize>) -> Self {
        let line = text[..span.value.start].rsplit('\n').next().unwrap_or("");
        let outer: String = line.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
        let Some(first) = first else {
            let indent = format!("{outer}  ");
            return Self { between: format!("\n{indent}"), closing: format!("\n{outer}"), indent: Some(indent) };
        };
        let gap = &text[span.value.start + 1..first];
        match gap.rsplit_once('\n') {
            Some((_, indent)) => {
                Self { between: format!("\n{indent}"), closing: format!("\n{outer}"), indent: Some(indent.to_owned()) }
            }
            None => Self { between: " ".to_owned(), closing: String::new(), indent: None },
        }
    }

    /// What stands between the braces or brackets of an object or array that has nothing but these.
    pub fn fill(&self, entries: &[String]) -> String {
        let between = format!(",{}", self.between);
        // On one line the braces stand close.
        let opening = if self.indent.is_some() { self.between.as_str() } else { "" };
        format!("{opening}{}{}", entries.join(&between), self.closing)
    }

    fn print(&self, (key, value): &(&String, &Json)) -> String {
        format!("{}: {}", Json::String((*key).clone()), self.value(value))
    }

    /// A value to be put where there was none of its kind: nulls in it delete nothing.
    fn value(&self, value: &Json) -> String {
        let value = match value {
            Json::Object(inner) => {
                let mut fresh = JsonMap::new();
                patch::apply(&mut fresh, inner);
                Json::Object(fresh)
            }
            other => other.clone(),
        };
        self.whole(&value)
    }

    /// A value as it is.
    pub fn whole(&self, value: &Json) -> String {
        match &self.indent {
            None => compact(value),
            // A string holds no bare line break, so every one is between values.
            Some(indent) => format!("{value:#}").replace('\n', &format!("\n{indent}")),
        }
    }
}
