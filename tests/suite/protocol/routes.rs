//! Paths of the service API and If-Match values.

use super::{legal_id, legal_twin_id};
use proptest::prelude::*;
use twinscope::protocol::rest::{IfMatch, Route, RouteError};
use twinscope::twin::{Etag, IdProblem, TwinId};

const V: &str = "api-version=2021-04-12";

fn device(id: &str) -> Route {
    Route::Device { device: id.to_owned() }
}

fn check(target: &str, expected: &Route) {
    assert_eq!(Route::parse(target).as_ref(), Ok(expected), "{target}");
}

fn check_error(target: &str, expected: &RouteError) {
    assert_eq!(Route::parse(target).as_ref(), Err(expected), "{target}");
}

#[test]
fn reads_every_path() {
    check(&format!("/devices?{V}"), &Route::Devices { top: None });
    check(&format!("/devices/?{V}"), &Route::Devices { top: None });
    check(&format!("/devices/?top=5&{V}"), &Route::Devices { top: Some(5) });
    check(&format!("/devices?{V}&top=-1"), &Route::Devices { top: Some(-1) });
    check(&format!("/devices?{V}&top=many"), &Route::Devices { top: None });
    check(&format!("/devices/query?{V}"), &Route::Query);
    check(&format!("/Devices/QUERY/?{V}"), &Route::Query);
    check(&format!("/devices/dev1?{V}"), &device("dev1"));
    check(&format!("/DEVICES/Dev1?{V}"), &device("Dev1"));
    check(&format!("/devices/dev1/modules?{V}"), &Route::Modules { device: "dev1".into() });
    check(&format!("/devices/d/modules/m?{V}"), &Route::Module { device: "d".into(), module: "m".into() });
    check(&format!("/twins/d?{V}"), &Route::Twin(TwinId::device("d")));
    check(&format!("/twins/d/modules/m?{V}"), &Route::Twin(TwinId::module("d", "m")));
    check(&format!("/twins/d/methods?{V}"), &Route::Methods(TwinId::device("d")));
    check(&format!("/twins/dev1/modules/m1/methods?{V}"), &Route::Methods(TwinId::module("dev1", "m1")));
    check(&format!("/twins/d/Modules/m/Methods?{V}"), &Route::Methods(TwinId::module("d", "m")));
    check(&format!("/statistics/devices?{V}"), &Route::DeviceStatistics);
    check(&format!("/statistics/service?{V}"), &Route::ServiceStatistics);
}

#[test]
fn reads_the_paths_of_messages_and_jobs() {
    let (device, lock, job) = (|| "d".to_owned(), || "L1".to_owned(), || "j".to_owned());
    check(&format!("/devices/d/messages/deviceBound?{V}"), &Route::DeviceBound { device: device() });
    check(&format!("/devices/d/messages/devicebound?{V}"), &Route::DeviceBound { device: device() });
    for (query, reject) in [("", false), ("&reject", true), ("&reject=true", true), ("&reject=false", false)] {
        let expected = Route::LockedMessage { device: device(), lock: lock(), reject };
        check(&format!("/devices/d/messages/deviceBound/L1?{V}{query}"), &expected);
    }
    let abandoned = Route::AbandonMessage { device: device(), lock: lock() };
    check(&format!("/devices/d/messages/deviceBound/L1/abandon?{V}"), &abandoned);
    check(&format!("/devices/d/messages/events?{V}"), &Route::DeviceEvents { device: device() });
    check(&format!("/devices/d/commands?{V}"), &Route::Commands { device: device() });
    check(&format!("/messages/serviceBound/feedback?{V}"), &Route::Feedback);
    check(&format!("/messages/servicebound/feedback/L1?{V}"), &Route::LockedFeedback { lock: lock() });
    check(&format!("/messages/serviceBound/feedback/L1/abandon?{V}"), &Route::AbandonFeedback { lock: lock() });
    check(&format!("/jobs/v2/j?{V}"), &Route::Job { job: job() });
    check(&format!("/jobs/v2/j/cancel?{V}"), &Route::CancelJob { job: job() });
    for (path, job) in [("/jobs", None), ("/jobs/create", Some("create")), ("/jobs/j", Some("j"))] {
        check(&format!("{path}?{V}"), &Route::ImportExport { job: job.map(str::to_owned) });
    }
    check(&format!("/$twinscope/events?{V}&after=7&wait=30"), &Route::Events { after: Some(7), wait_s: Some(30) });
    check(&format!("/%24twinscope/faults?{V}"), &Route::Faults);
}

