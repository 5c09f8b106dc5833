//! What is known of a text, carried along when the text changes.

use super::given::{json, map, pairs, twin};
use proptest::prelude::*;
use std::ops::Range;
use std::sync::Arc;
use twinscope::twin::draft::{AT_ONCE_MAX, Draft, Refusal};
use twinscope::twin::text::shift::Shift;
use twinscope::twin::text::splice::{Edit, made};
use twinscope::twin::text::{self, Parsed, Span};
use twinscope::twin::{Json, JsonMap, Section};

/// Keys and values of a parse in their order, each key before its value.
fn places(spans: &[Span]) -> impl Iterator<Item = &Range<usize>> {
    spans.iter().flat_map(|span| span.key.iter().chain([&span.value]))
}

fn shifted(parsed: &Parsed, shift: &Shift) -> Vec<Span> {
    let moved = |span: &Span| {
        let key = span.key.as_ref().map(|key| shift.range(key));
        Span { key, value: shift.range(&span.value), ..span.clone() }
    };
    parsed.spans.iter().map(moved).collect()
}

/// In bounds, on whole characters, in order, and children inside their parents.
fn are_sound(text: &str, spans: &[Span]) -> Result<(), TestCaseError> {
    for range in places(spans) {
        prop_assert!(text.get(range.clone()).is_some(), "{range:?} of {text:?}");
    }
    prop_assert!(spans.is_sorted_by_key(|span| span.whole().start), "{spans:?}");
    for span in spans {
        let whole = span.whole();
        prop_assert!(whole.start <= whole.end, "{span:?}");
        prop_assert!(span.key.as_ref().is_none_or(|key| key.end <= span.value.end), "{span:?}");
        if let Some(parent) = span.parent.map(|parent| &spans[parent].value) {
            prop_assert!(parent.start <= whole.start && whole.end <= parent.end, "{span:?} in {parent:?}");
        }
    }
    Ok(())
}

/// The one stretch that differs, as its own edit.
fn stretch(old: &str, new: &str) -> Edit {
    let start =
        old.char_indices().zip(new.chars()).take_while(|((_, a), b)| a == b).map(|((at, a), _)| at + a.len_utf8());
    let start = start.last().unwrap_or(0);
    let behind = old[start..].chars().rev().zip(new[start..].chars().rev()).take_while(|(a, b)| a == b);
    let behind: usize = behind.map(|(c, _)| c.len_utf8()).sum();
    Edit { range: start..old.len() - behind, text: new[start..new.len() - behind].to_owned() }
}

/// A document as text, in one of two hands.
fn written(document: &JsonMap, wide: bool) -> String {
    if wide { text::pretty(document) } else { text::compact(&Json::Object(document.clone())) }
}

/// A place in a text, on a whole character.
fn at(text: &str, part: f64) -> usize {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // A share of a text.
    let offset = (text.len() as f64 * part) as usize;
    text.floor_char_boundary(offset)
}

proptest! {
    #![proptest_config(super::given::cases(2_000))]

    #[test]
    fn no_place_leads_out_of_the_text(
        (document, _) in pairs(),
        wide in any::<bool>(),
        edits in prop::collection::vec((0.0..1.0, 0.0..1.0, "[{}\\[\\]\":,a1 \né😀]{0,6}"), 1..5),
    ) {
        let mut text = written(&document, wide);
        // Several edits before anything is read anew.
        let mut parsed = text::parse(&text);
        for (one, other, put_in) in edits {
            let (one, other) = (at(&text, one), at(&text, other));
            let edit = Edit { range: one.min(other)..one.max(other), text: put_in };
            let new = made(&text, &[edit]);
            parsed.spans = shifted(&parsed, &Shift::between(&text, &new));
            text = new;
            are_sound(&text, &parsed.spans)?;
            for offset in 0..=text.len() {
                let _ = parsed.path_at(offset);
            }
        }
    }

    #[test]
    fn what_an_edit_does_not_touch_stands_where_a_fresh_parse_finds_it((before, after) in pairs(), wide in any::<bool>()) {
        let (old, new) = (written(&before, wide), written(&after, wide));
        let edit = stretch(&old, &new);
        let parsed = text::parse(&old);
        let fresh = text::parse(&new);
        for (was, is) in parsed.spans.iter().zip(shifted(&parsed, &Shift::between(&old, &new))) {
            let whole = was.whole();
            if whole.end < edit.range.start || whole.start > edit.range.end {
                let found = fresh.spans.iter().any(|span| (&span.key, &span.value) == (&is.key, &is.value));
                prop_assert!(found, "{is:?} is not in {new:?}, which was {old:?}");
            }
        }
    }

    #[test]
    fn a_value_typed_anew_keeps_every_place(
        (document, other) in pairs(),
        index in any::<prop::sample::Index>(),
        value in prop_oneof![super::given::numbers(), "[a-c\"é😀]{0,3}".prop_map(|text| Json::from(text).to_string())],
        wide in any::<bool>(),
    ) {
        let document = if document.is_empty() { other } else { document };
        let old = written(&document, wide);
        let parsed = text::parse(&old);
        let scalars: Vec<_> = parsed.spans.iter().filter(|span| !old[span.value.clone()].starts_with(['{', '['])).collect();
        prop_assume!(!scalars.is_empty());
        let edit = Edit { range: index.get(&scalars).value.clone(), text: value };
        let new = made(&old, &[edit]);
        prop_assert_eq!(shifted(&parsed, &Shift::between(&old, &new)), text::parse(&new).spans);
    }
}

