//! What outlives a session: settings, kept connections and their secrets. The connections among the settings are the
//! worker's own: settings that come from the window never change them.

use super::event::{Fact, HubEntry, SecretStore};
use super::out::Out;
use super::{Failure, HubRef, KeyPlace};
use crate::client::HubError;
use crate::disk::secrets::Kept;
use crate::disk::{Keyring, SavedConnection, SecretsError, Settings, SettingsFile};
use crate::protocol::connection_string::paste::PasteError;
use crate::protocol::connection_string::{ConnectionString, Who};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Settings that change quickly (a window being resized) are written this long after the first change.
const WRITE_AFTER: Duration = Duration::from_millis(200);
/// The list of hubs waits this long for the keyring before it goes out without it.
const PROBE_PATIENCE: Duration = Duration::from_millis(300);

pub(super) struct Keep {
    /// `None` when the platform knows no folder for it.
    file: Option<Arc<SettingsFile>>,
    keyring: Keyring,
    environment: Option<Result<ConnectionString, PasteError>>,
    state: Mutex<State>,
    /// One write at a time; each writes what stands then.
    writing: tokio::sync::Mutex<()>,
    changed: Notify,
    out: Out,
}

struct State {
    settings: Settings,
    unwritten: bool,
    store: SecretStore,
    /// The keyring has answered in this run, so that it may hold secrets.
    keyring_answers: bool,
    /// Connections whose secret was looked for in vain.
    lost: BTreeSet<String>,
    /// The last failure told, so that it is told once.
    told: Option<String>,
}

impl Keep {
    pub(super) fn new(
        file: Option<SettingsFile>,
        settings: Settings,
        keyring: Keyring,
        environment: Option<Result<ConnectionString, PasteError>>,
        out: Out,
    ) -> Self {
        // Said when the file was opened.
        let told = file.as_ref().and_then(|file| file.why_sealed().map(str::to_owned));
        let store = SecretStore::SessionOnly { why: SecretsError::NotYet.to_string() };
        let state = State { settings, unwritten: false, store, keyring_answers: false, lost: BTreeSet::new(), told };
        Self {
            file: file.map(Arc::new),
            keyring,
            environment,
            state: Mutex::new(state),
            writing: tokio::sync::Mutex::default(),
            changed: Notify::new(),
            out,
        }
    }

    /// Tells the list of hubs: soon, and again when a slow keyring has answered.
    pub(super) async fn announce(self: Arc<Self>) {
        let probe = self.keyring.probe();
        tokio::pin!(probe);
        let found = tokio::select! {
            found = &mut probe => found,
            () = tokio::time::sleep(PROBE_PATIENCE) => {
                self.tell_hubs().await;
                probe.await
            }
        };
        self.found(found);
        self.tell_hubs().await;
    }

    /// Takes down where the last secret went, or would go.
    fn found(&self, keyring: Result<(), SecretsError>) {
        let mut state = self.state();
        state.keyring_answers |= keyring.is_ok();
        state.store = match keyring {
            Ok(()) => SecretStore::Keyring,
            Err(why) => SecretStore::SessionOnly { why: why.to_string() },
        };
    }

    pub(super) async fn tell_hubs(&self) {
        let (hubs, secrets) = self.hubs();
        self.out.fact(Fact::Hubs { hubs, secrets }).await;
    }

    /// The local hub, the environment's, then the kept ones in the order they were added.
    pub(super) fn hubs(&self) -> (Vec<HubEntry>, SecretStore) {
        let state = self.state();
        let mut hubs = vec![HubEntry {
            hub: HubRef::Local,
            name: LOCAL_NAME.to_owned(),
            host: "localhost".to_owned(),
            policy: "iothubowner".to_owned(),
            has_secret: true,
        }];
        if let Some(environment) = &self.environment {
            let (host, policy) = environment.as_ref().map(face).unwrap_or_default();
            let name = if host.is_empty() { "Environment".to_owned() } else { first_label(&host) };
            hubs.push(HubEntry { hub: HubRef::Environment, name, host, policy, has_secret: environment.is_ok() });
        }
        hubs.extend(state.settings.connections.iter().map(|saved| HubEntry {
            hub: HubRef::Saved(saved.id.clone()),
            name: saved.name.clone(),
            host: saved.host.clone(),
            policy: saved.policy.clone(),
            // Asking the keyring for each could bring up a prompt: it counts as holding them until it says otherwise.
            has_secret: self.keyring.in_session(&saved.id)
                || (state.keyring_answers && !state.lost.contains(&saved.id)),
        }));
        (hubs, state.store.clone())
    }

