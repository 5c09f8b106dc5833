//! What one keystroke means beside the letter: pairs, indentation, brackets that belong together.

use super::given::documents;
use proptest::prelude::*;
use twinscope::twin::text::typing::{brackets, closer, is_empty_pair, is_in_string, line_break, steps_over};
use twinscope::twin::text::{compact, parse};
use twinscope::twin::{Json, text};

/// The text without the `|` that marks the caret, and where it stood.
fn caret(marked: &str) -> (String, usize) {
    let at = marked.find('|').expect("a caret");
    (marked.replacen('|', "", 1), at)
}

#[test]
fn inside_and_outside_of_strings() {
    for (marked, inside) in [
        ("|\"a\"", false),
        ("\"|a\"", true),
        ("\"a|\"", true),
        ("\"a\"|", false),
        (r#""a\"|""#, true),
        (r#""a\\"|"#, false),
        ("\"open\n|", false),
        ("{\"a\": |1}", false),
    ] {
        let (text, at) = caret(marked);
        assert_eq!(is_in_string(&text, at), inside, "{marked}");
    }
}

#[test]
fn a_closer_comes_only_where_it_helps() {
    for (marked, typed, expected) in [
        ("|", "{", Some("}")),
        ("|", "[", Some("]")),
        ("|", "\"", Some("\"")),
        ("|", "a", None),
        ("{\"a\": |}", "[", Some("]")),
        ("{|, \"b\": 1}", "\"", Some("\"")),
        ("{| : 1}", "\"", Some("\"")),
        ("{|: 1}", "\"", Some("\"")),
        ("{|: 1}", "{", None),
        ("|{\"a\": 1}", "{", None),
        ("|abc", "\"", None),
        ("\"in |\"", "{", None),
        ("\"in |\"", "\"", None),
        ("\"done\"|", "\"", None),
    ] {
        let (text, at) = caret(marked);
        assert_eq!(closer(&text, at, typed), expected, "{typed} at {marked}");
    }
}

#[test]
fn a_closer_that_stands_there_is_stepped_over() {
    for (marked, typed, expected) in [
        ("{|}", "}", true),
        ("[1|]", "]", true),
        ("{|}", "]", false),
        // One is missing: it is put in.
        ("{\"a\": {|}", "}", false),
        ("\"a|\"", "\"", true),
        (r#""a\|""#, "\"", false),
        (r#""a\\|""#, "\"", true),
        ("|\"a\"", "\"", false),
        ("\"|}\"", "}", false),
        ("1|1", "1", false),
    ] {
        let (text, at) = caret(marked);
        assert_eq!(steps_over(&text, at, typed), expected, "{typed} at {marked}");
    }
}

#[test]
fn an_empty_pair_goes_as_one() {
    for (marked, expected) in [
        ("{|}", true),
        ("[|]", true),
        ("\"|\"", true),
        ("{ |}", false),
        ("|{}", false),
        ("\"{|}\"", false),
        ("{|]", false),
    ] {
        let (text, at) = caret(marked);
        assert_eq!(is_empty_pair(&text, at), expected, "{marked}");
    }
}

#[test]
fn a_line_break_keeps_and_deepens_the_indentation() {
    for (marked, expected) in [
        ("|", "\n|"),
        ("  \"a\": 1,|", "  \"a\": 1,\n  |"),
        ("\t\"a\": 1,|", "\t\"a\": 1,\n\t|"),
        ("{|", "{\n  |"),
        ("  \"a\": [|1]", "  \"a\": [\n    |1]"),
        ("{|}", "{\n  |\n}"),
        ("  \"a\": [|]", "  \"a\": [\n    |\n  ]"),
        ("{|]", "{\n  |]"),
        ("  \"{|\"", "  \"{\n  |\""),
    ] {
        let (text, at) = caret(marked);
        let (typed, inside) = line_break(&text, at);
        let made = format!("{}{}|{}{}", &text[..at], &typed[..inside], &typed[inside..], &text[at..]);
        assert_eq!(made, expected, "{marked}");
    }
}

#[test]
fn brackets_find_their_partner() {
    for (marked, expected) in [
        ("|{}", Some((0, 1))),
        ("{}|", Some((0, 1))),
        ("{|}", Some((0, 1))),
        ("{\"a\": |[1, 2], \"b\": []}", Some((6, 11))),
        ("{\"a\": [1, 2]|, \"b\": []}", Some((6, 11))),
        ("{\"a\": \"|}\"}", None),
        ("{\"a\": \"]\"}|", Some((0, 9))),
        ("|{\"a\": 1", None),
        ("{\"a\": |1}", None),
        ("|{]", None),
        ("[{]|", None),
        ("[[|[]]]", Some((2, 3))),
    ] {
        let (text, at) = caret(marked);
        assert_eq!(brackets(&text, at), expected, "{marked}");
    }
}

/// What stands there after each letter was typed behind the other, with everything the keys mean.
fn typed(letters: &str) -> String {
    let (mut text, mut at) = (String::new(), 0);
    for letter in letters.chars() {
        let letter = letter.to_string();
        if !steps_over(&text, at, &letter) {
            if let Some(closer) = closer(&text, at, &letter) {
                text.insert_str(at, closer);
            }
            text.insert_str(at, &letter);
        }
        at += letter.len();
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_document_typed_letter_by_letter_stands_there(document in documents()) {
        let wanted = compact(&Json::Object(document));
        prop_assert_eq!(typed(&wanted), wanted);
    }

    #[test]
    fn any_keys_at_any_place_break_nothing(text in "[\\[\\]{}\",:a1 \n\\\\ü]{0,40}", at in 0_usize..60) {
        let at = text.floor_char_boundary(at);
        for key in ["{", "}", "[", "]", "\"", "x"] {
            let put_in = closer(&text, at, key);
            prop_assert!(!(put_in.is_some() && is_in_string(&text, at)));
            if steps_over(&text, at, key) {
                prop_assert!(text[at..].starts_with(key));
            }
        }
        let (put_in, inside) = line_break(&text, at);
        prop_assert!(put_in.starts_with('\n') && put_in.is_char_boundary(inside));
        if is_empty_pair(&text, at) {
            prop_assert!(at > 0 && at < text.len());
        }
        if let Some((from, to)) = brackets(&text, at) {
            prop_assert!(from < to && [from, from + 1, to, to + 1].contains(&at));
        }
    }

    #[test]
    fn every_bracket_of_a_document_has_the_partner_the_parser_says(document in documents()) {
        let text = text::pretty(&document);
        for span in &parse(&text).spans {
            let value = span.value.clone();
            if text[value.clone()].starts_with(['{', '[']) {
                prop_assert_eq!(brackets(&text, value.start), Some((value.start, value.end - 1)));
            }
        }
    }
}
