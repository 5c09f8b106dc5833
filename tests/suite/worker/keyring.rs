//! Keyrings that fail: what is not kept is said at once, and a key that is gone is pasted in place.

use super::rig::{OwnHub, Rig};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use twinscope::disk::{KeyringChoice, SecretStorage, SecretsError};
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::connection_string::{ConnectionString, Who};
use twinscope::protocol::secret::Secret;
use twinscope::worker::event::{HubEntry, Outcome, SecretStore};
use twinscope::worker::{Command, Connect, Fact, Failure, HubRef, KeyPlace};

/// What a keyring does besides keeping.
#[derive(Debug, Default)]
struct Moods {
    get: Option<SecretsError>,
    set: Option<SecretsError>,
}

#[derive(Debug, Default)]
struct Fake {
    kept: Mutex<HashMap<String, Secret>>,
    moods: Mutex<Moods>,
}

impl Fake {
    fn fails(&self, get: Option<SecretsError>, set: Option<SecretsError>) {
        *self.moods.lock().unwrap() = Moods { get, set };
    }
}

impl SecretStorage for Fake {
    fn get(&self, account: &str) -> Result<Option<Secret>, SecretsError> {
        match &self.moods.lock().unwrap().get {
            Some(error) => Err(error.clone()),
            None => Ok(self.kept.lock().unwrap().get(account).cloned()),
        }
    }

    fn set(&self, account: &str, secret: &Secret) -> Result<(), SecretsError> {
        if let Some(error) = &self.moods.lock().unwrap().set {
            return Err(error.clone());
        }
        self.kept.lock().unwrap().insert(account.to_owned(), secret.clone());
        Ok(())
    }

    fn remove(&self, account: &str) -> Result<(), SecretsError> {
        self.kept.lock().unwrap().remove(account);
        Ok(())
    }
}

fn start(dir: tempfile::TempDir, fake: &Arc<Fake>) -> Rig {
    let store = fake.clone();
    Rig::start_with(dir, move |options| options.keyring = KeyringChoice::Given(store))
}

fn connect(hub: &OwnHub, key: KeyPlace) -> Connect {
    Connect {
        name: "Staging".to_owned(),
        connection_string: hub.connection().reveal(),
        ca_file: Some(hub.ca_file()),
        key,
        ..Connect::default()
    }
}

#[track_caller]
fn hubs(outcome: Result<Outcome, Failure>) -> Vec<HubEntry> {
    match outcome {
        Ok(Outcome::Hubs(hubs)) => hubs,
        other => panic!("no hubs: {other:?}"),
    }
}

#[track_caller]
fn opens(rig: &mut Rig, hub: &HubRef) {
    let opened = rig.ask(|key| Command::Open { key, hub: hub.clone() });
    assert!(matches!(&opened, Ok(Outcome::Connected(info)) if info.hub == *hub), "{opened:?}");
}

/// Words that only a library says.
fn is_plain(said: &str) -> bool {
    ["SS ", "zbus", "dbus", "DBus", "org.", "Platform", "storage:", "Error"].iter().all(|raw| !said.contains(raw))
}

#[test]
fn a_key_that_is_not_kept_is_told_and_the_person_decides() {
    let hub = OwnHub::start(FleetChoice::Empty);
    for (error, word) in [
        (SecretsError::NoCollection, "no default collection"),
        (SecretsError::Locked, "locked"),
        (SecretsError::NoKeyring, "no keyring is running"),
        (SecretsError::Refused, "refused"),
    ] {
        let fake = Arc::new(Fake::default());
        let mut rig = start(tempfile::tempdir().unwrap(), &fake);
        rig.connected();
        rig.fact("a keyring", |fact| match fact {
            Fact::Hubs { secrets: SecretStore::Keyring, .. } => Some(()),
            _ => None,
        });
        fake.fails(None, Some(error));
        match rig.ask(|key| Command::Add { key, connect: connect(&hub, KeyPlace::Keyring) }) {
            Err(Failure::KeyNotKept { why }) => assert!(why.contains(word) && is_plain(&why), "{why}"),
            other => panic!("{word}: {other:?}"),
        }
        rig.fact("where keys go now", |fact| match fact {
            Fact::Hubs { hubs, secrets: SecretStore::SessionOnly { why } } if why.contains(word) => {
                assert_eq!(hubs.len(), 1, "nothing was added");
                Some(())
            }
            _ => None,
        });
        let added = hubs(rig.ask(|key| Command::Add { key, connect: connect(&hub, KeyPlace::Session) }));
        assert_eq!((added.len(), added[1].has_secret), (2, true));
        opens(&mut rig, &added[1].hub);
    }
}

