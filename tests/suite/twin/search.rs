//! Finding and replacing, by words and by expression.

use proptest::prelude::*;
use twinscope::twin::text::search::{Case, Kind, Search};
use twinscope::twin::text::splice::made;

fn search(wanted: &str, kind: Kind, case: Case) -> Search {
    Search::new(wanted, kind, case).expect("it compiles")
}

#[track_caller]
fn replaced(text: &str, search: &Search, with: &str) -> String {
    let edits: Vec<_> = search.hits(text).iter().map(|hit| search.replacement(text, hit, with)).collect();
    made(text, &edits)
}

#[test]
#[allow(clippy::single_range_in_vec_init)] // A list of hits that has one.
fn what_is_found() {
    for (wanted, kind, case, text, expected) in [
        ("ab", Kind::Words, Case::Ignored, "ab AB aab", vec![0..2, 3..5, 7..9]),
        ("ab", Kind::Words, Case::Matched, "ab AB aab", vec![0..2, 7..9]),
        ("a.", Kind::Words, Case::Ignored, "ab a.", vec![3..5]),
        ("a.", Kind::Expression, Case::Ignored, "ab a.", vec![0..2, 3..5]),
        ("ÄÖ", Kind::Words, Case::Ignored, "äö", vec![0..4]),
        ("x*", Kind::Expression, Case::Ignored, "axxa", vec![1..3]),
        ("^a$", Kind::Expression, Case::Ignored, "a\nba\na", vec![0..1, 5..6]),
        ("", Kind::Expression, Case::Ignored, "abc", vec![]),
    ] {
        assert_eq!(search(wanted, kind, case).hits(text), expected, "{wanted} in {text}");
    }
}

#[test]
fn what_takes_its_place() {
    let groups = search(r#""(\w+)": (\d+)"#, Kind::Expression, Case::Matched);
    assert_eq!(replaced(r#"{"a": 1, "b": 22}"#, &groups, r#""$1": "$2""#), r#"{"a": "1", "b": "22"}"#);
    let named = search(r"(?<n>\d)", Kind::Expression, Case::Matched);
    assert_eq!(replaced("1 2", &named, "${n}0"), "10 20");
    let words = search("$1", Kind::Words, Case::Matched);
    assert_eq!(replaced("$1", &words, "$1$1"), "$1$1");
    // What stands before a hit counts for it.
    let edge = search(r"\bb", Kind::Expression, Case::Matched);
    assert_eq!(replaced("ab b", &edge, "c"), "ab c");
}

#[test]
fn a_bad_expression_says_what_is_wrong() {
    let said = |wanted: &str| Search::new(wanted, Kind::Expression, Case::Ignored).err();
    assert_eq!(said("(").as_deref(), Some("unclosed group"));
    assert_eq!(said("a{99999999}{9999}").as_deref(), Some("the expression is too large"));
    assert_eq!(said("*").as_deref(), Some("repetition operator missing expression"));
    assert!(Search::new("(", Kind::Words, Case::Ignored).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn words_are_replaced_as_the_standard_library_does(text in "[ab.ü]{0,20}", wanted in "[ab.ü]{1,3}", with in "[$1a]{0,3}") {
        let words = search(&wanted, Kind::Words, Case::Matched);
        prop_assert_eq!(replaced(&text, &words, &with), text.replace(&wanted, &with));
    }

    #[test]
    fn hits_are_in_order_and_apart(text in "[abAB\n]{0,30}", wanted in "[ab.*|()]{1,5}") {
        if let Ok(search) = Search::new(&wanted, Kind::Expression, Case::Ignored) {
            let hits = search.hits(&text);
            prop_assert!(hits.iter().all(|hit| !hit.is_empty()));
            prop_assert!(hits.windows(2).all(|two| two[0].end <= two[1].start));
        }
    }
}
