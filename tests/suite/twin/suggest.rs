//! What is offered at a caret, and the text it leaves.

use super::given::{any_documents, documents, map};
use proptest::prelude::*;
use twinscope::twin::known::Known;
use twinscope::twin::known::suggest::{OFFERED_MAX, Why, accept, suggest};
use twinscope::twin::text::{self, splice};
use twinscope::twin::{Json, JsonMap};

fn known(documents: &[&str]) -> Known {
    let mut known = Known::default();
    for document in documents {
        known.learn(&map(document));
    }
    known
}

/// Text and caret of `|`.
fn caret(marked: &str) -> (String, usize) {
    (marked.replacen('|', "", 1), marked.find('|').expect("a caret"))
}

const FLEET: [&str; 4] = [
    r#"{"mode":"auto","interval":60,"limits":{"low":2.50},"on":true,"rules":[{"name":"a"},{"name":"b"}]}"#,
    r#"{"mode":"eco","interval":60,"limits":{"low":2.50,"high":9},"rules":[{"name":"a"}]}"#,
    r#"{"mode":"auto","interval":30,"limits":{}}"#,
    r#"{"mode":"automatic","other":[1,2]}"#,
];

/// Each suggestion as `name kind twins`.
fn offered(marked: &str, why: Why) -> Option<Vec<String>> {
    let (text, at) = caret(marked);
    let offer =
        suggest(&text, at, &known(&FLEET), Some(&known(&[r#"{"mode":"off","interval":60,"firmware":"1.4"}"#])), why)?;
    Some(offer.list.iter().map(|one| format!("{} {} {}", one.name, one.kind.word(), one.twins)).collect())
}

#[test]
fn what_fits_comes_first_and_most_frequent_first() {
    for (marked, why, expected) in [
        (
            "{\"|\"}",
            Why::Typed,
            Some(
                &[
                    "mode Text 4",
                    "interval Number 3",
                    "limits Object 3",
                    "rules Array 2",
                    "on True or false 1",
                    "other Array 1",
                    "firmware Text 0",
                ][..],
            ),
        ),
        // What stands there is not offered again.
        (
            "{\"|\", \"mode\": 1, \"interval\": 1, \"limits\": 1}",
            Why::Typed,
            Some(&["rules Array 2", "on True or false 1", "other Array 1", "firmware Text 0"]),
        ),
        ("{\"mo|\"}", Why::Typed, Some(&["mode Text 4"])),
        // Anywhere in the name, or its letters in their order.
        ("{\"O|\"}", Why::Typed, Some(&["on True or false 1", "other Array 1", "mode Text 4"])),
        ("{\"itv|\"}", Why::Typed, Some(&["interval Number 3"])),
        ("{\"xyz|\"}", Why::Typed, None),
        ("{\"limits\": {\"|\"}}", Why::Typed, Some(&["low Number 2", "high Number 1"])),
        ("{\"rules\": [{\"x\": 1}, {\"|\"}]}", Why::Typed, Some(&["name Text 2"])),
        // A key without quotes is typed by nobody who did not ask.
        ("{|}", Why::Typed, None),
        ("{m|}", Why::Typed, None),
        ("{m|}", Why::Narrowed, Some(&["mode Text 4", "limits Object 3", "firmware Text 0"])),
        ("{\"unknown\": {|}}", Why::Typed, None),
        ("{\"unknown\": {|}}", Why::Asked, Some(&[])),
        ("{} |", Why::Asked, None),
        // Values.
        (
            "{\"mode\": |}",
            Why::Typed,
            Some(&["\"auto\" Text 2", "\"automatic\" Text 1", "\"eco\" Text 1", "\"off\" Text 0"]),
        ),
        ("{\"mode\": \"au|\"}", Why::Typed, Some(&["\"auto\" Text 2", "\"automatic\" Text 1"])),
        ("{\"mode\": \"auto|\"}", Why::Typed, Some(&["\"auto\" Text 2", "\"automatic\" Text 1"])),
        ("{\"mode\": \"eco|\"}", Why::Typed, None),
        (
            "{\"mode\": \"eco|\"}",
            Why::Asked,
            Some(&["\"eco\" Text 1", "\"auto\" Text 2", "\"automatic\" Text 1", "\"off\" Text 0"]),
        ),
        ("{\"interval\": 6|}", Why::Typed, Some(&["60 Number 2"])),
        ("{\"interval\": \"|\"}", Why::Typed, None),
        ("{\"limits\": |}", Why::Typed, Some(&["{} Object 3"])),
        ("{\"rules\": [{\"name\": |}]}", Why::Typed, Some(&["\"a\" Text 2", "\"b\" Text 1"])),
        ("{\"other\": [|]}", Why::Typed, Some(&["1 Number 1", "2 Number 1"])),
        ("{\"limits\": {\"low\": |}}", Why::Typed, Some(&["2.50 Number 2"])),
    ] {
        let offered = offered(marked, why);
        let said = offered.as_ref().map(|list| list.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(said.as_deref(), expected, "{marked} {why:?}");
    }
}

#[test]
fn what_is_taken_stands_with_its_commas_and_the_caret_where_it_goes_on() {
    for (marked, name, expected) in [
        ("{|}", "mode", "{\"mode\": \"|\"}"),
        ("{\"mo|\"}", "mode", "{\"mode\": \"|\"}"),
        ("{mo|}", "mode", "{\"mode\": \"|\"}"),
        ("{\n  \"mo|\n  \"a\": 1\n}", "mode", "{\n  \"mode\": \"|\",\n  \"a\": 1\n}"),
        ("{\"a\": 1\n  \"|\"\n}", "interval", "{\"a\": 1,\n  \"interval\": <60|>\n}"),
        ("{\"a\": 1 |\n}", "on", "{\"a\": 1, \"on\": <true|>\n}"),
        ("{\"a\": {}|}", "on", "{\"a\": {}, \"on\": <true|>}"),
        ("{\"a\": 1,|\"b\": 2}", "limits", "{\"a\": 1, \"limits\": {|}, \"b\": 2}"),
        ("{\"a\": 1 |, \"b\": 2}", "rules", "{\"a\": 1, \"rules\": [|], \"b\": 2}"),
        // The value there is stays.
        ("{\"mo|x\"  : 5}", "mode", "{\"mode\"|  : 5}"),
        ("{\"mode\":|}", "\"auto\"", "{\"mode\": \"auto\"|}"),
        ("{\"mode\": \"e|co\" }", "\"auto\"", "{\"mode\": \"auto\"| }"),
        ("{\"mode\": | \"eco\" }", "\"auto\"", "{\"mode\":  \"auto\"| }"),
        ("{\"mode\": \"e|\n  \"a\": 1}", "\"auto\"", "{\"mode\": \"auto\"|,\n  \"a\": 1}"),
        ("{\"mode\": au|}", "\"auto\"", "{\"mode\": \"auto\"|}"),
        ("{\"mode\": |\n  \"a\": 1}", "\"auto\"", "{\"mode\": \"auto\"|,\n  \"a\": 1}"),
        ("{\"limits\": |}", "{}", "{\"limits\": {|}}"),
        ("{\"other\": [5|, 6]}", "1", "{\"other\": [1|, 6]}"),
        ("{\"other\": [|5]}", "1", "{\"other\": [1|, 5]}"),
        ("{\"other\": [5 |]}", "1", "{\"other\": [5, 1|]}"),
        ("{\"ä\": \"ö\"  \"|\"}", "on", "{\"ä\": \"ö\",  \"on\": <true|>}"),
    ] {
        let (text, at) = caret(marked);
        let offer = suggest(&text, at, &known(&FLEET), None, Why::Asked).expect("something");
        let chosen = offer.list.iter().find(|one| one.name == name).unwrap_or_else(|| panic!("no {name} in {marked}"));
        let (edits, selected) = accept(&text, &offer.spot, chosen);
        let mut made = splice::made(&text, &edits);
        made.insert(selected.caret, '|');
        if selected.anchor != selected.caret {
            made.insert(selected.caret + 1, '>');
            made.insert(selected.anchor, '<');
        }
        assert_eq!(made, expected, "{marked}");
    }
}

#[test]
fn a_key_is_spelled_as_json() {
    let known = known(&[r#"{"a\"b\\c":{"ü\u0007":"x"}}"#]);
    for (marked, expected) in
        [("{|}", "{\"a\\\"b\\\\c\": {}}"), ("{\"a\\\"b\\\\c\": {|}}", "{\"a\\\"b\\\\c\": {\"ü\\u0007\": \"\"}}")]
    {
        let (text, at) = caret(marked);
        let offer = suggest(&text, at, &known, None, Why::Asked).expect("something");
        assert_eq!(splice::made(&text, &accept(&text, &offer.spot, &offer.list[0]).0), expected);
    }
}

#[test]
fn a_twin_counts_once() {
    let mut known = Known::default();
    known.learn(&map(r#"{"rules":[{"name":"a"},{"name":"a"}],"mode":"x"}"#));
    known.learn_version(&map(r#"{"rules":[{"name":"a"}],"mode":"y"}"#));
    known.learn(&map(r#"{"mode":"x"}"#));
    let said = |marked| {
        let (text, at) = caret(marked);
        let offer = suggest(&text, at, &known, None, Why::Asked).expect("something");
        offer.list.iter().map(|one| format!("{} {}", one.name, one.twins)).collect::<Vec<_>>()
    };
    assert_eq!(said("{|}"), ["mode 2", "rules 1"]);
    assert_eq!(said("{\"mode\": |}"), ["\"x\" 2", "\"y\" 1"]);
    assert_eq!(said("{\"rules\": [{\"name\": |}]}"), ["\"a\" 1"]);
}

#[test]
fn a_crowd_of_values_is_bounded() {
    let mut known = Known::default();
    let long = "x".repeat(300);
    for n in 0..500 {
        let value = if n % 5 == 0 { Json::from("often") } else { Json::from(n) };
        let keys = (0..3).map(|key| (format!("key{key}"), value.clone()));
        known.learn(&keys.chain([("long".to_owned(), Json::from(format!("{long}{n}")))]).collect::<JsonMap>());
    }
    let offer = |marked| {
        let (text, at) = caret(marked);
        suggest(&text, at, &known, None, Why::Asked).expect("something").list
    };
    let values = offer("{\"key1\": |}");
    assert_eq!(values.len(), 20);
    assert_eq!((values[0].name.as_str(), values[0].twins), ("\"often\"", 100));
    assert_eq!(offer("{\"long\": |}"), []);
    let mut many = Known::default();
    many.learn(&(0..500).map(|n| (format!("key{n}"), Json::from(1))).collect::<JsonMap>());
    assert_eq!(suggest("{}", 1, &many, None, Why::Asked).expect("something").list.len(), OFFERED_MAX);

    // However much is thrown at it, all values together stay within a megabyte.
    let mut flood = Known::default();
    let mut kept = 0;
    for n in 0..20_u32 {
        flood.learn(&(0..2000).map(|key| (format!("key{key}"), Json::from(format!("{n:0250}")))).collect::<JsonMap>());
    }
    for key in 0..2000 {
        let text = format!("{{\"key{key}\": }}");
        let offer = suggest(&text, text.len() - 1, &flood, None, Why::Asked).expect("something");
        kept += offer.list.len() * 250;
    }
    assert!((900_000..=1 << 20).contains(&kept), "{kept}");
}

proptest! {
    #![proptest_config(super::given::cases(256))]

    #[test]
    fn what_is_taken_into_a_whole_text_leaves_it_whole(
        text in documents(), fleet in prop::collection::vec(documents(), 1..4), carets in prop::collection::vec(0..2000_usize, 1..20), chosen in 0..1000_usize
    ) {
        let mut known = Known::default();
        known.learn(&text);
        for document in &fleet {
            known.learn(document);
        }
        for text in [text::pretty(&text), Json::Object(text).to_string()] {
            for caret in &carets {
                let caret = caret % (text.len() + 1);
                let Some(offer) = suggest(&text, caret, &known, None, Why::Asked) else { continue };
                if offer.list.is_empty() {
                    continue;
                }
                let chosen = &offer.list[chosen % offer.list.len()];
                let (edits, selected) = accept(&text, &offer.spot, chosen);
                let made = splice::made(&text, &edits);
                let parsed = text::parse(&made);
                prop_assert!(parsed.document.is_some(), "{} at {}: {:?}", made, caret, parsed.problems);
                prop_assert!(made.is_char_boundary(selected.anchor) && made.is_char_boundary(selected.caret));
                // Nothing else of the text went.
                prop_assert!(made.starts_with(&text[..edits[0].range.start]));
                prop_assert!(made.ends_with(&text[edits[edits.len() - 1].range.end..]));
            }
        }
    }

    #[test]
    fn anything_can_be_taken_anywhere(
        text in "([{}\\[\\],:\"\\\\/*# \n]|[ab1é😀\u{feff}]|\"a\":|\\{\"b\": ){0,30}", fleet in any_documents(), caret in 0..120_usize
    ) {
        let mut known = Known::default();
        known.learn(&fleet);
        for why in [Why::Asked, Why::Narrowed, Why::Typed] {
            let Some(offer) = suggest(&text, caret, &known, Some(&known), why) else { continue };
            for chosen in &offer.list {
                let (edits, selected) = accept(&text, &offer.spot, chosen);
                let made = splice::made(&text, &edits);
                prop_assert!(edits.is_sorted_by_key(|edit| edit.range.start));
                prop_assert_eq!(made.len(), text.len() + edits.iter().map(|edit| edit.text.len()).sum::<usize>() - edits.iter().map(|edit| edit.range.len()).sum::<usize>());
                prop_assert!(made.is_char_boundary(selected.anchor) && made.is_char_boundary(selected.caret));
            }
        }
    }
}
