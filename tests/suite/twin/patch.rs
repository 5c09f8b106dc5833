//! Merge patch, diff, revert and merge, case by case.

use super::given::{map, path};
use twinscope::twin::diff::{Change, ChangeKind, diff, revert};
use twinscope::twin::merge::three_way;
use twinscope::twin::patch::{apply, between};
use twinscope::twin::{Json, JsonMap, Path};

fn print(document: &JsonMap) -> String {
    Json::Object(document.clone()).to_string()
}

#[test]
fn applies_as_the_hub_does() {
    let check = |target: &str, patch: &str, expected: &str| {
        let mut document = map(target);
        apply(&mut document, &map(patch));
        assert_eq!(print(&document), expected, "{target} with {patch}");
    };
    check(r#"{"a":1,"b":2,"c":3}"#, r#"{"b":null}"#, r#"{"a":1,"c":3}"#);
    check(r#"{"a":1}"#, r#"{"gone":null}"#, r#"{"a":1}"#);
    check(r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"b":5}}"#, r#"{"a":{"b":5,"c":2}}"#);
    // An object laid on nothing, on a scalar, on an array: its nulls are dropped.
    check("{}", r#"{"a":{"b":null}}"#, r#"{"a":{}}"#);
    check(r#"{"a":7}"#, r#"{"a":{"b":null,"c":{"d":null,"e":1}}}"#, r#"{"a":{"c":{"e":1}}}"#);
    check(r#"{"a":[1]}"#, r#"{"a":{}}"#, r#"{"a":{}}"#);
    // An empty object creates one where there is none and leaves one alone where there is.
    check("{}", r#"{"a":{}}"#, r#"{"a":{}}"#);
    check(r#"{"a":{"b":1}}"#, r#"{"a":{}}"#, r#"{"a":{"b":1}}"#);
    // Deleting the last leaf leaves the object.
    check(r#"{"a":{"b":1}}"#, r#"{"a":{"b":null}}"#, r#"{"a":{}}"#);
    // Arrays are replaced whole, nulls in them kept.
    check(r#"{"a":[1,2,3]}"#, r#"{"a":[null,{"b":null}]}"#, r#"{"a":[null,{"b":null}]}"#);
    check(r#"{"a":{"b":1}}"#, r#"{"a":2}"#, r#"{"a":2}"#);
    check(r#"{"a":1}"#, r#"{"a":1.0,"b":1E5}"#, r#"{"a":1.0,"b":1E5}"#);
}

#[test]
fn the_smallest_patch() {
    let check = |base: &str, wanted: &str, expected: &str| {
        assert_eq!(print(&between(&map(base), &map(wanted))), expected, "{base} to {wanted}");
    };
    check(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, "{}");
    check(r#"{"a":1,"b":2}"#, r#"{"a":1,"b":3}"#, r#"{"b":3}"#);
    check(r#"{"a":1,"b":{"c":1}}"#, "{}", r#"{"a":null,"b":null}"#);
    check(r#"{"a":{"b":{"c":1,"d":2}}}"#, r#"{"a":{"b":{"c":1}}}"#, r#"{"a":{"b":{"d":null}}}"#);
    check(r#"{"a":{"b":1}}"#, r#"{"a":{}}"#, r#"{"a":{"b":null}}"#);
    check("{}", r#"{"a":{}}"#, r#"{"a":{}}"#);
    check(r#"{"a":{"b":1}}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#);
    check(r#"{"a":[1,2]}"#, r#"{"a":[1,2,3]}"#, r#"{"a":[1,2,3]}"#);
    // Respelling a number is a change its author made.
    check(r#"{"a":1,"b":[1]}"#, r#"{"a":1.0,"b":[1.0]}"#, r#"{"a":1.0,"b":[1.0]}"#);
    check(r#"{"a":1E5}"#, r#"{"a":1e5}"#, r#"{"a":1e5}"#);
    check(r#"{"a":0}"#, r#"{"a":-0}"#, r#"{"a":-0}"#);
    check(r#"{"a":9007199254740993}"#, r#"{"a":9007199254740992}"#, r#"{"a":9007199254740992}"#);
}

fn brief(changes: &[Change]) -> Vec<String> {
    let show = |value: &Option<Json>| value.as_ref().map_or("-".to_owned(), Json::to_string);
    changes.iter().map(|change| format!("{} {} {}", change.path, show(&change.before), show(&change.after))).collect()
}

#[test]
fn a_diff_path_by_path() {
    let check = |before: &str, after: &str, expected: &[&str]| {
        assert_eq!(brief(&diff(&map(before), &map(after))), expected, "{before} to {after}");
    };
    check(r#"{"a":1,"b":{"c":[1],"d":2}}"#, r#"{"b":{"d":2,"c":[1]},"a":1}"#, &[]);
    // In the order of after; a removal where it stood.
    check(r#"{"a":1,"b":2,"c":3,"d":4}"#, r#"{"d":5,"b":6,"e":7}"#, &["a 1 -", "d 4 5", "b 2 6", "c 3 -", "e - 7"]);
    check(r#"{"x":{"y":{"z":1}}}"#, r#"{"x":{"y":{"z":2}}}"#, &["x.y.z 1 2"]);
    // Whole objects come and go as one change.
    check(r#"{"x":{}}"#, r#"{"x":{"y":{"z":1,"w":2}}}"#, &[r#"x.y - {"z":1,"w":2}"#]);
    check(r#"{"x":{"y":{"z":1,"w":2}}}"#, r#"{"x":{}}"#, &[r#"x.y {"z":1,"w":2} -"#]);
    check(r#"{"x":{"y":1}}"#, r#"{"x":[]}"#, &[r#"x {"y":1} []"#]);
    check(r#"{"x":[1,2]}"#, r#"{"x":[1,3]}"#, &["x [1,2] [1,3]"]);
    check(r#"{"odd key":1}"#, r#"{"odd key":1.0}"#, &["['odd key'] 1 1.0"]);
}

#[test]
fn kinds_of_change() {
    let changes = diff(&map(r#"{"a":1,"b":2}"#), &map(r#"{"a":2,"c":3}"#));
    let kinds: Vec<_> = changes.iter().map(Change::kind).collect();
    assert_eq!(kinds, [ChangeKind::Changed, ChangeKind::Removed, ChangeKind::Added]);
}

#[test]
fn a_reverted_change_returns_to_its_place() {
    let check = |before: &str, after: &str, at: &str, expected: &str| {
        let (before, mut document) = (map(before), map(after));
        let changes = diff(&before, &document);
        let change = changes.iter().find(|change| change.path == path(at)).unwrap();
        revert(&mut document, &before, change);
        assert_eq!(print(&document), expected);
    };
    check(r#"{"a":1,"b":2,"c":3}"#, r#"{"a":1,"c":3}"#, "b", r#"{"a":1,"b":2,"c":3}"#);
    check(r#"{"a":1,"b":2,"c":3}"#, r#"{"b":2,"c":3}"#, "a", r#"{"a":1,"b":2,"c":3}"#);
    // Its own neighbour is gone too: behind the next one that is there.
    check(r#"{"a":1,"b":2,"c":3,"d":4}"#, r#"{"a":1,"d":4}"#, "c", r#"{"a":1,"c":3,"d":4}"#);
    check(r#"{"a":1}"#, r#"{"a":9,"b":2}"#, "a", r#"{"a":1,"b":2}"#);
    check(r#"{"a":1}"#, r#"{"b":2,"a":1,"c":3}"#, "b", r#"{"a":1,"c":3}"#);
    check(r#"{"a":{}}"#, r#"{"a":{"b":1}}"#, "a.b", r#"{"a":{}}"#);
    check(r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"c":2}}"#, "a.b", r#"{"a":{"b":1,"c":2}}"#);
}

#[test]
fn a_revert_in_a_document_that_moved_on() {
    let before = map(r#"{"x":0,"a":{"b":1}}"#);
    let removal = &diff(&before, &map(r#"{"x":0,"a":{}}"#))[0];
    let addition = &diff(&before, &map(r#"{"x":0,"a":{"b":1,"c":2}}"#))[0];
    let check = |change: &Change, document: &str, expected: &str| {
        let mut document = map(document);
        revert(&mut document, &before, change);
        assert_eq!(print(&document), expected);
    };
    check(removal, r#"{"x":0,"y":0}"#, r#"{"x":0,"a":{"b":1},"y":0}"#);
    check(removal, r#"{"a":7}"#, r#"{"a":{"b":1}}"#);
    check(addition, r#"{"x":0}"#, r#"{"x":0}"#);
    check(addition, r#"{"a":7}"#, r#"{"a":7}"#);
}

#[test]
fn a_merge_by_path() {
    let check = |base: &str, mine: &str, theirs: &str, merged: &str, said: [&[&str]; 3]| {
        let merge = three_way(&map(base), &map(mine), &map(theirs));
        assert_eq!(print(&merge.merged), merged);
        let clashes: Vec<Path> = merge.clashes.iter().map(|clash| clash.path.clone()).collect();
        let print = |paths: &[Path]| paths.iter().map(Path::to_string).collect::<Vec<_>>();
        assert_eq!([print(&merge.mine), print(&merge.theirs), print(&clashes)], said.map(<[&str]>::to_vec));
    };
    let base = r#"{"a":{"b":{"c":1,"d":2}},"e":[1,2]}"#;
    // Disjoint deep edits.
    check(
        base,
        r#"{"a":{"b":{"c":9,"d":2}},"e":[1,2]}"#,
        r#"{"a":{"b":{"c":1,"d":8}},"e":[1,2,3]}"#,
        r#"{"a":{"b":{"c":9,"d":8}},"e":[1,2,3]}"#,
        [&["a.b.c"], &["a.b.d", "e"], &[]],
    );
    // Arrays are atomic.
    check(r#"{"e":[1,2]}"#, r#"{"e":[0,2]}"#, r#"{"e":[1,3]}"#, r#"{"e":[0,2]}"#, [&[], &[], &["e"]]);
    // Delete against change, both ways.
    check(r#"{"a":{"b":1}}"#, "{}", r#"{"a":{"b":2}}"#, "{}", [&[], &[], &["a"]]);
    check(r#"{"a":{"b":1}}"#, r#"{"a":{"b":2}}"#, "{}", r#"{"a":{"b":2}}"#, [&[], &[], &["a"]]);
    // A change of type on one side, a change on the other.
    check(r#"{"a":{"b":1}}"#, r#"{"a":5}"#, r#"{"a":{"b":2}}"#, r#"{"a":5}"#, [&[], &[], &["a"]]);
    check(r#"{"a":1}"#, r#"{"a":{"b":1}}"#, r#"{"a":{"c":1}}"#, r#"{"a":{"b":1}}"#, [&[], &[], &["a"]]);
    // The same change on both sides, a deletion among them.
    check(r#"{"a":1,"b":2}"#, r#"{"a":3}"#, r#"{"a":3}"#, r#"{"a":3}"#, [&[], &[], &[]]);
    // Respelling against change.
    check(r#"{"a":1}"#, r#"{"a":1.0}"#, r#"{"a":2}"#, r#"{"a":1.0}"#, [&[], &[], &["a"]]);
    // Both add an object: key by key.
    check(
        "{}",
        r#"{"o":{"x":1,"z":0}}"#,
        r#"{"o":{"y":2,"z":1}}"#,
        r#"{"o":{"y":2,"x":1,"z":0}}"#,
        [&["o.x"], &["o.y"], &["o.z"]],
    );
    // Their new key stands behind the neighbour it has there.
    check(
        r#"{"a":1,"b":2}"#,
        r#"{"a":1,"b":3}"#,
        r#"{"a":1,"n":0,"b":2}"#,
        r#"{"a":1,"n":0,"b":3}"#,
        [&["b"], &["n"], &[]],
    );
}

#[test]
fn a_clash_shows_all_three() {
    let merge = three_way(&map(r#"{"a":1}"#), &map(r#"{"a":2}"#), &map("{}"));
    let clash = &merge.clashes[0];
    assert_eq!((&clash.base, &clash.mine, &clash.theirs), (&Some(1.into()), &Some(2.into()), &None));
}

#[test]
fn paths_print_and_find() {
    let document = map(r#"{"a":{"b":[10,{"c.d":20}]}}"#);
    let odd = path("a.b[1]").key("c.d");
    assert_eq!(odd.to_string(), "a.b[1]['c.d']");
    assert_eq!(odd.find(&document), Some(&20.into()));
    assert_eq!(path("a.b[2]").find(&document), None);
    assert_eq!(path("a.x").find(&document), None);
    assert_eq!(Path::root().find(&document), None);
}
