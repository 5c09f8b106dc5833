//! Adding a connection by what is pasted, and giving a key again.

use super::scene::Scene;
use super::{find, is_disabled, sized, try_find, window};
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use twinscope::app::{Action, HubState};
use twinscope::protocol::connection_string::ConnectionString;
use twinscope::protocol::secret::Secret;
use twinscope::worker::event::{CheckReport, Outcome, SecretStore};
use twinscope::worker::{Command, Connect, Fact, Failure, HubRef, Key, KeyPlace};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn says(harness: &Harness<'_, Scene>, text: &str) -> bool {
    harness.root().children_recursive().any(|node| {
        let node = node.accesskit_node();
        [node.label(), node.value()].into_iter().flatten().any(|said| said.contains(text))
    })
}

/// The keyring answers, and the hub *Plant north* has no key.
fn scene() -> Scene {
    let mut scene = Scene::fleet();
    let mut hubs = scene.app.hubs.clone();
    hubs[1].has_secret = false;
    scene.tell(Fact::Hubs { hubs, secrets: SecretStore::Keyring });
    scene
}

fn typed(harness: &mut Harness<'_, Scene>, text: &str) {
    harness.state_mut().act(Action::SecretText(Secret::new(text)));
    harness.run();
}

/// The last request to add a connection.
fn added(scene: &Scene) -> (Key, Connect) {
    let found = scene.commands.iter().rev().find_map(|command| match command {
        Command::Add { key, connect } => Some((*key, connect.clone())),
        _ => None,
    });
    found.expect("it was sent")
}

fn checked(harness: &mut Harness<'_, Scene>) -> Connect {
    find(harness, Role::Button, "Connect").click();
    harness.run_steps(4);
    let found = harness.state().commands.iter().rev().find_map(|command| match command {
        Command::Check { key, connect } => Some((*key, connect.clone())),
        _ => None,
    });
    let (key, connect) = found.expect("it is checked");
    let report = CheckReport {
        host: "h".to_owned(),
        policy: "p".to_owned(),
        permissions: Vec::new(),
        clock_ahead_s: None,
        ms: 1,
    };
    harness.state_mut().answer(key, Outcome::Checked(report));
    harness.run_steps(4);
    connect
}

#[test]
fn what_was_understood_is_shown_and_the_key_is_not() {
    let plain = format!("HostName=hub-7.azure-devices.net;SharedAccessKeyName=owner;SharedAccessKey={KEY}");
    for size in [[1280.0, 800.0], [900.0, 600.0]] {
        let mut harness = sized(scene(), size);
        harness.state_mut().act(Action::ShowAddConnection);
        harness.run();
        let top = find(&harness, Role::TextInput, "Name").rect().top();
        for (text, said) in [
            (plain.clone(), "Hub hub-7.azure-devices.net, policy owner"),
            (
                format!("{{\"connectionString\": \"{plain}\"}}"),
                "Hub hub-7.azure-devices.net, policy owner. Left out: the text around it",
            ),
            (plain.replace("Access", "Acc\u{200b}ess"), "Left out: invisible characters"),
            (plain.replace("SharedAccessKey=", "SharedAccessKey=\n"), "Hub hub-7.azure-devices.net, policy owner"),
            ("HostName=h;SharedAccessKeyName=p".to_owned(), "There is no SharedAccessKey= part"),
            (KEY.to_owned(), "There is only a key in it"),
            (
                format!("HostName=h;DeviceId=d;SharedAccessKey={KEY}"),
                "This is the connection string of d, not that of a policy",
            ),
            ("Endpoint=sb://x/;SharedAccessKeyName=p".to_owned(), "This is an Event Hubs-compatible string"),
        ] {
            typed(&mut harness, &text);
            assert!(says(&harness, said), "{text} does not say {said}");
            assert!(!says(&harness, &KEY[..12]), "the key is on the screen");
            let now = find(&harness, Role::TextInput, "Name").rect().top();
            assert!(now >= top && now - top < 40.0, "the form jumps by {}", now - top);
        }
        typed(&mut harness, "");
        assert!((find(&harness, Role::TextInput, "Name").rect().top() - top).abs() < 0.5, "the line is not reserved");
    }
}

