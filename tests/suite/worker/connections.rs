//! Connections and settings: tried, kept, opened, forgotten; and what is on disk afterwards.

use super::rig::{OwnHub, Rig};
use std::path::{Path, PathBuf};
use twinscope::client::HubError;
use twinscope::disk::{Settings, ThemeChoice};
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::connection_string::{ConnectionString, Proof, Who};
use twinscope::protocol::secret::Secret;
use twinscope::worker::event::{HubEntry, Outcome, SecretStore};
use twinscope::worker::{Command, Connect, Fact, Failure, HubRef, KeyPlace};

fn connect(text: &str, ca_file: Option<PathBuf>) -> Connect {
    let connection_string = Secret::new(text);
    Connect { connection_string, ca_file, key: KeyPlace::Session, ..Connect::default() }
}

fn connect_to(hub: &OwnHub, connection: &ConnectionString) -> Connect {
    connect(connection.reveal().reveal(), Some(hub.ca_file()))
}

#[test]
fn a_form_error_names_the_part() {
    let mut rig = Rig::start();
    for (text, part) in [
        ("", "nothing is in it"),
        ("HostName=h.azure-devices.net;SharedAccessKeyName=p", "SharedAccessKey"),
        ("SharedAccessKeyName=p;SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "HostName"),
    ] {
        match rig.ask(|key| Command::Check { key, connect: connect(text, None) }) {
            Err(Failure::Local(sentence)) => assert!(sentence.contains(part), "{text:?}: {sentence}"),
            other => panic!("{text:?}: {other:?}"),
        }
    }
    let device = "HostName=h;DeviceId=d;SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let checked = rig.ask(|key| Command::Check { key, connect: connect(device, None) });
    assert!(matches!(checked, Err(Failure::Hub(HubError::NotAService))), "{checked:?}");
    let added = rig.ask(|key| Command::Add { key, connect: connect(device, None) });
    assert!(matches!(added, Err(Failure::Hub(HubError::NotAService))), "{added:?}");
}

#[test]
fn a_check_tells_what_the_key_is_good_for() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let mut rig = Rig::start();
    for (policy, registry_read, service_connect) in
        [("iothubowner", true, true), ("service", false, true), ("registryRead", true, false)]
    {
        let connect = connect_to(&hub, &hub.connection_as(policy));
        match rig.ask(|key| Command::Check { key, connect }) {
            Ok(Outcome::Checked(report)) => {
                assert_eq!(report.policy, policy);
                assert!(report.permissions.contains(&("RegistryRead", Some(registry_read))), "{report:?}");
                assert!(report.permissions.contains(&("ServiceConnect", Some(service_connect))), "{report:?}");
            }
            other => panic!("{policy}: {other:?}"),
        }
    }

    let who = Who::Service {
        policy: "iothubowner".to_owned(),
        proof: Proof::Key(Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")),
    };
    let wrong = connect_to(&hub, &ConnectionString { who, ..hub.connection() });
    let wrong = rig.ask(|key| Command::Check { key, connect: wrong });
    assert!(matches!(wrong, Err(Failure::Hub(HubError::Unauthorized { .. }))), "{wrong:?}");
    let strange = rig.ask(|key| Command::Check { key, connect: connect(hub.connection().reveal().reveal(), None) });
    assert!(matches!(strange, Err(Failure::Hub(HubError::Tls { .. }))), "{strange:?}");
    let mut away = OwnHub::start(FleetChoice::Empty);
    let connect = connect_to(&away, &away.connection());
    away.stop();
    let away = rig.ask(|key| Command::Check { key, connect });
    assert!(matches!(away, Err(Failure::Hub(HubError::Unreachable { .. }))), "{away:?}");
}

fn hubs(outcome: Result<Outcome, Failure>) -> Vec<HubEntry> {
    match outcome {
        Ok(Outcome::Hubs(hubs)) => hubs,
        other => panic!("no hubs: {other:?}"),
    }
}

/// Every file below a folder, as bytes.
fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
    found
}

