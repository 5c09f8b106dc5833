//! What one keystroke means beside the letter: pairs, indentation, brackets that belong together.

use super::given::documents;
use proptest::prelude::*;
use twinscope::twin::text::pairs::{Pairs, Stroke};
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

/// What stands there after each letter was typed over the whole of a text, with everything the keys mean.
fn typed(over: &str, letters: &str) -> String {
    let (mut text, mut selected, mut pairs) = (over.to_owned(), 0..over.len(), Pairs::default());
    for letter in letters.chars() {
        let letter = letter.to_string();
        let at = selected.start;
        pairs.see(&text);
        pairs.leave(at);
        let caret = match pairs.stroke(&text, &selected, &letter) {
            Stroke::Over { white } => at + white + letter.len(),
            Stroke::Pair(closer) => {
                pairs.insert(&mut text, &selected, &format!("{letter}{closer}"));
                pairs.opened(&text, at, at + letter.len());
                at + letter.len()
            }
            Stroke::Plain => {
                let (put_in, inside) =
                    if letter == "\n" { line_break(&text, at) } else { (letter.clone(), letter.len()) };
                pairs.insert(&mut text, &selected, &put_in);
                at + inside
            }
        };
        selected = caret..caret;
    }
    text
}

#[test]
fn what_closes_is_stepped_over_while_an_outer_bracket_is_open() {
    for document in [r#"{"y": [1, 2]}"#, r#"{"y": [{"a":1}]}"#, r#"{"a\"]}": "}\\", "b": [[], {}, ""]}"#] {
        for over in ["", "{}", r#"{"a": [1, 2], "b": {"c": "d"}}"#, "{\n  \"a\": 1\n}", "{\"broken"] {
            assert_eq!(typed(over, document), document, "over {over:?}");
        }
    }
}

#[test]
fn only_what_the_editor_put_in_itself_is_stepped_over_where_one_is_missing() {
    let (mut text, mut pairs) = (r#"{"a": {}"#.to_owned(), Pairs::default());
    assert_eq!(pairs.stroke(&text, &(7..7), "}"), Stroke::Plain);
    pairs.opened(&text, 6, 7);
    assert_eq!(pairs.stroke(&text, &(7..7), "}"), Stroke::Over { white: 0 });
    // Somebody else's change before it, and one between.
    text.insert_str(0, "  ");
    pairs.see(&text);
    assert_eq!(pairs.stroke(&text, &(9..9), "}"), Stroke::Over { white: 0 });
    pairs.insert(&mut text, &(9..9), " ");
    assert_eq!(pairs.stroke(&text, &(9..9), "}"), Stroke::Over { white: 1 });
    pairs.insert(&mut text, &(9..9), "1");
    assert_eq!(pairs.stroke(&text, &(9..9), "}"), Stroke::Plain);
    assert_eq!(pairs.stroke(&text, &(11..11), "}"), Stroke::Over { white: 0 });
    // The caret was elsewhere.
    pairs.leave(2);
    assert_eq!(pairs.stroke(&text, &(11..11), "}"), Stroke::Plain);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_document_typed_letter_by_letter_stands_there(document in documents(), over in documents(), empty in any::<bool>()) {
        let over = if empty { String::new() } else { text::pretty(&over) };
        let wanted = compact(&Json::Object(document.clone()));
        prop_assert_eq!(typed(&over, &wanted), wanted);
        // In lines of its own every line begins where the editor begins it.
        let lines = typed(&over, &text::pretty(&document));
        prop_assert_eq!(parse(&lines).document, Some(document), "{}", lines);
    }

    #[test]
    fn white_space_stays_as_typed(document in documents(), white in "[ \t]{1,3}") {
        let spaced = text::pretty(&document).replace('\n', &white);
        prop_assert_eq!(typed("", &spaced), spaced);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

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