#[test]
fn a_key_that_the_keyring_does_not_take_can_be_kept_for_the_session() {
    let mut harness = window(scene());
    harness.state_mut().act(Action::ShowAddConnection);
    harness.run();
    assert!(says(&harness, "The key will be kept in the keyring of the operating system"));
    typed(&mut harness, &format!("HostName=h;SharedAccessKeyName=p;SharedAccessKey={KEY}"));
    checked(&mut harness);
    let (key, connect) = added(harness.state());
    assert_eq!(connect.key, KeyPlace::Keyring);
    let why = "the keyring is locked, and was not unlocked: unlock it and try again".to_owned();
    harness.state_mut().fail(key, Failure::KeyNotKept { why });
    harness.run();
    assert!(says(&harness, "The key could not be kept in the keyring: the keyring is locked"));
    find(&harness, Role::Button, "Try the keyring again").click();
    harness.run_steps(4);
    let (again, connect) = added(harness.state());
    assert_eq!((again == key, connect.key), (false, KeyPlace::Keyring));
    harness.state_mut().fail(again, Failure::KeyNotKept { why: "no keyring is running".to_owned() });
    harness.run();
    find(&harness, Role::Button, "Keep it for this session only").click();
    harness.run_steps(4);
    let (_, connect) = added(harness.state());
    assert_eq!(connect.key, KeyPlace::Session);
}

#[test]
fn a_missing_key_is_pasted_in_the_row_of_its_connection() {
    for text in [
        KEY.to_owned(),
        format!("\"{KEY}\""),
        format!("HostName=plant-north.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey={KEY}"),
    ] {
        let mut harness = window(scene());
        harness.state_mut().act(Action::ShowConnections);
        harness.run();
        find(&harness, Role::Button, "Paste the key of Plant north…").click();
        harness.run_steps(4);
        find(&harness, Role::Dialog, "Paste the key");
        assert!(try_find(&harness, Role::TextInput, "Name").is_none(), "it keeps its name");
        typed(&mut harness, "HostName=elsewhere;SharedAccessKeyName=p;SharedAccessKey=AAECAwQFBgcICQoLDA0ODw==");
        assert!(says(&harness, "This is of elsewhere, and Plant north is on plant-north.azure-devices.net"));
        assert!(is_disabled(&find(&harness, Role::Button, "Connect")));
        typed(&mut harness, &text);
        assert!(says(&harness, "Hub plant-north.azure-devices.net, policy iothubowner"), "{text}");
        let connect = checked(&mut harness);
        let read = ConnectionString::parse(connect.connection_string.reveal()).unwrap();
        assert_eq!(
            (read.host_name.as_str(), connect.renews.as_deref()),
            ("plant-north.azure-devices.net", Some("plant"))
        );
        let (key, connect) = added(harness.state());
        assert_eq!(connect.renews.as_deref(), Some("plant"));
        let hubs = harness.state().app.hubs.clone();
        harness.state_mut().answer(key, Outcome::Hubs(hubs));
        harness.run_steps(4);
        let opens = Command::Open { key: Key(0), hub: HubRef::Saved("plant".to_owned()) };
        let opened = harness.state().commands.iter().rev().find_map(|command| match command {
            Command::Open { hub, .. } => Some(hub.clone()),
            _ => None,
        });
        assert_eq!(opened, Some(HubRef::Saved("plant".to_owned())), "{opens:?}");
    }
}

#[test]
fn a_hub_that_lacks_its_key_offers_to_paste_it() {
    let mut scene = scene();
    let failure = Failure::NoKey { id: "plant".to_owned(), name: "Plant north".to_owned(), why: None };
    scene.app.hub = HubState::Failed { hub: HubRef::Saved("plant".to_owned()), failure };
    scene.app.settings.layout.fleet_hidden = true;
    let mut harness = window(scene);
    assert!(says(&harness, "The keyring has no key for Plant north"));
    find(&harness, Role::Button, "Paste the key…").click();
    harness.run_steps(4);
    find(&harness, Role::Dialog, "Paste the key");
}
