//! The hub's limits, each at its edge.

use super::given::{json, map};
use twinscope::twin::rules::{Form, PROPERTIES_MAX, Rule, TAGS_MAX, check, size};
use twinscope::twin::{Json, JsonMap, Section};

/// Violations of desired as `path rule`.
fn broken(text: &str, form: Form) -> Vec<String> {
    let violations = check(Section::Desired, &map(text), form);
    violations.iter().map(|violation| format!("{} {:?}", violation.path, violation.rule)).collect()
}

fn refused(text: &str, expected: &[&str]) {
    assert_eq!(broken(text, Form::Document), expected, "{text}");
}

fn one(key: &str, value: impl Into<Json>) -> String {
    Json::Object(std::iter::once((key.to_owned(), value.into())).collect::<JsonMap>()).to_string()
}

#[test]
fn keys() {
    for fine in ["", "ä", "漢字", "a-b_c", "__t", "value", "a/b", "@", "a\u{a0}b"] {
        refused(&one(fine, 1), &[]);
    }
    for (bad, character) in
        [("a.b", '.'), ("$a", '$'), ("a b", ' '), ("a#", '#'), ("a\tb", '\t'), ("\u{1}", '\u{1}'), ("\u{85}", '\u{85}')]
    {
        let violations = check(Section::Tags, &map(&one(bad, 1)), Form::Document);
        assert_eq!(violations[0].rule, Rule::KeyCharacter { character }, "{bad:?}");
        assert_eq!(violations.len(), 1);
    }
    refused(&one(&"k".repeat(1024), 1), &[]);
    let long = one(&"ä".repeat(513), 1);
    assert_eq!(check(Section::Desired, &map(&long), Form::Document)[0].rule, Rule::KeyTooLong { bytes: 1026 });
    refused(
        r#"{"a":{"b.c":[{"d e":1}]}}"#,
        &["a['b.c'] KeyCharacter { character: '.' }", "a['b.c'][0]['d e'] KeyCharacter { character: ' ' }"],
    );
}