#[test]
fn the_method_tells_the_job_query_from_a_job_called_query() {
    let target = format!("/jobs/v2/query?jobType=scheduleUpdateTwin&jobStatus=completed&{V}");
    let (job_type, job_status) = (Some("scheduleUpdateTwin".to_owned()), Some("completed".to_owned()));
    let query = Route::JobQuery { job_type, job_status };
    assert_eq!(Route::parse_for("GET", &target).as_ref(), Ok(&query));
    assert_eq!(query.target(), target);
    assert_eq!(Route::parse_for("PUT", &target), Ok(Route::Job { job: "query".to_owned() }));
}

#[test]
fn reads_a_path_encoded_as_a_whole_once() {
    check(&format!("/twins%2Fdev1?{V}"), &Route::Twin(TwinId::device("dev1")));
    check(&format!("/twins%2fd%2fmodules%2fm?{V}"), &Route::Twin(TwinId::module("d", "m")));
    check(&format!("/devices%2Fquery?{V}"), &Route::Query);
    check(&format!("/devices%2F?{V}"), &Route::Devices { top: None });
    check(&format!("/twins%2Fa%2523b?{V}"), &Route::Twin(TwinId::device("a%23b")));
    check(&format!("/twins/a%2523b?{V}"), &Route::Twin(TwinId::device("a%23b")));
    // Separators inside a path that also has real ones are part of an id, and not legal there.
    check_error(&format!("/twins/a%2Fb?{V}"), &RouteError::Id(IdProblem::Character('/')));
    check_error(&format!("/twins%2Fd/modules/m?{V}"), &RouteError::NoSuchPath);
}

#[test]
fn refuses_what_is_no_route() {
    for path in ["/", "", "*", "devices", "//devices", "/jobs/v2", "/jobs/v2/j/x", "/nowhere", "/twins"] {
        check_error(&format!("{path}?{V}"), &RouteError::NoSuchPath);
    }
    for path in ["/twins/d/modules", "/twins/d/modules/m/x", "/devices/d/x", "/devices/d/modules/m/x", "/statistics/x"]
    {
        check_error(&format!("{path}?{V}"), &RouteError::NoSuchPath);
    }
    for path in ["/devices/d/messages", "/devices/d/messages/x", "/messages/serviceBound", "/$twinscope"] {
        check_error(&format!("{path}?{V}"), &RouteError::NoSuchPath);
    }
    // Modules have no message paths.
    for path in ["/devices/d/modules/m/messages/events", "/devices/d/modules/m/messages/deviceBound"] {
        check_error(&format!("{path}?{V}"), &RouteError::NoSuchPath);
    }
    check_error(&format!("/devices//modules?{V}"), &RouteError::Id(IdProblem::Empty));
    check_error(&format!("/devices/a%20b?{V}"), &RouteError::Id(IdProblem::Character(' ')));
    check_error(&format!("/devices/{}?{V}", "a".repeat(129)), &RouteError::Id(IdProblem::TooLong(129)));
    check_error(&format!("/devices/%FF?{V}"), &RouteError::NoSuchPath);
}

#[test]
fn wants_an_api_version() {
    for version in ["2018-06-30", "2020-05-31-preview", "2021-04-12", "2024-03-31"] {
        check(&format!("/devices/d?api-version={version}"), &device("d"));
    }
    check("/devices/d?API-Version=2021-04-12", &device("d"));
    for query in ["", "?", "?api-version=", "?api-version=1.0", "?api-version=1999-01-01", "?api-version=2021-4-12"] {
        check_error(&format!("/devices/d{query}"), &RouteError::ApiVersion);
    }
    check_error("/devices/d?api-version=2021-04-12-beta", &RouteError::ApiVersion);
    check_error("/devices/d?api-version=2021-04-1%C3%BC", &RouteError::ApiVersion);
}

#[test]
fn the_method_tells_the_query_from_a_device_called_query() {
    let target = format!("/devices/Query?{V}");
    assert_eq!(Route::parse_for("POST", &target), Ok(Route::Query));
    assert_eq!(Route::parse_for("GET", &target), Ok(device("Query")));
    assert_eq!(device("query").target(), format!("/devices/%71uery?{V}"));
    assert_eq!(Route::Query.target(), format!("/devices/query?{V}"));
}