#[test]
fn a_key_that_is_gone_is_pasted_in_place() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let fake = Arc::new(Fake::default());
    let mut rig = start(tempfile::tempdir().unwrap(), &fake);
    rig.connected();
    let added = hubs(rig.ask(|key| Command::Add { key, connect: connect(&hub, KeyPlace::Keyring) }));
    let HubRef::Saved(id) = added[1].hub.clone() else { panic!("not kept") };
    assert_eq!(fake.kept.lock().unwrap().len(), 1, "it is in the keyring");
    let dir = rig.stop();

    fake.kept.lock().unwrap().clear();
    let mut rig = start(dir, &fake);
    rig.connected();
    match rig.ask(|key| Command::Open { key, hub: HubRef::Saved(id.clone()) }) {
        Err(Failure::NoKey { id: of, name, why: None }) => assert_eq!((of, name.as_str()), (id.clone(), "Staging")),
        other => panic!("{other:?}"),
    }
    rig.fact("a connection without a key", |fact| match fact {
        Fact::Hubs { hubs, .. } => hubs.get(1).filter(|hub| !hub.has_secret).map(|_| ()),
        _ => None,
    });
    let renew = |text: Secret| Connect { connection_string: text, renews: Some(id.clone()), ..Connect::default() };
    // Of another hub it is refused.
    let Who::Service { policy, proof } = hub.connection().who else { panic!("no policy") };
    let other = ConnectionString { host_name: "other.azure-devices.net".to_owned(), ..hub.connection() };
    match rig.ask(|key| Command::Add { key, connect: renew(other.reveal()) }) {
        Err(Failure::Local(said)) => assert!(said.contains("other.azure-devices.net"), "{said}"),
        other => panic!("{other:?}"),
    }
    // The certificate of the connection is used for the check, though the form has none.
    let checked = rig.ask(|key| Command::Check { key, connect: renew(hub.connection().reveal()) });
    assert!(matches!(checked, Ok(Outcome::Checked(_))), "{checked:?}");
    let who = Who::Service { policy: policy.clone(), proof: proof.clone() };
    let same = ConnectionString { who, ..hub.connection() };
    let renewed = hubs(rig.ask(|key| Command::Add { key, connect: renew(same.reveal()) }));
    assert_eq!((renewed.len(), renewed[1].name.as_str(), renewed[1].has_secret), (2, "Staging", true));
    assert_eq!(fake.kept.lock().unwrap().keys().collect::<Vec<_>>(), [&id], "under the same connection");
    opens(&mut rig, &HubRef::Saved(id.clone()));

    // And it is there at the next start.
    let dir = rig.stop();
    let mut rig = start(dir, &fake);
    rig.connected();
    opens(&mut rig, &HubRef::Saved(id));
}

#[test]
fn a_keyring_that_is_gone_in_mid_run_is_no_dead_end() {
    let hub = OwnHub::start(FleetChoice::Empty);
    let fake = Arc::new(Fake::default());
    let mut rig = start(tempfile::tempdir().unwrap(), &fake);
    rig.connected();
    let added = hubs(rig.ask(|key| Command::Add { key, connect: connect(&hub, KeyPlace::Keyring) }));
    let HubRef::Saved(id) = added[1].hub.clone() else { panic!("not kept") };
    fake.fails(Some(SecretsError::NoKeyring), Some(SecretsError::NoKeyring));
    match rig.ask(|key| Command::Open { key, hub: HubRef::Saved(id.clone()) }) {
        Err(Failure::NoKey { why: Some(why), .. }) => assert!(why.contains("no keyring is running"), "{why}"),
        other => panic!("{other:?}"),
    }
    let renew = |key| Connect {
        connection_string: hub.connection().reveal(),
        renews: Some(id.clone()),
        key,
        ..Connect::default()
    };
    let refused = rig.ask(|key| Command::Add { key, connect: renew(KeyPlace::Keyring) });
    assert!(matches!(refused, Err(Failure::KeyNotKept { .. })), "{refused:?}");
    hubs(rig.ask(|key| Command::Add { key, connect: renew(KeyPlace::Session) }));
    opens(&mut rig, &HubRef::Saved(id.clone()));
    // The keyring is back, with what it had.
    fake.fails(None, None);
    opens(&mut rig, &HubRef::Local);
    opens(&mut rig, &HubRef::Saved(id));
}
