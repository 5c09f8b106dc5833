//! What Microsoft's own clients sent, word for word, and answers they accept. The files in `tests/fixtures/sdk/` are named
//! after the clients; their versions stand in the first line.
//!
//! A record is a title (`## …`), then a request line (`GET target`) or an MQTT word (`CONNECT user name`, `SUBSCRIBE filter`,
//! `PUBLISH topic`, `RECEIVE topic`), headers, `= body`, and for errors `< status [iothub-errorcode]` and `< body`. Secrets
//! are `<signature>`, `<expiry>` and `<key>`.

use super::KEY;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use twinscope::protocol::error;
use twinscope::protocol::identity::{bulk_from_json, request_from_json};
use twinscope::protocol::mqtt::{self, FromDevice, ToDevice, UserName};
use twinscope::protocol::rest::{IfMatch, Route, RouteError};
use twinscope::protocol::{bag, sas};
use twinscope::twin::TwinId;

struct Record {
    title: String,
    /// A method of HTTP, or a word of MQTT.
    verb: String,
    target: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    error: Option<(u16, Option<String>, String)>,
}

fn records() -> Vec<Record> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sdk");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 4, "one file per client");
    files.iter().flat_map(|file| read(&std::fs::read_to_string(file).unwrap())).collect()
}

fn read(text: &str) -> Vec<Record> {
    let text = text.replace("<signature>", "YWJj").replace("<expiry>", "1735689600").replace("<key>", KEY);
    text.split("\n\n").filter(|block| block.starts_with("## ")).map(read_record).collect()
}

