//! What the parser says of what people type.

use super::given::path;
use twinscope::twin::text::{Parsed, line_column, parse, pretty, value};
use twinscope::twin::{Json, Path};

/// Problems as `line:column path message`.
fn said(parsed: &Parsed) -> Vec<String> {
    let brief = |problem: &twinscope::twin::text::Problem| {
        format!("{}:{} {} {}", problem.line, problem.column, problem.path, problem.message)
    };
    parsed.problems.iter().map(brief).collect()
}

fn check(text: &str, expected: &[&str]) {
    let parsed = parse(text);
    assert_eq!(said(&parsed), expected, "{text}");
    assert_eq!(parsed.document.is_none(), !expected.is_empty(), "{text}");
}

#[test]
fn nothing_to_complain_of() {
    for fine in [
        "{}",
        " \r\n\t{ } \n",
        "\u{feff}{}",
        r#"{"a":[],"b":[1,-0,1.5,1E5,1e-5,0.0],"":{"c":null,"d":true,"e":false}}"#,
        r#"{"a":"\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00😀"}"#,
    ] {
        check(fine, &[]);
    }
}

#[test]
fn commas() {
    check("{\n  \"a\": 1,\n}", &["2:9  a comma before `}` is not JSON"]);
    check(r#"{"a":[1,2,]}"#, &["1:10 a a comma before `]` is not JSON"]);
    check("{\n  \"a\": 1\n  \"b\": 2\n}", &["2:8  expected `,` or `}` after this value"]);
    check(r#"{"a":[1 2]}"#, &["1:7 a expected `,` or `]` after this value"]);
    check(r#"{"a":1,,"b":2}"#, &["1:8  expected a key before this `,`"]);
    check(r#"{"a":[1,,2]}"#, &["1:9 a expected a value before this `,`"]);
    check(r#"{"a":,"b":2}"#, &["1:6 a expected a value before this `,`"]);
    check(r#"{"a":}"#, &["1:6 a expected a value before this `}`"]);
}

#[test]
fn keys_and_colons() {
    check(r#"{"a" 1}"#, &["1:6  expected `:` after this key"]);
    check(r#"{"a","b":1}"#, &["1:5  expected `:` after this key"]);
    check(r#"{"a"=1}"#, &["1:5  a key and its value are joined by `:`"]);
    check("{a: 1}", &["1:2  a key needs double quotes"]);
    check(
        "{'a': 'b'}",
        &["1:2  use double quotes: did you mean `\"a\"`?", "1:7 a use double quotes: did you mean `\"b\"`?"],
    );
    check("{“a”: 1}", &["1:2  “ is a typographic quote: JSON uses the straight double quote"]);
    check("{\u{a0}\"a\": 1}", &["1:2  the invisible character U+00A0 cannot stand here"]);
}

#[test]
fn comments() {
    check(
        "// one\n{\n  \"a\": 1 /* two */, # three\n  \"b\": 2\n}",
        &["1:1  comments are not JSON", "3:10  comments are not JSON", "3:21  comments are not JSON"],
    );
    check("{} /* open", &["1:4  comments are not JSON"]);
}

#[test]
fn words_and_numbers() {
    for (typed, message) in [
        ("True", "not a JSON value: did you mean `true`?"),
        ("None", "not a JSON value: did you mean `null`?"),
        ("NaN", "JSON knows finite numbers only"),
        ("-Infinity", "JSON knows finite numbers only"),
        ("hello", "a text needs double quotes: did you mean `\"hello\"`?"),
        ("+1", "a number cannot start with `+`"),
        ("01", "a number cannot start with `0`"),
        ("-01", "a number cannot start with `0`"),
        (".5", "a digit is missing before `.`"),
        ("1.", "a digit is missing after `.`"),
        ("1.e5", "a digit is missing after `.`"),
        ("0x1F", "JSON numbers are decimal"),
        ("1_000", "digits cannot be grouped with `_`"),
        ("1e", "this is not a number: a text needs double quotes"),
        ("2026-08-15", "this is not a number: a text needs double quotes"),
    ] {
        check(&format!("{{\"a\": {typed}, \"b\": 2}}"), &[&format!("1:7 a {message}")]);
    }
}

#[test]
fn what_was_meant_is_offered_in_its_place() {
    let long = "x".repeat(60);
    for (typed, expected) in [
        ("nul", Some("null")),
        ("nulll", Some("null")),
        ("NULL", Some("null")),
        ("undefined", Some("null")),
        ("None", Some("null")),
        ("nil", Some("null")),
        ("True", Some("true")),
        ("tru", Some("true")),
        ("ture", Some("true")),
        ("FALSE", Some("false")),
        ("fasle", Some("false")),
        ("NaN", None),
        ("auto", Some("\"auto\"")),
        // What goes on is more than the word.
        ("auto mode", None),
        ("auto // mode", None),
        ("'it'", Some("\"it\"")),
        ("'a\"b'", Some("\"a\\\"b\"")),
        // Not all of it could be read.
        ("'a\\'b'", None),
        ("01", None),
    ] {
        let parsed = parse(&format!("{{\"a\": {typed}, \"b\": 2}}"));
        let first = parsed.problems.first().expect(typed);
        assert_eq!(first.instead.as_deref(), expected, "{typed}");
        if let Some(instead) = &first.instead {
            let mut text = format!("{{\"a\": {typed}, \"b\": 2}}");
            text.replace_range(first.range.clone(), instead);
            assert!(parse(&text).document.is_some(), "{text}");
        }
    }
    let parsed = parse(&format!("{{a: {long}}}"));
    let offered: Vec<_> = parsed.problems.iter().filter_map(|problem| problem.instead.clone()).collect();
    assert_eq!(offered, ["\"a\"".to_owned(), format!("\"{long}\"")]);
    assert!(said(&parsed)[1].ends_with("a text needs double quotes"), "a long text is not said again");
}

#[test]
fn strings() {
    check("{\"a\": \"b\n}", &["1:7 a this string is not closed"]);
    check("{\"a\": \"x\ty\"}", &["1:9 a a tab inside a string is written `\\t`"]);
    check("{\"a\": \"x\u{1}y\"}", &["1:9 a a control character inside a string is written `\\u0001`"]);
    check(r#"{"a": "\x"}"#, &["1:8 a `\\x` is not an escape of JSON"]);
    check(r#"{"a": "\u12g4"}"#, &["1:8 a `\\u` is followed by four hexadecimal digits"]);
    check(r#"{"a": "\ud83d"}"#, &["1:8 a half a surrogate pair is not a character"]);
    check(r#"{"a": "\ud83dA"}"#, &["1:8 a half a surrogate pair is not a character"]);
}

#[test]
fn brackets() {
    check("", &["1:1  nothing here: write `{}` for an empty section"]);
    check(" \n ", &["1:1  nothing here: write `{}` for an empty section"]);
    check("{", &["1:1  this `{` is never closed"]);
    check("{\n  \"a\": {\n", &["2:8 a this `{` is never closed"]);
    check(r#"{"a":"#, &["1:6 a the text ends where a value should stand"]);
    check(r#"{"a""#, &["1:5  the text ends where `:` should stand"]);
    check(r#"{"a":[1,2}"#, &["1:10 a expected `]` before this `}`"]);
    check(r#"{"a":[{"b":1],"c":2}"#, &["1:13 a[0] expected `}` before this `]`"]);
    check(r#"{"a":1]}"#, &["1:7  expected `}` before this `]`"]);
    check("{}}", &["1:3  the document ends before this `}`"]);
    check("[1]", &["1:1  a section is an object: it stands between `{` and `}`"]);
    check("null", &["1:1  a section is an object: it stands between `{` and `}`"]);
}

#[test]
fn duplicate_keys_are_reported_at_the_second_with_its_path() {
    check(
        "{\n  \"a\": {\n    \"b\": 1,\n    \"b\": 2\n  }\n}",
        &["4:5 a.b this key already stands above in the same object"],
    );
    // The same name by another spelling, and three times.
    check(
        r#"{"é":1,"\u00e9":2,"é":3}"#,
        &[
            "1:8 é this key already stands above in the same object",
            "1:19 é this key already stands above in the same object",
        ],
    );
    assert_eq!(value(r#"{"a":1,"a":2}"#).unwrap().to_string(), r#"{"a":2}"#);
}

#[test]
fn several_problems_at_once() {
    check(
        "{\n  a: 1,\n  \"b\": 'x',\n  \"c\": [1,],\n  \"c\": tru\n}",
        &[
            "2:3  a key needs double quotes",
            "3:8 b use double quotes: did you mean `\"x\"`?",
            "4:10 c a comma before `]` is not JSON",
            "5:3 c this key already stands above in the same object",
            "5:8 c not a JSON value: did you mean `true`?",
        ],
    );
    let flood = format!("{{\"a\":[{}]}}", "x,".repeat(100_000));
    assert_eq!(parse(&flood).problems.len(), 100);
}

#[test]
fn nesting_has_an_end() {
    let nested = |levels: usize| format!("{}{}", r#"{"a":["#.repeat(levels / 2), "]}".repeat(levels / 2));
    check(&nested(64), &[]);
    let deep = parse(&nested(66));
    assert_eq!(deep.problems.len(), 1);
    assert_eq!(deep.problems[0].message, "nested deeper than 64 levels");
    assert_eq!(parse(&"[".repeat(1_000_000)).problems.len(), 1);
    assert_eq!(parse(&r#"{"a":"#.repeat(1_000_000)).problems.len(), 1);
    assert!(value(&"[".repeat(1_000_000)).is_err());
    assert!(value(&nested(128)).is_ok());
    assert!(value(&nested(130)).is_err());
    // What follows what is too deep is read.
    let text = format!(r#"{{"a":{}"]}}"{},"b":01}}"#, "[".repeat(70), "]".repeat(70));
    assert_eq!(parse(&text).problems.len(), 2);
}

#[test]
fn spelling_and_order_are_kept() {
    let text = "{\n  \"z\": 1.0,\n  \"a\": 1E5,\n  \"n\": -0,\n  \"big\": 123456789012345678901234567890,\n  \"o\": {},\n  \"l\": []\n}";
    let parsed = parse(text);
    assert_eq!(pretty(parsed.document.as_ref().unwrap()), text);
    assert_eq!(value("[1e400,1E5,1e+5]").unwrap().to_string(), "[1e400,1E5,1e+5]");
}

#[test]
fn spans_and_the_path_under_the_caret() {
    let text = r#"{ "a": { "b": [10, {"c": true}] }, "d": 1 }"#;
    let parsed = parse(text);
    let slice = |at: &str| &text[parsed.span(&path(at)).unwrap().value.clone()];
    assert_eq!(slice("a"), r#"{ "b": [10, {"c": true}] }"#);
    assert_eq!(slice("a.b[1]"), r#"{"c": true}"#);
    assert_eq!(slice("a.b[1].c"), "true");
    assert_eq!(slice("d"), "1");
    assert_eq!(slice(""), text);
    assert_eq!(parsed.span(&path("a.b[2]")), None);
    assert_eq!(parsed.span(&path("d.x")), None);
    for (at, expected) in [
        ("10", "a.b[0]"),
        ("true", "a.b[1].c"),
        ("\"c\"", "a.b[1].c"),
        ("{\"c", "a.b[1]"),
        ("\"d\"", "d"),
        ("1 }", "d"),
    ] {
        assert_eq!(parsed.path_at(text.find(at).unwrap()), path(expected), "{at}");
    }
    assert_eq!(parsed.path_at(0), Path::root());
    assert_eq!(parsed.path_at(9999), Path::root());
    assert_eq!(parse("").path_at(0), Path::root());
    assert_eq!(parse("").span(&Path::root()), None);
    for index in 0..parsed.spans.len() {
        assert_eq!(parsed.span(&parsed.path(index)), Some(&parsed.spans[index]));
    }
}

#[test]
fn lines_and_columns_count_characters() {
    let text = "ä€\n😀x\r\n\n";
    for (offset, expected) in
        [(0, (1, 1)), (2, (1, 2)), (5, (1, 3)), (6, (2, 1)), (10, (2, 2)), (13, (3, 1)), (14, (4, 1)), (99, (4, 1))]
    {
        assert_eq!(line_column(text, offset), expected, "{offset}");
    }
    assert_eq!(line_column("\u{ff}\u{80}\u{fffd}x", 7), (1, 4));
    // Inside a character.
    assert_eq!(line_column(text, 1), (1, 1));
    check("{\"€😀\": x}", &["1:8 ['€😀'] a text needs double quotes: did you mean `\"x\"`?"]);
}

#[test]
fn any_value_from_the_wire() {
    for text in ["1", "\"x\"", "null", "[]", " {} "] {
        assert_eq!(value(text).unwrap(), serde_json::from_str::<Json>(text).unwrap());
    }
    assert_eq!(value("{\n \"a\":}").unwrap_err().line, 2);
    assert!(value("").is_err());
    assert!(value("1 2").is_err());
}
