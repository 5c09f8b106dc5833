//! `twinscope hub` as a program: ready line, signals, refusals.

use crate::support::{Caller, PATIENCE, Raw, program, token};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;
use twinscope::protocol::connection_string::{ConnectionString, Proof, Who};

/// The program with its ready line; killed when dropped.
pub struct Running {
    pub child: Child,
    pub ready: Value,
    /// Stays open, so that the program can go on printing.
    pub stdout: BufReader<std::process::ChildStdout>,
}

/// `twinscope hub --data dir …` on free ports.
pub fn start(data: &Path, more: &[&str]) -> Running {
    started(command(data, more))
}

fn started(command: Command) -> Running {
    started_with(command, |mut log| {
        // Nobody reads the log; a full pipe would stop the program.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    })
}

/// As [`start`], of a command, with something else to be done with its log.
pub fn started_with(mut command: Command, log: impl FnOnce(std::process::ChildStderr)) -> Running {
    let mut child = command.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let ready = serde_json::from_str(&line).unwrap_or_else(|_| {
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        panic!("no ready line: {line:?} {errors}")
    });
    log(child.stderr.take().unwrap());
    Running { child, ready, stdout }
}

pub fn command(data: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(["hub", "--https", "127.0.0.1:0", "--mqtts", "127.0.0.1:0", "--data"]).arg(data).args(more);
    command.env_remove("RUST_LOG").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Running {
    pub fn key(&self) -> twinscope::protocol::secret::Secret {
        let text = self.ready["connectionString"].as_str().unwrap();
        match ConnectionString::parse(text).unwrap().who {
            Who::Service { policy, proof: Proof::Key(key) } if policy == "iothubowner" => key,
            other => panic!("{other:?}"),
        }
    }

    pub async fn owner(&self) -> Caller {
        let ca_file = PathBuf::from(self.ready["caFile"].as_str().unwrap());
        let addr = self.ready["https"].as_str().unwrap().parse().unwrap();
        Caller::connect(addr, &ca_file, &token("localhost", &self.key(), Some("iothubowner"))).await
    }

    /// Sends a signal by name and waits for the end.
    #[cfg(unix)]
    pub fn stop(mut self, signal: &str) -> (std::process::ExitStatus, String) {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }
}

#[tokio::test]
async fn options_that_make_it_behave_otherwise() {
    let dir = TempDir::new().unwrap();
    let hub = start(dir.path(), &["--fleet", "empty", "--index-lag", "1h", "--strict-if-match"]);
    let mut owner = hub.owner().await;
    owner.device("d").await;
    let rows = owner.query("SELECT * FROM devices", &[]).await;
    assert_eq!(rows.ok(), serde_json::json!([]), "the index is an hour late");
    let patch = serde_json::json!({"tags": {"a": 1}});
    owner.patch_if("/twins/d", "AAAAAAAAAAk=", patch.clone()).await.refused(412, "PreconditionFailed");
    let etag = owner.get("/twins/d").await.ok()["etag"].as_str().unwrap().to_owned();
    owner.patch_if("/twins/d", &etag, patch).await.ok();
    for wrong in [&["--index-lag", "soon"][..], &["--index-lag=-1s"], &["--index-lag", "2"]] {
        let output = run(command(dir.path(), wrong));
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && errors.contains("--index-lag"), "{wrong:?}: {errors}");
    }
}

#[tokio::test]
async fn the_ready_line_has_a_string_for_each_policy() {
    let dir = TempDir::new().unwrap();
    let hub = start(dir.path(), &["--fleet", "empty"]);
    hub.owner().await.device("d").await;
    let strings = hub.ready["connectionStrings"].as_object().unwrap();
    let names: Vec<&String> = strings.keys().collect();
    assert_eq!(names, ["iothubowner", "service", "device", "registryRead", "registryReadWrite"]);
    assert_eq!(strings["iothubowner"], hub.ready["connectionString"]);
    let host_name = format!("localhost:{}", hub.ready["https"].as_str().unwrap().rsplit(':').next().unwrap());
    let ca_file = PathBuf::from(hub.ready["caFile"].as_str().unwrap());
    let addr = hub.ready["https"].as_str().unwrap().parse().unwrap();
    // Each has the key of its own policy, and the rights of that: to read the identity, to read the twin.
    for (policy, rights) in [
        ("iothubowner", [200, 200]),
        ("service", [401, 200]),
        ("device", [401, 401]),
        ("registryRead", [200, 401]),
        ("registryReadWrite", [200, 401]),
    ] {
        let string = ConnectionString::parse(strings[policy].as_str().unwrap()).unwrap();
        assert_eq!(string.host_name, host_name);
        let Who::Service { policy: of, proof: Proof::Key(key) } = string.who else { panic!("{policy}") };
        assert_eq!(of, policy);
        let mut caller = Caller::connect(addr, &ca_file, &token("localhost", &key, Some(policy))).await;
        let got = [caller.get("/devices/d").await, caller.get("/twins/d").await];
        let refused = got.iter().filter(|reply| reply.status == 401).map(super::super::support::Reply::text);
        assert_eq!(got.each_ref().map(|reply| reply.status), rights, "{policy}");
        // Refused for want of a right, not for a wrong key.
        assert!(refused.into_iter().all(|text| text.contains(&format!("the policy {policy}"))), "{policy}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs to the end, which must come by itself.
fn run(mut command: Command) -> Output {
    let child = command.spawn().unwrap();
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || done.send(child.wait_with_output().unwrap()));
    ended.recv_timeout(PATIENCE).expect("the program ends by itself")
}

fn error_of(command: Command) -> String {
    let output = run(command);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[cfg(unix)]
#[tokio::test]
async fn the_ready_line_opens_the_hub_and_signals_stop_it() {
    let dir = TempDir::new().unwrap();
    for signal in ["TERM", "INT"] {
        let running = start(dir.path(), &["--fleet", "empty"]);
        let names: Vec<&String> = running.ready.as_object().unwrap().keys().collect();
        assert_eq!(names, ["connectionString", "connectionStrings", "https", "mqtts", "caFile"]);
        let port = running.ready["https"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
        let text = running.ready["connectionString"].as_str().unwrap();
        let start = format!("HostName=localhost:{port};SharedAccessKeyName=iothubowner;SharedAccessKey=");
        assert!(text.starts_with(&start), "the port is in the host name");
        let mut owner = running.owner().await;
        assert_eq!(owner.device(&format!("made-before-{signal}")).await["status"], "enabled");
        let (status, rest) = running.stop(signal);
        assert_eq!((status.code(), rest.as_str()), (Some(0), ""), "{signal}: clean, and nothing else on stdout");
    }
    let running = start(dir.path(), &["--fleet", "demo"]);
    let list = running.owner().await.get("/devices").await.ok();
    assert_eq!(list.as_array().unwrap().len(), 2, "the fleet is for a fresh hub only: {list}");
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let dir = TempDir::new().unwrap();
    for option in ["--https", "--mqtts"] {
        let mut command = Command::new(program());
        let other = if option == "--https" { "--mqtts" } else { "--https" };
        command.args(["hub", option, &addr, other, "127.0.0.1:0", "--fleet", "empty", "--data"]).arg(dir.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let error = error_of(command);
        assert!(error.contains(&addr) && error.contains("taken"), "{error}");
    }
}

#[tokio::test]
async fn one_address_for_both_listeners_is_named_as_that() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = free.local_addr().unwrap().to_string();
    drop(free);
    let dir = TempDir::new().unwrap();
    for mqtts in [addr.clone(), addr.replace("127.0.0.1", "0.0.0.0")] {
        let mut command = Command::new(program());
        command.args(["hub", "--expose", "--https", &addr, "--mqtts", &mqtts, "--data"]).arg(dir.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let error = error_of(command);
        assert!(error.contains("HTTPS and MQTT cannot both") && !error.contains("another program"), "{error}");
    }
}

#[tokio::test]
async fn demo_devices_play_where_the_hub_was_founded_with_them() {
    let dir = TempDir::new().unwrap();
    drop(start(dir.path(), &[]));
    let running = start(dir.path(), &["--fleet", "empty"]);
    let mut owner = running.owner().await;
    let connected = async {
        while owner.get("/devices/myFirstDevice").await.ok()["connectionState"] != "Connected" {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, connected).await.expect("the device plays");
}

#[cfg(unix)]
#[test]
fn exposed_starts_and_says_so() {
    for (name, is_warned) in [(&[][..], true), (&["--name", "localhost"], true), (&["--name", "hub.test"], false)] {
        let dir = TempDir::new().unwrap();
        let mut command = Command::new(program());
        command.args(["hub", "--expose", "--https", "0.0.0.0:0", "--mqtts", "127.0.0.1:0", "--fleet", "empty"]);
        command.args(name).arg("--data").arg(dir.path()).env_remove("RUST_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let mut running = Running { ready: serde_json::from_str(&line).unwrap(), child, stdout };
        assert!(running.ready["https"].as_str().unwrap().starts_with("0.0.0.0:"), "{line}");
        let mut stderr = running.child.stderr.take().unwrap();
        running.stop("TERM");
        let mut said = String::new();
        stderr.read_to_string(&mut said).unwrap();
        assert!(said.contains("WARN") && said.contains("other machines can reach this hub"), "{said}");
        assert_eq!(said.contains("clients on other machines need --name"), is_warned, "{name:?}: {said}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_low_limit_of_open_files_is_raised() {
    const LOW: usize = 48;
    let dir = TempDir::new().unwrap();
    let plain = command(dir.path(), &["--fleet", "empty"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -S -n {LOW} && exec \"$0\" \"$@\"")]).arg(plain.get_program());
    limited.args(plain.get_args()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = started(limited);
    let ca_file = PathBuf::from(running.ready["caFile"].as_str().unwrap());
    let addr = running.ready["https"].as_str().unwrap().parse().unwrap();
    let mut open = Vec::new();
    for _ in 0..LOW * 2 {
        // Panics when the handshake does not come about.
        open.push(Raw::connect(addr, &ca_file).await);
    }
    running.owner().await.get("/devices").await.ok();
}

#[test]
fn the_default_addresses_are_loopback() {
    use clap::Parser;
    let args = twinscope::args::Args::try_parse_from(["twinscope", "hub"]).unwrap();
    let Some(twinscope::args::Command::Hub(hub)) = args.command else { panic!("{args:?}") };
    assert_eq!((hub.https.to_string(), hub.mqtts.to_string()), ("127.0.0.1:8443".into(), "127.0.0.1:8883".into()));
    assert_eq!(hub.exposure(), twinscope::local_hub::Exposure::LoopbackOnly);
}

#[test]
fn listening_beyond_loopback_needs_the_word() {
    let dir = TempDir::new().unwrap();
    let mut command = Command::new(program());
    command.args(["hub", "--https", "0.0.0.0:0", "--mqtts", "127.0.0.1:0", "--data"]).arg(dir.path());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let error = error_of(command);
    assert!(error.contains("--expose"), "{error}");
}

#[test]
fn data_in_use_is_a_clear_error() {
    let dir = TempDir::new().unwrap();
    let running = start(dir.path(), &["--fleet", "empty"]);
    let error = error_of(command(dir.path(), &[]));
    assert!(error.contains("another hub is running on it"), "{error}");
    drop(running);
    drop(start(dir.path(), &[]));
}

#[cfg(unix)]
#[test]
fn damaged_files_are_set_aside_and_the_log_says_so() {
    let dir = TempDir::new().unwrap();
    drop(start(dir.path(), &["--fleet", "empty"]));
    for file in ["hub.redb", "ca/ca-key.pem"] {
        std::fs::write(dir.path().join(file), "nothing of the kind").unwrap();
        let (sender, log) = std::sync::mpsc::channel();
        let running = started_with(command(dir.path(), &[]), |log| sender.send(log).unwrap());
        let mut log = log.recv().unwrap();
        running.stop("TERM");
        let mut said = String::new();
        log.read_to_string(&mut said).unwrap();
        let name = file.rsplit('/').next().unwrap();
        let line = said.lines().find(|line| line.contains("WARN") && line.contains(&format!("{name} is damaged")));
        let line = line.unwrap_or_else(|| panic!("{said}"));
        let folder = dir.path().join(file).parent().unwrap().to_owned();
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let aside: Vec<String> = names.filter(|other| other.starts_with(&format!("{name}.damaged-"))).collect();
        assert_eq!(aside.len(), 1);
        assert!(line.contains(&aside[0]) && !said.contains("cannot listen"), "{said}");
        let content = std::fs::read(dir.path().join(file).with_file_name(&aside[0])).unwrap();
        assert_eq!(content, b"nothing of the kind");
    }
}

#[test]
fn bad_arguments_are_named() {
    let dir = TempDir::new().unwrap();
    for (arguments, word) in [
        (&["--fleet", "1000001"][..], "1000000"),
        (&["--fleet", "many"], "demo, empty"),
        (&["--fleet", "-1"], "-1"),
        (&["--dance"], "--dance"),
    ] {
        let output = run(command(dir.path(), arguments));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && error.contains(word), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn keys_and_data_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new().unwrap();
    drop(start(dir.path(), &["--fleet", "empty"]));
    for file in ["ca/ca-key.pem", "hub.redb"] {
        let mode = std::fs::metadata(dir.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file} {mode:o}");
    }
    let ca = std::fs::read_to_string(dir.path().join("ca/ca.pem")).unwrap();
    assert!(!ca.contains("PRIVATE"));
}
