//! Two documents beside each other, several in a table, and one difference taken over without touching the rest.

use super::given::{map, pairs, triples, twin};
use proptest::prelude::*;
use twinscope::twin::diff::{Change, diff};
use twinscope::twin::draft::Draft;
use twinscope::twin::hunks::{Part, parts, table};
use twinscope::twin::{JsonMap, Path, Section, text};

/// `=` before a line both have, `@` before a path, `-` and `+` before what one of them has.
fn printed(before: &str, after: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for part in parts(&map(before), &map(after)) {
        match part {
            Part::Same(same) => lines.extend(same.iter().map(|line| format!("={line}"))),
            Part::Hunk(hunk) => {
                lines.push(format!("@{}", hunk.change.path));
                lines.extend(hunk.before.iter().map(|line| format!("-{line}")));
                lines.extend(hunk.after.iter().map(|line| format!("+{line}")));
            }
        }
    }
    lines
}

#[test]
fn what_is_the_same_stands_around_what_differs() {
    let before = r#"{"a":1,"gone":[1,2],"limits":{"low":2.50,"high":80},"z":{"y":1}}"#;
    let after = r#"{"a":1,"limits":{"low":2.5,"high":80},"z":{"y":1},"new":{"n":1}}"#;
    let expected = [
        "=\"a\": 1",
        "@gone",
        "-\"gone\": [",
        "-  1,",
        "-  2",
        "-]",
        "=\"limits\": {",
        "@limits.low",
        "-\"low\": 2.50",
        "+\"low\": 2.5",
        "=  \"high\": 80",
        "=}",
        "=\"z\": {",
        "=  \"y\": 1",
        "=}",
        "@new",
        "+\"new\": {",
        "+  \"n\": 1",
        "+}",
    ];
    assert_eq!(printed(before, after), expected);
    assert_eq!(printed("{}", "{}"), [""; 0]);
}

