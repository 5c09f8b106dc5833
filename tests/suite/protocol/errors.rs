//! Error bodies: three shapes written and read, and what proxies send instead.

use proptest::prelude::*;
use twinscope::protocol::error::{ALL, ErrorCode, ServiceError, Shape, body, read};

const TRACKING: &str = "4a2d00112233445566778899aabbccdd";
const NOW: &str = "2026-08-15T09:07:13.1234567Z";

fn text(shape: Shape, code: ErrorCode, message: &str) -> String {
    String::from_utf8(body(shape, code, message, TRACKING, NOW)).unwrap()
}

#[test]
fn writes_the_three_shapes() {
    assert_eq!(
        text(Shape::Named, ErrorCode::DEVICE_ALREADY_EXISTS, "A device with ID 'dev1' is already registered."),
        r#"{"Message":"ErrorCode:DeviceAlreadyExists;A device with ID 'dev1' is already registered.","ExceptionMessage":"Tracking ID:4a2d00112233445566778899aabbccdd-G:0-TimeStamp:08/15/2026 09:07:13"}"#
    );
    assert_eq!(
        text(Shape::Flat, ErrorCode::MODULE_ALREADY_EXISTS_ON_DEVICE, "m"),
        r#"{"errorCode":409301,"message":"m","trackingId":"4a2d00112233445566778899aabbccdd","timestampUtc":"2026-08-15T09:07:13.1234567Z"}"#
    );
    assert_eq!(
        text(Shape::Nested, ErrorCode::DEVICE_NOT_ONLINE, "m"),
        r#"{"Message":"{\"errorCode\":404103,\"trackingId\":\"4a2d00112233445566778899aabbccdd\",\"message\":\"m\",\"info\":{},\"timestampUtc\":\"2026-08-15T09:07:13.1234567Z\"}","ExceptionMessage":""}"#
    );
}

fn check(header: Option<&str>, body: &str, name: Option<&str>, number: Option<u32>, message: Option<&str>) {
    let read = read(header, body.as_bytes());
    let seen = (read.name.as_deref(), read.number, read.message.as_deref());
    assert_eq!(seen, (name, number, message), "{header:?} {body}");
}