    pub(super) fn environment(&self) -> Option<Result<ConnectionString, PasteError>> {
        self.environment.clone()
    }

    pub(super) fn saved(&self, id: &str) -> Option<SavedConnection> {
        self.state().settings.connections.iter().find(|saved| saved.id == id).cloned()
    }

    /// The secret of a kept connection, understood.
    pub(super) async fn connection(&self, saved: &SavedConnection) -> Result<ConnectionString, Failure> {
        let no_key = |why| Failure::NoKey { id: saved.id.clone(), name: saved.name.clone(), why };
        let found = self.keyring.get(&saved.id).await;
        let Ok(Some(secret)) = found else {
            self.state().lost.insert(saved.id.clone());
            self.tell_hubs().await;
            return Err(no_key(found.err().map(|error| error.to_string())));
        };
        self.state().lost.remove(&saved.id);
        ConnectionString::parse(secret.reveal())
            .map_err(|error| no_key(Some(format!("what the keyring has is not a connection string: {error}"))))
    }

    /// Takes over what the window changed; written soon.
    pub(super) fn take_settings(&self, settings: Settings) {
        let mut state = self.state();
        let connections = std::mem::take(&mut state.settings.connections);
        state.settings = Settings { connections, ..settings };
        state.unwritten = true;
        drop(state);
        self.changed.notify_one();
    }

    /// Writes changed settings, without end.
    pub(super) async fn write_changes(self: Arc<Self>) {
        loop {
            self.changed.notified().await;
            tokio::time::sleep(WRITE_AFTER).await;
            self.flush().await;
        }
    }

    /// Writes what is not written yet. A failure is told once.
    pub(super) async fn flush(&self) {
        if !self.state().unwritten {
            return;
        }
        if let Err(why) = self.write().await {
            let news = self.state().told.replace(why.clone()).as_ref() != Some(&why);
            if news {
                self.out.notice(why).await;
            }
        }
    }

    async fn write(&self) -> Result<(), String> {
        let turn = self.writing.lock().await;
        let settings = {
            let mut state = self.state();
            state.unwritten = false;
            state.settings.clone()
        };
        let Some(file) = self.file.clone() else {
            return Err("Settings are not kept: this system names no folder for them".to_owned());
        };
        let written = tokio::task::spawn_blocking(move || file.save(&settings)).await;
        drop(turn);
        match written {
            Ok(Ok(())) => {
                self.state().told = None;
                Ok(())
            }
            Ok(Err(why)) => Err(why),
            Err(error) => Err(format!("The settings cannot be written: {error}")),
        }
    }

    /// Keeps a connection. The name is made unique; an empty one takes the host's first label.
    pub(super) async fn add(
        &self,
        name: &str,
        connection: &ConnectionString,
        ca_file: Option<std::path::PathBuf>,
        place: KeyPlace,
    ) -> Result<Vec<HubEntry>, Failure> {
        let Who::Service { policy, .. } = &connection.who else {
            return Err(Failure::Hub(HubError::NotAService));
        };
        let id = uuid::Uuid::new_v4().to_string();
        let host = connection.host_name.clone();
        let name = match name.trim() {
            "" => first_label(&host),
            name => name.to_owned(),
        };
        self.keep_key(&id, connection, place).await?;
        {
            let mut state = self.state();
            let name = unique_name(&name, &state.settings.connections);
            state.settings.connections.push(SavedConnection {
                id: id.clone(),
                name,
                host,
                policy: policy.clone(),
                ca_file,
            });
        }
        if let Err(why) = self.write().await {
            self.state().settings.connections.retain(|saved| saved.id != id);
            if let Err(error) = self.keyring.remove(&id).await {
                tracing::warn!(%error, "an unused secret stays in the keyring");
            }
            return Err(Failure::Local(why));
        }
        self.tell_hubs().await;
        Ok(self.hubs().0)
    }

