//! Whole lines: moved, doubled, indented, counted; and the whole text formatted.

use super::given::documents;
use proptest::prelude::*;
use twinscope::twin::text::lines::{LineAct, Selection, act, formatted, offset_of, same_place, start_of};
use twinscope::twin::text::splice::made;
use twinscope::twin::text::{line_column, parse, pretty};

/// `<` marks where the selection began, `|` the caret.
fn marked(marked: &str) -> (String, Selection) {
    let plain = marked.replace(['<', '|'], "");
    let at = |mark: char| marked.find(mark).map(|at| marked[..at].replace(['<', '|'], "").len());
    let caret = at('|').expect("a caret");
    (plain, Selection { anchor: at('<').unwrap_or(caret), caret })
}

#[track_caller]
fn check(before: &str, what: LineAct, expected: &str) {
    let (text, selection) = marked(before);
    let (edits, after) = act(&text, selection, what).expect("something to do");
    assert_eq!((made(&text, &edits), after), marked(expected), "{what:?} of {before:?}");
}

#[test]
fn lines_move_with_their_selection() {
    check("a\nb|c\nd", LineAct::MoveUp, "b|c\na\nd");
    check("a\nb|c\nd", LineAct::MoveDown, "a\nd\nb|c");
    check("<a\nb|\nc", LineAct::MoveDown, "c\n<a\nb|");
    check("|a\nb<\nc", LineAct::MoveDown, "c\n|a\nb<");
    // The beginning of a line is not yet in it.
    check("a\n<b\n|c", LineAct::MoveUp, "<b\n|a\nc");
    check("<a\n|b", LineAct::MoveDown, "b\n<a|");
    check("ä\n|ö", LineAct::MoveUp, "|ö\nä");
}

#[test]
fn there_is_no_line_beyond_the_ends() {
    for (text, what) in [("|a\nb", LineAct::MoveUp), ("a\nb|", LineAct::MoveDown), ("|", LineAct::MoveUp)] {
        let (text, selection) = marked(text);
        assert_eq!(act(&text, selection, what), None);
    }
}

#[test]
fn a_doubled_line_has_the_caret() {
    check("a\nb|c\nd", LineAct::Duplicate, "a\nbc\nb|c\nd");
    check("<a\nb|", LineAct::Duplicate, "a\nb\n<a\nb|");
    check("|", LineAct::Duplicate, "\n|");
}

#[test]
fn lines_are_selected_one_after_the_other() {
    check("a\nb|c\nd", LineAct::Select, "a\n<bc\n|d");
    check("a\n<bc\n|d", LineAct::Select, "a\n<bc\nd|");
}

#[test]
fn indentation_goes_in_and_out_by_steps() {
    check("a|\nb", LineAct::Indent, "  a|\nb");
    check("<a\n\nb|", LineAct::Indent, "<  a\n\n  b|");
    check("   a|", LineAct::Outdent, " a|");
    check("<  a\n b|", LineAct::Outdent, "<a\nb|");
    let (text, selection) = marked("a|");
    assert_eq!(act(&text, selection, LineAct::Outdent), None);
}

#[test]
fn a_place_by_line_and_column() {
    let text = "äb\nc\n";
    for (line, column, expected) in
        [(1, 1, 0), (1, 2, 2), (1, 3, 3), (1, 99, 3), (2, 1, 4), (3, 1, 6), (99, 1, 6), (0, 0, 0)]
    {
        assert_eq!(offset_of(text, line, column), expected, "{line}:{column}");
    }
    assert_eq!(start_of("", 1), 0);
}

