//! An edit in progress, from the first key to what a save would send.

use super::given::{json, map, path, twin};
use std::sync::Arc;
use twinscope::twin::draft::{Draft, Refusal};
use twinscope::twin::{Etag, Json, Section, Twin};

fn edited(base: &Arc<Twin>, desired: &str) -> Draft {
    let mut draft = Draft::new(base.clone());
    draft.set_text(Section::Desired, desired.to_owned());
    draft
}

/// Problems of desired as `line:column path message`.
fn said(draft: &Draft) -> Vec<String> {
    let problems = draft.desired.problems.iter();
    problems.map(|p| format!("{}:{} {} {}", p.line, p.column, p.path, p.message)).collect()
}

#[test]
fn a_fresh_draft_says_what_the_twin_says() {
    let draft = Draft::new(twin(r#"{"a":1.0}"#, "{}"));
    assert_eq!(draft.desired.text, "{\n  \"a\": 1.0\n}");
    assert_eq!(draft.tags.text, "{}");
    assert_eq!(draft.desired.size, Some(9));
    assert!(!draft.is_dirty() && !draft.desired.edited && draft.desired.changes.is_empty());
    assert_eq!(draft.outgoing(), Err(Refusal::NoChange));
}

#[test]
fn what_a_save_would_send() {
    let mut draft = edited(
        &twin(r#"{"telemetryInterval":60,"old":{"x":1},"same":1E5}"#, r#"{"site":"A"}"#),
        r#"{"telemetryInterval":122,"same":1E5}"#,
    );
    draft.set_text(Section::Tags, r#"{"site":"A","floor":2}"#.to_owned());
    assert!(draft.is_dirty());
    let outgoing = draft.outgoing().unwrap();
    let body = r#"{"tags":{"floor":2},"properties":{"desired":{"telemetryInterval":122,"old":null}}}"#;
    assert_eq!(Json::Object(outgoing.body).to_string(), body);
    assert_eq!((outgoing.bytes, outgoing.paths), (body.len(), 3));
    assert_eq!(outgoing.if_match, Etag("AAAAAAAAAAI=".to_owned()));
    assert_eq!(outgoing.device_told, Some(map(r#"{"telemetryInterval":122,"old":null}"#)));
}

#[test]
fn only_the_section_that_changes_is_sent() {
    let mut draft = Draft::new(twin(r#"{"a":1}"#, r#"{"t":1,"u":{"v":2}}"#));
    draft.set_text(Section::Tags, "{}".to_owned());
    let outgoing = draft.outgoing().unwrap();
    assert_eq!(Json::Object(outgoing.body).to_string(), r#"{"tags":{"t":null,"u":null}}"#);
    assert_eq!(outgoing.device_told, None);
}

/// `$version` and `$metadata` are the hub's own: a text that has them, as one pasted from the whole document, is refused with the
/// reason, and so is any other key of that kind.
#[test]
fn what_is_the_hubs_is_never_sent() {
    let hubs = r#""$version":9,"$metadata":{"a":{"$lastUpdated":"2026-01-01T00:00:00Z"}}"#;
    let base = twin(r#"{"a":1}"#, r#"{"t":1}"#);
    for typed in [format!(r#"{{"a":1,{hubs}}}"#), format!(r#"{{"a":2,{hubs}}}"#), r#"{"a":{"$version":1}}"#.to_owned()]
    {
        for section in [Section::Desired, Section::Tags] {
            let mut draft = Draft::new(base.clone());
            draft.set_text(section, typed.clone());
            let refusals = [draft.outgoing().err(), draft.replacement().map(|r| r.outgoing).err()];
            for refusal in refusals {
                let said = refusal.unwrap_or_else(|| panic!("{typed} would be sent")).to_string();
                assert!(said.contains('$') && said.starts_with(section.word()), "{said}");
            }
        }
    }
}

#[test]
fn white_space_is_no_change_but_is_kept() {
    let base = twin(r#"{"a":1,"b":2}"#, "{}");
    let typed = r#"{"b":2,   "a":1}"#;
    let mut draft = edited(&base, typed);
    assert!(!draft.is_dirty() && draft.desired.edited);
    assert_eq!(draft.outgoing(), Err(Refusal::NoChange));
    draft.rebase_untouched(base);
    assert_eq!(draft.desired.text, typed);
    // What another wrote meanwhile must not look like an edit of mine.
    draft.rebase_untouched(twin(r#"{"a":1,"b":3}"#, "{}"));
    assert!(!draft.is_dirty());
    assert_eq!(draft.desired.text, "{\n  \"a\": 1,\n  \"b\": 3\n}");
}

#[test]
fn problems_while_typing() {
    let check = |typed: &str, expected: &[&str]| {
        let draft = edited(&twin(r#"{"a":1}"#, "{}"), typed);
        assert_eq!(said(&draft), expected, "{typed}");
        assert!(draft.is_dirty(), "{typed}");
        let Err(Refusal::Problem { section, line, column, message, count, .. }) = draft.outgoing() else {
            panic!("{typed} would be sent")
        };
        assert_eq!((section, count), (Section::Desired, expected.len()));
        assert!(expected[0].starts_with(&format!("{line}:{column} ")) && expected[0].ends_with(&message));
    };
    check("{\n  \"a\": 1,\n  \"a\": 2\n}", &["3:3 a this key already stands above in the same object"]);
    check("{\n  \"b\": null\n}", &["2:8 b `null` is no value here: delete the line to delete the property"]);
    check("{\"b\": [null]}", &["1:8 b[0] `null` cannot stand inside an array"]);
    // At the key, or at the value, in the order of the text.
    check(
        "{\"n\": 9007199254740992,\n \"k k\": 1e400}",
        &[
            "1:7 n an integer lies between -4503599627370496 and 4503599627370495",
            "2:2 ['k k'] a key cannot contain a space",
            "2:9 ['k k'] this number is too large to be a finite one",
        ],
    );
    check(
        r#"{"$version": 2, "x": {"$of": 1}}"#,
        &[
            "1:2 $version the hub keeps `$version` and its like itself: leave it out",
            "1:23 x.$of the hub keeps `$of` and its like itself: leave it out",
        ],
    );
    check(r#"{"a$b": 2}"#, &["1:2 a$b a key cannot contain `$`"]);
    check("", &["1:1  nothing here: write `{}` for an empty section"]);
}

#[test]
fn a_refusal_names_section_and_place() {
    let mut draft = edited(&twin("{}", "{}"), "{\"a\": }");
    draft.set_text(Section::Tags, "{\n \"t\": 01}".to_owned());
    assert_eq!(draft.outgoing().unwrap_err().to_string(), "tags line 2, column 7, t: a number cannot start with `0`");
    draft.set_text(Section::Tags, "{}".to_owned());
    assert_eq!(
        draft.outgoing().unwrap_err().to_string(),
        "desired line 1, column 7, a: expected a value before this `}`"
    );
}

fn sized(pieces: usize) -> String {
    let pieces: Vec<String> = (0..pieces).map(|n| format!(r#""{n:04}":"{}""#, "x".repeat(996))).collect();
    format!("{{{}}}", pieces.join(","))
}

#[test]
fn growth_beyond_the_limit_is_refused_and_shrinking_is_not() {
    let within = twin(&sized(32), "{}");
    let draft = edited(&within, &sized(33));
    assert_eq!(draft.desired.size, Some(33_000));
    assert_eq!(said(&draft).len(), 1);
    assert!(said(&draft)[0].starts_with("1:1  the section has at most 32768 characters"));
    // Already over: less is fine, as much is fine, more is not.
    let over = twin(&sized(40), "{}");
    assert!(Draft::new(over.clone()).desired.problems.is_empty());
    assert!(edited(&over, &sized(39)).outgoing().is_ok());
    assert!(edited(&over, &sized(40).replacen('x', "y", 1)).outgoing().is_ok());
    assert!(edited(&over, &sized(41)).outgoing().is_err());
}

#[test]
fn what_the_hub_already_holds_is_not_held_against_an_edit() {
    let base = twin(r#"{"old.key":{"n":9007199254740993},"list":[null],"a":1}"#, "{}");
    assert!(Draft::new(base.clone()).desired.problems.is_empty());
    let draft = edited(&base, r#"{"old.key":{"n":9007199254740993},"list":[null],"a":2}"#);
    assert_eq!(draft.outgoing().unwrap().device_told, Some(map(r#"{"a":2}"#)));
    // A changed array is sent whole.
    assert_eq!(said(&edited(&base, r#"{"list":[null,1]}"#)).len(), 1);
    assert_eq!(said(&edited(&base, r#"{"old.key":{"n":9007199254740995}}"#)).len(), 1);
}

#[test]
fn a_refresh_keeps_every_letter_of_an_edit() {
    let mut draft = edited(&twin(r#"{"a":1,"b":1}"#, r#"{"t":1}"#), "{ \"a\": 2, \"b\": 1 }");
    draft.rebase_untouched(twin(r#"{"a":1,"b":5}"#, r#"{"t":9}"#));
    assert_eq!(draft.desired.text, "{ \"a\": 2, \"b\": 1 }");
    assert_eq!(draft.desired.changes.len(), 2);
    assert_eq!(draft.tags.text, "{\n  \"t\": 9\n}");
    // Text that does not parse is kept as well.
    draft.set_text(Section::Desired, "{ half".to_owned());
    draft.rebase_untouched(twin("{}", "{}"));
    assert_eq!(draft.desired.text, "{ half");
    assert!(draft.is_dirty() && draft.rebase_merged(twin(r#"{"z":1}"#, "{}")).is_empty());
    assert_eq!(draft.desired.text, "{ half");
}

#[test]
fn edits_move_onto_a_newer_base() {
    let newer = twin(r#"{"a":1,"b":5,"c":7}"#, r#"{"t":9}"#);
    let mut draft = edited(&twin(r#"{"a":1,"b":1}"#, r#"{"t":1}"#), r#"{"a":2,"b":1}"#);
    assert_eq!(draft.rebase_merged(newer.clone()), []);
    assert_eq!(draft.desired.text, r#"{"a":2,"b":5, "c": 7}"#);
    assert_eq!(draft.outgoing().unwrap().device_told, Some(map(r#"{"a":2}"#)));
    assert_eq!(draft.tags.text, "{\n  \"t\": 9\n}");
    // A clash: mine wins and it is said.
    let mut draft = edited(&twin(r#"{"b":1}"#, "{}"), r#"{"b":2}"#);
    let clashes = draft.rebase_merged(newer);
    assert_eq!(clashes.len(), 1);
    assert_eq!(
        (clashes[0].0, &clashes[0].1.path, &clashes[0].1.theirs),
        (Section::Desired, &path("b"), &Some(json("5")))
    );
    assert_eq!(draft.desired.parsed.document, Some(map(r#"{"a":1,"b":2,"c":7}"#)));
}

#[test]
fn a_rebase_onto_the_same_base_changes_no_letter() {
    let base = twin(r#"{"a":1}"#, "{}");
    let mut draft = edited(&base, "{ \"a\":   2 }");
    let before = draft.clone();
    assert_eq!(draft.rebase_merged(base.clone()), []);
    assert_eq!(draft, before);
    draft.rebase_untouched(base);
    assert_eq!(draft, before);
}

#[test]
fn one_change_or_all_taken_back() {
    let base = twin(r#"{"a":1,"b":{"c":2},"d":4}"#, "{}");
    let mut draft = edited(&base, r#"{"a":9,"d":4,"e":5}"#);
    let removed = draft.desired.changes.iter().find(|change| change.path == path("b")).unwrap().clone();
    draft.revert(Section::Desired, &removed);
    assert_eq!(draft.desired.text, r#"{"a":9, "b": {"c":2},"d":4,"e":5}"#);
    assert_eq!(draft.desired.changes.len(), 2);
    for change in draft.desired.changes.clone() {
        draft.revert(Section::Desired, &change);
    }
    assert!(!draft.is_dirty() && draft.desired.changes.is_empty());
    draft.set_text(Section::Desired, "{".to_owned());
    draft.revert(Section::Desired, &removed);
    assert_eq!(draft.desired.text, "{");
    draft.discard();
    assert_eq!(draft, Draft::new(base));
}

#[test]
fn a_section_too_deep_to_show_does_not_block_the_other() {
    let deep = format!("{}1{}", r#"{"k":"#.repeat(100), "}".repeat(100));
    let mut draft = Draft::new(twin(&deep, "{}"));
    assert!(!draft.is_dirty() && !draft.desired.problems.is_empty());
    draft.set_text(Section::Tags, r#"{"a":1}"#.to_owned());
    assert!(draft.outgoing().is_ok());
}