#[test]
fn writes_targets_and_paths() {
    assert_eq!(device("a=b#1:@'$").target(), format!("/devices/a%3Db%231%3A%40%27%24?{V}"));
    assert_eq!(device("a=b#1:@'$").path(), "/devices/a=b#1:@'$");
    assert_eq!(Route::Devices { top: Some(10) }.target(), format!("/devices?top=10&{V}"));
    assert_eq!(Route::Twin(TwinId::module("d", "..")).target(), format!("/twins%2Fd%2Fmodules%2F..?{V}"));
    assert_eq!(Route::Methods(TwinId::module("d", "m")).path(), "/twins/d/modules/m/methods");
}

/// Why `.` and `..` need their own form.
#[test]
fn a_url_library_removes_dot_segments_even_when_escaped() {
    let url = url::Url::parse("https://localhost/twins/%2E%2E?x").unwrap();
    assert_eq!(url.path(), "/");
}

fn any_route() -> impl Strategy<Value = Route> {
    prop_oneof![
        proptest::option::of(any::<i64>()).prop_map(|top| Route::Devices { top }),
        Just(Route::Query),
        legal_id().prop_map(|device| Route::Device { device }),
        legal_id().prop_map(|device| Route::Modules { device }),
        (legal_id(), legal_id()).prop_map(|(device, module)| Route::Module { device, module }),
        legal_twin_id().prop_map(Route::Twin),
        legal_twin_id().prop_map(Route::Methods),
        Just(Route::DeviceStatistics),
        Just(Route::ServiceStatistics),
        legal_id().prop_map(|device| Route::DeviceBound { device }),
        (legal_id(), legal_id(), any::<bool>()).prop_map(|(device, lock, reject)| Route::LockedMessage {
            device,
            lock,
            reject
        }),
        (legal_id(), legal_id()).prop_map(|(device, lock)| Route::AbandonMessage { device, lock }),
        legal_id().prop_map(|device| Route::DeviceEvents { device }),
        legal_id().prop_map(|device| Route::Commands { device }),
        Just(Route::Feedback),
        legal_id().prop_map(|lock| Route::AbandonFeedback { lock }),
        legal_id().prop_map(|job| Route::CancelJob { job }),
        (proptest::option::of(any::<u64>()), proptest::option::of(any::<u64>()))
            .prop_map(|(after, wait_s)| Route::Events { after, wait_s }),
        Just(Route::Faults),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn print_and_parse_are_inverse(route in any_route()) {
        prop_assert_eq!(Route::parse(&route.target()), Ok(route));
    }

    #[test]
    fn a_url_library_leaves_a_target_as_it_is(route in any_route()) {
        let target = route.target();
        let url = url::Url::parse(&format!("https://localhost:8443{target}")).unwrap();
        prop_assert_eq!(&url[url::Position::BeforePath..], target.as_str());
    }

    #[test]
    fn if_match_print_and_parse_are_inverse(tag in "[A-Za-z0-9+/=]{0,20}") {
        for value in [IfMatch::Any, IfMatch::Absent, IfMatch::Quoted(Etag(tag))] {
            prop_assert_eq!(IfMatch::parse(value.header().as_deref()), value);
        }
    }
}

#[test]
fn reads_if_match_in_every_form_seen() {
    let quoted = |tag: &str| IfMatch::Quoted(Etag(tag.to_owned()));
    let unquoted = |tag: &str| IfMatch::Unquoted(Etag(tag.to_owned()));
    let cases = [
        (None, IfMatch::Absent),
        (Some(""), IfMatch::Absent),
        (Some("*"), IfMatch::Any),
        (Some(" \"*\" "), IfMatch::Any),
        (Some("\"AAAAAAAAAAE=\""), quoted("AAAAAAAAAAE=")),
        (Some("W/\"x\""), quoted("x")),
        (Some("x"), unquoted("x")),
        (Some("\"\""), quoted("")),
        (Some("\""), unquoted("\"")),
    ];
    for (header, expected) in cases {
        assert_eq!(IfMatch::parse(header), expected, "{header:?}");
    }
    assert_eq!(unquoted("x").header().as_deref(), Some("\"x\""));
}
