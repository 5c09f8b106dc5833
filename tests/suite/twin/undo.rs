//! A step back takes back what was typed, never what the hub changed meanwhile: whatever was rebased, saved and discarded in between.

use super::given::{any_documents, cases, documents, map, twin};
use proptest::prelude::*;
use std::sync::Arc;
use twinscope::twin::draft::Draft;
use twinscope::twin::merge::Choice;
use twinscope::twin::moves::{Moves, Whose};
use twinscope::twin::text::history::{History, Kind, Way};
use twinscope::twin::text::lines::Selection;
use twinscope::twin::text::splice::{made, splice};
use twinscope::twin::text::{self, parse};
use twinscope::twin::{Etag, JsonMap, Section, Twin, patch};

const NOWHERE: Selection = Selection { anchor: 0, caret: 0 };
const DESIRED: Section = Section::Desired;

/// One person at one text, and the hub.
struct Seat {
    first: JsonMap,
    hub: Arc<Twin>,
    draft: Draft,
    moves: Moves,
    count: u64,
    history: History,
}

impl Seat {
    fn new(first: &JsonMap) -> Self {
        let mut hub = (*twin("{}", "{}")).clone();
        hub.desired.values.clone_from(first);
        let hub = Arc::new(hub);
        let draft = Draft::new(hub.clone());
        let mut history = History::new(&draft.desired.text);
        history.stand_on(Arc::new(first.clone()));
        let mut moves = Moves::default();
        moves.see(&hub);
        Self { first: first.clone(), hub, draft, moves, count: 0, history }
    }

    fn text(&self) -> &str {
        &self.draft.desired.text
    }

    fn document(&self) -> Option<&JsonMap> {
        self.draft.desired.parsed.document.as_ref()
    }

    /// As the editor looks at every frame.
    fn look(&mut self, whose: Whose) {
        self.moves.see(&self.draft.base);
        let since = self.moves.since(self.count, DESIRED);
        self.count = self.moves.count();
        let text = self.draft.desired.text.clone();
        if whose == Whose::Mine {
            self.history.record(&text, NOWHERE, NOWHERE, Kind::Act);
        }
        self.history.rebase(&text, &since, Arc::new(self.draft.base.desired.values.clone()));
        assert_eq!(self.history.text(), text);
    }

    fn typed(&mut self, text: &str) {
        self.draft.set_text(DESIRED, text.to_owned());
        self.look(Whose::Mine);
    }

    fn newer(&self, desired: JsonMap) -> Arc<Twin> {
        let mut hub = (*self.hub).clone();
        hub.desired.values = desired;
        hub.version += 1;
        hub.etag = Etag(format!("E{}", hub.version));
        Arc::new(hub)
    }

    fn hub_moves(&mut self, patch: &JsonMap) {
        let mut desired = self.hub.desired.values.clone();
        patch::apply(&mut desired, patch);
        self.hub = self.newer(desired);
    }

    fn rebase(&mut self, choose: impl Fn(&twinscope::twin::Path) -> Choice) {
        if self.document().is_some() {
            self.draft.rebase_chosen(self.hub.clone(), |_, clash| choose(&clash.path));
            self.look(Whose::Theirs);
        }
    }

    /// Over whatever the hub has.
    fn save(&mut self) {
        let Some(mine) = self.document().filter(|_| self.draft.is_dirty()) else { return };
        let mut after = self.hub.desired.values.clone();
        patch::apply(&mut after, &patch::between(&self.hub.desired.values, mine));
        if after != *mine {
            return;
        }
        let (before, after) = (self.hub.clone(), self.newer(after));
        self.moves.saved(&before, &after);
        let text = self.text().to_owned();
        self.hub = after;
        self.draft = Draft::new(self.hub.clone());
        self.draft.set_text(DESIRED, text);
        self.look(Whose::Theirs);
    }

    fn discard(&mut self, to: Arc<Twin>) {
        self.draft = Draft::new(to);
        self.look(Whose::Mine);
    }

    fn step(&mut self, way: Way) -> bool {
        let Some((edits, _)) = self.history.step(way, NOWHERE) else { return false };
        assert!(!edits.is_empty(), "a step does something");
        let text = made(self.text(), &edits);
        assert_eq!(text, self.history.text());
        self.draft.set_text(DESIRED, text);
        true
    }

    fn all(&mut self, way: Way) -> String {
        while self.step(way) {}
        self.text().to_owned()
    }

    /// What the base would be had nothing been saved from here.
    fn without_mine(&self) -> JsonMap {
        let mut out = self.first.clone();
        let moves = self.moves.since(0, DESIRED);
        moves.iter().filter(|one| one.whose == Whose::Theirs).for_each(|one| patch::apply(&mut out, &one.patch));
        out
    }
}

