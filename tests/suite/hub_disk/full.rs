//! A hub whose disk is full: it refuses what it cannot keep, shows what it kept last, and goes on when there is room.

use super::command;
use super::flaky::Disk;
use crate::hub_mqtt::place::{Over, Place, eventually, greeting, kept};
use crate::hub_mqtt::wire::{self, DISCONNECT, Got};
use crate::support::{Caller, PATIENCE, options, token};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use tempfile::TempDir;
use twinscope::local_hub::{FleetChoice, HubOptions, Limits, LocalHub};
use twinscope::twin::TwinId;

const RESPONSES: &str = "$iothub/twin/res/#";
const DESIRED: &str = "$iothub/twin/PATCH/properties/desired/#";

/// A hub on such a disk, with a device `d`.
async fn hub(disk: &Disk) -> (Place, Caller) {
    let folder = TempDir::new().unwrap();
    let options = HubOptions { data: Some(folder.path().join("data")), ..options(folder.path(), FleetChoice::Empty) };
    let local = LocalHub::start_on(options, Limits::default(), disk.layer()).await.unwrap();
    let place = Place::of(local, folder, Over::Tcp);
    let key = place.local.hub().policies().by_name("iothubowner").unwrap().primary.clone();
    let owner =
        Caller::connect(place.local.https(), place.local.ca_file(), &token("localhost", &key, Some("iothubowner")))
            .await;
    place.create(&TwinId::device("d")).await;
    (place, owner)
}

/// Every kind of change a service can ask for.
fn changes() -> Vec<(&'static str, &'static str, Value)> {
    let job = json!({
        "type": "scheduleUpdateTwin",
        "updateTwin": {"etag": "*", "tags": {"by": "job"}},
        "queryCondition": "deviceId = 'd'",
        "startTime": "2099-01-01T00:00:00Z",
    });
    let mut soon = job.clone();
    soon["startTime"] = Value::Null;
    vec![
        ("PATCH", "/twins/d", json!({"tags": {"a": 2}})),
        ("PUT", "/twins/d", json!({"properties": {"desired": {"b": 2}}})),
        ("PUT", "/devices/new", json!({"deviceId": "new"})),
        ("PUT", "/devices/d/modules/m", json!({"deviceId": "d", "moduleId": "m"})),
        ("POST", "/devices", json!([{"id": "new", "importMode": "create"}, {"id": "d", "importMode": "delete"}])),
        ("POST", "/devices/d/messages/deviceBound", json!({"to": "d"})),
        ("DELETE", "/devices/d/commands", Value::Null),
        ("PUT", "/jobs/v2/soon", soon),
        ("DELETE", "/devices/d", Value::Null),
    ]
}

/// What the hub shows of everything.
async fn shown(owner: &mut Caller) -> Vec<(u16, String)> {
    let mut all = Vec::new();
    for path in ["/devices", "/devices/d", "/twins/d", "/devices/d/modules", "/jobs/v2/query", "/jobs/v2/soon"] {
        let reply = owner.get(path).await;
        // The list of jobs says when it was asked.
        all.push((reply.status, reply.text()));
    }
    let rows = owner.query("SELECT * FROM devices", &[]).await;
    all.push((rows.status, rows.text()));
    all
}

#[tokio::test]
async fn a_full_disk_refuses_every_change_whole_and_takes_it_when_there_is_room() {
    for (method, path, body) in changes() {
        // At different steps of a commit.
        for steps in [0, 3] {
            let disk = Disk::new();
            let (_place, mut owner) = hub(&disk).await;
            owner.patch("/twins/d", json!({"tags": {"a": 1}, "properties": {"desired": {"b": 1}}})).await.ok();
            let message = ("POST", "/devices/d/messages/deviceBound");
            assert_eq!(owner.call(message.0, message.1, &[], Some(&json!({"kept": true}))).await.status, 204);
            let before = shown(&mut owner).await;
            let body = Some(body.clone()).filter(|body| !body.is_null());
            let headers: &[(&str, &str)] = if method == "DELETE" { &[("If-Match", "*")] } else { &[] };
            disk.fill_after(steps);
            // The first finds out, the second knows.
            for _ in 0..2 {
                owner.call(method, path, headers, body.as_ref()).await.refused(500, "ServerError");
                assert_eq!(shown(&mut owner).await, before, "{method} {path}");
            }
            disk.free();
            let reply = owner.call(method, path, headers, body.as_ref()).await;
            assert!(matches!(reply.status, 200 | 204), "{method} {path}: {}", reply.text());
        }
    }
}

