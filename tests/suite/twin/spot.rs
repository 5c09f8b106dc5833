//! What the caret stands at, in whole texts and in broken ones.

use proptest::prelude::*;
use twinscope::twin::text::spot::{Place, Spot, spot};

/// The spot at `|`, in words: `key of a.b "typed" [taken] «range»` and what else is to be known of it.
fn said(marked: &str) -> String {
    let at = marked.find('|').expect("a caret");
    let text = marked.replacen('|', "", 1);
    let Some(spot) = spot(&text, at) else { return "nothing".to_owned() };
    let Spot { path, place, range, typed, inside, quoted, comma_before, comma_behind, .. } = spot;
    let what = match place {
        Place::Key { taken, has_colon } => {
            let colon = if has_colon { " with colon" } else { "" };
            format!("key of {path}{colon} beside {}", taken.join(" "))
        }
        Place::Value => format!("value of {path}"),
    };
    let typed = if typed.is_empty() { typed } else { format!(" typed {typed}") };
    let words = [if inside { " inside" } else { "" }, if quoted { " quoted" } else { "" }].concat();
    let before = comma_before.map(|at| format!(" comma at {at}")).unwrap_or_default();
    let behind = if comma_behind { " comma behind" } else { "" };
    format!("{} «{}»{typed}{words}{before}{behind}", what.trim_end(), &text[range])
}

#[test]
fn a_caret_is_placed_by_what_is_around_it() {
    for (marked, expected) in [
        ("{|}", "key of  beside «»"),
        ("{\"|\"}", "key of  beside «\"\"» inside quoted"),
        ("{\"te|le\": 1, \"mode\": 2}", "key of  with colon beside mode «\"tele\"» typed te inside quoted"),
        ("{\"a\"|: 1}", "key of  with colon beside «\"a\"» typed a quoted"),
        ("{\"a\" | : 1}", "nothing"),
        ("{\"a\":| 1}", "value of a «1»"),
        ("{\"a\":|}", "value of a «»"),
        ("{\"a\": \"x|y\\n\"}", "value of a «\"xy\\n\"» typed x inside quoted"),
        ("{\"a\": \"xy\"|}", "value of a «\"xy\"» typed xy quoted"),
        ("{\"a\": tr|ue}", "value of a «true» typed tr inside"),
        ("{\"a\":| {}}", "nothing"),
        ("{\"a\": {\"b\": [1, {\"c\": 5|}]}}", "value of a.b[1].c «5» typed 5 inside"),
        ("{\"a\": {\"b\": [1, {|\"c\": 5}]}}", "key of a.b[1] beside c «» comma behind"),
        ("{\"a\": {\"b\": [1,|]}}", "value of a.b[1] «»"),
        ("[|1]", "value of [0] «» comma behind"),
        ("{\"a\": 1 | }", "key of  beside a «» comma at 7"),
        ("{\"a\": [1] |, \"b\": 2}", "key of  beside a b «» comma at 9"),
        ("{\"ä\": \"ö|\"}", "value of ä «\"ö\"» typed ö inside quoted"),
        ("{\"\\u00e4b|\": 1}", "key of  with colon beside «\"\\u00e4b\"» typed äb inside quoted"),
        ("|{}", "nothing"),
        ("{}|", "nothing"),
        ("|", "nothing"),
    ] {
        assert_eq!(said(marked), expected, "{marked}");
    }
}

#[test]
fn a_broken_text_says_what_it_can() {
    for (marked, expected) in [
        // Commas that are missing.
        ("{\"a\": 1\n  \"b|\"\n}", "key of  beside a «\"b\"» typed b inside quoted comma at 7"),
        ("{\n  \"b|\"\n  \"a\": 1}", "key of  beside a «\"b\"» typed b inside quoted comma behind"),
        ("{\"b\": |\n  \"a\": 1}", "value of b «» comma behind"),
        ("{\"b\": tr|\n  \"a\": 1}", "value of b «tr» typed tr inside comma behind"),
        ("{\"a\": [1 |]}", "value of a[0] «» comma at 8"),
        // The key that follows is not the value that lacks.
        ("{\"b\": \n  \"a|\": 1}", "key of  with colon beside b «\"a\"» typed a inside quoted"),
        // Quotes and brackets that are missing.
        ("{\n  \"te|\n  \"mode\": 1\n}", "key of  beside mode «\"te» typed te inside quoted comma behind"),
        ("{\"a\": {\"b\": \"x|", "value of a.b «\"x» typed x inside quoted"),
        ("{te|", "key of  beside «te» typed te inside"),
        ("{\"a\": [{\"b\": 1}, {\"c\": |", "value of a[1].c «»"),
        // A bracket that closes something further out.
        ("{\"a\": [{\"b\": 1], \"c|\"}", "key of  beside a «\"c\"» typed c inside quoted"),
        // Comments are no JSON, but no text either.
        ("{ // it's \"a\n  \"b|\"}", "key of  beside «\"b\"» typed b inside quoted"),
        ("{ /* \"a| */ }", "nothing"),
        // Nobody knows of what.
        ("{\"a\": 1, {\"b|\": 1}}", "nothing"),
    ] {
        assert_eq!(said(marked), expected, "{marked}");
    }
    // Deeper than anybody goes.
    assert_eq!(spot(&"[".repeat(1_000_000), 1_000_000), None);
}

proptest! {
    #[test]
    fn any_caret_in_any_text_is_looked_at_safely(text in "([{}\\[\\],:\"\\\\/*# \n]|[a1é😀\u{feff}]|\"a\":){0,40}", caret in 0..160_usize) {
        if let Some(spot) = spot(&text, caret) {
            let caret = text.floor_char_boundary(caret);
            prop_assert!(text.get(spot.range.clone()).is_some());
            prop_assert!(!spot.inside || spot.range.start < caret && caret <= spot.range.end);
            prop_assert!(spot.comma_before.is_none_or(|at| text.is_char_boundary(at) && at <= spot.range.start));
        }
    }

    #[test]
    fn a_spot_in_a_whole_text_is_where_the_parse_says(document in super::given::documents(), caret in 0..600_usize) {
        let text = twinscope::twin::text::pretty(&document);
        let parsed = twinscope::twin::text::parse(&text);
        let caret = text.floor_char_boundary(caret);
        if let Some(spot) = spot(&text, caret) {
            match spot.place {
                Place::Value if !spot.range.is_empty() => {
                    prop_assert_eq!(parsed.span(&spot.path).map(|span| span.value.clone()), Some(spot.range));
                }
                Place::Value => {}
                Place::Key { taken, .. } => {
                    let object = if spot.path.0.is_empty() { Some(&document) } else { spot.path.find(&document).and_then(|value| value.as_object()) };
                    let mut keys: Vec<_> = object.expect("an object").keys().filter(|key| spot.range.is_empty() || **key != spot.whole).cloned().collect();
                    let mut taken = taken;
                    keys.sort();
                    taken.sort();
                    prop_assert_eq!(taken, keys);
                }
            }
        }
    }
}
