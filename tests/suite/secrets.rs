//! No key is printed, wherever it was put.

use crate::support::program;
use proptest::prelude::*;
use std::process::Command;
use twinscope::protocol::secret::redacted;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const BARE: &str = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE";

#[test]
fn secrets_are_taken_out_of_texts() {
    for (text, expected) in [
        ("HostName=h;SharedAccessKeyName=o;SharedAccessKey=K", "HostName=h;SharedAccessKeyName=o;SharedAccessKey=***"),
        ("SharedAccessSignature sr=h&sig=a%2Bb%3D&se=1&skn=o", "SharedAccessSignature sr=h&sig=***&se=1&skn=o"),
        ("HostName%3Dh%3BSharedAccessKey%3Dabc%3Bx", "HostName%3Dh%3BSharedAccessKey%3D***%3Bx"),
        (r#"{"primaryKey":"abc","deviceId":"d"}"#, r#"{"primaryKey":"***","deviceId":"d"}"#),
        (r#""{\"primaryKey\": \"abc\"}""#, r#""{\"primaryKey\": \"***\"}""#),
        ("Password: hunter2 x", "Password: *** x"),
        ("the value 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=' is bad", "the value '***' is bad"),
        ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8%3D", "***"),
        ("key=7 SharedAccessKeyName=iothubowner", "key=7 SharedAccessKeyName=iothubowner"),
        ("an unknown key: deviceId", "an unknown key: deviceId"),
        ("etag AAAAAAAAAAE= of thermostat-01", "etag AAAAAAAAAAE= of thermostat-01"),
    ] {
        assert_eq!(redacted(text), expected);
        assert_eq!(redacted(expected), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_key_comes_through(key in "[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", before in "[ -~]{0,20}", after in "[;& '\"]?") {
        let before = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "+/%".contains(c));
        for name in ["SharedAccessKey=", "sig=", "password = ", "\"primaryKey\":\"", ""] {
            let text = format!("{before} {name}{key}{after}");
            prop_assert!(!redacted(&text).contains(&key), "{text}");
        }
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,60}") {
        let once = redacted(&text).into_owned();
        prop_assert_eq!(redacted(&once), once.as_str());
    }
}

#[test]
fn the_command_line_repeats_no_key() {
    let string = format!("HostName=h;SharedAccessKeyName=o;SharedAccessKey={KEY}");
    let wrapped = format!("HostName=h;SharedAccessKey={} {}", &KEY[..20], &KEY[20..]);
    let lines: &[&[&str]] = &[
        &[],
        &["hub"],
        &["hub", "--https"],
        &["hub", "--mqtts"],
        &["hub", "--fault"],
        &["hub", "--name"],
        &["hub", "--fleet"],
        &["hub", "--index-lag"],
        &["hub", "--fault-seed"],
        &["token", "--for"],
        &["token"],
        &["--nothing"],
    ];
    for before in lines {
        for argument in
            [&string, &wrapped, &KEY.to_owned(), &BARE.to_owned(), &format!("--{string}"), &format!("-{string}")]
        {
            // A key without its padding could be a host's name, and the hub would run.
            if *argument == BARE && before.contains(&"--name") {
                continue;
            }
            let mut command = Command::new(program());
            command.args(*before).arg(argument).env_remove("TWINSCOPE_CONNECTION_STRING");
            let output = command.stdin(std::process::Stdio::null()).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
            assert!(!output.status.success(), "{before:?}");
            for piece in [&KEY[..12], &KEY[24..], &BARE[..20]] {
                assert!(!said.contains(piece), "{before:?} {argument}: {said}");
            }
        }
    }
}
