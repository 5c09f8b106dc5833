//! Snippets as a person runs them, against a real hub on this machine. A language that is not on the machine is said to be
//! skipped; what became of the twin is read through the client.

use crate::journeys::Second;
use crate::worker::rig::OwnHub;
use serde_json::json;
use std::process::{Command, Output};
use std::time::{SystemTime, UNIX_EPOCH};
use twinscope::copy_as::{Authority, Language, Method, Save};
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::connection_string::{Proof, Who};
use twinscope::protocol::sas;
use twinscope::twin::{Json, JsonMap, TwinId};

struct Stage {
    hub: OwnHub,
    second: Second,
    id: TwinId,
}

fn stage() -> Stage {
    let hub = OwnHub::start(FleetChoice::Empty);
    let second = Second::at(&hub);
    let id = TwinId::device("it's-a$dev.1");
    second.create(&id);
    second.patch(&id, json!({ "interval": 60, "old": true }));
    Stage { hub, second, id }
}

impl Stage {
    fn written(&self, language: Language, method: Method, body: &JsonMap) -> String {
        let etag = self.second.twin(&self.id).etag;
        let host = format!("localhost:{}", self.hub.port());
        let save = Save { host: &host, authority: Authority::Private, id: &self.id, method, body, if_match: &etag };
        save.written_in(language)
    }

    /// With the secrets in the variables the snippet names.
    fn run(&self, program: &str, text: &str) -> Option<Output> {
        let connection = self.hub.connection();
        let Who::Service { policy, proof: Proof::Key(key) } = &connection.who else { panic!("the owner has a key") };
        let expiry = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 300;
        let token = sas::sign(&sas::resource("localhost", None), key, expiry, Some(policy)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("snippet");
        std::fs::write(&file, text).unwrap();
        let output = Command::new(program)
            .arg(&file)
            .env("IOTHUB_CONNECTION_STRING", connection.reveal().reveal())
            .env("IOTHUB_SAS_TOKEN", token.reveal())
            .env("IOTHUB_CA_FILE", self.hub.ca_file())
            .env("NO_PROXY", "localhost")
            .env("no_proxy", "localhost")
            .output();
        if output.is_err() {
            assert!(std::env::var("CI").is_err(), "{program} is not on this machine");
            eprintln!("skipped: {program} is not on this machine");
        }
        output.ok()
    }
}

fn document(desired: Json) -> JsonMap {
    let body = json!({ "tags": { "floor": 2 }, "properties": { "desired": desired } });
    body.as_object().unwrap().clone()
}

/// The save lands once, to the letter; run again, the etag stands in its way.
fn check(language: Language, program: &str) {
    let stage = stage();
    let odd = "it's \"odd\" \\ $HOME `id` \n 😀 \u{202e} %s";
    let mut patch = document(json!({ "interval": 122, "odd": odd, "old": null }));
    patch["properties"]["desired"]["spelled"] = serde_json::from_str("2.50").unwrap();
    let text = stage.written(language, Method::Patch, &patch);
    let key = stage.hub.connection().reveal();
    let secret = key.reveal().rsplit("SharedAccessKey=").next().unwrap().to_owned();
    assert!(!secret.is_empty() && !text.contains(&secret), "a secret stands in {text}");

    let Some(output) = stage.run(program, &text) else { return };
    assert!(output.status.success(), "{output:?}\n{text}");
    let twin = stage.second.twin(&stage.id);
    let mut expected = json!({ "interval": 122, "odd": odd });
    expected["spelled"] = serde_json::from_str("2.50").unwrap();
    assert_eq!(Json::Object(twin.desired.values.clone()), expected);
    assert_eq!(twin.desired.values["spelled"].to_string(), "2.50");
    assert_eq!(Json::Object(twin.tags.clone()), json!({ "floor": 2 }));

    let again = stage.run(program, &text).unwrap();
    assert!(!again.status.success(), "a stale etag was no obstacle: {again:?}");
    assert!(format!("{again:?}").contains("412"), "{again:?}");
    assert_eq!(stage.second.twin(&stage.id).version, twin.version);

    let replace = stage.written(language, Method::Put, &document(json!({ "only": 1 })));
    let output = stage.run(program, &replace).unwrap();
    assert!(output.status.success(), "{output:?}\n{replace}");
    assert_eq!(stage.second.desired(&stage.id), json!({ "only": 1 }));
}

#[test]
fn curl_saves() {
    check(Language::Curl, "sh");
}

#[test]
fn python_saves() {
    check(Language::Python, "python3");
}

#[test]
fn node_saves() {
    check(Language::Node, "node");
}
