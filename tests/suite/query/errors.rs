//! Texts that are no query: where the error points, and what it says.

use twinscope::query;

/// `marked` is the query with the place of the error between `«` and `»`.
fn check(marked: &str, part: &str) {
    let start = marked.find('«').unwrap();
    let end = marked.find('»').unwrap() - '«'.len_utf8();
    let text = marked.replace(['«', '»'], "");
    let error = query::parse(&text).expect_err(marked);
    assert_eq!(error.span, start..end, "{marked}: {}", error.message);
    assert!(error.message.contains(part), "{marked}: {}", error.message);
}

#[test]
fn statements() {
    for (marked, part) in [
        ("«»", "expected SELECT, found the end"),
        ("«SELEC» * FROM devices", "expected SELECT, found `SELEC`"),
        ("SELECT * «FORM» devices", "expected FROM, found `FORM`"),
        ("SELECT deviceId «FORM» devices", "expected FROM, found `FORM`"),
        ("SELECT «FROM» devices", "expected `*`, a field or an aggregate, found `FROM`"),
        ("SELECT deviceId, «FROM» devices", "expected a field or an aggregate"),
        ("SELECT * FROM«»", "expected devices, devices.modules or devices.jobs, found the end"),
        ("SELECT * FROM «device»", "unknown source `device`: a query reads devices, devices.modules or devices.jobs"),
        ("SELECT * FROM «devices.module» WHERE a = 1", "unknown source `devices.module`"),
        ("SELECT * FROM devices «WEHRE» a = 1", "expected WHERE, GROUP BY or the end, found `WEHRE`"),
        ("SELECT * FROM devices WHERE a = 1 «b»", "expected AND, OR, GROUP BY or the end"),
        ("SELECT * FROM devices «ORDER» BY a", "no such word"),
        (
            "SELECT * FROM devices WHERE a «LIKE» 'x'",
            "expected a comparison, found `LIKE`; the hub's query language has no such word",
        ),
        ("SELECT * FROM devices WHERE a «'x'»", "expected a comparison, found `'x'`"),
        ("SELECT TOP «*» FROM devices", "a whole number after TOP"),
        ("SELECT TOP «1.5» * FROM devices", "a whole number after TOP"),
        ("SELECT TOP «-»1 * FROM devices", "a whole number after TOP"),
        ("SELECT a AS «,» FROM devices", "a name after AS"),
        ("SELECT a AS x, b AS «x» FROM devices", "another column is called `x`"),
        ("SELECT a, «a» FROM devices", "`a` is there already"),
        ("SELECT COUNT(«*») FROM devices", "COUNT()"),
        ("SELECT «LENGTH»(a) FROM devices", "LENGTH works only after WHERE"),
        ("SELECT «CONT»() FROM devices", "did you mean COUNT?"),
        ("SELECT «deviceId», COUNT() FROM devices", "GROUP BY"),
        ("SELECT tags.a, «tags.b» FROM devices GROUP BY tags.a", "`b` needs to stand after GROUP BY"),
        ("SELECT * FROM devices «GROUP BY» tags.a", "SELECT * cannot be grouped"),
        ("SELECT COUNT() FROM devices.modules «GROUP BY» tags.a", "only devices can be grouped"),
        ("SELECT COUNT() FROM devices GROUP «tags».a", "expected BY"),
        ("SELECT «jobId, status» FROM devices.jobs", "SELECT *"),
        ("SELECT tags.«1»  FROM devices", "a name after `.`"),
        ("SELECT tags.«1a»  FROM devices", "['1a']"),
        ("SELECT tags[«a»] FROM devices", "a place or a key in quotes"),
        ("SELECT tags[«1.5»] FROM devices", "a place or a key in quotes"),
        ("SELECT * FROM devices«;»", "does not end with `;`"),
        ("SELECT * FROM devices «#»", "`#` has no place"),
        ("SELECT * «FORM» devices #", "expected FROM"),
    ] {
        check(marked, part);
    }
}

