//! A draft meets a newer version of its twin: what goes into the text, what stays undecided, and who wrote it.

use super::given::{cases, json, map, path, triples, twin};
use proptest::prelude::*;
use std::sync::Arc;
use twinscope::twin::draft::Draft;
use twinscope::twin::merge::{Choice, three_way};
use twinscope::twin::metadata::{Written, written};
use twinscope::twin::patch::{Write, landed};
use twinscope::twin::text::splice::made;
use twinscope::twin::{Etag, JsonMap, Section, Twin, text};

/// The same twin with other desired values, as the hub has it after a write.
fn moved(base: &Arc<Twin>, desired: &JsonMap) -> Arc<Twin> {
    let mut twin = (**base).clone();
    twin.desired.values.clone_from(desired);
    twin.etag = Etag("AAAAAAAAAAM=".to_owned());
    twin.version += 1;
    Arc::new(twin)
}

fn edited(base: &JsonMap, mine: &JsonMap, theirs: &JsonMap) -> (Draft, Arc<Twin>) {
    let base = Arc::new(Twin {
        desired: twinscope::twin::Properties { values: base.clone(), ..Default::default() },
        ..(*twin("{}", "{}")).clone()
    });
    let theirs = moved(&base, theirs);
    let mut draft = Draft::new(base);
    draft.set_text(Section::Desired, text::pretty(mine));
    (draft, theirs)
}

fn document(draft: &Draft) -> &JsonMap {
    draft.desired.parsed.document.as_ref().expect("it parses")
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn a_draft_ends_as_chosen_on_the_newer_version(
        (base, mine, theirs) in triples(),
        choices in proptest::collection::vec(0..3_usize, 1..8),
    ) {
        let merge = three_way(&base, &mine, &theirs);
        let choice = |at: &twinscope::twin::Path| {
            let n = merge.clashes.iter().position(|clash| clash.path == *at).expect("a clash");
            [Choice::Mine, Choice::Theirs, Choice::Base][choices[n % choices.len()]]
        };
        let (mut draft, newer) = edited(&base, &mine, &theirs);
        let clashes = draft.rebase_chosen(newer.clone(), |_, clash| choice(&clash.path));
        prop_assert_eq!(clashes.len(), merge.clashes.len());
        let wanted = if mine == base { theirs.clone() } else { merge.resolved(&base, &theirs, |clash| choice(&clash.path)) };
        prop_assert_eq!(document(&draft), &wanted);
        prop_assert_eq!(&draft.base, &newer);
    }

    #[test]
    fn following_takes_what_is_theirs_alone_and_decides_nothing((base, mine, theirs) in triples()) {
        let merge = three_way(&base, &mine, &theirs);
        let (mut draft, newer) = edited(&base, &mine, &theirs);
        let before = draft.desired.text.clone();
        let edits = draft.following(&newer).expect("it parses");
        let (_, edits) = edits.into_iter().find(|(section, _)| *section == Section::Desired).expect("both sections");
        draft.follow(&newer);
        // The text is what the edits said it would be, and the document is the merge, with mine where both changed it.
        if mine != base {
            prop_assert_eq!(&draft.desired.text, &made(&before, &edits));
        }
        prop_assert_eq!(document(&draft), &merge.merged);
        // Nothing was decided: the same clashes are there, and the base is the hub's only where there are none.
        let again = three_way(&draft.base.desired.values, document(&draft), &theirs);
        let paths = |merge: &twinscope::twin::merge::Merge| {
            let mut paths: Vec<String> = merge.clashes.iter().map(|clash| clash.path.to_string()).collect();
            paths.sort();
            paths
        };
        prop_assert_eq!(paths(&again), paths(&merge));
        prop_assert!(again.theirs.is_empty(), "{:?}", again.theirs);
        prop_assert_eq!(draft.base.etag == newer.etag, merge.clashes.is_empty());
    }
}

