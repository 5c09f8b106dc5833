//! Property bags, topics, user names and filters of MQTT.

use super::{Property, legal_id, legal_twin_id};
use proptest::prelude::*;
use twinscope::protocol::bag;
use twinscope::protocol::mqtt::{FromDevice, ToDevice, UserName, client_id, matches};
use twinscope::twin::TwinId;

fn pairs(expected: &[Property]) -> Vec<(String, Option<String>)> {
    expected.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned))).collect()
}

#[test]
fn reads_bags() {
    let cases: &[(&str, &[Property])] = &[
        ("", &[]),
        ("?", &[]),
        ("/", &[]),
        ("&&", &[]),
        ("k", &[("k", None)]),
        ("k=", &[("k", Some(""))]),
        ("?%24.mid=m1&$.ct=text%2Fplain", &[("$.mid", Some("m1")), ("$.ct", Some("text/plain"))]),
        ("a=b=c&d+e=f%20g", &[("a", Some("b=c")), ("d+e", Some("f g"))]),
        ("%24.on=out1/", &[("$.on", Some("out1"))]),
        ("%zz=%", &[("%zz", Some("%"))]),
        ("k=%FF", &[("k", Some("\u{FFFD}"))]),
    ];
    for (text, expected) in cases {
        assert_eq!(bag::parse(text), pairs(expected), "{text}");
    }
    assert_eq!(bag::format(&[("$.mid", Some("a b")), ("n", None), ("e", Some(""))]), "%24.mid=a%20b&n&e=");
}

#[test]
fn reads_topics_of_devices() {
    let telemetry = |id, bag: &str| Some(FromDevice::Telemetry { id, bag: bag.into() });
    let rid = |text: &str| Some(text.to_owned());
    let cases = [
        ("$iothub/twin/GET/?$rid=a1", Some(FromDevice::GetTwin { rid: rid("a1") })),
        ("$iothub/twin/GET/?%24rid=a%201", Some(FromDevice::GetTwin { rid: rid("a%201") })),
        ("$iothub/twin/GET/", Some(FromDevice::GetTwin { rid: None })),
        ("$iothub/twin/GET/?$rid=", Some(FromDevice::GetTwin { rid: None })),
        (
            "$iothub/twin/PATCH/properties/reported/?$version=7&$rid=x",
            Some(FromDevice::PatchReported { rid: rid("x"), version: Some(7) }),
        ),
        (
            "$iothub/twin/PATCH/properties/reported/?$version=1&$rid=x&$version=latest&$version=2",
            Some(FromDevice::PatchUnreadable { rid: rid("x") }),
        ),
        ("$iothub/twin/GET/?$rid=x&$version=latest", Some(FromDevice::GetTwin { rid: rid("x") })),
        ("$iothub/methods/res/-1/?$rid=3", Some(FromDevice::MethodResponse { status: -1, rid: rid("3") })),
        ("$iothub/methods/res/ok/?$rid=3", None),
        ("devices/d/messages/events", telemetry(TwinId::device("d"), "")),
        ("devices/d/messages/events/", telemetry(TwinId::device("d"), "")),
        ("devices/d/messages/events/a=1/b/c/d", telemetry(TwinId::device("d"), "a=1/b/c/d")),
        ("devices/d/modules/m/messages/events/k/x/", telemetry(TwinId::module("d", "m"), "k/x/")),
        ("devices/modules/messages/events/", telemetry(TwinId::device("modules"), "")),
        ("devices//messages/events/", None),
        ("devices/d/modules//messages/events/", None),
        ("devices/d/messages/eventsx/", None),
        ("devices/d/messages/devicebound/", None),
        ("$iothub/twin/get/?$rid=1", None),
        ("", None),
    ];
    for (topic, expected) in cases {
        assert_eq!(FromDevice::parse(topic), expected, "{topic}");
    }
}

