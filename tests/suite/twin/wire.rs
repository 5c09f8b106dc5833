//! Twins as hubs send them.

use super::given::{json, map};
use twinscope::twin::wire::{self, WireError, from_json, parse, to_json};
use twinscope::twin::{AuthKind, ConnectionState, Etag, Json, Status, TwinId};

const DEVICE: &str = r#"{"deviceId":"dev1","etag":"AAAAAAAAAAI=","deviceEtag":"ODAxMjMyNDI2","status":"enabled","statusUpdateTime":"0001-01-01T00:00:00Z","connectionState":"Disconnected","lastActivityTime":"0001-01-01T00:00:00Z","cloudToDeviceMessageCount":0,"authenticationType":"sas","x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"modelId":"","version":3,"tags":{"site":"A"},"properties":{"desired":{"interval":5,"rate":1E5,"$metadata":{"$lastUpdated":"2026-08-15T09:07:13.1234567Z","$lastUpdatedVersion":2,"interval":{"$lastUpdated":"2026-08-15T09:07:13.1234567Z","$lastUpdatedVersion":2}},"$version":2},"reported":{"$metadata":{"$lastUpdated":"2026-08-15T09:00:00.7654321Z"},"$version":1}},"capabilities":{"iotEdge":false}}"#;

#[test]
fn a_device_twin_letter_by_letter() {
    let twin = parse(DEVICE.as_bytes()).unwrap();
    assert_eq!(twin.id, TwinId::device("dev1"));
    assert_eq!(twin.etag, Etag("AAAAAAAAAAI=".to_owned()));
    assert_eq!(twin.device_etag, Some(Etag("ODAxMjMyNDI2".to_owned())));
    assert_eq!((twin.version, twin.status, twin.authentication), (3, Some(Status::Enabled), Some(AuthKind::Sas)));
    assert_eq!(twin.connection_state, ConnectionState::Disconnected);
    assert_eq!(twin.last_activity_time.as_deref(), Some("0001-01-01T00:00:00Z"));
    assert_eq!((twin.model_id.as_ref(), twin.primary_thumbprint.as_ref()), (None, None));
    assert_eq!(twin.tags, map(r#"{"site":"A"}"#));
    assert_eq!(twin.desired.values, map(r#"{"interval":5,"rate":1E5}"#));
    assert_eq!((twin.desired.version, twin.reported.version), (2, 1));
    assert_eq!(twin.desired.metadata["interval"]["$lastUpdatedVersion"], Json::from(2));
    assert!(twin.reported.values.is_empty() && twin.extra.is_empty());
    assert_eq!(to_json(&twin).to_string(), DEVICE);
}

#[test]
fn a_module_twin() {
    let body = r#"{"deviceId":"d","moduleId":"m","etag":"x","properties":{"desired":{"$version":1},"reported":{"$version":1}},"connectionState":"Connected"}"#;
    let twin = parse(body.as_bytes()).unwrap();
    assert_eq!(twin.id, TwinId::module("d", "m"));
    assert_eq!(twin.connection_state, ConnectionState::Connected);
    assert!(twin.tags.is_empty());
    let sent = to_json(&twin);
    let keys: Vec<_> = sent.as_object().unwrap().keys().take(3).collect();
    assert_eq!(keys, ["deviceId", "moduleId", "etag"]);
    assert!(sent.get("tags").is_none());
}

#[test]
fn thumbprint_keys_in_any_case() {
    for (primary, secondary) in
        [("primaryThumbprint", "secondaryThumbprint"), ("PrimaryThumbprint", "SecondaryThumbprint")]
    {
        let body = format!(
            r#"{{"deviceId":"d","etag":"x","properties":{{}},"x509Thumbprint":{{"{primary}":"AA","{secondary}":"BB"}}}}"#
        );
        let twin = parse(body.as_bytes()).unwrap();
        assert_eq!(twin.primary_thumbprint.as_deref(), Some("AA"));
        assert_eq!(twin.secondary_thumbprint.as_deref(), Some("BB"));
    }
}

#[test]
fn little_is_needed_and_unknown_fields_are_kept() {
    let body = r#"{"deviceId":"d","etag":"x","properties":{"desired":null},"deviceScope":"ms-azure-iot-edge://e","parentScopes":[],"status":"odd","version":null,"tags":null,"newer":null}"#;
    let twin = parse(body.as_bytes()).unwrap();
    assert_eq!((twin.version, twin.status, twin.desired.version), (0, None, 0));
    assert_eq!(
        Json::Object(twin.extra.clone()).to_string(),
        r#"{"deviceScope":"ms-azure-iot-edge://e","parentScopes":[],"newer":null}"#
    );
    assert_eq!(from_json(to_json(&twin)).unwrap(), twin);
}

#[test]
fn what_is_no_twin_says_why() {
    let check = |body: &str, expected: &str| {
        assert_eq!(parse(body.as_bytes()).unwrap_err().to_string(), expected, "{body}");
    };
    check("<html>", "not JSON: line 1 column 1: expected a value, found `<`");
    check(&DEVICE[..200], "not JSON: line 1 column 183: this string is not closed");
    check("[]", "not a twin: the body is not an object");
    check(r#"{"etag":"x","properties":{}}"#, "not a twin: deviceId is missing");
    check(r#"{"deviceId":"d","properties":{}}"#, "not a twin: etag is missing");
    check(r#"{"deviceId":"d","etag":"x"}"#, "not a twin: properties is missing");
    check(r#"{"deviceId":null,"etag":"x","properties":{}}"#, "not a twin: deviceId is missing");
    check(r#"{"deviceId":7,"etag":"x","properties":{}}"#, "not a twin: deviceId is not a string");
    check(r#"{"deviceId":"d","etag":"x","properties":[]}"#, "not a twin: properties is not an object");
    check(
        r#"{"deviceId":"d","etag":"x","properties":{"desired":1}}"#,
        "not a twin: properties.desired is not an object",
    );
    check(
        r#"{"deviceId":"d","etag":"x","properties":{"reported":{"$version":-1}}}"#,
        "not a twin: properties.reported is not a whole number",
    );
    check(r#"{"deviceId":"d","etag":"x","properties":{},"tags":"t"}"#, "not a twin: tags is not an object");
    assert_eq!(wire::json(b"{\"a\":\"\xff\"}"), Err(WireError::NotJson("byte 6 is not UTF-8".to_owned())));
}

#[test]
fn a_row_of_a_query_answer_is_a_twin() {
    assert_eq!(from_json(json(DEVICE)).unwrap(), parse(DEVICE.as_bytes()).unwrap());
}
