//! The words of direct methods, read and written.

use proptest::prelude::*;
use serde_json::json;
use twinscope::protocol::method::{self, CallProblem, MethodAnswer, MethodCall, PAYLOAD_MAX};
use twinscope::protocol::mqtt::ToDevice;
use twinscope::twin::wire;

#[test]
fn a_call_has_defaults() {
    let call = MethodCall::from_json(&json!({"methodName": "reboot"})).unwrap();
    assert_eq!(call, MethodCall::new("reboot", json!(null)));
    assert_eq!((call.response_timeout_s, call.connect_timeout_s), (30, 0));
    let body = r#"{"methodName":"reboot","payload":null,"responseTimeoutInSeconds":30,"connectTimeoutInSeconds":0}"#;
    assert_eq!(call.to_json().to_string(), body);
}

#[test]
fn problems_say_what_and_where() {
    let check = |call: &MethodCall, words: &str| assert_eq!(call.check().unwrap_err().to_string(), words);
    let call = MethodCall::new("m", json!(null));
    check(&MethodCall { name: String::new(), ..call.clone() }, "the name of the method is missing");
    check(&MethodCall { name: "a b".into(), ..call.clone() }, "' ' is not allowed in the name of a method");
    let seconds = "responseTimeoutInSeconds must be a whole number of seconds from 5 to 300";
    check(&MethodCall { response_timeout_s: 4, ..call.clone() }, seconds);
    check(
        &MethodCall { connect_timeout_s: 31, ..call.clone() },
        "connectTimeoutInSeconds (31) is more than responseTimeoutInSeconds (30)",
    );
    let large = MethodCall { payload: json!("x".repeat(PAYLOAD_MAX)), ..call.clone() };
    assert_eq!(large.check(), Err(CallProblem::LargePayload(PAYLOAD_MAX + 2)));
    assert_eq!(call.check(), Ok(()));
}

#[test]
fn answers_and_payloads() {
    let answer = |body: &str| MethodAnswer::from_json(wire::json(body.as_bytes()).unwrap());
    let spelled = wire::json(b"1.0E2").unwrap();
    assert_eq!(answer(r#"{"status":500,"payload":1.0E2}"#), Some(MethodAnswer { status: 500, payload: spelled }));
    assert_eq!(answer(r#"{"status":200}"#), Some(MethodAnswer { status: 200, payload: json!(null) }));
    for none in ["{}", r#"{"status":"200"}"#, "[]", "null", r#"{"payload":1}"#, r#"{"status":1e99}"#] {
        assert_eq!(answer(none), None, "{none}");
    }
    assert_eq!(method::read_payload(b""), Some(json!(null)));
    assert_eq!(method::read_payload(b"[1]"), Some(json!([1])));
    assert_eq!(method::read_payload(b"[1"), None);
    assert_eq!(method::read_payload(b"\xff"), None);
}

#[test]
fn filters_of_methods() {
    for (filter, name, expected) in [
        ("$iothub/methods/POST/#", "reboot", true),
        ("$iothub/methods/POST/reboot/#", "reboot", true),
        ("$iothub/methods/POST/50%25/#", "50%", true),
        ("$iothub/methods/POST/50%/#", "50%", true),
        ("$iothub/methods/POST/reboot", "reboot", false),
        ("$iothub/methods/POST/Reboot/#", "reboot", false),
        ("$iothub/methods/POST/+/#", "reboot", false),
        ("$iothub/methods/POST//#", "reboot", false),
        ("$iothub/twin/res/#", "reboot", false),
        ("#", "reboot", false),
    ] {
        assert_eq!(method::is_for(filter, name), expected, "{filter} {name}");
    }
}

proptest! {
    #[test]
    fn calls_are_read_as_they_were_written(
        name in "[!#%&'*+.0-9A-Z^_`a-z|~-]{1,40}", response_timeout_s in 5_u16..=300, shorter in 0_u16..=300, payload in "\\PC{0,40}",
    ) {
        let connect_timeout_s = response_timeout_s.saturating_sub(shorter);
        let call = MethodCall { name: name.clone(), payload: json!({"a": payload}), response_timeout_s, connect_timeout_s };
        prop_assert_eq!(call.check(), Ok(()));
        prop_assert_eq!(MethodCall::from_json(&call.to_json()), Ok(call));
        let topic = ToDevice::Method { name, rid: "1f".into() };
        prop_assert_eq!(ToDevice::parse(&topic.topic()), Some(topic));
    }

    #[test]
    fn whatever_comes_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some(payload) = method::read_payload(&bytes) {
            prop_assert_eq!(method::read_payload(method::payload_text(&payload).as_bytes()), Some(payload));
        }
    }
}