#[test]
fn a_text_that_does_not_parse_follows_nothing() {
    let (mut draft, newer) = edited(&map(r#"{"a":1}"#), &map("{}"), &map(r#"{"a":1,"b":2}"#));
    draft.set_text(Section::Desired, "{ \"a\": ".to_owned());
    let before = draft.clone();
    assert_eq!(draft.following(&newer), None);
    draft.follow(&newer);
    assert_eq!(draft.desired.text, before.desired.text);
    assert_eq!(draft.base, before.base);
}

#[test]
fn tags_follow_too() {
    let base = twin(r#"{"a":1}"#, r#"{"site":"north"}"#);
    let mut newer = (*moved(&base, &map(r#"{"a":1}"#))).clone();
    newer.tags = map(r#"{"site":"south"}"#);
    let mut draft = Draft::new(base);
    draft.set_text(Section::Desired, "{\"a\":5}".to_owned());
    draft.follow(&Arc::new(newer));
    assert_eq!(draft.tags.parsed.document, Some(map(r#"{"site":"south"}"#)));
    assert_eq!(draft.desired.text, "{\"a\":5}");
    assert_eq!(draft.outgoing().unwrap().if_match.0, "AAAAAAAAAAM=");
}

#[test]
fn who_wrote_a_value() {
    let metadata = json(
        r#"{"$lastUpdated":"T0","$lastUpdatedVersion":1,
            "a":{"$lastUpdated":"T1","$lastUpdatedVersion":2,"$lastUpdatedBy":"winter"},
            "o":{"$lastUpdated":"T2","in":{"$lastUpdated":"T3"}}}"#,
    );
    let check = |at: &str, when: &str, version: Option<u64>, by: Option<&str>, own: bool| {
        let wanted = Written { at: when.to_owned(), version, by: by.map(str::to_owned), own };
        assert_eq!(written(&metadata, &path(at)), Some(wanted), "{at}");
    };
    check("a", "T1", Some(2), Some("winter"), true);
    check("o.in", "T3", None, None, true);
    // It is gone: what is around it was stamped when it went.
    check("o.gone", "T2", None, None, false);
    check("gone", "T0", Some(1), None, false);
    // Arrays are stamped as a whole.
    check("a[3]", "T1", Some(2), Some("winter"), true);
    assert_eq!(written(&json("null"), &path("a")), None);
    assert_eq!(written(&json(r#"{"a":{"$lastUpdated":7}}"#), &path("a")), None);
}

#[test]
fn whether_a_write_without_an_answer_has_happened() {
    let before = twin(r#"{"a":1,"b":2}"#, r#"{"site":"north"}"#);
    let check = |body: &str, now: &str, expected: Option<bool>| {
        let now = moved(&before, &map(now));
        assert_eq!(landed(&map(body), Write::Patch, &before.etag, &now), expected, "{body}");
    };
    let body = r#"{"properties":{"desired":{"a":5,"b":null}}}"#;
    check(body, r#"{"a":5}"#, Some(true));
    check(body, r#"{"a":5,"c":1}"#, Some(true));
    check(body, r#"{"a":5,"b":2}"#, None);
    check(body, r#"{"a":1,"b":2,"c":1}"#, None);
    check(r#"{"tags":{"site":"south"}}"#, "{}", None);
    check(r#"{"tags":{"site":"north"}}"#, "{}", Some(true));
    assert_eq!(landed(&map(body), Write::Patch, &before.etag, &before), Some(false));
    // A PUT leaves nothing else: what a PATCH would leave alone, it takes away.
    let whole = r#"{"tags":{"site":"north"},"properties":{"desired":{"a":5}}}"#;
    for (now, expected) in [(r#"{"a":5}"#, Some(true)), (r#"{"a":5,"b":2}"#, None)] {
        let now = moved(&before, &map(now));
        assert_eq!(landed(&map(whole), Write::Replace, &before.etag, &now), expected, "{whole}");
    }
}