fn read_record(block: &str) -> Record {
    let mut lines = block.lines();
    let title = lines.next().unwrap().to_owned();
    let (verb, target) = lines.next().unwrap().split_once(' ').unwrap();
    let mut record = Record {
        title,
        verb: verb.to_owned(),
        target: target.to_owned(),
        headers: BTreeMap::new(),
        body: None,
        error: None,
    };
    for line in lines {
        if let Some(body) = line.strip_prefix("= ") {
            record.body = Some(body.to_owned());
        } else if let Some(answer) = line.strip_prefix("< ") {
            if let Some((_, _, body)) = &mut record.error {
                answer.clone_into(body);
            } else {
                let (status, code) = answer.split_once(' ').unwrap_or((answer, ""));
                let code = Some(code.to_owned()).filter(|code| !code.is_empty());
                record.error = Some((status.parse().unwrap(), code, String::new()));
            }
        } else {
            let (name, value) = line.split_once(": ").unwrap();
            record.headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
    }
    record
}

impl Record {
    fn is_http(&self) -> bool {
        ["GET", "PUT", "PATCH", "POST", "DELETE"].contains(&self.verb.as_str())
    }

    fn route(&self) -> Result<Route, RouteError> {
        Route::parse_for(&self.verb, &self.target)
    }

    fn json(&self) -> Value {
        serde_json::from_str(self.body.as_deref().unwrap()).unwrap()
    }
}

#[test]
fn every_request_finds_its_route() {
    let mut seen = BTreeMap::new();
    for record in records().iter().filter(|record| record.is_http()) {
        let path = record.target.split('?').next().unwrap();
        // Upload of files needs a storage account.
        if path.ends_with("/files") {
            assert_eq!(record.route(), Err(RouteError::NoSuchPath), "{}", record.title);
            continue;
        }
        let route = record.route().unwrap_or_else(|error| panic!("{}: {error}", record.title));
        assert_eq!(Route::parse_for(&record.verb, &route.target()).as_ref(), Ok(&route), "{}", record.title);
        // Read another way: by what the segments are, in the spelling of these clients.
        let words: Vec<&str> = path.trim_matches('/').split('/').collect();
        let expected = match (words.as_slice(), &route) {
            (["devices"], Route::Devices { .. }) => "devices",
            (["devices", "query"], Route::Query) => "query",
            (["devices", _], Route::Device { .. }) => "device",
            (["devices", _, "modules"], Route::Modules { .. }) => "modules",
            (["devices", _, "modules", _], Route::Module { .. }) => "module",
            (["twins", _], Route::Twin(TwinId { module: None, .. })) => "twin",
            (["twins", _, "modules", _], Route::Twin(TwinId { module: Some(_), .. })) => "module twin",
            (["twins", _, "methods"], Route::Methods(TwinId { module: None, .. })) => "methods",
            (["twins", _, "modules", _, "methods"], Route::Methods(TwinId { module: Some(_), .. })) => "module methods",
            (["statistics", "devices"], Route::DeviceStatistics) => "device statistics",
            (["statistics", "service"], Route::ServiceStatistics) => "service statistics",
            (["devices", _, "messages", "events"], Route::DeviceEvents { .. }) => "device events",
            (["jobs", "v2", _], Route::Job { .. }) => "job",
            (["jobs"], Route::ImportExport { job: None }) => "import and export jobs",
            _ => panic!("{}: {} is no {route:?}", record.title, record.target),
        };
        *seen.entry(expected).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 14, "every route is used by some client: {seen:?}");
}

#[test]
fn every_precondition_is_quoted() {
    let mut seen = 0;
    for record in records() {
        let Some(header) = record.headers.get("if-match") else { continue };
        let read = IfMatch::parse(Some(header));
        assert!(matches!(read, IfMatch::Any | IfMatch::Quoted(_)), "{}: {header}", record.title);
        assert_eq!(read.header().as_ref(), Some(header), "{}", record.title);
        seen += 1;
    }
    assert!(seen > 15, "{seen}");
}

#[test]
fn every_token_reads_and_covers_what_it_is_for() {
    let mut seen = 0;
    for record in records() {
        let Some(token) = record.headers.get("authorization").or(record.headers.get("password")) else { continue };
        let token = sas::parse(token).unwrap_or_else(|error| panic!("{}: {error}", record.title));
        let uri = match UserName::parse(&record.target).filter(|_| record.verb == "CONNECT") {
            Some(UserName { device, module, .. }) => sas::resource("localhost:8883", Some(&TwinId { device, module })),
            None if token.policy.is_some() => "LOCALHOST:8443/devices/x".to_owned(),
            None => token.resource.clone(),
        };
        assert!(token.covers(&uri), "{}: {} {uri}", record.title, token.resource);
        assert_eq!(token.expiry, 1_735_689_600);
        seen += 1;
    }
    assert!(seen > 60, "{seen}");
}

#[test]
fn every_identity_body_reads() {
    let mut seen = 0;
    for record in records().iter().filter(|record| record.verb == "PUT") {
        let id = match record.route().unwrap() {
            Route::Device { device } => TwinId::device(device),
            Route::Module { device, module } => TwinId::module(device, module),
            _ => continue,
        };
        let read = request_from_json(&id, &record.json()).unwrap_or_else(|error| panic!("{}: {error}", record.title));
        let authentication = read.authentication.unwrap();
        let body = record.body.as_deref().unwrap();
        assert_eq!(authentication.primary_key.is_some(), body.contains(KEY), "{}", record.title);
        assert_eq!(
            authentication.primary_thumbprint.is_some(),
            body.contains("primaryThumbprint\": \"") || body.contains("primaryThumbprint\":\""),
            "{}",
            record.title
        );
        seen += 1;
    }
    assert!(seen > 15, "{seen}");
}

#[test]
fn every_bulk_body_reads() {
    let mut seen = 0;
    for record in records() {
        if record.verb == "POST" && matches!(record.route(), Ok(Route::Devices { .. })) {
            let value = record.json();
            let items = bulk_from_json(&value).unwrap_or_else(|error| panic!("{}: {error}", record.title));
            assert_eq!(items.len(), value.as_array().unwrap().len());
            for (item, written) in items.iter().zip(value.as_array().unwrap()) {
                assert!(
                    item.mode.word().eq_ignore_ascii_case(written["importMode"].as_str().unwrap()),
                    "{}",
                    record.title
                );
                assert_eq!(item.tags.is_some(), written.get("tags").is_some(), "{}", record.title);
            }
            seen += 1;
        }
    }
    assert!(seen >= 6, "{seen}");
}

#[test]
fn every_error_reads() {
    let mut seen = 0;
    for record in records() {
        let Some((status, header, body)) = record.error else { continue };
        let read = error::read(header.as_deref(), body.as_bytes());
        // A bulk result comes with 400 and without a header; the number in it is that of its item.
        let expected = if header.is_some() { status } else { 409 };
        assert_eq!(read.number.map(|number| number / 1000), Some(u32::from(expected)), "{}", record.title);
        assert!(read.name.is_some(), "{}", record.title);
        let message = read.message.unwrap_or_default();
        assert!(!message.is_empty() && !message.starts_with("ErrorCode:") && !message.starts_with('{'), "{message}");
        // The bulk result has none.
        assert_eq!(read.tracking_id.as_deref(), header.is_some().then_some("0"), "{}", record.title);
        // The body alone says the same.
        assert_eq!(error::read(None, body.as_bytes()).name, read.name, "{}", record.title);
        seen += 1;
    }
    assert!(seen > 12, "{seen}");
}

#[test]
fn every_user_name_reads() {
    let mut seen = 0;
    for record in records().iter().filter(|record| record.verb == "CONNECT") {
        let name = UserName::parse(&record.target).unwrap();
        assert_eq!(name.host, "localhost");
        let id = TwinId { device: name.device.clone(), module: name.module.clone() };
        assert!(name.names(&id) && record.target.starts_with(&format!("localhost/{id}/?")), "{}", record.target);
        assert!(name.api_version.is_some() && name.client_type.as_deref().unwrap().contains('/'), "{}", record.target);
        assert_eq!(name.model_id.is_some(), record.target.contains("model-id"), "{}", record.target);
        assert_eq!(UserName::parse(&name.text()), Some(name));
        seen += 1;
    }
    assert!(seen >= 6, "{seen}");
}

#[test]
fn every_topic_reads() {
    let (mut from, mut to, mut filters) = (0, 0, 0);
    for record in records() {
        let topic = record.target.as_str();
        match record.verb.as_str() {
            "PUBLISH" => {
                let read = FromDevice::parse(topic).unwrap_or_else(|| panic!("{topic}"));
                assert_eq!(read.topic(), topic);
                if let FromDevice::Telemetry { bag, .. } = read {
                    check_bag(&bag);
                }
                from += 1;
            }
            "RECEIVE" => {
                let read = ToDevice::parse(topic).unwrap_or_else(|| panic!("{topic}"));
                assert_eq!(read.topic(), topic);
                if let ToDevice::CloudToDevice { bag, .. } = read {
                    check_bag(&bag);
                }
                to += 1;
            }
            "SUBSCRIBE" => {
                let known = [mqtt::TWIN_RESPONSES, mqtt::DESIRED_PATCHES, mqtt::METHODS];
                assert!(known.contains(&topic) || topic.starts_with("devices/"), "{topic}");
                assert!(mqtt::matches(topic, &topic.replace('#', "x")), "{topic}");
                filters += 1;
            }
            _ => {}
        }
    }
    assert!(from > 20 && to > 15 && filters > 8, "{from} {to} {filters}");
}

/// The properties these clients were told to send.
fn check_bag(text: &str) {
    let known = [
        ("$.mid", None),
        ("$.cid", Some("c1")),
        ("$.ct", Some("application/json")),
        ("$.ce", Some("utf-8")),
        ("$.on", Some("out1")),
        ("$.to", None),
        ("alert", Some("yes & no")),
        ("iothub-ack", Some("none")),
        ("colour", Some("blue")),
    ];
    for (key, value) in bag::parse(text) {
        let (_, expected) = known.iter().find(|(known, _)| *known == key).unwrap_or_else(|| panic!("{key} in {text}"));
        assert!(value.is_some() && (expected.is_none() || value.as_deref() == *expected), "{key}={value:?} in {text}");
    }
}
