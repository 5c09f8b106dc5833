//! Connection strings of every kind.

use super::{KEY, key, legal_id};
use proptest::prelude::*;
use twinscope::protocol::connection_string::{
    ConnectionString, ConnectionStringError as Error, Proof, Who, split_port,
};
use twinscope::protocol::sas;
use twinscope::protocol::secret::Secret;
use twinscope::twin::TwinId;

fn check(text: &str, expected: &ConnectionString) {
    assert_eq!(ConnectionString::parse(text).as_ref(), Ok(expected), "{text}");
}

fn with(who: Who) -> ConnectionString {
    ConnectionString { host_name: "hub.azure-devices.net".into(), gateway_host_name: None, who }
}

#[test]
fn reads_every_kind() {
    let host = "HostName=hub.azure-devices.net";
    let service = |proof| with(Who::Service { policy: "iothubowner".into(), proof });
    let identity = |id, proof| with(Who::Identity { id, proof });
    let token = "SharedAccessSignature sr=hub.azure-devices.net&sig=YWJj&se=1&skn=iothubowner";
    let policy = "SharedAccessKeyName=iothubowner";

    check(&format!("{host};{policy};SharedAccessKey={KEY}"), &service(Proof::Key(key())));
    check(&format!("{host};{policy};SharedAccessSignature={token}"), &service(Proof::Token(Secret::new(token))));
    let device = identity(TwinId::device("d"), Proof::Key(key()));
    check(&format!("{host};DeviceId=d;SharedAccessKey={KEY}"), &device);
    let module = identity(TwinId::module("d", "m"), Proof::Key(key()));
    check(&format!("{host};DeviceId=d;ModuleId=m;SharedAccessKey={KEY}"), &module);
    check(&format!("{host};DeviceId=d;x509=true"), &identity(TwinId::device("d"), Proof::X509));
    let gateway = ConnectionString { gateway_host_name: Some("localhost:8883".into()), ..device.clone() };
    check(&format!("{host};DeviceId=d;SharedAccessKey={KEY};GatewayHostName=localhost:8883"), &gateway);

    // What a paste may look like.
    check(&format!("  {host} ;\r\n DeviceId=d;\nSharedAccess\nKey={KEY};\n"), &device);
    check(&format!("hostname=hub.azure-devices.net;DEVICEID=d;sharedaccesskey={KEY};X509=False"), &device);
    check(&format!("SharedAccessKey={KEY};DeviceId=d;{host}"), &device);
}

#[test]
fn splits_host_and_port() {
    let cases = [
        ("localhost", ("localhost", None)),
        ("localhost:8443", ("localhost", Some(8443))),
        ("127.0.0.1:1", ("127.0.0.1", Some(1))),
        ("[::1]:8443", ("::1", Some(8443))),
        ("[::1]", ("::1", None)),
        ("::1", ("::1", None)),
        ("h:99999", ("h:99999", None)),
        ("h:+1", ("h:+1", None)),
        ("", ("", None)),
    ];
    for (text, expected) in cases {
        assert_eq!(split_port(text), expected, "{text}");
    }
    let read = ConnectionString::parse(&format!("HostName=[::1]:8443;DeviceId=d;SharedAccessKey={KEY}")).unwrap();
    assert_eq!((read.host(), read.port()), ("::1", Some(8443)));
}