#[test]
fn reads_topics_of_the_hub() {
    let cases = [
        (
            "$iothub/twin/res/204/?$version=5&$rid=a",
            Some(ToDevice::TwinResponse { status: 204, rid: "a".into(), version: Some(5) }),
        ),
        ("$iothub/twin/res/200/?", None),
        ("$iothub/twin/res/70000/?$rid=a", None),
        ("$iothub/twin/PATCH/properties/desired/?$version=2", Some(ToDevice::DesiredPatch { version: 2 })),
        ("$iothub/twin/PATCH/properties/desired/", None),
        (
            "$iothub/methods/POST/reboot%20now/?$rid=1",
            Some(ToDevice::Method { name: "reboot now".into(), rid: "1".into() }),
        ),
        ("$iothub/methods/POST//?$rid=1", None),
        ("$iothub/methods/POST/x/", None),
        (
            "devices/d/messages/devicebound/%24.mid=1",
            Some(ToDevice::CloudToDevice { device: "d".into(), bag: "%24.mid=1".into() }),
        ),
        ("devices/d/messages/deviceboundx", None),
    ];
    for (topic, expected) in cases {
        assert_eq!(ToDevice::parse(topic), expected, "{topic}");
    }
    // Names of Plug and Play commands look the same encoded: Node does not decode them.
    let method = ToDevice::Method { name: "component*command".into(), rid: "1".into() };
    assert_eq!(method.topic(), "$iothub/methods/POST/component*command/?$rid=1");
}

#[test]
fn reads_user_names() {
    let name = |device: &str, module: Option<&str>, version: Option<&str>| UserName {
        host: "h:1".into(),
        device: device.into(),
        module: module.map(str::to_owned),
        api_version: version.map(str::to_owned),
        client_type: None,
        model_id: None,
    };
    let v = Some("2021-04-12");
    let cases = [
        ("h:1/d/?api-version=2021-04-12", Some(name("d", None, v))),
        ("h:1/d/m/?api-version=2021-04-12&auth-chain=x", Some(name("d", Some("m"), v))),
        ("h:1/d?api-version=2021-04-12", Some(name("d", None, v))),
        ("h:1/d/api-version=2021-04-12", Some(name("d", None, v))),
        ("h:1/d//?api-version=2021-04-12", Some(name("d", None, v))),
        ("h:1/d", Some(name("d", None, None))),
        ("h:1/d/m/", Some(name("d", Some("m"), None))),
        ("h:1/?d?/?api-version=2021-04-12", Some(name("?d?", None, v))),
        ("h:1/d/m/x/?api-version=2021-04-12", None),
        ("/d/?", None),
        ("h:1//?", None),
        ("h:1", None),
        ("", None),
    ];
    for (text, expected) in cases {
        assert_eq!(UserName::parse(text), expected, "{text}");
    }
}

#[test]
fn a_user_name_names_an_identity_raw_or_encoded() {
    let check = |text: &str, id: &TwinId, expected: bool| {
        assert_eq!(UserName::parse(text).unwrap().names(id), expected, "{text} {id}");
    };
    check("h/a%23b/?x", &TwinId::device("a#b"), true);
    check("h/a%23b/?x", &TwinId::device("a%23b"), true);
    check("h/a#b/m%3F/?x", &TwinId::module("a#b", "m?"), true);
    check("h/A/?x", &TwinId::device("a"), false);
    check("h/a/?x", &TwinId::module("a", "m"), false);
    check("h/a/m/?x", &TwinId::device("a"), false);
}

#[test]
fn matches_filters() {
    let cases = [
        ("$iothub/twin/res/#", "$iothub/twin/res/200/?$rid=1", true),
        ("$iothub/twin/res/#", "$iothub/twin/res", true),
        ("$iothub/twin/res/#", "$iothub/twin/resx/1", false),
        ("$iothub/methods/POST/reboot/#", "$iothub/methods/POST/reboot/?$rid=1", true),
        ("a/+/c", "a/b/c", true),
        ("a/+/c", "a//c", true),
        ("a/+", "a/b/c", false),
        ("a/b", "a/b", true),
        ("a/b", "a/b/", false),
        ("#", "a/b", true),
        ("#", "$iothub/x", false),
        ("+/x", "$iothub/x", false),
        ("devices/#/messages/devicebound/#", "devices/#/messages/devicebound/", true),
        ("devices/#/messages/devicebound/#", "devices/d/messages/devicebound/", false),
        ("devices/d#/x", "devices/d1/x", false),
        ("", "", true),
    ];
    for (filter, topic, expected) in cases {
        assert_eq!(matches(filter, topic), expected, "{filter} {topic}");
    }
}

