//! What changed between two texts, and how it is taken back.

use super::given::pairs;
use proptest::prelude::*;
use twinscope::twin::text::change::{between, inverse};
use twinscope::twin::text::pretty;
use twinscope::twin::text::splice::{Edit, made, moved};

#[track_caller]
fn check(old: &str, new: &str, expected: &[(usize, usize, &str)]) {
    let edits = between(old, new);
    let brief: Vec<_> = edits.iter().map(|edit| (edit.range.start, edit.range.end, edit.text.as_str())).collect();
    assert_eq!(brief, expected);
    assert_eq!(made(old, &edits), new);
    assert_eq!(made(new, &inverse(old, &edits)), old);
}

#[test]
fn only_what_differs_is_touched() {
    check("same", "same", &[]);
    check("abc", "abxc", &[(2, 2, "x")]);
    check("abc", "ac", &[(1, 2, "")]);
    check("", "a", &[(0, 0, "a")]);
    check("ä", "ö", &[(0, 2, "ö")]);
    // The line between two changes stays.
    check("a1\nb\nc1\n", "a2\nb\nc2\n", &[(1, 2, "2"), (6, 7, "2")]);
    check("a\nb\nc\nd", "a\nx\nc\nd\ne", &[(2, 3, "x"), (7, 7, "\ne")]);
}

#[test]
fn a_caret_between_two_changes_stays_with_its_line() {
    let (old, new) = ("one\ntwo\nthree\nfour\n", "1\ntwo\nthree\nfour and a half\n");
    let at = old.find("three").expect("it is there");
    assert!(new[moved(&between(old, new), at)..].starts_with("three"));
}

#[test]
fn texts_that_have_nothing_in_common_are_replaced_whole() {
    let lines = |word: &str| (0..2_000).map(|n| format!("{word} {n}")).collect::<Vec<_>>().join("\n");
    let (old, new) = (lines("old"), lines("new"));
    let edits = between(&old, &new);
    assert_eq!(edits.len(), 1);
    assert_eq!(made(&old, &edits), new);
}

fn apart(edits: &[Edit]) -> bool {
    edits.windows(2).all(|two| two[0].range.end <= two[1].range.start)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn any_text_becomes_any_other(old in "[abä\n]{0,40}", new in "[abä\n]{0,40}") {
        let edits = between(&old, &new);
        prop_assert!(apart(&edits));
        prop_assert_eq!(made(&old, &edits), &new[..]);
        let back = inverse(&old, &edits);
        prop_assert!(apart(&back));
        prop_assert_eq!(made(&new, &back), old);
    }

    #[test]
    fn a_document_becomes_its_neighbour((old, new) in pairs()) {
        let (old, new) = (pretty(&old), pretty(&new));
        let edits = between(&old, &new);
        prop_assert_eq!(made(&old, &edits), &new[..]);
        prop_assert_eq!(made(&new, &inverse(&old, &edits)), old);
    }
}
