//! A draft as a whole: what a PUT would send, what goes by it, and when it is refused.

use super::given::{json, map, twin};
use proptest::prelude::*;
use twinscope::twin::draft::{Draft, Refusal};
use twinscope::twin::{Json, JsonMap, Section};

#[test]
fn the_whole_of_both_sections_and_what_goes() {
    let base = twin(r#"{"a":1.50,"gone":{"x":1,"y":2},"deep":{"keep":1,"drop":2}}"#, r#"{"site":"A","floor":2}"#);
    let mut draft = Draft::new(base.clone());
    draft.set_text(Section::Desired, r#"{"a":1.50,"deep":{"keep":1},"new":true}"#.to_owned());
    draft.set_text(Section::Tags, r#"{"site":"A"}"#.to_owned());
    let replacement = draft.replacement().unwrap();
    let outgoing = &replacement.outgoing;
    let body = r#"{"tags":{"site":"A"},"properties":{"desired":{"a":1.50,"deep":{"keep":1},"new":true}}}"#;
    assert_eq!(Json::Object(outgoing.body.clone()).to_string(), body);
    assert_eq!((outgoing.bytes, outgoing.paths), (body.len(), 4));
    assert_eq!(outgoing.if_match, base.etag);
    let told = json(r#"{"deep":{"drop":null},"new":true,"gone":null}"#);
    assert_eq!(outgoing.device_told.clone().map(Json::Object), Some(told));
    let removed: Vec<String> =
        replacement.removed.iter().map(|(section, path)| format!("{} {path}", section.word())).collect();
    assert_eq!(removed, ["tags floor", "desired gone", "desired deep.drop"]);
}

#[test]
fn without_a_change_or_with_a_problem_it_is_refused() {
    let mut draft = Draft::new(twin(r#"{"a":1}"#, "{}"));
    assert_eq!(draft.replacement(), Err(Refusal::NoChange));
    draft.set_text(Section::Desired, "{ \"a\" :  1 }".to_owned());
    assert_eq!(draft.replacement(), Err(Refusal::NoChange));
    draft.set_text(Section::Desired, "{\"a\":2".to_owned());
    assert!(matches!(draft.replacement(), Err(Refusal::Problem { section: Section::Desired, line: 1, .. })));
    // A section that parses does not go without the other.
    draft.set_text(Section::Tags, "{\"site\":1}".to_owned());
    assert!(matches!(draft.replacement(), Err(Refusal::Problem { section: Section::Desired, .. })));
}

fn document() -> impl Strategy<Value = JsonMap> {
    let text = proptest::sample::subsequence(vec!["a", "b", "c", "d"], 0..4).prop_flat_map(|keys| {
        let value =
            proptest::sample::select(vec!["1", "2.50", "\"x\"", "[1,2]", "{}", "{\"k\":1}", "{\"k\":2,\"l\":true}"]);
        proptest::collection::vec(value, keys.len()).prop_map(move |values| {
            let pairs: Vec<String> = keys.iter().zip(values).map(|(key, value)| format!("\"{key}\":{value}")).collect();
            map(&format!("{{{}}}", pairs.join(",")))
        })
    });
    text.boxed()
}

proptest! {
    /// Both ways lead to the same document, and whatever is gone is listed.
    #[test]
    fn a_replacement_ends_where_the_patch_ends(before in document(), after in document()) {
        let base = twin(&Json::Object(before.clone()).to_string(), "{}");
        let mut draft = Draft::new(base);
        draft.set_text(Section::Desired, Json::Object(after.clone()).to_string());
        match (draft.replacement(), draft.outgoing()) {
            (Ok(replacement), Ok(outgoing)) => {
                let put = &replacement.outgoing.body["properties"]["desired"];
                let mut patched = before.clone();
                let patch = outgoing.body["properties"]["desired"].as_object().unwrap();
                twinscope::twin::patch::apply(&mut patched, patch);
                prop_assert_eq!(put, &Json::Object(patched));
                for (_, path) in &replacement.removed {
                    prop_assert!(path.find(&before).is_some() && path.find(&after).is_none());
                }
                for key in before.keys().filter(|key| !after.contains_key(*key)) {
                    prop_assert!(replacement.removed.iter().any(|(_, path)| path.to_string() == *key));
                }
            }
            (put, patch) => {
                prop_assert_eq!(put.err(), Some(Refusal::NoChange));
                prop_assert_eq!(patch.err(), Some(Refusal::NoChange));
                prop_assert_eq!(before, after);
            }
        }
    }
}