/// Whatever a client may make up; `&` would end it.
fn rid() -> impl Strategy<Value = String> {
    "[^&\u{0}]{1,40}"
}

fn bag_text() -> impl Strategy<Value = String> {
    proptest::collection::vec(("\\PC{1,9}", proptest::option::of("\\PC{0,9}")), 0..5).prop_map(|pairs| {
        let pairs: Vec<(&str, Option<&str>)> =
            pairs.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
        bag::format(&pairs)
    })
}

fn from_device() -> impl Strategy<Value = FromDevice> {
    prop_oneof![
        proptest::option::of(rid()).prop_map(|rid| FromDevice::GetTwin { rid }),
        (proptest::option::of(rid()), any::<Option<u64>>())
            .prop_map(|(rid, version)| FromDevice::PatchReported { rid, version }),
        proptest::option::of(rid()).prop_map(|rid| FromDevice::PatchUnreadable { rid }),
        (any::<i64>(), proptest::option::of(rid()))
            .prop_map(|(status, rid)| FromDevice::MethodResponse { status, rid }),
        (legal_twin_id(), bag_text()).prop_map(|(id, bag)| FromDevice::Telemetry { id, bag }),
    ]
}

fn to_device() -> impl Strategy<Value = ToDevice> {
    prop_oneof![
        (any::<u16>(), rid(), any::<Option<u64>>()).prop_map(|(status, rid, version)| ToDevice::TwinResponse {
            status,
            rid,
            version
        }),
        any::<u64>().prop_map(|version| ToDevice::DesiredPatch { version }),
        ("\\PC{1,30}", rid()).prop_map(|(name, rid)| ToDevice::Method { name, rid }),
        (legal_id(), bag_text()).prop_map(|(device, bag)| ToDevice::CloudToDevice { device, bag }),
    ]
}

proptest! {
    #[test]
    fn bag_print_and_parse_are_inverse(
        pairs in proptest::collection::vec(("\\PC{1,12}|[/?&=%+ ]{1,3}", proptest::option::of("(?s).{0,12}")), 0..6)
    ) {
        let borrowed: Vec<(&str, Option<&str>)> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
        prop_assert_eq!(bag::parse(&bag::format(&borrowed)), pairs);
    }

    #[test]
    fn device_topics_print_and_parse_are_inverse(topic in from_device()) {
        prop_assert_eq!(FromDevice::parse(&topic.topic()), Some(topic));
    }

    #[test]
    fn hub_topics_print_and_parse_are_inverse(topic in to_device()) {
        let text = topic.topic();
        prop_assert_eq!(ToDevice::parse(&text), Some(topic));
    }

    #[test]
    fn user_names_print_and_parse_are_inverse(
        host in "[a-z.]{1,12}(:[0-9]{1,5})?",
        id in legal_twin_id(),
        api_version in proptest::option::of("20[0-9]{2}-[0-9]{2}-[0-9]{2}"),
        client_type in proptest::option::of("\\PC{0,20}"),
        model_id in proptest::option::of("dtmi:[a-z:]{1,9};1"),
    ) {
        let name = UserName { host, device: id.device.clone(), module: id.module.clone(), api_version, client_type, model_id };
        prop_assert_eq!(UserName::parse(&name.text()), Some(name.clone()));
        prop_assert!(name.names(&id));
    }

    #[test]
    fn a_client_id_reads_back(id in legal_twin_id()) {
        prop_assert_eq!(client_id(&id).parse::<TwinId>(), Ok(id));
    }
}