#[test]
fn conditions() {
    for (marked, part) in [
        ("«»", "expected a field, a value or a function, found the end"),
        ("a «==» 1", "equality is written `=`"),
        ("a = 1 «&&» b = 2", "write AND"),
        ("a = 1 «||» b = 2", "write OR"),
        ("«tags.a»", "compare it with a value, as in `tags.a = true`"),
        ("«5 + 1»", "`5 + 1` is a value"),
        ("a = 1 AND «b»", "`b` is a field"),
        ("NOT «b»", "`b` is a field"),
        ("«LENGTH(a)»", "is a value"),
        ("a = «»", "expected a field, a value or a function, found the end"),
        ("a = 1 «=» 2", "expected AND, OR"),
        ("a = 1 AND «OR» b = 1", "found `OR`"),
        ("«AND» (a = 1)", "found `AND`"),
        ("(a = 1«»", "expected `)`, found the end"),
        ("a = «[»1]", "only after IN"),
        ("a IN «(»'x')", "expected `[` and a list"),
        ("a IN ['x' «'y'»]", "expected `,` or `]`"),
        ("a IN ['x',«]»", "found `]`"),
        ("«STARTWITH»(a, 'x')", "unknown function `STARTWITH`, did you mean STARTSWITH?"),
        ("«frobnicate»(a)", "unknown function `frobnicate`"),
        ("«COUNT»() > 1", "COUNT can stand only after SELECT"),
        ("«STARTSWITH(a)»", "STARTSWITH takes 2 arguments, here it has 1"),
        ("«SUBSTRING(a)» = 'x'", "2 to 3 arguments"),
        ("IS_DEFINED(«1»)", "IS_DEFINED takes a field"),
        ("a = «'x»", "no closing '"),
        ("a = «\"it's»", "no closing \""),
        (r"a = 'C:«\d»ir'", r"unknown escape `\d`"),
        (r"a = '«\u»12'", "unknown escape"),
        (r"a = '«\u»d800'", "unknown escape"),
        ("a = «1e999»", "too large"),
        ("ä = 1 AND «§» = 'ü'", "`§` has no place"),
    ] {
        check(&format!("SELECT * FROM devices WHERE {marked}"), part);
    }
}

#[test]
fn too_long() {
    let room = query::TEXT_MAX - "SELECT * FROM devices WHERE a = ''".len();
    let text = |length: usize| format!("SELECT * FROM devices WHERE a = '{}'", "ä".repeat(length));
    assert!(query::parse(&text(room)).is_ok());
    let error = query::parse(&text(room + 1)).unwrap_err();
    let long = text(room + 1);
    assert_eq!((error.span.start, error.span.end), (long.len() - 1, long.len()));
    assert!(error.message.contains("at most 8192 characters, this one has 8193"), "{}", error.message);
}

#[test]
fn too_deep() {
    for (open, close) in [("(", ")"), ("NOT ", ""), ("NOT (", ")"), ("ABS(", ") = 1"), ("- ", " = 1")] {
        let call = |depth: usize| {
            let (inner, closing) = if close.ends_with("= 1") {
                ("1".to_owned(), format!("{} = 1", close.trim_end_matches(" = 1").repeat(depth)))
            } else {
                ("a = 1".to_owned(), close.repeat(depth))
            };
            format!("SELECT * FROM devices WHERE {}{inner}{closing}", open.repeat(depth))
        };
        let levels = if open == "NOT (" { 2 } else { 1 };
        assert!(query::parse(&call(query::DEPTH_MAX / levels)).is_ok(), "{open}");
        for depth in [query::DEPTH_MAX / levels + 1, 1000] {
            let error = query::parse(&call(depth)).unwrap_err();
            assert!(error.message.contains("nested deeper than 64 levels"), "{open}: {}", error.message);
        }
    }
}

#[test]
fn long_chains_do_not_nest() {
    let twin = super::device("d");
    for (chain, holds) in [
        (vec!["version=2"; 550].join(" AND "), true),
        (vec!["version=3"; 550].join(" OR "), false),
        (format!("{} = 3000", vec!["1"; 3000].join("+")), true),
    ] {
        assert_eq!(super::holds(&chain, &twin), holds);
    }
}

#[test]
fn places_are_counted_as_people_do() {
    for (text, place) in [
        ("SELEC", (1, 1)),
        ("SELECT *", (1, 9)),
        ("SELECT *\nFROM device", (2, 6)),
        ("SELECT *\r\nFROM devices\nWHERE ä = 'ü' = 1", (3, 15)),
    ] {
        let error = query::parse(text).unwrap_err();
        assert_eq!(error.place(text), place, "{text:?}: {error:?}");
        let (line, column) = place;
        assert_eq!(error.with_place(text), format!("line {line} column {column}: {}", error.message));
    }
}
