//! No input makes a parser panic.

use proptest::prelude::*;
use serde_json::Value;
use twinscope::protocol::connection_string::{ConnectionString, split_port};
use twinscope::protocol::identity::{bulk_from_json, from_json, request_from_json};
use twinscope::protocol::mqtt::{FromDevice, ToDevice, UserName, matches};
use twinscope::protocol::rest::{IfMatch, Route};
use twinscope::protocol::{bag, error, sas};
use twinscope::twin::TwinId;

/// Anything, and pieces of what the parsers look for in any order.
fn text() -> impl Strategy<Value = String> {
    let pieces = [
        "/",
        "?",
        "&",
        "=",
        ";",
        "%",
        "%2",
        "%2F",
        "%FF",
        "$",
        "#",
        "+",
        "\"",
        "<",
        "</",
        ">",
        "<!--",
        "-->",
        "<script>",
        "{",
        "}",
        "[",
        "]",
        ":",
        "é",
        "\u{0}",
        "SharedAccessSignature ",
        "sr=",
        "sig=",
        "se=",
        "skn=",
        "HostName=",
        "DeviceId=",
        "SharedAccessKey=",
        "x509=true",
        "devices",
        "twins",
        "modules",
        "methods",
        "query",
        "api-version=2021-04-12",
        "$iothub/twin/GET/",
        "$iothub/twin/res/",
        "$iothub/methods/POST/",
        "$iothub/methods/res/",
        "messages/events",
        "$rid=",
        "$version=",
        "ErrorCode:",
        "Tracking ID:",
        "\"Message\":",
        "-G:",
        "99999999999999999999",
        "::1",
        "W/",
    ];
    let pieces =
        proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..12).prop_map(|parts| parts.concat());
    prop_oneof![any::<String>(), "(?s).{0,80}", pieces]
}

fn json() -> impl Strategy<Value = Value> {
    let fields = [
        "deviceId",
        "moduleId",
        "id",
        "authentication",
        "symmetricKey",
        "primaryKey",
        "x509Thumbprint",
        "primaryThumbprint",
        "type",
        "status",
        "capabilities",
        "iotEdge",
        "tags",
        "properties",
        "desired",
        "importMode",
        "Message",
        "errorCode",
        "errors",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(Value::from("sas")),
        Just(Value::from("d")),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((proptest::sample::select(fields.to_vec()), inner), 0..6).prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn text_parsers_do_not_panic(text in text(), other in text()) {
        let shown = format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            ConnectionString::parse(&text),
            Route::parse(&text),
            IfMatch::parse(Some(&text)),
            FromDevice::parse(&text),
            ToDevice::parse(&text),
            UserName::parse(&text).map(|name| name.names(&TwinId::device(other.clone()))),
            bag::parse(&text),
        );
        prop_assert!(!shown.is_empty());
        prop_assert!(split_port(&text).0.len() <= text.len());
        if let Ok(token) = sas::parse(&text) {
            prop_assert!(!token.is_signed_by(&super::key()));
            prop_assert_eq!(token.covers(&other), token.covers(&other));
        }
        prop_assert!(!matches(&text, "no/such/topic") || text.contains(['#', '+']));
    }

    #[test]
    fn error_bodies_do_not_panic(header in text(), body in text(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for body in [body.as_bytes(), &bytes] {
            let read = error::read(Some(&header), body);
            prop_assert!(read.message.is_none_or(|message| message.chars().count() <= 2_000));
            prop_assert!(read.tracking_id.is_none_or(|id| id.len() <= 100));
        }
    }

    #[test]
    fn json_readers_do_not_panic(value in json()) {
        let id = TwinId::device("d");
        let shown = format!("{:?} {:?} {:?}", from_json(&value), request_from_json(&id, &value), bulk_from_json(&value));
        prop_assert!(!shown.is_empty());
        let body = value.to_string();
        prop_assert!(error::read(None, body.as_bytes()).message.is_none_or(|message| message.chars().count() <= 2_000));
    }
}
