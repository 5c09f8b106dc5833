//! How Microsoft's clients are pointed at the hub: the README, `--help` and what a started hub says agree with the table.

use crate::support::program;
use clap::CommandFactory;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;
use twinscope::args::Args;
use twinscope::pointing::{DEFAULT_PORTS, Listener, POINTINGS, Pointing, Port, Ports, help, markdown};

fn text_of(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn row(client: &str) -> &'static Pointing {
    POINTINGS.iter().find(|pointing| pointing.client == client).unwrap()
}

#[test]
fn the_readme_holds_the_table() {
    assert!(text_of("README.md").contains(&format!("\n\n{}\n", markdown())), "it should be:\n{}", markdown());
}

#[test]
fn the_readme_has_a_row_for_each_option_of_the_hub() {
    let command = Args::command();
    let hub = command.find_subcommand("hub").unwrap();
    let longs = hub.get_arguments().chain(command.get_arguments().filter(|arg| arg.is_global_set()));
    let mut options: Vec<&str> = longs.filter_map(clap::Arg::get_long).collect();
    options.sort_unstable();
    let readme = text_of("README.md");
    let section = readme.split("\n## The local hub for your own clients\n").nth(1).unwrap();
    let table = section.split("| option | meaning | default |\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `--"));
    let mut said: Vec<&str> = rows.map(|row| row.split([' ', '`']).next().unwrap()).collect();
    said.sort_unstable();
    assert!(options.len() > 5, "{options:?}");
    assert_eq!(said, options);
}

#[test]
fn what_counts_as_tried_is_what_the_tests_install() {
    let python = text_of("tests/sdk/python/requirements.txt");
    let node: Value = serde_json::from_str(&text_of("tests/sdk/node/package.json")).unwrap();
    let mut tried = 0;
    for Pointing { client, tested, .. } in POINTINGS {
        let Some(version) = tested else { continue };
        let package = client.split([' ', ',']).nth(1).unwrap();
        if client.starts_with("az ") {
            let (az, extension) = version.split_once(", azure-iot ").unwrap();
            assert!(text_of("tests/sdk/run").contains(&format!("\naz_version={az}\n")), "{client}");
            assert!(!extension.is_empty());
        } else if client.starts_with("Python") {
            assert!(python.contains(&format!("{package}=={version}\n")), "{client}");
        } else {
            let transport = node["dependencies"]["azure-iot-device-mqtt"].as_str().unwrap();
            let own = node["dependencies"][package].as_str().unwrap();
            let both = format!("{own}, transport {transport}");
            assert!(version == own || version == both, "{client}");
        }
        tried += 1;
    }
    assert_eq!(tried, 7);
}

#[test]
fn ports_are_said_where_they_can_be() {
    let (usual, odd) = (Ports { https: 443, mqtts: 8883 }, Ports { https: 1443, mqtts: 1883 });
    let ca = Path::new("/tmp/ca.pem");
    for (client, ports, wanted) in [
        ("Python azure-iot-hub", usual, "python app.py  # Python azure-iot-hub: HostName=localhost;…"),
        ("Python azure-iot-hub", odd, "HostName=localhost:1443;…"),
        ("Python azure-iot-device", DEFAULT_PORTS, "# Python azure-iot-device: HostName=localhost;…"),
        ("Python azure-iot-device", odd, "HostName=localhost;…, knows port 8883 only: forward it to 1883"),
        ("Node azure-iothub", DEFAULT_PORTS, "HostName=localhost;…, knows port 443 only: forward it to 8443"),
        ("Node azure-iothub", usual, "HostName=localhost;…"),
        ("Node azure-iot-device, Mqtt", odd, "HostName=localhost:1883;…"),
        ("Node azure-iot-device, MqttWs", odd, "HostName=localhost;…, knows port 443 only: forward it to 1443"),
    ] {
        let line = row(client).line("localhost", ports, ca);
        assert!(line.ends_with(wanted) && line.contains("=/tmp/ca.pem "), "{client}: {line}");
    }
    for (path, wanted) in [
        ("/a b/ca.pem", "REQUESTS_CA_BUNDLE='/a b/ca.pem' python"),
        ("/it's/$x/ca.pem", r"REQUESTS_CA_BUNDLE='/it'\''s/$x/ca.pem' python"),
        ("/ä/ca.pem", "REQUESTS_CA_BUNDLE=/ä/ca.pem python"),
    ] {
        let line = row("Python azure-iot-hub").line("localhost", usual, Path::new(path));
        assert!(line.starts_with(wanted), "{line}");
    }
}

