//! A patch written into a text: what it says, and that everything else keeps every letter.

use super::given::{documents, map, pairs};
use proptest::prelude::*;
use twinscope::twin::patch::{apply, between};
use twinscope::twin::text::splice::{Edit, made, moved, splice};
use twinscope::twin::text::{parse, pretty};
use twinscope::twin::{Json, JsonMap, Segment};

fn edits(text: &str, patch: &str) -> Vec<Edit> {
    let patch = map(patch);
    splice(text, &parse(text), &patch, &patch).unwrap()
}

#[track_caller]
fn check(text: &str, patch: &str, expected: &str) {
    assert_eq!(made(text, &edits(text, patch)), expected);
}

#[test]
fn a_value_is_replaced_where_it_stands() {
    check("{ \"a\" :  1 }", r#"{"a":2}"#, "{ \"a\" :  2 }");
    check("{\n\t\"a\": {\"b\":1 , \"c\": 2}\n}", r#"{"a":{"b":9}}"#, "{\n\t\"a\": {\"b\":9 , \"c\": 2}\n}");
    check("{\n  \"a\": 1\n}", r#"{"a":{"x":{"y":1}}}"#, "{\n  \"a\": {\n    \"x\": {\n      \"y\": 1\n    }\n  }\n}");
    check(r#"{"a": [1, 2]}"#, r#"{"a":[1,2,3]}"#, r#"{"a": [1,2,3]}"#);
    check(r#"{"a": {"b": 1}}"#, r#"{"a":1.50}"#, r#"{"a": 1.50}"#);
}

#[test]
fn a_member_goes_with_its_comma() {
    let text = "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}";
    check(text, r#"{"a":null}"#, "{\n  \"b\": 2,\n  \"c\": 3\n}");
    check(text, r#"{"b":null}"#, "{\n  \"a\": 1,\n  \"c\": 3\n}");
    check(text, r#"{"c":null}"#, "{\n  \"a\": 1,\n  \"b\": 2\n}");
    check(text, r#"{"a":null,"b":null}"#, "{\n  \"c\": 3\n}");
    check(text, r#"{"a":null,"c":null}"#, "{\n  \"b\": 2\n}");
    check(text, r#"{"a":null,"b":null,"c":null}"#, "{}");
    check(text, r#"{"x":null}"#, text);
}

#[test]
fn a_new_member_stands_like_its_neighbours() {
    check("{}", r#"{"a":1}"#, "{\n  \"a\": 1\n}");
    check("{ }", r#"{"a":1,"b":2}"#, "{\n  \"a\": 1,\n  \"b\": 2\n}");
    check(r#"{"a": 1}"#, r#"{"b":{"c":1}}"#, r#"{"b": {"c":1}, "a": 1}"#);
    check("{\n    \"a\": 1\n}", r#"{"a":1,"b":{"c":1}}"#, "{\n    \"a\": 1,\n    \"b\": {\n      \"c\": 1\n    }\n}");
    check("{\n  \"a\": {}\n}", r#"{"a":{"b":1}}"#, "{\n  \"a\": {\n    \"b\": 1\n  }\n}");
    check("{\n  \"a\": 1\n}", r#"{"a":null,"b":2}"#, "{\n  \"b\": 2\n}");
    check("{\n  \"a\": 1,\n  \"z\": 9\n}", r#"{"a":null,"b":2}"#, "{\n  \"b\": 2,\n  \"z\": 9\n}");
}

#[test]
fn a_new_member_goes_where_the_other_document_has_it() {
    let text = "{\n  \"a\": 1,\n  \"d\": 4\n}";
    let order = map(r#"{"first":0,"a":1,"b":2,"c":3,"d":4,"e":5}"#);
    let patch = map(r#"{"first":0,"b":2,"c":3,"e":5}"#);
    let edits = splice(text, &parse(text), &patch, &order).unwrap();
    assert_eq!(
        parse(&made(text, &edits)).document.unwrap().keys().collect::<Vec<_>>(),
        order.keys().collect::<Vec<_>>()
    );
}

#[test]
fn a_caret_stays_with_what_it_stood_behind() {
    let text = "{\n  \"a\": 1,\n  \"b\": 2\n}";
    let before = text.find('2').unwrap();
    let edits = edits(text, r#"{"a":1000,"c":3}"#);
    let after = made(text, &edits);
    assert_eq!(&after[moved(&edits, before)..=moved(&edits, before)], "2");
    assert_eq!(moved(&edits, 0), 0);
    assert_eq!(moved(&edits, text.len()), after.len());
}

#[test]
fn a_text_that_does_not_parse_is_left_alone() {
    assert_eq!(splice("{", &parse("{"), &JsonMap::new(), &JsonMap::new()), None);
}

/// A document printed with white space of all kinds.
fn printed(document: &JsonMap, style: u8) -> String {
    match style % 4 {
        0 => pretty(document),
        1 => Json::Object(document.clone()).to_string(),
        2 => pretty(document).replace("\n  ", "\r\n\t"),
        _ => format!("  {} \n", pretty(document).replace(",\n", "\n , ")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_text_says_what_the_patch_makes((document, wanted) in pairs(), style: u8) {
        let text = printed(&document, style);
        let parsed = parse(&text);
        prop_assert_eq!(parsed.document.as_ref(), Some(&document));
        let patch = between(&document, &wanted);
        let edits = splice(&text, &parsed, &patch, &wanted).unwrap();
        prop_assert!(edits.windows(2).all(|two| two[0].range.end <= two[1].range.start));
        let after = made(&text, &edits);
        prop_assert_eq!(parse(&after).document, Some(wanted), "{}", after);
    }

    #[test]
    fn any_patch_makes_what_apply_makes((document, patch) in pairs(), style: u8) {
        let text = printed(&document, style);
        let mut applied = document.clone();
        apply(&mut applied, &patch);
        let after = made(&text, &splice(&text, &parse(&text), &patch, &patch).unwrap());
        prop_assert_eq!(parse(&after).document, Some(applied));
    }

    #[test]
    fn members_nobody_touched_keep_every_letter((document, wanted) in pairs(), style: u8) {
        let text = printed(&document, style);
        let parsed = parse(&text);
        let patch = between(&document, &wanted);
        let edits = splice(&text, &parsed, &patch, &wanted).unwrap();
        let after = made(&text, &edits);
        for (index, span) in parsed.spans.iter().enumerate().skip(1) {
            let path = parsed.path(index);
            // A key only one of the two has, or whose value is another, is touched; an array is replaced whole.
            let in_array = path.0.iter().any(|segment| matches!(segment, Segment::Index(_)));
            if !in_array && path.find(&document) == path.find(&wanted) {
                let whole = span.whole();
                let at = moved(&edits, whole.start + 1) - 1;
                prop_assert_eq!(after.get(at..at + whole.len()), Some(&text[whole]), "{}", path);
            }
        }
    }

    #[test]
    fn nothing_to_do_is_no_edit(document in documents(), style: u8) {
        let text = printed(&document, style);
        prop_assert_eq!(splice(&text, &parse(&text), &JsonMap::new(), &document), Some(vec![]));
    }
}