#[derive(Debug, Clone)]
enum Turn {
    /// Values set and deleted, the text beside them as it is.
    Type(JsonMap),
    Paste(JsonMap),
    Broken(String),
    HubMoves(JsonMap),
    Follow,
    Rebase(Vec<bool>),
    Save,
    Overwrite,
    Discard,
    Reload,
    Step(Way),
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let choices = prop::collection::vec(prop::bool::weighted(0.8), 1..4);
    let turn = prop_oneof![
        6 => any_documents().prop_map(Turn::Type),
        2 => documents().prop_map(Turn::Paste),
        1 => "\\{\"[a-d]\": (\"x)?".prop_map(Turn::Broken),
        5 => any_documents().prop_map(Turn::HubMoves),
        2 => Just(Turn::Follow),
        3 => choices.prop_map(Turn::Rebase),
        2 => Just(Turn::Save),
        1 => Just(Turn::Overwrite),
        1 => Just(Turn::Discard),
        1 => Just(Turn::Reload),
        2 => prop_oneof![Just(Way::Back), Just(Way::Forth)].prop_map(Turn::Step),
    ];
    prop::collection::vec(turn, 1..14)
}

fn take(seat: &mut Seat, turn: Turn) {
    match turn {
        Turn::Type(patch) => {
            let parsed = parse(seat.text());
            if let Some(edits) = splice(seat.text(), &parsed, &patch, &JsonMap::new()) {
                let text = made(seat.text(), &edits);
                seat.typed(&text);
            }
        }
        Turn::Paste(document) => seat.typed(&text::compact(&document.into())),
        Turn::Broken(text) => seat.typed(&text),
        Turn::HubMoves(patch) => seat.hub_moves(&patch),
        Turn::Follow => {
            let hub = seat.hub.clone();
            seat.draft.follow(&hub);
            seat.look(Whose::Theirs);
        }
        Turn::Rebase(choices) => {
            seat.rebase(|path| if choices[path.0.len() % choices.len()] { Choice::Mine } else { Choice::Theirs });
        }
        Turn::Save if seat.draft.base.etag != seat.hub.etag => {}
        Turn::Save | Turn::Overwrite => seat.save(),
        Turn::Discard => seat.discard(seat.draft.base.clone()),
        Turn::Reload => seat.discard(seat.hub.clone()),
        Turn::Step(way) => _ = seat.step(way),
    }
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn all_steps_back_lead_to_what_the_hub_would_say_without_me(first in documents(), turns in turns()) {
        let mut seat = Seat::new(&first);
        let broken = turns.iter().any(|turn| matches!(turn, Turn::Broken(_)));
        // What was saved and taken back is an edit of its own, and stays one.
        let stepped = turns.iter().any(|turn| matches!(turn, Turn::Step(_)));
        let saved = turns.iter().any(|turn| matches!(turn, Turn::Save | Turn::Overwrite));
        for turn in turns {
            take(&mut seat, turn);
            prop_assert!(broken || seat.document().is_some(), "{}", seat.text());
        }
        let newest = seat.all(Way::Forth);
        prop_assert!(broken || seat.document().is_some(), "{}", newest);
        while seat.step(Way::Back) {
            prop_assert!(broken || seat.document().is_some(), "{}", seat.text());
        }
        if !(stepped && saved) {
            let wanted = seat.without_mine();
            prop_assert_eq!(seat.document(), Some(&wanted));
        }
        prop_assert_eq!(seat.all(Way::Forth), newest);
    }

    /// Mine is kept: going back and forth over the rebase leads to the draft as it was.
    #[test]
    fn a_rebase_keeps_what_was_typed(first in documents(), mine in any_documents(), theirs in any_documents()) {
        let mut seat = Seat::new(&first);
        take(&mut seat, Turn::Type(mine));
        seat.hub_moves(&theirs);
        seat.rebase(|_| Choice::Mine);
        let draft = seat.text().to_owned();
        seat.all(Way::Back);
        prop_assert_eq!(seat.document(), Some(&seat.hub.desired.values));
        prop_assert_eq!(seat.all(Way::Forth), draft);
    }
}

const FIRST: &str = r#"{"t": 7, "k": 1}"#;

fn seat(mine: &str, theirs: &str) -> Seat {
    let mut seat = Seat::new(&map(FIRST));
    seat.typed(mine);
    seat.hub_moves(&map(theirs));
    seat
}

#[track_caller]
fn check(seat: &mut Seat, way: Way, expected: &str) {
    assert!(seat.step(way), "a step to {expected}");
    assert_eq!(seat.document(), Some(&map(expected)), "{}", seat.text());
}

