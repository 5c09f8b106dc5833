//! What can be folded, and what stays folded while the text changes.

use super::given::{cases, documents};
use proptest::prelude::*;
use std::collections::BTreeSet;
use twinscope::twin::text::fold::{Fold, Kind, folds};
use twinscope::twin::text::folding::{Folding, Touch};
use twinscope::twin::text::lines::Selection;
use twinscope::twin::text::{Parsed, parse, pretty};

fn of(text: &str) -> Folding {
    let mut folding = Folding::default();
    folding.follow(text, Touch::Keep);
    folding
}

/// What is seen of a text, a folded line with what stands behind it.
fn seen(text: &str, folding: &Folding) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let rows = folding.row_of(lines.len() - 1) + 1;
    let mut out = Vec::new();
    for row in 0..rows {
        let line = folding.line_of_row(row);
        let stub = folding
            .folded_at(line)
            .map(|fold| format!(" <{} {}> {}", fold.count, fold.kind.word(fold.count), fold.tail));
        out.push(format!("{}{}", lines[line], stub.unwrap_or_default()));
    }
    out.join("\n")
}

/// Folds at these lines, counted from 0.
#[track_caller]
fn check(text: &str, at: &[usize], expected: &str) {
    let mut folding = of(text);
    for line in at {
        assert!(folding.at_line(*line).is_some(), "nothing folds at {line} of {text:?}");
        folding.toggle(*line);
    }
    assert_eq!(seen(text, &folding), expected);
}

#[test]
fn a_fold_shows_its_line_a_count_and_what_closes_it() {
    let text = "{\n  \"a\": {\n    \"b\": 1,\n    \"c\": [1, 2]\n  },\n  \"d\": [\n    7\n  ]\n}";
    check(text, &[1], "{\n  \"a\": { <2 properties> },\n  \"d\": [\n    7\n  ]\n}");
    check(text, &[5], "{\n  \"a\": {\n    \"b\": 1,\n    \"c\": [1, 2]\n  },\n  \"d\": [ <1 item> ]\n}");
    check(text, &[1, 5], "{\n  \"a\": { <2 properties> },\n  \"d\": [ <1 item> ]\n}");
    check(text, &[1, 0], "{ <2 properties> }");
    // A comma behind the last one begins nothing; nor does a bracket in a string.
    check("[\n  1,\n  \"]}\",\n]", &[0], "[ <2 items> ]");
    check("{\n}\nx", &[0], "{ <0 properties> }\nx");
}

#[test]
fn a_line_with_more_on_it_stays() {
    check("[\n  {\n    1\n  }, {\n    2\n  }\n]", &[1], "[\n  { <1 property> \n  }, {\n    2\n  }\n]");
    check("[\n  {\n    1\n  }, {\n    2\n  }\n]", &[3], "[\n  {\n    1\n  }, { <1 property> }\n]");
    check("{\n  \"a\": [\n    1\n  ]}", &[1], "{\n  \"a\": [ <1 item> \n  ]}");
    // The comma and white space are not more.
    check("[\n  [\n    1\n  ] ,\t\r\n2]", &[1], "[\n  [ <1 item> ],\n2]");
    // Of two that begin on a line, the outer one.
    check("{ \"a\": [{\n    1\n  }, {\n    2\n  }]\n}", &[0], "{ \"a\": [{ <1 property> }");
    check("{ \"a\": {}, \"b\": [\n    1\n  ],\n}", &[0], "{ \"a\": {}, \"b\": [ <2 properties> }");
}

fn heads(text: &str) -> Vec<usize> {
    folds(text).list.iter().map(|fold| fold.head).collect()
}

#[test]
fn what_is_not_closed_or_hides_nothing_does_not_fold() {
    for (text, expected) in [
        ("", vec![]),
        ("{}", vec![]),
        ("{ \"a\": [1,\n2", vec![]),
        ("[\n] x", vec![]),
        ("[\n1\n] x", vec![0]),
        // One that is not closed takes no other one along.
        ("{\n  \"a\": [\n  \"b\": {\n    1\n  }\n}", vec![0, 2]),
        // Nor does one too many.
        ("{\n  \"a\": {\n    1 ]\n  }\n}", vec![0, 1]),
        // A string not closed ends with its line, an escape before it or not.
        ("{\n  \"a: {\n  \"b\": {\n    1\n  }\n}", vec![0, 2]),
        ("{\n  \"a: {\\\n  \"b\": {\n    1\n  }\n}", vec![0, 2]),
        ("{\n  \"a \\\" {\": 1\n}", vec![0]),
    ] {
        assert_eq!(heads(text), expected, "{text:?}");
    }
}

#[test]
fn a_text_of_nothing_but_brackets_takes_no_time() {
    let many = 200_000;
    for text in ["[".repeat(many) + &"}".repeat(many), "[\n".repeat(many) + &"]\n".repeat(many), "{[".repeat(many)] {
        let list = folds(&text).list;
        assert!(list.is_empty() || list.len() == many, "{}", list.len());
    }
}