#[test]
fn names_what_is_wrong() {
    let key = format!("SharedAccessKey={KEY}");
    let bad = |part, problem: &str| Error::Bad { part, problem: problem.into() };
    let port = "has a port that is no number from 1 to 65535";
    let cases = [
        (String::new(), Error::Empty),
        (" ; ".into(), Error::Empty),
        ("hello".into(), Error::NotAPair { position: 1 }),
        (format!("HostName=h;;{key}"), Error::NotAPair { position: 2 }),
        ("HostName=h;Endpoint=sb".into(), Error::UnknownPart("Endpoint".into())),
        ("HostName=h;HostName=h".into(), Error::Duplicate("HostName")),
        (key.clone(), Error::Missing("HostName")),
        (format!("HostName=;{key}"), Error::EmptyPart("HostName")),
        ("HostName=h".into(), Error::Missing("SharedAccessKeyName")),
        (format!("HostName=h;{key}"), Error::Missing("SharedAccessKeyName")),
        ("HostName=h;x509=true".into(), Error::Missing("DeviceId")),
        ("HostName=h;SharedAccessKeyName=p".into(), Error::Missing("SharedAccessKey")),
        ("HostName=h;DeviceId=d".into(), Error::Missing("SharedAccessKey")),
        ("HostName=h;DeviceId=d;x509=false".into(), Error::Missing("SharedAccessKey")),
        ("HostName=h;DeviceId=d;SharedAccessKey=".into(), Error::EmptyPart("SharedAccessKey")),
        (format!("HostName=h;ModuleId=m;{key}"), Error::Missing("DeviceId")),
        (format!("HostName=h;DeviceId=d;x509=true;{key}"), Error::Conflict("SharedAccessKey", "x509")),
        ("HostName=h;SharedAccessKeyName=p;x509=true".into(), Error::Conflict("SharedAccessKeyName", "x509")),
        (
            format!("HostName=h;DeviceId=d;SharedAccessKeyName=p;{key}"),
            Error::Conflict("DeviceId", "SharedAccessKeyName"),
        ),
        ("HostName=h;DeviceId=d;SharedAccessKey=a!b".into(), bad("SharedAccessKey", "is not base64")),
        ("HostName=h;DeviceId=d;x509=yes".into(), bad("x509", "is neither true nor false")),
        (format!("HostName=https://h;DeviceId=d;{key}"), bad("HostName", "is a host name, without https:// in front")),
        (format!("HostName=h/x;DeviceId=d;{key}"), bad("HostName", "has '/' in it, which no host name has")),
        (format!("HostName=h:0;DeviceId=d;{key}"), bad("HostName", port)),
        (format!("HostName=h:99999;DeviceId=d;{key}"), bad("HostName", port)),
        (format!("HostName=h:;DeviceId=d;{key}"), bad("HostName", port)),
        (format!("HostName=h;DeviceId=d;GatewayHostName=g:x;{key}"), bad("GatewayHostName", port)),
        (format!("HostName=:1;DeviceId=d;{key}"), bad("HostName", "has no host in it")),
    ];
    for (text, expected) in cases {
        assert_eq!(ConnectionString::parse(&text), Err(expected), "{text}");
    }
    let error = ConnectionString::parse(&format!("HostName=h;DeviceId=a b;{key}")).unwrap_err();
    assert!(error.to_string().starts_with("DeviceId is no id: ' ' is not allowed"), "{error}");
}

#[test]
fn an_error_never_shows_a_secret() {
    let long = "QUJDREVGR0hJSktMTU5PUA==";
    let texts = [
        KEY.to_owned(),
        long.to_owned(),
        format!("HostName=h;{KEY}"),
        format!("HostName=h;{long}"),
        format!("HostName=h;DeviceId=d;SharedAccessKey={KEY}!"),
        format!("HostName=h;DeviceId=d;SharedAccessSignature={KEY}"),
        format!("HostName=h;DeviceId=d;x509={KEY}"),
    ];
    for text in texts {
        let error = ConnectionString::parse(&text).unwrap_err();
        for shown in [error.to_string(), format!("{error:?}")] {
            assert!(!shown.contains(&KEY[..12]) && !shown.contains(&long[..12]), "{shown}");
        }
    }
    let read = ConnectionString::parse(&format!("HostName=h;DeviceId=d;SharedAccessKey={KEY}")).unwrap();
    assert!(!format!("{read:?}").contains(KEY));
    assert!(!format!("{:?}", read.reveal()).contains(KEY));
}

fn proof() -> impl Strategy<Value = Proof> {
    use base64::Engine as _;
    let key = proptest::collection::vec(any::<u8>(), 1..65)
        .prop_map(|bytes| Secret::new(base64::engine::general_purpose::STANDARD.encode(bytes)));
    prop_oneof![
        key.clone().prop_map(Proof::Key),
        (key, any::<u64>()).prop_map(|(key, se)| Proof::Token(sas::sign("h/devices/d", &key, se, Some("p")).unwrap())),
    ]
}

fn who() -> impl Strategy<Value = Who> {
    // The format has no way to write a `;` inside a part.
    let id = || legal_id().prop_filter("no ; in a connection string", |id| !id.contains(';'));
    prop_oneof![
        ("[A-Za-z0-9._=-]{1,20}", proof()).prop_map(|(policy, proof)| Who::Service { policy, proof }),
        (id(), proptest::option::of(id()), prop_oneof![3 => proof(), 1 => Just(Proof::X509)])
            .prop_map(|(device, module, proof)| Who::Identity { id: TwinId { device, module }, proof }),
    ]
}

proptest! {
    #[test]
    fn print_and_parse_are_inverse(
        host_name in "[a-z][a-z0-9-]{0,12}(\\.[a-z0-9]{1,8}){0,2}(:[1-9][0-9]{0,3})?|\\[::1\\](:8443)?|::1",
        gateway_host_name in proptest::option::of("[a-z]{1,9}(:8883)?"),
        who in who(),
    ) {
        let connection = ConnectionString { host_name, gateway_host_name, who };
        prop_assert_eq!(ConnectionString::parse(connection.reveal().reveal()), Ok(connection));
    }
}
