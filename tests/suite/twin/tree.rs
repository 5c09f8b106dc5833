//! The tree: its rows, and its edits as edits of the text.

use super::given::{any_documents, cases, json, map, path};
use proptest::prelude::*;
use std::collections::HashSet;
use twinscope::query;
use twinscope::twin::text::{Parsed, parse, pretty, splice::made};
use twinscope::twin::tree::edit::{Act, Fault, Part, edits};
use twinscope::twin::tree::kind::{Converted, Kind, converted};
use twinscope::twin::tree::{Source, query_path, rows};
use twinscope::twin::{Json, JsonMap, Path, Section, Segment};

fn done(text: &str, act: &Act) -> Result<String, Fault> {
    edits(Section::Desired, text, &parse(text), act).map(|edits| made(text, &edits))
}

#[track_caller]
fn check(text: &str, act: &Act, expected: &str) {
    assert_eq!(done(text, act).as_deref(), Ok(expected), "{act:?}");
}

fn set(at: &str, value: &str) -> Act {
    Act::Set { path: path(at), value: value.to_owned() }
}

fn delete(at: &str) -> Act {
    Act::Delete { path: path(at) }
}

fn rename(at: &str, key: &str) -> Act {
    Act::Rename { path: path(at), key: key.to_owned() }
}

fn add(parent: &str, behind: Option<Segment>, key: &str, value: &str) -> Act {
    Act::Add { parent: path(parent), behind, key: key.to_owned(), value: value.to_owned() }
}

fn key(key: &str) -> Segment {
    Segment::Key(key.to_owned())
}

const TEXT: &str = "{\n  \"a\": 1.50,\n  \"b\": { \"x\" : [1E5, 2] },\n  \"c\": {}\n}";

#[test]
fn an_edit_changes_nothing_beside_it() {
    check(TEXT, &set("a", " 2.00 "), &TEXT.replace("1.50", "2.00"));
    check(TEXT, &set("b.x[0]", "\"\\u0041\""), &TEXT.replace("1E5", "\"\\u0041\""));
    check(TEXT, &set("a", "{\"q\": [true]}"), &TEXT.replace("1.50", "{\n    \"q\": [\n      true\n    ]\n  }"));
    check(TEXT, &set("b.x", "{\"q\":1}"), &TEXT.replace("[1E5, 2]", "{\"q\":1}"));
    check(TEXT, &delete("a"), &TEXT.replace("\"a\": 1.50,\n  ", ""));
    check(TEXT, &delete("c"), &TEXT.replace(",\n  \"c\": {}", ""));
    check(TEXT, &delete("b.x[0]"), &TEXT.replace("1E5, ", ""));
    check(TEXT, &delete("b.x"), &TEXT.replace("{ \"x\" : [1E5, 2] }", "{}"));
    check(TEXT, &rename("b", "a\"b"), &TEXT.replace("\"b\"", "\"a\\\"b\""));
    check(TEXT, &rename("b", "b"), TEXT);
    check(TEXT, &add("", None, "d", "3"), &TEXT.replace("{}\n}", "{},\n  \"d\": 3\n}"));
    check(TEXT, &add("", Some(key("a")), "d", "3"), &TEXT.replace("1.50,", "1.50,\n  \"d\": 3,"));
    check(TEXT, &add("c", None, "d", "3"), &TEXT.replace("{}\n}", "{\n    \"d\": 3\n  }\n}"));
    check(TEXT, &add("b.x", None, "", "3"), &TEXT.replace("2]", "2, 3]"));
    check(TEXT, &add("b.x", Some(Segment::Index(0)), "", "3"), &TEXT.replace("1E5,", "1E5, 3,"));
    check("{}", &add("", None, "d", "3"), "{\n  \"d\": 3\n}");
}

#[track_caller]
fn refused(text: &str, act: &Act, part: Part, message: &str) {
    assert_eq!(done(text, act), Err(Fault { part, message: message.to_owned() }), "{act:?}");
}