const FLEET: &str =
    "{\n  \"one\": {\n    \"a\": {\n      \"x\": 1\n    },\n    \"b\": 2\n  },\n  \"two\": {\n    \"c\": 3\n  }\n}";

#[test]
fn by_the_caret() {
    let mut folding = of(FLEET);
    // The innermost first, then what is around it; unfolding is the way back.
    folding.fold_at(3);
    assert_eq!(folding.hidden(), std::slice::from_ref(&(3..5)));
    folding.fold_at(2);
    assert_eq!(folding.hidden(), std::slice::from_ref(&(2..7)));
    folding.fold_at(5);
    assert_eq!(folding.hidden(), std::slice::from_ref(&(1..11)));
    folding.fold_at(0);
    assert_eq!(folding.hidden(), std::slice::from_ref(&(1..11)));
    folding.unfold_at(3);
    assert_eq!(folding.hidden(), std::slice::from_ref(&(1..11)));
    folding.unfold_at(0);
    folding.unfold_at(1);
    assert_eq!(folding.hidden(), std::slice::from_ref(&(3..5)));

    folding.unfold_all();
    assert!(!folding.is_any());
    folding.fold_all();
    assert_eq!(seen(FLEET, &folding), "{\n  \"one\": { <2 properties> },\n  \"two\": { <1 property> }\n}");
    folding.unfold_at(1);
    assert_eq!(folding.hidden(), [3..5, 8..10]);
    // To show a line opens all around it, and nothing else.
    folding.fold_all();
    folding.reveal(3);
    assert_eq!(folding.hidden(), std::slice::from_ref(&(8..10)));
    // Nothing but the whole.
    let mut folding = of("{\n  \"a\": 1\n}");
    folding.fold_all();
    assert_eq!(folding.hidden(), std::slice::from_ref(&(1..3)));
}

#[test]
fn a_caret_finds_out_of_a_fold() {
    let mut folding = of(FLEET);
    folding.toggle(7);
    let at = |what: &str| FLEET.find(what).unwrap();
    let head = at("\"two\": {") + 8;
    assert_eq!(folding.way_out(at("\"c\"")), Some(head));
    assert_eq!(folding.way_out(head), None);
    assert_eq!(folding.way_out(FLEET.len()), None);
    let select = |anchor, caret| Selection { anchor, caret };
    assert!(folding.is_covered(select(0, FLEET.len() - 2)));
    assert!(!folding.is_covered(select(0, at("\"c\""))));
    assert!(!folding.is_covered(select(at("\"c\""), FLEET.len() - 2)));
    // A selection that ends on the folded line, and one that ends before it.
    let wide = FLEET.len() - 2;
    assert_eq!(folding.widened(select(head, head)), select(head, wide));
    assert_eq!(folding.widened(select(head, 3)), select(wide, 3));
    assert_eq!(folding.widened(select(3, 4)), select(3, 4));
}

/// Folds at these lines, then the text changes.
#[track_caller]
fn changes(at: &[usize], to: &str, touch: Touch, expected: &[usize]) {
    let mut folding = of(FLEET);
    for line in at {
        folding.toggle(*line);
    }
    folding.follow(to, touch);
    let heads: Vec<usize> = folding.all().iter().filter(|fold| folding.is_folded(fold)).map(|fold| fold.head).collect();
    assert_eq!(heads, expected, "{to}");
}

#[test]
fn a_fold_goes_with_its_bracket() {
    let with = |from: &str, to: &str| FLEET.replacen(from, to, 1);
    for touch in [Touch::Keep, Touch::Open] {
        changes(&[2, 7], &with("{\n", "{\n  \"new\": 1,\n"), touch, &[3, 8]);
        changes(&[2, 7], &with("\"a\": {", "\"abc\": {"), touch, &[2, 7]);
        changes(&[2, 7], &with("\"a\": {", "\"a\":\n{"), touch, &[3, 8]);
        changes(&[2, 7], &with("\"a\": {", "\"a\": "), touch, &[7]);
        changes(&[2, 7], &with("\"a\": {\n      \"x\": 1\n    },\n", ""), touch, &[4]);
        changes(&[2, 7], &with("\"a\": {\n      \"x\": 1\n    }", "\"a\": {}"), touch, &[5]);
        changes(&[1, 2, 7], "", touch, &[]);
    }
    // What is changed inside is seen by who types it.
    changes(&[2, 7], &with("\"x\": 1", "\"x\": 12"), Touch::Keep, &[2, 7]);
    changes(&[2, 7], &with("\"x\": 1", "\"x\": 12"), Touch::Open, &[7]);
    changes(&[1, 2, 7], &with("{\n      \"x\"", "{      \"x\""), Touch::Open, &[6]);
    // Two places at once.
    changes(&[7], &with("{\n", "{\n  \"new\": 1,\n").replace('3', "4"), Touch::Keep, &[8]);
}

