//! `twinscope token`: through the program, as a shell calls it.

use crate::support::{Caller, TestHub, now_s, program};
use std::io::Write;
use std::process::{Command, Stdio};
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::sas::{self, Token};
use twinscope::protocol::secret::Secret;

const VARIABLE: &str = "TWINSCOPE_CONNECTION_STRING";
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Exit code, stdout and stderr.
fn said(variable: Option<&str>, stdin: &[u8], args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(program());
    command.arg("token").args(args).env_remove(VARIABLE).env_remove("RUST_LOG");
    if let Some(text) = variable {
        command.env(VARIABLE, text);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It need not read what it was given.
    child.stdin.take().unwrap().write_all(stdin).ok();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The token it printed, and nothing beside it.
fn token(variable: Option<&str>, stdin: &str, args: &[&str]) -> Token {
    let (code, stdout, stderr) = said(variable, stdin.as_bytes(), args);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    let line = stdout.strip_suffix('\n').unwrap();
    assert!(!line.contains('\n'), "{stdout}");
    sas::parse(line).unwrap()
}

fn service() -> String {
    format!("HostName=hub.test:8443;SharedAccessKeyName=service;SharedAccessKey={KEY}")
}

#[test]
fn a_token_is_for_the_hub_the_device_or_the_module() {
    let device = format!("HostName=hub.test;DeviceId=d;SharedAccessKey={KEY}");
    let module = format!("HostName=hub.test:8443;DeviceId=d;ModuleId=m;SharedAccessKey={KEY}");
    let service = service();
    for (string, args, resource, policy, seconds) in [
        (&service, &[][..], "hub.test", Some("service"), 3600),
        (&service, &["--for", "10m"], "hub.test", Some("service"), 600),
        (&service, &["--resource", "$twinscope"], "hub.test/$twinscope", Some("service"), 3600),
        (&service, &["--resource", "/devices/d/"], "hub.test/devices/d", Some("service"), 3600),
        (&device, &[], "hub.test/devices/d", None, 3600),
        (&device, &["--resource", "devices/d/messages"], "hub.test/devices/d/messages", None, 3600),
        (&module, &["--for=24h"], "hub.test/devices/d/modules/m", None, 86400),
    ] {
        for from_stdin in [false, true] {
            let before = now_s();
            let token = if from_stdin {
                token(None, &format!("{string}\n"), args)
            } else {
                // What stands in stdin does not count then.
                token(Some(string), "nonsense", args)
            };
            assert_eq!((token.resource.as_str(), token.policy.as_deref()), (resource, policy));
            assert!((before + seconds..=now_s() + seconds).contains(&token.expiry), "{token:?}");
            assert!(token.is_signed_by(&Secret::new(KEY)));
        }
    }
    assert_eq!(token(Some(" "), &service, &[]).resource, "hub.test", "an empty variable counts as none");
}

#[tokio::test]
async fn the_hub_takes_it() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let string = hub.hub.connection_string().reveal();
    for (args, path) in [(&[][..], "/devices"), (&["--resource", "$twinscope"], "/$twinscope/events")] {
        let (code, stdout, _) = said(Some(string.reveal()), b"", args);
        assert_eq!(code, 0);
        Caller::connect(hub.hub.https(), hub.hub.ca_file(), stdout.trim()).await.get(path).await.ok();
    }
}

#[test]
fn what_is_wrong_comes_with_the_remedy_and_without_the_key() {
    let ready = format!(
        "{};",
        service().replace(
            &format!("SharedAccessKey={KEY}"),
            "SharedAccessSignature=SharedAccessSignature sr=hub.test&sig=AAAA&se=1&skn=service"
        )
    );
    let certificate = "HostName=hub.test;DeviceId=d;x509=true";
    let no_host = format!("SharedAccessKeyName=service;SharedAccessKey={KEY}");
    let service = service();
    for (string, args, wanted) in [
        ("", &[][..], &["no connection string", VARIABLE, "stdin"][..]),
        (&no_host, &[], &["there is no HostName= part", "HostName=…;SharedAccessKeyName=…", "quotes"]),
        (KEY, &[], &["cannot be read"]),
        (&ready, &[], &["a token in it already", "SharedAccessKey=…"]),
        (certificate, &[], &["certificate"]),
        (&service, &["--resource", "hub.test/devices/d"], &["--resource", "devices/myFirstDevice"]),
        (&service, &["--resource", "HUB.test:8443/devices/d"], &["--resource"]),
        (&service, &["--resource", "https://hub.test/devices"], &["--resource"]),
        (&service, &["--resource", "devices?api-version=2021-04-12"], &["--resource"]),
    ] {
        for from_stdin in [false, true] {
            let (code, stdout, stderr) =
                if from_stdin { said(None, string.as_bytes(), args) } else { said(Some(string), b"", args) };
            assert_eq!((code, stdout.as_str(), stderr.lines().count()), (1, "", 1), "{string}: {stderr}");
            assert!(!stderr.contains(KEY.trim_end_matches('=')), "{stderr}");
            for part in wanted {
                assert!(stderr.contains(part), "{part}: {stderr}");
            }
        }
    }
    let (code, stdout, stderr) = said(Some(&service), b"", &[&service]);
    assert!(code == 1 && stdout.is_empty() && stderr.contains(VARIABLE) && !stderr.contains("AAEC"), "{stderr}");
    let (code, stdout, stderr) = said(None, b"HostName=\xff", &[]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("UTF-8"), "{stderr}");
    let (code, _, stderr) = said(None, &vec![b'x'; 100_000], &[]);
    assert!(code == 1 && stderr.contains("write that alone"), "{stderr}");
    for (wrong, part) in [("0", "a second at least"), ("10ms", "a second at least"), ("2d", "such as"), ("25h", "24h")]
    {
        let (code, _, stderr) = said(Some(&service), b"", &["--for", wrong]);
        assert!(code == 2 && stderr.contains("--for") && stderr.contains(part), "{wrong}: {stderr}");
    }
}

#[test]
fn the_string_may_stand_as_it_was_copied() {
    let service = service();
    for text in [
        format!("\"{service}\""),
        format!("{{\"connectionString\": \"{service}\"}}"),
        format!("export IOTHUB='{service}'\n"),
        format!("\u{feff}{service};\r\n"),
        service.replace("Key=", "Key=\n  "),
    ] {
        let by_variable = token(Some(&text), "", &[]);
        let by_stdin = token(None, &text, &[]);
        for token in [by_variable, by_stdin] {
            assert_eq!((token.resource.as_str(), token.policy.as_deref()), ("hub.test", Some("service")), "{text}");
            assert!(token.is_signed_by(&Secret::new(KEY)), "{text}");
        }
    }
    let (code, _, stderr) = said(None, format!("Endpoint=sb://x/;SharedAccessKey={KEY}").as_bytes(), &[]);
    assert!(code != 0 && stderr.contains("Event Hubs-compatible") && !stderr.contains(KEY), "{stderr}");
}