#[test]
fn a_range_grows_with_what_is_typed_at_its_ends() {
    let check = |old: &str, new: &str, range: Range<usize>, expected: Range<usize>| {
        assert_eq!(Shift::between(old, new).range(&range), expected, "{old} → {new}");
    };
    check("[12]", "[123]", 1..3, 1..4);
    check("[12]", "[312]", 1..3, 1..4);
    check("[12]", "[1]", 1..3, 1..2);
    check("[1, 2]", "[ 1, 2]", 4..5, 5..6);
    check("[1, 2]", "[, 2]", 1..2, 1..1);
    // One inside of what is replaced has no place any more.
    check("[1, 2, 3]", "[x]", 4..5, 2..2);
    check("[1, 2, 3]", "[x]", 0..9, 0..3);
    check("[1]", "[1]", 1..2, 1..2);
}

/// A text of this that is read elsewhere when it is typed.
fn large(members: &str) -> String {
    format!("{{{}\n{members}}}", " ".repeat(AT_ONCE_MAX))
}

#[test]
fn a_small_text_is_read_at_once_and_a_large_one_is_not() {
    let base = twin(r#"{"a":1}"#, "{}");
    let mut draft = Draft::new(base);
    draft.type_text(Section::Desired, r#"{"a":2}"#.to_owned());
    assert!(!draft.is_pending() && draft.unread(Section::Desired).is_none());
    assert_eq!(draft.desired.changes.len(), 1);
    draft.type_text(Section::Desired, large(r#""a":3,"b":4"#));
    assert!(draft.is_pending() && draft.is_dirty());
    assert_eq!(draft.desired.changes.len(), 1, "the last known changes stay");
    assert!(draft.unread(Section::Tags).is_none());
    // Small again: nothing is left to be read.
    draft.type_text(Section::Desired, r#"{"a":2}"#.to_owned());
    assert!(!draft.is_pending());
}

#[test]
fn what_is_read_elsewhere_is_what_is_read_here() {
    let mut draft = Draft::new(twin(r#"{"a":1}"#, "{}"));
    draft.type_text(Section::Desired, large(r#""a":2"#));
    let early = draft.unread(Section::Desired).unwrap().read();
    draft.type_text(Section::Desired, large(r#""a":2,"b":3"#));
    let reading = draft.unread(Section::Desired).unwrap();
    assert!(!draft.take_read(Section::Desired, early), "of another text");
    assert!(draft.is_pending());
    let mut other = Draft::new(twin(r#"{"a":2}"#, "{}"));
    other.type_text(Section::Desired, draft.desired.text.clone());
    assert!(!other.take_read(Section::Desired, reading.clone().read()), "against another base");
    let mut here = Draft::new(Arc::clone(&draft.base));
    here.set_text(Section::Desired, draft.desired.text.clone());
    assert!(draft.take_read(Section::Desired, reading.clone().read()));
    assert_eq!(draft, here);
    assert!(!draft.take_read(Section::Desired, reading.read()), "nobody waits for it any more");
    draft.type_text(Section::Desired, large(r#""a":2,"b":4"#));
    assert!(draft.settle() && !draft.settle());
    here.set_text(Section::Desired, large(r#""a":2,"b":4"#));
    assert_eq!(draft, here);
}

#[test]
fn a_save_never_goes_by_what_a_text_was() {
    let mut draft = Draft::new(twin(r#"{"a":1}"#, "{}"));
    draft.set_text(Section::Desired, large(r#""a":2"#));
    draft.type_text(Section::Desired, large(r#""a":3"#));
    assert_eq!(draft.outgoing().unwrap().device_told, Some(map(r#"{"a":3}"#)));
    assert_eq!(draft.replacement().unwrap().outgoing.device_told, Some(map(r#"{"a":3}"#)));
    draft.type_text(Section::Desired, large(r#""a":"#));
    assert!(matches!(draft.outgoing(), Err(Refusal::Problem { .. })));
    assert!(matches!(draft.replacement(), Err(Refusal::Problem { .. })));
    // What the base says is no edit, whatever was known of the text before.
    draft.type_text(Section::Desired, text::pretty(&map(r#"{"a":1}"#)));
    assert_eq!(draft.outgoing(), Err(Refusal::NoChange));
    assert!(!draft.is_dirty());
}

#[test]
fn problems_stay_where_they_are_on_the_screen() {
    let mut draft = Draft::new(twin(r#"{"a":1}"#, "{}"));
    let told = |draft: &Draft| {
        let problems = draft.desired.problems.iter();
        problems.map(|problem| (problem.line, problem.column, problem.range.clone())).collect::<Vec<_>>()
    };
    draft.set_text(Section::Desired, large("\"é\":1, \"no good\":2,\n  \"b\":null"));
    assert_eq!(draft.desired.problems.len(), 2);
    for typed in [
        "\n\n\"é\":1, \"no good\":2,\n  \"b\":null",
        "\n\n\"éé\":1, \"no good\":2,\n  \"b\":null",
        "\n\n\"éé\":1, \"no good\":2,  \"b\":null",
    ] {
        draft.type_text(Section::Desired, large(typed));
        let carried = told(&draft);
        assert!(draft.settle());
        assert_eq!(carried, told(&draft), "{typed:?}");
    }
    assert_eq!(json(&draft.desired.text[draft.desired.parsed.spans[1].value.clone()]), json("1"));
}