#[test]
fn a_table_has_a_row_for_each_path_that_differs_anywhere() {
    let documents =
        [r#"{"a":1,"b":{"x":1,"y":2}}"#, r#"{"a":1,"b":{"x":1,"y":3}}"#, r#"{"a":1.0,"b":{"x":1},"c":true}"#];
    let documents = documents.map(map);
    let rows = table(&documents.iter().collect::<Vec<_>>());
    let printed: Vec<String> = rows
        .iter()
        .map(|row| {
            let value = |value: &Option<_>| value.as_ref().map_or("absent".to_owned(), text::compact);
            let values: Vec<String> = row.values.iter().map(value).collect();
            format!("{}: {}", row.path, values.join(" | "))
        })
        .collect();
    assert_eq!(printed, ["a: 1 | 1 | 1.0", "b.y: 2 | 3 | absent", "c: absent | absent | true"]);
    assert_eq!(table(&[]), []);
    assert_eq!(table(&[&documents[0]]), []);
}

#[test]
fn taking_one_keeps_every_other_letter() {
    let mut draft = Draft::new(twin(r#"{"b":1}"#, "{}"));
    let typed = "{\n\t\"z\": 1.50,   \"keep\": [1,  2],\n  \"mode\": \"eco\"\n}";
    draft.set_text(Section::Desired, typed.to_owned());
    let from = map(r#"{"z":1.5,"keep":[3],"mode":"auto","more":{"n":7.250}}"#);
    let changes = diff(&from, draft.desired.parsed.document.as_ref().unwrap());
    let of = |path: &str| changes.iter().find(|change| change.path.to_string() == path).cloned().unwrap();
    draft.take(Section::Desired, &from, &[of("mode")]);
    assert_eq!(draft.desired.text, typed.replace("eco", "auto"));
    draft.take(Section::Desired, &from, &[of("more")]);
    assert!(draft.desired.text.contains("1.50,   \"keep\": [1,  2]") && draft.desired.text.contains("7.250"));
    draft.set_text(Section::Desired, "{ half".to_owned());
    draft.take(Section::Desired, &from, &[of("mode")]);
    assert_eq!(draft.desired.text, "{ half");
}

/// A draft that says one document, and the changes to it from another.
fn drafted(from: &JsonMap, into: &JsonMap) -> (Draft, Vec<Change>) {
    let mut draft = Draft::new(twin("{}", "{}"));
    draft.set_text(Section::Desired, text::pretty(into));
    (draft, diff(from, into))
}

fn document(draft: &Draft) -> JsonMap {
    draft.desired.parsed.document.clone().expect("it parses")
}

proptest! {
    #[test]
    fn the_hunks_are_the_diff((before, after) in pairs()) {
        let parts = parts(&before, &after);
        let hunks: Vec<&Change> =
            parts.iter().filter_map(|part| if let Part::Hunk(hunk) = part { Some(&hunk.change) } else { None }).collect();
        let changes = diff(&before, &after);
        prop_assert_eq!(hunks, changes.iter().collect::<Vec<_>>());
        let split = parts.windows(2).all(|two| !matches!(two, [Part::Same(_), Part::Same(_)]));
        prop_assert!(split, "same lines in two runs");
    }

    #[test]
    fn taking_all_makes_them_equal((from, into) in pairs(), one_by_one in any::<bool>()) {
        let (mut draft, changes) = drafted(&from, &into);
        if one_by_one {
            for change in &changes {
                draft.take(Section::Desired, &from, std::slice::from_ref(change));
            }
        } else {
            draft.take(Section::Desired, &from, &changes);
        }
        prop_assert_eq!(document(&draft), from);
    }

    #[test]
    fn taking_one_changes_nothing_else((from, into) in pairs(), pick in any::<prop::sample::Index>()) {
        let (mut draft, changes) = drafted(&from, &into);
        prop_assume!(!changes.is_empty());
        let taken = pick.get(&changes);
        draft.take(Section::Desired, &from, std::slice::from_ref(taken));
        let after = document(&draft);
        prop_assert_eq!(taken.path.find(&after), taken.before.as_ref());
        // What differed elsewhere differs as before, and nothing new does.
        let left: Vec<Path> = diff(&from, &after).into_iter().map(|change| change.path).collect();
        let expected: Vec<&Path> = changes.iter().map(|change| &change.path).filter(|path| **path != taken.path).collect();
        let (mut left, mut expected): (Vec<&Path>, Vec<&Path>) = (left.iter().collect(), expected);
        left.sort();
        expected.sort();
        prop_assert_eq!(left, expected);
        let kept = |document: &JsonMap| {
            let Some(twinscope::twin::Segment::Key(top)) = taken.path.0.first().cloned() else { return Vec::new() };
            let others = document.iter().filter(|(key, _)| **key != top);
            others.map(|(key, value)| format!("{key}: {}", text::compact(value))).collect::<Vec<_>>()
        };
        prop_assert_eq!(kept(&after), kept(&into), "order or spelling elsewhere");
    }

    #[test]
    fn a_table_of_two_is_the_diff((before, after) in pairs()) {
        let mut rows: Vec<_> = table(&[&before, &after]).into_iter().map(|row| (row.path, row.values)).collect();
        let mut changes: Vec<_> =
            diff(&before, &after).into_iter().map(|change| (change.path, vec![change.before, change.after])).collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        changes.sort_by(|a, b| a.0.cmp(&b.0));
        prop_assert_eq!(rows, changes);
    }

    #[test]
    fn a_table_of_three_says_what_each_has((a, b, c) in triples()) {
        let documents = [&a, &b, &c];
        for row in table(&documents) {
            for (document, value) in documents.iter().zip(&row.values) {
                prop_assert_eq!(row.path.find(document), value.as_ref());
            }
        }
        prop_assert_eq!(table(&documents).is_empty(), a == b && b == c);
    }
}
