//! What holds for every text.

use super::device;
use proptest::prelude::*;
use twinscope::query;

const QUERIES: &[&str] = &[
    "SELECT TOP 5 deviceId AS id, tags['odd key'].x[2], properties.desired.$version FROM devices WHERE a = 1 AND NOT b != 'it''s'",
    "SELECT tags.site, COUNT() AS n, AVG(tags.x) AS a FROM devices WHERE IS_DEFINED(tags.site) GROUP BY tags.site, status",
    "SELECT * FROM devices.modules WHERE deviceId in ['x', \"y\"] OR -(1 + 2.5e3) * 4 % 3 <= LENGTH(SUBSTRING(moduleId, 0, 3))",
    "SELECT * FROM devices.jobs WHERE devices.jobs.jobId NIN ['j1', null, true]",
];

/// Parses, and if there is a query, runs it; an error must point into the text.
fn try_out(text: &str) {
    let twin = device("d").tags(r#"{"site":"A","x":1,"odd key":{"x":[1,2,3]}}"#);
    match query::parse(text) {
        Ok(query) => {
            let rows = query.matches(&twin.0) || query.is_aggregate();
            if query.item_type() == query::ItemType::Raw {
                assert!(query.run([&twin.0].into_iter()).len() <= usize::from(rows));
            }
        }
        Err(error) => {
            assert!(text.get(error.span.clone()).is_some(), "{text:?}: {:?}", error.span);
            assert!(!error.message.is_empty());
        }
    }
    for caret in 0..=text.len() {
        for completion in query::complete(text, caret, &["tags.site"]) {
            assert!(text.get(completion.replace).is_some());
        }
    }
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "SELECT",
            "*",
            "FROM",
            "devices",
            "WHERE",
            "GROUP",
            "BY",
            "AND",
            "OR",
            "NOT",
            "IN",
            "(",
            ")",
            "[",
            "]",
            ",",
            ".",
            "=",
            "<",
            "'",
            "\"",
            "\\",
            "tags",
            "1",
            "1e",
            "-",
            "COUNT",
            "IS_DEFINED",
            "TOP",
            "AS",
            "ä",
            "\u{0}",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ]
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,80}") {
        try_out(&text);
    }

    #[test]
    fn no_heap_of_words_panics(words in prop::collection::vec(piece(), 0..20), glue in prop::sample::select(vec!["", " "])) {
        try_out(&words.join(glue));
    }

    #[test]
    fn no_broken_query_panics(
        which in 0..QUERIES.len(), at in any::<prop::sample::Index>(), cut in 0..12_usize, put in prop::collection::vec(piece(), 0..3),
    ) {
        let mut chars: Vec<char> = QUERIES[which].chars().collect();
        let at = at.index(chars.len());
        let end = (at + cut).min(chars.len());
        chars.splice(at..end, put.join(" ").chars().collect::<Vec<_>>());
        try_out(&chars.into_iter().collect::<String>());
    }

    /// A text in a quoted literal means itself, whatever is in it, and cannot break out.
    #[test]
    fn a_quoted_text_is_itself(text in ".{0,40}|[\\\\'\"\\n\u{0}a]{0,10}") {
        let twin = device(&text);
        let query = query::parse(&format!("SELECT * FROM devices WHERE deviceId = {}", query::quote(&text)))
            .map_err(|error| TestCaseError::fail(error.message))?;
        prop_assert!(query.matches(&twin.0));
        let other = device(&(text + "x"));
        prop_assert!(!query.matches(&other.0));
    }

    /// Integers compare exactly, with each other and with fractions, where `f64` would not tell them apart.
    #[test]
    fn integers_compare_exactly(a in any::<i64>(), near in -2..=2_i64, half in any::<bool>()) {
        let b = a.saturating_add(near);
        let twin = device("d").tags(&format!(r#"{{"n":{a}}}"#));
        for (sign, expected) in [("<", a < b), ("<=", a <= b), ("=", a == b), ("!=", a != b), (">", a > b), (">=", a >= b)] {
            prop_assert_eq!(super::holds(&format!("tags.n {sign} {b}"), &twin), expected, "{} {} {}", a, sign, b);
        }
        if half {
            // Small enough for the half to be there as f64.
            let (a, b) = (a >> 14, b >> 14);
            let twin = device("d").tags(&format!(r#"{{"n":{a}.5}}"#));
            let above = if a >= 0 { a >= b } else { a > b };
            prop_assert_eq!(super::holds(&format!("tags.n > {b}"), &twin), above);
        }
    }
}

#[test]
fn the_queries_to_break_are_whole() {
    for text in QUERIES {
        query::parse(text).unwrap();
        try_out(text);
    }
}

#[test]
fn ids_need_no_escape() {
    for (text, literal) in [
        ("plain", "'plain'"),
        ("it's", "\"it's\""),
        ("a\"b", "'a\"b'"),
        ("a\"b'c", r#"'a"b\'c'"#),
        (r"C:\d", r"'C:\\d'"),
        ("a\nb\u{1}", r"'a\nb\u0001'"),
        ("", "''"),
    ] {
        assert_eq!(query::quote(text), literal);
    }
}