#[test]
fn what_is_refused_says_where_and_what_to_do() {
    let missing = "the value is missing: type a number, `true`, or a text in quotes; `\"\"` is an empty one";
    refused(TEXT, &set("a", "  "), Part::Value, missing);
    let taken = "`b` is there already, at line 3, column 3: choose another key";
    refused(TEXT, &rename("a", "b"), Part::Key, taken);
    refused(TEXT, &add("", None, "b", "1"), Part::Key, taken);
    refused(TEXT, &rename("a", ""), Part::Key, "the key is missing: type a name for the property");
    refused(TEXT, &rename("a", "x.y"), Part::Key, "a key cannot contain `.`");
    let kept = "the hub keeps `$version` itself: choose another key";
    refused(TEXT, &add("", None, "$version", "1"), Part::Key, kept);
    refused(TEXT, &rename("b.x[0]", "k"), Part::Key, "an element of an array has no key: its place is its name");
    refused(TEXT, &set("b.x[1]", "null"), Part::Value, "`null` cannot stand inside an array");
    let gone = "this property is not there any more: copy what you typed, and add it anew";
    refused(TEXT, &set("nothing", "1"), Part::Value, gone);
    refused(TEXT, &add("a", None, "k", "1"), Part::Value, gone);
    let broken = "the text does not parse any more: go back to the text and mend it first";
    refused("{", &set("a", "1"), Part::Value, broken);
    for (value, column) in
        [("\"open", 1), ("  [1, tru]", 7), ("{\"k\": 1, \"k\": 2}", 10), ("1,\"z\":2", 2), ("1 }", 3)]
    {
        let fault = done(TEXT, &set("a", value)).unwrap_err();
        assert_eq!(fault.part, Part::Value);
        assert!(fault.message.starts_with(&format!("column {column}: ")), "{value}: {}", fault.message);
    }
}