#[tokio::test]
async fn what_was_refused_is_not_there_after_the_next_change_and_a_restart() {
    // Wherever in a commit the disk is full: what was refused may be in the file, until something is kept again.
    for steps in 0..16 {
        let disk = Disk::new();
        let (place, mut owner) = hub(&disk).await;
        owner.patch("/twins/d", json!({"tags": {"a": 1}})).await.ok();
        disk.fill_after(steps);
        let refused = owner.patch("/twins/d", json!({"tags": {"a": "refused"}})).await.status == 500;
        disk.free();
        let kept = owner.put("/devices/other", json!({"deviceId": "other"})).await;
        assert_eq!(kept.status, 200, "{}", kept.text());
        let before = shown(&mut owner).await;
        assert_eq!(before[2].1.contains("refused"), !refused);
        let Place { local, folder, .. } = place;
        local.stop().await;
        let options =
            HubOptions { data: Some(folder.path().join("data")), ..options(folder.path(), FleetChoice::Empty) };
        let local = LocalHub::start(options).await.unwrap();
        assert_eq!(local.notices(), [] as [String; 0]);
        let key = local.hub().policies().by_name("iothubowner").unwrap().primary.clone();
        let owner = token("localhost", &key, Some("iothubowner"));
        let mut owner = Caller::connect(local.https(), local.ca_file(), &owner).await;
        assert_eq!(shown(&mut owner).await, before, "after {steps} steps");
    }
}