#[test]
fn the_help_has_every_line() {
    let output = Command::new(program()).args(["hub", "--help"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let help = help();
    for Pointing { client, command, .. } in POINTINGS {
        assert!(help.contains(client), "{client}");
        assert!(said.lines().any(|line| line.trim() == command), "{client} in {said}");
    }
    for heading in ["Where it listens:", "What it knows:", "How it behaves:"] {
        assert!(said.lines().any(|line| line == heading), "{said}");
    }
}

/// Starts a hub on free ports; its ready line, and what it said on stderr before.
fn started(data: &Path, more: &[&str]) -> (Value, Vec<String>) {
    let mut command = Command::new(program());
    command
        .args(["hub", "--fleet", "empty", "--https", "127.0.0.1:0", "--mqtts", "127.0.0.1:0", "--data"])
        .arg(data)
        .args(more);
    command.env("RUST_LOG", "off").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (serde_json::from_str(&line).unwrap(), said.lines().map(str::to_owned).collect())
}

#[test]
fn a_started_hub_says_how_each_client_is_pointed_at_it() {
    let dir = TempDir::new().unwrap();
    let (ready, said) = started(&dir.path().join("it's here"), &[]);
    let port = |key: &str| ready[key].as_str().unwrap().rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
    let ports = Ports { https: port("https"), mqtts: port("mqtts") };
    let ca_file = PathBuf::from(ready["caFile"].as_str().unwrap());
    for pointing in &POINTINGS {
        let line = pointing.line("localhost", ports, &ca_file);
        assert!(said.iter().any(|said| said.trim() == line), "{line} in {said:#?}");
        let port = match pointing.listener {
            Listener::Https => ports.https,
            Listener::Mqtts => ports.mqtts,
        };
        let number = match pointing.port {
            Port::InHostName => format!("HostName=localhost:{port};"),
            Port::UsualOnly => format!("forward it to {port}"),
        };
        assert!(line.contains(&number) && line.contains("here/ca/ca.pem"), "{line}");
    }
    for string in ready["connectionStrings"].as_object().unwrap().values() {
        let key = string.as_str().unwrap().rsplit_once("SharedAccessKey=").unwrap().1;
        assert!(said.iter().all(|line| !line.contains(key)), "no key on stderr");
    }
}

#[test]
fn a_hub_with_a_name_says_that_one() {
    let dir = TempDir::new().unwrap();
    let (ready, said) = started(dir.path(), &["--name", "Hub.Test", "--name", "10.1.2.3"]);
    let port = |key: &str| ready[key].as_str().unwrap().rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
    let ports = Ports { https: port("https"), mqtts: port("mqtts") };
    let ca_file = PathBuf::from(ready["caFile"].as_str().unwrap());
    for pointing in &POINTINGS {
        let line = pointing.line("hub.test", ports, &ca_file);
        assert!(line.contains(&pointing.host_name("hub.test", ports)) && !line.contains("localhost"), "{line}");
        assert!(said.iter().any(|said| said.trim() == line), "{line} in {said:#?}");
    }
    let start = format!("HostName=hub.test:{};SharedAccessKeyName=", ports.https);
    let strings = ready["connectionStrings"].as_object().unwrap().values();
    for string in strings.chain([&ready["connectionString"]]) {
        assert!(string.as_str().unwrap().starts_with(&start), "{string}");
    }
}

/// A shell finds the CA file in the line as it was printed.
#[cfg(unix)]
#[test]
fn a_line_works_in_a_shell() {
    let dir = TempDir::new().unwrap();
    let ca_file = dir.path().join("it's $HOME \"here\".pem");
    std::fs::write(&ca_file, "the authority").unwrap();
    let line = row("Python azure-iot-hub").line("localhost", DEFAULT_PORTS, &ca_file);
    let line = line.replace("python app.py", "sh -c 'cat \"$REQUESTS_CA_BUNDLE\"'");
    let output = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "the authority", "{line}");
}