#[test]
fn a_clash_kept_mine_is_taken_back_to_theirs() {
    let mut seat = seat(r#"{"t": 50, "k": 1}"#, r#"{"t": 8}"#);
    seat.rebase(|_| Choice::Mine);
    assert_eq!(seat.text(), r#"{"t": 50, "k": 1}"#);
    check(&mut seat, Way::Back, r#"{"t": 8, "k": 1}"#);
    assert!(!seat.draft.is_dirty(), "there is nothing that a save would send");
    assert!(!seat.step(Way::Back));
    check(&mut seat, Way::Forth, r#"{"t": 50, "k": 1}"#);
}

#[test]
fn what_was_typed_on_the_way_stays_mine() {
    let mut seat = Seat::new(&map(FIRST));
    seat.typed(r#"{"t": 20, "k": 1}"#);
    seat.typed(r#"{"t": 50, "k": 1}"#);
    seat.hub_moves(&map(r#"{"t": 8}"#));
    seat.rebase(|_| Choice::Mine);
    check(&mut seat, Way::Back, r#"{"t": 20, "k": 1}"#);
    check(&mut seat, Way::Back, r#"{"t": 8, "k": 1}"#);
}

#[test]
fn a_clash_given_up_is_theirs_in_every_step() {
    let mut seat = Seat::new(&map(FIRST));
    seat.typed(r#"{"t": 20, "k": 1}"#);
    seat.typed(r#"{"t": 20, "k": 2}"#);
    seat.typed(r#"{"t": 50, "k": 2}"#);
    seat.hub_moves(&map(r#"{"t": 8}"#));
    seat.rebase(|_| Choice::Theirs);
    check(&mut seat, Way::Back, r#"{"t": 8, "k": 1}"#);
    // The lines as they were before the first.
    check(&mut seat, Way::Back, r#"{"t": 8, "k": 1}"#);
    assert!(!seat.step(Way::Back));
}

#[test]
fn over_a_save_the_step_takes_mine_back_unless_the_hub_moved_there() {
    let mut seat = Seat::new(&map(FIRST));
    seat.typed(r#"{"t": 50, "k": 2}"#);
    seat.save();
    check(&mut seat, Way::Back, FIRST);
    check(&mut seat, Way::Forth, r#"{"t": 50, "k": 2}"#);
    seat.hub_moves(&map(r#"{"t": 8}"#));
    seat.rebase(|_| Choice::Mine);
    check(&mut seat, Way::Back, r#"{"t": 8, "k": 1}"#);
}

#[test]
fn an_overwrite_is_taken_back_to_what_it_went_over() {
    let mut seat = seat(r#"{"t": 50, "k": 1}"#, r#"{"t": 8}"#);
    seat.save();
    assert!(!seat.draft.is_dirty());
    check(&mut seat, Way::Back, r#"{"t": 8, "k": 1}"#);
    assert!(!seat.step(Way::Back));
}

#[test]
fn a_discard_for_the_hubs_version_brings_the_typed_text_back_on_that_version() {
    let mut seat = seat(r#"{"t": 50, "k": 1}"#, r#"{"k": 2}"#);
    seat.discard(seat.hub.clone());
    check(&mut seat, Way::Back, r#"{"t": 50, "k": 2}"#);
    check(&mut seat, Way::Back, r#"{"t": 7, "k": 2}"#);
    assert!(!seat.step(Way::Back));
}

#[test]
fn a_text_that_does_not_parse_is_passed_over_once_the_hub_moved() {
    let mut seat = Seat::new(&map(FIRST));
    for text in [r#"{"t": 7, "k": 2}"#, r#"{"t": 7, "k"}"#, r#"{"t": 7, "k": 3}"#] {
        seat.typed(text);
    }
    seat.hub_moves(&map(r#"{"t": 8}"#));
    seat.rebase(|_| Choice::Mine);
    check(&mut seat, Way::Back, r#"{"t": 8, "k": 2}"#);
    check(&mut seat, Way::Forth, r#"{"t": 8, "k": 3}"#);
    check(&mut seat, Way::Back, r#"{"t": 8, "k": 2}"#);
    check(&mut seat, Way::Back, r#"{"t": 8, "k": 1}"#);
}

#[test]
fn moves_nobody_told_of_are_of_others() {
    let mut history = History::new(FIRST);
    history.stand_on(Arc::new(map(FIRST)));
    let mine = r#"{"t": 50, "k": 1}"#;
    history.record(mine, NOWHERE, NOWHERE, Kind::Act);
    history.rebase(mine, &[], Arc::new(map(r#"{"t": 8, "k": 1}"#)));
    history.step(Way::Back, NOWHERE).expect("a step");
    assert_eq!(history.text(), r#"{"t": 8, "k": 1}"#);
}
