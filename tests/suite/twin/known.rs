//! Keys other twins have, and slips of them.

use super::given::map;
use proptest::prelude::*;
use serde_json::json;
use twinscope::twin::known::{HINTS_MAX, Known, PATHS_MAX, near};
use twinscope::twin::{Section, text};

#[test]
fn one_edit_away_is_near() {
    for (typed, known, expected) in [
        ("telemetryIntervl", "telemetryInterval", true),
        ("telemetryIntervaal", "telemetryInterval", true),
        ("telemetryInterval", "telemetryinterval", true),
        ("telemetryIntrevals", "telemetryInterval", false),
        ("telemetryItnerval", "telemetryInterval", true),
        ("mod", "mode", true),
        ("größe", "grösse", false),
        ("größe", "grüße", true),
        ("grösse", "größe", false),
        // The same is no slip.
        ("mode", "mode", false),
        // Numbered names.
        ("rule1", "rule2", false),
        ("rule1", "rule10", false),
        ("rule", "rule2", false),
        ("line12", "line21", false),
        // Short ones.
        ("a", "b", false),
        ("max", "min", false),
        ("low", "now", false),
        ("ééé", "éé", false),
        ("", "", false),
        ("", "abcd", false),
        ("abcd", "dcba", false),
    ] {
        assert_eq!(near(typed, known), expected, "{typed} {known}");
        assert_eq!(near(known, typed), expected, "{known} {typed}");
    }
}

/// Each slip as `line:column path → meant`.
fn said(known: &[&str], typed: &str) -> Vec<String> {
    let mut all = Known::default();
    for document in known {
        all.learn(&map(document));
    }
    let hints = all.hints(typed, &text::parse(typed));
    for hint in &hints {
        assert_eq!(typed[hint.range.clone()], serde_json::to_string(&hint.typed).unwrap());
    }
    hints.iter().map(|hint| format!("{}:{} {} → {}", hint.line, hint.column, hint.path, hint.meant)).collect()
}

#[test]
fn a_slip_is_told_at_its_place() {
    for (known, typed, expected) in [
        (&[r#"{"mode":1}"#, r#"{"interval":1}"#][..], "{\n  \"intervl\": 5\n}", &["2:3 intervl → interval"][..]),
        // It is there as well.
        (&[r#"{"interval":1}"#], r#"{"intervl":5,"interval":5}"#, &[]),
        // Somebody has it.
        (&[r#"{"interval":1}"#, r#"{"intervl":1}"#], r#"{"intervl":5}"#, &[]),
        // At another place.
        (&[r#"{"limits":{"interval":1}}"#], r#"{"intervl":5}"#, &[]),
        (&[r#"{"limits":{"interval":1}}"#], r#"{"limits":{"intervl":5}}"#, &["1:12 limits.intervl → interval"]),
        // Elements of an array are one place.
        (
            &[r#"{"rules":[{"name":1},{"value":2}]}"#],
            r#"{"rules":[{},{"nmae":1},{"vaule":1}]}"#,
            &["1:15 rules[1].nmae → name", "1:26 rules[2].vaule → value"],
        ),
        // What does not parse is not judged.
        (&[r#"{"interval":1}"#], r#"{"intervl":5"#, &[]),
        (&[r#"{"interval":1}"#], "", &[]),
        (&[], r#"{"intervl":5}"#, &[]),
    ] {
        assert_eq!(said(known, typed), expected, "{typed}");
    }
}

#[test]
fn rows_teach_if_they_are_twins() {
    let desired = json!({"interval": 1, "$version": 3});
    let whole = json!({"deviceId": "d", "etag": "e", "tags": {"site": 1}, "properties": {"desired": desired}});
    let part = json!({"tags": {"site": 1}, "properties": {"desired": desired}});
    for (row, section, typed, expected) in [
        (&whole, Section::Desired, r#"{"intervl":5}"#, 1),
        (&whole, Section::Tags, r#"{"sites":5}"#, 1),
        (&whole, Section::Desired, r#"{"sites":5,"$verion":5}"#, 0),
        (&part, Section::Desired, r#"{"intervl":5}"#, 0),
        (&json!([1]), Section::Desired, r#"{"intervl":5}"#, 0),
    ] {
        let mut known = Known::default();
        known.learn_row(section, row);
        assert_eq!(known.hints(typed, &text::parse(typed)).len(), expected, "{row} {typed}");
    }
}

#[test]
fn a_crowd_of_keys_is_bounded_and_misleads_nobody() {
    let letters = |n: usize| [n / 676, n / 26 % 26, n % 26].map(|n| char::from(b'a' + u8::try_from(n).unwrap()));
    let crowd = |count: usize, end: &str| -> twinscope::twin::JsonMap {
        (0..count).map(|n| (format!("{}{end}", letters(n).iter().collect::<String>()), json!(1))).collect()
    };
    let mut known = Known::default();
    known.learn(&crowd(PATHS_MAX, "Setting"));
    let typed = text::pretty(&crowd(PATHS_MAX, "Settingx"));
    // So many pairs are compared.
    assert_eq!(known.hints(&typed, &text::parse(&typed)).len(), 20_000 / PATHS_MAX);
    let few = text::pretty(&crowd(HINTS_MAX + 5, "Seting"));
    let mut small = Known::default();
    small.learn(&crowd(100, "Setting"));
    assert_eq!(small.hints(&few, &text::parse(&few)).len(), HINTS_MAX);
    // One more than there is room for: nothing is sure any more.
    known.learn(&crowd(PATHS_MAX + 1, "Setting"));
    assert_eq!(known.hints(&typed, &text::parse(&typed)), []);
}

proptest! {
    #[test]
    fn near_agrees_with_its_definition(typed in "[ab1]{0,6}", known in "[ab1]{0,6}") {
        let (a, b): (Vec<char>, Vec<char>) = (typed.chars().collect(), known.chars().collect());
        let without = |from: &[char], to: &[char]| {
            (0..from.len()).any(|n| from[n] != '1' && [&from[..n], &from[n + 1..]].concat() == to)
        };
        let changed = a.len() == b.len() && {
            let odd: Vec<usize> = (0..a.len()).filter(|n| a[*n] != b[*n]).collect();
            let letters = odd.iter().all(|n| a[*n] != '1' && b[*n] != '1');
            letters && match odd[..] {
                [_] => true,
                [n, m] => m == n + 1 && a[n] == b[m] && a[m] == b[n],
                _ => false,
            }
        };
        let edited = without(&a, &b) || without(&b, &a) || changed;
        prop_assert_eq!(near(&typed, &known), a.len().max(b.len()) >= 4 && edited);
    }

    #[test]
    fn what_was_learnt_is_no_slip(documents in proptest::collection::vec(super::given::any_documents(), 1..4)) {
        let mut known = Known::default();
        for document in &documents {
            known.learn(document);
        }
        for document in &documents {
            let typed = text::pretty(document);
            prop_assert_eq!(known.hints(&typed, &text::parse(&typed)), vec![]);
        }
    }
}