#[tokio::test]
async fn over_mqtt_what_need_not_be_kept_goes_on_and_nothing_else_is_acknowledged() {
    let disk = Disk::new();
    let (place, mut owner) = hub(&disk).await;
    let id = TwinId::device("d");
    let mut old = place.dial().await;
    old.ask(&kept(&id).bytes(), Got::ConnAck(0, 0)).await;
    old.ask(&wire::subscribe(1, &[(RESPONSES, 1)]), Got::SubAck(1, vec![1])).await;
    disk.fill_after(0);
    owner.patch("/twins/d", json!({"tags": {"a": 1}})).await.refused(500, "ServerError");

    // A connection, reads and telemetry need no disk.
    let mut client = place.dial().await;
    client.ask(&kept(&id).bytes(), Got::ConnAck(1, 0)).await;
    old.expect_end().await;
    client.send(&wire::publish(0x30, 0, "$iothub/twin/GET/?$rid=1", b"")).await;
    assert_eq!(client.message().await.0, "$iothub/twin/res/200/?$rid=1");
    client.ask(&wire::publish(0x32, 2, "devices/d/messages/events/", b"x"), Got::PubAck(2)).await;
    // A report does, and a change of what a kept session is subscribed to.
    client.send(&wire::publish(0x30, 0, "$iothub/twin/PATCH/properties/reported/?$rid=3", br#"{"r":1}"#)).await;
    let (topic, body) = client.message().await;
    assert!(topic.starts_with("$iothub/twin/res/500/?$rid=3"), "{topic} {body}");
    client.ask(&wire::subscribe(4, &[(DESIRED, 1)]), Got::SubAck(4, vec![0x80])).await;
    // There is no UNSUBACK that says no.
    client.send(&wire::unsubscribe(5, &[RESPONSES])).await;
    client.expect_end().await;
    // A clean session would end the kept one.
    let mut clean = place.dial().await;
    clean.ask(&greeting(&id).bytes(), Got::ConnAck(0, 3)).await;
    clean.expect_end().await;

    disk.free();
    let mut client = place.dial().await;
    client.ask(&kept(&id).bytes(), Got::ConnAck(1, 0)).await;
    client.send(&wire::publish(0x30, 0, "$iothub/twin/GET/?$rid=6", b"")).await;
    assert_eq!(client.message().await.1["reported"], json!({"$version": 1}), "the old subscription holds");
    owner.patch("/twins/d", json!({"properties": {"desired": {"x": 1}}})).await.ok();
    client.expect_quiet().await;
    client.ask(&wire::subscribe(7, &[(DESIRED, 1)]), Got::SubAck(7, vec![1])).await;
    client.send(DISCONNECT).await;
}

/// A device that acknowledges its message is not told anything, so what became of the message is owed to the file.
#[tokio::test]
async fn what_nobody_waits_for_is_kept_when_there_is_room() {
    let disk = Disk::new();
    let (place, mut owner) = hub(&disk).await;
    let id = TwinId::device("d");
    let mut client = place.dial().await;
    client.ask(&kept(&id).bytes(), Got::ConnAck(0, 0)).await;
    let filter = "devices/d/messages/devicebound/#";
    client.ask(&wire::subscribe(1, &[(filter, 1)]), Got::SubAck(1, vec![1])).await;
    let path = "/devices/d/messages/deviceBound";
    assert_eq!(owner.call("POST", path, &[], Some(&json!(1))).await.status, 204);
    let Got::Publish(_, _, payload) = client.get().await else { panic!("no message") };
    disk.fill_after(0);
    client.send(&wire::packet(0x40, &payload[..2])).await;
    client.expect_quiet().await;
    owner.patch("/twins/d", json!({"tags": {"a": 1}})).await.refused(500, "ServerError");
    disk.free();
    owner.patch("/twins/d", json!({"tags": {"a": 1}})).await.ok();
    let Place { local, folder, .. } = place;
    local.stop().await;
    let options = HubOptions { data: Some(folder.path().join("data")), ..options(folder.path(), FleetChoice::Empty) };
    let local = LocalHub::start(options).await.unwrap();
    assert!(local.hub().messages().receive(local.hub(), "d", None).is_none(), "it was acknowledged");
}

/// Without anybody writing, too.
#[tokio::test]
async fn it_recovers_by_itself() {
    let disk = Disk::new();
    let (place, mut owner) = hub(&disk).await;
    disk.fill_after(0);
    owner.patch("/twins/d", json!({"tags": {"a": 1}})).await.refused(500, "ServerError");
    disk.free();
    let hub = place.local.hub().clone();
    eventually("it is written again", || hub.is_writing()).await;
}

/// The lines of a log as they come.
fn lines(log: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (line, lines) = channel();
    std::thread::spawn(move || {
        for read in BufReader::new(log).lines().map_while(Result::ok) {
            if line.send(read).is_err() {
                return;
            }
        }
    });
    lines
}

/// The program itself, on a file that the system does not let grow.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_program_says_once_that_it_cannot_write_and_once_that_it_can() {
    let dir = TempDir::new().unwrap();
    // The size of files is limited later, from outside; the signal that goes with it would end the program.
    let plain = command::command(dir.path(), &["--fleet", "empty"]);
    let mut program = Command::new("sh");
    program.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(plain.get_program()).args(plain.get_args());
    program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).env_remove("RUST_LOG");
    let (sender, log) = channel();
    let running = command::started_with(program, |log| sender.send(lines(log)).unwrap());
    let log = log.recv().unwrap();
    let mut owner = running.owner().await;
    owner.device("d").await;
    let size = std::fs::metadata(dir.path().join("hub.redb")).unwrap().len();
    let pid = running.child.id().to_string();
    let limit = |soft: &str| {
        let limited = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={soft}:")]).status().unwrap();
        assert!(limited.success());
    };
    limit(&size.to_string());
    let large = |n: usize| json!({"properties": {"desired": {format!("k{n}"): "x".repeat(4000)}}});
    let mut kept = 0;
    let mut refused = 0;
    for n in 0..1000 {
        let id = format!("/twins/d{n}");
        let made = owner.put(&id.replace("twins", "devices"), json!({"deviceId": format!("d{n}")})).await;
        let reply = if made.status == 200 { owner.patch(&id, large(n)).await } else { made };
        match reply.status {
            200 => kept += 1,
            _ => refused += 1,
        }
        if refused == 5 {
            break;
        }
    }
    assert_eq!(refused, 5, "the file could grow: {kept} were kept");
    assert_eq!(owner.get("/twins/d").await.status, 200, "reads go on");
    limit("unlimited");
    owner.patch("/twins/d", json!({"tags": {"again": true}})).await.ok();
    let (status, _) = running.stop("TERM");
    assert!(status.success());
    let mut said = Vec::new();
    while let Ok(line) = log.recv_timeout(PATIENCE) {
        said.push(line);
    }
    let count = |text: &str| said.iter().filter(|line| line.contains(text)).count();
    assert_eq!(count("cannot write the data file"), 1, "{said:#?}");
    assert_eq!(count("can be written again"), 1, "{said:#?}");
    drop(command::start(dir.path(), &[]).owner().await.get("/twins/d").await.ok());
}
