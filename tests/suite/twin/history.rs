//! Steps back and forth, with changes of others between them.

use proptest::prelude::*;
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
    // And moves with what others put in before it.
    history.rebase("new ax");
    let moved = Selection { anchor: 5, caret: 7 };
    assert_eq!(history.step(Way::Back, caret(6)).map(|(_, after)| after), Some(moved));
}

#[test]
fn a_step_back_leaves_what_others_changed() {
    let mut history = History::new("a: 1\nb: 1\nc: 1");
    act(&mut history, "a: 2\nb: 1\nc: 1");
    act(&mut history, "a: 2\nb: 1\nc: 2");
    assert!(!history.rebase("new\na: 2\nb: 9\nc: 2").is_empty());
    assert_eq!(step(&mut history, Way::Back).as_deref(), Some("new\na: 2\nb: 9\nc: 1"));
    // While there is a step forth.
    history.rebase("new\na: 2\nb: 10\nc: 1");
    assert_eq!(step(&mut history, Way::Back).as_deref(), Some("new\na: 1\nb: 10\nc: 1"));
    assert_eq!(step(&mut history, Way::Back), None);
    assert_eq!(step(&mut history, Way::Forth).as_deref(), Some("new\na: 2\nb: 10\nc: 1"));
    assert_eq!(step(&mut history, Way::Forth).as_deref(), Some("new\na: 2\nb: 10\nc: 2"));
}

/// Of a text mine was made of a base, then theirs of mine: what all steps back leave.
#[track_caller]
fn check_taken_back(base: &str, mine: &str, theirs: &str, expected: &str) {
    let mut history = History::new(base);
    act(&mut history, mine);
    history.rebase(theirs);
    assert_eq!(all(&mut history, Way::Back), expected, "{base:?} {mine:?} {theirs:?}");
}

#[test]
fn what_others_took_over_is_theirs() {
    check_taken_back("a: 1\nb: 1", "a: 2\nb: 2", "a: 3\nb: 2", "a: 3\nb: 1");
    // Half of a number of each would be one that nobody wrote.
    check_taken_back("{\"a\": 60}", "{\"a\": 90}", "{\"a\": 95}", "{\"a\": 95}");
    check_taken_back("{\"a\": 60}", "{\"a\": 160}", "{\"a\": 1600}", "{\"a\": 1600}");
    check_taken_back("{\"a\": \"x y\"}", "{\"a\": \"x z\"}", "{\"a\": \"w z\"}", "{\"a\": \"w z\"}");
    // A line I took out and they put back comes once.
    check_taken_back(
        "{\n  \"a\": 1,\n  \"b\": 2\n}",
        "{\n  \"b\": 2\n}",
        "{\n  \"a\": 1,\n  \"b\": 2\n}",
        "{\n  \"a\": 1,\n  \"b\": 2\n}",
    );
}

#[test]
fn neighbours_do_not_meet() {
    // Mine put in a line, theirs changed or took out the next, whose beginning is the same.
    let base = "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}";
    let mine = "{\n  \"a\": 1,\n  \"foo\": 0,\n  \"b\": 2,\n  \"c\": 3\n}";
    let theirs = "{\n  \"a\": 1,\n  \"foo\": 0,\n  \"c\": 3\n}";
    check_taken_back(base, mine, theirs, "{\n  \"a\": 1,\n  \"c\": 3\n}");
    // Mine put in the last line, theirs changed the value before it.
    let (base, mine) = ("{\n  \"a\": 1\n}", "{\n  \"a\": 1,\n  \"b\": 2\n}");
    check_taken_back(base, mine, "{\n  \"a\": 7,\n  \"b\": 2\n}", "{\n  \"a\": 7\n}");
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

#[derive(Debug, Clone)]
enum Turn {
    /// A slot of a text becomes this: mine when its number is even, somebody else's when it is odd.
    Change(usize, String),
    Step(Way),
}

const SLOTS: usize = 6;

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let change = (0..SLOTS, "([a-cä ]{0,3}\n){0,3}").prop_map(|(slot, text)| Turn::Change(slot, text));
    let step = prop_oneof![Just(Way::Back), Just(Way::Forth)].prop_map(Turn::Step);
    prop::collection::vec(prop_oneof![3 => change, 1 => step], 0..20)
}

/// Slots between lines nobody changes.
fn joined(slots: &[String]) -> String {
    let lines: Vec<String> = slots.iter().enumerate().map(|(n, slot)| format!("{slot}={n}=\n")).collect();
    lines.concat()
}

fn slots_of(text: &str) -> Vec<String> {
    let mut slots = vec![String::new()];
    for line in text.split_inclusive('\n') {
        if line.starts_with('=') {
            slots.push(String::new());
        } else if let Some(last) = slots.last_mut() {
            last.push_str(line);
        }
    }
    slots.truncate(SLOTS);
    slots
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

    #[test]
    fn changes_of_others_survive_every_way(
        texts in prop::collection::vec(texts(), 1..6), theirs in texts(), back in 0_usize..4, ms in any::<u64>(),
    ) {
        let mut history = History::new(&texts[0]);
        for (n, text) in texts.iter().enumerate() {
            let kind = if n % 2 == 0 { Kind::Act } else { Kind::Typed { ms } };
            history.record(text, NOWHERE, NOWHERE, kind);
        }
        for _ in 0..back {
            step(&mut history, Way::Back);
        }
        history.rebase(&theirs);
        prop_assert_eq!(history.text(), &theirs[..]);
        // Forth and back again leads through the same texts.
        let newest = all(&mut history, Way::Forth);
        all(&mut history, Way::Back);
        prop_assert_eq!(all(&mut history, Way::Forth), newest);
    }

    /// Undoing all of my edits after any mix of mine and others' leaves exactly the others'.
    #[test]
    fn all_mine_taken_back_leaves_exactly_theirs(first in prop::collection::vec("([a-c]{1,3}\n){0,2}", SLOTS), turns in turns()) {
        let mut history = History::new(&joined(&first));
        let mut theirs = first.clone();
        for turn in turns {
            let mut slots = slots_of(history.text());
            match turn {
                Turn::Step(way) => _ = step(&mut history, way),
                Turn::Change(slot, text) if slot % 2 == 0 => {
                    slots[slot] = text;
                    act(&mut history, &joined(&slots));
                }
                Turn::Change(slot, text) => {
                    slots[slot].clone_from(&text);
                    theirs[slot] = text;
                    history.rebase(&joined(&slots));
                }
            }
        }
        let mine = all(&mut history, Way::Forth);
        prop_assert_eq!(all(&mut history, Way::Back), joined(&theirs));
        prop_assert_eq!(all(&mut history, Way::Forth), mine);
    }
}
