//! Lives of an id, and etags that may guard a write.

use proptest::prelude::*;
use serde_json::json;
use twinscope::protocol::rest::IfMatch;
use twinscope::twin::{Etag, Twin, life, wire};

fn twin(etag: &str, version: u64, desired: u64, n: u64) -> Twin {
    wire::from_json(json!({
        "deviceId": "d", "etag": etag, "deviceEtag": "MQ==", "version": version,
        "properties": {"desired": {"n": n, "$version": desired}, "reported": {"$version": 1}}
    }))
    .unwrap()
}

#[test]
fn counters_that_go_back_and_contents_that_differ_at_one_version_are_of_another_life() {
    let before = twin("E2", 5, 3, 1);
    for (after, continues) in [
        (twin("E2", 5, 3, 1), true),
        (twin("E3", 6, 4, 2), true),
        (twin("E2", 6, 3, 1), true),
        (twin("E2", 4, 3, 1), false),
        (twin("E2", 6, 2, 1), false),
        (twin("E2", 5, 3, 2), false),
        (twin("E3", 6, 3, 2), false),
    ] {
        assert_eq!(life::continues(&before, &after), continues, "{after:?}");
    }
    assert!(life::is_as_seen(&before, &twin("E2", 9, 3, 1)), "a report moves the version alone");
    assert!(!life::is_as_seen(&before, &twin("E2", 5, 3, 2)));
    assert!(!life::is_as_seen(&before, &twin("E3", 5, 3, 1)));
}

proptest! {
    /// Whatever a hub calls its versions: what is sent matches that one and nothing else, or nothing is sent.
    #[test]
    fn a_condition_matches_one_version_or_is_refused(text in "\\PC{0,6}|\\*|\"\\*\"|W/\"[a-z]\"|[\\x00-\\xff]{0,4}|[A-Za-z0-9+/=]{1,12}") {
        let etag = Etag(text.clone());
        match IfMatch::only(etag.clone()) {
            Ok(condition) => {
                let header = condition.header().unwrap();
                prop_assert!(http::HeaderValue::from_str(&header).is_ok());
                prop_assert_eq!(IfMatch::parse(Some(&header)), IfMatch::Quoted(etag));
            }
            Err(problem) => prop_assert!(
                text.is_empty() || text == "*" || text.chars().any(|c| !matches!(c, '!' | '#'..='~')),
                "{text:?}: {problem}"
            ),
        }
    }
}
