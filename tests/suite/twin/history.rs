//! Steps back and forth. What becomes of them when the hub moves is in `undo`.

use super::given::map;
use proptest::prelude::*;
use std::sync::Arc;
use twinscope::twin::text::history::{History, Kind, Way};
use twinscope::twin::text::lines::Selection;
use twinscope::twin::text::rebase::changes;
use twinscope::twin::text::splice::made;

const NOWHERE: Selection = Selection { anchor: 0, caret: 0 };

fn caret(at: usize) -> Selection {
    Selection { anchor: at, caret: at }
}

fn act(history: &mut History, new: &str) {
    history.record(new, NOWHERE, NOWHERE, Kind::Act);
}

fn step(history: &mut History, way: Way) -> Option<String> {
    let before = history.text().to_owned();
    let (edits, _) = history.step(way, NOWHERE)?;
    assert_eq!(made(&before, &edits), history.text());
    Some(history.text().to_owned())
}

fn all(history: &mut History, way: Way) -> String {
    while step(history, way).is_some() {}
    history.text().to_owned()
}

/// Types letters at the end of the text, one each 100 ms; `_` is a pause.
fn typed(history: &mut History, letters: &str, ms: &mut u64) {
    for letter in letters.chars() {
        *ms += if letter == '_' { 2_000 } else { 100 };
        if letter == '_' {
            continue;
        }
        let old = history.text().to_owned();
        let new = format!("{old}{letter}");
        history.record(&new, caret(old.len()), caret(new.len()), Kind::Typed { ms: *ms });
    }
}

#[track_caller]
fn check_groups(letters: &str, expected: &[&str]) {
    let mut history = History::new("");
    typed(&mut history, letters, &mut 0);
    let back: Vec<String> = std::iter::from_fn(|| step(&mut history, Way::Back)).collect();
    assert_eq!(back, expected, "{letters:?}");
}

#[test]
fn words_and_pauses_are_steps() {
    check_groups("abc", &[""]);
    check_groups("ab cd  ef", &["ab cd  ", "ab ", ""]);
    check_groups("ab_cd", &["ab", ""]);
    check_groups("ab\ncd", &["ab\n", "ab", ""]);
}

#[test]
fn another_place_or_another_act_is_another_step() {
    let mut history = History::new("xy");
    let mut ms = 0;
    let take = |history: &mut History, new: &str, before: usize, now: usize, ms: &mut u64| {
        *ms += 100;
        history.record(new, caret(before), caret(now), Kind::Typed { ms: *ms });
    };
    take(&mut history, "xya", 2, 3, &mut ms);
    // The caret was moved in between.
    take(&mut history, "bxya", 0, 1, &mut ms);
    take(&mut history, "bcxya", 1, 2, &mut ms);
    // Taken away again.
    take(&mut history, "bxya", 2, 1, &mut ms);
    take(&mut history, "xya", 1, 0, &mut ms);
    act(&mut history, "PASTE");
    for expected in ["xya", "bcxya", "xya", "xy"] {
        assert_eq!(step(&mut history, Way::Back).as_deref(), Some(expected));
    }
    assert_eq!(step(&mut history, Way::Back), None);
    assert_eq!(step(&mut history, Way::Forth).as_deref(), Some("xya"));
    act(&mut history, "z");
    assert_eq!(step(&mut history, Way::Forth), None);
}

#[test]
fn what_is_selected_comes_back() {
    let mut history = History::new("abc");
    let selected = Selection { anchor: 1, caret: 3 };
    history.record("ax", selected, caret(2), Kind::Act);
    assert_eq!(history.step(Way::Back, caret(2)).map(|(_, after)| after), Some(selected));
    assert_eq!(history.step(Way::Forth, selected).map(|(_, after)| after), Some(caret(2)));
}

#[test]
fn what_is_selected_moves_with_what_others_put_in_before_it() {
    let mut history = History::new(r#"{"k": 1, "a": "abc"}"#);
    history.stand_on(Arc::new(map(history.text())));
    let selected = Selection { anchor: 15, caret: 18 };
    history.record(r#"{"k": 1, "a": "x"}"#, selected, caret(16), Kind::Act);
    let theirs = map(r#"{"k": 1000, "a": "abc"}"#);
    history.rebase(r#"{"k": 1000, "a": "x"}"#, &[], Arc::new(theirs));
    let moved = Selection { anchor: 18, caret: 21 };
    assert_eq!(history.step(Way::Back, caret(19)).map(|(_, after)| after), Some(moved));
    assert_eq!(history.text(), r#"{"k": 1000, "a": "abc"}"#);
}

#[test]
fn lines_put_in_are_whole_lines() {
    let edits = changes("{\n  \"a\": 1,\n  \"b\": 2\n}", "{\n  \"a\": 1,\n  \"ä\": 0,\n  \"b\": 2\n}");
    assert_eq!(edits.len(), 1);
    assert_eq!((edits[0].range.clone(), edits[0].text.as_str()), (12..12, "  \"ä\": 0,\n"));
}

#[test]
fn old_steps_are_forgotten() {
    let mut history = History::new("0");
    for n in 1..=600 {
        act(&mut history, &n.to_string());
    }
    let steps = std::iter::from_fn(|| step(&mut history, Way::Back)).count();
    assert_eq!((steps, history.text()), (500, "100"));
    // Whatever is in one of them.
    let mut history = History::new("");
    for n in 0_u8..8 {
        act(&mut history, &char::from(b'a' + n).to_string().repeat(600_000));
    }
    assert_eq!(std::iter::from_fn(|| step(&mut history, Way::Back)).count(), 3);
}

/// Texts of a few lines.
fn texts() -> impl Strategy<Value = String> {
    "[abä]{0,3}(\n[abä]{0,3}){0,5}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn all_the_way_back_and_forth_again(texts in prop::collection::vec(texts(), 1..8)) {
        let mut history = History::new(&texts[0]);
        for text in &texts {
            act(&mut history, text);
        }
        prop_assert_eq!(&all(&mut history, Way::Back), &texts[0]);
        prop_assert_eq!(&all(&mut history, Way::Forth), &texts[texts.len() - 1]);
    }

    #[test]
    fn edits_are_the_change(old in texts(), new in texts()) {
        prop_assert_eq!(made(&old, &changes(&old, &new)), new);
    }
}