#[test]
fn formatting_keeps_spelling_and_order() {
    for (text, expected) in [
        ("{}", "{}"),
        ("{ \n }", "{}"),
        ("\u{feff}{\"b\":1E5,\"a\":[ ]}", "{\n  \"b\": 1E5,\n  \"a\": []\n}"),
        ("{\"a\":[1,{\"x\":2.50}],\"s\":\" , : { \\\" \"}", {
            "{\n  \"a\": [\n    1,\n    {\n      \"x\": 2.50\n    }\n  ],\n  \"s\": \" , : { \\\" \"\n}"
        }),
    ] {
        assert_eq!(formatted(text), expected, "{text}");
    }
}

#[test]
fn a_caret_stays_before_its_letter_when_white_space_changes() {
    let (text, other) = ("\u{feff}{\"a b\":[1,2]}", "{\n  \"a b\": [\n    1,\n    2\n  ]\n}");
    for wanted in ["{", "\"a", "b\"", "[", "1", "2", "]", "}"] {
        let at = text.find(wanted).expect("it is there");
        assert_eq!(same_place(text, other, at), other.find(wanted).expect("it is there"), "{wanted}");
    }
    assert_eq!(same_place("a  ", "a", 3), 1);
    assert_eq!(same_place(" a", "a", 0), 0);
}

const ACTS: [LineAct; 6] =
    [LineAct::Duplicate, LineAct::MoveUp, LineAct::MoveDown, LineAct::Select, LineAct::Indent, LineAct::Outdent];

/// A text of a few lines, and a selection in it.
fn texts() -> impl Strategy<Value = (String, Selection)> {
    ("[ aä\n]{0,30}", 0_usize..60, 0_usize..60).prop_map(|(text, anchor, caret)| {
        let selection = Selection { anchor: text.floor_char_boundary(anchor), caret: text.floor_char_boundary(caret) };
        (text, selection)
    })
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines.sort_unstable();
    lines
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn a_selection_stays_in_the_text((text, selection) in texts(), which in 0..ACTS.len()) {
        if let Some((edits, after)) = act(&text, selection, ACTS[which]) {
            let made = made(&text, &edits);
            prop_assert!(made.is_char_boundary(after.anchor) && made.is_char_boundary(after.caret), "{:?}", made);
            if matches!(ACTS[which], LineAct::MoveUp | LineAct::MoveDown) {
                prop_assert_eq!(sorted(&made), sorted(&text));
                // But for the break that the last line does not have.
                let selected = &text[selection.range()];
                let last = selected.strip_suffix('\n').unwrap_or(selected);
                prop_assert!([selected, last].contains(&&made[after.range()]));
            }
        }
    }

    #[test]
    fn up_and_down_is_nothing((text, selection) in texts()) {
        if let Some((edits, after)) = act(&text, selection, LineAct::MoveUp) {
            let up = made(&text, &edits);
            let (edits, back) = act(&up, after, LineAct::MoveDown).expect("a line below");
            prop_assert_eq!((made(&up, &edits), back), (text, selection));
        }
    }

    #[test]
    fn in_and_out_is_nothing((text, selection) in texts()) {
        if let Some((edits, after)) = act(&text, selection, LineAct::Indent) {
            let deeper = made(&text, &edits);
            let (edits, _) = act(&deeper, after, LineAct::Outdent).expect("there are spaces");
            // A line of spaces alone, which went in too, comes out the same; a line that was empty stayed.
            prop_assert_eq!(made(&deeper, &edits), text);
        }
    }

    #[test]
    fn formatting_says_the_same_and_is_the_print(document in documents(), spaces in "[ \n\t]{0,3}") {
        let printed = pretty(&document);
        prop_assert_eq!(formatted(&printed), &printed[..]);
        let loose = printed.replace(",\n", &format!("{spaces},{spaces}\n"));
        prop_assert_eq!(formatted(&loose), &printed[..]);
        prop_assert_eq!(parse(&formatted(&loose)).document, Some(document));
    }

    #[test]
    fn line_and_column_lead_back((text, selection) in texts()) {
        let (line, column) = line_column(&text, selection.caret);
        prop_assert_eq!(offset_of(&text, line, column), selection.caret);
    }
}