    /// Puts a key where it is to be kept, and takes down where it went.
    async fn keep_key(&self, id: &str, connection: &ConnectionString, place: KeyPlace) -> Result<(), Failure> {
        let secret = connection.reveal();
        let kept = match place {
            KeyPlace::Keyring => self.keyring.put_in_keyring(id, &secret).await,
            KeyPlace::Session => match self.keyring.put(id, &secret).await {
                Kept::InKeyring => Ok(()),
                Kept::ForThisSession { why } => Err(why),
            },
        };
        self.found(kept.clone());
        match (place, kept) {
            (KeyPlace::Keyring, Err(why)) => {
                self.tell_hubs().await;
                Err(Failure::KeyNotKept { why: why.to_string() })
            }
            (KeyPlace::Keyring | KeyPlace::Session, _) => Ok(()),
        }
    }

    /// Gives a kept connection another key: of the same hub, maybe of another policy.
    pub(super) async fn renew(
        &self,
        id: &str,
        connection: &ConnectionString,
        place: KeyPlace,
    ) -> Result<Vec<HubEntry>, Failure> {
        let Who::Service { policy, .. } = &connection.who else {
            return Err(Failure::Hub(HubError::NotAService));
        };
        let saved = self.saved(id).ok_or_else(|| Failure::Local("There is no such connection".to_owned()))?;
        if !saved.host.eq_ignore_ascii_case(&connection.host_name) {
            let sentence = format!(
                "This key is of {}, and {} is on {}: add it as a connection of its own",
                connection.host_name, saved.name, saved.host
            );
            return Err(Failure::Local(sentence));
        }
        self.keep_key(id, connection, place).await?;
        {
            let mut state = self.state();
            state.lost.remove(id);
            if let Some(saved) = state.settings.connections.iter_mut().find(|saved| saved.id == id) {
                saved.policy.clone_from(policy);
            }
        }
        if saved.policy != *policy {
            self.write().await.map_err(Failure::Local)?;
        }
        self.tell_hubs().await;
        Ok(self.hubs().0)
    }

    /// Forgets a connection and its secret. The secret goes first: what is still listed can be removed again.
    pub(super) async fn remove(&self, id: &str) -> Result<Vec<HubEntry>, Failure> {
        if self.saved(id).is_none() {
            return Err(Failure::Local("There is no such connection".to_owned()));
        }
        self.keyring.remove(id).await.map_err(|error| secrets_failure(&error))?;
        {
            let mut state = self.state();
            state.settings.connections.retain(|saved| saved.id != id);
            state.settings.open_tabs.remove(id);
            state.settings.comparisons.remove(id);
            state.lost.remove(id);
        }
        self.write().await.map_err(Failure::Local)?;
        self.tell_hubs().await;
        Ok(self.hubs().0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Plain values that are replaced whole: usable even if a thread died holding the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn secrets_failure(error: &SecretsError) -> Failure {
    let sentence = error.to_string();
    let mut letters = sentence.chars();
    Failure::Local(letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect()))
}

/// What the window calls the hub inside the program.
pub(super) const LOCAL_NAME: &str = "Local hub";

/// Host as written and policy.
pub(super) fn face(connection: &ConnectionString) -> (String, String) {
    let policy = match &connection.who {
        Who::Service { policy, .. } => policy.clone(),
        Who::Identity { .. } => String::new(),
    };
    (connection.host_name.clone(), policy)
}

pub(super) fn first_label(host: &str) -> String {
    host.split(['.', ':']).next().unwrap_or(host).to_owned()
}

fn unique_name(name: &str, taken: &[SavedConnection]) -> String {
    let free = |candidate: &String| !taken.iter().any(|saved| saved.name == *candidate);
    // One of them is free: there are more candidates than names taken.
    let numbered = (2..=taken.len() + 1).map(|n| format!("{name} {n}"));
    std::iter::once(name.to_owned()).chain(numbered).find(free).unwrap_or_default()
}
