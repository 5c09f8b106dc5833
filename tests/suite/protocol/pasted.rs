//! Connection strings as people paste them.

use super::{KEY, legal_id};
use proptest::prelude::*;
use twinscope::protocol::connection_string::paste::{Healing, PasteError};
use twinscope::protocol::connection_string::{ConnectionString, ConnectionStringError as Part, Proof, Who};
use twinscope::protocol::sas;
use twinscope::protocol::secret::Secret;
use twinscope::twin::TwinId;

fn plain() -> String {
    format!("HostName=hub.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey={KEY}")
}

#[track_caller]
fn check(text: &str) -> Vec<Healing> {
    let read = ConnectionString::read(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!(read.connection, ConnectionString::parse(&plain()).unwrap(), "{text:?}");
    read.healed
}

#[test]
fn what_is_typed_right_needs_no_healing() {
    assert_eq!(check(&plain()), []);
    assert_eq!(check(&format!("{};", plain())), []);
    assert_eq!(check(&format!("  {}\n", plain())), []);
}

#[test]
fn quotes_of_every_kind() {
    let s = plain();
    for (open, close) in [
        ("\"", "\""),
        ("'", "'"),
        ("`", "`"),
        ("“", "”"),
        ("„", "“"),
        ("‘", "’"),
        ("«", "»"),
        ("”", "”"),
        ("\\\"", "\\\""),
        ("&quot;", "&quot;"),
        ("\"'", "'\""),
        ("```\n", "\n```"),
    ] {
        for behind in ["", ";", ",", " ", "\n", ";\n", "};"] {
            assert!(check(&format!("{open}{s}{close}{behind}")).contains(&Healing::Surroundings));
            assert!(check(&format!("{open}{s};{close}{behind}")).contains(&Healing::Surroundings));
        }
        // Cut off while selecting.
        check(&format!("{open}{s}"));
        check(&format!("{s}{close}"));
    }
}

#[test]
fn json_yaml_and_assignments() {
    let s = plain();
    for text in [
        format!("{{\"connectionString\":\"{s}\"}}"),
        format!("{{\n  \"connectionString\": \"{s}\"\n}}\n"),
        format!("[{{\"connectionString\": [\"{s}\"], \"name\": \"hub\"}}]"),
        format!("{{\"IoTHub\": {{\"iotHubConnectionString\": \"{s}\", \"poll\": 5}}}}"),
        format!("{{\"value\":\"{{\\\"connectionString\\\":\\\"{s}\\\"}}\"}}"),
        format!("\"connectionString\": \"{s}\","),
        format!("export IOTHUB=\"{s}\""),
        format!("export IOTHUB='{s}'\nexport OTHER=1\n"),
        format!("X={s}"),
        format!("IOTHUB_CONNECTION_STRING={s}\nOTHER=foo\n"),
        format!("set X={s}"),
        format!("setx X \"{s}\""),
        format!("$env:X = '{s}'"),
        format!("connectionString: {s}\nother: 5\n"),
        format!("connection_string: \"{s}\"  # prod"),
        format!("  value: >-\n    {}\n", s.replace(';', ";\n    ")),
        format!("string cs = \"{s}\";"),
        format!("const cs = `{s}`;"),
        format!("var cs = @\"{s}\"; // the hub"),
        format!("az iot hub monitor-events --login \"{s}\" --device-id d"),
        format!("az iot hub query --login '{s}' -q \"SELECT * FROM devices\""),
        format!("Primary connection string: {s}"),
        format!("<add name=\"hub\" connectionString=\"{s}\" />"),
        format!("[hub]({s})"),
        format!("Hello,\n\nhere it is:\n\n{s}\n\nRegards, Bob"),
    ] {
        assert!(check(&text).contains(&Healing::Surroundings), "{text}");
    }
}

#[test]
fn wrapped_continued_and_in_pieces() {
    let (key_a, key_b) = KEY.split_at(KEY.len() / 2);
    let start = "HostName=hub.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey=";
    for text in [
        format!("{start}{key_a}\n{key_b}"),
        format!("{start}{key_a}\r\n   {key_b}\r\n"),
        format!("{start}{key_a} {key_b}"),
        format!("{start}\n{KEY}"),
        format!("\"{start}{key_a}\\\n{key_b}\""),
        format!("\"{start}{key_a}\\n{key_b}\""),
        format!("{start}{key_a}`\n{key_b}"),
        format!("{start}{key_a}^\r\n{key_b}"),
        format!("> {start}{key_a}\n> {key_b}\n> and so on"),
        format!("{start}{key_a}\n{key_b}\n\nRegards,\nBob"),
        format!(
            "\"HostName=hub.azure-devices.net;\" +\n  \"SharedAccessKeyName=iothubowner;\" +\n  \"SharedAccessKey={KEY}\""
        ),
        format!(
            "(\"HostName=hub.azure-devices.net;\"\n  \"SharedAccessKeyName=iothubowner;\"\n  \"SharedAccessKey={KEY}\")"
        ),
        format!("HostName=hub.azure-devices.net\nSharedAccessKeyName=iothubowner\nSharedAccessKey={KEY}\n"),
        format!("HostName = hub.azure-devices.net ; SharedAccessKeyName = iothubowner ; SharedAccessKey = {KEY} ;"),
        format!("HostName=hub.azure-\ndevices.net;Shared\nAccessKeyName=iothub\nowner;SharedAccessKey={KEY}"),
    ] {
        check(&text);
    }
}

#[test]
fn escaped_and_invisible() {
    let s = plain();
    for text in [
        s.replace('=', "\\u003d"),
        s.replace('=', "\\u003D").replace(';', "\\u003b"),
        s.replace('=', "&#61;"),
        s.replace('=', "&#x3D;"),
        s.replace('=', "%3D").replace(';', "%3B").replace('+', "%2B").replace('/', "%2F"),
        s.replace(KEY, &KEY.replace('=', "%3d").replace('+', "%2B").replace('/', "%2f")),
        s.replace('=', "=3D"),
        s.replace('=', "＝").replace(';', "；"),
        base64(&s),
        format!("data: {}", base64(&s)),
    ] {
        assert!(check(&text).contains(&Healing::Escapes), "{text}");
    }
    for c in ['\u{FEFF}', '\u{200B}', '\u{200D}', '\u{2060}', '\u{AD}', '\u{202E}', '\u{0}', '\u{7}'] {
        let middle = s.replace("Access", &format!("Ac{c}cess")).replace("hub.", &format!("h{c}ub."));
        for text in [format!("{c}{s}"), format!("{s}{c}"), middle] {
            assert!(check(&text).contains(&Healing::Invisible), "{text:?}");
        }
    }
    for blank in ["\u{A0}", "\u{2003}", "\u{3000}", "\t"] {
        check(&format!("{blank}{}{blank}", s.replace(';', &format!(";{blank}"))));
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn of_several_the_one_of_the_policy_is_meant() {
    let s = plain();
    let device = format!("HostName=hub.azure-devices.net;DeviceId=d;SharedAccessKey={KEY}");
    check(&format!("{device}\n{s}"));
    let secondary = s.replace(KEY, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let both = format!("{{\"primary\": \"{s}\", \"secondary\": \"{secondary}\"}}");
    assert!(check(&both).contains(&Healing::Repeated));
    assert!(check(&format!("{s}\n{s}")).contains(&Healing::Repeated));
    check(&format!("{s}{s}"));
    let other = s.replace("iothubowner", "service");
    let wanted =
        PasteError::Several("iothubowner of hub.azure-devices.net, service of hub.azure-devices.net".to_owned());
    assert_eq!(ConnectionString::read(&format!("[\"{s}\", \"{other}\"]")), Err(wanted));
}

#[test]
fn what_is_wrong_is_named_with_the_remedy() {
    let host = "HostName=hub.azure-devices.net";
    let owner = "SharedAccessKeyName=iothubowner";
    let part = |error| PasteError::Part { error };
    for (text, expected) in [
        (String::new(), PasteError::Empty),
        (" \u{FEFF}; ".into(), PasteError::Empty),
        ("hello".into(), PasteError::NoString),
        ("hub.azure-devices.net".into(), PasteError::NoString),
        (KEY.into(), PasteError::BareKey),
        (format!("\"{KEY}\""), PasteError::BareKey),
        ("SharedAccessSignature sr=h&sig=YWJj&se=1&skn=p".into(), PasteError::BareToken),
        (
            format!("Endpoint=sb://ihsuprod.servicebus.windows.net/;{owner};SharedAccessKey={KEY};EntityPath=hub"),
            PasteError::EventHubs,
        ),
        (
            format!("DefaultEndpointsProtocol=https;AccountName=a;AccountKey={KEY};EndpointSuffix=core.windows.net"),
            PasteError::Storage,
        ),
        (
            format!("HostName=x.azure-devices-provisioning.net;SharedAccessKeyName=o;SharedAccessKey={KEY}"),
            PasteError::Provisioning,
        ),
        (format!("{host};{owner}"), part(Part::Missing("SharedAccessKey"))),
        (format!("\"{host};{owner};SharedAccessKey=\""), part(Part::EmptyPart("SharedAccessKey"))),
        (format!("{owner};SharedAccessKey={KEY}"), part(Part::Missing("HostName"))),
        (format!("{host};SharedAccessKey={KEY}"), part(Part::Missing("SharedAccessKeyName"))),
        (format!("{host};{owner};SharedAccessKey=****"), PasteError::HiddenKey),
        (format!("{host};{owner};SharedAccessKey=<your key>"), PasteError::HiddenKey),
        (format!("{host};{owner};SharedAccessKey=••••••••"), PasteError::HiddenKey),
        (format!("{host};Foo=bar;{owner};SharedAccessKey={KEY}"), part(Part::UnknownPart("Foo".into()))),
    ] {
        let found = ConnectionString::read(&text);
        assert_eq!(found, Err(expected), "{text}");
        let said = found.unwrap_err().to_string();
        assert!(!said.contains(&KEY[..10]), "{said}");
    }
    let said = ConnectionString::read(&format!("{host};{owner}")).unwrap_err().to_string();
    assert_eq!(said, "there is no SharedAccessKey= part: copy the whole connection string once more");
}

#[test]
fn no_letter_of_a_part_is_dropped_in_silence() {
    let s = |id: &str| format!("HostName=h;DeviceId={id};SharedAccessKey={KEY}");
    for id in ["d'x", "d'", "(a)", "a,b", "a,", "a)b", "$edgeAgent", "d=e=", "HostNam=x"] {
        for text in [s(id), format!("\"{}\"", s(id)), format!("SharedAccessKey={KEY};HostName=h;DeviceId={id}")] {
            let read = ConnectionString::read(&text).unwrap_or_else(|error| panic!("{text}: {error}")).connection;
            let Who::Identity { id: found, .. } = read.who else { panic!("{text}") };
            assert_eq!(found.device, id, "{text}");
        }
    }
    for id in ["a/b", "a\u{e4}b", "a}b", "a]b", "a{b", "a|b"] {
        let found = ConnectionString::read(&s(id));
        assert!(
            matches!(&found, Err(PasteError::Part { error: Part::Bad { part: "DeviceId", .. } })),
            "{id}: {found:?}"
        );
    }
}

fn connection() -> impl Strategy<Value = ConnectionString> {
    use base64::Engine as _;
    let key = || {
        proptest::collection::vec(any::<u8>(), 16..65)
            .prop_map(|bytes| Secret::new(base64::engine::general_purpose::STANDARD.encode(bytes)))
    };
    let proof = prop_oneof![
        3 => key().prop_map(Proof::Key),
        1 => (key(), any::<u32>())
            .prop_map(|(key, se)| Proof::Token(sas::sign("h/devices/d", &key, se.into(), Some("p")).unwrap())),
    ];
    let id = || legal_id().prop_filter("no ; in a connection string", |id| !id.contains(';'));
    let who = prop_oneof![
        3 => ("[A-Za-z0-9._-]{1,20}", proof.clone()).prop_map(|(policy, proof)| Who::Service { policy, proof }),
        1 => (id(), proptest::option::of(id()), proof)
            .prop_map(|(device, module, proof)| Who::Identity { id: TwinId { device, module }, proof }),
    ];
    let host = "[a-z][a-z0-9-]{0,12}(\\.[a-z0-9]{1,8}){0,2}(:[1-9][0-9]{0,3})?|\\[::1\\](:8443)?|::1";
    (host, who).prop_map(|(host_name, who)| ConnectionString { host_name, gateway_host_name: None, who })
}

fn service() -> impl Strategy<Value = ConnectionString> {
    connection().prop_filter("a policy's, as the portal shows them", |connection| {
        matches!(&connection.who, Who::Service { proof: Proof::Key(_), .. })
    })
}

/// What may get between two characters on the way from a screen to here.
const JUNK: [&str; 10] = ["\n", "\r\n", "\n    ", " ", "\u{200B}", "\u{FEFF}", "\u{A0}", "\\\n", "\t", "\u{2028}"];

proptest! {
    #[test]
    fn a_valid_string_is_never_changed(connection in connection()) {
        let read = ConnectionString::read(connection.reveal().reveal());
        prop_assert_eq!(read.map(|read| (read.connection, read.healed)), Ok((connection, Vec::new())));
    }

    #[test]
    fn any_wrapping_is_healed(
        connection in service(),
        junk in proptest::collection::vec((any::<prop::sample::Index>(), 0..JUNK.len()), 0..12),
        frame in prop_oneof![
            Just(("", "")), Just(("\"", "\"")), Just(("'", "';")), Just(("“", "”,")), Just(("export X=\"", "\"\n")),
            Just(("{\"connectionString\": \"", "\"}")), Just(("X=", "\n")), Just(("key: ", "")), Just(("$env:X = '", "'")),
        ],
        end in prop_oneof![Just(""), Just(";"), Just(";;")],
    ) {
        let mut text: Vec<String> = connection.reveal().reveal().chars().map(String::from).collect();
        for (at, what) in junk {
            let at = at.index(text.len());
            text[at].push_str(JUNK[what]);
        }
        let text = format!("{}{}{end}{}", frame.0, text.concat(), frame.1);
        let read = ConnectionString::read(&text);
        prop_assert_eq!(read.map(|read| read.connection), Ok(connection), "{:?}", text);
    }

    #[test]
    fn any_text_is_read_or_refused_without_its_key(text in ".{0,200}", cut in any::<prop::sample::Index>(), connection in service()) {
        let string = connection.reveal();
        let Who::Service { proof: Proof::Key(key), .. } = &connection.who else { unreachable!() };
        let at = cut.index(string.reveal().len());
        let mut mixed = string.reveal().to_owned();
        mixed.insert_str(at, &text);
        if let Err(error) = ConnectionString::read(&mixed) {
            let said = format!("{error} {error:?}");
            prop_assert!(!said.contains(&key.reveal()[..16]), "{said}");
        }
    }
}