#[test]
fn added_opened_removed() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let mut rig = Rig::start();
    rig.connected();
    let connect = connect_to(&hub, &hub.connection());
    let added = hubs(rig.ask(|key| Command::Add { key, connect: connect.clone() }));
    let twice = hubs(rig.ask(|key| Command::Add { key, connect }));
    assert_eq!(
        twice.iter().map(|hub| hub.name.as_str()).collect::<Vec<_>>(),
        ["Local hub", "localhost", "localhost 2"]
    );
    assert!(added[1].has_secret);
    rig.fact("where secrets go", |fact| match fact {
        Fact::Hubs { hubs, secrets: SecretStore::SessionOnly { .. } } if hubs.len() == 3 => Some(()),
        _ => None,
    });
    let opened = rig.ask(|key| Command::Open { key, hub: added[1].hub.clone() });
    assert!(matches!(&opened, Ok(Outcome::Connected(info)) if info.hub == added[1].hub), "{opened:?}");

    let HubRef::Saved(second) = twice[2].hub.clone() else { panic!("not kept") };
    let left = hubs(rig.ask(|key| Command::Remove { key, id: second.clone() }));
    assert_eq!(left.len(), 2);
    let again = rig.ask(|key| Command::Remove { key, id: second });
    assert!(matches!(again, Err(Failure::Local(_))), "{again:?}");

    // The secret was for the session only: nothing on disk holds it, and the next start says that it is missing.
    let dir = rig.stop();
    let Who::Service { proof: Proof::Key(secret), .. } = hub.connection().who else { panic!("no key") };
    for (path, bytes) in files(dir.path()) {
        let found = bytes.windows(secret.reveal().len()).any(|window| window == secret.reveal().as_bytes());
        assert!(!found, "{} holds the secret", path.display());
    }
    let mut rig = Rig::start_with(dir, |_| {});
    let saved = rig.fact("the kept connection", |fact| match fact {
        Fact::Hubs { hubs, .. } => hubs.get(1).cloned(),
        _ => None,
    });
    assert_eq!((saved.name.as_str(), saved.has_secret), ("localhost", false));
    let opened = rig.ask(|key| Command::Open { key, hub: saved.hub });
    assert!(matches!(opened, Err(Failure::NoKey { why: None, .. })), "{opened:?}");
}

#[test]
fn settings_survive_and_leave_connections_alone() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let mut rig = Rig::start();
    rig.connected();
    hubs(rig.ask(|key| Command::Add { key, connect: connect_to(&hub, &hub.connection()) }));
    let settings = Settings { theme: ThemeChoice::Dark, zoom: Some(1.25), ..Settings::default() };
    rig.send(Command::SaveSettings { settings });
    // Written at the latest when the worker ends.
    let dir = rig.stop();
    let mut rig = Rig::start_with(dir, |_| {});
    let read = rig.fact("settings", |fact| match fact {
        Fact::Settings(settings) => Some(settings.clone()),
        _ => None,
    });
    assert_eq!((read.theme, read.zoom, read.connections.len()), (ThemeChoice::Dark, Some(1.25), 1));
}

#[test]
fn two_windows_share_a_folder() {
    let mut first = Rig::start();
    first.connected();
    let path = first.dir.path().to_path_buf();
    let mut second = Rig::start_with(tempfile::tempdir().unwrap(), |options| options.data = Some(path));
    second.fact("a notice", |fact| match fact {
        Fact::Notice(sentence) => sentence.contains("local hub").then_some(()),
        _ => None,
    });
    assert_eq!(second.connected().hub, HubRef::Local);
}

/// The file named so below a folder.
fn find(dir: &std::path::Path, name: &str) -> Option<std::path::PathBuf> {
    std::fs::read_dir(dir).ok()?.filter_map(Result::ok).find_map(|entry| {
        let path = entry.path();
        if path.is_dir() { find(&path, name) } else { path.ends_with(name).then_some(path) }
    })
}

#[test]
fn damaged_files_of_the_local_hub_are_said_and_it_runs() {
    let mut rig = Rig::start();
    rig.connected();
    let mut dir = rig.stop();
    for name in ["hub.redb", "ca-key.pem"] {
        let file = find(dir.path(), name).unwrap();
        let length = std::fs::metadata(&file).unwrap().len();
        std::fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(length / 3).unwrap();
        let mut rig = Rig::start_with(dir, |_| {});
        let said = rig.fact("the damage", |fact| match fact {
            Fact::Notice(sentence) if sentence.contains("damaged") => Some(sentence.clone()),
            _ => None,
        });
        assert!(said.contains(name) && said.contains("set aside as"), "{said}");
        assert_eq!(rig.connected().hub, HubRef::Local);
        dir = rig.stop();
    }
}

#[test]
fn the_string_of_the_environment_may_be_quoted_and_is_named_when_it_is_another_kind() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let string = hub.connection().reveal();
    let start = |text: String| {
        let ca = hub.ca_file();
        Rig::start_with(tempfile::tempdir().unwrap(), move |options| {
            options.connection_string = Some(Secret::new(text));
            options.extra_ca = vec![ca];
        })
    };
    for text in [format!("\"{}\"", string.reveal()), format!("X='{}';", string.reveal())] {
        assert_eq!(start(text).connected().hub, HubRef::Environment);
    }
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    for (text, words) in [
        (format!("HostName=h;DeviceId=d;SharedAccessKey={key}"), "the connection string of d, not that of a policy"),
        (format!("Endpoint=sb://x/;SharedAccessKeyName=p;SharedAccessKey={key}"), "Event Hubs-compatible"),
        ("HostName=h;SharedAccessKeyName=p".to_owned(), "there is no SharedAccessKey= part"),
    ] {
        match start(text).done(twinscope::worker::Key(0)) {
            Err(Failure::Local(said)) => assert!(said.contains(words) && !said.contains(key), "{said}"),
            other => panic!("{words}: {other:?}"),
        }
    }
}
