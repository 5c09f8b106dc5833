//! The query language: any text is understood or refused with a place in it; what is understood runs over twins and job rows; what is
//! proposed at a caret fits in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use twinscope::query::{self, ItemType, Source};
use twinscope::twin::{JsonMap, Twin, text, wire};

static TWINS: LazyLock<Vec<Twin>> = LazyLock::new(|| {
    [
        r#"{"deviceId":"d1","etag":"AAAAAAAAAAE=","status":"enabled","connectionState":"Connected","version":3,
            "tags":{"site":"Oslo","x":1,"odd key":{"x":[1,2.50,{"y":null}]},"s":"ä\u0000€😀","t":true},
            "properties":{"desired":{"a":{"b":{"c":-1e400}},"n":9007199254740993,"list":["a","b"],"$version":2},
            "reported":{"battery":12.5,"n":0,"$version":7}}}"#,
        r#"{"deviceId":"d1","moduleId":"m","etag":"AAAAAAAAAAI=","version":1,
            "properties":{"desired":{"n":"text","$version":1},"reported":{"e":1E-7,"$version":1}}}"#,
        r#"{"deviceId":"query","etag":"AAAAAAAAAAM=","status":"disabled","version":1,"tags":{"x":1.0},
            "properties":{"desired":{"n":170141183460469231731687303715884105727,"$version":1},"reported":{"$version":1}}}"#,
    ]
    .iter()
    .map(|twin| wire::parse(twin.as_bytes()).expect("a twin"))
    .collect()
});

static JOB: LazyLock<JsonMap> = LazyLock::new(|| {
    let row = r#"{"deviceId":"d1","jobId":"j","jobType":"scheduleDeviceMethod","status":"completed",
        "startTimeUtc":"2026-08-15T09:07:13Z","outcome":{"deviceMethodResponse":{"status":200,"payload":[1]}}}"#;
    text::parse(row).document.expect("an object")
});

const PATHS: [&str; 4] = ["tags.site", "properties.reported.battery", "tags['odd key'].x[2]", "properties.desired.ä"];

fn run(text: &str) {
    match query::parse(text) {
        Ok(query) => {
            let rows = query.run(TWINS.iter());
            assert_eq!(rows, query.run(TWINS.iter()), "a query has one answer");
            let matching = TWINS.iter().filter(|twin| query.matches(twin)).count();
            assert!(rows.len() <= query.top().unwrap_or(usize::MAX) || query.is_aggregate());
            if !query.is_aggregate() {
                assert_eq!(rows.len(), matching.min(query.top().unwrap_or(usize::MAX)));
            }
            assert_eq!(query.tally().is_some(), query.is_aggregate());
            assert_eq!(query.item_type() == ItemType::DeviceJob, query.source == Source::Jobs);
            if query.matches_job(&JOB) {
                assert_eq!(query.source, Source::Jobs);
            }
            for row in rows {
                assert_eq!(text::value(&row.to_string()), Ok(row));
            }
        }
        Err(error) => {
            assert!(text.get(error.span.clone()).is_some(), "{:?} is no place", error.span);
            assert!(!error.message.is_empty());
            let (line, column) = error.place(text);
            assert!(line >= 1 && column >= 1);
        }
    }
}

fn propose(text: &str, caret: usize) {
    for completion in query::complete(text, caret, &PATHS) {
        let range = completion.replace;
        assert!(text.get(range.clone()).is_some(), "{range:?} is no place");
        assert_ne!(text[range], *completion.insert);
    }
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    run(text);
    let step = text.len() / 16 + 1;
    (0..=text.len()).step_by(step).chain([text.len(), text.len() + 1]).for_each(|caret| propose(text, caret));
    // As a key, any text stands in a query.
    let keyed = format!("SELECT tags[{}] FROM devices", query::quote(text));
    if text.len() < 4000 {
        assert!(query::parse(&keyed).is_ok(), "{keyed}");
    }
});
