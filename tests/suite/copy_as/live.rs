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
    fn run(&self, program: &str, text: &str, more: &[&str]) -> Option<Output> {
        let connection = self.hub.connection();
        let Who::Service { policy, proof: Proof::Key(key) } = &connection.who else { panic!("the owner has a key") };
        let expiry = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 300;
        let token = sas::sign(&sas::resource("localhost", None), key, expiry, Some(policy)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("snippet");
        std::fs::write(&file, text).unwrap();
        let output = Command::new(program)
            .args(more)
            .args((!text.is_empty()).then_some(&file))
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

    let Some(output) = stage.run(program, &text, &[]) else { return };
    assert!(output.status.success(), "{output:?}\n{text}");
    let twin = stage.second.twin(&stage.id);
    let mut expected = json!({ "interval": 122, "odd": odd });
    expected["spelled"] = serde_json::from_str("2.50").unwrap();
    assert_eq!(Json::Object(twin.desired.values.clone()), expected);
    assert_eq!(twin.desired.values["spelled"].to_string(), "2.50");
    assert_eq!(Json::Object(twin.tags.clone()), json!({ "floor": 2 }));

    let again = stage.run(program, &text, &[]).unwrap();
    assert!(!again.status.success(), "a stale etag was no obstacle: {again:?}");
    assert!(format!("{again:?}").contains("412"), "{again:?}");
    assert_eq!(stage.second.twin(&stage.id).version, twin.version);

    let replace = stage.written(language, Method::Put, &document(json!({ "only": 1 })));
    let output = stage.run(program, &replace, &[]).unwrap();
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

/// What the shell hands to `az`: its words, split and unquoted by a real shell. The settings it is given are told first.
fn words_for_az(text: &str) -> Vec<String> {
    let az = "az() { printf '%s\\0' \"$REQUESTS_CA_BUNDLE\" \"$@\"; }\n";
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("snippet");
    std::fs::write(&file, format!("{az}{text}")).unwrap();
    let output = Command::new("sh")
        .arg(&file)
        .env("IOTHUB_CONNECTION_STRING", "HostName=h;SharedAccessKeyName=n;SharedAccessKey=k k")
        .env("IOTHUB_CA_FILE", "/a file.pem")
        .env_remove("REQUESTS_CA_BUNDLE")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}\n{text}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.strip_suffix('\0').unwrap().split('\0').map(str::to_owned).collect()
}

/// The options of `az iot hub device-twin` and `module-twin`, taken strictly: each once, each known, each with a value. `--name=value`
/// and `--name value` are one.
fn az_options(words: &[String], known: &[&str]) -> std::collections::BTreeMap<String, String> {
    let mut options = std::collections::BTreeMap::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let option = word.strip_prefix("--").unwrap_or_else(|| panic!("{word:?} is no option"));
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => (option, words.next().unwrap_or_else(|| panic!("{word:?} has no value")).clone()),
        };
        assert!(known.contains(&name), "az knows no {word:?} here");
        assert!(options.insert(name.to_owned(), value).is_none(), "{word:?} comes twice");
    }
    options
}

/// `az` is seldom on a machine, and its extension for IoT less often: the words it is given are read as it reads them.
#[test]
fn az_is_given_the_whole_save() {
    let odd = "it's \"odd\" \\ $HOME `id` \n 😀 \u{202e} %s";
    for id in [TwinId::device("it's-a$dev.1"), TwinId::module("-dash", "m o=d")] {
        let mut body = document(json!({ "interval": 122, "odd": odd, "old": null }));
        body["properties"]["desired"]["spelled"] = serde_json::from_str("2.50").unwrap();
        let etag = twinscope::twin::Etag("AAA\"=".to_owned());
        for (method, verb) in [(Method::Patch, "update"), (Method::Put, "replace")] {
            for authority in [Authority::Public, Authority::Private] {
                let host = "plant.azure-devices.net";
                let save = Save { host, authority, id: &id, method, body: &body, if_match: &etag };
                let words = words_for_az(&save.written_in(Language::Az));
                let trust = if authority == Authority::Private { "/a file.pem" } else { "" };
                let kind = if id.module.is_some() { "module-twin" } else { "device-twin" };
                assert_eq!(words[..5], [trust, "iot", "hub", kind, verb]);
                let known: &[&str] = if method == Method::Put {
                    &["login", "device-id", "module-id", "etag", "json"]
                } else {
                    &["login", "device-id", "module-id", "etag", "tags", "desired"]
                };
                let mut options = az_options(&words[5..], known);
                let mut take = |name: &str| options.remove(name);
                assert_eq!(take("login").unwrap(), "HostName=h;SharedAccessKeyName=n;SharedAccessKey=k k");
                assert_eq!(take("device-id").unwrap(), id.device);
                assert_eq!(take("module-id"), id.module);
                assert_eq!(take("etag").unwrap(), etag.0);
                let json = |text: String| serde_json::from_str::<Json>(&text).unwrap();
                let sent = match method {
                    Method::Put => json(take("json").unwrap()),
                    Method::Patch => {
                        let (tags, desired) = (json(take("tags").unwrap()), json(take("desired").unwrap()));
                        json!({ "tags": tags, "properties": { "desired": desired } })
                    }
                };
                assert_eq!(sent, Json::Object(body.clone()));
            }
        }
    }
}

/// Rust needs a crate that has to be fetched and built, so a machine does that where it is asked to. What the snippet says of
/// its Cargo.toml is what it is built with.
#[test]
fn rust_saves() {
    if std::env::var("TWINSCOPE_BUILD_SNIPPETS").is_err() {
        eprintln!("skipped: building the Rust snippet takes minutes; TWINSCOPE_BUILD_SNIPPETS=1 asks for it");
        return;
    }
    let stage = stage();
    let patch = document(json!({ "interval": 122, "old": null }));
    let built = build_rust(&stage.written(Language::Rust, Method::Patch, &patch));
    let run = || stage.run("env", "", &[built.as_str()]).unwrap();
    let output = run();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(stage.second.desired(&stage.id), json!({ "interval": 122 }));
    let again = run();
    assert!(!again.status.success() && format!("{again:?}").contains("412"), "{again:?}");
    let built = build_rust(&stage.written(Language::Rust, Method::Put, &document(json!({ "only": 1 }))));
    assert!(stage.run("env", "", &[built.as_str()]).unwrap().status.success());
    assert_eq!(stage.second.desired(&stage.id), json!({ "only": 1 }));
}

/// Builds a program of one file, in a folder that is kept for the next time. Returns the program.
fn build_rust(text: &str) -> String {
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("copy-as-rust");
    std::fs::create_dir_all(dir.join("src")).unwrap();
    let dependency = text.lines().find_map(|line| line.strip_prefix("// Cargo.toml: ")).expect("it names its crate");
    let manifest =
        format!("[package]\nname = \"snippet\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{dependency}\n");
    std::fs::write(dir.join("Cargo.toml"), manifest).unwrap();
    std::fs::write(dir.join("src/main.rs"), text).unwrap();
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let target = dir.join("target");
    let status = Command::new(cargo)
        .args(["build", "--quiet"])
        .current_dir(&dir)
        .env("CARGO_TARGET_DIR", &target)
        .env_remove("RUSTFLAGS")
        .status()
        .unwrap();
    assert!(status.success(), "the snippet does not compile");
    target.join("debug/snippet").to_str().unwrap().to_owned()
}