/// The folds as the parse knows them: whatever spans lines, with its members counted.
fn parsed_folds(text: &str, parsed: &Parsed) -> Vec<(usize, usize)> {
    let spans = parsed.spans.iter().enumerate();
    let wide = spans.filter(|(_, span)| text[span.value.clone()].contains('\n'));
    wide.map(|(n, span)| {
        let members = parsed.spans.iter().filter(|member| member.parent == Some(n)).count();
        (span.value.start, members)
    })
    .collect()
}

/// The paths of what is folded.
fn folded(text: &str, folding: &Folding) -> BTreeSet<String> {
    let parsed = parse(text);
    let folded = folding.all().iter().filter(|fold| folding.is_folded(fold));
    folded.map(|fold| format!("{:?}", parsed.path_at(fold.open + 1))).collect()
}

fn apart_or_inside(list: &[Fold]) -> bool {
    list.iter().enumerate().all(|(n, one)| {
        list[n + 1..].iter().all(|two| {
            one.head < two.head
                && (two.head >= one.hidden.end || one.hidden.contains(&two.head) && two.hidden.end <= one.hidden.end)
        })
    })
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn folds_are_what_the_parse_knows(document in documents()) {
        let text = pretty(&document);
        let found = folds(&text).list;
        let brief: Vec<_> = found.iter().map(|fold| (fold.open, fold.count)).collect();
        prop_assert_eq!(brief, parsed_folds(&text, &parse(&text)));
        for fold in &found {
            let object = text[fold.open..].starts_with('{');
            prop_assert_eq!(fold.kind == Kind::Object, object);
            prop_assert!(!fold.tail.is_empty());
        }
    }

    #[test]
    fn any_text_folds_and_every_line_has_its_row(
        text in "[\\[\\]\\[\\]{}{},:\"\\\\a\n\n\n ]{0,60}",
        chosen in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut folding = of(&text);
        prop_assert!(apart_or_inside(folding.all()));
        for at in &chosen {
            if !folding.all().is_empty() {
                let head = folding.all()[at.index(folding.all().len())].head;
                folding.toggle(head);
            }
        }
        let lines = text.split('\n').count();
        let mut rows = 0;
        for line in 0..lines {
            prop_assert_eq!(folding.line_of(folding.line(line).end), line);
            match folding.hider(line).cloned() {
                None => {
                    prop_assert_eq!((folding.row_of(line), folding.line_of_row(rows)), (rows, line));
                    rows += 1;
                }
                Some(hidden) => {
                    prop_assert_eq!(folding.row_of(line) + 1, rows);
                    prop_assert_eq!(folding.way_out(folding.line(line).end), Some(folding.line(hidden.start - 1).end));
                }
            }
        }
        let mut shown = folding.clone();
        for line in 0..lines {
            shown.reveal(line);
            prop_assert_eq!(shown.hider(line), None);
        }
        prop_assert!(!shown.is_any() || shown.all().iter().all(|fold| !shown.is_folded(fold)));
    }

    #[test]
    fn folds_stay_with_what_they_hide(
        document in documents(),
        chosen in prop::collection::vec(any::<bool>(), 1..20),
        place in any::<prop::sample::Index>(),
    ) {
        let text = pretty(&document);
        let mut folding = of(&text);
        let objects: Vec<Fold> = folding.all().iter().filter(|fold| fold.kind == Kind::Object).cloned().collect();
        prop_assume!(!objects.is_empty());
        let heads: Vec<usize> = folding.all().iter().map(|fold| fold.head).collect();
        for (head, is_chosen) in heads.iter().zip(chosen.iter().cycle()) {
            if *is_chosen {
                folding.toggle(*head);
            }
        }
        let before = folded(&text, &folding);
        // A property that stands nowhere else comes first in one of the objects.
        let target = &objects[place.index(objects.len())];
        let at = target.open + 1;
        let new = format!("{}\n\"zz\": \"top\",{}", &text[..at], &text[at..]);

        let mut kept = folding.clone();
        kept.follow(&new, Touch::Keep);
        prop_assert_eq!(folded(&new, &kept), before.clone());
        // And back.
        kept.follow(&text, Touch::Keep);
        prop_assert_eq!(folded(&text, &kept), before.clone());

        // Inside a fold, what is typed is seen; other folds stay.
        let inside = format!("{}\n\"zz\": \"top\",{}", &text[..=at], &text[at + 1..]);
        let mut typed = folding.clone();
        typed.follow(&inside, Touch::Open);
        let line = typed.line_of(at + 4);
        prop_assert_eq!(typed.hider(line), None);
        let around = folding.all().iter().filter(|fold| fold.hidden.contains(&(target.head + 1)));
        let around: BTreeSet<String> = {
            let parsed = parse(&text);
            around.map(|fold| format!("{:?}", parsed.path_at(fold.open + 1))).collect()
        };
        let expected: BTreeSet<String> = before.difference(&around).cloned().collect();
        prop_assert_eq!(folded(&inside, &typed), expected);
    }
}
