//! The laws of the three-way merge. `tests/run` holds them at 10,000 cases each.

use super::given::{cases, pairs, triples};
use super::laws::all_leaves;
use proptest::prelude::*;
use twinscope::twin::diff::diff;
use twinscope::twin::merge::{Choice, three_way};
use twinscope::twin::patch::{apply, between};
use twinscope::twin::{Json, Path};

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn a_side_that_changed_nothing_gives_the_other((base, other) in pairs()) {
        let mine = three_way(&base, &other, &base);
        prop_assert_eq!(&mine.merged, &other);
        prop_assert_eq!(mine.mine.len(), diff(&base, &other).len());
        prop_assert!(mine.theirs.is_empty() && mine.clashes.is_empty());
        let theirs = three_way(&base, &base, &other);
        prop_assert_eq!(&theirs.merged, &other);
        prop_assert_eq!(theirs.theirs.len(), diff(&base, &other).len());
        prop_assert!(theirs.mine.is_empty() && theirs.clashes.is_empty());
    }

    #[test]
    fn the_same_edit_on_both_sides_is_clean((base, both) in pairs()) {
        let merge = three_way(&base, &both, &both);
        prop_assert_eq!(&merge.merged, &both);
        prop_assert!(merge.mine.is_empty() && merge.theirs.is_empty() && merge.clashes.is_empty());
    }

    #[test]
    fn sides_can_be_swapped((base, mine, theirs) in triples()) {
        let (one, two) = (three_way(&base, &mine, &theirs), three_way(&base, &theirs, &mine));
        prop_assert_eq!(one.clashes.len(), two.clashes.len());
        if one.clashes.is_empty() {
            prop_assert_eq!(one.merged, two.merged);
        }
    }

    #[test]
    fn a_merge_makes_nothing_up((base, mine, theirs) in triples()) {
        for (at, leaf) in all_leaves(&three_way(&base, &mine, &theirs).merged) {
            let known = [&base, &mine, &theirs].into_iter().any(|document| at.find(document) == Some(&leaf));
            prop_assert!(known, "{} = {}", at, leaf);
        }
    }

    #[test]
    fn a_merge_loses_nothing_unsaid((base, mine, theirs) in triples()) {
        let merge = three_way(&base, &mine, &theirs);
        // Every change of mine is in the result, a clash included.
        for change in diff(&base, &mine) {
            let found = change.path.find(&merge.merged);
            match &change.after {
                // Both sides may have put an object here: then theirs stands beside mine.
                Some(Json::Object(wanted)) if matches!(change.path.find(&theirs), Some(Json::Object(_))) => {
                    let Some(Json::Object(found)) = found else { panic!("{} is gone", change.path) };
                    for (at, leaf) in all_leaves(wanted) {
                        prop_assert_eq!(at.find(found), Some(&leaf));
                    }
                }
                after => prop_assert_eq!(found, after.as_ref()),
            }
        }
        // Every change of theirs is in the result or covered by a clash.
        for change in diff(&base, &theirs) {
            let covered = |clash: &Path| clash.0.starts_with(&change.path.0) || change.path.0.starts_with(&clash.0);
            let taken = match (&change.after, change.path.find(&merge.merged)) {
                (Some(Json::Object(wanted)), Some(Json::Object(found))) => {
                    all_leaves(wanted).iter().all(|(at, leaf)| at.find(found) == Some(leaf))
                }
                (after, found) => after.as_ref() == found,
            };
            prop_assert!(taken || merge.clashes.iter().any(|clash| covered(&clash.path)), "{}", change.path);
        }
    }

    #[test]
    fn edits_that_touch_different_paths_commute((base, mine, theirs) in triples()) {
        let (one, two) = (three_way(&base, &mine, &theirs), three_way(&base, &theirs, &mine));
        prop_assert_eq!(one.clashes.is_empty(), two.clashes.is_empty());
        if one.clashes.is_empty() {
            // One after the other, in either order, gives the merge.
            let (mut first, mut second) = (base.clone(), base.clone());
            apply(&mut first, &between(&base, &mine));
            apply(&mut first, &between(&base, &theirs));
            apply(&mut second, &between(&base, &theirs));
            apply(&mut second, &between(&base, &mine));
            prop_assert_eq!(&one.merged, &two.merged);
            prop_assert_eq!(&first, &one.merged);
            prop_assert_eq!(&second, &one.merged);
        }
    }

    #[test]
    fn a_clash_ends_as_chosen((base, mine, theirs) in triples(), choices in proptest::collection::vec(0..3_u8, 1..8)) {
        let merge = three_way(&base, &mine, &theirs);
        let choice = |n: usize| [Choice::Mine, Choice::Theirs, Choice::Base][usize::from(choices[n % choices.len()])];
        let number = |path| merge.clashes.iter().position(|clash| clash.path == path).unwrap();
        let resolved = merge.resolved(&base, &theirs, |clash| choice(number(clash.path.clone())));
        for (n, clash) in merge.clashes.iter().enumerate() {
            prop_assert_eq!(clash.path.find(&resolved), clash.value(choice(n)), "{}", clash.path);
        }
        // What is no clash is as in the merge.
        for path in merge.mine.iter().chain(&merge.theirs) {
            let clashes = |path: &twinscope::twin::Path| merge.clashes.iter().any(|c| c.path.0.starts_with(&path.0) || path.0.starts_with(&c.path.0));
            if !clashes(path) {
                prop_assert_eq!(path.find(&resolved), path.find(&merge.merged));
            }
        }
    }

    #[test]
    fn all_mine_is_the_merge_itself((base, mine, theirs) in triples()) {
        let merge = three_way(&base, &mine, &theirs);
        prop_assert_eq!(merge.resolved(&base, &theirs, |_| Choice::Mine), merge.merged.clone());
    }
}
