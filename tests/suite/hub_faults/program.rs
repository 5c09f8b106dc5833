//! `twinscope hub --fault …`: the words on the command line, and what the program says about them.

use crate::support::program;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use twinscope::client::Trust;

fn hub(faults: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(["hub", "--fleet", "empty", "--https", "127.0.0.1:0", "--mqtts", "127.0.0.1:0"]).args(faults);
    command.env("RUST_LOG", "off");
    command
}

/// What it says on stderr until it is ready; it is ended then.
fn said_when_ready(faults: &[&str]) -> String {
    let data = tempfile::tempdir().unwrap();
    let mut child =
        hub(faults).arg("--data").arg(data.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(ready.contains("connectionString"), "{ready}{said}");
    said
}

#[test]
fn the_seed_is_told_whatever_is_logged() {
    let said = said_when_ready(&["--fault", "429 p=0.1", "--fault", "evict=30s id=dev1", "--fault-seed", "77"]);
    assert!(said.contains("seed 77") && said.contains("--fault-seed 77"), "{said}");
    assert!(said.contains("  429 p=0.1\n") && said.contains("  evict=30s id=dev1\n"), "{said}");
    let drawn = said_when_ready(&["--fault", "429 p=0.1"]);
    let seed = drawn.split("--fault-seed ").nth(1).and_then(|rest| rest.split(')').next()).unwrap();
    assert!(seed.parse::<u64>().is_ok(), "{drawn}");
    assert!(!said_when_ready(&[]).contains("fault"), "nothing is said of faults where there are none");
}

#[tokio::test]
async fn why_a_client_is_gone_is_told_without_being_asked_for() {
    let data = tempfile::tempdir().unwrap();
    let mut command = hub(&[]);
    let mut child = command
        .env_remove("RUST_LOG")
        .arg("--data")
        .arg(data.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    let mqtts = ready["mqtts"].as_str().unwrap();
    // A port check, one that does not trust the hub, and one that speaks no MQTT.
    drop(tokio::net::TcpStream::connect(mqtts).await.unwrap());
    let stranger = Trust::new(&[]).unwrap();
    let friend = Trust::new(&[ready["caFile"].as_str().unwrap().into()]).unwrap();
    assert!(tls(&stranger, mqtts).await.is_err());
    let mut talker = tls(&friend, mqtts).await.unwrap();
    talker.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    // The hub says nothing and closes, with or without the end of TLS.
    let _closed = talker.read_to_end(&mut rest).await;
    assert_eq!(rest, b"");
    child.kill().unwrap();
    child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    for part in ["does not trust the hub's CA file", "the hub ended an MQTT connection", "Malformed"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(said.matches("a TLS handshake failed").count(), 1, "the port check is none: {said}");
}

async fn tls(trust: &Trust, addr: &str) -> std::io::Result<tokio_rustls::client::TlsStream<tokio::net::TcpStream>> {
    let socket = tokio::net::TcpStream::connect(addr).await?;
    let connector = tokio_rustls::TlsConnector::from(trust.config());
    connector.connect("localhost".try_into().unwrap(), socket).await
}

#[test]
fn a_wrong_word_is_named_with_its_place_and_remedy() {
    let refused = |faults: &[&str]| -> String {
        let Output { status, stderr, .. } = hub(faults).output().unwrap();
        assert!(!status.success());
        String::from_utf8(stderr).unwrap()
    };
    let said = refused(&["--fault", "429 p=2"]);
    for part in ["--fault", "\"p=2\" at 5:", "a probability is above 0 and at most 1", "p=0.1"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = refused(&["--fault-seed", "many"]);
    for part in ["--fault-seed", "a whole number from 0", "such as 7"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let many = ["--fault", "429"].repeat(101);
    let said = refused(&many);
    assert!(said.contains("at most 100 faults"), "{said}");
}

#[test]
fn the_help_speaks_the_language() {
    let Output { stdout, .. } = hub(&["--help"]).output().unwrap();
    let help = String::from_utf8(stdout).unwrap();
    let (_, faults) = help.split_once("\nFaults:\n").expect("a heading of its own");
    for word in ["--fault <TEXT>", "--fault-seed <N>", "drop=halfway", "lose=puback", "skew=-10m", "nth=3", "for=30s"] {
        assert!(faults.contains(word), "{word}: {faults}");
    }
    for scope in twinscope::protocol::fault::Scope::ALL {
        assert!(faults.contains(scope.word()), "{}: {faults}", scope.word());
    }
    // Every example is one.
    for line in faults.lines().filter(|line| line.contains("   ")) {
        let word = line.trim().split("  ").next().unwrap();
        if ["latency", "429", "drop", "lose", "evict", "skew"].iter().any(|kind| word.starts_with(kind)) {
            for word in word.split(", ").filter(|word| *word != "…") {
                word.parse::<twinscope::protocol::fault::Fault>().unwrap();
            }
        }
    }
}