#[test]
fn the_hub_s_own_keys_are_skipped_at_the_root_only() {
    let document = r#"{"$version":3,"$metadata":{"a b":{"$lastUpdated":"x"}},"a":1}"#;
    refused(document, &[]);
    assert_eq!(check(Section::Reported, &map(document), Form::Patch), []);
    assert_eq!(check(Section::Tags, &map(r#"{"$version":3}"#), Form::Document).len(), 1);
    refused(r#"{"a":{"$version":3}}"#, &["a.$version KeyCharacter { character: '$' }"]);
    refused(r#"{"$other":3}"#, &["$other KeyCharacter { character: '$' }"]);
}

#[test]
fn strings_and_numbers() {
    refused(&one("s", "x".repeat(4096)), &[]);
    refused(&one("s", "x".repeat(4097)), &["s StringTooLong { bytes: 4097 }"]);
    refused(&one("s", "€".repeat(1366)), &["s StringTooLong { bytes: 4098 }"]);
    for fine in ["4503599627370495", "-4503599627370496", "0", "-0", "1.0", "9007199254740993.5", "1e300", "-1E-400"] {
        refused(&format!(r#"{{"n":{fine}}}"#), &[]);
    }
    for wide in ["4503599627370496", "-4503599627370497", "9223372036854775808", "99999999999999999999999999"] {
        refused(&format!(r#"{{"n":{wide}}}"#), &["n IntegerRange"]);
    }
    for infinite in ["1e400", "-1E400", "1.0e999999999999"] {
        refused(&format!(r#"{{"n":{infinite}}}"#), &["n NumberNotFinite"]);
    }
    let spelled = |digits: usize| format!(r#"{{"n":0.{}}}"#, "1".repeat(digits));
    refused(&spelled(4094), &[]);
    refused(&spelled(4095), &["n NumberTooLong { bytes: 4097 }"]);
    refused(&format!(r#"{{"n":{}}}"#, "1".repeat(250_000)), &["n NumberTooLong { bytes: 250000 }"]);
}

/// `levels` objects inside each other, the innermost with a scalar.
fn nested(levels: usize) -> String {
    format!("{}1{}", r#"{"k":"#.repeat(levels), "}".repeat(levels))
}

#[test]
fn depth() {
    // The root, ten objects below it, a scalar in the tenth.
    refused(&nested(11), &[]);
    refused(&nested(12), &["k.k.k.k.k.k.k.k.k.k.k TooDeep"]);
    // Said once, however far it goes on.
    assert_eq!(broken(&nested(100), Form::Document).len(), 1);
    // Arrays count as a level.
    refused(&format!(r#"{{"a":{}{}}}"#, "[".repeat(10), "]".repeat(10)), &[]);
    refused(&format!(r#"{{"a":{}{}}}"#, "[".repeat(11), "]".repeat(11)), &["a[0][0][0][0][0][0][0][0][0][0] TooDeep"]);
}

#[test]
fn depth_without_end_does_not_end_the_stack() {
    let mut value = Json::from(1);
    for _ in 0..2_000 {
        value = Json::Array(vec![value]);
    }
    let document: JsonMap = std::iter::once(("a".to_owned(), value)).collect();
    assert_eq!(check(Section::Desired, &document, Form::Document).len(), 1);
    assert_eq!(size(&document), 1);
}

#[test]
fn nulls() {
    refused(r#"{"a":null,"b":{"c":null}}"#, &["a NullValue", "b.c NullValue"]);
    assert_eq!(broken(r#"{"a":null,"b":{"c":null}}"#, Form::Patch), Vec::<String>::new());
    for form in [Form::Document, Form::Patch] {
        assert_eq!(
            broken(r#"{"a":[null,{"b":null}],"c":[[null]]}"#, form),
            ["a[0] NullInArray", "a[1].b NullInArray", "c[0][0] NullInArray"]
        );
    }
}

#[test]
fn the_size_formula() {
    let check = |text: &str, expected: usize| assert_eq!(size(&map(text)), expected, "{text}");
    check("{}", 0);
    check(r#"{"abc":"de"}"#, 5);
    check(r#"{"a":123456,"b":1.5e10}"#, 18);
    check(r#"{"a":true,"b":false}"#, 10);
    check(r#"{"a":{"b":{"c":"x"}}}"#, 4);
    check(r#"{"a":[1,"xy",true,{"k":1}]}"#, 1 + 8 + 2 + 4 + 9);
    check(r#"{"a":{},"b":[]}"#, 2);
    // Characters, not bytes; control characters are free.
    check(r#"{"ä":"漢😀"}"#, 3);
    check(r#"{"a":"x\n\t\u0085y"}"#, 3);
    check(r#"{"$version":12,"$metadata":{"$lastUpdated":"2026"},"a":1}"#, 9);
}

#[test]
fn section_sizes() {
    let document = |size: usize| {
        // Pieces of at most 4096 characters, keys of four characters among them.
        let mut map = JsonMap::new();
        let mut left = size;
        while left > 0 {
            let piece = left.min(4100);
            map.insert(format!("{:04}", map.len()), "x".repeat(piece - 4).into());
            left -= piece;
        }
        map
    };
    for (section, max) in
        [(Section::Tags, TAGS_MAX), (Section::Desired, PROPERTIES_MAX), (Section::Reported, PROPERTIES_MAX)]
    {
        assert_eq!(size(&document(max)), max);
        assert_eq!(check(section, &document(max), Form::Document), []);
        let over = check(section, &document(max + 5), Form::Document);
        assert_eq!(over.len(), 1);
        assert_eq!(over[0].rule, Rule::SectionTooLarge { size: max + 5, max });
        // What counts is the section after a patch, not the patch.
        assert_eq!(check(section, &document(max + 5), Form::Patch), []);
    }
}

#[test]
fn all_at_once_in_document_order() {
    let text = format!(
        r#"{{"a b":1e400,"n":99999999999999999,"s":"{}","z":[null],"y":null,"big":[{}]}}"#,
        "x".repeat(5000),
        vec!["\"xxxxxxxxxxxxxxxx\""; 2000].join(",")
    );
    let broken = broken(&text, Form::Document);
    let rules: Vec<&str> = broken
        .iter()
        .map(|line| line.split([' ', '{']).find(|word| word.starts_with(char::is_uppercase)).unwrap())
        .collect();
    assert_eq!(
        rules,
        [
            "KeyCharacter",
            "NumberNotFinite",
            "IntegerRange",
            "StringTooLong",
            "NullInArray",
            "NullValue",
            "SectionTooLarge"
        ]
    );
}

#[test]
fn every_rule_is_a_sentence_a_person_can_act_on() {
    let rules = [
        (Rule::KeyTooLong { bytes: 1025 }, "1025"),
        (Rule::KeyCharacter { character: '.' }, "`.`"),
        (Rule::KeyCharacter { character: ' ' }, "space"),
        (Rule::KeyCharacter { character: '\u{7}' }, "U+0007"),
        (Rule::StringTooLong { bytes: 5000 }, "4096"),
        (Rule::NumberTooLong { bytes: 5000 }, "4096"),
        (Rule::IntegerRange, "4503599627370495"),
        (Rule::NumberNotFinite, "finite"),
        (Rule::TooDeep, "10"),
        (Rule::NullInArray, "array"),
        (Rule::SectionTooLarge { size: 9000, max: 8192 }, "8192"),
        (Rule::NullValue, "delete the line to delete the property"),
    ];
    for (rule, word) in rules {
        let sentence = twinscope::twin::rules::Violation { path: twinscope::twin::Path::root(), rule }.to_string();
        assert!(sentence.contains(word) && !sentence.ends_with('.'), "{sentence}");
    }
}

#[test]
fn linear_in_the_document() {
    // A section of a thousand times the limit, as a hostile device could try: done before anybody notices.
    let items: Vec<Json> = (0..200_000).map(|_| json("{}")).collect();
    let document: JsonMap = std::iter::once(("a".to_owned(), Json::Array(items))).collect();
    assert_eq!(check(Section::Reported, &document, Form::Document), []);
}