#[test]
fn reads_what_hubs_have_sent() {
    let named = r#"{"Message":"ErrorCode:DeviceNotFound;dev1","ExceptionMessage":"Tracking ID:ab12-G:10-TimeStamp:08/15/2026 09:07:13"}"#;
    check(None, named, Some("DeviceNotFound"), Some(404_001), Some("dev1"));
    check(Some("DeviceNotFound"), named, Some("DeviceNotFound"), Some(404_001), Some("dev1"));
    assert_eq!(read(None, named.as_bytes()).tracking_id.as_deref(), Some("ab12"));
    // The header goes first; a number in it is a number.
    check(Some("LinkCreationConflict"), named, Some("LinkCreationConflict"), None, Some("dev1"));
    check(Some("404103"), "", Some("DeviceNotOnline"), Some(404_103), None);
    check(Some("ThrottlingException"), "", Some("ThrottlingException"), Some(429_001), None);
    check(Some("not a name"), "", None, None, None);
    // Inside the message of a flat body, too; the tracking id with its tail in its own field.
    let flat = r#"{"errorCode":400004,"message":"ErrorCode:ArgumentInvalid;BadRequest","trackingId":"AB-G:0-TimeStamp:1","timestampUtc":"x"}"#;
    check(None, flat, Some("ArgumentInvalid"), Some(400_004), Some("BadRequest"));
    assert_eq!(read(None, flat.as_bytes()).tracking_id.as_deref(), Some("AB"));
    let uuid = r#"{"message":"m; Tracking ID:0f8fad5b-d9cb-469f-a165-70867728950e, at noon"}"#;
    assert_eq!(read(None, uuid.as_bytes()).tracking_id.as_deref(), Some("0f8fad5b-d9cb-469f-a165-70867728950e"));
    check(None, r#"{"Message":"ErrorCode:DeviceNotFound"}"#, Some("DeviceNotFound"), Some(404_001), None);
    check(None, r#"{"Message":"ErrorCode:two words;x"}"#, None, None, Some("ErrorCode:two words;x"));
    check(None, r#"{"Message":"plain"}"#, None, None, Some("plain"));
    check(None, r#"{"errorCode":"DeviceDisabled","message":null}"#, Some("DeviceDisabled"), Some(403_012), None);
    check(None, r#"{"errorCode":123456789012,"message":"m"}"#, None, None, Some("m"));
    let bulk =
        r#"{"isSuccessful":false,"errors":[{"deviceId":"d","errorCode":"DeviceAlreadyExists","errorStatus":"there"}]}"#;
    check(None, bulk, Some("DeviceAlreadyExists"), Some(409_001), Some("there"));
}

#[test]
fn unfolds_one_nested_level_and_no_more() {
    let innermost = r#"{"errorCode":404103,"message":"deep"}"#;
    let nest = |inner: &str| serde_json::json!({ "Message": inner }).to_string();
    check(None, &nest(innermost), Some("DeviceNotOnline"), Some(404_103), Some("deep"));
    check(None, &nest(&nest(innermost)), None, None, Some(innermost));
    let mut deep = innermost.to_owned();
    for _ in 0..12 {
        deep = nest(&deep);
    }
    assert_eq!(read(None, deep.as_bytes()).number, None);
}

#[test]
fn takes_a_line_out_of_what_a_proxy_says() {
    let html = "<!DOCTYPE html>\n<html><head>\n<style>body { x: y }</style><script>alert('</p>')</script><!-- <b>no</b> -->\n<title>502 Bad Gateway</title></head><body><h1>502</h1></body></html>";
    check(None, html, None, None, Some("502 Bad Gateway"));
    check(None, "<html><body>a &amp; b &lt;c&gt;</body></html>", None, None, Some("a & b <c>"));
    check(None, "\r\n\r\n  upstream connect error \r\nmore", None, None, Some("upstream connect error"));
    check(None, "\"a string\"", None, None, Some("a string"));
    for empty in ["", "  \n ", "[]", "null", "17", "<html></html>", "<!--", "<script>x", "\u{0}\u{1}"] {
        check(None, empty, None, None, None);
    }
    let long = "x".repeat(5_000);
    assert_eq!(read(None, long.as_bytes()).message.unwrap().len(), 200);
    let long = text(Shape::Named, ErrorCode::SERVER_ERROR, &"ü".repeat(5_000));
    assert_eq!(read(None, long.as_bytes()).message.unwrap().chars().count(), 2_000);
    // Ten megabytes, and JSON cut in the middle, are no reason to give up.
    assert!(read(None, &vec![b'['; 10_000_000]).message.is_none());
    assert!(read(None, br#"{"Message":"ErrorCode:Dev"#).message.is_some());
}

#[test]
fn every_code_is_its_own() {
    for code in ALL {
        assert_eq!(ErrorCode::by_name(code.name), Some(*code));
        assert_eq!(ErrorCode::by_number(code.number), Some(*code));
        assert!((400..=599).contains(&code.status()), "{code:?}");
    }
}

proptest! {
    #[test]
    fn print_and_read_are_inverse(
        code in proptest::sample::select(ALL),
        message in "[^\u{0}]{1,300}".prop_filter("a message is no envelope", |text| !text.starts_with("ErrorCode:")),
        tracking in "[0-9a-f]{32}",
        shape in proptest::sample::select(&[Shape::Named, Shape::Flat, Shape::Nested][..]),
    ) {
        let expected = ServiceError {
            name: Some(code.name.to_owned()),
            number: Some(code.number),
            message: Some(message.clone()),
            tracking_id: Some(tracking.clone()),
        };
        prop_assert_eq!(&read(None, &body(shape, code, &message, &tracking, NOW)), &expected);
        prop_assert_eq!(&read(Some(code.name), &body(shape, code, &message, &tracking, NOW)), &expected);
    }
}