#[test]
fn what_was_wrong_before_stands_in_nobodys_way() {
    let text = r#"{"a b": 1, "c": {"d e": 2}}"#;
    check(text, &set("c", "3"), r#"{"a b": 1, "c": 3}"#);
    check(text, &rename("c", "f"), r#"{"a b": 1, "f": {"d e": 2}}"#);
    check(text, &set("a b", "2"), r#"{"a b": 2, "c": {"d e": 2}}"#);
}

#[test]
fn a_type_change_keeps_what_a_value_says() {
    for (value, kind, expected) in [
        ("60", Kind::Text, "\"60\""),
        ("\"6.0\"", Kind::Number, "6.0"),
        ("\"true\"", Kind::Boolean, "true"),
        ("true", Kind::Number, "1"),
        ("0", Kind::Boolean, "false"),
        ("7", Kind::Array, "[7]"),
        ("[7]", Kind::Number, "7"),
        ("{\"a\":1}", Kind::Text, "\"{\\\"a\\\":1}\""),
        ("\"{\\\"a\\\":1}\"", Kind::Object, "{\"a\":1}"),
        ("\"[1]\"", Kind::Array, "[\"[1]\"]"),
        ("{\"a\":1}", Kind::Array, "[{\"a\":1}]"),
    ] {
        assert_eq!(converted(&json(value), kind), Converted::Whole(expected.to_owned()), "{value} {kind:?}");
    }
    for (value, kind, start) in [
        ("\"auto\"", Kind::Number, "0"),
        ("7", Kind::Boolean, "false"),
        ("7", Kind::Object, "{}"),
        ("[1, 2]", Kind::Object, "{}"),
        ("null", Kind::Array, "[]"),
    ] {
        assert_eq!(converted(&json(value), kind), Converted::Start(start.to_owned()), "{value} {kind:?}");
    }
}

#[test]
fn rows_say_what_is_desired_and_what_is_reported() {
    let document =
        map(r#"{"telemetryInterval":122,"mode":"auto","limits":{"low":1,"high":80},"list":[1,2],"new":true}"#);
    let base = map(r#"{"telemetryInterval":60,"mode":"auto","limits":{"low":1,"high":80},"list":[1,2]}"#);
    let reported =
        map(r#"{"telemetryInterval":60,"mode":"auto","limits":{"low":1,"high":80,"now":5},"firmware":"1.4"}"#);
    let source = Source { document: &document, base: &base, reported: Some(&reported) };
    let spoken = |closed: &HashSet<Path>| {
        let rows = rows(&source, closed);
        rows.iter().map(|row| format!("{} {}", row.depth, row.spoken())).collect::<Vec<_>>()
    };
    assert_eq!(
        spoken(&HashSet::new()),
        [
            "0 telemetryInterval, 122, reported 60, differs, edited",
            "0 mode, \"auto\", reported \"auto\", agrees",
            "0 limits, 2 properties, reported 3 properties, agrees",
            "1 low, 1, reported 1, agrees",
            "1 high, 80, reported 80, agrees",
            "1 now, not desired, reported 5",
            "0 list, 2 elements, not reported",
            "1 [0], 1, not reported",
            "1 [1], 2, not reported",
            "0 new, true, not reported, added",
            "0 firmware, not desired, reported \"1.4\"",
        ]
    );
    let closed = HashSet::from([path("limits"), path("list")]);
    assert_eq!(spoken(&closed).len(), 6);
    let tags = Source { document: &base, base: &base, reported: None };
    assert_eq!(rows(&tags, &closed)[0].spoken(), "telemetryInterval, 60");
}

#[test]
fn a_query_path_is_one_a_query_takes() {
    let odd = Path::root().key("a").key("it's odd").index(2).key("x-y");
    assert_eq!(query_path(Section::Desired, &path("a.b")), "properties.desired.a.b");
    assert_eq!(query_path(Section::Tags, &path("site")), "tags.site");
    assert_eq!(query_path(Section::Desired, &odd), "properties.desired.a['it''s odd'][2]['x-y']");
    let text = format!("SELECT * FROM devices WHERE {} = 1", query_path(Section::Desired, &odd));
    query::parse(&text).unwrap();
}

/// A document printed with white space of several kinds.
fn printed(document: &JsonMap, style: u8) -> String {
    match style % 4 {
        0 => pretty(document),
        1 => Json::Object(document.clone()).to_string(),
        2 => pretty(document).replace("\n  ", "\r\n\t"),
        _ => format!("  {} \n", pretty(document).replace(",\n", "\n , ")),
    }
}

/// Each value of a text with its path and its spelling.
fn spelled(text: &str, parsed: &Parsed) -> Vec<(Path, String)> {
    let scalars =
        parsed.spans.iter().enumerate().skip(1).filter(|(_, span)| !text[span.value.clone()].starts_with(['{', '[']));
    scalars.map(|(index, span)| (parsed.path(index), text[span.value.clone()].to_owned())).collect()
}

/// Does to a document what the act does to the text.
fn expected(document: &JsonMap, act: &Act) -> JsonMap {
    let mut root = Json::Object(document.clone());
    let (parent, last) = match act {
        Act::Set { path, .. } | Act::Delete { path } | Act::Rename { path, .. } => {
            (Path(path.0[..path.0.len() - 1].to_vec()), path.0.last().cloned())
        }
        Act::Add { parent, behind, .. } => (parent.clone(), behind.clone()),
    };
    let place = parent.0.iter().fold(&mut root, |value, segment| match segment {
        Segment::Key(key) => &mut value[key.as_str()],
        Segment::Index(index) => &mut value[*index],
    });
    match (place, last, act) {
        (Json::Object(map), Some(Segment::Key(key)), Act::Set { value, .. }) => {
            map[&key] = json(value);
        }
        (Json::Array(items), Some(Segment::Index(index)), Act::Set { value, .. }) => items[index] = json(value),
        (Json::Object(map), Some(Segment::Key(key)), Act::Delete { .. }) => {
            map.shift_remove(&key);
        }
        (Json::Array(items), Some(Segment::Index(index)), Act::Delete { .. }) => {
            items.remove(index);
        }
        (Json::Object(map), Some(Segment::Key(old)), Act::Rename { key, .. }) => {
            let renamed = |(k, v): (&String, &Json)| (if *k == old { key.clone() } else { k.clone() }, v.clone());
            *map = map.iter().map(renamed).collect();
        }
        (Json::Object(map), behind, Act::Add { key, value, .. }) => {
            let at = match behind {
                Some(Segment::Key(behind)) => map.keys().position(|key| *key == behind).unwrap() + 1,
                _ => map.len(),
            };
            map.shift_insert(at, key.clone(), json(value));
        }
        (Json::Array(items), behind, Act::Add { value, .. }) => {
            let at = match behind {
                Some(Segment::Index(index)) => index + 1,
                _ => items.len(),
            };
            items.insert(at, json(value));
        }
        other => panic!("{other:?}"),
    }
    let Json::Object(root) = root else { panic!("no object") };
    root
}

/// Some act on some value of the text.
fn act(parsed: &Parsed, pick: usize, which: u8, value: &str) -> Option<Act> {
    let index = pick % parsed.spans.len();
    let span = &parsed.spans[index];
    let (path, value) = (parsed.path(index), value.to_owned());
    let document = Json::Object(parsed.document.clone().unwrap());
    let found = path.find(parsed.document.as_ref().unwrap()).unwrap_or(&document);
    if which % 5 == 4 || index == 0 {
        return (found.is_object() || found.is_array()).then(|| Act::Add {
            parent: path,
            behind: None,
            key: "fresh".to_owned(),
            value,
        });
    }
    let mut parent = path.clone();
    let behind = parent.0.pop();
    match which % 5 {
        0 => Some(Act::Set { path, value }),
        1 => Some(Act::Delete { path }),
        2 => span.key.is_some().then(|| Act::Rename { path, key: "fresh".to_owned() }),
        _ => Some(Act::Add { parent, behind, key: "fresh".to_owned(), value }),
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn any_edit_gives_the_expected_document_and_leaves_every_other_spelling(
        document in any_documents(),
        style: u8,
        pick: usize,
        which: u8,
        value in prop::sample::select(vec!["1.50", "-0", "\"a\\u0062\"", "true", "{}", "[]", "{\"q\":[1E5]}"]),
    ) {
        let text = printed(&document, style);
        let parsed = parse(&text);
        let Some(act) = act(&parsed, pick, which, value) else { return Ok(()) };
        let edits = match edits(Section::Desired, &text, &parsed, &act) {
            Ok(edits) => edits,
            // Only what is deeper than the hub allows is refused of these.
            Err(fault) => {
                prop_assert!(fault.message.contains("nesting"), "{act:?}: {fault}");
                return Ok(());
            }
        };
        let after = made(&text, &edits);
        let now = parse(&after);
        let wanted = expected(&document, &act);
        prop_assert_eq!(now.document.as_ref(), Some(&wanted), "{:?}: {}", act, after);
        let keys = |map: &JsonMap| map.keys().cloned().collect::<Vec<_>>();
        prop_assert_eq!(keys(now.document.as_ref().unwrap()), keys(&wanted));

        // Whatever the act is not about has its path and its spelling, in the same order.
        let (touched, array) = match &act {
            Act::Set { path, .. } => (path.clone(), false),
            Act::Delete { path } | Act::Rename { path, .. } => {
                (path.clone(), matches!(path.0.last(), Some(Segment::Index(_))))
            }
            Act::Add { parent, .. } => {
                let array = parent.find(&document).is_some_and(Json::is_array);
                (if array { parent.index(0) } else { parent.key("fresh") }, array)
            }
        };
        // Elements behind a place in an array move: the whole array is touched.
        let touched = if array { Path(touched.0[..touched.0.len() - 1].to_vec()) } else { touched };
        let renamed = match &act {
            Act::Rename { path, .. } => Path(path.0[..path.0.len() - 1].to_vec()).key("fresh"),
            _ => touched.clone(),
        };
        let others = |all: Vec<(Path, String)>| {
            all.into_iter()
                .filter(|(path, _)| !path.0.starts_with(&touched.0) && !path.0.starts_with(&renamed.0))
                .collect::<Vec<_>>()
        };
        prop_assert_eq!(others(spelled(&text, &parsed)), others(spelled(&after, &now)));
    }

    #[test]
    fn every_value_has_one_row(document in any_documents(), base in any_documents()) {
        let source = Source { document: &document, base: &base, reported: None };
        let rows = rows(&source, &HashSet::new());
        let text = pretty(&document);
        let parsed = parse(&text);
        let paths: Vec<Path> = (1..parsed.spans.len()).map(|index| parsed.path(index)).collect();
        prop_assert_eq!(rows.iter().map(|row| row.path.clone()).collect::<Vec<_>>(), paths);
    }
}
