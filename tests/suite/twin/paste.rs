//! What is taken out of a pasted text.

use super::given::documents;
use proptest::prelude::*;
use twinscope::twin::text::paste::{Place, cleaned};
use twinscope::twin::text::pretty;

#[test]
fn what_only_looks_like_json_becomes_json() {
    for (pasted, expected) in [
        ("{\"a\": 1}", "{\"a\": 1}"),
        ("\u{feff}{\"a\": 1}", "{\"a\": 1}"),
        ("{“a”: “b”}", "{\"a\": \"b\"}"),
        ("{„a“: «b»}", "{\"a\": \"b\"}"),
        ("{“a\": \"b”\"}", "{\"a\": \"b”\"}"),
        ("{\u{a0}\u{200b}\"a\":\u{202f}1}", "{ \"a\": 1}"),
        ("{\r\n  \"a\": 1\r\n}", "{\n  \"a\": 1\n}"),
        // Inside of a string everything stays to the letter.
        ("{\"say\": \"“hi”\u{a0}\u{200b}\"}", "{\"say\": \"“hi”\u{a0}\u{200b}\"}"),
        ("{“say”: “a \\”quote\\” in it”}", "{\"say\": \"a \\\"quote\\\" in it\"}"),
        // A string left open ends with its line.
        ("{\"a: 1,\n“b”: 2}", "{\"a: 1,\n\"b\": 2}"),
        ("‘a’", "‘a’"),
    ] {
        assert_eq!(cleaned(pasted, Place::Outside), expected, "{pasted}");
    }
}

#[test]
fn inside_a_string_only_the_byte_order_mark_goes() {
    assert_eq!(cleaned("\u{feff}“hi”\u{a0}", Place::InString), "“hi”\u{a0}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn json_stays_to_the_letter(document in documents()) {
        let text = pretty(&document);
        prop_assert_eq!(cleaned(&text, Place::Outside), &text[..]);
        let windows = text.replace('\n', "\r\n");
        prop_assert_eq!(cleaned(&windows, Place::Outside), &text[..]);
        let marked = format!("\u{feff}{text}");
        prop_assert_eq!(cleaned(&marked, Place::Outside), &text[..]);
    }

    #[test]
    fn clean_is_clean(text in "[\"“”\\\\a\u{a0}\u{feff}\u{200b}\r\n{}]{0,40}") {
        // A mark behind the one taken away may be one again.
        let once = cleaned(&text, Place::Outside).trim_start_matches('\u{feff}').to_owned();
        let plain = !once.contains('\r');
        if plain {
            prop_assert_eq!(cleaned(&once, Place::Outside), &once[..]);
        }
    }
}
